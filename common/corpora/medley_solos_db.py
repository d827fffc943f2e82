"""Medley-solos-DB: 21,571 clips of 2.97 s, eight solo instruments (Lostanlen et al., Zenodo 3464194).

`Medley-solos-DB_<subset>-<instrument id>_<uuid4>.wav` (`.wav.wav` in an older release; FLAC is read as well) and
`Medley-solos-DB_metadata.csv` with the columns subset, instrument, instrument_id, song_id (older: track_id), uuid4.
"""

import os
import re
from collections import Counter
from itertools import islice
from pathlib import Path

from common.corpora import known, tables
from common.corpora.items import Corpus, Item
from common.corpora.listing import files_under
from common.errors import DataError

NAME = "medley_solos_db"
TITLE = "Medley-solos-DB"
NEEDS = "Medley-solos-DB_<subset>-<instrument>_<uuid4>.wav and Medley-solos-DB_metadata.csv, 11 GB"
TABLE = "Medley-solos-DB_metadata.csv"
FILE = re.compile(r"Medley-solos-DB_(training|validation|test)-([0-7])_([0-9a-f-]{36})(\.wav|\.wav\.wav|\.flac)")
INSTRUMENTS = (
    "clarinet", "distorted electric guitar", "female singer", "flute", "piano", "tenor saxophone", "trumpet", "violin",
)  # fmt: skip


def locate(folder: Path) -> Path | None:
    """The folder of clips in, or at, `folder`, where the metadata is found at or beside it."""
    for candidate in (folder, folder / "audio", folder / "Medley-solos-DB"):
        if os.path.isdir(candidate) and _holds_clips(candidate) and table_of(candidate):
            return candidate
    return None


def _holds_clips(folder: Path) -> bool:
    try:
        return any(
            path.name.startswith("Medley-solos-DB_") and path.name != TABLE for path in islice(folder.iterdir(), 500)
        )
    except OSError:
        return False


def table_of(clips: Path) -> Path | None:
    """The metadata CSV: among the clips, beside their folder, or in `annotation/`."""
    beside = clips.resolve().parent
    places = (clips / TABLE, beside / TABLE, beside / "annotation" / TABLE)
    return next((place for place in places if os.path.isfile(place)), None)


def read(root: Path) -> Corpus:
    """All clips of the table; label = instrument, group = song, split = subset; checksums are of the WAV files."""
    rows = {}
    for row in tables.records(table_of(root), ("subset", "instrument_id", "uuid4")):
        song = row.get("song_id", row.get("track_id"))
        if song is None:
            raise DataError(f"{table_of(root)}: no column song_id or track_id. Get the table again.")
        rows[row["uuid4"]] = (row["subset"], row["instrument_id"], song)
    checksums = known.checksums(NAME)
    paths, rejected = files_under(root, (".wav", ".flac"), depth=0)
    items: dict[str, Item] = {}
    for path in paths:
        match = FILE.fullmatch(path.name)
        if not match:
            rejected.append((path, "name is not that of a clip"))
        elif match[3] not in rows:
            rejected.append((path, f"is not in {TABLE}"))
        elif rows[match[3]][:2] != (match[1], match[2]):
            rejected.append((path, f"{TABLE} has it as {rows[match[3]][0]}, instrument {rows[match[3]][1]}"))
        elif match[3] in items:
            rejected.append((path, "the same clip is there in another format"))
        else:
            name = f"{match[1]}-{match[2]}_{match[3]}"
            checksum = checksums.get(path.name.replace(".wav.wav", ".wav"), "")
            song = f"song-{rows[match[3]][2]}"
            items[match[3]] = Item(name, path, INSTRUMENTS[int(match[2])], song, None, match[1], {}, checksum)
    missing = sorted(
        f"{subset}-{instrument}_{uuid}" for uuid, (subset, instrument, _) in rows.items() if uuid not in items
    )
    ordered = sorted(items.values(), key=lambda item: item.id)
    complete = not missing and Counter(item.label for item in ordered) == known.counts(NAME)
    return Corpus(NAME, root, "other", ordered, rejected, {}, missing, complete)
