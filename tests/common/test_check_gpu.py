"""`make check-gpu` without one: what is measured of a network, and the search for the largest batch."""

import dataclasses
import time
from functools import partial

import pytest
import tensorflow as tf

from common import check_gpu, training
from common.check_gpu import Measured
from tests.common import toy


def slowly(read, seconds, indices):
    time.sleep(seconds)
    return read(indices)


def waiting(seconds):
    """The toy, whose batches take so long to read, and whose steps ask for them at once."""
    def stages(config, store, seed):
        stage = toy.model().stages(config, store, seed)[0]
        batches = dataclasses.replace(stage.batches, read=partial(slowly, stage.batches.read, seconds))
        return [dataclasses.replace(stage, batches=batches)]

    return dataclasses.replace(toy.model(), stages=stages)


@pytest.mark.slow
def test_a_step_that_waits_for_its_batch_is_told_from_one_that_does_not():
    quick, slow = (check_gpu.measure(waiting(seconds), toy.Config(), None, 0.3, precision, rows=16)
                   for seconds, precision in ((0.0, "float32"), (0.1, "mixed_bfloat16")))
    assert slow.waiting > 0.7 > 0.5 > quick.waiting and slow.seconds > 0.03
    assert 100 < quick.megabytes < 5000


def test_larger_batches_than_the_examples_take_them_again():
    seen = []

    def stages(config, store, seed):
        stage = toy.model().stages(config, store, seed)[0]
        read = lambda indices: seen.append(indices) or stage.batches.read(indices)  # noqa: E731
        return [dataclasses.replace(stage, batches=dataclasses.replace(stage.batches, read=read))]

    check_gpu.measure(dataclasses.replace(toy.model(), stages=stages), toy.Config(), None, 0.01, "float32", rows=100)
    assert {len(one) for one in seen} == {100} and max(map(max, seen)) < toy.EXAMPLES


@pytest.mark.parametrize(("limit", "free", "found"), [
    (100, 1e9, (64, 128)), (1e9, 1e9, (512, None)), (1e9, 90, (16, 32))])
def test_batches_are_doubled_until_one_does_not_fit(monkeypatch, limit, free, found):
    def measured(rows):
        if rows > limit:
            raise tf.errors.ResourceExhaustedError(None, None, "out of memory")
        return Measured(1.0, 0.0, 3.0 * rows)

    monkeypatch.setattr(check_gpu, "_free_megabytes", lambda: free)
    assert check_gpu.fitting(8, 24.0, measured, 6) == found


def test_the_sentence_has_both_precisions_and_the_batch():
    def measured(precision, rows):
        return Measured(*{"float32": (0.5, 0.25, 100.0), "mixed_bfloat16": (0.25, 0.5, 80.0)}[precision])

    said = check_gpu.told("m", 8, measured, 2)
    assert said == ("largest step m, batch 8: 0.5000 s in float32, 0.2500 s in mixed_bfloat16; waits for input 25% and "
                    "50% of the time; 100 and 80 MB; a batch of 32 fits, larger ones were not tried")
    assert check_gpu.told("m", 8, measured, 0).endswith("80 MB")


def test_nothing_of_what_was_measured_stays(monkeypatch):
    freed = []
    monkeypatch.setattr(training, "_free", lambda: freed.append(1))
    check_gpu.measure(toy.model(), toy.Config(), None, 0.01, "float32", rows=4)
    assert freed
