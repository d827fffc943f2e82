"""The Free Music Archive data set, release of 2017 (Defferrard et al.; mdeff/fma).

`fma_small/000/000002.mp3`, `fma_medium/...` or `fma_large/...`, with `fma_metadata/tracks.csv` beside it. Small is part
of medium and medium of large: a subset is read from the smallest of these folders that holds it. More than half of
large has no root genre; such clips are left out. tracks.csv has two rows of
column names and a third with the name of the index; features.csv and echonest.csv have three and one.
"""

import os
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from common.corpora import known, tables
from common.corpora.items import Corpus, Item
from common.corpora.listing import files_under
from common.errors import DataError

FILE = re.compile(r"(\d{6})\.mp3")
CLIP_SECONDS = 30
FOLDERS = ("fma_small", "fma_medium", "fma_large")
SUBSETS = {"fma_small": ("small",), "fma_medium": ("small", "medium"), "fma_large": ("small", "medium", "large")}
TRACK_COLUMNS = {
    "genre": ("track", "genre_top"),
    "title": ("track", "title"),
    "artist": ("artist", "id"),
    "subset": ("set", "subset"),
    "split": ("set", "split"),
}


@dataclass(frozen=True)
class Reader:
    """The reader of one subset.

    Attributes:
        GIB: the published size of its archive, which MP3 files hardly shrink in; 0 where that is not all of the items.
    """

    NAME: str
    TITLE: str
    NEEDS: str
    GIB: float

    def locate(self, folder: Path) -> Path | None:
        """The audio folder that holds the subset, in or at `folder`, where the metadata is found beside or in it."""
        for name in FOLDERS[FOLDERS.index(self.NAME) :]:
            for candidate in (folder / name, folder):
                if os.path.isdir(candidate) and candidate.name == name and metadata_of(candidate):
                    return candidate
        return None

    def read(self, root: Path) -> Corpus:
        """The subset's clips; label = root genre, group = track, artist and split as in tracks.csv."""
        wanted = {track: row for track, row in tracks(metadata_of(root)).items() if row["subset"] in SUBSETS[self.NAME]}
        bad = {row["track"]: row["reason"] for row in known.table("fma_known_bad") if row["effect"] == "no audio"}
        paths, rejected = files_under(root, (".mp3",), depth=1)
        checksums, items = _checksums(root), {}
        for path in paths:
            match = FILE.fullmatch(path.name)
            if not match or path.parent.name != match[1][:3]:
                rejected.append((path, "name or folder is not that of a track, as in 000/000002.mp3"))
            elif (track := match[1]) in bad:
                rejected.append((path, f"known to be damaged: {bad[track]}"))
            elif track in wanted:
                row = wanted[track]
                if not row["genre"]:
                    rejected.append((path, "has no root genre in tracks.csv"))
                    continue
                facts = {"title": row["title"]}
                checksum = checksums.get(path.name, "")
                items[track] = Item(track, path, row["genre"], track, row["artist"], row["split"], facts, checksum)
            elif root.name == self.NAME:
                rejected.append((path, f"is not in tracks.csv as a track of {self.NAME}"))
        genres = {track: row["genre"] for track, row in wanted.items() if row["genre"]}
        missing = sorted(f"{track[:3]}/{track}.mp3" for track in set(genres) - set(items) - set(bad))
        complete = not missing and Counter(genres.values()) == known.counts(self.NAME)
        return Corpus(self.NAME, root, "other", list(items.values()), rejected, {}, missing, complete,
                      tables_of(metadata_of(root)))  # fmt: skip

    def unlike(self, items: list[Item]) -> str:
        """How the clips of a whole subset differ from those published: in their size or in a length; "" if in nothing.

        Every clip is of 30 s, but for those that are known to be short or of a wrong duration.
        """
        gib = sum(item.path.stat().st_size for item in items) / (1 << 30)
        if self.GIB and abs(gib - self.GIB) > 0.05 * self.GIB:
            return f"but {gib:.2f} GiB instead of {self.GIB:g}"
        short = {row["track"] for row in known.table("fma_known_bad")}
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as threads:
            lengths = threads.map(_seconds, [item.path for item in items])
            for item, seconds in zip(items, lengths, strict=True):
                if abs(seconds - CLIP_SECONDS) > 1 and item.id not in short:
                    return f"but {item.path.name} is of {seconds:.1f} s instead of {CLIP_SECONDS}"
        return ""


