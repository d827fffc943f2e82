"""What a run's page shows and plays: a grid of transfers, figures of what was heard, tables, loss curves."""

import re

import numpy as np

from common import audio, plots
from papers.lord_transfer import clusters, sound

PICTURE_HEIGHT = 128  # pixels of a spectrogram in the grid


def figures_and_sound(config, run, measured, comparisons, notes):
    """Sections for run.write_results, their figures and sounds written under the run's directory."""
    sections = []
    for pair, m in measured.items():
        title = f" {pair}" if pair else ""
        sections += [transfer_grid(config, run, m, title, notes), heard_section(run, m, title),
                     content_section(m, title)]
        if "stitching" in m:
            sections.append(stitching_section(run, m, title))
    sections.append(curves_section(run, measured, comparisons))
    if comparisons:
        sections.append(comparison_section(run, next(iter(measured.values())), comparisons))
    return sections


def transfer_grid(config, run, m, title, notes):
    """A grid of source clips by target class: hear each, see it, and read what the classifier hears."""
    trained, heard = m["trained"], m["heard"]
    labels, rows, cells = trained.labels, [], []
    for a, label in enumerate(labels):
        for i in np.flatnonzero(trained.test.classes == a)[:config.audio_per_class]:
            name = _plain(f"{m['pair']}-{label}-{i}")
            rows.append(label)
            source = m["images"][i, ..., 0]
            line = [_cell(run, trained.config, source, m["references"][i], f"{name}-source", "the recording's own "
                          "spectrogram, sent back to sound: the ceiling")]
            for b, target in enumerate(labels):
                share = heard.probabilities[b, i]
                what = "rebuilt" if a == b else f"to {target}"
                says = f"{what}: heard as {labels[share.argmax()]} ({share.max():.0%}), target {share[b]:.0%}"
                line.append(_cell(run, trained.config, m["transfers"][b][i, ..., 0], m["references"][i],
                                  f"{name}-to-{_plain(target)}", says))
            cells.append(line)
    text = (f"Rows: held-out clips ({notes['split']}), the first of each class, not picked. Columns: their class "
            f"exchanged; on the diagonal they are rebuilt with their own. Perceptual loss: {notes['perceptual']}.")
    return {"title": f"Hear the transfers{title}", "text": text, "items": [],
            "grid": {"rows": rows, "columns": ["source", *labels], "cells": cells}}


def _plain(text):
    return re.sub(r"[^A-Za-z0-9-]+", "_", text).strip("_-")


