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
