"""Steps, models and the training script: semi-amortised LORD, LORD's own two stages, and the classifier that listens.

`python -m papers.lord_transfer.train --model lord --follow code --seed 0` trains one model, without `--model` all.

Objective (sec. 1.2.2.2 and 2.1; no equation in the paper): the mean over images of L(G(E(x) + noise, M(Z[y])), x).
"""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

from papers.lord_transfer import config as settings, preprocess

if __name__ == "__main__":  # options first: --help answers without TensorFlow
    from common import scripts

    OPTIONS = scripts.training_options(settings, __doc__)

import numpy as np
import tensorflow as tf

from common import training
from common.record import Run
from common.store import Store
from common.training import Batches, Learner, Model, Stage
from papers.lord_transfer import augmentation, comparisons, listener, losses, networks
from papers.lord_transfer.config import Config, pairs
from papers.lord_transfer.data import Reader, mean_images, spread, training_windows, windows


def content_noise(config: Config, step: training.Step, code: tf.Tensor) -> tf.Tensor:
    """The Gaussian noise regulariser of sec. 2.1.1.1, drawn from (seed, step)."""
    return code + step.normal("content", (config.content_dim,), stddev=config.noise)


def decay_weight(config: Config, rows: int | tf.Tensor) -> float | tf.Tensor:
    """Weight of the content code's mean squared norm; with the sum of Keras 2.2.4 it grows with the batch."""
    return config.content_decay * (rows if config.content_decay_reduction == "sum" else 1.0)


def class_code(learner: Learner, image: np.ndarray | tf.Tensor, index: np.ndarray | tf.Tensor) -> tf.Tensor:
    """Class codes (batch, class_dim) of a batch: the table's rows, or the class encoder's where there is no table."""
    if "class_embedding" in learner.networks:
        return learner.networks["class_embedding"](index)
    return learner.networks["class_encoder"](image)


def train_step(config: Config) -> Callable:
    """The joint step: content code, noise, class code, modulation, generator, loss, two optimizers."""
    terms = losses.reconstruction(config)

    def run(learner, batch, step):
        network, image = learner.networks, augmentation.varied(config, step, batch["image"])
        with tf.GradientTape(persistent=True) as tape:
            if config.content == "embedding":
                code = network["content_embedding"](batch["row"])
            else:
                code = network["content_encoder"](
                    augmentation.through_a_filter(config, step, image), training=True)
            parameters = network["class_modulation"](class_code(learner, image, batch["class"]))
            generated = network["generator"]([content_noise(config, step, code), parameters])
            found = {name: step.mean(value) for name, value in terms(image, generated).items()}
            norm = step.mean(tf.reduce_sum(tf.square(code), axis=-1))
            total = tf.add_n(list(found.values())) + decay_weight(config, step.rows) * norm
        for optimizer, members in networks.first_stage(config, learner).items():
            if members:
                variables = networks.variables_of(learner, members)
                gradients = [tf.convert_to_tensor(g) for g in tape.gradient(total, variables)]
                step.apply(learner.optimizers[optimizer], gradients, variables)
        return {"losses/total": total, "losses/content_norm": norm,
                **{f"losses/{name}": value for name, value in found.items()}}

    return run


def second_step(config: Config) -> Callable:
    """LORD's second stage: encoders learn the codes of the tables while the image is still reconstructed."""
    terms = losses.reconstruction(dataclasses.replace(config, perceptual_size=0))

    def run(learner, batch, step):
        network = learner.networks
        wanted = network["content_embedding"](batch["row"]), network["class_embedding"](batch["class"])
        variables = networks.variables_of(learner, networks.second_stage(learner))
        with tf.GradientTape() as tape:
            got = network["content_encoder"](batch["image"]), network["class_encoder"](batch["image"])
            generated = network["generator"]([got[0], network["class_modulation"](got[1])])
            found = {name: step.mean(value) for name, value in terms(batch["image"], generated).items()}
            codes = [step.mean(tf.reduce_mean(tf.square(a - b), axis=-1)) for a, b in zip(got, wanted, strict=True)]
            total = tf.add_n(list(found.values())) + config.second_code_weight * tf.add_n(codes)
        step.apply(learner.optimizers["second"], tape.gradient(total, variables), variables)
        return {"losses/total": total, "losses/content_code": codes[0], "losses/class_code": codes[1],
                **{f"losses/{name}": value for name, value in found.items()}}

    return run


def without_gain(lines: list[dict], delta: float) -> list[int]:
    """How many epochs follow each epoch whose training loss is more than `delta` below the best before it; the last
    stretch is still going on."""
    best, stretches = math.inf, [0]
    for line in lines:
        if line["losses/total"] < best - delta:
            best = line["losses/total"]
            stretches.append(0)
        else:
            stretches[-1] += 1
    return stretches


