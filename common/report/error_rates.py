"""Verdicts on twins with shuffled labels: how often a finding is seen that cannot be there.

`papers/<paper>/labels.csv` lists the findings whose value depends on labels and what they are where labels are
shuffled: "wrong" (there is nothing to see: "seen" is an error) or "right" (memory of tracks, the absence of something:
seen there too). `papers/<paper>/results/null.csv` holds the verdict of every finding on every twin.
"""

import csv
from collections.abc import Callable
from pathlib import Path

from scipy.special import betaincinv

from common import provenance
from common.errors import ClaimsError
from common.files import whole
from common.report import collect

COLUMNS = ("corpus", "preset", "follow", "twin", "claim", "rule", "word", "value", "low", "high", "commit")
SHUFFLED = ("wrong", "right")
SEEN, DECIDED = ("seen", "seen once"), ("seen", "seen once", "not seen", "not seen once")
MOST = 3 / 20  # of the twins that give a verdict, for one finding; more is named


def labels(paper: collect.Paper) -> dict[str, str]:
    """{claim id: "wrong" or "right"} of a paper's labels.csv; empty without one.

    Raises:
        ClaimsError: a column, a claim or a word that cannot be.
    """
    path = paper.directory / "labels.csv"
    if not path.exists():
        return {}
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    findings = {claim.id for claim in paper.claims if claim.kind == "finding"}
    for row in rows:
        if set(row) != {"id", "shuffled"} or row["id"] not in findings or row["shuffled"] not in SHUFFLED:
            raise ClaimsError(f"{path}: {row}: columns are id, shuffled; a finding of claims.csv; wrong or right")
    return {row["id"]: row["shuffled"] for row in rows}


def write(paper: collect.Paper, place: Path, preset: str, follow: str) -> tuple[Path | None, list[str]]:
    """Judge every run below `place`/<generator seed>/ and write null.csv: (its path, or None without a run; problems).

    A twin whose results do not stand is left out and named.
    """
    rules, rows, problems = provenance.rules(paper.directory / "claims.csv"), [], []
    folders = (folder for folder in Path(place).glob("*/") if folder.name.isdecimal())
    for folder in sorted(folders, key=lambda folder: int(folder.name)):
        for group in collect.groups(paper, folder):
            if group.preset != preset or not group.mode(follow) or group.overrides:
                continue
            judged = group.judgements(follow)
            reason = next((one.reason for one in judged.values() if one.word == "withheld"), "")
            facts = group.corpus.get("facts") or {}
            if not facts.get("null") or str(facts.get("demo_seed")) != folder.name:
                reason = "not the twin of this generator seed"
            if reason:
                problems.append(f"{paper.name}, twin {folder.name}: left out: {reason}")
                continue
            commit = group.mode(follow)[0].results["commit"][:7]
            rows += [(group.corpus["name"], preset, follow, folder.name, claim, rules[claim], one.word,
                      *(_digits(value) for value in (one.mean, one.low, one.high)), commit)
                     for claim, one in judged.items() if one.claim.kind == "finding" and one.word != "not run"]
    path = target(paper)
    if not rows:
        return None, problems
    path.parent.mkdir(exist_ok=True)
    with whole(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])
    return path, problems


def _digits(value) -> str:
    return "" if value is None else f"{value:.4g}"


def target(paper: collect.Paper) -> Path:
    """papers/<paper>/results/null.csv."""
    return paper.directory / "results" / "null.csv"


def read(paper: collect.Paper) -> list[dict]:
    """The rows of null.csv whose rule is still today's; none without the file."""
    if not target(paper).exists():
        return []
    rules = provenance.rules(paper.directory / "claims.csv")
    with open(target(paper), newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if rules.get(row["claim"]) == row["rule"]]


def counts(paper: collect.Paper) -> list[tuple]:
    """(corpus, claim id, times seen, verdicts, twins) of each finding that shuffled labels make wrong.

    "Undecided" is a verdict where an interval contains the limit, and none where there is no interval.
    """
    wrong = [claim for claim, shuffled in labels(paper).items() if shuffled == "wrong"]
    words = {}
    for row in read(paper):
        answered = row["word"] in DECIDED or (row["word"] == "undecided" and row["low"])  # an interval that straddles
        words.setdefault((row["corpus"], row["claim"]), []).append((row["word"] in SEEN, bool(answered)))
    return [(corpus, claim, sum(seen for seen, _ in said), sum(answered for _, answered in said), len(said))
            for claim in wrong for (corpus, one), said in words.items() if one == claim]


