"""The networks of Symphony2vec, layer by layer as in the paper (sections 3.2 to 3.4, Tables 2 and 6).

Images are channels-last: (batch, bands, frames, 1) inside the networks. Classifiers return logits; the paper's final
softmax is part of the loss. `python -m papers.symphony2vec.model` prints every network as a table.
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import layers

from common.training import BatchNormalization, Dropout

# Table 2, one row per convolution: kernel, stride, zero padding and max pooling as (bands, frames); None: no pooling.
TABLE_2 = {
    "chroma": (
        {"filters": 5, "kernel": (2, 5), "stride": (2, 1), "padding": (6, 1), "pool": (1, 2)},
        {"filters": 10, "kernel": (2, 4), "stride": (2, 2), "padding": (6, 2), "pool": (1, 2)},
        {"filters": 10, "kernel": (2, 4), "stride": (2, 2), "padding": (6, 1), "pool": None},
    ),
    "mfcc": (
        {"filters": 5, "kernel": (4, 5), "stride": (1, 1), "padding": (1, 1), "pool": (1, 2)},
        {"filters": 10, "kernel": (2, 4), "stride": (2, 2), "padding": (6, 2), "pool": (1, 2)},
        {"filters": 10, "kernel": (2, 4), "stride": (2, 2), "padding": (6, 1), "pool": None},
    ),
    "mel": (
        {"filters": 5, "kernel": (4, 3), "stride": (2, 2), "padding": (1, 1), "pool": (1, 2)},
        {"filters": 10, "kernel": (4, 4), "stride": (2, 2), "padding": (1, 1), "pool": (1, 2)},
        {"filters": 10, "kernel": (3, 4), "stride": (2, 2), "padding": (1, 1), "pool": (2, 2)},
    ),
}


# The paper names no initialiser for the classifiers and autoencoders. This is the default of the authors' library:
# weights and biases uniform in +-1/sqrt(fan_in).
def _uniform(fan_in):
    limit = fan_in**-0.5
    return {
        "kernel_initializer": keras.initializers.RandomUniform(-limit, limit),
        "bias_initializer": keras.initializers.RandomUniform(-limit, limit),
    }


def dense(x: keras.KerasTensor, units: int, **options: Any) -> keras.KerasTensor:
    """A dense layer with the library's start."""
    return layers.Dense(units, **_uniform(x.shape[-1]), **options)(x)


def _batch_normalization(**options):
    # The library defaults of the authors' program (epsilon 1e-5, running share 0.1); statistics over the global batch.
    return BatchNormalization(epsilon=1e-5, momentum=0.9, **options)


# Section 3.2: naive classifiers


def feed_forward(shape: tuple[int, ...], hidden_units: tuple[int, ...] = (1024, 512, 256, 64),
                 classes: int = 5) -> keras.Model:
    """Feed-forward classifier (section 3.2): (batch, bands, frames) to logits (batch, classes)."""
    inputs = layers.Input(shape)
    x = layers.Flatten()(inputs)
    for units in hidden_units:
        x = layers.ReLU()(_batch_normalization()(dense(x, units)))
    return keras.Model(inputs, dense(x, classes), name="feed_forward")


def cnn(shape: tuple[int, ...], convolutions: tuple = TABLE_2["mel"], fully_connected: tuple[int, ...] = (120, 84),
        classes: int = 5) -> keras.Model:
    """CNN classifier (Table 2): (batch, bands, frames) to logits (batch, classes).

    Zero padding is explicit on both sides and pooling drops an odd last column. The flattened order is channel, band,
    frame.
    """
    inputs = layers.Input(shape)
    x = layers.Reshape((*shape, 1))(inputs)
    for row in convolutions:
        x = layers.ZeroPadding2D(row["padding"])(x)
        fan_in = x.shape[-1] * row["kernel"][0] * row["kernel"][1]
        x = layers.Conv2D(row["filters"], row["kernel"], row["stride"], **_uniform(fan_in))(x)
        x = layers.ReLU()(_batch_normalization()(x))
        if row["pool"]:
            x = layers.MaxPooling2D(row["pool"])(x)
    x = layers.Flatten()(layers.Permute((3, 1, 2))(x))
    for units in fully_connected:
        x = dense(x, units, activation="relu")
    return keras.Model(inputs, dense(x, classes), name="cnn")


