"""The six classical genre classifiers with their grids, on 1,536 unscaled statistics (sec. Machine Learning approach).

Every grid point of every protocol is fitted once and kept beside the store, so that a stopped evaluation goes on and
modes that share a store share the fits.
"""

import os
import time
import warnings
from dataclasses import dataclass

import joblib
import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.base import BaseEstimator
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from common import probes
from common.progress import progress
from common.store import Store
from papers.fma_interpolation import data, splits
from papers.fma_interpolation.config import Config

VERSION = 2
EXACT_ROWS = 12_000  # training rows up to which the SVM is exact, as the program's; its time grows with their square
NYSTROEM = 1000      # landmarks of the kernel beyond that
FOLDS = 3            # of the comparison of chunks, tracks and artists; two thirds train, as the report's 70 %
PRINTED_BEST = {"DT": 10, "LR": 0.1, "SVM": 100, "KNN": 40, "GNB": 0}  # the grid values of the printed reports
MIXTURE_TRACKS = ("000010", "000002", "000666", "000182", "000140", "000148", "010250", "001482")  # program, b6457fc

GRIDS = {  # printed, except the naming; the SVM's 150 and 200 were run on the other split
    "DT": (1, 3, 5, 7, 10, 25), "LR": (0.001, 0.01, 0.1, 1, 10, 100), "SVM": (0.001, 0.01, 0.1, 1, 10, 100, 150, 200),
    "KNN": (5, 10, 20, 40), "GNB": (0,), "GMM0": (0,), "GMM1": (0,), "GMMC": (0,),
}
SHUFFLED = ("DT", "LR", "SVM", "KNN", "GNB")  # the supervised ones with shuffled labels
NAMES = {"DT": "decision tree", "LR": "logistic regression", "SVM": "SVM", "KNN": "nearest neighbours",
         "GNB": "Gaussian naive Bayes", "GMM0": "mixture", "GMM1": "mixture, means given",
         "GMMC": "one Gaussian per genre"}


@dataclass(frozen=True)
class Fitted:
    """Predictions of one classifier at each grid value, on the validation and the test part."""

    values: tuple
    validation: list
    test: list


@dataclass(frozen=True)
class Folded:
    """Whether each of the first 10,000 chunks is recognised when chunks, tracks or artists are held out together.

    Every chunk is tested once a way, by a fit on two thirds of the others, so that the ways differ in nothing else.

    Attributes:
        rows: (n,) of the store. correct: {(classifier, "chunk" | "track" | "artist"): (n,) bool}.
    """

    rows: np.ndarray
    correct: dict


def build(name: str, value: float, classes: int, seed: int, rows: int,
          means: np.ndarray | None = None) -> BaseEstimator:
    """The scikit-learn estimator for so many training rows: DT, LR, SVM, KNN, GNB, GMM0 or GMM1.

    Beyond EXACT_ROWS the SVM is a linear one on NYSTROEM landmarks of the same kernel.
    """
    if name == "DT":
        return DecisionTreeClassifier(min_samples_leaf=value, random_state=seed)
    if name == "LR":
        return LogisticRegression(C=value)  # lbfgs, multinomial, 100 iterations
    if name == "SVM" and rows <= EXACT_ROWS:
        return SVC(C=value, gamma="auto")
    if name == "SVM":
        landmarks = Nystroem(gamma=1.0, n_components=NYSTROEM, random_state=seed)
        return make_pipeline(FunctionTransformer(_scaled), landmarks, LinearSVC(C=value, random_state=seed))
    if name == "KNN":
        return KNeighborsClassifier(min(value, rows))
    if name == "GNB":
        return GaussianNB()
    return GaussianMixture(min(classes, rows), random_state=seed, means_init=means)


def _scaled(x):
    """gamma="auto" is one over the number of columns: exp(-|x - y|^2 / columns)."""
    return x / np.sqrt(x.shape[1])


