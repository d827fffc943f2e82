"""FINDINGS.md and the READMEs: nothing synthetic is told, no number is typed, one changed digit is noticed."""

import csv
import dataclasses
import re
from types import SimpleNamespace

import pytest

from common import hours
from common.report import collect, findings, readme
from tests.common.fabricated import make_papers, make_run

BLOCK = re.compile(r"<!-- (\w[\w ]*) -->\n(.*?)\n<!-- /\1 -->", re.S)
NUMBER = re.compile(r"(?<![\w.@/-])\d[\d,]*(?:\.\d+)?(?!\w)")
TOLD = (("T1-test", "paper"), ("R5", "sound"), ("R15", "paper"), ("P-count", "paper"), ("E2", "code"))
STORY = '''
said = "A network tells genres."
learns = "genres"
matters = "P-count"
hear = "Reconstructions"
[figure]
claim = "T1-test"
''' + "".join(f'''
[[headline]]
claim = "{claim}"
follow = "{follow}"
fault = "tables"
whether = "{claim} is so"
holds = "Yes, {claim}: {{value}}."
fails = "No, {claim}: {{value}}."
''' for claim, follow in TOLD)


@pytest.fixture
def papers(tmp_path):
    made = make_papers(tmp_path)
    (made / "softmax_ae" / "story.toml").write_text(STORY)
    return made


def keep(tmp_path, papers, follow, seed, preset, **more):
    """A result file that stands in the paper's directory as if it were published."""
    directory = make_run(tmp_path / "runs", papers, follow, seed, preset, media=False, **more)
    target = papers / "softmax_ae" / "results" / f"{directory.parent.name}-seed-{seed}.json"
    target.parent.mkdir(exist_ok=True)
    target.write_bytes((directory / "results.json").read_bytes())


def told(papers):
    return findings.block(collect.papers(papers), "tables")


def test_of_synthetic_music_facts_are_told_and_nothing_else(tmp_path, papers):
    assert told(papers).startswith("Not told yet: softmax_ae T1-test (no run is published)")
    for follow in ("code", "paper", "sound"):
        for seed in range(3):
            keep(tmp_path, papers, follow, seed, "demo")
    text = told(papers)
    assert re.findall(r"(Yes|No), ([\w-]+)", text) == [("Yes", "P-count"), ("Yes", "E2")]
    assert text.endswith("Not told yet: softmax_ae T1-test (no run is published), softmax_ae R5 (no run is published), "
                         "softmax_ae R15 (no run is published).")
    assert '*[softmax_ae](papers/softmax_ae/results/README.md), P-count, fact.* `make reproduce-softmax_ae ' in text
    assert findings.finding(collect.papers(papers)[1]) == "Yes, P-count: 424,232."


def test_real_data_is_told_with_its_evidence_and_its_command(tmp_path, papers):
    for follow in ("paper", "sound"):
        for seed in range(3):
            keep(tmp_path, papers, follow, seed, "full", evidence="published")
    text = told(papers)
    assert "Yes, R5: 0.144. *[softmax_ae](papers/softmax_ae/results/README.md), R5, published: gtzan.* " \
        '`make reproduce-softmax_ae DATA=… PRESET=full FOLLOW=sound SEEDS="0 1 2"`' in text
    assert "Yes, T1-test: 0.634." in text and "softmax_ae R15 (undecided)" in text
    open_ = findings.still_open(collect.papers(papers), lambda heads, rows: rows)
    assert open_ == []  # the invented papers name no data set


def test_a_fact_that_real_data_tells_alike_comes_with_the_command_that_asks_for_no_data(tmp_path, papers):
    def commands():
        return re.findall(r"Yes, P-count: .*? `make reproduce-softmax_ae( DATA=…)? PRESET=(\w+)", told(papers))

    for follow in ("paper", "sound"):
        for seed in range(3):
            keep(tmp_path, papers, follow, seed, "full", evidence="published")
    assert commands() == [(" DATA=…", "full")]
    for follow in ("paper", "sound"):
        for seed in range(3):
            keep(tmp_path, papers, follow, seed, "demo")
    assert commands() == [("", "demo")]


def test_a_finding_on_synthetic_music_says_so_where_it_stands_for_its_paper(tmp_path, papers):
    (papers / "softmax_ae" / "story.toml").write_text(STORY.replace('matters = "P-count"', 'matters = "R5"'))
    for seed in range(3):
        keep(tmp_path, papers, "sound", seed, "demo")
    assert findings.finding(collect.papers(papers)[1]) == "On synthetic music: Yes, R5: 0.144."


@pytest.mark.slow
@pytest.mark.parametrize("name", ["README.md", "FINDINGS.md"])
def test_one_changed_digit_is_rendered_away(name):
    """In every block of the text at once; `test_readme_tables_match_the_committed_results` compares the whole."""
    path, papers = collect.ROOT / name, collect.papers(collect.ROOT / "papers")
    text = path.read_text(encoding="utf-8")
    changed = BLOCK.sub(lambda block: re.sub(r"\d", lambda one: str((int(one[0]) + 1) % 10), block[0], count=1), text)
    assert changed != text and sum(a != b for a, b in zip(changed, text, strict=True)) == len(BLOCK.findall(text))
    assert readme.filled(path, changed, readme.ACROSS, papers) == text


