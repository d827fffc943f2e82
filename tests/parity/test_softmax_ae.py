"""Our training steps in mode `code` give the losses, gradients and updates of the authors' program.

`ENCORE_GOLDEN` names another folder with `softmax_ae_steps.npz` and `softmax_ae_steps.weights.json` of the same form.
"""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from common import config as configuration
from common.noise import Step, step_scope
from papers.softmax_ae import config as settings, train

HERE = Path(os.environ.get("ENCORE_GOLDEN", Path(__file__).parent))
GOLDEN = np.load(HERE / "softmax_ae_steps.npz", allow_pickle=False)
RECIPE = json.loads((HERE / "softmax_ae_steps.weights.json").read_text())
MODELS = {"two_layer": "two_layer", "vanilla": "autoencoder", "dsae": "deep_softmax"}
CASES = {"two_layer": ("two_layer", False), "vanilla_nodrop": ("vanilla", False), "vanilla_drop": ("vanilla", True),
         "dsae_nodrop": ("dsae", False), "dsae_drop": ("dsae", True)}
TERMS = {"total": ("losses/total", 1.0), "mse": ("losses/reconstruction", 1.0), "ce": ("losses/classification", 1.0),
         "weighted_ce": ("losses/classification", 0.1)}


def probe(tensor):
    """32 numbers of a tensor: all padded with NaN, or the first sixteen and sixteen spread over it."""
    flat = np.asarray(tensor, "f4").ravel()
    if len(flat) <= 32:
        return np.pad(flat, (0, 32 - len(flat)), constant_values=np.nan)
    return np.concatenate([flat[:16], flat[np.arange(16) * len(flat) // 16]])


def tensor(seed, number, shape, formula):
    """A weight by its formula, u uniform in -1 to 1."""
    u = np.random.RandomState(1000 * seed + number).uniform(-1, 1, shape)
    scale = np.sqrt(6 / sum(shape)) if formula.startswith("sqrt") else float(formula.removesuffix("*u"))
    return (scale * u).astype("f4")


def seed_of_the_data():
    """The generator's seed: the one whose first weight is the recorded one."""
    row, first = RECIPE["two_layer"]["variables"][0], GOLDEN["two_layer/before"][0, 0]
    return next(seed for seed in range(10_000) if np.isclose(tensor(seed, *_of(row)).ravel()[0], first, atol=1e-7))


def _of(row):
    return row[0], row[2], row[3]


def variable(learner, name):
    """Our variable for the program's `W1_encoder`, `b2_softmax`, …"""
    kind, part = name.split("_")
    network = learner.networks["plain" if "plain" in learner.networks else part.replace("softmax", "classifier")]
    layer = [layer for layer in network.layers if layer.weights][int(kind[1:]) - 1]
    return layer.kernel if kind[0] == "W" else layer.bias


class Recorded(Step):
    """A step whose dropout masks are given and whose gradients are kept."""

    def __init__(self, index):
        rows = len(GOLDEN["x"])
        super().__init__(0, "train", tf.constant(index, tf.int64), tf.constant(float(rows)), tf.range(rows), rows)
        self.masks = {f"{part}_dropout": GOLDEN[f"mask_{part}"][index] for part in ("encoder", "decoder")}
        self.gradients = {}

    def uniform(self, name, shape=(), low=0.0, high=1.0):
        return tf.constant(self.masks[name], tf.float32)  # kept where the draw is at least the rate

    def apply(self, optimizer, gradients, variables, **keywords):
        self.gradients = {v.path: g.numpy() for g, v in zip(gradients, variables, strict=True)}
        super().apply(optimizer, gradients, variables, **keywords)


@pytest.fixture(scope="module")
def replayed():
    """Every case: rows of variables, our losses, gradients and weights at the recorded moments, the first outputs."""
    return {case: replay(model, drop) for case, (model, drop) in CASES.items()}


def replay(model, drop):
    config = configuration.resolve(settings, "code", "full", {} if drop else {"keep_probability": 1.0})
    store = type("Store", (), {"parameters": {"facts": {"classes": list("abcd")}}})()
    learner = train.MODELS[MODELS[model]].build(config, store)
    rows, seed = RECIPE[model]["variables"], seed_of_the_data()
    variables = [variable(learner, row[1]) for row in rows]
    for row, ours in zip(rows, variables, strict=True):
        ours.assign(tensor(seed, *_of(row)).reshape(ours.shape))
    assert {v.path for v in variables} == {v.path for n in learner.networks.values() for v in n.trainable_variables}
    batch = {"x": tf.constant(GOLDEN["x"]), "y": tf.constant(GOLDEN["label"])}
    train_step = {"two_layer": train.classifier_step, "vanilla": train.autoencoder_step,
                  "dsae": train.deep_softmax_step}[model]
    weights, lines, gradients = [[v.numpy() for v in variables]], [], None
    with step_scope(Recorded(0)):
        outputs = forward(learner, batch["x"], drop)
    for index in (0, 1, 2, 0):
        step = Recorded(index)
        with step_scope(step):
            lines.append({name: float(value) for name, value in train_step(config, learner, batch, step).items()})
        gradients = gradients or [step.gradients[v.path] for v in variables]
        weights.append([v.numpy() for v in variables])
    return {"lines": lines, "gradients": gradients, "weights": weights, "outputs": outputs}


def forward(learner, x, training):
    networks = learner.networks
    if "plain" in networks:
        return {"logits": networks["plain"](x).numpy()}
    z = networks["encoder"](x, training=training)
    outputs = {"encoding": z.numpy(), "x_hat": networks["decoder"](z, training=training).numpy()}
    if "classifier" in networks:
        outputs["logits"] = networks["classifier"](z, training=training).numpy()
    return outputs


def arrays(case, prefix=""):
    """Names of the recorded arrays of a case."""
    return [name.partition("/")[2] for name in GOLDEN.files if name.startswith(f"{case}/{prefix}")]


def error(ours, golden):
    golden, ours = np.asarray(golden, float).ravel(), np.asarray(ours, float).ravel()
    seen = ~np.isnan(golden)
    assert np.array_equal(seen, ~np.isnan(ours))
    return np.linalg.norm(ours[seen] - golden[seen]) / np.linalg.norm(golden[seen])


@pytest.mark.parametrize("case", CASES)
def test_outputs_and_losses_are_the_programs(case, replayed):
    ours, compared = replayed[case], 0
    for name, values in ours["outputs"].items():
        assert error(values, GOLDEN[f"{case}/{name}"]) < 1e-5, name
    for name in arrays(case, "loss_"):
        key, factor = TERMS[name.removeprefix("loss_")]
        assert error([factor * line[key] for line in ours["lines"]], GOLDEN[f"{case}/{name}"]) < 1e-5, name
        compared += 1
    assert compared == (4 if case.startswith("dsae") else 1)


@pytest.mark.parametrize("case", CASES)
def test_gradients_are_the_programs(case, replayed):
    gradients = replayed[case]["gradients"]
    assert error([np.linalg.norm(g) for g in gradients], GOLDEN[f"{case}/gradient_norm"]) < 1e-5
    for ours, golden in zip(gradients, GOLDEN[f"{case}/gradient"], strict=True):
        assert error(probe(ours), golden) < 1e-4


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("updates", [1, 3])
def test_updates_are_the_programs(case, updates, replayed):
    start, end = replayed[case]["weights"][0], replayed[case]["weights"][updates]
    before = GOLDEN[f"{CASES[case][0]}/before"]
    for ours, golden in zip(start, before, strict=True):
        np.testing.assert_allclose(probe(ours), golden, rtol=1e-6, atol=1e-8)
    changes = [e - s for s, e in zip(start, end, strict=True)]
    assert error([np.linalg.norm(c) for c in changes], GOLDEN[f"{case}/after{updates}_change_norm"]) < 1e-3
    assert error([probe(c) for c in changes], GOLDEN[f"{case}/after{updates}"] - before) < 2e-3
