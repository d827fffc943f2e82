"""Every table and figure of the report, its claims and the propositions: a value or the reason why there is none.

`python -m papers.fma_interpolation.evaluate --follow sound --seed 0` writes results.json, media.json, figures/, audio/.
"""

from papers.fma_interpolation import config as settings, preprocess

if __name__ == "__main__":  # options first: --help answers without TensorFlow
    from common import scripts

    OPTIONS = scripts.evaluation_options(settings, __doc__)

import numpy as np

from common import plots, probes, training
from papers.fma_interpolation import drawings, facts, listening, reports, splits, train

DEEP = {"CNN1": "cnn_1", "CNN2": "cnn_2", "RNN": "rnn"}
OVERFIT_SAYS = {"squared_error": "squared error", "cross_entropy": "cross-entropy",
                "flipped": "cross-entropy, sign flipped",
                "swapped": "cross-entropy, arguments swapped", "decibels": "cross-entropy on decibels"}


def evaluate(config, store, run, partial=False):
    """Measure a run and write results.json, media.json, figures and audio.

    Raises TrainingError where a model is not trained to its end and `partial` is not set.
    """
    jobs = train.jobs(config)
    outcomes = {name: training.outcome(run.model_directory(name)) for name in jobs}
    unfinished = [name for name, o in outcomes.items() if not (o and (o.complete or o.diverged))]
    if unfinished and not partial:
        raise training.TrainingError(f"{run.directory}: {', '.join(unfinished)} not trained to the end; the same train "
                                     "command goes on, or use --partial")
    histories = {name: training.history(run.model_directory(name)) for name in jobs}
    labels = train.labels_of(store)
    results = facts.everything() | facts.storage(store, config) | facts.data(store, config)
    tested = test_accuracy(config, store, run, labels)
    found, sections = reports.classical(config, store, run, labels, leak_of_networks(config, histories, tested))
    results |= found
    deep, shown = networks(config, store, run, histories, labels, results, tested)
    results |= deep
    sections += shown
    hunt, shown = loss_hunt(config, store, run, histories, outcomes)
    results |= hunt
    sections = heard(config, store, run, outcomes, results) + [*sections, *shown]
    drawn, items = drawings.draw(config, store, run)
    results |= drawn
    sections.append({"title": "The data set drawn", "text": "Colours are genres.", "items": items})
    sections.append(effects_table(config, run, histories, results))
    step = sum(o.step for o in outcomes.values() if o)
    run.write_results(store, results, sections, {}, step, not unfinished)


# ---------------------------------------------------------------- deep classifiers

