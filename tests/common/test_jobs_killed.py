"""`kill -9` of a worker, the scheduler, the client at seeded moments: the same command ends with the same weights."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.common import processes
from tests.common.test_jobs import ASKED, left_by, python, workers
from tests.common.test_record import Checkout

LATEST = 12.0  # seconds after the first run's directory is there: by then the toy's jobs are at work or done


def children(parent):
    """Processes that a process has started."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            number, rest = status.read_text().split(" (", 1)
            command = (status.parent / "cmdline").read_text()
        except OSError:
            continue
        if int(rest.rsplit(")", 1)[1].split()[1]) == parent and "resource_tracker" not in command:
            found.append(int(number))
    return found


def kill(who, client, cluster):
    """Kill one of the processes at work."""
    scheduler, workers_of = cluster
    target = {"client": client.pid, "scheduler": scheduler.pid}.get(who) or children(workers_of.pid)[0]
    os.kill(target, signal.SIGKILL)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    checkout = Checkout(tmp_path_factory.mktemp("whole"))
    code, said = python(checkout, *ASKED, "--jobs", "1")
    assert code == 0, said
    return left_by(checkout)


@pytest.mark.very_slow
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("who", ["worker", "scheduler", "client"])
def test_the_same_command_ends_with_the_same_weights_after(uninterrupted, tmp_path, who, seed):
    pytest.importorskip("distributed", reason="Dask is not installed: requirements-cluster.txt")
    checkout, moment = Checkout(tmp_path), random.Random(seed).uniform(0, LATEST)
    dask = ("--dask", f"tcp://127.0.0.1:{processes.free_ports(1)[0]}")
    with workers(checkout.root, dask) as cluster, open(tmp_path / "said", "w+") as said:
        client = subprocess.Popen([sys.executable, *ASKED, *dask], cwd=checkout.root, stdout=said, stderr=said)
        until = time.monotonic() + 300
        while not list(checkout.root.glob("runs/toy/*/seed-*")) and time.monotonic() < until:
            time.sleep(0.1)
        time.sleep(moment)
        kill(who, client, cluster)
        try:
            client.wait(600 if who == "worker" else 60)
        except subprocess.TimeoutExpired:
            assert who == "scheduler"  # it may wait for one to come back
            client.kill()
            client.wait()
    dask = ("--dask", f"tcp://127.0.0.1:{processes.free_ports(1)[0]}")
    with workers(checkout.root, dask):
        code, words = python(checkout, *ASKED, *dask)
    assert code == 0, words
    assert left_by(checkout) == uninterrupted
