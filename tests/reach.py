"""Which tests reach which line of a paper or of the frame: what `tests.mutate` runs for a fault in that line."""

import ast
import csv
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import coverage
import pytest

from tests import mutations

ROOT = Path(__file__).resolve().parent.parent
PAPERS = tuple(sorted(path.parent.name for path in (ROOT / "papers").glob("*/evaluate.py")))
MARKS = "not very_slow and not needs_data"  # the tests that `make test` runs
DRAWINGS = ("figures.py", "sound.py", "config.py")  # how a picture looks is not what a test should pin
FRAME_OUT = ("common/demo/", "common/report/", "common/plots.py", "common/progress.py", "common/check_gpu.py")


def sources(paper: str) -> list[Path]:
    """The files whose faults must be noticed."""
    if paper == "common":
        found = sorted((ROOT / "common").rglob("*.py"))
        return [path for path in found if not str(path.relative_to(ROOT)).startswith(FRAME_OUT)]
    return [path for path in sorted((ROOT / "papers" / paper).glob("*.py")) if path.name not in DRAWINGS]


def tests_of(paper: str) -> list[str]:
    """Where the tests of a paper, or of the frame, lie."""
    if paper == "common":
        return [str(path) for path in (ROOT / "tests" / "common", *sorted((ROOT / "tests").glob("test_*.py")))]
    return [str(path) for path in (ROOT / "tests" / "papers" / paper,
                                   *sorted((ROOT / "tests" / "parity").glob(f"test_{paper}*.py"))) if path.exists()]


