"""Measures by hand-checked values, the classical reports, the claims file, and a run from the store to results.json."""

import csv
import dataclasses
import json
import subprocess
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from common import record, training
from common.findings import collect
from papers.fma_interpolation import (
    classifiers,
    config as settings,
    evaluate,
    facts,
    figures,
    findings,
    inference,
    measured,
    measures,
    projections,
    sound,
    tables,
    train,
)
from tests.papers.conftest import without_graphs

SMOKE_RUN = "test_evaluate.test_evaluation_has_a_value_or_a_reason_for_every_claim"  # test_contract asks

CLAIMS = Path(facts.CLAIMS)


# ---------------------------------------------------------------- measures

def test_equal_images_and_their_negatives():
    images = np.random.default_rng(0).random((3, 20, 30))
    np.testing.assert_allclose(measures.similarity(images, images), 1.0)
    np.testing.assert_allclose(measures.correlation(images, images), 1.0)
    np.testing.assert_allclose(measures.correlation(images, 1 - images), -1.0)
    np.testing.assert_allclose(measures.decibel_error(images, images + 0.1), 8.0)
    np.testing.assert_allclose(measures.squared_error(images, images + 0.1), 0.01)
    assert np.all(measures.similarity(images, 1 - images) < 0.1)


def test_frechet_distance_of_shifted_gaussians_is_the_squared_shift():
    x = np.random.default_rng(0).normal(size=(500, 3))
    assert measures.frechet_distance(x, x + [3, 0, 4]) == pytest.approx(25.0)
    assert measures.frechet_distance(x, 2 * (x - x.mean(axis=0)) + x.mean(axis=0)) == pytest.approx(
        np.trace(np.cov(x.T)), rel=1e-6)  # covariances C and 4C: tr(C + 4C - 2 * 2C)


def test_path_measures():
    line = np.linspace(0, 1, 5)[None, :, None] * np.ones((1, 1, 2))
    np.testing.assert_allclose(measures.largest_step(line), 1.0)
    assert measures.largest_step(np.array([[[0.0], [0.0], [0.0], [4.0], [4.0]]]))[0] == 4.0
    away = measures.distances(line, np.zeros((1, 2)))
    np.testing.assert_allclose(measures.path_orders(np.linspace(1, 0, 5), away), -1.0)
    assert measures.join_flux(np.zeros((1, 2, 3)), np.ones((1, 2, 3)))[0] == 2.0


def test_time_variance_of_a_smeared_image_is_zero():
    image = np.random.default_rng(0).random((1, 4, 50))
    assert measures.time_variance(image.mean(axis=2, keepdims=True) * np.ones((1, 4, 50)))[0] == pytest.approx(0)
    assert measures.time_variance(image)[0] == pytest.approx(1 / 12, rel=0.3)


def test_interpolation_formula():
    a, b = np.array([[1.0, 0.0]]), np.array([[0.0, 2.0]])
    shares = inference.fractions(9)
    assert shares[0] == 1 and shares[-1] == 0 and np.allclose(np.diff(shares), -0.125)
    path = inference.blend(a, b, shares)[0]
    np.testing.assert_array_equal(path[0], a[0])
    np.testing.assert_array_equal(path[-1], b[0])
    np.testing.assert_allclose(path[4], (a[0] + b[0]) / 2)


# ---------------------------------------------------------------- facts and claims

def test_printed_reports_agree_with_themselves_but_for_the_481():
    found = facts.printed_reports()
    stated = facts.printed()
    accuracy = {name: found[f"F-{name}-accuracy"]["value"] for name in facts.REPORTS}
    assert [found[f"F-{name}-accuracy"]["n"] for name in facts.REPORTS] == [2000, 2000, 3000, 2000, 2000, 2000, 2000]
    assert all(value <= 0.01 for value in accuracy.values())
    assert {name: int(found[f"F-{name}-support"]["value"]) for name in facts.REPORTS} == {
        "DT": 2080, "LR": 2080, "SVM": 3000, "KNN": 2000, "GNB": 2000, "GMM0": 2000, "GMM1": 2000}
    recomputed = {name: stated[f"C-{name}-accuracy"] for name in facts.REPORTS}
    for name, value in {"DT": 0.254, "LR": 0.351, "SVM": 0.592, "KNN": 0.335, "GNB": 0.246, "GMM0": 0.154,
                        "GMM1": 0.148}.items():
        assert abs(recomputed[name] - value) == pytest.approx(accuracy[name], abs=1e-3)
    assert found["F-SVM-accuracy"]["baselines"]["majority"] == pytest.approx(0.152, abs=1e-3)
    assert found["F-KNN-accuracy"]["baselines"]["majority"] == pytest.approx(0.2005, abs=1e-3)


