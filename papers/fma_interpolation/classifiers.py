"""The six classical genre classifiers with their grids, on 1,536 unscaled statistics (sec. Machine Learning approach).

Every grid point of every protocol is fitted once and kept beside the store, so that a stopped evaluation goes on and
modes that share a store share the fits.
"""

import os
import warnings
from dataclasses import dataclass

import joblib
import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from common import probes
from common.progress import progress
from papers.fma_interpolation import splits

VERSION = 1
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


def build(name, value, classes, seed, means=None):
    """The scikit-learn estimator: decision tree, logistic regression, SVM, nearest neighbours, naive Bayes, mixture."""
    return {
        "DT": lambda: DecisionTreeClassifier(min_samples_leaf=value, random_state=seed),
        "LR": lambda: LogisticRegression(C=value),  # lbfgs, multinomial, 100 iterations
        "SVM": lambda: SVC(C=value, gamma="auto"),
        "KNN": lambda: KNeighborsClassifier(value),
        "GNB": GaussianNB,
        "GMM0": lambda: GaussianMixture(classes, random_state=seed),
        "GMM1": lambda: GaussianMixture(classes, random_state=seed, means_init=means),
    }[name]()


def fit_all(store, statistics, labels, protocol, seed):
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
            with open(jobs[job].with_suffix(".partial"), "wb") as file:
                np.savez(file, **part)
            os.replace(jobs[job].with_suffix(".partial"), jobs[job])
    found = {name: Fitted(values, [], []) for name, values in GRIDS.items()}
    for (name, _), path in jobs.items():
        with np.load(path, allow_pickle=False) as kept:
            found[name].validation.append(kept["validation"])
            found[name].test.append(kept["test"])
    return split, found


def _parallel(jobs):
    """Results of delayed calls in order, from a process on each core this one may use."""
    return joblib.Parallel(n_jobs=-1, return_as="generator")(jobs)


def shuffled_accuracies(store, statistics, labels, count, seed):
    """Accuracy under the official split with the artists' labels shuffled within each part: {name: (count, 2)}.

    What chance gives, since nothing about a genre is left to learn; the columns are with the grid value picked on the
    validation part and on the test part. An artist keeps one label, so that artists are what is exchanged.
    """
    path = _cache(store) / f"{VERSION}-shuffled-{count}-{seed}.npz"
    if not path.exists():
        artists, splits_of = np.asarray(store.array("artists")), np.array([row["split"] for row in store.index])
        jobs = (joblib.delayed(_fit_shuffled)(statistics, labels, artists, splits_of, [seed, k]) for k in range(count))
        rows = list(progress(_parallel(jobs), "classifiers, labels shuffled", "shuffle", count))
        with open(path.with_suffix(".partial"), "wb") as file:
            np.savez(file, **{name: np.array([row[name] for row in rows]) for name in SHUFFLED})
        os.replace(path.with_suffix(".partial"), path)
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
    train, classes = split["train"], int(labels.max()) + 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "did not converge" is the program's own setting: 100 iterations
        if name == "KNN":
            value = min(value, len(train))
        if name == "GMMC":
            return {"test": one_gaussian_per_class(statistics, labels, split), "validation": np.zeros(0)}
        estimator = build(name, value, classes, seed, means)
        fitted = estimator.fit(statistics[train], labels[train])
        test = fitted.predict(statistics[split["test"]])
        if name.startswith("GMM"):
            return {"test": test, "validation": np.zeros(0)}
        # Where the test set must not pick the grid value, a fit without the validation rows does.
        fit = split.get("fit", train)
        if len(split["validation"]) and len(np.unique(labels[fit])) > 1:
            again = fitted
            if fit is not train:
                value = min(value, len(fit)) if name == "KNN" else value
                again = build(name, value, classes, seed).fit(statistics[fit], labels[fit])
            return {"test": test, "validation": again.predict(statistics[split["validation"]])}
    return {"test": test, "validation": np.zeros(0)}


def _given_means(store, statistics, labels, train, classes):
    """First chunk of one track per genre: the program's eight tracks in its order, or the first track of each genre."""
    first = {}
    for i, row in enumerate(store.index):
        first.setdefault(row["group"], i)
    if all(track in first for track in MIXTURE_TRACKS) and classes == len(MIXTURE_TRACKS):
        return statistics[[first[track] for track in MIXTURE_TRACKS]]
    rows = [next((i for i in train if labels[i] == genre), train[0]) for genre in range(classes)]
    return statistics[rows] + 1e-6 * np.arange(classes)[:, None]  # two equal means would be one component


def pick(fitted, split, labels, select_on):
    """(place in the grid, predictions on the test part): the best on the test or on the validation part."""
    part = "test" if select_on == "test" or not len(fitted.validation[0]) else "validation"
    truth = labels[split[part]]
    place = int(np.argmax([np.mean(p == truth) for p in getattr(fitted, part)]))
    return place, fitted.test[place]


def matched(component, truth, classes):
    """Components renamed so that the fewest predictions are wrong (Hungarian method)."""
    table = np.zeros((classes, classes))
    np.add.at(table, (component, truth), 1)
    return linear_sum_assignment(-table)[1][component]


def one_gaussian_per_class(statistics, labels, split):
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


def report(truth, predicted, classes):
    """The printed report: per class precision, recall, F1 and support, accuracy, macro and weighted averages."""
    scored = probes.scores(truth, predicted, classes)
    support = np.bincount(truth, minlength=classes)
    table = np.stack([scored["precision"], scored["recall"], scored["f1"]], axis=1)
    present = support > 0
    return {"classes": table, "support": support, "accuracy": scored["accuracy"], "confusion": scored["confusion"],
            "macro": table[present].mean(axis=0), "weighted": (table * support[:, None]).sum(axis=0) / support.sum()}
