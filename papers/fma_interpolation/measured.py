"""What a run measured, as arrays: the one thing that findings, figures and the page are made of; and the measuring.

Every part may be None: the run has nothing to measure it on, or its model is not trained yet.
"""

from dataclasses import dataclass

import numpy as np

from common import training
from common.loop import Outcome
from common.record import Run
from common.store import Store
from papers.fma_interpolation import (
    classifiers,
    data,
    inference,
    measures,
    preprocess,
    projections,
    sound,
    splits,
    train,
)
from papers.fma_interpolation.config import Config

TESTED = 256  # images of the official test part that the networks are tested on, at most
CONTROLS = ("mean image", "unrelated pair", "cross-fade of images", "cross-fade of sounds", "blurred ends")


@dataclass(frozen=True)
class Classical:
    """The classical classifiers under every split.

    Attributes:
        labels: (rows,) genre codes. classes: how many genres there are. names: of the genres.
        splits: {protocol: {part: rows}}. fits: {protocol: {classifier: classifiers.Fitted}}.
        shared: {protocol: share of the test chunks whose track is in training}.
        artists: (rows,) numbers. folded: classifiers.Folded.
        shuffled: {classifier: (count, 2)} or None, see classifiers.shuffled_accuracies.
    """

    labels: np.ndarray
    names: list
    splits: dict
    fits: dict
    shared: dict
    artists: np.ndarray
    folded: classifiers.Folded
    shuffled: dict | None

    @property
    def classes(self) -> int:
        """How many genres there are."""
        return len(self.names)


@dataclass(frozen=True)
class Networks:
    """The genre networks.

    Attributes:
        histories: {network: lines of metrics with a validation}.
        trained_on, validated_on: (n,) genre codes of the training and the validation images.
        found: {network: (n,) genre codes} after the last epoch on images that were not trained on: of the official
            test part, or in modes without one the validation images.
        truth, artists: (n,) of these images. rows: (n,) of the store.
        leak: {network: {protocol: accuracy}} of the splits that each was trained under.
    """

    histories: dict
    trained_on: np.ndarray
    validated_on: np.ndarray
    found: dict
    truth: np.ndarray
    artists: np.ndarray
    rows: np.ndarray
    leak: dict


@dataclass(frozen=True)
class Hunt:
    """One image, five losses.

    Attributes:
        histories: {loss: lines with a finite loss}. diverged: {loss: step at which it was not}.
        image: (1, bands, frames); output: what squared error made of it; conv2d: the Conv2D network's output.
    """

    histories: dict
    diverged: dict
    image: np.ndarray
    output: np.ndarray
    conv2d: np.ndarray | None


@dataclass(frozen=True)
class Reconstructions:
    """Held-out images (n, bands, frames), every autoencoder's outputs, the mean training image.

    `tracks` and `artists` name what each image belongs to, `joins` (k, 2) are places of neighbours in a track.
    `rounded` and `drawn` (n,) are what the baseline's outputs change (root mean square) where the images are rounded to
    half, and from one draw of the code to another.
    """

    images: np.ndarray
    outputs: dict
    mean: np.ndarray
    tracks: np.ndarray
    artists: np.ndarray
    joins: np.ndarray
    rounded: np.ndarray
    drawn: np.ndarray


@dataclass(frozen=True)
class Paths:
    """Interpolations of pairs by the baseline, and what stands in for them without a decoder.

    Attributes:
        pairs: rows (A, B). artists: (pairs,) of A. shares: (points,) of A.
        first, second: the original images (pairs, bands, frames).
        images: {name: (pairs, points, bands, frames)}: "path" as this mode decodes it, every way of inference.WAYS,
            and the CONTROLS. shown: the path with the ends that the mode shows.
        embedded: {name: (pairs, points, d)}, and of "first" and "second" (pairs, d).
        probability: {name: (pairs, points, classes)} of the path, the controls, and "originals" (pairs, 2, classes).
        genres: codes (pairs, 2) of A and B.
        features: {name: {feature: (pairs, points, k)}}, and of "first" and "second" {feature: (pairs, k)}.
    """

    pairs: list
    artists: np.ndarray
    shares: np.ndarray
    first: np.ndarray
    second: np.ndarray
    images: dict
    shown: np.ndarray
    embedded: dict
    probability: dict
    genres: np.ndarray
    features: dict


@dataclass(frozen=True)
class Generated:
    """Embeddings (n, d): {"generated", "held out", "training", "mean image", "noise of pixels", "white noise"}."""

    embedded: dict


@dataclass(frozen=True)
class Measured:
    """Everything."""

    config: Config
    classical: Classical | None = None
    networks: Networks | None = None
    hunt: Hunt | None = None
    conv2d: list | None = None
    baseline: list | None = None
    reconstructions: Reconstructions | None = None
    paths: Paths | None = None
    generated: Generated | None = None
    inversion: sound.Inversions | None = None
    drawn: dict | None = None


# ---------------------------------------------------------------- measuring

