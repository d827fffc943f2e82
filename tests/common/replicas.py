"""Whether two replicas train to the weights of one, each count of devices in a process of its own.

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
    for count in (1, 2):
        done = subprocess.run([sys.executable, "-m", "tests.common.replicas", module, str(count), str(directory)],
                              cwd=ROOT, env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
    start, one, two = (dict(np.load(directory / f"{name}.npz")) for name in ("start", "1", "2"))
    return {name: float(np.linalg.norm(one[name] - two[name]) / np.linalg.norm(one[name]))
            if np.abs(one[name] - start[name]).max() > 0 else float("inf") for name in one}


def weights(learner) -> np.ndarray:
    """All trainable weights in one row."""
    return np.concatenate([np.ravel(one) for network in learner.networks.values()
                           for one in network.trainable_variables])


def main(module: str, count: int, directory: Path) -> None:
    """Train each of `replicated()` on so many devices; save its weights, and those at the start."""
    import keras
    import tensorflow as tf

    from common import training

    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * count)
    strategy = tf.distribute.get_strategy()
    if count > 1:
        strategy = tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(count)])
    start, ended = {}, {}
    for name, (model, config, store) in importlib.import_module(module).replicated().items():
        keras.utils.set_random_seed(0)
        start[name] = weights(model.build(config, store))
        where = directory / f"{name}-{count}"
        training.train(name, model, config, store, where, 0, strategy)
        ended[name] = weights(training.load(model, config, store, where))
    np.savez(directory / "start.npz", **start)
    np.savez(directory / f"{count}.npz", **ended)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
