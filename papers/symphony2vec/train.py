"""Training of Symphony2vec: one step per kind of model, MODELS, and the training script (sections 3.2 to 3.4).

`python -m papers.symphony2vec.train --model ali-128 --follow code --seed 0` trains one model, without `--model` all.
"""

import dataclasses
import functools

from papers.symphony2vec import config as settings, preprocess

if __name__ == "__main__":  # options first: --help answers without TensorFlow
    from common import scripts

    OPTIONS = scripts.training_options(settings, __doc__)

import keras
import numpy as np
import tensorflow as tf

from common import probes, training
from papers.symphony2vec import data, inference, losses, model, variants
from papers.symphony2vec.features import REPRESENTATIONS

# What each divergence that is another structure selects.
CNN_TABLE = {"table_2": model.TABLE_2, "program": variants.PROGRAM_TABLE_2}
LSTM = {
    ("time_steps", "dense"): model.lstm,
    ("time_steps", "hidden_state"): variants.lstm_hidden_state,
    ("reinterpreted", "dense"): variants.lstm_reinterpreted,
    ("reinterpreted", "hidden_state"): variants.lstm_program,
}
LSTM_OPTIMIZER = {  # learning rate and weight decay
    "one": dict.fromkeys(REPRESENTATIONS, (1e-3, 0.0)),
    "per_representation": {"chroma": (1e-3, 0.0), "mfcc": (1e-4, 1e-5), "mel": (1e-4, 1e-5)},
}
CLASSIFIER_LOSS = {"softmax": losses.cross_entropy, "double_softmax": losses.double_softmax_cross_entropy}
VAE_OUTPUT = {"bernoulli": "sigmoid", "gaussian": "linear"}
VAE_LIKELIHOOD = {"bernoulli": losses.program_binary_cross_entropy, "gaussian": losses.gaussian_likelihood}

LATENT_SIZES = (256, 128, 40)
WATCHED_LATENTS = 64  # generated at every log line, to see a collapse


