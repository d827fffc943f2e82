"""Sections 3.3 to 4, Figures 5, 6 and 9 to 11: what codes and images of embeddings and ALI are like: IMAGES."""

from functools import partial

import numpy as np

from common import probes
from common.findings import NotTestable, by_group
from papers.symphony2vec import measures
from papers.symphony2vec.config import ABLATIONS, LATENT_SIZES, REPRESENTATIONS
from papers.symphony2vec.measured import Measured

EMBEDDINGS = ("ae", "cae", "vae")
STILL = 0.01  # a pixel that deviates less over many images stands still, of a generator's range of 1


# Reconstruction and inference


def better_than_mean(measured: Measured, model: str) -> dict:
    """Share of the mean image's squared error that a model's reconstructions take away, on test clips."""
    measured.need(model)
    one = measured.errors[model]
    return by_group(1.0 - one.own / one.mean.mean(), one.works, "works", {"mean image": 0.0}) | {"of": "clips"}


def nearer_to_own(measured: Measured, model: str) -> dict:
    """How much nearer G(E(x)) is to its own clip than another clip's is, as a share of the mean image's error."""
    measured.need(model)
    one = measured.errors[model]
    nearer = (one.other - one.own) / one.mean.mean()
    return by_group(nearer, one.works, "works", {"no inference": 0.0}) | {"of": "clips"}


def largest_log_variance(measured: Measured, representation: str) -> dict:
    """Largest log variance of a test clip's code; the prior's is 0, and exp leaves single precision at 88.7."""
    measured.need(f"vae-{representation}")
    found = measured.log_variances[representation]
    return {"value": float(found.max()), "n": len(found), "of": "clips",
            "baselines": {"prior": 0.0, "single precision overflows": 88.7}}  # fmt: skip


# ALI's images


def spread(measured: Measured, model: str, against: str | None) -> float:
    """Mean distance of images of random latents relative to that of other images or of the data (Q13)."""
    measured.need(model)
    if against == "data":
        return probes.mean_distance(measured.generated[model]) / max(measured.spread_of_data, 1e-12)
    measured.need(against)
    one, two = (probes.mean_distance(measured.generated[name]) for name in (model, against))
    return one / max(two, 1e-12)


def deviation_of_pixels(measured: Measured, model: str) -> dict:
    """Deviation of a pixel over images of random latents, mean over pixels, relative to that over clips (Q13)."""
    measured.need(model)
    found, data = (float(np.mean(one)) for one in (measures.pixel_deviation(measured.generated[model]),
                                                   measured.deviation_of_data))  # fmt: skip
    return {"value": found / max(data, 1e-12), "baselines": {"generated": found, "data": data}}


def still_pixels(measured: Measured, model: str) -> dict:
    """Share of the pixels that stand still over images of random latents (Q13), beside that over clips."""
    measured.need(model)
    found, data = (float(np.mean(one < STILL)) for one in (measures.pixel_deviation(measured.generated[model]),
                                                           measured.deviation_of_data))  # fmt: skip
    return {"value": found, "baselines": {"data": data}}


def slope_of_path(measured: Measured) -> float:
    """Spearman correlation of level and t on the printed path (Q14)."""
    measured.need("ali-128")
    return measures.level_slope(measured.paths["ali-128"])


def slope_of_directions(measured: Measured) -> float:
    """Median of the same over random directions (Q14)."""
    measured.need("ali-128")
    return np.median(measured.slopes)


def scale_blindness(measured: Measured) -> float:
    """Largest change of G(10 z) over the deviation, before the sigmoid (Q15)."""
    measured.need("ali-128")
    return measured.scale_blindness


def realism(measured: Measured, model: str) -> dict:
    """Two-sample accuracy of ALI's images minus the VAE's, both as crops in decibels (Q16)."""
    measured.need(model, "vae-mel")
    accuracy = [100.0 * measures.two_sample_accuracy(measured.samples[name], measured.samples["data"])
                for name in (model, "vae-mel")]  # fmt: skip
    return {"value": accuracy[0] - accuracy[1], "n": 2 * len(measured.samples["data"]), "of": "images",
            "baselines": {model: accuracy[0], "vae-mel": accuracy[1], "told apart never": 50.0}}  # fmt: skip


def leaves_the_range(measured: Measured) -> float:
    """How far the generator's images leave (0, 1)."""
    measured.need("ali-128")
    return measures.excess(measured.generated["ali-128"])


def out_of_reach(measured: Measured) -> float:
    """Share of the data's cells that the generator's sigmoid cannot reach."""
    if measured.config.crop_scale == "unit":
        raise NotTestable("the data are scaled to the sigmoid's range in this mode")
    return measures.share_beyond(measured.crops)


def binary_share(measured: Measured) -> float:
    """Share of cells of the VAE's mel reconstructions within 0.05 of the sigmoid's ends (Figure 6)."""
    if measured.config.vae_likelihood == "gaussian":
        raise NotTestable("the output is linear in this mode: it has no limits")
    measured.need("vae-mel")
    low, high = measured.limits
    return measures.share_near_the_ends((measured.rebuilt["vae-mel"] - low) / (high - low))


def code_silhouette(measured: Measured) -> float:
    """Silhouette of the composers among ALI-128's test codes, by cosine distance."""
    measured.need("ali-128")
    return np.mean(measures.silhouettes(measured.codes["ali-128"], measured.judged["ali-128"].truth, "cosine"))


IMAGES = {
    "C-F6-binary": binary_share,
    **{f"V-variance-{seen}": partial(largest_log_variance, representation=seen) for seen in REPRESENTATIONS},
    **{f"I-own-{size}": partial(nearer_to_own, model=f"ali-{size}") for size in LATENT_SIZES},
    **{f"I-mean-{size}": partial(better_than_mean, model=f"ali-{size}") for size in LATENT_SIZES},
    **{f"I-own-128-{word}": partial(nearer_to_own, model=f"ali-128-{word}") for word in ABLATIONS},
    **{f"I-mean-{kind.upper()}-{seen}": partial(better_than_mean, model=f"{kind}-{seen}")
       for kind in EMBEDDINGS for seen in REPRESENTATIONS},
    "Q13-256": partial(spread, model="ali-256", against="ali-128"),
    "Q13-data": partial(spread, model="ali-256", against="data"),
    "Q13-data-128": partial(spread, model="ali-128", against="data"),
    **{f"Q13-pixels-{size}": partial(deviation_of_pixels, model=f"ali-{size}") for size in (256, 128)},
    **{f"Q13-still-{size}": partial(still_pixels, model=f"ali-{size}") for size in (256, 128)},
    "Q14-128": slope_of_path,
    "Q14-directions": slope_of_directions,
    "Q15": scale_blindness,
    "Q16": partial(realism, model="ali-128"),
    **{f"Q16-{size}": partial(realism, model=f"ali-{size}") for size in (256, 40)},
    "E-generator": leaves_the_range,
    "E-range": out_of_reach,
    "N-UMAP": code_silhouette,
}
