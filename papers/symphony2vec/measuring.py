"""From a run's networks (Trained) to what findings read (Measured): every network is asked once."""

from dataclasses import dataclass, field

import keras
import numpy as np
import tensorflow as tf
from sklearn.decomposition import PCA

from common import probes, training
from papers.symphony2vec import config as settings, data, embeddings, features, inference, latent, losses, measures
from papers.symphony2vec.measured import GAMES, Errors, Judged, Measured
from papers.symphony2vec.train import MODELS, VAE_LIKELIHOOD


@dataclass
class Trained:
    """The networks of a run with its data, for measuring and drawing.

    selection, images: the run's split and, by representation, what its models see.
    """

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
        model, selection = settings.MODELS[name], self.selection_of(name)
        if model.kind == "pca":
            return selection.train, selection.test
        if model.kind == "ali":  # the program reads its regression off the first part
            return selection.stages[0]
        return selection.evaluation(model.representation)

    def selection_of(self, name):
        """The split that a model is trained on: the run's, or its own."""
        model = settings.MODELS[name]
        return data.select(model.settings(self.config), self.store) if model.changes else self.selection

    def images_of(self, name):
        """What a model sees: scaled by the run's split, or by its own."""
        model = settings.MODELS[name]
        if not model.changes:
            return self.images[model.representation]
        config = model.settings(self.config)
        return data.Images(config, self.store, self.selection_of(name), model.representation)


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
            changed = settings.MODELS[name].settings(config)
            trained.learners[name] = training.load(MODELS[name], changed, store, directory, run.seed)
            trained.history[name] = training.history(directory)
    return trained


def measure(trained):
    """Everything that findings need, from a run's networks."""
    selection = trained.selection
    measured = Measured(trained.config, selection.names, selection.labels, selection.train, selection.test,
                        len(selection.stages), history=trained.history, missing=trained.missing)  # fmt: skip
    for name in settings.MODELS:
        if name not in settings.CLIPS:
            measured.trained_on[name] = selection.labels[trained.rows(name)[0]]
    for name in trained.learners:
        _judge_model(trained, measured, settings.MODELS[name])
    for model in settings.MODELS.values():
        if model.kind == "pca" and (not model.changes or trained.config.split == "by_work"):
            _judge_pca(trained, measured, model)
        elif model.kind == "pca":
            measured.missing[model.name] = "the split of this mode is by clips already"
    _components(trained, measured)
    _autoencoders(trained, measured)
    _latent_space(trained, measured)
    return measured


