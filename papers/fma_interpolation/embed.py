"""Codes of any recording by a trained autoencoder: one row per image of five seconds, as CSV or .npy.

`python -m papers.fma_interpolation.embed song.mp3 --model baseline > codes.csv`. The columns are file, clip, seconds
(where it begins) and z0, z1, ..., the mean of the latent Gaussian; with `--output codes.npy` an array (clips, latent).
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import tyro

from common import embedding, scripts
from papers.fma_interpolation import config as settings, interpolate, preprocess

READS, MODEL = "recordings", "autoencoder-baseline"


@dataclass(frozen=True)
class Options:
    """Options of the tool.

    Attributes:
        files: recordings, whatever libsndfile opens.
        model: baseline, conv2d, inception or conv1d.
        run: a run's directory; without it the newest complete sound run.
        runs: where runs are looked for.
        output: .csv or .npy file to write; without it CSV to standard output.
    """

    files: tyro.conf.Positional[tuple[Path, ...]]
    model: str = "baseline"
    run: Path | None = None
    runs: Path = Path("runs")
    output: Path | None = None


def encoder(options: Options) -> Callable:
    """A function from a recording's path to [(seconds, code)] by the model that the options name."""
    run, store = scripts.open_tool(settings, options.run, options.runs)
    learner, _ = interpolate.load_autoencoder(run, store, options.model)
    return partial(codes, learner, run.config)


def codes(learner: Any, config: settings.Config, path: Path) -> list[tuple]:
    """[(seconds, mean (latent,))] of a recording's images, side by side from its beginning.

    Raises AudioError or ValueError for what is damaged, silent or shorter than one image.
    """
    from papers.fma_interpolation import inference

    image, _ = preprocess.normalised_spectrogram(preprocess.load_clip(path, config), config)
    images = preprocess.cut(image, config.frames)
    if not len(images):
        raise ValueError(f"{image.shape[1]} frames long, an image takes {config.frames}")
    seconds = config.frames * config.hop_length / config.sample_rate
    return [(number * seconds, code) for number, code in enumerate(inference.encode(learner, images))]


def main(arguments: list[str] | None = None) -> int:
    """The tool; exit code 0, 1 if a file could not be used, 2 if nothing could be done."""
    return embedding.tool(Options, __doc__, encoder, arguments)


if __name__ == "__main__":
    sys.exit(main())
