"""The Lakh MIDI data set, matched part (Raffel 2016), and any folder of MIDI files.

`lmd_matched/A/B/C/TRABC.../<md5>.mid`, where A, B, C are characters 3 to 5 of the track id; artist, title and genre
terms from `lmd_matched_h5/A/B/C/TRABC....h5` (fields `/metadata/artist_terms` and `/metadata/songs`). One file can lie
under several track ids. A plain folder of MIDI files may hold a `tags.csv` with the columns file, tags (separated by
`;`) and artist.
"""

import os
import re
import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path

import h5py
from tqdm import tqdm

from common.corpora import known, tables
from common.corpora.items import Corpus, Item, joined_groups, safe_id
from common.corpora.listing import MIDI, files_under, subfolders
from common.errors import DataError

NAME = "lmd_matched"
TITLE = "Lakh MIDI, matched"
NEEDS = "lmd_matched/A/B/C/TR.../<md5>.mid and lmd_matched_h5/ beside it, or a folder of MIDI files"
TRACK = re.compile(r"TR[A-Z]{5}[0-9A-F]{11}")
MD5 = re.compile(r"[0-9a-f]{32}")
MAX_TERMS = 1000
MAX_H5_BYTES = 100 << 20
TAGS = "tags.csv"


def locate(folder: Path) -> Path | None:
    """`lmd_matched` in, or at, `folder`; else `folder` where MIDI files lie in it or in a folder in it."""
    for candidate in (folder / "lmd_matched", folder):
        if os.path.isdir(candidate) and _is_tree(candidate):
            return candidate
    levels = [folder]
    for _ in range(2):
        if any(path.suffix.lower() in MIDI for place in levels for path in islice(_entries(place), 200)):
            return folder
        levels = [below for place in levels[:20] for below in subfolders(place)[:20]]
    return None


def _entries(folder: Path):
    try:
        yield from folder.iterdir()
    except OSError:
        return


def _is_tree(folder: Path) -> bool:
    """True for folders A/B/C/TRABC...: four levels, the last one named after a track."""
    levels = [folder]
    for _ in range(3):
        levels = [below for place in levels[:30] for below in subfolders(place) if len(below.name) == 1]
    return any(TRACK.fullmatch(below.name) for place in levels[:30] for below in subfolders(place))


def read(root: Path) -> Corpus:
    """Every path to a MIDI file (one file can have several), with `facts` md5, track, terms and title.

    Label = the first term or "unlabelled". Paths that share a file or an artist share a group.
    """
    return _read_tree(root) if _is_tree(root) else _read_folder(root)


def _read_tree(root: Path) -> Corpus:
    paths, rejected = files_under(root, MIDI, depth=4)
    described: dict[str, dict] = {}
    items = []
    for path in tqdm(paths, desc="genre terms", unit="file", file=sys.stderr, disable=len(paths) < 500):
        track = path.parent.name
        if not TRACK.fullmatch(track) or path.relative_to(root).parts[:-2] != tuple(track[2:5]):
            rejected.append((path, "does not lie in A/B/C/TRABC..., the folder of its track"))
            continue
        if track not in described:
            described[track] = _described(metadata_path(root, track))
        facts = {**described[track], "md5": path.stem, "track": track}
        artist = facts.pop("artist")
        reason = facts.pop("reason", None)
        if reason:
            rejected.append((path, reason))
            continue
        label = facts["terms"][0] if facts["terms"] else "unlabelled"
        checksum = path.stem if MD5.fullmatch(path.stem) else ""  # what the files are named after
        items.append(Item(safe_id(f"{track}-{path.stem}"), path, label, "", artist, None, facts, checksum))
    groups = joined_groups([(f"file {item.facts['md5']}", f"artist {item.artist}") for item in items])
    items = [replace(item, group=safe_id(groups[f"file {item.facts['md5']}"])) for item in items]
    unique = len({item.facts["md5"] for item in items})
    complete = unique == sum(known.counts(NAME).values())
    return Corpus(NAME, root, "other", items, rejected, {"unique_files": unique}, complete=complete)


