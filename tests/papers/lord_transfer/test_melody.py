"""What stands in for listening: who follows whom, how different transfers are."""

import numpy as np
import pytest

from common import probes
from common.config import resolve
from papers.lord_transfer import config as settings, controls, measures, melody as notes, sound

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


def agreement(images, transfers):
    return notes.following(notes.chromas(images, CONFIG), [notes.chromas(found, CONFIG) for found in transfers])


def controls_of(images):
    found = controls.answers(images, images, CLASSES, 3)
    return {name: found[name] for name in ("mean picture", "one real clip", "long-term spectrum", "static filter")}


def test_transfers_that_keep_their_source_are_ahead_of_all_rivals(images):
    found = agreement(images, [images] * 3)
    assert (notes.ahead_of_rivals(found, CLASSES) == 1).all()
    np.testing.assert_allclose(found[:, range(8), range(8)], 1.0)
    assert (notes.excess_over_rivals(found, CLASSES) > 0.5).all()


def test_answers_without_a_note_of_the_source_are_not_ahead(images):
    """A picture of the target, and the clip's own spectrum held still: half of the rivals, by ties or on average."""
    for name, answer in controls_of(images).items():
        share = notes.ahead_of_rivals(agreement(images, answer), CLASSES)
        if name == "static filter":
            assert (share == 1).all()
        elif name == "long-term spectrum":
            assert (share == 0.5).all() and not notes.excess_over_rivals(agreement(images, answer), CLASSES).any()
        else:
            assert share.mean() == pytest.approx(0.5)


def test_rivals_are_of_the_class_of_the_source():
    """By hand: clip 0 agrees with its own transfer at 0.5, with its rivals 1 and 2 at 0.1 and 0.5, with others more."""
    found = np.full((1, 4, 4), 0.9)
    found[0, :, 0] = (0.5, 0.1, 0.5, 0.8)
    classes = np.array([0, 0, 0, 1])
    assert notes.ahead_of_rivals(found, classes)[0, 0] == pytest.approx((1 + 0.5) / 2)
    assert notes.excess_over_rivals(found, classes)[0, 0] == pytest.approx(0.5 - 0.3)
    assert np.isnan(notes.ahead_of_rivals(found, classes)[0, 3])  # the only clip of its class


def test_level_over_time_and_what_moves():
    images = np.zeros((1, 2, 4, 1))
    images[0, :, :, 0] = [[0, 1, 0, 1], [0, 1, 0, 1]]
    np.testing.assert_array_equal(notes.courses(images)[0], [[0, 1, 0, 1]])
    np.testing.assert_allclose(notes.moving(notes.courses(images))[0], [[-0.5, 0.5, -0.5, 0.5]])
    assert not notes.moving(np.full((1, 3, 4), 0.7)).any()
    opposite = notes.following(notes.courses(images), [notes.courses(1 - images)])
    assert opposite.item() == pytest.approx(-1)


def test_pitch_is_compared_with_a_rival_of_the_same_class(monkeypatch):
    """Contours named by clip: a transfer that keeps its source agrees with it and not with the other of its class."""
    monkeypatch.setattr(sound, "to_audio", lambda image, reference, config: image)
    monkeypatch.setattr(notes, "pitch", lambda samples, config: np.full(4, samples[0, 0]))
    images = np.zeros((6, 1, 1, 1))
    images[:, 0, 0, 0] = (100, 130, 170, 100, 130, 170)
    classes = np.array([0, 0, 0, 1, 1, 1])
    found = notes.pitch_measures(images, [images] * 2, classes, CONFIG, 10)
    assert found["picked"].tolist() == [0, 2, 3, 5]
    assert found["own"].tolist() == [1] * 4 and found["rival"].tolist() == [0] * 4
    assert len(notes.pitch_measures(images, [images] * 2, classes, CONFIG, 3)["picked"]) == 2


def test_variety_is_one_for_real_clips_and_zero_for_one_image(images):
    pairs = [np.abs(images[i] - images[j]).mean() for i in range(8) for j in range(i)]
    assert probes.mean_distance(images) == pytest.approx(np.mean(pairs))
    assert measures.variety(images, CLASSES, np.stack([np.repeat(images[[i]], 8, axis=0) for i in range(3)])) == 0
    assert measures.variety(images, CLASSES, np.stack([images] * 3)) > 0.9
