"""The report: what stands on a page, what a page never shows, what is refused; on invented runs."""

import html
import json
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from urllib.parse import unquote

import joblib
import numpy as np
import pytest
import soundfile

from common import checkpoints, claims, closure, config as configuration, report
from common.corpora import __main__ as corpora_script, known
from common.errors import StoreError
from common.report import __main__ as command, collect, curves, media, pages, published, readme, text
from papers.softmax_ae import config as softmax_ae, preprocess
from papers.symphony2vec import config as symphony2vec, preprocess as symphonies
from tests.common import fabricated
from tests.common.fabricated import make_papers, make_run


class Page(HTMLParser):
    """Texts, links and ids of a page."""

    def __init__(self, path):
        super().__init__()
        self.text, self.links, self.ids, self.without_alt, self.skip, self.rows = "", [], set(), 0, False, []
        self.feed(path.read_text(encoding="utf-8"))
        self.text = re.sub(r"\s+", " ", self.text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.skip = tag in ("style", "script")
        self.links += [attributes[name] for name in ("href", "src") if attributes.get(name)]
        self.ids |= {attributes["id"]} if "id" in attributes else set()
        self.without_alt += tag == "img" and "alt" not in attributes

    def handle_data(self, data):
        if not self.skip:
            self.text += data


@pytest.fixture
def papers(tmp_path):
    return make_papers(tmp_path)


def full_runs(tmp_path, papers, **more):
    return [make_run(tmp_path / "runs", papers, follow, seed, "full", evidence="published", **more)
            for follow in ("code", "paper", "sound") for seed in range(3)]


def claim_cells(path, claim):
    """The texts of one claim's row, cell by cell."""
    row = re.search(rf'<tr role="row" id="claim-{claim}".*?</tr>', path.read_text(encoding="utf-8"), re.S)[0]
    return [re.sub(r"\s+", " ", html.unescape(re.sub("<[^>]*>", " ", cell))).strip()
            for cell in re.findall(r"<t[dh] .*?</t[dh]>", row, re.S)]


def test_published_page_compares_with_the_printed_numbers(tmp_path, papers):
    full_runs(tmp_path, papers)
    written, problems = pages.write(tmp_path / "runs", papers)
    assert problems == [] and [path.name for path in written] == ["index.html", "gtzan-full.html"]
    page = Page(written[1])
    assert "synthetic" not in page.text.lower()
    _, reported, code, paper, sound, baselines = claim_cells(written[1], "T1-test")
    assert reported == "0.653" and code.endswith("differs") and paper.endswith("matches") and sound.endswith("matches")
    assert code.startswith("0.584 ± 0.010 3 seeds, 1,000 segments") and "majority class 0.250" in baselines
    assert "loudness only 0.364 / 0.414 / 0.444" in baselines
    assert claim_cells(written[1], "R5")[2].endswith("holds")
    assert claim_cells(written[1], "R15")[3].endswith("undecided the interval contains 0")
    assert "†" in claim_cells(written[1], "R15")[3] and "†" not in claim_cells(written[1], "R5")[3]
    assert "not run: R16 Genre beats chance" in page.text
    assert claim_cells(written[1], "E2")[2:] == ["3.1 × 10⁻⁹ holds", "code"]  # once, by the mode that is asked
    assert written[1].read_text().count('id="claim-E2"') == 1 and "4 findings each" in page.text
    tally = re.search(r'<div class="tally">.*?</div>', written[1].read_text(), re.DOTALL)[0]
    assert sum(int(n) for n in re.findall(r"(?:holds|differs|matches|undecided|not [a-z]+) (\d+)", tally)) == 3 * 6
    assert "A Processor, 2 cores" in page.text and "ab12cd3" in page.text and "1.2 hours" in page.text
    assert "jazz.00054.wav" in page.text and "truncated, 12 of 30 seconds" in page.text


def test_demo_page_is_called_synthetic_and_shows_no_reported_number(tmp_path, papers):
    for follow in ("code", "paper", "sound"):
        for seed in range(3):
            make_run(tmp_path / "runs", papers, follow, seed)
    written, _ = pages.write(tmp_path / "runs", papers)
    page = Page(written[1])
    assert "<title>Latent Feature Extraction for Musical Genres from Raw Audio, synthetic" in written[1].read_text()
    assert "0.653" not in page.text and "0.949" not in page.text and ">reported<" not in written[1].read_text()
    table = written[1].read_text().split('<table role="table" class="claims')[1].split("</table>")[0]
    assert not re.search(r">(matches|differs|fails)<", table)
    assert len(claim_cells(written[1], "T1-test")) == 5 and "not comparable" not in table
    assert page.text.count("numbers are not compared on synthetic music") == 1 and "synthetic data" not in page.text
    assert claim_cells(written[1], "R5")[2].endswith("seen") and "P-count" in page.text
    assert claim_cells(written[1], "P-count")[1].endswith("holds")  # a fact is true on any data
    assert "preset demo sets 10 in every mode" in page.text
    assert "synthetic" in Page(written[0]).text


def test_every_link_is_relative_and_leads_somewhere(tmp_path, papers):
    full_runs(tmp_path, papers)
    make_run(tmp_path / "runs", papers)
    written, _ = pages.write(tmp_path / "runs", papers)
    for path in written:
        page = Page(path)
        assert page.without_alt == 0 and page.links
        for link in page.links:
            assert link.startswith("data:") or not re.match(r"[a-z]+:|/", link), link
            if link.startswith("#"):
                assert link[1:] in page.ids, link
            elif not link.startswith("data:"):
                assert (path.parent / unquote(link)).is_file(), link


def test_paper_without_runs_has_a_card_and_no_code_column_without_a_program(tmp_path, papers):
    written, problems = pages.write(tmp_path / "runs", papers)
    text = Page(written[0]).text
    assert problems == [] and len(written) == 1
    assert text.count("not run 2 numbers, 4 findings, 2 facts") == 2 and "make reproduce-other_paper" in text
    assert "Another Paper <That> Nobody Ran" in text
    assert [paper.follows for paper in collect.papers(papers)] == [("paper", "sound"), ("code", "paper", "sound")]


def test_partial_waiting_overridden_and_changed_runs_say_so(tmp_path, papers):
    runs = tmp_path / "runs"
    make_run(runs, papers, "paper", 0, "full", evidence="published")
    make_run(runs, papers, "paper", 1, "full", evidence="published", complete=False, step=400)
    (make_run(runs, papers, "sound", 0, "full", evidence="published") / "results.json").unlink()
    make_run(runs, papers, "code", 0, "full", evidence="published", claims_sha256="older", dirty=True)
    written, _ = pages.write(runs, papers)
    text = Page(written[1]).text
    assert "Seed 1 is a partial run, stopped at step 400." in text and "Not evaluated yet: seed 0." in text
    assert "withheld claims.csv changed after seed 0 was evaluated" in text and "with uncommitted changes" in text


def test_settings_changed_after_the_run_withhold_the_verdict(tmp_path, papers):
    full_runs(tmp_path, papers, media=False)
    settings = papers / "softmax_ae" / "config.py"
    settings.write_text(settings.read_text().replace("gamma: float = 0.9", "gamma: float = 0.5"))
    written, _ = pages.write(tmp_path / "runs", papers)
    assert "withheld the settings changed after seed 0 was trained" in claim_cells(written[1], "T1-test")[3]


def test_broken_files_are_named_and_do_not_stop_the_others(tmp_path, papers, capsys):
    runs = tmp_path / "runs"
    make_run(runs, papers, "sound")
    unknown = make_run(runs, papers, "paper", 0, values={"R99": 1.0})
    (make_run(runs, papers, "paper", 1) / "results.json").write_text("{")
    outside = make_run(runs, papers, "code")
    (tmp_path / "secret.png").write_bytes(b"x")
    (outside / "media.json").write_text(json.dumps([{"title": "x", "items": [
        {"kind": "figure", "file": "../../../../secret.png", "caption": "outside"},
        {"kind": "figure", "file": "figures/none.png", "caption": "gone"}]}]))
    (outside / "models" / "dsae" / "metrics.jsonl").write_text('{"step": 1, "losses/total": NaN}\n{"step": 2, "los')
    (outside / "models" / "dsae" / "diverged.json").write_text('{"stage": "one", "step": 1, "loss": "losses/total"}')
    (papers / "other_paper" / "claims.csv").write_text("id\n")
    assert command.main(["--runs", str(runs), "--papers", str(papers)]) == 1
    errors = capsys.readouterr().err
    for line in ("R99 not in claims.csv", "softmax_ae/demo-gtzan-demo-paper/seed-1/results.json: cannot be read",
                 "../../../../secret.png lies outside the run", "figures/none.png is named in media.json but missing",
                 "other_paper/claims.csv: the first line must be"):
        assert line in errors
    text = (runs / "softmax_ae" / "demo-gtzan-demo.html").read_text()
    assert "holds" in text and "secret.png\"" not in text and "Not finite at some step: code" in text
    assert "dsae: diverged" in text and "Diverged: code, seed 0: losses/total at step 1 of stage one." in text
    assert str(unknown) not in text


def test_runs_of_different_data_are_not_averaged(tmp_path, papers):
    first = make_run(tmp_path / "runs", papers, "paper", 0)
    make_run(tmp_path / "runs", papers, "paper", 1)
    results = json.loads((first / "results.json").read_text())
    results["corpus"]["fingerprint"] = "other"
    (first / "results.json").write_text(json.dumps(results))
    _, problems = pages.write(tmp_path / "runs", papers)
    assert len(problems) == 1 and "different corpora" in problems[0]


def test_modes_stand_side_by_side_and_what_one_mode_has_shares_a_row(tmp_path, papers):
    make_run(tmp_path / "runs", papers, "paper")
    alone = media.sections(collect.groups(collect.papers(papers)[1], tmp_path / "runs")[0], [])
    assert [[len(row) for row in section["shown"]] for section in alone] == [[2, 1], [3], []]
    make_run(tmp_path / "runs", papers, "sound")
    make_run(tmp_path / "runs", papers, "sound", 1)
    beside = media.sections(collect.groups(collect.papers(papers)[1], tmp_path / "runs")[0], [])
    assert [[item["follow"] for item in row] for row in beside[0]["shown"]] == [["paper", "sound"]] * 3
    assert list(beside[0]["folded"]) == [1] and [grid["folded"] for grid in beside[2]["grids"]] == [False, False, True]


def test_overview_shows_one_picture_a_section_and_a_long_list_of_rejects_is_cut(tmp_path, papers):
    directory = make_run(tmp_path / "runs", papers)
    store = json.loads((directory / "config.json").read_text())["store"]
    with open(f"{store}/rejected.csv", "a") as file:
        file.write("".join(f"{number}.wav,silent\n" for number in range(400)))
    written, _ = pages.write(tmp_path / "runs", papers)
    pictures = [link for link in Page(written[0]).links if link.endswith(".png")]
    assert [link.rsplit("/", 1)[1] for link in pictures] == ["confusion.png", "roll.png", "mel.png"]
    text = Page(written[1]).text
    assert "402 files left out" in text and "The first 200;" in text and "197.wav" in text and "198.wav" not in text


def test_many_claims_are_folded_by_where_they_stand(tmp_path, papers):
    run = make_run(tmp_path / "runs", papers, media=False)
    path = papers / "softmax_ae" / "claims.csv"
    rows = "".join(f"N{number},Table {number // 60},finding,claim {number},,,,abs <= 1\n" for number in range(120))
    path.write_text(path.read_text() + rows)
    written, _ = pages.write(tmp_path / "runs", papers)
    summaries = re.findall(r"<summary>([^<]*claims)</summary>", written[1].read_text())
    assert summaries == ["Elsewhere: 2 claims", "Elsewhere: 2 claims"]
    results = json.loads((run / "results.json").read_text())
    fabricated.write_results(run, results | {"claims_sha256": claims.sha256(path), "results": results["results"] | {
        f"N{number}": {"value": number / 60} for number in range(120)}})
    written, _ = pages.write(tmp_path / "runs", papers)
    summaries = re.findall(r"<summary>([^<]*claims)</summary>", written[1].read_text())
    assert summaries == ["Table 0: 60 claims", "Table 1: 60 claims", "Elsewhere: 4 claims"]
    assert sum(f'id="claim-N{number}"' in written[1].read_text() for number in range(120)) == 120


def test_real_data_comes_first(tmp_path, papers):
    make_run(tmp_path / "runs", papers)
    make_run(tmp_path / "runs", papers, preset="full", evidence="published", media=False)
    groups = collect.groups(collect.papers(papers)[1], tmp_path / "runs")
    assert [group.name for group in groups] == ["gtzan-full", "demo-gtzan-demo"]


def test_metrics_of_several_stages_run_on(tmp_path):
    fabricated.make_metrics(tmp_path / "model", "paper", 0)
    series = curves.read_metrics(tmp_path / "model" / "metrics.jsonl")
    steps = [step for step, _ in series["losses/total"]]
    assert set(series) == {"losses/total", "metrics/accuracy"} and steps == list(range(10, 610, 10))
    drawn = curves.chart("losses/total", [("paper", 0, series["losses/total"])])
    assert "line-paper" in drawn and 'aria-label="losses/total over steps: paper seed 0 from' in drawn
    long = [(step, float(step)) for step in range(5000)]
    assert curves.chart("x", [("code", 0, long)]).count(",") < 1000
    assert "circle" in curves.chart("x", [("code", 0, [(1, 0.0)])])


@pytest.mark.parametrize(("hours", "shown"), [
    (41.2, "41 hours"), (1.23, "1.2 hours"), (1, "1 hour"), (0.41, "25 minutes"), (0.004, "14 seconds"),
    (0, "0 seconds"),
])
def test_durations_for_people(hours, shown):
    assert text.duration(hours) == shown


def test_many_names_are_counted():
    assert text.some(["a", "b", "c", "d"]) == "a, b, c, d" and text.some([]) == ""
    assert text.some(["a", "b", "c", "d", "e"]) == "a, b, c and 2 others"


def test_the_effect_of_a_divergence_is_the_difference_to_the_paper_of_runs_with_that_field_alone(tmp_path, papers):
    runs = tmp_path / "runs"
    for seed, (plain, changed, both) in enumerate(((0.60, 0.55, 0.1), (0.62, 0.59, 0.1), (0.64, None, 0.1))):
        make_run(runs, papers, "paper", seed, media=False, values={"T1-test": plain})
        for value, overrides in ((changed, {"keep": 0.8}), (both, {"keep": 0.8, "gamma": 1}), (0.3, {"gamma": 1})):
            if value is not None:
                make_run(runs, papers, "paper", seed, media=False, values={"T1-test": value}, overrides=overrides)
    (runs / "softmax_ae" / "demo-gtzan-demo-paper").rename(runs / "softmax_ae" / "any name")  # nothing is read from it
    paper = collect.papers(papers)[1]
    groups = collect.groups(paper, runs)
    assert groups[0].name == "demo-gtzan-demo" and groups[0].overrides == {} and len(groups) == 4
    both = next(group for group in groups if group.overrides == {"keep": 0.8, "gamma": 1})
    assert {tuple(group.overrides) for group in groups} == {(), ("keep",), ("keep", "gamma"), ("gamma",)}
    # With EFFECTS=1 FLAGS="--gamma 1" too, and not of an effect's own group.
    shown = {tuple(group.overrides): pages.divergence_row(paper.divergences[0], group, groups)["decides"][0][2]
             for group in groups}
    assert shown == {(): ["0.8: −0.0400 (2 seeds)"], ("gamma",): ["0.8: −0.200 (3 seeds)"], ("keep",): [],
                     ("keep", "gamma"): []}
    row = pages.divergence_row(paper.divergences[0], groups[0], groups)
    assert row["decides"] == [("T1-test", True, ["0.8: −0.0400 (2 seeds)"])]
    written, _ = pages.write(runs, papers)
    page = next(path for path in written if path.name == f"{both.name}.html")
    assert "Overridden: keep = 0.8, gamma = 1" in Page(page).text
    assert "With keep = 0.8" in Page(written[0]).text


@pytest.mark.parametrize(("value", "shown"), [
    (0.65349, "0.653"), (1234.5, "1,234"), (424232, "424,232"), (3.1e-9, "3.1 × 10⁻⁹"), (-0.5, "−0.500"), (0, "0"),
    (-1.05e-14, "0"),
    (float("nan"), "not a number"), (float("inf"), "∞"), (12.345, "12.3"), (None, "not a number"), (0.9999, "1.000"),
])
def test_numbers_for_people(value, shown):
    assert text.number(value) == shown


@pytest.mark.parametrize(("value", "shown"), [
    ({"train": 1246, "test": 172}, "train 1,246, test 172"), ({"ali-128": 0.63681}, "ali-128 0.637"),
    (["ae-mel", "cae-mel"], "ae-mel, cae-mel"), ([], "none"), ("by_work", "by_work")])
def test_notes_for_people(value, shown):
    assert text.note(value) == shown


def test_ticks_of_curves_are_short_enough_for_their_margin():
    drawn = str(curves.chart("losses/total", [("code", 0, [(1, -1.5e6), (2, 1.4e5)])]))
    labels = re.findall(r'text-anchor="end">(-?[^<]*e[^<]*)<', drawn)
    assert labels and all(len(label) <= 7 and "+" not in label for label in labels)


@pytest.fixture
def commit(tmp_path, papers):
    """Papers under git; returns what a run made from that commit stands on."""
    (tmp_path / ".gitignore").write_text("/runs/\n/store/\n")
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "papers")):
        subprocess.run(("git", "-c", "user.name=x", "-c", "user.email=x@x", *words), cwd=tmp_path, check=True)
    found = subprocess.run(("git", "rev-parse", "HEAD"), cwd=tmp_path, check=True, capture_output=True, text=True)
    return {"training": {"commit": found.stdout.strip()}, "evaluation": {"commit": found.stdout.strip()}}


