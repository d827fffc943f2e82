"""What a run's page shows and plays: the paper's tables and Figures 1 to 6 and 8 to 11, redrawn, with sound.

Figure 7 is a diagram of the game, taken from ALI's paper: nothing in it is measured.
"""

from pathlib import Path
from typing import Any

import numpy as np

from common import plots
from papers.symphony2vec import leak, measures, sound, tables
from papers.symphony2vec.config import ABLATED, CONTROL, LATENT_SIZES, REPRESENTATIONS
from papers.symphony2vec.leak import NAMES


def media(trained: Any, measured: Any, results: dict) -> list[dict]:
    """Sections for run.write_results; their figures and sounds are written under the run's directory."""
    sections = [leak.section(trained, measured), examples(trained), classification(trained, measured, results)]
    sections += [components(trained, measured), reconstructions(trained, measured), training_curves(trained)]
    sections += [inference(trained, measured), samples(trained, measured), paths(trained, measured)]
    return [section for section in sections if section["items"]]


def strip(path: Path, pictures: Any, titles: Any, label: str = "dB", limits: Any = None, rows: int = 1) -> Path:
    """Small images side by side with one colour bar."""
    columns = -(-len(pictures) // rows)
    size = (min(14.0, 1.3 * columns + 1.2), 1.7 * rows + 0.4)
    drawing, axes = plots.figure(size=size, rows=rows, columns=columns, squeeze=False)
    if limits is None:
        limits = (min(np.min(p) for p in pictures), max(np.max(p) for p in pictures))
    for place, picture, title in zip(axes.flat, pictures, titles, strict=False):
        shown = place.imshow(picture, origin="lower", aspect="auto", vmin=limits[0], vmax=limits[1], cmap="cividis")
        place.set_title(title, fontsize=8)
    for place in axes.flat:
        place.set_xticks([])
        place.set_yticks([])
        place.grid(False)
    drawing.colorbar(shown, ax=axes, label=label, pad=0.01)
    return plots.save(drawing, path)


def _audio_item(trained, path, caption):
    return {"kind": "audio", "file": trained.run.relative(path), "caption": caption, "alt": caption}


def _figure_item(trained, path, caption, alt, claims=()):
    return {"kind": "figure", "file": trained.run.relative(path), "caption": caption, "alt": alt,
            "claims": list(claims)}  # fmt: skip


def examples(trained: Any) -> Any:
    """Figures 1 to 3: one test clip of every composer in each representation, and its sound."""
    selection, items = trained.selection, []
    test = selection.test
    firsts = [int(test[selection.labels[test] == label][0]) for label in np.unique(selection.labels[test])]
    names = [selection.names[selection.labels[row]] for row in firsts]
    units = {"chroma": "share", "mfcc": "coefficient", "mel": "dB"}
    for number, representation in enumerate(REPRESENTATIONS, 1):
        raw = trained.store.array(representation)
        path = strip(trained.run.figure(f"examples-{representation}"), [raw[row] for row in firsts], names,
                      units[representation])  # fmt: skip
        caption = f"Figure {number}: {NAMES[representation]} of one clip of each composer"
        items.append(_figure_item(trained, path, caption,
                                  f"{len(names)} {NAMES[representation]} images, low bands at the bottom"))  # fmt: skip
    for row, name in zip(firsts, names, strict=True):
        path = sound.write(trained, f"clip-{len(items)}", np.asarray(trained.store.array("mel")[row]))
        items.append(_audio_item(trained, path, f"{name}: the clip's mel-spectrogram turned back into sound"))
    return {"title": "Clips", "text": "Ten seconds each; what the networks are given.", "items": items}


def classification(trained: Any, measured: Any, results: dict) -> Any:
    """Tables 1, 3, 4 (printed again as 5) and 7 with this run's values, and all accuracies as bars."""
    return {"title": "Composer classification", "text": "A dash: this mode's preset does not train the model.",
            "items": [*tables.tables(measured, results), accuracies(trained, measured)]}  # fmt: skip


def accuracies(trained: Any, measured: Any) -> Any:
    """Test accuracies by model and representation, with the baselines."""
    kinds = [kind for kind in ("ff", "cnn", "lstm", "ae", "cae", "vae", "pca")
             if any(f"{kind}-{seen}" in measured.judged for seen in REPRESENTATIONS)]  # fmt: skip
    series = {NAMES[seen]: [_accuracy(measured, f"{kind}-{seen}") for kind in kinds] for seen in REPRESENTATIONS}
    baselines = measured.judged["pca-chroma"].baselines if "pca-chroma" in measured.judged else {}
    level = [(f"{name} alone" if name == "loudness" else f"{name} class", value) for name, value in baselines.items()]
    path = plots.bars(trained.run.figure("accuracies"), [kind.upper() for kind in kinds], series, "percent",
                      level=level)  # fmt: skip
    caption = ("Test accuracy by model and representation, beside the commonest composer or chance and beside a "
               "regression on loudness alone")  # fmt: skip
    return _figure_item(trained, path, caption, "bars of accuracies")


def _accuracy(measured, name):
    return measured.judged[name].accuracy if name in measured.judged else np.nan


def components(trained: Any, measured: Any) -> Any:
    """Figure 4, and the same of chromagram and MFCC, of which the text says that they are similar."""
    items = []
    for seen, claim in (("mel", "C-F4"), ("chroma", "C-F4-chroma"), ("mfcc", "C-F4-mfcc")):
        points, labels, _ = measured.components[seen]
        names = np.array(trained.selection.names)[labels]
        path = plots.scatter(trained.run.figure(f"components-{seen}"), points, names)
        items.append(_figure_item(trained, path, f"{NAMES[seen]}s in two principal components",
                                  "scatter of clips by composer", [claim]))  # fmt: skip
    return {"title": "Two principal components", "text": "Figure 4: all clips, coloured by composer.",
            "items": items}  # fmt: skip


def reconstructions(trained: Any, measured: Any) -> Any:
    """Figures 5 and 6: test clips and what CAE and VAE give back, with sound, beside the mean training clip."""
    items, grid, images = [], _empty_grid(), trained.images["mel"]
    for number, name in ((5, "cae-mel"), (6, "vae-mel")):
        if name in measured.rebuilt:
            kind = name.split("-")[0].upper()
            caption = f"Figure {number}: test clips (above) and their reconstructions by the {kind} (below)"
            rows, test = trained.rows(name)
            originals = [np.asarray(trained.store.array("mel")[row]) for row in test[:4]]
            claims = [f"I-mean-{kind}-mel", f"C-F{number}-low", f"C-F{number}-high"]
            items.append(_rebuilt(trained, measured, name, originals, kind, caption, claims))
            mean = images.decibels(images[rows].mean(axis=0))
            _add(grid, trained, kind, name, (originals[0], measured.rebuilt[name][0], mean))
    return {"title": "Reconstructions", "text": "Decibels below each clip's loudest cell.", "items": items,
            "grid": grid}  # fmt: skip


def inference(trained: Any, measured: Any) -> Any:
    """What ALI's generator makes of what its encoder says of a clip, G(E(x)), with sound, beside the mean crop."""
    items, grid, crop = [], _empty_grid(), trained.images["crop"]
    for name in (*(f"ali-{size}" for size in LATENT_SIZES), *CONTROL, *ABLATED):
        if name in measured.rebuilt:
            which, claim = f"LD = {name.removeprefix('ali-').replace('-', ', ')}", name.removeprefix("ali-")
            rows, test = trained.rows(name)
            originals = list(crop.decibels(crop[test[:4]])[..., 0])
            claims = [f"I-own-{claim}", *([] if name in CONTROL + ABLATED else [f"I-mean-{claim}"])]
            caption = f"{which}: crops of test clips (above) and G(E(x)) (below)"
            items.append(_rebuilt(trained, measured, name, originals, "G(E(x))", caption, claims))
            mean = crop.decibels(crop[rows].mean(axis=0))[..., 0]
            _add(grid, trained, which, name, (originals[0], measured.rebuilt[name][0], mean))
    return {"title": "Inference", "text": "A code that says something of its clip gives that clip back, not another.",
            "items": items, "grid": grid}  # fmt: skip


def _rebuilt(trained, measured, name, originals, title, caption, claims):
    rebuilt = list(measured.rebuilt[name][: len(originals)])
    path = strip(trained.run.figure(f"reconstructions-{name}"), originals + rebuilt,
                 ["original"] * len(originals) + [title] * len(originals), limits=(-80, 0), rows=2)  # fmt: skip
    return _figure_item(trained, path, caption, "two rows of mel-spectrograms", claims)


def _empty_grid():
    return {"rows": [], "columns": ["original", "reconstruction", "mean of the training clips"], "cells": []}


def _add(grid, trained, row, name, versions):
    """A row of sounds: (bands, frames) decibels of the first test clip, its reconstruction, and the mean."""
    files = [sound.write(trained, f"{kind}-{name}", decibels)
             for kind, decibels in zip(("original", "rebuilt", "mean"), versions, strict=True)]  # fmt: skip
    grid["rows"].append(row)
    grid["cells"].append([{"audio": trained.run.relative(path), "caption": caption} for path, caption in zip(
        files, ("the first test clip", f"rebuilt by {row}", "the same for every clip"), strict=True)])  # fmt: skip


# Name of the file, title, unit, curves, level drawn across.
PANELS = (
    ("losses", "Figure 8: losses", "nats",
     {"discriminator": "losses/discriminator", "generator": "losses/generator"}, ("the paper's 0.5", 0.5)),
    ("outputs", "D's outputs", "probability",
     {"data": "metrics/d_real", "generated": "metrics/d_generated", "gate open": "metrics/gate_open"}, None),
    ("gradients", "gradient norms", "norm",
     {"discriminator": "metrics/gradient_discriminator", "generator": "metrics/gradient_generator"}, None),
    ("spread", "spread of generated images over that of the data: 0 is a collapse", "ratio",
     {"spread": "metrics/spread_of_generated"}, ("as the data", 1.0)),
)  # fmt: skip


def training_curves(trained: Any) -> Any:
    """Figure 8 and what watches the game: losses, D's outputs, gradients, gate, spread of the generated images."""
    items = []
    for size in LATENT_SIZES:
        name = f"ali-{size}"
        if not (lines := trained.history.get(name)):
            continue
        steps, before, stage = [], 0, lines[0]["stage"]
        for index, line in enumerate(lines):
            if line["stage"] != stage:
                before, stage = before + lines[index - 1]["step"], line["stage"]
            steps.append(before + line["step"])
        for key, title, unit, series, level in PANELS:
            path = plots.curves(trained.run.figure(f"{name}-{key}"),
                                {label: (steps, [line[m] for line in lines]) for label, m in series.items()},
                                "step", unit, f"ALI-{size}", level=level)  # fmt: skip
            items.append(_figure_item(trained, path, f"ALI-{size}: {title}", f"curves of {title} over training steps",
                                      ["Q11-discriminator"] if key == "losses" else []))  # fmt: skip
    return {"title": "ALI's training", "text": "Means of some steps per point; parts of the data follow one another.",
            "items": items}  # fmt: skip


def samples(trained: Any, measured: Any) -> Any:
    """Figure 9: crops of the data and images from random latents."""
    items, crop = [], trained.images["crop"]
    for size in LATENT_SIZES:
        name = f"ali-{size}"
        if name not in trained.learners:
            continue
        real = crop.decibels(crop[trained.rows(name)[1][:6]])[..., 0]
        made = crop.decibels(measured.generated[name][:6])[..., 0]
        path = strip(trained.run.figure(f"samples-{name}"), [*real, *made],
                      ["data"] * len(real) + ["generated"] * len(made), limits=(-80, 0), rows=2)  # fmt: skip
        caption = (f"Figure 9, LD = {size}: crops of the data (above), images from random latents (below); not a "
                   "reconstruction")  # fmt: skip
        items.append(_figure_item(trained, path, caption, "two rows of 32 x 32 images"))
    if items:
        items.append(deviations(trained, measured))
    return {"title": "Generated crops", "text": "32 bands up to 1730 Hz, three quarters of a second.", "items": items}


def deviations(trained: Any, measured: Any) -> Any:
    """How much each pixel deviates over clips and over images from random latents, one scale for all."""
    sizes = [size for size in LATENT_SIZES if f"ali-{size}" in measured.generated]
    maps = [measured.deviation_of_data]
    maps += [measures.pixel_deviation(measured.generated[f"ali-{size}"]) for size in sizes]
    path = strip(trained.run.figure("deviations"), [one[..., 0] for one in maps],
                 ["data", *(f"LD = {size}" for size in sizes)], "deviation",
                 (0.0, max(one.max() for one in maps)))  # fmt: skip
    claims = [f"Q13-{word}-{size}" for size in sizes if size != 40 for word in ("pixels", "still")]
    caption = ("Deviation of each pixel over clips and over images from random latents, in units of the generator's "
               "range: dark everywhere is a collapse")  # fmt: skip
    return _figure_item(trained, path, caption, "maps of 32 x 32", claims)


def paths(trained: Any, measured: Any) -> Any:
    """Figures 10 and 11: the path from the origin to all ones, and its sound."""
    items, crop = [], trained.images["crop"]
    for number, size in ((10, 256), (11, 128), (None, 40)):
        name = f"ali-{size}"
        if name not in trained.learners:
            continue
        images = crop.decibels(measured.paths[name])[..., 0]
        t = np.linspace(0, 1, len(images))
        path = strip(trained.run.figure(f"path-{name}"), list(images), [f"{x:.2f}" for x in t], rows=2)
        where = f"Figure {number}, " if number else ""
        claims = {256: ["Q13-256"], 128: ["Q14-128", "Q15"]}.get(size, [])
        items.append(_figure_item(trained, path, f"{where}LD = {size}: from the origin (0) to all ones (1), one scale "
                                  "for all panels", "sixteen generated images along a path", claims))  # fmt: skip
        items.append(_audio_item(trained, sound.write(trained, f"path-{name}", np.concatenate(list(images), axis=1)),
                                 f"LD = {size}: the sixteen images one after the other"))  # fmt: skip
    return {"title": "A path through the latent space", "text": "Each panel is drawn by the generator from t times the "
            "vector of ones.", "items": items}  # fmt: skip
