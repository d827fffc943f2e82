"""A seeded composer: a style's named parameters and a random generator in, a score out.

A piece has a key, a mode and a tempo; sections (A A B A) of eight bars, each with a chord progression and two melodic
motifs that return varied; a melody, chords, a bass, sustained voices and drums that play the section's harmony. Time is
counted in beats until the end, then turned into seconds with swing and small deviations of every onset.
"""

from dataclasses import replace

import numpy as np
import pretty_midi

from common.demo import patterns
from common.demo.pieces import SCALES, SECTION_BARS, Chord, Note, Plan
from common.demo.styles import Style

RESOLUTION = 480  # MIDI ticks per beat


def draw_style(styles: dict[str, Style], name: str, rng: np.random.Generator) -> Style:
    """The style `name` with, now and then, one aspect borrowed from another style, so that classes overlap."""
    style = styles[name]
    others = [other for other in styles if other != name]
    for aspect in Style.ASPECTS:
        if others and rng.random() < style.borrow:
            lender = styles[others[rng.integers(len(others))]]
            style = replace(style, **{field: getattr(lender, field) for field in aspect})
    return style


def plan(style: Style, rng: np.random.Generator, seconds: float) -> Plan:
    """Tempo, meter, key and length of a piece of at least `seconds`."""
    tempo = int(np.clip(round(rng.normal(*style.tempo)), 48, 200))
    meter = _pick(rng, style.meters)
    bars = int(np.ceil(seconds * tempo / 60 / meter)) + 1
    tonic = style.tonics[rng.integers(len(style.tonics))]
    return Plan(style, tempo, meter, tonic, _pick(rng, style.modes), bars)


def compose(
    style: Style, rng: np.random.Generator, seconds: float, only: tuple[str, ...] = ()
) -> pretty_midi.PrettyMIDI:
    """A piece in `style`, `seconds` long or up to two bars longer; `only` names the roles to write (default: all)."""
    piece = plan(style, rng, seconds)
    sections = [_section(piece, rng), _section(piece, rng)]
    order = [sections[kind] for kind in _form(piece.bars, rng)]
    chords = [chord for section in order for chord in section["chords"]][: piece.bars]
    volume = _dynamics(piece, rng)
    parts: list[tuple[str, int, list[Note]]] = []
    for program in style.melody[rng.integers(len(style.melody))]:
        parts.append(("melody", program, _melody(piece, order, chords, program, rng)))
    if style.chords:
        pattern = style.chord_patterns[rng.integers(len(style.chord_patterns))]
        for program in style.chords[rng.integers(len(style.chords))]:
            parts.append(("chords", program, patterns.chords(pattern, chords, piece, program, rng)))
    if style.bass:
        pattern = style.bass_patterns[rng.integers(len(style.bass_patterns))]
        for program in style.bass[rng.integers(len(style.bass))]:
            parts.append(("bass", program, patterns.bass(pattern, chords, piece, rng)))
    if style.sustained and rng.random() < style.sustained_share:
        for program in style.sustained[rng.integers(len(style.sustained))]:
            parts.append(("sustained", program, patterns.sustained(chords, piece, program, rng)))
    if style.drums:
        parts.append(("drums", -1, patterns.drums(style.drums[rng.integers(len(style.drums))], piece, rng)))
    return _score(piece, [part for part in parts if not only or part[0] in only], volume, rng)


def _pick(rng: np.random.Generator, weights: dict):
    """A key of `weights`, drawn in proportion to its value."""
    limits = np.cumsum(list(weights.values()))
    place = np.searchsorted(limits / limits[-1], rng.random(), side="right")
    return list(weights)[min(int(place), len(weights) - 1)]


