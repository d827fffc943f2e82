"""What a run stands on, written down when the training of each model starts and carried in its checkpoints.

The code that training can reach (`common.closure`), the resolved settings, the content of the store, claims.csv and
the rule of every claim, the commit and whether those files were in it, packages, threads and devices. `changes` tells
such a record from what is so now; `seal` closes the chain checkpoint -> metrics -> results. No TensorFlow.
"""

import dataclasses
import hashlib
import importlib.metadata
import json
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from common import claims, closure
from common.checkpoints import files, read_state
from common.errors import StaleError
from common.files import sha256
from common.machine import PLAIN

ROOT = closure.ROOT
PACKAGES = ("tensorflow", "keras", "numpy", "scipy", "librosa", "scikit-learn", "soundfile", "symusic")
UNKNOWN = "unknown"  # the commit, where the files lie in no git repository
BOTH = "--fresh to start over, or --accept-code to go on, which is recorded"
ONLY_FRESH = "--fresh to start over"


def at_start(paper: str, config: Any, store: Any) -> dict:
    """The record of a training that starts now.

    Returns: {"code": {module: {function: hash}}, "code_sha256", "settings": {field: value}, "settings_sha256",
        "store_sha256", "claims_sha256", "rules": {claim: hash of its rule}, "commit", "dirty", "uncommitted",
        "packages", "python", "machine", "threads"}.
    """
    code, path = closure.training(paper, ROOT), claims_file(paper)
    return {"code": code, "code_sha256": closure.sha256(code), "settings": plain(dataclasses.asdict(config)),
            "settings_sha256": sha256(config), "store_sha256": content(store),
            "claims_sha256": claims.sha256(path), "rules": rules(path)} | surroundings(paper, code)


def at_evaluation(paper: str) -> dict:
    """The record of an evaluation: its own code (beyond that of training), commit, packages and machine."""
    code = closure.evaluation(paper, ROOT)
    return {"code_sha256": closure.sha256(code), "modules": modules(code)} | surroundings(paper, code)


def surroundings(paper: str, code: dict) -> dict:
    """Commit, packages, machine; `dirty` where a file of `code`, config.py or claims.csv is not as in the commit."""
    names = {closure.file_of(ROOT, module) for module in code} | {claims_file(paper), claims_file(paper).with_name(
        "config.py")}
    return committed(names) | environment()


def committed(names: set[Path]) -> dict:
    """{"commit", "dirty", "uncommitted"}: HEAD, and which of the files are not as in it."""
    commit = _git(ROOT, "rev-parse", "--short=12", "HEAD") if _own_repository(ROOT) else None
    listed = _git(ROOT, "status", "--porcelain", "--untracked-files=all", "--ignored=no", "--",
                  *sorted(str(name) for name in names)) if commit else ""
    uncommitted = sorted(line[3:] for line in (listed or "").splitlines())
    return {"commit": commit or UNKNOWN, "dirty": bool(uncommitted), "uncommitted": uncommitted}


def claims_file(paper: str) -> Path:
    """The paper's claims.csv."""
    return ROOT / "papers" / paper / "claims.csv"


def rules(path: Path) -> dict:
    """{claim: hash of what it is judged by: kind, reported number, needs and rule}."""
    return {claim.id: hashlib.sha256(repr((claim.kind, claim.reported_text, claim.needs, claim.rule_text)).encode())
            .hexdigest()[:8] for claim in claims.read_claims(path)}


def content(store: Any) -> str:
    """What a store holds, in one hash: its arrays, images and index, and the facts that training reads (classes)."""
    parameters = getattr(store, "parameters", {})
    return sha256([parameters.get("content_sha256", ""), parameters.get("facts", {})])


def modules(code: dict) -> dict:
    """{module: hash} of a closure: enough to say which module has changed."""
    return {name: closure.sha256({name: units})[:12] for name, units in code.items()}


def changes(saved: dict | None, now: dict) -> dict[str, list[str]]:
    """What has changed between two records of `at_start`: {"code", "settings", "store" or "packages": [lines]}.

    Kinds without a change are left out. Of claims.csv nothing is asked here: it changes verdicts, not weights.
    """
    if not saved:
        return {"code": ["no record of the code it was trained with, which may have changed"]}
    found = {"code": closure.changes(saved["code"], now["code"])}
    before, after = saved["settings"], now["settings"]
    found["settings"] = [f"setting {key} was {before.get(key)} and is {after.get(key)}"
                         for key in sorted(set(before) | set(after))
                         if before.get(key) != after.get(key) and key != "data_set"]
    found["settings"] += [f"{key} was {saved.get(key, plain)} and is {now[key]}"
                          for key, plain in PLAIN.values().items() if now.get(key, saved.get(key, plain))
                          != saved.get(key, plain)]
    if saved["store_sha256"] != now["store_sha256"]:
        found["store"] = ["the preprocessed data changed"]
    found["packages"] = [f"{name} was {old} and is {now['packages'].get(name)}"
                         for name, old in saved["packages"].items() if old != now["packages"].get(name)]
    return {kind: lines for kind, lines in found.items() if lines}


def sentence(found: dict, step: int) -> str:
    """One line of what `changes` found: the first three, since when, and what to type next."""
    lines = [line for kind in found for line in found[kind]]
    more = f" and {len(lines) - 3} more" if len(lines) > 3 else ""
    advice = ONLY_FRESH if {"settings", "store"} & set(found) else BOTH
    return f"{', '.join(lines[:3])}{more} since step {step}; {advice}"


