"""Table 1, figures 2 to 5, and a value or a reason for every claim and proposition.

`python -m papers.musae.evaluate --follow sound --seed 0` writes results.json, media.json, figures/, audio/ and midi
files.
"""

from papers.musae import config as settings, preprocess

if __name__ == "__main__":  # options first: --help answers without TensorFlow
    from common import scripts

    OPTIONS = scripts.evaluation_options(settings, __doc__)

import json
from dataclasses import dataclass, field

import keras
import numpy as np
import tensorflow as tf
from scipy.stats import spearmanr

from common import claims, training
from papers.musae import data, losses, metrics, prior, train, variants
from papers.musae.model import TRACKS

ALPHAS = np.linspace(0, 1, 11)  # section 4.3 gives no grid
PAIRS = {"F5a": ("rock", "pop"), "F5b": ("rock", "punk")}
ROWS = {"T3": "drums", "T4": "bass", "T5": "guitar", "T6": "strings", "T7": "dbgs", "T8": "dbg"}


@dataclass
class Measured:
    """One trained model and what it makes of the same held-out windows that all its numbers are taken on."""

    name: str
    learner: object
    windows: data.Windows
    train_rows: np.ndarray
    held_rows: np.ndarray  # all held-out windows
    rows: np.ndarray  # those measured
    tokens: np.ndarray  # (n, T, 4)
    codes: np.ndarray  # (n, latent), sampled as in training
    answers: np.ndarray  # (n, T, 4) likeliest tokens
    accuracy: dict = field(default_factory=dict)  # by track, and the averages dbgs and dbg
    at_mean: dict = field(default_factory=dict)  # the same with the mean code
    baselines: dict = field(default_factory=dict)  # {baseline: {track: accuracy}}

    @property
    def songs(self):
        """Songs among the measured windows."""
        return len(np.unique(self.windows.song[self.rows]))


def averages(by_track):
    """Accuracies (4,) as a dict with the averages of Table 1."""
    found = {name: float(value) for name, value in zip(TRACKS, by_track, strict=True)}
    return found | {"dbgs": float(np.mean(by_track)), "dbg": float(np.mean(by_track[:3]))}


def as_trained(config, windows, rows):
    """Tokens of windows; a transposition drawn at preprocessing is part of the data, one drawn in training is not."""
    tokens = windows.cut(rows)
    return data.moved(tokens, windows.shift[rows]) if config.transposition == "frozen" else tokens


def measure(name, entry, config, store, run):
    """Load a model and reconstruct its held-out windows."""
    learner = training.load(entry, config, store, run.model_directory(name), run.seed)
    windows = data.windows(store, train.BARS[name.split("@")[0]])
    train_rows, held_rows = data.split(config, windows)
    rows = data.sample(held_rows, config.windows, 1)
    tokens = as_trained(config, windows, rows)
    codes = train.encode(learner, tokens, np.random.default_rng([run.seed, 1]))
    answers = train.decode_tokens(learner, codes)
    found = Measured(name, learner, windows, train_rows, held_rows, rows, tokens, codes, answers)
    right = answers == tokens
    found.accuracy = averages(right.mean(axis=(0, 1)))
    found.at_mean = averages((train.decode_tokens(learner, train.encode(learner, tokens)) == tokens).mean(axis=(0, 1)))
    majority = data.step_majority(as_trained(config, windows, data.sample(train_rows, 4 * config.windows, 2)))
    struck = tokens != data.HOLD
    found.baselines = {
        "all_hold": averages(data.all_hold_accuracy(tokens)),
        "step_majority": averages((tokens == majority).mean(axis=(0, 1))),
        "on_non_hold_targets": averages((right & struck).sum(axis=(0, 1)) / np.maximum(struck.sum(axis=(0, 1)), 1)),
        "with_mean_code": found.at_mean,
    }
    return found