def stopper(config: Config) -> Callable | None:
    """Early stopping on the epochs' training loss: (log lines) -> True after `patience` epochs without a gain."""
    def stop(lines):
        return without_gain(lines, config.early_stop_delta)[-1] >= config.early_stop_patience

    return stop if config.early_stop_delta else None


class Plateau:
    """What LORD's program does at the end of an epoch of its second stage (model/network.py, train_encoders).

    The rate is halved after every `second_plateau_patience` epochs without a gain; after `second_early_stop_patience`
    of them the stage ends.
    """

    def __init__(self, config: Config):
        self.config = config
        self.optimizer: Any = None

    def validate(self, learner: Learner) -> dict[str, float]:
        """{"second/rate": the rate of the epoch that ends}."""
        self.optimizer = learner.optimizers["second"]
        return {"second/rate": float(self.optimizer.learning_rate)}

    def stop(self, lines: list[dict]) -> bool:
        """Set the next epoch's rate; whether the stage ends here."""
        stretches = without_gain(lines, self.config.early_stop_delta)
        halvings = sum(epochs // self.config.second_plateau_patience for epochs in stretches)
        self.optimizer.learning_rate.assign(self.config.second_learning_rate / 2 ** halvings)
        return stretches[-1] >= self.config.second_early_stop_patience


def validation(config: Config, store: Store, most: int = 64) -> Callable | None:
    """(learner) -> errors on recordings that nothing else uses, to choose lengths and settings by; None without any.

    "choose/error" is the mean absolute error of clips of the role "choose" rebuilt with their own class, noise off;
    "choose/of_class_mean" is that over the error of their class's mean training image: 1 where content is not used.
    """
    everything = windows(dataclasses.replace(config, overlap=0.0), store)
    shown = spread(everything.take(everything.of("choose")), most)
    if not len(shown) or config.content == "embedding" or config.subclasses:
        return None  # LORD's own way has no encoder before its second stage
    reader, means = Reader(config, store), mean_images(config, store)
    images = reader.read(shown, np.arange(len(shown)))
    blind = np.abs(images - means[shown.classes])[..., 0].mean()

    def validate(learner):
        network = learner.networks
        code = network["content_encoder"](images)
        parameters = network["class_modulation"](class_code(learner, images, shown.classes))
        error = np.abs(network["generator"]([code, parameters]).numpy() - images)[..., 0].mean()
        return {"choose/error": error, "choose/of_class_mean": error / blind}

    return validate


def stages(config: Config, store: Store, seed: int) -> list[Stage]:
    """One stage of joint training over the training windows; two for LORD's own way."""
    found, reader = training_windows(config, store), Reader(config, store)

    def read(positions):
        return {"image": reader.read(found, positions), "class": found.classes[positions].astype(np.int32),
                "row": np.asarray(positions, np.int32)}

    batches = Batches(len(found), config.batch_size, read, training.shuffled(len(found), seed))
    per_epoch = batches.steps_per_epoch

    def start(learner):
        learner.variables["steps_per_epoch"].assign(float(per_epoch))

    made = [Stage("joint", train_step(config), batches, config.epochs * per_epoch, per_epoch, start=start,
                  stop=stopper(config), validate=validation(config, store))]
    if config.content == "embedding":
        plateau = Plateau(config)
        rules: dict[str, Any] = {"validate": plateau.validate, "stop": plateau.stop} if config.early_stop_delta else {}
        made.append(Stage("encoders", second_step(config), batches, config.second_epochs * per_epoch, per_epoch,
                          **rules))
    return made


MODELS = {"lord": Model(networks.build, stages), "classifier": listener.MODEL}


def job_name(model_name: str, pair: str) -> str:
    """A model's directory: `lord`, or `lord-rock-folk` for a genre pair."""
    return f"{model_name}-{pair.lower()}" if pair else model_name


def jobs(config: Config) -> dict[str, tuple[Model, Config]]:
    """What a run trains: {directory name: (Model, its Config)}; comparisons on the first pair, with `ablations`."""
    found = {}
    for number, pair in enumerate(pairs(config)):
        base = dataclasses.replace(config, pair=pair)
        for name in MODELS:
            found[job_name(name, pair)] = (MODELS[name], base)
        if config.ablations and number == 0:
            for name, changed in comparisons.configs(base).items():
                found[job_name(name, pair)] = (MODELS["lord"], changed)
    return found


def train(config: Config, store: Store, run: Run, only: str | None = None) -> None:
    """Train every model of a run, or `only` one, each going on from its last checkpoint."""
    print(f"perceptual loss: {losses.perceptual_words(config)}", flush=True)
    training.train_all(jobs(config), store, run, only)


if __name__ == "__main__":
    scripts.run_training(OPTIONS, settings, preprocess, jobs)
