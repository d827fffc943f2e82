"""Every claim of every paper has its positive and its negative control; one without fails here.

Of a claim: a made-up result that meets its rule and all its needs, and one that does not meet the rule. Of a finding,
beside that, made-up measurements that give it, and others (noise, a constant, the effect reversed) that do not: the
papers' own tests of findings list them by claim id.
"""

import importlib

import pytest

from common import claims
from common.report import collect

PAPERS = {paper.name: paper for paper in collect.papers(collect.ROOT / "papers")}
RULED = [(name, claim) for name, paper in PAPERS.items() for claim in paper.claims if claim.rule]
ANSWERS = {"number": ("matches", "differs"), "finding": ("holds", "fails"), "fact": ("holds", "fails")}
MEASURED = {"fma_interpolation": "test_findings", "lord_transfer": "test_findings", "musae": "test_findings",
            "softmax_ae": "test_known_answers", "symphony2vec": "test_findings"}


def made_up(claim):
    """(a value that meets the rule, one that does not)."""
    limit, far = claim.threshold, 1 + abs(claim.threshold)
    return {"within": lambda: (claim.reported, claim.reported + 2 * far), "abs <=": lambda: (limit, 2 * far),
            "at least": lambda: (limit, limit - far), "at most": lambda: (limit, limit + far),
            "interval >": lambda: (limit + far, limit - far),
            "interval <": lambda: (limit - far, limit + far)}[claim.rule]()


def runs(paper, claim, value):
    """Three seeds on the paper's own corpus that meet every need of a claim, and have this value."""
    needs = {key: wanted.split("|")[0] for key, _, wanted in claim.needs}
    learnt = {wanted.split("|")[0]: {"what": "made up", "value": 1, "baseline": 0, "learnt": True}
              for key, _, wanted in claim.needs if key == "learnt"}
    facts = {key: wanted for key, wanted in needs.items()
             if key not in ("seeds", "follow", "corpus", "preset", "evidence", "learnt")}
    corpus = {"name": needs.get("corpus", paper.settings.DATA_SETS[0]), "evidence": "published", "fingerprint": "f"}
    return [{"paper": paper.name, "corpus": corpus, "preset": needs.get("preset", "full"), "seed": seed,
             "follow": needs.get("follow", "paper"), "complete": True, "claims_sha256": "c", "facts": facts,
             "learnt": learnt, "results": {claim.id: {"value": value}}} for seed in range(3)]


@pytest.mark.parametrize("name", PAPERS)
def test_every_rule_can_say_yes_and_no(name):
    paper, told = PAPERS[name], {}
    for claim in (claim for one, claim in RULED if one == name):
        told[claim.id] = tuple(claims.judge([claim], runs(paper, claim, value), "c")[claim.id].word
                               for value in made_up(claim))
    wanted = {claim.id: ANSWERS[claim.kind] for one, claim in RULED if one == name}
    assert told == wanted and len(told) > 50


@pytest.mark.parametrize("name", PAPERS)
def test_every_finding_has_measurements_that_give_it_and_others_that_do_not(name, monkeypatch):
    """`controls()` of the paper's test: {claim id: its values on made-up measurements}."""
    tests = importlib.import_module(f"tests.papers.{name}.{MEASURED[name]}")
    if hasattr(tests, "bass"):
        monkeypatch.setattr(tests.melody, "bass_share", tests.bass)
    found = tests.controls()
    told = {claim.id: {satisfied(claim, value) for value in found.get(claim.id, ())}
            for one, claim in RULED if one == name and claim.kind == "finding"}
    assert told and {claim: answers for claim, answers in told.items() if answers != {True, False}} == {}


def satisfied(row, value):
    """Whether one exact value would meet a claim's rule; a reason in its place meets none."""
    if isinstance(value, str):
        return False
    return {"within": abs(value - (row.reported or 0)) <= row.threshold + 1e-9, "abs <=": abs(value) <= row.threshold,
            "at least": value >= row.threshold, "at most": value <= row.threshold,
            "interval >": value > row.threshold, "interval <": value < row.threshold}[row.rule]


@pytest.mark.parametrize("name", PAPERS)
def test_no_claim_stands_in_two_rows(name):
    """The same words, or the same rule on the same value under the same needs: one row with several places."""
    rows = [claim for claim in PAPERS[name].claims if claim.rule]
    words = [claim.claim.lower() for claim in rows]
    assert len(set(words)) == len(words)
    table = importlib.import_module(f"papers.{name}.findings").FINDINGS
    table = {claim: one for part in table.values() for claim, one in part.items()} if name == "lord_transfer" else table
    asked = [(table[c.id], c.reported, c.needs, c.rule_text) for c in rows if c.id in table]
    assert len(set(asked)) == len(asked) > 40
