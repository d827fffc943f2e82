"""Tables 1 and 2, the figures, and a value or a reason for every claim and proposition.

`python -m papers.softmax_ae.evaluate --follow sound --seed 0` writes results.json, media.json, figures/ and audio/.
"""

from papers.softmax_ae import config as settings, preprocess

if __name__ == "__main__":  # options first: --help answers without TensorFlow
    from common import scripts

    OPTIONS = scripts.evaluation_options(settings, __doc__)

from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from scipy.signal import resample_poly

from common import audio, plots, probes, training
from common.store import safe_name
from papers.softmax_ae import table2, train

NAMED = ("classical", "jazz", "metal", "pop")
T2 = {"classical": "C", "jazz": "J", "metal": "M", "pop": "P"}
OTHER_CLASSES = "the corpus has other classes than the paper's four genres"


@dataclass(frozen=True)
class Encodings:
    """What the trained networks make of all segments (n rows each), dropout off."""

    raw: np.ndarray  # (n, 500)
    vanilla: np.ndarray  # (n, 64)
    vanilla_x_hat: np.ndarray  # (n, 500)
    bottleneck: np.ndarray  # (n, 64)
    x_hat: np.ndarray  # (n, 500)
    logits: np.ndarray  # (n, classes)
    two_layer: np.ndarray  # (n, classes)


def evaluate(config, store, run, partial: bool = False) -> None:
    """Measure a run and write results.json, media.json, figures and audio.

    Raises:
        TrainingError: a model is not trained to its end and `partial` is not set.
    """
    jobs = train.jobs(config)
    outcomes = {name: training.outcome(run.model_directory(name)) for name in jobs}
    unfinished = [name for name, found in outcomes.items() if not (found and found.complete)]
    if unfinished and not partial:
        raise training.TrainingError(f"{run.directory}: {', '.join(unfinished)} not trained to the end; the same train "
                                     "command goes on, or use --partial")
    data = train.load_data(config, store, run.seed)
    learners = {name: training.load(jobs[name][0], jobs[name][1], store, run.model_directory(name), run.seed)
                for name in train.HEADLINE}
    held = data.parts["test"] if len(data.parts["test"]) else data.parts["dev"]
    encodings = encode(learners, data.x)
    results, tables = classification(config, data, encodings, held, run)
    results |= embedding(config, store, data, encodings, held)
    results |= facts(data, store, encodings, held)
    results |= ablations(config, store, run, data, held)
    if set(data.classes) != set(NAMED):
        for claim in results.keys() - {"R15", "B-F4a", "E11", "E12", "E14", "L1", "L2"}:
            if not claim.startswith("B-HP"):
                results[claim] = {"not_testable": OTHER_CLASSES} | results[claim]
    sections = media(config, store, run, data, encodings, held, tables)
    notes = {"split": data.note} if data.note else {}
    short = store.parameters["facts"]["short_tracks"]
    if short:
        more = f" and {len(short) - 3} more" if len(short) > 3 else ""
        notes["short tracks"] = f"{len(short)} below {config.used_samples:,} samples: {', '.join(short[:3])}{more}"
    stated = {"genres": "gtzan" if set(data.classes) == set(NAMED) else "other", "ablations": bool(config.ablations)}
    if data.note:
        stated["groups_per_class"] = 1
    run.write_results(store, results, sections, notes, sum(found.step for found in outcomes.values() if found),
                      not unfinished, stated)


def encode(learners, x) -> Encodings:
    """All encodings of x (n, 500), in batches."""
    def through(function):
        return np.concatenate([function(tf.constant(x[i:i + 4096])).numpy() for i in range(0, len(x), 4096)])

    vanilla, hybrid = learners["autoencoder"].networks, learners["deep_softmax"].networks
    return Encodings(
        raw=x, vanilla=through(vanilla["encoder"]), bottleneck=through(hybrid["encoder"]),
        vanilla_x_hat=through(lambda v: vanilla["decoder"](vanilla["encoder"](v))),
        x_hat=through(lambda v: hybrid["decoder"](hybrid["encoder"](v))),
        logits=train.predict(learners["deep_softmax"], x), two_layer=train.predict(learners["two_layer"], x))


