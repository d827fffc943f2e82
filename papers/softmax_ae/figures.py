"""Tables and figures of the report page."""

import numpy as np

from common import plots, probes
from papers.softmax_ae import sound
from papers.softmax_ae.measures import drawn_rows

MOST_POINTS = 4000
VIEWS = ((1, "raw", "raw input, 500 values"), (5, "vanilla", "vanilla bottleneck, 64"),
         (5, "bottleneck", "DSAE bottleneck, 64"), (6, "two_layer", "two-layer logits"), (6, "logits", "DSAE logits"))
NETWORKS = {"two_layer": "Two-layer network", "deep_softmax": "Deep Softmax Autoencoder"}


def sections(run, measured) -> list[dict]:
    """What media.json holds: tables, figures and sounds, section by section."""
    return [
        {"title": "Tables 1 and 2", "items": tables(measured),
         "text": "Shares of segments. Loudness only: a classifier that sees nothing but the RMS."},
        {"title": "Accuracy and confusions", "text": "Figures 3 and 4; the originals are lost.",
         "items": [accuracy_curves(run, measured), confusions(run, measured)]},
        {"title": "Encodings", "text": "Figures 1, 5 and 6 drawn again: two principal components.",
         "items": [view(run, measured, *which) for which in VIEWS]},
        {"title": "What the autoencoders keep", "text":
            "The loudest held-out segment of each class (0.9 s, means of 40 samples, so nothing above 276 Hz) and what "
            "the decoders make of it, at the same gain. Silence means that the decoder emits a constant.",
         "items": [], "grid": sound.listening(run, measured)},
    ]


def tables(measured) -> list[dict]:
    """Tables 1 and 2 as media items."""
    data, parts = measured.data, ("train", "dev", "test")
    part = "test" if len(data.parts["test"]) else "dev"
    rows = [[label, *(f"{measured.accuracy(name, p):.3f}" for p in parts)] for name, label in NETWORKS.items()]
    rows += [["Loudness only", "", "", f"{measured.loudness_only(data.held):.3f}"],
             ["Majority class", "", "", f"{measured.majority(data.held):.3f}"]]
    by_class = [[name, *(f"{measured.scores[score][i]:.3f}" for score in ("precision", "recall", "f1"))]
                for i, name in enumerate(data.classes)]
    return [{"kind": "table", "caption": "Table 1: accuracies", "columns": ["network", *parts], "rows": rows},
            {"kind": "table", "columns": ["class", "precision", "recall", "F1"],
             "caption": f"Table 2: Deep Softmax Autoencoder, {part} part, {len(data.held)} segments",
             "rows": by_class}]


def accuracy_curves(run, measured) -> dict:
    """Figure 3 as a media item."""
    series = {}
    for name, label in (("two_layer", "two-layer"), ("deep_softmax", "DSAE")):
        lines = measured.histories[name]
        for part in ("train", "dev"):
            series[f"{label}, {part}"] = ([x["epoch"] for x in lines], [x[f"metrics/{part}_accuracy"] for x in lines])
    path = plots.curves(run.figure("figure_3_accuracy"), series, "epoch", "accuracy",
                        level=("chance", 1 / len(measured.data.classes)))
    return {"kind": "figure", "file": run.relative(path), "claims": ["B-F3"],
            "caption": "Figure 3: accuracy over the epochs, dropout off", "alt": "Accuracy curves over the epochs"}


def confusions(run, measured) -> dict:
    """Figure 4 as a media item."""
    path = plots.confusion_matrix(run.figure("figure_4_confusion"), measured.scores["confusion"], measured.data.classes)
    return {"kind": "figure", "file": run.relative(path), "claims": ["B-F4a", "B-F4b", "R8a"],
            "caption": "Figure 4: confusion matrix, rows true, shares of each row", "alt": "Confusion matrix"}


def view(run, measured, number: int, name: str, label: str) -> dict:
    """One of Figures 1, 5 and 6 as a media item."""
    config, data = measured.config, measured.data
    fit, rows = drawn_rows(config, data)
    which = f"{min(len(rows), MOST_POINTS)} segments" + (", held out" if config.projection == "train" else "")
    rows = rows[np.random.default_rng(0).permutation(len(rows))[:MOST_POINTS]]
    x = getattr(measured.encodings, name)
    points, shares = probes.principal_components(x[fit], x[rows])
    path = plots.scatter(run.figure(f"figure_{number}_{name}"), points, np.array(data.classes)[data.y[rows]], label,
                         order=data.classes)
    return {"kind": "figure", "file": run.relative(path), "claims": ["R1"] if name == "raw" else [],
            "caption": f"Figure {number}: PCA of {label}; the axes carry {100 * shares.sum():.0f} % of the variance; "
                       f"{which}",
            "alt": f"Scatter plot of {label} on two principal axes, coloured by class"}
