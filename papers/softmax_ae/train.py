"""Steps, MODELS and the training script.

`python -m papers.softmax_ae.train --model deep_softmax --follow code --seed 0` trains one model, without `--model` all.
"""

import dataclasses
from collections.abc import Callable
from functools import partial

from papers.softmax_ae import config as settings, preprocess

if __name__ == "__main__":  # options first: --help answers without TensorFlow
    from common import scripts

    OPTIONS = scripts.training_options(settings, __doc__)

import keras
import numpy as np
import tensorflow as tf

from common import training
from common.record import Run
from common.store import Store
from common.training import Batches, Learner, Model, Stage
from papers.softmax_ae import losses, model, variants
from papers.softmax_ae.data import Data, load_data, read_rows

ADAM_EPSILON = 1e-8  # TensorFlow 1's default, which the program used; Keras 3 has 1e-7
ACTIVATIONS = {  # name -> of the hidden layers of the encoder, of the decoder
    "program": (model.ENCODER_ACTIVATIONS, model.DECODER_ACTIVATIONS),
    "elu": (("elu",) * 3, ("elu",) * 3),
    "wide_elu": ((variants.wide_elu,) * 3, (variants.wide_elu,) * 3),
}


# Steps: (config, learner, batch, step) -> named losses

def classifier_step(config: settings.Config, learner: Learner, batch: dict[str, tf.Tensor],
                    step: training.Step) -> dict[str, tf.Tensor]:
    """Equation 1 alone: the two-layer network and the deeper plain ones."""
    network = learner.networks["plain"]
    with tf.GradientTape() as tape:
        logits = network(batch["x"], training=True)
        loss = step.mean(losses.cross_entropy(batch["y"], logits))
    weights = network.trainable_variables
    step.apply(learner.optimizers["main"], tape.gradient(loss, weights), weights)
    return {"losses/total": loss, "metrics/train_accuracy_in_epoch": step.mean(_right(batch["y"], logits))}


def autoencoder_step(config: settings.Config, learner: Learner, batch: dict[str, tf.Tensor],
                     step: training.Step) -> dict[str, tf.Tensor]:
    """Equation 2 alone."""
    weights = sum((network.trainable_variables for network in learner.networks.values()), [])
    with tf.GradientTape() as tape:
        x_hat = reconstruct(learner, batch["x"], training=True)
        loss = step.mean(losses.RECONSTRUCTION[config.reconstruction](batch["x"], x_hat))
    step.apply(learner.optimizers["main"], tape.gradient(loss, weights), weights)
    return {"losses/total": loss}


def deep_softmax_step(config: settings.Config, learner: Learner, batch: dict[str, tf.Tensor],
                      step: training.Step) -> dict[str, tf.Tensor]:
    """Equation 3: reconstruction and classification share the encoder, no gradient is stopped (sec. 4.3)."""
    networks = learner.networks
    weights = sum((networks[name].trainable_variables for name in ("encoder", "decoder", "classifier")), [])
    with tf.GradientTape() as tape:
        z = networks["encoder"](batch["x"], training=True)
        logits = networks["classifier"](z, training=True)
        x_hat = networks["decoder"](z, training=True)
        reconstruction = step.mean(losses.RECONSTRUCTION[config.reconstruction](batch["x"], x_hat))
        classification = step.mean(losses.cross_entropy(batch["y"], logits))
        loss = losses.combined(reconstruction, classification, config.gamma, config.reconstruction_weight)
    step.apply(learner.optimizers["main"], tape.gradient(loss, weights), weights)
    return {"losses/total": loss, "losses/reconstruction": reconstruction, "losses/classification": classification,
            "metrics/train_accuracy_in_epoch": step.mean(_right(batch["y"], logits))}


def _right(labels, logits):
    return tf.cast(tf.equal(tf.cast(labels, tf.int64), tf.argmax(logits, axis=-1)), tf.float32)


# What a trained learner makes of segments

