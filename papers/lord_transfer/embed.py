"""Content codes of any recording by a trained model: one row per window, as CSV or .npy.

`python -m papers.lord_transfer.embed song.mp3 > codes.csv`. The columns are file, clip, seconds (where it begins) and
z0, z1, ..., what the content encoder keeps (sec. 2.1.1.1), which should say nothing of the class; noise is off. With
`--output codes.npy` an array (clips, content_dim).
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tyro

from common import audio, embedding, scripts
from papers.lord_transfer import config as settings, joining, preprocess

READS, MODEL = "recordings", "lord"


@dataclass(frozen=True)
class Options:
    """Options of the tool.

    Attributes:
        files: recordings, whatever libsndfile opens.
        pair: of a genre run, the pair whose model embeds, such as Rock-Folk; without it the run's first.
        run: a run's directory; without it the newest complete sound run.
        runs: where runs are looked for.
        output: .csv or .npy file to write; without it CSV to standard output.
    """

    files: tyro.conf.Positional[tuple[Path, ...]]
    pair: str = ""
    run: Path | None = None
    runs: Path = Path("runs")
    output: Path | None = None


def encoder(options: Options) -> Callable:
    """A function from a recording's path to [(seconds, code)].

    Raises ValueError for a pair that the run has not, and for a model that also reads phases.
    """
    run, store = scripts.open_tool(settings, options.run, options.runs)
    known = settings.pairs(run.config)
    pair = options.pair or known[0]
    if pair not in known:
        has = ", ".join(filter(None, known)) or "instruments, no pair"
        raise ValueError(f"--pair {pair}: {run.directory} has {has}")
    if run.config.phase != "none":
        raise ValueError(f"{run.directory}: its model reads phases too; choose a --run without")
    from common import training
    from papers.lord_transfer import train

    name = train.job_name("lord", pair)
    model, config = train.jobs(run.config)[name]
    learner = training.load(model, config, store, run.model_directory(name))
    return partial(codes, learner.networks["content_encoder"], config)


def codes(network: Any, config: settings.Config, path: Path) -> list[tuple]:
    """[(seconds, code (content_dim,))] of a recording's windows, side by side from its beginning.

    Raises AudioError or ValueError for what is damaged, silent or shorter than one window.
    """
    from papers.lord_transfer import listener

    image, _ = preprocess.spectrogram(audio.load(path, config.sample_rate, allow_short=True), config)
    seconds = config.frames * config.hop / config.sample_rate
    if image.shape[1] < config.frames:
        raise ValueError(f"{image.shape[1]} frames long, a window of {seconds:.2f} s takes {config.frames}")
    windows = joining.cut(image, config.frames, config.frames)[..., None]
    return [(number * seconds, code) for number, code in enumerate(np.asarray(listener.in_batches(network, windows)))]


def main(arguments: list[str] | None = None) -> int:
    """The tool; exit code 0, 1 if a file could not be used, 2 if nothing could be done."""
    return embedding.tool(Options, __doc__, encoder, arguments)


if __name__ == "__main__":
    sys.exit(main())
