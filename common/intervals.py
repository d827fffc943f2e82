"""95 % intervals of a mean over seeds and over groups: luck in training and luck in the choice of test music.

A value is a mean over the test set's groups (track, song, work, artist: what the split keeps whole), once a seed. Seeds
share groups, all, some or none of them. Two variances make the error of the mean:

- of groups, by linearisation: each group with all its values in all seeds.
- of seeds: what the seeds' means vary by.

Groups that are others in each seed, or differ from seed to seed, are in both, and are taken off once: of the second
where seeds share their groups (crossed with them: Owen, The pigeonhole bootstrap, Annals of Applied Statistics, 2007),
of the first where each seed has its own, since the seeds' means then say all. Test data alone, or seeds alone,
understate what varies (Bouthillier et al., Accounting for Variance in Machine Learning Benchmarks, MLSys 2021).

Each has its own interval, and their halves are added in quadrature (Howe, Approximate confidence limits on the mean of
X + Y, Journal of the American Statistical Association 69, 1974): three seeds are two degrees of freedom, groups many,
and one number of degrees of freedom for both (Satterthwaite's) makes too short an interval where three seeds decide.
That of seeds is Student's. Values of groups are skewed, so that theirs has the quantiles of their studentised mean,
groups resampled with replacement (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, ch. 12; a plain
percentile interval is too short for few groups: Hesterberg, The American Statistician 69, 2015).

How often such intervals contain the truth, by simulation (`benchmarks/coverage.py`, 1,000 draws a cell, whose standard
error is 0.7 %, and 250 where seeds meet 1,000 groups; groups vary by 1, group and seed together by 1, seeds by 0.3):

<!-- coverage -->
| seeds | values | test groups | 8 groups | 20 groups | 100 groups |
|---|---|---|---|---|---|
| 1 | normal | the same for all seeds | 94.5% | 95.4% | 95.4% |
| 1 | exponential | the same for all seeds | 93.9% | 93.7% | 95.8% |
| 3 | normal | the same for all seeds | 96.7% | 95.5% | 94.1% |
| 3 | exponential | the same for all seeds | 96.3% | 95.8% | 95.6% |
| 10 | normal | the same for all seeds | 94.7% | 95.8% | 95.5% |
| 10 | exponential | the same for all seeds | 94.7% | 94.0% | 94.7% |
| 3 | normal | others for each seed | 93.9% | 94.8% | 94.6% |
| 3 | exponential | others for each seed | 95.4% | 95.9% | 95.1% |
| 10 | normal | others for each seed | 94.6% | 96.1% | 96.8% |
| 10 | exponential | others for each seed | 94.7% | 95.9% | 95.6% |
<!-- /coverage -->
"""

import functools
import math
from collections.abc import Sequence

import numpy as np
from scipy.special import stdtrit

FEWEST_SEEDS = 3
FEWEST_GROUPS = 8  # with fewer, no interval is made of them
DRAWS = 2000
MOST_GROUPS = 2000  # with more, the studentised mean is Student's t to all digits shown, and is not resampled
SEED = 20260101


def t_interval(values: Sequence[float]) -> tuple:
    """95 % t interval (low, high) of the mean of `values`; (None, None) for fewer than three of them."""
    count = len(values)
    if count < FEWEST_SEEDS:
        return None, None
    center = mean(values)
    deviation = math.sqrt(math.fsum((value - center) ** 2 for value in values) / (count - 1))
    half = float(stdtrit(count - 1, 0.975)) * deviation / math.sqrt(count)
    return center - half, center + half


def mean(values: Sequence[float]) -> float:
    """Mean of a non-empty list; equal values give exactly that value, so an edge such as 0.05 stays one."""
    return values[0] if min(values) == max(values) else math.fsum(values) / len(values)


def of_groups(entries: list[dict]) -> tuple:
    """95 % interval (low, high) of the mean over seeds and groups; (None, None) with fewer than eight groups.

    Args:
        entries: for each seed the "groups" of its result: {"names", "values", "weights"}, lists of equal length.

    With one or two seeds it is of the groups alone: of what other music would do to these very models.
    """
    values, weights = table(entries)
    if values.shape[1] < FEWEST_GROUPS:
        return None, None
    center = float(np.mean((values * weights).sum(axis=1) / weights.sum(axis=1)))
    of_groups_, of_seeds = variances(values, weights)
    if of_groups_ + of_seeds == 0:
        return center, center
    of_group = np.maximum(0.0, np.quantile(_studentised(values, weights), (0.975, 0.025)) * (1, -1))
    of_seed = stdtrit(max(len(entries) - 1, 1), 0.975)
    high, low = np.sqrt(of_groups_ * of_group**2 + of_seeds * of_seed**2)
    return center - float(high), center + float(low)


def table(entries: list[dict]) -> tuple[np.ndarray, np.ndarray]:
    """Values and weights (seeds, all groups of any seed); weight 0 where a seed has not met a group."""
    names = sorted({name for entry in entries for name in entry["names"]})
    place = {name: k for k, name in enumerate(names)}
    values, weights = np.zeros((2, len(entries), len(names)))
    for row, entry in enumerate(entries):
        at = [place[name] for name in entry["names"]]
        values[row, at], weights[row, at] = entry["values"], entry["weights"]
    return values, weights


def variances(values: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Variance of the mean over seeds and groups: (the part that is of groups, the part that is of seeds).

    With fewer than three seeds all of it is of groups.
    """
    seeds, groups = values.shape
    share = weights / weights.sum(axis=1, keepdims=True)
    means = (share * values).sum(axis=1)
    influence = share * (values - means[:, None])
    shared = influence.mean(axis=0)
    correction = groups / (groups - 1)
    of_groups_ = correction * float((shared**2).sum())
    if seeds < FEWEST_SEEDS:
        return of_groups_, 0.0
    met = int((weights > 0).sum())
    in_common = (met - groups) / met * seeds / (seeds - 1)  # 1: seeds share all groups; 0: each has its own
    of_means = float(means.var(ddof=1)) / seeds
    explained = correction * float(((influence - shared) ** 2).sum()) / (seeds - 1) / seeds
    return max(0.0, of_groups_ - (1 - in_common) * explained), max(0.0, of_means - in_common * explained)


def _studentised(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Draws of (resampled mean - mean) / its standard error."""
    seeds, groups = values.shape
    if groups > MOST_GROUPS:
        return stdtrit(groups - 1, (np.arange(DRAWS) + 0.5) / DRAWS)
    counts = _resampled(groups)
    share = weights / weights.sum(axis=1, keepdims=True)
    values = values - (share * values).sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        total = counts @ share.T  # (DRAWS, seeds)
        moved = counts @ (share * values).T / total
        influence = ((1 / total) @ (share * values) - (moved / total) @ share) / seeds  # (DRAWS, groups)
        error = np.sqrt(groups / (groups - 1) * (counts * influence**2).sum(axis=1))
        found = moved.mean(axis=1) / error
    usable = error > 1e-9 * np.abs(values).max()  # a draw of equal groups has no error, but for rounding
    return found[usable] if usable.any() else np.zeros(DRAWS)


@functools.lru_cache(maxsize=4)
def _resampled(groups: int) -> np.ndarray:
    """How often each group is drawn, (DRAWS, groups); the same whenever it is asked."""
    random = np.random.default_rng([SEED, groups])
    return random.multinomial(groups, np.full(groups, 1 / groups), DRAWS).astype(float)
