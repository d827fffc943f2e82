"""Losses, steps, models and the training script: semi-amortised LORD, LORD's own two stages, and the classifier.

`python -m papers.lord_transfer.train --model lord --follow code --seed 0` trains one model, without `--model` all.

Objective (sec. 1.2.2.2 and 2.1; no equation in the paper): the mean over images of L(G(E(x) + noise, M(Z[y])), x).
Two optimizers, because Adam takes no notice of a gradient that is multiplied: one for the networks, one for the tables.
"""

import dataclasses
import math
from functools import lru_cache

from papers.lord_transfer import config as settings, preprocess

if __name__ == "__main__":  # options first: --help answers without TensorFlow
    from common import scripts

    OPTIONS = scripts.training_options(settings, __doc__)

import keras
import numpy as np
import tensorflow as tf

from common import training
from common.training import Batches, Learner, Model, Stage
from papers.lord_transfer import clusters, losses, model, variants
from papers.lord_transfer.config import Config
from papers.lord_transfer.windows import Reader, image_shape, windows

PIXEL_LOSSES = {"mse": losses.mean_squared_error, "mae": losses.mean_absolute_error}


# ---- networks --------------------------------------------------------------------------------------------------------

def encoder_sizes(config: Config):
    """Keyword arguments of the two encoders."""
    first_kernel, kernel = (int(word) for word in config.encoder_kernels.split())
    return dict(filters=config.encoder_filters, units=config.encoder_units, first_kernel=first_kernel, kernel=kernel)


def build(config: Config, store) -> Learner:
    """The networks of a Config with their optimizers, built; the tables have a row per class (and per image)."""
    found = training_windows(config, store)
    shape, kernels = image_shape(config), [int(word) for word in config.generator_kernels.split()]
    networks = {
        "content_encoder": model.content_encoder(shape, config.content_dim, **encoder_sizes(config)),
        "class_modulation": model.class_modulation(config.class_dim, config.adain_layers, config.adain_dim),
        "generator": model.generator(shape, config.content_dim, config.adain_layers, config.adain_dim,
                                     config.dense_scale, kernels[0], config.last_filters, tuple(kernels[1:])),
    }
    if config.content == "embedding" or config.class_code == "encoder":
        networks["class_encoder"] = variants.class_encoder(shape, config.class_dim, **encoder_sizes(config))
    if config.class_code == "table":
        networks["class_embedding"] = model.class_embedding(
            len(found.labels) * max(1, config.subclasses), config.class_dim)
    if config.content == "embedding":
        networks["content_embedding"] = variants.content_embedding(len(found), config.content_dim)
    learner = Learner(networks, {}, {"steps_per_epoch": tf.Variable(1.0, trainable=False)})
    for name, rate in (("networks", 1.0), ("tables", config.table_rate)):
        if members := first_stage(config, learner)[name]:
            learner.optimizers[name] = adam(config, rate, learner.variables["steps_per_epoch"])
            learner.optimizers[name].build(variables_of(learner, members))
    if config.content == "embedding":
        learner.optimizers["second"] = keras.optimizers.Adam(config.second_learning_rate, beta_1=config.adam_beta_1)
        learner.optimizers["second"].build(variables_of(learner, second_stage(learner)))
    return learner


def adam(config: Config, rate, steps_per_epoch):
    """Adam with the cosine schedule times `rate`: a rate that Adam, unlike a multiplied gradient, cannot undo."""
    return keras.optimizers.Adam(EpochCosine(rate * config.learning_rate, rate * config.last_learning_rate,
                                             config.epochs, steps_per_epoch), beta_1=config.adam_beta_1)


def first_stage(config: Config, learner: Learner):
    """Names of the networks and of the latent tables that the joint stage trains, by optimizer."""
    tables = [name for name in learner.networks if name.endswith("embedding")]
    waiting = ("content_encoder", "class_encoder") if config.content == "embedding" else ()
    return {"networks": [n for n in learner.networks if n not in tables and n not in waiting], "tables": tables}


def second_stage(learner: Learner):
    """Names of the networks that LORD's second stage trains: all but the tables."""
    return [name for name in learner.networks if not name.endswith("embedding")]


