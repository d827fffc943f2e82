"""Claims, results, verdicts: the only place where a result is compared with what a paper printed.

A paper's `claims.csv` (`common.claims_file`) has one row for every number, finding and fact; each row carries the rule
by which it is judged, written before the run:

    within X        the mean over the seeds is at most X away from `reported`: for "is"
    at least X      the mean over the seeds is X or more: for a printed "more than", "upwards of"
    at most X       the same, X or less: for "less than", "under"
    interval > X    the 95 % interval lies above X (fails: at or below it; else undecided)
    interval < X    the same, below

where the interval is over seeds and, if results hold values by group (`findings.by_group`), over the groups of the test
set too (`common.intervals`): fewer than three seeds then say "seen once", "not seen once" (real data: "holds once",
"fails once") by the groups alone. Without groups, or with fewer than eight, the interval is Student's t over seeds, and
fewer than three seeds leave a finding undecided.

    abs <= X        the value of every seed is at most X in magnitude

`needs` lists what must be so before the rule is applied, parts joined by `;`: `corpus=gtzan`, `preset=full`,
`seeds>=3`, `follow=code` (alternatives joined by `|`), `evidence=published`, `learnt=<model>`, and any other
`key=value`, `key>=number` or `key<=number`, which is looked up in the facts that the result, the run or its corpus
states. `learnt=musae` is met where results.json says under "learnt" that this model beats the trivial predictor on
held-out data: {"musae": {"what": "held-out accuracy", "value": 0.81, "baseline": 0.31, "learnt": true}}. Unmet, the
claim is not testable, with both values: what a model that learnt nothing does is no finding about the paper.

Nothing here knows TensorFlow, a paper, or a page.
"""

import dataclasses
import math
import re
import sys
from collections.abc import Callable, Iterable

from common import intervals
from common.claims_file import (
    COLUMNS,
    EVIDENCE,
    FOLLOWS,
    KINDS,
    RULES,
    Claim,
    check_results,
    read_claims,
    read_results,
    sha256,
)
from common.errors import ClaimsError
from common.intervals import FEWEST_GROUPS, FEWEST_SEEDS, mean as _mean, t_interval

__all__ = ["COLUMNS", "EVIDENCE", "FOLLOWS", "KINDS", "RULES", "VERDICTS", "Claim", "ClaimsError", "Judgement",
           "check_results", "judge", "read_claims", "read_results", "sha256", "t_interval"]  # fmt: skip

ONCE = {word: f"{word} once" for word in ("holds", "fails", "seen", "not seen")}  # said of one run, or two
FIGURE = re.compile(r"(?<![\w.-])-?\d[\d,]*(\.\d+)?(e[+-]?\d+)?(?![\w-])")  # not the numbers of names, as in ali-128
VERDICTS = ("matches", "differs", "holds", "fails", "seen", "not seen", "undecided", *ONCE.values())


@dataclasses.dataclass(frozen=True)
class Judgement:
    """What one mode says about one claim: a verdict word, its reason, and the values behind it.

    `mean` is None without a usable value; `low` and `high` are the 95 % interval over seeds, or over `groups` and seeds
    where `by_groups`. `groups` and `groups_of`, `n` and `of` say over how many of what a value was taken; `baselines`
    are means over the same seeds. Partial seeds are left out of `seeds` while a complete one is there.
    """

    claim: Claim
    follow: str
    word: str
    reason: str = ""
    seeds: tuple[int, ...] = ()
    values: tuple[float, ...] = ()
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    by_groups: bool = False
    groups: int | None = None
    groups_of: str = ""
    n: int | None = None
    of: str = ""
    baselines: tuple[tuple[str, float], ...] = ()
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.word} ({self.reason})" if self.reason else self.word


