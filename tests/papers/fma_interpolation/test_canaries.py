"""What may touch what: held-out rows and labels reach no weight, training rows reach no held-out input.

Every model of MODELS and every other training of a run, in every mode with a data path of its own.
"""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from common import training
from common.config import resolve
from papers.fma_interpolation import classifiers, config as settings, data, splits, train
from tests.papers.fma_interpolation.made import ROWS, Made, configured


def weights(name, config, store, tmp_path, tag):
    entry, changed = train.jobs(config)[name]
    training.train(name, entry, changed, store, tmp_path / tag, seed=0)
    learner = training.load(entry, changed, store, tmp_path / tag)
    return np.concatenate([v.numpy().ravel() for network in learner.networks.values() for v in network.variables])


def trained_on(name, config, store):
    """Rows that a training may see."""
    if name.startswith("overfit"):
        return np.arange(1)
    changed = train.jobs(config)[name][1]
    limit = changed.classifier_items if name.split("-")[0] in train.CLASSIFIERS else changed.autoencoder_items
    return data.parts(changed, store, limit, 0)["train"]


# All trainings of `sound`, and one of each kind under the contiguous split of `paper` and `code`.
JOBS = [("sound", name) for name in train.jobs(resolve(settings, "sound", "smoke"))]
JOBS += [("paper", "autoencoder-baseline"), ("code", "cnn_2")]
FAST = [("sound", "autoencoder-baseline"), ("sound", "cnn_2-deep_protocol-leaky"), ("code", "cnn_2")]  # quick to trace


def test_sums_are_added_in_the_order_in_which_they_stand():
    """What makes the bits of the inception network those of its last training; that it does is asked by the slowest."""
    assert tf.config.optimizer.get_experimental_options()["arithmetic_optimization"] is False


@pytest.mark.very_slow
def test_the_inception_network_trained_twice_in_one_process_has_the_same_bits(tmp_path):
    """Its sums of many terms were ordered anew in every compilation, by TensorFlow's arithmetic optimizer."""
    config, store = configured("sound"), Made()
    once, again = (weights("autoencoder-inception", config, store, tmp_path, which) for which in ("once", "again"))
    np.testing.assert_array_equal(once, again)


@pytest.mark.parametrize(("follow", "name"), [
    pytest.param(*job, marks=() if job in FAST else pytest.mark.slow) for job in JOBS])
def test_held_out_rows_reach_no_weight(follow, name, tmp_path, eagerly):
    config, store = configured(follow), Made()
    held_out = np.setdiff1d(np.arange(ROWS), trained_on(name, config, store))
    assert len(held_out) >= 2
    images = store.pixels.copy()
    images[held_out] = np.nan
    labels = [1 - (row["label"] == "b") if i in held_out else int(row["label"] == "b")
              for i, row in enumerate(store.index)]
    before = weights(name, config, store, tmp_path, "before")
    assert np.isfinite(before).all()
    after = weights(name, config, Made(images, labels), tmp_path, "after")
    np.testing.assert_array_equal(after, before)


@pytest.mark.parametrize("name", [
    "cnn_2", pytest.param("autoencoder-baseline", marks=pytest.mark.slow),
    pytest.param("overfit-squared_error", marks=pytest.mark.slow)])
def test_training_rows_and_labels_reach_the_weights(name, tmp_path):
    config, store = configured("sound"), Made()
    images = store.pixels.copy()
    images[trained_on(name, config, store)] *= 0.5
    before = weights(name, config, store, tmp_path, "before")
    assert not np.array_equal(weights(name, config, Made(images), tmp_path, "after"), before)
    if name == "cnn_2":
        flipped = Made(labels=[1 - (row["label"] == "b") for row in store.index])
        assert not np.array_equal(weights(name, config, flipped, tmp_path, "labels"), before)


@pytest.mark.parametrize("follow", ["code", pytest.param("sound", marks=pytest.mark.slow)])
def test_rate_reduction_is_the_one_way_in_which_validation_reaches_training(follow, tmp_path):
    """`code` reduces its rate by the validation loss; there, and only there, may held-out rows move the schedule."""
    config, store = dataclasses.replace(configured(follow), conv1d_epochs=5), Made()
    stage = train.MODELS["autoencoder-conv1d"].stages(config, store, 0)[0]
    learner = train.MODELS["autoencoder-conv1d"].build(config, store)
    rate = float(learner.optimizers["adam"].learning_rate.numpy())
    for _ in range(4):
        stage.validate(learner)
    after = float(learner.optimizers["adam"].learning_rate.numpy())
    assert (after < rate) == (follow == "code") and after >= (1e-6 if follow == "code" else rate) * 0.999
    baseline = train.MODELS["autoencoder-baseline"]
    learner, stage = baseline.build(config, store), baseline.stages(config, store, 0)[0]
    for _ in range(4):
        stage.validate(learner)
    assert float(learner.optimizers["adam"].learning_rate.numpy()) == pytest.approx(config.baseline_rate)


