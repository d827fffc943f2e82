"""What is written down at the start of a training, and what each later change of it does; without TensorFlow."""

import dataclasses
import json
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from common import checkpoints, closure, config as configuration, locks, provenance, record, store
from common.errors import BusyError, EncoreError, StaleError
from common.machine import Machine
from common.report import collect

TOY = Path(__file__).with_name("toy_paper")


def forget():
    """A process reads the code once: let this one read it again."""
    closure.read.cache_clear()
    closure.reach.cache_clear()


class Paper:
    """The toy paper under git in a folder of its own, and a run of it whose checkpoints are invented."""

    def __init__(self, root, settings=None):
        self.root = root
        self.directory = root / "papers" / "toy"
        shutil.copytree(TOY, self.directory, ignore=shutil.ignore_patterns("__pycache__"))
        (root / "common").mkdir()
        (root / "common" / "training.py").write_text("def train():\n    return 1\n")
        (root / ".gitignore").write_text("/runs/\n/stores/\n")
        self.git("init", "-q")
        self.commit()
        self.settings = collect.load_settings(self.directory)
        self.store = self.prepared("abc")

    def git(self, *words):
        subprocess.run(("git", "-c", "user.name=x", "-c", "user.email=x@x", *words), cwd=self.root, check=True,
                       capture_output=True)

    def commit(self):
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "x")

    def prepared(self, name, values=(1.0, 2.0)):
        corpus = SimpleNamespace(name="pairs", root=self.root, evidence="demo", items=[1, 2], rejected=[],
                                 fingerprint=name, facts={}, said="")

        def build(writer):
            writer.array("x", np.array(values))
            for label in "ab":
                writer.row(item=label, group=label, label=label)

        return store.prepare(corpus, {"name": "pairs", "version": 1}, self.root / "stores", build)

    def run(self, seed=0, preset="smoke", **overrides):
        config = configuration.resolve(self.settings, "paper", preset, overrides)
        return record.open_run(self.settings, config, self.store, "paper", preset, seed, overrides, self.root / "runs")

    def change(self, name, old, new, commit=True):
        path = self.root / name
        assert path.read_text().count(old) == 1
        path.write_text(path.read_text().replace(old, new))
        forget()
        if commit:
            self.commit()


@pytest.fixture
def paper(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    forget()
    yield Paper(tmp_path)
    forget()


def trained(paper, run, name="line", complete=True, **more):
    """A model of the run as its training leaves it."""
    state = {"total": 6, "complete": complete, "settings": {"seed": run.seed},
             "provenance": run.provenance(paper.store) | more}
    directory = run.model_directory(name)
    (directory / "checkpoints").mkdir(parents=True, exist_ok=True)
    weights = np.random.default_rng([run.seed, len(name)]).random(2)
    checkpoints.write(directory / "checkpoints" / "step-000000006.npz", state, {"network/a/000": weights})
    (directory / "metrics.jsonl").write_text('{"step": 6}\n')


def evaluated(paper, run):
    run.write_config(paper.store)
    run.write_results(paper.store, {"R1": {"value": 0.5}, "F1": {"value": 3}}, step=6)
    return json.loads((run.directory / "results.json").read_text())


def state_of(run, name="line"):
    return checkpoints.read_state(provenance.trained(run.directory)[name])


@pytest.mark.parametrize(("name", "old", "new", "said"), [
    ("losses.py", "y - found)", "found - y)", "losses.py: squared changed since step 6; --fresh to start over, or"),
    ("model.py", "Dense(1)", "Dense(1, use_bias=False)", "model.py: line changed since step 6"),
    ("train.py", "MODELS = {", "EXTRA = 1\nMODELS = {", "train.py: EXTRA is new since step 6"),
])
def test_changed_code_is_named_until_accepted_or_fresh(paper, name, old, new, said):
    run = paper.run()
    trained(paper, run)
    run.settle(paper.store)
    paper.change(f"papers/toy/{name}", old, new)
    with pytest.raises(StaleError, match=f"line: {said}.*") as error:
        run.settle(paper.store)
    assert str(error.value).endswith("or --accept-code to go on, which is recorded")
    rules = state_of(run)["provenance"]["rules"]
    paper.change("papers/toy/claims.csv", "> 0.1", "> 0.2")
    run.settle(paper.store, accept_code=True)
    run.settle(paper.store)
    found = state_of(run)["provenance"]
    assert found["accepted"] == [{"step": 6, "changes": [said.split(" since")[0]]}]
    assert found["rules"] == rules  # those of the start
    run.settle(paper.store, fresh=True)
    assert provenance.trained(run.directory)


def test_results_hold_what_was_found_and_what_it_stands_on(paper):
    run = paper.run(seed=3, epochs=5)
    trained(paper, run)
    (run.model_directory("line") / "timing.jsonl").write_text('{"seconds": 1800.0}\n{"seconds": 900}\n')
    found = evaluated(paper, run)
    assert json.loads((run.directory / "media.json").read_text()) == []
    run.write_results(paper.store, {"R1": {"value": 0.5}, "F1": {"value": 3}}, [{"title": "x"}], step=6, complete=False,
                      facts={"own": 1, "groups": 9}, learnt={"line": {"learnt": True}}, notes={"line": "stopped"})
    more = json.loads((run.directory / "results.json").read_text())
    assert json.loads((run.directory / "media.json").read_text()) == [{"title": "x"}]
    for results, complete, facts in ((found, True, {}), (more, False, {"own": 1, "groups": 9})):
        assert results["facts"] == {"groups_per_class": 1, "classes": 2, "groups": 2} | facts
        keys = ("paper", "preset", "follow", "overrides", "seed", "step", "complete", "hours", "rejected")
        assert [results[key] for key in keys] == [
            "toy", "smoke", "paper", {"epochs": 5}, 3, 6, complete, 0.75, 0]
    assert (found["learnt"], found["notes"]) == ({}, {})
    assert (more["learnt"], more["notes"]) == ({"line": {"learnt": True}}, {"line": "stopped"})


def test_of_several_machines_the_first_alone_writes_and_holds_the_run(paper, monkeypatch):
    run, cluster = paper.run(), {"worker": ["127.0.0.1:1", "127.0.0.1:2"]}
    for index in (1, 0):
        monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}}))
        run.write_config(paper.store)
        assert (run.directory / "config.json").exists() == (index == 0)
        with run.lock("training"):
            assert (run.directory / ".training.lock").exists() == (index == 0)
            if index == 0:
                with pytest.raises(BusyError, match="training of "), run.lock("training"):
                    pass