# Tables 1 and 2, figures 3 and 4

def loudness_only(data, train_rows, held_rows) -> float:
    """Control: accuracy of a logistic regression that sees only the RMS of a segment and its logarithm."""
    rms = np.sqrt(np.mean(np.square(data.x * data.deviation + data.mean), axis=1, keepdims=True))
    features = np.concatenate([rms, np.log(rms + 1e-6)], axis=1)
    return probes.logistic_accuracy(features[train_rows], data.y[train_rows], features[held_rows], data.y[held_rows])


def classification(config, data, encodings, held, run) -> tuple[dict, list]:
    """Results of section 5.1 and the two tables as media items."""
    rows, classes = data.parts, len(data.classes)
    no_test = None if len(rows["test"]) else {"not_testable": "this mode has no test set (split P2)"}
    found, entries = {}, {}
    for name, logits in (("2L", encodings.two_layer), ("DS", encodings.logits)):
        right = logits.argmax(axis=1) == data.y
        found[name] = {part: float(right[r].mean()) if len(r) else float("nan") for part, r in rows.items()}
        found[name]["held"] = float(right[held].mean())
        model = "two_layer" if name == "2L" else "deep_softmax"
        lines = training.history(run.model_directory(model))
        found[name]["in_epoch"] = lines[-1].get("metrics/train_accuracy_in_epoch", float("nan")) if lines else None
    for name, scores in found.items():
        for part, short in (("train", "tr"), ("dev", "dev"), ("test", "te")):
            r = rows[part]
            if part == "test" and no_test:
                entries[f"B-T1-{name}-te"] = no_test
                continue
            # The program prints the running count inside the last epoch, dropout active (dossier E17).
            value = scores["in_epoch"] if part == "train" and run.follow == "code" else scores[part]
            entries[f"B-T1-{name}-{short}"] = {
                "value": value, "n": len(r), "of": "segments",
                "baselines": {"majority": probes.majority_rate(data.y[rows["train"]], data.y[r]),
                              "loudness_only": loudness_only(data, rows["train"], r)}
                | ({"dropout_off": scores["train"], "in_epoch": scores["in_epoch"]} if part == "train" else {})}
    for claim, same in {"B-ABS1-tr": "B-T1-DS-tr", "B-ABS1-te": "B-T1-DS-te", "B-CON-DS-tr": "B-T1-DS-tr",
                        "B-CON-DS-te": "B-T1-DS-te", "B-CON-2L-tr": "B-T1-2L-tr", "B-CON-2L-te": "B-T1-2L-te"}.items():
        entries[claim] = dict(entries[same])
    scored = probes.scores(data.y[held], encodings.logits[held].argmax(axis=1), classes)
    for name, letter in T2.items():
        for measure, short in (("precision", "P"), ("recall", "R"), ("f1", "F1")):
            entries[f"B-T2-{letter}-{short}"] = (
                {"value": float(scored[measure][data.classes.index(name)]), "n": len(held), "of": "segments"}
                if name in data.classes else {"not_testable": OTHER_CLASSES})
    shares = scored["confusion"] / max(len(held), 1)
    pairs = {(i, j): shares[i, j] + shares[j, i] for i in range(classes) for j in range(i)}
    entries["B-F4a"] = {"value": float(np.trace(shares)) - 0.5, "n": len(held), "of": "segments"}
    entries["B-F3"] = {"value": float(len(training.history(run.model_directory("deep_softmax")))), "of": "epochs drawn"}
    gaps = {name: scores["train"] - scores["held"] for name, scores in found.items()}
    entries["R10"] = {"value": found["DS"]["held"] - found["2L"]["held"], "n": len(held), "of": "segments",
                      "baselines": {"DSAE": found["DS"]["held"], "two_layer": found["2L"]["held"]}}
    entries["R12a"] = {"value": gaps["DS"] - gaps["2L"], "n": len(held), "of": "segments", "baselines": gaps}
    entries |= genre_confusions(data, scored, pairs, len(held))
    if config.split in ("T1", "T2"):
        loud = loudness_only(data, rows["train"], held)
        entries["R16a"] = {"value": found["DS"]["held"] - 1 / classes, "n": len(held), "of": "segments"}
        entries["R16b"] = {"value": found["DS"]["held"] - loud, "n": len(held), "of": "segments",
                           "baselines": {"loudness_only": loud}}
    else:
        entries["R16a"] = entries["R16b"] = {"not_testable": "tracks lie on both sides of this split; see sound"}
    settings_used = {"gamma": config.gamma, "keep": config.keep_probability, "pool": config.pool,
                     "hidden": config.hidden, "bottleneck": config.bottleneck, "logits": classes}
    entries |= {f"B-HP-{name}": {"value": float(value)} for name, value in settings_used.items()}
    entries |= {f"B-DATA-{name}": {"value": float(size)} for name, size in
                {"n": len(data.y), **{part: len(r) for part, r in rows.items()}}.items()}
    part = "test" if not no_test else "dev"
    tables = [{"kind": "table", "caption": "Table 1: accuracies", "columns": ["network", "train", "dev", "test"],
               "rows": [[label, *(f"{found[name][p]:.3f}" for p in ("train", "dev", "test"))]
                        for name, label in (("2L", "Two-layer network"), ("DS", "Deep Softmax Autoencoder"))]
               + [["Loudness only", "", "", f"{loudness_only(data, rows['train'], held):.3f}"],
                  ["Majority class", "", "", f"{probes.majority_rate(data.y[rows['train']], data.y[held]):.3f}"]]},
              {"kind": "table", "caption": f"Table 2: Deep Softmax Autoencoder, {part} part, {len(held)} segments",
               "columns": ["class", "precision", "recall", "F1"],
               "rows": [[name, *(f"{scored[m][i]:.3f}" for m in ("precision", "recall", "f1"))]
                        for i, name in enumerate(data.classes)]}]
    return entries, [tables, scored]


