"""What a run's page shows and plays: the paper's tables and Figures 1 to 6 and 8 to 11, redrawn, with sound."""

import numpy as np

from common import audio, plots
from common.inversion import db_to_power, mel_to_audio
from papers.symphony2vec import facts, latent, measures, train
from papers.symphony2vec.features import REPRESENTATIONS

NAMES = {"chroma": "chromagram", "mfcc": "MFCC", "mel": "mel-spectrogram"}
ITERATIONS = 32  # of Griffin-Lim: enough to hear what is there


def media(found, results):
    """Sections for run.write_results; their figures and sounds are written under the run's directory."""
    sections = [examples(found), tables(found, results), components(found), reconstructions(found)]
    sections += [training_curves(found), samples(found), paths(found)]
    return [section for section in sections if section["items"]]


def strip(path, pictures, titles, label="dB", limits=None, rows=1):
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


def sound(config, decibels):
    """Samples of a mel-spectrogram in decibels (bands, frames), peak 0.7; fewer bands than 64 are the lowest ones."""
    whole = np.full((config.mel_bands, decibels.shape[1]), -80.0)
    whole[: len(decibels)] = np.clip(decibels, -80.0, 0.0)
    samples = mel_to_audio(db_to_power(whole), config.sample_rate, config.fft_size, config.hop, 0.0, config.mel_top_hz,
                           iterations=ITERATIONS)  # fmt: skip
    peak = np.abs(samples).max()
    return samples * (0.7 / peak if peak > 0 else 1.0)


def _sound(found, name, decibels):
    path = found.run.audio(name)
    audio.write(path, sound(found.config, decibels), found.config.sample_rate)
    return path


def _audio_item(found, path, caption):
    return {"kind": "audio", "file": found.run.relative(path), "caption": caption, "alt": caption}


def _figure_item(found, path, caption, alt, claims=()):
    return {"kind": "figure", "file": found.run.relative(path), "caption": caption, "alt": alt, "claims": list(claims)}


def examples(found):
    """Figures 1 to 3: one test clip of every composer in each representation, and its sound."""
    selection, items = found.selection, []
    test = selection.test
    firsts = [int(test[selection.labels[test] == label][0]) for label in np.unique(selection.labels[test])]
    names = [selection.names[selection.labels[row]] for row in firsts]
    units = {"chroma": "share", "mfcc": "coefficient", "mel": "dB"}
    for number, representation in enumerate(REPRESENTATIONS, 1):
        raw = found.store.array(representation)
        path = strip(found.run.figure(f"examples-{representation}"), [raw[row] for row in firsts], names,
                      units[representation])  # fmt: skip
        items.append(_figure_item(found, path, f"Figure {number}: {NAMES[representation]} of one clip of each composer",
                                  f"{len(names)} {NAMES[representation]} images, low bands at the bottom"))  # fmt: skip
    for row, name in zip(firsts, names, strict=True):
        path = _sound(found, f"clip-{len(items)}", np.asarray(found.store.array("mel")[row]))
        items.append(_audio_item(found, path, f"{name}: the clip's mel-spectrogram turned back into sound"))
    return {"title": "Clips", "text": "Ten seconds each; what the networks are given.", "items": items}


