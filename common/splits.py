"""Which rows train and which test: at random, in time, by the data set's own split, by group. For all papers.

Pure functions: the rows to divide come first (indices into a store's index, in the order that counts), what is random
comes from the generator given (`np.random.Generator` or `RandomState`), the answer is {part: rows}. To divide each
class by itself, call for the rows of one class after another and put the answers together with `joined`.
A group is what no split may cut: a track with its duplicates, a work, an artist.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from common.errors import DataError


def at_random(rows: np.ndarray | int, sizes: dict[str, int | None], random: np.random.Generator | np.random.RandomState,
              ascending: tuple[str, ...] = ()) -> dict[str, np.ndarray]:
    """Rows one by one at random, whatever their group: the parts get `sizes` rows of one permutation in turn.

    Args:
        rows: (n,) indices, or n for all of them.
        sizes: rows of each part; None, for the last part only, is all that is left.
        ascending: parts whose rows are sorted; the others keep the random order.
    """
    parts = in_time(random.permutation(rows), sizes)
    return {part: np.sort(found) if part in ascending else found for part, found in parts.items()}


def in_time(rows: np.ndarray, sizes: dict[str, int | None], gap: int = 0) -> dict[str, np.ndarray]:
    """Rows in their order: the first part takes its size from the beginning, the next goes on `gap` rows later.

    Args:
        rows: (n,) indices in the order of time.
        sizes: rows of each part; None, for the last part only, is all that is left.
        gap: rows left out between two parts, so that they are no neighbours.
    """
    rows, parts, begin = np.asarray(rows, int), {}, 0
    for part, size in sizes.items():
        end = len(rows) if size is None else begin + size
        parts[part] = rows[begin:end]
        begin = end + gap
    return parts


def official(rows: np.ndarray, splits: Sequence[str] | np.ndarray,
             names: dict[str, str | tuple[str, ...]]) -> dict[str, np.ndarray]:
    """Rows by the split that the data set was published with; a row of none of the named splits is in no part.

    Args:
        rows: (n,) indices.
        splits: published split of every row of the store.
        names: the published name, or names, of each part.
    """
    rows = np.asarray(rows, int)
    mine = np.asarray(splits)[rows]
    return {part: rows[np.isin(mine, wanted if isinstance(wanted, tuple) else (wanted,))]
            for part, wanted in names.items()}


def by_group(rows: np.ndarray, groups: Sequence | np.ndarray, sizes: Mapping[str, float],
             random: np.random.Generator | np.random.RandomState, fill: str = "fit",
             units: Sequence | np.ndarray | None = None, rest: str = "train") -> dict[str, np.ndarray]:
    """Whole groups, in random order, to each held-out part in turn; the others train. Every part is ascending.

    Args:
        rows: (n,) indices.
        groups: group of every row of the store.
        sizes: how much each held-out part is to hold, in rows or in `units`.
        fill: "fit" takes every group that fits into the room left; "reach" takes groups until the size is reached or
            passed, "below" while it is not reached: these two at least one, and never the last group of all.
        units: what `sizes` counts (for segments: their track), one for every row of the store; without it each row.
        rest: the name of the part that gets the groups left over.
    """
    rows = np.asarray(rows, int)
    names, code = np.unique(np.asarray(groups)[rows], return_inverse=True)
    counted = rows if units is None else np.asarray(units)[rows]
    weights = np.bincount(np.unique(np.stack([code, np.unique(counted, return_inverse=True)[1]]), axis=1)[0],
                          minlength=len(names))
    order, owner = [int(place) for place in random.permutation(len(names))], {}
    for part, size in sizes.items():
        taken = _fitting(order, weights, size) if fill == "fit" else _leading(order, weights, size, fill == "reach")
        owner |= dict.fromkeys(taken, part)
        order = [place for place in order if place not in owner]
    return _by_owner(rows, code, owner | dict.fromkeys(order, rest), (rest, *sizes))


def _fitting(order, weights, room):
    taken = []
    for place in order:
        if weights[place] <= room:
            taken.append(place)
            room -= weights[place]
    return taken


def _leading(order, weights, size, passing):
    taken, total = [], 0
    for place in order[:-1]:
        if taken and total + (0 if passing else weights[place]) >= size:
            break
        taken.append(place)
        total += weights[place]
    return taken


def deal(rows: np.ndarray, groups: Sequence | np.ndarray, shares: dict[str, float],
         random: np.random.Generator | np.random.RandomState) -> dict[str, np.ndarray]:
    """Whole groups dealt out, each to the part that is furthest below its share of the rows; parts are ascending.

    With at least as many groups as parts none is empty: a part without any is always the furthest below.

    Args:
        rows: (n,) indices.
        groups: group of every row of the store.
        shares: share of the rows that each part is to get.
    """
    rows = np.asarray(rows, int)
    names, code = np.unique(np.asarray(groups)[rows], return_inverse=True)
    weights, filled, owner = np.bincount(code, minlength=len(names)), dict.fromkeys(shares, 0), {}
    for place in random.permutation(len(names)):
        part = min(shares, key=lambda one: filled[one] / (shares[one] * len(rows)))
        owner[int(place)] = part
        filled[part] += weights[place]
    return _by_owner(rows, code, owner, shares)


def _by_owner(rows, code, owner, parts):
    """{part: rows, ascending} of the rows whose group number `code` belongs to it."""
    of = np.array([owner[place] for place in range(len(owner))], dtype=object)
    return {part: np.sort(rows[of[code] == part]) if len(rows) else rows for part in parts}


def joined(several: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """The parts of several classes put together, ascending."""
    return {part: np.sort(np.concatenate([parts[part] for parts in several])) for part in several[0]}


def sample(rows: np.ndarray, count: int, random: np.random.Generator | np.random.RandomState) -> np.ndarray:
    """At most `count` of the rows, drawn without replacement, ascending; `rows` itself where it holds no more."""
    rows = np.asarray(rows)
    return rows if len(rows) <= count else np.sort(random.choice(rows, count, replace=False))


def shared(parts: dict[str, np.ndarray], groups: Sequence | np.ndarray, one: str = "test",
           other: str = "train") -> float:
    """Share of the rows of part `one` whose group is also in `other`: 0 where nothing leaks, and for an empty part."""
    groups = np.asarray(groups)
    return float(np.isin(groups[parts[one]], groups[parts[other]]).mean()) if len(parts[one]) else 0.0


def fewest_groups(labels: Sequence | np.ndarray, groups: Sequence | np.ndarray) -> int:
    """The smallest number of groups that a class has: under 2 no split by group exists."""
    labels, groups = np.asarray(labels), np.asarray(groups)
    return min(len(np.unique(groups[labels == label])) for label in np.unique(labels))


def refuse_empty(parts: dict[str, np.ndarray], where: str, advice: str) -> dict[str, np.ndarray]:
    """The parts, if none is empty. Raises DataError: `where` names the store or folder, `advice` the next step."""
    if empty := [part for part, rows in parts.items() if not len(rows)]:
        raise DataError(f"{where}: nothing is left for {' and '.join(empty)} in this split; {advice}")
    return parts
