"""Section 4, Figure 8: what the losses of ALI's game say, with the program's gate and without: GAME."""

from functools import partial

import numpy as np

from common.findings import NotTestable
from papers.symphony2vec import losses
from papers.symphony2vec.config import GATES, LATENT_SIZES, MODELS
from papers.symphony2vec.measured import Measured
from papers.symphony2vec.printed import end, lines


def _gate_closed(measured, model="ali-128"):
    """The threshold of a model's gate. Raises NotTestable where it has none or it never closes in part 1."""
    threshold = MODELS[model].settings(measured.config).ali_gate
    if not measured.config.ali_gate:
        raise NotTestable("there is no gate in this mode")
    if min(line["metrics/gate_open"] for line in lines(measured, model)) >= 1:
        raise NotTestable(f"the generator's loss does not reach the gate's {threshold:g} in part 1")
    return threshold


def plateau(measured: Measured) -> float:
    """Discriminator loss at the end of part 1 minus 2 ln 2 (Q11)."""
    if measured.config.ali_gate:
        _gate_closed(measured)
    return end(measured, "ali-128", "losses/discriminator") - 2 * np.log(2)


def predicted_by_gate(measured: Measured, model: str) -> dict:
    """D of generated images at the end of part 1 minus what the gate's threshold predicts (Q11)."""
    predicted = losses.gate_equilibrium(_gate_closed(measured, model))[1]
    found = end(measured, model, "metrics/d_generated")
    return {"value": found - predicted, "baselines": {"predicted": predicted, "found": found}}


def follows_the_gate(measured: Measured) -> float:
    """Slope of D of generated images, at the end of part 1, over what three thresholds predict: 1 where it follows."""
    models = ("ali-128", *(f"ali-128-gate-{gate:g}" for gate in GATES))
    predicted = [losses.gate_equilibrium(_gate_closed(measured, model))[1] for model in models]
    return np.polyfit(predicted, [end(measured, model, "metrics/d_generated") for model in models], 1)[0]


def gate_open(measured: Measured, part: int) -> float:
    """Share of a part's steps in which the discriminator of ALI-128 learns."""
    _gate_closed(measured)
    return float(np.mean([line["metrics/gate_open"] for line in lines(measured, "ali-128", part)]))


def last_generated(measured: Measured, part: int | None = None) -> dict:
    """D of ALI-128's images over the last tenth of a part (None: the last) minus .14, midway of .08 to .20."""
    predicted = losses.gate_equilibrium(_gate_closed(measured))[1]
    found = end(measured, "ali-128", "metrics/d_generated", share=0.1, part=part or measured.parts)
    return {"value": found - 0.14, "baselines": {"predicted": predicted, "found": found}}


def without_gate(measured: Measured) -> float:
    """Discriminator loss at the end without the gate."""
    if measured.config.ali_gate:
        raise NotTestable("the gate is on in this mode")
    return end(measured, "ali-128", "losses/discriminator")


def range_of_losses(measured: Measured) -> float:
    """Largest difference of the discriminator losses at the end between latent sizes (Q12)."""
    names = [f"ali-{size}" for size in LATENT_SIZES]
    measured.need(*names)
    return np.ptp([end(measured, name, "losses/discriminator") for name in names])


GAME = {
    "Q11-discriminator": plateau,
    "Q11-predicted": partial(predicted_by_gate, model="ali-128"),
    **{f"Q11-predicted-{gate:g}": partial(predicted_by_gate, model=f"ali-128-gate-{gate:g}") for gate in GATES},
    "Q11-follows": follows_the_gate,
    **{f"Q11-gate-{part}": partial(gate_open, part=part) for part in (2, 3)},
    "Q11-generated-2": partial(last_generated, part=2),
    "Q11-generated": last_generated,
    "Q11-open": without_gate,
    "Q12": range_of_losses,
}
