"""What stands in for listening: who follows whom, how different transfers are."""

import numpy as np
import pytest

from common import probes
from common.config import resolve
from papers.lord_transfer import config as settings, measures, melody as notes

CONFIG = resolve(settings, "sound", "demo")
CLASSES = np.array([0, 0, 0, 1, 1, 1, 2, 2])


@pytest.fixture(scope="module")
def images():
    """Eight clips of 64 bands and 64 frames, each with some tones of its own over a floor."""
    random = np.random.default_rng(0)
    made = np.full((8, 64, 64, 1), 0.2)
    for image in made:
        for start in range(0, 64, 8):
            image[random.integers(8, 40), start:start + 8] = 1.0
    return made


def measured(images, transfers):
    return notes.chroma_measures(images, transfers, CLASSES, CONFIG)


def test_transfers_that_keep_their_source_are_ahead_of_all_others(images):
    found = measured(images, np.stack([images] * 3))
    assert np.nanmin(found["ahead"]) == 1.0 and found["own"] == pytest.approx(1.0) == found["identity"]
    assert found["shuffled"].mean() < 0.95


def test_a_class_mean_follows_no_source(images):
    found = measured(images, np.stack([np.repeat(images[[i]], 8, axis=0) for i in (0, 3, 6)]))
    assert np.nanmean(found["ahead"]) == pytest.approx(0.5)


def test_agreements_of_all_pairs_are_those_of_each(images):
    found = notes.chromas(images, CONFIG)
    every = notes.chroma_agreements(found, found[:3])
    assert every.shape == (8, 3)
    assert every[5, 2] == pytest.approx(notes.chroma_agreement(found[5], found[2]))


def test_variety_is_one_for_real_clips_and_zero_for_one_image(images):
    pairs = [np.abs(images[i] - images[j]).mean() for i in range(8) for j in range(i)]
    assert probes.mean_distance(images) == pytest.approx(np.mean(pairs))
    assert measures.variety(images, CLASSES, np.stack([np.repeat(images[[i]], 8, axis=0) for i in range(3)])) == 0
    assert measures.variety(images, CLASSES, np.stack([images] * 3)) > 0.9
