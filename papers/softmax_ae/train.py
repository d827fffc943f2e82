"""Losses, steps, MODELS and the training script.

`python -m papers.softmax_ae.train --model deep_softmax --follow code --seed 0` trains one model, without `--model` all.
"""

import dataclasses
import functools
from dataclasses import dataclass

from papers.softmax_ae import config as settings, preprocess

if __name__ == "__main__":  # options first: --help answers without TensorFlow
    from common import scripts

    OPTIONS = scripts.training_options(settings, __doc__)

import keras
import numpy as np
import tensorflow as tf

from common import training
from common.training import Batches, Learner, Model, Stage
from papers.softmax_ae import model, variants

ADAM_EPSILON = 1e-8  # TensorFlow 1's default, which the program used; Keras 3 has 1e-7


# Losses

def cross_entropy(labels, logits):
    """Equation 1 per example: -sum_j y_j log y_hat_j; labels (batch,) int, logits (batch, 4) -> (batch,)."""
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)


def reconstruction_sum(x, x_hat):
    """Equation 2 per example: squared Euclidean norm of x - x_hat, both (batch, 500) -> (batch,)."""
    return tf.reduce_sum(tf.square(x - x_hat), axis=-1)


def reconstruction_mean(x, x_hat):
    """The program's form of equation 2: the mean over the 500 entries instead of the sum."""
    return tf.reduce_mean(tf.square(x - x_hat), axis=-1)


RECONSTRUCTION = {"mean": reconstruction_mean, "sum": reconstruction_sum}


def combined(reconstruction, classification, gamma: float, reconstruction_weight: float = 1.0):
    """Equation 3 per example, with the sign of its second term set right: both losses are minimised."""
    return gamma * reconstruction_weight * reconstruction + (1 - gamma) * classification


# Data

@dataclass(frozen=True)
class Data:
    """Segments as the networks see them: x (n, 500) float32, y (n,) class codes, parts {train, dev, test: indices}."""

    x: np.ndarray
    y: np.ndarray
    parts: dict
    note: str
    classes: tuple
    mean: float = 0.0  # what was taken off the amplitudes, and
    deviation: float = 1.0  # what they were divided by


@functools.lru_cache(maxsize=4)
def load_data(config, store, seed: int) -> Data:
    """The store's segments, split by `config.split`; if standardised, by mean and deviation of the training part."""
    x = np.asarray(store.array(preprocess.array_name(config.pool)))
    parts, note = preprocess.split(store, config.split, seed)
    mean, deviation = 0.0, 1.0
    if config.standardise:
        mean, deviation = float(x[parts["train"]].mean()), max(float(x[parts["train"]].std()), 1e-8)
        x = (x - mean) / deviation
    return Data(x, preprocess.labels(store), parts, note, tuple(store.parameters["facts"]["classes"]), mean, deviation)


def batches(data: Data, rows: np.ndarray, config, seed: int) -> Batches:
    """Training rows shuffled once, as in the program, or anew in every epoch."""
    order = (training.shuffled if config.reshuffle else training.fixed)(len(rows), seed)
    return Batches(len(rows), config.batch_size, lambda i: {"x": data.x[rows[i]], "y": data.y[rows[i]]}, order)


# Steps

def classify(learner, x, training=False):
    """Logits (batch, 4) of whatever classifier the learner holds."""
    networks = learner.networks
    if "classifier" in networks:
        return networks["classifier"](networks["encoder"](x, training=training), training=training)
    return networks["plain"](x, training=training)


def _accuracy(labels, logits):
    return tf.cast(tf.equal(tf.cast(labels, tf.int64), tf.argmax(logits, axis=-1)), tf.float32)


def classifier_step(config):
    """Equation 1 alone: the two-layer network and the deeper plain ones."""
    def train_step(learner, batch, step):
        network = learner.networks["plain"]
        with tf.GradientTape() as tape:
            logits = network(batch["x"], training=True)
            loss = step.mean(cross_entropy(batch["y"], logits))
        weights = network.trainable_variables
        step.apply(learner.optimizers["main"], tape.gradient(loss, weights), weights)
        return {"losses/total": loss, "metrics/train_accuracy_in_epoch": step.mean(_accuracy(batch["y"], logits))}
    return train_step


