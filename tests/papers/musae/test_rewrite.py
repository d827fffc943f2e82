"""A user's own file, rewritten in some bars: what the model does not hear is the same before and after."""

import mido
import numpy as np
import pretty_midi
import pytest

from common import midi
from common.config import resolve
from papers.musae import config as configuration, rewrite, tool
from papers.musae.tokens import HOLD
from tests.common.test_midi import note, save
from tests.papers.musae.test_preprocess import FOUR

BAR = 4 * 96
SOUND, PAPER = (resolve(configuration, mode, "smoke") for mode in ("sound", "paper"))
# channel: (program, pitch, quarter notes between two notes); 2 has fewer notes than 1, 5 more than 4 but is not lowest.
PARTS = {0: (33, 40, 1), 1: (25, 60, 1), 2: (1, 65, 2), 4: (48, 50, 2), 5: (73, 80, 1)}
HEARD = (0, 1, 4)


def own_file(path, bars=7, start=0, extra=(), parts=PARTS):
    """Two tempos, a key, words and a controller; seven bars of which the last is no whole window of two."""
    conductor = [(start, FOUR), (0, mido.MetaMessage("set_tempo", tempo=400_000)),
                 (start + 3 * BAR, mido.MetaMessage("set_tempo", tempo=461_538)),
                 (start, mido.MetaMessage("key_signature", key="D")), (50, mido.MetaMessage("lyrics", text="la"))]
    tracks = [[*conductor, *extra]]
    for channel in parts:
        program, pitch, every = PARTS[channel]
        events = [(0, mido.Message("program_change", program=program, channel=channel))]
        events.append((30, mido.Message("control_change", control=7, value=90 + channel, channel=channel)))
        for beat in range(0, 4 * bars, every):
            at = start + 96 * beat
            events += note(at, at + 96 * every, pitch + beat % 3, channel, 60 + channel)
        tracks.append(events)
    tracks.append([event for beat in range(4 * bars) for event in
                   note(start + 96 * beat, start + 96 * beat + 24, 36 + beat % 2, 9)])  # fmt: skip
    return save(path, tracks)


def notes_of(instrument, score):
    return sorted((score.time_to_tick(n.start), score.time_to_tick(n.end), n.pitch, n.velocity)
                  for n in instrument.notes)  # fmt: skip


def answer(seed=0, steps=32):
    """Tokens (steps, 4) that begin with a pitch, hold, rest and begin again."""
    rng = np.random.default_rng(seed)
    tokens = np.where(rng.random((steps, 4)) < 0.4, rng.integers(20, 45, (steps, 4)), HOLD)
    tokens[0] = [35, 30, 31, 32]
    tokens[9, 1:] = midi.SILENT
    return tokens


def edited(path, answers, config=SOUND):
    """(the file before, after it was written and read again, the path written)."""
    after = path.with_name("after.mid")
    rewrite.write(rewrite.rewritten(tool.read(path, config, 2), answers, config), after)
    return pretty_midi.PrettyMIDI(str(path)), pretty_midi.PrettyMIDI(str(after)), after


@pytest.mark.parametrize("start", [0, 96])
def test_what_the_model_does_not_hear_stays(start, tmp_path):
    before, after, _ = edited(own_file(tmp_path / "own.mid", start=start), {1: answer()})
    assert [i.program for i in before.instruments] == [i.program for i in after.instruments]
    for number, channel in enumerate([*PARTS, 9]):
        one, two = (notes_of(score.instruments[number], score) for score in (before, after))
        outside = [[n for n in notes if not 2 * BAR <= n[0] - start < 4 * BAR] for notes in (one, two)]
        assert outside[0] == outside[1]  # in bars 1, 2, 5, 6 and 7 of every part
        assert (one == two) == (channel not in (*HEARD, 9)), channel
        kept = [[(c.number, c.value, c.time) for c in score.instruments[number].control_changes]
                for score in (before, after)]  # fmt: skip
        assert kept[0] == kept[1] and len(kept[0]) == (channel != 9)
    for score in (before, after):
        times, tempos = score.get_tempo_changes()
        assert times.tolist() == [0, score.tick_to_time(start + 3 * BAR)]
        assert (6e7 / tempos).tolist() == pytest.approx([400_000, 461_538], abs=1e-3)
        metres = [(m.numerator, m.denominator, m.time) for m in score.time_signature_changes]
        assert metres == [(4, 4, score.tick_to_time(start))]
        assert [k.key_number for k in score.key_signature_changes] == [2]
        assert [(word.text, score.time_to_tick(word.time)) for word in score.lyrics] == [("la", 50)]
    assert after.get_end_time() == before.get_end_time()


