"""Every claim of the paper as a function of what was measured: FINDINGS, claim id -> function.

The printed numbers are in printed.py, what is true on any data in facts.py.

A function takes a measured.Measured and returns a number or an entry, or raises NotTestable with the reason.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np

from common import probes
from common.findings import NotTestable, by_group
from papers.symphony2vec import losses, measures
from papers.symphony2vec.config import ABLATIONS, GATES, LATENT_SIZES, MODELS, REPRESENTATIONS, TABLES
from papers.symphony2vec.facts import FACTS
from papers.symphony2vec.measured import Measured
from papers.symphony2vec.printed import PRINTED, end, lines, unanswered

SUPERVISED, EMBEDDINGS = ("ff", "cnn"), ("ae", "cae", "vae")
COMPARED = (*EMBEDDINGS, "pca")  # Table 4


# Accuracies and their differences, in percent and percentage points


def difference(measured: Measured, first: str, others: Sequence[str]) -> dict:
    """Accuracy of a model minus that of the best of others; by work where both are judged on the same items."""
    measured.need(first, *others)
    best = best_of(measured, others)
    one, two = measured.judged[first], measured.judged[best]
    if not np.array_equal(one.rows, two.rows):
        return {"value": one.accuracy - two.accuracy, "n": len(one.right), "of": one.unit, "baselines": one.baselines}
    entry = by_group(100.0 * one.right - 100.0 * two.right, one.works, "works", one.baselines)
    return entry | {"of": one.unit}


def above_majority(measured: Measured, name: str) -> dict:
    """Accuracy of a model minus that of always naming the commonest composer."""
    measured.need(name)
    one = measured.judged[name]
    values = 100.0 * one.right - one.baselines["majority"]
    return by_group(values, one.works, "works", one.baselines) | {"of": one.unit}


def best_of(measured: Measured, names: Sequence[str]) -> str:
    """Name of the model with the highest accuracy."""
    accuracies = [measured.judged[name].accuracy for name in names]
    return names[int(np.argmax(accuracies))]


def embeddings_against_supervised(measured: Measured, representation: str) -> dict:
    """Accuracy of the best embedding minus that of the best of feed-forward network and CNN (Q8)."""
    embeddings = [f"{kind}-{representation}" for kind in COMPARED]
    supervised = [f"{kind}-{representation}" for kind in SUPERVISED]
    measured.need(*embeddings, *supervised)
    return difference(measured, best_of(measured, embeddings), (best_of(measured, supervised),))


def feed_forward_against_cnn(measured: Measured, representation: str) -> dict:
    """|z| of McNemar's test between the two (Q6)."""
    measured.need(f"ff-{representation}", f"cnn-{representation}")
    one, two = (measured.judged[f"{kind}-{representation}"] for kind in SUPERVISED)
    return {"value": measures.mcnemar(one.right, two.right), "n": len(one.right), "of": one.unit,
            "baselines": two.baselines}  # fmt: skip


def lead_of_mel(measured: Measured, kinds: Sequence[str]) -> dict:
    """Accuracy on the mel-spectrogram minus the best on chromagram and MFCC, mean over kinds of model (Q10).

    Beside it the baselines on the mel-spectrogram's test clips, mean over the kinds.
    """
    measured.need(*(f"{kind}-{seen}" for kind in kinds for seen in REPRESENTATIONS))
    leads = [measured.judged[f"{kind}-mel"].accuracy
             - max(measured.judged[f"{kind}-{seen}"].accuracy for seen in ("chroma", "mfcc")) for kind in kinds]
    beside = {key: float(np.mean([measured.judged[f"{kind}-mel"].baselines[key] for kind in kinds]))
              for key in ("majority", "loudness")}  # fmt: skip
    return {"value": float(np.mean(leads)), "baselines": beside}


def below_genres(measured: Measured) -> dict:
    """Best test accuracy of the paper's models minus the 70 percent of genre classifiers (Q18)."""
    measured.need("cnn-mel")
    best = measured.judged[best_of(measured, [name for name in TABLES if name in measured.judged])]
    return {"value": best.accuracy - 70.0, "n": len(best.right), "of": best.unit, "baselines": best.baselines}


