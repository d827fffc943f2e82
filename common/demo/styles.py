"""Genres and composers of the demo corpora as named parameters of `common.demo.composer`.

These numbers were chosen from what such music is like before any model was trained, and are never tuned to a finding.
"""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Style:
    """What a piece draws from.

    Programs are General MIDI numbers. Every part may be played by several at once: accompaniments double each other,
    melodies share the motifs and vary them each in its own voice.
    """

    tempo: tuple[float, float]  # beats a minute: mean, standard deviation
    modes: dict[str, float]  # scale: weight
    progressions: tuple[tuple[int, ...], ...]  # degrees of the scale, 0 = tonic
    melody: tuple[tuple[int, ...], ...]  # alternatives, each a set of programs
    chords: tuple[tuple[int, ...], ...] = ()
    chord_patterns: tuple[str, ...] = ("block",)
    bass: tuple[tuple[int, ...], ...] = ((33,),)
    bass_patterns: tuple[str, ...] = ("downbeats",)
    sustained: tuple[tuple[int, ...], ...] = ()
    sustained_share: float = 0.5  # share of pieces with sustained voices
    drums: tuple[str, ...] = ("rock",)  # alternatives; "" for none
    meters: dict[int, float] = None  # beats a bar: weight
    sevenths: float = 0.1  # share of chords with a seventh
    bars_per_chord: int = 1
    tonics: tuple[int, ...] = tuple(range(12))  # pitch classes of the keys that occur, C = 0
    density: float = 1.5  # melody notes a beat
    syncopation: float = 0.1
    swing: float = 0.0  # beats by which the second eighth comes late
    leaps: float = 0.15
    rests: float = 0.12
    variation: float = 0.25  # share of motif notes altered at a return
    legato: float = 0.92  # sounding share of a melody note
    register: tuple[int, int] = (60, 80)
    octave_up: tuple[int, ...] = ()
    octave_down: tuple[int, ...] = ()
    velocity: float = 0.8
    dynamics: float = 0.08  # spread of loudness between sections
    jitter: float = 0.008  # seconds, deviation of every onset
    level: tuple[float, float] = (-19.0, 2.0)  # dB of the rendering: mean, standard deviation
    room: float = 0.25
    squash: float = 0.3
    colour: float = 2.0  # dB, spread of the recording's equalisation
    hiss: tuple[float, float] = (55, 8)  # dB of background noise below the music: mean, standard deviation
    borrow: float = 0.12  # chance of each aspect to come from another style

    ASPECTS: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("tempo",),
        ("modes", "progressions", "sevenths", "bars_per_chord"),
        ("density", "syncopation", "swing", "rests", "leaps"),
        ("drums",),
        ("melody", "register", "legato", "octave_up", "octave_down"),
        ("chords", "chord_patterns"),
        ("bass", "bass_patterns"),
        ("level", "room", "squash"),
    )

    def __post_init__(self) -> None:
        if self.meters is None:
            object.__setattr__(self, "meters", {4: 1.0})


POP_CHORDS = ((0, 4, 5, 3), (5, 3, 0, 4), (0, 5, 3, 4), (0, 3, 4, 3))
JAZZ_CHORDS = ((1, 4, 0, 5), (0, 5, 1, 4), (2, 5, 1, 4), (0, 3, 2, 5, 1, 4, 0, 4))
ROCK_CHORDS = ((0, 6, 3, 0), (0, 3, 0, 4), (0, 4, 3, 3), (0, 3, 4, 4))
BLUES_CHORDS = ((0, 3, 0, 0, 3, 3, 0, 4), (0, 0, 3, 0, 4, 3, 0, 4))
METAL_CHORDS = ((0, 0, 5, 6), (0, 1, 0, 6), (0, 5, 3, 1), (0, 0, 0, 1))
CLASSICAL_CHORDS = ((0, 3, 4, 0), (0, 5, 1, 4), (0, 4, 0, 4, 5, 2, 3, 4), (0, 1, 4, 0))
FOLK_CHORDS = ((0, 3, 0, 4), (0, 4, 3, 0), (0, 0, 4, 4, 3, 3, 0, 0))