@pytest.mark.parametrize("start, pickup", [(0, []), (96, []), (96, note(48, 90, 41, 0))], ids=["0", "96", "pickup"])
@pytest.mark.parametrize("config", [SOUND, PAPER], ids=["sound", "paper"])
def test_what_was_decoded_is_read_again_in_its_bars(config, start, pickup, tmp_path):
    """Over a change of tempo, and where the first bar begins later, with and without a note before it; a held drum of
    pypianoroll's grid is hit again.
    """
    path = own_file(tmp_path / "own.mid", start=start, extra=pickup)
    wanted, song = answer(), tool.read(path, config, 2)
    again = tool.read(edited(path, {1: wanted}, config)[2], config, 2)
    assert again.tokens[:32].tolist() == song.tokens[:32].tolist()
    assert again.tokens[64:].tolist() == song.tokens[64:].tolist() and len(again.tokens) == len(song.tokens)
    held = np.maximum.accumulate(np.where(wanted != HOLD, np.arange(32)[:, None], 0), axis=0)
    right = again.base[32:64] == (base := np.take_along_axis(wanted, held, axis=0))
    struck = wanted != HOLD
    assert right[struck[:, 0], 0].all() and right[:, 0].all() == (config is PAPER)  # elsewhere a hit is one step long
    if config is SOUND:
        assert right[:, 1:3].all() and (again.tokens[32:64, 1:3] == wanted[:, 1:3]).all()
    assert right.mean() > 0.8  # in `paper` the grid floors offsets: last steps, and notes of one step, may be lost
    assert right[base[:, 3] < midi.SILENT, 3].all() or config is PAPER  # in their rests the other strings are heard
    guitar = next(i for i in edited(path, {1: wanted}, config)[1].instruments if i.program == 25)
    assert {n.velocity for n in guitar.notes} == {61}  # as loud as what stood there


def test_notes_that_reach_over_an_edge_are_cut_and_go_on(tmp_path):
    """A bass note from before into the window, one beyond it, one over all of it; a drum hit does not come back."""
    extra = [(0, mido.Message("program_change", program=34, channel=7))]
    extra += note(2 * BAR - 48, 2 * BAR + 48, 41, 7) + note(4 * BAR - 48, 4 * BAR + 48, 42, 7)
    extra += note(2 * BAR - 96, 4 * BAR + 96, 43, 7) + note(4 * BAR - 20, 4 * BAR + 5, 44, 7)
    path = own_file(tmp_path / "own.mid", extra=extra)
    score = pretty_midi.PrettyMIDI(str(path))
    times = rewrite.step_times(path, SOUND, 112)
    part = next(i for i in score.instruments if i.program == 34)
    rewrite._replace(part, np.array([[0, 32, 20]]), 32, 32, times)
    assert notes_of(part, score) == [(2 * BAR - 96, 2 * BAR, 43, 80), (2 * BAR - 48, 2 * BAR, 41, 80),
                                     (2 * BAR, 4 * BAR, 20, 80), (4 * BAR, 4 * BAR + 48, 42, 80),
                                     (4 * BAR, 4 * BAR + 96, 43, 80)]  # fmt: skip
    part.is_drum, part.notes = True, [pretty_midi.Note(80, 36, times[63], times[66])]
    rewrite._replace(part, np.zeros((0, 3), int), 32, 32, times)
    assert part.notes == []


