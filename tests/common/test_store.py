"""Stores: complete or absent, EXR images lossless and checked, names that stay inside."""

import csv
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from common import store

RECIPE = {"name": "mel", "version": 1, "sample_rate": 22050, "n_fft": 2048, "hop_length": 512}


def corpus(tmp_path, **changed):
    values = dict(name="gtzan", root=tmp_path, evidence="demo", items=[1, 2], rejected=[("bad.wav", "empty")],
                  fingerprint="f00", facts={}, said="")
    return SimpleNamespace(**(values | changed))


def image(seed=0):
    return np.random.default_rng(seed).normal(size=(64, 431)).astype("f4")


def build(writer):
    for i in range(3):
        path = writer.image(f"clip-{i}", "song", image(i))
        writer.row(item=f"clip-{i}", group="song", label="jazz", frames=431, path=path)
    writer.array("segments", np.arange(6.0).reshape(2, 3))
    writer.reject("other.wav", "silent")


def test_store_round_trip(tmp_path):
    held = store.prepare(corpus(tmp_path), RECIPE, tmp_path / "stores", build)
    assert held.directory.parent.name == "demo-gtzan" and held.directory.name.startswith("mel-")
    for i, row in enumerate(held.index):
        np.testing.assert_array_equal(held.image(row), image(i))
        assert row["frames"] == 431 and row["offset"] == 0
    assert isinstance(held.array("segments"), np.memmap) and held.array("segments").sum() == 15
    assert [r["reason"] for r in held.rejected] == ["empty", "silent"]
    assert held.parameters["groups_per_class"] == {"jazz": 1} and held.parameters["corpus"]["evidence"] == "demo"


@pytest.mark.parametrize("half", [False, True])
def test_images_of_the_mapped_array_are_those_of_the_archive(tmp_path, half, monkeypatch):
    """Bit for bit and in the order of the index, also where several jobs fill it; the archive is not read again."""
    monkeypatch.setattr(store, "MAPPED", 2)

    def build_mapped(writer):
        for i in (3, 0, 4, 1, 2):
            path = writer.image(f"clip-{i}", "song", image(i), half=half)
            writer.row(item=f"clip-{i}", group="song", label="jazz", frames=431, path=path)
        writer.map_images(half)

    held = store.prepare(corpus(tmp_path), RECIPE, tmp_path / "stores", build_mapped)
    archive = np.stack([held.image(row) for row in held.index])
    assert held.array("images").dtype == (np.float16 if half else np.float32)
    assert isinstance(held.array("images"), np.memmap) and [row["item"][-1] for row in held.index] == list("30412")
    shutil.rmtree(held.directory / "images")
    np.testing.assert_array_equal(held.images(range(5)), archive)
    np.testing.assert_array_equal(held.images([4, 0]), archive[[4, 0]])
    assert held.images([1]).dtype == np.float32 and (half or np.array_equal(held.images([1])[0], image(0)))


def test_a_part_of_the_images_is_copied_to_its_own_places(tmp_path):
    (tmp_path / "arrays").mkdir()
    np.save(tmp_path / "arrays" / "images.npy", np.zeros((5, *image(0).shape), np.float32))
    for i in (3, 4):
        store.write_exr(tmp_path / f"{i}.exr", image(i), RECIPE)
    store._copy_images(tmp_path, RECIPE, 2, ["4.exr", "3.exr"])
    found = np.load(tmp_path / "arrays" / "images.npy")
    np.testing.assert_array_equal(found[2:4], np.stack([image(4), image(3)]))
    assert not found[[0, 1, 4]].any()


def test_rows_are_not_kept_in_memory(tmp_path):
    writer = store.Writer(tmp_path, RECIPE)
    for number in range(1000):
        writer.row(item=f"clip {number}", group=f"song {number // 500}", label="jazz")
    writer.close()
    assert writer.count == 1000 and writer.groups == {"jazz": {"song 0", "song 1"}}
    assert len(store.Store(tmp_path).index) == 1000
    assert not [value for value in vars(writer).values() if isinstance(value, list | tuple) and len(value) > 10]


