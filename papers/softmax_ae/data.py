"""From the store to what the networks see: segments, class codes, the parts of a split, batches. No TensorFlow."""

import functools
from dataclasses import dataclass

import numpy as np

from common import splits
from common.store import Store
from papers.softmax_ae import preprocess
from papers.softmax_ae.config import Config

FEWEST_FOR_SPLIT = 3  # groups a class needs so that train, dev and test each get one


@dataclass(frozen=True)
class Data:
    """Segments as the networks see them: x (n, 500) float32, y (n,) class codes, parts {train, dev, test: indices}."""

    x: np.ndarray
    y: np.ndarray
    tracks: np.ndarray  # (n,) the recording a segment is of: its duplicates, and other clips of it, are the same one
    parts: dict
    note: str
    classes: tuple
    mean: float = 0.0  # what was taken off the amplitudes, and
    deviation: float = 1.0  # what they were divided by

    @property
    def by_track(self) -> bool:
        """Whether no recording lies on both sides of the split."""
        return not set(self.tracks[self.parts["train"]]) & set(self.tracks[self.held])

    @property
    def held(self) -> np.ndarray:
        """Held-out rows: the test part, or the dev part of a split that has no other."""
        return self.parts["test"] if len(self.parts["test"]) else self.parts["dev"]

    @property
    def amplitudes(self) -> np.ndarray:
        """The segments before standardising, (n, 500)."""
        return self.x * self.deviation + self.mean


@functools.lru_cache(maxsize=4)
def load_data(config: Config, store: Store, seed: int) -> Data:
    """The store's segments, split by `config.split`; if standardised, by mean and deviation of the training part."""
    x = np.asarray(store.array(preprocess.array_name(config.pool)))
    parts, note = split(store, config.split, seed)
    mean, deviation = 0.0, 1.0
    if config.standardise:
        mean, deviation = float(x[parts["train"]].mean()), max(float(x[parts["train"]].std()), 1e-8)
        x = (x - mean) / deviation
    tracks = np.array([row["group"] for row in store.index])
    return Data(x, labels(store), tracks, parts, note, tuple(store.parameters["facts"]["classes"]), mean, deviation)


def labels(store: Store) -> np.ndarray:
    """Class codes (n,) of the stored segments."""
    codes = {name: code for code, name in enumerate(store.parameters["facts"]["classes"])}
    return np.array([codes[row["label"]] for row in store.index])


def read_rows(data: Data, rows: np.ndarray, indices: np.ndarray) -> dict:
    """A batch: segments and class codes of `rows[indices]`."""
    return {"x": data.x[rows[indices]], "y": data.y[rows[indices]]}


# Splits (section 3)

def split(store: Store, rule: str, seed: int) -> tuple[dict[str, np.ndarray], str]:
    """Segment indices of train, dev and test, and a note on how they were made ("" if as the rule says).

    P1: shuffled segments, 6/8, 1/8, 1/8 (the paper). P2: shuffled segments, 3/4 and 1/4, no test set (the program).
    T1: tracks, duplicates tied together, 75 / 12.5 / 12.5 % of each class, as near as whole tracks allow.
    T2: published fault-filtered lists (GTZAN).

    Raises:
        DataError: nothing is left for training or for the part that is held out.
        ValueError: another rule.
    """
    parts, note = _parts(store, rule, seed)
    splits.refuse_empty({part: rows for part, rows in parts.items() if part != "test" or rule != "P2"},
                        f"split {rule}", "give more recordings of each class")
    return parts, note


def _parts(store, rule: str, seed: int) -> tuple[dict[str, np.ndarray], str]:
    if rule in ("P1", "P2"):
        return _by_segment(len(store.index), seed, with_test=rule == "P1"), ""
    if rule == "T1":
        return _by_track(store, np.random.default_rng([seed, 2]))
    if rule == "T2":
        return _filtered(store), ""
    raise ValueError(f"split {rule}: choose P1, P2, T1 or T2")


def _by_segment(count: int, seed: int, with_test: bool) -> dict[str, np.ndarray]:
    train, random = round(count * 0.75), np.random.default_rng([seed, 1])
    if with_test:
        return splits.at_random(count, {"train": train, "dev": round(count * 0.125), "test": None}, random)
    return splits.at_random(count, {"train": train, "dev": None}, random) | {"test": np.zeros(0, int)}


def _by_track(store, generator) -> tuple[dict[str, np.ndarray], str]:
    """Whole groups, class by class; a class with too few is split in time, one segment left out between the parts."""
    codes, groups = labels(store), np.array([row["group"] for row in store.index])
    tracks = np.array([row["path"] for row in store.index])
    several, in_time = [], []
    odd = 0  # an odd rest goes to dev and test by turns, so that both end equal
    for code, name in enumerate(store.parameters["facts"]["classes"]):
        rows = np.flatnonzero(codes == code)
        if len(np.unique(groups[rows])) < FEWEST_FOR_SPLIT:
            in_time.append(name)
            sizes = {"train": int(len(rows) * 0.75), "dev": int(len(rows) * 0.125), "test": None}
            several.append(splits.in_time(rows, sizes, gap=1))
            continue
        held_out = max(2, round(len(np.unique(tracks[rows])) * 0.25))
        sizes = {"dev": (held_out + odd % 2) // 2, "test": (held_out + 1 - odd % 2) // 2}
        odd += held_out % 2
        parts = splits.by_group(rows, groups, sizes, generator, units=tracks)
        if not all(map(len, parts.values())):  # recordings of so many clips that none fits: dealt out by their rows
            parts = splits.deal(rows, groups, {"train": 0.75, "dev": 0.125, "test": 0.125}, generator)
        several.append(parts)
    note = ""
    if in_time:
        note = f"fewer than {FEWEST_FOR_SPLIT} tracks of {', '.join(in_time)}: split in time, one segment apart"
    return splits.joined(several), note


def _filtered(store) -> dict[str, np.ndarray]:
    where = preprocess.filtered_tracks()
    published = [where.get(row["path"], "") for row in store.index]
    return splits.official(np.arange(len(published)), published, {part: part for part in ("train", "dev", "test")})
