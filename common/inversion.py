"""From mel spectrograms back to sound: filter-bank inversion, then Griffin-Lim.

Two steps, because a mel spectrogram has lost two things. `mel_to_magnitude` spreads each band's power over the FFT
bins under it; `griffin_lim` finds a phase that goes with the magnitudes. Both follow librosa's conventions (Slaney mel
scale and area norm, periodic Hann window, centred frames), so librosa is the reference in the tests; they are faster
because the filter bank is sparse (at most two bands per bin) and all frames go through one batched real FFT.

NumPy and SciPy only; no TensorFlow. Arrays are (bands, frames) outside, as everywhere in Encore.
"""

import os
from functools import lru_cache

import numpy as np
import scipy.fft
import scipy.signal
import scipy.sparse

SMALLEST = 1e-10  # power floor, as in librosa.power_to_db


def power_to_db(power, reference=1.0, floor=SMALLEST):
    """10 log10(max(power, floor) / reference), any shape; float32 in, float32 out."""
    power = np.asarray(power)
    return (10.0 * (np.log10(np.maximum(power, floor)) - np.log10(reference))).astype(np.result_type(power, np.float32))


def db_to_power(decibels, reference=1.0):
    """reference * 10^(decibels / 10), any shape; the inverse of `power_to_db` above its floor."""
    decibels = np.asarray(decibels)
    return (reference * np.power(10.0, 0.1 * decibels)).astype(np.result_type(decibels, np.float32))


@lru_cache(maxsize=16)
def mel_bank(sample_rate, n_fft, bands, fmin=0.0, fmax=None):
    """Slaney mel filter bank (librosa.filters.mel) as a sparse matrix (bands, 1 + n_fft // 2), float32."""
    import librosa

    dense = librosa.filters.mel(sr=sample_rate, n_fft=n_fft, n_mels=bands, fmin=fmin, fmax=fmax, dtype=np.float32)
    return scipy.sparse.csr_matrix(dense)


def mel_power(samples, sample_rate, n_fft, hop_length, bands, fmin=0.0, fmax=None, pad_mode="constant"):
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


def mel_to_magnitude(mel, sample_rate, n_fft, fmin=0.0, fmax=None, updates=30):
    """Non-negative magnitudes (1 + n_fft // 2, frames) whose mel power is close to `mel` (bands, frames).

    Starts from each bin's share of its bands and applies multiplicative updates for the generalised Kullback-Leibler
    divergence (Lee and Seung 2001), which treats loud and quiet bands alike; the squared error of librosa's NNLS is led
    by the loudest. Bins under no filter stay zero.
    """
    mel = np.maximum(np.asarray(mel, np.float32), 0.0)
    bank = mel_bank(sample_rate, n_fft, mel.shape[0], fmin, fmax)
    transposed = bank.T.tocsr()
    per_bin = np.asarray(bank.sum(axis=0)).reshape(-1, 1)
    per_band = np.asarray(bank.sum(axis=1)).reshape(-1, 1)
    inverse_per_bin = np.divide(1.0, per_bin, out=np.zeros_like(per_bin), where=per_bin > 0)
    power = (transposed @ np.divide(mel, per_band, out=np.zeros_like(mel), where=per_band > 0)) * inverse_per_bin
    for _ in range(updates):
        ratio = mel / np.maximum(bank @ power, np.float32(1e-20))
        power *= (transposed @ ratio) * inverse_per_bin
    return np.sqrt(power)


def griffin_lim(magnitude, n_fft, hop_length, iterations=100, momentum=0.99, seed=0):
    """Samples (hop_length * (frames - 1),) whose STFT magnitude is close to `magnitude` (1 + n_fft // 2, frames).

    Fast Griffin-Lim (Perraudin, Balazs and Sondergaard 2013, the algorithm of librosa.griffinlim) from random phase.

    librosa stops at 32 iterations; 100 cost less time here than 32 there (`benchmarks/inversion.py` measures both).
    """
    magnitude = np.ascontiguousarray(np.asarray(magnitude, np.float32).T)
    frames = len(magnitude)
    norm = _window_sum(n_fft, hop_length, frames)
    random = np.random.default_rng(seed)
    spectrum = magnitude * np.exp(2j * np.pi * random.random(magnitude.shape, dtype=np.float32)).astype(np.complex64)
    previous, weight = np.zeros_like(spectrum), np.float32(momentum / (1 + momentum))
    for _ in range(iterations):
        rebuilt = _forward(_backward(spectrum, n_fft, hop_length, norm), n_fft, hop_length)
        spectrum = rebuilt - weight * previous
        spectrum *= magnitude / (np.abs(spectrum) + np.float32(1e-16))
        previous = rebuilt
    samples = _backward(spectrum, n_fft, hop_length, norm)
    return samples[n_fft // 2 : n_fft // 2 + hop_length * (frames - 1)]


def mel_to_audio(mel_power, sample_rate, n_fft, hop_length, fmin=0.0, fmax=None, *, iterations=100, momentum=0.99,
                 updates=30, seed=0):
    """Mono float32 samples (hop_length * (frames - 1),) for a mel POWER spectrogram (bands, frames).

    `mel_power` is not in decibels: use `db_to_power` first. Raises ValueError for an array that is not two-dimensional,
    is not finite or has fewer than two frames. The level is that of the spectrogram: nothing is normalised or clipped.
    `updates` is for the filter bank, `iterations` and `momentum` for Griffin-Lim; the same seed gives the same samples.
    """
    mel_power = np.asarray(mel_power)
    if mel_power.ndim != 2 or mel_power.shape[1] < 2:
        raise ValueError(f"mel_to_audio needs a (bands, frames) array with at least 2 frames, got {mel_power.shape}")
    if not np.all(np.isfinite(mel_power)):
        raise ValueError("mel_to_audio needs finite values; the spectrogram holds NaN or infinity")
    magnitude = mel_to_magnitude(mel_power, sample_rate, n_fft, fmin, fmax, updates)
    return griffin_lim(magnitude, n_fft, hop_length, iterations, momentum, seed)


def relative_mel_error(samples, mel, sample_rate, n_fft, hop_length, fmin=0.0, fmax=None):
    """||sqrt(mel of samples) - sqrt(mel)|| / ||sqrt(mel)||, mel (bands, frames): how much an inversion lost."""
    again = mel_power(samples, sample_rate, n_fft, hop_length, len(mel), fmin, fmax)[:, : mel.shape[1]]
    target = np.sqrt(mel)
    return float(np.linalg.norm(np.sqrt(again) - target) / max(np.linalg.norm(target), 1e-12))


def _workers():
    """Threads to use: what this process is allowed, so that a run pinned to one core does not fight for two."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


@lru_cache(maxsize=16)
def _window(n_fft):
    return scipy.signal.get_window("hann", n_fft, fftbins=True).astype(np.float32)


def _forward(padded, n_fft, hop_length):
    """(frames, bins) spectrum of already padded samples."""
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::hop_length]
    return scipy.fft.rfft(frames * _window(n_fft), axis=-1, workers=_workers())


def _backward(spectrum, n_fft, hop_length, norm):
    """Padded samples, least-squares overlap-add of the (frames, bins) spectrum."""
    frames = scipy.fft.irfft(spectrum, n=n_fft, axis=-1, workers=_workers(), overwrite_x=False)
    frames *= _window(n_fft)
    return _overlap_add(frames, hop_length) / norm


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
