"""Commands as processes that have TensorFlow loaded when they begin: forks of one that has done nothing but that.

Loading takes six of the eight seconds that a command on a toy needs.
"""

import atexit
import contextlib
import multiprocessing
import os
import runpy
import socket
import subprocess
import sys
import tempfile
from multiprocessing import resource_tracker
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOADED = ["tensorflow", "keras", "librosa", "sklearn.linear_model", "scipy.stats"]
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(LOADED)


class Process:
    """`python -m words…` in the folder `cwd`; of subprocess.Popen what tests need, both outputs caught as text."""

    def __init__(self, *words, cwd=ROOT, environment=None):
        self.words = [str(word) for word in words]
        self._place = tempfile.TemporaryDirectory()
        files = [Path(self._place.name) / name for name in ("output", "errors")]
        for file in files:
            file.touch()
        self._files = files
        self._process = _forks.Process(target=_run, args=(self.words, str(cwd), dict(environment or os.environ),
                                                          [str(file) for file in files]))
        self._process.start()

    @property
    def returncode(self) -> int | None:
        """None while it runs; minus the signal that ended it."""
        return self._process.exitcode

    def send_signal(self, number: int):
        os.kill(self._process.pid, number)

    def communicate(self, timeout: float = 300) -> tuple[str, str]:
        """Both outputs when it has ended.

        Raises:
            subprocess.TimeoutExpired: it had not after so many seconds, and was killed.
        """
        self._process.join(timeout)
        if self.returncode is None:
            self._process.kill()
            self._process.join()
            raise subprocess.TimeoutExpired(self.words, timeout)
        return tuple(file.read_text() for file in self._files)


def run(*words, cwd=ROOT, environment=None) -> subprocess.CompletedProcess:
    """`python -m words…` to its end."""
    process = Process(*words, cwd=cwd, environment=environment)
    output, errors = process.communicate()
    return subprocess.CompletedProcess(process.words, process.returncode, output, errors)


def free_ports(count: int) -> list[int]:
    """Ports of the loopback device that nobody uses, below those that the kernel gives to whoever connects.

    Processes that ask at the same time look from different places on.
    """
    found, port = [], 10000 + os.getpid() * 37 % 20000
    while len(found) < count:
        port = 10000 + (port - 9999) % 20000
        with socket.socket() as one, contextlib.suppress(OSError):
            one.bind(("127.0.0.1", port))
            found.append(port)
    return found


def _run(words: list[str], cwd: str, environment: dict, files: list[str]):
    """In the new process: what `python -m` does."""
    for number, file in enumerate(files, 1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_APPEND), number)
    resource_tracker._resource_tracker._fd = resource_tracker._resource_tracker._pid = None  # one of its own, if any
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:] = [cwd, *(place for place in sys.path if place not in ("", str(ROOT)))]
    sys.argv[:] = words
    measured = _measured(environment) if "ENCORE_REACHED" in environment else None
    try:
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)
    finally:
        atexit._run_exitfuncs()  # multiprocessing leaves them out
        if measured:
            measured.stop()
            measured.save()


def _measured(environment: dict):
    """For tests.reach: which lines this process reaches, in the name of the test that started it."""
    import coverage

    measured = coverage.Coverage(data_file=f"{environment['ENCORE_REACHED']}/coverage", data_suffix=True,
                                 source=["common", "papers"], context=environment["PYTEST_CURRENT_TEST"].split(" (")[0],
                                 config_file=False)
    measured.start()
    return measured
