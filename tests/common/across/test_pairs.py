"""Pairs of a recording and its score: which belong together, what is measured, what is left out."""

import mido
import numpy as np
import pytest
import soundfile

from common import midi
from common.across import corpus
from common.corpora import contents
from common.demo import paired
from common.errors import DataError
from tests.common.test_midi import note, save

RATE = 8000


def write(root, name, level=0.5, tempo=120, pitches=(60, 64), seconds=3.0):
    """A sine at `level` (peak), and a score of one note a beat, the last half a beat long; drums beside it."""
    path = root / f"{name}.wav"
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, level * np.sin(np.arange(int(seconds * RATE)) * 0.3), RATE)
    head = [(0, mido.MetaMessage("set_tempo", tempo=round(6e7 / tempo)))]
    ends = [96 * k + 96 for k in range(len(pitches) - 1)] + [96 * len(pitches) - 48]
    notes = [event for k, pitch in enumerate(pitches) for event in note(96 * k, ends[k], pitch, 0)]
    save(path.with_suffix(".mid"), [head, notes, note(0, 48, 36, 9)])
    return path


def test_a_pair_is_a_recording_and_the_score_of_its_name(tmp_path):
    for name in ("rock/First - I", "rock/First - II", "jazz/Other", "jazz/First - I"):
        write(tmp_path, name)
    (tmp_path / "jazz" / "Other.mid").unlink()
    (tmp_path / "rock" / "First - I.mid").rename(tmp_path / "rock" / "Lonely.mid")
    write(tmp_path, "beside")
    pairs = corpus.read(tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in pairs.recordings] == ["jazz/First - I.wav",
                                                                                    "rock/First - II.wav"]
    assert [path.with_suffix(".wav") for path in pairs.scores] == pairs.recordings
    assert pairs.labels.tolist() == ["jazz", "rock"] and pairs.groups.tolist() == ["jazz/First", "rock/First"]
    assert {path.name: reason for path, reason in pairs.left_out} == {
        "beside.wav": "lies beside the class folders", "Other.wav": "no score of this name, or taken already",
        "First - I.wav": "no score of this name, or taken already", "Lonely.mid": "no recording of this name"}
    assert pairs.corpus.said == "files of your own" and not corpus.synthetic(pairs)
    before = pairs.corpus.fingerprint
    write(tmp_path, "rock/First - II", tempo=90)  # the score alone changes
    assert corpus.read(tmp_path).corpus.fingerprint != before


def test_loudness_is_measured_and_tempo_and_register_are_the_scores(tmp_path):
    path = write(tmp_path, "rock/a", level=0.1, tempo=90, pitches=(60, 72, 48, 48))
    found = corpus.measured(path, path.with_suffix(".mid"))
    assert found["loudness"] == pytest.approx(20 * np.log10(0.1 / np.sqrt(2)), abs=0.1)
    assert found["tempo"] == pytest.approx(90, abs=1e-3)
    assert found["register"] == pytest.approx((60 + 72 + 48 + 24) / 3.5)  # the last is half as long
    softer = write(tmp_path, "rock/b", level=0.01)
    below = corpus.measured(softer, softer.with_suffix(".mid"))["loudness"]
    assert found["loudness"] - below == pytest.approx(20, abs=0.1)


def test_what_cannot_be_used_is_left_out_with_its_reason(tmp_path):
    write(tmp_path, "rock/good")
    write(tmp_path, "rock/silent", level=0.0)
    drums = write(tmp_path, "rock/drums").with_suffix(".mid")
    save(drums, [[(0, mido.MetaMessage("set_tempo", tempo=500_000))], note(0, 48, 36, 9)])
    (tmp_path / "rock" / "text.wav").write_text("no recording")
    (tmp_path / "rock" / "text.mid").write_text("no score")
    left = {path.name: reason for path, reason in corpus.read(tmp_path).left_out}
    assert list(left) == ["drums.wav", "silent.wav", "text.wav"]
    assert left["silent.wav"] == "silent from beginning to end" and "no note with a pitch" in left["drums.wav"]


