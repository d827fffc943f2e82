"""Measures on tokens and codes (dossier of sections 4.3 and 4.4): low-level metrics, Hamming distance, smoothness."""

import numpy as np

from common.midi import HOLD, SILENT, token_base
from papers.musae.model import TRACKS


def hamming(a, b):
    """Share of (step, track) positions whose tokens differ, per window: (n, T, 4) x 2 -> (n,).

    The paper does not define its distance. On one-hot bits it is this times 2 / 130: the same curve.
    """
    return (np.asarray(a) != np.asarray(b)).mean(axis=(1, 2))


def low_level(tokens):
    """Metrics of windows of tokens (n, T, 4): (names, values (n, metrics)), NaN where a window has no notes to measure.

    Per track: notes, held steps, steps at rest, mean note length in steps; but for drums also the mean interval of
    consecutive onsets in semitones, lowest, mean and highest pitch, distinct pitches and pitch classes. The paper names
    the first, the length and the interval; the rest of its list is lost.
    """
    names, columns = [], []

    def add(track, name, values):
        names.append(f"{TRACKS[track]}: {name}")
        columns.append(np.asarray(values, float))

    tokens = np.asarray(tokens)
    for track in range(len(TRACKS)):
        token = tokens[:, :, track]
        onset, base = token < SILENT, token_base(token)
        count = onset.sum(axis=1)
        some = np.where(count > 0, count, np.nan)
        sounding = (base < SILENT).sum(axis=1)
        add(track, "notes", count)
        add(track, "held steps", (token == HOLD).sum(axis=1))
        add(track, "steps at rest", (base == SILENT).sum(axis=1))
        add(track, "note length", sounding / some)
        if TRACKS[track] == "drums":
            continue
        pitch = np.where(onset, token, np.nan)
        add(track, "interval", [_mean_interval(row[o]) for row, o in zip(token, onset, strict=True)])
        for name, function in (("lowest pitch", np.nanmin), ("mean pitch", np.nanmean), ("highest pitch", np.nanmax)):
            filled = np.where(count[:, None] > 0, pitch, 0.0)
            add(track, name, np.where(count > 0, function(filled, axis=1), np.nan))
        add(track, "pitches", [len(np.unique(row[o])) for row, o in zip(token, onset, strict=True)])
        add(track, "pitch classes", [len(np.unique(row[o] % 12)) for row, o in zip(token, onset, strict=True)])
    return names, np.stack(columns, axis=1)


def _mean_interval(pitches):
    return np.abs(np.diff(pitches.astype(int))).mean() if len(pitches) > 1 else np.nan


def relative_changes(values, petal, petals):
    """Section 4.4.1: each petal's mean metric relative to the mean over the petals, (petals, metrics).

    values (n, metrics) of decoded samples, petal (n,). A metric is NaN throughout where its mean is zero or a petal has
    no window to measure it on. Each column sums to zero.
    """
    with np.errstate(invalid="ignore"):
        local = np.stack([_mean(values[petal == k]) for k in range(petals)])
    overall = local.mean(axis=0)
    return (local - overall) / np.where(np.abs(overall) > 1e-12, overall, np.nan)


def _mean(rows):
    seen = ~np.isnan(rows)
    count = seen.sum(axis=0)
    return np.where(count > 0, np.where(seen, rows, 0).sum(axis=0) / np.maximum(count, 1), np.nan)


def von_neumann(changes):
    """Von Neumann ratio of each metric round the circle (petals, metrics) -> (metrics,): near 0 smooth, 1 unordered."""
    steps = np.square(np.roll(changes, -1, axis=0) - changes).sum(axis=0)
    spread = np.square(changes - changes.mean(axis=0)).sum(axis=0)
    return steps / np.where(spread > 1e-12, 2 * spread, np.nan)


def smooth_share(changes, shuffles=2000, seed=0):
    """Share of metrics smoother than chance round the circle: permutation test, Benjamini-Hochberg at 5 %."""
    found = von_neumann(changes)
    usable = np.isfinite(found)
    if not usable.any():
        return float("nan")
    rng = np.random.default_rng(seed)
    lower = np.zeros(usable.sum())
    for _ in range(shuffles):
        lower += von_neumann(changes[rng.permutation(len(changes))][:, usable]) <= found[usable]
    p = np.sort((lower + 1) / (shuffles + 1))
    passed = np.flatnonzero(p <= 0.05 * np.arange(1, len(p) + 1) / len(p))
    return float((passed[-1] + 1) / len(p)) if len(passed) else 0.0


def distribution_overlap(a, b):
    """Mean over metrics of one minus the Kolmogorov-Smirnov distance of two samples (n, metrics), (m, metrics)."""
    from scipy.stats import ks_2samp

    shares = []
    for k in range(a.shape[1]):
        x, y = a[np.isfinite(a[:, k]), k], b[np.isfinite(b[:, k]), k]
        shares.append(1.0 - ks_2samp(x, y).statistic if len(x) and len(y) else float(len(x) == len(y)))
    return float(np.mean(shares))


def genre_pair_accuracy(codes, genre, song, resamples, size, seed):
    """Accuracy of linear discriminants on the two principal components of two genres' codes (section 4.4.2).

    codes (n, latent), genre (n,) 0 or 1, song (n,): each resample draws `size` windows a genre; five folds that keep a
    song's windows together. Returns (mean accuracy, the same with shuffled genres), or None with under two songs a
    genre.
    """
    from sklearn.decomposition import PCA
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

    rng, found = np.random.default_rng(seed), []
    pools = [np.flatnonzero(genre == g) for g in (0, 1)]
    folds = min(5, *(len(np.unique(song[pool])) for pool in pools))
    if folds < 2 or min(map(len, pools)) < size:
        return None
    for _ in range(resamples):
        rows = np.concatenate([rng.choice(pool, size, replace=False) for pool in pools])
        plane = PCA(2, random_state=0).fit_transform(codes[rows])
        pair = []
        for labels in (genre[rows], rng.permutation(genre[rows])):
            try:
                split = StratifiedGroupKFold(folds).split(plane, labels, song[rows])
                answers = cross_val_predict(LinearDiscriminantAnalysis(), plane, labels, cv=list(split))
            except ValueError:  # a fold without one of the genres
                return None
            pair.append(np.mean([(answers[labels == g] == g).mean() for g in (0, 1)]))
        found.append(pair)
    return tuple(np.mean(found, axis=0))
