"""Recordings to 5-second log-mel images (sec. Data Pre-processing), and images back to sound.

A clip becomes a mel power spectrogram, decibels below its own maximum, values in [0, 1]; then it is cut into images of
640 frames and the remainder is dropped. One OpenEXR file per image, in a folder named after the track, and the same
pixels once more in one array, which training reads.
"""

import hashlib
import os
import shutil
import sys
from pathlib import Path

import joblib
import numpy as np
import soundfile
import soxr

from common import audio, corpora, demo, inversion, locks
from common.corpora.items import Item
from common.errors import DataError
from common.files import sha256
from common.progress import progress
from common.splits import deal
from common.store import Store, Writer, code_of, place, prepare, safe_name
from papers.fma_interpolation import config as settings, tables

VERSION = 4
RECIPE = ("sample_rate", "n_fft", "hop_length", "bands", "frames", "dynamic_range", "storage", "resampler")
REFERENCE = 32768.0  # power of value 1 when an image is turned back (program, settings.py @3c5c932)
EXCERPTS = 4         # excerpts kept as sound, for the measures of the inversion
LONGEST_SECONDS = 1200  # of a recording: it is held whole, since its maximum is the reference of all its images
LARGER = ("fma_medium", "fma_large")  # folders that are read whole; in the folder that holds them FMA small is found
SHARES = {"training": 0.8, "validation": 0.1, "test": 0.1}  # of data without a split of its own
STATISTICS = (np.mean, np.std, np.median)  # per band over the frames, in this order (sec. Machine Learning approach)


# ---------------------------------------------------------------- chunk arithmetic

def frame_count(samples: int, hop_length: int = 256) -> int:
    """Frames of a centred spectrogram: 1 + floor(samples / hop); 30 s at 32,768 Hz give 3,841."""
    return 1 + samples // hop_length


def image_count(samples: int, hop_length: int = 256, frames: int = 640) -> int:
    """Whole images in a clip; the remainder is dropped. 30 s give 6, the usual 29.977 s of FMA only 5."""
    return frame_count(samples, hop_length) // frames


# ---------------------------------------------------------------- sound to image and back

def unclipped(samples: np.ndarray, config: settings.Config) -> tuple[np.ndarray, float]:
    """Log-mel spectrogram (bands, frames) of a mono clip before anything is cut off, float32, and its peak power.

    Decibels relative to the maximum of the whole clip, then dB / 80 + 1 (program, utils.py @3c5c932).
    Raises ValueError for a silent clip, which has no maximum to refer to.
    """
    mel = inversion.mel_power(samples, config.sample_rate, config.n_fft, config.hop_length, config.bands,
                              pad_mode="reflect")
    peak = float(mel.max())
    if peak <= 1e-10:
        raise ValueError("silent from beginning to end; remove it")
    return inversion.power_to_db(mel / np.float32(peak)) / np.float32(config.dynamic_range) + np.float32(1), peak


def normalised_spectrogram(samples: np.ndarray, config: settings.Config) -> tuple[np.ndarray, float]:
    """`unclipped` with the floor of 80 dB: float32 in [0, 1] with maximum exactly 1, and the peak power."""
    image, peak = unclipped(samples, config)
    return np.clip(image, 0.0, 1.0, dtype=np.float32), peak


def cut(image: np.ndarray, frames: int = 640) -> np.ndarray:
    """(bands, any) to (count, bands, frames); the remainder is dropped, and a remainder of 0 loses nothing."""
    count = image.shape[1] // frames
    return image[:, : count * frames].reshape(image.shape[0], count, frames).transpose(1, 0, 2)


def image_to_power(image: np.ndarray, dynamic_range: float = 80.0, reference: float = REFERENCE) -> np.ndarray:
    """Mel power of an image: reference * 10^(range / 10 * (value - 1)); 1 gives the reference, 0 is 80 dB below."""
    return inversion.db_to_power(dynamic_range * (np.asarray(image, np.float32) - 1), reference)


def image_to_audio(image: np.ndarray, config: settings.Config, seed: int = 0) -> np.ndarray:
    """Sound of an image (bands, frames): hop * (frames - 1) samples at config.sample_rate, largest magnitude 0.9.

    The level of the clip is lost in an image, so the sound is scaled; a silent image stays silent.
    """
    power = image_to_power(np.clip(image, 0.0, 1.0), config.dynamic_range)
    samples = inversion.mel_to_audio(power, config.sample_rate, config.n_fft, config.hop_length,
                                     iterations=config.inversion_iterations, seed=seed)
    return samples * np.float32(0.9 / max(np.abs(samples).max(), 1e-9))


def statistics(images: np.ndarray) -> np.ndarray:
    """(count, bands, frames) to (count, 3 * bands): mean, standard deviation and median of each band."""
    return np.concatenate([measure(images, axis=2) for measure in STATISTICS], axis=1).astype(np.float32)


