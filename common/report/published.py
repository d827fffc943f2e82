"""Results that stay: `publish` copies result files into a paper's directory, README tables are made from them.

Only what lies in papers/<paper>/results/ reaches a README, between `<!-- results -->` and `<!-- /results -->`; the
divergences of config.py stand between `<!-- divergences -->` and `<!-- /divergences -->`, what twins with shuffled
labels gave between `<!-- null -->` and `<!-- /null -->`. A test compares.
"""

import json
import shutil
from pathlib import Path

from common import claims as claims_module, provenance, record, standing, store
from common.errors import ClaimsError
from common.files import sha256
from common.report import collect, error_rates, pages, text


def publish(runs, papers_directory):
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


def directories(runs):
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


def published_runs(paper):
    """The published result files as runs (without media)."""
    found = []
    for path in sorted((paper.directory / "results").glob("*.json")):
        results = claims_module.read_results(path, paper.claims)
        found.append(record.of(results, path.parent, paper.settings, results))
    return found


def published_groups(paper):
    """The same as groups."""
    return collect.grouped(paper, published_runs(paper))


def is_effect(paper, group):
    """Whether a group only measures what one divergence does: runs that follow the paper but for that setting."""
    fields = {one.field for one in paper.divergences}
    return all(run.follow == "paper" for run in group.runs) and len(group.overrides) == 1 and (
        fields >= set(group.overrides))


def results_table(paper):
    """README text: one table per published corpus, preset and flags, or the command that makes the first.

    Claims without a value in any mode are counted, not listed; the effects of divergences stand in their own table.
    """
    asked = [claim for claim in paper.claims if claim.kind != "fact"]
    parts, known = [], []
    for group in (group for group in published_groups(paper) if not is_effect(paper, group)):
        verdicts = {follow: collect.judgements(paper, group.mode(follow), follow) for follow in paper.follows}
        modes = [mode for mode in (pages.mode_line(group, follow) for follow in paper.follows) if mode["seeds"]]
        told, withheld = "; ".join(_told(mode) for mode in modes), {mode["follow"]: mode["withheld"] for mode in modes}
        kind = pages.EVIDENCE_SAYS[group.corpus["evidence"]]
        if group.corpus["evidence"] == "other" and group.corpus.get("said"):
            kind += f" ({group.corpus['said']})"
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
        for reason in dict.fromkeys(filter(None, withheld.values())):
            which = ", ".join(f"`{follow}`" for follow in withheld if withheld[follow] == reason)
            parts.append(f"Verdicts of {which} are withheld: {reason}.")
        heads = ["claim", *([] if group.synthetic else ["reported"]), *(f"`{follow}`" for follow in paper.follows),
                 "baselines"]
        rows, without = [], 0
        known += verdicts.values()
        for claim in asked:
            judged = [verdicts[follow][claim.id] for follow in paper.follows]
            if all(judgement.mean is None for judgement in judged):
                without += 1
                continue
            row = pages.claim_row(claim, judged, False)
            rows.append([f"{claim.id}: {claim.claim} ({claim.where})", *([] if group.synthetic else [row["printed"]]),
                         *(_cell(cell, withheld.get(cell["follow"])) for cell in row["cells"]),
                         ", ".join(f"{name} {value}" for name, value in row["baselines"])])
        parts.append(_table(heads, rows))
        if without:
            parts.append(f"{text.plural(without, 'claim')} of {len(asked)} without a value in these runs; the "
                         "run's page gives the reason for each.")
    if not parts:
        parts.append(f"No run is published yet. `make reproduce-{paper.name} DATA=… PRESET=full SEEDS=\"0 1 2\"` makes "
                     f"one with a page of all {len(paper.claims)} claims; `python -m common.report publish RUN…` puts "
                     "them here.")
    return "\n\n".join([*parts, *_facts(paper, known)])


def _facts(paper, verdicts):
    """README text: the facts once, whatever was published; nothing without a value of one."""
    rows = [[f"{claim.id}: {claim.claim} ({claim.where})", _cell(cell, None),
             ", ".join(f"`{follow}`" for follow in by)] for claim, cell, by in pages.facts(paper, verdicts) if by]
    if not rows:
        return []
    return ["**Facts**, true or not on any data, at any size and with any seed; they are no findings.",
            _table(["fact", "found", "by"], rows)]


def _told(mode):
    """Seeds, time, machine and commit of one mode, and what has changed since."""
    said = (f"`{mode['follow']}` seeds {', '.join(map(str, mode['seeds']))}, {text.duration(mode['hours'])} on "
            f"{', '.join(mode['machines'])}, commit {', '.join(commit for commit, _ in mode['commits'])}")
    if mode["tried"]:
        said += f", evaluated under {text.plural(mode['tried'], 'setting')}"
    if mode["earlier"]:
        said += f", made by earlier code: {', '.join(mode['earlier'])} changed since"
    return said


def _cell(cell, withheld):
    """Value, verdict and reason; a verdict withheld from the whole mode is one plain word, its reason stands above."""
    if cell["word"] == "withheld":
        return " ".join(filter(None, (cell["value"], "withheld", "" if withheld else f"({cell['reason']})")))
    reason = f"({cell['reason']})" if cell["reason"] else ""
    return " ".join(filter(None, (cell["value"], f"**{cell['word']}**", reason)))


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
    bases = [group for group in groups if not group.overrides]
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


def null_table(paper):
    """README text: how often a finding is seen on twins with shuffled labels."""
    return error_rates.table(paper, _table)


def rendered(paper, readme):
    """README text with its tables made anew; raises ClaimsError where a start has no end."""
    for name, make in (("results", results_table), ("divergences", divergences_table), ("null", null_table)):
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
