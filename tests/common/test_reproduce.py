"""Stopping `make reproduce-<paper>` while joblib is at work: one line, the right exit code, no next mode."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from common import reproduce

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import sys, time, joblib
from common import reproduce

def preprocessing(options, settings, plan):
    print("mode", plan.follow, flush=True)
    for _ in joblib.Parallel(2, return_as="generator")(joblib.delayed(time.sleep)(s) for s in (0, 20, 20, 20)):
        print("at work", flush=True)

reproduce.reproduce = preprocessing
sys.exit(reproduce.main(["softmax_ae", "--runs", sys.argv[1]]))
"""


def stoppable():
    """Background jobs inherit that Ctrl-C is ignored; here it must not be."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.slow
@pytest.mark.parametrize("to_all", [True, False])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_stop_ends_all_modes(tmp_path, number, code, to_all):
    with open(tmp_path / "errors", "w+") as errors:
        process = subprocess.Popen([sys.executable, "-c", SCRIPT, tmp_path / "runs"], cwd=ROOT, text=True,
                                   stdout=subprocess.PIPE, stderr=errors, start_new_session=True,
                                   preexec_fn=stoppable)
        try:
            said = [process.stdout.readline() for _ in range(3)]
            assert said[1:] == ["mode code\n", "at work\n"]
            (os.killpg if to_all else os.kill)(process.pid, number)
            assert process.wait(60) == code
            deadline = time.monotonic() + 60  # the processes end too
            while time.monotonic() < deadline and _alive(process.pid):
                time.sleep(0.1)
            assert not _alive(process.pid)
        finally:
            if _alive(process.pid):
                os.killpg(process.pid, signal.SIGKILL)
        errors.seek(0)
        lines = [line for line in errors.read().splitlines() if "resource_tracker" not in line and "warn" not in line]
        if to_all and number == signal.SIGINT:  # processes of joblib that Ctrl-C reaches say so themselves
            lines = [line for line in lines if line.startswith("stopped")]
        assert lines == ["stopped; the same command goes on"]
    assert "mode paper" not in process.stdout.read()


def test_the_last_line_says_what_three_seeds_would_add_and_take():
    line = reproduce.more_seeds((0,), 300.0, 2)
    assert 'SEEDS="0 1 2", about 10 minutes more on this machine with JOBS=2\n' in line and line.count("\n") == 1
    assert 'SEEDS="0 1 7", about 1 minute more' in reproduce.more_seeds((7, 0), 100.0, 1)
    assert "make estimate" in reproduce.more_seeds((0,), 3.0, 1)
    assert reproduce.more_seeds((0, 1, 2), 300.0, 1) == reproduce.more_seeds((4, 5, 6, 7), 300.0, 1) == ""


@pytest.mark.parametrize(("done", "chief", "wanted"), [
    (True, True, ["lock training"]),
    (False, True, ["lock training", "settle f a", "write", "train", "lock evaluation", "evaluate"]),
    (False, False, ["lock training", "settle f a", "write", "train"])])
def test_a_run_is_trained_and_then_evaluated_by_the_chief_alone(monkeypatch, capsys, done, chief, wanted):
    asked = []

    @contextlib.contextmanager
    def lock(what):
        asked.append(f"lock {what}")
        yield

    run = SimpleNamespace(directory="here", lock=lock, is_done=lambda store: done,
                          settle=lambda store, fresh, accepted: asked.append(f"settle {fresh} {accepted}"),
                          write_config=lambda store: asked.append("write"))
    monkeypatch.setattr(reproduce, "opened", lambda *_: ("config", "store", run))
    monkeypatch.setattr(reproduce.process, "quiet_tensorflow", lambda: None)
    monkeypatch.setattr(reproduce.locks, "is_chief", lambda: chief)
    steps = {"train": lambda *_: asked.append("train"), "evaluate": lambda *_: asked.append("evaluate")}
    for name, step in steps.items():
        monkeypatch.setitem(sys.modules, f"papers.none.{name}", SimpleNamespace(**{name: step}))
    reproduce.reproduce(SimpleNamespace(fresh="f", accept_code="a"), SimpleNamespace(PAPER="none"), None)
    assert asked == wanted
    said = capsys.readouterr().out
    assert said.startswith("here: up to date" if done else "here: done in" if chief else "here: trained; the chief")


def _alive(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
