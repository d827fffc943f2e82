"""A paper's settings: divergences between paper, program and sound experiment; presets; flags. No TensorFlow.

A paper's `config.py` holds `Config` (a frozen dataclass, defaults = the paper's), `DIVERGENCES` and `PRESETS`; where a
preset does less in one mode, also `PRESETS_BY_MODE`: (preset, mode) -> fields.
Order of precedence: paper defaults < `--follow` < `--preset` < flags; what is typed wins and is recorded.
"""

import dataclasses
from dataclasses import dataclass
from types import ModuleType
from typing import Any

FOLLOW = ("code", "paper", "sound")
PRESETS = ("smoke", "demo", "full")


@dataclass(frozen=True)
class Divergence:
    """One setting in which paper, program and sound experiment differ.

    Attributes:
        field: the name of the Config field; `paper`, `code`, `sound`: its values.
        paper_source, code_source: where the value is found; sound_reason: why the sound experiment takes this one.
        decides: ids of the claims that may turn on it (then its effect is measured).
        effects: the values whose effect is measured; without them the program's, or else that of the sound experiment.
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
    effects: tuple[Any, ...] = ()


def resolve(settings: ModuleType, follow: str = "paper", preset: str = "full", overrides: dict | None = None) -> Any:
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
