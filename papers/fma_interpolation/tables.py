"""The tables of `fma_metadata` that the report draws: 518 features of each track, and the Echo Nest's."""

from pathlib import Path

import numpy as np

# Statistics of a feature: kurtosis, max, mean, median, min, skew, std. Coefficients of each feature (mdeff/fma):
COEFFICIENTS = {
    "chroma_cens": 12, "chroma_cqt": 12, "chroma_stft": 12, "mfcc": 20, "rmse": 1, "spectral_bandwidth": 1,
    "spectral_centroid": 1, "spectral_contrast": 7, "spectral_rolloff": 1, "tonnetz": 6, "zcr": 1,
}
STATISTICS = 7
ECHO_NEST = ("acousticness", "danceability", "energy", "instrumentalness", "liveness", "speechiness", "tempo",
             "valence")


def read(corpus, items):
    """Features of the corpus's tracks as arrays, those of `librosa` (n, 518), `audio` (m, 8) and `temporal` (m, 224).

    Each comes with `<name>_label` (index into the sorted labels). Tables that are not there are left out, and so are
    tracks that a table lacks (the Echo Nest knew one in eight).
    """
    found, labels = {}, sorted({item.label for item in items if item.label})
    label_of = {_number(item.group): labels.index(item.label) for item in items if item.label}
    for name, file, column in (("librosa", "features.csv", None), ("audio", "echonest.csv", "audio_features"),
                               ("temporal", "echonest.csv", "temporal_features")):
        path = _locate(corpus, file)
        if path is None:
            continue
        table = _table(path)
        if column:
            table = table.loc[:, [c for c in table.columns if c[1] == column]]
        table = table.loc[[track for track in label_of if track in table.index]].dropna()
        if len(table):
            found[name] = table.to_numpy(np.float32)
            found[f"{name}_label"] = np.array([label_of[track] for track in table.index], np.int32)
    return found


def genre_counts(path):
    """Tracks of each root genre with its sub-genres, from genres.csv: what the figure of 16 genres seems to draw."""
    import pandas

    table = pandas.read_csv(path, index_col=0)
    totals = table.groupby("top_level")["#tracks"].sum()
    return {table.loc[root, "title"]: int(total) for root, total in totals.items()}


def locate(corpus_root, file):
    """fma_metadata/<file> in the corpus's folder or beside it, or None."""
    root = Path(corpus_root)
    places = [base / sub / file for base in (root, root.parent) for sub in ("fma_metadata", ".")]
    return next((place for place in places if place.is_file()), None)


def _locate(corpus, file):
    return locate(corpus.root, file)


def _table(path):
    import pandas

    return pandas.read_csv(path, index_col=0, header=[0, 1, 2])


def _number(track):
    return int(track) if str(track).isdigit() else track