def test_every_printed_table_has_its_rows():
    with open(CLAIMS, newline="") as file:
        ids = [row["id"] for row in csv.DictReader(file)]
    assert sum(i.startswith("D-CNN1") for i in ids) == 10 and sum(i.startswith("D-CNN2") for i in ids) == 20
    assert sum(i.startswith("D-RNN") for i in ids) == 20
    for name in facts.REPORTS:
        assert sum(i.startswith(f"C-{name}-") for i in ids) == 8 * 4 + 1 + 6 + 1 + (name in ("DT", "LR", "SVM", "KNN"))
    for proposition in range(1, 14):
        assert any(i == f"Q{proposition}" or i.startswith(f"Q{proposition}-") for i in ids)
    assert {i[:2] for i in ids if i[0] == "U"} == {f"U{k}" for k in range(1, 7)}


def test_summaries_match_what_is_printed():
    found, stated = facts.everything(), facts.printed()
    wanted = {key: value for key, value in stated.items() if key.startswith("S-")}
    assert {key: found[key]["value"] for key in wanted} == wanted
    assert found["E16"]["value"] < 1e-4
    # a window of 4,096 and a hop of 256 samples, as printed the other way round; 640 frames at 32,768 Hz
    recipe = {"E1-printed": 80, "E1-swapped": 5, "E1-empty": 293, "E1-empty-swapped": 0,
              "L-FLIPPED-zero": 327_680 * np.log(2)}
    assert {key: found[key]["value"] for key in recipe} == pytest.approx(recipe, rel=1e-5)
    assert {"F-SVM-accuracy", "E3-mfcc"} <= set(found)


def test_feature_widths_are_one_more_than_printed():
    stated, found = facts.printed(), facts.feature_widths()
    assert sum(entry["value"] for entry in found.values()) == 518
    assert all(found[key]["value"] == stated[key] + 1 for key in found)


# ---------------------------------------------------------------- classical classifiers

def test_report_by_hand():
    report = classifiers.report(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]), 2)
    np.testing.assert_allclose(report["classes"], [[1, 2 / 3, 0.8], [0.5, 1, 2 / 3]])
    assert report["accuracy"] == 0.75
    np.testing.assert_allclose(report["macro"], [0.75, 5 / 6, 11 / 15])
    np.testing.assert_allclose(report["weighted"][0], 0.875)


def test_a_fit_learns_of_the_training_rows_and_picks_without_the_test_rows(monkeypatch):
    def predict(name, value, statistics, labels, train, asked, seed, means=None):
        return [(name, value, train, rows, means) for rows in asked]

    monkeypatch.setattr(classifiers, "_predict", predict)
    monkeypatch.setattr(classifiers, "one_gaussian_per_class", lambda statistics, labels, split: "Gaussians")
    cut = {"train": [0, 1, 2], "fit": [0, 1], "validation": [2], "test": [3]}
    own = {"train": [0, 1], "validation": [2], "test": [3]}
    for split in (cut, own, own | {"validation": []}):
        tested = split["train"], [3]
        for name in ("GMMC", "GMM0", "GMM1"):
            test = "Gaussians" if name == "GMMC" else (name, 5, *tested, "m")
            found = classifiers._fit(name, 5, None, None, split, 0, "m")
            assert found.pop("test") == test and found.keys() == {"validation"} and len(found["validation"]) == 0
    for split, fitted in ((cut, [0, 1]), (own, [0, 1])):
        assert classifiers._fit("LR", 5, None, None, split, 0, "m") == {
            "test": ("LR", 5, split["train"], [3], None), "validation": ("LR", 5, fitted, [2], None)}
    found = classifiers._fit("LR", 5, None, None, own | {"validation": []}, 0)
    assert found["test"][2:4] == ([0, 1], [3]) and len(found["validation"]) == 0