def resumed(before: dict | None, now: dict | None, step: int) -> dict | None:
    """The record of the start, and where the training goes on elsewhere: on another commit, machine or device."""
    if not before or not now:
        return before or now
    here = {key: now[key] for key in ("commit", "dirty", "machine", "threads", "devices")}
    latest = (before.get("resumed") or [before])[-1]
    if all(latest.get(key) == value for key, value in here.items()):
        return before
    return before | {"resumed": [*before.get("resumed", []), {"step": step} | here]}


def stale(path: Path, now: dict) -> dict:
    """What a model's checkpoint stands on that is not so now (`changes`); a finished training keeps its packages."""
    state = read_state(path)
    found = changes(state.get("provenance"), now)
    if state["complete"]:
        found.pop("packages", None)
    return found


def require_same(directory: Path, now: dict | None) -> None:
    """Refuse to go on with a model's training where it stands on something else; `now` None: nothing is asked.

    Raises:
        StaleError: naming what changed.
    """
    for path in files(directory / "checkpoints")[-1:] if now else ():
        if found := stale(path, now):
            raise StaleError(f"{directory}: {sentence(found, read_state(path)['total'])}")


def training_of(directory: Path) -> dict:
    """What stands behind the models of a run: their starts and the hashes of their files.

    Args:
        directory: the run's, with `models/`.

    Returns: {"starts": [records of `at_start`, with modules for code], "models": {name: {"start", "step", "seed",
        "checkpoint_sha256", "weights_sha256", "metrics_sha256", "accepted"?, "resumed"?}}}.
    """
    starts, models = [], {}
    for name, path in trained(directory).items():
        state = read_state(path)
        record = dict(state.get("provenance") or {})
        more = {key: record.pop(key) for key in ("accepted", "resumed") if key in record}
        record.pop("rules", None)
        record["modules"] = modules(record.pop("code", {}))
        record.pop("settings", None)
        if record not in starts:
            starts.append(record)
        metrics = path.parent.parent / "metrics.jsonl"
        models[name] = {"start": starts.index(record), "step": state["total"], "seed": state["settings"]["seed"],
                        "checkpoint_sha256": sha256(path), "weights_sha256": _weights_sha256(path),
                        "metrics_sha256": sha256(metrics) if metrics.exists() else None} | more
    return {"starts": starts, "models": models}


def trained(directory: Path) -> dict[str, Path]:
    """{model: newest checkpoint} of a run's directory."""
    found = {}
    for folder in sorted(Path(directory).glob("models/**/checkpoints")):
        if paths := files(folder):
            found[folder.parent.relative_to(Path(directory) / "models").as_posix()] = paths[-1]
    return found


def changed_code(directory: Path, paper: str) -> str:
    """The first change of training code since a model of a run was trained, or an empty string."""
    now = closure.training(paper, ROOT)
    for path in trained(directory).values():
        before = (read_state(path).get("provenance") or {}).get("code")
        if before and (lines := closure.changes(before, now)):
            return lines[0] + (f" and {len(lines) - 1} more" if len(lines) > 1 else "")
    return ""


def rules_changed(directory: Path, paper: str) -> list[str]:
    """Claims whose rule is not the one that stood in claims.csv when some model of the run began."""
    now, found = rules(claims_file(paper)), set()
    for path in trained(directory).values():
        before = (read_state(path).get("provenance") or {}).get("rules", {})
        found |= {claim for claim, rule in now.items() if before.get(claim) != rule}
    return sorted(found)


def seal(results: dict) -> str:
    """The end of the chain: a hash over all of results.json but itself, hashes of checkpoints and metrics included."""
    rest = {key: value for key, value in results.items() if key != "seal"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def environment() -> dict:
    """Machine, Python and package versions: what a result may depend on besides settings."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = None
    threads = {k: os.environ[k] for k in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS") if k in os.environ}
    return {"machine": f"{_processor()}, {len(os.sched_getaffinity(0))} cores", "python": platform.python_version(),
            "system": f"{platform.system()} {platform.release()}", "packages": versions, "threads": threads}


def plain(value: Any) -> Any:
    """As JSON gives it back: tuples as lists, paths as text, NumPy's numbers and arrays as Python's."""
    return json.loads(json.dumps(value, default=lambda one: one.tolist() if hasattr(one, "tolist") else str(one)))


def _own_repository(root: Path) -> bool:
    """Whether this is a git repository of its own, not a folder inside of another."""
    top = _git(root, "rev-parse", "--show-toplevel")
    return top is not None and Path(top).resolve() == Path(root).resolve()


def _git(root: Path, *words) -> str | None:
    try:
        done = subprocess.run(("git", *words), cwd=root, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.rstrip("\n")


def commit_exists(commit: str, root: Path) -> bool:
    """Whether the repository has a commit of that name."""
    return _own_repository(root) and _git(root, "cat-file", "-e", f"{commit}^{{commit}}") is not None


def commit_time(commit: str, root: Path = ROOT) -> str:
    """When a commit was made, as git has it (ISO 8601), or an empty string."""
    return (_git(root, "show", "-s", "--format=%cI", commit) or "") if _own_repository(root) else ""


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _weights_sha256(path: Path) -> str:
    """Of the networks' weights alone: two seeds that have it in common are one training twice."""
    digest = hashlib.sha256()
    with np.load(path, allow_pickle=False) as archive:
        for name in sorted(name for name in archive.files if name.startswith("network/")):
            digest.update(name.encode() + np.ascontiguousarray(archive[name]).tobytes())
    return digest.hexdigest()
