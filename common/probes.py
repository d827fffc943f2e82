"""Simple measurements on encodings that several papers use: probes, neighbours, spreads. scikit-learn throughout."""

from collections.abc import Sequence

import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support, silhouette_score
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler


def logistic(train_x: np.ndarray, train_y: np.ndarray, iterations: int = 1000) -> Pipeline:
    """A multinomial logistic regression on standardised inputs (n, d), fitted; `.predict(x)` names classes."""
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=iterations)).fit(train_x, train_y)


def logistic_accuracy(train_x: np.ndarray, train_y: np.ndarray, test_x: np.ndarray, test_y: np.ndarray,
                      iterations: int = 1000) -> float:
    """Test accuracy of `logistic`."""
    return float(logistic(train_x, train_y, iterations).score(test_x, test_y))


def neighbour_accuracy(train_x: np.ndarray, train_y: np.ndarray, test_x: np.ndarray, test_y: np.ndarray,
                       neighbours: int = 5) -> float:
    """Test accuracy of a k-nearest-neighbour classifier, Euclidean, unscaled; inputs (n, d)."""
    probe = KNeighborsClassifier(min(neighbours, len(train_x)))
    return float(probe.fit(train_x, train_y).score(test_x, test_y))


def majority_rate(train_y: np.ndarray, test_y: np.ndarray) -> float:
    """Accuracy on `test_y` of always answering the commonest class of `train_y`."""
    values, counts = np.unique(train_y, return_counts=True)
    return float(np.mean(np.asarray(test_y) == values[counts.argmax()]))


def silhouette(x: np.ndarray, y: np.ndarray, most: int = 4000, seed: int = 0) -> float:
    """Mean silhouette of the classes in x (n, d): 1 apart, 0 mixed; a seeded sample above `most` rows.

    Constant encodings (a dead bottleneck) separate nothing: 0.
    """
    x, y = np.asarray(x, np.float64), np.asarray(y)
    if np.ptp(x, axis=0).max(initial=0.0) == 0.0 or len(np.unique(y)) < 2 or len(x) <= len(np.unique(y)):
        return 0.0
    return float(silhouette_score(x, y, sample_size=most if len(x) > most else None, random_state=seed))


def principal_components(fit_x: np.ndarray, x: np.ndarray, dimensions: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """`x` (n, d) on the principal axes of `fit_x`: (n, dimensions), and the shares of variance they explain."""
    axes = PCA(dimensions, random_state=0).fit(fit_x)
    return axes.transform(x), axes.explained_variance_ratio_


def class_spreads(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Trace of each class's covariance, classes in ascending order of their codes."""
    return np.array([np.asarray(x)[y == label].var(axis=0).sum() for label in np.unique(y)])


def centroid_distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Distances (k, k) of class means in units of the pooled within-class deviation; NaN if there is no spread."""
    x = np.asarray(x, np.float64)
    means = np.stack([x[y == label].mean(axis=0) for label in np.unique(y)])
    pooled = np.sqrt(class_spreads(x, y).mean())
    return np.linalg.norm(means[:, None] - means[None], axis=-1) / (pooled if pooled > 0 else np.nan)


def neighbour_impurity(x: np.ndarray, y: np.ndarray, neighbours: int = 20) -> np.ndarray:
    """Per class: mean share of the nearest neighbours that belong to another class."""
    found = _neighbours(x, neighbours)
    other = (y[found] != y[:, None]).mean(axis=1)
    return np.array([other[y == label].mean() for label in np.unique(y)])


def same_group(x: np.ndarray, groups: Sequence | np.ndarray) -> np.ndarray:
    """Whether each point's nearest neighbour belongs to the same group (track), (n,)."""
    groups = np.asarray(groups)
    return groups[_neighbours(x, 1)[:, 0]] == groups


def _neighbours(x, count):
    count = min(count, len(x) - 1)
    return NearestNeighbors(n_neighbors=count + 1).fit(x).kneighbors(x, return_distance=False)[:, 1:]


def scores(true: np.ndarray, predicted: np.ndarray, classes: int) -> dict:
    """Accuracy, confusion counts (rows true), and precision, recall, F1 per class (0 where undefined)."""
    names = np.arange(classes)
    precision, recall, f1, _ = precision_recall_fscore_support(true, predicted, labels=names, zero_division=0)
    return {"accuracy": float(np.mean(np.asarray(true) == np.asarray(predicted))), "precision": precision,
            "recall": recall, "f1": f1, "confusion": confusion_matrix(true, predicted, labels=names)}


def r_squared(x: np.ndarray, x_hat: np.ndarray) -> float:
    """1 - error / error of the all-zero predictor; at or below 0 nothing is reconstructed."""
    x, x_hat = np.asarray(x, np.float64), np.asarray(x_hat, np.float64)
    return float(1 - np.square(x - x_hat).sum() / np.square(x).sum())


def mean_distance(images: np.ndarray) -> float:
    """Mean absolute difference of all pairs of images (count, ...), over pixels: how various they are, 0 if all equal.

    From the ranks of each pixel's values, without the pairs.
    """
    ranked = np.sort(np.float64(images).reshape(len(images), -1), axis=0)
    weights = 2.0 * np.arange(len(ranked)) - len(ranked) + 1
    return float(np.mean(weights @ ranked) / max(1, len(ranked) * (len(ranked) - 1) / 2))
