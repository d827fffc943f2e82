"""The demo GTZAN: four genres, `genres/<genre>/<genre>.00000.wav`, 30 s, 22,050 Hz, 16 bit mono.

Made for what is asked of GTZAN: whether a genre can be told from excerpts of a second, reduced to the band below 276 Hz
(softmax_ae), on recordings that were not trained on. So a genre's pieces stand in keys of its own, every recording has
a hum of its own by which its excerpts know each other, and loudness says nothing: the recordings of every genre have
the same levels. The numbers below were fixed by probes on pooled excerpts (linear and nearest neighbours, held-out
recordings) of corpora with seeds 100 and above, before any network was trained, and are never tuned to what one does.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from common.demo import composer, sound, styles
from common.demo.jobs import Job, shuffled

SAMPLE_RATE = 22050
SAMPLES = 661_500  # 30 s
TRACKS = {"smoke": 4, "demo": 24}  # per genre
TONICS = {"classical": (0, 2, 7), "jazz": (3, 5, 10), "metal": (1, 4, 6), "pop": (8, 9, 11)}  # pitch classes, C = 0
BORROW = 0.04  # of other genres' aspects, their keys never
HUM = 0.65  # amplitude beside the music, both below 276 Hz
HUM_HERTZ = (44.0, 66.0)
OVERTONES = ((2, -15.0, -3.0), (3, -20.0, -6.0))  # of the hum: number, range of level in dB
LEVEL = (-22.0, 1.5)  # dB of full scale below 276 Hz: mean, standard deviation
POOL = 40  # samples whose means are the band below 276 Hz
PEAK = 0.85


def write(root: Path, preset: str, null: bool, seed: int) -> list[Job]:
    """The jobs that write the tracks."""
    genres = [(genre, place) for genre in styles.GTZAN for place in range(TRACKS[preset])]
    names = [genre for genre, _ in genres]
    labels = shuffled(names, seed) if null else names
    counts: dict[str, int] = {}
    jobs = []
    for number, ((genre, place), label) in enumerate(zip(genres, labels, strict=True)):
        track = counts[label] = counts.get(label, -1) + 1
        path = root / "genres" / label / f"{label}.{track:05d}.wav"
        jobs.append(Job(write_track, path, (genre, [seed, 1, number], [seed, 2, place])))
    return jobs


def write_track(path: Path, genre: str, seed: list[int], level_seed: list[int], mark: str = "") -> None:
    """Compose, render and write one track; `level_seed` is shared with one track of every other genre."""
    sound.write_wav(path, track(genre, seed, level_seed), SAMPLE_RATE, mark)


def track(genre: str, seed: list[int], level_seed: list[int]) -> np.ndarray:
    """One recording, float32 of shape (661500,)."""
    rng = np.random.default_rng(seed)
    genres = {name: replace(style, borrow=BORROW) for name, style in styles.GTZAN.items()}
    style = replace(composer.draw_style(genres, genre, rng), tonics=TONICS[genre])
    music = sound.piece(style, rng, SAMPLE_RATE, SAMPLES)
    mixed = music / low_level(music)
    tone = hum(rng, len(music))
    mixed += HUM * tone / low_level(tone)
    decibels = np.clip(np.random.default_rng(level_seed).normal(*LEVEL), LEVEL[0] - 4, LEVEL[0] + 4)
    mixed *= 10 ** (decibels / 20) / low_level(mixed)
    return (mixed * min(1.0, PEAK / np.abs(mixed).max())).astype(np.float32)


def hum(rng: np.random.Generator, samples: int) -> np.ndarray:
    """What an amplifier adds to a recording: a low steady tone with two overtones, all drawn anew for each."""
    cycles = rng.uniform(*HUM_HERTZ) * np.arange(samples) / SAMPLE_RATE
    tone = np.sin(2 * np.pi * (cycles + rng.random()))
    for number, low, high in OVERTONES:
        tone += 10 ** (rng.uniform(low, high) / 20) * np.sin(2 * np.pi * (number * cycles + rng.random()))
    return tone


def low_level(samples: np.ndarray) -> float:
    """Root mean square of the means of 40 samples: the level of the band below 276 Hz."""
    whole = len(samples) // POOL * POOL
    return float(np.sqrt(np.mean(np.square(samples[:whole].reshape(-1, POOL).mean(axis=1)))))