def test_an_estimator_is_built_for_the_rows_and_genres_there_are(monkeypatch):
    built = []

    def build(*words):
        built.append(words)
        return SimpleNamespace(fit=lambda x, y: SimpleNamespace(predict=lambda asked: asked[:, 0] + y.sum()))

    monkeypatch.setattr(classifiers, "build", build)
    x, labels, means = np.arange(10.0)[:, None], np.array([0, 1, 2, 1, 1, 1, 2, 2, 2, 2], np.int32), np.zeros((3, 1))
    asked = [np.array([7, 9]), np.arange(0)]
    found = classifiers._predict("LR", 0.5, x, labels, np.arange(3), asked, 4, means)
    assert [one.tolist() for one in found] == [[7 + 3, 9 + 3], []] and found[1].dtype == labels.dtype
    classifiers._predict("GMM1", 0, x, labels, np.arange(3), asked, 4, means)
    classifiers._predict("GMM1", 0, x, labels, np.arange(2), asked, 4, means)  # fewer rows than genres
    classifiers._predict("GMM0", 0, x, labels, np.arange(3, 6), asked, 4, means, as_if=99)  # one genre will do
    assert built == [("LR", 0.5, 3, 4, 3, None), ("GMM1", 0, 3, 4, 3, means), ("GMM1", 0, 3, 4, 2, None),
                     ("GMM0", 0, 3, 4, 99, None)]
    found = classifiers._predict("LR", 0.5, x, labels, np.arange(6, 7), asked, 4)  # one genre: nothing to fit
    assert [one.tolist() for one in found] == [[2, 2], []] and len(built) == 4


def test_chunks_are_held_out_of_the_first_10000(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(classifiers, "_parallel", lambda jobs: (f(*a, **k) for f, a, k in jobs))
    monkeypatch.setattr(classifiers.splits, "folds", lambda groups, labels, count, seed: asked.append((groups, count)))
    monkeypatch.setattr(classifiers, "_fold", lambda name, x, labels, folds, seed: x[:, 0] == labels)
    store = SimpleNamespace(directory=tmp_path / "store", index=[{"group": f"{i // 6}"} for i in range(12_500)])
    labels, artists = np.arange(12_500) % 8, np.arange(12_500) // 60
    found = classifiers.folded(store, np.arange(12_500)[:, None] % 4, labels, artists, 0)
    assert found.rows.tolist() == list(range(10_000)) and {count for _, count in asked} == {3}
    assert [len(set(groups)) for groups, _ in asked] == [10_000, 1667, 167]
    assert len(found.correct) == 5 * 3 and all(right.sum() == 5000 for right in found.correct.values())
    kept = classifiers.folded(store, None, labels, artists, 0)  # the second call reads
    assert all(np.array_equal(kept.correct[key], right) for key, right in found.correct.items()) and len(asked) == 3


def test_what_no_fit_could_be_made_for_is_not_recognised():
    x, labels = np.array([[0.0], [1], [0], [1], [0], [1]]), np.array([0, 1, 0, 1, 0, 1])
    assert not classifiers._fold("GNB", x, labels, [np.arange(6), np.arange(0)], 0).any()
    two = classifiers._fold("GNB", x, labels, [np.arange(4), np.arange(4, 5)], 0)
    assert two.tolist() == [True] * 5 + [False]  # the last is in no fold


def test_genres_that_are_not_tested_count_in_no_average():
    report = classifiers.report(np.array([0, 0, 2, 2]), np.array([0, 1, 2, 2]), 4)
    np.testing.assert_allclose(report["macro"], [1, 0.75, (2 / 3 + 1) / 2])
    np.testing.assert_allclose(report["weighted"], report["macro"])
    assert report["support"].tolist() == [2, 0, 2, 0]


def test_components_are_matched():
    truth = np.array([0, 0, 1, 1, 2, 2])
    np.testing.assert_array_equal(classifiers.matched(np.array([2, 2, 0, 0, 1, 1]), truth, 3), truth)


def test_one_gaussian_per_class_separates_what_is_apart():
    random = np.random.default_rng(0)
    labels = np.arange(80) % 2
    x = random.normal(size=(80, 5)) + 6 * labels[:, None]
    split = {"train": np.arange(60), "test": np.arange(60, 80)}
    np.testing.assert_array_equal(classifiers.one_gaussian_per_class(x, labels, split), labels[60:])


def test_one_gaussian_per_class_weighs_width_distance_and_number():
    """Variances 1 and 4 (and 1e-3) about one mean, 12 against 4 rows: the two are as likely at one radius."""
    corners = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])
    radius = np.sqrt(2 * (np.log(12 / 4) + np.log(4.001 / 1.001)) / (1 / 1.001 - 1 / 4.001))
    tested = radius * np.array([[0.9999, 0], [0, 1.0001], [0, -0.9999], [-1.0001, 0], [0, 0]])
    x = np.concatenate([corners, corners, corners, 2 * corners, tested]) + [30, 7]
    labels = np.array([3] * 12 + [5] * 4 + [0] * 5)
    split = {"train": np.arange(16), "test": np.arange(16, 21)}
    assert classifiers.one_gaussian_per_class(x, labels, split).tolist() == [3, 5, 3, 5, 3]