def judge(claims: list[Claim], runs: list[dict], claims_sha256: str, settings_sha256: Callable | None = None,
          sizes: Iterable[str] = (), withheld: dict | None = None, too_small: dict | None = None) -> dict:
    """Verdicts of one mode: `runs` are the result dicts of its seeds (same corpus, preset and follow).

    `claims_sha256` is that of claims.csv today; `settings_sha256` that of the resolved settings today, or a function
    of a run that returns it (None: not compared); `sizes` names the settings that a run may override and still be asked
    the same question: longer or larger; `too_small` {kind: why no real data is judged at these sizes}
    (`sizes.too_small`);
    `withheld` what `standing.withheld` says of the runs. Returns {claim id: Judgement} in the order of `claims`.
    Raises ClaimsError for runs that do not belong together and for result keys that claims.csv lacks.
    """
    runs = sorted(runs, key=lambda run: run["seed"])
    for key in ("paper", "follow", "preset"):
        if len({run[key] for run in runs}) > 1:
            raise ClaimsError(f"runs of different {key} cannot be judged together")
    if len({(run["corpus"]["name"], run["corpus"].get("fingerprint")) for run in runs}) > 1:
        raise ClaimsError("runs on different corpora (or states of one) cannot be judged together; evaluate again")
    if len({run["seed"] for run in runs}) < len(runs):
        raise ClaimsError("two runs have the same seed")
    for run in runs:
        check_results(run["results"], claims, f"{run['paper']} {run['follow']} seed {run['seed']}")
    withheld, changed = withheld or {}, _changed(runs, claims_sha256, settings_sha256)
    return {claim.id: _judge_one(claim, runs, withheld.get("") or withheld.get(claim.id) or changed,
                                 {"ablations", *sizes}, (too_small or {}).get(claim.kind)) for claim in claims}


def _changed(runs, claims_sha256, settings_sha256):
    """Why the verdicts must be withheld, or an empty string."""
    for run in runs:
        if run["claims_sha256"] != claims_sha256:
            return f"claims.csv changed after seed {run['seed']} was evaluated; evaluate again"
        today = settings_sha256(run) if callable(settings_sha256) else settings_sha256
        if today is not None and run.get("settings_sha256") != today:
            return f"the settings changed after seed {run['seed']} was trained; train again"
    return ""


def _judge_one(claim, runs, changed, sizes, too_small):
    follow = runs[0]["follow"] if runs else ""
    rows = [(run, run["results"][claim.id]) for run in runs if claim.id in run["results"]]
    unmet_follow = [value for key, _, value in claim.needs if key == "follow" and follow not in value.split("|")]
    if unmet_follow:
        return Judgement(claim, follow, _closed(claim), f"asked of {unmet_follow[0].replace('|', ' and ')} only")
    if not rows:
        return Judgement(claim, follow, "not run")
    complete = [(run, entry) for run, entry in rows if run["complete"]]
    partial, rows = not complete, complete or rows
    absent = [str(run["seed"]) for run in runs if run["complete"] and claim.id not in run["results"]]
    notes = (f"no result of seed {', '.join(absent)}",) if absent and not partial else ()
    facts = dict(_summary(claim, follow, rows), notes=notes)

    blocked = [f"seed {run['seed']}: {entry['not_testable']}" for run, entry in rows if entry.get("not_testable")]
    if len(blocked) == len(rows) and len({entry["not_testable"] for _, entry in rows}) == 1:
        blocked = [rows[0][1]["not_testable"]]
    if blocked:
        return Judgement(word=_closed(claim), reason="; ".join(blocked), **facts)
    broken = [str(run["seed"]) for run, entry in rows if not _finite(entry["value"])]
    if broken:
        return Judgement(word=_closed(claim), reason=f"the value of seed {', '.join(broken)} is not a number", **facts)
    if partial:
        steps = ", ".join(f"seed {run['seed']} at step {run.get('step', '?')}" for run, _ in rows)
        return Judgement(word=_closed(claim, "undecided"), reason=f"partial run: {steps}", **facts)
    word, reason = _verdict(claim, rows, facts, sizes, too_small)
    if changed and word in VERDICTS:
        word, reason = "withheld", changed
    return Judgement(word=word, reason=reason, **facts)


