"""Pictures: piano rolls of tokens, the heat map of figure 3, codes by t-SNE."""

from pathlib import Path
from typing import Any

import numpy as np

from common import plots
from papers.musae.model import TRACKS
from papers.musae.tokens import SILENT, token_base


def piano_roll(tokens: Any, path: Path, title: str) -> Path:
    """Piano roll of tokens (T, 4) as a PNG, a colour per track."""
    rolls = {}
    for track, name in enumerate(TRACKS):
        base = token_base(tokens[:, track])
        roll = np.zeros((128, len(base)), np.uint8)
        sounding = np.flatnonzero(base < SILENT)
        roll[base[sounding], sounding] = 1
        rolls[name] = roll
    if not any(roll.any() for roll in rolls.values()):
        rolls["drums"][60, 0] = 0
    return plots.piano_roll(path, rolls, title, steps_per_beat=4)


def score(multitrack: Any, path: Path, title: str) -> Path:
    """The tracks of a pypianoroll.Multitrack one above the other, as pypianoroll draws them."""
    import pypianoroll

    drawing, axes = plots.figure(size=(8.0, 6.0), rows=len(multitrack.tracks), sharex=True)
    pypianoroll.plot_multitrack(multitrack, axs=list(axes))
    drawing.suptitle(title)
    return plots.save(drawing, path)


def heat_map(path: Path, changes: Any, names: Any) -> Path:
    """Figure 3: relative changes (metrics, petals) with a row per name."""
    drawing, axes = plots.figure(size=(7.2, 0.2 * len(names) + 1.2))
    limit = np.abs(changes).max() or 1.0
    shown = axes.imshow(changes, aspect="auto", cmap="RdBu_r", vmin=-limit, vmax=limit)
    axes.set(xlabel="Gaussian, in order round the circle", yticks=range(len(names)))
    axes.set_yticklabels(names, fontsize=7)
    axes.grid(False)
    drawing.colorbar(shown, ax=axes, label="relative change")
    return plots.save(drawing, path)


def t_sne(path: Path, codes: Any, labels: Any, names: Any) -> tuple:
    """At most 512 codes (n, latent) by t-SNE; returns the picture's path and the perplexity."""
    from sklearn.manifold import TSNE

    rows = np.random.default_rng(0).permutation(len(codes))[:512]
    perplexity = min(30, max(2, len(rows) // 4))
    points = TSNE(perplexity=perplexity, random_state=0, init="pca").fit_transform(codes[rows])
    title = f"{names[0]} and {names[1]}, t-SNE"
    return plots.scatter(path, points, labels[rows], title, "", "", order=list(names)), perplexity