def load_clip(path: Path | str, config: settings.Config) -> np.ndarray:
    """Mono samples at config.sample_rate. Raises audio.AudioError (one line): damaged, truncated, over 20 minutes."""
    samples, native, declared, _ = audio.read(path, LONGEST_SECONDS + 1, mono=True)
    if declared > LONGEST_SECONDS * native:
        raise audio.AudioError(f"{path}: longer than {LONGEST_SECONDS // 60} minutes; cut it into tracks")
    if len(samples) < declared:
        raise audio.AudioError(f"{path}: truncated or damaged, {len(samples)} of {declared} declared frames could be "
                               "read; get the file again")
    quality = config.resampler.removeprefix("soxr_").upper()
    return soxr.resample(samples, native, config.sample_rate, quality=quality)


# ---------------------------------------------------------------- corpus to store

def preprocess(config: settings.Config, data: Path | None, preset: str, stores: Path, null: bool = False) -> Store:
    """The store of `data` (None: the demo corpus): images, their 1,536 statistics, a few excerpts as sound.

    `data` is FMA small, or any folder of class folders with recordings. Goes on where an interrupted call stopped.
    Raises DataError and StoreError.
    """
    corpus = find_corpus(data, preset, null)
    refuse_too_few(corpus)
    recipe = {"name": f"log-mel-{config.bands}x{config.frames}", "version": VERSION}
    recipe |= {key: getattr(config, key) for key in RECIPE}
    work = Path(stores) / place(corpus) / f".work-{sha256([recipe, corpus.fingerprint, code_of(__name__)])[:10]}"
    work.parent.mkdir(parents=True, exist_ok=True)
    # A second process waits for the first one's working folder and then finds the store made.
    with locks.held(work.with_suffix(".lock"), f"store of {corpus.name}", wait=True):
        return prepare(corpus, recipe, Path(stores), lambda writer: _build(writer, corpus, config, work),
                       bytes_needed=_bytes_needed(corpus, config))


def refuse_too_few(corpus: corpora.Corpus) -> None:
    """Raise DataError where training, validation and test cannot each have a track of their own."""
    tracks = len({item.group for item in corpus.items})
    if tracks < len(SHARES):
        raise DataError(f"{corpus.root}: {tracks} recording{'s' if tracks > 1 else ''}; training, validation and test "
                        f"need one each, so give at least {len(SHARES)}")


def find_corpus(data: Path | None, preset: str, null: bool = False) -> corpora.Corpus:
    """FMA small; medium or large where their own folder is given; else any folder of class folders.

    Raises DataError with what FMA small should look like.
    """
    if data is None:
        return demo.find(None, "fma_small", preset, null)
    names = [name for name, _ in corpora.recognise(Path(data))] if Path(data).is_dir() else []
    asked = Path(data).resolve().name
    if asked not in LARGER:
        asked = "folder" if "folder" in names else "fma_small"
    return demo.find(data, asked, preset, null)


def _bytes_needed(corpus, config):
    """The images twice: in OpenEXR, whose ZIP saves 2 % of float32 and 70 % as half, and in one array.

    112 GB for all of FMA small, 45 GB as half.
    """
    images = sum(image_count(int(_seconds(item.path) * config.sample_rate), config.hop_length, config.frames)
                 for item in corpus.items)
    return int(images * config.bands * config.frames * 4 * (0.30 + 0.5 if config.storage == "half" else 0.98 + 1))


def _seconds(path, usual=30.0):
    """Length of a recording by its header; that of FMA's clips where it cannot be read."""
    try:
        return soundfile.info(str(path)).duration
    except (OSError, RuntimeError):  # soundfile's errors are RuntimeErrors
        return usual


def _build(writer, corpus, config, work):
    (work / "images").mkdir(parents=True, exist_ok=True)
    items = sorted(corpus.items, key=listing_order)
    jobs = (joblib.delayed(_clip)(str(item.path), item.id, item.group, config, work, writer.recipe)
            for item in items)
    records = joblib.Parallel(n_jobs=_cores(), return_as="generator")(jobs)
    clips = []  # (item, images, peak): what is kept in memory of a clip
    for item, record in zip(items, progress(records, "log-mel images", "clip", len(items)), strict=True):
        if "reason" in record:
            writer.reject(item.path, record["reason"])
        else:
            clips.append((item, record["images"], record["peak"]))
    if not clips:
        return
    _rows(writer, clips, corpus.root, config)
    os.replace(work / "images", writer.directory / "images")
    writer.map_images(half=config.storage == "half")
    _arrays(writer, clips, work, config)
    for name, values in tables.read(corpus, items).items():
        writer.array(name, values)
    writer.facts |= {"genre_counts": tables.genre_counts(corpus.root)}
    shutil.rmtree(work)


