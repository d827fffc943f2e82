"""Findings of sections 4.3 and 5.2: what is reconstructed, what the encodings separate; functions of `Measured`."""

import numpy as np

from common import probes
from common.findings import NotTestable, by_group
from papers.softmax_ae.measures import (
    Measured,
    View,
    drawn_rows,
    genres_of,
    of_held,
    of_tracks,
    part_silhouette,
    plane,
    silhouettes,
)
from papers.softmax_ae.transitions import smoothness

# Section 4.3: what is reconstructed

def reconstructs(measured: Measured) -> dict:
    """R15a: share of the held-out segments' energy that the DSAE explains beyond silence."""
    view = measured.own
    return of_held(view, view.explained(view.encodings.x_hat), view.yardsticks | {
        "vanilla autoencoder": view.explained(view.encodings.vanilla_x_hat)} | {
        name.replace("_", " "): other.explained for name, other in (measured.others or {}).items()
        if np.isfinite(other.explained)})


def reconstructs_like_components(measured: Measured) -> dict:
    """R15b: the same minus what 64 principal components explain."""
    view = measured.own
    found = {"DSAE": view.explained(view.encodings.x_hat), "PCA-64": view.yardsticks["PCA-64"],
             "vanilla autoencoder": view.explained(view.encodings.vanilla_x_hat)}
    return of_held(view, found["DSAE"] - found["PCA-64"], found)


# Section 5.2: encodings

def raw_plane(measured: Measured) -> dict:
    """R1: silhouette of held-out raw segments on two principal axes of the training part."""
    view = measured.own
    _told_apart(view)
    points, _ = plane(view, "raw", view.data.parts["train"], view.data.held)
    return of_tracks(view, silhouettes(points, view.held_y), {
        "as drawn": as_drawn("raw", measured)["value"], "all 500 values": view.silhouettes["raw"].mean(),
        "64 components": view.silhouettes["components"].mean()})


def _told_apart(view: View):
    """That something separates nothing says nothing where nothing could."""
    held = view.data.held
    best = max(view.neighbours_right("raw").mean(), *(right[held].mean() for right in (
        view.loudness_right, view.spectrum_right, view.right("logits"))))
    chance = max(view.majority(held), 1 / len(view.data.classes))
    if best <= chance + 2 * np.sqrt(chance * (1 - chance) / len(held)):
        raise NotTestable("no control and no network tells these classes apart on held-out segments")


def as_drawn(name: str, measured: Measured) -> dict:
    """R18a, R18b: silhouette of an encoding in the plane and of the points that this mode's figure shows."""
    view = measured.own
    fit, rows = drawn_rows(measured.config, view.data, name)
    points, _ = plane(view, name, fit, rows)
    held, _ = plane(view, name, view.data.parts["train"], view.data.held)
    return by_group(silhouettes(points, view.data.y[rows]), view.data.tracks[rows], "tracks", {
        "held out": silhouettes(held, view.held_y).mean(),
        "share of training points": np.isin(rows, view.data.parts["train"]).mean()})


def picture_holds(name: str, measured: Measured) -> dict:
    """R18c, R18d: silhouette of an encoding on training segments minus that on held-out ones."""
    parts = {"train": part_silhouette(measured.own, name, "train"), "held out": measured.own.silhouettes[name].mean()}
    return of_held(measured.own, parts["train"] - parts["held out"], parts)


def silhouette_difference(one: str, other: str, measured: Measured) -> dict:
    """R2, R3a, R5, R6: silhouette of one encoding minus that of another, paired segment by segment."""
    view = measured.own
    return of_tracks(view, view.silhouettes[one] - view.silhouettes[other],
                 {name: values.mean() for name, values in view.silhouettes.items()})


def vanilla_separates(measured: Measured) -> dict:
    """R2: silhouette of the vanilla bottleneck minus that of the raw segments."""
    _told_apart(measured.own)
    return silhouette_difference("vanilla", "raw", measured)


def neighbours_separate(measured: Measured) -> dict:
    """R3b: accuracy of five nearest neighbours, DSAE bottleneck minus vanilla, paired."""
    right = {name: measured.own.neighbours_right(name).astype(float)
             for name in ("vanilla", "bottleneck", "raw", "components")}
    return of_tracks(measured.own, right["bottleneck"] - right["vanilla"],
                 {name: values.mean() for name, values in right.items()})


def smooth(measured: Measured) -> dict:
    """R3c: how evenly neighbours change from class to class in the bottleneck."""
    view = measured.own
    found = {name: smoothness(view.held(name), view.held_y) for name in ("bottleneck", "vanilla", "raw", "logits")}
    shuffled = np.random.default_rng(0).permutation(view.held_y)
    return of_held(view, found.pop("bottleneck"),
                   found | {"shuffled labels": smoothness(view.held("bottleneck"), shuffled)})


def smoother_logits(measured: Measured) -> dict:
    """R3d: the same of the DSAE's logits minus the two-layer network's."""
    view = measured.own
    found = {name: smoothness(view.held(name), view.held_y) for name in ("logits", "two_layer")}
    return of_held(view, found["logits"] - found["two_layer"], found)


def jazz_and_classical_closest(measured: Measured) -> dict:
    """R4: distance of jazz and classical in the bottleneck, minus the smallest other."""
    view, code = measured.own, genres_of(measured.own)
    distances = probes.centroid_distances(view.held("bottleneck"), view.held_y)
    ours = {code["jazz"], code["classical"]}
    others = [distances[i, j] for i in range(4) for j in range(i) if {i, j} != ours]
    return of_held(view, distances[code["jazz"], code["classical"]] - min(others))


def _spread_beside(view: View, genre: str, encoding: str, beside) -> float:
    """Log of a genre's variance over that of another: `beside` (max or min) picks it from the others' variances."""
    code = genres_of(view)[genre]
    spreads = probes.class_spreads(view.held(encoding), view.held_y)
    other = beside(np.delete(spreads, code))
    if not (spreads[code] > 0 and other > 0):
        raise NotTestable("the encodings do not vary")
    return float(np.log(spreads[code] / other))


def pop_is_spread(encoding: str, measured: Measured) -> dict:
    """R7a to R7c: log of pop's variance over the largest other class's."""
    return of_held(measured.own, _spread_beside(measured.own, "pop", encoding, np.max))


def classical_is_clustered(measured: Measured) -> dict:
    """R7g: log of classical's variance over the smallest other class's, the larger of bottleneck and logits."""
    found = {name: _spread_beside(measured.own, "classical", name, np.min) for name in ("bottleneck", "logits")}
    return of_held(measured.own, max(found.values()), found)


def pop_overlaps(encoding: str, measured: Measured) -> dict:
    """R7d, R7e: share of foreign neighbours around pop, minus the largest other."""
    view, pop = measured.own, genres_of(measured.own)["pop"]
    impurity = probes.neighbour_impurity(view.held(encoding), view.held_y)
    return of_held(view, impurity[pop] - np.delete(impurity, pop).max())


def bottleneck_is_finer(measured: Measured) -> dict:
    """R14a: how often the nearest neighbour is of the same track, bottleneck minus logits, paired."""
    view = measured.own
    same = {name: probes.same_group(view.held(name), view.held_tracks) for name in (
        "bottleneck", "logits", "raw", "vanilla", "components")}
    return of_tracks(view, same["bottleneck"].astype(float) - same["logits"],
                 {name: values.mean() for name, values in same.items()})
