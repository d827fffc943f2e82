"""What a job costs that does nothing, how long the index of a store with many items takes to be read, and what two
jobs at once gain.

    python -m benchmarks.jobs

Aims: under 50 ms a job, memory flat; 100,000 items in seconds; two jobs 1.6 times as fast as one.
"""

import itertools
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import timing
from common import jobs, store

PAPER = "softmax_ae"


def nothing() -> None:
    """The work of an empty job."""


def empty_jobs(count: int, at_once: int, place: Path) -> dict:
    """Milliseconds a job once the processes have started and to the first; memory that the last three fifths added."""
    asked = [jobs.Job(number, f"job {number}", place / "jobs" / f"{number}.log", nothing, ())
             for number in range(count)]
    began, ended, memory = time.monotonic(), [], []
    for one in jobs.run(asked, at_once):
        assert not one.problem, one.problem
        ended.append(time.monotonic())
        memory.append(_megabytes())
    return {"what": "empty jobs", "jobs": count, "at_once": at_once,
            "milliseconds_a_job": round(1000 * (ended[-1] - ended[0]) / (count - 1), 2),
            "milliseconds_to_the_first": round(1000 * (ended[0] - began), 1),
            "megabytes_added": round(memory[-1] - memory[2 * count // 5], 2)}


def large_index(count: int, place: Path) -> dict:
    """Seconds to write an index of so many rows, and to open the store and list it."""
    place.mkdir()
    writer = store.Writer(place, {"name": "empty"}, place)
    began = time.monotonic()
    for number in range(count):
        writer.row(item=f"item {number}", group=f"group {number // 10}", label="jazz", path=f"images/{number}.exr")
    writer.close()
    written = time.monotonic()
    rows = store.Store(place).index
    assert len(rows) == count and rows[-1]["item"] == f"item {count - 1}"
    return {"what": "index", "items": count, "seconds_to_write": round(written - began, 2),
            "seconds_to_open_and_list": round(time.monotonic() - written, 4), "megabytes": round(_megabytes(), 1)}


def _megabytes() -> float:
    """Memory that this process holds now; its peak where there is no /proc."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return int(status.read_text().split("VmRSS:")[1].split()[0]) / 1024


def two_at_once(rounds: int, place: Path) -> dict:
    """Wall seconds of a paper's smoke call with three seeds, JOBS=1 over JOBS=2; corpus and store are there before."""
    what = f"JOBS=2 against JOBS=1: {PAPER} at smoke, one mode, three seeds"
    if len(os.sched_getaffinity(0)) < 2:
        return timing.left_out("jobs", what, "this machine has one core")

    def call(number: int, count: int):
        words = ("-m", "common.reproduce", PAPER, "--preset", "smoke", "--follow", "sound", "--seeds", "0", "1", "2",
                 "--jobs", str(count), "--runs", place / f"{number}", "--stores", place / "stores")
        done = subprocess.run([sys.executable, *map(str, words)], capture_output=True, text=True,
                              env=os.environ | dict.fromkeys(jobs.THREADS, "1"))
        assert not done.returncode, done.stdout + done.stderr

    numbers = itertools.count()
    call(next(numbers), 1)
    mine, theirs = timing.in_turn(rounds, lambda: call(next(numbers), 2), lambda: call(next(numbers), 1), warm=0,
                                  wall=True)
    return timing.times_as_fast("jobs", what, mine, theirs, 1.6)


def rows(tiny: bool = False) -> list[dict]:
    """What an empty job costs, an index of many items, and two jobs at once against one."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        empty = empty_jobs(20 if tiny else 500, 2, place)
        index = large_index(1000 if tiny else 100_000, place / "store")
        each = [empty["milliseconds_a_job"]]
        found = [timing.row("jobs", "an empty job, of 500", each, "ms", 50, False, empty=empty),
                 timing.row("jobs", "an index of 100,000 items opened and listed", [index["seconds_to_open_and_list"]],
                            "s", 5, False, index=index)]
        return found if tiny else [*found, two_at_once(2, place / "runs")]


def main() -> None:
    """The script."""
    print("\n".join(map(timing.line, rows())))


if __name__ == "__main__":
    main()
