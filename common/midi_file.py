"""Reading MIDI files: notes and times exactly as `pretty_midi` has them, from a compiled loop, within limits.

symusic is faster still; it pairs overlapping notes first in, first out, and reads tempo and metre from every track, so
its rolls differ from pypianoroll's on real files.
"""

from dataclasses import dataclass
from pathlib import Path

import numba
import numpy as np

from common.errors import MidiError

MAX_BYTES = 4_000_000  # the largest real file the tests have read is 83 kB; parsing takes up to 30 times the file
MAX_TICK = 10_000_000  # the limit pretty_midi sets
# What a song has, many times over: a small file may announce far more work than its size.
MAX_TRACKS, MAX_INSTRUMENTS, MAX_META = 1024, 512, 100_000

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

    def seconds(self, ticks: int | np.ndarray) -> np.ndarray:
        """Time in seconds of absolute `ticks` (any shape)."""
        starts, scales = self.tempos[:, 0], self.tempos[:, 1]
        # cumsum adds one after the other, as pretty_midi does: equal to the last bit
        origin = np.concatenate([[0.0], np.cumsum(scales[:-1] * np.diff(starts))])
        segment = np.searchsorted(starts, ticks, side="right") - 1
        return origin[segment] + scales[segment] * (ticks - starts[segment])

    @property
    def quarter_notes_per_minute(self) -> float:
        """The tempo at the start."""
        return 60.0 / (self.tempos[0, 1] * self.resolution)


@numba.njit(cache=True)
def _quantity(data, position, stop, limit):
    """A number of variable length -> (number, next position); -1 where the track ends in it, -2 past the limit."""
    number = 0
    while position < stop:
        byte = data[position]
        position += 1
        number = (number << 7) | (byte & 0x7F)
        if number > limit:
            return -2, position
        if byte < 0x80:
            return number, position
    return -1, position


@numba.njit(cache=True)
def _data_bytes(status):
    """How many data bytes follow a channel's or the system's status byte; -1 where it is undefined."""
    if status < 0xF0:
        return 1 if status & 0xE0 == 0xC0 else 2
    if status == 0xF4 or status == 0xF5 or status == 0xF9 or status == 0xFD:
        return -1
    return 2 if status == 0xF2 else 1 if status == 0xF1 or status == 0xF3 else 0


@numba.njit(cache=True)
def _meta(data, position, length, kind, row):
    """Fill a meta row (kind 1 tempo, 2 metre, 3 key; tick; a; b) but for its tick -> fault."""
    if length < (3 if kind == 0x51 else 4 if kind == 0x58 else 2):
        return 6
    a, b = np.int64(data[position]), np.int64(data[position + 1])
    if kind == 0x51:
        row[0], row[2], row[3] = 1, (a << 16) | (b << 8) | np.int64(data[position + 2]), 0
        return 0
    row[0], row[2], row[3] = (2 if kind == 0x58 else 3), a, b
    return 7 if kind == 0x59 and (7 < a < 249 or b > 1) else 0


@numba.njit(cache=True)
def _long_message(data, position, stop, byte):
    """A meta event or system exclusive after its status byte -> fault, meta kind (0: none), place and length of it."""
    kind = 0
    if byte == 0xFF:
        if position >= stop:
            return 1, kind, position, 0
        kind = data[position]
        position += 1
    length, position = _quantity(data, position, stop, 1_000_000)
    if length < 0:
        return (1 if length == -1 else 5), kind, position, 0
    return (1 if position + length > stop else 0), kind, position, length


