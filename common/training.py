"""The one training loop: `tf.distribute`, exact resume, logs, progress.

A paper supplies networks, optimizers and `train_step(learner, batch, step)`, which returns named losses; the loop does
the rest. State is weights, optimizer slots, the step and what the paper's own loop carries: everything random is a
function of (seed, epoch) or (seed, step), see `common.noise`, so a run killed at any moment ends as one that was not.
"""

import gc
import json
import math
import os
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from common import checkpoints
from common.noise import BatchNormalization, Dropout, GaussianNoise, Step, step_scope

__all__ = ["BatchNormalization", "Batches", "Dropout", "GaussianNoise", "Learner", "Model", "Outcome", "Stage", "Step",
           "TrainingError", "choose_strategy", "estimate", "fixed", "history", "load", "outcome", "shuffled", "train",
           "train_all"]


class TrainingError(Exception):
    """Training cannot start or go on; the message says why and what to do."""


@dataclass(frozen=True)
class Batches:
    """The examples of a stage and the order in which they are read.

    Attributes:
        size: examples an epoch.
        batch_size: rows of the global batch.
        read: (int64 index array) -> {name: array with the batch on the first axis}.
        order: epoch -> index array of `size` entries; a pure function (`shuffled`, `fixed`).
        drop_remainder: leave out the last, smaller batch of an epoch.
    """

    size: int
    batch_size: int
    read: Callable
    order: Callable
    drop_remainder: bool = False

    @property
    def steps_per_epoch(self) -> int:
        """Steps in one pass over the data."""
        return (math.floor if self.drop_remainder else math.ceil)(self.size / self.batch_size)

    def indices(self, step: int) -> np.ndarray:
        """Example indices of the global batch at a step."""
        epoch, batch = divmod(step, self.steps_per_epoch)
        return self.order(epoch)[batch * self.batch_size:(batch + 1) * self.batch_size]


def shuffled(size: int, seed: int) -> Callable:
    """A new permutation every epoch, a function of (seed, epoch)."""
    latest = {}

    def order(epoch):
        if epoch not in latest:
            latest.clear()
            latest[epoch] = np.random.default_rng([seed, epoch]).permutation(size)
        return latest[epoch]

    return order


def fixed(size: int, seed: int | None = None) -> Callable:
    """The same order every epoch: shuffled once by `seed`, or as stored if it is None."""
    indices = np.arange(size) if seed is None else np.random.default_rng([seed, 0]).permutation(size)
    return lambda epoch: indices


@dataclass
class Learner:
    """What is trained: networks, their built optimizers, and variables that the paper's loop carries (gates)."""

    networks: dict[str, keras.Model]
    optimizers: dict[str, keras.optimizers.Optimizer]
    variables: dict[str, tf.Variable] = field(default_factory=dict)


@dataclass(frozen=True)
class Stage:
    """A stretch of training with one step function.

    Attributes:
        train_step: (learner, batch, step) -> {name: scalar}, each summing over replicas to its global value.
        steps: how many steps; `log_every`: steps between two lines of metrics.jsonl.
        validate: learner -> {name: float}, at every log line.
        start: called with the learner once, as the stage begins.
        stop: (log lines of this stage so far) -> True to end the stage early.
    """

    name: str
    train_step: Callable
    batches: Batches
    steps: int
    log_every: int
    validate: Callable | None = None
    start: Callable | None = None
    stop: Callable | None = None