SMALL = Reader("fma_small", "FMA small", "fma_small/000/000002.mp3 and fma_metadata/tracks.csv, 7.2 GB and 0.3 GB", 7.2)
MEDIUM = Reader("fma_medium", "FMA medium", "fma_medium/000/000002.mp3 and fma_metadata/tracks.csv, 22 GB and 0.3 GB",
                22)
LARGE = Reader("fma_large", "FMA large", "fma_large/000/000002.mp3 and fma_metadata/tracks.csv, 93 GB and 0.3 GB", 0)


def _seconds(path: Path) -> float:
    """The length of a recording by its header, 0 where it has none."""
    try:
        return soundfile.info(str(path)).duration
    except (OSError, RuntimeError):  # soundfile's errors are RuntimeErrors
        return 0.0


def _checksums(audio: Path) -> dict[str, str]:
    """File name -> SHA-1 of the list `checksums` that comes in the archive, as `sha1sum` writes it; {} without one."""
    try:
        lines = (audio / "checksums").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    found = (re.fullmatch(r"([0-9a-f]{40}) [ *](?:.*/)?(\d{6}\.mp3)", line) for line in lines)
    return {match[2]: match[1] for match in found if match}


def tables_of(metadata: Path) -> tuple[Path, ...]:
    """The tables of `fma_metadata` that are there."""
    names = ("tracks.csv", "genres.csv", "features.csv", "echonest.csv")
    return tuple(metadata / name for name in names if os.path.isfile(metadata / name))


def metadata_of(audio: Path) -> Path | None:
    """The folder of tracks.csv: `fma_metadata` beside or in the audio folder, or one of these folders itself."""
    beside = audio.resolve().parent
    places = (beside / "fma_metadata", audio / "fma_metadata", beside, audio)
    return next((place for place in places if os.path.isfile(place / "tracks.csv")), None)


def tracks(metadata: Path) -> dict[str, dict[str, str]]:
    """tracks.csv: six-digit track id -> genre, title, artist, subset, split, in the order of ids.

    Raises:
        DataError: the table lacks one of these columns, or a row is no track.
    """
    path = metadata / "tracks.csv"
    table = tables.rows(path)
    groups, names = next(table, []), next(table, [])
    header = list(zip(groups, names, strict=False))
    missing = [".".join(column) for column in TRACK_COLUMNS.values() if column not in header]
    if missing:
        raise DataError(f"{path}: no column {', '.join(missing)}. Expected the tracks.csv of fma_metadata.zip.")
    places = {field: header.index(column) for field, column in TRACK_COLUMNS.items()}
    found = {}
    for row in table:
        if not row or row[0] in ("track_id", ""):  # the third header row names the index
            continue
        if not row[0].isdigit() or len(row) != len(header):
            raise DataError(f"{path}: the row of track {row[0][:20]!r} is damaged. Get the table again.")
        found[f"{int(row[0]):06d}"] = {field: row[place].strip() for field, place in places.items()}
    return dict(sorted(found.items()))


def features(metadata: Path, name: str = "features") -> tuple[list[tuple[str, str, str]], list[str], np.ndarray]:
    """features.csv or echonest.csv: the column names, the six-digit track ids, the values.

    Returns: columns as (feature, statistic, number); ids; float32 of shape (tracks, columns), NaN where no number is.

    Raises:
        DataError: the table does not begin with three rows of names, or a row is damaged.
    """
    path = metadata / f"{name}.csv"
    table = tables.rows(path)
    header = [next(table, []) for _ in range(3)]
    if not header[0] or len({len(row) for row in header}) != 1:
        raise DataError(
            f"{path}: does not begin with three rows of column names. Expected the one of fma_metadata.zip."
        )
    columns = list(zip(*(row[1:] for row in header), strict=True))
    ids, values = [], []
    for row in table:
        if not row or row[0] in ("track_id", ""):
            continue
        if not row[0].isdigit() or len(row) != len(columns) + 1:
            raise DataError(f"{path}: the row of track {row[0][:20]!r} is damaged. Get the table again.")
        ids.append(f"{int(row[0]):06d}")
        values.append(np.array([_number(cell) for cell in row[1:]], np.float32))
    return columns, ids, np.stack(values) if values else np.zeros((0, len(columns)), np.float32)


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return np.nan


def genres(metadata: Path) -> dict[int, str]:
    """genres.csv: genre id -> title."""
    return {
        int(row["genre_id"]): row["title"] for row in tables.records(metadata / "genres.csv", ("genre_id", "title"))
    }
