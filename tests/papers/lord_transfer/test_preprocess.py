"""Spectrograms, cutting at silences, what is rejected and why (dossier section 8: T18-T21, T29, T30)."""

import dataclasses
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from common import corpora
from papers.lord_transfer import preprocess, sound
from papers.lord_transfer.config import Config

PAPER = Config()
SMALL = dataclasses.replace(PAPER, data_set="folder", hop=2048, bands=32, frames=16)


def tone(samples=65_536, rate=22_050, pitch=220.0):
    time = np.arange(samples) / rate
    wave = sum(np.sin(2 * np.pi * pitch * h * time) / h for h in range(1, 9))
    return (wave / np.abs(wave).max()).astype(np.float32)


@pytest.mark.parametrize(("samples", "frames"), [(661_500, 1292), (65_536, 129)])
def test_frame_counts(samples, frames):
    noise = np.random.default_rng(0).normal(size=samples).astype(np.float32)
    assert preprocess.spectrogram(noise, PAPER)[0].shape == (128, frames)


def test_mel_bank_and_its_pseudo_inverse():
    bank = preprocess.mel_bank(22_050, 2048, 128)
    sums, inverse = bank.sum(axis=1), sound.pseudo_inverse(22_050, 2048, 128)
    assert bank.shape == (128, 1025) and np.linalg.matrix_rank(bank) == 128
    assert 0.0895 < sums.min() and sums.max() < 0.0965
    assert np.abs(bank @ inverse - np.eye(128)).max() < 1e-5
    assert 0.49 < (inverse < 0).mean() < 0.50


def test_harmonic_tone():
    image, reference = preprocess.spectrogram(tone(), PAPER)
    assert reference == pytest.approx(2863.41, rel=1e-3)
    assert image.mean() == pytest.approx(0.20497, abs=1e-3)
    assert image.min() == 0 and image.max() == 1 and image.dtype == np.float32


def test_decibels_and_power_are_inverses():
    image, reference = preprocess.spectrogram(tone(), PAPER)
    power = sound.mel_power(image, reference, PAPER)
    again = 10 * np.log10(power / reference) / 80 + 1
    np.testing.assert_allclose(again[image > 0], image[image > 0], atol=1e-5)


def test_phase_channels_of_a_known_angle():
    noise = np.random.default_rng(0).normal(size=22_050).astype(np.float32)
    image, _ = preprocess.spectrogram(noise, PAPER, phase=True)
    assert image.shape == (384, 44) and 0 <= image.min() and image.max() <= 1
    flipped, _ = preprocess.spectrogram(-noise, PAPER, phase=True)  # phase moves by pi: cosine, sine change sign
    np.testing.assert_allclose(flipped[:128], image[:128], atol=1e-5)
    np.testing.assert_allclose(flipped[128:] - 0.5, 0.5 - image[128:], atol=1e-4)


def test_silence_is_refused():
    with pytest.raises(ValueError, match="silent"):
        preprocess.spectrogram(np.zeros(65_536), PAPER)


def test_recordings_are_cut_at_silences():
    parts = [tone(60_000), np.zeros(22_050), tone(40_000), np.zeros(22_050), tone(9_000), np.zeros(22_050)]
    stretches = preprocess.sounding_stretches(np.concatenate(parts).astype(np.float32), SMALL)
    assert len(stretches) == 2  # the third tone is shorter than one window
    assert abs(stretches[0][1] - 60_000) < 3000 and abs(stretches[1][0] - 82_050) < 3000


