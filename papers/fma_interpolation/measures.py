"""What images, paths and embeddings are measured with: the objective stand-ins for the survey's six questions.

Images are (n, bands, frames) with values in [0, 1]. NumPy and SciPy only.
"""

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.stats import spearmanr

# ---------------------------------------------------------------- two images

def correlation(a, b):
    """Normalised correlation of each pair, (n,); 0 where one of them is constant."""
    a, b = (np.asarray(x, np.float64).reshape(len(x), -1) for x in (a, b))
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    scale = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.divide((a * b).sum(axis=1), scale, out=np.zeros(len(a)), where=scale > 1e-12)


def similarity(a, b, peak=1.0):
    """Structural similarity (Wang et al. 2004, Gaussian window of 1.5) of each pair, (n,); 1 for equal images."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)

    def blur(x):
        return gaussian_filter(x, (0, 1.5, 1.5), truncate=3.5)

    mean_a, mean_b = blur(a), blur(b)
    var_a, var_b, both = blur(a * a) - mean_a**2, blur(b * b) - mean_b**2, blur(a * b) - mean_a * mean_b
    one, two = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    whole = ((2 * mean_a * mean_b + one) * (2 * both + two)) / ((mean_a**2 + mean_b**2 + one) * (var_a + var_b + two))
    return whole.mean(axis=(1, 2))


def decibel_error(a, b, dynamic_range=80.0):
    """Mean absolute difference of each pair in decibels, (n,)."""
    return dynamic_range * np.abs(np.asarray(a, np.float64) - b).mean(axis=(1, 2))


def squared_error(a, b):
    """Mean squared difference per pixel of each pair, (n,)."""
    return np.square(np.asarray(a, np.float64) - b).mean(axis=(1, 2))


def time_variance(image):
    """Variance over time, averaged over the bands, (n,): what Conv1D is said to lose."""
    return np.var(np.asarray(image, np.float64), axis=2).mean(axis=1)


def time_variance_ratio(image, other):
    """Variance over time of `other` over that of `image`, of each pair, (n,)."""
    return time_variance(other) / np.maximum(time_variance(image), 1e-9)


def join_flux(first, second):
    """Spectral flux (sum of rises) from the last frame of `first` to the first frame of `second`, (n,)."""
    return np.maximum(np.asarray(second)[:, :, 0] - np.asarray(first)[:, :, -1], 0).sum(axis=1)


# ---------------------------------------------------------------- what one hears in an image

def band_frequencies(bands, sample_rate):
    """Centre of each mel band in Hz."""
    import librosa

    return librosa.mel_frequencies(n_mels=bands + 2, fmin=0.0, fmax=sample_rate / 2)[1:-1]


def sound_features(power, sample_rate, hop_length):
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


def mixed_feature_correlation(path, first, second, fractions):
    """Correlation of a feature on the paths (pairs, points, k) with the mix of those of A and B (pairs, k)."""
    share = np.asarray(fractions)[None, :, None]
    mix = share * first[:, None] + (1 - share) * second[:, None]
    return float(correlation(path.reshape(1, -1), mix.reshape(1, -1))[0])


# ---------------------------------------------------------------- paths and sets of embeddings

def with_ends(path, first, second):
    """Paths (pairs, points, bands, frames) with the originals at their ends, as the program's panels (584ade5)."""
    changed = path.copy()
    changed[:, 0], changed[:, -1] = first, second
    return changed


def genre_mass(probability, genres):
    """Probability (pairs, points, classes) of the pair's genres (pairs, 2), equal ones once: mean over all points."""
    return float(np.mean([row[:, sorted(set(two))].sum(axis=1).mean()
                          for row, two in zip(probability, genres, strict=True)]))


def distances(points, target):
    """Euclidean distance of (pairs, points, d) to (pairs, d), as (pairs, points)."""
    return np.linalg.norm(points - target[:, None], axis=-1)


def path_orders(fractions, distance):
    """Rank correlation of the share with the distance for each path, (pairs,): -1 where more of A is nearer to A."""
    return np.array([0.0 if np.ptp(row) < 1e-9 else spearmanr(fractions, row)[0] for row in distance])


def largest_step(points):
    """Largest step between neighbours over the mean step, (pairs,), for (pairs, points, d); 1 is an even walk."""
    steps = np.linalg.norm(np.diff(points, axis=1), axis=-1)
    return steps.max(axis=1) / np.maximum(steps.mean(axis=1), 1e-12)


def frechet_distance(x, y):
    """Frechet distance of two sets (n, d) taken as Gaussians: |m1 - m2|^2 + tr(C1 + C2 - 2 sqrt(C1 C2))."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    one, two = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    values, vectors = np.linalg.eigh(one)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ two @ root), 0)).sum()
    return float(np.square(x.mean(axis=0) - y.mean(axis=0)).sum() + np.trace(one) + np.trace(two) - 2 * cross)
