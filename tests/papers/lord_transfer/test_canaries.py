"""What may not matter does not: held-out clips and labels change no weight, training clips no held-out input.

Every model of MODELS, in every mode and comparison that has a data path of its own.
"""

import dataclasses

import numpy as np
import pytest

from papers.lord_transfer import clusters, controls, data, listener, train
from tests.papers.lord_transfer.small import SMALL, make_store, weights_after

MODES = {  # settings with a data path of their own
    "recording": {},
    "test subset": {"split": "test_subset"},
    "clip, embedding": {"split": "clip", "content": "embedding", "batch_size": 16},
    "class encoder": {"class_code": "encoder"},
    "overlap": {"overlap": 0.5},
    "sub-classes": {"subclasses": 2, "perceptual": "random"},
    "quarter": {"train_share": 0.25},
    "quantised": {"quantise": True},
    "pair": {"pair": "flute-violin"},
    "centred and varied": {"centre": True, "shift": True, "transpose": 1, "filtered": 0.2},
}
ROLE = {"lord": "train", "classifier": "ear"}


@pytest.fixture(scope="module")
def held(tmp_path_factory):
    return make_store(tmp_path_factory.mktemp("small"))


class Changed:
    """A store whose images are changed within some windows: `change` maps their values to others."""

    def __init__(self, held, found, width, change):
        self.held, self.change, self.frames = held, change, {}
        for row, start in zip(found.rows, found.starts, strict=True):
            self.frames.setdefault(held.index[row]["item"], []).append((start, start + width))

    def __getattr__(self, name):
        return getattr(self.held, name)

    def image(self, row):
        image = np.array(self.held.image(row))
        for start, end in self.frames.get(row["item"], ()):
            image[:, start:end] = self.change(image[:, start:end])
        return image


def nothing(values):
    return np.full_like(values, np.nan)


def other(values):
    return 1 - values


def changed(held, config, roles, change):
    """The store with the windows of some roles changed."""
    found = data.windows(config, held)
    return Changed(held, found.take(np.flatnonzero(np.isin(found.roles, roles))), config.frames, change)


def equal(one, two):
    return len(one) == len(two) and all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


TRAINED = [("lord", "recording"), ("lord", "clip, embedding"), ("classifier", "recording"),
           pytest.param("lord", "class encoder", marks=pytest.mark.slow),
           pytest.param("lord", "sub-classes", marks=pytest.mark.slow),
           pytest.param("classifier", "clip, embedding", marks=pytest.mark.slow)]


@pytest.mark.slow
@pytest.mark.parametrize(("model", "mode"), TRAINED)
def test_held_out_clips_change_no_weight(held, mode, model):
    config = dataclasses.replace(SMALL, **MODES[mode])
    poisoned = changed(held, config, [role for role in data.ROLES if role != ROLE[model]], nothing)
    mine = changed(held, config, [ROLE[model]], other)
    weights, same, different = (weights_after(config, store, model, 1) for store in (held, poisoned, mine))
    assert equal(weights, same) and not equal(weights, different)


@pytest.mark.parametrize("model", ROLE)
@pytest.mark.parametrize("mode", MODES)
def test_held_out_clips_are_in_no_batch(held, mode, model):
    """All that a training of an epoch reads, in every mode: what weights are made of."""
    config = dataclasses.replace(SMALL, **MODES[mode])
    poisoned = changed(held, config, [role for role in data.ROLES if role != ROLE[model]], nothing)
    mine = changed(held, config, [ROLE[model]], other)
    epochs = []
    for store in (held, poisoned, mine):
        stage = train.MODELS[model].stages(config, store, 0)[0]
        batches = [stage.batches.read(stage.batches.indices(k)) for k in range(stage.batches.steps_per_epoch)]
        epochs.append([batch[name] for batch in batches for name in sorted(batch)])
    assert equal(epochs[0], epochs[1]) and not equal(epochs[0], epochs[2])


