"""Training clips varied as `sound` does it, since a few hundred are few: begun elsewhere, in another key. TensorFlow.

Images are (batch, bands, frames, channels) in [0, 1]. Both keep what makes the class: a clip of an instrument, whatever
it plays and when.
"""

import numpy as np
import tensorflow as tf

from papers.lord_transfer.config import Config


def varied(config: Config, step, image):
    """The images of a batch, each begun at a random frame (`shift`) and up to `transpose` semitones up or down."""
    if config.shift:
        image = begun_at(image, step.integers("begin", (), 0, config.frames))
    if config.transpose:
        chosen = step.integers("semitones", (), 0, 2 * config.transpose + 1)
        image = tf.einsum("nij,njtc->nitc", tf.gather(tf.constant(transpositions(config)), chosen), image)
    return image


def begun_at(image, frame):
    """Each image (batch, bands, frames, channels) begun at its `frame` (batch,), what comes before at the end."""
    frames = image.shape[2]
    order = (tf.range(frames)[None] + frame[:, None]) % frames
    return tf.transpose(tf.gather(tf.transpose(image, (0, 2, 1, 3)), order, batch_dims=1), (0, 2, 1, 3))


def transpositions(config: Config):
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
