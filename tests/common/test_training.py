"""The loop: exact resume, replica equality, refusals. Everything that kills or multiplies devices runs on its own."""

import gc
import json
import os
import re
import signal
import time
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from common import checkpoints, training
from common.noise import Step, step_scope
from tests.common import processes, toy


def run_toy(directory, *words, check=True):
    """Train the toy network in a process of its own; returns the finished process."""
    done = processes.run("tests.common.toy", directory, *words)
    assert not check or done.returncode == 0, done.stderr[-2000:]
    return done


def contents(directory):
    """All that a finished training left: the arrays of its last checkpoint and its metrics."""
    with np.load(checkpoints.files(directory / "checkpoints")[-1], allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files if name != "state"}
    return arrays, (directory / "metrics.jsonl").read_text()


def assert_same(first, second):
    assert first[1] == second[1]
    assert first[0].keys() == second[0].keys()
    for name in first[0]:
        np.testing.assert_array_equal(first[0][name], second[0][name], err_msg=name)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    directory = tmp_path_factory.mktemp("whole")
    run_toy(directory)
    return contents(directory)


@pytest.mark.slow
def test_same_seed_same_weights_other_seed_others(uninterrupted, tmp_path):
    run_toy(tmp_path / "again", "--checkpoint-seconds", "1000")
    assert_same(contents(tmp_path / "again"), uninterrupted)
    run_toy(tmp_path / "other", "--seed", "1")
    other = contents(tmp_path / "other")
    assert other[1] != uninterrupted[1]
    kernel = next(name for name in other[0] if name.startswith("network/network/000"))
    assert not np.array_equal(other[0][kernel], uninterrupted[0][kernel])


@pytest.mark.slow
def test_nothing_of_a_trained_model_stays_in_memory(tmp_path):
    def graphs():
        gc.collect()
        return sum(type(one).__name__ == "FuncGraph" for one in gc.get_objects())

    run = SimpleNamespace(model_directory=lambda name: tmp_path / name, seed=0, provenance=lambda store: None)
    before = graphs()
    training.train_all({"toy": (toy.model(), toy.Config(steps=2))}, None, run)
    assert training.outcome(tmp_path / "toy").complete and graphs() <= before