def entropy_gap(measured: Measured, name: str) -> float:
    """Training cross entropy of the last epoch minus the entropy of the composers that were trained on."""
    measured.need(name)
    return measured.history[name][-1]["losses/cross_entropy"] - measures.entropy(measured.trained_on[name])


# ALI's game


def _gate_closed(measured, model="ali-128"):
    """The threshold of a model's gate. Raises NotTestable where it has none or it never closes in part 1."""
    threshold = MODELS[model].settings(measured.config).ali_gate
    if not measured.config.ali_gate:
        raise NotTestable("there is no gate in this mode")
    if min(line["metrics/gate_open"] for line in lines(measured, model)) >= 1:
        raise NotTestable(f"the generator's loss does not reach the gate's {threshold:g} in part 1")
    return threshold


def plateau(measured: Measured) -> float:
    """Discriminator loss at the end of part 1 minus 2 ln 2 (Q11)."""
    if measured.config.ali_gate:
        _gate_closed(measured)
    return end(measured, "ali-128", "losses/discriminator") - 2 * np.log(2)


def predicted_by_gate(measured: Measured, model: str) -> dict:
    """D of generated images at the end of part 1 minus what the gate's threshold predicts (Q11)."""
    predicted = losses.gate_equilibrium(_gate_closed(measured, model))[1]
    found = end(measured, model, "metrics/d_generated")
    return {"value": found - predicted, "baselines": {"predicted": predicted, "found": found}}


def follows_the_gate(measured: Measured) -> float:
    """Slope of D of generated images, at the end of part 1, over what three thresholds predict: 1 where it follows."""
    models = ("ali-128", *(f"ali-128-gate-{gate:g}" for gate in GATES))
    predicted = [losses.gate_equilibrium(_gate_closed(measured, model))[1] for model in models]
    return np.polyfit(predicted, [end(measured, model, "metrics/d_generated") for model in models], 1)[0]


def gate_open(measured: Measured, part: int) -> float:
    """Share of a part's steps in which the discriminator of ALI-128 learns."""
    _gate_closed(measured)
    return float(np.mean([line["metrics/gate_open"] for line in lines(measured, "ali-128", part)]))


def last_generated(measured: Measured, part: int | None = None) -> dict:
    """D of ALI-128's images over the last tenth of a part (None: the last) minus .14, midway of .08 to .20."""
    predicted = losses.gate_equilibrium(_gate_closed(measured))[1]
    found = end(measured, "ali-128", "metrics/d_generated", share=0.1, part=part or measured.parts)
    return {"value": found - 0.14, "baselines": {"predicted": predicted, "found": found}}


def without_gate(measured: Measured) -> float:
    """Discriminator loss at the end without the gate."""
    if measured.config.ali_gate:
        raise NotTestable("the gate is on in this mode")
    return end(measured, "ali-128", "losses/discriminator")


def range_of_losses(measured: Measured) -> float:
    """Largest difference of the discriminator losses at the end between latent sizes (Q12)."""
    names = [f"ali-{size}" for size in LATENT_SIZES]
    measured.need(*names)
    return np.ptp([end(measured, name, "losses/discriminator") for name in names])


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


# The leak: clips of one work on both sides of the split


def _with_clips(measured, name):
    if measured.clips_split is None:
        raise NotTestable("the split of this mode is by clips already")
    measured.need(name, f"{name}-clips")
    return measured.judged[name], measured.judged[f"{name}-clips"]


def worth_of_shared_works(measured: Measured, name: str) -> dict:
    """Test accuracy with any clips on either side minus that with whole works; as many clips, but other ones."""
    whole, clips = _with_clips(measured, name)
    entry = measures.difference_by_group(100.0 * clips.right, clips.works, 100.0 * whole.right, whole.works)
    beside = {"by clips": clips.accuracy, "by work": whole.accuracy}
    beside |= {f"{key} by {side}": one.baselines[key] for key in ("majority", "loudness")
               for side, one in (("clips", clips), ("work", whole))}  # fmt: skip
    return entry | {"groups": {"of": "works"} | entry["groups"], "n": len(clips.right), "of": whole.unit,
                    "baselines": beside}  # fmt: skip


