"""The story of a paper: what it said, and what came out in sentences that follow the verdicts.

A paper's `story.toml` holds what is said, never what came out: `said`, what the paper claims, and `learns`, both
without a number; `matters`, the claim whose sentence stands for the paper in the README; `hear`, how the title of the
section of media begins that is played first, `baseline` that of the section whose rows are played beside it, where
baselines stand apart; `[figure]`, the `claim` that is drawn, in `own` which of its baselines is the model where its
value is a difference, in `beside` which are drawn (else all); and up to fifteen `[[headline]]` tables:

    claim = "R16b"            # its id in claims.csv
    follow = "sound"          # the mode whose verdict is told
    holds = "…"               # told where it matches, holds or is seen
    fails = "…"               # told where it differs, fails or is not seen
    whether = "…"             # told where it cannot be said: "Whether … is undecided: 1 seed"
    fault = "splits"          # only where FINDINGS.md is to tell it: the block of that name

`[[finding]]` tables are the same, for FINDINGS.md alone. Headlines without sentences stand in the table alone. In
sentences {value}, {interval}, {n}, {groups}, {code}, {paper}, {sound} and the names of baselines stand for what was
measured, {limit} for the rule's limit, {reported} for what a fact is compared with; {value %} is a percentage.
"""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from common.claims import ONCE
from common.errors import ClaimsError
from common.report import rows, text

MOST_HEADLINES, FEWEST_SENTENCES, MOST_SENTENCES = 15, 5, 8
CANNOT = {"undecided": "is undecided", "withheld": "is withheld", "not run": "has not been asked yet"}


@dataclass(frozen=True)
class Headline:
    """One of a paper's most important claims, and how its verdict in one mode is told; see the module."""

    claim: str
    follow: str
    holds: str = ""
    fails: str = ""
    whether: str = ""
    fault: str = ""


@dataclass(frozen=True)
class Story:
    """A paper's story.toml; see the module."""

    said: str
    learns: str
    matters: str
    hear: str
    baseline: str
    figure: str
    own: str
    beside: tuple[str, ...]
    headlines: tuple[Headline, ...]
    findings: tuple[Headline, ...]

    @property
    def told(self) -> list[Headline]:
        """The headlines that are told in a sentence."""
        return [one for one in self.headlines if one.holds]

    @property
    def ids(self) -> list[str]:
        """The headlines' claims, in order."""
        return [one.claim for one in self.headlines]


@dataclass(frozen=True)
class Sentence:
    """What is said of one claim, or of several that share a reason; `tone` is yes, no, open or none."""

    claims: tuple[str, ...]
    text: str
    tone: str
    word: str


class Missing(Exception):
    """A sentence asks for a number that these results do not hold."""


def read(path: Path, claims: Iterable, follows: Iterable) -> Story | None:
    """A paper's story.toml; None where there is no such file.

    Raises:
        ClaimsError: names what is wrong with the file.
    """
    if not path.exists():
        return None
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
        headlines, findings = (tuple(Headline(**row) for row in found.get(name, ()))
                               for name in ("headline", "finding"))
        story = Story(" ".join(found["said"].split()), found["learns"], found["matters"], found["hear"],
                      found.get("baseline", ""), found["figure"]["claim"], found["figure"].get("own", ""),
                      tuple(found["figure"].get("beside", ())),
                      headlines, findings)
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise ClaimsError(f"{path}: {error}; common/report/story.py says what belongs there") from None
    problems = list(_problems(story, {claim.id: claim for claim in claims}, follows))
    if problems:
        raise ClaimsError("\n".join(f"{path}: {problem}" for problem in problems))
    return story


def _problems(story, known, follows):
    if len(story.headlines) > MOST_HEADLINES:
        yield f"{len(story.headlines)} headlines, at most {MOST_HEADLINES}"
    if not FEWEST_SENTENCES <= len(story.told) <= MOST_SENTENCES:
        yield f"{len(story.told)} sentences, {FEWEST_SENTENCES} to {MOST_SENTENCES} belong there"
    every = [one.claim for one in (*story.headlines, *story.findings)]
    if len(set(every)) < len(every):
        yield "a claim is there twice"
    if re.search(r"\d", story.said + story.learns):
        yield "`said` or `learns` holds a digit; numbers come from claims.csv"
    for one in (*story.headlines, *story.findings):
        if one.claim not in known:
            yield f"{one.claim} is not in claims.csv"
        elif one.follow not in follows:
            yield f"{one.claim}: no mode {one.follow}"
        elif len({bool(one.holds), bool(one.fails), bool(one.whether)}) > 1:
            yield f"{one.claim}: holds, fails and whether belong together"
        elif "{reported" in one.holds + one.fails and known[one.claim].kind == "finding":
            yield f"{one.claim}: the printed number of a finding is not told beside one on other data"
    if story.matters not in [one.claim for one in story.told]:
        yield f"matters: {story.matters} is no headline with sentences"
    if story.figure not in story.ids:
        yield f"figure: {story.figure} is no headline"


