"""`make check-gpu`: list the GPUs and time each paper's largest step on them, without writing anything.

For each paper: seconds a step in float32 and with --precision mixed_bfloat16, the share of that time for which a step
waited for its batch, memory, and the largest batch that fits. A paper's demo corpus is made if it is not there; the
sizes are those of preset full.
"""

import dataclasses
import functools
import importlib
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common import command, config as configuration, process, record
from common.machine import Machine

FREE = Path("/proc/meminfo")


@dataclass(frozen=True)
class Options:
    """Options of the call.

    Attributes:
        cpu: time the steps even without a GPU.
        paper: only these papers.
        seconds: for how long the steps of a network are timed.
        doublings: how often the paper's batch is doubled in search of the largest that fits; 0: none is sought.
    """

    cpu: bool = False
    paper: tuple[str, ...] = ()
    seconds: float = 1.0
    doublings: int = 6


@dataclass(frozen=True)
class Measured:
    """Seconds of a step, the share of them without a batch, and peak memory in MB, on the device where there is one."""

    seconds: float
    waiting: float
    megabytes: float


def main(arguments: list[str] | None = None) -> int:
    """0 when every paper's largest step ran on a GPU, 1 when one failed, 2 when there is no GPU."""
    options = command.parse(Options, __doc__, arguments)
    process.quiet_tensorflow()
    import tensorflow as tf

    found = tf.config.list_physical_devices("GPU")
    for device in found:
        print(f"{device.name}: {tf.config.experimental.get_device_details(device).get('device_name', 'unknown')}")
    if not found and not options.cpu:
        print("error: TensorFlow sees no GPU. Put tensorflow[and-cuda] at the same pin into requirements.txt, then "
              "make clean check-gpu; --cpu times the steps without one.", file=sys.stderr)
        return 2
    failed = 0
    for path in sorted((record.ROOT / "papers").glob("*/evaluate.py")):
        name = path.parent.name
        if options.paper and name not in options.paper:
            continue
        try:
            print(f"{name}: {of_paper(name, options)}", flush=True)
        except Exception as error:  # the other papers are still of interest
            failed = 1
            print(f"error: {name}: {type(error).__name__}: {error}", file=sys.stderr)
    return failed


def of_paper(name: str, options: Options) -> str:
    """What the largest step of a paper takes, in a sentence."""
    from common import timing, training

    settings, preprocess, train = (importlib.import_module(f"papers.{name}.{one}")
                                   for one in ("config", "preprocess", "train"))
    config = configuration.resolve(settings, "paper", "full")
    store = preprocess.preprocess(config, None, "smoke", Path("data/stores"), null=False)
    timer, rows = timing.Timer(options.seconds, validations=False), []
    for job, (model, changed) in train.jobs(config).items():
        rows += [(row, model, changed) for row in timer.rows(job, model, changed, store)]
        training._free()
    slowest, model, changed = max(rows, key=lambda one: one[0].seconds_a_step)
    return told(slowest.model, slowest.batch, functools.partial(measure, model, changed, store, options.seconds),
                options.doublings)


def told(model: str, batch: int, measured: Callable, doublings: int) -> str:
    """The sentence; `measured` is a function of (precision, rows)."""
    plain, half = (measured(precision, batch) for precision in ("float32", "mixed_bfloat16"))
    said = (f"largest step {model}, batch {batch}: {plain.seconds:.4f} s in float32, {half.seconds:.4f} s in "
            f"mixed_bfloat16; waits for input {plain.waiting:.0%} and {half.waiting:.0%} of the time; "
            f"{plain.megabytes:.0f} and {half.megabytes:.0f} MB")
    if not doublings:
        return said
    largest, failed = fitting(batch, plain.megabytes, functools.partial(measured, "float32"), doublings)
    return f"{said}; a batch of {largest} fits" + (f", {failed} does not" if failed else ", larger ones were not tried")


def fitting(batch: int, megabytes: float, measured: Callable, doublings: int) -> tuple[int, int | None]:
    """The largest of the doubled batches that a step could be made with, and the first that it could not."""
    import tensorflow as tf

    for _ in range(doublings):
        if not tf.config.list_physical_devices("GPU") and 2 * megabytes > _free_megabytes():
            return batch, 2 * batch  # where memory is the machine's, what does not fit would end this process
        try:
            megabytes = measured(2 * batch).megabytes
        except tf.errors.ResourceExhaustedError:
            return batch, 2 * batch
        batch *= 2
    return batch, None


def measure(model: Any, config: Any, store: Any, seconds: float, precision: str, rows: int) -> Measured:
    """Some steps of a network's first stage with batches of so many rows, its examples repeated as often as needed."""
    import keras
    import tensorflow as tf

    from common import precision as precisions, timing, training

    on_gpu = bool(tf.config.list_logical_devices("GPU"))
    if on_gpu:
        tf.config.experimental.reset_memory_stats("GPU:0")
    timing.forget_peak()
    strategy, machine = training.choose_strategy(), Machine(precision=precision)  # type: ignore[arg-type]
    with strategy.scope():
        keras.utils.set_random_seed(0)
        learner = model.build(config, store)
        precisions.apply(precision, learner)
    stage = model.stages(config, store, 0)[0]
    if stage.start:
        stage.start(learner)
    size, steps = stage.batches.size, 200
    batches = dataclasses.replace(stage.batches, size=steps * rows, batch_size=rows, order=training.fixed(steps * rows),
                                  read=functools.partial(_again, stage.batches.read, size))
    stage = dataclasses.replace(stage, batches=batches, steps=steps, log_every=steps)
    took = timing.Timer(seconds, clock=time.perf_counter, machine=machine).steps(strategy, learner, stage, 0)
    peak = tf.config.experimental.get_memory_info("GPU:0")["peak"] / 1e6 if on_gpu else timing.peak()
    del learner, stage
    training._free()
    return Measured(took.median, took.waiting, peak)


def _again(read: Callable, size: int, indices: Any) -> dict:
    """The examples at `indices`, counted round and round."""
    return read(indices % size)


def _free_megabytes() -> float:
    return int(FREE.read_text().split("MemAvailable:")[1].split()[0]) / 1024


if __name__ == "__main__":
    sys.exit(main())