def classical(config: Config, store: Store, seed: int) -> Classical | None:
    """The Classical of a run; None where there is one class only."""
    labels, table = data.labels_of(store), np.asarray(store.array("statistics"))
    if labels.max() < 1:
        return None
    groups, artists, found = [row["group"] for row in store.index], np.asarray(store.array("artists")), {}
    for protocol in splits.CLASSICAL:
        found[protocol] = classifiers.fit_all(store, table, labels, protocol, seed)
    shuffled = classifiers.shuffled_accuracies(store, table, labels, config.shuffles, seed) if config.shuffles else None
    return Classical(labels, sorted({row["label"] for row in store.index}),
                     {p: split for p, (split, _) in found.items()}, {p: fits for p, (_, fits) in found.items()},
                     {p: splits.shared_groups(split, groups) for p, (split, _) in found.items()},
                     artists, classifiers.folded(store, table, labels, artists, seed), shuffled)


def networks(config: Config, store: Store, run: Run, histories: dict[str, list[dict]]) -> Networks:
    """The Networks of a run, as far as they are trained."""
    labels = data.labels_of(store)
    rows = data.parts(config, store, config.classifier_items, run.seed)
    lines = {name: [line for line in histories[name] if "validation/accuracy" in line] for name in train.CLASSIFIERS}
    tested = rows["validation"]
    if config.deep_protocol == "official":
        tested = data.held_out(config, store, run.seed, TESTED)
    read = data.reader(store, tested)
    found = {name: inference.predicted(loaded(config, store, run, name), read, len(tested))
             for name in train.CLASSIFIERS if training.outcome(run.model_directory(name))}
    leak = {name: {config.deep_protocol: float(np.mean(codes == labels[tested]))} for name, codes in found.items()}
    for other in train.others(config):
        if other.field == "deep_protocol" and histories.get(other.job):
            leak[other.model][other.value] = histories[other.job][-1]["validation/accuracy"]  # type: ignore[index]
    return Networks({name: shown for name, shown in lines.items() if shown}, labels[rows["train"]],
                    labels[rows["validation"]], found, labels[tested], np.asarray(store.array("artists"))[tested],
                    tested, leak)


def loaded(config: Config, store: Store, run: Run, name: str) -> training.Learner:
    """A trained model of a run."""
    return training.load(train.MODELS[name], config, store, run.model_directory(name), run.seed)


def hunt(config: Config, store: Store, run: Run, histories: dict[str, list[dict]],
         outcomes: dict[str, Outcome | None]) -> Hunt | None:
    """The Hunt of a run; None before squared error has begun."""
    if not outcomes["overfit-squared_error"]:
        return None
    image, outputs = data.images_of(store, [0]), {}
    for name in ("overfit-squared_error", "overfit-conv2d"):
        if outcomes[name]:
            learner = loaded(config, store, run, name)
            outputs[name] = inference.decode(learner, inference.encode(learner, image), "squared_error")
    lines = {loss: [line for line in histories[f"overfit-{loss}"] if np.isfinite(line["losses/total"])]
             for loss in train.OVERFIT}
    diverged = {loss: outcomes[f"overfit-{loss}"].diverged["step"] for loss in train.OVERFIT
                if outcomes[f"overfit-{loss}"] and outcomes[f"overfit-{loss}"].diverged}
    return Hunt({loss: found for loss, found in lines.items() if found}, diverged, image,
                outputs["overfit-squared_error"], outputs.get("overfit-conv2d"))


def reconstructions(config: Config, store: Store, learners: dict[str, training.Learner], rows: np.ndarray,
                    seed: int) -> Reconstructions:
    """The Reconstructions of held-out rows by every autoencoder."""
    images = data.images_of(store, rows)
    outputs = {name: inference.decode(learner, inference.encode(learner, images), train.loss_of(name, config))
               for name, learner in learners.items()}
    return Reconstructions(images, outputs, data.mean_image(config, store, seed),
                           np.array([store.index[row]["group"] for row in rows]),
                           np.asarray(store.array("artists"))[rows], data.neighbours(store, rows),
                           *rounding_and_draws(learners["baseline"], train.loss_of("baseline", config), images, seed))


