"""The author's recorded forward passes and training steps: where they lie, weights and data by formula, comparison.

`ENCORE_GOLDEN` names another folder with files of the same form.
"""

import json
import os
from pathlib import Path

import numpy as np
import tensorflow as tf

from common.noise import Step

FOLDER = Path(os.environ.get("ENCORE_GOLDEN", Path(__file__).parent))
ARRAYS = np.load(FOLDER / "symphony2vec_steps.npz", allow_pickle=False)
RECIPE = json.loads((FOLDER / "symphony2vec_steps.weights.json").read_text())
TABLES, DATA = RECIPE["tables"], RECIPE["data"]


def _mixed(x):
    x = np.uint32(x)
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        x = x ^ (x >> np.uint32(shift))
        x = x * np.uint32(factor)
    return x ^ (x >> np.uint32(16))


def formula(number, shape, kind):
    """The tensor that a row [number, shape, kind] of the recipe stands for."""
    i = np.arange(int(np.prod(shape)))
    r = _mixed(_mixed(i.astype(np.uint32)) ^ np.uint32((number * 0x9E3779B9) % 2**32)) / 2.0**31 - 1.0
    s = np.sin(0.7 * i + 1.3 * number)
    if " where " in kind:
        value = r < float(kind.split("<")[1].split()[0])
    else:
        value = eval(kind, {"__builtins__": {}}, {"r": r, "s": s, "i": i, "phi": 0.0, "sqrt": np.sqrt, "sin": np.sin})
    return np.broadcast_to(value, i.shape).reshape(shape).astype("float32")


def data(prefix, features=None):
    """A given array by the start of its label; `features`: values of an example, where labels differ in it."""
    found = [row for label, row in DATA.items() if label.startswith(prefix)]
    if features is not None:
        found = [row for row in found if np.prod(row[1][1:]) == features]
    return formula(*max(found, key=lambda row: len(row[1])))


def given(prefix):
    """Whether the recipe has such an array."""
    return any(label.startswith(prefix) for label in DATA)


def keras_layout(tensor):
    """From the original's layout: (out, in, h, w), transposed convolution (in, out, h, w), dense (out, in)."""
    return {4: lambda: tensor.transpose(2, 3, 1, 0), 3: lambda: tensor.transpose(1, 2, 0)}.get(
        tensor.ndim, lambda: tensor.T)()  # fmt: skip


def original_layout(tensor):
    """The other way round."""
    return {4: lambda: tensor.transpose(3, 2, 0, 1), 3: lambda: tensor.transpose(2, 0, 1)}.get(
        tensor.ndim, lambda: tensor.T)()  # fmt: skip


def load(network, table, prefix=""):
    """Set every weight of a network by its table; returns {original's name: variable}, in the original's order.

    Modules are matched in order, by the shapes of their tensors; an LSTM's by layer.
    """
    modules, named = {}, {}
    for number, name, shape, kind in TABLES[table]:
        module = name[-2:] if name[-3:-1] == "_l" else name.rpartition(".")[0]
        modules.setdefault(module, []).append((name, keras_layout(formula(number, shape, kind))))
    unused = [layer for layer in network.layers if layer.weights]
    for tensors in modules.values():
        shapes = [tensor.shape for _, tensor in tensors]
        layer = next(layer for layer in unused if [tuple(weight.shape) for weight in layer.weights] == shapes)
        unused.remove(layer)
        for (name, tensor), weight in zip(tensors, layer.weights, strict=True):
            weight.assign(tensor)
            named[prefix + name] = weight
    assert not unused
    return named


def described(values):
    """(norm, sum with sin(0.37 i + 0.2), first 8 entries) of a tensor in the original's layout."""
    flat = np.float64(original_layout(np.asarray(values))).ravel()
    first = np.full(8, np.nan)
    first[: min(8, len(flat))] = flat[:8]
    return np.linalg.norm(flat), np.sum(flat * np.sin(0.37 * np.arange(len(flat)) + 0.2)), first


class GivenStep(Step):
    """A training step whose random draws are given, and that keeps the gradients the optimizers were given."""

    def __init__(self, rows, index=0, draws=None, keep=None):
        super().__init__(0, "golden", tf.constant(index, tf.int64), tf.constant(rows, tf.float32),
                         tf.range(rows), rows)  # fmt: skip
        self.draws, self.keep, self.gradients, self.opened = draws or {}, keep or {}, {}, None

    def normal(self, name, shape=(), mean=0.0, stddev=1.0):
        return tf.constant(self.draws[name].reshape(-1, *shape)) * stddev + mean

    def uniform(self, name, shape=(), low=0.0, high=1.0):
        self._uses[name] = self._uses.get(name, -1) + 1
        return tf.constant(self.keep[name, self._uses[name]].reshape(-1, *shape))  # kept where at least the rate

    def apply(self, optimizer, gradients, variables, **options):
        self.gradients |= {id(v): g.numpy() for v, g in zip(variables, gradients, strict=True)}
        super().apply(optimizer, gradients, variables, **options)


def relative(ours, golden):
    """Relative L2 error, entries that the original has not left out."""
    ours, golden = np.float64(ours).ravel(), np.float64(golden).ravel()
    there = ~np.isnan(golden)
    return np.linalg.norm((ours - golden)[there]) / max(np.linalg.norm(golden[there]), 1e-30)
