"""How each claim of claims.csv is computed: `FINDINGS`, claim id -> function of a `measured.Measured`."""

from functools import partial
from pathlib import Path

import numpy as np

from common import claims
from common.findings import NotTestable, by_group
from papers.musae import measures, prior, train
from papers.musae.measured import ALPHAS, RESAMPLES
from papers.musae.measures import COLUMNS
from papers.musae.model import TRACKS

PRINTED = {claim.id: claim.reported for claim in claims.read_claims(Path(__file__).with_name("claims.csv"))}
TWO, GAUSSIAN, FLOWER = "2bar-gaussian", "16bar-gaussian", "16bar-flower"


# Section 4.2, Table 1


def score(model, column, guess="model"):
    """Accuracy of each measured window (n,) in one column of Table 1."""
    return model.scores[guess][:, COLUMNS.index(column)]


def row(model, guess="model"):
    """A model's row of Table 1, {column: accuracy}."""
    return {column: float(score(model, column, guess).mean()) for column in COLUMNS}


def accuracy(measured, model, column):
    """A cell of Table 1, beside what all-hold and the commonest token of each step reach on the same windows."""
    found = measured.model(model)
    floors = {guess: float(score(found, column, guess).mean()) for guess in ("all_hold", "step_majority")}
    return by_group(score(found, column), found.artists, "artists", floors)


def above_quoted(measured, model, column, quoted):
    """A cell of Table 1 less a cell that the paper quotes for Music VAE."""
    quoted = PRINTED[quoted]
    return {"value": accuracy(measured, model, column)["value"] - quoted, "baselines": {"quoted": quoted}}


def lower_of_two(measured):
    """Q4: the lower of 2-bar drums and melody."""
    return min((accuracy(measured, TWO, column) for column in ("drums", "guitar")), key=lambda entry: entry["value"])


def shorter_is_easier(measured):
    """Q4-16bar: drums, 2 bars less 16."""
    two, sixteen = (accuracy(measured, name, "drums") for name in (TWO, GAUSSIAN))
    return {"value": two["value"] - sixteen["value"], "n": sixteen["n"], "of": "windows"}


def gain(measured, column):
    """Q1: the flower's accuracy less the Gaussian's, paired by window."""
    flower, gaussian = measured.model(FLOWER), measured.model(GAUSSIAN)
    return by_group(score(flower, column) - score(gaussian, column), flower.artists, "artists")


def falling_gain(measured):
    """Q2: the smallest step of the gain from drums over bass and guitar to strings."""
    gains = [gain(measured, track)["value"] for track in TRACKS]
    return {"value": -float(np.diff(gains).max()), "n": len(measured.model(FLOWER).rows), "of": "windows"}


def hardest_track(measured):
    """Q3: the smallest margin of another track over guitar, in both 16-bar models."""
    models = measured.model(GAUSSIAN), measured.model(FLOWER)
    margin = min(_margin(model, "model") for model in models)
    return {"value": margin, "n": len(models[1].rows), "of": "windows",
            "baselines": {"all_hold": _margin(models[1], "all_hold")}}  # fmt: skip


def _margin(model, guess):
    means = {track: float(score(model, track, guess).mean()) for track in TRACKS}
    return min(value for track, value in means.items() if track != "guitar") - means["guitar"]


# Section 4.3


def rising(measured, model):
    """F4a: Spearman's rho of the mean distance to x1 with alpha."""
    path = measured.path(model)
    pairs = np.array([measures.rank_correlation(ALPHAS, curve) for curve in path.first.T])
    beside = {"data": 1.0, "pairs_rising": float((pairs >= 0.9).mean())}
    return {"value": measures.rank_correlation(ALPHAS, path.first.mean(axis=1)), "n": path.first.shape[1],
            "of": "interpolations", "baselines": beside}  # fmt: skip


def nearest_to_data(measured):
    """F4b: how much further than the 2-bar model's curve the next one is from interpolating the data."""
    excess = {
        name: float(np.abs(path.first.mean(axis=1) - ALPHAS * path.apart.mean()).mean())
        for name, path in ((name, measured.path(name)) for name in (TWO, GAUSSIAN, FLOWER))
    }
    return {"value": min(excess[GAUSSIAN], excess[FLOWER]) - excess[TWO], "baselines": excess}


def sharper_than_data(measured):
    """F4b-sharper: rise from alpha 0.25 to 0.75 less half the whole rise, 2-bar model."""
    path = measured.path(TWO)
    curve = path.first.mean(axis=1)
    low, high = np.interp([0.25, 0.75], ALPHAS, curve)
    return {"value": float(high - low - 0.5 * (curve[-1] - curve[0])), "n": path.first.shape[1],
            "of": "interpolations", "baselines": {"data": 0.0}}  # fmt: skip