def variables_of(learner: Learner, names):
    """The trainable variables of the named networks."""
    return [variable for name in names for variable in learner.networks[name].trainable_variables]


@keras.saving.register_keras_serializable("lord_transfer")
class EpochCosine(keras.optimizers.schedules.LearningRateSchedule):
    """LORD's schedule: constant within an epoch, epoch e >= 1 at last + (first - last) (1 + cos(pi (e - 1) / N)) / 2.

    The lag of one epoch (epochs 0 and 1 both have the first rate) is LORD's. `steps_per_epoch` is a variable, because
    it is known only when the stage begins.
    """

    def __init__(self, first, last, epochs, steps_per_epoch):
        self.first, self.last, self.epochs, self.steps_per_epoch = first, last, epochs, steps_per_epoch

    def __call__(self, step):
        """The rate at an update."""
        epoch = tf.floor(tf.cast(step, tf.float32) / tf.cast(self.steps_per_epoch, tf.float32))
        fraction = tf.minimum(tf.maximum(epoch - 1, 0) / self.epochs, 1.0)
        return self.last + 0.5 * (self.first - self.last) * (1 + tf.cos(math.pi * fraction))

    def get_config(self):
        """The numbers it was made of."""
        return {"first": self.first, "last": self.last, "epochs": self.epochs, "steps_per_epoch": 1}


# ---- losses ----------------------------------------------------------------------------------------------------------

def perceptual_state(config: Config):
    """"imagenet", "random" or "off": what the perceptual term of a Config really is, given the weights at hand."""
    if "perceptual" not in config.loss.split("+") or config.perceptual == "off":
        return "off"
    if config.perceptual == "random":
        return "random"
    return "imagenet" if config.vgg_weights else "off"


def perceptual_words(config: Config):
    """The perceptual term in words, with the checksum of its weights."""
    state = perceptual_state(config)
    if state == "imagenet":
        return f"imagenet ({losses.read_vgg(config.vgg_weights, config.perceptual_layers)[1]})"
    if state == "random":
        return "random (a seeded filter bank, an ablation)"
    return f"off; the loss is {' + '.join(loss_terms(config)).upper()} (VGG16 weights: --vgg-weights FILE)"


@lru_cache(maxsize=4)
def _features(state, weights, layers):
    return losses.random_first_layer() if state == "random" else losses.read_vgg(weights, layers)[0]


def loss_terms(config: Config):
    """Names of the terms that can be computed; MSE and MAE stand in where only the perceptual term is asked for."""
    terms = [term for term in config.loss.split("+") if term != "perceptual" or perceptual_state(config) != "off"]
    return terms or ["mse", "mae"]


def reconstruction(config: Config):
    """(image, generated) -> {term: (batch,)}; the sum of the terms is the reconstruction loss of sec. 2.3.3."""
    terms, state = loss_terms(config), perceptual_state(config)
    features = None if state == "off" else _features(state, config.vgg_weights, config.perceptual_layers)

    def compute(image, generated):
        found = {}
        for term in terms:
            if term == "perceptual":
                found[term] = losses.perceptual_error(features, image, generated, config.perceptual_size)
            elif config.phase == "angle":  # sec. 2.3.1, item 4a: the second channel is an angle
                found[term] = PIXEL_LOSSES[term](image[..., :1], generated[..., :1])
            else:
                found[term] = PIXEL_LOSSES[term](image, generated)
        if config.phase == "angle":
            found["cyclic"] = losses.cyclic_squared_error(image[..., 1:], generated[..., 1:])
        return {term: config.loss_scale * value for term, value in found.items()}

    return compute


# ---- steps -----------------------------------------------------------------------------------------------------------

def content_noise(config: Config, step, code):
    """The Gaussian noise regulariser of sec. 2.1.1.1, drawn from (seed, step)."""
    return code + step.normal("content", (config.content_dim,), stddev=config.noise)


def decay_weight(config: Config, rows):
    """Weight of the content code's mean squared norm; with the sum of Keras 2.2.4 it grows with the batch."""
    return config.content_decay * (rows if config.content_decay_reduction == "sum" else 1.0)


