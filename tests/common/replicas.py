"""Whether two replicas train to the weights of one, in a process that has two devices.

A test module has `replicated()`: {name: (Model, config, store)}; `differences` trains each with one and with two.
"""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]


def differences(module: str, directory: Path) -> dict[str, float]:
    """{name: relative distance of all weights after training on one device and on two} for a module's `replicated()`.

    Infinite where training moved no weight, so that nothing would be compared.
    """
    done = subprocess.run([sys.executable, "-m", "tests.common.replicas", module, str(directory)], cwd=ROOT,
                          env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    start, one, two = (dict(np.load(directory / f"{name}.npz")) for name in ("start", "1", "2"))
    return {name: float(np.linalg.norm(one[name] - two[name]) / np.linalg.norm(one[name]))
            if np.abs(one[name] - start[name]).max() > 0 else float("inf") for name in one}


def weights(learner) -> np.ndarray:
    """All trainable weights in one row."""
    return np.concatenate([np.ravel(one) for network in learner.networks.values()
                           for one in network.trainable_variables])


def strategies() -> dict:
    """{1: no strategy, on the first device; 2: mirrored on both}; before TensorFlow has looked for devices.

    Without graphs, whose compilation takes most of the time: tests of the loop and of fma_interpolation have them.
    """
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    tf.config.run_functions_eagerly(True)
    return {1: tf.distribute.get_strategy(), 2: tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])}


def main(module: str, directory: Path) -> None:
    """Train each of `replicated()` on one device and on two; save its weights, and those at the start."""
    import keras

    both = strategies()

    from common import training

    jobs = importlib.import_module(module).replicated().items()
    for count, strategy in both.items():
        start, ended = {}, {}
        for name, (model, config, store) in jobs:
            keras.utils.set_random_seed(0)
            start[name] = weights(model.build(config, store))
            where = directory / f"{name}-{count}"
            training.train(name, model, config, store, where, 0, strategy)
            ended[name] = weights(training.load(model, config, store, where))
        np.savez(directory / "start.npz", **start)
        np.savez(directory / f"{count}.npz", **ended)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
