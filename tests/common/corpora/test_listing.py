"""Listing: in order, quickly, whatever the names, and never out of the folder."""

import os
import time

import pytest

from common import corpora, demo
from common.corpora.items import joined_groups, safe_id
from common.corpora.listing import files_under, inside
from common.errors import DataError

ODD = [
    "a b.wav",
    "it's.wav",
    'say "hi".wav',
    "Dvořák.wav",
    "..wav",
    "a..b.wav",
    "-rf.wav",
    "semi;colon.wav",
    "$HOME.wav",
]


def test_odd_names_are_listed_in_order_with_safe_unique_ids(tmp_path):
    folder = tmp_path / "class one"
    folder.mkdir()
    for name in [*ODD, "it?s.wav", "UPPER.WAV", "same.flac", "same.wav", "not audio.txt"]:
        (folder / name).write_bytes(b"x")
    corpus = corpora.find(tmp_path, "folder")
    names = [item.path.name for item in corpus.items]
    assert names == sorted(names)
    visible = [name for name in [*ODD, "it?s.wav", "UPPER.WAV", "same.flac", "same.wav"] if not name.startswith(".")]
    assert set(names) == set(visible)
    ids = [item.id for item in corpus.items]
    assert len(set(ids)) == len(ids)
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") for name in ids)
    assert not any(name.startswith(".") or "/" in name for name in ids)


def test_names_that_are_not_text_are_refused(tmp_path):
    folder = tmp_path / "a"
    folder.mkdir()
    with open(os.fsencode(folder) + b"/b\xff.wav", "wb"):
        pass
    (folder / "line\nbreak.wav").write_bytes(b"x")
    (folder / "good.wav").write_bytes(b"x")
    found, refused = files_under(tmp_path, (".wav",))
    assert [path.name for path in found] == ["good.wav"]
    assert sorted(reason for _, reason in refused) == ["name holds control characters", "name is not valid text"]


def test_folders_whose_names_are_not_text_are_told(tmp_path):
    for name in (b"b\xff", b"line\nbreak"):
        folder = os.fsencode(tmp_path) + b"/" + name
        os.mkdir(folder)
        with open(folder + b"/a.wav", "wb"):
            pass
    found, refused = files_under(tmp_path, (".wav",))
    assert not found
    assert sorted(reason for _, reason in refused) == ["name holds control characters", "name is not valid text"]


def test_links_out_of_the_folder_are_refused_and_loops_not_walked(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.wav").write_bytes(b"x")
    root = tmp_path / "root"
    (root / "a").mkdir(parents=True)
    (root / "a" / "own.wav").write_bytes(b"x")
    (root / "a" / "out.wav").symlink_to(outside / "secret.wav")
    (root / "a" / "within.wav").symlink_to(root / "a" / "own.wav")
    (root / "a" / "gone.wav").symlink_to(root / "nothing.wav")
    (root / "b").symlink_to(outside)
    (root / "a" / "loop").symlink_to(root)
    found, refused = files_under(root, (".wav",))
    assert [path.name for path in found] == ["own.wav", "within.wav"]
    assert {path.name: reason for path, reason in refused} == {
        "out.wav": "link leads out of the folder",
        "b": "link leads out of the folder",
        "gone.wav": "link to nothing",
        "loop": "link to a folder",
    }


def test_a_path_from_a_table_cannot_leave_the_folder(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link").symlink_to(tmp_path)
    assert inside(tmp_path / "in", "a/b.wav") == tmp_path / "in" / "a" / "b.wav"
    for bad in ("../b.wav", "/etc/passwd", "a/../../b.wav", "link/b.wav"):
        with pytest.raises(DataError, match="leads out of"):
            inside(tmp_path / "in", bad)


@pytest.mark.slow
def test_a_hundred_thousand_entries_are_listed_in_order_within_five_seconds(tmp_path):
    for folder in range(100):
        (tmp_path / f"{folder:03d}").mkdir()
        for number in range(1000):
            os.close(os.open(tmp_path / f"{folder:03d}" / f"{number:04d}.wav", os.O_CREAT | os.O_WRONLY))
    start = time.process_time()
    found, refused = files_under(tmp_path, (".wav",))
    assert time.process_time() - start < 5
    assert (len(found), refused) == (100_000, [])
    assert found == sorted(found)


@pytest.mark.parametrize("place", ["missing", "file", "empty"])
def test_what_is_not_a_data_set_is_one_clear_line(tmp_path, place):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    for name in corpora.NAMES:
        with pytest.raises(DataError) as error:
            corpora.find(tmp_path / place, name)
        assert str(tmp_path / place) in str(error.value)
        assert "\n" not in str(error.value)


def test_the_twin_of_real_data_is_refused(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.wav").write_bytes(b"x")
    with pytest.raises(DataError, match="only demo corpora"):
        demo.find(tmp_path, "folder", null=True)


def test_unknown_data_set_is_refused_with_the_names_there_are(tmp_path):
    with pytest.raises(DataError, match=r"nsynth.*gtzan, fma_small"):
        corpora.find(tmp_path, "nsynth")


def test_joined_groups_and_safe_ids():
    assert joined_groups([("b", "c"), ("x", "y"), ("a", "c")]) == {"a": "a", "b": "a", "c": "a", "x": "x", "y": "x"}
    assert safe_id("jazz.00001") == "jazz.00001"
    assert len({safe_id("a b"), safe_id("a_b"), safe_id("a  b"), safe_id("..")}) == 4


def test_a_folder_that_holds_several_data_sets(tmp_path):
    files = [
        "gtzan/genres/jazz/jazz.00000.au",
        "fma/fma_small/000/000002.mp3",
        "fma/fma_metadata/tracks.csv",
        "medley/audio/Medley-solos-DB_test-7_0b361f3f-0520-50c2-fc6c-247600c03c95.wav",
        "medley/Medley-solos-DB_metadata.csv",
        "lakh/lmd_matched/A/A/A/TRAAAGF12903CEC202/a.mid",
        "symphonies/Haydn/No. 94 - I.mp3",
        "symphonies/Brahms/No. 1 - I.mp3",
        "notes/readme.txt",
    ]
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert dict(corpora.recognise(tmp_path)) == {
        "gtzan": tmp_path / "gtzan" / "genres",
        "fma_small": tmp_path / "fma" / "fma_small",
        "medley_solos_db": tmp_path / "medley" / "audio",
        "lmd_matched": tmp_path / "lakh" / "lmd_matched",
        "orchestral": tmp_path / "symphonies",
    }
    assert corpora.find(tmp_path, "gtzan").root == tmp_path / "gtzan" / "genres"
    assert [item.label for item in corpora.find(tmp_path, "orchestral").items] == ["Brahms", "Haydn"]
