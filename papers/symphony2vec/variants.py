"""Structures that divergences call for: what the authors' program does where `model.py` is not enough."""

import functools

import keras
import tensorflow as tf
from keras import layers, ops

from papers.symphony2vec import model

# The mel-spectrogram CNN of the program: pooling (2, 2) after the second convolution, none after the third.
PROGRAM_TABLE_2 = model.TABLE_2 | {
    "mel": tuple(
        row | {"pool": pool} for row, pool in zip(model.TABLE_2["mel"], ((1, 2), (2, 2), None), strict=True)
    )
}


class ReinterpretedSteps(layers.Layer):
    """The program's LSTM input: the memory of (batch, bands, steps) read as (steps, batch, bands), not transposed.

    Every "sequence" of the result (batch, steps, bands) mixes examples of the batch.
    """

    def call(self, x: keras.KerasTensor | tf.Tensor) -> keras.KerasTensor | tf.Tensor:
        """Reinterpret one batch (batch, bands, steps)."""
        bands, steps = x.shape[1:]
        return ops.transpose(ops.reshape(x, (steps, -1, bands)), (1, 0, 2))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """(batch, steps, bands)."""
        return (input_shape[0], input_shape[2], input_shape[1])


def lstm_reinterpreted(shape: tuple[int, ...], hidden_units: int = 5, classes: int = 5) -> keras.Model:
    """The program's LSTM layout with the paper's dense head."""
    inputs = layers.Input(shape)
    x = model.recurrent_layers(ReinterpretedSteps()(inputs), hidden_units)
    return keras.Model(inputs, model.dense(x, classes), name="lstm_reinterpreted")


def lstm_hidden_state(shape: tuple[int, ...], hidden_units: int = 5, classes: int = 5) -> keras.Model:
    """The program's head: the last hidden state, each value in (-1, 1), is used as the logits."""
    inputs = layers.Input(shape)
    x = model.recurrent_layers(layers.Permute((2, 1))(inputs), max(hidden_units, classes))
    return keras.Model(inputs, x, name="lstm_hidden_state")


def lstm_program(shape: tuple[int, ...], hidden_units: int = 5, classes: int = 5) -> keras.Model:
    """The program's LSTM: reinterpreted input and hidden state as logits."""
    inputs = layers.Input(shape)
    x = model.recurrent_layers(ReinterpretedSteps()(inputs), max(hidden_units, classes))
    return keras.Model(inputs, x, name="lstm_program")


class LateConvolution(layers.Conv2D):
    """A convolution whose gradient with respect to its input uses the weights there are when it is taken.

    The program updates the discriminator, then sends the generator's gradient through it: activations from before the
    update, weights from after it.
    """

    def call(self, inputs: keras.KerasTensor | tf.Tensor) -> keras.KerasTensor | tf.Tensor:
        """Convolve without padding."""
        @tf.custom_gradient
        def convolve(x, kernel):
            return tf.nn.conv2d(x, kernel, self.strides, "VALID"), functools.partial(self._backward, x, kernel)

        y = convolve(inputs, tf.convert_to_tensor(self.kernel))
        return y + self.bias if self.use_bias else y

    def _backward(self, x, kernel, upstream):
        options = {"out_backprop": upstream, "strides": (1, *self.strides, 1), "padding": "VALID"}
        now = tf.convert_to_tensor(self.kernel)
        into_x = tf.raw_ops.Conv2DBackpropInput(input_sizes=tf.shape(x), filter=now, **options)
        return into_x, tf.raw_ops.Conv2DBackpropFilter(input=x, filter_sizes=tf.shape(kernel), **options)


class LateBatchNormalization(layers.BatchNormalization):
    """The same for batch normalisation: the gradient goes through the weights there are when it is taken."""

    def call(self, inputs: keras.KerasTensor | tf.Tensor,
             training: bool | None = None) -> keras.KerasTensor | tf.Tensor:
        """Normalise; only the gradient differs."""
        @tf.custom_gradient
        def scaled(y, before):
            return y, functools.partial(self._backward, before)

        before = tf.stop_gradient(tf.identity(tf.convert_to_tensor(self.gamma)))
        return scaled(super().call(inputs, training=training), before)

    def _backward(self, before, upstream):
        return upstream * tf.convert_to_tensor(self.gamma) / before, None


def late_normalization() -> keras.layers.Layer:
    """`LateBatchNormalization` with the settings of ALI's batch normalisation."""
    start = keras.initializers.RandomNormal(1.0, 0.02)
    return LateBatchNormalization(epsilon=1e-5, momentum=0.9, synchronized=True, gamma_initializer=start)


# The discriminator of the program's update order.
ali_discriminator_late = functools.partial(
    model.ali_discriminator, convolution=LateConvolution, normalization=late_normalization
)