def genre_confusions(data, scored, pairs, count) -> dict:
    """B-F4b, B-F4c, R8, R9: statements that name genres."""
    if set(data.classes) != set(NAMED):
        return {claim: {"not_testable": OTHER_CLASSES} for claim in ("B-F4b", "B-F4c", "R8a", "R8b", "R9")}
    code = {name: data.classes.index(name) for name in NAMED}
    metal_pop = tuple(sorted((code["metal"], code["pop"]), reverse=True))
    classical_jazz = tuple(sorted((code["classical"], code["jazz"]), reverse=True))
    first = pairs[metal_pop] - max(v for k, v in pairs.items() if k != metal_pop)
    second = pairs[classical_jazz] - max(v for k, v in pairs.items() if k not in (metal_pop, classical_jazz))
    classical = code["classical"]
    leads = [scored[m][classical] - np.delete(scored[m], classical).max() for m in ("precision", "recall", "f1")]
    entry = {"n": count, "of": "segments"}
    return {"B-F4b": {"value": first, **entry}, "R8a": {"value": first, **entry}, "R8b": {"value": second, **entry},
            "B-F4c": {"value": min(leads), **entry}, "R9": {"value": min(leads), **entry}}


# Section 5.2: encodings

def embedding(config, store, data, encodings, held) -> dict:
    """Propositions R1 to R7, R14 and R15 on the held-out segments."""
    y, train_rows = data.y[held], data.parts["train"]
    fit, drawn = projection_rows(config, data)
    plane, _ = probes.principal_components(encodings.raw[fit], encodings.raw[drawn])
    whole = {name: getattr(encodings, name) for name in ("raw", "vanilla", "bottleneck", "logits", "two_layer")}
    held_x = {name: x[held] for name, x in whole.items()}
    silhouette = {name: probes.silhouette(x, y) for name, x in held_x.items()}
    nearest = {name: probes.neighbour_accuracy(whole[name][train_rows], data.y[train_rows], held_x[name], y)
               for name in ("vanilla", "bottleneck")}
    linear = {name: probes.logistic_accuracy(whole[name][train_rows], data.y[train_rows], held_x[name], y)
              for name in ("vanilla", "bottleneck")}
    codes = range(len(data.classes))
    jumps = [probes.entropy_jump(held_x["bottleneck"], y, a, b) for a in codes for b in codes if b < a]
    groups = [store.index[i]["path"] for i in held]
    same = {name: probes.same_group_rate(held_x[name], groups) for name in ("bottleneck", "logits", "raw")}
    entry = {"n": len(held), "of": "segments"}
    plane_accuracy = probes.neighbour_accuracy(*_halves(plane, data.y[drawn]))
    results = {
        "R1": {"value": probes.silhouette(plane, data.y[drawn]), "baselines": {"5-NN in the plane": plane_accuracy,
                                                                  "chance": 1 / len(data.classes)}},
        "R2": {"value": silhouette["vanilla"] - silhouette["raw"],
               "baselines": {"raw": silhouette["raw"], "linear probe, vanilla": linear["vanilla"]}},
        "R3a": {"value": silhouette["bottleneck"] - silhouette["vanilla"], "baselines": silhouette},
        "R3b": {"value": nearest["bottleneck"] - nearest["vanilla"], "baselines": nearest},
        "R3c": {"value": max(jumps)},
        "R5": {"value": silhouette["logits"] - silhouette["bottleneck"], "baselines": silhouette},
        "R6": {"value": silhouette["two_layer"], "baselines": {"DSAE logits": silhouette["logits"]}},
        "R14a": {"value": same["bottleneck"] - same["logits"], "baselines": same},
        "R14b": {"value": silhouette["logits"] - silhouette["bottleneck"], "baselines": silhouette},
        "R15": {"value": probes.r_squared(encodings.raw[held], encodings.x_hat[held]),
                "baselines": {"zero predictor": 0.0, "vanilla autoencoder": probes.r_squared(
                    encodings.raw[held], encodings.vanilla_x_hat[held])}},
    }
    results |= genre_geometry(data, held_x, y)
    return {claim: found | ({} if "not_testable" in found else entry) for claim, found in results.items()}