def composers_dealt(measured: Measured, name: str) -> dict:
    """Test accuracy above the majority where composers were dealt at random to whole works."""
    if measured.clips_split is None:
        raise NotTestable("the split of this mode is by clips already")
    dealt = f"{name}-dealt"
    measured.need(*(key for key in (name, dealt) if key in MODELS))
    if dealt not in measured.judged:
        raise NotTestable("no dealing of composers leaves two of them in training")
    return above_majority(measured, dealt)


def change_of_shares(measured: Measured, part: str) -> float:
    """Largest difference of a composer's share in training or test between any clips and whole works (Table 1)."""
    if measured.clips_split is None:
        raise NotTestable("the split of this mode is by clips already")
    place = ("train", "test").index(part)
    count = len(measured.names)
    shares = [np.bincount(measured.labels[rows], minlength=count) / len(rows)
              for rows in ((measured.train, measured.test)[place], measured.clips_split[place])]  # fmt: skip
    return np.abs(shares[0] - shares[1]).max()


# ALI's images


def spread(measured: Measured, model: str, against: str | None) -> float:
    """Mean distance of images of random latents relative to that of other images or of the data (Q13)."""
    measured.need(model)
    if against == "data":
        return probes.mean_distance(measured.generated[model]) / max(measured.spread_of_data, 1e-12)
    measured.need(against)
    one, two = (probes.mean_distance(measured.generated[name]) for name in (model, against))
    return one / max(two, 1e-12)


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
    return measures.silhouette(measured.codes["ali-128"], measured.judged["ali-128"].truth, "cosine")


def component_silhouette(measured: Measured) -> float:
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
    found |= {f"I-own-128-{word}": partial(nearer_to_own, model=f"ali-128-{word}") for word in ABLATIONS}
    found |= {f"Q11-predicted-{gate:g}": partial(predicted_by_gate, model=f"ali-128-gate-{gate:g}") for gate in GATES}
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
        found[f"V-variance-{seen}"] = partial(largest_log_variance, representation=seen)
        for kind in EMBEDDINGS:
            found[f"I-mean-{kind.upper()}-{seen}"] = partial(better_than_mean, model=f"{kind}-{seen}")
    return found


def _leak():
    found = {f"L-T1-{part}": partial(change_of_shares, part=part) for part in ("train", "test")}
    for name in TABLES:
        kind, _, rest = name.partition("-")
        row = f"{kind.upper()}-{rest}"
        found[f"L-{row}"] = partial(worth_of_shared_works, name=name)
        found[f"L-dealt-clips-{row}"] = partial(composers_dealt, name=f"{name}-clips")
        found[f"L-dealt-works-{row}"] = partial(composers_dealt, name=name)
    return found


FINDINGS = PRINTED | _comparisons() | _leak() | FACTS | {
    **{f"Q2-{kind.upper()}": partial(difference, first="ali-128", others=(f"{kind}-mel",)) for kind in SUPERVISED},
    "Q2-FF32": partial(difference, first="ali-128", others=("ff-32",)),
    "Q2-E32": partial(difference, first="ali-128", others=("encoder-32",)),
    "Q3": partial(above_majority, name="ali-128"),
    "Q4-256": partial(difference, first="ali-256", others=("ali-128",)),
    "Q4-random": partial(difference, first="ali-128", others=("untrained",)),
    "Q10-cnn": partial(lead_of_mel, kinds=("cnn",)),
    "Q10-mean": partial(lead_of_mel, kinds=(*SUPERVISED, *EMBEDDINGS, "pca")),
    "Q11-discriminator": plateau,
    "Q11-predicted": partial(predicted_by_gate, model="ali-128"),
    "Q11-follows": follows_the_gate,
    **{f"Q11-gate-{part}": partial(gate_open, part=part) for part in (2, 3)},
    "Q11-generated-2": partial(last_generated, part=2),
    "Q11-generated": last_generated,
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