def metadata_path(root: Path, track: str) -> Path:
    """`lmd_matched_h5/F/B/N/TRFBNQN128F92FFA5E.h5` beside `root` (`lmd_matched`)."""
    return root.resolve().parent / "lmd_matched_h5" / track[2] / track[3] / track[4] / f"{track}.h5"


def _described(path: Path) -> dict:
    """Terms, artist and title of a track; `reason` says what is wrong with its metadata."""
    try:
        return terms(path)
    except DataError as error:
        return {"terms": [], "artist": "", "title": "", "reason": str(error)}


def terms(path: Path) -> dict:
    """Genre terms in the order of the file (descending weight), artist and title from a Million Song Dataset file.

    Links and data outside the file are not followed.

    Raises:
        DataError: missing, not HDF5, without these fields, or with more than a thousand terms.
    """
    if not os.path.isfile(path):
        raise DataError(f"no metadata {path.name} in lmd_matched_h5")
    if path.stat().st_size > MAX_H5_BYTES:
        raise DataError(f"metadata {path.name}: {path.stat().st_size:,} bytes, at most {MAX_H5_BYTES:,} are read")
    try:
        with h5py.File(path, "r") as file:
            names = _dataset(file, "metadata", "artist_terms")
            songs = _dataset(file, "metadata", "songs")
            if names.ndim != 1 or names.shape[0] > MAX_TERMS:
                raise DataError(f"metadata {path.name}: {names.shape} terms, at most {MAX_TERMS} are read")
            if songs.shape[:1] != (1,):
                raise DataError(f"metadata {path.name}: {songs.shape} songs instead of one")
            song = songs[0]
            return {
                "terms": [_text(name) for name in names[:]],
                "artist": _text(song["artist_name"]),
                "title": _text(song["title"]),
            }
    except (OSError, LookupError, ValueError, RuntimeError, TypeError, AttributeError, MemoryError) as error:
        words = (str(error).splitlines() or [type(error).__name__])[0][:80]
        raise DataError(f"metadata {path.name} cannot be read ({words})") from None


def _dataset(file: h5py.File, group: str, name: str) -> h5py.Dataset:
    for place, key in ((file, group), (file[group], name)):
        if not isinstance(place.get(key, getlink=True), h5py.HardLink):
            raise DataError(f"metadata {Path(file.filename).name}: /{group}/{name} is a link or missing")
    dataset = file[group][name]
    if not isinstance(dataset, h5py.Dataset) or dataset.external:
        raise DataError(f"metadata {Path(file.filename).name}: /{group}/{name} keeps its data in another file")
    return dataset


def _text(value) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _read_folder(root: Path) -> Corpus:
    paths, rejected = files_under(root, MIDI)
    tags: dict[str, dict] = {}
    if os.path.isfile(root / TAGS):
        tags = {row["file"]: row for row in tables.records(root / TAGS, ("file", "tags"))}
    items, ids = [], set()
    for path in paths:
        row = tags.get(path.relative_to(root).as_posix(), {})
        names = [tag.strip() for tag in row.get("tags", "").split(";") if tag.strip()]
        folder = path.parent.name if path.parent != root else "unlabelled"
        name = safe_id(path.relative_to(root).with_suffix("").as_posix().replace("/", "."))
        name = name if name not in ids else safe_id(f"{path.relative_to(root).as_posix()}/")  # a.mid beside a.midi
        ids.add(name)
        artist = row.get("artist") or None
        facts = {"terms": names, "title": path.stem, "md5": name, "track": name}
        items.append(Item(name, path, names[0] if names else folder, artist or name, artist, None, facts))
    return Corpus("midi-folder", root, "other", items, rejected, {"unique_files": len(items)})
