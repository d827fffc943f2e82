"""Train MusAE's three models: 2 bars with a Gaussian prior, 16 bars with it, and 16 bars with the flower (section 4.1).

    python -m papers.musae.train                        all three, on the demo corpus, as the paper says
    python -m papers.musae.train --model 16bar-flower --follow sound --data DIR --preset full

One update is the two phases of section 2.2: the critic learns to tell codes from the prior (eq. 4 to 6), then encoder
and decoder reconstruct while the encoder is drawn to the prior (eq. 3).
"""

from common import scripts
from papers.musae import config as settings

if __name__ == "__main__":
    parsed = scripts.training_options(settings, __doc__)  # before TensorFlow is loaded, so that --help is quick

import dataclasses
import random
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from common import splits, training
from common.record import Run
from common.store import Store
from common.training import Batches, Learner, Model, Stage, shuffled
from papers.musae import data, inference, losses, measures, model, preprocess, variants

tf.get_logger().setLevel("ERROR")  # a graph per network is meant; TensorFlow warns of every fifth
DECODER_START = {"per_track": model.decoder_start, "shared_tanh": variants.decoder_start}
WATCHED = 128  # held-out windows looked at while training
LEAD_IN_BARS = 2


class Draws(NamedTuple):
    """A batch with everything random about it.

    tokens after transposition; noise of the encoder; prior sample z_p; weight of the gradient penalty's mixture; genre
    label as a tuple of no or one tensor; beta.
    """

    tokens: tf.Tensor
    noise: tf.Tensor
    prior: tf.Tensor
    weight: tf.Tensor
    label: tuple
    beta: tf.Tensor


def draw(batch: dict[str, tf.Tensor], step: training.Step, config: settings.Config,
         placement: np.ndarray | None) -> Draws:
    """The random draws of one update; placement is None for the Gaussian prior."""
    shift = batch["shift"] if config.transposition == "frozen" else step.integers("transposition", (), -5, 7)
    label, petal = (), None
    if placement is not None:
        one_hot, rank = losses.draw_genre(batch["tags"], step.uniform("genre", (config.genres,)))
        petal = losses.petal_of(rank, placement, config.petals, step.integers("petal", (), 0, config.petals))
        label = (one_hot,) if config.conditional_critic else ()
    return Draws(
        tokens=losses.transpose(batch["tokens"], shift),
        noise=step.normal("encoder", (config.latent,)),
        prior=losses.prior_draw(config, step.normal("prior", (config.latent,)), petal),
        weight=step.uniform("mixture"),
        label=label,
        beta=losses.beta(config, step.index),
    )


def two_phase_step(learner: Learner, draws: Draws, step: training.Step,
                   config: settings.Config) -> dict[str, tf.Tensor]:
    """One update as sections 2.2 and 3 describe it. Losses of both phases, summed over the global batch and divided
    by it.
    """
    encoder, decoder, critic = (learner.networks[name] for name in ("encoder", "decoder", "critic"))
    with tf.GradientTape() as tape:
        mu, log_variance = encoder(losses.one_hot(draws.tokens))  # eq. 7 to 10
        z = mu + tf.exp(log_variance / 2.0) * draws.noise
        logits = decoder(z)  # eq. 11 to 13
        entropy = losses.reconstruction(draws.tokens, logits)
        # Regularisation phase: the critic alone, its codes fixed (eq. 4 to 6).
        with tape.stop_recording(), tf.GradientTape() as critic_tape:
            for_critic = losses.critic_loss(
                critic, draws.prior, tf.stop_gradient(z), draws.weight, config.gradient_penalty, draws.label
            )
            critic_loss = step.mean(draws.beta * for_critic if config.critic_scaled else for_critic)
        with tape.stop_recording():
            gradients = step.reduce(critic_tape.gradient(critic_loss, critic.trainable_variables))
            gradients = losses.clip(gradients, config.clip_norm, config.clip_value)
            step.apply(learner.optimizers["critic"], gradients, critic.trainable_variables, reduced=True)
        # Reconstruction phase: H(p_d, p_g) and the pull of the updated critic on the encoder (eq. 3).
        for_encoder = -losses.score(critic, z, draws.label)
        loss = step.mean(tf.reduce_sum(entropy, axis=1) + draws.beta * for_encoder)
    variables = encoder.trainable_variables + decoder.trainable_variables
    gradients = losses.clip(step.reduce(tape.gradient(loss, variables)), config.clip_norm, config.clip_value)
    step.apply(learner.optimizers["autoencoder"], gradients, variables, reduced=True)
    return {"losses/total": loss, **losses.named(step, draws, entropy, logits, for_critic, for_encoder)}


