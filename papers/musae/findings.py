"""How each claim of claims.csv is computed: `FINDINGS`, claim id -> function of a `measured.Measured`."""

from functools import partial
from pathlib import Path

import numpy as np

from common import claims
from common.findings import NotTestable, by_group
from papers.musae import measures, prior
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


def learnt(measured):
    """{model: whether its mean accuracy on held-out windows is above that of all-hold and of the commonest tokens}."""
    found = {}
    for name, model in measured.models.items():
        value, floor = row(model)["dbgs"], max(row(model, guess)["dbgs"] for guess in ("all_hold", "step_majority"))
        found[name] = {"what": "held-out accuracy of four tracks, commonest token of each step", "value": value,
                       "baseline": floor, "learnt": value > floor}  # fmt: skip
    return found


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
    """Q4-16bar: drums, 2 bars less 16; the commonest tokens differ too."""
    two, sixteen = (accuracy(measured, name, "drums") for name in (TWO, GAUSSIAN))
    floor = two["baselines"]["step_majority"] - sixteen["baselines"]["step_majority"]
    return {"value": two["value"] - sixteen["value"], "n": sixteen["n"], "of": "windows",
            "baselines": {"step_majority": floor}}  # fmt: skip


def above_control(measured, control):
    """Controls of Q1: mean accuracy of the flower less that of a control, paired by window."""
    flower, other = measured.model(FLOWER), measured.model(control)
    return by_group(score(flower, "dbgs") - score(other, "dbgs"), flower.artists, "artists")


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
            "baselines": {guess: _margin(models[1], guess) for guess in ("all_hold", "step_majority")}}  # fmt: skip


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
    floor = [1 - row(measured.model(name), "step_majority")["dbgs"] for name in (model, than)]
    return {"value": start[model] - start[than], "baselines": start | {"step_majority": floor[0] - floor[1]}}


def lower_start(measured):
    """F4d: distance at alpha = 0, Gaussian less flower, paired by interpolation."""
    gaussian, flower = measured.path(GAUSSIAN), measured.path(FLOWER)
    start = {name: float(path.first[0].mean()) for name, path in ((GAUSSIAN, gaussian), (FLOWER, flower))}
    return by_group(gaussian.first[0] - flower.first[0], flower.artists, "artists", start)


def mirror(measured):
    """F4e: the largest difference between the distance to x2 and that to x1 read backwards, as a share of the rise."""
    path = measured.path(TWO)
    curve, other = path.first.mean(axis=1), path.second.mean(axis=1)
    rise = float(curve[-1] - curve[0])
    if rise < 0.01:
        raise NotTestable("the answers do not move away from the first song, and a flat curve mirrors anything")
    return {"value": float(np.abs(other - curve[::-1]).max()) / rise, "n": path.first.shape[1],
            "of": "interpolations", "baselines": {"data": 0.0, "rise": rise}}  # fmt: skip


def largest_step(measured):
    """F2: the largest step along alpha as a share of the way, mean over the pairs that move, 2-bar model."""
    path = measured.path(TWO)
    moves = path.way > 0
    if not moves.any():
        raise NotTestable("all windows decode to the same tokens")
    share = path.steps.max(axis=0)[moves] / path.way[moves]
    beside = {"even_steps": 0.1, "one_jump": 1.0, "pairs_that_move": float(moves.mean())}
    return by_group(share, path.artists[moves], "artists", beside)


def metric_step(measured):
    """F2-metrics: the same for pitch, number and length of notes, as a share of all of a metric's steps."""
    path = measured.path(TWO)
    moves = np.isfinite(path.jumps).any(axis=1)
    if not moves.any():
        raise NotTestable("no metric of any pair moves")
    share = np.nanmean(path.jumps[moves], axis=1)
    return by_group(share, path.artists[moves], "artists", {"even_steps": 0.1, "one_jump": 1.0})


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


def like_music(measured):
    """Q11: overlap of the samples' metrics with held-out windows', less that of the best null.

    Nulls: an untrained decoder, and one that always answers the commonest token of each step.
    """
    petals = _petals(measured)
    held = measures.low_level(measured.model(FLOWER).tokens)[1]
    overlap = {name: measures.distribution_overlap(petals.values[name], held)
               for name in ("model", "untrained", "step_majority", "exchanged_bars")}  # fmt: skip
    return {"value": overlap["model"] - max(overlap["untrained"], overlap["step_majority"]),
            "n": len(petals.values["model"]), "of": "samples", "baselines": overlap}  # fmt: skip


def _tagged(measured):
    """Petal, tags and artist of the measured windows whose song carries a tag."""
    model = measured.model(FLOWER)
    tags = model.windows.tags[model.windows.song[model.rows]]
    tagged = tags.sum(axis=1) > 0
    if not tagged.any():
        raise NotTestable("no song carries a genre tag")
    petal = prior.nearest_petal(model.codes[tagged], measured.config.petals)
    return petal, tags[tagged], model.artists[tagged]


