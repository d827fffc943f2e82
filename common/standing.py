"""Whether results stand: what results.json says of itself is checked before any verdict, and before publishing.

Works on the dicts of results.json alone; `common.provenance` writes what is read here.
"""

from pathlib import Path

from common import closure, provenance
from common.machine import PLAIN

BEFORE = "made before provenance was recorded"


def withheld(runs: list[dict]) -> dict[str, str]:
    """Why verdicts on the seeds of one mode are withheld: {claim id: reason}, under "" the reason for all.

    That claims.csv or the settings changed since is asked in `claims.judge`.
    """
    found = {}
    for run in runs:
        for claim in (run.get("provenance") or {}).get("rules_changed", ()):
            found[claim] = f"its rule changed after seed {run['seed']} began to train; train again (--fresh)"
    reason = next(filter(None, map(alone, runs)), "") or together(runs)
    return found | ({"": reason} if reason else {})


def alone(run: dict) -> str:
    """Why one run's results do not stand, or an empty string."""
    seed, found = run["seed"], run.get("provenance")
    if not found:
        return BEFORE
    if run.get("seal") != provenance.seal(run):
        return f"results.json of seed {seed} was changed after it was written; evaluate again"
    starts, models = found["training"]["starts"], found["training"]["models"]
    if not models or any("code_sha256" not in start for start in starts):
        return f"no training with a record of its code stands behind seed {seed}; train again"
    for what, record in (*(("trained", start) for start in starts), ("evaluated", found["evaluation"])):
        if record["dirty"]:
            return f"seed {seed} was {what} with uncommitted changes ({', '.join(record['uncommitted'][:3])})"
    if run["corpus"]["evidence"] != "demo" and provenance.UNKNOWN in {
            record["commit"] for record in (*starts, found["evaluation"])}:
        return f"no commit says which code made seed {seed}"
    for name, model in models.items():
        if model.get("accepted"):
            last = model["accepted"][-1]
            return f"{name} of seed {seed} went on with other code from step {last['step']}: {last['changes'][0]}"
        if model["seed"] != seed:
            return f"{name} was trained as seed {model['seed']}, not {seed}: a copy"
    if any(start["store_sha256"] != run["store_sha256"] for start in starts):
        return f"seed {seed} was trained on other data than it was evaluated on"
    return _different(starts, f"models of seed {seed} were trained with")


def together(runs: list[dict]) -> str:
    """Why runs that stand alone share no interval, or an empty string."""
    starts = [start for run in runs for start in run["provenance"]["training"]["starts"]]
    evaluations = [run["provenance"]["evaluation"] for run in runs]
    reason = _different(starts, "seeds were trained with") or _different(evaluations, "seeds were evaluated with")
    if reason:
        return reason
    if len({run["store_sha256"] for run in runs}) > 1:
        return "seeds were trained on different preprocessed data"
    return copies(runs)


def copies(runs: list[dict]) -> str:
    """Which seeds have a model's weights in common, or an empty string."""
    seen = {}
    for run in runs:
        for name, model in run["provenance"]["training"]["models"].items():
            other = seen.setdefault((name, model["weights_sha256"]), run["seed"])
            if other != run["seed"]:
                return f"seeds {other} and {run['seed']} have the same weights of {name}: one is a copy"
    return ""


def _different(records, what) -> str:
    """What records of training or of evaluation differ in, or an empty string."""
    first = records[0]
    for other in records[1:]:
        if other["code_sha256"] != first["code_sha256"]:
            return f"{what} different code ({', '.join(_modules(first, other))})"
        if how := [key for key, plain in PLAIN.values().items() if other.get(key, plain) != first.get(key, plain)]:
            return f"{what} different {', '.join(how)}"
        packages = sorted(name for name, version in first["packages"].items() if other["packages"].get(name) != version)
        if packages or other["python"] != first["python"]:
            return f"{what} different versions of {', '.join(packages) or 'Python'}"
    return ""


def _modules(one: dict, other: dict) -> list[str]:
    names = sorted(set(one["modules"]) | set(other["modules"]))
    return [closure.label(name) for name in names if one["modules"].get(name) != other["modules"].get(name)]


def earlier(run: dict, root: Path) -> list[str]:
    """Files whose code is not what it was when a run was trained and evaluated: ["train.py", "common/loop.py"]."""
    found = run.get("provenance")
    if not found:
        return []
    paper = run["paper"]
    pairs = [(found["evaluation"], closure.evaluation(paper, root))]
    pairs += [(start, closure.training(paper, root)) for start in found["training"]["starts"]]
    return list(dict.fromkeys(name for record, now in pairs
                              for name in _modules(record, {"modules": provenance.modules(now)})))
