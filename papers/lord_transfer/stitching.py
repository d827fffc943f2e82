"""Cutting a spectrogram into windows and joining windows again (sec. 2.3.1, 2.3.4, 2.4.1 and 2.4.2).

All of it happens on images in [0, 1], before the way back to sound. Arrays are (bands, frames); windows are
(windows, bands, width). With an unchanged set of windows every method gives the input back exactly.
"""

from math import comb

import numpy as np


def window_starts(frames, width, hop, cover=False):
    """Start frames of the windows of `width` that fit, `hop` apart; `cover` adds a last one that ends at the end.

    1 + floor((frames - width) / hop) of them, none when the track is shorter than a window.
    """
    starts = list(range(0, frames - width + 1, hop))
    if cover and starts and starts[-1] + width < frames:
        starts.append(frames - width)
    return np.array(starts, dtype=np.int64)


def cut(image, width, hop, cover=False):
    """Windows (windows, bands, width) of an image (bands, frames)."""
    starts = window_starts(image.shape[1], width, hop, cover)
    return np.stack([image[:, start:start + width] for start in starts])


def half_bell(overlap):
    """The mask a_1 .. a_n of Eq. 7 for an overlap of n frames, float64, rising to exactly 1.

    The 2n binomial coefficients of row 2n - 1 divided by the largest; the first half of them. The paper calls the
    overlap k in one place and n in another and does not say which normalisation it means; this one is by the maximum.
    Raises ValueError for an overlap under one frame.
    """
    if overlap < 1:
        raise ValueError(f"an overlap of {overlap} frames has no mask")
    largest = comb(2 * overlap - 1, overlap - 1)
    return np.array([comb(2 * overlap - 1, j) / largest for j in range(overlap)])


def concatenate(windows):
    """Method 1 of sec. 2.3.4: windows (windows, bands, width) cut without overlap, side by side."""
    return np.concatenate(list(windows), axis=1)


def cross_fade(windows, hop):
    """Method 2 of sec. 2.3.4, Eq. 7: neighbours blended over their overlap; windows cut every `hop` frames.

    Raises ValueError when more than two windows would overlap, where Eq. 7 says nothing.
    """
    width = windows.shape[2]
    if not width / 2 <= hop < width:
        raise ValueError(f"Eq. 7 blends two windows: hop {hop} must be at least half the width {width} and below it")
    mask, result = half_bell(width - hop), np.array(windows[0], dtype=np.float64)
    for window in windows[1:]:
        # I(t) = (1 - a_t) I_i(t) + a_t I_{i+1}(t)
        blended = (1 - mask) * result[:, -len(mask):] + mask * window[:, :len(mask)]
        result = np.concatenate([result[:, :-len(mask)], blended, window[:, len(mask):]], axis=1)
    return result


def columns(windows, step, first=None):
    """Sec. 2.4.2: `step` columns from each window, windows cut every `step` frames; step 1 is the single column.

    `first` is the first column kept, by default so that the kept ones are central. The paper calls the one kept frame
    unique to its window; at a hop of one no interior frame is. The ends come from the first and the last window.
    """
    width = windows.shape[2]
    if not 1 <= step <= width:
        raise ValueError(f"step {step} must lie between 1 and the window's width {width}")
    first = (width - step) // 2 if first is None else first
    kept = [window[:, first:first + step] for window in windows]
    return np.concatenate([windows[0][:, :first], *kept, windows[-1][:, first + step:]], axis=1)


def seam_ratio(image, seams):
    """Mean absolute frame difference across `seams` (frame indices) over the median difference elsewhere."""
    change = np.abs(np.diff(image, axis=1)).mean(axis=0)
    at = np.zeros(len(change), dtype=bool)
    at[[seam - 1 for seam in seams if 0 < seam <= len(change)]] = True
    if not at.any() or at.all():
        return float("nan")
    return float(change[at].mean() / max(np.median(change[~at]), 1e-12))


def flux(image):
    """Mean absolute change from one frame to the next; 0 for a constant image."""
    return float(np.abs(np.diff(image, axis=-1)).mean())
