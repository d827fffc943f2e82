"""What the paper judged by ear, as numbers: how well a clip is rebuilt, what the code gives away; all of a run's.

Arrays in, numbers out; no TensorFlow. Everything is measured on windows of the role "test", with noise off.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from common import probes
from papers.lord_transfer import joining
from papers.lord_transfer.config import Config
from papers.lord_transfer.heard import Heard

# ---- how well it is rebuilt --------------------------------------------------------------------------------------

def rebuilt_of(transfers: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """(n, bands, frames, channels): of all transfers (targets, n, …), those of each clip to its own class."""
    return transfers[classes, np.arange(len(classes))]


def absolute_errors(images: np.ndarray, made: np.ndarray) -> np.ndarray:
    """(n,) mean absolute error of the amplitude channel of each image."""
    return np.abs(made - images)[..., 0].mean(axis=(1, 2))


def variety(images: np.ndarray, classes: np.ndarray, transfers: np.ndarray) -> float:
    """How different the transfers to one class are, over how different its real clips are: 0 for a class mean."""
    real = [probes.mean_distance(images[classes == b, ..., 0]) for b in range(len(transfers))]
    return float(np.mean([probes.mean_distance(found[..., 0]) for found in transfers]) / np.mean(real))


def flux_ratio(images: np.ndarray, rebuilt: np.ndarray) -> float:
    """Change from frame to frame of rebuilt clips over that of the real ones."""
    return joining.flux(rebuilt[..., 0]) / joining.flux(images[..., 0])


def feature_distances(real: np.ndarray, made: np.ndarray) -> np.ndarray:
    """(n,) distance of rebuilt clips' features (n, values) from the real ones', in units of the real ones' spread."""
    scale = real.std(axis=0) + 1e-6
    return np.linalg.norm((made - real) / scale, axis=1) / np.sqrt(real.shape[1])


def leak(shown: np.ndarray, shown_classes: np.ndarray, asked: np.ndarray, asked_classes: np.ndarray,
         noise: float = 0.0) -> np.ndarray:
    """(n,) whether a linear probe, fitted on codes `shown`, names the class of each code in `asked`.

    `noise`: standard deviation of the Gaussian noise that both get first: what lies under the noise of training is
    nothing that the generator could have learned to read.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    random = np.random.default_rng(0)
    shown, asked = (codes + noise * random.normal(size=codes.shape) for codes in (shown, asked))
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500, class_weight="balanced"))
    return probe.fit(shown, shown_classes).predict(asked) == asked_classes


def class_balanced(values: np.ndarray, classes: np.ndarray) -> float:
    """Mean over classes of the class's mean value."""
    return float(np.mean([np.mean(values[classes == number]) for number in np.unique(classes)]))


# ---- phase -------------------------------------------------------------------------------------------------------

def angles(images: np.ndarray, phase: str) -> np.ndarray:
    """Phase angle in radians of images whose channels are those of `phase` (sec. 2.3.1, item 4)."""
    if phase == "angle":
        return 2 * np.pi * images[..., 1]
    return np.arctan2(2 * images[..., 2] - 1, 2 * images[..., 1] - 1)


def phase_correlation(images: np.ndarray) -> float:
    """Mean |correlation| of the phase channels with the amplitude channel."""
    return float(np.mean([abs(np.corrcoef(images[..., 0].ravel(), images[..., c].ravel())[0, 1])
                          for c in range(1, images.shape[-1])]))


def phase_measures(images: np.ndarray, rebuilt: np.ndarray, phase: str) -> dict[str, Any]:
    """{"errors": (n,) squared angle error in radians, "leak": how much more amplitude shows in the generated phase}."""
    difference = np.abs(angles(images, phase) - angles(rebuilt, phase)) % (2 * np.pi)
    squared = np.minimum(difference, 2 * np.pi - difference) ** 2
    return {"errors": squared.mean(axis=(1, 2)), "leak": phase_correlation(rebuilt) - phase_correlation(images)}


# ---- what findings are made of -----------------------------------------------------------------------------------

@dataclass
class Measured:
    """What was measured on one model: (n, …) on the held-out clips, in their order."""

    config: Config
    pair: str
    images: np.ndarray  # (n, bands, frames, channels)
    transfers: np.ndarray  # (targets, n, bands, frames, channels)
    heard: Heard
    errors: np.ndarray  # (n,) absolute error of identity outputs
    training_error: float  # the same, mean over training clips
    mean_errors: np.ndarray  # (n,) of the class's mean training image
    median_errors: np.ndarray  # (n,) of the class's median training image
    probe: dict  # {"noisy", "clean", "untrained"}: (n,) whether the linear probe named the class from the code
    flux: float
    distances: np.ndarray  # (n,) in the classifier's features
    history: list  # lines of metrics.jsonl
    trained_classes: np.ndarray  # class (or sub-class) of every training window
    how: str  # how clips were split, in words
    judged: dict = field(default_factory=dict)  # "transfers" and every control -> Judged
    pictures: dict = field(default_factory=dict)  # answers that ignore the source: (classes, bands, frames, 1) each
    ears: dict = field(default_factory=dict)  # what the two ears say of real clips, silence, noise and mean pictures
    phase: dict | None = None
    references: np.ndarray | None = None  # (n,) mel power at image value 1
    pitch: dict | None = None
    onsets: np.ndarray | None = None  # (n,)
    variety: float = float("nan")
    inversion: dict | None = None  # {"picked", "pinv", "nonnegative"}: errors in dB
    tracks: list = field(default_factory=list)  # joining.track_measures of each held-out track
    track_groups: list = field(default_factory=list)
    joined: dict = field(default_factory=dict)  # the first of them to be heard: way of joining -> (bands, frames)
    joined_reference: float = 1.0

    @property
    def labels(self) -> tuple:
        """Names of the classes."""
        return self.heard.labels

    @property
    def classes(self) -> np.ndarray:
        """(n,) class number of each clip."""
        return self.heard.classes

    @property
    def groups(self) -> np.ndarray:
        """(n,) recording of each clip."""
        return self.heard.groups


@dataclass
class Evaluation:
    """What a run measured: its model of each pair, its comparisons, and the runs on other data it is compared with."""

    config: Config
    models: dict  # pair ("" for instruments) -> Measured
    comparisons: dict = field(default_factory=dict)  # name -> Measured
    others: dict = field(default_factory=dict)  # data set -> results.json of the same preset, mode and seed

    @property
    def first(self) -> Measured:
        """The model of the first pair: the one that comparisons are made with."""
        return self.models[next(iter(self.models))]
