"""Training: one joint stage as the paper's semi-amortised LORD, or LORD's own two stages; and the classifier.

Objective (sec. 1.2.2.2 and 2.1; no equation in the paper): the mean over images of L(G(E(x) + noise, M(Z[y])), x).
Two optimizers, because Adam takes no notice of a gradient that is multiplied: one for the networks, one for the tables.
"""

import dataclasses
import math
from functools import lru_cache

from common import config as common_config
from papers.lord_transfer import config as settings

common_config.quiet_tensorflow()

import keras
import numpy as np
import tensorflow as tf

from common import training
from common.training import Batches, Learner, Model, Stage
from papers.lord_transfer import clusters, losses, model, variants
from papers.lord_transfer.config import Config
from papers.lord_transfer.windows import Reader, image_shape, windows

ORDER_SEED = 0  # the order of the data is the same for every seed; weights and noise are not
PIXEL_LOSSES = {"mse": losses.mean_squared_error, "mae": losses.mean_absolute_error}


# ---- networks --------------------------------------------------------------------------------------------------------

def encoder_sizes(config: Config):
    """Keyword arguments of the two encoders."""
    first_kernel, kernel = (int(word) for word in config.encoder_kernels.split())
    return dict(filters=config.encoder_filters, units=config.encoder_units, first_kernel=first_kernel, kernel=kernel)


def build(config: Config, classes: int, images: int = 0) -> Learner:
    """The networks of a Config with their optimizers, built; `images` are trained on (LORD's content table)."""
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
        networks["class_embedding"] = model.class_embedding(classes, config.class_dim)
    if config.content == "embedding":
        networks["content_embedding"] = variants.content_embedding(images, config.content_dim)
    learner = Learner(networks, {}, {"steps_per_epoch": tf.Variable(1.0, trainable=False)})
    for name, rate in (("networks", 1.0), ("tables", config.table_rate)):
        if members := first_stage(config, learner)[name]:
            schedule = EpochCosine(rate * config.learning_rate, rate * config.last_learning_rate, config.epochs,
                                   learner.variables["steps_per_epoch"])
            learner.optimizers[name] = keras.optimizers.Adam(schedule, beta_1=config.adam_beta_1)
            learner.optimizers[name].build(variables_of(learner, members))
    if config.content == "embedding":
        learner.optimizers["second"] = keras.optimizers.Adam(config.second_learning_rate, beta_1=config.adam_beta_1)
        learner.optimizers["second"].build(variables_of(learner, second_stage(learner)))
    return learner


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
            weight = config.content_decay * (step.rows if config.content_decay_reduction == "sum" else 1.0)
            total = tf.add_n(list(found.values())) + weight * norm
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


def stages(config: Config, store, found):
    """One stage of joint training over the windows `found`; two for LORD's own way."""
    reader = Reader(config, store)

    def read(positions):
        return {"image": reader.read(found, positions), "class": found.classes[positions].astype(np.int32),
                "row": np.asarray(positions, np.int32)}

    batches = Batches(len(found), config.batch_size, read, training.shuffled(len(found), ORDER_SEED))
    per_epoch = batches.steps_per_epoch

    def start(learner):
        learner.variables["steps_per_epoch"].assign(float(per_epoch))

    made = [Stage("joint", train_step(config), batches, config.epochs * per_epoch, per_epoch, start=start,
                  stop=stopper(config))]
    if config.content == "embedding":
        made.append(Stage("encoders", second_step(config), batches, config.second_epochs * per_epoch, per_epoch))
    return made


def training_windows(config: Config, store, labels=None, share=1.0):
    """The windows that the model is trained on, their classes replaced by sub-classes where asked."""
    found = windows(config, store, labels, share)
    found = found.take(found.of("train"))
    return clusters.subclasses(config, found, Reader(config, store)) if config.subclasses else found


# ---- the classifier that listens -------------------------------------------------------------------------------------

def build_classifier(config: Config, classes: int) -> Learner:
    """The classifier on amplitude images and its optimizer."""
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


def classifier_stages(config: Config, store, labels=None):
    """One stage on the windows of the role "ear"."""
    plain = dataclasses.replace(config, phase="none", overlap=0.0)
    found = windows(plain, store, labels)
    found = found.take(found.of("ear"))
    counts = np.bincount(found.classes, minlength=len(found.labels))
    weights = (len(found) / (len(found.labels) * counts)).astype(np.float32)
    reader = Reader(plain, store)

    def read(positions):
        classes = found.classes[positions]
        return {"image": reader.read(found, positions), "class": classes.astype(np.int32), "weight": weights[classes]}

    batches = Batches(len(found), config.batch_size, read, training.shuffled(len(found), ORDER_SEED))
    per_epoch = batches.steps_per_epoch
    return [Stage("classifier", classifier_step, batches, config.classifier_epochs * per_epoch, per_epoch)]


# ---- the table of models ---------------------------------------------------------------------------------------------

