"""What networks are before any training: their first weights, slopes and shares; the printed tables of the networks."""

import keras
import numpy as np
import pytest

from papers.symphony2vec import model, variants


def variables(network, name):
    return [v.numpy() for v in network.trainable_variables if v.name == name]


def uniform(values, limit):
    """Whether values fill the interval from -limit to limit and nothing else."""
    return np.abs(values).max() <= limit * (1 + 1e-6) and np.std(values) == pytest.approx(limit / 3**0.5, rel=0.25)


def test_classifiers_and_autoencoders_start_uniform_by_the_inputs_of_a_unit():
    keras.utils.set_random_seed(0)
    network = model.feed_forward((4, 9), (400, 60))
    for kernel, bias, inputs in zip(variables(network, "kernel"), variables(network, "bias"), (36, 400, 60),
                                    strict=True):  # fmt: skip
        assert kernel.shape[0] == inputs and uniform(kernel, inputs**-0.5)
        assert np.abs(bias).max() <= inputs**-0.5 and np.abs(bias).max() > 0.5 * inputs**-0.5
    kernels = variables(model.cnn((64, 431)), "kernel")
    assert [uniform(kernel, inputs**-0.5) for kernel, inputs in zip(kernels[:3], (12, 5 * 16, 10 * 12), strict=True)]
    assert all(uniform(kernel, np.prod(kernel.shape[:-1]) ** -0.5) for kernel in kernels)
    for network in (model.encoder((4, 9), (80, 70)), model.decoder((4, 9), (70, 80))):
        assert all(uniform(kernel, len(kernel) ** -0.5) for kernel in variables(network, "kernel"))
    cells = [v.numpy() for v in model.lstm((12, 36), 50).trainable_variables[:8]]
    assert [v.shape for v in cells[:4]] == [(12, 200), (50, 200), (200,), (200,)]
    assert all(uniform(values, 50**-0.5) for values in cells)


@pytest.mark.parametrize("build", [model.ali_encoder, model.ali_generator, model.ali_discriminator])
def test_ali_starts_normal_with_the_papers_deviation(build):
    keras.utils.set_random_seed(0)
    options = {"normalize": True} if build is model.ali_discriminator else {}
    network = build(**options)
    for kernel in (k for k in variables(network, "kernel") if k.size > 2000):
        assert kernel.std() == pytest.approx(0.02, rel=0.1) and abs(kernel.mean()) < 2e-3
    gamma = np.concatenate(variables(network, "gamma"))
    assert gamma.mean() == pytest.approx(1.0, abs=0.005) and gamma.std() == pytest.approx(0.02, rel=0.15)
    assert all((bias == 0).all() for bias in variables(network, "bias"))
    late = variants.late_normalization()  # that of the program's discriminator
    late.build((None, 4000))
    assert late.gamma.numpy().mean() == pytest.approx(1.0, abs=0.002)
    assert late.gamma.numpy().std() == pytest.approx(0.02, rel=0.05)
    assert (late.epsilon, late.momentum, late.synchronized) == (1e-5, 0.9, True)
    wider = build(deviation=0.1, width=8)
    assert max(variables(wider, "kernel"), key=np.size).std() == pytest.approx(0.1, rel=0.1)


def test_slopes_dropout_and_normalisation_of_ali():
    networks = (model.ali_encoder(width=2), model.ali_generator(width=2), model.encoder_classifier(width=2),
                model.ali_discriminator(width=2, normalize=True))  # fmt: skip
    layers = [layer for network in networks for layer in network.layers]
    assert {layer.negative_slope for layer in layers if isinstance(layer, keras.layers.LeakyReLU)} == {0.01}
    assert {layer.rate for layer in layers if hasattr(layer, "rate")} == {0.2}
    normal = [layer for layer in layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert {(layer.epsilon, layer.momentum) for layer in normal} == {(1e-5, 0.9)} and len(normal) == 6 + 6 + 6 + 4
    assert networks[1].layers[-1].activation is keras.activations.sigmoid


def test_the_bias_of_a_pixel_is_its_own():
    layer = model.PixelBias()
    layer.build((None, 2, 3, 1))
    layer.bias.assign(np.arange(6.0).reshape(2, 3, 1))
    np.testing.assert_array_equal(layer(np.ones((1, 2, 3, 1), "float32"))[0], 1 + np.arange(6).reshape(2, 3, 1))


def test_the_script_prints_every_network_of_the_paper(capsys):
    with keras.StatelessScope(initialize_variables=False):  # declared, not filled: they would cost seconds
        model.main()
    printed = capsys.readouterr().out
    for count in ("5,977,477", "6,418,821", "28,927,365", "400,884", "400,934", "41,694", "650", "670", "1,690",
                  "5,991,336", "6,432,680", "28,941,224", "5,996,468", "6,438,243", "28,968,768", "3,316,896",
                  "3,185,568", "3,095,280", "1,766,560", "1,242,272", "881,824", "5,279,553", "5,214,017", "5,168,961",
                  "3,186,853"):  # fmt: skip
        assert f" {count} (" in printed, count
