"""The other structures that divergences call for, with the signatures of model.py.

Centred encoders see what differs between images. LORD itself (avivga/lord) keeps one content vector per training image
and learns encoders in a second stage; the paper compares with it in sec. 1.2.2.2. Full amortisation replaces the class
table by an encoder (sec. 1.2.2.2, claim A1).
"""

from collections.abc import Callable

import keras
import numpy as np
from keras import layers

from papers.lord_transfer import model


def content_embedding(images: int, content_dim: int = 128) -> keras.Model:
    """Row of a training image (batch,) -> content code (batch, content_dim), one free vector per image."""
    index = keras.Input((), dtype="int32", name="image_index")
    return keras.Model(index, layers.Embedding(images, content_dim)(index), name="content_embedding")


def class_encoder(shape: tuple[int, int, int] = (128, 128, 1), class_dim: int = 256, filters: int = 64,
                  units: int = 256, first_kernel: int = 7, kernel: int = 4) -> keras.Model:
    """Image (batch, *shape) -> class code (batch, class_dim); the content encoder's layers, 7,082,752 parameters."""
    encoder = model.content_encoder(shape, class_dim, filters, units, first_kernel, kernel)
    return keras.Model(encoder.input, encoder.output, name="class_encoder")


def centred(mean: np.ndarray, deviation: float) -> Callable[[keras.Model], keras.Model]:
    """(encoder) -> the encoder on (image - mean) / deviation; mean (bands, 1, channels) of training images.

    Pixels are of one sign, and what all images share outweighs what a content code is to tell them apart by.
    """
    scale = 1 / max(deviation, 1e-6)

    def of(encoder):
        image = keras.Input(encoder.input.shape[1:], name="image")
        shifted = layers.Rescaling(scale, (-scale * mean).tolist())(image)
        return keras.Model(image, encoder(shifted), name=encoder.name)

    return of
