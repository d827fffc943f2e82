"""Filters of section 4.1, windows, splits and the store."""

import json
import subprocess
import sys
from pathlib import Path

import mido
import numpy as np
import pytest

from common import midi
from common.corpora import Corpus, Item
from common.errors import StoreError
from papers.musae import config, data, measures, preprocess
from papers.musae.tokens import HOLD, base_tokens
from tests.common.test_midi import note, save
from tests.papers.musae.toy import ToyStore

FOUR = mido.MetaMessage("time_signature")


def song(path, bars=20, programs=(33, 25, 48), drums=1, metres=((0, FOUR),), seed=0, gap=0):
    """A song of quarter notes on every track; `gap` silent steps in a row on the last one."""
    rng = np.random.default_rng(seed)
    tracks = [list(metres)]
    for channel, program in enumerate(programs):
        events = [(0, mido.Message("program_change", program=program, channel=channel))]
        for beat in range(bars * 4):
            if channel == len(programs) - 1 and gap and 16 <= 4 * beat < 16 + gap:
                continue
            events += note(96 * beat, 96 * beat + 96, int(rng.integers(40, 70)), channel)
        tracks.append(events)
    for number in range(drums):
        events = [e for beat in range(bars * 4) for e in note(96 * beat, 96 * beat + 10, 36 + number, 9)]
        tracks.append(events)
    return save(path, tracks)


@pytest.mark.parametrize(
    "metres, paper, program",
    [
        ([], False, True),
        ([(0, 4, 4)], True, True),
        ([(0, 4, 4), (96, 4, 4)], False, True),
        ([(0, 3, 4)], False, False),
    ],
)
def test_time_signature_rules(metres, paper, program):  # dossier A8
    assert (preprocess.time_signature_fault(metres, "one") is None) == paper
    assert (preprocess.time_signature_fault(metres, "any_4_4") is None) == program


def test_track_classes():  # dossier A9
    expected = {0: "guitar", 31: "guitar", 32: "bass", 39: "bass", 40: "strings", 127: "strings"}
    assert {p: preprocess.track_class(p, False) for p in expected} == expected
    assert preprocess.track_class(33, True) == "drums"


@pytest.mark.parametrize("run, limit, refused", [(16, 16, False), (17, 16, True), (16, 15, True), (15, 15, False)])
def test_silence_rule(run, limit, refused):  # dossier A7
    base = np.full(48, 60)
    base[5 : 5 + run] = 128
    assert preprocess.too_silent(base, 32, limit)[0] == refused


def test_silence_rule_against_counting():
    rng = np.random.default_rng(0)
    for _ in range(30):
        base = np.where(np.repeat(rng.random(40) < 0.5, 8), 128, 60)
        found = preprocess.too_silent(base, 64, 16)
        for window, begin in enumerate(range(0, len(base) - 63, 16)):
            longest = max(
                map(len, "".join("x" if b == 128 else " " for b in base[begin : begin + 64]).split()), default=0
            )
            assert found[window] == (longest > 16)


@pytest.mark.parametrize("length, windows", [(31, 0), (32, 1), (47, 1), (48, 2), (160, 9)])
def test_window_count(length, windows):  # dossier A12
    assert len(preprocess.too_silent(np.full(length, 60), 32, 16)) == windows


def test_cross_product_and_strings(tmp_path):  # dossier A10
    path = song(tmp_path / "song.mid", programs=(33, 0, 25, 31, 48, 60), drums=2)
    result = preprocess.process(path, "complete", "one", 16)
    assert result["counts"]["combinations"] == 6
    lines, _ = preprocess.file_lines(path, "complete")
    assert {name: len(found) for name, found in lines.items()} == {"drums": 2, "bass": 1, "guitar": 3, "strings": 1}


def test_a_file_of_too_many_combinations_is_dropped(tmp_path, monkeypatch):
    path = song(tmp_path / "song.mid", programs=(33, 0, 25, 31, 48, 60), drums=2)
    monkeypatch.setattr(preprocess, "MAX_WINDOWS", 6 * 20 - 1)  # six combinations of twenty bars
    result = preprocess.process(path, "complete", "one", 16)
    assert "combinations of tracks" in result["reason"] and result["by_rule"]
    monkeypatch.setattr(preprocess, "MAX_WINDOWS", 6 * 21)
    assert preprocess.process(path, "complete", "one", 16)["offset_2"].shape == (6 * 19, 4)


