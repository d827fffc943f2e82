"""Interpolate between two recordings: pictures and sound from A to B (sec. Latent Space Interpolation).

`python -m papers.fma_interpolation.interpolate a.mp3 b.mp3 --steps 5` writes a WAV and a picture of every point.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from tqdm import tqdm

from common import audio, inversion, record, scripts
from common.config import one_line_errors, quiet_tensorflow
from common.progress import progress
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

    files: tuple[Path, ...]
    steps: int = 5
    sample: bool = False
    at: float = 10.0
    model: str = "baseline"
    run: Path | None = None
    runs: Path = Path("runs")
    output: Path = Path("interpolation")


def fractions(points):
    """Share of A at each point, from 1 (A) to 0 (B); nine points are 1/8 apart."""
    return np.linspace(1.0, 0.0, points)


def blend(code_a, code_b, share):
    """z = fraction * z_A + (1 - fraction) * z_B; codes (pairs, latent), shares (points,): (pairs, points, latent)."""
    share = np.asarray(share, np.float32)[None, :, None]
    return share * code_a[:, None] + (1 - share) * code_b[:, None]


def encode(learner, images, seed=None):
    """Codes (n, latent) of images (n, bands, frames): the means, or with a seed a draw from each posterior."""
    from papers.fma_interpolation import train

    network = train.compiled(learner.networks["encoder"])
    parts = [network(images[i:i + 16, ..., None]) for i in range(0, len(images), 16)]
    mean, log_variance = (np.concatenate([np.asarray(part[k]) for part in parts]) for k in (0, 1))
    if seed is None:
        return mean
    return mean + np.exp(0.5 * log_variance) * np.random.default_rng(seed).standard_normal(mean.shape, np.float32)


def decode(learner, codes, loss):
    """Images (n, bands, frames) in [0, 1] of codes (n, latent); `loss` says what the decoder's output means."""
    from papers.fma_interpolation import train

    network = train.compiled(learner.networks["decoder"])
    outputs = [np.asarray(train.decoded(loss, network(codes[i:i + 16]))) for i in range(0, len(codes), 16)]
    return np.clip(np.concatenate(outputs)[..., 0], 0.0, 1.0)


def picture(path, image):
    """Write an image (bands, frames) as a PNG, low bands at the bottom, nothing around it."""
    from matplotlib.image import imsave

    Path(path).parent.mkdir(parents=True, exist_ok=True)
    imsave(path, np.clip(image, 0, 1), vmin=0, vmax=1, cmap="magma", origin="lower", metadata={"Software": None})
    return path


def excerpt(path, config, at):
    """The image (bands, frames) that begins `at` seconds into a recording, normalised by the whole recording.

    Raises audio.AudioError where the recording is damaged, silent or too short.
    """
    samples = preprocess.load_clip(path, config)
    try:
        whole, _ = preprocess.normalised_spectrogram(samples, config)
    except ValueError as error:
        raise audio.AudioError(f"{path}: {error}") from None
    start = int(at * config.sample_rate / config.hop_length)
    start = max(0, min(start, whole.shape[1] - config.frames))
    if whole.shape[1] < config.frames:
        raise audio.AudioError(f"{path}: {len(samples) / config.sample_rate:.1f} s long, an excerpt takes "
                               f"{config.frames * config.hop_length / config.sample_rate:.0f} s")
    return whole[:, start:start + config.frames]


def load_autoencoder(run, store, name):
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


def interpolate(options, run, store):
    """Write the path's sounds and pictures into options.output and print how near each is to its ends."""
    config = run.config
    first, second = (excerpt(path, config, options.at) for path in options.files)
    learner, loss = load_autoencoder(run, store, options.model)
    codes = encode(learner, np.stack([first, second]), run.seed if options.sample else None)
    shares = fractions(options.steps)
    images = decode(learner, blend(codes[:1], codes[1:], shares)[0], loss)
    named = [("a", first), *((f"{k + 1:02d}-{share:.2f}a", image) for k, (share, image) in
                             enumerate(zip(shares, images, strict=True))), ("b", second)]
    options.output.mkdir(parents=True, exist_ok=True)
    print(f"{'file':14}{'distance of its sound, in dB, to: the decoded image':>54}{'A':>8}{'B':>8}{'silence':>9}")
    for name, image in progress(named, "sounds", "sound"):
        sound = preprocess.image_to_audio(image, config)
        audio.write(options.output / f"{name}.wav", sound, config.sample_rate)
        picture(options.output / f"{name}.png", image)
        heard = heard_image(sound, image, config)
        row = [measures.decibel_error(heard[None], other[None])[0] for other in
               (image, first, second, np.zeros_like(image))]
        tqdm.write(f"{name:14}{row[0]:54.2f}{row[1]:8.2f}{row[2]:8.2f}{row[3]:9.2f}")
    print(f"{options.output}: {len(named)} sounds and pictures; a and b are the originals through the inversion only")


def heard_image(sound, image, config):
    """The image of a sound at the level of `image`: an inverted image says nothing about its own level."""
    power = inversion.mel_power(sound, config.sample_rate, config.n_fft, config.hop_length, config.bands,
                                pad_mode="reflect")[:, :config.frames]
    target = preprocess.image_to_power(image, config.dynamic_range, 1.0)
    gain = target.sum() / max(power.sum(), 1e-12)
    return np.clip(inversion.power_to_db(power * np.float32(gain)) / config.dynamic_range + 1, 0, 1)


def main():
    """The tool; exit code 2 if it cannot do what it is asked."""
    import tyro

    options = tyro.cli(Annotated[Options, tyro.conf.arg(name="")], description=__doc__.split("\n\n")[0],
                       prog="python -m papers.fma_interpolation.interpolate",
                       config=(tyro.conf.PositionalRequiredArgs,))
    with one_line_errors(*scripts.EXPECTED):
        if len(options.files) != 2 or options.steps < 2:
            raise FileNotFoundError("name two recordings and at least two steps: a.mp3 b.mp3 --steps 5")
        scripts.existing(options.files)
        run, store, sentence = record.for_tool(settings, options.run, options.runs)
        print(sentence, file=sys.stderr)
        quiet_tensorflow()
        interpolate(options, run, store)


if __name__ == "__main__":
    main()
