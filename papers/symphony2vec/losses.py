"""The losses of Symphony2vec, per example: the training loop takes the mean over the global batch.

Each returns a tensor of shape (batch,).
"""

import math
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf


def cross_entropy(logits: tf.Tensor, labels: Sequence[int] | tf.Tensor) -> tf.Tensor:
    """Cross entropy (section 3.2) of logits (batch, classes) and integer labels (batch,)."""
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)


def double_softmax_cross_entropy(logits: tf.Tensor, labels: Sequence[int] | tf.Tensor) -> tf.Tensor:
    """The program's loss: the softmax output goes into a cross entropy that applies the softmax again.

    With five classes it lies in [ln(e + 4) - 1, ln(e + 4)] = [0.9048, 1.9048].
    """
    return cross_entropy(tf.nn.softmax(logits), labels)


def weight_decay(variables: list, factor: float) -> tf.Tensor:
    """Coupled weight decay: the term whose gradient is factor * w, for every trainable variable (section 3.2)."""
    return 0.5 * factor * tf.add_n([tf.reduce_sum(tf.square(variable)) for variable in variables])


def squared_error(x: tf.Tensor, x_hat: tf.Tensor) -> tf.Tensor:
    """Mean over the features of the squared error (section 3.3, AE)."""
    return tf.reduce_mean(tf.square(x - x_hat), axis=list(range(1, len(x.shape))))


def contractive_penalty(encoder: keras.Model, x: tf.Tensor) -> tf.Tensor:
    """Squared Frobenius norm of the encoder's Jacobian, [27] of section 3.3: sum over codes and inputs.

    The encoder is dense layers with ReLU between, so the Jacobian is the product of its matrices with the rows of
    inactive units left out; the first, large matrix enters through its Gram matrix.
    """
    dense = [layer for layer in encoder.layers if hasattr(layer, "kernel")]
    activity = tf.reshape(x, (tf.shape(x)[0], -1))
    masks = []
    for layer in dense[:-1]:
        activity = tf.nn.relu(activity @ layer.kernel + layer.bias)
        masks.append(tf.cast(activity > 0, x.dtype))
    # rows: d code / d (units of the layer), from the last layer down to the first hidden one
    rows = tf.transpose(dense[-1].kernel)[None] * masks[-1][:, None]
    for layer, mask in zip(reversed(dense[1:-1]), reversed(masks[:-1]), strict=True):
        rows = (rows @ tf.transpose(layer.kernel)[None]) * mask[:, None]
    gram = tf.matmul(dense[0].kernel, dense[0].kernel, transpose_a=True)
    return tf.reduce_sum((rows @ gram[None]) * rows, axis=(1, 2))


