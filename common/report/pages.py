"""From papers and runs to a folder of static pages: an overview and one page per paper, corpus and preset.

Pages lie in the runs folder, so that every picture and sound is named relative to them: the folder opens from disk.
"""

import math
from collections import Counter
from pathlib import Path
from urllib.parse import quote

import jinja2

from common import standing
from common.claims import FEWEST_GROUPS, ONCE
from common.errors import ClaimsError
from common.files import whole
from common.report import collect, curves, media, reading, text

TEMPLATES = Path(__file__).parent / "templates"
COLUMN_SAYS = {"paper": "as the paper says", "sound": "without the known faults"}
TONES = {"matches": "yes", "holds": "yes", "seen": "yes", "differs": "no", "fails": "no", "not seen": "no",
         "undecided": "open", "withheld": "open"}
TONES |= {once: TONES[word] for word, once in ONCE.items()}
TONE_ORDER = ("yes", "no", "open", "none")
MOST_REJECTED = 200
MOST_ROWS, FEWEST_ROWS = 80, 5  # more claims than that are folded by where they stand; fewer than 5 go together
EVIDENCE_SAYS = {"published": "the paper's own corpus, complete", "other": "other real data", "demo": "synthetic music"}


def write(runs_directory, papers_directory):
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
            path = runs_directory / paper.name / f"{group.name}.html"
            _replace(path, environment.get_template("paper.html").render(page))
            problems += page["problems"]
            written.append(path)
            links.append(page | {"href": quote(f"{paper.name}/{path.name}")})
        beside = _write_reading(environment, paper, runs_directory, problems)
        written += filter(None, [beside])
        cards.append({"paper": paper, "pages": links, "kinds": _kinds(paper.claims),
                      "reading": beside and f"read/{beside.name}"})
    path = runs_directory / "index.html"
    _replace(path, environment.get_template("overview.html").render(cards=cards, evidence_says=EVIDENCE_SAYS))
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


