"""All papers at smoke: equal stores, weights, logs and values, one after another, side by side and on Dask."""

import contextlib
import hashlib
import json
import os
import subprocess
import sys

import pytest

from common import jobs
from common.reproduce import PAPERS
from tests.common import processes
from tests.common.test_jobs import workers
from tests.common.test_record import ROOT

# Values that are seconds, or ratios of seconds, and no two runs share; everything else is equal.
TIMED = ("T-", "Q11-time")


def made(paper, place, *words):
    """{what: its hash or value} of all that a run of a paper leaves behind, the seconds that it took left out."""
    environment = os.environ | dict.fromkeys(jobs.THREADS, "1")
    command = (sys.executable, "-m", "common.reproduce", paper, "--preset", "smoke", "--follow", "sound",
               "--runs", place / "runs", "--stores", place / "stores", *words)
    with workers(ROOT, words) if "--dask" in words else contextlib.nullcontext():
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=3600)
    assert done.returncode == 0, done.stdout + done.stderr
    found = {f"store {path.relative_to(place)}": hashlib.sha256(path.read_bytes()).hexdigest()
             for path in sorted(place.glob("stores/**/*"))
             if path.is_file() and path.suffix in (".npy", ".exr", ".csv")}
    for run in sorted(place.glob("runs/*/*/seed-*")):
        results, name = json.loads((run / "results.json").read_text()), run.parent.name
        found |= {f"{name} weights {model}": one["weights_sha256"]
                  for model, one in results["provenance"]["training"]["models"].items()}
        found |= {f"{name} log {path.parent.name}": path.read_text() for path in run.glob("models/*/metrics.jsonl")}
        found |= {f"{name} value {claim}": value for claim, value in results["results"].items()
                  if not claim.startswith(TIMED)}
    return found


@pytest.fixture(scope="module", params=PAPERS)
def one_after_another(request, tmp_path_factory):
    return request.param, made(request.param, tmp_path_factory.mktemp("one"), "--jobs", "1")


@pytest.mark.very_slow
@pytest.mark.parametrize("how", ["--jobs", "--dask"])
def test_what_a_paper_makes_is_the_same_however_its_jobs_are_run(one_after_another, tmp_path, how):
    paper, wanted = one_after_another
    if how == "--dask":
        pytest.importorskip("distributed", reason="Dask is not installed: requirements-cluster.txt")
    found = made(paper, tmp_path, how, "2" if how == "--jobs" else f"tcp://127.0.0.1:{processes.free_ports(1)[0]}")
    assert {key.split()[0] for key in wanted} >= {"store"} and sum(" weights " in key for key in wanted) >= 3
    assert found.keys() == wanted.keys()
    assert [key for key in wanted if found[key] != wanted[key]] == []