@numba.njit(cache=True)
def _events(data, position, stop):
    """One MTrk chunk -> fault, events (tick, status byte, first and second data byte), meta rows.

    A text or lyric, which counts for the length of the song, is an event of status byte 0xFF.
    """
    events = np.empty((max(stop - position, 0) // 2 + 1, 4), np.int64)
    meta = np.empty((max(stop - position, 0) // 4 + 1, 4), np.int64)
    count, metas, tick, status, fault = 0, 0, 0, 0, 0
    while position < stop:
        delta, position = _quantity(data, position, stop, MAX_TICK)
        tick += max(delta, 0)
        if delta == -2 or tick >= MAX_TICK:
            return 8, events[:0], meta[:0]
        if delta < 0 or position >= stop:
            return 1, events[:0], meta[:0]
        byte = data[position]
        if byte >= 0x80:
            position += 1
            status = status if byte == 0xFF else byte
        elif status < 0x80 or status >= 0xF0:
            return 3, events[:0], meta[:0]
        else:
            byte = status
        if byte == 0xFF or byte == 0xF0 or byte == 0xF7:
            found, kind, position, length = _long_message(data, position, stop, byte)
            if found == 0 and (kind == 0x51 or kind == 0x58 or kind == 0x59):
                found = _meta(data, position, length, kind, meta[metas])
                meta[metas, 1] = tick
                metas += 1
            elif kind == 1 or kind == 5:
                events[count, 0], events[count, 1], events[count, 2], events[count, 3] = tick, 0xFF, 0, 0
                count += 1
            if found:
                return found, events[:0], meta[:0]
            position += length
            continue
        size = _data_bytes(byte)
        if size < 0 or position + size > stop:
            return (4 if size < 0 else 1), events[:0], meta[:0]
        events[count, 0], events[count, 1], events[count, 2], events[count, 3] = tick, byte, 0, 0
        for k in range(size):
            if data[position + k] > 127:
                fault = 2
            events[count, 2 + k] = data[position + k]
        if fault:
            return fault, events[:0], meta[:0]
        position += size
        count += 1
    return 0, events[:count], meta[:metas]


@numba.njit(cache=True)
def _close(onset, first, tick, notes, count, pitch, owner):
    """A note-off: notes end, `onset` (tick, velocity, next of its key) keeps what stays open -> count, first, last.

    One note-off ends every open note of its key, except those that begin at the same tick, and those stay open only if
    another one ended (pretty_midi's rule).
    """
    k, closed, kept_first, kept_last = first, 0, -1, -1
    while k >= 0:
        following = onset[k, 2]
        if onset[k, 0] != tick:
            notes[count, 0], notes[count, 1] = onset[k, 0], tick
            notes[count, 2], notes[count, 3], notes[count, 4] = pitch, onset[k, 1], owner
            count += 1
            closed += 1
        else:
            onset[k, 2] = -1
            if kept_first < 0:
                kept_first = k
            else:
                onset[kept_last, 2] = k
            kept_last = k
        k = following
    return (count, kept_first, kept_last) if closed > 0 else (count, -1, -1)


@numba.njit(cache=True)
def _notes(events):
    """Events of a track -> notes (start, end, pitch, velocity, program * 16 + channel) in the order in which they end,
    and the last tick that counts for the length.
    """
    notes = np.empty((len(events), 5), np.int64)
    onset = np.empty((len(events), 3), np.int64)
    count, onsets, end = 0, 0, 0
    first, last = np.full(2048, -1, np.int64), np.full(2048, -1, np.int64)
    program, exists = np.zeros(16, np.int64), np.zeros(2048, np.bool_)
    waiting = np.full(16, -1, np.int64)  # controllers seen before the instrument: they count once it exists
    attached = np.zeros(16, np.bool_)
    for event in range(len(events)):
        tick, byte, one, two = events[event]
        high, channel = byte & 0xF0, byte & 0x0F
        owner, key = program[channel] * 16 + channel, channel * 128 + one
        if byte == 0xFF:
            end = max(end, tick)
        elif high == 0xC0:
            program[channel] = one
        elif high == 0x90 and two > 0:
            onset[onsets, 0], onset[onsets, 1], onset[onsets, 2] = tick, two, -1
            if first[key] < 0:
                first[key] = onsets
            else:
                onset[last[key], 2] = onsets
            last[key] = onsets
            onsets += 1
        elif high == 0x80 or high == 0x90:
            before = count
            count, first[key], last[key] = _close(onset, first[key], tick, notes, count, one, owner)
            if count > before:
                end = max(end, tick)
                attached[channel] |= not exists[owner] and waiting[channel] >= 0
                exists[owner] = True
        elif high == 0xB0 or high == 0xE0:
            if exists[owner]:
                end = max(end, tick)
            else:
                waiting[channel] = tick
    for channel in range(16):
        if attached[channel]:
            end = max(end, waiting[channel])
    return notes[:count], end


def _header(data, refuse):
    """(number of tracks, ticks per quarter note, where the tracks begin); raises what `refuse` makes of a reason."""
    if data[:4] != b"MThd" or len(data) < 14:
        raise refuse("not a MIDI file (no MThd header)" if data else "empty file")
    length = int.from_bytes(data[4:8], "big")
    tracks, resolution = int.from_bytes(data[10:12], "big"), int.from_bytes(data[12:14], "big")
    if length < 6 or resolution == 0 or resolution >= 0x8000 or int.from_bytes(data[8:10], "big") > 2:
        raise refuse("header without ticks per quarter note (SMPTE time or damaged)")
    if tracks == 0:
        raise refuse("no tracks")
    if tracks > MAX_TRACKS:
        raise refuse(f"{tracks} tracks, more than the {MAX_TRACKS} that are read")
    return tracks, resolution, 8 + length


def _instruments(notes):
    """The instruments of a track's notes, in the order in which their first notes end."""
    owners, begins = np.unique(notes[:, 4], return_index=True)
    found = []
    for owner in owners[np.argsort(begins)].tolist():
        own = notes[notes[:, 4] == owner]
        found.append(Instrument(owner // 16, owner % 16 == 9, own[:, 0], own[:, 1], own[:, 2], own[:, 3]))
    return found


def _conductor(meta, resolution, refuse):
    """(tempos, metres) of the first track's meta rows: only there they count, as in pretty_midi."""
    if len(meta) > MAX_META:
        raise refuse(f"{len(meta)} tempo, metre and key events, more than the {MAX_META} that are read")
    tempos = [(0, 60.0 / (120.0 * resolution))]
    for tick, tempo in meta[meta[:, 0] == 1][:, 1:3].tolist():
        if tempo == 0:
            raise refuse("a tempo of zero microseconds per beat")
        scale = 60.0 / ((6e7 / tempo) * resolution)
        if tick == 0:
            tempos = [(0, scale)]
        elif scale != tempos[-1][1]:
            tempos.append((tick, scale))
    metres = meta[meta[:, 0] == 2][:, 1:]
    if (metres[:, 1] == 0).any():
        raise refuse("a time signature of 0 beats")
    metres = [(tick, numerator, 2 ** min(power, 62)) for tick, numerator, power in metres.tolist()]
    return tempos, metres


def read(path: Path | str) -> Song:
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
    tracks, resolution, position = _header(data, refuse)
    array, end_tick, instruments, conductor = np.frombuffer(data, np.uint8), 0, [], None
    for number in range(1, tracks + 1):
        if data[position : position + 4] != b"MTrk":
            raise refuse(f"track {number} of {tracks} is missing (truncated file?)")
        stop = position + 8 + int.from_bytes(data[position + 4 : position + 8], "big")
        if stop > len(data):
            raise refuse(f"track {number} of {tracks} is cut off")
        fault, events, meta = _events(array, position + 8, stop)
        if fault:
            raise refuse(f"track {number} of {tracks}: {_FAULTS[fault]}")
        notes, end = _notes(events)
        end_tick, position = max(end_tick, end), stop
        conductor = meta if conductor is None else conductor
        instruments += _instruments(notes)
        if len(instruments) > MAX_INSTRUMENTS:
            raise refuse(f"more than {MAX_INSTRUMENTS} instruments")
    tempos, metres = _conductor(conductor, resolution, refuse)
    counted = conductor[conductor[:, 0] > 1][:, 1]
    end_tick = max([end_tick, tempos[-1][0], *counted.tolist()])
    return Song(resolution, np.array(tempos), np.array(metres, np.int64).reshape(-1, 3), end_tick, instruments)
