"""Windows, the mask of Eq. 7, and stitching that loses nothing (dossier section 8: T14-T17)."""

import numpy as np
import pytest

from papers.lord_transfer import joining


@pytest.mark.parametrize(("hop", "count"), [(128, 10), (96, 13), (64, 19), (1, 1153)])
def test_window_counts_of_a_track(hop, count):
    assert len(joining.window_starts(1280, 128, hop)) == count


def test_a_short_track_has_no_window_and_cover_reaches_the_end():
    assert len(joining.window_starts(127, 128, 64)) == 0
    assert joining.window_starts(300, 128, 128, cover=True).tolist() == [0, 128, 172]
    assert joining.window_starts(256, 128, 128, cover=True).tolist() == [0, 128]


def test_mask_by_hand():
    np.testing.assert_allclose(joining.half_bell(4), np.array([1, 7, 21, 35]) / 35)
    np.testing.assert_allclose(joining.half_bell(8), [0.000155, 0.002331, 0.016317, 0.070707, 0.212121, 0.466667,
                                                        0.777778, 1], atol=5e-7)
    assert joining.half_bell(64)[0] == pytest.approx(8.3503e-38, rel=1e-4)


@pytest.mark.parametrize("overlap", [2, 4, 8, 32, 64])
def test_mask_rises_to_one(overlap):
    mask = joining.half_bell(overlap)
    assert mask[-1] == 1
    assert np.all(np.diff(mask) > 0)
    assert mask[-2] == pytest.approx((overlap - 1) / (overlap + 1))


def test_mask_is_late():
    mask = joining.half_bell(32)
    assert np.argmax(mask >= 0.5) + 1 == 28 and np.argmax(mask >= 0.01) + 1 == 21
    with pytest.raises(ValueError, match="no mask"):
        joining.half_bell(0)


@pytest.fixture
def track():
    return np.random.default_rng(0).random((6, 80))


def test_concatenation_gives_back_the_track(track):
    np.testing.assert_array_equal(joining.concatenate(joining.cut(track, 16, 16)), track)


@pytest.mark.parametrize("hop", [8, 12])
def test_cross_fade_gives_back_the_track(track, hop):
    windows = joining.cut(track, 16, hop)
    length = 16 + hop * (len(windows) - 1)
    np.testing.assert_allclose(joining.cross_fade(windows, hop), track[:, :length], atol=1e-12)


@pytest.mark.parametrize("step", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("first", [None, 0])
def test_columns_give_back_the_track(track, step, first):
    np.testing.assert_array_equal(joining.columns(joining.cut(track, 16, step), step, first), track)


def test_cross_fade_blends_as_equation_7():
    got = joining.cross_fade(np.stack([np.zeros((2, 8)), np.ones((2, 8))]), 4)
    np.testing.assert_allclose(got[0], [0, 0, 0, 0, 1 / 35, 7 / 35, 21 / 35, 1, 1, 1, 1, 1])


def test_cross_fade_refuses_three_overlapping_windows():
    with pytest.raises(ValueError, match="two windows"):
        joining.cross_fade(np.zeros((3, 2, 8)), 3)
    with pytest.raises(ValueError, match="between 1 and"):
        joining.columns(np.zeros((3, 2, 8)), 9)


def test_seam_ratio_sees_a_jump():
    image = np.tile(np.arange(40) * 0.01, (3, 1))
    assert joining.seam_ratio(image, [20]) == pytest.approx(1)
    image[:, 20:] += 0.04
    assert joining.seam_ratio(image, [20]) == pytest.approx(5)
    assert joining.flux(np.array([[0.0, 1.0, 0.0]])) == 1
    assert np.isnan(joining.seam_ratio(image, [])) and np.isnan(joining.seam_ratio(image, range(1, 40)))
    assert joining.seam_ratio(image, [0, 20, 40]) == pytest.approx(5)  # the ends are no seams
    ratios = [joining.seam_ratio(image, [seam], 4) for seam in range(17, 24)]  # two frames on either side of the seam
    assert ratios == pytest.approx([1, 5, 5, 5, 5, 5, 1])
