"""The steps: which network learns from which term, what each divergence changes, dropout, and that all this learns."""

import dataclasses
import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from common.noise import Step, step_scope
from papers.softmax_ae import config as settings, data as segments, train
from tests.common import replicas
from tests.papers.softmax_ae import small

ALL = {"encoder", "decoder", "classifier"}
REACHED = {  # model and settings -> the networks whose weights one update moves
    ("two_layer", ()): {"plain"},
    ("plain_3", ()): {"plain"},
    ("autoencoder", ()): {"encoder", "decoder"},
    ("shallow", ()): {"autoencoder"},
    ("single_hidden", ()): {"autoencoder"},
    ("deep_softmax", ()): ALL,
    ("deep_softmax", (("gamma", 1.0),)): {"encoder", "decoder"},  # the reconstruction alone
    ("deep_softmax", (("gamma", 0.0),)): {"encoder", "classifier"},  # the classification alone
}

REPLICAS = {"two_layer": "test_training.test_two_replicas_match_one",  # test_contract asks; models of one step
            "plain_*": "test_training.test_two_replicas_match_one",  # stand for each other
            "deep_softmax": "test_training.test_two_replicas_match_one",
            "autoencoder": "test_training.test_two_replicas_match_one",
            "shallow": "test_training.test_two_replicas_match_one",
            "single_hidden": "test_training.test_two_replicas_match_one"}


@functools.cache
def store():
    return small.store(*small.tones(tracks=4, segments_a_track=4))


@pytest.mark.parametrize("name, changes", REACHED)
def test_each_loss_term_reaches_its_networks_and_no_other(name, changes):
    config = small.config("sound", keep_probability=1.0, **dict(changes))
    learner, _ = small.trained(name, config, store(), steps=1)
    keras.utils.set_random_seed(0)
    fresh = train.MODELS[name].build(config, store())
    moved = {key: [not np.array_equal(a, b) for a, b in zip(network.get_weights(), fresh.networks[key].get_weights(),
                                                          strict=True)] for key, network in learner.networks.items()}
    assert {key for key, each in moved.items() if any(each)} == REACHED[name, changes]
    assert all(all(moved[key]) for key in REACHED[name, changes]), moved


def losses_of(config, name="deep_softmax", steps=1):
    return small.trained(name, config, store(), steps)[1]


def test_gamma_weighs_the_reconstruction_and_the_rest_the_classification():
    found = losses_of(small.config(gamma=0.7, reconstruction_weight=3.0))
    expected = 0.7 * 3 * found["losses/reconstruction"] + 0.3 * found["losses/classification"]
    assert found["losses/total"] == pytest.approx(expected, rel=1e-5)
    assert found["losses/classification"] == pytest.approx(np.log(2), abs=0.4)


@pytest.mark.parametrize("reconstruction, over", [("sum", np.sum), ("mean", np.mean)])
def test_the_reconstruction_is_of_what_was_fed(reconstruction, over):
    config = small.config(reconstruction=reconstruction, keep_probability=1.0)
    data = segments.load_data(config, store(), 0)
    feed = train.batches(data, data.parts["train"], config, 0)
    batch = feed.read(feed.indices(0))
    for name, key in (("deep_softmax", "losses/reconstruction"), ("autoencoder", "losses/total")):
        keras.utils.set_random_seed(0)
        x_hat = train.reconstruct(train.MODELS[name].build(config, store()), batch["x"]).numpy()
        expected = over(np.square(batch["x"] - x_hat), axis=1).mean()
        assert losses_of(config, name)[key] == pytest.approx(expected, rel=1e-5)


@functools.cache
def trace(config, name="deep_softmax"):
    """What a divergence may change: rows, inputs, order, the network at its start, one step."""
    segments.load_data.cache_clear()
    data = segments.load_data(config, store(), 0)
    (stage,) = train.MODELS[name].stages(config, store(), 0)
    keras.utils.set_random_seed(0)
    learner = train.MODELS[name].build(config, store())
    networks = learner.networks
    z = networks["encoder"](data.x[:4])
    first = losses_of(config, name)
    return {"test": data.parts["test"].tolist(), "x": float(np.std(data.x)), "rows": stage.batches.size,
            "steps": stage.steps, "second epoch": stage.batches.indices(stage.batches.steps_per_epoch).tolist(),
            "first epoch": stage.batches.indices(0).tolist(), "rate": networks["encoder"].get_layer(
                "encoder_dropout").rate, "smallest z": float(tf.reduce_min(z)),
            "smallest x_hat": float(tf.reduce_min(networks["decoder"](z))), "step size": float(
                learner.optimizers["main"].learning_rate), "reconstruction": first["losses/reconstruction"],
            "total": first["losses/total"], "activation": networks["encoder"].get_layer("encoder_1").activation}


TRACED = {  # divergence -> (model, what it changes, the sign of the change from paper to the other value)
    "split": ("deep_softmax", "test", None), "keep_probability": ("deep_softmax", "rate", 1),
    "reconstruction": ("deep_softmax", "reconstruction", -1), "reconstruction_weight": ("deep_softmax", "total", 1),
    "decoder_output": ("deep_softmax", "smallest x_hat", -1), "standardise": ("deep_softmax", "x", 1),
    "activation": ("deep_softmax", "activation", None), "bottleneck_output": ("deep_softmax", "smallest z", -1),
    "learning_rate": ("deep_softmax", "step size", 1), "epochs": ("deep_softmax", "steps", -1),
    "autoencoder_data": ("autoencoder", "rows", 1),
    "reshuffle": ("deep_softmax", "second epoch", None)}