def reconstruct(learner, x, training=False):
    """x_hat = g(f(x)), both (batch, 500)."""
    networks = learner.networks
    if "autoencoder" in networks:
        return networks["autoencoder"](x, training=training)
    return networks["decoder"](networks["encoder"](x, training=training), training=training)


def autoencoder_step(config):
    """Equation 2 alone."""
    def train_step(learner, batch, step):
        weights = sum((n.trainable_variables for n in learner.networks.values()), [])
        with tf.GradientTape() as tape:
            x_hat = reconstruct(learner, batch["x"], training=True)
            loss = step.mean(RECONSTRUCTION[config.reconstruction](batch["x"], x_hat))
        step.apply(learner.optimizers["main"], tape.gradient(loss, weights), weights)
        return {"losses/total": loss}
    return train_step


def deep_softmax_step(config):
    """Equation 3: reconstruction and classification share the encoder, no gradient is stopped (sec. 4.3)."""
    def train_step(learner, batch, step):
        networks = learner.networks
        weights = sum((networks[n].trainable_variables for n in ("encoder", "decoder", "classifier")), [])
        with tf.GradientTape() as tape:
            z = networks["encoder"](batch["x"], training=True)
            logits = networks["classifier"](z, training=True)
            x_hat = networks["decoder"](z, training=True)
            reconstruction = step.mean(RECONSTRUCTION[config.reconstruction](batch["x"], x_hat))
            classification = step.mean(cross_entropy(batch["y"], logits))
            loss = combined(reconstruction, classification, config.gamma, config.reconstruction_weight)
        step.apply(learner.optimizers["main"], tape.gradient(loss, weights), weights)
        return {"losses/total": loss, "losses/reconstruction": reconstruction, "losses/classification": classification,
                "metrics/train_accuracy_in_epoch": step.mean(_accuracy(batch["y"], logits))}
    return train_step


# Models

def _learner(config, **networks) -> Learner:
    optimizer = keras.optimizers.Adam(config.learning_rate, epsilon=ADAM_EPSILON)
    optimizer.build(sum((n.trainable_variables for n in networks.values()), []))
    return Learner(networks, {"main": optimizer})


def sizes(config, store) -> tuple[int, int]:
    """Values a segment and number of classes: 500 and 4 on GTZAN."""
    return config.segment_samples // config.pool, len(store.parameters["facts"]["classes"])


def build_plain(depth: int):
    """The two-layer network (depth 1), or a deeper classifier of the same width."""
    def build(config, store):
        inputs, classes = sizes(config, store)
        network = (model.two_layer(inputs, config.hidden, classes) if depth == 1
                   else variants.plain_classifier(inputs, depth, config.hidden, classes))
        return _learner(config, plain=network)
    return build


def build_autoencoder(config, store):
    """The deep autoencoder, called vanilla in the paper's results."""
    inputs, _ = sizes(config, store)
    return _learner(config, encoder=model.encoder(inputs, config.bottleneck, config.keep_probability),
                    decoder=model.decoder(inputs, config.bottleneck, config.keep_probability, config.decoder_output))


def build_deep_softmax(config, store):
    """The Deep Softmax Autoencoder: the same encoder and decoder, and a classifier on the bottleneck."""
    inputs, classes = sizes(config, store)
    return _learner(config, encoder=model.encoder(inputs, config.bottleneck, config.keep_probability),
                    decoder=model.decoder(inputs, config.bottleneck, config.keep_probability, config.decoder_output),
                    classifier=model.classifier(config.bottleneck, classes))


def build_single_output(network):
    """One of the shallow readings of the vanilla autoencoder, as encoder and identity."""
    def build(config, store):
        return _learner(config, autoencoder=network(sizes(config, store)[0], config.bottleneck))
    return build


