"""A store of invented pairs."""

from types import SimpleNamespace

import numpy as np

from common import store


def pairs(count):
    """x (count, 2) and y (count,): y = x0 - x1."""
    x = np.random.default_rng(0).normal(size=(count, 2)).astype("f4")
    return x, x[:, 0] - x[:, 1]


def preprocess(config, data, preset, stores, null=False):
    """The store: arrays x and y, a row each."""
    corpus = SimpleNamespace(name="pairs", label="pairs", root=stores, evidence="demo", items=[0] * 24, rejected=[],
                             fingerprint="abc", facts={}, said="")

    def build(writer):
        x, y = pairs(24)
        writer.array("x", x)
        writer.array("y", y)
        for i in range(24):
            writer.row(item=str(i), group=str(i // 2), label="ab"[i % 2], path=str(i))

    return store.prepare(corpus, {"name": "pairs", "version": 1}, stores, build)