def _judge_model(trained, measured, model):
    networks, config, labels = trained.learners[model.name].networks, trained.config, trained.selection.labels
    images = trained.images_of(model.name)
    rows, test = trained.rows(model.name)
    if model.kind in ("ae", "cae", "vae"):
        learner = trained.learners[model.name]
        codes = [embeddings.autoencoder_codes(model.kind, learner, images, part, config) for part in (rows, test)]
        _regress(trained, measured, model.name, *codes, rows, test)
    elif model.kind == "ali":
        codes = [embeddings.ali_codes(networks["encoder"], images, rows, config, trained.run.seed),
                 embeddings.ali_codes(networks["encoder"], images, test, config)]  # fmt: skip
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
    baselines = {"majority": 100.0 * probes.majority_rate(labels[rows], labels[test]),
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
    """ALI's encoder before any training, its statistics brought to the data, judged like the trained one (Q4)."""
    keras.utils.set_random_seed(trained.run.seed)
    encoder = MODELS[model.name].build(trained.config, trained.store).networks["encoder"]
    embeddings.warm(encoder, trained.images["crop"], rows)
    codes = [embeddings.ali_codes(encoder, trained.images["crop"], rows, trained.config, trained.run.seed),
             embeddings.ali_codes(encoder, trained.images["crop"], test, trained.config)]  # fmt: skip
    _regress(trained, measured, "untrained", *codes, rows, test)


def _judge_pca(trained, measured, model):
    parts = trained.selection_of(model.name).parts(model.representation)
    pairs = embeddings.pca_codes(trained.images_of(model.name), parts, trained.config, trained.run.seed)
    width = min(codes.shape[1] for pair in pairs for codes in pair)
    codes = [np.concatenate([pair[side][:, :width] for pair in pairs]) for side in (0, 1)]
    # In the order of the parts, which is a reordering of the whole sets.
    rows, test = (np.concatenate([part[side] for part in parts]) for side in (0, 1))
    _regress(trained, measured, model.name, *codes, rows, test)
    if trained.config.split == "by_work":
        _judge_dealt(trained, measured, model.name, *codes, rows, test)


def _judge_dealt(trained, measured, name, train_codes, test_codes, rows, test, deals=5):
    """The same regression with composers dealt at random to whole works: what it then reads is the work."""
    labels, works = trained.selection.labels, trained.selection.works
    found = []
    for deal in range(deals):
        dealt = deal_composers(labels, works, [trained.run.seed, 19, deal])
        _, predicted = measures.classify(train_codes, dealt[rows], test_codes, trained.config.regression_iterations)
        found.append((predicted == dealt[test], probes.majority_rate(dealt[rows], dealt[test])))
    majority = 100.0 * float(np.mean([rate for _, rate in found]))
    measured.judged[f"{name}-dealt"] = Judged(np.mean([right for right, _ in found], axis=0), test, works[test],
                                              {"majority": majority})  # fmt: skip


def deal_composers(labels, works, seed):
    """Labels (clips,) with the composers dealt anew to the works, each to as many works as before."""
    names, place = np.unique(works, return_inverse=True)
    of_work = np.array([labels[works == name][0] for name in names])
    return np.random.default_rng(seed).permutation(of_work)[place]


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
    for kind in ("ae", "cae", "vae"):
        if f"{kind}-mel" in trained.learners:
            rows, test = trained.rows(f"{kind}-mel")
            found = reconstruct(trained, f"{kind}-mel", test)
            measured.rebuilt[f"{kind}-mel"] = trained.images["mel"].decibels(found)
            measured.errors[f"{kind}-mel"] = errors(trained, trained.images["mel"], found, rows, test)
    measured.limits = tuple(float(trained.images["mel"].decibels(value)) for value in (0.0, 1.0))
    pair = [trained.learners.get(name) for name in ("ae-chroma", "cae-chroma")]
    if all(pair):
        measured.weight_difference = max(
            float(np.abs(np.asarray(a) - np.asarray(b)).max())
            for network in ("encoder", "decoder")
            for a, b in zip(*(one.networks[network].weights for one in pair), strict=True))  # fmt: skip


def errors(trained, images, found, rows, test):
    """Errors of reconstructions `found` of the test clips; another clip is the one half of the set away."""
    clips, half = images[test], len(test) // 2
    return Errors(measures.squared_errors(clips, found), measures.squared_errors(clips, np.roll(found, half, axis=0)),
                  measures.squared_errors(clips, images[rows].mean(axis=0)), trained.selection.works[test])  # fmt: skip


def reconstruct(trained, name, rows):
    """What an autoencoder gives back for store rows (rows, bands, frames); the VAE from its means."""
    networks, images = trained.learners[name].networks, trained.images[settings.MODELS[name].representation]
    codes = inference.outputs(networks["encoder"], images, rows)[:, : trained.config.code_size]
    return seen(trained.config, name, inference.decoded(networks["decoder"], codes))


def seen(config, name, output):
    """The image that a decoder's output stands for: of a Bernoulli's logits the probabilities."""
    if settings.MODELS[name].kind == "vae" and config.vae_likelihood != "gaussian":
        return tf.sigmoid(output).numpy()
    return output


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
    rows, test = trained.rows("ali-128")
    measured.samples["data"] = crop.decibels(crop[test])[..., 0]
    for name in GAMES:
        if name in trained.learners:
            learner, size = trained.learners[name], settings.MODELS[name].latent_size
            measured.generated[name] = latent.samples(learner, size, config, seed)
            measured.samples[name] = crop.decibels(measured.generated[name][: len(test)])[..., 0]
            measured.paths[name] = latent.generate(learner, latent.path(size), config)
            found = latent.reconstruct(learner, crop, test, config)
            measured.rebuilt[name] = crop.decibels(found)[..., 0]
            measured.errors[name] = errors(trained, crop, found, rows, test)
    if "ali-128" in trained.learners:
        learner = trained.learners["ali-128"]
        measured.slopes = latent.direction_slopes(learner, config, 128, config.directions, seed)
        measured.scale_blindness = latent.scale_blindness(learner, 128)
    if "vae-mel" in trained.learners:
        count = min(config.latent_samples, len(test))
        z = np.random.default_rng([seed, 16]).normal(size=(count, config.code_size))
        decoded = inference.decoded(trained.learners["vae-mel"].networks["decoder"], z)
        image = seen(config, "vae-mel", decoded)
        measured.samples["vae-mel"] = trained.images["mel"].decibels(features.crop(image))[..., 0]
