"""What a run gives, measured once: the arrays that findings read (Measured), from the run's networks (Trained)."""

from dataclasses import dataclass, field

import keras
import numpy as np
from sklearn.decomposition import PCA

from common import probes, training
from common.findings import NotTestable
from papers.symphony2vec import config as settings, data, embeddings, features, inference, latent, losses, measures
from papers.symphony2vec.train import MODELS, VAE_LIKELIHOOD


@dataclass
class Judged:
    """How a model did on its test set.

    right: (items,) bool; rows: (items,) store row of each item; works: (items,) names; unit: what an item is;
    baselines: {majority, loudness} in percent; train_accuracy in percent, of regressions only; predicted, truth:
    (items,) class numbers.
    """

    right: np.ndarray
    rows: np.ndarray
    works: np.ndarray
    baselines: dict
    unit: str = "clips"
    train_accuracy: float | None = None
    predicted: np.ndarray | None = None
    truth: np.ndarray | None = None

    @property
    def accuracy(self):
        """In percent."""
        return 100.0 * float(np.mean(self.right))


@dataclass
class Measured:
    """Everything that findings need, by name of the model; plain arrays, so that a test can make one up.

    names: composers; labels: (clips,) class number of every clip; train, test: store rows; parts: of the mel training;
    trained_on: {model: labels of its training clips}; history: {model: log lines}; missing: {model: why it is absent};
    codes: {model: test codes (clips, size)}; generated, paths: {ALI's name: images (count, 32, 32, 1)}; samples: {data,
    ali-128, vae-mel: decibels (count, 32, 32)}; slopes: of ALI-128 along random directions; crops: training crops as
    ALI sees them; components: (clips, 2) of Figure 4 and their composers; explained: {representation: shares of
    variance}; vae_losses: {representation: (first, test)}; rebuilt: {model: network outputs}; limits: {output: (low,
    high) in dB}.
    """

    config: object
    names: list
    labels: np.ndarray
    train: np.ndarray
    test: np.ndarray
    parts: int = 1
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
    crops: np.ndarray | None = None
    components: tuple | None = None
    explained: dict = field(default_factory=dict)
    vae_losses: dict = field(default_factory=dict)
    rebuilt: dict = field(default_factory=dict)
    limits: dict = field(default_factory=dict)
    weight_difference: float | None = None

    def need(self, *models):
        """Raise NotTestable with the reasons where any of the models is not there."""
        absent = [self.missing[name] for name in models if name in self.missing]
        if absent:
            raise NotTestable("; ".join(dict.fromkeys(absent)))


@dataclass
class Trained:
    """The networks of a run with its data, for measuring and drawing."""

    config: object
    store: object
    run: object
    selection: data.Selection
    images: dict
    learners: dict = field(default_factory=dict)
    history: dict = field(default_factory=dict)
    missing: dict = field(default_factory=dict)

    def rows(self, name):
        """(train rows, test rows) on which a model is judged."""
        model = settings.MODELS[name]
        if model.kind == "pca":
            return self.selection.train, self.selection.test
        if model.kind == "ali":  # the program reads its regression off the first part
            return self.selection.stages[0]
        return self.selection.evaluation(model.representation)


def load(config, store, run, chosen, partial=False):
    """The chosen models of a run. Raises TrainingError where one is not trained to its end and `partial` is not set."""
    selection = data.select(config, store)
    images = {name: data.Images(config, store, selection, name) for name in (*settings.REPRESENTATIONS, "crop")}
    trained = Trained(config, store, run, selection, images)
    for name in MODELS:
        directory = run.model_directory(name)
        outcome = training.outcome(directory)
        if name not in chosen:
            trained.missing[name] = f"{name} is not trained in this mode by preset {run.preset}"
        elif outcome is None or not (outcome.complete or outcome.diverged or partial):
            if not partial:
                raise training.TrainingError(f"{directory}: not trained to its end; first: "
                                             "python -m papers.symphony2vec.train with the same options")
            trained.missing[name] = f"{name} is not trained yet"
        elif outcome.diverged:
            where = outcome.diverged
            trained.missing[name] = f"{name} diverged in {where['stage']} at step {where['step']}"
        else:
            trained.learners[name] = training.load(MODELS[name], config, store, directory, run.seed)
            trained.history[name] = training.history(directory)
    return trained


