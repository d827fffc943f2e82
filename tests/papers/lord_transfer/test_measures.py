"""Numbers from arrays: errors, flux, features, the probe, phase, joining; each worked out by hand."""

import dataclasses

import numpy as np
import pytest

from papers.lord_transfer import joining, listener, measures, sound
from papers.lord_transfer.config import Config

CLASSES = np.array([0, 1, 1])


def test_rebuilt_are_the_transfers_to_the_own_class():
    transfers = np.arange(6.0).reshape(2, 3, 1, 1, 1)
    assert measures.rebuilt_of(transfers, CLASSES).ravel().tolist() == [0, 4, 5]


def test_errors_by_hand():
    images, made = np.zeros((2, 1, 2, 2)), np.zeros((2, 1, 2, 2))
    made[0, 0, :, 0], made[1, 0, :, 1] = (0.2, 0.4), 9.0  # the second channel is no amplitude
    assert measures.absolute_errors(images, made).tolist() == pytest.approx([0.3, 0.0])
    assert measures.class_balanced(np.array([1.0, 0.0, 0.0]), CLASSES) == 0.5


def test_flux_is_of_the_rebuilt_over_the_real():
    real, smooth = np.zeros((1, 1, 3, 1)), np.zeros((1, 1, 3, 1))
    real[0, 0, 1], smooth[0, 0, 1] = 1.0, 0.5
    assert measures.flux_ratio(real, smooth) == 0.5


def test_feature_distance_in_units_of_the_real_spread():
    real = np.array([[0.0, 0.0], [2.0, 20.0]])
    assert measures.feature_distances(real, real).tolist() == [0, 0]
    found = measures.feature_distances(real, real + [1.0, 0.0])
    assert found.tolist() == pytest.approx([1 / np.sqrt(2)] * 2, rel=1e-4)


def test_the_probe_is_asked_of_codes_it_was_not_fitted_on():
    """Labels that are exchanged in what it is asked: fitted on those it would be right, it must be wrong."""
    random = np.random.default_rng(0)
    classes = np.arange(200) % 2
    shown = classes[:, None] * 4.0 + random.normal(size=(200, 3))
    asked = (1 - classes)[:, None] * 4.0 + random.normal(size=(200, 3))
    assert measures.leak(shown, classes, shown, classes).mean() > 0.9
    assert measures.leak(shown, classes, asked, classes).mean() < 0.1


def test_what_lies_under_the_noise_is_not_read():
    classes = np.arange(200) % 2
    weak = classes[:, None] * 0.01 * np.ones((1, 4))
    assert measures.leak(weak, classes, weak, classes).mean() == 1
    assert abs(measures.leak(weak, classes, weak[::-1], classes[::-1], noise=1.0).mean() - 0.5) < 0.15


def test_phase_errors_and_leak():
    images = np.zeros((1, 2, 2, 2))
    images[..., 0] = [[0, 1], [1, 0]]
    images[..., 1] = [[0.1, 0.3], [0.2, 0.4]]
    turned = images.copy()
    turned[..., 1] = (images[..., 1] + 0.5) % 1
    found = measures.phase_measures(images, turned, "angle")
    assert found["errors"][0] == pytest.approx(np.pi**2)
    leaking = images.copy()
    leaking[..., 1] = images[..., 0]
    assert measures.phase_measures(images, leaking, "angle")["leak"] == pytest.approx(1.0, abs=1e-6)
    both = np.zeros((1, 1, 1, 3))
    both[..., 1:] = 1.0, 0.5  # cosine 1, sine 0
    assert measures.angles(both, "cosine_sine").item() == 0


CONFIG = dataclasses.replace(Config(), bands=32, frames=16, hop=2048, griffin_lim_iterations=4)


def test_joining_an_unchanged_track_has_no_seams_and_no_blend(monkeypatch):
    monkeypatch.setattr(sound, "to_audio", lambda image, reference, config: image)
    monkeypatch.setattr(sound, "log_spectral_distance", lambda samples, image, *rest: np.abs(samples - image).mean())
    monkeypatch.setattr(sound, "inconsistency", lambda image, *rest: image.mean())
    track = np.random.default_rng(0).random((32, 64))
    found = joining.track_measures(track, 1.0, lambda windows: windows, CONFIG)
    assert found["seam"]["concatenation"] == pytest.approx(1, abs=0.2)
    assert found["overlap"]["cross-fade"] == pytest.approx(found["overlap"]["concatenation"], abs=0.2)
    assert set(found["distance"]) == {1, 4, 16} == set(found["inconsistency"])
    assert max(found["distance"].values()) == 0


def jumping(windows):
    """Each window at a level of its own: a jump at every seam."""
    return windows + 0.5 * (np.arange(len(windows)) % 2)[:, None, None]


