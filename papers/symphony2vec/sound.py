"""Sound from mel-spectrograms in decibels, for the page and the tools."""

from typing import Any

import numpy as np

from common import audio
from common.inversion import db_to_power, mel_to_audio

ITERATIONS = 32  # of Griffin-Lim: enough to hear what is there


def from_decibels(config: Any, decibels: np.ndarray) -> np.ndarray:
    """Samples of a mel-spectrogram in decibels (bands, frames), peak 0.7; fewer bands than 64 are the lowest ones."""
    whole = np.full((config.mel_bands, decibels.shape[1]), -80.0)
    whole[: len(decibels)] = np.clip(decibels, -80.0, 0.0)
    samples = mel_to_audio(db_to_power(whole), config.sample_rate, config.fft_size, config.hop, 0.0, config.mel_top_hz,
                           iterations=ITERATIONS)  # fmt: skip
    peak = np.abs(samples).max()
    return samples * (0.7 / peak if peak > 0 else 1.0)


def write(trained: Any, name: str, decibels: np.ndarray) -> Any:
    """Write a sound of a run; returns its path."""
    path = trained.run.audio(name)
    audio.write(path, from_decibels(trained.config, decibels), trained.config.sample_rate)
    return path
