"""Benchmarks: what a row says, that each runs at a tiny size, and that the README shows what was measured."""

import json
import os

import numpy as np
import pytest

from benchmarks import __main__ as bench, timing
from common.reproduce import PAPERS


def test_a_row_is_the_median_with_its_spread_and_says_whether_the_aim_is_met():
    one = timing.times_as_fast("x", "y", [1.0, 2.0, 1.0], [9.0, 20.0, 12.0], 10)
    assert (one["value"], one["low"], one["high"], one["met"]) == (10.0, 9.0, 12.0, True)
    assert one["detail"] == {"ours_seconds": 1.0, "peer_seconds": 12.0}
    assert not timing.row("x", "y", [11.0], "ms", 10, upward=False)["met"]
    assert timing.row("x", "y", [1.0], "s")["met"] is None
    assert "aim >= 10: met" in timing.line(one) and "left out: no" in timing.line(timing.left_out("x", "y", "no"))


def test_both_are_timed_in_turn_and_warm_rounds_are_not_kept():
    done = []
    ours, peer = timing.in_turn(3, lambda: done.append("a"), lambda: done.append("b"), warm=2)
    assert "".join(done) == "ababab" + "ba" + "ab" and len(ours) == len(peer) == 3 and min(ours + peer) >= 0


def test_comparisons_are_on_one_core_and_those_by_the_clock_on_all():
    cores, seen = os.sched_getaffinity(0), []
    timing.in_turn(1, lambda: seen.append(len(os.sched_getaffinity(0))), lambda: None)
    timing.in_turn(1, lambda: seen.append(len(os.sched_getaffinity(0))), lambda: None, wall=True)
    assert seen == [1, 1, len(cores), len(cores)] and os.sched_getaffinity(0) == cores


def test_seconds_of_the_processor_leave_waiting_out():
    import time

    assert timing.seconds(lambda: time.sleep(0.05)) < 0.04 < timing.seconds(lambda: time.sleep(0.05), wall=True)


def test_the_readme_shows_what_was_measured():
    text = (bench.HERE / "README.md").read_text()
    if not (bench.HERE / "results.json").exists():
        assert bench.MARKS.search(text)[0].count("\n") == 1  # nothing by hand
        return
    held = json.loads((bench.HERE / "results.json").read_text())
    assert bench.table(held) in text and not held["tiny"]
    missed = [one["what"] for one in held["rows"] if one.get("met") is False]
    noted = text.split("<!-- missed -->")[1].split("<!-- /missed -->")[0]
    assert [what for what in missed if f"| {what} |" not in noted] == []


def test_what_is_published_again_takes_the_place_of_its_rows_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "HERE", tmp_path)
    (tmp_path / "README.md").write_text("a\n<!-- table -->\nold\n<!-- /table -->\nb\n")
    found = {"machine": timing.machine(), "tiny": False, "rows": [timing.row("jobs", "one", [1.0], "s", 2, False),
                                                                  timing.left_out("step", "two", "no torch")]}
    bench.publish(found)
    bench.publish(found | {"rows": [timing.row("step", "two", [3.0], "times as fast", 4)]})
    rows = json.loads((tmp_path / "results.json").read_text())["rows"]
    assert [(one["what"], one["value"]) for one in rows] == [("two", 3.0), ("one", 1.0)]
    text = (tmp_path / "README.md").read_text()
    assert text.startswith("a\n") and text.endswith("b\n") and "old" not in text
    assert "| step | two | 3 times as fast | 3 to 3 | 1 | ≥ 4: **missed** |" in text


@pytest.mark.slow
@pytest.mark.parametrize("name", ["inversion", "reading", "midi_parsing", "jobs"])
def test_a_benchmark_runs_at_a_tiny_size(name, tmp_path, capsys):
    assert bench.main(["--tiny", "--only", name, "--to", str(tmp_path / "x.json")]) == 0, capsys.readouterr().err
    found = json.loads((tmp_path / "x.json").read_text())
    assert len(found["rows"]) >= 2 and all(one["value"] > 0 or one["what"].endswith("unlike pretty_midi")
                                           for one in found["rows"])
    assert found["machine"]["packages"]["numpy"] == np.__version__


@pytest.mark.very_slow
@pytest.mark.parametrize("name", ["steps", "scale"])
def test_the_longer_ones_run_at_a_tiny_size_too(name, tmp_path, capsys):
    assert bench.main(["--tiny", "--only", name, "--to", str(tmp_path / "x.json")]) == 0, capsys.readouterr().err
    found = json.loads((tmp_path / "x.json").read_text())["rows"]
    assert all(one["value"] is None or one["value"] > 0 for one in found)
    if name == "steps":
        assert len(found) == 2 * len(PAPERS)


def test_a_benchmark_that_breaks_is_named_and_the_others_run(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(bench, "in_a_process", lambda name, tiny, music: None if name == "jobs" else [
        timing.row(name, "x", [1.0], "s")])
    assert bench.main(["--only", "jobs", "scale", "--to", str(tmp_path / "x.json")]) == 1
    assert "broken: jobs" in capsys.readouterr().out
    assert [one["name"] for one in json.loads((tmp_path / "x.json").read_text())["rows"]] == ["scale"]
