"""The paper's losses, equation by equation; each gives one number an example."""

import tensorflow as tf


def cross_entropy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Equation 1: -sum_j y_j log y_hat_j; labels (batch,) int, logits (batch, classes) -> (batch,)."""
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)


def reconstruction_sum(x: tf.Tensor, x_hat: tf.Tensor) -> tf.Tensor:
    """Equation 2: squared Euclidean norm of x - x_hat, both (batch, 500) -> (batch,)."""
    return tf.reduce_sum(tf.square(x - x_hat), axis=-1)


def reconstruction_mean(x: tf.Tensor, x_hat: tf.Tensor) -> tf.Tensor:
    """The program's form of equation 2: the mean over the 500 entries instead of the sum."""
    return tf.reduce_mean(tf.square(x - x_hat), axis=-1)


RECONSTRUCTION = {"mean": reconstruction_mean, "sum": reconstruction_sum}


def combined(reconstruction: tf.Tensor, classification: tf.Tensor, gamma: float,
             reconstruction_weight: float = 1.0) -> tf.Tensor:
    """Equation 3, with the sign of its second term set right: both losses are minimised."""
    return gamma * reconstruction_weight * reconstruction + (1 - gamma) * classification
