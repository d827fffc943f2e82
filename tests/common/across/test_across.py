"""Invented papers with tools of known codes: everything that is asked, what is missing, and the page that says so."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from common import provenance, record
from common.across import __main__ as across_main, corpus, embeddings, measuring
from common.errors import DataError
from common.report import across, collect, pages
from tests.common.across.test_pairs import write
from tests.common.browser import VIEWS, Browser, examine

CONFIG = '''
from dataclasses import dataclass
PAPER, TITLE, CITATION, PROGRAM = "{name}", "The paper {name}", "A. Author, 2020", ""
@dataclass(frozen=True)
class Config:
    size: int = 3
DIVERGENCES, PRESETS = (), {{"smoke": {{}}, "demo": {{}}, "full": {{}}}}
'''
# a tool in plain Python; {codes} is an expression of a file's path
TOOL = '''
import csv, sys
from pathlib import Path
READS, MODEL = "{reads}", "net"
def codes(path, clip):
    return {codes}
if __name__ == "__main__":
    files = [Path(word) for word in sys.argv[1:sys.argv.index("--run")]]
    found = {{path: [codes(path, clip) for clip in (0, 1)] for path in files}}
    with open(sys.argv[sys.argv.index("--output") + 1], "w", newline="") as file:
        table = csv.writer(file)
        size = max(len(one[0]) for one in found.values())
        table.writerow(["file", "clip", "genre", *(f"z{{k}}" for k in range(size))])
        for path, both in found.items():
            if both[0]:
                table.writerows([path, clip, "any", *code] for clip, code in enumerate(both))
            else:
                print(f"error: {{path}}: not in 4/4", file=sys.stderr)
'''
ONE_HOT = "[float(path.parent.name == name) + 2 * clip for name in ('folk', 'jazz', 'rock')]"
PAPERS = {  # name: (reads, codes of a file's clip), None without a tool
    "answer": ("recordings", ONE_HOT), "broken": ("recordings", "sys.exit('error: no such model; train it')"),
    "constant": ("scores", "[] if path.stem == 'c' else [1.0, 2.0]"), "few": ("scores", "[1.0] * (path.stem == 'a')"),
    "idle": ("recordings", ONE_HOT), "infinite": ("recordings", "[float('nan')]"), "toolless": None}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Papers, their runs, and twelve pieces of twelve groups in three classes."""
    root = tmp_path_factory.mktemp("across")
    (root / "papers").mkdir()
    (root / "papers" / "__init__.py").touch()
    for name, tool in PAPERS.items():
        paper = root / "papers" / name
        paper.mkdir()
        (paper / "__init__.py").touch()
        (paper / "config.py").write_text(CONFIG.format(name=name))
        (paper / "claims.csv").write_text("id,where,kind,claim,reported,unit,needs,rule\n")
        if tool:
            (paper / "embed.py").write_text(TOOL.format(reads=tool[0], codes=tool[1]))
        if name != "idle":
            make_run(root / "runs" / name / "demo-any-demo-sound" / "seed-0", name, learnt=name != "constant")
    random = np.random.default_rng(0)
    for label in ("folk", "jazz", "rock"):
        for piece in "abcd":
            write(root / "pairs", f"{label}/{piece}", random.uniform(0.1, 0.9), random.integers(60, 180),
                  tuple(random.integers(40, 80, 4).tolist()))
    return root


def make_run(directory, paper, learnt):
    directory.mkdir(parents=True)
    (directory / "results.json").write_text(json.dumps({
        "paper": paper, "follow": "sound", "preset": "demo", "seed": 0, "complete": True, "commit": "0123456789ab",
        "corpus": {"name": "any", "label": "demo-any", "evidence": "demo", "facts": {}},
        "learnt": {"net-a-b": {"what": "held-out error", "value": 0.5, "baseline": 0.75, "learnt": learnt}}}))


@pytest.fixture(scope="module")
def found(home):
    patch, lines = pytest.MonkeyPatch(), []
    patch.chdir(home)  # where `python -m papers.<paper>.embed` finds them
    try:
        papers = collect.papers(home / "papers")
        return measuring.measure(corpus.read(home / "pairs"), papers, home / "runs", lines.append) | {"lines": lines}
    finally:
        patch.undo()


@pytest.fixture(scope="module")
def written(home, found):
    runs = home / "runs"
    keep(runs, found)
    paths, _ = pages.write(runs, home / "papers")
    assert runs / "across.html" in paths
    return runs


