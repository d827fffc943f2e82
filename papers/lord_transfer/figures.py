"""What a run's page shows: figures of what was heard, tables, loss curves; what it plays is in players.py."""

from pathlib import Path
from typing import Any

import numpy as np

from common import plots
from common.record import Run
from papers.lord_transfer.exceeding import mean_of
from papers.lord_transfer.findings_comparisons import smallest_class
from papers.lord_transfer.players import joined_items, loss_items, phase_items, picture_grid, plain, transfer_grid


def figures_and_sound(run: Run, found: Any, notes: dict) -> list[dict]:
    """Sections for run.write_results, their figures and sounds written under the run's directory."""
    sections = []
    for pair, m in found.models.items():
        title = f" {pair}" if pair else ""
        sections += [transfer_grid(run, m, title, notes), picture_grid(run, m, title), heard_section(run, m, title),
                     content_section(m, title)]
        if m.tracks:
            sections.append(joining_section(run, m, title))
    sections.append(curves_section(run, found.models, found.comparisons))
    if found.comparisons:
        sections.append(comparison_section(run, found.first, found.comparisons))
    return sections


def share_matrix(path: Path, matrix: np.ndarray, labels: Any, x_label: str) -> Path:
    """Shares (classes, classes) as they are: the rows of a transfer matrix need not sum to one."""
    drawing, axes = plots.figure(size=(6.4, 5.6))
    axes.imshow(matrix, cmap="Blues", vmin=0, vmax=1)
    for (a, b), share in np.ndenumerate(matrix):
        axes.text(b, a, f"{share:.2f}", ha="center", va="center", color="white" if share > 0.6 else plots.INK)
    axes.set_xticks(range(len(labels)), labels, rotation=35, ha="right")
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xlabel=x_label, ylabel="class of the source")
    axes.grid(False)
    return plots.save(drawing, path)


def heard_section(run: Run, m: Any, title: str) -> dict:
    """Who the classifier hears: in real clips, in rebuilt ones, in transfers."""
    heard, name = m.heard, plain(m.pair) or "instruments"
    labels, items = list(heard.labels), []
    for what, matrix, caption in (
            ("real", heard.real_shares, "real held-out clips: rows are true classes, columns what is heard"),
            ("identity", heard.identity_shares, "the same clips rebuilt with their own class"),
            ("target", heard.target_shares, "transfers: the share of clips of a row's class, given a column's class, "
                                            "that are heard as the column's")):
        path = share_matrix(run.figure(f"{name}-heard-{what}"), matrix, labels, "heard as" if what != "target" else
                            "given the class, share heard as it")
        items.append({"kind": "figure", "file": run.relative(path), "caption": caption,
                      "alt": f"matrix of shares, {what}", "claims": ["I-target", "I-identity"] if not m.pair else [
                          f"G1-transfer-{m.pair.lower()}", f"G1-identity-{m.pair.lower()}"]})
    items += [controls_table(m), ears_table(m)]
    return {"title": f"What the classifier hears{title}", "text":
            "The classifier was trained on recordings that neither the model nor this evaluation uses. Above it stand "
            "answers that no trained network is needed for: a number below theirs says nothing.", "items": items}


def controls_table(m: Any) -> dict:
    """The transfers and every control, by every measure: heard as the target, ahead of rivals, both at once."""
    rows = [[name, *(_share(mean_of(m, what, name)) for what in ("hits", "second", "rhythm", "notes", "joint"))]
            for name in m.judged]
    return {"kind": "table", "rows": rows, "claims": ["I-target", "I-joint", "I4-source"],
            "columns": ["answer", "heard as the target", "… by the second ear", "ahead of rivals, level over time",
                        "ahead of rivals, chroma over time", "joint"],
            "caption": f"{m.heard.clips} held-out clips, each to every other class; ahead: 50 % is what an answer gets "
                       "that ignores its source; joint: a hit counts by how far it is ahead, 0 for who ignores it"}


def ears_table(m: Any) -> dict:
    """What the classifier that judges knows: real clips by class, and its answers where there is nothing to hear."""
    ears, heard = m.ears, m.heard
    rows = [["real clips, mean over classes", _share(ears["first"])], ["chance", _share(heard.chance)],
            ["the second ear (cepstra, logistic regression)", _share(ears["second"])],
            ["real clips after their way to sound and back", _share(ears["after_inversion"])],
            *([f"real clips of {label}", _share(share)] for label, share in ears["by_class"].items()),
            *([f"mean picture of {label} heard as", found] for label, found in ears["mean_pictures"].items()),
            ["silence heard as", ears["silence"]], ["noise heard as", ears["noise"]],
            ["rebuilt, heard as their class", _share(heard.rebuilt)],
            ["rebuilt, heard as another", _share(heard.false_identity)]]
    return {"kind": "table", "caption": "the ears themselves, on held-out clips", "columns": ["", "answer"],
            "rows": rows}


