"""One writer: who holds a lock is said in one line, and one of several machines writes."""

import concurrent.futures
import json
import multiprocessing
import os
import threading
import time

import pytest

from common import locks, store, training
from common.errors import BusyError
from tests.common import toy
from tests.common.test_store import corpus


def holding(path, ours, shared):
    with locks.held(path, "x", shared):
        ours.send("held")
        ours.poll(60)


@pytest.fixture
def holder(tmp_path):
    """Start another process that holds a lock file; returns its id. A pipe: an Event hangs once a waiter was killed."""
    context, processes = multiprocessing.get_context("spawn"), []

    def hold(path, shared=False):
        ours, theirs = context.Pipe()
        process = context.Process(target=holding, args=(path, theirs, shared))
        process.start()
        processes.append((process, ours))
        assert ours.poll(60)
        return process.pid

    yield hold
    for process, _ in processes:
        process.kill()
        process.join()


@pytest.mark.slow
def test_a_second_process_is_told_who_holds_it_and_a_killed_one_holds_nothing(tmp_path, holder):
    path = tmp_path / "a" / ".lock"
    number = holder(path)
    with pytest.raises(BusyError, match=f"run r: process {number} on .* is at work on it; wait for it, or end it"):
        with locks.held(path, "run r"):
            pass
    with pytest.raises(BusyError), locks.held(path, "run r", shared=True):
        pass
    os.kill(number, 9)
    with locks.held(path, "run r", wait=True):
        assert f"process {os.getpid()} on" in path.read_text()


@pytest.mark.slow
def test_shared_holders_keep_out_an_only_one(tmp_path, holder):
    holder(tmp_path / ".lock", shared=True)
    with locks.held(tmp_path / ".lock", "x", shared=True):
        pass
    with pytest.raises(BusyError), locks.held(tmp_path / ".lock", "x"):
        pass


def test_a_model_and_a_store_have_one_writer(tmp_path):
    with locks.held(tmp_path / "m" / ".lock", "x"), pytest.raises(BusyError, match="training .*m: process"):
        training.train("toy", toy.model(), toy.Config(steps=2), None, tmp_path / "m", 0)
    assert [path.name for path in (tmp_path / "m").iterdir()] == [".lock"]

    def build(writer):  # while it is built, the same is asked for once more
        writer.row(item="a", group="a", label="a")
        with pytest.raises(BusyError, match="store .*: process"):
            store.prepare(corpus(tmp_path), {"name": "r", "version": 1}, tmp_path / "stores", build)

    store.prepare(corpus(tmp_path), {"name": "r", "version": 1}, tmp_path / "stores", build)


@pytest.mark.parametrize("role", ["chief", "worker"])
def test_machines_of_one_training_wait_for_a_store_that_another_builds(tmp_path, monkeypatch, role):
    """Whichever came first builds it: the chief too found a worker at work, and gave up."""
    said = {"cluster": {"chief": ["a"], "worker": ["b"]}, "task": {"type": role, "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(said))
    begun, waiting = threading.Event(), threading.Event()
    held = locks.held

    def build(writer):
        begun.set()
        assert waiting.wait(60)
        time.sleep(0.3)  # the other has asked for the lock
        writer.row(item="a", group="a", label="a")

    def prepared():
        return store.prepare(corpus(tmp_path), {"name": "r", "version": 1}, tmp_path / "stores", build).directory

    def seen(*words, **options):
        if begun.is_set():
            waiting.set()
        return held(*words, **options)

    monkeypatch.setattr(locks, "held", seen)
    with concurrent.futures.ThreadPoolExecutor(1) as machine:
        first = machine.submit(prepared)
        assert begun.wait(60)
        assert prepared() == first.result()


@pytest.mark.parametrize(("cluster", "task", "chief"), [
    (None, None, True),
    ({"worker": ["a", "b"]}, {"type": "worker", "index": 0}, True),
    ({"worker": ["a", "b"]}, {"type": "worker", "index": 1}, False),
    ({"chief": ["c"], "worker": ["a"]}, {"type": "chief", "index": 0}, True),
    ({"chief": ["c"], "worker": ["a"]}, {"type": "worker", "index": 0}, False),
    ({"worker": ["a"], "evaluator": ["e"]}, {"type": "evaluator", "index": 0}, False),
])
def test_the_chief_is_told_by_role_as_well_as_by_index(monkeypatch, cluster, task, chief):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if cluster:
        monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": task}))
    assert locks.is_chief() is chief
