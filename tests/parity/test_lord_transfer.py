"""LORD's networks and training steps against the base method's program (avivga/lord in Keras 2), weight for weight.

`ENCORE_GOLDEN` names another folder with data of the same form; sizes are read from the data.
"""

import json
import os
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from common import config as configuration
from common.noise import Step
from papers.lord_transfer import config as settings, model, networks, train

GOLDEN = Path(os.environ.get("ENCORE_GOLDEN", Path(__file__).parent))
NETWORKS = {"content_table": "content_embedding", "class_table": "class_embedding", "modulation": "class_modulation",
            "generator": "generator", "content_encoder": "content_encoder", "class_encoder": "class_encoder"}


@pytest.fixture(autouse=True)
def quick_weights(monkeypatch):
    """Zeros instead of random matrices, which take seconds at these sizes; every weight is set anyway."""
    monkeypatch.setattr(keras.initializers.GlorotUniform, "__call__",
                        lambda self, shape, dtype=None: keras.ops.zeros(shape))


def scaled(kind, s):
    """`s` times the factor that a row's kind names, such as sqrt(2/800)*s, 0.1*s or 1+0.5*s."""
    if kind.startswith("sqrt("):
        over, under = kind[len("sqrt("):kind.index(")")].split("/")
        return np.sqrt(float(over) / float(under)) * s
    return float(kind.split("*")[0]) * s


def relative_error(got, wanted):
    return np.linalg.norm(np.asarray(got) - wanted) / np.linalg.norm(wanted)


# ---- forward passes ----------------------------------------------------------------------------------------------

def wave_weights(rows):
    """Weights of the forward runs: tensor k holds s = sin(0.7 i + 1.3 k)."""
    return [scaled(kind, np.sin(0.7 * np.arange(np.prod(shape)) + 1.3 * k)).reshape(shape).astype("float32")
            for k, _, shape, kind in rows]


@pytest.fixture(scope="module")
def forward():
    return (np.load(GOLDEN / "lord_transfer.npz", allow_pickle=False),
            json.loads((GOLDEN / "lord_transfer.weights.json").read_text()))


def test_content_encoder_parity(forward):
    outputs, weights = forward
    network = model.content_encoder()
    network.set_weights(wave_weights(weights["content_encoder"]))
    image = (0.5 + 0.5 * np.sin(0.01 * np.arange(2 * 128 * 128))).reshape(2, 128, 128, 1).astype("float32")
    assert relative_error(network(image), outputs["content_encoder"]) < 1e-4


def test_class_modulation_parity(forward):
    outputs, weights = forward
    network = model.class_modulation()
    network.set_weights(wave_weights(weights["class_modulation"]))
    code = np.sin(0.01 * np.arange(512) + 0.3).reshape(2, 256).astype("float32")
    assert relative_error(network(code), outputs["class_modulation"]) < 1e-4


@pytest.mark.slow
def test_generator_parity(forward):
    outputs, weights = forward
    network = model.generator()
    network.set_weights(wave_weights(weights["generator"]))
    code = np.sin(0.01 * np.arange(256) + 0.5).reshape(2, 128).astype("float32")
    assert relative_error(network([code, outputs["class_modulation"]]), outputs["generator"]) < 1e-4


# ---- training steps ----------------------------------------------------------------------------------------------

def phase(k, count):
    """0.7 i + 1.3 k + 2.9 (i i mod 97), i = 0 .. count - 1: the formula's sine of it has rows that all differ."""
    i = np.arange(count)
    return 0.7 * i + 1.3 * k + 2.9 * ((i * i) % 97)


def constant_of(arrays):
    """The constant in the formula's sine, from the first two values of the images (tensor 201): 0 in the data here."""
    first, second = 2 * arrays["images"].ravel()[:2].astype(float) - 1
    apart = np.diff(phase(201, 2))[0]
    found = np.arctan2(first, (second - first * np.cos(apart)) / np.sin(apart)) - phase(201, 1)[0]
    return round((found + np.pi) % (2 * np.pi) - np.pi, 5)


def step_weights(rows, constant):
    """Weights of the step runs by their formula."""
    for k, _, shape, kind in rows:
        values = np.sin(phase(k, np.prod(shape)) + constant)
        yield scaled(kind, values).reshape(shape).astype("float32")


@pytest.fixture(scope="module")
def golden():
    arrays = np.load(GOLDEN / "lord_transfer_steps.npz", allow_pickle=False)
    return {name: arrays[name] for name in arrays.files}, json.loads(
        (GOLDEN / "lord_transfer_steps.weights.json").read_text())


class Corpus:
    """As much of the training windows as building a learner asks for."""

    def __init__(self, classes, images):
        self.labels, self.images = tuple(range(classes)), images

    def __len__(self):
        return self.images