def evaluate(config, store, run, partial=False):
    """Measure a run and write results.json, media.json, figures, sounds and MIDI files.

    Raises TrainingError where a model is not trained to its end and `partial` is not set.
    """
    jobs = train.jobs(config)
    outcomes = {name: training.outcome(run.model_directory(name)) for name in jobs}
    unfinished = [name for name, found in outcomes.items() if not (found and found.complete)]
    if unfinished and not partial:
        raise training.TrainingError(
            f"{run.directory}: {', '.join(unfinished)} not trained to the end; the same train command goes on, "
            "or use --partial"
        )
    usable = [name for name, found in outcomes.items() if found]
    models = {name: measure(name, *jobs[name], store, run) for name in usable}
    results = reconstruction(models)
    paths = {name: interpolations(m, config, run.seed) for name, m in models.items() if name in train.MODELS}
    results |= interpolation_claims(models, paths)
    flower = petals(models, config, store, run) if "16bar-flower" in models else None
    results |= latent_claims(models, flower, config, store, run)
    pairs = genre_pairs(models, config, store, run)
    results |= pairs.results
    results |= data_claims(config, store, run)
    results |= facts(models, config)
    claimed = [claim.id for claim in claims.read_claims(preprocess.Path(__file__).parent / "claims.csv")]
    for claim in claimed:
        missing = ", ".join(n for n in train.MODELS if n not in models)
        results.setdefault(claim, {"not_testable": f"needs {missing}, not trained" if missing else "reported only"})
    from papers.musae import page

    sections = page.sections(models, paths, flower, pairs, config, store, run)
    notes = {"songs": {name: m.songs for name, m in models.items()}}
    if config.ablations:
        notes["effects"] = {name: m.accuracy for name, m in models.items() if "@" in name}
    run.write_results(store, results, sections, notes, sum(found.step for found in outcomes.values() if found),
                      not unfinished)  # fmt: skip


# Section 4.2, Table 1


def _entry(value, measured, key=None):
    entry = {"value": float(value), "n": len(measured.rows), "of": "windows"}
    if key:
        entry["baselines"] = {name: found[key] for name, found in measured.baselines.items()}
    return entry


def reconstruction(models):
    """Table 1 and what section 4.2 says about it."""
    found, printed = {}, {c.id: c.reported for c in claims.read_claims(preprocess.Path(__file__).parent / "claims.csv")}
    two, gaussian, flower = (models.get(n) for n in ("2bar-gaussian", "16bar-gaussian", "16bar-flower"))
    if two:
        found["T1-gaussian"] = _entry(two.accuracy["drums"], two, "drums")
        found["T2-gaussian"] = _entry(two.accuracy["guitar"], two, "guitar")
        found["Q4"] = _entry(min(two.accuracy["drums"], two.accuracy["guitar"]), two, "guitar")
    for model, name in ((gaussian, "gaussian"), (flower, "flower")):
        if model:
            found |= {f"{t}-{name}": _entry(model.accuracy[key], model, key) for t, key in ROWS.items()}
    for claim in printed:
        if claim.startswith(("V1-", "V2-")):
            ours, theirs = ("gaussian", "flat") if claim.startswith("V1") else ("flower", "hierarchical")
            row = claim[3:]
            if f"{row}-{ours}" in found:
                quoted = printed[f"{row}-musicvae-{theirs}"]
                found[claim] = {"value": found[f"{row}-{ours}"]["value"] - quoted, "baselines": {"quoted": quoted}}
    if two and gaussian:
        found["Q4-16bar"] = _entry(two.accuracy["drums"] - gaussian.accuracy["drums"], gaussian)
    if gaussian and flower:
        gain = {key: flower.accuracy[key] - gaussian.accuracy[key] for key in (*TRACKS, "dbgs", "dbg")}
        found |= {f"Q1-{key}": _entry(value, flower) for key, value in gain.items()}
        steps = [gain[a] - gain[b] for a, b in zip(TRACKS, TRACKS[1:], strict=False)]
        found["Q2"] = _entry(min(steps), flower)
        margins = [
            min(m.accuracy[t] for t in TRACKS if t != "guitar") - m.accuracy["guitar"] for m in (gaussian, flower)
        ]
        found["Q3"] = _entry(min(margins), flower)
        found["Q3"]["baselines"] = {
            "all_hold": min(flower.baselines["all_hold"][t] for t in TRACKS if t != "guitar")
            - flower.baselines["all_hold"]["guitar"]
        }
    return found


