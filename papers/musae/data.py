"""The store as training and evaluation read it: windows of tokens, genre tags, and the three ways to split."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from common import splits
from common.store import Store
from papers.musae.config import Config
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

    def __len__(self) -> int:
        return len(self.offset)

    def cut(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """Tokens (batch, steps, 4) int32 of the windows; a window cut inside a note or a rest begins with its state."""
        offset = self.offset[np.asarray(indices)]
        at = offset[:, None, :] + np.arange(self.steps)[None, :, None]
        result = self.tokens[at].astype(np.int32)
        result[:, 0] = self.base[offset]
        return result

    def read(self, indices: Sequence[int] | np.ndarray) -> dict[str, np.ndarray]:
        """A batch: tokens (batch, steps, 4), tags (batch, genres), shift (batch,)."""
        song = self.song[np.asarray(indices)]
        return {
            "tokens": self.cut(indices),
            "tags": self.tags[song].astype(np.float32),
            "shift": self.shift[np.asarray(indices)].astype(np.int32),
        }


def windows(store: Store, bars: int, shuffled_tags: bool = False) -> Windows:
    """The windows of 2 or 16 bars in a store; as a control, every song with another song's tags."""
    tags = np.asarray(store.array("tags"))
    if shuffled_tags:
        tags = tags[np.random.default_rng(0).permutation(len(tags))]
    return Windows(
        bars * STEPS_PER_BAR,
        store.array("tokens"),
        store.array("base"),
        store.array(f"offset_{bars}"),
        np.asarray(store.array(f"song_{bars}")),
        np.asarray(store.array(f"shift_{bars}")),
        tags,
        np.asarray(store.array("artist")),
    )


def shorter(windows: Windows, rows: np.ndarray, bars: int) -> Windows:
    """All windows of `bars` bars inside the windows `rows`, each once."""
    starts = np.arange(windows.steps // STEPS_PER_BAR - bars + 1) * STEPS_PER_BAR
    offset = np.concatenate([windows.offset[rows] + start for start in starts])
    _, first = np.unique(offset, axis=0, return_index=True)
    song, shift = (np.tile(values[rows], len(starts))[first] for values in (windows.song, windows.shift))
    return replace(windows, steps=bars * STEPS_PER_BAR, offset=offset[first], song=song, shift=shift)


def split(config: Config, data: Windows) -> tuple[np.ndarray, np.ndarray]:
    """(training, validation) window indices; the split is one and the same for every seed.

    window: a random share of the windows, as section 4.1 says. artist: whole artists, the same for every window length.
    released: the program's loop, which trains on the first 80 % of its shuffled batches and validates on the first 20 %
    of them, that is on training windows.
    """
    rng = np.random.default_rng(0)
    if config.split == "artist":
        songs = np.arange(len(data.artist))
        held_out = {"held_out": round(config.validation_share * len(songs))}
        parts = splits.by_group(songs, data.artist, held_out, rng, "below")
        inside = np.isin(data.song, parts["held_out"])
        return np.flatnonzero(~inside), np.flatnonzero(inside)
    held_out = int(round(config.validation_share * len(data)))
    order = rng.permutation(len(data))
    if config.split == "released":
        return order[: len(data) - held_out], order[:held_out]
    return np.sort(order[held_out:]), np.sort(order[:held_out])


def moved(tokens: np.ndarray, semitones: Sequence[int] | np.ndarray) -> np.ndarray:
    """Tokens (batch, T, 4) with bass, guitar and strings shifted by `semitones` (batch,); out of range is silence."""
    shift = np.asarray(semitones)[:, None, None] * np.array([0, 1, 1, 1])
    result = np.where(tokens < SILENT, tokens + shift, tokens)
    return np.where((tokens < SILENT) & ((result < 0) | (result >= SILENT)), SILENT, result).astype(tokens.dtype)


def as_trained(config: Config, windows: Windows, rows: np.ndarray) -> np.ndarray:
    """Tokens of windows; a transposition drawn at preprocessing is part of the data, one drawn in training is not."""
    tokens = windows.cut(rows)
    return moved(tokens, windows.shift[rows]) if config.transposition == "frozen" else tokens
