"""What stands beside a claim's value: baselines and counts of the runs made up in test_known_answers, by hand."""

import numpy as np
import pytest

from common.findings import NotTestable
from papers.softmax_ae import config as settings, data as segments, facts, measures, transitions
from papers.softmax_ae.facts import FACTS
from papers.softmax_ae.findings import FINDINGS
from papers.softmax_ae.measures import Other
from tests.papers.softmax_ae.fabricated import logits, measured, naming, view
from tests.papers.softmax_ae.test_known_answers import (
    APART,
    CASES,
    NOWHERE,
    WAVES,
    Y,
    accuracy,
    kept,
    separating,
    spread,
    told_apart,
    unheard,
)

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::sklearn.exceptions.ConvergenceWarning")
POSITIVE = np.square(np.maximum(WAVES, 0)).sum() / np.square(WAVES).sum()
NOTHING = dict.fromkeys(measures.ENCODINGS, 0.0)
CONTROLS = {"majority": 0.25, "loudness only": 0.25, "power spectrum, linear": 0.25}
BASELINES = {  # claim id -> what stands beside its value in the run in which it is true
    "B-T1-2L-te": CONTROLS,
    "B-T1-DS-tr-long": {"after the epochs of this mode": 0.25},
    "B-T2-C-P": {"dev part": 77 / 99, "test part": 77 / 99},
    "B-LOG-DS-tr": {"epoch 1": 0, "epoch 10": 0, "epoch 50": -0.02, "epoch 100": 0, "epoch 200": 0},
    "R2": NOTHING | {"logits": 1.0},
    "R3a": NOTHING | {"bottleneck": 1.0},
    "R3b": {"bottleneck": 1.0, "vanilla": 0.25, "raw": 0.25, "components": 0.25},
    "R7f": {"classical": 154 / 199, "jazz": 126 / 207, "metal": 120 / 191, "pop": 110 / 203},
    "R7g": {"bottleneck": -np.log(4), "logits": -np.log(4)},
    "R10a": {"DSAE": 0.75, "two-layer": 0.25},
    "R10b": {"DSAE": 0.75, "two-layer": 0.25},
    "R10c": {"DSAE": 0.75, "two-layer": 0.25},
    "R11": {"1 hidden layer": 0.1, "2 hidden layers": 0.5, "3 hidden layers": 0.5, "4 hidden layers": 0.5},
    "R12a": {"DSAE": 0.25, "two-layer": 0.75},
    "R12b": {"DSAE": 0.25, settings.ALONE: 0.75},
    "R12c": {"DSAE": 0.75, settings.ALONE: 0.25},
    "R13a": {"DSAE": 0.1, "pool_1": 0.5, "pool_10": 0.0},
    "R13b": {"DSAE": 0.1, "keep_1.0": 0.5},
    "R14a": {"bottleneck": 1.0, "logits": 0.0, "raw": 0.0, "vanilla": 0.0, "components": 0.0},
    "R15a": {"zero": 0.0, "half-wave": POSITIVE, "PCA-64": 1.0, "vanilla autoencoder": 0.0},
    "R15b": {"DSAE": 1.0, "PCA-64": 1.0, "vanilla autoencoder": 0.0},
    "R16a": {"one class": 0.25},
    "R16b": {"loudness only": 0.25, "DSAE": 0.75, "power spectrum, linear": 0.25},
    "R16c": {"single segments": 0.45},
    "R17": {"shuffled segments": 0.75, "unheard tracks": 0.25, "two-layer, shuffled": 0.25, "two-layer, unheard": 1.0},
    "R18c": {"train": 1.0, "held out": 0.0},
    "R18d": {"train": 1.0, "held out": 0.0},
    "E3": {"right of 2,000": 762},
    "E11b": {"minus the test accuracy": -0.012},
    "L2": {"smallest output": 0.0, "smallest input": WAVES.min()},
}


@pytest.mark.parametrize("claim", BASELINES)
def test_what_stands_beside_a_value_is_what_it_is_called(claim):
    run = CASES[claim][0] if claim in CASES else measured(view(Y))
    found = (FINDINGS | FACTS)[claim](run)["baselines"]
    assert set(found) >= set(BASELINES[claim])
    expected = {name: value for name, value in BASELINES[claim].items()
                if claim != "R14a" or name in ("bottleneck", "logits")}
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-6)