def networks(config, store, run, histories, labels, results, tested):
    """The three tables of epochs, Q3, Q4, Q6 and X-BEST."""
    rows = train.parts(config, store, config.classifier_items, run.seed)
    baseline = {"majority": probes.majority_rate(labels[rows["train"]], labels[rows["validation"]])}
    found, items, best, table = {}, [], {}, {}
    printed = facts.printed()
    for key, name in DEEP.items():
        lines = [line for line in histories[name] if "validation/accuracy" in line]
        if not lines:
            continue
        train_accuracy = [line["metrics/accuracy"] for line in lines]
        validation = [line["validation/accuracy"] for line in lines]
        best[key], table[name] = max(validation), (train_accuracy, validation)
        n = {"n": len(rows["validation"]), "of": "validation images", "baselines": baseline}
        for epoch in range(1, 11):
            for part, values in (("train", train_accuracy), ("validation", validation)):
                if (claim := f"D-{key}-{epoch}-{part}") in printed:
                    found[claim] = {"value": values[epoch - 1], **n} if epoch <= len(values) else {
                        "not_testable": f"this preset trains {len(values)} epochs"}
        gap = f"epoch {len(lines)}"
        if key != "RNN":
            found[f"Q3-{key.lower()}-train"] = {"value": train_accuracy[-1], **n, "facts": {"epoch": gap}}
            found[f"Q3-{key.lower()}-validation"] = {"value": validation[-1] - 0.395, **n}
        else:
            found["Q3-rnn-gap"] = {"value": train_accuracy[-1] - validation[-1], **n}
            for epoch in range(1, 11):
                for part, field in (("train", "losses/cross_entropy"), ("validation", "validation/cross_entropy")):
                    found[f"L-RNN-{epoch}-{part}"] = ({"value": lines[epoch - 1][field]} if epoch <= len(lines) else {
                        "not_testable": f"this preset trains {len(lines)} epochs"})
        shift = {"CNN1": 0, "CNN2": 5.5, "RNN": 4.5}[key]
        found[f"Q4-{key.lower()}"] = {"value": int(np.argmax(validation)) + 1 - shift, **n}
        items.append({"kind": "table", "columns": ["epoch", "training accuracy", "validation accuracy"],
                      "rows": [[str(k + 1), f"{a:.4f}", f"{b:.4f}"] for k, (a, b) in
                               enumerate(zip(train_accuracy, validation, strict=True))],
                      "caption": f"{name}; majority class {baseline['majority']:.4f}", "claims": [f"Q4-{key.lower()}"]})
    n = {"n": len(rows["validation"]), "of": "validation images", "baselines": best | baseline}
    for claim, one, two in (("Q6-cnn2-cnn1", "CNN2", "CNN1"), ("Q6-rnn-cnn1", "RNN", "CNN1"),
                            ("Q6-rnn-cnn2", "RNN", "CNN2")):
        found[claim] = ({"value": best[one] - best[two], **n} if one in best and two in best
                        else {"not_testable": "not trained"})
    scores = {name: results[f"C-{name}-accuracy"].get("value") for name in facts.REPORTS}
    others = [value for name, value in scores.items() if name != "SVM" and value is not None] + list(best.values())
    found["X-BEST"] = ({"value": scores["SVM"] - max(others), "baselines": {k: v for k, v in (scores | best).items()}}
                       if scores["SVM"] is not None else {"not_testable": "the corpus has one class only"})
    series = {f"{name}, {part}": (np.arange(len(v)) + 1, v) for name, both in table.items()
              for part, v in zip(("training", "validation"), both, strict=True)}
    if series:
        figure = plots.curves(run.figure("classifiers"), series, "epoch", "accuracy", "Deep genre classifiers",
                              level=("majority", baseline["majority"]))
        items.append({"kind": "figure", "file": run.relative(figure), "claims": ["Q3-cnn1-train", "Q6-cnn2-cnn1"],
                      "caption": "Training and validation accuracy over the epochs", "alt": "Accuracy curves"})
    if tested:
        items.append({"kind": "table", "columns": ["network", "test accuracy"], "claims": [],
                      "rows": [[name, f"{value:.3f}"] for name, (value, _) in tested.items()],
                      "caption": f"Accuracy on {max(n for _, n in tested.values())} images of the official test part, "
                                 "which the report does not use"})
    return found, [{"title": "Deep genre classifiers", "text": f"Split: {config.deep_protocol}.", "items": items}]


def test_accuracy(config, store, run, labels):
    """The test set that the report does not have: {network: (accuracy on the official test part, images)}.

    Empty where a mode has no test part.
    """
    rows = listening.held_out(config, store, run.seed, 256)
    if config.deep_protocol != "official" or not len(rows):
        return {}
    images, found = listening.images_of(store, rows)[..., None], {}
    for name in DEEP.values():
        if training.outcome(run.model_directory(name)):
            learner = training.load(train.MODELS[name], config, store, run.model_directory(name), run.seed)
            network = train.compiled(learner.networks["classifier"])
            parts = [np.argmax(network(images[i:i + 16]), axis=-1) for i in range(0, len(images), 16)]
            found[name] = float(np.mean(np.concatenate(parts) == labels[rows])), len(rows)
    return found


def leak_of_networks(config, histories, tested):
    """Accuracy of the networks under the splits that they were trained under: {network: {protocol: accuracy}}.

    After the last epoch, on the part that was not trained on; under the official split on its test part.
    """
    found = {}
    for name in DEEP.values():
        found[name] = {}
        for job in (name, *(f"{name}-deep_protocol-{protocol}" for protocol in splits.CLASSICAL)):
            if histories.get(job):
                protocol = config.deep_protocol if job == name else job.rsplit("-", 1)[1]
                found[name][protocol] = histories[job][-1]["validation/accuracy"]
        if name in tested:
            found[name]["official"] = tested[name][0]
    return found


# ---------------------------------------------------------------- the loss hunt