def bad_runs(runs, papers, commit):
    """{why publish refuses: a run directory}."""
    made = iter(range(5, 99))

    def run(stands=commit, **more):
        return make_run(runs, papers, "sound", next(made), "full", evidence="published", media=False, stands=stands,
                        **more)

    def damaged(path, text=None):
        directory = run()
        for file in directory.glob(path):
            file.unlink() if text is None else file.write_bytes(file.read_bytes() + text)
        return directory

    def edited(key, value):
        directory = run()
        results = json.loads((directory / "results.json").read_text())
        (directory / "results.json").write_text(json.dumps(results | {key: value}))
        return directory

    dirty = {"dirty": True, "uncommitted": ["common/loop.py"]}
    return {
        "partial run": run(complete=False, step=7), "claims.csv changed": run(claims_sha256="x"),
        "config.py changed": run(settings_sha256="x"), "not in claims.csv": run(values={"R99": 1}),
        "trained with uncommitted changes (common/loop.py)": run(commit | {"training": commit["training"] | dirty}),
        "evaluated with uncommitted changes": run(commit | {"evaluation": commit["evaluation"] | dirty}),
        "commit deadbee is not in this repository": run(commit | {"evaluation": {"commit": "deadbee"}}),
        "commit ab12cd3 is not": run(commit | {"training": {}}),
        "changed after it was written": edited("results", {"T1-test": {"value": 0.653}}),
        "seed 14 was changed after": edited("corpus", {"name": "gtzan", "evidence": "published"}),
        "no config.json": damaged("config.json"), "checkpoints are not those": damaged("models/*/checkpoints/*"),
        "were evaluated, or are gone": damaged("models/dsae/checkpoints/*", b"x"),
        "metrics.jsonl is gone": damaged("models/dsae/metrics.jsonl"),
        "or was changed after the evaluation": damaged("models/dsae/metrics.jsonl", b"{}"),
        "went on with other code from step 3: train.py: step changed": run(
            commit | {"state": {"accepted": [{"step": 3, "changes": ["train.py: step changed"]}]}}),
        "made before provenance was recorded": edited("provenance", None)}


