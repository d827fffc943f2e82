"""The networks: parameter counts, input layout, and what the decoder may depend on."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from papers.musae import losses, model, variants

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


@pytest.mark.slow
def test_parameter_totals(quick_weights):
    critic = model.critic(1024, genres=32).count_params()
    paper = model.encoder(32).count_params() + model.decoder(32).count_params()
    assert paper + critic == 114_438_665 and paper + model.critic(1024).count_params() == 114_405_897
    program = model.encoder(32).count_params() + COUNTS["decoder, shared start"][1][0]
    assert program + COUNTS["critic with genre"][1][0] == 44_133_897


def golden_tokens():
    b, t, k = np.ogrid[:2, :32, :4]
    return (7 * b + 11 * t + 13 * k + 3) % 130


@pytest.mark.parametrize("low, total", [(0.0, 4), (-1.0, -512)])
def test_input_layout(low, total):  # dossier A6: feature 4 token + track; the program's scaling sums to -128 a track
    tokens = golden_tokens()
    y = losses.one_hot(tokens)
    assert (y.numpy().sum(axis=2) == 1).all() and set(np.unique(y)) == {0, 1}
    encoder = model.encoder(32, 4, 6, depth=1, low=low)
    seen = keras.Model(encoder.inputs, encoder.get_layer("bidirectional_rec_0").input)(y).numpy()
    assert set(np.unique(seen)) == {low, 1} and (seen.sum(axis=2) == total).all()
    assert (np.take_along_axis(seen, 4 * tokens + np.arange(4), axis=2) == 1).all()


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
