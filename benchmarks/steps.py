"""One training step of each paper's main model against the same network in PyTorch, eager; and training fed from its
store against a constant batch. One thread each.

    python -m benchmarks.steps [--paper musae]

PyTorch is not among Encore's packages: .venv/bin/pip install -r requirements-bench.txt; without it those rows are left
out. Its networks are the Keras networks translated layer by layer (`benchmarks/translated.py`), with the same weights;
that both give the same output is checked before they are timed.
"""

import argparse
import dataclasses
import importlib
import importlib.util
import os
import time

import numpy as np

from benchmarks import timing

MAIN = {"softmax_ae": "deep_softmax", "symphony2vec": "lstm-mel", "fma_interpolation": "autoencoder-conv2d",
        "lord_transfer": "lord", "musae": "16bar-flower"}
INSTALL = "PyTorch is not installed: .venv/bin/pip install -r requirements-bench.txt"


class Main:
    """A paper's main model with its store, built as for a training of preset demo (`tiny`: smoke) in mode sound."""

    def __init__(self, paper: str, tiny: bool):
        from common import training
        from common.config import resolve

        settings, preprocess, train = (importlib.import_module(f"papers.{paper}.{name}")
                                       for name in ("config", "preprocess", "train"))
        self.config = resolve(settings, "sound", "smoke" if tiny else "demo", {})
        store = preprocess.preprocess(self.config, None, "smoke", "data/stores", null=False)
        model, config = train.jobs(self.config)[MAIN[paper]]
        self.strategy = training.choose_strategy()
        with self.strategy.scope():
            self.learner = model.build(config, store)
        self.stage = model.stages(config, store, 0)[-1]
        if self.stage.start:
            self.stage.start(self.learner)

    def steps(self, a_call: int = 0):
        """A `common.loop.Steps` that goes on for ever, so many steps a call (0: as many as it finds right)."""
        from common import loop, machine

        stage = dataclasses.replace(self.stage, steps=10**9, log_every=10**9)
        how = dataclasses.replace(machine.PLAIN, steps_per_call=a_call)
        return loop.Steps(self.strategy, self.learner, stage, 0, how)

    def pair(self, warm: float) -> tuple:
        """(fed, constant): runners, by the reader and by one call's batches for ever; equal steps a call, both warm."""
        steps, began = self.steps(), time.monotonic()
        found = Runner(steps)
        while time.monotonic() - began < warm or found.index < 3:
            found(1)
        a_call = found.call.count
        steps.feed.close()
        fed, constant = Runner(self.steps(a_call)), Runner(self.steps(a_call))
        for one in (fed, constant):
            one(1)
        call = constant.call
        constant.steps.feed.close()
        constant.steps.feed.next = lambda index: call
        for one in (fed, constant):
            one(min(2 + self.stage.batches.steps_per_epoch // a_call, max(2, int(2 * warm))))
        return fed, constant


class Runner:
    """Calls of a `Steps`, one after another; `examples` counts what they trained on."""

    def __init__(self, steps):
        self.steps, self.index, self.examples = steps, 0, 0

    def __call__(self, calls: int):
        """Make so many calls and wait for the last."""
        for _ in range(calls):
            self.call, values = self.steps(self.index)
            self.index += self.call.count
            self.examples += self.call.count * self.call.rows
        values.numpy()

    def rate(self, seconds: float) -> float:
        """Examples in a second, by the clock on the wall, over about so long."""
        before, began = self.examples, time.perf_counter()
        while (taken := time.perf_counter() - began) < seconds:
            self(1)
        return (self.examples - before) / taken


def rows(tiny: bool = False, papers: tuple = tuple(MAIN)) -> list[dict]:
    """Two rows a paper."""
    from common import process

    process.quiet_tensorflow()
    found = []
    for paper in papers:
        main = Main(paper, tiny)
        found += [against_torch(paper, main, tiny), from_the_store(paper, main, tiny)]
    return found


def against_torch(paper: str, main: Main, tiny: bool) -> dict:
    """A step of TensorFlow against one of PyTorch, both on a constant batch."""
    what = f"{paper}: a step of {MAIN[paper]}, against PyTorch eager"
    if not importlib.util.find_spec("torch"):
        return timing.left_out("step", what, INSTALL)
    from benchmarks import peers

    batch = {name: np.asarray(value) for name, value in main.stage.batches.read(main.stage.batches.indices(0)).items()}
    peer = peers.STEPS[paper](main.learner, main.config, batch)  # with the weights before any step
    fed, constant = main.pair(0.1 if tiny else 2.0)
    fed.steps.feed.close()
    a_call = constant.call.count
    calls = 1 if tiny else max(1, round(1.0 / max(timing.seconds(peer), 1e-4) / a_call))
    mine, theirs = timing.in_turn(2 if tiny else 7, lambda: constant(calls),
                                  lambda: [peer() for _ in range(calls * a_call)])
    return timing.times_as_fast("step", what, [one / (calls * a_call) for one in mine],
                                [one / (calls * a_call) for one in theirs], 1.0, steps=calls * a_call,
                                steps_a_call=a_call, rows=int(constant.call.rows))


def from_the_store(paper: str, main: Main, tiny: bool) -> dict:
    """Examples a second from the store, over those from a constant batch."""
    fed, constant = main.pair(0.1 if tiny else 2.0)
    ratios, rates = [], []
    for _ in range(2 if tiny else 9):
        rates.append((fed.rate(0.02 if tiny else 0.7), constant.rate(0.02 if tiny else 0.7)))
        ratios.append(rates[-1][0] / rates[-1][1])
    fed.steps.feed.close()
    return timing.row("feeding", f"{paper}: {MAIN[paper]} fed from its store, over a constant batch", ratios,
                      "of its rate", 0.95, examples_a_second=float(np.median([one for one, _ in rates])),
                      steps_a_call=fed.call.count)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--paper", choices=MAIN, help="one paper only")
    options = parser.parse_args()
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
        os.environ[name] = "1"
    for paper in [options.paper] if options.paper else MAIN:
        print("\n".join(map(timing.line, rows(papers=(paper,)))), flush=True)


if __name__ == "__main__":
    main()
