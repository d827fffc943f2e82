"""What a comparison of two models asks before it says anything: COMPARED, claim -> the two, and both must have learnt.

The needs of claims.csv ask it of one model at least, or name each by itself. Not asked here of what a setting costs
(S-beta, S-latent) and of another start (G3): a model that has learnt nothing there is the answer.
"""

from papers.musae.findings import HIERARCHICAL, QUOTED
from papers.musae.measured import FLOWER, GAUSSIAN
from papers.musae.measures import COLUMNS

COMPARED: dict[str, tuple[str, str]] = {
    **{f"M{1 + (kind == HIERARCHICAL)}-{cell}": (model, rival) for kind, model, rival, _, cell in QUOTED},
    **{f"Q1-{column}": (FLOWER, GAUSSIAN) for column in COLUMNS},
    **{f"C1-{control}": (FLOWER, f"{FLOWER}@{control}") for control in ("beta-0", "one-petal", "shuffled-tags")},
    "F4d": (FLOWER, GAUSSIAN),
}


def unmet(models: tuple[str, str], learnt: dict[str, dict]) -> str:
    """Why a comparison of these models says nothing, or an empty string."""
    for name in models:
        one = learnt[name]
        if not one["learnt"]:
            return f"the model did not learn: {name}, {one['what']}, {one['value']:.3g} against {one['baseline']:.3g}"
    return ""


def asked(results: dict[str, dict], learnt: dict[str, dict]) -> dict[str, dict]:
    """The same results; a comparison with a model that has not learnt keeps its value and says why it is not judged."""
    found = dict(results)
    for claim, models in COMPARED.items():
        if "value" in results[claim] and (reason := unmet(models, learnt)):
            found[claim] = results[claim] | {"not_testable": reason}
    return found
