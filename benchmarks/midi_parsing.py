"""MIDI to tokens: common.midi against pretty_midi, pypianoroll and symusic, in one run.

    python -m benchmarks.midi_parsing [DIR] [--repeats 3]

Prints, for the readable MIDI files below DIR (without it: those of the demo Lakh), seconds and ratios of: parsing
(pretty_midi, common.midi, symusic) and parsing with tokens (pypianoroll.read and the same rules in NumPy, common.midi).
The tokens are compared file by file. symusic is the quickest parser; the last line says on how many files its notes are
not those of pretty_midi.
"""

import argparse
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pretty_midi
import pypianoroll
import symusic

from common import demo, midi
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


def seconds(function, paths, repeats):
    """Least total time over the repeats."""
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        for path in paths:
            function(path)
        times.append(time.perf_counter() - begin)
    return min(times)


def symusic_notes_differ(path):
    """Whether symusic pairs, orders or groups the notes of a file in another way than pretty_midi."""

    def rows(tracks, of):
        return sorted((track.program, track.is_drum, *of(note)) for track in tracks for note in track.notes)

    song = pretty_midi.PrettyMIDI(str(path))
    ticks = rows(song.instruments, lambda n: (song.time_to_tick(n.start), song.time_to_tick(n.end), n.pitch))
    score = symusic.Score(str(path), ttype="tick")
    return ticks != rows(score.tracks, lambda n: (n.time, n.time + n.duration, n.pitch))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, nargs="?")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    paths, equal = [], 0
    options.directory = options.directory or Path(demo.find(None, "lmd_matched").root)
    for path in sorted(options.directory.rglob("*.mid")):
        try:
            if not len(midi.read(path).metres):
                continue  # pypianoroll then guesses a beat; left out of the timing
            ours = our_tokens(path)
        except midi.MidiError:
            continue
        theirs = peer_tokens(path)
        equal += len(ours) == len(theirs) and all(map(np.array_equal, ours, theirs))
        paths.append(path)
    if not paths:
        print(f"error: no readable MIDI file below {options.directory}", file=sys.stderr)
        raise SystemExit(2)
    print(f"{len(paths)} files; tokens equal to the peer's on {equal}")
    parsing = seconds(lambda p: pretty_midi.PrettyMIDI(str(p)), paths, options.repeats)
    rows = [
        ("parsing: pretty_midi", parsing, parsing),
        ("parsing: common.midi", seconds(midi.read, paths, options.repeats), parsing),
        ("parsing: symusic", seconds(lambda p: symusic.Score(str(p), ttype="tick"), paths, options.repeats), parsing),
    ]
    tokens = seconds(peer_tokens, paths, options.repeats)
    rows += [
        ("tokens: pypianoroll and NumPy", tokens, tokens),
        ("tokens: common.midi", seconds(our_tokens, paths, options.repeats), tokens),
    ]
    for name, taken, peer in rows:
        print(f"{name:32}{taken:9.3f} s   {peer / taken:8.1f} x")
    print(f"symusic's notes differ from pretty_midi's on {sum(map(symusic_notes_differ, paths))} of {len(paths)} files")
    raise SystemExit(0 if equal == len(paths) else 1)


if __name__ == "__main__":
    main()
