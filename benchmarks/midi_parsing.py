"""MIDI to tokens: common.midi against pretty_midi, pypianoroll and symusic, in one run.

    python -m benchmarks.midi_parsing [DIR]

For the readable MIDI files below DIR (without it: those of the demo Lakh): parsing (pretty_midi, symusic, common.midi)
and parsing with tokens (pypianoroll.read and the same rules in NumPy, common.midi). The tokens are compared file by
file. symusic is the quickest parser; the last row says on how many files its notes are not those of pretty_midi.
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
import pretty_midi
import pypianoroll
import symusic

from benchmarks import timing
from common import demo, midi, process
from common.errors import EncoreError
from papers.musae import tokens


def peer_tokens(path):
    """Tokens of every track by pypianoroll and the rules of section 3.1 in NumPy."""
    found = []
    for track in pypianoroll.read(path, resolution=4).tracks:
        roll = track.pianoroll > 0
        base = np.where(roll.any(axis=1), roll.argmax(axis=1), 128)
        held = np.concatenate([[False], base[1:] == base[:-1]])
        found.append(np.where(held, 129, base))
    return found


def our_tokens(path):
    """Tokens of every track by common.midi and MusAE's alphabet."""
    return [tokens.base_tokens(line.base) for line in midi.pypianoroll_grid(midi.read(path))]


def symusic_notes_differ(path):
    """Whether symusic pairs, orders or groups the notes of a file in another way than pretty_midi."""

    def rows(tracks, of):
        return sorted((track.program, track.is_drum, *of(note)) for track in tracks for note in track.notes)

    song = pretty_midi.PrettyMIDI(str(path))
    ticks = rows(song.instruments, lambda n: (song.time_to_tick(n.start), song.time_to_tick(n.end), n.pitch))
    score = symusic.Score(str(path), ttype="tick")
    return ticks != rows(score.tracks, lambda n: (n.time, n.time + n.duration, n.pitch))


def usable(folder: Path) -> list[Path]:
    """The MIDI files below a folder that can be read and that say where beats are; pypianoroll guesses them else."""
    found = []
    for path in sorted(folder.rglob("*.mid")):
        try:
            if len(midi.read(path).metres):
                our_tokens(path)
                found.append(path)
        except midi.MidiError:
            continue
    return found


def equal(path: Path) -> bool:
    """Whether every track's tokens are the peer's."""
    ours, theirs = our_tokens(path), peer_tokens(path)
    return len(ours) == len(theirs) and all(map(np.array_equal, ours, theirs))


def rows(tiny: bool = False, midi_files: Path | None = None, most: int = 40) -> list[dict]:
    """Rows of parsing and of tokens against the peers, and the share of files with equal tokens."""
    warnings.simplefilter("ignore")
    paths = usable(midi_files or Path(demo.find(None, "lmd_matched", "smoke").root))
    paths, rounds = (paths[:2], 1) if tiny else (paths[:: max(1, len(paths) // most)][:most], 5)
    if not paths:
        raise EncoreError(f"{midi_files}: no readable MIDI file in it; name another folder")

    def all_of(function):
        return lambda: [function(path) for path in paths]

    found = []
    for what, ours, peer, aim in (
            ("MIDI to tokens, against pretty_midi and pypianoroll", our_tokens, peer_tokens, 30),
            ("MIDI parsed, against pretty_midi", midi.read, lambda path: pretty_midi.PrettyMIDI(str(path)), None),
            ("MIDI parsed, against symusic", midi.read, lambda path: symusic.Score(str(path), ttype="tick"), None)):
        found.append(timing.times_as_fast("midi", what, *timing.in_turn(rounds, all_of(ours), all_of(peer)), aim,
                                          files=len(paths)))
    share = sum(map(equal, paths)) / len(paths)
    differ = sum(map(symusic_notes_differ, paths))
    return [*found, timing.row("midi", "files whose tokens equal the peers'", [share], "of all", 1.0),
            timing.row("midi", "files whose notes symusic reads unlike pretty_midi", [differ / len(paths)], "of all")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, nargs="?")
    found = rows(midi_files=parser.parse_args().directory, most=10**6)
    print("\n".join(map(timing.line, found)))


if __name__ == "__main__":
    with process.one_line_errors():
        main()