def image_shape(config, representation):
    """(bands, frames) of one example of a representation."""
    if representation == "crop":
        return (32, 32, 1)
    bands = {"chroma": 12, "mfcc": config.mfcc_coefficients, "mel": config.mel_bands}[representation]
    return (bands, 1 + round(config.clip_seconds * config.sample_rate) // config.hop)


def _adam(learning_rate, variables, beta_1=0.9):
    optimizer = keras.optimizers.Adam(learning_rate, beta_1=beta_1, beta_2=0.999, epsilon=1e-8)
    optimizer.build(variables)
    return optimizer


def _stages(config, store, seed, representation, epochs, batch_sizes, step, read, log_every=None, examples=1,
            **options):  # fmt: skip
    """One stage per part of the training data; `read(images, labels, rows, indices)` gives a batch.

    `examples`: how many each clip gives. `step(steps_per_epoch)` gives the train step. Options of the Stage (start,
    validate) are made by functions of the images, the part (train rows, test rows) and the batches.
    """
    selection = data.select(config, store)
    images = data.Images(config, store, selection, representation)
    stages = []
    for number, part in enumerate(selection.parts(representation)):
        rows = part[0]
        batch_size = batch_sizes[min(number, len(batch_sizes) - 1)]
        size = examples * len(rows)
        batches = training.Batches(
            size, batch_size, functools.partial(read, images, selection.labels, rows),
            training.shuffled(size, 10 * seed + number),
        )  # fmt: skip
        per_epoch = batches.steps_per_epoch
        made = {name: option(images, part, batches) for name, option in options.items()}
        stages.append(
            training.Stage(f"part-{number + 1}", step(per_epoch), batches, epochs * per_epoch,
                           log_every or per_epoch, **made)
        )  # fmt: skip
    return stages


def _read_labelled(images, labels, rows, indices):
    chosen = rows[indices]
    return {"x": images[chosen], "label": np.int32(labels[chosen])}


def _read_images(images, labels, rows, indices):
    return {"x": images[rows[indices]]}


def _read_chunks(steps, images, labels, rows, indices):
    # All clips' first piece, then all clips' second, as in features.chunks.
    piece, clip = np.divmod(indices, len(rows))
    chosen = rows[clip]
    frames = piece[:, None] * steps + np.arange(steps)
    bands = np.arange(images.shape[0])
    x = images.scale(images.raw[chosen[:, None, None], bands[None, :, None], frames[:, None, :]])
    return {"x": x, "label": np.int32(labels[chosen])}


# Section 3.2: classifiers


def classifier_step(learner, batch, step, loss, decay):
    """Cross entropy and coupled weight decay; returns loss and accuracy."""
    network = learner.networks["classifier"]
    with tf.GradientTape() as tape:
        logits = network(batch["x"], training=True)
        cost = loss(logits, batch["label"])
        total = step.mean(cost + losses.weight_decay(network.trainable_variables, decay) if decay else cost)
    variables = network.trainable_variables
    step.apply(learner.optimizers["classifier"], tape.gradient(total, variables), variables)
    right = tf.equal(tf.argmax(logits, axis=-1, output_type=tf.int32), batch["label"])
    return {"losses/cross_entropy": step.mean(cost), "metrics/accuracy": step.mean(tf.cast(right, tf.float32))}


def classifier(kind, config, representation, classes):
    """The untrained classifier of a kind: ff, perceptron, cnn, lstm or encoder (ALI's encoder with a dense layer)."""
    shape = image_shape(config, representation)
    if kind in ("ff", "perceptron"):
        units = config.feed_forward_units if kind == "ff" else (1024,)
        return model.feed_forward(shape, units, classes)
    if kind == "cnn":
        return model.cnn(shape, CNN_TABLE[config.cnn_pooling][representation], classes=classes)
    if kind == "lstm":
        build = LSTM[config.lstm_input, config.lstm_scores]
        return build((shape[0], config.lstm_steps), config.lstm_units, classes)
    return model.encoder_classifier(128, config.ali_width, classes=classes)


def _rate_and_decay(kind, config, representation):
    if kind == "lstm":
        return LSTM_OPTIMIZER[config.lstm_optimizer][representation]
    rate = config.feed_forward_learning_rate if kind in ("ff", "perceptron") else config.cnn_learning_rate
    return rate, config.weight_decay


def _build_classifier(kind, representation, config, store):
    network = classifier(kind, config, representation, len(store.parameters["groups_per_class"]))
    rate, _ = _rate_and_decay(kind, config, representation)
    return training.Learner({"classifier": network}, {"classifier": _adam(rate, network.trainable_variables)})


def _classifier_stages(kind, representation, config, store, seed):
    _, decay = _rate_and_decay(kind, config, representation)
    chunked, double = kind == "lstm", config.classifier_loss == "double_softmax" and kind != "lstm"
    loss = CLASSIFIER_LOSS["double_softmax" if double else "softmax"]  # the program's LSTM has no softmax of its own
    step = functools.partial(classifier_step, loss=loss, decay=decay)
    pieces = -(-image_shape(config, representation)[1] // config.lstm_steps) - 1 if chunked else 1
    read = functools.partial(_read_chunks, config.lstm_steps) if chunked else _read_labelled
    labels = data.select(config, store).labels

    def validate(images, part, batches):
        def test(learner):
            network, rows = learner.networks["classifier"], part[1]
            if chunked:
                logits, truth = inference.chunk_outputs(network, images, labels, rows, config.lstm_steps)
            else:
                logits, truth = inference.outputs(network, images, rows), labels[rows]
            scores = inference.softmax(logits) if double else logits
            return {"losses/test_cross_entropy": np.mean(inference.cross_entropies(scores, truth)),
                    "metrics/test_accuracy": np.mean(logits.argmax(axis=1) == truth)}  # fmt: skip

        return test

    epochs = config.lstm_epochs if chunked else config.classifier_epochs
    return _stages(config, store, seed, representation, epochs, (config.batch_size,), lambda _: step, read,
                   examples=pieces, validate=validate)  # fmt: skip


# Section 3.3: autoencoders


def autoencoder_step(learner, batch, step, penalty, factor, decay):
    """Squared error, coupled weight decay and, for the contractive autoencoder, its penalty.

    penalty: none | jacobian | no_gradient (the program's: part of the printed loss, without effect on the weights).
    """
    x, encoder, decoder = batch["x"], learner.networks["encoder"], learner.networks["decoder"]
    variables = encoder.trainable_variables + decoder.trainable_variables
    values = {}
    with tf.GradientTape() as tape:
        error = losses.squared_error(x, decoder(encoder(x, training=True), training=True))
        cost = error
        if penalty == "jacobian":
            contraction = losses.contractive_penalty(encoder, x)
            cost = cost + factor * contraction
            values["losses/contraction"] = step.mean(contraction)
        total = step.mean(cost + losses.weight_decay(variables, decay) if decay else cost)
    gradients = tape.gradient(total, variables)
    if penalty == "no_gradient":
        values["losses/printed_penalty"] = factor * losses.program_penalty(encoder, x)
    step.apply(learner.optimizers["autoencoder"], gradients, variables)
    return {"losses/reconstruction": step.mean(error)} | values


def _build_autoencoder(representation, config, store):
    shape = image_shape(config, representation)
    encoder = model.encoder(shape, config.autoencoder_units, config.code_size)
    decoder = model.decoder(shape, config.autoencoder_units[::-1], config.code_size, config.autoencoder_output)
    variables = encoder.trainable_variables + decoder.trainable_variables
    return training.Learner(
        {"encoder": encoder, "decoder": decoder}, {"autoencoder": _adam(config.autoencoder_learning_rate, variables)}
    )


def _autoencoder_stages(representation, contractive, config, store, seed):
    step = functools.partial(autoencoder_step, penalty=config.contractive_penalty if contractive else "none",
                             factor=config.contractive_factor, decay=config.weight_decay)  # fmt: skip
    return _stages(config, store, seed, representation, config.autoencoder_epochs, (config.batch_size,), lambda _: step,
                   _read_images)  # fmt: skip


def vae_step(learner, batch, step, likelihood):
    """Reconstruction and KL divergence, summed over features, code and batch ([15] of section 3.3)."""
    x, encoder, decoder = batch["x"], learner.networks["encoder"], learner.networks["decoder"]
    variables = encoder.trainable_variables + decoder.trainable_variables
    with tf.GradientTape() as tape:
        mean, log_variance = tf.split(encoder(x, training=True), 2, axis=-1)
        z = losses.vae_sample(mean, log_variance, step.normal("latent", mean.shape[1:]))
        reconstruction = likelihood(x, decoder(z, training=True))
        divergence = losses.kl_divergence(mean, log_variance)
        total = step.mean(reconstruction + divergence) * step.rows
    step.apply(learner.optimizers["vae"], tape.gradient(total, variables), variables)
    return {"losses/reconstruction": step.mean(reconstruction), "losses/divergence": step.mean(divergence)}


def _build_vae(representation, config, store):
    shape = image_shape(config, representation)
    encoder = model.encoder(shape, config.autoencoder_units, 2 * config.code_size)
    output = VAE_OUTPUT[config.vae_likelihood]
    decoder = model.decoder(shape, config.autoencoder_units[::-1], config.code_size, output)
    variables = encoder.trainable_variables + decoder.trainable_variables
    optimizer = _adam(config.vae_learning_rate, variables)
    return training.Learner({"encoder": encoder, "decoder": decoder}, {"vae": optimizer})


def _vae_stages(representation, config, store, seed):
    step = functools.partial(vae_step, likelihood=VAE_LIKELIHOOD[config.vae_likelihood])
    stages = _stages(config, store, seed, representation, config.vae_epochs, (config.batch_size,), lambda _: step,
                     _read_images)  # fmt: skip
    if config.vae_schedule == "constant":
        return stages

    # The program: a tenth of the rate after five epochs; the parts after the first are trained at a tenth throughout.
    def slow(learner):
        learner.optimizers["vae"].learning_rate.assign(0.1 * config.vae_learning_rate)

    first, early = stages[0], min(5, config.vae_epochs) * stages[0].batches.steps_per_epoch
    order = first.batches.order
    later = dataclasses.replace(first.batches, order=lambda epoch: order(epoch + 5))
    split = [
        dataclasses.replace(first, name="part-1-fast", steps=early),
        dataclasses.replace(first, name="part-1-slow", steps=first.steps - early, batches=later, start=slow),
    ]
    return [stage for stage in split + stages[1:] if stage.steps]


# Section 3.4: ALI


def ali_step(learner, batch, step, config, steps_per_epoch):
    """One update of discriminator and of encoder with generator, both from the same forward pass.

    The program's gate leaves the discriminator as it is where the generator's loss is not below config.ali_gate.
    """
    x, networks = batch["x"], learner.networks
    encoder, generator, discriminator = networks["encoder"], networks["generator"], networks["discriminator"]
    latent_size = generator.input_shape[-1]
    epoch = tf.cast(step.index // steps_per_epoch, tf.float32)
    deviation = losses.instance_noise_deviation(epoch, config.ali_epochs, config.instance_noise)
    prior, noise = step.normal("prior", (latent_size,)), step.normal("posterior", (latent_size,))
    real_noise, generated_noise = 0.0, 0.0
    if config.instance_noise:
        real_noise = deviation * step.normal("real", x.shape[1:])
        generated_noise = deviation * step.normal("generated", x.shape[1:])
    with tf.GradientTape(persistent=True) as tape:
        generated = generator(prior, training=True)
        mean, log_deviation = tf.split(encoder(x, training=True), 2, axis=-1)
        z = losses.ali_sample(mean, log_deviation, noise)
        real_logit = discriminator([x + real_noise, z], training=True)
        generated_logit = discriminator([generated + generated_noise, prior], training=True)
        d_loss, g_loss = (step.mean(loss) for loss in losses.ali_losses(real_logit, generated_logit))
    d_variables = discriminator.trainable_variables
    g_variables = encoder.trainable_variables + generator.trainable_variables
    d_gradients = step.reduce(tape.gradient(d_loss, d_variables))
    g_gradients = step.reduce(tape.gradient(g_loss, g_variables))
    del tape
    opened = step.reduce(g_loss) < config.ali_gate if config.ali_gate else tf.constant(True)
    step.apply(learner.optimizers["discriminator"], d_gradients, d_variables, when=opened, reduced=True)
    step.apply(learner.optimizers["generator"], g_gradients, g_variables, reduced=True)
    replicas = tf.distribute.get_replica_context().num_replicas_in_sync  # logged values are summed over them
    return {
        "losses/discriminator": d_loss,
        "losses/generator": g_loss,
        "metrics/d_real": step.mean(tf.sigmoid(real_logit)),
        "metrics/d_generated": step.mean(tf.sigmoid(generated_logit)),
        "metrics/gate_open": step.mean(tf.where(opened, 1.0, 0.0) * tf.ones_like(real_logit)),
        "metrics/gradient_discriminator": tf.linalg.global_norm(d_gradients) / replicas,
        "metrics/gradient_generator": tf.linalg.global_norm(g_gradients) / replicas,
    }


def _build_ali(latent_size, config, store):
    encoder = model.ali_encoder(latent_size, config.ali_width)
    generator = model.ali_generator(latent_size, config.ali_width)
    discriminator = model.ali_discriminator(latent_size, config.ali_width,
                                            normalize=config.discriminator_normalization)  # fmt: skip
    rate, beta_1 = config.ali_learning_rate, config.ali_beta_1
    optimizers = {
        "generator": _adam(rate, encoder.trainable_variables + generator.trainable_variables, beta_1),
        "discriminator": _adam(rate, discriminator.trainable_variables, beta_1),
    }
    networks = {"encoder": encoder, "generator": generator, "discriminator": discriminator}
    return training.Learner(networks, optimizers)


def _ali_stages(latent_size, config, store, seed):
    def start(images, part, batches):
        if config.pixel_bias == "zeros":
            return None
        mean = np.mean(images[part[0][batches.indices(0)]], axis=0)
        return lambda learner: learner.networks["generator"].get_layer("pixel_bias").bias.assign(losses.log_odds(mean))

    def validate(images, part, batches):
        latents = np.float32(np.random.default_rng(0).normal(size=(WATCHED_LATENTS, latent_size)))
        of_data = probes.mean_distance(images[np.unique(part[0])[:WATCHED_LATENTS]])

        def watch(learner):
            generated = learner.networks["generator"](latents, training=False)
            return {"metrics/spread_of_generated": probes.mean_distance(generated) / max(of_data, 1e-12)}

        return watch

    def step(steps_per_epoch):
        return functools.partial(ali_step, config=config, steps_per_epoch=steps_per_epoch)

    return _stages(config, store, seed, "crop", config.ali_epochs, config.ali_batch_sizes, step, _read_images,
                   log_every=config.ali_log_every, start=start, validate=validate)  # fmt: skip


def _models():
    made = {}
    for r in REPRESENTATIONS:
        for kind in ("ff", "cnn", "lstm"):
            build = functools.partial(_build_classifier, kind, r)
            stages = functools.partial(_classifier_stages, kind, r)
            # The program's LSTM input mixes the examples of a batch.
            made[f"{kind}-{r}"] = training.Model(build, stages, single_replica=kind == "lstm")
        for kind in ("ae", "cae"):
            stages = functools.partial(_autoencoder_stages, r, kind == "cae")
            made[f"{kind}-{r}"] = training.Model(functools.partial(_build_autoencoder, r), stages)
        build = functools.partial(_build_vae, r)
        made[f"vae-{r}"] = training.Model(build, functools.partial(_vae_stages, r), may_diverge=True)
    for r in ("chroma", "mfcc"):  # the program's one hidden layer, not in the paper
        build = functools.partial(_build_classifier, "perceptron", r)
        made[f"perceptron-{r}"] = training.Model(build, functools.partial(_classifier_stages, "perceptron", r))
    for kind in ("ff", "encoder"):
        build = functools.partial(_build_classifier, kind, "crop")
        made[f"{kind}-32"] = training.Model(build, functools.partial(_classifier_stages, kind, "crop"))
    for size in LATENT_SIZES:
        build, stages = functools.partial(_build_ali, size), functools.partial(_ali_stages, size)
        made[f"ali-{size}"] = training.Model(build, stages, may_diverge=True)
    return made


MODELS = _models()


def jobs(config):
    """What a run trains, in order: {directory name: (Model, config)}."""
    return {name: (trained, config) for name, trained in MODELS.items()}


def train(config, store, run, only=None):
    """Train the models that this preset asks of this mode, or `only` one, each going on from its last checkpoint."""
    chosen = settings.trained_models(run.follow, run.preset)
    training.train_all({name: job for name, job in jobs(config).items() if name in chosen}, store, run, only)


if __name__ == "__main__":
    scripts.run_training(OPTIONS, settings, preprocess, jobs)
