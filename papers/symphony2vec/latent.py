"""What ALI's generator does with its latent space: samples, their spread, the path of Figures 10 and 11."""

import keras
import numpy as np
from scipy.stats import rankdata
from sklearn.neighbors import NearestNeighbors

from papers.symphony2vec import inference

POINTS = 16  # panels of Figures 10 and 11


def path(latent_size, points=POINTS):
    """The printed path (points, LD): t from 0 to 1, every coordinate equal to t."""
    return np.float32(np.linspace(0.0, 1.0, points)[:, None] * np.ones(latent_size))


def generate(learner, z, config):
    """Images (count, 32, 32, 1) for latents; in one batch where batch statistics are used, as the program does."""
    batch = config.ali_statistics == "batch"
    return inference.decoded(learner.networks["generator"], z, len(z) if batch else 64, training=batch)


def level_slope(images):
    """Spearman correlation of mean level and position along a path of images; 0 where the level never changes."""
    level = images.reshape(len(images), -1).mean(axis=1)
    a, b = rankdata(level), np.arange(len(level))
    return float(np.corrcoef(a, b)[0, 1]) if np.ptp(a) > 0 else 0.0


def direction_slopes(learner, config, latent_size, count, seed=0):
    """`level_slope` along random directions, from the origin to length sqrt(LD); (count,)."""
    directions = np.random.default_rng([seed, 14]).normal(size=(count, latent_size))
    directions *= np.sqrt(latent_size) / np.linalg.norm(directions, axis=1, keepdims=True)
    t = np.linspace(0.0, 1.0, POINTS)[:, None]
    return np.array([level_slope(generate(learner, t * direction, config)) for direction in directions])


def panel_scale(images):
    """Each image from its own smallest to its own largest value, as the figures draw them: (count, 32, 32)."""
    flat = np.float64(images).reshape(len(images), -1)
    low, high = flat.min(axis=1, keepdims=True), flat.max(axis=1, keepdims=True)
    return ((flat - low) / np.where(high > low, high - low, 1.0)).reshape(len(images), 32, 32)


def scale_blindness(learner, latent_size):
    """Largest change of the generator's output before the sigmoid from the path z to 10 z, over its deviation.

    With batch statistics, whatever the mode: the first layer is linear and then normalised. Moving averages change, so
    call this last.
    """
    generator = learner.networks["generator"]
    logits = keras.Model(generator.input, generator.layers[-1].input)
    near, far = (np.asarray(logits(scale * path(latent_size), training=True)) for scale in (1.0, 10.0))
    return float(np.abs(near - far).max() / near.std())


def two_sample_accuracy(generated, real):
    """Leave-one-out accuracy of the nearest neighbour in telling equally many generated and real images apart.

    1 / 2: not told apart; 1: always. (Lopez-Paz and Oquab, 2017.)
    """
    count = min(len(generated), len(real))
    points = np.concatenate([np.float64(x[:count]).reshape(count, -1) for x in (generated, real)])
    truth = np.repeat([0, 1], count)
    neighbours = NearestNeighbors(n_neighbors=2).fit(points).kneighbors(points, return_distance=False)
    # A duplicate may come before the point itself.
    nearest = np.where(neighbours[:, 0] == np.arange(len(points)), neighbours[:, 1], neighbours[:, 0])
    return float(np.mean(truth[nearest] == truth))