def test_beyond_12000_rows_the_kernel_is_the_same_by_landmarks():
    """SVC's gamma="auto": exp(-|x - y|^2 / columns); with as many landmarks as rows it is exact."""
    x = np.random.default_rng(0).normal(size=(30, 4))
    pipeline = classifiers.build("SVM", 7.0, 8, 0, 12_001)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fewer rows than landmarks
        mapped = pipeline[:2].fit_transform(x)
    np.testing.assert_allclose(mapped @ mapped.T, np.exp(-np.square(x[:, None] - x[None]).sum(-1) / 4), atol=1e-6)
    assert pipeline[2].C == 7.0 == classifiers.build("SVM", 7.0, 8, 0, 12_000).C
    assert classifiers.build("DT", 7, 8, 0, 9).min_samples_leaf == 7 and classifiers.build("LR", 7, 8, 0, 9).C == 7
    mixtures = [classifiers.build("GMM1", 0, 8, 0, rows, means=np.eye(2)) for rows in (5, 9)]
    assert [one.n_components for one in mixtures] == [5, 8] and mixtures[0].means_init.tolist() == [[1, 0], [0, 1]]


def test_given_means_are_first_chunks_of_the_programs_eight_tracks_or_of_the_first_of_each_genre():
    groups = ["000010", "000002", "000666", "000182", "000140", "000148", "010250", "001482"]  # b6457fc
    store = SimpleNamespace(index=[{"group": group} for group in ["other", *reversed(groups)] for _ in range(2)])
    x = np.arange(18.0)[:, None]
    labels = np.repeat([0, *range(8)], 2)
    found = classifiers._given_means(store, x, labels, np.arange(2, 18), 8)
    assert found[:, 0].tolist() == [16, 14, 12, 10, 8, 6, 4, 2]
    found = classifiers._given_means(store, x, labels % 3, np.arange(4, 18), 3)  # rows of genre 0, 1, 2: 8, 4, 6
    np.testing.assert_allclose(found[:, 0] - [8, 4, 6], [0, 1e-6, 2e-6], atol=1e-9)
    found = classifiers._given_means(store, x, labels % 2, np.arange(4, 6), 2)  # genre 0 is not among them
    np.testing.assert_allclose(found[:, 0] - [4, 4], [0, 1e-6], atol=1e-9)