def test_publish_refuses_and_copies(tmp_path, papers, commit, capsys):
    runs = tmp_path / "runs"
    full_runs(tmp_path, papers, media=False, stands=commit)
    bad = bad_runs(runs, papers, commit)
    modes = [str(runs / "softmax_ae" / f"gtzan-full-{follow}") for follow in ("code", "paper", "sound")]
    assert command.main(["--papers", str(papers), "publish", *modes, str(tmp_path / "nothing")]) == 1
    errors = capsys.readouterr().err.splitlines()
    for reason, path in bad.items():
        assert sum(reason in line and f"{path}: refused" in line for line in errors) == 1, (reason, errors)
    assert "nothing: refused: no results.json here" in errors[-1] and len(errors) == len(bad) + 1
    kept = sorted(path.name for path in (papers / "softmax_ae" / "results").glob("*.json"))
    assert kept == sorted(f"gtzan-full-{follow}-seed-{seed}.json" for follow in ("code", "paper", "sound")
                          for seed in range(3))
    said = (papers / "softmax_ae" / "README.md").read_text()
    row = next(line for line in said.splitlines() if line.startswith("| T1-test"))
    counted = "3 seeds, 1,000 segments:"
    assert f"| 0.653 | 0.584 ± 0.010; {counted} **differs** | 0.634 ± 0.010; {counted} **matches** |" in row
    assert "test set \\| all four" in row
    assert "`make reproduce-softmax_ae DATA=… PRESET=full SEEDS=\"0 1 2\"`" in said and "Between." in said
    assert command.main(["--papers", str(papers), "readme", "--check"]) == 0
    (papers / "softmax_ae" / "README.md").write_text(said.replace("0.634", "0.653"))
    assert command.main(["--papers", str(papers), "readme", "--check"]) == 1
    assert command.main(["--papers", str(papers), "readme"]) == 0
    assert (papers / "softmax_ae" / "README.md").read_text() == said