# Section 4.3, figures 2 and 4


@dataclass
class Paths:
    """Interpolations between pairs of held-out windows: mean Hamming distances along ALPHAS and the decoded tokens."""

    first: np.ndarray  # distance to x1, (alphas,)
    second: np.ndarray  # distance to x2
    data: np.ndarray  # the data-space baseline's distance to x1
    apart: float  # H(x1, x2)
    rising: float  # share of pairs with Spearman's rho of 0.9 or more
    jump: float  # largest step as a share of the way, mean over pairs that move
    at_start: float  # 1 - accuracy of the windows x1, same draws of z
    tokens: np.ndarray  # (alphas, pairs, T, 4)
    ends: tuple  # rows of x1 and x2 among the measured windows


def interpolations(measured, config, seed):
    """Decode z = (1 - alpha) z1 + alpha z2 for pairs of windows of different songs where there are any.

    Equation 19 prints alpha z1 + (1 - alpha) z2, which makes alpha = 0 the second song; text and figure start at the
    first.
    """
    rng = np.random.default_rng([seed, 2])
    n = len(measured.rows)
    song = measured.windows.song[measured.rows]
    one = rng.choice(n, min(config.interpolations, n), replace=False)
    two = np.array(
        [rng.choice(others) if len(others := np.flatnonzero(song != song[k])) else rng.integers(n) for k in one]
    )
    x1, x2 = measured.tokens[one], measured.tokens[two]
    tokens = np.stack([train.decode_tokens(measured.learner, (1 - a) * measured.codes[one] + a * measured.codes[two])
                       for a in ALPHAS])  # fmt: skip
    to_first = np.stack([metrics.hamming(t, x1) for t in tokens])
    mixed = [np.where(rng.random(x1.shape) < a, x2, x1) for a in ALPHAS]
    with np.errstate(invalid="ignore"):
        rho = np.array([spearmanr(ALPHAS, curve).statistic if np.ptp(curve) > 0 else 0.0 for curve in to_first.T])
    steps = np.stack([metrics.hamming(a, b) for a, b in zip(tokens[1:], tokens[:-1], strict=True)])
    way = metrics.hamming(tokens[0], tokens[-1])
    moves = way > 0
    return Paths(
        first=to_first.mean(axis=1),
        second=np.array([metrics.hamming(t, x2).mean() for t in tokens]),
        data=np.array([metrics.hamming(t, x1).mean() for t in mixed]),
        apart=float(metrics.hamming(x1, x2).mean()),
        rising=float((rho >= 0.9).mean()),
        jump=float((steps.max(axis=0)[moves] / way[moves]).mean()) if moves.any() else float("nan"),
        at_start=float(1 - (measured.answers[one] == x1).mean()),
        tokens=tokens,
        ends=(one, two),
    )


