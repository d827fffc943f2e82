"""Texts made from published results: the tables of READMEs, the sentence of each paper.

Only what lies in papers/<paper>/results/ reaches them, between `<!-- name -->` and `<!-- /name -->`: `results` (the
headline claims), `divergences` and `null` (twins with shuffled labels) in a paper's README, `papers`, `own` (what
docs/own_music.sh wrote) and `errors` (those twins, paper by paper) in the README of all, `finding FAULT` and `open` in
FINDINGS.md; results/README.md of a paper is made whole. A test compares.
"""

import re
from pathlib import Path
from typing import Any

from common import scripts
from common.errors import ClaimsError
from common.report import collect, error_rates, pages, rows, text
from common.report.findings import block, finding, still_open
from common.report.published import is_effect, published_groups

START = re.compile(r"<!-- (results|divergences|null|papers|own|errors|open|finding [a-z]+) -->")


def results_table(paper: collect.Paper, only: Any = None) -> str:
    """README text: tables for each published corpus, preset and flags, or the command that makes the first.

    Args:
        only: ids of the claims to show; None: all. The effects of divergences stand in their own table.
    """
    shown = [claim for claim in paper.claims if only is None or claim.id in only]
    parts, known, left = [], [], []
    groups = [group for group in published_groups(paper) if not is_effect(paper, group)]
    for group in groups:
        verdicts = {follow: group.judgements(follow) for follow in paper.follows}
        known += verdicts.values()
        if only is not None and _base(group, groups):
            left.append(f"{group.corpus['name']}{_changed(group.overrides)}")
            continue
        modes = [mode for mode in (pages.mode_line(group, follow) for follow in paper.follows) if mode["seeds"]]
        parts += _introduction(paper, group, modes)
        parts += _claims(paper, group, [claim for claim in shown if claim.kind != "fact"], verdicts,
                         {mode["follow"]: mode["withheld"] for mode in modes})
    if not parts:
        parts.append(f"No run is published yet. `make reproduce-{paper.name} DATA=… PRESET=full SEEDS=\"0 1 2\"` makes "
                     f"one with a page of all {len(paper.claims)} claims; `python -m common.report publish RUN…` puts "
                     "them here.")
    if left:
        parts.append(f"Runs with changed settings ({'; '.join(left)}) stand in [results](results/README.md) alone.")
    return "\n\n".join([*parts, *_facts(paper, known, only)])


def _base(group, groups):
    """Whether the same runs with no setting changed are published as well."""
    return bool(group.overrides) and any(
        not one.overrides and one.preset == group.preset and one.corpus["name"] == group.corpus["name"]
        for one in groups)


def _changed(overrides):
    """The settings that were changed, in words."""
    return "".join(f", {text.words(key)} {text.setting(value)}" for key, value in overrides.items())


def _introduction(paper, group, modes):
    """What a published group is, how long it took, and which of its verdicts are withheld."""
    kind = pages.EVIDENCE_SAYS[group.corpus["evidence"]]
    if group.corpus["evidence"] == "other" and group.corpus.get("said"):
        kind += f" ({group.corpus['said']})"
    overrides = {key: value for mode in modes for key, value in mode["overrides"].items()}
    yield (f"**{group.corpus['name']}, preset {group.preset}{_changed(overrides)}: {kind}.** "
           f"{'; '.join(map(_told, modes))}. Again: {_again(paper, group, overrides)}")
    if group.synthetic:
        yield "Synthetic: no number here is evidence about the paper."
    for reason in dict.fromkeys(mode["withheld"] for mode in modes if mode["withheld"]):
        which = ", ".join(f"`{mode['follow']}`" for mode in modes if mode["withheld"] == reason)
        yield f"Verdicts of {which} are withheld: {reason}."


def _again(paper, group, overrides):
    """The command that makes a group's runs."""
    seeds = " ".join(str(seed) for seed in sorted({run.seed for run in group.evaluated}))
    data = "" if group.synthetic else " DATA=…"
    follows = [follow for follow in paper.follows if group.mode(follow)]
    some = f" FOLLOW=\"{' '.join(follows)}\"" if len(follows) < len(paper.follows) else ""
    again = f"`make reproduce-{paper.name}{data} PRESET={group.preset}{some} SEEDS=\"{seeds}\"`"
    if overrides == {"ablations": True}:
        return f"{again[:-1]} ABLATIONS=1`"
    if overrides:
        return f"{again[:-1]} FLAGS=\"{scripts.words(scripts.Options(), overrides).strip()}\"`"
    return again


