"""Claim id -> how it is computed, by data set; every function takes an Evaluation (measures.py). No TensorFlow."""

from common.findings import by_group
from papers.lord_transfer import findings_genre, findings_instruments


def leak(run):
    """A-leak: how much better than chance a linear probe names the class from the content code."""
    model = run.first
    chance = model.heard.chance
    return by_group(model.probe - chance, model.groups, "recordings", {"probe": model.probe.mean(), "chance": chance})


def inversion(run):
    """R-inversion: what the pseudo-inverse costs, in dB."""
    found = run.first.inversion
    return by_group(found["pinv"] - found["nonnegative"], run.first.groups[found["picked"]], "recordings",
                    {name: found[name].mean() for name in ("pinv", "nonnegative")})


EVERYWHERE = {"A-leak": leak, "R-inversion": inversion}
FINDINGS = {
    "fma_medium": findings_genre.FINDINGS | EVERYWHERE,
    "medley_solos_db": findings_instruments.MEDLEY | EVERYWHERE,
    "folder": findings_instruments.LONG_RECORDINGS | findings_genre.JOINING | EVERYWHERE,
}
