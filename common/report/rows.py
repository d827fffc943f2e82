"""Rows of the tables on pages and in READMEs: what was judged, what was measured and not judged, what has no value.

A number of the paper's own corpus is not compared on other data, and a finding is not decided by one seed: where no
mode has a verdict, a row shows values alone, and the reason stands once below its table.
"""

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

from common.claims import FEWEST_GROUPS, FEWEST_SEEDS, ONCE, VERDICTS
from common.report import text

TONES = {"matches": "yes", "holds": "yes", "seen": "yes", "differs": "no", "fails": "no", "not seen": "no",
         "undecided": "open", "withheld": "open"}
TONES |= {once: TONES[word] for word, once in ONCE.items()}
TONE_ORDER = ("yes", "no", "open", "none")
FEWEST_ROWS = 5  # fewer claims than that of one place go together
MARKS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Parts:
    """Rows by what can be said of them.

    Attributes:
        judged: rows of which a mode says more than a value. measured: rows with values and no verdict.
        usual: why most of `measured` have no verdict; that numbers are not compared on synthetic music is said
        before. marks: {any other reason: its letter}.
        without: [(reason, rows)] of what has no value.
    """

    judged: list
    measured: list
    usual: str
    marks: dict
    without: list


def parts(rows: list) -> Parts:
    """Rows of `claim_row` by what can be said of them."""
    measured = [row for row in rows if not row["judged"] and row["measured"]]
    reasons = Counter(cell["why"] for row in measured for cell in row["cells"] if cell["why"])
    synthetic = "numbers are not compared on synthetic music" if reasons.pop("synthetic data", 0) else ""
    most = reasons.most_common(1)[0][0] if reasons else ""
    usual = "; ".join(filter(None, (synthetic, most)))
    marks = {reason: letter(place) for place, reason in enumerate(one for one in reasons if one != most)}
    without = {}
    for row in rows:
        if not row["judged"] and not row["measured"]:
            said = [cell["why"] for cell in row["cells"] if not cell["why"].startswith("asked of")]
            without.setdefault(next(filter(None, said), row["cells"][0]["why"]), []).append(row)
    return Parts([row for row in rows if row["judged"]], measured, usual, marks, list(without.items()))


def letter(place: int) -> str:
    """a, b, …, z, aa, ab, …"""
    before, here = divmod(place, len(MARKS))
    return (letter(before - 1) if before else "") + MARKS[here]


def by_place(rows: list) -> list:
    """[(where the claims stand in the paper, rows)]; places with few of them go together."""
    counts, found = Counter(row["claim"].where for row in rows), {}
    for row in rows:
        place = row["claim"].where
        found.setdefault(place if counts[place] >= FEWEST_ROWS else "Elsewhere", []).append(row)
    return sorted(found.items(), key=lambda table: table[0] == "Elsewhere")


def facts(paper: Any, verdicts: Any) -> Any:
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


def claim_row(claim: Any, judged: list, inferred: Any) -> Any:
    """One row of the claims table; baselines once, or by mode (code / paper / sound) where the modes differ."""
    names = dict.fromkeys(name for judgement in judged for name, _ in judgement.baselines)
    baselines = []
    for name in names:
        by_mode = [dict(judgement.baselines).get(name) for judgement in judged]
        values = ["–" if value is None else text.number(value) for value in by_mode]
        same = len({value for value in values if value != "–"}) == 1
        baselines.append((text.words(name), min(values, key="–".__eq__) if same else " / ".join(values)))
    return {"claim": claim, "cells": [cell(judgement) for judgement in judged], "baselines": baselines,
            "inferred": inferred, "judged": any(map(is_judged, judged)), "printed": claim.reported_text,
            "measured": any(judgement.mean is not None for judgement in judged),
            "tones": " ".join(dict.fromkeys(tone(judgement.word) for judgement in judged if is_judged(judgement)))}


def is_judged(judgement: Any) -> bool:
    """Whether a mode says more than a value: not with too few seeds, other data or a model that learnt nothing."""
    few = judgement.word == "undecided" and len(judgement.seeds) < FEWEST_SEEDS and not judgement.by_groups
    return not few and judgement.word in (*VERDICTS, "withheld")


def cell(judgement: Any) -> dict:
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
            "counts": ", ".join(counts), "value": value, "why": judgement.reason or judgement.word}


def value_text(mean: float | None, half: float | None, claim: Any) -> str:
    """A mean and its half interval: as many decimals as the paper printed, or as give the half two digits."""
    _, point, decimals = claim.reported_text.partition(".")
    digits = len(decimals) if point and decimals.isdigit() and abs(mean) >= 10.0 ** -len(decimals) else None
    if half is None:
        return text.number(mean, digits)
    if digits is None and 1e-5 < half < 100:
        digits = max(0, 1 - math.floor(math.log10(half)))
    return f"{text.number(mean, digits)} ± {text.number(half, digits)}"


def tone(word: str) -> str:
    """yes, no, open or none: how a verdict word is coloured and counted."""
    return TONES.get(word, "none")


def tally(judged: Any) -> Any:
    """How often one mode gives each verdict word: [(tone, word, count)], verdicts before the rest."""
    counts = Counter(judgement.word for judgement in judged)
    return sorted(((tone(word), word, count) for word, count in counts.items()),
                  key=lambda row: (TONE_ORDER.index(row[0]), row[1]))


