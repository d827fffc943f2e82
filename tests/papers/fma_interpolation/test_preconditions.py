"""What a network that learnt nothing, or a still image, must not be credited with; and intervals over artists."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from common import claims, intervals, training
from common.findings import collect, where_learnt
from papers.fma_interpolation import classifiers, evaluate, facts, findings_genres as genres, measured
from papers.fma_interpolation.findings import FINDINGS, MUST_HAVE_LEARNT
from papers.fma_interpolation.measured import Measured
from tests.papers.fma_interpolation.test_findings import (
    ALL,
    ONE,
    PAPER,
    STRIPES,
    again,
    classical,
    codes,
    contest,
    fits,
    history,
    networks,
    peak,
    right,
)

ROWS = {claim.id: claim for claim in claims.read_claims(facts.CLAIMS)}


# ---------------------------------------------------------------- networks that learnt nothing

def results_of(m):
    asked = {claim: FINDINGS[claim] for claim in MUST_HAVE_LEARNT}
    return where_learnt(collect(asked, m), MUST_HAVE_LEARNT, genres.learnt(m))


def test_the_networks_that_must_have_learnt_are_those_that_the_claim_names():
    assert set(MUST_HAVE_LEARNT) == {claim for claim in FINDINGS if claim.startswith(("Q4-", "Q6-"))}
    assert {claim: sorted(names) for claim, names in MUST_HAVE_LEARNT.items()} == {
        claim: sorted(named(claim)) for claim in MUST_HAVE_LEARNT}


def named(claim):
    """The networks in a claim's id: Q6-cnn2-cnn1 is about cnn_2 and cnn_1."""
    return [genres.NETWORKS[word.upper()] for word in claim.split("-")[1:]]


@pytest.mark.parametrize("claim", ["Q6-cnn2-cnn1", "Q6-rnn-cnn1", "Q6-rnn-cnn2"])
def test_two_networks_are_compared_where_both_learnt(claim):
    names = named(claim)
    assert "not_testable" not in results_of(codes(**dict.fromkeys(names, ALL)))[claim]
    for constant in names:
        entry = results_of(codes(**(dict.fromkeys(names, ALL) | {constant: ONE})))[claim]
        assert abs(entry["value"]) == 0.75  # kept
        assert entry["not_testable"] == (f"the model did not learn: {constant}, accuracy on held-out images, "
                                         "0.25 against 0.25")


def epochs(name, values, answers=ALL):
    """A run of one network with these validation accuracies, and answers after its last epoch."""
    lines = [line | {"validation/accuracy": value} for line, value in zip(history(len(values)), values, strict=True)]
    return Measured(PAPER, networks=networks({name: answers}, **{name: lines}))


@pytest.mark.parametrize("claim", ["Q4-cnn1", "Q4-cnn2", "Q4-rnn"])
def test_the_best_epoch_of_a_constant_network_is_not_judged(claim):
    name, = named(claim)
    dropping = [0.3, 0.5, 0.4, 0.4]
    assert "not_testable" not in results_of(epochs(name, dropping))[claim]
    assert "did not learn" in results_of(epochs(name, dropping, ONE))[claim]["not_testable"]
    for values in ([0.25] * 4, [0.2, 0.5, 0.4, 0.5]):  # constant; back at its best
        entry = results_of(epochs(name, values))[claim]
        assert "value" in entry and entry["not_testable"].startswith("validation accuracy does not drop: ")
    assert FINDINGS["Q4-cnn1"](epochs("cnn_1", [0.25] * 4))["not_testable"] == (
        "validation accuracy does not drop: 0.25 in epoch 1, its best, and 0.25 in the last, 4")
    assert "is not known" in results_of(peak(name, 2))[claim]["not_testable"]  # no answers, so nobody can say


def test_the_evaluation_asks(monkeypatch, tmp_path):
    written = []
    run = SimpleNamespace(seed=0, model_directory=lambda name: tmp_path / name,
                          write_results=lambda *words, **named: written.append(words[1]))
    found = codes(cnn_1=ONE, cnn_2=ALL, rnn=ALL)
    monkeypatch.setattr(training, "outcome", lambda directory: SimpleNamespace(complete=True, step=1))
    monkeypatch.setattr(training, "history", lambda directory: [])
    monkeypatch.setattr(measured, "measure", lambda *words: (found, {}))
    monkeypatch.setattr(facts, "storage", lambda *words: {})
    monkeypatch.setattr(facts, "data", lambda *words: {})
    monkeypatch.setattr(evaluate.pages, "sections", lambda *words: [])
    evaluate.evaluate(PAPER, None, run)
    results, = written
    assert "cnn_1" in results["Q6-cnn2-cnn1"]["not_testable"] and "not_testable" not in results["Q6-rnn-cnn2"]


@pytest.mark.parametrize(("complete", "diverged", "partial", "whole"), [
    (True, None, False, True), (False, {"step": 9}, False, True), (False, None, True, False)])
