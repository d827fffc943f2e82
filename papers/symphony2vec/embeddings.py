"""Codes of trained embeddings and of PCA, and what a logistic regression reads from them (section 3.3)."""

import warnings

import numpy as np
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from papers.symphony2vec import inference


def classify(train_codes, train_labels, test_codes, iterations=5000):
    """Multi-class logistic regression (section 3.3): L2 with C = 1, unscaled codes, as in the program.

    Returns (predictions on train, predictions on test). The program's solvers (lbfgs, saga) have one optimum.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = LogisticRegression(C=1.0, max_iter=iterations).fit(train_codes, train_labels)
    return fitted.predict(train_codes), fitted.predict(test_codes)


def autoencoder_codes(kind, learner, images, rows, config):
    """Codes (rows, 40) of AE or CAE, of the VAE the means, or with its log variances (rows, 80)."""
    codes = inference.outputs(learner.networks["encoder"], images, rows)
    return codes[:, : config.code_size] if kind == "vae" and config.vae_code == "mean" else codes


def ali_codes(encoder, images, rows, config, batch_size=64):
    """ALI's means (rows, LD), or with their log deviations (rows, 2 LD)."""
    codes = inference.outputs(encoder, images, rows, batch_size, training=config.ali_statistics == "batch")
    return codes[:, : codes.shape[1] // 2] if config.ali_code == "mean" else codes


def fit_pca(images, rows, config, seed=0):
    """PCA with 40 components (fewer for fewer clips) of the flattened images of some store rows."""
    flat = images[rows].reshape(len(rows), -1)
    return PCA(min(config.code_size, len(rows), flat.shape[1]), random_state=seed).fit(flat)


def pca_codes(images, parts, config, seed=0):
    """[(train codes, test codes)] of PCA with 40 components, one pair for each part (train rows, test rows).

    pca_fit "train": one PCA of all training clips. "each_set": the program's, fitted anew on each part and on its test
    clips, so that train and test codes do not share their axes.
    """
    def fit(rows):
        return fit_pca(images, rows, config, seed)

    def codes(pca, rows):
        return pca.transform(images[rows].reshape(len(rows), -1))

    if config.pca_fit == "train":
        pca = fit(np.concatenate([train for train, _ in parts]))
        return [(codes(pca, train), codes(pca, test)) for train, test in parts]
    fitted = [(fit(train), fit(test)) for train, test in parts]
    width = min(min(a.n_components_, b.n_components_) for a, b in fitted)
    return [(codes(a, train)[:, :width], codes(b, test)[:, :width])
            for (a, b), (train, test) in zip(fitted, parts, strict=True)]  # fmt: skip


def loudness_baseline(store, labels, train, test):
    """Test accuracy of a regression on loudness alone: mean and deviation over a clip of MFCC coefficient 0."""
    level = np.asarray(store.array("mfcc")[:, 0, :], np.float64)
    values = np.stack([level.mean(axis=1), level.std(axis=1)], axis=1)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(values[train], labels[train])
    return float(np.mean(model.predict(values[test]) == labels[test]))


def majority_baseline(labels, test):
    """Test accuracy of the best constant answer: the share of the composer commonest in test, as in the program."""
    return float(np.bincount(labels[test]).max() / len(test))