def _replace(path, page):
    with whole(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _environment():
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True,
                                     lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    environment.filters |= {name: getattr(text, name) for name in (
        "number", "words", "plural", "duration", "setting", "breakable", "table_value")} | {"tone": tone}
    environment.globals |= {"chart": curves.chart, "code": reading.code}
    return environment


def paper_page(group, groups):
    """Everything the page of one group shows, as plain values for the template; `groups` are all of the paper."""
    paper, problems = group.paper, list(group.problems)
    verdicts, follows = {}, paper.follows
    for follow in follows:
        try:
            verdicts[follow] = collect.judgements(paper, group.mode(follow), follow)
        except ClaimsError as error:
            problems.append(f"{paper.name}/{group.name}-{follow}: {error}")
            verdicts[follow] = collect.not_run(paper, follow, str(error))
    inferred = {claim for divergence in paper.divergences if divergence.inferred for claim in divergence.decides}
    rows = [claim_row(claim, [verdicts[follow][claim.id] for follow in follows], claim.id in inferred)
            for claim in paper.claims if claim.kind != "fact"]
    corpus = group.corpus
    rejected = list(dict.fromkeys(row for run in group.runs for row in run.rejected))
    sections = media.sections(group, problems)
    return {
        "paper": paper, "group": group, "corpus": corpus, "problems": problems, "follows": follows,
        "tables": tables(rows), "facts": facts(paper, [verdicts[follow] for follow in follows]),
        "heads": {"code": paper.program} | COLUMN_SAYS, "evidence": EVIDENCE_SAYS.get(corpus.get("evidence"), ""),
        "shuffled": bool((corpus.get("facts") or {}).get("null")),
        "modes": [mode_line(group, follow) for follow in follows],
        "tally": {follow: tally(one for one in verdicts[follow].values() if one.claim.kind != "fact")
                  for follow in follows},
        "divergences": [divergence_row(one, group, groups) for one in paper.divergences],
        "sections": sections, "thumbnails": media.thumbnails(sections), "models": curves.collect(group.runs),
        "diverged": curves.diverged(group.runs),
        "rejected": rejected[:MOST_REJECTED], "rejected_count": len(rejected),
        "kinds": _kinds(paper.claims),
        "overrides": {key: value for run in group.evaluated for key, value in run.overrides.items()},
    }


def tables(rows):
    """The rows as one table, or, where they are many, one per place in the paper: [(place, rows)]."""
    if len(rows) <= MOST_ROWS:
        return [("", rows)]
    counts = Counter(row["claim"].where for row in rows)
    found = {}
    for row in rows:
        place = row["claim"].where
        found.setdefault(place if counts[place] >= FEWEST_ROWS else "Elsewhere", []).append(row)
    return sorted(found.items(), key=lambda table: table[0] == "Elsewhere")


def facts(paper, verdicts):
    """What is true on any data, once: [(claim, cell, the modes that say so)].

    Args:
        verdicts: {claim id: Judgement} of every mode, of one or of several corpora.

    Modes that are not asked say nothing; where two that are asked disagree, both stand there.
    """
    found = []
    for claim in (claim for claim in paper.claims if claim.kind == "fact"):
        judged = [one[claim.id] for one in verdicts if claim.id in one]
        measured = [judgement for judgement in judged if judgement.mean is not None]
        decided = [judgement for judgement in measured if tone(judgement.word) in ("yes", "no")]
        said = {}
        for judgement in decided or measured or judged[:1]:
            said.setdefault(judgement.word, []).append(judgement)
        for same in said.values():
            found.append((claim, cell(same[0]), list(dict.fromkeys(one.follow for one in same if measured))))
    return found


def claim_row(claim, judged, inferred):
    """One row of the claims table; baselines once, or by mode (code / paper / sound) where the modes differ."""
    names = dict.fromkeys(name for judgement in judged for name, _ in judgement.baselines)
    baselines = []
    for name in names:
        by_mode = [dict(judgement.baselines).get(name) for judgement in judged]
        values = ["–" if value is None else text.number(value) for value in by_mode]
        same = len({value for value in values if value != "–"}) == 1
        baselines.append((text.words(name), min(values, key="–".__eq__) if same else " / ".join(values)))
    decided = any(tone(judgement.word) != "none" for judgement in judged)
    return {"claim": claim, "cells": [cell(judgement) for judgement in judged], "baselines": baselines,
            "inferred": inferred, "decided": decided, "printed": claim.reported_text}


def cell(judgement):
    """One mode's cell: the value with its half interval, over what it was taken, the verdict and its reason."""
    still = judgement.low is None or judgement.claim.kind == "fact"  # a fact does not vary with the seed
    half = None if still else (judgement.high - judgement.low) / 2
    counts = [f"{len(judgement.seeds)} seeds"] if len(judgement.seeds) > 1 and judgement.values else []
    if judgement.groups is not None:
        few = "" if judgement.by_groups else f" (fewer than {FEWEST_GROUPS}: not in the interval)"
        counts.append(f"{judgement.groups:,} {judgement.groups_of}{few}")
    if judgement.n is not None and judgement.values:
        counts.append(f"{judgement.n:,} {judgement.of or ('items' if judgement.groups else '')}".strip())
    value = "" if judgement.mean is None else value_text(judgement.mean, None if judgement.by_groups else half,
                                                         judgement.claim)
    if value and judgement.by_groups:  # no half: with skewed values one side is longer
        low, high = (value_text(edge, None, judgement.claim) for edge in (judgement.low, judgement.high))
        value += f" [{low}, {high}]"
    return {"follow": judgement.follow, "word": judgement.word, "tone": tone(judgement.word),
            "once": judgement.word in ONCE.values(), "reason": judgement.reason, "notes": judgement.notes,
            "counts": ", ".join(counts), "value": value}


def value_text(mean, half, claim):
    """A mean and its half interval: as many decimals as the paper printed, or as give the half two digits."""
    _, point, decimals = claim.reported_text.partition(".")
    digits = len(decimals) if point and decimals.isdigit() and abs(mean) >= 10.0 ** -len(decimals) else None
    if half is None:
        return text.number(mean, digits)
    if digits is None and 1e-5 < half < 100:
        digits = max(0, 1 - math.floor(math.log10(half)))
    return f"{text.number(mean, digits)} ± {text.number(half, digits)}"


def tone(word):
    """yes, no, open or none: how a verdict word is coloured and counted."""
    return TONES.get(word, "none")


def tally(judged):
    """How often one mode gives each verdict word: [(tone, word, count)], verdicts before the rest."""
    counts = Counter(judgement.word for judgement in judged)
    return sorted(((tone(word), word, count) for word, count in counts.items()),
                  key=lambda row: (TONE_ORDER.index(row[0]), row[1]))


def _kinds(claims):
    return {kind: sum(claim.kind == kind for claim in claims) for kind in ("number", "finding", "fact")}


def mode_line(group, follow):
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


def divergence_row(divergence, group, groups):
    """One divergence: where the preset sets it in every mode, the claims it decides, its effect on each as measured."""
    presets = getattr(group.paper.settings, "PRESETS", {}).get(group.preset) or {}
    covered = (f"preset {group.preset} sets {text.setting(presets[divergence.field])} in every mode"
               if divergence.field in presets else "")
    known = {claim.id for claim in group.paper.claims}
    decides = [(claim, claim in known, effects(divergence, claim, group, groups)) for claim in divergence.decides]
    return {"divergence": divergence, "covered": covered, "decides": decides,
            "measured": any(measured for _, _, measured in decides)}


def effects(divergence, claim, group, groups):
    """What setting this one field otherwise does to a claim's value: ["0.8: −0.020 (3 seeds)"].

    Measured from pairs of complete runs that follow the paper, same data and seed; one overrides this field alone.
    """
    def values(run):
        results = run.results
        entry = results["results"].get(claim) or {}
        usable = results["complete"] and isinstance(entry.get("value"), int | float)
        return entry["value"] if usable and math.isfinite(entry["value"]) else None

    plain = {run.seed: run for run in group.mode("paper") if not run.overrides}
    found = {}
    for run in (run for other in groups if other.question == group.question for run in other.mode("paper")):
        overrides, base = run.overrides, plain.get(run.seed)
        if set(overrides) == {divergence.field} and base and values(run) is not None and values(base) is not None and (
                run.results["corpus"].get("fingerprint") == base.results["corpus"].get("fingerprint")):
            found.setdefault(text.setting(overrides[divergence.field]), []).append(values(run) - values(base))
    return [f"{name}: {text.number(math.fsum(changes) / len(changes))} ({text.plural(len(changes), 'seed')})"
            for name, changes in found.items()]
