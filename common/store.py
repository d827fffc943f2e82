"""Preprocessed data on disk: arrays (.npy, memory-mapped) and spectrogram images (OpenEXR) with an index.

`data/stores/<corpus>/<recipe>-<fingerprint>/` holds `store.json` (all parameters), `index.csv`, `rejected.csv` and
`arrays/*.npy` or `images/<group>/<item>.exr`. Images are the archive; `arrays/images.npy`, where a paper makes it
(`Writer.map_images`), has the same pixels in one piece, from which trainings are fed. A store is complete or absent: it
is built under another name, then renamed. The fingerprint stands for what goes in (recipe, code, corpus),
`content_sha256` for what came out. Paths of inputs are written relative to the corpus, so that the same corpus
elsewhere makes the same store.
"""

import csv
import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from common import cells, closure, locks
from common.corpora import evidence
from common.errors import StoreError
from common.files import naming, sha256
from common.progress import progress

COLUMNS = ("item", "group", "label", "split", "frames", "path", "offset")
MAPPED = 64  # images that one job copies into the array of them
EXR_MAGIC = b"\x76\x2f\x31\x01"
FORMAT = 2  # of the store itself: raise it when what every store holds changes
ABOUT = ("store.json", "rejected.csv")  # what is said about the data and is no data