def petal_hits(measured):
    """Q9: share of codes whose nearest petal belongs to one of the song's tags, less that of the best song-blind code.

    Nulls: one petal for every song, the best of them; the codes there are, handed to other songs.
    """
    petal, tags, artists = _tagged(measured)
    owner = measures.owners(measured.placement, measured.config.petals)
    hit, blind = measures.hits(petal, tags, owner), measures.song_blind_hits(petal, tags, owner)
    best = max(blind.values(), key=np.mean)
    beside = {name: float(found.mean()) for name, found in blind.items()}
    beside |= {"hits": float(hit.mean()), "uniform": float(tags.sum(axis=1).mean() / measured.config.petals)}
    return by_group(hit - best, artists, "artists", beside)


def nearer_the_centre(measured):
    """Q9-centre: rank correlation over songs of the number of tags with the distance from the circle's centre."""
    model = measured.model(FLOWER)
    song = model.windows.song[model.rows]
    names = np.unique(song[model.windows.tags[song].sum(axis=1) > 0])
    if len(names) < 3:
        raise NotTestable("under three held-out songs carry a tag")
    radius = np.linalg.norm(model.codes[:, :2], axis=1)
    by_song = [radius[song == name].mean() for name in names]
    count = model.windows.tags[names].sum(axis=1)
    return {"value": measures.rank_correlation(count, by_song), "n": len(names), "of": "songs",
            "baselines": {"unrelated": 0.0}}  # fmt: skip


def prior_distance(measured, model):
    """Q9-wasserstein, Q9-gaussian: how much nearer to the prior the codes lie than the nearest null codes.

    Nulls: zeros, one point, the prior with twice its deviation.
    """
    found = measured.model(model)
    if found.lines and found.lines[-1]["losses/beta"] == 0:
        raise NotTestable("beta is 0 throughout")
    distances = found.distances
    nulls = [distances[name] for name in ("zeros", "point", "twice_the_deviation")]
    return {"value": min(nulls) - distances["codes"], "n": len(found.rows), "of": "windows", "baselines": distances}


def _pair(measured, claim):
    measured.model(FLOWER)
    pair = measured.pairs[claim]
    if isinstance(pair, str):
        raise NotTestable(pair)
    if pair.accuracy["model"] is None:
        raise NotTestable(f"{pair.names[0]} or {pair.names[1]} has too few songs to keep them apart")
    return pair


def _accuracies(pair):
    found = {name: both[0] for name, both in pair.accuracy.items() if both}
    return found | {"exchanged_genres": pair.accuracy["model"][1]}


def mixed(measured):
    """F5a: accuracy of linear discriminants between rock and pop."""
    found = _accuracies(_pair(measured, "F5a"))
    return {"value": found["model"], "n": 2 * measured.config.pair_windows, "of": "windows", "baselines": found}


def separated(measured):
    """F5b: accuracy between rock and punk, less that of an untrained encoder, of raw tokens or by chance."""
    found = _accuracies(_pair(measured, "F5b"))
    best = max(value for name, value in found.items() if name != "model")
    return {"value": found["model"] - best, "n": 2 * measured.config.pair_windows, "of": "windows",
            "baselines": found}  # fmt: skip


def better_apart(measured):
    """Q10: accuracy between rock and punk less that between rock and pop."""
    first, second = (_accuracies(_pair(measured, claim)) for claim in ("F5a", "F5b"))
    beside = {name: second[name] - first[name] for name in ("untrained", "tokens") if name in first and name in second}
    return {"value": second["model"] - first["model"], "n": RESAMPLES, "of": "resamples", "baselines": beside}


def compact(measured):
    """F5b-compact: spread of punk's codes over that of rock's."""
    pair = _pair(measured, "F5b")
    return {"value": pair.spread["model"], "n": len(pair.codes), "of": "windows",
            "baselines": {"untrained": pair.spread["untrained"]}}  # fmt: skip


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
    "C1-beta-0": partial(above_control, control="16bar-flower@beta-0"),
    "C1-one-petal": partial(above_control, control="16bar-flower@one-petal"),
    "C1-shuffled-tags": partial(above_control, control="16bar-flower@shuffled-tags"),
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
    "F2-metrics": metric_step,
    "F3": smooth,
    "Q8": smoother_than_untrained,
    "Q9": petal_hits,
    "Q9-centre": nearer_the_centre,
    "Q9-wasserstein": partial(prior_distance, model=FLOWER),
    "Q9-gaussian": partial(prior_distance, model=TWO),
    "F5a": mixed,
    "F5b": separated,
    "F5b-compact": compact,
    "Q10": better_apart,
    "Q11": like_music,
}
