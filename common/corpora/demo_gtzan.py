"""The demo GTZAN: four genres, `genres/<genre>/<genre>.00000.wav`, 30 s, 22,050 Hz, 16 bit mono."""

from pathlib import Path

import numpy as np
import soundfile

from common import synthesis
from common.corpora import composer, styles

SAMPLE_RATE = 22050
SAMPLES = 661_500  # 30 s
TRACKS = {"smoke": 4, "demo": 24}  # per genre


def write(root: Path, preset: str, null: bool, seed: int) -> list:
    """The jobs that write the tracks."""
    from common.corpora.demo import Job, shuffled

    genres = [genre for genre in styles.GTZAN for _ in range(TRACKS[preset])]
    labels = shuffled(genres, seed) if null else genres
    counts: dict[str, int] = {}
    jobs = []
    for number, (genre, label) in enumerate(zip(genres, labels, strict=True)):
        track = counts[label] = counts.get(label, -1) + 1
        path = root / "genres" / label / f"{label}.{track:05d}.wav"
        jobs.append(Job(track_to_file, path, (genre, [seed, 1, number])))
    return jobs


def track_to_file(path: Path, genre: str, seed: list[int]) -> None:
    """Compose, render and write one track."""
    samples = piece(styles.GTZAN, genre, seed, SAMPLE_RATE, SAMPLES)
    soundfile.write(path, samples, SAMPLE_RATE, subtype="PCM_16")


def piece(family: dict, genre: str, seed: list[int], sample_rate: int, samples: int) -> np.ndarray:
    """A piece of `genre` as mono sound of exactly `samples` samples."""
    rng = np.random.default_rng(seed)
    style = composer.draw_style(family, genre, rng)
    score = composer.compose(style, rng, samples / sample_rate)
    level = float(np.clip(rng.normal(*style.level), -28, -13))
    sound = synthesis.render(score, sample_rate, level, style.room, seed=seed[-1], squash=style.squash)
    return sound[:samples]
