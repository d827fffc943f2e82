"""Inversion against librosa: the same spectrograms, and sound whose mel spectrogram is no further off."""

import numpy as np
import pytest
import scipy.sparse

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
    assert inversion.relative_mel_error(ours, target, RATE, N_FFT, HOP) <= 0.6 * their_error
    assert their_error < 0.5  # so that the comparison is with something that works


def test_free_magnitudes_come_nearer_than_griffin_lim_from_magnitudes_that_no_sound_has():
    target = mel(chord())
    fixed = inversion.griffin_lim(inversion.mel_to_magnitude(target, RATE, N_FFT), N_FFT, HOP, iterations=100)
    free = inversion.mel_to_audio(target, RATE, N_FFT, HOP)
    far, near = (np.abs(inversion.power_to_db(np.maximum(mel(sound), 1e-6) / np.maximum(target, 1e-6))).mean()
                 for sound in (fixed, free))
    assert near < 0.75 * far


def _by_peaks(wave):
    """Samples from the magnitudes of a wave alone."""
    magnitude = np.abs(np.fft.rfft(inversion._frames(wave, N_FFT, 512) * inversion._window(N_FFT))).astype(np.float32)
    return inversion._sound(inversion._polar(magnitude, inversion._peak_phases(magnitude, N_FFT, 512, 0)), N_FFT, 512)


@pytest.mark.parametrize("frequency", [500.0, 503.0, 3111.1])
def test_phases_that_follow_the_peaks_make_the_sine_that_a_spectrum_is_of(frequency):
    wave = np.sin(2 * np.pi * frequency * np.arange(RATE) / RATE).astype(np.float32)
    sound = _by_peaks(wave)
    spectrum = np.fft.rfft(sound[N_FFT:-N_FFT], 16 * RATE)
    assert np.abs(spectrum).argmax() / 16 == pytest.approx(frequency, abs=0.5)
    assert np.abs(sound[N_FFT:-N_FFT]).max() == pytest.approx(1, abs=0.05)  # whole: no frame against its neighbours


def test_scaling_makes_every_band_right_where_bands_share_no_bin():
    bank = scipy.sparse.csr_matrix(np.float32([[1, 2, 0, 0, 0], [0, 0, 0, 0.5, 0]]))
    spectrum = np.random.default_rng(0).normal(size=(3, 5, 2)).astype(np.float32).view(np.complex64)[..., 0]
    mel, before = np.float32([[9, 9, 1, 4], [9, 9, 2, 0]]), spectrum.copy()
    inversion._scaling(mel, bank)(spectrum[:2], slice(2, 4))
    np.testing.assert_allclose(bank @ np.square(np.abs(spectrum[:2])).T, mel[:, 2:], rtol=1e-5)
    np.testing.assert_allclose(np.angle(spectrum[0, :2]), np.angle(before[0, :2]), rtol=1e-5)
    assert not spectrum[:2, [2, 4]].any() and np.array_equal(spectrum[2], before[2])


def test_passes_on_the_low_part_change_only_bins_under_its_bands_and_make_those_bands_right():
    target, bank = mel(chord())[:, ::2], inversion.mel_bank(RATE, N_FFT, BANDS)
    magnitude = np.ascontiguousarray(inversion.mel_to_magnitude(target, RATE, N_FFT).T)
    before = inversion._polar(magnitude, inversion._peak_phases(magnitude, N_FFT, 2 * HOP, 0))
    after = before.copy()
    inversion._improve_low_part(after, target, bank, N_FFT, 2 * HOP, 100, 0.99)
    low = np.flatnonzero((bank.toarray()[:, N_FFT // 16 + 1:] == 0).all(axis=1))
    assert 20 < len(low) < BANDS // 2
    changed = np.flatnonzero((before != after).any(axis=0))
    np.testing.assert_array_equal(changed, np.flatnonzero(bank.toarray()[low].any(axis=0)))

    def error(spectrum):
        made = inversion.mel_power(inversion._centre(inversion._sound(spectrum, N_FFT, 2 * HOP), N_FFT, 2 * HOP,
                                                     len(spectrum)), RATE, N_FFT, 2 * HOP, BANDS)
        return np.linalg.norm(np.sqrt(made[low]) - np.sqrt(target[low])) / np.linalg.norm(np.sqrt(target[low]))

    assert error(after) < 0.5 * error(before)


def test_phases_follow_a_glissando():
    time = np.arange(RATE) / RATE
    wave = np.sin(2 * np.pi * (500 * time + 200 * time**2)).astype(np.float32)
    wanted, found = (np.abs(np.fft.rfft(inversion._frames(sound, N_FFT, 512) * inversion._window(N_FFT))) for sound in (
        wave, _by_peaks(wave)))
    assert np.linalg.norm(found - wanted) < 0.2 * np.linalg.norm(wanted)


@pytest.mark.parametrize("frames", [2, 3, 4, 5])
def test_every_number_of_frames_has_its_length(frames):
    assert inversion.mel_to_audio(mel(chord())[:, :frames], RATE, N_FFT, HOP).shape == (HOP * (frames - 1),)


@pytest.mark.parametrize("frames", [62, 63])
def test_the_end_is_as_good_as_what_follows_it_is_unknown(frames):
    noise = (0.1 * np.random.default_rng(0).standard_normal(RATE)).astype(np.float32)
    target = mel(noise)[:, :frames]
    again = mel(inversion.mel_to_audio(target, RATE, N_FFT, HOP))
    difference = np.abs(inversion.power_to_db(again / target)).mean(axis=0)
    assert difference[20:30].mean() < 0.2 and difference[-3] < 0.6


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
