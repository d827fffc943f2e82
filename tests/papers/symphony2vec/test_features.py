"""The three representations: shapes, ranges and the library's own result (dossier 2.2, 2.6, 2.7)."""

import librosa
import numpy as np
import pytest

from papers.symphony2vec import features

RATE = 22050


@pytest.fixture(scope="module")
def clip():
    random = np.random.default_rng(0)
    t = np.arange(10 * RATE) / RATE
    tone = sum(np.sin(2 * np.pi * f * t) / k for k, f in enumerate((220.0, 277.2, 329.6, 440.0), 1))
    return np.float32(0.1 * tone * (1 + 0.5 * np.sin(3 * t)) + 0.01 * random.normal(size=len(t)))


def test_shapes_and_ranges(clip):
    out = features.clip_features(clip)
    assert {name: image.shape for name, image in out.items()} == {
        "chroma": (12, 431), "mfcc": (13, 431), "mel": (64, 431)
    }  # fmt: skip
    assert all(image.dtype == np.float32 for image in out.values())
    assert out["mel"].max() == 0.0 and out["mel"].min() >= -80.0
    assert np.allclose(out["chroma"].max(axis=0), 1.0)
    assert 1 + 220500 // 512 == 431


def test_one_transform_gives_what_the_library_gives(clip):
    ours = features.clip_features(clip)
    options = {"y": clip, "sr": RATE, "pad_mode": "reflect"}
    mel = librosa.power_to_db(librosa.feature.melspectrogram(n_mels=64, fmax=8000, **options), ref=np.max)
    assert np.allclose(ours["mel"], mel, atol=1e-3)
    wide = librosa.power_to_db(librosa.feature.melspectrogram(**options))
    assert np.allclose(ours["mfcc"], librosa.feature.mfcc(S=wide, n_mfcc=13), atol=1e-2)
    chroma = librosa.feature.chroma_stft(**options)
    assert np.allclose(ours["chroma"], chroma, atol=1e-3)


def test_mfcc_keeps_the_level_and_mel_does_not(clip):
    loud, soft = features.clip_features(clip), features.clip_features(0.1 * clip)
    assert np.allclose(loud["mel"], soft["mel"], atol=1e-2)
    # 20 dB on each of 128 bands through an orthonormal cosine transform
    assert np.mean(loud["mfcc"][0] - soft["mfcc"][0]) == pytest.approx(20 * 128**0.5, rel=0.02)
    assert np.allclose(loud["mfcc"][1:], soft["mfcc"][1:], atol=0.5)


def test_a_silent_clip_gives_finite_features():
    out = features.clip_features(np.zeros(220500, np.float32))
    assert all(np.isfinite(image).all() for image in out.values())


def test_clips_drop_the_remainder():
    samples = np.arange(25, dtype=np.float32)
    assert features.clips(samples, sample_rate=1, seconds=10).shape == (2, 10)
    assert features.clips(samples[:9], sample_rate=1, seconds=10).shape == (0, 10)


def test_crop_is_the_lowest_corner():
    images = np.arange(64 * 431, dtype=np.float32).reshape(1, 64, 431)
    crop = features.crop(images)
    assert crop.shape == (1, 32, 32, 1)
    assert crop[0, 0, 0, 0] == 32 and crop[0, 31, 31, 0] == 31 * 431 + 63
    centres = librosa.mel_frequencies(66, fmin=0, fmax=8000)[1:-1]
    assert (centres[0], centres[31]) == (pytest.approx(46.4, abs=0.1), pytest.approx(1649, abs=1))


def test_unit_scale_covers_the_sigmoid():
    assert features.unit_scale(np.array([-80.0, -40.0, 0.0])).tolist() == [0.0, 0.5, 1.0]


def test_one_scalar_mean_and_deviation():
    images = np.random.default_rng(1).normal(3, 2, (4, 5, 6)).astype(np.float32)
    mean, deviation = features.mean_and_deviation([features.moments(image) for image in images])
    assert (mean, deviation) == (pytest.approx(images.mean(), rel=1e-5), pytest.approx(images.std(), rel=1e-5))


def test_a_small_deviation_is_kept_and_that_of_constants_is_one():
    assert features.mean_and_deviation([(3.0, 9.25)]) == (3.0, 0.5)  # a variance of a quarter
    assert features.mean_and_deviation([(3.0, 9.0), (3.0, 9.0)]) == (3.0, 1.0)
    assert features.mean_and_deviation([(1.0, 1.0), (3.0, 9.0)]) == (2.0, 1.0)


@pytest.mark.parametrize("clips, bands, pieces", [(5366, 1, 59026), (3842, 1, 42262), (768, 2, 8448)])
def test_chunks(clips, bands, pieces):
    images = np.broadcast_to(np.arange(431, dtype=np.float32), (clips, bands, 431))
    x, y = features.chunks(images, np.arange(clips))
    assert x.shape == (pieces, bands, 36)
    assert y[:clips].tolist() == list(range(clips)) and y[clips] == 0
    assert x[0, 0, 0] == 0 and x[clips, 0, 0] == 36 and x[-1, 0, -1] == 395


def test_ranges_of_the_programs_scale():
    mean, deviation = -39.25553443598964, 16.763774999817553
    assert ((-80 - mean) / deviation, -mean / deviation) == pytest.approx((-2.430507, 2.341688), abs=1e-6)
    assert (mean, mean + deviation) == pytest.approx((-39.255534, -22.491759), abs=1e-6)  # a sigmoid's reach
    assert mean - deviation == pytest.approx(-56.019309, abs=1e-6)  # tanh's lower end
    mean, deviation = 0.2806374888288301, 0.29424393073518096
    assert (-mean / deviation, (1 - mean) / deviation) == pytest.approx((-0.953758, 2.444783), abs=1e-5)
