"""Rows of the benchmarks' table: two ways timed in turn in one run, medians, spread, and what was aimed at.

A row is a dictionary that JSON can hold: `name`, `what`, `value` in `unit`, `low` and `high` over the rounds, `aim` and
`upward` (whether more is better), `met`, `rounds`, and whatever else a benchmark wants to keep, in `detail`.
"""

import contextlib
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

PACKAGES = ("numpy", "scipy", "librosa", "soundfile", "tensorflow", "keras", "joblib", "torch")


def row(name: str, what: str, values: list[float], unit: str, aim: float | None = None, upward: bool = True,
        **detail) -> dict:
    """A row of values of several rounds; the median counts."""
    middle = statistics.median(values)
    met = None if aim is None else bool(middle >= aim if upward else middle <= aim)
    return {"name": name, "what": what, "value": middle, "unit": unit, "low": min(values), "high": max(values),
            "aim": aim, "upward": upward, "met": met, "rounds": len(values), "detail": detail}


def left_out(name: str, what: str, why: str) -> dict:
    """A row without a value; `why` is one line that says what to do."""
    return {"name": name, "what": what, "value": None, "why": why}


def seconds(function: Callable[[], object], wall: bool = False) -> float:
    """Seconds of the processor that one call takes in this process, all threads together; by the clock with `wall`."""
    clock = time.perf_counter if wall else time.process_time
    began = clock()
    function()
    return clock() - began


def in_turn(rounds: int, ours: Callable[[], object], peer: Callable[[], object], warm: int = 1,
            wall: bool = False) -> tuple[list, list]:
    """Seconds of both in every round, ours first in one round and the peer's in the next; `warm` rounds are not kept.

    In turn, so that a machine that slows down slows both. On one core, in seconds of the processor, which others that
    are at work on it do not lengthen by waiting; `wall`: on all cores by the clock, for several processes against one.
    """
    mine, theirs = [], []
    with contextlib.nullcontext() if wall else one_core():
        for _ in range(warm):
            ours(), peer()
        for number in range(rounds):
            for function, kept in ((ours, mine), (peer, theirs))[::-1 if number % 2 else 1]:
                kept.append(seconds(function, wall))
    return mine, theirs


@contextlib.contextmanager
def one_core() -> Iterator[None]:
    """What this thread does, and those that it starts, on one core: libraries ask how many there are for them."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def times_as_fast(name: str, what: str, ours: list[float], peer: list[float], aim: float | None, **detail) -> dict:
    """The row of a comparison: in each round the peer's seconds over ours."""
    return row(name, what, [b / a for a, b in zip(ours, peer, strict=True)], "times as fast", aim,
               ours_seconds=statistics.median(ours), peer_seconds=statistics.median(peer), **detail)


def machine() -> dict:
    """What the rows were measured on: processor, cores, packages, and how busy it was when it began."""
    model = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.processor())
    cores = len(os.sched_getaffinity(0))
    return {"processor": model, "cores": cores, "busy": round(os.getloadavg()[0] / cores, 2),
            "python": platform.python_version(), "packages": {name: version for name in PACKAGES
                                                              if (version := _version(name))}}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def line(one: dict) -> str:
    """A row for the screen."""
    head = f"{one['name']:10} {one['what'][:62]:62} "
    if one["value"] is None:
        return head + f"left out: {one['why']}"
    aim = "" if one["aim"] is None else f"aim {'>=' if one['upward'] else '<='} {one['aim']:g}: " + (
        "met" if one["met"] else "missed")
    return head + f"{one['value']:9.3g} {one['unit']:16} [{one['low']:.3g}, {one['high']:.3g}]  {aim}"