def later_start(measured, model, than):
    """F4c: distance at alpha = 0 of one model less another's."""
    start = {name: float(measured.path(name).first[0].mean()) for name in (model, than)}
    return {"value": start[model] - start[than], "baselines": start}


def lower_start(measured):
    """F4d: distance at alpha = 0, Gaussian less flower, paired by interpolation."""
    gaussian, flower = measured.path(GAUSSIAN), measured.path(FLOWER)
    start = {name: float(path.first[0].mean()) for name, path in ((GAUSSIAN, gaussian), (FLOWER, flower))}
    return by_group(gaussian.first[0] - flower.first[0], flower.artists, "artists", start)


def mirror(measured):
    """F4e: the largest difference between the distance to x2 and that to x1 read backwards, 2-bar model."""
    path = measured.path(TWO)
    gap = np.abs(path.second.mean(axis=1) - path.first.mean(axis=1)[::-1])
    return {"value": float(gap.max()), "n": path.first.shape[1], "of": "interpolations"}


def largest_step(measured):
    """F2: the largest step along alpha as a share of the way, mean over the pairs that move, 2-bar model."""
    path = measured.path(TWO)
    moves = path.way > 0
    if not moves.any():
        raise NotTestable("all windows decode to the same tokens")
    share = path.steps.max(axis=0)[moves] / path.way[moves]
    return by_group(share, path.artists[moves], "artists", {"even_steps": 0.1, "one_jump": 1.0})


def start_is_accuracy(measured):
    """Q7: largest gap between the distance at alpha = 0 and one minus the accuracy of the same windows."""
    gaps = [abs(path.first[0].mean() - path.at_start) for path in measured.paths.values()]
    return {"value": float(max(gaps)), "n": len(gaps), "of": "models"}


# Section 4.4


def _petals(measured):
    measured.model(FLOWER)
    return measured.petals


def _ratios(petals):
    """Median von Neumann ratio of each decoder that varies round the circle at all, and metrics of the model."""
    ratios = {name: measures.von_neumann(changes) for name, changes in petals.changes.items()}
    usable = int(np.isfinite(ratios["model"]).sum())
    if not usable:
        raise NotTestable("every petal decodes to the same metrics")
    return {name: float(np.nanmedian(r)) for name, r in ratios.items() if np.isfinite(r).any()}, usable


def smooth(measured):
    """F3: median von Neumann ratio round the circle."""
    petals = _petals(measured)
    middle, usable = _ratios(petals)
    beyond = {"share_smooth": measures.smooth_share(petals.changes["model"]), "unordered": 1.0} | middle
    return {"value": middle["model"], "n": usable, "of": "metrics", "baselines": beyond}


def smoother_than_untrained(measured):
    """Q8: the untrained decoder's ratio less the model's."""
    middle, usable = _ratios(_petals(measured))
    if "untrained" not in middle:
        raise NotTestable("the untrained decoder's metrics do not vary")
    return {"value": middle["untrained"] - middle["model"], "n": usable, "of": "metrics", "baselines": middle}


def sum_of_changes(measured):
    """F3-sum: the largest sum of a metric's relative changes."""
    changes = _petals(measured).changes["model"]
    usable = int(np.isfinite(measures.von_neumann(changes)).sum())
    return {"value": float(np.abs(np.nansum(changes, axis=0)).max(initial=0.0)), "n": usable, "of": "metrics"}


def like_music(measured):
    """Q11: overlap of the samples' metrics with held-out windows', less the untrained decoder's."""
    petals = _petals(measured)
    held = measures.low_level(measured.model(FLOWER).tokens)[1]
    overlap = {name: measures.distribution_overlap(petals.values[name], held) for name in ("untrained", "model")}
    return {"value": overlap["model"] - overlap["untrained"], "n": len(petals.values["model"]), "of": "samples",
            "baselines": overlap}  # fmt: skip


def petal_hits(measured):
    """Q9: share of codes whose nearest petal belongs to one of the song's tags, less the share of petals that do."""
    config, model = measured.config, measured.model(FLOWER)
    tags = model.windows.tags[model.windows.song[model.rows]]
    tagged = tags.sum(axis=1) > 0
    if not tagged.any():
        raise NotTestable("no song carries a genre tag")
    hit = measures.hits(
        prior.nearest_petal(model.codes[tagged], config.petals), tags[tagged], measured.placement, config.petals
    )
    chance = float(tags[tagged].sum(axis=1).mean() / config.petals)
    return by_group(hit - chance, model.artists[tagged], "artists",
                    {"hits": float(hit.mean()), "chance": chance, "ceiling": 0.974})  # fmt: skip


