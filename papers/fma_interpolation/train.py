"""Losses, steps and MODELS: four autoencoders, the one-sample loss hunt, three genre classifiers; the script."""

import dataclasses
from functools import lru_cache, partial

from papers.fma_interpolation import config as settings, preprocess

if __name__ == "__main__":  # options first: --help answers without TensorFlow
    from common import scripts

    OPTIONS = scripts.training_options(settings, __doc__)

import keras
import numpy as np
import tensorflow as tf

from common import training
from common.training import Batches, Learner, Model, Stage, fixed, shuffled
from papers.fma_interpolation import model, splits, variants

DECIBELS_OF_REFERENCE = 10 * np.log10(32768.0)
EVALUATION_BATCH = 16


# ---------------------------------------------------------------- losses, each (batch,) from (batch, bands, frames, 1)

def squared_error(image, output):
    """Squared error summed over the pixels (sec. Baseline model, "mean squared entropy loss")."""
    return tf.reduce_sum(tf.square(image - output), axis=(1, 2, 3))


def cross_entropy(image, logits):
    """Sigmoid cross-entropy summed over the pixels (figure of sec. Our Approach; program, 584ade5)."""
    return tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(labels=image, logits=logits), axis=(1, 2, 3))


def decibel_cross_entropy(image, logits):
    """The same with decibels that were not normalised as its labels (-35 to 45), "values that range bigger than 1"."""
    return cross_entropy(80.0 * (image - 1.0) + DECIBELS_OF_REFERENCE, logits)


def analytic_divergence(mean, log_variance, code):
    """KL(q(z|x) || N(0, 1)) of each example, (batch,); `code` is not needed."""
    return 0.5 * tf.reduce_sum(tf.exp(log_variance) + tf.square(mean) - 1.0 - log_variance, axis=-1)


LOSS = {
    "squared_error": squared_error, "cross_entropy": cross_entropy, "flipped": variants.flipped_cross_entropy,
    "swapped": variants.swapped_cross_entropy, "decibels": decibel_cross_entropy,
}
DIVERGENCE = {"analytic": analytic_divergence, "sampled": variants.sampled_divergence}
OVERFIT_ENCODER = {"baseline": (model.baseline_encoder, "latent"),
                   "bottleneck": (variants.bottleneck_encoder, "overfit_latent")}
RNN = {"bands": model.rnn, "time": variants.rnn_over_time}


# ---------------------------------------------------------------- steps

def autoencoder_step(loss, divergence, learner, batch, step):
    """Minimise reconstruction + KL, z = mean + exp(log_variance / 2) * noise (sec. Our Approach, 1)."""
    encoder, decoder, image = learner.networks["encoder"], learner.networks["decoder"], batch["image"]
    with tf.GradientTape() as tape:
        mean, log_variance = encoder(image, training=True)
        code = mean + tf.exp(0.5 * log_variance) * step.normal("code", (mean.shape[-1],))
        output = decoder(code, training=True)
        reconstruction = step.mean(LOSS[loss](image, output))
        kl = step.mean(DIVERGENCE[divergence](mean, log_variance, code))
        total = reconstruction + kl
    variables = encoder.trainable_variables + decoder.trainable_variables
    step.apply(learner.optimizers["adam"], tape.gradient(total, variables), variables)
    error = step.mean(tf.reduce_mean(tf.square(image - decoded(loss, output)), axis=(1, 2, 3)))
    return {"losses/reconstruction": reconstruction, "losses/divergence": kl, "losses/total": total,
            "metrics/squared_error": error}


def decoded(loss, output):
    """What a decoder's output shows as an image: cross-entropies work on logits, squared error on the output itself."""
    return output if loss in ("squared_error", "swapped") else tf.sigmoid(output)


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


# ---------------------------------------------------------------- data

def labels_of(store):
    """Genre code of every row: place in the alphabetical list of labels, (rows,) int32."""
    names = sorted({row["label"] for row in store.index})
    return np.array([names.index(row["label"]) for row in store.index], np.int32)


def reader(store, rows):
    """indices -> {"image": (n, bands, frames, 1) float32, "label": (n,)} of `rows`; reads from disk, keeps nothing."""
    labels = labels_of(store)

    def read(indices):
        chosen = rows[np.asarray(indices)]
        images = np.stack([store.image(store.index[i]) for i in chosen])[..., None]
        return {"image": images, "label": labels[chosen]}

    return read


