"""Codes of trained embeddings and of PCA (sections 3.3 and 3.4)."""

import keras
import numpy as np
from sklearn.decomposition import PCA

from common.training import Learner
from papers.symphony2vec import inference
from papers.symphony2vec.config import Config
from papers.symphony2vec.data import Images


def autoencoder_codes(kind: str, learner: Learner, images: np.ndarray | Images, rows: np.ndarray,
                      config: Config) -> np.ndarray:
    """Codes (rows, 40) of AE or CAE, of the VAE the means, or with its log variances (rows, 80)."""
    codes = inference.outputs(learner.networks["encoder"], images, rows)
    return codes[:, : config.code_size] if kind == "vae" and config.vae_code == "mean" else codes


def ali_codes(encoder: keras.Model, images: np.ndarray | Images, rows: np.ndarray, config: Config,
              shuffle: int | None = None) -> np.ndarray:
    """ALI's means (rows, LD), or with their log deviations (rows, 2 LD), in the program's batches of 16.

    Where batch statistics are used the batch is part of the model: the program shuffles what the regression is fitted
    on (`shuffle`: a seed) and not what it is tested on.
    """
    rows = np.asarray(rows)
    order = np.arange(len(rows)) if shuffle is None else np.random.default_rng([shuffle, 17]).permutation(len(rows))
    found = inference.outputs(encoder, images, rows[order], 16, training=config.ali_statistics == "batch")
    codes = np.empty_like(found)
    codes[order] = found
    return codes[:, : codes.shape[1] // 2] if config.ali_code == "mean" else codes


def warm(encoder: keras.Model, images: np.ndarray | Images, rows: np.ndarray, batches: int = 60) -> None:
    """Bring the moving statistics of an untrained encoder to its data: passes in training mode, weights untouched."""
    for number in range(batches):
        encoder(images[np.random.default_rng([number, 18]).choice(rows, 64)], training=True)


def fit_pca(images: np.ndarray | Images, rows: np.ndarray, config: Config, seed: int = 0) -> PCA:
    """PCA with 40 components (fewer for fewer clips) of the flattened images of some store rows."""
    flat = images[rows].reshape(len(rows), -1)
    return PCA(min(config.code_size, len(rows), flat.shape[1]), random_state=seed).fit(flat)


def pca_transform(pca: PCA, images: np.ndarray | Images, rows: np.ndarray) -> np.ndarray:
    """Codes (rows, components) of store rows."""
    return pca.transform(images[rows].reshape(len(rows), -1))


def pca_codes(images: np.ndarray | Images, parts: list[tuple[np.ndarray, np.ndarray]], config: Config,
              seed: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    """[(train codes, test codes)] of PCA with 40 components, one pair for each part (train rows, test rows).

    pca_fit "train": one PCA of all training clips. "each_set": the program's, fitted anew on each part and on its test
    clips, so that train and test codes do not share their axes.
    """
    if config.pca_fit == "train":
        pca = fit_pca(images, np.concatenate([train for train, _ in parts]), config, seed)
        return [tuple(pca_transform(pca, images, rows) for rows in part) for part in parts]
    pairs = [tuple(pca_transform(fit_pca(images, rows, config, seed), images, rows) for rows in part) for part in parts]
    width = min(codes.shape[1] for pair in pairs for codes in pair)
    return [tuple(codes[:, :width] for codes in pair) for pair in pairs]
