"""What models must have learnt before a comparison of their accuracies says anything: PRECONDITIONS, claim -> groups.

Of each group of models at least one must have learnt, as `Measured.learnt` says it: a network trained on composers lies
two standard errors over works above the commonest of them and above chance on clips held out, `<model>-regression` says
that of the regression on a model's codes, and an embedding has learnt too where it gives clips back better than the
mean image. These stand beside the needs of claims.csv, which say the same of ALI's game and of the leak's rows.
"""

from collections.abc import Iterable

from papers.symphony2vec.config import LATENT_SIZES, MODELS, REPRESENTATIONS, SUPERVISED
from papers.symphony2vec.findings_data import ROWS

CLASSIFIERS, EMBEDDINGS = ("ff", "cnn"), ("ae", "cae", "vae")


def read(names: Iterable[str]) -> tuple[str, ...]:
    """One group: composers are read off the codes of at least one of the models."""
    return tuple(f"{name}-regression" for name in names)


def trained(name: str) -> tuple[str, ...]:
    """One group: an embedding reconstructs, or composers are read off it; the Bernoulli VAE of z-scores cannot both."""
    return name, f"{name}-regression"


def _comparisons():
    found = {"Q2-FF32": [("ff-32",)], "Q2-E32": [("encoder-32",)],
             "Q18": [tuple(f"{kind}-{seen}" for kind in CLASSIFIERS for seen in REPRESENTATIONS)],
             "Q10-cnn": [tuple(f"cnn-{seen}" for seen in REPRESENTATIONS)]}  # fmt: skip
    for seen in REPRESENTATIONS:
        supervised = [f"{kind}-{seen}" for kind in CLASSIFIERS]
        own = [f"{kind}-{seen}" for kind in EMBEDDINGS]
        compared = [*map(trained, own), read([*own, f"pca-{seen}"])]
        # That two components show no composer says something where composers are told from the same clips.
        found["C-F4" if seen == "mel" else f"C-F4-{seen}"] = [(*supervised, f"pca-{seen}-regression")]
        found[f"Q5-{seen}"] = [tuple(supervised)]  # what no network can use says nothing of the LSTM
        found[f"Q5-longer-{seen}"] = [(f"lstm-{seen}",)]  # one that learnt nothing cannot have stopped learning
        found[f"Q6-{seen}"] = [(name,) for name in supervised]  # that they do not differ is said of two that learnt
        found[f"Q8-{seen}"] = [tuple(supervised), *compared]
        found[f"Q9-{seen}"] = compared
        found |= {f"Q7-{kind.upper()}-{seen}": [trained(name), read([name, f"pca-{seen}"])]
                  for kind, name in zip(EMBEDDINGS, own, strict=True)}
    found["Q10-mean"] = [tuple(f"{kind}-{seen}" for seen in REPRESENTATIONS) for kind in CLASSIFIERS]
    found["Q10-mean"] += [read(f"{kind}-{seen}" for seen in REPRESENTATIONS) for kind in (*EMBEDDINGS, "pca")]
    for size in LATENT_SIZES:
        end = "" if size == 128 else f"-{size}"
        found[f"Q1-PCA{end}"] = [read([f"ali-{size}", "pca-mel"])]
        found |= {f"Q1-{kind.upper()}{end}": [trained(f"{kind}-mel"), read([f"ali-{size}", f"{kind}-mel"])]
                  for kind in EMBEDDINGS}
    return found


def _leak():
    """A model that learns nothing with any clips says nothing of dealt composers; of PCA it is its regression."""
    found = {}
    for name, row in ROWS.items():
        kind = MODELS[name].kind
        if kind == "pca":
            groups = dict.fromkeys(("", "dealt-clips-", "dealt-works-"), [read([f"{name}-clips"])])
        elif kind in SUPERVISED:
            groups = dict.fromkeys(("dealt-clips-", "dealt-works-"), [(f"{name}-clips",)])
        else:
            groups = {"dealt-clips-": [(f"{name}-clips",)], "dealt-works-": [(name,)]}
        found |= {f"L-{word}{row}": group for word, group in groups.items()}
    return found


PRECONDITIONS: dict[str, list[tuple[str, ...]]] = _comparisons() | _leak()


def unmet(groups: Iterable[tuple[str, ...]], learnt: dict[str, dict]) -> str:
    """Why a comparison says nothing, or an empty string."""
    for group in groups:
        known = [name for name in group if name in learnt]
        if not known:
            return f"whether {' or '.join(group)} learnt is not known"
        if not any(learnt[name]["learnt"] for name in known):
            name, one = known[0], learnt[known[0]]
            return (f"the model did not learn: {name}, {one['what']}, {one['value']:.3g} against {one['baseline']:.3g}")
    return ""


def asked(results: dict[str, dict], learnt: dict[str, dict]) -> dict[str, dict]:
    """The same results; a comparison of models that have not learnt keeps its value, and says why it is not judged."""
    reasons = {claim: unmet(groups, learnt) for claim, groups in PRECONDITIONS.items()}
    return {claim: entry | {"not_testable": reasons[claim]} if "value" in entry and reasons.get(claim) else entry
            for claim, entry in results.items()}
