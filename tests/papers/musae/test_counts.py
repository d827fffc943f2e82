"""What preprocessing counts and keeps of a small corpus in which every filter drops one file."""

import dataclasses
from pathlib import Path

import mido
import numpy as np
import pytest

from common.corpora import Corpus, Item
from papers.musae import config, data, preprocess
from papers.musae.tokens import HOLD, base_tokens
from tests.papers.musae.test_preprocess import song

THREE = mido.MetaMessage("time_signature", numerator=3)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(items, store): two songs that are kept, one of them twice, and four files that are not; "jazz" has one song."""
    folder = tmp_path_factory.mktemp("counts")
    (folder / "broken.mid").write_bytes(b"MThd nothing")
    song(folder / "first.mid", bars=20, seed=1)
    song(folder / "again.mid", bars=20, seed=1)
    song(folder / "second.mid", bars=18, seed=2, drums=2)
    song(folder / "waltz.mid", metres=((0, THREE),))
    song(folder / "no bass.mid", programs=(25, 48))
    terms = {"first": ["rock", "jazz"], "second": ["rock"], "waltz": ["jazz", "folk"]}
    names = ("broken", "first", "again", "waltz", "second", "no bass")
    items = [Item(name, folder / f"{name}.mid", "", name, artist="one" if name == "second" else None,
                  facts={"terms": terms.get(name, [])}) for name in names]  # fmt: skip
    settings = dataclasses.replace(config.Config(), quantiser="complete", genres=3)
    corpus = Corpus("x", folder, "other", items)
    return items, preprocess.preprocess(settings, None, "smoke", folder / "stores", corpus=corpus)


def test_every_filter_is_counted(made):
    """20 bars hold 19 windows of 2 and 5 of 16 bars, 18 bars 17 and 3, times the two drum tracks of the second song."""
    _, store = made
    found = store.parameters["facts"]["counts"]
    expected = {
        "files": 6, "MIDI files, each counted once": 6, "further paths of a MIDI file already read": 0,
        "dropped: not readable as MIDI": 1, "dropped: a time signature other than 4/4": 1,
        "dropped: no bass track with a note": 1, "dropped: no window left": 1, "songs kept": 2,
        "2-bar windows seen": 2 * 19 + 2 * 17, "16-bar windows seen": 2 * 5 + 2 * 3,
        "2-bar windows kept": 19 + 2 * 17, "16-bar windows kept": 5 + 2 * 3, "2-bar windows already seen": 19,
        "16-bar windows already seen": 5, "combinations": 4, "distinct genre tags": 2,
        "songs without one of the tags": 0,
        "notes": 2 * 4 * 80 + 5 * 72, "notes without an onset on the grid": 0}  # fmt: skip
    assert {name: found.get(name, 0) for name in expected} == expected
    assert store.parameters["facts"]["tag_share"] == 1.0
    reasons = {Path(row["path"]).name: row["reason"] for row in store.rejected}
    assert set(reasons) == {"broken.mid", "waltz.mid", "no bass.mid", "again.mid"}
    assert "uniqueness" in reasons["again.mid"]


def test_windows_and_tags_are_those_of_their_song(made):
    """The second song's lines come after the first's: its windows are cut from its own file, with either drum track."""
    items, store = made
    assert store.array("genres").tolist() == ["rock", "jazz", ""]
    np.testing.assert_array_equal(store.array("tags"), [[1, 1, 0], [1, 0, 0]])
    assert store.array("artist").tolist() in ([0, 1], [1, 0])
    assert [(row["item"], row["frames"]) for row in store.index] == [("first", 324), ("second", 292)]
    for bars in (2, 16):
        windows = data.windows(store, bars)
        for place, item in ((0, items[1]), (1, items[4])):
            rows = np.flatnonzero(windows.song == place)
            lines, _ = preprocess.file_lines(item.path, "complete")
            drums = lines["drums"]
            each = len(rows) // len(drums)
            for number, line in enumerate(drums):
                for bar in (0, each - 1):
                    cut = windows.cut(rows[[number * each + bar]])[0]
                    for track, (base, onset) in enumerate([line, *(lines[name][0] for name in preprocess.CLASSES[1:])]):
                        at = slice(16 * bar, 16 * (bar + bars))
                        wanted = base_tokens(base, onset)[at]
                        wanted[0] = base[at][0]
                        np.testing.assert_array_equal(cut[:, track], wanted)
        assert (windows.cut(np.arange(len(windows)))[:, 0] != HOLD).all()
        assert set(np.unique(windows.shift)) <= set(range(-5, 7)) and len(np.unique(windows.shift)) > 3


def test_a_limit_on_songs_takes_the_first_of_each_file(made, tmp_path):
    """Two paths with one checksum are one MIDI file; the limit counts files."""
    items, _ = made
    same = [dataclasses.replace(item, facts=item.facts | {"md5": "x" if k in (1, 2) else str(k)})
            for k, item in enumerate(items)]  # fmt: skip
    counts = {}
    settings = dataclasses.replace(config.Config(), max_songs=3)
    found = preprocess._once(Corpus("x", tmp_path, "other", same), settings, counts)
    assert [item.id for item in found] == ["broken", "first", "waltz"]
    assert counts == {"MIDI files, each counted once": 5, "further paths of a MIDI file already read": 1}
    counts.clear()
    everything = dataclasses.replace(settings, max_songs=0, deduplicate=False)
    assert preprocess._once(Corpus("x", tmp_path, "other", same), everything, counts) == same
    assert counts == {"MIDI files, each counted once": 5}
