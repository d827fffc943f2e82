"""Data files beside the readers: published counts, damaged files and duplicates, each row with its source."""

import csv
from functools import cache
from pathlib import Path


@cache
def table(name: str) -> tuple[dict[str, str], ...]:
    """Rows of `<name>.csv` in this folder."""
    with open(Path(__file__).with_name(f"{name}.csv"), newline="", encoding="utf-8") as file:
        return tuple(csv.DictReader(file))
