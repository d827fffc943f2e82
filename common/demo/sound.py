"""From a style to a recording: compose, render, and set it apart from others as recordings are."""

from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from scipy import fft, signal

from common.demo import composer, synthesis
from common.demo.styles import Style

PEAK = 10 ** (-3 / 20)  # room for what MP3 adds on top


def piece(
    style: Style, rng: np.random.Generator, sample_rate: int, samples: int, only: tuple[str, ...] = ()
) -> np.ndarray:
    """A new piece in `style` as mono sound of exactly `samples` samples, float32; `only`: roles to write."""
    return played(composer.compose(style, rng, samples / sample_rate + 0.5, only), style, rng, sample_rate, samples)


def played(score: Any, style: Style, rng: np.random.Generator, sample_rate: int, samples: int) -> np.ndarray:
    """The first `samples` samples of a pretty_midi score as a recording in `style`, mono float32."""
    level = float(np.clip(rng.normal(*style.level), -27, -13))
    sound = synthesis.render(
        score, sample_rate, level, style.room, seed=int(rng.integers(1 << 30)), squash=style.squash
    )
    return recorded(sound[:samples], sample_rate, rng, style.colour, style.hiss)


def recorded(
    sound: np.ndarray, sample_rate: int, rng: np.random.Generator, colour: float, hiss: tuple[float, float]
) -> np.ndarray:
    """The sound as some microphone and equaliser would have it.

    Args:
        colour: standard deviation in dB of the gain of each of six bands an octave and a half apart.
        hiss: level of background noise in dB below the sound: mean, standard deviation.
    """
    level = np.sqrt(np.mean(sound**2)) + 1e-9
    centres = np.array([80, 240, 700, 2000, 5500, 15000])
    gains = rng.normal(0, colour, len(centres))
    length = fft.next_fast_len(len(sound), real=True)
    spectrum = fft.rfft(sound.astype(np.float32), length)
    hertz = np.maximum(fft.rfftfreq(length, 1 / sample_rate), 20)
    response = 10 ** (np.interp(np.log(hertz), np.log(centres), gains) / 20)
    noise = rng.standard_normal(len(sound)).astype(np.float32)
    noise = signal.lfilter([1.0], [1.0, -0.9], noise)
    shaped = fft.irfft(spectrum * response.astype(np.float32), length)[: len(sound)]
    shaped *= level / (np.sqrt(np.mean(shaped**2)) + 1e-9)
    shaped += noise * (level * 10 ** (-max(rng.normal(*hiss), 20) / 20) / np.sqrt(np.mean(noise**2)))
    return (shaped * min(1.0, PEAK / np.abs(shaped).max())).astype(np.float32)


def write_mp3(path: Path, samples: np.ndarray, sample_rate: int, mark: str = "") -> None:
    """Constant bit rate MP3 through libsndfile; `mark` becomes its comment (ID3)."""
    _write(path, samples, sample_rate, mark, format="MP3", subtype="MPEG_LAYER_III", bitrate_mode="CONSTANT")


def write_wav(path: Path, samples: np.ndarray, sample_rate: int, mark: str = "") -> None:
    """WAV, 16 bit; `mark` becomes its comment (LIST INFO)."""
    _write(path, samples, sample_rate, mark, format="WAV", subtype="PCM_16")


def _write(path: Path, samples: np.ndarray, sample_rate: int, mark: str, **kind) -> None:
    with soundfile.SoundFile(path, "w", sample_rate, 1, **kind) as file:
        if mark:
            file.comment = mark
        file.write(samples)
