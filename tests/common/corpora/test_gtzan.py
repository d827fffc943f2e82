"""The GTZAN reader and its demo corpus."""

from collections import Counter

import numpy as np
import pytest
import soundfile

from common import corpora, demo
from common.corpora import evidence, finding, gtzan, known
from common.demo import jobs


def make_tracks(root, folder, names):
    for name in names:
        genre = name.split(".")[0]
        (root / folder / genre).mkdir(parents=True, exist_ok=True)
        (root / folder / genre / name).write_bytes(b"x")


def test_duplicates_are_13_jazz_8_metal_and_9_pop_pairs():
    pairs = Counter(row["first"].split(".")[0] for row in known.table("gtzan_duplicates"))
    assert pairs == {"jazz": 13, "metal": 8, "pop": 9}


def test_both_published_layouts_are_read(tmp_path):
    make_tracks(tmp_path / "a", "genres", ["jazz.00000.au", "pop.00001.au"])
    make_tracks(tmp_path / "b", "genres_original", ["jazz.00000.wav", "pop.00001.wav"])
    for name in "ab":
        corpus = corpora.find(tmp_path / name, "gtzan")
        assert [(item.id, item.label) for item in corpus.items] == [("jazz.00000", "jazz"), ("pop.00001", "pop")]
        assert corpus.evidence == "other"


def test_duplicates_share_a_group_and_others_do_not(tmp_path):
    make_tracks(tmp_path, "genres", ["pop.00015.au", "pop.00022.au", "pop.00023.au"])
    groups = [item.group for item in corpora.find(tmp_path, "gtzan").items]
    assert groups == ["pop.00015", "pop.00015", "pop.00023"]


def test_the_damaged_wav_is_left_out_and_its_au_is_kept(tmp_path):
    make_tracks(tmp_path / "wav", "genres_original", ["jazz.00053.wav", "jazz.00054.wav"])
    make_tracks(tmp_path / "au", "genres", ["jazz.00053.au", "jazz.00054.au"])
    corpus = corpora.find(tmp_path / "wav", "gtzan")
    assert [item.id for item in corpus.items] == ["jazz.00053"]
    assert "damaged" in corpus.rejected[0][1]
    assert len(corpora.find(tmp_path / "au", "gtzan").items) == 2


def test_only_all_thousand_names_are_complete(tmp_path):
    names = [f"{name}.wav" for name in gtzan.expected_tracks()]
    assert len(names) == 1000
    make_tracks(tmp_path, "genres_original", names)
    corpus = corpora.find(tmp_path, "gtzan")
    assert (corpus.evidence, corpus.complete) == ("other", True)  # what names alone can say
    assert len(corpus.items) == 999  # jazz.00054 is known to be damaged
    (tmp_path / "genres_original" / "rock" / "rock.00099.wav").unlink()
    assert not corpora.find(tmp_path, "gtzan").complete


def test_demo_is_read_as_demo_however_it_is_given(tmp_path):
    root = demo.make("gtzan", "smoke", tmp_path)
    for given in (root, root.parent, root.parent.parent):
        corpus = corpora.find(given, "gtzan")
        assert (corpus.evidence, corpus.facts["null"], corpus.facts["groups_per_class"]) == ("demo", False, 4)
    assert corpus.counts() == {"classical": 4, "jazz": 4, "metal": 4, "pop": 4}
    for item in corpus.items:
        samples, rate = soundfile.read(item.path)
        assert (len(samples), rate) == (661_500, 22_050)
        assert np.abs(samples).max() <= 10 ** (-1 / 20)
        assert -30 <= 20 * np.log10(np.sqrt(np.mean(samples**2))) <= -10
    assert finding.recognise(root.parent) == [("gtzan", root)]


def test_shuffled_labels_keep_counts_and_take_equal_shares_of_each_class():
    labels = ["a"] * 8 + ["b"] * 8 + ["c"] * 8 + ["d"] * 8
    mixed = jobs.shuffled(labels, 0)
    assert Counter(mixed) == Counter(labels)
    assert Counter(zip(labels, mixed, strict=True)) == {(true, new): 2 for true in "abcd" for new in "abcd"}
    assert mixed != jobs.shuffled(labels, 1)


@pytest.mark.needs_data("gtzan")
def test_published_gtzan(published):
    corpus = evidence.settled(corpora.find(published("gtzan"), "gtzan"))
    assert corpus.evidence == "published"
    assert len(corpus.items) in (999, 1000)
    assert len({item.group for item in corpus.items if item.label == "jazz"}) in (86, 87)
