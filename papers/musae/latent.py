"""Section 4.4, figures 3 and 5: metrics round the circle, codes at their petals, pairs of genres."""

from dataclasses import dataclass

import keras
import numpy as np

from common import training
from papers.musae import data, metrics, prior, train

PAIRS = {"F5a": ("rock", "pop"), "F5b": ("rock", "punk")}


@dataclass
class Petals:
    """Decoded samples of the flower: relative changes of the metrics by petal, of the model and of two controls."""

    names: list
    changes: np.ndarray  # (petals, metrics)
    untrained: np.ndarray
    gaussian: np.ndarray | None  # the 16-bar Gaussian model's decoder at the same points
    values: np.ndarray  # (samples, metrics) of the model
    untrained_values: np.ndarray
    tokens: np.ndarray
    petal: np.ndarray


def petals(models, config, store, run):
    """Decode `petal_samples` draws of each petal (section 4.4.1) with the flower model, an untrained and a Gaussian
    one.
    """
    rng = np.random.default_rng([run.seed, 3])
    petal = np.repeat(np.arange(config.petals), config.petal_samples)
    noise = rng.normal(size=(len(petal), config.latent)).astype(np.float32)
    z = np.asarray(prior.flower(noise, petal, config.petals, config.radial_variance, config.other_variance))
    keras.utils.set_random_seed(run.seed)
    fresh = train.build(16, True, config, store)
    found, tokens, values = {}, {}, {}
    gaussian = models.get("16bar-gaussian")
    if gaussian and train.has_style(False, config):
        gaussian = None  # the program's decoder takes another code
    learners = {"model": models["16bar-flower"].learner, "untrained": fresh}
    if gaussian:
        learners["gaussian"] = gaussian.learner
    for name, learner in learners.items():
        tokens[name] = train.decode_tokens(learner, z)
        names, values[name] = metrics.low_level(tokens[name])
        found[name] = metrics.relative_changes(values[name], petal, config.petals)
    return Petals(names, found["model"], found["untrained"], found.get("gaussian"), values["model"],
    values["untrained"],
                  tokens["model"], petal)  # fmt: skip


def latent_claims(models, flower, config, store, run):
    """Smoothness round the circle, codes at their petals, distance to the prior."""
    found = {}
    if flower:
        ratios = {"model": metrics.von_neumann(flower.changes), "untrained": metrics.von_neumann(flower.untrained)}
        if flower.gaussian is not None:
            ratios["gaussian_model"] = metrics.von_neumann(flower.gaussian)
        middle = {name: float(np.nanmedian(r)) for name, r in ratios.items() if np.isfinite(r).any()}
        entry = {"n": int(np.isfinite(ratios["model"]).sum()), "of": "metrics"}
        same = {"not_testable": "every petal decodes to the same metrics"}
        smooth = {"share_smooth": metrics.smooth_share(flower.changes)} if entry["n"] else {}
        beyond = smooth | {"unordered": 1.0} | middle
        found["F3"] = {"value": middle["model"], **entry, "baselines": beyond} if entry["n"] else same
        if entry["n"] and "untrained" in middle:
            found["Q8"] = {"value": middle["untrained"] - middle["model"], **entry, "baselines": middle}
        else:
            found["Q8"] = same if not entry["n"] else {"not_testable": "the untrained decoder's metrics do not vary"}
        sums = np.abs(np.nansum(flower.changes, axis=0))
        found["F3-sum"] = {"value": float(sums.max(initial=0.0)), **entry}
        held = metrics.low_level(models["16bar-flower"].tokens)[1]
        overlap = metrics.distribution_overlap(flower.values, held)
        floor = metrics.distribution_overlap(flower.untrained_values, held)
        found["Q11"] = {"value": overlap - floor, "n": len(flower.values), "of": "samples",
                        "baselines": {"untrained": floor, "model": overlap}}  # fmt: skip
        found["Q9"] = petal_hits(models["16bar-flower"], config, store)
    for name, claim in (("16bar-flower", "Q9-wasserstein"), ("2bar-gaussian", "Q9-gaussian")):
        if name in models:
            found[claim] = prior_distance(training.history(run.model_directory(name)))
    return found