def parts(config, store, limit, seed):
    """Training and validation rows of the networks; `limit` > 0 takes that many (a quarter for validation)."""
    split = splits.deep(config.deep_protocol, len(store.index), [row["split"] for row in store.index], seed)
    random = np.random.default_rng(seed)
    return {name: rows if not limit or len(rows) <= size else np.sort(random.choice(rows, size, replace=False))
            for (name, rows), size in zip(split.items(), (limit, max(1, limit // 4), limit // 4), strict=True)}


@lru_cache(maxsize=4)
def compiled(network):
    """The network at inference as one graph: eager recurrent layers would take seconds."""
    return tf.function(lambda *inputs: network(*inputs, training=False), reduce_retracing=True)


def in_batches(function, read, count, size=EVALUATION_BATCH):
    """[function(batch)] over `count` examples in order."""
    return [function(read(np.arange(start, min(start + size, count)))) for start in range(0, count, size)]


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


def build_conv2d(config, store, inception=False):
    """Conv2D (program, 1b0ba3d), or with inception units."""
    latent = config.inception_latent if inception else config.conv2d_latent
    repeats = config.inception_repeats if inception else config.conv2d_repeats
    options = (config.bands, config.frames, latent, config.conv2d_filters, config.conv2d_pools, repeats, inception)
    return _autoencoder(model.conv2d_encoder(*options), model.conv2d_decoder(*options), config.conv2d_rate)


def build_conv1d(config, store):
    """Conv1D (program, 3c5c932)."""
    sizes, filters = (config.bands, config.frames, config.conv1d_latent), config.conv1d_filters
    return _autoencoder(model.conv1d_encoder(*sizes, filters), model.conv1d_decoder(*sizes, filters[:0:-1]),
                        config.conv1d_rate)


def build_overfit(config, store):
    """The network of the one-sample experiment."""
    encoder, latent = OVERFIT_ENCODER[config.overfit_network]
    sizes = (config.bands, config.frames, getattr(config, latent))
    return _autoencoder(encoder(*sizes), model.baseline_decoder(*sizes), config.overfit_rate)


def build_classifier(name, config, store):
    """cnn_1, cnn_2 or rnn."""
    sizes, classes = (config.bands, config.frames), len({row["label"] for row in store.index})
    network = {"cnn_1": lambda: model.cnn_1(*sizes, config.cnn_1_filters, config.cnn_1_dense, classes),
               "cnn_2": lambda: model.cnn_2(*sizes, config.cnn_2_time_stride, classes),
               "rnn": lambda: RNN[config.rnn_axis](*sizes, config.rnn_units, classes)}[name]()
    return Learner({"classifier": network}, _adam(config.classifier_rate, network))


# ---------------------------------------------------------------- stages

def loss_of(name, config):
    """The reconstruction loss of an autoencoder."""
    return config.baseline_loss if name == "baseline" else "squared_error"


def autoencoder_stages(name, config, store, seed):
    """One stage: epochs over the training images, validation after each."""
    rows = parts(config, store, config.autoencoder_items, seed)
    batch = config.baseline_batch if name == "baseline" else config.batch
    count = len(rows["train"])
    batches = Batches(count, batch, reader(store, rows["train"]), shuffled(count, seed))
    validate = partial(validate_autoencoder, loss_of(name, config), reader(store, rows["validation"]),
                       len(rows["validation"]), config.reduce_rate)
    epochs = {"baseline": config.baseline_epochs, "conv1d": config.conv1d_epochs}.get(name, config.conv2d_epochs)
    steps = epochs * batches.steps_per_epoch
    train_step = partial(autoencoder_step, loss_of(name, config), config.divergence)
    return [Stage("train", train_step, batches, steps, batches.steps_per_epoch, validate)]


def validate_autoencoder(loss, read, count, reduce_rate, learner):
    """Validation losses with the mean as the code; `reduce_rate`: a tenth of the rate after 2 epochs without gain."""
    encoder, decoder = compiled(learner.networks["encoder"]), compiled(learner.networks["decoder"])

    def measure(batch):
        mean, log_variance = encoder(batch["image"])
        output = decoder(mean)
        error = tf.reduce_mean(tf.square(batch["image"] - decoded(loss, output)), axis=(1, 2, 3))
        return np.stack([LOSS[loss](batch["image"], output), analytic_divergence(mean, log_variance, None), error])

    reconstruction, kl, error = np.concatenate(in_batches(measure, read, count), axis=1).mean(axis=1)
    if reduce_rate:
        best, wait = learner.variables["best"], learner.variables["wait"]
        better = reconstruction + kl < float(best.numpy())
        best.assign(min(float(best.numpy()), reconstruction + kl))
        wait.assign(0 if better else int(wait.numpy()) + 1)
        if int(wait.numpy()) >= 2:
            rate = learner.optimizers["adam"].learning_rate
            rate.assign(rate * 0.1)
            wait.assign(0)
    return {"validation/reconstruction": reconstruction, "validation/divergence": kl,
            "validation/squared_error": error}


def overfit_stages(loss, config, store, seed):
    """Program, 6b96f49: 500 updates on the first image of the store."""
    batches = Batches(1, 1, reader(store, np.arange(1)), fixed(1))
    return [Stage("train", partial(autoencoder_step, loss, config.divergence), batches, config.overfit_steps, 1)]


def classifier_stages(name, config, store, seed):
    """One stage: the epochs of the classifier's table, accuracy on the validation images after each."""
    rows = parts(config, store, config.classifier_items, seed)
    read = reader(store, rows["train"])
    batches = Batches(len(rows["train"]), config.classifier_batch, read, shuffled(len(rows["train"]), seed))
    validate = partial(validate_classifier, reader(store, rows["validation"]), len(rows["validation"]))
    steps = getattr(config, f"{name}_epochs") * batches.steps_per_epoch
    return [Stage("train", classifier_step, batches, steps, batches.steps_per_epoch, validate)]


def validate_classifier(read, count, learner):
    """Cross-entropy and accuracy on the validation images."""
    network = compiled(learner.networks["classifier"])

    def measure(batch):
        probability = network(batch["image"])
        hit = np.argmax(probability, axis=-1) == batch["label"]
        return np.stack([keras.losses.sparse_categorical_crossentropy(batch["label"], probability), hit])

    loss, accuracy = np.concatenate(in_batches(measure, read, count), axis=1).mean(axis=1)
    return {"validation/cross_entropy": loss, "validation/accuracy": accuracy}


AUTOENCODERS = {"baseline": build_baseline, "conv2d": build_conv2d, "inception": partial(build_conv2d, inception=True),
                "conv1d": build_conv1d}
OVERFIT = ("squared_error", "cross_entropy", "flipped", "swapped", "decibels")
CLASSIFIERS = ("cnn_1", "cnn_2", "rnn")

MODELS = {f"autoencoder-{name}": Model(build, partial(autoencoder_stages, name))
          for name, build in AUTOENCODERS.items()}
MODELS |= {f"overfit-{loss}": Model(build_overfit, partial(overfit_stages, loss),
                                    may_diverge=loss in ("flipped", "swapped", "decibels")) for loss in OVERFIT}
MODELS |= {name: Model(partial(build_classifier, name), partial(classifier_stages, name)) for name in CLASSIFIERS}

# Divergences that decide a claim and need a training, each with the models it touches; measured one at a time.
ABLATIONS = {
    "conv2d_latent": ("autoencoder-conv2d",), "overfit_network": ("overfit-squared_error", "overfit-swapped"),
    "deep_protocol": ("cnn_1", "cnn_2"), "rnn_axis": ("rnn",),
}


def jobs(config):
    """What a run trains, in order: {directory: (Model, config)}; with `ablations` also divergences' other values.

    Beside the artist-disjoint split the classifiers are trained under the leaky one: the table of the leak has both.
    """
    found = {name: (entry, config) for name, entry in MODELS.items()}
    if config.deep_protocol == "official":
        leaky = dataclasses.replace(config, deep_protocol="leaky")
        found |= {f"{name}-deep_protocol-leaky": (MODELS[name], leaky) for name in CLASSIFIERS}
    for divergence in settings.DIVERGENCES if config.ablations else ():
        mine = getattr(config, divergence.field)
        others = [v for v in (divergence.code, divergence.sound, divergence.paper) if v != mine]
        for name in ABLATIONS.get(divergence.field, ()) if others else ():
            changed = dataclasses.replace(config, **{divergence.field: others[0]})
            found[f"{name}-{divergence.field}-{others[0]}"] = (MODELS[name], changed)
    return found


def train(config, store, run, only=None):
    """Train every model of a run, or `only` one, each going on from its last checkpoint."""
    training.train_all(jobs(config), store, run, only)


if __name__ == "__main__":
    scripts.run_training(OPTIONS, settings, preprocess, jobs)
