"""From papers and runs to a folder of static pages: an overview and one page per paper, corpus and preset.

Pages lie in the runs folder, so that every picture and sound is named relative to them: the folder opens from disk.
"""

import math
import os
from collections import Counter
from pathlib import Path
from urllib.parse import quote

import jinja2

from common.claims import ClaimsError
from common.report import collect, curves

TEMPLATES = Path(__file__).parent / "templates"
COLUMN_SAYS = {"paper": "as the paper says", "sound": "without the known faults"}
TONES = {"matches": "yes", "holds": "yes", "seen": "yes", "differs": "no", "fails": "no", "not seen": "no",
         "undecided": "open", "withheld": "open"}
TONE_ORDER = ("yes", "no", "open", "none")
MOST_REJECTED = 200
EVIDENCE_SAYS = {"published": "the paper's own corpus, complete", "other": "other real data", "demo": "synthetic music"}


def write(runs_directory, papers_directory):
    """Write runs/index.html and all pages; returns (paths written, problems as lines)."""
    runs_directory = Path(runs_directory)
    runs_directory.mkdir(parents=True, exist_ok=True)
    environment = _environment()
    written, problems, cards = [], [], []
    for paper in collect.papers(papers_directory):
        problems += paper.problems
        links = []
        groups = collect.groups(paper, runs_directory)
        for group in groups:
            page = paper_page(group, groups)
            path = runs_directory / paper.name / f"{group.name}.html"
            _replace(path, environment.get_template("paper.html").render(page))
            problems += page["problems"]
            written.append(path)
            links.append(page | {"href": quote(f"{paper.name}/{path.name}")})
        cards.append({"paper": paper, "pages": links, "kinds": _kinds(paper.claims)})
    path = runs_directory / "index.html"
    _replace(path, environment.get_template("overview.html").render(cards=cards, evidence_says=EVIDENCE_SAYS))
    return [path, *written], list(dict.fromkeys(problems))


def _replace(path, text):
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)


def _environment():
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True,
                                     lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    environment.filters |= {"number": number, "words": words, "tone": tone, "plural": plural,
                            "duration": duration}
    environment.globals["chart"] = curves.chart
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
            for claim in paper.claims]
    corpus = group.corpus
    rejected = list(dict.fromkeys(row for run in group.runs for row in run.rejected))
    sections = media_sections(group, problems)
    return {
        "paper": paper, "group": group, "corpus": corpus, "problems": problems, "follows": follows, "rows": rows,
        "heads": {"code": paper.program} | COLUMN_SAYS, "evidence": EVIDENCE_SAYS.get(corpus.get("evidence"), ""),
        "shuffled": bool((corpus.get("facts") or {}).get("null")),
        "modes": [mode_line(group, follow) for follow in follows],
        "tally": {follow: tally(verdicts[follow].values()) for follow in follows},
        "divergences": [divergence_row(one, group, groups) for one in paper.divergences],
        "sections": sections, "thumbnails": thumbnails(sections), "models": curves.collect(group.runs),
        "diverged": curves.diverged(group.runs),
        "rejected": rejected[:MOST_REJECTED], "rejected_count": len(rejected),
        "kinds": _kinds(paper.claims),
        "overrides": {key: value for run in group.evaluated for key, value in (run.results["overrides"] or {}).items()},
    }


def claim_row(claim, judged, inferred):
    """One row of the claims table; baselines are those of the modes together, named by mode where they differ."""
    baselines = {}
    for judgement in judged:
        for name, value in judgement.baselines:
            baselines.setdefault(name, {})[judgement.follow] = value
    shown = []
    for name, by_follow in baselines.items():
        texts = {follow: number(value) for follow, value in by_follow.items()}
        same = len(set(texts.values())) == 1
        shown.append((words(name), next(iter(texts.values())) if same else
                      ", ".join(f"{follow} {text}" for follow, text in texts.items())))
    decided = any(tone(judgement.word) != "none" for judgement in judged)
    return {"claim": claim, "cells": [cell(judgement) for judgement in judged], "baselines": shown,
            "inferred": inferred, "decided": decided, "printed": printed(claim)}


def cell(judgement):
    """One mode's cell: the value with its half interval, over what it was taken, the verdict and its reason."""
    half = None if judgement.low is None else (judgement.high - judgement.low) / 2
    counts = [f"{len(judgement.seeds)} seeds"] if len(judgement.seeds) > 1 and judgement.values else []
    if judgement.n is not None and judgement.values:
        counts.append(f"{judgement.n:,} {judgement.of}".strip())
    return {"follow": judgement.follow, "word": judgement.word, "tone": tone(judgement.word),
            "reason": judgement.reason, "notes": judgement.notes, "counts": ", ".join(counts),
            "value": "" if judgement.mean is None else value_text(judgement.mean, half, judgement.claim)}


