"""Findings of section 5.1: accuracies, confusions, overfitting, the leak; functions of `measures.Measured`."""

import numpy as np

from common import probes
from common.findings import NotTestable, by_group
from papers.softmax_ae.config import ALONE, LONGER
from papers.softmax_ae.facts import CHECKED_EPOCHS, LOGGED, logged
from papers.softmax_ae.measures import Measured, Other, View, confused_pairs, genres_of, of_held, of_tracks, track_votes

TABLE_1 = {"2L": ("two_layer", "two_layer"), "DS": ("deep_softmax", "logits")}  # row -> (model, its logits)
SCORES = {"P": "precision", "R": "recall", "F1": "f1"}


def other(measured: Measured, name: str) -> Other:
    """An ablation's numbers."""
    if measured.others is None:
        raise NotTestable("ablations were not trained (make reproduce-softmax_ae ABLATIONS=1, part of preset full)")
    return measured.others[name]


# Section 5.1: Tables 1 and 2, Figures 3 and 4

def table_1(row: str, part: str, measured: Measured) -> dict:
    """Accuracy of a network on a part; the training one as this mode counts it."""
    (model, logits), view = TABLE_1[row], measured.own
    rows = view.data.parts[part]
    if not len(rows):
        raise NotTestable("this mode has no test set (split P2)")
    baselines = {"majority": view.majority(rows), "loudness only": float(view.loudness_right[rows].mean()),
                 "power spectrum, linear": float(view.spectrum_right[rows].mean())}
    if part == "train":
        counted = {"afterwards": view.accuracy(logits, part), "in_epoch": measured.running_accuracy(model)}
        return {"value": counted[measured.config.train_accuracy], "n": len(rows), "of": "segments",
                "baselines": baselines | {"dropout off": counted["afterwards"], "in epoch": counted["in_epoch"]}}
    return by_group(view.right(logits)[rows], view.data.tracks[rows], "tracks", baselines)


def longer_training(measured: Measured) -> dict:
    """B-T1-DS-tr-long: training accuracy, dropout off, after twice the epochs."""
    view, found = measured.own, other(measured, LONGER)
    return {"value": found.train, "n": len(view.data.parts["train"]), "of": "segments",
            "baselines": {"after the epochs of this mode": view.accuracy("logits", "train")}}


def table_2(genre: str, score: str, measured: Measured) -> dict:
    """Precision, recall or F1 of a genre on the held-out segments; beside it the other of dev and test."""
    view = measured.own
    code, parts = genres_of(view)[genre], view.data.parts
    return of_held(view, view.scores("held")[score][code], {
        f"{part} part": float(view.scores(part)[score][code]) for part in ("dev", "test") if len(parts[part])})


def like_the_logs(row: str, part: str, measured: Measured) -> dict:
    """B-LOG: largest distance of the accuracy over the epochs from the mean of the authors' logged runs."""
    lines = {round(line["epoch"]): line for line in measured.histories[TABLE_1[row][0]]}
    if missing := [epoch for epoch in CHECKED_EPOCHS if epoch not in lines]:
        raise NotTestable(f"trained for fewer epochs than the authors' runs: nothing at epoch {missing[0]}")
    name = "metrics/train_accuracy_in_epoch" if part == "train" else "metrics/dev_accuracy"
    theirs = logged(row, part)
    distances = {f"epoch {epoch}": lines[epoch][name] - theirs[epoch] for epoch in CHECKED_EPOCHS}
    return {"value": max(map(abs, distances.values())), "n": len(LOGGED[row]), "of": "logged runs",
            "baselines": distances}


def on_the_diagonal(measured: Measured) -> dict:
    """B-F4a: share of held-out segments on the diagonal, minus one half or, if larger, what naming one class gives."""
    view = measured.own
    one_class = probes.majority_rate(view.held_y, view.held_y)
    return of_tracks(view, view.right("logits")[view.data.held] - max(0.5, one_class), {"one class": one_class})


def metal_and_pop(measured: Measured) -> dict:
    """R8a: share confused between metal and pop, minus that of the next commonest pair."""
    code, pairs = genres_of(measured.own), confused_pairs(measured.own.scores("held")["confusion"])
    ours = pairs.pop(_pair(code, "metal", "pop"))
    return of_held(measured.own, ours - max(pairs.values()))


def classical_and_jazz(measured: Measured) -> dict:
    """R8b: share confused between classical and jazz, minus the largest of the pairs left besides metal and pop."""
    code, pairs = genres_of(measured.own), confused_pairs(measured.own.scores("held")["confusion"])
    pairs.pop(_pair(code, "metal", "pop"))
    ours = pairs.pop(_pair(code, "classical", "jazz"))
    return of_held(measured.own, ours - max(pairs.values()))


def _pair(code: dict, one: str, other: str) -> tuple[int, int]:
    return max(code[one], code[other]), min(code[one], code[other])


def classical_leads(measured: Measured) -> dict:
    """R9: classical's smallest lead over the next class in precision, recall and F1."""
    classical, scored = genres_of(measured.own)["classical"], measured.own.scores("held")
    found = [scored[score] for score in SCORES.values()]
    return of_held(measured.own, min(s[classical] - np.delete(s, classical).max() for s in found))


