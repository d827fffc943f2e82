"""A run's record: what is asked when code, settings or data change under it; what a copy and an edit look like."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from common import record
from common.errors import CheckpointError
from tests.common import processes

ROOT = Path(__file__).resolve().parents[2]


class Checkout:
    """A copy of `common` and the toy paper under git, in which commands run and lines are changed."""

    def __init__(self, root):
        self.root, self.seed = root, root / "runs" / "toy" / "demo-pairs-smoke-paper" / "seed-0"
        shutil.copytree(ROOT / "common", root / "common", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(ROOT / "tests" / "common" / "toy_paper", root / "papers" / "toy",
                        ignore=shutil.ignore_patterns("__pycache__"))
        (root / ".gitignore").write_text("/runs/\n/data/\n__pycache__/\n")
        self.git("init", "-q")
        self.commit()

    def git(self, *words):
        subprocess.run(("git", "-c", "user.name=x", "-c", "user.email=x@x", *words), cwd=self.root, check=True,
                       capture_output=True)

    def commit(self):
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "a state")

    def change(self, name, old, new, commit=True):
        path = self.root / name
        text = path.read_text()
        assert text.count(old) == 1, name
        path.write_text(text.replace(old, new))
        if commit:
            self.commit()

    def make(self, *words, follow="paper"):
        """The step of `make reproduce-toy`; (exit code, all that it said)."""
        return self.python("common.reproduce", "toy", "--preset", "smoke", "--follow", follow, *words)

    def python(self, *words):
        done = processes.run(*words, cwd=self.root)
        return done.returncode, done.stdout + done.stderr

    def results(self, seed=0):
        return json.loads((self.seed.with_name(f"seed-{seed}") / "results.json").read_text())


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A checkout in which the toy paper is trained and evaluated."""
    checkout = Checkout(tmp_path_factory.mktemp("checkout"))
    code, said = checkout.make()
    assert code == 0, said
    return checkout


@pytest.fixture
def checkout(trained, tmp_path):
    """A copy of it that a test may change."""
    shutil.copytree(trained.root, tmp_path / "c", symlinks=True)
    copy = object.__new__(Checkout)
    copy.root, copy.seed = tmp_path / "c", tmp_path / "c" / trained.seed.relative_to(trained.root)
    return copy


@pytest.mark.slow
def test_a_changed_line_of_training_code_asks_by_name_until_fresh_or_accepted(checkout):
    assert "up to date" in checkout.make()[1]
    first = checkout.results()
    assert first["dirty"] is False and first["provenance"]["training"]["starts"][0]["dirty"] is False
    checkout.change("papers/toy/losses.py", "y - found)", "y - found) * 0")
    code, said = checkout.make()
    assert code == 1 and "line: losses.py: squared changed since step 6; --fresh" in said and "--accept-code" in said
    assert "(make: FLAGS=--fresh)" in said
    assert checkout.results() == first
    code, said = checkout.python("papers.toy.evaluate", "--preset", "smoke")
    assert code == 2 and "losses.py: squared changed" in said and checkout.results() == first
    code, said = checkout.make("--accept-code")
    accepted = checkout.results()
    assert code == 0 and accepted["results"] == first["results"], said  # the old weights
    assert accepted["provenance"]["training"]["models"]["line"]["accepted"] == [
        {"step": 6, "changes": ["losses.py: squared changed"]}]
    checkout.change("papers/toy/train.py", '"losses/total": loss', '"losses/total": 2 * loss')
    code, said = checkout.make("--fresh")
    fresh = checkout.results()
    assert code == 0 and fresh["results"] != first["results"], said
    assert "accepted" not in fresh["provenance"]["training"]["models"]["line"]
    assert "up to date" in checkout.make()[1]


