"""The page's tables show what was measured: fabricated runs, cells worked out by hand."""

import numpy as np
import pytest

from papers.softmax_ae import config as settings, page_tables
from papers.softmax_ae.facts import logged
from papers.softmax_ae.measures import ENCODINGS, Other
from tests.papers.softmax_ae.fabricated import logits, measured, naming, view

Y = np.tile([0, 1, 2, 3], 5)
APART = np.eye(4)[Y] * 10
TRACKS = [f"track {i % 4}" for i in range(20)]  # one of each class, five segments


def run(**more):
    heard = {"train": naming(Y, 20), "dev": naming(Y, 15), "test": naming(Y, 10)}
    own = view(Y, tracks=TRACKS, logits=heard, two_layer={"train": naming(Y, 5), "dev": naming(Y, 5), "test": naming(
        Y, 0)}, raw=APART, x_hat=APART / 2, vanilla_x_hat=0 * APART)
    far = view(Y, tracks=TRACKS, heard=False, logits=naming(Y, 14), two_layer=naming(Y, 4), raw=APART)
    return measured(own, far, alone=naming(Y, 5), **more)


def cells(table, *start):
    return next(row for row in table["rows"] if tuple(row[:len(start)]) == start)[len(start):]


def test_table_1_has_parts_unheard_segments_and_tracks():
    table = page_tables.table_1(run())
    assert table["columns"] == ["network", "train", "dev", "test", "unheard tracks: segments", "unheard tracks: tracks"]
    # the first 14 of 20 are right: three of five segments of two tracks, four of the others
    assert cells(table, "Deep Softmax Autoencoder") == ["1.000", "0.750", "0.500", "0.700", "1.000"]
    assert cells(table, "Two-layer network") == ["0.250", "0.250", "0.000", "0.200", "0.000"]
    assert cells(table, "DSAE without reconstruction (classifier alone)") == ["0.250"] * 3 + ["", ""]
    assert cells(table, "Loudness only")[3:] == ["0.250", "0.250"]
    assert cells(table, "Majority class") == ["0.250"] * 4 + [""]
    assert page_tables.table_1(measured(view(Y, no_test=True)))["rows"][0][3] == ""


def test_table_2_is_given_for_every_held_out_part():
    y = np.repeat([0, 1, 2, 3], 5)
    predicted = np.where(np.arange(20) == 0, 1, y)  # one classical taken for jazz
    table = page_tables.table_2(measured(view(y, logits={"dev": logits(y), "test": logits(predicted),
                                                         "train": logits(y)})))
    assert cells(table, "dev", "jazz") == ["1.000", "1.000", "1.000", "20"]
    assert cells(table, "test", "classical") == ["1.000", "0.800", "0.889", "20"]
    assert cells(table, "test", "jazz")[:3] == ["0.833", "1.000", "0.909"]
    alone = page_tables.table_2(measured(view(y, no_test=True)))
    assert {row[0] for row in alone["rows"]} == {"dev"} and alone["rows"][0][-1] == "40"


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_encodings_table_has_every_encoding_on_every_part():
    table = page_tables.encodings_table(run())
    assert table["columns"] == ["encoding", "measure", "unit", "train", "dev", "test", "unheard tracks", "as drawn"]
    assert len(table["rows"]) == 3 * 2 * len(ENCODINGS) and set(page_tables.LABELS) == set(ENCODINGS)
    raw = "raw, 500 values"
    assert cells(table, raw, "silhouette", "segments")[:4] == ["1.000"] * 4
    assert cells(table, raw, "silhouette", "tracks") == ["0.000"] * 5  # one track a class: nothing to be near
    assert cells(table, raw, "five nearest neighbours", "segments")[:4] == ["1.000"] * 4
    assert cells(table, raw, "accuracy", "segments") == cells(table, raw, "accuracy", "tracks") == ["1.000"] * 5
    assert cells(table, "vanilla bottleneck, 64", "silhouette", "segments") == ["0.000"] * 5
    # of 60 drawn segments 20 + 15 + 10 are right; of the tracks all have more than half right over the three parts
    assert cells(table, "DSAE logits", "accuracy", "segments") == ["1.000", "0.750", "0.500", "0.700", "0.750"]
    # the first 15 of 20: every track has three or four of five; the first 10: two have three, two have two
    assert cells(table, "DSAE logits", "accuracy", "tracks") == ["1.000", "1.000", "0.500", "1.000", "1.000"]
    assert cells(table, raw, "silhouette", "segments")[4] == "1.000"
    assert cells(table, raw, "five nearest neighbours", "segments")[4] == "1.000"
    alone = page_tables.encodings_table(measured(view(Y, no_test=True, raw=APART)))
    assert cells(alone, raw, "accuracy", "segments")[2] == cells(alone, raw, "silhouette", "tracks")[2] == ""


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::sklearn.exceptions.ConvergenceWarning")
def test_tracks_stand_at_the_mean_of_their_segments():
    y = np.repeat([0, 1, 2, 3], 10)
    tracks = [f"track {i // 5}" for i in range(40)]  # two of a class
    sway = np.tile([-30.0, -15.0, 0.0, 15.0, 30.0], 8)[:, None]
    table = page_tables.encodings_table(measured(view(y, tracks=tracks, raw=np.eye(4)[y] * 10 + sway)))
    assert float(cells(table, "raw, 500 values", "silhouette", "segments")[0]) < 0.5
    assert cells(table, "raw, 500 values", "silhouette", "tracks")[:4] == ["1.000"] * 4


