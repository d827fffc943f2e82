"""Sub-classes by k-means on first-layer VGG16 features (sec. 2.3.1, last paragraph)."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from papers.lord_transfer import vgg
from papers.lord_transfer.config import Config

POOLED_BANDS = 16
COMPONENTS = 64


def features(network: Callable, images: np.ndarray) -> np.ndarray:
    """VGG features (n, 16 * 64) of images (n, bands, frames, 1): mean over time, frequency pooled into 16 bands."""
    found = []
    for start in range(0, len(images), 32):
        maps = network(vgg.as_input(images[start:start + 32, ..., :1])).numpy().mean(axis=2)
        found.append(maps.reshape(len(maps), POOLED_BANDS, -1, maps.shape[-1]).mean(axis=2).reshape(len(maps), -1))
    return np.concatenate(found)


def subclasses(config: Config, found: Any, reader: Any) -> Any:
    """Windows whose classes are cluster numbers: class c has the sub-classes c * k to c * k + k - 1.

    The paper names neither k nor a reduction: PCA to 64 values, k = `config.subclasses`, k-means from a fixed seed.
    """
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA

    network = (vgg.random_first_layer() if config.perceptual == "random" or not config.vgg_weights
               else vgg.read(config.vgg_weights)[0])
    classes = np.zeros(len(found), dtype=np.int64)
    for number in range(len(found.labels)):
        mine = np.flatnonzero(found.classes == number)
        values = features(network, reader.read(found, mine))
        values = PCA(min(COMPONENTS, *values.shape), random_state=0).fit_transform(values)
        clusters = min(config.subclasses, len(mine))
        classes[mine] = number * config.subclasses + KMeans(clusters, n_init=4, random_state=0).fit_predict(values)
    return dataclasses.replace(found, classes=classes)
