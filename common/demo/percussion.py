"""Drum sounds by General MIDI key: swept sines for skins, filtered noise for snares, hats and cymbals."""

from functools import lru_cache

import numpy as np
from scipy import signal

# key: (level, sine: (start Hz, end Hz, sweep s, decay s), noise: (low Hz, high Hz, decay s), share of noise)
KICK = (1.0, (150, 48, 0.03, 0.18), (1500, 6000, 0.006), 0.15)
SNARE = (0.7, (240, 185, 0.02, 0.08), (900, 9000, 0.13), 0.65)
SIDE_STICK = (0.4, (1700, 1650, 0.01, 0.02), (1500, 7000, 0.015), 0.5)
CLAP = (0.5, (1000, 1000, 0.01, 0.01), (900, 4000, 0.11), 0.95)
CLOSED_HAT = (0.32, (6200, 6200, 0.01, 0.02), (6500, 16000, 0.035), 0.9)
OPEN_HAT = (0.32, (6200, 6200, 0.01, 0.1), (6000, 16000, 0.28), 0.9)
CRASH = (0.45, (3900, 3900, 0.01, 0.4), (3000, 15000, 0.9), 0.92)
RIDE = (0.3, (4700, 4700, 0.01, 0.5), (5000, 14000, 0.5), 0.75)
SHAKER = (0.25, (5000, 5000, 0.01, 0.02), (4000, 12000, 0.05), 1.0)
WOOD = (0.4, (900, 880, 0.01, 0.04), (800, 4000, 0.01), 0.2)


def _skin(hertz: float) -> tuple:
    return (0.75, (hertz * 1.5, hertz, 0.05, 0.22), (400, 3000, 0.02), 0.15)


KIT = {
    35: KICK, 36: KICK, 37: SIDE_STICK, 38: SNARE, 39: CLAP, 40: SNARE, 41: _skin(75), 42: CLOSED_HAT, 43: _skin(90),
    44: CLOSED_HAT, 45: _skin(110), 46: OPEN_HAT, 47: _skin(130), 48: _skin(155), 49: CRASH, 50: _skin(185), 51: RIDE,
    52: CRASH, 53: RIDE, 54: SHAKER, 55: CRASH, 56: WOOD, 57: CRASH, 59: RIDE, 60: _skin(330), 61: _skin(250),
    62: _skin(360), 63: _skin(280), 64: _skin(210), 69: SHAKER, 70: SHAKER, 75: WOOD, 76: WOOD, 77: WOOD, 82: SHAKER,
}  # fmt: skip


@lru_cache(maxsize=256)
def sound(key: int, sample_rate: int) -> np.ndarray:
    """The hit of a General MIDI drum key at full velocity, float32; unknown keys sound as a tom."""
    level, (start, end, sweep, decay), (low, high, fading), share = KIT.get(key, _skin(140))
    length = int(5 * max(decay, fading) * sample_rate)
    time = np.arange(length) / sample_rate
    high = min(high, 0.46 * sample_rate)
    low = min(low, 0.6 * high)
    phase = end * time + (start - end) * sweep * (1 - np.exp(-time / sweep))
    skin = np.sin(2 * np.pi * phase) * np.exp(-time / decay)
    if end >= 0.45 * sample_rate:
        skin[:] = 0
    noise = np.random.default_rng([key, sample_rate]).standard_normal(length)
    noise = signal.sosfilt(signal.butter(2, [low, high], "bandpass", fs=sample_rate, output="sos"), noise)
    noise *= np.exp(-time / fading) / max(np.abs(noise).max(), 1e-9) * 1.6
    fade = np.minimum(1, (length - np.arange(length)) / (0.01 * sample_rate))
    return (level * ((1 - share) * skin + share * noise) * fade).astype(np.float32)
