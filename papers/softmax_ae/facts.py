"""What is true on any data: Table 2 as printed and what it allows, the split, the decoder's reach, the sizes built."""

from collections import Counter
from functools import partial

import numpy as np

PRINTED = {"classical": (0.783, 0.775, 0.779), "jazz": (0.606, 0.627, 0.616), "metal": (0.515, 0.554, 0.5337),
           "pop": (0.670, 0.608, 0.638)}  # precision, recall, F1


def _class_margins(precision: float, recall: float, supports: range):
    """(support, predicted, right) of one class whose precision and recall round to the printed digits."""
    for support in supports:
        for right in range(int(support * (recall - 0.001)), int(support * (recall + 0.001)) + 2):
            if abs(right / support - recall) <= 0.0005 + 1e-12:
                for predicted in range(int(right / (precision + 0.001)), int(right / (precision - 0.001)) + 2):
                    if predicted and abs(right / predicted - precision) <= 0.0005 + 1e-12:
                        yield support, predicted, right


def feasible(examples: int, fewest: int = 150, most: int = 359) -> dict[int, int]:
    """Right answers -> number of ways (margins of all four classes) that round to Table 2 with so many examples.

    Args:
        examples: size of the evaluation set; fewest, most: bounds of a class's support.
    """
    sums = Counter({(0, 0, 0): 1})
    for precision, recall, _ in PRINTED.values():
        found = Counter()
        for a, b, c in _class_margins(precision, recall, range(fewest, most + 1)):
            for (support, predicted, right), ways in sums.items():
                if support + a <= examples and predicted + b <= examples:
                    found[support + a, predicted + b, right + c] += ways
        sums = found
    right = Counter()
    for (support, predicted, count), ways in sums.items():
        if support == predicted == examples:
            right[count] += ways
    return dict(sorted(right.items()))


def margins(examples: int, right: int) -> int:
    """In how many ways Table 2 can come from `examples` with exactly `right` correct ones."""
    return feasible(examples).get(right, 0)


# Facts of a run: claim id -> function of `measures.Measured`

def impossible_accuracy(measured) -> dict:
    """E11: in how many ways Table 2 can come from 1,000 examples with 65.3 % right."""
    return {"value": float(margins(1000, 653)), "n": 1000, "of": "examples"}


def worst_f1(measured) -> float:
    """E12: printed F1 of metal minus the smallest printed one."""
    return PRINTED["metal"][2] - min(row[2] for row in PRINTED.values())


def mean_recall(measured) -> float:
    """E14: mean recall of Table 2 minus the development accuracy of Table 1."""
    return float(np.mean([row[1] for row in PRINTED.values()]) - 0.641)


def heard_before(measured) -> dict:
    """L1: share of held-out segments of tracks that are in the training part too."""
    data = measured.data
    trained = set(data.tracks[data.parts["train"]])
    return {"value": float(np.mean([track in trained for track in data.tracks[data.held]])), "n": len(data.held),
            "of": "segments"}


def out_of_reach(measured) -> dict:
    """L2: 1 if no output of the decoder is below zero."""
    lowest = float(measured.encodings.x_hat.min())
    return {"value": float(lowest >= 0),
            "baselines": {"smallest output": lowest, "smallest input": float(measured.data.x.min())}}


def setting(name: str, measured) -> float:
    """B-HP: what the paper calls its final values."""
    return float(getattr(measured.config, name))


def classes(measured) -> float:
    """B-HP-logits: one a class."""
    return float(len(measured.data.classes))


def examples(measured) -> float:
    """B-DATA-n: all segments."""
    return float(len(measured.data.y))


def part_size(part: str, measured) -> float:
    """B-DATA: segments of a part."""
    return float(len(measured.data.parts[part]))


FACTS = {
    **{f"B-HP-{short}": partial(setting, name) for short, name in {
        "gamma": "gamma", "keep": "keep_probability", "pool": "pool", "hidden": "hidden",
        "bottleneck": "bottleneck"}.items()},
    "B-HP-logits": classes, "B-DATA-n": examples,
    **{f"B-DATA-{part}": partial(part_size, part) for part in ("train", "dev", "test")},
    "E11": impossible_accuracy, "E12": worst_f1, "E14": mean_recall, "L1": heard_before, "L2": out_of_reach,
}
