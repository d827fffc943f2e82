"""Tables of the report page."""

import numpy as np

from papers.softmax_ae.config import ALONE, GENRES, LONGER
from papers.softmax_ae.facts import CHECKED_EPOCHS, logged
from papers.softmax_ae.measures import (
    Measured,
    View,
    drawn_rows,
    five_nearest,
    part_silhouette,
    plane,
    share_of_tracks,
    silhouettes,
)

NETWORKS = {"two_layer": "Two-layer network", "logits": "Deep Softmax Autoencoder"}
LABELS = {"raw": "raw, 500 values", "components": "64 principal components", "vanilla": "vanilla bottleneck, 64",
          "bottleneck": "DSAE bottleneck, 64", "logits": "DSAE logits", "two_layer": "two-layer logits"}
PARTS = ("train", "dev", "test")


def _text(value: float) -> str:
    return f"{value:.3f}" if np.isfinite(value) else ""


def table_1(measured: Measured) -> dict:
    """Table 1 with the unheard tracks and the controls beside it, in segments and in tracks."""
    own, unheard = measured.own, measured.unheard
    held = unheard.data.held
    rows = []
    for name, label in NETWORKS.items():
        right = unheard.right(name)[held]
        rows.append([label, *(_text(own.accuracy(name, part)) for part in PARTS), _text(right.mean()),
                     _text(share_of_tracks(right, unheard.held_tracks))])
    rows.append([f"DSAE without reconstruction ({ALONE.replace('_', ' ')})", *_of_parts(
        own, measured.alone.argmax(axis=1) == own.data.y), "", ""])
    for label, name in (("Loudness only", "loudness_right"), ("Power spectrum, linear", "spectrum_right")):
        right = getattr(unheard, name)[held]
        rows.append([label, *_of_parts(own, getattr(own, name)), _text(right.mean()),
                     _text(share_of_tracks(right, unheard.held_tracks))])
    rows.append(["Majority class", *(_text(own.majority(own.data.parts[part])) if len(own.data.parts[part]) else ""
                                     for part in PARTS), _text(unheard.majority(held)), ""])
    return {"kind": "table", "caption": "Table 1: accuracies", "rows": rows,
            "columns": ["network", *PARTS, "unheard tracks: segments", "unheard tracks: tracks"]}


def _of_parts(view: View, right: np.ndarray) -> list[str]:
    return [_text(right[view.data.parts[part]].mean()) if len(view.data.parts[part]) else "" for part in PARTS]


def table_2(measured: Measured) -> dict:
    """Table 2 on every part that is held out."""
    view, rows = measured.own, []
    for part in ("dev", "test"):
        if count := len(view.data.parts[part]):
            scored = view.scores(part)
            rows += [[part, name, *(f"{scored[score][i]:.3f}" for score in ("precision", "recall", "f1")), f"{count:,}"]
                     for i, name in enumerate(view.data.classes)]
    return {"kind": "table", "caption": "Table 2: Deep Softmax Autoencoder", "rows": rows,
            "columns": ["part", "class", "precision", "recall", "F1", "segments of the part"]}


def encodings_table(measured: Measured) -> dict:
    """Every encoding by silhouette, nearest neighbours and accuracy: on what was trained, held out, unheard, drawn."""
    rows = []
    for name, label in LABELS.items():
        for measure, of_rows, of_drawing in MEASURES:
            pieces = [of_rows(measured.own, name, part) for part in PARTS]
            pieces += [of_rows(measured.unheard, name, "held"), of_drawing(measured, name)]
            rows += [[label, measure, unit, *(_text(piece[place]) for piece in pieces)]
                     for place, unit in enumerate(("segments", "tracks"))]
    return {"kind": "table", "caption": "Encodings: silhouette (tracks: of their means), accuracy of five nearest "
            "training segments (as drawn: of five nearest points in the plane), accuracy of the logits themselves or "
            "of a linear probe", "rows": rows,
            "columns": ["encoding", "measure", "unit", *PARTS, "unheard tracks", "as drawn"]}


def _rows(view: View, part: str) -> np.ndarray:
    return view.data.held if part == "held" else view.data.parts[part]


def _silhouettes(view: View, name: str, part: str) -> tuple[float, float]:
    """Mean silhouette of a part's segments, and of its tracks, each the mean of its segments."""
    rows = _rows(view, part)
    of_segments = view.silhouettes[name].mean() if part == "held" else part_silhouette(view, name, part)
    return of_segments, _silhouette_of_tracks(view.encoding(name)[rows], view.data.y[rows], view.data.tracks[rows])


def _silhouette_of_tracks(x: np.ndarray, y: np.ndarray, tracks: np.ndarray) -> float:
    names, first = np.unique(tracks, return_index=True)
    means = [x[tracks == track].mean(axis=0) for track in names]
    return float(silhouettes(np.stack(means), y[first]).mean()) if len(names) else float("nan")


