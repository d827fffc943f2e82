"""Claim id -> how it is computed, by data set; every function takes an Evaluation (measures.py). No TensorFlow."""

from common.findings import by_group
from papers.lord_transfer import findings_genre, findings_instruments
from papers.lord_transfer.exceeding import exceeds
from papers.lord_transfer.measures import Evaluation


def leak(run: Evaluation) -> dict:
    """A-leak: how much better than chance and than on an untrained encoder's code a linear probe names the class.

    Both codes get the noise of training first: what lies under it no generator can learn to read.
    """
    model = run.first
    return exceeds(model.probe["noisy"].astype(float), {
        "chance": model.heard.chance, "untrained encoder": model.probe["untrained"].astype(float)}, model.groups,
        without_noise=model.probe["clean"].mean())


def inversion(run: Evaluation) -> dict:
    """R-inversion: what the pseudo-inverse costs, in dB, where Griffin-Lim follows it and the other alike."""
    found = run.first.inversion
    return by_group(found["pinv"] - found["nonnegative"], run.first.groups[found["picked"]], "recordings",
                    {name: found[name].mean() for name in ("pinv", "nonnegative")})


EVERYWHERE = {"A-leak": leak, "R-inversion": inversion}
FINDINGS = {
    "fma_medium": findings_genre.FINDINGS | EVERYWHERE,
    "medley_solos_db": findings_instruments.MEDLEY | EVERYWHERE,
    "folder": findings_instruments.LONG_RECORDINGS | findings_genre.JOINING | EVERYWHERE,
}
