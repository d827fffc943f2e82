"""The ways to split: index for index what the papers' own functions gave when they were first published."""

import json
from pathlib import Path

import numpy as np
import pytest

from common import splits
from common.errors import DataError

# Made with the functions that the papers had before this module, on the rows of `corpus()`.
PINNED = json.loads(Path(__file__).with_name("splits.json").read_text())


def corpus(seed=5, classes=3, count=90):
    """Labels, groups, tracks and published splits of rows as a store holds them: tracks in turn, their segments."""
    random = np.random.default_rng(seed)
    labels, groups, tracks = [], [], []
    while len(labels) < count:
        track = len(set(tracks))
        label = f"class {track % classes}"
        group = f"{label} group {int(random.integers(0, 7))}"
        for _ in range(int(random.integers(1, 6))):
            labels.append(label)
            groups.append(group)
            tracks.append(f"track {track:03d}")
    published = random.choice(["training", "validation", "test", "unused"], len(labels))
    return tuple(np.array(values[:count]) for values in (labels, groups, tracks, published))


def rows_of(labels):
    return {label: np.flatnonzero(labels == label) for label in np.unique(labels)}


def at_random(seed):
    """softmax_ae P1."""
    return splits.at_random(90, {"train": 68, "dev": 11, "test": None}, np.random.default_rng([seed, 1]))


def at_random_without_test(seed):
    """softmax_ae P2."""
    return splits.at_random(90, {"train": 68, "dev": 22, "test": 0}, np.random.default_rng([seed, 1]))


