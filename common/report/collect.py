"""Read what the report shows: every paper's settings and claims, every run's results, media, metrics and rejects."""

import dataclasses
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from common import claims as claims_module, config, record, sizes, standing
from common.claims import FOLLOWS, Claim
from common.errors import ClaimsError
from common.files import sha256
from common.record import Run
from common.report.story import Story, read as read_story

ROOT = Path(__file__).resolve().parents[2]


@dataclasses.dataclass
class Paper:
    """One paper's directory: `settings` is its config module, `claims` its rows, `problems` what could not be read,
    `story` what is told of it (None: nothing), `kept` the published groups once they were read (`published_groups`).
    """

    name: str
    directory: Path
    settings: ModuleType
    claims: list[Claim]
    claims_sha256: str
    problems: list[str]
    story: Story | None = None
    kept: tuple = ((), ())

    @property
    def title(self) -> str:
        """The paper's title, without its full stop."""
        return getattr(self.settings, "TITLE", self.name).rstrip(".")

    @property
    def program(self) -> str:
        """Heading of the code column, or an empty string where there is no program."""
        return getattr(self.settings, "PROGRAM", "") or ""

    @property
    def follows(self) -> tuple[str, ...]:
        """The modes this paper has: without a program there is no `code`."""
        return FOLLOWS if self.program else FOLLOWS[1:]

    @property
    def divergences(self) -> tuple:
        """The paper's Divergence rows."""
        return tuple(getattr(self.settings, "DIVERGENCES", ()))


@dataclasses.dataclass
class Group:
    """All runs of one paper on one corpus at one preset with the same flags: what one page shows."""

    paper: Paper
    name: str
    runs: list[Run]
    problems: list[str]
    judged: dict = dataclasses.field(default_factory=dict)

    @property
    def question(self) -> tuple:
        """Corpus and preset: what groups share that differ in typed flags alone."""
        return self.runs[0].corpus.get("label"), self.runs[0].corpus.get("name"), self.runs[0].preset

    @property
    def overrides(self) -> dict:
        """The typed flags that all of its runs share."""
        return self.runs[0].overrides

    @property
    def evaluated(self) -> list[Run]:
        """Runs with results, by mode and seed."""
        return [run for run in self.runs if run.results is not None]

    def mode(self, follow: str) -> list[Run]:
        """The evaluated runs of one mode, by seed."""
        return [run for run in self.evaluated if run.follow == follow]

    def judgements(self, follow: str) -> dict:
        """`judgements` of one mode, made once: several texts ask for them."""
        if follow not in self.judged:
            self.judged[follow] = judgements(self.paper, self.mode(follow), follow)
        return self.judged[follow]

    @property
    def corpus(self) -> dict:
        """The corpus as the first evaluated run describes it; empty where none is evaluated."""
        return self.evaluated[0].corpus if self.evaluated else {}

    @property
    def preset(self) -> str:
        """The preset of the runs."""
        return self.runs[0].preset

    @property
    def synthetic(self) -> bool:
        """Whether any of the runs is on a demo corpus."""
        return any(run.corpus["evidence"] == "demo" for run in self.evaluated)


def load_settings(directory: Path | str) -> ModuleType:
    """The config module of a paper's directory, without importing anything else of the paper."""
    path = Path(directory) / "config.py"
    name = f"_report_{Path(directory).name}_config"
    specification = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module  # dataclasses look their module up
    specification.loader.exec_module(module)
    return module


def papers(directory: Path | str) -> list[Paper]:
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
        paper = Paper(path.parent.name, path.parent, settings, claims, digest, problems)
        try:
            paper.story = read_story(path.parent / "story.toml", claims, paper.follows) if claims else None
        except ClaimsError as error:
            problems += str(error).splitlines()
        found.append(paper)
    return found


def groups(paper: Paper, runs_directory: Path | str) -> list[Group]:
    """The paper's runs below `runs_directory`, one Group per corpus, preset and flags: real data first, then by name.

    A problem with a file that belongs to no group is one of the paper.
    """
    runs, problems = [], {}
    for directory in sorted((Path(runs_directory) / paper.name).glob("*/*/")):
        said = []
        run = record.read(directory, paper.settings, paper.claims, said)
        runs += [run] if run else []
        paper.problems += [] if run else said
        if run:
            problems.setdefault(run.group, []).extend(said)
    return grouped(paper, runs, problems)


def grouped(paper: Paper, runs: list[Run], problems: dict | None = None) -> list[Group]:
    """Runs as groups, in the order in which they are shown."""
    found = {}
    for run in runs:
        found.setdefault(run.group, []).append(run)
    order = ("published", "other", None, "demo")
    made = [Group(paper, name, sorted(mine, key=lambda run: (FOLLOWS.index(run.follow), run.seed)),
                  (problems or {}).get(name, [])) for name, mine in found.items()]
    return sorted(made, key=lambda group: (order.index(group.corpus.get("evidence")), group.name))


def judgements(paper: Paper, runs: list[Run], follow: str) -> dict:
    """Verdicts of one mode's runs: {claim id: Judgement}; raises ClaimsError for runs that do not belong together."""
    if not runs:
        return not_run(paper, follow)
    results = [run.results for run in runs]
    presets = getattr(paper.settings, "PRESETS", {})
    free = {name for run in results for name in presets.get(run["preset"]) or ()}  # longer is no other question
    free -= {one.field for one in paper.divergences}
    if all(run["corpus"]["evidence"] != "demo" for run in results):
        free |= set(getattr(paper.settings, "ENOUGH", ()))  # how much of it is needed, `small` says
    small = {kind: next(filter(None, (sizes.too_small(paper.settings, run, kind) for run in results)), "")
             for kind in ("number", "finding")}
    return claims_module.judge(paper.claims, results, paper.claims_sha256, settings_sha256(paper),
                               free, standing.withheld(results), small)


def not_run(paper: Paper, follow: str, reason: str = "") -> dict:
    """Every claim as not run in a mode."""
    return {claim.id: claims_module.Judgement(claim, follow, "not run", reason) for claim in paper.claims}


def settings_sha256(paper: Paper) -> Callable:
    """A function of a result dict: SHA-256 of what its mode, preset and flags resolve to today ("" if to nothing)."""

    def today(results):
        try:
            return sha256(config.resolve(paper.settings, results["follow"], results["preset"],
                                                results.get("overrides")))
        except (AttributeError, TypeError, ValueError):
            return ""

    return today
