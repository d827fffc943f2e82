"""What every paper's directory must have and keep, as CONTRIBUTING.md says it; most of it without TensorFlow.

What only a training shows (a smoke run, equal replicas) is not done again here: a paper's own tests do it, and say
which in `SMOKE_RUN` and `REPLICAS`. `tests/common/test_new_paper.py` runs this file on a paper just laid out.
"""

import ast
import dataclasses
import functools
import importlib
import itertools
import re
from fnmatch import fnmatch
from pathlib import Path
from types import SimpleNamespace

import pytest

from common import config as configuration, jobs, shapes
from common.report import collect, reading

ROOT = Path(__file__).resolve().parents[1]
PAPERS = sorted(path.parent.name for path in ROOT.glob("papers/*/evaluate.py"))
FILES = ("README.md", "claims.csv", "story.toml", "labels.csv", "equations.csv", "shapes.txt", "config.py",
         "preprocess.py", "model.py", "variants.py", "data.py", "losses.py", "train.py", "measures.py", "facts.py",
         "findings.py", "figures.py", "sound.py", "shapes.py", "evaluate.py")
NAMES = {"config": ("PAPER", "TITLE", "CITATION", "PROGRAM", "Config", "DIVERGENCES", "PRESETS"),
         "preprocess": ("preprocess",), "train": ("MODELS", "jobs", "train"),
         "findings": ("FINDINGS",), "evaluate": ("evaluate",), "shapes": ("networks",)}
SECTIONS = ("## Run it", "## Section by section", "## Where ", "## Results")  # of the README, in this order
MARKS = ("divergences", "results", "null")
LONGEST_EVALUATE = 150
MODES = {"code", "paper", "sound"}

every_paper = pytest.mark.parametrize("paper", PAPERS)


@functools.cache
def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


@functools.cache
def found(paper):
    """A paper as the report reads it: settings and claims, nothing else imported."""
    (one,) = [one for one in collect.papers(ROOT / "papers") if one.name == paper]
    assert one.problems == []
    return one


def bound(path):
    """Names that a module's top binds."""
    targets = itertools.chain.from_iterable(
        node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)] for node in tree(path).body)
    names = {one.id for target in targets if target for one in ast.walk(target) if isinstance(one, ast.Name)}
    return names | {node.name for node in tree(path).body if isinstance(node, ast.FunctionDef | ast.ClassDef)}


# ---------------------------------------------------------------- files, names, sections


@every_paper
def test_files_and_names_are_there(paper):
    folder = ROOT / "papers" / paper
    assert [name for name in FILES if not (folder / name).exists()] == []
    for module, names in NAMES.items():
        assert set(names) <= bound(folder / f"{module}.py"), module
    assert len((folder / "evaluate.py").read_text(encoding="utf-8").splitlines()) <= LONGEST_EVALUATE
    assert list((ROOT / "tests" / "papers" / paper).glob("test_*.py"))


@every_paper
def test_the_readme_has_its_sections_in_order(paper):
    text = (ROOT / "papers" / paper / "README.md").read_text(encoding="utf-8")
    places = [f"\n{text}".find(f"\n{section}") for section in SECTIONS]
    assert -1 not in places and places == sorted(places), dict(zip(SECTIONS, places, strict=True))
    for mark in MARKS:
        assert text.count(f"<!-- {mark} -->") == text.count(f"<!-- /{mark} -->") == 1, mark


@every_paper
@pytest.mark.parametrize("file", ["model.py", "variants.py", "losses.py", "train.py"])
def test_no_mode_word_in_models_and_training(paper, file):
    """A divergence is an argument or a function from a table; which mode asks for it is config.py's."""
    path = ROOT / "papers" / paper / file
    for node in ast.walk(tree(path)):
        asked = []
        if isinstance(node, ast.Compare):
            asked = [node.left, *node.comparators]
        elif isinstance(node, ast.Dict):
            asked = node.keys
        assert not [one for one in asked if isinstance(one, ast.Constant) and one.value in MODES], node.lineno
        word = getattr(node, "id", getattr(node, "attr", getattr(node, "arg", None)))
        assert word not in ("follow", "mode"), node.lineno


# ---------------------------------------------------------------- settings and divergences


@every_paper
def test_settings_resolve_in_every_mode_and_preset(paper):
    settings = found(paper).settings
    assert settings.PAPER == paper and settings.TITLE and settings.CITATION
    assert settings.Config.__dataclass_params__.frozen
    assert set(settings.PRESETS) == set(configuration.PRESETS)
    for follow, preset in itertools.product(configuration.FOLLOW, configuration.PRESETS):
        configuration.resolve(settings, follow, preset)
    fields = {one.name for one in dataclasses.fields(settings.Config)}
    assert {*getattr(settings, "ENOUGH", {})} <= fields | {"groups"}
    for one in settings.DIVERGENCES:  # the defaults are the paper's
        assert getattr(settings.Config(), one.field) == one.paper, one.field