class LSTMCell(layers.Layer):
    """An LSTM's step with two biases, on the input's and on the state's side, as in the authors' library.

    Their sum is all that the outputs depend on, but Adam moves each by a whole step.
    """

    def __init__(self, units: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.units, self.state_size, self.output_size = units, [units, units], units

    def build(self, input_shape: tuple) -> None:
        """Make the weights, uniform in +-1/sqrt(units); the four gates are input, forget, cell, output."""
        limit = self.units**-0.5
        for name, shape in (("kernel", (input_shape[-1],)), ("recurrent_kernel", (self.units,)), ("bias", ()),
                            ("recurrent_bias", ())):  # fmt: skip
            start = keras.initializers.RandomUniform(-limit, limit)
            setattr(self, name, self.add_weight(shape=(*shape, 4 * self.units), initializer=start, name=name))

    def call(self, x: keras.KerasTensor | tf.Tensor,
             states: Sequence[keras.KerasTensor | tf.Tensor]) -> tuple[keras.KerasTensor | tf.Tensor, list]:
        """One step: (output, states)."""
        hidden, cell = states
        gates = x @ self.kernel + self.bias + hidden @ self.recurrent_kernel + self.recurrent_bias
        begin, keep, new, out = keras.ops.split(gates, 4, axis=-1)
        cell = keras.ops.sigmoid(keep) * cell + keras.ops.sigmoid(begin) * keras.ops.tanh(new)
        hidden = keras.ops.sigmoid(out) * keras.ops.tanh(cell)
        return hidden, [hidden, cell]


def recurrent_layers(x: keras.KerasTensor, hidden_units: int = 5, depth: int = 2) -> keras.KerasTensor:
    """Two LSTM layers of five units (section 3.2): (batch, steps, bands) to the last hidden state (batch, units)."""
    for layer in range(depth):
        x = layers.RNN(LSTMCell(hidden_units), return_sequences=layer < depth - 1)(x)
    return x


def lstm(shape: tuple[int, ...], hidden_units: int = 5, classes: int = 5) -> keras.Model:
    """Many-to-one LSTM (section 3.2): chunks (batch, bands, 36) to logits (batch, classes).

    The paper does not say how five hidden values become class scores; a dense layer is the plain reading.
    """
    inputs = layers.Input(shape)
    x = recurrent_layers(layers.Permute((2, 1))(inputs), hidden_units)
    return keras.Model(inputs, dense(x, classes), name="lstm")


# Section 3.3: embedding baselines


def encoder(shape: tuple[int, ...], hidden_units: tuple[int, ...] = (1024, 512, 256, 128),
            code_size: int = 40) -> keras.Model:
    """Encoder of AE and CAE (section 3.3): (batch, bands, frames) to a linear code (batch, code_size).

    The VAE's encoder is the same with twice the code: mean and log variance.
    """
    inputs = layers.Input(shape)
    x = layers.Flatten()(inputs)
    for units in hidden_units:
        x = dense(x, units, activation="relu")
    return keras.Model(inputs, dense(x, code_size), name="encoder")


def decoder(shape: tuple[int, ...], hidden_units: tuple[int, ...] = (128, 256, 512, 1024), code_size: int = 40,
            activation: str = "tanh") -> keras.Model:
    """Decoder of AE and CAE (tanh), section 3.3: (batch, code_size) to (batch, *shape).

    The VAE's is the same with a linear output: the logit, whose sigmoid is part of the loss.
    """
    inputs = x = layers.Input((code_size,))
    for units in hidden_units:
        x = dense(x, units, activation="relu")
    x = dense(x, shape[0] * shape[1], activation=activation)
    return keras.Model(inputs, layers.Reshape(shape)(x), name="decoder")


# Section 3.4, Table 6: adversarially learned inference. Convolutions have no padding; all but the last of a network
# are followed by batch normalisation where `normalize` says so, and by a leaky ReLU.
def _rows(*rows, bias=False, normalize=True):
    return tuple({"maps": maps, "kernel": kernel, "stride": stride, "bias": bias, "normalize": normalize}
                 for maps, kernel, stride in rows)  # fmt: skip


TABLE_6 = {
    "encoder": _rows((32, 5, 1), (64, 4, 2), (128, 4, 1), (256, 4, 2), (512, 4, 1), (512, 1, 1)),
    "generator": _rows((256, 4, 1), (128, 4, 2), (64, 4, 1), (32, 4, 2), (32, 5, 1), (32, 1, 1)),  # transposed
    "discriminator_image": _rows((32, 5, 1), bias=True, normalize=False)
    + _rows((64, 4, 2), (128, 4, 1), (256, 4, 2), (512, 4, 1), normalize=False),
    "discriminator_latent": _rows((512, 1, 1), (512, 1, 1), normalize=False),
    "discriminator_joint": _rows((1024, 1, 1), (1024, 1, 1), bias=True, normalize=False),
}
WIDTH = 32  # maps of the first layer in Table 6


# Section 3.4: weights N(0, 0.02), those of batch normalisation N(1, 0.02), biases 0.
def _normal(deviation):
    return keras.initializers.RandomNormal(0.0, deviation)


def ali_normalization() -> keras.layers.Layer:
    """Batch normalisation as ALI has it: weights N(1, 0.02)."""
    return _batch_normalization(gamma_initializer=keras.initializers.RandomNormal(1.0, 0.02))


def ali_encoder(latent_size: int = 128, width: int = WIDTH, slope: float = 0.01,
                deviation: float = 0.02) -> keras.Model:
    """Encoder of ALI (Table 6): crops (batch, 32, 32, 1) to (batch, 2 * latent_size): mean and log deviation of z.

    `width` is the number of maps of the first layer; the others keep their ratio to it. `deviation`: of the weights at
    the start.
    """
    inputs = x = layers.Input((32, 32, 1))
    for row in TABLE_6["encoder"]:
        x = layers.Conv2D(row["maps"] * width // WIDTH, row["kernel"], row["stride"], use_bias=False,
                          kernel_initializer=_normal(deviation))(x)  # fmt: skip
        x = layers.LeakyReLU(slope)(ali_normalization()(x))
    x = layers.Conv2D(2 * latent_size, 1, kernel_initializer=_normal(deviation))(x)
    return keras.Model(inputs, layers.Flatten()(x), name="ali_encoder")


class PixelBias(layers.Layer):
    """One trainable bias per pixel of the generated image, before the sigmoid (in the authors' program; ALI, 2017)."""

    def build(self, input_shape: tuple) -> None:
        """Make the bias, of the image's shape without the batch axis."""
        self.bias = self.add_weight(shape=input_shape[1:], initializer="zeros", name="bias")

    def call(self, x: keras.KerasTensor | tf.Tensor) -> keras.KerasTensor | tf.Tensor:
        """Add it."""
        return x + self.bias


def ali_generator(latent_size: int = 128, width: int = WIDTH, slope: float = 0.01, activation: str = "sigmoid",
                  deviation: float = 0.02) -> keras.Model:
    """Generator of ALI (Table 6): latents (batch, latent_size) to crops (batch, 32, 32, 1) in (0, 1)."""
    inputs = layers.Input((latent_size,))
    x = layers.Reshape((1, 1, latent_size))(inputs)
    for row in TABLE_6["generator"]:
        x = layers.Conv2DTranspose(row["maps"] * width // WIDTH, row["kernel"], row["stride"], use_bias=False,
                                   kernel_initializer=_normal(deviation))(x)  # fmt: skip
        x = layers.LeakyReLU(slope)(ali_normalization()(x))
    x = layers.Conv2DTranspose(1, 1, use_bias=False, kernel_initializer=_normal(deviation))(x)
    x = PixelBias(name="pixel_bias")(x)
    return keras.Model(inputs, layers.Activation(activation)(x), name="ali_generator")


def _channel_dropout(x, rate, name):
    # Whole feature maps are dropped: one draw per example and channel. The draw is keyed by the layer's name.
    mask = Dropout(rate, name=name)(keras.ops.ones_like(x[:, :1, :1, :]))
    return x * mask


def ali_discriminator(latent_size: int = 128, width: int = WIDTH, slope: float = 0.01, dropout: float = 0.2,
                      normalize: bool = False, deviation: float = 0.02, convolution: Callable = layers.Conv2D,
                      normalization: Callable = ali_normalization) -> keras.Model:  # fmt: skip
    """Joint discriminator of ALI (Table 6): crop (batch, 32, 32, 1) and z (batch, latent_size) to a logit (batch,).

    Table 6 prints a leaky ReLU and dropout after the last layer; binary cross entropy needs a probability, so the
    last layer is linear here and its sigmoid is part of the loss. `normalize`: batch normalisation after the second to
    fifth convolution of the image; `convolution`, `normalization`: the layers to build with.
    """
    image, latent = layers.Input((32, 32, 1)), layers.Input((latent_size,))

    def branch(x, name):
        for number, row in enumerate(TABLE_6[f"discriminator_{name}"]):
            x = convolution(row["maps"] * width // WIDTH, row["kernel"], row["stride"], use_bias=row["bias"],
                            kernel_initializer=_normal(deviation))(x)  # fmt: skip
            if normalize and name == "image" and number:
                x = normalization()(x)
            x = _channel_dropout(layers.LeakyReLU(slope)(x), dropout, f"dropout_{name}_{number}")
        return x

    z = layers.Reshape((1, 1, latent_size))(latent)
    joint = layers.Concatenate()([branch(image, "image"), branch(z, "latent")])
    logit = convolution(1, 1, 1, kernel_initializer=_normal(deviation), name="final")(branch(joint, "joint"))
    return keras.Model([image, latent], layers.Reshape(())(logit), name="ali_discriminator")


def encoder_classifier(latent_size: int = 128, width: int = WIDTH, slope: float = 0.01, classes: int = 5,
                       deviation: float = 0.02) -> keras.Model:
    """Section 4: ALI's encoder with one more dense layer, crops (batch, 32, 32, 1) to logits (batch, classes)."""
    trunk = ali_encoder(latent_size, width, slope, deviation)
    return keras.Model(trunk.inputs, dense(trunk.outputs[0], classes), name="encoder_classifier")


def main() -> None:
    """Print every network with its layers, shapes and parameters (Tables 2 and 6)."""
    for representation, shape in (("chroma", (12, 431)), ("mfcc", (13, 431)), ("mel", (64, 431))):
        print(f"\n{representation} {shape[0]} x {shape[1]}")
        feed_forward(shape).summary(line_length=100)
        cnn(shape, TABLE_2[representation]).summary(line_length=100)
        lstm((shape[0], 36)).summary(line_length=100)
        encoder(shape).summary(line_length=100)
        decoder(shape).summary(line_length=100)
    for latent_size in (256, 128, 40):
        print(f"\nALI, latent dimension {latent_size}")
        ali_encoder(latent_size).summary(line_length=100)
        ali_generator(latent_size).summary(line_length=100)
        ali_discriminator(latent_size).summary(line_length=100)
    encoder_classifier().summary(line_length=100)


if __name__ == "__main__":
    main()
