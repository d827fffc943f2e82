"""The four tools with networks replaced by arithmetic: what is read, decoded, written, and said."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import mido
import numpy as np
import pytest

from common import midi
from common.config import resolve
from papers.musae import (
    config as configuration,
    edit,
    embed,
    inference,
    interpolate,
    prior,
    reconstruct,
    rewrite,
    sample,
    tool,
)
from tests.common.test_midi import note, save
from tests.papers.musae.test_preprocess import FOUR, song as four_tracks
from tests.papers.musae.toy import ToyStore, settings


def song(name, pitch, bars, windows, faults=None, tempo=120.0):
    """A song whose tokens are `pitch` plus the number of its window, and one less in the base of each first step."""
    steps = 16 * bars
    tokens = pitch + np.arange(windows).repeat(steps)[:, None] + np.zeros((1, 4), int)
    return tool.Song(Path(name), tokens, tokens - 1, tempo, bars, faults or {})


STEPS = {"2bar-gaussian": 32, "16bar-flower": 256}


@pytest.fixture
def said(monkeypatch, tmp_path, capsys):
    """What was written, with its title and tempo; codes are the first step's tokens, answers the code everywhere."""
    config = dataclasses.replace(settings("paper"), petals=4, genres=4, latent=4)
    seen = SimpleNamespace(config=config, written={}, songs={}, asked=[], out=lambda: capsys.readouterr().out)
    monkeypatch.setattr(tool, "open_run", lambda *_: (SimpleNamespace(config=config), ToyStore()))
    monkeypatch.setattr(tool, "learner", lambda run, store, name: seen.asked.append(name) or STEPS[name])
    monkeypatch.setattr(tool, "read", lambda path, config, bars: seen.songs[path, bars])
    monkeypatch.setattr(tool, "save", lambda tokens, config, path, title, tempo: seen.written.update(
        {path.name: (np.asarray(tokens), title, tempo)}))
    monkeypatch.setattr(rewrite, "save", lambda song, answers, config, path, title: seen.written.update(
        {path.name: (answers, title, song.tempo)}) or [path])
    monkeypatch.setattr(inference, "encode", lambda steps, tokens: tokens[:, 0].astype(np.float32))
    monkeypatch.setattr(inference, "decode_tokens", lambda steps, z: np.repeat(np.rint(z)[:, None], steps, axis=1))
    return seen


def test_an_interpolation_begins_with_the_first_song_and_ends_with_the_second(said, tmp_path):
    said.songs = {("a", 2): song("a", 11, 2, 3, tempo=100.0), ("b", 2): song("b", 31, 2, 2, tempo=140.0)}
    interpolate.interpolate(interpolate.Options("a", "b", steps=5, output=tmp_path))
    tokens, title, tempo = said.written["a-to-b"]
    assert tokens.shape == (5 * 32, 4) and tokens[::32, 0].tolist() == [10, 15, 20, 25, 30] and tempo == 120.0
    assert title == "a to b" and said.asked == ["2bar-gaussian"]
    lines = said.out().splitlines()  # the windows themselves begin at 10 and 30 and go on with 11 and 31
    assert lines[:2] == ["a: bars 1 and 2", "b: bars 1 and 2"]
    assert lines[2] == "alpha 0.00: distance to the first 0.97, to the second 1.00"
    assert lines[-1] == "alpha 1.00: distance to the first 1.00, to the second 0.97" and len(lines) == 7
    interpolate.interpolate(interpolate.Options("a", "b", steps=2, window=1, output=tmp_path))
    assert said.written["a-to-b"][0][::32, 0].tolist() == [11, 31] and "bars 3 and 4" in said.out()


def test_an_interpolation_says_what_it_cannot_do(said, tmp_path):
    said.songs = {("a", 2): song("a", 11, 2, 3), ("b", 2): song("b", 31, 2, 3, faults={0: "silent"})}
    with pytest.raises(midi.MidiError, match="two are the least"):
        interpolate.interpolate(interpolate.Options("a", "b", steps=1))
    with pytest.raises(midi.MidiError, match="--window 2, but 2 windows fit"):
        interpolate.interpolate(interpolate.Options("a", "b", window=2))
    interpolate.interpolate(interpolate.Options("a", "b", steps=2, output=tmp_path))
    assert said.written["a-to-b"][0][::32, 0].tolist() == [10, 31]  # of the second song the first window that fits
    assert "bars 1 and 2" in (out := said.out()) and "bars 3 and 4" in out


def test_a_reconstruction_leaves_bars_that_do_not_fit(said, tmp_path):
    said.songs = {("a", 2): song("a", 11, 2, 3, faults={1: "silent"}, tempo=90.0)}
    said.songs["a", 2].tokens[5, 0] = 10  # one drum token that the answer has right, beside the first step's
    reconstruct.reconstruct(reconstruct.Options("a", output=tmp_path))
    tokens, title, tempo = said.written["a-reconstruction"]
    assert tokens[::32, 0].tolist() == [10, 12, 12] and tokens[:, 1].tolist() == [10] * 32 + [12] * 64
    assert (title, tempo, said.asked) == ("a, reconstructed", 90.0, ["2bar-gaussian"])
    assert said.out() == "2 windows of two bars; tokens right: drums 5%, bass 3%, guitar 3%, strings 3%\n"
    assert said.songs["a", 2].tokens[0, 1] == 11  # what was read stays as it was