def value_text(mean, half, claim):
    """A mean and its half interval: as many decimals as the paper printed, or as give the half two digits."""
    _, point, decimals = claim.reported_text.partition(".")
    digits = len(decimals) if point and decimals.isdigit() and abs(mean) >= 10.0 ** -len(decimals) else None
    if half is None:
        return number(mean, digits)
    if digits is None and 1e-5 < half < 100:
        digits = max(0, 1 - math.floor(math.log10(half)))
    return f"{number(mean, digits)} ± {number(half, digits)}"


def printed(claim):
    """The reported value as the paper printed it, with its unit."""
    return claim.reported_text and f"{claim.reported_text}"


def number(value, decimals=None):
    """A number for people: three digits, thousands apart, powers of ten where it is very small or large."""
    if value is None or not math.isfinite(value):
        return "not a number" if value is None or math.isnan(value) else "∞" if value > 0 else "−∞"
    if decimals is not None:
        text = f"{value:,.{decimals}f}"
    elif value == int(value) and abs(value) < 1e9:
        text = f"{value:,.0f}"
    elif abs(value) < 1e-3 or abs(value) >= 1e9:
        mantissa, _, exponent = f"{value:.1e}".partition("e")
        superscript = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        text = f"{mantissa} × 10{superscript}"
    else:
        text = f"{value:,.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"
    return text.replace("-", "−")


def words(name):
    """`step_majority` as people write it."""
    return str(name).replace("_", " ")


def duration(hours):
    """Hours for people: seconds or minutes where they are few."""
    amount, unit = next(((hours * size, unit) for size, unit in ((1, "hour"), (60, "minute")) if hours * size >= 1),
                        (hours * 3600, "second"))
    text = f"{amount:,.1f}".removesuffix(".0") if amount < 10 else f"{amount:,.0f}"
    return f"{text} {unit}{'' if text == '1' else 's'}"


