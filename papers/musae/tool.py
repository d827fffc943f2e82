"""What the four tools share: the model of a run, and MIDI files cut to the bars a model can take."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from common import command, midi, process, scripts
from papers.musae import config as settings, preprocess
from papers.musae.data import STEPS_PER_BAR
from papers.musae.tokens import base_tokens

ADVICE = {
    "time signature": "set one 4/4 time signature at the start and export again",
    "no drums": "add a part on channel 10",
    "no bass": "give a part a bass program (33 to 40 in General MIDI's count)",
    "no guitar": "give a part a piano, organ or guitar program (1 to 32)",
    "no strings": "give a part any other program (41 to 128)",
    "drum hit": "lengthen the file by a beat, or use a run made with --follow sound",
}


@dataclass(frozen=True)
class Song:
    """A MIDI file as the model sees it: tokens and base (steps, 4), tempo, and why each bar pair or period does not
    fit.

    faults: {window number: reason} for the windows of `bars` bars, one after the other.
    """

    path: Path
    tokens: np.ndarray
    base: np.ndarray
    tempo: float
    bars: int
    faults: dict

    def windows(self) -> Any:
        """Tokens (windows, steps, 4) of the windows that fit, and their numbers."""
        steps = self.bars * STEPS_PER_BAR
        numbers = [k for k in range(len(self.tokens) // steps) if k not in self.faults]
        cut = [self.tokens[k * steps : (k + 1) * steps].copy() for k in numbers]
        for window, k in zip(cut, numbers, strict=True):
            window[0] = self.base[k * steps]
        return np.array(cut, np.int32), numbers


def read(path: Path, config: Any, bars: int) -> Any:
    """A MIDI file's four tracks, of each class the part with most notes, and the bars that do not fit.

    Raises midi.MidiError, with what to do, where the file as a whole cannot be used.
    """
    try:
        found, _ = preprocess.file_lines(path, config.quantiser, config.time_signature)
    except midi.MidiError as error:
        advice = next((f"; {text}" for key, text in ADVICE.items() if key in str(error)), "")
        raise midi.MidiError(f"{error}{advice}") from None
    lines = []
    for name in preprocess.CLASSES:
        parts = [(line, base_tokens(line, onset)) for line, onset in found[name]]
        lines.append(max(parts, key=lambda part: int((part[1] < midi.SILENT).sum())))
    base, tokens = (np.stack([line[k] for line in lines], axis=1) for k in (0, 1))
    steps, faults = bars * STEPS_PER_BAR, {}
    for number in range(len(tokens) // steps):
        silent = [name for name, column in zip(preprocess.CLASSES, base[number * steps : (number + 1) * steps].T,
        strict=True)
                  if preprocess.too_silent(column, steps, config.silence_limit)[0]]  # fmt: skip
        if silent:
            faults[number] = f"{' and '.join(silent)} silent for more than {config.silence_limit} steps"
    if len(tokens) < steps:
        raise midi.MidiError(
            f"{path}: {len(tokens) / STEPS_PER_BAR:.1f} bars long, the model takes {bars}; make it longer"
        )
    return Song(Path(path), tokens, base, midi.read(path).quarter_notes_per_minute, bars, faults)


def report(song: Any) -> Any:
    """Say bar by bar what does not fit; raises midi.MidiError if nothing does."""
    for number, reason in song.faults.items():
        first = number * song.bars + 1
        print(f"{song.path}: bars {first} to {first + song.bars - 1} left out: {reason}", file=sys.stderr)
    if len(song.faults) == len(song.tokens) // (song.bars * STEPS_PER_BAR):
        raise midi.MidiError(
            f"{song.path}: no {song.bars} bars in which all four tracks play; fill the rests listed above, "
            "or choose another part"
        )


def open_run(directory: Path | None, runs_folder: Path) -> tuple:
    """(run, store) of the given run or the newest complete sound run; says what it was trained on, loads TensorFlow."""
    return scripts.open_tool(settings, directory, runs_folder)


def learner(run: Any, store: Any, name: str) -> Any:
    """The trained networks of one of the run's models."""
    from common import training
    from papers.musae import train

    entry, config = train.jobs(run.config)[name]
    return training.load(entry, config, store, run.model_directory(name), run.seed)


def run_tool(options_type: type, description: str, body: Callable) -> Any:
    """Parse the options, run `body(options)` with errors as one line and exit code 2."""
    options = command.parse(options_type, description)
    with process.one_line_errors():
        body(options)


def save(tokens: Any, config: Any, path: Path, title: str, tempo: Any) -> Any:
    """Write MIDI, sound, picture and rolls (pypianoroll's .npz), and say where."""
    from papers.musae import sound

    for written in sound.write_score(tokens, config, path, title, tempo):
        print(written)