def write_folder(root: Path):
    """Two classes of four recordings, and one of every bad file."""
    for kind, pitch in (("low", 110.0), ("high", 880.0)):
        (root / kind).mkdir(parents=True)
        for number in range(4):
            wave = tone(5 * 22_050, pitch=pitch * 2 ** (number / 12))
            soundfile.write(root / kind / f"{number}.wav", np.stack([wave, 0.5 * wave], axis=1), 22_050)
    (root / "low" / "text.wav").write_text("this is no recording")
    (root / "low" / "empty.wav").write_bytes(b"")
    soundfile.write(root / "high" / "silent.wav", np.zeros(5 * 22_050), 22_050)
    soundfile.write(root / "high" / "short.wav", tone(4000), 22_050)
    whole = (root / "low" / "0.wav").read_bytes()
    (root / "high" / "cut.wav").write_bytes(whole[:len(whole) // 20])
    return root


def test_bad_files_are_listed_with_reasons_and_the_others_go_on(tmp_path):
    root = write_folder(tmp_path / "data")
    held = preprocess.preprocess(SMALL, root, "smoke", tmp_path / "stores")
    good = {row["group"] for row in held.index}
    assert len(good) == 8 and len(held.array("reference")) == len(held.index)
    reasons = {Path(row["path"]).name: row["reason"] for row in held.rejected}
    assert {"text.wav", "empty.wav", "silent.wav", "short.wav", "cut.wav"} <= set(reasons)
    assert "shorter than one window of 1.49 s" in reasons["short.wav"] and "empty" in reasons["empty.wav"]
    before = (held.directory / "store.json").stat().st_mtime_ns
    again = preprocess.preprocess(SMALL, root, "smoke", tmp_path / "stores")
    assert again.directory == held.directory and (again.directory / "store.json").stat().st_mtime_ns == before


@pytest.mark.parametrize(("data_set", "changes", "frames", "channels"), [
    ("medley_solos_db", {}, 129, 1), ("fma_medium", {}, 1292, 1), ("fma_medium", {"phase": "angle"}, 1292, 3),
    ("fma_medium", {"ablations": True}, 1292, 3), ("medley_solos_db", {"ablations": True}, 129, 1),
    ("folder", {}, 25839, 1)])
def test_the_room_asked_for_is_that_of_the_images(data_set, changes, frames, channels, tmp_path, monkeypatch):
    """float32 of 128 bands; a Medley clip has 129 frames, 30 s 1292, ten minutes 25,839; no other genres."""
    config = dataclasses.replace(PAPER, data_set=data_set, genre_pairs="Rock-Folk", **changes)
    items = [SimpleNamespace(label=label) for label in ("Rock", "Folk", "Jazz")]
    corpus = SimpleNamespace(items=items, labels=["Rock", "Folk", "Jazz"])
    monkeypatch.setattr(preprocess.demo, "find", lambda *words, **more: corpus)
    asked = {}
    monkeypatch.setattr(preprocess.store, "prepare", lambda *words, **more: asked.update(more))
    preprocess.preprocess(config, None, "full", tmp_path)
    wanted = 2 if data_set == "fma_medium" else 3
    assert asked["bytes_needed"] == wanted * frames * 128 * 4 * channels


def test_a_folder_that_is_not_there_gets_one_line(tmp_path):
    with pytest.raises(corpora.DataError) as caught:
        preprocess.preprocess(SMALL, tmp_path / "nowhere", "smoke", tmp_path / "stores")
    assert "nowhere" in str(caught.value) and "\n" not in str(caught.value)


MEDLEY = {"clarinet": 1311, "distorted electric guitar": 1854, "female singer": 1744, "flute": 3555, "piano": 6032,
          "tenor saxophone": 477, "trumpet": 627, "violin": 5971}
FMA = {"Instrumental": 1350, "Pop": 1186, "Classical": 619, "Rock": 7103, "Folk": 1519}


@pytest.mark.needs_data("medley_solos_db")
def test_published_medley_counts():
    corpus = corpora.find(Path(os.environ["ENCORE_DATA"]), "medley_solos_db")
    assert corpus.counts() == MEDLEY
    assert sum(item.label == "violin" and item.split == "test" for item in corpus.items) == 2900


@pytest.mark.needs_data("fma_medium")
def test_published_fma_counts():
    counts = corpora.find(Path(os.environ["ENCORE_DATA"]), "fma_medium").counts()
    assert all(abs(counts[genre] - wanted) <= 3 for genre, wanted in FMA.items())  # three clips hold no audio


def test_what_is_exactly_as_long_as_a_window_is_kept(monkeypatch):
    import librosa

    shortest = (SMALL.frames - 1) * SMALL.hop
    given = [(0, shortest - 1), (40_000, 40_000 + shortest), (90_000, 90_001 + shortest)]
    monkeypatch.setattr(librosa.effects, "split", lambda *words, **more: given)
    assert preprocess.sounding_stretches(np.zeros(9), SMALL) == given[1:]


@pytest.mark.parametrize("split", ["training", None])
def test_the_official_split_of_an_item_is_in_the_index(split, monkeypatch):
    rows, image = [], np.zeros((4, 5), np.float32)
    writer = SimpleNamespace(image=lambda *words: "a.exr", row=lambda **columns: rows.append(columns), facts={},
                             array=lambda *words: None, reject=None)
    monkeypatch.setattr(preprocess, "_images", lambda item, config: ([(0, image, 1.0)], ""))
    monkeypatch.setattr(preprocess, "_notes", lambda items: {})
    item = SimpleNamespace(id="a", path="a.wav", group="g", label="piano", split=split)
    preprocess._build(PAPER, [item], ["piano"], writer)
    assert rows == [{"item": "a", "group": "g", "label": "piano", "split": split or "", "frames": 5, "path": "a.exr",
                     "offset": 0}]