def content_section(m: Any, title: str) -> dict:
    """What is left of the content: rebuilding error, melody, leak, the way to sound and back."""
    pitch, found, probe = m.pitch, m.inversion, m.probe
    kept = mean_of(m, "excess", "transfers")
    rows = [["chroma over time, transfer with its source minus with rivals", _number(kept)],
            ["spread of the transfers to a class over that of its real clips (0: a class mean)", _number(m.variety)],
            [f"pitch agreement, {len(pitch['picked'])} transfers", _number(mean_of_some(pitch["own"]))],
            ["… with another clip of its class", _number(mean_of_some(pitch["rival"]))],
            ["identity error, held out", _number(m.errors.mean())],
            ["identity error, training clips", _number(m.training_error)],
            ["error of the class's mean image", _number(m.mean_errors.mean())],
            ["linear probe for the class on content codes with the noise of training", _share(probe["noisy"].mean())],
            ["… without noise", _share(probe["clean"].mean())],
            ["… on an untrained encoder's codes with noise", _share(probe["untrained"].mean())],
            ["chance of that probe", _share(m.heard.chance)],
            ["to sound and back by Griffin-Lim, pseudo-inverse (dB)", _number(found["pinv"].mean())],
            ["to sound and back by Griffin-Lim, non-negative (dB)", _number(found["nonnegative"].mean())]]
    return {"title": f"What is left of the content{title}", "text": "",
            "items": [{"kind": "table", "caption": "Held-out clips, noise off", "columns": ["", "value"],
                       "rows": rows}]}


def joining_section(run: Run, m: Any, title: str) -> Any:
    """Joining windows into a track: seams, and sound against the number of columns kept of each window."""
    name, columns = plain(m.pair) or "recordings", sorted(m.tracks[0]["distance"])
    distances = [float(np.mean([track["distance"][k] for track in m.tracks])) for k in columns]
    path = plots.curves(run.figure(f"{name}-columns"), {"to the input": (columns, distances)},
                        "columns kept of each window", "log-spectral distance (dB)")
    rows = [[f"{where}, {method}", _number(mean_of_some([track[what][method] for track in m.tracks]))]
            for what, where in (("seam", "at seams"), ("overlap", "largest over an overlap"))
            for method in m.tracks[0][what]]
    return {"title": f"Joining windows{title}",
            "text": f"{len(m.tracks)} held-out tracks, rebuilt with their own class. The first of them is to be heard, "
                    "joined in every way, and given to another class as a whole.",
            "items": [*joined_items(run, m), {"kind": "figure", "file": run.relative(path), "claims": ["S3", "S4"],
                       "caption": "sound after Griffin-Lim against columns kept of each window (sec. 2.4.2)",
                       "alt": "curve of distance over columns kept"},
                      {"kind": "table", "caption": "frame change over the median elsewhere",
                       "claims": ["S1", "S2-smooth"], "columns": ["where, and way of joining", "ratio"], "rows": rows}]}


def curves_section(run: Run, models: Any, comparisons: Any) -> dict:
    """Training loss of every model, without content decay."""
    series = {}
    for name, m in [(pair or "lord", m) for pair, m in models.items()] + list(comparisons.items()):
        lines = [line for line in m.history if line["stage"] == "joint"]
        series[name] = ([line["step"] for line in lines], [line["losses/total"] for line in lines])
    path = plots.curves(run.figure("training-loss"), series, "updates", "training loss", logarithmic=True)
    return {"title": "Training", "text": "A normal curve falls fast for some epochs, then slowly; a flat one from the "
            "start means that the content code is shut off by its decay.",
            "items": [{"kind": "figure", "file": run.relative(path), "caption": "training loss (with content decay)",
                       "alt": "training loss over updates"}]}


def comparison_section(run: Run, base: Any, comparisons: Any) -> Any:
    """One line per comparison: errors, transfers, leak."""
    rows = []
    for name, m in [("the run's model", base), *comparisons.items()]:
        if m.config.subclasses:
            name += f" (smallest sub-class {smallest_class(m)} windows)"
        rows.append([name, _number(m.training_error), _number(m.errors.mean()), _share(m.heard.rebuilt),
                     _share(m.heard.transferred), _share(m.probe["noisy"].mean()), _number(m.flux),
                     _number(m.distances.mean())])
    heard = phase_items(run, comparisons["phase_cosine_sine"], base.references) if (
        "phase_cosine_sine" in comparisons) else []
    table = {"kind": "table", "rows": rows, "columns": [
        "model", "error, training", "error, held out", "rebuilt heard right", "transfers heard as target",
        "probe on content", "flux ratio", "feature distance"],
        "caption": "identity error is mean absolute, on amplitude; flux and distance compare rebuilt with real clips"}
    return {"title": "Comparisons", "text": "One change at a time from the run's settings.",
            "items": [*heard, *loss_items(run, base, comparisons), table]}


def mean_of_some(values: Any) -> float:
    """Mean without NaN; NaN when nothing is left."""
    values = np.asarray(values, float)
    return float(values[~np.isnan(values)].mean()) if (~np.isnan(values)).any() else float("nan")


def _share(value):
    return f"{value:.1%}"


def _number(value):
    return f"{value:.3g}"
