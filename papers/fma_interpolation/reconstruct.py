"""Reconstruct excerpts of recordings with a trained autoencoder, or generate new ones from the prior.

`python -m papers.fma_interpolation.reconstruct song.mp3` writes, for five seconds of each recording, the sound of its
image (what storage and inversion alone do to it) and the sound of its reconstruction. `--generate 4` writes excerpts
that no recording stands behind.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro

from common import audio, command, process, scripts
from common.record import Run
from common.store import Store, safe_name
from papers.fma_interpolation import config as settings, interpolate, measures, preprocess


@dataclass(frozen=True)
class Options:
    """Options of the tool.

    Attributes:
        files: recordings, whatever libsndfile opens.
        generate: number of excerpts to generate from the prior, beside the files.
        at: where in the recordings the five seconds begin, in seconds.
        model: baseline, conv2d, inception or conv1d.
        run: a run's directory; without it the newest complete sound run.
        runs: where runs are looked for.
        output: folder for the WAVs and pictures.
    """

    files: tyro.conf.Positional[tuple[Path, ...]] = ()
    generate: int = 0
    at: float = 10.0
    model: str = "baseline"
    run: Path | None = None
    runs: Path = Path("runs")
    output: Path = Path("reconstruction")


def reconstruct(options: Any, run: Run, store: Store) -> Any:
    """Write sounds and pictures into options.output; returns one line for each file that could not be used."""
    from papers.fma_interpolation import figures, inference, sound

    config, problems = run.config, []
    learner, loss = interpolate.load_autoencoder(run, store, options.model)
    options.output.mkdir(parents=True, exist_ok=True)

    def write(name, image):
        audio.write(options.output / f"{name}.wav", preprocess.image_to_audio(image, config), config.sample_rate)
        figures.picture(options.output / f"{name}.png", image)

    for number, path in enumerate(options.files):
        try:
            image = sound.excerpt(path, config, options.at)
        except audio.AudioError as error:
            problems.append(str(error))
            continue
        again = inference.decode(learner, inference.encode(learner, image[None]), loss)
        name = safe_name(f"{number:02d}-{path.stem}")
        write(f"{name}-original", image)
        write(f"{name}-reconstruction", again[0])
        print(f"{path}: {measures.decibel_error(image[None], again)[0]:.1f} dB from the original, structural "
              f"similarity {measures.similarity(image[None], again)[0]:.2f}")
    if options.generate:
        latent = learner.networks["decoder"].input_shape[-1]
        codes = np.random.default_rng(run.seed).standard_normal((options.generate, latent), np.float32)
        for number, image in enumerate(inference.decode(learner, codes, loss)):
            write(f"generated-{number:02d}", image)
        print(f"{options.generate} excerpts generated from the prior")
    return problems


def main() -> Any:
    """The tool; exit code 0, 1 if a file could not be used, 2 if nothing could be done."""
    options = command.parse(Options, __doc__)
    with process.one_line_errors():
        if not options.files and not options.generate:
            raise FileNotFoundError("nothing to do; name recordings, or --generate a number of excerpts")
        scripts.existing(options.files)
        run, store = scripts.open_tool(settings, options.run, options.runs)
        problems = reconstruct(options, run, store)
    return scripts.told(problems, len(options.files) + options.generate)


if __name__ == "__main__":
    sys.exit(main())
