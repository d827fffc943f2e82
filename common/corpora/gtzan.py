"""GTZAN: 1,000 tracks of 30 s in ten genres (Tzanetakis and Cook 2002).

Layouts: `genres/<genre>/<genre>.00000.au` (the original archive) and `genres_original/<genre>/<genre>.00000.wav` (the
Kaggle mirror). Duplicates and damaged files: the CSV files in `known/`, with their sources.
"""

import os
import re
from itertools import islice
from pathlib import Path

from common.corpora import known
from common.corpora.items import Corpus, Item, joined_groups
from common.corpora.listing import files_under, subfolders

NAME = "gtzan"
TITLE = "GTZAN"
NEEDS = "genres/<genre>/<genre>.00000.au or genres_original/<genre>/<genre>.00000.wav, 1.2 GB"
EXTENSIONS = (".au", ".wav")
TRACK = re.compile(r"([a-z]+)\.(\d{5})\.(au|wav)")


def locate(folder: Path) -> Path | None:
    """The folder of genre folders in, or at, `folder`."""
    for candidate in (folder / "genres", folder / "genres_original", folder / "Data" / "genres_original", folder):
        if os.path.isdir(candidate) and any(_is_genre_folder(genre) for genre in subfolders(candidate)):
            return candidate
    return None


def _is_genre_folder(folder: Path) -> bool:
    """True where a folder holds a file named after it, as in blues/blues.00000.wav."""
    try:
        names = [path.name for path in islice(folder.iterdir(), 200)]
    except OSError:
        return False
    return any((match := TRACK.fullmatch(name)) and match[1] == folder.name for name in names)


def read(root: Path) -> Corpus:
    """All tracks below `root`; label = genre, group = track, duplicates sharing one. Checksums are known of the .wav.

    A track that lies there as .au and as .wav is read once, as .au.
    """
    paths, rejected = files_under(root, EXTENSIONS, depth=1)
    duplicates = joined_groups([(row["first"], row["second"]) for row in known.table("gtzan_duplicates")])
    bad = {row["file"]: row["reason"] for row in known.table("gtzan_known_bad")}
    checksums = known.checksums("gtzan")
    items: dict[str, Item] = {}
    for path in paths:
        match = TRACK.fullmatch(path.name)
        if not match or match[1] != path.parent.name:
            rejected.append((path, f"name is not {path.parent.name}.00000.au or .wav"))
        elif path.name in bad:
            rejected.append((path, f"known to be damaged: {bad[path.name]}"))
        elif path.stem in items:
            rejected.append((path, "the same track is there as .au"))
        else:
            group = duplicates.get(path.stem, path.stem)
            items[path.stem] = Item(path.stem, path, match[1], group, checksum=checksums.get(path.name, ""))
    ordered = [items[name] for name in sorted(items)]
    present = {path.stem for path in paths}
    missing = [name for name in expected_tracks() if name not in present and f"{name}.wav" not in bad]
    return Corpus(NAME, root, "other", ordered, rejected, {}, missing, complete=not missing)


def expected_tracks() -> list[str]:
    """Ids of the 1,000 published tracks."""
    counts = [row for row in known.table("published") if row["data_set"] == NAME]
    return [f"{row['label']}.{number:05d}" for row in counts for number in range(int(row["files"]))]