def test_fresh_removes_what_is_stale_and_nothing_else(paper):
    run = paper.run()
    trained(paper, run, "old")
    paper.change("papers/toy/losses.py", "y - found)", "found - y)")
    trained(paper, run, "new")
    with pytest.raises(StaleError, match=": old: losses.py"):
        run.settle(paper.store)
    run.settle(paper.store, only="new")
    run.settle(paper.store, fresh=True)
    assert list(provenance.trained(run.directory)) == ["new"] and not run.model_directory("old").exists()


def test_half_written_checkpoints_are_swept_but_not_those_of_a_process_at_work(paper):
    run = paper.run()
    for name in ("line", "pair/second"):
        trained(paper, run, name)
        (run.model_directory(name) / "checkpoints" / "step-000000009.123.partial").write_bytes(b"PK half")
    run.settle(paper.store, only="line")
    assert [path.parents[1].name for path in run.directory.rglob("*.partial")] == ["second"]
    with locks.held(run.model_directory("pair/second") / ".lock", "x"):
        run.settle(paper.store)
        assert len(list(run.directory.rglob("*.partial"))) == 1
    run.settle(paper.store)
    assert not list(run.directory.rglob("*.partial")) and len(provenance.trained(run.directory)) == 2


def test_settings_data_and_seed_want_a_fresh_start(paper):
    run = paper.run()
    trained(paper, run)
    paper.change("papers/toy/config.py", '"smoke": {"epochs": 2}', '"smoke": {"epochs": 7}')
    paper.settings = collect.load_settings(paper.directory)
    with pytest.raises(StaleError, match="setting epochs was 2 and is 7 since step 6; --fresh to start over$"):
        paper.run().settle(paper.store, accept_code=True)
    paper.change("papers/toy/config.py", '"smoke": {"epochs": 7}', '"smoke": {"epochs": 2}')
    same, other = paper.prepared("elsewhere"), paper.prepared("def", (1.0, 3.0))
    assert same.fingerprint != paper.store.fingerprint
    run.settle(same)
    with pytest.raises(StaleError, match="the preprocessed data changed since step 6; --fresh to start over$"):
        run.settle(other, accept_code=True)
    shutil.copytree(run.directory, run.directory.with_name("seed-1"))
    with pytest.raises(StaleError, match="seed was 0 and is 1"):
        paper.run(1).settle(paper.store, accept_code=True)
    with pytest.raises(EncoreError, match="was trained as seed 0, this run is seed 1: a copy is no run"):
        evaluated(paper, paper.run(1))


