"""From the store to parts, batches and the held-out images that are evaluated. No TensorFlow."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from common.store import Store
from papers.fma_interpolation import splits
from papers.fma_interpolation.config import Config

HELD_OUT = 64       # held-out images that reconstructions are measured on
MEAN_OF = 256       # at most so many training images make the mean image
BATCH = 16          # images that go through a network together where nothing is trained


def labels_of(store: Store) -> np.ndarray:
    """Genre code of every row: place in the alphabetical list of labels, (rows,) int32."""
    names = sorted({row["label"] for row in store.index})
    return np.array([names.index(row["label"]) for row in store.index], np.int32)


def reader(store: Store, rows: np.ndarray) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
    """indices -> {"image": (n, bands, frames, 1) float32, "label": (n,)} of `rows`; reads from disk, keeps nothing."""
    labels = labels_of(store)

    def read(indices):
        chosen = rows[np.asarray(indices)]
        return {"image": images_of(store, chosen)[..., None], "label": labels[chosen]}

    return read


def images_of(store: Store, rows: Sequence[int] | np.ndarray) -> np.ndarray:
    """Stored images, (n, bands, frames)."""
    return store.images(rows)


def in_batches(function: Callable, read: Callable[[np.ndarray], dict[str, np.ndarray]], count: int,
               size: int = BATCH) -> list:
    """[function(batch)] over `count` examples in order; the next two batches are read meanwhile."""
    parts = [np.arange(start, min(start + size, count)) for start in range(0, count, size)]
    with ThreadPoolExecutor(2) as readers:
        ahead, found = [readers.submit(read, part) for part in parts[:2]], []
        for place in range(len(parts)):
            batch = ahead.pop(0).result()
            if place + 2 < len(parts):
                ahead.append(readers.submit(read, parts[place + 2]))
            found.append(function(batch))
    return found


def parts(config: Config, store: Store, limit: int, seed: int) -> dict[str, np.ndarray]:
    """Training, validation and test rows of the networks; `limit` > 0 takes that many (a quarter for validation)."""
    split = splits.deep(config.deep_protocol, len(store.index), [row["split"] for row in store.index], seed)
    random = np.random.default_rng(seed)
    return {name: rows if not limit or len(rows) <= size else np.sort(random.choice(rows, size, replace=False))
            for (name, rows), size in zip(split.items(), (limit, max(1, limit // 4), limit // 4), strict=True)}


def held_out(config: Config, store: Store, seed: int, count: int = HELD_OUT) -> np.ndarray:
    """Rows of held-out images: the test part, or the validation part where a mode has no test; at most `count`.

    Two neighbouring images of each track in random order, then two more of each, so that joins can be heard.
    """
    split = parts(config, store, 0, seed)
    rows = split["test"] if len(split["test"]) else split["validation"]
    tracks = {}
    for row in rows:
        tracks.setdefault(store.index[row]["group"], []).append(int(row))
    names = np.random.default_rng(seed).permutation(sorted(tracks))
    longest = max(len(found) for found in tracks.values())
    chosen = [row for start in range(0, longest, 2) for name in names for row in tracks[name][start:start + 2]]
    return np.sort(chosen[:count])


def mean_image(config: Config, store: Store, seed: int) -> np.ndarray:
    """Mean of (at most MEAN_OF) training images: the trivial reconstruction, (bands, frames)."""
    rows = parts(config, store, MEAN_OF, seed)["train"]
    total = np.zeros((config.bands, config.frames))
    for row in rows:
        total += images_of(store, [row])[0]
    return (total / len(rows)).astype(np.float32)


def choose_pairs(config: Config, store: Store, rows: np.ndarray, seed: int) -> list[tuple[int, int]]:
    """Rows (A, B) of different tracks and, with more than one genre, of different genres; drawn, not picked.

    Every track is A once before any is A twice.
    """
    random, index = np.random.default_rng([seed, 5]), store.index
    several, used, pairs = len({index[i]["label"] for i in rows}) > 1, {}, []
    order = [int(row) for row in random.permutation(rows)]
    for row in order:
        used[row] = sum(index[other]["group"] == index[row]["group"] for other in used)
    for a in sorted(order, key=used.get):
        fits = [b for b in rows if index[b]["group"] != index[a]["group"]
                and (not several or index[b]["label"] != index[a]["label"])]
        if fits and len(pairs) < config.pairs:
            pairs.append((a, int(random.choice(fits))))
    return pairs


def neighbours(store: Store, rows: np.ndarray) -> np.ndarray:
    """Places (k, l) in `rows` of images that follow one another in a track, (joins, 2)."""
    place = {(store.index[row]["group"], store.index[row]["offset"]): k for k, row in enumerate(rows)}
    found = [(k, place[group, offset + 1]) for (group, offset), k in place.items() if (group, offset + 1) in place]
    return np.array(found, int).reshape(-1, 2)
