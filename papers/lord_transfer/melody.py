"""What is left of the notes: chroma, pitch contours, onsets and bass of images and sound. Arrays in, numbers out.

Images are (bands, frames) in [0, 1].
"""

from functools import lru_cache

import numpy as np

from papers.lord_transfer import sound
from papers.lord_transfer.config import Config


@lru_cache(maxsize=8)
def _chroma_filters(sample_rate, fft_size):
    import librosa

    return librosa.filters.chroma(sr=sample_rate, n_fft=fft_size)


def chroma(image, config: Config):
    """Chroma (12, frames), columns of length 1 (0 where silent); no Griffin-Lim in between."""
    power = sound.linear_power(sound.mel_power(image, 1.0, config), config)
    values = _chroma_filters(config.sample_rate, config.fft_size) @ power
    return values / np.maximum(np.linalg.norm(values, axis=0, keepdims=True), 1e-12)


def chroma_agreement(one, other):
    """Mean cosine of two chroma arrays, frame by frame."""
    return float(np.mean(np.sum(one * other, axis=0)))


def chroma_agreements(ones, others):
    """chroma_agreement of every one (n, 12, frames) with every other (m, 12, frames): (n, m)."""
    return ones.reshape(len(ones), -1) @ others.reshape(len(others), -1).T / ones.shape[-1]


def onsets(image, config: Config):
    """How many onsets a clip has: the measure of how simple a melody is. A rise counts from 1 dB over all bands."""
    import librosa

    decibels = config.dynamic_range * (image - 1)
    strength = librosa.onset.onset_strength(S=decibels, sr=config.sample_rate, hop_length=config.hop)
    # not normalised: librosa would find onsets in the ripple of a steady tone
    return len(librosa.onset.onset_detect(onset_envelope=strength, sr=config.sample_rate, hop_length=config.hop,
                                          normalize=False, delta=1.0))


def bass_share(image, config: Config, below=250.0):
    """Energy below 250 Hz over all energy, in dB."""
    import librosa

    centres = librosa.mel_frequencies(config.bands + 2, fmin=0, fmax=config.sample_rate / 2)[1:-1]
    power = sound.mel_power(image, 1.0, config)
    return float(10 * np.log10(power[centres < below].sum() / power.sum()))


def pitch(samples, config: Config):
    """Fundamental frequency in Hz per frame by pYIN, NaN where unvoiced."""
    import librosa

    return librosa.pyin(samples, fmin=65.4, fmax=2093.0, sr=config.sample_rate, frame_length=2048, hop_length=1024)[0]


def pitch_agreement(one, other):
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


def chromas(images, config: Config):
    """Chroma (n, 12, frames) of images (n, bands, frames, channels)."""
    return np.stack([chroma(image[..., 0], config) for image in images])


def chroma_measures(images, transfers, classes, config: Config):
    """Chroma agreement of sources with their transfers, each against other sources.

    Returns {"chroma", "chroma_shuffled", "chroma_identity", "ahead" (share of the other sources of its class that
    agree less with a transfer than its own does; 0.5 where transfers do not follow their source), "own" (n,) of
    transfers to other classes}; "ahead" is (targets, n), NaN where there is nothing to compare.
    """
    count, every = len(transfers), np.arange(len(images))
    sources = chromas(images, config)
    # [target, source, transfer]: every source with every transfer
    agreement = np.stack([chroma_agreements(sources, chromas(found, config)) for found in transfers])
    with_own = agreement[:, every, every]  # (targets, n)
    different = np.arange(count)[:, None] != classes  # transfers to another class
    own = np.array([with_own[different[:, i], i].mean() for i in every])
    shuffled = agreement[:, (every + len(images) // 2) % len(images), every]
    rivals = (classes[:, None] == classes) & (every[:, None] != every)  # [source, transfer]
    behind = ((agreement < with_own[:, None]) & rivals).sum(axis=1) / np.maximum(1, rivals.sum(axis=0))
    return {"own": own, "identity": with_own[classes, every],
            "shuffled": np.array([shuffled[different[:, i], i].mean() for i in every]),
            "ahead": np.where(different & rivals.any(axis=0), behind, np.nan)}


def pitch_measures(images, transfers, classes, config: Config, clips):
    """Pitch-contour agreement of some clips with their transfer to the next class: {"own", "shuffled"}, (clips,)."""
    picked = np.linspace(0, len(images) - 1, min(clips, len(images))).round().astype(int)
    contours = []
    for i in picked:
        target = (classes[i] + 1) % len(transfers)
        contours.append([pitch(sound.to_audio(image[..., 0], 1.0, config), config)
                         for image in (images[i], transfers[target][i])])
    own = [pitch_agreement(source, moved) for source, moved in contours]
    shuffled = [pitch_agreement(contours[(i + 1) % len(contours)][0], moved) for i, (_, moved) in enumerate(contours)]
    return {"picked": picked, "own": np.array(own), "shuffled": np.array(shuffled)}
