"""Jobs side by side: what fails, dies or is stopped, and that results do not depend on how they were run."""

import collections
import contextlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from common import jobs, reproduce
from common.errors import EncoreError
from tests.common import processes
from tests.common.test_record import ROOT, Checkout


def job(tmp_path, name, work, *arguments):
    return jobs.Job(name, name, tmp_path / f"{name}.log", work, arguments)


def double(value):
    print("doubling", value)
    return 2 * value


def slowly(value):
    """Long enough to be at work whenever its neighbour dies."""
    time.sleep(3)
    return 2 * value


def fail():
    raise ValueError("no such thing")


def die_once(path):
    if not path.exists():
        path.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "lives"


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def threads():
    return [os.environ[name] for name in jobs.THREADS]


def test_each_job_ends_with_its_value_and_prints_into_its_log(tmp_path):
    asked = [job(tmp_path, f"n{i}", double, i) for i in range(5)] + [job(tmp_path, "bad", fail)]
    ended = {one.job.key: one for one in jobs.run(asked, 2)}
    assert {key: one.value for key, one in ended.items()} == {f"n{i}": 2 * i for i in range(5)} | {"bad": None}
    assert (tmp_path / "n3.log").read_text() == "doubling 3\n"
    assert ended["bad"].problem == f"no such thing; see {tmp_path / 'bad.log'}" and not ended["n0"].problem
    assert "ValueError: no such thing" in (tmp_path / "bad.log").read_text()


def test_processes_have_one_thread_each(tmp_path, monkeypatch):
    for name in jobs.THREADS:
        monkeypatch.setenv(name, "2")
    [ended] = jobs.run([job(tmp_path, "threads", threads)], 2)
    assert ended.value == ["1"] * 4


@pytest.mark.slow
def test_a_killed_process_has_its_job_done_again_and_one_that_always_dies_is_given_up(tmp_path):
    others = [job(tmp_path, "n0", slowly, 0), *(job(tmp_path, f"n{i}", double, i) for i in range(1, 4))]
    for first in (job(tmp_path, "once", die_once, tmp_path / "mark"), job(tmp_path, "always", die)):
        ended = {one.job.key: one for one in jobs.run([first, *others], 2)}
        assert [ended[f"n{i}"].value for i in range(4)] == [0, 2, 4, 6]
        if first.key == "once":
            assert ended["once"].value == "lives"
        else:
            assert "was killed 3 times" in ended["always"].problem and "fewer --jobs" in ended["always"].problem


STOPPED = """
import pathlib, signal, sys, time
from common import jobs
from tests.common import test_jobs
place = pathlib.Path(sys.argv[1])
asked = [test_jobs.job(place, f"save{i}", test_jobs.save_when_told, place / f"saved{i}") for i in range(4)]
for ended in jobs.run(asked, int(sys.argv[2]), *sys.argv[3:]):
    print("ended", flush=True)
"""


def save_when_told(path):
    """As a training does: told to stop it writes and leaves."""
    told = []
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda number, frame: told.append(number))
    path.with_name(path.name + "-began").touch()
    until = time.monotonic() + 60
    while not told and time.monotonic() < until:
        time.sleep(0.02)
    path.touch()
    raise SystemExit(128 + told[0])


@pytest.mark.slow
@pytest.mark.parametrize("at_once", [1, 2])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_stop_lets_the_jobs_at_work_save_and_begins_no_other(tmp_path, number, code, at_once):
    stopped(tmp_path, number, code, at_once)


@pytest.mark.slow
def test_a_stop_reaches_the_workers_of_a_cluster(tmp_path):
    pytest.importorskip("distributed", reason="Dask is not installed: requirements-cluster.txt")
    address = f"tcp://127.0.0.1:{processes.free_ports(1)[0]}"
    with workers(ROOT, ("--dask", address)):
        stopped(tmp_path, signal.SIGINT, 130, 2, address)


def test_a_cluster_is_used_from_its_second_thread_on(monkeypatch):
    """With one in all joblib would do the jobs in this process; `distributed` need not be installed for this test."""
    came_in = [{}, {"a": 1}, {"a": 1, "b": 1}]
    client = SimpleNamespace(nthreads=lambda: came_in.pop(0) if came_in[1:] else came_in[0], run=print)
    cluster = SimpleNamespace(Client=lambda where: contextlib.nullcontext(client))
    monkeypatch.setitem(sys.modules, "distributed", cluster)
    monkeypatch.setattr(jobs.joblib, "parallel_config", lambda **options: contextlib.nullcontext())
    with jobs._backend(4, "tcp://x:1") as (how, _):
        assert how["n_jobs"] == 2
    came_in[:] = [{"a": 1}]
    monkeypatch.setattr(jobs, "WORKERS_COME_IN", 0)
    with pytest.raises(EncoreError, match="tcp://x:1: its workers have 1 threads in all"), jobs._backend(4, "tcp://x:1"):
        pass


