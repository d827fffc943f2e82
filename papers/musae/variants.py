"""Other structures that divergences call for: the authors' program where it is not the paper.

Program: Andrea-V/MusAE@dfb9d06. Its graph joins all networks in one compiled model, so that every term of the loss
moves every network it touches; `joint_step` and `style_step` compute that, with the program's duplicates in the
variable list.
"""

import keras
import tensorflow as tf
from keras import layers

from papers.musae import losses, model

STYLE = 32  # the program's s_length
STYLE_PROBABILITY = 0.5  # its prior on s: independent coins
# How often the program's list of trainable variables names each network, in train_gm.py and in train.py.
TIMES = {"encoder": 3, "critic": 2, "decoder": 1}
STYLE_TIMES = {"encoder": 6, "critic": 2, "style_critic": 2, "decoder": 2}


def decoder_start(z, units):
    """One tanh layer shared by the four tracks (program, decoders.py), where eq. 11 has a linear one per track."""
    shared = layers.Dense(units, activation="tanh", name="start_shared")(z)
    return [shared] * len(model.TRACKS)


def style_encoder(steps, units=512, latent=512, style=STYLE, depth=3, low=-1.0):
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


def joint_adversarial(critic, z_prior, z_code, weight, penalty_weight, label=()):
    """The two adversarial terms of the joint loss, each (batch,): the critic's, and the one meant for the encoder.

    Both hold D(z_q) of one and the same code, with opposite signs: their sum is -D(z_p) + lambda GP, and nothing draws
    the encoder to the prior but the penalty's gradient through z_hat.
    """
    for_critic = losses.critic_loss(critic, z_prior, z_code, weight, penalty_weight, label)
    return for_critic, -losses.score(critic, z_code, label)


def apply_joint(learner, step, tape, loss, config, times):
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


def joint_step(learner, draws, step, config):
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


def style_step(learner, draws, step, config):
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
