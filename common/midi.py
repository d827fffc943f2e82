"""MIDI on a grid: every instrument's lowest sounding pitch, step by step. `read` is `common.midi_file`'s.

The grid of `pypianoroll_grid` is exactly that of `pypianoroll.read`; that of `complete_grid` loses no note.
"""

from dataclasses import dataclass

import numba
import numpy as np

from common.errors import MidiError
from common.midi_file import Instrument, Song, read

__all__ = ["SILENT", "Instrument", "Line", "MidiError", "Song", "beats", "complete_grid", "pypianoroll_grid", "read"]

MAX_BEATS = 50_000
MAX_CELLS = 2_000_000  # steps of all instruments together: twenty of them for seven hours
SILENT = 128  # one above the highest pitch: nothing sounds at this step


@numba.njit(cache=True)
def _beats(start, end, tempo_times, tempos, metre_times, beat_lengths, limit):
    """pretty_midi.PrettyMIDI.get_beats: tempos and beat_lengths[tempo, metre] in seconds per beat."""
    beats = np.empty(limit + 2)
    beats[0], n, tempo, metre = start, 1, 0, 0
    while tempo < len(tempo_times) - 1 and start > tempo_times[tempo + 1]:
        tempo += 1
    while metre < len(metre_times) - 1 and start >= metre_times[metre + 1]:
        metre += 1
    while beats[n - 1] < end:
        if n > limit:
            return beats[:0]
        now = beats[n - 1]
        following = now + beat_lengths[tempo, metre]
        if tempo < len(tempo_times) - 1 and following > tempo_times[tempo + 1]:
            following, left = now, 1.0
            while (
                tempo < len(tempo_times) - 1
                and following + left * 60.0 / tempos[tempo, metre] >= tempo_times[tempo + 1]
            ):
                ratio = (tempo_times[tempo + 1] - following) / (60.0 / tempos[tempo, metre])
                following += ratio * 60.0 / tempos[tempo, metre]
                left -= ratio
                tempo += 1
            following += left * 60.0 / tempos[tempo, metre]
        if len(metre_times) > 0 and metre == 0 and metre_times[0] > now:
            if following > metre_times[0] or abs(following - metre_times[0]) <= 1e-8 + 1e-5 * abs(metre_times[0]):
                following = metre_times[0]
        if metre < len(metre_times) - 1:
            boundary = metre_times[metre + 1]
            if following > boundary or abs(following - boundary) <= 1e-8 + 1e-5 * abs(boundary):
                following = boundary
                metre += 1
        beats[n] = following
        n += 1
    return beats[: n - 1]


def beats(song: Song, start: float) -> np.ndarray:
    """Beat times in seconds from `start` (seconds) to the end, as pretty_midi's get_beats gives them."""
    if len(song.tempos) * len(song.metres) > MAX_CELLS:
        raise MidiError(f"no beat grid: {len(song.tempos)} tempos and {len(song.metres)} time signatures")
    tempo_times = song.seconds(song.tempos[:, 0])
    quarter = 60.0 / (song.tempos[:, 1] * song.resolution)
    factors = []
    for _, numerator, denominator in song.metres:
        third = 3.0 if numerator % 3 == 0 and numerator != 3 else 1.0
        factors.append((third, denominator) if denominator <= 32 else (1.0, 4))
    tempos = np.stack([quarter / third * denominator / 4.0 for third, denominator in factors or [(1.0, 4)]], axis=1)
    times = song.seconds(song.metres[:, 0]) if len(song.metres) else np.zeros(0)
    found = _beats(
        float(start), float(song.seconds(song.end_tick)), tempo_times, tempos, times, 60.0 / tempos, MAX_BEATS
    )
    if len(found) < 2:
        raise MidiError(f"no beat grid: fewer than 2 or more than {MAX_BEATS} beats")
    return found


@numba.njit(cache=True)
def _lowest(roll, base):
    for step in range(roll.shape[0]):
        base[step] = SILENT
        for pitch in range(128):
            if roll[step, pitch]:
                base[step] = pitch
                break


@numba.njit(cache=True)
def _paint_pypianoroll(on, off, pitch, velocity, drum, steps):
    """Roll as pypianoroll paints it, reduced to (lowest pitch per step, notes without an onset of their own)."""
    roll = np.zeros((steps, 128), np.uint8)
    for k in range(len(on)):
        start, p = on[k], pitch[k]
        if drum:
            if start >= steps:
                return np.zeros(0, np.int16), 0
            roll[start, p] = velocity[k]
            continue
        end = off[k]
        if 0 < start < steps and roll[start - 1, p]:
            roll[start - 1, p] = 0
        if end < steps - 1 and roll[end, p]:
            end -= 1
        for step in range(start, min(end, steps)):
            roll[step, p] = (roll[step, p] + velocity[k]) & 0xFF  # pypianoroll's uint8 may wrap
    lost = 0
    for k in range(len(on)):
        start, p = on[k], pitch[k]
        if start >= steps or not roll[start, p] or (not drum and start > 0 and roll[start - 1, p]):
            lost += 1
    base = np.empty(steps, np.int16)
    _lowest(roll, base)
    return base, lost


