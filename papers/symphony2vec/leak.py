"""What clips of one work on both sides of the split are worth: the page's first table and picture."""

from pathlib import Path
from typing import Any

import numpy as np

from common import intervals, plots
from papers.symphony2vec.config import MODELS, TABLES
from papers.symphony2vec.findings_data import ROWS, worth_of_shared_works

NAMES = {"chroma": "chromagram", "mfcc": "MFCC", "mel": "mel-spectrogram", "crop": "crop"}
KINDS = {"ff": "feed-forward", "cnn": "CNN", "lstm": "LSTM", "ae": "AE", "cae": "CAE", "vae": "VAE", "pca": "PCA",
         "encoder": "ALI's encoder, classifier", "ali": "ALI"}  # fmt: skip
SIDES = {"whole works": "", "any clips": "-clips", "whole works, dealt": "-dealt", "any clips, dealt": "-clips-dealt"}
COLUMNS = ["", *SIDES, "any clips minus whole works", "95 % interval over works",
           "commonest composer or chance", "loudness alone", "loudness alone, any clips"]  # fmt: skip


def title(name: str) -> str:
    """A row's name in the table and the picture."""
    model = MODELS[name]
    return f"ALI-{model.latent_size}" if model.kind == "ali" else f"{KINDS[model.kind]}, {NAMES[model.representation]}"


def rows(measured: Any) -> list[str]:
    """The rows of the paper's tables that were judged under both splits."""
    return [name for name in TABLES if name in measured.judged and f"{name}-clips" in measured.judged]


def accuracies(measured: Any, names: list[str]) -> dict[str, list]:
    """{side: accuracy of each row in percent}, NaN where there is none."""
    judged = measured.judged
    return {side: [judged[name + word].accuracy if name + word in judged else np.nan for name in names]
            for side, word in SIDES.items()}  # fmt: skip


def _cell(value):
    return "–" if np.isnan(value) else f"{value:.1f}"


def table(measured: Any, names: list[str]) -> dict:
    """Both splits, both with composers dealt at random to whole works, and the baselines of whole works; percent."""
    values, found = accuracies(measured, names), []
    for place, name in enumerate(names):
        entry = worth_of_shared_works(measured, name)
        low, high = intervals.of_groups([entry["groups"]])
        cells = [_cell(values[side][place]) for side in SIDES] + [_cell(entry["value"])]
        cells.append("–" if low is None else f"{low:.1f} to {high:.1f}")
        cells += [_cell(measured.judged[name].baselines[key]) for key in ("majority", "loudness")]
        cells.append(_cell(measured.judged[f"{name}-clips"].baselines["loudness"]))
        found.append([title(name), *cells])
    caption = ("Tables 3, 4 and 7 under both splits, as many clips on either side: test accuracy in percent; commonest "
               "composer or chance and, where nothing else is said, loudness alone are of whole works")  # fmt: skip
    return {"kind": "table", "caption": caption, "columns": COLUMNS, "rows": found}


def shares(measured: Any) -> dict:
    """Table 1 under both splits: composers' shares of the training and the test set."""
    sets = {"training, whole works": measured.train, "training, any clips": measured.clips_split[0],
            "test, whole works": measured.test, "test, any clips": measured.clips_split[1]}  # fmt: skip
    found = [[word, *(f"{np.mean(measured.labels[of] == label):.3f}" for label in range(len(measured.names)))]
             for word, of in sets.items()]  # fmt: skip
    return {"kind": "table", "caption": "Table 1 under both splits: composers' shares",
            "columns": ["set", *measured.names], "rows": found, "claims": ["L-T1-train", "L-T1-test"]}  # fmt: skip


def picture(path: Path, measured: Any, names: list[str]) -> Path:
    """One line a row: dots for whole works and any clips, joined; rings for the same with composers dealt."""
    values, places = accuracies(measured, names), np.arange(len(names))[::-1]
    drawing, axes = plots.figure(size=(7.6, 0.27 * len(names) + 1.3))
    axes.hlines(places, values["whole works"], values["any clips"], color=plots.QUIET, linewidth=1.5, zorder=1)
    for (side, found), color in zip(values.items(), 2 * plots.PALETTE[:2], strict=True):
        filled = color if "dealt" not in side else "none"
        axes.scatter(found, places, s=34, facecolors=filled, edgecolors=color, linewidths=1.4, label=side, zorder=2)
    for key, label, dashes in (("majority", "commonest composer or chance", (2, 2)),
                               ("loudness", "loudness alone", (5, 2))):  # fmt: skip
        level = float(np.mean([measured.judged[name].baselines[key] for name in names]))
        axes.axvline(level, color=plots.QUIET, linewidth=1, linestyle=(0, dashes), label=label)
    axes.set(xlabel="test accuracy, percent", yticks=places, yticklabels=[title(name) for name in names],
             ylim=(-0.6, len(names) - 0.4))  # fmt: skip
    axes.grid(axis="y", visible=False)
    drawing.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    return plots.save(drawing, path)


def section(trained: Any, measured: Any) -> dict:
    """The page's first section; empty where the split is by clips already."""
    made: dict = {"title": "Works on both sides", "text": "", "items": []}
    names = rows(measured)
    if measured.clips_split is None or not names:
        return made
    path = picture(trained.run.figure("leak"), measured, names)
    caption = ("Test accuracy with whole works on either side and with any clips, as many of them; rings: the same "
               "with composers dealt at random to whole works, so that only the work can be recognised; upright "
               "lines: baselines of whole works")  # fmt: skip
    claims = [f"L-{word}{ROWS[name]}" for word in ("", "dealt-clips-", "dealt-works-") for name in names]
    made["items"] = [{"kind": "figure", "file": trained.run.relative(path), "caption": caption,
                      "alt": "dots of accuracies by model and split", "claims": claims},
                     table(measured, names), shares(measured)]  # fmt: skip
    return made | {"text": "The paper's split is by clips: a model can recognise the recording, not the composer."}
