"""Steps and MODELS: four autoencoders, the one-sample loss hunt, three genre classifiers; the script."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from papers.fma_interpolation import config as settings, preprocess

if __name__ == "__main__":  # options first: --help answers without TensorFlow
    from common import scripts

    OPTIONS = scripts.training_options(settings, __doc__)

from functools import partial

import keras
import numpy as np
import tensorflow as tf

from common import training
from common.record import Run
from common.store import Store
from common.training import Batches, Model, Stage, fixed, shuffled
from papers.fma_interpolation import data, inference, learners, losses

# TensorFlow's arithmetic optimizer orders the terms of long sums anew in every compilation: the inception network,
# trained twice in one process, differed by 4e-4. Without it the bits are the same, and those of an unchanged graph.
tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})

# ---------------------------------------------------------------- steps

def autoencoder_step(loss: str, divergence: str, second_draw: bool, learner: training.Learner,
                     batch: dict[str, tf.Tensor], step: training.Step) -> dict[str, tf.Tensor]:
    """Minimise reconstruction + KL, z = mean + exp(log_variance / 2) * noise (sec. Our Approach, 1).

    `second_draw`: the divergence is taken at another draw than the one that is decoded; three revisions of the program
    (e261498, 6b96f49, 3c5c932) run the encoder twice a pass.
    """
    encoder, decoder, image = learner.networks["encoder"], learner.networks["decoder"], batch["image"]
    with tf.GradientTape() as tape:
        mean, log_variance = encoder(image, training=True)
        code = mean + tf.exp(0.5 * log_variance) * step.normal("code", (mean.shape[-1],))
        judged = code
        if second_draw:
            judged = mean + tf.exp(0.5 * log_variance) * step.normal("second code", (mean.shape[-1],))
        output = decoder(code, training=True)
        reconstruction = step.mean(losses.RECONSTRUCTION[loss](image, output))
        kl = step.mean(losses.DIVERGENCE[divergence](mean, log_variance, judged))
        total = reconstruction + kl
    variables = encoder.trainable_variables + decoder.trainable_variables
    step.apply(learner.optimizers["adam"], tape.gradient(total, variables), variables)
    error = step.mean(tf.reduce_mean(tf.square(image - losses.decoded(loss, output)), axis=(1, 2, 3)))
    return {"losses/reconstruction": reconstruction, "losses/divergence": kl, "losses/total": total,
            "metrics/squared_error": error}


def classifier_step(learner: training.Learner, batch: dict[str, tf.Tensor],
                    step: training.Step) -> dict[str, tf.Tensor]:
    """Minimise the categorical cross-entropy of the genre."""
    network = learner.networks["classifier"]
    with tf.GradientTape() as tape:
        probability = network(batch["image"], training=True)
        loss = step.mean(keras.losses.sparse_categorical_crossentropy(batch["label"], probability))
    step.apply(learner.optimizers["adam"], tape.gradient(loss, network.trainable_variables),
               network.trainable_variables)
    hit = tf.cast(tf.equal(tf.argmax(probability, axis=-1, output_type=tf.int32), batch["label"]), tf.float32)
    return {"losses/cross_entropy": loss, "metrics/accuracy": step.mean(hit)}


# ---------------------------------------------------------------- stages

@dataclass(frozen=True)
class Autoencoder:
    """What tells one autoencoder's training from another's.

    Attributes:
        build: (config, store) -> Learner. epochs, batch: names of Config fields.
        loss: the field that names the loss; without one it is the squared error.
        least_rate: where the program stops reducing its rate; None where it never reduces it.
        second_draw: the program draws twice a pass.
    """

    build: Callable
    epochs: str
    batch: str = "batch"
    loss: str = ""
    least_rate: float | None = None
    second_draw: bool = False


AUTOENCODERS = {  # program: 584ade5 is a loop without callbacks; 1b0ba3d and 3c5c932 reduce to 1e-7 and 1e-6
    "baseline": Autoencoder(learners.build_baseline, "baseline_epochs", "baseline_batch", "baseline_loss"),
    "conv2d": Autoencoder(learners.build_conv2d, "conv2d_epochs", least_rate=1e-7),
    "inception": Autoencoder(learners.build_inception, "conv2d_epochs", least_rate=1e-7),
    "conv1d": Autoencoder(learners.build_conv1d, "conv1d_epochs", least_rate=1e-6, second_draw=True),
}


def loss_of(name: str, config: settings.Config) -> str:
    """The reconstruction loss of an autoencoder."""
    field = AUTOENCODERS[name].loss
    return getattr(config, field) if field else "squared_error"


def autoencoder_stages(name: str, config: settings.Config, store: Store, seed: int) -> list[Stage]:
    """One stage: epochs over the training images, validation after each."""
    kind, rows = AUTOENCODERS[name], data.parts(config, store, config.autoencoder_items, seed)
    count, loss = len(rows["train"]), loss_of(name, config)
    batches = Batches(count, getattr(config, kind.batch), data.reader(store, rows["train"]), shuffled(count, seed))
    validate = partial(validate_autoencoder, loss, data.reader(store, rows["validation"]), len(rows["validation"]),
                       config.divergence if config.validation_code == "sample" else None, seed,
                       kind.least_rate if config.reduce_rate else None)
    steps = getattr(config, kind.epochs) * batches.steps_per_epoch
    train_step = partial(autoencoder_step, loss, config.divergence, kind.second_draw and config.second_draw)
    return [Stage("train", train_step, batches, steps, batches.steps_per_epoch, validate)]


def validate_autoencoder(loss: str, read: Callable[[np.ndarray], dict[str, np.ndarray]], count: int, drawn: str | None,
                         seed: int, least_rate: float | None, learner: training.Learner) -> dict[str, float]:
    """Validation losses; reduces the rate on the way where `least_rate` is given.

    `drawn`: None decodes the means; the name of a divergence decodes a draw and takes that divergence at it, as the
    program's graph does (1b0ba3d samples in validation too).
    """
    encoder, decoder = (inference.compiled(learner.networks[name]) for name in ("encoder", "decoder"))
    random = np.random.default_rng([seed, int(learner.optimizers["adam"].iterations.numpy())])

    def measure(batch):
        mean, log_variance = encoder(batch["image"])
        code = mean
        if drawn:
            code = mean + tf.exp(0.5 * log_variance) * random.standard_normal(mean.shape, np.float32)
        output, kl = decoder(code), losses.DIVERGENCE[drawn or "analytic"](mean, log_variance, code)
        error = tf.reduce_mean(tf.square(batch["image"] - losses.decoded(loss, output)), axis=(1, 2, 3))
        return np.stack([losses.RECONSTRUCTION[loss](batch["image"], output), kl, error])

    reconstruction, kl, error = np.concatenate(data.in_batches(measure, read, count), axis=1).mean(axis=1)
    if least_rate is not None:
        reduce(learner, reconstruction + kl, least_rate)
    return {"validation/reconstruction": reconstruction, "validation/divergence": kl,
            "validation/squared_error": error}


def reduce(learner: training.Learner, loss: float, least_rate: float) -> None:
    """A tenth of the rate after 2 epochs without a better validation loss (program, 1b0ba3d: ReduceLROnPlateau)."""
    best, wait = learner.variables["best"], learner.variables["wait"]
    better = loss < float(best.numpy())
    best.assign(min(float(best.numpy()), loss))
    wait.assign(0 if better else int(wait.numpy()) + 1)
    if int(wait.numpy()) >= 2:
        rate = learner.optimizers["adam"].learning_rate
        rate.assign(max(float(rate.numpy()) * 0.1, least_rate))
        wait.assign(0)


def overfit_stages(loss: str, config: settings.Config, store: Store, seed: int) -> list[Stage]:
    """Program, 6b96f49: 500 updates on the first image of the store."""
    batches = Batches(1, 1, data.reader(store, np.arange(1)), fixed(1))
    return [Stage("train", partial(autoencoder_step, loss, config.divergence, config.second_draw), batches,
                  config.overfit_steps, 1)]


def classifier_stages(epochs: str, config: settings.Config, store: Store, seed: int) -> list[Stage]:
    """One stage: `epochs` names the field with those of the classifier's table; accuracy is validated after each."""
    rows = data.parts(config, store, config.classifier_items, seed)
    read, count = data.reader(store, rows["train"]), len(rows["train"])
    batches = Batches(count, config.classifier_batch, read, shuffled(count, seed))
    validate = partial(validate_classifier, data.reader(store, rows["validation"]), len(rows["validation"]))
    steps = getattr(config, epochs) * batches.steps_per_epoch
    return [Stage("train", classifier_step, batches, steps, batches.steps_per_epoch, validate)]


