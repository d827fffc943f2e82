"""What every paper's train and evaluate script does around its own functions. No TensorFlow until it is needed."""

import sys
from dataclasses import dataclass
from pathlib import Path

from common import config as configuration, record
from common.errors import EncoreError

EXPECTED = (EncoreError, FileNotFoundError)


@dataclass(frozen=True)
class TrainOptions:
    """Options of a training script.

    Attributes:
        model: train only this model (see --list); without it all.
        list: print one command per model, mode and seed, for a job array, and stop.
        estimate: time twenty steps of each model and print hours, memory and disk, and stop.
        fresh: start over what other code, settings, data or packages trained; the rest is left as it is.
        accept_code: go on with trainings that other code began; it is recorded, and verdicts are withheld.
    """

    model: str | None = None
    list: bool = False
    estimate: bool = False
    fresh: bool = False
    accept_code: bool = False


@dataclass(frozen=True)
class EvaluateOptions:
    """Options of an evaluation script.

    Attributes:
        partial: evaluate the last checkpoints of a training that has not ended.
    """

    partial: bool = False


def training_options(settings, description: str):
    """Parse a training script's options, then load TensorFlow; (options, config, overrides, TrainOptions)."""
    parsed = configuration.parse(settings, description, TrainOptions)
    configuration.quiet_tensorflow()
    return parsed


def evaluation_options(settings, description: str):
    """Parse an evaluation script's options, then load TensorFlow; (options, config, overrides, EvaluateOptions)."""
    parsed = configuration.parse(settings, description, EvaluateOptions)
    configuration.quiet_tensorflow()
    return parsed


def _open(parsed, settings, preprocess):
    options, config, overrides, _ = parsed
    store = preprocess.preprocess(config, options.data, options.preset, options.stores, null=options.null)
    run = record.open_run(settings, config, store, options.follow, options.preset, options.seed, overrides,
                          options.runs)
    return config, store, run


def run_training(parsed, settings, preprocess, jobs):
    """The body of a training script; `jobs(config)` is {name: (Model, config)} in training order."""
    from common import training

    options, config, _, extra = parsed
    names = list(jobs(config))
    if extra.list:
        words = [word for word in sys.argv[1:] if word not in ("--list", "--fresh", "--accept-code")]
        for name in names:
            print(" ".join([f"python -m papers.{settings.PAPER}.train", *words, "--model", name]))
        return
    if extra.model not in (None, *names):
        print(f"error: --model {extra.model}: choose one of {', '.join(names)}", file=sys.stderr)
        raise SystemExit(2)
    with configuration.one_line_errors(*EXPECTED):
        strategy = training.choose_strategy()
        config, store, run = _open(parsed, settings, preprocess)
        if extra.estimate:
            for name, (model, changed) in jobs(config).items():
                if extra.model in (None, name):
                    found = training.estimate(name, model, changed, store, options.seed)
                    print(f"{name}: {found['hours']:.2f} h, {found['parameters']:,} parameters, checkpoints "
                          f"{2 * found['checkpoint_megabytes']:.0f} MB, peak memory {found['peak_megabytes']:.0f} MB")
            return
        if strategy.cluster_resolver is None or strategy.cluster_resolver.task_id == 0:
            run.settle(store, extra.fresh, extra.accept_code)
            run.write_config(store)
        training.train_all(jobs(config), store, run, extra.model)
    print(f"{run.directory}: trained. Next: python -m papers.{settings.PAPER}.evaluate {' '.join(sys.argv[1:])}")


def run_evaluation(parsed, settings, preprocess, evaluate):
    """The body of an evaluation script; `evaluate(config, store, run, partial)` writes results.json."""

    with configuration.one_line_errors(*EXPECTED):
        config, store, run = _open(parsed, settings, preprocess)
        if not (run.directory / "config.json").exists():
            raise FileNotFoundError(f"{run.directory}: not trained yet; first: python -m papers.{settings.PAPER}.train "
                                    + " ".join(sys.argv[1:]))
        run.settle(store)
        evaluate(config, store, run, parsed[3].partial)
    print(f"{run.directory / 'results.json'}: written. Next: make report")


def existing(paths: list[Path]) -> list[Path]:
    """The files a tool was given; raises FileNotFoundError naming the first that is not there."""
    for path in paths:
        if not Path(path).exists():
            raise FileNotFoundError(f"{path}: no such file")
    return paths