NAMED = {"train_accuracy", "axes", "points"}  # change a named result or a figure: test_known_answers.py


@pytest.mark.parametrize("field", TRACED)
def test_each_divergence_changes_what_it_says_in_its_direction(field):
    (one,) = [one for one in settings.DIVERGENCES if one.field == field]
    name, place, sign = TRACED[field]
    other = one.code if one.code != one.paper else one.sound
    paper = small.config(**{field: one.paper})
    before, after = (traced(name, config)[place] for config in (
        paper, dataclasses.replace(paper, **{field: other})))
    assert before != after
    if sign:
        assert np.sign(after - before) == sign
    if field == "reconstruction":
        assert before == pytest.approx(small.VALUES * after, rel=1e-4)
    if field == "reconstruction_weight":
        assert after - before == pytest.approx(0.1 * losses_of(paper)["losses/reconstruction"], rel=1e-3)


def traced(name, config):
    if name == "deep_softmax":
        return trace(config)
    (stage,) = train.MODELS[name].stages(config, store(), 0)
    return {"rows": stage.batches.size, "steps": stage.steps}


def test_every_divergence_is_traced():
    assert set(TRACED) | NAMED == {one.field for one in settings.DIVERGENCES}


@pytest.mark.parametrize("keep", [0.9, 0.8])
def test_the_built_networks_keep_what_the_paper_keeps(keep):
    learner = train.MODELS["deep_softmax"].build(small.config(keep_probability=keep), store())
    encoder = learner.networks["encoder"]
    dropout = encoder.get_layer("encoder_dropout")
    before = keras.Model(encoder.input, dropout.input)
    after = keras.Model(encoder.input, dropout.output)
    x = np.random.default_rng(0).normal(size=(256, small.VALUES)).astype("f4")
    with step_scope(Step(0, "train", tf.constant(0, tf.int64), tf.constant(256.0), tf.range(256), 256)):
        kept = (after(x, training=True).numpy() != 0).mean()
    assert kept == pytest.approx(keep, abs=0.01)
    np.testing.assert_array_equal(after(x), before(x))


def test_no_gradient_of_the_second_epoch_is_lost_and_adam_is_the_programs():
    learner, _ = small.trained("two_layer", small.config(), store(), steps=1)
    optimizer = learner.optimizers["main"]
    assert (optimizer.epsilon, optimizer.beta_1, optimizer.beta_2) == (1e-8, 0.9, 0.999)
    assert int(optimizer.iterations) == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["two_layer", "deep_softmax"])
def test_it_learns_what_is_there_and_nothing_from_shuffled_labels(name):
    config = small.config("sound", epochs=25, learning_rate=3e-3)
    x, y, tracks = small.tones(tracks=80, segments_a_track=1)
    shuffled = np.random.default_rng(3).permutation(y)
    accuracies = {}
    for kind, labels in (("true", y), ("shuffled", shuffled)):
        held = small.store(x, labels, tracks)
        learner, _ = small.trained(name, config, held)
        data = segments.load_data(config, held, 0)
        accuracies[kind] = train.accuracy(learner, data, data.held)
    assert accuracies["true"] > 0.9 and abs(accuracies["shuffled"] - 0.5) < 0.3, accuracies


@pytest.mark.slow
def test_the_autoencoder_learns_to_reconstruct():
    from common import probes

    config = small.config("sound", autoencoder_epochs=40)
    held = small.store(*small.tones(tracks=16, segments_a_track=4))
    learner, _ = small.trained("autoencoder", config, held)
    data = segments.load_data(config, held, 0)
    x = data.x[data.held]
    assert probes.r_squared(x, train.reconstruct(learner, x).numpy()) > 0.7


def test_another_seed_is_another_split_another_start_and_other_weights():
    config = small.config()
    parts = [segments.load_data(config, store(), seed).parts["train"].tolist() for seed in (0, 1)]
    (zero, _), (one, _) = (small.trained("two_layer", config, store(), steps=2, seed=seed) for seed in (0, 1))
    assert parts[0] != parts[1]
    assert not any(np.array_equal(a, b) for a, b in zip(small.weights(zero), small.weights(one), strict=True))


@pytest.mark.parametrize("split", ["P1", "P2", "T1"])
def test_a_runs_twins_differ_from_its_networks_in_one_setting(split):
    config = small.config(split=split, ablations=True)
    jobs = train.jobs(config)
    assert jobs[settings.ALONE] == (train.MODELS["deep_softmax"], dataclasses.replace(config, gamma=0.0))
    assert jobs[settings.LONGER][1] == dataclasses.replace(config, epochs=2 * config.epochs)
    for name, twin in train.UNHEARD.items():
        assert (twin in jobs) is (split != "T1")
        if twin in jobs:
            assert jobs[twin] == (train.MODELS[name], dataclasses.replace(config, split="T1"))


def replicated():
    """For `tests.common.replicas`: dropout on, a last batch of fewer rows, every step function."""
    held = small.store(*small.tones(tracks=4, segments_a_track=5))
    return {name: (train.MODELS[name], small.config(keep_probability=0.8, epochs=3, autoencoder_epochs=3), held)
            for name in ("two_layer", "deep_softmax", "autoencoder")}


@pytest.mark.slow
def test_two_replicas_match_one(tmp_path):
    found = replicas.differences("tests.papers.softmax_ae.test_training", tmp_path)
    assert set(found) == set(replicated()) and max(found.values()) < 1e-5, found
