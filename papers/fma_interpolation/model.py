"""The networks of "Report for Music Interpolation", layer by layer as in its printed summaries.

The baseline autoencoder and the three genre classifiers are printed in the report; the Conv2D, Conv2D-inception and
Conv1D autoencoders stand there as headings only and are taken from the authors' program (see README.md). An image is
(bands, frames, 1) with values in [0, 1]. An encoder returns [mean, log_variance], each (batch, latent); a decoder
maps (batch, latent) to (batch, bands, frames, 1). Nothing here is compiled, trained or saved.
"""

import keras
from keras import layers, ops

from common.training import BatchNormalization, Dropout

GENRES = 8


# ---------------------------------------------------------------- 1) Baseline model

def baseline_encoder(bands: int = 512, frames: int = 640, latent: int = 32) -> keras.Model:
    """Experiments 1, "Encoder": 5,044,800 parameters. The last layer holds mean and log-variance side by side."""
    image = keras.Input((bands, frames, 1))
    x = baseline_convolutions(image)
    x = layers.Dense(2 * latent)(x)
    return keras.Model(image, ops.split(x, 2, axis=-1), name="encoder")


def baseline_convolutions(image: keras.KerasTensor) -> keras.KerasTensor:
    """The four strided convolutions and the flattening: (512, 640, 1) to 77,376."""
    x = image
    for filters in (32, 64, 64, 64):
        x = layers.Conv2D(filters, 3, strides=2, padding="valid", activation="relu")(x)
    return layers.Flatten()(x)


