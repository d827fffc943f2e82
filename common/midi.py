"""MIDI files: reading within limits, quantising to a grid, tokens, and writing back.

Notes are paired and timed exactly as `pretty_midi` does, and the grid of `pypianoroll_grid` is exactly that of
`pypianoroll.read`, but the bytes are read by a compiled loop. (symusic is faster still; it pairs overlapping notes
first in, first out, and reads tempo and metre from every track, so its rolls differ from pypianoroll's on real files.)
"""

from dataclasses import dataclass
from pathlib import Path

import numba
import numpy as np

MAX_BYTES = 4_000_000  # twice the largest file of Lakh; a hostile one costs up to 30 times its size in memory
MAX_TICK = 10_000_000  # the limit pretty_midi sets
MAX_BEATS = 50_000

SILENT, HOLD, ALPHABET = 128, 129, 130

_FAULTS = {
    1: "an event runs past the end of its track",
    2: "a data byte above 127",
    3: "running status before any status byte",
    4: "an undefined status byte",
    5: "a message longer than a million bytes",
    6: "a tempo, metre or key event that is too short",
    7: "a key signature outside seven flats to seven sharps",
    8: f"a time past {MAX_TICK} ticks",
}


class MidiError(ValueError):
    """A MIDI file that cannot be used; the message is one line that names the file and the fault."""


@dataclass(frozen=True)
class Instrument:
    """The notes one (track, channel, program) plays, in the order in which they end.

    start, end: (notes,) ticks; pitch, velocity: (notes,) 0 to 127.
    """

    program: int
    is_drum: bool
    start: np.ndarray
    end: np.ndarray
    pitch: np.ndarray
    velocity: np.ndarray


@dataclass(frozen=True)
class Song:
    """A parsed MIDI file. `tempos` rows: tick, seconds per tick; `metres` rows: tick, numerator, denominator."""

    resolution: int  # ticks per quarter note
    tempos: np.ndarray
    metres: np.ndarray
    end_tick: int
    instruments: list[Instrument]

    def seconds(self, ticks):
        """Time in seconds of absolute `ticks` (any shape)."""
        starts, scales = self.tempos[:, 0], self.tempos[:, 1]
        origin = np.zeros(len(starts))
        for k in range(1, len(starts)):  # the order of the additions is pretty_midi's: equal to the last bit
            origin[k] = origin[k - 1] + scales[k - 1] * (starts[k] - starts[k - 1])
        segment = np.searchsorted(starts, ticks, side="right") - 1
        return origin[segment] + scales[segment] * (ticks - starts[segment])

    @property
    def quarter_notes_per_minute(self):
        """The tempo at the start."""
        return 60.0 / (self.tempos[0, 1] * self.resolution)


