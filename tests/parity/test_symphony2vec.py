"""The networks with the authors' weights-by-formula give the outputs that the authors' program printed."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest

from papers.symphony2vec import model, variants

HERE = Path(__file__).parent
GOLDEN = np.load(HERE / "symphony2vec.npz", allow_pickle=False)
RECIPE = json.loads((HERE / "symphony2vec.weights.json").read_text())


def formula(number, shape, kind):
    """The tensor of the recipe: s = sin(0.7 i + 1.3 k), scaled as `kind` says."""
    s = np.sin(0.7 * np.arange(np.prod(shape)) + 1.3 * number)
    if kind.startswith("sqrt"):
        numerator, denominator = kind[len("sqrt(") : kind.index(")")].split("/")
        value = np.sqrt(float(numerator) / float(denominator)) * s
    else:
        offset, _, factor = kind.removesuffix("*s").rpartition("+")
        value = float(offset or 0) + float(factor) * s
    return value.reshape(shape).astype("float32")


def keras_layout(tensor):
    """From the original's layout: (out, in, h, w), transposed convolution (in, out, h, w), dense (out, in)."""
    if tensor.ndim == 4:
        return tensor.transpose(2, 3, 1, 0)
    if tensor.ndim == 2:
        return tensor.T
    return tensor.transpose(1, 2, 0) if tensor.ndim == 3 else tensor


def load_formula(network, rows):
    """Set every weight of the network; modules are matched in order, by the shapes of their tensors."""
    modules = {}
    for number, name, shape, kind in rows:
        modules.setdefault(name.rpartition(".")[0], []).append(keras_layout(formula(number, shape, kind)))
    unused = [layer for layer in network.layers if layer.weights]
    for name, tensors in modules.items():
        shapes = [tensor.shape for tensor in tensors]
        layer = next(layer for layer in unused if [tuple(weight.shape) for weight in layer.weights] == shapes)
        assert layer.set_weights(tensors) is None, name
        unused.remove(layer)
    assert not unused


def wave(shape, phase=0.0):
    return np.sin(0.01 * np.arange(np.prod(shape)) + phase).reshape(shape).astype("float32")


def relative_error(ours, golden):
    golden = golden.reshape(ours.shape)
    return np.linalg.norm(ours - golden) / np.linalg.norm(golden)


LATENT = wave((2, 128), 0.5)
CROP = wave((2, 32, 32, 1))  # one channel: the same memory order as (2, 1, 32, 32)


def test_ali_encoder_matches_the_authors_program():
    network = model.ali_encoder(128)
    load_formula(network, RECIPE["ali_encoder"])
    assert relative_error(network(CROP, training=False).numpy(), GOLDEN["ali_encoder"]) < 1e-4


def test_ali_generator_matches_the_authors_program():
    network = model.ali_generator(128)
    load_formula(network, RECIPE["ali_generator"])
    assert relative_error(network(LATENT, training=False).numpy(), GOLDEN["ali_generator"]) < 1e-4


def test_ali_discriminator_matches_the_authors_program():
    network = model.ali_discriminator(128, normalize=True)
    load_formula(network, RECIPE["ali_discriminator"])
    logit = network([CROP, LATENT], training=False)
    assert relative_error(keras.ops.sigmoid(logit).numpy(), GOLDEN["ali_discriminator"]) < 1e-4
    features = keras.Model(network.inputs, network.get_layer("final").input)([CROP, LATENT], training=False)
    assert relative_error(features.numpy().reshape(2, 1024), GOLDEN["ali_discriminator_features"]) < 1e-4


@pytest.mark.parametrize(
    "representation, name, bands", [("chroma", "cnn_chroma", 12), ("mfcc", "cnn_mfcc", 13), ("mel", "cnn_spec", 64)]
)
def test_cnn_matches_the_authors_program(representation, name, bands):
    network = model.cnn((bands, 431), variants.PROGRAM_TABLE_2[representation])
    load_formula(network, RECIPE[name])
    logits = network(wave((2, bands, 431)), training=False)
    assert relative_error(keras.ops.softmax(logits).numpy(), GOLDEN[name]) < 1e-4
