"""What a page plays and shows: which way up a picture stands, and which clips are heard."""

from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest

from papers.lord_transfer import players
from papers.lord_transfer.config import Config


class Run:
    """Files of a run in a folder."""

    def __init__(self, directory):
        self.directory = directory

    def figure(self, name):
        return self.directory / f"{name}.png"

    def audio(self, name):
        return self.directory / f"{name}.wav"

    def relative(self, path):
        return path.name


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setattr(players.sound, "to_audio", lambda image, reference, config: np.full(9, image.mean()))
    return Run(tmp_path)


def test_low_bands_lie_at_the_bottom_and_colours_go_from_nothing_to_all(run):
    image = np.array([[1.0, 0.5], [0.0, 0.25]])  # the lowest band first
    found = players._cell(run, Config(), image, 1.0, "a", "said")
    assert found == {"audio": "a.wav", "image": "a.png", "caption": "said"}
    shown, colours = plt.imread(run.figure("a")), plt.get_cmap("cividis")
    assert shown.shape[:2] == (128, 128)
    for (row, column), value in {(-1, 0): 1.0, (-1, -1): 0.5, (0, 0): 0.0, (0, -1): 0.25}.items():
        assert shown[row, column] == pytest.approx(colours(value), abs=0.01)


def measured(loss, level):
    """A model whose rebuilt first clip, of class 1, is a plain of this level."""
    transfers = np.zeros((2, 1, 3, 4, 1)) + np.array([0.0, level])[:, None, None, None, None]
    return SimpleNamespace(config=Config(loss=loss), classes=np.array([1]), transfers=transfers, references=[1.0])


def test_models_of_other_losses_are_heard_beside_the_runs_own(run, monkeypatch):
    heard = {}
    monkeypatch.setattr(players.audio, "write", lambda path, samples, rate: heard.update({path.stem: samples[0]}))
    own, other, same = (measured(loss, level) for loss, level in (("mse", 0.25), ("mae", 0.5), ("mse", 0.75)))
    items = players.loss_items(run, own, {"l1": other, "same": same})
    assert heard == {"rebuilt-the_run_s_loss": 0.25, "rebuilt-l1": 0.5}
    assert [item["caption"].split(": ")[1] for item in items] == ["mse", "mae"]
    assert players.loss_items(run, own, {"same": same}) == []  # nothing to compare it with