def _within(steps, song):
    if steps * len(song.instruments) > MAX_CELLS:
        raise MidiError(f"no beat grid: {len(song.instruments)} instruments for {steps} steps")


@dataclass(frozen=True)
class Line:
    """One instrument on the grid. `base` (steps,): lowest sounding pitch or SILENT; `onset` (steps,): a note of that
    pitch begins here, or None where a run of equal pitches is one note; `lost` of `notes` left no onset.
    """

    program: int
    is_drum: bool
    base: np.ndarray
    onset: np.ndarray | None
    notes: int
    lost: int


def pypianoroll_grid(song: Song, resolution: int = 4, origin: float | None = None) -> list[Line]:
    """Lines of `song` at `resolution` steps per beat, equal to the lowest pitches of `pypianoroll.read(path,
    resolution)`.

    Onsets are rounded and offsets floored, drums last one step, and a repeated pitch loses the step before it, as in
    pypianoroll 0.5.0 and 1.0.4. origin: first beat in seconds where the file has no time signature (pypianoroll then
    asks `pretty_midi.PrettyMIDI.estimate_beat_start`). Raises MidiError where pypianoroll raises.
    """
    first = song.seconds(song.metres[0, 0]) if origin is None else origin
    times = beats(song, first)
    longer = np.append(times, 2 * times[-1] - times[-2])
    steps = resolution * len(times)
    _within(steps, song)

    def position(ticks):
        seconds = song.seconds(ticks)
        beat = np.searchsorted(times, seconds) - 1
        return (beat + (seconds - times[beat]) / (longer[beat + 1] - times[beat])) * resolution

    lines = []
    for instrument in song.instruments:
        heard = song.seconds(instrument.end) > first
        if instrument.is_drum and not heard.any():
            raise MidiError("a drum track ends before the first beat")
        on = np.round(position(instrument.start[heard])).astype(np.int64)
        off = position(instrument.end[heard]).astype(np.int64)
        base, lost = _paint_pypianoroll(
            on, off, instrument.pitch[heard], instrument.velocity[heard], instrument.is_drum, steps
        )
        if not len(base):
            raise MidiError("a drum hit is rounded to the step after the last beat")
        lost += int((~heard).sum())
        lines.append(Line(instrument.program, instrument.is_drum, base, None, len(instrument.start), lost))
    return lines


@numba.njit(cache=True)
def _paint_complete(on, off, pitch, steps):
    roll = np.zeros((steps, 128), np.bool_)
    begin = np.zeros((steps, 128), np.bool_)
    for k in range(len(on)):
        roll[on[k] : off[k], pitch[k]] = True
        begin[on[k], pitch[k]] = True
    base = np.empty(steps, np.int16)
    _lowest(roll, base)
    onset = np.zeros(steps, np.bool_)
    for step in range(steps):
        onset[step] = base[step] < SILENT and begin[step, base[step]]
    return base, onset


def complete_grid(song: Song, resolution: int = 4) -> list[Line]:
    """Lines of `song` at `resolution` steps per quarter note with every note kept and every onset marked.

    Onsets and offsets are rounded in ticks, a note lasts at least one step and a drum hit exactly one. The grid
    begins at the first bar line at or after tick 0 that agrees with the first time signature, counted back in whole
    4/4 bars.
    """
    bar, step = 4 * song.resolution, song.resolution / resolution
    first = int(song.metres[0, 0]) % bar if len(song.metres) else 0
    if any((instrument.start < first).any() for instrument in song.instruments):
        first -= bar
    steps = int(np.ceil((song.end_tick - first) / song.resolution)) * resolution + resolution
    if steps > MAX_BEATS * resolution:
        raise MidiError(f"no beat grid: more than {MAX_BEATS} beats")
    _within(steps, song)
    lines = []
    for instrument in song.instruments:
        on = np.floor((instrument.start - first) / step + 0.5).astype(np.int64)
        off = np.floor((instrument.end - first) / step + 0.5).astype(np.int64)
        off = on + 1 if instrument.is_drum else np.maximum(off, on + 1)
        base, onset = _paint_complete(on, off, instrument.pitch, steps)
        lines.append(Line(instrument.program, instrument.is_drum, base, onset, len(on), 0))
    return lines
