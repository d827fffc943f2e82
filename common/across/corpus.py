"""Pieces of which there is a recording and a score: `<class>/<work> - <part>.mp3` (or other audio), a `.mid` beside it.

What stands before " - " is the group (work, artist) that no split may cut; without it each piece is its own. Loudness
is measured, tempo and register are the score's.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common import audio, midi
from common.corpora import Corpus, Item, evidence, finding
from common.corpora.items import safe_id
from common.corpora.listing import AUDIO, MIDI, files_under
from common.errors import AudioError, DataError, MidiError
from common.progress import progress

NEEDS = "<class>/<work> - <part>.mp3 (or other audio), and a .mid of the same name beside each"
RATE = 16_000  # Hz, for what is measured here
MOST_CLIPS = 16  # of a piece, that principal components are fitted to
TARGETS = {"loudness": "dB", "tempo": "quarter notes a minute", "register": "mean MIDI pitch"}


@dataclass(frozen=True)
class Pairs:
    """Pieces, all in one order: `corpus` holds the recordings, `scores` are their MIDI files, `targets` (pieces,) each.

    `left_out`: (path, reason) of files that could not be used.
    """

    corpus: Corpus
    scores: list[Path]
    targets: dict[str, np.ndarray]
    left_out: list[tuple[Path, str]]

    @property
    def recordings(self) -> list[Path]:
        """Paths of the recordings."""
        return [item.path for item in self.corpus.items]

    @property
    def labels(self) -> np.ndarray:
        """Class of each piece."""
        return np.array([item.label for item in self.corpus.items])

    @property
    def groups(self) -> np.ndarray:
        """Group of each piece."""
        return np.array([item.group for item in self.corpus.items])


def read(root: Path) -> Pairs:
    """All pairs below `root`.

    Raises:
        DataError: no folder, no pair, or none that can be used; the message says what is expected.
    """
    root = Path(root)
    if not root.is_dir():
        raise DataError(f"{root}: no such folder; expected {NEEDS}")
    scores = {path.with_suffix(""): path for path in files_under(root, MIDI)[0]}
    recordings, left_out = files_under(root, AUDIO)
    found, items = {}, []
    for path in recordings:
        score = scores.pop(path.with_suffix(""), None)
        parts = path.relative_to(root).parts
        if len(parts) == 1 or score is None:
            reason = "lies beside the class folders" if len(parts) == 1 else "no score of this name, or taken already"
            left_out.append((path, reason))
            continue
        try:
            found[path] = measured(path, score)
        except (AudioError, MidiError) as error:
            left_out.append((path, str(error).removeprefix(f"{path}: ")))
            continue
        group = "/".join((*parts[:-1], path.stem.split(" - ")[0]))
        items.append((Item(safe_id("/".join(parts)), path, parts[0], group), score))
    left_out += [(path, "no recording of this name") for path in scores.values()]
    if not items:
        why = f" ({left_out[0][0]}: {left_out[0][1]})" if left_out else ""
        raise DataError(f"{root}: no usable pair in it{why}; expected {NEEDS}")
    corpus = Corpus("pairs", root, "other", [item for item, _ in items], tables=tuple(score for _, score in items))
    targets = {name: np.array([found[item.path][name] for item, _ in items]) for name in TARGETS}
    return Pairs(evidence.settled(corpus), [score for _, score in items], targets, left_out)


def measured(recording: Path, score: Path) -> dict[str, float]:
    """Loudness of a recording, tempo and register of its score. Raises AudioError, MidiError for what has none."""
    samples = audio.load(recording, RATE, allow_short=True)
    power = float(np.mean(np.square(samples, dtype=np.float64)))
    if power == 0:
        raise AudioError(f"{recording}: silent from beginning to end")
    song = midi.read(score)
    parts = [part for part in song.instruments if not part.is_drum]
    pitch = np.concatenate([part.pitch for part in parts] or [[]])
    length = np.concatenate([song.seconds(part.end) - song.seconds(part.start) for part in parts] or [[]])
    seconds = float(song.seconds(song.end_tick))
    if not seconds or not length.sum():
        raise MidiError(f"{score}: no note with a pitch in it")
    return {"loudness": 10 * np.log10(power), "tempo": 60 * song.end_tick / song.resolution / seconds,
            "register": float(np.average(pitch, weights=length))}


def synthetic(pairs: Pairs) -> bool:
    """Whether the demo wrote any of it."""
    return pairs.corpus.evidence == "demo" or finding.marker_of(pairs.corpus.root) is not None


@dataclass(frozen=True)
class Plain:
    """Features of pieces without any learning: the mean clip of each, and clips that axes are fitted to.

    Attributes:
        means: (pieces, values). clips: (clips, values). pieces: (clips,) the piece that each clip is of.
    """

    means: np.ndarray
    clips: np.ndarray
    pieces: np.ndarray


def plain(pairs: Pairs, used: np.ndarray, kind: str) -> Plain:
    """Mel images ("recordings") or piano rolls ("scores") of the pieces `used`, which are numbered anew from 0.

    A piece is at least one clip, filled up with nothing; of long ones 16 clips, evenly spread, stand beside the mean.
    """
    paths, cut = (pairs.recordings, mel_clips) if kind == "recordings" else (pairs.scores, roll_clips)
    means, kept, numbers = [], [], []
    for number, row in enumerate(progress(used, f"plain features of {kind}", "piece")):
        clips = cut(paths[row])
        chosen = np.unique(np.linspace(0, len(clips) - 1, MOST_CLIPS).round().astype(int))
        means.append(clips.mean(axis=0))
        kept.append(clips[chosen])
        numbers += [number] * len(chosen)
    return Plain(np.stack(means), np.concatenate(kept), np.array(numbers))


def mel_clips(path: Path, bands: int = 48, frames: int = 64) -> np.ndarray:
    """Clips of two seconds of the mel spectrogram in dB, at least -100: (clips, bands * frames) float32."""
    from common import inversion

    mel = inversion.mel_power(audio.load(path, RATE, allow_short=True), RATE, 1024, 512, bands)
    return _cut(np.maximum(inversion.power_to_db(mel), -100.0) + 100.0, frames)


def roll_clips(path: Path, steps: int = 32) -> np.ndarray:
    """Clips of two bars in sixteenths: which of 128 pitches and 128 drums sound, (clips, 256 * steps) float32."""
    song = midi.read(path)
    tick = song.resolution / 4
    roll = np.zeros((256, max(1, int(np.ceil(song.end_tick / tick)))), np.float32)
    for part in song.instruments:
        for start, end, pitch in zip(part.start, part.end, part.pitch, strict=True):
            first = int(start / tick)
            last = first + 1 if part.is_drum else max(first + 1, int(np.ceil(end / tick)))
            roll[int(pitch) + 128 * part.is_drum, first:last] = 1.0
    return _cut(roll, steps)


def _cut(image, width):
    """(rows, any) to (clips, rows * width); what is left over at the end counts where it is all there is."""
    image = np.pad(image, ((0, 0), (0, max(0, width - image.shape[1]))))
    count = image.shape[1] // width
    return image[:, :count * width].reshape(len(image), count, width).transpose(1, 0, 2).reshape(count, -1)
