"""What ALI's generator does with its latent space: samples, the path of Figures 10 and 11, lengths and directions."""

import keras
import numpy as np

from common.training import Learner
from papers.symphony2vec import inference, measures
from papers.symphony2vec.config import Config
from papers.symphony2vec.data import Images

POINTS = 16  # panels of Figures 10 and 11


def path(latent_size: int, points: int = POINTS) -> np.ndarray:
    """The printed path (points, LD): t from 0 to 1, every coordinate equal to t."""
    return np.float32(np.linspace(0.0, 1.0, points)[:, None] * np.ones(latent_size))


def generate(learner: Learner, z: np.ndarray, config: Config) -> np.ndarray:
    """Images (count, 32, 32, 1) for latents; in one batch where batch statistics are used, as the program does."""
    batch = config.ali_statistics == "batch"
    return inference.decoded(learner.networks["generator"], z, len(z) if batch else 64, training=batch)


def samples(learner: Learner, latent_size: int, config: Config, seed: int = 0) -> np.ndarray:
    """Images of `latent_samples` prior draws (count, 32, 32, 1), the same draws for every call."""
    z = np.random.default_rng([seed, 13]).normal(size=(config.latent_samples, latent_size))
    return generate(learner, z, config)


def reconstruct(learner: Learner, images: np.ndarray | Images, rows: np.ndarray, config: Config) -> np.ndarray:
    """G(E(x)) from the means for store rows: (rows, 32, 32, 1)."""
    training = config.ali_statistics == "batch"
    codes = inference.outputs(learner.networks["encoder"], images, rows, 64, training=training)
    return generate(learner, codes[:, : codes.shape[1] // 2], config)


def direction_slopes(learner: Learner, config: Config, latent_size: int, count: int, seed: int = 0) -> np.ndarray:
    """`level_slope` along random directions, from the origin to length sqrt(LD); (count,)."""
    directions = np.random.default_rng([seed, 14]).normal(size=(count, latent_size))
    directions *= np.sqrt(latent_size) / np.linalg.norm(directions, axis=1, keepdims=True)
    t = np.linspace(0.0, 1.0, POINTS)[:, None]
    return np.array([measures.level_slope(generate(learner, t * direction, config)) for direction in directions])


def scale_blindness(learner: Learner, latent_size: int) -> float:
    """Largest change of the generator's output before the sigmoid from the path z to 10 z, over its deviation.

    With batch statistics, whatever the mode: the first layer is linear and then normalised. The moving averages are put
    back afterwards.
    """
    generator = learner.networks["generator"]
    kept = generator.get_weights()
    logits = keras.Model(generator.input, generator.layers[-1].input)
    near, far = (np.asarray(logits(scale * path(latent_size), training=True)) for scale in (1.0, 10.0))
    generator.set_weights(kept)
    return float(np.abs(near - far).max() / near.std())
