"""What the comparisons of sec. 2.3, 1.2.2.2 and 2.4.3 show (comparisons.py): claim id -> function of what was measured.
"""

from functools import partial

import numpy as np

from common.findings import NotTestable, by_group
from papers.lord_transfer.config import loss_terms
from papers.lord_transfer.exceeding import above_identity, best_of, listened, per_clip
from papers.lord_transfer.measures import Evaluation, Measured


def other(run: Evaluation, name: str) -> Measured:
    """The measured comparison `name`; NotTestable with the way to get it."""
    if name in run.comparisons:
        return run.comparisons[name]
    if name in ("subclasses", "loss_perceptual") and not run.config.vgg_weights:
        raise NotTestable("perceptual loss off: needs VGG16 weights (--vgg-weights FILE) and --ablations")
    raise NotTestable("not trained: add --ablations")


def final_loss(model: Measured, updates: int | None = None) -> float:
    """A model's training loss without content decay at its end, or at the last line within `updates`."""
    lines = [line for line in model.history if line["stage"] == "joint" and line["step"] <= (updates or np.inf)]
    if not lines:
        raise NotTestable("no logged epoch within the updates compared")
    return sum(lines[-1].get(f"losses/{term}", 0.0) for term in ("mse", "mae", "perceptual", "multiscale", "cyclic"))


def overlap_losses(run: Evaluation, equal_updates: bool = False) -> list[float]:
    """Training losses (none, 25 %, 50 %) at equal epochs, or at the fewest updates of the three."""
    models = (run.first, other(run, "overlap_25"), other(run, "overlap_50"))
    same = min(model.history[-1]["step"] for model in models) if equal_updates else None
    return [final_loss(model, same) for model in models]


def of_losses(value: float, losses: list[float]) -> dict:
    """An entry of one training: a value and the three losses behind it."""
    return {"value": float(value), "n": 1, "of": "trainings",
            "baselines": dict(zip(("none", "quarter", "half"), losses, strict=True))}


def d1_loss(run: Evaluation) -> dict:
    """Loss without overlap above the mean of the other two."""
    none, quarter, half = losses = overlap_losses(run)
    return of_losses(none - (quarter + half) / 2, losses)


def overlap_fall(run: Evaluation, place: int, equal_updates: bool = False) -> dict:
    """Loss of the overlap at `place` (none, 25 %, 50 %) minus that of the next larger."""
    losses = overlap_losses(run, equal_updates)
    return of_losses(losses[place] - losses[place + 1], losses)


def gaps(model: Measured) -> np.ndarray:
    """(n,) held-out identity errors minus the mean training error, noise off: overfitting."""
    return model.errors - model.training_error


def paired(run: Evaluation, one: np.ndarray, two: np.ndarray, **baselines: float) -> dict:
    """Mean over the held-out clips of one (n,) minus two (n,), by recording."""
    return by_group(one - two, run.first.groups, "recordings", baselines)


def d2_gap(run: Evaluation) -> dict:
    """Overfitting with 25 % overlap minus that without."""
    return paired(run, gaps(other(run, "overlap_25")), gaps(run.first))


def d3_gap(run: Evaluation) -> dict:
    """Overfitting with 50 % overlap minus that with 25 %."""
    return paired(run, gaps(other(run, "overlap_50")), gaps(other(run, "overlap_25")))


def angle_ratio(run: Evaluation) -> dict:
    """P1: squared angle error over that of a random guess."""
    errors = other(run, "phase_angle").phase["errors"]
    return by_group(errors / (np.pi**2 / 3), run.first.groups, "recordings", {"random": 1.0})


def angle_against_cosine(run: Evaluation) -> dict:
    """P2: squared angle error of one channel minus that of two."""
    return paired(run, other(run, "phase_angle").phase["errors"], other(run, "phase_cosine_sine").phase["errors"])


def amplitude_leak(run: Evaluation, name: str) -> float:
    """P3: amplitude in the phase that a comparison generates."""
    return other(run, name).phase["leak"]


def subclass_identity(run: Evaluation) -> dict:
    """C1: relative fall of the identity error with sub-classes."""
    model = other(run, "subclasses")
    return {"value": float(1 - model.errors.mean() / run.first.errors.mean()), "n": len(model.errors), "of": "clips",
            "baselines": {"smallest_subclass": smallest_class(model)}}


def smallest_class(model: Measured) -> int:
    """Training windows of the smallest class (or sub-class) that occurs."""
    return int(np.unique(model.trained_classes, return_counts=True)[1].min())


def subclass_target(run: Evaluation) -> dict:
    """C1: gain in transfers heard as the target with sub-classes."""
    model = other(run, "subclasses")
    return paired(run, hits(model), hits(run.first))


def hits(model: Measured) -> np.ndarray:
    """(n,) of each clip, the share of its transfers to other classes that are heard as the target."""
    heard = listened(model)
    return per_clip(heard.hits, heard)


def larger_codes(run: Evaluation) -> dict:
    """N1: held-out identity error of the best larger code minus the base's."""
    best = min((other(run, name) for name in ("codes_x4", "codes_x8")), key=held_out_error)
    return paired(run, best.errors, run.first.errors, base=held_out_error(run.first))


def held_out_error(model: Measured) -> float:
    """Mean identity error on the held-out clips."""
    return float(model.errors.mean())


