"""The losses of the autoencoders and of the loss hunt; each returns (batch,) from (batch, bands, frames, 1) images."""

import numpy as np
import tensorflow as tf

DECIBELS_OF_REFERENCE = 10 * np.log10(32768.0)


# ---------------------------------------------------------------- reconstruction

def squared_error(image: np.ndarray | tf.Tensor, output: np.ndarray | tf.Tensor) -> tf.Tensor:
    """Squared error summed over the pixels (sec. Baseline model, "mean squared entropy loss")."""
    return tf.reduce_sum(tf.square(image - output), axis=(1, 2, 3))


def cross_entropy(image: np.ndarray | tf.Tensor, logits: np.ndarray | tf.Tensor) -> tf.Tensor:
    """Sigmoid cross-entropy summed over the pixels (figure of sec. Our Approach; program, 584ade5)."""
    return tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(labels=image, logits=logits), axis=(1, 2, 3))


def flipped_cross_entropy(image: np.ndarray | tf.Tensor, output: np.ndarray | tf.Tensor) -> tf.Tensor:
    """Cross-entropy with the wrong sign (program, 01a6466): minimising it drives the logits away from the image."""
    return -cross_entropy(image, output)


def swapped_cross_entropy(image: np.ndarray | tf.Tensor, output: np.ndarray | tf.Tensor) -> tf.Tensor:
    """Cross-entropy with logits = image and labels = output (program, e261498): linear in the output, so unbounded."""
    return tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(labels=output, logits=image), axis=(1, 2, 3))


def decibel_cross_entropy(image: np.ndarray | tf.Tensor, logits: np.ndarray | tf.Tensor) -> tf.Tensor:
    """The same with decibels that were not normalised as its labels (-35 to 45), "values that range bigger than 1"."""
    return cross_entropy(80.0 * (image - 1.0) + DECIBELS_OF_REFERENCE, logits)


RECONSTRUCTION = {
    "squared_error": squared_error, "cross_entropy": cross_entropy, "flipped": flipped_cross_entropy,
    "swapped": swapped_cross_entropy, "decibels": decibel_cross_entropy,
}


def decoded(loss: str, output: np.ndarray | tf.Tensor) -> np.ndarray | tf.Tensor:
    """What a decoder's output shows as an image: cross-entropies work on logits, squared error on the output itself."""
    return output if loss in ("squared_error", "swapped") else tf.sigmoid(output)


# ---------------------------------------------------------------- divergence from the prior

def analytic_divergence(mean: tf.Tensor, log_variance: tf.Tensor, code: tf.Tensor | None) -> tf.Tensor:
    """KL(q(z|x) || N(0, 1)) of each example, (batch,); `code` is not needed."""
    return 0.5 * tf.reduce_sum(tf.exp(log_variance) + tf.square(mean) - 1.0 - log_variance, axis=-1)


def sampled_divergence(mean: tf.Tensor, log_variance: tf.Tensor, code: tf.Tensor) -> tf.Tensor:
    """log q(z|x) - log p(z) at the one code that was drawn, (batch,): the program's estimate of the divergence."""
    prior = -0.5 * tf.reduce_sum(tf.square(code) + np.log(2 * np.pi), axis=-1)
    squared = tf.square(code - mean) * tf.exp(-log_variance)
    posterior = -0.5 * tf.reduce_sum(squared + log_variance + np.log(2 * np.pi), axis=-1)
    return posterior - prior


DIVERGENCE = {"analytic": analytic_divergence, "sampled": sampled_divergence}