def binomial(seen: int, asked: int) -> tuple[float, float]:
    """95 % interval of a share by Clopper and Pearson (Biometrika 26, 1934): at least 95 %, however few were asked."""
    low = float(betaincinv(seen, asked - seen + 1, 0.025)) if seen else 0.0
    return low, float(betaincinv(seen + 1, asked - seen, 0.975)) if seen < asked else 1.0


def _rate(seen: int, asked: int) -> str:
    if not asked:
        return "no verdict"
    low, high = binomial(seen, asked)
    return f"{seen} of {asked}, {seen / asked:.1%} [{low:.1%}, {high:.1%}]"


def _sums(found):
    """(times seen, verdicts) over rows of `counts`."""
    return sum(row[2] for row in found), sum(row[3] for row in found)


def summary(paper: collect.Paper) -> str:
    """How often, over all findings that shuffled labels make wrong."""
    return f"seen where labels are shuffled: {_rate(*_sums(counts(paper)))}"


def across(papers: list[collect.Paper], make: Callable) -> str:
    """README text: error rates of all papers together and one by one; `make` as for `table`."""
    found = {paper.name: counts(paper) for paper in papers}
    lines = [[name, str(len({row["twin"] for row in read(paper)})), _rate(*_sums(found[name])),
              f"{len({row[1] for row in found[name] if row[3]})} of {list(labels(paper).values()).count('wrong')}"]
             for name, paper in sorted((paper.name, paper) for paper in papers)]
    every = [row for rows in found.values() for row in rows]
    often = [f"{name} {claim}" for name, rows in sorted(found.items()) for _, claim, seen, verdicts, _ in rows
             if verdicts and seen / verdicts > MOST]
    return (make(["paper", "twins", "verdicts that say seen", "findings with a verdict"],
                 [*lines, ["all", "", _rate(*_sums(every)), ""]])
            + f"\n\nSeen on more than {MOST:.0%} of its twins: {', '.join(often) or 'none'}.")


def table(paper: collect.Paper, make: Callable) -> str:
    """README text: error rates by finding, or the command that measures them.

    Args:
        make: function of heads and rows that gives a Markdown table.
    """
    again = f"`make null PAPER={paper.name}`"
    rows, known, found = read(paper), labels(paper), counts(paper)
    if not rows:
        return f"Not measured yet: {again}."
    twins, commits = {row["twin"] for row in rows}, sorted({row["commit"] for row in rows})
    asked = [row for row in found if row[3]]
    said = (f"{_rate(*_sums(found))} of the verdicts on findings that shuffled labels make wrong. The interval is the "
            "binomial one of Clopper and Pearson; findings of one twin are not independent of each other."
            if asked else "no finding that shuffled labels make wrong had a verdict.")
    parts = [f"**Seen where labels are shuffled** ({len(twins)} twins, preset {rows[0]['preset']}, "
             f"`{rows[0]['follow']}`, one training each, commit {', '.join(commits)}): {said} Again: {again}"]
    if asked:
        titles = {claim.id: claim.claim for claim in paper.claims}
        several = len({row[0] for row in asked}) > 1
        parts.append(make(["claim", "seen", "without a verdict"], [
            [f"{claim}: {titles[claim]}{f' ({corpus})' if several else ''}", _rate(seen, verdicts)
             + (f", more than {MOST:.0%}" if seen / verdicts > MOST else ""), str(count - verdicts)]
            for corpus, claim, seen, verdicts, count in asked]))
    never = [claim for claim, shuffled in known.items() if shuffled == "wrong"
             and claim not in {row[1] for row in asked}]
    if never:
        parts.append(f"No verdict on any twin (too few groups, or the model did not learn): {', '.join(never)}.")
    right = [claim for claim, shuffled in known.items() if shuffled == "right"]
    if right:
        parts.append(f"Uses labels, but is no error where they are shuffled: {', '.join(right)}.")
    return "\n\n".join(parts)