def interpolation_claims(models, paths):
    """Statements of section 4.3."""
    found = {}
    for name, path in paths.items():
        rho = spearmanr(ALPHAS, path.first).statistic if np.ptp(path.first) > 0 else 0.0
        found[f"F4a-{name}"] = {"value": float(rho), "n": path.tokens.shape[1], "of": "interpolations",
                                "baselines": {"data": 1.0, "pairs_rising": path.rising}}  # fmt: skip
    excess = {name: float(np.abs(path.first - ALPHAS * path.apart).mean()) for name, path in paths.items()}
    start = {name: float(path.first[0]) for name, path in paths.items()}
    two, gaussian, flower = "2bar-gaussian", "16bar-gaussian", "16bar-flower"
    if two in paths:
        path = paths[two]
        curve = np.interp([0.25, 0.75], ALPHAS, path.first)
        found["F4b-sharper"] = {
            "value": float(curve[1] - curve[0] - 0.5 * (path.first[-1] - path.first[0])),
            # fmt: skip
            "n": path.tokens.shape[1],
            "of": "interpolations",
            "baselines": {"data": 0.0},
        }
        mirror = np.abs(path.second - path.first[::-1])
        found["F4e"] = {"value": float(mirror.max()), "n": path.tokens.shape[1], "of": "interpolations"}
        if np.isfinite(path.jump):
            found["F2"] = {"value": path.jump, "n": path.tokens.shape[1], "of": "interpolations",
                           "baselines": {"even_steps": 0.1, "one_jump": 1.0}}  # fmt: skip
        else:
            found["F2"] = {"not_testable": "all windows decode to the same tokens"}
    if len(paths) == 3:
        found["F4b"] = {"value": min(excess[gaussian], excess[flower]) - excess[two], "baselines": excess}
        found["F4c"] = {"value": start[gaussian] - start[two], "baselines": start}
        found["F4c-flower"] = {"value": start[flower] - start[two], "baselines": start}
        found["F4d"] = {"value": start[gaussian] - start[flower], "baselines": start}
    if paths:
        gaps = {name: abs(path.first[0] - path.at_start) for name, path in paths.items()}
        found["Q7"] = {"value": float(max(gaps.values())), "n": len(paths), "of": "models"}
    return found


# Section 4.4, figures 3 and 5


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


def genre_pairs(models, config, store, run):
    """Section 4.4.2: windows with one tag and not the other, `pair_windows` each, on two principal components."""
    names, results, codes = store.array("genres").tolist(), {}, {}
    measured = models.get("16bar-flower")
    if measured is None:
        return Pairs({}, {})
    songs = measured.windows.song[measured.train_rows]
    tags = measured.windows.tags[songs].astype(bool)
    wanted = dict(PAIRS)
    drawn = [name for name in names[:3] if name]
    if not set(drawn) >= {"rock", "pop"} and len(drawn) > 1:
        wanted["shown"] = (drawn[0], drawn[1])  # the figure needs some pair, whatever the corpus
    for claim, pair in wanted.items():
        absent = [name for name in pair if name not in names]
        if absent:
            results[claim] = {
                "not_testable": f"no song is among the {config.genres} commonest tags' {' and '.join(absent)}"
            }
            continue
        a, b = (tags[:, names.index(name)] for name in pair)
        pools = [np.flatnonzero(a & ~b), np.flatnonzero(b & ~a)]
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
            measured.learner, as_trained(config, measured.windows, rows), np.random.default_rng([run.seed, 5])
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


# Section 4.1, and facts


def data_claims(config, store, run):
    """Sizes of section 4.1, and the cost of the flower."""
    stated = store.parameters["facts"]
    counts = stated["counts"]
    found = {
        "G2-songs": {"value": counts["files"] - counts.get("further paths of a MIDI file already read", 0)},
        "G2-2bar": {"value": counts["2-bar windows kept"]},
        "G2-16bar": {"value": counts["16-bar windows kept"]},
        "G3": {"not_testable": "no data in the paper; see the spread over the seeds"},
        "E21": {"value": counts["notes without an onset on the grid"] / max(1, counts["notes"]), "n": counts["notes"],
                "of": "notes"},
    }  # fmt: skip
    if counts["distinct genre tags"]:
        found["G1"] = {"value": counts["distinct genre tags"]}
        found["G1-share"] = {"value": stated["tag_share"]}
    else:
        found["G1"] = found["G1-share"] = {"not_testable": "this corpus carries no genre tags"}
    rates = {}
    for name in ("16bar-gaussian", "16bar-flower"):
        path = run.model_directory(name) / "timing.jsonl"
        lines = [json.loads(line) for line in path.read_text().splitlines()][1:] if path.exists() else []
        if lines:  # the first line holds the time to compile
            rates[name] = sum(line["seconds"] for line in lines) / sum(line["steps"] for line in lines)
    if len(rates) == 2:
        found["G4"] = {"value": rates["16bar-flower"] / rates["16bar-gaussian"], "baselines": rates}
    else:
        found["G4"] = {"not_testable": "too few updates to time"}
    return found


