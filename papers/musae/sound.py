"""From tokens to things to hear and see: MIDI files with sensible programs, rendered sound, piano-roll pictures."""

from pathlib import Path
from typing import Any

import numpy as np

from common import audio
from common.demo import synthesis
from papers.musae import figures
from papers.musae.config import Config
from papers.musae.data import STEPS_PER_BAR
from papers.musae.model import TRACKS
from papers.musae.tokens import SILENT, to_pretty_midi, token_base

PROGRAMS = (0, 33, 29, 48)  # drum kit, electric bass, electric guitar, strings: what the authors exported
SAMPLE_RATE = 22_050


def to_midi(tokens: np.ndarray, config: Config, tempo: float = 120.0) -> Any:
    """pretty_midi of tokens (T, 4) as this run's grid means them."""
    repeats = config.quantiser == "pypianoroll"  # there a held drum is the same drum hit again
    return to_pretty_midi(tokens, PROGRAMS, {0}, TRACKS, tempo, drum_hold_repeats=repeats)


def to_multitrack(tokens: np.ndarray, tempo: float = 120.0) -> Any:
    """pypianoroll.Multitrack of tokens (T, 4): a binary roll (T, 128) for each track."""
    import pypianoroll

    tracks = []
    for k, name in enumerate(TRACKS):
        base = token_base(np.asarray(tokens)[:, k])
        roll = (base[:, None] == np.arange(128)) & (base[:, None] < SILENT)
        tracks.append(pypianoroll.BinaryTrack(name=name, program=PROGRAMS[k], is_drum=k == 0, pianoroll=roll))
    return pypianoroll.Multitrack(name="", resolution=STEPS_PER_BAR // 4, tempo=np.full(len(tokens), float(tempo)),
                                  tracks=tracks)  # fmt: skip


def write_score(tokens: np.ndarray, config: Config, path: Path, title: str,
                tempo: float = 120.0) -> tuple[Path, Path, Path, Path]:
    """As `write`, for those who go on with the score: the picture is pypianoroll's, its rolls lie beside it (.npz)."""
    midi, sound, picture = write(tokens, config, path, title, tempo)
    score = to_multitrack(tokens, tempo)
    rolls = midi.with_suffix(".npz")
    score.save(str(rolls))
    return midi, sound, figures.score(score, picture, title), rolls


def write(tokens: np.ndarray, config: Config, path: Path, title: str, tempo: float = 120.0) -> tuple[Path, Path, Path]:
    """Write `path` (.mid), and beside it the sound (.wav) and the piano roll (.png); returns the three paths."""
    path = Path(path).with_suffix(".mid")
    path.parent.mkdir(parents=True, exist_ok=True)
    song = to_midi(tokens, config, tempo)
    song.write(str(path))
    sound = path.with_suffix(".wav")
    if any(instrument.notes for instrument in song.instruments):
        samples = synthesis.render(song, SAMPLE_RATE)
    else:
        samples = np.zeros(int(SAMPLE_RATE * len(tokens) * 15.0 / tempo), np.float32)
    audio.write(sound, samples, SAMPLE_RATE)
    return path, sound, figures.piano_roll(tokens, path.with_suffix(".png"), title)


def notes(tokens: np.ndarray) -> int:
    """Notes of all tracks in tokens (T, 4)."""
    return int((np.asarray(tokens) < SILENT).sum())