def stopped(tmp_path, number, code, at_once, *more):
    """Jobs of which as many as asked for are at work when the process is told to stop."""
    def stoppable():
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    script = "from common import process\nwith process.one_line_errors():\n" + textwrap.indent(STOPPED.strip(), "    ")
    process = subprocess.Popen([sys.executable, "-c", script, tmp_path, str(at_once), *more], cwd=ROOT,
                               stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=stoppable)
    until = time.monotonic() + 60
    while len(list(tmp_path.glob("*-began"))) < at_once and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(number)
    said, errors = process.communicate(timeout=60)
    assert process.returncode == code and said == "", errors
    assert errors.count("stopping: the jobs at work save first") == (at_once > 1)  # else the job itself was told
    assert {path.name for path in tmp_path.glob("saved?")} == {f"saved{i}" for i in range(at_once)}


def python(checkout, *words):
    """A process of its own: what is forked from one with TensorFlow loaded could start none with joblib."""
    done = subprocess.run([sys.executable, *words], cwd=checkout.root, capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout + done.stderr


ASKED = ("-m", "common.reproduce", "toy", "--preset", "smoke", "--follow", "code", "paper", "--seeds", "0", "1")


def runs_of(place, *words):
    """What the toy paper's four runs come to in a checkout of their own: weights, log, results."""
    checkout = Checkout(place)
    with workers(checkout.root, words):
        code, said = python(checkout, *ASKED, *words)
    assert code == 0, said
    assert any(line.startswith("Three seeds would say") and 'SEEDS="0 1 2"' in line for line in said.splitlines())
    assert python(checkout, *ASKED, *words)[1].count("up to date") == 4
    return left_by(checkout)


def left_by(checkout):
    """Weights, results and log of each of the toy paper's four runs."""
    runs = sorted((checkout.root / "runs" / "toy").glob("*/seed-*"))
    assert len(runs) == 4
    return [[model["weights_sha256"] for model in results["provenance"]["training"]["models"].values()]
            + [results["results"], (run / "models" / "line" / "metrics.jsonl").read_text()]
            for run in runs for results in [json.loads((run / "results.json").read_text())]]


@contextlib.contextmanager
def workers(place, words):
    """A scheduler and two workers of one thread in a checkout, where --dask asks for them."""
    if "--dask" not in words:
        yield
        return
    address, nanny = words[words.index("--dask") + 1], ("--nworkers", "2", "--nthreads", "1", "--no-dashboard")
    environment = os.environ | {"PYTHONPATH": str(place), "DASK_DISTRIBUTED__WORKER__DAEMON": "False"}
    started = [subprocess.Popen([sys.executable, "-m", "dask", *what], cwd=place, stderr=subprocess.DEVNULL,
                                env=environment)
               for what in (("scheduler", "--port", address.rsplit(":", 1)[1], "--no-dashboard"),
                            ("worker", address, *nanny))]  # fmt: skip
    try:
        yield started
    finally:
        for one in reversed(started):
            one.terminate()
            one.wait(30)


@pytest.fixture(scope="module")
def one_after_another(tmp_path_factory):
    return runs_of(tmp_path_factory.mktemp("one"), "--jobs", "1")


@pytest.mark.slow
def test_results_are_the_same_side_by_side(one_after_another, tmp_path):
    assert runs_of(tmp_path, "--jobs", "2") == one_after_another


@pytest.mark.slow
def test_results_are_the_same_on_a_dask_cluster(one_after_another, tmp_path):
    pytest.importorskip("distributed", reason="Dask is not installed: requirements-cluster.txt")
    assert runs_of(tmp_path, "--dask", f"tcp://127.0.0.1:{processes.free_ports(1)[0]}") == one_after_another


@pytest.mark.slow
def test_a_run_whose_training_fails_is_not_evaluated_and_the_others_are(tmp_path):
    checkout = Checkout(tmp_path / "c")
    checkout.change("papers/toy/train.py", "    x, y = np.asarray(store.array(\"x\")), np.asarray(store.array(\"y\"))",
                    "    if seed == 1:\n        raise ValueError('not with seed 1')\n"
                    "    x, y = np.asarray(store.array(\"x\")), np.asarray(store.array(\"y\"))")  # fmt: skip
    code, said = python(checkout, "-m", "common.reproduce", "toy", "--preset", "smoke", "--follow", "paper", "--seeds",
                                 "0", "1", "2", "--jobs", "2")
    assert code == 1 and "error: toy paper seed 1: not with seed 1; see " in said, said
    evaluated = sorted(path.parent.name for path in checkout.root.glob("runs/toy/*/*/results.json"))
    assert evaluated == ["seed-0", "seed-2"]


def test_runs_of_one_data_set_are_evaluated_before_those_of_the_next(tmp_path, monkeypatch):
    """The later ones may read their results: lord_transfer's instruments beside its genres."""
    Key = collections.namedtuple("Key", "data_set number")
    runs = {Key(data_set, number): (None, None, SimpleNamespace(paper="p", directory=tmp_path, follow="", preset=""))
            for number in range(2) for data_set in ("genres", "instruments")}
    asked = []

    def run(given, at_once, dask):
        asked.append([one.key for one in given])
        return [jobs.Ended(one, [], "", 0.0) for one in given]

    monkeypatch.setattr(jobs, "run", run)
    list(jobs.walk(runs, 2))
    assert asked[2:] == [[Key("genres", 0), Key("genres", 1)], [Key("instruments", 0), Key("instruments", 1)]]


def test_a_log_that_cannot_be_written_is_that_jobs_problem_alone(tmp_path):
    asked = [job(tmp_path, "good", double, 4), jobs.Job("bad", "bad", Path("/dev/full"), double, (1,))]
    ended = {one.job.key: one for one in jobs.run(asked, 2)}
    assert ended["good"].value == 8 and ended["bad"].problem.startswith("/dev/full: the log cannot be written")


def test_a_cluster_that_is_not_there_is_one_line(tmp_path, monkeypatch, capsys):
    def none(*more):
        raise EncoreError("no scheduler there")

    monkeypatch.setattr(reproduce, "side_by_side", none)
    with pytest.raises(SystemExit) as end:
        reproduce.main(["softmax_ae", "--preset", "smoke", "--dask", "tcp://x:1", "--runs", str(tmp_path)])
    assert end.value.code == 2 and capsys.readouterr().err == "error: no scheduler there\n"


def test_the_last_line_of_a_log_is_the_last_state_of_its_progress_bar(tmp_path):
    log = tmp_path / "x.log"
    assert jobs.last_line(log) == ""
    log.write_bytes(b"begun\n 10%|# | 1/10\r 20%|## | 2/10\r")
    assert jobs.last_line(log) == "20%|## | 2/10"


def test_with_a_gpu_or_several_machines_one_training_has_them_all(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(6)))
    monkeypatch.setattr(jobs, "GIGABYTES_A_JOB", 1e-3)
    monkeypatch.setattr(jobs, "NVIDIA", tmp_path / "driver")
    assert jobs.allowed() > 1
    monkeypatch.setenv("TF_CONFIG", '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}}')
    assert jobs.allowed() == 1
    monkeypatch.delenv("TF_CONFIG")
    (tmp_path / "driver").touch()
    assert jobs.allowed() == 1


