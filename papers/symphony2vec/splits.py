"""Which clips train and which test (section 3.1): one function per reading, and the program's parts of the mel data.

All are pure functions of the clips' order, their composers and works, and a seed. Indices count clips.
"""

from collections.abc import Sequence

import numpy as np

from common import splits


def with_replacement(count: int, train_count: int, seed: int = 17) -> tuple[np.ndarray, np.ndarray]:
    """The program's split: `train_count` draws with replacement; test: whatever was never drawn, in ascending order.

    Train keeps the order of the draws, duplicates included, and about half of the clips end up in test. With 7665
    clips, 5366 draws and seed 17 these are the program's own indices. Returns (train, test).
    """
    train = np.random.RandomState(seed).choice(count, train_count)
    return train, np.setdiff1d(np.arange(count), train)


def shuffled_test(count: int, train_count: int, seed: int = 17) -> np.ndarray:
    """The mel data's test order: the indices of `with_replacement`, shuffled by the same stream of random numbers."""
    random = np.random.RandomState(seed)
    train = random.choice(count, train_count)
    test = np.setdiff1d(np.arange(count), train)
    random.shuffle(test)
    return test


def without_replacement(count: int, train_count: int, seed: int = 17) -> tuple[np.ndarray, np.ndarray]:
    """The text's 70 to 30: a random `train_count` of the clips, the others test. Returns (train, test)."""
    sizes = {"train": train_count, "test": None}
    parts = splits.at_random(count, sizes, np.random.RandomState(seed), ascending=("test",))
    return parts["train"], parts["test"]


def by_work(labels: Sequence | np.ndarray, works: Sequence | np.ndarray, offsets: Sequence[int] | np.ndarray,
            train_share: float = 0.7, seed: int = 17) -> tuple[np.ndarray, np.ndarray]:
    """No work on both sides: per composer, works in random order go to test until they hold 1 - train_share of clips.

    A composer with a single work is split in time: its first `train_share` of the clips train, then a gap of one clip,
    the rest test. `labels`, `works`: one per clip; `offsets`: position of the clip in its recording.
    Returns (train, test), both ascending. Raises ValueError where a composer has too few clips for both sides.
    """
    labels, works, offsets = np.asarray(labels), np.asarray(works), np.asarray(offsets)
    random, classes = np.random.RandomState(seed), []
    for label in np.unique(labels):
        clips = np.flatnonzero(labels == label)
        if len(np.unique(works[clips])) > 1:
            wanted = {"test": (1.0 - train_share) * len(clips)}
            classes.append(splits.by_group(clips, works, wanted, random, fill="reach"))
            continue
        in_time = clips[np.argsort(offsets[clips], kind="stable")]
        sizes = {"train": min(round(train_share * len(clips)), len(clips) - 2), "test": None}
        if sizes["train"] < 1:
            raise ValueError(f"{label} has one work with {len(clips)} clips, too few to train on one part and test on "
                             "another; add recordings or leave this composer out")
        classes.append(splits.in_time(in_time, sizes, gap=1))
    parts = splits.joined(classes)
    return parts["train"], parts["test"]


def deal_composers(labels: np.ndarray, works: np.ndarray, seed: int | list[int]) -> np.ndarray:
    """Labels (clips,) with the composers dealt anew to the works, each to as many works as before."""
    names, place = np.unique(works, return_inverse=True)
    of_work = np.array([labels[works == name][0] for name in names])
    return np.random.default_rng(seed).permutation(of_work)[place]


def program_stages(train: np.ndarray, test: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """The program's parts of the mel data: five parts of train and (shuffled) test, joined as 1+2, 3+4 and 5.

    Returns a list of three (train part, test part).
    """
    trains, tests = np.array_split(train, 5), np.array_split(test, 5)
    joined = ((0, 2), (2, 4), (4, 5))
    return [(np.concatenate(trains[a:b]), np.concatenate(tests[a:b])) for a, b in joined]