ADVERSARIAL = {"two_phases": two_phase_step, "joint": variants.joint_step}


def has_style(flower: bool, config: settings.Config) -> bool:
    """Whether a model has the program's branch s: only its Gaussian models do."""
    return config.style_branch and not flower


def adam(config: settings.Config, variables: list, times: float = 1) -> keras.optimizers.Optimizer:
    """Adam with Keras 2's decay: rate / (1 + decay t). Keras 3 accepts `decay=` and ignores it."""
    schedule = keras.optimizers.schedules.InverseTimeDecay(times * config.learning_rate, 1, config.decay)
    optimizer = keras.optimizers.Adam(schedule, epsilon=1e-7)
    optimizer.build(variables)
    return optimizer


def encoder(steps: int, config: settings.Config, made_by: Callable = model.encoder) -> keras.Model:
    """The encoder of a model for windows of `steps` steps; with a lead-in it takes short windows too."""
    sizes = {"units": config.encoder_units, "latent": config.latent, "depth": config.depth, "low": config.input_low}
    return made_by(None if config.updates_lead_in else steps, **sizes)


def networks(steps: int, flower: bool, config: settings.Config) -> dict[str, keras.Model]:
    """{name: network} of one model for windows of `steps` steps."""
    style, labelled = has_style(flower, config), flower and config.conditional_critic
    start, code = DECODER_START[config.decoder_start], config.latent + style * variants.STYLE
    found = {
        "encoder": encoder(steps, config, variants.style_encoder if style else model.encoder),
        "decoder": model.decoder(steps, config.decoder_units, code, config.depth, start),
        "critic": model.critic(config.critic_units, config.latent, config.genres if labelled else 0),
    }
    if style:
        found["style_critic"] = model.critic(config.critic_units, variants.STYLE)
    return found


def with_optimizers(networks: dict[str, keras.Model], flower: bool, config: settings.Config) -> Learner:
    """The learner: in the two phases one Adam for the autoencoder and one for the critic, else one a network."""
    style = has_style(flower, config)
    if config.adversarial == "two_phases" and not style:
        both = networks["encoder"].trainable_variables + networks["decoder"].trainable_variables
        critic = networks["critic"].trainable_variables
        return Learner(networks, {"autoencoder": adam(config, both), "critic": adam(config, critic)})
    # The program's variable list names the encoder 3 (6) times, critics 2, the decoder 1 (2): that many times its rate.
    times = variants.STYLE_TIMES if style else variants.TIMES
    return Learner(networks, {key: adam(config, n.trainable_variables, times[key]) for key, n in networks.items()})


def build(bars: int, flower: bool, config: settings.Config, store: Store) -> Learner:
    """Networks and optimizers of one model; with a lead-in also its decoder for the short windows, same weights."""
    lead_in = bars > LEAD_IN_BARS and config.updates_lead_in
    for _ in range(config.restart):
        keras.utils.set_random_seed(random.randrange(2**31))  # the next seed that follows from the run's
    found = networks(bars * data.STEPS_PER_BAR, flower, config)
    learner = with_optimizers(found, flower, config)
    if lead_in:
        found["short_decoder"] = model.of_length(found["decoder"], LEAD_IN_BARS * data.STEPS_PER_BAR)
    return learner


def build_music_vae(bars: int, hierarchical: bool, config: settings.Config, store: Store) -> Learner:
    """Networks and optimizer of Music VAE at MusAE's sizes (Roberts et al. 2018); they play windows of any length."""
    found = {"encoder": encoder(bars * data.STEPS_PER_BAR, config)}
    found |= variants.music_vae(config.decoder_units, config.latent, config.depth, hierarchical)
    variables = [v for name in sorted(found) for v in found[name].trainable_variables]
    own = dataclasses.replace(config, learning_rate=config.music_vae_rate)
    return Learner(found, {"autoencoder": adam(own, variables)})


