"""The trainings and evaluations of a call as jobs: in processes of one thread each, or on a Dask cluster.

A walk of three rounds: which models the runs have, one training for each of them, one evaluation for each run. What is
done is found done and skipped; a job whose worker died goes on from its last checkpoint when the call is repeated. What
a job prints goes to a file of its own, `jobs/<name>.log` in the run's directory.
"""

import collections
import contextlib
import functools
import importlib
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import joblib
from joblib.externals import loky
from joblib.externals.loky.process_executor import TerminatedWorkerError

from common import compiled, locks, process
from common.errors import EncoreError

THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
NVIDIA = Path("/dev/nvidiactl")  # there where a driver is
GIGABYTES_A_JOB = 4  # of memory: the largest trainings and evaluations of the demo take three
TRIES = 3
STOPPED = "stopped"  # the problem of a job that a signal ended
WORKERS_COME_IN = 60  # seconds that a cluster may take until its workers have two threads
LINES_EVERY = 30.0  # seconds, where the output is no terminal


@dataclass(frozen=True)
class Job:
    """One thing to do: `work(*arguments)` in a process of its own.

    Attributes:
        key: what it belongs to.
        label: what it is called on the screen.
        log: the file that takes what it prints.
    """

    key: Any
    label: str
    log: Path
    work: Callable
    arguments: tuple


@dataclass(frozen=True)
class Ended:
    """How a job ended: what it returned, or what failed in one line."""

    job: Job
    value: Any
    problem: str
    seconds: float