def test_the_silhouette_of_tracks_is_of_their_own_segments():
    x = np.array([0.0, 0.0, 0.0, 2.0, 10.0, 12.0])[:, None]
    tracks = np.array(list("AAABCD"))
    # two tracks of a class, 2 apart; the other class is 11 away from A and D, 9 from B and C
    expected = 1 - (2 / 11 + 2 / 9) / 2
    assert page_tables._silhouette_of_tracks(x, np.array([0, 0, 0, 0, 1, 1]), tracks) == pytest.approx(expected)


def test_what_is_kept_stands_beside_its_yardsticks():
    others = {"shallow": Other(explained=0.25), "plain_2": Other(0.9, 0.4), "keep_1.0": Other(0.8, 0.5, 0.125)}
    table = page_tables.kept_table(run(others=others))
    assert dict(table["rows"]) == {
        "silence (all zero)": "0.000", "positive half of every wave (the best of a ReLU)": "1.000",
        "64 principal components": "1.000", "vanilla autoencoder": "0.000", "Deep Softmax Autoencoder": "0.750",
        "shallow": "0.250", "keep 1.0": "0.125"}
    assert page_tables.ablations_table(run(others=others))["rows"] == [
        ["plain 2", "0.900", "0.400", "0.500"], ["keep 1.0", "0.800", "0.500", "0.300"]]


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_logs_stand_beside_the_run_and_only_where_the_genres_are_theirs():
    lines = [{"epoch": 10.0, "metrics/train_accuracy_in_epoch": 0.5, "metrics/dev_accuracy": 0.4}]
    histories = {"two_layer": lines, "deep_softmax": lines}
    table = page_tables.logs_table(run(histories=histories))
    assert table["rows"][0] == ["Two-layer network, train", "this run", "", "0.500", "", "", ""]
    assert table["rows"][1][2:] == [f"{logged('2L', 'train')[epoch]:.3f}" for epoch in (1, 10, 50, 100, 200)]
    assert table["rows"][1][-1] == "0.520" and table["rows"][3][-1] == "0.381"
    assert table["rows"][6][3] == "0.400"
    assert len(page_tables.of_page(run(histories=histories))) == 5
    assert len(page_tables.of_page(run(histories=histories, others={settings.LONGER: Other(0.9, 0.4)}))) == 6
    other = measured(view(Y, raw=APART, x_hat=APART, vanilla_x_hat=APART, classes=tuple("abcd")))
    assert len(page_tables.of_page(other)) == 4