def classify(learner: Learner, x: np.ndarray | tf.Tensor, training: bool = False) -> tf.Tensor:
    """Logits (batch, classes) of whatever classifier the learner holds."""
    networks = learner.networks
    if "classifier" in networks:
        return networks["classifier"](networks["encoder"](x, training=training), training=training)
    return networks["plain"](x, training=training)


def reconstruct(learner: Learner, x: np.ndarray | tf.Tensor, training: bool = False) -> tf.Tensor:
    """x_hat = g(f(x)), both (batch, 500)."""
    networks = learner.networks
    if "autoencoder" in networks:
        return networks["autoencoder"](x, training=training)
    return networks["decoder"](networks["encoder"](x, training=training), training=training)


def in_batches(function: Callable[[tf.Tensor], tf.Tensor], x: np.ndarray, rows: int = 4096) -> np.ndarray:
    """`function` of tensors (rows, 500), applied to x (n, 500) piece by piece."""
    return np.concatenate([function(tf.constant(x[i:i + rows])).numpy() for i in range(0, len(x), rows)])


def predict(learner: Learner, x: np.ndarray) -> np.ndarray:
    """Logits (n, classes) for x (n, 500), dropout off."""
    return in_batches(partial(classify, learner), x)


def accuracy(learner: Learner, data: Data, rows: np.ndarray) -> float:
    """Share of rows classified rightly, dropout off; NaN without rows."""
    return float(np.mean(predict(learner, data.x[rows]).argmax(axis=1) == data.y[rows])) if len(rows) else float("nan")


# Models

def _learner(config, **networks) -> Learner:
    optimizer = keras.optimizers.Adam(config.learning_rate, epsilon=ADAM_EPSILON)
    optimizer.build(sum((network.trainable_variables for network in networks.values()), []))
    return Learner(networks, {"main": optimizer})


def sizes(config: settings.Config, store: Store) -> tuple[int, int]:
    """Values a segment and number of classes: 500 and 4 on GTZAN."""
    return config.segment_samples // config.pool, len(store.parameters["facts"]["classes"])


def build_plain(depth: int, config: settings.Config, store: Store) -> Learner:
    """The two-layer network (depth 1), or a deeper classifier of the same width."""
    inputs, classes = sizes(config, store)
    if depth == 1:
        return _learner(config, plain=model.two_layer(inputs, config.hidden, classes))
    return _learner(config, plain=variants.plain_classifier(inputs, depth, config.hidden, classes))


def _encoder_and_decoder(config, inputs: int) -> dict[str, keras.Model]:
    first, second = ACTIVATIONS[config.activation]
    return {"encoder": model.encoder(inputs, config.bottleneck, config.keep_probability, first,
                                     config.bottleneck_output),
            "decoder": model.decoder(inputs, config.bottleneck, config.keep_probability, second,
                                     config.decoder_output)}


def build_autoencoder(config: settings.Config, store: Store) -> Learner:
    """The deep autoencoder, called vanilla in the paper's results."""
    return _learner(config, **_encoder_and_decoder(config, sizes(config, store)[0]))


def build_deep_softmax(config: settings.Config, store: Store) -> Learner:
    """The Deep Softmax Autoencoder: the same encoder and decoder, and a classifier on the bottleneck."""
    inputs, classes = sizes(config, store)
    return _learner(config, **_encoder_and_decoder(config, inputs),
                    classifier=model.classifier(config.bottleneck, classes))


def build_shallow(network: Callable[[int, int], keras.Model], config: settings.Config, store: Store) -> Learner:
    """One of the shallow readings of the vanilla autoencoder; `network` builds it whole."""
    return _learner(config, autoencoder=network(sizes(config, store)[0], config.bottleneck))


