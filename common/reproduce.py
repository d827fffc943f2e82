"""Carry one paper through all its steps: corpus, preprocess, train, evaluate, report.

`python -m common.reproduce softmax_ae` is what `make reproduce-softmax_ae` runs. Steps that are done are skipped, so a
second call does nothing; a stopped one goes on where it stopped. All modes run in one process, since TensorFlow takes
seconds to load; with `--jobs N` their trainings and evaluations run in N processes (`common.jobs`).
"""

import contextlib
import dataclasses
import importlib
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Annotated, Literal

import tyro

from common import command, config as configuration, jobs, locks, process, record, scripts
from common.errors import StaleError
from common.files import naming
from common.findings import NotTestable
from common.machine import Machine

PAPERS = tuple(sorted(path.parent.name for path in (record.ROOT / "papers").glob("*/evaluate.py")))
UP_TO_DATE_SECONDS = 15  # a call that has nothing to do but its report takes less


@dataclass(frozen=True, kw_only=True)
class Options(Machine):
    """Options of the call; settings of the paper (`--epochs 5`) follow and hold for every mode.

    Attributes:
        paper: which paper; with it, --help lists its settings too.
        data: a data set or a folder with several; without it the built-in demo corpus is used.
        preset: sizes and steps: smoke (a minute), demo (minutes), full (the paper's).
        follow: which description to follow, one or several.
        seeds: one run for each.
        null: use the demo corpus with shuffled labels.
        effects: also measure each divergence that decides a claim, one at a time from paper.
        fresh: start over what other code, settings, data or packages trained.
        accept_code: go on with trainings that other code began; it is recorded, and verdicts are withheld.
        jobs: trainings and evaluations at once, each in a process of one thread; 0: as many as processors and memory
            permit.
        dask: address of a Dask scheduler (tcp://host:8786) whose workers do the jobs; they must see the same files.
        stores: where preprocessed data is kept.
        runs: where runs are written.
    """

    paper: Annotated[Literal[PAPERS], tyro.conf.Positional]  # type: ignore[valid-type]
    data: Path | None = None
    preset: Literal["smoke", "demo", "full"] = "demo"
    follow: tuple[Literal["code", "paper", "sound", "all"], ...] = ("all",)
    seeds: tuple[int, ...] = (0,)
    null: bool = False
    effects: bool = False
    fresh: bool = False
    accept_code: bool = False
    jobs: int = 1
    dask: str | None = None
    stores: Path = Path("data/stores")
    runs: Path = Path("runs")


@dataclass(frozen=True)
class Plan:
    """One run to make: a mode, what is typed or is the effect measured, a seed, a data set where there are several."""

    follow: str
    overrides: dict
    seed: int
    data_set: str | None

    def __hash__(self) -> int:
        return hash(str(self))

    def __str__(self) -> str:
        changed = "".join(f", {name} {value}" for name, value in self.overrides.items())
        return f"{self.follow} seed {self.seed}{f', {self.data_set}' if self.data_set else ''}{changed}"


def main(arguments: list[str] | None = None) -> int:
    """Parse options, run every mode and seed, write the report.

    Returns: 0 if all went through, 1 if a run failed or waits (for --fresh, --accept-code or another process): the
        others went on.

    Raises:
        SystemExit: with 2 for options that cannot be, with 130 or 143 where Ctrl-C or SIGTERM stopped it.
    """
    arguments = sys.argv[1:] if arguments is None else [str(word) for word in arguments]
    paper = next((word for word in arguments if word in PAPERS), None)
    if paper is None:
        command.parse(Options, __doc__, arguments)
    settings = importlib.import_module(f"papers.{paper}.config")
    options, plans = parse(settings, arguments)
    modes = ", ".join(dict.fromkeys(plan.follow for plan in plans))
    print(f"{settings.TITLE}: {modes}; preset {options.preset}; seeds {' '.join(map(str, options.seeds))}; "
          + (f"data {options.data}" if options.data else "no DATA given, so on the built-in demo corpus (synthetic)"),
          flush=True)
    failures, began = Failures(paper), time.monotonic()
    at_once = options.jobs or jobs.allowed()
    with process.stopping():
        if at_once > 1 or options.dask:
            with process.one_line_errors():
                side_by_side(options, settings, plans, at_once, failures)
        else:
            for plan in plans:
                with failures.of(plan):
                    reproduce(options, settings, plan)
        if locks.is_chief():
            with process.one_line_errors(), contextlib.suppress(FileNotFoundError):
                from common import report

                print(f"Report: {report.write_report(options.runs)}")
            if not failures.plans and not options.null:
                print(more_seeds(options.seeds, time.monotonic() - began, at_once), end="", flush=True)
    if len(failures.plans) > 1:
        print(f"failed: {'; '.join(failures.plans)}", file=sys.stderr)
    return int(bool(failures.plans))


def more_seeds(seeds: tuple[int, ...], seconds: float, at_once: int) -> str:
    """A last line: what three seeds would add to these, and how long they take where these took so many seconds.

    Nothing where there are three; no time where there was nothing to do.
    """
    missing = [seed for seed in range(3) if seed not in seeds][:max(0, 3 - len(seeds))]
    if not missing:
        return ""
    needed = max(1, round(seconds / len(seeds) * len(missing) / 60))
    return (f"Three seeds would say which findings are seen again that are now seen once: "
            f'SEEDS="{" ".join(map(str, sorted((*seeds, *missing))))}", ' + (
                f"about {needed} minute{'s' * (needed > 1)} more on this machine with JOBS={at_once}\n"
                if seconds > UP_TO_DATE_SECONDS else "make estimate says how long it takes\n"))


