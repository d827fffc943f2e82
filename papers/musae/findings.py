"""How each claim of claims.csv is computed: `FINDINGS`, claim id -> function of a `measured.Measured`."""

from functools import partial
from pathlib import Path

import numpy as np

from common import claims
from common.findings import NotTestable, by_group
from papers.musae import latent, measures
from papers.musae.measured import ALPHAS, FLOWER, GAUSSIAN, TWO, Measured, Reconstruction
from papers.musae.measures import COLUMNS
from papers.musae.model import TRACKS

PRINTED = {claim.id: claim.reported for claim in claims.read_claims(Path(__file__).with_name("claims.csv"))}
FLAT, HIERARCHICAL = "flat", "hierarchical"
# Table 1's columns of Music VAE, cell by cell: which, MusAE beside it, the model trained here, track, row of the table.
SIXTEEN = tuple(zip(("drums", "bass", "guitar", "dbg"), ("T3", "T4", "T5", "T8"), strict=True))
QUOTED = (
    (FLAT, TWO, "2bar-musicvae-flat", "drums", "T1"),
    (FLAT, TWO, "2bar-musicvae-flat", "guitar", "T2"),
    *((FLAT, GAUSSIAN, "16bar-musicvae-flat", *cell) for cell in SIXTEEN),
    *((HIERARCHICAL, FLOWER, "16bar-musicvae-hierarchical", *cell) for cell in SIXTEEN),
)


# Section 4.2, Table 1


def score(model: Reconstruction, column: str, guess: str = "model") -> np.ndarray:
    """Accuracy of each measured window (n,) in one column of Table 1."""
    return model.scores[guess][:, COLUMNS.index(column)]


def row(model: Reconstruction, guess: str = "model") -> dict[str, float]:
    """A model's row of Table 1, {column: accuracy}."""
    return {column: float(score(model, column, guess).mean()) for column in COLUMNS}


def learnt(measured: Measured) -> dict[str, dict]:
    """{model: whether its mean accuracy on held-out windows is above that of all-hold and of the commonest tokens}."""
    found = {}
    for name, model in measured.models.items():
        value, floor = row(model)["dbgs"], max(row(model, guess)["dbgs"] for guess in ("all_hold", "step_majority"))
        found[name] = {"what": "held-out accuracy of four tracks, commonest token of each step", "value": value,
                       "baseline": floor, "learnt": value > floor}  # fmt: skip
    return found


def accuracy(measured: Measured, model: str, column: str) -> dict:
    """A cell of Table 1, beside what all-hold and the commonest token of each step reach on the same windows."""
    found = measured.model(model)
    floors = {guess: float(score(found, column, guess).mean()) for guess in ("all_hold", "step_majority")}
    return by_group(score(found, column), found.artists, "artists", floors)


def above_quoted(measured: Measured, model: str, column: str, quoted: str) -> dict:
    """A cell of Table 1 less a cell that the paper quotes for Music VAE."""
    quoted = PRINTED[quoted]
    return {"value": accuracy(measured, model, column)["value"] - quoted, "baselines": {"quoted": quoted}}


def above_measured(measured: Measured, model: str, column: str, rival: str) -> dict:
    """M1, M2: a cell of Table 1 less Music VAE's, trained here on the same windows and answering from its code alone.

    Beside it Music VAE's accuracy, and that where it is given the true tokens before each step.
    """
    ours, other = measured.model(model), measured.model(rival)
    beside = {"music_vae": row(other)[column], "music_vae_teacher_forced": row(other, "teacher_forced")[column]}
    return by_group(score(ours, column) - score(other, column), ours.artists, "artists", beside)


def quoted_column(measured: Measured, model: str, column: str) -> dict:
    """Music VAE's columns: measured where it is trained."""
    found = accuracy(measured, model, column)
    found["baselines"]["teacher_forced"] = row(measured.model(model), "teacher_forced")[column]
    return found


