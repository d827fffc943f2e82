"""A trained model of a run -> Measured: its outputs, the controls' and both ears' answers, on the held-out clips."""

import dataclasses
import functools
from collections.abc import Sequence

import keras
import numpy as np
from sklearn.pipeline import Pipeline

from common import training
from common.record import Run
from common.store import Store
from papers.lord_transfer import (
    controls,
    joining,
    listener,
    measures,
    melody,
    networks,
    sound,
    train,
    trained as using,
)
from papers.lord_transfer.config import Config
from papers.lord_transfer.data import mean_images, spread
from papers.lord_transfer.exceeding import UNTRAINED
from papers.lord_transfer.heard import Heard, Judged
from papers.lord_transfer.measures import Measured

INVERTED = 8  # clips sent to sound and back


def measure(config: Config, store: Store, run: Run, name: str, pair: str, full: bool = True) -> Measured:
    """Everything measured on one model of a run; melody, way to sound and joining only when `full`."""
    model = using.load(config, store, run, name, pair)
    images, classes = model.test_images(), model.test.classes
    codes, transfers = using.encode(model, images), using.all_transfers(model, images)
    rebuilt, (real, features) = measures.rebuilt_of(transfers, classes), listener.listen(model.classifier, images)
    heard = Heard(model.labels, classes, np.array([store.index[row]["group"] for row in model.test.rows]), real,
                  np.stack([listener.listen(model.classifier, found)[0] for found in transfers]))
    shown = spread(model.trained_on, 20 * len(images))
    parents = shown.classes // max(1, model.config.subclasses)
    clips = model.reader.read(shown, np.arange(len(shown)))
    errors = measures.absolute_errors(clips, using.generate(
        model, using.encode(model, clips), using.class_codes(model)[parents]))
    means = mean_images(model.config, store)
    ear = spread(model.ear, 20 * len(images))
    heard_by_ear = model.reader.read(ear, np.arange(len(ear)))
    untrained = untrained_encoder(model.config, store)
    found = Measured(
        model.config, pair, images, transfers, heard, measures.absolute_errors(images, rebuilt), float(errors.mean()),
        measures.absolute_errors(images, means[classes]),
        measures.absolute_errors(images[..., :1], controls.medians(clips, parents, len(model.labels))[classes]),
        probes(model, untrained, heard_by_ear, ear.classes, images, codes, classes),
        measures.flux_ratio(images, rebuilt),
        measures.feature_distances(features, listener.listen(model.classifier, rebuilt)[1]),
        training.history(run.model_directory(train.job_name(name, pair))), model.trained_on.classes, model.test.how)
    second = listener.second_ear(heard_by_ear, ear.classes)
    answers = {"transfers": transfers}
    if full:
        answers |= controls.answers(images, clips, parents, len(model.labels))
        found.pictures = {name: answers[name][:, 0] for name in controls.BLIND}
        answers[UNTRAINED] = using.all_transfers(model, images, listener.in_batches(untrained, images))
        found.ears = ears(model, heard, second, images, classes, means)
    found.judged = judge(model, second, images, answers, scores(model, store))
    if model.config.phase != "none":
        found.phase = measures.phase_measures(images, rebuilt, model.config.phase)
    return measure_sound(found, model, store.array("reference")) if full else found


def untrained_encoder(config: Config, store: Store) -> keras.Model:
    """The content encoder of a model that has not been trained."""
    keras.utils.set_random_seed(0)
    return networks.build(config, store).networks["content_encoder"]


def probes(model: using.Trained, untrained: keras.Model, shown: np.ndarray, shown_classes: np.ndarray,
           images: np.ndarray, codes: np.ndarray, classes: np.ndarray) -> dict[str, np.ndarray]:
    """{"noisy", "clean", "untrained"}: (n,) whether a probe names the class of clips from their content codes."""
    known, noise = using.encode(model, shown), model.config.noise
    first = (listener.in_batches(untrained, found) for found in (shown, images))
    return {"noisy": measures.leak(known, shown_classes, codes, classes, noise),
            "clean": measures.leak(known, shown_classes, codes, classes),
            "untrained": measures.leak(next(first), shown_classes, next(first), classes, noise)}


def scores(model: using.Trained, store: Store) -> list[list[tuple[int, int, int]]] | None:
    """What is played in every held-out clip, in frames (melody.in_frames); None where the corpus does not know."""
    notes, test, frames = np.array(store.array("notes")), model.test, model.config.frames
    if not len(notes):
        return None
    hop = model.config.hop / model.config.sample_rate
    found = []
    for row, start in zip(test.rows, test.starts, strict=True):
        mine = notes[notes[:, 0] == row, 1:] - [start * hop, start * hop, 0]
        found.append(melody.in_frames(mine[(mine[:, 1] > 0) & (mine[:, 0] < frames * hop)], frames, model.config))
    return found