@every_paper
def test_jobs_name_the_networks_of_every_mode_and_preset(paper):
    settings = found(paper).settings
    train = importlib.import_module(f"papers.{paper}.train")
    for follow, preset in itertools.product(configuration.FOLLOW, configuration.PRESETS):
        config = configuration.resolve(settings, follow, preset)
        names = jobs.models(paper, config, follow, preset)
        assert names and set(names) <= set(train.jobs(config)), (follow, preset)
        if hasattr(settings, "trained_models"):
            run = SimpleNamespace(follow=follow, preset=preset)
            assert names == [name for name in train.jobs(config) if name in settings.trained_models(run)]
        else:
            assert names == list(train.jobs(config))


@every_paper
def test_every_divergence_has_a_source_a_reason_and_a_test(paper):
    known = {claim.id for claim in found(paper).claims}
    tests = [*(ROOT / "tests" / "papers" / paper).rglob("*.py"), ROOT / "tests" / "parity" / f"test_{paper}.py"]
    tried = "\n".join(path.read_text(encoding="utf-8") for path in tests if path.exists())
    divergences = found(paper).settings.DIVERGENCES
    assert len({one.field for one in divergences}) == len(divergences)
    for one in divergences:
        assert len({repr(one.paper), repr(one.code), repr(one.sound)}) > 1, f"{one.field}: nothing differs"
        assert one.paper_source, one.field
        assert one.code_source or one.code == one.paper or not found(paper).program, f"{one.field}: code_source"
        assert one.sound_reason or one.sound == one.paper, f"{one.field}: sound_reason"
        assert set(one.decides) <= known, one.field
        assert re.search(rf"\b{one.field}\b", tried), f"{one.field}: no test of the paper names it"


# ---------------------------------------------------------------- claims, equations, shapes


@every_paper
def test_every_claim_is_answered_and_nothing_else_is(paper):
    """Where facts are no table of functions, the smoke run's test compares the ids, see there."""
    findings, facts = (importlib.import_module(f"papers.{paper}.{name}") for name in ("findings", "facts"))
    tables = [one if isinstance(one, dict) else findings.FINDINGS for one in findings.FINDINGS.values()]
    answered = dict(itertools.chain(*(one.items() for one in tables), getattr(facts, "FACTS", {}).items()))
    assert answered and all(map(callable, answered.values()))
    known = {claim.id: claim for claim in found(paper).claims}
    assert set(answered) <= set(known)
    if hasattr(facts, "FACTS"):
        assert not [name for name in set(known) - set(answered) if known[name].rule], "a rule that nothing answers"


@every_paper
def test_equations_and_shapes_name_definitions_that_are_there(paper):
    page = reading.page(found(paper))  # raises where one is not
    tables = shapes.read(ROOT / "papers" / paper / "shapes.txt")
    shown = [one for block in page["networks"] for one in block.shapes]
    assert tables and sorted(shown) == sorted(one for several in tables.values() for one in several)


@pytest.mark.slow
@every_paper
def test_the_printed_shapes_are_those_of_the_networks(paper):
    assert (ROOT / "papers" / paper / "shapes.txt").read_text(encoding="utf-8") == shapes.text(paper), (
        f"next: python -m common.shapes {paper}")


# ---------------------------------------------------------------- what the paper's own tests show


def listed(paper, name):
    """The value of a constant of one of the paper's test modules, read and not run."""
    values = [ast.literal_eval(node.value) for path in sorted((ROOT / "tests" / "papers" / paper).glob("test_*.py"))
              for node in tree(path).body if isinstance(node, ast.Assign)
              for target in node.targets if getattr(target, "id", "") == name]
    assert len(values) == 1, f"one module of tests/papers/{paper} says {name}"
    return values[0]


def test_of(paper, name):
    """The function `module.function` among the paper's tests."""
    module, _, function = name.partition(".")
    path = ROOT / "tests" / "papers" / paper / f"{module}.py"
    assert path.exists(), f"{name}: no such module"
    (node,) = [node for node in tree(path).body if isinstance(node, ast.FunctionDef) and node.name == function]
    return node


test_of.__test__ = False


@every_paper
def test_a_smoke_run_is_among_its_tests(paper):
    """It compares the ids of a whole run's results with those of claims.csv."""
    node = test_of(paper, listed(paper, "SMOKE_RUN"))
    compared = [ast.unparse(one) for one in ast.walk(node) if isinstance(one, ast.Compare)]
    assert [one for one in compared if re.match(r"set\(\w+\['results'\]\) == ", one)], compared


@pytest.mark.slow
@every_paper
def test_every_model_is_shown_equal_on_two_replicas_or_refuses_them(paper):
    """`REPLICAS`: {model, or a pattern of models of one step, which stand for each other: the test}."""
    models = importlib.import_module(f"papers.{paper}.train").MODELS
    patterns = listed(paper, "REPLICAS")
    for name in set(patterns.values()):
        test_of(paper, name)
    open_ = [name for name, model in models.items()
             if not model.single_replica and not any(fnmatch(name, pattern) for pattern in patterns)]
    assert open_ == [], "no test compares one replica with two"
    assert [pattern for pattern in patterns if not any(fnmatch(name, pattern) for name in models)] == []
