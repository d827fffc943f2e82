"""Sound for page and tools: excerpts of recordings, tiles that can be heard, and what the inversion alone costs."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from common import audio, inversion
from common.record import Run
from common.store import Store
from common.training import Learner
from papers.fma_interpolation import data, figures, inference, measures, preprocess, train
from papers.fma_interpolation.config import Config

INVERTED = 8  # reconstructions, one a track, that are turned into sound and back for the table of losses


# ---------------------------------------------------------------- recordings and their images

def excerpt(path: Any, config: Any, at: Any) -> Any:
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


def heard_image(sound: np.ndarray, image: np.ndarray, config: Config) -> np.ndarray:
    """The image of a sound at the level of `image`: an inverted image says nothing about its own level."""
    power = _power(sound, config, config.bands)[:, :config.frames]
    target = preprocess.image_to_power(image, config.dynamic_range, 1.0)
    gain = target.sum() / max(power.sum(), 1e-12)
    return np.clip(inversion.power_to_db(power * np.float32(gain)) / config.dynamic_range + 1, 0, 1)


def _power(samples, config, bands):
    return inversion.mel_power(samples, config.sample_rate, config.n_fft, config.hop_length, bands, pad_mode="reflect")


# ---------------------------------------------------------------- the inversion by itself

@dataclass(frozen=True)
class Inversions:
    """What turning images into sound costs.

    Attributes:
        seconds: {bands: that librosa takes for a second of sound}. errors: {bands: (excerpts,) dB of the image in
            config.bands of Encore's inversion}. waveform: (excerpts,) correlation of the samples with those inverted.
        reconstruction, heard, mean_heard: (images,) dB error of the autoencoder's images, of the images of their
            sounds, and of the image of the mean image's sound. artists: (images,).
        librosa: seconds that librosa takes for a second of sound at the report's parameters.
    """

    seconds: dict
    errors: dict
    waveform: np.ndarray
    reconstruction: np.ndarray
    heard: np.ndarray
    mean_heard: np.ndarray
    artists: np.ndarray
    librosa: float


def compare_inversions(config: Config, excerpts: np.ndarray, again: Any, seed: int) -> Inversions:
    """Inversions of excerpts (n, samples), and of some of the baseline's Reconstructions `again`."""
    target = np.stack([preprocess.normalised_spectrogram(samples, config)[0] for samples in excerpts])
    errors, seconds = {}, {}
    stft = (config.sample_rate, config.n_fft, config.hop_length)
    for bands in sorted({config.bands // 4, config.bands // 2, config.bands}):
        sounds = [inversion.mel_to_audio(_power(samples, config, bands), *stft,
                                         iterations=config.inversion_iterations, seed=seed) for samples in excerpts]
        heard = [_at_reference(made, image, samples, config)
                 for made, image, samples in zip(sounds, target, excerpts, strict=True)]
        errors[bands] = measures.decibel_error(target, np.stack(heard))
        seconds[bands] = librosa_time(excerpts[0], *stft, bands)
    waveform = [measures.correlation(a[None, :len(b)], b[None])[0] for a, b in zip(excerpts, sounds, strict=True)]
    few = np.unique(again.tracks, return_index=True)[1][:INVERTED]
    images, outputs = again.images[few], again.outputs["baseline"][few]
    inverted = np.stack([heard_image(preprocess.image_to_audio(x, config), x, config) for x in outputs])
    mean = heard_image(preprocess.image_to_audio(again.mean, config), again.mean, config)
    return Inversions(seconds, errors, np.array(waveform), measures.decibel_error(images, outputs),
                      measures.decibel_error(images, inverted),
                      measures.decibel_error(images, np.broadcast_to(mean, images.shape)), again.artists[few],
                      librosa_time(excerpts[0], seconds=5 if config.bands == 512 else 0.5))


def _at_reference(sound, image, samples, config):
    """The image of an inverted sound, at the reference of the original clip."""
    power, original = (_power(x, config, config.bands) for x in (sound, samples))
    frames = min(power.shape[1], image.shape[1])
    heard = inversion.power_to_db(power / original.max()) / config.dynamic_range + 1
    padded = image.copy()
    padded[:, :frames] = np.clip(heard, 0, 1)[:, :frames]
    return padded


def librosa_time(samples: np.ndarray, sample_rate: int = 32768, n_fft: int = 4096, hop_length: int = 256,
                 bands: int = 512, seconds: float = 0.5) -> float:
    """Seconds that librosa's own inversion takes for a second of sound, the first call of all left out."""
    import librosa

    samples = np.resize(samples, int(sample_rate * seconds))
    mel = inversion.mel_power(samples, sample_rate, n_fft, hop_length, bands)
    stft = {"sr": sample_rate, "n_fft": n_fft, "hop_length": hop_length}
    librosa.feature.inverse.mel_to_audio(mel[:, :32], **stft, n_iter=2)
    began = time.perf_counter()
    librosa.feature.inverse.mel_to_audio(mel, **stft)
    return (time.perf_counter() - began) / seconds


# ---------------------------------------------------------------- tiles of the page

def tile(run: Run, name: str, image: np.ndarray, caption: str, heard: bool = True) -> dict:
    """One tile of a grid: picture, sound, caption."""
    config = run.config
    cell = {"caption": caption, "image": run.relative(figures.picture(run.figure(name), image))}
    if heard:
        audio.write(run.audio(name), preprocess.image_to_audio(image, config), config.sample_rate)
        cell["audio"] = run.relative(run.audio(name))
    return cell


def path_grid(run: Run, store: Store, paths: Any) -> dict:
    """A, every point, B for the audible pairs of the baseline."""
    rows, cells = [], []
    for k, (a, b) in enumerate(paths.pairs[: run.config.audible_pairs]):
        first, second = store.index[a], store.index[b]
        rows.append(f"{first['label']} to {second['label']}")
        line = [tile(run, f"path{k}-a", store.image(first), f"A: {first['item']}, original")]
        line += [tile(run, f"path{k}-{j:02d}", image, f"{share:.3g} of A")
                 for j, (share, image) in enumerate(zip(paths.shares, paths.shown[k], strict=True))]
        cells.append([*line, tile(run, f"path{k}-b", store.image(second), f"B: {second['item']}, original")])
    return {"rows": rows, "columns": ["A", *(f"{share:.3g} A" for share in paths.shares), "B"], "cells": cells}


def structure_grid(run: Run, store: Store, learners: dict[str, Learner], pair: np.ndarray) -> dict:
    """One pair through every autoencoder: A, the middle, B decoded."""
    images, cells = data.images_of(store, pair), []
    for name, learner in learners.items():
        three = inference.path_images(learner, train.loss_of(name, run.config), images[:1], images[1:],
                                      inference.fractions(3), "mean", run.seed)[0]
        cells.append([tile(run, f"{name}-{where}", image, f"{name}, {where}")
                      for where, image in zip(("a", "middle", "b"), three, strict=True)])
    return {"rows": list(learners), "columns": ["A decoded", "half and half", "B decoded"], "cells": cells}


def generated_grid(run: Run, learner: Learner) -> dict:
    """Unconditioned excerpts."""
    config = run.config
    made = inference.generate(learner, train.loss_of("baseline", config), config.latent, config.generated, run.seed)
    return {"rows": ["from the prior"], "columns": [str(k + 1) for k in range(len(made))],
            "cells": [[tile(run, f"generated-{k}", image, f"excerpt {k + 1}") for k, image in enumerate(made)]]}


def hunt_grid(run: Run, hunt: Any) -> dict:
    """The one image and what squared error made of it."""
    return {"rows": ["one image"], "columns": ["original", "output"], "cells": [[
        tile(run, "overfit-original", hunt.image[0], "original"),
        tile(run, "overfit-output", hunt.output[0], "overfitted with squared error")]]}
