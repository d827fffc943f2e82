"""Latent codes of any MIDI file: one row per two or sixteen bars that fit, as CSV or .npy.

`python -m papers.musae.embed song.mid --model 16bar-flower > codes.csv`. The columns are file, clip, seconds (where it
begins in the file) and z0, z1, ..., the mean of the latent Gaussian; with `--output codes.npy` an array
(clips, latent).
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import tyro

from common import embedding
from papers.musae import config as settings, tool
from papers.musae.data import STEPS_PER_BAR

READS, MODEL = "scores", "2bar-gaussian"


@dataclass(frozen=True)
class Options:
    """Options of the tool.

    Attributes:
        files: MIDI files in 4/4 with drums, bass, guitar or piano, and another instrument.
        model: whose code: of two bars, or of sixteen under either prior.
        run: a run's directory; without it the newest complete sound run.
        runs: where runs are looked for.
        output: .csv or .npy file to write; without it CSV to standard output.
    """

    files: tyro.conf.Positional[tuple[Path, ...]]
    model: Literal["2bar-gaussian", "16bar-gaussian", "16bar-flower"] = "2bar-gaussian"
    run: Path | None = None
    runs: Path = Path("runs")
    output: Path | None = None


def encoder(options: Options) -> Callable:
    """A function from a MIDI file's path to [(seconds, code)]. Raises ValueError for a model that the run has not."""
    run, store = tool.open_run(options.run, options.runs)
    if options.model not in run.config.models:
        raise ValueError(f"--model {options.model}: {run.directory} has {', '.join(run.config.models)}")
    return partial(codes, tool.learner(run, store, options.model), run.config, int(options.model.split("bar")[0]))


def codes(learner: Any, config: settings.Config, bars: int, path: Path) -> list[tuple]:
    """[(seconds, mean (latent,))] of the windows of `bars` bars, one after the other, in which all four tracks play.

    What does not fit is said on stderr; raises MidiError where nothing does.
    """
    from papers.musae import inference, rewrite

    song = tool.read(path, config, bars)
    tool.report(song)
    windows, numbers = song.windows()
    seconds = rewrite.step_times(path, config, len(song.tokens))[:: bars * STEPS_PER_BAR].tolist()
    return [(seconds[number], code) for number, code in zip(numbers, inference.encode(learner, windows), strict=True)]


def main(arguments: list[str] | None = None) -> int:
    """The tool; exit code 0, 1 if a file could not be used, 2 if nothing could be done."""
    return embedding.tool(Options, __doc__, encoder, arguments)


if __name__ == "__main__":
    sys.exit(main())
