"""The faults themselves: each changes the program in the place it says, and nothing that is only text."""

import csv
import os
import random
import shutil
import subprocess
import sys

import pytest

from tests import mutate, mutations, reach
from tests.common import processes
from tests.reach import PAPERS, ROOT

SOURCE = '''"""A docstring with a < b and 3."""
import numpy as np

LIMIT = 0.5


def split(rows, share, loud=False):
    """Text: rows[0] == 1."""
    if len(rows) < 2:
        raise ValueError(f"{len(rows) + 1} rows")
    parts = {"train": rows[:-1]}
    parts["test"] = np.mean(rows) * -share
    parts["small"] = share + 1e-9
    rows.sort()
    return parts if loud and share > LIMIT else None
'''


def test_each_kind_of_fault_is_found_where_it_stands_and_compiles():
    found = {(m.line, m.what, m.text) for m in mutations.find("x.py", SOURCE)}
    assert found == {
        (4, "number", "1.0"), (7, "truth value", "True"),
        (9, "condition", "not (len(rows) < 2)"), (9, "comparison", ">="), (9, "number", "3"),
        (11, "word", "'test'"), (11, "sign", "(1)"), (11, "number", "2"),
        (12, "word", "'train'"), (12, "function", "sum"), (12, "operator", "/"), (12, "sign", "(share)"),
        (13, "operator", "-"), (14, "statement left out", "pass"),
        (15, "condition", "not (loud and share > LIMIT)"), (15, "and, or", "or"), (15, "comparison", "<="),
    }


def test_a_fault_changes_one_place_only():
    for mutation in random.Random(0).sample(mutations.find("x.py", SOURCE), 8):
        changed = mutation.apply(SOURCE)
        assert changed != SOURCE
        assert (changed[:mutation.start], changed[mutation.start + len(mutation.text):]) == (
            SOURCE[:mutation.start], SOURCE[mutation.end:])


def test_the_changed_lines_are_shown_without_those_between(tmp_path, monkeypatch):
    source = "def f(a):\n    if (a\n            and 1\n            and 2):\n        a = 0\n    g(\n        a)\n"
    (tmp_path / "x.py").write_text(source)
    monkeypatch.setattr(mutate, "ROOT", tmp_path)
    shown = {(m.what, m.text[:4]): mutate.difference(m) for m in mutations.find("x.py", source)}
    assert shown["condition", "not "] == ("if (a and 2):", "if (not (a and 2)):")
    assert shown["number", "3"] == ("and 2):", "and 3):")
    assert shown["statement left out", "pass"] == ("g( a)", "pass")


def test_a_compiled_function_is_told_from_a_plain_one():
    source = "@numba.njit(cache=True)\ndef f(a):\n    return a + 1\n\n\ndef g(a):\n    return a + 1\n"
    assert [(m.line, mutations.compiled(m, source)) for m in mutations.find("x.py", source)] == [
        (3, True), (3, True), (7, False), (7, False)]