def one_update(update: Callable, config: settings.Config, placement: np.ndarray | None, learner: Learner,
               batch: dict[str, tf.Tensor], step: training.Step) -> dict[str, tf.Tensor]:
    """The step function of a stage: `update` on the batch and its draws."""
    return update(learner, draw(batch, step, config, placement), step, config)


def lead_in_update(update: Callable, config: settings.Config, placement: np.ndarray | None, learner: Learner,
                   batch: dict[str, tf.Tensor], step: training.Step) -> dict[str, tf.Tensor]:
    """The same update on shorter windows, which the short decoder writes, without any pull to the prior."""
    networks = learner.networks
    if "short_decoder" in networks:
        networks = networks | {"decoder": networks["short_decoder"]}
    free = dataclasses.replace(config, beta_max=0.0, kl_weight=0.0)
    return one_update(update, free, placement, dataclasses.replace(learner, networks=networks), batch, step)


def stages(bars: int, flower: bool, config: settings.Config, store: Store, seed: int,
           update: Callable | None = None) -> list[Stage]:
    """All updates of one model; before them, where the preset asks for it, a lead-in on parts of its own windows.

    update: the step of the models; without it that of the divergences.
    """
    windows = data.windows(store, bars, config.shuffled_tags)
    train, held_out = data.split(config, windows)
    if not len(train) or not len(held_out):
        songs = len(np.unique(windows.song))
        raise training.TrainingError(
            f"{store.directory}: {len(windows)} windows of {bars} bars from {songs} songs are too few to split by "
            f"{config.split}; add MIDI files, or choose --split window"
        )
    placement = None
    if flower:
        placement = store.array("placement") if config.placement == "related" else np.arange(config.genres)
    update = update or (variants.style_step if has_style(flower, config) else ADVERSARIAL[config.adversarial])
    order = seed + 10_000 * config.restart
    batch_size = config.batch_size_16bar if bars == 16 and config.batch_size_16bar else config.batch_size
    batches = Batches(len(train), batch_size, partial(read, windows, train), shuffled(len(train), order))
    watched = windows.read(splits.sample(held_out, WATCHED, np.random.default_rng(0)))
    updates = config.updates_2bar if bars == 2 else config.updates_16bar
    found, step = [], partial(one_update, update, config, placement)
    if bars > LEAD_IN_BARS and config.updates_lead_in:
        short = data.shorter(windows, train, LEAD_IN_BARS)
        few = Batches(len(short), config.batch_size, short.read, shuffled(len(short), order))
        step_in = partial(lead_in_update, update, config, placement)
        found.append(Stage("lead-in", step_in, few, config.updates_lead_in, config.log_every))
    check = partial(validate, config, watched, placement)
    return [*found, Stage("train", step, batches, updates, config.log_every, check)]


def read(windows: data.Windows, rows: np.ndarray, places: np.ndarray) -> dict[str, np.ndarray]:
    """The batch at `places` among the windows `rows`."""
    return windows.read(rows[places])


def prior_sample(config: settings.Config, placement: np.ndarray | None, tags: np.ndarray, rng: np.random.Generator,
                 spread: float = 1.0) -> np.ndarray:
    """A draw of the prior (n, latent) for windows with these tags (n, genres), its deviation times `spread`. NumPy."""
    noise = tf.constant(spread * rng.normal(size=(len(tags), config.latent)), tf.float32)
    if placement is None:
        return noise.numpy()
    _, rank = losses.draw_genre(tf.constant(tags, tf.float32), tf.constant(rng.random(tags.shape), tf.float32))
    anywhere = tf.constant(rng.integers(0, config.petals, len(tags)), tf.int32)
    return np.asarray(losses.prior_draw(config, noise, losses.petal_of(rank, placement, config.petals, anywhere)))


