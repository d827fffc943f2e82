"""The one way to train: what a paper supplies, and `train`, on `tf.distribute`, with exact resume, logs, progress.

A paper supplies networks, optimizers and `train_step(learner, batch, step)`, which returns named losses; the loop
(`common.loop`) does the rest. State is weights, optimizer slots, the step and what the paper's own loop carries:
everything random is a function of (seed, epoch) or (seed, step), see `common.noise`, so a run killed at any moment ends
as one that was not.
"""

import contextlib
import dataclasses
import functools
import gc
import json
import math
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from common import checkpoints, locks, precision, provenance
from common.errors import StaleError, TrainingError
from common.feeding import too_small
from common.loop import Loop, Outcome, history
from common.machine import PLAIN, Machine
from common.noise import BatchNormalization, Dropout, GaussianNoise, Step
from common.record import Run

__all__ = ["BatchNormalization", "Batches", "Dropout", "GaussianNoise", "Learner", "Model", "Outcome", "Stage", "Step",
           "TrainingError", "choose_strategy", "fixed", "history", "load", "outcome", "shuffled", "train", "train_all"]


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
    return functools.lru_cache(2)(functools.partial(_permutation, size, seed))  # two threads may be in two epochs


def fixed(size: int, seed: int | None = None) -> Callable:
    """The same order every epoch: shuffled once by `seed`, or as stored if it is None."""
    return functools.partial(_same, np.arange(size) if seed is None else _permutation(size, seed, 0))


def _permutation(size: int, seed: int, epoch: int) -> np.ndarray:
    return np.random.default_rng([seed, epoch]).permutation(size)


def _same(indices: np.ndarray, epoch: int) -> np.ndarray:
    return indices


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


def choose_strategy() -> tf.distribute.Strategy:
    """Several workers if TF_CONFIG is set, all GPUs if there are two or more, else one device.

    Call before anything else touches TensorFlow.
    """
    if os.environ.get("TF_CONFIG"):
        return tf.distribute.MultiWorkerMirroredStrategy()
    if len(tf.config.list_logical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


def train(name: str, model: Model, config: Any, store: Any, directory: Path, seed: int,
          strategy: tf.distribute.Strategy | None = None, checkpoint_seconds: float | None = None,
          stands_on: dict | None = None, machine: Machine = PLAIN) -> Outcome:
    """Train one model to its end, going on from the last checkpoint in `directory` if there is one.

    Writes `metrics.jsonl` (no clock values), `timing.jsonl`, `tensorboard/` and `checkpoints/`.

    Args:
        checkpoint_seconds: in place of the machine's.
        stands_on: the record of `provenance.at_start`, carried in every checkpoint; None where nothing is to be proved.

    Raises:
        BusyError: another process trains it.
        StaleError: what it stands on is not what the last checkpoint says.
        TrainingError: NaN in a loss, checkpoints of other settings, no data or steps, too many replicas for the model.
        SystemExit: 130 or 143 after Ctrl-C or SIGTERM, with the state saved.
    """
    strategy = strategy or choose_strategy()
    if checkpoint_seconds is not None:
        machine = dataclasses.replace(machine, checkpoint_seconds=checkpoint_seconds)
    if model.single_replica and strategy.num_replicas_in_sync > 1:
        raise TrainingError(f"{name} mixes examples across a batch by definition and runs on one replica; "
                            f"{strategy.num_replicas_in_sync} are present. Hide the others (CUDA_VISIBLE_DEVICES=0).")
    if machine.jit and strategy.num_replicas_in_sync > 1:
        raise TrainingError(f"{name}: --jit compiles the step of one device; {strategy.num_replicas_in_sync} are "
                            "present. Leave it out, or hide the others (CUDA_VISIBLE_DEVICES=0).")
    if machine.deterministic:
        tf.config.experimental.enable_op_determinism()
        tf.config.experimental.enable_tensor_float_32_execution(False)
    done = outcome(directory)
    settings = _settings(name, config, store, seed)
    _same_settings(directory, settings)
    provenance.require_same(directory, stands_on)
    if done and (done.complete or done.diverged):
        return done
    stages = model.stages(config, store, seed)
    for stage in stages:
        if stage.batches.size < 1 or stage.batches.steps_per_epoch < 1 or stage.steps < 1:
            raise TrainingError(f"{name}: stage {stage.name} has {stage.batches.size} examples in batches of "
                                f"{stage.batches.batch_size} and {stage.steps} steps: nothing to train on; more data, "
                                "another --split, or larger sizes")
        if problem := too_small(stage.batches, strategy.num_replicas_in_sync):
            raise TrainingError(f"{name}: {problem}")
    with locks.held(directory / ".lock", f"training {directory}") if locks.is_chief() else contextlib.nullcontext():
        with strategy.scope():
            keras.utils.set_random_seed(seed)
            learner = model.build(config, store)
            precision.apply(machine.precision, learner)
        return Loop(name, model, learner, stages, strategy, directory, seed, settings, machine,
                    stands_on and stands_on | {"devices": devices(strategy)}).run()


def train_all(jobs: dict, store: Any, run: Run, only: str | None = None) -> dict[str, Outcome]:
    """Train the jobs {name: (Model, config)} of a run in order, or `only` one; each goes on from its last checkpoint.

    A model that stops at a NaN does not keep the others from training.

    Raises:
        TrainingError: after all were tried, if any failed, naming every one.
    """
    outcomes, failed, stands_on = {}, [], run.provenance(store)
    for name, (model, config) in jobs.items():
        if only in (None, name):
            try:
                outcomes[name] = train(name, model, config, store, run.model_directory(name), run.seed,
                                       stands_on=stands_on, machine=getattr(run, "machine", None) or PLAIN)
            except StaleError:
                raise
            except TrainingError as error:
                failed.append(str(error))
            _free()
    if failed:
        raise TrainingError("; ".join(failed))
    return outcomes


def _free():
    """Free the networks of a finished training: gigabytes by the tenth model.

    They and their graphs refer to one another, and TensorFlow keeps every graph with an all_reduce (that of batch
    normalisation) in its table of gradients for ever.
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


def load(model: Model, config: Any, store: Any, directory: Path, seed: int = 0) -> Learner:
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


def devices(strategy: tf.distribute.Strategy) -> list[str]:
    """What the replicas run on: ["CPU"], ["GPU NVIDIA H200", "GPU NVIDIA H200"], …"""
    cards = tf.config.list_physical_devices("GPU")
    if not cards:
        return ["CPU"] * strategy.num_replicas_in_sync
    name = tf.config.experimental.get_device_details(cards[0]).get("device_name", "")
    return [f"GPU {name}".strip()] * strategy.num_replicas_in_sync


def _settings(name, config, store, seed) -> dict:
    return {"model": name, "seed": seed, "store": provenance.content(store),
            "config": json.loads(json.dumps(vars(config), default=str))}


def _same_settings(directory: Path, settings: dict):
    for path in checkpoints.files(directory / "checkpoints")[-1:]:
        saved = checkpoints.read_state(path)["settings"]
        before, now = saved | saved["config"], settings | settings["config"]
        for key in sorted(set(before) | set(now)):
            if key != "config" and before.get(key) != now.get(key):
                raise TrainingError(f"{directory} was trained with {key}={before.get(key)}, asked for is "
                                    f"{key}={now.get(key)}; {provenance.ONLY_FRESH}")
