"""Smoothness of an encoding (section 5.2): do the neighbours change bit by bit from one class to another?"""

import numpy as np
from sklearn.neighbors import NearestNeighbors


def transition(x: np.ndarray, y: np.ndarray, first: int, second: int, steps: int = 20, neighbours: int = 20) -> float:
    """Smoothness between two classes: do the neighbours change from one to the other bit by bit on the line of means?

    At places t on the line from the mean of class `first` (t = 0) to that of `second` (t = 1) stands s(t), the share of
    class `second` among the nearest points of both, each class counted by its size. The value is
    1 - sum (s - t)^2 / sum (0.5 - t)^2: 1 for an even change, 0 where s is a half everywhere (nothing separates:
    noise, constants) and 0 where it leaps from 0 to 1 in the middle (clusters without anything between).
    """
    a, b = x[y == first], x[y == second]
    points, second_ones = np.concatenate([a, b]), np.repeat([0.0, 1.0], [len(a), len(b)])
    if not len(a) or not len(b) or np.ptp(points, axis=0).max(initial=0.0) == 0.0:
        return 0.0
    t = (np.arange(steps) + 0.5) / steps
    line = a.mean(axis=0) + t[:, None] * (b.mean(axis=0) - a.mean(axis=0))
    search = NearestNeighbors(n_neighbors=min(neighbours, len(points))).fit(points)
    found = search.kneighbors(line, return_distance=False)
    ones = second_ones[found].mean(axis=1) / len(b)
    zeros = (1 - second_ones[found]).mean(axis=1) / len(a)
    share = ones / (ones + zeros)
    return float(1 - np.square(share - t).sum() / np.square(0.5 - t).sum())


def smoothness(x: np.ndarray, y: np.ndarray) -> float:
    """Mean `transition` over all pairs of classes."""
    codes = np.unique(y)
    return float(np.mean([transition(x, y, a, b) for a in codes for b in codes if a < b]))
