"""The flower model learns: songs of four genres, told apart by one pitch, are rebuilt and lie at their genres' petals;
with tags dealt out anew they are rebuilt as well and lie nowhere in particular.
"""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from common.noise import Step
from papers.musae import data, inference, measures, prior, train
from papers.musae.tokens import base_tokens
from tests.papers.musae.toy import ToyStore, settings

SONGS, GENRES, ROWS, UPDATES = 80, 4, 32, 500


class Genres(ToyStore):
    """Songs of one genre each: all tracks hold a pitch of the genre, or one a tone above it, from bar to bar."""

    def __init__(self, shuffled=False):
        super().__init__(songs=SONGS, bars=6, genres=GENRES)
        rng = np.random.default_rng(0)
        genre = np.arange(SONGS) % GENRES
        pitch = 40 + 12 * genre[:, None, None] + 2 * rng.integers(0, 2, (SONGS, 1, 6)) + np.zeros((1, 4, 1), int)
        base = np.repeat(pitch, data.STEPS_PER_BAR, axis=2)
        self.arrays["base"] = base.reshape(-1).astype(np.uint8)
        self.arrays["tokens"] = base_tokens(base).reshape(-1).astype(np.uint8)
        self.arrays["tags"] = np.eye(GENRES, dtype=np.uint8)[rng.permutation(genre) if shuffled else genre]
        self.arrays["artist"] = np.arange(SONGS, dtype=np.int32)


def learnt(shuffled):
    """(accuracy of held-out tokens, share of held-out codes at their song's petal) after training."""
    config = dataclasses.replace(
        settings("sound"), latent=4, encoder_units=16, decoder_units=24, critic_units=32, batch_size=ROWS,
        beta_every=20, beta_step=0.05, beta_max=0.5, updates_2bar=UPDATES, transposition="frozen",
        learning_rate=1e-2, decay=2e-3, petals=GENRES, genres=GENRES)  # fmt: skip
    store = Genres(shuffled)
    store.arrays["shift_2"][:] = 0
    keras.utils.set_random_seed(0)
    model = train._model(2, True)
    learner, (stage,) = model.build(config, store), model.stages(config, store, 0)

    @tf.function
    def update(batch, index):
        step = Step(0, stage.name, index, tf.constant(float(ROWS)), tf.range(ROWS), ROWS)
        return stage.train_step(learner, batch, step)

    for index in range(UPDATES):
        rows = stage.batches.indices(index)
        if len(rows) == ROWS:
            batch = {name: tf.constant(value) for name, value in stage.batches.read(rows).items()}
            update(batch, tf.constant(index, tf.int64))
    windows = data.windows(store, 2)
    _, held = data.split(config, windows)
    tokens = windows.cut(held)
    codes = inference.encode(learner, tokens)
    right = measures.window_accuracy(tokens, inference.decode_tokens(learner, codes))[:, 4].mean()
    tags = windows.tags[windows.song[held]]
    owner = measures.owners(store.arrays["placement"], GENRES)
    return right, measures.hits(prior.nearest_petal(codes, GENRES), tags, owner).mean()


@pytest.fixture(autouse=True)
def short_bars(monkeypatch):
    monkeypatch.setattr(data, "STEPS_PER_BAR", 2)


@pytest.mark.slow
def test_codes_find_their_genres_petal_and_shuffled_tags_do_not():
    right, at_petal = learnt(shuffled=False)
    assert right > 0.9 and at_petal > 0.9
    right, at_petal = learnt(shuffled=True)
    assert right > 0.9 and 0.05 < at_petal < 0.5  # chance is a quarter, on sixteen songs
