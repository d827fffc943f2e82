"""Results that stay: `publish` copies result files into a paper's directory, README tables are made from them.

Only what lies in papers/<paper>/results/ reaches a README, between `<!-- results -->` and `<!-- /results -->`; the
divergences of config.py stand between `<!-- divergences -->` and `<!-- /divergences -->`. A test compares.
"""

import re
import shutil
from pathlib import Path

from common import claims as claims_module
from common.errors import ClaimsError
from common.report import collect, pages, text


def publish(runs, papers_directory):
    """Copy the results of run directories (of a seed, or of a mode with all its seeds) to papers/<paper>/results/.

    Returns (paths written, refusals as lines): partial, dirty and changed-rule runs are refused.
    """
    papers = {paper.name: paper for paper in collect.papers(papers_directory)}
    written, refused = [], []
    for run in runs:
        run = Path(run)
        seeds = [run] if (run / "results.json").exists() else sorted(run.glob("seed-*"))
        if not seeds:
            refused.append(f"{run}: no results.json here; evaluate the run first")
        for directory in seeds:
            reason, results = _refuse(directory, papers)
            if reason:
                refused.append(f"{directory}: refused: {reason}")
                continue
            target = papers[results["paper"]].directory / "results" / _name(directory, results)
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(directory / "results.json", target)
            written.append(target)
    return written, refused


def _name(directory, results):
    mode = directory.resolve().parent.name
    return f"{re.sub('[^A-Za-z0-9._-]', '_', mode)}-seed-{results['seed']}.json"


def _refuse(directory, papers):
    """(why a run may not be published or an empty string, its results)."""
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
    if not results["complete"]:
        return f"partial run, stopped at step {results.get('step')}; let it finish and evaluate again", results
    if results.get("dirty") or results.get("commit") in (None, "", "unknown"):
        return "made with uncommitted changes, so no commit says how; commit, then evaluate again", results
    if results["claims_sha256"] != paper.claims_sha256:
        return "claims.csv changed after the run; evaluate again", results
    if results.get("settings_sha256") != collect.settings_sha256(paper)(results):
        return "config.py changed after the run; train again", results
    return "", results


def published_groups(paper):
    """The published result files as groups, as if they were runs (without media)."""
    found = {}
    for path in sorted((paper.directory / "results").glob("*.json")):
        results = claims_module.read_results(path, paper.claims)
        name = path.name.rsplit("-seed-", 1)[0]
        mark = re.search(rf"-{results['follow']}(-[0-9a-f]{{6}})?$", name)
        name = (name[: mark.start()] + (mark[1] or "")) if mark else name
        group = found.setdefault(name, collect.Group(paper, name, [], []))
        group.runs.append(collect.Run(path.parent, results["follow"], results["seed"], results, [], []))
    return list(found.values())


def is_effect(paper, group):
    """Whether a group only measures what one divergence does: runs that follow the paper but for that setting."""
    overrides = [run.results.get("overrides") or {} for run in group.runs]
    fields = {one.field for one in paper.divergences}
    return all(run.follow == "paper" for run in group.runs) and all(
        len(one) == 1 and fields >= set(one) for one in overrides)