def test_how_many_a_value_is_of():
    run = measured(view(Y))
    counted = {claim: (FINDINGS | FACTS)[claim](CASES[claim][0] if claim in CASES else run)["n"] for claim in (
        "B-T1-2L-tr", "B-T1-2L-te", "B-T2-C-P", "B-LOG-DS-tr", "B-LOG-2L-tr", "R3c", "R10b", "R12a", "R16c", "E3",
        "E11a", "E20", "L1")}
    assert counted == {"B-T1-2L-tr": 20, "B-T1-2L-te": 20, "B-T2-C-P": 400, "B-LOG-DS-tr": 3, "B-LOG-2L-tr": 1,
                       "R3c": 160, "R10b": 20, "R12a": 20, "R16c": 4, "E3": 2000, "E11a": 1000, "E20": 53, "L1": 20}


def test_both_ways_of_counting_training_accuracy_are_shown():
    run = accuracy("two_layer", "train", 10)
    run.histories["two_layer"] = [{"metrics/train_accuracy_in_epoch": 0.4}]
    found = FINDINGS["B-T1-2L-tr"](run)["baselines"]
    assert found == pytest.approx(CONTROLS | {"dropout off": 0.5, "in epoch": 0.4})
    del run.histories["two_layer"]
    assert np.isnan(run.running_accuracy("two_layer"))