def program(golden, **changes):
    """The base method's settings (`code`), at the sizes of the golden data and with its pixel loss."""
    arrays, rows = golden
    shapes = {name: [row[2] for row in found] for name, found in rows.items()}
    values = dict(bands=arrays["images"].shape[1], frames=arrays["images"].shape[2],
                  content_dim=shapes["content_table"][0][1], class_dim=shapes["class_table"][0][1],
                  adain_layers=len(shapes["modulation"]) // 2, adain_dim=shapes["modulation"][1][0] // 2,
                  encoder_filters=shapes["content_encoder"][0][3], encoder_units=shapes["content_encoder"][-2][0],
                  last_filters=shapes["generator"][-4][3], batch_size=arrays["batches"].shape[1], loss="mse",
                  loss_scale=1.0, quantise=False)
    return configuration.resolve(settings, "code", "full", values | changes)


def learner_of(golden, config, monkeypatch):
    """A Learner as training builds it, holding the golden weights."""
    arrays, rows = golden
    corpus = Corpus(rows["class_table"][0][2][0], rows["content_table"][0][2][0])
    monkeypatch.setattr(networks, "training_windows", lambda config, store: corpus)
    learner = networks.build(config, None)
    for name, found in rows.items():
        learner.networks[NETWORKS[name]].set_weights(list(step_weights(found, constant_of(arrays))))
    learner.variables["steps_per_epoch"].assign(3.0)
    return learner


class Given(Step):
    """A step whose noise is given and which keeps the gradients it is told to apply, by variable."""

    def __init__(self, noise, rows):
        super().__init__(0, "given", tf.constant(0, tf.int64), tf.constant(float(rows)), tf.range(rows), rows)
        self.noise, self.gradients = noise, {}

    def normal(self, name, shape=(), mean=0.0, stddev=1.0):
        assert name == "content" and self.noise.shape[1:] == tuple(shape)
        return tf.constant(self.noise) * stddev

    def apply(self, optimizer, gradients, variables, **words):
        self.gradients |= {id(v): g for g, v in zip(gradients, variables, strict=True)}
        super().apply(optimizer, gradients, variables, **words)


def variables_in_order(learner, names):
    """Our variables in the golden order: network by network, each in its own order."""
    return [variable for name in dict.fromkeys(names) for variable in learner.networks[NETWORKS[str(name)]].weights]


def first_values(arrays):
    """(variables, 8) first entries in row-major order, NaN where a variable has fewer."""
    result = np.full((len(arrays), 8), np.nan)
    for row, values in zip(result, arrays, strict=True):
        flat = np.asarray(values).ravel()[:8]
        row[:len(flat)] = flat
    return result


def follow(learner, step_function, batches, noise, variables):
    """Run updates; [(losses, gradients by variable)] of each and [values of all variables] before and after each."""
    values, found = [[v.numpy() for v in variables]], []
    for batch, drawn in zip(batches, noise, strict=True):
        step = Given(drawn, len(batch["class"]))
        losses = step_function(learner, batch, step)
        found.append((SimpleNamespace(**{k.split("/")[1]: float(v) for k, v in losses.items()}), step.gradients))
        values.append([v.numpy() for v in variables])
    return found, values


def stage_one(golden, monkeypatch, **changes):
    arrays, _ = golden
    config = program(golden, **changes)
    learner = learner_of(golden, config, monkeypatch)
    variables = variables_in_order(learner, arrays["stage1.variable_network"])
    batches = [{"image": tf.constant(arrays["images"][rows]), "row": tf.constant(rows),
                "class": tf.constant(arrays["classes"][rows])} for rows in arrays["batches"]]
    found, values = follow(learner, train.train_step(config), batches, arrays["noise"], variables)
    return arrays, variables, found, values


def check_moves(arrays, prefix, values, rate):
    """Values and moves after one and three updates; moves to 1e-3 of the rate, which float32 weights allow.

    Adam divides by the gradient's size: where a gradient is nearly zero its move is any number up to the rate, so a
    single entry may differ while the norm of a variable's move does not.
    """
    for count in (1, 3):
        moves = [np.asarray(after, np.float64) - before for after, before in zip(values[count], values[0], strict=True)]
        np.testing.assert_allclose([np.linalg.norm(move) for move in moves], arrays[f"{prefix}.move{count}_norm"],
                                   rtol=2e-3)
        np.testing.assert_allclose([np.abs(move).max() / rate for move in moves],
                                   arrays[f"{prefix}.move{count}_max_over_lr"], rtol=5e-3)
        np.testing.assert_allclose(first_values(values[count]), arrays[f"{prefix}.after{count}_first8"],
                                   rtol=0, atol=5e-3 * rate)