@pytest.mark.parametrize(("seed", "null", "kept"), [(0, False, 1), (100, False, 0), (0, True, 0)])
def test_of_demo_corpora_that_of_generator_seed_0_alone_is_published(tmp_path, papers, commit, seed, null, kept):
    """Settings are tuned on others."""
    corpus = {"name": "gtzan", "label": "demo-gtzan", "evidence": "demo", "facts": {"demo_seed": seed, "null": null}}
    directory = make_run(tmp_path / "runs", papers, "sound", media=False, stands=commit, corpus=corpus)
    written, refused = published.publish([directory], papers)
    assert len(written) == kept and sum("another generator seed than 0" in line for line in refused) == 1 - kept


def test_published_groups_are_read_once_until_a_file_is_another(tmp_path, papers, commit):
    paper = next(one for one in collect.papers(papers) if one.name == "softmax_ae")
    for follow in ("sound", "paper"):
        directory = make_run(tmp_path / "runs", papers, follow, media=False, stands=commit)
        assert not published.publish([directory], papers)[1]
        groups = published.published_groups(paper)
        assert published.published_groups(paper) is groups
        assert groups[0].mode(follow) and groups[0].judgements(follow) is groups[0].judgements(follow)
    modes = [groups[0].judgements(follow) for follow in ("sound", "paper")]
    assert [{one.follow for one in judged.values()} for judged in modes] == [{"sound"}, {"paper"}]
    path = next((papers / "softmax_ae" / "results").glob("*-sound-*.json"))
    path.write_text(path.read_text() + " ")  # the same name, another file
    assert published.published_groups(paper) is not groups


