"""What a run measures, with networks whose answers are known: codes are the pixels, genres are read off one pixel."""

import dataclasses
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras import layers, ops

from common.training import Learner
from papers.fma_interpolation import data, inference, measured, measures, preprocess, train
from tests.papers.fma_interpolation.made import ROWS, Made, configured

SIZE = (32, 32)


def pixels(log_variance=-60.0):
    """An autoencoder that loses nothing: the mean is the image, and hardly anything is drawn."""
    image, code = keras.Input((*SIZE, 1)), keras.Input((1024,))
    flat = layers.Flatten()(image)
    return Learner({"encoder": keras.Model(image, [flat, ops.zeros_like(flat) + log_variance]),
                    "decoder": keras.Model(code, layers.Reshape((*SIZE, 1))(code))}, {})


def reads_corner():
    """A classifier of two genres: the second has the probability of the first pixel."""
    image = keras.Input((*SIZE, 1))
    corner = image[:, 0, 0]
    return Learner({"classifier": keras.Model(image, ops.concatenate([1 - corner, corner], axis=-1))}, {})


JUDGE = SimpleNamespace(embed=lambda images: images.reshape(*images.shape[:-2], -1)[..., :8],
                        classify=lambda images: np.stack([1 - images[..., 0, 0], images[..., 0, 0]], axis=-1))


@pytest.fixture(scope="module")
def config():
    return dataclasses.replace(configured("sound"), points=3, baseline_loss="squared_error", latent=1024, pairs=2)


