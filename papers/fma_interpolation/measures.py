"""What images, paths and embeddings are measured with: the objective stand-ins for the survey's six questions.

Images are (n, bands, frames) with values in [0, 1]. NumPy and SciPy only.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.stats import spearmanr

# ---------------------------------------------------------------- two images

def correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Normalised correlation of each pair, (n,); 0 where one of them is constant."""
    a, b = (np.asarray(x, np.float64).reshape(len(x), -1) for x in (a, b))
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    scale = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.divide((a * b).sum(axis=1), scale, out=np.zeros(len(a)), where=scale > 1e-12)


def similarity(a: np.ndarray, b: np.ndarray, peak: float = 1.0) -> np.ndarray:
    """Structural similarity (Wang et al. 2004, Gaussian window of 1.5) of each pair, (n,); 1 for equal images."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)

    def blur(x):
        return gaussian_filter(x, (0, 1.5, 1.5), truncate=3.5)

    mean_a, mean_b = blur(a), blur(b)
    var_a, var_b, both = blur(a * a) - mean_a**2, blur(b * b) - mean_b**2, blur(a * b) - mean_a * mean_b
    one, two = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    whole = ((2 * mean_a * mean_b + one) * (2 * both + two)) / ((mean_a**2 + mean_b**2 + one) * (var_a + var_b + two))
    return whole.mean(axis=(1, 2))


def decibel_error(a: np.ndarray, b: np.ndarray, dynamic_range: float = 80.0) -> np.ndarray:
    """Mean absolute difference of each pair in decibels, (n,)."""
    return dynamic_range * np.abs(np.asarray(a, np.float64) - b).mean(axis=(1, 2))


def squared_error(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Mean squared difference per pixel of each pair, (n,)."""
    return np.square(np.asarray(a, np.float64) - b).mean(axis=(1, 2))


def time_variance(image: np.ndarray) -> np.ndarray:
    """Variance over time, averaged over the bands, (n,): what Conv1D is said to lose."""
    return np.var(np.asarray(image, np.float64), axis=2).mean(axis=1)