def test_store_is_built_once_and_again_when_anything_differs(tmp_path):
    calls = []

    def counted(writer):
        calls.append(1)
        build(writer)

    first = store.prepare(corpus(tmp_path), RECIPE, tmp_path / "s", counted)
    assert store.prepare(corpus(tmp_path), RECIPE, tmp_path / "s", counted).directory == first.directory
    for other, recipe in ((corpus(tmp_path, fingerprint="f01"), RECIPE), (corpus(tmp_path), RECIPE | {"version": 2})):
        assert store.prepare(other, recipe, tmp_path / "s", counted).directory != first.directory
    assert len(calls) == 3


def test_content_is_of_what_the_store_holds_and_not_of_where_it_came_from(tmp_path):
    """Two machines make one store; a changed value, row or image is another; what is said about it is not."""
    def made(place, change=0.0, label="jazz"):
        root = tmp_path / place

        def build_at(writer):
            writer.row(item="a", label=label, path=root / "jazz" / "a.wav")
            writer.row(item="b", label=label, path=writer.image("b", "song", image() + np.float32(change)))
            writer.array("segments", np.arange(6.0))
            writer.reject(root / "jazz" / f"{place}.wav", "silent")

        held = store.prepare(corpus(root), RECIPE, tmp_path / f"stores-{place}-{change}-{label}", build_at)
        assert held.content_sha256 == store.content_sha256(held.directory)
        return held

    here, there = made("here"), made("there")
    assert here.index[0]["path"] == "jazz/a.wav" and here.rejected[1]["path"] == "jazz/here.wav"
    assert here.content_sha256 == there.content_sha256 and here.rejected != there.rejected
    assert len({held.content_sha256 for held in (here, made("there", 1e-6), made("there", 0.0, "rock"))}) == 3
    array = there.directory / "arrays" / "segments.npy"
    array.write_bytes(array.read_bytes()[:-1] + b"\x01")
    assert store.content_sha256(there.directory) != there.content_sha256
    array.rename(array.with_name("other.npy"))
    assert len({store.content_sha256(there.directory), store.content_sha256(here.directory)}) == 2


def test_no_cell_of_the_index_runs_in_a_spreadsheet_and_all_are_read_back(tmp_path):
    names = ["=cmd|' /C calc'!A0", "-2+3", "@x", "'=quoted", "plain"]

    def build_named(writer):
        for name in names:
            writer.row(item=name, group=name, label=name, path=f"{name}.wav")
            writer.reject(f"{name}.mp3", "silent")

    held = store.prepare(corpus(tmp_path), RECIPE, tmp_path / "s", build_named)
    assert [row["label"] for row in held.index] == names
    assert [row["path"] for row in held.rejected[1:]] == [f"{name}.mp3" for name in names]
    for table in ("index.csv", "rejected.csv"):
        with open(held.directory / table, newline="") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        assert not [cell for cell in cells if cell[:1] in "=+-@" and cell] and len(cells) > 10


def test_a_failed_build_leaves_nothing_under_the_final_name(tmp_path):
    def broken(writer):
        build(writer)
        raise RuntimeError("disk on fire")

    with pytest.raises(RuntimeError):
        store.prepare(corpus(tmp_path), RECIPE, tmp_path / "s", broken)
    left = [path.name for path in (tmp_path / "s").rglob("*") if path.suffix != ".lock"]
    assert left == ["demo-gtzan"]
    with pytest.raises(store.StoreError, match="nothing usable"):
        store.prepare(corpus(tmp_path), RECIPE, tmp_path / "s", lambda writer: writer.reject("a.wav", "silent"))


def test_too_little_disk_is_refused_first(tmp_path):
    with pytest.raises(store.StoreError, match="needed, .* free"):
        store.prepare(corpus(tmp_path), RECIPE, tmp_path / "s", build, bytes_needed=10 ** 18)


def test_labels_of_corpora_tell_them_apart(tmp_path):
    assert store.label(corpus(tmp_path, facts={"null": True})) == "null-gtzan"
    assert store.label(corpus(tmp_path, evidence="published")) == "gtzan"
    assert store.label(corpus(Path("/x/mine"), evidence="other")) == "gtzan-mine"
    assert store.label(corpus(Path("/x/mine"), evidence="other", name="folder-mine")) == "folder-mine"


