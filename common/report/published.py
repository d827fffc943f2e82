"""Results that stay: `publish` copies result files into a paper's directory; `readme` makes texts of them."""

import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from common import claims as claims_module, provenance, record, standing, store
from common.errors import ClaimsError
from common.files import sha256
from common.report import collect


def publish(runs: Iterable, papers_directory: Path | str) -> tuple[list[Path], list[str]]:
    """Copy the results of run directories (of a seed, or of a mode with all its seeds) to papers/<paper>/results/.

    Returns (paths written, refusals as lines). Refused is a partial run, what does not stand (`standing.alone`: edited,
    dirty, accepted code, no record), results that these checkpoints and metrics are not behind, a commit that is not in
    this repository, changed rules or settings, and the copy of another seed.
    """
    papers = {paper.name: paper for paper in collect.papers(papers_directory)}
    written, refused = [], []
    for directory in directories(runs):
        reason, results = _refuse(directory, papers)
        if reason:
            refused.append(f"{directory}: refused: {reason}")
            continue
        paper = papers[results["paper"]]
        target = _target(paper, results)
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(directory / "results.json", target)
        written.append(target)
    return written, refused


def directories(runs: Iterable) -> Iterator[Path]:
    """The seeds' directories: a run's own, or all of a mode's."""
    for run in map(Path, runs):
        seeds = [] if (run / "results.json").exists() or (run / "config.json").exists() else sorted(run.glob("seed-*"))
        yield from seeds or [run]


def _target(paper, results):
    run = record.of(results, paper.directory / "results", paper.settings, results)
    return run.directory / f"{store.safe_name(run.name)}-seed-{run.seed}.json"


def _refuse(directory, papers):
    """(why a run may not be published or an empty string, its results)."""
    if not (directory / "results.json").exists():
        return "no results.json here; evaluate the run first", None
    try:
        results = claims_module.read_results(directory / "results.json")
        paper = papers.get(results["paper"])
        if paper is None:
            return f"no paper {results['paper']!r} here", results
        if paper.problems:
            return paper.problems[0], results
        claims_module.check_results(results["results"], paper.claims, directory)
    except ClaimsError as error:
        return str(error), None
    facts = results["corpus"].get("facts") or {}
    if facts.get("demo_seed") or facts.get("null"):
        return ("a demo corpus of another generator seed than 0, or with shuffled labels; what is shown is seed 0, "
                "settings are tuned on seeds 100 and above"), results
    if not results["complete"]:
        return f"partial run, stopped at step {results.get('step')}; let it finish and evaluate again", results
    reason = standing.alone(results) or _unproved(directory, results, paper.directory.parents[1])
    if reason:
        return reason, results
    if results["claims_sha256"] != paper.claims_sha256:
        return "claims.csv changed after the run; evaluate again", results
    if results.get("settings_sha256") != collect.settings_sha256(paper)(results):
        return "config.py changed after the run; train again", results
    mine = record.of(results, directory, paper.settings, results)
    others = [run.results for run in published_runs(paper) if run.results.get("provenance")
              and run.name == mine.name and run.seed != mine.seed]
    return standing.copies([*others, results]), results


def _unproved(directory, results, root):
    """Why the files of a run do not prove its results, or an empty string."""
    try:
        config = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "no config.json that can be read beside it; train and evaluate it here"
    for key in ("paper", "follow", "preset", "seed", "overrides", "settings_sha256"):
        if config.get(key) != results.get(key):
            return f"config.json says {key} {config.get(key)}, results.json says {results.get(key)}; evaluate again"
    found = results["provenance"]["training"]
    if {name: model["checkpoint_sha256"] for name, model in found["models"].items()} != {
            name: sha256(path) for name, path in provenance.trained(directory).items()}:
        return "its checkpoints are not those that were evaluated, or are gone; evaluate again"
    for name, model in found["models"].items():
        path = directory / "models" / name / "metrics.jsonl"
        if not path.exists() or sha256(path) != model["metrics_sha256"]:
            return f"{path} is gone or was changed after the evaluation"
    if provenance.training_of(directory) != found:
        return "its checkpoints say otherwise of how they were trained; evaluate again"
    for commit in {one["commit"] for one in (*found["starts"], results["provenance"]["evaluation"])}:
        if not provenance.commit_exists(commit, root):
            return f"commit {commit} is not in this repository; fetch it, or train and evaluate from one that is"
    return ""


def published_runs(paper: collect.Paper) -> list:
    """The published result files as runs (without media)."""
    found = []
    for path in sorted((paper.directory / "results").glob("*.json")):
        results = claims_module.read_results(path, paper.claims)
        found.append(record.of(results, path.parent, paper.settings, results))
    return found


def published_groups(paper: collect.Paper) -> list:
    """The same as groups, read once until a file is another."""
    files = [(path, path.stat().st_mtime_ns, path.stat().st_size)
             for path in sorted((paper.directory / "results").glob("*.json"))]
    if paper.kept[0] != files:
        paper.kept = files, collect.grouped(paper, published_runs(paper))
    return paper.kept[1]


def is_effect(paper: collect.Paper, group: collect.Group) -> bool:
    """Whether a group only measures what one divergence does: runs that follow the paper but for that setting."""
    fields = {one.field for one in paper.divergences}
    return all(run.follow == "paper" for run in group.runs) and len(group.overrides) == 1 and (
        fields >= set(group.overrides))