def facts(models, config):
    """What is true on any data: splits, cancelling terms, the prior, the printed averages."""
    found = {}
    name = next(iter(models))
    m = models[name]
    held, trained = m.held_rows, m.train_rows
    found["E1"] = {"value": float(np.isin(held, trained).mean()), "n": len(held), "of": "windows"}
    songs = np.isin(m.windows.song[held], m.windows.song[trained])
    found["E1-song"] = {"value": float(songs.mean()), "n": len(held), "of": "windows"}
    if "16bar-flower" in models:
        found |= adversarial_gradients(models["16bar-flower"], config)
    printed = {c.id: c.reported for c in claims.read_claims(preprocess.Path(__file__).parent / "claims.csv")}
    gaps = []
    for column in ("gaussian", "flower", "musicvae-flat", "musicvae-hierarchical"):
        for average, parts in (("T7", "T3 T4 T5 T6"), ("T8", "T3 T4 T5")):
            cells = [printed.get(f"{row}-{column}") for row in parts.split()]
            if printed.get(f"{average}-{column}") is not None and None not in cells:
                gaps.append(abs(printed[f"{average}-{column}"] - np.mean(cells)))
    found["E3-table"] = {"value": float(max(gaps)), "n": len(gaps), "of": "averages"}
    mean = prior.petal_mean(config.petals, 4)
    along = [
        abs(u @ prior.petal_covariance(i, config.petals, 4) @ u - prior.RADIAL_VARIANCE) for i, u in enumerate(mean)
    ]
    found["P17-radius"] = {"value": float(max(along)), "n": config.petals, "of": "petals"}
    found["P17-neighbours"] = {"value": float(np.linalg.norm(mean[1] - mean[0]))}
    rng = np.random.default_rng(0)
    petal = rng.integers(0, config.petals, 100_000)
    z = np.asarray(prior.flower(rng.normal(size=(len(petal), 2)).astype(np.float32), petal, config.petals))
    found["P17-recovery"] = {"value": float((prior.nearest_petal(z, config.petals) == petal).mean()), "n": len(petal),
                             "of": "draws"}  # fmt: skip
    return found


def adversarial_gradients(measured, config):
    """E2: what the encoder gets from the program's two terms together, and from the paper's term."""
    encoder, critic = measured.learner.networks["encoder"], measured.learner.networks["critic"]
    x = losses.one_hot(tf.constant(measured.tokens[:4]))
    rng = np.random.default_rng(0)
    noise, z_prior = (tf.constant(rng.normal(size=(len(x), config.latent)), tf.float32) for _ in range(2))
    label = (tf.one_hot(rng.integers(0, config.genres, len(x)), config.genres),)

    def gradients(loss_of):
        with tf.GradientTape() as tape:
            mu, log_variance = encoder(x)
            loss = tf.reduce_mean(loss_of(mu + tf.exp(log_variance / 2.0) * noise))
        found = tape.gradient(loss, encoder.trainable_variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return [float(np.abs(g.numpy()).max()) for g in found]

    weight = tf.ones(len(x))
    joint = gradients(lambda z: tf.add_n(variants.joint_adversarial(critic, z_prior, z, weight, 0.0, label)))
    pulled = gradients(lambda z: -losses.score(critic, z, label))
    return {
        "E2": {
            "value": max(joint),
            "n": len(joint),
            "of": "weight tensors",
            "baselines": {"one term alone": max(pulled)},
        },
        "E2-two-phases": {"value": float(np.mean([g == 0 for g in pulled])), "n": len(pulled), "of": "weight tensors"},
    }


if __name__ == "__main__":
    scripts.run_evaluation(OPTIONS, settings, preprocess, evaluate)
