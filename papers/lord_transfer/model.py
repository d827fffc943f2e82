"""The four networks of semi-amortised LORD (sec. 2.1.1), layer by layer; nothing else.

Spectrogram images are (batch, bands, frames, channels) in [0, 1]. With the defaults the networks have 7,049,856
(content encoder), 256 per class (class embedding), 526,336 (class modulation) and 78,555,265 (generator) parameters.
The filter counts and dense widths are those of LORD (avivga/lord model/network.py); the paper prints the rest.
LeakyReLU has Keras's slope of 0.3, convolutions are padded to the same size, kernels are Glorot-uniform.

The paper's Gaussian noise on the content code is not a layer here: `train.content_noise` draws it from (seed, step).
"""

import keras
import tensorflow as tf
from keras import layers


def content_encoder(shape: tuple[int, int, int] = (128, 128, 1), content_dim: int = 128, filters: int = 64,
                    units: int = 256, first_kernel: int = 7, kernel: int = 4) -> keras.Model:
    """Image (batch, *shape) -> content code (batch, content_dim); sec. 2.1.1.1.

    `filters` is the width of the first convolution; the next four have 2, 4, 4 and 4 times as many.
    """
    image = keras.Input(shape, name="image")
    x = layers.Conv2D(filters, first_kernel, padding="same")(image)
    x = layers.LeakyReLU(negative_slope=0.3)(x)
    for times in (2, 4, 4, 4):
        x = layers.Conv2D(times * filters, kernel, strides=2, padding="same")(x)
        x = layers.LeakyReLU(negative_slope=0.3)(x)
    x = layers.Flatten()(x)
    for _ in range(2):
        x = layers.Dense(units)(x)
        x = layers.LeakyReLU(negative_slope=0.3)(x)
    return keras.Model(image, layers.Dense(content_dim)(x), name="content_encoder")


def class_embedding(classes: int, class_dim: int = 256) -> keras.Model:
    """Class index (batch,) -> class code (batch, class_dim), one free vector per class; sec. 2.1.1.2."""
    index = keras.Input((), dtype="int32", name="class_index")
    return keras.Model(index, layers.Embedding(classes, class_dim)(index), name="class_embedding")


def class_modulation(class_dim: int = 256, adain_layers: int = 4, adain_dim: int = 256) -> keras.Model:
    """Class code (batch, class_dim) -> AdaIN parameters (batch, adain_layers, adain_dim, 2); sec. 2.1.1.3.

    One linear layer of 2 * adain_dim units per AdaIN layer. The reshape interleaves: in each, even units are the
    offsets (last index 0) and odd units the scales (last index 1).
    """
    code = keras.Input((class_dim,), name="class_code")
    parameters = [layers.Dense(2 * adain_dim)(code) for _ in range(adain_layers)]
    parameters = layers.Concatenate()(parameters) if adain_layers > 1 else parameters[0]
    return keras.Model(code, layers.Reshape((adain_layers, adain_dim, 2))(parameters), name="class_modulation")


@keras.saving.register_keras_serializable("lord_transfer")
class AdaptiveInstanceNormalization(layers.Layer):
    """Eq. 6: each channel is standardised over the image, then scaled and shifted by the class's parameters.

    The printed sigma(y) and mu(y) are not statistics of the class: they are the learned outputs of the modulation.
    Variance is the population's and 1e-7 is added to the standard deviation, as in the program of LORD.
    """

    def call(self, content: keras.KerasTensor | tf.Tensor,
             parameters: keras.KerasTensor | tf.Tensor) -> keras.KerasTensor | tf.Tensor:
        """Content (batch, height, width, channels), parameters (batch, channels, 2) -> shape of content."""
        offset = parameters[:, None, None, :, 0]
        scale = parameters[:, None, None, :, 1]
        mean, variance = keras.ops.moments(content, axes=[1, 2], keepdims=True)
        # AdaIN(c, y) = sigma(y) (c - mu(c)) / sigma(c) + mu(y)
        return scale * (content - mean) / (keras.ops.sqrt(variance) + 1e-7) + offset


def generator(shape: tuple[int, int, int] = (128, 128, 1), content_dim: int = 128, adain_layers: int = 4,
              adain_dim: int = 256, dense_scale: int = 1, kernel: int = 3, last_filters: int = 64,
              last_kernels: tuple[int, ...] = (5, 7)) -> keras.Model:
    """Content code (batch, content_dim) and AdaIN parameters -> image (batch, *shape) in (0, 1); sec. 2.1.1.4.

    The first grid is shape / 2^adain_layers. `dense_scale` widens the first two dense layers (sec. 2.3.2, item 1).
    Raises ValueError when the image cannot be halved `adain_layers` times.
    """
    if any(size % 2**adain_layers for size in shape[:2]):
        raise ValueError(f"an image of {shape[0]} x {shape[1]} cannot be halved {adain_layers} times: "
                         "choose bands and frames that are multiples of 2^adain_layers")
    height, width = (size // 2**adain_layers for size in shape[:2])
    code = keras.Input((content_dim,), name="content_code")
    parameters = keras.Input((adain_layers, adain_dim, 2), name="adain_parameters")
    x = code
    for units in (adain_dim // 8 * dense_scale, adain_dim // 4 * dense_scale, adain_dim):
        x = layers.Dense(height * width * units)(x)
        x = layers.LeakyReLU(negative_slope=0.3)(x)
    x = layers.Reshape((height, width, adain_dim))(x)
    for index in range(adain_layers):
        x = layers.UpSampling2D(2)(x)
        x = layers.Conv2D(adain_dim, kernel, padding="same")(x)
        x = layers.LeakyReLU(negative_slope=0.3)(x)
        x = AdaptiveInstanceNormalization()(x, parameters[:, index])
    x = layers.Conv2D(last_filters, last_kernels[0], padding="same")(x)
    x = layers.LeakyReLU(negative_slope=0.3)(x)
    x = layers.Conv2D(shape[-1], last_kernels[1], padding="same")(x)
    return keras.Model([code, parameters], layers.Activation("sigmoid")(x), name="generator")