def test_the_plane_of_held_out_segments_is_that_of_the_training_part():
    flat = np.zeros((20, 4))
    train, test = flat.copy(), flat.copy()
    train[:, :2] = np.random.default_rng(0).normal(size=(20, 2))
    test[:, 2:] = 10 * np.stack([Y // 2, Y % 2], axis=1)  # apart, but on axes along which nothing was trained
    found = FINDINGS["R18a"](separating(bottleneck={"train": train, "dev": train, "test": test}))["baselines"]
    assert found["held out"] == pytest.approx(0, abs=0.2) and found["share of training points"] == pytest.approx(1 / 3)
    beside = FINDINGS["R1"](told_apart(raw={"train": train, "dev": train, "test": test}))["baselines"]
    assert beside["all 500 values"] == pytest.approx(1)


def test_shuffled_labels_are_less_smooth_and_ablations_stand_beside_the_reconstruction():
    entry = FINDINGS["R3c"](CASES["R3c"][0])
    assert abs(entry["baselines"]["shuffled labels"]) < 0.3 < entry["value"]
    entry = FINDINGS["R3d"](CASES["R3d"][0])
    assert entry["value"] == pytest.approx(entry["baselines"]["logits"] - entry["baselines"]["two_layer"])
    run = kept(0.5)
    others = {"deep_softmax_linear": Other(explained=0.2), "plain_2": Other(0.9, 0.5)}
    found = FINDINGS["R15a"](measured(run.own, others=others))["baselines"]
    assert found["deep softmax linear"] == 0.2 and "plain 2" not in found


def test_the_logs_are_means_over_the_runs_of_the_final_networks():
    assert facts.logged("DS", "train")[200] == pytest.approx((0.8560 + 0.8477 + 0.8393) / 3, abs=1e-4)
    assert facts.logged("DS", "dev")[200] == pytest.approx((0.6135 + 0.6040 + 0.6080) / 3, abs=1e-4)
    assert (facts.logged("2L", "train")[200], facts.logged("2L", "dev")[200]) == pytest.approx((0.52, 0.381), abs=1e-4)


def test_segments_as_they_are_have_mean_zero_and_deviation_one():
    data = segments.Data(WAVES, Y, Y, {}, "", settings.GENRES)
    np.testing.assert_array_equal(data.amplitudes, WAVES)


def test_bands_hold_all_power_from_the_fourth_harmonic_on():
    x = np.random.default_rng(0).normal(size=(3, 500))
    power = np.square(np.abs(np.fft.rfft(x * np.hanning(500), axis=1)))
    bands = measures.band_powers(x)
    assert 25 < bands.shape[1] < 40
    np.testing.assert_allclose(bands.sum(axis=1), power[:, 4:].sum(axis=1))
    np.testing.assert_allclose(bands[:, 0], power[:, 4])  # the lowest bands are one harmonic wide
    assert measures.band_powers(x[:, :4]).shape[0] == 3  # also where a segment has no fourth harmonic


def test_a_silent_segment_is_heard_as_one():
    x = WAVES.copy()
    x[0] = 0
    for part in ("loudness_right", "spectrum_right"):
        assert np.isfinite(getattr(view(Y, raw=x), part)).all()


def test_five_neighbours_vote_and_where_there_are_fewer_all_but_oneself():
    known = np.array([[1.0], [2.0], [3.0], [4.0], [5.0], [60.0]])
    codes = np.array([0, 0, 1, 1, 1, 0])
    assert measures.five_nearest(known, codes, np.zeros((1, 1)), 2).tolist() == [1]  # 2 against 3; four would be even
    assert measures.five_nearest(known, codes, None, 2).tolist() == [1, 1, 0, 0, 0, 1]  # the five others, oneself not


def test_ties_ends_and_emptiness():
    assert transitions.transition(np.eye(4)[Y], Y, 0, 7) == 0.0  # a class without a segment
    assert measures.silhouettes(np.eye(3), np.array([0, 1, 2])).tolist() == [0, 0, 0]  # every segment its own class
    assert measures.silhouettes(APART[:4], np.zeros(4)).tolist() == [0] * 4
    assert measures.silhouettes(NOWHERE, Y).tolist() == [0] * 20
    names, right = measures.track_votes(logits([0, 0, 1, 1]), np.array([0, 0, 0, 0]), np.array(["b", "b", "a", "a"]))
    assert names.tolist() == ["a", "b"] and right.tolist() == [False, True]
    assert np.isnan(measures.share_of_tracks(np.zeros(0), np.zeros(0)))
    assert measures.confused_pairs(np.zeros((2, 2))) == {(1, 0): 0.0}
    assert measures.Other(0.9, 0.4).gap == pytest.approx(0.5) and np.isnan(measures.Other().gap)


def test_at_most_so_many_segments_make_a_silhouette_of_a_part(monkeypatch):
    run = view(Y, raw={"train": APART, "test": NOWHERE})
    assert measures.part_silhouette(run, "raw", "train") == 1 and measures.part_silhouette(run, "raw", "test") == 0
    assert np.isnan(measures.part_silhouette(view(Y, no_test=True), "raw", "test"))
    seen = []
    monkeypatch.setattr(measures, "silhouettes", lambda x, y: seen.append((len(x), len(y))) or np.zeros(len(x)))
    monkeypatch.setattr(measures, "MOST", 7)
    measures.part_silhouette(run, "raw", "train")
    assert seen == [(7, 7)]


def test_silence_is_reconstructed_by_nobody_and_learning_is_asked_of_every_twentieth():
    for share, learnt in ((0.02, False), (0.04, True)):  # explains 1 - (1 - share)^2: .0396 and .0784
        assert measures.learnt(kept(share))["reconstruction"]["learnt"] is learnt
    assert unheard(15).unheard.data.by_track and not unheard(15).own.data.by_track


@pytest.mark.parametrize("right, told", [(8, False), (9, True)])
def test_that_nothing_separates_is_asked_where_something_tells_the_classes_by_two_standard_errors(right, told):
    run = measured(view(Y, logits=naming(Y, right)))  # chance 0.25, of 20 segments: 0.25 + 2 x 0.0968 = 0.444
    for claim in ("R1", "R2"):
        if told:
            assert FINDINGS[claim](run)["value"] == 0
        else:
            with pytest.raises(NotTestable, match="tells these classes apart"):
                FINDINGS[claim](run)
    loud = view(Y, raw=np.ones((20, 4)) * 10.0 ** Y[:, None])
    assert FINDINGS["R2"](measured(loud))["n"] == 20  # a control that tells them is enough


@pytest.mark.parametrize("deviations", [(1, 1, 1, 0), (0, 1, 1, 1), (0, 0, 0, 0)])
def test_where_a_class_does_not_vary_nothing_is_most_spread(deviations):
    for claim, other in (("R7a", 3), ("R7g", 0)):
        run = spread("raw" if claim == "R7a" else "both", *deviations)
        beside = [d for i, d in enumerate(deviations) if i != other]
        if deviations[other] and (max if claim == "R7a" else min)(beside):
            assert FINDINGS[claim](run)["value"] == pytest.approx(0)
        else:
            with pytest.raises(NotTestable, match="do not vary"):
                FINDINGS[claim](run)


def test_an_axis_on_which_nothing_varies_changes_nothing():
    wide = np.concatenate([APART, np.ones((20, 1))], axis=1)
    assert measures.silhouettes(wide, Y).tolist() == [1] * 20
    random = np.random.default_rng(0)
    y = np.repeat([0, 1], 200)
    x = random.normal(size=(400, 2)) + y[:, None]
    wide = np.concatenate([x, np.ones((400, 1))], axis=1)
    assert transitions.transition(wide, y, 0, 1) == pytest.approx(transitions.transition(x, y, 0, 1), abs=1e-9)
    assert transitions.transition(x, y, 0, 1) > 0.3


def test_smoothness_is_the_mean_over_pairs_of_classes():
    random = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], 60)
    x = random.normal(size=(180, 2)) + y[:, None] * np.array([1.0, 0.3])
    pairs = [transitions.transition(x, y, *pair) for pair in ((0, 1), (0, 2), (1, 2))]
    assert len(set(pairs)) == 3 and transitions.smoothness(x, y) == pytest.approx(np.mean(pairs))