def test_joining_windows_that_jump_is_seen_and_the_fade_is_smoother(monkeypatch):
    monkeypatch.setattr(sound, "to_audio", lambda image, reference, config: image)
    monkeypatch.setattr(sound, "log_spectral_distance", lambda samples, image, *rest: np.abs(samples - image).mean())
    monkeypatch.setattr(sound, "inconsistency", lambda image, *rest: np.abs(np.diff(image)).mean())
    track = np.tile(np.arange(64) * 0.01, (32, 1))
    found = joining.track_measures(track, 1.0, jumping, CONFIG)
    assert found["seam"]["concatenation"] == pytest.approx((0.51 + 0.49 + 0.51) / 3 / 0.01)
    assert found["overlap"]["concatenation"] == found["seam"]["concatenation"]  # the seam is the largest about it
    # The mask 1 7 21 35 / 35 of Eq. 7 has steps of at most 14 / 35; no two windows are blended elsewhere.
    assert found["overlap"]["cross-fade"] == pytest.approx(0.4 * 0.5 / 0.01, abs=1)
    # Outside the four overlaps 16 of 48 frames are 0.5 too high, inside them the masks add up to half of 16.
    assert found["blend"] == pytest.approx(0.25 / (1 / 6))
    assert found["inconsistency"][1] > found["inconsistency"][16]
    assert found["distance"][1] == pytest.approx(24 * 0.5 / 64)  # every second of the 49 columns that are not ends


@pytest.mark.parametrize("switch", range(5))
def test_a_switch_anywhere_in_the_overlap_is_no_smoother_than_concatenation(monkeypatch, switch):
    """Every window 0.5 higher than the last; the mask of Eq. 7 blends them, one that jumps from 0 to 1 does not."""
    monkeypatch.setattr(sound, "to_audio", lambda image, reference, config: image)
    monkeypatch.setattr(sound, "log_spectral_distance", lambda *rest: 0.0)
    monkeypatch.setattr(sound, "inconsistency", lambda *rest: 0.0)
    track = np.tile(np.arange(64) * 0.01, (32, 1))
    blended = joining.track_measures(track, 1.0, rising, CONFIG)["overlap"]
    assert blended["concatenation"] == pytest.approx(51) and blended["cross-fade"] == pytest.approx(21)
    monkeypatch.setattr(joining, "half_bell", lambda overlap: (np.arange(overlap) >= switch).astype(float))
    switched = joining.track_measures(track, 1.0, rising, CONFIG)["overlap"]
    assert switched["cross-fade"] == pytest.approx(switched["concatenation"])


def rising(windows):
    return windows + 0.5 * np.arange(len(windows))[:, None, None]


def test_blend_compares_inside_with_outside():
    """Error 0.2 in the overlaps of a cross-fade and 0.1 elsewhere: twice."""
    track = np.zeros((32, 40))

    def worse_at_the_ends(windows):
        made = np.full_like(windows, 0.1)
        made[1:, :, :4], made[:, :, -4:] = 0.2, 0.2
        made[-1, :, -4:] = 0.1
        return made

    blended = joining.cross_fade(worse_at_the_ends(joining.cut(track, 16, 12)), 12)
    inside = np.r_[12:16, 24:28]
    assert np.allclose(blended[:, inside], 0.2) and np.allclose(np.delete(blended, inside, axis=1), 0.1)
    found = joining.blend_ratio(blended, track, 16, 12)
    assert found == pytest.approx(2.0)


def test_the_second_ear_hears_spectra():
    random = np.random.default_rng(0)
    classes = np.arange(40) % 2
    images = 0.1 * random.random((40, 32, 16, 1))
    images[classes == 0, :8] += 0.6
    images[classes == 1, 20:28] += 0.6
    ear = listener.second_ear(images[:20], classes[:20])
    assert (ear.predict(listener.cepstra(images[20:])) == classes[20:]).all()
    assert listener.cepstra(images).shape == (40, 42)
    shuffled = listener.second_ear(images[:20], random.permutation(classes[:20]))
    assert (shuffled.predict(listener.cepstra(images[20:])) == classes[20:]).mean() < 0.9


def test_phase_correlation_is_a_mean_over_the_phase_channels():
    ramp = np.linspace(0, 1, 16).reshape(1, 4, 4)
    turned = np.array([1.0, -1.0, -1.0, 1.0] * 4).reshape(1, 4, 4)  # of no correlation with the ramp
    images = np.stack([ramp, 1 - ramp, turned], axis=-1)
    assert measures.phase_correlation(images) == pytest.approx(0.5)
    assert measures.phase_correlation(images[..., :2]) == pytest.approx(1.0)
