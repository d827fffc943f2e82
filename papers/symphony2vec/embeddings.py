"""Codes of trained embeddings and of PCA (sections 3.3 and 3.4)."""

import numpy as np
from sklearn.decomposition import PCA

from papers.symphony2vec import inference


def autoencoder_codes(kind, learner, images, rows, config):
    """Codes (rows, 40) of AE or CAE, of the VAE the means, or with its log variances (rows, 80)."""
    codes = inference.outputs(learner.networks["encoder"], images, rows)
    return codes[:, : config.code_size] if kind == "vae" and config.vae_code == "mean" else codes


def ali_codes(encoder, images, rows, config, shuffle=None):
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


def warm(encoder, images, rows, batches=60):
    """Bring the moving statistics of an untrained encoder to its data: passes in training mode, weights untouched."""
    for number in range(batches):
        encoder(images[np.random.default_rng([number, 18]).choice(rows, 64)], training=True)


def fit_pca(images, rows, config, seed=0):
    """PCA with 40 components (fewer for fewer clips) of the flattened images of some store rows."""
    flat = images[rows].reshape(len(rows), -1)
    return PCA(min(config.code_size, len(rows), flat.shape[1]), random_state=seed).fit(flat)


def pca_transform(pca, images, rows):
    """Codes (rows, components) of store rows."""
    return pca.transform(images[rows].reshape(len(rows), -1))


def pca_codes(images, parts, config, seed=0):
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
