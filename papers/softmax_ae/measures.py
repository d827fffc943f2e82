"""What a trained run is measured by: arrays in, numbers out. No files, no networks."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_samples
from sklearn.neighbors import NearestNeighbors

from common import probes
from common.findings import NotTestable, by_group
from papers.softmax_ae.config import ALONE, GENRES, Config
from papers.softmax_ae.data import Data

ENCODINGS = ("raw", "vanilla", "bottleneck", "logits", "two_layer", "components")
COMPONENTS = 64  # principal components: as many as the bottleneck has numbers
MOST = 4000  # segments of a silhouette over the training part


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


@dataclass(frozen=True)
class View:
    """The segments under one split, and what networks trained on its training part make of every one."""

    data: Data
    encodings: Encodings
    _probed: dict = field(default_factory=dict, repr=False)  # encoding -> what `probe_right` found

    @cached_property
    def held_y(self) -> np.ndarray:
        """Class codes of the held-out segments."""
        return self.data.y[self.data.held]

    @cached_property
    def held_tracks(self) -> np.ndarray:
        """Recordings of the held-out segments."""
        return self.data.tracks[self.data.held]

    @cached_property
    def pca(self) -> PCA:
        """The yardstick of a linear encoder: 64 principal components of the training part."""
        train = self.encodings.raw[self.data.parts["train"]]
        return PCA(min(COMPONENTS, *train.shape), svd_solver="full").fit(train)

    @cached_property
    def components(self) -> np.ndarray:
        """All segments on those components, (n, 64)."""
        return self.pca.transform(self.encodings.raw)

    def encoding(self, name: str) -> np.ndarray:
        """One of ENCODINGS, of all segments."""
        return self.components if name == "components" else getattr(self.encodings, name)

    def held(self, name: str) -> np.ndarray:
        """One of ENCODINGS, of the held-out segments."""
        return self.encoding(name)[self.data.held]

    def right(self, name: str) -> np.ndarray:
        """Whether each of the n segments is named rightly by "two_layer" or by "logits" (the DSAE)."""
        return getattr(self.encodings, name).argmax(axis=1) == self.data.y

    def accuracy(self, name: str, part: str) -> float:
        """Share of a part (or "held") that "two_layer" or "logits" names rightly, dropout off; NaN without rows."""
        rows = self.data.held if part == "held" else self.data.parts[part]
        return float(self.right(name)[rows].mean()) if len(rows) else float("nan")

    def gap(self, name: str) -> float:
        """Training accuracy minus held-out accuracy."""
        return self.accuracy(name, "train") - self.accuracy(name, "held")

    def scores(self, part: str) -> dict:
        """Precision, recall, F1 and confusions of the DSAE on a part or "held"."""
        rows = self.data.held if part == "held" else self.data.parts[part]
        return probes.scores(self.data.y[rows], self.encodings.logits[rows].argmax(axis=1), len(self.data.classes))

    @cached_property
    def silhouettes(self) -> dict[str, np.ndarray]:
        """Of every held-out segment, in each encoding."""
        return {name: silhouettes(self.held(name), self.held_y) for name in ENCODINGS}

    def neighbours_right(self, name: str, part: str = "held") -> np.ndarray:
        """Whether five nearest training segments name each segment of a part rightly; no segment names itself."""
        train, x, y = self.data.parts["train"], self.encoding(name), self.data.y
        rows = self.data.held if part == "held" else self.data.parts[part]
        return five_nearest(x[train], y[train], None if part == "train" else x[rows], len(self.data.classes)) == y[rows]

    def probe_right(self, name: str) -> np.ndarray:
        """Whether each of the n segments is named rightly from an encoding: by the logits themselves, else linearly."""
        if name not in self._probed:
            self._probed[name] = (self.right(name) if name in ("logits", "two_layer")
                                  else self._logistic_right(self.encoding(name)))
        return self._probed[name]

    def majority(self, rows: np.ndarray) -> float:
        """Accuracy on `rows` of always naming the commonest class of the training part."""
        return probes.majority_rate(self.data.y[self.data.parts["train"]], self.data.y[rows])

    @cached_property
    def loudness_right(self) -> np.ndarray:
        """Control: whether a logistic regression on a segment's RMS and its logarithm alone names each rightly."""
        rms = np.sqrt(np.mean(np.square(self.data.amplitudes), axis=1, keepdims=True))
        return self._logistic_right(np.concatenate([rms, np.log(rms + 1e-6)], axis=1))

    @cached_property
    def spectrum_right(self) -> np.ndarray:
        """Control: the same on the logarithm of a segment's power spectrum, its mean taken off, so without loudness."""
        spectra = np.log(band_powers(self.data.amplitudes) + 1e-9)
        return self._logistic_right(spectra - spectra.mean(axis=1, keepdims=True))

    def _logistic_right(self, features: np.ndarray) -> np.ndarray:
        train = self.data.parts["train"]
        return probes.logistic(features[train], self.data.y[train]).predict(features) == self.data.y

    def explained(self, x_hat: np.ndarray) -> float:
        """Share of the held-out segments' energy that a reconstruction (n, 500) explains beyond silence."""
        return probes.r_squared(self.held("raw"), x_hat[self.data.held])

    @cached_property
    def yardsticks(self) -> dict[str, float]:
        """What reconstructions without a network explain: silence, the positive half of each wave, 64 components."""
        raw = self.encodings.raw
        return {"zero": 0.0, "half-wave": self.explained(np.maximum(raw, 0)),
                "PCA-64": self.explained(self.pca.inverse_transform(self.components))}


