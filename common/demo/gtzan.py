"""The demo GTZAN: four genres, `genres/<genre>/<genre>.00000.wav`, 30 s, 22,050 Hz, 16 bit mono."""

from pathlib import Path

import numpy as np

from common.demo import composer, sound, styles
from common.demo.jobs import Job, shuffled

SAMPLE_RATE = 22050
SAMPLES = 661_500  # 30 s
TRACKS = {"smoke": 4, "demo": 24}  # per genre


def write(root: Path, preset: str, null: bool, seed: int) -> list[Job]:
    """The jobs that write the tracks."""
    genres = [genre for genre in styles.GTZAN for _ in range(TRACKS[preset])]
    labels = shuffled(genres, seed) if null else genres
    counts: dict[str, int] = {}
    jobs = []
    for number, (genre, label) in enumerate(zip(genres, labels, strict=True)):
        track = counts[label] = counts.get(label, -1) + 1
        path = root / "genres" / label / f"{label}.{track:05d}.wav"
        jobs.append(Job(write_track, path, (genre, [seed, 1, number])))
    return jobs


def write_track(path: Path, genre: str, seed: list[int], mark: str = "") -> None:
    """Compose, render and write one track."""
    rng = np.random.default_rng(seed)
    style = composer.draw_style(styles.GTZAN, genre, rng)
    sound.write_wav(path, sound.piece(style, rng, SAMPLE_RATE, SAMPLES), SAMPLE_RATE, mark)
