"""Tokens, losses and random draws of MusAE's training (sections 2.2, 3.3, 4.1). Every loss is one number per
example.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from common.training import Step
from papers.musae import prior
from papers.musae.config import Config
from papers.musae.tokens import ALPHABET, SILENT


def one_hot(tokens: tf.Tensor) -> tf.Tensor:
    """Tokens (batch, T, 4) -> {0, 1} (batch, T, 130, 4), the piano roll matrix of section 3.1."""
    return tf.transpose(tf.one_hot(tokens, ALPHABET), [0, 1, 3, 2])


def transpose(tokens: tf.Tensor, semitones: tf.Tensor) -> tf.Tensor:
    """Shift the pitches of bass, guitar and strings (batch, T, 4) by `semitones` (batch,); drums stay (section 4.1).

    A pitch that leaves 0 to 127 becomes silence.
    """
    shift = semitones[:, None, None] * tf.constant([0, 1, 1, 1], tokens.dtype)
    moved = tf.where(tokens < SILENT, tokens + shift, tokens)
    gone = (tokens < SILENT) & ((moved < 0) | (moved >= SILENT))
    return tf.where(gone, tf.cast(SILENT, tokens.dtype), moved)


def reconstruction(tokens: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """H(p_d, p_g) of eq. 3: cross-entropy of tokens (batch, T, 4) under logits (batch, T, 130, 4), per example and
    track.

    Mean over the T steps, (batch, 4). The loss is the sum over the tracks; it begins at 4 ln 130 = 19.47.
    """
    entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(tokens, tf.transpose(logits, [0, 1, 3, 2]))
    return tf.reduce_mean(entropy, axis=1)


def accuracy(tokens: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Share of steps whose likeliest token is right, (batch, 4) (Table 1)."""
    predicted = tf.argmax(logits, axis=2, output_type=tokens.dtype)
    return tf.reduce_mean(tf.cast(tf.equal(predicted, tokens), tf.float32), axis=1)


def gradient_penalty(critic: Callable, z_real: tf.Tensor, z_fake: tf.Tensor, weight: tf.Tensor,
                     label: tuple = ()) -> tf.Tensor:
    """(||grad D(z_hat)|| - 1)^2 at z_hat = w z_real + (1 - w) z_fake, (batch,). Eq. 6; weight w (batch,) is uniform."""
    w = weight[:, None]
    z_hat = w * z_real + (1.0 - w) * z_fake
    with tf.GradientTape() as tape:
        tape.watch(z_hat)
        score = critic([z_hat, *label] if label else z_hat)
    gradient = tape.gradient(score, z_hat)
    return tf.square(tf.sqrt(tf.reduce_sum(tf.square(gradient), axis=1) + 1e-12) - 1.0)


def score(critic: Callable, z: tf.Tensor, label: tuple = ()) -> tf.Tensor:
    """D(z, y), (batch,)."""
    return critic([z, *label] if label else z)[:, 0]


def critic_loss(critic: Callable, z_real: tf.Tensor, z_fake: tf.Tensor, weight: tf.Tensor, penalty_weight: float,
                label: tuple = ()) -> tf.Tensor:
    """-D(z_p) + D(z_q) + lambda GP, (batch,): eq. 4 to 6.

    The paper prints the first two terms with the opposite signs, which changes nothing once the encoder's sign follows,
    and calls the data x, although the critic sees codes.
    """
    penalty = gradient_penalty(critic, z_real, z_fake, weight, label)
    return -score(critic, z_real, label) + score(critic, z_fake, label) + penalty_weight * penalty


def beta(config: Config, index: tf.Tensor) -> tf.Tensor:
    """Weight of the adversarial term at update `index`: steps of 0.1 every 10,000 updates, from 0 to 1 (section
    4.1).
    """
    rises = tf.maximum(tf.cast(index, tf.int64) - config.beta_after, 0) // config.beta_every
    return tf.minimum(config.beta_max, config.beta_step * tf.cast(rises, tf.float32))


def clip(gradients: list[tf.Tensor], norm: float, value: float, times: list[float] | None = None) -> list[tf.Tensor]:
    """The program's clipping: all gradients together to a global norm, then each entry to +-value; 0 is no limit.

    times: how often each gradient counts in the norm (the program's list of variables holds duplicates).
    """
    norm, value = norm or np.inf, value or np.inf
    times = times or [1.0] * len(gradients)
    total = tf.sqrt(tf.add_n([n * tf.reduce_sum(tf.square(g)) for n, g in zip(times, gradients, strict=True)]))
    factor = tf.minimum(1.0, norm / tf.maximum(total, 1e-12))
    return [tf.clip_by_value(factor * g, -value, value) for g in gradients]


def draw_genre(tags: tf.Tensor, keys: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """One of each song's tags, all equally likely (section 3.3): (label one-hot or zeros, rank or -1 without a tag).

    tags: k-hot (batch, genres); keys: uniform (batch, genres), new at every update.
    """
    rank = tf.argmax(tags * (keys + 1e-6), axis=1, output_type=tf.int32)
    tagged = tf.reduce_sum(tags, axis=1) > 0
    label = tf.one_hot(rank, tags.shape[1]) * tf.cast(tagged, tf.float32)[:, None]
    return label, tf.where(tagged, rank, -1)


def petal_of(rank: tf.Tensor, placement: np.ndarray, petals: int, anywhere: tf.Tensor) -> tf.Tensor:
    """Petal (batch,) of a genre's rank; without a tag the program's extra 33rd petal, or with 32 petals any one.

    placement: petal of each rank (genres,); anywhere: uniform integers (batch,) below `petals`.
    """
    placement = tf.constant(np.asarray(placement) % petals, tf.int32)
    lost = tf.fill(tf.shape(rank), placement.shape[0]) if petals > placement.shape[0] else anywhere
    return tf.where(rank >= 0, tf.gather(placement, tf.maximum(rank, 0)), lost)


def prior_draw(config: Config, noise: tf.Tensor, petal: tf.Tensor | None = None) -> tf.Tensor:
    """z_p (batch, latent) from standard normal noise: N(0, I) as it is, or the flower's petals (section 3.3)."""
    if petal is None:
        return noise
    return prior.flower(noise, petal, config.petals, config.radial_variance, config.other_variance)


def named(step: Step, draws: Any, entropy: tf.Tensor, logits: tf.Tensor, for_critic: tf.Tensor,
          for_encoder: tf.Tensor) -> dict[str, tf.Tensor]:
    """The terms of one update under their names, for the logs."""
    return {
        "losses/reconstruction": step.mean(tf.reduce_sum(entropy, axis=1)),
        "losses/critic": step.mean(for_critic),
        "losses/adversarial": step.mean(for_encoder),
        "losses/beta": step.mean(tf.zeros_like(for_encoder) + draws.beta),
        **accuracies(step, draws.tokens, logits),
    }


def accuracies(step: Step, tokens: tf.Tensor, logits: tf.Tensor) -> dict[str, tf.Tensor]:
    """Accuracy of each track in one update, for the logs."""
    right = accuracy(tokens, logits)
    tracks = ("drums", "bass", "guitar", "strings")
    return {f"metrics/accuracy_{track}": step.mean(right[:, k]) for k, track in enumerate(tracks)}
