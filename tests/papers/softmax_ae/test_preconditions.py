"""What a network that learnt nothing must not be credited with; no constant beats chance."""

from types import SimpleNamespace

import numpy as np
import pytest

from common import training
from common.findings import collect, where_learnt
from papers.softmax_ae import config as settings, evaluate, measures
from papers.softmax_ae.findings import FINDINGS, MUST_HAVE_LEARNT
from tests.papers.softmax_ae.fabricated import logits, measured, naming, view

Y = np.tile([0, 1, 2, 3], 5)
UNEVEN = np.repeat([0, 1, 2, 3], [13, 3, 2, 2])  # 65 % are of class 0
GOOD, CONSTANT = naming(Y, 20), logits(np.zeros(20, int))


def results_of(run):
    return where_learnt(collect({claim: FINDINGS[claim] for claim in MUST_HAVE_LEARNT}, run), MUST_HAVE_LEARNT,
                        measures.learnt(run))


def network(hybrid=GOOD, plain=GOOD, alone=GOOD, unheard=GOOD):
    """A run whose networks answer so on held-out segments."""
    return measured(view(Y, logits=hybrid, two_layer=plain), view(Y, heard=False, logits=unheard),
                    alone={part: alone for part in ("train", "dev", "test")})


def test_what_is_asked_stands_in_the_tables():
    assert set(MUST_HAVE_LEARNT) <= set(FINDINGS)
    assert {name for names in MUST_HAVE_LEARNT.values() for name in names} <= set(measures.learnt(network()))
    assert all("not_testable" not in entry for entry in results_of(network()).values())


@pytest.mark.parametrize("constant, named, claims", [
    ("hybrid", "deep_softmax", {"B-F4a", "R12a", "R12b", "R16b", "R16c"}), ("plain", "two_layer", {"R12a"}),
    ("alone", settings.ALONE, {"R12b"}), ("unheard", "deep_softmax_unheard", {"R16b"})])
def test_a_claim_is_not_judged_unless_each_of_its_networks_learnt(constant, named, claims):
    run = network(**{constant: CONSTANT})
    found = results_of(run)
    assert {claim for claim, entry in found.items() if "not_testable" in entry} == claims
    for claim in claims:
        assert found[claim]["value"] == FINDINGS[claim](run)["value"]  # kept
        assert found[claim]["not_testable"] == f"the model did not learn: {named}, held-out accuracy, 0.25 against 0.25"


@pytest.mark.parametrize("code", range(4))
def test_a_constant_beats_no_chance_on_uneven_classes(code):
    answer = {"logits": logits(np.full(20, code)), "two_layer": GOOD}
    run = measured(view(UNEVEN, **answer), view(UNEVEN, heard=False, **answer))
    for claim, most in (("B-F4a", 0.65), ("R16c", 0.65)):
        entry = FINDINGS[claim](run)
        assert entry["value"] == pytest.approx(np.mean(UNEVEN == code) - most) and entry["value"] <= 1e-12
        assert entry["baselines"]["one class"] == pytest.approx(most)


def test_the_commonest_class_is_counted_in_tracks_where_tracks_vote():
    y, tracks = np.repeat([0, 1, 2], [10, 4, 6]), np.repeat(list("abcdef"), [10, 2, 2, 2, 2, 2])
    far = view(y, tracks=tracks, heard=False, logits=logits(y), classes=("a", "b", "c"))
    assert FINDINGS["R16c"](measured(far))["baselines"]["one class"] == pytest.approx(3 / 6)
    y, tracks = np.repeat([0, 1, 2], [12, 4, 4]), np.repeat(list("abcde"), [12, 2, 2, 2, 2])
    far = view(y, tracks=tracks, heard=False, logits=logits(y), classes=("a", "b", "c"))
    assert FINDINGS["R16c"](measured(far))["baselines"]["one class"] == pytest.approx(2 / 5)  # of segments 12 / 20


def test_the_evaluation_asks(monkeypatch, tmp_path):
    written = []
    run = SimpleNamespace(seed=0, directory=tmp_path, model_directory=lambda name: tmp_path / name,
                          write_results=lambda *words: written.append(words))
    monkeypatch.setattr(training, "outcome", lambda directory: SimpleNamespace(complete=True, step=5))
    monkeypatch.setattr(evaluate, "measure", lambda *words: network(plain=CONSTANT))
    monkeypatch.setattr(evaluate.figures, "sections", lambda *words: [])
    monkeypatch.setattr(evaluate, "notes", lambda *words: {})
    monkeypatch.setattr(evaluate, "FINDINGS", {"R12a": FINDINGS["R12a"], "R12b": FINDINGS["R12b"]})
    monkeypatch.setattr(evaluate, "FACTS", {})
    evaluate.evaluate(settings.Config(), None, run)
    found = written[0][1]
    assert "two_layer" in found["R12a"]["not_testable"] and "not_testable" not in found["R12b"]
