"""What published results say of papers: the one sentence of each, and the blocks of FINDINGS.md.

FINDINGS.md tells facts, and findings on real data; nothing that was measured on synthetic music.
"""

from collections.abc import Callable
from typing import Any

from common import hours, scripts
from common.corpora import download
from common.report import collect, rows, story, text
from common.report.published import is_effect, published_groups

EVIDENCE = ("published", "other")


def judged_groups(paper: collect.Paper) -> Any:
    """Published groups with their verdicts, real data first: [(group, {mode: {claim id: Judgement}})]."""
    return [(group, {follow: group.judgements(follow) for follow in paper.follows})
            for group in published_groups(paper) if not is_effect(paper, group)]


def finding(paper: collect.Paper) -> str:
    """The sentence that stands for the paper: of the first published results that decide it, else why there is none."""
    if paper.story is None:
        return "No story is told of it."
    headline = next(one for one in paper.story.headlines if one.claim == paper.story.matters)
    told = [(group, story.sentence(headline, verdicts)) for group, verdicts in judged_groups(paper)]
    for group, said in told:
        if said.tone in ("yes", "no"):
            return said.text if _is_fact(paper, headline) or not group.synthetic else f"On synthetic music: {said.text}"
    return told[0][1].text if told else f"Whether {headline.whether} is not known here: no run is published."


def block(papers: list[collect.Paper], fault: str) -> str:
    """FINDINGS.md text: what published results say of every claim of a fault, with evidence and command."""
    lines, untold = [], []
    for paper in papers:
        groups = judged_groups(paper)
        every = (*paper.story.headlines, *paper.story.findings) if paper.story else ()
        for headline in (one for one in every if one.fault == fault):
            asked = [pair for pair in groups if _is_fact(paper, headline) or pair[0].corpus["evidence"] in EVIDENCE]
            said = [(group, story.sentence(headline, verdicts)) for group, verdicts in asked]
            decided = [pair for pair in said if pair[1].tone in ("yes", "no")]
            if decided:
                same = [pair for pair in decided if pair[1].text == decided[0][1].text]
                anyone = [pair for pair in same if pair[0].synthetic]  # whose command asks for no data
                lines.append(_line(paper, headline, *(anyone or same)[0]))
            else:
                why = said[0][1].word if said else "no run is published"
                untold.append(f"{paper.name} {headline.claim} ({why})")
    last = [f"Not told yet: {', '.join(untold)}."] if untold else []
    return "\n".join(lines) + "\n\n" * bool(lines and last) + "".join(last) or "Nothing yet."


def _line(paper, headline, group, said) -> str:
    evidence = "fact" if _is_fact(paper, headline) else f"{group.corpus['evidence']}: {group.corpus['name']}"
    data = "" if group.synthetic else " DATA=…"
    made = group.mode(headline.follow)
    seeds, overrides = " ".join(str(run.seed) for run in made), made[0].overrides
    flags = f" FLAGS=\"{scripts.words(scripts.Options(), overrides).strip()}\"" if overrides else ""
    return (f"- {said.text} *[{paper.name}](papers/{paper.name}/results/README.md), {headline.claim}, {evidence}.* "
            f"`make reproduce-{paper.name}{data} PRESET={group.preset} FOLLOW={headline.follow} SEEDS=\"{seeds}\""
            f"{flags}`")


def _is_fact(paper, headline) -> bool:
    return any(claim.id == headline.claim and claim.kind == "fact" for claim in paper.claims)


def still_open(papers: list[collect.Paper], table: Callable) -> str:
    """FINDINGS.md text: what each paper's own data would decide, and by which commands.

    Args:
        table: function of heads and rows that gives a Markdown table.
    """
    lines = []
    for paper in papers:
        decided = set()
        for group, verdicts in judged_groups(paper):
            if group.corpus["evidence"] in EVIDENCE:
                decided |= {claim for judged in verdicts.values() for claim, one in judged.items()
                            if rows.tone(one.word) in ("yes", "no")}
        left = [claim for claim in paper.claims if claim.kind != "fact" and claim.id not in decided and claim.rule]
        for name in getattr(paper.settings, "DATA_SETS", ()):
            place = f"/datasets/{name}"
            got = {"lmd_matched": "lakh"}.get(name, name)
            get = "by hand (data/README.md)"
            if got in download.SOURCES:
                get = f"`python -m common.corpora get {got} {place}`"
            run = f"`make reproduce-{paper.name} DATA={place} PRESET=full SEEDS=\"0 1 2\"`"
            asked = [claim for claim in left if _asked_of(claim, name)]
            lines.append([paper.name, name, text.plural(len(asked), "claim"), get, run, _hours(paper, name, 3)])
    return table(["paper", "data", "undecided on real data", "get", "run", "hours of training"], lines)


def _asked_of(claim, data_set) -> bool:
    """Whether a claim may be judged on a data set: its needs name no other one."""
    return all(data_set in value.split("|") for key, _, value in claim.needs if key in ("data_set", "corpus"))


def _hours(paper, data_set, seeds) -> str:
    """What results/hours.csv says of a call, or what to type."""
    timed = [row for row in hours.read(paper.directory / "results" / hours.FILE) if row.data_set == data_set]
    if {row.follow for row in timed} != set(paper.follows):
        return f"not estimated; `make estimate PAPER={paper.name} DATA=/datasets/{data_set} PRESET=full`"
    where = {f"one core of {row.device}" if row.threads == 1 else f"{row.device}, {row.threads} threads"
             for row in timed}
    extended = " of smaller batches, extended" * any(row.rows_timed < row.batch for row in timed)
    return (f"about {text.duration(float(f'{seeds * hours.total(timed):.2g}'))} ({', '.join(sorted(where))}; measured "
            f"as step time x updates{extended})")