def test_what_is_published_of_demo_corpora_is_of_generator_seed_0():
    found = [run.corpus["facts"] for paper in collect.papers(collect.ROOT / "papers")
             for run in published.published_runs(paper) if run.corpus["evidence"] == "demo"]
    assert found and all(facts["demo_seed"] == 0 and not facts["null"] for facts in found)


def test_settings_say_they_were_tuned_on_demo_corpora_of_generator_seed_100_and_above():
    said = [int(number) for path in collect.ROOT.glob("papers/*/config.py")
            for number in re.findall(r"generator\s+seeds?\s+(\d+)", path.read_text(encoding="utf-8"))]
    assert said and min(said) >= 100


def test_the_copy_of_a_published_seed_is_refused(tmp_path, papers, commit):
    runs = tmp_path / "runs"
    one = make_run(runs, papers, "sound", 0, "full", evidence="published", stands=commit)
    other = make_run(runs, papers, "sound", 1, "full", evidence="published", stands=commit)
    for model in ("dsae", "two-layer"):  # its own records and seed, the other's weights
        path = next((other / "models" / model).glob("checkpoints/*"))
        with np.load(next((one / "models" / model).glob("checkpoints/*"))) as archive:
            checkpoints.write(path, checkpoints.read_state(path), {"network/main/000": archive["network/main/000"]})
    fabricated.write_results(other, json.loads((other / "results.json").read_text()), commit)
    assert published.publish([one], papers)[1] == []
    refused = published.publish([other], papers)[1]
    assert len(refused) == 1 and "seeds 0 and 1 have the same weights of dsae: one is a copy" in refused[0]