@dataclass(frozen=True)
class Other:
    """Another trained network of the run, in numbers."""

    train: float = float("nan")  # accuracy
    held: float = float("nan")
    explained: float = float("nan")  # share of held-out energy

    @property
    def gap(self) -> float:
        """Training accuracy minus held-out accuracy."""
        return self.train - self.held


@dataclass(frozen=True)
class Measured:
    """One run: its settings, views, histories, and the other networks trained beside."""

    config: Config
    own: View  # under the mode's own split
    unheard: View  # networks trained the same way, but on whole tracks; `own` where the mode's split does that
    alone: np.ndarray  # (n, classes): logits of the DSAE's twin without reconstruction, own split
    histories: dict = field(default_factory=dict)  # model -> lines of its metrics.jsonl
    others: dict | None = None  # ablation -> Other; None where they were not trained
    built: dict = field(default_factory=dict)  # sizes read off the built networks and the store

    def running_accuracy(self, model: str) -> float:
        """Training accuracy counted inside the last epoch, dropout on."""
        lines = self.histories.get(model)
        return lines[-1].get("metrics/train_accuracy_in_epoch", float("nan")) if lines else float("nan")


def of_tracks(view: View, values: np.ndarray, baselines: dict | None = None) -> dict:
    """The entry of a mean over the held-out segments, by the recording they are of."""
    return by_group(values, view.held_tracks, "tracks", _plain(baselines))


def of_held(view: View, value: float, baselines: dict | None = None) -> dict:
    """The entry of a number of the held-out segments that is no mean of theirs."""
    return {"value": float(value), "n": len(view.data.held), "of": "segments", "baselines": _plain(baselines)}


def _plain(baselines: dict | None) -> dict:
    return {name: float(value) for name, value in (baselines or {}).items()}


def genres_of(view: View) -> dict[str, int]:
    """Codes of the four genres. Raises NotTestable for other classes."""
    if set(view.data.classes) != set(GENRES):
        raise NotTestable("the corpus has other classes than the paper's four genres")
    return {name: view.data.classes.index(name) for name in GENRES}


LEAST_EXPLAINED = 0.05  # share of held-out energy below which an autoencoder is said to have learnt nothing


def learnt(measured: Measured) -> dict[str, dict]:
    """Per model whether it beats the trivial predictor on held-out segments: {"what", "value", "baseline", "learnt"}.

    A classifier: one class named always, by two standard errors; an autoencoder: silence, by a twentieth of the energy.
    "deep_softmax_unheard" is the network of `measured.unheard`, on the tracks held out from it.
    """
    view, unheard, found = measured.own, measured.unheard, {}
    alone = float(np.mean(measured.alone[view.data.held].argmax(axis=1) == view.held_y))
    for name, of, value in (("two_layer", view, view.accuracy("two_layer", "held")), (ALONE, view, alone),
                            ("deep_softmax", view, view.accuracy("logits", "held")),
                            ("deep_softmax_unheard", unheard, unheard.accuracy("logits", "held"))):
        chance = max(of.majority(of.data.held), 1 / len(of.data.classes))
        margin = 2 * np.sqrt(chance * (1 - chance) / len(of.data.held))
        found[name] = {"what": "held-out accuracy", "value": value, "baseline": chance,
                       "learnt": bool(value > chance + margin)}
    for name, x_hat in (("autoencoder", view.encodings.vanilla_x_hat), ("reconstruction", view.encodings.x_hat)):
        value = view.explained(x_hat)
        found[name] = {"what": "share of held-out energy explained", "value": value, "baseline": 0.0,
                       "learnt": value > LEAST_EXPLAINED}
    return found