def keep(runs, found):
    plain = provenance.plain({key: value for key, value in found.items() if key != "lines"})
    record.write_json(runs / across.RESULT, plain | {"seal": provenance.seal(plain)})


@pytest.mark.slow
def test_all_are_asked_about_the_pieces_that_all_have(found):
    by = {one["paper"]: one for one in found["embeddings"]}
    assert (found["corpus"]["found"], found["corpus"]["pieces"], found["corpus"]["groups"]) == (12, 9, 9)
    assert found["corpus"]["classes"] == {"folk": 3, "jazz": 3, "rock": 3} and found["folds"] == 3
    assert by["answer"]["answers"]["class"]["value"] == 1.0 and by["answer"]["size"] == 3
    assert by["constant"]["answers"]["class"]["value"] <= 1 / 3 and len(by["constant"]["problems"]) == 3
    assert found["chance"]["class"]["value"] <= 1 / 3 and found["loudness"]["loudness"]["value"] > 0.9
    assert by["answer"]["pca"]["size"] == 3 and by["constant"]["pca"]["size"] == 2
    assert set(by["answer"]["answers"]) == set(across.QUESTIONS)
    assert found["provenance"]["commit"] and found["lines"][0].startswith("answer: ")


def test_what_is_missing_says_why_and_what_to_do(found):
    missing = {one["paper"]: one["missing"] for one in found["embeddings"] if one["missing"]}
    assert missing.pop("few").startswith("vectors for 3 of 12 pieces only (first: ")
    assert missing == {
        "broken": "its tool ended with 1: no such model; train it", "infinite": "its codes are not finite numbers",
        "idle": "no complete run; next: make reproduce-idle FOLLOW=sound",
        "toolless": "no embed.py that says READS and MODEL"}


def test_a_vector_is_the_mean_over_clips(tmp_path):
    table = tmp_path / "z.csv"
    table.write_text("file,clip,z0,z1,p_z2\na.wav,0,1,5,9\nb.wav,0,2,7,9\na.wav,1,3,6,9\n'=b.wav,0,2,7,9\n")
    means = {str(path): code.tolist() for path, code in embeddings.means(table).items()}
    assert means == {"a.wav": [2.0, 5.5], "b.wav": [2.0, 7.0], "=b.wav": [2.0, 7.0]}
    for text, words in (("clip,z0\n0,1\n", "columns file and z0"), ("file,clip\na,0\n", "columns file"),
                        ("file,z0\na,none\n", "could not convert")):
        table.write_text(text)
        with pytest.raises(ValueError, match=words):
            embeddings.means(table)


def test_real_tools_say_what_they_read():
    known = {path.parent.name: embeddings.constants(path) for path in collect.ROOT.glob("papers/*/embed.py")}
    assert len(known) >= 5 and all(set(one) == {"READS", "MODEL"} for one in known.values())
    assert {one["READS"] for one in known.values()} == {"recordings", "scores"}


def test_the_page_says_what_was_asked_and_what_is_missing(written, found):
    page, index = ((written / name).read_text(encoding="utf-8") for name in ("across.html", "index.html"))
    assert 'href="across.html"' in index
    for words in ("<strong>9 groups</strong>, 9 pieces of 3 classes", "make reproduce-idle FOLLOW=sound",
                  "no such model; train it", "has not learnt (held-out error: 0.5, baseline 0.75)",
                  "trained on synthetic music", "its results do not stand: made before provenance was recorded",
                  "3 files not used, such as", "not in 4/4", "principal components"):
        assert words in page, words
    assert "Nothing on this page is evidence" not in page  # the pieces are real
    value, interval = across.parts(found["embeddings"][0]["answers"]["class"])
    assert f'<span class="value">{value}</span>{interval}<br>' in page and interval[0] == "["  # of nine groups
    assert "Missing here" in page and "constant, not learnt" in page
    for verdict in ("holds", "fails", "seen"):
        assert f'class="word {verdict}' not in page and f">{verdict}<" not in page


def test_synthetic_pieces_are_said_to_be_so_once(found, home, tmp_path):
    synthetic = found | {"corpus": found["corpus"] | {"synthetic": True}}
    keep(tmp_path, synthetic)
    pages.write(tmp_path, home / "papers")
    page = (tmp_path / "across.html").read_text(encoding="utf-8")
    assert page.count("Synthetic music, made by Encore itself") == 1 and "trained on synthetic music" not in page


