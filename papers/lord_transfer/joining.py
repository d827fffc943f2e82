"""Cutting a spectrogram into windows and joining windows again (sec. 2.3.1, 2.3.4, 2.4.1 and 2.4.2).

All of it happens on images in [0, 1], before the way back to sound. Arrays are (bands, frames); windows are
(windows, bands, width). With an unchanged set of windows every method gives the input back exactly.
"""

from collections.abc import Callable, Sequence
from math import comb
from typing import Any

import numpy as np

from papers.lord_transfer import sound
from papers.lord_transfer.config import Config


def window_starts(frames: int, width: int, hop: int, cover: bool = False) -> np.ndarray:
    """Start frames of the windows of `width` that fit, `hop` apart; `cover` adds a last one that ends at the end.

    1 + floor((frames - width) / hop) of them, none when the track is shorter than a window.
    """
    starts = list(range(0, frames - width + 1, hop))
    if cover and starts and starts[-1] + width < frames:
        starts.append(frames - width)
    return np.array(starts, dtype=np.int64)


def cut(image: np.ndarray, width: int, hop: int, cover: bool = False) -> np.ndarray:
    """Windows (windows, bands, width) of an image (bands, frames)."""
    starts = window_starts(image.shape[1], width, hop, cover)
    return np.stack([image[:, start:start + width] for start in starts])


def half_bell(overlap: int) -> np.ndarray:
    """The mask a_1 .. a_n of Eq. 7 for an overlap of n frames, float64, rising to exactly 1.

    The 2n binomial coefficients of row 2n - 1 divided by the largest; the first half of them. The paper calls the
    overlap k in one place and n in another and does not say which normalisation it means; this one is by the maximum.
    Raises ValueError for an overlap under one frame.
    """
    if overlap < 1:
        raise ValueError(f"an overlap of {overlap} frames has no mask")
    largest = comb(2 * overlap - 1, overlap - 1)
    return np.array([comb(2 * overlap - 1, j) / largest for j in range(overlap)])


def concatenate(windows: np.ndarray) -> np.ndarray:
    """Method 1 of sec. 2.3.4: windows (windows, bands, width) cut without overlap, side by side."""
    return np.concatenate(list(windows), axis=1)


def cross_fade(windows: np.ndarray, hop: int) -> np.ndarray:
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


def columns(windows: np.ndarray, step: int, first: int | None = None) -> np.ndarray:
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


def seam_ratio(image: np.ndarray, seams: Sequence[int] | np.ndarray, overlap: int = 0) -> float:
    """Mean over `seams` (frame indices) of the absolute frame difference there, over the median difference elsewhere.

    With an `overlap` a seam is that many frames about its own, and the largest difference into, within and out of them
    counts: wherever a method passes from one window to the next, that is seen.
    """
    change = np.abs(np.diff(image, axis=1)).mean(axis=0)
    starts = [seam - overlap // 2 for seam in seams if 0 < seam <= len(change)]
    about = [np.arange(max(start - 1, 0), min(start + overlap, len(change))) for start in starts]
    elsewhere = np.delete(change, np.concatenate(about)) if about else change
    if not about or not len(elsewhere):
        return float("nan")
    largest = np.mean([change[places].max() for places in about])
    return float(largest / max(np.median(elsewhere), 1e-12))


def flux(image: np.ndarray) -> float:
    """Mean absolute change from one frame to the next; 0 for a constant image."""
    return float(np.abs(np.diff(image, axis=-1)).mean())


# ---- what is measured on it --------------------------------------------------------------------------------------

def ways(image: np.ndarray, width: int,
         rebuild: Callable[[np.ndarray], np.ndarray]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Every way of joining one track (bands, frames): {name: (image, seams)}; `rebuild` maps windows to windows.

    A seam of the cross-fade is the middle of an overlap.
    """
    hop = 3 * width // 4
    blend = rebuild(cut(image, width, hop))
    found = {"concatenation": (concatenate(rebuild(cut(image, width, width))),
                               np.arange(width, image.shape[1] - width + 1, width)),
             "cross-fade": (cross_fade(blend, hop), np.arange(1, len(blend)) * hop + (width - hop) // 2)}
    for step in column_counts(width)[:-1]:
        found[f"columns {step}"] = (columns(rebuild(cut(image, width, step)), step), np.array([], int))
    found[f"columns {width}"] = found["concatenation"]
    return found


def column_counts(width: int) -> list[int]:
    """How many columns of each window are kept in the comparison of sec. 2.4.2: 1, 4, 16, … and all."""
    counts = [1]
    while counts[-1] * 4 < width:
        counts.append(counts[-1] * 4)
    return [*counts, width]


def blend_ratio(blended: np.ndarray, image: np.ndarray, width: int, hop: int) -> float:
    """Error of a cross-faded track to its input inside the overlaps over that outside."""
    inside = np.zeros(blended.shape[1], dtype=bool)
    for start in range(hop, blended.shape[1] - width + hop, hop):
        inside[start:start + width - hop] = True
    error = np.abs(blended - image[:, :blended.shape[1]]).mean(axis=0)
    return float(error[inside].mean() / max(error[~inside].mean(), 1e-12))


def track_measures(image: np.ndarray, reference: float, rebuild: Callable[[np.ndarray], np.ndarray],
                   config: Config) -> dict[str, Any]:
    """Seams, blended error and sound of one track (bands, frames) joined in every way.

    Returns {"seam": {method: ratio}, "overlap": {method: ratio of the largest change over an overlap, or over as many
    frames about a seam}, "blend": error inside overlaps over outside, "distance": {columns: dB},
    "inconsistency": {columns: ratio}}.
    """
    found, hop = ways(image, config.frames, rebuild), 3 * config.frames // 4
    blended = found["cross-fade"][0]
    kept = {count: found[f"columns {count}"][0] for count in column_counts(config.frames)}
    length = min(one.shape[1] for one in kept.values())
    kept = {count: one[:, :length] for count, one in kept.items()}
    return {"seam": {"concatenation": seam_ratio(*found["concatenation"])},
            "overlap": {k: seam_ratio(*found[k], config.frames - hop) for k in ("concatenation", "cross-fade")},
            "blend": blend_ratio(blended, image, config.frames, hop),
            "distance": {k: sound.log_spectral_distance(sound.to_audio(one, reference, config), image[:, :length],
                                                        reference, config) for k, one in kept.items()},
            "inconsistency": {k: sound.inconsistency(one, reference, config) for k, one in kept.items()}}
