"""Are the synthetic instruments recognisable? `python -m benchmarks.timbres`

For each instrument of Medley-solos-DB, solos from the demo's composer are rendered by `common.demo.synthesis` and, from
the same notes, by FluidSynth with TimGM6mb.sf2 (which comes with pretty_midi) as each of the eight instruments. The
rendering nearest in log-mel should be the right instrument. FluidSynth must be installed (Debian: apt install
fluidsynth); Encore itself does not use it.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import librosa
import numpy as np
import pretty_midi
import soundfile

from common.demo import composer, players, synthesis

SAMPLE_RATE = 22050
SECONDS = 10
SOLOS = 3
CHOIR_AAHS = 52  # the SoundFont's open vowel; its "voice oohs" (53) is nearly a sine
SOUNDFONT = Path(pretty_midi.__file__).parent / "TimGM6mb.sf2"


def log_mel(samples: np.ndarray) -> np.ndarray:
    """Mel spectrogram in dB, shape (64, frames), 60 dB below its maximum cut off, mean zero."""
    mel = librosa.feature.melspectrogram(y=samples, sr=SAMPLE_RATE, n_mels=64, fmax=8000)
    decibel = librosa.power_to_db(mel, ref=np.max, top_db=60)
    return decibel - decibel.mean()


def fluidsynth(score: pretty_midi.PrettyMIDI, program: int, folder: Path) -> np.ndarray:
    """The score's melody played by `program` of the SoundFont, without effects."""
    score.instruments[0].program = program
    score.write(str(folder / "score.mid"))
    settings = ["-ni", "-g", "0.6", "-r", str(SAMPLE_RATE), "-R", "0", "-C", "0", "-F", str(folder / "sound.wav")]
    command = ["fluidsynth", *settings, str(SOUNDFONT), str(folder / "score.mid")]
    subprocess.run(command, check=True, capture_output=True)
    return soundfile.read(folder / "sound.wav", always_2d=True)[0].mean(axis=1)


def distances(instrument: str, folder: Path) -> np.ndarray:
    """Mean absolute difference in dB between ours and each of the SoundFont's instruments, mean over solos: (8,)."""
    total = np.zeros(len(players.SOLOISTS))
    for solo in range(SOLOS):
        rng = np.random.default_rng([solo, 17])
        score = composer.compose(players.soloist(instrument, rng), rng, SECONDS, only=("melody",))
        ours = log_mel(synthesis.render(score, SAMPLE_RATE, room=0.0))
        for place, (program, _, _) in enumerate(players.SOLOISTS.values()):
            theirs = log_mel(fluidsynth(score, CHOIR_AAHS if program == 53 else program, folder))
            frames = min(ours.shape[1], theirs.shape[1])
            total[place] += np.abs(ours[:, :frames] - theirs[:, :frames]).mean() / SOLOS
    return total


def main() -> int:
    """Print the distances and how many of the eight instruments are recognised; six are wanted."""
    if not shutil.which("fluidsynth"):
        print("not run: fluidsynth is not installed (Debian: apt install fluidsynth)")
        return 0
    names = list(players.SOLOISTS)
    right = 0
    print(f"{'ours, dB from FluidSynth as':28}" + "".join(f"{name.split()[-1][:9]:>10}" for name in names) + "   ratio")
    with tempfile.TemporaryDirectory() as folder:
        for number, name in enumerate(names):
            row = distances(name, Path(folder))
            ratio = row[number] / np.delete(row, number).min()
            right += ratio < 1
            cells = "".join(f"{value:10.2f}" for value in row)
            print(f"{name:28}{cells}{ratio:8.2f}{'' if ratio < 1 else '  wrong'}")
    print(f"{right} of {len(names)} recognised (ratio: own instrument against the nearest other; below 1 is right)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
