"""Training in 16 bits: which layers multiply so, and the scale that keeps float16's gradients from vanishing.

Weights, sums, normalisations, layers of the papers' own, what networks return and losses stay in float32.
"""

from typing import Any

import keras
import tensorflow as tf
from keras import layers

PRODUCTS = (layers.Dense, layers.Conv1D, layers.Conv2D, layers.Conv1DTranspose, layers.Conv2DTranspose, layers.LSTM,
            layers.GRU)
BETWEEN = (layers.Activation, layers.ReLU, layers.LeakyReLU, layers.ELU, layers.Reshape, layers.Flatten, layers.Permute,
           layers.ZeroPadding1D, layers.ZeroPadding2D, layers.MaxPooling1D, layers.MaxPooling2D, layers.UpSampling1D,
           layers.UpSampling2D)  # they hand numbers on; the average of many would lose digits
FIRST_SCALE, GROWTH_STEPS = 2.0**15, 2000  # as in Keras' LossScaleOptimizer


def apply(precision: str, learner: Any) -> None:
    """Let the layers of a built learner compute in 16 bits; with mixed_float16 it gets the variables of its scale."""
    if precision == "float32":
        return
    for network in learner.networks.values():
        _in_16_bits(network, precision)
    if precision == "mixed_float16":
        for name, value in (("loss_scale", FIRST_SCALE), ("loss_scale_steps", 0.0)):
            learner.variables[name] = tf.Variable(value, trainable=False, dtype=tf.float32,
                                                  aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA)


def _in_16_bits(network: keras.Model, precision: str) -> None:
    """All its layers that multiply and those between, but those that give what it returns."""
    ends = set().union(*(_ends(tensor) for tensor in network.outputs))
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            _in_16_bits(layer, precision)
        if id(layer) in ends:
            continue
        both = (layer.forward_layer, layer.backward_layer) if isinstance(layer, layers.Bidirectional) else (layer,)
        for one in both:
            if isinstance(one, PRODUCTS + BETWEEN):
                one.dtype_policy = precision
                if hasattr(one, "cell"):
                    one.cell.dtype_policy = precision


def _ends(tensor: Any) -> set[int]:
    """The layers whose results make a tensor, by identity; operations that are no layers are looked through."""
    operation, node, _ = tensor._keras_history
    if isinstance(operation, layers.Layer):
        return {id(operation)}
    return set().union(*(_ends(one) for one in operation._inbound_nodes[node].input_tensors))


class LossScale:
    """What losses are multiplied by on the way back, in one step, and whether all gradients of it were finite.

    After a step with one that was not, which changes no weight, the scale is halved; it doubles after `GROWTH_STEPS`.
    """

    def __init__(self, variables: dict[str, tf.Variable]) -> None:
        self.scale, self.steps = variables["loss_scale"], variables["loss_scale_steps"]
        self.now = tf.convert_to_tensor(self.scale)
        self.finite = tf.constant(True)

    def up(self, loss: tf.Tensor) -> tf.Tensor:
        """The same loss, whose gradients are scaled."""
        return _scaled(loss, self.now)

    def down(self, gradients: list | tuple) -> list:
        """The gradients without the scale; notes whether they are finite."""
        found = [None if one is None else tf.convert_to_tensor(one) / self.now for one in gradients]
        for one in found:
            if one is not None:
                self.finite = tf.logical_and(self.finite, tf.reduce_all(tf.math.is_finite(one)))
        return found

    def settle(self) -> None:
        """After the step: the scale and the count of steps for the next one."""
        steps = tf.where(self.finite, self.steps + 1.0, 0.0)
        grows = steps >= GROWTH_STEPS
        self.scale.assign(tf.where(self.finite, tf.where(grows, 2.0 * self.now, self.now),
                                   tf.maximum(1.0, self.now / 2.0)))
        self.steps.assign(tf.where(grows, 0.0, steps))


@tf.custom_gradient
def _scaled(value, scale):
    def gradient(upstream):
        return upstream * scale, None

    return tf.identity(value), gradient
