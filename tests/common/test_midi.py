"""Reading, quantising and writing MIDI: equal to pretty_midi and pypianoroll, and safe with broken files."""

import os
import random
import struct
import warnings
from pathlib import Path

import mido
import numpy as np
import pretty_midi
import pypianoroll
import pytest

from common import midi, midi_file


def save(path, tracks, resolution=96):
    """Write (tick, message) lists as the tracks of a MIDI file."""
    file = mido.MidiFile(ticks_per_beat=resolution)
    for events in tracks:
        track, last = mido.MidiTrack(), 0
        for tick, message in sorted(events, key=lambda event: event[0]):
            track.append(message.copy(time=tick - last))
            last = tick
        file.tracks.append(track)
    file.save(path)
    return path


def note(begin, end, pitch, channel=0, velocity=80):
    return [
        (begin, mido.Message("note_on", note=pitch, velocity=velocity, channel=channel)),
        (end, mido.Message("note_off", note=pitch, channel=channel)),
    ]


def messy_song(path, seed):
    """Overlaps, zero-length notes, spurious offs, late programs, controllers, lyrics, tempo and metre changes."""
    draw = random.Random(seed)
    length = draw.randint(2000, 8000)
    conductor = [(draw.choice([0, 0, 96]), mido.MetaMessage("time_signature", numerator=draw.choice([4, 4, 3, 6])))]
    for _ in range(draw.randint(0, 4)):
        conductor.append((draw.randrange(length), mido.MetaMessage("set_tempo", tempo=draw.randint(200000, 900000))))
    if draw.random() < 0.3:
        conductor.append((draw.randrange(length), mido.MetaMessage("time_signature", numerator=4)))
    tracks = [conductor]
    for _ in range(draw.randint(1, 4)):
        events = []
        for _ in range(draw.randint(1, 120)):
            begin = draw.randrange(length)
            channel, pitch = draw.choice([0, 1, 9]), draw.choice([36, 38, 60, 61, 62, 127])
            events += note(
                begin, begin + draw.choice([0, 5, 12, 23, 24, 25, 90, 400]), pitch, channel, draw.randint(1, 127)
            )
            if draw.random() < 0.2:
                kind = draw.choice(["program_change", "control_change", "pitchwheel", "lyrics"])
                event = {
                    "program_change": lambda c=channel: mido.Message(
                        "program_change", program=draw.randrange(128), channel=c
                    ),
                    "control_change": lambda c=channel: mido.Message("control_change", control=7, value=9, channel=c),
                    "pitchwheel": lambda c=channel: mido.Message("pitchwheel", pitch=5, channel=c),
                    "lyrics": lambda: mido.MetaMessage("lyrics", text="la"),
                }[kind]()
                events.append((draw.randrange(length + 500), event))
        tracks.append(events)
    return save(path, tracks)


