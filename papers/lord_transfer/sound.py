"""From images back to sound (sec. 2.2), and what is measured on the way. Images are (bands, frames) in [0, 1]."""

from functools import lru_cache

import numpy as np

from common import inversion
from papers.lord_transfer.config import Config
from papers.lord_transfer.preprocess import mel_bank


def mel_power(image: np.ndarray, reference: float, config: Config) -> np.ndarray:
    """Mel power (bands, frames) of an image: the dB step of sec. 2.2; `reference` is the power at image value 1."""
    decibels = config.dynamic_range * (np.clip(np.asarray(image, np.float64), 0, 1) - 1)
    return reference * 10 ** (decibels / 10)


@lru_cache(maxsize=8)
def pseudo_inverse(sample_rate: int, fft_size: int, bands: int) -> np.ndarray:
    """Moore-Penrose inverse (1 + fft_size / 2, bands) of the mel filter bank; about half of it is negative."""
    return np.linalg.pinv(mel_bank(sample_rate, fft_size, bands).astype(np.float64))


def linear_power(mel: np.ndarray, config: Config) -> np.ndarray:
    """STFT power (1 + fft_size / 2, frames) of mel power by the pseudo-inverse; negative power is set to 0 (sec. 2.2).
    """
    return np.maximum(pseudo_inverse(config.sample_rate, config.fft_size, config.bands) @ mel, 0)


def magnitude(mel: np.ndarray, config: Config) -> np.ndarray:
    """STFT magnitude (1 + fft_size / 2, frames) of mel power, by the inverse that `config.inversion` names."""
    if config.inversion == "pinv":
        return np.sqrt(linear_power(mel, config))
    return inversion.mel_to_magnitude(mel, config.sample_rate, config.fft_size)


def by_griffin_lim(mel: np.ndarray, config: Config, seed: int = 0) -> np.ndarray:
    """Mono samples of mel power: filter bank undone, Griffin-Lim from random phase."""
    return inversion.griffin_lim(magnitude(mel, config), config.fft_size, config.hop, config.griffin_lim_iterations,
                                 seed=seed)


def to_audio(image: np.ndarray, reference: float, config: Config, seed: int = 0) -> np.ndarray:
    """Mono samples of an image: power, filter bank undone, Griffin-Lim (sec. 2.2).

    `config.inversion`: "pinv" as the paper, "nonnegative" as common.inversion.
    """
    mel = mel_power(image, reference, config)
    if config.inversion == "pinv":
        return by_griffin_lim(mel, config, seed)
    return inversion.mel_to_audio(mel, config.sample_rate, config.fft_size, config.hop,
                                  iterations=config.griffin_lim_iterations, seed=seed)


def phase_to_audio(image: np.ndarray, reference: np.ndarray, config: Config) -> np.ndarray:
    """Samples of a (bands, frames, 3) image of `phase` "cosine_sine": the phase comes from the image, not Griffin-Lim.

    Cosine and sine go through the pseudo-inverse of the normalised filters; their angle is put on the magnitude.
    """
    import librosa

    bank = mel_bank(config.sample_rate, config.fft_size, config.bands)
    back = np.linalg.pinv((bank / bank.sum(axis=1, keepdims=True)).astype(np.float64))
    angle = np.arctan2(back @ (2 * image[..., 2] - 1), back @ (2 * image[..., 1] - 1))
    magnitude = np.sqrt(linear_power(mel_power(image[..., 0], reference, config), config))
    return librosa.istft(magnitude * np.exp(1j * angle), hop_length=config.hop, n_fft=config.fft_size)


def heard_decibels(samples: np.ndarray, reference: float, config: Config, frames: int) -> np.ndarray:
    """The image (bands, frames) of rebuilt sound in dB relative to `reference`, at most 0 and at least the range."""
    power = inversion.mel_power(samples, config.sample_rate, config.fft_size, config.hop, config.bands)[:, :frames]
    return np.clip(10 * np.log10(np.maximum(power, 1e-10) / reference), -config.dynamic_range, 0)


def inversion_error(image: np.ndarray, reference: float, config: Config) -> float:
    """Mean absolute error in dB of a clip's way to sound and back, by Griffin-Lim whatever `config.inversion` is.

    So two inverses of the filter bank differ by their magnitudes alone: `to_audio` passes the non-negative one on to
    other phases and more passes.
    """
    samples = by_griffin_lim(mel_power(image, reference, config), config)
    frames = min(image.shape[1], 1 + len(samples) // config.hop)
    heard = heard_decibels(samples, reference, config, frames)
    return float(np.abs(heard - config.dynamic_range * (image[:, :frames] - 1)).mean())


def inconsistency(image: np.ndarray, reference: float, config: Config) -> float:
    """Relative difference between an image's mel magnitudes and those of its sound; 0 where Griffin-Lim succeeds."""
    samples, mel = to_audio(image, reference, config), mel_power(image, reference, config)
    return inversion.relative_mel_error(samples, mel[:, :1 + len(samples) // config.hop], config.sample_rate,
                                        config.fft_size, config.hop)


def log_spectral_distance(samples: np.ndarray, image: np.ndarray, reference: float, config: Config) -> float:
    """Root mean squared difference in dB between sound and an image, both cut at the dynamic range."""
    frames = min(image.shape[1], 1 + len(samples) // config.hop)
    difference = heard_decibels(samples, reference, config, frames) - config.dynamic_range * (image[:, :frames] - 1)
    return float(np.sqrt(np.mean(difference**2)))
