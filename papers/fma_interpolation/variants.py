"""Other structures and losses that the divergences call for; the signatures are those of model.py and train.py."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from papers.fma_interpolation import model


def bottleneck_encoder(bands=512, frames=640, latent=256):
    """The program's encoder while it looked for the loss (e261498, 6b96f49): Dense 16 before two heads; 1,339,408."""
    image = keras.Input((bands, frames, 1))
    x = layers.Dense(16)(model.baseline_convolutions(image))
    return keras.Model(image, [layers.Dense(latent)(x), layers.Dense(latent)(x)], name="encoder")


def rnn_over_time(bands=512, frames=640, units=128, classes=model.GENRES):
    """The RNN with time as its axis, which is what the report says an RNN is for: 640 steps of 512 bands."""
    image = keras.Input((bands, frames, 1))
    sequence = layers.Permute((2, 1))(layers.Reshape((bands, frames))(image))
    return keras.Model(image, model.recurrent_head(sequence, units, classes), name="rnn")


def flipped_cross_entropy(image, output):
    """Cross-entropy with the wrong sign (program, 01a6466): minimising it drives the logits away from the image."""
    return -tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(labels=image, logits=output), axis=(1, 2, 3))


def swapped_cross_entropy(image, output):
    """Cross-entropy with logits = image and labels = output (program, e261498): linear in the output, so unbounded."""
    return tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(labels=output, logits=image), axis=(1, 2, 3))


def sampled_divergence(mean, log_variance, code):
    """log q(z|x) - log p(z) at the one code that was drawn, (batch,): the program's estimate of the divergence."""
    prior = -0.5 * tf.reduce_sum(tf.square(code) + np.log(2 * np.pi), axis=-1)
    squared = tf.square(code - mean) * tf.exp(-log_variance)
    posterior = -0.5 * tf.reduce_sum(squared + log_variance + np.log(2 * np.pi), axis=-1)
    return posterior - prior
