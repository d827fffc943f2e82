"""The networks of a Config and their optimizers: one for the networks, one for the tables, one for the second stage.

Two optimizers, because Adam takes no notice of a gradient that is multiplied.
"""

import math
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from common.store import Store
from common.training import Learner
from papers.lord_transfer import model, variants
from papers.lord_transfer.config import Config
from papers.lord_transfer.data import Reader, Windows, image_shape, spread, training_windows

CENTRED_ON = 2000  # training windows whose mean spectrum is taken from the encoders' input


def encoder_sizes(config: Config) -> dict[str, int]:
    """Keyword arguments of the two encoders."""
    first_kernel, kernel = (int(word) for word in config.encoder_kernels.split())
    return dict(filters=config.encoder_filters, units=config.encoder_units, first_kernel=first_kernel, kernel=kernel)


def spectrum(config: Config, store: Store, found: Windows) -> tuple[np.ndarray, float]:
    """(mean (bands, 1, channels), deviation): of training images over clips and time, and of what is left of them."""
    shown = spread(found, CENTRED_ON)
    images = Reader(config, store).read(shown, np.arange(len(shown)))
    mean = images.mean(axis=(0, 2), keepdims=True)
    return mean[0], float((images - mean).std())


def build(config: Config, store: Store) -> Learner:
    """The networks of a Config with their optimizers, built; the tables have a row per class (and per image)."""
    found = training_windows(config, store)
    shape, kernels = image_shape(config), [int(word) for word in config.generator_kernels.split()]
    centre = variants.centred(*spectrum(config, store, found)) if config.centre else lambda network: network
    networks = {
        "content_encoder": centre(model.content_encoder(shape, config.content_dim, **encoder_sizes(config))),
        "class_modulation": model.class_modulation(config.class_dim, config.adain_layers, config.adain_dim),
        "generator": model.generator(shape, config.content_dim, config.adain_layers, config.adain_dim,
                                     config.dense_scale, kernels[0], config.last_filters, tuple(kernels[1:])),
    }
    if config.content == "embedding" or config.class_code == "encoder":
        networks["class_encoder"] = centre(
            variants.class_encoder(shape, config.class_dim, **encoder_sizes(config)))
    if config.class_code == "table":
        networks["class_embedding"] = model.class_embedding(
            len(found.labels) * max(1, config.subclasses), config.class_dim)
    if config.content == "embedding":
        networks["content_embedding"] = variants.content_embedding(len(found), config.content_dim)
    learner = Learner(networks, {}, {"steps_per_epoch": tf.Variable(1.0, trainable=False)})
    made = joint_optimizers(config, learner.variables["steps_per_epoch"])
    for name, members in first_stage(config, learner).items():
        if members:
            learner.optimizers[name] = made[name]
            learner.optimizers[name].build(variables_of(learner, members))
    if config.content == "embedding":
        learner.optimizers["second"] = keras.optimizers.Adam(config.second_learning_rate, beta_1=config.adam_beta_1)
        learner.optimizers["second"].build(variables_of(learner, second_stage(learner)))
    return learner


def joint_optimizers(config: Config,
                     steps_per_epoch: int | tf.Tensor | tf.Variable) -> dict[str, keras.optimizers.Optimizer]:
    """{"networks", "tables"}: the optimizers of the joint stage; the tables' rate is `table_rate` times the other."""
    return {"networks": adam(config, 1.0, steps_per_epoch), "tables": adam(config, config.table_rate, steps_per_epoch)}


def adam(config: Config, rate: float, steps_per_epoch: int | tf.Tensor | tf.Variable) -> keras.optimizers.Optimizer:
    """Adam with the cosine schedule times `rate`: a rate that Adam, unlike a multiplied gradient, cannot undo."""
    return keras.optimizers.Adam(EpochCosine(rate * config.learning_rate, rate * config.last_learning_rate,
                                             config.epochs, steps_per_epoch), beta_1=config.adam_beta_1)


def first_stage(config: Config, learner: Learner) -> dict[str, list[str]]:
    """Names of the networks and of the latent tables that the joint stage trains, by optimizer."""
    tables = [name for name in learner.networks if name.endswith("embedding")]
    waiting = ("content_encoder", "class_encoder") if config.content == "embedding" else ()
    return {"networks": [n for n in learner.networks if n not in tables and n not in waiting], "tables": tables}


def second_stage(learner: Learner) -> list[str]:
    """Names of the networks that LORD's second stage trains: all but the tables."""
    return [name for name in learner.networks if not name.endswith("embedding")]


def variables_of(learner: Learner, names: Iterable[str]) -> list:
    """The trainable variables of the named networks."""
    return [variable for name in names for variable in learner.networks[name].trainable_variables]


@keras.saving.register_keras_serializable("lord_transfer")
class EpochCosine(keras.optimizers.schedules.LearningRateSchedule):
    """LORD's schedule: constant within an epoch, epoch e >= 1 at last + (first - last) (1 + cos(pi (e - 1) / N)) / 2.

    The lag of one epoch (epochs 0 and 1 both have the first rate) is LORD's. `steps_per_epoch` is a variable, because
    it is known only when the stage begins.
    """

    def __init__(self, first: float, last: float, epochs: int, steps_per_epoch: int | tf.Tensor | tf.Variable):
        self.first, self.last, self.epochs, self.steps_per_epoch = first, last, epochs, steps_per_epoch

    def __call__(self, step: keras.Variable | tf.Tensor) -> tf.Tensor:
        """The rate at an update."""
        epoch = tf.floor(tf.cast(step, tf.float32) / tf.cast(self.steps_per_epoch, tf.float32))
        fraction = tf.minimum(tf.maximum(epoch - 1, 0) / self.epochs, 1.0)
        return self.last + 0.5 * (self.first - self.last) * (1 + tf.cos(math.pi * fraction))

    def get_config(self) -> dict[str, Any]:
        """The numbers it was made of."""
        return {"first": self.first, "last": self.last, "epochs": self.epochs, "steps_per_epoch": 1}
