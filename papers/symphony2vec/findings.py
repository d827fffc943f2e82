"""Every claim of the paper as a function of what was measured: FINDINGS, claim id -> function.

The printed numbers are in printed.py, what is true on any data in facts.py.

A function takes a measured.Measured and returns a number or an entry, or raises NotTestable with the reason.
"""

from functools import partial

import numpy as np

from common import probes
from common.findings import NotTestable, by_group
from papers.symphony2vec import losses, measures
from papers.symphony2vec.config import LATENT_SIZES, MODELS, PROGRAM_ONLY, REPRESENTATIONS
from papers.symphony2vec.facts import FACTS
from papers.symphony2vec.printed import PRINTED, end, lines, unanswered

SUPERVISED, EMBEDDINGS = ("ff", "cnn"), ("ae", "cae", "vae")
COMPARED = (*EMBEDDINGS, "pca")  # Table 4
OF_THE_PAPER = tuple(one.name for one in MODELS.values() if one.name not in PROGRAM_ONLY and not one.changes)


# Accuracies and their differences, in percent and percentage points


def difference(measured, first, others):
    """Accuracy of a model minus that of the best of others; by work where both are judged on the same items."""
    measured.need(first, *others)
    best = best_of(measured, others)
    one, two = measured.judged[first], measured.judged[best]
    if not np.array_equal(one.rows, two.rows):
        return {"value": one.accuracy - two.accuracy, "n": len(one.right), "of": one.unit, "baselines": one.baselines}
    entry = by_group(100.0 * one.right - 100.0 * two.right, one.works, "works", one.baselines)
    return entry | {"of": one.unit}


def above_majority(measured, name):
    """Accuracy of a model minus that of always naming the commonest composer."""
    measured.need(name)
    one = measured.judged[name]
    values = 100.0 * one.right - one.baselines["majority"]
    return by_group(values, one.works, "works", one.baselines) | {"of": one.unit}


def best_of(measured, names):
    """Name of the model with the highest accuracy."""
    accuracies = [measured.judged[name].accuracy for name in names]
    return names[int(np.argmax(accuracies))]


def embeddings_against_supervised(measured, representation):
    """Accuracy of the best embedding minus that of the best of feed-forward network and CNN (Q8)."""
    embeddings = [f"{kind}-{representation}" for kind in COMPARED]
    supervised = [f"{kind}-{representation}" for kind in SUPERVISED]
    measured.need(*embeddings, *supervised)
    return difference(measured, best_of(measured, embeddings), (best_of(measured, supervised),))


def feed_forward_against_cnn(measured, representation):
    """|z| of McNemar's test between the two (Q6)."""
    measured.need(f"ff-{representation}", f"cnn-{representation}")
    one, two = (measured.judged[f"{kind}-{representation}"] for kind in SUPERVISED)
    return {"value": measures.mcnemar(one.right, two.right), "n": len(one.right), "of": one.unit,
            "baselines": two.baselines}  # fmt: skip


def lead_of_mel(measured, kinds):
    """Accuracy on the mel-spectrogram minus the best on chromagram and MFCC, mean over kinds of model (Q10)."""
    measured.need(*(f"{kind}-{seen}" for kind in kinds for seen in REPRESENTATIONS))
    leads = [measured.judged[f"{kind}-mel"].accuracy
             - max(measured.judged[f"{kind}-{seen}"].accuracy for seen in ("chroma", "mfcc")) for kind in kinds]
    return float(np.mean(leads))


def below_genres(measured):
    """Best test accuracy of the paper's models minus the 70 percent of genre classifiers (Q18)."""
    measured.need("cnn-mel")
    best = max(one.accuracy for name, one in measured.judged.items() if name in OF_THE_PAPER)
    return best - 70.0


def entropy_gap(measured, name):
    """Training cross entropy of the last epoch minus the entropy of the composers that were trained on."""
    measured.need(name)
    return measured.history[name][-1]["losses/cross_entropy"] - measures.entropy(measured.trained_on[name])


# ALI's game


def _gate_closed(measured):
    threshold = measured.config.ali_gate
    if not threshold:
        raise NotTestable("there is no gate in this mode")
    if min(line["metrics/gate_open"] for line in lines(measured, "ali-128")) >= 1:
        raise NotTestable(f"the generator's loss does not reach the gate's {threshold:g} in part 1")
    return threshold


def plateau(measured):
    """Discriminator loss at the end of part 1 minus 2 ln 2 (Q11)."""
    if measured.config.ali_gate:
        _gate_closed(measured)
    return end(measured, "ali-128", "losses/discriminator") - 2 * np.log(2)


