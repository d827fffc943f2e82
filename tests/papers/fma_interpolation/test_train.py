"""Losses in closed form, divergences that change something, exact resume, replicas, the overfit experiment."""

import dataclasses
import inspect
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from common import noise, training
from common.config import resolve
from papers.fma_interpolation import config as settings, data, learners, losses, model, splits, train

REPLICAS = {"autoencoder-*": "test_train.test_two_replicas_equal_one",
            "overfit-*": "test_train.test_two_replicas_equal_one",  # the step of the autoencoders
            "cnn_*": "test_train.test_two_replicas_equal_one",
            "rnn": "test_train.test_two_replicas_equal_one"}  # test_contract asks

ROOT = Path(__file__).resolve().parents[3]


def image(value=None, shape=(2, 4, 5, 1)):
    values = np.full(shape, value) if value is not None else np.random.default_rng(0).random(shape)
    return tf.constant(values, tf.float32)


# ---------------------------------------------------------------- losses

def test_cross_entropy_at_zero_logits_is_pixels_times_log_2():
    whole = tf.zeros((1, 512, 640, 1))
    assert float(losses.cross_entropy(whole + 0.3, whole)[0]) == pytest.approx(227_130.5, abs=1)
    assert float(losses.flipped_cross_entropy(whole + 0.3, whole)[0]) == pytest.approx(-227_130.5, abs=1)


def test_cross_entropy_equals_its_formula():
    x, logits = image(), tf.constant(np.random.default_rng(1).normal(size=(2, 4, 5, 1)), tf.float32)
    p = 1 / (1 + np.exp(-logits.numpy()))
    expected = -(x * np.log(p) + (1 - x) * np.log(1 - p)).numpy().sum(axis=(1, 2, 3))
    np.testing.assert_allclose(losses.cross_entropy(x, logits), expected, rtol=1e-5)


def test_swapped_cross_entropy_is_linear_in_the_output():
    x = image()
    values = [float(losses.swapped_cross_entropy(x, image(v))[0]) for v in (0.0, 1.0, 2.0, -1e6)]
    slope = -float(tf.reduce_sum(x[0]))
    assert values[0] == pytest.approx(float(tf.reduce_sum(tf.math.softplus(x[0]))), rel=1e-5)
    assert values[1] - values[0] == pytest.approx(slope, rel=1e-4)
    assert values[2] - values[0] == pytest.approx(2 * slope, rel=1e-4)
    assert float(losses.swapped_cross_entropy(x, image(1e6))[0]) < -1e5  # no lower bound


def test_decibel_cross_entropy_has_no_lower_bound():
    loud, quiet = tf.ones((1, 2, 2, 1)), tf.zeros((1, 2, 2, 1))
    assert float(losses.decibel_cross_entropy(loud, 1e4 * loud)[0]) < -1e5
    assert float(losses.decibel_cross_entropy(quiet, quiet - 1e4)[0]) < -1e5


def test_labels_in_decibels_are_35_below_to_45_above_zero():
    """At a logit of 100 the cross-entropy of a label is 100 (1 - label), of each of four pixels; 32768 is 45.15 dB."""
    for pixel, label in ((1.0, 45.154499), (0.5, 5.154499), (0.0, -34.845501)):
        found = float(losses.decibel_cross_entropy(image(pixel, (1, 2, 2, 1)), image(100.0, (1, 2, 2, 1)))[0])
        assert found == pytest.approx(400 * (1 - label), rel=1e-5)


def test_squared_error_is_a_sum():
    assert float(losses.squared_error(image(1.0), image(0.5))[0]) == 20 * 0.25


def test_divergence_of_the_prior_is_zero_and_of_a_shift_half_its_square():
    zero = tf.zeros((3, 8))
    np.testing.assert_array_equal(losses.analytic_divergence(zero, zero, None), np.zeros(3))
    np.testing.assert_allclose(losses.analytic_divergence(zero + 2.0, zero, None), np.full(3, 8 * 2.0))
    wide = 0.5 * 8 * (np.exp(1.0) - 1 - 1)
    np.testing.assert_allclose(losses.analytic_divergence(zero, zero + 1.0, None), np.full(3, wide), rtol=1e-5)


