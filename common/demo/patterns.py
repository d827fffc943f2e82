"""How the accompaniment plays a bar: chords, bass, sustained voices and drums."""

from typing import Any

import numpy as np

from common.demo.pieces import SECTION_BARS, Note

# One bar of sixteen steps (of the first 4 * meter are used): x loud, o soft.
DRUMS = {
    "rock": {36: "x.......x.x.....", 38: "....x.......x...", 42: "x.x.x.x.x.x.x.x."},
    "pop": {36: "x.....x.x.......", 38: "....x.......x...", 42: "x.o.x.o.x.o.x.o."},
    "ballad": {36: "x.........x.....", 37: "....x.......x...", 42: "x...o...x...o..."},
    "four": {36: "x...x...x...x...", 39: "....x.......x...", 46: "..x...x...x...x.", 42: "o.o.o.o.o.o.o.o."},
    "break": {36: "x..x......x..x..", 38: "....x..o.o..x..o", 42: "x.x.x.x.x.x.x.x."},
    "boom bap": {36: "x......x..x.....", 38: "....x.......x...", 42: "x.x.x.xxx.x.x.x."},
    "double kick": {36: "x.xxx.xxx.xxx.xx", 38: "....x.......x...", 51: "x.x.x.x.x.x.x.x."},
    "blast": {36: "x.x.x.x.x.x.x.x.", 38: ".x.x.x.x.x.x.x.x", 49: "x.......x......."},
    "half time": {36: "x.....x...x.....", 38: "........x.......", 49: "x.......o......."},
    "swing": {51: "x...x..xx...x..x", 44: "....x.......x...", 36: "o.........o....."},
    "brushes": {51: "x...x.x.x...x.x.", 37: "....o.......o...", 44: "....x.......x..."},
    "bossa": {36: "x..xx..xx..xx..x", 37: "x..x..x...x..x..", 42: "o.o.o.o.o.o.o.o."},
    "shaker": {70: "x.o.x.o.x.o.x.o.", 36: "x.......o......."},
    "hand drums": {62: "x..x..x...x.x...", 64: "..x...x.x.....x.", 70: "o.o.o.o.o.o.o.o."},
    "clave": {75: "x..x..x...x.x...", 63: "..x.x...x..x..x.", 36: "x.......x......."},
    "sparse": {36: "x...............", 56: "......x......o.."},
    "timpani roll": {47: "x.......x......."},
}
FILL = {38: "........x.x.xxxx", 45: "............x.x.", 36: "x...x...x...x..."}


def _voicing(chord, centre: int) -> list[int]:
    """The chord's notes around pitch `centre`, closed position, from low to high."""
    return sorted(centre - 6 + (pitch_class - centre + 6) % 12 for pitch_class in chord.pitch_classes)


def _centre(program: int) -> int:
    return 52 if program in (24, 25, 26, 27, 28, 29, 30) else 48 if program in (42, 43, 57, 58, 60, 70) else 60


def chords(pattern: str, harmony: list, piece: Any, program: int, rng: np.random.Generator) -> list:
    """Notes of the chord part; `pattern` is one of the branches below."""
    notes, meter = [], piece.meter
    hits: list[tuple[float, float, float]]
    for bar, chord in enumerate(harmony):
        start, voices = bar * meter, _voicing(chord, _centre(program))
        if pattern == "block":
            hits = [(beat, 0.9, 0.6) for beat in range(meter)]
        elif pattern == "held":
            hits = [(0, meter * 0.95, 0.55)]
        elif pattern == "offbeat":
            hits = [(beat + 0.5, 0.35, 0.62) for beat in range(meter)]
        elif pattern == "comp":
            hits = [(beat + 0.5 * rng.integers(2), 0.4, 0.55) for beat in range(meter) if rng.random() < 0.6]
        elif pattern == "strum":
            hits = [(0, 0.9, 0.65), (1, 0.45, 0.5), (1.5, 0.45, 0.55), (2.5, 0.45, 0.55), (3, 0.9, 0.6)]
        elif pattern == "tremolo":
            hits = [(step / 4, 0.22, 0.5) for step in range(4 * meter)]
        elif pattern in ("power", "chug"):
            root = 40 + (chord.pitch_classes[0] - 40) % 12
            voices = [root, root + 7, root + 12]
            grid = 0.5 if pattern == "power" else 0.25
            hits = [(step * grid, grid * (0.92 if step % 4 == 0 else 0.6), 0.8) for step in range(int(meter / grid))]
            if pattern == "chug":
                hits = [hit for hit in hits if rng.random() < 0.85]
        else:  # arpeggio, alberti: one note after the other
            order = [0, 1, 2, 1] if pattern == "arpeggio" else [0, 2, 1, 2]
            for step in range(2 * meter):
                pitch = voices[order[step % 4] % len(voices)]
                notes.append(Note(start + step / 2, 0.55, pitch, 0.6 if step % 2 == 0 else 0.5))
            continue
        for beat, length, velocity in hits:
            if beat < meter:
                notes += [Note(start + beat, length, pitch, velocity) for pitch in voices]
    return notes


