"""Closed-form losses and VGG weights from local files (dossier section 8: T22-T25)."""

import dataclasses
import hashlib
import inspect
import re
from functools import partial
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

from common.errors import WeightsError
from papers.lord_transfer import losses, vgg
from papers.lord_transfer.config import Config, perceptual_state


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


def test_the_published_file_is_known_by_its_checksum(tmp_path, bank, monkeypatch):
    np.savez(tmp_path / "w.npz", kernel=bank[0], bias=bank[1])
    digest = hashlib.md5((tmp_path / "w.npz").read_bytes()).hexdigest()
    monkeypatch.setattr(vgg, "KERAS_VGG16_MD5", digest)
    assert vgg.read(tmp_path / "w.npz")[1] == f"w.npz, md5 {digest}, the published ImageNet weights"


def test_the_checksum_is_the_one_that_keras_downloads_by():
    source = inspect.getsource(inspect.getmodule(keras.applications.VGG16))
    assert f'file_hash="{vgg.KERAS_VGG16_MD5}"' in source.split("WEIGHTS_PATH_NO_TOP,")[1]


CONVOLUTIONS = [f"block{block}_conv{number}" for block, count in ((1, 2), (2, 2), (3, 3), (4, 3), (5, 3))
                for number in range(1, count + 1)]  # VGG16


def test_lords_five_layers_are_read_by_name(tmp_path, monkeypatch):
    """13 convolutions in blocks of 2, 2, 3, 3 and 3; the five layers of LORD's configuration."""
    widths, arrays = (64, 128, 256, 512, 512), {}
    for place, name in enumerate(CONVOLUTIONS):
        inputs, width = 3 if place == 0 else 1, widths[int(name[5]) - 1]  # only the first layer's inputs are checked
        arrays[f"{name}_kernel"] = np.zeros((3, 3, inputs, width), "float32")
        arrays[f"{name}_bias"] = np.full(width, place, "float32")
    np.savez(tmp_path / "five.npz", **arrays)
    seen = {}
    monkeypatch.setattr(vgg, "five_layers", lambda weights: seen.update(weights) or "a network")
    assert vgg.read(tmp_path / "five.npz", "five")[0] == "a network" and list(seen) == CONVOLUTIONS
    assert [bias[0] for _, bias in seen.values()] == list(range(13))
    for name, wrong in (("block3_conv2_kernel", (3, 3, 1, 255)), ("block5_conv3_bias", (511,))):
        np.savez(tmp_path / "wrong.npz", **arrays | {name: np.zeros(wrong, "float32")})
        with pytest.raises(WeightsError, match=f"{name[:12]} has shapes"):
            vgg.read(tmp_path / "wrong.npz", "five")


def published(path, bank):
    """A file as Keras publishes it, made up: the first layer is `bank`, of the other twelve biases count them."""
    widths = [3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in CONVOLUTIONS]
        for k, name in enumerate(CONVOLUTIONS):
            group = file.create_group(name)
            group.attrs["weight_names"] = [f"{name}_{part}_1:0".encode() for part in "Wb"]
            kernel, bias = (bank if k == 0 else (np.zeros((3, 3, *widths[k:k + 2]), "float32"),
                                                 np.full(widths[k + 1], k, "float32")))
            group[f"{name}_W_1:0"], group[f"{name}_b_1:0"] = kernel, bias
    return path


def test_the_documented_command_writes_the_first_layer(tmp_path, bank, monkeypatch):
    """The command of the README on a made-up file: what `--vgg-weights` reads of either is the same, and unverified."""
    text = Path(vgg.__file__).with_name("README.md").read_text(encoding="utf-8")
    (command,) = re.findall(r'^python -c "(.*?)"$', text, re.M | re.S)
    file, real = published(tmp_path / "vgg.h5", bank), keras.applications.VGG16
    monkeypatch.setattr(keras.applications, "VGG16", partial(real, weights=str(file)))
    monkeypatch.chdir(tmp_path)
    exec(command.replace("\\\n", ""), {})
    for name in ("vgg.h5", "first_layer.npz"):
        network, description = vgg.read(tmp_path / name)
        np.testing.assert_array_equal(network.get_weights()[0], bank[0])
        np.testing.assert_array_equal(network.get_weights()[1], bank[1])
        assert description.endswith("not the published file: unverified")
    config = dataclasses.replace(Config(), vgg_weights="first_layer.npz")
    assert perceptual_state(config) == "imagenet" and "unverified" in losses.perceptual_words(config)
    with pytest.raises(WeightsError, match="lacks the array block1_conv1_kernel"):
        vgg.read(tmp_path / "first_layer.npz", "five")


