"""What a run measured, as arrays: the one thing that findings, figures and the page are made of; and the measuring.

Every part may be None: the run has nothing to measure it on, or its model is not trained yet.
"""

from dataclasses import dataclass

import numpy as np

from common import training
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


@dataclass(frozen=True)
class Classical:
    """The classical classifiers under every split.

    Attributes:
        labels: (rows,) genre codes. classes: how many genres there are. names: of the genres.
        splits: {protocol: {part: rows}}. fits: {protocol: {classifier: classifiers.Fitted}}.
        shared: {protocol: share of the test chunks whose track is in training}.
        artists: (rows,) numbers. shuffled: {classifier: (count, 2)} or None, see classifiers.shuffled_accuracies.
    """

    labels: np.ndarray
    names: list
    splits: dict
    fits: dict
    shared: dict
    artists: np.ndarray
    shuffled: dict | None

    @property
    def classes(self):
        """How many genres there are."""
        return len(self.names)


@dataclass(frozen=True)
class Networks:
    """The genre networks.

    Attributes:
        histories: {network: lines of metrics with a validation}.
        trained_on, validated_on: (n,) genre codes of the training and the validation images.
        tested: {network: (codes found, true codes)} on the official test part; empty where a mode has none.
        leak: {network: {protocol: accuracy}} of the splits that each was trained under.
    """

    histories: dict
    trained_on: np.ndarray
    validated_on: np.ndarray
    tested: dict
    leak: dict


@dataclass(frozen=True)
class Hunt:
    """One image, five losses: {loss: finite lines}, {loss: step at which it diverged}, the image and its output."""

    histories: dict
    diverged: dict
    image: np.ndarray
    output: np.ndarray


@dataclass(frozen=True)
class Reconstructions:
    """Held-out images (n, bands, frames), every autoencoder's outputs, the mean training image, tracks, joins."""

    images: np.ndarray
    outputs: dict
    mean: np.ndarray
    tracks: list
    joins: np.ndarray


@dataclass(frozen=True)
class Paths:
    """Interpolations of pairs by the baseline.

    Attributes:
        pairs: rows (A, B). shares: (points,) of A.
        decoded: {how: (pairs, points, bands, frames)}; first, second: the original images (pairs, bands, frames).
        path: the mode's own path, with original images at its ends where the mode has them.
        embedded: embeddings of "path", "mix" (of pixels) and of each way in decoded (pairs, points, d), and of "first"
            and "second" (pairs, d).
        probability: genre probabilities along the path (pairs, points, classes); genres: codes (pairs, 2).
        features: {"path" | "first" | "second": {feature: (pairs, points, k) or (pairs, k)}}.
    """

    pairs: list
    shares: np.ndarray
    decoded: dict
    first: np.ndarray
    second: np.ndarray
    path: np.ndarray
    embedded: dict
    probability: np.ndarray
    genres: np.ndarray
    features: dict


@dataclass(frozen=True)
class Generated:
    """Embeddings (n, d) of generated, held-out and noise images."""

    made: np.ndarray
    held_out: np.ndarray
    noise: np.ndarray


@dataclass(frozen=True)
class Measured:
    """Everything."""

    config: object
    classical: Classical | None = None
    networks: Networks | None = None
    hunt: Hunt | None = None
    conv2d: list | None = None
    reconstructions: Reconstructions | None = None
    paths: Paths | None = None
    generated: Generated | None = None
    inversion: object | None = None
    drawn: dict | None = None


# ---------------------------------------------------------------- measuring

def classical(config, store, seed):
    """The Classical of a run; None where there is one class only."""
    labels, table = data.labels_of(store), np.asarray(store.array("statistics"))
    if labels.max() < 1:
        return None
    groups, found = [row["group"] for row in store.index], {}
    for protocol in splits.CLASSICAL:
        found[protocol] = classifiers.fit_all(store, table, labels, protocol, seed)
    shuffled = classifiers.shuffled_accuracies(store, table, labels, config.shuffles, seed) if config.shuffles else None
    return Classical(labels, sorted({row["label"] for row in store.index}),
                     {p: split for p, (split, _) in found.items()}, {p: fits for p, (_, fits) in found.items()},
                     {p: splits.shared_groups(split, groups) for p, (split, _) in found.items()},
                     np.asarray(store.array("artists")), shuffled)


def networks(config, store, run, histories):
    """The Networks of a run, as far as they are trained."""
    labels = data.labels_of(store)
    rows = data.parts(config, store, config.classifier_items, run.seed)
    lines = {name: [line for line in histories[name] if "validation/accuracy" in line] for name in train.CLASSIFIERS}
    tested = {}
    if config.deep_protocol == "official":
        held_out = data.held_out(config, store, run.seed, 256)
        images = data.images_of(store, held_out)
        for name in train.CLASSIFIERS:
            if training.outcome(run.model_directory(name)):
                found = inference.probabilities(loaded(config, store, run, name), images)
                tested[name] = found.argmax(axis=-1), labels[held_out]
    leak = {name: {config.deep_protocol: found[-1]["validation/accuracy"]} if found else {}
            for name, found in lines.items()}
    for other in train.others(config):
        if other.field == "deep_protocol" and histories.get(other.job):
            leak[other.model][other.value] = histories[other.job][-1]["validation/accuracy"]
    for name, (codes, truth) in tested.items():
        leak[name]["official"] = float(np.mean(codes == truth))
    return Networks({name: found for name, found in lines.items() if found}, labels[rows["train"]],
                    labels[rows["validation"]], tested, leak)


