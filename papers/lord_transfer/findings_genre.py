"""Genre transfer (sec. 2.3.4, 2.3.5 and 3): claim id -> function of what a run measured."""

from functools import partial

import numpy as np

from common.findings import NotTestable, by_group
from papers.lord_transfer import findings_comparisons
from papers.lord_transfer.controls import BLIND, PICTURES, SOURCE
from papers.lord_transfer.exceeding import UNTRAINED, above_identity, exceeds, listened, mean_of, to_own_class
from papers.lord_transfer.measures import Evaluation, Measured

PAIRS = ("Instrumental-Pop", "Classical-Pop", "Rock-Folk")  # sec. 2.3.1


def of_pair(run: Evaluation, pair: str) -> Measured:
    """The measured model of a genre pair."""
    if pair not in run.models:
        raise NotTestable(f"this run's pairs are {run.config.genre_pairs}")
    return run.models[pair]


def identity(run: Evaluation, pair: str) -> dict:
    """G1-identity: identity outputs heard as their genre, above the best picture of the genre that is so heard."""
    model = of_pair(run, pair)
    heard = listened(model)
    own = {name: to_own_class(model.judged[name].hits, heard) for name in ("transfers", *PICTURES, UNTRAINED)}
    return exceeds(own.pop("transfers"), {"chance": heard.chance} | own, heard.groups, accuracy=heard.accuracy)


def transfer(run: Evaluation, pair: str) -> dict:
    """G1-transfer: transfers heard as the target minus identity outputs so heard."""
    model = of_pair(run, pair)
    heard = listened(model)
    return by_group(above_identity(heard), heard.groups, "tracks", {
        "transferred": heard.transferred, "identity": heard.false_identity, "chance": heard.chance,
        "classifier on real clips": heard.accuracy,
        **{name: mean_of(model, "hits", name) for name in (*BLIND, *SOURCE)}})


def identity_error(run: Evaluation) -> dict:
    """G2: identity error over that of the class-mean spectrogram, mean over the pairs."""
    ratios = [model.errors.mean() / model.mean_errors.mean() for model in run.models.values()]
    return {"value": float(np.mean(ratios)), "n": sum(len(model.errors) for model in run.models.values()),
            "of": "clips", "baselines": {"class_mean": 1.0}}


def tracks_of(run: Evaluation) -> tuple[list[dict], list[str]]:
    """Joining measures of the first model's held-out tracks, and the tracks' names."""
    if not run.first.tracks:
        raise NotTestable("no held-out track is two windows long")
    return run.first.tracks, run.first.track_groups


def seam(run: Evaluation) -> dict:
    """S1: change at the seams of concatenation over the median elsewhere."""
    tracks, groups = tracks_of(run)
    return by_group([track["seam"]["concatenation"] for track in tracks], groups, "tracks", {"no_seam": 1.0})


def smoother(run: Evaluation) -> dict:
    """S2: largest change over an overlap over the median elsewhere, concatenation minus cross-fade."""
    tracks, groups = tracks_of(run)
    both = {name: np.array([track["overlap"][name] for track in tracks]) for name in ("concatenation", "cross-fade")}
    return by_group(both["concatenation"] - both["cross-fade"], groups, "tracks",
                    {name: found.mean() for name, found in both.items()})


def blended(run: Evaluation) -> dict:
    """S2: error to the input inside the overlaps over that outside, minus 1."""
    tracks, groups = tracks_of(run)
    return by_group(np.array([track["blend"] for track in tracks]) - 1, groups, "tracks")


def one_column(run: Evaluation, name: str) -> dict:
    """S3 and S4: a measure of the sound with one column kept of each window minus that with all."""
    tracks, groups = tracks_of(run)
    counts = sorted(tracks[0][name])
    found = {count: np.array([track[name][count] for track in tracks]) for count in counts}
    return by_group(found[counts[0]] - found[counts[-1]], groups, "tracks",
                    {f"columns {count}": values.mean() for count, values in found.items()})


JOINING = {"S1": seam, "S2-smooth": smoother, "S2-quality": blended, "S3": partial(one_column, name="distance"),
           "S4": partial(one_column, name="inconsistency")}
OF_PAIRS = {f"G1-{what}-{pair.lower()}": partial(finding, pair=pair)
            for what, finding in (("identity", identity), ("transfer", transfer)) for pair in PAIRS}
FINDINGS = JOINING | OF_PAIRS | {"G2": identity_error} | findings_comparisons.GENRE
