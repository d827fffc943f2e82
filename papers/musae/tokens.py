"""The alphabet of section 3.1, and from the grid to tokens and back: 128 pitches, silence, hold. NumPy alone.

A token is written where a state begins; HOLD says that it goes on. The grid is `common.midi`'s.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from common.midi import SILENT

HOLD = 129  # the state of the step before goes on
ALPHABET = 130


def base_tokens(base: np.ndarray, onset: np.ndarray | None = None) -> np.ndarray:
    """Tokens (…, steps) of a base sequence: the pitch or SILENT where the state begins, HOLD where it goes on.

    onset: as in `Line`; a repeated pitch that begins again is then written out, else it is held.
    """
    base = np.asarray(base)
    same = base[..., 1:] == base[..., :-1]
    if onset is not None:
        same &= ~np.asarray(onset)[..., 1:]
    result = base.astype(np.int16)
    result[..., 1:][same] = HOLD
    return result


def token_base(token: np.ndarray) -> np.ndarray:
    """Base sequence (…, steps) of tokens: HOLD copies the step before; a HOLD at the first step is silence."""
    token = np.asarray(token)
    steps = np.arange(token.shape[-1])
    source = np.maximum.accumulate(np.where(token != HOLD, steps, -1), axis=-1)
    held = np.take_along_axis(token, np.maximum(source, 0), axis=-1)
    return np.where(source < 0, SILENT, held).astype(np.int16)


def token_notes(token: np.ndarray, each_step: bool = False) -> np.ndarray:
    """Notes of one token sequence (steps,): rows (first step, step after the last, pitch).

    each_step: one note per sounding step, as a pypianoroll drum track means it (hold = the same drum again).
    """
    base = token_base(token)
    if each_step:
        steps = np.flatnonzero(base < SILENT)
        return np.stack([steps, steps + 1, base[steps]], axis=1).astype(np.int64)
    begins = np.flatnonzero(np.asarray(token) != HOLD)
    ends = np.append(begins[1:], len(base))
    sounding = base[begins] < SILENT
    return np.stack([begins[sounding], ends[sounding], base[begins[sounding]]], axis=1).astype(np.int64)


def to_pretty_midi(token: np.ndarray, programs: Sequence[int], drums: set[int], names: Sequence[str] | None = None,
                   tempo: float = 120.0, velocity: int = 80, resolution: int = 4,
                   drum_hold_repeats: bool = True) -> Any:
    """pretty_midi.PrettyMIDI of tokens (steps, tracks), in 4/4.

    programs: one per track; drums: set of track indices on channel 10; tempo: quarter notes per minute; resolution:
    steps per quarter note. With drum_hold_repeats a held drum is hit at each step, which is what HOLD means on a
    pypianoroll grid, so that reading the file again gives the same tokens.
    """
    import pretty_midi

    token = np.asarray(token)
    midi = pretty_midi.PrettyMIDI(resolution=128 * resolution, initial_tempo=tempo)
    midi.time_signature_changes.append(pretty_midi.TimeSignature(4, 4, 0.0))
    step = 60.0 / tempo / resolution
    for track, program in enumerate(programs):
        drum = track in drums
        instrument = pretty_midi.Instrument(program, is_drum=drum, name=names[track] if names else "")
        notes = token_notes(token[:, track], drum and drum_hold_repeats)
        again = {(begin, pitch) for begin, _, pitch in notes.tolist()}
        for begin, end, pitch in notes.tolist():
            # One tick (1/128 of a step) late, so that a grid that floors offsets does not lose the last step.
            late = 0 if drum or (end, pitch) in again else 1 / 128
            instrument.notes.append(pretty_midi.Note(velocity, pitch, begin * step, (end + late) * step))
        midi.instruments.append(instrument)
    # A text event at the end keeps trailing rests when the file is read again.
    midi.text_events.append(pretty_midi.Text("end", len(token) * step))
    return midi