def genre_geometry(data, held_x, y) -> dict:
    """R4 and R7: distances and spreads of named genres."""
    if set(data.classes) != set(NAMED) or len(np.unique(y)) < len(NAMED):
        return {claim: {"not_testable": OTHER_CLASSES} for claim in ("R4", "R7a", "R7b", "R7c", "R7d")}
    pop, jazz, classical = (data.classes.index(name) for name in ("pop", "jazz", "classical"))
    distances = probes.centroid_distances(held_x["bottleneck"], y)
    others = [distances[i, j] for i in range(4) for j in range(i) if {i, j} != {jazz, classical}]
    impurity = probes.neighbour_impurity(held_x["bottleneck"], y)
    found = {"R4": {"value": float(distances[jazz, classical] - min(others))},
             "R7d": {"value": float(impurity[pop] - np.delete(impurity, pop).max())}}
    for claim, name in (("R7a", "raw"), ("R7b", "bottleneck"), ("R7c", "logits")):
        spreads = probes.class_spreads(held_x[name], y)
        largest = np.delete(spreads, pop).max()
        found[claim] = ({"value": float(np.log(spreads[pop] / largest))} if spreads[pop] > 0 and largest > 0
                        else {"not_testable": "the encodings do not vary"})
    return found


def projection_rows(config, data) -> tuple[np.ndarray, np.ndarray]:
    """Segments on which principal axes are fitted, and those that are drawn."""
    if config.projection == "train":
        return data.parts["train"], data.parts["test"] if len(data.parts["test"]) else data.parts["dev"]
    return np.arange(len(data.y)), np.arange(len(data.y))


