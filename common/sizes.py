"""Sizes of a run: which can be, and which are enough to judge a paper by. No TensorFlow.

A paper's `config.py` declares `ENOUGH = {"epochs": 50, "groups": 100}`: sizes, other than those of preset `full`, at
which real data says something about its findings, each with its reason; what is not in it must be as in `full`.
`groups` counts tracks, songs, works or artists of the corpus.
"""

import dataclasses
import math
from types import ModuleType
from typing import Any

from common import config as configuration
from common.errors import SizeError


def named(settings: ModuleType) -> list[str]:
    """The fields of Config that presets set, and those that say how large a batch is."""
    presets = [*settings.PRESETS.values(), *getattr(settings, "PRESETS_BY_MODE", {}).values()]
    fields = [field.name for field in dataclasses.fields(settings.Config)]
    return [name for name in fields if "batch" in name or any(name in preset for preset in presets)]


def check(settings: ModuleType, config: Any, seed: int = 0) -> None:
    """Refuse sizes that train, split or measure nothing, and seeds that are none.

    A count must be 1 or more, unless the paper itself or a preset sets it to 0; a number must be finite and not
    negative, unless the paper's own is; what may be several must not be none.

    Raises:
        SizeError: naming the flag and its value.
    """
    if seed < 0:
        raise SizeError(f"seed {seed}: must be 0 or more")
    own = [configuration.resolve(settings, follow, preset) for follow in configuration.FOLLOW
           for preset in settings.PRESETS]
    for name in named(settings):
        value, allowed = getattr(config, name), [getattr(one, name) for one in own]
        parts, known = (value, [part for one in allowed for part in one]) if isinstance(value, tuple) else (
            (value,), allowed)
        numbers = [part for part in parts if isinstance(part, int | float) and not isinstance(part, bool)]
        least = min([1, *(part for part in known if isinstance(part, int | float))])
        bad = [part for part in numbers if not math.isfinite(part) or part < (least if isinstance(part, int) else min(
            0, least))]
        if bad or (value == () and () not in allowed):
            raise SizeError(f"--{name.replace('_', '-')} {bad[0] if bad else 'of nothing'}: must be {least} or more")


def too_small(settings: ModuleType, run: dict, kind: str = "finding") -> str:
    """Why a run on real data is not judged, or an empty string.

    A number is compared at the paper's own sizes alone; a finding at those or at what the paper declares ENOUGH.

    Args:
        run: results.json, with preset, follow, overrides and facts.
        kind: "number" or "finding".
    """
    enough = getattr(settings, "ENOUGH", {}) if kind == "finding" else {}
    try:
        config = configuration.resolve(settings, run["follow"], run["preset"], run.get("overrides"))
        full = configuration.resolve(settings, run["follow"], "full")
    except (AttributeError, TypeError, ValueError):
        return ""  # the settings changed since: another reason withholds the verdict
    sizes = named(settings)
    for name in [*(one for one in sizes if one in enough), *(one for one in sizes if one not in enough)]:
        value, wanted = getattr(config, name), getattr(full, name)
        if value == wanted or name == "ablations":
            continue
        if name not in enough:
            return f"too small a run: {name} is {value}, the paper's is {wanted}"
        least = min(enough[name], wanted or enough[name])  # where the paper's is 0, that is all there is
        if value < least:
            return f"too small a run: {name} is {value}, enough is {least}"
    groups = (run.get("facts") or {}).get("groups")
    if "groups" in enough and (groups is None or groups < enough["groups"]):
        return f"too small a run: {groups} groups, enough is {enough['groups']}"
    return ""
