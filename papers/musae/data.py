"""The store as training and evaluation read it: windows of tokens, genre tags, and the three ways to split."""

from dataclasses import dataclass

import numpy as np

from papers.musae.tokens import SILENT

STEPS_PER_BAR = 16  # section 3.1: 4 steps per quarter note


@dataclass(frozen=True)
class Windows:
    """All windows of one length, cut when read.

    tokens, base: (steps of all lines,) uint8; offset: (windows, 4) where each track's line begins for this window;
    song: (windows,) row of the store's index; shift: (windows,) the one transposition drawn at preprocessing;
    tags: (songs, genres) k-hot; artist: (songs,) equal where songs share an artist or a MIDI file.
    """

    steps: int
    tokens: np.ndarray
    base: np.ndarray
    offset: np.ndarray
    song: np.ndarray
    shift: np.ndarray
    tags: np.ndarray
    artist: np.ndarray

    def __len__(self):
        return len(self.offset)

    def cut(self, indices):
        """Tokens (batch, steps, 4) int32 of the windows; a window cut inside a note or a rest begins with its state."""
        offset = self.offset[np.asarray(indices)]
        at = offset[:, None, :] + np.arange(self.steps)[None, :, None]
        result = self.tokens[at].astype(np.int32)
        result[:, 0] = self.base[offset]
        return result

    def read(self, indices):
        """A batch: tokens (batch, steps, 4), tags (batch, genres), shift (batch,)."""
        song = self.song[np.asarray(indices)]
        return {
            "tokens": self.cut(indices),
            "tags": self.tags[song].astype(np.float32),
            "shift": self.shift[np.asarray(indices)].astype(np.int32),
        }


def windows(store, bars):
    """The windows of 2 or 16 bars in a store."""
    return Windows(
        bars * STEPS_PER_BAR,
        store.array("tokens"),
        store.array("base"),
        store.array(f"offset_{bars}"),
        np.asarray(store.array(f"song_{bars}")),
        np.asarray(store.array(f"shift_{bars}")),
        np.asarray(store.array("tags")),
        np.asarray(store.array("artist")),
    )


def split(config, data):
    """(training, validation) window indices; the split is one and the same for every seed.

    window: a random share of the windows, as section 4.1 says. artist: whole artists. released: the program's loop,
    which trains on the first 80 % of its shuffled batches and validates on the first 20 % of them, that is on
    training windows.
    """
    rng = np.random.default_rng(0)
    held_out = int(round(config.validation_share * len(data)))
    if config.split == "artist":
        owner = data.artist[data.song]
        names = rng.permutation(np.unique(owner))
        share = np.cumsum(np.bincount(owner)[names])
        chosen = names[: max(1, int(np.searchsorted(share, held_out)))] if len(names) > 1 else names[:0]
        inside = np.isin(owner, chosen)
        return np.flatnonzero(~inside), np.flatnonzero(inside)
    order = rng.permutation(len(data))
    if config.split == "released":
        return order[: len(data) - held_out], order[:held_out]
    return np.sort(order[held_out:]), np.sort(order[:held_out])


def moved(tokens, semitones):
    """Tokens (batch, T, 4) with bass, guitar and strings shifted by `semitones` (batch,); out of range is silence."""
    shift = np.asarray(semitones)[:, None, None] * np.array([0, 1, 1, 1])
    result = np.where(tokens < SILENT, tokens + shift, tokens)
    return np.where((tokens < SILENT) & ((result < 0) | (result >= SILENT)), SILENT, result).astype(tokens.dtype)


def as_trained(config, windows, rows):
    """Tokens of windows; a transposition drawn at preprocessing is part of the data, one drawn in training is not."""
    tokens = windows.cut(rows)
    return moved(tokens, windows.shift[rows]) if config.transposition == "frozen" else tokens
