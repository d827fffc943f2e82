"""Any MIDI file through the model and back: what its latent code keeps of every two bars.

`python -m papers.musae.reconstruct song.mid` writes song-reconstruction.mid, .wav and .png.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro

from papers.musae import tool
from papers.musae.data import STEPS_PER_BAR


@dataclass(frozen=True)
class Options:
    """Options of the tool.

    Attributes:
        file: a MIDI file in 4/4 with drums, bass, guitar or piano, and another instrument.
        run: a run's directory; without it the newest complete sound run.
        runs: where runs are looked for.
        output: folder to write to.
    """

    file: tyro.conf.Positional[Path]
    run: Path | None = None
    runs: Path = Path("runs")
    output: Path = Path(".")


def reconstruct(options: Any) -> Any:
    """Encode (mean code) and decode every two bars that fit; bars that do not are left as they are."""
    run, store = tool.open_run(options.run, options.runs)
    song = tool.read(options.file, run.config, 2)
    tool.report(song)
    from papers.musae import inference
    from papers.musae.model import TRACKS

    learner = tool.learner(run, store, "2bar-gaussian")
    windows, numbers = song.windows()
    answers = inference.decode_tokens(learner, inference.encode(learner, windows))
    steps = song.bars * STEPS_PER_BAR
    result = song.tokens.copy()
    for number, answer in zip(numbers, answers, strict=True):
        result[number * steps : (number + 1) * steps] = answer
    shares = ", ".join(
        f"{t} {a:.0%}" for t, a in zip(TRACKS, (answers == windows).mean(axis=(0, 1)), strict=True)
    )
    print(f"{len(numbers)} windows of two bars; tokens right: {shares}")
    path = options.output / f"{song.path.stem}-reconstruction"
    tool.save(result, run.config, path, f"{song.path.stem}, reconstructed", song.tempo)


if __name__ == "__main__":
    tool.run_tool(Options, __doc__, reconstruct)
