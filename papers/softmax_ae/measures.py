"""What a trained run is measured by: arrays in, numbers out. No files, no networks."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from common import probes
from papers.softmax_ae.data import Data


@dataclass(frozen=True)
class Encodings:
    """What the trained networks make of all segments (n rows each), dropout off."""

    raw: np.ndarray  # (n, 500)
    vanilla: np.ndarray  # (n, 64)
    vanilla_x_hat: np.ndarray  # (n, 500)
    bottleneck: np.ndarray  # (n, 64)
    x_hat: np.ndarray  # (n, 500)
    logits: np.ndarray  # (n, classes)
    two_layer: np.ndarray  # (n, classes)


ENCODINGS = ("raw", "vanilla", "bottleneck", "logits", "two_layer")  # those that Figures 1, 5 and 6 draw


@dataclass(frozen=True)
class Measured:
    """One run: its settings, data, encodings and histories; what several findings share is computed once."""

    config: object
    in_epoch: bool  # training accuracy is the running count inside the last epoch, as the program prints it
    data: Data
    encodings: Encodings
    histories: dict = field(default_factory=dict)  # model -> lines of its metrics.jsonl
    gaps: dict | None = None  # setting -> training accuracy minus held-out accuracy; None without ablations

    @cached_property
    def held_y(self) -> np.ndarray:
        """Class codes of the held-out segments."""
        return self.data.y[self.data.held]

    @cached_property
    def right(self) -> dict[str, np.ndarray]:
        """Per classifier whether each of the n segments is named rightly."""
        return {name: getattr(self.encodings, logits).argmax(axis=1) == self.data.y
                for name, logits in (("two_layer", "two_layer"), ("deep_softmax", "logits"))}

    def accuracy(self, name: str, part: str) -> float:
        """Accuracy of "two_layer" or "deep_softmax" on a part, dropout off; NaN without rows."""
        rows = self.data.held if part == "held" else self.data.parts[part]
        return float(self.right[name][rows].mean()) if len(rows) else float("nan")

    def gap(self, name: str) -> float:
        """Training accuracy minus held-out accuracy."""
        return self.accuracy(name, "train") - self.accuracy(name, "held")

    def running_accuracy(self, name: str) -> float | None:
        """Training accuracy counted inside the last epoch, dropout on."""
        lines = self.histories.get(name)
        return lines[-1].get("metrics/train_accuracy_in_epoch", float("nan")) if lines else None

    @cached_property
    def held(self) -> dict[str, np.ndarray]:
        """Each encoding of the held-out segments."""
        return {name: getattr(self.encodings, name)[self.data.held] for name in ENCODINGS}

    @cached_property
    def silhouettes(self) -> dict[str, float]:
        """Of each encoding on the held-out segments."""
        return {name: probes.silhouette(x, self.held_y) for name, x in self.held.items()}

    @cached_property
    def scores(self) -> dict:
        """Precision, recall, F1 and confusions of the DSAE on the held-out segments."""
        predicted = self.encodings.logits[self.data.held].argmax(axis=1)
        return probes.scores(self.held_y, predicted, len(self.data.classes))

    def majority(self, rows: np.ndarray) -> float:
        """Accuracy on `rows` of always naming the commonest class of the training part."""
        return probes.majority_rate(self.data.y[self.data.parts["train"]], self.data.y[rows])

    def loudness_only(self, rows: np.ndarray) -> float:
        """Control: accuracy on `rows` of a logistic regression that sees a segment's RMS and its logarithm alone."""
        data, train = self.data, self.data.parts["train"]
        rms = np.sqrt(np.mean(np.square(data.amplitudes), axis=1, keepdims=True))
        features = np.concatenate([rms, np.log(rms + 1e-6)], axis=1)
        return probes.logistic_accuracy(features[train], data.y[train], features[rows], data.y[rows])


def confused_pairs(confusion: np.ndarray) -> dict[tuple[int, int], float]:
    """Share of all segments that are confused between two classes, either way: {(larger code, smaller): share}."""
    shares = confusion / max(confusion.sum(), 1)
    return {(i, j): shares[i, j] + shares[j, i] for i in range(len(shares)) for j in range(i)}


def drawn_rows(config, data: Data) -> tuple[np.ndarray, np.ndarray]:
    """Segments on which principal axes are fitted, and those that are drawn."""
    if config.projection == "train":
        return data.parts["train"], data.held
    return np.arange(len(data.y)), np.arange(len(data.y))


def halves(x: np.ndarray, y: np.ndarray) -> tuple:
    """Every second row, and the others: (x, y, x, y)."""
    even, odd = np.arange(0, len(y), 2), np.arange(1, len(y), 2)
    return x[even], y[even], x[odd], y[odd]
