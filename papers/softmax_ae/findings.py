"""Every claim of the paper that a run answers: id -> function of what was measured (`measures.Measured`)."""

from functools import partial

import numpy as np

from common import probes
from common.findings import NotTestable
from papers.softmax_ae.config import GENRES
from papers.softmax_ae.measures import confused_pairs, drawn_rows, halves

TABLE_1 = {"2L": "two_layer", "DS": "deep_softmax"}
PARTS = {"tr": "train", "dev": "dev", "te": "test"}
TABLE_2 = {"C": "classical", "J": "jazz", "M": "metal", "P": "pop"}
SCORES = {"P": "precision", "R": "recall", "F1": "f1"}


def _of_held(measured, value, baselines=None) -> dict:
    return {"value": float(value), "n": len(measured.data.held), "of": "segments"} | (
        {"baselines": baselines} if baselines else {})


def _genres(measured) -> dict[str, int]:
    """Codes of the four genres."""
    if set(measured.data.classes) != set(GENRES):
        raise NotTestable("the corpus has other classes than the paper's four genres")
    return {name: measured.data.classes.index(name) for name in GENRES}


# Section 5.1: Tables 1 and 2, Figures 3 and 4

def table_1(model: str, part: str, measured) -> dict:
    """Accuracy of a network on a part; the training one as this mode counts it (dossier E17)."""
    rows = measured.data.parts[part]
    if part == "test" and not len(rows):
        raise NotTestable("this mode has no test set (split P2)")
    baselines = {"majority": measured.majority(rows), "loudness_only": measured.loudness_only(rows)}
    value = measured.accuracy(model, part)
    if part == "train":
        baselines |= {"dropout_off": value, "in_epoch": measured.running_accuracy(model)}
        value = baselines["in_epoch"] if measured.in_epoch else value
    return {"value": value, "n": len(rows), "of": "segments", "baselines": baselines}


def table_2(genre: str, score: str, measured) -> dict:
    """Precision, recall or F1 of a genre on the held-out segments."""
    return _of_held(measured, measured.scores[score][_genres(measured)[genre]])


def epochs_drawn(measured) -> dict:
    """B-F3: the lost Figure 3 is drawn again; how many epochs."""
    return {"value": float(len(measured.histories["deep_softmax"])), "of": "epochs drawn"}


def on_the_diagonal(measured) -> dict:
    """B-F4a: share of held-out segments on the confusion matrix' diagonal, minus one half."""
    confusion = measured.scores["confusion"]
    return _of_held(measured, np.trace(confusion / max(len(measured.data.held), 1)) - 0.5)


def metal_and_pop(measured) -> dict:
    """R8a: share confused between metal and pop, minus that of the next commonest pair."""
    code, pairs = _genres(measured), confused_pairs(measured.scores["confusion"])
    ours = pairs.pop(_pair(code, "metal", "pop"))
    return _of_held(measured, ours - max(pairs.values()))


def classical_and_jazz(measured) -> dict:
    """R8b: share confused between classical and jazz, minus the largest of the pairs left besides metal and pop."""
    code, pairs = _genres(measured), confused_pairs(measured.scores["confusion"])
    pairs.pop(_pair(code, "metal", "pop"))
    ours = pairs.pop(_pair(code, "classical", "jazz"))
    return _of_held(measured, ours - max(pairs.values()))


def _pair(code: dict, one: str, other: str) -> tuple[int, int]:
    return max(code[one], code[other]), min(code[one], code[other])


def classical_leads(measured) -> dict:
    """R9: classical's smallest lead over the next class in precision, recall and F1."""
    classical = _genres(measured)["classical"]
    scored = [measured.scores[score] for score in SCORES.values()]
    return _of_held(measured, min(s[classical] - np.delete(s, classical).max() for s in scored))


def hybrid_beats_plain(measured) -> dict:
    """R10: held-out accuracy of the DSAE minus that of the two-layer network."""
    ours, plain = (measured.accuracy(name, "held") for name in ("deep_softmax", "two_layer"))
    return _of_held(measured, ours - plain, {"DSAE": ours, "two_layer": plain})


