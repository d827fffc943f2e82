"""Sizes that are none are refused; what is too small to judge a paper by says so."""

import dataclasses
import importlib
import shutil
from types import SimpleNamespace

import pytest

from common import closure, files, sizes
from common.config import FOLLOW, resolve
from common.errors import SizeError
from common.report import collect
from common.reproduce import PAPERS
from tests.common.fabricated import make_papers, make_run


@dataclasses.dataclass(frozen=True)
class Config:
    epochs: int = 100
    batch_size: int = 8
    limit: int = 0  # 0: all
    width: float = 2.0
    models: tuple = ("a",)
    gamma: float = 0.5  # no size


SETTINGS = SimpleNamespace(Config=Config, DIVERGENCES=(), PRESETS={
    "smoke": {"epochs": 1, "limit": 3, "width": 1.0, "models": ("a", "b")}, "demo": {"epochs": 10}, "full": {}})


@pytest.mark.parametrize(("field", "value"), [
    ("epochs", 0), ("epochs", -1), ("batch_size", 0), ("batch_size", -4), ("limit", -1), ("width", float("nan")),
    ("width", float("inf")), ("width", -0.5), ("models", ())])
def test_zero_negative_and_empty_sizes_are_refused_by_name(field, value):
    with pytest.raises(SizeError, match=f"--{field.replace('_', '-')} .*must be"):
        sizes.check(SETTINGS, dataclasses.replace(Config(), **{field: value}))


@pytest.mark.parametrize(("field", "value"), [
    ("epochs", 1), ("limit", 0), ("batch_size", 1), ("width", 0.0), ("gamma", -3.0), ("models", ("b",))])
def test_other_sizes_and_what_is_no_size_pass(field, value):
    sizes.check(SETTINGS, dataclasses.replace(Config(), **{field: value}))


def test_a_negative_seed_is_none():
    with pytest.raises(SizeError, match="seed -1"):
        sizes.check(SETTINGS, Config(), -1)


def run(preset="full", groups=50, **overrides):
    return {"follow": "paper", "preset": preset, "overrides": overrides, "facts": {"groups": groups}}


@pytest.mark.parametrize(("enough", "one", "said"), [
    ({}, run(), ""), ({}, run("demo"), "too small a run: epochs is 10, the paper's is 100"),
    ({}, run(epochs=4), "too small a run: epochs is 4"), ({"epochs": 5}, run("demo"), ""),
    ({"epochs": 10}, run("demo"), ""), ({"epochs": 11}, run("demo"), "too small a run: epochs is 10, enough is 11"),
    ({"epochs": 5}, run("smoke", epochs=50), "too small a run: limit is 3"),
    ({"epochs": 5}, run(epochs=400), ""), ({}, run(epochs=400), "too small a run: epochs is 400, the paper's is 100"),
    ({"epochs": 500}, run(epochs=101), ""), ({"epochs": 500}, run(epochs=99), "too small a run: epochs is 99, enough"),
    ({"limit": 9}, run(limit=8), "too small a run: limit is 8, enough is 9"), ({"limit": 9}, run(limit=9), ""),
    ({}, run(gamma=0.1), ""), ({}, run(batch_size=2), "too small a run: batch_size is 2, the paper's is 8"),
    ({"limit": 9}, run("smoke", limit=8), "too small a run: limit is 8"),  # before epochs, of which nothing is declared
    ({"groups": 50}, run(), ""), ({"groups": 51}, run(), "too small a run: 50 groups, enough is 51"),
    ({"groups": 5}, run(groups=None), "too small a run: None groups"),
])
def test_real_data_is_judged_at_full_sizes_or_what_is_declared_enough(enough, one, said):
    found = sizes.too_small(SimpleNamespace(**vars(SETTINGS), ENOUGH=enough), one)
    assert found.startswith(said) and bool(found) == bool(said)


def words(tmp_path, evidence, preset, enough="", **more):
    papers = make_papers(tmp_path)
    path = papers / "softmax_ae" / "config.py"
    path.write_text(path.read_text() + enough)
    settings = collect.load_settings(path.parent)
    more.setdefault("settings_sha256", files.sha256(resolve(settings, "sound", preset, more.get("overrides"))))
    for seed in range(3):
        make_run(tmp_path / "runs", papers, "sound", seed, preset, evidence=evidence, media=False, **more)
    paper = collect.papers(papers)[1]
    judged = collect.judgements(paper, collect.groups(paper, tmp_path / "runs")[0].runs, "sound")
    return {claim: (found.word, found.reason) for claim, found in judged.items()}