def bass(pattern: str, harmony: list, piece: Any, rng: np.random.Generator) -> list:
    """Notes of the bass, from E1 to about G2."""
    notes, meter = [], piece.meter
    for bar, chord in enumerate(harmony):
        root = 28 + (chord.pitch_classes[0] - 28) % 12
        fifth = 28 + (chord.pitch_classes[2] - 28) % 12
        start = bar * meter
        if pattern == "eighths":
            line = [(step / 2, 0.45, root) for step in range(2 * meter)]
        elif pattern == "octaves":
            line = [(step / 2, 0.4, root + 12 * (step % 2)) for step in range(2 * meter)]
        elif pattern == "fifths":
            line = [(beat, 0.9, root if beat % 2 == 0 else fifth) for beat in range(meter)]
        elif pattern == "held":
            line = [(0, meter * 0.97, root)]
        elif pattern == "syncopated":
            line = [(0, 0.7, root), (0.75, 0.5, root), (1.5, 0.9, fifth), (2.5, 0.4, root), (3.25, 0.6, root + 12)]
        elif pattern == "walking":
            goal = 28 + (harmony[min(bar + 1, len(harmony) - 1)].pitch_classes[0] - 28) % 12
            tones = [28 + (pitch_class - 28) % 12 for pitch_class in chord.pitch_classes]
            line = [(beat, 0.92, root if beat == 0 else tones[rng.integers(len(tones))]) for beat in range(meter)]
            line[-1] = (meter - 1, 0.92, goal + int(rng.choice([-1, 1])))
        else:  # downbeats
            line = [(0, 1.6, root), (meter / 2 if meter == 4 else 2, 0.9, fifth if rng.random() < 0.4 else root)]
        notes += [Note(start + beat, length, pitch, 0.78) for beat, length, pitch in line if beat < meter]
    return notes


def sustained(harmony: list, piece: Any, program: int, rng: np.random.Generator) -> list:
    """Long notes, two or three to a chord, repeated notes tied over the bar line."""
    centre = _centre(program) + (0 if program in (42, 43, 57, 58, 60, 70) else int(rng.choice([0, 5, 12])))
    held: dict[int, Note] = {}
    notes = []
    for bar, chord in enumerate(harmony):
        wanted = _voicing(chord, centre)[-3:]
        for pitch in [pitch for pitch in held if pitch not in wanted]:
            notes.append(held.pop(pitch))
        for pitch in wanted:
            before = held.get(pitch)
            if before and before.beats < 4 * piece.meter:
                held[pitch] = Note(before.beat, before.beats + piece.meter, pitch, before.velocity)
            else:
                if before:
                    notes.append(before)
                held[pitch] = Note(bar * piece.meter, piece.meter * 0.99, pitch, 0.5)
    return sorted([*notes, *held.values()], key=lambda note: (note.beat, note.pitch))


def drums(pattern: str, piece: Any, rng: np.random.Generator) -> list:
    """The pattern bar by bar, a few soft hits left out, a fill and a crash at the ends of sections."""
    notes = []
    if not pattern:
        return notes
    for bar in range(piece.bars):
        last = bar % SECTION_BARS == SECTION_BARS - 1
        grid = FILL if last and 38 in DRUMS[pattern] else DRUMS[pattern]
        for key, steps in grid.items():
            for step, mark in enumerate(steps[: 4 * piece.meter]):
                if mark == "." or (mark == "o" and rng.random() < 0.15) or (mark == "x" and rng.random() < 0.02):
                    continue
                notes.append(Note(bar * piece.meter + step / 4, 0.2, key, 0.85 if mark == "x" else 0.5))
        if bar % SECTION_BARS == 0 and 38 in DRUMS[pattern]:
            notes.append(Note(bar * piece.meter, 0.2, 49, 0.7))
    return notes
