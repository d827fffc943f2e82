"""How often something is seen on twins with shuffled labels: counted, written, rendered; on invented runs."""

import csv

import pytest

from common.errors import ClaimsError
from common.report import collect, error_rates, readme
from tests.common.fabricated import make_papers, make_run


@pytest.fixture
def paper(tmp_path):
    """An invented paper: R5 is wrong where labels are shuffled, R15 is not, R16 never gets a verdict."""
    papers = make_papers(tmp_path)
    (papers / "softmax_ae" / "labels.csv").write_text("id,shuffled\nR5,wrong\nR15,right\nR16,wrong\n")
    readme = papers / "softmax_ae" / "README.md"
    readme.write_text(readme.read_text() + "\n<!-- null -->\n<!-- /null -->\n")
    return next(one for one in collect.papers(papers) if one.name == "softmax_ae")


def a_twin(tmp_path, paper, seed, middle, said=None, groups=8, **more):
    """A run on a twin whose R5 has values by so many tracks about `middle`."""
    corpus = {"name": "gtzan", "label": "demo-gtzan", "evidence": "demo", "fingerprint": f"f{seed}",
              "facts": {"null": True, "demo_seed": said or seed}}
    groups = {"of": "tracks", "names": list("abcdefgh"[:groups]), "weights": [1] * groups,
              "values": [middle + 0.01 * k for k in range(groups)]}
    results = {"R5": {"value": middle + 0.035, "groups": groups}, "R15": {"value": 1.0, "groups": groups}}
    make_run(tmp_path / "null" / str(seed), paper.directory.parent, "sound", 0, "smoke", media=False, corpus=corpus,
             results=results, **more)


def write(tmp_path, paper):
    return error_rates.write(paper, tmp_path / "null", "smoke", "sound")


def test_seen_once_counts_and_no_verdict_does_not(tmp_path, paper):
    for seed, middle in ((1, 0.5), (2, -0.5), (3, 0.0), (10, -0.03)):
        a_twin(tmp_path, paper, seed, middle)
    path, problems = write(tmp_path, paper)
    rows = list(csv.DictReader(open(path)))
    assert problems == [] and [row["twin"] for row in rows if row["claim"] == "R5"] == ["1", "2", "3", "10"]
    assert [row["word"] for row in rows if row["claim"] == "R5"] == ["seen once", "not seen once", "seen once",
                                                                     "undecided"]
    assert error_rates.counts(paper) == [("gtzan", "R5", 2, 4, 4)]
    assert error_rates.summary(paper).endswith("2 of 4, 50.0% [6.8%, 93.2%]")
    text = readme.null_table(paper)
    assert "| R5: Logits separate" in text and "more than 15%" in text and "4 twins, preset smoke" in text
    assert "No verdict on any twin (too few groups, or the model did not learn): R16." in text
    assert "no error where they are shuffled: R15." in text and "make null PAPER=softmax_ae" in text


def test_the_readme_of_all_tells_each_paper_and_the_sum(tmp_path, paper):
    for seed, value in ((1, 0.5), (2, -0.5), (3, 0.5)):
        a_twin(tmp_path, paper, seed, value)
    write(tmp_path, paper)
    lines = readme.errors_table([paper]).splitlines()
    assert lines[2] == "| softmax_ae | 3 | 2 of 3, 66.7% [9.4%, 99.2%] | 1 of 2 |"
    assert lines[3] == "| all |  | 2 of 3, 66.7% [9.4%, 99.2%] |  |"
    assert lines[-1] == "Seen on more than 15% of its twins: softmax_ae R5."
    (paper.directory / "labels.csv").write_text("id,shuffled\nR16,wrong\n")
    assert readme.errors_table([paper]).endswith("Seen on more than 15% of its twins: none.")
    assert "no finding that shuffled labels make wrong had a verdict. Again" in readme.null_table(paper)


def test_without_an_interval_there_is_no_verdict(tmp_path, paper):
    """Fewer than eight groups, or none, leave one training undecided: nothing that could have been seen."""
    a_twin(tmp_path, paper, 1, 0.5, groups=7)
    write(tmp_path, paper)
    assert error_rates.counts(paper) == [("gtzan", "R5", 0, 0, 1)]
    assert "No verdict on any twin (too few groups, or the model did not learn): R5, R16." in error_rates.table(
        paper, None)


def test_runs_that_do_not_stand_or_are_no_twins_are_left_out_and_named(tmp_path, paper):
    a_twin(tmp_path, paper, 1, 0.5)
    a_twin(tmp_path, paper, 2, 0.5, stands={"evaluation": {"dirty": True, "uncommitted": ["common/loop.py"]}})
    a_twin(tmp_path, paper, 3, 0.5, said=7)
    path, problems = write(tmp_path, paper)
    assert {row["twin"] for row in csv.DictReader(open(path))} == {"1"}
    assert len(problems) == 2 and "uncommitted changes" in problems[0] and "not the twin" in problems[1]


def test_a_rule_that_changed_since_takes_its_verdicts_away(tmp_path, paper):
    a_twin(tmp_path, paper, 1, 0.5)
    write(tmp_path, paper)
    assert len(error_rates.counts(paper)) == 1
    claims = paper.directory / "claims.csv"
    claims.write_text(claims.read_text().replace("bottleneck do,,difference,,interval > 0",
                                                 "bottleneck do,,difference,,interval > 0.1"))
    assert error_rates.counts(paper) == []


def test_without_twins_the_readme_says_how_to_measure(tmp_path, paper):
    assert write(tmp_path, paper) == (None, [])
    assert readme.null_table(paper) == "Not measured yet: `make null PAPER=softmax_ae`."
    readme.write_readmes(paper.directory.parent)
    assert "Not measured yet" in (paper.directory / "README.md").read_text()
    a_twin(tmp_path, paper, 1, 0.5)
    write(tmp_path, paper)
    assert readme.write_readmes(paper.directory.parent, check=True)[0] == [paper.directory / "README.md"]


def test_a_label_file_must_name_findings(paper):
    for line in ("R5,maybe", "T1-test,wrong", "R99,wrong"):
        (paper.directory / "labels.csv").write_text(f"id,shuffled\n{line}\n")
        with pytest.raises(ClaimsError, match="labels.csv"):
            error_rates.labels(paper)


def test_the_binomial_interval_is_that_of_clopper_and_pearson():
    """Their charts and later tables: 0 of 20 up to 16.8 %, 1 of 20 from 0.13 to 24.9 %, 20 of 20 from 83.2 %."""
    assert error_rates.binomial(0, 20) == (0.0, pytest.approx(0.1684, abs=1e-4))
    assert error_rates.binomial(1, 20) == (pytest.approx(0.0013, abs=1e-4), pytest.approx(0.2487, abs=1e-4))
    assert error_rates.binomial(20, 20) == (pytest.approx(0.8316, abs=1e-4), 1.0)


@pytest.mark.parametrize("paper", collect.papers(collect.ROOT / "papers"), ids=lambda paper: paper.name)
def test_every_paper_says_which_findings_depend_on_labels(paper):
    assert "wrong" in error_rates.labels(paper).values()
