"""One hash for values and files, which tells runs, stores and results apart; files that are whole or not there."""

import contextlib
import dataclasses
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def sha256(value: Any) -> str:
    """SHA-256 of a JSON-able value, of a dataclass or of a file's bytes (a Path), in hexadecimal.

    A Config's `data_set` is left out: it says which data, not how, and a run names its corpus anyway.
    """
    if isinstance(value, Path):
        with open(value, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    if dataclasses.is_dataclass(value):
        value = {name: part for name, part in dataclasses.asdict(value).items() if name != "data_set"}  # type: ignore[arg-type]
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """An error of the system that names no file, as a full disk's while something is written, names this one."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = str(path)
        raise


@contextlib.contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A name beside `path` to write to: it takes its place when the block ends, and is gone where the block fails."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with naming(path):
            yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
