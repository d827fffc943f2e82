"""From one piece to another through the latent space, two bars at a time (section 4.3).

`python -m papers.musae.interpolate a.mid b.mid --steps 9` writes the steps one after the other as one MIDI file.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro

from papers.musae import tool


@dataclass(frozen=True)
class Options:
    """Options of the tool.

    Attributes:
        first: MIDI file to begin with.
        second: MIDI file to end with.
        steps: how many codes, both ends included.
        window: which two bars of each file that fit, counted from 0.
        run: a run's directory; without it the newest complete sound run.
        runs: where runs are looked for.
        output: folder to write to.
    """

    first: tyro.conf.Positional[Path]
    second: tyro.conf.Positional[Path]
    steps: int = 9
    window: int = 0
    run: Path | None = None
    runs: Path = Path("runs")
    output: Path = Path(".")


def interpolate(options: Any) -> Any:
    """Decode (1 - alpha) z1 + alpha z2 for alpha from 0 to 1 (eq. 19, from the first piece to the second)."""
    if options.steps < 2:
        raise tool.midi.MidiError(f"--steps {options.steps}: two are the least")
    run, store = tool.open_run(options.run, options.runs)
    songs = [tool.read(path, run.config, 2) for path in (options.first, options.second)]
    chosen = []
    for song in songs:
        tool.report(song)
        windows, numbers = song.windows()
        if options.window >= len(windows):
            raise tool.midi.MidiError(f"{song.path}: --window {options.window}, but {len(windows)} windows fit")
        chosen.append(windows[options.window])
        print(f"{song.path}: bars {2 * numbers[options.window] + 1} and {2 * numbers[options.window] + 2}")
    from papers.musae import inference, measures

    learner = tool.learner(run, store, "2bar-gaussian")
    z = inference.encode(learner, np.stack(chosen))
    alphas = np.linspace(0, 1, options.steps)[:, None]
    tokens = inference.decode_tokens(learner, (1 - alphas) * z[0] + alphas * z[1])
    for alpha, step in zip(alphas[:, 0], tokens, strict=True):
        distance = [measures.hamming(step[None], end[None])[0] for end in chosen]
        print(f"alpha {alpha:.2f}: distance to the first {distance[0]:.2f}, to the second {distance[1]:.2f}")
    path = options.output / f"{songs[0].path.stem}-to-{songs[1].path.stem}"
    title = f"{songs[0].path.stem} to {songs[1].path.stem}"
    tool.save(np.concatenate(tokens), run.config, path, title, (songs[0].tempo + songs[1].tempo) / 2)


if __name__ == "__main__":
    tool.run_tool(Options, __doc__, interpolate)
