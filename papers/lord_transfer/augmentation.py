"""Training clips varied as `sound` does it, since a few hundred are few: begun elsewhere, in another key. TensorFlow.

Images are (batch, bands, frames, channels) in [0, 1]. Both keep what makes the class: a clip of an instrument, whatever
it plays and when.
"""

import numpy as np
import tensorflow as tf

from common.training import Step
from papers.lord_transfer.config import Config

CORNERS = 5  # of the random filter


def varied(config: Config, step: Step, image: tf.Tensor) -> tf.Tensor:
    """The images of a batch, each begun at a random frame (`shift`) and up to `transpose` semitones up or down."""
    if config.shift:
        image = begun_at(image, step.integers("begin", (), 0, config.frames))
    if config.transpose:
        chosen = step.integers("semitones", (), 0, 2 * config.transpose + 1)
        image = tf.einsum("nij,njtc->nitc", tf.gather(tf.constant(transpositions(config)), chosen), image)
    return image


def through_a_filter(config: Config, step: Step, image: tf.Tensor) -> tf.Tensor:
    """What the content encoder is given: each image through a random smooth equaliser, as some other class might sound.

    Its gain at CORNERS places across the bands has the standard deviation `filtered`, as a share of the dynamic range;
    the first channel only. The image that is asked for is not filtered: its spectrum must come from the class.
    """
    if not config.filtered:
        return image
    gain = step.normal("filter", (CORNERS,), stddev=config.filtered) @ tf.constant(corners(config.bands))
    heard = tf.clip_by_value(image[..., :1] + gain[:, :, None, None], 0.0, 1.0)
    return tf.concat([heard, image[..., 1:]], axis=-1)


def corners(bands: int) -> np.ndarray:
    """(CORNERS, bands) float32: gains at equally spaced bands -> gains of all, by straight lines between them."""
    places = np.linspace(0, bands - 1, CORNERS)
    return np.stack([np.interp(np.arange(bands), places, one) for one in np.eye(CORNERS)]).astype(np.float32)


def begun_at(image: tf.Tensor, frame: tf.Tensor) -> tf.Tensor:
    """Each image (batch, bands, frames, channels) begun at its `frame` (batch,), what comes before at the end."""
    frames = image.shape[2]
    order = (tf.range(frames)[None] + frame[:, None]) % frames
    return tf.transpose(tf.gather(tf.transpose(image, (0, 2, 1, 3)), order, batch_dims=1), (0, 2, 1, 3))


def transpositions(config: Config) -> np.ndarray:
    """(2 * transpose + 1, bands, bands) float32: mel pictures moved from `transpose` semitones down to as many up.

    A band takes what lay where its frequency was, between two bands by their distance; above and below the picture the
    outermost bands go on.
    """
    import librosa

    centres = librosa.mel_frequencies(config.bands + 2, fmin=0, fmax=config.sample_rate / 2)[1:-1]
    places, rows = np.arange(config.bands), np.arange(config.bands)
    found = np.zeros((2 * config.transpose + 1, config.bands, config.bands), np.float32)
    for matrix, semitones in zip(found, range(-config.transpose, config.transpose + 1), strict=True):
        place = np.interp(centres / 2 ** (semitones / 12), centres, places)
        below = np.minimum(place.astype(int), config.bands - 2)
        matrix[rows, below] += 1 - (place - below)
        matrix[rows, below + 1] += place - below
    return found
