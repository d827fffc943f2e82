"""The reconstruction losses of sec. 2.3.3 and 2.3.1 (item 4a), per image; TensorFlow tensors in, (batch,) out.

Images are (batch, bands, frames, channels) in [0, 1].
"""

from collections.abc import Callable
from functools import lru_cache

import tensorflow as tf

from papers.lord_transfer import vgg
from papers.lord_transfer.config import Config, loss_terms, perceptual_state


def mean_squared_error(image: tf.Tensor, generated: tf.Tensor) -> tf.Tensor:
    """Sec. 2.3.3, item 1: mean of (x - y)^2 over an image."""
    return tf.reduce_mean(tf.square(image - generated), axis=[1, 2, 3])


def mean_absolute_error(image: tf.Tensor, generated: tf.Tensor) -> tf.Tensor:
    """Sec. 2.3.3, item 2: mean of |x - y| over an image."""
    return tf.reduce_mean(tf.abs(image - generated), axis=[1, 2, 3])


def cyclic_squared_error(angle: tf.Tensor, generated: tf.Tensor, period: float = 1.0) -> tf.Tensor:
    """Sec. 2.3.1, item 4a: mean squared distance on a circle of `period`; pi and -pi are the same angle."""
    difference = tf.math.floormod(tf.abs(angle - generated), period)
    return tf.reduce_mean(tf.square(tf.minimum(difference, period - difference)), axis=[1, 2, 3])


def decimated(image: tf.Tensor, size: int) -> tf.Tensor:
    """(batch, height, width, channels) -> (batch, size, size, channels) as TensorFlow 1 resized: no averaging."""
    return tf.compat.v1.image.resize_bilinear(image, (size, size))


def perceptual_error(features: Callable, image: tf.Tensor, generated: tf.Tensor, size: int = 0) -> tf.Tensor:
    """Sec. 2.3.3, item 4: mean absolute difference of features, averaged over layers, in units of 1/255.

    `features` is a network of `vgg.first_layer` or `vgg.five_layers`; only the first channel is compared. `size`
    resizes both images first, as LORD does to 64. Division by 255 brings the features back to the scale of the pixels.
    """
    image, generated = image[..., :1], generated[..., :1]
    if size:
        image, generated = decimated(image, size), decimated(generated, size)
    wanted, got = features(vgg.as_input(image)), features(vgg.as_input(generated))
    pairs = zip(wanted, got, strict=True) if isinstance(wanted, (list, tuple)) else [(wanted, got)]
    errors = [tf.reduce_mean(tf.abs(a - b), axis=[1, 2, 3]) for a, b in pairs]
    return tf.add_n(errors) / (255.0 * len(errors))


def multiscale_error(image: tf.Tensor, generated: tf.Tensor) -> tf.Tensor:
    """Ours, where VGG16 weights are missing: mean absolute error at 1/2, 1/4 and 1/8 of the resolution, averaged.

    Only the first channel is compared. A multi-scale spectral loss on pictures: what is a little out of place counts
    less than what is missing.
    """
    image, generated, errors = image[..., :1], generated[..., :1], []
    for _ in range(3):
        image, generated = (tf.nn.avg_pool2d(one, 2, 2, "VALID") for one in (image, generated))
        errors.append(mean_absolute_error(image, generated))
    return tf.add_n(errors) / len(errors)


PIXEL_LOSSES = {"mse": mean_squared_error, "mae": mean_absolute_error}


def perceptual_words(config: Config) -> str:
    """The perceptual term in words, with the checksum of its weights."""
    state = perceptual_state(config)
    if state == "imagenet":
        return f"imagenet ({vgg.read(config.vgg_weights, config.perceptual_layers)[1]})"
    if state == "random":
        return "random (a seeded filter bank, an ablation)"
    if state == "multiscale":
        return "none; a multi-scale spectral loss of ours stands in for it (VGG16 weights: --vgg-weights FILE)"
    return f"off; the loss is {' + '.join(loss_terms(config)).upper()} (VGG16 weights: --vgg-weights FILE)"


@lru_cache(maxsize=4)
def _features(state, weights, layers):
    return vgg.random_first_layer() if state == "random" else vgg.read(weights, layers)[0]


def reconstruction(config: Config) -> Callable[[tf.Tensor, tf.Tensor], dict[str, tf.Tensor]]:
    """(image, generated) -> {term: (batch,)}; the sum of the terms is the reconstruction loss of sec. 2.3.3."""
    terms, state = loss_terms(config), perceptual_state(config)
    features = None
    if "perceptual" in terms:
        features = _features(state, config.vgg_weights, config.perceptual_layers)

    def compute(image, generated):
        found = {}
        for term in terms:
            if term == "perceptual":
                found[term] = perceptual_error(features, image, generated, config.perceptual_size)
            elif term == "multiscale":
                found[term] = multiscale_error(image, generated)
            elif config.phase == "angle":  # sec. 2.3.1, item 4a: the second channel is an angle
                found[term] = PIXEL_LOSSES[term](image[..., :1], generated[..., :1])
            else:
                found[term] = PIXEL_LOSSES[term](image, generated)
        if config.phase == "angle":
            found["cyclic"] = cyclic_squared_error(image[..., 1:], generated[..., 1:])
        return {term: config.loss_scale * value for term, value in found.items()}

    return compute
