"""Probes and measures on encodings whose answer one can work out by hand."""

import numpy as np
import pytest

from common import probes

LINE = np.array([0.0, 1.0, 2.0, 10.0, 11.0, 12.0])[:, None]
SIDES = np.repeat([0, 1], 3)


def test_a_probe_is_judged_on_what_it_was_not_fitted_on():
    assert probes.logistic_accuracy(LINE, SIDES, LINE + 0.25, 1 - SIDES) == 0.0
    assert probes.logistic_accuracy(LINE, SIDES, np.array([[3.0], [8.0], [2.0], [9.0]]), np.array([0, 1, 1, 1])) == 0.75
    assert probes.logistic(LINE, SIDES).predict([[-5.0], [20.0]]).tolist() == [0, 1]


def test_five_neighbours_vote_or_as_many_as_there_are():
    codes = np.array([0, 0, 1, 1, 1, 0])
    assert probes.neighbour_accuracy(LINE, codes, np.array([[0.0]]), np.array([1])) == 1.0  # 2 against 3 of five
    assert probes.neighbour_accuracy(LINE[:3], codes[:3], np.array([[0.0]]), np.array([0])) == 1.0


def test_the_commonest_class_of_training_is_asked_of_the_test():
    assert probes.majority_rate(np.array([2, 2, 5]), np.array([5, 5, 5, 2])) == 0.25


def test_silhouettes_by_hand_and_where_nothing_separates():
    # a: own 1.5, 1, 1.5; other side 11, 10, 9; and the same mirrored
    expected = (1 - 1.5 / 11 + 1 - 1 / 10 + 1 - 1.5 / 9) / 3
    assert probes.silhouette(LINE, SIDES) == pytest.approx(expected)
    assert probes.silhouette(np.ones((6, 2)), SIDES) == 0.0  # constant
    assert probes.silhouette(LINE, np.zeros(6)) == 0.0  # one class
    assert probes.silhouette(LINE[:2], np.array([0, 1])) == 0.0  # every point a class
    assert probes.silhouette(LINE, SIDES, most=5) != pytest.approx(expected)  # five of the six
    assert probes.silhouette(LINE, SIDES, most=6) == pytest.approx(expected)


def test_principal_axes_are_those_of_the_fit():
    fit = np.array([[-2.0, 0.0, 0.0], [2.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 1.0, 0.0]])
    points, shares = probes.principal_components(fit, np.array([[4.0, 3.0, 9.0]]))
    assert np.abs(points).tolist() == [[pytest.approx(4), pytest.approx(3)]]
    assert shares.tolist() == pytest.approx([0.8, 0.2])


def test_spreads_and_distances_of_classes():
    x = np.array([[0.0, 0.0], [2.0, 0.0], [10.0, 0.0], [10.0, 4.0]])
    y = np.array([7, 7, 3, 3])
    assert probes.class_spreads(x, y).tolist() == [4.0, 1.0]  # of class 3, then of class 7
    away = probes.centroid_distances(x, y)
    assert away[0, 1] == away[1, 0] == pytest.approx(np.hypot(9, 2) / np.sqrt(2.5)) and away[0, 0] == 0
    assert np.isnan(probes.centroid_distances(np.ones((4, 2)), y)).all()


def test_neighbours_are_others_than_oneself():
    assert probes.neighbour_impurity(LINE, SIDES, 2).tolist() == [0.0, 0.0]
    assert probes.neighbour_impurity(LINE, SIDES).tolist() == pytest.approx([0.6, 0.6])  # of five others three
    # 40 points in a row, twenty of a class: the first has nineteen of its own nearest and then one of the other
    row = np.arange(40.0)[:, None] + np.where(np.arange(40) < 20, 0.0, 100.0)[:, None]
    assert probes.neighbour_impurity(row, np.repeat([0, 1], 20)) == pytest.approx([0.05, 0.05])
    steps = np.array([0.0, 1.0, 3.0, 10.0, 11.0, 13.0])[:, None]
    assert probes.same_group(steps, list("aabbcc")).tolist() == [True, True, False, False, False, True]


def test_scores_by_hand():
    found = probes.scores(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]), 3)
    assert found["accuracy"] == 0.75 and found["confusion"].tolist() == [[2, 1, 0], [0, 1, 0], [0, 0, 0]]
    assert found["precision"].tolist() == [1, 0.5, 0]
    assert found["recall"].tolist() == pytest.approx([2 / 3, 1, 0])
    assert found["f1"].tolist() == pytest.approx([0.8, 2 / 3, 0])


def test_what_a_reconstruction_explains_beyond_silence():
    x = np.array([[3.0, 4.0]])
    assert probes.r_squared(x, x) == 1 and probes.r_squared(x, 0 * x) == 0 and probes.r_squared(x, -x) == -3
    assert probes.r_squared(x, np.array([[3.0, 0.0]])) == pytest.approx(9 / 25)


def test_mean_distance_is_that_of_all_pairs():
    images = np.random.default_rng(0).random((5, 3, 2))
    pairs = [np.abs(images[i] - images[j]).mean() for i in range(5) for j in range(i)]
    assert probes.mean_distance(images) == pytest.approx(np.mean(pairs))
    assert probes.mean_distance(np.ones((4, 2))) == 0 and probes.mean_distance(np.ones((1, 2))) == 0