def allowed() -> int:
    """Jobs at once that the CPU allowance and the free memory permit; control groups count.

    One where there is a GPU or TF_CONFIG names other machines: a training then takes all devices of them together.
    """
    if locks.cluster() or NVIDIA.exists():
        return 1
    cores = len(os.sched_getaffinity(0))
    with contextlib.suppress(OSError, ValueError):
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        cores = min(cores, max(1, int(quota) // int(period)))
    free = 1024 * int(Path("/proc/meminfo").read_text().split("MemAvailable:")[1].split()[0])
    with contextlib.suppress(OSError, ValueError):
        limit, used = (int(Path(f"/sys/fs/cgroup/memory.{name}").read_text()) for name in ("max", "current"))
        with contextlib.suppress(OSError, IndexError):  # files that were read lie there until something wants the room
            used -= int(Path("/sys/fs/cgroup/memory.stat").read_text().split("inactive_file ")[1].split()[0])
        free = min(free, limit - used)
    return max(1, min(cores, int(free / 1e9 / GIGABYTES_A_JOB)))


def check(at_once: int, dask: str | None) -> None:
    """Refuse what cannot be asked for.

    Raises:
        EncoreError: fewer than no jobs; several where TF_CONFIG has each training run on several machines.
    """
    if at_once < 0:
        raise EncoreError(f"--jobs (JOBS=) {at_once}: name a number of jobs, 0 for as many as the machine permits")
    if locks.cluster() and (at_once > 1 or dask):
        raise EncoreError("TF_CONFIG has one training run on several machines: leave out --jobs and --dask "
                          "(JOBS=, DASK=)")


def models(paper: str, config: Any, follow: str, preset: str) -> list[str]:
    """The models that a run trains, in the paper's order. Loads TensorFlow."""
    process.quiet_tensorflow()
    settings, train = (importlib.import_module(f"papers.{paper}.{name}") for name in ("config", "train"))
    chosen = getattr(settings, "trained_models", lambda run: None)(SimpleNamespace(follow=follow, preset=preset))
    return [name for name in train.jobs(config) if chosen is None or name in chosen]


def train(paper: str, config: Any, store: Any, run: Any, name: str) -> None:
    """Train one model of a run, from its last checkpoint on."""
    process.quiet_tensorflow()
    from common import training

    jobs = importlib.import_module(f"papers.{paper}.train").jobs(config)
    with run.lock("training", shared=True):
        training.train_all(jobs, store, run, name)


def evaluate(paper: str, config: Any, store: Any, run: Any) -> None:
    """Evaluate a run whose models have ended."""
    process.quiet_tensorflow()
    compiled.compile_librosa()
    with run.lock("evaluation"):
        importlib.import_module(f"papers.{paper}.evaluate").evaluate(config, store, run)


def walk(runs: dict, at_once: int, dask: str | None = None) -> Iterator[Ended]:
    """Carry runs through their trainings and evaluations; yields each job as it ends, those that only look left out.

    A run with a failed training is not evaluated. Evaluations of one data set end before those of the next begin, in
    the order of `runs`: a later one may read the results of an earlier one.

    Args:
        runs: {key: (config, store, run)}, opened and settled (`common.record`); a job's key says whose it is, its
            attribute `data_set` (if it has one) of which data set.
    """
    def job(key, name: str, work: Callable, *more) -> Job:
        config, store, opened = runs[key]
        arguments = (opened.paper, config, *(() if work is models else (store, opened)), *more)
        return Job(key, f"{opened.paper} {key}, {name}", opened.directory / "jobs" / f"{name}.log", work, arguments)

    names, failed = {}, set()
    for ended in run([job(key, "models", models, one.follow, one.preset) for key, (_, _, one) in runs.items()],
                     at_once, dask):
        names[ended.job.key] = ended.value or []
        if ended.problem:
            failed.add(ended.job.key)
            yield ended
    trainings = [job(key, name, train, name) for key in runs for name in names[key]]
    for ended in run(trainings, at_once, dask):
        if ended.problem:
            failed.add(ended.job.key)
        yield ended
    of = {key: getattr(key, "data_set", None) for key in runs}
    for data_set in dict.fromkeys(of.values()):
        yield from run([job(key, "evaluation", evaluate) for key in runs if key not in failed and of[key] == data_set],
                       at_once, dask)


def run(jobs: list[Job], at_once: int, dask: str | None = None) -> Iterator[Ended]:
    """Yield how each job ended, as they end; one that fails does not stop the others.

    Where a process dies (of memory, say), what was at work is done again, one at a time, so that none is blamed for
    another's death; a job is tried three times. Ctrl-C and SIGTERM are handed to the processes at work, which save, and
    no other job is begun.

    Args:
        at_once: processes on this machine; one is this process itself.
        dask: address of a scheduler (`tcp://host:8786`), whose workers see the same files; they count instead.

    Raises:
        KeyboardInterrupt, SystemExit: after a stop, when the last job has saved.
    """
    for name in THREADS:
        os.environ[name] = "1"  # before the processes start: they inherit it
    warnings.filterwarnings("ignore", message="A worker stopped while some jobs were given")  # for its memory; loky
    running, stop, left, tried = {}, [], dict(enumerate(jobs)), collections.Counter()

    def waiting(jobs):
        for number, job in list(jobs.items()):
            if stop:
                return
            running[number] = job
            yield joblib.delayed(_do)(number, job)

    with _backend(at_once, dask) as (how, tell), _stops(stop, tell), _display(running, at_once):
        while left and not stop:
            suspects = {number: job for number, job in left.items() if tried[number]}
            try:
                for number, ended in joblib.Parallel(**how | ({"pre_dispatch": 1} if suspects else {}))(
                        waiting(suspects or left)):
                    running.pop(number, None)
                    if ended.problem == STOPPED and at_once == 1 and dask is None:
                        stop.append(ended.value)  # this process was told, in the middle of a training
                    if left.pop(number, None) and not stop:
                        yield ended
            except TerminatedWorkerError:
                for number in list(running):
                    tried[number] += 1
                    job = running.pop(number)
                    if tried[number] == TRIES and not stop:
                        del left[number]
                        yield Ended(job, None, f"its process was killed {TRIES} times; see {job.log}, and the memory "
                                    "that is free: fewer --jobs (JOBS=)", 0.0)
    if stop:
        raise KeyboardInterrupt if stop[0] == signal.SIGINT else SystemExit(128 + stop[0])


@contextlib.contextmanager
def _backend(at_once: int, dask: str | None):
    how = {"n_jobs": at_once, "pre_dispatch": "n_jobs", "return_as": "generator_unordered", "batch_size": 1}
    if dask is None:
        yield how, _tell_children
        return
    try:
        from distributed import Client
    except ImportError:
        raise EncoreError("--dask (DASK=) needs the packages of requirements-cluster.txt: "
                         ".venv/bin/pip install -r requirements-cluster.txt") from None
    with Client(dask) as client, joblib.parallel_config(backend="dask"):
        until = time.monotonic() + WORKERS_COME_IN
        while (threads := sum(client.nthreads().values())) < 2:  # with one joblib would do the jobs in this process
            if time.monotonic() > until:
                raise EncoreError(f"{dask}: its workers have {threads} threads in all, 2 are the least; start another "
                                  f"(dask worker {dask} --nthreads 1), or leave out --dask (DASK=)")
            time.sleep(0.1)
        how["n_jobs"] = threads
        yield how, functools.partial(client.run, _tell_children, on_error="ignore")  # a worker may be gone


def _do(number: int, job: Job) -> tuple[int, Ended]:
    """In the worker: the job, with what it prints in its log; nothing is raised.

    A worker of Dask's works in a thread beside its main one, where no signal can be caught: a process does the job.
    """
    if threading.current_thread() is not threading.main_thread():
        if multiprocessing.current_process().daemon:
            return number, Ended(job, None, "a Dask worker may start no process of its own; start the workers with "
                                 "DASK_DISTRIBUTED__WORKER__DAEMON=False", 0.0)
        return loky.get_reusable_executor(max_workers=1).submit(_do, number, job).result()
    began, value, problem = time.monotonic(), None, ""
    for name in THREADS:
        os.environ.setdefault(name, "1")
    try:
        job.log.parent.mkdir(parents=True, exist_ok=True)
        with (open(job.log, "a", encoding="utf-8") as log, contextlib.redirect_stdout(log),
              contextlib.redirect_stderr(log)):
            value, problem = _done(job)
    except OSError as error:
        problem = f"{job.log}: the log cannot be written ({error.strerror}); free some space, the same command goes on"
    return number, Ended(job, value, problem, time.monotonic() - began)


def _done(job):
    """(what the job returned, what failed in one line); what it prints goes where its output was led."""
    try:
        return job.work(*job.arguments), ""
    except process.EXPECTED as error:
        print(f"error: {process.one_line(error)}")
        return None, process.one_line(error)
    except (KeyboardInterrupt, SystemExit) as told:
        return signal.SIGTERM if getattr(told, "code", 0) == 128 + signal.SIGTERM else signal.SIGINT, STOPPED
    except Exception as error:  # a job that fails does not stop the others
        traceback.print_exc()
        return None, f"{process.one_line(error)}; see {job.log}"


@contextlib.contextmanager
def _stops(stop: list[int], tell: Callable):
    """Note a signal in `stop` and hand it to the processes at work, once: `tell()`."""
    def handle(number, frame):
        if not stop:
            print("stopping: the jobs at work save first", file=sys.stderr, flush=True)
            stop.append(number)
            tell()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell_children() -> None:
    """SIGTERM for the processes that do the jobs of this one; a worker of Dask's has one of its own."""
    from joblib.externals.loky import reusable_executor

    for child in list(getattr(reusable_executor._executor, "_processes", None) or ()):
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGTERM)


@contextlib.contextmanager
def _display(running: dict[int, Job], at_once: int):
    """A line for each running job with the last that it printed: in place on a terminal, now and then elsewhere."""
    ended, live = threading.Event(), sys.stderr.isatty()

    def show():
        while not ended.wait(1.0 if live else LINES_EVERY):
            lines = [f"  {job.label}: {last_line(job.log)}" for job in list(running.values())[:at_once]]
            lines = [line[:os.get_terminal_size(2).columns - 1] for line in lines] if live else lines
            print("\n".join(lines) + (f"\033[{len(lines)}A\r" if live and lines else ""), file=sys.stderr, flush=True)

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def last_line(path: Path, size: int = 2000) -> str:
    """The last line of a log, progress bars included; an empty string where there is none yet."""
    try:
        with open(path, "rb") as file:
            file.seek(max(0, path.stat().st_size - size))
            found = file.read().decode("utf-8", "replace").replace("\r", "\n").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(found) if line.strip()), "")
