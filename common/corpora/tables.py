"""Tables that come with the data sets, read within limits."""

import csv
from collections.abc import Iterator
from pathlib import Path

from common.errors import DataError

MAX_BYTES = 2 << 30  # FMA's features.csv, the largest table here, has 0.95 GB
MAX_ROWS = 1_000_000  # tracks.csv has 106,574
MAX_COLUMNS = 5_000  # features.csv has 519
csv.field_size_limit(16 << 20)  # biographies in tracks.csv


def rows(path: Path) -> Iterator[list[str]]:
    """Rows of a CSV file as lists of strings.

    Raises:
        DataError: not readable, not text, not a table, or beyond the limits above.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(
                f"{path}: {path.stat().st_size:,} bytes, at most {MAX_BYTES:,} are read. Get the table again."
            )
        with open(path, newline="", encoding="utf-8-sig") as file:
            for number, row in enumerate(csv.reader(file)):
                if number >= MAX_ROWS or len(row) > MAX_COLUMNS:
                    raise DataError(f"{path}: more than {MAX_ROWS:,} rows or {MAX_COLUMNS:,} columns. Get it again.")
                yield row
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}).") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: not a CSV table ({error}). Get the table again.") from None


def records(path: Path, columns: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """Rows of a CSV file with one header row, as dictionaries that hold at least `columns`.

    Raises:
        DataError: as `rows`; also when a column is missing or a row is short.
    """
    table = rows(path)
    header = next(table, [])
    missing = [column for column in columns if column not in header]
    if missing:
        raise DataError(f"{path}: no column {', '.join(missing)}; it has {', '.join(header[:12]) or 'no header'}.")
    for number, row in enumerate(table, 2):
        if not row:
            continue
        if len(row) != len(header):
            raise DataError(
                f"{path}: line {number} has {len(row)} columns instead of {len(header)}. Get the table again."
            )
        yield dict(zip(header, row, strict=True))