@numba.njit(cache=True)
def _read_track(data, position, stop):
    """One MTrk chunk -> fault, where, notes (start, end, pitch, velocity, program * 16 + channel), meta rows, last
    tick,
    end tick of everything that counts for the length. Meta rows: kind (1 tempo, 2 metre, 3 key), tick, a, b.
    """
    notes = np.empty((max(stop - position, 0) // 3 + 1, 5), np.int64)
    onset = np.empty((notes.shape[0], 3), np.int64)  # tick, velocity, next open onset of the same key
    meta = np.empty((max(stop - position, 0) // 4 + 1, 4), np.int64)
    n_notes, n_onsets, n_meta, tick, end, status = 0, 0, 0, 0, 0, 0
    first = np.full(2048, -1, np.int64)
    last = np.full(2048, -1, np.int64)
    program = np.zeros(16, np.int64)
    exists = np.zeros(2048, np.bool_)
    waiting = np.full(16, -1, np.int64)  # controllers seen before the instrument: they count once it exists
    attached = np.zeros(16, np.bool_)
    fault = 0
    while position < stop:
        delta = 0
        while True:
            if position >= stop:
                return 1, position, notes[:0], meta[:0], tick, end
            byte = data[position]
            position += 1
            delta = (delta << 7) | (byte & 0x7F)
            if delta > MAX_TICK:
                return 8, position, notes[:0], meta[:0], tick, end
            if byte < 0x80:
                break
        tick += delta
        if tick >= MAX_TICK:
            return 8, position, notes[:0], meta[:0], tick, end
        if position >= stop:
            return 1, position, notes[:0], meta[:0], tick, end
        if data[position] >= 0x80:
            byte = data[position]
            position += 1
            if byte != 0xFF:
                status = byte
        else:
            byte = status
            if status < 0x80 or status >= 0xF0:
                return 3, position, notes[:0], meta[:0], tick, end
        if byte == 0xFF or byte == 0xF0 or byte == 0xF7:
            kind = 0
            if byte == 0xFF:
                if position >= stop:
                    return 1, position, notes[:0], meta[:0], tick, end
                kind = data[position]
                position += 1
            length = 0
            while True:
                if position >= stop:
                    return 1, position, notes[:0], meta[:0], tick, end
                value = data[position]
                position += 1
                length = (length << 7) | (value & 0x7F)
                if length > 1_000_000:
                    return 5, position, notes[:0], meta[:0], tick, end
                if value < 0x80:
                    break
            if position + length > stop:
                return 1, position, notes[:0], meta[:0], tick, end
            if byte == 0xFF and (kind == 0x51 or kind == 0x58 or kind == 0x59):
                if length < (3 if kind == 0x51 else 4 if kind == 0x58 else 2):
                    return 6, position, notes[:0], meta[:0], tick, end
                a, b, c = np.int64(data[position]), np.int64(data[position + 1]), np.int64(0)
                if kind == 0x51:
                    c = np.int64(data[position + 2])
                    meta[n_meta, 0], meta[n_meta, 2], meta[n_meta, 3] = 1, (a << 16) | (b << 8) | c, 0
                elif kind == 0x58:
                    meta[n_meta, 0], meta[n_meta, 2], meta[n_meta, 3] = 2, a, b
                else:
                    if (7 < a < 249) or b > 1:
                        fault = 7
                    meta[n_meta, 0], meta[n_meta, 2], meta[n_meta, 3] = 3, a, b
                meta[n_meta, 1] = tick
                n_meta += 1
            elif byte == 0xFF and (kind == 1 or kind == 5):
                end = max(end, tick)  # text and lyrics count for the length
            position += length
            continue
        high = byte & 0xF0
        if high == 0xF0:
            size = 2 if byte == 0xF2 else 1 if byte == 0xF1 or byte == 0xF3 else 0
            if byte == 0xF4 or byte == 0xF5 or byte == 0xF9 or byte == 0xFD:
                return 4, position, notes[:0], meta[:0], tick, end
        else:
            size = 1 if high == 0xC0 or high == 0xD0 else 2
        if position + size > stop:
            return 1, position, notes[:0], meta[:0], tick, end
        for k in range(size):
            if data[position + k] > 127:
                return 2, position, notes[:0], meta[:0], tick, end
        one = np.int64(data[position]) if size > 0 else 0
        two = np.int64(data[position + 1]) if size > 1 else 0
        position += size
        channel = byte & 0x0F
        owner = program[channel] * 16 + channel
        if high == 0xC0:
            program[channel] = one
        elif high == 0x90 and two > 0:
            key = channel * 128 + one
            onset[n_onsets, 0], onset[n_onsets, 1], onset[n_onsets, 2] = tick, two, -1
            if first[key] < 0:
                first[key] = n_onsets
            else:
                onset[last[key], 2] = n_onsets
            last[key] = n_onsets
            n_onsets += 1
        elif high == 0x80 or high == 0x90:
            # One note-off ends every open note of its key, except those that begin at the same tick, and those stay
            # open only if another one ended (pretty_midi's rule).
            key = channel * 128 + one
            k, closed, kept_first, kept_last = first[key], 0, -1, -1
            while k >= 0:
                following = onset[k, 2]
                if onset[k, 0] != tick:
                    notes[n_notes, 0], notes[n_notes, 1] = onset[k, 0], tick
                    notes[n_notes, 2], notes[n_notes, 3], notes[n_notes, 4] = one, onset[k, 1], owner
                    n_notes += 1
                    closed += 1
                else:
                    onset[k, 2] = -1
                    if kept_first < 0:
                        kept_first = k
                    else:
                        onset[kept_last, 2] = k
                    kept_last = k
                k = following
            if closed > 0:
                end = max(end, tick)
                if not exists[owner]:
                    exists[owner] = True
                    if waiting[channel] >= 0:
                        attached[channel] = True
            first[key] = kept_first if closed > 0 else -1
            last[key] = kept_last if closed > 0 else -1
        elif high == 0xB0 or high == 0xE0:
            if exists[owner]:
                end = max(end, tick)
            else:
                waiting[channel] = tick
    for channel in range(16):
        if attached[channel]:
            end = max(end, waiting[channel])
    return fault, position, notes[:n_notes], meta[:n_meta], tick, end


def read(path):
    """Parse a MIDI file into a `Song`.

    Raises MidiError for an empty, truncated, malformed, oversized or non-MIDI file.
    """
    path = Path(path)

    def refuse(reason):
        return MidiError(f"{path}: {reason}")

    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise refuse(f"{size} bytes, more than the {MAX_BYTES} a MIDI file may have")
        data = path.read_bytes()
    except OSError as error:
        raise refuse(error.strerror or "cannot be read") from None
    if data[:4] != b"MThd" or len(data) < 14:
        raise refuse("not a MIDI file (no MThd header)" if data else "empty file")
    header = int.from_bytes(data[4:8], "big")
    tracks, resolution = int.from_bytes(data[10:12], "big"), int.from_bytes(data[12:14], "big")
    if header < 6 or resolution == 0 or resolution >= 0x8000 or int.from_bytes(data[8:10], "big") > 2:
        raise refuse("header without ticks per quarter note (SMPTE time or damaged)")
    array, position, end_tick, instruments, conductor = np.frombuffer(data, np.uint8), 8 + header, 0, [], None
    for number in range(tracks):
        if data[position : position + 4] != b"MTrk":
            raise refuse(f"track {number + 1} of {tracks} is missing (truncated file?)")
        stop = position + 8 + int.from_bytes(data[position + 4 : position + 8], "big")
        if stop > len(data):
            raise refuse(f"track {number + 1} of {tracks} is cut off")
        fault, _, notes, meta, _, end = _read_track(array, position + 8, stop)
        if fault:
            raise refuse(f"track {number + 1} of {tracks}: {_FAULTS[fault]}")
        end_tick, position = max(end_tick, end), stop
        conductor = meta if conductor is None else conductor
        owners, begins = np.unique(notes[:, 4], return_index=True)
        for owner in owners[np.argsort(begins)]:
            own = notes[notes[:, 4] == owner]
            instruments.append(
                Instrument(int(owner) // 16, int(owner) % 16 == 9, own[:, 0], own[:, 1], own[:, 2], own[:, 3])
            )
    if conductor is None:
        raise refuse("no tracks")
    tempos = [(0, 60.0 / (120.0 * resolution))]  # tempo and metre count on the first track only, as in pretty_midi
    for tick, tempo in conductor[conductor[:, 0] == 1][:, 1:3]:
        if tempo == 0:
            raise refuse("a tempo of zero microseconds per beat")
        scale = 60.0 / ((6e7 / int(tempo)) * resolution)
        if tick == 0:
            tempos = [(0, scale)]
        elif scale != tempos[-1][1]:
            tempos.append((int(tick), scale))
    metres = conductor[conductor[:, 0] == 2][:, 1:]
    if (metres[:, 1] == 0).any():
        raise refuse("a time signature of 0 beats")
    metres = [(int(t), int(n), 2 ** min(int(d), 62)) for t, n, d in metres]
    counted = conductor[conductor[:, 0] > 1][:, 1]
    end_tick = max([end_tick, tempos[-1][0], *counted.tolist()])
    return Song(resolution, np.array(tempos), np.array(metres, np.int64).reshape(-1, 3), end_tick, instruments)


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


def beats(song, start):
    """Beat times in seconds from `start` (seconds) to the end, as pretty_midi's get_beats gives them."""
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
        base[step] = 128
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


def pypianoroll_grid(song, resolution=4, origin=None):
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
        onset[step] = base[step] < 128 and begin[step, base[step]]
    return base, onset


def complete_grid(song, resolution=4):
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
    lines = []
    for instrument in song.instruments:
        on = np.floor((instrument.start - first) / step + 0.5).astype(np.int64)
        off = np.floor((instrument.end - first) / step + 0.5).astype(np.int64)
        off = on + 1 if instrument.is_drum else np.maximum(off, on + 1)
        base, onset = _paint_complete(on, off, instrument.pitch, steps)
        lines.append(Line(instrument.program, instrument.is_drum, base, onset, len(on), 0))
    return lines


def tokens(base, onset=None):
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


def token_base(token):
    """Base sequence (…, steps) of tokens: HOLD copies the step before; a HOLD at the first step is silence."""
    token = np.asarray(token)
    steps = np.arange(token.shape[-1])
    source = np.maximum.accumulate(np.where(token != HOLD, steps, -1), axis=-1)
    held = np.take_along_axis(token, np.maximum(source, 0), axis=-1)
    return np.where(source < 0, SILENT, held).astype(np.int16)


def token_notes(token, each_step=False):
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


def to_pretty_midi(token, programs, drums, names=None, tempo=120.0, velocity=80, resolution=4, drum_hold_repeats=True):
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
