"""Training of Symphony2vec: one step and one list of stages per kind of model, MODELS, and the training script.

`python -m papers.symphony2vec.train --model ali-128 --follow code --seed 0` trains one model, without `--model` all
(sections 3.2 to 3.4).
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

from papers.symphony2vec import config as settings, preprocess

if __name__ == "__main__":  # options first: --help answers without TensorFlow
    from common import scripts

    OPTIONS = scripts.training_options(settings, __doc__)

import numpy as np
import tensorflow as tf

from common import probes, training
from common.record import Run
from common.store import Store
from papers.symphony2vec import data, hooks, learners, losses


def stage(number: int, made: training.Batches, step: Callable, epochs: int, log_every: int | None = None,
          **options: Any) -> training.Stage:
    """The stage in which part `number` of the training data is trained on, with a log line every epoch."""
    epoch = made.steps_per_epoch
    return training.Stage(f"part-{number + 1}", step, made, epochs * epoch, log_every or epoch, **options)


# Section 3.2: classifiers


def classifier_step(learner: training.Learner, batch: dict[str, tf.Tensor], step: training.Step,
                    loss: Callable[[tf.Tensor, tf.Tensor], tf.Tensor], decay: float) -> dict[str, tf.Tensor]:
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


def classifier_train_step(description: settings.Description, config: settings.Config) -> Callable:
    """`classifier_step` with the loss and weight decay of the settings."""
    _, decay = learners.rate_and_decay(description, config)
    loss = losses.CLASSIFIER_LOSS["double_softmax" if learners.softmax_twice(description, config) else "softmax"]
    return functools.partial(classifier_step, loss=loss, decay=decay)


def classifier_stages(description: settings.Description, config: settings.Config, store: Store,
                      seed: int) -> list[training.Stage]:
    """Ten epochs of each part; the LSTM's examples are pieces of 36 frames."""
    chunked, step = description.kind == "lstm", classifier_train_step(description, config)
    pieces = -(-learners.image_shape(config, description.representation)[1] // config.lstm_steps) - 1
    epochs = config.lstm_epochs if chunked else config.classifier_epochs
    stages = []
    for number, part in enumerate(data.parts(config, store, description.representation, seed)):
        read, examples = (part.read_pieces, pieces) if chunked else (part.read_labelled, 1)
        made = hooks.batches(number, part, read, config.batch_size, seed, examples)
        scores = functools.partial(hooks.test_scores, part, chunked, learners.softmax_twice(description, config))
        stages.append(stage(number, made, step, epochs, validate=scores))
    return stages


# Section 3.3: autoencoders


def autoencoder_step(learner: training.Learner, batch: dict[str, tf.Tensor], step: training.Step, penalty: str,
                     factor: float, decay: float) -> dict[str, tf.Tensor]:
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


def autoencoder_train_step(description: settings.Description, config: settings.Config) -> Callable:
    """`autoencoder_step` with the penalty and weight decay of the settings."""
    penalty = config.contractive_penalty if description.kind == "cae" else "none"
    return functools.partial(autoencoder_step, penalty=penalty, factor=config.contractive_factor,
                             decay=config.weight_decay)  # fmt: skip


def autoencoder_stages(description: settings.Description, config: settings.Config, store: Store,
                       seed: int) -> list[training.Stage]:
    """Ten epochs of each part."""
    step = autoencoder_train_step(description, config)
    return [stage(number, hooks.batches(number, part, part.read_images, config.batch_size, seed), step,
                  config.autoencoder_epochs)
            for number, part in enumerate(data.parts(config, store, description.representation, seed))]  # fmt: skip


def vae_step(learner: training.Learner, batch: dict[str, tf.Tensor], step: training.Step,
             likelihood: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]) -> dict[str, tf.Tensor]:
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


def vae_stages(description: settings.Description, config: settings.Config, store: Store,
               seed: int) -> list[training.Stage]:
    """A hundred epochs of each part; the program trains at a tenth of the rate from the sixth epoch on."""
    step = functools.partial(vae_step, likelihood=losses.VAE_LIKELIHOOD[config.vae_likelihood])
    stages = [stage(number, hooks.batches(number, part, part.read_images, config.batch_size, seed), step,
                    config.vae_epochs)
              for number, part in enumerate(data.parts(config, store, description.representation, seed))]  # fmt: skip
    if config.vae_schedule == "constant":
        return stages
    first, early = stages[0], min(5, config.vae_epochs) * stages[0].batches.steps_per_epoch
    later = dataclasses.replace(first.batches, order=functools.partial(hooks.order_after, first.batches.order, 5))
    slow = functools.partial(hooks.set_rate, 0.1 * config.vae_learning_rate)
    split = [
        dataclasses.replace(first, name="part-1-fast", steps=early),
        dataclasses.replace(first, name="part-1-slow", steps=first.steps - early, batches=later, start=slow),
    ]
    return [one for one in split + stages[1:] if one.steps]


# Section 3.4: ALI