def _halves(x, y):
    even, odd = np.arange(0, len(y), 2), np.arange(1, len(y), 2)
    return x[even], y[even], x[odd], y[odd]


# Facts and ablations

def facts(data, store, encodings, held) -> dict:
    """What is true on any data."""
    path = [row["path"] for row in store.index]
    lowest = float(encodings.x_hat.min())
    trained = {path[i] for i in data.parts["train"]}
    return {"E11": {"value": float(table2.margins(1000, 653)), "n": 1000, "of": "examples"},
            "E12": {"value": table2.PRINTED["metal"][2] - min(row[2] for row in table2.PRINTED.values())},
            "E14": {"value": float(np.mean([row[1] for row in table2.PRINTED.values()]) - 0.641)},
            "L1": {"value": float(np.mean([path[i] in trained for i in held])), "n": len(held), "of": "segments"},
            "L2": {"value": float(lowest >= 0),
                   "baselines": {"smallest output": lowest, "smallest input": float(data.x.min())}}}


def ablations(config, store, run, data, held) -> dict:
    """R11, R12b and R13: train-test gaps of other settings; a reason where they were not trained."""
    reason = {"not_testable": "ablations were not trained (make reproduce-softmax_ae ABLATIONS=1, part of preset full)"}
    if not config.ablations:
        return {claim: reason for claim in ("R11", "R12b", "R13a", "R13b")}
    jobs = train.jobs(config)

    def gap(name):
        name = name if name in jobs else "deep_softmax"  # the mode's own setting is trained under that name
        model, changed = jobs[name]
        if not training.outcome(run.model_directory(name)):
            return float("nan")
        learner = training.load(model, changed, store, run.model_directory(name), run.seed)
        other = train.load_data(changed, store, run.seed)
        return train.accuracy(learner, other, other.parts["train"]) - train.accuracy(learner, other, held)

    gaps = {name: gap(name) for name in ("two_layer", "plain_2", "plain_3", "plain_4", "deep_softmax", "gamma_0.0",
                                         "pool_1", "pool_10", "keep_0.8", "keep_0.9", "keep_1.0")}
    entry = {"n": len(held), "of": "segments", "baselines": gaps}
    return {"R11": {"value": gaps["plain_4"] - gaps["two_layer"], **entry},
            "R12b": {"value": gaps["deep_softmax"] - gaps["gamma_0.0"], **entry},
            "R13a": {"value": gaps["deep_softmax"] - gaps["pool_1"], **entry},
            "R13b": {"value": gaps["keep_0.8"] - gaps["keep_1.0"], **entry}}


# The page