def results_table(paper):
    """README text: one table per published corpus, preset and flags, or the command that makes the first.

    Claims without a value in any mode are counted, not listed; the effects of divergences stand in their own table.
    """
    parts = []
    for group in (group for group in published_groups(paper) if not is_effect(paper, group)):
        verdicts = {follow: collect.judgements(paper, group.mode(follow), follow) for follow in paper.follows}
        modes = [mode for mode in (pages.mode_line(group, follow) for follow in paper.follows) if mode["seeds"]]
        told = "; ".join(f"`{mode['follow']}` seeds {', '.join(map(str, mode['seeds']))}, "
                         f"{text.duration(mode['hours'])} on {', '.join(mode['machines'])}, "
                         f"commit {', '.join(commit for commit, _ in mode['commits'])}" for mode in modes)
        kind = pages.EVIDENCE_SAYS[group.corpus["evidence"]]
        seeds = " ".join(str(seed) for seed in sorted({run.seed for run in group.evaluated}))
        data = "" if group.synthetic else " DATA=…"
        overrides = {key: value for mode in modes for key, value in mode["overrides"].items()}
        again = f"`make reproduce-{paper.name}{data} PRESET={group.preset} SEEDS=\"{seeds}\"`"
        if overrides == {"ablations": True}:
            again = f"{again[:-1]} ABLATIONS=1`"
        elif overrides:
            flags = " ".join(f"--{key.replace('_', '-')} {text.setting(value)}" for key, value in overrides.items())
            again = (f"`train` and then `evaluate` of `papers.{paper.name}` with `--preset {group.preset} {flags}` and "
                     "each `--follow` and `--seed`")
        named = "".join(f", {text.words(key)} {text.setting(value)}" for key, value in overrides.items())
        parts.append(f"**{group.corpus['name']}, preset {group.preset}{named}: {kind}.** {told}. Again: {again}")
        if group.synthetic:
            parts.append("Synthetic: no number here is evidence about the paper.")
        heads = ["claim", *([] if group.synthetic else ["reported"]), *(f"`{follow}`" for follow in paper.follows),
                 "baselines"]
        rows, without = [], 0
        for claim in paper.claims:
            judged = [verdicts[follow][claim.id] for follow in paper.follows]
            if all(judgement.mean is None for judgement in judged):
                without += 1
                continue
            row = pages.claim_row(claim, judged, False)
            rows.append([f"{claim.id}: {claim.claim} ({claim.where})", *([] if group.synthetic else [row["printed"]]),
                         *(" ".join(filter(None, (cell["value"], f"**{cell['word']}**",
                                                  f"({cell['reason']})" if cell["reason"] else "")))
                           for cell in row["cells"]), ", ".join(f"{name} {value}" for name, value in row["baselines"])])
        parts.append(_table(heads, rows))
        if without:
            parts.append(f"{text.plural(without, 'claim')} of {len(paper.claims)} without a value in these runs; the "
                         "run's page gives the reason for each.")
    if not parts:
        parts.append(f"No run is published yet. `make reproduce-{paper.name} DATA=… PRESET=full SEEDS=\"0 1 2\"` makes "
                     f"one with a page of all {len(paper.claims)} claims; `python -m common.report publish RUN…` puts "
                     "them here.")
    return "\n\n".join(parts)


def divergences_table(paper):
    """README text: the divergences of config.py; † marks an inferred value."""
    heads = ["setting", *(f"`{follow}`" for follow in paper.follows), "where", "decides"]
    rows = []
    for one in paper.divergences:
        values = [f"`{text.setting(getattr(one, follow))}`" + ("†" if follow == "paper" and one.inferred else "")
                  + (f" ({one.sound_reason})" if follow == "sound" and one.sound_reason else "")
                  for follow in paper.follows]
        rows.append([f"`{one.field}`", *values, "; ".join(filter(None, (one.paper_source, one.code_source))),
                     _decides(paper, one)])
    return _table(heads, rows)


def _decides(paper, divergence):
    """The claims that a divergence decides, each with the effect that published runs measured."""
    groups = published_groups(paper)
    bases = [group for group in groups if not any(run.results.get("overrides") for run in group.runs)]
    found = []
    for claim in divergence.decides:
        measured = [f"{effect} on {group.corpus['name']}, {group.preset}"
                    for group in bases for effect in pages.effects(divergence, claim, group, groups)]
        found.append(f"{claim} ({'; '.join(measured)})" if measured else claim)
    return ", ".join(found) or "not measured"


def _table(heads, rows):
    def line(cells):
        return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

    return "\n".join([line(heads), "|" + " --- |" * len(heads), *map(line, rows)])


def rendered(paper, readme):
    """README text with both tables made anew; raises ClaimsError where a start has no end."""
    for name, make in (("results", results_table), ("divergences", divergences_table)):
        start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        if readme.count(start) != readme.count(end) or readme.count(start) > 1:
            raise ClaimsError(f"{paper.directory / 'README.md'}: needs {start} and {end} once each")
        if start in readme:
            before, rest = readme.split(start)
            after = rest.split(end)
            if len(after) != 2:
                raise ClaimsError(f"{paper.directory / 'README.md'}: {end} stands before {start}")
            readme = f"{before}{start}\n{make(paper)}\n{end}{after[1]}"
    return readme


def write_readmes(papers_directory, check=False):
    """Make the tables of every README anew (`check`: write nothing); returns (READMEs that differed, problems)."""
    different, problems = [], []
    for paper in collect.papers(papers_directory):
        path = paper.directory / "README.md"
        problems += paper.problems
        if paper.problems or not path.exists():
            continue
        try:
            readme = path.read_text(encoding="utf-8")
            new = rendered(paper, readme)
        except ClaimsError as error:
            problems.append(str(error))
            continue
        if new != readme:
            different.append(path)
            if not check:
                path.write_text(new, encoding="utf-8")
    return different, problems
