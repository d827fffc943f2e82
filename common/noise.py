"""Randomness inside a training step as a pure function of (seed, stage, step).

Keras' own Dropout and SeedGenerator keep a counter that no Keras save restores, and they draw the same numbers on
every replica. Here each draw is keyed by seed, stage, step and name. TensorFlow's generator (Philox) makes the numbers
of a draw from a key and a count, so each replica draws only its own rows of the global batch, by starting to count
where they begin. A resumed run therefore repeats the interrupted one, and two replicas repeat one.
"""

import contextlib
import math
import threading
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import keras
import tensorflow as tf

from common.precision import LossScale

_current = threading.local()
PHILOX, NUMBERS = 1, 4  # the generator's number in TensorFlow's operations; numbers of 32 bits that one count gives


class Step:
    """One training step as seen by one replica: its place in the run, its random draws, its reductions.

    Attributes:
        index: scalar int64 tensor, steps done in this stage before this one.
        rows: scalar float32 tensor, examples in the *global* batch.

    Args:
        positions: which rows of the global batch this replica has: consecutive integers.
        batch_size: rows of a full global batch.
        scale: of the losses, where layers compute in float16.
    """

    scale: LossScale | None = None

    def __init__(self, seed: int, stage: str, index: tf.Tensor, rows: tf.Tensor, positions: tf.Tensor, batch_size: int,
                 scale: LossScale | None = None):
        self.seed, self.stage, self.index, self.rows = seed, stage, index, rows
        self._positions, self._batch_size, self._uses = positions, batch_size, {}
        self.scale = scale

    def _key(self, name: str):
        use = self._uses[name] = self._uses.get(name, -1) + 1  # the second draw of a name in a step differs
        word = zlib.crc32(f"{self.seed}/{self.stage}/{name}/{use}".encode())
        return tf.stack([tf.constant(word, tf.int64), tf.cast(self.index, tf.int64)])

    def _draw(self, name: str, shape: tuple, whole: Callable, rows: Callable):
        """This replica's rows (replica batch, *shape) of a draw for the global batch.

        Args:
            whole: (shape, seed) -> a whole draw. rows: (shape, key, counter) -> the same numbers from `counter` on.
        """
        key, mine = self._key(name), self._positions.shape[0]
        if mine == self._batch_size:
            return whole((mine, *shape), key)
        row = math.prod(shape)
        before = tf.cast(self._positions[0], tf.int64) * row
        key, counter = tf.raw_ops.StatelessRandomGetKeyCounter(seed=key)
        count = tf.bitcast(counter, tf.int64) + tf.stack([before // NUMBERS, 0])  # its first half starts at 0
        numbers = rows((mine * row + NUMBERS - 1,), key, tf.bitcast(count, tf.uint64))
        return tf.reshape(tf.slice(numbers, [before % NUMBERS], [mine * row]), (mine, *shape))

    def normal(self, name: str, shape: tuple[int, ...] = (), mean: float = 0.0, stddev: float = 1.0) -> tf.Tensor:
        """Gaussian draws, shape (replica batch, *shape)."""
        return self._draw(name, shape, partial(tf.random.stateless_normal, alg="philox"), _normal) * stddev + mean

    def uniform(self, name: str, shape: tuple[int, ...] = (), low: float = 0.0, high: float = 1.0) -> tf.Tensor:
        """Uniform draws in [low, high), shape (replica batch, *shape)."""
        draw = self._draw(name, shape, partial(tf.random.stateless_uniform, alg="philox"), _uniform)
        return draw * (high - low) + low

    def integers(self, name: str, shape: tuple[int, ...] = (), low: int = 0, high: int = 2) -> tf.Tensor:
        """Uniform integers low … high-1 (int32), shape (replica batch, *shape)."""
        whole = partial(tf.random.stateless_uniform, minval=low, maxval=high, dtype=tf.int32, alg="philox")
        return self._draw(name, shape, whole, partial(_integers, low, high))

    def scalar(self, name: str, low: float = 0.0, high: float = 1.0) -> tf.Tensor:
        """One uniform number for the whole global batch, the same on every replica."""
        return tf.random.stateless_uniform((), self._key(name), low, high)

    def mean(self, per_example: tf.Tensor) -> tf.Tensor:
        """Sum over this replica's examples divided by the rows of the global batch.

        Summed over replicas this is the mean over the global batch, which is what gradients and logs need.

        Raises:
            ValueError: if `per_example` is not a vector with one number an example.
        """
        if per_example.shape.rank != 1:
            raise ValueError(f"step.mean wants one number an example, got shape {per_example.shape}")
        total = tf.reduce_sum(per_example) / tf.cast(self.rows, per_example.dtype)
        return self.scale.up(total) if self.scale else total

    def reduce(self, value: tf.Tensor | list[tf.Tensor]) -> Any:
        """Sum of `value` over all replicas: a tensor for gates that look at a loss, or a list of gradients."""
        context = tf.distribute.get_replica_context()
        if context.num_replicas_in_sync > 1:  # an all_reduce of one would keep the graph and its weights for ever
            value = context.all_reduce(tf.distribute.ReduceOp.SUM, value)
        return self.scale.down(value) if self.scale and isinstance(value, list | tuple) else value

    def apply(self, optimizer: keras.optimizers.Optimizer, gradients: list, variables: list,
              clip_norm: float | None = None, clip_value: float | None = None, when: tf.Tensor | None = None,
              reduced: bool = False) -> None:
        """Reduce the gradients over the replicas, clip them, apply them: in this order and each once.

        Args:
            clip_norm: clip each gradient to this Euclidean norm (Keras' `clipnorm`).
            clip_value: clip each entry to +- this value (Keras' `clipvalue`).
            reduced: they are summed over the replicas already (`reduce`), for a paper that clips in a way of its own.
            when: boolean scalar, the same on every replica; where false nothing changes, moments and count included.

        Raises:
            ValueError: if both are given, or if no variable has a gradient.
        """
        if clip_norm is not None and clip_value is not None:
            raise ValueError("clip_norm and clip_value exclude each other")
        pairs = [(g, v) for g, v in zip(gradients, variables, strict=True) if g is not None]
        if not pairs:
            raise ValueError("no gradient reaches any of the variables")
        gradients, variables = [g for g, _ in pairs], [v for _, v in pairs]
        context = tf.distribute.get_replica_context()
        if not reduced:
            gradients = self.reduce(gradients)
        if self.scale:
            when = self.scale.finite if when is None else tf.logical_and(when, self.scale.finite)
        # They are reduced: keep Keras from summing them once more (no public switch for it as of Keras 3.15).
        optimizer._all_reduce_sum_gradients = list
        if clip_norm is not None:
            gradients = [tf.clip_by_norm(g, clip_norm) for g in gradients]
        if clip_value is not None:
            gradients = [tf.clip_by_value(g, -clip_value, clip_value) for g in gradients]
        if when is None:
            optimizer.apply(gradients, variables)
        elif context.num_replicas_in_sync == 1:
            tf.cond(when, lambda: optimizer.apply(gradients, variables), lambda: None)
        else:  # an update of several replicas cannot stand inside a condition: take it back instead
            kept = [v.value for v in variables + optimizer.variables]  # the distributed variables behind Keras'
            before = [tf.identity(v) for v in kept]
            with tf.control_dependencies(before):
                optimizer.apply(gradients, variables)
            context.merge_call(_take_back, args=(kept, before, when))


def _normal(shape, key, counter):
    return tf.raw_ops.StatelessRandomNormalV2(shape=shape, key=key, counter=counter, alg=PHILOX)


def _uniform(shape, key, counter):
    return tf.raw_ops.StatelessRandomUniformV2(shape=shape, key=key, counter=counter, alg=PHILOX)


def _integers(low, high, shape, key, counter):
    return tf.raw_ops.StatelessRandomUniformIntV2(shape=shape, key=key, counter=counter, alg=PHILOX, minval=low,
                                                  maxval=high)


def _take_back(strategy, variables, before, when):
    for variable, value in zip(variables, before, strict=True):
        strategy.extended.update(variable, lambda v, old, new: v.assign(tf.where(new, v, old)), args=(value, when))


@contextlib.contextmanager
def step_scope(step: Step) -> Iterator[None]:
    """Make `step` the one that Dropout and GaussianNoise draw from, in this thread (one thread a replica)."""
    _current.step = step
    try:
        yield
    finally:
        _current.step = None


def _step(layer) -> Step:
    step = getattr(_current, "step", None)
    if step is None:
        raise RuntimeError(f"{layer.name} was called with training=True outside a training step")
    return step


class Dropout(keras.layers.Layer):
    """Inverted dropout: keeps an entry with probability 1 - rate and divides it by that; nothing at inference."""

    def __init__(self, rate: float, *, name: str, **kwargs: Any):  # draws go by the name, so it must not be a counter
        super().__init__(name=name, **kwargs)
        self.rate = rate

    def call(self, inputs: keras.KerasTensor | tf.Tensor, training: bool = False) -> keras.KerasTensor | tf.Tensor:  # noqa: D102
        if not training or not self.rate:
            return inputs
        draw = _step(self).uniform(self.name, inputs.shape[1:])
        return tf.where(draw >= self.rate, inputs / (1.0 - self.rate), tf.zeros_like(inputs))

    def compute_output_shape(self, input_shape: tuple) -> tuple:  # noqa: D102
        return input_shape


class GaussianNoise(keras.layers.Layer):
    """Adds N(0, stddev²) in training; nothing at inference."""

    def __init__(self, stddev: float, *, name: str, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.stddev = stddev

    def call(self, inputs: Any, training: bool = False) -> Any:  # noqa: D102
        if not training or not self.stddev:
            return inputs
        return inputs + tf.cast(_step(self).normal(self.name, inputs.shape[1:], stddev=self.stddev), inputs.dtype)

    def compute_output_shape(self, input_shape: tuple) -> tuple:  # noqa: D102
        return input_shape


def BatchNormalization(**kwargs: Any) -> keras.layers.BatchNormalization:
    """Keras' batch normalisation with statistics over the global batch, so that two replicas equal one."""
    return keras.layers.BatchNormalization(synchronized=True, **kwargs)