@pytest.mark.slow
def test_evaluation_and_data_are_made_again_alone(checkout):
    first, weights = checkout.results(), next(checkout.seed.glob("models/line/checkpoints/*")).stat().st_mtime_ns
    checkout.change("papers/toy/evaluate.py", "** 2))", "** 2)) + 1")
    checkout.change("papers/toy/preprocess.py", "return x, x[:, 0]", "x = x + 0\n    return x, x[:, 0]")  # the same
    code, said = checkout.make()
    assert code == 0 and "done in" in said, said
    assert checkout.results()["results"]["R1"]["value"] == pytest.approx(first["results"]["R1"]["value"] + 1)
    assert len(list(checkout.root.glob("data/stores/demo-pairs/pairs-*"))) == 2
    assert next(checkout.seed.glob("models/line/checkpoints/*")).stat().st_mtime_ns == weights
    checkout.change("papers/toy/preprocess.py", "x[:, 0] - x[:, 1]", "x[:, 0] + x[:, 1]")
    code, said = checkout.make("--accept-code")
    assert code == 1 and "line: the preprocessed data changed since step 6; --fresh to start over" in said
    assert checkout.make("--fresh")[0] == 0 and "up to date" in checkout.make()[1]
    checkout.change("papers/toy/config.py", '"smoke": {"epochs": 2}', '"smoke": {"epochs": 1}')
    code, said = checkout.make()
    assert code == 1 and "setting epochs was 2 and is 1 since step 6; --fresh" in said
    checkout.change("papers/toy/config.py", '"smoke": {"epochs": 1}, "demo": {"epochs": 3}',
                    '"smoke": {"epochs": 2}, "demo": {"epochs": 9}')  # another preset
    checkout.change("papers/toy/claims.csv", "> 0.1", "> 0.2")
    assert "done in" in checkout.make()[1] and checkout.results()["provenance"]["rules_changed"] == ["R1"]


@pytest.mark.slow
def test_uncommitted_code_at_training_stays_known_and_a_copy_is_no_run(checkout):
    checkout.change("papers/toy/losses.py", "y - found)", "y - found - 0.0)", commit=False)
    assert checkout.make("--fresh")[0] == 0
    checkout.commit()
    checkout.change("papers/toy/evaluate.py", "One number.", "A number.")  # evaluated again, from a clean tree
    (checkout.seed / "results.json").unlink()
    assert checkout.make()[0] == 0
    found = checkout.results()
    assert found["dirty"] is False and found["provenance"]["training"]["starts"][0]["dirty"] is True
    assert found["provenance"]["training"]["starts"][0]["uncommitted"] == ["papers/toy/losses.py"]
    shutil.copytree(checkout.seed, checkout.seed.with_name("seed-1"))
    code, said = checkout.make("--seeds", "1")
    assert code == 1 and "seed was 0 and is 1" in said
    (checkout.seed.with_name("seed-1") / "models" / "line" / "checkpoints").rename(checkout.root / "away")
    assert checkout.make("--seeds", "1")[0] == 0 and checkout.results(1)["seed"] == 1


@pytest.mark.slow
def test_a_second_process_and_sizes_that_are_none_are_refused_in_one_line(checkout):
    from common import locks

    before = sorted((path, path.stat().st_mtime_ns) for path in checkout.seed.rglob("*"))
    with locks.held(checkout.seed / ".training.lock", "x"):
        code, said = checkout.make()
        assert code == 1 and f"training of runs/toy/demo-pairs-smoke-paper/seed-0: process {os.getpid()} on" in said
    (checkout.seed / "results.json").write_text("{}")
    with locks.held(checkout.seed / ".evaluation.lock", "x"):
        assert checkout.python("papers.toy.evaluate", "--preset", "smoke")[0] == 2
    for words in (("--batch-size", "-4"), ("--batch-size", "0"), ("--epochs", "0"), ("--seed", "-1")):
        code, said = checkout.python("papers.toy.train", "--preset", "smoke", *words)
        assert code == 2 and said.count("\n") == 1 and said.startswith("error: ") and words[1] in said, said
    assert checkout.make("--seeds", "-1")[0] == 2 and checkout.make("--epochs", "-3")[0] == 2
    after = sorted((path, path.stat().st_mtime_ns) for path in checkout.seed.rglob("*"))
    assert [one for one in after if "lock" not in one[0].name and one[0].name != "results.json"] == [
        one for one in before if "lock" not in one[0].name and one[0].name != "results.json"]
    assert len([path for path in checkout.seed.parents[1].iterdir() if path.is_dir()]) == 1


