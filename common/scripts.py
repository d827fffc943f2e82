"""What every paper's scripts do around their own functions: options, the paper's settings as flags, what to type next.

No TensorFlow until it is needed.
"""

import dataclasses
import os
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Literal

from common import command, config as configuration, process, record, sizes
from common.errors import DataError, StaleError
from common.files import naming
from common.machine import PLAIN, Machine


@dataclass(frozen=True)
class Options:
    """Options that every script shares.

    Attributes:
        follow: which description to follow: the program's code, the paper's text, or the sound experiment.
        preset: sizes and steps: smoke (a minute), demo (minutes), full (the paper's).
        seed: seed of weights, data order and noise.
        data: a data set, or a folder with several; without it the built-in demo corpus is used.
        null: use the demo corpus with shuffled labels.
        stores: where preprocessed data is kept.
        runs: where runs are written.
    """

    follow: Literal["code", "paper", "sound"] = "paper"
    preset: Literal["smoke", "demo", "full"] = "demo"
    seed: int = 0
    data: Path | None = None
    null: bool = False
    stores: Path = Path("data/stores")
    runs: Path = Path("runs")


@dataclass(frozen=True)
class TrainOptions(Machine):
    """Options of a training script.

    Attributes:
        model: train only this model (see --list); without it all.
        list: print one command per model of this mode and seed, for a job array, and stop.
        estimate: time a few steps of each model, print hours, memory and disk, and stop; `make estimate` does for all.
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


def parse(settings: ModuleType, description: str, extra: type | None = None,
          arguments: list[str] | None = None) -> tuple:
    """Options, Config and overrides from the command line.

    Args:
        settings: the paper's config module.
        extra: a dataclass of the script's own options, None if it has none.

    Returns: (options, config, overrides, extra instance or None).

    Raises:
        SystemExit: 2 after one line for options that cannot be.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    follow = command.peek(arguments, "follow", configuration.FOLLOW, "paper")
    kinds = (Options, extra) if extra else (Options,)
    (options, *rest), config, overrides = with_settings(settings, kinds, follow, description, arguments)
    with process.one_line_errors():
        check(options.data, options.null, (options.seed,))
        if isinstance(rest[0] if rest else None, Machine):
            rest[0].check()
    return options, config, overrides, rest[0] if rest else None


def with_settings(settings: ModuleType, kinds: tuple[type, ...], follow: str, description: str,
                  arguments: list[str]) -> tuple:
    """Instances of the dataclasses `kinds`, the Config and what was typed of it: {field: value}.

    The defaults of the Config, which `--help` shows, are those of mode `follow` and of the `--preset` in `arguments`.
    """
    base = configuration.resolve(settings, follow, command.peek(arguments, "preset", configuration.PRESETS, "demo"))
    fields = [(f"part_{i}", Annotated[kind, command.FLAT]) for i, kind in enumerate(kinds)]
    fields.append(("config", Annotated[settings.Config, command.FLAT], dataclasses.field(default=base)))  # type: ignore[arg-type]
    parsed = command.parse(dataclasses.make_dataclass("Arguments", fields, frozen=True), description, arguments)
    config = parsed.config
    with process.one_line_errors():
        sizes.check(settings, config)
    overrides = {f.name: getattr(config, f.name) for f in dataclasses.fields(config)
                 if getattr(config, f.name) != getattr(base, f.name) and f.name != "data_set"}  # which data, not how
    return [getattr(parsed, f"part_{i}") for i in range(len(kinds))], config, overrides


def check(data: Path | None, null: bool, seeds: tuple[int, ...]) -> None:
    """What can be told to be wrong before anything is done.

    Raises:
        DataError: no such data, or none that may be read; shuffled labels of given data; a negative seed.
    """
    if null and data:
        raise DataError("--null (NULL=1) is the shuffled twin of the demo corpus: leave out --data (DATA=)")
    if data and not data.exists():
        raise DataError(f"{data}: no such file or folder; --data (DATA=) is a data set or a folder with several, see "
                        "data/README.md")
    if data and not os.access(data, os.R_OK | (os.X_OK if data.is_dir() else 0)):
        raise DataError(f"{data}: no permission to read it; change its permissions or name another folder")
    if not seeds or min(seeds) < 0:
        raise DataError(f"--seeds (SEEDS=) {' '.join(map(str, seeds))}: name one or more whole numbers from 0 up")


def words(options: Options, overrides: dict, config: Any = None, machine: Machine = PLAIN) -> str:
    """The options and settings as they would be typed, defaults left out: for the next command that a script names."""
    typed = []
    for of, fields in ((options, dataclasses.fields(options)), (machine, dataclasses.fields(Machine))):
        for field in fields:
            if getattr(of, field.name) != field.default:
                typed += _typed(field.name, getattr(of, field.name))
    if config is not None and hasattr(config, "data_set") and config.data_set != type(config)().data_set:
        typed += _typed("data_set", config.data_set)
    for name, value in overrides.items():
        typed += _typed(name, value)
    return "".join(f" {shlex.quote(word)}" for word in typed)


