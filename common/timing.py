"""How long the steps of a training take: each network is built and makes a few, and nothing is written.

The first step, which traces, is timed apart, and the median of the others counts for all; so do two validation passes.
Networks of equal sizes and steps are timed once. A process of one thread without a GPU is timed by what it takes of its
processor, so that other processes on the machine do not count; any other by the clock on the wall.
"""

import contextlib
import dataclasses
import functools
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from common.hours import Row
from common.machine import PLAIN, Machine

MOST, LEAST = 200, 3  # timed steps
LONGER = 10  # times as long for the least number of steps, or fewer are timed
QUICK = 20.0  # seconds that a validation pass may take and still be timed a second time


@dataclass
class Timer:
    """Times trainings of one paper; what equal networks and steps took is known from the first of them.

    Attributes:
        small: stores of one and two times the rows of the demo corpus, on which validations are timed where the store
            itself is a repetition; () where it is not.
        seconds: for how long a network's steps are timed; ten times as long where that are not three of them.
        at_most_rows: larger batches are timed at this size and at half of it and extended on a straight line; 0: not.
        validations: time them too.
        clock: seconds since some moment.
        machine: how the steps use the machine.
    """

    seconds: float = 3.0
    at_most_rows: int = 0
    validations: bool = True
    clock: Callable[[], float] = field(default_factory=lambda: clock())
    small: tuple = ()
    machine: Machine = PLAIN
    known: dict = field(default_factory=dict)

    def rows(self, name: str, model: Any, config: Any, store: Any, seed: int = 0) -> list[Row]:
        """The stages of one training, as `common.hours` has them; data set and mode are left empty."""
        import keras

        from common import checkpoints, training

        forget_peak()
        began = self.clock()
        strategy = training.choose_strategy()
        with strategy.scope():
            keras.utils.set_random_seed(seed)
            learner = model.build(config, store)
        stages = model.stages(config, store, seed)
        set_up, found = self.clock() - began, []
        parameters = sum(network.count_params() for network in learner.networks.values())
        megabytes = sum(4 * _size(one) for one in checkpoints.named_variables(learner).values()) / 1e6
        for stage in stages:
            if stage.start:
                stage.start(learner)
            batch = min(stage.batches.batch_size, stage.batches.size)
            step = self._step(strategy, learner, stage, seed, batch)
            count = -(-stage.steps // stage.log_every) if stage.validate and self.validations else 0
            first, again = self._validation(learner, model, config, store, seed, stage) if count else (0.0, 0.0)
            rest = 0 if stage.batches.drop_remainder else stage.batches.size % batch
            found.append(Row("", "", name, stage.name, stage.steps, batch, step.median, step.count, step.rows,
                             set_up / len(stages) + step.tracing * (2 if rest else 1) + max(0.0, first - again),
                             count, again, parameters, megabytes, peak()))
        return found

    def _step(self, strategy, learner, stage, seed, batch) -> "Steps":
        """How long a step of the stage takes, larger batches on a straight line."""
        key = ("step", stage.name, batch, *_like(learner, stage.train_step))
        if key not in self.known:
            sizes = [batch]
            if 0 < self.at_most_rows < batch:
                sizes = [max(1, self.at_most_rows // 2), self.at_most_rows]
            timed = [self.steps(strategy, learner, _cut(stage, size), seed) for size in sizes]
            first, last = timed[0], timed[-1]
            slope = (last.median - first.median) / (sizes[-1] - sizes[0]) if len(sizes) > 1 else 0.0
            median = max(last.median, last.median + slope * (batch - sizes[-1]))
            self.known[key] = Steps(last.tracing, median, sum(one.count for one in timed), sizes[-1])
        return self.known[key]

    def steps(self, strategy: Any, learner: Any, stage: Any, seed: int) -> "Steps":
        """Make steps for a while: how long one takes."""
        from common import loop

        run = loop.Steps(strategy, learner, stage, seed, self.machine)
        took: list[float] = []  # of each step its part of the call's seconds
        with contextlib.closing(run.feed):
            spent = waited = 0.0
            while len(took) < min(stage.steps, MOST):
                began = self.clock()
                call, values = run(len(took))
                values.numpy()
                seconds = self.clock() - began
                spent += seconds if took else 0.0
                waited = waited if took else run.feed.waited  # the first batch is not read ahead
                took += call.count * [seconds / call.count]
                if spent > self.seconds * (1 if len(took) > LEAST else LONGER):
                    break
        median = statistics.median(took[1:] or took)
        waiting = min(1.0, (run.feed.waited - waited) / spent) if spent else 0.0
        return Steps(max(0.0, took[0] - median), median, len(took[1:] or took), stage.batches.batch_size, waiting)

    def _validation(self, learner, model, config, store, seed, stage) -> tuple[float, float]:
        """Seconds of the first validation pass and of each that follows."""
        key = ("validation", stage.name, *_like(learner, stage.validate))
        if key not in self.known:
            if not self.small:
                self.known[key] = self._passes(learner, stage.validate)
            else:  # what a pass takes is a straight line in the number of rows
                one, two = ((len(small.index), *self._passes(learner, _named(model.stages(config, small, seed), stage)))
                            for small in self.small)
                times = (len(store.index) - one[0]) / (two[0] - one[0])
                each = max(two[2], one[2] + times * (two[2] - one[2]))
                self.known[key] = each + max(0.0, one[1] - one[2]), each
                if each < QUICK / 4:  # where it can be done at full size, it is
                    self.known[key] = self._passes(learner, stage.validate)
        return self.known[key]

    def _passes(self, learner, validate) -> tuple[float, float]:
        """Seconds of a first call, and of a second where there is time for it."""
        took: list[float] = []
        while len(took) < 2 and sum(took) < QUICK:
            began = self.clock()
            validate(learner)
            took.append(self.clock() - began)
        return took[0], took[-1]


@dataclass(frozen=True)
class Steps:
    """Seconds of tracing and of one step, how many were timed on how many rows each, the share without a batch."""

    tracing: float
    median: float
    count: int
    rows: int
    waiting: float = 0.0


def clock() -> Callable[[], float]:
    """Of the processor where this process has one thread and no GPU, else on the wall."""
    from common import training

    alone = threads() == 1 and training.devices(training.choose_strategy()) == ["CPU"]
    return time.process_time if alone else time.perf_counter


def threads() -> int:
    """Threads that one operation may take."""
    return int(os.environ.get("TF_NUM_INTRAOP_THREADS", 0)) or len(os.sched_getaffinity(0))


def _named(stages, wanted) -> Callable:
    """The validation of the stage of the same name."""
    return next(stage.validate for stage in stages if stage.name == wanted.name)


def _cut(stage, rows: int):
    """The stage with batches of so many rows."""
    if rows == stage.batches.batch_size:
        return stage
    return dataclasses.replace(stage, batches=dataclasses.replace(stage.batches, batch_size=rows))


def _like(learner, function: Callable) -> tuple:
    """What makes two functions of a stage take the same time: shapes of networks, the function, what is bound to it.

    Learning rates and other settings that are bound as a whole (a Config) are left out.
    """
    bound = []
    if isinstance(function, functools.partial):
        plain = (str, bool, int, float, type(None))
        values = (*function.args, *function.keywords.values())
        bound = [one if isinstance(one, plain) else getattr(one, "__qualname__", None) for one in values]
        function = function.func
    networks = tuple(sorted((name, _shapes(network)) for name, network in learner.networks.items()))
    return networks, function.__qualname__, tuple(bound)


def _shapes(network) -> tuple:
    """Of what goes in and comes out too: recurrent networks of other lengths have the same weights."""
    return str(network.input_shape), str(network.output_shape), *(tuple(one.shape) for one in network.variables)


def _size(variable) -> int:
    count = 1
    for length in variable.shape:
        count *= int(length)
    return count


def forget_peak() -> None:
    """Let the peak of memory begin anew (Linux)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def peak() -> float:
    """Peak memory of this process in MB."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024
