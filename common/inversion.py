"""From mel spectrograms back to sound: filter-bank inversion, then Griffin-Lim.

A mel spectrogram has lost two things: how each band's power lies over the FFT bins under it, and the phase. Undone one
after the other, as in librosa, Griffin-Lim works for magnitudes that no sound has. `mel_to_audio` begins so, with
phases that follow the spectrum's peaks; its passes then leave the magnitudes free where the mel spectrogram does: each
pass only scales the bins under a band until the band's power is right. Most passes are where most of the error is and
a pass costs little: on the lowest eighth of the spectrum as sound of an eighth of the rate, on frames a quarter of a
window apart. Then come some on the whole spectrum, and a few on all frames. `benchmarks/inversion.py` measures it
against librosa, whose conventions it follows (Slaney mel scale and area norm, periodic Hann window, centred frames).

NumPy and SciPy only; no TensorFlow. Arrays are (bands, frames) outside, as everywhere in Encore.
"""

import math
import os
from functools import lru_cache

import numpy as np
import scipy.fft
import scipy.signal
import scipy.sparse

SMALLEST = 1e-10  # power floor, as in librosa.power_to_db
TINY = np.float32(1e-20)  # of power, where something is divided by it
BLOCK = 64  # frames at once: their spectra stay in the processor's cache


def power_to_db(power: np.ndarray, reference: float = 1.0, floor: float = SMALLEST) -> np.ndarray:
    """10 log10(max(power, floor) / reference), any shape; float32 in, float32 out."""
    power = np.asarray(power)
    return (10.0 * (np.log10(np.maximum(power, floor)) - np.log10(reference))).astype(np.result_type(power, np.float32))


def db_to_power(decibels: np.ndarray, reference: float = 1.0) -> np.ndarray:
    """reference * 10^(decibels / 10), any shape; the inverse of `power_to_db` above its floor."""
    decibels = np.asarray(decibels)
    return (reference * np.power(10.0, 0.1 * decibels)).astype(np.result_type(decibels, np.float32))


@lru_cache(maxsize=16)
def mel_bank(sample_rate: int, n_fft: int, bands: int, fmin: float = 0.0,
             fmax: float | None = None) -> scipy.sparse.csr_matrix:
    """Slaney mel filter bank (librosa.filters.mel) as a sparse matrix (bands, 1 + n_fft // 2), float32."""
    import librosa

    dense = librosa.filters.mel(sr=sample_rate, n_fft=n_fft, n_mels=bands, fmin=fmin, fmax=fmax, dtype=np.float32)
    return scipy.sparse.csr_matrix(dense)


