"""New music from the prior: sixteen bars each, from the Gaussian of one genre or of all (section 3.3).

`python -m papers.musae.sample --genre rock -n 8` writes sample-rock-1.mid and so on, with sound and pictures.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro

from papers.musae import tool


@dataclass(frozen=True)
class Options:
    """Options of the tool.

    Attributes:
        genre: one of the run's genre tags; without it a petal at random for each sample.
        count: how many.
        seed: seed of the draws.
        tempo: quarter notes per minute.
        run: a run's directory; without it the newest complete sound run.
        runs: where runs are looked for.
        output: folder to write to.
    """

    genre: str | None = None
    count: Annotated[int, tyro.conf.arg(aliases=["-n"])] = 4
    seed: int = 0
    tempo: float = 120.0
    run: Path | None = None
    runs: Path = Path("runs")
    output: Path = Path(".")


def genre_petal(genre: str, run: Any, store: Any) -> Any:
    """The petal of a genre tag; raises midi.MidiError that lists the tags there are."""
    names = store.array("genres").tolist()
    known = [name for name in names if name]
    if genre not in known:
        raise tool.midi.MidiError(
            f"genre {genre!r}: this run knows {', '.join(known) or 'none, its corpus has no tags'}"
        )
    rank = names.index(genre)
    return int(store.array("placement")[rank]) if run.config.placement == "related" else rank


def sample(options: Any) -> Any:
    """Draw codes of the flower and decode them."""
    run, store = tool.open_run(options.run, options.runs)
    config, rng = run.config, np.random.default_rng(options.seed)
    if options.genre:
        petal = np.full(options.count, genre_petal(options.genre, run, store))
    else:
        petal = rng.integers(0, config.petals, options.count)
    from papers.musae import inference, prior

    noise = rng.normal(size=(options.count, config.latent)).astype(np.float32)
    z = np.asarray(prior.flower(noise, petal, config.petals, config.radial_variance, config.other_variance))
    for number, tokens in enumerate(inference.decode_tokens(tool.learner(run, store, "16bar-flower"), z), 1):
        name = f"sample-{(options.genre or 'any').replace('/', '_').replace(' ', '-')}-{number}"
        tool.save(
            tokens, config, options.output / name, f"{options.genre or 'any genre'}, sample {number}", options.tempo
        )


if __name__ == "__main__":
    tool.run_tool(Options, __doc__, sample)
