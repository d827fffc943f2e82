"""The networks: printed parameter counts, outputs of the original program, and what the decoder may depend on."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from papers.musae import losses, model, variants

GOLDEN = Path(__file__).parent / "golden"
UNITS = {512: 0, 1024: 1}
# Dossier section 3.2, "u = 512 / u = 1024 Keras 3"
COUNTS = {
    "encoder": (lambda u: model.encoder(32, u), (17_871_872, 65_102_848)),
    "encoder with style": (lambda u: variants.style_encoder(32, u), (17_904_672, 65_168_416)),
    "decoder, shared start": (lambda u: model.decoder(32, u, start=variants.decoder_start), (25_719_816, 93_382_152)),
    "decoder of s and z": (lambda u: model.decoder(32, u, 544, start=variants.decoder_start), (25_998_344, 93_939_208)),
    "decoder, start per track": (lambda u: model.decoder(32, u), (26_507_784, 94_958_088)),
    "decoder, start without bias": (
        lambda u: model.decoder(32, u, start=lambda z, units: model.decoder_start(z, units, bias=False)),
        (26_505_736, 94_953_992),
    ),
    "critic": (lambda u: model.critic(u), (525_825, 1_575_937)),
    "critic with genre": (lambda u: model.critic(u, genres=32), (542_209, 1_608_705)),
    "critic of s": (lambda u: model.critic(u, 32), (280_065, 1_084_417)),
}


@pytest.fixture
def quick_weights(monkeypatch):
    """Zeros instead of orthogonal matrices, which take seconds at these sizes."""
    for initializer in (keras.initializers.Orthogonal, keras.initializers.GlorotUniform):
        monkeypatch.setattr(initializer, "__call__", lambda self, shape, dtype=None: keras.ops.zeros(shape))


@pytest.mark.parametrize("units", UNITS)
@pytest.mark.parametrize("name", COUNTS)
def test_parameter_counts(name, units, quick_weights):
    build, expected = COUNTS[name]
    assert build(units).count_params() == expected[UNITS[units]]


def test_parameter_counts_of_other_readings(quick_weights):
    assert model.encoder(32, 512, bias=False).count_params() == 17_870_848
    assert model.encoder(32, 1024, merge="sum", bias=False).count_params() == 47_276_032
    x = keras.Input((32, 520))
    h = model.bidirectional_stack(x, 512, 2)
    assert (
        keras.Model(x, keras.layers.Dense(32)(h)).count_params() == 10_559_520
    )  # the program's unused infomax network


def test_parameter_totals(quick_weights):
    critic = model.critic(1024, genres=32).count_params()
    paper = model.encoder(32).count_params() + model.decoder(32).count_params()
    assert paper + critic == 114_438_665 and paper + model.critic(1024).count_params() == 114_405_897
    program = model.encoder(32).count_params() + COUNTS["decoder, shared start"][1][0]
    assert program + COUNTS["critic with genre"][1][0] == 44_133_897


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
    return np.load(GOLDEN / "musae.npz"), json.loads((GOLDEN / "musae.weights.json").read_text())


def golden_tokens():
    b, t, k = np.ogrid[:2, :32, :4]
    return (7 * b + 11 * t + 13 * k + 3) % 130


def golden_latent():
    return np.sin(0.01 * np.arange(1024) + 0.5).reshape(2, 512).astype(np.float32)


def test_encoder_equals_the_program(golden, quick_weights):
    arrays, weights = golden
    encoder = model.encoder(32)
    fill(encoder, weights["encoder"])
    mu, log_variance = encoder(losses.encoder_input(tf.constant(golden_tokens())))
    assert relative(mu, arrays["encoder_mu"]) < 1e-4
    assert relative(log_variance, arrays["encoder_log_var"]) < 1e-4


def test_decoder_equals_the_program(golden, quick_weights):
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


def test_critics_equal_the_program(golden, quick_weights):
    arrays, weights = golden
    plain, conditional = model.critic(512), model.critic(512, genres=32)
    fill(plain, weights["gaussian_discriminator"])
    fill(conditional, weights["mixture_discriminator"])
    label = np.eye(32, dtype=np.float32)[[3, 17]]
    assert relative(plain(golden_latent()), arrays["gaussian_discriminator"]) < 1e-4
    assert relative(conditional([golden_latent(), label]), arrays["mixture_discriminator"]) < 1e-4


def test_input_and_target_layout():  # dossier A6
    tokens = golden_tokens()
    x, y = losses.encoder_input(tokens).numpy(), losses.one_hot(tokens).numpy()
    assert set(np.unique(x)) == {-1, 1} and (x.sum(axis=2) == -128).all() and (y.sum(axis=2) == 1).all()
    flat = x.reshape(2, 32, 520)
    assert flat[1, 5, 4 * tokens[1, 5, 2] + 2] == 1


def test_untrained_cross_entropy_is_that_of_the_alphabet():  # dossier A16
    tokens = tf.constant(golden_tokens(), tf.int32)
    entropy = losses.reconstruction(tokens, model.decoder(32, 16, 8)(np.zeros((2, 8), np.float32)))
    assert np.abs(entropy.numpy() - np.log(130)).max() < 0.05


@pytest.mark.parametrize("start", [model.decoder_start, variants.decoder_start])
def test_decoder_depends_on_the_code_alone(start):  # dossier A30
    decoder = model.decoder(32, 8, 6, start=start)
    z = np.random.default_rng(0).normal(size=(2, 6)).astype(np.float32)
    assert [x.shape for x in decoder.inputs] == [(None, 6)]
    np.testing.assert_array_equal(decoder(z), decoder(z))
    np.testing.assert_allclose(decoder(z)[:1], decoder(z[:1]), atol=1e-6)


def test_shared_start_gives_every_track_the_same_state():
    z = keras.Input((6,))
    assert len({id(t) for t in variants.decoder_start(z, 8)}) == 1
    assert len({id(t) for t in model.decoder_start(z, 8)}) == 4
