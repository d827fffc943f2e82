"""Findings about the genre classifiers: reports, grids, the leak, epochs. `findings.FINDINGS` gives them claim ids."""

import numpy as np

from common import probes
from common.findings import NotTestable, by_group
from papers.fma_interpolation import classifiers, facts
from papers.fma_interpolation.config import Config
from papers.fma_interpolation.measured import Measured

CLASSES = 8
OTHERS = ("DT", "LR", "KNN", "GNB", "GMM0", "GMM1")
NETWORKS = {"CNN1": "cnn_1", "CNN2": "cnn_2", "RNN": "rnn"}
PRINTED_RATE = 0.395  # "near 0.4": the mean of the printed last epochs of CNN_1 and CNN_2


# ---------------------------------------------------------------- classical classifiers

def _classical(m):
    if m.classical is None:
        raise NotTestable("the corpus has one class only")
    return m.classical


def protocol_of(config: Config, name: str) -> str:
    """The split that a classifier's report is made under."""
    return config.svm_protocol if name == "SVM" else config.classical_protocol


def chosen(m: Measured, name: str, protocol: str | None = None) -> tuple[float, np.ndarray, np.ndarray]:
    """(grid value, codes found on the test part, true codes) of a classifier: its report's, or under `protocol`."""
    c, own = _classical(m), protocol is None
    protocol = protocol or protocol_of(m.config, name)
    split, fits = c.splits[protocol], c.fits[protocol]
    place, found = classifiers.pick(fits[name], split, c.labels, m.config.select_on)
    if own and name == "GMM0" and m.config.mixture_scoring == "gaussian_per_class":
        found = fits["GMMC"].test[0]
    if own and name not in reports(m):
        raise NotTestable("one Gaussian per genre needs no given means: it stands at C-GMM0")
    return fits[name].values[place], found, c.labels[split["test"]]


def reports(m: Measured) -> list[str]:
    """The classifiers that have a report of their own in this mode."""
    one = m.config.mixture_scoring == "gaussian_per_class"
    return [name for name in facts.REPORTS if not (one and name == "GMM1")]


def report_of(m: Measured, name: str) -> dict:
    """The printed report of a classifier."""
    _, found, truth = chosen(m, name)
    return classifiers.report(truth, found, m.classical.classes)


def accuracy(m: Measured, name: str, protocol: str) -> float:
    """Accuracy of a classifier under a split."""
    _, found, truth = chosen(m, name, protocol)
    return float(np.mean(found == truth))


