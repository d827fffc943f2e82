"""Data files beside the readers: published counts, damaged files and duplicates, each row with its source.

`gtzan_md5.csv` and `medley_solos_db_md5.csv` (file, md5) hold the checksums that mirdata (mir-dataset-loaders/mirdata,
BSD 3-clause licence) lists in version 1.0 of its two indexes, GTZAN's of the .wav version.
"""

import csv
from functools import cache
from pathlib import Path


@cache
def table(name: str) -> tuple[dict[str, str], ...]:
    """Rows of `<name>.csv` in this folder."""
    with open(Path(__file__).with_name(f"{name}.csv"), newline="", encoding="utf-8") as file:
        return tuple(csv.DictReader(file))


@cache
def checksums(data_set: str) -> dict[str, str]:
    """File name -> MD5 of `<data set>_md5.csv` in this folder."""
    return {row["file"]: row["md5"] for row in table(f"{data_set}_md5")}


@cache
def counts(data_set: str) -> dict[str, int]:
    """Published files of each label."""
    return {row["label"]: int(row["files"]) for row in table("published") if row["data_set"] == data_set}


@cache
def parts(data_set: str) -> dict[str, int]:
    """Published files of each part of the official split, where it is known."""
    return {row["part"]: int(row["files"]) for row in table("parts") if row["data_set"] == data_set}