def test_sampled_divergence_averages_to_the_analytic_one():
    random = np.random.default_rng(0)
    mean, log_variance = (tf.constant(random.normal(size=(1, 8)), tf.float32) for _ in range(2))
    noise = tf.constant(random.standard_normal((200_000, 8)), tf.float32)
    sampled = losses.sampled_divergence(mean, log_variance, mean + tf.exp(0.5 * log_variance) * noise)
    analytic = float(losses.analytic_divergence(mean, log_variance, None)[0])
    assert float(tf.reduce_mean(sampled)) == pytest.approx(analytic, rel=0.01)


# ---------------------------------------------------------------- splits

def test_sizes_of_the_splits():
    leaky, contiguous = splits.leaky(43_323), splits.contiguous(43_323)
    assert (len(leaky["train"]), len(leaky["test"])) == (7000, 3000)
    assert max(leaky["train"].max(), leaky["test"].max()) == 9999
    assert (contiguous["train"][-1], contiguous["test"][0], contiguous["test"][-1]) == (9999, 10_000, 11_999)
    deep = splits.deep("contiguous", 43_320, None)
    assert (len(deep["train"]), len(deep["validation"])) == (35_000, 8_320)
    leaky = splits.deep("leaky", 43_320, None, seed=1)
    assert (len(leaky["train"]), len(leaky["validation"])) == (35_000, 8_320)
    assert sorted(np.concatenate([leaky["train"], leaky["validation"]])) == list(range(43_320))


