"""The table of the loss hunt at the paper's size: what it reads, what it refuses, and that the text is of the table."""

import csv
import json

import pytest

from common import checkpoints
from common.errors import EncoreError
from papers.fma_interpolation import loss_hunt, train


def run(place, preset="full", follow="code", losses=loss_hunt.PRINTED, complete=True, updates=24,
        label="demo-fma_small", overrides=None):
    """A run whose total loss under the k-th loss is 1000 k minus the update."""
    place.mkdir(parents=True)
    (place / "config.json").write_text(json.dumps(
        {"preset": preset, "follow": follow, "corpus": {"label": label}, "overrides": overrides or {}}))
    for k, loss in enumerate(losses):
        directory = place / "models" / f"overfit-{loss}"
        state = {"complete": complete, "provenance": {"code_sha256": "0" * 64, "commit": "abcdef123"}}
        checkpoints.save(directory / "checkpoints", updates, {}, state)
        lines = [{"step": step, "losses/total": 1000.0 * k - step, "losses/divergence": 1.0,
                  "metrics/squared_error": 1 / step} for step in range(1, updates + 1)]  # fmt: skip
        (directory / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return place


def test_every_tenth_update_and_the_last_of_each_loss(tmp_path):
    loss_hunt.write(loss_hunt.read(run(tmp_path / "run")), tmp_path)
    with open(tmp_path / "loss_hunt.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["update"] for row in rows if row["loss"] == "swapped"] == ["1", "11", "21", "24"]
    again = loss_hunt.read(run(tmp_path / "whole tens", updates=21))
    assert [row["update"] for row in again if row["loss"] == "swapped"] == [1, 11, 21]
    found = loss_hunt.curves(rows)
    assert list(found) == list(train.OVERFIT)
    assert found["swapped"][-1].tolist() == [24, 3000 - 24, pytest.approx(1 / 24, rel=1e-5)]
    text = (tmp_path / "loss_hunt.md").read_text()
    assert "| 2,999 | 2,976 | 2,976 | 24 | 1 | 0.0417 |" in text and "Made by earlier code." in text
    assert (tmp_path / "loss_hunt.png").stat().st_size > 10_000


def test_other_runs_and_trainings_that_are_missing_or_not_ended_are_refused(tmp_path):
    for name, options, said in (
        ("demo", {"preset": "demo"}, "preset full in `code`"), ("paper", {"follow": "paper"}, "preset full in `code`"),
        ("real", {"label": "fma_small"}, "on the demo corpus"),
        ("typed", {"overrides": {"overfit_steps": 6}}, "no setting typed"),
        ("short", {"losses": ["squared_error"]}, "--model overfit-cross_entropy"),
        ("cut", {"complete": False}, "not trained to its end"),
    ):
        with pytest.raises((EncoreError, FileNotFoundError), match=said):
            loss_hunt.read(run(tmp_path / name, **options))
    with pytest.raises(FileNotFoundError, match="no run"):
        loss_hunt.read(tmp_path / "nothing")
    ended = run(tmp_path / "diverged", complete=False)
    for loss in loss_hunt.PRINTED:
        (ended / "models" / f"overfit-{loss}" / "diverged.json").write_text("{}")
    assert loss_hunt.read(ended)


def test_the_published_text_is_of_the_published_table():
    text = loss_hunt.text(loss_hunt.published())
    assert (loss_hunt.RESULTS / "loss_hunt.md").read_text() == text, "python -m papers.fma_interpolation.loss_hunt"
