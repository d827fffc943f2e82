"""Figures: a readable PNG at the path that comes back, the same bytes for the same data, the data really in it."""

import matplotlib.image
import numpy as np
import pytest

from common import plots


def luminance(colour):
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


random = np.random.default_rng(0)
DRAWINGS = {
    "curves": lambda path: plots.curves(path, {"train": [0.3, 0.6, 0.8], "test": ([0, 2], [0.3, 0.5])}, "epoch",
                                        "accuracy", "Accuracy", level=("majority", 0.25)),
    "many_curves": lambda path: plots.curves(path, {str(n): [n, n + 1] for n in range(11)}, "step", "loss",
                                             logarithmic=True),
    "bars": lambda path: plots.bars(path, ["drums", "guitar"], {"paper": [0.5, np.nan], "sound": [0.4, 0.3]}, "share",
                                    errors={"sound": [0.1, 0.05]}, level=[("chance", 0.25)]),
    "confusion_matrix": lambda path: plots.confusion_matrix(path, [[8, 2], [0, 0]], ["classical", "jazz"]),
    "scatter": lambda path: plots.scatter(path, random.normal(size=(60, 2)), ["jazz", "pop", "metal"] * 20),
    "image": lambda path: plots.image(path, np.arange(12).reshape(3, 4)),
    "mel": lambda path: plots.mel(path, np.abs(random.normal(size=(64, 90))) + 0, 22050, 512),
    "piano_roll": lambda path: plots.piano_roll(path, {"drums": np.eye(128, 32), "bass": np.eye(128, 32, 9)}, "x", 4),
    "silent_piano_roll": lambda path: plots.piano_roll(path, {"drums": np.zeros((128, 32))}),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_every_drawing_is_saved_where_it_says(tmp_path, name):
    path = DRAWINGS[name](tmp_path / "figures" / name)
    assert path == tmp_path / "figures" / f"{name}.png"
    pixels = matplotlib.image.imread(path)
    assert pixels.shape[1] >= 600 and pixels[..., :3].std() > 0.01  # not a blank sheet
    assert not plots.plt.get_fignums()  # closed


def test_same_data_same_bytes_other_data_other_bytes(tmp_path):
    first, again, other = (plots.curves(tmp_path / name, {"loss": values}, "step", "loss")
                           for name, values in (("a", [3, 2, 1]), ("b", [3, 2, 1]), ("c", [3, 2, 2])))
    assert first.read_bytes() == again.read_bytes() != other.read_bytes()


def test_palette_is_distinct_and_stands_out_on_white():
    assert len(set(plots.PALETTE)) == len(plots.PALETTE)
    assert all(1.05 / (luminance(colour) + 0.05) >= 2.2 for colour in plots.PALETTE)
    assert all(1.05 / (luminance(colour) + 0.05) >= 4.5 for colour in (plots.INK, plots.QUIET))
