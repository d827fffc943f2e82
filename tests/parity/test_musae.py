"""MusAE's networks against the authors' program, weight for weight (Andrea-V/MusAE, 32 steps, sizes of 512)."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from papers.musae import losses, model, variants

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def quick_weights(monkeypatch):
    """Zeros instead of orthogonal matrices, which take seconds at these sizes; every weight is set anyway."""
    for initializer in (keras.initializers.Orthogonal, keras.initializers.GlorotUniform):
        monkeypatch.setattr(initializer, "__call__", lambda self, shape, dtype=None: keras.ops.zeros(shape))


def golden_weights(rows):
    for k, _, shape, kind in rows:
        s = np.sin(0.7 * np.arange(np.prod(shape)) + 1.3 * k)
        yield eval(kind, {"sqrt": np.sqrt, "s": s}).reshape(shape).astype(np.float32)


def fill(network, rows, order=None):
    """Set a network's weights from the golden rows; `order` maps our variable to the original's position."""
    values = list(golden_weights(rows))
    variables = network.weights
    assert len(values) == len(variables)
    for k, variable in enumerate(variables):
        variable.assign(values[order[k] if order else k])


def relative(found, expected):
    return np.linalg.norm(np.asarray(found) - expected) / np.linalg.norm(expected)


@pytest.fixture(scope="module")
def golden():
    return np.load(HERE / "musae.npz"), json.loads((HERE / "musae.weights.json").read_text())


def golden_tokens():
    b, t, k = np.ogrid[:2, :32, :4]
    return (7 * b + 11 * t + 13 * k + 3) % 130


def golden_latent():
    return np.sin(0.01 * np.arange(1024) + 0.5).reshape(2, 512).astype(np.float32)


def test_encoder_equals_the_program(golden):
    arrays, weights = golden
    encoder = model.encoder(32, low=-1.0)
    fill(encoder, weights["encoder"])
    mu, log_variance = encoder(losses.one_hot(tf.constant(golden_tokens())))
    assert relative(mu, arrays["encoder_mu"]) < 1e-4
    assert relative(log_variance, arrays["encoder_log_var"]) < 1e-4


def test_decoder_equals_the_program(golden):
    arrays, weights = golden
    decoder = model.decoder(32, 512, start=variants.decoder_start)
    names = [w.path for w in decoder.weights]
    # The program counts its layers "high_encoder_<track>_<layer>" and lists layer by layer; ours go track by track.
    order = []
    for name in names:
        layer, variable = name.split("/")[0], name.split("/")[-1]
        part = {"kernel": 0, "recurrent_kernel": 1, "bias": 2}[variable]
        if layer == "start_shared":
            order.append(0 if variable == "kernel" else 1)
        elif layer.endswith("_logits"):
            order.append(38 + 2 * model.TRACKS.index(layer.removesuffix("_logits")) + (variable == "bias"))
        else:
            track, depth = layer.rsplit("_", 1)
            order.append(2 + 12 * int(depth) + 3 * model.TRACKS.index(track) + part)
    fill(decoder, weights["decoder"], order)
    probabilities = tf.nn.softmax(decoder(golden_latent()), axis=2)
    assert relative(probabilities, arrays["decoder"]) < 1e-4


def test_critics_equal_the_program(golden):
    arrays, weights = golden
    plain, conditional = model.critic(512), model.critic(512, genres=32)
    fill(plain, weights["gaussian_discriminator"])
    fill(conditional, weights["mixture_discriminator"])
    label = np.eye(32, dtype=np.float32)[[3, 17]]
    assert relative(plain(golden_latent()), arrays["gaussian_discriminator"]) < 1e-4
    assert relative(conditional([golden_latent(), label]), arrays["mixture_discriminator"]) < 1e-4