@pytest.mark.parametrize("count", [2, 3, 10, 85, 4000, 43_320, 50_000])
def test_every_row_of_the_networks_split_is_in_one_part(count):
    for protocol in ("contiguous", "leaky"):
        split = splits.deep(protocol, count, None, seed=1)
        assert sorted(np.concatenate([split["train"], split["validation"]])) == list(range(count))
        assert len(split["train"]) == count * 35_000 // 43_320 and len(split["validation"]) >= 1
    assert np.array_equal(splits.deep("contiguous", count, None)["train"], np.arange(count * 35_000 // 43_320))


def test_only_the_leaky_split_shares_tracks():
    groups = [f"{i // 5:06d}" for i in range(12_000)]
    shares = {name: splits.shared_groups(split(12_000), groups) for name, split in splits.CLASSICAL.items()
              if name != "official"}
    assert shares["leaky"] > 0.9 and shares["contiguous"] < 0.01
    labels = np.array(["training", "validation", "test", "training"]).repeat(5)
    three = splits.official(20, splits=labels)
    assert splits.shared_groups(three, [f"{i // 5}" for i in range(20)]) == 0
    assert sorted(np.concatenate(list(three.values()))) == list(range(20))
    assert [three[part].tolist() for part in ("train", "validation", "test")] == [
        [*range(5), *range(15, 20)], [*range(5, 10)], [*range(10, 15)]]
    for split in (splits.leaky(12_000), splits.contiguous(12_000)):
        assert not set(split["train"]) & set(split["test"]) and not set(split["fit"]) & set(split["validation"])
    for rows, tested, share in (([0], [], 0), ([], [0], 0), ([0], [1, 2, 3, 5], 0.75)):
        assert splits.shared_groups({"train": rows, "test": tested}, ["a", "a", "a", "a", "b", "b"]) == share


def test_a_tenth_of_the_training_rows_picks_the_grid_value():
    split = splits.contiguous(24)
    assert split["train"].tolist() == list(range(20)) and split["test"].tolist() == list(range(20, 24))
    assert split["fit"].tolist() == list(range(18)) and split["validation"].tolist() == [18, 19]
    assert len(splits.leaky(24)["test"]) == 6 and max(map(max, splits.leaky(24).values())) == 19


# ---------------------------------------------------------------- divergences

def test_no_mode_word_in_the_networks_or_the_steps():
    for module in (model, learners, losses, train):
        assert not re.search(r"\.follow\b|== \"(sound|paper|code)\"", inspect.getsource(module))


def test_each_divergence_is_a_field_and_names_claims():
    import csv

    claims = {row["id"] for row in csv.DictReader(open(ROOT / "papers/fma_interpolation/claims.csv"))}
    fields = {f.name for f in dataclasses.fields(settings.Config)}
    for divergence in settings.DIVERGENCES:
        assert divergence.field in fields and set(divergence.decides) <= claims
        assert divergence.paper == getattr(settings.Config(), divergence.field)
    assert 3 <= sum(bool(d.decides) for d in settings.DIVERGENCES)


def test_networks_are_trained_under_the_leaky_split_beside_the_official_one():
    official = train.jobs(resolve(settings, "sound", "demo"))
    leaky = {name: changed for name, (_, changed) in official.items() if name.endswith("-deep_protocol-leaky")}
    assert set(leaky) == {f"{name}-deep_protocol-leaky" for name in train.CLASSIFIERS}
    assert {config.deep_protocol for config in leaky.values()} == {"leaky"}
    assert set(train.jobs(resolve(settings, "paper", "demo"))) == set(train.MODELS)


# ---------------------------------------------------------------- training

def weights(learner):
    return [v.numpy() for network in learner.networks.values() for v in network.variables]


class InTraining(keras.layers.Layer):
    """Doubles in training, and else leaves as it is."""

    def call(self, x, training=False):
        return 2 * x if training else x


def plain(x, units):
    """`units` inputs as they are, by weights that can be trained."""
    return InTraining()(keras.layers.Dense(units, use_bias=False, kernel_initializer="identity")(x))


class GivenStep(noise.Step):
    """The first step of a call of `rows` examples; every draw of a name is one number."""

    def __init__(self, rows):
        super().__init__(0, "train", tf.constant(0, tf.int64), tf.constant(rows, tf.float32), tf.range(rows), rows)

    def normal(self, name, shape=()):
        return tf.fill((len(self._positions), *shape), {"code": 0.5, "second code": -0.5}[name])


@pytest.mark.parametrize(("divergence", "second_draw", "kl"), [
    ("analytic", False, 11), ("analytic", True, 11), ("sampled", False, 9.5), ("sampled", True, 3.5)])
def test_a_step_of_an_autoencoder_in_numbers(divergence, second_draw, kl):
    """Four pixels x: the mean is 2 x, the deviation 2, so that the code is 2 x + 1 and the output 4 x + 2."""
    image, code = keras.Input((2, 2, 1)), keras.Input((4,))
    flat = keras.layers.Flatten()(image)
    encoder = keras.Model(image, [plain(flat, 4), 0 * flat + float(np.log(4.0))])
    decoder = keras.Model(code, keras.layers.Reshape((2, 2, 1))(plain(code, 4)))
    variables = [encoder.trainable_variables[0], decoder.trainable_variables[0]]
    adam = keras.optimizers.SGD(1.0)  # under the name that the step asks for
    adam.build(variables)
    learner = training.Learner({"encoder": encoder, "decoder": decoder}, {"adam": adam})
    x = np.array([[1.0, 0, 0, 0], [0, 2, 0, 0]], np.float32)
    found = train.autoencoder_step("squared_error", divergence, second_draw, learner,
                                   {"image": tf.constant(x.reshape(2, 2, 2, 1))}, GivenStep(2))
    squares = (25 + 3 * 4 + 64 + 3 * 4) / 2  # of 3 x + 2, summed over the pixels
    kl = kl - 4 * np.log(2)  # (2 x)^2 + 4 - 1 - log 4 by halves; or the code's squares by halves, less 1/2 and 4 log 2
    assert {key: float(value) for key, value in found.items()} == pytest.approx({
        "losses/reconstruction": squares, "losses/divergence": kl, "losses/total": squares + kl,
        "metrics/squared_error": squares / 4}, rel=1e-5)
    pull = 2 * (np.outer([3, 1, 1, 1], [5, 2, 2, 2]) + np.outer([1, 5, 1, 1], [2, 8, 2, 2]))  # code and what is missed
    np.testing.assert_allclose(variables[1].numpy(), np.eye(4) - pull, rtol=1e-5)
    if divergence == "analytic":  # a mean is pulled by 4 (3 x + 2) and by itself
        pull = np.array([[22, 8, 8, 8], [16, 72, 16, 16], [0] * 4, [0] * 4])
        np.testing.assert_allclose(variables[0].numpy(), np.eye(4) - pull, rtol=1e-5)


def test_a_step_of_a_classifier_in_numbers():
    """Probabilities of 1/2, 1/4 and 1/4 four times; three images are of the first genre, one of the second."""
    image = keras.Input((1, 3, 1))
    doubled = InTraining()(keras.layers.Flatten()(image))
    logits = keras.layers.Dense(3, use_bias=False, kernel_initializer="identity")(doubled)
    network = keras.Model(image, keras.layers.Softmax()(logits))
    adam = keras.optimizers.SGD(1.0)
    adam.build(network.trainable_variables)
    batch = {"image": tf.constant(np.log([[2.0, 1, 1]] * 4).reshape(4, 1, 3, 1) / 2, tf.float32),
             "label": tf.constant([0, 0, 1, 0])}
    found = train.classifier_step(training.Learner({"classifier": network}, {"adam": adam}), batch, GivenStep(4))
    assert {key: float(value) for key, value in found.items()} == pytest.approx({
        "losses/cross_entropy": 1.25 * np.log(2), "metrics/accuracy": 0.75}, rel=1e-5)
    pull = np.log(2) / 4 * np.array([[-1, 0, 1], [0, 0, 0], [0, 0, 0]])  # (2 - 3, 1 - 1, 1 - 0) / 4 of the input
    np.testing.assert_allclose(network.trainable_variables[0].numpy(), np.eye(3) - pull, atol=1e-6)


def test_a_classifier_is_validated_on_every_image_as_it_answers_after_training():
    image = keras.Input((1, 2, 1))
    network = keras.Model(image, InTraining()(keras.layers.Flatten()(image)))  # pixels are the probabilities
    labels = np.arange(20) // 15

    def read(rows):
        return {"image": np.tile(np.float32([[[0.75], [0.25]]]), (len(rows), 1, 1, 1)), "label": labels[rows]}

    found = train.validate_classifier(read, 20, training.Learner({"classifier": network}, {}))
    assert found == pytest.approx({"validation/cross_entropy": -(15 * np.log(0.75) + 5 * np.log(0.25)) / 20,
                                   "validation/accuracy": 0.75}, rel=1e-5)


def validated(drawn, loss="squared_error"):
    """Validation of 20 images of 0.5 by an autoencoder whose codes are pixels, of mean 0.2 and deviation 2."""
    image, code = keras.Input((32, 32, 1)), keras.Input((1024,))
    flat = keras.layers.Flatten()(image)
    encoder = keras.Model(image, [0 * flat + 0.2, 0 * flat + float(np.log(4.0))])
    decoder = keras.Model(code, keras.layers.Reshape((32, 32, 1))(code))
    learner = training.Learner({"encoder": encoder, "decoder": decoder}, {"adam": keras.optimizers.Adam()})
    return train.validate_autoencoder(loss, lambda rows: {"image": np.full((len(rows), 32, 32, 1), 0.5, np.float32)},
                                      20, drawn, 0, None, learner)


def test_validation_decodes_the_mean_or_a_draw_of_its_deviation():
    mean = validated(None)
    assert mean["validation/squared_error"] == pytest.approx(0.3**2, rel=1e-5)
    assert mean["validation/reconstruction"] == pytest.approx(1024 * 0.3**2, rel=1e-5)
    analytic = 1024 * 0.5 * (4 + 0.04 - 1 - np.log(4))
    assert mean["validation/divergence"] == pytest.approx(analytic, rel=1e-5)
    drawn = validated("sampled")
    assert drawn["validation/squared_error"] == pytest.approx(0.3**2 + 4, rel=0.03)
    assert drawn["validation/divergence"] == pytest.approx(analytic, rel=0.03)
    assert drawn["validation/divergence"] != pytest.approx(analytic, rel=1e-6)  # taken at the draw
    logits = validated(None, "cross_entropy")
    assert logits["validation/squared_error"] == pytest.approx((0.5 - 1 / (1 + np.exp(-0.2))) ** 2, rel=1e-4)


def test_two_epochs_without_gain_take_the_rate_to_a_tenth_but_not_below_its_least():
    variables = {"best": tf.Variable(np.inf), "wait": tf.Variable(0)}
    learner = training.Learner({}, {"adam": keras.optimizers.Adam(1e-4)}, variables)
    rates = []
    for loss in (5.0, 6.0, 4.0, 4.0, 4.0, 5.0, 3.0, 3.5, 3.5, 9.0, 9.0):
        train.reduce(learner, loss, 3e-6)
        rates.append(float(learner.optimizers["adam"].learning_rate.numpy()))
    assert rates == pytest.approx([1e-4] * 4 + [1e-5] * 4 + [3e-6] * 3, rel=1e-5)
    assert float(variables["best"].numpy()) == 3.0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["autoencoder-baseline", "cnn_2"])
def test_every_kind_of_model_trains_and_loads(name, tiny, store, tmp_path):
    outcome = training.train(name, train.MODELS[name], tiny, store, tmp_path, seed=0)
    assert outcome.complete
    line = training.history(tmp_path)[-1]
    assert all(np.isfinite(v) for v in line.values() if isinstance(v, float))
    assert any(key.startswith("validation/") for key in line)
    training.load(train.MODELS[name], tiny, store, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", [
    "autoencoder-conv1d", "autoencoder-conv2d", "rnn",
    pytest.param("autoencoder-inception", marks=pytest.mark.very_slow)])