def class_code(learner: Learner, image, index):
    """Class codes (batch, class_dim) of a batch: the table's rows, or the class encoder's where there is no table."""
    if "class_embedding" in learner.networks:
        return learner.networks["class_embedding"](index)
    return learner.networks["class_encoder"](image)


def train_step(config: Config):
    """The joint step: content code, noise, class code, modulation, generator, loss, two optimizers."""
    terms = reconstruction(config)

    def run(learner, batch, step):
        networks = learner.networks
        with tf.GradientTape(persistent=True) as tape:
            if config.content == "embedding":
                code = networks["content_embedding"](batch["row"])
            else:
                code = networks["content_encoder"](batch["image"], training=True)
            parameters = networks["class_modulation"](class_code(learner, batch["image"], batch["class"]))
            generated = networks["generator"]([content_noise(config, step, code), parameters])
            found = {name: step.mean(value) for name, value in terms(batch["image"], generated).items()}
            norm = step.mean(tf.reduce_sum(tf.square(code), axis=-1))
            total = tf.add_n(list(found.values())) + decay_weight(config, step.rows) * norm
        for optimizer, members in first_stage(config, learner).items():
            if members:
                variables = variables_of(learner, members)
                gradients = [tf.convert_to_tensor(g) for g in tape.gradient(total, variables)]
                step.apply(learner.optimizers[optimizer], gradients, variables)
        return {"losses/total": total, "losses/content_norm": norm,
                **{f"losses/{name}": value for name, value in found.items()}}

    return run


def second_step(config: Config):
    """LORD's second stage: encoders learn the codes of the tables while the image is still reconstructed."""
    terms = reconstruction(dataclasses.replace(config, perceptual_size=0))

    def run(learner, batch, step):
        networks = learner.networks
        wanted = networks["content_embedding"](batch["row"]), networks["class_embedding"](batch["class"])
        variables = variables_of(learner, second_stage(learner))
        with tf.GradientTape() as tape:
            got = networks["content_encoder"](batch["image"]), networks["class_encoder"](batch["image"])
            generated = networks["generator"]([got[0], networks["class_modulation"](got[1])])
            found = {name: step.mean(value) for name, value in terms(batch["image"], generated).items()}
            codes = [step.mean(tf.reduce_mean(tf.square(a - b), axis=-1)) for a, b in zip(got, wanted, strict=True)]
            total = tf.add_n(list(found.values())) + config.second_code_weight * tf.add_n(codes)
        step.apply(learner.optimizers["second"], tape.gradient(total, variables), variables)
        return {"losses/total": total, "losses/content_code": codes[0], "losses/class_code": codes[1],
                **{f"losses/{name}": value for name, value in found.items()}}

    return run


def stopper(config: Config):
    """Early stopping on the epochs' training loss: (log lines) -> True after `patience` epochs without a gain."""
    if not config.early_stop_delta:
        return None

    def stop(lines):
        best, waited = math.inf, 0
        for line in lines:
            if line["losses/total"] < best - config.early_stop_delta:
                best, waited = line["losses/total"], 0
            else:
                waited += 1
        return waited >= config.early_stop_patience

    return stop


def stages(config: Config, store, seed):
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
                  stop=stopper(config))]
    if config.content == "embedding":
        made.append(Stage("encoders", second_step(config), batches, config.second_epochs * per_epoch, per_epoch))
    return made


def training_windows(config: Config, store):
    """The windows that the model is trained on, their classes replaced by sub-classes where asked."""
    found = windows(config, store)
    found = found.take(found.of("train"))
    return clusters.subclasses(config, found, Reader(config, store)) if config.subclasses else found


# ---- the classifier that listens -------------------------------------------------------------------------------------

def build_classifier(config: Config, store) -> Learner:
    """The classifier on amplitude images and its optimizer."""
    classes = len(windows(config, store).labels)
    network = model.classifier((config.bands, config.frames, 1), classes, config.classifier_filters)
    optimizer = keras.optimizers.Adam(1e-3)
    optimizer.build(network.trainable_variables)
    return Learner({"classifier": network}, {"classifier": optimizer})


def classifier_step(learner, batch, step):
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


def classifier_stages(config: Config, store, seed):
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
    return [Stage("classifier", classifier_step, batches, config.classifier_epochs * per_epoch, per_epoch)]


