"""What a page needs to play versions of a piece against each other: loudness to match, and pictures of the sound.

Pages open from disk, where scripts may not read files: levels and spectrograms are made here, from the WAV files.
"""

import base64
import io

import matplotlib
import numpy as np
import soundfile
from PIL import Image

WIDTH, HEIGHT, COLOURS = 240, 56, 48
RANGE, LOWEST = 70.0, 60.0  # dB shown below the loudest cell; Hz of the lowest row
REACH = 20.0  # dB: what is fainter than this below the loudest is near silence; others are not brought down to it


def level(samples: np.ndarray) -> float:
    """Root mean square of (samples,) in dB of full scale; −inf for silence."""
    power = float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
    return 10 * np.log10(power) if power > 0 else -np.inf


def gains(levels: list[float]) -> list[float]:
    """dB to play each version at so that all sound alike: 0 or less, none is made louder.

    Versions more than REACH below the loudest stay as they are.
    """
    audible = [one for one in levels if one > max(levels) - REACH]
    quietest = min(audible, default=0.0)
    return [min(0.0, quietest - one) if one > -np.inf else 0.0 for one in levels]


def picture(samples: np.ndarray, sample_rate: int) -> str:
    """A spectrogram of (samples,) as the address of a PNG: time across the whole width, logarithmic pitch upwards."""
    size = 1024 if sample_rate > 16_000 else 512
    padded = np.pad(samples.astype(np.float32), (size // 2, size // 2))
    starts = np.linspace(0, len(padded) - size, WIDTH).astype(int)
    frames = padded[starts[:, None] + np.arange(size)] * np.hanning(size).astype(np.float32)
    power = np.square(np.abs(np.fft.rfft(frames, axis=1)))
    edges = np.geomspace(LOWEST, sample_rate / 2, HEIGHT + 1) * size / sample_rate
    low = np.clip(edges[:-1].astype(int), 0, power.shape[1] - 1)
    high = np.clip(np.ceil(edges[1:]).astype(int), low + 1, power.shape[1])
    bands = np.stack([power[:, a:b].max(axis=1) for a, b in zip(low, high, strict=True)])[::-1]
    decibels = 10 * np.log10(np.maximum(bands, 1e-14) / max(bands.max(), 1e-6))
    share = np.clip(1 + decibels / RANGE, 0, 1)
    image = Image.fromarray(np.round(share * (COLOURS - 1)).astype(np.uint8), "P")
    shades = matplotlib.colormaps["magma"](np.linspace(0, 1, COLOURS))[:, :3]
    image.putpalette(np.round(shades * 255).astype(np.uint8).tobytes())
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def prepare(grid: dict, files: dict) -> dict:
    """A grid with "playable", how many of its cells have a sound, and in these "gain" (dB), "seconds" and "picture".

    Args:
        files: {address of a sound: its path}; a sound that cannot be read is left as it is. Folded grids get no
            pictures: they are many, and seldom opened.
    """
    cells = [cell for _, row in grid["rows"] for cell in row if cell and cell["audio"]]
    read = []
    for cell in cells:
        try:
            samples, sample_rate = soundfile.read(files[cell["audio"]], dtype="float32", always_2d=True)
        except (OSError, soundfile.LibsndfileError):
            continue
        read.append((cell, samples.mean(axis=1), sample_rate))
    for (cell, samples, sample_rate), gain in zip(read, gains([level(one) for _, one, _ in read]), strict=True):
        cell |= {"gain": gain, "seconds": len(samples) / sample_rate,
                 "picture": "" if grid["folded"] else picture(samples, sample_rate)}
    return grid | {"playable": len(cells)}