def program_penalty(encoder: keras.Model, x: tf.Tensor) -> tf.Tensor:
    """The program's penalty: root of the absolute gradient of the summed code, over the whole batch; a scalar.

    It is taken by a backward pass that keeps no graph, so it changes the printed loss and no weight.
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        code = tf.reduce_sum(encoder(x, training=True))
    return tf.stop_gradient(tf.sqrt(tf.reduce_sum(tf.abs(tape.gradient(code, x)))))


def bernoulli_likelihood(x: tf.Tensor, logit: tf.Tensor) -> tf.Tensor:
    """Negative log likelihood of a Bernoulli (section 3.3, sigmoid output), from the logit, summed over the features.

    For targets outside [0, 1], as z-scores are, it has no lower bound.
    """
    return tf.reduce_sum(tf.nn.softplus(logit) - x * logit, axis=list(range(1, len(x.shape))))


@tf.custom_gradient
def _library_cross_entropy(logit, x):
    # The library's rule of 2019: log(1e-12) where a log's argument is exactly 0, and a gradient with 1e-12 in the
    # denominator, so that the pull on a logit dies away near -28, and beyond 16.7 in single precision. The sigmoid is
    # written out as there, since its last bit decides where 1 - p is 0.
    smallest = tf.constant(1e-12, logit.dtype)
    # TensorFlow's graphs divide by an approximate reciprocal, which never gives that 1.
    divisor = 1.0 + tf.exp(-logit)
    probability = tf.where(divisor == 1.0, tf.ones_like(logit), 1.0 / divisor)
    logs = [tf.math.log(tf.where(value == 0.0, smallest, value)) for value in (probability, 1.0 - probability)]

    def backward(upstream):
        denominator = (1.0 - probability + smallest) * (probability + smallest)
        return upstream * (probability - x) / denominator * probability * (1.0 - probability), None

    return -(x * logs[0] + (1.0 - x) * logs[1]), backward


def library_binary_cross_entropy(x: tf.Tensor, logit: tf.Tensor) -> tf.Tensor:
    """The VAE's reconstruction as the program's library computed it, summed over the features."""
    return tf.reduce_sum(_library_cross_entropy(logit, x), axis=list(range(1, len(x.shape))))


def gaussian_likelihood(x: tf.Tensor, x_hat: tf.Tensor) -> tf.Tensor:
    """Negative log likelihood of a Gaussian of deviation 1, summed over the features (a real-valued target's)."""
    features = math.prod(x.shape[1:])
    squared = tf.reduce_sum(tf.square(x - x_hat), axis=list(range(1, len(x.shape))))
    return 0.5 * (squared + features * math.log(2.0 * math.pi))


def kl_divergence(mean: tf.Tensor, log_variance: tf.Tensor) -> tf.Tensor:
    """KL divergence of N(mean, exp(log_variance)) from N(0, I), summed over the code ([15] of section 3.3)."""
    return -0.5 * tf.reduce_sum(1.0 + log_variance - tf.square(mean) - tf.exp(log_variance), axis=-1)


def vae_sample(mean: tf.Tensor, log_variance: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
    """z = mean + noise * exp(log_variance / 2), shapes (batch, code)."""
    return mean + noise * tf.exp(0.5 * log_variance)


def ali_sample(mean: tf.Tensor, log_deviation: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
    """z = mean + noise * exp(log_deviation): ALI's encoder gives the log of the deviation, not of the variance."""
    return mean + noise * tf.exp(log_deviation)


def ali_losses(real_logit: tf.Tensor, generated_logit: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Equation 1 for the discriminator, and the same with both labels swapped for encoder and generator.

    real_logit: discriminator on (x, G_z(x)); generated_logit: on (G_x(z), z). Returns (discriminator, generator).
    """
    discriminator = tf.nn.softplus(-real_logit) + tf.nn.softplus(generated_logit)
    generator = tf.nn.softplus(-generated_logit) + tf.nn.softplus(real_logit)
    return discriminator, generator


def gate_equilibrium(threshold: float) -> tuple[float, float, float]:
    """Where the program's gate holds the game: D(x), D(G(z)) and discriminator loss at generator loss = threshold."""
    generated = math.exp(-threshold / 2.0)
    return 1.0 - generated, generated, -2.0 * math.log(1.0 - generated)


def log_odds(mean_image: np.ndarray | tf.Tensor) -> tf.Tensor:
    """Log odds of a mean image clipped to [1e-7, 1 - 1e-7], in float32: the start of the generator's pixel bias."""
    clipped = tf.clip_by_value(tf.cast(mean_image, tf.float32), 1e-7, 1.0 - 1e-7)
    return tf.math.log(clipped / (1.0 - clipped))


def instance_noise_deviation(epoch: float | tf.Tensor, epochs: int = 50, start: float = 0.1) -> float | tf.Tensor:
    """Deviation of the noise the program adds to both images: falls linearly from `start` at epoch 0."""
    return start * (epochs - epoch) / epochs


# What each divergence that is another loss selects.
CLASSIFIER_LOSS = {"softmax": cross_entropy, "double_softmax": double_softmax_cross_entropy}
VAE_LIKELIHOOD = {"bernoulli": bernoulli_likelihood, "library_bernoulli": library_binary_cross_entropy,
                  "gaussian": gaussian_likelihood}  # fmt: skip