def loss_hunt(config, store, run, histories, outcomes):
    """One image, five losses: which can overfit it (Q2), and the program's logged numbers."""
    found, rows, series = {}, [], {}
    for loss in train.OVERFIT:
        lines = [line for line in histories[f"overfit-{loss}"] if np.isfinite(line["losses/total"])]
        if not lines:
            continue
        total = [line["losses/total"] for line in lines]
        error = [line["metrics/squared_error"] for line in lines]
        series[OVERFIT_SAYS[loss]] = (np.arange(len(error)) + 1, np.maximum(error, 1e-9))
        ended = outcomes[f"overfit-{loss}"]
        diverged = f"diverged at step {ended.diverged['step']}" if ended and ended.diverged else ""
        rows.append([OVERFIT_SAYS[loss], f"{total[0]:.5g}", f"{total[-1]:.5g}", f"{error[0]:.4g}", f"{error[-1]:.4g}",
                     str(len(lines)), diverged])
        n = {"n": len(lines), "of": "updates"}
        if loss == "squared_error":
            first, last = lines[0]["losses/reconstruction"], lines[-1]["losses/reconstruction"]
            found["Q2-mse"] = {"value": 1 - last / first, **n}
            found["L-OVERFIT-first"] = {"value": total[0], **n}
            found["L-OVERFIT-last"] = {"value": float(np.mean(total[-5:])), **n}
        elif loss == "cross_entropy":
            found["Q2-bce"] = {"value": 1 - error[-1] / error[0], **n}
        elif loss == "decibels":
            found["Q2-decibels"] = {"value": total[-1] / abs(total[0]), **n}
        else:
            found[f"Q2-{loss}-error"] = {"value": error[-1] / max(error[0], 1e-12), **n}
            if loss == "swapped":
                found["Q2-swapped"] = {"value": total[-1] / total[0], **n}
                found |= {"L-SWAPPED-first": {"value": total[0], **n}, "L-SWAPPED-last": {"value": total[-1], **n}}
    learner = training.load(train.MODELS["overfit-squared_error"], config, store,
                            run.model_directory("overfit-squared_error"), run.seed)
    image = store.image(store.index[0])[None]
    output = listening.decode(learner, listening.encode(learner, image), "squared_error")
    power = [preprocess.image_to_power(x, config.dynamic_range) for x in (image, output)]
    found["R-1-ncc"] = {"value": float(listening.measures.correlation(*power)[0]), "n": 1, "of": "images"}
    found["R-1-ssim"] = {"value": float(listening.measures.similarity(*power, peak=preprocess.REFERENCE)[0]), "n": 1,
                         "of": "images"}
    figure = plots.curves(run.figure("overfit"), series, "update", "squared error per pixel",
                          "One image, five losses", logarithmic=True)
    cells = [[listening.tile(run, "overfit-original", image[0], "original"),
              listening.tile(run, "overfit-output", output[0], "overfitted with squared error")]]
    text = "The report says that cross-entropy fails because values exceed 1. "
    return found, [{"title": "The loss hunt", "text": text +
                    "The images lie in [0, 1]; the program had the sign wrong, then the arguments swapped.",
                    "items": [{"kind": "table", "rows": rows, "claims": ["Q2-mse", "Q2-bce", "Q2-swapped"], "columns": [
                        "loss", "first", "last", "squared error first", "last", "updates", ""],
                        "caption": "One image, the same network and number of updates"},
                        {"kind": "figure", "file": run.relative(figure), "claims": ["Q2-mse", "Q2-swapped-error"],
                         "caption": "Squared error of the output under each loss", "alt": "Error curves"}],
                    "grid": {"rows": ["one image"], "columns": ["original", "output"], "cells": cells}}]


# ---------------------------------------------------------------- autoencoders

