"""Training clips begun elsewhere and in another key."""

import dataclasses

import numpy as np
import tensorflow as tf

from common.config import resolve
from common.noise import Step
from papers.lord_transfer import augmentation, config as settings, melody
from tests.papers.lord_transfer.test_melody import line_of

CONFIG = resolve(settings, "sound", "demo")


def step(index):
    return Step(0, "joint", tf.constant(index, tf.int64), tf.constant(4.0), tf.range(4), 4)


def test_begun_at_a_frame_of_its_own():
    image = np.arange(2 * 3 * 4, dtype=np.float32).reshape(2, 3, 4, 1)
    found = augmentation.begun_at(tf.constant(image), tf.constant([1, 0])).numpy()
    np.testing.assert_array_equal(found[0], np.roll(image[0], -1, axis=1))
    np.testing.assert_array_equal(found[1], image[1])


def test_a_line_is_moved_by_semitones_and_nothing_is_lost():
    config = dataclasses.replace(CONFIG, transpose=4)
    matrices = augmentation.transpositions(config)
    np.testing.assert_allclose(matrices.sum(axis=2), 1, atol=1e-6)
    np.testing.assert_allclose(matrices[4], np.eye(CONFIG.bands), atol=1e-5)
    line = line_of((62, 69, 74), bands=CONFIG.bands)
    for place, semitones in ((0, -4), (8, 4)):
        moved = melody.tracked((matrices[place] @ line[..., 0])[None, ..., None], CONFIG)
        assert np.median(np.abs(moved[0] - semitones - np.repeat((62, 69, 74), 8))) <= 1


def test_draws_differ_by_row_and_step_and_none_are_made_unasked():
    image = tf.constant(np.random.default_rng(0).random((4, CONFIG.bands, CONFIG.frames, 1)).astype("float32"))
    for changes in ({"shift": True, "transpose": 0}, {"shift": False, "transpose": 3}):
        config = dataclasses.replace(CONFIG, **changes)
        one, again, other = (augmentation.varied(config, step(index), image).numpy() for index in (0, 0, 1))
        np.testing.assert_array_equal(one, again)
        assert not np.array_equal(one, other)
    same = tf.repeat(image[:1], 4, axis=0)
    rows = augmentation.varied(dataclasses.replace(CONFIG, shift=True, transpose=0), step(0), same).numpy()
    assert len(np.unique(rows.reshape(4, -1), axis=0)) > 1
    assert augmentation.varied(dataclasses.replace(CONFIG, shift=False, transpose=0), step(0), image) is image


def test_the_filter_is_smooth_and_of_the_asked_size():
    config = dataclasses.replace(CONFIG, filtered=0.1)
    image = tf.fill((4, CONFIG.bands, CONFIG.frames, 2), 0.5)
    found = np.concatenate([augmentation.through_a_filter(config, step(index), image) for index in range(40)])
    assert (found[..., 1] == 0.5).all() and np.ptp(found[..., 0], axis=2).max() < 1e-6
    gains = found[:, :, 0, 0] - 0.5
    assert 0.08 < gains[:, 0].std() < 0.12 and 0.08 < gains[:, -1].std() < 0.12
    steps = np.diff(gains, axis=1)
    assert np.abs(np.diff(steps, axis=1)[:, :10]).max() < 1e-5  # straight lines between five corners
    assert augmentation.through_a_filter(dataclasses.replace(config, filtered=0.0), step(0), image) is image


def test_every_transposition_is_drawn_from_the_lowest_to_the_highest():
    config = dataclasses.replace(CONFIG, shift=False, transpose=1)
    image = np.random.default_rng(0).random((4, CONFIG.bands, 3, 1)).astype("float32")
    expected = np.einsum("mij,njtc->mnitc", augmentation.transpositions(config), image)
    drawn = set()
    for index in range(16):
        found = augmentation.varied(config, step(index), tf.constant(image)).numpy()
        for row in range(4):
            drawn |= {m for m in range(3) if np.allclose(found[row], expected[m, row], atol=1e-5)}
    assert drawn == {0, 1, 2}