def test_lords_five_layers_are_those_of_the_network(monkeypatch):
    """Kernels of zeros and a bias of its own for every layer: the outputs name theirs, pooled after the last block."""
    monkeypatch.setattr(keras.initializers.GlorotUniform, "__call__",
                        lambda self, shape, dtype=None: keras.ops.zeros(shape))
    widths = [3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]
    weights = {name: (np.zeros((3, 3, *widths[k:k + 2]), "float32"), np.full(widths[k + 1], k + 1, "float32"))
               for k, name in enumerate(CONVOLUTIONS)}
    network = vgg.five_layers(weights)
    found = network(np.zeros((1, 32, 32, 3), "float32"))
    assert [float(maps[0, 0, 0, 0]) for maps in found] == [2, 4, 6, 10, 13]
    assert [maps.shape[1] for maps in found] == [32, 16, 8, 4, 1] and not network.trainable_variables


def test_perceptual_loss_is_a_mean_over_layers():
    """Two layers that give back the pixels and twice the pixels: 1.5 times the mean difference, of 255 of 255."""
    one, two = (np.random.default_rng(k).random((2, 8, 8, 1)).astype("float32") for k in (0, 1))
    difference = np.abs(one - two).mean(axis=(1, 2, 3))
    found = losses.perceptual_error(lambda x: [x, 2 * x], tf.constant(one), tf.constant(two))
    np.testing.assert_allclose(found, 1.5 * difference, rtol=1e-5)
    smaller = losses.perceptual_error(lambda x: x, tf.constant(one), tf.constant(two), size=4)
    np.testing.assert_allclose(smaller, np.abs(one - two)[:, ::2, ::2].mean(axis=(1, 2, 3)), rtol=1e-4)


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


class Bomb:
    """What a pickle can do as it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_no_pickle_is_read(tmp_path):
    np.savez(tmp_path / "w.npz", kernel=np.array([Bomb(tmp_path / "burst")], object), bias=np.zeros(64, "float32"))
    with pytest.raises(WeightsError, match="w.npz"):
        vgg.read(tmp_path / "w.npz")
    assert not (tmp_path / "burst").exists()


def test_bad_weights_get_one_line_with_the_file(tmp_path, bank):
    for name in broken_files(tmp_path, bank):
        with pytest.raises(WeightsError) as caught:
            vgg.read(tmp_path / name)
        assert name in str(caught.value) and "\n" not in str(caught.value), name


def test_the_multi_scale_loss_by_hand():
    """An error of 1 in one pixel of 8 x 8: 1/4 in one of 16 blocks, 1/16 in one of four, 1/64 in the one: 1/64 each."""
    image = np.zeros((1, 8, 8, 1), np.float32)
    made = image.copy()
    made[0, 2, 3] = 1.0
    assert float(losses.multiscale_error(image, made)[0]) == pytest.approx(1 / 64)
    moved = image.copy()
    moved[0, 2, 2], made[0, 2, 2] = 1.0, 0.0  # a pixel aside within a block of two: no error at any scale
    assert float(losses.multiscale_error(moved, made)[0]) == 0
    two = np.concatenate([image, image + 5], axis=-1)
    assert float(losses.multiscale_error(np.concatenate([image, image], axis=-1), two)[0]) == 0  # the amplitude alone


@pytest.mark.parametrize(("phase", "expected"), [("angle", 0.25), ("cosine_sine", 0.125), ("none", 0.125)])
def test_only_where_the_second_channel_is_an_angle_it_is_left_to_the_cyclic_loss(phase, expected):
    one = tf.zeros((1, 2, 2, 2))
    other = tf.concat([tf.fill((1, 2, 2, 1), 0.25), tf.zeros((1, 2, 2, 1))], axis=-1)
    config = dataclasses.replace(Config(), phase=phase, loss="mae", loss_scale=1.0)
    found = losses.reconstruction(config)(one, other)
    assert float(found["mae"][0]) == pytest.approx(expected) and ("cyclic" in found) == (phase == "angle")