def judge(model: using.Trained, second: Pipeline, images: np.ndarray, answers: dict[str, np.ndarray],
          played: list | None = None) -> dict:
    """{name: Judged} of answers {name: (targets, n, bands, frames, channels)}; `played`: the clips' scores or None."""
    classes, found = model.test.classes, {}
    chroma, courses = melody.chromas(images, model.config), melody.courses(images)
    for name, answer in answers.items():
        heard = [listener.listen(model.classifier, made)[0].argmax(axis=1) == b for b, made in enumerate(answer)]
        by_second = [second.predict(listener.cepstra(made)) == b for b, made in enumerate(answer)]
        notes = melody.following(chroma, [melody.chromas(made, model.config) for made in answer])
        rhythm = melody.following(courses, [melody.courses(made) for made in answer])
        found[name] = Judged(np.stack(heard), np.stack(by_second), melody.ahead_of_rivals(rhythm, classes),
                             melody.ahead_of_rivals(notes, classes), melody.excess_over_rivals(notes, classes))
        if played:
            agreement = np.stack([melody.note_agreement(played, melody.tracked(made, model.config)) for made in answer])
            found[name].by_note = melody.ahead_of_rivals(agreement, classes)
            found[name].kept = melody.excess_over_rivals(agreement, classes)
    return found


def ears(model: using.Trained, heard: Heard, second: Pipeline, images: np.ndarray, classes: np.ndarray,
         means: np.ndarray) -> dict:
    """What the ears say of what they should know: real clips by class, silence, noise, mean pictures."""
    def says(image):
        shares = listener.listen(model.classifier, image[None])[0][0]
        return f"{model.labels[shares.argmax()]} ({shares.max():.0%})"

    noise = np.random.default_rng(0).random(images[0].shape).astype("float32")
    answers = listener.listen(model.classifier, means)[0].argmax(axis=1)
    by_second = second.predict(listener.cepstra(images)) == classes
    return {"first": heard.accuracy, "second": measures.class_balanced(by_second, classes),
            "by_class": {label: float(heard.real_shares[number, number]) for number, label in enumerate(heard.labels)},
            "confusion": heard.real_shares.round(3).tolist(), "silence": says(np.zeros_like(images[0])),
            "noise": says(noise),
            "mean_pictures": {label: model.labels[answer] for label, answer in zip(model.labels, answers, strict=True)}}


def measure_sound(found: Measured, model: using.Trained, references: Sequence[float] | np.ndarray) -> Measured:
    """Melody, variety, the way to sound and back, and joining, added to what was measured on a model."""
    config, images, classes = model.config, found.images, found.classes
    found.references = np.array([references[row] for row in model.test.rows])
    found.pitch = melody.pitch_measures(images, found.transfers, classes, config, config.pitch_clips)
    found.onsets = np.array([melody.onsets(image[..., 0], config) for image in images])
    found.variety = measures.variety(images, classes, found.transfers)
    picked = np.linspace(0, len(images) - 1, min(INVERTED, len(images))).round().astype(int)
    found.inversion = {"picked": picked} | {name: np.array([
        sound.inversion_error(images[i, ..., 0], found.references[i], dataclasses.replace(config, inversion=name))
        for i in picked]) for name in ("pinv", "nonnegative")}
    found.ears["after_inversion"] = heard_after_inversion(model, images[picked], found.references[picked],
                                                          classes[picked])
    if config.data_set != "medley_solos_db" and config.phase == "none":
        measure_tracks(found, model, references)
    return found


def measure_tracks(found: Measured, model: using.Trained, references: Sequence[float] | np.ndarray) -> None:
    """Joining of held-out tracks, rebuilt with their own class; the first also given to the next class, to be heard."""
    config = model.config
    for image, row, label in using.held_out_tracks(model):
        rebuild = functools.partial(using.rebuild, model, label)
        found.tracks.append(joining.track_measures(image, references[row], rebuild, config))
        found.track_groups.append(model.reader.store.index[row]["group"])
        if not found.joined:
            other = (label + 1) % len(model.labels)
            ways = {name: joined for name, (joined, _) in joining.ways(image, config.frames, rebuild).items()}
            step = min(config.stitch_step, config.frames)
            moved = joining.columns(using.rebuild(model, other, joining.cut(image, config.frames, step)), step)
            found.joined = {"the track": image} | ways | {f"given to {model.labels[other]}, columns {step}": moved}
            found.joined_reference = references[row]


def heard_after_inversion(model: using.Trained, images: np.ndarray, references: Sequence[float] | np.ndarray,
                          classes: np.ndarray) -> float:
    """Share of real clips heard rightly after their way to sound and back, which a transfer also takes."""
    config, again = model.config, []
    for image, reference in zip(images, references, strict=True):
        samples = sound.to_audio(image[..., 0], reference, config)
        decibels = sound.heard_decibels(samples, reference, config, image.shape[1])
        back = np.pad(decibels / config.dynamic_range + 1, ((0, 0), (0, image.shape[1] - decibels.shape[1])))
        again.append(back[..., None])
    heard = listener.listen(model.classifier, np.stack(again).astype("float32"))[0].argmax(axis=1)
    return float(np.mean(heard == classes))