def forked(work) -> int:
    """Start `work()` in a child process with its own group; returns its process id. The child exits with its result."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        return child
    code = 3
    try:
        os.setpgid(0, 0)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        code = int(work())
    finally:
        os._exit(code)


class _Recorder:
    """A pytest plugin: names each test to the coverage measurement and notes how long it took and whether it passed.

    What a fixture of wider scope runs is noted under the fixture, and belongs to every test that uses it.
    """

    def __init__(self, measured):
        self.measured, self.seconds, self.failed, self.uses, self.item = measured, {}, [], {}, ""

    def pytest_runtest_protocol(self, item, nextitem):
        """Lines run from here on belong to this test."""
        self.item = item.nodeid
        self.uses[item.nodeid] = list(item.fixturenames)
        self.measured.switch_context(item.nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef, request):
        """Lines of a shared fixture belong to the fixture; those of one it needs, to that one."""
        if fixturedef.scope == "function":
            return (yield)
        before, self.item = self.item, f"fixture {fixturedef.baseid} {fixturedef.argname}"
        self.measured.switch_context(self.item)
        try:
            return (yield)
        finally:
            self.item = before
            self.measured.switch_context(before)

    def pytest_runtest_logreport(self, report):
        """Seconds of set-up and call."""
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration
        if report.failed:
            self.failed.append(report.nodeid)

    def tests(self, context: str) -> list[str]:
        """The tests behind a context."""
        if not context.startswith("fixture "):
            return [context] if context else []
        where, name = context.removeprefix("fixture ").rsplit(" ", 1)
        return [test for test, fixtures in self.uses.items() if name in fixtures and test.startswith(where)]


def _measure(paper: str, place: Path) -> int:
    """In a child: run all tests under coverage and write which test reaches which line."""
    import tensorflow as tf

    measured = coverage.Coverage(source=[str(ROOT / "papers"), str(ROOT / "common")],  # runs copies, which are not seen
                                 data_file=str(place / "coverage"), config_file=False)
    recorder = _Recorder(measured)
    measured.start()
    unconverted(tf)
    os.environ["ENCORE_REACHED"] = str(place)  # see tests/common/processes.py
    pytest.main(["-q", "-p", "no:cacheprovider", "-m", MARKS, *tests_of(paper)], plugins=[recorder])
    measured.stop()
    data, reached = measured.get_data(), {}
    for path in {*sources(paper), *(ROOT / row["file"] for row in named_faults(paper))}:
        reached[str(path.relative_to(ROOT))] = {
            line: sorted({test for name in names for test in recorder.tests(name)})
            for line, names in data.contexts_by_lineno(str(path)).items()}
    for name, lines in by_other_processes(place, list(reached)).items():
        for line, tests in lines.items():
            reached[name][line] = sorted({*reached[name].get(line, ()), *tests})
    (place / "reached.json").write_text(json.dumps(
        {"reached": reached, "seconds": recorder.seconds, "failed": recorder.failed}))
    return 0


def unconverted(tf) -> None:
    """Keep AutoGraph from running copies of functions, which coverage does not see.

    A loop over a tensor needs AutoGraph: of the loop over a call's steps the step itself is kept from it.
    """
    from common import loop

    whole, needing = tf.function, ("several",)
    tf.function = lambda function=None, **options: whole(
        function, **options if getattr(function, "__name__", "") in needing else options | {"autograph": False})
    loop.Steps._step = tf.autograph.experimental.do_not_convert(loop.Steps._step)


def by_other_processes(place: Path, names: list[str]) -> dict[str, dict[int, set[str]]]:
    """File -> line -> tests, of the processes that tests started, be it in a copy of the checkout."""
    found = {name: {} for name in names}
    for file in place.glob("coverage.*"):
        data = coverage.CoverageData(str(file))
        data.read()
        for path in data.measured_files():
            for name in names:
                if path.endswith(f"/{name}"):
                    for line, tests in data.contexts_by_lineno(path).items():
                        found[name].setdefault(line, set()).update(tests)
    return found


def named_faults(paper: str) -> list[dict]:
    """The rows of tests/mutants/<paper>.csv."""
    path = ROOT / "tests" / "mutants" / f"{paper}.csv"
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def reach(paper: str) -> dict:
    """Which test reaches which line, and how long each takes; kept until sources or tests change."""
    digest = hashlib.sha256()
    for path in [*sources(paper), *sorted((ROOT / "tests").rglob("*.py"))]:
        digest.update(path.read_bytes())
    kept = ROOT / ".pytest_cache" / "mutants" / f"{paper}-{digest.hexdigest()[:16]}.json"
    if not kept.exists():
        with tempfile.TemporaryDirectory() as place:
            began = time.monotonic()
            print(f"{paper}: running its tests once, to see what they reach …", flush=True)
            os.waitpid(forked(lambda: _measure(paper, Path(place))), 0)
            if not (Path(place) / "reached.json").exists():
                raise SystemExit(f"error: the tests of {paper} could not be run; try: python -m pytest tests")
            print(f"{paper}: {time.monotonic() - began:.0f} s", flush=True)
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(Path(place) / "reached.json", kept)
    found = json.loads(kept.read_text())
    if found["failed"]:
        print(f"warning: {len(found['failed'])} tests fail without any fault: {found['failed'][:3]}", file=sys.stderr)
    return found


def reaching(mutation: mutations.Mutation, reached: dict) -> list[str]:
    """The tests that reach a mutation's line, quick ones first; for a line run at import all that use the module.

    So for a line of a compiled function, which coverage does not see. Whoever imports a module uses its tables; one
    that is a table and nothing else is used by the tests of the modules that import it, too. Of a statement of several
    lines not every one is measured: the lines of the whole statement stand for one that is not.
    """
    source, lines = (ROOT / mutation.path).read_text(), reached["reached"].get(mutation.path, {})
    for numbers in ([mutation.line], statement(source, mutation.line)):
        measured = [lines[str(number)] for number in numbers if str(number) in lines]
        tests = {name for names in measured for name in names}
        if measured:
            break
    if not tests and (measured or mutations.compiled(mutation, source)):
        tests = {name for names in lines.values() for name in names}
        files = {name.split("::")[0] for name in reached["seconds"] if "::" in name}
        direct = tuple(f"{path}::" for path in importers(mutation.path, files))
        tests |= {name for name in reached["seconds"] if name.startswith(direct)}
        if not any(lines.values()):
            tests |= {name for path in importers(mutation.path, reached["reached"])
                      for names in reached["reached"][path].values() for name in names}
    failing = set(reached["failed"])
    return sorted(tests - failing, key=lambda name: reached["seconds"].get(name, 9.0))


def importers(path: str, paths) -> list[str]:
    """Those of the files that import a file's module by name."""
    *package, name = Path(path).with_suffix("").parts
    found = []
    for other in paths:
        for node in ast.walk(ast.parse((ROOT / other).read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{one.name}" for one in node.names)]
                if ".".join([*package, name]) in names:
                    found.append(other)
                    break
    return found


def statement(source: str, line: int) -> list[int]:
    """The lines of the smallest statement around a line: of a loop, a condition or a function its head alone."""
    around = [node for node in ast.walk(ast.parse(source))
              if isinstance(node, ast.stmt) and node.lineno <= line <= node.end_lineno]
    if not around:
        return []
    node = min(around, key=lambda one: one.end_lineno - one.lineno)
    body = getattr(node, "body", None)
    return list(range(node.lineno, body[0].lineno if body else node.end_lineno + 1))