def above_majority(measured: Measured, model: str, column: str) -> dict:
    """L16: accuracy less that of the commonest token of each step, paired by window."""
    found = measured.model(model)
    return by_group(score(found, column) - score(found, column, "step_majority"), found.artists, "artists")


def _sweep(measured, names):
    """{what is set: accuracy of four tracks} of the 2-bar model and of those that differ from it in one setting."""
    return {name.partition("@")[2].replace("-", "_") or "as_it_is": row(measured.model(name))["dbgs"] for name in names}


def costs(measured: Measured, less: str, more: str, others: tuple[str, ...]) -> dict:
    """S-beta, S-latent: accuracy of the 2-bar model under one setting less that under another, four tracks, paired."""
    one, two = measured.model(less), measured.model(more)
    return by_group(score(one, "dbgs") - score(two, "dbgs"), one.artists, "artists",
                    _sweep(measured, (less, *others, more)))  # fmt: skip


def other_start(measured: Measured) -> dict:
    """G3: accuracy of the 2-bar model from other first weights and another order, less its own; four tracks."""
    other, own = (row(measured.model(name))["dbgs"] for name in (f"{TWO}@other-start", TWO))
    return {"value": other - own, "n": len(measured.model(TWO).rows), "of": "windows",
            "baselines": {"own_start": own, "other_start": other}}  # fmt: skip


def lower_of_two(measured: Measured) -> dict:
    """Q4: the lower of 2-bar drums and melody."""
    return min((accuracy(measured, TWO, column) for column in ("drums", "guitar")), key=lambda entry: entry["value"])


def shorter_is_easier(measured: Measured) -> dict:
    """Q4-16bar: drums, 2 bars less 16; the commonest tokens differ too."""
    two, sixteen = (accuracy(measured, name, "drums") for name in (TWO, GAUSSIAN))
    floor = two["baselines"]["step_majority"] - sixteen["baselines"]["step_majority"]
    return {"value": two["value"] - sixteen["value"], "n": sixteen["n"], "of": "windows",
            "baselines": {"step_majority": floor}}  # fmt: skip


def above_control(measured: Measured, control: str) -> dict:
    """Controls of Q1: mean accuracy of the flower less that of a control, paired by window."""
    flower, other = measured.model(FLOWER), measured.model(control)
    return by_group(score(flower, "dbgs") - score(other, "dbgs"), flower.artists, "artists")


def gain(measured: Measured, column: str) -> dict:
    """Q1: the flower's accuracy less the Gaussian's, paired by window."""
    flower, gaussian = measured.model(FLOWER), measured.model(GAUSSIAN)
    return by_group(score(flower, column) - score(gaussian, column), flower.artists, "artists")


def falling_gain(measured: Measured) -> dict:
    """Q2: the smallest step of the gain from drums over bass and guitar to strings."""
    gains = [gain(measured, track)["value"] for track in TRACKS]
    return {"value": -float(np.diff(gains).max()), "n": len(measured.model(FLOWER).rows), "of": "windows"}


def hardest_track(measured: Measured) -> dict:
    """Q3: the smallest margin of another track over guitar, in both 16-bar models."""
    models = measured.model(GAUSSIAN), measured.model(FLOWER)
    margin = min(_margin(model, "model") for model in models)
    return {"value": margin, "n": len(models[1].rows), "of": "windows",
            "baselines": {guess: _margin(models[1], guess) for guess in ("all_hold", "step_majority")}}  # fmt: skip


def _margin(model, guess):
    means = {track: float(score(model, track, guess).mean()) for track in TRACKS}
    return min(value for track, value in means.items() if track != "guitar") - means["guitar"]


# Section 4.3


