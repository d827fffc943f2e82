"""Files to write, in processes with a progress bar, and the shuffling of labels for null twins."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
from tqdm import tqdm


@dataclass(frozen=True)
class Job:
    """One file: `make(path, *arguments, mark=mark)`, run in a process of its own; `mark` goes into the file."""

    make: Callable
    path: Path
    arguments: tuple = ()


def run(jobs: list[Job], title: str, mark: str) -> None:
    """All jobs on all cores, with a progress bar on standard error; `mark` goes into every file."""
    for folder in sorted({job.path.parent for job in jobs}):
        folder.mkdir(parents=True, exist_ok=True)
    cores = min(len(os.sched_getaffinity(0)), 16, len(jobs))  # what this process may use, not what the machine has
    parallel = joblib.Parallel(n_jobs=cores, return_as="generator_unordered", batch_size=2)
    tasks = (joblib.delayed(job.make)(job.path, *job.arguments, mark=mark) for job in jobs)
    for _ in tqdm(parallel(tasks), total=len(jobs), desc=title, unit="file", file=sys.stderr):
        pass


def shuffled(labels: list[str], seed: int, within: list | None = None) -> list[str]:
    """`labels` in an order that says nothing of them: each new label takes equal shares of each true one.

    Args:
        within: one value per label (such as its split); labels change places only where the value is the same.
    """
    rng = np.random.default_rng([seed, 99])
    result = list(labels)
    within = within or [0] * len(labels)
    for part in sorted(set(within)):
        places = [place for place, value in enumerate(within) if value == part]
        names = sorted({labels[place] for place in places})
        dealt = []
        for name in names:
            own = rng.permutation([place for place in places if labels[place] == name])
            ranks = rng.permutation(len(names))  # dealt out in turn to the new labels, in an order of its own
            dealt += [(ranks[turn % len(names)], rng.random(), place) for turn, place in enumerate(own)]
        for label, (_, _, place) in zip(sorted(labels[place] for place in places), sorted(dealt), strict=True):
            result[place] = label
    return result
