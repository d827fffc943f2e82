"""What is true on any data: the printed tables against each other and the authors' logs, the split, the networks built.

`program_logs.csv` is what the TensorBoard files of arjunsawknee/Genre-Extraction@00b1802 hold: 52 runs of the
autoencoder with classifier and one of the two-layer network, accuracies at some epochs.
"""

import csv
import functools
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np

from common import splits
from papers.softmax_ae.measures import Measured

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
    right = Counter()  # type: ignore[assignment]
    for (support, predicted, count), ways in sums.items():
        if support == predicted == examples:
            right[count] += ways  # type: ignore[index]
    return dict(sorted(right.items()))  # type: ignore[attr-defined]


def margins(examples: int, right: int) -> int:
    """In how many ways Table 2 can come from `examples` with exactly `right` correct ones."""
    return feasible(examples).get(right, 0)


# The authors' logs

LOGGED = {"2L": ("1544395367",), "DS": ("1544336954", "1544393939", "1544395143")}  # the runs of the final networks
CHECKED_EPOCHS = (1, 10, 50, 100, 200)


@functools.cache
def program_logs() -> tuple[dict, ...]:
    """The rows of program_logs.csv, numbers as floats; dev_accuracy NaN where it was not logged."""
    with open(Path(__file__).with_name("program_logs.csv"), newline="") as file:
        return tuple({**row, "epoch": int(row["epoch"]), "train": float(row["train_accuracy"]),
                      "dev": float(row["dev_accuracy"])} for row in csv.DictReader(file))


def logged(row: str, part: str) -> dict[int, float]:
    """Epoch -> accuracy on "train" (inside the epoch) or "dev", mean over the logged runs of "2L" or "DS"."""
    found = {}
    for line in program_logs():
        if line["run"] in LOGGED[row]:
            found.setdefault(line["epoch"], []).append(line[part])
    return {epoch: float(np.mean(values)) for epoch, values in found.items()}


# Facts: claim id -> function of `measures.Measured`

def impossible_accuracy(measured: Measured) -> dict:
    """E11a: in how many ways Table 2 can come from 1,000 examples with 65.3 % right."""
    return {"value": float(margins(1000, 653)), "n": 1000, "of": "examples"}


def mean_recall(measured: Measured) -> dict:
    """E11b: mean recall of Table 2 minus the development accuracy of Table 1, beside the test accuracy."""
    mean = float(np.mean([row[1] for row in PRINTED.values()]))
    return {"value": mean - 0.641, "baselines": {"minus the test accuracy": mean - 0.653}}


def as_bad_as_metal(measured: Measured) -> dict:
    """E12a: how many other genres have a printed F1 at or below metal's."""
    return {"value": float(sum(row[2] <= PRINTED["metal"][2] for name, row in PRINTED.items() if name != "metal")),
            "of": "genres"}


def better_than_pop(measured: Measured) -> dict:
    """E12b: how many genres besides classical have a printed F1 at or above pop's."""
    return {"value": float(sum(row[2] >= PRINTED["pop"][2] for name, row in PRINTED.items()
                               if name not in ("pop", "classical"))), "of": "genres"}


def from_2000_examples(measured: Measured) -> dict:
    """E3: the two-layer network's last logged development accuracy, over 2,000 examples, minus the printed one."""
    last = logged("2L", "dev")[200]
    return {"value": last - 0.381, "n": 2000, "of": "examples", "baselines": {"right of 2,000": last * 2000}}


def logged_runs_that_reach_it(measured: Measured) -> dict:
    """E20: how many of the logged runs ever reach the printed training accuracy of 94.9 %."""
    best = {}
    for line in program_logs():
        best[line["run"]] = max(line["train"], best.get(line["run"], 0.0))
    return {"value": float(sum(value >= 0.949 for value in best.values())), "n": len(best), "of": "logged runs",
            "baselines": {"best of all": max(best.values())}}


def heard_before(measured: Measured) -> dict:
    """L1: share of held-out segments of tracks that are in the training part too."""
    data = measured.own.data
    parts = data.parts | {"held": data.held}
    return {"value": splits.shared(parts, data.tracks, "held", "train"), "n": len(data.held), "of": "segments"}


def out_of_reach(measured: Measured) -> dict:
    """L2: share of the held-out segments' energy that no output of the decoder's last layer can have the sign of."""
    view = measured.own
    lowest = float(view.encodings.x_hat.min())
    reach = 1.0 if measured.built["decoder_output"] == "linear" else view.yardsticks["half-wave"]
    return {"value": 1 - reach, "n": len(view.data.held), "of": "segments",
            "baselines": {"smallest output": lowest, "smallest input": float(view.data.x.min())}}


def built(name: str, measured: Measured) -> float:
    """B-HP: a size or rate read off the built networks, the store or the logged losses."""
    return float(measured.built[name])


def examples(measured: Measured) -> float:
    """B-DATA-n: all segments."""
    return float(len(measured.own.data.y))


def examples_a_class(measured: Measured) -> float:
    """B-DATA-genre: segments of the smallest class."""
    return float(np.bincount(measured.own.data.y).min())


def part_size(part: str, measured: Measured) -> float:
    """B-DATA: segments of a part."""
    return float(len(measured.own.data.parts[part]))


FACTS = {
    **{f"B-HP-{name}": partial(built, name) for name in ("gamma", "keep", "pool", "hidden", "bottleneck", "logits")},
    "B-DATA-n": examples, "B-DATA-genre": examples_a_class,
    **{f"B-DATA-{part}": partial(part_size, part) for part in ("train", "dev", "test")},
    "E3": from_2000_examples, "E11a": impossible_accuracy, "E11b": mean_recall, "E12a": as_bad_as_metal,
    "E12b": better_than_pop, "E20": logged_runs_that_reach_it, "L1": heard_before, "L2": out_of_reach,
}