@pytest.mark.parametrize("quantiser, lost", [("pypianoroll", 3), ("complete", 0)])
def test_fast_repeated_notes_are_lost_on_one_grid_only(quantiser, lost, tmp_path):
    path = song(tmp_path / "song.mid")
    file = mido.MidiFile(path)
    for number, message in enumerate(file.tracks[1]):  # four sixteenths of one pitch for the first quarter note
        if message.type == "note_on":
            rest = [mido.Message(kind, note=50, channel=0, time=time) for kind, time in
                    [("note_on", 0), ("note_off", 24)] * 4]  # fmt: skip
            file.tracks[1][number : number + 2] = rest
            break
    file.save(path)
    plain = preprocess.process(song(tmp_path / "plain.mid"), quantiser, "one", 16)["counts"]
    counts = preprocess.process(path, quantiser, "one", 16)["counts"]
    assert counts["notes without an onset on the grid"] - plain["notes without an onset on the grid"] == lost


def test_merged_strings_are_the_lowest_pitch():
    def line(base, onset):
        return midi.Line(48, False, np.array(base), np.array(onset), 0, 0)

    base, onset = preprocess.merge([line([60, 60, 128], [1, 0, 0]), line([64, 55, 50], [1, 1, 1])])
    assert base.tolist() == [60, 55, 50] and onset.tolist() == [True, True, True]


@pytest.mark.parametrize(
    "keywords, reason",
    [
        ({"programs": (33, 25)}, "no strings"),
        ({"programs": (25, 48)}, "no bass"),
        ({"programs": (33, 48)}, "no guitar"),
        ({"drums": 0}, "no drums"),
        ({"metres": ()}, "no time signature"),
        ({"metres": ((0, mido.MetaMessage("time_signature", numerator=3)),)}, "other than 4/4"),
    ],
)
def test_dropped_files_say_why(keywords, reason, tmp_path):
    result = preprocess.process(song(tmp_path / "song.mid", **keywords), "pypianoroll", "one", 16)
    assert reason in result["reason"] and result["by_rule"]


def test_broken_file_is_one_reason(tmp_path):
    path = tmp_path / "no bass, no drums.mid"  # what is no MIDI is told by the error, not by its words
    path.write_bytes(b"MThd nothing")
    result = preprocess.process(path, "complete", "one", 16)
    assert "not a MIDI file" in result["reason"] and not result["by_rule"]


def corpus_of(tmp_path, count=4, **keywords):
    items = []
    for k in range(count):
        path = song(tmp_path / f"song {k}.mid", seed=k, **keywords)
        items.append(
            Item(f"song-{k}", path, "", f"song-{k}", artist=f"artist {k // 2}", facts={"terms": ["rock", f"t{k}"]})
        )
    return Corpus("folder", Path(tmp_path), "other", items)


def build(tmp_path, corpus, **changes):
    from dataclasses import replace

    settings = replace(config.Config(), **({"quantiser": "complete", "genres": 3} | changes))
    return settings, preprocess.preprocess(settings, None, "smoke", tmp_path / "stores", corpus=corpus)


def test_store_holds_windows_cut_as_tokenised(tmp_path):
    corpus = corpus_of(tmp_path)
    settings, store = build(tmp_path, corpus)
    windows = data.windows(store, 2)
    assert len(windows) == 4 * 19 and store.array("genres").tolist() == ["rock", "t0", "t1"]
    lines, _ = preprocess.file_lines(corpus.items[0].path, "complete")
    for track, name in enumerate(preprocess.CLASSES):
        base, onset = lines[name][0]
        np.testing.assert_array_equal(windows.cut([3])[0, :, track], base_tokens(base[48:80], onset[48:80]))
    assert (windows.read(np.arange(76))["tokens"][:, 0] != HOLD).all()
    again = preprocess.preprocess(settings, None, "smoke", tmp_path / "stores", corpus=corpus)
    assert again.directory == store.directory