def test_an_edit_writes_what_the_moved_codes_decode_to(said, tmp_path):
    """Codes 10 and 12 in the plane of the circle, drawn half way to a petal on it; the rest of the code stays."""
    said.songs = {("a", 16): song("a", 11, 16, 3, faults={1: "silent"})}
    edit.edit(edit.Options("a", "genre 2", amount=0.5, output=tmp_path))
    target = prior.petal_mean(4, 2)[ToyStore().arrays["placement"][2]]
    answers, title, _ = said.written["a-toward-genre-2"]
    for window, code in ((0, 10), (2, 12)):
        assert answers[window].shape == (256, 4)
        assert (answers[window] == [*np.rint(0.5 * (code + target)), code, code]).all()
    assert list(answers) == [0, 2] and said.asked == ["16bar-flower"] and title == "a towards genre 2"
    assert said.out() == (f"2 windows of sixteen bars moved towards genre 2; 50.0% of decoded tokens change\n"
                          f"{tmp_path / 'a-toward-genre-2'}\n")  # fmt: skip


def test_embeddings_are_the_codes_of_the_bars_that_fit(said, monkeypatch):
    """Seconds are those of the step with which a window begins, 0.1 s each from 0.3 s on."""
    said.songs = {("a", 2): song("a", 11, 2, 3, faults={1: "silent"}, tempo=96.0), ("a", 16): song("a", 21, 16, 1),
                  ("b", 2): song("b", 11, 2, 1, faults={0: "silent"})}  # fmt: skip
    monkeypatch.setattr(rewrite, "step_times", lambda path, config, steps: 0.3 + 0.1 * np.arange(steps + 1))
    encode = embed.encoder(embed.Options(()))
    assert [(round(seconds, 9), code.tolist()) for seconds, code in encode("a")] == [(0.3, [10] * 4), (6.7, [12] * 4)]
    with pytest.raises(midi.MidiError, match="no 2 bars in which all four tracks play"):
        encode("b")
    long = embed.encoder(embed.Options((), model="16bar-flower"))
    assert [(seconds, code.tolist()) for seconds, code in long("a")] == [(0.3, [20] * 4)]
    assert said.asked == ["2bar-gaussian", "16bar-flower"]
    few = SimpleNamespace(config=dataclasses.replace(said.config, models=("2bar-gaussian",)), directory="run")
    monkeypatch.setattr(tool, "open_run", lambda *_: (few, None))
    with pytest.raises(ValueError, match="--model 16bar-flower: run has 2bar-gaussian"):
        embed.encoder(embed.Options((), model="16bar-flower"))


def test_embeddings_say_when_their_bars_begin_where_the_tempo_changes(tmp_path, monkeypatch):
    """Two bars at 60 quarter notes a minute last eight seconds, all others, at 180, a third of that."""
    monkeypatch.setattr(inference, "encode", lambda learner, tokens: tokens[:, 0].astype(np.float32))
    slow, fast = (mido.MetaMessage("set_tempo", tempo=tempo) for tempo in (1_000_000, 333_333))
    path = four_tracks(tmp_path / "song.mid", bars=8, metres=[(0, FOUR), (0, slow), (8 * 96, fast)])
    for mode in ("sound", "paper"):
        found = embed.codes(None, resolve(configuration, mode, "smoke"), 2, path)
        assert [seconds for seconds, _ in found] == pytest.approx([0, 8, 32 / 3, 40 / 3], abs=1e-4), mode
        assert all(type(seconds) is float for seconds, _ in found)


def test_samples_are_named_and_said(said, tmp_path):
    sample.sample(sample.Options(genre="genre 1", count=2, output=tmp_path, tempo=99.0))
    sample.sample(sample.Options(count=1, output=tmp_path))
    titles = {name: (title, tempo) for name, (_, title, tempo) in said.written.items()}
    assert titles == {"sample-genre-1-1": ("genre 1, sample 1", 99.0), "sample-genre-1-2": ("genre 1, sample 2", 99.0),
                      "sample-any-1": ("any genre, sample 1", 120.0)}  # fmt: skip
    rule = SimpleNamespace(config=dataclasses.replace(said.config, placement="frequency"))
    assert [sample.genre_petal(f"genre {k}", rule, ToyStore()) for k in range(4)] == [0, 1, 2, 3]
    with pytest.raises(midi.MidiError, match="this run knows genre 0, genre 1"):
        sample.genre_petal("", rule, ToyStore())


def test_windows_of_a_song_begin_with_their_state():
    one = song("a", 11, 2, 4, faults={2: "silent"})
    windows, numbers = one.windows()
    assert numbers == [0, 1, 3] and windows[:, 0, 0].tolist() == [10, 11, 13] and windows[:, 1:, 0].tolist() == [
        [11] * 31, [12] * 31, [14] * 31]  # fmt: skip
    assert one.tokens[0, 0] == 11


def test_of_each_class_the_part_with_most_notes_is_read(tmp_path):
    """Two guitars, one with a note a bar and one with four; 150 quarter notes a minute; a fifth bar without bass."""
    tracks = [[(0, FOUR), (0, mido.MetaMessage("set_tempo", tempo=400_000))]]
    for channel, (program, pitch, every) in enumerate([(33, 40, 1), (25, 60, 4), (25, 70, 1), (48, 50, 1)]):
        events = [(0, mido.Message("program_change", program=program, channel=channel))]
        for beat in range(0, 24, every):
            if not (channel == 0 and 16 <= beat < 21):
                events += note(96 * beat, 96 * (beat + every), pitch + beat % 2, channel)
        tracks.append(events)
    tracks.append([event for beat in range(24) for event in note(96 * beat, 96 * beat + 10, 36, 9)])
    path = save(tmp_path / "song.mid", tracks)
    found = tool.read(path, resolve(configuration, "sound", "smoke"), 2)
    assert found.tokens[:8, 2].tolist() == [70, 129, 129, 129, 71, 129, 129, 129]
    assert found.tempo == pytest.approx(150.0) and found.bars == 2 and found.tokens.shape[1] == 4
    assert list(found.faults) == [2] and found.faults[2].startswith("bass silent for more than")
