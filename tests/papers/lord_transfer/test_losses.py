"""Closed-form losses and VGG weights from local files (dossier section 8: T22-T25)."""

import h5py
import numpy as np
import pytest
import tensorflow as tf

from common.errors import WeightsError
from papers.lord_transfer import losses, vgg


def images(*values):
    return tf.constant(np.array(values, "float32").reshape(len(values), 1, 1, 1))


def test_pixel_losses():
    one, two = images(0.0, 1.0), images(0.5, 0.75)
    np.testing.assert_allclose(losses.mean_squared_error(one, two), [0.25, 0.0625])
    np.testing.assert_allclose(losses.mean_absolute_error(one, two), [0.5, 0.25])


def test_cyclic_loss():
    pi = np.pi
    got = losses.cyclic_squared_error(images(pi, 0, 0, 3), images(-pi, pi, pi / 2, -3), period=2 * pi)
    np.testing.assert_allclose(got, [0, 9.8696, 2.4674, 0.08019], atol=1e-4)
    np.testing.assert_allclose(losses.cyclic_squared_error(images(0.0), images(0.9)), [0.01], atol=1e-6)


def test_random_angles_score_a_third_of_pi_squared():
    random = np.random.default_rng(0)
    angles = random.uniform(-np.pi, np.pi, (2, 1, 300, 300, 1)).astype("float32")
    got = losses.cyclic_squared_error(angles[0], angles[1], 2 * np.pi).numpy()
    assert abs(got[0] - np.pi**2 / 3) < 0.03


def test_vgg_input_of_grey():
    np.testing.assert_allclose(vgg.as_input(images(0.5))[0, 0, 0], [23.561, 10.721, 3.820], atol=1e-3)


def test_perceptual_loss_of_the_first_layer():
    network = vgg.random_first_layer()
    assert network.count_params() == 1792 and not network.trainable_variables
    random = np.random.default_rng(1)
    one, two = random.random((2, 3, 16, 16, 1)).astype("float32")
    assert network(vgg.as_input(one)).shape == (3, 16, 16, 64)
    np.testing.assert_allclose(losses.perceptual_error(network, one, one), 0)
    np.testing.assert_allclose(losses.perceptual_error(network, one, two), losses.perceptual_error(network, two, one))
    features = [network(vgg.as_input(image)).numpy() for image in (one, two)]
    wanted = np.abs(features[0] - features[1]).mean((1, 2, 3)) / 255
    np.testing.assert_allclose(losses.perceptual_error(network, one, two), wanted, rtol=1e-5)
    with_phase = np.concatenate([one, two], axis=-1)
    np.testing.assert_allclose(losses.perceptual_error(network, with_phase, with_phase[..., ::-1]), wanted, rtol=1e-5)


@pytest.fixture
def bank():
    random = np.random.default_rng(2)
    return random.normal(size=(3, 3, 3, 64)).astype("float32"), random.normal(size=64).astype("float32")


def test_weights_from_npz_and_h5_agree(tmp_path, bank):
    np.savez(tmp_path / "plain.npz", kernel=bank[0], bias=bank[1])
    np.savez(tmp_path / "named.npz", block1_conv1_kernel=bank[0], block1_conv1_bias=bank[1])
    with h5py.File(tmp_path / "vgg.h5", "w") as file:
        file["block1_conv1/block1_conv1_W_1:0"], file["block1_conv1/block1_conv1_b_1:0"] = bank
    for name in ("plain.npz", "named.npz", "vgg.h5"):
        network, description = vgg.read(tmp_path / name)
        np.testing.assert_array_equal(network.get_weights()[0], bank[0])
        np.testing.assert_array_equal(network.get_weights()[1], bank[1])
        assert name in description and "unverified" in description and len(description.split("md5 ")[1]) > 32


def broken_files(folder, bank):
    (folder / "text.h5").write_text("not weights")
    (folder / "text.npz").write_text("not weights")
    np.savez(folder / "other.npz", weights=bank[0])
    np.savez(folder / "shape.npz", kernel=bank[0][:2], bias=bank[1])
    np.savez(folder / "nan.npz", kernel=bank[0] * np.nan, bias=bank[1])
    np.savez(folder / "objects.npz", kernel=np.array([None, "x"], dtype=object), bias=bank[1])
    with h5py.File(folder / "empty.h5", "w") as file:
        file.create_group("block1_conv1")
    with h5py.File(folder / "link.h5", "w") as file:
        file["block1_conv1"] = h5py.ExternalLink("elsewhere.h5", "/x")
    return ("text.h5", "text.npz", "other.npz", "shape.npz", "nan.npz", "objects.npz", "empty.h5", "link.h5", "none.h5")


def test_bad_weights_get_one_line_with_the_file(tmp_path, bank):
    for name in broken_files(tmp_path, bank):
        with pytest.raises(WeightsError) as caught:
            vgg.read(tmp_path / name)
        assert name in str(caught.value) and "\n" not in str(caught.value), name
