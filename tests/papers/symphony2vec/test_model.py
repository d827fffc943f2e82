"""Shapes and parameter counts of the dossier's section 3, and its padding-sensitive closed forms (8.3)."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from papers.symphony2vec import model, variants

SHAPES = {"chroma": (12, 431), "mfcc": (13, 431), "mel": (64, 431)}


def trainable(network):
    return sum(int(np.prod(weight.shape)) for weight in network.trainable_weights)


def buffers(network):
    return sum(int(np.prod(weight.shape)) for weight in network.non_trainable_weights)


@pytest.mark.parametrize(
    "shape, program, paper",
    [
        ((12, 431), 5_998_725, 5_973_765),
        ((13, 431), 6_440_069, 6_415_109),
        ((64, 431), 28_948_613, 28_923_653),
        ((32, 32), 1_751_173, 1_726_213),
    ],
)
def test_feed_forward_parameters(shape, program, paper):
    as_program = model.feed_forward(shape, (1024, 512, 256, 128, 64))
    assert (trainable(as_program), buffers(as_program)) == (program, 3968)
    as_paper = model.feed_forward(shape)
    assert (trainable(as_paper), buffers(as_paper)) == (paper, 3712)


@pytest.mark.parametrize(
    "representation, table, flat, parameters",
    [
        ("chroma", model.TABLE_2, 3240, 400_834),
        ("mfcc", model.TABLE_2, 3240, 400_884),
        ("mel", model.TABLE_2, 240, 41_644),
        ("mel", variants.PROGRAM_TABLE_2, 520, 75_244),
    ],
)
def test_cnn_parameters(representation, table, flat, parameters):
    network = model.cnn(SHAPES[representation], table[representation])
    flatten = next(layer for layer in network.layers if isinstance(layer, keras.layers.Flatten))
    assert flatten.output.shape == (None, flat)
    assert (trainable(network), buffers(network)) == (parameters, 50)


@pytest.mark.parametrize("bands, parameters", [(12, 620), (13, 640), (64, 1660)])
def test_lstm_parameters(bands, parameters):
    assert trainable(variants.lstm_hidden_state((bands, 36))) == parameters
    assert trainable(variants.lstm_program((bands, 36))) == parameters
    assert trainable(model.lstm((bands, 36))) == trainable(variants.lstm_reinterpreted((bands, 36))) == parameters + 30


@pytest.mark.parametrize(
    "representation, encoder, decoder, vae",
    [
        ("chroma", 5_991_336, 5_996_468, 11_992_964),
        ("mfcc", 6_432_680, 6_438_243, 12_876_083),
        ("mel", 28_941_224, 28_968_768, 57_915_152),
    ],
)
def test_autoencoder_parameters(representation, encoder, decoder, vae):
    shape = SHAPES[representation]
    assert trainable(model.encoder(shape)) == encoder
    back = model.decoder(shape)
    assert trainable(back) == decoder
    assert back.output_shape == (None, *shape)
    assert trainable(model.encoder(shape, code_size=80)) + decoder == vae


@pytest.mark.parametrize(
    "latent_size, encoder, generator, program, paper, classifier",
    [
        (40, 3_092_272, 880_736, 5_170_881, 5_168_961, 405),
        (128, 3_182_560, 1_241_184, 5_215_937, 5_214_017, 1285),
        (256, 3_313_888, 1_765_472, 5_281_473, 5_279_553, 2565),
    ],
)
def test_ali_parameters(latent_size, encoder, generator, program, paper, classifier):
    e, g = model.ali_encoder(latent_size), model.ali_generator(latent_size)
    assert (trainable(e), buffers(e)) == (encoder, 3008)
    assert (trainable(g), buffers(g)) == (generator, 1088)
    d = model.ali_discriminator(latent_size, normalize=True)
    assert (trainable(d), buffers(d)) == (program, 1920)
    assert trainable(model.ali_discriminator(latent_size)) == paper
    assert trainable(model.encoder_classifier(latent_size)) == encoder + classifier
    assert e.output_shape == (None, 2 * latent_size)
    assert g.output_shape == (None, 32, 32, 1)
    assert d.output_shape == (None,)


def ones_response(height, width, kernel, stride, padding):
    """An all-ones image through an all-ones kernel without bias: (height, width) of the output."""
    x = keras.layers.ZeroPadding2D(padding)(np.ones((1, height, width, 1), "float32"))
    layer = keras.layers.Conv2D(1, kernel, stride, use_bias=False, kernel_initializer="ones")
    return layer(x).numpy()[0, :, :, 0]


@pytest.mark.parametrize(
    "table, number, size, shape, total, largest, zero_rows, start",
    [
        (model.TABLE_2["chroma"], 0, (12, 431), (12, 429), 25_716, 10, (0, 1, 2, 9, 10, 11), (8, 10, 10)),
        (model.TABLE_2["mfcc"], 0, (13, 431), (12, 429), 98_578, 20, (), (12, 15, 15)),
        (model.TABLE_2["mel"], 0, (64, 431), (32, 216), 81_396, 12, (), (6, 9, 9)),
        (model.TABLE_2["chroma"], 1, (12, 214), (12, 108), 5_136, 8, (0, 1, 2, 9, 10, 11), (4, 8, 8)),
        (model.TABLE_2["mfcc"], 2, (12, 54), (12, 27), 1_272, 8, (0, 1, 2, 9, 10, 11), (6, 8, 8)),
        (model.TABLE_2["mel"], 1, (32, 108), (16, 54), 13_268, 16, (), (9, 12, 12)),
        (variants.PROGRAM_TABLE_2["mel"], 2, (8, 27), (4, 13), 561, 12, (), (6, 8, 8)),
    ],
)
def test_padding_of_convolutions(table, number, size, shape, total, largest, zero_rows, start):
    row = table[number]
    out = ones_response(*size, row["kernel"], row["stride"], row["padding"])
    assert out.shape == shape
    assert out.sum() == total
    assert out.max() == largest
    assert tuple(np.flatnonzero(out.sum(axis=1) == 0)) == zero_rows
    first = out[out.sum(axis=1) > 0][0]
    assert tuple(first[:3]) == start


def test_last_mel_convolution_of_the_program_is_asymmetric():
    out = ones_response(8, 27, (3, 4), (2, 2), (1, 1))
    assert out[:, 0].sum() == 33 and out[:, -1].sum() == 44


@pytest.mark.parametrize(
    "size, kernel, stride, out_size, total, largest",
    [(1, 4, 1, 4, 16, 1), (4, 4, 2, 10, 256, 4), (10, 4, 1, 13, 1600, 16), (13, 4, 2, 28, 2704, 4),
     (28, 5, 1, 32, 19600, 25)],
)  # fmt: skip
def test_transposed_convolutions_of_the_generator(size, kernel, stride, out_size, total, largest):
    layer = keras.layers.Conv2DTranspose(1, kernel, stride, use_bias=False, kernel_initializer="ones")
    out = layer(np.ones((1, size, size, 1), "float32")).numpy()[0, :, :, 0]
    assert out.shape == (out_size, out_size)
    assert (out.sum(), out.max()) == (total, largest)


def test_reinterpreted_steps_mix_the_batch():
    x = np.arange(24, dtype="float32").reshape(2, 3, 4)
    out = variants.ReinterpretedSteps()(x).numpy()
    assert out[0].tolist() == [[0, 1, 2], [6, 7, 8], [12, 13, 14], [18, 19, 20]]
    right = np.transpose(x, (0, 2, 1))
    assert right[0].tolist() == [[0, 4, 8], [1, 5, 9], [2, 6, 10], [3, 7, 11]]


def test_reinterpreted_steps_have_the_shape_of_a_sequence_of_steps():
    assert variants.ReinterpretedSteps().compute_output_shape((None, 12, 36)) == (None, 36, 12)


def test_reinterpreted_steps_keep_a_thirtysecond_of_the_own_example():
    x = np.broadcast_to(np.arange(32, dtype="float32")[:, None, None], (32, 12, 36))
    source = variants.ReinterpretedSteps()(x).numpy()
    assert (source[:, -1] == 31).all() and (source[:, 0] == 0).all()
    own = (source == np.arange(32)[:, None, None]).mean(axis=(1, 2))
    assert own.mean() == pytest.approx(1 / 32, abs=1e-6)
    assert own.min() > 0.027 and own.max() < 0.057


@pytest.mark.parametrize("bias", [False, True])
def test_a_late_convolution_sends_the_gradient_through_the_weights_there_are_by_then(bias):
    layer = variants.LateConvolution(1, 2, 2, use_bias=bias, kernel_initializer="ones", bias_initializer="ones")
    x = tf.ones((1, 4, 4, 1))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
        total = tf.reduce_sum(y)
    layer.kernel.assign(5.0 * tf.ones((2, 2, 1, 1)))
    into_x, into_kernel = tape.gradient(total, [x, layer.trainable_variables[0]])
    assert y.numpy().ravel().tolist() == [4.0 + bias] * 4  # four patches of four ones
    assert (into_x.numpy() == 5.0).all() and (into_kernel.numpy() == 4.0).all()  # the activations are those of before


def test_a_late_normalisation_does_the_same():
    layer = variants.late_normalization()
    layer.build((None, 1))
    layer.gamma.assign([2.0])
    x = tf.constant([[1.0], [3.0]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, training=False)  # moving mean 0, moving variance 1
        total = tf.reduce_sum(y * tf.constant([[1.0], [-1.0]]))
    layer.gamma.assign([6.0])
    np.testing.assert_allclose(y, 2.0 * x / (1 + 1e-5) ** 0.5, rtol=1e-6)
    np.testing.assert_allclose(tape.gradient(total, x), [[6.0], [-6.0]], rtol=1e-4)


def test_lstm_with_zero_weights_says_nothing():
    network = variants.lstm_hidden_state((12, 36))
    for weight in network.weights:
        weight.assign(np.zeros(weight.shape))
    assert np.abs(network(np.ones((2, 12, 36), "float32")).numpy()).max() == 0


def test_generator_path_is_blind_to_scale_in_batch_statistics():
    # Dossier Q15: the first layer is linear and then normalised over the batch.
    keras.utils.set_random_seed(0)
    network = model.ali_generator(128)
    logits = keras.Model(network.input, network.layers[-1].input)
    z = np.linspace(0, 1, 16, dtype="float32")[:, None] * np.ones((16, 128), "float32")
    near, far = logits(z, training=True).numpy(), logits(10 * z, training=True).numpy()
    assert np.abs(near - far).max() < 0.02 * near.std()
    half = logits(z[:8], training=True).numpy()
    assert np.abs(half - near[:8]).max() > 0.02 * near.std()


def test_ali_starts_undecided():
    # Dossier 8.4: D within .46 to .54 at the start, so both losses near 2 ln 2.
    keras.utils.set_random_seed(1)
    d = model.ali_discriminator(128, dropout=0.0, normalize=True)
    x = np.random.default_rng(0).normal(size=(64, 32, 32, 1)).astype("float32")
    z = np.random.default_rng(1).normal(size=(64, 128)).astype("float32")
    p = keras.ops.sigmoid(d([x, z], training=True)).numpy()
    assert 0.42 < p.min() and p.max() < 0.58
