"""Notes sound at their pitch, for their length, within bounds; instruments differ as they should."""

import numpy as np
import pretty_midi
import pytest

from common.demo import percussion, synthesis, timbres

RATE = 22050


def score_of(*notes, program=0, is_drum=False):
    score = pretty_midi.PrettyMIDI()
    part = pretty_midi.Instrument(program, is_drum=is_drum)
    part.notes = [pretty_midi.Note(velocity, pitch, start, end) for pitch, start, end, velocity in notes]
    score.instruments.append(part)
    return score


def spectrum(samples):
    return np.abs(np.fft.rfft(samples * np.hanning(len(samples))))


@pytest.mark.parametrize("program", sorted(timbres.PROGRAMS))
@pytest.mark.parametrize("pitch", [45, 69, 84])
def test_every_instrument_sounds_at_its_pitch(program, pitch):
    voice = timbres.timbre(program)
    sound = synthesis.tone(voice, pitch, 1.0, 90, RATE, np.random.default_rng(0))
    assert sound.dtype == np.float32
    assert np.isfinite(sound).all()
    power = spectrum(sound) ** 2
    hertz = np.fft.rfftfreq(len(sound), 1 / RATE)
    fundamental = 440 * 2 ** ((pitch - 69) / 12)
    nearest = np.round(hertz / fundamental)
    harmonic = (nearest >= 1) & (np.abs(hertz - nearest * fundamental) < 0.045 * fundamental)
    share = power[harmonic].sum() / power[hertz > 40].sum()
    assert share > (0.5 if voice.voices > 1 or voice.chiff[0] > -25 else 0.8)


def test_nothing_folds_back_from_above_half_the_sample_rate():
    sound = synthesis.tone(timbres.LEAD, 108, 1.0, 127, RATE, np.random.default_rng(0))  # C8, 4186 Hz: two partials
    power = spectrum(sound) ** 2
    hertz = np.fft.rfftfreq(len(sound), 1 / RATE)
    partials = (np.abs(hertz - 4186) < 100) | (np.abs(hertz - 8372) < 100)
    assert power[~partials].sum() < 1e-3 * power.sum()


def test_clarinet_lacks_even_partials_and_brass_grows_bright():
    power = spectrum(synthesis.tone(timbres.CLARINET, 57, 1.0, 90, RATE, np.random.default_rng(0))) ** 2
    hertz = np.fft.rfftfreq(2 * len(power) - 2, 1 / RATE)
    even, odd = (power[np.abs(hertz - 220 * number) < 20].sum() for number in (2, 3))
    assert even < odd / 50
    centroid = []
    for velocity in (20, 127):
        power = spectrum(synthesis.tone(timbres.TRUMPET, 65, 1.0, velocity, RATE, np.random.default_rng(0))) ** 2
        centroid.append((power * np.fft.rfftfreq(2 * len(power) - 2, 1 / RATE)).sum() / power.sum())
    assert centroid[1] > 1.2 * centroid[0]


def test_plucked_notes_die_away_and_blown_ones_do_not():
    def late_share(voice):
        sound = synthesis.tone(voice, 69, 2.0, 90, RATE, np.random.default_rng(0))
        return np.mean(sound[int(1.5 * RATE) : 2 * RATE] ** 2) / np.mean(sound[int(0.2 * RATE) : int(0.7 * RATE)] ** 2)

    assert late_share(timbres.NYLON) < 0.05
    assert 0.5 < late_share(timbres.FLUTE) < 2


def test_a_rendering_lasts_a_second_longer_and_keeps_its_peak():
    score = score_of((60, 0.0, 1.0, 127), (64, 0.5, 2.0, 127), program=30)
    sound = synthesis.render(score, RATE, level=-3.0)
    assert sound.dtype == np.float32
    assert abs(len(sound) / RATE - 3.0) < 0.01
    assert np.abs(sound).max() <= synthesis.PEAK * (1 + 1e-6)


@pytest.mark.parametrize("level", [-28.0, -20.0])
def test_the_level_is_the_one_asked_for(level):
    notes = [(60 + step % 12, step / 4, step / 4 + 0.25, 90) for step in range(16)]
    sound = synthesis.render(score_of(*notes, program=16), RATE, level=level)
    assert abs(20 * np.log10(np.sqrt(np.mean(sound**2))) - level) < 0.1


def test_same_seed_same_samples():
    score = score_of((60, 0, 1, 90), (38, 0.5, 1, 90), program=73)
    assert np.array_equal(synthesis.render(score, RATE, seed=1), synthesis.render(score, RATE, seed=1))
    assert not np.array_equal(synthesis.render(score, RATE, seed=1), synthesis.render(score, RATE, seed=2))


def test_an_empty_score_is_silence_and_an_endless_one_refused():
    assert not synthesis.render(pretty_midi.PrettyMIDI(), RATE).any()
    with pytest.raises(ValueError, match="4000 s"):
        synthesis.render(score_of((60, 0, 4000, 90)), RATE)


def test_every_drum_key_sounds_and_ends():
    for key in range(128):
        hit = percussion.sound(key, RATE)
        assert 0.05 < np.abs(hit).max() < 2
        assert np.abs(hit[-10:]).max() < 0.02