def _cell(run, config, image, reference, name, caption):
    import matplotlib.pyplot as plt

    samples = sound.to_audio(image, reference, config)
    audio.write(run.audio(name), samples, config.sample_rate)
    picture, times = run.figure(name), max(1, PICTURE_HEIGHT // image.shape[0])
    plt.imsave(picture, np.kron(np.clip(image, 0, 1)[::-1], np.ones((times, times))), cmap="cividis", vmin=0, vmax=1)
    return {"audio": run.relative(run.audio(name)), "image": run.relative(picture), "caption": caption}


def share_matrix(path, matrix, labels, x_label):
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


def heard_section(run, m, title):
    """Who the classifier hears: in real clips, in rebuilt ones, in transfers."""
    heard, name = m["heard"], _plain(m["pair"]) or "instruments"
    labels, items = list(heard.labels), []
    for what, matrix, caption in (
            ("real", heard.real, "real held-out clips: rows are true classes, columns what is heard"),
            ("identity", heard.identity, "the same clips rebuilt with their own class"),
            ("target", heard.target, "transfers: the share of clips of a row's class, given a column's class, that are "
                                     "heard as the column's")):
        path = share_matrix(run.figure(f"{name}-heard-{what}"), matrix, labels, "heard as" if what != "target" else
                            "given the class, share heard as it")
        items.append({"kind": "figure", "file": run.relative(path), "caption": caption,
                      "alt": f"matrix of shares, {what}", "claims": ["I-target", "I-identity"] if not m["pair"] else [
                          f"G1-transfer-{m['pair'].lower()}", f"G1-identity-{m['pair'].lower()}"]})
    rows = [["classifier on real clips", _share(heard.accuracy)], ["rebuilt, heard as their class",
                                                                   _share(heard.rebuilt)],
            ["transferred, heard as the target", _share(heard.transferred)],
            ["not transferred, heard as the target", _share(heard.untransferred)],
            ["rebuilt, heard as the target", _share(heard.false_identity)], ["chance", _share(heard.chance)]]
    items.append({"kind": "table", "caption": f"{heard.clips} held-out clips, each to every class",
                  "columns": ["", "share"], "rows": rows})
    return {"title": f"What the classifier hears{title}", "text":
            "The classifier was trained on recordings that neither the model nor this evaluation uses.", "items": items}


def content_section(m, title):
    """What is left of the content: rebuilding error, melody, leak, the way to sound and back."""
    melody, errors, found = m["melody"], m["errors"], m["inversion"]
    rows = [["chroma agreement, transfer with its source", _number(melody["chroma"])],
            ["… rebuilt with its source", _number(melody["chroma_identity"])],
            ["… transfer with another source", _number(melody["chroma_shuffled"])],
            ["share of the source's class with which a transfer agrees less than with its source (0.5: none)",
             _number(melody["ahead"])],
            ["spread of the transfers to a class over that of its real clips (0: a class mean)", _number(m["variety"])],
            [f"pitch agreement, {melody['pitch_clips']} transfers", _number(melody["pitch"])],
            ["… with another source", _number(melody["pitch_shuffled"])],
            ["identity error, held out", _number(errors["held_out"])],
            ["identity error, training clips", _number(errors["training"])],
            ["error of the class's mean image", _number(errors["class_mean"])],
            ["linear probe for the class on content codes", _share(m["leak"][0])],
            ["chance of that probe", _share(m["leak"][1])],
            ["to sound and back, pseudo-inverse (dB)", _number(found["pinv"])],
            ["to sound and back, non-negative (dB)", _number(found["nonnegative"])]]
    return {"title": f"What is left of the content{title}", "text": "",
            "items": [{"kind": "table", "caption": "Held-out clips, noise off", "columns": ["", "value"],
                       "rows": rows}]}


def stitching_section(run, m, title):
    """Joining windows into a track: seams, and sound against the number of columns kept of each window."""
    s = m["stitching"]
    name = _plain(m["pair"]) or "recordings"
    columns = sorted(s["distance"])
    path = plots.curves(run.figure(f"{name}-columns"), {"to the input": (columns, [s["distance"][k] for k in columns])},
                        "columns kept of each window", "log-spectral distance (dB)")
    rows = [[method, _number(ratio)] for method, ratio in s["seam"].items()]
    return {"title": f"Joining windows{title}", "text": f"{s['tracks']} held-out tracks, rebuilt with their own class.",
            "items": [{"kind": "figure", "file": run.relative(path), "claims": ["S3", "S4"],
                       "caption": "sound after Griffin-Lim against columns kept of each window (sec. 2.4.2)",
                       "alt": "curve of distance over columns kept"},
                      {"kind": "table", "caption": "change at seams over the median elsewhere", "claims": ["S1"],
                       "columns": ["method", "ratio"], "rows": rows}]}


def curves_section(run, measured, comparisons):
    """Training loss of every model, without content decay."""
    series = {}
    for name, m in [(pair or "lord", m) for pair, m in measured.items()] + list(comparisons.items()):
        lines = [line for line in m["history"] if line["stage"] == "joint"]
        series[name] = ([line["step"] for line in lines], [line["losses/total"] for line in lines])
    path = plots.curves(run.figure("training-loss"), series, "updates", "training loss", logarithmic=True)
    return {"title": "Training", "text": "A normal curve falls fast for some epochs, then slowly; a flat one from the "
            "start means that the content code is shut off by its decay.",
            "items": [{"kind": "figure", "file": run.relative(path), "caption": "training loss (with content decay)",
                       "alt": "training loss over updates"}]}


def phase_items(run, m, references):
    """A rebuilt clip heard with the phase that the network made and with that of Griffin-Lim (sec. 2.2)."""
    config, items = m["trained"].config, []
    image = m["transfers"][m["trained"].test.classes[0]][0]
    for name, samples in (("generated", sound.phase_to_audio(image, references[0], config)),
                          ("griffin-lim", sound.to_audio(image[..., 0], references[0], config))):
        audio.write(run.audio(f"phase-{name}"), samples, config.sample_rate)
        items.append({"kind": "audio", "file": run.relative(run.audio(f"phase-{name}")), "claims": ["P2"],
                      "caption": f"cosine and sine channels, the first held-out clip rebuilt: phase {name}"})
    return items


def comparison_section(run, base, comparisons):
    """One line per comparison: errors, transfers, leak."""
    rows = []
    for name, m in [("the run's model", base), *comparisons.items()]:
        if m["trained"].config.subclasses:
            name += f" (smallest sub-class {clusters.sizes(m['trained'].trained_on)[-1]} windows)"
        rows.append([name, _number(m["errors"]["training"]), _number(m["errors"]["held_out"]),
                     _share(m["heard"].rebuilt), _share(m["heard"].transferred), _share(m["leak"][0]),
                     _number(m["flux"]), _number(m["distance"])])
    heard = phase_items(run, comparisons["phase_cosine_sine"], base["references"]) if (
        "phase_cosine_sine" in comparisons) else []
    table = {"kind": "table", "rows": rows, "columns": [
        "model", "error, training", "error, held out", "rebuilt heard right", "transfers heard as target",
        "probe on content", "flux ratio", "feature distance"],
        "caption": "identity error is mean absolute, on amplitude; flux and distance compare rebuilt with real clips"}
    return {"title": "Comparisons", "text": "One change at a time from the run's settings.", "items": [*heard, table]}


def _share(value):
    return f"{value:.1%}"


def _number(value):
    return f"{value:.3g}"
