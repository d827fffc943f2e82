"""From images back to sound (sec. 2.2), and what is measured on the way. Images are (bands, frames) in [0, 1]."""

from functools import lru_cache

import numpy as np

from common import inversion
from papers.lord_transfer.config import Config
from papers.lord_transfer.preprocess import mel_bank


def mel_power(image, reference, config: Config):
    """Mel power (bands, frames) of an image: the dB step of sec. 2.2; `reference` is the power at image value 1."""
    decibels = config.dynamic_range * (np.clip(np.asarray(image, np.float64), 0, 1) - 1)
    return reference * 10 ** (decibels / 10)


@lru_cache(maxsize=8)
def pseudo_inverse(sample_rate, fft_size, bands):
    """Moore-Penrose inverse (1 + fft_size / 2, bands) of the mel filter bank; about half of it is negative."""
    return np.linalg.pinv(mel_bank(sample_rate, fft_size, bands).astype(np.float64))


def linear_power(mel, config: Config):
    """STFT power (1 + fft_size / 2, frames) of mel power by the pseudo-inverse; negative power is set to 0 (sec. 2.2).
    """
    return np.maximum(pseudo_inverse(config.sample_rate, config.fft_size, config.bands) @ mel, 0)


def to_audio(image, reference, config: Config, seed=0):
    """Mono samples of an image: power, filter bank undone, Griffin-Lim (sec. 2.2).

    `config.inversion`: "pinv" as the paper, "nonnegative" as common.inversion.
    """
    mel = mel_power(image, reference, config)
    if config.inversion == "pinv":
        return inversion.griffin_lim(np.sqrt(linear_power(mel, config)), config.fft_size, config.hop,
                                     config.griffin_lim_iterations, seed=seed)
    return inversion.mel_to_audio(mel, config.sample_rate, config.fft_size, config.hop,
                                  iterations=config.griffin_lim_iterations, seed=seed)


def phase_to_audio(image, reference, config: Config):
    """Samples of a (bands, frames, 3) image of `phase` "cosine_sine": the phase comes from the image, not Griffin-Lim.

    Cosine and sine go through the pseudo-inverse of the normalised filters; their angle is put on the magnitude.
    """
    import librosa

    bank = mel_bank(config.sample_rate, config.fft_size, config.bands)
    back = np.linalg.pinv((bank / bank.sum(axis=1, keepdims=True)).astype(np.float64))
    angle = np.arctan2(back @ (2 * image[..., 2] - 1), back @ (2 * image[..., 1] - 1))
    magnitude = np.sqrt(linear_power(mel_power(image[..., 0], reference, config), config))
    return librosa.istft(magnitude * np.exp(1j * angle), hop_length=config.hop, n_fft=config.fft_size)


def heard_decibels(samples, reference, config: Config, frames):
    """The image (bands, frames) of rebuilt sound in dB relative to `reference`, at most 0 and at least the range."""
    power = inversion.mel_power(samples, config.sample_rate, config.fft_size, config.hop, config.bands)[:, :frames]
    return np.clip(10 * np.log10(np.maximum(power, 1e-10) / reference), -config.dynamic_range, 0)


def inversion_error(image, reference, config: Config):
    """Mean absolute error in dB of a clip's way to sound and back: the ceiling for any model's sound."""
    samples = to_audio(image, reference, config)
    frames = min(image.shape[1], 1 + len(samples) // config.hop)
    heard = heard_decibels(samples, reference, config, frames)
    return float(np.abs(heard - config.dynamic_range * (image[:, :frames] - 1)).mean())


def inconsistency(image, reference, config: Config):
    """Relative difference between an image's mel magnitudes and those of its sound; 0 where Griffin-Lim succeeds."""
    samples, mel = to_audio(image, reference, config), mel_power(image, reference, config)
    return inversion.relative_mel_error(samples, mel[:, :1 + len(samples) // config.hop], config.sample_rate,
                                        config.fft_size, config.hop)


def log_spectral_distance(samples, image, reference, config: Config):
    """Root mean squared difference in dB between sound and an image, both cut at the dynamic range."""
    frames = min(image.shape[1], 1 + len(samples) // config.hop)
    difference = heard_decibels(samples, reference, config, frames) - config.dynamic_range * (image[:, :frames] - 1)
    return float(np.sqrt(np.mean(difference**2)))


@lru_cache(maxsize=8)
def _chroma_filters(sample_rate, fft_size):
    import librosa

    return librosa.filters.chroma(sr=sample_rate, n_fft=fft_size)


def chroma(image, config: Config):
    """Chroma (12, frames), columns of length 1 (0 where silent); no Griffin-Lim in between."""
    power = linear_power(mel_power(image, 1.0, config), config)
    values = _chroma_filters(config.sample_rate, config.fft_size) @ power
    return values / np.maximum(np.linalg.norm(values, axis=0, keepdims=True), 1e-12)


def chroma_agreement(one, other):
    """Mean cosine of two chroma arrays, frame by frame."""
    return float(np.mean(np.sum(one * other, axis=0)))


def chroma_agreements(ones, others):
    """chroma_agreement of every one (n, 12, frames) with every other (m, 12, frames): (n, m)."""
    return ones.reshape(len(ones), -1) @ others.reshape(len(others), -1).T / ones.shape[-1]


def onsets(image, config: Config):
    """How many onsets a clip has: the measure of how simple a melody is. A rise counts from 1 dB over all bands."""
    import librosa

    decibels = config.dynamic_range * (image - 1)
    strength = librosa.onset.onset_strength(S=decibels, sr=config.sample_rate, hop_length=config.hop)
    # not normalised: librosa would find onsets in the ripple of a steady tone
    return len(librosa.onset.onset_detect(onset_envelope=strength, sr=config.sample_rate, hop_length=config.hop,
                                          normalize=False, delta=1.0))


def bass_share(image, config: Config, below=250.0):
    """Energy below 250 Hz over all energy, in dB."""
    import librosa

    centres = librosa.mel_frequencies(config.bands + 2, fmin=0, fmax=config.sample_rate / 2)[1:-1]
    power = mel_power(image, 1.0, config)
    return float(10 * np.log10(power[centres < below].sum() / power.sum()))


def pitch(samples, config: Config):
    """Fundamental frequency in Hz per frame by pYIN, NaN where unvoiced."""
    import librosa

    return librosa.pyin(samples, fmin=65.4, fmax=2093.0, sr=config.sample_rate, frame_length=2048, hop_length=1024)[0]


def pitch_agreement(one, other):
    """Share of the frames voiced in `one` in which `other` has the same pitch class within 50 cents; NaN without any.
    """
    length = min(len(one), len(other))
    one, other = one[:length], other[:length]
    voiced = ~np.isnan(one)
    if not voiced.any():
        return float("nan")
    with np.errstate(invalid="ignore"):
        cents = 1200 * np.log2(other[voiced] / one[voiced])
    distance = np.abs((cents + 600) % 1200 - 600)
    return float(np.mean(np.nan_to_num(distance, nan=600) <= 50))
