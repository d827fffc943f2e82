"""Inversion against librosa: the same spectrograms, and sound whose mel spectrogram is no further off."""

import numpy as np
import pytest

from common import inversion

RATE, N_FFT, HOP, BANDS = 16384, 2048, 256, 128


def chord(seconds=1.5, rate=RATE):
    """Three decaying notes with partials over a little noise: loud and quiet bands, onsets and tails."""
    time = np.arange(int(seconds * rate)) / rate
    random = np.random.default_rng(0)
    sound = 0.002 * random.standard_normal(len(time))
    for start, pitch in ((0.0, 220.0), (0.4, 330.0), (0.8, 495.0)):
        age = np.clip(time - start, 0, None)
        envelope = (time >= start) * np.exp(-3 * age)
        sound += sum(0.2 / k * envelope * np.sin(2 * np.pi * k * pitch * age) for k in range(1, 8))
    return sound.astype(np.float32)


def mel(samples):
    return inversion.mel_power(samples, RATE, N_FFT, HOP, BANDS)


def test_mel_power_equals_librosa():
    import librosa

    sound = chord()
    theirs = librosa.feature.melspectrogram(
        y=sound, sr=RATE, n_fft=N_FFT, hop_length=HOP, n_mels=BANDS, pad_mode="reflect"
    )
    ours = inversion.mel_power(sound, RATE, N_FFT, HOP, BANDS, pad_mode="reflect")
    assert ours.shape == theirs.shape == (BANDS, 1 + len(sound) // HOP)
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-6 * theirs.max())


def test_decibels_and_back():
    power = np.array([1e-9, 1.0, 32768.0], np.float32)
    np.testing.assert_allclose(inversion.power_to_db(power), [-90.0, 0.0, 45.154], atol=1e-3)
    np.testing.assert_allclose(inversion.db_to_power(inversion.power_to_db(power, 2.0), 2.0), power, rtol=1e-4)


def test_filter_bank_inversion_gives_back_the_mel_spectrogram():
    target = mel(chord())
    magnitude = inversion.mel_to_magnitude(target, RATE, N_FFT)
    again = inversion.mel_bank(RATE, N_FFT, BANDS) @ np.square(magnitude)
    assert np.all(magnitude >= 0)
    assert np.linalg.norm(np.sqrt(again) - np.sqrt(target)) < 0.02 * np.linalg.norm(np.sqrt(target))


def test_error_is_no_worse_than_librosas():
    import librosa

    target = mel(chord())
    theirs = librosa.feature.inverse.mel_to_audio(target, sr=RATE, n_fft=N_FFT, hop_length=HOP)
    ours = inversion.mel_to_audio(target, RATE, N_FFT, HOP)
    their_error = inversion.relative_mel_error(theirs, target, RATE, N_FFT, HOP)
    assert inversion.relative_mel_error(ours, target, RATE, N_FFT, HOP) <= their_error
    assert their_error < 0.5  # so that the comparison is with something that works


def test_momentum_helps_at_equal_iterations():
    target = mel(chord())
    error = {momentum: inversion.relative_mel_error(
        inversion.mel_to_audio(target, RATE, N_FFT, HOP, iterations=30, momentum=momentum), target, RATE, N_FFT, HOP)
        for momentum in (0.0, 0.99)}
    assert error[0.99] < 0.9 * error[0.0]


def test_length_level_and_repeatability():
    target = mel(chord())
    sound = inversion.mel_to_audio(target, RATE, N_FFT, HOP, iterations=10)
    assert sound.dtype == np.float32 and sound.shape == (HOP * (target.shape[1] - 1),)
    np.testing.assert_array_equal(sound, inversion.mel_to_audio(target, RATE, N_FFT, HOP, iterations=10))
    louder = inversion.mel_to_audio(100 * target, RATE, N_FFT, HOP, iterations=10)
    np.testing.assert_allclose(louder, 10 * sound, atol=2e-2 * np.abs(louder).max())


def test_a_hop_that_does_not_divide_the_window():
    sound = chord()
    target = inversion.mel_power(sound, RATE, 2048, 300, BANDS)
    again = inversion.mel_to_audio(target, RATE, 2048, 300, iterations=30)
    assert inversion.relative_mel_error(again, target, RATE, 2048, 300) < 0.15


def test_silence_gives_silence():
    assert not np.any(inversion.mel_to_audio(np.zeros((BANDS, 20)), RATE, N_FFT, HOP, iterations=3))


@pytest.mark.parametrize("bad", [np.zeros(5), np.zeros((BANDS, 1)), np.full((BANDS, 9), np.nan)])
def test_bad_spectrograms_are_refused(bad):
    with pytest.raises(ValueError, match="mel_to_audio needs"):
        inversion.mel_to_audio(bad, RATE, N_FFT, HOP)