def test_the_other_models_train(name, tiny, store, tmp_path):
    assert training.train(name, train.MODELS[name], tiny, store, tmp_path, seed=0).complete
    assert np.isfinite(list(training.history(tmp_path)[-1].values())[3])


@pytest.mark.slow
def test_squared_error_overfits_one_image_and_the_swapped_cross_entropy_runs_away(tiny, store, tmp_path):
    config = dataclasses.replace(tiny, overfit_steps=150, latent=8)
    runs = {}
    for loss in ("squared_error", "swapped"):
        training.train(loss, train.MODELS[f"overfit-{loss}"], config, store, tmp_path / loss, seed=0)
        runs[loss] = training.history(tmp_path / loss)
    error = [line["metrics/squared_error"] for line in runs["squared_error"]]
    assert error[-1] < 0.1 * error[0]
    swapped = runs["swapped"]
    assert swapped[-1]["losses/total"] < 0 < swapped[0]["losses/total"]
    assert swapped[-1]["metrics/squared_error"] > swapped[0]["metrics/squared_error"]


class Killed(Exception):
    """Stands for the power cut."""


@pytest.mark.parametrize("name", [pytest.param("autoencoder-baseline", marks=pytest.mark.slow), "cnn_1"])
def test_killed_and_resumed_equals_uninterrupted(name, tiny, store, tmp_path):
    config = dataclasses.replace(tiny, baseline_epochs=2, cnn_1_epochs=2, reduce_rate=True)
    entry = train.MODELS[name]

    def dies(config, store, seed):
        stages = entry.stages(config, store, seed)
        calls, read = [], stages[0].batches.read

        def reading(indices):
            calls.append(indices)
            if len(calls) == 6:
                raise Killed
            return read(indices)

        batches = dataclasses.replace(stages[0].batches, read=reading)
        return [dataclasses.replace(stages[0], batches=batches)]

    training.train(name, entry, config, store, tmp_path / "whole", seed=0)
    with pytest.raises(Killed):
        training.train(name, dataclasses.replace(entry, stages=dies), config, store, tmp_path / "cut", seed=0,
                       checkpoint_seconds=0)
    training.train(name, entry, config, store, tmp_path / "cut", seed=0)
    whole, cut = (tmp_path / d / "metrics.jsonl" for d in ("whole", "cut"))
    assert whole.read_text() == cut.read_text() and len(whole.read_text().splitlines()) == 2
    whole, cut = (weights(training.load(entry, config, store, tmp_path / d)) for d in ("whole", "cut"))
    for a, b in zip(whole, cut, strict=True):
        np.testing.assert_array_equal(a, b)


