"""Who is judged on what, with which codes: networks whose answers can be read off made-up images."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest

from common import training
from papers.symphony2vec import config as settings, data, embeddings, judging, measures, splits
from tests.papers.symphony2vec.test_measured import empty, trained_of
from tests.papers.symphony2vec.toy import small_store

STORE = small_store()


class Bands(keras.Model):
    """Ten times the mean of each band (batch, bands, frames), `times` over: codes or logits."""

    def __init__(self, times=1):
        super().__init__()
        self.times = times

    def call(self, x, training=False):
        return keras.ops.concatenate([10.0 * keras.ops.mean(x, axis=2)] * self.times, axis=1)


class Corner(keras.Model):
    """Ten times the first three pixels of a crop (batch, 32, 32, 1) as means, ones as log deviations."""

    def call(self, x, training=False):
        return keras.ops.concatenate([10.0 * x[:, 0, :3, 0], keras.ops.ones_like(x[:, 0, :3, 0])], axis=1)


def painted(labels):
    """Images of three bands: a clip's own class in 36 frames, the class after it in 36, its own in 15 more."""
    images = np.zeros((len(labels), 3, 87), "float32")
    for image, label in zip(images, labels, strict=True):
        image[label, :36] = image[(label + 1) % 3, 36:72] = image[label, 72:] = 1.0
    return images


@pytest.fixture
def trained():
    made = trained_of("paper")
    made.images["chroma"] = painted(made.selection.labels)
    made.images["crop"] = np.zeros((36, 32, 32, 1), "float32")
    made.images["crop"][np.arange(36), 0, made.selection.labels] = 1.0
    return made


def judged_as(name, networks, trained):
    trained.learners[name] = training.Learner(networks, {})
    found = empty(trained)
    judging.judge_model(trained, found, settings.MODELS[name])
    return found


def test_a_classifier_is_judged_clip_by_clip_and_the_lstm_piece_by_piece(trained):
    rows, test = trained.selection.train, trained.selection.test
    clips = judged_as("cnn-chroma", {"classifier": Bands()}, trained).judged["cnn-chroma"]
    assert (clips.accuracy, clips.unit) == (100.0, "clips")
    assert clips.predicted.tolist() == clips.truth.tolist() == trained.selection.labels[test].tolist()
    pieces = judged_as("lstm-chroma", {"classifier": Bands()}, trained).judged["lstm-chroma"]
    # Of 87 frames two pieces of 36: all clips' first, which shows the own class, then all clips' second.
    assert (pieces.accuracy, pieces.unit) == (50.0, "pieces") and pieces.rows.tolist() == [*test, *test]
    assert pieces.right.tolist() == [True] * len(test) + [False] * len(test)
    assert pieces.baselines == judging.baselines(trained, trained.selection.labels, rows, test)


def test_embeddings_are_judged_by_a_regression_on_their_codes(trained):
    labels, test = trained.selection.labels[trained.selection.test], trained.selection.test
    for name, times in (("ae-chroma", 1), ("vae-chroma", 2)):
        found = judged_as(name, {"encoder": Bands(times)}, trained)
        assert (found.judged[name].accuracy, found.judged[name].train_accuracy) == (100.0, 100.0)
        np.testing.assert_allclose(found.codes[name][np.arange(len(test)), labels], 10 * 51 / 87, rtol=1e-5)
    found = judged_as("ali-40", {"encoder": Corner()}, trained)
    assert found.codes["ali-40"].tolist() == (10.0 * np.eye(3)[labels]).tolist()  # the means alone
    assert found.judged["ali-40"].accuracy == 100.0 and "untrained" not in found.judged


def test_the_codes_that_a_regression_on_ali_is_fitted_on_are_drawn_in_batches_of_their_own(trained, monkeypatch):
    """The program shuffles the training clips by the seed and leaves the test clips in their order."""
    asked = []
    trained.run.seed = 7
    monkeypatch.setattr(embeddings, "ali_codes", lambda encoder, images, rows, config, shuffle=None: asked.append(
        (rows.tolist(), shuffle)) or np.eye(3)[trained.selection.labels[rows]])
    judged_as("ali-40", {"encoder": Corner()}, trained)
    assert asked == [(trained.selection.train.tolist(), 7), (trained.selection.test.tolist(), None)]


