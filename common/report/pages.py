"""From papers and runs to a folder of static pages: an overview and one page per paper, corpus and preset.

Pages lie in the runs folder, so that every picture and sound is named relative to them: the folder opens from disk.
"""

import math
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2

from common import standing
from common.errors import ClaimsError, DataError
from common.files import whole
from common.report import across, collect, curves, decisive, media, reading, rows, story, text
from common.store import safe_name

TEMPLATES = Path(__file__).parent / "templates"
COLUMN_SAYS = {"paper": "as the paper says", "sound": "without the known faults"}
MOST_REJECTED = 200
EVIDENCE_SAYS = {"published": "the paper's own corpus, complete", "other": "other real data", "demo": "synthetic music"}


def write(runs_directory: Path | str, papers_directory: Path | str) -> tuple[list[Path], list[str]]:
    """Write runs/index.html and all pages; returns (paths written, problems as lines)."""
    runs_directory = Path(runs_directory)
    runs_directory.mkdir(parents=True, exist_ok=True)
    environment = _environment()
    written, problems, cards = [], [], []
    for paper in collect.papers(papers_directory):
        links = []
        groups = collect.groups(paper, runs_directory)
        problems += paper.problems
        for group in groups:
            page = paper_page(group, groups)
            path = runs_directory / paper.name / f"{safe_name(group.name)}.html"
            _replace(path, environment.get_template("paper.html").render(page))
            problems += page["problems"]
            written.append(path)
            links.append(page | {"href": quote(f"{paper.name}/{path.name}")})
        beside = _write_reading(environment, paper, runs_directory, problems)
        written += filter(None, [beside])
        cards.append({"paper": paper, "pages": links, "kinds": _kinds(paper.claims),
                      "reading": beside and f"read/{beside.name}"})
    beside = _write_across(environment, runs_directory, problems)
    written += filter(None, [beside])
    path = runs_directory / "index.html"
    _replace(path, environment.get_template("overview.html").render(
        cards=cards, evidence_says=EVIDENCE_SAYS, across=beside and beside.name, command=across.COMMAND))
    return [path, *written], list(dict.fromkeys(problems))


def _write_reading(environment, paper, runs_directory, problems):
    """The page with the code beside the paper; None where the paper's directory lists no equations."""
    if not (paper.directory / "equations.csv").exists():
        return None
    path = runs_directory / "read" / f"{paper.name}.html"
    path.parent.mkdir(exist_ok=True)
    try:
        _replace(path, environment.get_template("reading.html").render(reading.page(paper)))
    except ClaimsError as error:
        problems.append(str(error))
        return None
    return path


def _write_across(environment, runs_directory, problems):
    """The page that sets the papers' embeddings side by side; None where they were not asked yet."""
    try:
        found = across.read(runs_directory)
    except DataError as error:
        problems.append(str(error))
        return None
    if found is None:
        return None
    path = runs_directory / across.PAGE
    _replace(path, environment.get_template("across.html").render(across.page(found)))
    return path