def batches(data: Data, rows: np.ndarray, config: settings.Config, seed: int) -> Batches:
    """Training rows shuffled once, as in the program, or anew in every epoch; never fewer batches than GTZAN gives."""
    order = (training.shuffled if config.reshuffle else training.fixed)(len(rows), seed)
    size = config.batch_size
    if len(rows) <= (config.fewest_batches - 1) * size:
        size = max(1, len(rows) // config.fewest_batches)
    return Batches(len(rows), size, partial(read_rows, data, rows), order)


def accuracies(data: Data, learner: Learner) -> dict[str, float]:
    """What a classifier logs after every epoch: accuracy of the training and the dev part, dropout off."""
    return {f"metrics/{part}_accuracy": accuracy(learner, data, data.parts[part]) for part in ("train", "dev")}


def stages_classifier(train_step: Callable, config: settings.Config, store: Store, seed: int) -> list[Stage]:
    """One stage over the training part."""
    data = load_data(config, store, seed)
    feed = batches(data, data.parts["train"], config, seed)
    return [Stage("train", partial(train_step, config), feed, config.epochs * feed.steps_per_epoch,
                  feed.steps_per_epoch, partial(accuracies, data))]


def stages_autoencoder(config: settings.Config, store: Store, seed: int) -> list[Stage]:
    """One stage over the training part, or over everything as the program does."""
    data = load_data(config, store, seed)
    rows = np.arange(len(data.y)) if config.autoencoder_data == "all" else data.parts["train"]
    feed = batches(data, rows, config, seed)
    return [Stage("train", partial(autoencoder_step, config), feed, config.autoencoder_epochs * feed.steps_per_epoch,
                  feed.steps_per_epoch)]


MODELS = {
    **{name: Model(partial(build_plain, depth), partial(stages_classifier, classifier_step))
       for depth, name in ((1, "two_layer"), (2, "plain_2"), (3, "plain_3"), (4, "plain_4"))},
    "autoencoder": Model(build_autoencoder, stages_autoencoder),
    "deep_softmax": Model(build_deep_softmax, partial(stages_classifier, deep_softmax_step)),
    "shallow": Model(partial(build_shallow, variants.shallow_autoencoder), stages_autoencoder),
    "single_hidden": Model(partial(build_shallow, variants.single_hidden_autoencoder), stages_autoencoder),
}
HEADLINE = ("two_layer", "autoencoder", "deep_softmax")
UNHEARD = {name: f"{name}_T1" for name in HEADLINE}  # their twins, trained on whole tracks: the leak is the difference

# Ablations: name -> (model, settings that differ). Propositions R11 and R13, the causes of a dead decoder, 94.9 %.
LINEAR, SCALED = {"decoder_output": "linear"}, {"standardise": True}
ABLATIONS = {
    **{name: (name, {}) for name in ("plain_2", "plain_3", "plain_4", "shallow", "single_hidden")},
    **{f"{which}_{name}": (which, changes) for which in ("autoencoder", "deep_softmax")
       for name, changes in (("linear", LINEAR), ("scaled", SCALED), ("linear_scaled", LINEAR | SCALED))},
    **{f"pool_{pool}": ("deep_softmax", {"pool": pool}) for pool in (1, 10)},
    "keep_1.0": ("deep_softmax", {"keep_probability": 1.0}),
}


def jobs(config: settings.Config) -> dict[str, tuple[Model, settings.Config]]:
    """What a run trains, in order: {directory name: (Model, config)}."""
    found = {name: (MODELS[name], config) for name in HEADLINE}
    found[settings.ALONE] = (MODELS["deep_softmax"], dataclasses.replace(config, gamma=0.0))
    if config.split in ("P1", "P2"):
        found |= {twin: (MODELS[name], dataclasses.replace(config, split="T1")) for name, twin in UNHEARD.items()}
    if config.ablations:
        for name, (which, changes) in ABLATIONS.items():
            changed = dataclasses.replace(config, **changes)
            if which not in HEADLINE or changed != config:  # this mode's own setting is no ablation
                found[name] = (MODELS[which], changed)
        found[settings.LONGER] = (MODELS["deep_softmax"], dataclasses.replace(config, epochs=2 * config.epochs))
    return found


def train(config: settings.Config, store: Store, run: Run, only: str | None = None) -> None:
    """Train every model of a run, or `only` one, each going on from its last checkpoint."""
    training.train_all(jobs(config), store, run, only)


if __name__ == "__main__":
    scripts.run_training(OPTIONS, settings, preprocess, jobs)