def mel_power(samples: np.ndarray, sample_rate: int, n_fft: int, hop_length: int, bands: int, fmin: float = 0.0,
              fmax: float | None = None, pad_mode: str = "constant") -> np.ndarray:
    """Mel power spectrogram (bands, 1 + len(samples) // hop_length) of mono samples, float32.

    Equal to librosa.feature.melspectrogram(power=2.0, center=True, pad_mode=pad_mode).
    """
    samples = np.pad(np.asarray(samples, np.float32), n_fft // 2, mode=pad_mode)
    bank, columns = mel_bank(sample_rate, n_fft, bands, fmin, fmax), []
    frames = np.lib.stride_tricks.sliding_window_view(samples, n_fft)[::hop_length]
    window = _window(n_fft)
    for start in range(0, len(frames), 1024):  # bounds the memory of long recordings
        spectrum = scipy.fft.rfft(frames[start : start + 1024] * window, axis=-1, workers=_workers())
        columns.append(bank @ (np.square(spectrum.real) + np.square(spectrum.imag)).T)
    return np.concatenate(columns, axis=1)


def mel_to_magnitude(mel: np.ndarray, sample_rate: int, n_fft: int, fmin: float = 0.0, fmax: float | None = None,
                     updates: int = 30) -> np.ndarray:
    """Non-negative magnitudes (1 + n_fft // 2, frames) whose mel power is close to `mel` (bands, frames).

    Starts from each bin's share of its bands and applies multiplicative updates for the generalised Kullback-Leibler
    divergence (Lee and Seung 2001), which treats loud and quiet bands alike; the squared error of librosa's NNLS is led
    by the loudest. Bins under no filter stay zero.
    """
    mel = np.maximum(np.asarray(mel, np.float32), 0.0)
    bank = mel_bank(sample_rate, n_fft, mel.shape[0], fmin, fmax)
    shares = _shares(bank)
    per_band = np.asarray(bank.sum(axis=1)).reshape(-1, 1)
    power = shares @ np.divide(mel, per_band, out=np.zeros_like(mel), where=per_band > 0)
    for _ in range(updates):
        power *= shares @ (mel / np.maximum(bank @ power, TINY))
    return np.sqrt(power)


def griffin_lim(magnitude: np.ndarray, n_fft: int, hop_length: int, iterations: int = 100, momentum: float = 0.99,
                seed: int = 0) -> np.ndarray:
    """Samples (hop_length * (frames - 1),) whose STFT magnitude is close to `magnitude` (1 + n_fft // 2, frames).

    Fast Griffin-Lim (Perraudin, Balazs and Sondergaard 2013, the algorithm of librosa.griffinlim) from random phase.
    """
    magnitude = np.ascontiguousarray(np.asarray(magnitude, np.float32).T)
    phase = np.float32(2 * np.pi) * np.random.default_rng(seed).random(magnitude.shape, dtype=np.float32)

    def scale(spectrum, part):
        spectrum *= magnitude[part] / (np.abs(spectrum) + np.float32(1e-16))

    samples = _sound(_polar(magnitude, phase), n_fft, hop_length)
    samples = _passes(samples, len(magnitude), n_fft, hop_length, scale, iterations, momentum)
    return _centre(samples, n_fft, hop_length, len(magnitude))


def mel_to_audio(mel_power: np.ndarray, sample_rate: int, n_fft: int, hop_length: int, fmin: float = 0.0,
                 fmax: float | None = None, *, iterations: int = 100, momentum: float = 0.99, updates: int = 5,
                 seed: int = 0) -> np.ndarray:
    """Mono float32 samples (hop_length * (frames - 1),) for a mel POWER spectrogram (bands, frames).

    `mel_power` is not in decibels: use `db_to_power` first. Raises ValueError for an array that is not two-dimensional,
    is not finite or has fewer than two frames. The level is that of the spectrogram: nothing is normalised or clipped.
    There are 2 * `iterations` passes on the low part, a fifth of `iterations` on the whole, a twentieth on all frames;
    `momentum` is Griffin-Lim's, `updates` are `mel_to_magnitude`'s; the same seed gives the same samples.
    """
    mel_power = np.asarray(mel_power)
    if mel_power.ndim != 2 or mel_power.shape[1] < 2:
        raise ValueError(f"mel_to_audio needs a (bands, frames) array with at least 2 frames, got {mel_power.shape}")
    if not np.all(np.isfinite(mel_power)):
        raise ValueError("mel_to_audio needs finite values; the spectrogram holds NaN or infinity")
    frames, every = mel_power.shape[1], max(1, n_fft // (4 * hop_length))
    mel = np.pad(np.maximum(mel_power.astype(np.float32), 0.0), ((0, 0), (0, -(frames - 1) % every)), mode="edge")
    bank, coarse, wide = mel_bank(sample_rate, n_fft, len(mel), fmin, fmax), mel[:, ::every], every * hop_length
    magnitude = np.ascontiguousarray(mel_to_magnitude(coarse, sample_rate, n_fft, fmin, fmax, updates).T)
    spectrum = _polar(magnitude, _peak_phases(magnitude, n_fft, wide, seed))
    _improve_low_part(spectrum, coarse, bank, n_fft, wide, 2 * iterations, momentum)
    samples = _sound(spectrum, n_fft, wide)
    for hop, target, passes in ((wide, coarse, -(-iterations // 5)), (hop_length, mel, -(-iterations // 20))):
        samples = _passes(samples, target.shape[1], n_fft, hop, _scaling(target, bank), passes, momentum)
    return _centre(samples, n_fft, hop_length, frames)


def relative_mel_error(samples: np.ndarray, mel: np.ndarray, sample_rate: int, n_fft: int, hop_length: int,
                       fmin: float = 0.0, fmax: float | None = None) -> float:
    """||sqrt(mel of samples) - sqrt(mel)|| / ||sqrt(mel)||, mel (bands, frames): how much an inversion lost."""
    again = mel_power(samples, sample_rate, n_fft, hop_length, len(mel), fmin, fmax)[:, : mel.shape[1]]
    target = np.sqrt(mel)
    return float(np.linalg.norm(np.sqrt(again) - target) / max(np.linalg.norm(target), 1e-12))


def _shares(bank):
    """What share of a bin each band of a bank (bands, bins) has: (bins, bands); nothing of a bin under no filter."""
    per_bin = np.asarray(bank.sum(axis=0)).ravel()
    inverse = np.divide(1.0, per_bin, out=np.zeros_like(per_bin), where=per_bin > 0)
    return scipy.sparse.csr_matrix(scipy.sparse.diags(inverse) @ bank.T)


def _workers():
    """Threads to use: what this process is allowed, so that a run pinned to one core does not fight for two."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


@lru_cache(maxsize=16)
def _window(n_fft):
    return scipy.signal.get_window("hann", n_fft, fftbins=True).astype(np.float32)


def _peak_phases(magnitude, n_fft, hop_length, seed):
    """Phases (frames, bins) for magnitudes (frames, bins): each peak a sinusoid that goes on from frame to frame.

    Single-pass spectrogram inversion (Beauregard, Harish and Wyse 2015): a parabola through a peak of the log magnitude
    gives its frequency, the bins about it take its phase. Here the frequency between two frames is the mean of both.
    """
    bins = np.arange(magnitude.shape[1])
    phase = (2 * np.pi * np.random.default_rng(seed).random(len(bins))).astype(np.float32)
    before, phases = bins.astype(np.float32), np.empty_like(magnitude)
    for logarithm, found in zip(np.log(magnitude + TINY), phases, strict=True):
        peaks = 1 + np.flatnonzero((logarithm[1:-1] > logarithm[:-2]) & (logarithm[1:-1] >= logarithm[2:]))
        if not len(peaks):
            peaks = bins[1:-1]
        left, top, right = logarithm[peaks - 1], logarithm[peaks], logarithm[peaks + 1]
        frequency = peaks + np.clip(0.5 * (left - right) / np.minimum(left - 2 * top + right, -1e-9), -0.5, 0.5)
        own = np.repeat(np.arange(len(peaks)), np.diff((peaks[1:] + peaks[:-1] + 1) // 2, prepend=0, append=len(bins)))
        moved = phase[peaks] + np.pi * hop_length / n_fft * (frequency + before[peaks])
        before = frequency[own]
        phase = found[:] = np.mod(moved, 2 * np.pi)[own] + np.pi * ((bins - peaks[own]) % 2)
    return phases


def _improve_low_part(spectrum, mel, bank, n_fft, hop_length, iterations, momentum):
    """Passes on the lowest eighth of a spectrum (frames, bins), in place, as sound of an eighth of the rate.

    Only bands that lie in it are made right, and only bins under them are changed. It is a larger part, and costs more,
    where window or hop is not divisible by 8.
    """
    part = math.gcd(n_fft, hop_length, 8)
    n_fft, hop_length = n_fft // part, hop_length // part
    bins = 1 + n_fft // 2
    inside = np.flatnonzero(np.asarray(bank[:, bins:].sum(axis=1)).ravel() == 0)
    bank, frames = bank[inside][:, :bins], len(spectrum)
    samples = _sound(spectrum[:, :bins], n_fft, hop_length)
    samples = _passes(samples, frames, n_fft, hop_length, _scaling(mel[inside], bank), iterations, momentum)
    changed = np.flatnonzero(np.asarray(bank.sum(axis=0)).ravel())
    spectrum[:, changed] = scipy.fft.rfft(_frames(samples, n_fft, hop_length) * _window(n_fft), axis=-1)[:, changed]


def _polar(magnitude, phase):
    spectrum = np.empty(magnitude.shape, np.complex64)
    spectrum.real, spectrum.imag = magnitude * np.cos(phase), magnitude * np.sin(phase)
    return spectrum


def _sound(spectrum, n_fft, hop_length):
    """Padded samples, least-squares overlap-add of a spectrum (frames, bins)."""
    frames = scipy.fft.irfft(spectrum, n=n_fft, axis=-1, workers=_workers())
    frames *= _window(n_fft)
    return _overlap_add(frames, hop_length) / _window_sum(n_fft, hop_length, len(spectrum))


def _frames(samples, n_fft, hop_length):
    return np.lib.stride_tricks.sliding_window_view(samples, n_fft)[::hop_length]


def _scaling(mel, bank):
    """A function that scales spectra (frames, bins) in place towards the mel power (bands, all frames)."""
    shares = _shares(bank)

    def scale(spectrum, part):
        power = np.square(spectrum.real)
        power += np.square(spectrum.imag)
        ratio = mel[:, part] / np.maximum(bank @ np.ascontiguousarray(power.T), TINY)
        spectrum *= np.ascontiguousarray((shares @ np.sqrt(ratio)).T)

    return scale


def _passes(samples, frames, n_fft, hop_length, scale, iterations, momentum):
    """Padded samples after passes of fast Griffin-Lim: to spectra, `scale(spectrum, part)` in place, and back."""
    window, norm = _window(n_fft), _window_sum(n_fft, hop_length, frames)
    previous, weight = np.zeros((frames, 1 + n_fft // 2), np.complex64), np.float32(momentum / (1 + momentum))
    for _ in range(iterations):
        cut, total = _frames(samples, n_fft, hop_length), np.zeros_like(norm)
        for start in range(0, frames, BLOCK):
            part = slice(start, min(start + BLOCK, frames))
            rebuilt = scipy.fft.rfft(cut[part] * window, axis=-1, workers=_workers())
            spectrum = previous[part]
            spectrum *= -weight
            spectrum += rebuilt
            scale(spectrum, part)
            back = scipy.fft.irfft(spectrum, n=n_fft, axis=-1, workers=_workers())
            back *= window
            added = _overlap_add(back, hop_length)
            total[start * hop_length : start * hop_length + len(added)] += added
            previous[part] = rebuilt
        samples = total / norm
    return samples


def _centre(samples, n_fft, hop_length, frames):
    """Samples from the middle of the first frame to the middle of the last."""
    return samples[n_fft // 2 : n_fft // 2 + hop_length * (frames - 1)]


def _overlap_add(frames, hop_length):
    """Sum of (frames, n_fft) rows, each `hop_length` later than the last: (n_fft + hop * (frames - 1),)."""
    count, n_fft = frames.shape
    blocks = -(-n_fft // hop_length)
    total = np.zeros((count + blocks - 1, hop_length), frames.dtype)
    for block in range(blocks):
        part = frames[:, block * hop_length : (block + 1) * hop_length]
        total[block : block + count, : part.shape[1]] += part
    return total.reshape(-1)[: n_fft + hop_length * (count - 1)]


@lru_cache(maxsize=16)
def _window_sum(n_fft, hop_length, frames):
    squared = np.square(_window(n_fft))
    total = _overlap_add(np.tile(squared, (frames, 1)), hop_length)
    return np.maximum(total, np.float32(1e-4))
