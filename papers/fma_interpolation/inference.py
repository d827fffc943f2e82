"""What trained networks are asked for: codes, images, blends, and the judgement of the genre classifiers."""

from dataclasses import dataclass
from functools import lru_cache

import keras
import numpy as np
import tensorflow as tf

from papers.fma_interpolation import data, losses


@lru_cache(maxsize=4)
def compiled(network):
    """The network at inference as one graph: eager recurrent layers would take seconds."""
    def run(*inputs):
        return network(*inputs, training=False)

    return tf.function(run, reduce_retracing=True)


def _through(network, values):
    """Outputs of a one-output network for (n, …), in batches."""
    run = compiled(network)
    return np.concatenate([np.asarray(run(values[i:i + data.BATCH])) for i in range(0, len(values), data.BATCH)])


# ---------------------------------------------------------------- autoencoders

def encode(learner, images, seed=None):
    """Codes (n, latent) of images (n, bands, frames): the means, or with a seed a draw from each posterior."""
    network = compiled(learner.networks["encoder"])
    parts = [network(images[i:i + data.BATCH, ..., None]) for i in range(0, len(images), data.BATCH)]
    mean, log_variance = (np.concatenate([np.asarray(part[k]) for part in parts]) for k in (0, 1))
    if seed is None:
        return mean
    return mean + np.exp(0.5 * log_variance) * np.random.default_rng(seed).standard_normal(mean.shape, np.float32)


def decode(learner, codes, loss):
    """Images (n, bands, frames) in [0, 1] of codes (n, latent); `loss` says what the decoder's output means."""
    outputs = _through(learner.networks["decoder"], codes)
    return np.clip(np.asarray(losses.decoded(loss, outputs))[..., 0], 0.0, 1.0)


def fractions(points):
    """Share of A at each point, from 1 (A) to 0 (B); nine points are 1/8 apart."""
    return np.linspace(1.0, 0.0, points)


def blend(code_a, code_b, share):
    """z = fraction * z_A + (1 - fraction) * z_B; codes (pairs, latent), shares (points,): (pairs, points, latent)."""
    share = np.asarray(share, np.float32)[None, :, None]
    return share * code_a[:, None] + (1 - share) * code_b[:, None]


def path_images(learner, loss, first, second, shares, how, seed):
    """Decoded images (pairs, points, bands, frames) from A to B.

    Args:
        first, second: images (pairs, bands, frames). shares: (points,).
        how: "mean" blends the means, "sample" one draw of each code.
    """
    seeds = (None, None) if how == "mean" else (seed + 1, seed + 2)
    codes = blend(encode(learner, first, seeds[0]), encode(learner, second, seeds[1]), shares)
    flat = decode(learner, codes.reshape(-1, codes.shape[-1]), loss)
    return flat.reshape(len(first), len(shares), *first.shape[1:])


def generate(learner, loss, latent, count, seed):
    """Unconditioned images (count, bands, frames): codes from N(0, 1), decoded."""
    codes = np.random.default_rng([seed, 7]).standard_normal((count, latent), np.float32)
    return decode(learner, codes, loss)


# ---------------------------------------------------------------- genre classifiers

@dataclass(frozen=True)
class Judge:
    """The classifiers that judge: CNN_1's last hidden layer embeds, CNN_2 names the genre."""

    hidden: keras.Model
    classifier: keras.Model

    def embed(self, images):
        """Embeddings (…, 64) of images (…, bands, frames)."""
        return self._all(self.hidden, images)

    def classify(self, images):
        """Genre probabilities (…, classes) of images (…, bands, frames)."""
        return self._all(self.classifier, images)

    def _all(self, network, images):
        flat = images.reshape(-1, *images.shape[-2:], 1).astype(np.float32)
        return _through(network, flat).reshape(*images.shape[:-2], -1)


def judge_of(learners):
    """The Judge of {"cnn_1": Learner, "cnn_2": Learner}."""
    network = learners["cnn_1"].networks["classifier"]
    return Judge(keras.Model(network.input, network.layers[-2].output), learners["cnn_2"].networks["classifier"])


def probabilities(learner, images):
    """Genre probabilities (n, classes) that a trained classifier gives images (n, bands, frames)."""
    return _through(learner.networks["classifier"], images[..., None])
