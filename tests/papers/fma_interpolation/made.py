"""A store in memory and settings of the smallest networks, for tests that need no recordings."""

import numpy as np

from common.config import resolve
from papers.fma_interpolation import config as settings

SMALL = dict(bands=32, frames=32, conv2d_pools=(2, 1, 1), conv2d_filters=(16, 16, 16, 16), conv2d_latent=2,
             inception_latent=2, conv1d_latent=2, conv1d_filters=(4, 4, 4, 4), latent=2, overfit_latent=2,
             conv2d_repeats=1, overfit_repeats=1, cnn_2_time_stride=1, cnn_1_filters=2, cnn_1_dense=4, rnn_units=2,
             autoencoder_items=0, classifier_items=0, classifier_batch=4, baseline_batch=4, batch=4, overfit_steps=2,
             baseline_epochs=1, conv2d_epochs=1, conv1d_epochs=1, cnn_1_epochs=1, cnn_2_epochs=1, rnn_epochs=1)
ROWS = 16
SPLIT = ["training", "training", "validation", "test"]


class Made:
    """A store in memory: 8 tracks of two images, two genres, each genre with tracks in every part."""

    fingerprint = "made"

    def __init__(self, images=None, labels=None):
        random = np.random.default_rng(0)
        self.pixels = random.random((ROWS, 32, 32), np.float32) if images is None else images
        labels = [i // 2 % 2 for i in range(ROWS)] if labels is None else labels
        self.index = [{"label": "ab"[labels[i]], "group": f"{i // 2}", "offset": i % 2, "split": SPLIT[i // 4],
                       "row": i} for i in range(ROWS)]

    def images(self, rows):
        return self.pixels[np.asarray(rows)]


def configured(follow):
    return resolve(settings, follow, "smoke", SMALL)
