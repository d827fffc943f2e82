"""Recordings to pooled segments (section 3): 600,000 samples, means of 40, 20 segments of 500 values a track.

`python -m papers.softmax_ae.preprocess --data DIR` fills a store; `train` and `evaluate` do it by themselves if needed.
"""

from pathlib import Path

import numpy as np

from common import audio, corpora, demo, store
from common.findings import NotTestable
from common.progress import progress
from papers.softmax_ae import config as settings

VERSION = 1
READ = ("gtzan", "medley_solos_db", "folder")  # instruments are classes as well, and Medley-solos-DB knows its songs


def pool(samples: np.ndarray, size: int) -> np.ndarray:
    """Means of `size` consecutive samples (sec. 3; no other anti-alias filter); a rest shorter than `size` is dropped.

    Args:
        samples: (samples,).

    Returns: (samples // size,).
    """
    whole = len(samples) // size * size
    return samples[:whole].reshape(-1, size).mean(axis=1)


def segments(samples: np.ndarray, config: settings.Config, size: int | None = None) -> np.ndarray:
    """A track's segments: of the first 600,000 samples, pooled, the first 10,000 values in runs of 500.

    A track shorter than 400,000 samples gives floor(n / 20,000) segments.

    Args:
        samples: (samples,) in [-1, 1].
        size: pool size in place of the config's, for the pooling ablation.

    Returns: (segments, 20,000 / pool), float32.
    """
    size = size or config.pool
    pooled = pool(samples[:config.loaded_samples], size)[:config.used_samples // size]
    length = config.segment_samples // size
    count = len(samples[:config.used_samples]) // config.segment_samples
    return pooled[:count * length].reshape(count, length).astype(np.float32)


def array_name(size: int) -> str:
    """The stored array with segments pooled by `size`."""
    return f"segments_pool_{size}"


def preprocess(config: settings.Config, data: Path | None, preset: str, stores: Path,
               null: bool = False) -> store.Store:
    """The store of pooled segments: array `segments_pool_40` (n, 500), an index row per segment, `facts["classes"]`.

    `data` is GTZAN, Medley-solos-DB, or any folder of class folders. Raises DataError, StoreError, NotTestable.
    """
    corpus = find_corpus(data, preset, null)
    classes = corpus.labels
    if corpus.name == "gtzan":
        classes = [genre for genre in settings.GENRES if genre in corpus.labels]
    pools = settings.POOL_ABLATION if config.ablations else (config.pool,)
    recipe = {"name": "pooled", "version": VERSION, "sample_rate": config.sample_rate, "pools": list(pools),
              "loaded_samples": config.loaded_samples, "used_samples": config.used_samples,
              "segment_samples": config.segment_samples, "classes": classes}
    if len(classes) < 2:
        raise corpora.DataError(f"{corpus.root}: only one class ({', '.join(classes) or 'none'}) of audio in it; "
                                "telling classes apart needs at least two folders")

    def build(writer):
        parts, short = {size: [] for size in pools}, []
        items = [item for item in corpus.items if item.label in classes]
        for item in progress(items, "pooling tracks", "track"):
            try:
                samples = audio.load(item.path, config.sample_rate, duration=config.loaded_samples / config.sample_rate)
            except audio.AudioError as error:
                writer.reject(item.path, str(error).removeprefix(f"{item.path}: "))
                continue
            if len(samples) < config.segment_samples:
                writer.reject(item.path, f"{len(samples) / config.sample_rate:.2f} s long, a segment takes "
                              f"{config.segment_samples / config.sample_rate:.2f} s")
                continue
            if not np.any(samples):
                writer.reject(item.path, "silent: every sample is zero")
                continue
            if len(samples) < config.used_samples:
                short.append(item.id)
            for size in pools:
                parts[size].append(segments(samples, config, size))
            for j in range(len(parts[pools[0]][-1])):
                writer.row(item=f"{item.id}-{j:02d}", group=item.group, label=item.label, path=item.id,
                           offset=j * config.segment_samples, frames=config.segment_samples // config.pool)
        if missing := [name for name in classes if name not in writer.groups]:
            raise store.StoreError(f"{corpus.root}: nothing usable of class {missing[0]}; see the reasons: "
                                   + "; ".join(f"{r['path']}: {r['reason']}" for r in writer.rejects[:3]))
        for size in pools:
            writer.array(array_name(size), np.concatenate(parts[size]))
        writer.facts |= {"classes": classes, "short_tracks": short}

    if config.split == "T2" and not {item.id for item in corpus.items} & filtered_tracks().keys():
        raise NotTestable(f"{corpus.root}: split T2 is a list of GTZAN's own tracks, none of them here; use T1")
    values = sum(config.used_samples // size for size in pools)
    return store.prepare(corpus, recipe, stores, build, bytes_needed=len(corpus.items) * values * 4)


def filtered_tracks() -> dict[str, str]:
    """Split T2: part of each of GTZAN's tracks that are free of known faults (coreyker/dnn-mgr@f245676)."""
    lines = Path(__file__).with_name("fault_filtered.csv").read_text().splitlines()[1:]
    return dict(line.split(",")[:2] for line in lines)


def find_corpus(data: Path | None, preset: str, null: bool) -> corpora.Corpus:
    """The first of READ that is at `data`; the demo GTZAN without `data`."""
    if data is None:
        return demo.find(None, "gtzan", preset, null)
    names = [name for name, _ in corpora.recognise(Path(data))] if Path(data).is_dir() else []
    return demo.find(data, next((name for name in READ if name in names), "gtzan"), preset, null)


def main() -> None:
    """The preprocessing script."""
    from common import process, scripts

    options, config, _, _ = scripts.parse(settings, __doc__)
    with process.one_line_errors():
        held = preprocess(config, options.data, options.preset, options.stores, options.null)
    short = held.parameters["facts"]["short_tracks"]
    print(f"{held.directory}: {len(held.index)} segments of {len({r['path'] for r in held.index})} tracks in "
          f"{len(held.parameters['facts']['classes'])} classes; {len(held.rejected)} rejected, {len(short)} short")


if __name__ == "__main__":
    main()