def _replace(path, page):
    with whole(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _environment():
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True,
                                     lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    environment.filters |= {name: getattr(text, name) for name in (
        "number", "words", "plural", "some", "duration", "setting", "breakable", "table_value")} | {
        "tone": rows.tone, "by_place": rows.by_place}
    environment.globals |= {"chart": curves.chart, "code": reading.code}
    return environment


def paper_page(group: collect.Group, groups: list[collect.Group]) -> dict:
    """Everything the page of one group shows, as plain values for the template; `groups` are all of the paper."""
    paper, problems = group.paper, list(group.problems)
    verdicts, follows = {}, paper.follows
    for follow in follows:
        try:
            verdicts[follow] = group.judgements(follow)
        except ClaimsError as error:
            problems.append(f"{paper.name}/{group.name}-{follow}: {error}")
            verdicts[follow] = collect.not_run(paper, follow, str(error))
    inferred = {claim for divergence in paper.divergences if divergence.inferred for claim in divergence.decides}
    every = [rows.claim_row(claim, [verdicts[follow][claim.id] for follow in follows], claim.id in inferred)
             for claim in paper.claims]
    told = paper.story.ids if paper.story else []
    first = sorted((row for row in every if row["claim"].id in told), key=lambda row: told.index(row["claim"].id))
    rest = [row for row in every if row["claim"].id not in told and row["claim"].kind != "fact"]
    corpus = group.corpus
    rejected = list(dict.fromkeys(row for run in group.runs for row in run.rejected))
    sections = media.sections(group, problems)
    return {
        "paper": paper, "group": group, "corpus": corpus, "problems": problems, "follows": follows,
        "story": paper.story and story.sentences(paper.story, verdicts),
        "figure": paper.story and decisive.figure(paper.story, verdicts),
        "hear": media.to_hear(sections, paper.story),
        "headlines": rows.parts(first), "rest": rows.parts(rest),
        "facts": [one for one in rows.facts(paper, list(verdicts.values())) if one[0].id not in told],
        "heads": {"code": paper.program} | COLUMN_SAYS, "evidence": EVIDENCE_SAYS.get(corpus.get("evidence"), ""),
        "shuffled": bool((corpus.get("facts") or {}).get("null")),
        "modes": [mode_line(group, follow) for follow in follows],
        "tally": {follow: rows.tally(one for one in verdicts[follow].values() if one.claim.kind != "fact")
                  for follow in follows},
        "divergences": [divergence_row(one, group, groups) for one in paper.divergences],
        "sections": sections, "thumbnails": media.thumbnails(sections), "models": curves.collect(group.runs),
        "diverged": curves.diverged(group.runs),
        "rejected": rejected[:MOST_REJECTED], "rejected_count": len(rejected),
        "kinds": _kinds(paper.claims),
        "overrides": {key: value for run in group.evaluated for key, value in run.overrides.items()},
    }


def _kinds(claims):
    return {kind: sum(claim.kind == kind for claim in claims) for kind in ("number", "finding", "fact")}


def mode_line(group: collect.Group, follow: str) -> dict:
    """What the head of the page says about one mode: seeds, steps, hours, machine, commit, overrides, notes."""
    runs = group.mode(follow)
    results = [run.results for run in runs]
    waiting = [run.seed for run in group.runs if run.follow == follow and run.results is None]
    notes = []
    for result in results:
        notes_of = result.get("notes") or {}
        for key, note in notes_of.items() if isinstance(notes_of, dict) else enumerate(notes_of):
            line = text.note(note) if isinstance(key, int) else f"{text.words(key)}: {text.note(note)}"
            if line not in notes:
                notes.append(line)
    return {"follow": follow, "seeds": [run.seed for run in runs], "waiting": waiting, "notes": notes,
            "partial": [(run.seed, run.results.get("step")) for run in runs if not run.results["complete"]],
            "steps": sorted({result["step"] for result in results if result.get("step") is not None}),
            "hours": math.fsum(result.get("hours") or 0 for result in results),
            "machines": list(dict.fromkeys(result.get("machine") or "not recorded" for result in results)),
            "commits": list(dict.fromkeys((str(result.get("commit") or "no commit")[:7], _dirty(result))
                                          for result in results)),
            "tried": max(((result.get("tries") or {}).get("settings", 0) for result in results), default=0),
            "withheld": standing.withheld(results).get("", "") if results else "",
            "earlier": list(dict.fromkeys(name for result in results
                                          for name in standing.earlier(result, group.paper.directory.parents[1]))),
            "overrides": {key: value for run in runs for key, value in run.overrides.items()}}


def _dirty(result):
    trained = ((result.get("provenance") or {}).get("training") or {}).get("starts", ())
    return bool(result.get("dirty")) or any(start.get("dirty") for start in trained)


def divergence_row(divergence: Any, group: collect.Group, groups: list[collect.Group]) -> dict:
    """One divergence: where the preset sets it in every mode, the claims it decides, its effect on each as measured."""
    presets = getattr(group.paper.settings, "PRESETS", {}).get(group.preset) or {}
    covered = (f"preset {group.preset} sets {text.setting(presets[divergence.field])} in every mode"
               if divergence.field in presets else "")
    known = {claim.id for claim in group.paper.claims}
    decides = [(claim, claim in known, effects(divergence, claim, group, groups)) for claim in divergence.decides]
    return {"divergence": divergence, "covered": covered, "decides": decides,
            "measured": any(measured for _, _, measured in decides)}


def effects(divergence: Any, claim: Any, group: collect.Group, groups: list[collect.Group]) -> list:
    """What setting this one field otherwise does to a claim's value: ["0.8: −0.020 (3 seeds)"].

    Measured from pairs of complete runs that follow the paper, same data and seed; one overrides this field beside what
    the other, the group's, overrides.
    """
    def values(run):
        results = run.results
        entry = results["results"].get(claim) or {}
        usable = results["complete"] and isinstance(entry.get("value"), int | float)
        return entry["value"] if usable and math.isfinite(entry["value"]) else None

    plain = {run.seed: run for run in group.mode("paper")}
    found = {}
    for run in (run for other in groups if other.question == group.question for run in other.mode("paper")):
        overrides, base = run.overrides, plain.get(run.seed)
        others = {name: value for name, value in overrides.items() if name != divergence.field}
        alone = base and others != overrides and others == base.overrides
        if alone and values(run) is not None and values(base) is not None and (
                run.results["corpus"].get("fingerprint") == base.results["corpus"].get("fingerprint")):
            found.setdefault(text.setting(overrides[divergence.field]), []).append(values(run) - values(base))
    return [f"{name}: {text.number(math.fsum(changes) / len(changes))} ({text.plural(len(changes), 'seed')})"
            for name, changes in found.items()]
