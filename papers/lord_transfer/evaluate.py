"""Claims, figures and sound of a run: the only producer of a published number.

`python -m papers.lord_transfer.evaluate --follow sound` measures a trained run. The paper prints no numeric result;
what it judged by ear is put to an independent classifier (listener.py) and to measures of pitch content (melody.py).
"""

import dataclasses
import functools
import json
from pathlib import Path

from papers.lord_transfer import config as settings, preprocess

if __name__ == "__main__":  # options first: --help answers without TensorFlow
    from common import scripts

    OPTIONS = scripts.evaluation_options(settings, __doc__)

import numpy as np

from common import claims, training
from common.findings import collect
from papers.lord_transfer import (
    comparisons,
    facts,
    findings_instruments,
    joining,
    losses,
    measures,
    melody,
    sound,
    train,
    trained as using,
)
from papers.lord_transfer.config import Config, loss_terms, pairs, perceptual_state
from papers.lord_transfer.data import spread
from papers.lord_transfer.figures import figures_and_sound
from papers.lord_transfer.findings import FINDINGS
from papers.lord_transfer.listener import listen
from papers.lord_transfer.measures import Evaluation, Heard, Measured


def evaluate(config: Config, store, run, partial=False):
    """Measure every model of a run and write results.json and media.json.

    `partial`: use the last checkpoints of a training that has not ended. Raises TrainingError when a model of the run
    is not trained, or not to its end without `partial`.
    """
    outcomes = trained_outcomes(config, run, partial)
    models = {}
    for pair in pairs(config):
        print(f"evaluating {pair or config.data_set}", flush=True)
        models[pair] = measure(config, store, run, "lord", pair, full=True)
    found = Evaluation(config, models, {
        name: measure(config, store, run, name, pairs(config)[0])
        for name in (comparisons.configs(models[pairs(config)[0]].config) if config.ablations else ())})
    found.others = siblings(run, store.parameters["corpus"]["evidence"])
    results = facts.of_the_method(config) | facts.counts(config, store)
    results |= collect(FINDINGS[config.data_set], found)
    results |= asked_elsewhere(config, results)
    notes = {"perceptual": losses.perceptual_words(config), "loss": " + ".join(loss_terms(config)),
             "split": found.first.how}
    if config.data_set == "medley_solos_db":  # what the long recordings are compared with (I6, I7)
        notes |= findings_instruments.for_others(found.first)
    stated = {"data_set": config.data_set, "perceptual": perceptual_state(config)}
    if "under three recordings" in notes["split"]:
        stated["groups_per_class"] = 1  # clips of one recording on several sides: no verdicts
    run.write_results(store, results, figures_and_sound(run, found, notes), notes,
                      step=sum(o.step for o in outcomes.values()),
                      complete=all(o.complete for o in outcomes.values()), facts=stated)


def trained_outcomes(config, run, partial):
    """{job: Outcome} of a run's training; raises TrainingError for what evaluation cannot do without."""
    found = {}
    for name in train.jobs(config):
        outcome = training.outcome(run.model_directory(name))
        if outcome is None or not (partial or outcome.complete or outcome.diverged):
            raise training.TrainingError(f"{run.model_directory(name)}: not trained to its end; first: "
                                         "python -m papers.lord_transfer.train with the same options")
        found[name] = outcome
    return found


