"""What code a training, an evaluation and a store stand on: found by reading; every change named, no other change."""

import ast
import functools
import importlib
import re
import shutil
import textwrap
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from common import checkpoints, closure, config, provenance, record, store
from common.errors import StaleError

KINDS = (closure.training, closure.evaluation, closure.making)
PAPERS = sorted(path.parent.name for path in (closure.ROOT / "papers").glob("*/train.py"))


def forget():
    """A process reads the code once: let this one read it again."""
    closure.read.cache_clear()
    closure.reach.cache_clear()


@pytest.fixture
def tree(tmp_path):
    """Write modules {dotted name: text} of a paper called `p`; returns the root. A name without a dot is a file."""

    def write(modules):
        for name, text in modules.items():
            path = tmp_path / (name if "/" in name else f"{name.replace('.', '/')}.py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text))
        closure.read.cache_clear()
        closure.reach.cache_clear()
        return tmp_path

    return write


TRAIN = "from papers.p import helpers\n\ndef train(x):\n    return helpers.used(x)\n"
HELPERS = "def used(x):\n    return x + 1\n\ndef unused(x):\n    return x + 2\n"


def test_a_reached_function_is_in_the_closure_and_an_unreached_one_is_not(tree):
    found = closure.training("p", tree({"papers.p.train": TRAIN, "papers.p.helpers": HELPERS}))
    assert set(found) == {"papers.p.train", "papers.p.helpers"} and set(found["papers.p.helpers"]) == {"used"}


@pytest.mark.parametrize(("module", "old", "new", "said"), [
    ("papers.p.helpers", "x + 1", "x - 1", ["helpers.py: used changed"]),
    ("papers.p.helpers", "x + 2", "x - 2", []),
    ("papers.p.helpers", "return x + 1", "return (x\n            + 1)  # as before", []),
    ("papers.p.helpers", "def used(x):\n", "def used(x):\n    '''Says so.'''\n", []),
    ("papers.p.helpers", "def used(x):", "def used(x: int, *y: str) -> float:", ["helpers.py: used changed"]),
    ("papers.p.helpers", "def used(x):", "def used(x: int) -> float:", []),
    ("papers.p.helpers", "def used", "LIMIT = 3\n\n\ndef used", []),
    ("papers.p.train", "return helpers", "return 2 * helpers", ["train.py: train changed"]),
    ("papers.p.train", "\n\ndef", "\nLIMIT = 3\n\ndef", ["train.py: LIMIT is new"]),
])
def test_a_change_is_named_and_comments_are_none(tree, module, old, new, said):
    texts = {"papers.p.train": TRAIN, "papers.p.helpers": HELPERS}
    before = closure.training("p", tree(texts))
    assert old in texts[module]
    after = closure.training("p", tree(texts | {module: texts[module].replace(old, new)}))
    assert closure.changes(before, after) == said


@pytest.mark.parametrize("train", [
    "def train(x):\n    from papers.p.helpers import used\n    return used(x)\n",
    "def train(x):\n    from papers.p import helpers as h\n    return h.used(x)\n",
    "def train(x):\n    import papers.p.helpers\n    return papers.p.helpers.used(x)\n",
    "from .helpers import used as f\nTABLE = {'a': f}\n",
    "from papers.p import helpers\ndef train(x, name):\n    return getattr(helpers, name)(x)\n",
    "from papers.p import used\nclass Trainer:\n    def step(self, x):\n        return used(x)\n",
    "from papers.p import helpers\ndef train(x):\n    return [lambda y=helpers.used: y(z) for z in x]\n",
    "from papers.p import helpers\n@helpers.used\ndef train(x):\n    return x\n",
])
def test_every_way_of_using_a_function_reaches_it(tree, train):
    texts = {"papers.p.__init__": "from papers.p.helpers import used\n", "papers.p.train": train,
             "papers.p.helpers": HELPERS}
    assert "used" in closure.training("p", tree(texts))["papers.p.helpers"]


@pytest.mark.parametrize("train", [
    "from papers.p import helpers\ndef train(helpers):\n    return helpers.used\n",
    "from papers.p import helpers\ndef train(x):\n    return [helpers.used for helpers in x]\n",
    "from papers.p import helpers\ndef train(x):\n    helpers = x\n    return helpers\n",
    "if __name__ == '__main__':\n    from papers.p import helpers\n    helpers.used(1)\n",
])
def test_a_local_name_and_the_command_line_reach_nothing(tree, train):
    assert "papers.p.helpers" not in closure.training("p", tree({"papers.p.train": train, "papers.p.helpers": HELPERS}))


def test_methods_classes_and_named_files_are_told_apart(tree):
    text = ("class Net:\n    size = 3\n    def call(self):\n        return 1\n    def show(self):\n        return 2\n"
            "def rows():\n    return open('split.csv')\n")
    before = closure.training("p", tree({"papers.p.train": text, "papers/p/split.csv": "a\n"}))
    assert set(before["papers.p.train"]) == {"Net", "Net.call", "Net.show", "rows", "split.csv"}
    after = closure.training("p", tree({"papers.p.train": text.replace("return 1", "return 3").replace("= 3", "= 4"),
                                        "papers/p/split.csv": "b\n"}))
    assert closure.changes(before, after) == ["train.py: Net changed", "train.py: Net.call changed",
                                              "train.py: split.csv changed"]


@pytest.mark.parametrize(("old", "new", "said"), [
    ("size: object", "size: int", []),
    ("size: object", "size: object = 3", ["train.py: Net changed"]),
    ("size: object", "width: object", ["train.py: Net changed"]),
    ("size: object", "size: dataclasses.InitVar[int]", ["train.py: Net changed"]),  # no field then
    ("found: list", "found: tuple", []),
    ("= []", "= [1]", ["train.py: train changed"]),
])
def test_the_type_of_a_field_or_variable_is_no_change_but_what_makes_another_class_is(tree, old, new, said):
    text = ("import dataclasses\n@dataclasses.dataclass\nclass Net:\n    size: object\n"
            "def train():\n    found: list = []\n    return Net(found)\n")
    assert old in text
    before = closure.training("p", tree({"papers.p.train": text}))
    assert closure.changes(before, closure.training("p", tree({"papers.p.train": text.replace(old, new)}))) == said


def test_settings_count_by_value_and_only_methods_and_reached_constants_of_config_as_code(tree):
    text = ("class Config:\n    epochs: int = 3\n    def steps(self):\n        return self.epochs\n"
            "LABELS = ('a',)\nPRESETS = {'smoke': {'epochs': 1}}\nOTHER = 1\n")
    train = "from papers.p import config as settings\ndef train(c):\n    return settings.LABELS, settings.PRESETS\n"
    before = closure.training("p", tree({"papers.p.config": text, "papers.p.train": train}))
    assert set(before["papers.p.config"]) == {"Config", "Config.steps", "LABELS"}
    for old, new, said in (("int = 3", "int = 4", []), ("'epochs': 1", "'epochs': 2", []),
                           ("OTHER = 1", "OTHER = 2", []),
                           ("self.epochs\n", "2 * self.epochs\n", ["config.py: Config.steps changed"]),
                           ("('a',)", "('b',)", ["config.py: LABELS changed"])):
        assert old in text
        after = closure.training("p", tree({"papers.p.config": text.replace(old, new), "papers.p.train": train}))
        assert closure.changes(before, after) == said


def test_books_and_the_making_of_data_stay_out_and_evaluation_has_what_training_has_not(tree):
    root = tree({"papers.p.train": "from common import record, corpora, claims\nfrom papers.p import helpers\n"
                 "def train(x):\n    record.go(), corpora.find(), claims.judge()\n    return helpers.used(x)\n",
                 "papers.p.helpers": HELPERS, "common.record": "def go(): pass\n",
                 "common.claims": "def judge(): pass\n",
                 "common.corpora": "def find(): pass\n",
                 "papers.p.figures": "def draw(): pass\n", "papers.p.preprocess":
                 "from common import corpora\ndef preprocess():\n    return corpora.find()\ndef main():\n    pass\n",
                 "papers.p.evaluate": "from papers.p import figures, helpers, train\ndef evaluate(x):\n"
                 "    figures.draw()\n    return train.train(x) + helpers.unused(x)\n"})
    assert set(closure.training("p", root)) == {"papers.p.train", "papers.p.helpers"}
    evaluation = closure.evaluation("p", root)
    assert {name: list(units) for name, units in evaluation.items()} == {
        "papers.p.evaluate": ["evaluate"], "papers.p.helpers": ["unused"]}
    assert {name: list(units) for name, units in closure.making("p", root).items()} == {
        "common.corpora": ["find"], "papers.p.preprocess": ["preprocess"]}


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """The real modules, to change a line of them."""
    root = tmp_path_factory.mktemp("tree")
    for room in closure.ROOMS:
        shutil.copytree(closure.ROOT / room, root / room,
                        ignore=shutil.ignore_patterns("__pycache__", "results", "*.md", "known", "templates"))
    return root


@pytest.fixture(scope="module")
def closures(copied):
    closure.read.cache_clear()
    closure.reach.cache_clear()
    return {paper: [kind(paper, copied) for kind in KINDS] for paper in PAPERS}


def one_line_changed(path, function):
    """The text of a module with one line more in a function, method or class."""
    text = path.read_text()
    body = ast.parse(text).body
    for name in function.split("."):
        node = next(one for one in body if getattr(one, "name", None) == name)
        body = node.body
    line = body[-1].lineno - 1
    lines = text.splitlines(keepends=True)
    return "".join([*lines[:line], " " * body[-1].col_offset + "changed = 1\n", *lines[line:]])


def after(root, module, function, paper, kinds):
    """Closures of a paper with one line more in a function."""
    path = closure.file_of(root, module)
    text = path.read_text()
    try:
        path.write_text(one_line_changed(path, function))
        closure.read.cache_clear()
        closure.reach.cache_clear()
        return [KINDS[kind](paper, root) for kind in kinds]
    finally:
        path.write_text(text)


@pytest.mark.slow
@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("name", ["model", "losses", "train", "loop", "preprocess", "evaluate"])
def test_one_changed_line_asks_for_training_evaluation_or_the_store(copied, closures, paper, name):
    module = "common.loop" if name == "loop" else f"papers.{paper}.{name}"
    kind = {"preprocess": 2, "evaluate": 1}.get(name, 0)
    if name == "losses" and not closure.file_of(copied, module):
        pytest.skip("its losses stand in train.py")
    assert module in closures[paper][kind], f"{module} is not reached"
    functions = [one for one in closures[paper][kind][module] if one[:1].islower() or "." in one]
    function = functions[-1] if name != "preprocess" else "preprocess"
    kinds = (0, 2) if name == "preprocess" else (kind,)
    found = dict(zip(kinds, after(copied, module, function, paper, kinds), strict=True))
    assert closure.changes(closures[paper][kind], found[kind]) == [f"{closure.label(module)}: {function} changed"]
    if name == "preprocess":  # trained weights stand: the store's content decides
        assert closure.changes(closures[paper][0], found[0]) == []
    if name == "evaluate":
        assert module not in closures[paper][0]


# ---------------------------------------------------------------- what make does then


@pytest.fixture
def finished(copied, tmp_path, monkeypatch):
    """paper -> (a run of its real settings, its store): trained and evaluated by the copied code, weights made up."""
    monkeypatch.setattr(provenance, "ROOT", copied)
    monkeypatch.setattr(closure, "making", functools.partial(closure.making, root=copied))
    forget()

    def made(paper):
        settings = importlib.import_module(f"papers.{paper}.config")
        corpus = SimpleNamespace(name="x", root=tmp_path, evidence="demo", items=[1], rejected=[], fingerprint="abc",
                                 facts={}, said="")
        held = store.prepare(corpus, {"name": "x", "version": 1}, tmp_path / "stores",
                             lambda writer: writer.row(item="a", group="a", label="a"))
        run = record.open_run(settings, config.resolve(settings, "paper", "smoke"), held, "paper", "smoke", 0,
                              runs=tmp_path / "runs")
        folder = run.model_directory("net") / "checkpoints"
        folder.mkdir(parents=True)
        state = {"total": 6, "complete": True, "settings": {"seed": 0}, "provenance": run.provenance(held)}
        checkpoints.write(folder / "step-000000006.npz", state, {"network/a/000": np.zeros(2)})
        run.write_config(held)
        run.write_results(held, {}, step=6)
        assert run.is_done(held)
        return run, held

    yield made
    forget()


@pytest.mark.slow
@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("name", ["model", "losses", "train", "loop", "preprocess", "evaluate", "figures"])
def test_make_after_one_changed_line_of_a_real_module(copied, closures, finished, paper, name):
    """Training code is asked about by name; evaluation and store are made again; a picture does nothing."""
    run, held = finished(paper)
    module = "common.loop" if name == "loop" else f"papers.{paper}.{name}"
    kind = {"preprocess": 2, "evaluate": 1}.get(name, 0)
    path, making = closure.file_of(copied, module), store.code_of(f"papers.{paper}.preprocess")
    text = path.read_text()
    function = {"preprocess": "preprocess", "figures": re.findall(r"^def (\w+)", text, re.M)[0]}.get(name) or [
        one for one in closures[paper][kind][module] if one[:1].islower() or "." in one][-1]
    path.write_text(one_line_changed(path, function))
    forget()
    try:
        assert (store.code_of(f"papers.{paper}.preprocess") != making) == (name == "preprocess")
        if kind or name == "figures":
            run.settle(held)
            assert run.is_done(held) == (name in ("preprocess", "figures"))
        else:
            assert not run.is_done(held)
            said = f"net: {re.escape(closure.label(module))}: {function} changed since step 6; --fresh to start"
            with pytest.raises(StaleError, match=said):
                run.settle(held)
            run.settle(held, accept_code=True)
            run.settle(held)
            assert not run.is_done(held)  # to be evaluated again, and every verdict withheld
    finally:
        path.write_text(text)


@pytest.mark.parametrize("paper", PAPERS)
def test_the_real_training_stands_on_the_loop_and_not_on_books_demo_or_corpora(closures, paper):
    training, evaluation, making = closures[paper]
    assert {"common.training", "common.loop", "common.noise", "common.checkpoints"} <= set(training)
    out = ("common.demo", "common.corpora", *closure.BOOKS)
    assert not [name for name in {*training, *evaluation} if name.startswith(out)]
    assert f"papers.{paper}.preprocess" in making and "Writer.array" in making["common.store"]
    assert any(name.startswith("common.corpora.") for name in making)
    for module in training:
        assert Path(closure.file_of(closure.ROOT, module)).is_file()
