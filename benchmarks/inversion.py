"""Mel-to-audio inversion: time and error of common.inversion against librosa, on the same excerpts in one run.

    python -m benchmarks.inversion [--music FOLDER] [--seconds 5] [--files 12]

Without a folder the recordings are those of the demo GTZAN.

The error is ||sqrt(mel of the result) - sqrt(mel)|| / ||sqrt(mel)||, and the mean absolute error of the images in dB
(80 dB below the loudest cell are the floor); settings are those of fma_interpolation (32,768 Hz, n_fft 4096, hop 256,
512 bands). librosa runs with its defaults (NNLS, 32 Griffin-Lim iterations).
"""

import argparse
from pathlib import Path

import librosa
import numpy as np

from benchmarks import timing
from common import audio, demo, inversion
from common.errors import AudioError

RATE, N_FFT, HOP, BANDS = 32768, 4096, 256, 512
SKIPPED = 8.0  # seconds: what begins softly is at work by then


def excerpts(folder: Path | None, files: int, seconds: float) -> dict[str, np.ndarray]:
    """{name: samples} of up to so many recordings; damaged and short ones are left out."""
    place = folder or Path(demo.find(None, "gtzan", "smoke").root)
    found = {}
    for path in sorted(path for path in place.rglob("*") if path.suffix in {".mp3", ".ogg", ".flac", ".wav", ".au"}):
        try:
            samples = audio.load(path, RATE, duration=SKIPPED + seconds + 1)
        except AudioError:
            continue
        if len(samples) > RATE * (seconds + 1):
            start = min(int(SKIPPED * RATE), len(samples) - int(RATE * seconds))
            found[path.stem] = samples[start:start + int(RATE * seconds)]
        if len(found) == files:
            break
    return found


def decibel_error(samples: np.ndarray, mel: np.ndarray) -> float:
    """Mean absolute difference of the images of sound and spectrogram, in dB."""
    again = inversion.mel_power(samples, RATE, N_FFT, HOP, BANDS)[:, :mel.shape[1]]
    image, wanted = (np.maximum(inversion.power_to_db(power, mel.max()), -80) for power in (again, mel))
    return float(np.abs(image - wanted).mean())


def errors(samples: np.ndarray, mel: np.ndarray) -> tuple[float, float]:
    """Relative error and error in dB."""
    return inversion.relative_mel_error(samples, mel, RATE, N_FFT, HOP), decibel_error(samples, mel)


def rows(tiny: bool = False, music: Path | None = None, files: int = 0, seconds: float = 5.0) -> list[dict]:
    """Three rows: how many times as fast, and both errors over librosa's; a round is a recording.

    `files`: so many recordings; 0: four of the demo corpus, twelve of a folder.
    """
    files, seconds = (2, 0.5) if tiny else (files or (12 if music else 4), seconds)
    stft, clips = {"sr": RATE, "n_fft": N_FFT, "hop_length": HOP}, []
    librosa.feature.inverse.mel_to_audio(np.ones((BANDS, 9), np.float32), **stft, n_iter=1)
    inversion.mel_to_audio(np.ones((BANDS, 9), np.float32), RATE, N_FFT, HOP, iterations=1)
    for name, samples in excerpts(music, files, seconds).items():
        mel, made = inversion.mel_power(samples, RATE, N_FFT, HOP, BANDS), {}

        def ours(mel=mel, made=made):
            made["ours"] = inversion.mel_to_audio(mel, RATE, N_FFT, HOP)

        def peer(mel=mel, made=made):
            made["peer"] = librosa.feature.inverse.mel_to_audio(mel, **stft)

        (taken,), (theirs,) = timing.in_turn(1, ours, peer, warm=0)
        clips.append({"clip": name, "ours_seconds": taken, "peer_seconds": theirs,
                      "ours_errors": errors(made["ours"], mel), "peer_errors": errors(made["peer"], mel)})
    what = f"{seconds:g} s of mel spectrogram to sound, against librosa; {music.name if music else 'demo GTZAN'}"
    found = [timing.times_as_fast("inversion", what, [one["ours_seconds"] for one in clips],
                                  [one["peer_seconds"] for one in clips], 10, clips=clips)]
    for number, kind in enumerate(("relative error", "error in dB")):
        ratios = [one["ours_errors"][number] / one["peer_errors"][number] for one in clips]
        found.append(timing.row("inversion", f"its {kind}, over librosa's", ratios, "of librosa's", 1.0, upward=False))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--music", type=Path, help="recordings, searched below this folder")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of each excerpt")
    parser.add_argument("--files", type=int, default=12, help="how many recordings")
    options = parser.parse_args()
    found = rows(False, options.music, options.files, options.seconds)
    print(f"{'':32}{'librosa':>25}{'ours':>27}{'times as fast':>15}")
    for one in found[0]["detail"]["clips"]:
        print(f"{one['clip'][:30]:32}" + "".join("{:8.2f} s {:7.4f} {:6.3f} dB".format(
            one[f"{who}_seconds"], *one[f"{who}_errors"]) for who in ("peer", "ours")) +
            f"{one['peer_seconds'] / one['ours_seconds']:12.1f}")
    print("\n".join(map(timing.line, found)))


if __name__ == "__main__":
    main()
