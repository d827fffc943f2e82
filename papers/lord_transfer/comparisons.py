"""The comparisons of sec. 2.3 (genre) and of sec. 1.2.2.2 and 2.4.3 (instruments): what each changes.

One change at a time from the run's settings; trained with `--ablations`, the genre ones on the first pair.
What they show: findings_comparisons.py.
"""

import dataclasses
from dataclasses import dataclass

from papers.lord_transfer.config import Config, loss_terms, perceptual_state


@dataclass(frozen=True)
class Times:
    """A setting's value times a factor."""

    factor: int


@dataclass(frozen=True)
class Comparison:
    """One comparison: its name, the task it belongs to, where the paper has it, the fields it changes."""

    name: str
    task: str
    section: str
    change: dict


COMPARISONS = (
    Comparison("overlap_25", "genre", "sec. 2.3.1, item 2", {"overlap": 0.25}),
    Comparison("overlap_50", "genre", "sec. 2.3.1, item 3", {"overlap": 0.5}),
    Comparison("phase_angle", "genre", "sec. 2.3.1, item 4a", {"phase": "angle"}),
    Comparison("phase_cosine_sine", "genre", "sec. 2.3.1, item 4b", {"phase": "cosine_sine"}),
    Comparison("subclasses", "genre", "sec. 2.3.1; the number is ours", {"subclasses": 5}),
    Comparison("codes_x4", "genre", "sec. 2.3.2", {"content_dim": Times(4), "class_dim": Times(4)}),
    Comparison("codes_x8", "genre", "sec. 2.3.2", {"content_dim": Times(8), "class_dim": Times(8)}),
    Comparison("units_x2", "genre", "sec. 2.3.2, item 1", {"encoder_units": Times(2), "dense_scale": Times(2)}),
    Comparison("kernels", "genre", "sec. 2.3.2, item 2",
               {"encoder_kernels": "9 6", "generator_kernels": "5 7 9"}),
    Comparison("filters_x2", "genre", "sec. 2.3.2, item 3",
               {"encoder_filters": Times(2), "adain_dim": Times(2), "last_filters": Times(2)}),
    Comparison("loss_mse", "genre", "sec. 2.3.3, item 1", {"loss": "mse"}),
    Comparison("loss_mae", "genre", "sec. 2.3.3, item 2", {"loss": "mae"}),
    Comparison("loss_mse_mae", "genre", "sec. 2.3.3, item 3", {"loss": "mse+mae"}),
    Comparison("loss_perceptual", "genre", "sec. 2.3.3, item 4", {"loss": "perceptual"}),
    Comparison("quarter", "genre", "sec. 1, a few thousand samples", {"train_share": 0.25}),
    Comparison("class_encoder", "instrument", "sec. 1.2.2.2: full amortisation", {"class_code": "encoder"}),
    Comparison("quarter", "instrument", "sec. 2.4.3: fewer clips per class", {"train_share": 0.25}),
)


def configs(base: Config) -> dict:
    """{name: its Config} of the comparisons of a Config's task that are another model than the run's."""
    task = "genre" if base.data_set == "fma_medium" else "instrument"
    found = {}
    for comparison in COMPARISONS:
        if comparison.task == task:
            values = {name: getattr(base, name) * value.factor if isinstance(value, Times) else value
                      for name, value in comparison.change.items()}
            changed = dataclasses.replace(base, **values)
            if differs(base, changed):
                found[comparison.name] = changed
    return found


def differs(base: Config, changed: Config) -> bool:
    """Whether a comparison is another model than the run's, given the VGG16 weights at hand."""
    state = perceptual_state(dataclasses.replace(changed, loss="perceptual"))
    if changed.subclasses and state in ("off", "multiscale"):
        return False  # sub-classes are found on VGG16 features
    if dataclasses.replace(changed, loss=base.loss) != base:
        return True
    without = changed.loss == "perceptual" and perceptual_state(changed) == "off"
    return not without and loss_terms(base) != loss_terms(changed)
