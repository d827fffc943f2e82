"""Recordings -> mel spectrogram images in [0, 1], one per clip or track (sec. 2.3.1 and 2.4.1).

A store holds one image per non-overlapping unit: a Medley-solos-DB clip, an FMA track, a non-silent stretch of a long
recording. Partitions with any overlap are cut when they are read (`windows.py`), never stored.
`python -m papers.lord_transfer.preprocess --data DIR` fills a store; `train` and `evaluate` do it by themselves.
"""

import functools
import os
from functools import lru_cache
from pathlib import Path

import numpy as np

from common import audio, demo, store
from common.progress import progress
from papers.lord_transfer import config as settings
from papers.lord_transfer.config import Config

VERSION = 2  # of this step: raise it when the stored values change
SMALLEST = 1e-10  # power floor, as librosa.power_to_db


@lru_cache(maxsize=8)
def mel_bank(sample_rate: int, fft_size: int, bands: int) -> np.ndarray:
    """Slaney mel filters with area norm (bands, 1 + fft_size / 2), librosa's default."""
    import librosa

    return librosa.filters.mel(sr=sample_rate, n_fft=fft_size, n_mels=bands)


def spectrogram(samples: np.ndarray, config: Config, phase: bool = False) -> tuple[np.ndarray, float]:
    """Mono samples -> (image, reference): (bands or 3 bands, frames) float32 in [0, 1] and the mel power at 1.

    1 is the maximum of the recording, 0 is `dynamic_range` dB below. With `phase` the mel-filtered cosine and sine of
    the STFT's phase lie below the amplitude, as (v + 1) / 2, with filters that sum to one (sec. 2.3.1, item 4b).
    Raises ValueError for silence, which has no maximum to refer to.
    """
    import librosa

    spectrum = librosa.stft(np.asarray(samples, np.float32), n_fft=config.fft_size, hop_length=config.hop)
    bank = mel_bank(config.sample_rate, config.fft_size, config.bands)
    power = bank @ (np.abs(spectrum) ** 2)
    reference = float(power.max())
    if reference <= SMALLEST:
        raise ValueError("silent")
    decibels = 10 * np.log10(np.maximum(power, SMALLEST) / reference)
    image = np.clip(decibels / config.dynamic_range + 1, 0, 1)
    if phase:
        weights, angle = bank / bank.sum(axis=1, keepdims=True), np.angle(spectrum)
        image = np.concatenate([image, (weights @ np.cos(angle) + 1) / 2, (weights @ np.sin(angle) + 1) / 2])
    return image.astype(np.float32), reference


def sounding_stretches(samples: np.ndarray, config: Config) -> list[tuple[int, int]]:
    """(start, end) in samples of what lies between silences and is long enough for a window (sec. 2.4.1)."""
    import librosa

    shortest = (config.frames - 1) * config.hop
    stretches = librosa.effects.split(samples, top_db=config.silence, frame_length=2048, hop_length=512)
    return [(int(start), int(end)) for start, end in stretches if end - start >= shortest]


def recipe(config: Config) -> dict:
    """Every parameter that the stored images depend on."""
    names = ("sample_rate", "fft_size", "hop", "bands", "frames", "dynamic_range")
    values = {name: getattr(config, name) for name in names}
    if config.data_set == "folder":
        values["silence"] = config.silence
    if config.data_set == "fma_medium":
        values["genres"] = sorted(genres(config))
    return {"name": "mel", "version": VERSION, "phase": stores_phase(config), **values}


def stores_phase(config: Config) -> bool:
    """Whether images carry the phase channels; the ablations of sec. 2.3.1, item 4, need them."""
    return config.phase != "none" or (config.ablations and config.data_set == "fma_medium")


def genres(config: Config) -> set[str]:
    """The genres of the configured pairs, e.g. {"Rock", "Folk"}."""
    return {genre for pair in config.genre_pairs.split() for genre in pair.split("-")}


def preprocess(config: Config, data: Path | None, preset: str, stores: Path, null: bool = False) -> store.Store:
    """The store of a corpus for a Config: built, or the one on disk when its fingerprint matches.

    Raises corpora.DataError or store.StoreError with one line that names the file and the next step.
    """
    corpus = demo.find(data, config.data_set, preset, null=null)
    wanted = [item for item in corpus.items
              if config.data_set != "fma_medium" or item.label in genres(config)]
    channels = 3 if stores_phase(config) else 1
    frames = {"medley_solos_db": config.frames + 1, "fma_medium": 30 * config.sample_rate // config.hop + 1,
              "folder": 600 * config.sample_rate // config.hop}[config.data_set]
    return store.prepare(corpus, recipe(config), stores, functools.partial(_build, config, wanted, corpus.labels),
                         bytes_needed=len(wanted) * frames * config.bands * channels * 4)


def _build(config, items, labels, writer):
    from joblib import Parallel, delayed

    references, notes = [], _notes(items)
    played = []
    workers = min(len(os.sched_getaffinity(0)), max(1, len(items) // 16))
    results = Parallel(n_jobs=workers, return_as="generator")(delayed(_images)(item, config) for item in items)
    results = progress(results, "spectrograms", "file", total=len(items))
    for item, (images, reason) in zip(items, results, strict=True):
        if reason:
            writer.reject(item.path, reason)
        for number, (offset, image, reference) in enumerate(images):
            name = item.id if config.data_set != "folder" else f"{item.id}-{number:03d}"
            path = writer.image(name, item.group, image)
            writer.row(item=name, group=item.group, label=item.label, split=item.split or "", frames=image.shape[1],
                       path=path, offset=offset)
            played += [(len(references), *note) for note in notes.get(item.id, ())]
            references.append(reference)
    writer.facts["labels"] = labels
    # what is played, where the corpus knows: (index row, onset, end, MIDI pitch), seconds from the image's start
    writer.array("notes", np.array(played, np.float64).reshape(-1, 4))
    writer.array("reference", np.array(references, np.float64))  # mel power at image value 1, in index order


def _notes(items):
    """{item: [(onset, end, pitch)]} of a demo Medley-solos-DB, whose lines are of known pitch; empty for others."""
    from common.demo import medley_solos_db

    by_clip = medley_solos_db.read_notes(Path(items[0].path).parent)
    return {item.id: by_clip[item.id.split("_")[1]] for item in items if by_clip}


def _images(item, config):
    """([(offset in samples, image, reference)], reason for none) of one recording; runs in a worker process."""
    try:
        samples = audio.load(item.path, config.sample_rate, allow_short=True)
    except audio.AudioError as error:
        return [], str(error)
    stretches = sounding_stretches(samples, config) if config.data_set == "folder" else [(0, len(samples))]
    images = []
    for start, end in stretches:
        if 1 + (end - start) // config.hop < config.frames:
            continue
        try:
            image, reference = spectrogram(samples[start:end], config, stores_phase(config))
        except ValueError as error:
            return [], str(error)
        images.append((start, image, reference))
    seconds = config.frames * config.hop / config.sample_rate
    return images, "" if images else f"shorter than one window of {seconds:.2f} s"


def main() -> None:
    """The preprocessing script."""
    from common import process, scripts

    options, config, _, _ = scripts.parse(settings, __doc__)
    with process.one_line_errors():
        held = preprocess(config, options.data, options.preset, options.stores, options.null)
    print(f"{held.directory}: {len(held.index)} images of {len({row['group'] for row in held.index})} recordings; "
          f"{len(held.rejected)} rejected")


if __name__ == "__main__":
    main()
