"""From what a paper measured to the entries of results.json: one function a claim, reasons where there is no answer.

A paper's `findings.py` holds `FINDINGS`, claim id -> function of its measured arrays; `collect` runs them all.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from common.errors import EncoreError


class NotTestable(EncoreError):
    """Raised by a finding that these data or this run cannot answer; the message is the reason shown on the page."""


def collect(findings: dict, measured: Any) -> dict:
    """Results by claim id.

    Args:
        findings: claim id -> function of `measured` that returns a number, or an entry {"value": …, "n": …, "of": …,
            "baselines": {…}, "groups": {…}}, or raises NotTestable.

    Returns: {claim id: {"value": …} or {"not_testable": reason}}, in the order of `findings`.
    """
    results = {}
    for claim, finding in findings.items():
        try:
            entry = finding(measured)
        except NotTestable as reason:
            entry = {"not_testable": str(reason)}
        results[claim] = entry if isinstance(entry, dict) else {"value": float(entry)}
    return results


def where_learnt(results: dict, models: dict[str, tuple[str, ...]], learnt: dict) -> dict:
    """The same results; a claim of `models` keeps its value, and says why it is not judged unless each of them learnt.

    `learnt=a|b` in claims.csv asks for one of them. What compares two networks needs both.

    Args:
        models: claim id -> names of the models it is about. learnt: as in results.json, model -> {"what", "value",
            "baseline", "learnt"}; a model that is not in it has not learnt.
    """
    found = dict(results)
    for claim, names in models.items():
        unmet = [name for name in names if not learnt.get(name, {}).get("learnt")]
        if "value" in results.get(claim, {}) and unmet:
            one = learnt.get(unmet[0])
            reason = f"whether {unmet[0]} learnt is not known" if one is None else (
                f"the model did not learn: {unmet[0]}, {one['what']}, {one['value']:.3g} against {one['baseline']:.3g}")
            found[claim] = results[claim] | {"not_testable": reason}
    return found


def by_group(values: Sequence[float] | np.ndarray, groups: Sequence | np.ndarray, of: str,
             baselines: dict | None = None) -> dict:
    """The entry of a mean over items, with its parts by group: track, song, work or artist, what the split keeps whole.

    For a claim that compares two models give the difference of each item, so that the comparison is paired.

    Args:
        values: (items,) float. groups: (items,) names. of: what the groups are called, in the plural ("tracks").
        baselines: (name -> number), on the same items.

    Returns: {"value": mean over items, "n": items, "groups": {"of", "names", "values": mean of each group, "weights":
        its items}, "baselines"}.

    Raises:
        NotTestable: without items.
    """
    values, groups = np.asarray(values, float), np.asarray(groups)
    if not len(values):
        raise NotTestable("no item to measure on")
    names, place, weights = np.unique(groups, return_inverse=True, return_counts=True)
    means = np.bincount(place, weights=values) / weights
    return {"value": float(values.mean()), "n": len(values),
            "groups": {"of": of, "names": [str(name) for name in names], "values": means.tolist(),
                       "weights": weights.tolist()}, "baselines": baselines or {}}