def validate_classifier(read: Callable[[np.ndarray], dict[str, np.ndarray]], count: int,
                        learner: training.Learner) -> dict[str, float]:
    """Cross-entropy and accuracy on the validation images."""
    network = inference.compiled(learner.networks["classifier"])

    def measure(batch):
        probability = network(batch["image"])
        hit = np.argmax(probability, axis=-1) == batch["label"]
        return np.stack([keras.losses.sparse_categorical_crossentropy(batch["label"], probability), hit])

    loss, accuracy = np.concatenate(data.in_batches(measure, read, count), axis=1).mean(axis=1)
    return {"validation/cross_entropy": loss, "validation/accuracy": accuracy}


OVERFIT = ("squared_error", "cross_entropy", "flipped", "swapped", "decibels")
UNBOUNDED = ("flipped", "swapped", "decibels")
CLASSIFIERS = {"cnn_1": learners.build_cnn_1, "cnn_2": learners.build_cnn_2, "rnn": learners.build_rnn}

MODELS = {f"autoencoder-{name}": Model(kind.build, partial(autoencoder_stages, name))  # type: ignore[arg-type]
          for name, kind in AUTOENCODERS.items()}
MODELS["overfit-squared_error"] = Model(learners.build_overfit, partial(overfit_stages, "squared_error"))
MODELS |= {f"overfit-{loss}": Model(learners.build_overfit_cross_entropy, partial(overfit_stages, loss),
                                    may_diverge=loss in UNBOUNDED) for loss in OVERFIT[1:]}
