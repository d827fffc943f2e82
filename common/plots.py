"""Figures in one style: quiet axes, colours that colour-blind readers tell apart, the same bytes for the same data.

Every function takes where to save, plain arrays and whole-word labels, and returns the path of the saved PNG, ready for
a media item of `run.write_results` (which also wants a caption and an alternative text). Nothing is shown on a screen.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import BoundaryNorm, ListedColormap

# Okabe and Ito (2008), without their yellow (too light on white); line styles and markers say the same as the colours.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#8C6D00", "#5B5B5B", "#000000")
LINES = ("-", "--", "-.", ":")
MARKERS = "osD^vPX*"
INK, QUIET, RULE = "#1d2430", "#5a6372", "#d5d9e0"
STYLE = {
    "figure.figsize": (5.4, 3.4), "figure.dpi": 100, "savefig.dpi": 180, "figure.constrained_layout.use": True,
    "font.family": "DejaVu Sans", "font.size": 10, "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": QUIET,
    "axes.titlesize": 11, "axes.titlelocation": "left", "axes.titleweight": "bold", "axes.titlecolor": INK,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "axes.axisbelow": True,
    "axes.prop_cycle": matplotlib.cycler(color=PALETTE), "grid.color": RULE, "grid.linewidth": 0.6,
    "xtick.color": QUIET, "ytick.color": QUIET, "xtick.labelsize": 9, "ytick.labelsize": 9, "lines.linewidth": 1.6,
    "legend.frameon": False, "legend.fontsize": 9, "image.cmap": "magma", "image.interpolation": "nearest",
}
styled = plt.rc_context(STYLE)  # a decorator: everything inside is drawn in the style, and no caller's settings change


@styled
def figure(size: tuple | None = None, rows: int = 1, columns: int = 1, **keywords: Any) -> tuple:
    """A figure and its axes in the common style, for a drawing that no function here makes; `size` in inches."""
    return plt.subplots(rows, columns, figsize=size or STYLE["figure.figsize"], **keywords)


@styled
def save(figure: Any, path: Path | str) -> Path:
    """Save a figure as PNG (no date or program name inside) and close it; returns the path."""
    path = Path(path).with_suffix(".png")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Software": None}, facecolor="white")
    plt.close(figure)
    return path


def _legend(axes, most=5):
    names = len(axes.get_legend_handles_labels()[0])
    if names > most:  # beside the drawing, so that it hides nothing
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    elif names > 1:
        axes.legend()


@styled
def curves(path: Path | str, series: dict, x_label: str, y_label: str, title: str = "", logarithmic: bool = False,
           level: tuple | list | None = None) -> Path:
    """Lines: `series` maps a name to (x, y) or to y alone (then x counts from 0).

    `level` is (name, y) or a list of them: thin horizontal lines for trivial baselines.
    """
    drawing, axes = figure()
    for number, (name, line) in enumerate(series.items()):
        x, y = line if isinstance(line, tuple) else (np.arange(len(line)), line)
        axes.plot(np.asarray(x), np.asarray(y), LINES[number // len(PALETTE) % len(LINES)] if len(series) > len(PALETTE)
                  else LINES[number % len(LINES)], color=PALETTE[number % len(PALETTE)], label=name)
    for name, y in [level] if isinstance(level, tuple) else level or []:
        axes.axhline(y, color=QUIET, linewidth=1, linestyle=(0, (2, 2)), label=name)
    if logarithmic:
        axes.set_yscale("log")
    axes.set(xlabel=x_label, ylabel=y_label, title=title)
    _legend(axes)
    return save(drawing, path)


@styled
def bars(path: Path | str, groups: Sequence, series: dict, y_label: str, title: str = "", errors: dict | None = None,
         level: tuple | list | None = None) -> Path:
    """Bars side by side: `groups` are the names on the axis, `series` maps a name to one value per group.

    `errors` maps a series' name to one half interval per group; NaN bars are left out; `level` as in `curves`.
    """
    drawing, axes = figure(size=(max(5.4, 0.5 * len(groups) * max(1, len(series)) + 1.5), 3.4))
    width = 0.8 / max(1, len(series))
    for number, (name, values) in enumerate(series.items()):
        places = np.arange(len(groups)) + (number - (len(series) - 1) / 2) * width
        axes.bar(places, np.asarray(values, float), width * 0.92, label=name, color=PALETTE[number % len(PALETTE)],
                 yerr=None if errors is None else errors.get(name), error_kw={"ecolor": INK, "capsize": 3})
    for name, y in [level] if isinstance(level, tuple) else level or []:
        axes.axhline(y, color=QUIET, linewidth=1, linestyle=(0, (2, 2)), label=name)
    axes.set(ylabel=y_label, title=title)
    slanted = max((len(str(group)) for group in groups), default=0) * len(groups) > 55
    axes.set_xticks(np.arange(len(groups)), groups, rotation=30 if slanted else 0, ha="right" if slanted else "center")
    axes.grid(axis="x", visible=False)
    _legend(axes, most=2)
    return save(drawing, path)


@styled
def confusion_matrix(path: Path | str, matrix: Any, names: Sequence, title: str = "", counts: bool = False) -> Path:
    """Rows true, columns predicted; (k, k) counts, drawn as shares of each row (`counts` writes the counts)."""
    matrix = np.asarray(matrix, float)
    totals = matrix.sum(axis=1, keepdims=True)
    shares = np.divide(matrix, totals, out=np.zeros_like(matrix), where=totals > 0)
    side = 2.2 + 0.55 * len(names)
    drawing, axes = figure(size=(side + 0.6, side))
    picture = axes.imshow(shares, vmin=0, vmax=1, cmap="Blues")
    for row, column in np.ndindex(*matrix.shape):
        share = f"{shares[row, column]:.2f}".replace("0.", ".", 1)
        text = "–" if not totals[row, 0] else f"{matrix[row, column]:.0f}" if counts else share
        axes.text(column, row, text, ha="center", va="center", color="white" if shares[row, column] > 0.55 else INK)
    slanted = max(len(str(name)) for name in names) * len(names) > 32
    axes.set_xticks(range(len(names)), names, rotation=35 if slanted else 0, ha="right" if slanted else "center")
    axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="predicted", ylabel="true", title=title)
    axes.grid(False)
    drawing.colorbar(picture, ax=axes, label="share of the true class", shrink=0.8)
    return save(drawing, path)


@styled
def scatter(path: Path | str, points: Any, labels: Any, title: str = "", x_label: str = "first component",
            y_label: str = "second component", order: Sequence | None = None) -> Path:
    """Points (n, 2) coloured and marked by label; `order` lists the label names as the legend shall show them."""
    points, labels = np.asarray(points, float), np.asarray(labels)
    names = list(order) if order is not None else sorted(set(labels.tolist()))
    drawing, axes = figure(size=(5.4, 4.2))
    size, alpha = (26, 0.85) if len(points) < 400 else (10, 0.55)
    for number, name in enumerate(names):
        mine = labels == name
        axes.scatter(points[mine, 0], points[mine, 1], s=size, alpha=alpha, linewidths=0, label=str(name),
                     color=PALETTE[number % len(PALETTE)], marker=MARKERS[number % len(MARKERS)])
    axes.set(xlabel=x_label, ylabel=y_label, title=title)
    if names:
        axes.legend(markerscale=1.2 if size > 20 else 2, loc="center left", bbox_to_anchor=(1, 0.5))
    return save(drawing, path)


@styled
def image(path: Path | str, picture: Any, title: str = "", x_label: str = "frame", y_label: str = "band",
          colour_label: str = "", extent: Sequence | None = None, limits: Sequence | None = None) -> Path:
    """An array (bands, frames), low bands at the bottom; `extent` (left, right, bottom, top) gives axes units."""
    drawing, axes = figure()
    low, high = limits or (None, None)
    shown = axes.imshow(np.asarray(picture, float), origin="lower", aspect="auto", extent=extent, vmin=low, vmax=high)
    axes.set(xlabel=x_label, ylabel=y_label, title=title)
    axes.grid(False)
    drawing.colorbar(shown, ax=axes, label=colour_label, pad=0.02)
    return save(drawing, path)


@styled
def mel(path: Path | str, spectrogram: Any, sample_rate: int, hop: int, title: str = "", decibels: bool = True,
        limits: Sequence | None = None) -> Path:
    """A mel spectrogram (bands, frames) over seconds: power, drawn 80 dB below its peak, or as is without `decibels`.

    `sample_rate` in Hz, `hop` in samples.
    """
    spectrogram = np.asarray(spectrogram, float)
    if decibels:
        level = 10 * np.log10(np.maximum(spectrogram, 1e-10))
        spectrogram, limits = level - level.max(), limits or (-80, 0)
    extent = (0, spectrogram.shape[1] * hop / sample_rate, 0, spectrogram.shape[0])
    unit = "dB below the peak" if decibels else ""
    return image(path, spectrogram, title, "seconds", "mel band", unit, extent, limits)


@styled
def piano_roll(path: Path | str, tracks: dict, title: str = "", steps_per_beat: int | None = None,
               lowest: int | None = None) -> Path:
    """Piano rolls: `tracks` maps a name to an array (pitches, steps), not zero where a note sounds, one colour a track.

    All tracks share one shape; `steps_per_beat` turns the axis into beats; `lowest` is the MIDI pitch of row 0 (0).
    """
    rolls = [np.asarray(roll) > 0 for roll in tracks.values()]
    pitches, steps = rolls[0].shape
    used = np.flatnonzero(np.any(rolls, axis=(0, 2)))
    bottom, top = (max(0, used[0] - 2), min(pitches, used[-1] + 3)) if len(used) else (0, pitches)
    layer = np.zeros((pitches, steps), int)
    for number, roll in enumerate(rolls):
        layer[roll] = number + 1
    drawing, axes = figure(size=(6.4, 3.0))
    colours = ListedColormap(["white", *[PALETTE[number % len(PALETTE)] for number in range(len(rolls))]])
    norm = BoundaryNorm(np.arange(len(rolls) + 2) - 0.5, colours.N)
    length = steps / steps_per_beat if steps_per_beat else steps
    offset = lowest or 0
    axes.imshow(layer[bottom:top], origin="lower", aspect="auto", cmap=colours, norm=norm,
                extent=(0, length, bottom + offset - 0.5, top + offset - 0.5))
    axes.set(xlabel="beat" if steps_per_beat else "step", ylabel="MIDI pitch", title=title)
    if len(rolls) > 1:
        handles = [plt.Line2D([], [], color=PALETTE[number % len(PALETTE)], linewidth=5, label=name)
                   for number, name in enumerate(tracks)]
        axes.legend(handles=handles, loc="center left", bbox_to_anchor=(1, 0.5))
    return save(drawing, path)
