"""The demo Medley-solos-DB: clips of eight solo instruments, 131,072 samples at 44.1 kHz, with the metadata table.

A song is one soloist's monophonic piece on one instrument in one recording; it gives several clips in a row. What is
played in each clip stands in a table beside them (NOTES), which the published set has not.
"""

import csv
import uuid
from pathlib import Path
from typing import Any

import numpy as np

from common.corpora import medley_solos_db
from common.demo import composer, players, sound
from common.demo.jobs import Job, shuffled

SAMPLE_RATE = 44100
SAMPLES = 131_072
SONGS = {  # per instrument and split
    "smoke": {"training": 2, "validation": 1, "test": 1},
    "demo": {"training": 16, "validation": 4, "test": 15},
}
CLIPS = {"smoke": 3, "demo": 4}  # per song
NOTES = "notes.csv"  # uuid4 of a clip, onset and end in seconds from its start, MIDI pitch


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
    rows, jobs, notes = [], [], []
    for song, ((instrument, split), label) in enumerate(zip(songs, labels, strict=True)):
        code = medley_solos_db.INSTRUMENTS.index(label)
        paths = []
        for _ in range(CLIPS[preset]):
            name = str(uuid.UUID(bytes=rng.bytes(16), version=4))
            rows.append((split, label, code, song, name))
            paths.append(root / f"Medley-solos-DB_{split}-{code}_{name}.wav")
        score = composed(instrument, np.random.default_rng([seed, 3, song]), len(paths))[1]
        notes += notes_of_clips(score, [row[-1] for row in rows[-len(paths):]])
        jobs.append(Job(write_song, paths[0], (paths, instrument, [seed, 3, song])))
    with open(root / medley_solos_db.TABLE, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["subset", "instrument", "instrument_id", "song_id", "uuid4"])
        table.writerows(rows)
    with open(root / NOTES, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["uuid4", "onset", "end", "pitch"])
        table.writerows(notes)
    return jobs


def composed(instrument: str, rng: np.random.Generator, clips: int) -> Any:
    """(style, score) of one solo of `clips` clips: the first that `rng` is drawn from."""
    style = players.soloist(instrument, rng)
    return style, composer.compose(style, rng, SAMPLES * clips / SAMPLE_RATE + 0.5, ("melody",))


def notes_of_clips(score: Any, names: list[str]) -> list[tuple]:
    """(clip, onset, end, pitch) of every note that sounds in a clip, in seconds from the clip's start."""
    seconds = SAMPLES / SAMPLE_RATE
    return [(name, round(max(0.0, note.start - number * seconds), 4),
             round(min(note.end - number * seconds, seconds), 4), note.pitch)
            for number, name in enumerate(names) for track in score.instruments for note in track.notes
            if note.start < (number + 1) * seconds and note.end > number * seconds]


def read_notes(root: Path) -> dict[str, list[tuple[float, float, int]]]:
    """{uuid4 of a clip: [(onset, end, pitch)]} of a demo corpus at `root`; empty for any other."""
    if not (root / NOTES).is_file():
        return {}
    found: dict[str, list[tuple[float, float, int]]] = {}
    with open(root / NOTES, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["uuid4"], []).append((float(row["onset"]), float(row["end"]), int(row["pitch"])))
    return found


def write_song(_: Path, paths: list[Path], instrument: str, seed: list[int], mark: str = "") -> None:
    """Compose and render one solo and cut it into clips of a level between -27 and -14 dB."""
    rng = np.random.default_rng(seed)
    style, score = composed(instrument, rng, len(paths))
    samples = sound.played(score, style, rng, SAMPLE_RATE, SAMPLES * len(paths))
    for path, clip in zip(paths, samples.reshape(len(paths), SAMPLES), strict=True):
        level = 20 * np.log10(np.sqrt(np.mean(clip**2)) + 1e-9)
        gain = np.clip(level, -27, -14) - level
        gain = min(gain, 20 * np.log10(sound.PEAK / (np.abs(clip).max() + 1e-9)))
        sound.write_wav(path, clip * np.float32(10 ** (gain / 20)), SAMPLE_RATE, mark)
