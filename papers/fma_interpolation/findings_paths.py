"""Findings about reconstructions, interpolations and generated images. `findings.FINDINGS` names them."""

import numpy as np

from common.findings import NotTestable
from papers.fma_interpolation import measures

# ---------------------------------------------------------------- reconstruction

def _held_out(m):
    if m.reconstructions is None:
        raise NotTestable("not all of the autoencoders, CNN_1 and CNN_2 are trained")
    return m.reconstructions, {"n": len(m.reconstructions.images), "of": "held-out images"}


def measured_on(m, measure):
    """{autoencoder: mean over the held-out images}, "mean image" among them."""
    r, _ = _held_out(m)
    images = {"mean image": np.broadcast_to(r.mean, r.images.shape)} | r.outputs
    return {name: float(measure(r.images, others).mean()) for name, others in images.items()}


def error_over_mean_image(m):
    """Q1-error."""
    found = measured_on(m, measures.squared_error)
    return {"value": found["baseline"] / found["mean image"], **_held_out(m)[1], "baselines": {"mean_image": 1.0}}


def similarity(m):
    """Q1-ssim."""
    found = measured_on(m, measures.similarity)
    return {"value": found["baseline"], **_held_out(m)[1], "baselines": {"mean_image": found["mean image"]}}


def against_mean_image(m, measure):
    """U2-ncc, U2-ssim, U2-decibel."""
    found = measured_on(m, measure)
    return {"value": found["baseline"] - found["mean image"], **_held_out(m)[1],
            "baselines": {"autoencoder": found["baseline"], "mean_image": found["mean image"]}}


def position_matters(m):
    """Q8."""
    found = measured_on(m, measures.squared_error)
    return {"value": found["conv2d"] - found["conv1d"], **_held_out(m)[1],
            "baselines": {"conv2d": found["conv2d"], "conv1d": found["conv1d"], "mean_image": found["mean image"]}}


def time_variance_kept(m):
    """Q9."""
    found = measured_on(m, measures.time_variance_ratio)
    return {"value": found["conv1d"], **_held_out(m)[1],
            "baselines": {name: found[name] for name in ("baseline", "conv2d", "mean image")}}


def flux_at_joins(m):
    """U1-flux."""
    r, _ = _held_out(m)
    if not len(r.joins):
        raise NotTestable("no two neighbouring excerpts among the held-out ones")
    first, second = r.joins.T
    was = measures.join_flux(r.images[first], r.images[second]).mean()
    now = measures.join_flux(r.outputs["baseline"][first], r.outputs["baseline"][second]).mean()
    return {"value": float(now / max(was, 1e-9)), "n": len(r.joins), "of": "joins"}


# ---------------------------------------------------------------- interpolation

def _paths(m):
    _held_out(m)
    if m.paths is None:
        raise NotTestable("fewer than two held-out tracks")
    return m.paths, {"n": len(m.paths.pairs), "of": "pairs"}


def orders(paths, name, end="first"):
    """Rank correlation of the share of A with the distance of a path's points to one end, (pairs,)."""
    return measures.path_orders(paths.shares, measures.distances(paths.embedded[name], paths.embedded[end]))


def order_to_first(m):
    """Q10-order."""
    p, n = _paths(m)
    return {"value": float(orders(p, "path").mean()), **n,
            "baselines": {"mix_of_pixels": float(orders(p, "mix").mean())}}


def _middle(p):
    """Distances (2, pairs) of the middle, and of a third excerpt, to the two ends."""
    ends = p.embedded["first"], p.embedded["second"]
    middle, third = p.embedded["path"][:, len(p.shares) // 2], np.roll(p.embedded["first"], 1, axis=0)
    return [np.stack([np.linalg.norm(x - end, axis=1) for end in ends]) for x in (middle, third)]


def middle_is_nearer(m):
    """Q10-middle."""
    p, n = _paths(m)
    near, far = _middle(p)
    return {"value": float(np.mean((near < far).all(axis=0))), **n, "baselines": {"chance": 1 / 3}}


def steps(m):
    """Mean of the largest step over the mean step, with decoded and with original images at the ends."""
    p, _ = _paths(m)
    decoded = p.decoded[m.config.interpolate]
    original = measures.with_ends(decoded, p.first, p.second)
    return {name: float(measures.largest_step(images.reshape(*images.shape[:2], -1)).mean())
            for name, images in (("decoded", decoded), ("original", original))}


def largest_step(m):
    """U1-steps."""
    found = steps(m)
    return {"value": found[m.config.end_points], **_paths(m)[1], "baselines": {"even": 1.0} | found}


def both_orders(m):
    """U4-order."""
    p, n = _paths(m)
    return {"value": float(np.mean((orders(p, "path") < -0.9) & (orders(p, "path", "second") > 0.9))), **n}


def middle_ratio(m):
    """U4-middle."""
    p, n = _paths(m)
    near, far = _middle(p)
    return {"value": float(near.mean() / max(far.mean(), 1e-9)), **n}


def mixed_feature(m, feature):
    """U5-…."""
    p, n = _paths(m)
    values = [p.features[name][feature] for name in ("path", "first", "second")]
    return {"value": measures.mixed_feature_correlation(*values, p.shares), **n}


def _genre_mass(m):
    p, n = _paths(m)
    if p.probability.shape[-1] < 2:
        raise NotTestable("one class only")
    return p, n


def own_genres(m):
    """U6-mass: probability of the genres of A and B along the path, minus that of another pair's."""
    p, n = _genre_mass(m)
    own, other = (measures.genre_mass(p.probability, genres) for genres in (p.genres, np.roll(p.genres, 1, axis=0)))
    return {"value": own - other, **n, "baselines": {"own_genres": own, "other_genres": other}}


def genre_at_ends(m):
    """U6-ends."""
    p, n = _genre_mass(m)
    ends = p.probability[:, [0, -1]].argmax(axis=-1)
    majority = float(np.bincount(p.genres.ravel()).max() / p.genres.size)
    return {"value": float((ends == p.genres).mean() - majority), "n": 2 * n["n"], "of": "ends",
            "baselines": {"majority": majority}}


def generated_against_noise(m):
    """U3."""
    _held_out(m)
    g = m.generated
    ours, theirs = (measures.frechet_distance(x, g.held_out) for x in (g.made, g.noise))
    return {"value": ours / max(theirs, 1e-9), "n": len(g.made), "of": "images",
            "baselines": {"generated": ours, "noise": theirs}}
