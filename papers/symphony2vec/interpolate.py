"""The path of Figures 10 and 11, or one between two clips of your own, drawn and made audible.

`python -m papers.symphony2vec.interpolate --output path` writes path.png and path.wav: sixteen images that ALI's
generator makes on the way from the origin to the vector of ones. With `--between a.mp3 b.mp3` the way leads from the
code of the first file's first clip to that of the second.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from common import audio, command, process, scripts
from papers.symphony2vec import config as settings, preprocess


@dataclass(frozen=True)
class Options:
    """Options of the tool.

    Attributes:
        model: ali-256, ali-128 or ali-40.
        between: two recordings; without them from the origin to all ones.
        points: images on the way, both ends included.
        output: name of the files to write, without .png and .wav.
        run: a run's directory; without it the newest complete sound run.
        runs: where runs are looked for.
    """

    model: str = "ali-128"
    between: tuple[Path, Path] | None = None
    points: int = 16
    output: Path = Path("path")
    run: Path | None = None
    runs: Path = Path("runs")


def interpolate(options: Any, run: Any, store: Any) -> Any:
    """Decibel images (points, 32, 32) on the way, and their places (points,) in [0, 1].

    Raises TrainingError where the run has no such model, ValueError for another model than ALI or under two points.
    """
    from common import training
    from papers.symphony2vec import data, embeddings, features, latent, train

    model = settings.MODELS.get(options.model)
    if model is None or model.kind != "ali":
        raise ValueError(f"--model {options.model}: choose ali-256, ali-128 or ali-40")
    config = model.settings(run.config)
    if options.points < 2:
        raise ValueError(f"--points {options.points}: a path has two points or more")
    learner = training.load(train.MODELS[options.model], config, store, run.model_directory(options.model), run.seed)
    crop = data.Images(config, store, data.select(config, store, run.seed), "crop")
    z = latent.path(model.latent_size, options.points)
    t = z[:, 0]
    if options.between:
        clips = [_first_clip(path, config) for path in options.between]
        clips = crop.scale(features.crop(np.concatenate(clips)))
        ends = embeddings.ali_codes(learner.networks["encoder"], clips, np.arange(2), config)[:, : z.shape[1]]
        z = (1 - t[:, None]) * ends[0] + t[:, None] * ends[1]
    return crop.decibels(latent.generate(learner, z, config))[..., 0], t


def _first_clip(path, config):
    try:
        return preprocess.recording_features(path, config)["mel"][:1]
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def main() -> Any:
    """The tool; exit code 0, or 2 if nothing could be done."""
    options = command.parse(Options, __doc__)
    with process.one_line_errors(ValueError):
        run, store = scripts.open_tool(settings, options.run, options.runs)
        from papers.symphony2vec import figures, sound

        images, t = interpolate(options, run, store)
        picture = figures.strip(options.output, list(images), [f"{x:.2f}" for x in t], rows=2)
        wave = options.output.with_name(options.output.name + ".wav")
        audio.write(wave, sound.from_decibels(run.config, np.concatenate(list(images), axis=1)), run.config.sample_rate)
    print(f"{picture}\n{wave}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
