"""FMA: tables and folders exactly as published, built here."""

import csv

import numpy as np
import pytest

from common import corpora
from common.corpora import evidence, finding, fma
from common.demo import fma as demo_fma
from common.errors import DataError

TRACKS = {  # id: (genre, subset, split, artist)
    2: ("Hip-Hop", "small", "training", 1),
    5: ("Hip-Hop", "small", "validation", 2),
    140: ("Folk", "medium", "test", 3),
    99134: ("Rock", "small", "training", 4),  # known to hold no audio
    98565: ("Rock", "small", "training", 5),  # known to be short
    155066: ("", "large", "training", 6),
}


def write_tracks(path, tracks=TRACKS, drop=""):
    header = [(group, name) for group, names in demo_fma.COLUMNS.items() for name in names.split()]
    header = [column for column in header if ".".join(column) != drop]
    assert len(header) + bool(drop) == 52
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["", *(group for group, _ in header)])
        table.writerow(["", *(name for _, name in header)])
        table.writerow(["track_id", *("" for _ in header)])
        for track, (genre, subset, split, artist) in tracks.items():
            values = {"set.subset": subset, "set.split": split, "track.genre_top": genre, "artist.id": artist,
                      "track.title": 'A "title",\nin two lines'}  # fmt: skip
            table.writerow([track, *(values.get(".".join(column), "") for column in header)])


def write_clips(root, name, ids):
    for track in ids:
        path = root / name / f"{track:06d}"[:3] / f"{track:06d}.mp3"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


@pytest.fixture
def archive(tmp_path):
    write_tracks(tmp_path / "fma_metadata" / "tracks.csv")
    write_clips(tmp_path, "fma_medium", [2, 5, 140, 98565, 99134])
    return tmp_path


def test_items_labels_splits_and_artists(archive):
    corpus = corpora.find(archive, "fma_medium")
    assert [(item.id, item.label, item.group, item.artist, item.split) for item in corpus.items] == [
        ("000002", "Hip-Hop", "000002", "1", "training"),
        ("000005", "Hip-Hop", "000005", "2", "validation"),
        ("000140", "Folk", "000140", "3", "test"),
        ("098565", "Rock", "098565", "5", "training"),
    ]
    assert [reason for _, reason in corpus.rejected] == ["known to be damaged: the clip contains no audio"]
    assert (corpus.evidence, corpus.missing) == ("other", [])


def test_small_is_read_from_the_folder_of_medium(archive):
    small = corpora.find(archive, "fma_small")
    assert [item.id for item in small.items] == ["000002", "000005", "098565"]
    for given in (archive, archive / "fma_medium"):
        assert corpora.find(given, "fma_small").fingerprint == small.fingerprint
    assert finding.recognise(archive) == [("fma_medium", archive / "fma_medium")]


def test_a_missing_clip_is_named_and_a_stray_one_left_out(archive):
    (archive / "fma_medium" / "000" / "000005.mp3").unlink()
    write_clips(archive, "fma_medium", [155066])
    write_clips(archive, "fma_medium/000", [7])
    corpus = corpora.find(archive, "fma_medium")
    assert corpus.missing == ["000/000005.mp3"]
    assert {path.name for path, _ in corpus.rejected} == {"099134.mp3", "155066.mp3"}


@pytest.mark.parametrize("column", ["track.genre_top", "set.split", "set.subset", "artist.id"])
def test_a_table_without_a_needed_column_is_refused(archive, column):
    write_tracks(archive / "fma_metadata" / "tracks.csv", drop=column)
    with pytest.raises(DataError, match=column):
        corpora.find(archive, "fma_medium")


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "\x00\x01\x02", "x\n" * 10])
def test_a_table_that_is_none_is_refused(archive, text):
    (archive / "fma_metadata" / "tracks.csv").write_text(text)
    with pytest.raises(DataError, match=r"tracks\.csv"):
        corpora.find(archive, "fma_medium")


def test_a_cut_off_table_is_refused_with_the_track(archive):
    path = archive / "fma_metadata" / "tracks.csv"
    path.write_text(path.read_text()[:-60])
    with pytest.raises(DataError, match="155066"):
        corpora.find(archive, "fma_medium")


def test_features_have_three_rows_of_names_and_one_of_the_index(tmp_path):
    widths = {"chroma_cens": 12, "mfcc": 20, "tonnetz": 6, "zcr": 1}
    statistics = ("kurtosis", "max", "mean", "median", "min", "skew", "std")
    columns = [(name, s, f"{k + 1:02d}") for name, width in widths.items() for s in statistics for k in range(width)]
    with open(tmp_path / "features.csv", "w", newline="") as file:
        table = csv.writer(file)
        for level, name in enumerate(("feature", "statistics", "number")):
            table.writerow([name, *(column[level] for column in columns)])
        table.writerow(["track_id", *("" for _ in columns)])
        table.writerow([2, *range(len(columns))])
        table.writerow([140, *("" for _ in columns)])
    names, ids, values = fma.features(tmp_path)
    assert names == columns
    assert ids == ["000002", "000140"]
    assert values.shape == (2, 7 * 39)
    assert np.array_equal(values[0], np.arange(7 * 39))
    assert np.isnan(values[1]).all()


def test_echonest_and_genres_are_read(tmp_path):
    rows = [["", "echonest", "echonest"], ["", "audio_features", "temporal_features"], ["", "acousticness", "000"]]
    (tmp_path / "echonest.csv").write_text(
        "\n".join(",".join(row) for row in [*rows, ["track_id", "", ""], ["2", ".5", "7"]])
    )
    names, ids, values = fma.features(tmp_path, "echonest")
    assert names[0] == ("echonest", "audio_features", "acousticness")
    assert (ids, values.tolist()) == (["000002"], [[0.5, 7.0]])
    (tmp_path / "genres.csv").write_text("genre_id,#tracks,parent,title,top_level\n21,8389,0,Hip-Hop,21\n")
    assert fma.genres(tmp_path) == {21: "Hip-Hop"}


@pytest.mark.needs_data("fma_small")
def test_published_fma_small_has_8000_clips_less_the_damaged(published):
    corpus = evidence.settled(corpora.find(published("fma_small"), "fma_small"))
    assert corpus.evidence == "published"
    assert len(corpus.items) == 8000 - 3
    assert sum(item.split == "training" for item in corpus.items) >= 6400 - 3


@pytest.mark.needs_data("fma_medium")
def test_published_fma_medium(published):
    corpus = evidence.settled(corpora.find(published("fma_medium"), "fma_medium"))
    assert corpus.evidence == "published"
    assert len(corpus.items) == 25_000 - 3
    assert len(corpus.labels) == 16