def test_results_made_before_provenance_or_by_earlier_code_say_so_and_are_not_bold(tmp_path, papers, commit):
    runs, kept = tmp_path / "runs", papers / "softmax_ae" / "results"
    for seed in range(3):
        make_run(runs, papers, "sound", seed, "full", evidence="published", stands=commit)
    published.publish([runs / "softmax_ae" / "gtzan-full-sound"], papers)
    paper = collect.papers(papers)[1]
    assert "**matches**" in readme.results_table(paper) and "earlier code" not in readme.results_table(paper)
    for name in ("train", "evaluate"):
        (papers / "softmax_ae" / f"{name}.py").write_text("def step():\n    return 1\n")
    closure.read.cache_clear()  # a process reads the code once
    closure.reach.cache_clear()
    assert "made by earlier code: evaluate.py, train.py changed since" in readme.results_table(paper)
    written, _ = pages.write(runs, papers)
    assert "made by earlier code: evaluate.py, train.py changed since" in Page(written[1]).text
    for path in kept.iterdir():
        results = json.loads(path.read_text())
        path.write_text(json.dumps({key: value for key, value in results.items() if key not in ("provenance", "seal")}))
    table = readme.results_table(paper)
    assert "Verdicts of `sound` are withheld: made before provenance was recorded." in table
    assert "**matches**" not in table and "**holds**" not in table
    assert "0.664 ± 0.010; 3 seeds, 1,000 segments: withheld |" in table


def test_published_demo_table_has_no_reported_column(tmp_path, papers, commit):
    make_run(tmp_path / "runs", papers, "sound", media=False, stands=commit)
    published.publish([tmp_path / "runs" / "softmax_ae" / "demo-gtzan-demo-sound"], papers)
    table = readme.results_table(collect.papers(papers)[1])
    assert "Synthetic" in table and "reported" not in table and "0.653" not in table


def test_published_runs_with_flags_name_them_and_effects_stand_with_their_divergence(tmp_path, papers):
    runs, values = tmp_path / "runs", {"paper": 0.60, "keep": 0.55, "width": 0.7}
    for mark, overrides in (("", {}), ("-abc123", {"keep": 0.8}), ("-def456", {"width": 90})):
        value = values[next(iter(overrides), "paper")]
        directory = make_run(tmp_path / "new", papers, "paper", 0, media=False, values={"T1-test": value},
                             overrides=overrides)
        target = runs / "softmax_ae" / f"demo-gtzan-demo-paper{mark}"
        target.parent.mkdir(parents=True, exist_ok=True)
        directory.parent.rename(target)
        (papers / "softmax_ae" / "results").mkdir(exist_ok=True)
        name = f"demo-gtzan-demo-paper{mark}-seed-0.json"
        (papers / "softmax_ae" / "results" / name).write_text((target / "seed-0" / "results.json").read_text())
    paper = collect.papers(papers)[1]
    table = readme.results_table(paper)
    assert table.count("| claim |") == 2  # the run with keep = 0.8 only measures an effect
    assert "preset demo, width 90:" in table and 'FOLLOW="paper" SEEDS="0" FLAGS="--width 90"`' in table
    headlines = readme.results_table(paper, {"T1-test"})  # of the paper's own README: no run with a changed setting
    assert headlines.count("| claim |") == 1 and "preset demo, width 90:" not in headlines
    assert "Runs with changed settings (gtzan, width 90) stand in [results](results/README.md) alone." in headlines
    changed = papers / "softmax_ae" / "results" / "demo-gtzan-demo-paper-def456-seed-0.json"
    for another in ({"preset": "smoke"}, {"corpus": json.loads(changed.read_text())["corpus"] | {"name": "other"}}):
        was = changed.read_text()
        changed.write_text(json.dumps(json.loads(was) | another))
        shown = readme.results_table(collect.papers(papers)[1], {"T1-test"})
        assert "width 90:" in shown and "stand in [results]" not in shown  # without the same runs, they are shown
        changed.write_text(was)
    row = next(line for line in readme.divergences_table(paper).splitlines() if line.startswith("| `keep`"))
    assert "T1-test (0.8: −0.0500 (1 seed) on gtzan, demo)" in row
    (papers / "softmax_ae" / "results" / "demo-gtzan-demo-paper-seed-0.json").unlink()  # and it is all there is
    alone = readme.results_table(collect.papers(papers)[1], {"T1-test"})
    assert "preset demo, width 90:" in alone and "stand in [results]" not in alone