def tables(found, results):
    """Tables 1, 3, 4 (printed again as 5) and 7 with this run's values."""
    def cell(claim):
        entry = results.get(claim, {})
        return f"{entry['value']:.2f}" if "value" in entry else "–"

    letters, items = dict(zip("cms", REPRESENTATIONS, strict=True)), []
    share = [[f"{np.mean(found.selection.labels[rows] == i):.3f}" for i in range(len(found.selection.names))]
             for rows in (found.selection.train, found.selection.test)]  # fmt: skip
    items.append({"kind": "table", "caption": "Table 1: composers' shares", "columns": ["", *found.selection.names],
                  "rows": [["training", *share[0]], ["test", *share[1]]]})  # fmt: skip
    for table, kinds in (("3", ("FF", "CNN", "LSTM")), ("4", ("AE", "CAE", "VAE", "PCA"))):
        rows = [[NAMES[r], *(cell(f"C-T{table}-{kind}-{letter}") for kind in kinds)] for letter, r in letters.items()]
        caption = "Table 3: test accuracy in percent" if table == "3" else "Tables 4 and 5: test accuracy in percent"
        items.append({"kind": "table", "caption": caption, "columns": ["", *kinds], "rows": rows,
                      "claims": [f"C-T{table}-{kind}-{letter}" for kind in kinds for letter in letters]})  # fmt: skip
    sizes = train.LATENT_SIZES
    rows = [[part, *(cell(f"C-T7-{size}-{part}") for size in sizes)] for part in ("train", "test")]
    items.append({"kind": "table", "caption": "Table 7: accuracy from ALI's codes in percent; on the same crop "
                  f"feed-forward {cell('C-FF32')}, encoder as classifier {cell('C-E32')}",
                  "columns": ["", *(f"LD = {size}" for size in sizes)], "rows": rows})  # fmt: skip
    kinds = [kind for kind in ("ff", "cnn", "lstm", "ae", "cae", "vae", "pca")
             if any(f"{kind}-{r}" in found.accuracy for r in REPRESENTATIONS)]  # fmt: skip
    series = {NAMES[r]: [found.accuracy.get(f"{kind}-{r}", np.nan) for kind in kinds] for r in REPRESENTATIONS}
    baselines = found.baselines["pca-chroma"] if "pca-chroma" in found.baselines else {}
    level = [(f"{name} alone" if name == "loudness" else f"{name} class", value) for name, value in baselines.items()]
    path = plots.bars(found.run.figure("accuracies"), [kind.upper() for kind in kinds], series, "percent", level=level)
    items.append(_figure_item(found, path, "Test accuracy by model and representation, beside naming the commonest "
                              "composer and beside a regression on loudness alone", "bars of accuracies"))  # fmt: skip
    return {"title": "Composer classification", "text": "A dash: this mode's preset does not train the model.",
            "items": items}  # fmt: skip


def components(found):
    """Figure 4: mel-spectrograms in two principal components."""
    points, labels = facts.components(found)
    names = np.array(found.selection.names)[labels]
    path = plots.scatter(found.run.figure("components"), points, names)
    return {"title": "Two principal components", "text": "Figure 4: all clips, coloured by composer.",
            "items": [_figure_item(found, path, "mel-spectrograms in two principal components",
                                   "scatter of clips by composer", ["C-F4"])]}  # fmt: skip


def reconstructions(found):
    """Figures 5 and 6: test clips and what CAE and VAE give back, with sound."""
    items, mel = [], found.images["mel"]
    for number, name in ((5, "cae-mel"), (6, "vae-mel")):
        if name not in found.learners:
            continue
        rows = found.set_of(name)[1][:4]
        original = [np.asarray(found.store.array("mel")[row]) for row in rows]
        rebuilt = list(mel.decibels(facts.reconstruct(found, name, rows)))
        kind = name.split("-")[0].upper()
        path = strip(found.run.figure(f"reconstructions-{name}"), original + rebuilt,
                      ["original"] * len(rows) + [kind] * len(rows), limits=(-80, 0), rows=2)  # fmt: skip
        items.append(_figure_item(found, path, f"Figure {number}: test clips (above) and their reconstructions by the "
                                  f"{kind} (below)", "two rows of mel-spectrograms"))  # fmt: skip
        items.append(_audio_item(found, _sound(found, f"original-{name}", original[0]), "the first original"))
        items.append(_audio_item(found, _sound(found, f"rebuilt-{name}", rebuilt[0]), f"the same through the {kind}"))
    return {"title": "Reconstructions", "text": "Decibels below each clip's loudest cell.", "items": items}


