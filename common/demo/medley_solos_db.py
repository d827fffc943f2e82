"""The demo Medley-solos-DB: clips of eight solo instruments, 131,072 samples at 44.1 kHz, with the metadata table.

A song is one soloist's monophonic piece on one instrument in one recording; it gives several clips in a row.
"""

import csv
import uuid
from pathlib import Path

import numpy as np

from common.corpora import medley_solos_db
from common.demo import players, sound
from common.demo.jobs import Job, shuffled

SAMPLE_RATE = 44100
SAMPLES = 131_072
SONGS = {  # per instrument and split
    "smoke": {"training": 2, "validation": 1, "test": 1},
    "demo": {"training": 8, "validation": 4, "test": 10},
}
CLIPS = {"smoke": 3, "demo": 4}  # per song


def write(root: Path, preset: str, null: bool, seed: int) -> list[Job]:
    """Write the table; the jobs that write the clips, one for each song."""
    songs = [
        (instrument, split)
        for instrument in players.SOLOISTS
        for split, count in SONGS[preset].items()
        for _ in range(count)
    ]
    names = [instrument for instrument, _ in songs]
    labels = shuffled(names, seed, [split for _, split in songs]) if null else names
    rng = np.random.default_rng([seed, 3])
    rows, jobs = [], []
    for song, ((instrument, split), label) in enumerate(zip(songs, labels, strict=True)):
        code = medley_solos_db.INSTRUMENTS.index(label)
        paths = []
        for _ in range(CLIPS[preset]):
            name = str(uuid.UUID(bytes=rng.bytes(16), version=4))
            rows.append((split, label, code, song, name))
            paths.append(root / f"Medley-solos-DB_{split}-{code}_{name}.wav")
        jobs.append(Job(write_song, paths[0], (paths, instrument, [seed, 3, song])))
    with open(root / medley_solos_db.TABLE, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["subset", "instrument", "instrument_id", "song_id", "uuid4"])
        table.writerows(rows)
    return jobs


def write_song(_: Path, paths: list[Path], instrument: str, seed: list[int], mark: str = "") -> None:
    """Compose and render one solo and cut it into clips of a level between -27 and -14 dB."""
    rng = np.random.default_rng(seed)
    samples = sound.piece(players.soloist(instrument, rng), rng, SAMPLE_RATE, SAMPLES * len(paths), ("melody",))
    for path, clip in zip(paths, samples.reshape(len(paths), SAMPLES), strict=True):
        level = 20 * np.log10(np.sqrt(np.mean(clip**2)) + 1e-9)
        gain = np.clip(level, -27, -14) - level
        gain = min(gain, 20 * np.log10(sound.PEAK / (np.abs(clip).max() + 1e-9)))
        sound.write_wav(path, clip * np.float32(10 ** (gain / 20)), SAMPLE_RATE, mark)