def loaded(config, store, run, name):
    """A trained model of a run."""
    return training.load(train.MODELS[name], config, store, run.model_directory(name), run.seed)


def hunt(config, store, run, histories, outcomes):
    """The Hunt of a run; None before squared error has begun."""
    if not outcomes["overfit-squared_error"]:
        return None
    learner = loaded(config, store, run, "overfit-squared_error")
    image = store.image(store.index[0])[None]
    output = inference.decode(learner, inference.encode(learner, image), "squared_error")
    lines = {loss: [line for line in histories[f"overfit-{loss}"] if np.isfinite(line["losses/total"])]
             for loss in train.OVERFIT}
    diverged = {loss: outcomes[f"overfit-{loss}"].diverged["step"] for loss in train.OVERFIT
                if outcomes[f"overfit-{loss}"] and outcomes[f"overfit-{loss}"].diverged}
    return Hunt({loss: found for loss, found in lines.items() if found}, diverged, image, output)


def reconstructions(config, store, learners, rows, seed):
    """The Reconstructions of held-out rows by every autoencoder."""
    images = data.images_of(store, rows)
    outputs = {name: inference.decode(learner, inference.encode(learner, images), train.loss_of(name, config))
               for name, learner in learners.items()}
    return Reconstructions(images, outputs, data.mean_image(config, store, seed),
                           [store.index[row]["group"] for row in rows], data.neighbours(store, rows))


def paths(config, store, learner, judge, pairs, seed):
    """The Paths of chosen pairs."""
    loss, shares = train.loss_of("baseline", config), inference.fractions(config.points)
    first, second = (data.images_of(store, [pair[k] for pair in pairs]) for k in (0, 1))
    decoded = {how: inference.path_images(learner, loss, first, second, shares, how, seed)
               for how in inference.WAYS}
    path = decoded[config.interpolate]
    if config.end_points == "original":
        path = measures.with_ends(path, first, second)
    share = shares[None, :, None, None]
    mix = share * first[:, None] + (1 - share) * second[:, None]
    shown = {"path": path, "mix": mix, "first": first, "second": second, **decoded}
    labels = data.labels_of(store)
    return Paths(pairs, shares, decoded, first, second, path, {name: judge.embed(x) for name, x in shown.items()},
                 judge.classify(path), np.array([[labels[a], labels[b]] for a, b in pairs]),
                 {name: features(config, shown[name]) for name in ("path", "first", "second")})


def features(config, images):
    """Loudness, centroid, chroma and tempo of images (…, bands, frames): {feature: (…, k)}."""
    power = preprocess.image_to_power(images.reshape(-1, config.bands, config.frames), config.dynamic_range)
    found = measures.sound_features(power, config.sample_rate, config.hop_length)
    return {name: values.reshape(*images.shape[:-2], -1) for name, values in found.items()}


def generated(config, learner, judge, images, seed):
    """Generated.made, held-out images and noise with their mean and deviation, embedded."""
    made = inference.generate(learner, train.loss_of("baseline", config), config.latent, len(images), seed)
    noise = np.clip(np.random.default_rng(seed).normal(images.mean(), images.std(), images.shape), 0, 1)
    return Generated(judge.embed(made), judge.embed(images), judge.embed(noise))


def measure(config, store, run, histories, outcomes):
    """The Measured of a run, and the trained autoencoders for the page: (Measured, {name: Learner})."""
    found = {"classical": classical(config, store, run.seed), "networks": networks(config, store, run, histories),
             "hunt": hunt(config, store, run, histories, outcomes),
             "drawn": projections.draw(config, store, run.seed)}
    wanted = [*(f"autoencoder-{name}" for name in train.AUTOENCODERS), "cnn_1", "cnn_2"]
    if not all(outcomes[name] for name in wanted):
        return Measured(config, **found), {}
    learners = {name: loaded(config, store, run, f"autoencoder-{name}") for name in train.AUTOENCODERS}
    judge = inference.judge_of({name: loaded(config, store, run, name) for name in ("cnn_1", "cnn_2")})
    rows = data.held_out(config, store, run.seed)
    again = reconstructions(config, store, learners, rows, run.seed)
    pairs = data.choose_pairs(config, store, rows, run.seed)
    found |= {"conv2d": histories["autoencoder-conv2d"], "reconstructions": again,
              "paths": paths(config, store, learners["baseline"], judge, pairs, run.seed) if pairs else None,
              "generated": generated(config, learners["baseline"], judge, again.images, run.seed),
              "inversion": sound.compare_inversions(config, np.asarray(store.array("excerpts")), again.images,
                                                    again.outputs["baseline"], run.seed)}
    return Measured(config, **found), learners