def time_variance_ratio(image: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Variance over time of `other` over that of `image`, of each pair, (n,)."""
    return time_variance(other) / np.maximum(time_variance(image), 1e-9)


def join_flux(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Spectral flux (sum of rises) from the last frame of `first` to the first frame of `second`, (n,)."""
    return np.maximum(np.asarray(second)[:, :, 0] - np.asarray(first)[:, :, -1], 0).sum(axis=1)


def octaves(value: np.ndarray, reference: np.ndarray, floor: float = 1e-3) -> np.ndarray:
    """log2(value / reference), each at least `floor`: 0 for equal ones, -1 for half, 1 for twice."""
    return np.log2(np.maximum(value, floor) / np.maximum(reference, floor))


# ---------------------------------------------------------------- what one hears in an image

def band_frequencies(bands: int, sample_rate: int) -> np.ndarray:
    """Centre of each mel band in Hz."""
    import librosa

    return librosa.mel_frequencies(n_mels=bands + 2, fmin=0.0, fmax=sample_rate / 2)[1:-1]


def sound_features(power: np.ndarray, sample_rate: int, hop_length: int) -> dict[str, np.ndarray]:
    """Loudness, spectral centroid, chroma (12) and tempo of mel power (n, bands, frames), as a dict of (n, k)."""
    import librosa

    frequency = band_frequencies(power.shape[1], sample_rate)
    total = np.maximum(power.sum(axis=1), 1e-12)
    centroid = ((power * frequency[None, :, None]).sum(axis=1) / total).mean(axis=1)
    pitch = np.round(12 * np.log2(np.maximum(frequency, 27.5) / 440.0)).astype(int) % 12
    chroma = np.stack([power[:, pitch == k].sum(axis=(1, 2)) for k in range(12)], axis=1)
    onset = np.maximum(np.diff(np.log10(power + 1e-6), axis=2), 0).mean(axis=1)
    tempo = [float(librosa.feature.tempo(onset_envelope=row, sr=sample_rate, hop_length=hop_length)[0])
             for row in onset]
    return {"rms": 10 * np.log10(total.mean(axis=1, keepdims=True)), "centroid": centroid[:, None],
            "chroma": chroma / np.maximum(chroma.sum(axis=1, keepdims=True), 1e-12), "tempo": np.array(tempo)[:, None]}


def mix(first: np.ndarray, second: np.ndarray, fractions: Sequence[float] | np.ndarray) -> np.ndarray:
    """Linear mix of A and B, each (pairs, …), at every share of A: (pairs, points, …)."""
    share = np.asarray(fractions).reshape(1, -1, *([1] * (np.ndim(first) - 1)))
    return share * first[:, None] + (1 - share) * second[:, None]


def mixed_power(first: np.ndarray, second: np.ndarray, fractions: Sequence[float] | np.ndarray,
                dynamic_range: float = 80.0) -> np.ndarray:
    """Cross-fade of the sounds behind two images: amplitudes fade, powers of unrelated sounds add; as images."""
    share = np.asarray(fractions).reshape(1, -1, 1, 1)
    power = [10.0 ** (dynamic_range / 10 * (np.asarray(x, np.float64)[:, None] - 1)) for x in (first, second)]
    both = share**2 * power[0] + (1 - share) ** 2 * power[1]
    return np.clip(10 / dynamic_range * np.log10(np.maximum(both, 1e-30)) + 1, 0, 1).astype(np.float32)


def blurred_to(images: np.ndarray, error: float, widths: Sequence[float] = (0.5, 1, 2, 4, 8, 16, 32)) -> np.ndarray:
    """Images blurred by the width whose mean squared error is nearest to `error`: a decoder that only blurs."""
    tried = [gaussian_filter(np.asarray(images, np.float32), (0, width, width)) for width in widths]
    return min(tried, key=lambda one: abs(squared_error(images, one).mean() - error))


# ---------------------------------------------------------------- paths and sets of embeddings

def with_ends(path: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Paths (pairs, points, bands, frames) with the originals at their ends, as the program's panels (584ade5)."""
    changed = path.copy()
    changed[:, 0], changed[:, -1] = first, second
    return changed


def genre_mass(probability: np.ndarray, genres: np.ndarray) -> np.ndarray:
    """Probability (pairs, points, classes) of the pair's genres (pairs, 2), equal ones once, (pairs,)."""
    return np.array([row[:, sorted(set(two))].sum(axis=1).mean()
                     for row, two in zip(probability, genres.tolist(), strict=True)])


def distances(points: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Euclidean distance of (pairs, points, d) to (pairs, d), as (pairs, points)."""
    return np.linalg.norm(points - target[:, None], axis=-1)


def path_orders(fractions: Sequence[float] | np.ndarray, distance: np.ndarray) -> np.ndarray:
    """Rank correlation of the share with the distance for each path, (pairs,): -1 where more of A is nearer to A."""
    return np.array([0.0 if np.ptp(row) < 1e-9 else spearmanr(fractions, row)[0] for row in distance])


def largest_step(points: np.ndarray) -> np.ndarray:
    """Largest step between neighbours over the mean step, (pairs,), for (pairs, points, …); 1 is an even walk.

    A path that stays where it is makes no step at all; it counts as one single jump, the worst there is.
    """
    flat = points.reshape(*points.shape[:2], -1)
    steps = np.linalg.norm(np.diff(flat, axis=1), axis=-1)
    mean = steps.mean(axis=1)
    return np.where(mean > 1e-9, steps.max(axis=1) / np.maximum(mean, 1e-12), steps.shape[1])


def reach(path: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Distance of the path's ends over the distance of A and B, (pairs,): 0 where the decoder ignores its code."""
    ends, images = (np.linalg.norm((a - b).reshape(len(a), -1), axis=1)
                    for a, b in ((path[:, 0], path[:, -1]), (first, second)))
    return ends / np.maximum(images, 1e-9)


def bend(path: np.ndarray) -> np.ndarray:
    """Distance of the middle from the mean of the two ends, over half the distance of the ends, (pairs,).

    0 for a cross-fade of the ends, whatever the ends are; 0 too where they are equal.
    """
    start, middle, end = path[:, 0], path[:, path.shape[1] // 2], path[:, -1]
    away, half = (np.linalg.norm(x.reshape(len(x), -1), axis=1)
                  for x in (middle - (start + end) / 2, (end - start) / 2))
    return np.divide(away, half, out=np.zeros(len(away)), where=half > 1e-6)


def principal_plane(fit: np.ndarray, dimensions: int) -> Callable[[np.ndarray], np.ndarray]:
    """A function (n, d) -> (n, dimensions): the principal axes of `fit` (n, d), about its mean."""
    mean = np.asarray(fit, np.float64).mean(axis=0)
    axes = np.linalg.svd(np.asarray(fit, np.float64) - mean, full_matrices=False)[2][:dimensions]
    return partial(_on_axes, mean=mean, axes=axes)


def _on_axes(x, mean, axes):
    return (np.asarray(x, np.float64) - mean) @ axes.T


def frechet_distance(x: np.ndarray, y: np.ndarray) -> float:
    """Frechet distance of two sets (n, d) taken as Gaussians: |m1 - m2|^2 + tr(C1 + C2 - 2 sqrt(C1 C2))."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    one, two = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    values, vectors = np.linalg.eigh(one)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ two @ root), 0)).sum()
    return float(np.square(x.mean(axis=0) - y.mean(axis=0)).sum() + np.trace(one) + np.trace(two) - 2 * cross)
