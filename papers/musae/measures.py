"""From arrays to numbers: accuracies and baselines, metrics of scores, Hamming distance, smoothness, distances."""

import numpy as np
from scipy.stats import ks_2samp, spearmanr
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

from papers.musae.model import TRACKS
from papers.musae.tokens import ALPHABET, HOLD, SILENT, token_base

COLUMNS = (*TRACKS, "dbgs", "dbg")  # Table 1: the tracks, all four on average, and without strings


def window_accuracy(tokens: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Share of a window's steps whose token is right, by COLUMNS: (n, T, 4) x 2 -> (n, 6)."""
    by_track = (np.asarray(answers) == tokens).mean(axis=1)
    return np.column_stack([by_track, by_track.mean(axis=1), by_track[:, :3].mean(axis=1)])


def non_hold_accuracy(tokens: np.ndarray, answers: np.ndarray) -> dict[str, float]:
    """Share of the steps that are no hold whose token is right, {column: share} over all windows (n, T, 4)."""
    struck = tokens != HOLD
    by_track = ((answers == tokens) & struck).sum(axis=(0, 1)) / np.maximum(struck.sum(axis=(0, 1)), 1)
    return dict(zip(COLUMNS, (*by_track.tolist(), float(by_track.mean()), float(by_track[:3].mean())), strict=True))


def hamming(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Share of (step, track) positions whose tokens differ, per window: (n, T, 4) x 2 -> (n,).

    The paper does not define its distance. On one-hot bits it is this times 2 / 130: the same curve.
    """
    return (np.asarray(a) != np.asarray(b)).mean(axis=(1, 2))


def low_level(tokens: np.ndarray) -> tuple[list[str], np.ndarray]:
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


def relative_changes(values: np.ndarray, petal: np.ndarray, petals: int) -> np.ndarray:
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


def von_neumann(changes: np.ndarray) -> np.ndarray:
    """Von Neumann ratio of each metric round the circle (petals, metrics) -> (metrics,): near 0 smooth, 1 unordered."""
    steps = np.square(np.roll(changes, -1, axis=0) - changes).sum(axis=0)
    spread = np.square(changes - changes.mean(axis=0)).sum(axis=0)
    return steps / np.where(spread > 1e-12, 2 * spread, np.nan)


def smooth_share(changes: np.ndarray, shuffles: int = 2000, seed: int = 0) -> float:
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


def distribution_overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Mean over metrics of one minus the Kolmogorov-Smirnov distance of two samples (n, metrics), (m, metrics)."""
    shares = []
    for k in range(a.shape[1]):
        x, y = a[np.isfinite(a[:, k]), k], b[np.isfinite(b[:, k]), k]
        shares.append(1.0 - ks_2samp(x, y).statistic if len(x) and len(y) else float(len(x) == len(y)))
    return float(np.mean(shares))


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's rho of two curves; 0 where one is flat."""
    return float(spearmanr(a, b).statistic) if np.ptp(a) > 0 and np.ptp(b) > 0 else 0.0


def owners(placement: np.ndarray, petals: int) -> np.ndarray:
    """Genre rank that owns each petal (petals,), -1 for a petal that no genre has; placement: petal of each rank."""
    owner = np.full(petals, -1)
    owner[np.asarray(placement)] = np.arange(len(placement))
    return owner


def hits(petal: np.ndarray, tags: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """Whether each code's nearest petal (n,) belongs to one of its song's tags (n, genres): bool (n,)."""
    genre = owner[petal]
    return (genre >= 0) & (tags[np.arange(len(tags)), np.maximum(genre, 0)] > 0)


def song_blind_hits(petal: np.ndarray, tags: np.ndarray, owner: np.ndarray) -> dict[str, np.ndarray]:
    """What codes that do not know their song would hit: {null: (n,)}, for each window, none from its own tags' codes.

    constant: every code at the petal that hits most of these windows. permuted: the codes that there are, handed to
    the windows at random: the share of codes at each window's tags.
    """
    genre = owner[petal]
    by_genre = tags.astype(float)
    share = np.bincount(genre[genre >= 0], minlength=tags.shape[1]) / len(genre)
    return {"constant": by_genre[:, by_genre.mean(axis=0).argmax()], "permuted": by_genre @ share}


def exclusive(tags: np.ndarray, first: int, second: int) -> list[np.ndarray]:
    """Windows of k-hot tags (n, genres) with the first tag and not the second, and the other way round."""
    a, b = tags[:, first].astype(bool), tags[:, second].astype(bool)
    return [np.flatnonzero(a & ~b), np.flatnonzero(b & ~a)]


def genre_pair_accuracy(codes: np.ndarray, genre: np.ndarray, song: np.ndarray, resamples: int, size: int,
                        seed: int) -> tuple[float, float] | None:
    """Accuracy of linear discriminants on the two principal components of two genres' codes (section 4.4.2).

    codes (n, features), genre (n,) 0 or 1, song (n,): each resample draws `size` windows a genre; five folds that keep
    a song's windows together. Returns (mean balanced accuracy, the same with genres exchanged among the songs), or None
    with under two songs a genre.
    """
    rng, found = np.random.default_rng(seed), []
    pools = [np.flatnonzero(genre == g) for g in (0, 1)]
    folds = min(5, *(len(np.unique(song[pool])) for pool in pools))
    if folds < 2 or min(map(len, pools)) < size:
        return None
    for _ in range(resamples):
        rows = np.concatenate([rng.choice(pool, size, replace=False) for pool in pools])
        plane = PCA(2, random_state=0).fit_transform(codes[rows])
        _, first, of = np.unique(song[rows], return_index=True, return_inverse=True)
        by_song = genre[rows][first]
        pair = [_cross_validated(plane, labels, of, folds) for labels in (by_song[of], rng.permutation(by_song)[of])]
        if None in pair:
            return None
        found.append(pair)
    return tuple(np.mean(found, axis=0).tolist())


def _cross_validated(plane, labels, song, folds):
    """Balanced accuracy of linear discriminants over folds of whole songs; None where a fold lacks a class."""
    try:
        split = list(StratifiedGroupKFold(folds).split(plane, labels, song))
        answers = cross_val_predict(LinearDiscriminantAnalysis(), plane, labels, cv=split)
    except ValueError:
        return None
    return float(np.mean([(answers[labels == g] == g).mean() for g in (0, 1)]))


def spread_ratio(codes: np.ndarray, genre: np.ndarray) -> float:
    """Spread of the second genre's codes over the first's, on two principal components: mean distances to centres."""
    plane = PCA(2, random_state=0).fit_transform(codes)
    first, second = (np.linalg.norm(part - part.mean(axis=0), axis=1).mean()
                     for part in (plane[genre == 0], plane[genre == 1]))  # fmt: skip
    return float(second / first) if first > 0 else float("nan")


def exchanged_spread(codes: np.ndarray, genre: np.ndarray, song: np.ndarray, draws: int, seed: int) -> float:
    """`spread_ratio` with the genres dealt out anew among the songs (n,), mean over some draws."""
    rng = np.random.default_rng(seed)
    _, first, of = np.unique(song, return_index=True, return_inverse=True)
    return float(np.mean([spread_ratio(codes, rng.permutation(genre[first])[of]) for _ in range(draws)]))


def token_counts(tokens: np.ndarray) -> np.ndarray:
    """How often each token stands in each track of a window: (n, T, 4) -> (n, 4 * 130). No model is in it."""
    places = np.asarray(tokens) + ALPHABET * np.arange(tokens.shape[2])
    width = ALPHABET * tokens.shape[2]
    return np.stack([np.bincount(window.ravel(), minlength=width) for window in places]).astype(float)


def exchanged_bars(tokens: np.ndarray, rng: np.random.Generator, bar: int = 16) -> np.ndarray:
    """Windows (n, T, 4) whose bars are dealt out anew among all of them, each bar keeping its tracks together."""
    bars = np.asarray(tokens).reshape(-1, bar, tokens.shape[2])
    return rng.permutation(bars).reshape(tokens.shape)


def largest_share(curves: np.ndarray) -> np.ndarray:
    """Largest step of each curve along axis 0 as a share of all its steps, NaN where it does not move."""
    steps = np.abs(np.diff(curves, axis=0))
    total = steps.sum(axis=0)
    return np.where(total > 0, steps.max(axis=0) / np.where(total > 0, total, 1.0), np.nan)


def outline(tokens: np.ndarray) -> dict[str, np.ndarray]:
    """{"pitch", "notes", "length"} of windows (n, T, 4), each (n,): the mean pitch struck and how many steps a note
    lasts, both without the drums, and the notes of all tracks. NaN where nothing is struck.
    """
    tokens = np.asarray(tokens)
    struck, sounding = tokens < SILENT, np.moveaxis(token_base(np.moveaxis(tokens, 1, 2)) < SILENT, 2, 1)
    count = np.where(struck[:, :, 1:].any(axis=(1, 2)), struck[:, :, 1:].sum(axis=(1, 2)), np.nan)
    pitch = np.where(struck, tokens, 0)[:, :, 1:].sum(axis=(1, 2)) / count
    return {"pitch": pitch, "notes": struck.sum(axis=(1, 2)).astype(float),
            "length": sounding[:, :, 1:].sum(axis=(1, 2)) / count}  # fmt: skip


def follows(alphas: np.ndarray, tokens: np.ndarray, first: np.ndarray, second: np.ndarray) -> dict[str, np.ndarray]:
    """How an outline moves along alpha from the first song's to the second's: {name: (pairs,)}, 1 where it goes all the
    way in their direction, 0 where it does not move, NaN where the songs do not differ in it.

    tokens: (alphas, pairs, T, 4); first, second (pairs, T, 4). Rank correlations with alpha, with the sign of the
    songs' own difference.
    """
    curves, ends = [outline(t) for t in tokens], [outline(song) for song in (first, second)]
    found = {}
    for name in ends[0]:
        towards = np.sign(ends[1][name] - ends[0][name])
        rho = [rank_correlation(alphas[seen], curve[seen]) if (seen := np.isfinite(curve)).sum() > 2 else 0.0
               for curve in np.stack([c[name] for c in curves], axis=1)]  # fmt: skip
        found[name] = np.where(np.abs(towards) > 0, towards * np.array(rho), np.nan)
    return found


def step_majority(tokens: np.ndarray) -> np.ndarray:
    """The commonest token of each step and track over windows (n, T, 4): a baseline (T, 4) that knows only the
    position.
    """
    result = np.zeros(tokens.shape[1:], np.int32)
    for step in range(tokens.shape[1]):
        for track in range(tokens.shape[2]):
            result[step, track] = np.bincount(tokens[:, step, track], minlength=HOLD + 1).argmax()
    return result


def sliced_wasserstein(a: np.ndarray, b: np.ndarray, directions: int = 128, seed: int = 0) -> float:
    """Mean over random directions of the Wasserstein-1 distance of two samples (n, latent) of equal size."""
    axes = np.random.default_rng(seed).normal(size=(a.shape[1], directions))
    axes /= np.linalg.norm(axes, axis=0)
    return float(np.abs(np.sort(a @ axes, axis=0) - np.sort(b @ axes, axis=0)).mean())
