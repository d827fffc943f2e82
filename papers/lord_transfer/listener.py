"""The classifier that replaces the paper's listening: its network, its training, what it hears. Ours, not the paper's.

It is trained on recordings of the role "ear", which neither the model nor the evaluation uses.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from sklearn.pipeline import Pipeline

from common import training
from common.store import Store
from common.training import Batches, Learner, Model, Stage
from papers.lord_transfer.config import Config
from papers.lord_transfer.data import Reader, windows

BATCH = 64  # windows heard at a time


def classifier(shape: tuple[int, int, int] = (128, 128, 1), classes: int = 8, filters: int = 16) -> keras.Model:
    """Image (batch, *shape) -> class logits (batch, classes): the ear that replaces the paper's listening.

    Ours, not the paper's: four convolution blocks, then the mean over time, so that it hears what sounds and not when.
    """
    image = keras.Input(shape, name="image")
    x = image
    for times in (1, 2, 4, 4):
        x = layers.Conv2D(times * filters, 3, padding="same")(x)
        x = layers.LeakyReLU(negative_slope=0.3)(x)
        x = layers.MaxPooling2D(2)(x)
    x = keras.ops.mean(x, axis=2)  # (batch, bands / 16, channels)
    x = layers.Flatten()(x)
    return keras.Model(image, layers.Dense(classes)(x), name="classifier")


def build(config: Config, store: Store) -> Learner:
    """The classifier on amplitude images and its optimizer."""
    classes = len(windows(config, store).labels)
    network = classifier((config.bands, config.frames, 1), classes, config.classifier_filters)
    optimizer = keras.optimizers.Adam(1e-3)
    optimizer.build(network.trainable_variables)
    return Learner({"classifier": network}, {"classifier": optimizer})


def train_step(learner: Learner, batch: dict[str, tf.Tensor], step: training.Step) -> dict[str, tf.Tensor]:
    """Cross-entropy with classes weighted equally; level and smoothness varied, so that they decide nothing."""
    network = learner.networks["classifier"]
    image = batch["image"] + step.uniform("level", (1, 1, 1), -0.1, 0.1)
    blurred = tf.nn.avg_pool2d(image, 3, 1, "SAME")
    image = tf.where(step.uniform("blur", (1, 1, 1)) < 0.5, image, blurred)
    image = tf.clip_by_value(image + step.normal("grain", image.shape[1:], stddev=0.02), 0.0, 1.0)
    with tf.GradientTape() as tape:
        logits = network(image, training=True)
        loss = step.mean(batch["weight"] * keras.losses.sparse_categorical_crossentropy(
            batch["class"], logits, from_logits=True))
    step.apply(learner.optimizers["classifier"], tape.gradient(loss, network.trainable_variables),
               network.trainable_variables)
    right = tf.cast(tf.equal(tf.argmax(logits, axis=-1, output_type=tf.int32), batch["class"]), tf.float32)
    return {"losses/classifier": loss, "metrics/accuracy": step.mean(right)}


def stages(config: Config, store: Store, seed: int) -> list[Stage]:
    """One stage on the windows of the role "ear"."""
    plain = dataclasses.replace(config, phase="none", overlap=0.0)
    found = windows(plain, store)
    found = found.take(found.of("ear"))
    counts = np.bincount(found.classes, minlength=len(found.labels))
    weights = (len(found) / (len(found.labels) * counts)).astype(np.float32)
    reader = Reader(plain, store)

    def read(positions):
        classes = found.classes[positions]
        return {"image": reader.read(found, positions), "class": classes.astype(np.int32), "weight": weights[classes]}

    batches = Batches(len(found), config.batch_size, read, training.shuffled(len(found), seed))
    per_epoch = batches.steps_per_epoch
    return [Stage("classifier", train_step, batches, config.classifier_epochs * per_epoch, per_epoch)]


MODEL = Model(build, stages)


def ear(learner: Learner) -> keras.Model:
    """The classifier of a Learner as a network with two outputs: logits and features."""
    network = learner.networks["classifier"]
    return keras.Model(network.input, [network.output, network.layers[-1].input])


def in_batches(network: Callable, *inputs: np.ndarray) -> Any:
    """Output (or tuple of outputs) of a network for arrays of n rows, BATCH at a time, as arrays."""
    parts = []
    for start in range(0, len(inputs[0]), BATCH):
        rows = [values[start:start + BATCH] for values in inputs]
        parts.append(network(rows if len(rows) > 1 else rows[0], training=False))
    if isinstance(parts[0], list):
        return tuple(np.concatenate([part[i].numpy() for part in parts]) for i in range(len(parts[0])))
    return np.concatenate([part.numpy() for part in parts])


def listen(classifier: keras.Model, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(probabilities (n, classes), features (n, values)) of what the classifier hears in the amplitude channel."""
    logits, features = in_batches(classifier, images[..., :1])
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True), features


# ---- a second ear of another kind --------------------------------------------------------------------------------

def cepstra(images: np.ndarray) -> np.ndarray:
    """Mean and deviation over time of 20 cepstral coefficients and of the spectral centroid: (n, 42)."""
    from scipy.fft import dct

    amplitude = images[..., 0]
    found = dct(amplitude, axis=1, norm="ortho")[:, :20]
    weights = np.arange(amplitude.shape[1])[None, :, None]
    centroid = (weights * amplitude).sum(axis=1) / np.maximum(amplitude.sum(axis=1), 1e-6)
    found = np.concatenate([found, centroid[:, None]], axis=1)
    return np.concatenate([found.mean(axis=2), found.std(axis=2)], axis=1)


def second_ear(images: np.ndarray, classes: np.ndarray) -> Pipeline:
    """Logistic regression on cepstra, trained on the same clips as the classifier; ask it with `cepstra`."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, C=0.1, class_weight="balanced"))
    return probe.fit(cepstra(images), classes)