def hybrid_overfits_less(measured) -> dict:
    """R12a: train-test gap of the DSAE minus that of the two-layer network."""
    gaps = {short: measured.gap(name) for short, name in TABLE_1.items()}
    return _of_held(measured, gaps["DS"] - gaps["2L"], gaps)


def genre_beats_chance(measured) -> dict:
    """R16a: DSAE on unheard tracks minus one over the number of classes."""
    _needs_unheard_tracks(measured)
    return _of_held(measured, measured.accuracy("deep_softmax", "held") - 1 / len(measured.data.classes))


def genre_beats_loudness(measured) -> dict:
    """R16b: DSAE on unheard tracks minus a classifier that sees loudness alone."""
    _needs_unheard_tracks(measured)
    loud = measured.loudness_only(measured.data.held)
    return _of_held(measured, measured.accuracy("deep_softmax", "held") - loud, {"loudness_only": loud})


def _needs_unheard_tracks(measured):
    if measured.config.split not in ("T1", "T2"):
        raise NotTestable("tracks lie on both sides of this split; see sound")


def gap_between(one: str, other: str, measured) -> dict:
    """R11, R12b, R13: train-test gap with one setting minus that with another."""
    if measured.gaps is None:
        raise NotTestable("ablations were not trained (make reproduce-softmax_ae ABLATIONS=1, part of preset full)")
    return _of_held(measured, measured.gaps[one] - measured.gaps[other], measured.gaps)


# Section 5.2: encodings

def raw_plane(measured) -> dict:
    """R1: silhouette of the raw segments in the plane of two principal components."""
    fit, drawn = drawn_rows(measured.config, measured.data)
    y = measured.data.y[drawn]
    plane, _ = probes.principal_components(measured.encodings.raw[fit], measured.encodings.raw[drawn])
    baselines = {"5-NN in the plane": probes.neighbour_accuracy(*halves(plane, y)),
                 "chance": 1 / len(measured.data.classes)}
    return _of_held(measured, probes.silhouette(plane, y), baselines)


def _probe(probe, measured, name: str) -> float:
    """A probe fitted on the training segments' encodings, scored on the held-out ones."""
    train = measured.data.parts["train"]
    whole = getattr(measured.encodings, name)
    return probe(whole[train], measured.data.y[train], measured.held[name], measured.held_y)


def vanilla_separates(measured) -> dict:
    """R2: silhouette of the vanilla bottleneck minus that of the raw segments."""
    s = measured.silhouettes
    return _of_held(measured, s["vanilla"] - s["raw"], {
        "raw": s["raw"], "linear probe, vanilla": _probe(probes.logistic_accuracy, measured, "vanilla")})


def silhouette_difference(one: str, other: str, measured) -> dict:
    """R3a, R5, R14b: silhouette of one encoding minus that of another."""
    return _of_held(measured, measured.silhouettes[one] - measured.silhouettes[other], measured.silhouettes)


def neighbours_separate(measured) -> dict:
    """R3b: five nearest neighbours, DSAE bottleneck minus vanilla."""
    nearest = {name: _probe(probes.neighbour_accuracy, measured, name) for name in ("vanilla", "bottleneck")}
    return _of_held(measured, nearest["bottleneck"] - nearest["vanilla"], nearest)


def smoothness(measured) -> dict:
    """R3c: largest jump of the neighbours' entropy between two class means."""
    codes = range(len(measured.data.classes))
    return _of_held(measured, max(probes.entropy_jump(measured.held["bottleneck"], measured.held_y, a, b)
                                  for a in codes for b in codes if b < a))


def jazz_and_classical_closest(measured) -> dict:
    """R4: distance of jazz and classical in the bottleneck, minus the smallest other."""
    code = _genres(measured)
    distances = probes.centroid_distances(measured.held["bottleneck"], measured.held_y)
    ours = {code["jazz"], code["classical"]}
    others = [distances[i, j] for i in range(4) for j in range(i) if {i, j} != ours]
    return _of_held(measured, distances[code["jazz"], code["classical"]] - min(others))


