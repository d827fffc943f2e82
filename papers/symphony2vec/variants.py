"""Structures that divergences call for: what the authors' program does where `model.py` is not enough."""

import keras
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

    def call(self, x):
        """Reinterpret one batch (batch, bands, steps)."""
        bands, steps = x.shape[1:]
        return ops.transpose(ops.reshape(x, (steps, -1, bands)), (1, 0, 2))

    def compute_output_shape(self, input_shape):
        """(batch, steps, bands)."""
        return (input_shape[0], input_shape[2], input_shape[1])


def lstm_reinterpreted(shape, hidden_units=5, classes=5):
    """The program's LSTM layout with the paper's dense head."""
    inputs = layers.Input(shape)
    x = model.recurrent_layers(ReinterpretedSteps()(inputs), hidden_units)
    return keras.Model(inputs, layers.Dense(classes)(x), name="lstm_reinterpreted")


def lstm_hidden_state(shape, hidden_units=5, classes=5):
    """The program's head: the last hidden state, each value in (-1, 1), is used as the logits."""
    inputs = layers.Input(shape)
    x = model.recurrent_layers(layers.Permute((2, 1))(inputs), max(hidden_units, classes))
    return keras.Model(inputs, x, name="lstm_hidden_state")


def lstm_program(shape, hidden_units=5, classes=5):
    """The program's LSTM: reinterpreted input and hidden state as logits."""
    inputs = layers.Input(shape)
    x = model.recurrent_layers(ReinterpretedSteps()(inputs), max(hidden_units, classes))
    return keras.Model(inputs, x, name="lstm_program")