def _form(bars: int, rng: np.random.Generator) -> list[int]:
    shape = [[0, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 1]][rng.integers(3)]
    return [shape[number % 4] for number in range(bars // SECTION_BARS + 1)]


def _section(piece: Plan, rng: np.random.Generator) -> dict:
    style = piece.style
    degrees = style.progressions[rng.integers(len(style.progressions))]
    slow = max(1, int(style.bars_per_chord))
    scale = SCALES[piece.mode]
    chords = []
    for bar in range(SECTION_BARS):
        degree = degrees[(bar // slow) % len(degrees)]
        size = 4 if rng.random() < style.sevenths else 3
        chords.append(Chord(tuple((piece.tonic + scale[(degree + 2 * step) % 7]) % 12 for step in range(size))))
    motifs = [_motif(piece, rng) for _ in range(2)]
    return {"chords": chords, "motifs": motifs}


def _motif(piece: Plan, rng: np.random.Generator) -> list[tuple[float, float, int, bool]]:
    """Two bars of melody: (beat, length, step on the scale from the note before, rest)."""
    style = piece.style
    beats = 2 * piece.meter
    notes, beat = [], 0.0
    while beat < beats:
        mean = 1 / max(style.density * rng.uniform(0.75, 1.3), 0.1)
        length = min(
            (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0),
            key=lambda value: abs(np.log(value / mean) - rng.normal(0, 0.45)),
        )
        if beat % 1 == 0 and length in (0.5, 1.0) and rng.random() < style.syncopation:
            length = 0.5 if length == 1.0 else 0.75
        length = min(length, beats - beat)
        leap = rng.random() < style.leaps
        step = int(rng.choice([-4, -3, 3, 4])) if leap else int(rng.choice([-2, -1, -1, 0, 1, 1, 2]))
        notes.append((beat, length, step, rng.random() < style.rests))
        beat += length
    return notes


def _melody(piece: Plan, order: list[dict], chords: list[Chord], program: int, rng: np.random.Generator) -> list[Note]:
    """The motifs in turn, drawn to chord notes on strong beats, the end of a phrase held."""
    style = piece.style
    low, high = style.register
    shift = 12 if program in style.octave_up else -12 if program in style.octave_down else 0
    scale = SCALES[piece.mode]
    ladder = [p for p in range(24, 109) if (p - piece.tonic) % 12 in scale and low - 2 <= p <= high + 2]
    position = len(ladder) // 2 + int(rng.integers(-2, 3))
    notes: list[Note] = []
    for bar in range(0, len(chords), 2):
        section = order[bar // SECTION_BARS]
        cadence = bar % SECTION_BARS == SECTION_BARS - 2
        for beat, length, step, rest in section["motifs"][(bar // 2) % 4 == 2]:
            if cadence and beat >= piece.meter:
                break
            step = step + int(rng.integers(-1, 2)) if rng.random() < style.variation else step
            position = _reflect(position + step, len(ladder))
            now = bar * piece.meter + beat
            index = min(bar + int(beat // piece.meter), len(chords) - 1)
            if beat % 2 == 0:
                position = _nearest_chord_note(ladder, position, chords[index])
            if not rest:
                notes.append(
                    Note(now, length * style.legato, ladder[position] + shift, 0.85 if beat % 1 == 0 else 0.72)
                )
        if cadence and bar + 1 < len(chords):
            position = _nearest_chord_note(ladder, position, chords[bar + 1])
            notes.append(Note((bar + 1) * piece.meter, piece.meter * 0.8, ladder[position] + shift, 0.8))
    return notes


def _reflect(position: int, length: int) -> int:
    if position < 0:
        return min(-position, length - 1)
    if position >= length:
        return max(2 * length - 2 - position, 0)
    return position


def _nearest_chord_note(ladder: list[int], position: int, chord: Chord) -> int:
    inside = [index for index, pitch in enumerate(ladder) if pitch % 12 in chord.pitch_classes]
    return min(inside, key=lambda index: abs(index - position), default=position)


def _dynamics(piece: Plan, rng: np.random.Generator) -> np.ndarray:
    """Loudness of every bar around 0: sections differ, and each swells a little towards its end."""
    sections = rng.normal(0, piece.style.dynamics, piece.bars // SECTION_BARS + 1)
    bars = np.arange(piece.bars + 1)
    return sections[np.minimum(bars // SECTION_BARS, len(sections) - 1)] + 0.3 * piece.style.dynamics * (bars % 8) / 8


def _score(piece: Plan, parts: list, volume: np.ndarray, rng: np.random.Generator) -> pretty_midi.PrettyMIDI:
    style = piece.style
    score = pretty_midi.PrettyMIDI(resolution=RESOLUTION, initial_tempo=piece.tempo)
    score.time_signature_changes.append(pretty_midi.TimeSignature(piece.meter, 4, 0.0))
    seconds_per_beat = 60 / piece.tempo
    last = piece.bars * piece.meter
    for role, program, notes in parts:
        if not notes:  # a style may do without drums
            continue
        track = pretty_midi.Instrument(max(program, 0), is_drum=role == "drums", name=role)
        for note in notes:
            if note.beat >= last - 1e-6:
                continue
            beat = note.beat + (style.swing if abs(note.beat % 1 - 0.5) < 1e-6 else 0.0)
            start = max(0.0, beat * seconds_per_beat + rng.normal(0, style.jitter))
            end = max(start + 0.06, min(note.beat + note.beats, last) * seconds_per_beat)
            bar = min(int(note.beat // piece.meter), len(volume) - 1)
            loudness = note.velocity * style.velocity * (1 + volume[bar]) + rng.normal(0, 0.03)
            if note.beat % piece.meter < 1e-6:
                loudness *= 1.08
            track.notes.append(pretty_midi.Note(int(np.clip(loudness, 0.1, 1) * 127), int(note.pitch), start, end))
        track.notes.sort(key=lambda note: (note.start, note.pitch))
        score.instruments.append(track)
    return score