def test_joint_step_of_the_program(golden, monkeypatch):
    """Losses with noise and decay, gradients of every variable, one and three updates at one rate for all."""
    arrays, variables, found, values = stage_one(golden, monkeypatch)
    losses, gradients = found[0]
    np.testing.assert_allclose(losses.total, arrays["stage1.losses"][0], rtol=1e-5)
    np.testing.assert_allclose(losses.mse, arrays["stage1.losses"][1], rtol=1e-5)
    summed = arrays["batches"].shape[1] * losses.content_norm
    np.testing.assert_allclose(1e-3 * summed, arrays["stage1.losses"][2], rtol=1e-5)
    np.testing.assert_allclose([one[0].total for one in found], arrays["stage1.losses_before_steps"], rtol=1e-5)
    mine = [tf.convert_to_tensor(gradients[id(v)]).numpy() for v in variables]
    np.testing.assert_allclose([np.linalg.norm(g) for g in mine], arrays["stage1.grad_norm"], rtol=1e-4)
    np.testing.assert_allclose(first_values(mine), arrays["stage1.grad_first8"], rtol=1e-3, atol=1e-7)
    assert relative_error(mine[0], arrays["stage1.content_table_grad"]) < 1e-4
    assert relative_error(mine[1], arrays["stage1.class_table_grad"]) < 1e-4
    check_moves(arrays, "stage1", values, 3e-4)
    for count in (1, 3):
        for place, table in enumerate(("content_table", "class_table")):
            np.testing.assert_allclose(values[count][place], arrays[f"stage1.after{count}_{table}"], atol=2e-6)


def test_joint_step_with_the_rate_that_was_meant(golden, monkeypatch):
    """The tables at ten times the rate: `table_rate` 10 is the program's intention, by NumPy on its gradients."""
    arrays, _, _, values = stage_one(golden, monkeypatch, table_rate=10.0)
    check_moves(arrays, "stage1_times10", values, 3e-4)
    for place, table in enumerate(("content_table", "class_table")):
        np.testing.assert_allclose(values[3][place], arrays[f"stage1_times10.after3_{table}"], atol=2e-5)


def test_the_formula_is_that_of_the_data(golden):
    arrays, _ = golden
    images = 0.5 + 0.5 * np.sin(phase(201, arrays["images"].size) + constant_of(arrays))
    np.testing.assert_allclose(images.reshape(arrays["images"].shape), arrays["images"], atol=2e-5)
    shifted = {"images": (0.5 + 0.5 * np.sin(phase(201, 2) + 1.25)).astype("float32")}
    assert constant_of(shifted) == pytest.approx(1.25, abs=1e-5)


def test_generated_images_of_the_program(golden, monkeypatch):
    arrays, _ = golden
    learner = learner_of(golden, program(golden), monkeypatch)
    network, rows = learner.networks, arrays["batches"][0]
    code = network["content_embedding"](rows)
    parameters = network["class_modulation"](network["class_embedding"](arrays["classes"][rows]))
    assert relative_error(network["generator"]([code, parameters]), arrays["stage1.generated_without_noise"]) < 1e-4
    noisy = network["generator"]([code + arrays["noise"][0], parameters])
    assert relative_error(noisy, arrays["stage1.generated"]) < 1e-4


def test_schedule_of_the_program(golden):
    arrays, _ = golden
    rate = networks.EpochCosine(3e-4, 1e-5, 1000, tf.constant(5.0))
    for epoch, wanted in zip(arrays["schedule_epochs"], arrays["schedule_rates"], strict=True):
        np.testing.assert_allclose([float(rate(5 * epoch)), float(rate(5 * epoch + 4))], wanted, rtol=1e-5)


def test_second_stage_of_the_program(golden, monkeypatch):
    """Both code errors at 1e4, the image's error, gradients, updates; modulation and generator are trained as well."""
    arrays, _ = golden
    config = program(golden)
    learner = learner_of(golden, config, monkeypatch)
    variables = variables_in_order(learner, arrays["stage2.variable_network"])
    rows = np.arange(len(arrays["stage2.generated"]))
    batch = {"image": tf.constant(arrays["images"][rows]), "row": tf.constant(rows, tf.int32),
             "class": tf.constant(arrays["classes"][rows])}
    found, values = follow(learner, train.second_step(config), [batch] * 3, arrays["noise"], variables)
    losses, gradients = found[0]
    wanted = arrays["stage2.losses_before_steps"]
    got = [[one[0].total, one[0].mse, one[0].content_code, one[0].class_code] for one in found]
    np.testing.assert_allclose(got[0], wanted[0], rtol=1e-4)
    np.testing.assert_allclose(got, wanted, rtol=2e-3)
    assert arrays["stage2.in_optimizer_list"].all() and all(id(v) in gradients for v in variables)
    mine = [gradients[id(v)].numpy() for v in variables]
    np.testing.assert_allclose([np.linalg.norm(g) for g in mine], arrays["stage2.grad_norm"], rtol=1e-3)
    np.testing.assert_allclose(first_values(mine), arrays["stage2.grad_first8"], rtol=1e-2, atol=1e-3)
    check_moves(arrays, "stage2", values, 1e-4)
