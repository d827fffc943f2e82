"""A trained model of a run, ready to be used: codes, transfers, rebuilt windows. Noise is off.

TensorFlow networks in, NumPy out; what is done with the arrays is in measures.py, melody.py and joining.py.
"""

import dataclasses
import operator
from dataclasses import dataclass

import keras
import numpy as np

from common import training
from common.record import Run
from common.store import Store
from papers.lord_transfer import listener, train
from papers.lord_transfer.config import Config
from papers.lord_transfer.data import Reader, Windows, spread, training_windows, windows
from papers.lord_transfer.listener import in_batches


@dataclass
class Trained:
    """A trained model, the classifier (logits and features) and the windows it is measured on."""

    config: Config
    learner: training.Learner
    classifier: keras.Model
    reader: Reader
    trained_on: Windows
    ear: Windows
    test: Windows

    @property
    def labels(self) -> tuple:
        """The names of the classes."""
        return self.test.labels

    def test_images(self) -> np.ndarray:
        """Held-out images (n, bands, frames, channels)."""
        return self.reader.read(self.test, np.arange(len(self.test)))


def encode(trained: Trained, images: np.ndarray) -> np.ndarray:
    """Content codes (n, content_dim) without noise."""
    return in_batches(trained.learner.networks["content_encoder"], images)  # type: ignore[attr-defined]


def class_codes(trained: Trained) -> np.ndarray:
    """One class code (classes, class_dim) per class: its row of the table, the mean of its sub-classes' rows, or,
    without a table, the mean of its training images' codes."""
    networks, found = trained.learner.networks, trained.trained_on  # type: ignore[attr-defined]
    count = len(found.labels)
    if "class_embedding" not in networks:
        codes = in_batches(networks["class_encoder"], trained.reader.read(found, np.arange(len(found))))
        return np.stack([codes[found.classes == number].mean(axis=0) for number in range(count)])
    table = networks["class_embedding"].get_weights()[0]
    parents = np.arange(len(table)) // max(1, trained.config.subclasses)
    used = np.isin(np.arange(len(table)), found.classes)
    return np.stack([table[used & (parents == number)].mean(axis=0) for number in range(count)])


def generate(trained: Trained, codes: np.ndarray, codes_of_class: np.ndarray) -> np.ndarray:
    """Images (n, bands, frames, channels) of content codes (n, content_dim) and class codes (n, class_dim)."""
    parameters = in_batches(trained.learner.networks["class_modulation"], codes_of_class)  # type: ignore[attr-defined]
    return in_batches(trained.learner.networks["generator"], codes, parameters)  # type: ignore[attr-defined]


def all_transfers(trained: Trained, images: np.ndarray, codes: np.ndarray | None = None) -> np.ndarray:
    """(targets, n, bands, frames, channels): every image given to every class; `codes` replace the images' own."""
    codes = encode(trained, images) if codes is None else codes
    return np.stack([generate(trained, codes, np.repeat(code[None], len(codes), 0)) for code in class_codes(trained)])


def rebuild(trained: Trained, label: int, windows_of_track: np.ndarray) -> np.ndarray:
    """Windows (n, bands, frames) of one track rebuilt with its own class number, `label`."""
    images = windows_of_track[..., None]
    codes = encode(trained, images)
    code = class_codes(trained)[label]
    return generate(trained, codes, np.repeat(code[None], len(codes), 0))[..., 0]


def held_out_tracks(trained: Trained) -> list[tuple[np.ndarray, int, int]]:
    """Up to `stitched_tracks` held-out tracks of two windows or more: [(image, index row, class number)]."""
    rows, first = np.unique(trained.test.rows, return_index=True)
    found = []
    for row, position in sorted(zip(rows, first, strict=True), key=operator.itemgetter(1)):
        image = trained.reader.image(row)[:trained.config.bands]
        if image.shape[1] >= 2 * trained.config.frames:
            found.append((image, row, trained.test.classes[position]))
    keep = np.linspace(0, len(found) - 1, min(trained.config.stitched_tracks, len(found))).round().astype(int)
    return [found[i] for i in keep]


def load(config: Config, store: Store, run: Run, name: str, pair: str = "") -> Trained:
    """A trained model of a run with what is needed to measure it. Raises TrainingError when it is not trained yet.

    Every comparison is measured with the run's classifier and on the same held-out windows as the run's model.
    """
    jobs = train.jobs(config)

    def load_one(name):
        built, changed = jobs[train.job_name(name, pair)]
        return training.load(built, changed, store, run.model_directory(train.job_name(name, pair)))

    changed, learner = jobs[train.job_name(name, pair)][1], load_one(name)
    ear = listener.ear(load_one("classifier"))
    everything = windows(dataclasses.replace(changed, overlap=0.0), store)
    return Trained(changed, learner, ear, Reader(changed, store), training_windows(changed, store),
                   everything.take(everything.of("ear")),
                   spread(everything.take(everything.of("test")), config.evaluation_clips))