def test_a_run_is_evaluated_whole_or_in_part(monkeypatch, tmp_path, complete, diverged, partial, whole):
    jobs = len(evaluate.train.jobs(PAPER))
    written = []
    run = SimpleNamespace(seed=0, directory=tmp_path, model_directory=lambda name: name,
                          write_results=lambda *words, **named: written.append(words))
    outcomes = {"rnn": SimpleNamespace(complete=complete, diverged=diverged, step=70), "cnn_1": None}
    trained = SimpleNamespace(complete=True, diverged=None, step=1)
    monkeypatch.setattr(training, "outcome", lambda name: outcomes.get(name, trained) if partial or name == "rnn"
                        else trained)
    monkeypatch.setattr(training, "history", lambda directory: [])
    monkeypatch.setattr(measured, "measure", lambda *words: (Measured(PAPER), {}))
    for name in ("everything", "storage", "data"):
        monkeypatch.setattr(facts, name, lambda *words, name=name: {name: {"value": 1}})
    monkeypatch.setattr(evaluate.pages, "sections", lambda *words: [])
    if partial:
        with pytest.raises(training.TrainingError, match=": cnn_1, rnn not trained to the end"):
            evaluate.evaluate(PAPER, None, run)
    evaluate.evaluate(PAPER, None, run, partial)
    (_, results, _, _, step, complete), = written
    assert complete == whole and step == 70 + (jobs - 2 if partial else jobs - 1)
    assert {"everything", "storage", "data", *FINDINGS} == set(results)


def test_the_time_of_an_evaluation_is_that_of_its_classical_fits_in_hours(monkeypatch):
    monkeypatch.setattr(classifiers, "estimate", lambda *words: {"DT": 3600.0, "SVM": 1800.0})
    assert evaluate.estimate(PAPER, None) == ("classical fits: 1.50 h on one core, divided among the cores (decision "
                                              "tree 1.00, SVM 0.50)")


# ---------------------------------------------------------------- a still image

def test_a_decoder_that_gives_the_mean_image_does_not_meet_the_rules_of_the_flux():
    """The mean image ends unlike it begins, so that it has a flux of its own where it follows itself."""
    joined = again(joins=((0, 2), (1, 3))).reconstructions
    for height in (0.2, 0.09, 0.8):  # the originals' flux; less than half of it; four times it
        mean = 0.5 + height * STRIPES
        still = dataclasses.replace(joined, mean=mean, outputs=dict.fromkeys(joined.outputs, np.stack([mean] * 4)))
        for claim in ("U1-flux", "U1-flux-kept"):
            row, entry = ROWS[claim], FINDINGS[claim](Measured(PAPER, reconstructions=still))
            assert entry["value"] == pytest.approx(np.log2(height / 0.2))
            meets = entry["value"] < row.threshold if row.rule == "interval <" else entry["value"] > row.threshold
            assert ("not_testable" in entry) == meets, (claim, height)


def test_a_decoder_is_judged_where_the_still_image_does_not_meet_the_rule():
    flat = again(baseline=0.15, joins=((0, 2), (1, 3)))  # a flat mean image has no flux
    assert "not_testable" not in FINDINGS["U1-flux-kept"](flat)
    assert FINDINGS["U1-flux"](flat)["not_testable"].startswith("the mean image meets the rule as well, with -12.")
    loud = dataclasses.replace(flat.reconstructions, mean=0.5 + 0.8 * STRIPES)
    assert "not_testable" not in FINDINGS["U1-flux"](Measured(PAPER, reconstructions=loud))


def test_the_bounds_of_the_flux_are_those_of_the_rules():
    assert {**FINDINGS["U1-flux"].keywords, **FINDINGS["U1-flux-kept"].keywords} == {
        "at_most": ROWS["U1-flux"].threshold, "at_least": ROWS["U1-flux-kept"].threshold}


# ---------------------------------------------------------------- the best of all nine

def nine(follow, svm, regression, network=0):
    """SVM and logistic regression find so many of 18 test chunks, the networks 0.203 at best; `network` as above."""
    found = {name: [right({"SVM": svm, "LR": regression}.get(name, 0))] * len(grid)
             for name, grid in classifiers.GRIDS.items()}
    return dataclasses.replace(contest(0, network, follow), classical=classical(fits(found)))


@pytest.mark.parametrize("follow, times", [("paper", 1), ("code", 2)])
def test_the_best_other_on_the_same_chunks_is_compared_chunk_by_chunk(follow, times):
    """Of two protocols (`code`), whose parts are the same here, each chunk stands for two answers."""
    entry = FINDINGS["X-BEST"](nine(follow, 12, 9))
    assert entry["value"] == pytest.approx(3 / 18) and entry["n"] == 18 * times
    values = dict(zip(entry["groups"]["names"], entry["groups"]["values"], strict=True))
    expected = dict.fromkeys(map(str, range(4, 13)), 0.0) | {"8": 0.5, "9": 1.0}
    assert values == pytest.approx(expected, abs=1e-9)
    assert entry["groups"]["of"] == "artists" and entry["groups"]["weights"] == [2 * times] * 9


def test_a_network_on_other_images_varies_by_its_own_artists():
    m = nine("paper", 9, 0, network=2)  # artists 4 to 12 have two chunks each, artists 0 to 3 one image each
    entry = FINDINGS["X-BEST"](m)
    assert entry["value"] == pytest.approx(9 / 18 - 0.203) and entry["n"] == 18 + 4
    values, weights = intervals.table([entry["groups"]])
    assert (values * weights).sum() / weights.sum() == pytest.approx(entry["value"])
    influence = [*np.add.reduceat((np.arange(18) < 9) - 0.5, np.arange(0, 18, 2)) / 18,
                 *((np.arange(4) < 2) - 0.5) / -4]
    assert intervals.variances(values, weights)[0] == pytest.approx(13 / 12 * np.square(influence).sum())


@pytest.mark.parametrize("m", [nine("paper", 12, 9), nine("code", 12, 9), nine("paper", 9, 0, network=2)])
def test_three_seeds_of_one_value_have_an_interval_all_the_same(m):
    entry = FINDINGS["X-BEST"](m)
    low, high = intervals.of_groups([entry["groups"]] * 3)
    assert low < entry["value"] - 0.01 and high > entry["value"] + 0.01
