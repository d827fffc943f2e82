"""What keeps a verdict back: each way in which results do not stand, on invented runs of one mode."""

import json

import pytest

from common import provenance, standing
from common.report import collect
from tests.common.fabricated import make_papers, make_run, stands_on, write_results


@pytest.fixture
def papers(tmp_path):
    return make_papers(tmp_path)


def three(tmp_path, papers, odd=None, evidence="demo", **more):
    """Three seeds of one mode; the last stands on something else."""
    for seed in range(3):
        make_run(tmp_path / "runs", papers, "sound", seed, evidence=evidence, media=False,
                 stands=odd if seed == 2 else None, **more)
    paper = collect.papers(papers)[1]
    return paper, collect.groups(paper, tmp_path / "runs")[0].mode("sound")


def word(paper, runs, claim="R5"):
    found = collect.judgements(paper, runs, "sound")[claim]
    return found.word, found.reason


def test_three_seeds_that_stand_are_judged(tmp_path, papers):
    assert word(*three(tmp_path, papers)) == ("seen", "")


@pytest.mark.parametrize(("odd", "reason"), [
    ({"training": {"code_sha256": "other", "modules": {}}}, "seeds were trained with different code"),
    ({"evaluation": {"code_sha256": "other", "modules": {"papers.softmax_ae.findings": "1"}}},
     "seeds were evaluated with different code (findings.py)"),
    ({"training": {"packages": {"keras": "4"}}}, "seeds were trained with different versions of keras"),
    ({"evaluation": {"packages": {"keras": "4"}}}, "seeds were evaluated with different versions of keras"),
    ({"training": {"precision": "mixed_bfloat16", "jit": True}}, "seeds were trained with different precision, jit"),
    ({"training": {"python": "3.12"}}, "seeds were trained with different versions of Python"),
    ({"training": {"dirty": True, "uncommitted": ["common/loop.py"]}},
     "seed 2 was trained with uncommitted changes (common/loop.py)"),
    ({"evaluation": {"dirty": True, "uncommitted": ["x.py"]}}, "seed 2 was evaluated with uncommitted changes (x.py)"),
    ({"training": {"store_sha256": "other"}}, "seed 2 was trained on other data than it was evaluated on"),
    ({"state": {"accepted": [{"step": 7, "changes": ["train.py: step changed"]}]}},
     "dsae of seed 2 went on with other code from step 7: train.py: step changed"),
    ({"state": {"code_sha256": None}}, "seeds were trained with different code"),
])
def test_one_seed_that_stands_on_something_else_withholds_all(tmp_path, papers, odd, reason):
    found, said = word(*three(tmp_path, papers, odd))
    assert found == "withheld" and said.startswith(reason)


def changed(runs, edit, seal=True):
    """The last run with its results.json edited, sealed again or not."""
    results = json.loads((runs[2].directory / "results.json").read_text())
    edit(results)
    if seal:
        results["seal"] = provenance.seal(results)
    (runs[2].directory / "results.json").write_text(json.dumps(results))


@pytest.mark.parametrize(("edit", "seal", "reason"), [
    (lambda r: r["results"]["R5"].update(value=9.0), False, "results.json of seed 2 was changed after it was written"),
    (lambda r: r["corpus"].update(evidence="demo", items=7), False, "results.json of seed 2 was changed"),
    (lambda r: r.pop("provenance"), True, "made before provenance was recorded"),
    (lambda r: r.update(store_sha256="x"), True, "seed 2 was trained on other data than it was evaluated on"),
    (lambda r: r["provenance"]["training"].update(models={}), True, "no training with a record of its code"),
])
def test_an_edited_file_withholds(tmp_path, papers, edit, seal, reason):
    paper, runs = three(tmp_path, papers)
    changed(runs, edit, seal)
    found, said = word(paper, collect.groups(paper, tmp_path / "runs")[0].mode("sound"))
    assert found == "withheld" and said.startswith(reason)


def test_a_copied_run_under_another_seed_is_no_second_seed(tmp_path, papers):
    paper, runs = three(tmp_path, papers)
    for run in runs[1:]:  # weights of seed 0, evaluated again under the other seeds
        for path in run.directory.glob("models/*/checkpoints/*"):
            path.write_bytes((runs[0].directory / path.relative_to(run.directory)).read_bytes())
        write_results(run.directory, json.loads((run.directory / "results.json").read_text()))
    runs = collect.groups(paper, tmp_path / "runs")[0].mode("sound")
    assert word(paper, runs) == ("withheld", "dsae was trained as seed 0, not 1: a copy")
    said = standing.copies([run.results for run in runs])
    assert said == "seeds 0 and 1 have the same weights of dsae: one is a copy"


def test_a_rule_that_changed_after_training_began_is_withheld_alone(tmp_path, papers):
    paper, runs = three(tmp_path, papers, {"whole": {"rules_changed": ["R5"]}})
    assert word(paper, runs) == ("withheld", "its rule changed after seed 2 began to train; train again (--fresh)")
    assert word(paper, runs, "R15")[0] == "undecided" and word(paper, runs, "P-count")[0] == "holds"


def test_real_data_needs_a_commit_and_demo_data_none(tmp_path, papers):
    odd = {"evaluation": {"commit": provenance.UNKNOWN}}
    assert word(*three(tmp_path / "a", papers, odd))[0] == "seen"
    real = three(tmp_path / "b", papers, odd, "other", preset="full")
    assert word(*real) == ("withheld", "no commit says which code made seed 2")


def test_what_is_no_verdict_is_not_withheld(tmp_path, papers):
    paper, runs = three(tmp_path, papers, {"evaluation": {"dirty": True, "uncommitted": ["x.py"]}})
    assert word(paper, runs, "T1-test") == ("not comparable", "synthetic data")
    assert word(paper, runs, "R16")[0] == "not run" and word(paper, runs, "P-count")[0] == "withheld"


def test_different_starts_within_one_run_are_told(tmp_path, papers):
    assert standing._different([stands_on(), stands_on(packages={"keras": "4"})], "models were trained with")
    assert not standing._different([stands_on(), stands_on(commit="later", threads={})], "models were trained with")