def test_what_cannot_be_asked_for_is_refused_in_one_line(monkeypatch, capsys):
    def said(*words):
        with pytest.raises(SystemExit) as stop:
            reproduce.main(["softmax_ae", "--preset", "smoke", *words])
        assert stop.value.code == 2
        return capsys.readouterr().err

    assert said("--jobs", "-1").startswith("error: --jobs (JOBS=) -1: name a number")
    monkeypatch.setenv("TF_CONFIG", '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}}')
    for words in (("--jobs", "2"), ("--dask", "tcp://x:1")):
        assert said(*words).startswith("error: TF_CONFIG has one training run on several machines")


def test_jobs_at_once_are_as_many_as_processors_and_memory_permit(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(6)))
    said = {"/proc/meminfo": "MemTotal: 1 kB\nMemAvailable: 9000000 kB\n"}

    def text(path, *more, **named):
        if str(path) not in said:
            raise FileNotFoundError(path)
        return said[str(path)]

    monkeypatch.setattr(Path, "read_text", text)
    assert jobs.allowed() == 2  # 9.2 GB, four a job
    said["/proc/meminfo"] = "MemAvailable: 90000000 kB\n"
    assert jobs.allowed() == 6
    said["/sys/fs/cgroup/cpu.max"] = "300000 100000"
    assert jobs.allowed() == 3
    said |= {"/sys/fs/cgroup/memory.max": "14000000000", "/sys/fs/cgroup/memory.current": "13000000000"}
    assert jobs.allowed() == 1
    said["/sys/fs/cgroup/memory.stat"] = "anon 1000000\ninactive_file 8000000000\nactive_file 5\n"
    assert jobs.allowed() == 2  # 9 GB: what was read of files gives way
