"""The pictures of the page: images, curves, bars and the drawings of the data set."""

from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import gaussian_kde

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


def contours(path: Path, points: np.ndarray, genres: np.ndarray, title: str, order: list) -> Path:
    """Density of each genre in the plane, four lines each, as the report draws it; none of fewer than four points."""
    drawing, axes = plots.figure(size=(5.4, 4.2))
    low, high = points.min(axis=0), points.max(axis=0)
    x, y = np.meshgrid(*(np.linspace(a - 0.1 * (b - a), b + 0.1 * (b - a), 80) for a, b in zip(low, high, strict=True)))
    for number, genre in enumerate(order):
        mine, colour = points[genres == genre], plots.PALETTE[number % len(plots.PALETTE)]
        axes.plot([], [], color=colour, label=genre)
        if len(mine) < 4 or np.linalg.matrix_rank(mine - mine.mean(axis=0)) < 2:
            continue
        density = gaussian_kde(mine.T)(np.stack([x.ravel(), y.ravel()])).reshape(x.shape)
        axes.contour(x, y, density, levels=density.max() * np.array([0.2, 0.4, 0.6, 0.8]), colors=colour,
                     linewidths=0.8)
    axes.set(title=title, xlabel="first component", ylabel="second component")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return plots.save(drawing, path)


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
        for method in ("pca", "umap"):  # the report's six panels
            title = f"{method.upper()} of {TABLE_SAYS[name]}, density of each genre"
            path = contours(run.figure(f"{method}-{name}-density"), drawing.points[method], colours, title, genres)
            items.append({"kind": "figure", "file": run.relative(path), "caption": title, "claims": [],
                          "alt": f"Contour lines of the density of each genre by {method.upper()}"})
        for method, points in drawing.unscaled.items():
            path = plots.scatter(run.figure(f"{method}-{name}-unscaled"), points, colours,
                                 f"{method.upper()}, unscaled", order=genres)
            items.append({"kind": "figure", "file": run.relative(path), "claims": ["Q7-neighbours", "Q7-tempo"],
                          "caption": f"{method.upper()} of the eight audio features, unscaled as in the report",
                          "alt": f"Scatter plot of tracks by {method.upper()} of unscaled features"})
    return items
