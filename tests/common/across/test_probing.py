"""Probes on features whose answers are known: the answer with noise, noise alone, a group that leaks."""

import numpy as np
import pytest

from common import splits
from common.across import probing
from common.across.corpus import Plain
from common.errors import DataError

CLASSES, GROUPS, PIECES = 3, 12, 2  # classes, groups of each, pieces of a group
COUNT = CLASSES * GROUPS * PIECES
LABELS = np.repeat(["folk", "jazz", "rock"], GROUPS * PIECES)
GROUPED = np.repeat([f"group {k}" for k in range(CLASSES * GROUPS)], PIECES)
DIVIDED = probing.folds(LABELS, GROUPED)


def noise(size, seed=0):
    return np.random.default_rng(seed).standard_normal((COUNT, size))


TARGETS = {"tempo": 100 + 20 * noise(1, 1)[:, 0], "register": 60 + 5 * noise(1, 2)[:, 0]}


def asked(features):
    return probing.ask(features if features is None else [features] * len(DIVIDED), LABELS, TARGETS, GROUPED, DIVIDED)


def test_no_group_is_on_both_sides_and_every_piece_is_asked_about_once():
    assert len(DIVIDED) == 5
    for fold in DIVIDED:
        assert splits.shared(fold, GROUPED) == 0
        assert set(LABELS[fold["test"]]) == set(LABELS[fold["train"]]) == set(LABELS)
    assert sorted(np.concatenate([fold["test"] for fold in DIVIDED])) == list(range(COUNT))


@pytest.mark.slow
def test_the_answer_with_noise_is_read_and_noise_is_not():
    classes = (LABELS[:, None] == np.unique(LABELS)).astype(float)
    told = np.concatenate([classes, TARGETS["tempo"][:, None] / 20, noise(4, 3)], axis=1) + 0.1 * noise(8, 4)
    found = asked(told)
    assert found["class"]["value"] > 0.95 and found["tempo"]["value"] > 0.95
    assert found["tempo"]["low"] < found["tempo"]["value"] < found["tempo"]["high"] <= 1.0
    assert abs(found["register"]["value"]) < 0.2  # which is not in it
    for seed in (5, 6, 7):
        found = asked(noise(16, seed))
        assert found["class"]["low"] < 1 / CLASSES < found["class"]["high"] and found["class"]["groups"] == 36
        assert found["tempo"]["value"] < 0.1 and found["register"]["value"] < 0.1


def test_without_features_the_commonest_class_and_the_mean_are_said():
    found = asked(None)
    assert found["class"]["value"] == pytest.approx(1 / CLASSES) and found["tempo"]["value"] == found["register"][
        "value"] == 0.0
    same = probing.ask(None, LABELS, {"tempo": np.full(COUNT, 120.0)}, GROUPED, DIVIDED)
    assert same["tempo"] == {"why": "the same for every piece"}


def test_what_is_the_groups_own_is_of_no_use():
    """Codes that know the group and nothing else: rows dealt one by one would be named without a fault."""
    own = (GROUPED[:, None] == np.unique(GROUPED)).astype(float)
    assert asked(own)["class"]["value"] < 0.6
    parts = splits.at_random(COUNT, {"0": COUNT // 2, "1": None}, np.random.default_rng(0))
    leaking = [{"test": parts[a], "train": parts[b]} for a, b in (("0", "1"), ("1", "0"))]
    with pytest.raises(DataError, match="group .* is on both sides of a split"):
        probing.ask([own] * 2, LABELS, TARGETS, GROUPED, leaking)


def test_an_r_squared_is_a_mean_over_groups():
    """Two groups: one said rightly, one as badly as the mean would; the far one counts for more."""
    spread, error = np.array([4.0, 4.0, 1.0, 1.0]), np.array([0.0, 0.0, 1.0, 1.0])
    found = probing.by_group(spread - error, spread, np.array(["a", "a", "b", "b"]))
    assert found == {"value": pytest.approx(0.8), "low": None, "high": None, "groups": 2}
    heavy = np.where(np.arange(40) == 0, 30.0, 1.0)  # forty groups, one of which counts for most: no interval
    assert probing.by_group(heavy / 2, heavy, np.arange(40).astype(str))["low"] is None
    many = np.repeat([f"{k}" for k in range(8)], 2)
    found = probing.by_group(np.full(16, 0.5), np.ones(16), many)
    assert (found["value"], found["low"], found["high"]) == (0.5, 0.5, 0.5)


def test_what_cannot_be_divided_is_refused():
    with pytest.raises(DataError, match="one class only"):
        probing.folds(np.array(["a"] * 4), np.array(list("wxyz")))
    with pytest.raises(DataError, match="class b: one group"):
        probing.folds(np.array(list("aaab")), np.array(list("wxyz")))
    assert len(probing.folds(np.array(list("aabb")), np.array(list("wxyz")))) == 2


def test_components_are_those_of_the_training_clips():
    """Two clips a piece; the first direction is that of the training pieces, where the others have none."""
    random = np.random.default_rng(0)
    pieces = np.repeat(np.arange(COUNT), 2)
    fold = DIVIDED[0]
    clips = 0.01 * random.standard_normal((2 * COUNT, 6))
    clips[np.isin(pieces, fold["train"]), 2] += 10 * random.standard_normal(2 * len(fold["train"]))
    clips[np.isin(pieces, fold["test"]), 4] += 100 * random.standard_normal(2 * len(fold["test"]))
    means = clips.reshape(COUNT, 2, 6).mean(axis=1)
    plain = Plain(means, clips, pieces)
    (found,) = probing.components(plain, [fold], 3)
    assert found.shape == (COUNT, 3)
    assert abs(np.corrcoef(found[fold["train"], 0], means[fold["train"], 2])[0, 1]) > 0.999
    assert np.abs(found[fold["test"], 0]).std() < 1.5  # what moves the others alone is no component
    assert probing.components(plain, [fold], 100)[0].shape == (COUNT, 6)
