"""A corpus four and sixteen times as large: time and memory of its preprocessing.

    python -m benchmarks.scale

The corpora are folders in which four made-up recordings of 30 s appear under many names; fma_interpolation's
preprocessing at preset demo makes images of them. Memory is the peak of all its processes together; pages that they
share count in each.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import timing
from benchmarks.fma_memory import memory_of_group
from benchmarks.reading import made_up

COUNTS = (8, 32, 128)
FOLDERS = 8


def preprocessed(recordings: list[Path], count: int, place: Path) -> tuple[float, float]:
    """(wall seconds, peak GB) of preprocessing a corpus of so many recordings.

    Raises:
        AssertionError: it failed.
    """
    music = place / "music"
    for number in range(count):
        path = music / f"genre {number % FOLDERS}" / f"{number:06d}.mp3"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.hardlink_to(recordings[number % len(recordings)])
    command = (sys.executable, "-m", "papers.fma_interpolation.preprocess", "--preset", "demo", "--data", music,
               "--stores", place / "stores")
    began, peak = time.perf_counter(), 0.0
    with open(place / "said", "w") as said:
        process = subprocess.Popen([*map(str, command)], start_new_session=True, stdout=said, stderr=said)
        while process.poll() is None:
            peak = max(peak, sum(resident for resident, _ in memory_of_group(process.pid).values()))
            time.sleep(0.05)
    assert process.returncode == 0, (place / "said").read_text()
    return time.perf_counter() - began, peak


def rows(tiny: bool = False) -> list[dict]:
    """Time for an item and peak memory at sixteen times the items, over those at once."""
    counts = (8, 16) if tiny else COUNTS
    with tempfile.TemporaryDirectory() as place:
        recordings = made_up(Path(place), 4, 6.0 if tiny else 30.0)
        found = {}
        for count in counts:
            (Path(place) / str(count)).mkdir()
            found[count] = preprocessed(recordings, count, Path(place) / str(count))
    (first, small), (last, large) = found[counts[0]], found[counts[-1]]
    added = (last - first) / (counts[-1] - counts[0])
    middle = (found[counts[1]][0] - first) / (counts[1] - counts[0])
    detail = {"items": list(found), "seconds": [one for one, _ in found.values()],
              "gigabytes": [one for _, one in found.values()], "processes": len(os.sched_getaffinity(0))}
    return [timing.row("scale", "seconds that an item adds, x4 to x16 over x1 to x4", [
                ((last - found[counts[1]][0]) / (counts[-1] - counts[1]) if len(counts) > 2 else added) / middle],
                "1 is linear", 1.2, False, **detail),
            timing.row("scale", "peak memory of preprocessing, x16 over x1", [large / small], "1 is flat", 1.2, False)]


def main() -> None:
    print("\n".join(map(timing.line, rows())))


if __name__ == "__main__":
    main()
