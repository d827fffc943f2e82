"""VGG16 features from a local weights file (sec. 2.3.3, item 4): nothing is downloaded; they live only in the loss."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from common.errors import WeightsError

KERAS_VGG16_MD5 = "6d6bbae143d832006294945121d1f1fc"  # vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5
FIRST_LAYER = ("block1_conv1",)  # "the first layer of a trained VGG16" (sec. 2.3.3, item 4)
FIVE_LAYERS = ("block1_conv2", "block2_conv2", "block3_conv2", "block4_conv3", "block5_pool")  # LORD, config.py
MEAN_COLOUR = (103.939, 116.779, 123.68)  # blue, green, red, as keras.applications.vgg16


def as_input(image: tf.Tensor) -> tf.Tensor:
    """(batch, height, width, 1) in [0, 1] -> what VGG16 was trained on: 0..255, blue first, mean colour taken off."""
    return tf.tile(image * 255.0, [1, 1, 1, 3]) - tf.constant(MEAN_COLOUR)


def first_layer(kernel: np.ndarray, bias: np.ndarray) -> keras.Model:
    """block1_conv1 with ReLU and the given (3, 3, 3, 64) and (64,) arrays: 1,792 frozen parameters, any image size."""
    layer = keras.layers.Conv2D(64, 3, padding="same", activation="relu", name="block1_conv1", trainable=False)
    network = keras.Sequential([keras.Input((None, None, 3)), layer], name="vgg_first_layer")
    layer.set_weights([kernel, bias])
    return network


def random_first_layer(seed: int = 0) -> keras.Model:
    """A He-normal filter bank of the same shape, for the ablation named "random"; it holds no ImageNet statistics."""
    kernel = np.random.default_rng(seed).normal(0, np.sqrt(2 / 27), (3, 3, 3, 64)).astype("float32")
    return first_layer(kernel, np.zeros(64, "float32"))


def five_layers(weights: dict[str, tuple[np.ndarray, np.ndarray]]) -> keras.Model:
    """LORD's five feature layers; `weights` maps a layer's name to (kernel, bias)."""
    vgg = keras.applications.VGG16(include_top=False, weights=None, input_shape=(None, None, 3))
    for layer in vgg.layers:
        if layer.weights:
            layer.set_weights(weights[layer.name])
    vgg.trainable = False
    return keras.Model(vgg.inputs, [vgg.get_layer(name).output for name in FIVE_LAYERS], name="vgg_five_layers")


def read(path: Path | str, layers: str = "first") -> tuple[Callable, str]:
    """(network, description) of a local VGG16 weights file; `layers` is "first" or "five".

    h5: as keras.applications stores it. npz: arrays `<layer>_kernel` and `<layer>_bias`, or for the first layer just
    `kernel` and `bias`. The description holds the MD5 and whether it is the published file's. Raises WeightsError.
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsError(f"{path}: no such file; give VGG16 weights (h5 or npz) with --vgg-weights, or leave it out")
    digest = hashlib.md5(path.read_bytes()).hexdigest()
    names = ["block1_conv1"] if layers == "first" else [
        f"block{block}_conv{index}" for block, count in enumerate((2, 2, 3, 3, 3), 1) for index in range(1, count + 1)]
    read = _read_npz if path.suffix == ".npz" else _read_h5
    try:
        weights = read(path, names)
    except WeightsError:
        raise
    except Exception as error:  # whatever a damaged archive makes the reader raise
        raise WeightsError(f"{path}: not readable as VGG16 weights ({error}); get {KERAS_VGG16_MD5}.h5 again") from None
    network = first_layer(*weights["block1_conv1"]) if layers == "first" else five_layers(weights)
    known = "the published ImageNet weights" if digest == KERAS_VGG16_MD5 else "not the published file: unverified"
    return network, f"{path.name}, md5 {digest}, {known}"


def _read_npz(path, names):
    with np.load(path, allow_pickle=False) as archive:
        plain = {"kernel", "bias"} <= set(archive.files) and names == ["block1_conv1"]
        keys = {name: ("kernel", "bias") if plain else (f"{name}_kernel", f"{name}_bias") for name in names}
        missing = [key for pair in keys.values() for key in pair if key not in archive.files]
        if missing:
            raise WeightsError(f"{path}: lacks the array {missing[0]}; it has {', '.join(archive.files[:4])}")
        return {name: _checked(path, name, *(archive[key] for key in pair)) for name, pair in keys.items()}


def _read_h5(path, names):
    import h5py

    with h5py.File(path, "r") as file:
        weights = {}
        for name in names:
            if isinstance(file.get(name, getlink=True), (h5py.ExternalLink, h5py.SoftLink)):
                raise WeightsError(f"{path}: {name} links elsewhere; only plain weights are read")
            found = {}
            if name in file:
                file[name].visititems(lambda key, item, found=found: found.update({item.ndim: item})
                                      if isinstance(item, h5py.Dataset) and item.size < 10_000_000 else None)
            if set(found) != {4, 1}:
                raise WeightsError(f"{path}: lacks kernel and bias of {name}; is it the VGG16 'notop' file?")
            if any(item.external for item in found.values()):
                raise WeightsError(f"{path}: {name} keeps its values in another file; only plain weights are read")
            weights[name] = _checked(path, name, found[4][()], found[1][()])
    return weights


def _checked(path, name, kernel, bias):
    """The two arrays as float32, or WeightsError when they are not a VGG16 convolution's."""
    widths = {"block1": 64, "block2": 128, "block3": 256, "block4": 512, "block5": 512}
    width = widths[name[:6]]
    if kernel.shape[:2] != (3, 3) or kernel.shape[-1] != width or bias.shape != (width,) or (
            name == "block1_conv1" and kernel.shape[2] != 3):
        raise WeightsError(f"{path}: {name} has shapes {kernel.shape} and {bias.shape}, "
                           f"VGG16 has (3, 3, …, {width}) and ({width},)")
    if not (np.isfinite(kernel).all() and np.isfinite(bias).all()):
        raise WeightsError(f"{path}: {name} holds NaN or infinity; get the file again")
    return kernel.astype("float32"), bias.astype("float32")
