"""What was measured on a run, as plain arrays: all that findings read."""

from dataclasses import dataclass, field

import numpy as np

from common.findings import NotTestable
from papers.symphony2vec import measures
from papers.symphony2vec.config import LATENT_SIZES, MODELS, PROGRAM_ONLY, SUPERVISED, Config

GAMES = tuple(f"ali-{size}" for size in LATENT_SIZES)
CODED = tuple(one.name for one in MODELS.values() if one.kind in ("ae", "cae", "vae", "pca", "ali"))
CLASSIFIERS = tuple(one.name for one in MODELS.values() if one.kind in SUPERVISED or one.name in PROGRAM_ONLY)


@dataclass
class Judged:
    """How a model did on its test set.

    right: (items,) bool; rows: (items,) store row of each item; works: (items,) names; unit: what an item is;
    baselines: {majority (or chance), loudness} in percent; train_accuracy in percent, of regressions only,
    train_baselines on the same clips; predicted, truth: (items,) class numbers.
    """

    right: np.ndarray
    rows: np.ndarray
    works: np.ndarray
    baselines: dict
    unit: str = "clips"
    train_accuracy: float | None = None
    train_baselines: dict = field(default_factory=dict)
    predicted: np.ndarray | None = None
    truth: np.ndarray | None = None

    @property
    def accuracy(self) -> float:
        """In percent."""
        return 100.0 * float(np.mean(self.right))


@dataclass
class Errors:
    """Squared errors (clips,) of reconstructions of test clips, in what the network sees.

    own: against the clip itself; other: of another clip's reconstruction against it; mean: of the training clips' mean
    image; works: (clips,) names.
    """

    own: np.ndarray
    other: np.ndarray
    mean: np.ndarray
    works: np.ndarray


@dataclass
class Measured:
    """Everything that findings need, by name of the model; plain arrays, so that a test can make one up.

    names: composers; labels: (clips,) class number of every clip; train, test: store rows; parts: of the mel training;
    part_baselines: {majority, loudness} of the test clips of each of these parts; clips_split: the same rows where any
    clips are drawn, as many, None where the split is by clips already; trained_on: {model: labels of its training
    clips}; history: {model: log lines}; missing: {model: why it is absent}; codes: {model: test codes (clips, size)};
    generated, paths: {ALI's name: images (count, 32, 32, 1)}; samples: {data, ALI's and vae-mel: decibels (count, 32,
    32)}; slopes: of ALI-128 along random directions; crops: training crops as ALI sees them; components:
    {representation: (clips, 2) of Figure 4, their composers, their works}; explained: {representation: shares of
    variance}; vae_losses: {representation: (first, test)}; vae_best: {representation: the test loss of images at their
    best, logits to 28}; log_variances: {representation: the largest of each test clip's code (clips,)}; rebuilt:
    {model: decibels of reconstructed test clips}; errors: {model: Errors of its reconstructions}; limits: the ends of
    the VAE's sigmoid in decibels; stopped: models whose regression was stopped before its optimum; deviation_of_data:
    of each pixel of the crops (32, 32, 1).
    """

    config: Config
    names: list
    labels: np.ndarray
    train: np.ndarray
    test: np.ndarray
    parts: int = 1
    part_baselines: list = field(default_factory=list)
    clips_split: tuple | None = None
    judged: dict = field(default_factory=dict)
    trained_on: dict = field(default_factory=dict)
    history: dict = field(default_factory=dict)
    missing: dict = field(default_factory=dict)
    codes: dict = field(default_factory=dict)
    generated: dict = field(default_factory=dict)
    paths: dict = field(default_factory=dict)
    samples: dict = field(default_factory=dict)
    slopes: np.ndarray | None = None
    scale_blindness: float | None = None
    spread_of_data: float | None = None
    errors: dict = field(default_factory=dict)
    limits: tuple[float, float] = (0.0, 1.0)
    crops: np.ndarray | None = None
    components: dict = field(default_factory=dict)
    explained: dict = field(default_factory=dict)
    vae_losses: dict = field(default_factory=dict)
    vae_best: dict = field(default_factory=dict)
    log_variances: dict = field(default_factory=dict)
    rebuilt: dict = field(default_factory=dict)
    weight_difference: float | None = None
    stopped: list = field(default_factory=list)
    deviation_of_data: np.ndarray | None = None

    def need(self, *models: str) -> None:
        """Raise NotTestable with the reasons where any of the models is not there."""
        absent = [self.missing[name] for name in models if name in self.missing]
        if absent:
            raise NotTestable("; ".join(dict.fromkeys(absent)))

    def played(self, name: str) -> dict:
        """Whether ALI's game has begun: the discriminator's loss over the last fifth of the training against 2 ln 2."""
        losses_logged = [line["losses/discriminator"] for line in self.history[name]]
        last = float(np.mean(losses_logged[-max(1, len(losses_logged) // 5) :]))
        return {"value": last, "baseline": 2.0 * float(np.log(2.0)), "learnt": abs(last - 2.0 * np.log(2.0)) > 0.1,
                "what": "discriminator's loss at the end; at 2 ln 2 nobody has begun to play"}  # fmt: skip

    def learnt(self) -> dict[str, dict]:
        """{model: what it has learnt, against the trivial answer}: ALI's game, clips held out for all others.

        Beside it {model-regression}: whether composers are read off a model's codes at all.
        """
        found = {name: self.played(name) for name in self.history if name in MODELS and MODELS[name].kind == "ali"}
        regressions = {name: f"{name}-regression" for name in CODED}
        for name, key in (dict(zip(CLASSIFIERS, CLASSIFIERS, strict=True)) | regressions).items():
            if name in self.judged:
                one = self.judged[name]
                baseline, error = one.baselines["majority"], measures.clustered_error(100.0 * one.right, one.works)
                found[key] = {"value": one.accuracy, "baseline": baseline,
                              "learnt": one.accuracy > baseline + 2.0 * error,
                              "what": "held-out accuracy, two standard errors over works above the commonest composer "
                                      "or chance"}  # fmt: skip
        for name, one in self.errors.items():
            if MODELS[name].kind != "ali":
                value, baseline = float(np.mean(one.own)), float(np.mean(one.mean))
                found[name] = {"value": value, "baseline": baseline, "learnt": value < baseline,
                               "what": "held-out squared error, against the training clips' mean image"}  # fmt: skip
        return found