def _finite(value):
    return value is not None and math.isfinite(value)


def _closed(claim, word="not testable"):
    """The word for a claim that cannot be judged: a number is then never compared with the printed one."""
    return "not comparable" if claim.kind == "number" else word


def _summary(claim, follow, rows):
    values = [entry["value"] for _, entry in rows if _finite(entry.get("value"))]
    mean = _mean(values) if values else None
    low, high, by_groups, groups, of = _interval(rows, values)
    names = dict.fromkeys(name for _, entry in rows for name in entry.get("baselines") or {})
    baselines = []
    for name in names:
        found = [(entry.get("baselines") or {}).get(name) for _, entry in rows]
        found = [value for value in found if _finite(value)]
        baselines.append((name, _mean(found) if found else math.nan))
    entry = rows[0][1]
    return {"claim": claim, "follow": follow, "seeds": tuple(run["seed"] for run, _ in rows), "values": tuple(values),
            "mean": mean, "low": low, "high": high, "by_groups": by_groups, "groups": groups, "groups_of": of,
            "n": entry.get("n"), "of": entry.get("of", ""), "baselines": tuple(baselines)}


def _interval(rows, values):
    """(low, high, whether over groups, how many groups, what they are)."""
    found = [entry.get("groups") for _, entry in rows if _finite(entry.get("value"))]
    if not found or not all(found):
        return *t_interval(values), False, None, ""
    count = len({name for groups in found for name in groups["names"]})
    if count < FEWEST_GROUPS:
        return *t_interval(values), False, count, found[0]["of"]
    return *intervals.of_groups(found), True, count, found[0]["of"]


def _verdict(claim, rows, facts, sizes, too_small):
    run = rows[0][0]
    evidence = run["corpus"]["evidence"]
    if not claim.rule:
        return _closed(claim), "the paper gives nothing to measure against"
    if claim.kind != "fact":  # a fact is true on any data, at any size; ablations add models and change none
        if claim.kind == "number" and evidence != "published":
            return "not comparable", "synthetic data" if evidence == "demo" else "another corpus than the paper's"
        if claim.kind == "number" and run["preset"] != "full":
            return "not comparable", f"preset {run['preset']} is smaller than the paper's run"
        if too_small and evidence != "demo":
            return _closed(claim), too_small
        groups = _fact("groups_per_class", *rows[0])
        if groups is not None and float(groups) <= 1:
            return _closed(claim), "one group per class: a split by group is not possible"
        overridden = sorted({name for other, _ in rows for name in other.get("overrides") or {}} - sizes)
        if overridden:
            return _closed(claim), f"settings overridden: {', '.join(overridden)}"
    unmet, few = [], False
    for need in claim.needs:
        if need[0] == "seeds":
            few = few or len(rows) < int(need[2])
        else:
            unmet += filter(None, (_unmet(need, *row) for row in rows))
    if unmet:
        return _closed(claim), "; ".join(_alike(unmet))
    over = claim.rule.startswith("interval")
    once = over and facts["by_groups"] and len(rows) < FEWEST_SEEDS
    if not once and (few or (over and len(rows) < FEWEST_SEEDS)):
        said = f"{len(rows)} seed{'s' if len(rows) > 1 else ''}"
        return "undecided", said + (f", {facts['groups']} {facts['groups_of']}" if over and facts["groups"] else "")
    word, reason = _apply(claim, facts)
    if claim.kind == "number":
        word = {"holds": "matches", "fails": "differs"}.get(word, word)
    elif claim.kind == "finding" and evidence == "demo":
        word = {"holds": "seen", "fails": "not seen"}.get(word, word)
    return (ONCE.get(word, word) if once else word), reason