def test_a_small_run_on_real_data_decides_nothing_but_facts(tmp_path):
    small = words(tmp_path / "a", "other", "demo")
    assert small["R5"] == ("not testable", "too small a run: epochs is 10, the paper's is 200")
    assert small["P-count"][0] == "holds" and small["T1-test"][0] == "not comparable"
    assert words(tmp_path / "b", "other", "demo", "ENOUGH = {'epochs': 10}\n")["R5"][0] == "holds"
    assert words(tmp_path / "c", "other", "demo", "ENOUGH = {'epochs': 11}\n")["R5"][0] == "not testable"
    assert words(tmp_path / "d", "demo", "demo")["R5"][0] == "seen"
    full = words(tmp_path / "e", "published", "full")
    assert full["R5"][0] == "holds" and full["T1-test"][0] == "matches"


def test_a_number_is_not_compared_where_a_size_was_made_smaller_by_hand(tmp_path):
    found = words(tmp_path, "published", "full", overrides={"epochs": 1}, settings_sha256=None)
    assert found["T1-test"] == ("not comparable", "too small a run: epochs is 1, the paper's is 200")
    assert found["R5"][0] == "not testable"


def test_what_is_enough_for_a_finding_is_not_for_a_printed_number(tmp_path):
    """150 of the paper's 200 epochs: the finding is judged, the number is not compared; 3 songs decide neither."""
    found = words(tmp_path / "a", "published", "full", "ENOUGH = {'epochs': 100, 'groups': 50}\n",
                  overrides={"epochs": 150}, facts={"groups": 50, "groups_per_class": 9})
    assert found["T1-test"] == ("not comparable", "too small a run: epochs is 150, the paper's is 200")
    assert found["R5"][0] == "holds"
    few = {"groups": 3, "groups_per_class": 3}
    found = words(tmp_path / "b", "other", "full", "ENOUGH = {'groups': 50}\n", facts=few)
    assert found["R5"] == ("not testable", "too small a run: 3 groups, enough is 50")
    found = words(tmp_path / "c", "demo", "demo", "ENOUGH = {'keep': 1}\n", overrides={"keep": 0.8})
    assert found["R5"] == ("not testable", "settings overridden: keep")


# ---------------------------------------------------------------- what the papers declare


def settings_of(paper):
    return importlib.import_module(f"papers.{paper}.config")


@pytest.mark.parametrize("follow", FOLLOW)
@pytest.mark.parametrize("paper", PAPERS)
def test_smoke_and_demo_lengths_and_three_songs_decide_nothing_and_what_is_declared_does(paper, follow):
    settings = settings_of(paper)
    enough, names = settings.ENOUGH, sizes.named(settings)
    assert set(enough) <= {*names, "groups"} and enough["groups"] >= 16

    def said(preset="full", groups=enough["groups"], **overrides):
        return sizes.too_small(settings, {"follow": follow, "preset": preset, "overrides": overrides,
                                          "facts": {"groups": groups}})

    assert said("smoke").startswith("too small a run: ")
    if paper == "softmax_ae":  # its demo trains as long as the paper
        assert said("demo") == ""
    else:
        assert said("demo").startswith("too small a run: ")
    assert said(groups=3) == f"too small a run: 3 groups, enough is {enough['groups']}"
    assert said() == ""
    full = resolve(settings, follow, "full")
    least = {name: value for name, value in enough.items() if name != "groups"}
    assert said(**least) == ""
    for name, value in least.items():
        assert said(**{name: 10 * max(value, getattr(full, name) or value)}) == "", name  # longer is never too short
        if value > 1:
            assert said(**least | {name: min(value, getattr(full, name) or value) - 1}).startswith(
                f"too small a run: {name} is "), name


@pytest.mark.slow
@pytest.mark.parametrize("paper", PAPERS)
def test_what_is_enough_is_no_part_of_what_a_training_stands_on(paper, tmp_path):
    """It is a rule of judging: another number in it makes nothing stale."""
    for room in closure.ROOMS:
        shutil.copytree(closure.ROOT / room, tmp_path / room,
                        ignore=shutil.ignore_patterns("__pycache__", "results", "*.md", "known", "templates"))
    before = closure.training(paper, tmp_path), closure.evaluation(paper, tmp_path)
    path = tmp_path / "papers" / paper / "config.py"
    text = path.read_text()
    path.write_text(text.replace("ENOUGH = {", 'ENOUGH = {"groups": 1} | {'))
    assert path.read_text() != text
    closure.read.cache_clear()
    closure.reach.cache_clear()
    assert (closure.training(paper, tmp_path), closure.evaluation(paper, tmp_path)) == before