# What each model changes in the run's settings. "lord" is the run's model; the others are the paper's comparisons.
MODELS = {"lord": lambda c: {}}
GENRE_ABLATIONS = {  # on the first genre pair
    "overlap-25": lambda c: {"overlap": 0.25},  # sec. 2.3.1, item 2
    "overlap-50": lambda c: {"overlap": 0.5},  # sec. 2.3.1, item 3
    "phase-angle": lambda c: {"phase": "angle"},  # sec. 2.3.1, item 4a
    "phase-cosine-sine": lambda c: {"phase": "cosine_sine"},  # sec. 2.3.1, item 4b
    "subclasses": lambda c: {"subclasses": 5},  # sec. 2.3.1; the number is ours
    "codes-x4": lambda c: {"content_dim": 4 * c.content_dim, "class_dim": 4 * c.class_dim},  # sec. 2.3.2
    "codes-x8": lambda c: {"content_dim": 8 * c.content_dim, "class_dim": 8 * c.class_dim},  # sec. 2.3.2
    "units-x2": lambda c: {"encoder_units": 2 * c.encoder_units, "dense_scale": 2},  # sec. 2.3.2, item 1
    "kernels": lambda c: {"encoder_kernels": "9 6", "generator_kernels": "5 7 9"},  # sec. 2.3.2, item 2
    "filters-x2": lambda c: {"encoder_filters": 2 * c.encoder_filters, "adain_dim": 2 * c.adain_dim,
                             "last_filters": 2 * c.last_filters},  # sec. 2.3.2, item 3
    "loss-mse": lambda c: {"loss": "mse"},  # sec. 2.3.3, item 1
    "loss-mae": lambda c: {"loss": "mae"},  # sec. 2.3.3, item 2
    "loss-mse-mae": lambda c: {"loss": "mse+mae"},  # sec. 2.3.3, item 3
    "loss-perceptual": lambda c: {"loss": "perceptual"},  # sec. 2.3.3, item 4
    "quarter": lambda c: {},  # sec. 1, "a few thousand samples": a quarter of the tracks
}
INSTRUMENT_ABLATIONS = {
    "class-encoder": lambda c: {"class_code": "encoder"},  # sec. 1.2.2.2: full amortisation
    "content-embedding": lambda c: {"content": "embedding"},  # divergence `content`, alone
    "content-decay": lambda c: {"content_decay": 1e-3},  # divergence `content_decay`, alone
    "split-recording": lambda c: {"split": "recording"},  # divergence `split`, alone
    "quarter": lambda c: {},  # sec. 2.4.3: fewer clips per class (claim I9)
}
SHARES = {"quarter": 0.25}


def pairs(config: Config, store):
    """The configured genre pairs that the store has: {"rock-folk": ("Rock", "Folk")}; {"": None} for instruments."""
    if config.data_set != "fma_medium":
        return {"": None}
    present = {row["label"] for row in store.index}
    found = {pair.lower(): tuple(pair.split("-")) for pair in config.genre_pairs.split()
             if set(pair.split("-")) <= present}
    if not found:
        raise training.TrainingError(f"{store.directory}: none of the genre pairs {config.genre_pairs} is complete in "
                                     f"it (it has {', '.join(sorted(present))}); choose others with --genre-pairs")
    return found


def variant(config: Config, name: str):
    """(Config, share of the training tracks) of a model's name."""
    base = name.split("@")[0]
    changes = (MODELS | GENRE_ABLATIONS | INSTRUMENT_ABLATIONS)[base](config)
    return dataclasses.replace(config, **changes), SHARES.get(base, 1.0)


def models(config: Config, store):
    """{name: (Model, Config)} of a run: per pair the model and its classifier, then the ablations if asked for."""
    table = {}
    for number, (pair, labels) in enumerate(pairs(config, store).items()):
        names = list(MODELS)
        if config.ablations and number == 0:
            names += GENRE_ABLATIONS if labels else INSTRUMENT_ABLATIONS
        for name in names:
            changed, share = variant(config, name)
            if wanted(config, changed, name):
                table[f"{name}@{pair}" if pair else name] = (_model(changed, store, labels, share), changed)
        table[f"classifier@{pair}" if pair else "classifier"] = (_classifier(config, store, labels), config)
    return table


def wanted(config: Config, changed: Config, name: str):
    """Whether an ablation differs from the run's model and can be computed without weights that are not there."""
    if name == "loss-perceptual" or changed.subclasses:
        return perceptual_state(dataclasses.replace(config, loss="perceptual")) != "off"
    if name in MODELS or name in SHARES:
        return True
    return dataclasses.replace(changed, loss="+".join(loss_terms(changed))) != dataclasses.replace(
        config, loss="+".join(loss_terms(config)))


def _model(config, store, labels, share):
    found = training_windows(config, store, labels, share)
    return Model(lambda c: build(c, len(found.labels) * max(1, c.subclasses), len(found)),
                 lambda c, s: stages(c, s, found))


def _classifier(config, store, labels):
    classes = len(labels or {row["label"] for row in store.index})
    return Model(lambda c: build_classifier(c, classes), lambda c, s: classifier_stages(c, s, labels))