def predicted_by_gate(measured):
    """D of generated images at the end of part 1 minus what the gate's threshold predicts."""
    threshold = _gate_closed(measured)
    return end(measured, "ali-128", "metrics/d_generated") - losses.gate_equilibrium(threshold)[1]


def without_gate(measured):
    """Discriminator loss at the end without the gate."""
    if measured.config.ali_gate:
        raise NotTestable("the gate is on in this mode")
    return end(measured, "ali-128", "losses/discriminator")


def range_of_losses(measured):
    """Largest difference of the discriminator losses at the end between latent sizes (Q12)."""
    names = [f"ali-{size}" for size in LATENT_SIZES]
    measured.need(*names)
    return np.ptp([end(measured, name, "losses/discriminator") for name in names])


# Reconstruction and inference


def better_than_mean(measured, model):
    """Share of the mean image's squared error that a model's reconstructions take away, on test clips."""
    measured.need(model)
    one = measured.errors[model]
    return by_group(1.0 - one.own / one.mean.mean(), one.works, "works", {"mean image": 0.0}) | {"of": "clips"}


def nearer_to_own(measured, model):
    """How much nearer G(E(x)) is to its own clip than another clip's is, as a share of the mean image's error."""
    measured.need(model)
    one = measured.errors[model]
    nearer = (one.other - one.own) / one.mean.mean()
    return by_group(nearer, one.works, "works", {"no inference": 0.0}) | {"of": "clips"}


# The leak: clips of one work on both sides of the split


def worth_of_shared_works(measured, kind, representation):
    """Test accuracy with any clips on either side minus that with whole works; as many clips, but other ones."""
    name, twin = f"{kind}-{representation}", f"{kind}-{representation}-clips"
    measured.need(name, twin)
    whole, clips = measured.judged[name], measured.judged[twin]
    return {"value": clips.accuracy - whole.accuracy, "n": len(clips.right), "of": "clips",
            "baselines": {"by work": whole.accuracy, "majority by work": whole.baselines["majority"],
                          "majority by clips": clips.baselines["majority"]}}  # fmt: skip


def composers_dealt(measured, name):
    """Test accuracy above the majority where composers were dealt at random to whole works."""
    measured.need(name)
    if f"{name}-dealt" not in measured.judged:
        raise NotTestable("the split of this mode is by clips already")
    return above_majority(measured, f"{name}-dealt")


# ALI's images


def spread(measured, model, against):
    """Mean distance of images of random latents relative to that of other images or of the data (Q13)."""
    measured.need(model)
    if against == "data":
        return probes.mean_distance(measured.generated[model]) / max(measured.spread_of_data, 1e-12)
    measured.need(against)
    one, two = (probes.mean_distance(measured.generated[name]) for name in (model, against))
    return one / max(two, 1e-12)


def slope_of_path(measured):
    """Spearman correlation of level and t on the printed path (Q14)."""
    measured.need("ali-128")
    return measures.level_slope(measured.paths["ali-128"])


def slope_of_directions(measured):
    """Median of the same over random directions (Q14)."""
    measured.need("ali-128")
    return np.median(measured.slopes)


def scale_blindness(measured):
    """Largest change of G(10 z) over the deviation, before the sigmoid (Q15)."""
    measured.need("ali-128")
    return measured.scale_blindness


def realism(measured, model):
    """Two-sample accuracy of ALI's images minus the VAE's, both as crops in decibels (Q16)."""
    measured.need(model, "vae-mel")
    accuracy = [100.0 * measures.two_sample_accuracy(measured.samples[name], measured.samples["data"])
                for name in (model, "vae-mel")]  # fmt: skip
    return {"value": accuracy[0] - accuracy[1], "n": 2 * len(measured.samples["data"]), "of": "images",
            "baselines": {model: accuracy[0], "vae-mel": accuracy[1], "told apart never": 50.0}}  # fmt: skip


def leaves_the_range(measured):
    """How far the generator's images leave (0, 1)."""
    measured.need("ali-128")
    return measures.excess(measured.generated["ali-128"])


def out_of_reach(measured):
    """Share of the data's cells that the generator's sigmoid cannot reach."""
    if measured.config.crop_scale == "unit":
        raise NotTestable("the data are scaled to the sigmoid's range in this mode")
    return measures.share_beyond(measured.crops)


