"""Other structures that the divergences call for; the signatures are those of model.py."""

import keras
from keras import layers

from papers.fma_interpolation import model


def bottleneck_encoder(bands: int = 512, frames: int = 640, latent: int = 256) -> keras.Model:
    """The program's encoder while it looked for the loss (e261498, 6b96f49): Dense 16 before two heads; 1,339,408."""
    image = keras.Input((bands, frames, 1))
    x = layers.Dense(16)(model.baseline_convolutions(image))
    return keras.Model(image, [layers.Dense(latent)(x), layers.Dense(latent)(x)], name="encoder")


def rnn_over_time(bands: int = 512, frames: int = 640, units: int = 128, classes: int = model.GENRES) -> keras.Model:
    """The RNN with time as its axis, which is what the report says an RNN is for: 640 steps of 512 bands."""
    image = keras.Input((bands, frames, 1))
    sequence = layers.Permute((2, 1))(layers.Reshape((bands, frames))(image))
    return keras.Model(image, model.recurrent_head(sequence, units, classes), name="rnn")
