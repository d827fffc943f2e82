"""What findings are made with: means over a clip's transfers, and how far they exceed the best control. Pure."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from common.findings import NotTestable, by_group
from papers.lord_transfer.controls import BLIND, PICTURES, SOURCE, STEADY
from papers.lord_transfer.heard import Heard
from papers.lord_transfer.measures import Evaluation, Measured

UNTRAINED = "untrained encoder"
WITHOUT_NOTES = (*BLIND, "random frames", STEADY, UNTRAINED)  # what cannot keep a melody
NO_NETWORK = (*PICTURES, *SOURCE, STEADY)  # but not a real clip of the target: the ceiling of being heard as it
EVERY = (*BLIND, *SOURCE, STEADY, UNTRAINED)


def listened(model: Measured) -> Heard:
    """What the classifier heard; NotTestable where it cannot tell real clips apart."""
    if model.heard.deaf:
        raise NotTestable(model.heard.deaf)
    return model.heard


def per_clip(values: np.ndarray, heard: Heard) -> np.ndarray:
    """(n,) mean of (targets, n) values over the targets that are another class than the clip's own."""
    return np.where(heard.others, values, 0).sum(axis=0) / heard.others.sum(axis=0)


def to_own_class(values: np.ndarray, heard: Heard) -> np.ndarray:
    """(n,) of (targets, n) values those of each clip given its own class again."""
    return values[heard.classes, np.arange(heard.clips)]


def above_identity(heard: Heard) -> np.ndarray:
    """(n,) of each clip, the share of its transfers heard as the target minus that of its identity outputs so heard."""
    wrong = (heard.own != heard.classes) / (len(heard.labels) - 1)
    return per_clip(heard.hits, heard) - wrong


def best_of(controls: dict[str, np.ndarray]) -> str:
    """The name of the control with the largest mean."""
    means = {name: float(np.mean(values)) for name, values in controls.items()}
    return max(means, key=means.get)


def exceeds(own: np.ndarray, controls: dict[str, Any], groups: Sequence | np.ndarray, **baselines: float) -> dict:
    """The entry of own (n,) minus the best of controls {name: (n,)}, clip by clip, over recordings.

    The best is chosen on the same clips, which favours the controls.
    """
    own = np.asarray(own, float)
    kept = np.isfinite(own)
    if not kept.any():
        raise NotTestable("every class has one held-out clip: there is no rival to compare with")
    controls = {name: np.broadcast_to(values, own.shape)[kept] for name, values in controls.items()}
    best = best_of(controls)
    return by_group(own[kept] - controls[best], np.asarray(groups)[kept], "recordings", {
        "own": float(own[kept].mean()), **{name: float(values.mean()) for name, values in controls.items()},
        **{name: float(value) for name, value in baselines.items()}})


def judged_excess(model: Measured, what: str, names: Sequence[str], floor: float, **baselines: float) -> dict:
    """exceeds() of a measure of Judged, over a clip's transfers to other classes; `floor` is what chance gives."""
    heard = model.heard
    values = {name: per_clip(getattr(model.judged[name], what), heard) for name in ("transfers", *names)}
    return exceeds(values.pop("transfers"), {"chance": floor} | values, heard.groups, **baselines)


def mean_of(model: Measured, what: str, name: str) -> float:
    """Mean of a measure of Judged over all transfers to other classes of one answer."""
    return float(np.nanmean(per_clip(getattr(model.judged[name], what), model.heard)))


def worst_direction(run: Evaluation, directions: list[tuple[int, int]]) -> dict:
    """The least of (source, target) directions, of the mean joint measure above that of the best control."""
    heard, found = listened(run.first), []
    for source, number in directions:
        mine = heard.classes == source
        own = {name: run.first.judged[name].joint[number, mine] for name in ("transfers", *EVERY)}
        reached = own.pop("transfers").mean()
        found.append(reached - max(0.0, np.mean(own[best_of(own)])))
    return {"value": float(min(found)), "n": heard.clips, "of": "clips",
            "baselines": {"mean_direction": float(np.mean(found))}}


def standard_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks with mean 0 and variance 1 (0 for equal values): the mean of a product of two is Spearman's correlation."""
    from scipy.stats import rankdata

    ranks = rankdata(values)
    return (ranks - ranks.mean()) / max(ranks.std(), 1e-12)
