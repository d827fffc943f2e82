"""A model that did not learn: what is measured on it, or compared with it, keeps its value and is not judged."""

import dataclasses
from types import SimpleNamespace

from common.findings import collect
from papers.lord_transfer import evaluate
from tests.papers.lord_transfer.fabricated import CONFIG, model
from tests.papers.lord_transfer.test_findings import CLAIMS, ONE, TABLE, genre

ENTRIES = {"N1": {"value": 1.0}, "A-leak": {"value": 2.0}, "S1": {"not_testable": "too short"},
           "G1-transfer-rock-folk": {"value": 3.0}, "R-inversion": {"value": 4.0}}
PAIRS = {"Instrumental-Pop": model(errors=0.17 * ONE), "Rock-Folk": model()}  # the first did not learn, the second did


def test_a_comparison_says_nothing_of_a_first_pair_that_did_not_learn():
    """Another pair's did, which is all that claims.csv asks; a claim about one pair and one without a value stay."""
    known = evaluate.learnt(PAIRS)
    assert evaluate.asked_of_the_first(ENTRIES, known, "lord-rock-folk") == ENTRIES
    reason = {"not_testable": "the model did not learn: lord-instrumental-pop, held-out identity error against the "
                              "class's mean or median picture, 0.17 against 0.15"}
    assert evaluate.asked_of_the_first(ENTRIES, known, "lord-instrumental-pop") == ENTRIES | {
        "N1": {"value": 1.0} | reason, "A-leak": {"value": 2.0} | reason}


def test_what_is_measured_on_the_first_pair():
    entries = {claim: {"value": 1.0} for claim in CLAIMS}
    found = evaluate.asked_of_the_first(entries, evaluate.learnt(PAIRS), "lord-instrumental-pop")
    assert {claim for claim, entry in found.items() if "not_testable" in entry} == {
        "C1-identity", "C1-target", "N1", "N3", "L2", "L3", "L4", "L5", "L4-substitute", "L5-substitute", "S1",
        "S2-smooth", "S2-quality", "S3", "S4", "G3", "A-leak"}


def test_results_say_that_the_first_pair_did_not_learn(monkeypatch):
    written = {}

    def measure(config, store, run, name, pair):
        return PAIRS[pair]

    def write_results(store, results, sections, notes, learnt, **more):
        written.update(results=results, learnt=learnt)

    monkeypatch.setattr(evaluate, "measure", measure)
    monkeypatch.setattr(evaluate, "trained_outcomes", lambda *words: {})
    monkeypatch.setattr(evaluate, "siblings", lambda *words: {})
    monkeypatch.setattr(evaluate, "figures_and_sound", lambda *words: [])
    monkeypatch.setattr(evaluate.facts, "counts", lambda *words: {})
    monkeypatch.setattr(evaluate, "FINDINGS", {"fma_medium": {"A-leak": TABLE["A-leak"]}})
    config = dataclasses.replace(CONFIG, data_set="fma_medium", genre_pairs=" ".join(PAIRS), ablations=False)
    evaluate.evaluate(config, SimpleNamespace(parameters={"corpus": {"evidence": "demo"}}),
                      SimpleNamespace(write_results=write_results))
    assert written["learnt"]["lord-rock-folk"]["learnt"] and written["results"]["A-leak"]["value"] == 0.5
    assert "the model did not learn: lord-instrumental-pop" in written["results"]["A-leak"]["not_testable"]


def test_instruments_are_not_compared_with_a_genre_model_that_did_not_learn():
    measured = genre(0.75)
    measured.others["fma_medium"]["learnt"]["lord-rock-folk"]["learnt"] = False
    assert "a model that learnt" in collect({"I1": TABLE["I1"]}, measured)["I1"]["not_testable"]
