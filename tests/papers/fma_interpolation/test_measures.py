"""Measures of images and sounds in closed form."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from papers.fma_interpolation import inference, measures


def test_similarity_of_flat_images_is_that_of_their_means_and_of_stripes_that_of_their_contrasts():
    def flat(level):
        return np.full((1, 40, 40), level)

    assert measures.similarity(flat(0.5), flat(0.25))[0] == pytest.approx((0.25 + 1e-4) / (0.3125 + 1e-4))
    assert measures.similarity(flat(5), flat(2.5), peak=10.0)[0] == pytest.approx((25 + 1e-2) / (31.25 + 1e-2))
    stripes = np.where(np.arange(40) % 2, 1.0, -1.0)[None, :, None] * np.ones((1, 1, 40))
    one, two = 0.5 + 0.02 * stripes, 0.5 + 0.04 * stripes  # the window blurs stripes of one row to nothing
    inside = (2 * 8e-4 + 9e-4) / (4e-4 + 16e-4 + 9e-4)
    assert measures.similarity(one, two)[0] == pytest.approx(inside, abs=0.01)


def test_the_window_of_the_similarity_is_eleven_pixels_wide_and_high():
    """Where it reaches a pixel that one image has and the other not nothing is alike, elsewhere everything is."""
    black, dot = np.zeros((2, 40, 50)), np.zeros((2, 40, 50))
    dot[0, 20, 25] = 1e8
    np.testing.assert_allclose(measures.similarity(black, dot), [1 - 11 * 11 / 2000, 1], atol=1e-6)
    a, b = np.random.default_rng(0).random((2, 3, 30, 30))
    turned = measures.similarity(a.transpose(0, 2, 1), b.transpose(0, 2, 1))
    np.testing.assert_allclose(measures.similarity(a, b), turned)
    np.testing.assert_allclose(measures.similarity(a, b)[1:2], measures.similarity(a[1:2], b[1:2]))


def test_correlation_of_a_constant_is_zero_and_of_a_half_one_its_cosine():
    a, b = np.array([[[1.0, -1.0], [1.0, -1.0]]]), np.array([[[1.0, -1.0], [-1.0, 1.0]]])
    np.testing.assert_allclose(measures.correlation(3 + a, 7 + a + b), np.sqrt(0.5))
    assert measures.correlation(a, np.full_like(a, 2.0))[0] == 0.0


def test_band_centres_are_equally_far_apart_on_slaneys_scale():
    """Slaney: 200/3 Hz a mel up to 1,000 Hz (15 mel), above it 27 mel for a factor of 6.4."""
    step = (15 + 27 * np.log(16.384) / np.log(6.4)) / 65
    found = measures.band_frequencies(64, 32768)
    assert len(found) == 64 and found[9] == pytest.approx(10 * step * 200 / 3)
    assert found[-1] == pytest.approx(1000 * 6.4 ** ((64 * step - 15) / 27))


def test_loudness_centroid_and_chroma_of_two_notes():
    frequency = measures.band_frequencies(512, 32768)
    low_d, a, e, high_a = (int(np.argmin(np.abs(frequency - hertz))) for hertz in (36.7, 440, 659.25, 880))
    power = np.zeros((3, 512, 64))
    power[0, a], power[0, high_a] = 3.0, 1.0
    power[1, a], power[1, e] = 30.0, 10.0
    power[2, low_d] = 5.0
    found = measures.sound_features(power, 32768, 256)
    np.testing.assert_allclose(found["rms"], 10 * np.log10([[4], [40], [5]]))
    np.testing.assert_allclose(found["centroid"][:2, 0], (3 * frequency[a] + frequency[[high_a, e]]) / 4)
    expected = np.zeros((3, 12))
    expected[0, 0], expected[1, [0, 7]], expected[2, 5] = 1, (0.75, 0.25), 1  # from A upwards
    np.testing.assert_allclose(found["chroma"], expected, atol=1e-12)
    assert found["tempo"].shape == (3, 1)


@pytest.mark.parametrize(("every", "tempo"), [(64, 120), (80, 96)])
def test_tempo_of_clicks(every, tempo):
    power = np.full((1, 8, 1280), 1e-4)
    power[:, :, ::every] = 1.0  # 128 frames a second
    assert measures.sound_features(power, 32768, 256)["tempo"][0, 0] == pytest.approx(tempo, rel=0.02)


def test_a_cross_fade_of_sounds_adds_powers():
    loud, silent = np.ones((1, 2, 2)), np.zeros((1, 2, 2))
    shares = [1, 0.5, 0.25, 0]
    fading = [1, 1 - 20 * np.log10(2) / 80, 1 - 20 * np.log10(4) / 80, 0]  # amplitudes of a half and a quarter
    np.testing.assert_allclose(measures.mixed_power(loud, silent, shares)[0, :, 0, 0], fading, atol=1e-6)
    rising = [0, fading[1], 1 + 20 * np.log10(0.75) / 80, 1]
    np.testing.assert_allclose(measures.mixed_power(silent, loud, shares)[0, :, 0, 0], rising, atol=1e-6)
    both = measures.mixed_power(loud, loud, [0.5], dynamic_range=40.0)
    np.testing.assert_allclose(both, 1 - 10 * np.log10(2) / 40, rtol=1e-6)
    quiet = np.full((1, 2, 2), 0.5)  # 40 dB under the loudest
    np.testing.assert_allclose(measures.mixed_power(quiet, silent, [1, 0.5])[0, :, 0, 0],
                               [0.5, 0.5 - 20 * np.log10(2) / 80], atol=1e-3)  # silence is 80 dB down, not none


def test_a_mix_is_linear_whatever_is_mixed():
    shares = [1, 0.25, 0]
    for shape in ((3, 1), (3, 4), (3, 4, 5)):
        first, second = np.full(shape, 2.0), np.full(shape, 6.0)
        found = measures.mix(first, second, shares)
        assert found.shape == (3, 3, *shape[1:])
        np.testing.assert_allclose(found, np.array([2, 5, 6]).reshape(1, 3, *[1] * (len(shape) - 1)) + 0 * found)


@pytest.mark.parametrize("width", [0.5, 1, 2, 4, 8, 16, 32])
def test_a_blur_of_the_error_asked_for_is_found(width):
    images = np.random.default_rng(0).random((2, 96, 96)).astype(np.float32)
    blurred = np.stack([gaussian_filter(one, width) for one in images])  # each by itself
    found = measures.blurred_to(images, measures.squared_error(images, blurred).mean())
    np.testing.assert_array_equal(found, blurred)


def test_time_variance_kept_is_the_square_of_what_is_left_of_the_changes():
    image = 0.5 + 0.2 * np.sign(np.sin(np.arange(40)))[None, None] * np.ones((2, 6, 1))
    half = 0.5 + (image - 0.5) / 2
    np.testing.assert_allclose(measures.time_variance_ratio(image, half), 0.25)
    tilted = image + np.arange(6)[None, :, None]  # levels of bands are no change in time
    np.testing.assert_allclose(measures.time_variance(tilted), measures.time_variance(image))


def test_octaves_and_the_flux_that_rises_only():
    np.testing.assert_allclose(measures.octaves(np.array([2.0, 0.5, 1.0, 0.0]), np.array([1.0, 1.0, 1.0, 1e-4])),
                               [1, -1, 0, 0])
    first, second = np.zeros((1, 3, 2)), np.zeros((1, 3, 2))
    first[0, :, -1], second[0, :, 0] = (0, 1, 2), (3, 0, 4)
    first[0, :, 0], second[0, :, -1] = 50, 50  # the outer frames do not meet
    assert measures.join_flux(first, second)[0] == 3 + 0 + 2


def test_reach_bend_and_order_of_paths():
    first, second = np.zeros((1, 2, 2)), np.full((1, 2, 2), 4.0)
    path = np.stack([first + 1, first + 3, first + 2], axis=1)  # ends 1 and 2, the middle at 3
    np.testing.assert_allclose(measures.reach(path, first, second), 0.25)
    np.testing.assert_allclose(measures.bend(path), (3 - 1.5) / 0.5)
    np.testing.assert_allclose(measures.bend(path[:, [0, 1, 0]]), 0)
    assert measures.path_orders([1, 0.5, 0], np.array([[0.0, 1.0, 2.0], [2.0, 2.0, 2.0], [1.0, 3.0, 2.0]])) \
        == pytest.approx([-1, 0, -0.5])


def test_genre_mass_counts_equal_genres_once():
    probability = np.tile([0.5, 0.3, 0.2], (2, 4, 1))
    np.testing.assert_allclose(measures.genre_mass(probability, np.array([[0, 1], [2, 2]])), [0.8, 0.2])


def test_the_principal_plane_keeps_the_widest_axes_about_the_mean():
    points = np.zeros((8, 3))
    points[:2, 1], points[2:4, 2], points[4:6, 0] = (9, -9), (4, -4), (1, -1)
    plane = measures.principal_plane(points + 5, 2)
    np.testing.assert_allclose(np.abs(plane(np.array([[5.0, 7.0, 5.0], [5.0, 5.0, 2.0], [9.0, 5.0, 5.0]]))),
                               [[2, 0], [0, 3], [0, 0]], atol=1e-12)


def test_drawn_codes_blend_between_two_draws():
    ends = [(np.full((1, 2), m, np.float32), np.full((1, 2), np.log(4.0), np.float32)) for m in (0.0, 10.0)]
    noise = np.zeros((1, 3, 2), np.float32)
    noise[0, 0], noise[0, 1], noise[0, 2] = 1, -1, 100  # A is drawn with the first, B with the second
    codes = inference.path_codes(*ends, inference.fractions(3), "sample", noise)[0, :, 0]
    np.testing.assert_allclose(codes, [2, 5, 8], rtol=1e-6)
    each = inference.path_codes(*ends, inference.fractions(3), "parameters", noise)[0, :, 0]
    np.testing.assert_allclose(each, [2, 3, 210], rtol=1e-6)