def test_published_table_counts_what_has_no_value(tmp_path, papers):
    directory = make_run(tmp_path / "runs", papers, "sound", media=False)
    results = json.loads((directory / "results.json").read_text())
    results["results"]["T1-test"] = {"not_testable": "no test set"}
    (papers / "softmax_ae" / "results").mkdir(exist_ok=True)
    (papers / "softmax_ae" / "results" / "demo-gtzan-demo-sound-seed-0.json").write_text(json.dumps(results))
    table = readme.results_table(collect.papers(papers)[1])
    assert "| T1-test:" not in table and "without a value in these runs" in table


def test_divergences_table_and_broken_markers(papers):
    paper = collect.papers(papers)[1]
    table = readme.divergences_table(paper).splitlines()
    assert table[0] == "| setting | `code` | `paper` | `sound` | where | decides |" and len(table) == 5
    assert "`relu`†" in table[3] and table[4].endswith("| not measured |")
    for broken in ("<!-- results -->", "<!-- /results --> <!-- results -->", "<!-- results --><!-- results -->"):
        with pytest.raises(readme.ClaimsError):
            readme.rendered(paper, broken)
    assert readme.rendered(paper, "nothing") == "nothing"


def test_write_report_returns_the_overview_and_leaves_no_other_file(tmp_path, papers):
    make_run(tmp_path / "runs", papers)
    before = {path for path in (tmp_path / "runs").rglob("*")}
    path = report.write_report(tmp_path / "runs", papers)
    assert path == tmp_path / "runs" / "index.html"
    assert {path for path in (tmp_path / "runs").rglob("*")} - before == {
        path, tmp_path / "runs" / "softmax_ae" / "demo-gtzan-demo.html"}
    first = path.read_bytes()
    report.write_report(tmp_path / "runs", papers)
    assert path.read_bytes() == first and not os.access(tmp_path / "runs" / "nothing", os.F_OK)


@pytest.mark.slow
def test_readme_tables_match_the_committed_results():
    different, problems = readme.write_readmes(collect.ROOT / "papers", check=True)
    assert [str(path) for path in different] == [] and problems == []


def test_files_that_only_have_a_data_sets_names_are_named_on_page_and_in_the_readme(tmp_path, papers, commit):
    corpus = {"name": "named-gtzan", "label": "named-gtzan-noise", "evidence": "other", "fingerprint": "9f2c01",
              "items": 999, "said": "999 files have GTZAN's names, 999 have other contents than published"}
    directory = make_run(tmp_path / "runs", papers, "paper", 0, "full", media=False, corpus=corpus, stands=commit,
                         tries={"settings": 4, "evaluations": 9})
    written, _ = pages.write(tmp_path / "runs", papers)
    page = Page(written[1]).text
    assert "other real data; 999 files have GTZAN's names, 999 have other contents than published" in page
    assert "evaluated under 4 settings on this corpus" in page
    assert claim_cells(written[1], "T1-test")[3] == "0.630 a 1,000 segments"
    assert "a another corpus than the paper's" in page
    published.publish([directory.parent], papers)
    table = readme.results_table(collect.papers(papers)[1])
    assert "**named-gtzan, preset full: other real data (999 files have GTZAN's names, 999 have other" in table
    assert "evaluated under 4 settings" in table


# ---------------------------------------------------------------- wrong data, from the folder to the README


def white_noise(folder, demos):
    """Some of GTZAN's names in the paper's four genres, with noise in them."""
    for number, name in enumerate(known.checksums("gtzan")):
        if name.split(".")[0] in softmax_ae.GENRES and number % 20 == 0:
            path = folder / "genres_original" / name.split(".")[0] / name
            path.parent.mkdir(parents=True, exist_ok=True)
            noise = np.random.default_rng(number).uniform(-0.5, 0.5, 30_000)
            soundfile.write(path, noise, 22050)


