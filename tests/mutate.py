"""Do the tests notice? Samples small faults, runs the tests that reach each, and says which were killed.

`python -m tests.mutate --paper musae --n 60 --seed 0` (what `make mutants PAPER=musae` runs) first runs the paper's
tests once to learn which of them reach which line, then forks a process for every fault (TensorFlow is loaded once,
before) and runs those tests in it. `--paper common` takes the frame. The named faults of tests/mutants/<paper>.csv are
replayed too. Results go to tests/mutants.csv. cosmic-ray and mutmut were looked at: the first starts Python, and so
TensorFlow, anew for every fault; the second rewrites functions in a way that AutoGraph cannot read.
"""

import contextlib
import csv
import dataclasses
import difflib
import hashlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pytest
import tyro

from tests import mutant_hook, mutations

ROOT = Path(__file__).resolve().parent.parent
PAPERS = tuple(sorted(path.parent.name for path in (ROOT / "papers").glob("*/evaluate.py")))
MARKS = "not very_slow and not needs_data"  # the tests that `make test` runs
DRAWINGS = ("figures.py", "sound.py", "config.py")  # how a picture looks is not what a test should pin
FRAME_OUT = ("common/demo/", "common/report/", "common/plots.py", "common/progress.py", "common/check_gpu.py")
LIBRARIES = ("tensorflow", "keras", "librosa", "sklearn.linear_model", "matplotlib.pyplot", "scipy.stats", "pytest")
TIMES_LONGER = 5  # a fault that makes its tests this much slower has been noticed
COLUMNS = ("paper", "seed", "file", "line", "what", "before", "after", "tests", "verdict")


@dataclass(frozen=True)
class Options:
    """Options of the run.

    Attributes:
        paper: a paper's directory name, or common.
        n: how many faults to sample; 0: only the named ones.
        seed: which sample.
        named: replay the faults of tests/mutants/<paper>.csv as well.
        jobs: faults tried at once, each in a process of one thread.
        only: a word in the file's name, to look at a part.
    """

    paper: str = "softmax_ae"
    n: int = 60
    seed: int = 0
    named: bool = True
    jobs: int = 2
    only: str = ""


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
    import coverage
    import tensorflow as tf

    whole = tf.function
    tf.function = lambda function=None, **options: whole(function, **options | {"autograph": False})  # else AutoGraph
    measured = coverage.Coverage(source=[str(ROOT / "papers"), str(ROOT / "common")],  # runs copies, which are not seen
                                 data_file=str(place / "coverage"), config_file=False)
    recorder = _Recorder(measured)
    measured.start()
    pytest.main(["-q", "-p", "no:cacheprovider", "-m", MARKS, *tests_of(paper)], plugins=[recorder])
    measured.stop()
    data, reached = measured.get_data(), {}
    for path in sources(paper):
        reached[str(path.relative_to(ROOT))] = {
            line: sorted({test for name in names for test in recorder.tests(name)})
            for line, names in data.contexts_by_lineno(str(path)).items()}
    (place / "reached.json").write_text(json.dumps(
        {"reached": reached, "seconds": recorder.seconds, "failed": recorder.failed}))
    return 0


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
    """The tests that reach a mutation's line, quick ones first; for a line run at import all that use the module."""
    lines = reached["reached"].get(mutation.path, {})
    tests = set(lines.get(str(mutation.line), ()))
    if not tests and str(mutation.line) in lines:
        tests = {name for names in lines.values() for name in names}
    failing = set(reached["failed"])
    return sorted(tests - failing, key=lambda name: reached["seconds"].get(name, 9.0))


def _try(mutation: mutations.Mutation, tests: list[str], place: Path) -> int:
    """In a child: run the tests with the fault in place; pytest's exit code."""
    mutant = place / Path(mutation.path).name
    mutant.write_text(mutation.apply((ROOT / mutation.path).read_text()))
    module = ".".join(Path(mutation.path).with_suffix("").parts).removesuffix(".__init__")
    os.environ["ENCORE_MUTANT"] = f"{module}={mutant}"
    shutil.copyfile(mutant_hook.__file__, place / "sitecustomize.py")
    os.environ["PYTHONPATH"] = f"{place}:{ROOT}"
    mutant_hook.install(os.environ["ENCORE_MUTANT"])
    return pytest.main(["-x", "-q", "-p", "no:cacheprovider", f"--basetemp={place / 'tmp'}", *tests])