def by_track(seed):
    """softmax_ae T1: tracks, duplicates tied together, an odd rest to dev and test by turns."""
    labels, groups, tracks, _ = corpus(seed)
    random, several, odd = np.random.default_rng([seed, 2]), [], 0
    for rows in rows_of(labels).values():
        held_out = max(2, round(len(np.unique(tracks[rows])) * 0.25))
        sizes = {"dev": (held_out + odd % 2) // 2, "test": (held_out + 1 - odd % 2) // 2}
        odd += held_out % 2
        several.append(splits.by_group(rows, groups, sizes, random, units=tracks))
    return splits.joined(several)


def tracks_in_time(seed):
    """softmax_ae T1 where a class has too few tracks."""
    several = [splits.in_time(rows, {"train": int(len(rows) * 0.75), "dev": int(len(rows) * 0.125), "test": None}, 1)
               for rows in rows_of(corpus(seed)[0]).values()]
    return splits.joined(several)


def without_replacement(seed):
    """symphony2vec."""
    return splits.at_random(90, {"train": 63, "test": None}, np.random.RandomState(17 + seed), ascending=("test",))


def by_work(seed):
    """symphony2vec: works of each composer until three tenths of the clips are reached."""
    labels, groups, _, _ = corpus(seed)
    random = np.random.RandomState(17 + seed)
    return splits.joined([splits.by_group(rows, groups, {"test": (1.0 - 0.7) * len(rows)}, random, "reach")
                          for rows in rows_of(labels).values()])


def composer_in_time(seed):
    """symphony2vec: a composer with one work; clips in the order of their offsets."""
    offsets = np.random.default_rng(seed).permutation(90)
    rows = np.argsort(offsets, kind="stable")
    parts = splits.in_time(rows, {"train": min(round(0.7 * 90), 88), "test": None}, gap=1)
    return {part: np.sort(found) for part, found in parts.items()}


def leaky(seed):
    """fma_interpolation S1."""
    return splits.at_random(75, {"train": 52, "test": None}, np.random.default_rng(seed), ascending=("test",))


def contiguous(seed):
    """fma_interpolation S2."""
    return splits.in_time(np.arange(90), {"train": 75, "test": None})


def official(seed):
    """fma_interpolation S3."""
    names = {"train": "training", "validation": "validation", "test": "test"}
    return splits.official(np.arange(90), corpus(seed)[3], names)


def dealt(seed):
    """lord_transfer: recordings to model, classifier and evaluation, class by class, each class from the same seed."""
    labels, groups, _, _ = corpus(seed)
    shares = {"train": 0.6, "ear": 0.2, "test": 0.2}
    return splits.joined([splits.deal(rows, groups, shares, np.random.default_rng(0))
                          for rows in rows_of(labels).values()])


def by_artist(seed):
    """musae: artists while their windows stay below the validation share."""
    owner = np.unique(corpus(seed)[1], return_inverse=True)[1]
    return splits.by_group(np.arange(90), owner, {"validation": 18}, np.random.default_rng(0), "below", rest="training")


def windows_at_random(seed):
    """musae."""
    return splits.at_random(90, {"validation": 18, "training": None}, np.random.default_rng(0),
                            ascending=("validation", "training"))


WAYS = (at_random, at_random_without_test, by_track, tracks_in_time, without_replacement, by_work, composer_in_time,
        leaky, contiguous, official, dealt, by_artist, windows_at_random)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_index_for_index_as_published(way):
    for seed, wanted in PINNED[way.__name__].items():
        found = way(int(seed))
        assert {part: rows.tolist() for part, rows in found.items()} == wanted


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_no_row_is_in_two_parts(way):
    for seed in range(20):
        rows = np.concatenate(list(way(seed).values()))
        assert len(np.unique(rows)) == len(rows)


@pytest.mark.parametrize("way", (by_track, by_work, dealt, by_artist), ids=lambda way: way.__name__)
def test_no_group_is_cut_and_no_row_is_lost(way):
    for seed in range(20):
        parts, groups = way(seed), corpus(seed)[1]
        owners = [set(groups[rows]) for rows in parts.values()]
        assert sum(map(len, owners)) == len(set(groups))
        assert sorted(np.concatenate(list(parts.values()))) == list(range(90))


def test_rows_are_those_given():
    """Not positions in them: of rows 10 and up, of which every second counts."""
    rows = np.arange(10, 40, 2)
    groups = np.arange(100) // 4
    for parts in (splits.at_random(rows, {"a": 5, "b": None}, np.random.default_rng(0)),
                  splits.in_time(rows, {"a": 5, "b": None}),
                  splits.official(rows, ["x"] * 20 + ["y"] * 80, {"a": "x", "b": ("y", "z")}),
                  splits.by_group(rows, groups, {"b": 4}, np.random.default_rng(0)),
                  splits.deal(rows, groups, {"a": 0.5, "b": 0.5}, np.random.default_rng(0))):
        assert sorted(np.concatenate(list(parts.values()))) == rows.tolist()
        assert all(len(found) for found in parts.values())


def test_a_gap_lies_between_every_two_parts():
    parts = splits.in_time(np.arange(20), {"train": 10, "dev": 3, "test": None}, gap=2)
    assert [rows[[0, -1]].tolist() for rows in parts.values()] == [[0, 9], [12, 14], [17, 19]]


def test_fill_fits_reaches_or_stays_below():
    """Groups of 3 rows each, 4 rows wanted: one group fits, two reach it, one stays below; a group of 9 never fits."""
    groups = np.repeat(np.arange(10), 3)
    rows = np.arange(30)
    held_out = {fill: len(splits.by_group(rows, groups, {"test": 4}, np.random.default_rng(0), fill)["test"])
                for fill in ("fit", "reach", "below")}
    assert held_out == {"fit": 3, "reach": 6, "below": 3}
    exactly = {fill: len(splits.by_group(rows, groups, {"test": 6}, np.random.default_rng(0), fill)["test"])
               for fill in ("fit", "reach", "below")}
    assert exactly == {"fit": 6, "reach": 6, "below": 3}
    one_large = np.array([0] * 9 + [1] * 9)
    for fill, wanted in (("fit", 0), ("reach", 9), ("below", 9)):
        found = splits.by_group(np.arange(18), one_large, {"test": 4}, np.random.default_rng(0), fill)
        assert len(found["test"]) == wanted


def test_the_last_group_is_never_held_out_by_leading():
    for fill in ("reach", "below"):
        parts = splits.by_group(np.arange(4), ["only"] * 4, {"test": 2}, np.random.default_rng(0), fill)
        assert not len(parts["test"]) and len(parts["train"]) == 4


def test_sizes_can_count_tracks():
    """Two tracks wanted, each of ten segments: not two segments."""
    tracks = np.repeat(np.arange(6), 10)
    parts = splits.by_group(np.arange(60), tracks, {"test": 2}, np.random.default_rng(0), units=tracks)
    assert len(parts["test"]) == 20 and list(parts) == ["train", "test"]


def test_dealing_leaves_no_part_empty_when_there_are_as_many_groups():
    groups = np.array([0] * 50 + [1] + [2])
    for seed in range(10):
        shares = {"train": 0.9, "ear": 0.05, "test": 0.05}
        parts = splits.deal(np.arange(52), groups, shares, np.random.default_rng(seed))
        assert all(len(rows) for rows in parts.values())


def test_shared_is_the_share_of_test_rows_that_leak():
    parts = {"train": np.array([0, 1]), "test": np.array([2, 3, 4, 5])}
    assert splits.shared(parts, ["a", "b", "a", "c", "d", "e"]) == 0.25
    assert splits.shared({"train": parts["train"], "test": np.arange(0)}, ["a", "b"]) == 0.0


def test_fewest_groups_and_empty_parts():
    assert splits.fewest_groups(["x", "x", "y", "y"], ["a", "b", "c", "c"]) == 1
    with pytest.raises(DataError, match="music: nothing is left for dev in this split; add songs"):
        splits.refuse_empty({"train": np.arange(3), "dev": np.arange(0)}, "music", "add songs")


def test_a_sample_is_ascending_and_without_replacement():
    rows = np.arange(100, 200)
    found = splits.sample(rows, 20, np.random.default_rng(1))
    assert len(set(found)) == 20 and found.tolist() == sorted(found) and set(found) <= set(rows)
    assert splits.sample(rows[::-1], 100, None).tolist() == rows[::-1].tolist()
