"""What trains does not see what is held out: every model, every mode; statistics move with what they say."""

import dataclasses

import numpy as np
import pytest

from common import training
from papers.symphony2vec import config as settings, data, embeddings, judging, train
from tests.papers.symphony2vec.toy import small, small_store

MODES = ("code", "paper", "sound")
STORE = small_store()


class Run:
    seed = 0


def poisoned(rows, value=np.nan):
    """The store with every cell of some clips replaced; the moments that scales come from stay."""
    store = small_store()
    for seen in settings.REPRESENTATIONS:
        store.arrays[seen][rows] = value
    return store


def settings_of(name, follow):
    return settings.MODELS[name].settings(small(follow))


def held_out(name, follow):
    """Clips that a model is not trained on."""
    selection = data.select(settings_of(name, follow), STORE)
    return np.setdiff1d(np.arange(len(selection.labels)), selection.train)


def batches(name, follow, store):
    """Everything that a training of the model reads: the arrays of all its batches, and what its stages start with."""
    found = []
    for stage in train.MODELS[name].stages(settings_of(name, follow), store, 0):
        found += [array for step in range(stage.steps)
                  for array in stage.batches.read(stage.batches.indices(step)).values()]  # fmt: skip
        if stage.start is not None and settings.MODELS[name].kind == "ali":
            found.append(stage.start.args[0])  # the mean image of the pixel bias
    return found


@pytest.mark.parametrize("follow", MODES)
@pytest.mark.parametrize("name", train.MODELS)
def test_training_reads_no_held_out_clip_and_no_held_out_label(name, follow, monkeypatch):
    rows = held_out(name, follow)
    assert len(rows)
    clean = batches(name, follow, STORE)
    for found in (clean, batches(name, follow, poisoned(rows))):
        assert all(np.isfinite(array).all() for array in found)
    for a, b in zip(clean, batches(name, follow, poisoned(rows)), strict=True):
        np.testing.assert_array_equal(a, b)
    select = data.select

    def other_labels(config, store, seed=0):
        selection = select(config, store, seed)
        labels = selection.labels.copy()
        labels[rows] = (labels[rows] + 1) % 3
        return dataclasses.replace(selection, labels=labels)

    monkeypatch.setattr(data, "select", other_labels)
    for a, b in zip(clean, batches(name, follow, STORE), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("follow", MODES)
@pytest.mark.parametrize("name", settings.MODELS)
def test_what_is_judged_on_is_held_out_and_reads_no_training_clip(name, follow):
    config = small(follow)
    selection = data.select(config, STORE)
    trained = judging.Trained(config, STORE, Run, selection, {})
    rows, test = trained.rows(name)
    assert not np.intersect1d(rows, test).size and np.isin(rows, trained.selection_of(name).train).all()
    assert not np.isin(test, trained.selection_of(name).train).any()
    other = poisoned(np.unique(trained.selection_of(name).train))
    of = settings.MODELS[name]
    a, b = (data.Images(of.settings(config), store, trained.selection_of(name), of.representation)[test]
            for store in (STORE, other))
    np.testing.assert_array_equal(a, b)


ONE_OF_A_KIND = ("ff-chroma", "cnn-mel", "lstm-mfcc", "ae-chroma", "cae-mfcc", "vae-mel", "encoder-32", "ali-40")


@pytest.mark.slow
@pytest.mark.parametrize("follow", ("code", "sound"))
@pytest.mark.parametrize("name", ONE_OF_A_KIND)
def test_held_out_clips_change_no_weight(name, follow, tmp_path, eagerly):
    if settings.MODELS[name].kind == "vae" and follow == "code":
        pytest.skip("diverges on noise; its batches are compared above")
    weights = []
    for place, store in (("clean", STORE), ("poisoned", poisoned(held_out(name, follow)))):
        config = settings_of(name, follow)
        training.train(name, train.MODELS[name], config, store, tmp_path / place, 0, checkpoint_seconds=1e9)
        learner = training.load(train.MODELS[name], config, store, tmp_path / place)
        weights.append([w.numpy() for network in learner.networks.values() for w in network.weights])
    for a, b in zip(*weights, strict=True):
        assert np.isfinite(a).all()
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("follow, moves", [("code", True), ("paper", True), ("sound", False)])
@pytest.mark.parametrize("seen", settings.REPRESENTATIONS)
def test_the_scale_moves_with_test_clips_only_where_it_says_so(seen, follow, moves):
    config = small(follow)
    selection = data.select(config, STORE)
    other = small_store()
    other.arrays[f"{seen}_moments"][selection.test] += 5.0
    scales = [(images.mean, images.deviation) for images in
              (data.Images(config, store, selection, seen) for store in (STORE, other))]  # fmt: skip
    assert (scales[0] != scales[1]) == moves
    other.arrays[f"{seen}_moments"][selection.train] += 7.0
    assert data.Images(config, other, selection, seen).mean != scales[0][0]


@pytest.mark.parametrize("follow, leaks", [("code", True), ("paper", False), ("sound", False)])
def test_principal_axes_move_with_test_clips_only_where_they_say_so(follow, leaks):
    config = small(follow)
    selection = data.select(config, STORE)
    other = poisoned(selection.test[1:], 0.0)
    codes = [embeddings.pca_codes(data.Images(config, store, selection, "mfcc"), [(selection.train, selection.test)],
                                  config)[0] for store in (STORE, other)]  # fmt: skip
    np.testing.assert_array_equal(codes[0][0], codes[1][0])  # of training clips
    first = [pair[1][0] for pair in codes]  # the one test clip that is the same in both
    assert np.allclose(*first, atol=1e-3) != leaks


def test_works_are_on_one_side_in_sound_and_on_both_in_its_twins_by_clips():
    config = small("sound")
    for name, shared in (("cnn-mel", False), ("cnn-mel-clips", True), ("cnn-mel-dealt", False)):
        selection = data.select(settings.MODELS[name].settings(config), STORE)
        assert bool(np.intersect1d(selection.works[selection.train], selection.works[selection.test]).size) == shared
        sizes = len(selection.train), len(selection.test)
        assert sizes == (24, 12)  # the same number of clips in both
