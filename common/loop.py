"""Inside a training: a compiled step over the replicas, and the loop that logs, saves, stops and goes on.

`common.training` is what a paper sees of it.
"""

import contextlib
import dataclasses
import functools
import json
import math
import os
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from common import checkpoints, locks, provenance
from common.errors import TrainingError
from common.feeding import Call, Feed, boundaries
from common.machine import PLAIN, Machine
from common.noise import Step, step_scope
from common.precision import LossScale

AGREE_EVERY = 10  # steps between two times at which several workers ask one another whether to stop


@dataclass(frozen=True)
class Outcome:
    """How a training ended: steps done in all, complete or not, and where it diverged, if it did."""

    step: int
    complete: bool
    diverged: dict | None = None


def history(directory: Path) -> list[dict]:
    """The lines of a model's metrics.jsonl."""
    path = directory / "metrics.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


class Steps:
    """The compiled steps of a stage: one TensorFlow function, in which a loop runs as many of them as a call has.

    A call of one step and a call of many are the same graph, so that both compute the same bits.

    Attributes:
        names: of the values that a step returns, in the order of the columns of what a call returns.
    """

    def __init__(self, strategy: tf.distribute.Strategy, learner: Any, stage: Any, seed: int, machine: Machine = PLAIN):
        self.strategy, self.learner, self.stage, self.seed, self.machine = strategy, learner, stage, seed, machine
        self.replicas = [0]
        if strategy.num_replicas_in_sync > 1:
            self.replicas = []  # of this process
            strategy.experimental_distribute_values_from_function(self._note)
        self.feed = Feed(stage, strategy, self.replicas, machine)
        self.names: list[str] = []
        self._functions: dict[int, Callable] = {}  # by rows of the global batch: at most two

    def __call__(self, index: int) -> tuple[Call, tf.Tensor]:
        """Run the call that begins at step `index`; (what it took, values (steps, names), float32)."""
        call = self.feed.next(index)
        new = call.rows not in self._functions
        if new:
            self._functions[call.rows] = self._function(call)
        began = time.perf_counter()
        values = self._functions[call.rows](call.parts, tf.constant(call.count), tf.constant(index, tf.int64),
                                            tf.constant(call.rows, tf.float32))
        if not new:
            self.feed.took(call, time.perf_counter() - began)
        return call, values

    def _note(self, context):
        self.replicas.append(context.replica_id_in_sync_group)
        return tf.constant(0)

    def _function(self, call: Call) -> Callable:
        """`several` for batches of so many rows, of any number of steps."""
        parts = tuple({name: tf.TensorSpec((None, *value.shape[1:]), value.dtype) for name, value in part.items()}
                      for part in call.parts)
        count, index, rows = tf.TensorSpec((), tf.int32), tf.TensorSpec((), tf.int64), tf.TensorSpec((), tf.float32)
        steps = [functools.partial(self._step, np.arange(*ends))
                 for ends in boundaries(call.rows, self.strategy.num_replicas_in_sync)]
        if self.machine.jit:
            steps = [tf.function(step, jit_compile=True) for step in steps]

        def one(parts, step, index, rows):
            replica = 0
            if len(steps) > 1:
                replica = int(tf.get_static_value(tf.distribute.get_replica_context().replica_id_in_sync_group))
            batch = {name: value[step] for name, value in parts[self.replicas.index(replica)].items()}
            return steps[replica](batch, index, rows)

        def several(parts, count, index, rows):
            found = tf.TensorArray(tf.float32, count)
            for step in tf.range(count):
                tf.autograph.experimental.set_loop_options(parallel_iterations=1)
                values = self.strategy.run(one, args=(parts, step, index + tf.cast(step, tf.int64), rows))
                found = found.write(step, self.strategy.reduce(tf.distribute.ReduceOp.SUM, values, axis=None))
            return found.stack()

        return tf.function(several, input_signature=(parts, count, index, rows))

    def _step(self, positions, batch, index, rows):
        """One step on one replica: its values in a vector."""
        scale = LossScale(self.learner.variables) if self.machine.precision == "mixed_float16" else None
        step = Step(self.seed, self.stage.name, index, rows, positions, self.stage.batches.batch_size, scale)
        with step_scope(step):
            values = self.stage.train_step(self.learner, batch, step)
        if scale:
            scale.settle()
        self.names[:] = values
        return tf.stack([tf.cast(value, tf.float32) for value in values.values()])


