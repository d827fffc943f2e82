"""Steps and MODELS: four autoencoders, the one-sample loss hunt, three genre classifiers; the script."""

import dataclasses
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
from common.training import Batches, Learner, Model, Stage, fixed, shuffled
from papers.fma_interpolation import data, inference, losses, model, variants

OVERFIT_ENCODER = {"baseline": model.baseline_encoder, "bottleneck": variants.bottleneck_encoder}
OVERFIT_LATENT = {"baseline": "latent", "bottleneck": "overfit_latent"}
RNN = {"bands": model.rnn, "time": variants.rnn_over_time}


# ---------------------------------------------------------------- steps

def autoencoder_step(loss, divergence, learner, batch, step):
    """Minimise reconstruction + KL, z = mean + exp(log_variance / 2) * noise (sec. Our Approach, 1)."""
    encoder, decoder, image = learner.networks["encoder"], learner.networks["decoder"], batch["image"]
    with tf.GradientTape() as tape:
        mean, log_variance = encoder(image, training=True)
        code = mean + tf.exp(0.5 * log_variance) * step.normal("code", (mean.shape[-1],))
        output = decoder(code, training=True)
        reconstruction = step.mean(losses.RECONSTRUCTION[loss](image, output))
        kl = step.mean(losses.DIVERGENCE[divergence](mean, log_variance, code))
        total = reconstruction + kl
    variables = encoder.trainable_variables + decoder.trainable_variables
    step.apply(learner.optimizers["adam"], tape.gradient(total, variables), variables)
    error = step.mean(tf.reduce_mean(tf.square(image - losses.decoded(loss, output)), axis=(1, 2, 3)))
    return {"losses/reconstruction": reconstruction, "losses/divergence": kl, "losses/total": total,
            "metrics/squared_error": error}


def classifier_step(learner, batch, step):
    """Minimise the categorical cross-entropy of the genre."""
    network = learner.networks["classifier"]
    with tf.GradientTape() as tape:
        probability = network(batch["image"], training=True)
        loss = step.mean(keras.losses.sparse_categorical_crossentropy(batch["label"], probability))
    step.apply(learner.optimizers["adam"], tape.gradient(loss, network.trainable_variables),
               network.trainable_variables)
    hit = tf.cast(tf.equal(tf.argmax(probability, axis=-1, output_type=tf.int32), batch["label"]), tf.float32)
    return {"losses/cross_entropy": loss, "metrics/accuracy": step.mean(hit)}


# ---------------------------------------------------------------- models

def _adam(rate, *networks):
    optimizer = keras.optimizers.Adam(rate)
    optimizer.build([v for network in networks for v in network.trainable_variables])
    return {"adam": optimizer}


def _autoencoder(encoder, decoder, rate):
    variables = {"best": tf.Variable(np.inf, trainable=False), "wait": tf.Variable(0, trainable=False)}
    return Learner({"encoder": encoder, "decoder": decoder}, _adam(rate, encoder, decoder), variables)


def build_baseline(config, store):
    """The baseline of Experiments 1."""
    sizes = (config.bands, config.frames, config.latent)
    return _autoencoder(model.baseline_encoder(*sizes), model.baseline_decoder(*sizes), config.baseline_rate)


def build_conv2d(config, store):
    """Conv2D (program, 1b0ba3d)."""
    options = (config.bands, config.frames, config.conv2d_latent, config.conv2d_filters, config.conv2d_pools,
               config.conv2d_repeats, False)
    return _autoencoder(model.conv2d_encoder(*options), model.conv2d_decoder(*options), config.conv2d_rate)


def build_inception(config, store):
    """Conv2D with inception units (program, 1b0ba3d with its switch on)."""
    options = (config.bands, config.frames, config.inception_latent, config.conv2d_filters, config.conv2d_pools,
               config.inception_repeats, True)
    return _autoencoder(model.conv2d_encoder(*options), model.conv2d_decoder(*options), config.conv2d_rate)


def build_conv1d(config, store):
    """Conv1D (program, 3c5c932)."""
    sizes, filters = (config.bands, config.frames, config.conv1d_latent), config.conv1d_filters
    return _autoencoder(model.conv1d_encoder(*sizes, filters), model.conv1d_decoder(*sizes, filters[:0:-1]),
                        config.conv1d_rate)


def build_overfit(config, store):
    """The network of the one-sample experiment."""
    sizes = (config.bands, config.frames, getattr(config, OVERFIT_LATENT[config.overfit_network]))
    encoder = OVERFIT_ENCODER[config.overfit_network](*sizes)
    return _autoencoder(encoder, model.baseline_decoder(*sizes), config.overfit_rate)


def _classifier(network, config):
    return Learner({"classifier": network}, _adam(config.classifier_rate, network))


def _genres(store):
    return len({row["label"] for row in store.index})


def build_cnn_1(config, store):
    """CNN_1."""
    return _classifier(model.cnn_1(config.bands, config.frames, config.cnn_1_filters, config.cnn_1_dense,
                                   _genres(store)), config)


def build_cnn_2(config, store):
    """CNN_2."""
    return _classifier(model.cnn_2(config.bands, config.frames, config.cnn_2_time_stride, _genres(store)), config)


def build_rnn(config, store):
    """The RNN, over bands as printed or over time."""
    return _classifier(RNN[config.rnn_axis](config.bands, config.frames, config.rnn_units, _genres(store)), config)


# ---------------------------------------------------------------- stages

@dataclass(frozen=True)
class Autoencoder:
    """What tells one autoencoder's training from another's: names of Config fields."""

    build: object
    epochs: str
    batch: str = "batch"
    loss: str = ""  # the field that names the loss; without one it is the squared error