def verdicts(faults: list[mutations.Mutation], reached: dict, jobs: int):
    """Yield (mutation, number of tests, "killed", "survived" or "not reached") as they end."""
    waiting, running = list(faults), {}
    while waiting or running:
        while waiting and len(running) < jobs:
            mutation = waiting.pop(0)
            tests = reaching(mutation, reached)
            if not tests:
                yield mutation, 0, "not reached"
                continue
            place = Path(tempfile.mkdtemp(prefix="mutant-"))
            seconds = sum(reached["seconds"].get(name, 1.0) for name in tests)
            child = forked(lambda m=mutation, t=tests, p=place: _try(m, t, p))
            running[child] = (mutation, len(tests), place, time.monotonic() + 60 + TIMES_LONGER * jobs * seconds)
        time.sleep(0.05)
        for child in list(running):
            mutation, count, place, until = running[child]
            done, status = os.waitpid(child, os.WNOHANG)
            if not done and time.monotonic() < until:
                continue
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
            if not done:
                os.waitpid(child, 0)
            del running[child]
            shutil.rmtree(place, ignore_errors=True)
            noticed = not done or os.WIFSIGNALED(status) or os.WEXITSTATUS(status) in (1, 2)
            yield mutation, count, "killed" if noticed else "survived"


def named(paper: str) -> list[mutations.Mutation]:
    """The faults of tests/mutants/<paper>.csv.

    Raises:
        SystemExit: a fault whose text does not stand exactly once in its file.
    """
    path = ROOT / "tests" / "mutants" / f"{paper}.csv"
    found = []
    for row in csv.DictReader(path.open(newline="")) if path.exists() else ():
        source = (ROOT / row["file"]).read_text()
        if source.count(row["before"]) != 1:
            raise SystemExit(f"error: {path.relative_to(ROOT)}: {row['name']}: its text stands "
                             f"{source.count(row['before'])} times in {row['file']}, not once; write it anew")
        start = source.index(row["before"])
        found.append(mutations.Mutation(row["file"], source.count("\n", 0, start) + 1, start,
                                        start + len(row["before"]), row["after"], f"named: {row['name']}"))
    return found


def difference(mutation: mutations.Mutation) -> tuple[str, str]:
    """The changed lines before and after, without their indent."""
    source = (ROOT / mutation.path).read_text()
    changed = [line for line in difflib.ndiff(source.splitlines(), mutation.apply(source).splitlines())
               if line[:2] in ("- ", "+ ")]
    return tuple(" ".join(line[2:].strip() for line in changed if line[0] == sign) for sign in "-+")


def write(rows: list[dict], paper: str, seed: int):
    """tests/mutants.csv: this paper's rows of this seed made anew, the others kept."""
    path = ROOT / "tests" / "mutants.csv"
    kept = []
    if path.exists():
        kept = [row for row in csv.DictReader(path.open(newline=""))
                if (row["paper"], row["seed"]) != (paper, str(seed))]
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(sorted(kept + rows, key=lambda row: (row["paper"], int(row["seed"]), row["file"],
                                                              int(row["line"]), row["what"])))


def main() -> int:
    """Sample, run, print, write; 0 whatever survives: the table is the result."""
    options = tyro.cli(Annotated[Options, tyro.conf.arg(name="")], description=__doc__.split("\n\n")[0],
                       prog="python -m tests.mutate")
    if options.paper not in (*PAPERS, "common"):
        print(f"error: --paper {options.paper}: choose one of {', '.join((*PAPERS, 'common'))}", file=sys.stderr)
        return 2
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ[name] = "1"
    os.chdir(ROOT)
    faults = named(options.paper) if options.named else []
    pool = [mutation for path in sources(options.paper)
            for mutation in mutations.find(str(path.relative_to(ROOT)), path.read_text()) if options.only in str(path)]
    faults += random.Random(options.seed).sample(pool, min(options.n, len(pool)))
    for library in LIBRARIES:
        __import__(library)
    reached = reach(options.paper)
    control = dataclasses.replace(next((one for one in faults if reaching(one, reached)), faults[0]), start=0, end=0,
                                  text="")
    if [verdict for _, _, verdict in verdicts([control], reached, 1)] == ["killed"]:
        print(f"error: the tests of {control.path} line {control.line} fail without a fault", file=sys.stderr)
        return 1
    rows, began = [], time.monotonic()
    for mutation, count, verdict in verdicts(faults, reached, options.jobs):
        before, after = difference(mutation)
        rows.append({"paper": options.paper, "seed": options.seed, "file": mutation.path, "line": mutation.line,
                     "what": mutation.what, "before": before, "after": after, "tests": count, "verdict": verdict})
        print(f"[{len(rows)}/{len(faults)}] {verdict}: {mutation.path}:{mutation.line} {mutation.what}"
              + ("" if verdict == "killed" else f"\n  - {before}\n  + {after}"), flush=True)
    for kind, chosen in (("named", [r for r in rows if r["what"].startswith("named")]),
                         ("sampled", [r for r in rows if not r["what"].startswith("named")])):
        killed = sum(row["verdict"] == "killed" for row in chosen)
        if chosen:
            print(f"{options.paper}, seed {options.seed}: {killed} of {len(chosen)} {kind} faults killed "
                  f"({100 * killed / len(chosen):.0f} %)")
    print(f"{time.monotonic() - began:.0f} s; tests/mutants.csv holds the table")
    if not options.only:
        write(rows, options.paper, options.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
