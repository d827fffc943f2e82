"""What `make estimate` says and how it ends; how long steps take is timing's (test_timing)."""

from types import SimpleNamespace

import pytest

from common import estimate, hours, process, reproduce
from common.errors import DataError
from common.hours import Row

NOTES = {"device": "a processor", "threads": 2, "date": "2026-01-01", "commit": "abc"}


def row(model="ae", follow="sound", **more):
    given = {"data_set": "demo", "follow": follow, "model": model, "stage": "train", "updates": 3600, "batch": 8,
             "seconds_a_step": 0.5, "steps_timed": 9, "rows_timed": 8, "set_up_seconds": 0.0, "validations": 0,
             "seconds_a_validation": 0.0, "parameters": 10, "checkpoint_megabytes": 500.0, "peak_megabytes": 2000.0}
    return Row(**given | NOTES | more)


def test_a_summary_counts_trainings_once_and_seconds_of_every_stage_and_seed():
    rows = [row(), row(stage="second"), row(follow="code"), row(model="cnn", checkpoint_megabytes=250.0)]
    said = estimate.summary("toy", rows, 2)
    assert said.startswith("toy: 3 trainings a seed, 2 hours; 2 seeds: 4 hours of training")
    assert "on a processor with 2 threads. Checkpoints 2.5 GB, memory 2 GB." in said


@pytest.fixture
def timed(monkeypatch):
    """The papers that were timed; those in `broken` cannot be."""
    asked, broken = [], set()

    def times(options, paper):
        asked.append(paper)
        if paper in broken:
            raise DataError("this is another paper's data")
        return [row()]

    monkeypatch.setattr(estimate, "estimate", times)
    monkeypatch.setattr(process, "quiet_tensorflow", lambda: None)
    monkeypatch.setattr(estimate.scripts, "check", lambda *words: None)
    return asked, broken


def test_all_papers_without_a_name_and_what_cannot_be_timed_is_told_and_passed_over(timed, capsys):
    asked, broken = timed
    assert estimate.main([]) == 0 and asked == list(reproduce.PAPERS)
    assert "In all 2.5 hours" in capsys.readouterr().out  # five times half an hour
    broken.add("musae")
    assert estimate.main([]) == 1
    said = capsys.readouterr()
    assert said.err == "error: musae: this is another paper's data\n" and "In all 2 hours" in said.out


def test_a_paper_that_is_named_and_cannot_be_timed_is_one_line(timed, capsys):
    asked, broken = timed
    broken.add("musae")
    with pytest.raises(SystemExit) as end:
        estimate.main(["softmax_ae", "musae", "lord_transfer"])
    assert end.value.code == 2 and asked == ["softmax_ae", "musae"]
    assert capsys.readouterr().err == "error: this is another paper's data\n"


def test_seeds_multiply_and_published_writes_the_table(timed, capsys, monkeypatch, tmp_path):
    wrote = []
    monkeypatch.setattr(hours, "write", lambda path, rows: wrote.append((path.parts[-4:], len(rows))))
    assert estimate.main(["softmax_ae", "--seeds", "0", "1", "2", "--published"]) == 0
    assert "In all 1.5 hours of training." in capsys.readouterr().out
    assert wrote == [(("papers", "softmax_ae", "results", hours.FILE), 1)]


def test_the_published_size_stands_on_one_and_two_demo_corpora(monkeypatch):
    store = SimpleNamespace(index=[{}] * 3)
    monkeypatch.setattr(hours, "of_published_size", lambda settings, one: "whole" if one is store else one)
    monkeypatch.setattr(hours, "kinds", lambda one: {"a": [0, 1], "b": [2]})
    monkeypatch.setattr(hours, "repeated", lambda one, sizes: sizes)
    made = []

    def make(preset):
        made.append(preset)
        return store

    assert estimate._as_published(None, make) == ("whole", (store, {"a": 4, "b": 2})) and made == ["smoke"]
    monkeypatch.setattr(hours, "of_published_size", lambda settings, one: one)
    assert estimate._as_published(None, make) == (store, ()) and made == ["smoke", "smoke", "demo"]
