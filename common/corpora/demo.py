"""Demo corpora: composed, rendered and written in the layouts in which the data sets are published.

`make` is what `corpora.find` uses; `write` makes one at a given place. A corpus is written under a temporary name and
then renamed, so that a folder is complete or absent. The same seed gives the same corpus. The null twin has the same
sound and shuffled labels: every class of it holds equal shares of every true class.
"""

import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
from tqdm import tqdm

from common.corpora import demo_gtzan
from common.corpora.finding import MARKER
from common.corpora.items import DataError

VERSION = 1  # of the generator: a corpus of another version is written anew
WRITERS = {"gtzan": demo_gtzan}


@dataclass(frozen=True)
class Job:
    """One file to write: `make(path, *arguments)` in a process of its own."""

    make: object
    path: Path
    arguments: tuple = ()


def make(name: str, preset: str, place: Path, null: bool = False, seed: int = 0) -> Path:
    """The demo corpus that data set `name` is read from, below `place`; written where it is not there yet."""
    size = "smoke" if preset == "smoke" else "demo"
    root = place / f"{family(name)}-{size}-{seed}{'-null' if null else ''}"
    marker = root / MARKER
    if marker.is_file() and json.loads(marker.read_text(encoding="utf-8")).get("version") == VERSION:
        return _data_root(name, root)
    if root.exists():
        shutil.rmtree(root)
    write(family(name), root, size, null, seed)
    return _data_root(name, root)


def family(name: str) -> str:
    """The demo corpus behind a data set: both FMA subsets are read from one."""
    return "fma" if name in ("fma_small", "fma_medium") else "gtzan" if name == "folder" else name


def _data_root(name: str, root: Path) -> Path:
    from common.corpora import finding

    return finding.locate(name, root / "genres" if name == "folder" else root)


def write(name: str, root: Path, preset: str = "demo", null: bool = False, seed: int = 0) -> None:
    """Write demo corpus `name` to the new folder `root`.

    Raises:
        DataError: there is no such demo, or `root` exists and holds something.
    """
    if name not in WRITERS:
        raise DataError(f"no demo corpus is called {name!r}; there are {', '.join(WRITERS)}.")
    if root.exists() and any(root.iterdir()):
        raise DataError(f"{root} is not empty. Give a new folder for the demo corpus.")
    temporary = root.with_name(f"{root.name}.{os.getpid()}.part")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    jobs = WRITERS[name].write(temporary, preset, null, seed)
    for folder in {job.path.parent for job in jobs}:
        folder.mkdir(parents=True, exist_ok=True)
    run(jobs, f"demo {name}, {preset}{', null twin' if null else ''}")
    marker = {"demo": name, "preset": preset, "seed": seed, "null": null, "version": VERSION}
    (temporary / MARKER).write_text(json.dumps(marker, indent=1) + "\n", encoding="utf-8")
    if root.exists():
        root.rmdir()
    try:
        temporary.rename(root)
    except OSError:  # another process was faster
        shutil.rmtree(temporary)


def run(jobs: list[Job], title: str) -> None:
    """All jobs in processes, with a progress bar on standard error."""
    parallel = joblib.Parallel(n_jobs=min(os.cpu_count() or 1, 8), return_as="generator_unordered", batch_size=2)
    tasks = (joblib.delayed(job.make)(job.path, *job.arguments) for job in jobs)
    for _ in tqdm(parallel(tasks), total=len(jobs), desc=title, unit="file", file=sys.stderr):
        pass


def shuffled(labels: list[str], seed: int) -> list[str]:
    """`labels` in an order that says nothing of them: each new class takes equal shares of each true one."""
    rng = np.random.default_rng([seed, 99])
    names = sorted(set(labels))
    result = [""] * len(labels)
    pool = []
    for number, name in enumerate(names):
        places = rng.permutation([place for place, label in enumerate(labels) if label == name])
        # Dealt out in turn; the start moves from class to class so that remainders even out.
        pool += [((turn + number) % len(names), rng.random(), place) for turn, place in enumerate(places)]
    dealt = [names[0]] * 0 + sorted(labels)
    for label, (_, _, place) in zip(dealt, sorted(pool), strict=True):
        result[place] = label
    return result
