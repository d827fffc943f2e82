"""Scores to sound: every note from a few band-limited wavetables, drums from noise and swept sines, a little room.

    samples = render(score, sample_rate=22050)

NumPy and SciPy only, no system synthesizer. The same score gives the same samples on one machine, and the same within
1e-4 elsewhere.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from scipy import signal

from common.demo import percussion
from common.demo.timbres import Timbre, timbre

TABLE = 4096  # samples of one cycle
MAX_PARTIALS = 60
MAX_SECONDS = 3600  # longer scores are refused: a broken MIDI file can claim years
PEAK = 10 ** (-1.5 / 20)


def render(
    score: Any, sample_rate: int, level: float = -20.0, room: float = 0.3, seed: int = 0, squash: float = 0.0
) -> np.ndarray:
    """A pretty_midi score as mono sound, float32 of shape (samples,).

    Args:
        score: a `pretty_midi.PrettyMIDI`.
        sample_rate: samples per second.
        level: root mean square of the result in dB of full scale; lowered where the peak would pass -1.5 dB.
        room: share of reverberation, 0 to 1.
        seed: of the noise in breath, bow and drums.
        squash: 0 leaves the dynamics alone, 1 limits them hard, as loud modern mixes are.

    Raises:
        ValueError: the score is longer than an hour.
    """
    seconds = score.get_end_time()
    if seconds > MAX_SECONDS:
        raise ValueError(f"the score lasts {seconds:.0f} s; at most {MAX_SECONDS} s are rendered")
    mix = np.zeros(int((seconds + 1.0) * sample_rate) + 1, np.float32)
    for number, instrument in enumerate(score.instruments):
        rng = np.random.default_rng([seed, number, instrument.program])
        if instrument.is_drum:
            mix += _drum_track(instrument.notes, len(mix), sample_rate, rng)
        else:
            mix += _tone_track(instrument.notes, timbre(instrument.program), len(mix), sample_rate, rng)
    if room > 0:
        mix += room * signal.oaconvolve(mix, _room(sample_rate))[: len(mix)].astype(np.float32)
    return _levelled(mix, level, squash)


def _levelled(mix: np.ndarray, level: float, squash: float) -> np.ndarray:
    mix = mix - mix.mean()
    scale = float(np.sqrt(np.mean(mix**2)))
    if scale == 0:
        return mix
    if squash > 0:
        drive = mix / scale * (0.2 + 0.6 * squash)
        mix = np.tanh(drive)
        scale = float(np.sqrt(np.mean(mix**2)))
    mix = mix * (10 ** (level / 20) / scale)
    peak = float(np.abs(mix).max())
    return (mix * min(1.0, PEAK / peak)).astype(np.float32)


def _drum_track(notes, length: int, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    track = np.zeros(length, np.float32)
    for note in notes:
        sound = percussion.sound(note.pitch, sample_rate)
        start = int(note.start * sample_rate)
        stop = min(start + len(sound), length)
        track[start:stop] += (note.velocity / 127) ** 1.5 * rng.uniform(0.9, 1.1) * sound[: stop - start]
    return track


def _tone_track(notes, voice: Timbre, length: int, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    track = np.zeros(length, np.float32)
    for note in notes:
        sound = tone(voice, note.pitch, note.end - note.start, note.velocity, sample_rate, rng)
        start = int(note.start * sample_rate)
        stop = min(start + len(sound), length)
        if stop > start:
            track[start:stop] += sound[: stop - start]
    if voice.drive:
        track = np.tanh(track * 10 ** (voice.drive / 20) * 0.25) * 0.35
    if voice.cabinet and voice.cabinet < 0.45 * sample_rate:
        corners = [70, voice.cabinet]
        track = signal.sosfilt(signal.butter(2, corners, "bandpass", fs=sample_rate, output="sos"), track)
    return track.astype(np.float32) * 10 ** (voice.gain / 20)


def tone(
    voice: Timbre, pitch: int, seconds: float, velocity: int, sample_rate: int, rng: np.random.Generator
) -> np.ndarray:
    """One note, float32; longer than `seconds` by the release of the instrument."""
    frequency = 440.0 * 2 ** ((pitch - 69) / 12)
    loudness = velocity / 127
    seconds = max(seconds, voice.attack * 0.5, 0.03)
    length = max(1, int((seconds + voice.release) * sample_rate))
    time = np.arange(length, dtype=np.float32) / np.float32(sample_rate)
    envelope = _envelope(voice, time, seconds)
    bright, dark = _tables(voice, pitch, sample_rate)
    # A loud note is bright, a soft one dark; brass and bowed strings also open up during the attack.
    mixture = np.float32(np.clip(0.15 + 0.85 * loudness, 0, 1))
    if voice.swell:
        mixture = mixture * (1 - voice.swell * np.exp(-time / np.float32(2.5 * voice.attack)))
    output = np.zeros(length, np.float32)
    for player in range(voice.voices):
        cents = (player - (voice.voices - 1) / 2) * voice.detune + rng.normal(0, 1.5)
        phase = _phase(voice, frequency * 2 ** (cents / 1200), time, rng)
        index = (phase * TABLE).astype(np.int64) & (TABLE - 1)
        if voice.decay:
            output += _decaying(voice, bright, dark, index, phase, time, mixture, pitch)
        else:
            output += dark[index] + mixture * (bright[index] - dark[index])
    output *= envelope * np.float32(loudness**1.3 * 0.25 / np.sqrt(voice.voices))
    if voice.tremolo:
        output *= 1 - voice.tremolo * (0.5 + 0.5 * np.sin(2 * np.pi * voice.vibrato[0] * time, dtype=np.float32))
    return _noisy(voice, output, envelope, loudness, sample_rate, rng)


def _decaying(voice: Timbre, bright, dark, index, phase, time, mixture, pitch: int) -> np.ndarray:
    """Struck and plucked: the lowest partials last, the upper ones (bright less dark) die away first."""
    lasting = voice.decay * 2 ** ((69 - pitch) / 24)
    slow = np.exp(time * np.float32(-6.9 / lasting))
    fast = np.exp(time * np.float32(-6.9 / lasting * 6**voice.decay_tilt))
    lower = dark[index]
    if voice.inharmonicity:  # a second string, slightly off, makes the tone beat
        second = (phase * (2 ** (voice.inharmonicity / 1200) * TABLE)).astype(np.int64) & (TABLE - 1)
        lower = 0.6 * lower + 0.4 * dark[second]
    return lower * slow + mixture * (bright[index] - dark[index]) * fast


def _envelope(voice: Timbre, time: np.ndarray, seconds: float) -> np.ndarray:
    rise = np.minimum(time / np.float32(max(voice.attack, 1e-3)), 1)
    rise = rise * rise * (3 - 2 * rise)
    fall = np.clip(1 - (time - np.float32(seconds)) / np.float32(voice.release), 0, 1)
    return rise * fall * fall


def _phase(voice: Timbre, frequency: float, time: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Cycles since the start, vibrato included, float64."""
    phase = time.astype(np.float64) * frequency + rng.uniform()
    rate, cents, delay = voice.vibrato
    if cents and time[-1] > delay:
        rate = rate * rng.uniform(0.92, 1.08)
        swing = frequency * (2 ** (cents / 1200) - 1) / (2 * np.pi * rate) * np.clip((time - delay) / 0.3, 0, 1)
        phase += swing * np.sin(2 * np.pi * rate * (time - delay))
    return phase