def fit_all(store: Store, statistics: np.ndarray, labels: np.ndarray, protocol: str,
            seed: int) -> tuple[dict[str, np.ndarray], dict[str, Fitted]]:
    """{name: Fitted} for one protocol; `statistics` (rows, 1536), `labels` (rows,) genre codes.

    The mixtures predict a component number; `validation` is empty for them.
    """
    split = splits.CLASSICAL[protocol](len(labels), splits=[row["split"] for row in store.index], seed=seed)
    folder = _cache(store)
    means = _given_means(store, statistics, labels, split["train"], int(labels.max()) + 1)
    jobs = {(name, value): folder / f"{VERSION}-{protocol}-{name}-{value}-{seed}.npz"
            for name, values in GRIDS.items() for value in values}
    missing = [job for job, path in jobs.items() if not path.exists()]
    if missing:
        # One process a fit, each with one thread: threads of their own make small fits ten times slower.
        parts = _parallel(joblib.delayed(_fit)(name, value, statistics, labels, split, seed, means)
                          for name, value in missing)
        shown = progress(parts, f"classifiers, {protocol} split", "fit", len(missing))
        for job, part in zip(missing, shown, strict=True):
            _keep(jobs[job], part)
    found = {name: Fitted(values, [], []) for name, values in GRIDS.items()}
    for (name, _), path in jobs.items():
        with np.load(path, allow_pickle=False) as kept:
            found[name].validation.append(kept["validation"])
            found[name].test.append(kept["test"])
    return split, found


def _parallel(jobs):
    """Results of delayed calls in order, from a process on each core this one may use."""
    return joblib.Parallel(n_jobs=-1, return_as="generator")(jobs)


def shuffled_accuracies(store: Store, statistics: np.ndarray, labels: np.ndarray, count: int,
                        seed: int) -> dict[str, np.ndarray]:
    """Accuracy under the official split with the artists' labels shuffled within each part: {name: (count, 2)}.

    What chance gives, since nothing about a genre is left to learn; the columns are with the grid value picked on the
    validation part and on the test part. An artist keeps one label, so that artists are what is exchanged.
    """
    path = _cache(store) / f"{VERSION}-shuffled-{count}-{seed}.npz"
    if not path.exists():
        artists, splits_of = np.asarray(store.array("artists")), np.array([row["split"] for row in store.index])
        jobs = (joblib.delayed(_fit_shuffled)(statistics, labels, artists, splits_of, [seed, k]) for k in range(count))
        rows = list(progress(_parallel(jobs), "classifiers, labels shuffled", "shuffle", count))
        _keep(path, {name: np.array([row[name] for row in rows]) for name in SHUFFLED})
    with np.load(path, allow_pickle=False) as kept:
        return {name: kept[name] for name in SHUFFLED}


def _fit_shuffled(statistics, labels, artists, splits_of, seed):
    random, answer = np.random.default_rng(seed), labels.copy()
    for part in np.unique(splits_of):
        inside = splits_of == part
        people = np.unique(artists[inside])
        own = [np.bincount(labels[inside & (artists == one)]).argmax() for one in people]
        for one, label in zip(people, random.permutation(own), strict=True):
            answer[inside & (artists == one)] = label
    split = splits.official(len(labels), splits=splits_of)
    truth, found = answer[split["test"]], {}
    for name in SHUFFLED:
        parts = [_fit(name, value, statistics, answer, split, 0) for value in GRIDS[name]]
        fitted = Fitted(GRIDS[name], [p["validation"] for p in parts], [p["test"] for p in parts])
        found[name] = [np.mean(pick(fitted, split, answer, on)[1] == truth) for on in ("validation", "test")]
    return found


def _cache(store):
    """Folder beside the store in which fits are kept."""
    folder = store.directory.parent / f"{store.directory.name}-classifiers"
    folder.mkdir(exist_ok=True)
    return folder


def _fit(name, value, statistics, labels, split, seed, means=None):
    train, nothing = split["train"], {"validation": np.zeros(0)}
    if name == "GMMC":
        return nothing | {"test": one_gaussian_per_class(statistics, labels, split)}
    if name in ("GMM0", "GMM1") or not len(split["validation"]):
        return nothing | {"test": _predict(name, value, statistics, labels, train, [split["test"]], seed, means)[0]}
    if "fit" not in split:
        asked = [split["validation"], split["test"]]
        return dict(zip(("validation", "test"), _predict(name, value, statistics, labels, train, asked, seed),
                        strict=True))
    # Where the test set must not pick the grid value, a fit without the validation rows does.
    return {"test": _predict(name, value, statistics, labels, train, [split["test"]], seed)[0],
            "validation": _predict(name, value, statistics, labels, split["fit"], [split["validation"]], seed)[0]}


