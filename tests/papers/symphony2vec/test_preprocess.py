"""Recordings of many kinds go in, bad ones are listed with one clear line each, and the store holds what it says."""

import csv
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from common import audio, corpora
from common.config import resolve
from common.errors import StoreError
from papers.symphony2vec import config as settings, data, features, preprocess
from tests.papers.symphony2vec.toy import Store

ROOT = Path(__file__).resolve().parents[3]
CONFIG = resolve(settings, "paper", "smoke")


def tone(seconds, rate, channels=1, frequency=220.0):
    t = np.arange(int(seconds * rate)) / rate
    wave = 0.2 * np.sin(2 * np.pi * frequency * t) * (1 + 0.3 * np.sin(t))
    return np.float32(wave if channels == 1 else np.stack([wave, 0.5 * wave], axis=1))


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """Two composers in MP3, OGG, FLAC and WAV, mono and stereo, 44.1 and 48 kHz, with five files that are no good."""
    root = tmp_path_factory.mktemp("mixed")
    (root / "Brahms").mkdir()
    (root / "Haydn").mkdir()
    soundfile.write(root / "Brahms" / "Symphony No. 1 - I. a.mp3", tone(31, 44100, 2), 44100)
    soundfile.write(root / "Brahms" / "Symphony No. 2 - I. b.ogg", tone(31, 48000), 48000)
    soundfile.write(root / "Haydn" / "Symphony No. 93 - I. c.flac", tone(31, 48000, 2, 330), 48000)
    soundfile.write(root / "Haydn" / "Symphony No. 94 - I. d.wav", tone(31, 22050, 1, 330), 22050)
    (root / "Haydn" / "text.mp3").write_text("not music at all")
    (root / "Haydn" / "empty.wav").write_bytes(b"")
    soundfile.write(root / "Haydn" / "short.wav", tone(6, 22050), 22050)
    soundfile.write(root / "Haydn" / "silent.wav", np.zeros(12 * 22050, np.float32), 22050)
    broken = tone(12, 22050)
    broken[1000] = np.nan
    soundfile.write(root / "Haydn" / "not a number.wav", broken, 22050, subtype="FLOAT")
    return root


@pytest.fixture(scope="module")
def store(mixed, tmp_path_factory):
    return preprocess.preprocess(CONFIG, mixed, "smoke", tmp_path_factory.mktemp("stores"))


def test_every_format_gives_clips(store):
    clips = {}
    for row in store.index:
        clips.setdefault(Path(row["path"]).suffix, []).append(row)
    assert {suffix: len(rows) for suffix, rows in clips.items()} == {".mp3": 3, ".ogg": 3, ".flac": 3, ".wav": 3}
    assert [row["label"] for row in store.index] == ["Brahms"] * 6 + ["Haydn"] * 6
    assert len({row["group"] for row in store.index}) == 4 and {row["frames"] for row in store.index} == {431}
    assert [row["offset"] for row in store.index[:3]] == [0, 220500, 441000]
    for name, bands in (("chroma", 12), ("mfcc", 13), ("mel", 64)):
        assert store.array(name).shape == (12, bands, 431) and store.array(name).dtype == np.float32
        assert np.isfinite(store.array(name)).all()


def test_formats_agree_on_the_same_tone(store):
    # 220 Hz is an A: chroma bin 9, counted from C; 330 Hz an E: bin 4.
    chroma = np.asarray(store.array("chroma")).mean(axis=2)
    assert chroma[:6].argmax(axis=1).tolist() == [9] * 6
    assert chroma[6:].argmax(axis=1).tolist() == [4] * 6