# ---- models ----------------------------------------------------------------------------------------------------------

MODELS = {"lord": Model(build, stages), "classifier": Model(build_classifier, classifier_stages)}
# Comparisons: what each changes in the run's settings; trained with --ablations, genre ones on the first pair.
GENRE_ABLATIONS = {
    "overlap_25": lambda c: {"overlap": 0.25},  # sec. 2.3.1, item 2
    "overlap_50": lambda c: {"overlap": 0.5},  # sec. 2.3.1, item 3
    "phase_angle": lambda c: {"phase": "angle"},  # sec. 2.3.1, item 4a
    "phase_cosine_sine": lambda c: {"phase": "cosine_sine"},  # sec. 2.3.1, item 4b
    "subclasses": lambda c: {"subclasses": 5},  # sec. 2.3.1; the number is ours
    "codes_x4": lambda c: {"content_dim": 4 * c.content_dim, "class_dim": 4 * c.class_dim},  # sec. 2.3.2
    "codes_x8": lambda c: {"content_dim": 8 * c.content_dim, "class_dim": 8 * c.class_dim},  # sec. 2.3.2
    "units_x2": lambda c: {"encoder_units": 2 * c.encoder_units, "dense_scale": 2},  # sec. 2.3.2, item 1
    "kernels": lambda c: {"encoder_kernels": "9 6", "generator_kernels": "5 7 9"},  # sec. 2.3.2, item 2
    "filters_x2": lambda c: {"encoder_filters": 2 * c.encoder_filters, "adain_dim": 2 * c.adain_dim,
                             "last_filters": 2 * c.last_filters},  # sec. 2.3.2, item 3
    "loss_mse": lambda c: {"loss": "mse"},  # sec. 2.3.3, item 1
    "loss_mae": lambda c: {"loss": "mae"},  # sec. 2.3.3, item 2
    "loss_mse_mae": lambda c: {"loss": "mse+mae"},  # sec. 2.3.3, item 3
    "loss_perceptual": lambda c: {"loss": "perceptual"},  # sec. 2.3.3, item 4
    "quarter": lambda c: {"train_share": 0.25},  # sec. 1, "a few thousand samples"
}
INSTRUMENT_ABLATIONS = {
    "class_encoder": lambda c: {"class_code": "encoder"},  # sec. 1.2.2.2: full amortisation
    "quarter": lambda c: {"train_share": 0.25},  # sec. 2.4.3: fewer clips per class (claim I9)
}


def pairs(config: Config):
    """The genre pairs of a run; one empty name for the instrument task."""
    return config.genre_pairs.split() if config.data_set == "fma_medium" else [""]


def job_name(model_name, pair):
    """A model's directory: `lord`, or `lord-rock-folk` for a genre pair."""
    return f"{model_name}-{pair.lower()}" if pair else model_name


def jobs(config: Config):
    """What a run trains: {directory name: (Model, its Config)}."""
    found = {}
    for number, pair in enumerate(pairs(config)):
        base = dataclasses.replace(config, pair=pair)
        for name in MODELS:
            found[job_name(name, pair)] = (MODELS[name], base)
        if config.ablations and number == 0:
            for name, changes in (GENRE_ABLATIONS if pair else INSTRUMENT_ABLATIONS).items():
                changed = dataclasses.replace(base, **changes(base))
                if differs(base, changed):
                    found[job_name(name, pair)] = (MODELS["lord"], changed)
    return found


def differs(base: Config, changed: Config):
    """Whether a comparison is another model than the run's, given the VGG16 weights at hand."""
    if changed.loss == "perceptual" or changed.subclasses:
        return perceptual_state(dataclasses.replace(changed, loss="perceptual")) != "off"
    same_loss = loss_terms(base) == loss_terms(changed)
    return dataclasses.replace(changed, loss=base.loss) != base or not same_loss


def train(config: Config, store, run, only: str | None = None) -> None:
    """Train every model of a run, or `only` one, each going on from its last checkpoint."""
    print(f"perceptual loss: {perceptual_words(config)}", flush=True)
    training.train_all(jobs(config), store, run, only)


if __name__ == "__main__":
    scripts.run_training(OPTIONS, settings, preprocess, jobs)
