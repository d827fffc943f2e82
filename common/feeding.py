"""From a stage's batches to the devices: several steps at a time, read ahead by threads.

Which examples a step takes is a function of (seed, step) alone. How many steps one call takes is not: it may follow the
clock, since a call of several steps computes what as many calls of one do.
"""

import collections
import contextlib
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from common.machine import Machine

CALL_SECONDS = 0.05  # a call takes more steps until it takes half of this: the host's part of a call is a millisecond
CALL_BYTES = 2**26  # and no more than that of a batch on the way to the devices


@dataclass(frozen=True)
class Call:
    """What one call of TensorFlow takes.

    Attributes:
        first, count: its steps in the stage.
        rows: examples in each of its global batches.
        parts: for each replica of this process {name: tensor (count, its rows of the batch, …)} on its device.
        bytes: of one step's batch.
    """

    first: int
    count: int
    rows: int
    parts: tuple
    bytes: int


def boundaries(rows: int, replicas: int) -> list[tuple[int, int]]:
    """First and last-plus-one row of each replica in a global batch."""
    ends = np.cumsum([0, *(len(part) for part in np.array_split(np.arange(rows), replicas))])
    return [(int(a), int(b)) for a, b in zip(ends[:-1], ends[1:], strict=True)]


class Feed:
    """The calls of a stage in order, `ahead` of them read and placed while others run.

    A call never goes over a log line, the end of the stage, or from a full batch to the last, smaller one of an epoch.

    Attributes:
        pace: the most steps that a call read from now on takes.
        waited: seconds for which `next` had nothing to give.
    """

    def __init__(self, stage: Any, strategy: tf.distribute.Strategy, replicas: list[int], machine: Machine) -> None:
        self.stage, self.replicas, self.machine = stage, replicas, machine
        self.in_sync = strategy.num_replicas_in_sync
        self.devices = strategy.extended.worker_devices if self.in_sync > 1 else (None,)
        self.pace, self.waited = max(1, machine.steps_per_call), 0.0
        self.readers = ThreadPoolExecutor(machine.readers, "reader")
        self.waiting: collections.deque[tuple[int, int, Future]] = collections.deque()

    def span(self, index: int) -> int:
        """Steps in the call that begins at a step."""
        batches, stage = self.stage.batches, self.stage
        count = min(stage.steps, (index // stage.log_every + 1) * stage.log_every) - index
        epoch = batches.steps_per_epoch
        if epoch > 1 and not batches.drop_remainder and batches.size % batches.batch_size:
            place = index % epoch
            count = min(count, epoch - 1 - place or 1)
        return max(1, min(count, self.pace))

    def next(self, index: int) -> Call:
        """The call that begins at step `index`; raises what the stage's `read` raises."""
        if not self.waiting or self.waiting[0][0] != index:
            self.close()
            self.readers = ThreadPoolExecutor(self.machine.readers, "reader")
            self._submit(index)
        began = time.perf_counter()
        try:
            call = self.waiting.popleft()[2].result()
        except BaseException:  # also a stop: nothing is read for nobody
            self.close()
            raise
        self.waited += time.perf_counter() - began
        last = self.waiting[-1] if self.waiting else (call.first, call.count)
        following = last[0] + last[1]
        while len(self.waiting) < self.machine.ahead and following < self.stage.steps:
            following += self._submit(following)
        return call

    def took(self, call: Call, seconds: float) -> None:
        """Learn from how long a call took how many steps the next ones may take."""
        if self.machine.steps_per_call or call.count < self.pace:
            return
        if seconds < CALL_SECONDS / 2 and 2 * self.pace * call.bytes <= CALL_BYTES:
            self.pace *= 2

    def close(self) -> None:
        """Read no more; what is being read is waited for."""
        self.readers.shutdown(wait=True, cancel_futures=True)
        self.waiting.clear()

    def _submit(self, index: int) -> int:
        count = self.span(index)
        self.waiting.append((index, count, self.readers.submit(self._read, index, count)))
        return count

    def _read(self, first: int, count: int) -> Call:
        batches = self.stage.batches
        indices = [batches.indices(step) for step in range(first, first + count)]
        rows, parts, size = len(indices[0]), [], 0
        for replica, device in zip(self.replicas, self.devices, strict=True):
            start, end = boundaries(rows, self.in_sync)[replica]
            steps = [batches.read(one[start:end]) for one in indices]
            arrays = {name: np.stack([np.asarray(one[name]) for one in steps]) for name in steps[0]}
            size += sum(array.nbytes for array in arrays.values()) // count
            with tf.device(device) if device else contextlib.nullcontext():
                parts.append({name: tf.convert_to_tensor(array) for name, array in arrays.items()})
        return Call(first, count, rows, tuple(parts), size)



def too_small(batches: Any, replicas: int) -> str:
    """Why the batches cannot be split over so many replicas and which sizes can, or an empty string."""
    size, batch = batches.size, batches.batch_size
    rest = 0 if batches.drop_remainder else size % batch
    full = min(batch, size)
    if full >= replicas and (not rest or rest >= replicas):
        return ""
    has = f"a batch has {full}" if full < replicas else f"the last batch of an epoch has {rest}"
    works = [one for one in range(replicas, min(size, batch + 10 * replicas) + 1)
             if batches.drop_remainder or not 0 < size % one < replicas]
    near = sorted(sorted(works, key=lambda one: abs(one - batch))[:4])
    advice = f"batches of {', '.join(map(str, near))} can be split" if near else "use fewer devices"
    return f"{has} examples for {replicas} devices; {advice}"
