"""Genre of any recording by a trained network, as CSV: one row per recording, mean over its five-second images.

`python -m papers.fma_interpolation.classify song.mp3 other.ogg`; columns: file, images, genre, a share per genre.
"""

import csv
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro

from common import audio, cells, command, process, scripts
from common.record import Run
from common.store import Store
from papers.fma_interpolation import config as settings, preprocess


@dataclass(frozen=True)
class Options:
    """Options of the tool.

    Attributes:
        files: recordings, whatever libsndfile opens.
        model: cnn_1, cnn_2 or rnn.
        run: a run's directory; without it the newest complete sound run.
        runs: where runs are looked for.
    """

    files: tyro.conf.Positional[tuple[Path, ...]]
    model: str = "cnn_2"
    run: Path | None = None
    runs: Path = Path("runs")


def classify(options: Any, run: Run, store: Store, output: Any) -> Any:
    """Write the CSV; returns one line for each file that could not be used.

    Raises FileNotFoundError for a model that does not exist or was not trained.
    """
    from common import training
    from papers.fma_interpolation import inference, train

    if options.model not in train.CLASSIFIERS:
        raise FileNotFoundError(f"--model {options.model}: choose one of {', '.join(train.CLASSIFIERS)}")
    directory = run.model_directory(options.model)
    if not training.outcome(directory):
        raise FileNotFoundError(f"{directory}: not trained in this run; choose another --model or --run")
    learner = training.load(train.MODELS[options.model], run.config, store, directory, run.seed)
    config = run.config
    genres = sorted({row["label"] for row in store.index})
    writer, problems = csv.writer(output), []
    writer.writerow(cells.row(["file", "images", "genre", *genres]))
    for path in options.files:
        try:
            whole, _ = preprocess.normalised_spectrogram(preprocess.load_clip(path, config), config)
        except audio.AudioError as error:
            problems.append(str(error))
            continue
        except ValueError as error:
            problems.append(f"{path}: {error}")
            continue
        images = preprocess.cut(whole, config.frames)
        if not len(images):
            problems.append(f"{path}: {whole.shape[1]} frames long, an image takes {config.frames}")
            continue
        shares = inference.probabilities(learner, images)
        mean = shares.mean(axis=0)
        writer.writerow(cells.row([path, len(images), genres[mean.argmax()], *(f"{v:.4f}" for v in mean)]))
    return problems


def main() -> int:
    """The tool; exit code 0, 1 if a file could not be used, 2 if nothing could be done."""
    options = command.parse(Options, __doc__)
    with process.one_line_errors():
        if not options.files:
            raise FileNotFoundError("no recording named; give one or more files")
        scripts.existing(options.files)
        run, store = scripts.open_tool(settings, options.run, options.runs)
        problems = classify(options, run, store, sys.stdout)
    return scripts.told(problems, len(options.files))


if __name__ == "__main__":
    sys.exit(main())