class Loop:
    """The state of one training and the files it writes."""

    def __init__(self, name: str, model: Any, learner: Any, stages: list, strategy: tf.distribute.Strategy,
                 directory: Path, seed: int, settings: dict, machine: Machine, stands_on: dict | None = None):
        self.name, self.model, self.learner, self.stages = name, model, learner, stages
        self.strategy, self.directory, self.seed, self.settings = strategy, directory, seed, settings
        self.machine, self.stands_on = machine, stands_on
        self.total_steps = sum(stage.steps for stage in stages)
        self.chief, self.together = locks.is_chief(), len(locks.cluster().get("cluster", {}).get("worker", ())) > 0
        self.stage, self.step, self.total = 0, 0, 0  # stage index, steps done in it, steps done in all
        self.pending, self.rows = {}, []  # values since the last log line, and the rows each stands for
        self.unread: list[tf.Tensor] = []  # the latest of these values, (steps, names), still on the device
        self.lines: list[dict] = []
        self.signal = None
        self.saved_at = self.logged_at = time.monotonic()
        self.writer = None
        self.saver, self.saving = ThreadPoolExecutor(1, "checkpoint"), None  # one at a time, beside the training

    def run(self) -> Outcome:
        """Resume, train every stage, save."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with self.strategy.scope():
            self._resume()
        handlers = {s: signal.signal(s, self._on_signal) for s in (signal.SIGINT, signal.SIGTERM)}
        if self.chief:
            self.writer = tf.summary.create_file_writer(str(self.directory / "tensorboard"))
        quiet = not sys.stderr.isatty()
        self.bar = tqdm(total=self.total_steps, initial=self.total, desc=self.name, unit="step", dynamic_ncols=True,
                        mininterval=15 if quiet else 0.5, disable=not self.chief)
        try:
            diverged = None
            while self.stage < len(self.stages) and not diverged:
                diverged = self._run_stage(self.stages[self.stage])
            self._saved()
            return Outcome(self.total, not diverged, diverged)
        finally:
            self.saver.shutdown()
            self.bar.close()
            if self.writer:
                self.writer.close()
            for which, handler in handlers.items():
                signal.signal(which, handler)

    def _run_stage(self, stage) -> dict | None:
        if self.step == 0 and stage.start:
            stage.start(self.learner)
        machine = dataclasses.replace(self.machine, steps_per_call=1) if self.together else self.machine
        steps = Steps(self.strategy, self.learner, stage, self.seed, machine)
        with contextlib.closing(steps.feed):
            if diverged := self._steps(stage, steps):
                return diverged
        self.stage, self.step = self.stage + 1, 0
        interrupted = None if self.together else self.signal  # several workers agree in the next stage
        self._save()
        if interrupted and self.stage < len(self.stages):
            self._leave(interrupted)
        return None

    def _steps(self, stage, steps: Steps) -> dict | None:
        """The steps of a stage that are left; where it diverged, if it did."""
        stopped = False
        while self.step < stage.steps and not stopped:
            call, values = steps(self.step)
            self.unread.append(values)
            self.rows += [call.rows] * call.count
            self.step, self.total = self.step + call.count, self.total + call.count
            self.bar.update(call.count)
            logs = self.step % stage.log_every == 0 or self.step == stage.steps
            interrupted = self._told_to_stop()
            saves = interrupted or time.monotonic() - self.saved_at > self.machine.checkpoint_seconds
            if logs or saves:
                if diverged := self._check_finite(stage, steps.names):
                    return diverged
            if logs:
                self._log(stage)
                stopped = bool(stage.stop and stage.stop([x for x in self.lines if x["stage"] == stage.name]))
            if saves and self.step < stage.steps and not stopped:
                self._save()
            if interrupted and self.step < stage.steps and not stopped:
                self._leave(interrupted)
        return None

    def _check_finite(self, stage, names: list[str]) -> dict | None:
        """Fetch the unread values, all at once; stop at the first that is not finite, naming step and loss."""
        if self.unread:
            columns = tf.concat(self.unread, axis=0).numpy().T.tolist()
            self.pending = {name: self.pending.get(name, []) + new for name, new in zip(names, columns, strict=True)}
            self.unread = []
        bad = [(i, name) for name, values in self.pending.items() for i, v in enumerate(values) if not math.isfinite(v)]
        if not bad:
            return None
        index, name = min(bad)
        where = {"stage": stage.name, "step": self.step - len(self.rows) + index + 1, "loss": name}
        if self.model.may_diverge:
            self._write("diverged.json", json.dumps(where))
            return where
        raise TrainingError(f"{self.name}: {name} is not finite at step {where['step']} of {stage.steps} (stage "
                            f"{stage.name}). Lower the learning rate, or look at that batch; the last good state is "
                            f"in {self.directory / 'checkpoints'}")

    def _log(self, stage):
        weights = np.asarray(self.rows, np.float64)
        line = {"stage": stage.name, "step": self.step, "epoch": self.step / stage.batches.steps_per_epoch}
        line |= {name: float(np.dot(values, weights) / weights.sum()) for name, values in self.pending.items()}
        if stage.validate:
            line |= {name: float(value) for name, value in stage.validate(self.learner).items()}
        steps, now = len(self.rows), time.monotonic()
        self.pending, self.rows = {}, []
        self.lines.append(line)
        self.bar.set_postfix({k.split("/")[-1]: f"{v:.4g}" for k, v in list(line.items())[3:6]}, refresh=False)
        if not self.chief:
            return
        with open(self.directory / "metrics.jsonl", "a") as file:
            file.write(json.dumps(line) + "\n")
        with open(self.directory / "timing.jsonl", "a") as file:
            file.write(json.dumps({"stage": stage.name, "step": self.step, "seconds": now - self.logged_at,
                                   "steps": steps}) + "\n")
        self.logged_at = now
        with self.writer.as_default(step=self.total):
            for name, value in list(line.items())[3:]:
                tf.summary.scalar(name, value)

    def _save(self):
        state = {"stage": self.stage, "step": self.step, "total": self.total,
                 "complete": self.stage == len(self.stages), "lines": len(self.lines),
                 "pending": self.pending, "rows": [*self.rows], "settings": self.settings, "provenance": self.stands_on}
        if self.chief:
            self._saved()
            self.saving = self.saver.submit(
                checkpoints.save, self.directory / "checkpoints", self.total, checkpoints.snapshot(self.learner),
                state, keep=1 if state["complete"] else checkpoints.KEEP)
        self.saved_at = time.monotonic()

    def _saved(self):
        """Wait until the last checkpoint is written; raises what went wrong there."""
        if self.saving:
            self.saving.result()

    def _write(self, name: str, text: str):
        """A file of the model's directory, whole or not at all, by the chief alone."""
        if self.chief:
            temporary = self.directory / f"{name}.{os.getpid()}.partial"
            temporary.write_text(text)
            os.replace(temporary, self.directory / name)

    def _resume(self):
        if self.chief:
            (self.directory / "diverged.json").unlink(missing_ok=True)
        found = checkpoints.files(self.directory / "checkpoints")
        state = {"lines": 0}
        if found:
            state = checkpoints.restore(found[-1], self.learner)
            self.stage, self.step, self.total = state["stage"], state["step"], state["total"]
            self.pending, self.rows = state["pending"], state["rows"]
            self.stands_on = provenance.resumed(state.get("provenance"), self.stands_on, self.total)
        elif self.model.may_diverge:
            self._save()  # so that a run that diverges at once leaves its first weights to look at
        self.lines = history(self.directory)[:state["lines"]]
        self._write("metrics.jsonl", "".join(json.dumps(line) + "\n" for line in self.lines))

    def _on_signal(self, number, frame):
        self.signal = number

    def _told_to_stop(self) -> int | None:
        """The signal to stop at this step; of several workers all leave at the same step when one was told."""
        if not self.together:
            return self.signal
        if self.total % AGREE_EVERY or not self._anyone(self.signal is not None):
            return None
        return self.signal or signal.SIGTERM

    def _anyone(self, flag: bool) -> bool:
        """Whether the flag is set on any worker; each waits here for the others."""
        flags = self.strategy.experimental_distribute_values_from_function(lambda _: tf.constant(float(flag)))
        return float(self.strategy.reduce(tf.distribute.ReduceOp.SUM, flags, axis=None)) > 0

    def _leave(self, number):
        self._saved()
        if self.together:
            self._anyone(True)  # none goes before the chief has saved: the others would take its absence for a crash
        print(f"\n{self.name}: stopped at step {self.total} of {self.total_steps}, the same command goes on",
              file=sys.stderr)
        raise SystemExit(128 + number)
