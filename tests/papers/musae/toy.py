"""A store of made-up songs in memory, and a training on it in a process of its own.

python -m tests.papers.musae.toy DIRECTORY [--replicas 2] [--kill STEP] [--sgd] [--follow code]
"""

import argparse
import os
import signal
from pathlib import Path

import numpy as np

from papers.musae import data
from papers.musae.tokens import base_tokens


class ToyStore:
    """Songs of four tracks with tags, artists and both window lengths; `array` as in common.store.Store."""

    fingerprint = "toy"
    directory = "toy"

    def __init__(self, songs=12, bars=20, genres=4, seed=0):
        rng = np.random.default_rng(seed)
        steps = bars * data.STEPS_PER_BAR
        base = np.repeat(rng.integers(30, 80, (songs, 4, -(-steps // 4))), 4, axis=2)[:, :, :steps]
        self.arrays = {
            "base": base.reshape(-1).astype(np.uint8),
            "tokens": base_tokens(base).reshape(-1).astype(np.uint8),
            "tags": (rng.random((songs, genres)) < 0.4).astype(np.uint8),
            "artist": (np.arange(songs) // 2).astype(np.int32),
            "genres": np.array([f"genre {k}" for k in range(genres)]),
            "placement": np.roll(np.arange(genres), 1),
        }
        for length in (2, 16):
            starts = np.arange(bars - length + 1) * data.STEPS_PER_BAR
            offset = [[(song * 4 + track) * steps + s for track in range(4)] for song in range(songs) for s in starts]
            self.arrays[f"offset_{length}"] = np.array(offset)
            self.arrays[f"song_{length}"] = np.repeat(np.arange(songs), len(starts))
            self.arrays[f"shift_{length}"] = rng.integers(-5, 7, len(offset)).astype(np.int8)

    def array(self, name):
        return self.arrays[name]


SIZES = {
    "latent": 6,
    "encoder_units": 4,
    "decoder_units": 5,
    "critic_units": 8,
    "depth": 1,
    "genres": 4,
    "batch_size": 10,
    "log_every": 3,
    "beta_every": 1,
    "beta_after": 0,
    "learning_rate": 1e-2,
}


def settings(follow):
    """A mode's settings at toy sizes; petals as many as genres, or the program's one more."""
    from common.config import resolve
    from papers.musae import config

    petals = 5 if follow == "code" else 4
    return resolve(config, follow, "smoke", SIZES | {"petals": petals})


def main():
    """Train the flower model of two bars, or another, for six updates."""
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("--replicas", type=int, default=1)
    parser.add_argument("--kill", type=int, default=0, help="SIGKILL as this batch is read")
    parser.add_argument("--sgd", action="store_true")
    parser.add_argument("--follow", default="paper")
    parser.add_argument("--gaussian", action="store_true")
    parser.add_argument("--music-vae", action="store_true")
    options = parser.parse_args()
    import keras
    import tensorflow as tf

    from common import training
    from papers.musae import train

    tf.config.run_functions_eagerly(True)  # six updates: compiling the step would take longer
    strategy = None
    if options.replicas > 1:
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * options.replicas)
        strategy = tf.distribute.MirroredStrategy([f"CPU:{k}" for k in range(options.replicas)])
    if options.sgd:

        def descent(config, variables, times=1):
            optimizer = keras.optimizers.SGD(0.1 * times)
            optimizer.build(variables)
            return optimizer

        train.adam = descent
    if options.kill:
        read, count = data.Windows.read, [0]

        def fatal(self, indices):
            count[0] += 1
            if count[0] > options.kill:  # the first read is that of the watched windows
                os.kill(os.getpid(), signal.SIGKILL)
            return read(self, indices)

        data.Windows.read = fatal
    model = train._music_vae(2, True) if options.music_vae else train._model(2, not options.gaussian)
    config = settings(options.follow)
    training.train("toy", model, config, ToyStore(), options.directory, 0, strategy, checkpoint_seconds=0.0)


if __name__ == "__main__":
    main()
