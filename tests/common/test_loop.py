"""Several steps in a call, batches read ahead, checkpoints beside the training: none of it changes a bit."""

import dataclasses
import json
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from common import checkpoints, feeding, precision, training
from common.errors import EncoreError
from common.machine import Machine
from tests.common import every_model, toy
from tests.common.test_training import assert_same, contents, simple


@pytest.fixture(scope="module")
def one_by_one(tmp_path_factory):
    directory = tmp_path_factory.mktemp("one")
    training.train("toy", toy.model(), toy.Config(steps=20), None, directory, 0, machine=Machine(steps_per_call=1))
    return contents(directory)


@pytest.mark.slow
@pytest.mark.parametrize("machine", [Machine(steps_per_call=2), Machine(steps_per_call=7, readers=3, ahead=4),
                                     Machine(readers=1, ahead=1, checkpoint_seconds=0)], ids=["two", "seven", "chosen"])
def test_steps_in_one_call_are_the_steps_one_by_one(one_by_one, tmp_path, machine):
    training.train("toy", toy.model(), toy.Config(steps=20), None, tmp_path, 0, machine=machine)
    assert_same(contents(tmp_path), one_by_one)


@pytest.mark.slow
@pytest.mark.parametrize("at", [1, 5, 8, 25])
def test_stopped_at_any_step_and_gone_on_with_other_calls(one_by_one, tmp_path, at, monkeypatch):
    model, reads = toy.model(), training.Batches.indices

    def breaks(batches, step):
        if breaks.left == 0:
            raise KeyboardInterrupt
        breaks.left -= 1
        return reads(batches, step)

    breaks.left = at
    with monkeypatch.context() as patch:
        patch.setattr(training.Batches, "indices", breaks)
        with pytest.raises(KeyboardInterrupt):
            training.train("toy", model, toy.Config(steps=20), None, tmp_path, 0,
                           machine=Machine(steps_per_call=2, checkpoint_seconds=0))
    found = training.outcome(tmp_path)
    assert found is None or found.step < 40
    training.train("toy", model, toy.Config(steps=20), None, tmp_path, 0, machine=Machine(steps_per_call=5))
    assert_same(contents(tmp_path), one_by_one)


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("at", [0, 4, 8])
def test_nan_names_the_step_inside_of_a_call(tmp_path, steps, at):
    def broken(y, step):
        return tf.where(step.index == at, tf.constant(np.nan), 1.0) * y

    outcome = training.train("m", simple(broken, may_diverge=True), toy.Config(), None, tmp_path, 0,
                             machine=Machine(steps_per_call=steps))
    assert outcome.diverged == {"stage": "only", "step": at + 1, "loss": "losses/total"}


def feed(size=44, batch=16, steps=20, log_every=3, drop=False, read=None, **machine):
    batches = training.Batches(size, batch, read or (lambda i: {"x": np.float32(i)}), training.fixed(size), drop)
    stage = training.Stage("s", None, batches, steps, log_every)
    return feeding.Feed(stage, tf.distribute.get_strategy(), [0], Machine(**machine))


def test_a_call_ends_at_log_lines_at_the_end_and_around_the_smaller_last_batch():
    with_rest, without = feed(steps_per_call=9, log_every=7), feed(steps_per_call=9, log_every=7, drop=True)
    assert [with_rest.span(i) for i in (0, 1, 2, 3, 5, 6, 18, 19)] == [2, 1, 1, 2, 1, 1, 2, 1]
    assert [without.span(i) for i in (0, 1, 2, 6, 7, 14, 18)] == [7, 6, 5, 1, 7, 6, 2]
    assert feed(size=10, batch=16, steps_per_call=9).span(0) == 3  # every batch is the last one
    assert feed(steps_per_call=2, log_every=100, size=64).span(5) == 2