def pop_is_worst(measured: Measured) -> dict:
    """R7f: F1 of pop minus the smallest of the others."""
    pop, f1 = genres_of(measured.own)["pop"], measured.own.scores("held")["f1"]
    return of_held(measured.own, f1[pop] - np.delete(f1, pop).min(),
                   {name: float(f1[code]) for name, code in genres_of(measured.own).items()})


def hybrid_beats_plain(which: str, measured: Measured) -> dict:
    """R10a and R10c: held-out accuracy of the DSAE minus that of the two-layer network, paired segment by segment."""
    view = getattr(measured, which)
    ours, plain = (view.right(name)[view.data.held].astype(float) for name in ("logits", "two_layer"))
    return of_tracks(view, ours - plain, {"DSAE": ours.mean(), "two-layer": plain.mean()})


def hybrid_fits_better(measured: Measured) -> dict:
    """R10b: training accuracy of the DSAE minus that of the two-layer network, dropout off."""
    ours, plain = (measured.own.accuracy(name, "train") for name in ("logits", "two_layer"))
    return {"value": ours - plain, "n": len(measured.own.data.parts["train"]), "of": "segments",
            "baselines": {"DSAE": ours, "two-layer": plain}}


def deeper_overfits(measured: Measured) -> dict:
    """R11: train-test gap of four hidden layers minus that of one."""
    gaps = {"1 hidden layer": measured.own.gap("two_layer")}
    gaps |= {f"{depth} hidden layers": other(measured, f"plain_{depth}").gap for depth in (2, 3, 4)}
    return of_held(measured.own, gaps["4 hidden layers"] - gaps["1 hidden layer"], gaps)


def hybrid_overfits_less(measured: Measured) -> dict:
    """R12a: train-test gap of the DSAE minus that of the two-layer network."""
    gaps = {"DSAE": measured.own.gap("logits"), "two-layer": measured.own.gap("two_layer")}
    return of_held(measured.own, gaps["DSAE"] - gaps["two-layer"], gaps)


def _right_alone(measured: Measured) -> np.ndarray:
    return measured.alone.argmax(axis=1) == measured.own.data.y


def reconstruction_overfits_less(measured: Measured) -> dict:
    """R12b: train-test gap of the DSAE minus that of its twin without reconstruction."""
    view, right = measured.own, _right_alone(measured)
    gaps = {"DSAE": view.gap("logits"),
            ALONE: float(right[view.data.parts["train"]].mean() - right[view.data.held].mean())}
    return of_held(view, gaps["DSAE"] - gaps[ALONE], gaps)


def reconstruction_helps(measured: Measured) -> dict:
    """R12c: held-out accuracy of the DSAE minus that of its twin without reconstruction, paired."""
    view = measured.own
    ours, alone = (right[view.data.held].astype(float) for right in (view.right("logits"), _right_alone(measured)))
    return of_tracks(view, ours - alone, {"DSAE": ours.mean(), ALONE: alone.mean()})


def regularises(ablation: str, measured: Measured) -> dict:
    """R13: train-test gap of the DSAE minus that with another setting."""
    gaps = {"DSAE": measured.own.gap("logits")} | {
        name: other(measured, name).gap for name in dict.fromkeys((ablation, "pool_10" if "pool" in ablation else
                                                                    ablation))}
    return of_held(measured.own, gaps["DSAE"] - gaps[ablation], gaps)


def _on_unheard(measured: Measured) -> View:
    if not measured.unheard.data.by_track:
        raise NotTestable("too few tracks a class to keep any unheard")
    return measured.unheard


def genre_beats_chance(measured: Measured) -> dict:
    """R16a: DSAE on unheard tracks minus always naming one class."""
    view = _on_unheard(measured)
    chance = max(view.majority(view.data.held), 1 / len(view.data.classes))
    return of_tracks(view, view.right("logits")[view.data.held] - chance, {"one class": chance})


def genre_beats_loudness(measured: Measured) -> dict:
    """R16b: DSAE on unheard tracks minus a classifier that sees loudness alone, paired."""
    view = _on_unheard(measured)
    ours, loud = (right[view.data.held].astype(float) for right in (view.right("logits"), view.loudness_right))
    return of_tracks(view, ours - loud, {"loudness only": loud.mean(), "DSAE": ours.mean(),
                                     "power spectrum, linear": float(view.spectrum_right[view.data.held].mean())})


def votes_beat_chance(measured: Measured) -> dict:
    """R16c: share of unheard tracks that their segments together name rightly, minus that of the commonest class."""
    view = _on_unheard(measured)
    names, right = track_votes(view.encodings.logits[view.data.held], view.held_y, view.held_tracks)
    classes = [view.held_y[view.held_tracks == name][0] for name in names]
    one_class = probes.majority_rate(classes, classes)
    return by_group(right - one_class, names, "tracks",
                    {"single segments": view.accuracy("logits", "held"), "one class": one_class})


def the_leak(measured: Measured) -> dict:
    """R17: held-out accuracy of the DSAE where segments are shuffled minus that on unheard tracks, all else equal."""
    if measured.unheard is measured.own:
        raise NotTestable("this mode's split keeps tracks whole")
    heard, unheard = measured.own.accuracy("logits", "held"), _on_unheard(measured).accuracy("logits", "held")
    plain = [view.accuracy("two_layer", "held") for view in (measured.own, measured.unheard)]
    return of_held(measured.own, heard - unheard, {"shuffled segments": heard, "unheard tracks": unheard,
                                                   "two-layer, shuffled": plain[0], "two-layer, unheard": plain[1]})
