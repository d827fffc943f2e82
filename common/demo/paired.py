"""The demo pairs: `<style>/<artist> - <piece>.wav` and `.mid`: for each recording the score that it was played from.

Songs with the four tracks that a reader of scores may ask for. An artist has one style, drawn once, and several pieces;
pieces differ in key, tempo and material, recordings in level and colour.
"""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np

from common.demo import composer, lakh, sound
from common.demo.jobs import Job, shuffled
from common.demo.styles import Style

SAMPLE_RATE = 22050
NAMES = {"smoke": ("rock", "jazz", "classical"), "demo": ("rock", "jazz", "classical", "electronic", "folk", "metal")}
ARTISTS = {"smoke": 3, "demo": 6}  # of each style
PIECES = 2  # of each artist
SECONDS = {"smoke": 24, "demo": 30}


def write(root: Path, preset: str, null: bool, seed: int) -> list[Job]:
    """The jobs that write the pieces; each writes a recording and its score."""
    artists = [name for name in NAMES[preset] for _ in range(ARTISTS[preset])]
    labels = shuffled(artists, seed) if null else artists
    return [Job(write_piece, root / label / f"artist {artist + 1:02d} - piece {piece + 1}.wav",
                (name, [seed, 6, artist], piece, SECONDS[preset] * SAMPLE_RATE))
            for artist, (name, label) in enumerate(zip(artists, labels, strict=True)) for piece in range(PIECES)]


def artist(name: str, seed: list[int]) -> Style:
    """The style of one artist: every piece has drums, bass, guitar or piano, and strings or another instrument."""
    style = lakh.four_tracks(composer.draw_style(lakh.STYLES, name, np.random.default_rng(seed)))
    return replace(style, chords=_with(style.chords, range(32)) or ((0,), (26,)),
                   bass=_with(style.bass, range(32, 40)) or ((33,), (32,)))


def _with(parts, programs):
    return tuple(part for part in parts if set(part) & set(programs))


def write_piece(path: Path, name: str, seed: list[int], piece: int, samples: int, mark: str = "") -> None:
    """Compose and render a piece of the artist `seed` stands for; score and recording lie side by side."""
    style = artist(name, seed)
    rng = np.random.default_rng([*seed, piece])
    score, buffer = composer.compose(style, rng, samples / SAMPLE_RATE + 0.5), io.BytesIO()
    score.write(buffer)
    path.with_suffix(".mid").write_bytes(lakh.marked(buffer.getvalue(), mark.encode()) if mark else buffer.getvalue())
    sound.write_wav(path, sound.played(score, style, rng, SAMPLE_RATE, samples), SAMPLE_RATE, mark)
