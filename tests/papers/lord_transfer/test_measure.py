"""What stands in for listening: who follows whom, how different transfers are."""

from types import SimpleNamespace

import numpy as np
import pytest

from common import probes
from common.config import resolve
from papers.lord_transfer import config as settings, measure, sound

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


def melody(images, transfers):
    trained = SimpleNamespace(config=CONFIG, labels=("a", "b", "c"), test=SimpleNamespace(classes=CLASSES))
    return measure.melody(trained, images, transfers, 0)


def test_transfers_that_keep_their_source_are_ahead_of_all_others(images):
    found = melody(images, np.stack([images] * 3))
    assert found["ahead"] == 1.0 and found["chroma"] == pytest.approx(1.0) == found["chroma_identity"]
    assert found["chroma_shuffled"] < 0.95


def test_a_class_mean_follows_no_source(images):
    found = melody(images, np.stack([np.repeat(images[[i]], 8, axis=0) for i in (0, 3, 6)]))
    assert found["ahead"] == pytest.approx(0.5)


def test_agreements_of_all_pairs_are_those_of_each(images):
    found = measure.chromas(images, CONFIG)
    every = sound.chroma_agreements(found, found[:3])
    assert every.shape == (8, 3)
    assert every[5, 2] == pytest.approx(sound.chroma_agreement(found[5], found[2]))


def test_variety_is_one_for_real_clips_and_zero_for_one_image(images):
    trained = SimpleNamespace(test=SimpleNamespace(classes=CLASSES))
    pairs = [np.abs(images[i] - images[j]).mean() for i in range(8) for j in range(i)]
    assert probes.mean_distance(images) == pytest.approx(np.mean(pairs))
    assert measure.variety(trained, images, np.stack([np.repeat(images[[i]], 8, axis=0) for i in range(3)])) == 0
    assert measure.variety(trained, images, np.stack([images] * 3)) > 0.9
