"""Roles never share a recording, except where the base method's program does; windows are cut, not stored."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from common import store
from common.errors import DataError
from papers.lord_transfer import data
from tests.papers.lord_transfer import toy


def made(tmp_path, rows, frames=80):
    """A store with index rows (label, group, split) of random images."""
    corpus = SimpleNamespace(name="x", label="x", root=tmp_path, evidence="demo", items=rows, rejected=[],
                             fingerprint=str(abs(hash(tuple(rows)))), facts={}, said="")

    def build(writer):
        for i, (label, group, split) in enumerate(rows):
            image = np.random.default_rng(i).random((32, frames)).astype(np.float32)
            path = writer.image(f"i{i}", group, image)
            writer.row(item=f"i{i}", group=group, label=label, split=split, frames=frames, path=path)

    return store.prepare(corpus, {"name": "x", "version": 1}, tmp_path / "s", build)


def medley(songs=4):
    return [(label, f"{label}-{split}-{song}", split) for label in ("piano", "violin", "flute")
            for split in ("training", "validation", "test") for song in range(songs) for _ in range(3)]


def groups_of(found, held, role):
    return {held.index[row]["group"] for row in found.rows[found.of(role)]}


@pytest.mark.parametrize("split", ["test_subset", "recording"])
@pytest.mark.parametrize("data_set", ["medley_solos_db", "fma_medium", "folder"])
def test_no_recording_is_in_two_roles(tmp_path, split, data_set):
    held = made(tmp_path, medley())
    found = data.windows(dataclasses.replace(toy.CONFIG, split=split, data_set=data_set), held)
    parts = [groups_of(found, held, role) for role in data.ROLES]
    assert all(parts) and sum(map(len, parts)) == len(set.union(*parts)) == 36
    assert all(set(found.classes[found.of(role)]) == {0, 1, 2} for role in data.ROLES)


def test_the_papers_subset_is_the_test_subset(tmp_path):
    held = made(tmp_path, medley())
    subsets = {}
    for split in ("test_subset", "recording"):
        found = data.windows(dataclasses.replace(toy.CONFIG, split=split, data_set="medley_solos_db"), held)
        subsets[split] = {role: {held.index[row]["split"] for row in found.rows[found.of(role)]}
                          for role in data.ROLES}
    assert subsets["test_subset"] == {"train": {"test"}, "ear": {"training"}, "choose": {"training"},
                                      "test": {"validation"}}
    assert subsets["recording"] == {"train": {"training"}, "choose": {"validation"}, "ear": {"test"}, "test": {"test"}}


SHARES = {  # recordings of a class in each role, of twenty in every subset
    ("fma_medium", "recording"): {"training": {"train": 17, "choose": 3}, "validation": {"ear": 20},
                                  "test": {"test": 20}},
    ("fma_medium", "test_subset"): {"training": {"train": 17, "choose": 3}, "validation": {"ear": 20},
                                    "test": {"test": 20}},
    ("medley_solos_db", "recording"): {"training": {"train": 20}, "validation": {"choose": 20},
                                       "test": {"ear": 8, "test": 12}},
    ("medley_solos_db", "test_subset"): {"training": {"ear": 16, "choose": 4}, "validation": {"test": 20},
                                         "test": {"train": 20}},
}


@pytest.mark.parametrize(("data_set", "split"), SHARES)
def test_shares_of_the_subsets(tmp_path, data_set, split):
    """85 and 15 % of FMA's training recordings train and choose; of Medley's test subset 40 and 60 % hear and show."""
    held = made(tmp_path, [(label, f"{label}-{subset}-{song}", subset) for label in ("piano", "violin")
                           for subset in ("training", "validation", "test") for song in range(20)], frames=32)
    found = data.windows(dataclasses.replace(toy.CONFIG, split=split, data_set=data_set), held)
    assert found.how == "official subsets"
    for number in (0, 1):
        counts = {}
        for row, role in zip(found.rows[found.classes == number], found.roles[found.classes == number], strict=True):
            of = counts.setdefault(held.index[row]["split"], {})
            of[role] = of.get(role, 0) + 1
        assert counts == SHARES[data_set, split]


def test_shares_without_subsets(tmp_path):
    """55, 20, 15 and 10 % of twenty recordings, and of clips where recordings differ in length."""
    held = made(tmp_path, [(label, f"{label}-{song}", "") for label in ("piano", "violin") for song in range(20)],
                frames=32)
    found = data.windows(dataclasses.replace(toy.CONFIG, split="recording", data_set="folder"), held)
    for number in (0, 1):
        of = found.roles[found.classes == number]
        assert {role: int(np.sum(of == role)) for role in data.ROLES} == {"train": 11, "ear": 4, "test": 3, "choose": 2}
    units = [name for name, count in (("a", 11), ("b", 4), ("c", 3), ("d", 2)) for _ in range(count)]
    roles = data._deal(units, ["x"] * 20)
    assert len(set(zip(units, roles, strict=True))) == len(set(roles)) == 4


def test_images_are_read_once_while_there_is_room(tmp_path, monkeypatch):
    """Room for two of three: those are read once, the third at every call, and all are right."""
    held = made(tmp_path, medley(1))
    size = held.image(held.index[0]).nbytes
    calls = []

    class Counting:
        index = held.index

        def image(self, row):
            calls.append(row["item"])
            return held.image(row)

    for room, again in ((2 * size, 1), (3 * size, 0), (size - 1, 3)):
        monkeypatch.setattr(data, "CACHE_BYTES", room)
        reader = data.Reader(toy.CONFIG, Counting())
        for _ in range(2):
            for number in (0, 4, 7):
                np.testing.assert_array_equal(reader.image(number), held.image(held.index[number]))
        assert len(calls) == 3 + again
        calls.clear()


def test_spread_is_even_over_a_classs_clips():
    order = np.arange(12)
    found = data.Windows(order, 0 * order, np.repeat([0, 1], [9, 3]), np.full(12, "test"), ("a", "b"), "")
    assert data.spread(found, 6).rows.tolist() == [0, 4, 8, 9, 10, 11]
    assert data.spread(found, 1).rows.tolist() == [0, 9]  # one of each at least
    assert data.spread(found, 100).rows.tolist() == order.tolist()


def test_the_programs_split_cuts_through_recordings(tmp_path):
    held = made(tmp_path, medley())
    found = data.windows(dataclasses.replace(toy.CONFIG, split="clip", data_set="medley_solos_db"), held)
    assert groups_of(found, held, "train") & groups_of(found, held, "test")


def test_classes_with_one_recording_are_split_by_clip_and_named(tmp_path):
    rows = medley(2) + [("tuba", "tuba-1", "training")] * 7
    found = data.windows(dataclasses.replace(toy.CONFIG, data_set="medley_solos_db", split="recording"),
                            made(tmp_path, rows))
    assert "single clips of tuba (under three recordings)" in found.how


def test_too_little_is_refused_with_the_class(tmp_path):
    held = made(tmp_path, medley(2) + [("tuba", "tuba-1", "training")] * 2)
    with pytest.raises(DataError, match="no clip of tuba"):
        data.windows(dataclasses.replace(toy.CONFIG, data_set="medley_solos_db", split="recording"), held)


def test_a_class_of_three_recordings_has_none_to_choose_by(tmp_path):
    """The three roles that are needed come first; a fourth recording is the one to choose by."""
    for songs, roles in ((3, {"train", "ear", "test"}), (4, {"train", "ear", "test", "choose"})):
        rows = [(label, f"{label}-{song}", "") for label in ("piano", "flute") for song in range(songs)]
        held = made(tmp_path / str(songs), rows)
        found = data.windows(dataclasses.replace(toy.CONFIG, data_set="folder", split="recording"), held)
        assert set(found.roles) == roles and found.how == "recordings dealt"
    assert len(data.spread(found.take(np.array([], int)), 5)) == 0


def test_spread_takes_from_every_class_and_recording(tmp_path):
    held = made(tmp_path, medley())
    found = data.windows(dataclasses.replace(toy.CONFIG, data_set="medley_solos_db", split="recording"), held)
    train = found.take(found.of("train"))
    kept = data.spread(train, 12)
    assert np.bincount(kept.classes).tolist() == [4, 4, 4]
    assert len({held.index[row]["group"] for row in kept.rows}) == 12
    assert len(data.spread(train, 10**6)) == len(train)


def test_only_training_windows_overlap(tmp_path):
    held = made(tmp_path, medley(), frames=128)
    config = dataclasses.replace(toy.CONFIG, data_set="medley_solos_db", split="recording")
    plain, half = (data.windows(dataclasses.replace(config, overlap=overlap), held) for overlap in (0, 0.5))
    assert len(plain.of("test")) == len(half.of("test"))
    assert (len(plain.of("train")), len(half.of("train"))) == (4 * 36, 7 * 36)


def test_a_pair_and_a_share(tmp_path):
    held = made(tmp_path, medley())
    config = dataclasses.replace(toy.CONFIG, data_set="medley_solos_db", split="recording", pair="violin-flute")
    found = data.windows(config, held)
    assert found.labels == ("violin", "flute")
    assert {held.index[row]["label"] for row in found.rows} == {"violin", "flute"}
    quarter = data.windows(dataclasses.replace(config, train_share=0.25), held)
    assert len(groups_of(quarter, held, "train")) == len(groups_of(found, held, "train")) / 4
    assert len(quarter.of("test")) == len(found.of("test"))
    with pytest.raises(DataError, match="no track of Rock"):
        data.windows(dataclasses.replace(config, pair="Rock-violin"), held)


def test_reader_cuts_the_stored_image(tmp_path):
    held = made(tmp_path, medley())
    config = dataclasses.replace(toy.CONFIG, data_set="medley_solos_db", split="recording")
    found, reader = data.windows(config, held), data.Reader(config, held)
    got = reader.read(found, [3, 5])
    assert got.shape == (2, 32, 32, 1)
    for image, i in zip(got, (3, 5), strict=True):
        whole = held.image(held.index[found.rows[i]])
        np.testing.assert_array_equal(image[..., 0], whole[:, found.starts[i]:found.starts[i] + 32])


def test_phase_channels_from_the_stored_three():
    stored = np.concatenate([np.full((1, 32, 4), 0.3), np.full((1, 32, 4), 0.5), np.full((1, 32, 4), 1.0)], axis=1)
    angle = data.channels(stored, dataclasses.replace(toy.CONFIG, phase="angle"))
    assert angle.shape == (1, 32, 4, 2)
    np.testing.assert_allclose(angle[..., 1], 0.75)  # cosine 0, sine 1: pi / 2, as a share of the circle from -pi
    both = data.channels(stored, dataclasses.replace(toy.CONFIG, phase="cosine_sine"))
    np.testing.assert_allclose(both[0, 0, 0], [0.3, 0.5, 1.0])
    bytes_of = data.channels(stored, dataclasses.replace(toy.CONFIG, quantise=True))  # 76.5 of 255 is 76
    np.testing.assert_allclose(bytes_of, 76 / 255)
    shapes = {phase: data.image_shape(dataclasses.replace(toy.CONFIG, phase=phase))
              for phase in ("none", "angle", "cosine_sine")}
    assert shapes == {"none": (32, 32, 1), "angle": (32, 32, 2), "cosine_sine": (32, 32, 3)}
