"""From arrays to numbers: accuracies, baselines, tests and properties of images. Pure functions."""

import warnings
from collections.abc import Sequence

import numpy as np
from scipy.stats import rankdata
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import silhouette_samples
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def cross_entropies(logits: np.ndarray, labels: Sequence[int] | np.ndarray) -> np.ndarray:
    """Cross entropy of each row, in nats."""
    logits = np.float64(logits)
    peak = logits.max(axis=1, keepdims=True)
    total = np.log(np.exp(logits - peak).sum(axis=1)) + peak[:, 0]
    return total - logits[np.arange(len(labels)), labels]


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities (rows, classes)."""
    powers = np.exp(np.float64(logits) - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def entropy(labels: np.ndarray) -> float:
    """Entropy of the shares of the labels, in nats."""
    share = np.bincount(labels) / len(labels)
    share = share[share > 0]
    return -float(np.sum(share * np.log(share)))


def classify(train_codes: np.ndarray, train_labels: np.ndarray, test_codes: np.ndarray,
             iterations: int = 5000) -> tuple[np.ndarray, np.ndarray]:
    """Multi-class logistic regression (section 3.3): L2 with C = 1, unscaled codes, as in the program.

    Returns (predictions on train, predictions on test). The program's solvers (lbfgs, saga) have one optimum.
    """
    fitted = regression(train_codes, train_labels, iterations)
    return fitted.predict(train_codes), fitted.predict(test_codes)


def regression(train_codes: np.ndarray, train_labels: np.ndarray, iterations: int) -> LogisticRegression:
    """The regression of `classify`, fitted; `stopped` says of it whether the iterations were too few."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LogisticRegression(C=1.0, max_iter=iterations).fit(train_codes, train_labels)


def stopped(fitted: LogisticRegression) -> bool:
    """Whether a regression was stopped before its optimum."""
    return bool(np.max(fitted.n_iter_) >= fitted.max_iter)


def loudness_baseline(level: np.ndarray, labels: np.ndarray, train: np.ndarray, test: np.ndarray) -> float:
    """Test accuracy of a regression on loudness alone.

    level: (clips, frames) of MFCC coefficient 0; its mean and deviation over a clip are all that is used.
    """
    level = np.asarray(level, np.float64)
    values = np.stack([level.mean(axis=1), level.std(axis=1)], axis=1)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(values[train], labels[train])
    return float(np.mean(model.predict(values[test]) == labels[test]))


def squared_errors(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Mean squared difference of each image (count, ...) from its counterpart, or from one image: (count,)."""
    return np.mean(np.square(np.float64(images) - others).reshape(len(images), -1), axis=1)


def difference_by_group(first: Sequence[float] | np.ndarray, first_groups: Sequence | np.ndarray,
                        second: Sequence[float] | np.ndarray, second_groups: Sequence | np.ndarray) -> dict:
    """Difference of two means over other items of the same groups: {"value", "groups": {"names", "values", "weights"}}.

    A group's value is the difference plus, linearised, all that the group adds to it in both means, so that the mean
    over groups is the difference and their variance is that of two ratio estimates on shared groups.
    """
    names = np.unique(np.concatenate([first_groups, second_groups]))
    value = float(np.mean(first) - np.mean(second))
    values = np.full(len(names), value)
    for sign, items, groups in ((1.0, first, first_groups), (-1.0, second, second_groups)):
        added = np.bincount(np.searchsorted(names, groups), items - np.mean(items), len(names))
        values += sign * len(names) * added / len(items)
    return {"value": value, "groups": {"names": [str(name) for name in names], "values": values.tolist(),
                                       "weights": [1] * len(names)}}  # fmt: skip


def permutation_p(predicted: np.ndarray, truth: np.ndarray, seed: int = 0, count: int = 200) -> float:
    """Share of permutations of the labels on which the accuracy is at least the measured one."""
    random = np.random.default_rng([seed, 3])
    wins = [np.mean(predicted == random.permutation(truth)) >= np.mean(predicted == truth) for _ in range(count)]
    return (1 + sum(wins)) / (1 + count)


def mcnemar(first: np.ndarray, second: np.ndarray, groups: Sequence | np.ndarray) -> float:
    """|z| of McNemar's test on paired right answers of clips in groups (Durkalski et al. 2003).

    0 where both are as often right. Clips of a group are not independent: with each clip a group of its own it is
    McNemar's own z.
    """
    _, place = np.unique(groups, return_inverse=True)
    leads = np.bincount(place, np.float64(first) - np.float64(second))
    total = np.sum(np.square(leads))
    return float(abs(leads.sum()) / np.sqrt(total)) if total else 0.0


def clustered_error(values: np.ndarray, groups: Sequence | np.ndarray) -> float:
    """Standard error of a mean of items whose groups, not they, are independent; infinite for a single group."""
    names, place = np.unique(groups, return_inverse=True)
    if len(names) < 2:
        return float("inf")
    added = np.bincount(place, values - np.mean(values)) / len(values)
    return float(np.sqrt(len(names) / (len(names) - 1) * np.sum(np.square(added))))


def silhouettes(points: np.ndarray, labels: np.ndarray, metric: str = "euclidean") -> np.ndarray:
    """Silhouette of each point (count,) among classes: 1 separate, 0 mixed."""
    return silhouette_samples(points, labels, metric=metric)


def level_slope(images: np.ndarray) -> float:
    """Spearman correlation of mean level and position along a path of images; 0 where the level never changes."""
    level = images.reshape(len(images), -1).mean(axis=1)
    a, b = rankdata(level), np.arange(len(level))
    return float(np.corrcoef(a, b)[0, 1]) if np.ptp(a) > 0 else 0.0


def panel_scale(images: np.ndarray) -> np.ndarray:
    """Each image from its own smallest to its own largest value, as the figures draw them: (count, 32, 32)."""
    flat = np.float64(images).reshape(len(images), -1)
    low, high = flat.min(axis=1, keepdims=True), flat.max(axis=1, keepdims=True)
    return ((flat - low) / np.where(high > low, high - low, 1.0)).reshape(len(images), 32, 32)


def two_sample_accuracy(generated: np.ndarray, real: np.ndarray) -> float:
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


def pixel_deviation(images: np.ndarray) -> np.ndarray:
    """Standard deviation of each pixel over images (count, ...): (...), 0 where all images agree."""
    return np.std(np.float64(images), axis=0)


def share_near_the_ends(images: np.ndarray) -> float:
    """Share of cells within 0.05 of 0 or 1."""
    return float(np.mean((images < 0.05) | (images > 0.95)))


def share_beyond(images: np.ndarray) -> float:
    """Share of cells that a sigmoid cannot reach: at or below 0, at or above 1."""
    return float(np.mean((images <= 0.0) | (images >= 1.0)))


def excess(images: np.ndarray) -> float:
    """How far images leave (0, 1)."""
    return float(max(0.0, -images.min(), images.max() - 1.0))
