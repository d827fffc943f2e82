"""A toy store of dossier test T31: content is the row of a bright bar, class 1 adds vertical stripes."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from common import store
from papers.lord_transfer.config import Config

CONFIG = dataclasses.replace(
    Config(), bands=32, frames=32, split="recording", adain_layers=2, adain_dim=16, content_dim=16, class_dim=16,
    encoder_filters=8, encoder_units=64, last_filters=16, loss="mae", batch_size=32, epochs=24, learning_rate=1e-3,
    last_learning_rate=1e-3, table_rate=1.0, classifier_filters=4, classifier_epochs=4)


def picture(row, stripes):
    """A two-row bar of 1 at `row`; stripes raise every fourth column to 0.5."""
    image = np.zeros((32, 32), np.float32)
    if stripes:
        image[:, ::4] = 0.5
    image[row:row + 2] = 1
    return image


def make_store(directory: Path, count=256, seed=0, frames=32, shuffled=False):
    """`count` images of both classes, eight recordings a class, most of them training by lot.

    `shuffled`: the twin in which stripes have nothing to do with the class.
    """
    random = np.random.default_rng(seed)
    directory.mkdir(parents=True, exist_ok=True)
    corpus = SimpleNamespace(name="toy", label="toy", root=directory, evidence="demo", items=[0] * count, rejected=[],
                             fingerprint=f"{count}-{seed}-{frames}-{shuffled}", facts={}, said="")

    def build(writer):
        for i in range(count):
            kind = i % 2
            image = picture(random.integers(0, 31), random.integers(0, 2) if shuffled else kind)
            image = np.tile(image, (1, frames // 32))
            group = f"song-{kind}-{i // 2 % 8}"
            path = writer.image(f"item-{i}", group, image)
            writer.row(item=f"item-{i}", group=group, label=("plain", "striped")[kind], split="", frames=frames,
                       path=path)
        writer.array("reference", np.ones(count))

    return store.prepare(corpus, {"name": "toy", "version": 1}, directory / "stores", build)


def stripe_contrast(images):
    """Mean of rows 0-2 at columns 0 mod 4 minus columns 1 mod 4, of images (n, 32, 32, 1)."""
    return float(images[:, :3, 0::4].mean() - images[:, :3, 1::4].mean())