def test_the_mean_image_and_held_out_rows_move_with_their_own_rows_only():
    config, store = configured("sound"), Made()
    parts = data.parts(config, store, 0, 0)
    mean, rows = data.mean_image(config, store, 0), data.held_out(config, store, 0)
    np.testing.assert_array_equal(rows, parts["test"])
    np.testing.assert_allclose(mean, store.pixels[parts["train"]].mean(axis=0), atol=1e-6)
    held_out, training_rows = store.pixels.copy(), store.pixels.copy()
    held_out[parts["test"]], held_out[parts["validation"]] = np.nan, np.nan
    training_rows[parts["train"]] = np.nan
    np.testing.assert_array_equal(data.mean_image(config, Made(held_out), 0), mean)
    np.testing.assert_array_equal(data.images_of(Made(training_rows), rows), data.images_of(store, rows))


def statistics_store(tmp_path, groups=24, seed=0):
    random = np.random.default_rng(seed)
    labels = (np.repeat(np.arange(groups), 4) % 3).astype(np.int32)
    table = random.normal(size=(4 * groups, 6)) + 2 * np.eye(6)[labels]
    parts = np.array(["training", "validation", "test", "training"])[np.repeat(np.arange(groups), 4) // 3 % 4]
    index = [{"split": part, "group": f"{i // 4}"} for i, part in enumerate(parts)]
    return SimpleNamespace(directory=tmp_path / "store", index=index, fingerprint="x"), table, labels


@pytest.mark.parametrize("protocol", list(splits.CLASSICAL))
def test_classical_fits_see_training_rows_only(protocol, tmp_path, monkeypatch):
    store, table, labels = statistics_store(tmp_path)
    monkeypatch.setattr(classifiers, "_parallel", lambda jobs: (f(*a, **k) for f, a, k in jobs))
    split, before = classifiers.fit_all(store, table, labels, protocol, 0)
    changed, shuffled = table.copy(), labels.copy()
    test, validation = split["test"], split["validation"]
    changed[test[1:]] = 99.0
    shuffled[test] = 2 - shuffled[test]
    other = SimpleNamespace(**vars(store) | {"directory": tmp_path / "other" / "store"})
    other.directory.parent.mkdir()
    _, after = classifiers.fit_all(other, changed, shuffled, protocol, 0)
    for name, fitted in before.items():
        for k in range(len(fitted.values)):
            assert fitted.test[k][0] == after[name].test[k][0]  # the one test row that was left alone
            np.testing.assert_array_equal(fitted.validation[k], after[name].validation[k])
    assert not set(validation) & set(split.get("fit", split["train"])) and not set(test) & set(split["train"])


def test_only_chunk_folds_cut_tracks_and_only_track_folds_cut_artists():
    tracks = np.repeat(np.arange(30), 5)
    artists = tracks // 3
    for groups, cut_tracks, cut_artists in ((np.arange(150), True, True), (tracks, False, True),
                                            (artists, False, False)):
        parts = splits.folds(groups, artists % 2, 3, seed=1)
        assert sorted(np.concatenate(parts)) == list(range(150)) and all(40 <= len(part) <= 60 for part in parts)
        renamed = splits.folds(np.array([f"{g:03d}" for g in 149 - groups]), artists % 2, 3, seed=1)
        assert all(np.array_equal(a, b) for a, b in zip(parts, renamed, strict=True))
        assert all(abs((artists[part] % 2).mean() - 0.5) <= 0.2 for part in parts)
        for unit, cut in ((tracks, cut_tracks), (artists, cut_artists)):
            shared = [set(unit[part]) & set(np.delete(unit, part)) for part in parts]
            assert bool(set().union(*shared)) == cut


def test_every_fold_has_its_share_of_every_label_and_a_lone_group_goes_to_the_fold_of_its_label():
    groups = np.repeat(np.arange(18), 2)
    labels = np.repeat([0, 1, 2, 0, 1, 2], 6)  # three groups of each label, and three more
    labels[-1] = 0  # a group counts for the label of its first row
    for seed in range(4):
        parts = splits.folds(groups, labels, 3, seed)
        counts = np.array([np.bincount(labels[part[part < 35]], minlength=3) for part in parts])
        assert counts.sum(axis=0).tolist() == [12, 12, 11] and counts.min() >= 3 and counts.max() == 4
    lone = splits.folds(np.array(["z", "y", "y", "x"]), np.array([0, 1, 1, 2]), 3)
    assert [part.tolist() for part in lone] == [[0], [1, 2], [3]]


def test_folds_see_a_leak_where_tracks_are_all_there_is_to_know(tmp_path, monkeypatch):
    """Labels shuffled by artist: with chunks held out the SVM still finds them, by the track; with tracks it cannot."""
    random = np.random.default_rng(0)
    tracks = np.repeat(np.arange(60), 4)
    labels = random.integers(0, 2, 60)[tracks].astype(np.int32)
    table = random.normal(size=(60, 20))[tracks] * 4 + 0.1 * random.normal(size=(240, 20))
    store = SimpleNamespace(directory=tmp_path / "store", index=[{"group": f"{t}", "split": ""} for t in tracks])
    monkeypatch.setattr(classifiers, "_parallel", lambda jobs: (f(*a, **k) for f, a, k in jobs))
    monkeypatch.setattr(classifiers, "PRINTED_BEST", {"SVM": 100})
    found = classifiers.folded(store, table, labels, tracks, 0)
    assert found.correct["SVM", "chunk"].mean() > 0.95
    assert abs(found.correct["SVM", "track"].mean() - 0.5) < 0.15
