"""Every printed parameter count, layer by layer, and the totals of the program's networks."""

import keras
import numpy as np
import pytest

from common.config import resolve
from papers.fma_interpolation import config as settings, learners, model, variants

BASELINE_CONVOLUTIONS = [320, 18_496, 36_928, 36_928]


@pytest.fixture(scope="module", autouse=True)
def without_weights():
    """Variables are declared but not filled, so that CNN_1 costs no memory."""
    with keras.StatelessScope(initialize_variables=False):
        yield


def counts(network):
    return [layer.count_params() for layer in network.layers if layer.count_params()]


@pytest.mark.parametrize(("build", "layers"), [
    (model.baseline_encoder, [*BASELINE_CONVOLUTIONS, 4_952_128]),
    (model.baseline_decoder, [2_703_360, 36_928, 36_928, 36_928, 18_464, 289]),
    (model.cnn_1, [160, 2_320, 2_320, 167_772_288, 8_256, 520]),
    (model.cnn_2, [303, 4_515, 97_565, 2_017_608]),
    (model.rnn, [393_728, 131_584, 8_256, 2_080, 528, 136, 32_776]),
])
def test_printed_layers(build, layers):
    assert counts(build()) == layers


@pytest.mark.parametrize(("build", "total"), [
    (lambda: model.baseline_encoder(), 5_044_800), (lambda: model.baseline_decoder(), 2_832_897),
    (lambda: model.cnn_1(), 167_785_864), (lambda: model.cnn_2(), 2_119_991), (lambda: model.rnn(), 569_088),
    (lambda: model.conv2d_encoder(), 10_013_632), (lambda: model.conv2d_decoder(), 2_339_201),
    (lambda: model.conv2d_encoder(repeats=1), 9_227_872), (lambda: model.conv2d_decoder(repeats=1), 1_553_441),
    (lambda: model.conv2d_encoder(repeats=4), 11_585_152), (lambda: model.conv2d_decoder(repeats=4), 3_910_721),
    (lambda: model.conv2d_encoder(latent=256), 2_141_632), (lambda: model.conv2d_decoder(latent=256), 1_110_401),
    (lambda: model.conv2d_encoder(repeats=1, inception=True), 15_852_512),
    (lambda: model.conv2d_decoder(repeats=1, inception=True), 8_700_321),
    (lambda: model.conv1d_encoder(), 2_906_896), (lambda: model.conv1d_decoder(), 1_845_184),
    (lambda: variants.bottleneck_encoder(), 1_339_408), (lambda: model.baseline_decoder(latent=256), 21_182_977),
])
def test_totals(build, total):
    assert build().count_params() == total


def test_conv2d_layers():
    encoder, decoder = model.conv2d_encoder(), model.conv2d_decoder()
    non_trainable = [sum(int(np.prod(v.shape)) for v in n.non_trainable_variables) for n in (encoder, decoder)]
    assert non_trainable == [2_816, 2_368]
    assert counts(encoder)[0] == 64 and counts(encoder)[-2:] == [4_198_400, 4_198_400]
    assert counts(decoder)[0] == 1_311_040 and counts(decoder)[-1] == 33
    stages = ((1, 5), (5, 7), (7, 11), (11, 13), (13, 17), (17, 19), (19, 23))
    assert [sum(counts(encoder)[a:b]) for a, b in stages] == [
        18_752, 2_368, 74_368, 8_832, 296_192, 34_048, 1_182_208]
    assert [sum(counts(decoder)[a:b]) for a, b in stages] == [
        594_688, 33_408, 296_192, 8_512, 74_368, 2_208, 18_752]


def test_conv1d_layers():
    encoder, decoder = counts(model.conv1d_encoder()), counts(model.conv1d_decoder())
    assert encoder[:4] == [786_944, 393_472, 98_432, 24_640] and encoder[-3:] == [1_311_232, 131_328, 131_328]
    assert decoder == [1_315_840, 12_352, 24_704, 98_560, 393_728]


