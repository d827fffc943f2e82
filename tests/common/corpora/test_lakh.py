"""Lakh: the tree and the HDF5 files exactly as published, built here; plain folders of real MIDI files."""

import h5py
import numpy as np
import pytest

from common import corpora
from common.corpora import evidence, lakh
from common.errors import DataError

TRACKS = ("TRFBNQN128F92FFA5E", "TRJWCEA128F4273174", "TRAAAGF12903CEC202")


def write_h5(path, terms=("oldies", "rock", "pop"), artist="Bonnie", title="Piece"):
    """The fields of a Million Song Dataset file, with the types of the real ones."""
    fields = [
        ("analyzer_version", "S32"),
        ("artist_id", "S32"),
        ("artist_name", "S1024"),
        ("genre", "S1024"),
        ("title", "S1024"),
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        group = file.create_group("metadata")
        group["artist_terms"] = np.array([term.encode() for term in terms], "S256")
        group["artist_terms_weight"] = np.ones(len(terms))
        group["songs"] = np.array([(b"", b"AR1", artist.encode(), b"", title.encode())], np.dtype(fields))
        file.create_group("musicbrainz")["artist_mbtags"] = np.array([], "S256")


def write_tree(root, files):
    """files: track -> (md5 names, artist)."""
    for track, (names, artist) in files.items():
        for name in names:
            path = root / "lmd_matched" / track[2] / track[3] / track[4] / track / f"{name}.mid"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x")
        write_h5(lakh.metadata_path(root / "lmd_matched", track), artist=artist)


def test_a_track_lies_under_its_third_to_fifth_letter(tmp_path):
    path = lakh.metadata_path(tmp_path / "lmd_matched", "TRFBNQN128F92FFA5E")
    assert path.parts[-4:] == ("F", "B", "N", "TRFBNQN128F92FFA5E.h5")


def test_terms_artist_and_title(tmp_path):
    write_tree(tmp_path, {TRACKS[0]: (["a" * 32], "Bonnie")})
    (item,) = corpora.find(tmp_path, "lmd_matched").items
    assert item.id == f"{TRACKS[0]}-{'a' * 32}"
    assert (item.label, item.artist) == ("oldies", "Bonnie")
    expected = {"terms": ["oldies", "rock", "pop"], "title": "Piece", "md5": "a" * 32, "track": TRACKS[0]}
    assert item.facts == expected


def test_paths_that_share_a_file_or_an_artist_share_a_group(tmp_path):
    files = {
        TRACKS[0]: (["a" * 32, "b" * 32], "one"),
        TRACKS[1]: (["b" * 32, "c" * 32], "two"),
        TRACKS[2]: (["d" * 32], "three"),
    }
    write_tree(tmp_path, files)
    corpus = corpora.find(tmp_path, "lmd_matched")
    groups = {(item.facts["track"], item.facts["md5"][0]): item.group for item in corpus.items}
    assert len(corpus.items) == 5
    assert corpus.facts["unique_files"] == 4
    assert len(set(groups.values())) == 2
    assert groups[TRACKS[2], "d"] != groups[TRACKS[0], "a"] == groups[TRACKS[1], "c"]


def test_wrong_places_and_missing_metadata_are_left_out(tmp_path):
    write_tree(tmp_path, {TRACKS[0]: (["a" * 32], "one"), TRACKS[1]: (["b" * 32], "two")})
    lakh.metadata_path(tmp_path / "lmd_matched", TRACKS[1]).unlink()
    wrong = tmp_path / "lmd_matched" / "X" / "Y" / "Z" / TRACKS[0]
    wrong.mkdir(parents=True)
    (wrong / "c.mid").write_bytes(b"x")
    corpus = corpora.find(tmp_path, "lmd_matched")
    assert len(corpus.items) == 1
    reasons = sorted(reason for _, reason in corpus.rejected)
    assert reasons == [
        "does not lie in A/B/C/TRABC..., the folder of its track",
        f"no metadata {TRACKS[1]}.h5 in lmd_matched_h5",
    ]


def test_metadata_that_is_none_or_leads_out_of_its_file_is_refused(tmp_path):
    path = tmp_path / "a.h5"
    write_h5(tmp_path / "other.h5")
    path.write_bytes(b"not HDF5")
    with pytest.raises(DataError, match="cannot be read"):
        lakh.terms(path)
    with h5py.File(path, "w") as file:
        group = file.create_group("metadata")
        group["artist_terms"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/metadata/artist_terms")
    with pytest.raises(DataError, match="link"):
        lakh.terms(path)
    with h5py.File(path, "w") as file:
        file["metadata"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/metadata")
    with pytest.raises(DataError, match="link"):
        lakh.terms(path)
    write_h5(path, terms=["x"] * 1001)
    with pytest.raises(DataError, match="1001"):
        lakh.terms(path)
    with h5py.File(path, "w") as file:
        file.create_group("metadata").create_dataset("artist_terms", (10**9,), "S256", chunks=(1024,))
        write = np.array([(b"a",)], np.dtype([("artist_name", "S8")]))
        file["metadata"]["songs"] = write
    with pytest.raises(DataError, match="1000000000"):
        lakh.terms(path)


def test_a_plain_folder_with_tags(tmp_path):
    (tmp_path / "sub").mkdir()
    for name in ("one.mid", "sub/two.MIDI", "sub/three.mid"):
        (tmp_path / name).write_bytes(b"x")
    rows = ["file,tags,artist", "one.mid,rock; punk ;,Ann", "sub/three.mid,jazz,Ann", "../out.mid,pop,Bob"]
    (tmp_path / "tags.csv").write_text("\n".join(rows) + "\n")
    corpus = corpora.find(tmp_path, "lmd_matched")
    found = {item.id: (item.label, item.facts["terms"], item.group) for item in corpus.items}
    assert found == {
        "one": ("rock", ["rock", "punk"], "Ann"),
        "sub.three": ("jazz", ["jazz"], "Ann"),
        "sub.two": ("sub", [], "sub.two"),
    }
    assert (corpus.name, corpus.evidence) == ("midi-folder", "other")


def test_names_that_differ_in_their_ending_alone_are_two_songs(tmp_path):
    for name in ("a.mid", "a.midi", "a.b.mid", "a/b.mid"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    items = corpora.find(tmp_path, "lmd_matched").items
    assert len({item.id for item in items}) == len({item.group for item in items}) == 4
    assert {item.path.name: item.id for item in items}["a.mid"] == "a"


@pytest.mark.parametrize("songs", [np.zeros(1, np.int32), np.zeros(1, [("artist", "S8")]), np.zeros((), np.int32)])
def test_metadata_of_another_form_is_refused(tmp_path, songs):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_group("metadata").create_dataset("artist_terms", (1,), "S8")
        file["metadata"]["songs"] = songs
    with pytest.raises(DataError, match=r"metadata a\.h5"):
        lakh.terms(path)


@pytest.mark.parametrize(("folder", "count"), [("midi/freedoom", 43), ("midi/openmsx", 31)])
def test_real_folders(real, folder, count):
    corpus = corpora.find(real(folder), "lmd_matched")
    assert (corpus.name, len(corpus.items), corpus.rejected) == ("midi-folder", count, [])


@pytest.mark.needs_data("lmd_matched")
def test_published_lakh(published):
    corpus = evidence.settled(corpora.find(published("lmd_matched"), "lmd_matched"))
    assert (corpus.evidence, corpus.facts["unique_files"]) == ("published", 45129)
    sample = next(item for item in corpus.items if item.facts["track"] == "TRFBNQN128F92FFA5E")
    assert len(sample.facts["terms"]) == 8