def copied_demo(folder, demos):
    """Two classes of the demo corpus, copied one by one under other names."""
    for genre in ("jazz", "pop"):
        shutil.copytree(demos("gtzan") / "genres" / genre, folder / f"my {genre}")


@pytest.mark.parametrize(("make", "level", "check_code", "said", "shown", "note"), [
    (white_noise, "other", 1, "20 files have GTZAN's names, 20 have other contents than published",
     "other real data; 20 ", "a another corpus than the paper's"),
    (copied_demo, "demo", 0, "a demo corpus written by Encore (seed 0): every file carries its mark",
     "synthetic music; ", "")])
def test_what_check_page_and_publish_say_of_wrong_data(tmp_path, papers, commit, demos, capsys, make, level, check_code,
                                                       said, shown, note):
    make(tmp_path / "data", demos)
    assert corpora_script.main(["check", str(tmp_path / "data")]) == check_code
    assert f"evidence `{level}`: {said}" in capsys.readouterr().out
    config = configuration.resolve(softmax_ae, "paper", "smoke")
    corpus = preprocess.preprocess(config, tmp_path / "data", "smoke", tmp_path / "stores").parameters["corpus"]
    assert corpus["evidence"] == level and corpus["said"].startswith(said)
    directory = make_run(tmp_path / "runs", papers, "paper", 0, "full", media=False, corpus=corpus, stands=commit)
    written, _ = pages.write(tmp_path / "runs", papers)
    assert all(words in Page(written[1]).text for words in (shown, said, note))
    cells = " ".join(claim_cells(written[1], "T1-test"))
    assert "0.630" in cells and "matches" not in cells and "differs" not in cells
    assert published.publish([directory], papers)[1] == []
    table = readme.results_table(collect.papers(papers)[1])
    judged, facts = table.split("**Facts**")
    assert "the paper's own corpus" not in table and not re.search(r"\*\*(matches|differs|holds|fails)", judged)
    assert "**holds**" in facts
    assert ("Synthetic: no number here is evidence about the paper." in table) == (level == "demo")


def test_empty_files_of_five_composers_are_no_corpus_at_all(tmp_path, papers, capsys):
    for composer, count in known.counts("orchestral").items():
        (tmp_path / "data" / composer).mkdir(parents=True)
        for number in range(count):
            (tmp_path / "data" / composer / f"Work {number}.mp3").touch()
    assert corpora_script.main(["check", str(tmp_path / "data")]) == 1
    said = capsys.readouterr().out
    assert "151 files, evidence `other`: the paper's recordings are sold" in said and "unreadable (151)" in said
    config = configuration.resolve(symphony2vec, "paper", "smoke")
    with pytest.raises(StoreError, match=r"nothing usable in it \(151 rejected.*empty file"), \
            joblib.parallel_config(backend="sequential"):
        symphonies.preprocess(config, tmp_path / "data", "smoke", tmp_path / "stores")
    written, _ = pages.write(tmp_path / "runs", papers)
    assert [path.name for path in written] == ["index.html"]  # no run, no page of one
    assert "no results.json here" in published.publish([tmp_path / "runs" / "softmax_ae" / "orchestral"], papers)[1][0]


@pytest.mark.parametrize(("content", "said"), [
    ("[]", "not what a run writes"), ('{"paper": "softmax_ae", "corpus": "gtzan"}', "not what a run writes"),
    ('{"paper": "softmax_ae", "follow": "bogus"}', "names the mode 'bogus'"),
    ('{"follow": null}', "not what a run writes"),
    ('{"paper": "soft', "cut off or damaged"),
])  # fmt: skip
def test_an_odd_config_takes_no_page_away_and_is_one_line(tmp_path, content, said):
    papers = make_papers(tmp_path)
    whole = make_run(tmp_path / "runs", papers)
    odd = whole.parent / "seed-9"
    odd.mkdir()
    (odd / "config.json").write_text(content)
    written, _ = pages.write(tmp_path / "runs", papers)
    assert len(written) == 2
    paper = next(one for one in collect.papers(papers) if one.name == "softmax_ae")
    collect.groups(paper, tmp_path / "runs")
    assert len(paper.problems) == 1 and said in paper.problems[0] and "seed-9" in paper.problems[0]


def test_a_page_is_written_nowhere_but_beside_the_runs(tmp_path):
    papers = make_papers(tmp_path)
    directory = make_run(tmp_path / "runs", papers)
    for name in ("config.json", "results.json"):
        saved = json.loads((directory / name).read_text())
        saved["corpus"]["label"] = "../../../escaped"
        (directory / name).write_text(json.dumps(saved))
    written, _ = pages.write(tmp_path / "runs", papers)
    assert all((tmp_path / "runs") in path.resolve().parents for path in written) and len(written) == 2
    assert not list(tmp_path.parent.glob("escaped*"))
