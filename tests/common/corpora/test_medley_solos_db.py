"""Medley-solos-DB: the real clips, both releases' names and columns, and tables that do not fit."""

import pytest

from common import corpora
from common.corpora import evidence
from common.corpora.medley_solos_db import TABLE
from common.errors import DataError

UUIDS = [f"0b361f3f-0520-50c2-fc6c-24760000000{number}" for number in range(6)]


def write(root, rows, files, header="subset,instrument,instrument_id,song_id,uuid4"):
    root.mkdir(parents=True, exist_ok=True)
    (root / TABLE).write_text("\n".join([header, *rows]) + "\n")
    for name in files:
        (root / name).write_bytes(b"x")


def test_real_clips(real):
    corpus = corpora.find(real("medley_solos_db"), "medley_solos_db")
    assert (corpus.evidence, len(corpus.items), corpus.rejected, corpus.missing) == ("other", 54, [], [])
    assert len(corpus.counts()) == 8
    assert set(corpus.counts().values()) == {6, 7}
    assert {item.split for item in corpus.items} == {"training"}
    clip = next(item for item in corpus.items if "0b361f3f" in item.id)
    assert (clip.label, clip.group) == ("clarinet", "song-141")


@pytest.mark.parametrize("ending", [".wav", ".wav.wav", ".flac"])
@pytest.mark.parametrize("column", ["song_id", "track_id"])
def test_names_and_columns_of_both_releases(tmp_path, ending, column):
    rows = [f"training,flute,3,17,{UUIDS[0]}", f"test,violin,7,18,{UUIDS[1]}"]
    names = [f"Medley-solos-DB_training-3_{UUIDS[0]}{ending}", f"Medley-solos-DB_test-7_{UUIDS[1]}{ending}"]
    write(tmp_path, rows, names, f"subset,instrument,instrument_id,{column},uuid4")
    items = corpora.find(tmp_path, "medley_solos_db").items
    assert [(item.label, item.group, item.split) for item in items] == [
        ("violin", "song-18", "test"),
        ("flute", "song-17", "training"),
    ]


def test_clips_that_do_not_fit_the_table_are_left_out_with_the_reason(tmp_path):
    rows = [f"training,flute,3,17,{uuid}" for uuid in UUIDS[:3]] + ["training,flute,3,17,../../outside"]
    names = [
        f"Medley-solos-DB_training-3_{UUIDS[0]}.wav",
        f"Medley-solos-DB_training-3_{UUIDS[0]}.flac",
        f"Medley-solos-DB_test-3_{UUIDS[1]}.wav",
        f"Medley-solos-DB_training-3_{UUIDS[4]}.wav",
        "Medley-solos-DB_training-9_x.wav",
    ]
    write(tmp_path / "audio", rows, names)
    corpus = corpora.find(tmp_path, "medley_solos_db")
    assert len(corpus.items) == 1
    assert len(corpus.missing) == 3
    assert sorted(reason for _, reason in corpus.rejected) == [
        f"{TABLE} has it as training, instrument 3",
        f"is not in {TABLE}",
        "name is not that of a clip",
        "the same clip is there in another format",
    ]


def test_a_table_without_songs_is_refused(tmp_path):
    name = f"Medley-solos-DB_test-7_{UUIDS[1]}.wav"
    write(tmp_path, [f"test,violin,7,{UUIDS[1]}"], [name], "subset,instrument,instrument_id,uuid4")
    with pytest.raises(DataError, match="song_id"):
        corpora.find(tmp_path, "medley_solos_db")
    write(tmp_path, [f"test,violin,7,{UUIDS[1]}"], [name])
    with pytest.raises(DataError, match="line 2 has 4 columns instead of 5"):
        corpora.find(tmp_path, "medley_solos_db")


@pytest.mark.needs_data("medley_solos_db")
def test_published_counts(published):
    corpus = evidence.settled(corpora.find(published("medley_solos_db"), "medley_solos_db"))
    assert (corpus.evidence, len(corpus.items)) == ("published", 21571)
    splits = [sum(item.split == name for item in corpus.items) for name in ("training", "validation", "test")]
    assert splits == [5841, 3494, 12236]