def five_nearest(known_x: np.ndarray, known_y: np.ndarray, x: np.ndarray | None, classes: int) -> np.ndarray:
    """Class (n,) that most of the five nearest known points have; without `x` of the known, none its own neighbour.

    Args:
        known_x: (m, d). known_y: (m,) codes. x: (n, d).
    """
    search = NearestNeighbors(n_neighbors=min(5, len(known_x) - 1)).fit(known_x)
    found = search.kneighbors(x, return_distance=False)
    return (known_y[found][..., None] == np.arange(classes)).sum(axis=1).argmax(axis=1)


def silhouettes(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Silhouette (n,) of every row of x (n, d) for the classes y: 1 apart, 0 mixed; 0 where nothing varies."""
    x, y = np.asarray(x, np.float64), np.asarray(y)
    if len(x) < 2 or np.ptp(x, axis=0).max(initial=0.0) == 0.0 or not 1 < len(np.unique(y)) < len(x):
        return np.zeros(len(x))
    return silhouette_samples(x, y)


def part_silhouette(view: View, name: str, part: str) -> float:
    """Mean silhouette of an encoding over a part, a seeded sample of it where it is large."""
    rows = view.data.parts[part]
    rows = rows[np.random.default_rng(0).permutation(len(rows))[:MOST]]
    return float(silhouettes(view.encoding(name)[rows], view.data.y[rows]).mean()) if len(rows) else float("nan")


def band_powers(x: np.ndarray, bands: int = 40) -> np.ndarray:
    """Power of x (n, values) in bands of equal ratio above the fourth harmonic of the segment, (n, bands)."""
    power = np.square(np.abs(np.fft.rfft(x * np.hanning(x.shape[1]), axis=1)))
    edges = np.unique(np.round(np.geomspace(min(4, power.shape[1] - 1), power.shape[1], bands)).astype(int))[:-1]
    return np.add.reduceat(power, edges, axis=1)


def track_votes(logits: np.ndarray, y: np.ndarray, tracks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether each recording is named rightly by the mean of its segments' logits: (names, right)."""
    names = np.unique(tracks)
    mine = [tracks == name for name in names]
    return names, np.array([logits[rows].mean(axis=0).argmax() == y[rows][0] for rows in mine])


def share_of_tracks(right: np.ndarray, tracks: np.ndarray) -> float:
    """Share of recordings of whose segments more than half are named rightly; NaN without any."""
    names = np.unique(tracks)
    return float(np.mean([right[tracks == name].mean() > 0.5 for name in names])) if len(names) else float("nan")


def confused_pairs(confusion: np.ndarray) -> dict[tuple[int, int], float]:
    """Share of all segments that are confused between two classes, either way: {(larger code, smaller): share}."""
    shares = confusion / max(confusion.sum(), 1)
    return {(i, j): shares[i, j] + shares[j, i] for i in range(len(shares)) for j in range(i)}


def drawn_rows(config: Config, data: Data, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Segments on which principal axes of an encoding are fitted, and those that its figure draws."""
    everything = np.arange(len(data.y))
    of_hybrid = name in ("bottleneck", "logits")
    drawn = {"all": everything, "program": data.parts["dev"] if of_hybrid else everything,
             "held_out": data.held}[config.points]
    return (data.parts["train"] if config.axes == "train" else drawn), drawn


def plane(view: View, name: str, fit: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`rows` of an encoding on two principal axes of the rows `fit`: (rows, 2), and the variance each axis carries."""
    x = view.encoding(name)
    return probes.principal_components(x[fit], x[rows])


def gamma_of_losses(lines: list[dict]) -> float:
    """Share of the reconstruction in the two weights that the logged total is made with (least squares)."""
    terms = np.array([[line["losses/reconstruction"], line["losses/classification"]] for line in lines])
    total = np.array([line["losses/total"] for line in lines])
    weights = np.linalg.lstsq(terms, total, rcond=None)[0]
    return float(weights[0] / weights.sum())
