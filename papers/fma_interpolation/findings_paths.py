"""Findings about reconstructions, interpolations and generated images. `findings.FINDINGS` names them.

Each is a mean over items with its parts by artist, and stands beside what needs no decoder or ignores its input
(`measured.CONTROLS`): the mean of the training images, the path of another pair, cross-fades, blurred originals.
"""

from collections.abc import Callable

import numpy as np

from common.findings import NotTestable, by_group
from papers.fma_interpolation import measures
from papers.fma_interpolation.measured import CONTROLS, Measured, Paths

COMPONENTS = 8  # of the embedding that Frechet distances are taken in: 64 images cannot fill 64 x 64 covariances


def short(name: str) -> str:
    """A control's name as a key of baselines."""
    return name.replace(" ", "_").replace("-", "_")


# ---------------------------------------------------------------- reconstruction

def _held_out(m):
    if m.reconstructions is None:
        raise NotTestable("not all of the autoencoders, CNN_1 and CNN_2 are trained")
    return m.reconstructions


def each(m: Measured, measure: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> dict[str, np.ndarray]:
    """{autoencoder: (n,) values on the held-out images}, "mean image" among them."""
    r = _held_out(m)
    images = {"mean image": np.broadcast_to(r.mean, r.images.shape)} | r.outputs
    return {name: measure(r.images, others) for name, others in images.items()}


def _means(found):
    return {short(name): float(values.mean()) for name, values in found.items()}


def error_over_mean_image(m: Measured) -> dict:
    """Q1-error: squared error over that of the mean image."""
    found = each(m, measures.squared_error)
    return by_group(found["baseline"] / found["mean image"].mean(), _held_out(m).artists, "artists",
                    {"mean_image": 1.0})


def similarity(m: Measured) -> dict:
    """Q1-ssim."""
    found = each(m, measures.similarity)
    return by_group(found["baseline"], _held_out(m).artists, "artists", _means(found))


def against_mean_image(m: Measured, measure: Callable[[np.ndarray, np.ndarray], np.ndarray],
                       name: str = "baseline") -> dict:
    """U2-ncc, U2-ssim, U2-decibel, Q1-conv2d …: a measure of each image minus that of the mean image."""
    found = each(m, measure)
    return by_group(found[name] - found["mean image"], _held_out(m).artists, "artists", _means(found))


def own_original(m: Measured) -> dict:
    """U2-own: dB error to its own original minus that to another track's, beyond what the mean image has of it."""
    r = _held_out(m)
    other = [next((k for k in np.roll(np.arange(len(r.tracks)), -i) if r.tracks[k] != r.tracks[i]), None)
             for i in range(len(r.tracks))]
    if None in other:
        raise NotTestable("one held-out track only")
    shown = {"baseline": r.outputs["baseline"], "mean image": np.broadcast_to(r.mean, r.images.shape),
             "originals": r.images}
    found = {name: measures.decibel_error(r.images, x) - measures.decibel_error(r.images[other], x)
             for name, x in shown.items()}
    return by_group(found["baseline"] - found["mean image"], r.artists, "artists", _means(found))


def learnt(m: Measured) -> dict[str, dict]:
    """{model: held-out squared error against that of the mean image}: what claims about trained autoencoders need."""
    if m.reconstructions is None:
        return {}
    found = {name: float(values.mean()) for name, values in each(m, measures.squared_error).items()}
    return {f"autoencoder-{name}": {"what": "squared error of held-out images", "value": value,
                                    "baseline": found["mean image"], "learnt": value < found["mean image"]}
            for name, value in found.items() if name != "mean image"}


def structures(m: Measured, one: str, two: str) -> dict:
    """Q8, Q8-inception: squared error of one autoencoder minus that of another."""
    found = each(m, measures.squared_error)
    return by_group(found[one] - found[two], _held_out(m).artists, "artists", _means(found))


def time_variance_kept(m: Measured) -> dict:
    """Q9."""
    found = each(m, measures.time_variance_ratio)
    return by_group(found["conv1d"], _held_out(m).artists, "artists", _means(found))


def rounding_over_noise(m: Measured) -> dict:
    """Q12-noise: what half pixels change in the reconstructions over what another draw of the code changes.

    1 where neither changes anything: a decoder that ignores its code has no noise to compare with.
    """
    r = _held_out(m)
    if m.config.storage == "half":
        raise NotTestable("the images are stored as half, so that there is nothing left to round")
    return by_group((r.rounded + 1e-6) / (r.drawn + 1e-6), r.artists, "artists",
                    {"rounded": float(r.rounded.mean()), "another_draw": float(r.drawn.mean())})


def flux_at_joins(m: Measured, at_most: float = np.inf, at_least: float = -np.inf) -> dict:
    """U1-flux, U1-flux-kept: octaves by which the flux at the joins of reconstructions exceeds the originals'.

    Not judged where the mean image, repeated, lies between `at_least` and `at_most` octaves, as the claim's rule asks:
    what a still image has says nothing of a decoder.
    """
    r = _held_out(m)
    if not len(r.joins):
        raise NotTestable("no two neighbouring excerpts among the held-out ones")
    first, second = r.joins.T
    was = measures.join_flux(r.images[first], r.images[second])
    shown = {"baseline": r.outputs["baseline"], "mean image": np.broadcast_to(r.mean, r.images.shape),
             "blurred": measures.blurred_to(r.images, measures.squared_error(r.images, r.outputs["baseline"]).mean())}
    found = {name: measures.octaves(measures.join_flux(x[first], x[second]), was) for name, x in shown.items()}
    entry, still = by_group(found["baseline"], r.artists[first], "artists", _means(found)), found["mean image"].mean()
    if not at_least < still < at_most:
        return entry
    return entry | {"not_testable": f"the mean image meets the rule as well, with {still:.3g} octaves"}


# ---------------------------------------------------------------- interpolation

def _paths(m):
    _held_out(m)
    if m.paths is None:
        raise NotTestable("fewer than two held-out tracks")
    return m.paths


def _every(p, measure):
    """{"path" and every control: (pairs,) values} of measure(paths, name)."""
    return {name: measure(p, name) for name in ("path", *CONTROLS)}


def orders(p: Paths, name: str, end: str = "first") -> np.ndarray:
    """Rank correlation of the share of A with the distance of a path's points to one end, (pairs,)."""
    return measures.path_orders(p.shares, measures.distances(p.embedded[name], p.embedded[end]))


def both_orders(p: Paths, name: str) -> np.ndarray:
    """Whether a path comes nearer to B and goes away from A, (pairs,) of 0 and 1."""
    return ((orders(p, name) < -0.9) & (orders(p, name, "second") > 0.9)).astype(float)


def middle_distances(p: Paths, name: str) -> np.ndarray:
    """Distance (2, pairs) of a path's middle to its two ends, which are the originals A and B."""
    middle = p.embedded[name][:, len(p.shares) // 2]
    return np.stack([np.linalg.norm(middle - p.embedded[end], axis=1) for end in ("first", "second")])


def _third_distances(p):
    third = np.roll(p.embedded["first"], 1, axis=0)
    return np.stack([np.linalg.norm(third - p.embedded[end], axis=1) for end in ("first", "second")])


def middle_is_nearer(p: Paths, name: str) -> np.ndarray:
    """Whether the middle is nearer to A and to B than a third excerpt is, (pairs,) of 0 and 1."""
    return (middle_distances(p, name) < _third_distances(p)).all(axis=0).astype(float)


def middle_distance(p: Paths, name: str) -> np.ndarray:
    """Mean distance of the middle to the two ends, (pairs,)."""
    return middle_distances(p, name).mean(axis=0)


def against(m: Measured, measure: Callable[[Paths, str], np.ndarray], control: str) -> dict:
    """Q10-…, U4-…: a measure of each path minus that of its control; both and all others as baselines."""
    p = _paths(m)
    if len(p.pairs) < 2:
        raise NotTestable("one pair only, so that there is no other to compare with")
    found = _every(p, measure)
    return by_group(found["path"] - found[control], p.artists, "artists of A", _means(found))


def largest_step(m: Measured) -> dict:
    """U1-steps: largest step over the mean step, with the ends that the mode shows."""
    p = _paths(m)
    found = {name: measures.largest_step(p.images[name]) for name in CONTROLS} | steps(p)
    return by_group(measures.largest_step(p.shown), p.artists, "artists of A", _means(found))


def steps(p: Paths) -> dict[str, np.ndarray]:
    """{"decoded" or "original" ends: (pairs,) largest step over the mean step}."""
    return {"decoded": measures.largest_step(p.images["path"]),
            "original": measures.largest_step(measures.with_ends(p.images["path"], p.first, p.second))}


def reach(m: Measured) -> dict:
    """U1-reach: distance of the decoded ends over that of A and B."""
    p = _paths(m)
    found = _every(p, _reach)
    return by_group(found["path"], p.artists, "artists of A", _means(found))


def _reach(p, name):
    return measures.reach(p.images[name], p.first, p.second)


def bend(m: Measured) -> dict:
    """U4-fade: how far blending codes is from cross-fading the decoded ends; of the means, where nothing is drawn."""
    p = _paths(m)
    found = {name: measures.bend(p.images[name]) for name in ("mean", *CONTROLS)}
    return by_group(found["mean"], p.artists, "artists of A", _means(found))


def mixed_feature(m: Measured, feature: str) -> dict:
    """U5-…: distance of a feature on the path to the mix of A's and B's, minus that of the best constant.

    The best constant is the median of the mixes themselves: no decoder that ignores its input can be nearer.
    """
    p = _paths(m)
    wanted = measures.mix(p.features["first"][feature], p.features["second"][feature], p.shares)
    shown = {name: p.features[name][feature] for name in ("path", *CONTROLS)}
    shown["best constant"] = np.median(wanted, axis=(0, 1), keepdims=True)
    found = {name: np.abs(values - wanted).mean(axis=(1, 2)) for name, values in shown.items()}
    return by_group(found["path"] - found["best constant"], p.artists, "artists of A", _means(found))


def _judged(m):
    p = _paths(m)
    if p.probability["path"].shape[-1] < 2:
        raise NotTestable("one class only")
    return p


def own_genres(m: Measured) -> dict:
    """U6-mass: probability of the genres of A and B along the path, minus that of another pair's genres."""
    p = _judged(m)
    other = np.roll(p.genres, 1, axis=0)
    found = {name: measures.genre_mass(p.probability[name], p.genres) - measures.genre_mass(p.probability[name], other)
             for name in ("path", *CONTROLS)}
    return by_group(found["path"], p.artists, "artists of A", _means(found))


def genre_at_ends(m: Measured) -> dict:
    """U6-ends: accuracy at the decoded ends minus the share of the commonest genre there."""
    p = _judged(m)
    majority = float(np.bincount(p.genres.ravel()).max() / p.genres.size)
    hits = {name: (p.probability[name][:, [0, -1]].argmax(axis=-1) == p.genres).mean(axis=1)
            for name in ("path", "originals", *CONTROLS)}
    return by_group(hits["path"] - majority, p.artists, "artists of A", _means(hits) | {"majority": majority})


def generated_against_trivial(m: Measured) -> dict:
    """U3: Frechet distance of generated to held-out images, minus that of the best of what ignores all music."""
    _held_out(m)
    values = m.generated.embedded
    if min(len(values["held out"]), len(values["training"])) <= COMPONENTS:
        raise NotTestable(f"{COMPONENTS} dimensions need more held-out images, there are {len(values['held out'])}")
    plane = measures.principal_plane(values["training"], COMPONENTS)
    held = plane(values["held out"])
    found = {name: measures.frechet_distance(plane(x), held) for name, x in values.items() if name != "held out"}
    trivial = min(found[name] for name in ("mean image", "noise of pixels", "white noise"))
    return {"value": found["generated"] - trivial, "n": len(held), "of": "images",
            "baselines": {short(name): value for name, value in found.items()}}