def test_the_parts_heard_are_those_the_tools_read(tmp_path):
    path = own_file(tmp_path / "own.mid")
    source, song = midi.read(path), tool.read(path, SOUND, 2)
    numbers = rewrite.heard(source, SOUND)
    assert [source.instruments[k].program for k in numbers] == [0, 33, 25, 48]
    lines = midi.complete_grid(source)
    assert np.array_equal(np.stack([lines[k].base for k in numbers], axis=1), song.base)


def test_of_two_string_parts_the_one_that_is_lowest_in_more_steps_is_heard(tmp_path):
    quarters = {4: (48, 50, range(0, 8)), 5: (50, 45, range(8, 28))}  # the first is lowest where the second rests
    tracks = [[(0, FOUR)]]
    for channel, (program, pitch, beats) in (quarters | {0: (33, 40, range(28)), 1: (25, 60, range(28))}).items():
        events = [(0, mido.Message("program_change", program=program, channel=channel))]
        tracks.append(events + [one for beat in beats for one in note(96 * beat, 96 * beat + 96, pitch, channel)])
    tracks.append([one for beat in range(28) for one in note(96 * beat, 96 * beat + 24, 36, 9)])
    source = midi.read(save(tmp_path / "two.mid", tracks))
    assert source.instruments[rewrite.heard(source, SOUND)[3]].program == 50


def test_two_windows_and_rests_at_the_end(tmp_path):
    """A window that ends in rests leaves the file as long as it was; two beside each other are both played."""
    path = own_file(tmp_path / "own.mid", bars=4, parts=HEARD)
    silent = np.full((32, 4), HOLD)
    silent[0] = midi.SILENT
    before, after, written = edited(path, {0: answer(1), 1: silent})
    assert after.get_end_time() == before.get_end_time()
    assert not [n for i in after.instruments for n in notes_of(i, after) if n[0] >= 2 * BAR]
    assert (tool.read(written, SOUND, 2).tokens[:9, 1:] == answer(1)[:9, 1:]).all()


def test_a_file_that_does_not_say_where_bars_begin_is_refused(tmp_path):
    path = own_file(tmp_path / "own.mid")
    song = tool.read(path, SOUND, 2)
    file = mido.MidiFile(path)
    file.tracks[0][:] = [m for m in file.tracks[0] if m.type != "time_signature"]
    file.save(path)
    with pytest.raises(midi.MidiError, match="no time signature; set 4/4"):
        rewrite.rewritten(song, {}, SOUND)


def test_four_files_are_written(tmp_path):
    song = tool.read(own_file(tmp_path / "own.mid"), SOUND, 2)
    written = rewrite.save(song, {1: answer()}, SOUND, tmp_path / "new" / "own 2.0-toward-jazz", "own towards jazz")
    assert [path.name for path in written] == [f"own 2.0-toward-jazz.{e}" for e in ("mid", "wav", "png", "npz")]
    assert all(path.stat().st_size > 0 for path in written)
    rolls = {track.name: track.pianoroll for track in __import__("pypianoroll").load(str(written[3])).tracks}
    assert np.flatnonzero(rolls["drums"][32]).tolist() == [35] and rolls["drums"].shape == (len(song.tokens), 128)


def test_steps_of_a_file_without_a_metre_begin_where_its_grid_does(tmp_path):
    """The program takes such a file: pypianoroll's grid begins at the beat that pretty_midi estimates, ours at 0."""
    events = [e for beat in range(1, 17) for e in note(96 * beat, 96 * beat + 90, 40 + beat % 5)]
    path = save(tmp_path / "own.mid", [[(0, mido.MetaMessage("set_tempo", tempo=400_000))], events])
    start = pretty_midi.PrettyMIDI(str(path)).estimate_beat_start()
    assert start > 0
    np.testing.assert_allclose(rewrite.step_times(path, PAPER, 32), start + 0.1 * np.arange(33))
    np.testing.assert_allclose(rewrite.step_times(path, SOUND, 32), 0.1 * np.arange(33))
