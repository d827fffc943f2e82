"""Parameter counts, shapes and closed-form values of the networks (dossier section 8: T1-T13, T32)."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from papers.lord_transfer import model, variants


@pytest.fixture(autouse=True)
def quick_weights(monkeypatch, request):
    """Zeros instead of random matrices of up to 150 million entries, but where the initial state is asked for."""
    if "initial_state" not in request.node.name:
        monkeypatch.setattr(keras.initializers.GlorotUniform, "__call__",
                            lambda self, shape, dtype=None: keras.ops.zeros(shape))


def test_content_encoder_has_the_layers_of_figure_2():
    encoder = model.content_encoder()
    shapes = [layer.output.shape[1:] for layer in encoder.layers if isinstance(layer, keras.layers.Conv2D)]
    assert shapes == [(128, 128, 64), (64, 64, 128), (32, 32, 256), (16, 16, 256), (8, 8, 256)]
    assert [layer.output.shape[1] for layer in encoder.layers if isinstance(layer, keras.layers.Flatten)] == [16384]
    assert encoder.count_params() == 7_049_856


@pytest.mark.parametrize(("content_dim", "count"), [(256, 7_082_752), (512, 7_148_544), (2048, 7_543_296)])
def test_content_encoder_sizes(content_dim, count):
    assert model.content_encoder(content_dim=content_dim).count_params() == count


def test_generator_counts_and_widths():
    network = model.generator()
    dense = [layer.units for layer in network.layers if isinstance(layer, keras.layers.Dense)]
    start = [layer.output.shape[1:] for layer in network.layers if isinstance(layer, keras.layers.Reshape)]
    assert dense == [2048, 4096, 16384]
    assert start == [(8, 8, 256)]
    assert network.count_params() == 78_555_265


def test_modulation_table_and_whole_model():
    assert model.class_modulation().count_params() == 526_336
    assert model.class_embedding(2).count_params() == 512
    assert model.class_embedding(8).count_params() == 2_048
    for classes, whole in ((2, 86_131_969), (8, 86_133_505)):
        assert 7_049_856 + 526_336 + 78_555_265 + 256 * classes == whole


@pytest.mark.parametrize(("class_dim", "count"), [(128, 264_192), (512, 1_050_624), (2048, 4_196_352)])
def test_modulation_sizes(class_dim, count):
    assert model.class_modulation(class_dim).count_params() == count


def test_class_encoder_of_lord():
    assert variants.class_encoder().count_params() == 7_082_752


def test_lord_size_64():
    assert model.content_encoder((64, 64, 1)).count_params() == 3_904_128
    assert model.generator((64, 64, 1)).count_params() == 7_562_881


@pytest.mark.parametrize(("channels", "encoder", "generator"),
                         [(2, 7_052_992, 78_558_402), (3, 7_056_128, 78_561_539)])
def test_phase_channels(channels, encoder, generator):
    assert model.content_encoder((128, 128, channels)).count_params() == encoder
    assert model.generator((128, 128, channels)).count_params() == generator


@pytest.mark.slow
def test_variants_of_section_2_3_2():
    assert model.content_encoder(units=512).count_params() == 11_474_048
    assert model.generator(dense_scale=2).count_params() == 171_098_241
    assert model.content_encoder(first_kernel=9, kernel=6).count_params() == 10_492_544
    assert model.generator(kernel=5, last_kernels=(7, 9)).count_params() == 83_144_833
    assert model.content_encoder(filters=128).count_params() == 19_505_792
    assert model.class_modulation(adain_dim=512).count_params() == 1_052_672


@pytest.mark.very_slow  # a network of 1.2 GB
def test_doubled_filters_generator():
    assert model.generator(adain_dim=512, last_filters=128).count_params() == 313_643_265


def test_modulation_interleaves_offsets_and_scales():
    network = model.class_modulation(class_dim=3, adain_layers=2, adain_dim=4)
    code = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    got = network(code).numpy()
    assert got.shape == (5, 2, 4, 2)
    dense = [layer for layer in network.layers if isinstance(layer, keras.layers.Dense)]
    for index, layer in enumerate(dense):
        units = layer(code).numpy()
        np.testing.assert_array_equal(got[:, index, :, 0], units[:, 0::2])
        np.testing.assert_array_equal(got[:, index, :, 1], units[:, 1::2])


def test_adain_by_hand():
    content = np.array([[0, 1], [2, 3]], "float32").reshape(1, 2, 2, 1)
    got = model.AdaptiveInstanceNormalization()(content, np.array([[[10.0, 2.0]]], "float32"))
    np.testing.assert_allclose(got.numpy().ravel(), [7.316719, 9.105573, 10.894427, 12.683282], rtol=1e-6)


def test_adain_output_has_the_given_statistics():
    random = np.random.default_rng(1)
    content = random.normal(3, 5, (4, 16, 16, 6)).astype("float32")
    parameters = random.normal(size=(4, 6, 2)).astype("float32")
    got = model.AdaptiveInstanceNormalization()(content, parameters).numpy()
    np.testing.assert_allclose(got.mean((1, 2)), parameters[..., 0], atol=1e-5)
    np.testing.assert_allclose(got.std((1, 2)), np.abs(parameters[..., 1]), atol=1e-5)


def test_adain_of_a_constant_channel_is_the_offset_and_differentiable():
    content = tf.Variable(tf.fill((2, 4, 4, 3), 0.5))
    parameters = tf.random.stateless_normal((2, 3, 2), [0, 1])
    with tf.GradientTape() as tape:
        got = model.AdaptiveInstanceNormalization()(content, parameters)
        total = tf.reduce_sum(got * tf.random.stateless_normal(got.shape, [2, 3]))
    np.testing.assert_allclose(got.numpy()[:, 0, 0], parameters.numpy()[..., 0])
    assert np.isfinite(tape.gradient(total, content).numpy()).all()


def test_slope_is_keras_default():
    slopes = {layer.negative_slope for layer in model.content_encoder((16, 16, 1), filters=4, units=8).layers
              if isinstance(layer, keras.layers.LeakyReLU)}
    assert {float(np.float32(slope)) for slope in slopes} == {float(np.float32(0.3))}


def test_initial_state():
    keras.utils.set_random_seed(3)
    table = model.class_embedding(64)
    rows = table.get_weights()[0]
    assert np.abs(rows).max() <= 0.05 and np.abs(rows.std() - 0.1 / np.sqrt(12)) < 2e-3
    parameters = model.class_modulation()(table(np.arange(64)))
    assert abs(float(np.std(parameters.numpy()[..., 1])) - 0.0235) < 0.002
    image = model.generator((64, 64, 1))([np.random.default_rng(0).normal(size=(2, 128)).astype("float32"),
                                          parameters.numpy()[:2]]).numpy()
    assert 0 < image.min() and image.max() < 1 and 0.45 < image.mean() < 0.55


def test_generator_refuses_sizes_it_cannot_halve():
    with pytest.raises(ValueError, match="cannot be halved 4 times"):
        model.generator((40, 64, 1))