def measure(trained):
    """Everything that findings need, from a run's networks."""
    selection = trained.selection
    measured = Measured(trained.config, selection.names, selection.labels, selection.train, selection.test,
                        len(selection.stages), history=trained.history, missing=trained.missing)  # fmt: skip
    for name in settings.MODELS:
        measured.trained_on[name] = selection.labels[trained.rows(name)[0]]
    for name in trained.learners:
        _judge_model(trained, measured, settings.MODELS[name])
    for representation in settings.REPRESENTATIONS:
        _judge_pca(trained, measured, representation)
    _components(trained, measured)
    _autoencoders(trained, measured)
    _latent_space(trained, measured)
    return measured


def _judge_model(trained, measured, model):
    networks, config, labels = trained.learners[model.name].networks, trained.config, trained.selection.labels
    images = trained.images[model.representation]
    rows, test = trained.rows(model.name)
    if model.kind in ("ae", "cae", "vae"):
        learner = trained.learners[model.name]
        codes = [embeddings.autoencoder_codes(model.kind, learner, images, part, config) for part in (rows, test)]
        _regress(trained, measured, model.name, *codes, rows, test)
    elif model.kind == "ali":
        small = 16 if config.ali_statistics == "batch" else 64
        codes = [embeddings.ali_codes(networks["encoder"], images, part, config, batch)
                 for part, batch in ((rows, 64), (test, small))]  # fmt: skip
        _regress(trained, measured, model.name, *codes, rows, test)
        if model.latent_size == 128:
            _judge_untrained(trained, measured, model, rows, test)
    elif model.kind == "lstm":
        logits, _ = inference.chunk_outputs(networks["classifier"], images, labels, test, config.lstm_steps)
        pieces = np.tile(test, len(logits) // len(test))
        measured.judged[model.name] = judged(trained, logits.argmax(axis=1), rows, pieces, "pieces")
    else:
        logits = inference.outputs(networks["classifier"], images, test)
        measured.judged[model.name] = judged(trained, logits.argmax(axis=1), rows, test)


def judged(trained, predicted, rows, items, unit="clips", train_accuracy=None):
    """What predictions of items (store rows, some of them repeated) are worth, beside the baselines of their clips."""
    labels, works = trained.selection.labels, trained.selection.works
    test = items[: len(np.unique(items))]  # pieces repeat the clips in their order
    level = trained.store.array("mfcc")[:, 0, :]
    baselines = {"majority": 100.0 * measures.majority_baseline(labels, test),
                 "loudness": 100.0 * measures.loudness_baseline(level, labels, rows, test)}  # fmt: skip
    return Judged(predicted == labels[items], items, works[items], baselines, unit, train_accuracy, predicted,
                  labels[items])  # fmt: skip


def _regress(trained, measured, name, train_codes, test_codes, rows, test):
    """Judge a logistic regression on codes; codes that are not finite make the model missing."""
    if not (np.isfinite(train_codes).all() and np.isfinite(test_codes).all()):
        measured.missing[name] = f"{name} gives codes that are not finite numbers"
        return
    labels = trained.selection.labels
    on_train, on_test = measures.classify(train_codes, labels[rows], test_codes, trained.config.regression_iterations)
    right = 100.0 * float(np.mean(on_train == labels[rows]))
    measured.codes[name] = test_codes
    measured.judged[name] = judged(trained, on_test, rows, test, train_accuracy=right)


def _judge_untrained(trained, measured, model, rows, test):
    """ALI's encoder before any training, judged like the trained one (Q4)."""
    keras.utils.set_random_seed(trained.run.seed)
    encoder = MODELS[model.name].build(trained.config, trained.store).networks["encoder"]
    codes = [embeddings.ali_codes(encoder, trained.images["crop"], part, trained.config) for part in (rows, test)]
    _regress(trained, measured, "untrained", *codes, rows, test)


def _judge_pca(trained, measured, representation):
    parts = trained.selection.parts(representation)
    pairs = embeddings.pca_codes(trained.images[representation], parts, trained.config, trained.run.seed)
    width = min(codes.shape[1] for pair in pairs for codes in pair)
    codes = [np.concatenate([pair[side][:, :width] for pair in pairs]) for side in (0, 1)]
    # In the order of the parts, which is a reordering of the whole sets.
    rows, test = (np.concatenate([part[side] for part in parts]) for side in (0, 1))
    _regress(trained, measured, f"pca-{representation}", *codes, rows, test)


def _components(trained, measured):
    """Figure 4 and the variance that two components explain."""
    rows = np.union1d(trained.selection.train, trained.selection.test)
    for representation in settings.REPRESENTATIONS:
        flat = trained.images[representation][rows].reshape(len(rows), -1)
        fitted = PCA(2, random_state=0).fit(flat)
        measured.explained[representation] = fitted.explained_variance_ratio_.tolist()
        if representation == "mel":
            measured.components = PCA(2, random_state=0).fit_transform(flat), trained.selection.labels[rows]


def _autoencoders(trained, measured):
    for representation in settings.REPRESENTATIONS:
        name = f"vae-{representation}"
        if name in trained.learners:
            measured.vae_losses[representation] = (first_vae_loss(trained, name), vae_test_loss(trained, name))
    if "vae-mel" in trained.learners:
        measured.rebuilt["vae-mel"] = reconstruct(trained, "vae-mel", trained.rows("vae-mel")[1][:64])
    pair = [trained.learners.get(name) for name in ("ae-chroma", "cae-chroma")]
    if all(pair):
        measured.weight_difference = max(
            float(np.abs(np.asarray(a) - np.asarray(b)).max())
            for network in ("encoder", "decoder")
            for a, b in zip(*(one.networks[network].weights for one in pair), strict=True))  # fmt: skip
    mel, crop = trained.images["mel"], trained.images["crop"]
    measured.limits = {"tanh": (mel.decibels(-1.0), mel.decibels(1.0)),
                       "sigmoid": (mel.decibels(0.0), mel.decibels(1.0)),
                       "generator": (crop.decibels(0.0), crop.decibels(1.0))}  # fmt: skip


def reconstruct(trained, name, rows):
    """What an autoencoder gives back for store rows (rows, bands, frames); the VAE from its means."""
    networks, images = trained.learners[name].networks, trained.images[settings.MODELS[name].representation]
    codes = inference.outputs(networks["encoder"], images, rows)[:, : trained.config.code_size]
    return inference.decoded(networks["decoder"], codes)


def first_vae_loss(trained, name):
    """Summed loss of the first batch of 32 before any training, from the means."""
    keras.utils.set_random_seed(trained.run.seed)
    networks = MODELS[name].build(trained.config, trained.store).networks
    return 32.0 * _vae_loss(trained, networks, name, trained.rows(name)[0][:32])


def vae_test_loss(trained, name):
    """Test loss per 32 clips, from the means, as the program prints it."""
    return 32.0 * _vae_loss(trained, trained.learners[name].networks, name, trained.rows(name)[1])


def _vae_loss(trained, networks, name, rows):
    images = trained.images[settings.MODELS[name].representation]
    likelihood = VAE_LIKELIHOOD[trained.config.vae_likelihood]
    mean, log_variance = np.split(inference.outputs(networks["encoder"], images, rows), 2, axis=1)
    values = []
    for i in range(0, len(rows), 64):
        part = slice(i, i + 64)
        rebuilt = inference.decoded(networks["decoder"], mean[part])
        reconstruction = likelihood(images[rows[part]], rebuilt)
        values.append(reconstruction + losses.kl_divergence(mean[part], log_variance[part]))
    return float(np.mean(np.concatenate(values)))


def _latent_space(trained, measured):
    """Figures 9 to 11: samples, the printed path, directions, and whether the path's length means anything."""
    config, crop, seed = trained.config, trained.images["crop"], trained.run.seed
    rows = np.unique(trained.selection.train)[: config.latent_samples]
    measured.crops = crop[trained.selection.train]
    measured.spread_of_data = probes.mean_distance(crop[rows])
    for model in settings.MODELS.values():
        if model.kind == "ali" and model.name in trained.learners:
            learner = trained.learners[model.name]
            measured.generated[model.name] = latent.samples(learner, model.latent_size, config, seed)
            measured.paths[model.name] = latent.generate(learner, latent.path(model.latent_size), config)
    test = trained.rows("ali-128")[1]
    measured.samples["data"] = crop.decibels(crop[test])[..., 0]
    if "ali-128" in trained.learners:
        learner = trained.learners["ali-128"]
        measured.slopes = latent.direction_slopes(learner, config, 128, config.directions, seed)
        measured.scale_blindness = latent.scale_blindness(learner, 128)
        measured.samples["ali-128"] = crop.decibels(measured.generated["ali-128"][: len(test)])[..., 0]
    if "vae-mel" in trained.learners:
        count = min(config.latent_samples, len(test))
        z = np.random.default_rng([seed, 16]).normal(size=(count, config.code_size))
        decoded = inference.decoded(trained.learners["vae-mel"].networks["decoder"], z)
        measured.samples["vae-mel"] = trained.images["mel"].decibels(features.crop(decoded))[..., 0]
