"""Evaluate a run again, from its checkpoints, into a temporary place, and compare every value."""

import contextlib
import importlib
import json
import math
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from common import process, record
from common.errors import StoreError
from common.report import published
from common.store import content_sha256

TOLERANCE = 1e-6  # relative, and absolute where the value is smaller than one


def verify(runs: Iterable) -> list[tuple[Path, int, list[str]]]:
    """What a second evaluation of run directories makes otherwise: [(directory, number of values, [one line each])].

    Raises:
        EncoreError: a run whose code, settings or data are not today's, or whose checkpoints are gone.
        StoreError: its preprocessed data was changed since.
    """
    found = []
    for directory in published.directories(runs):
        results = json.loads((directory / "results.json").read_text(encoding="utf-8"))
        again = _again(directory, results["paper"])
        found.append((directory, len(results["results"]), differences(results["results"], again["results"])))
    return found


def _again(directory: Path, paper: str) -> dict:
    """results.json as evaluation makes it now."""
    settings = importlib.import_module(f"papers.{paper}.config")
    run, store, _ = record.for_tool(settings, directory)
    run.settle(store)
    if content_sha256(store.directory) != store.content_sha256:
        raise StoreError(f"{store.directory}: not as it was built; remove it and preprocess again")
    process.quiet_tensorflow()
    evaluate = importlib.import_module(f"papers.{paper}.evaluate")
    with tempfile.TemporaryDirectory(prefix="encore-verify-") as place, contextlib.redirect_stdout(None):
        elsewhere = replace(run, directory=Path(place) / directory.resolve().parent.name / directory.name)
        elsewhere.directory.mkdir(parents=True)
        for beside in directory.resolve().parent.parent.iterdir():  # a paper may read the runs beside this one
            if beside != directory.resolve().parent:
                (Path(place) / beside.name).symlink_to(beside)
        (elsewhere.directory / "models").symlink_to((directory / "models").resolve())
        (elsewhere.directory / "config.json").write_bytes((directory / "config.json").read_bytes())
        evaluate.evaluate(run.config, store, elsewhere)
        return json.loads((elsewhere.directory / "results.json").read_text(encoding="utf-8"))


def differences(before: dict, now: dict) -> list[str]:
    """One line for each claim whose value, reason or baselines are not the same within TOLERANCE."""
    lines = []
    for claim in sorted(set(before) | set(now)):
        old, new = before.get(claim), now.get(claim)
        if old is None or new is None:
            lines.append(f"{claim}: {'is new' if old is None else 'is gone'}")
            continue
        pairs = [("value", old.get("value"), new.get("value"))]
        pairs += [(f"baseline {name}", (old.get("baselines") or {}).get(name), (new.get("baselines") or {}).get(name))
                  for name in {**(old.get("baselines") or {}), **(new.get("baselines") or {})}]
        lines += [f"{claim}: {name} was {one} and is {other}" for name, one, other in pairs if not _same(one, other)]
        if old.get("not_testable") != new.get("not_testable"):
            lines.append(f"{claim}: not testable was {old.get('not_testable')!r} and is {new.get('not_testable')!r}")
    return lines


def _same(one, other) -> bool:
    if not isinstance(one, int | float) or not isinstance(other, int | float):
        return one == other
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
