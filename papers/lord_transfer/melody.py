"""What is left of the notes: chroma, pitch contours, onsets and bass of images and sound. Arrays in, numbers out.

Images are (bands, frames) in [0, 1].
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from papers.lord_transfer import sound
from papers.lord_transfer.config import Config


@lru_cache(maxsize=8)
def _chroma_filters(sample_rate, fft_size):
    import librosa

    return librosa.filters.chroma(sr=sample_rate, n_fft=fft_size)


def chroma(image: np.ndarray, config: Config) -> np.ndarray:
    """Chroma (12, frames), columns of length 1 (0 where silent); no Griffin-Lim in between."""
    power = sound.linear_power(sound.mel_power(image, 1.0, config), config)
    values = _chroma_filters(config.sample_rate, config.fft_size) @ power
    return values / np.maximum(np.linalg.norm(values, axis=0, keepdims=True), 1e-12)


def onsets(image: np.ndarray, config: Config) -> int:
    """How many onsets a clip has: the measure of how simple a melody is. A rise counts from 1 dB over all bands."""
    import librosa

    decibels = config.dynamic_range * (image - 1)
    strength = librosa.onset.onset_strength(S=decibels, sr=config.sample_rate, hop_length=config.hop)
    # not normalised: librosa would find onsets in the ripple of a steady tone
    return len(librosa.onset.onset_detect(onset_envelope=strength, sr=config.sample_rate, hop_length=config.hop,
                                          normalize=False, delta=1.0))


def bass_share(image: np.ndarray, config: Config, below: float = 250.0) -> float:
    """Energy below 250 Hz over all energy, in dB."""
    import librosa

    centres = librosa.mel_frequencies(config.bands + 2, fmin=0, fmax=config.sample_rate / 2)[1:-1]
    power = sound.mel_power(image, 1.0, config)
    return float(10 * np.log10(power[centres < below].sum() / power.sum()))


def pitch(samples: np.ndarray, config: Config) -> np.ndarray:
    """Fundamental frequency in Hz per frame by pYIN, NaN where unvoiced."""
    import librosa

    return librosa.pyin(samples, fmin=65.4, fmax=2093.0, sr=config.sample_rate, frame_length=2048, hop_length=1024)[0]


def pitch_agreement(one: np.ndarray, other: np.ndarray) -> float:
    """Share of the frames voiced in `one` in which `other` has the same pitch class within 50 cents; NaN without any.
    """
    length = min(len(one), len(other))
    one, other = one[:length], other[:length]
    voiced = ~np.isnan(one)
    if not voiced.any():
        return float("nan")
    with np.errstate(invalid="ignore"):
        cents = 1200 * np.log2(other[voiced] / one[voiced])
    distance = np.abs((cents + 600) % 1200 - 600)
    return float(np.mean(np.nan_to_num(distance, nan=600) <= 50))


def chromas(images: np.ndarray, config: Config) -> np.ndarray:
    """Chroma (n, 12, frames) of images (n, bands, frames, channels)."""
    return np.stack([chroma(image[..., 0], config) for image in images])


def pitch_measures(images: np.ndarray, transfers: Sequence[np.ndarray] | np.ndarray, classes: np.ndarray,
                   config: Config, clips: int) -> dict[str, np.ndarray]:
    """Pitch contours of some clips and of their transfer to the next class, two clips of a class at a time.

    Returns {"picked": clip numbers, "own": agreement with the source, "rival": with the other clip of its class}.
    """
    pairs = [np.flatnonzero(classes == number)[[0, -1]] for number in np.unique(classes)]
    picked = np.concatenate([pair for pair in pairs if pair[0] != pair[1]] or [np.array([], int)])[:clips]
    picked = picked[:len(picked) // 2 * 2]
    sources = [pitch(sound.to_audio(images[i, ..., 0], 1.0, config), config) for i in picked]
    moved = [pitch(sound.to_audio(transfers[(classes[i] + 1) % len(transfers)][i, ..., 0], 1.0, config), config)
             for i in picked]
    rivals = np.arange(len(picked)) ^ 1  # the other of its pair
    return {"picked": picked,
            "own": np.array([pitch_agreement(sources[k], moved[k]) for k in range(len(picked))]),
            "rival": np.array([pitch_agreement(sources[rivals[k]], moved[k]) for k in range(len(picked))])}


# ---- note by note, where what is played is known ----------------------------------------------------------------

LOWEST, HIGHEST = 44, 96  # MIDI pitches that are looked for
HARMONICS = 8


@lru_cache(maxsize=8)
def _pitch_filters(bands, sample_rate):
    """(pitches, bands): at the harmonics of a pitch, minus half of what lies midway between them."""
    import librosa

    centres = librosa.mel_frequencies(bands + 2, fmin=0, fmax=sample_rate / 2)[1:-1]
    found = np.zeros((HIGHEST - LOWEST + 1, bands))
    for row, pitch in zip(found, range(LOWEST, HIGHEST + 1), strict=True):
        for harmonic in range(1, HARMONICS + 1):
            for number, weight in ((harmonic, 1.0), (harmonic - 0.5, -0.5), (harmonic + 0.5, -0.5)):
                place = np.interp(number * 440 * 2 ** ((pitch - 69) / 12), centres, np.arange(bands))
                below = int(min(place, bands - 2))
                row[below:below + 2] += weight / np.sqrt(harmonic) * np.array([1 - place + below, place - below])
    return found


def tracked(images: np.ndarray, config: Config) -> np.ndarray:
    """The pitch of a single line: MIDI numbers (n, frames) of images (n, bands, frames, channels), by harmonic sum."""
    salience = np.einsum("pb,nbf->npf", _pitch_filters(config.bands, config.sample_rate), images[..., 0])
    return LOWEST + salience.argmax(axis=1)


def note_agreement(scores: list[list[tuple[int, int, int]]], pitches: np.ndarray) -> np.ndarray:
    """[source, transfer]: share of the time of a source's notes that a transfer has their pitch, beyond other times.

    Share of a note's frames in which the transfer has its pitch, to a semitone and octaves ignored, minus the share of
    all frames in which it has that pitch; mean over the frames of all notes. A key that is kept, a chord held for the
    whole clip or notes in another order get nothing. NaN for a source without a note.

    Args:
        scores: of each source, rows of (first frame, frame after the last, MIDI pitch).
        pitches: (n, frames) of `tracked`.
    """
    found = np.full((len(scores), len(pitches)), np.nan)
    for source, score in enumerate(scores):
        if score:
            found[source] = 0
        for first, last, pitch in score:
            has = np.abs((pitches - pitch + 6) % 12 - 6) <= 1
            found[source] += has[:, first:last].sum(axis=1) - (last - first) * has.mean(axis=1)
        found[source] /= max(1, sum(last - first for first, last, _ in score))
    return found


def in_frames(notes: np.ndarray, frames: int, config: Config) -> list[tuple[int, int, int]]:
    """Rows of (first frame, frame after the last, MIDI pitch) of notes (n, 3): onset and end in seconds, pitch."""
    times = np.round(np.asarray(notes).reshape(-1, 3)[:, :2] * config.sample_rate / config.hop).astype(int)
    first = np.clip(times[:, 0], 0, frames - 1)
    return [(start, max(start + 1, min(end, frames)), int(note[2]))
            for start, end, note in zip(first, times[:, 1], notes, strict=True)]


# ---- does a transfer follow its source ---------------------------------------------------------------------------

def courses(images: np.ndarray) -> np.ndarray:
    """Level over time (n, 1, frames): the mean over the bands of images (n, bands, frames, channels)."""
    return images[..., 0].mean(axis=1, keepdims=True)


def moving(values: np.ndarray) -> np.ndarray:
    """Only what changes: (n, rows, frames) minus each row's mean over time, each item of length 1 (0 if nothing does).

    A clip's key, level and spectrum are gone; a filter without a note in it has nothing left.
    """
    centred = values - values.mean(axis=-1, keepdims=True)
    length = np.sqrt(np.sum(centred**2, axis=(1, 2), keepdims=True))
    return np.where(length > 1e-6 * np.sqrt(values[0].size), centred / np.maximum(length, 1e-12), 0.0)


def following(sources: np.ndarray, made: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
    """[target, source, transfer] correlation of what moves in sources (n, …) and in transfers (targets, n, …)."""
    flat = moving(sources).reshape(len(sources), -1)
    return np.stack([flat @ moving(found).reshape(len(found), -1).T for found in made])


def ahead_of_rivals(agreement: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """(targets, n): share of the other sources of its class that a transfer agrees with less than with its own.

    Ties count half, so that 0.5 is what an answer gets that ignores its source. NaN where the class has one clip.

    Args:
        agreement: [target, source, transfer]; NaN for a source that nothing can agree with. classes: (n,) of sources.
    """
    own, rivals = _own_and_rivals(agreement, classes)
    difference = agreement - own[:, None]
    behind = ((difference < -1e-9) + 0.5 * (np.abs(difference) <= 1e-9)) * rivals
    with np.errstate(invalid="ignore"):
        return np.where(np.isnan(own), np.nan, behind.sum(axis=1) / rivals.sum(axis=0))


def excess_over_rivals(agreement: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """(targets, n): agreement with its own source minus the mean with the other sources of its class; NaN if none."""
    own, rivals = _own_and_rivals(agreement, classes)
    with np.errstate(invalid="ignore", divide="ignore"):
        return own - np.where(rivals, agreement, 0).sum(axis=1) / rivals.sum(axis=0)


def _own_and_rivals(agreement, classes):
    """(targets, n) agreement with the own source; [source, transfer] whether a source is another of the same class."""
    every = np.arange(len(classes))
    rivals = (classes[:, None] == classes) & (every[:, None] != every) & ~np.isnan(agreement[0, :, :1])
    return agreement[:, every, every], rivals
