"""What trained networks are asked for: codes, images, blends, and the judgement of the genre classifiers."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from common.training import Learner
from papers.fma_interpolation import data, losses


@lru_cache(maxsize=4)
def compiled(network: keras.Model) -> Callable:
    """The network at inference as one graph: eager recurrent layers would take seconds."""
    def run(*inputs):
        return network(*inputs, training=False)

    return tf.function(run, reduce_retracing=True)


def _through(network, values):
    """Outputs of a one-output network for (n, …), in batches."""
    run = compiled(network)
    return np.concatenate([np.asarray(run(values[i:i + data.BATCH])) for i in range(0, len(values), data.BATCH)])


# ---------------------------------------------------------------- autoencoders

def posteriors(learner: Learner, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means and log-variances, each (n, latent), of images (n, bands, frames)."""
    network = compiled(learner.networks["encoder"])
    parts = [network(images[i:i + data.BATCH, ..., None]) for i in range(0, len(images), data.BATCH)]
    return tuple(np.concatenate([np.asarray(part[k]) for part in parts]) for k in (0, 1))


def draw(mean: np.ndarray, log_variance: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """z = mean + exp(log_variance / 2) * noise, any shape."""
    return mean + np.exp(0.5 * log_variance) * noise


def encode(learner: Learner, images: np.ndarray) -> np.ndarray:
    """Codes (n, latent) of images (n, bands, frames): the means."""
    return posteriors(learner, images)[0]


def decode(learner: Learner, codes: np.ndarray, loss: str) -> np.ndarray:
    """Images (n, bands, frames) in [0, 1] of codes (n, latent); `loss` says what the decoder's output means."""
    outputs = _through(learner.networks["decoder"], codes)
    return np.clip(np.asarray(losses.decoded(loss, outputs))[..., 0], 0.0, 1.0)


def fractions(points: int) -> np.ndarray:
    """Share of A at each point, from 1 (A) to 0 (B); nine points are 1/8 apart."""
    return np.linspace(1.0, 0.0, points)


def blend(code_a: np.ndarray, code_b: np.ndarray, share: np.ndarray) -> np.ndarray:
    """z = fraction * z_A + (1 - fraction) * z_B; codes (pairs, latent), shares (points,): (pairs, points, latent)."""
    share = np.asarray(share, np.float32)[None, :, None]
    return share * code_a[:, None] + (1 - share) * code_b[:, None]


WAYS = ("mean", "parameters", "sample")  # of blending, see path_codes


def path_codes(first: tuple[np.ndarray, np.ndarray], second: tuple[np.ndarray, np.ndarray], shares: np.ndarray,
               how: str, noise: np.ndarray) -> np.ndarray:
    """Codes (pairs, points, latent) from A to B.

    Args:
        first, second: (mean, log_variance), each (pairs, latent).
        how: "mean" blends the means (the report's equation); "parameters" blends means and log-variances and draws at
            every point (program, 584ade5: the report's nine panels); "sample" blends one draw of each end (program,
            last cell of c114915).
        noise: standard normal, (pairs, points, latent); "sample" uses the first two points of it.
    """
    if how == "mean":
        return blend(first[0], second[0], shares)
    if how == "parameters":
        mean, log_variance = (blend(a, b, shares) for a, b in zip(first, second, strict=True))
        return draw(mean, log_variance, noise)
    return blend(draw(*first, noise[:, 0]), draw(*second, noise[:, 1]), shares)


def path_images(learner: Learner, loss: str, first: np.ndarray, second: np.ndarray, shares: np.ndarray, how: str,
                seed: int) -> np.ndarray:
    """Decoded images (pairs, points, bands, frames) from A to B; first, second: images (pairs, bands, frames)."""
    ends = posteriors(learner, first), posteriors(learner, second)
    noise = np.random.default_rng([seed, 3]).standard_normal((len(first), max(2, len(shares)), ends[0][0].shape[-1]),
                                                             np.float32)
    codes = path_codes(*ends, shares, how, noise[:, :len(shares)] if how == "parameters" else noise)
    flat = decode(learner, codes.reshape(-1, codes.shape[-1]), loss)
    return flat.reshape(len(first), len(shares), *first.shape[1:])


def generate(learner: Learner, loss: str, latent: int, count: int, seed: int) -> np.ndarray:
    """Unconditioned images (count, bands, frames): codes from N(0, 1), decoded."""
    codes = np.random.default_rng([seed, 7]).standard_normal((count, latent), np.float32)
    return decode(learner, codes, loss)


# ---------------------------------------------------------------- genre classifiers

@dataclass(frozen=True)
class Judge:
    """The classifiers that judge: CNN_1's last hidden layer embeds, CNN_2 names the genre."""

    hidden: keras.Model
    classifier: keras.Model

    def embed(self, images: np.ndarray) -> np.ndarray:
        """Embeddings (…, 64) of images (…, bands, frames)."""
        return self._all(self.hidden, images)

    def classify(self, images: np.ndarray) -> np.ndarray:
        """Genre probabilities (…, classes) of images (…, bands, frames)."""
        return self._all(self.classifier, images)

    def _all(self, network, images):
        flat = images.reshape(-1, *images.shape[-2:], 1).astype(np.float32)
        return _through(network, flat).reshape(*images.shape[:-2], -1)


def judge_of(learners: dict[str, Learner]) -> Judge:
    """The Judge of {"cnn_1": Learner, "cnn_2": Learner}."""
    network = learners["cnn_1"].networks["classifier"]
    return Judge(keras.Model(network.input, network.layers[-2].output), learners["cnn_2"].networks["classifier"])


def probabilities(learner: Any, images: np.ndarray) -> Any:
    """Genre probabilities (n, classes) that a trained classifier gives images (n, bands, frames)."""
    return _through(learner.networks["classifier"], images[..., None])


def predicted(learner: Learner, read: Callable[[np.ndarray], dict[str, np.ndarray]], count: int) -> np.ndarray:
    """Genre codes (count,) of the images that `read` (data.reader) gives, a batch in memory at a time."""
    run = compiled(learner.networks["classifier"])
    return np.concatenate(data.in_batches(lambda batch: np.argmax(run(batch["image"]), axis=-1), read, count))