def test_packages_hold_for_an_unfinished_training_alone(paper):
    run = paper.run()
    trained(paper, run, packages={"keras": "1.0"})
    run.settle(paper.store)
    trained(paper, run, complete=False, packages={"keras": "1.0"})
    with pytest.raises(StaleError, match="keras was 1.0 and is 3.*--accept-code"):
        run.settle(paper.store)


def test_a_training_without_a_record_is_asked_about(paper):
    run = paper.run()
    trained(paper, run)
    path = provenance.trained(run.directory)["line"]
    checkpoints.rewrite_state(path, checkpoints.read_state(path) | {"provenance": None})
    with pytest.raises(StaleError, match="no record of the code it was trained with"):
        run.settle(paper.store)


def test_done_is_what_stands_for_todays_code_settings_data_and_rules(paper):
    run = paper.run()
    assert not run.is_done(paper.store)
    trained(paper, run)
    evaluated(paper, run)
    assert run.is_done(paper.store) and run.is_done(paper.prepared("elsewhere"))
    assert not run.is_done(paper.prepared("def", (1.0, 3.0)))
    for name, old, new in (("claims.csv", "> 0.1", "> 0.2"), ("evaluate.py", "** 2", "** 3"),
                           ("train.py", "optimizer.build", "network.build"), ("losses.py", "y - found)", "y)")):
        paper.change(f"papers/toy/{name}", old, new)
        assert not run.is_done(paper.store), name
        paper.change(f"papers/toy/{name}", new, old)
        assert run.is_done(paper.store), name
    paper.change("papers/toy/evaluate.py", '"""One number."""', "# Another comment.")
    paper.change("papers/toy/config.py", '"demo": {"epochs": 3}', '"demo": {"epochs": 4}')
    assert run.is_done(paper.store)


@pytest.mark.parametrize("edit", [
    lambda found: found["results"]["R1"].update(value=0.9), lambda found: found["corpus"].update(evidence="published"),
    lambda found: found.update(complete=False, seal=provenance.seal(found | {"complete": False})),
    lambda found: found.pop("provenance"), lambda found: found.update(step=7)])
def test_an_edited_or_partial_file_is_not_done(paper, edit):
    run = paper.run()
    trained(paper, run)
    found = evaluated(paper, run)
    edit(found)
    (run.directory / "results.json").write_text(json.dumps(found))
    assert not run.is_done(paper.store)


def test_other_checkpoints_than_those_evaluated_are_not_done(paper):
    run = paper.run()
    trained(paper, run)
    evaluated(paper, run)
    path = provenance.trained(run.directory)["line"]
    state = checkpoints.read_state(path)
    checkpoints.write(path, state, {"network/a/000": np.zeros(2)})
    assert not run.is_done(paper.store)
    path.unlink()
    assert not run.is_done(paper.store)


def test_results_name_what_stands_behind_them(paper):
    run = paper.run()
    trained(paper, run)
    trained(paper, run, "pair/second")
    paper.change("papers/toy/claims.csv", "> 0.1", "> 0.2")
    found = evaluated(paper, run)
    training, evaluation = (found["provenance"][name] for name in ("training", "evaluation"))
    assert set(training["models"]) == {"line", "pair/second"} and len(training["starts"]) == 1
    assert training["models"]["line"]["checkpoint_sha256"] == record.sha256(provenance.trained(run.directory)["line"])
    assert training["models"]["line"]["weights_sha256"] != training["models"]["pair/second"]["weights_sha256"]
    assert {"papers.toy.train", "papers.toy.losses", "papers.toy.model"} <= set(training["starts"][0]["modules"])
    assert set(evaluation["modules"]) == {"papers.toy.evaluate"} and found["provenance"]["rules_changed"] == ["R1"]
    assert found["seal"] == provenance.seal(found) and found["dirty"] is False
    assert found["facts"]["groups"] == 2 and provenance.commit_exists(evaluation["commit"], paper.root)
    assert not provenance.commit_exists("deadbee", paper.root)


@pytest.mark.parametrize(("name", "more", "dirty"), [
    ("papers/toy/losses.py", "\nLIMIT = 3\n", True), ("papers/toy/config.py", "\nLIMIT = 3\n", True),
    ("papers/toy/claims.csv", "R2,x,fact,y,,,,abs <= 1\n", True), ("papers/toy/README.md", "x", False),
    ("papers/toy/figures.py", "x = 1\n", False)])