def _typed(name, value) -> list[str]:
    name = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{name}" if value else f"--no-{name}"]
    return [f"--{name}", *map(str, value if isinstance(value, tuple | list) else (value,))]


def training_options(settings: ModuleType, description: str) -> tuple:
    """Parse a training script's options, then load TensorFlow; (options, config, overrides, TrainOptions)."""
    parsed = parse(settings, description, TrainOptions)
    process.quiet_tensorflow()
    return parsed


def evaluation_options(settings: ModuleType, description: str) -> tuple:
    """Parse an evaluation script's options, then load TensorFlow; (options, config, overrides, EvaluateOptions)."""
    parsed = parse(settings, description, EvaluateOptions)
    process.quiet_tensorflow()
    return parsed


def _open(parsed, settings, preprocess):
    options, config, overrides, extra = parsed
    store = preprocess.preprocess(config, options.data, options.preset, options.stores, null=options.null)
    run = record.open_run(settings, config, store, options.follow, options.preset, options.seed, overrides,
                          options.runs, extra if isinstance(extra, Machine) else None)
    return config, store, run


def run_training(parsed: tuple, settings: ModuleType, preprocess: ModuleType, jobs: Callable) -> None:
    """The body of a training script; `jobs(config)` is {name: (Model, config)} in training order."""
    from common import hours, timing, training

    options, config, overrides, extra = parsed
    names, typed = list(jobs(config)), words(options, overrides, config, extra)
    if extra.list:
        for name in names:
            print(f"python -m papers.{settings.PAPER}.train{typed} --model {name}")
        return
    if extra.model not in (None, *names):
        print(f"error: --model {extra.model}: choose one of {', '.join(names)}", file=sys.stderr)
        raise SystemExit(2)
    with process.one_line_errors():
        training.choose_strategy()  # before anything else touches TensorFlow
        config, store, run = _open(parsed, settings, preprocess)
        if extra.estimate:
            timer = timing.Timer()
            for name, (model, changed) in jobs(config).items():
                if extra.model in (None, name):
                    print(hours.said(timer.rows(name, model, changed, store, options.seed)), flush=True)
            if extra.model is None:
                hours.say_evaluation(settings.PAPER, config, store)
            return
        with run.lock("training", shared=True):  # a job array trains its models side by side
            run.settle(store, extra.fresh, extra.accept_code, extra.model)
            run.write_config(store)
            with naming(run.directory):
                training.train_all(jobs(config), store, run, extra.model)
    left = [name for name in names if not _ended(training.outcome(run.model_directory(name)))]
    script, typed = ("train", typed) if left else ("evaluate", words(options, overrides, config))
    print(f"{run.directory}: trained{f', {len(left)} of {len(names)} models are left' if left else ''}. "
          f"Next: python -m papers.{settings.PAPER}.{script}{typed}")


def _ended(outcome) -> bool:
    return bool(outcome and (outcome.complete or outcome.diverged))


def run_evaluation(parsed: tuple, settings: ModuleType, preprocess: ModuleType, evaluate: Callable) -> None:
    """The body of an evaluation script; `evaluate(config, store, run, partial)` writes results.json."""
    with process.one_line_errors():
        config, store, run = _open(parsed, settings, preprocess)
        if not (run.directory / "config.json").exists():
            raise FileNotFoundError(f"{run.directory}: not trained yet; first: python -m papers.{settings.PAPER}.train"
                                    + words(parsed[0], parsed[2], config))
        with run.lock("evaluation"):
            try:
                run.settle(store)
            except StaleError as error:
                raise StaleError(f"{error}: python -m papers.{settings.PAPER}.train"
                                 + words(parsed[0], parsed[2], config)) from None
            evaluate(config, store, run, parsed[3].partial)
    print(f"{run.directory / 'results.json'}: written. Next: make report")


def open_tool(settings: ModuleType, directory: Path | None, runs: Path, needs_store: bool = True) -> tuple:
    """(run, store) of the given run or of the first that `record.of_use` finds; says what it was trained on.

    Without `needs_store` the store may be gone. Loads TensorFlow. Raises FileNotFoundError with the command that makes
    one where there is no run.
    """
    run, store, sentence = record.for_tool(settings, directory, runs, needs_store)
    print(sentence, file=sys.stderr)
    process.quiet_tensorflow()
    return run, store


def told(problems: list[str], asked: int) -> int:
    """Say on stderr what could not be done; the exit code is 0 if all was, 1 if a part, 2 if nothing of it."""
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    return 0 if not problems else 2 if len(problems) == asked else 1


def existing(paths: list[Path]) -> list[Path]:
    """The files a tool was given; raises FileNotFoundError naming the first that is not there."""
    for path in paths:
        if not Path(path).exists():
            raise FileNotFoundError(f"{path}: no such file")
    return paths