def sentence(headline: Headline, verdicts: dict) -> Sentence:
    """What is said of one headline.

    Args:
        verdicts: {mode: {claim id: Judgement}}, as a page has them.
    """
    judgement = verdicts[headline.follow][headline.claim]
    tone = rows.tone(judgement.word) if rows.is_judged(judgement) else "none"
    if tone in ("yes", "no"):
        try:
            said = _filled(headline.holds if tone == "yes" else headline.fails, headline, verdicts)
        except Missing as name:
            said = _cannot([(headline, judgement)], "cannot be told", f"these results lack {name}")
            return Sentence((headline.claim,), said, "none", "not told")
        if judgement.word in ONCE.values():
            said += " (One training; another may say otherwise.)"
        return Sentence((headline.claim,), said, tone, judgement.word)
    said = _cannot([(headline, judgement)], *_why(judgement))
    return Sentence((headline.claim,), said, tone, judgement.word)


def sentences(story: Story, verdicts: dict) -> list[Sentence]:
    """The story of one group of runs; what cannot be told for one and the same reason is one sentence."""
    found, together = [], {}
    for one in story.told:
        judgement = verdicts[one.follow][one.claim]
        untold = judgement.reason if rows.tone(judgement.word) == "none" else ""
        together.setdefault(untold, []).append((one, judgement))
        found.append((untold, sentence(one, verdicts)))
    several = {reason: asked for reason, asked in together.items() if reason and len(asked) > 1}
    kept = [said for reason, said in found if reason not in several]
    return kept + [Sentence(tuple(one.claim for one, _ in asked), _cannot(asked, *_why(asked[0][1])), "none",
                            asked[0][1].word) for reason, asked in several.items()]


def _why(judgement) -> tuple[str, str]:
    if judgement.reason == "synthetic data":
        return "is not asked of synthetic music", ""
    return CANNOT.get(judgement.word, "cannot be told"), judgement.reason


def _cannot(asked: list, how: str, reason: str) -> str:
    """Why (headline, judgement) pairs cannot be told."""
    said = []
    for headline, judgement in asked:
        value = rows.cell(judgement)["value"]
        whether = re.sub(r"\{limit( %)?\}", lambda m, limit=judgement.claim.threshold: _shown(limit, m[1]),  # type: ignore[misc]
                         headline.whether)
        said.append(f"whether {whether}" + f" (measured: {value})" * bool(value))
    together = said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"
    return f"{together[0].upper()}{together[1:]} {how}{': ' * bool(reason)}{reason}."


def _filled(template: str, headline: Headline, verdicts: dict) -> str:
    judgement = verdicts[headline.follow][headline.claim]

    def number(match):
        name = match[1].removesuffix(" %")
        if name == "interval":
            return _interval(judgement)
        return _shown(_looked_up(name, judgement, verdicts), match[1].endswith(" %"))

    return re.sub(r"\{([^{}]+)\}", number, " ".join(template.split()))


def _shown(value: float, share) -> str:
    return f"{100 * value:.0f} %".replace("-", "−") if share else text.number(value)


def _interval(judgement) -> str:
    if judgement.low is None:
        raise Missing("an interval")
    return f"95 % interval {text.number(judgement.low)} to {text.number(judgement.high)}"


def _looked_up(name: str, judgement, verdicts: dict) -> float:
    """The number that a name in braces stands for."""
    if name in verdicts:
        value = verdicts[name][judgement.claim.id].mean
    elif name in ("n", "groups"):
        value = getattr(judgement, name)
    elif name in ("value", "reported", "limit"):
        claim = judgement.claim
        value = {"value": judgement.mean, "reported": claim.reported, "limit": claim.threshold}[name]
    else:
        value = dict(judgement.baselines).get(name)
    if value is None or value != value:
        raise Missing(name)
    return value
