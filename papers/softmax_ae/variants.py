"""Other structures: shallow readings of the vanilla autoencoder, deeper plain classifiers (R11), other activations."""

import keras
import tensorflow as tf
from keras import layers


def wide_elu(x: keras.KerasTensor | tf.Tensor) -> keras.KerasTensor | tf.Tensor:
    """CELU with alpha 4: linear down to a few deviations of standardised data, so near to principal components."""
    return keras.activations.celu(x, 4.0)


def shallow_autoencoder(inputs: int = 500, bottleneck: int = 64, hidden: int = 256) -> keras.Model:
    """Section 4.2, "a single hidden layer in the encoder and decoder", reading 1: 500-256-64-256-500."""
    x = keras.Input((inputs,), name="x")
    h = layers.Dense(hidden, activation="sigmoid", name="encoder_1")(x)
    z = layers.Dense(bottleneck, activation="relu", name="z")(h)
    h = layers.Dense(hidden, activation="sigmoid", name="decoder_1")(z)
    return keras.Model(x, layers.Dense(inputs, activation="relu", name="x_hat")(h), name="shallow_autoencoder")


def single_hidden_autoencoder(inputs: int = 500, bottleneck: int = 64) -> keras.Model:
    """The same sentence, reading 2: the bottleneck is the only hidden layer, 500-64-500."""
    x = keras.Input((inputs,), name="x")
    z = layers.Dense(bottleneck, activation="relu", name="z")(x)
    return keras.Model(x, layers.Dense(inputs, activation="relu", name="x_hat")(z), name="single_hidden_autoencoder")


def plain_classifier(inputs: int = 500, depth: int = 1, hidden: int = 128, classes: int = 4) -> keras.Model:
    """A classifier with `depth` hidden tanh layers (sec. 5.1: "as we increased the number of hidden layers")."""
    x = h = keras.Input((inputs,), name="x")
    for i in range(depth):
        h = layers.Dense(hidden, activation="tanh", name=f"hidden_{i + 1}")(h)
    return keras.Model(x, layers.Dense(classes, name="logits")(h), name=f"plain_{depth}")
