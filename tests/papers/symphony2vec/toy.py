"""A store without files: composers as patterns in noise, enough for every model to train on."""

from dataclasses import dataclass, field

import numpy as np

from papers.symphony2vec import features
from papers.symphony2vec.config import REPRESENTATIONS


@dataclass
class Store:
    composers: int = 3
    works: int = 3
    clips: int = 4
    seed: int = 0
    frames: int = 431
    directory: str = "toy"
    fingerprint: str = "toy"
    rejected: list = field(default_factory=list)

    def __post_init__(self):
        random = np.random.default_rng(self.seed)
        self.index, self.arrays = [], {name: [] for name in REPRESENTATIONS}
        t = np.linspace(0, 20, self.frames)
        for c in range(self.composers):
            for w in range(self.works):
                for k in range(self.clips):
                    self.index.append({"item": f"{c}.{w}.{k}", "group": f"composer {c}/work {w}", "split": "",
                                       "label": f"composer {c}", "frames": self.frames, "path": f"{c}/{w}.wav",
                                       "offset": k * 220500})  # fmt: skip
                    wave = np.sin(t * (c + 1))
                    bump = np.exp(-(((np.arange(64) - 12 * c - 10) / 8) ** 2))[:, None]
                    self.arrays["chroma"].append(np.clip(random.uniform(0, 1, (12, self.frames)) + 0.3 * wave, 0, 1))
                    self.arrays["mfcc"].append(random.normal(-15, 60, (13, self.frames)) + 30 * c)
                    mel = -60 + 40 * bump + 5 * wave + random.normal(0, 8, (64, self.frames))
                    self.arrays["mel"].append(np.clip(mel, -80, 0))
        self.arrays = {name: np.float32(values) for name, values in self.arrays.items()}
        for name in REPRESENTATIONS:
            self.arrays[f"{name}_moments"] = np.array([features.moments(image) for image in self.arrays[name]])
        self.parameters = {"groups_per_class": {f"composer {c}": self.works for c in range(self.composers)}}

    def array(self, name):
        return self.arrays[name]


SMALL = {"clip_seconds": 2.0, "autoencoder_units": (8, 4), "feed_forward_units": (8, 6), "code_size": 4, "ali_width": 2,
         "batch_size": 16, "ali_batch_sizes": (16,), "classifier_epochs": 1, "lstm_epochs": 1, "autoencoder_epochs": 1,
         "vae_epochs": 1, "ali_epochs": 1, "ali_log_every": 10, "regression_iterations": 100}  # fmt: skip


def small(follow, **overrides):
    """Settings of a mode for networks that a test can train in a second: clips of 87 frames, few units."""
    from common.config import resolve
    from papers.symphony2vec import config as settings

    return resolve(settings, follow, "full", SMALL | overrides)


def small_store(**options):
    """A store of such clips."""
    return Store(frames=87, **options)


CASES = (("sgd", "cnn-mel", "code"), ("sgd", "cae-chroma", "sound"), ("adam", "vae-mfcc", "sound"),
         ("sgd", "ali-40", "code"))  # fmt: skip


def main(output):
    """`python -m tests.papers.symphony2vec.toy OUTPUT`: five steps by SGD or Adam on one and on two replicas.

    Saves how the weights moved and what was logged as <replicas>/<optimizer>/<model>/<network>.
    """
    import dataclasses
    import tempfile
    from pathlib import Path

    import keras

    from common import training
    from papers.symphony2vec import learners, train
    from tests.common import replicas

    strategies = replicas.strategies()

    def sgd(learning_rate, variables, beta_1=0.9):
        made = keras.optimizers.SGD(1e-2)
        made.build(variables)
        return made

    def adam(learning_rate, variables, beta_1=0.9):
        # A bias before batch normalisation has a gradient of pure rounding: a small epsilon makes whole steps of it.
        made = keras.optimizers.Adam(learning_rate, beta_1=beta_1, epsilon=1e-3)
        made.build(variables)
        return made

    optimizers, saved, store = {"sgd": sgd, "adam": adam}, {}, small_store()
    for optimizer, name, follow in CASES:
        learners.adam = optimizers[optimizer]
        # The gate of ALI closes at this threshold after some steps. `code` has one batch of 19, which two replicas
        # cannot share evenly, `sound` a second one of fewer rows; each number of rows is compiled, ALI's slowly.
        config = small(follow, mel_training="whole", ali_gate=1.3864, batch_size=19, ali_batch_sizes=(19,))
        model = train.MODELS[name]

        def stages(config, store, seed, of=model.stages):
            return [dataclasses.replace(stage, steps=5, log_every=5, validate=None)
                    for stage in of(config, store, seed)[:1]]  # fmt: skip

        keras.utils.set_random_seed(0)
        start = model.build(config, store)
        for count, strategy in strategies.items():
            directory = Path(tempfile.mkdtemp())
            training.train(name, dataclasses.replace(model, stages=stages), config, store, directory, 0, strategy)
            learner = training.load(model, config, store, directory)
            key = f"{count}/{optimizer}/{name}"
            for part, network in learner.networks.items():
                pairs = zip(network.trainable_variables, start.networks[part].trainable_variables, strict=True)
                saved[f"{key}/{part}"] = np.concatenate([
                    np.ravel(v.numpy() - b.numpy()) for v, b in pairs if "pixel_bias" not in v.path])  # set, not learnt
            last = training.history(directory)[-1]
            saved[f"{key}/metrics"] = np.array([last[k] for k in sorted(last) if k not in ("stage", "step", "epoch")])
            if name.startswith("ali"):
                saved[f"{count}/gate"] = np.array([last["metrics/gate_open"]])
    np.savez(output, **saved)


if __name__ == "__main__":
    import sys

    main(sys.argv[1])
