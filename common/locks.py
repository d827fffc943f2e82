"""One writer: a lock on what a process writes, and which of several machines writes. No TensorFlow."""

import contextlib
import fcntl
import json
import os
import platform
from collections.abc import Iterator
from pathlib import Path

from common.errors import BusyError
from common.files import naming


@contextlib.contextmanager
def held(path: Path, what: str, shared: bool = False, wait: bool = False) -> Iterator[None]:
    """Hold the lock file `path` while in the block; it is free again when the process ends, however it ends.

    Args:
        what: what the lock stands for, in the message.
        shared: several processes may hold it in this way at once, and then none in the other.
        wait: until it is free, instead of refusing.

    Raises:
        BusyError: another process holds it; the message says which.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "another process"
            raise BusyError(f"{what}: {holder} is at work on it; wait for it, or end it") from None
        with naming(path):
            file.truncate(0)
            file.write(f"process {os.getpid()} on {platform.node()}")
            file.flush()
        yield


def cluster() -> dict:
    """What TF_CONFIG says; {} on one machine."""
    try:
        return json.loads(os.environ.get("TF_CONFIG") or "{}")
    except ValueError:
        return {}


def is_chief() -> bool:
    """Whether this process writes: the task of type "chief", or worker 0 of a cluster that has none."""
    task, known = cluster().get("task", {}), cluster().get("cluster", {})
    if not task:
        return True
    if "chief" in known:
        return task.get("type") == "chief"
    return task.get("type") == "worker" and int(task.get("index", 0)) == 0
