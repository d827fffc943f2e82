"""Weight for weight against avivga/lord run in Keras 2 from formula weights and formula inputs."""

import json
from pathlib import Path

import numpy as np
import pytest

from papers.lord_transfer import model

GOLDEN = Path(__file__).parent / "golden"


def formula_weights(rows):
    """Weights of the golden run: tensor k holds s = sin(0.7 i + 1.3 k) scaled as its row says."""
    weights = []
    for k, _, shape, kind in rows:
        s = np.sin(0.7 * np.arange(np.prod(shape)) + 1.3 * k)
        if kind.startswith("sqrt("):
            over, under = kind[len("sqrt("):kind.index(")")].split("/")
            factor = np.sqrt(float(over) / float(under))
        else:
            factor = float(kind.split("*")[0])
        weights.append((factor * s).reshape(shape).astype("float32"))
    return weights


@pytest.fixture(scope="module")
def golden():
    return (np.load(GOLDEN / "lord_transfer.npz", allow_pickle=False),
            json.loads((GOLDEN / "lord_transfer.weights.json").read_text()))


def relative_error(got, wanted):
    return np.linalg.norm(np.asarray(got) - wanted) / np.linalg.norm(wanted)


def test_content_encoder_parity(golden):
    outputs, weights = golden
    network = model.content_encoder()
    network.set_weights(formula_weights(weights["content_encoder"]))
    image = (0.5 + 0.5 * np.sin(0.01 * np.arange(2 * 128 * 128))).reshape(2, 128, 128, 1).astype("float32")
    assert relative_error(network(image), outputs["content_encoder"]) < 1e-4


def test_class_modulation_parity(golden):
    outputs, weights = golden
    network = model.class_modulation()
    network.set_weights(formula_weights(weights["class_modulation"]))
    code = np.sin(0.01 * np.arange(512) + 0.3).reshape(2, 256).astype("float32")
    assert relative_error(network(code), outputs["class_modulation"]) < 1e-4


@pytest.mark.slow
def test_generator_parity(golden):
    outputs, weights = golden
    network = model.generator()
    network.set_weights(formula_weights(weights["generator"]))
    code = np.sin(0.01 * np.arange(256) + 0.5).reshape(2, 128).astype("float32")
    assert relative_error(network([code, outputs["class_modulation"]]), outputs["generator"]) < 1e-4