def validate(config: settings.Config, batch: dict[str, np.ndarray], placement: np.ndarray | None,
             learner: Learner) -> dict[str, float]:
    """Cross-entropy, accuracy and the distance of the codes to the prior, on the watched held-out windows."""
    rng = np.random.default_rng(0)
    z = inference.encode(learner, batch["tokens"], rng)
    logits, tokens = inference.decode(learner, z, batch["tokens"]), tf.constant(batch["tokens"])
    wanted = prior_sample(config, placement, batch["tags"], rng)
    accuracy = losses.accuracy(tokens, logits).numpy().mean(axis=0)
    return {
        "validation/cross_entropy": float(tf.reduce_sum(losses.reconstruction(tokens, logits), axis=1).numpy().mean()),
        **{f"validation/accuracy_{track}": float(a) for track, a in zip(model.TRACKS, accuracy, strict=True)},
        "validation/distance_to_prior": measures.sliced_wasserstein(z[:, -config.latent :], wanted),
    }


def _model(bars, flower):
    return Model(partial(build, bars, flower), partial(stages, bars, flower))


def _music_vae(bars, hierarchical):
    step = partial(stages, bars, False, update=variants.music_vae_step)
    return Model(partial(build_music_vae, bars, hierarchical), step)


MODELS = {
    "2bar-gaussian": _model(2, False),
    "16bar-gaussian": _model(16, False),
    "16bar-flower": _model(16, True),
}
# Music VAE, which Table 1 quotes, on the same windows: name -> (Model, the model of MusAE that is compared with it).
MUSIC_VAE = {
    "2bar-musicvae-flat": (_music_vae(2, False), "2bar-gaussian"),
    "16bar-musicvae-flat": (_music_vae(16, False), "16bar-gaussian"),
    "16bar-musicvae-hierarchical": (_music_vae(16, True), "16bar-flower"),
}
# A model of the paper with other settings: name -> (model, what is set, what is multiplied). Controls of Q1: no pull
# to the prior at all, one Gaussian of the flower's scale instead of its petals, tags of other songs. The sweep of
# section 4.2: beta and the number of latent factors. And the same model from another start (section 4.1).
ABLATIONS = {
    "16bar-flower@beta-0": ("16bar-flower", {"beta_max": 0.0}, {}),
    "16bar-flower@one-petal": ("16bar-flower", {"petals": 1}, {}),
    "16bar-flower@shuffled-tags": ("16bar-flower", {"shuffled_tags": True}, {}),
    "2bar-gaussian@beta-0": ("2bar-gaussian", {"beta_max": 0.0}, {}),
    "2bar-gaussian@beta-tenfold": ("2bar-gaussian", {}, {"beta_step": 10, "beta_max": 10}),
    "2bar-gaussian@latent-quarter": ("2bar-gaussian", {}, {"latent": 0.25}),
    "2bar-gaussian@latent-sixteenth": ("2bar-gaussian", {}, {"latent": 0.0625}),
    "2bar-gaussian@other-start": ("2bar-gaussian", {"restart": 1}, {}),
}
FLOWERS = ("16bar-flower", *(name for name, (of, *_) in ABLATIONS.items() if of == "16bar-flower"))
BARS = {name: int(name.split("bar")[0]) for name in (*MODELS, *MUSIC_VAE, *ABLATIONS)}


def changed(config: settings.Config, values: dict, factors: dict) -> settings.Config:
    """The settings with some values set and others multiplied; a whole number stays one, of at least 1."""
    times = {field: getattr(config, field) * factor for field, factor in factors.items()}
    times = {field: max(1, round(v)) if isinstance(getattr(config, field), int) else v for field, v in times.items()}
    return dataclasses.replace(config, **values, **times)


def jobs(config: settings.Config) -> dict[str, tuple[Model, settings.Config]]:
    """{name: (Model, Config)} of a run: its models in the paper's order, Music VAE where it is measured, then their
    ablations if asked for.
    """
    table = {name: (entry, config) for name, entry in MODELS.items() if name in config.models}
    if config.music_vae == "measured":
        table |= {name: (entry, config) for name, (entry, beside) in MUSIC_VAE.items() if beside in config.models}
    for name, (of, *change) in ABLATIONS.items():
        if config.ablations and of in config.models:
            table[name] = (MODELS[of], changed(config, *change))  # type: ignore[arg-type]
    return table


def train(config: settings.Config, store: Store, run: Run) -> None:
    """Train every model of a run, each going on where it stopped."""
    training.train_all(jobs(config), store, run)


def main() -> None:
    """The script."""
    scripts.run_training(parsed, settings, preprocess, jobs)


if __name__ == "__main__":
    main()
