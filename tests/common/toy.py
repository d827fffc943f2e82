"""A small network with everything that is hard to repeat: dropout, noise, batch normalisation, a gate, two stages.

Run as a script it trains and prints nothing; options let tests kill it at a named point or give it several devices.
"""

import argparse
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

EXAMPLES, BATCH = 44, 16  # the last batch of an epoch has 12 rows


@dataclass(frozen=True)
class Config:
    optimizer: str = "adam"
    clip_norm: float | None = None
    normalise: bool = True
    steps: int = 8


def data():
    generator = np.random.default_rng(0)
    return generator.normal(size=(EXAMPLES, 6)).astype("f4"), generator.normal(size=(EXAMPLES, 3)).astype("f4")


def model():
    import keras
    import tensorflow as tf

    from common import training

    inputs, targets = data()

    def build(config, store):
        x = keras.Input((6,))
        # no bias before a normalisation: its gradient is rounding noise, which Adam would blow up to full steps
        y = keras.layers.Dense(16, use_bias=not config.normalise)(x)
        if config.normalise:
            y = training.BatchNormalization()(y)
        y = training.Dropout(0.3, name="dropout")(keras.layers.Activation("tanh")(y))
        y = keras.layers.Dense(3)(training.GaussianNoise(0.1, name="noise")(y))
        network = keras.Model(x, y)
        optimizer = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}[config.optimizer](0.02)
        optimizer.build(network.trainable_variables)
        running = tf.Variable(1.0, aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA)
        return training.Learner({"network": network}, {"main": optimizer}, {"running": running})

    def stages(config, store, seed):
        def step(learner, batch, step):
            network = learner.networks["network"]
            with tf.GradientTape() as tape:
                noisy = batch["x"] + step.normal("input", (6,), stddev=0.1)
                error = tf.reduce_sum(tf.square(network(noisy, training=True) - batch["y"]), axis=-1)
                loss = step.mean(error)
            learner.variables["running"].assign(0.9 * learner.variables["running"] + 0.1 * step.reduce(loss))
            gradients = tape.gradient(loss, network.trainable_variables)
            step.apply(learner.optimizers["main"], gradients, network.trainable_variables, clip_norm=config.clip_norm)
            return {"losses/total": loss}

        batches = training.Batches(EXAMPLES, BATCH, lambda i: {"x": inputs[i], "y": targets[i]},
                                   training.shuffled(EXAMPLES, seed))
        return [training.Stage(name, step, batches, steps=config.steps, log_every=3) for name in ("first", "second")]

    return training.Model(build, stages)


def kill_at(point: str):
    """Patch the loop so that the process dies by SIGKILL at the named point."""
    from common import checkpoints

    def die(*_, **__):
        os.kill(os.getpid(), signal.SIGKILL)

    if point.startswith("step:"):  # inside a step: its forward pass has begun, its weights are not yet applied
        import tensorflow as tf

        from common import noise

        wanted, apply = int(point[5:]), noise.Step.apply

        def dying(self, optimizer, gradients, variables, **words):
            def check(step, gradient):
                return die() if step == wanted else gradient

            first = tf.numpy_function(check, [self.index, gradients[0]], gradients[0].dtype)
            first.set_shape(gradients[0].shape)
            return apply(self, optimizer, [first, *gradients[1:]], variables, **words)

        noise.Step.apply = dying
    elif point == "checkpoint":  # while the third checkpoint is being written
        savez, count = np.savez, [0]

        def half(file, **arrays):
            count[0] += 1
            if count[0] == 3:
                file.write(b"PK half a file")
                file.flush()
                die()
            savez(file, **arrays)

        checkpoints.np = type("np", (), {**vars(np), "savez": staticmethod(half)})
    elif point == "stage":  # between the stages: the first is saved, the second has not begun
        save = checkpoints.save

        def after(directory, step, arrays, state, **words):
            save(directory, step, arrays, state, **words)
            if state["stage"] == 1 and state["step"] == 0:
                die()

        checkpoints.save = after
    else:
        raise SystemExit(f"unknown point {point}")


def main(arguments=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kill", default="")
    parser.add_argument("--replicas", type=int, default=1)
    parser.add_argument("--optimizer", default="adam")
    parser.add_argument("--clip-norm", type=float)
    parser.add_argument("--plain", action="store_true", help="no batch normalisation")
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--checkpoint-seconds", type=float, default=0.0)
    options = parser.parse_args(arguments)

    import tensorflow as tf

    from common import training

    if options.replicas > 1:
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * options.replicas)
    strategy = None
    if options.replicas > 1:
        strategy = tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(options.replicas)])
    strategy = strategy or training.choose_strategy()
    if options.kill:
        kill_at(options.kill)
    config = Config(options.optimizer, options.clip_norm, not options.plain, options.steps)
    training.train("toy", model(), config, None, options.directory, options.seed, strategy, options.checkpoint_seconds)


if __name__ == "__main__":
    sys.exit(main())
