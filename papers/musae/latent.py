"""Findings of section 4.4 and of the prior: what the codes say, each beside codes and decoders that say nothing."""

import numpy as np

from common.findings import NotTestable, by_group
from papers.musae import measures, prior
from papers.musae.measured import FLOWER, RESAMPLES, TWO, Measured


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


def smooth(measured: Measured) -> dict:
    """F3: median von Neumann ratio round the circle."""
    petals = _petals(measured)
    middle, usable = _ratios(petals)
    beyond = {"share_smooth": measures.smooth_share(petals.changes["model"]), "unordered": 1.0} | middle
    return {"value": middle["model"], "n": usable, "of": "metrics", "baselines": beyond}


def smoother_than_untrained(measured: Measured) -> dict:
    """Q8: the untrained decoder's ratio less the model's."""
    middle, usable = _ratios(_petals(measured))
    if "untrained" not in middle:
        raise NotTestable("the untrained decoder's metrics do not vary")
    return {"value": middle["untrained"] - middle["model"], "n": usable, "of": "metrics", "baselines": middle}


def like_music(measured: Measured) -> dict:
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


def petal_hits(measured: Measured) -> dict:
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


def nearer_the_centre(measured: Measured) -> dict:
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


def prior_distance(measured: Measured, model: str) -> dict:
    """Q9-wasserstein, Q9-gaussian: how much nearer to the prior the codes lie than the nearest null codes.

    Nulls: zeros, one point, the prior with twice its deviation, an untrained encoder, whose sampled codes lie
    near one Gaussian from the start.
    """
    found = measured.model(model)
    if found.lines and found.lines[-1]["losses/beta"] == 0:
        raise NotTestable("beta is 0 throughout")
    distances = found.distances
    nulls = [distances[name] for name in ("zeros", "point", "twice_the_deviation", "untrained_encoder")]
    return {"value": min(nulls) - distances["codes"], "n": len(found.rows), "of": "windows", "baselines": distances}


def drawn_by_beta(measured: Measured) -> dict:
    """S-beta-prior: sliced Wasserstein distance of the codes to the prior without any pull, less that at ten betas."""
    far, near = (measured.model(f"{TWO}@{name}") for name in ("beta-0", "beta-tenfold"))
    found = {"beta_0": far.distances["codes"], "beta_tenfold": near.distances["codes"]}
    return {"value": found["beta_0"] - found["beta_tenfold"], "n": len(far.rows), "of": "windows", "baselines": found}


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


def mixed(measured: Measured) -> dict:
    """F5a: accuracy of linear discriminants between rock and pop, asked of codes that tell some other pair apart.

    Of codes that know no genre everything is mixed.
    """
    found = _accuracies(_pair(measured, "F5a"))
    if separated(measured)["value"] <= 0:
        raise NotTestable("these codes do not tell rock from punk either, beyond what needs no training")
    return {"value": found["model"], "n": 2 * measured.config.pair_windows, "of": "windows", "baselines": found}


def separated(measured: Measured) -> dict:
    """F5b: accuracy between rock and punk, less that of an untrained encoder, of raw tokens or by chance."""
    found = _accuracies(_pair(measured, "F5b"))
    best = max(value for name, value in found.items() if name != "model")
    return {"value": found["model"] - best, "n": 2 * measured.config.pair_windows, "of": "windows",
            "baselines": found}  # fmt: skip


def better_apart(measured: Measured) -> dict:
    """Q10: accuracy between rock and punk less that between rock and pop, less the same of the best null.

    Nulls: an untrained encoder, raw tokens, codes that know no genre (0).
    """
    first, second = (_accuracies(_pair(measured, claim)) for claim in ("F5a", "F5b"))
    names = [name for name in ("model", "untrained", "tokens") if name in first and name in second]
    found = {name: second[name] - first[name] for name in names} | {"no_genre": 0.0}
    best = max(value for name, value in found.items() if name != "model")
    return {"value": found["model"] - best, "n": RESAMPLES, "of": "resamples", "baselines": found}


def compact(measured: Measured) -> dict:
    """F5b-compact: spread of punk's codes over that of rock's, less the smallest of an untrained encoder's, of raw
    tokens' and with genres exchanged among the songs.
    """
    spread = _pair(measured, "F5b").spread
    least = min(value for name, value in spread.items() if name != "model")
    return {"value": spread["model"] - least, "n": len(measured.pairs["F5b"].codes), "of": "windows",
            "baselines": spread}  # fmt: skip
