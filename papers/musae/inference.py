"""Codes and answers of trained networks, in batches, as NumPy arrays."""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from common.training import Learner
from papers.musae import losses, variants
from papers.musae.model import TRACKS

ROWS = 64  # windows at a time


def _in_batches(function, array):
    parts = [function(array[k : k + ROWS]) for k in range(0, len(array), ROWS)]
    return [np.concatenate(part) for part in zip(*parts, strict=True)]


def compiled(network: keras.Model) -> Callable:
    """The network as a graph, one trace for any number of rows; kept with the network."""
    if not hasattr(network, "inference"):
        rows = [tf.TensorSpec((None, *x.shape[1:]), x.dtype) for x in network.inputs]
        call = tf.function(
            lambda *inputs: network(inputs[0] if len(inputs) == 1 else list(inputs)),
            input_signature=rows,
            reduce_retracing=True,
        )
        object.__setattr__(network, "inference", call)
    return network.inference


def encode(learner: Learner, tokens: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
    """Codes (n, latent) of windows of tokens (n, T, 4): sampled with `rng` as in training, or the mean without.

    With the program's style branch a code is [s, z], as its decoder takes it.
    """
    encoder = compiled(learner.networks["encoder"])
    mu, log_variance, *style = _in_batches(
        lambda part: [np.asarray(x) for x in encoder(losses.one_hot(tf.constant(part)))], np.asarray(tokens)
    )
    z = mu if rng is None else mu + np.exp(log_variance / 2.0) * rng.normal(size=mu.shape)
    return np.concatenate([*style, z], axis=1).astype(np.float32)


def decode(learner: Learner, z: np.ndarray | tf.Tensor, tokens: np.ndarray) -> np.ndarray:
    """Logits (n, T, 130, 4) of codes (n, latent). Music VAE's are given the true tokens (n, T, 4) before each step."""
    if "player" in learner.networks:
        return np.concatenate([
            np.asarray(variants.music_vae_logits(learner.networks, tf.constant(z[k : k + ROWS]),
                                                 tf.constant(tokens[k : k + ROWS])))
            for k in range(0, len(z), ROWS)])  # fmt: skip
    decoder = compiled(learner.networks["decoder"])
    return _in_batches(lambda part: [np.asarray(decoder(tf.constant(part)))], np.asarray(z, np.float32))[0]


def decode_tokens(learner: Learner, z: np.ndarray) -> np.ndarray:
    """Likeliest tokens (n, T, 4) of codes (n, latent)."""
    decoder = compiled(learner.networks["decoder"])
    return _in_batches(
        lambda part: [np.argmax(decoder(tf.constant(part)), axis=2).astype(np.int32)], np.asarray(z, np.float32)
    )[0]


def answers(learner: Learner, z: np.ndarray | tf.Tensor, steps: int) -> np.ndarray:
    """Likeliest tokens (n, steps, 4) of codes (n, latent) of any model; Music VAE hears its own answers (greedy)."""
    if "player" not in learner.networks:
        return decode_tokens(learner, z)
    parts = [_step_by_step(learner.networks, tf.constant(z[k : k + ROWS]), steps) for k in range(0, len(z), ROWS)]
    return np.concatenate(parts)


def forced(learner: Learner, z: np.ndarray | tf.Tensor, tokens: np.ndarray) -> np.ndarray:
    """Music VAE's likeliest tokens (n, T, 4) where it is given the true ones (n, T, 4) before each step."""
    rows = range(0, len(z), ROWS)
    return np.concatenate([decode(learner, z[k : k + ROWS], tokens[k : k + ROWS]).argmax(axis=2) for k in rows])


def _step_by_step(networks, z, steps):
    player = compiled(networks["player"])
    codes, each = variants.bar_codes(networks, z, steps)
    states, found = networks["start"](codes), []
    before = tf.fill([len(codes), 1, len(TRACKS)], variants.NOTHING)
    for _ in range(each):
        logits, states = player(codes, before, states)
        found.append(tf.argmax(logits, axis=2, output_type=tf.int32))
        before = found[-1]
    return tf.reshape(tf.concat(found, axis=1), [len(z), steps, -1]).numpy()