def binary_share(measured):
    """Share of cells of the VAE's mel reconstructions within 0.05 of the sigmoid's ends (Figure 6)."""
    if measured.config.vae_likelihood == "gaussian":
        raise NotTestable("the output is linear in this mode: it has no limits")
    measured.need("vae-mel")
    low, high = measured.limits
    return measures.share_near_the_ends((measured.rebuilt["vae-mel"] - low) / (high - low))


def code_silhouette(measured):
    """Silhouette of the composers among ALI-128's test codes, by cosine distance."""
    measured.need("ali-128")
    return measures.silhouette(measured.codes["ali-128"], measured.judged["ali-128"].truth, "cosine")


def component_silhouette(measured):
    """Silhouette of the composers in Figure 4."""
    return measures.silhouette(*measured.components)


def _comparisons():
    found = {f"Q1-{kind.upper()}": partial(difference, first="ali-128", others=(f"{kind}-mel",)) for kind in COMPARED}
    for size in (256, 40):
        found |= {f"Q1-{kind.upper()}-{size}": partial(difference, first=f"ali-{size}", others=(f"{kind}-mel",))
                  for kind in COMPARED}
        found[f"Q16-{size}"] = partial(realism, model=f"ali-{size}")
    for size in LATENT_SIZES:
        found[f"I-own-{size}"] = partial(nearer_to_own, model=f"ali-{size}")
        found[f"I-mean-{size}"] = partial(better_than_mean, model=f"ali-{size}")
    for kind in EMBEDDINGS:
        found[f"I-mean-{kind.upper()}"] = partial(better_than_mean, model=f"{kind}-mel")
    for seen in REPRESENTATIONS:
        found |= {f"Q5-{claim}{seen}": partial(above_majority, name=f"lstm-{seen}")
                  for claim in ("", "learns-", "code-")}
        found[f"Q5-entropy-{seen}"] = partial(entropy_gap, name=f"lstm-{seen}")
        found[f"Q6-{seen}"] = partial(feed_forward_against_cnn, representation=seen)
        found |= {f"Q7-{kind.upper()}-{seen}": partial(difference, first=f"{kind}-{seen}", others=(f"pca-{seen}",))
                  for kind in EMBEDDINGS}
        found[f"Q8-{seen}"] = partial(embeddings_against_supervised, representation=seen)
        winner = "cae" if seen == "chroma" else "vae"
        others = tuple(f"{kind}-{seen}" for kind in COMPARED if kind != winner)
        found[f"Q9-{seen}"] = partial(difference, first=f"{winner}-{seen}", others=others)
        found |= {f"L-{kind.upper()}-{seen}": partial(worth_of_shared_works, kind=kind, representation=seen)
                  for kind in ("ff", "cnn", "pca")}
        found[f"L-dealt-clips-{seen}"] = partial(composers_dealt, name=f"pca-{seen}-clips")
        found[f"L-dealt-works-{seen}"] = partial(composers_dealt, name=f"pca-{seen}")
    return found


FINDINGS = PRINTED | _comparisons() | FACTS | {
    "Q2-FF32": partial(difference, first="ali-128", others=("ff-32",)),
    "Q2-E32": partial(difference, first="ali-128", others=("encoder-32",)),
    "Q3": partial(above_majority, name="ali-128"),
    "Q4-256": partial(difference, first="ali-256", others=("ali-128",)),
    "Q4-random": partial(difference, first="ali-128", others=("untrained",)),
    "Q10-cnn": partial(lead_of_mel, kinds=("cnn",)),
    "Q10-mean": partial(lead_of_mel, kinds=(*SUPERVISED, *EMBEDDINGS, "pca")),
    "Q11-discriminator": plateau,
    "Q11-predicted": predicted_by_gate,
    "Q11-open": without_gate,
    "Q12": range_of_losses,
    "Q13-256": partial(spread, model="ali-256", against="ali-128"),
    "Q13-data": partial(spread, model="ali-256", against="data"),
    "Q13-data-128": partial(spread, model="ali-128", against="data"),
    "Q14-128": slope_of_path,
    "Q14-directions": slope_of_directions,
    "Q15": scale_blindness,
    "Q16": partial(realism, model="ali-128"),
    "Q17": partial(unanswered, reason="neither the 64 x 64 network nor its numbers are published"),
    "Q18": below_genres,
    "E-generator": leaves_the_range,
    "E-range": out_of_reach,
    "C-F4": component_silhouette,
    "C-F6-binary": binary_share,
    "N-UMAP": code_silhouette,
}
