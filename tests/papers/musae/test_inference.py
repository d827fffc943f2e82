"""Codes and answers in batches, and what is drawn for a training batch."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import tensorflow as tf

from common.noise import Step
from papers.musae import inference, model, train
from tests.papers.musae.toy import settings


def learner():
    return SimpleNamespace(networks={"encoder": model.encoder(8, 4, 3, depth=1), "decoder": model.decoder(8, 5, 3, 1)})


def test_batches_give_the_networks_own_answers(monkeypatch):
    monkeypatch.setattr(inference, "ROWS", 4)
    rng, made = np.random.default_rng(0), learner()
    tokens = rng.integers(0, 130, (10, 8, 4))
    mu, _ = made.networks["encoder"](np.eye(130, dtype=np.float32)[tokens].transpose(0, 1, 3, 2))
    codes = inference.encode(made, tokens)
    np.testing.assert_allclose(codes, mu, atol=1e-6)
    logits = made.networks["decoder"](codes)
    np.testing.assert_allclose(inference.decode(made, codes, tokens), logits, atol=1e-6)
    np.testing.assert_array_equal(inference.decode_tokens(made, codes), np.argmax(logits, axis=2))


def test_codes_are_sampled_with_the_encoders_deviation():
    made = learner()
    made.networks["encoder"].get_layer("sigma").bias.assign(np.log([1.0, 4.0, 0.25]).astype(np.float32))
    made.networks["encoder"].get_layer("sigma").kernel.assign(np.zeros((8, 3), np.float32))
    tokens = np.zeros((4000, 8, 4), int)
    codes = inference.encode(made, tokens, np.random.default_rng(0))
    np.testing.assert_allclose(codes.std(axis=0), [1.0, 2.0, 0.5], rtol=0.05)


def test_transposition_is_uniform_over_twelve_shifts():
    config = dataclasses.replace(settings("paper"), latent=2)
    rows = 6000
    step = Step(0, "train", tf.constant(3, tf.int64), tf.constant(float(rows)), tf.range(rows), rows)
    batch = {"tokens": tf.fill([rows, 1, 4], 60), "tags": tf.zeros((rows, 4)), "shift": tf.zeros(rows, tf.int32)}
    moved = np.asarray(train.draw(batch, step, config, None).tokens)[:, 0, 1] - 60
    shifts, counts = np.unique(moved, return_counts=True)
    assert shifts.tolist() == list(range(-5, 7)) and counts.min() > 400 and counts.max() < 600


def test_validation_adds_up_the_tracks_and_takes_the_mean_of_the_windows(monkeypatch):
    tokens = np.zeros((3, 8, 4), np.int32)
    logits = np.zeros((3, 8, 130, 4), np.float32)
    logits[0, :, 0] = 100.0  # the first window's answers are sure and right
    monkeypatch.setattr(inference, "encode", lambda *_: np.ones((3, 6), np.float32))
    monkeypatch.setattr(inference, "decode", lambda *_: tf.constant(logits))
    monkeypatch.setattr(train, "prior_sample", lambda *_: np.zeros((3, 6), np.float32))
    found = train.validate(settings("paper"), {"tokens": tokens, "tags": None}, None, None)
    assert abs(found["validation/cross_entropy"] - 4 * np.log(130) * 2 / 3) < 1e-4
    assert found["validation/distance_to_prior"] > 0