def training_curves(found):
    """Figure 8 and what watches the game: losses, D's outputs, gradients, gate, spread of the generated images."""
    items = []
    panels = (("losses", "Figure 8: losses", "nats", {"discriminator": "losses/discriminator",
                                                      "generator": "losses/generator"}, ("the paper's 0.5", 0.5)),
              ("outputs", "D's outputs", "probability", {"data": "metrics/d_real", "generated": "metrics/d_generated",
                                                         "gate open": "metrics/gate_open"}, None),
              ("gradients", "gradient norms", "norm", {"discriminator": "metrics/gradient_discriminator",
                                                       "generator": "metrics/gradient_generator"}, None),
              ("spread", "spread of generated images over that of the data: 0 is a collapse", "ratio",
               {"spread": "metrics/spread_of_generated"}, ("as the data", 1.0)))  # fmt: skip
    for size in train.LATENT_SIZES:
        name = f"ali-{size}"
        if not (lines := found.history.get(name)):
            continue
        steps, before, stage = [], 0, lines[0]["stage"]
        for index, line in enumerate(lines):
            if line["stage"] != stage:
                before, stage = before + lines[index - 1]["step"], line["stage"]
            steps.append(before + line["step"])
        for key, title, unit, series, level in panels:
            path = plots.curves(found.run.figure(f"{name}-{key}"),
                                {label: (steps, [line[m] for line in lines]) for label, m in series.items()},
                                "step", unit, f"ALI-{size}", level=level)  # fmt: skip
            items.append(_figure_item(found, path, f"ALI-{size}: {title}", f"curves of {title} over training steps",
                                      ["Q11-discriminator"] if key == "losses" else []))  # fmt: skip
    return {"title": "ALI's training", "text": "Means of some steps per point; parts of the data follow one another.",
            "items": items}  # fmt: skip


def samples(found):
    """Figure 9: crops of the data and images from random latents."""
    items, crop = [], found.images["crop"]
    for size in train.LATENT_SIZES:
        name = f"ali-{size}"
        if name not in found.learners:
            continue
        real = crop.decibels(crop[found.set_of(name)[1][:6]])[..., 0]
        made = crop.decibels(measures.generated(found, name)[:6])[..., 0]
        path = strip(found.run.figure(f"samples-{name}"), [*real, *made],
                      ["data"] * len(real) + ["generated"] * len(made), limits=(-80, 0), rows=2)  # fmt: skip
        items.append(_figure_item(found, path, f"Figure 9, LD = {size}: crops of the data (above), images from random "
                                  "latents (below); not a reconstruction", "two rows of 32 x 32 images"))  # fmt: skip
    return {"title": "Generated crops", "text": "32 bands up to 1730 Hz, three quarters of a second.", "items": items}


def paths(found):
    """Figures 10 and 11: the path from the origin to all ones, and its sound."""
    items, crop = [], found.images["crop"]
    for number, size in ((10, 256), (11, 128), (None, 40)):
        name = f"ali-{size}"
        if name not in found.learners:
            continue
        images = crop.decibels(latent.generate(found.learners[name], latent.path(size), found.config))[..., 0]
        t = np.linspace(0, 1, len(images))
        path = strip(found.run.figure(f"path-{name}"), list(images), [f"{x:.2f}" for x in t], rows=2)
        where = f"Figure {number}, " if number else ""
        claims = {256: ["Q13-256"], 128: ["Q14-128", "Q15"]}.get(size, [])
        items.append(_figure_item(found, path, f"{where}LD = {size}: from the origin (0) to all ones (1), one scale "
                                  "for all panels", "sixteen generated images along a path", claims))  # fmt: skip
        items.append(_audio_item(found, _sound(found, f"path-{name}", np.concatenate(list(images), axis=1)),
                                 f"LD = {size}: the sixteen images one after the other"))  # fmt: skip
    return {"title": "A path through the latent space", "text": "Each panel is drawn by the generator from t times the "
            "vector of ones.", "items": items}  # fmt: skip
