"""Read what the report shows: every paper's settings and claims, every run's results, media, metrics and rejects."""

import csv
import dataclasses
import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType

from common import claims as claims_module, config
from common.claims import FOLLOWS, Claim
from common.errors import ClaimsError

ROOT = Path(__file__).resolve().parents[2]


@dataclasses.dataclass
class Paper:
    """One paper's directory: `settings` is its config module, `claims` its rows, `problems` what could not be read."""

    name: str
    directory: Path
    settings: ModuleType
    claims: list[Claim]
    claims_sha256: str
    problems: list[str]

    @property
    def title(self):
        """The paper's title, without its full stop."""
        return getattr(self.settings, "TITLE", self.name).rstrip(".")

    @property
    def program(self):
        """Heading of the code column, or an empty string where there is no program."""
        return getattr(self.settings, "PROGRAM", "") or ""

    @property
    def follows(self):
        """The modes this paper has: without a program there is no `code`."""
        return FOLLOWS if self.program else FOLLOWS[1:]

    @property
    def divergences(self):
        """The paper's Divergence rows."""
        return tuple(getattr(self.settings, "DIVERGENCES", ()))


@dataclasses.dataclass
class Run:
    """One seed of one mode: `results` is results.json (None: not evaluated yet), `media` the sections of media.json."""

    directory: Path
    follow: str
    seed: int
    results: dict | None
    media: list
    rejected: list


@dataclasses.dataclass
class Group:
    """All runs of one paper on one corpus at one preset: what one page shows.

    `name` is `<corpus>-<preset>`, and the mark of the typed flags where there are any.
    """

    paper: Paper
    name: str
    runs: list[Run]
    problems: list[str]

    @property
    def evaluated(self):
        """Runs with results, by mode and seed."""
        return [run for run in self.runs if run.results is not None]

    def mode(self, follow):
        """The evaluated runs of one mode, by seed."""
        return [run for run in self.evaluated if run.follow == follow]

    @property
    def corpus(self):
        """The corpus as the first evaluated run describes it; empty where none is evaluated."""
        return self.evaluated[0].results["corpus"] if self.evaluated else {}

    @property
    def preset(self):
        """The preset of the runs."""
        return self.evaluated[0].results["preset"] if self.evaluated else self.name

    @property
    def synthetic(self):
        """Whether any of the runs is on a demo corpus."""
        return any(run.results["corpus"]["evidence"] == "demo" for run in self.evaluated)


def load_settings(directory):
    """The config module of a paper's directory, without importing anything else of the paper."""
    path = Path(directory) / "config.py"
    name = f"_report_{Path(directory).name}_config"
    specification = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module  # dataclasses look their module up
    specification.loader.exec_module(module)
    return module


def papers(directory):
    """Every folder of `directory` that has a config.py, by name; a claims.csv that cannot be read is a problem."""
    found = []
    for path in sorted(Path(directory).glob("*/config.py")):
        problems, claims, digest = [], [], ""
        try:
            settings = load_settings(path.parent)
        except Exception as error:  # one paper's broken settings must not take the others' pages away
            problems.append(f"{path.parent.name}/config.py cannot be read: {type(error).__name__}: {error}")
            settings = ModuleType(path.parent.name)
        try:
            claims = claims_module.read_claims(path.parent / "claims.csv")
            digest = claims_module.sha256(path.parent / "claims.csv")
        except ClaimsError as error:
            problems += str(error).splitlines()
        found.append(Paper(path.parent.name, path.parent, settings, claims, digest, problems))
    return found


def groups(paper, runs_directory):
    """The paper's runs below `runs_directory`, one Group per corpus and preset: real data first, then by name."""
    found = {}
    for directory in sorted((Path(runs_directory) / paper.name).glob("*/seed-*")):
        match = re.fullmatch(r"(.+)-(code|paper|sound)(-[0-9a-f]{6})?/seed-(\d+)",
                             f"{directory.parent.name}/{directory.name}")
        if not match or not directory.is_dir():
            continue
        name, follow, number = match[1] + (match[3] or ""), match[2], match[4]
        group = found.setdefault(name, Group(paper, name, [], []))
        group.runs.append(read_run(directory, follow, int(number), paper, group.problems))
    for group in found.values():
        group.runs.sort(key=lambda run: (FOLLOWS.index(run.follow), run.seed))
    order = ("published", "other", None, "demo")
    return sorted(found.values(), key=lambda group: (order.index(group.corpus.get("evidence")), group.name))


def read_run(directory, follow, seed, paper, problems):
    """One run directory; what cannot be read is added to `problems` and left out."""
    results, media = None, []
    where = f"{paper.name}/{directory.parent.name}/{directory.name}"
    if (directory / "results.json").exists():
        try:
            results = claims_module.read_results(directory / "results.json", paper.claims)
            if (results["paper"], results["follow"], results["seed"]) != (paper.name, follow, seed):
                raise ClaimsError(f"{where}: results.json is of another run; evaluate this one again")
        except ClaimsError as error:
            problems.append(str(error).replace(str(directory), where))
    if results is not None and (directory / "media.json").exists():
        try:
            media = json.loads((directory / "media.json").read_text(encoding="utf-8"))
            if not isinstance(media, list) or not all(isinstance(section, dict) for section in media):
                raise ValueError("not a list of sections")
        except (OSError, ValueError) as error:
            problems.append(f"{where}/media.json cannot be read ({error}); evaluate the run again")
            media = []
    return Run(directory, follow, seed, results, media, read_rejected(directory, results))


def read_rejected(directory, results):
    """Rejected inputs as (path, reason), from rejected.csv of the store that config.json names.

    Where the store is gone, one row says how many results.json counted.
    """
    count = (results or {}).get("rejected")
    try:
        store = Path(json.loads((directory / "config.json").read_text(encoding="utf-8"))["store"])
        with open(ROOT / store / "rejected.csv", newline="", encoding="utf-8") as file:
            return [tuple(row) for row in csv.reader(file) if row][1:]
    except (OSError, ValueError, KeyError, TypeError):
        return [(f"{count} files", "the list is gone with the preprocessed data; preprocess again")] if count else []


def judgements(paper, runs, follow):
    """Verdicts of one mode's runs: {claim id: Judgement}; raises ClaimsError for runs that do not belong together."""
    if not runs:
        return not_run(paper, follow)
    presets = getattr(paper.settings, "PRESETS", {})
    sizes = {name for run in runs for name in presets.get(run.results["preset"]) or ()}  # longer is no other question
    sizes -= {one.field for one in paper.divergences}
    return claims_module.judge(paper.claims, [run.results for run in runs], paper.claims_sha256, settings_sha256(paper),
                               sizes)


def not_run(paper, follow, reason=""):
    """Every claim as not run in a mode."""
    return {claim.id: claims_module.Judgement(claim, follow, "not run", reason) for claim in paper.claims}


def settings_sha256(paper):
    """A function of a result dict: SHA-256 of what its mode, preset and flags resolve to today ("" if to nothing)."""

    def today(results):
        try:
            return config.sha256(config.resolve(paper.settings, results["follow"], results["preset"],
                                                results.get("overrides")))
        except (AttributeError, TypeError, ValueError):
            return ""

    return today
