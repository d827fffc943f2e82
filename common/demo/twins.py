"""Every paper on twins with shuffled labels: how often is a finding seen where there is nothing to see?

    python -m common.demo.twins                            every paper, 20 twins each: what `make null` runs
    python -m common.demo.twins musae --count              count again what was run

A twin is a demo corpus of another generator seed with its labels shuffled; on each a paper is trained and evaluated
once. Networks and steps are those of preset smoke; the corpora are not, since so few test groups give no verdict.
Generator seed 0 is what is shown, settings were tuned on 100 and above, so the twins are 1 and up. What is done
is skipped, a stopped training goes on, a twin that fails does not stop the others. At the end all results that stand
are judged, and the verdicts are written to papers/<paper>/results/null.csv, from which the README's table is made.
"""

import importlib
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from common import command, jobs, process, reproduce
from common.demo import making
from common.report import collect, error_rates, readme, text


@dataclass(frozen=True)
class Options:
    """Options of the call.

    Attributes:
        paper: one or several; all without one.
        preset: sizes and steps of training and evaluation.
        corpus: size of the twins; those of smoke have fewer than eight test groups, and so no verdicts.
        follow: which description to follow; the findings of the experiment without known faults are in sound.
        twins: how many, generator seeds 1 to this.
        jobs: processes of one thread each; without it as many as processors and memory permit.
        count: run nothing, judge what was run.
        place: where twins and their runs are kept: <place>/<generator seed>/.
    """

    paper: tyro.conf.Positional[tuple[Literal[reproduce.PAPERS], ...]] = ()
    preset: Literal["smoke", "demo"] = "smoke"
    corpus: Literal["smoke", "demo"] = "demo"
    follow: Literal["code", "paper", "sound"] = "sound"
    twins: int = 20
    jobs: int | None = None
    count: bool = False
    place: Path = Path("runs/null")


def main(arguments: list[str] | None = None) -> int:
    """Run, count, write; 0 if all twins went through, 1 where one failed or its results do not stand."""
    options = command.parse(Options, __doc__, arguments)
    papers = options.paper or reproduce.PAPERS
    with process.one_line_errors(), process.stopping():
        problems = [] if options.count else run(options, papers)
        for paper in collect.papers(collect.ROOT / "papers"):
            if paper.name in papers:
                path, said = error_rates.write(paper, options.place, options.preset, options.follow)
                problems += said
                print(f"{path}: {error_rates.summary(paper)}" if path else f"{paper.name}: no twin to count")
        for path in readme.write_readmes(collect.ROOT / "papers")[0]:
            print(f"{path}: tables made anew")
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    return int(bool(problems))


def run(options: Options, papers: tuple[str, ...]) -> list[str]:
    """Run every paper on every twin; what failed, one line each. Prints each twin, and the time that is left.

    What a twin prints goes to <place>/<seed>/<paper>.log.
    """
    tasks = [jobs.Job((paper, seed), f"{paper}, twin {seed}", options.place / str(seed) / f"{paper}.log", twin,
                      (paper, seed, options)) for seed in range(1, options.twins + 1) for paper in papers]
    at_once, began, spent, problems = options.jobs or jobs.allowed(), time.monotonic(), {}, []
    print(f"{len(tasks)} runs on {options.twins} twins, preset {options.preset}, {options.follow}, {at_once} processes",
          flush=True)
    for done, ended in enumerate(jobs.run(tasks, at_once), 1):
        left = (time.monotonic() - began) / done * (len(tasks) - done) / 3600
        print(f"{done}/{len(tasks)} {ended.job.label}: {ended.problem or 'done'}, {ended.seconds:.0f} s; about "
              f"{text.duration(left)} left", flush=True)
        spent.setdefault(ended.job.key[0], []).append(ended.seconds)
        problems += [f"{ended.job.label}: {ended.problem}"] if ended.problem else []
    for paper, seconds in sorted(spent.items()):
        print(f"{paper}: {sum(seconds) / len(seconds):.0f} s a twin")
    return problems


def twin(paper: str, seed: int, options: Options) -> None:
    """One paper on one twin, on each of its data sets that has a demo."""
    home = options.place / str(seed)
    settings = importlib.import_module(f"papers.{paper}.config")
    several = reproduce.data_sets(settings, None)
    for name in several if several != [None] else settings.DATA_SETS:
        data = making.make(name, options.corpus, home / "data", null=True, seed=seed)
        asked = reproduce.Options(paper=paper, data=data, preset=options.preset, follow=(options.follow,),
                                  stores=home / "stores", runs=home, fresh=True)
        reproduce.reproduce(asked, settings, reproduce.Plan(options.follow, {}, 0, name if several != [None] else None))


if __name__ == "__main__":
    sys.exit(main())