def stages_classifier(step):
    """One stage over the training part, with accuracies of the train and dev part after every epoch."""
    def stages(config, store, seed):
        data = load_data(config, store, seed)
        feed = batches(data, data.parts["train"], config, seed)

        def validate(learner):
            return {f"metrics/{part}_accuracy": accuracy(learner, data, data.parts[part]) for part in ("train", "dev")}

        steps = config.epochs * feed.steps_per_epoch
        return [Stage("train", step(config), feed, steps, feed.steps_per_epoch, validate)]
    return stages


def stages_autoencoder(config, store, seed):
    """One stage over the training part, or over everything as the program does."""
    data = load_data(config, store, seed)
    rows = np.arange(len(data.y)) if config.autoencoder_data == "all" else data.parts["train"]
    feed = batches(data, rows, config, seed)
    return [Stage("train", autoencoder_step(config), feed, config.autoencoder_epochs * feed.steps_per_epoch,
                  feed.steps_per_epoch)]


MODELS = {
    "two_layer": Model(build_plain(1), stages_classifier(classifier_step)),
    "autoencoder": Model(build_autoencoder, stages_autoencoder),
    "deep_softmax": Model(build_deep_softmax, stages_classifier(deep_softmax_step)),
    "plain_2": Model(build_plain(2), stages_classifier(classifier_step)),
    "plain_3": Model(build_plain(3), stages_classifier(classifier_step)),
    "plain_4": Model(build_plain(4), stages_classifier(classifier_step)),
    "shallow": Model(build_single_output(variants.shallow_autoencoder), stages_autoencoder),
    "single_hidden": Model(build_single_output(variants.single_hidden_autoencoder), stages_autoencoder),
}
HEADLINE = ("two_layer", "autoencoder", "deep_softmax")

# Ablations: name -> (model, settings that differ). Propositions R11 to R13, section 4.3's gamma, equation 2's sum.
ABLATIONS = {
    **{name: (name, {}) for name in ("plain_2", "plain_3", "plain_4", "shallow", "single_hidden")},
    **{f"gamma_{gamma}": ("deep_softmax", {"gamma": gamma}) for gamma in (0.0, 0.5, 0.99, 1.0)},
    "sum": ("deep_softmax", {"reconstruction": "sum"}),
    "relu_output": ("deep_softmax", {"decoder_output": "relu"}),
    "linear_output": ("deep_softmax", {"decoder_output": "linear"}),
    **{f"pool_{pool}": ("deep_softmax", {"pool": pool}) for pool in (1, 10)},
    **{f"keep_{keep}": ("deep_softmax", {"keep_probability": keep}) for keep in (0.8, 0.9, 1.0)},
    "epochs_400": ("deep_softmax", {"epochs": 400}),
}


def jobs(config) -> dict[str, tuple[Model, object]]:
    """What a run trains, in order: {directory name: (Model, config)}."""
    found = {name: (MODELS[name], config) for name in HEADLINE}
    if config.ablations:
        for name, (which, changes) in ABLATIONS.items():
            changed = dataclasses.replace(config, **changes)
            if which != "deep_softmax" or changed != config:  # this mode's own setting is no ablation
                found[name] = (MODELS[which], changed)
    return found


def train(config, store, run, only: str | None = None) -> None:
    """Train every model of a run, or `only` one, each going on from its last checkpoint."""
    training.train_all(jobs(config), store, run, only)


def predict(learner, x: np.ndarray, rows: int = 4096) -> np.ndarray:
    """Logits (n, classes) for x (n, 500), dropout off."""
    return np.concatenate([classify(learner, tf.constant(x[i:i + rows])).numpy() for i in range(0, len(x), rows)])


def accuracy(learner, data: Data, rows: np.ndarray) -> float:
    """Share of rows classified rightly, dropout off; NaN without rows."""
    return float(np.mean(predict(learner, data.x[rows]).argmax(axis=1) == data.y[rows])) if len(rows) else float("nan")


if __name__ == "__main__":
    scripts.run_training(OPTIONS, settings, preprocess, jobs)
