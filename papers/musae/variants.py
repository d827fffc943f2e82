"""Other structures that divergences call for: the authors' program where it is not the paper, and Music VAE.

Program: Andrea-V/MusAE@dfb9d06. Its graph joins all networks in one compiled model, so that every term of the loss
moves every network it touches; `joint_step` and `style_step` compute that, with the program's duplicates in the
variable list.

Music VAE (Roberts et al. 2018, arXiv 1803.05428; program: magenta/models/music_vae), which Table 1 quotes: the same
encoder, a Gaussian's KL divergence instead of a critic, and decoders that read the tokens before each step.
"""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from common.training import Learner, Step
from papers.musae import data, losses, model
from papers.musae.config import Config

STYLE = 32  # the program's s_length
STYLE_PROBABILITY = 0.5  # its prior on s: independent coins
# How often the program's list of trainable variables names each network, in train_gm.py and in train.py.
TIMES = {"encoder": 3, "critic": 2, "decoder": 1}
STYLE_TIMES = {"encoder": 6, "critic": 2, "style_critic": 2, "decoder": 2}


def decoder_start(z: keras.KerasTensor, units: int) -> list[keras.KerasTensor]:
    """One tanh layer shared by the four tracks (program, decoders.py), where eq. 11 has a linear one per track."""
    shared = layers.Dense(units, activation="tanh", name="start_shared")(z)
    return [shared] * len(model.TRACKS)


def style_encoder(steps: int | None, units: int = 512, latent: int = 512, style: int = STYLE, depth: int = 3,
                  low: float = -1.0) -> keras.Model:
    """The encoder with the sigmoid head s (batch, style) of the program's Gaussian model (train.py, encoders.py).

    x (batch, steps, 130, 4) -> mu, log variance (batch, latent), s (batch, style).
    """
    x = keras.Input((steps, model.ALPHABET, len(model.TRACKS)), name="x")
    h = layers.Rescaling(1.0 - low, low)(layers.Reshape((-1, model.ALPHABET * len(model.TRACKS)))(x))
    h = model.bidirectional_stack(h, units, depth)
    s = layers.Dense(style, activation="sigmoid", name="s")(h)
    mu = layers.Dense(latent, name="mu")(h)
    log_variance = layers.Dense(latent, name="sigma")(h)
    return keras.Model(x, [mu, log_variance, s], name="encoder")


def joint_adversarial(critic: Callable, z_prior: tf.Tensor, z_code: tf.Tensor, weight: tf.Tensor, penalty_weight: float,
                      label: tuple = ()) -> tuple[tf.Tensor, tf.Tensor]:
    """The two adversarial terms of the joint loss, each (batch,): the critic's, and the one meant for the encoder.

    Both hold D(z_q) of one and the same code, with opposite signs: their sum is -D(z_p) + lambda GP, and nothing draws
    the encoder to the prior but the penalty's gradient through z_hat.
    """
    for_critic = losses.critic_loss(critic, z_prior, z_code, weight, penalty_weight, label)
    return for_critic, -losses.score(critic, z_code, label)