@pytest.mark.parametrize("mode", MODES)
def test_training_clips_change_no_held_out_input(held, mode):
    config = dataclasses.replace(SMALL, **MODES[mode], phase="none")
    without = changed(held, config, ["train"], other)
    for role in ("test", "ear", "choose"):
        found = data.windows(dataclasses.replace(config, overlap=0.0), held)
        positions = found.of(role)
        one, two = (data.Reader(config, store).read(found, positions) for store in (held, without))
        np.testing.assert_array_equal(one, two)
    found = data.windows(config, held)
    one, two = (data.Reader(config, store).read(found, found.of("train")) for store in (held, without))
    assert not np.array_equal(one, two)


@pytest.mark.slow
@pytest.mark.parametrize("model", ROLE)
@pytest.mark.parametrize("mode", ("recording", "clip, embedding"))
def test_labels_of_held_out_clips_change_no_weight(held, monkeypatch, mode, model):
    config, real = dataclasses.replace(SMALL, **MODES[mode]), data.windows
    before = weights_after(config, held, model, 1)

    def relabelled(config, store):
        found = real(config, store)
        held_out = found.roles != ROLE[model]
        return dataclasses.replace(found, classes=np.where(held_out, (found.classes + 1) % 3, found.classes))

    for module in (data, train, listener):
        monkeypatch.setattr(module, "windows", relabelled)
    assert equal(before, weights_after(config, held, model, 1))


def test_mean_images_and_clusters_are_those_of_training_clips(held):
    config = dataclasses.replace(SMALL, subclasses=2, perceptual="random")
    poisoned = changed(held, config, ["ear", "choose", "test"], nothing)
    moved = changed(held, config, ["train"], other)
    means = data.mean_images(config, held)
    np.testing.assert_array_equal(means, data.mean_images(config, poisoned))
    np.testing.assert_allclose(1 - means, data.mean_images(config, moved), atol=1e-6)
    one, two = (data.training_windows(config, store) for store in (held, poisoned))
    np.testing.assert_array_equal(one.classes, two.classes)
    assert set(one.classes // 2) == {0, 1, 2} and len(set(one.classes)) > 3
    assert clusters.features.__module__.endswith("clusters")


def test_controls_are_made_of_training_clips_and_the_source_alone():
    random = np.random.default_rng(0)
    images, shown = random.random((5, 8, 6, 1)), random.random((12, 8, 6, 1))
    classes = np.arange(12) % 3
    found = controls.answers(images, shown, classes, 3)
    again = controls.answers(1 - images, shown, classes, 3)
    assert set(found) == {*controls.BLIND, *controls.SOURCE, controls.STEADY}
    for name, answer in found.items():
        assert answer.shape == (3, 5, 8, 6, 1)
        assert np.array_equal(answer, again[name]) == (name in controls.BLIND), name
    one, two = (found[name] for name in ("mean picture", "one real clip"))
    np.testing.assert_allclose(one[1, 0], shown[classes == 1].mean(axis=0))
    assert any(np.array_equal(two[2, 0], clip) for clip in shown[classes == 2])
    assert np.ptp(found[controls.STEADY], axis=3).max() < 1e-12
    np.testing.assert_allclose(np.sort(found["random frames"][0, 0], axis=1), np.sort(images[0], axis=1))
    order = [[np.flatnonzero((clip[:, [t]] == source).all(axis=(0, 2)))[0] for t in range(6)]
             for clip, source in zip(found["random frames"][0], images, strict=True)]
    assert len({tuple(one) for one in order}) > 1 and [0, 1, 2, 3, 4, 5] not in order  # whole frames, an order each
    level = found["static filter"][1].mean(axis=2) - images.mean(axis=2)
    assert np.abs(level).max() < 0.6 and np.array_equal(found["untransferred"][0], images)


def test_on_the_programs_split_recordings_are_on_both_sides_and_on_no_other(held):
    def shared(config):
        found = data.windows(config, held)
        train_rows, test_rows = (set(found.rows[found.of(role)]) for role in ("train", "test"))
        return train_rows & test_rows

    assert shared(dataclasses.replace(SMALL, split="clip"))
    assert not shared(SMALL) and not shared(dataclasses.replace(SMALL, split="test_subset"))