def ali_step(learner: training.Learner, batch: dict[str, tf.Tensor], step: training.Step, config: settings.Config,
             steps_per_epoch: int) -> dict[str, tf.Tensor]:
    """One update of discriminator and of encoder with generator, both from the same forward pass.

    The program's gate leaves the discriminator as it is where the generator's loss is not below config.ali_gate.
    """
    x, latent_size = batch["x"], learner.networks["generator"].input_shape[-1]
    encoder, generator, discriminator = (learner.networks[name] for name in ("encoder", "generator", "discriminator"))
    epoch = tf.cast(step.index // steps_per_epoch, tf.float32)
    deviation = losses.instance_noise_deviation(epoch, config.ali_epochs, config.instance_noise)
    prior, noise = step.normal("prior", (latent_size,)), step.normal("posterior", (latent_size,))
    noises = [deviation * step.normal(name, x.shape[1:]) if config.instance_noise else 0.0
              for name in ("real", "generated")]  # fmt: skip
    with tf.GradientTape(persistent=True) as tape:
        generated = generator(prior, training=True)
        mean, log_deviation = tf.split(encoder(x, training=True), 2, axis=-1)
        z = losses.ali_sample(mean, log_deviation, noise)
        real_logit = discriminator([x + noises[0], z], training=True)
        generated_logit = discriminator([generated + noises[1], prior], training=True)
        d_loss, g_loss = (step.mean(loss) for loss in losses.ali_losses(real_logit, generated_logit))
        cost = g_loss
        if config.ali_reconstruction:  # an ablation: nothing in the game itself compares G(E(x)) with x
            rebuilt = generator(mean, training=True)
            cost += config.ali_reconstruction * step.mean(losses.squared_error(x, rebuilt))
    variables = {"encoder": encoder.trainable_variables, "generator": generator.trainable_variables}
    opened = step.reduce(g_loss) < config.ali_gate if config.ali_gate else tf.constant(True)
    d_gradients = step.reduce(tape.gradient(d_loss, discriminator.trainable_variables))
    step.apply(learner.optimizers["discriminator"], d_gradients, discriminator.trainable_variables, when=opened,
               reduced=True)
    # After that update: it matters to the layers of variants.ali_discriminator_late, the program's, and to no others.
    g_gradients = step.reduce(tape.gradient(cost, variables))
    del tape
    for name, gradients in g_gradients.items():
        step.apply(learner.optimizers[name], gradients, variables[name], reduced=True)
    replicas = tf.distribute.get_replica_context().num_replicas_in_sync  # logged values are summed over them
    return {
        "losses/discriminator": d_loss,
        "losses/generator": g_loss,
        "metrics/d_real": step.mean(tf.sigmoid(real_logit)),
        "metrics/d_generated": step.mean(tf.sigmoid(generated_logit)),
        "metrics/gate_open": step.mean(tf.where(opened, 1.0, 0.0) * tf.ones_like(real_logit)),
        "metrics/gradient_discriminator": tf.linalg.global_norm(d_gradients) / replicas,
        "metrics/gradient_generator": tf.linalg.global_norm(sum(g_gradients.values(), [])) / replicas,
    }


def ali_stages(description: settings.Description, config: settings.Config, store: Store,
               seed: int) -> list[training.Stage]:
    """Fifty epochs of each part, with the pixel bias started anew in each where the program's start is followed."""
    stages, sizes = [], config.ali_batch_sizes
    latents = np.float32(np.random.default_rng(0).normal(size=(hooks.WATCHED, description.latent_size)))
    for number, part in enumerate(data.parts(config, store, "crop", seed)):
        made = hooks.batches(number, part, part.read_images, sizes[min(number, len(sizes) - 1)], seed)
        step = functools.partial(ali_step, config=config, steps_per_epoch=made.steps_per_epoch)
        first = np.mean(part.read_images(made.indices(0))["x"], axis=0)
        start = functools.partial(hooks.start_pixel_bias, first) if config.pixel_bias == "log_odds" else None
        of_data = probes.mean_distance(part.images[np.unique(part.train)[:hooks.WATCHED]])
        stages.append(stage(number, made, step, config.ali_epochs, config.ali_log_every, start=start,
                            validate=functools.partial(hooks.watch, latents, of_data)))  # fmt: skip
    return stages


STAGES = {learners.classifier: classifier_stages, learners.autoencoder: autoencoder_stages, learners.vae: vae_stages,
          learners.ali: ali_stages}  # fmt: skip


def _model(one):
    build = learners.BUILD[one.kind]
    return training.Model(functools.partial(build, one), functools.partial(STAGES[build], one),
                          may_diverge=one.kind in ("vae", "ali"),
                          single_replica=one.kind == "lstm")  # the program's input mixes the examples of a batch


MODELS = {one.name: _model(one) for one in settings.MODELS.values() if one.kind != "pca"}


def jobs(config: settings.Config) -> dict[str, tuple[training.Model, settings.Config]]:
    """What can be trained, in order: {directory name: (Model, config)}; the ablations where they are asked for."""
    return {name: (trained, settings.MODELS[name].settings(config)) for name, trained in MODELS.items()
            if config.ablations or name not in settings.ABLATED}  # fmt: skip


def chosen(config: settings.Config, run: Run) -> dict[str, tuple[training.Model, settings.Config]]:
    """The jobs that this preset asks of this mode."""
    return {name: job for name, job in jobs(config).items() if name in settings.trained_models(run)}


def train(config: settings.Config, store: Store, run: Run, only: str | None = None) -> None:
    """Train the models that this preset asks of this mode, or `only` one, each going on from its last checkpoint."""
    training.train_all(chosen(config, run), store, run, only)


if __name__ == "__main__":
    scripts.run_training(OPTIONS, settings, preprocess, functools.partial(chosen, run=OPTIONS[0]))