@pytest.mark.parametrize("name", ["../../etc/passwd", "..", "a/b", "", ".hidden", "x" * 500,
                                  "naïve 'quoted' \u266b", "a\x00b"])
def test_names_stay_inside_their_folder(tmp_path, name):
    safe = store.safe_name(name)
    assert safe and "/" not in safe and not safe.startswith(".") and "\x00" not in safe and len(safe) < 200
    assert (tmp_path / safe).resolve().parent == tmp_path.resolve()
    assert store.safe_name(name + "x") != safe


# OpenEXR

def test_exr_is_lossless_in_float32_and_states_its_parameters(tmp_path):
    x = image() * np.float32(1e-20) + np.float32(3e5)
    store.write_exr(tmp_path / "a.exr", x, RECIPE)
    np.testing.assert_array_equal(store.read_exr(tmp_path / "a.exr", RECIPE), x)
    store.write_exr(tmp_path / "h.exr", image(), RECIPE, half=True)
    np.testing.assert_allclose(store.read_exr(tmp_path / "h.exr"), image(), rtol=1e-3, atol=1e-6)


def test_exr_of_a_real_spectrogram(tmp_path):
    import librosa

    rng = np.random.default_rng(0)
    samples = np.cumsum(rng.normal(size=22050 * 4)).astype("f4")
    mel = librosa.feature.melspectrogram(y=samples / np.abs(samples).max(), sr=22050, n_mels=128)
    store.write_exr(tmp_path / "m.exr", mel, RECIPE | {"n_mels": 128})
    np.testing.assert_array_equal(store.read_exr(tmp_path / "m.exr", RECIPE), mel)


def test_exr_errors_name_the_file_and_the_next_step(tmp_path):
    path = tmp_path / "a.exr"
    with pytest.raises(store.StoreError, match="a.exr: no such file.*preprocess again"):
        store.read_exr(path)
    path.write_bytes(b"not an image at all")
    with pytest.raises(store.StoreError, match="not an OpenEXR file"):
        store.read_exr(path)
    store.write_exr(path, image(), RECIPE)
    with pytest.raises(store.StoreError, match="made with hop_length=512, this store says hop_length=256"):
        store.read_exr(path, RECIPE | {"hop_length": 256})
    whole = path.read_bytes()
    path.write_bytes(whole[:len(whole) // 2])
    with pytest.raises(store.StoreError, match="damaged"):
        store.read_exr(path)
    for bad in (np.full((3, 3), np.nan), np.zeros(5)):
        with pytest.raises(store.StoreError, match="two-dimensional and finite"):
            store.write_exr(path, bad, RECIPE)


def test_an_image_of_another_store_is_refused(tmp_path):
    held = store.prepare(corpus(tmp_path), RECIPE, tmp_path / "s", build)
    other = store.prepare(corpus(tmp_path), RECIPE | {"hop_length": 256}, tmp_path / "s", build)
    shutil.copy(held.directory / held.index[0]["path"], other.directory / other.index[0]["path"])
    with pytest.raises(store.StoreError, match="hop_length"):
        other.image(other.index[0])


def test_changed_code_of_the_preprocessing_makes_the_store_again_with_the_same_content(tmp_path, monkeypatch):
    def fill(writer):
        writer.array("x", np.arange(3.0))
        writer.row(item="a", group="a", label="a")

    fill.__module__ = "papers.toy.preprocess"
    made = []
    for code in ("one", "two", "one"):
        monkeypatch.setattr(store.closure, "making", lambda paper, code=code: {paper: {"pool": code}})
        made.append(store.prepare(corpus(tmp_path), RECIPE, tmp_path / "s", fill))
    assert made[0].directory == made[2].directory != made[1].directory
    assert made[0].content_sha256 == made[1].content_sha256
    assert made[0].parameters["code_sha256"] != made[1].parameters["code_sha256"] and store.code_of("tests.x") == ""
