"""Train the line."""

from papers.toy import config as settings, preprocess

if __name__ == "__main__":
    from common import scripts

    OPTIONS = scripts.training_options(settings, __doc__)

import keras
import numpy as np
import tensorflow as tf
from papers.toy import losses, model

from common import training


def build(config, store):
    """The network and its optimizer."""
    network, optimizer = model.line(2), keras.optimizers.SGD(config.rate)
    optimizer.build(network.trainable_variables)
    return training.Learner({"line": network}, {"main": optimizer})


def train_step(learner, batch, step):
    """One step on the squared error."""
    network = learner.networks["line"]
    with tf.GradientTape() as tape:
        loss = step.mean(losses.squared(batch["y"], network(batch["x"])[:, 0]))
    step.apply(learner.optimizers["main"], tape.gradient(loss, network.trainable_variables),
               network.trainable_variables)
    return {"losses/total": loss}


def stages(config, store, seed):
    """One stage."""
    x, y = np.asarray(store.array("x")), np.asarray(store.array("y"))
    batches = training.Batches(len(x), config.batch_size, lambda i: {"x": x[i], "y": y[i]},
                               training.shuffled(len(x), seed))
    return [training.Stage("only", train_step, batches, config.epochs * batches.steps_per_epoch, 3)]


MODELS = {"line": training.Model(build, stages)}


def jobs(config):
    """What a run trains."""
    return {name: (model, config) for name, model in MODELS.items()}


def train(config, store, run, only=None):
    """Train it."""
    training.train_all(jobs(config), store, run, only)


if __name__ == "__main__":
    scripts.run_training(OPTIONS, settings, preprocess, jobs)
