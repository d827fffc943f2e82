"""Mel-to-audio inversion: time and error of common.inversion against librosa, on the same excerpts in one run.

    python -m benchmarks.inversion [FOLDER_WITH_MUSIC] [--seconds 2] [--files 8]

Without a folder the recordings are those of the demo GTZAN.

The error is ||sqrt(mel of the result) - sqrt(mel)|| / ||sqrt(mel)||; settings are those of fma_interpolation
(32,768 Hz, n_fft 4096, hop 256, 512 bands). librosa runs with its defaults (NNLS, 32 Griffin-Lim iterations).
"""

import argparse
import time
from pathlib import Path

import librosa
import numpy as np

from common import demo, inversion

RATE, N_FFT, HOP, BANDS = 32768, 4096, 256, 512


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="recordings, searched below this folder")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of each excerpt")
    parser.add_argument("--files", type=int, default=8, help="how many recordings")
    options = parser.parse_args()
    folder = options.folder or Path(demo.find(None, "gtzan").root)
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in {".mp3", ".ogg", ".flac", ".wav"})
    if not files:
        parser.error(f"{folder} holds no mp3, ogg, flac or wav file")
    print(f"{'':32}{'librosa':>18}{'ours':>18}{'error ratio':>13}{'times as fast':>15}")
    rows = []
    for path in files[:: max(1, len(files) // options.files)][: options.files]:
        samples, _ = librosa.load(path, sr=RATE, offset=8.0, duration=options.seconds)
        mel = inversion.mel_power(samples, RATE, N_FFT, HOP, BANDS)
        start = time.perf_counter()
        theirs = librosa.feature.inverse.mel_to_audio(mel, sr=RATE, n_fft=N_FFT, hop_length=HOP)
        their_time = time.perf_counter() - start
        start = time.perf_counter()
        ours = inversion.mel_to_audio(mel, RATE, N_FFT, HOP)
        our_time = time.perf_counter() - start
        their_error, our_error = (inversion.relative_mel_error(a, mel, RATE, N_FFT, HOP) for a in (theirs, ours))
        rows.append((their_time, our_time, their_error, our_error))
        print(f"{path.stem[:30]:32}{their_time:8.2f} s {their_error:8.4f}{our_time:8.2f} s {our_error:8.4f}"
              f"{our_error / their_error:13.2f}{their_time / our_time:15.1f}")
    theirs_t, ours_t, theirs_e, ours_e = np.mean(rows, axis=0)
    print(f"{'mean':32}{theirs_t:8.2f} s {theirs_e:8.4f}{ours_t:8.2f} s {ours_e:8.4f}"
          f"{ours_e / theirs_e:13.2f}{theirs_t / ours_t:15.1f}")


if __name__ == "__main__":
    main()
