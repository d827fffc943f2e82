"""Recordings to clips and their three representations: corpus -> store (section 3.1)."""

from functools import partial
from pathlib import Path

import numpy as np
from joblib import Parallel, cpu_count, delayed

from common import audio, corpora, demo, store
from common.progress import progress
from papers.symphony2vec import config as settings

VERSION = 1
FIELDS = ("sample_rate", "clip_seconds", "fft_size", "hop", "mel_bands", "mel_top_hz", "mfcc_coefficients")


def preprocess(config: settings.Config, data: Path | None, preset: str, stores: Path,
               null: bool = False) -> store.Store:
    """The store of a corpus: arrays `chroma`, `mfcc`, `mel` (clips, bands, frames) and their moments.

    One index row per clip, composer by composer; `group` is the work, `path` the recording, `offset` the clip's first
    sample. Nothing is normalised here, because the scale depends on the split.
    Raises corpora.DataError and store.StoreError, each one clear line.
    """
    corpus = find_corpus(data, preset, null)
    recipe = {"name": "symphony2vec", "version": VERSION} | {name: getattr(config, name) for name in FIELDS}
    frames = 1 + round(config.clip_seconds * config.sample_rate) // config.hop
    clip_bytes = 4 * frames * (12 + config.mfcc_coefficients + config.mel_bands)
    # About 60 clips in a recording of ten minutes.
    return store.prepare(corpus, recipe, stores, partial(_build, corpus=corpus, config=config), 60 * clip_bytes)


def find_corpus(data: Path | None, preset: str, null: bool) -> corpora.Corpus:
    """Orchestral recordings at `data` if their layout is found, else any folder of class folders; the demo without."""
    if data is None:
        return demo.find(None, "orchestral", preset, null)
    found = [name for name, _ in corpora.recognise(Path(data))] if Path(data).is_dir() else []
    name = "folder" if "orchestral" not in found and "folder" in found else "orchestral"
    return demo.find(data, name, preset, null)


def recording_features(path: Path, config: settings.Config) -> dict[str, np.ndarray]:
    """All clips of one recording: dict of arrays (clips, bands, frames). Raises AudioError, ValueError."""
    import numpy as np

    from papers.symphony2vec import features

    samples = audio.load(path, config.sample_rate, allow_short=True)
    if not np.any(samples):
        raise ValueError("nothing but silence")
    found = features.clips(samples, config.sample_rate, config.clip_seconds)
    if not len(found):
        seconds = len(samples) / config.sample_rate
        raise ValueError(f"{seconds:.1f} s long, shorter than one clip of {config.clip_seconds:g} s")
    images = [
        features.clip_features(clip, config.sample_rate, config.fft_size, config.hop, config.mel_bands,
                               config.mel_top_hz, config.mfcc_coefficients)
        for clip in found
    ]  # fmt: skip
    return {name: np.stack([image[name] for image in images]) for name in settings.REPRESENTATIONS}


def _attempt(item, config):
    try:
        return item, recording_features(item.path, config), None
    except (audio.AudioError, ValueError) as error:
        return item, None, str(error).removeprefix(f"{item.path}: ")


def _build(writer, corpus, config):
    import numpy as np

    from papers.symphony2vec import features

    # The program's order: all clips of the first composer, then of the second.
    items = sorted(corpus.items, key=lambda item: str(item.label))
    jobs = Parallel(n_jobs=min(cpu_count(), max(1, len(items))), return_as="generator")(
        delayed(_attempt)(item, config) for item in items
    )
    collected = {name: [] for name in settings.REPRESENTATIONS}
    clip_samples = round(config.clip_seconds * config.sample_rate)
    for item, images, reason in progress(jobs, "representations", "file", len(items)):
        if reason:
            writer.reject(item.path, reason)
            continue
        for name, found in images.items():
            collected[name].append(found)
        for number in range(len(images["mel"])):
            writer.row(item=f"{item.id}.{number:03d}", group=item.group, label=item.label, split=item.split or "",
                       frames=images["mel"].shape[-1], path=item.path, offset=number * clip_samples)  # fmt: skip
    if writer.count:
        for name in settings.REPRESENTATIONS:
            array = np.concatenate(collected.pop(name))
            writer.array(name, array)
            writer.array(f"{name}_moments", np.array([features.moments(image) for image in array]))


def main() -> None:
    """Script entry: make the store and say what is in it."""
    from common import process, scripts

    options, config, _, _ = scripts.parse(settings, __doc__)
    with process.one_line_errors():
        made = preprocess(config, options.data, options.preset, options.stores, options.null)
    print(f"{made.directory}: {len(made.index)} clips, {len(made.rejected)} inputs left out")


if __name__ == "__main__":
    main()
