"""Measures by hand-checked values, the classical reports, the claims file, and a run from the store to results.json."""

import csv
import dataclasses
import json
import subprocess
import sys
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


def test_components_are_matched():
    truth = np.array([0, 0, 1, 1, 2, 2])
    np.testing.assert_array_equal(classifiers.matched(np.array([2, 2, 0, 0, 1, 1]), truth, 3), truth)


def test_one_gaussian_per_class_separates_what_is_apart():
    random = np.random.default_rng(0)
    labels = np.arange(80) % 2
    x = random.normal(size=(80, 5)) + 6 * labels[:, None]
    split = {"train": np.arange(60), "test": np.arange(60, 80)}
    np.testing.assert_array_equal(classifiers.one_gaussian_per_class(x, labels, split), labels[60:])


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
    assert classifiers.build("SVM", 100, 8, 0, 10_000).gamma == "auto"
    assert classifiers.build("LR", 0.1, 8, 0, 10_000).max_iter == 100
    assert classifiers.build("KNN", 40, 8, 0, 7).n_neighbors == 7
    assert classifiers.build("SVM", 100, 8, 0, 12_001).steps[1][1].n_components == 1000


# ---------------------------------------------------------------- tables of the data set

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