def test_bad_files_are_listed_with_a_reason(store):
    reasons = {Path(row["path"]).name: row["reason"] for row in store.rejected}
    assert set(reasons) == {"text.mp3", "empty.wav", "short.wav", "silent.wav", "not a number.wav"}
    assert "6.0 s long, shorter than one clip of 10 s" in reasons["short.wav"]
    assert "silence" in reasons["silent.wav"]
    assert "not finite" in reasons["not a number.wav"]
    assert all("\n" not in reason for reason in reasons.values())
    with open(store.directory / "rejected.csv", newline="", encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 5


def test_a_second_call_reads_what_is_there(store, mixed):
    before = (store.directory / "store.json").stat().st_mtime_ns
    again = preprocess.preprocess(CONFIG, mixed, "smoke", store.directory.parents[1])
    assert again.directory == store.directory
    assert (store.directory / "store.json").stat().st_mtime_ns == before


def test_works_do_not_cross_the_split(store):
    selection = data.select(resolve(settings, "sound", "smoke"), store)
    assert not set(selection.works[selection.train]) & set(selection.works[selection.test])
    assert selection.groups == 2


def test_no_usable_recording(tmp_path):
    (tmp_path / "in" / "Brahms").mkdir(parents=True)
    (tmp_path / "in" / "Haydn").mkdir()
    for name in ("Brahms", "Haydn"):
        soundfile.write(tmp_path / "in" / name / "a.wav", tone(2, 22050), 22050)
    with pytest.raises(StoreError, match="nothing usable"):
        preprocess.preprocess(CONFIG, tmp_path / "in", "smoke", tmp_path / "stores")
    assert not list((tmp_path / "stores").glob("*/symphony2vec-*"))


def test_single_composer_is_refused(tmp_path):
    (tmp_path / "in" / "Brahms").mkdir(parents=True)
    soundfile.write(tmp_path / "in" / "Brahms" / "a.wav", tone(40, 22050), 22050)
    with pytest.raises((corpora.DataError, data.SplitError)):
        data.select(CONFIG, preprocess.preprocess(CONFIG, tmp_path / "in", "smoke", tmp_path / "stores"))


def test_parts_of_the_program_with_one_composer_are_refused():
    # The draws of 18 clips, cut into five parts and joined in three: the last part has two of them.
    store = Store(composers=2, works=1, clips=10)
    with pytest.raises(data.SplitError, match="all by one composer; add recordings"):
        data.select(resolve(settings, "code", "smoke"), store)


class Written:
    """A store's writer that keeps what it is given."""

    def __init__(self):
        self.rows, self.arrays, self.left_out = [], {}, []

    @property
    def count(self):
        return len(self.rows)

    def row(self, **columns):
        self.rows.append(columns)

    def array(self, name, values):
        self.arrays[name] = values

    def reject(self, path, reason):
        self.left_out.append((path, reason))


@pytest.mark.parametrize("split, kept", [("test", "test"), (None, "")])
def test_clips_of_a_recording_keep_its_work_its_split_and_their_place(split, kept, monkeypatch):
    images = {name: np.random.default_rng(bands).normal(size=(2, bands, 431)).astype("float32")
              for name, bands in (("chroma", 12), ("mfcc", 13), ("mel", 64))}  # fmt: skip
    monkeypatch.setattr(preprocess, "recording_features", lambda path, config: images)
    item = SimpleNamespace(id="a", group="a work", label="Brahms", split=split, path=Path("a.wav"))
    written = Written()
    preprocess._build(written, SimpleNamespace(items=[item]), CONFIG)
    shared = {"group": "a work", "label": "Brahms", "split": kept, "frames": 431, "path": Path("a.wav")}
    assert written.rows == [{"item": "a.000", "offset": 0} | shared, {"item": "a.001", "offset": 220500} | shared]
    for name, values in images.items():
        np.testing.assert_array_equal(written.arrays[name], values)
        by_hand = [[np.mean(np.float64(one)), np.mean(np.float64(one) ** 2)] for one in values]
        np.testing.assert_allclose(written.arrays[f"{name}_moments"], by_hand)


def test_a_recording_that_is_no_good_is_left_out_with_its_reason(monkeypatch):
    def fails(path, config):
        raise ValueError(f"{path}: nothing but silence")

    monkeypatch.setattr(preprocess, "recording_features", fails)
    written = Written()
    item = SimpleNamespace(id="a", group="", label="Brahms", split=None, path=Path("a.wav"))
    preprocess._build(written, SimpleNamespace(items=[item]), CONFIG)
    assert written.left_out == [(Path("a.wav"), "nothing but silence")] and not written.arrays and not written.rows


@pytest.mark.parametrize("layouts, name", [
    ([], "orchestral"), (["folder"], "folder"), (["orchestral", "folder"], "orchestral"),
    (["orchestral"], "orchestral"), (["folder", "scores"], "folder"), (["scores"], "orchestral")])  # fmt: skip
def test_a_place_is_read_by_its_layout(layouts, name, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(corpora, "recognise", lambda place: [(layout, "") for layout in layouts])
    monkeypatch.setattr(preprocess.demo, "find", lambda *inputs: asked.append(inputs))
    preprocess.find_corpus(tmp_path, "smoke", False)
    preprocess.find_corpus(tmp_path / "nowhere", "smoke", False)  # said of the data set that was asked for
    preprocess.find_corpus(None, "demo", True)
    assert asked == [(tmp_path, name, "smoke", False), (tmp_path / "nowhere", "orchestral", "smoke", False),
                     (None, "orchestral", "demo", True)]  # fmt: skip


def test_of_a_truncated_recording_what_can_be_read_is_used(monkeypatch, capsys):
    samples = np.random.default_rng(0).normal(size=(25 * 22050,)).astype("float32")
    monkeypatch.setattr(features, "clip_features",
                        lambda clip, *sizes: dict.fromkeys(settings.REPRESENTATIONS, clip))  # fmt: skip
    monkeypatch.setattr(audio, "read", lambda path, duration, mono: (samples, 22050, 2 * len(samples), ""))
    found = preprocess.recording_features(Path("a.mp3"), CONFIG)
    np.testing.assert_array_equal(found["mel"], samples[: 20 * 22050].reshape(2, -1))  # two clips of ten seconds
    assert "note: a.mp3: truncated" in capsys.readouterr().err


def test_missing_file_is_one_line():
    with pytest.raises(audio.AudioError, match="no such file"):
        preprocess.recording_features(Path("nowhere.mp3"), CONFIG)


@pytest.mark.slow
@pytest.mark.parametrize(
    "words, message",
    [
        (["embed", "nowhere.mp3", "--run", "nowhere"], "no complete run"),
        (["interpolate", "--run", "nowhere"], "make reproduce-symphony2vec"),
        (["preprocess", "--data", "nowhere"], "nowhere"),
        (["train", "--model", "alo-128"], "choose one of"),
    ],
)
def test_scripts_say_what_is_wrong_in_one_line(words, message, tmp_path):
    done = subprocess.run([sys.executable, "-m", f"papers.symphony2vec.{words[0]}", *words[1:]], cwd=ROOT, text=True,
                          capture_output=True)  # fmt: skip
    lines = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    assert done.returncode == 2 and len(lines) == 1 and message in lines[0]
    assert "Traceback" not in done.stderr