def test_the_encoder_before_training_is_judged_beside_ali_128(trained, monkeypatch):
    warmed, seeds = [], []
    built = SimpleNamespace(build=lambda config, store: training.Learner({"encoder": Corner()}, {}))
    monkeypatch.setitem(judging.MODELS, "ali-128", built)
    monkeypatch.setattr(embeddings, "warm", lambda encoder, images, rows: warmed.append(rows.tolist()))
    monkeypatch.setattr(keras.utils, "set_random_seed", seeds.append)
    found = judged_as("ali-128", {"encoder": Corner()}, trained)
    assert found.judged["untrained"].accuracy == found.judged["ali-128"].accuracy == 100.0
    assert warmed == [trained.selection.train.tolist()] and seeds == [0]


@pytest.mark.parametrize("side", ["train", "test"])
def test_one_code_that_is_not_finite_makes_a_model_missing(side, trained):
    found, rows, test = empty(trained), trained.selection.train, trained.selection.test
    codes = {"train": np.eye(3)[trained.selection.labels[rows]], "test": np.eye(3)[trained.selection.labels[test]]}
    codes[side][0, 0] = np.inf
    judging.regress(trained, found, "pca-mel", codes["train"], codes["test"], rows, test)
    assert found.missing == {"pca-mel": "pca-mel gives codes that are not finite numbers"}
    assert not found.judged and not found.codes


def test_accuracies_and_baselines_are_in_percent(trained):
    labels, rows, test = trained.selection.labels, trained.selection.train, trained.selection.test
    codes = 10.0 * np.eye(3)[labels]
    codes[rows[:5]] = codes[rows[5]]  # five training clips all look like the sixth
    wrong = np.sum(labels[rows[:5]] != labels[rows[5]])
    found = empty(trained)
    judging.regress(trained, found, "pca-mel", codes[rows], codes[test], rows, test)
    assert wrong > 0 and found.judged["pca-mel"].train_accuracy == pytest.approx(100 * (25 - wrong) / 25)
    store = small_store()
    store.arrays["mfcc"][:, 0] = 5.0 * np.arange(3)[labels][:, None]
    trained.store = store
    assert judging.baselines(trained, labels, rows, test)["loudness"] == 100.0


def test_dealt_composers_are_a_mean_of_five_deals_without_those_of_a_single_one(trained, monkeypatch):
    labels, rows, test, seeds = trained.selection.labels, trained.selection.train, trained.selection.test, []
    trained.run.seed = 3

    def deal(own, works, seed):
        seeds.append(seed)
        return np.zeros_like(own) if seed[-1] == 1 else own % 2  # all by one composer, or by two

    monkeypatch.setattr(splits, "deal_composers", deal)
    monkeypatch.setattr(judging, "baselines", lambda *inputs: {"majority": 10.0 * seeds[-1][-1]})
    right = np.arange(len(test)) < 4
    monkeypatch.setattr(measures, "classify", lambda train_codes, of, test_codes, iterations: (
        None, labels[test] % 2 if seeds[-1][-1] == 0 else np.where(right, labels[test] % 2, -1)))
    found = empty(trained)
    judging.judge_dealt(trained, found, "pca-mel", np.ones((len(rows), 1)), np.ones((len(test), 1)), rows, test)
    one = found.judged["pca-mel-dealt"]
    assert seeds == [[3, 19, number] for number in range(5)]
    # Of the four deals that count all name four clips rightly, the first the others as well.
    assert one.right.tolist() == [1.0] * 4 + [0.25] * (len(test) - 4)
    assert one.baselines == {"majority": (0 + 20 + 30 + 40) / 4}
    assert one.works.tolist() == trained.selection.works[test].tolist()


def test_one_deal_that_counts_is_enough_and_none_gives_nothing(trained, monkeypatch):
    rows, test = trained.selection.train, trained.selection.test
    for counting, names in ((0, ["pca-mel-dealt"]), (9, [])):
        monkeypatch.setattr(splits, "deal_composers", lambda own, works, seed, counting=counting: (
            own if seed[-1] == counting else np.zeros_like(own)))
        found = empty(trained)
        codes = 10.0 * np.eye(3)[trained.selection.labels]
        judging.judge_dealt(trained, found, "pca-mel", codes[rows], codes[test], rows, test)
        assert list(found.judged) == names


def test_a_twin_sees_images_scaled_by_its_own_split():
    trained = trained_of("sound")
    assert trained.images_of("cnn-mel") is trained.images["mel"]
    twin = trained.images_of("cnn-mel-clips")
    assert isinstance(twin, data.Images) and twin is not trained.images["mel"]
    own = np.float64(STORE.arrays["mel"][trained.selection_of("cnn-mel-clips").train]).mean()
    assert twin.mean == pytest.approx(own, abs=1e-5) and abs(twin.mean - trained.images["mel"].mean) > 1e-4