def prior_distance(measured, model):
    """Q9-wasserstein, Q9-gaussian: distance of held-out codes to the prior, last log line with beta 0 less the last."""
    lines = measured.model(model).lines
    free = [line for line in lines if line["losses/beta"] == 0]
    if lines and lines[-1]["losses/beta"] == 0:
        raise NotTestable("beta is 0 throughout")
    if not free:
        raise NotTestable("no log line with beta 0")
    before, after = (line["validation/distance_to_prior"] for line in (free[-1], lines[-1]))
    return {"value": before - after, "n": train.WATCHED, "of": "windows", "baselines": {"beta 0": before, "end": after}}


def pair_accuracy(measured, claim):
    """F5a, F5b: accuracy of linear discriminants on two principal components of a pair of genres."""
    measured.model(FLOWER)
    pair = measured.pairs[claim]
    if isinstance(pair, str):
        raise NotTestable(pair)
    if pair.accuracy is None:
        raise NotTestable(f"{pair.names[0]} or {pair.names[1]} has too few songs to keep them apart")
    return {"value": float(pair.accuracy[0]), "n": 2 * measured.config.pair_windows, "of": "windows",
            "baselines": {"shuffled_genres": float(pair.accuracy[1])}}  # fmt: skip


def better_apart(measured):
    """Q10: rock and punk less rock and pop."""
    parts = {claim: pair_accuracy(measured, claim)["value"] for claim in ("F5a", "F5b")}
    return {"value": parts["F5b"] - parts["F5a"], "n": RESAMPLES, "of": "resamples", "baselines": parts}


FINDINGS = {
    "T1-gaussian": partial(accuracy, model=TWO, column="drums"),
    "T2-gaussian": partial(accuracy, model=TWO, column="guitar"),
    **{f"T{k}-gaussian": partial(accuracy, model=GAUSSIAN, column=c) for k, c in enumerate(COLUMNS, 3)},
    **{f"T{k}-flower": partial(accuracy, model=FLOWER, column=c) for k, c in enumerate(COLUMNS, 3)},
    "V1-T1": partial(above_quoted, model=TWO, column="drums", quoted="T1-musicvae-flat"),
    "V1-T2": partial(above_quoted, model=TWO, column="guitar", quoted="T2-musicvae-flat"),
    "V1-T3": partial(above_quoted, model=GAUSSIAN, column="drums", quoted="T3-musicvae-flat"),
    "V1-T4": partial(above_quoted, model=GAUSSIAN, column="bass", quoted="T4-musicvae-flat"),
    "V1-T5": partial(above_quoted, model=GAUSSIAN, column="guitar", quoted="T5-musicvae-flat"),
    "V1-T8": partial(above_quoted, model=GAUSSIAN, column="dbg", quoted="T8-musicvae-flat"),
    "V2-T3": partial(above_quoted, model=FLOWER, column="drums", quoted="T3-musicvae-hierarchical"),
    "V2-T4": partial(above_quoted, model=FLOWER, column="bass", quoted="T4-musicvae-hierarchical"),
    "V2-T5": partial(above_quoted, model=FLOWER, column="guitar", quoted="T5-musicvae-hierarchical"),
    "V2-T8": partial(above_quoted, model=FLOWER, column="dbg", quoted="T8-musicvae-hierarchical"),
    **{f"Q1-{column}": partial(gain, column=column) for column in COLUMNS},
    "Q2": falling_gain,
    "Q3": hardest_track,
    "Q4": lower_of_two,
    "Q4-16bar": shorter_is_easier,
    **{f"F4a-{model}": partial(rising, model=model) for model in (TWO, GAUSSIAN, FLOWER)},
    "F4b": nearest_to_data,
    "F4b-sharper": sharper_than_data,
    "F4c": partial(later_start, model=GAUSSIAN, than=TWO),
    "F4c-flower": partial(later_start, model=FLOWER, than=TWO),
    "F4d": lower_start,
    "F4e": mirror,
    "F2": largest_step,
    "Q7": start_is_accuracy,
    "F3": smooth,
    "Q8": smoother_than_untrained,
    "F3-sum": sum_of_changes,
    "Q9": petal_hits,
    "Q9-wasserstein": partial(prior_distance, model=FLOWER),
    "Q9-gaussian": partial(prior_distance, model=TWO),
    "F5a": partial(pair_accuracy, claim="F5a"),
    "F5b": partial(pair_accuracy, claim="F5b"),
    "Q10": better_apart,
    "Q11": like_music,
}
