"""Hours before a training: tracing is no stepping, equal steps are timed once, larger corpora are counted."""

import dataclasses
import itertools
import time
from functools import partial
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from common import hours, timing, training
from common.corpora import known
from common.store import Store
from tests.common import toy as toys

TRACE, STEP, PASS = 0.3, 0.02, 0.05  # seconds of the processor: other processes change nothing


def work(seconds):
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass
    return np.float32(0)


def toy(rows=10, batch=4, steps=30, calls=None, settings=None, slower=0.0):
    """A model whose graph takes TRACE to make, its step STEP (and `slower` a row), its validation PASS."""
    def build(config, store):
        network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        return training.Learner({"network": network}, {})

    def stages(config, store, seed):
        read = lambda indices: {"x": np.zeros((len(indices), 2), np.float32)}  # noqa: E731
        batches = training.Batches(rows, batch, read, training.fixed(rows))
        return [training.Stage("train", partial(train_step, calls, slower), batches, steps, 4, validate)]

    return training.Model(build, stages)


def train_step(calls, slower, learner, batch, step):
    work(TRACE)  # while the graph is made
    if calls is not None:
        calls.append(batch["x"].shape[0])
    worked = tf.numpy_function(lambda x: work(STEP + slower * len(x)), [batch["x"]], tf.float32)
    return {"losses/total": tf.reduce_sum(learner.networks["network"](batch["x"])) + worked}


def validate(learner):
    work(PASS)
    return {}


def rows(model, **options):
    return timing.Timer(seconds=0.2, clock=time.process_time, **options).rows("toy", model, None, None)[0]


@pytest.mark.slow
def test_tracing_is_no_step_and_the_smaller_last_batch_is_traced_once_more():
    row = rows(toy())
    assert STEP <= row.seconds_a_step < STEP + TRACE / 4 and row.steps_timed >= timing.LEAST
    assert row.set_up_seconds > 2 * TRACE
    whole, smaller = (rows(toy(rows=count)).set_up_seconds for count in (8, 10))  # batches of 4
    assert whole > TRACE and smaller - whole > TRACE / 2


@pytest.mark.slow
def test_validations_are_counted_with_the_updates():
    row = rows(toy())
    assert (row.updates, row.validations, row.parameters) == (30, 8, 3)
    assert PASS <= row.seconds_a_validation < 2 * PASS
    assert row.hours * 3600 == pytest.approx(row.set_up_seconds + 30 * row.seconds_a_step
                                             + 8 * row.seconds_a_validation)
    without = rows(toy(), validations=False)
    assert without.validations == 0 and 2 * TRACE < without.set_up_seconds < 2 * TRACE + 0.7


@pytest.mark.slow
def test_it_is_what_the_training_takes_within_half_as_much_again(tmp_path):
    model = toy(steps=60)
    training.train("warm", toy(steps=1), toys.Config(), None, tmp_path / "warm", 0)  # TensorFlow's own start
    said = rows(model).hours * 3600
    began = time.process_time()
    training.train("toy", model, toys.Config(), None, tmp_path / "toy", 0)
    took = time.process_time() - began
    assert took > 2 * TRACE + 60 * STEP + 15 * PASS and 1 / 1.5 < said / took < 1.5


def test_equal_networks_and_steps_are_timed_once():
    calls, timer = [], timing.Timer(seconds=0.0)
    first = timer.rows("one", toy(rows=8, calls=calls), None, None)[0]
    traced = len(calls)
    again = timer.rows("two", toy(rows=8, steps=60, calls=calls), None, None)[0]
    assert len(calls) == traced and again.seconds_a_step == first.seconds_a_step
    assert again.updates == 60 and again.model == "two"
    timer.rows("three", toy(rows=8, batch=2, calls=calls), None, None)
    assert len(calls) > traced


def test_recurrent_networks_of_other_lengths_are_not_equal():
    """Their weights are; what goes in and comes out is not."""
    def learner(steps):
        network = keras.Sequential([keras.Input((steps, 1)), keras.layers.SimpleRNN(1, return_sequences=True)])
        return training.Learner({"network": network}, {})

    alike = [timing._like(learner(steps), train_step) for steps in (3, 3, 5)]
    assert alike[0] == alike[1] != alike[2]


def test_large_batches_are_extended_on_a_straight_line():
    row = rows(toy(rows=64, batch=64, slower=0.005), at_most_rows=8)
    assert (row.batch, row.rows_timed) == (64, 8)
    assert row.seconds_a_step == pytest.approx(STEP + 64 * 0.005, rel=0.3)


def test_one_thread_is_timed_by_its_processor_and_several_by_the_wall(monkeypatch):
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "1")
    assert timing.clock() is time.process_time
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "2")
    assert timing.clock() is time.perf_counter and timing.threads() == 2
    monkeypatch.setattr(training, "devices", lambda strategy: ["GPU A"])
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "1")
    assert timing.clock() is time.perf_counter