AUTOENCODERS = {
    "baseline": Autoencoder(build_baseline, "baseline_epochs", "baseline_batch", "baseline_loss"),
    "conv2d": Autoencoder(build_conv2d, "conv2d_epochs"),
    "inception": Autoencoder(build_inception, "conv2d_epochs"),
    "conv1d": Autoencoder(build_conv1d, "conv1d_epochs"),
}


def loss_of(name, config):
    """The reconstruction loss of an autoencoder."""
    field = AUTOENCODERS[name].loss
    return getattr(config, field) if field else "squared_error"


def autoencoder_stages(name, config, store, seed):
    """One stage: epochs over the training images, validation after each."""
    kind, rows = AUTOENCODERS[name], data.parts(config, store, config.autoencoder_items, seed)
    count, loss = len(rows["train"]), loss_of(name, config)
    batches = Batches(count, getattr(config, kind.batch), data.reader(store, rows["train"]), shuffled(count, seed))
    validate = partial(validate_autoencoder, loss, data.reader(store, rows["validation"]), len(rows["validation"]),
                       config.reduce_rate)
    steps = getattr(config, kind.epochs) * batches.steps_per_epoch
    train_step = partial(autoencoder_step, loss, config.divergence)
    return [Stage("train", train_step, batches, steps, batches.steps_per_epoch, validate)]


def validate_autoencoder(loss, read, count, reduce_rate, learner):
    """Validation losses with the mean as the code; `reduce_rate`: a tenth of the rate after 2 epochs without gain."""
    encoder, decoder = (inference.compiled(learner.networks[name]) for name in ("encoder", "decoder"))

    def measure(batch):
        mean, log_variance = encoder(batch["image"])
        output = decoder(mean)
        error = tf.reduce_mean(tf.square(batch["image"] - losses.decoded(loss, output)), axis=(1, 2, 3))
        return np.stack([losses.RECONSTRUCTION[loss](batch["image"], output),
                         losses.analytic_divergence(mean, log_variance, None), error])

    reconstruction, kl, error = np.concatenate(data.in_batches(measure, read, count), axis=1).mean(axis=1)
    if reduce_rate:
        reduce(learner, reconstruction + kl)
    return {"validation/reconstruction": reconstruction, "validation/divergence": kl,
            "validation/squared_error": error}


def reduce(learner, loss):
    """A tenth of the rate after 2 epochs without a better validation loss (program, 1b0ba3d: ReduceLROnPlateau)."""
    best, wait = learner.variables["best"], learner.variables["wait"]
    better = loss < float(best.numpy())
    best.assign(min(float(best.numpy()), loss))
    wait.assign(0 if better else int(wait.numpy()) + 1)
    if int(wait.numpy()) >= 2:
        rate = learner.optimizers["adam"].learning_rate
        rate.assign(rate * 0.1)
        wait.assign(0)


def overfit_stages(loss, config, store, seed):
    """Program, 6b96f49: 500 updates on the first image of the store."""
    batches = Batches(1, 1, data.reader(store, np.arange(1)), fixed(1))
    return [Stage("train", partial(autoencoder_step, loss, config.divergence), batches, config.overfit_steps, 1)]


def classifier_stages(epochs, config, store, seed):
    """One stage: `epochs` names the field with those of the classifier's table; accuracy is validated after each."""
    rows = data.parts(config, store, config.classifier_items, seed)
    read, count = data.reader(store, rows["train"]), len(rows["train"])
    batches = Batches(count, config.classifier_batch, read, shuffled(count, seed))
    validate = partial(validate_classifier, data.reader(store, rows["validation"]), len(rows["validation"]))
    steps = getattr(config, epochs) * batches.steps_per_epoch
    return [Stage("train", classifier_step, batches, steps, batches.steps_per_epoch, validate)]


def validate_classifier(read, count, learner):
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
CLASSIFIERS = {"cnn_1": build_cnn_1, "cnn_2": build_cnn_2, "rnn": build_rnn}

MODELS = {f"autoencoder-{name}": Model(kind.build, partial(autoencoder_stages, name))
          for name, kind in AUTOENCODERS.items()}
MODELS |= {f"overfit-{loss}": Model(build_overfit, partial(overfit_stages, loss), may_diverge=loss in UNBOUNDED)
           for loss in OVERFIT}
MODELS |= {name: Model(build, partial(classifier_stages, f"{name}_epochs")) for name, build in CLASSIFIERS.items()}


# ---------------------------------------------------------------- what a run trains

# Divergences that decide a claim and need a training, each with the models it touches; measured one at a time.
ABLATIONS = {
    "conv2d_latent": ("autoencoder-conv2d",), "overfit_network": ("overfit-squared_error", "overfit-swapped"),
    "deep_protocol": ("cnn_1", "cnn_2"), "rnn_axis": ("rnn",),
}


@dataclass(frozen=True)
class Other:
    """A model trained under another value of one setting than the run's."""

    model: str
    field: str
    value: object

    @property
    def job(self):
        """The name of its directory."""
        return f"{self.model}-{self.field}-{self.value}"


def others(config):
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


def jobs(config):
    """What a run trains, in order: {directory: (Model, config)}."""
    return {name: (entry, config) for name, entry in MODELS.items()} | {
        other.job: (MODELS[other.model], dataclasses.replace(config, **{other.field: other.value}))
        for other in others(config)}


def train(config, store, run, only=None):
    """Train every model of a run, or `only` one, each going on from its last checkpoint."""
    training.train_all(jobs(config), store, run, only)


if __name__ == "__main__":
    scripts.run_training(OPTIONS, settings, preprocess, jobs)