def _predict(name, value, statistics, labels, train, asked, seed, means=None, as_if=0):
    """Codes that a classifier fitted on the rows `train` gives each array of rows in `asked`.

    `as_if`: the estimator for so many training rows, whatever there are.
    """
    classes, mixture = int(labels.max()) + 1, name in ("GMM0", "GMM1")
    if not mixture and len(np.unique(labels[train])) < 2:  # what a part with one genre teaches
        return [np.full(len(rows), labels[train[0]]) for rows in asked]
    means = means if name == "GMM1" and len(train) >= classes else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "did not converge" is the program's own setting: 100 iterations
        estimator = build(name, value, classes, seed, as_if or len(train), means)
        fitted = estimator.fit(statistics[train], labels[train])
        return [fitted.predict(statistics[rows]) if len(rows) else np.zeros(0, labels.dtype) for rows in asked]


def folded(store: Store, statistics: np.ndarray, labels: np.ndarray, artists: np.ndarray, seed: int) -> Folded:
    """The Folded of the first 10,000 chunks."""
    rows = np.arange(min(len(labels), splits.CLASSICAL_ROWS * 10 // 12))
    path = _cache(store) / f"{VERSION}-folded-{seed}.npz"
    units = {"chunk": rows, "track": np.array([store.index[i]["group"] for i in rows]), "artist": artists[rows]}
    jobs = [(name, unit) for name in PRINTED_BEST for unit in units]
    if not path.exists():
        folds = {unit: splits.folds(groups, labels[rows], FOLDS, seed) for unit, groups in units.items()}
        parts = _parallel(joblib.delayed(_fold)(name, statistics[rows], labels[rows], folds[unit], seed)
                          for name, unit in jobs)
        found = list(progress(parts, "classifiers, chunks against tracks", "fit", len(jobs)))
        _keep(path, {f"{name}-{unit}": values for (name, unit), values in zip(jobs, found, strict=True)})
    with np.load(path, allow_pickle=False) as kept:
        return Folded(rows, {(name, unit): kept[f"{name}-{unit}"] for name, unit in jobs})


def _fold(name, statistics, labels, folds, seed):
    correct = np.zeros(len(labels), bool)
    for held_out in folds:
        train = np.setdiff1d(np.arange(len(labels)), held_out)
        if len(train) and len(held_out):
            found = _predict(name, PRINTED_BEST[name], statistics, labels, train, [held_out], seed)[0]
            correct[held_out] = found == labels[held_out]
    return correct


def _keep(path, arrays):
    """Write arrays whole or not at all; the temporary name is this process's own."""
    partial = path.with_suffix(f".{os.getpid()}.partial")
    with open(partial, "wb") as file:
        np.savez(file, **arrays)
    os.replace(partial, path)


def _given_means(store, statistics, labels, train, classes):
    """First chunk of one track per genre: the program's eight tracks in its order, or the first track of each genre."""
    first = {}
    for i, row in enumerate(store.index):
        first.setdefault(row["group"], i)
    if all(track in first for track in MIXTURE_TRACKS) and classes == len(MIXTURE_TRACKS):
        return statistics[[first[track] for track in MIXTURE_TRACKS]]
    rows = [next((i for i in train if labels[i] == genre), train[0]) for genre in range(classes)]
    return statistics[rows] + 1e-6 * np.arange(classes)[:, None]  # two equal means would be one component


def pick(fitted: Fitted, split: dict[str, np.ndarray], labels: np.ndarray, select_on: str) -> tuple[int, np.ndarray]:
    """(place in the grid, predictions on the test part): the best on the test or on the validation part."""
    part = "test" if select_on == "test" or not len(fitted.validation[0]) else "validation"
    truth = labels[split[part]]
    place = int(np.argmax([np.mean(p == truth) for p in getattr(fitted, part)]))
    return place, fitted.test[place]


def matched(component: np.ndarray, truth: np.ndarray, classes: int) -> np.ndarray:
    """Components renamed so that the fewest predictions are wrong (Hungarian method)."""
    table = np.zeros((classes, classes))
    np.add.at(table, (component, truth), 1)
    return linear_sum_assignment(-table)[1][component]


def one_gaussian_per_class(statistics: np.ndarray, labels: np.ndarray, split: dict[str, np.ndarray]) -> np.ndarray:
    """Predictions on the test part with one full Gaussian per genre: what a mixture can do as a classifier."""
    train, test = split["train"], split["test"]
    genres, scores = np.unique(labels[train]), []
    for genre in genres:
        mine = statistics[train][labels[train] == genre].astype(np.float64)
        covariance = np.cov(mine, rowvar=False, bias=True) + 1e-3 * np.eye(mine.shape[1])
        root = np.linalg.cholesky(covariance)
        away = np.linalg.solve(root, (statistics[test] - mine.mean(axis=0)).T)
        scores.append(-0.5 * np.square(away).sum(axis=0) - np.log(np.diag(root)).sum() + np.log(len(mine) / len(train)))
    return genres[np.argmax(scores, axis=0)]


def report(truth: np.ndarray, predicted: np.ndarray, classes: int) -> dict:
    """The printed report: per class precision, recall, F1 and support, accuracy, macro and weighted averages."""
    scored = probes.scores(truth, predicted, classes)
    support = np.bincount(truth, minlength=classes)
    table = np.stack([scored["precision"], scored["recall"], scored["f1"]], axis=1)
    present = support > 0
    return {"classes": table, "support": support, "accuracy": scored["accuracy"], "confusion": scored["confusion"],
            "macro": table[present].mean(axis=0), "weighted": (table * support[:, None]).sum(axis=0) / support.sum()}


# ---------------------------------------------------------------- how long the fits of an evaluation take

def estimate(config: Config, store: Store, rows: tuple[int, int] = (400, 1200)) -> dict[str, float]:
    """{classifier: seconds on one core} of all fits of an evaluation; {} where there is one class only.

    Each is timed at two numbers of rows, and its time taken to grow by the same power on to the rows that it is fitted
    on. Fits that another run left beside the store are not made again, and count here all the same.
    """
    labels, table = data.labels_of(store), store.array("statistics")
    if labels.max() < 1:
        return {}
    some = np.random.default_rng(0).permutation(len(labels))[:max(rows)]
    parts = {one: split(len(labels), splits=[row["split"] for row in store.index])
             for one, split in splits.CLASSICAL.items()}
    folds = min(len(labels), splits.CLASSICAL_ROWS * 10 // 12) * (FOLDS - 1) // FOLDS
    found = {}
    for name, values in GRIDS.items():
        sizes = [len(part[key]) for part in parts.values() for key in ("train", "fit") if key in part] * len(values)
        if name in PRINTED_BEST:
            sizes += [folds] * 3 * FOLDS + [len(parts["official"]["train"])] * len(values) * config.shuffles
        found[name] = _seconds(name, np.asarray(table[np.sort(some)]), labels[np.sort(some)], rows, sizes)
    return found


def _seconds(name, table, labels, rows, sizes):
    """Seconds of fits on `sizes` rows, by the power that two smaller numbers of `rows` show."""
    rows, total = sorted({min(count, len(labels)) for count in rows}), 0.0
    for beyond in {size > EXACT_ROWS for size in sizes}:
        took = []
        for count in rows:
            began, every = time.perf_counter(), np.arange(count)
            if name == "GMMC":
                one_gaussian_per_class(table, labels, {"train": every, "test": every})
            else:
                _predict(name, PRINTED_BEST.get(name, 0), table, labels, every, [every], 0,
                         as_if=EXACT_ROWS + 1 if beyond else count)
            took.append(time.perf_counter() - began)
        power = np.log(took[-1] / took[0]) / np.log(rows[-1] / rows[0]) if len(rows) > 1 else 1.0
        total += sum(took[-1] * (size / rows[-1]) ** np.clip(power, 0, 3)
                     for size in sizes if (size > EXACT_ROWS) == beyond)
    return float(total)
