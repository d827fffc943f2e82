"""Soloists and orchestras of the demo corpora: the eight instruments of Medley-solos-DB, five symphonic composers."""

from dataclasses import replace
from typing import Any

import numpy as np

from common.demo.styles import CLASSICAL_CHORDS, JAZZ_CHORDS, POP_CHORDS, ROCK_CHORDS, Style

# How a soloist plays, whatever the instrument.
SOLO = Style(
    tempo=(104, 26), modes={"major": 2, "minor": 2, "dorian": 1, "harmonic minor": 1}, meters={4: 3, 3: 1},
    progressions=(*CLASSICAL_CHORDS, *JAZZ_CHORDS, *POP_CHORDS), melody=((0,),), density=1.7, rests=0.04, leaps=0.22,
    variation=0.5, dynamics=0.15, jitter=0.012, velocity=0.75, level=(-20, 2.5), room=0.3, squash=0, colour=4.0,
    hiss=(46, 8),
)  # fmt: skip
# Instrument of Medley-solos-DB: General MIDI program, register, and what differs from SOLO.
SOLOISTS = {
    "clarinet": (71, (52, 84), {"legato": 1.0, "density": 1.8}),
    "distorted electric guitar": (30, (45, 79), {"progressions": ROCK_CHORDS, "density": 2.1, "tempo": (120, 24)}),
    "female singer": (53, (57, 79), {"legato": 1.0, "density": 1.2, "rests": 0.06}),
    "flute": (73, (62, 91), {"legato": 0.98, "density": 1.9}),
    "piano": (0, (45, 86), {"legato": 0.95, "density": 2.3, "leaps": 0.35}),
    "tenor saxophone": (66, (46, 75), {"progressions": JAZZ_CHORDS, "density": 2.0, "swing": 0.1}),
    "trumpet": (56, (54, 82), {"density": 1.6, "legato": 0.9}),
    "violin": (40, (56, 93), {"legato": 1.0, "density": 1.8}),
}


def soloist(instrument: str, rng: np.random.Generator) -> Style:
    """One player of `instrument`, with a part of its register, a loudness and a room of their own."""
    program, (low, high), manner = SOLOISTS[instrument]
    middle = rng.uniform(low + 9, high - 9)
    register = (round(max(low, middle - 11)), round(min(high, middle + 11)))
    own: dict[str, Any] = {"melody": ((program,),), "register": register, "room": float(rng.uniform(0.05, 0.6)),
                           "velocity": float(rng.uniform(0.55, 0.95))}
    return replace(SOLO, **own, **manner)  # type: ignore[arg-type]


HAYDN = Style(
    tempo=(120, 18), modes={"major": 5, "harmonic minor": 1}, meters={4: 2, 3: 2}, progressions=CLASSICAL_CHORDS,
    melody=((40,), (48,), (40, 68), (73, 40)), chords=((48,), (41, 42)),
    chord_patterns=("block", "alberti", "tremolo"), bass=((42, 43), (70,)),
    bass_patterns=("fifths", "eighths", "downbeats"), sustained=((60,), (68,)), sustained_share=0.3,
    drums=("", "", "", "timpani roll"), density=2.0, syncopation=0.05, legato=0.75, register=(64, 86), velocity=0.65,
    dynamics=0.2, jitter=0.016, level=(-22, 2.5), room=0.4, squash=0, colour=2.5, hiss=(50, 6),
)  # fmt: skip
BEETHOVEN = replace(
    HAYDN, tempo=(126, 26), modes={"major": 2, "harmonic minor": 2, "minor": 1},
    melody=((48,), (40, 73), (48, 71), (60, 48)), chord_patterns=("tremolo", "block", "offbeat"),
    sustained=((60, 56), (60,), (70, 68)), sustained_share=0.7, drums=("timpani roll", ""), density=1.8, leaps=0.3,
    syncopation=0.15, legato=0.85, velocity=0.78, dynamics=0.35, level=(-20, 2.5),
)  # fmt: skip
BRAHMS = replace(
    HAYDN, tempo=(90, 18), modes={"major": 1, "minor": 2, "harmonic minor": 1}, meters={4: 1, 3: 2}, sevenths=0.35,
    melody=((42, 41), (48,), (60,), (71, 42)), chords=((41, 42), (48, 70)),
    chord_patterns=("arpeggio", "offbeat", "held"), sustained=((60, 57), (71, 70)), sustained_share=0.8,
    bass_patterns=("held", "downbeats"), density=1.4, syncopation=0.35, legato=1.0, register=(50, 74), dynamics=0.25,
    level=(-21, 2.5), room=0.5,
)  # fmt: skip
SIBELIUS = replace(
    HAYDN, tempo=(80, 20), modes={"dorian": 2, "minor": 2, "lydian": 1},
    progressions=((0, 6, 0, 3), (0, 0, 5, 5), (0, 3, 6, 0)), melody=((68,), (71,), (60,), (109, 41)),
    chords=((48,), (44, 48)), chord_patterns=("tremolo", "held", "held"), sustained=((57, 60, 58), (60,)),
    sustained_share=0.9, bass=((43,), (43, 58)), bass_patterns=("held",), bars_per_chord=2,
    drums=("", "timpani roll"), density=0.9, rests=0.25, legato=0.95, register=(55, 79), dynamics=0.3,
    level=(-22.5, 3), room=0.65,
)  # fmt: skip
TCHAIKOVSKY = replace(
    HAYDN, tempo=(108, 26), modes={"harmonic minor": 2, "minor": 2, "major": 2}, sevenths=0.3,
    melody=((48, 40), (73, 48), (71,), (56, 48)), chords=((48,), (46,), (60, 41)),
    chord_patterns=("arpeggio", "offbeat", "tremolo"), sustained=((61, 57), (60, 58), (48,)), sustained_share=0.85,
    drums=("timpani roll", "timpani roll", ""), density=1.5, syncopation=0.2, legato=0.98, register=(62, 88),
    octave_up=(73,), velocity=0.8, dynamics=0.35, level=(-19.5, 2.5), room=0.5,
)  # fmt: skip
COMPOSERS = {"Beethoven": BEETHOVEN, "Brahms": BRAHMS, "Haydn": HAYDN, "Sibelius": SIBELIUS, "Tchaikovsky": TCHAIKOVSKY}