# Sizes of published corpora

@pytest.fixture
def store(tmp_path):
    (tmp_path / "arrays").mkdir()
    lines = [f"{i},song {i},{'ab'[i % 2]},,1,{i % 3}.wav,0" for i in range(6)]
    (tmp_path / "index.csv").write_text("item,group,label,split,frames,path,offset\n" + "\n".join(lines) + "\n")
    (tmp_path / "store.json").write_text('{"corpus": {"name": "toys", "items": 3}}')
    np.save(tmp_path / "arrays" / "values.npy", np.arange(6))
    np.save(tmp_path / "arrays" / "bands.npy", np.arange(4))
    return Store(tmp_path)


def test_a_validation_of_the_published_size_is_on_the_straight_line_of_two_smaller_ones():
    now, begun = [0.0], set()

    def stages(config, store, seed):
        def validate(learner):  # the first one of a size is longer by half a second
            now[0] += 0.01 * len(store.index) + (len(store.index) not in begun) / 2
            begun.add(len(store.index))

        return [SimpleNamespace(name="train", validate=validate)]

    small, whole = [SimpleNamespace(index=range(count)) for count in (100, 300)], SimpleNamespace(index=range(1000))
    timer = timing.Timer(clock=lambda: now[0], small=tuple(small))
    asked = SimpleNamespace(networks={}), SimpleNamespace(stages=stages), None, whole, 0, stages(None, whole, 0)[0]
    assert timer._validation(*asked) == pytest.approx((10.5, 10.0)) and begun == {100, 300}


def test_rows_are_repeated_to_the_published_number(store, monkeypatch):
    monkeypatch.setattr(known, "counts", lambda name: {"a": 10, "b": 5, "c": 99})
    whole = hours.of_published_size(SimpleNamespace(), store)  # two rows a file
    labels = [row["label"] for row in whole.index]
    assert (labels.count("a"), labels.count("b")) == (20, 10)
    assert len({row["group"] for row in whole.index}) == len({row["item"] for row in whole.index}) == 30
    assert len({row["path"] for row in whole.index}) == 20  # of label a, each its own
    assert set(whole.array("values")[:20]) == {0, 2, 4} and len(whole.array("values")) == 30
    np.testing.assert_array_equal(whole.array("bands"), np.arange(4))
    np.save(store.directory / "arrays" / "images.npy", np.arange(6, dtype=np.float16)[:, None, None])
    np.testing.assert_array_equal(whole.images([19, 20])[:, 0, 0], whole.array("values")[[19, 20]])
    assert hash(whole) is not None and whole != store
    stated = hours.of_published_size(SimpleNamespace(PUBLISHED_ROWS={"toys": 60}), store)
    assert [sum(row["label"] == label for row in stated.index) for label in "ab"] == [40, 20]
    (store.directory / "index.csv").write_text("item,group,label,split,frames,path,offset\n" + "".join(
        f"{i},song {i},{label},{part},1,images/{i}.exr,0\n"
        for i, (label, part) in enumerate(itertools.product("ab", ("training", "training", "test")))))
    monkeypatch.setattr(known, "parts", lambda name: {"training": 8, "test": 2})
    whole = hours.of_published_size(SimpleNamespace(PUBLISHED_ROWS={"toys": 300}), Store(store.directory))
    assert {kind: len(rows) for kind, rows in hours.kinds(whole).items()} == {
        ("a", "training"): 160, ("a", "test"): 40, ("b", "training"): 80, ("b", "test"): 20}
    assert {row["path"] for row in whole.index} == {f"images/{i}.exr" for i in range(6)}  # the images there are
    monkeypatch.setattr(known, "counts", lambda name: {"a": 10})
    assert hours.of_published_size(SimpleNamespace(), store) is store


ROW = hours.Row("toys", "paper", "line", "train", 1000, 16, 3.6, 20, 16, 0.0, 0, 0.0, 10, 0.1, 900.0, "A Processor",
                1, "2026-01-01", "abc")


def test_hours_are_kept_by_data_set_and_mode(tmp_path):
    path = tmp_path / hours.FILE
    assert hours.read(path) == []
    hours.write(path, [ROW, dataclasses.replace(ROW, follow="code")])
    hours.write(path, [dataclasses.replace(ROW, updates=2000)])
    found = hours.read(path)
    assert [(row.follow, row.updates, row.hours) for row in found] == [("code", 1000, 1.0), ("paper", 2000, 2.0)]
    assert hours.total(found) == 3.0 and found[0] == dataclasses.replace(ROW, follow="code")
    assert hours.said([ROW]).startswith("line: 1.00 h (1,000 updates of 3.6 s), 10 parameters")