def heard(config, store, run, outcomes, results):
    """Reconstruction, interpolation, generation, inversion; fills `results`, returns the sections of the page."""
    learners = {name: training.load(train.MODELS[f"autoencoder-{name}"], config, store,
                                    run.model_directory(f"autoencoder-{name}"), run.seed)
                for name in train.AUTOENCODERS if outcomes[f"autoencoder-{name}"]}
    missing = [name for name in train.AUTOENCODERS if name not in learners]
    judged = {name: training.load(train.MODELS[name], config, store, run.model_directory(name), run.seed)
              for name in ("cnn_1", "cnn_2") if outcomes[name]}
    if missing or len(judged) < 2:
        return []
    rows, images, outputs, measured = listening.reconstruction(config, store, learners, run.seed)
    results |= listening.reconstruction_claims(measured, rows, images, outputs, store)
    judge = listening.judges(judged, len({row["label"] for row in store.index}))
    pairs = listening.choose_pairs(config, store, rows, run.seed)
    sections = []
    if pairs:
        found, effects, shares, path = listening.interpolation_claims(
            config, store, learners["baseline"], judge, pairs, run.seed)
        results |= found
        sections.append({"title": "From A to B", "text": "Baseline autoencoder, codes blended by "
                         f"{config.interpolate}. Outer tiles are the originals through the inversion only, so that "
                         "what the autoencoder loses can be told from what the inversion loses.", "items": [],
                         "grid": listening.path_grid(run, store, pairs, shares, path)})
        sections.append({"title": "The four autoencoders", "text": "One pair through each of them.", "items": [
            _measure_table(measured)], "grid": listening.structure_grid(run, store, learners, pairs[0])})
        results["_effects"] = effects
    else:
        reason = {"not_testable": "fewer than two held-out tracks"}
        results |= {claim: reason for claim in (
            "Q10-order", "Q10-middle", "U1-steps", "U4-order", "U4-middle", "U6-mass", "U6-ends", "U5-rms",
            "U5-centroid", "U5-chroma", "U5-tempo")}
    results |= listening.generation_claim(config, learners["baseline"], judge, images, run.seed)
    sections.append({"title": "Unconditioned generation", "text": "Codes drawn from N(0, 1).", "items": [],
                     "grid": listening.generated_grid(run, learners["baseline"])})
    found, errors, timing = listening.inversion_claims(config, store, outputs["baseline"], images, run.seed)
    results |= found
    results |= _validation_claims(training.history(run.model_directory("autoencoder-conv2d")))
    text = "Mean absolute difference of images in decibels."
    sections.append({"title": "What is lost where", "text": text, "items": [
        {"kind": "table", "columns": ["step", "error, dB"], "rows": errors,
         "caption": "Storage, inversion, autoencoder", "claims": ["U2-inversion", "Q14"]},
        {"kind": "table", "columns": ["mel bands", "seconds an excerpt", f"error in {config.bands} bands, dB"],
         "rows": timing, "caption": "The trade-off of the inversion", "claims": ["Q11-time", "Q11-error"]}]})
    return sections


def _measure_table(measured):
    columns = ("squared_error", "similarity", "correlation", "decibel_error", "time_variance")
    return {"kind": "table", "claims": ["Q1-error", "Q8", "Q9"], "caption": "Reconstruction of held-out images",
            "columns": ["", "squared error", "similarity", "correlation", "error, dB", "variance over time kept"],
            "rows": [[name, *(f"{values[c]:.4f}" for c in columns)] for name, values in measured.items()]}


def _validation_claims(lines):
    """The program's log of the Conv2D autoencoder, epoch by epoch."""
    fields = {"train": "losses/reconstruction", "validation": "validation/reconstruction",
              "divergence": "validation/divergence"}
    return {f"L-CONV2D-{epoch}-{part}": {"value": lines[epoch - 1][field]} if epoch <= len(lines) else {
        "not_testable": f"this preset trains {len(lines)} epochs"}
        for epoch in (1, 2, 3, 5, 8, 10, 11, 13) for part, field in fields.items()}


def effects_table(config, run, histories, results):
    """Effect of the divergences that decide a claim, one at a time from this mode; trained ones need --ablations."""
    rows = []
    for field, values in results.pop("_effects", {}).items():
        claim = {"interpolate": "Q10-order", "end_points": "U1-steps"}[field]
        rows += [[field, f"{value}" + (" (this mode)" if value == getattr(config, field) else ""), claim, f"{v:.3f}"]
                 for value, v in values.items()]
    for field, names in train.ABLATIONS.items():
        for name in names:
            for job, lines in histories.items():
                if lines and (job == name or job.startswith(f"{name}-{field}-")):
                    value = getattr(config, field) if job == name else job.removeprefix(f"{name}-{field}-")
                    shown = next(k for k in ("validation/accuracy", "validation/squared_error", "metrics/squared_error")
                                 if k in lines[-1])
                    last = max(line[shown] for line in lines) if "accuracy" in shown else lines[-1][shown]
                    rows.append([field, f"{value}" + (" (this mode)" if job == name else ""),
                                 f"{name}, {shown.split('/')[1]}", f"{last:.4g}"])
    return {"title": "Effects of divergences", "text": "One at a time from this mode's settings; the splits of the "
            "classical classifiers stand in the table of the leak. Those that need a training of their own are run "
            "with --ablations (part of preset full).", "items": [
                {"kind": "table", "columns": ["divergence", "value", "measure", "result"], "rows": rows,
                 "caption": "Effects measured in this run", "claims": []}]}


if __name__ == "__main__":
    scripts.run_evaluation(OPTIONS, settings, preprocess, evaluate)
