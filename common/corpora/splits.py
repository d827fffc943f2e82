"""Splits that keep a track, song, work or artist on one side, and the split in time for classes of a single group."""

import numpy as np


def by_group(groups: list[str], labels: list[str], shares: dict[str, float], seed: int = 0) -> dict[str, np.ndarray]:
    """Row numbers of each part, whole groups at a time, every label divided in (about) the same shares.

    Args:
        groups, labels: one per row. A group goes with the label of its first row.
        shares: name of the part -> share of the groups of each label; the sum is 1. A part with a positive share gets
            at least one group of a label that has as many groups as there are parts.

    Returns: part -> sorted row numbers, int64.
    """
    label_of = {}
    for group, label in zip(groups, labels, strict=True):
        label_of.setdefault(group, label)
    rng = np.random.default_rng([seed, 11])
    part_of = {}
    for label in sorted(set(label_of.values())):
        names = sorted(group for group, its_label in label_of.items() if its_label == label)
        names = [names[place] for place in rng.permutation(len(names))]
        sizes = _sizes(len(names), list(shares.values()))
        for part, size in zip(shares, sizes, strict=True):
            part_of.update(dict.fromkeys(names[:size], part))
            names = names[size:]
    rows = np.arange(len(groups))
    return {part: rows[[part_of[group] == part for group in groups]] for part in shares}


def _sizes(count: int, shares: list[float]) -> list[int]:
    sizes = np.floor(np.array(shares) * count + 1e-9).astype(int)
    order = np.argsort(-(np.array(shares) * count - sizes), kind="stable")
    for place in order[: count - sizes.sum()]:
        sizes[place] += 1
    if count >= len(shares):
        while (sizes[np.array(shares) > 0] == 0).any():
            sizes[np.argmax(sizes)] -= 1
            sizes[np.flatnonzero((sizes == 0) & (np.array(shares) > 0))[0]] += 1
    return sizes.tolist()


def in_time(groups: list[str], shares: dict[str, float], gap: int = 1) -> dict[str, np.ndarray]:
    """Row numbers of each part where every group is cut in time: its first rows to the first part, and so on.

    Rows of a group must follow each other in time. `gap` rows (clips) are left out at every cut.
    """
    parts: dict[str, list[int]] = {part: [] for part in shares}
    for group in dict.fromkeys(groups):
        rows = [row for row, name in enumerate(groups) if name == group]
        start, reached = 0, 0.0
        for part, share in shares.items():
            reached += share
            stop = round(reached * len(rows))
            parts[part] += rows[start + (gap if start else 0) : stop]
            start = stop
    return {part: np.array(sorted(rows), np.int64) for part, rows in parts.items()}