MODELS["overfit-conv2d"] = Model(learners.build_overfit_conv2d, partial(overfit_stages, "squared_error"))
MODELS |= {name: Model(build, partial(classifier_stages, f"{name}_epochs")) for name, build in CLASSIFIERS.items()}


# ---------------------------------------------------------------- what a run trains

# Divergences that decide a claim and need a training, each with the models it touches; measured one at a time.
ABLATIONS = {
    "conv2d_latent": ("autoencoder-conv2d",), "overfit_network": ("overfit-squared_error", "overfit-swapped"),
    "cross_entropy_rate": ("overfit-cross_entropy", "overfit-swapped"), "conv1d_rate": ("autoencoder-conv1d",),
    "deep_protocol": ("cnn_1", "cnn_2"), "rnn_axis": ("rnn",),
}


@dataclass(frozen=True)
class Other:
    """A model trained under another value of one setting than the run's."""

    model: str
    field: str
    value: object

    @property
    def job(self) -> str:
        """The name of its directory."""
        return f"{self.model}-{self.field}-{self.value}"


def others(config: settings.Config) -> list[Other]:
    """Trainings beside the MODELS: the classifiers under the leaky split, and with `ablations` the divergences."""
    found = []
    if config.deep_protocol == "official":  # the table of the leak has both
        found += [Other(name, "deep_protocol", "leaky") for name in CLASSIFIERS]
    for divergence in settings.DIVERGENCES if config.ablations else ():
        mine = getattr(config, divergence.field)
        values = [v for v in (divergence.code, divergence.sound, divergence.paper) if v != mine]
        found += [Other(name, divergence.field, values[0])
                  for name in (ABLATIONS.get(divergence.field, ()) if values else ())]
    return found


def jobs(config: settings.Config) -> dict[str, tuple[Model, settings.Config]]:
    """What a run trains, in order: {directory: (Model, config)}."""
    return {name: (entry, config) for name, entry in MODELS.items()} | {
        other.job: (MODELS[other.model], dataclasses.replace(config, **{other.field: other.value}))  # type: ignore[arg-type]
        for other in others(config)}


def train(config: settings.Config, store: Store, run: Run, only: str | None = None) -> None:
    """Train every model of a run, or `only` one, each going on from its last checkpoint."""
    training.train_all(jobs(config), store, run, only)


if __name__ == "__main__":
    scripts.run_training(OPTIONS, settings, preprocess, jobs)
