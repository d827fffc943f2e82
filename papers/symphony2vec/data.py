"""What a run trains and tests on: a store, the split, the scale; clips are cut, cropped and scaled when read."""

from dataclasses import dataclass

import numpy as np

from common.errors import StoreError
from common.splits import fewest_groups
from common.store import Store
from papers.symphony2vec import features, splits
from papers.symphony2vec.config import Config


class SplitError(StoreError):
    """The clips cannot be split as asked; the message says why and what to do."""


@dataclass(frozen=True)
class Selection:
    """Which clips of a store train and test.

    labels: class number of every clip of the store; names: composers; train, test: store rows (train may repeat some);
    stages: [(train, test)] of the mel data, several where the program trains on one part after the other;
    groups: the smallest number of works a composer has.
    """

    labels: np.ndarray
    names: list[str]
    works: np.ndarray
    train: np.ndarray
    test: np.ndarray
    stages: list
    groups: int

    def parts(self, representation: str) -> list[tuple[np.ndarray, np.ndarray]]:
        """[(train rows, test rows)] of a representation, in the order of training."""
        return self.stages if representation in ("mel", "crop") else [(self.train, self.test)]

    def evaluation(self, representation: str) -> tuple[np.ndarray, np.ndarray]:
        """(train rows, test rows) on which a model of this representation is judged: its last part."""
        return self.parts(representation)[-1]


def select(config: Config, store: Store, seed: int = 0) -> Selection:
    """The split of a store by `config.split` for a training seed, which counts where each seed draws its own.

    Raises SplitError for too few clips or a single composer.
    """
    rows = store.index
    composers = np.array([row["label"] for row in rows])
    works = np.array([row["group"] for row in rows])
    offsets = np.array([row["offset"] for row in rows])
    names, labels = np.unique(composers, return_inverse=True)
    if len(names) < 2:
        raise SplitError(f"{store.directory}: only one composer ({names[0]}); telling them apart needs two folders")
    kept = _kept(config, rows, offsets)
    try:
        drawn = config.split_seed + (seed if config.split_drawn == "each_seed" else 0)
        train, test, shuffled = _split(config, composers[kept], works[kept], offsets[kept], drawn)
    except ValueError as error:
        raise SplitError(f"{store.directory}: {error}") from None
    if config.composers == "dealt":  # after the split, which is that of the composers themselves
        labels = splits.deal_composers(labels, works, [seed, 19])
    whole = (kept[train], kept[test])
    stages = [whole]
    if config.mel_training != "whole":
        stages = [(kept[a], kept[b]) for a, b in splits.program_stages(train, shuffled)]
    if config.mel_training == "first_subset":
        stages = stages[:1]
    if any(len(np.unique(labels[rows])) < 2 for rows, _ in [whole, *stages]):
        raise SplitError(f"{store.directory}: of its {len(kept)} clips those that train, or a part of them, are all by "
                         "one composer; add recordings")
    return Selection(labels, [str(name) for name in names], works, *whole, stages,
                     fewest_groups(labels[kept], works[kept]))  # fmt: skip


def _kept(config, rows, offsets):
    """Store rows that are used: all of them, or all but the last clip of each recording."""
    if config.last_clip == "kept":
        return np.arange(len(rows))
    recordings = np.array([row["path"] for row in rows])
    last = {path: max(offsets[recordings == path]) for path in np.unique(recordings)}
    return np.array([i for i in range(len(rows)) if offsets[i] < last[recordings[i]]], int)


def _split(config, composers, works, offsets, seed):
    """(train, test, test in the order of the mel data) as numbers of the kept clips; ValueError for too few."""
    count = len(composers)
    train_count = int(config.train_share * count + 0.5 + 1e-9)
    fewest = 2 if config.mel_training == "whole" else 5
    if min(train_count, count - train_count) < fewest:
        raise ValueError(f"{count} clips are too few to train and test on; add recordings")
    if config.split in ("by_work", "clips_as_by_work"):
        train, test = splits.by_work(composers, works, offsets, config.train_share, seed)
        if config.split == "clips_as_by_work":  # as many clips on either side, but any of them
            train, test = splits.without_replacement(len(train) + len(test), len(train), seed)
    elif config.split == "with_replacement":
        train, test = splits.with_replacement(count, train_count, seed)
        return train, test, splits.shuffled_test(count, train_count, seed)
    else:
        train, test = splits.without_replacement(count, train_count, seed)
    return train, test, test


class Images:
    """A representation of a store, scaled: `images[rows]` is a float32 array (rows, bands, frames).

    `crop` is the corner of the mel-spectrogram that ALI sees, (rows, 32, 32, 1).
    """

    def __init__(self, config: Config, store: Store, selection: Selection, representation: str):
        stored = "mel" if representation == "crop" else representation
        self.raw, self.representation = store.array(stored), representation
        self.unit = representation == "crop" and config.crop_scale == "unit"
        moments = store.array(f"{stored}_moments")
        # Every clip of both sets once (the program), or those that train.
        if config.normalise_over == "all":
            rows = np.union1d(selection.train, selection.test)
        else:
            rows = selection.train
        self.mean, self.deviation = features.mean_and_deviation(moments[rows])
        if representation == "crop":
            self.raw = np.array(features.crop(self.raw))

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        return self.scale(self.raw[rows])

    def scale(self, raw: np.ndarray) -> np.ndarray:
        """Stored values (decibels for mel) to what the networks see."""
        if self.unit:
            return features.unit_scale(raw)
        return np.float32((raw - self.mean) / self.deviation)

    def decibels(self, scaled: np.ndarray) -> np.ndarray:
        """Back from what a network gives."""
        return 80.0 * (scaled - 1.0) if self.unit else scaled * self.deviation + self.mean

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one example."""
        return tuple(self.raw.shape[1:])


@dataclass(frozen=True)
class Part:
    """One part of the training data: which clips of which images train and test, and how batches of it are read."""

    images: Images
    labels: np.ndarray
    train: np.ndarray
    test: np.ndarray
    steps: int  # frames of a piece, for the LSTM

    def read_images(self, indices: np.ndarray) -> dict[str, np.ndarray]:
        """A batch of training clips by their places in `train`: {"x": (batch, bands, frames)}."""
        return {"x": self.images[self.train[indices]]}

    def read_labelled(self, indices: np.ndarray) -> dict[str, np.ndarray]:
        """The same with "label": (batch,) class numbers."""
        chosen = self.train[indices]
        return {"x": self.images[chosen], "label": np.int32(self.labels[chosen])}

    def read_pieces(self, indices: np.ndarray) -> dict[str, np.ndarray]:
        """A batch of pieces of 36 frames: all clips' first piece, then all clips' second, as in features.chunks."""
        piece, clip = np.divmod(indices, len(self.train))
        chosen = self.train[clip]
        frames = piece[:, None] * self.steps + np.arange(self.steps)
        bands = np.arange(self.images.shape[0])
        raw = self.images.raw[chosen[:, None, None], bands[None, :, None], frames[:, None, :]]
        return {"x": self.images.scale(raw), "label": np.int32(self.labels[chosen])}


def parts(config: Config, store: Store, representation: str, seed: int = 0) -> list[Part]:
    """The parts of the training data for a representation and a training seed, in the order of training."""
    selection = select(config, store, seed)
    images = Images(config, store, selection, representation)
    return [Part(images, selection.labels, train, test, config.lstm_steps)
            for train, test in selection.parts(representation)]  # fmt: skip