def measure(config, store, run, name, pair, full=False) -> Measured:
    """Everything measured on one model of a run; melody, way to sound and joining only when `full`."""
    model = using.load(config, store, run, name, pair)
    images, classes = model.test_images(), model.test.classes
    transfers = using.all_transfers(model, images)
    rebuilt, real = measures.rebuilt_of(transfers, classes), listen(model.classifier, images)
    heard = Heard(model.labels, classes, np.array([store.index[row]["group"] for row in model.test.rows]), real[0],
                  np.stack([listen(model.classifier, found)[0] for found in transfers]))
    training_error, mean_errors = against_training_clips(model, images)
    ear = spread(model.ear, 20 * len(images))
    ear_codes = using.encode(model, model.reader.read(ear, np.arange(len(ear))))
    found = Measured(
        model.config, pair, images, transfers, heard, measures.absolute_errors(images, rebuilt), training_error,
        mean_errors, measures.leak(ear_codes, ear.classes, using.encode(model, images), classes),
        measures.flux_ratio(images, rebuilt), measures.feature_distances(real[1], listen(model.classifier, rebuilt)[1]),
        training.history(run.model_directory(train.job_name(name, pair))), model.trained_on.classes, model.test.how)
    if model.config.phase != "none":
        found.phase = measures.phase_measures(images, rebuilt, model.config.phase)
    return measure_sound(found, model, store.array("reference")) if full else found


def against_training_clips(model, images):
    """(mean identity error of training clips, (n,) error of the class's mean training image on `images`)."""
    shown = spread(model.trained_on, len(images))
    parents = shown.classes // max(1, model.config.subclasses)
    clips = model.reader.read(shown, np.arange(len(shown)))
    rebuilt = using.generate(model, using.encode(model, clips), using.class_codes(model)[parents])
    means = measures.class_means(clips, parents, len(model.labels))
    return (float(measures.absolute_errors(clips, rebuilt).mean()),
            measures.absolute_errors(images, means[model.test.classes]))


def measure_sound(found: Measured, model, references) -> Measured:
    """Melody, variety, the way to sound and back, and joining, added to what was measured on a model."""
    config, images, classes = model.config, found.images, found.classes
    found.references = np.array([references[row] for row in model.test.rows])
    found.chroma = melody.chroma_measures(images, found.transfers, classes, config)
    found.pitch = melody.pitch_measures(images, found.transfers, classes, config, config.pitch_clips)
    found.onsets = np.array([melody.onsets(image[..., 0], config) for image in images])
    found.variety = measures.variety(images, classes, found.transfers)
    picked = np.linspace(0, len(images) - 1, min(8, len(images))).round().astype(int)
    found.inversion = {"picked": picked} | {name: np.array([
        sound.inversion_error(images[i, ..., 0], found.references[i], dataclasses.replace(config, inversion=name))
        for i in picked]) for name in ("pinv", "nonnegative")}
    if config.data_set != "medley_solos_db" and config.phase == "none":
        for image, row, label in using.held_out_tracks(model):
            rebuild = functools.partial(using.rebuild, model, label)
            found.tracks.append(joining.track_measures(image, references[row], rebuild, config))
            found.track_groups.append(model.reader.store.index[row]["group"])
    return found


def asked_elsewhere(config: Config, results):
    """A reason for every claim without a value: a question about another data set, or of another mode."""
    found = {}
    for claim in claims.read_claims(Path(__file__).with_name("claims.csv")):
        asked = next((value for key, _, value in claim.needs if key == "data_set"), config.data_set)
        if claim.id not in results:
            elsewhere = config.data_set not in asked.split("|")
            reason = f"a question about {asked.replace('|', ' or ')}" if elsewhere else "this mode has none"
            found[claim.id] = {"not_testable": reason}
    return found


def siblings(run, evidence):
    """{data set: results.json} of the complete runs of the same preset, mode and seed beside this one.

    Synthetic results never stand beside real ones: where one is a demo, the other must be.
    """
    found, pattern = {}, f"*-{run.preset}-{run.follow}*/{run.directory.name}/results.json"
    for path in sorted(run.directory.parent.parent.glob(pattern)):
        other = json.loads(path.read_text())
        same = other["preset"] == run.preset and other["overrides"] == run.overrides and other["complete"]
        if same and (other["corpus"]["evidence"] == "demo") == (evidence == "demo"):
            found.setdefault(other["facts"].get("data_set"), other)
    return found


if __name__ == "__main__":
    scripts.run_evaluation(OPTIONS, settings, preprocess, evaluate)
