"""`make null`: every paper on every twin, one failing twin alone; no training here."""

from pathlib import Path

import pytest

from common import reproduce
from common.demo import making, twins


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """What would have been made and run, in order; musae fails on twin 2."""
    calls = []

    def make(name, preset, place, null, seed):
        calls.append((name, preset, seed))
        assert null and place == tmp_path / str(seed) / "data"
        return place / name

    def run(options, settings, plan):
        print("training")
        calls.append((options, plan))
        if settings.PAPER == "musae" and "2" in options.data.parts:
            raise ValueError("a fault\nof two lines")

    monkeypatch.setattr(making, "make", make)
    monkeypatch.setattr(reproduce, "reproduce", run)
    return calls


def options(tmp_path, **more):
    return twins.Options(twins=2, jobs=1, place=tmp_path, **more)


def test_a_failing_twin_does_not_stop_the_others(tmp_path, asked, capsys):
    problems = twins.run(options(tmp_path), ("musae", "softmax_ae"))
    assert problems == [f"musae, twin 2: a fault of two lines; see {tmp_path / '2' / 'musae.log'}"]
    made = [call for call in asked if isinstance(call[0], str)]
    assert made == [("lmd_matched", "demo", 1), ("gtzan", "demo", 1), ("lmd_matched", "demo", 2), ("gtzan", "demo", 2)]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("4 runs on 2 twins") and lines[1].startswith("1/4 musae, twin 1: done,")
    assert "left" in lines[1] and "musae, twin 2: a fault of two lines" in lines[3] and "s a twin" in lines[-1]
    assert "training" not in lines and "Traceback" in (tmp_path / "2" / "musae.log").read_text()


def test_a_twin_is_read_as_data_and_its_run_lies_apart_from_all_others(tmp_path, asked):
    twins.twin("lord_transfer", 2, options(tmp_path, follow="paper"))
    runs = [call for call in asked if not isinstance(call[0], str)]
    assert [plan.data_set for _, plan in runs] == ["fma_medium", "medley_solos_db"]  # the second reads the first's run
    for given, plan in runs:
        assert given.runs == tmp_path / "2" and given.data == tmp_path / "2" / "data" / plan.data_set and not given.null
        assert (given.preset, given.follow) == ("smoke", ("paper",))
        assert plan == reproduce.Plan("paper", {}, 0, plan.data_set)


def test_seed_0_is_shown_and_no_twin():
    assert 0 not in range(1, twins.Options().twins + 1) and twins.Options().twins < 100
    assert twins.Options().place == Path("runs/null")
