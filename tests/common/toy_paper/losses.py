"""The loss."""

import tensorflow as tf


def squared(y, found):
    """Squared error of each example."""
    return tf.square(y - found)
