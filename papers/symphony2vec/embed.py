"""Embeddings of any recording by a trained model: one row per 10-second clip, as CSV or .npy.

`python -m papers.symphony2vec.embed symphony.mp3 --model ali-128 > codes.csv`. The columns are file, clip, seconds
(where it begins) and z0, z1, ...; with `--output codes.npy` an array (clips, size), in the order of the files.
"""

import csv
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tyro

from common import audio, cells, command, process, scripts
from papers.symphony2vec import config as settings, preprocess

KINDS = ("ali", "ae", "cae", "vae", "pca")  # that give codes


@dataclass(frozen=True)
class Options:
    """Options of the tool.

    Attributes:
        files: recordings, whatever libsndfile opens.
        model: ali-256, ali-128, ali-40, or ae, cae, vae, pca of a representation: vae-mel, vae-chroma, vae-mfcc, ...;
            without a representation the mel-spectrogram.
        run: a run's directory; without it the newest complete sound run.
        runs: where runs are looked for.
        output: .csv or .npy file to write; without it CSV to standard output.
    """

    files: tyro.conf.Positional[tuple[Path, ...]]
    model: str = "ali-128"
    run: Path | None = None
    runs: Path = Path("runs")
    output: Path | None = None


def encoder(name: str, run: Any, store: Any) -> Any:
    """A function from stored-scale features of clips {representation: (clips, bands, frames)} to codes (clips, size).

    Raises TrainingError where the run has no such model, ValueError for a name that is no embedding.
    """
    from common import training
    from papers.symphony2vec import data, embeddings, train

    config, model = run.config, settings.MODELS.get(name) or settings.MODELS.get(f"{name}-mel")
    if model is None or model.kind not in KINDS:
        known = ", ".join(sorted(one.name for one in settings.MODELS.values() if one.kind in KINDS))
        raise ValueError(f"--model {name}: choose one of {known}")
    selection = data.select(config, store)
    images = data.Images(config, store, selection, model.representation)
    if model.kind == "pca":
        fitted = embeddings.fit_pca(images, selection.train, config, run.seed)
        return partial(_pca_codes, fitted, images)
    learner = training.load(train.MODELS[model.name], config, store, run.model_directory(model.name), run.seed)
    return partial(_codes, model, learner, images, config)


def _scaled(images, found):
    from papers.symphony2vec import features

    if images.representation == "crop":
        return images.scale(features.crop(found["mel"]))
    return images.scale(found[images.representation])


def _pca_codes(fitted, images, found):
    return fitted.transform(_scaled(images, found).reshape(len(found["mel"]), -1))


def _codes(model, learner, images, config, found):
    from papers.symphony2vec import embeddings

    clips = _scaled(images, found)
    if model.kind == "ali":
        return embeddings.ali_codes(learner.networks["encoder"], clips, np.arange(len(clips)), config)
    return embeddings.autoencoder_codes(model.kind, learner, clips, np.arange(len(clips)), config)


def embed(files: Any, encode: Callable, config: Any) -> Any:
    """Codes of files: ([(file, clip, seconds, code)], problems), a line for each file that could not be used."""
    rows, problems = [], []
    for path in files:
        try:
            found = preprocess.recording_features(path, config)
        except audio.AudioError as error:
            problems.append(str(error))
        except ValueError as error:
            problems.append(f"{path}: {error}")
        else:
            rows += [(path, k, k * config.clip_seconds, code) for k, code in enumerate(encode(found))]
    return rows, problems


def write(rows: Any, output: Any) -> None:
    """Write rows to a .npy or .csv file, or as CSV to standard output where `output` is None."""
    if output and output.suffix == ".npy":
        np.save(output, np.array([code for *_, code in rows], np.float32))
        return
    if output and output.suffix != ".csv":
        raise ValueError(f"{output}: end the name in .csv or .npy")
    stream = open(output, "w", newline="", encoding="utf-8") if output else sys.stdout
    try:
        writer = csv.writer(stream)
        writer.writerow(["file", "clip", "seconds", *(f"z{i}" for i in range(len(rows[0][-1]) if rows else 0))])
        for path, clip, seconds, code in rows:
            writer.writerow(cells.row([path, clip, f"{seconds:g}", *(f"{value:.6g}" for value in code)]))
    finally:
        if output:
            stream.close()


def main() -> int:
    """The tool; exit code 0, 1 if a file could not be used, 2 if nothing could be done."""
    options = command.parse(Options, __doc__)
    with process.one_line_errors(ValueError):
        if not options.files:
            raise FileNotFoundError("no recording named; give one or more files")
        run, store = scripts.open_tool(settings, options.run, options.runs)
        rows, problems = embed(options.files, encoder(options.model, run, store), run.config)
        write(rows, options.output)
    return scripts.told(problems, len(options.files))


if __name__ == "__main__":
    sys.exit(main())
