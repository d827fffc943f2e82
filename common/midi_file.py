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