def test_batches_come_in_order_with_every_row_once():
    for machine in ({"steps_per_call": 1}, {"steps_per_call": 4, "readers": 3, "ahead": 5}, {}):
        one, found, step = feed(**machine), [], 0
        while step < 20:
            call = one.next(step)
            one.took(call, 1e-6)
            found += [*np.reshape(call.parts[0]["x"], (-1,))]
            assert call.first == step and call.rows == len(one.stage.batches.indices(step))
            step += call.count
        one.close()
        np.testing.assert_array_equal(found, np.concatenate([one.stage.batches.indices(i) for i in range(20)]))


def test_calls_grow_while_they_are_quick_and_small_and_only_if_not_told():
    for machine, seconds, width, pace in (({}, 1e-4, 1, 64), ({}, 1.0, 1, 1), ({}, 1e-4, 2**19, 2),
                                          ({"steps_per_call": 5}, 1e-4, 1, 5)):
        one = feed(log_every=10**6, steps=10**6, size=160, **machine)
        for _ in range(6):
            one.took(feeding.Call(0, one.pace, 16, (), 64 * width), seconds)
        assert one.pace == pace


def test_an_error_in_a_reader_arrives_and_nothing_is_read_after_it():
    reads = []

    def read(indices):
        reads.append(indices[0])
        if len(reads) == 3:
            raise OSError("picture.exr: cannot be read")
        time.sleep(0.01)
        return {"x": indices}

    one = feed(read=read, readers=1, ahead=3, steps_per_call=1)
    with pytest.raises(OSError, match="picture"):
        for step in range(3):
            one.next(step)
    count = len(reads)
    time.sleep(0.05)
    assert len(reads) == count <= 6 and not [t for t in threading.enumerate() if t.name.startswith("reader")]


@pytest.mark.parametrize(("size", "batch", "drop", "replicas", "said"), [
    (99, 4, False, 6, "a batch has 4 examples for 6 devices; batches of 9, 10, 11, 13 can be split"),
    (100, 4, True, 6, "a batch has 4 examples for 6 devices; batches of 6, 7, 8, 9 can be split"),
    (10, 4, False, 3, "the last batch of an epoch has 2 examples for 3 devices; batches of 5, 6, 7, 10 can be split"),
    (2, 4, False, 3, "a batch has 2 examples for 3 devices; use fewer devices"),
    (10, 4, True, 3, ""), (12, 4, False, 4, "")])
def test_batches_that_cannot_be_split(size, batch, drop, replicas, said):
    assert feeding.too_small(training.Batches(size, batch, None, None, drop), replicas) == said


@pytest.mark.slow
def test_a_checkpoint_holds_the_weights_of_its_step_although_training_goes_on(tmp_path, monkeypatch):
    write, sums = checkpoints.write, {}

    def slowly(path, state, arrays):
        time.sleep(0.2)
        write(path, state, arrays)
        sums[state["total"]] = sum(float(np.sum(a)) for n, a in arrays.items() if n.startswith("network"))

    monkeypatch.setattr(checkpoints, "write", slowly)
    training.train("toy", toy.model(), toy.Config(steps=6), None, tmp_path / "slow", 0,
                   machine=Machine(steps_per_call=1, checkpoint_seconds=0))
    monkeypatch.setattr(checkpoints, "write", write)
    for total, wanted in sums.items():
        if total < 6:
            short = dataclasses.replace(toy.model(), stages=_first(total))
            training.train("toy", short, toy.Config(steps=6), None, tmp_path / str(total), 0)
            arrays = contents(tmp_path / str(total))[0]
            assert wanted == sum(float(np.sum(a)) for n, a in arrays.items() if n.startswith("network"))
    assert len(sums) == 12


def _first(steps):
    def stages(config, store, seed):
        return [dataclasses.replace(toy.model().stages(config, store, seed)[0], steps=steps)]

    return stages


@pytest.mark.slow
def test_a_full_disk_stops_the_training_with_its_error(tmp_path, monkeypatch):
    def full(path, state, arrays):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints, "write", full)
    with pytest.raises(OSError, match="No space"):
        training.train("toy", toy.model(), toy.Config(steps=3), None, tmp_path, 0)


