"""Recordings to mel spectrograms: common.audio and common.inversion against the plain loop with librosa.

    python -m benchmarks.reading [--music FOLDER]

MP3s of 30 s in stereo at 44.1 kHz (made up, or those of a folder) become mono at 32,768 Hz and mel spectrograms of 512
bands, as fma_interpolation reads them; one thread. The second row is the same in two processes against one.
"""

import argparse
import os
import tempfile
from pathlib import Path

import joblib
import librosa
import numpy as np
import soundfile

from benchmarks import timing
from common import audio, inversion

RATE, N_FFT, HOP, BANDS = 32768, 4096, 256, 512


def made_up(place: Path, count: int, seconds: float) -> list[Path]:
    """MP3 files: tones that move over noise that swells."""
    paths, time = [], np.arange(int(44100 * seconds)) / 44100
    for number in range(count):
        random = np.random.default_rng(number)
        tones = sum(np.sin(2 * np.pi * f * time + 3 * np.sin(f / 99 * time)) for f in random.uniform(80, 2000, 8)) / 20
        noise = 0.05 * random.standard_normal((len(time), 2)) * (1 + np.sin(2 * np.pi * time / 2))[:, None]
        paths.append(place / f"{number}.mp3")
        soundfile.write(paths[-1], tones[:, None] + noise, 44100)
    return paths


def ours(path: Path) -> np.ndarray:
    """Mel power (bands, frames) by this project's reader."""
    return inversion.mel_power(audio.load(path, RATE, allow_short=True), RATE, N_FFT, HOP, BANDS)


def peer(path: Path) -> np.ndarray:
    """The same by librosa."""
    samples, _ = librosa.load(path, sr=RATE)
    return librosa.feature.melspectrogram(y=samples, sr=RATE, n_fft=N_FFT, hop_length=HOP, n_mels=BANDS,
                                          pad_mode="constant")


def check(path: Path) -> float:
    """How far both are apart, over the largest value.

    Raises:
        AssertionError: they are not the same spectrogram.
    """
    a, b = ours(path), peer(path)
    assert a.shape == b.shape and np.allclose(a, b, atol=1e-3 * b.max(), rtol=0.05), path
    return float(np.abs(a - b).max() / b.max())


def _measure(path: Path) -> int:
    return len(ours(path))


def rows(tiny: bool = False, music: Path | None = None) -> list[dict]:
    """Two rows: one process against librosa, two processes against one."""
    count, length, rounds = (2, 2.0, 2) if tiny else (12, 30.0, 5)
    with tempfile.TemporaryDirectory() as place:
        paths = sorted(music.rglob("*.mp3"))[:count] if music else made_up(Path(place), count, length)
        apart = check(paths[0])
        some = paths[:4]
        mine, theirs = timing.in_turn(rounds, lambda: [ours(path) for path in some], lambda: [peer(p) for p in some])
        found = [timing.times_as_fast("reading", "MP3 of 30 s decoded, resampled, to mel, against librosa", mine,
                                      theirs, 1.5, largest_difference=apart)]
        work = [joblib.delayed(_measure)(path) for path in paths]
        with joblib.Parallel(2) as two:
            mine, theirs = timing.in_turn(rounds, lambda: two(work), lambda: joblib.Parallel(1)(work),
                                          wall=True)
        if len(os.sched_getaffinity(0)) < 2:
            return [*found, timing.left_out("reading", "the same in two processes", "this machine has one core")]
        return [*found, timing.times_as_fast("reading", "the same in two processes, against one", mine, theirs, 1.8)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--music", type=Path, help="MP3s, searched below this folder")
    print("\n".join(map(timing.line, rows(music=parser.parse_args().music))))


if __name__ == "__main__":
    main()
