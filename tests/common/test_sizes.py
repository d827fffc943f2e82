"""Sizes that are none are refused; what is too small to judge a paper by says so."""

import dataclasses
from types import SimpleNamespace

import pytest

from common import sizes
from common.errors import SizeError
from common.report import collect
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
    ({}, run(gamma=0.1), ""), ({}, run(batch_size=2), "too small a run: batch_size is 2, the paper's is 8"),
    ({"groups": 50}, run(), ""), ({"groups": 51}, run(), "too small a corpus: 50 groups, enough is 51"),
    ({"groups": 5}, run(groups=None), "too small a corpus"),
])
def test_real_data_is_judged_at_full_sizes_or_what_is_declared_enough(enough, one, said):
    found = sizes.too_small(SimpleNamespace(**vars(SETTINGS), ENOUGH=enough), one)
    assert found.startswith(said) and bool(found) == bool(said)


def words(tmp_path, evidence, preset, enough="", **more):
    papers = make_papers(tmp_path)
    path = papers / "softmax_ae" / "config.py"
    path.write_text(path.read_text() + enough)
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
