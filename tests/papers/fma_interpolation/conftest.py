"""A tiny corpus of synthetic clips in eight genres, its store, and a configuration small enough for seconds."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import soundfile

from common.config import resolve
from papers.fma_interpolation import config as settings

TINY = dict(
    sample_rate=8192, n_fft=1024, hop_length=256, bands=32, frames=64, conv2d_pools=(2, 1, 1),
    conv2d_filters=(16, 16, 16, 16), conv2d_latent=4, inception_latent=4, conv1d_latent=4, conv1d_filters=(8, 8, 4, 4),
    latent=4, overfit_latent=4,
    cnn_2_time_stride=1, cnn_1_filters=2, cnn_1_dense=4, rnn_units=4, autoencoder_items=0, classifier_items=0,
    classifier_batch=8, baseline_batch=8, overfit_steps=4, baseline_epochs=1,
    conv2d_epochs=1, conv1d_epochs=1, pairs=2, inversion_iterations=3,
)


@dataclass
class Item:
    id: str
    path: Path
    label: str
    group: str
    artist: str | None = None
    split: str | None = None
    facts: dict = field(default_factory=dict)


@dataclass
class Corpus:
    name: str
    root: Path
    evidence: str
    items: list
    rejected: list = field(default_factory=list)
    facts: dict = field(default_factory=dict)
    fingerprint: str = "0123456789ab"
    said: str = ""


def clip(genre, track, seconds=5.0, rate=8192):
    """A few notes whose register and loudness pattern belong to the genre."""
    random = np.random.default_rng([genre, track])
    time = np.arange(int(seconds * rate)) / rate
    pitch = 110 * 2 ** (genre / 3 + random.uniform(-0.1, 0.1))
    beat = 0.5 + 0.5 * np.sin(2 * np.pi * (1 + genre / 4) * time + random.uniform(0, 6))
    sound = 0.3 * beat * sum(np.sin(2 * np.pi * k * pitch * time) / k for k in range(1, 5))
    return (sound + 0.01 * random.standard_normal(len(time))).astype(np.float32)


def make_corpus(root, tracks=4):
    items = []
    for track in range(tracks):
        for genre, name in enumerate(settings.GENRES):
            number = f"{100 * track + genre:06d}"
            path = root / f"{number}.wav"
            soundfile.write(path, clip(genre, track), 8192)
            split = ("training", "training", "validation", "test")[track % 4]
            items.append(Item(number, path, name, number, f"artist {number}", split))
    return Corpus("fma_small", root, "demo", items)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    return make_corpus(tmp_path_factory.mktemp("clips"))


@pytest.fixture(scope="session")
def tiny():
    return resolve(settings, "paper", "smoke", TINY)


@pytest.fixture(scope="session")
def store(corpus, tiny, tmp_path_factory):
    from papers.fma_interpolation import preprocess

    patch = pytest.MonkeyPatch()
    patch.setattr(preprocess, "find_corpus", lambda data, preset, null=False: corpus)
    try:
        return preprocess.preprocess(tiny, None, "smoke", tmp_path_factory.mktemp("stores"))
    finally:
        patch.undo()
