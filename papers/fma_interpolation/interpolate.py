"""Interpolate between two recordings: pictures and sound from A to B (sec. Latent Space Interpolation).

`python -m papers.fma_interpolation.interpolate a.mp3 b.mp3 --steps 5` writes a WAV and a picture of every point.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from tqdm import tqdm

from common import audio, command, process, scripts
from common.progress import progress
from common.record import Run
from common.store import Store
from papers.fma_interpolation import config as settings, measures, preprocess


@dataclass(frozen=True)
class Options:
    """Options of the tool.

    Attributes:
        files: the two recordings, whatever libsndfile opens.
        steps: points on the path, the two ends included.
        at: where in the recordings the five seconds begin, in seconds.
        sample: blend codes drawn from the two posteriors, as the program did, in place of their means.
        model: baseline, conv2d, inception or conv1d.
        run: a run's directory; without it the newest complete sound run.
        runs: where runs are looked for.
        output: folder for the WAVs and pictures.
    """

    files: tyro.conf.Positional[tuple[Path, ...]]
    steps: int = 5
    sample: bool = False
    at: float = 10.0
    model: str = "baseline"
    run: Path | None = None
    runs: Path = Path("runs")
    output: Path = Path("interpolation")


def load_autoencoder(run: Run, store: Store, name: str) -> Any:
    """The trained autoencoder of a run and its loss. Raises FileNotFoundError for a name or model that is not there."""
    from common import training
    from papers.fma_interpolation import train

    if name not in train.AUTOENCODERS:
        raise FileNotFoundError(f"--model {name}: choose one of {', '.join(train.AUTOENCODERS)}")
    directory = run.model_directory(f"autoencoder-{name}")
    if not training.outcome(directory):
        raise FileNotFoundError(f"{directory}: not trained in this run; choose another --model or --run")
    learner = training.load(train.MODELS[f"autoencoder-{name}"], run.config, store, directory, run.seed)
    return learner, train.loss_of(name, run.config)


def interpolate(options: Any, run: Run, store: Store) -> Any:
    """Write the path's sounds and pictures into options.output and print how near each is to its ends."""
    from papers.fma_interpolation import figures, inference, sound

    config = run.config
    first, second = (sound.excerpt(path, config, options.at) for path in options.files)
    learner, loss = load_autoencoder(run, store, options.model)
    shares, how = inference.fractions(options.steps), "sample" if options.sample else "mean"
    images = inference.path_images(learner, loss, first[None], second[None], shares, how, run.seed)[0]
    named = [("a", first), *((f"{k + 1:02d}-{share:.2f}a", image) for k, (share, image) in
                             enumerate(zip(shares, images, strict=True))), ("b", second)]
    options.output.mkdir(parents=True, exist_ok=True)
    print(f"{'file':14}{'distance of its sound, in dB, to: the decoded image':>54}{'A':>8}{'B':>8}{'silence':>9}")
    for name, image in progress(named, "sounds", "sound"):
        samples = preprocess.image_to_audio(image, config)
        audio.write(options.output / f"{name}.wav", samples, config.sample_rate)
        figures.picture(options.output / f"{name}.png", image)
        heard = sound.heard_image(samples, image, config)
        row = [measures.decibel_error(heard[None], other[None])[0] for other in
               (image, first, second, np.zeros_like(image))]
        tqdm.write(f"{name:14}{row[0]:54.2f}{row[1]:8.2f}{row[2]:8.2f}{row[3]:9.2f}")
    print(f"{options.output}: {len(named)} sounds and pictures; a and b are the originals through the inversion only")


def main() -> Any:
    """The tool; exit code 2 if it cannot do what it is asked."""
    options = command.parse(Options, __doc__)
    with process.one_line_errors():
        if len(options.files) != 2 or options.steps < 2:
            raise FileNotFoundError("name two recordings and at least two steps: a.mp3 b.mp3 --steps 5")
        scripts.existing(options.files)
        run, store = scripts.open_tool(settings, options.run, options.runs)
        interpolate(options, run, store)


if __name__ == "__main__":
    main()
