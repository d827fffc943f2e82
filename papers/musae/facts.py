"""Sizes of section 4.1, the cost of the flower, and what is true on any data: `FACTS`, claim id -> function."""

from functools import partial

import numpy as np

from common.findings import NotTestable
from papers.musae.findings import FLOWER, GAUSSIAN, PRINTED
from papers.musae.measured import Measured


def count(measured: Measured, name: str) -> dict:
    """A count of the store."""
    return {"value": measured.stated["counts"][name]}


def tags(measured: Measured) -> dict:
    """G1: distinct genre tags."""
    if not measured.stated["counts"]["distinct genre tags"]:
        raise NotTestable("this corpus carries no genre tags")
    return {"value": measured.stated["counts"]["distinct genre tags"]}


def tag_share(measured: Measured) -> dict:
    """G1-share: share of the commonest tags among all."""
    tags(measured)
    return {"value": measured.stated["tag_share"]}


def lost_notes(measured: Measured) -> dict:
    """E21: notes without an onset of their own on the grid."""
    counts = measured.stated["counts"]
    return {"value": counts["notes without an onset on the grid"] / max(1, counts["notes"]), "n": counts["notes"],
            "of": "notes"}  # fmt: skip


def cost(measured: Measured) -> dict:
    """G4: seconds per update, flower over Gaussian."""
    measured.model(GAUSSIAN), measured.model(FLOWER)
    rates = {name: measured.seconds[name] for name in (GAUSSIAN, FLOWER) if name in measured.seconds}
    if len(rates) < 2:
        raise NotTestable("too few updates to time")
    return {"value": rates[FLOWER] / rates[GAUSSIAN], "baselines": rates}


def _first(measured):
    return next(iter(measured.models.values()))


def trained_windows(measured: Measured) -> dict:
    """E1: share of held-out windows that are training windows too."""
    model = _first(measured)
    return {"value": float(np.isin(model.held_rows, model.train_rows).mean()), "n": len(model.held_rows),
            "of": "windows"}  # fmt: skip


def trained_songs(measured: Measured) -> dict:
    """E1-song: share of held-out windows whose song is trained on."""
    model = _first(measured)
    song = model.windows.song
    return {"value": float(np.isin(song[model.held_rows], song[model.train_rows]).mean()), "n": len(model.held_rows),
            "of": "windows"}  # fmt: skip


def printed_averages(measured: Measured) -> dict:
    """E3-table: largest difference of a printed average from the mean of the printed cells."""
    gaps = []
    for column in ("gaussian", "flower", "musicvae-flat", "musicvae-hierarchical"):
        for average, parts in (("T7", ("T3", "T4", "T5", "T6")), ("T8", ("T3", "T4", "T5"))):
            cells = [PRINTED.get(f"{row}-{column}") for row in parts]
            if PRINTED.get(f"{average}-{column}") is not None and None not in cells:
                gaps.append(abs(PRINTED[f"{average}-{column}"] - np.mean(cells)))
    return {"value": float(max(gaps)), "n": len(gaps), "of": "averages"}


FACTS = {
    "G2-songs": partial(count, name="MIDI files, each counted once"),
    "G2-2bar": partial(count, name="2-bar windows kept"),
    "G2-16bar": partial(count, name="16-bar windows kept"),
    "G1": tags,
    "G1-share": tag_share,
    "G4": cost,
    "E21": lost_notes,
    "E1": trained_windows,
    "E1-song": trained_songs,
    "E3-table": printed_averages,
}