@pytest.fixture(scope="module")
def store():
    made = Made()
    made.array = {"artists": np.arange(ROWS) // 2}.get
    return made


@pytest.fixture(scope="module")
def again(config, store):
    return measured.reconstructions(config, store, {"baseline": pixels()}, np.arange(10, 16), 0)


def test_reconstructions_of_an_autoencoder_that_loses_nothing(again, store):
    np.testing.assert_allclose(again.outputs["baseline"], store.pixels[10:], atol=1e-6)
    np.testing.assert_array_equal(again.images, store.pixels[10:])
    assert again.tracks.tolist() == ["5", "5", "6", "6", "7", "7"] and again.artists.tolist() == [5, 5, 6, 6, 7, 7]
    assert again.joins.tolist() == [[0, 1], [2, 3], [4, 5]]


def test_rounding_is_that_of_half_pixels_and_noise_that_of_two_draws(store, config):
    """The autoencoder shows its code: what changes is the rounding itself, and the difference of two draws."""
    images = store.pixels[10:]
    rounded, drawn = measured.rounding_and_draws(pixels(np.log(1e-6)), "squared_error", images, 0)
    change = images.astype(np.float16).astype(np.float64) - images
    np.testing.assert_allclose(rounded, np.sqrt(np.square(change).mean(axis=(1, 2))), rtol=1e-3)
    assert (rounded > 5e-5).all()
    np.testing.assert_allclose(drawn, np.sqrt(2) * 1e-3, rtol=0.1)  # two draws of deviation 1e-3


def test_paths_of_an_autoencoder_that_loses_nothing_are_mixes_of_pixels(config, store, again):
    pairs = [(12, 14), (15, 13)]
    found = measured.paths(config, store, pixels(), JUDGE, pairs, again, 0)
    first, second = store.pixels[[12, 15]], store.pixels[[14, 13]]
    straight = measures.mix(first, second, [1, 0.5, 0])
    for how in (*inference.WAYS, "path", "cross-fade of images"):
        np.testing.assert_allclose(found.images[how], straight, atol=1e-5)
    np.testing.assert_array_equal(found.images["unrelated pair"], found.images["path"][::-1])
    np.testing.assert_allclose(found.images["mean image"][1, 2], store.pixels[:8].mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(found.images["cross-fade of sounds"],
                               measures.mixed_power(first, second, [1, 0.5, 0], 80.0))
    assert found.artists.tolist() == [6, 7] and found.genres.tolist() == [[0, 1], [1, 0]]
    np.testing.assert_array_equal(found.embedded["second"], JUDGE.embed(second))
    np.testing.assert_allclose(found.probability["originals"][:, 1, 1], second[:, 0, 0])
    np.testing.assert_allclose(found.probability["path"][..., 1], straight[..., 0, 0], atol=1e-5)
    assert found.features["path"]["chroma"].shape == (2, 3, 12) and found.features["first"]["rms"].shape == (2, 1)
    by_itself = measures.sound_features(preprocess.image_to_power(second[1:]), config.sample_rate, config.hop_length)
    np.testing.assert_allclose(found.features["second"]["centroid"][1], by_itself["centroid"][0], rtol=1e-5)


def test_the_ends_that_are_shown_are_those_of_the_mode(config, store, again):
    dim = pixels()
    dim.networks["decoder"] = keras.Model(dim.networks["decoder"].input, 0.5 * dim.networks["decoder"].output)
    for ends, factor in (("decoded", 0.5), ("original", 1.0)):
        found = measured.paths(dataclasses.replace(config, end_points=ends), store, dim, JUDGE, [(12, 14), (15, 13)],
                               again, 0)
        np.testing.assert_allclose(found.shown[:, 0], factor * store.pixels[[12, 15]], atol=1e-5)
        np.testing.assert_allclose(found.shown[:, -1], factor * store.pixels[[14, 13]], atol=1e-5)
        np.testing.assert_allclose(found.shown[:, 1], 0.5 * measures.mix(
            store.pixels[[12, 15]], store.pixels[[14, 13]], [0.5])[:, 0], atol=1e-5)


def test_blurred_ends_are_as_far_off_as_the_baselines_reconstructions(config, store, again):
    blurred = measures.blurred_to(again.images, 0.05)
    worse = dataclasses.replace(again, outputs={"baseline": blurred})
    error = measures.squared_error(again.images, blurred).mean()
    first, second = store.pixels[[12]], store.pixels[[14]]
    found = measured.controls(np.zeros((1, 3, *SIZE)), first, second, np.array([1, 0.5, 0]), worse, 80.0)
    np.testing.assert_allclose(found["blurred ends"][:, 0], measures.blurred_to(first, error), atol=1e-6)
    np.testing.assert_allclose(found["blurred ends"][:, 2], measures.blurred_to(second, error), atol=1e-6)


def test_what_is_generated_stands_beside_noise_with_the_statistics_of_the_training_images(config, store, again):
    whole = SimpleNamespace(embed=lambda images: images.reshape(len(images), -1))
    found = measured.generated(config, store, pixels(), whole, again, 0).embedded
    training = store.pixels[:8].reshape(8, -1)
    np.testing.assert_array_equal(found["training"], training)
    np.testing.assert_array_equal(found["held out"], again.images.reshape(6, -1))
    np.testing.assert_allclose(found["mean image"], np.tile(training.mean(axis=0), (6, 1)), atol=1e-6)
    assert all(len(found[name]) == 6 for name in ("generated", "noise of pixels", "white noise"))
    drawn = found["generated"]  # a normal draw cut to [0, 1]: half of it 0, a sixth 1
    assert np.mean(drawn == 0) == pytest.approx(0.5, abs=0.02) and np.mean(drawn == 1) == pytest.approx(0.159, abs=0.02)
    for name in ("noise of pixels", "white noise"):
        assert found[name].mean() == pytest.approx(training.mean(), abs=0.02)
        assert found[name].min() >= 0 and found[name].max() <= 1
    assert np.corrcoef(found["noise of pixels"].mean(axis=0), training.mean(axis=0))[0, 1] > 0.4
    assert abs(np.corrcoef(found["white noise"].mean(axis=0), training.mean(axis=0))[0, 1]) < 0.15


def test_noise_is_as_wide_as_the_training_images_at_each_pixel_or_over_all(config, again):
    """Dark and bright half at 0.3 and 0.7, every second image 0.05 above, the others below: little is cut off."""
    half = np.where(np.arange(32) < 16, 0.3, 0.7)[None, :, None]
    above = np.where(np.arange(ROWS) % 2, 0.05, -0.05)[:, None, None]
    images = (half + above * np.ones((1, 32, 32))).astype(np.float32)
    whole = SimpleNamespace(embed=lambda x: x)
    found = measured.generated(config, Made(images), pixels(), whole, again, 0).embedded
    for rows, mean in ((slice(0, 16), 0.3), (slice(16, 32), 0.7)):
        assert found["noise of pixels"][:, rows].mean() == pytest.approx(mean, abs=0.005)
        assert found["noise of pixels"][:, rows].std() == pytest.approx(0.05, rel=0.05)
    white = found["white noise"]
    assert white.mean() == pytest.approx(0.5, abs=0.01) and white.std() == pytest.approx(np.sqrt(0.0425), rel=0.03)
    assert white[:, :16].mean() == pytest.approx(0.5, abs=0.02)


def trained_run(**outcomes):
    return SimpleNamespace(seed=0, model_directory=lambda name: outcomes.get(name))


def test_networks_are_judged_on_held_out_images(config, store, monkeypatch):
    images = store.pixels.copy()
    images[:, 0, 0] = 0.1
    images[[14, 15, 12], 0, 0] = 0.9  # of the test rows 12 to 15, the last two are of the second genre
    shown = Made(images)
    shown.array = store.array
    monkeypatch.setattr(measured.training, "outcome", lambda directory: directory)
    monkeypatch.setattr(measured, "loaded", lambda config, store, run, name: reads_corner())
    line = {"metrics/accuracy": 0.5, "validation/accuracy": 0.75}
    histories = {name: [] for name in train.CLASSIFIERS} | {"cnn_2": [{"metrics/accuracy": 0.1}, line],
                                                            "cnn_2-deep_protocol-leaky": [line]}
    found = measured.networks(config, shown, trained_run(cnn_2=True), histories)
    assert found.rows.tolist() == [12, 13, 14, 15] and found.truth.tolist() == [0, 0, 1, 1]
    assert found.found.keys() == {"cnn_2"} and found.found["cnn_2"].tolist() == [1, 0, 1, 1]
    assert found.leak == {"cnn_2": {"official": 0.75, "leaky": 0.75}} and found.artists.tolist() == [6, 6, 7, 7]
    assert found.histories == {"cnn_2": [line]} and found.trained_on.tolist() == [0, 0, 1, 1, 0, 0, 1, 1]
    assert found.validated_on.tolist() == [0, 0, 1, 1]
    whole = measured.networks(dataclasses.replace(config, deep_protocol="contiguous"), shown, trained_run(cnn_2=True),
                              histories)
    assert whole.rows.tolist() == [12, 13, 14, 15] and list(whole.leak["cnn_2"]) == ["contiguous"]


def test_networks_are_tested_on_256_images_at_most(config, monkeypatch):
    monkeypatch.setattr(measured.training, "outcome", lambda directory: None)
    store = tracks_of([2] * 140, "ab" * 70)
    store.array = {"artists": np.arange(280)}.get
    found = measured.networks(config, store, trained_run(), dict.fromkeys(train.CLASSIFIERS, []))
    assert len(found.rows) == 256 and found.artists.tolist() == found.rows.tolist() and found.found == {}


def test_labels_are_shuffled_as_often_as_the_setting_says(config, store, monkeypatch):
    nothing = {part: np.arange(0) for part in ("train", "test")}
    monkeypatch.setattr(measured.classifiers, "fit_all", lambda *words: (nothing, {}))
    monkeypatch.setattr(measured.classifiers, "folded", lambda *words: None)
    monkeypatch.setattr(measured.classifiers, "shuffled_accuracies", lambda *words: words[3])
    for count in (0, 5):
        found = measured.classical(dataclasses.replace(config, shuffles=count), with_statistics(store), 0)
        assert found.shuffled == (count or None) and found.classes == 2 and found.names == ["a", "b"]


def with_statistics(store):
    return SimpleNamespace(index=store.index, array={"statistics": np.zeros((ROWS, 3)), "artists": np.arange(ROWS)}.get)


def test_more_images_than_go_through_a_network_at_once_keep_their_order(store):
    images = np.concatenate([store.pixels, store.pixels[::-1], store.pixels[:1]])
    learner = pixels()
    mean, log_variance = inference.posteriors(learner, images)
    np.testing.assert_array_equal(mean, images.reshape(33, -1))
    assert log_variance.shape == (33, 1024) and (log_variance == -60).all()
    again = inference.decode(learner, 2 * mean - 0.5, "squared_error")
    np.testing.assert_allclose(again, np.clip(2 * images - 0.5, 0, 1), atol=1e-6)
    np.testing.assert_allclose(inference.probabilities(reads_corner(), images)[:, 1], images[:, 0, 0], rtol=1e-6)


def test_the_hunt_shows_what_squared_error_made_of_the_image_and_where_a_loss_ran_away(config, store, monkeypatch):
    monkeypatch.setattr(measured, "loaded", lambda config, store, run, name: pixels())
    names = [f"overfit-{loss}" for loss in train.OVERFIT] + ["overfit-conv2d"]
    histories = {name: [{"losses/total": 1.0}, {"losses/total": np.nan}] for name in names}
    outcomes = dict.fromkeys(names, SimpleNamespace(diverged=None))
    assert measured.hunt(config, store, None, histories, outcomes | {"overfit-squared_error": None}) is None
    outcomes |= {"overfit-swapped": SimpleNamespace(diverged={"step": 7}), "overfit-conv2d": None}
    found = measured.hunt(config, store, None, histories, outcomes)
    assert found.diverged == {"swapped": 7} and found.conv2d is None
    assert all(lines == [{"losses/total": 1.0}] for lines in found.histories.values()) and len(found.histories) == 5
    np.testing.assert_array_equal(found.image, store.pixels[:1])
    np.testing.assert_allclose(found.output, store.pixels[:1], atol=1e-6)
    found = measured.hunt(config, store, None, histories, outcomes | {"overfit-conv2d": SimpleNamespace(diverged=None)})
    np.testing.assert_allclose(found.conv2d, store.pixels[:1], atol=1e-6)


def test_the_judge_embeds_with_the_last_hidden_layer():
    image = keras.Input((*SIZE, 1))
    hidden = layers.Dense(3, kernel_initializer="ones")(layers.Rescaling(1.0)(layers.Flatten()(image)))
    judge = inference.judge_of({"cnn_1": Learner({"classifier": keras.Model(image, layers.Dense(2)(hidden))}, {}),
                                "cnn_2": reads_corner()})
    images = np.random.default_rng(0).random((2, 5, *SIZE))
    np.testing.assert_allclose(judge.embed(images), np.repeat(images.sum(axis=(2, 3))[..., None], 3, -1), rtol=1e-4)
    np.testing.assert_allclose(judge.classify(images)[..., 1], images[:, :, 0, 0], rtol=1e-5)
    np.testing.assert_allclose(judge.embed(images[1]), judge.embed(images)[1], rtol=1e-5)


def test_a_path_of_one_point_is_one_image_however_it_is_blended(store):
    first, second = store.pixels[:2], store.pixels[2:4]
    for how in inference.WAYS:
        found = inference.path_images(pixels(), "squared_error", first, second, np.array([0.25]), how, 0)
        np.testing.assert_allclose(found, 0.25 * first[:, None] + 0.75 * second[:, None], atol=1e-5)


# ---------------------------------------------------------------- which images

def tracks_of(lengths, labels):
    index = [{"label": label, "group": f"t{k}", "offset": offset, "split": "test"}
             for k, (length, label) in enumerate(zip(lengths, labels, strict=True)) for offset in range(length)]
    return SimpleNamespace(index=index, image=lambda row: np.zeros(SIZE))


def test_held_out_images_are_two_neighbours_of_every_track_before_more_of_any(config):
    store = tracks_of([6, 2, 5], "aab")
    rows = data.held_out(config, store, 0, count=6)
    assert rows.tolist() == [0, 1, 6, 7, 8, 9]
    more = data.held_out(config, store, 0, count=10)
    assert more.tolist() == [0, 1, 2, 3, 6, 7, 8, 9, 10, 11] and len(data.held_out(config, store, 0)) == 13
    assert len(data.held_out(config, tracks_of([2] * 40, "ab" * 20), 0)) == 64
    validation = data.held_out(dataclasses.replace(config, deep_protocol="contiguous"), store, 0)
    assert validation.tolist() == [10, 11, 12]  # 35,000 of 43,320 train, no part tests
    assert data.neighbours(store, np.array([0, 2, 3, 6, 9, 8])).tolist() == [[1, 2], [5, 4]]
    assert data.neighbours(store, np.array([0, 6, 8])).shape == (0, 2)


def test_the_mean_image_is_of_256_training_images_at_most(config):
    store, read = tracks_of([2] * 150, "ab" * 75), []
    store.images = lambda rows: read.extend(rows) or np.full((1, *SIZE), len(read), np.float32)
    for row in store.index:
        row["split"] = "training"
    np.testing.assert_allclose(data.mean_image(config, store, 0), np.full(SIZE, 257 / 2))  # of 1, 2, ..., 256
    assert len(set(read)) == 256


def test_pairs_are_of_different_tracks_and_genres_and_every_track_is_a_once_first(config):
    store = tracks_of([4] * 6, "aaabbc")
    every = dataclasses.replace(config, pairs=12)
    pairs = data.choose_pairs(every, store, np.arange(24), 1)
    begin, end = ([store.index[pair[k]] for pair in pairs] for k in (0, 1))
    assert len(pairs) == 12 and all(a["label"] != b["label"] for a, b in zip(begin, end, strict=True))
    assert len({row["group"] for row in begin[:6]}) == 6 == len({row["group"] for row in begin[6:]})
    assert len(data.choose_pairs(config, store, np.arange(24), 1)) == config.pairs == 2
    two = tracks_of([2] * 6, "aaabbb")
    assert all((a < 6) != (b < 6) for a, b in data.choose_pairs(every, two, np.arange(12), 0))
    one_genre = data.choose_pairs(every, tracks_of([2, 2], "aa"), np.arange(4), 0)
    assert len(one_genre) == 4 and all((a < 2) != (b < 2) for a, b in one_genre)
    assert data.choose_pairs(every, tracks_of([3], "a"), np.arange(3), 0) == []


def test_a_limit_takes_so_many_training_rows_and_a_quarter_of_the_others(config):
    store = tracks_of([40], "a")
    for row in store.index:
        row["split"] = ("training", "validation", "test", "training")[row["offset"] % 4]
    sizes = {name: len(rows) for name, rows in data.parts(config, store, 12, 0).items()}
    assert sizes == {"train": 12, "validation": 3, "test": 3}
    for rows in data.parts(config, store, 19, 0).values():
        assert len(set(rows)) == len(rows) and rows.tolist() == sorted(rows)
    assert {name: len(rows) for name, rows in data.parts(config, store, 2, 0).items()} == {
        "train": 2, "validation": 1, "test": 0}
    assert {name: len(rows) for name, rows in data.parts(config, store, 0, 0).items()} == {
        "train": 20, "validation": 10, "test": 10}
