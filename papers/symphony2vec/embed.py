"""Embeddings of any recording by a trained model: one row per 10-second clip, as CSV or .npy.

`python -m papers.symphony2vec.embed symphony.mp3 --model ali-128 > codes.csv`. The columns are file, clip, seconds
(where it begins) and z0, z1, ...; with `--output codes.npy` an array (clips, size), in the order of the files.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tyro

from common import embedding, scripts
from papers.symphony2vec import config as settings, preprocess

READS, MODEL = "recordings", "ali-128"
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

    model = settings.MODELS.get(name) or settings.MODELS.get(f"{name}-mel")
    if model is None or model.kind not in KINDS:
        known = ", ".join(sorted(one.name for one in settings.MODELS.values() if one.kind in KINDS and not one.of))
        raise ValueError(f"--model {name}: choose one of {known}")
    config = model.settings(run.config)
    selection = data.select(config, store, run.seed)
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


def codes(encode: Callable, config: settings.Config, path: Path) -> list[tuple]:
    """[(seconds, code)] of a recording's clips; `encode` as `encoder` gives it. Raises AudioError, ValueError."""
    found = encode(preprocess.recording_features(path, config))
    return [(number * config.clip_seconds, code) for number, code in enumerate(found)]


def opened(options: Options) -> Callable:
    """A function from a recording's path to [(seconds, code)] by the run and the model that the options name."""
    run, store = scripts.open_tool(settings, options.run, options.runs)
    return partial(codes, encoder(options.model, run, store), run.config)


def main(arguments: list[str] | None = None) -> int:
    """The tool; exit code 0, 1 if a file could not be used, 2 if nothing could be done."""
    return embedding.tool(Options, __doc__, opened, arguments)


if __name__ == "__main__":
    sys.exit(main())
