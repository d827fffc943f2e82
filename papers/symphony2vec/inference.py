"""What trained networks give on sets of clips, batch by batch."""

import functools

import keras
import numpy as np
import tensorflow as tf

from papers.symphony2vec import features
from papers.symphony2vec.data import Images


@functools.lru_cache(maxsize=4)
def _compiled(network, training):
    return tf.function(functools.partial(network, training=training), reduce_retracing=True)


def outputs(network: keras.Model, images: np.ndarray | Images, rows: np.ndarray, batch_size: int = 32,
            training: bool = False) -> np.ndarray:
    """Outputs of a network for store rows: (rows, ...); `training`: batch statistics, as the program evaluates ALI."""
    call = _compiled(network, training)
    starts = range(0, len(rows), batch_size)
    return np.concatenate([call(images[rows[i : i + batch_size]]).numpy() for i in starts])


def chunk_outputs(network: keras.Model, images: np.ndarray | Images, labels: np.ndarray, rows: np.ndarray, steps: int,
                  batch_size: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """Logits of the LSTM for every piece of every clip, and the pieces' labels; pieces in the program's order.

    The batch is the program's: where axes are reinterpreted, a batch's outputs depend on all its members.
    """
    pieces, piece_labels = features.chunks(images[rows], labels[rows], steps)
    call = _compiled(network, False)
    starts = range(0, len(pieces), batch_size)
    return np.concatenate([call(pieces[i : i + batch_size]).numpy() for i in starts]), piece_labels


def decoded(network: keras.Model, codes: np.ndarray, batch_size: int = 64, training: bool = False) -> np.ndarray:
    """Outputs of a decoder or generator for codes (count, size)."""
    call = _compiled(network, training)
    codes = np.float32(codes)
    return np.concatenate([call(codes[i : i + batch_size]).numpy() for i in range(0, len(codes), batch_size)])
