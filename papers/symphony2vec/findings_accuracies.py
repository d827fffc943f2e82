"""Sections 3.2 to 4: how well composers are named, model against model (Tables 3, 4, 5 and 7): ACCURACIES.

Accuracies are in percent, their differences in percentage points.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np

from common.findings import by_group
from papers.symphony2vec import measures
from papers.symphony2vec.config import LATENT_SIZES, REPRESENTATIONS, TABLES
from papers.symphony2vec.measured import Measured
from papers.symphony2vec.printed import lines

SUPERVISED, EMBEDDINGS = ("ff", "cnn"), ("ae", "cae", "vae")
COMPARED = (*EMBEDDINGS, "pca")  # Table 4
BEST = {"chroma": "cae", "mfcc": "vae", "mel": "vae"}  # the embeddings that the paper finds best


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
    """Accuracy of a model minus that of naming the commonest composer, or of chance where that is higher."""
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
    """|z| of McNemar's test between the two, over works (Q6)."""
    measured.need(f"ff-{representation}", f"cnn-{representation}")
    one, two = (measured.judged[f"{kind}-{representation}"] for kind in SUPERVISED)
    return {"value": measures.mcnemar(one.right, two.right, one.works), "n": len(one.right), "of": one.unit,
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


def gained(measured: Measured, model: str) -> float:
    """Test accuracy after all epochs of the first part of the data minus that after half of them.

    Each is a mean over a fifth of all log lines, the one that ends there.
    """
    logged = [100.0 * line["metrics/test_accuracy"] for line in lines(measured, model)]
    half, fifth = max(1, len(logged) // 2), max(1, round(0.2 * len(logged)))
    return float(np.mean(logged[-fifth:]) - np.mean(logged[max(0, half - fifth) : half]))


def gained_by_lstm(measured: Measured, representation: str) -> dict:
    """What the second half of its epochs adds to the LSTM's test accuracy (section 3.2).

    Beside it the same of the networks that the paper sets beside it, and the baselines of the same test clips.
    """
    model = f"lstm-{representation}"
    value = gained(measured, model)
    in_parts = representation == "mel" and measured.parts > 1
    beside = dict(measured.part_baselines[0] if in_parts else measured.judged[model].baselines)
    others = {"the feed-forward network gains": f"ff-{representation}", "the CNN gains": f"cnn-{representation}"}
    beside |= {word: gained(measured, name) for word, name in others.items() if name in measured.history}
    return {"value": value, "baselines": beside}


def _by_representation(seen):
    found = {f"Q5-{claim}{seen}": partial(above_majority, name=f"lstm-{seen}") for claim in ("", "learns-", "code-")}
    found |= {f"Q7-{kind.upper()}-{seen}": partial(difference, first=f"{kind}-{seen}", others=(f"pca-{seen}",))
              for kind in EMBEDDINGS}
    others = tuple(f"{kind}-{seen}" for kind in COMPARED if kind != BEST[seen])
    return found | {
        f"Q5-entropy-{seen}": partial(entropy_gap, name=f"lstm-{seen}"),
        f"Q5-longer-{seen}": partial(gained_by_lstm, representation=seen),
        f"Q6-{seen}": partial(feed_forward_against_cnn, representation=seen),
        f"Q8-{seen}": partial(embeddings_against_supervised, representation=seen),
        f"Q9-{seen}": partial(difference, first=f"{BEST[seen]}-{seen}", others=others),
    }


def _against_embeddings():
    """ALI against the embeddings of the whole mel-spectrogram; a claim without a size is of LD 128."""
    ends = {size: "" if size == 128 else f"-{size}" for size in LATENT_SIZES}
    return {f"Q1-{kind.upper()}{end}": partial(difference, first=f"ali-{size}", others=(f"{kind}-mel",))
            for size, end in ends.items() for kind in COMPARED}


ACCURACIES = _against_embeddings() | {
    **{f"Q2-{kind.upper()}": partial(difference, first="ali-128", others=(f"{kind}-mel",)) for kind in SUPERVISED},
    "Q2-FF32": partial(difference, first="ali-128", others=("ff-32",)),
    "Q2-E32": partial(difference, first="ali-128", others=("encoder-32",)),
    "Q3": partial(above_majority, name="ali-128"),
    "Q4-256": partial(difference, first="ali-256", others=("ali-128",)),
    "Q4-random": partial(difference, first="ali-128", others=("untrained",)),
    **{claim: finding for seen in REPRESENTATIONS for claim, finding in _by_representation(seen).items()},
    "Q10-cnn": partial(lead_of_mel, kinds=("cnn",)),
    "Q10-mean": partial(lead_of_mel, kinds=(*SUPERVISED, *EMBEDDINGS, "pca")),
    "Q18": below_genres,
}