@pytest.mark.slow
def test_lines_that_a_process_of_a_test_reaches_are_found_in_copies_too(tmp_path):
    shutil.copytree(ROOT / "common", tmp_path / "copy" / "common", ignore=shutil.ignore_patterns("__pycache__"))
    claims = ROOT / "papers" / "musae" / "claims.csv"
    done = processes.run("common.claims", claims, cwd=tmp_path / "copy",
                         environment=os.environ | {"ENCORE_REACHED": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    found = reach.by_other_processes(tmp_path, ["common/claims_file.py", "common/audio.py"])
    assert found["common/audio.py"] == {} and len(found["common/claims_file.py"]) > 20
    here = "tests/test_mutations.py::test_lines_that_a_process_of_a_test_reaches_are_found_in_copies_too"
    assert set.union(*found["common/claims_file.py"].values()) == {here}


def test_a_line_that_is_not_measured_is_reached_by_what_reaches_its_statement(tmp_path, monkeypatch):
    (tmp_path / "x.py").write_text("TABLE = {\n    1: 2,\n}\n\n\ndef f(a):\n    return max(\n        a,\n        3)\n")
    monkeypatch.setattr(reach, "ROOT", tmp_path)
    found = {"reached": {"x.py": {"1": [], "6": [], "7": ["slow", "quick"], "8": ["quick", "failing"]}},
             "seconds": {"slow": 3.0, "quick": 0.1}, "failed": ["failing"]}

    def tests(line):
        return reach.reaching(mutations.Mutation("x.py", line, 0, 0, "", ""), found)

    assert tests(8) == ["quick"] and tests(7) == ["quick", "slow"]
    assert tests(9) == ["quick", "slow"]  # of the same statement
    assert tests(2) == ["quick", "slow"]  # run at import: all that use the module
    assert tests(5) == []  # of no statement


def test_a_table_is_reached_by_what_reaches_those_who_import_it(tmp_path, monkeypatch):
    (tmp_path / "p").mkdir()
    uses = "from p import table, other\n\ndef f():\n    return table\n"
    for name, text in {"table": "TABLE = {1: 2}\n", "uses": uses, "too": "from p.table import TABLE\n",
                       "other": "import os\n"}.items():
        (tmp_path / "p" / f"{name}.py").write_text(text)
    monkeypatch.setattr(reach, "ROOT", tmp_path)
    (tmp_path / "test_it.py").write_text("from p import table\n")
    (tmp_path / "test_no.py").write_text("from p import other\n")
    found = {"reached": {"p/table.py": {"1": []}, "p/uses.py": {"1": [], "4": ["a"]}, "p/too.py": {"1": ["b"]},
                         "p/other.py": {"1": ["c"]}}, "seconds": {}, "failed": []}
    assert reach.importers("p/table.py", found["reached"]) == ["p/uses.py", "p/too.py"]
    assert sorted(reach.reaching(mutations.Mutation("p/table.py", 1, 0, 0, "", ""), found)) == ["a", "b"]
    assert reach.reaching(mutations.Mutation("p/table.py", 1, 0, 0, "", ""), found | {"reached": {}}) == []
    direct = {"test_it.py::d": 2.0, "test_no.py::e": 1.0}
    assert sorted(reach.reaching(mutations.Mutation("p/table.py", 1, 0, 0, "", ""), found | {"seconds": direct})) == [
        "a", "b", "test_it.py::d"]
    assert reach.reaching(mutations.Mutation("p/uses.py", 4, 0, 0, "", ""), found | {"seconds": direct}) == ["a"]


SAME = """
def draw(rng, many=3, seed=17):
    rng = np.random.default_rng([seed, 9])
    a = rng.normal(5) + KMeans(4, random_state=0).fit(x)
    for one, other in zip(a, b, strict=True):
        axes.plot(one, linewidth=2, limit=3)
    return other
"""


def test_another_seed_and_the_looks_of_a_picture_are_not_to_be_noticed():
    found = mutations.find("x.py", SAME)
    same = {(m.line, m.text) for m in found if mutations.unobservable(m, SAME)}
    assert same == {(2, "18"), (3, "10"), (4, "1"), (5, "False"), (6, "3")}
    assert {(m.line, m.text) for m in found} - same == {(2, "4"), (4, "6"), (4, "-"), (4, "5"), (6, "4")}


STEP = """
import coverage, pathlib, sys
measured = coverage.Coverage(source=["common"], data_file=None, config_file=False)
import tensorflow as tf
from tests import reach
measured.start()
reach.unconverted(tf)
from common import training
from tests.common import toy
training.train("toy", toy.model(), toy.Config(steps=2), None, pathlib.Path(sys.argv[1]), 0)
measured.stop()
lines = pathlib.Path("common/loop.py").read_text().splitlines()
here = [number for number, line in enumerate(lines, 1) if "values = self.stage.train_step" in line]
assert len(here) == 1 and here[0] in measured.get_data().lines(str(pathlib.Path("common/loop.py").resolve())), here
"""


@pytest.mark.slow
def test_the_lines_of_a_step_in_the_loop_are_seen(tmp_path):
    done = subprocess.run([sys.executable, "-c", STEP, str(tmp_path)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def test_equivalent_faults_are_counted_apart():
    rows = [{"what": what, "verdict": verdict} for what, verdict in (
        ("named: a", "killed"), ("sign", "killed"), ("sign", "killed"), ("number", "survived"),
        ("number", "not reached"), ("number", "equivalent"))]
    assert mutate.summary(rows) == ["1 of 1 named faults killed (100 %)",
                                    "2 of 5 sampled faults killed (40 %); 1 are equivalent: 2 of 4 (50 %)"]


def test_what_was_killed_need_not_be_tried_again(tmp_path, monkeypatch):
    monkeypatch.setattr(mutate, "ROOT", tmp_path)
    (tmp_path / "tests").mkdir()
    (tmp_path / "x.py").write_text("a = 1\nb = 2\n")
    one, two = mutations.find("x.py", "a = 1\nb = 2\n")
    assert mutate.key_of(two) == ("x.py", "number", "b = 2", "b = 3")
    row = dict.fromkeys(mutate.COLUMNS, "") | {"paper": "p", "seed": 0, "file": "x.py", "line": 1, "what": "number"}
    rows = [row | {"before": "a = 1", "after": "a = 2", "verdict": "killed"},
            row | {"line": 2, "before": "b = 2", "after": "b = 3", "verdict": "survived"}]
    mutate.write(rows, "p", 0)
    mutate.write([row | {"seed": 1, "verdict": "killed"}], "p", 1)
    assert len(mutate.written()) == 3 and set(mutate.killed_before("p", 0)) == {mutate.key_of(one)}
    mutate.write(rows[:1], "p", 0)  # made anew, the other seed's kept
    assert [found["seed"] for found in mutate.written()] == ["0", "1"] and mutate.killed_before("q", 0) == {}


@pytest.mark.parametrize("paper", [*PAPERS, "common"])
def test_every_named_fault_stands_once_in_its_file(paper):
    assert len(mutate.named(paper)) == len(reach.named_faults(paper)) > 10


@pytest.mark.parametrize("paper", [*PAPERS, "common"])
def test_what_is_called_equivalent_still_stands_in_its_file(paper):
    path = ROOT / "tests" / "mutants" / f"equivalent_{paper}.csv"
    found = mutate.equivalents(paper)
    if path.exists():
        with path.open(newline="") as file:
            assert len(found) == len(list(csv.DictReader(file)))  # none twice
    for (name, before, after), why in found.items():
        text = " ".join(line.strip() for line in (ROOT / name).read_text().splitlines())
        assert before in text and before != after and why, (name, before)