def _alike(reasons):
    """Each reason once; of those that differ in their figures only, the first, and how many more there are."""
    found = {}
    for reason in dict.fromkeys(reasons):
        found.setdefault(FIGURE.sub("", reason), []).append(reason)
    return [first + (f" (and {len(rest)} like it)" if rest else "") for first, *rest in found.values()]


def _apply(claim, facts):
    limit, low, high = claim.threshold, facts["low"], facts["high"]
    if claim.rule == "within":
        # 1e-9: 0.911 and 0.911 - 0.02 are not exact in binary; a printed edge counts as inside
        inside = abs(facts["mean"] - claim.reported) <= limit + 1e-9 * max(1.0, abs(claim.reported))
        return ("holds" if inside else "fails"), ""
    room = 1e-9 * max(1.0, abs(limit))  # a difference of two equal means may be 1e-15: that is on the limit
    if claim.rule in ("at least", "at most"):
        met = facts["mean"] >= limit - room if claim.rule == "at least" else facts["mean"] <= limit + room
        return ("holds" if met else "fails"), ""
    if claim.rule == "abs <=":
        return ("holds" if max(abs(value) for value in facts["values"]) <= limit else "fails"), ""
    above = claim.rule == "interval >"
    if (low > limit + room) if above else (high < limit - room):
        return "holds", ""
    if (high <= limit + room) if above else (low >= limit - room):
        return "fails", ""
    return "undecided", f"the interval contains {limit:g}"


def _fact(key, run, entry):
    """A fact's value from the result, else the run, else its corpus; None where nobody states it."""
    corpus = run["corpus"]
    for place in (entry.get("facts"), run.get("facts"), corpus.get("facts"), corpus):
        if isinstance(place, dict) and place.get(key) is not None:
            return place[key]
    return None


def _unmet(need, run, entry):
    """Why a need is not met by one result, or an empty string."""
    key, comparison, wanted = need
    asked = f"needs {key}{comparison}{wanted}"
    if key == "learnt":
        return _not_learnt(wanted.split("|"), run.get("learnt") or {}, asked)
    if key == "corpus":
        found = run["corpus"]["name"]
    elif key in ("evidence", "preset"):
        found = run["corpus"]["evidence"] if key == "evidence" else run["preset"]
    elif key == "follow":
        return ""  # asked before anything else
    else:
        found = _fact(key, run, entry)
    if found is None:
        return f"{asked}, which the run does not state"
    if comparison == "=":
        texts = {str(found), str(found).lower()}
        return "" if texts & set(wanted.split("|")) else f"{asked}, this is {found}"
    try:
        met = float(found) >= float(wanted) if comparison == ">=" else float(found) <= float(wanted)
    except (TypeError, ValueError):
        met = False
    return "" if met else f"{asked}, this is {found}"


def _not_learnt(models, stated, asked):
    """Why none of `models` is known to have learnt, or an empty string."""
    found = [(model, stated[model]) for model in models if model in stated]
    if not found:
        return f"{asked}, which the run does not state"
    if any(check["learnt"] for _, check in found):
        return ""
    model, check = found[0]
    return (f"the model did not learn: {model}, {check.get('what', 'held out')} {check['value']:.3g} "
            f"against {check['baseline']:.3g}")


def main(arguments: list[str]) -> int:
    """`python -m common.claims FILE…` checks claims files and counts their rows; exit 1 where one is wrong."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print("usage: python -m common.claims papers/<paper>/claims.csv …\n\n"
              f"Checks claims files: columns, kinds, needs, and rules ({RULES}).")
        return 0 if arguments else 2
    failed = False
    for path in arguments:
        try:
            claims = read_claims(path)
            print(f"{path}: " + ", ".join(f"{sum(c.kind == kind for c in claims)} {kind}s" for kind in KINDS))
        except ClaimsError as error:
            print(error, file=sys.stderr)
            failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
