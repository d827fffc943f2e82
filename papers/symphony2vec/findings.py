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
OF_THE_PAPER = tuple(name for name in MODELS if name not in PROGRAM_ONLY)


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
    embeddings = [f"{kind}-{representation}" for kind in (*EMBEDDINGS, "pca")]
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
    measured.need("ali-128")
    if min(line["metrics/gate_open"] for line in lines(measured, "ali-128")) >= 1:
        raise NotTestable(f"the generator's loss does not reach the gate's {threshold:g} in part 1")
    return threshold


def plateau(measured):
    """Discriminator loss at the end of part 1 minus 2 ln 2 (Q11)."""
    measured.need("ali-128")
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


# ALI's images


def spread_against_128(measured):
    """Spread of the images of ALI-256 relative to that of ALI-128 (Q13)."""
    measured.need("ali-256", "ali-128")
    one, two = (probes.mean_distance(measured.generated[name]) for name in ("ali-256", "ali-128"))
    return one / max(two, 1e-12)


def spread_against_data(measured):
    """Spread of the images of ALI-256 relative to that of the data (Q13)."""
    measured.need("ali-256")
    return probes.mean_distance(measured.generated["ali-256"]) / max(measured.spread_of_data, 1e-12)


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


def realism(measured):
    """Two-sample accuracy of ALI's images minus the VAE's, both as crops in decibels (Q16)."""
    measured.need("ali-128", "vae-mel")
    accuracy = [measures.two_sample_accuracy(measured.samples[name], measured.samples["data"])
                for name in ("ali-128", "vae-mel")]  # fmt: skip
    return 100.0 * (accuracy[0] - accuracy[1])


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
    """Share of cells of the VAE's mel reconstructions within 0.05 of 0 or 1 (Figure 6)."""
    if measured.config.vae_likelihood != "bernoulli":
        raise NotTestable("the output is linear in this mode: it has no limits")
    measured.need("vae-mel")
    return measures.share_near_the_ends(measured.rebuilt["vae-mel"])


def code_silhouette(measured):
    """Silhouette of the composers among ALI-128's test codes, by cosine distance."""
    measured.need("ali-128")
    return measures.silhouette(measured.codes["ali-128"], measured.judged["ali-128"].truth, "cosine")


def component_silhouette(measured):
    """Silhouette of the composers in Figure 4."""
    return measures.silhouette(*measured.components)


def _comparisons():
    found = {f"Q1-{kind.upper()}": partial(difference, first="ali-128", others=(f"{kind}-mel",))
             for kind in EMBEDDINGS}
    for seen in REPRESENTATIONS:
        found |= {f"Q5-{claim}{seen}": partial(above_majority, name=f"lstm-{seen}")
                  for claim in ("", "learns-", "code-")}
        found[f"Q5-entropy-{seen}"] = partial(entropy_gap, name=f"lstm-{seen}")
        found[f"Q6-{seen}"] = partial(feed_forward_against_cnn, representation=seen)
        found |= {f"Q7-{kind.upper()}-{seen}": partial(difference, first=f"{kind}-{seen}", others=(f"pca-{seen}",))
                  for kind in EMBEDDINGS}
        found[f"Q8-{seen}"] = partial(embeddings_against_supervised, representation=seen)
        winner = "cae" if seen == "chroma" else "vae"
        others = tuple(f"{kind}-{seen}" for kind in (*EMBEDDINGS, "pca") if kind != winner)
        found[f"Q9-{seen}"] = partial(difference, first=f"{winner}-{seen}", others=others)
    return found


FINDINGS = PRINTED | _comparisons() | FACTS | {
    "Q2-FF32": partial(difference, first="ali-128", others=("ff-32",)),
    "Q2-E32": partial(difference, first="ali-128", others=("encoder-32",)),
    "Q3": partial(above_majority, name="ali-128"),
    "Q4-256": partial(difference, first="ali-256", others=("ali-128",)),
    "Q4-128": partial(difference, first="ali-128", others=("ali-40",)),
    "Q4-random": partial(difference, first="ali-128", others=("untrained",)),
    "Q10-cnn": partial(lead_of_mel, kinds=("cnn",)),
    "Q10-mean": partial(lead_of_mel, kinds=(*SUPERVISED, *EMBEDDINGS, "pca")),
    "Q11-discriminator": plateau,
    "Q11-predicted": predicted_by_gate,
    "Q11-open": without_gate,
    "Q12": range_of_losses,
    "Q13-256": spread_against_128,
    "Q13-data": spread_against_data,
    "Q14-128": slope_of_path,
    "Q14-directions": slope_of_directions,
    "Q15": scale_blindness,
    "Q16": realism,
    "Q17": partial(unanswered, reason="neither the 64 x 64 network nor its numbers are published"),
    "Q18": below_genres,
    "E-generator": leaves_the_range,
    "E-range": out_of_reach,
    "C-F4": component_silhouette,
    "C-F6-binary": binary_share,
    "N-UMAP": code_silhouette,
}