def test_shuffled_labels_of_artists_leave_chance_and_picking_on_the_test_part_more(tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    artists = np.repeat(np.arange(48), 5)  # one genre each, easy to tell from the features
    labels, split = (artists % 4).astype(np.int32), np.array(["training", "validation", "test"])[(artists // 4) % 3]
    features = random.normal(size=(240, 6)) + 5 * np.eye(6)[labels] + random.normal(size=(48, 6))[artists]
    store = SimpleNamespace(directory=tmp_path / "store", index=[{"split": part} for part in split],
                            array={"artists": artists}.get)
    monkeypatch.setattr(classifiers, "_parallel", lambda jobs: (f(*a, **k) for f, a, k in jobs))
    monkeypatch.setattr(classifiers, "SHUFFLED", ("LR", "GNB"))
    found = classifiers.shuffled_accuracies(store, features, labels, 12, 0)
    for name in classifiers.SHUFFLED:
        on_validation, on_test = found[name].T
        assert len(on_test) == 12 and np.all(on_test >= on_validation)
        assert abs(on_validation.mean() - 0.25) < 0.15 and np.ptp(on_validation) > 0
    straight = classifiers._fit("LR", 1, features, labels, classifiers.splits.official(240, splits=split), 0)
    assert np.mean(straight["test"] == labels[split == "test"]) > 0.9
    kept = classifiers.shuffled_accuracies(store, features, labels, 12, 0)  # the second call reads
    assert all(np.array_equal(kept[name], found[name]) for name in found)


def test_the_labels_of_artists_are_exchanged_within_each_part(monkeypatch):
    """An artist counts for his commonest label in a part, and is another in the next part: 9 is in two."""
    artists = np.array([0, 0, 0, 1, 2, 9, 9, 9, 3, 4, 5, 6])
    split = np.array(["training"] * 6 + ["test"] * 4 + ["validation"] * 2)
    labels = np.array([0, 0, 1, 0, 1, 0, 2, 2, 2, 3, 4, 5])
    given, seen = {"training": [0, 0, 0, 1], "test": [2, 2, 3], "validation": [4, 5]}, set()

    def fit(name, value, statistics, answer, parts, seed):
        seen.add(tuple(answer))
        found = {part: answer[parts[part]] for part in ("validation", "test")}
        wrong = "test" if value == 1 else "validation"
        return found | {wrong: 7 + found[wrong]}

    monkeypatch.setattr(classifiers, "_fit", fit)
    monkeypatch.setattr(classifiers, "SHUFFLED", ("KNN",))
    monkeypatch.setattr(classifiers, "GRIDS", {"KNN": (1, 2)})
    for seed in range(8):  # picked on validation the value 1 is best, and knows nothing of the test part
        assert classifiers._fit_shuffled(None, labels, artists, split, [seed]) == {"KNN": [0.0, 1.0]}
    for answer in map(np.array, seen):
        for part, expected in given.items():
            owned = {artist: set(answer[(split == part) & (artists == artist)]) for artist in artists[split == part]}
            assert all(len(own) == 1 for own in owned.values()), part
            assert sorted(own.pop() for own in owned.values()) == expected
    assert len(seen) > 2 and labels.tolist() == [0, 0, 1, 0, 1, 0, 2, 2, 2, 3, 4, 5]


def test_the_estimate_of_the_fits_grows_with_rows_and_counts_every_fit(tmp_path, monkeypatch):
    """A classifier whose fit takes a microsecond a row squared: the sum over splits, grids and folds by hand."""
    from types import SimpleNamespace

    clock = [0.0]

    def fit(name, value, table, labels, train, asked, *_, as_if):
        clock[0] += 1e-6 * len(train) ** 2 * (1 if as_if <= classifiers.EXACT_ROWS else 0.1)

    monkeypatch.setattr(classifiers, "time", SimpleNamespace(perf_counter=lambda: clock[0]))
    monkeypatch.setattr(classifiers, "_predict", fit)
    monkeypatch.setattr(classifiers, "GRIDS", {"SVM": (1, 10)})
    parts = ("training", "validation", "test")
    index = [{"label": "ab"[i % 2], "split": parts[0] if i < 26_000 else parts[1 + i % 2]} for i in range(30_000)]
    table = np.zeros((30_000, 3), np.float32)
    store = SimpleNamespace(index=index, array=lambda name: table)
    found = classifiers.estimate(SimpleNamespace(shuffles=5), store, rows=(100, 200))["SVM"]
    exact = 2 * (7000**2 + 6300**2 + 10_000**2 + 9000**2) + 9 * 6666**2  # two splits with a fit to pick, nine folds
    assert found == pytest.approx(1e-6 * (exact + 0.1 * (2 + 5 * 2) * 26_000**2), rel=1e-6)
    assert classifiers._seconds("SVM", table, np.zeros(9000), (100, 200), [400]) == pytest.approx(0.16)
    assert classifiers._seconds("SVM", table, np.zeros(200), (200, 300), [400]) == pytest.approx(0.08)  # one size only

    def gaussians(table, labels, split):
        clock[0] += 3e-6 * len(split["train"]) + 1e-6 * len(split["test"])

    monkeypatch.setattr(classifiers, "one_gaussian_per_class", gaussians)
    assert classifiers._seconds("GMMC", table, np.zeros(9000), (100, 200), [400, 800]) == pytest.approx(4e-6 * 1200)
    store.index = [row | {"label": "a"} for row in index]
    assert classifiers.estimate(SimpleNamespace(shuffles=0), store) == {}


def test_density_is_drawn_of_genres_with_points_enough(tmp_path):
    from papers.fma_interpolation import figures

    random = np.random.default_rng(0)
    points, genres = random.normal(size=(30, 2)), np.array(["Folk"] * 20 + ["Pop"] * 7 + ["Rock"] * 3)
    points[20:27, 1] = 0  # on a line: no density in the plane
    both = figures.contours(tmp_path / "a.png", points, genres, "density", ["Folk", "Pop", "Rock"])
    none = figures.contours(tmp_path / "b.png", points, np.array(["Rock"] * 3 + ["Pop"] * 0 + ["Folk"] * 27)[::-1],
                            "density", ["Rock"])
    assert both.read_bytes()[:4] == b"\x89PNG" and both.stat().st_size > none.stat().st_size


def test_grids_are_the_printed_ones():
    assert classifiers.GRIDS["DT"] == (1, 3, 5, 7, 10, 25) and classifiers.GRIDS["KNN"] == (5, 10, 20, 40)
    assert all(best in classifiers.GRIDS[name] for name, best in classifiers.PRINTED_BEST.items())
    assert classifiers.build("SVM", 100, 8, 0, 10_000).gamma == "auto"
    assert classifiers.build("LR", 0.1, 8, 0, 10_000).max_iter == 100
    assert classifiers.build("KNN", 40, 8, 0, 7).n_neighbors == 7
    assert classifiers.build("SVM", 100, 8, 0, 12_001).steps[1][1].n_components == 1000


# ---------------------------------------------------------------- tables of the data set

def test_tables_are_read_of_the_tracks_that_have_every_number(tmp_path, monkeypatch):
    """Eight columns of audio features among ten; track 3 lacks one of another set, 4 is not in the corpus."""
    columns = [("echonest", "audio_features", f"{k}") for k in range(8)] + [("echonest", "temporal_features", "0")] * 2
    values = np.arange(40.0).reshape(4, 10)
    values[2, 9] = np.nan
    monkeypatch.setattr(tables.fma, "metadata_of", lambda root: tmp_path)
    monkeypatch.setattr(tables.fma, "features", lambda metadata, table: (columns, ["1", "2", "3", "4"], values))
    items = [SimpleNamespace(group=group, label=label) for group, label in (("1", "Rock"), ("2", "Folk"), ("3", "Pop"))]
    assert tables.read(SimpleNamespace(root=tmp_path), items) == {}
    (tmp_path / "echonest.csv").touch()
    found = tables.read(SimpleNamespace(root=tmp_path), items)
    assert set(found) == {"audio", "audio_label", "temporal", "temporal_label"}
    np.testing.assert_array_equal(found["audio"], values[:3, :8])
    np.testing.assert_array_equal(found["temporal"], values[:2, 8:])
    assert found["audio_label"].tolist() == [2, 0, 1] and found["temporal_label"].tolist() == [2, 0]


def test_tracks_of_a_genre_are_those_of_all_its_sub_genres(tmp_path, monkeypatch):
    monkeypatch.setattr(tables.fma, "metadata_of", lambda root: None if root == "none" else tmp_path)
    assert tables.genre_counts(tmp_path) == {} == tables.genre_counts("none")
    (tmp_path / "genres.csv").write_text("genre_id,#tracks,title,top_level\n1,10,Rock,1\n2,5,Punk,1\n3,4,Folk,3\n"
                                         "4,,Odd,1\n5,2,Lost,9\n")
    assert tables.genre_counts(tmp_path) == {"Rock": 15, "Folk": 4, "9": 2}


def drawn(tmp_path, tracks, **arrays):
    """What projections.draw projects of a store: {table: Drawing} with the features themselves as points."""
    (tmp_path / "arrays").mkdir(parents=True)
    for name in arrays:
        (tmp_path / "arrays" / f"{name}.npy").touch()
    index = [{"label": "ab"[k % 2], "group": f"{k}"} for k in range(tracks) for _ in range(2)]
    found = {"statistics": np.arange(4.0 * tracks).reshape(-1, 2)} | arrays
    found |= {f"{name}_label": np.arange(len(x)) for name, x in arrays.items()}
    return SimpleNamespace(directory=tmp_path, index=index, array=found.get)


def test_drawn_are_scaled_features_and_of_the_eight_the_unscaled_too(tmp_path, tiny, monkeypatch):
    monkeypatch.setattr(projections, "project", lambda method, x, *_: (x, len(method)))
    config = dataclasses.replace(tiny, drawn_tracks=0)
    x = np.array([[0.0, 5], [2, 5], [0, 7], [2, 7], [1, 6]]) * [1, 100]
    store = drawn(tmp_path, 5, audio=x, librosa=x[:4])
    assert set(projections.draw(config, store, 0)) == {"audio"}  # four tracks are too few
    audio = projections.draw(config, store, 0)["audio"]
    assert set(audio.unscaled) == {"pca", "tsne"} and set(audio.points) == {"pca", "tsne", "umap"}
    np.testing.assert_array_equal(audio.unscaled["tsne"], x)
    np.testing.assert_allclose(audio.points["umap"], np.sqrt(1.25) * (x / [1, 100] - [1, 6]))
    assert audio.seconds == {"pca": 3, "tsne": 4, "umap": 4} and audio.labels.tolist() == [0, 1, 2, 3, 4]
    seven = projections.draw(dataclasses.replace(config, drawn_tracks=7), drawn(tmp_path / "new", 9), 0)["statistics"]
    assert seven.features.shape == (7, 2) and (seven.features[:, 0] % 4 == 0).all() and seven.unscaled == {}
    assert len(set(seven.features[:, 0])) == 7  # the first image of each of seven tracks
    np.testing.assert_array_equal(seven.labels, seven.features[:, 0] // 4 % 2)


def test_few_tracks_have_few_neighbours(tiny, monkeypatch):
    asked = []

    def method(dimensions, perplexity, random_state):
        asked.append((dimensions, perplexity))
        return SimpleNamespace(fit_transform=lambda x: x)

    monkeypatch.setattr(projections, "TSNE", method)
    config = dataclasses.replace(tiny, perplexity=100.0)
    for count in (31, 1000):
        points, seconds = projections.project("tsne", np.zeros((count, 2)), config, 0)
        assert len(points) == count and 0 <= seconds < 60
    assert asked == [(2, 10), (2, 100)]

    def umap(n_neighbors, random_state):
        return SimpleNamespace(fit_transform=lambda x: n_neighbors)

    monkeypatch.setitem(sys.modules, "umap", SimpleNamespace(UMAP=umap))
    config = dataclasses.replace(config, neighbours=100)
    assert [projections.project("umap", np.zeros((count, 2)), config, 0)[0] for count in (31, 200)] == [30, 100]
    line = np.arange(6.0)[:, None] * [3, 4, 0]
    points, _ = projections.project("pca", line, config, 0)
    np.testing.assert_allclose(np.abs(points[:, 0]), 5 * np.abs(np.arange(6) - 2.5))
    assert points.shape == (6, 2)


@pytest.mark.slow
def test_tables_of_fma_are_read_and_drawn(corpus, tiny, tmp_path, monkeypatch):
    from papers.fma_interpolation import preprocess

    root = tmp_path / "fma_small"
    metadata = tmp_path / "fma_metadata"
    root.mkdir()
    metadata.mkdir()
    (metadata / "tracks.csv").write_text("")
    random = np.random.default_rng(0)
    tracks = [item.id for item in corpus.items]
    names = [(feature, str(k // 7), str(k)) for feature, n in tables.COEFFICIENTS.items() for k in range(7 * n)]
    _write(metadata / "features.csv", names, tracks, random.normal(size=(len(tracks), len(names))))
    echo = [("echonest", "audio_features", name) for name in "acousticness danceability energy "
            "instrumentalness liveness speechiness tempo valence".split()]
    echo += [("echonest", "temporal_features", f"{k:03d}") for k in range(224)]
    values = random.random((16, len(echo)))
    values[:, tables.TEMPO] = 60 + 140 * values[:, tables.TEMPO]
    _write(metadata / "echonest.csv", echo, tracks[:16], values)
    (metadata / "genres.csv").write_text("genre_id,#tracks,parent,title,top_level\n1,10,0,Rock,1\n2,5,1,Punk,1\n")
    placed = dataclasses.replace(corpus, root=root)
    monkeypatch.setattr(preprocess, "find_corpus", lambda *a, **k: placed)
    store = preprocess.preprocess(tiny, None, "smoke", tmp_path / "stores")
    assert store.array("librosa").shape == (32, 518) and store.array("audio").shape == (16, 8)
    assert store.array("temporal").shape == (16, 224)
    assert store.parameters["facts"]["genre_counts"] == {"Rock": 15}
    monkeypatch.setattr(projections, "project", lambda method, x, *_: (np.asarray(x)[:, [tables.TEMPO, 0]], 0.1))
    run = record.open_run(settings, tiny, store, "paper", "smoke", 0, runs=tmp_path / "runs")
    drawn = projections.draw(tiny, store, 0)
    found = measured.Measured(tiny, drawn=drawn)
    results = collect({key: f for key, f in findings.FINDINGS.items() if key[:2] in ("T-", "Q7") and key != "T-GL"},
                      found)
    items = figures.drawings(run, drawn, settings.GENRES)
    assert results["T-VIS-pca-librosa"]["value"] == 0.1 and results["Q7-tempo"]["value"] == pytest.approx(1.0)
    assert len(items) == 3 * 5 + 2 and all((run.directory / item["file"]).exists() for item in items)


def _write(path, names, tracks, values):
    with open(path, "w", newline="") as file:
        table = csv.writer(file)
        for level in range(3):
            table.writerow(["", *(name[level] for name in names)])
        table.writerow(["track_id", *("" for _ in names)])
        for track, row in zip(tracks, values, strict=True):
            table.writerow([int(track), *row])


# ---------------------------------------------------------------- a whole run

@pytest.mark.slow
def test_evaluation_has_a_value_or_a_reason_for_every_claim(tiny, store, tmp_path, monkeypatch):
    # What costs a compilation is left out: UMAP, and the networks that test_train trains.
    monkeypatch.setattr(projections, "project", lambda method, x, *_: (np.asarray(x)[:, :2], 0.1))
    for name in ("autoencoder-conv2d", "autoencoder-inception", "autoencoder-conv1d"):
        monkeypatch.setitem(train.MODELS, name, train.MODELS["autoencoder-baseline"])
    monkeypatch.setitem(train.MODELS, "overfit-conv2d", train.MODELS["overfit-squared_error"])
    monkeypatch.setitem(train.MODELS, "rnn", train.MODELS["cnn_2"])
    config = dataclasses.replace(tiny, points=3, audible_pairs=1, overfit_steps=2)
    run = record.open_run(settings, config, store, "paper", "smoke", 0, runs=tmp_path)
    run.write_config(store)
    with pytest.raises(training.TrainingError, match="not trained to the end"):
        evaluate.evaluate(config, store, run)
    with without_graphs():
        train.train(config, store, run)
    evaluate.evaluate(config, store, run)
    results = json.loads((run.directory / "results.json").read_text())
    with open(CLAIMS, newline="") as file:
        ids = {row["id"] for row in csv.DictReader(file)}
    assert set(results["results"]) == ids and results["complete"]
    media = json.loads((run.directory / "media.json").read_text())
    assert [section["title"] for section in media][:3] == ["From A to B", "The four autoencoders",
                                                           "Unconditioned generation"]
    cells = media[0]["grid"]["cells"][0]
    assert len(cells) == 5 and all((run.directory / cell[k]).exists() for cell in cells for k in ("audio", "image"))
    leak = next(section for section in media if section["title"] == "The leak")["items"][0]
    shared = next(row for row in leak["rows"] if row[0].startswith("test chunks whose track"))
    assert int(shared[1][:-1]) > 40 and shared[3] == "0%"
    folds = next(section for section in media if section["title"] == "The leak")["items"][1]
    assert [row[0] for row in folds["rows"]] == [classifiers.NAMES[name] for name in classifiers.PRINTED_BEST]


# ---------------------------------------------------------------- tools

@pytest.fixture(scope="module")
def trained(tiny, store, tmp_path_factory):
    """A run with a baseline and CNN_2 trained for one epoch."""
    run = record.open_run(settings, tiny, store, "sound", "smoke", 0, runs=tmp_path_factory.mktemp("runs"))
    run.write_config(store)
    with without_graphs():
        for name in ("autoencoder-baseline", "cnn_2"):
            training.train(name, train.MODELS[name], tiny, store, run.model_directory(name), 0)
    return run


def call(tool, *arguments):
    """The tool as a process: (exit code, standard output, standard error)."""
    done = subprocess.run([sys.executable, "-m", f"papers.fma_interpolation.{tool}", *map(str, arguments)],
                          capture_output=True, text=True, cwd=Path(__file__).resolve().parents[3])
    return done.returncode, done.stdout, done.stderr


@pytest.mark.slow
def test_interpolate_writes_sounds_and_pictures(trained, corpus, tmp_path):
    files = [item.path for item in corpus.items[:2]]
    code, _, err = call("interpolate", *files, "--steps", 3, "--at", 1, "--run", trained.directory, "--output",
                            tmp_path)
    assert code == 0, err
    assert "trained on" in err and "synthetic" in err
    assert sorted(path.name for path in tmp_path.glob("*.wav")) == [
        "01-1.00a.wav", "02-0.50a.wav", "03-0.00a.wav", "a.wav", "b.wav"]
    for path in tmp_path.glob("*.wav"):
        samples, rate = soundfile.read(path)
        assert rate == 8192 and len(samples) == 256 * 63 and 0 < np.abs(samples).max() <= 0.91
        assert path.with_suffix(".png").exists()


@pytest.mark.slow
def test_tools_say_in_one_line_what_is_wrong(trained, corpus, tmp_path):
    good, text = corpus.items[0].path, tmp_path / "text.mp3"
    text.write_text("no recording")
    short = tmp_path / "short.wav"
    soundfile.write(short, np.full(500, 0.1), 8192)
    code, out, err = call("classify", good, text, short, "--run", trained.directory)
    assert code == 1 and len(out.splitlines()) == 2 and out.startswith("file,images,genre,Electronic")
    problems = [line for line in err.splitlines() if line.startswith("error: ")]
    assert len(problems) == 2 and "text.mp3" in problems[0] and "short.wav" in problems[1]
    code, _, err = call("interpolate", good, "--run", trained.directory)
    assert code == 2 and err.splitlines()[-1].startswith("error: name two recordings")
    code, _, err = call("reconstruct", good, "--run", tmp_path / "nothing")
    assert code == 2 and "make reproduce-fma_interpolation" in err and "Traceback" not in err


def test_heard_image_is_that_of_the_sound_whatever_its_gain(tiny):
    from papers.fma_interpolation import preprocess

    samples = np.sin(np.arange(256 * 63) * 0.3).astype(np.float32)
    image = preprocess.normalised_spectrogram(samples, tiny)[0][:, :64]
    for gain in (0.1, 1.0):
        heard = sound.heard_image(gain * samples, image, tiny)
        assert measures.decibel_error(image[None], heard[None])[0] < 0.5