def two_layer_separates(measured) -> dict:
    """R6: silhouette of the two-layer network's logits."""
    return _of_held(measured, measured.silhouettes["two_layer"], {"DSAE logits": measured.silhouettes["logits"]})


def pop_is_spread(encoding: str, measured) -> dict:
    """R7a to R7c: log of pop's variance over the largest other class's."""
    pop = _genres(measured)["pop"]
    spreads = probes.class_spreads(measured.held[encoding], measured.held_y)
    largest = np.delete(spreads, pop).max()
    if not (spreads[pop] > 0 and largest > 0):
        raise NotTestable("the encodings do not vary")
    return _of_held(measured, np.log(spreads[pop] / largest))


def pop_overlaps(measured) -> dict:
    """R7d: share of foreign neighbours around pop in the bottleneck, minus the largest other."""
    pop = _genres(measured)["pop"]
    impurity = probes.neighbour_impurity(measured.held["bottleneck"], measured.held_y)
    return _of_held(measured, impurity[pop] - np.delete(impurity, pop).max())


def bottleneck_is_finer(measured) -> dict:
    """R14a: how often the nearest neighbour is of the same track, bottleneck minus logits."""
    tracks = measured.data.tracks[measured.data.held]
    same = {name: probes.same_group_rate(measured.held[name], tracks) for name in ("bottleneck", "logits", "raw")}
    return _of_held(measured, same["bottleneck"] - same["logits"], same)


def reconstructs(measured) -> dict:
    """R15: share of the held-out segments' energy that the DSAE explains beyond silence."""
    raw, held = measured.held["raw"], measured.data.held
    return _of_held(measured, probes.r_squared(raw, measured.encodings.x_hat[held]), {
        "zero predictor": 0.0, "vanilla autoencoder": probes.r_squared(raw, measured.encodings.vanilla_x_hat[held])})


FINDINGS = {
    **{f"B-T1-{short}-{part}": partial(table_1, model, PARTS[part])
       for short, model in TABLE_1.items() for part in PARTS},
    "B-ABS1-tr": partial(table_1, "deep_softmax", "train"), "B-ABS1-te": partial(table_1, "deep_softmax", "test"),
    **{f"B-CON-{short}-{part}": partial(table_1, model, PARTS[part])
       for short, model in TABLE_1.items() for part in ("tr", "te")},
    **{f"B-T2-{letter}-{short}": partial(table_2, genre, score)
       for letter, genre in TABLE_2.items() for short, score in SCORES.items()},
    "B-F3": epochs_drawn, "B-F4a": on_the_diagonal, "B-F4b": metal_and_pop, "B-F4c": classical_leads,
    "R1": raw_plane, "R2": vanilla_separates, "R3a": partial(silhouette_difference, "bottleneck", "vanilla"),
    "R3b": neighbours_separate, "R3c": smoothness, "R4": jazz_and_classical_closest,
    "R5": partial(silhouette_difference, "logits", "bottleneck"), "R6": two_layer_separates,
    "R7a": partial(pop_is_spread, "raw"), "R7b": partial(pop_is_spread, "bottleneck"),
    "R7c": partial(pop_is_spread, "logits"), "R7d": pop_overlaps, "R8a": metal_and_pop, "R8b": classical_and_jazz,
    "R9": classical_leads, "R10": hybrid_beats_plain,
    "R11": partial(gap_between, "plain_4", "two_layer"), "R12a": hybrid_overfits_less,
    "R12b": partial(gap_between, "deep_softmax", "gamma_0.0"), "R13a": partial(gap_between, "deep_softmax", "pool_1"),
    "R13b": partial(gap_between, "keep_0.8", "keep_1.0"), "R14a": bottleneck_is_finer,
    "R14b": partial(silhouette_difference, "logits", "bottleneck"), "R15": reconstructs,
    "R16a": genre_beats_chance, "R16b": genre_beats_loudness,
}