def loss_fall(run: Evaluation, name: str) -> dict:
    """N2 and N4: relative fall of the training loss from the run's model to a comparison."""
    base = final_loss(run.first)
    return {"value": float(1 - final_loss(other(run, name)) / base), "n": 1, "of": "trainings",
            "baselines": {"base": base}}


def larger_kernels(run: Evaluation) -> dict:
    """N3: held-out identity error minus the base's."""
    return paired(run, other(run, "kernels").errors, run.first.errors, base=held_out_error(run.first))


def with_terms(run: Evaluation, *terms: str) -> Measured:
    """The model trained with just these loss terms: the run's own, or a comparison."""
    if loss_terms(run.first.config) == list(terms):
        return run.first
    return other(run, {("mse",): "loss_mse", ("mae",): "loss_mae", ("mse", "mae"): "loss_mse_mae",
                       ("perceptual",): "loss_perceptual", ("multiscale",): "loss_perceptual"}[terms])


def distances(run: Evaluation, *terms: str) -> np.ndarray:
    """(n,) feature distances of the model trained with these terms; NotTestable where the classifier knows no class."""
    listened(run.first)
    return with_terms(run, *terms).distances


def robotic(run: Evaluation) -> dict:
    """L2: distance of flux from the input's, MAE alone minus MSE and MAE."""
    flux = {name: with_terms(run, *terms).flux for name, terms in (
        ("mae", ("mae",)), ("both", ("mse", "mae")), ("mse", ("mse",)))}
    return {"value": abs(flux["mae"] - 1) - abs(flux["both"] - 1), "n": len(run.first.errors), "of": "clips",
            "baselines": flux}


def both_pixel_losses(run: Evaluation) -> dict:
    """L3: feature distance, the better of the two alone minus both."""
    alone = {name: distances(run, name) for name in ("mse", "mae")}
    both, better = distances(run, "mse", "mae"), min(alone.values(), key=np.mean)
    return paired(run, better, both, both=both.mean(), **{name: found.mean() for name, found in alone.items()})


def perceptual_alone(run: Evaluation, term: str = "perceptual") -> dict:
    """L4: feature distance of the perceptual loss (or of what stands in for it) minus the worst of the others."""
    asked_of(run, term)
    others = {"mse": ("mse",), "mae": ("mae",), "both": ("mse", "mae")}
    found = {name: distances(run, *terms) for name, terms in others.items()}
    worst = max(found.values(), key=np.mean)
    return paired(run, distances(run, term), worst,
                  **{name: values.mean() for name, values in found.items()})


def asked_of(run: Evaluation, term: str) -> None:
    """NotTestable where the run's loss has no such term."""
    if term not in loss_terms(run.first.config):
        raise NotTestable("perceptual loss off: needs VGG16 weights (--vgg-weights FILE) and --ablations"
                          if term == "perceptual" else "no multi-scale loss in this run's loss")


def all_three(run: Evaluation, term: str = "perceptual") -> dict:
    """L5: feature distance gained over MSE and MAE."""
    asked_of(run, term)
    return paired(run, distances(run, "mse", "mae"), run.first.distances)


def more_recordings(run: Evaluation) -> dict:
    """G3: transfers heard as the target with all training recordings minus identity outputs so heard, or minus those
    with a quarter of the recordings, whichever is more: where a quarter suffices there is nothing to gain.
    """
    gained = {"gain": hits(run.first) - hits(other(run, "quarter")), "above_identity": above_identity(run.first.heard)}
    return by_group(gained[best_of(gained)], run.first.groups, "recordings",
                    {name: values.mean() for name, values in gained.items()})


def more_recordings_joint(run: Evaluation) -> dict:
    """I9: heard as the target and following the source, all training recordings minus a quarter of them."""
    quarter, heard = other(run, "quarter"), listened(run.first)
    both = [per_clip(model.judged["transfers"].joint, heard) for model in (run.first, quarter)]
    kept = np.isfinite(both[0])
    return by_group((both[0] - both[1])[kept], heard.groups[kept], "recordings")


def class_encoder_leak(run: Evaluation) -> dict:
    """A1: how often the probe names the class, full minus semi-amortised."""
    full, semi = other(run, "class_encoder").probe["noisy"], run.first.probe["noisy"]
    return paired(run, full.astype(float), semi.astype(float), full=full.mean(), semi=semi.mean())


GENRE = {
    "D1-loss": d1_loss,
    "D2-loss": partial(overlap_fall, place=0), "D2-updates": partial(overlap_fall, place=0, equal_updates=True),
    "D3-loss": partial(overlap_fall, place=1), "D3-updates": partial(overlap_fall, place=1, equal_updates=True),
    "D2-gap": d2_gap, "D3-gap": d3_gap, "P1": angle_ratio, "P2": angle_against_cosine,
    "P3-angle": partial(amplitude_leak, name="phase_angle"),
    "P3-cosine": partial(amplitude_leak, name="phase_cosine_sine"),
    "C1-identity": subclass_identity, "C1-target": subclass_target, "N1": larger_codes,
    "N2": partial(loss_fall, name="units_x2"), "N3": larger_kernels, "N4": partial(loss_fall, name="filters_x2"),
    "L2": robotic, "L3": both_pixel_losses, "L4": perceptual_alone, "L5": all_three,
    "L4-substitute": partial(perceptual_alone, term="multiscale"),
    "L5-substitute": partial(all_three, term="multiscale"), "G3": more_recordings,
}
INSTRUMENTS = {"A1": class_encoder_leak}
LONG_RECORDINGS = {"I9": more_recordings_joint}
