"""The tables of `fma_metadata` that the report draws: 518 features of each track, and the Echo Nest's."""

import csv
from pathlib import Path

import numpy as np

from common.corpora import Corpus, fma
from common.corpora.items import Item

# Coefficients of each feature; the table has seven statistics of each (kurtosis, max, mean, median, min, skew, std).
COEFFICIENTS = {
    "chroma_cens": 12, "chroma_cqt": 12, "chroma_stft": 12, "mfcc": 20, "rmse": 1, "spectral_bandwidth": 1,
    "spectral_centroid": 1, "spectral_contrast": 7, "spectral_rolloff": 1, "tonnetz": 6, "zcr": 1,
}
STATISTICS = 7
SETS = {"librosa": ("features", None), "audio": ("echonest", "audio_features"),
        "temporal": ("echonest", "temporal_features")}
TEMPO = 6  # of the eight audio features, in alphabetical order


def read(corpus: Corpus, items: list[Item]) -> dict[str, np.ndarray]:
    """Features of the corpus's tracks: `librosa` (n, 518), `audio` (m, 8), `temporal` (m, 224), as arrays.

    Each comes with `<name>_label`, places in the sorted labels. Tables that are not there are left out, and so are
    tracks that a table lacks (the Echo Nest knew one in eight).
    """
    metadata = fma.metadata_of(corpus.root)
    labels = sorted({item.label for item in items})
    code = {item.group: labels.index(item.label) for item in items}
    found, tables = {}, {}
    for name, (table, wanted) in SETS.items():
        if metadata is None or not (metadata / f"{table}.csv").is_file():
            continue
        if table not in tables:
            tables[table] = fma.features(metadata, table)
        columns, tracks, values = tables[table]
        chosen = [i for i, column in enumerate(columns) if wanted in (None, column[1])]
        rows = [i for i, track in enumerate(tracks) if track in code and np.isfinite(values[i, chosen]).all()]
        if rows and chosen:
            found[name] = values[np.ix_(rows, chosen)]
            found[f"{name}_label"] = np.array([code[tracks[i]] for i in rows], np.int32)
    return found


def genre_counts(root: Path) -> dict[str, int]:
    """Tracks of each root genre with all its sub-genres, from genres.csv: what the figure of 16 genres seems to draw.

    Empty where the table is not there or has no counts.
    """
    metadata = fma.metadata_of(root)
    if metadata is None or not (metadata / "genres.csv").is_file():
        return {}
    with open(metadata / "genres.csv", newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if (row.get("#tracks") or "").isdigit()]
    titles, totals = {row["genre_id"]: row["title"] for row in rows}, {}
    for row in rows:
        root_title = titles.get(row["top_level"], row["top_level"])
        totals[root_title] = totals.get(root_title, 0) + int(row["#tracks"])
    return totals