def rounding_and_draws(learner: training.Learner, loss: str, images: np.ndarray,
                       seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(n,) root mean squares: what outputs change by images rounded to half, and by another draw of the code."""
    halved = images.astype(np.float16).astype(np.float32)
    exact, rounded = (inference.decode(learner, inference.encode(learner, x), loss) for x in (images, halved))
    mean, log_variance = inference.posteriors(learner, images)
    noise = np.random.default_rng([seed, 9]).standard_normal((2, *mean.shape), np.float32)
    one, other = (inference.decode(learner, inference.draw(mean, log_variance, each), loss) for each in noise)
    return tuple(np.sqrt(measures.squared_error(*two)) for two in ((exact, rounded), (one, other)))


def paths(config: Config, store: Store, learner: training.Learner, judge: inference.Judge, pairs: list[tuple[int, int]],
          again: Reconstructions, seed: int) -> Paths:
    """The Paths of chosen pairs; `again`: Reconstructions, which say how much the baseline blurs."""
    loss, shares = train.loss_of("baseline", config), inference.fractions(config.points)
    first, second = (data.images_of(store, [pair[k] for pair in pairs]) for k in (0, 1))
    images = {how: inference.path_images(learner, loss, first, second, shares, how, seed) for how in inference.WAYS}
    images |= controls(images[config.interpolate], first, second, shares, again, config.dynamic_range)
    shown = images["path"]
    if config.end_points == "original":
        shown = measures.with_ends(shown, first, second)
    labels, rows = data.labels_of(store), np.array(pairs)
    ends = {"first": first, "second": second}
    probability = {name: judge.classify(images[name]) for name in ("path", *CONTROLS)}
    probability["originals"] = judge.classify(np.stack([first, second], axis=1))
    return Paths(pairs, np.asarray(store.array("artists"))[rows[:, 0]], shares, first, second, images, shown,
                 {name: judge.embed(x) for name, x in (images | ends).items()}, probability, labels[rows],
                 {name: features(config, x) for name, x in (images | ends).items()})


def controls(path: np.ndarray, first: np.ndarray, second: np.ndarray, shares: np.ndarray, again: Reconstructions,
             dynamic_range: float) -> dict[str, np.ndarray]:
    """{"path" and every one of CONTROLS: images (pairs, points, bands, frames)}: what needs no decoder, or no input."""
    blurred = [measures.blurred_to(x, measures.squared_error(again.images, again.outputs["baseline"]).mean())
               for x in (first, second)]
    return {"path": path, "mean image": np.broadcast_to(again.mean, path.shape), "unrelated pair": np.roll(path, 1, 0),
            "cross-fade of images": measures.mix(first, second, shares).astype(np.float32),
            "cross-fade of sounds": measures.mixed_power(first, second, shares, dynamic_range),
            "blurred ends": measures.mix(*blurred, shares).astype(np.float32)}  # type: ignore[call-arg]


def features(config: Config, images: np.ndarray) -> dict[str, np.ndarray]:
    """Loudness, centroid, chroma and tempo of images (…, bands, frames): {feature: (…, k)}."""
    power = preprocess.image_to_power(images.reshape(-1, config.bands, config.frames), config.dynamic_range)
    found = measures.sound_features(power, config.sample_rate, config.hop_length)
    return {name: values.reshape(*images.shape[:-2], -1) for name, values in found.items()}


def generated(config: Config, store: Store, learner: training.Learner, judge: inference.Judge, again: Reconstructions,
              seed: int) -> Generated:
    """The Generated of a run: as many of each as there are held-out images."""
    random, count = np.random.default_rng(seed), len(again.images)
    rows = data.parts(config, store, data.MEAN_OF, seed)["train"]
    shown = data.images_of(store, rows)
    pixels = random.normal(shown.mean(axis=0), shown.std(axis=0), again.images.shape)
    white = random.normal(shown.mean(), shown.std(), again.images.shape)
    made = inference.generate(learner, train.loss_of("baseline", config), config.latent, count, seed)
    images = {"generated": made, "held out": again.images, "training": shown,
              "mean image": np.broadcast_to(again.mean, again.images.shape),
              "noise of pixels": np.clip(pixels, 0, 1), "white noise": np.clip(white, 0, 1)}
    return Generated({name: judge.embed(x) for name, x in images.items()})


def measure(config: Config, store: Store, run: Run, histories: dict[str, list[dict]],
            outcomes: dict[str, Outcome | None]) -> tuple[Measured, dict[str, training.Learner]]:
    """The Measured of a run, and the trained autoencoders for the page: (Measured, {name: Learner})."""
    found = {"classical": classical(config, store, run.seed), "networks": networks(config, store, run, histories),
             "hunt": hunt(config, store, run, histories, outcomes),
             "drawn": projections.draw(config, store, run.seed)}
    wanted = [*(f"autoencoder-{name}" for name in train.AUTOENCODERS), "cnn_1", "cnn_2"]
    if not all(outcomes[name] for name in wanted):
        return Measured(config, **found), {}  # type: ignore[arg-type]
    learners = {name: loaded(config, store, run, f"autoencoder-{name}") for name in train.AUTOENCODERS}
    judge = inference.judge_of({name: loaded(config, store, run, name) for name in ("cnn_1", "cnn_2")})
    rows = data.held_out(config, store, run.seed)
    again = reconstructions(config, store, learners, rows, run.seed)
    pairs = data.choose_pairs(config, store, rows, run.seed)
    found |= {"conv2d": histories["autoencoder-conv2d"], "baseline": histories["autoencoder-baseline"],
              "reconstructions": again,
              "paths": paths(config, store, learners["baseline"], judge, pairs, again, run.seed) if pairs else None,
              "generated": generated(config, store, learners["baseline"], judge, again, run.seed),
              "inversion": sound.compare_inversions(config, np.asarray(store.array("excerpts")), again, run.seed)}
    return Measured(config, **found), learners  # type: ignore[arg-type]
