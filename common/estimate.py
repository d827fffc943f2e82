"""How long a call of `make reproduce` would train, and what memory and disk it takes, without training.

`python -m common.estimate softmax_ae --preset full --seeds 0 1 2` is what `make estimate` runs. Every network is built
and makes a few steps: the first ones, which trace, are timed apart; the median of the others counts for all updates,
and a validation pass for all log lines. Networks of equal sizes and steps are timed once. With `--published` the demo
corpus stands for the published one, its rows repeated to the published number; what was timed is written to
papers/<paper>/results/hours.csv, which FINDINGS.md tells. Where a full batch takes too much memory or time,
`--at-most-rows 8` times smaller ones.
"""

import dataclasses
import functools
import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import tyro

from common import (
    command,
    config as configuration,
    hours,
    jobs,
    process,
    provenance,
    record,
    reproduce,
    scripts,
    timing,
)
from common.hours import Row
from common.report import text

LEFT_OUT = ("Not in it: making the corpus ready, evaluation (classifiers that are no networks, told above where they "
            "take long, figures, sounds), and what other processes on the machine take.")


@dataclass(frozen=True)
class Options:
    """Options of the call.

    Attributes:
        paper: which papers; all without a name.
        data: a data set or a folder with several; without it the built-in demo corpus.
        published: the demo corpus stands for the published one, as large as that is; writes results/hours.csv.
        preset: sizes and steps.
        follow: which description to follow, one or several.
        seeds: the seeds of the call.
        at_most_rows: larger batches are timed at this size and at half of it and extended on a straight line; 0: not.
        seconds: for how long a network's steps are timed; ten times as long where that are not three of them.
        stores: where preprocessed data is kept.
    """

    paper: tyro.conf.Positional[tuple[Literal[reproduce.PAPERS], ...]] = ()  # type: ignore[valid-type]
    data: Path | None = None
    published: bool = False
    preset: Literal["smoke", "demo", "full"] = "demo"
    follow: tuple[Literal["code", "paper", "sound", "all"], ...] = ("all",)
    seeds: tuple[int, ...] = (0,)
    at_most_rows: int = 0
    seconds: float = 3.0
    stores: Path = Path("data/stores")


def estimate(options: Options, paper: str) -> list[Row]:
    """Time what a call would train of one paper, mode by mode; one line each on the screen. Raises DataError, …"""
    settings, preprocess, train = (importlib.import_module(f"papers.{paper}.{name}")
                                   for name in ("config", "preprocess", "train"))
    from common import training

    timers: dict[str | None, timing.Timer] = {}
    device, surroundings = training.devices(training.choose_strategy())[0], provenance.surroundings(paper, {})
    found, notes = [], {"device": surroundings["machine"] if device == "CPU" else device, "threads": timing.threads(),
                        "date": datetime.now(UTC).date().isoformat(), "commit": surroundings["commit"]}
    modes = configuration.FOLLOW if "all" in options.follow else options.follow
    for data_set in reproduce.data_sets(settings, options.data):
        for follow in modes:
            config = configuration.resolve(settings, follow, options.preset)
            if data_set:
                config = dataclasses.replace(config, data_set=data_set)
            timer = timers.setdefault(data_set, timing.Timer(options.seconds, options.at_most_rows))
            make = functools.partial(preprocess.preprocess, config, options.data, stores=options.stores)
            if options.published:
                store, timer.small = _as_published(settings, make)
            else:
                store = make(preset=options.preset)
            name = store.parameters["corpus"]["name"]
            wanted = jobs.models(paper, config, follow, options.preset)
            for model, (entry, changed) in train.jobs(config).items():
                if model in wanted:
                    rows = [dataclasses.replace(row, data_set=name, follow=follow, **notes)
                            for row in timer.rows(model, entry, changed, store)]
                    print(f"{paper} {name} {follow} {hours.said(rows)}", flush=True)
                    found += rows
                    training._free()
            hours.say_evaluation(paper, config, store)
    return found


def _as_published(settings: ModuleType, make: Callable) -> tuple[Any, tuple]:
    """The store in the size of the published corpus, and those of one and two demo corpora to time validations on.

    Args:
        make: function of a preset that gives the store of its demo corpus.
    """
    store = make(preset="smoke")
    whole = hours.of_published_size(settings, store)
    if whole is store:
        return make(preset="demo"), ()
    return whole, (store, hours.repeated(store, {kind: 2 * len(rows) for kind, rows in hours.kinds(store).items()}))


def summary(paper: str, rows: list[Row], seeds: int) -> str:
    """Hours, disk and memory of a whole call on one paper, in a sentence or two."""
    one = hours.total(rows)
    disk = sum({(row.data_set, row.follow, row.model): row.checkpoint_megabytes for row in rows}.values())
    return (f"{paper}: {len({(row.data_set, row.follow, row.model) for row in rows})} trainings a seed, "
            f"{text.duration(one)}; {text.plural(seeds, 'seed')}: {text.duration(seeds * one)} of training, one after "
            f"the other, on {rows[0].device} with {text.plural(rows[0].threads, 'thread')}. Checkpoints "
            f"{seeds * disk / 1000:.2g} GB, memory {max(row.peak_megabytes for row in rows) / 1000:.2g} GB.")


def main(arguments: list[str] | None = None) -> int:
    """Time every paper that is asked for; 0, 1 where one of all could not be, 2 after one line for what cannot be."""
    options = command.parse(Options, __doc__, arguments)
    process.quiet_tensorflow()
    everything, problems = 0.0, []
    with process.one_line_errors():
        scripts.check(options.data, False, options.seeds)
        for paper in options.paper or reproduce.PAPERS:
            try:
                rows = estimate(options, paper)
            except process.EXPECTED as error:
                if options.paper:
                    raise
                problems.append(f"error: {paper}: {process.one_line(error)}")  # the data may be another paper's
                print(problems[-1], file=sys.stderr, flush=True)
                continue
            everything += len(options.seeds) * hours.total(rows)
            print(summary(paper, rows, len(options.seeds)), flush=True)
            if options.published:
                path = record.ROOT / "papers" / paper / "results" / hours.FILE
                hours.write(path, rows)
                print(f"{path}: written. Next: python -m common.report readme", flush=True)
    print(f"In all {text.duration(everything)} of training. {LEFT_OUT}")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