CLASSICAL = Style(
    tempo=(92, 22), modes={"major": 3, "minor": 1, "harmonic minor": 1}, progressions=CLASSICAL_CHORDS,
    meters={4: 2, 3: 1}, melody=((40,), (73,), (71,), (0,), (40, 73), (68,)), chords=((48,), (0,), (46,), (41, 42)),
    chord_patterns=("alberti", "arpeggio", "held", "block"), bass=((42,), (43,), (70,)),
    bass_patterns=("held", "downbeats", "fifths"), sustained=((48,), (60,)), sustained_share=0.6,
    drums=("", "", "", "timpani roll"), density=1.6, syncopation=0.05, leaps=0.2, register=(64, 86), velocity=0.62,
    dynamics=0.22, jitter=0.014, level=(-22.5, 2.5), room=0.55, squash=0.0,
)  # fmt: skip
JAZZ = Style(
    tempo=(124, 34), modes={"dorian": 2, "major": 2, "mixolydian": 1, "minor": 1}, progressions=JAZZ_CHORDS,
    meters={4: 6, 3: 1}, melody=((66,), (56,), (0,), (26,), (71,)), chords=((0,), (26,), (4,)),
    chord_patterns=("comp", "comp", "offbeat"), bass=((32,),), bass_patterns=("walking", "walking", "downbeats"),
    drums=("swing", "brushes", "bossa", ""), sevenths=0.9, density=1.9, syncopation=0.35, swing=0.14, leaps=0.28,
    rests=0.22, variation=0.5, register=(56, 80), velocity=0.7, dynamics=0.12, jitter=0.016, level=(-20.5, 2.2),
    room=0.3, squash=0.1,
)  # fmt: skip
METAL = Style(
    tempo=(146, 26), modes={"phrygian": 2, "minor": 3, "harmonic minor": 1}, progressions=METAL_CHORDS,
    melody=((30,), (30, 29)), chords=((30,), (29,)), chord_patterns=("power", "chug", "chug"), bass=((34,),),
    bass_patterns=("eighths", "eighths", "downbeats"), drums=("double kick", "blast", "half time", "rock"),
    sevenths=0.0, density=1.9, syncopation=0.15, leaps=0.15, register=(52, 76), rests=0.2, velocity=0.95,
    dynamics=0.04, jitter=0.005, level=(-16.5, 1.8), room=0.12, squash=0.8,
)  # fmt: skip
POP = Style(
    tempo=(112, 16), modes={"major": 4, "minor": 1, "mixolydian": 0.5}, progressions=POP_CHORDS,
    melody=((53,), (53, 52), (81,), (26,)), chords=((0,), (25,), (4,), (88,), (26,)),
    chord_patterns=("block", "strum", "arpeggio", "held"), bass=((33,), (38,)),
    bass_patterns=("downbeats", "eighths", "syncopated"), sustained=((48,), (88,)), sustained_share=0.6,
    drums=("pop", "four", "rock", "ballad"), density=1.5, syncopation=0.3, register=(58, 77), velocity=0.82,
    dynamics=0.07, level=(-17.5, 1.8), room=0.2, squash=0.6,
)  # fmt: skip
ROCK = Style(
    tempo=(126, 18), modes={"mixolydian": 2, "minor": 2, "major": 2}, progressions=ROCK_CHORDS,
    melody=((29,), (53,), (30,), (26,)), chords=((29,), (26,), (25,)), chord_patterns=("power", "strum", "block"),
    bass=((34,), (33,)), bass_patterns=("eighths", "fifths"), drums=("rock", "rock", "half time", "pop"), density=1.5,
    syncopation=0.2, register=(55, 76), velocity=0.9, dynamics=0.07, level=(-17.5, 1.8), room=0.18, squash=0.6,
)  # fmt: skip
ELECTRONIC = Style(
    tempo=(126, 9), modes={"minor": 3, "dorian": 1, "phrygian": 0.5},
    progressions=((0, 5, 3, 4), (0, 0, 5, 5), (0, 6, 5, 6)), melody=((81,), (80,), (88,)),
    chords=((88,), (81,), (4,)), chord_patterns=("offbeat", "held", "arpeggio"), bass=((38,),),
    bass_patterns=("eighths", "octaves", "syncopated"), sustained=((88,), (50,)), sustained_share=0.7,
    drums=("four", "four", "break"), bars_per_chord=2, density=2.2, syncopation=0.3, leaps=0.25, variation=0.08,
    register=(57, 81), velocity=0.85, dynamics=0.1, jitter=0.001, level=(-17, 1.8), room=0.25, squash=0.7,
)  # fmt: skip
EXPERIMENTAL = Style(
    tempo=(88, 34), modes={"whole tone": 2, "double harmonic": 1, "lydian": 1, "phrygian": 1}, meters={4: 2, 3: 1},
    progressions=((0, 1, 5, 2), (0, 3, 6, 2), (0, 0, 1, 1), (0, 6, 2, 5)),
    melody=((88,), (11,), (80,), (73,), (43,), (104,)), chords=((88,), (8,), (50,), (16,)),
    chord_patterns=("held", "tremolo", "comp"), bass=((43,), (38,)), bass_patterns=("held", "downbeats"),
    sustained=((88,), (52,), (50,)), sustained_share=0.8, drums=("", "sparse", "hand drums", "break"), sevenths=0.5,
    bars_per_chord=2, density=0.9, syncopation=0.4, leaps=0.5, rests=0.35, variation=0.7, register=(48, 90),
    velocity=0.7, dynamics=0.3, jitter=0.03, level=(-21, 3), room=0.6, squash=0.1,
)  # fmt: skip
FOLK = Style(
    tempo=(104, 20), modes={"major": 3, "dorian": 1, "mixolydian": 1}, progressions=FOLK_CHORDS, meters={4: 2, 3: 1},
    melody=((53,), (22,), (40,), (25,), (73,), (21,)), chords=((25,), (24,), (105,)),
    chord_patterns=("strum", "arpeggio", "arpeggio"), bass=((32,), (33,)), bass_patterns=("downbeats", "fifths"),
    drums=("", "", "", "shaker"), sevenths=0.05, density=1.5, syncopation=0.1, register=(60, 79), velocity=0.68,
    dynamics=0.1, jitter=0.014, level=(-20.5, 2), room=0.2, squash=0.15,
)  # fmt: skip
HIP_HOP = Style(
    tempo=(90, 7), modes={"minor": 3, "dorian": 2}, progressions=((0, 0, 3, 3), (0, 5, 0, 4), (0, 3)),
    melody=((4,), (53,), (11,), (80,)), chords=((4,), (0,), (48,)), chord_patterns=("held", "comp", "offbeat"),
    bass=((38,),), bass_patterns=("syncopated", "downbeats"), drums=("boom bap", "boom bap", "break"), sevenths=0.6,
    bars_per_chord=2, density=1.4, syncopation=0.45, swing=0.07, rests=0.35, variation=0.1, register=(55, 75),
    velocity=0.8, dynamics=0.05, jitter=0.006, level=(-17, 1.8), room=0.1, squash=0.7,
)  # fmt: skip
INSTRUMENTAL = Style(
    tempo=(96, 22), modes={"major": 2, "minor": 2, "lydian": 1}, progressions=(*POP_CHORDS, *CLASSICAL_CHORDS),
    melody=((0,), (24,), (40,), (11,)), chords=((0,), (24,), (88,)), chord_patterns=("arpeggio", "alberti", "held"),
    bass=((32,), (42,), (33,)), bass_patterns=("held", "downbeats"), sustained=((48,), (88,)), sustained_share=0.7,
    drums=("", "", "ballad", "shaker"), sevenths=0.3, density=1.3, syncopation=0.12, register=(60, 84), velocity=0.66,
    dynamics=0.15, jitter=0.012, level=(-20.5, 2), room=0.45, squash=0.15,
)  # fmt: skip
INTERNATIONAL = Style(
    tempo=(112, 20), modes={"double harmonic": 2, "phrygian": 1, "mixolydian": 2, "harmonic minor": 1},
    progressions=((0, 1, 0, 6), (0, 0, 3, 4), (0, 6, 0, 3)), melody=((104,), (73,), (21,), (108,), (56,), (110,)),
    chords=((24,), (105,), (21,)), chord_patterns=("strum", "offbeat", "comp"), bass=((32,), (33,)),
    bass_patterns=("syncopated", "fifths"), drums=("hand drums", "clave", "bossa", "hand drums"), sevenths=0.1,
    density=1.9, syncopation=0.4, leaps=0.15, register=(58, 80), velocity=0.76, dynamics=0.08, jitter=0.01,
    level=(-19, 2), room=0.25, squash=0.3,
)  # fmt: skip
BLUES = Style(
    tempo=(104, 20), modes={"mixolydian": 3, "dorian": 1}, progressions=BLUES_CHORDS,
    melody=((26,), (22,), (66,), (29,)), chords=((0,), (26,), (16,)), chord_patterns=("offbeat", "block", "comp"),
    bass=((33,), (32,)), bass_patterns=("walking", "fifths"), drums=("swing", "rock"), sevenths=0.8, density=1.6,
    syncopation=0.3, swing=0.15, rests=0.25, register=(55, 77), velocity=0.78, jitter=0.012,
)  # fmt: skip
COUNTRY = Style(
    tempo=(116, 16), modes={"major": 5, "mixolydian": 1}, progressions=FOLK_CHORDS,
    melody=((25,), (110,), (53,), (22,)), chords=((25,), (105,)), chord_patterns=("strum", "offbeat"),
    bass=((33,), (32,)), bass_patterns=("fifths",), sustained=((48,),), sustained_share=0.2,
    drums=("pop", "shaker", "brushes"), density=1.7, syncopation=0.15, register=(58, 78), velocity=0.76,
    level=(-19, 2),
)  # fmt: skip
SOUL = Style(
    tempo=(100, 14), modes={"dorian": 2, "mixolydian": 1, "minor": 1}, progressions=((1, 4, 0, 0), (0, 3, 1, 4)),
    melody=((53,), (66,), (56,)), chords=((4,), (16,), (26,)), chord_patterns=("comp", "offbeat"), bass=((33,),),
    bass_patterns=("syncopated",), sustained=((48,), (61,)), drums=("break", "pop"), sevenths=0.8, density=1.5,
    syncopation=0.45, swing=0.05, rests=0.25, register=(57, 77), level=(-18, 2),
)  # fmt: skip

GTZAN = {"classical": CLASSICAL, "jazz": JAZZ, "metal": METAL, "pop": POP}
FMA_SMALL = {
    "Electronic": ELECTRONIC,
    "Experimental": EXPERIMENTAL,
    "Folk": FOLK,
    "Hip-Hop": HIP_HOP,
    "Instrumental": INSTRUMENTAL,
    "International": INTERNATIONAL,
    "Pop": POP,
    "Rock": ROCK,
}
FMA_MEDIUM = {**FMA_SMALL, "Classical": CLASSICAL}
