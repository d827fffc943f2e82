"""What training and evaluation may look at: held-out rows, their labels and training rows are changed one at a time.

Every model in every mode, and the controls in one: some updates at tiny sizes through the real stages.
"""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from common.noise import Step, step_scope
from papers.musae import data, measures, preprocess, train
from tests.papers.conftest import without_graphs
from tests.papers.musae.toy import ToyStore, settings

FOLLOW = ("code", "paper", "sound")
CASES = [(follow, name) for follow in FOLLOW for name in train.MODELS]
CASES += [("sound", name) for name in (*train.MUSIC_VAE, *train.FLOWERS[1:], "2bar-gaussian@other-start")]


@pytest.fixture(autouse=True, scope="module")
def short_bars():
    """One step a bar and no graphs, so that sixteen bars are quick."""
    with without_graphs(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(data, "STEPS_PER_BAR", 1)
        yield


def config_of(follow, **changes):
    short = {"batch_size": 6, "batch_size_16bar": 6, "updates_lead_in": 1, "updates_2bar": 2, "updates_16bar": 2,
             "beta_every": 1, "ablations": True}  # fmt: skip
    return dataclasses.replace(settings(follow), **(short | changes))


class Altered(ToyStore):
    """The toy store with the songs of some windows given other valid tokens, or other tags."""

    def __init__(self, tokens=(), tags=(), songs=10, **sizes):
        super().__init__(songs=songs, bars=18, **sizes)
        steps = 18 * data.STEPS_PER_BAR
        for song in tokens:
            place = slice(song * 4 * steps, (song + 1) * 4 * steps)
            for name in ("base", "tokens"):  # pitches 30 to 79 become 35 to 84
                found = self.arrays[name][place]
                self.arrays[name][place] = np.where(found < 128, found + 5, found)
        for song in tags:
            self.arrays["tags"][song] = 1 - self.arrays["tags"][song]


def held_out_songs(config, bars):
    windows = data.windows(ToyStore(songs=10, bars=18), bars)
    trained, held = (set(windows.song[rows].tolist()) for rows in data.split(config, windows))
    return sorted(held - trained), sorted(trained - held)


def trained(name, config, store, updates=2):
    """Weights after some updates of every stage of a model, and the numbers its validation gives before them."""
    model, config = train.jobs(dataclasses.replace(config, models=tuple(train.MODELS)))[name]
    keras.utils.set_random_seed(0)
    learner = model.build(config, store)
    stages = model.stages(config, store, 0)
    before = stages[-1].validate(learner)
    for stage in stages:
        rows = stage.batches.batch_size
        for index in range(min(updates, stage.steps)):
            batch = {key: tf.constant(value) for key, value in stage.batches.read(stage.batches.indices(index)).items()}
            step = Step(0, stage.name, tf.constant(index, tf.int64), tf.constant(float(rows)), tf.range(rows), rows)
            with step_scope(step):
                stage.train_step(learner, batch, step)
    return [np.asarray(w) for network in learner.networks.values() for w in network.weights], before


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.fixture(scope="module")
def plain():
    """Results with the store as it is, made once a case."""
    found = {}

    def get(follow, name, **changes):
        key = follow, name, tuple(changes.items())
        if key not in found:
            found[key] = trained(name, config_of(follow, split="artist", **changes), Altered())
        return found[key]

    return get


@pytest.mark.slow
@pytest.mark.parametrize("follow, name", CASES, ids=str)
def test_held_out_songs_and_their_tags_change_no_weight(follow, name, plain):
    """And they do change what is measured on them."""
    config = config_of(follow, split="artist")
    held, _ = held_out_songs(config, train.BARS[name])
    weights, before = plain(follow, name)
    shuffled = name == "16bar-flower@shuffled-tags"  # there a song's tags are another's: that is the control
    other, changed = trained(name, config, Altered(tokens=held, tags=() if shuffled else held))
    assert held and same(weights, other)
    assert before["validation/cross_entropy"] != changed["validation/cross_entropy"]


@pytest.mark.slow
@pytest.mark.parametrize("follow", FOLLOW)
def test_training_songs_and_their_tags_do_change_weights(follow, plain):
    config = config_of(follow, split="artist")
    for name in train.MODELS:
        _, songs = held_out_songs(config, train.BARS[name])
        weights, before = plain(follow, name)
        other, after = trained(name, config, Altered(tokens=songs))
        assert not same(weights, other)
        assert before == after  # held-out values of an untrained model
    retagged, _ = trained("16bar-flower", config, Altered(tags=songs))
    assert not same(plain(follow, "16bar-flower")[0], retagged)
    untouched, _ = trained("2bar-gaussian", config, Altered(tags=songs))
    assert same(plain(follow, "2bar-gaussian")[0], untouched)  # no Gaussian model sees a tag


def test_the_released_split_shows_its_leak():
    """With the program's split there is no song that training does not see: validation windows are trained on."""
    config = config_of("code")
    assert config.split == "released" and held_out_songs(config, 2)[0] == []
    windows = data.windows(ToyStore(songs=10, bars=18), 2)
    rows, held = data.split(config, windows)
    assert np.isin(held, rows).all()
    # The window split keeps windows apart and songs not.
    rows, held = data.split(dataclasses.replace(config, split="window"), windows)
    assert not np.isin(held, rows).any() and np.isin(windows.song[held], windows.song[rows]).all()


def test_both_lengths_hold_out_the_same_artists():
    config = config_of("sound")
    stores = ToyStore(songs=30, bars=18, seed=3)
    owners = [
        set(windows.artist[windows.song[data.split(config, windows)[1]]])
        for windows in (data.windows(stores, 2), data.windows(stores, 16))
    ]
    assert owners[0] == owners[1] and owners[0]


def test_the_lead_in_sees_training_windows_only():
    windows = data.windows(ToyStore(songs=10, bars=18), 16)
    rows, held = data.split(config_of("sound"), windows)
    short = data.shorter(windows, rows, 2)
    assert short.steps == 2 and set(short.song) == set(windows.song[rows])
    assert not set(short.song) & set(windows.song[held])
    assert len(short) == len(np.unique(short.offset, axis=0)) == 17 * len(set(short.song))
    two = data.windows(ToyStore(songs=10, bars=18), 2)  # the same cuts as those of the store's own two bars
    own = {bytes(cut) for cut in two.cut(np.flatnonzero(np.isin(two.song, short.song)))}
    assert {bytes(cut) for cut in short.cut(np.arange(len(short)))} == own


def test_step_majority_is_that_of_the_training_windows():
    shown, held = np.full((5, 3, 4), 60), np.full((5, 3, 4), 61)
    assert (measures.step_majority(shown) == 60).all()
    assert measures.window_accuracy(held, np.broadcast_to(measures.step_majority(shown), held.shape)).max() == 0


def test_what_the_store_learns_from_tags_is_tags_alone():
    """The placement of genres moves with the songs' tags; the tags counted are those of the songs kept."""
    tags = ToyStore(songs=40, genres=6, seed=1).arrays["tags"]
    moved = tags.copy()
    moved[:20] = moved[:20][:, ::-1]
    assert not np.array_equal(preprocess.related_order(tags), preprocess.related_order(moved))
    assert preprocess.common_tags([["a", "b"], ["a"], ["c", "a", "a"]], 2) == (["a", "b"], 3, 4 / 5)
