"""What a job costs that does nothing, and how long the index of a store with many items takes to be read.

    python -m benchmarks.jobs [--jobs 500] [--items 100000] [--at-once 2]

Aims: under 50 ms a job, memory flat; 100,000 items in seconds. Prints a line of JSON each.
"""

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path

from common import jobs, store


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
            "seconds_to_open_and_list": round(time.monotonic() - written, 2), "megabytes": round(_megabytes(), 1)}


def _megabytes() -> float:
    """Memory that this process holds now; its peak where there is no /proc."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return int(status.read_text().split("VmRSS:")[1].split()[0]) / 1024


def main() -> None:
    """The script."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=500)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--at-once", type=int, default=2)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        print(json.dumps(empty_jobs(asked.jobs, asked.at_once, Path(place))), flush=True)
        print(json.dumps(large_index(asked.items, Path(place, "store"))), flush=True)


if __name__ == "__main__":
    main()