def test_without_answers_the_overview_says_how_to_get_them(home, tmp_path):
    paths, _ = pages.write(tmp_path, home / "papers")
    assert "python -m common.across" in paths[0].read_text(encoding="utf-8") and not (tmp_path / "across.html").exists()


def test_a_run_that_changed_since_is_told(found, home, tmp_path):
    answer = next(one for one in found["embeddings"] if one["paper"] == "answer")
    told = [note for note in across.row(answer, False)["notes"] if "changed since" in note]
    other = answer | {"says": answer["says"] | {"seal": "of other results"}}
    assert told == [] and "the run has changed since or is gone; next: python -m common.across" in across.row(
        other, False)["notes"]


@pytest.mark.parametrize("damage", [lambda text: text.replace('"folds": 3', '"folds": 4'), lambda text: text[:99],
                                    lambda text: "[]"])
def test_a_changed_result_is_a_problem_and_no_page(damage, written, home, tmp_path):
    (tmp_path / across.RESULT).write_text(damage((written / across.RESULT).read_text()))
    with pytest.raises(DataError, match="across.json: not as it was written; next: python -m common.across"):
        across.read(tmp_path)
    _, problems = pages.write(tmp_path, home / "papers")
    assert sum("not as it was written" in line for line in problems) == 1 and not (tmp_path / "across.html").exists()


def test_a_call_that_cannot_be_is_one_line(home, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    write(tmp_path / "one", "rock/a")
    for folder, words in (("gone", "no such folder"), ("empty", "no usable pair"), ("one", "one group")):
        places = ["--runs", str(tmp_path), "--papers", str(home / "papers")]
        with pytest.raises(SystemExit) as end:
            across_main.main(["--corpus", str(tmp_path / folder), *places])
        said = capsys.readouterr().err
        assert end.value.code == 2 and said.startswith("error: ") and said.count("\n") == 1 and words in said
    assert not (tmp_path / across.RESULT).exists()


@pytest.mark.parametrize(("there", "code", "calls"), [(True, 0, 0), (False, 0, 1), (False, 1, 1)])
def test_the_demo_pairs_are_written_once(there, code, calls, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    root = Path("data") / "demo" / "paired-smoke-0"
    if there:
        root.mkdir(parents=True)
    asked = []

    def run(words, **how):
        asked.append(words[1:])
        return SimpleNamespace(returncode=code)

    monkeypatch.setattr(across_main.subprocess, "run", run)
    if code:
        with pytest.raises(DataError, match="could not be written; next: python -m common.demo paired"):
            across_main.demo("smoke")
    else:
        assert across_main.demo("smoke") == root
    assert asked == [["-m", "common.demo", "paired", str(root), "--preset", "smoke"]] * calls


def test_an_answer_in_words():
    assert across.says({"value": 0.525, "low": -0.1, "high": 1.0}) == "0.53 [−0.10, 1.00]"
    assert across.says({"value": -0.001, "low": None, "high": None}) == "0.00"
    assert across.parts({"why": "the same for every piece"}) == ("the same for every piece", "")


def test_bars_begin_at_nothing_and_end_at_all():
    def answer(value, low=None, high=None):
        return {name: {"value": value, "low": low, "high": high, "groups": 9} for name in across.QUESTIONS}

    found = {"chance": answer(0.0), "loudness": answer(-2.0), "embeddings": [
        {"paper": "one", "reads": "scores", "says": {"learnt": False}, "answers": answer(0.5, 0.25, 2.0),
         "pca": {"size": 4, "answers": answer(1.0)}}, {"paper": "two"}]}
    figure = across.figure(found, "tempo")
    assert figure["zero"] == pytest.approx(33.33) and [bar["name"] for bar in figure["bars"]] == [
        "chance", "loudness alone", "one, not learnt", "PCA of rolls, 4"]
    places = [(bar["left"], bar["width"], bar["low"], bar["span"], bar["says"]) for bar in figure["bars"]]
    assert places == [(33.33, 0.0, None, None, "0.00"), (0.0, 33.33, None, None, "−2.00"),
                      (33.33, pytest.approx(33.34), 50.0, 50.0, "0.50 [0.25, 2.00]"),
                      (33.33, pytest.approx(66.67), None, None, "1.00")]


@pytest.mark.slow
@pytest.mark.needs_browser
def test_the_page_has_no_problem_at_any_width_and_scheme(written):
    with Browser() as chromium:
        for width, scheme in VIEWS:
            problems, measured = examine(chromium, written / "across.html", width, scheme)
            assert problems == [] and measured["texts"] > 60 and measured["contrast"] >= 4.5