def _drawn_silhouettes(measured: Measured, name: str) -> tuple[float, float]:
    data, (points, drawn) = measured.own.data, _drawing(measured, name)
    return (float(silhouettes(points, data.y[drawn]).mean()),
            _silhouette_of_tracks(points, data.y[drawn], data.tracks[drawn]))


def _drawing(measured: Measured, name: str) -> tuple[np.ndarray, np.ndarray]:
    """The points that this mode's figure shows, and which segments they are."""
    fit, drawn = drawn_rows(measured.config, measured.own.data, name)
    return plane(measured.own, name, fit, drawn)[0], drawn


def _shares(right: np.ndarray, tracks: np.ndarray) -> tuple[float, float]:
    """Share of segments named rightly, share of tracks of whose segments more than half are; NaN without any."""
    return (float(right.mean()) if len(right) else float("nan")), share_of_tracks(right, tracks)


def _neighbours(view: View, name: str, part: str) -> tuple[float, float]:
    rows = _rows(view, part)
    right = view.neighbours_right(name, part) if len(rows) else np.zeros(0)
    return _shares(right, view.data.tracks[rows])


def _drawn_neighbours(measured: Measured, name: str) -> tuple[float, float]:
    data, (points, drawn) = measured.own.data, _drawing(measured, name)
    votes = five_nearest(points, data.y[drawn], None, len(data.classes))
    return _shares(votes == data.y[drawn], data.tracks[drawn])


def _accuracies(view: View, name: str, part: str) -> tuple[float, float]:
    rows = _rows(view, part)
    return _shares(view.probe_right(name)[rows], view.data.tracks[rows])


def _drawn_accuracies(measured: Measured, name: str) -> tuple[float, float]:
    view, (_, drawn) = measured.own, drawn_rows(measured.config, measured.own.data, name)
    return _shares(view.probe_right(name)[drawn], view.data.tracks[drawn])


MEASURES = (("silhouette", _silhouettes, _drawn_silhouettes),
            ("five nearest neighbours", _neighbours, _drawn_neighbours),
            ("accuracy", _accuracies, _drawn_accuracies))


def kept_table(measured: Measured) -> dict:
    """What reconstructions keep of held-out segments: the yardsticks, both autoencoders, the ablations."""
    view = measured.own
    rows = [["silence (all zero)", 0.0],
            ["positive half of every wave (the best of a ReLU)", view.yardsticks["half-wave"]],
            ["64 principal components", view.yardsticks["PCA-64"]],
            ["vanilla autoencoder", view.explained(view.encodings.vanilla_x_hat)],
            ["Deep Softmax Autoencoder", view.explained(view.encodings.x_hat)]]
    rows += [[name.replace("_", " "), other.explained] for name, other in (measured.others or {}).items()
             if np.isfinite(other.explained)]
    return {"kind": "table", "caption": "Share of the held-out segments' energy that is kept",
            "columns": ["reconstruction", "share"], "rows": [[name, _text(value)] for name, value in rows]}  # type: ignore[arg-type]


def ablations_table(measured: Measured) -> dict:
    """Accuracies of the networks trained beside."""
    rows = [[name.replace("_", " "), *map(_text, (other.train, other.held, other.gap))]
            for name, other in (measured.others or {}).items() if np.isfinite(other.train)]
    return {"kind": "table", "caption": f"Other settings ({LONGER.replace('_', ' ')}: towards the printed 94.9 %)",
            "columns": ["network", "train", "held out", "gap"], "rows": rows}


def logs_table(measured: Measured) -> dict:
    """Accuracy over the epochs beside the authors' logged runs."""
    rows = []
    for row, model in (("2L", "two_layer"), ("DS", "deep_softmax")):
        lines = {round(line["epoch"]): line for line in measured.histories[model]}
        for part, key in (("train", "metrics/train_accuracy_in_epoch"), ("dev", "metrics/dev_accuracy")):
            theirs, name = logged(row, part), f"{NETWORKS['two_layer' if row == '2L' else 'logits']}, {part}"
            rows += [[name, "this run", *(_text(lines[e][key]) if e in lines else "" for e in CHECKED_EPOCHS)],
                     [name, "the authors' runs (GTZAN)", *(_text(theirs[e]) for e in CHECKED_EPOCHS)]]
    return {"kind": "table", "caption": "Accuracy over the epochs, training inside the epoch, beside the authors' logs",
            "columns": ["accuracy", "run", *(f"epoch {e}" for e in CHECKED_EPOCHS)], "rows": rows}


def of_page(measured: Measured) -> list[dict]:
    """All tables in order."""
    found = [table_1(measured), table_2(measured), encodings_table(measured), kept_table(measured)]
    if measured.others:
        found.append(ablations_table(measured))
    if set(measured.own.data.classes) == set(GENRES):
        found.append(logs_table(measured))
    return found
