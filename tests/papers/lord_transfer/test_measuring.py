"""From a model to what is measured on it: controls are what they are called, siblings are of the same kind of data."""

import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pytest

from papers.lord_transfer import data, evaluate, exceeding, listener, measuring, melody, sound, trained as using
from papers.lord_transfer.config import Config
from tests.papers.lord_transfer import fabricated
from tests.papers.lord_transfer.small import SMALL, learner_of, make_store, one_step


@pytest.fixture(scope="module")
def held(tmp_path_factory):
    return make_store(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def measured(held):
    """The small model after some updates, and everything measured on it; sound and pitch are left out."""
    patch = pytest.MonkeyPatch()
    learner, stages = learner_of(SMALL, held)
    for index in range(3):
        one_step(learner, stages[0], index)
    ear, _ = learner_of(SMALL, held, "classifier")
    found = data.windows(SMALL, held)
    model = using.Trained(SMALL, learner, listener.ear(ear), data.Reader(SMALL, held),
                          data.training_windows(SMALL, held), found.take(found.of("ear")), found.take(found.of("test")))
    patch.setattr(using, "load", lambda *words: model)
    patch.setattr(measuring.training, "history", lambda directory: [])
    patch.setattr(measuring, "measure_sound", lambda found, model, references: setattr(
        found, "references", np.array(references)) or found)
    patch.setattr(melody, "chromas", lambda images, config: images[..., 0])
    asked = []
    judge = measuring.judge
    patch.setattr(measuring, "judge", lambda *words: asked.append(words[3]) or judge(*words))
    result = measuring.measure(SMALL, held, SimpleNamespace(model_directory=str), "lord", "")
    patch.undo()
    return result, model, asked[0]


@pytest.mark.slow
def test_every_control_is_judged_like_the_transfers(measured):
    result, model, answers = measured
    np.testing.assert_array_equal(result.references, model.reader.store.array("reference"))  # the sound is measured too
    assert set(result.judged) == {"transfers", *exceeding.EVERY} == set(answers)
    count, clips = len(model.labels), len(result.classes)
    for name, one in result.judged.items():
        for values in (one.hits, one.second, one.rhythm, one.notes, one.excess, one.by_note, one.kept, one.joint):
            assert values.shape == (count, clips), name
    own = result.heard.others
    assert (result.judged["untransferred"].notes[own] == 1).all()
    assert (result.judged["static filter"].rhythm[own] > 0.9).mean() > 0.9
    assert (result.judged["mean picture"].notes[own].mean()) == pytest.approx(0.5)


def test_scores_are_of_the_windows_own_row_and_time(measured, held):
    """The store has a note of a second for every row but the last: its clips have no score."""
    _, model, _ = measured
    hop = SMALL.hop / SMALL.sample_rate
    for row, start, score in zip(model.test.rows, model.test.starts, measuring.scores(model, held), strict=True):
        until = min(SMALL.frames, round(1 / hop) - start)
        wanted = [(0, until, 60 + row % 5)] if until > 0 and row < len(held.index) - 1 else []
        assert score == wanted, (row, start)
    silent = SimpleNamespace(array=lambda name: np.zeros((0, 4)))
    assert measuring.scores(model, silent) is None


def test_controls_of_the_network_are_untrained(measured):
    result, model, answers = measured
    untrained = measuring.untrained_encoder(SMALL, model.reader.store)
    mine, theirs = model.learner.networks["content_encoder"].get_weights(), untrained.get_weights()
    assert any(not np.array_equal(a, b) for a, b in zip(mine, theirs, strict=True))
    codes = listener.in_batches(untrained, result.images)
    wanted = using.all_transfers(model, result.images, codes)
    np.testing.assert_array_equal(answers[exceeding.UNTRAINED], wanted)
    np.testing.assert_array_equal(answers["transfers"], result.transfers)
    assert not np.array_equal(answers["transfers"], wanted)
    assert set(result.probe) == {"noisy", "clean", "untrained"}


def test_pictures_come_from_training_clips_and_errors_are_of_held_out_ones(measured):
    result, model, answers = measured
    clips = model.reader.read(model.trained_on, range(len(model.trained_on)))
    means = np.stack([clips[model.trained_on.classes == b].mean(axis=0) for b in range(3)])
    np.testing.assert_allclose(answers["mean picture"][:, 0], means, atol=1e-6)
    np.testing.assert_allclose(result.mean_errors, np.abs(result.images - means[result.classes]).mean(axis=(1, 2, 3)),
                               atol=1e-6)
    medians = np.stack([np.median(clips[model.trained_on.classes == b], axis=0) for b in range(3)])
    wanted = np.abs(result.images - medians[result.classes]).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(result.median_errors, wanted, atol=1e-6)
    rebuilt = result.transfers[result.classes, range(len(result.classes))]
    np.testing.assert_allclose(result.errors, np.abs(result.images - rebuilt).mean(axis=(1, 2, 3)), atol=1e-6)
    again = using.generate(model, using.encode(model, clips), using.class_codes(model)[model.trained_on.classes])
    assert result.training_error == pytest.approx(np.abs(again - clips).mean(), rel=1e-4)
    held_out = {model.reader.store.index[row]["group"] for row in model.test.rows}
    assert set(result.groups) == held_out and not held_out & {
        model.reader.store.index[row]["group"] for row in model.trained_on.rows}


def test_what_the_ears_say_of_what_they_should_know(measured):
    result, _, _ = measured
    ears = result.ears
    assert set(ears) == {"first", "second", "by_class", "confusion", "silence", "noise", "mean_pictures"}
    assert ears["first"] == result.heard.accuracy == pytest.approx(np.mean(list(ears["by_class"].values())))
    assert 1 / 3 < ears["second"] <= 1  # the small corpus' classes differ in level
    assert set(ears["mean_pictures"]) == {"flute", "piano", "violin"} and "%" in ears["silence"]


def test_tracks_are_joined_and_one_is_given_to_another_class(measured, monkeypatch):
    result, model, _ = measured
    monkeypatch.setattr(sound, "to_audio", lambda image, reference, config: image)
    monkeypatch.setattr(sound, "log_spectral_distance", lambda samples, image, *rest: np.abs(samples - image).mean())
    monkeypatch.setattr(sound, "inconsistency", lambda image, *rest: 0.0)
    measuring.measure_tracks(result, model, np.arange(len(model.reader.store.index)))
    (row,) = {row for row, group in ((r, model.reader.store.index[r]["group"]) for r in model.test.rows)
              if group == result.track_groups[0]}
    np.testing.assert_array_equal(result.joined["the track"], model.reader.image(row))
    assert len(result.tracks) == len(result.track_groups) == SMALL.stitched_tracks and result.joined_reference == row
    label = model.labels.index(model.reader.store.index[row]["label"])
    whole = result.joined["the track"][None, :, :16]
    np.testing.assert_allclose(result.joined["concatenation"][:, :16], using.rebuild(model, label, whole)[0], atol=1e-6)
    given = result.joined[f"given to {model.labels[(label + 1) % 3]}, columns 16"]
    np.testing.assert_allclose(given[:, :16], using.rebuild(model, (label + 1) % 3, whole)[0], atol=1e-6)


def test_what_is_measured_of_the_sound(monkeypatch):
    """Twelve clips whose first pixel is their number: eight evenly spaced ones go to sound, each with its reference."""
    images = np.zeros((12, 4, 4, 1))
    images[:, 0, 0, 0] = np.arange(12)
    found = fabricated.model(images=images, transfers=np.stack([images] * 3))
    references, rows = 100.0 * np.arange(30), np.arange(12) + 10
    answer = SimpleNamespace(config=fabricated.CONFIG, test=SimpleNamespace(rows=rows))
    asked, joined = [], []
    monkeypatch.setattr(melody, "pitch_measures", lambda images, transfers, classes, config, clips: clips)
    monkeypatch.setattr(melody, "onsets", lambda image, config: image[0, 0] + 0.5)
    monkeypatch.setattr(sound, "inversion_error", lambda image, reference, config: (
        image[0, 0] + reference + (0.25 if config.inversion == "pinv" else 0)))
    monkeypatch.setattr(measuring, "heard_after_inversion", lambda *words: asked.append(words[1:]) or 0.75)
    monkeypatch.setattr(measuring, "measure_tracks", lambda *words: joined.append(words))
    result = measuring.measure_sound(found, answer, references)
    picked = [0, 2, 3, 5, 6, 8, 9, 11]
    assert result.inversion["picked"].tolist() == picked and result.pitch == fabricated.CONFIG.pitch_clips
    np.testing.assert_array_equal(result.references, references[rows])
    np.testing.assert_array_equal(result.inversion["nonnegative"], [k + 100 * (k + 10) for k in picked])
    np.testing.assert_array_equal(result.inversion["pinv"], result.inversion["nonnegative"] + 0.25)
    np.testing.assert_array_equal(result.onsets, np.arange(12) + 0.5)
    (sent, levels, classes), = asked
    np.testing.assert_array_equal(sent[:, 0, 0, 0], picked)
    np.testing.assert_array_equal(levels, references[rows][picked])
    np.testing.assert_array_equal(classes, fabricated.CLASSES[picked])
    # Four numbers in a row lie 5 / 3 apart on average, twelve 13 / 3.
    assert result.ears["after_inversion"] == 0.75 and result.variety == pytest.approx(13 / 5) and not joined
    for changes, times in (({"data_set": "folder"}, 1), ({"data_set": "fma_medium", "phase": "angle"}, 0)):
        answer.config = dataclasses.replace(fabricated.CONFIG, **changes)
        measuring.measure_sound(found, answer, references)
        assert len(joined) == times, changes
        joined.clear()


def test_clips_after_their_way_to_sound_and_back(monkeypatch):
    """A way that keeps the image keeps the answers; one that loses it leaves silence."""
    images, classes = np.zeros((2, 4, 4, 1), "float32"), np.array([0, 1])
    images[1] = 1.0
    answer = SimpleNamespace(config=Config(), classifier=None)
    monkeypatch.setattr(listener, "listen", lambda ear, found: (np.eye(2)[(found.mean((1, 2, 3)) > 0.5).astype(int)],))
    monkeypatch.setattr(sound, "to_audio", lambda image, reference, config: image)
    monkeypatch.setattr(sound, "heard_decibels", lambda samples, reference, config, frames: 80 * (samples - 1))
    assert measuring.heard_after_inversion(answer, images, [1, 1], classes) == 1
    monkeypatch.setattr(sound, "heard_decibels", lambda samples, *rest: np.full(samples.shape, -80.0))
    assert measuring.heard_after_inversion(answer, images, [1, 1], classes) == 0.5


def test_real_results_never_stand_beside_synthetic_ones(tmp_path):
    def write(name, data_set, evidence, preset="demo", complete=True, overrides=None, follow="sound"):
        path = tmp_path / f"{name}-{preset}-sound" / "seed-0" / "results.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({
            "preset": preset, "follow": follow, "seed": 0, "overrides": overrides or {}, "complete": complete,
            "corpus": {"evidence": evidence}, "facts": {"data_set": data_set}, "name": name}))

    write("a-demo", "fma_medium", "demo")
    write("b-real", "fma_medium", "other")
    write("c-part", "medley_solos_db", "other", complete=False)
    write("d-typed", "medley_solos_db", "other", overrides={"epochs": 5})
    write("a-code", "medley_solos_db", "other", follow="code")  # whatever its directory is called
    run = SimpleNamespace(directory=tmp_path / "x-demo-sound" / "seed-0", preset="demo", follow="sound", seed=0,
                          overrides={})
    assert {key: one["name"] for key, one in evaluate.siblings(run, "demo").items()} == {"fma_medium": "a-demo"}
    for evidence in ("other", "published"):
        assert {key: one["name"] for key, one in evaluate.siblings(run, evidence).items()} == {"fma_medium": "b-real"}