@pytest.mark.slow
@pytest.mark.parametrize("point", ["step:5", "checkpoint", "stage"])
def test_killed_and_restarted_equals_uninterrupted(uninterrupted, tmp_path, point):
    killed = run_toy(tmp_path, "--kill", point, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not training.outcome(tmp_path).complete
    run_toy(tmp_path)
    assert_same(contents(tmp_path), uninterrupted)


@pytest.mark.parametrize("time_of_many", [pytest.param(0, marks=pytest.mark.slow), *(
    pytest.param(k, marks=pytest.mark.very_slow) for k in range(1, 6))])
def test_killed_at_random_equals_uninterrupted(tmp_path, time_of_many):
    wait = float(np.random.default_rng().uniform(0.3, 2.5))
    print(f"killed after {wait:.2f} s")
    run_toy(tmp_path / "whole", "--steps", "60")
    process = processes.Process("tests.common.toy", tmp_path / "killed", "--steps", "60")
    time.sleep(wait)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    run_toy(tmp_path / "killed", "--steps", "60")
    assert_same(contents(tmp_path / "killed"), contents(tmp_path / "whole"))


@pytest.mark.slow
def test_sigterm_saves_says_so_and_exits_143(uninterrupted, tmp_path):
    process = processes.Process("tests.common.toy", tmp_path, "--steps", "4000", "--checkpoint-seconds", "1000")
    deadline = time.monotonic() + 300
    while not (tmp_path / "metrics.jsonl").exists() or not (tmp_path / "metrics.jsonl").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    _, message = process.communicate()
    assert process.returncode == 143
    said = re.search(r"stopped at step (\d+) of 8000, the same command goes on", message)
    assert int(said[1]) == training.outcome(tmp_path).step > 0  # where it stopped it saved


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("clip", [(), ("--clip-norm", "0.5")], ids=["plain", "clipped"])
def test_two_replicas_equal_one(tmp_path, optimizer, clip):
    words = ("--optimizer", optimizer, "--steps", "10", *clip)
    run_toy(tmp_path / "1", *words)
    run_toy(tmp_path / "2", *words, "--replicas", "2")
    assert_close(contents(tmp_path / "1"), contents(tmp_path / "2"))


def start_workers(directory, *words, chief=False):
    """Two processes of one training, joined over the loopback device."""
    places = [f"127.0.0.1:{port}" for port in processes.free_ports(2)]
    cluster = {"chief": places[:1], "worker": places[1:]} if chief else {"worker": places}
    tasks = [{"type": name, "index": i} for name, mine in cluster.items() for i in range(len(mine))]
    return [processes.Process("tests.common.toy", directory, *words, environment={
        **os.environ, "TF_CONFIG": json.dumps({"cluster": cluster, "task": task})}) for task in tasks]


@pytest.mark.slow
def test_two_workers_equal_one(tmp_path):
    run_toy(tmp_path / "1", "--steps", "10")
    for worker in start_workers(tmp_path / "2", "--steps", "10"):
        _, message = worker.communicate()
        assert worker.returncode == 0, message[-2000:]
    assert_close(contents(tmp_path / "1"), contents(tmp_path / "2"))


@pytest.mark.slow
@pytest.mark.parametrize("chief", [False, True], ids=["two workers", "chief and worker"])
def test_a_worker_that_is_told_to_stop_makes_the_chief_save(tmp_path, chief):
    workers = start_workers(tmp_path, "--steps", "4000", "--checkpoint-seconds", "1000", chief=chief)
    deadline = time.monotonic() + 300
    while not (tmp_path / "metrics.jsonl").exists() or not (tmp_path / "metrics.jsonl").read_text():
        assert time.monotonic() < deadline and workers[0].returncode is None
        time.sleep(0.1)
    workers[1].send_signal(signal.SIGTERM)
    said = [worker.communicate()[1] for worker in workers]
    steps = [re.search(r"stopped at step (\d+) of 8000, the same command goes on", text)[1] for text in said]
    assert [worker.returncode for worker in workers] == [143, 143] and steps[0] == steps[1]
    assert training.outcome(tmp_path).step == int(steps[0])
    lines = [json.loads(line)["step"] for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert lines == sorted(set(lines))  # one writer


def assert_close(one, two):
    """Relative 1e-5 over each kind of state, norm of the difference over the norm."""
    assert one[0].keys() == two[0].keys()
    for name, value in one[0].items():
        if "iteration" in name or "learning_rate" in name:
            np.testing.assert_array_equal(value, two[0][name], err_msg=name)
    for kind in ("network/", "optimizer/", "variable/"):
        a = np.concatenate([np.ravel(v).astype("f8") for n, v in one[0].items() if n.startswith(kind)])
        b = np.concatenate([np.ravel(v).astype("f8") for n, v in two[0].items() if n.startswith(kind)])
        assert np.linalg.norm(a - b) <= 1e-5 * np.linalg.norm(a), kind
    lines = [[json.loads(x)["losses/total"] for x in c[1].splitlines()] for c in (one, two)]
    np.testing.assert_allclose(lines[0], lines[1], rtol=1e-5)


# In this process

def simple(loss, may_diverge=False, single_replica=False):
    def build(config, store):
        x = keras.Input((1,))
        network = keras.Model(x, keras.layers.Dense(1)(x))
        optimizer = keras.optimizers.SGD(0.1)
        optimizer.build(network.trainable_variables)
        return training.Learner({"network": network}, {"main": optimizer})

    def stages(config, store, seed):
        def step(learner, batch, step):
            weights = learner.networks["network"].trainable_variables
            with tf.GradientTape() as tape:
                value = step.mean(loss(learner.networks["network"](batch["x"])[:, 0], step))
            step.apply(learner.optimizers["main"], tape.gradient(value, weights), weights)
            return {"losses/total": value}

        batches = training.Batches(10, 4, lambda i: {"x": np.ones((len(i), 1), "f4")}, training.fixed(10))
        return [training.Stage("only", step, batches, 9, 3)]

    return training.Model(build, stages, may_diverge, single_replica)


def test_nan_stops_naming_step_and_loss(tmp_path):
    def broken(y, step):
        return tf.where(step.index == 4, tf.constant(np.nan), 1.0) * y

    with pytest.raises(training.TrainingError, match="losses/total is not finite at step 5 of 9"):
        training.train("m", simple(broken), toy.Config(), None, tmp_path, 0)
    outcome = training.train("m", simple(broken, may_diverge=True), toy.Config(), None, tmp_path / "b", 0)
    assert outcome.diverged == {"stage": "only", "step": 5, "loss": "losses/total"} and not outcome.complete
    with np.load(checkpoints.files(tmp_path / "b" / "checkpoints")[-1]) as archive:
        assert all(np.isfinite(archive[n]).all() for n in archive.files if n != "state")
    again = training.train("m", simple(broken, True), toy.Config(), None, tmp_path / "b", 0)
    assert again == training.outcome(tmp_path / "b")


def test_checkpoints_of_other_settings_are_refused(tmp_path):
    training.train("m", simple(lambda y, s: y * y), toy.Config(), None, tmp_path, 0)
    with pytest.raises(training.TrainingError, match="steps=8, asked for is steps=9; --fresh"):
        training.train("m", simple(lambda y, s: y * y), toy.Config(steps=9), None, tmp_path, 0)
    with pytest.raises(training.TrainingError, match="seed=0, asked for is seed=1"):
        training.train("m", simple(lambda y, s: y * y), toy.Config(), None, tmp_path, 1)


def test_done_training_is_left_alone_and_loads(tmp_path):
    model = simple(lambda y, s: y * y)
    first = training.train("m", model, toy.Config(), None, tmp_path, 0)
    before = contents(tmp_path)
    assert training.train("m", model, toy.Config(), None, tmp_path, 0) == first == training.Outcome(9, True)
    assert_same(contents(tmp_path), before)
    learner = training.load(model, toy.Config(), None, tmp_path)
    kernel = next(value for name, value in before[0].items() if name.startswith("network/network/000"))
    np.testing.assert_array_equal(learner.networks["network"].trainable_variables[0].numpy(), kernel)


def test_a_batch_mixing_step_is_refused_on_two_replicas(tmp_path):
    two = type("Strategy", (), {"num_replicas_in_sync": 2})()
    with pytest.raises(training.TrainingError, match="runs on one replica"):
        training.train("m", simple(lambda y, s: y, single_replica=True), toy.Config(), None, tmp_path, 0, two)


def test_a_last_batch_smaller_than_the_devices_is_refused(tmp_path):
    three = type("Strategy", (), {"num_replicas_in_sync": 3})()
    with pytest.raises(training.TrainingError, match="last batch of an epoch has 2 examples for 3 devices; "
                                                     "batches of 5, 6, 7, 10 can be split"):
        training.train("m", simple(lambda y, s: y), toy.Config(), None, tmp_path, 0, three)


@pytest.mark.parametrize(("size", "steps", "batch", "drop"), [(0, 9, 4, False), (10, 0, 4, False), (10, -8, 4, False),
                                                              (3, 9, 4, True), (10, 9, -4, False)])
def test_nothing_to_train_on_is_refused_before_anything_is_written(tmp_path, size, steps, batch, drop):
    model = simple(lambda y, s: y)
    stage = model.stages(None, None, 0)[0]
    batches = training.Batches(size, batch, stage.batches.read, training.fixed(10), drop)

    def empty(config, store, seed):
        return [training.Stage("only", stage.train_step, batches, steps, 3)]

    said = f"m: stage only has {size} examples in batches of {batch} and {steps} steps: nothing to train on"
    with pytest.raises(training.TrainingError, match=said):
        training.train("m", training.Model(model.build, empty), toy.Config(), None, tmp_path / "m", 0)
    assert not (tmp_path / "m").exists()


def test_missing_checkpoint_says_train_first(tmp_path):
    with pytest.raises(training.TrainingError, match="train this model first"):
        training.load(simple(lambda y, s: y), toy.Config(), None, tmp_path)


def test_early_stop(tmp_path):
    model = simple(lambda y, s: y * y)
    stages = model.stages

    def stopping(config, store, seed):
        stage = stages(config, store, seed)[0]
        return [training.Stage(stage.name, stage.train_step, stage.batches, 9, 3, stop=lambda lines: len(lines) == 2)]

    outcome = training.train("m", training.Model(model.build, stopping), toy.Config(), None, tmp_path, 0)
    assert outcome == training.Outcome(6, True) and len(training.history(tmp_path)) == 2


def test_draws_are_functions_of_seed_step_and_name_and_slice_by_replica():
    def draw(seed=0, index=0, name="z", positions=range(8)):
        step = Step(seed, "s", tf.constant(index, tf.int64), tf.constant(8.0), tf.constant(list(positions)), 8)
        return step.normal(name, (3,)).numpy(), step.normal(name, (3,)).numpy()

    whole, second = draw()
    np.testing.assert_array_equal(whole, draw()[0])
    assert not np.array_equal(whole, second)
    for changed in ({"seed": 1}, {"index": 1}, {"name": "other"}):
        assert not np.array_equal(whole, draw(**changed)[0])


@pytest.mark.parametrize("shape", [(), (3,), (4,), (5, 7)])  # the generator makes four numbers at once
@pytest.mark.parametrize("kind", ["normal", "uniform", "integers"])
def test_replicas_draw_their_own_rows_of_one_draw(shape, kind):
    limits = {"normal": (1.0, 0.5), "uniform": (-2.0, 3.0), "integers": (-5, 7)}[kind]

    def draw(positions):
        step = Step(3, "s", tf.constant(5, tf.int64), tf.constant(11.0), positions, 11)
        return getattr(step, kind)("z", shape, *limits).numpy()

    whole = draw(np.arange(11))
    assert whole.shape == (11, *shape) and len(np.unique(whole)) > 4
    for rows, replicas in ((11, 2), (11, 3), (7, 1), (7, 3)):  # full and last batches
        parts = [draw(part) for part in np.array_split(np.arange(rows), replicas)]
        np.testing.assert_array_equal(np.concatenate(parts), whole[:rows])


def test_noise_layers_need_a_step_and_rest_at_inference():
    x = tf.ones((4, 5))
    for layer in (training.Dropout(0.5, name="d"), training.GaussianNoise(1.0, name="g")):
        np.testing.assert_array_equal(layer(x), x)
        with pytest.raises(RuntimeError, match="outside a training step"):
            layer(x, training=True)
        with step_scope(Step(0, "s", tf.constant(0, tf.int64), tf.constant(4.0), tf.range(4), 4)):
            assert not np.array_equal(layer(x, training=True), x)


def test_epoch_orders_are_permutations():
    order = training.shuffled(50, 7)
    assert sorted(order(0)) == sorted(order(9)) == list(range(50)) and not np.array_equal(order(0), order(9))
    np.testing.assert_array_equal(order(3), training.shuffled(50, 7)(3))
    assert not np.array_equal(order(0), training.shuffled(50, 8)(0))
    batches = training.Batches(50, 16, None, order, drop_remainder=True)
    assert batches.steps_per_epoch == 3 and len(batches.indices(2)) == 16


def test_checkpoint_of_another_network_is_refused(tmp_path):
    training.train("m", simple(lambda y, s: y * y), toy.Config(), None, tmp_path, 0)
    path = checkpoints.files(tmp_path / "checkpoints")[-1]
    x = keras.Input((2,))
    other = training.Learner({"network": keras.Model(x, keras.layers.Dense(1)(x))}, {})
    with pytest.raises(checkpoints.CheckpointError, match="has shape"):
        checkpoints.restore(path, other, weights_only=True)
    with pytest.raises(checkpoints.CheckpointError, match="has no network/critic"):
        checkpoints.restore(path, training.Learner({"critic": other.networks["network"]}, {}), weights_only=True)
    with pytest.raises(checkpoints.CheckpointError, match="not built"):
        checkpoints.named_variables(training.Learner({}, {"main": keras.optimizers.SGD()}))


def test_clipping_acts_on_the_reduced_gradient_and_excludes_the_other():
    step = Step(0, "s", tf.constant(0, tf.int64), tf.constant(1.0), tf.range(1), 1)
    weight = keras.Variable([0.0, 0.0])
    optimizer = keras.optimizers.SGD(1.0)
    optimizer.build([weight])
    step.apply(optimizer, [tf.constant([3.0, 4.0])], [weight], clip_norm=1.0)
    np.testing.assert_allclose(weight.numpy(), [-0.6, -0.8], rtol=1e-6)
    step.apply(optimizer, [tf.constant([3.0, -4.0])], [weight], clip_value=0.5)
    np.testing.assert_allclose(weight.numpy(), [-1.1, -0.3], rtol=1e-6)
    before = [v.numpy() for v in optimizer.variables] + [weight.numpy()]
    step.apply(optimizer, [tf.constant([9.0, 9.0])], [weight], when=tf.constant(False))
    for old, variable in zip(before, [*optimizer.variables, weight], strict=True):
        np.testing.assert_array_equal(variable.numpy(), old)  # a closed gate changes nothing, not even the count
    step.apply(optimizer, [tf.constant([0.5, 0.0])], [weight], when=tf.constant(True))
    np.testing.assert_allclose(weight.numpy(), [-1.6, -0.3], rtol=1e-6)
    with pytest.raises(ValueError, match="exclude"):
        step.apply(optimizer, [tf.constant([1.0, 1.0])], [weight], clip_norm=1.0, clip_value=1.0)
    with pytest.raises(ValueError, match="no gradient"):
        step.apply(optimizer, [None], [weight])
    with pytest.raises(ValueError, match="one number an example"):
        step.mean(tf.ones((2, 2)))