SCRIPT = """
import dataclasses, json, sys
import keras
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from pathlib import Path
from common import training
from common.config import resolve
from common.store import Store
from papers.fma_interpolation import config as settings, train
config = resolve(settings, "paper", "smoke", json.loads(sys.argv[3]))
store, out = Store(Path(sys.argv[1])), Path(sys.argv[2])


def change(name, optimizer=None):
    entry = train.MODELS[name]

    def build(config, store):
        learner = entry.build(config, store)
        made = optimizer() if optimizer else learner.optimizers["adam"]
        if not made.built:
            made.build([v for network in learner.networks.values() for v in network.trainable_variables])
        return training.Learner(learner.networks, {"adam": made}, learner.variables)

    def stages(*arguments):
        return [dataclasses.replace(entry.stages(*arguments)[0], steps=10, log_every=1, validate=None)]

    return dataclasses.replace(entry, build=build, stages=stages)


def descent():
    return keras.optimizers.SGD(1e-5)


entries = {"baseline": change("autoencoder-baseline", descent), "cnn_1": change("cnn_1")}
two = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
for name, entry in entries.items():
    training.train(name, entry, config, store, out / "1" / name, 0)
    training.train(name, entry, config, store, out / "2" / name, 0, two)
"""


@pytest.mark.slow
def test_two_replicas_equal_one(tiny, store, tmp_path):
    overrides = {f.name: getattr(tiny, f.name) for f in dataclasses.fields(tiny)
                 if getattr(tiny, f.name) != getattr(resolve(settings, "paper", "smoke"), f.name)}
    overrides |= {"baseline_batch": 7, "classifier_batch": 15}  # uneven halves
    config = dataclasses.replace(tiny, **overrides)
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(store.directory), str(tmp_path), json.dumps(overrides)],
                          cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    for name, directory in (("autoencoder-baseline", "baseline"), ("cnn_1", "cnn_1")):
        keras.utils.set_random_seed(0)
        start = np.concatenate([v.ravel() for v in weights(train.MODELS[name].build(config, store))])
        one, two = (weights(training.load(train.MODELS[name], config, store, tmp_path / d / directory))
                    for d in ("1", "2"))
        one, two = (np.concatenate([v.ravel() for v in part]) for part in (one, two))
        assert np.abs(one - start).max() > 1e-3  # something was learnt
        assert np.linalg.norm(one - two) < 1e-5 * np.linalg.norm(one)