def _claims(paper, group, claims, verdicts, withheld):
    """Tables of claims: with a verdict, measured without one, and how many have no value."""
    found = rows.parts([rows.claim_row(claim, [verdicts[follow][claim.id] for follow in paper.follows], False)
                        for claim in claims])
    heads = ["claim", *([] if group.synthetic else ["reported"]), *(f"`{follow}`" for follow in paper.follows),
             "baselines"]

    def line(row, cells):
        return [f"{row['claim'].id}: {row['claim'].claim} ({row['claim'].where})",
                *([] if group.synthetic else [row["printed"]]), *cells,
                ", ".join(f"{name} {value}" for name, value in row["baselines"])]

    if found.judged:
        cells = [[_cell(cell, withheld.get(cell["follow"])) for cell in row["cells"]] for row in found.judged]
        yield _table(heads, map(line, found.judged, cells))
    if found.measured:
        others = "".join(f"; <sup>{mark}</sup> {reason}" for reason, mark in found.marks.items())
        yield f"Measured, not judged: {found.usual}{others}."
        cells = [[_marked(cell, found.marks) for cell in row["cells"]] for row in found.measured]
        yield _table(heads, map(line, found.measured, cells))
    if found.without:
        count = sum(len(one) for _, one in found.without)
        yield (f"{text.plural(count, 'claim')} of {len(claims)} without a value in these runs; the run's page gives "
               "the reason for each.")


def _marked(cell, marks):
    """A value, and the letter of the reason why it is not judged."""
    return (cell["value"] or "–") + (f"<sup>{marks[cell['why']]}</sup>" if cell["why"] in marks else "")


def _facts(paper, verdicts, only):
    """README text: the facts once, whatever was published; nothing without a value of one."""
    asked = [one for one in rows.facts(paper, verdicts) if one[2] and (only is None or one[0].id in only)]
    found = [[f"{claim.id}: {claim.claim} ({claim.where})", _cell(cell, None),
              ", ".join(f"`{follow}`" for follow in by)] for claim, cell, by in asked]
    if not found:
        return []
    return ["**Facts**, true or not on any data, at any size and with any seed; they are no findings.",
            _table(["fact", "found", "by"], found)]


def _told(mode):
    """Seeds, time, machine and commit of one mode, and what has changed since."""
    said = (f"`{mode['follow']}` seeds {', '.join(map(str, mode['seeds']))}, {text.duration(mode['hours'])} on "
            f"{', '.join(mode['machines'])}, commit {', '.join(commit for commit, _ in mode['commits'])}")
    if mode["tried"]:
        said += f", evaluated under {text.plural(mode['tried'], 'setting')}"
    if mode["earlier"]:
        said += f", made by earlier code: {text.some(mode['earlier'])} changed since"
    return said


def _cell(cell, withheld):
    """Value, over how many groups and items, verdict and reason.

    One withheld from the whole mode is one plain word, its reason stands above.
    """
    value = f"{cell['value']}; {cell['counts']}:" if cell["value"] and cell["counts"] else cell["value"]
    if cell["word"] == "withheld":
        return " ".join(filter(None, (value, "withheld", "" if withheld else f"({cell['reason']})")))
    reason = f"({cell['reason']})" if cell["reason"] else ""
    return " ".join(filter(None, (value, f"**{cell['word']}**", reason)))


def divergences_table(paper: collect.Paper) -> str:
    """README text: the divergences of config.py; † marks an inferred value."""
    heads = ["setting", *(f"`{follow}`" for follow in paper.follows), "where", "decides"]
    found = []
    for one in paper.divergences:
        values = [f"`{text.setting(getattr(one, follow))}`" + ("†" if follow == "paper" and one.inferred else "")
                  + (f" ({one.sound_reason})" if follow == "sound" and one.sound_reason else "")
                  for follow in paper.follows]
        found.append([f"`{one.field}`", *values, "; ".join(filter(None, (one.paper_source, one.code_source))),
                     _decides(paper, one)])
    return _table(heads, found)


def _decides(paper, divergence):
    """The claims that a divergence decides, each with the effect that published runs measured."""
    groups = published_groups(paper)
    bases = [group for group in groups if not group.overrides]
    found = []
    for claim in divergence.decides:
        measured = [f"{effect} on {group.corpus['name']}, {group.preset}"
                    for group in bases for effect in pages.effects(divergence, claim, group, groups)]
        found.append(f"{claim} ({'; '.join(measured)})" if measured else claim)
    return ", ".join(found) or "not measured"


def _table(heads, lines):
    def line(cells):
        return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

    return "\n".join([line(heads), "|" + " --- |" * len(heads), *map(line, lines)])