def plural(count, noun):
    """`1 seed`, `3 seeds`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


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
        for key, text in notes_of.items() if isinstance(notes_of, dict) else enumerate(notes_of):
            line = text if isinstance(key, int) else f"{words(key)}: {text}"
            if line not in notes:
                notes.append(line)
    return {"follow": follow, "seeds": [run.seed for run in runs], "waiting": waiting, "notes": notes,
            "partial": [(run.seed, run.results.get("step")) for run in runs if not run.results["complete"]],
            "steps": sorted({result["step"] for result in results if result.get("step") is not None}),
            "hours": math.fsum(result.get("hours") or 0 for result in results),
            "machines": list(dict.fromkeys(result.get("machine") or "not recorded" for result in results)),
            "commits": list(dict.fromkeys((str(result.get("commit") or "no commit")[:7], bool(result.get("dirty")))
                                          for result in results)),
            "overrides": {key: value for result in results for key, value in (result.get("overrides") or {}).items()}}


def divergence_row(divergence, group, groups):
    """One divergence: where the preset sets it in every mode, the claims it decides, its effect on each as measured."""
    presets = getattr(group.paper.settings, "PRESETS", {}).get(group.preset) or {}
    covered = (f"preset {group.preset} sets {presets[divergence.field]} in every mode"
               if divergence.field in presets else "")
    known = {claim.id for claim in group.paper.claims}
    return {"divergence": divergence, "covered": covered,
            "decides": [(claim, claim in known, effects(divergence, claim, group, groups))
                        for claim in divergence.decides]}


def effects(divergence, claim, group, groups):
    """What setting this one field otherwise does to a claim's value: ["0.8: −0.020 (3 seeds)"].

    Measured from pairs of complete runs that follow the paper, same data and seed; one overrides this field alone.
    """
    def values(run):
        results = run.results
        entry = results["results"].get(claim) or {}
        usable = results["complete"] and isinstance(entry.get("value"), int | float)
        return entry["value"] if usable and math.isfinite(entry["value"]) else None

    plain = {run.seed: run for run in group.mode("paper") if not run.results.get("overrides")}
    found = {}
    for run in (run for other in groups if other.name.startswith(f"{group.name}-") for run in other.mode("paper")):
        overrides, base = run.results.get("overrides") or {}, plain.get(run.seed)
        if set(overrides) == {divergence.field} and base and values(run) is not None and values(base) is not None and (
                run.results["corpus"].get("fingerprint") == base.results["corpus"].get("fingerprint")):
            found.setdefault(str(overrides[divergence.field]), []).append(values(run) - values(base))
    return [f"{name}: {number(math.fsum(differences) / len(differences))} ({plural(len(differences), 'seed')})"
            for name, differences in found.items()]


def media_sections(group, problems):
    """The runs' media, section by section, the modes beside each other.

    The first complete seed of each mode is shown at once, the others folded. Returns a list of {title, text, seeds},
    seeds being [(seed names, rows, grids)].
    """
    sections = {}
    for number_of_run, run in enumerate(group.evaluated):
        first = run is group.mode(run.follow)[0]
        for section in run.media:
            title = str(section.get("title") or "Figures")
            entry = sections.setdefault(title, {"title": title, "texts": {}, "shown": {}, "folded": {}, "grids": []})
            text = str(section.get("text") or "")
            if text:
                entry["texts"].setdefault(text, {})[run.follow] = True
            rows = entry["shown"] if first else entry["folded"].setdefault(run.seed, {})
            for place, item in enumerate(section.get("items") or []):
                item = _item(item, run, group, problems)
                key = (item["kind"], Path(item["file"]).name if item["file"] else item["caption"] or place)
                rows.setdefault(key, []).append(item)
            if section.get("grid"):
                grid = _grid(section["grid"], run, group, problems)
                entry["grids"].append(grid | {"key": f"{len(sections)}-{number_of_run}", "folded": not first})
    for entry in sections.values():
        entry["shown"] = _rows(entry["shown"])
        entry["folded"] = {seed: _rows(rows) for seed, rows in sorted(entry["folded"].items())}
        every = {run.follow for run in group.evaluated}
        entry["texts"] = [(text, [] if set(follows) == every else list(follows))
                          for text, follows in entry["texts"].items()]
    return list(sections.values())


def thumbnails(sections, most=3):
    """Up to three pictures for the overview, one a section, of the last mode that has one: [(address, alt)]."""
    found = []
    for section in sections:
        items = [item for row in section["shown"] for item in row]
        pictures = [(item["image"] or item["file"], item["alt"]) for item in items
                    if item["image"] or (item["kind"] == "figure" and item["file"])]
        pictures += [(cell["image"], f"{section['title']}: {name}") for grid in section["grids"]
                     for name, cells in grid["rows"] for cell in cells if cell and cell["image"]]
        found += pictures[-1:]
    return found[:most]


def _rows(rows):
    """Items by row: what several modes have stands side by side, what only one has shares a row with the like."""
    merged = []
    for items in rows.values():
        alone = len(items) == 1 and items[0]["kind"] != "table"
        if alone and merged and merged[-1][0]:
            merged[-1][1].extend(items)
        else:
            merged.append((alone, list(items)))
    return [items for _, items in merged]


def _item(item, run, group, problems):
    where = f"{group.paper.name}/{group.name}-{run.follow}/seed-{run.seed}"
    shown = {"follow": run.follow, "seed": run.seed, "kind": item.get("kind", "figure"), "file": "", "image": "",
             "audio": "", "caption": str(item.get("caption") or ""), "claims": item.get("claims") or [], "missing": [],
             "columns": [str(name) for name in item.get("columns") or []], "rows": item.get("rows") or []}
    shown["alt"] = str(item.get("alt") or shown["caption"])
    for key in ("file", "image", "audio"):
        if item.get(key):
            shown[key] = link(item[key], run, problems, where)
            if not shown[key]:
                shown["missing"].append(str(item[key]))
    return shown


def _grid(grid, run, group, problems):
    where = f"{group.paper.name}/{group.name}-{run.follow}/seed-{run.seed}"
    cells = [[{"caption": str(one.get("caption") or "")}
              | {key: link(one[key], run, problems, where) if one.get(key) else "" for key in ("audio", "image")}
              if one else None for one in row] for row in grid.get("cells") or []]
    return {"follow": run.follow, "seed": run.seed, "columns": [str(name) for name in grid.get("columns") or []],
            "rows": list(zip([str(name) for name in grid.get("rows") or []], cells, strict=False))}


def link(name, run, problems, where):
    """The address of a run's file as seen from the page; empty (and a problem) where it is missing or outside."""
    path = (run.directory / str(name)).resolve()
    if not path.is_relative_to(run.directory.resolve()):
        problems.append(f"{where}/media.json: {name} lies outside the run; evaluate the run again")
        return ""
    if not path.is_file():
        problems.append(f"{where}: {name} is named in media.json but missing; evaluate the run again")
        return ""
    return quote(path.relative_to(run.directory.resolve().parent.parent).as_posix())