def test_hours_are_those_of_the_file_and_one_changed_digit_is_told(papers):
    made = collect.papers(papers)[1]
    made.settings.DATA_SETS = ("gtzan",)

    def cell():
        return findings.still_open([made], lambda heads, rows: rows)[0][-1]

    assert cell() == "not estimated; `make estimate PAPER=softmax_ae DATA=/datasets/gtzan PRESET=full`"
    path = made.directory / "results" / hours.FILE
    path.parent.mkdir(exist_ok=True)
    row = hours.Row("gtzan", "code", "line", "train", 1000, 16, 3.6, 20, 16, 0.0, 0, 0.0, 10, 0.1, 900.0,
                    "A Processor, 2 cores", 1, "2026-01-01", "abc")
    hours.write(path, [dataclasses.replace(row, follow=follow) for follow in made.follows])
    count = 3 * len(made.follows)
    told = f"about {count} hours (one core of A Processor, 2 cores; measured as step time x updates)"
    assert cell() == told
    path.write_text(path.read_text(encoding="utf-8").replace("train,1000,", "train,9000,", 1), encoding="utf-8")
    assert cell() == told.replace(f"about {count} ", f"about {count + 24} ")
    hours.write(path, [dataclasses.replace(row, rows_timed=8)])
    assert cell().endswith("updates of smaller batches, extended)")
    hours.write(path, [dataclasses.replace(row, data_set="another")])
    path.write_text("\n".join(line for line in path.read_text(encoding="utf-8").splitlines() if ",code," not in line))
    assert cell().startswith("not estimated")  # a mode is missing


def test_what_a_run_changed_stands_in_the_command_of_its_finding(papers):
    paper = collect.papers(papers)[1]
    for overrides, end in (({}, 'SEEDS="0 1"`'), ({"epochs": 900}, 'SEEDS="0 1" FLAGS="--epochs 900"`')):
        runs = [SimpleNamespace(seed=seed, overrides=overrides) for seed in range(2)]
        group = SimpleNamespace(corpus={"evidence": "other", "name": "mine"}, synthetic=False, preset="full",
                                mode=lambda follow, runs=runs: runs)
        line = findings._line(paper, paper.story.headlines[0], group, SimpleNamespace(text="So it is."))
        assert line.endswith(f"DATA=… PRESET=full FOLLOW=paper {end}")


def test_a_data_set_is_said_to_decide_no_claim_of_another_one():
    lord = next(one for one in collect.papers(collect.ROOT / "papers") if one.name == "lord_transfer")
    open_ = {row[1]: row[2] for row in findings.still_open([lord], lambda heads, rows: rows)}
    asked = {name: {claim.id for claim in lord.claims if claim.kind != "fact" and claim.rule and all(
        name in value.split("|") for key, _, value in claim.needs if key == "data_set")} for name in open_}
    assert "I-target" in asked["medley_solos_db"] & asked["folder"] and "I-target" not in asked["fma_medium"]
    assert open_ == {name: f"{len(claims)} claims" for name, claims in asked.items()}
    assert len(set(open_.values())) == 3


def prose(path):
    """The numbers of a text outside of blocks, code and links."""
    text = BLOCK.sub("", path.read_text(encoding="utf-8"))
    for gone in (r"```.*?```", r"`[^`]*`", r"\]\([^)]*\)", r"https?://\S+", r"\(19\d\d\)|\(20\d\d\)"):
        text = re.sub(gone, " ", text, flags=re.S)
    return NUMBER.findall(text)


def test_no_number_of_findings_is_typed():
    assert prose(collect.ROOT / "FINDINGS.md") == []


def listed():
    """{file: {number: where it comes from}} of numbers.csv."""
    found = {}
    with open(collect.ROOT / "tests" / "common" / "numbers.csv", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["file"], {})[row["number"]] = row["source"]
    return found


def sources(paper):
    """Numbers that a paper's claims and settings hold."""
    text = "".join((paper.directory / name).read_text(encoding="utf-8") for name in ("claims.csv", "config.py"))
    return {float(one.replace("_", "").replace(",", "")) for one in re.findall(r"\d[\d_]*(?:\.\d+)?", text)}


@pytest.mark.parametrize("name", ["README.md", *(f"papers/{paper.name}/README.md" for paper in collect.papers(
    collect.ROOT / "papers"))])
def test_numbers_of_guides_are_those_of_claims_and_settings_or_say_where_they_come_from(name):
    known = listed().get(name, {})
    paper = next((one for one in collect.papers(collect.ROOT / "papers") if f"/{one.name}/" in name), None)
    values = sources(paper) if paper else set()
    unknown = []
    for number in prose(collect.ROOT / name):
        number = number.rstrip(",")
        digits = len(number.partition(".")[2])
        value = float(number.replace(",", ""))
        if number not in known and not any(value in (round(one, digits), round(100 * one, digits)) for one in values):
            unknown.append(number)
    assert unknown == [], "list them in tests/common/numbers.csv with their source"
    stale = set(known) - {number.rstrip(",") for number in prose(collect.ROOT / name)}
    assert stale == set(), "strike them from tests/common/numbers.csv"
