"""Two models are compared where both have learnt; in the made-up world of test_findings."""

import dataclasses
from types import SimpleNamespace

import pytest

from common.findings import collect
from papers.musae import evaluate, findings, measured, preconditions
from tests.papers.musae.test_findings import ALL, FLOWER_MODEL, TABLE, world


@pytest.fixture(scope="module")
def as_the_paper():
    return world(False)


class Listening(measured.Measured):
    """Keeps the names of the models that a finding looks at."""

    def model(self, name):
        """A model, its name kept."""
        self.seen.add(name)
        return super().model(name)


MODELS = sorted({name for pair in preconditions.COMPARED.values() for name in pair})
ASK_ELSE = ("L16", "S-", "G3", "G4")  # whether one learns, what a setting or another start costs, seconds


@pytest.mark.parametrize("claim", [claim for claim in TABLE.values() if claim.kind == "finding" and claim.rule
                                   and not claim.id.startswith(ASK_ELSE)], ids=lambda claim: claim.id)  # fmt: skip
def test_every_model_that_a_finding_looks_at_must_have_learnt(claim, as_the_paper):
    """By the needs of claims.csv, one model each, or by COMPARED."""
    listening = Listening(**vars(as_the_paper))
    listening.seen = set()
    ALL[claim.id](listening)
    needed = {value for key, _, value in claim.needs if key == "learnt" and "|" not in value}
    assert listening.seen <= needed | set(preconditions.COMPARED.get(claim.id, ()))


@pytest.fixture
def evaluated(as_the_paper, monkeypatch):
    """The results of the made-up run in which this model, if any, has learnt nothing."""

    def results(name):
        known = findings.learnt(as_the_paper)
        known |= {name: known[name] | {"value": 0.25, "baseline": 0.5, "learnt": False}} if name else {}
        monkeypatch.setattr(evaluate.train, "jobs", lambda config: {})
        monkeypatch.setattr(evaluate.page, "sections", lambda *_: [])
        monkeypatch.setattr(evaluate.measured, "measure", lambda *_: as_the_paper)
        monkeypatch.setattr(evaluate.findings, "learnt", lambda _: known)
        written = []
        run = SimpleNamespace(write_results=lambda store, results, *_, learnt: written.append((results, learnt)))
        evaluate.evaluate(as_the_paper.config, None, run)
        ((found, stated),) = written
        assert stated == known
        return found

    return results


@pytest.mark.parametrize("unlearnt", [None, *MODELS])
def test_a_difference_to_a_model_that_learnt_nothing_is_shown_and_not_judged(unlearnt, as_the_paper, evaluated):
    """Every claim keeps its value; those that compare this model with another say why they are not judged."""
    plain, found = collect(ALL, as_the_paper), evaluated(unlearnt)
    what = "held-out accuracy of four tracks, commonest token of each step"
    reason = {"not_testable": f"the model did not learn: {unlearnt}, {what}, 0.25 against 0.5"}
    compared = {claim for claim in found if unlearnt in preconditions.COMPARED.get(claim, ())}
    assert found == {claim: plain[claim] | (reason if claim in compared else {}) for claim in plain}
    if unlearnt == "16bar-musicvae-hierarchical":
        assert compared == {"M2-T3", "M2-T4", "M2-T5", "M2-T8"}


def test_a_comparison_that_is_not_run_keeps_its_own_reason(as_the_paper):
    alone = dataclasses.replace(as_the_paper, models={FLOWER_MODEL: as_the_paper.models[FLOWER_MODEL]})
    found = collect(findings.FINDINGS, alone)
    told = preconditions.asked(found, {FLOWER_MODEL: {"learnt": False}})
    assert told == found and told["Q1-dbgs"] == {"not_testable": "16bar-gaussian is not trained here"}