def test_uncommitted_is_what_training_stands_on(paper, name, more, dirty):
    with open(paper.root / name, "a") as file:
        file.write(more)
    forget()
    found = paper.run().provenance(paper.store)
    assert found["dirty"] is dirty and found["uncommitted"] == ([name] if dirty else [])


def test_an_untracked_module_that_training_imports_counts_as_uncommitted(paper):
    (paper.directory / "extra.py").write_text("def twice(x):\n    return 2 * x\n")
    paper.change("papers/toy/losses.py", "import tensorflow as tf",
                 "import tensorflow as tf\nfrom papers.toy.extra import twice", commit=False)
    paper.change("papers/toy/losses.py", "tf.square(y - found)", "twice(tf.square(y - found))", commit=False)
    paper.git("add", "papers/toy/losses.py")
    paper.git("commit", "-q", "-m", "without it")
    found = paper.run().provenance(paper.store)
    assert found["dirty"] and found["uncommitted"] == ["papers/toy/extra.py"]


def test_without_a_repository_of_its_own_the_commit_is_unknown(paper):
    assert provenance.commit_exists("HEAD", paper.root)
    assert not provenance.commit_exists("HEAD", paper.directory)  # inside of another's repository
    shutil.rmtree(paper.root / ".git")
    found = paper.run().provenance(paper.store)
    assert (found["commit"], found["dirty"]) == (provenance.UNKNOWN, False)


def test_going_on_elsewhere_is_noted_once(paper):
    start = paper.run().provenance(paper.store) | {"devices": ["CPU"]}
    assert provenance.resumed(start, dict(start), 5) is start
    there = start | {"commit": "other", "code": {}}
    once = provenance.resumed(start, there, 5)
    assert once["resumed"] == [{"step": 5, "commit": "other"} | {
        key: start[key] for key in ("dirty", "machine", "threads", "devices")}] and once["code"] == start["code"]
    assert provenance.resumed(once, there, 9) is once and len(provenance.resumed(once, start, 9)["resumed"]) == 2
    assert provenance.resumed(None, start, 0) is start and provenance.resumed(start, None, 0) is start


def test_another_precision_is_a_change_of_settings_and_evaluation_does_not_ask():
    before, half = {"code": {}, "settings": {}, "store_sha256": "", "packages": {}}, {"precision": "mixed_bfloat16"}
    said = {"settings": ["precision was float32 and is mixed_bfloat16"]}
    assert provenance.changes(before, before | half) == said  # trained before there was a choice
    assert provenance.changes(before | Machine().values(), before | Machine(**half).values()) == said
    assert provenance.changes(before | half, before) == {} == provenance.changes(before, before | Machine().values())
    assert provenance.changes(before | half, before | {"jit": False, "precision": "float32"})


def test_a_run_records_how_the_machine_is_used(paper):
    run = dataclasses.replace(paper.run(), machine=Machine(jit=True))
    assert run.provenance(paper.store)["jit"] is True and "jit" not in paper.run().provenance(paper.store)


def test_a_message_names_three_changes_and_counts_the_rest():
    found = {"code": [f"train.py: f{i} changed" for i in range(5)]}
    said = provenance.sentence(found, 9)
    assert said.startswith("train.py: f0 changed, train.py: f1 changed, train.py: f2 changed and 2 more since step 9; ")


def test_tools_take_the_newest_whole_run_and_say_that_code_changed(paper):
    run = paper.run()
    trained(paper, run)
    for seed, more in ((0, {}), (1, {"complete": False}), (2, {"corpus": {"facts": {"null": True}}})):
        directory = run.directory.with_name(f"seed-{seed}")
        directory.mkdir(exist_ok=True)
        (directory / "results.json").write_text(json.dumps({"complete": True, "follow": "sound", "corpus": {}} | more))
    assert record.of_use(paper.settings, paper.root / "runs") == [run.directory]
    run.write_config(paper.store)
    said = record.for_tool(paper.settings, run.directory)[2]
    assert "code changed" not in said and "synthetic music, expect poor results" in said
    written = json.loads((run.directory / "config.json").read_text())
    written["corpus"]["evidence"] = "other"
    (run.directory / "config.json").write_text(json.dumps(written))
    assert "synthetic" not in record.for_tool(paper.settings, run.directory)[2]
    paper.change("papers/toy/losses.py", "y - found)", "found - y)")
    said = record.for_tool(paper.settings, run.directory)[2]
    assert "The code changed since (losses.py: squared changed): train it again with --fresh." in said
