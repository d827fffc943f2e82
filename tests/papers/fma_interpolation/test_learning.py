"""A corpus that anyone can tell apart is learnt; with shuffled labels nothing is."""

import dataclasses

import numpy as np
import pytest

from common import training
from papers.fma_interpolation import data, inference, train
from tests.papers.fma_interpolation.made import Made, configured


class Bands(Made):
    """Genre a is loud below, genre b above; `shuffled` draws the labels."""

    def __init__(self, shuffled):
        random = np.random.default_rng(1)
        genre = np.arange(64) // 2 % 2
        images = 0.2 * random.random((64, 32, 32)).astype(np.float32)
        images[genre == 0, :16] += 0.6
        images[genre == 1, 16:] += 0.6
        labels = random.permutation(32).repeat(2) % 2 if shuffled else genre
        parts = ["training", "training", "validation", "test"]
        self.pixels = images
        self.index = [{"label": "ab"[labels[i]], "group": f"{i // 2}", "offset": i % 2, "split": parts[i // 4 % 4],
                       "row": i} for i in range(64)]


def accuracy(shuffled, tmp_path):
    config = dataclasses.replace(configured("sound"), cnn_2_epochs=8, classifier_batch=8)
    store, name = Bands(shuffled), f"cnn_2-{shuffled}"
    training.train(name, train.MODELS["cnn_2"], config, store, tmp_path / name, seed=0)
    learner = training.load(train.MODELS["cnn_2"], config, store, tmp_path / name)
    rows = data.parts(config, store, 0, 0)["test"]
    found = inference.predicted(learner, data.reader(store, rows), len(rows))
    one_by_one = inference.probabilities(learner, data.images_of(store, rows)).argmax(axis=-1)
    np.testing.assert_array_equal(found, one_by_one)
    return float(np.mean(found == data.labels_of(store)[rows]))


@pytest.mark.slow
def test_genres_that_differ_are_learnt_and_shuffled_ones_are_not(tmp_path):
    assert accuracy(False, tmp_path) > 0.9
    assert abs(accuracy(True, tmp_path) - 0.5) <= 0.3  # 16 images: two deviations are 0.25


@pytest.mark.slow
def test_the_autoencoder_beats_the_mean_image_on_images_it_was_not_shown(tmp_path):
    config = dataclasses.replace(configured("sound"), baseline_epochs=20, baseline_rate=1e-3,
                                 baseline_loss="squared_error")
    store, entry = Bands(False), train.MODELS["autoencoder-baseline"]
    training.train("baseline", entry, config, store, tmp_path, seed=0)
    learner = training.load(entry, config, store, tmp_path)
    rows = data.parts(config, store, 0, 0)["test"]
    images = data.images_of(store, rows)
    again = inference.decode(learner, inference.encode(learner, images), "squared_error")
    trivial = np.square(images - data.mean_image(config, store, 0)).mean()
    assert np.square(images - again).mean() < 0.5 * trivial
    first, last = training.history(tmp_path)[0], training.history(tmp_path)[-1]
    assert last["validation/squared_error"] < first["validation/squared_error"]