class Failures:
    """What failed in a call: each message once, since what is wrong with the data is wrong for every mode."""

    def __init__(self, paper: str):
        self.paper, self.plans, self.messages = paper, [], []

    @contextlib.contextmanager
    def of(self, plan: Plan) -> Iterator[None]:
        """One failing mode does not stop the others; a setting that these data cannot have leaves it out."""
        try:
            yield
        except NotTestable as reason:
            print(f"{self.paper} {plan}: left out: {process.one_line(reason)}", flush=True)
        except Exception as error:  # one failing mode does not stop the others
            if not isinstance(error, process.EXPECTED):
                traceback.print_exc()
            make = " (make: FLAGS=--fresh)" if isinstance(error, StaleError) else ""
            self.add(plan, process.one_line(error) + make)

    def add(self, plan: Plan, message: str) -> None:
        """Note a failure and say it, unless it has been said."""
        if str(plan) not in self.plans:
            self.plans.append(str(plan))
        if message not in self.messages:
            self.messages.append(message)
            print(f"error: {self.paper} {plan}: {message}", file=sys.stderr, flush=True)


def parse(settings: ModuleType, arguments: list[str]) -> tuple[Options, list[Plan]]:
    """The options, and the runs that they ask for.

    What is typed of the paper's settings holds for every mode; each mode has defaults of its own to compare it with.
    """
    (options,), _, _ = scripts.with_settings(settings, (Options,), "paper", __doc__, arguments)
    with process.one_line_errors():
        scripts.check(options.data, options.null, options.seeds)
        jobs.check(options.jobs, options.dask)
        options.check()
    modes = configuration.FOLLOW if "all" in options.follow else tuple(dict.fromkeys(options.follow))
    typed = {mode: scripts.with_settings(settings, (Options,), mode, __doc__, arguments)[2]
             for mode in dict.fromkeys((*modes, "paper"))}
    changes = [(mode, typed[mode]) for mode in modes]
    if options.effects:
        settled = {name: value for name, value in typed["paper"].items() if name != "ablations"}
        changes += [("paper", settled | one) for one in effects(settings)]
    chosen = command.peek(arguments, "data-set", getattr(settings, "DATA_SETS", ()), "")
    found = [chosen] if chosen else data_sets(settings, options.data)
    return options, [Plan(mode, overrides, seed, data_set)
                     for mode, overrides in changes for seed in options.seeds for data_set in found]


def data_sets(settings: ModuleType, data: Path | None) -> list[str | None]:
    """The data sets that a paper with several (Config.data_set) is run on, one run each; [None] for the others.

    Without `data` those that have a demo corpus, with it those that are there; if none is, the first, whose reader then
    says what it wants.
    """
    if not hasattr(settings.Config, "data_set"):
        return [None]
    from common import corpora

    if data is None:
        return [name for name in settings.DATA_SETS if name != "folder"]
    found = {name for name, _ in corpora.recognise(data)} if data.is_dir() else ()
    return [name for name in settings.DATA_SETS if name in found] or [settings.DATA_SETS[0]]


def effects(settings: ModuleType) -> list[dict]:
    """The overrides that measure each divergence that decides a claim: one away from the paper at a time.

    To the values it names, or else to the program's, or else to that of the sound experiment.
    """
    return [{one.field: value} for one in settings.DIVERGENCES if one.decides
            for value in one.effects or (one.code if one.code != one.paper else one.sound,)]


def opened(options: Options, settings: ModuleType, plan: Plan) -> tuple:
    """(config, store, run) of one run, its data preprocessed."""
    config = configuration.resolve(settings, plan.follow, options.preset, plan.overrides)
    if plan.data_set:
        config = dataclasses.replace(config, data_set=plan.data_set)
    preprocess = importlib.import_module(f"papers.{settings.PAPER}.preprocess")
    store = preprocess.preprocess(config, options.data, options.preset, options.stores, null=options.null)
    return config, store, record.open_run(settings, config, store, plan.follow, options.preset, plan.seed,
                                          plan.overrides, options.runs, options)


def reproduce(options: Options, settings: ModuleType, plan: Plan) -> None:
    """One run, from the corpus to results.json."""
    config, store, run = opened(options, settings, plan)
    with run.lock("training"):
        if run.is_done(store):
            print(f"{run.directory}: up to date", flush=True)
            return
        run.settle(store, options.fresh, options.accept_code)
        began = time.monotonic()
        process.quiet_tensorflow()
        train = importlib.import_module(f"papers.{settings.PAPER}.train")
        evaluate = importlib.import_module(f"papers.{settings.PAPER}.evaluate")
        run.write_config(store)
        with naming(run.directory):
            train.train(config, store, run)
        if not locks.is_chief():
            print(f"{run.directory}: trained; the chief evaluates", flush=True)
            return
        with run.lock("evaluation"):
            evaluate.evaluate(config, store, run)
    print(f"{run.directory}: done in {time.monotonic() - began:.0f} s", flush=True)


def side_by_side(options: Options, settings: ModuleType, plans: list[Plan], at_once: int, failures: Failures) -> None:
    """All runs, their trainings and then their evaluations side by side in processes of their own."""
    waiting = {}
    for plan in plans:
        with failures.of(plan):
            config, store, run = opened(options, settings, plan)
            with run.lock("training"):
                if run.is_done(store):
                    print(f"{run.directory}: up to date", flush=True)
                    continue
                run.settle(store, options.fresh, options.accept_code)
                run.write_config(store)
            waiting[plan] = (config, type(store)(store.directory.resolve()), run)
    for ended in jobs.walk(waiting, at_once, options.dask):
        if ended.problem:
            failures.add(ended.job.key, ended.problem)
        else:
            print(f"{ended.job.label}: done in {ended.seconds:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