def test_equal_windows_are_kept_once(tmp_path):
    song(tmp_path / "a.mid", seed=1)
    song(tmp_path / "b.mid", seed=1)
    items = [Item(n, tmp_path / f"{n}.mid", "", n) for n in ("a", "b")]
    corpus = Corpus("folder", tmp_path, "other", items)
    _, once = build(tmp_path, corpus)
    _, twice = build(tmp_path, corpus, deduplicate=False)
    assert len(data.windows(once, 2)) == 19 and len(data.windows(twice, 2)) == 38
    assert once.parameters["facts"]["counts"]["2-bar windows already seen"] == 19
    assert all(made.parameters["facts"]["counts"]["MIDI files, each counted once"] == 2 for made in (once, twice))


def test_a_song_with_one_window_of_its_own_is_kept_for_that(tmp_path):
    score = mido.MidiFile(song(tmp_path / "a.mid", seed=1))
    last = next(event for event in reversed(score.tracks[1]) if event.type == "note_on" and event.velocity)
    last.note = 39 if last.note > 40 else 71  # in bar 20
    score.save(tmp_path / "b.mid")
    items = [Item(n, tmp_path / f"{n}.mid", "", n) for n in ("a", "b")]
    _, store = build(tmp_path, Corpus("folder", tmp_path, "other", items))
    assert [len(data.windows(store, bars)) for bars in (2, 16)] == [19 + 1, 5 + 1]
    assert store.parameters["facts"]["counts"]["songs kept"] == 2


def test_interrupted_preprocessing_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(preprocess, "FILES_PER_PART", 2)
    corpus, done, real = corpus_of(tmp_path), [], preprocess._save_part

    def stop_after_first(path, results):
        if done:
            raise KeyboardInterrupt
        done.append(path)
        real(path, results)

    monkeypatch.setattr(preprocess, "_save_part", stop_after_first)
    with pytest.raises(KeyboardInterrupt):
        build(tmp_path, corpus)
    monkeypatch.setattr(preprocess, "_save_part", lambda path, results: done.append(path) or real(path, results))
    _, store = build(tmp_path, corpus)
    assert len(done) == 2 and len(store.index) == 4  # the first part was not processed again
    _, fresh = build(tmp_path / "other", corpus)
    for name in ("tokens", "offset_2", "tags"):
        np.testing.assert_array_equal(store.array(name), fresh.array(name))
    assert not list((tmp_path / "stores").glob(".musae*"))


def test_a_corpus_without_any_usable_file_says_so(tmp_path):
    with pytest.raises(StoreError, match="no file passes"):
        build(tmp_path, corpus_of(tmp_path, 2, drums=0))


def settings_with(split):
    from dataclasses import replace

    return replace(config.Config(), split=split)


def test_splits():  # dossier A31 and E1
    windows = data.windows(ToyStore(), 2)
    train, held_out = data.split(settings_with("window"), windows)
    assert len(held_out) == round(0.2 * len(windows)) and not set(train) & set(held_out)
    train, held_out = data.split(settings_with("artist"), windows)
    assert not set(windows.song[train]) & set(windows.song[held_out]) and len(held_out) > 0
    assert not set(windows.artist[windows.song[train]]) & set(windows.artist[windows.song[held_out]])
    train, held_out = data.split(settings_with("released"), windows)
    assert set(held_out) <= set(train) and len(train) + len(held_out) == len(windows)


def test_related_tags_become_neighbours():
    # Three groups of tags that songs share; within a group the petals follow each other round the circle.
    songs = [[0, 1], [1, 2], [0, 2], [3, 4], [4, 5], [3, 5], [6, 7], [7, 8], [6, 8]] * 3
    tags = np.zeros((len(songs), 9))
    for row, names in enumerate(songs):
        tags[row, names] = 1
    placement = preprocess.related_order(tags)
    assert sorted(placement) == list(range(9))
    for group in (range(3), range(3, 6), range(6, 9)):
        steps = np.diff(np.sort(placement[list(group)]))
        assert sorted(steps)[0] == 1 and (max(steps) == 1 or max(steps) == 7)


def test_baselines_by_hand():
    tokens = np.array([[[60, 129]], [[60, 128]], [[61, 129]]])
    assert measures.step_majority(tokens).tolist() == [[60, 129]]


@pytest.mark.slow
def test_damaged_files_cost_little_time_and_memory(tmp_path):
    """500 of them by three rules, in a process of their own, whose memory no other test has raised."""
    command = [sys.executable, "-m", "tests.papers.musae.mutated", str(tmp_path), "500"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    found = json.loads(done.stdout)
    assert found["seconds"] < 2 and found["megabytes"] < 200 and found["readable"] > 300, found