@dataclass(frozen=True)
class Model:
    """An entry of a paper's MODELS table.

    Attributes:
        build: (config, store) -> Learner, called inside the strategy's scope after seeding; builds its optimizers.
        stages: (config, store, seed) -> [Stage].
        may_diverge: NaN ends the run with the result "diverged" instead of an error.
        single_replica: the step mixes a batch by definition; refused on more than one replica.
    """

    build: Callable
    stages: Callable
    may_diverge: bool = False
    single_replica: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a training ended: steps done in all, complete or not, and where it diverged, if it did."""

    step: int
    complete: bool
    diverged: dict | None = None


def choose_strategy() -> tf.distribute.Strategy:
    """Several workers if TF_CONFIG is set, all GPUs if there are two or more, else one device.

    Call before anything else touches TensorFlow.
    """
    if os.environ.get("TF_CONFIG"):
        return tf.distribute.MultiWorkerMirroredStrategy()
    if len(tf.config.list_logical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


def train(name: str, model: Model, config, store, directory: Path, seed: int,
          strategy: tf.distribute.Strategy | None = None, checkpoint_seconds: float = 60.0) -> Outcome:
    """Train one model to its end, going on from the last checkpoint in `directory` if there is one.

    Writes `metrics.jsonl` (no clock values), `timing.jsonl`, `tensorboard/` and `checkpoints/`.

    Raises:
        TrainingError: NaN in a loss, checkpoints of other settings, or too many replicas for the model.
        SystemExit: 130 or 143 after Ctrl-C or SIGTERM, with the state saved.
    """
    strategy = strategy or choose_strategy()
    if model.single_replica and strategy.num_replicas_in_sync > 1:
        raise TrainingError(f"{name} mixes examples across a batch by definition and runs on one replica; "
                            f"{strategy.num_replicas_in_sync} are present. Hide the others (CUDA_VISIBLE_DEVICES=0).")
    done = outcome(directory)
    settings = _settings(name, config, store, seed)
    _same_settings(directory, settings)
    if done and (done.complete or done.diverged):
        return done
    stages = model.stages(config, store, seed)
    for stage in stages:
        rest = 0 if stage.batches.drop_remainder else stage.batches.size % stage.batches.batch_size
        if 0 < rest < strategy.num_replicas_in_sync:
            raise TrainingError(f"{name}: the last batch of an epoch has {rest} examples for "
                                f"{strategy.num_replicas_in_sync} devices; choose another --batch-size")
    with strategy.scope():
        keras.utils.set_random_seed(seed)
        learner = model.build(config, store)
    return _Loop(name, model, learner, stages, strategy, directory, seed, settings, checkpoint_seconds).run()


def train_all(jobs: dict, store, run, only: str | None = None) -> dict[str, Outcome]:
    """Train the jobs {name: (Model, config)} of a run in order, or `only` one; each goes on from its last checkpoint.

    A model that stops at a NaN does not keep the others from training.

    Raises:
        TrainingError: after all were tried, if any failed, naming every one.
    """
    outcomes, failed = {}, []
    for name, (model, config) in jobs.items():
        if only in (None, name):
            try:
                outcomes[name] = train(name, model, config, store, run.model_directory(name), run.seed)
            except TrainingError as error:
                failed.append(str(error))
            _free()
    if failed:
        raise TrainingError("; ".join(failed))
    return outcomes


def _free():
    """Free the networks of a finished training: gigabytes by the tenth model.

    They and their graphs refer to one another, and TensorFlow keeps every graph with an all_reduce (batch normalisation)
    in its table of gradients for ever.
    """
    from tensorflow.python.framework.ops import gradient_registry

    table = gradient_registry._registry  # no public way as of TensorFlow 2.21
    for name in [name for name in table if name.startswith("CustomGradient-")]:
        del table[name]
    gc.collect()


def outcome(directory: Path) -> Outcome | None:
    """How far the training in a model's directory has come, None if it has not begun."""
    if not (found := checkpoints.files(directory / "checkpoints")):
        return None
    state = checkpoints.read_state(found[-1])
    diverged = directory / "diverged.json"
    return Outcome(state["total"], state["complete"], json.loads(diverged.read_text()) if diverged.exists() else None)


def load(model: Model, config, store, directory: Path, seed: int = 0) -> Learner:
    """The model with the weights of the newest checkpoint in its directory, for evaluation: without optimizers.

    Raises:
        TrainingError: if there is no checkpoint.
    """
    if not (found := checkpoints.files(directory / "checkpoints")):
        raise TrainingError(f"{directory} holds no checkpoint: train this model first")
    keras.utils.set_random_seed(seed)
    learner = model.build(config, store)
    checkpoints.restore(found[-1], learner, weights_only=True)
    learner.optimizers.clear()  # two thirds of the memory of an Adam-trained model
    return learner


