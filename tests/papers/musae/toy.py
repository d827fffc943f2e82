"""A store of made-up songs in memory, for tests of the paper's training and evaluation."""

import numpy as np

from common import midi
from papers.musae import data


class ToyStore:
    """Songs of four tracks with tags, artists and both window lengths; `array` as in common.store.Store."""

    fingerprint = "toy"
    directory = "toy"

    def __init__(self, songs=12, bars=20, genres=4, seed=0):
        rng = np.random.default_rng(seed)
        steps = bars * data.STEPS_PER_BAR
        base = np.repeat(rng.integers(30, 80, (songs, 4, steps // 4)), 4, axis=2)
        self.arrays = {
            "base": base.reshape(-1).astype(np.uint8),
            "tokens": midi.tokens(base).reshape(-1).astype(np.uint8),
            "tags": (rng.random((songs, genres)) < 0.4).astype(np.uint8),
            "artist": (np.arange(songs) // 2).astype(np.int32),
            "genres": np.array([f"genre {k}" for k in range(genres)]),
            "placement": np.roll(np.arange(genres), 1),
        }
        for length in (2, 16):
            starts = np.arange(bars - length + 1) * data.STEPS_PER_BAR
            offset = [[(song * 4 + track) * steps + s for track in range(4)] for song in range(songs) for s in starts]
            self.arrays[f"offset_{length}"] = np.array(offset)
            self.arrays[f"song_{length}"] = np.repeat(np.arange(songs), len(starts))
            self.arrays[f"shift_{length}"] = rng.integers(-5, 7, len(offset)).astype(np.int8)

    def array(self, name):
        return self.arrays[name]