def test_reading_keeps_nothing_and_reads_the_array_of_images(tmp_path):
    """30 times a store of 20 images in one array: what a batch was made of is not held, and no EXR file is needed."""
    import resource

    from common.store import Store

    random = np.random.default_rng(0)
    (tmp_path / "arrays").mkdir()
    np.save(tmp_path / "arrays" / "images.npy", random.random((20, 512, 640)).astype(np.float16))

    class Long(Store):
        index = [{"label": "ab"[i % 2]} for i in range(20)]

    read, store = data.reader(Long(tmp_path), np.arange(20)), Long(tmp_path)
    first = read(np.array([3, 1]))
    np.testing.assert_array_equal(first["image"][..., 0], store.array("images")[[3, 1]].astype(np.float32))
    assert first["image"].dtype == np.float32 and list(first["label"]) == [1, 1]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for start in range(0, 600, 8):  # 0.8 gigabyte
        assert read(np.arange(start, start + 8) % 20)["image"].shape == (8, 512, 640, 1)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kilobytes


def test_batches_are_in_order_and_read_ahead_of_their_use():
    """What is asked of the store while a batch is worked on is at most the next two; an error of reading comes out."""
    asked, seen = [], []

    def read(rows):
        asked.append(rows[0])
        return rows

    def use(rows):
        time.sleep(0.05)
        seen.append((rows[0], len(asked)))
        return rows.sum()

    assert data.in_batches(use, read, 11, size=2) == [1, 5, 9, 13, 17, 10]
    assert seen == [(0, 3), (2, 4), (4, 5), (6, 6), (8, 6), (10, 6)] and sorted(asked) == [0, 2, 4, 6, 8, 10]
    with pytest.raises(OSError, match="gone"):
        data.in_batches(use, lambda rows: (_ for _ in ()).throw(OSError("gone")), 3)
    assert data.in_batches(use, read, 0) == []