@pytest.mark.parametrize("make, words", [
    (lambda root: None, "no such folder; expected <class>/<work> - <part>.mp3"),
    (lambda root: root.mkdir(), "no usable pair in it; expected"),
    (lambda root: write(root, "rock/a").with_suffix(".mid").unlink(), "no usable pair in it .*a.wav: no score")])
def test_a_folder_without_pairs_is_refused_in_one_line(make, words, tmp_path):
    make(tmp_path / "folder")
    with pytest.raises(DataError, match=words) as error:
        corpus.read(tmp_path / "folder")
    assert "\n" not in str(error.value)


def test_a_roll_holds_what_sounds_in_two_bars(tmp_path):
    path = write(tmp_path, "rock/a", pitches=(60, 64, 67, 60, 60, 60, 60, 60, 72)).with_suffix(".mid")
    found = corpus.roll_clips(path).reshape(-1, 256, 32)
    assert len(found) == 1  # the ninth beat fills no second clip
    assert np.flatnonzero(found[0].any(axis=1)).tolist() == [60, 64, 67, 128 + 36]
    assert np.flatnonzero(found[0, 64]).tolist() == [4, 5, 6, 7] and np.flatnonzero(found[0, 164]).tolist() == [0]
    short = corpus.roll_clips(write(tmp_path, "rock/b").with_suffix(".mid")).reshape(-1, 256, 32)
    assert len(short) == 1 and np.flatnonzero(short[0, 64]).tolist() == [4, 5]
    assert midi.read(path).resolution == 96


def test_of_a_long_piece_all_clips_make_the_mean_and_some_the_axes(tmp_path, monkeypatch):
    for name in ("rock/a", "rock/b", "rock/c"):
        write(tmp_path, name)
    clips = {"a": np.zeros((1, 2)), "b": np.ones((1, 2)), "c": np.arange(80.0).reshape(40, 2) ** 2}
    monkeypatch.setattr(corpus, "mel_clips", lambda path: clips[path.stem])
    monkeypatch.setattr(corpus, "roll_clips", lambda path: -clips[path.stem])
    pairs, used = corpus.read(tmp_path), np.array([0, 2])
    found = corpus.plain(pairs, used, "recordings")
    assert found.means.tolist() == [[0.0, 0.0], [2054.0, 2133.0]] and found.pieces.tolist() == [0] + [1] * 16
    assert found.clips[1].tolist() == [0.0, 1.0] and found.clips[-1].tolist() == [78.0**2, 79.0**2]
    assert corpus.plain(pairs, used, "scores").means.tolist() == [[0.0, 0.0], [-2054.0, -2133.0]]


def test_mel_clips_are_of_two_seconds_and_keep_the_level(tmp_path):
    loud, soft = (corpus.mel_clips(write(tmp_path, f"rock/{level}", level=level, seconds=5.0)) for level in (0.5, 0.05))
    assert loud.shape == soft.shape == (2, 48 * 64)
    assert loud.max() - soft.max() == pytest.approx(20, abs=0.1) and soft.min() == 0.0


def test_the_demo_writes_pairs_that_a_reader_of_scores_can_use(tmp_path):
    job = paired.write(tmp_path, "smoke", False, 0)[0]
    job.path.parent.mkdir(parents=True)
    job.make(job.path, *job.arguments[:3], 5 * paired.SAMPLE_RATE, mark=contents.mark("paired", 0, False))
    pairs = corpus.read(tmp_path)
    assert corpus.synthetic(pairs) and pairs.groups.tolist() == ["rock/artist 01"]
    for name in paired.NAMES["demo"]:
        for number in range(20):
            style = paired.artist(name, [0, 6, number])
            assert all(min(part) < 32 for part in style.chords) and style.sustained_share == 1.0 and all(style.drums)
            assert all({*part} & {*range(32, 40)} for part in style.bass) and min(map(min, style.sustained)) > 39
    song = midi.read(pairs.scores[0])
    programs = [part.program for part in song.instruments if not part.is_drum]
    assert any(part.is_drum for part in song.instruments) and any(32 <= one < 40 for one in programs)
    assert any(one < 32 for one in programs) and any(one >= 40 for one in programs)
    assert song.metres[:, 1:].tolist() == [[4, 4]]
    assert pairs.targets["tempo"][0] == pytest.approx(song.quarter_notes_per_minute)