def baseline_decoder(bands: int = 512, frames: int = 640, latent: int = 32) -> keras.Model:
    """Experiments 1, "Decoder": 2,832,897 parameters. The output is linear (logits of the cross-entropy)."""
    code = keras.Input((latent,))
    x = layers.Dense(bands // 16 * (frames // 16) * 64, activation="relu")(code)
    x = layers.Reshape((bands // 16, frames // 16, 64))(x)
    for filters in (64, 64, 64, 32):
        x = layers.Conv2DTranspose(filters, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.Conv2DTranspose(1, 3, strides=1, padding="same")(x)
    return keras.Model(code, x, name="decoder")


# ---------------------------------------------------------------- 2) Conv2D and 3) Conv2D inception

def conv2d_encoder(bands: int = 512, frames: int = 640, latent: int = 4096,
                   filters: tuple[int, ...] = (32, 64, 128, 256), pools: tuple[int, ...] = (4, 4, 2), repeats: int = 2,
                   inception: bool = False) -> keras.Model:
    """Heading "2) Conv2D" (program, 1b0ba3d): 10,013,632 parameters; "3) Conv2D inception": 15,852,512 at one repeat.

    The last pooling of 8 is "valid": of 20 columns it keeps 16, so the last second of an excerpt reaches the code only
    through the receptive field of the convolutions.
    """
    unit = _inception_unit if inception else _convolution_unit
    image = keras.Input((bands, frames, 1))
    x = layers.Conv2D(filters[0], 1)(image)
    for stage, width in enumerate(filters):
        if stage > 0:
            x = layers.AveragePooling2D(pools[stage - 1])(x)
            x = _norm_relu(layers.Conv2D(width, 1)(x))
        for _ in range(repeats):
            x = unit(x, width, layers.Conv2D)
    x = layers.Flatten()(layers.AveragePooling2D(8)(x))
    return keras.Model(image, [layers.Dense(latent)(x), layers.Dense(latent)(x)], name="encoder")


def conv2d_decoder(bands: int = 512, frames: int = 640, latent: int = 4096,
                   filters: tuple[int, ...] = (32, 64, 128, 256), pools: tuple[int, ...] = (4, 4, 2), repeats: int = 2,
                   inception: bool = False) -> keras.Model:
    """Conv2D: 2,339,201 parameters; inception: 8,700,321. 4,096 latents go through 320 units; sigmoid at the end."""
    unit = _inception_unit if inception else _convolution_unit
    shrink = pools[0] * pools[1] * pools[2]
    code = keras.Input((latent,))
    x = layers.Dense(bands // shrink * (frames // shrink), activation="relu")(code)
    x = layers.Reshape((bands // shrink, frames // shrink, 1))(x)
    for stage in reversed(range(len(filters))):
        for _ in range(repeats):
            x = unit(x, filters[stage], layers.Conv2DTranspose)
        if stage > 0:
            pool = pools[stage - 1]
            x = _norm_relu(layers.Conv2DTranspose(filters[stage - 1], 1, strides=pool, padding="same")(x))
    x = layers.Conv2DTranspose(1, 1, activation="sigmoid")(x)
    return keras.Model(code, x, name="decoder")


def _convolution_unit(x, filters, convolution):
    return _norm_relu(convolution(filters, 3, padding="same")(x))


def _inception_unit(x, filters, convolution):
    """A 1x1 bottleneck, four parallel kernels on it, two max-poolings of the input; the six are added."""
    bottleneck = _norm_relu(convolution(filters, 1, padding="same")(x))
    branches = [_norm_relu(convolution(filters, size, padding="same")(bottleneck)) for size in (1, 3, 5, 7)]
    branches += [layers.MaxPooling2D(size, strides=1, padding="same")(x) for size in (3, 5)]
    return layers.Add()(branches)  # the first decoder unit broadcasts its one-channel input over the filters


def _norm_relu(x):
    return layers.ReLU()(BatchNormalization()(x))


# ---------------------------------------------------------------- 3) Conv1D

def conv1d_encoder(bands: int = 512, frames: int = 640, latent: int = 256,
                   filters: tuple[int, ...] = (512, 256, 128, 64), inception_filters: tuple[int, ...] = (32, 16, 8),
                   dense: int = 512) -> keras.Model:
    """Heading "3) Conv1D" (program, 3c5c932): 2,906,896 parameters. The mel bands are the channels along time."""
    image = keras.Input((bands, frames, 1))
    x = layers.Permute((2, 1))(layers.Reshape((bands, frames))(image))
    for width in filters:
        x = layers.Conv1D(width, 3, padding="same", activation="relu")(x)
    for width in inception_filters:
        branches = [
            layers.Conv1D(width, 1, padding="same")(x),
            layers.Conv1D(width, 3, padding="same")(layers.Conv1D(width, 1, padding="same")(x)),
            layers.Conv1D(width, 5, padding="same")(layers.Conv1D(width, 1, padding="same")(x)),
            layers.Conv1D(width, 1, padding="same")(layers.MaxPooling1D(3, strides=1, padding="same")(x)),
        ]
        x = layers.MaxPooling1D(2)(layers.Concatenate()(branches))
    x = layers.Dense(dense)(layers.Flatten()(x))
    return keras.Model(image, [layers.Dense(latent)(x), layers.Dense(latent)(x)], name="encoder")


def conv1d_decoder(bands: int = 512, frames: int = 640, latent: int = 256,
                   filters: tuple[int, ...] = (64, 128, 256)) -> keras.Model:
    """Conv1D: 1,845,184 parameters; three strided transposed convolutions over time, then one filter per mel band."""
    code = keras.Input((latent,))
    x = layers.Dense(frames // 8 * filters[0], activation="relu")(code)
    x = layers.Reshape((frames // 8, filters[0]))(x)
    for width in filters:
        x = layers.Conv1DTranspose(width, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.Conv1DTranspose(bands, 3, padding="same", activation="sigmoid")(x)
    return keras.Model(code, layers.Reshape((bands, frames, 1))(layers.Permute((2, 1))(x)), name="decoder")


# ---------------------------------------------------------------- Genre classifiers

def cnn_1(bands: int = 512, frames: int = 640, filters: int = 16, dense: int = 128,
          classes: int = GENRES) -> keras.Model:
    """CNN_1: 167,785,864 parameters, 99.99 % of them in the first dense layer. Returns (batch, 8) probabilities."""
    image = keras.Input((bands, frames, 1))
    x = image
    for _ in range(3):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
    x = Dropout(0.5, name="dropout")(layers.MaxPooling2D(2)(x))
    x = layers.Dense(dense, activation="relu")(layers.Flatten()(x))
    x = layers.Dense(64, activation="relu")(x)
    return keras.Model(image, layers.Dense(classes, activation="softmax")(x), name="cnn_1")


def cnn_2(bands: int = 512, frames: int = 640, time_stride: int = 4, classes: int = GENRES) -> keras.Model:
    """CNN_2: 2,119,991 parameters, which only valid 10x10 kernels with stride (1, 4) give.

    Maps of 503x158x3, 494x38x15, 485x8x65. The activations are not printed; ReLU and a softmax head are inferred.
    """
    image = keras.Input((bands, frames, 1))
    x = image
    for filters in (3, 15, 65):
        x = layers.Conv2D(filters, 10, strides=(1, time_stride), padding="valid", activation="relu")(x)
    return keras.Model(image, layers.Dense(classes, activation="softmax")(layers.Flatten()(x)), name="cnn_2")


def rnn(bands: int = 512, frames: int = 640, units: int = 128, classes: int = GENRES) -> keras.Model:
    """RNN: 569,088 parameters. As printed, it steps over the 512 mel bands and sees all frames of one band at once."""
    image = keras.Input((bands, frames, 1))
    return keras.Model(image, recurrent_head(layers.Reshape((bands, frames))(image), units, classes), name="rnn")


def recurrent_head(sequence: keras.KerasTensor, units: int = 128, classes: int = GENRES) -> keras.KerasTensor:
    """The layers of the RNN on a (steps, features) sequence."""
    x = layers.LSTM(units, return_sequences=True)(sequence)
    x = Dropout(0.5, name="dropout")(layers.LSTM(units, return_sequences=True)(x))
    for width in (64, 32, 16, 8):
        x = layers.TimeDistributed(layers.Dense(width, activation="relu"))(x)
    return layers.Dense(classes, activation="softmax")(layers.Flatten()(x))