def test_shapes():
    shapes = [tuple(layer.output.shape[1:]) for layer in model.baseline_encoder().layers if "conv" in layer.name]
    assert shapes == [(255, 319, 32), (127, 159, 64), (63, 79, 64), (31, 39, 64)]
    shapes = [tuple(layer.output.shape[1:]) for layer in model.cnn_2().layers[1:5]]
    assert shapes == [(503, 158, 3), (494, 38, 15), (485, 8, 65), (252_200,)]
    assert model.rnn().layers[2].output.shape == (None, 512, 128)
    assert variants.rnn_over_time().layers[3].output.shape == (None, 640, 128)
    assert counts(variants.rnn_over_time())[0] == 328_192
    for encoder, decoder in ((model.conv2d_encoder(), model.conv2d_decoder()),
                             (model.conv1d_encoder(), model.conv1d_decoder())):
        assert encoder.output_shape[0] == encoder.output_shape[1] == decoder.input_shape
        assert decoder.output_shape == (None, 512, 640, 1)


def test_an_image_is_512_bands_of_640_frames_wherever_no_size_is_given():
    takes = [model.baseline_encoder, model.conv2d_encoder, model.conv1d_encoder, model.cnn_1, model.cnn_2, model.rnn,
             variants.bottleneck_encoder, variants.rnn_over_time]
    assert {build().input_shape for build in takes} == {(None, 512, 640, 1)}
    gives = [model.baseline_decoder, model.conv2d_decoder, model.conv1d_decoder]
    assert {build().output_shape for build in gives} == {(None, 512, 640, 1)}
    latents = {build: build().input_shape[-1] for build in gives}
    assert list(latents.values()) == [32, 4096, 256]
    encoders = (model.baseline_encoder, model.conv2d_encoder, model.conv1d_encoder, variants.bottleneck_encoder)
    assert [build().output_shape for build in encoders] == [[(None, size)] * 2 for size in (32, 4096, 256, 256)]
    assert {build().name for build in encoders} == {"encoder"} and {build().name for build in gives} == {"decoder"}
    assert {build().output_shape for build in (model.cnn_1, model.cnn_2, model.rnn, variants.rnn_over_time)} == {
        (None, 8)}


def test_six_branches_of_an_inception_unit_are_added():
    for network in (model.conv2d_encoder(repeats=1, inception=True), model.conv2d_decoder(repeats=1, inception=True)):
        units = [layer for layer in network.layers if isinstance(layer, keras.layers.Add)]
        pooled = [layer for layer in network.layers if isinstance(layer, keras.layers.MaxPooling2D)]
        assert [len(unit.input) for unit in units] == [6] * 4
        assert [(one.pool_size, one.strides, one.padding) for one in pooled] == 4 * [
            ((3, 3), (1, 1), "same"), ((5, 5), (1, 1), "same")]


def test_dropout_stands_where_the_program_has_it():
    names = [[type(layer).__name__ for layer in network.layers] for network in (model.cnn_1(), model.rnn())]
    assert names[0].index("Dropout") == names[0].index("MaxPooling2D") + 1 == names[0].index("Flatten") - 1
    assert [k for k, name in enumerate(names[1]) if name == "Dropout"] == [names[1].index("TimeDistributed") - 1]
    assert all(layer.rate == 0.5 for n in (model.cnn_1(), model.rnn()) for layer in n.layers if layer.name == "dropout")


@pytest.mark.parametrize("inception", [False, True])
def test_batch_normalisation_is_over_the_global_batch(inception):
    options = {"repeats": 1, "inception": inception}
    networks = model.conv2d_encoder(**options), model.conv2d_decoder(**options)
    normal = [layer for n in networks for layer in n.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert len(normal) == (3 + 3 + 8 * (5 if inception else 1)) and all(layer.synchronized for layer in normal)


def test_each_autoencoder_is_built_with_its_own_units(monkeypatch):
    monkeypatch.setattr(learners, "_autoencoder", lambda encoder, decoder, rate: (encoder.count_params(),
                                                                                  decoder.count_params()))
    config = resolve(settings, "code", "full")
    assert learners.build_baseline(config, None) == (5_044_800, 2_832_897)
    assert learners.build_conv2d(config, None) == (10_013_632, 2_339_201)
    assert learners.build_inception(config, None) == (15_852_512, 8_700_321)