@pytest.mark.slow
def test_publishing_after_a_second_evaluation_and_not_where_it_differs(checkout):
    from common import provenance

    run = str(checkout.seed.relative_to(checkout.root))
    code, said = checkout.python("common.report", "publish", "--verify", run)
    assert code == 0 and "2 of 2 values are the same" in said, said
    kept = checkout.root / "papers" / "toy" / "results" / "demo-pairs-smoke-paper-seed-0.json"
    assert kept.read_bytes() == (checkout.seed / "results.json").read_bytes()
    kept.unlink()
    results = checkout.results()  # another value under a seal that fits: only a second evaluation finds it
    results["results"]["R1"]["value"] += 0.01
    (checkout.seed / "results.json").write_text(json.dumps(results | {"seal": provenance.seal(results)}))
    code, said = checkout.python("common.report", "publish", "--verify", run)
    assert code == 1 and "R1: value was" in said and "1 of 2 values are the same" in said and not kept.exists()
    (array,) = checkout.root.glob("data/stores/*/pairs-*/arrays/y.npy")
    array.write_bytes(array.read_bytes()[:-1] + b"x")
    code, said = checkout.python("common.report", "publish", "--verify", run)
    assert code == 2 and "not as it was built" in said


@pytest.mark.slow
def test_of_several_machines_the_chief_alone_writes_and_evaluates(tmp_path):
    checkout = Checkout(tmp_path)
    checkout.change("papers/toy/evaluate.py", "    directory = run",
                    "    import time\n    time.sleep(9)  # the worker ends before it\n    directory = run")
    places = [f"127.0.0.1:{port}" for port in processes.free_ports(2)]
    cluster = {"chief": places[:1], "worker": places[1:]}
    both = [processes.Process("common.reproduce", "toy", "--preset", "smoke", "--follow", "paper", cwd=checkout.root,
                              environment=os.environ | {"TF_CONFIG": json.dumps(
                                  {"cluster": cluster, "task": {"type": role, "index": 0}})})
            for role in ("chief", "worker")]
    chief, worker = ("".join(process.communicate()) for process in both)
    assert [process.returncode for process in both] == [0, 0], chief + worker
    assert "done in" in chief and "trained; the chief evaluates" in worker and "Report" not in worker
    lines = (checkout.seed / "models" / "line" / "metrics.jsonl").read_text().splitlines()
    assert len(lines) == 2 and checkout.results()["complete"]


def test_a_line_that_a_full_disk_cut_off_counts_for_nothing(tmp_path):
    model = tmp_path / "models" / "one"
    model.mkdir(parents=True)
    (model / "timing.jsonl").write_text('{"seconds": 1800}\n{"stage"{"seconds": 5}\n{"seconds": 1800}\n{"sec')
    assert record.Run(tmp_path, None, None, "paper", "demo", 0, {}, {})._hours() == 1.0


def test_a_damaged_checkpoint_is_named_and_fresh_starts_its_model_over(tmp_path):
    place = tmp_path / "models" / "one" / "checkpoints"
    place.mkdir(parents=True)
    np.savez(place / "step-0001.npz", state=np.zeros(4000, np.uint8))
    whole = (place / "step-0001.npz").read_bytes()
    (place / "step-0002.npz").write_bytes(whole[: len(whole) // 2])
    run = record.Run(tmp_path, None, None, "paper", "demo", 0, {}, {})
    with pytest.raises(CheckpointError, match="step-0002.npz: damaged .*remove it to go on from the one before"):
        run.settle(None)
    run.settle(None, fresh=True)
    assert not place.exists()
