"""How much of the rate of a constant tensor each network of fma_interpolation keeps when it is fed from a store.

    python -m benchmarks.fma_feeding                       # every network at the paper's size, each in its own process
    python -m benchmarks.fma_feeding --model rnn --batch 32

A store of made-up images lies on disk as the paper's does. Each network takes steps on a constant batch and on batches
read from the store in turn; the first of each turn, which were read in the turn before, are left out. A process of one
thread is timed by what it takes of its processor, so that other processes do not count and reading counts as if nothing
ran beside it; any other by the wall clock. Sizes, losses and optimizers are those of preset full; batches too, but
for the two networks whose steps take longest on a CPU.
"""

import argparse
import dataclasses
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

MODELS = ("autoencoder-baseline", "autoencoder-conv2d", "autoencoder-inception", "autoencoder-conv1d", "cnn_1", "cnn_2",
          "rnn")
SMALLER = {"autoencoder-inception": 2, "rnn": 4}  # images a batch
IMAGES = 128  # in the store; 168 MB
TURN, LEFT_OUT = 5, 2  # steps of a turn, and the first of them


def main() -> None:
    """Parse options and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=MODELS, help="one network only, in this process")
    parser.add_argument("--batch", type=int, help="images a batch, for --model")
    parser.add_argument("--turns", type=int, default=1, help="turns of each kind")
    options = parser.parse_args()
    if options.model:
        feed(options.model, options.batch or SMALLER.get(options.model), options.turns)
    else:
        sys.exit(max(subprocess.run([sys.executable, "-m", "benchmarks.fma_feeding", "--model", name, "--turns",
                                     str(options.turns)], check=False).returncode for name in MODELS))


def made_up(directory: Path):
    """A store with nothing but images and what the readers of batches ask of an index."""
    from common.store import Store

    class MadeUp(Store):
        index = [{"label": f"genre {i % 8}", "split": "training", "group": str(i), "offset": 0} for i in range(IMAGES)]

    (directory / "arrays").mkdir()
    np.save(directory / "arrays" / "images.npy", np.random.default_rng(0).random((IMAGES, 512, 640), np.float32))
    return MadeUp(directory)


def feed(name: str, batch: int | None, turns: int) -> None:
    """Print the median seconds of a step on constants and on the store, and the rate kept."""
    from common import loop, timing, training
    from common.config import resolve
    from common.machine import Machine
    from common.process import quiet_tensorflow

    quiet_tensorflow()
    from papers.fma_interpolation import config as settings, data, train

    sizes = dict.fromkeys(("baseline_batch", "batch", "classifier_batch"), batch) if batch else {}
    config = resolve(settings, "paper", "full", sizes)
    with tempfile.TemporaryDirectory() as folder:
        store = made_up(Path(folder))
        learner = train.MODELS[name].build(config, store)
        stage = train.MODELS[name].stages(config, store, 0)[0]
        size, stored = stage.batches.batch_size, data.reader(store, np.arange(IMAGES))
        constant, steps = stored(np.arange(size)), 2 * turns * TURN

        def read(indices):
            return constant if indices[0] // size // TURN % 2 == 0 else stored(indices % IMAGES)

        batches = dataclasses.replace(stage.batches, size=steps * size, read=read, order=training.fixed(steps * size))
        stage = dataclasses.replace(stage, batches=batches, steps=steps, log_every=steps)
        run = loop.Steps(training.choose_strategy(), learner, stage, 0, Machine(steps_per_call=1))
        clock = timing.clock()
        took: tuple[list[float], list[float]] = ([], [])
        for step in range(steps):
            began = clock()
            run(step)[1].numpy()
            if step % TURN >= LEFT_OUT:
                took[step // TURN % 2].append(clock() - began)
        run.feed.close()
    one, other = (statistics.median(seconds) for seconds in took)
    print(f"{name:24}batch {size:3}{one:9.3f} s a step on a constant{other:9.3f} s from the store: "
          f"{one / other:.1%} of the rate", flush=True)


if __name__ == "__main__":
    main()