def test_orders_are_asked_by_two_threads_at_once():
    order, wanted = training.shuffled(1000, 3), [training.shuffled(1000, 3)(epoch) for epoch in (0, 1)]
    wrong = []

    def ask(epoch):
        wrong.extend(i for i in range(300) if not np.array_equal(order((epoch + i) % 2), wanted[(epoch + i) % 2]))

    threads = [threading.Thread(target=ask, args=(k,)) for k in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize(("machine", "said"), [
    (Machine(readers=0), "--readers 0: name a number from 1 up"), (Machine(ahead=0), "--ahead 0"),
    (Machine(steps_per_call=-1), "--steps-per-call -1"), (Machine(checkpoint_seconds=float("nan")), "-seconds nan")])
def test_options_that_cannot_be(machine, said):
    with pytest.raises(EncoreError, match=said):
        machine.check()


@pytest.mark.slow
def test_a_run_hands_its_machine_to_the_training(tmp_path):
    run = SimpleNamespace(model_directory=lambda name: tmp_path / name, seed=0, provenance=lambda store: None,
                          machine=Machine(precision="mixed_float16"))
    training.train_all({"toy": (toy.model(), toy.Config(steps=2))}, None, run)
    assert "variable/loss_scale" in contents(tmp_path / "toy")[0]


def test_the_scale_of_losses_doubles_after_2000_steps_and_halves_where_a_gradient_is_not_finite():
    variables = {"loss_scale": tf.Variable(8.0), "loss_scale_steps": tf.Variable(0.0)}

    def step(gradient):
        scale = precision.LossScale(variables)
        [found] = scale.down([tf.constant([gradient])])
        scale.settle()
        return float(found[0]), *(float(variables[name]) for name in ("loss_scale", "loss_scale_steps"))

    assert step(16.0) == (2.0, 8.0, 1.0) and step(-4.0) == (-0.5, 8.0, 2.0)
    assert step(np.inf) == (np.inf, 4.0, 0.0)
    variables["loss_scale_steps"].assign(1998.0)
    assert step(4.0) == (1.0, 4.0, 1999.0) and step(4.0) == (1.0, 8.0, 0.0)
    variables["loss_scale"].assign(1.0)
    assert step(-np.inf) == (-np.inf, 1.0, 0.0)


# ---------------------------------------------------------------- every network of every paper

@pytest.mark.very_slow
@pytest.mark.parametrize("paper", every_model.PAPERS)
def test_every_network_trains_several_steps_a_call_and_in_16_bits(paper, tmp_path):
    for name, (model, config, store) in every_model.models(paper, tmp_path).items():
        plain = ended(name, model, config, store, tmp_path, Machine(steps_per_call=1))
        assert_same(ended(name, model, config, store, tmp_path, Machine(steps_per_call=3)), plain)
        for kind in ("mixed_bfloat16", "mixed_float16"):
            half = ended(name, model, config, store, tmp_path, Machine(precision=kind))
            assert half[1] != plain[1], f"{name}: nothing was computed in 16 bits"


@pytest.mark.very_slow
@pytest.mark.parametrize("paper", every_model.PAPERS)
def test_every_network_trains_compiled_by_xla(paper, tmp_path):
    for name, (model, config, store) in every_model.models(paper, tmp_path).items():
        ended(name, model, config, store, tmp_path, Machine(jit=True))


def ended(name, model, config, store, directory, machine):
    """What a training left; all of it finite, weights in float32 (and whole numbers)."""
    place = directory / f"{name} {machine}"
    training.train(name, model, config, store, place, 0, machine=machine)
    training._free()
    arrays, lines = contents(place)
    weights = {array.dtype.name for key, array in arrays.items() if key.startswith("network/")}
    assert weights <= {"float32", "int64", "int32", "uint32"}, name
    assert all(np.isfinite(list(json.loads(line).values())[3:]).all() for line in lines.splitlines()), name
    return arrays, lines
