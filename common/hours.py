"""Hours of trainings as the tables tell them: papers/<paper>/results/hours.csv, and how large a published corpus is.

No TensorFlow; `common.estimate` measures. One row for every stage of a training that a run makes: its updates, and
what one of them took on the machine that is named. Beside it what a run of the three modes comes to.
"""

import csv
import importlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from common import cells
from common.corpora import known
from common.store import Store

FILE = "hours.csv"


@dataclass(frozen=True)
class Row:
    """One stage of one training.

    Attributes:
        updates: steps of the stage; batch: rows of one of them.
        seconds_a_step: median; where `rows_timed` is below `batch`, on a straight line through two smaller batches.
        steps_timed: of how many steps.
        set_up_seconds: building, reading what training reads first, tracing.
        validations, seconds_a_validation: passes at log lines.
        peak_megabytes: memory of the process while it was timed.
    """

    data_set: str
    follow: str
    model: str
    stage: str
    updates: int
    batch: int
    seconds_a_step: float
    steps_timed: int
    rows_timed: int
    set_up_seconds: float
    validations: int
    seconds_a_validation: float
    parameters: int
    checkpoint_megabytes: float
    peak_megabytes: float
    device: str = ""
    threads: int = 0
    date: str = ""
    commit: str = ""

    @property
    def hours(self) -> float:
        """What the stage takes: setting up, updates and validations."""
        return (self.set_up_seconds + self.updates * self.seconds_a_step
                + self.validations * self.seconds_a_validation) / 3600


def read(path: Path) -> list[Row]:
    """The rows of an hours.csv; none where there is no such file."""
    if not path.exists():
        return []
    kinds = {field.name: field.type for field in fields(Row)}
    with open(path, newline="", encoding="utf-8") as file:
        return [Row(**{name: kinds[name](cells.plain(value)) for name, value in row.items()})  # type: ignore[operator]
                for row in csv.DictReader(file)]


def write(path: Path, rows: list[Row]) -> None:
    """Write rows, in place of those of the same data set and mode; the others of the file stay."""
    new = {(row.data_set, row.follow) for row in rows}
    kept = [row for row in read(path) if (row.data_set, row.follow) not in new]
    columns = [field.name for field in fields(Row)]
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for row in sorted(kept + rows, key=lambda one: (one.data_set, one.follow)):
            writer.writerow(cells.row(_cell(getattr(row, name)) for name in columns))


def _cell(value: Any) -> Any:
    return f"{value:.4g}" if isinstance(value, float) else value


def total(rows: list[Row]) -> float:
    """Hours of one seed."""
    return math.fsum(row.hours for row in rows)


def said(rows: list[Row]) -> str:
    """What one training takes, in a line."""
    first = rows[0]
    stages = "; ".join(f"{one.updates:,} updates of {one.seconds_a_step:.3g} s"
                       + f" (timed on {one.rows_timed} of {one.batch} rows)" * (one.rows_timed < one.batch)
                       + (f" and {one.validations:,} validations of {one.seconds_a_validation:.2g} s"
                          if one.validations else "") for one in rows)
    return (f"{first.model}: {total(rows):.2f} h ({stages}), {first.parameters:,} parameters, checkpoints "
            f"{2 * first.checkpoint_megabytes:.0f} MB while it trains, peak memory "
            f"{max(one.peak_megabytes for one in rows):.0f} MB")


def say_evaluation(paper: str, config: Any, store: Any) -> None:
    """Print what the evaluation of a paper takes beside its trainings, where its `evaluate.estimate` says so."""
    said = getattr(importlib.import_module(f"papers.{paper}.evaluate"), "estimate", None)
    if said:
        print(f"{paper}: {said(config, store)}", flush=True)


# A store of a published corpus' size, for timing alone

@dataclass(frozen=True)
class Repeated(Store):
    """A store with rows of another repeated until each kind of row has its count: sizes are right, and nothing else is.

    Repeated recordings have names of their own, so that splits deal them as what they stand for.

    Attributes:
        counts: ((label, part of the official split), rows) of each kind.
    """

    counts: tuple[tuple[tuple[str, str], int], ...] = ()

    @cached_property
    def rows(self) -> np.ndarray:
        """Which stored row each row repeats, (rows,)."""
        stored = kinds(Store(self.directory))
        return np.concatenate([np.resize(stored[kind], count) for kind, count in self.counts])

    @cached_property
    def index(self) -> list[dict]:
        """Rows of the index; what a repetition is called ends in its number, but for the place of its image."""
        stored, seen, found = Store(self.directory).index, {}, []
        for number in self.rows:
            again = seen[number] = seen.get(number, -1) + 1
            row, end = stored[number], f" {again}" if again else ""
            names = [name for name in ("item", "group", "path") if not row[name].startswith("images/")]
            found.append(row | {name: f"{row[name]}{end}" for name in names})
        return found

    def array(self, name: str) -> np.ndarray:
        """A stored array; one with an entry for each row is repeated with them, in memory."""
        stored = super().array(name)
        return stored[self.rows] if len(stored) == len(Store(self.directory).index) else stored

    def images(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """Stored spectrograms, float32; the array of them is not repeated in memory."""
        return np.asarray(super().array("images")[self.rows[np.asarray(rows, int)]], np.float32)


def kinds(store: Store) -> dict[tuple[str, str], np.ndarray]:
    """{(label, part of the official split): its rows}."""
    found: dict[tuple[str, str], list[int]] = {}
    for number, row in enumerate(store.index):
        found.setdefault((row["label"], row["split"]), []).append(number)
    return {kind: np.array(rows) for kind, rows in sorted(found.items())}


def of_published_size(settings: ModuleType, store: Store) -> Store:
    """The store as large as that of the published corpus would be; as it is where its labels are not the published.

    Rows are counted by the published files of each label and official part (`known/`), as many a file as in the store,
    or in all as the paper's `PUBLISHED_ROWS` say.
    """
    corpus, stored = store.parameters["corpus"], kinds(store)
    labels, files, parts = {label for label, _ in stored}, known.counts(corpus["name"]), known.parts(corpus["name"])
    if not labels <= set(files):
        return store
    wanted = sum(files[label] for label in labels)
    rows = getattr(settings, "PUBLISHED_ROWS", {}).get(corpus["name"], len(store.index) / corpus["items"] * wanted)
    counts = {}
    for label, part in stored:
        share = parts[part] / sum(parts.values()) if parts else 1 / sum(label == other for other, _ in stored)
        counts[label, part] = round(rows * files[label] / wanted * share)
    return repeated(store, counts)


def repeated(store: Store, counts: dict[tuple[str, str], int]) -> Repeated:
    """The store with so many rows of each label and part."""
    return Repeated(store.directory, tuple(counts.items()))