def _noisy(voice: Timbre, output, envelope, loudness: float, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """Breath or bow noise under the whole tone, and the noise of the attack."""
    level, centre, width = voice.noise
    noise = noise_band(centre if level > -80 else 3000.0, width if level > -80 else 2.0, sample_rate)
    start = int(rng.integers(0, len(noise) - 1))
    if level > -80:
        piece = (
            np.resize(noise[start:], len(output))
            if start + len(output) > len(noise)
            else noise[start : start + len(output)]
        )
        output += piece * envelope * np.float32(10 ** (level / 20) * loudness)
    if voice.chiff[0] > -80:
        length = min(len(output), int(3 * voice.chiff[1] * sample_rate))
        start = start % (len(noise) - length)
        burst = np.exp(-np.arange(length, dtype=np.float32) / np.float32(voice.chiff[1] * sample_rate))
        output[:length] += (
            noise[start : start + length] * burst * np.float32(10 ** (voice.chiff[0] / 20) * loudness**1.5)
        )
    return output


@lru_cache(maxsize=4096)
def _tables(voice: Timbre, pitch: int, sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
    """One cycle played loud and one played soft, float32, free of partials above half the sample rate."""
    frequency = 440.0 * 2 ** ((pitch - 69) / 12)
    count = int(np.clip(0.47 * sample_rate / frequency, 1, MAX_PARTIALS))
    loud = voice.table_levels(frequency, count)
    numbers = np.arange(1, count + 1)
    if voice.decay:
        soft = np.where(numbers <= 3, loud, 0)
    else:
        soft = loud * 10 ** (-(voice.soft_tilt + 6) * np.log2(numbers) / 20)
    # Fixed scattered phases keep the crest factor low and the cycle the same everywhere.
    phases = 2 * np.pi * ((numbers * numbers * 0.381966) % 1.0)
    scale = 1 / np.sqrt(np.sum(loud**2) / 2)
    cycles = []
    for levels in (loud, soft):
        spectrum = np.zeros(TABLE // 2 + 1, complex)
        spectrum[1 : count + 1] = levels * np.exp(1j * phases)
        cycles.append((np.fft.irfft(spectrum) * (TABLE / 2) * scale).astype(np.float32))
    return cycles[0], cycles[1]


@lru_cache(maxsize=64)
def noise_band(centre: float, width: float, sample_rate: int) -> np.ndarray:
    """Four seconds of noise around `centre` Hz, `width` octaves to either side, unit root mean square, float32."""
    length = 4 * sample_rate
    rng = np.random.default_rng([int(centre), int(width * 1000), sample_rate])
    spectrum = np.fft.rfft(rng.standard_normal(length))
    hertz = np.maximum(np.fft.rfftfreq(length, 1 / sample_rate), 1.0)
    noise = np.fft.irfft(spectrum * np.exp(-0.5 * (np.log2(hertz / centre) / width) ** 2), length)
    return (noise / np.sqrt(np.mean(noise**2))).astype(np.float32)


@lru_cache(maxsize=4)
def _room(sample_rate: int) -> np.ndarray:
    """Impulse response of a medium hall without the direct sound: a second of decaying, darkening noise."""
    length = int(1.1 * sample_rate)
    rng = np.random.default_rng([7, sample_rate])
    time = np.arange(length) / sample_rate
    tail = rng.standard_normal(length) * np.exp(-time * 6.9 / 1.1) * np.minimum(time / 0.012, 1)
    tail = signal.sosfilt(signal.butter(1, min(3500, 0.4 * sample_rate), fs=sample_rate, output="sos"), tail)
    return (tail / np.sqrt(np.sum(tail**2))).astype(np.float32)
