"""The features of the data set in the plane by PCA, t-SNE and UMAP, and the time each takes (sec. Dataset)."""

import time
import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.preprocessing import StandardScaler

from common.store import Store
from papers.fma_interpolation import tables
from papers.fma_interpolation.config import Config

METHODS = ("pca", "tsne", "umap")
FEWEST = 5  # tracks that can be drawn


@dataclass(frozen=True)
class Drawing:
    """Tracks in the plane.

    Attributes:
        features: (tracks, d), unscaled. labels: (tracks,) genre codes.
        points: {method: (tracks, 2)} of scaled features; seconds: {method: what it took}.
        unscaled: {method: (tracks, 2)} of the features as they are: the report's drawing of the eight audio features.
    """

    features: np.ndarray
    labels: np.ndarray
    points: dict
    seconds: dict
    unscaled: dict


def project(method: str, x: np.ndarray, config: Config, seed: int) -> tuple[np.ndarray, float]:
    """(n, d) to (n, 2) and the seconds it took, by "pca", "tsne" or "umap"."""
    began = time.perf_counter()
    if method == "pca":
        points = PCA(2, random_state=seed).fit_transform(x)
    elif method == "tsne":
        points = TSNE(2, perplexity=min(config.perplexity, (len(x) - 1) / 3), random_state=seed).fit_transform(x)
    else:
        import umap

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a seed means one thread
            points = umap.UMAP(n_neighbors=min(config.neighbours, len(x) - 1), random_state=seed).fit_transform(x)
    return points, time.perf_counter() - began


def draw(config: Config, store: Store, seed: int) -> dict[str, Drawing]:
    """{table: Drawing}; without the data set's tables ("librosa", "audio", "temporal") that of "statistics"."""
    names = [name for name in tables.SETS if (store.directory / "arrays" / f"{name}.npy").exists()]
    found = {}
    for name in names or ["statistics"]:
        x, labels = _features(name, store)
        if config.drawn_tracks:
            x, labels = x[: config.drawn_tracks], labels[: config.drawn_tracks]
        if len(x) < FEWEST:
            continue
        scaled = StandardScaler().fit_transform(x)
        drawn = {method: project(method, scaled, config, seed) for method in METHODS}
        unscaled = {method: project(method, x, config, seed)[0] for method in METHODS[:2]} if name == "audio" else {}
        found[name] = Drawing(x, labels, {method: points for method, (points, _) in drawn.items()},
                              {method: seconds for method, (_, seconds) in drawn.items()}, unscaled)
    return found


def _features(name, store):
    if name != "statistics":
        return np.asarray(store.array(name)), np.asarray(store.array(f"{name}_label"))
    first, genres = {}, sorted({row["label"] for row in store.index})
    for i, row in enumerate(store.index):
        first.setdefault(row["group"], i)
    rows = np.random.default_rng(0).permutation(list(first.values()))
    return np.asarray(store.array("statistics"))[rows], np.array([genres.index(store.index[i]["label"]) for i in rows])
