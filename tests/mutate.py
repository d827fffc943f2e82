"""Do the tests notice? Samples small faults, runs the tests that reach each, and says which were killed.

`python -m tests.mutate --paper musae --n 60 --seed 0` (what `make mutants PAPER=musae` runs) first runs the paper's
tests once to learn which of them reach which line, then forks a process for every fault (TensorFlow is loaded once,
before) and runs those tests in it. `--paper common` takes the frame. The named faults of tests/mutants/<paper>.csv are
replayed too. A fault that survives and is listed in tests/mutants/equivalent_<paper>.csv changes nothing that can be
observed; why stands there. So for another seed of a draw and the looks of a picture (`mutations.unobservable`). Results
go to tests/mutants.csv. cosmic-ray and mutmut were looked at: the first starts Python, and so TensorFlow, anew for
every fault; the second rewrites functions in a way that AutoGraph cannot read.
"""

import contextlib
import csv
import dataclasses
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
from tests.reach import PAPERS, ROOT, forked, named_faults, reach, reaching, sources

LIBRARIES = ("tensorflow", "keras", "librosa", "sklearn.linear_model", "matplotlib.pyplot", "scipy.stats", "pytest")
TIMES_LONGER = 5  # a fault that makes its tests this much slower has been noticed
COLUMNS = ("paper", "seed", "file", "line", "what", "before", "after", "tests", "verdict", "why")


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
        again: of these faults only those that tests/mutants.csv does not call killed; the others keep their rows.
    """

    paper: str = "softmax_ae"
    n: int = 60
    seed: int = 0
    named: bool = True
    jobs: int = 2
    only: str = ""
    again: bool = False


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
            noticed = not done or os.WIFSIGNALED(status) or os.WEXITSTATUS(status) in (1, 2, 4)  # 4: no import
            yield mutation, count, "killed" if noticed else "survived"


def named(paper: str) -> list[mutations.Mutation]:
    """The faults of tests/mutants/<paper>.csv.

    Raises:
        SystemExit: a fault whose text does not stand exactly once in its file.
    """
    found = []
    for row in named_faults(paper):
        source = (ROOT / row["file"]).read_text()
        if source.count(row["before"]) != 1:
            raise SystemExit(f"error: tests/mutants/{paper}.csv: {row['name']}: its text stands "
                             f"{source.count(row['before'])} times in {row['file']}, not once; write it anew")
        start = source.index(row["before"])
        found.append(mutations.Mutation(row["file"], source.count("\n", 0, start) + 1, start,
                                        start + len(row["before"]), row["after"], f"named: {row['name']}"))
    return found


def difference(mutation: mutations.Mutation) -> tuple[str, str]:
    """The changed lines before and after, without their indent."""
    source = (ROOT / mutation.path).read_text()
    first, last = source.rfind("\n", 0, mutation.start) + 1, source.find("\n", mutation.end)
    before = [line.strip() for line in source[first:last].splitlines()]
    after = [line.strip() for line in (source[first:mutation.start] + mutation.text
                                       + source[mutation.end:last]).splitlines()]
    if len(before) == len(after):
        before, after = zip(*(pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]), strict=True)
    return " ".join(before), " ".join(after)


def key_of(mutation: mutations.Mutation) -> tuple[str, str, str, str]:
    """What tells a fault from the others of its paper: file, kind, the line before and after."""
    return mutation.path, mutation.what, *difference(mutation)


def equivalents(paper: str) -> dict[tuple[str, str, str], str]:
    """(file, line before, line after) -> why it changes nothing, from tests/mutants/equivalent_<paper>.csv."""
    path = ROOT / "tests" / "mutants" / f"equivalent_{paper}.csv"
    if not path.exists():
        return {}
    with path.open(newline="") as file:
        return {(row["file"], row["before"], row["after"]): row["why"] for row in csv.DictReader(file)}


def summary(rows: list[dict]) -> list[str]:
    """How many were killed, of all and of those that change anything: a line for the named and one for the sampled."""
    lines = []
    for kind in ("named", "sampled"):
        chosen = [row["verdict"] for row in rows if row["what"].startswith("named") == (kind == "named")]
        if not chosen:
            continue
        killed, equivalent = chosen.count("killed"), chosen.count("equivalent")
        line = f"{killed} of {len(chosen)} {kind} faults killed ({100 * killed / len(chosen):.0f} %)"
        rest = len(chosen) - equivalent
        if equivalent and rest:
            line += f"; {equivalent} are equivalent: {killed} of {rest} ({100 * killed / rest:.0f} %)"
        lines.append(line)
    return lines


def written() -> list[dict]:
    """The rows of tests/mutants.csv."""
    path = ROOT / "tests" / "mutants.csv"
    return list(csv.DictReader(path.open(newline=""))) if path.exists() else []


def killed_before(paper: str, seed: int) -> dict[tuple[str, str, str, str], dict]:
    """(file, what, line before, line after) -> row, of this paper's faults of this sample that were killed."""
    return {(row["file"], row["what"], row["before"], row["after"]): row for row in written()
            if (row["paper"], row["seed"], row["verdict"]) == (paper, str(seed), "killed")}


def write(rows: list[dict], paper: str, seed: int):
    """tests/mutants.csv: this paper's rows of this seed made anew, the others kept."""
    kept = [row for row in written() if (row["paper"], row["seed"]) != (paper, str(seed))]
    with open(ROOT / "tests" / "mutants.csv", "w", newline="") as file:
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
    done = killed_before(options.paper, options.seed) if options.again else {}
    rows = [done[key] for key in map(key_of, faults) if key in done]
    faults = [fault for fault in faults if key_of(fault) not in done]
    if not faults:
        print(f"{options.paper}, seed {options.seed}: nothing survived")
        return 0
    for library in LIBRARIES:
        __import__(library)
    reached = reach(options.paper)
    control = dataclasses.replace(next((one for one in faults if reaching(one, reached)), faults[0]), start=0, end=0,
                                  text="")
    if [verdict for _, _, verdict in verdicts([control], reached, 1)] == ["killed"]:
        print(f"error: the tests of {control.path} line {control.line} fail without a fault", file=sys.stderr)
        return 1
    began, known, count_of = time.monotonic(), equivalents(options.paper), len(rows) + len(faults)
    for mutation, count, verdict in verdicts(faults, reached, options.jobs):
        before, after = difference(mutation)
        why = "" if verdict == "killed" else known.get((mutation.path, before, after), "")
        if not why and verdict != "killed" and not mutation.what.startswith("named"):
            why = mutations.unobservable(mutation, (ROOT / mutation.path).read_text())
        verdict = "equivalent" if why else verdict
        rows.append({"paper": options.paper, "seed": options.seed, "file": mutation.path, "line": mutation.line,
                     "what": mutation.what, "before": before, "after": after, "tests": count, "verdict": verdict,
                     "why": why})
        print(f"[{len(rows)}/{count_of}] {verdict}: {mutation.path}:{mutation.line} {mutation.what}"
              + ("" if verdict == "killed" else f"\n  - {before}\n  + {after}") + (f"\n  {why}" if why else ""),
              flush=True)
    for line in summary(rows):
        print(f"{options.paper}, seed {options.seed}: {line}")
    print(f"{time.monotonic() - began:.0f} s; tests/mutants.csv holds the table")
    if not options.only:
        write(rows, options.paper, options.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
