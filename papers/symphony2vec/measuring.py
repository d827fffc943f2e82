"""From a run's networks (Trained) to what findings read (Measured): every network is asked once."""

from dataclasses import replace

import keras
import numpy as np
import tensorflow as tf
from sklearn.decomposition import PCA

from common import probes, training
from common.record import Run
from common.store import Store
from papers.symphony2vec import config as settings, data, features, inference, judging, latent, losses, measures, train
from papers.symphony2vec.judging import Trained
from papers.symphony2vec.measured import GAMES, Errors, Measured
from papers.symphony2vec.train import MODELS


def load(config: settings.Config, store: Store, run: Run, partial: bool = False) -> Trained:
    """The models that a run trains. Raises TrainingError where one is not trained to its end, unless `partial`."""
    selection, chosen = data.select(config, store, run.seed), train.chosen(config, run)
    images = {name: data.Images(config, store, selection, name) for name in (*settings.REPRESENTATIONS, "crop")}
    trained = Trained(config, store, run, selection, images)
    for name in MODELS:
        directory = run.model_directory(name)
        outcome = training.outcome(directory)
        if name not in chosen:
            trained.missing[name] = _left_out(name, config, run)
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


def _left_out(name, config, run):
    if name in settings.ABLATED and not config.ablations:
        return "not trained: add --ablations"
    return f"{name} is not trained in this mode by preset {run.preset}"


def measure(trained: Trained) -> Measured:
    """Everything that findings need, from a run's networks."""
    selection = trained.selection
    measured = Measured(trained.config, selection.names, selection.labels, selection.train, selection.test,
                        len(selection.stages), history=trained.history, missing=trained.missing)  # fmt: skip
    measured.part_baselines = [judging.baselines(trained, selection.labels, *part) for part in selection.stages]
    for name in settings.MODELS:
        if name not in settings.LEAK:
            measured.trained_on[name] = selection.labels[trained.rows(name)[0]]
    for name in trained.learners:
        judging.judge_model(trained, measured, settings.MODELS[name])
    for model in settings.MODELS.values():
        if model.kind == "pca" and (not model.own_split or trained.config.split == "by_work"):
            judging.judge_pca(trained, measured, model)
        elif model.kind == "pca":
            measured.missing[model.name] = "the split of this mode is by clips already"
    if trained.config.split == "by_work":
        twin = replace(trained.config, split="clips_as_by_work")
        other = data.select(twin, trained.store, trained.run.seed)
        measured.clips_split = (other.train, other.test)
    _components(trained, measured)
    _autoencoders(trained, measured)
    _latent_space(trained, measured)
    return measured


def _components(trained, measured):
    """Figure 4 and the variance that two components explain."""
    rows = np.union1d(trained.selection.train, trained.selection.test)
    for representation in settings.REPRESENTATIONS:
        flat = trained.images[representation][rows].reshape(len(rows), -1)
        fitted = PCA(2, random_state=0)
        labels, works = trained.selection.labels[rows], trained.selection.works[rows]
        measured.components[representation] = fitted.fit_transform(flat), labels, works
        measured.explained[representation] = fitted.explained_variance_ratio_.tolist()


def _autoencoders(trained, measured):
    for representation in settings.REPRESENTATIONS:
        name = f"vae-{representation}"
        if name in trained.learners:
            measured.vae_losses[representation] = (first_vae_loss(trained, name), vae_test_loss(trained, name))
            if trained.config.vae_likelihood == "library_bernoulli":
                measured.vae_best[representation] = best_vae_loss(trained, name)
            encoder, images = trained.learners[name].networks["encoder"], trained.images[representation]
            codes = inference.outputs(encoder, images, trained.rows(name)[1])
            measured.log_variances[representation] = codes[:, trained.config.code_size :].max(axis=1)
    for name in trained.learners:
        if settings.MODELS[name].kind in ("ae", "cae", "vae"):
            (rows, test), images = trained.rows(name), trained.images_of(name)
            found = reconstruct(trained, name, images, test)
            measured.errors[name] = errors(trained, images, found, rows, test)
            if name in ("ae-mel", "cae-mel", "vae-mel"):
                measured.rebuilt[name] = images.decibels(found)
    measured.limits = tuple(float(trained.images["mel"].decibels(value)) for value in (0.0, 1.0))
    pair = [trained.learners.get(name) for name in ("ae-chroma", "cae-chroma")]
    if all(pair):
        measured.weight_difference = max(
            float(np.abs(np.asarray(a) - np.asarray(b)).max())
            for network in ("encoder", "decoder")
            for a, b in zip(*(one.networks[network].weights for one in pair), strict=True))  # fmt: skip


