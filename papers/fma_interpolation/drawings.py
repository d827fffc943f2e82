"""The features of the data set drawn by PCA, t-SNE and UMAP, with the time each took (sec. Dataset and Collection)."""

import time
import warnings

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.preprocessing import StandardScaler

from common import plots, probes
from papers.fma_interpolation import tables

TITLES = {"librosa": "518 librosa features", "audio": "8 audio features of the Echo Nest",
          "temporal": "224 temporal features of the Echo Nest", "statistics": "statistics of the images"}


def project(method, x, config, seed):
    """(n, d) to (n, 2) and the seconds it took, by "pca", "tsne" or "umap"."""
    began = time.perf_counter()
    if method == "pca":
        points = PCA(2, random_state=seed).fit_transform(x)
    elif method == "tsne":
        points = TSNE(2, perplexity=min(config.perplexity, (len(x) - 1) / 3), random_state=seed).fit_transform(x)
    else:
        import umap

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a seed means one thread
            points = umap.UMAP(n_neighbors=min(config.neighbours, len(x) - 1), random_state=seed).fit_transform(x)
    return points, time.perf_counter() - began


def draw(config, store, run):
    """Results of T-VIS and Q7, and figures; without the data set's tables the images' statistics are drawn."""
    names = [name for name in tables.SETS if (store.directory / "arrays" / f"{name}.npy").exists()]
    genres = sorted({row["label"] for row in store.index})
    results, items = {}, []
    for name in names or ["statistics"]:
        x, labels = _features(name, store, genres)
        if config.drawn_tracks:
            x, labels = x[: config.drawn_tracks], labels[: config.drawn_tracks]
        scaled = StandardScaler().fit_transform(x)
        for method in ("pca", "tsne", "umap"):
            if len(x) < 5:
                continue
            points, seconds = project(method, scaled, config, run.seed)
            if names and method != "tsne":
                results[f"T-VIS-{method}-{name}"] = {"value": seconds, "n": len(x), "of": "tracks"}
            path = plots.scatter(run.figure(f"{method}-{name}"), points, np.array(genres)[labels],
                                 f"{method.upper()} of {TITLES[name]}", order=genres)
            items.append({"kind": "figure", "file": run.relative(path),
                          "caption": f"{method.upper()} of {TITLES[name]}, {len(x)} tracks, {seconds:.2f} s",
                          "alt": f"Scatter plot of tracks by {method.upper()}, coloured by genre",
                          "claims": [f"T-VIS-{method}-{name}"] if f"T-VIS-{method}-{name}" in results else []})
        if name == "audio":
            results |= _echo_nest(x, labels, config, run, genres, items)
    reason = {"not_testable": "fma_metadata has no features.csv or echonest.csv for these tracks"}
    wanted = [f"T-VIS-{m}-{n}" for n in tables.SETS for m in ("pca", "umap")]
    wanted += [f"Q7-{what}" for what in ("neighbours", "silhouette", "neighbours-scaled", "silhouette-scaled", "tempo")]
    return {claim: results.get(claim, reason) for claim in wanted}, items


def _features(name, store, genres):
    if name != "statistics":
        return np.asarray(store.array(name)), np.asarray(store.array(f"{name}_label"))
    first = {}
    for i, row in enumerate(store.index):
        first.setdefault(row["group"], i)
    rows = np.random.default_rng(0).permutation(list(first.values()))
    return np.asarray(store.array("statistics"))[rows], np.array([genres.index(store.index[i]["label"]) for i in rows])


def _echo_nest(x, labels, config, run, genres, items):
    """Q7: t-SNE and PCA of the eight features as drawn (unscaled) and scaled."""
    found = {}
    for suffix, values in (("", x), ("-scaled", StandardScaler().fit_transform(x))):
        plane = {method: project(method, values, config, run.seed)[0] for method in ("pca", "tsne")}
        scores = {}
        for method, points in plane.items():
            half = np.arange(len(points)) % 2 == 0
            scores[method] = (probes.neighbour_accuracy(points[half], labels[half], points[~half], labels[~half]),
                              probes.silhouette(points, labels))
        for k, what in enumerate(("neighbours", "silhouette")):
            found[f"Q7-{what}{suffix}"] = {"value": scores["pca"][k] - scores["tsne"][k], "n": len(x), "of": "tracks",
                                           "baselines": {method: scores[method][k] for method in scores}}
        if not suffix:
            correlation = np.corrcoef(plane["pca"][:, 0], x[:, tables.TEMPO])[0, 1]
            found["Q7-tempo"] = {"value": float(abs(correlation)), "n": len(x), "of": "tracks"}
            for method, points in plane.items():
                path = plots.scatter(run.figure(f"{method}-audio-unscaled"), points, np.array(genres)[labels],
                                     f"{method.upper()}, unscaled", order=genres)
                items.append({"kind": "figure", "file": run.relative(path), "claims": ["Q7-neighbours", "Q7-tempo"],
                              "caption": f"{method.upper()} of the eight audio features, unscaled as in the report",
                              "alt": f"Scatter plot of tracks by {method.upper()} of unscaled features"})
    return found