@dataclass(frozen=True)
class Store:
    """A complete store: `index` rows as dicts (the columns of COLUMNS, numbers converted), arrays and images."""

    directory: Path

    @cached_property
    def parameters(self) -> dict:
        """What store.json says: corpus, recipe, counts."""
        return json.loads((self.directory / "store.json").read_text())

    @property
    def fingerprint(self) -> str:
        """Identifies parameters and inputs."""
        return self.parameters["fingerprint"]

    @property
    def content_sha256(self) -> str:
        """What `content_sha256` found when the store was built."""
        return self.parameters["content_sha256"]

    @cached_property
    def index(self) -> list[dict]:
        """One row per item, in storage order."""
        with open(self.directory / "index.csv", newline="", encoding="utf-8") as file:
            rows = [{name: cells.plain(text) for name, text in row.items()} for row in csv.DictReader(file)]
        return [row | {"frames": int(row["frames"] or 0), "offset": int(row["offset"] or 0)} for row in rows]

    @cached_property
    def rejected(self) -> list[dict]:
        """Inputs left out: rows with path and reason."""
        with open(self.directory / "rejected.csv", newline="", encoding="utf-8") as file:
            return [{name: cells.plain(text) for name, text in row.items()} for row in csv.DictReader(file)]

    def array(self, name: str) -> np.ndarray:
        """A stored array, memory-mapped."""
        return np.load(self.directory / "arrays" / f"{name}.npy", mmap_mode="r", allow_pickle=False)

    def image(self, row: dict) -> np.ndarray:
        """The spectrogram (bands, frames) of an index row, float32.

        Raises:
            StoreError: if the file is damaged or its header disagrees with this store's parameters.
        """
        return read_exr(self.directory / row["path"], self.parameters["recipe"])

    def images(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """Spectrograms (n, bands, frames) of index rows (n,) of a store that maps its images, float32."""
        return np.asarray(self.array("images")[np.asarray(rows, int)], np.float32)


class Writer:
    """What a `build` function fills a store with. Rows go to disk one by one; what is kept of them is their number.

    Attributes:
        count: rows so far. groups: {label: its groups}.
    """

    def __init__(self, directory: Path, recipe: dict, root: Path | None = None):
        self.directory, self.recipe, self.root = directory, recipe, root
        self.rejects, self.unusable, self.facts = [], [], {}
        self.count, self.groups, self._index = 0, {}, None  # the open index.csv

    def array(self, name: str, values: np.ndarray) -> None:
        """Store an array under a name."""
        (self.directory / "arrays").mkdir(exist_ok=True)
        np.save(self.directory / "arrays" / f"{safe_name(name)}.npy", values, allow_pickle=False)

    def empty(self, name: str, shape: tuple, dtype: Any) -> np.memmap:
        """An array on disk, to be filled part by part: zeros until then."""
        (self.directory / "arrays").mkdir(exist_ok=True)
        path = self.directory / "arrays" / f"{safe_name(name)}.npy"
        return np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)

    def image(self, item: str, group: str, image: np.ndarray, header: dict | None = None, half: bool = False) -> str:
        """Store a spectrogram (bands, frames); returns its path for the index row."""
        path = Path("images") / safe_name(group) / f"{safe_name(item)}.exr"
        (self.directory / path).parent.mkdir(parents=True, exist_ok=True)
        write_exr(self.directory / path, image, self.recipe | (header or {}), half)
        return str(path)

    def row(self, **columns: Any) -> None:
        """Add an index row: item, group, label, split, frames, path, offset; anything more is an error."""
        if unknown := set(columns) - set(COLUMNS):
            raise ValueError(f"unknown index columns {sorted(unknown)}")
        columns["path"] = self._relative(columns.get("path", ""))
        if self._index is None:
            self._index = open(self.directory / "index.csv", "w", newline="", encoding="utf-8")  # type: ignore[assignment]
            csv.writer(self._index).writerow(COLUMNS)
        csv.writer(self._index).writerow(cells.row(columns.get(name, "") for name in COLUMNS))
        self.count += 1
        self.groups.setdefault(columns.get("label", ""), set()).add(columns.get("group", ""))

    def map_images(self, half: bool = False) -> None:
        """Copy the image of every row into the array that `Store.images` reads, of their own type: float16 if `half`.

        In processes on every core, each with one image in memory; all images have one shape.
        """
        self.close()
        with open(self.directory / "index.csv", newline="", encoding="utf-8") as file:
            paths = [cells.plain(row["path"]) for row in csv.DictReader(file)]
        shape = read_exr(self.directory / paths[0], self.recipe).shape
        self.empty("images", (self.count, *shape), np.float16 if half else np.float32)
        jobs = (joblib.delayed(_copy_images)(self.directory, self.recipe, first, paths[first:first + MAPPED])
                for first in range(0, self.count, MAPPED))
        parts = -(-self.count // MAPPED)
        at_once = joblib.Parallel(n_jobs=min(parts, joblib.cpu_count()), return_as="generator_unordered")
        for _ in progress(at_once(jobs), "images in one array", "part", parts):
            pass

    def close(self) -> None:
        """All rows are written."""
        if self._index is not None:
            self._index.close()

    def reject(self, path: Path | str, reason: str, by_rule: bool = False) -> None:
        """Note an input that is left out, and why; `by_rule`: it could be used, the paper's rules leave it out."""
        row = {"path": self._relative(path), "reason": str(reason)}
        self.rejects.append(row)
        self.unusable += [] if by_rule else [row]

    def _relative(self, path) -> str:
        """A path of the corpus as seen from its root; any other as it is."""
        path = str(path)
        if self.root is not None and Path(path).is_relative_to(self.root):
            return Path(path).relative_to(self.root).as_posix()
        return path


def prepare(corpus: Any, recipe: dict, stores: Path, build: Callable[[Writer], None], bytes_needed: int = 0) -> Store:
    """The store for a corpus and a recipe: the one on disk if its fingerprint matches, else built now.

    Args:
        corpus: a `common.corpora.Corpus`. What it is evidence of is decided here, from the contents of its files and
            from those that `build` could not use.
        recipe: every parameter, with "name" and the step's "version".
        build: fills the Writer; may raise anything, nothing half-made stays under the final name.
        bytes_needed: estimate of the size on disk, checked against the free space first.

    Raises:
        StoreError: too little disk, or nothing usable in the corpus.
        BusyError: another process is building it.
    """
    recipe = json.loads(json.dumps(recipe))
    corpus = evidence.settled(corpus)
    code = code_of(build.__module__)
    fingerprint = sha256({"format": FORMAT, "recipe": recipe, "corpus": corpus.fingerprint, "code": code})[:10]
    final = Path(stores) / place(corpus) / f"{recipe['name']}-{fingerprint}"
    if not (final / "store.json").exists():
        with locks.held(final.with_name(f".{final.name}.lock"), f"store {final}", wait=bool(locks.cluster())):
            if not (final / "store.json").exists():
                _make(final, fingerprint, code, corpus, recipe, build, bytes_needed)
    return Store(final)


def _make(final: Path, fingerprint: str, code: str, corpus, recipe: dict, build: Callable, bytes_needed: int):
    """Build a store under another name, then give it its own."""
    if bytes_needed:
        free = shutil.disk_usage(final.parent).free
        print(f"{recipe['name']}: needs about {bytes_needed / 1e9:.2f} GB of disk, {free / 1e9:.1f} GB are free")
        if bytes_needed > free:
            raise StoreError(f"{final.parent}: {bytes_needed / 1e9:.1f} GB needed, {free / 1e9:.1f} GB free; "
                             "free some or choose another disk with --stores")
    temporary = final.with_name(f".{final.name}.{os.getpid()}.partial")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    writer = Writer(temporary, recipe, Path(corpus.root))
    try:
        for path, reason in corpus.rejected:  # `evidence.settled` knows of these
            writer.reject(path, reason, by_rule=True)
        with naming(final):
            build(writer)
        writer.close()
        if not writer.count:
            reasons = "; ".join(f"{r['path']}: {r['reason']}" for r in writer.rejects[:3])
            raise StoreError(f"{corpus.root}: nothing usable in it ({len(writer.rejects)} rejected. {reasons})")
        _write_csv(temporary / "rejected.csv", ("path", "reason"), writer.rejects)
        corpus = evidence.without(corpus, [(row["path"], row["reason"]) for row in writer.unusable])
        described = {"name": corpus.name, "label": label(corpus), "evidence": corpus.evidence, "said": corpus.said,
                     "fingerprint": corpus.fingerprint, "items": len(corpus.items),
                     "published_items": evidence.published(corpus.name), "facts": dict(corpus.facts)}
        (temporary / "store.json").write_text(json.dumps(
            {"fingerprint": fingerprint, "code_sha256": code, "content_sha256": content_sha256(temporary),
             "recipe": recipe, "corpus": described, "rows": writer.count, "rejected": len(writer.rejects),
             "groups_per_class": {str(k): len(v) for k, v in sorted(writer.groups.items())},
             "facts": writer.facts}, indent=1))
        os.rename(temporary, final)
    finally:
        writer.close()
        shutil.rmtree(temporary, ignore_errors=True)
    if writer.rejects:
        print(f"{recipe['name']}: {len(writer.rejects)} inputs left out, listed in {final / 'rejected.csv'}",
              file=sys.stderr)


def _copy_images(directory: Path, recipe: dict, first: int, paths: list[str]):
    """Images of `paths` to the array of them, from place `first` on."""
    images = np.load(directory / "arrays" / "images.npy", mmap_mode="r+")
    for place, path in enumerate(paths, first):
        images[place] = read_exr(directory / path, recipe)
    images.flush()


def code_of(module: str) -> str:
    """Hash of all our own code that a paper's preprocessing reaches, given its module's name; "" for other modules."""
    if module == "__main__":
        module = getattr(sys.modules["__main__"].__spec__, "name", "")
    room, _, rest = module.partition(".")
    return closure.sha256(closure.making(rest.split(".")[0])) if room == "papers" else ""


def content_sha256(directory: Path) -> str:
    """SHA-256 over relative path and bytes of every file of a store, but for what is only said about it (ABOUT).

    About a second a gigabyte. Two machines that made a store of the same recordings with the same packages agree.
    """
    digest = hashlib.sha256()
    for path in sorted(path for path in Path(directory).rglob("*") if path.is_file()):
        name = path.relative_to(directory).as_posix()
        if name not in ABOUT:
            with open(path, "rb") as file:
                digest.update(f"{hashlib.file_digest(file, 'sha256').hexdigest()} {name}\n".encode())
    return digest.hexdigest()


def safe_name(name: str) -> str:
    """A file name made of a label or title: no separators, no leading dot, never empty, told apart by a hash."""
    name = str(name)
    clean = re.sub(r"[^\w.+ -]", "_", name).strip(". ")[:120] or "_"
    return clean if clean == name else f"{clean}-{sha256(name)[:8]}"


def place(corpus: Any) -> str:
    """The folder of a corpus' stores, which fingerprints tell apart."""
    if corpus.evidence == "demo":
        return f"{'null' if corpus.facts.get('null') else 'demo'}-{safe_name(corpus.name)}"
    return safe_name(corpus.name)


def label(corpus: Any) -> str:
    """How runs and pages name a settled corpus: published sets by name, other data with its folder's name."""
    if corpus.evidence == "other" and not corpus.name.startswith("folder-"):
        return safe_name(f"{corpus.name}-{Path(corpus.root).resolve().name}")
    return place(corpus)


def _write_csv(path: Path, columns, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(cells.row(row[name] for name in columns) for row in rows)


def write_exr(path: Path, image: np.ndarray, header: dict, half: bool = False) -> None:
    """Write a spectrogram as OpenEXR: channel Y, ZIP compression, float32 (lossless) or half, parameters in the header.

    Args:
        image: (bands, frames), finite.
        header: JSON-able parameters, stored in the attribute `encore`.
    """
    import OpenEXR

    image = np.ascontiguousarray(image, np.float16 if half else np.float32)
    if image.ndim != 2 or not np.isfinite(image).all():
        raise StoreError(f"{path}: a spectrogram is two-dimensional and finite, got shape {image.shape}")
    attributes = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage,
                  "encore": json.dumps(header, sort_keys=True)}
    temporary = Path(path).with_suffix(f".{os.getpid()}.partial")
    with OpenEXR.File(attributes, {"Y": image}) as file:
        file.write(str(temporary))
    os.replace(temporary, path)


def read_exr(path: Path, expect: dict | None = None) -> np.ndarray:
    """Read a spectrogram (bands, frames) as float32.

    Args:
        expect: parameters that the header must agree with, key by key.

    Raises:
        StoreError: missing, not OpenEXR, truncated, or made with other parameters.
    """
    import OpenEXR

    path = Path(path)
    try:
        with open(path, "rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror.lower()}; remove its store and preprocess again") from None
    if magic != EXR_MAGIC:
        raise StoreError(f"{path}: not an OpenEXR file; remove its store and preprocess again")
    try:
        with OpenEXR.File(str(path)) as file:
            header = json.loads(file.header().get("encore", "{}"))
            image = np.array(file.channels()["Y"].pixels, np.float32)
    except Exception:  # OpenEXR raises bare RuntimeError, KeyError, … without naming the file
        raise StoreError(f"{path}: damaged; remove its store and preprocess again") from None
    for key, value in (expect or {}).items():
        if header.get(key) != value:
            raise StoreError(f"{path}: made with {key}={header.get(key)}, this store says {key}={value}; "
                             "remove the store and preprocess again")
    return image
