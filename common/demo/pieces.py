"""The vocabulary of the composer: scales, notes, chords and the plan of a piece."""

from dataclasses import dataclass

from common.demo.styles import Style

SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "double harmonic": (0, 1, 4, 5, 7, 8, 11),
    "whole tone": (0, 2, 4, 6, 8, 10, 10),
}
SECTION_BARS = 8


@dataclass(frozen=True)
class Note:
    """A note of a part; `beat` and `beats` (its length) are counted from the start of the piece."""

    beat: float
    beats: float
    pitch: int
    velocity: float  # 0 to 1


@dataclass(frozen=True)
class Chord:
    """Harmony of one bar: pitch classes from the root upwards."""

    pitch_classes: tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    """What one piece has drawn from its style."""

    style: Style
    tempo: int
    meter: int
    tonic: int
    mode: str
    bars: int