def media(config, store, run, data, encodings, held, tables) -> list:
    """Tables, figures and sounds of the report page."""
    tables, scored = tables
    names = np.array(data.classes)
    lines = {name: training.history(run.model_directory(name)) for name in ("two_layer", "deep_softmax")}
    series = {}
    for name, label in (("two_layer", "two-layer"), ("deep_softmax", "DSAE")):
        for part in ("train", "dev"):
            series[f"{label}, {part}"] = ([x["epoch"] for x in lines[name]],
                                          [x[f"metrics/{part}_accuracy"] for x in lines[name]])
    figure3 = plots.curves(run.figure("figure_3_accuracy"), series, "epoch", "accuracy",
                           level=("chance", 1 / len(names)))
    figure4 = plots.confusion_matrix(run.figure("figure_4_confusion"), scored["confusion"], data.classes)
    fit, rows = projection_rows(config, data)
    which = f"{min(len(rows), 4000)} segments" + (", held out" if config.projection == "train" else "")
    rows = rows[np.random.default_rng(0).permutation(len(rows))[:4000]]
    views = []
    for number, name, label in ((1, "raw", "raw input, 500 values"), (5, "vanilla", "vanilla bottleneck, 64"),
                                (5, "bottleneck", "DSAE bottleneck, 64"), (6, "two_layer", "two-layer logits"),
                                (6, "logits", "DSAE logits")):
        x = getattr(encodings, name)
        points, shares = probes.principal_components(x[fit], x[rows])
        path = plots.scatter(run.figure(f"figure_{number}_{name}"), points, names[data.y[rows]], label,
                             order=data.classes)
        views.append({"kind": "figure", "file": run.relative(path), "claims": ["R1"] if name == "raw" else [],
                      "caption": f"Figure {number}: PCA of {label}; the axes carry {100 * shares.sum():.0f} % of the "
                                 f"variance; {which}",
                      "alt": f"Scatter plot of {label} on two principal axes, coloured by class"})
    return [
        {"title": "Tables 1 and 2", "items": tables,
         "text": "Shares of segments. Loudness only: a classifier that sees nothing but the RMS."},
        {"title": "Accuracy and confusions", "text": "Figures 3 and 4; the originals are lost.", "items": [
            {"kind": "figure", "file": run.relative(figure3), "claims": ["B-F3"],
             "caption": "Figure 3: accuracy over the epochs, dropout off", "alt": "Accuracy curves over the epochs"},
            {"kind": "figure", "file": run.relative(figure4), "claims": ["B-F4a", "B-F4b", "R8a"],
             "caption": "Figure 4: confusion matrix, rows true, shares of each row", "alt": "Confusion matrix"}]},
        {"title": "Encodings", "text": "Figures 1, 5 and 6 drawn again: two principal components.", "items": views},
        {"title": "What the autoencoders keep", "text":
            "The loudest held-out segment of each class (0.9 s, means of 40 samples, so nothing above 276 Hz) and what "
            "the decoders make of it, at the same gain. Silence means that the decoder emits a constant.",
         "items": [], "grid": listening(config, run, data, encodings, held)},
    ]


def listening(config, run, data, encodings, held) -> dict:
    """A grid class x (input, vanilla, DSAE) of sounds with pictures of their waveforms."""
    cells = []
    for code, name in enumerate(data.classes):
        mine = held[data.y[held] == code]
        if not len(mine):
            cells.append([{"caption": "no held-out segment"}] * 3)
            continue
        chosen = mine[np.argmax(np.square(data.x[mine]).mean(axis=1))]  # a rule, so that nothing is picked by taste
        waves = [x[chosen] * data.deviation + data.mean
                 for x in (encodings.raw, encodings.vanilla_x_hat, encodings.x_hat)]
        seconds = np.arange(len(waves[0])) * config.pool / config.sample_rate
        gain = 0.7 / max(np.abs(waves[0]).max(), 1e-6)
        row = []
        for label, wave in zip(("input", "vanilla", "dsae"), waves, strict=True):
            path = run.audio(safe_name(f"{name}_{label}"))
            audio.write(path, resample_poly(wave * gain, config.pool, 1), config.sample_rate)
            drawing, axes = plots.figure((4, 2.4))
            axes.plot(seconds, wave, linewidth=0.8)
            axes.set(xlabel="seconds", ylabel="amplitude", ylim=(-0.75 / gain, 0.75 / gain))  # one scale a row
            picture = plots.save(drawing, run.figure(path.stem))
            row.append({"audio": run.relative(path), "image": run.relative(picture),
                        "caption": f"{name}: RMS {np.sqrt(np.mean(np.square(wave))):.3f}"})
        cells.append(row)
    return {"rows": list(data.classes), "columns": ["input", "vanilla autoencoder", "Deep Softmax Autoencoder"],
            "cells": cells}


if __name__ == "__main__":
    scripts.run_evaluation(OPTIONS, settings, preprocess, evaluate)