def null_table(paper: collect.Paper) -> str:
    """README text: how often a finding is seen on twins with shuffled labels."""
    return error_rates.table(paper, _table)


def papers_table(papers: list) -> str:
    """README text: each paper with the one sentence that matters, as published results have it."""
    found = [[f"[{paper.name}](papers/{paper.name}/README.md)", _cited(paper), _learns(paper), finding(paper)]
             for paper in papers]
    return _table(["directory", "paper", "what it learns", "what came out"], found)


def own_music(papers: list[collect.Paper]) -> str:
    """README text: commands of tools and what they said, as docs/own_music.sh wrote it down."""
    said = papers[0].directory.parents[1] / "docs" / "own_music.txt"
    return f"```\n{said.read_text(encoding='utf-8').rstrip()}\n```"


def errors_table(papers: list[collect.Paper]) -> str:
    """README text: how often something is seen on twins with shuffled labels, paper by paper."""
    return error_rates.across(papers, _table)


def open_table(papers: list[collect.Paper]) -> str:
    """FINDINGS.md text: what is open until someone runs the papers' own data."""
    return still_open(papers, _table)


def _cited(paper):
    year = re.search(r"\b(19|20)\d\d\b", getattr(paper.settings, "CITATION", ""))
    return paper.title + (f" ({year[0]})" if year else "")


def _learns(paper):
    return paper.story.learns if paper.story else ""


def results_readme(paper: collect.Paper) -> str:
    """papers/<paper>/results/README.md: every claim of every published run."""
    return (f"# Results: {paper.title}\n\nMade by `python -m common.report readme` from the files beside it; the "
            f"headline claims stand in [the paper's README](../README.md).\n\n{results_table(paper)}\n")


def filled(path: Path, readme: str, make: dict, of: Any) -> Any:
    """A text with every block between markers made anew.

    Args:
        make: {name of block: function of `of` and of what the marker says after the name}; other blocks stay.

    Raises:
        ClaimsError: a start without an end, or a block twice.
    """
    for name in dict.fromkeys(found[1] for found in START.finditer(readme)):
        start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        before, _, rest = readme.partition(start)
        inside, closed, after = rest.partition(end)
        if not closed or start in rest or end in after or end in before:
            raise ClaimsError(f"{path}: needs {start} and {end} once each, in this order")
        kind, _, argument = name.partition(" ")
        if kind in make:
            readme = f"{before}{start}\n{make[kind](of, *filter(None, [argument]))}\n{end}{after}"
    return readme


def rendered(paper: collect.Paper, readme: str) -> Any:
    """A paper's README with both tables made anew; raises ClaimsError where a start has no end."""
    make = {"results": _headlines, "divergences": divergences_table, "null": null_table}
    return filled(paper.directory / "README.md", readme, make, paper)


def _headlines(paper):
    if paper.story is None:
        return results_table(paper)
    return (f"{results_table(paper, paper.story.ids)}\n\nThese are {len(paper.story.ids)} of {len(paper.claims)} "
            "claims" + "; all of them: [results](results/README.md)." * _has_results(paper))


def _has_results(paper):
    return any((paper.directory / "results").glob("*.json"))


ACROSS = {"papers": papers_table, "own": own_music, "errors": errors_table, "finding": block,
          "open": open_table}  # about all papers


def texts(papers_directory: Path | str) -> Any:
    """All texts as they are and as they should be: [(path, old, new)], and problems as lines."""
    found, problems = [], []
    papers = collect.papers(papers_directory)
    root = papers[0].directory.parents[1] if papers else None
    for paper in papers:
        problems += paper.problems
        path = paper.directory / "README.md"
        if paper.problems or not path.exists():
            continue
        try:
            old = path.read_text(encoding="utf-8")
            found.append((path, old, rendered(paper, old)))
        except ClaimsError as error:
            problems.append(str(error))
            continue
        path = paper.directory / "results" / "README.md"
        if _has_results(paper):
            found.append((path, path.read_text(encoding="utf-8") if path.exists() else "", results_readme(paper)))
    for name in ("README.md", "FINDINGS.md"):
        if root and not problems and (root / name).exists():
            old = (root / name).read_text(encoding="utf-8")
            found.append((root / name, old, filled(root / name, old, ACROSS, papers)))
    return found, problems


def write_readmes(papers_directory: Path | str, check: bool = False) -> tuple[list[Path], list[str]]:
    """Make all texts anew (`check`: write nothing); returns (those that differed, problems)."""
    found, problems = texts(papers_directory)
    different = [(path, new) for path, old, new in found if old != new]
    if not check:
        for path, new in different:
            path.write_text(new, encoding="utf-8")
    return [path for path, _ in different], problems