def assert_equals_pypianoroll(path):
    """The grid of `path` is that of pypianoroll, or both refuse the file. Returns True where there is a grid."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            expected = pypianoroll.read(path, resolution=4)
        except (ValueError, IndexError, OSError, EOFError, ZeroDivisionError) as error:
            expected = error
        try:
            song = midi.read(path)
            origin = None if len(song.metres) else pretty_midi.PrettyMIDI(str(path)).estimate_beat_start()
            lines = midi.pypianoroll_grid(song, origin=origin)
        except midi.MidiError as error:
            lines = error
    assert isinstance(expected, Exception) == isinstance(lines, Exception), (path, expected, lines)
    if isinstance(expected, Exception):
        return False
    assert len(lines) == len(expected.tracks)
    for line, track in zip(lines, expected.tracks, strict=True):
        roll = track.pianoroll > 0
        base = np.where(roll.any(axis=1), roll.argmax(axis=1), midi.SILENT)
        assert (line.program, line.is_drum) == (track.program, track.is_drum), path
        np.testing.assert_array_equal(line.base, base, err_msg=str(path))
    return True


def test_grid_equals_pypianoroll_on_messy_files(tmp_path):
    grids = sum(assert_equals_pypianoroll(messy_song(tmp_path / "song.mid", seed)) for seed in range(60))
    assert grids >= 40


def test_beats_equal_pretty_midi_wherever_they_start(tmp_path):
    """Tempos and metres that change between beats, a first metre that comes late, metres in three and in eighths."""
    for seed in range(40):
        draw, conductor = random.Random(seed), []
        for tick in sorted({draw.choice([0, 96, 150])} | {draw.randrange(1500) for _ in range(draw.randint(0, 3))}):
            conductor.append((tick, mido.MetaMessage("time_signature", numerator=draw.choice([2, 3, 4, 6, 9, 12]),
                                                     denominator=draw.choice([2, 4, 8, 16]))))
        for _ in range(draw.randint(0, 5)):
            tempo = mido.MetaMessage("set_tempo", tempo=draw.randint(200_000, 900_000))
            conductor.append((draw.randrange(1500), tempo))
        path = save(tmp_path / "song.mid", [conductor, note(0, draw.randint(1000, 2000), 60)])
        song, expected = midi.read(path), pretty_midi.PrettyMIDI(str(path))
        for start in (0.0, 0.25, song.seconds(150), song.seconds(700)):
            beats = expected.get_beats(start)
            if len(beats) < 2:
                with pytest.raises(midi.MidiError, match="fewer than 2"):
                    midi.beats(song, start)
            else:
                np.testing.assert_array_equal(midi.beats(song, start), beats, err_msg=f"{seed} {start}")


def test_the_first_metre_begins_a_beat(tmp_path):
    late = [(144, mido.MetaMessage("time_signature", numerator=4, denominator=4))]
    song = midi.read(save(tmp_path / "song.mid", [late, note(0, 288, 60)]))  # 96 ticks are half a second
    np.testing.assert_allclose(midi.beats(song, 0.0), [0.0, 0.5, 0.75, 1.25])


@pytest.mark.slow
def test_grid_equals_pypianoroll_on_real_files():
    folder = os.environ.get("ENCORE_MIDI")
    if not folder:
        pytest.skip("set ENCORE_MIDI to a folder of MIDI files to compare file by file")
    paths = sorted(Path(folder).rglob("*.mid"))
    assert paths and sum(assert_equals_pypianoroll(path) for path in paths) > len(paths) // 2


def test_notes_and_times_equal_pretty_midi(tmp_path):
    for seed in range(20):
        path = messy_song(tmp_path / "song.mid", seed)
        song, expected = midi.read(path), pretty_midi.PrettyMIDI(str(path))
        assert song.seconds(song.end_tick) == expected.get_end_time()
        np.testing.assert_array_equal(song.seconds(np.arange(3000)), [expected.tick_to_time(t) for t in range(3000)])
        for found, instrument in zip(song.instruments, expected.instruments, strict=True):
            rows = [(n.start, n.end, n.pitch, n.velocity) for n in instrument.notes]
            got = np.stack([song.seconds(found.start), song.seconds(found.end), found.pitch, found.velocity], axis=1)
            np.testing.assert_array_equal(got, rows)


def track_chunk(data):
    return b"MTrk" + struct.pack(">L", len(data)) + data


def header(tracks=1, division=96, kind=1):
    return b"MThd" + struct.pack(">LHHH", 6, kind, tracks, division)


END = b"\x00\xff\x2f\x00"
BROKEN = {
    "empty": (b"", "empty file"),
    "text": (b"hello, this is not music at all", "not a MIDI file"),
    "header only": (header(), "track 1 of 1 is missing"),
    "cut header": (header()[:9], "not a MIDI file"),
    "cut track": (header() + track_chunk(b"\x00\x90\x3c\x40\x60\x80\x3c\x00" + END)[:-6], "cut off"),
    "missing second track": (header(2) + track_chunk(END), "track 2 of 2 is missing"),
    "smpte": (header(division=0xE728) + track_chunk(END), "SMPTE"),
    "zero division": (header(division=0) + track_chunk(END), "ticks per quarter"),
    "zero tempo": (header() + track_chunk(b"\x00\xff\x51\x03\x00\x00\x00" + END), "tempo of zero"),
    "short tempo": (header() + track_chunk(b"\x00\xff\x51\x01\x07" + END), "too short"),
    "billion ticks": (header() + track_chunk(b"\x83\xdc\xf3\x94\x00\x90\x3c\x40" + END), "ticks"),
    "high data byte": (header() + track_chunk(b"\x00\x90\x3c\xff" + END), "above 127"),
    "running status first": (header() + track_chunk(b"\x00\x3c\x40" + END), "running status"),
    "undefined status": (header() + track_chunk(b"\x00\xf4" + END), "undefined status"),
    "overrun": (header() + track_chunk(b"\x00\x90\x3c"), "past the end"),
    "huge sysex": (header() + track_chunk(b"\x00\xf0\xff\xff\xff\x7f"), "million"),
    "bad key": (header() + track_chunk(b"\x00\xff\x59\x02\x20\x00" + END), "key signature"),
    "text ends in its length": (header() + track_chunk(b"\x00\xff\x01\x81"), "past the end"),
    "text of unknown kind": (header() + track_chunk(b"\x00\xff"), "past the end"),
    "text is cut": (header() + track_chunk(b"\x00\xff\x01\x03ab"), "past the end"),
    "time is cut": (header() + track_chunk(b"\x81"), "past the end"),
    "nothing after a time": (header() + track_chunk(b"\x00"), "past the end"),
    "huge text": (header() + track_chunk(b"\x00\xff\x01\xff\xff\xff\x7f"), "million"),
    "no beats per bar": (header() + track_chunk(b"\x00\xff\x58\x04\x00\x02\x18\x08" + END), "0 beats"),
    "no tracks": (header(0), "no tracks"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_gets_one_line_that_names_it(name, tmp_path):
    data, reason = BROKEN[name]
    path = tmp_path / "broken.mid"
    path.write_bytes(data)
    with pytest.raises(midi.MidiError) as caught:
        midi.read(path)
    assert reason in str(caught.value) and str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_missing_and_oversized_files_are_refused(tmp_path, monkeypatch):
    with pytest.raises(midi.MidiError, match="none.mid"):
        midi.read(tmp_path / "none.mid")
    path = save(tmp_path / "song.mid", [note(0, 96, 60)])
    monkeypatch.setattr(midi_file, "MAX_BYTES", 10)
    with pytest.raises(midi.MidiError, match="more than the 10"):
        midi.read(path)


def test_any_corruption_ends_in_a_song_or_a_midi_error(tmp_path):
    whole = bytearray(messy_song(tmp_path / "song.mid", 1).read_bytes())
    draw, read = random.Random(0), 0
    for _ in range(300):
        broken = bytearray(whole)
        for _ in range(draw.randint(1, 6)):
            broken[draw.randrange(14, len(broken))] = draw.randrange(256)
        path = tmp_path / "broken.mid"
        path.write_bytes(broken[: draw.randint(20, len(broken))] if draw.random() < 0.3 else broken)
        try:
            song = midi.read(path)
            midi.complete_grid(song)
            midi.pypianoroll_grid(song, origin=0.0 if not len(song.metres) else None)
            read += 1
        except midi.MidiError:
            pass
    assert read > 0


def many_tracks(count, ticks=96):
    """A song of `count` one-note tracks of different programs that lasts `ticks` ticks."""
    tempo = track_chunk(b"\x00\xff\x58\x04\x04\x02\x18\x08" + END)
    late = bytes([0x80 | ticks >> 21 & 127, 0x80 | ticks >> 14 & 127, 0x80 | ticks >> 7 & 127, ticks & 127])
    one = b"\x00\x91\x3c\x40\x60\x81\x3c\x00" + late + b"\xff\x01\x01x"
    parts = [b"\x00" + bytes([0xC1, k % 128]) + one for k in range(count)]
    return header(count + 1) + tempo + b"".join(map(track_chunk, parts))


def test_a_small_file_cannot_announce_unbounded_work(tmp_path):
    path = tmp_path / "large.mid"
    path.write_bytes(many_tracks(midi_file.MAX_TRACKS))
    with pytest.raises(midi.MidiError, match="tracks, more than"):
        midi.read(path)
    path.write_bytes(many_tracks(midi_file.MAX_INSTRUMENTS + 1))
    with pytest.raises(midi.MidiError, match="instruments"):
        midi.read(path)
    path.write_bytes(many_tracks(midi.MAX_CELLS // 40_000 + 1, 96 * 10_000))  # 10,000 beats are 40,000 steps
    song = midi.read(path)
    for grid in (midi.complete_grid, midi.pypianoroll_grid):
        with pytest.raises(midi.MidiError, match="51 instruments for 4"):
            grid(song)
    path.write_bytes(many_tracks(40, 96 * 10_000))
    assert len(midi.complete_grid(midi.read(path))) == 40


def test_too_many_tempos_and_metres_are_refused(tmp_path, monkeypatch):
    path = save(tmp_path / "song.mid", [[(k, mido.MetaMessage("time_signature")) for k in range(60)] + [
        (k, mido.MetaMessage("set_tempo", tempo=400_000 + k)) for k in range(60)] + note(0, 96, 60)])  # fmt: skip
    song = midi.read(path)
    assert len(midi.beats(song, 0.0)) > 1
    monkeypatch.setattr(midi, "MAX_CELLS", 3000)
    with pytest.raises(midi.MidiError, match="60 tempos and 60 time signatures"):
        midi.beats(song, 0.0)
    monkeypatch.setattr(midi_file, "MAX_META", 100)
    with pytest.raises(midi.MidiError, match="120 tempo, metre and key events"):
        midi.read(path)


@pytest.mark.parametrize("length, value, rest", [(b"\x00", 0, 1), (b"\x81\x48", 200, 2), (b"\xff\x7f", 16383, 2),
                                                 (b"\x81", -1, 1), (b"", -1, 0), (b"\xff\xff\x7f", -2, 3)])  # fmt: skip
def test_variable_length_numbers(length, value, rest):
    data = np.frombuffer(length + b"\x05", np.uint8)
    assert midi_file._quantity(data, 0, len(length), 16383) == (value, rest)


def test_data_bytes_are_those_of_the_midi_standard():
    found = {status: midi_file._data_bytes(status) for status in range(0x80, 0x100)}
    assert all(found[status] == (1 if 0xC0 <= status < 0xE0 else 2) for status in range(0x80, 0xF0))
    assert [found[status] for status in range(0xF0, 0x100)] == [0, 1, 2, 1, -1, -1, 0, 0, 0, -1, 0, 0, 0, -1, 0, 0]


@pytest.mark.parametrize(("kind", "content", "fault", "row"), [
    (0x51, b"\x07\xa1\x20", 0, (1, 500_000, 0)), (0x51, b"\x07\xa1", 6, None),
    (0x58, b"\x06\x03\x18\x08", 0, (2, 6, 3)), (0x58, b"\x06\x03\x18", 6, None),
    (0x59, b"\x07\x01", 0, (3, 7, 1)), (0x59, b"\xf9\x00", 0, (3, 249, 0)), (0x59, b"\x07", 6, None),
    (0x59, b"\x08\x00", 7, None), (0x59, b"\xf8\x00", 7, None), (0x59, b"\x00\x02", 7, None),
])
def test_tempo_metre_and_key(kind, content, fault, row):
    data, found = np.frombuffer(content + bytes(2), np.uint8), np.full(4, -9, np.int64)
    assert midi_file._meta(data, 0, len(content), kind, found) == fault
    assert row is None or (found[0], found[2], found[3]) == row and found[1] == -9


def grid_of(tmp_path, notes, channel=0):
    events = [event for begin, end, pitch in notes for event in note(begin, end, pitch, channel)]
    # Something of another pitch follows, so that the last beat is no edge.
    events += note(96 * 4, 96 * 5, 30, channel)
    path = save(tmp_path / "grid.mid", [[(0, mido.MetaMessage("time_signature"))], events])
    return midi.read(path)


def test_pypianoroll_loses_short_and_repeated_notes(tmp_path):  # dossier A13
    full_gate = [(24 * k, 24 * (k + 1), 60) for k in range(4)]
    line = midi.pypianoroll_grid(grid_of(tmp_path, full_gate))[0]
    assert line.base[:5].tolist() == [128, 128, 128, 60, 128] and (line.notes, line.lost) == (5, 3)
    line = midi.pypianoroll_grid(grid_of(tmp_path, [(24 * k, 24 * k + 21, 60) for k in range(4)]))[0]
    assert line.base[:5].tolist() == [128] * 5 and line.lost == 4
    quarters = [(96 * k, 96 * (k + 1), 60) for k in range(3)]
    line = midi.pypianoroll_grid(grid_of(tmp_path, quarters))[0]
    assert line.base[:12].tolist() == [60, 60, 60, 128, 60, 60, 60, 128, 60, 60, 60, 60] and line.lost == 0


def test_complete_grid_keeps_every_note_and_onset(tmp_path):
    line = midi.complete_grid(grid_of(tmp_path, [(24 * k, 24 * k + 21, 60) for k in range(4)]))[0]
    assert line.base[:6].tolist() == [60, 60, 60, 60, 128, 128] and line.lost == 0
    assert line.onset[:6].tolist() == [True] * 4 + [False] * 2
    line = midi.complete_grid(grid_of(tmp_path, [(96 * k, 96 * (k + 1), 60) for k in range(2)]))[0]
    assert line.base[:9].tolist() == [60] * 8 + [128] and np.flatnonzero(line.onset[:9]).tolist() == [0, 4]


@pytest.mark.parametrize(("metre", "start", "onset"), [
    (0, 9, 36),  # from tick 0
    (9, 9, 32),  # two bars and a beat: the first line is at the first beat
    (9, 0, 12),  # a note before that line: a bar earlier, three beats before tick 0
    (8, 9, 36)])
def test_the_grid_begins_at_the_first_bar_line_that_agrees_with_the_metre(metre, start, onset):
    notes = midi_file.Instrument(0, False, *(np.array([value]) for value in (start * 96, (start + 1) * 96, 60, 90)))
    song = midi_file.Song(96, np.zeros((0, 2)), np.array([[metre * 96, 4, 4]]), (start + 1) * 96, [notes])
    line = midi.complete_grid(song)[0]
    assert np.flatnonzero(line.onset).tolist() == [onset]
