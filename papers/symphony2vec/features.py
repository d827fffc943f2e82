"""From samples to the three representations of section 3.1, as pure functions of arrays."""

import warnings
from collections.abc import Sequence

import librosa
import numpy as np


def clips(samples: np.ndarray, sample_rate: int = 22050, seconds: float = 10.0) -> np.ndarray:
    """Consecutive, non-overlapping clips (count, samples per clip); what is left after the last full one is dropped."""
    length = round(seconds * sample_rate)
    count = len(samples) // length
    return samples[: count * length].reshape(count, length)


def clip_features(samples: np.ndarray, sample_rate: int = 22050, fft_size: int = 2048, hop: int = 512,
                  mel_bands: int = 64, mel_top_hz: float = 8000.0, mfccs: int = 13) -> dict[str, np.ndarray]:
    """The three representations of one clip: dict of float32 (bands, frames), not yet normalised.

    mel: decibels relative to the clip's loudest cell, within [-80, 0]. mfcc: of 128 mel bands up to half the sample
    rate in absolute decibels, so coefficient 0 keeps the recording's level. chroma: of the power spectrum, each frame
    divided by its largest value, tuning estimated per clip. The program's library padded by reflection; so does this.
    """
    with warnings.catch_warnings():  # a silent clip has no tuning to estimate
        warnings.simplefilter("ignore", UserWarning)
        power = np.abs(librosa.stft(samples, n_fft=fft_size, hop_length=hop, pad_mode="reflect")) ** 2
        mel = librosa.feature.melspectrogram(S=power, sr=sample_rate, n_mels=mel_bands, fmax=mel_top_hz)
        wide = librosa.feature.melspectrogram(S=power, sr=sample_rate, n_mels=128)
        mfcc = librosa.feature.mfcc(S=librosa.power_to_db(wide), n_mfcc=mfccs)
        chroma = librosa.feature.chroma_stft(S=power, sr=sample_rate, n_fft=fft_size)
    mel = librosa.power_to_db(mel, ref=np.max)
    return {"chroma": np.float32(chroma), "mfcc": np.float32(mfcc), "mel": np.float32(mel)}


def moments(image: np.ndarray) -> tuple[float, float]:
    """Mean and mean square of an image's cells, in float64: enough for the scale of any set of clips."""
    cells = np.float64(image)
    return cells.mean(), np.square(cells).mean()


def mean_and_deviation(clip_moments: Sequence | np.ndarray) -> tuple[float, float]:
    """One mean and one deviation for all cells of a set of clips (section 3.1); clip_moments: (clips, 2)."""
    mean, square = np.mean(clip_moments, axis=0, dtype=np.float64)
    deviation = float(np.sqrt(max(square - mean * mean, 0.0)))
    return float(mean), deviation if deviation > 0.0 else 1.0


def crop(images: np.ndarray) -> np.ndarray:
    """The corner ALI sees (section 3.4): mel bands 0 to 31, frames 32 to 63; (count, 64, 431) to (count, 32, 32, 1).

    Where the corner lies is the program's choice: the lowest 32 bands (up to 1730 Hz), 0.74 to 1.49 s of each clip.
    """
    return images[:, :32, 32:64, None]


def unit_scale(decibels: np.ndarray) -> np.ndarray:
    """Decibels in [-80, 0] to [0, 1]: the range of the generator's sigmoid."""
    return np.float32(1.0 + decibels / 80.0)


def chunks(images: np.ndarray, labels: np.ndarray, steps: int = 36) -> tuple[np.ndarray, np.ndarray]:
    """Pieces of 36 frames for the LSTM (section 3.2): (11 * count, bands, 36) and their labels.

    As in the program: 431 frames in 12 nearly equal parts, the last part dropped; all clips' first piece, then all
    clips' second. Each piece is an example of its own.
    """
    parts = -(-images.shape[-1] // steps) - 1
    pieces = [images[:, :, part * steps : (part + 1) * steps] for part in range(parts)]
    return np.concatenate(pieces), np.tile(labels, parts)
