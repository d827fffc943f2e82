"""The pictures of the page: images, curves, bars and the drawings of the data set."""

from pathlib import Path
from typing import Any

import numpy as np

from common import plots
from common.record import Run
from papers.fma_interpolation import classifiers, tables

OVERFIT_SAYS = {"squared_error": "squared error", "cross_entropy": "cross-entropy",
                "flipped": "cross-entropy, sign flipped",
                "swapped": "cross-entropy, arguments swapped", "decibels": "cross-entropy on decibels"}
SPLIT_SAYS = {"leaky": "S1, leaky", "contiguous": "S2, contiguous", "official": "S3, official"}
TABLE_SAYS = {"librosa": "518 librosa features", "audio": "8 audio features of the Echo Nest",
              "temporal": "224 temporal features of the Echo Nest", "statistics": "statistics of the images"}


def picture(path: Path, image: np.ndarray) -> Path:
    """Write an image (bands, frames) as a PNG, low bands at the bottom, nothing around it."""
    from matplotlib.image import imsave

    Path(path).parent.mkdir(parents=True, exist_ok=True)
    imsave(path, np.clip(image, 0, 1), vmin=0, vmax=1, cmap="magma", origin="lower", metadata={"Software": None})
    return path


def hunt(run: Run, found: Any) -> Any:
    """Squared error of the output under each loss of the hunt."""
    series = {}
    for loss, lines in found.histories.items():
        error = [line["metrics/squared_error"] for line in lines]
        series[OVERFIT_SAYS[loss]] = (np.arange(len(error)) + 1, np.maximum(error, 1e-9))
    path = plots.curves(run.figure("overfit"), series, "update", "squared error per pixel",
                        "One image, five losses", logarithmic=True)
    return {"kind": "figure", "file": run.relative(path), "claims": ["Q2-mse", "Q2-swapped-error"],
            "caption": "Squared error of the output under each loss", "alt": "Error curves"}


def networks(run: Run, found: Any, majority: float) -> Any:
    """Training and validation accuracy of the networks over the epochs."""
    series = {}
    for name, lines in found.histories.items():
        for part, field in (("training", "metrics/accuracy"), ("validation", "validation/accuracy")):
            values = [line[field] for line in lines]
            series[f"{name}, {part}"] = np.arange(len(values)) + 1, values
    path = plots.curves(run.figure("classifiers"), series, "epoch", "accuracy", "Deep genre classifiers",
                        level=("majority", majority))
    return {"kind": "figure", "file": run.relative(path), "claims": ["Q3-cnn1-train", "Q6-cnn2-cnn1"],
            "caption": "Training and validation accuracy over the epochs", "alt": "Accuracy curves"}


def leak(run: Run, accuracy: Any, names: Any, chance: float) -> Any:
    """Bars of the classical classifiers under three splits; `accuracy` is {(protocol, name): value}."""
    series = {says: [accuracy[protocol, name] for name in names] for protocol, says in SPLIT_SAYS.items()}
    path = plots.bars(run.figure("leak"), [classifiers.NAMES[name] for name in names], series, "accuracy",
                      "The same classifiers under three splits", level=("chance", chance))
    return {"kind": "figure", "file": run.relative(path), "caption": "Accuracy under the three splits",
            "alt": "Bars of accuracy for each classifier under three splits", "claims": ["Q5-leak"]}


def drawings(run: Run, drawn: Any, genres: Any) -> Any:
    """One scatter plot for each drawing, the unscaled ones of the report included."""
    items = []
    for name, drawing in drawn.items():
        colours = np.array(genres)[drawing.labels]
        for method, points in drawing.points.items():
            title = f"{method.upper()} of {TABLE_SAYS[name]}"
            path = plots.scatter(run.figure(f"{method}-{name}"), points, colours, title, order=genres)
            timed = method != "tsne" and name in tables.SETS
            items.append({"kind": "figure", "file": run.relative(path),
                          "caption": f"{title}, {len(points)} tracks, {drawing.seconds[method]:.2f} s",
                          "alt": f"Scatter plot of tracks by {method.upper()}, coloured by genre",
                          "claims": [f"T-VIS-{method}-{name}"] if timed else []})
        for method, points in drawing.unscaled.items():
            path = plots.scatter(run.figure(f"{method}-{name}-unscaled"), points, colours,
                                 f"{method.upper()}, unscaled", order=genres)
            items.append({"kind": "figure", "file": run.relative(path), "claims": ["Q7-neighbours", "Q7-tempo"],
                          "caption": f"{method.upper()} of the eight audio features, unscaled as in the report",
                          "alt": f"Scatter plot of tracks by {method.upper()} of unscaled features"})
    return items
