"""The demo orchestral corpus: `<composer>/<work> - <movement>.mp3`, five composers, several works each.

A work has one style, drawn once, and one recording sound; its movements differ in key, tempo and material.
"""

from pathlib import Path

import numpy as np

from common.demo import composer, players, sound
from common.demo.jobs import Job, shuffled

SAMPLE_RATE = 44100
WORKS = {"smoke": 2, "demo": 6}  # per composer
MOVEMENTS = ("I. Allegro", "II. Andante")
SECONDS = {"smoke": (36, 44), "demo": (62, 84)}  # of a movement


def write(root: Path, preset: str, null: bool, seed: int) -> list[Job]:
    """The jobs that write the recordings."""
    works = [name for name in players.COMPOSERS for _ in range(WORKS[preset])]
    labels = shuffled(works, seed) if null else works
    rng = np.random.default_rng([seed, 5])
    counts: dict[str, int] = {}
    jobs = []
    for number, (name, label) in enumerate(zip(works, labels, strict=True)):
        counts[label] = counts.get(label, 0) + 1
        for movement, title in enumerate(MOVEMENTS):
            samples = int(rng.integers(*SECONDS[preset]) * SAMPLE_RATE)
            path = root / label / f"Symphony No. {counts[label]} - {title}.mp3"
            jobs.append(Job(write_movement, path, (name, [seed, 5, number], movement, samples)))
    return jobs


def write_movement(path: Path, name: str, seed: list[int], movement: int, samples: int, mark: str = "") -> None:
    """Compose, render and write one movement of the work `seed` stands for."""
    style = composer.draw_style(players.COMPOSERS, name, np.random.default_rng(seed))
    rng = np.random.default_rng([*seed, movement])
    sound.write_mp3(path, sound.piece(style, rng, SAMPLE_RATE, samples), SAMPLE_RATE, mark)
