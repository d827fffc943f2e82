"""Move a piece towards a genre: its codes are drawn to that genre's Gaussian in the plane of the circle (section 3.3).

`python -m papers.musae.edit song.mid --toward jazz --amount 0.5` writes song-toward-jazz.mid, .wav, .png and .npz: the
file itself, of which only the four parts that the model hears are rewritten, in the bars that fit (rewrite.py).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro

from papers.musae import tool
from papers.musae.sample import genre_petal


@dataclass(frozen=True)
class Options:
    """Options of the tool.

    Attributes:
        file: a MIDI file in 4/4, sixteen bars or longer.
        toward: one of the run's genre tags; without it the run's tags are listed.
        amount: 0 leaves the code where it is, 1 moves it to the centre of the genre's Gaussian.
        run: a run's directory; without it the newest complete sound run.
        runs: where runs are looked for.
        output: folder to write to.
    """

    file: tyro.conf.Positional[Path]
    toward: str = ""
    amount: float = 0.5
    run: Path | None = None
    runs: Path = Path("runs")
    output: Path = Path(".")


def edit(options: Any) -> Any:
    """z' = z + amount (mu_genre - z) in the first two dimensions; every sixteen bars that fit."""
    run, store = tool.open_run(options.run, options.runs)
    petal = genre_petal(options.toward, run, store)
    song = tool.read(options.file, run.config, 16)
    tool.report(song)
    from papers.musae import inference, measures, prior, rewrite

    learner = tool.learner(run, store, "16bar-flower")
    windows, numbers = song.windows()
    z = inference.encode(learner, windows)
    before = inference.decode_tokens(learner, z)
    after = inference.decode_tokens(learner, prior.towards(z, petal, run.config.petals, options.amount))
    changed = measures.hamming(before, after).mean()
    print(
        f"{len(numbers)} windows of sixteen bars moved towards {options.toward}; {changed:.1%} of decoded tokens change"
    )
    genre = options.toward.replace("/", "_").replace(" ", "-")
    path = options.output / f"{song.path.stem}-toward-{genre}"
    answers = dict(zip(numbers, np.asarray(after), strict=True))
    for written in rewrite.save(song, answers, run.config, path, f"{song.path.stem} towards {options.toward}"):
        print(written)


if __name__ == "__main__":
    tool.run_tool(Options, __doc__, edit)