def baselines_of(trained_on: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Majority of the training part, and of the tested part itself, as accuracies on the tested part."""
    return {"majority": probes.majority_rate(trained_on, truth), "majority_of_test": probes.majority_rate(truth, truth)}


def report_accuracy(m: Measured, name: str) -> dict:
    """C-…-accuracy."""
    _, found, truth = chosen(m, name)
    split = m.classical.splits[protocol_of(m.config, name)]
    return by_group(found == truth, m.classical.artists[split["test"]], "artists",
                    baselines_of(m.classical.labels[split["train"]], truth) | {"chance": 1 / m.classical.classes})


def report_support(m: Measured, name: str) -> dict:
    """C-…-support."""
    return {"value": len(chosen(m, name)[2])}


def report_average(m: Measured, name: str, average: str, what: int) -> dict:
    """C-…-macro-… and C-…-weighted-…."""
    report = report_of(m, name)
    return {"value": float(report[average][what]), "n": int(report["support"].sum()), "of": "chunks"}


def report_best(m: Measured, name: str) -> dict:
    """C-…-best."""
    value, _, truth = chosen(m, name)
    return {"value": value, "n": len(truth), "of": "chunks"}


def report_genre(m: Measured, name: str, genre: int, what: int) -> dict:
    """C-…-<genre>-precision, recall, f1."""
    report = _eight(m, name)
    return {"value": float(report["classes"][genre][what]), "n": int(report["support"][genre]), "of": "chunks"}


def report_genre_support(m: Measured, name: str, genre: int) -> dict:
    """C-…-<genre>-support."""
    return {"value": int(_eight(m, name)["support"][genre])}


def _eight(m, name):
    if _classical(m).classes != CLASSES:
        raise NotTestable(f"the corpus has {m.classical.classes} classes, not eight")
    return report_of(m, name)


def grid_accuracy(m: Measured, name: str, place: int, protocol: str | None = None) -> dict:
    """G-…: accuracy at one place of the grid."""
    c, protocol = _classical(m), protocol or protocol_of(m.config, name)
    found = c.fits[protocol][name].test[place]
    return {"value": float(np.mean(found == c.labels[c.splits[protocol]["test"]])), "n": len(found), "of": "chunks"}


def svm_leads(m: Measured, protocol: str, others: tuple[str, ...] = ("LR",)) -> dict:
    """Q5-S1, Q5-S2, Q5-S3: SVM minus the best of the others, chunk by chunk on one test part."""
    c = _classical(m)
    right = {name: np.equal(*chosen(m, name, protocol)[1:]).astype(float) for name in ("SVM", *others)}
    best = max(others, key=lambda name: right[name].mean())
    return by_group(right["SVM"] - right[best], c.artists[c.splits[protocol]["test"]], "artists",
                    {name: float(values.mean()) for name, values in right.items()})


def held_out_units(m: Measured, one: str, two: str, name: str = "SVM") -> dict:
    """Q5-leak, Q5-artists: accuracy on the same chunks, `one` ("chunk", "track", "artist") held out minus `two`."""
    c = _classical(m)
    right = {unit: c.folded.correct[name, unit].astype(float) for unit in ("chunk", "track", "artist")}
    return by_group(right[one] - right[two], c.artists[c.folded.rows], "artists",
                    {f"{unit}s_held_out": float(values.mean()) for unit, values in right.items()})


# ---------------------------------------------------------------- genre networks

def _lines(m, name):
    if m.networks is None or name not in m.networks.histories:
        raise NotTestable("not trained")
    return m.networks.histories[name]


def _validated(m):
    n = m.networks
    return {"n": len(n.validated_on), "of": "validation images",
            "baselines": baselines_of(n.trained_on, n.validated_on)}


def epoch_value(m: Measured, name: str, epoch: int, field: str) -> dict:
    """D-… and L-RNN-…: a value of the tables of epochs."""
    lines = _lines(m, name)
    if epoch > len(lines):
        raise NotTestable(f"this preset trains {len(lines)} epochs")
    return {"value": lines[epoch - 1][field], **_validated(m)}


def loss_value(m: Measured, name: str, epoch: int, field: str) -> dict:
    """L-RNN-…."""
    return {"value": epoch_value(m, name, epoch, field)["value"]}


def last_training_accuracy(m: Measured, name: str) -> dict:
    """Q3-…-train."""
    lines = _lines(m, name)
    return {"value": lines[-1]["metrics/accuracy"], **_validated(m), "facts": {"epoch": f"epoch {len(lines)}"}}


def last_validation_accuracy(m: Measured, name: str) -> dict:
    """Q3-…-validation: distance from the printed 0.395."""
    return {"value": _lines(m, name)[-1]["validation/accuracy"] - PRINTED_RATE, **_validated(m)}


def rnn_gap(m: Measured) -> dict:
    """Q3-rnn-gap."""
    last = _lines(m, "rnn")[-1]
    return {"value": last["metrics/accuracy"] - last["validation/accuracy"], **_validated(m)}


def best_epoch(m: Measured, name: str, minus: float) -> dict:
    """Q4-…: epoch of the best validation accuracy; not judged where the last epoch has the same."""
    values = [line["validation/accuracy"] for line in _lines(m, name)]
    best = int(np.argmax(values))
    entry = {"value": best + 1 - minus, **_validated(m)}
    if values[-1] < values[best]:
        return entry
    return entry | {"not_testable": f"validation accuracy does not drop: {values[best]:.3g} in epoch {best + 1}, its "
                                    f"best, and {values[-1]:.3g} in the last, {len(values)}"}


def _right(m, name):
    if m.networks is None or name not in m.networks.found:
        raise NotTestable("not trained")
    return (m.networks.found[name] == m.networks.truth).astype(float)


def learnt(m: Measured) -> dict[str, dict]:
    """{network: held-out accuracy against the commonest genre there}: what claims about trained networks need."""
    if m.networks is None:
        return {}
    baseline = probes.majority_rate(m.networks.truth, m.networks.truth)
    found = {name: float(_right(m, name).mean()) for name in m.networks.found}
    return {name: {"what": "accuracy on held-out images", "value": value, "baseline": baseline,
                   "learnt": value > baseline} for name, value in found.items()}


def better_network(m: Measured, one: str, two: str) -> dict:
    """Q6-…: accuracy after the last epoch on images that were not trained on, image by image."""
    right = {name: _right(m, name) for name in (one, two)}
    n = m.networks
    return by_group(right[one] - right[two], n.artists, "artists", baselines_of(n.trained_on, n.truth) | {
        name: float(values.mean()) for name, values in right.items()})


def svm_is_best(m: Measured) -> dict:
    """X-BEST: the SVM minus the best other.

    On the same images where SVM and networks share a test part (`sound`); else as the report compares them: each on
    its own test part, the networks at their best epoch. Its interval is over artists there too: chunk by chunk where
    the SVM and the best other share a test part, else of both parts; a network answers as after its last epoch.
    """
    c, n = _classical(m), m.networks
    protocols = {protocol_of(m.config, name) for name in reports(m)}
    if protocols == {"official"} and m.config.deep_protocol == "official":
        place = {row: k for k, row in enumerate(c.splits["official"]["test"])}
        here = [place[row] for row in n.rows]
        right = {name: (chosen(m, name)[1][here] == n.truth).astype(float) for name in reports(m)}
        right |= {name: _right(m, name) for name in NETWORKS.values()}
        best = max((name for name in right if name != "SVM"), key=lambda name: right[name].mean())
        return by_group(right["SVM"] - right[best], n.artists, "artists",
                        {name: float(values.mean()) for name, values in right.items()})
    right = {name: np.equal(*chosen(m, name)[1:]).astype(float) for name in reports(m)}
    scores = {name: float(values.mean()) for name, values in right.items()}
    scores |= {name: max(line["validation/accuracy"] for line in _lines(m, name)) for name in NETWORKS.values()}
    best = max((name for name in scores if name != "SVM"), key=lambda name: scores[name])
    artists = {name: c.artists[c.splits[protocol_of(m.config, name)]["test"]] for name in reports(m)}
    if best in right and protocol_of(m.config, best) == protocol_of(m.config, "SVM"):
        return by_group(right["SVM"] - right[best], artists["SVM"], "artists", scores)
    other = (right[best], artists[best]) if best in right else (_right(m, best), n.artists)
    return _of_two_parts(scores["SVM"] - scores[best], (right["SVM"], artists["SVM"]), other, scores)


def _of_two_parts(value, one, two, baselines):
    """The entry of a difference of two means, each over its own items: (answers, artists) and (answers, artists).

    An item gives the value and how far it is from the mean of its part, in proportion to how few items that part has:
    the mean of all is the value, and an artist of both parts counts once, with what both say.
    """
    count = sum(len(right) for right, _ in (one, two))
    away = [sign * (right - right.mean()) * count / len(right) for sign, (right, _) in ((1, one), (-1, two))]
    return by_group(value + np.concatenate(away), np.concatenate([one[1], two[1]]), "artists", baselines)
