"""From recordings to the store: what is taken, what a row says, what is asked of the disk; and who is tested on it."""

import dataclasses

import numpy as np
import pytest
import soundfile

from common import corpora, store as stores
from papers.softmax_ae import config as settings, data as segments, preprocess
from tests.papers.softmax_ae.test_fidelity import fake_store

RATE = 22050
CONFIG = settings.Config()


def gtzan(root, seconds=1.9):
    """Two recordings of three of the paper's genres and of another, in GTZAN's layout; classical's are the longest."""
    random = np.random.default_rng(0)
    for genre in ("blues", "classical", "jazz", "pop"):
        (root / "genres" / genre).mkdir(parents=True)
        for i in range(2):
            samples = int((20.0 if genre == "classical" and not i else seconds) * RATE)
            soundfile.write(root / "genres" / genre / f"{genre}.{i:05d}.wav", 0.1 * random.normal(size=samples), RATE)
    return root


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A GTZAN of six usable recordings, its folder and its store with every pool."""
    place = tmp_path_factory.mktemp("store")
    root = gtzan(place / "gtzan")
    config = dataclasses.replace(CONFIG, ablations=True)
    return root, preprocess.preprocess(config, root, "full", place / "stores")


def test_gtzan_gives_the_papers_genres_in_the_programs_order(made):
    _, held = made
    assert held.parameters["facts"]["classes"] == ["classical", "jazz", "pop"]
    assert {row["label"] for row in held.index} == {"classical", "jazz", "pop"} and len(held.index) == 20 + 5 * 2


def test_a_row_says_which_segment_of_which_recording_it_is(made):
    root, held = made
    row = held.index[7]
    assert {name: row[name] for name in ("item", "path", "group", "label")} == {
        "item": "classical.00000-07", "path": "classical.00000", "group": "classical.00000", "label": "classical"}
    assert (int(row["offset"]), int(row["frames"])) == (7 * 20_000, 500)
    samples, _ = soundfile.read(root / "genres" / "classical" / "classical.00000.wav")
    for size in (1, 10, 40):
        x = held.array(preprocess.array_name(size))
        assert x.shape == (30, 20_000 // size)
        expected = samples[140_000:160_000].reshape(-1, size).mean(axis=1)
        np.testing.assert_allclose(x[7], expected, atol=1e-5)


def test_short_recordings_are_named(made):
    assert made[1].parameters["facts"]["short_tracks"] == [
        "classical.00001", "jazz.00000", "jazz.00001", "pop.00000", "pop.00001"]


def test_the_disk_is_asked_for_every_pool_and_another_pool_is_another_store(made, monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(stores, "prepare", lambda corpus, recipe, where, build, bytes_needed: asked.append(
        (len(corpus.items), recipe["pools"], bytes_needed)))
    preprocess.preprocess(CONFIG, made[0], "full", tmp_path)
    preprocess.preprocess(dataclasses.replace(CONFIG, ablations=True), made[0], "full", tmp_path)
    assert asked == [(8, [40], 8 * 10_000 * 4), (8, [1, 10, 40], 8 * (400_000 + 40_000 + 10_000) * 4)]


def test_the_filtered_lists_are_asked_of_gtzans_tracks(made, monkeypatch, tmp_path):
    monkeypatch.setattr(stores, "prepare", lambda *given, **named: "made")
    assert preprocess.preprocess(dataclasses.replace(CONFIG, split="T2"), made[0], "full", tmp_path) == "made"
    where = preprocess.filtered_tracks()
    assert len(where) == 99 + 87 + 91 + 84 and set(where.values()) == {"train", "dev", "test"}


def test_a_class_without_a_usable_recording_is_named(tmp_path):
    for name in ("bell", "drum"):
        (tmp_path / "data" / name).mkdir(parents=True)
    soundfile.write(tmp_path / "data" / "bell" / "a.wav", 0.1 * np.ones(2 * RATE), RATE)
    soundfile.write(tmp_path / "data" / "drum" / "silent.wav", np.zeros(2 * RATE), RATE)
    with pytest.raises(stores.StoreError, match="nothing usable of class drum.*silent"):
        preprocess.preprocess(CONFIG, tmp_path / "data", "full", tmp_path / "stores")
    soundfile.write(tmp_path / "data" / "drum" / "quiet but once.wav", np.eye(1, 2 * RATE, 3)[0], RATE)
    held = preprocess.preprocess(CONFIG, tmp_path / "data", "full", tmp_path / "stores")
    assert len(held.index) == 4 and [row["reason"] for row in held.rejected] == ["silent: every sample is zero"]


def test_what_reader_a_folder_gets(tmp_path):
    root = gtzan(tmp_path / "gtzan", seconds=0.01)
    assert preprocess.find_corpus(root, "smoke", False).name == "gtzan"
    assert preprocess.find_corpus(root / "genres", "smoke", False).name == "gtzan"
    with pytest.raises(corpora.DataError, match="no such folder"):
        preprocess.find_corpus(tmp_path / "nowhere", "smoke", False)
    with pytest.raises(corpora.DataError, match="only demo corpora have a twin"):
        preprocess.find_corpus(root, "smoke", True)


# Splits

def test_three_recordings_of_a_class_can_be_kept_apart_and_two_cannot():
    for tracks, whole in ((2, False), (3, True)):
        parts, note = segments.split(fake_store(tracks=tracks), "T1", seed=1)
        assert bool(note) is not whole
        sizes = {part: len(rows) for part, rows in parts.items()}
        # two: 40 segments a class, 30 train, one left out, 5, one left out, the rest; three: one recording each
        assert sizes == ({part: 80 for part in parts} if whole else {"train": 120, "dev": 20, "test": 12})


@pytest.mark.parametrize("tracks, dev, test", [(100, 50, 50), (22, 12, 12), (14, 8, 8), (4, 4, 4)])
def test_what_is_held_out_is_shared_evenly_by_dev_and_test(tracks, dev, test):
    # of 22 recordings 5.5 are held out, so 6; of 14 three and a half, so 4; never fewer than two a class
    parts, _ = segments.split(fake_store(tracks=tracks), "T1", seed=0)
    assert (len(parts["dev"]) // 20, len(parts["test"]) // 20) == (dev, test)


def test_an_odd_recording_goes_to_dev_and_test_by_turns():
    parts, _ = segments.split(fake_store(tracks=12), "T1", seed=0)  # three held out of each of four classes
    held = fake_store(tracks=12)
    of = {part: [len({held.index[i]["path"] for i in rows if held.index[i]["label"] == genre})
                 for genre in settings.GENRES] for part, rows in parts.items()}
    assert of == {"train": [9] * 4, "dev": [1, 2, 1, 2], "test": [2, 1, 2, 1]}


def test_recordings_that_fit_nowhere_are_dealt_by_their_shares():
    groups = {f"{name}.{t:05d}": f"{name} {t // 5}" for name in settings.GENRES for t in range(40)}  # 8 of 5 a class
    held = fake_store(tracks=40, groups=groups)
    parts, _ = segments.split(held, "T1", seed=0)
    assert {part: len(rows) for part, rows in parts.items()} == {"train": 2400, "dev": 400, "test": 400}  # 10 fit
    groups = {f"{name}.{t:05d}": f"{name} {t // 8}" for name in settings.GENRES for t in range(40)}  # 5 of 8: none fits
    parts, _ = segments.split(fake_store(tracks=40, groups=groups), "T1", seed=0)
    assert {part: len(rows) for part, rows in parts.items()} == {"train": 1920, "dev": 640, "test": 640}


def test_another_split_is_no_split():
    with pytest.raises(ValueError, match="P3: choose P1, P2, T1 or T2"):
        segments.split(fake_store(tracks=3), "P3", seed=0)
