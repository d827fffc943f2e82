"""Reading claims.csv and results.json: their columns, rules and needs, checked line by line.

What rules and needs mean stands in `common.claims`, which judges by them.
"""

import csv
import dataclasses
import hashlib
import json
import re
from pathlib import Path

from common.errors import ClaimsError

COLUMNS = ("id", "where", "kind", "claim", "reported", "unit", "needs", "rule")
KINDS = ("number", "finding", "fact")
FOLLOWS = ("code", "paper", "sound")
EVIDENCE = ("published", "other", "demo")
RULES = "within X, at least X, at most X, interval > X, interval < X, abs <= X"

_NUMBER = r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"
_RULE = re.compile(rf"(within|at least|at most|interval >|interval <|abs <=)\s*{_NUMBER}")
_NEED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\s*(>=|<=|=)\s*([^=<>]+)")


@dataclasses.dataclass(frozen=True)
class Claim:
    """One row of claims.csv; `threshold` is the rule's X, `reported` is None where the paper prints no number."""

    id: str
    where: str
    kind: str
    claim: str
    reported: float | None
    unit: str
    needs: tuple[tuple[str, str, str], ...]
    rule: str
    threshold: float | None
    reported_text: str = ""
    rule_text: str = ""


def read_claims(path: Path | str) -> list[Claim]:
    """Read and check a claims.csv; returns a list of Claim in file order. Raises ClaimsError listing every bad row."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ClaimsError(f"{path}: cannot be read ({error}); every paper needs its claims.csv") from None
    reader = csv.DictReader(text.splitlines(keepends=True))
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise ClaimsError(f"{path}: the first line must be {','.join(COLUMNS)}")
    claims, problems, seen = [], [], set()
    for row in reader:
        try:
            claim = _parse_row(row)
            if claim.id in seen:
                raise ValueError(f"id {claim.id!r} appears twice")
            seen.add(claim.id)
            claims.append(claim)
        except ValueError as error:
            problems.append(f"{path} line {reader.line_num}: {error}")
    if problems:
        raise ClaimsError("\n".join(problems))
    return claims


def _parse_row(row):
    if None in row or None in row.values():
        raise ValueError(f"a row has {len(COLUMNS)} cells; put quotes around a text with a comma")
    row = {key: value.strip() for key, value in row.items()}
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", row["id"]):
        raise ValueError(f"id {row['id']!r} must be letters, digits, '.', '_' and '-'")
    if row["kind"] not in KINDS:
        raise ValueError(f"kind {row['kind']!r} is none of {', '.join(KINDS)}")
    if not row["claim"]:
        raise ValueError(f"{row['id']}: the claim is empty")
    try:
        reported = float(row["reported"]) if row["reported"] else None
    except ValueError:
        raise ValueError(f"{row['id']}: reported {row['reported']!r} is no number (a share is 0.911)") from None
    rule, threshold = "", None
    if row["rule"]:  # an empty rule is for what the paper shows without a number (a lost figure): never judged
        match = _RULE.fullmatch(row["rule"])
        if not match:
            raise ValueError(f"{row['id']}: rule {row['rule']!r} is none of: {RULES}")
        rule, threshold = match[1], float(match[2])
        if rule in ("within", "abs <=") and threshold < 0:
            raise ValueError(f"{row['id']}: rule {row['rule']!r} needs a distance of 0 or more")
        if rule == "within" and reported is None:
            raise ValueError(f"{row['id']}: rule 'within' needs a reported number")
    return Claim(row["id"], row["where"], row["kind"], row["claim"], reported, row["unit"], _parse_needs(row), rule,
                 threshold, row["reported"], row["rule"])


def _parse_needs(row):
    needs = []
    for part in filter(None, (part.strip() for part in row["needs"].split(";"))):
        match = _NEED.fullmatch(part)
        if not match:
            raise ValueError(f"{row['id']}: need {part!r} is not key=value, key>=number or key<=number")
        key, comparison, value = match[1], match[2], match[3].strip()
        allowed = {"follow": FOLLOWS, "evidence": EVIDENCE}.get(key)
        if allowed and (comparison != "=" or any(one not in allowed for one in value.split("|"))):
            raise ValueError(f"{row['id']}: need {part!r} must name one of {', '.join(allowed)}")
        if key == "learnt" and comparison != "=":
            raise ValueError(f"{row['id']}: need {part!r} must be learnt=<model>")
        if key == "seeds" and (comparison != ">=" or not value.isdigit()):
            raise ValueError(f"{row['id']}: need {part!r} must be seeds>=n")
        if comparison != "=" and not re.fullmatch(_NUMBER, value):
            raise ValueError(f"{row['id']}: need {part!r} compares with no number")
        needs.append((key, comparison, value))
    return tuple(needs)


def sha256(path: Path | str) -> str:
    """SHA-256 of a file as hexadecimal: the fingerprint of claims.csv that `evaluate` stores with its results."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def check_results(results: dict, claims: list[Claim], source: Path | str = "results") -> None:
    """Raise ClaimsError where a result key is in no row of claims.csv or an entry is neither a value nor a reason."""
    known = {claim.id for claim in claims}
    unknown = sorted(set(results) - known)
    if unknown:
        raise ClaimsError(f"{source}: {', '.join(unknown)} not in claims.csv; add the row or correct the key")
    for key, entry in results.items():
        if not isinstance(entry, dict) or not ("value" in entry or entry.get("not_testable")):
            raise ClaimsError(f'{source}: {key} must be {{"value": …}} or {{"not_testable": reason}}')
        value = entry.get("value")
        if isinstance(value, bool) or not isinstance(value, int | float | None):
            raise ClaimsError(f"{source}: the value of {key} is {entry['value']!r}, not a number")


def read_results(path: Path | str, claims: list[Claim] | None = None) -> dict:
    """Read one results.json (a dict as in DESIGN) and check it; raises ClaimsError with the file's name.

    With `claims` (list of Claim), every result key must have its row.
    """
    path = Path(path)
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ClaimsError(f"{path}: cannot be read ({error}); evaluate the run again") from None
    if not isinstance(run, dict):
        raise ClaimsError(f"{path}: not a results file; evaluate the run again")
    missing = [key for key in ("paper", "corpus", "preset", "follow", "seed", "complete", "claims_sha256", "results")
               if key not in run]
    if missing:
        raise ClaimsError(f"{path}: lacks {', '.join(missing)}; evaluate the run again")
    if not isinstance(run["corpus"], dict) or run["corpus"].get("evidence") not in EVIDENCE:
        raise ClaimsError(f"{path}: the corpus' evidence is none of {', '.join(EVIDENCE)}; evaluate the run again")
    if run["follow"] not in FOLLOWS or not isinstance(run["seed"], int) or not isinstance(run["results"], dict):
        raise ClaimsError(f"{path}: follow, seed or results is not as it should be; evaluate the run again")
    if claims is not None:
        check_results(run["results"], claims, path)
    return run
