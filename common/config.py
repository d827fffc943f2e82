"""A paper's settings: divergences between paper, program and sound experiment; presets; flags. No TensorFlow.

A paper's `config.py` holds `Config` (a frozen dataclass, defaults = the paper's), `DIVERGENCES` and `PRESETS`; where a
preset does less in one mode, also `PRESETS_BY_MODE`: (preset, mode) -> fields.
Order of precedence: paper defaults < `--follow` < `--preset` < flags; what is typed wins and is recorded.
"""

import contextlib
import dataclasses
import hashlib
import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Literal

import tyro

FOLLOW = ("code", "paper", "sound")
PRESETS = ("smoke", "demo", "full")


@dataclass(frozen=True)
class Divergence:
    """One setting in which paper, program and sound experiment differ.

    Attributes:
        field: the name of the Config field; `paper`, `code`, `sound`: its values.
        paper_source, code_source: where the value is found; sound_reason: why the sound experiment takes this one.
        decides: ids of the claims that may turn on it (then its effect is measured).
        inferred: the paper is silent or cannot be executed; the paper value is the best reading, shown with a dagger.
    """

    field: str
    paper: Any
    code: Any
    sound: Any
    paper_source: str
    code_source: str = ""
    sound_reason: str = ""
    decides: tuple[str, ...] = ()
    inferred: bool = False


def resolve(settings: ModuleType, follow: str = "paper", preset: str = "full", overrides: dict | None = None):
    """The Config for a mode and a preset, with `overrides` (field -> value) on top.

    Raises:
        ValueError: for an unknown mode, preset or field.
    """
    if follow not in FOLLOW:
        raise ValueError(f"--follow {follow}: choose one of {', '.join(FOLLOW)}")
    if preset not in settings.PRESETS:
        raise ValueError(f"--preset {preset}: choose one of {', '.join(settings.PRESETS)}")
    values = {d.field: getattr(d, follow) for d in settings.DIVERGENCES}
    sizes = settings.PRESETS[preset] | getattr(settings, "PRESETS_BY_MODE", {}).get((preset, follow), {})
    return dataclasses.replace(settings.Config(), **(values | sizes | (overrides or {})))


def covered(settings: ModuleType, follow: str, preset: str, overrides: dict | None = None) -> dict[str, str]:
    """Divergences whose `follow` value a preset or a flag replaces: {field: "preset demo: 64 instead of 1024"}."""
    config, names = resolve(settings, follow, preset, overrides), {}
    for divergence in settings.DIVERGENCES:
        value, wanted = getattr(config, divergence.field), getattr(divergence, follow)
        if value != wanted:
            by = "flag" if divergence.field in (overrides or {}) else f"preset {preset}"
            names[divergence.field] = f"{by}: {value} instead of {wanted}"
    return names


def sha256(value) -> str:
    """SHA-256 of a JSON-able value, of a dataclass or of a file's bytes, in hexadecimal.

    A Config's `data_set` is left out: it says which data, not how, and a run names its corpus anyway.
    """
    if isinstance(value, Path):
        return hashlib.sha256(value.read_bytes()).hexdigest()
    if dataclasses.is_dataclass(value):
        value = {name: part for name, part in dataclasses.asdict(value).items() if name != "data_set"}
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


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


def parse(settings: ModuleType, description: str, extra: type | None = None, arguments: list[str] | None = None):
    """Options, Config and overrides from the command line.

    The defaults shown in `--help` are those of the chosen `--follow` and `--preset`.

    Args:
        settings: the paper's config module.
        extra: a dataclass of the script's own options, None if it has none.

    Returns: (options, config, overrides, extra instance or None).
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    follow, preset = _peek(arguments, "follow", "paper"), _peek(arguments, "preset", "demo")
    try:
        base = resolve(settings, follow, preset)
    except ValueError as error:
        raise SystemExit(f"error: {error}") from None
    flat = {"options": Annotated[Options, tyro.conf.arg(name="")], "config": Annotated[settings.Config,
                                                                                    tyro.conf.arg(name="")]}
    defaults = {"options": Options(), "config": base}
    if extra:
        flat["extra"], defaults["extra"] = Annotated[extra, tyro.conf.arg(name="")], extra()
    fields = [(name, kind, dataclasses.field(default=defaults[name])) for name, kind in flat.items()]
    parsed = tyro.cli(dataclasses.make_dataclass("Arguments", fields, frozen=True), args=arguments,
                      description=description.split("\n\n")[0], prog=_program())
    config = parsed.config
    overrides = {f.name: getattr(config, f.name) for f in dataclasses.fields(config)
                 if getattr(config, f.name) != getattr(base, f.name) and f.name != "data_set"}  # which data, not how
    return parsed.options, config, overrides, getattr(parsed, "extra", None)


def _program() -> str:
    """What the user typed to get here: `python -m papers.<paper>.<script>`."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return f"python -m {spec.name}" if spec else Path(sys.argv[0]).name


def _peek(arguments, name, default):
    for i, word in enumerate(arguments):
        if word == f"--{name}" and i + 1 < len(arguments):
            return arguments[i + 1]
        if word.startswith(f"--{name}="):
            return word.split("=", 1)[1]
    return default


@contextlib.contextmanager
def one_line_errors(*kinds: type[Exception]):
    """In a script's main: an expected error becomes one line on stderr and exit code 2, not a traceback."""
    with contextlib.suppress(AttributeError, ValueError):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        yield
    except kinds as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def quiet_tensorflow():
    """Import TensorFlow without its start-up notes on the screen; TF_CPP_MIN_LOG_LEVEL=0 shows them."""
    if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1" if Path("/dev/nvidiactl").exists() else "3") != "3":
        return
    sys.stderr.flush()
    screen, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)  # the notes are written before any log level is read
    try:
        import tensorflow

        tensorflow.config.list_physical_devices()
        tensorflow.get_logger().setLevel("ERROR")  # notes on retracing, which a batch of another size sets off
    finally:
        os.dup2(screen, 2)
        os.close(screen)
        os.close(nowhere)
