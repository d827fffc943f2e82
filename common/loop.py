"""Inside a training: a compiled step over the replicas, and the loop that logs, saves, stops and goes on.

`common.training` is what a paper sees of it.
"""

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

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from common import checkpoints, locks, provenance
from common.errors import TrainingError
from common.noise import Step, step_scope

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


def compiled(strategy, learner, stage, seed: int) -> Callable:
    """step index -> {name: scalar tensor}: reads the batch, splits it over the replicas, runs the step on each."""
    replicas, batches = strategy.num_replicas_in_sync, stage.batches

    def replica_step(batch, positions, index, rows):
        step = Step(seed, stage.name, index, rows, positions, batches.batch_size)
        with step_scope(step):
            return stage.train_step(learner, batch, step)

    @tf.function
    def distributed(batch, positions, index, rows):
        values = strategy.run(replica_step, args=(batch, positions, index, rows))
        return {name: strategy.reduce(tf.distribute.ReduceOp.SUM, v, axis=None) for name, v in values.items()}

    def spread(context_to_value):
        if replicas == 1:
            return context_to_value(0)
        return strategy.experimental_distribute_values_from_function(
            lambda context: context_to_value(context.replica_id_in_sync_group))

    mine = []  # the replicas of this process
    spread(lambda r: mine.append(r) or tf.constant(r))  # type: ignore[func-returns-value]

    def read(index: int):
        indices = batches.indices(index)
        parts = np.array_split(np.arange(len(indices)), replicas)
        return len(indices), parts, {r: batches.read(indices[parts[r]]) for r in mine}

    ahead = {}  # one batch is read while the step before it runs; a thread keeps an error's type and words, and unlike
    reader = ThreadPoolExecutor(1)  # an iterator of tf.data there is no place in the data to save and restore

    def run(index: int):
        rows, parts, values = (ahead.pop(index) if index in ahead else reader.submit(read, index)).result()
        if index + 1 < stage.steps:
            ahead[index + 1] = reader.submit(read, index + 1)
        batch = spread(lambda r: {name: tf.convert_to_tensor(v) for name, v in values[r].items()})
        positions = spread(lambda r: tf.constant(parts[r], tf.int64))
        return distributed(batch, positions, tf.constant(index, tf.int64), tf.constant(rows, tf.float32))

    return run


class Loop:
    """The state of one training and the files it writes."""

    def __init__(self, name, model, learner, stages, strategy, directory, seed, settings, checkpoint_seconds,
                 stands_on=None):
        self.name, self.model, self.learner, self.stages = name, model, learner, stages
        self.strategy, self.directory, self.seed, self.settings = strategy, directory, seed, settings
        self.checkpoint_seconds, self.stands_on = checkpoint_seconds, stands_on
        self.total_steps = sum(stage.steps for stage in stages)
        self.chief, self.together = locks.is_chief(), len(locks.cluster().get("cluster", {}).get("worker", ())) > 0
        self.stage, self.step, self.total = 0, 0, 0  # stage index, steps done in it, steps done in all
        self.pending, self.rows = {}, []  # values since the last log line, and the rows each stands for
        self.lines: list[dict] = []
        self.signal = None
        self.saved_at = self.logged_at = time.monotonic()
        self.writer = None

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
            return Outcome(self.total, not diverged, diverged)
        finally:
            self.bar.close()
            if self.writer:
                self.writer.close()
            for which, handler in handlers.items():
                signal.signal(which, handler)

    def _run_stage(self, stage) -> dict | None:
        if self.step == 0 and stage.start:
            stage.start(self.learner)
        run = compiled(self.strategy, self.learner, stage, self.seed)
        stopped = False
        while self.step < stage.steps and not stopped:
            for name, value in run(self.step).items():
                self.pending.setdefault(name, []).append(value)
            self.rows.append(len(stage.batches.indices(self.step)))
            self.step, self.total = self.step + 1, self.total + 1
            self.bar.update(1)
            logs = self.step % stage.log_every == 0 or self.step == stage.steps
            interrupted = self._told_to_stop()
            saves = interrupted or time.monotonic() - self.saved_at > self.checkpoint_seconds
            if logs or saves:
                if diverged := self._check_finite(stage):
                    return diverged
            if logs:
                self._log(stage)
                stopped = bool(stage.stop and stage.stop([x for x in self.lines if x["stage"] == stage.name]))
            if saves and self.step < stage.steps and not stopped:
                self._save()
            if interrupted and self.step < stage.steps and not stopped:
                self._leave(interrupted)
        self.stage, self.step = self.stage + 1, 0
        interrupted = None if self.together else self.signal  # several workers agree in the next stage
        self._save()
        if interrupted and self.stage < len(self.stages):
            self._leave(interrupted)
        return None

    def _check_finite(self, stage) -> dict | None:
        """Turn the pending values into floats; stop at the first that is not finite, naming step and loss."""
        self.pending = {name: [float(v) for v in values] for name, values in self.pending.items()}
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
                 "pending": self.pending, "rows": self.rows, "settings": self.settings, "provenance": self.stands_on}
        if self.chief:
            checkpoints.save(self.directory / "checkpoints", self.total, self.learner, state,
                             keep=1 if state["complete"] else checkpoints.KEEP)
        self.saved_at = time.monotonic()

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
        if self.together:
            self._anyone(True)  # none goes before the chief has saved: the others would take its absence for a crash
        print(f"\n{self.name}: stopped at step {self.total} of {self.total_steps}, the same command goes on",
              file=sys.stderr)
        raise SystemExit(128 + number)
