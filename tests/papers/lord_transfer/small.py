"""A small corpus in the official subsets, a small Config, and steps run one by one without compiling."""

import dataclasses
from types import SimpleNamespace

import keras
import numpy as np
import tensorflow as tf

from common import store
from common.noise import Step
from papers.lord_transfer import train
from papers.lord_transfer.config import Config

SMALL = dataclasses.replace(
    Config(), data_set="medley_solos_db", bands=16, frames=16, split="recording", adain_layers=2, adain_dim=8,
    content_dim=4, class_dim=4, encoder_filters=2, encoder_units=8, last_filters=4, loss="mse+mae", batch_size=4,
    epochs=2, second_epochs=1, classifier_filters=2, classifier_epochs=1, evaluation_clips=100, learning_rate=1e-2)
LABELS = ("flute", "piano", "violin")
SUBSETS = {"training": 5, "validation": 4, "test": 5}  # recordings of each class


def make_store(directory, frames=32):
    """Three classes in Medley-solos-DB's subsets, each recording one image of two windows."""
    rows = [(label, f"{label}-{subset}-{song}", subset) for label in LABELS
            for subset, count in SUBSETS.items() for song in range(count)]
    corpus = SimpleNamespace(name="small", label="small", root=directory, evidence="demo", items=rows, rejected=[],
                             said="", fingerprint=f"small-{frames}", facts={})

    def build(writer):
        for number, (label, group, subset) in enumerate(rows):
            random = np.random.default_rng(number)
            image = (0.2 * random.random((16, frames)) + 0.3 * LABELS.index(label)).astype(np.float32)
            path = writer.image(group, group, image)
            writer.row(item=group, group=group, label=label, split=subset, frames=frames, path=path)
        writer.array("reference", np.ones(len(rows)))
        writer.array("notes", np.array([(row, 0.0, 1.0, 60 + row % 5) for row in range(len(rows) - 1)]))

    return store.prepare(corpus, {"name": "small", "version": 1}, directory / "stores", build)


class KeepingStep(Step):
    """A step that keeps the gradients it is told to apply, by the variable's id."""

    def __init__(self, seed, stage, index, rows, batch_size):
        super().__init__(seed, stage, tf.constant(index, tf.int64), tf.constant(float(rows)), tf.range(rows),
                         batch_size)
        self.gradients = {}

    def apply(self, optimizer, gradients, variables, **words):
        self.gradients |= {id(v): g for g, v in zip(gradients, variables, strict=True)}
        super().apply(optimizer, gradients, variables, **words)


def one_step(learner, stage, index=0, seed=0):
    """(losses, the Step) of one update of a stage."""
    indices = stage.batches.indices(index)
    batch = {name: tf.convert_to_tensor(values) for name, values in stage.batches.read(indices).items()}
    step = KeepingStep(seed, stage.name, index, len(indices), stage.batches.batch_size)
    losses = stage.train_step(learner, batch, step)
    return {name: float(value) for name, value in losses.items()}, step


def learner_of(config, held, model="lord", seed=0):
    """(learner, stages) as training makes them."""
    keras.utils.set_random_seed(seed)
    built = train.MODELS[model]
    learner, stages = built.build(config, held), built.stages(config, held, seed)
    if stages[0].start:
        stages[0].start(learner)
    return learner, stages


def weights_after(config, held, model="lord", updates=2):
    """All weights of a model after some updates of each of its stages, in order."""
    learner, stages = learner_of(config, held, model)
    for stage in stages:
        for index in range(updates):
            one_step(learner, stage, index)
    return [value for name in sorted(learner.networks) for value in learner.networks[name].get_weights()]


def touched(learner, step):
    """Names of the networks that got a gradient other than zero in a step."""
    return {name for name, network in learner.networks.items()
            if any(id(v) in step.gradients and np.any(tf.convert_to_tensor(step.gradients[id(v)]).numpy() != 0)
                   for v in network.trainable_variables)}

