"""The tracks' LSTMs in one loop: on a CPU four small products a step cost four times the calls of one."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from keras import layers


class SideBySide(layers.Layer):
    """LSTMs of equal size, one per track, each with weights, input and start of its own; the start is state and cell.

    inputs: one (batch, steps, features) per track; starts: one (batch, units) per track; returns one
    (batch, steps, units) per track. constant: every step of an input is equal (eq. 12), so one product serves all. On a
    GPU each LSTM runs by itself, as one CuDNN call; the numbers are the same to rounding.
    """

    def __init__(self, units: int, names: Sequence[str], constant: bool = False, **keywords: Any):
        super().__init__(**keywords)
        self.units, self.constant = units, constant
        self.lstms = [layers.LSTM(units, return_sequences=True, name=name) for name in names]

    def build(self, inputs_shape: list[tuple], starts_shape: list[tuple]) -> None:
        """Make each LSTM's weights."""
        for lstm, shape in zip(self.lstms, inputs_shape, strict=True):
            lstm.build(tuple(shape))

    def call(self, inputs: list[tf.Tensor], starts: list[tf.Tensor]) -> list[tf.Tensor]:
        """See the class."""
        if tf.config.list_logical_devices("GPU"):
            return [lstm(x, initial_state=[h, h]) for lstm, x, h in zip(self.lstms, inputs, starts, strict=True)]
        kernel, recurrent, bias = (
            tf.stack([tf.convert_to_tensor(getattr(lstm.cell, name)) for lstm in self.lstms])
            for name in ("kernel", "recurrent_kernel", "bias")
        )
        x = tf.stack(inputs)  # (tracks, batch, steps, features)
        steps = x.shape[2] or tf.shape(x)[2]
        if self.constant:
            projected = x[:, :, 0] @ kernel + bias[:, None]
        else:
            every = tf.einsum("kbtf,kfg->tkbg", x, kernel) + bias[:, None]
            projected = tf.TensorArray(tf.float32, steps).unstack(every)
        return tf.unstack(unroll(projected, recurrent, tf.stack(starts), steps))


def unroll(projected: tf.Tensor | tf.TensorArray, recurrent: tf.Tensor, start: tf.Tensor, steps: int) -> tf.Tensor:
    """Keras' LSTM equations for all tracks at once.

    projected: the gates' input (tracks, batch, 4 units), of every step alike, or a TensorArray of one a step;
    recurrent: (tracks, units, 4 units); start: (tracks, batch, units). Returns (tracks, batch, steps, units).
    """
    changing = isinstance(projected, tf.TensorArray)

    def goes_on(step, *state):
        return step < steps

    def advance(step, state, cell, states):
        x = projected.read(step) if changing else projected
        i, f, g, o = tf.split(x + state @ recurrent, 4, axis=-1)
        cell = tf.sigmoid(f) * cell + tf.sigmoid(i) * tf.tanh(g)
        state = tf.sigmoid(o) * tf.tanh(cell)
        return step + 1, state, cell, states.write(step, state)

    states = tf.TensorArray(tf.float32, steps)
    states = tf.while_loop(goes_on, advance, (0, start, start, states), maximum_iterations=steps)[3].stack()  # for XLA
    known = steps if isinstance(steps, int) else None
    return tf.transpose(tf.ensure_shape(states, (known, *start.shape)), [1, 2, 0, 3])
