"""How chunks are divided into training, validation and test: the report's ways, and one without leaks.

Rows are in the order of the store: tracks in a fixed order without meaning (`preprocess.listing_order`, for the
program's unsorted directory listing, which cannot be repeated), then place in the track.
Every function returns {"train", "validation", "test"} of index arrays.
"""

from collections.abc import Sequence

import numpy as np

from common.splits import deal

CLASSICAL_ROWS = 12_000  # 10,000 + 2,000
DEEP_TRAIN, DEEP_ALL = 35_000, 43_320


def leaky(count: int, labels: np.ndarray | None = None, splits: Sequence[str] | np.ndarray | None = None,
          seed: int = 0) -> dict[str, np.ndarray]:
    """S1: 70/30 at random over the first 10,000 chunks, so that a track lies on both sides. Support 3000, the SVM's."""
    rows = np.random.default_rng(seed).permutation(min(count, CLASSICAL_ROWS) * 10 // 12)
    cut = len(rows) * 7 // 10
    return _with_validation(rows[:cut], np.sort(rows[cut:]))


def contiguous(count: int, labels: np.ndarray | None = None, splits: Sequence[str] | np.ndarray | None = None,
               seed: int = 0) -> dict[str, np.ndarray]:
    """S2: the first 10,000 chunks and the next 2,000; at most one track is cut. Support 2000, the others'."""
    rows = np.arange(min(count, CLASSICAL_ROWS))
    cut = len(rows) * 10 // 12
    return _with_validation(rows[:cut], rows[cut:])


def official(count: int, labels: np.ndarray | None = None, splits: Sequence[str] | np.ndarray | None = None,
             seed: int = 0) -> dict[str, np.ndarray]:
    """S3: all chunks by the data set's own split, which no artist crosses."""
    splits = np.asarray(splits)
    return {ours: np.flatnonzero(splits == theirs) for ours, theirs in
            (("train", "training"), ("validation", "validation"), ("test", "test"))}


CLASSICAL = {"leaky": leaky, "contiguous": contiguous, "official": official}


def deep(protocol: str, count: int, splits: Sequence[str] | np.ndarray | None, seed: int = 0) -> dict[str, np.ndarray]:
    """The networks' split: "contiguous", the first 35,000 of 43,320 rows and the rest (no test set), or "official".

    "leaky" takes as many at random, with chunks of a track on both sides: what S1 would have done to the networks.
    """
    if protocol == "official":
        return official(count, splits=splits)
    rows = np.random.default_rng(seed).permutation(count) if protocol == "leaky" else np.arange(count)
    cut = count * DEEP_TRAIN // DEEP_ALL if count != DEEP_ALL else DEEP_TRAIN
    return {"train": rows[:cut], "validation": np.sort(rows[cut:]), "test": np.arange(0)}


def folds(groups: np.ndarray, labels: np.ndarray, count: int, seed: int = 0) -> list[np.ndarray]:
    """Rows (n,) in `count` parts that cut no group, each with about its share of every label: [row indices].

    A group counts for the label of its first row. Equal divisions give equal folds, whatever the groups are called.
    """
    names, first, code = np.unique(groups, return_index=True, return_inverse=True)
    code, label_of = np.argsort(np.argsort(first))[code], np.asarray(labels)[np.sort(first)]
    parts = [[] for _ in range(count)]
    for turn, label in enumerate(np.unique(label_of)):
        rows = np.flatnonzero(label_of[code] == label)
        turned = [str((k + turn) % count) for k in range(count)]  # remainders do not all go to the first part
        dealt = deal(rows, code, dict.fromkeys(turned, 1 / count), np.random.default_rng([seed, 11, turn]))
        for name, found in dealt.items():
            parts[int(name)].append(found)
    return [np.sort(np.concatenate(found)) for found in parts]


def shared_groups(split: dict[str, np.ndarray], groups: Sequence | np.ndarray) -> float:
    """Share of the test chunks whose group is also in the training part: 0 where nothing leaks."""
    train = {groups[i] for i in split["train"]}
    return float(np.mean([groups[i] in train for i in split["test"]])) if len(split["test"]) else 0.0


def _with_validation(train, test):
    """The last tenth of the training rows also serve where a grid value is to be picked without the test set."""
    cut = len(train) - len(train) // 10
    return {"train": train, "fit": train[:cut], "validation": train[cut:], "test": test}