def _rows(writer, clips, root, config):
    """A row of the index for every image."""
    used = [item for item, count, _ in clips for _ in range(count)]
    offsets = [offset for _, count, _ in clips for offset in range(count)]
    for item, split, offset in zip(used, splits_of(used, root), offsets, strict=True):
        name = f"{item.id}-{offset}"
        writer.row(item=name, group=item.group, label=item.label or "", split=split, frames=config.frames,
                   offset=offset, path=str(Path("images") / safe_name(item.group) / f"{safe_name(name)}.exr"))


def _arrays(writer, clips, work, config):
    """Statistics, peaks and artists of every image, filled clip by clip, and the first recordings' beginnings."""
    numbers, first = {}, 0
    table = writer.empty("statistics", (writer.count, len(STATISTICS) * config.bands), np.float32)
    peaks, artists = (writer.empty(name, (writer.count,), kind)
                      for name, kind in (("peaks", np.float32), ("artists", np.int32)))
    for item, count, peak in clips:
        with np.load(work / f"{safe_name(item.id)}.npz", allow_pickle=False) as kept:
            table[first:first + count] = kept["statistics"]
        peaks[first:first + count] = peak
        artists[first:first + count] = numbers.setdefault(str(item.artist or item.group), len(numbers))
        first += count
    length = config.hop_length * (config.frames - 1)
    writer.array("excerpts", np.stack([load_clip(item.path, config)[:length] for item, _, _ in clips[:EXCERPTS]]))


def splits_of(items: list[Item], root: Path) -> list[str]:
    """Split of each item: the data set's own; where it has none, or a part of it is empty here, 80/10/10 by artist.

    Whole artists go to one part, whole tracks where there are fewer artists than parts; no part is empty.
    Raises DataError where there are fewer tracks than parts.
    """
    own = [item.split for item in items]
    if set(SHARES) <= set(own) and None not in own:
        return own
    artists = [str(item.artist or item.group) for item in items]
    groups = artists if len(set(artists)) >= len(SHARES) else [item.group for item in items]
    if len(set(groups)) < len(SHARES):
        raise DataError(f"{root}: {len(set(groups))} usable recordings; training, validation and test need one each, "
                        "so give more")
    if any(own):
        print(f"{root}: its own split has an empty part here; divided anew by artist", file=sys.stderr)
    elif groups is not artists:
        print(f"{root}: fewer than {len(SHARES)} artists; divided by track, so that an artist is on both sides",
              file=sys.stderr)
    parts = deal(np.arange(len(items)), groups, SHARES, np.random.default_rng(0))
    found = np.empty(len(items), object)
    for part, rows in parts.items():
        found[rows] = part
    return list(found)


def _clip(path, item, group, config, work, recipe):
    """One clip to its EXR files and one .npz with the rest; the .npz of an interrupted call is used again."""
    done = work / f"{safe_name(item)}.npz"
    if done.exists():
        with np.load(done, allow_pickle=False) as kept:
            return {"images": len(kept["statistics"]), "peak": float(kept["peak"])}
    try:
        samples = load_clip(path, config)
        if image_count(len(samples), config.hop_length, config.frames) == 0:
            return {"reason": f"too short for one image: {frame_count(len(samples), config.hop_length)} frames of "
                              f"{config.frames}"}
        whole, peak = normalised_spectrogram(samples, config)
    except (audio.AudioError, ValueError) as error:
        return {"reason": str(error).removeprefix(f"{path}: ")}
    images, writer = cut(whole, config.frames), Writer(work, recipe)
    for k, image in enumerate(images):
        writer.image(f"{item}-{k}", group, image, half=config.storage == "half")
    partial = done.with_suffix(".partial")
    with open(partial, "wb") as file:
        np.savez(file, statistics=statistics(images), peak=np.float32(peak))
    os.replace(partial, done)
    return {"images": len(images), "peak": peak}


def listing_order(item: Item) -> list[str]:
    """Key of a fixed order without meaning: folders (the first three digits of a track), then tracks in them.

    The program took the order of an unsorted directory listing, which is lost. The track number will not do in its
    place: it goes with time, albums and artists, in the demo corpus even with genres.
    """
    return [hashlib.sha256(text.encode()).hexdigest() for text in (item.id[:3], item.id)]


def _cores():
    return joblib.cpu_count()  # affinity and control groups count; LOKY_MAX_CPU_COUNT=4 asks for fewer


def main() -> None:
    """The preprocessing script."""
    from common import process, scripts

    options, config, _, _ = scripts.parse(settings, __doc__)
    with process.one_line_errors():
        store = preprocess(config, options.data, options.preset, options.stores, options.null)
    print(f"{store.directory}: {len(store.index)} images, {len(store.rejected)} clips left out")


if __name__ == "__main__":
    main()
