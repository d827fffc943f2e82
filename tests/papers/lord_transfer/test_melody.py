"""What stands in for listening: who follows whom, how different transfers are."""

import numpy as np
import pytest

from common import probes
from common.config import resolve
from common.demo import medley_solos_db
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


# ---- note by note ------------------------------------------------------------------------------------------------

def line_of(pitches, frames=8, bands=64):
    """A picture (bands, frames * notes, 1) of a line of tones with eight harmonics over a floor."""
    import librosa

    centres = librosa.mel_frequencies(bands + 2, fmin=0, fmax=CONFIG.sample_rate / 2)[1:-1]
    image = np.full((bands, frames * len(pitches), 1), 0.1)
    for number, pitch in enumerate(pitches):
        for harmonic in range(1, 9):
            place = np.abs(centres - harmonic * 440 * 2 ** ((pitch - 69) / 12)).argmin()
            image[place, number * frames:(number + 1) * frames] = 1 - 0.08 * harmonic
    return image


def test_the_pitch_of_a_line_is_found_note_by_note():
    played = (57, 64, 69, 76, 60)
    found = notes.tracked(line_of(played)[None], CONFIG)[0].reshape(5, 8)
    assert (np.abs(found - np.array(played)[:, None]) <= 1).all() and (np.ptp(found, axis=1) == 0).all()


def test_notes_agree_to_a_semitone_whatever_the_octave():
    """A source of two notes of four and two frames: of their six frames what a transfer has more than by chance."""
    scores = [[(0, 4, 60), (6, 8, 67)], []]
    made = np.array([[60] * 8, [73, 71, 47, 48, 3, 3, 79, 66], [63] * 8, [3, 3, 60, 60, 60, 60, 67, 3]])
    found = notes.note_agreement(scores, made)
    by_hand = [0, (4 - 4 * 4 / 8 + 2 - 2 * 2 / 8) / 6, 0, (2 - 4 * 4 / 8 + 1 - 2 * 1 / 8) / 6]
    np.testing.assert_allclose(found[0], by_hand)
    assert np.isnan(found[1]).all()
    held = np.array([[60] * 8, [60, 67] * 4])  # one tone, and both notes all the time: no melody in time
    np.testing.assert_allclose(notes.note_agreement(scores, held), [[0, 0], [np.nan, np.nan]], atol=1e-12)
    shares = notes.ahead_of_rivals(np.array([[[0.5, 0.1, 0.9], [0.2, 0.4, 0.9], [np.nan] * 3]]), np.zeros(3))
    np.testing.assert_array_equal(shares, [[1, 1, np.nan]])  # the third source has no note to agree with
    excess = notes.excess_over_rivals(np.array([[[0.5, 0.1, 0.9], [0.2, 0.4, 0.9], [np.nan] * 3]]), np.zeros(3))
    np.testing.assert_allclose(excess, [[0.3, 0.3, np.nan]])


def test_seconds_become_frames_of_the_window():
    hop = CONFIG.hop / CONFIG.sample_rate
    found = notes.in_frames([(0, 4 * hop, 60), (3.9 * hop, 4.1 * hop, 62), (62 * hop, 99 * hop, 64)], 64, CONFIG)
    assert found == [(0, 4, 60), (4, 5, 62), (62, 64, 64)]


def test_the_demos_notes_are_what_its_clips_play(tmp_path):
    """Notes are tracked when they are played; those of other clips are not there at their times."""
    from common import audio
    from papers.lord_transfer import preprocess

    jobs = medley_solos_db.write(tmp_path, "smoke", False, 0)
    played = medley_solos_db.read_notes(tmp_path)
    assert len(played) == sum(len(job.arguments[0]) for job in jobs)
    images, scores = [], []
    for job in (jobs[0], jobs[-1]):  # a clarinet and a violin
        job.make(job.path, *job.arguments)
        for path in job.arguments[0]:
            image = preprocess.spectrogram(audio.load(path, CONFIG.sample_rate), CONFIG)[0][:, :CONFIG.frames]
            images.append(image[..., None])
            scores.append(notes.in_frames(played[path.stem.split("_")[-1]], CONFIG.frames, CONFIG))
    found = notes.note_agreement(scores, notes.tracked(np.stack(images), CONFIG))
    assert (found.argmax(axis=1) == np.arange(6)).all() and np.diag(found).mean() > 0.4
    assert np.abs(found[~np.eye(len(found), dtype=bool)]).mean() < 0.1
    assert medley_solos_db.read_notes(tmp_path / "elsewhere") == {}