def apply_joint(learner: Learner, step: Step, tape: tf.GradientTape, loss: tf.Tensor, config: Config,
                times: Mapping[str, float]) -> None:
    """One update of all networks from one loss.

    times: how often the program's list of variables names each network. A variable named n times moves n times as far
    in the program, and counts n times in the norm that clipping sees.
    """
    names = list(times)
    variables = [v for name in names for v in learner.networks[name].trainable_variables]
    repeats = [float(times[name]) for name in names for _ in learner.networks[name].trainable_variables]
    gradients = tape.gradient(loss, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    gradients = losses.clip(step.reduce(gradients), config.clip_norm, config.clip_value, repeats)
    begin = 0
    for name in names:
        own = learner.networks[name].trainable_variables
        step.apply(learner.optimizers[name], gradients[begin : begin + len(own)], own, reduced=True)
        begin += len(own)


def joint_step(learner: Learner, draws: Any, step: Step, config: Config) -> dict[str, tf.Tensor]:
    """The program's update of the flower model (train_gm.py)."""
    encoder, decoder, critic = (learner.networks[name] for name in ("encoder", "decoder", "critic"))
    with tf.GradientTape() as tape:
        mu, log_variance = encoder(losses.one_hot(draws.tokens))
        z = mu + tf.exp(log_variance / 2.0) * draws.noise
        logits = decoder(z)
        entropy = losses.reconstruction(draws.tokens, logits)
        for_critic, for_encoder = joint_adversarial(
            critic, draws.prior, z, draws.weight, config.gradient_penalty, draws.label
        )
        loss = step.mean(tf.reduce_sum(entropy, axis=1) + draws.beta * (for_critic + for_encoder))
    apply_joint(learner, step, tape, loss, config, TIMES)
    return {"losses/total": loss, **losses.named(step, draws, entropy, logits, for_critic, for_encoder)}


def style_step(learner: Learner, draws: Any, step: Step, config: Config) -> dict[str, tf.Tensor]:
    """The program's update of the Gaussian model (train.py): codes z and s, a critic each, and a term that asks for s
    back.

    That last term feeds decoded probabilities, laid out track by track, to an encoder that expects them token by token.
    Here beta's clock starts one interval later than in the flower model.
    """
    encoder, decoder = learner.networks["encoder"], learner.networks["decoder"]
    critic, style_critic = learner.networks["critic"], learner.networks["style_critic"]
    coins = tf.cast(step.uniform("style", (STYLE,)) < STYLE_PROBABILITY, tf.float32)
    beta = losses.beta(config, step.index - config.beta_every)
    with tf.GradientTape() as tape:
        mu, log_variance, s = encoder(losses.one_hot(draws.tokens))
        z = mu + tf.exp(log_variance / 2.0) * draws.noise
        logits = decoder(tf.concat([s, z], axis=1))
        entropy = losses.reconstruction(draws.tokens, logits)
        for_critic, for_encoder = joint_adversarial(critic, draws.prior, z, draws.weight, config.gradient_penalty)
        style_weight = step.uniform("style weight")
        for_style_critic, for_style = joint_adversarial(style_critic, coins, s, style_weight, config.gradient_penalty)
        invented = tf.nn.softmax(decoder(tf.concat([coins, draws.prior], axis=1)), axis=2)
        by_track = tf.transpose(invented, [0, 1, 3, 2])
        unscaled = (tf.reshape(by_track, tf.shape(invented)) - config.input_low) / (1.0 - config.input_low)
        again = encoder(unscaled)[2]
        recovered = tf.reduce_mean(keras.losses.binary_crossentropy(coins[..., None], again[..., None]), axis=1)
        adversarial = for_critic + for_encoder + for_style_critic + for_style
        loss = step.mean(tf.reduce_sum(entropy, axis=1) + beta * adversarial + recovered)
    apply_joint(learner, step, tape, loss, config, STYLE_TIMES)
    named = losses.named(step, draws, entropy, logits, for_critic, for_encoder)
    return {
        "losses/total": loss,
        **named,
        "losses/style": step.mean(recovered),
        "losses/beta": step.mean(0 * recovered + beta),
    }


# Music VAE

NOTHING = model.ALPHABET  # the token before the first
# Bits that the KL divergence may take for nothing, and how its weight lags (Roberts et al. 2018): with 2 bars it rises
# as 1 - 0.99999^t, with 16 it is whole from the start.
FREE_BITS, KL_LAG = {2: 48.0, 16: 256.0}, {2: 0.99999, 16: 0.0}


def music_vae(units: int, latent: int, depth: int, hierarchical: bool) -> dict[str, keras.Model]:
    """Music VAE's decoder in parts, {name: network}; `music_vae_logits` and `inference.step_by_step` join them.

    flat: one LSTM stack of twice the units answers all four tracks and is fed z. hierarchical: a conductor turns z into
    a code for each bar, and a stack per track plays each bar from its code, without hearing the bar before.
    """
    tracks = list(range(len(model.TRACKS)))
    if not hierarchical:
        return _player(2 * units, latent, depth, [tracks])
    return {"conductor": _conductor(units, latent, depth)} | _player(units, latent, depth, [[k] for k in tracks])


def _conductor(units, latent, depth):
    """z (n, latent), zeros (n, bars, 1) -> a code for each bar (n, bars, latent)."""
    z, h = keras.Input((latent,), name="z"), (bars := keras.Input((None, 1), name="bars"))
    for k in range(depth):
        start = ops.split(layers.Dense(2 * units, "tanh", name=f"conductor_start_{k}")(z), 2, axis=1)
        h = layers.LSTM(units, return_sequences=True, name=f"conductor_{k}")(h, initial_state=start)
    return keras.Model([z, bars], layers.Dense(latent, name="bar_code")(h), name="conductor")


def _player(units, latent, depth, groups):
    """{"start": code (n, latent) -> states; "player": code, tokens before each step (n, T, 4), states -> logits
    (n, T, 130, 4), states after}, one LSTM stack for each group of tracks. States are one vector.

    Tokens are embedded as their LSTM is fed one-hot vectors: at 512 dimensions the same functions.
    """
    count = 2 * depth * len(groups)
    code, states = keras.Input((latent,), name="code"), keras.Input((count * units,), name="states")
    before = keras.Input((None, len(model.TRACKS)), name="before", dtype="int32")
    given, after, logits = iter(ops.split(states, count, axis=1)), [], {}
    for group in groups:
        heard = [layers.Embedding(NOTHING + 1, latent, name=f"{model.TRACKS[k]}_before")(before[:, :, k])
                 for k in group]  # fmt: skip
        h = layers.Concatenate()([*heard, ops.zeros_like(heard[0]) + ops.expand_dims(code, 1)])
        for k in range(depth):
            lstm = layers.LSTM(units, return_sequences=True, return_state=True, name=f"player_{group[0]}_{k}")
            h, *ends = lstm(h, initial_state=[next(given), next(given)])
            after += ends
        for track in group:
            logits[track] = layers.Dense(model.ALPHABET, name=f"{model.TRACKS[track]}_logits")(h)
    answers = [ops.stack([logits[track] for track in sorted(logits)], axis=3), ops.concatenate(after, axis=1)]
    start = layers.Dense(count * units, "tanh", name="start")(z := keras.Input((latent,), name="z"))
    return {"start": keras.Model(z, start, name="start"),
            "player": keras.Model([code, before, states], answers, name="player")}  # fmt: skip


def bar_codes(networks: dict[str, keras.Model], z: tf.Tensor, steps: int) -> tuple[tf.Tensor, int]:
    """What the player is fed: (codes (n, latent), steps that each of them is good for): z, or the conductor's bars."""
    if "conductor" not in networks:
        return z, steps
    bars = networks["conductor"]([z, tf.zeros([tf.shape(z)[0], steps // data.STEPS_PER_BAR, 1])])
    return tf.reshape(bars, [-1, bars.shape[2]]), data.STEPS_PER_BAR


def music_vae_logits(networks: dict[str, keras.Model], z: tf.Tensor, tokens: tf.Tensor) -> tf.Tensor:
    """Logits (n, T, 130, 4) of codes (n, latent), given before each step the true tokens (n, T, 4) of those before."""
    codes, steps = bar_codes(networks, z, tokens.shape[1])
    played = tf.reshape(tokens, [-1, steps, len(model.TRACKS)])
    before = tf.pad(played[:, :-1], [[0, 0], [1, 0], [0, 0]], constant_values=NOTHING)
    logits, _ = networks["player"]([codes, before, networks["start"](codes)])
    return tf.reshape(logits, [-1, *tokens.shape[1:2], model.ALPHABET, len(model.TRACKS)])


def divergence(mu: tf.Tensor, log_variance: tf.Tensor) -> tf.Tensor:
    """KL divergence of the code's Gaussian from N(0, I) in nats, (batch,)."""
    return 0.5 * tf.reduce_sum(tf.square(mu) + tf.exp(log_variance) - log_variance - 1.0, axis=1)


def music_vae_step(learner: Learner, draws: Any, step: Step, config: Config) -> dict[str, tf.Tensor]:
    """One update of Music VAE: cross-entropy, and the KL divergence beyond its free bits.

    Both per step of the window, as MusAE's cross-entropy is; gradients are clipped as MusAE's are.
    """
    networks, bars = learner.networks, draws.tokens.shape[1] // data.STEPS_PER_BAR
    weight = config.kl_weight * (1.0 - tf.pow(KL_LAG[bars], tf.cast(step.index, tf.float32)))
    with tf.GradientTape() as tape:
        mu, log_variance = networks["encoder"](losses.one_hot(draws.tokens))
        z = mu + tf.exp(log_variance / 2.0) * draws.noise
        logits = music_vae_logits(networks, z, draws.tokens)
        entropy = losses.reconstruction(draws.tokens, logits)
        nats = divergence(mu, log_variance)
        beyond = tf.maximum(nats - np.log(2.0) * FREE_BITS[bars], 0.0) / draws.tokens.shape[1]
        loss = step.mean(tf.reduce_sum(entropy, axis=1) + weight * beyond)
    variables = [v for name in sorted(networks) for v in networks[name].trainable_variables]
    gradients = losses.clip(step.reduce(tape.gradient(loss, variables)), config.clip_norm, config.clip_value)
    step.apply(learner.optimizers["autoencoder"], gradients, variables, reduced=True)
    return {
        "losses/total": loss,
        "losses/reconstruction": step.mean(tf.reduce_sum(entropy, axis=1)),
        "losses/divergence": step.mean(nats),
        "losses/beta": step.mean(0 * nats + weight),
        **losses.accuracies(step, draws.tokens, logits),
    }