def petal_hits(measured, config, store):
    """Share of codes whose nearest petal belongs to one of the song's tags, less the share of petals that do."""
    placement = store.array("placement") if config.placement == "related" else np.arange(config.genres)
    tags = measured.windows.tags[measured.windows.song[measured.rows]]
    tagged = tags.sum(axis=1) > 0
    if not tagged.any():
        return {"not_testable": "no song carries a genre tag"}
    owner = np.full(config.petals, -1)
    owner[np.asarray(placement)] = np.arange(config.genres)
    genre = owner[prior.nearest_petal(measured.codes[tagged], config.petals)]
    hit = (genre >= 0) & (tags[tagged][np.arange(tagged.sum()), np.maximum(genre, 0)] > 0)
    chance = float(tags[tagged].sum(axis=1).mean() / config.petals)
    return {"value": float(hit.mean()) - chance, "n": int(tagged.sum()), "of": "windows",
            "baselines": {"hits": float(hit.mean()), "chance": chance, "ceiling": 0.974}}  # fmt: skip


def prior_distance(lines):
    """Sliced Wasserstein distance of held-out codes to the prior: last log line with beta 0, less the last line."""
    free = [line for line in lines if line["losses/beta"] == 0]
    if not free or lines[-1]["losses/beta"] == 0:
        return {
            "not_testable": "beta is 0 throughout"
            if lines and lines[-1]["losses/beta"] == 0
            else "no log line with beta 0"
        }
    before, after = (line["validation/distance_to_prior"] for line in (free[-1], lines[-1]))
    return {"value": before - after, "n": train.WATCHED, "of": "windows", "baselines": {"beta 0": before, "end": after}}


@dataclass
class Pairs:
    """Codes of training windows of pairs of genres, for figure 5, and the claims about them."""

    codes: dict  # {(first, second): (codes, genre 0 or 1)}
    results: dict


def exclusive(tags, first, second):
    """Windows of k-hot tags (n, genres) with the first tag and not the second, and the other way round."""
    a, b = tags[:, first].astype(bool), tags[:, second].astype(bool)
    return [np.flatnonzero(a & ~b), np.flatnonzero(b & ~a)]


def genre_pairs(models, config, store, run):
    """Section 4.4.2: windows with one tag and not the other, `pair_windows` each, on two principal components."""
    names, results, codes = store.array("genres").tolist(), {}, {}
    measured = models.get("16bar-flower")
    if measured is None:
        return Pairs({}, {})
    songs = measured.windows.song[measured.train_rows]
    tags = measured.windows.tags[songs]
    wanted = dict(PAIRS)
    drawn = [name for name in names[:3] if name]
    if not set(drawn) >= {"rock", "pop"} and len(drawn) > 1:
        wanted["shown"] = (drawn[0], drawn[1])  # the figure needs some pair, whatever the corpus
    for claim, pair in wanted.items():
        absent = [name for name in pair if name not in names]
        if absent:
            results[claim] = {
                "not_testable": f"{' and '.join(absent)}: not among the {config.genres} commonest tags"
            }
            continue
        pools = exclusive(tags, *(names.index(name) for name in pair))
        counts = [len(pool) for pool in pools]
        if min(counts) < config.pair_windows:
            few = pair[int(np.argmin(counts))]
            other = pair[1 - int(np.argmin(counts))]
            results[claim] = {
                "not_testable": f"under {config.pair_windows} training windows tagged {few} and not {other}"
            }
            continue
        pools = [data.sample(pool, 4 * config.pair_windows, 4) for pool in pools]
        rows = measured.train_rows[np.concatenate(pools)]
        z = train.encode(
            measured.learner, data.as_trained(config, measured.windows, rows), np.random.default_rng([run.seed, 5])
        )
        genre = np.repeat([0, 1], [len(pool) for pool in pools])
        codes[pair] = z, genre
        both = metrics.genre_pair_accuracy(z, genre, measured.windows.song[rows], 20, config.pair_windows, run.seed)
        if both is None:
            results[claim] = {"not_testable": f"{pair[0]} or {pair[1]} has too few songs to keep them apart"}
        else:
            results[claim] = {"value": float(both[0]), "n": 2 * config.pair_windows, "of": "windows",
                              "baselines": {"shuffled_genres": float(both[1])}}  # fmt: skip
    results.pop("shown", None)
    if all("value" in results.get(claim, {}) for claim in PAIRS):
        parts = {claim: results[claim]["value"] for claim in PAIRS}
        results["Q10"] = {"value": parts["F5b"] - parts["F5a"], "n": 20, "of": "resamples", "baselines": parts}
    else:
        results["Q10"] = next(results[c] for c in PAIRS if "not_testable" in results[c])
    return Pairs(codes, results)