def rising(measured: Measured, model: str) -> dict:
    """F4a: Spearman's rho of the mean distance to x1 with alpha."""
    path = measured.path(model)
    pairs = np.array([measures.rank_correlation(ALPHAS, curve) for curve in path.first.T])
    beside = {"data": 1.0, "code_ignored": 0.0, "pairs_rising": float((pairs >= 0.9).mean())}
    if model == TWO:
        beside["untrained"] = measures.rank_correlation(ALPHAS, measured.paths["untrained"].first.mean(axis=1))
    return {"value": measures.rank_correlation(ALPHAS, path.first.mean(axis=1)), "n": path.first.shape[1],
            "of": "interpolations", "baselines": beside}  # fmt: skip


def nearest_to_data(measured: Measured) -> dict:
    """F4b: how much further than the 2-bar model's curve the next one is from interpolating the data."""
    excess = {
        name: float(np.abs(path.first.mean(axis=1) - ALPHAS * path.apart.mean()).mean())
        for name, path in ((name, measured.path(name)) for name in (TWO, GAUSSIAN, FLOWER))
    }
    return {"value": min(excess[GAUSSIAN], excess[FLOWER]) - excess[TWO], "baselines": excess}


def sharper_than_data(measured: Measured) -> dict:
    """F4b-sharper: rise from alpha 0.25 to 0.75 less half the whole rise, 2-bar model."""
    path = measured.path(TWO)
    curve = path.first.mean(axis=1)
    low, high = np.interp([0.25, 0.75], ALPHAS, curve)
    return {"value": float(high - low - 0.5 * (curve[-1] - curve[0])), "n": path.first.shape[1],
            "of": "interpolations", "baselines": {"data": 0.0}}  # fmt: skip


def later_start(measured: Measured, model: str, than: str) -> dict:
    """F4c: distance at alpha = 0 of one model less another's."""
    start = {name: float(measured.path(name).first[0].mean()) for name in (model, than)}
    floor = [1 - row(measured.model(name), "step_majority")["dbgs"] for name in (model, than)]
    return {"value": start[model] - start[than], "baselines": start | {"step_majority": floor[0] - floor[1]}}


def lower_start(measured: Measured) -> dict:
    """F4d: distance at alpha = 0, Gaussian less flower, paired by interpolation."""
    gaussian, flower = measured.path(GAUSSIAN), measured.path(FLOWER)
    start = {name: float(path.first[0].mean()) for name, path in ((GAUSSIAN, gaussian), (FLOWER, flower))}
    return by_group(gaussian.first[0] - flower.first[0], flower.artists, "artists", start)


def mirror(measured: Measured) -> dict:
    """F4e: the largest difference between the distance to x2 and that to x1 read backwards, as a share of the rise."""
    path = measured.path(TWO)
    curve, other = path.first.mean(axis=1), path.second.mean(axis=1)
    rise = float(curve[-1] - curve[0])
    if rise < 0.01:
        raise NotTestable("the answers do not move away from the first song, and a flat curve mirrors anything")
    return {"value": float(np.abs(other - curve[::-1]).max()) / rise, "n": path.first.shape[1],
            "of": "interpolations", "baselines": {"data": 0.0, "rise": rise}}  # fmt: skip


def _largest_steps(measured, metrics):
    """Artists, and the largest step along alpha of each pair of songs, of the 2-bar model and of an untrained decoder.

    As a share of the way, or of all steps of pitch, number and length of notes; (pairs,), NaN where nothing moves.
    """
    paths = measured.path(TWO), measured.paths["untrained"]
    if metrics:
        return paths[0].artists, *(np.ma.masked_invalid(p.jumps).mean(axis=1).filled(np.nan) for p in paths)
    return paths[0].artists, *(p.steps.max(axis=0) / np.where(p.way > 0, p.way, np.nan) for p in paths)


def largest_step(measured: Measured, metrics: bool = False) -> dict:
    """F2, F2-metrics: the largest step, mean over the pairs that move."""
    artists, share, untrained = _largest_steps(measured, metrics)
    moves = np.isfinite(share)
    if not moves.any():
        raise NotTestable("no pair's answers move")
    beside = {"even_steps": 0.1, "one_jump": 1.0, "pairs_that_move": float(moves.mean())}
    beside |= {"untrained": float(np.nanmean(untrained))} if np.isfinite(untrained).any() else {}
    return by_group(share[moves], artists[moves], "artists", beside)


