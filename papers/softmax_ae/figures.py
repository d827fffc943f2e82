"""Figures of the report page, and its sections."""

import numpy as np

from common import plots
from common.record import Run
from papers.softmax_ae import facts, page_tables, sound
from papers.softmax_ae.config import GENRES
from papers.softmax_ae.measures import Measured, drawn_rows, plane

MOST_POINTS = 4000
VIEWS = ((1, "raw"), (5, "vanilla"), (5, "bottleneck"), (6, "two_layer"), (6, "logits"))


def sections(run: Run, measured: Measured) -> list[dict]:
    """What media.json holds: tables, figures and sounds, section by section."""
    return [
        {"title": "Tables", "items": page_tables.of_page(measured), "text":
            "Shares of segments; a track counts as named where more than half of its segments are. Loudness only: a "
            "classifier that sees nothing but the RMS. Power spectrum: the same on band powers without loudness. "
            "Unheard tracks: the same networks trained anew on whole tracks."},
        {"title": "Accuracy and confusions", "text": "Figures 3 and 4; the originals are lost.",
         "items": [accuracy_curves(run, measured), confusions(run, measured)]},
        {"title": "Encodings as drawn", "text": "Figures 1, 5 and 6: two principal components.",
         "items": [as_drawn(run, measured, *which) for which in VIEWS]},
        {"title": "Training, held-out segments, unheard tracks", "text":
            "The same encodings on axes fitted on the training part: what was trained, what was held out, and tracks "
            "that the network never heard.", "items": [side_by_side(run, measured, *which) for which in VIEWS]},
        {"title": "What the autoencoders keep", "text":
            "The loudest held-out segment of each class (0.9 s, means of 40 samples, so nothing above 276 Hz) and what "
            "64 principal components and the decoders make of it, at the same gain. Silence means that the decoder "
            "emits a constant.", "items": [], "grid": sound.listening(run, measured)},
    ]


def accuracy_curves(run: Run, measured: Measured) -> dict:
    """Figure 3 as a media item, the authors' logged runs behind it."""
    series, labels = {}, (("two_layer", "two-layer", "2L"), ("deep_softmax", "DSAE", "DS"))
    for name, label, _ in labels:
        lines = measured.histories[name]
        for part in ("train", "dev"):
            series[f"{label}, {part}"] = ([x["epoch"] for x in lines], [x[f"metrics/{part}_accuracy"] for x in lines])
    told = ""
    if set(measured.own.data.classes) == set(GENRES):
        told = "; the authors' logged runs on GTZAN, training counted inside the epoch"
        for _, label, row in labels:
            for part in ("train", "dev"):
                theirs = facts.logged(row, part)
                series[f"authors' {label}, {part}"] = (list(theirs), list(theirs.values()))
    path = plots.curves(run.figure("figure_3_accuracy"), series, "epoch", "accuracy",
                        level=("chance", 1 / len(measured.own.data.classes)))
    return {"kind": "figure", "file": run.relative(path), "claims": ["B-LOG-DS-tr", "B-LOG-DS-dev"],
            "caption": f"Figure 3: accuracy over the epochs, dropout off{told}",
            "alt": "Accuracy curves over the epochs"}


def confusions(run: Run, measured: Measured) -> dict:
    """Figure 4 as a media item."""
    view = measured.own
    path = plots.confusion_matrix(run.figure("figure_4_confusion"), view.scores("held")["confusion"], view.data.classes)
    return {"kind": "figure", "file": run.relative(path), "claims": ["B-F4a", "R8a"],
            "caption": "Figure 4: confusion matrix, rows true, shares of each row", "alt": "Confusion matrix"}


def _few(rows: np.ndarray) -> np.ndarray:
    return rows[np.random.default_rng(0).permutation(len(rows))[:MOST_POINTS]]


def as_drawn(run: Run, measured: Measured, number: int, name: str) -> dict:
    """One of Figures 1, 5 and 6, with this mode's axes and points."""
    view, label = measured.own, page_tables.LABELS[name]
    fit, rows = drawn_rows(measured.config, view.data, name)
    trained = np.isin(rows, view.data.parts["train"]).mean()
    rows = _few(rows)
    points, shares = plane(view, name, fit, rows)
    path = plots.scatter(run.figure(f"figure_{number}_{name}"), points, np.array(view.data.classes)[view.data.y[rows]],
                         label, order=view.data.classes)
    claims = {"raw": ["R1"], "bottleneck": ["R18a"], "logits": ["R18b"]}.get(name, [])
    return {"kind": "figure", "file": run.relative(path), "claims": claims,
            "caption": f"Figure {number}: PCA of {label}; the axes carry {100 * shares.sum():.0f} % of the variance; "
                       f"{len(rows)} segments, {100 * trained:.0f} % of them training points",
            "alt": f"Scatter plot of {label} on two principal axes, coloured by class"}


def side_by_side(run: Run, measured: Measured, number: int, name: str) -> dict:
    """One encoding three times: training segments, held-out segments, segments of unheard tracks."""
    own, unheard = measured.own, measured.unheard
    panels = [("training", own, own.data.parts["train"]), ("held out", own, own.data.held),
              ("unheard tracks", unheard, unheard.data.held)]
    if unheard is own:
        panels[1:] = [("unheard tracks, dev", own, own.data.parts["dev"]), ("unheard tracks, test", own, own.data.held)]
    drawing, axes = plots.figure((12, 4), columns=3)
    for place, (title, view, rows) in zip(axes, panels, strict=True):
        rows = _few(rows)
        points, _ = plane(view, name, view.data.parts["train"], rows)
        for code, label in enumerate(view.data.classes):
            mine = view.data.y[rows] == code
            place.scatter(*points[mine].T, s=10, alpha=0.55, linewidths=0, label=label,
                          color=plots.PALETTE[code % len(plots.PALETTE)],
                          marker=plots.MARKERS[code % len(plots.MARKERS)])
        place.set(title=title, xlabel="first component", ylabel="second component")
    axes[-1].legend(markerscale=2, loc="center left", bbox_to_anchor=(1, 0.5))
    path = plots.save(drawing, run.figure(f"three_{number}_{name}"))
    return {"kind": "figure", "file": run.relative(path), "claims": {"bottleneck": ["R18c"], "logits": ["R18d"]}.get(
        name, []), "caption": f"Figure {number} again, {page_tables.LABELS[name]}: {', '.join(p[0] for p in panels)}",
        "alt": f"Three scatter plots of {page_tables.LABELS[name]}: training, held-out and unheard segments"}
