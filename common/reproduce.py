"""Carry one paper through all its steps: corpus, preprocess, train, evaluate, report.

`python -m common.reproduce softmax_ae` is what `make reproduce-softmax_ae` runs. Steps that are done are skipped, so a
second call does nothing; a stopped one goes on where it stopped. All modes run in one process, since TensorFlow takes
seconds to load.
"""

import argparse
import contextlib
import dataclasses
import importlib
import signal
import sys
import time
import traceback
import warnings
from pathlib import Path

from common import config as configuration, record
from common.errors import EncoreError, StaleError


@contextlib.contextmanager
def stopping():
    """Ctrl-C and SIGTERM end the whole call, not the mode at work alone: one line, exit code 130 or 143.

    Processes that preprocess end with it. Training sets handlers of its own meanwhile: it saves first.
    """
    def terminate(number, frame):
        print("stopped; the same command goes on", file=sys.stderr, flush=True)
        raise SystemExit(128 + number)

    warnings.filterwarnings("ignore", message=r"\d+ tasks which were still being processed")  # joblib's, on a stop
    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    except KeyboardInterrupt:
        print("stopped; the same command goes on", file=sys.stderr, flush=True)
        raise SystemExit(130) from None
    finally:
        signal.signal(signal.SIGTERM, before)


def main(arguments: list[str] | None = None) -> int:
    """Parse options, run every mode and seed, write the report.

    Returns: 0 if all went through, 2 where a training waits for --fresh or --accept-code, 1 for any other failure.

    Raises:
        SystemExit: with 2 for options that cannot be, with 130 or 143 where Ctrl-C or SIGTERM stopped it.
    """
    papers = sorted(path.parent.name for path in (record.ROOT / "papers").glob("*/evaluate.py"))
    parser = argparse.ArgumentParser(prog="python -m common.reproduce", description=__doc__.split("\n\n")[0])
    parser.add_argument("paper", choices=papers)
    parser.add_argument("--data", type=Path, help="a data set or a folder with several (default: the demo corpus)")
    parser.add_argument("--preset", choices=configuration.PRESETS, default="demo",
                        help="smoke: a minute; demo: minutes; full: the paper's sizes and steps (default: demo)")
    parser.add_argument("--follow", nargs="+", choices=(*configuration.FOLLOW, "all"), default=["all"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--null", action="store_true", help="the demo corpus with shuffled labels")
    parser.add_argument("--ablations", action="store_true", help="also train the ablations (part of preset full)")
    parser.add_argument("--effects", action="store_true",
                        help="also measure each divergence that decides a claim, one at a time from paper")
    parser.add_argument("--fresh", action="store_true", help="start over what other code, settings or data trained")
    parser.add_argument("--accept-code", action="store_true",
                        help="go on with trainings that other code began; recorded, and verdicts are withheld")
    parser.add_argument("--stores", type=Path, default=Path("data/stores"))
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    options = parser.parse_args(arguments)
    if options.null and options.data:
        parser.error("--null (NULL=1) is the shuffled twin of the demo corpus: leave out --data (DATA=)")
    modes = configuration.FOLLOW if "all" in options.follow else tuple(dict.fromkeys(options.follow))
    settings = importlib.import_module(f"papers.{options.paper}.config")
    print(f"{settings.TITLE}: {', '.join(modes)}; preset {options.preset}; seeds {' '.join(map(str, options.seeds))}; "
          + (f"data {options.data}" if options.data else "no DATA given, so on the built-in demo corpus (synthetic)"),
          flush=True)
    failures, stale = [], False
    plans = [(follow, {}) for follow in modes] + [("paper", one) for one in effects(settings) if options.effects]
    with stopping():
        for follow, overrides in plans:
            for seed in options.seeds:
                for data_set in data_sets(settings, options.data):
                    try:
                        reproduce(options, settings, follow, seed, overrides, data_set)
                    except Exception as error:  # one failing mode does not stop the others
                        if not isinstance(error, EncoreError):
                            traceback.print_exc()
                        stale = stale or isinstance(error, StaleError)
                        failures.append(f"{options.paper} {follow} seed {seed}: {error}")
                        print(f"error: {failures[-1]}", file=sys.stderr, flush=True)
    from common import report

    with contextlib.suppress(FileNotFoundError):
        page = report.write_report(options.runs)
        print(f"Report: {page}")
    for failure in failures:
        print(f"failed: {failure}", file=sys.stderr)
    return (2 if stale else 1) if failures else 0


def data_sets(settings, data: Path | None) -> list[str | None]:
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


def effects(settings) -> list[dict]:
    """One override for each divergence that decides a claim: away from the paper, to the program or else to sound."""
    return [{one.field: one.code if one.code != one.paper else one.sound}
            for one in settings.DIVERGENCES if one.decides]


def reproduce(options, settings, follow: str, seed: int, overrides: dict, data_set: str | None = None) -> None:
    """One mode and seed, from the corpus to results.json."""
    overrides = overrides | ({"ablations": True} if options.ablations and not overrides else {})
    config = configuration.resolve(settings, follow, options.preset, overrides)
    if data_set:
        config = dataclasses.replace(config, data_set=data_set)
    preprocess = importlib.import_module(f"papers.{settings.PAPER}.preprocess")
    store = preprocess.preprocess(config, options.data, options.preset, options.stores, null=options.null)
    run = record.open_run(settings, config, store, follow, options.preset, seed, overrides, options.runs)
    if run.is_done(store):
        print(f"{run.directory}: up to date", flush=True)
        return
    run.settle(store, options.fresh, options.accept_code)
    began = time.monotonic()
    configuration.quiet_tensorflow()
    train = importlib.import_module(f"papers.{settings.PAPER}.train")
    evaluate = importlib.import_module(f"papers.{settings.PAPER}.evaluate")
    run.write_config(store)
    train.train(config, store, run)
    evaluate.evaluate(config, store, run)
    print(f"{run.directory}: done in {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