def history(directory: Path) -> list[dict]:
    """The lines of a model's metrics.jsonl."""
    path = directory / "metrics.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def estimate(name: str, model: Model, config, store, seed: int = 0, steps: int = 20) -> dict:
    """Time `steps` steps of every stage, after two to warm up, without writing anything.

    Returns: {"hours", "parameters", "checkpoint_megabytes", "peak_megabytes", "seconds_per_step": {stage: …}}.
    """
    import resource

    strategy = choose_strategy()
    with strategy.scope():
        keras.utils.set_random_seed(seed)
        learner = model.build(config, store)
    seconds = {}
    stages = model.stages(config, store, seed)
    for stage in stages:
        if stage.start:
            stage.start(learner)
        step = _compiled(strategy, learner, stage, seed)
        for index in range(2 + steps):
            if index == 2:
                began = time.perf_counter()
            values = step(index)
        [v.numpy() for v in values.values()]
        seconds[stage.name] = (time.perf_counter() - began) / steps
    variables = checkpoints.named_variables(learner).values()
    return {"hours": sum(s.steps * seconds[s.name] for s in stages) / 3600,
            "parameters": sum(n.count_params() for n in learner.networks.values()),
            "checkpoint_megabytes": sum(int(np.prod(v.shape)) * 4 for v in variables) / 1e6,
            "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "seconds_per_step": seconds}


def _settings(name, config, store, seed) -> dict:
    return {"model": name, "seed": seed, "store": getattr(store, "fingerprint", None),
            "config": json.loads(json.dumps(vars(config), default=str))}


def _same_settings(directory: Path, settings: dict):
    for path in checkpoints.files(directory / "checkpoints")[-1:]:
        saved = checkpoints.read_state(path)["settings"]
        before, now = saved | saved["config"], settings | settings["config"]
        for key in sorted(set(before) | set(now)):
            if key != "config" and before.get(key) != now.get(key):
                raise TrainingError(f"{directory} was trained with {key}={before.get(key)}, asked for is "
                                    f"{key}={now.get(key)}: remove that directory or choose another with --runs")


def _compiled(strategy, learner: Learner, stage: Stage, seed: int) -> Callable:
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
    spread(lambda r: mine.append(r) or tf.constant(r))

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


class _Loop:
    """The state of one training and the files it writes."""

    def __init__(self, name, model, learner, stages, strategy, directory, seed, settings, checkpoint_seconds):
        self.name, self.model, self.learner, self.stages = name, model, learner, stages
        self.strategy, self.directory, self.seed, self.settings = strategy, directory, seed, settings
        self.checkpoint_seconds = checkpoint_seconds
        self.total_steps = sum(stage.steps for stage in stages)
        self.chief = strategy.cluster_resolver is None or strategy.cluster_resolver.task_id in (0, None)
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

    def _run_stage(self, stage: Stage) -> dict | None:
        if self.step == 0 and stage.start:
            stage.start(self.learner)
        run = _compiled(self.strategy, self.learner, stage, self.seed)
        stopped = False
        while self.step < stage.steps and not stopped:
            for name, value in run(self.step).items():
                self.pending.setdefault(name, []).append(value)
            self.rows.append(len(stage.batches.indices(self.step)))
            self.step, self.total = self.step + 1, self.total + 1
            self.bar.update(1)
            logs = self.step % stage.log_every == 0 or self.step == stage.steps
            interrupted = self.signal
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
        interrupted = self.signal
        self._save()
        if interrupted and self.stage < len(self.stages):
            self._leave(interrupted)
        return None

    def _check_finite(self, stage: Stage) -> dict | None:
        """Turn the pending values into floats; stop at the first that is not finite, naming step and loss."""
        self.pending = {name: [float(v) for v in values] for name, values in self.pending.items()}
        bad = [(i, name) for name, values in self.pending.items() for i, v in enumerate(values) if not math.isfinite(v)]
        if not bad:
            return None
        index, name = min(bad)
        where = {"stage": stage.name, "step": self.step - len(self.rows) + index + 1, "loss": name}
        if self.model.may_diverge:
            (self.directory / "diverged.json").write_text(json.dumps(where))
            return where
        raise TrainingError(f"{self.name}: {name} is not finite at step {where['step']} of {stage.steps} (stage "
                            f"{stage.name}). Lower the learning rate, or look at that batch; the last good state is "
                            f"in {self.directory / 'checkpoints'}")

    def _log(self, stage: Stage):
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
                 "pending": self.pending, "rows": self.rows, "settings": self.settings}
        if self.chief:
            checkpoints.save(self.directory / "checkpoints", self.total, self.learner, state,
                             keep=1 if state["complete"] else checkpoints.KEEP)
        self.saved_at = time.monotonic()

    def _resume(self):
        (self.directory / "diverged.json").unlink(missing_ok=True)
        found = checkpoints.files(self.directory / "checkpoints")
        state = {"lines": 0}
        if found:
            state = checkpoints.restore(found[-1], self.learner)
            self.stage, self.step, self.total = state["stage"], state["step"], state["total"]
            self.pending, self.rows = state["pending"], state["rows"]
        elif self.model.may_diverge:
            self._save()  # so that a run that diverges at once leaves its first weights to look at
        self.lines = history(self.directory)[:state["lines"]]
        if self.chief:
            temporary = self.directory / "metrics.jsonl.partial"
            temporary.write_text("".join(json.dumps(line) + "\n" for line in self.lines))
            os.replace(temporary, self.directory / "metrics.jsonl")

    def _on_signal(self, number, frame):
        self.signal = number

    def _leave(self, number):
        print(f"\n{self.name}: stopped at step {self.total} of {self.total_steps}, the same command goes on",
              file=sys.stderr)
        raise SystemExit(128 + number)

