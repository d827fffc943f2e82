"""The same questions to any features of pieces: class by logistic regression, loudness, tempo and register by ridge.

Every piece is asked about once, by a probe that has met no piece of its group: the groups of each class are dealt into
folds. The strength of ridge is chosen inside the other folds, by groups too. R² is against the mean of the pieces that
the probe learnt from; it is a mean over groups, each weighted by its squared distance from that mean, so that the
interval of `common.intervals` applies as to an accuracy, where the weights are worth eight equal groups. The interval
is of other test groups; it knows nothing of another training, of the network or of the probe.
"""

import warnings
from collections.abc import Sequence

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GroupKFold

from common import intervals, probes, splits
from common.across.corpus import Plain
from common.errors import DataError

FOLDS = 5
STRENGTHS = np.logspace(-3, 5, 9)


def folds(labels: np.ndarray, groups: np.ndarray, count: int = FOLDS) -> list[dict[str, np.ndarray]]:
    """[{"train", "test"}: rows], the groups of each class dealt out; each row is in one test.

    Raises:
        DataError: fewer than two classes, or a class of one group.
    """
    names = np.unique(labels)
    fewest = splits.fewest_groups(labels, groups)
    if len(names) < 2 or fewest < 2:
        alone = next((str(name) for name in names if len(np.unique(groups[labels == name])) < 2), "")
        raise DataError(f"class {alone}: one group; a probe needs two, one to learn from and one to be asked about"
                        if alone else "one class only; probes need two")
    parts, random = {f"{k}": 1 / min(count, fewest) for k in range(min(count, fewest))}, np.random.default_rng(0)
    dealt = splits.joined([splits.deal(np.flatnonzero(labels == name), groups, parts, random) for name in names])
    return [{"test": test, "train": np.setdiff1d(np.arange(len(labels)), test)} for test in dealt.values()]


def refuse_leak(divided: list[dict[str, np.ndarray]], groups: np.ndarray) -> None:
    """Raises DataError where a group is on both sides of a fold."""
    for fold in divided:
        if leaked := np.intersect1d(groups[fold["test"]], groups[fold["train"]]).tolist():
            raise DataError(f"{leaked[0]} is on both sides of a split: such a probe would be asked what it was told")


def ask(features: Sequence[np.ndarray] | None, labels: np.ndarray, targets: dict[str, np.ndarray], groups: np.ndarray,
        divided: list[dict[str, np.ndarray]]) -> dict[str, dict]:
    """What a probe finds in features: {"class" and each target: {"value", "low", "high", "groups"} or {"why"}}.

    Args:
        features: for each fold (pieces, size); None asks what can be said without any: the commonest class, the mean.
        targets: {name: (pieces,)}.
        groups: (pieces,), on one side of each of the folds `divided` (`folds`).

    Low and high are None where groups are worth fewer than eight equal ones; "why" says that a target is the same for
    every piece.
    Raises DataError where a fold leaks.
    """
    refuse_leak(divided, groups)
    right = np.zeros(len(labels))
    errors, spreads = ({name: np.zeros(len(labels)) for name in targets} for _ in range(2))
    for number, fold in enumerate(divided):
        train, test = fold["train"], fold["test"]
        x = None if features is None else features[number]
        right[test] = _classes(x, labels, train, test) == labels[test]
        for name, values in targets.items():
            middle = values[train].mean()
            said = middle if x is None else _ridge(x, values, groups, train, test)
            errors[name][test], spreads[name][test] = (values[test] - said) ** 2, (values[test] - middle) ** 2
    found = {"class": by_group(right, np.ones(len(right)), groups)}
    for name, values in targets.items():
        found[name] = by_group(spreads[name] - errors[name], spreads[name], groups) if np.ptp(values) > 0 else {
            "why": "the same for every piece"}
    return found


def by_group(parts: np.ndarray, weights: np.ndarray, groups: np.ndarray) -> dict:
    """sum(parts) / sum(weights) over pieces with its 95 % interval over groups: {"value", "low", "high", "groups"}."""
    names, code = np.unique(groups, return_inverse=True)
    above, below = np.bincount(code, parts), np.bincount(code, weights)
    values = np.divide(above, below, out=np.zeros(len(names)), where=below > 0)
    entry, low, high = {"names": names.tolist(), "values": values.tolist(), "weights": below.tolist()}, None, None
    if below.sum() ** 2 >= intervals.FEWEST_GROUPS * (below**2).sum():  # equal groups that the weights are worth (Kish)
        low, high = intervals.of_groups([entry])
    return {"value": float(above.sum() / below.sum()), "low": low, "high": high, "groups": len(names)}


def _classes(x, labels, train, test):
    if x is None:
        names, counts = np.unique(labels[train], return_counts=True)
        return np.full(len(test), names[counts.argmax()])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return probes.logistic(x[train], labels[train]).predict(x[test])


def _ridge(x, values, groups, train, test):
    inside = GroupKFold(min(FOLDS, len(np.unique(groups[train]))))
    parts = list(inside.split(train, groups=groups[train]))
    middle = x[train].mean(axis=0)
    scale = np.sqrt(np.mean((x[train] - middle) ** 2)) or 1.0  # one for all: small components stay small
    probe = RidgeCV(STRENGTHS, cv=parts, scoring="neg_mean_squared_error")
    return probe.fit((x[train] - middle) / scale, values[train]).predict((x[test] - middle) / scale)


def components(plain: Plain, divided: list[dict[str, np.ndarray]], most: int) -> list[np.ndarray]:
    """For each fold the first `most` principal components, or as many as there are, of each piece's mean clip.

    Only clips of the fold's training pieces make the axes.

    Returns: [(pieces, components)]. The first columns are those of fewer components.
    """
    found = []
    for fold in divided:
        train = plain.clips[np.isin(plain.pieces, fold["train"])]
        found.append(probes.principal_components(train, plain.means, min(most, *train.shape))[0])
    return found
