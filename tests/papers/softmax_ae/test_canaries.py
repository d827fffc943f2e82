"""What may not reach a training does not: every model that a run trains, in every mode with its own data path.

Held-out rows are replaced by NaN: the weights after training are equal bit for bit. Training rows are replaced: what
held-out rows become is unchanged. Statistics move with training rows alone, and do move where a mode lets them.
"""

import functools

import numpy as np
import pytest

from papers.softmax_ae import data as segments, train
from tests.papers.softmax_ae import small

FOLLOWS = ("code", "paper", "sound")
CONFIGS = {follow: small.config(follow, epochs=1, autoencoder_epochs=1) for follow in FOLLOWS}
TRAINED = [(follow, name) for follow, config in CONFIGS.items() for name in {**train.MODELS, **train.jobs(config)}]
FAST = [("paper", "deep_softmax"), ("code", "autoencoder"), ("sound", "two_layer"), ("sound", "deep_softmax")]


@functools.cache
def held():
    return small.store(*small.tones(tracks=8, segments_a_track=2))


def config_of(follow, name):
    return train.jobs(CONFIGS[follow]).get(name, (None, CONFIGS[follow]))[1]


def load(config, store):
    segments.load_data.cache_clear()
    return segments.load_data(config, store, 0)


@functools.cache
def plain(follow, name):
    return small.weights(small.trained(name, CONFIGS[follow], held())[0])


def sees_everything(follow, name):
    """The program's autoencoders have no held-out rows."""
    of_autoencoder = name.startswith("autoencoder") or name in ("shallow", "single_hidden")
    return of_autoencoder and config_of(follow, name).autoencoder_data == "all"


@pytest.mark.parametrize("follow, name", [pytest.param(*one, marks=[] if one in FAST else pytest.mark.slow)
                                          for one in TRAINED])
def test_held_out_rows_and_labels_reach_no_training_and_training_rows_do(follow, name, monkeypatch):
    parts = load(config_of(follow, name), held()).parts
    outside = np.concatenate([parts["dev"], parts["test"]])
    gone = small.replaced(small.relabelled(held(), outside), outside)
    before = plain(follow, name)
    monkeypatch.setattr(segments, "split", lambda store, rule, seed: (parts, ""))  # it goes class by class
    after = small.weights(small.trained(name, CONFIGS[follow], gone)[0])
    untouched = all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    assert untouched != sees_everything(follow, name)
    moved = small.weights(small.trained(name, CONFIGS[follow], small.replaced(held(), parts["train"], 0.5))[0])
    assert not all(np.array_equal(a, b) for a, b in zip(before, moved, strict=True))


@pytest.mark.parametrize("follow", FOLLOWS)
def test_statistics_move_with_training_rows_alone(follow):
    config = CONFIGS[follow]
    before = load(config, held())
    outside = np.concatenate([before.parts["dev"], before.parts["test"]])
    after = load(config, small.replaced(held(), outside, 9.0))
    assert (after.mean, after.deviation) == (before.mean, before.deviation)
    np.testing.assert_array_equal(after.x[before.parts["train"]], before.x[before.parts["train"]])
    moved = load(config, small.replaced(held(), before.parts["train"], 9.0))
    assert ((moved.mean, moved.deviation) != (before.mean, before.deviation)) == config.standardise
    if not config.standardise:  # training rows leave held-out inputs as they are
        np.testing.assert_array_equal(moved.x[outside], before.x[outside])


@pytest.mark.parametrize("follow", FOLLOWS)
def test_batches_hold_training_rows_with_their_own_labels(follow):
    data = load(CONFIGS[follow], held())
    feed = train.batches(data, data.parts["train"], CONFIGS[follow], 0)
    seen = np.concatenate([feed.indices(step) for step in range(feed.steps_per_epoch)])
    assert sorted(seen) == list(range(len(data.parts["train"])))
    batch = feed.read(feed.indices(0))
    rows = data.parts["train"][feed.indices(0)]
    np.testing.assert_array_equal(batch["x"], data.x[rows])
    np.testing.assert_array_equal(batch["y"], data.y[rows])


def test_only_the_split_by_track_keeps_tracks_whole():
    for rule, whole in (("P1", False), ("P2", False), ("T1", True)):
        data = load(small.config(split=rule), held())
        assert data.by_track is whole
        of = {part: set(data.tracks[rows]) for part, rows in data.parts.items()}
        assert bool(of["train"] & of["dev"]) is not whole