def more_gradual(measured: Measured, metrics: bool = False) -> dict:
    """F2-gradual, F2-metrics-gradual: the same less an untrained decoder's, over the pairs that move in both."""
    artists, share, untrained = _largest_steps(measured, metrics)
    both = np.isfinite(share - untrained)
    if not both.any():
        raise NotTestable("no pair's answers move both here and in an untrained decoder")
    beside = {"model": float(share[both].mean()), "untrained": float(untrained[both].mean())}
    return by_group((share - untrained)[both], artists[both], "artists", beside)


def towards_second(measured: Measured, metric: str) -> dict:
    """F2-pitch, F2-notes, F2-length: rank correlation of a metric with alpha, signed by the songs' own difference.

    Mean over the pairs whose songs differ in it, 2-bar model; a decoder that ignores its code has 0.
    """
    path = measured.path(TWO)
    found, nulls = path.follows[metric], measured.paths["untrained"].follows[metric]
    differ = np.isfinite(found)
    if not differ.any():
        raise NotTestable("no pair of songs differs in it")
    beside = {"code_ignored": 0.0, "untrained": float(nulls[differ].mean()),
              "data": float(path.data_follows[metric][differ].mean())}  # fmt: skip
    return by_group(found[differ], path.artists[differ], "artists", beside)


FINDINGS = {
    "T1-gaussian": partial(accuracy, model=TWO, column="drums"),
    "T2-gaussian": partial(accuracy, model=TWO, column="guitar"),
    **{f"T{k}-gaussian": partial(accuracy, model=GAUSSIAN, column=c) for k, c in enumerate(COLUMNS, 3)},
    **{f"T{k}-flower": partial(accuracy, model=FLOWER, column=c) for k, c in enumerate(COLUMNS, 3)},
    **{f"{cell}-musicvae-{kind}": partial(quoted_column, model=rival, column=column)
       for kind, _, rival, column, cell in QUOTED},
    **{f"V{1 + (kind == HIERARCHICAL)}-{cell}": partial(above_quoted, model=model, column=column,
                                                        quoted=f"{cell}-musicvae-{kind}")
       for kind, model, _, column, cell in QUOTED},
    **{f"M{1 + (kind == HIERARCHICAL)}-{cell}": partial(above_measured, model=model, column=column, rival=rival)
       for kind, model, rival, column, cell in QUOTED},
    **{f"L16-{name}-{column}": partial(above_majority, model=model, column=column)
       for name, model in (("flower", FLOWER), ("gaussian", GAUSSIAN)) for column in ("drums", "bass", "dbgs")},
    "S-beta": partial(costs, less=f"{TWO}@beta-0", more=f"{TWO}@beta-tenfold", others=(TWO,)),
    "S-beta-prior": latent.drawn_by_beta,
    "S-latent": partial(costs, less=TWO, more=f"{TWO}@latent-sixteenth", others=(f"{TWO}@latent-quarter",)),
    "G3": other_start,
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
    "F2-metrics": partial(largest_step, metrics=True),
    "F2-gradual": more_gradual,
    "F2-metrics-gradual": partial(more_gradual, metrics=True),
    **{f"F2-{metric}": partial(towards_second, metric=metric) for metric in ("pitch", "notes", "length")},
    "F3": latent.smooth,
    "Q8": latent.smoother_than_untrained,
    "Q9": latent.petal_hits,
    "Q9-centre": latent.nearer_the_centre,
    "Q9-wasserstein": partial(latent.prior_distance, model=FLOWER),
    "Q9-gaussian": partial(latent.prior_distance, model=TWO),
    "F5a": latent.mixed,
    "F5b": latent.separated,
    "F5b-compact": latent.compact,
    "Q10": latent.better_apart,
    "Q11": latent.like_music,
}