def errors(trained: Trained, images: data.Images, found: np.ndarray, rows: np.ndarray, test: np.ndarray) -> Errors:
    """Errors of reconstructions `found` of the test clips; another clip is the one half of the set away."""
    clips, half = images[test], len(test) // 2
    return Errors(measures.squared_errors(clips, found), measures.squared_errors(clips, np.roll(found, half, axis=0)),
                  measures.squared_errors(clips, images[rows].mean(axis=0)), trained.selection.works[test])  # fmt: skip


def reconstruct(trained: Trained, name: str, images: data.Images, rows: np.ndarray) -> np.ndarray:
    """What an autoencoder gives back for store rows (rows, bands, frames); the VAE from its means."""
    networks = trained.learners[name].networks
    codes = inference.outputs(networks["encoder"], images, rows)[:, : trained.config.code_size]
    return seen(trained.config, name, inference.decoded(networks["decoder"], codes))


def seen(config: settings.Config, name: str, output: np.ndarray) -> np.ndarray:
    """The image that a decoder's output stands for: of a Bernoulli's logits the probabilities."""
    if settings.MODELS[name].kind == "vae" and config.vae_likelihood != "gaussian":
        return tf.sigmoid(output).numpy()
    return output


def first_vae_loss(trained: Trained, name: str) -> float:
    """Summed loss of the first batch of 32 before any training, from the means."""
    keras.utils.set_random_seed(trained.run.seed)
    networks = MODELS[name].build(trained.config, trained.store).networks
    return 32.0 * _vae_loss(trained, networks, name, trained.rows(name)[0][:32])


def vae_test_loss(trained: Trained, name: str) -> float:
    """Test loss per 32 clips, from the means, as the program prints it."""
    return 32.0 * _vae_loss(trained, trained.learners[name].networks, name, trained.rows(name)[1])


def best_vae_loss(trained: Trained, name: str) -> float:
    """Test loss per 32 clips by the program's rule of images that are as good as logits between -28 and 28 allow.

    Near there the rule's pull ends: a loss far below is not reached by it, one far above leaves something to learn.
    """
    rows, images = trained.rows(name)[1], trained.images[settings.MODELS[name].representation]
    values = [losses.library_binary_cross_entropy(x, best_logits(x)) for x in (images[rows[i : i + 1]]
                                                                               for i in range(len(rows)))]
    return 32.0 * float(np.mean(values))


def best_logits(x: np.ndarray, most: float = 28.0) -> np.ndarray:
    """Of targets x the logits whose probability is x, and where x leaves [0, 1] the outermost."""
    inside = np.clip(np.float64(x), 1e-300, 1.0 - 1e-16)
    return np.float32(np.clip(np.log(inside) - np.log1p(-inside), -most, most))


def _vae_loss(trained, networks, name, rows):
    images = trained.images[settings.MODELS[name].representation]
    likelihood = losses.VAE_LIKELIHOOD[trained.config.vae_likelihood]
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
    measured.deviation_of_data = measures.pixel_deviation(crop[rows])
    rows, test = trained.rows("ali-128")
    measured.samples["data"] = crop.decibels(crop[test])[..., 0]
    for name in (*GAMES, *settings.CONTROL, *settings.ABLATED):
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
