"""The way back to sound, and the measures that replace listening."""

import dataclasses

import numpy as np
import pytest

from common import inversion
from papers.lord_transfer import melody, preprocess, sound
from papers.lord_transfer.config import Config
from tests.papers.lord_transfer.test_preprocess import tone

PAPER = Config()
SOUND = dataclasses.replace(PAPER, inversion="nonnegative")


@pytest.fixture(scope="module")
def clip():
    return preprocess.spectrogram(tone(), PAPER)


def test_sound_keeps_level_and_pitch(clip):
    for config in (PAPER, SOUND):
        samples = sound.to_audio(*clip, config)
        assert abs(len(samples) - 65_536) <= 512
        assert np.sqrt(np.mean(samples**2)) == pytest.approx(np.sqrt(np.mean(tone() ** 2)), rel=0.35)


def test_the_pseudo_inverse_costs_more_than_the_non_negative_inversion(clip):
    pinv, better = (sound.inversion_error(*clip, config) for config in (PAPER, SOUND))
    assert better < pinv and better < 8


def test_equal_magnitudes_have_equal_errors(clip, monkeypatch):
    """Both inverses take the same way from magnitudes to sound, so that these alone make a difference."""
    monkeypatch.setattr(sound, "linear_power", lambda mel, config: np.float64(
        inversion.mel_to_magnitude(mel, config.sample_rate, config.fft_size)) ** 2)
    pinv, better = (sound.inversion_error(*clip, config) for config in (PAPER, SOUND))
    assert pinv == better


def test_negative_power_is_clipped():
    mel = np.random.default_rng(0).random((128, 5))
    raw = sound.pseudo_inverse(22_050, 2048, 128) @ mel
    assert (raw < 0).any() and sound.linear_power(mel, PAPER).min() == 0


def test_chroma_follows_pitch_and_not_level(clip):
    image = clip[0]
    same = melody.chroma(np.clip(image - 0.1, 0, 1), PAPER)
    other = melody.chroma(preprocess.spectrogram(tone(pitch=311.1), PAPER)[0], PAPER)
    own = melody.chroma(image, PAPER)
    assert np.mean(np.sum(own * same, axis=0)) > 0.95 and np.mean(np.sum(own * other, axis=0)) < 0.75


def test_pitch_agreement_ignores_octaves():
    one = np.array([220.0, 220.0, np.nan, 330.0])
    assert melody.pitch_agreement(one, np.array([440.0, 225.0, 100.0, np.nan])) == pytest.approx(2 / 3)
    assert np.isnan(melody.pitch_agreement(np.array([np.nan]), np.array([220.0])))


def test_bass_share_of_low_and_high_tones():
    low, high = (melody.bass_share(preprocess.spectrogram(tone(pitch=pitch), PAPER)[0], PAPER) for pitch in (100, 2000))
    assert low > -3 and high < -20


def test_bass_share_of_a_flat_spectrum():
    """128 bands lie 25.79 Hz apart below 1 kHz, so nine of their centres are under 250 Hz and eleven under 300 Hz."""
    flat = np.ones((128, 3))
    assert melody.bass_share(flat, PAPER) == pytest.approx(10 * np.log10(9 / 128))
    assert melody.bass_share(flat, PAPER, below=300.0) == pytest.approx(10 * np.log10(11 / 128))
    flat[:9] = 0.5  # 40 dB down
    assert melody.bass_share(flat, PAPER) == pytest.approx(10 * np.log10(9e-4 / (119 + 9e-4)))


def test_onsets_count_notes():
    notes = np.concatenate([np.r_[tone(8000, pitch=p) * np.linspace(1, 0.05, 8000), np.zeros(3000)]
                            for p in (220, 330, 262, 392, 294)])
    many = melody.onsets(preprocess.spectrogram(notes, PAPER)[0], PAPER)
    one = melody.onsets(preprocess.spectrogram(tone(), PAPER)[0], PAPER)
    assert many >= 4 > one


def test_phase_gives_sound_without_griffin_lim():
    image, reference = preprocess.spectrogram(tone(), PAPER, phase=True)
    stacked = np.stack([image[:128], image[128:256], image[256:]], axis=-1)
    samples = sound.phase_to_audio(stacked, reference, PAPER)
    assert np.isfinite(samples).all() and np.sqrt(np.mean(samples**2)) > 0.01


def test_the_pitch_of_a_tone_is_in_hertz():
    found = melody.pitch(tone(22_050, pitch=330.0), PAPER)
    voiced = found[~np.isnan(found)]
    assert len(voiced) > len(found) / 2 and np.abs(1200 * np.log2(voiced / 330.0)).max() < 20


@pytest.mark.parametrize(("cents", "agree"), [(49, 1.0), (-49, 1.0), (51, 0.0), (-51, 0.0), (1249, 1.0), (-1251, 0.0)])
def test_half_a_semitone_up_or_down_is_the_same_pitch_class(cents, agree):
    one = np.full(4, 440.0)
    assert melody.pitch_agreement(one, one * 2 ** (cents / 1200)) == agree
