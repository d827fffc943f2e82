"""One hash for values and files: what runs, stores and results are told apart by."""

import dataclasses
import hashlib
import json
from pathlib import Path


def sha256(value) -> str:
    """SHA-256 of a JSON-able value, of a dataclass or of a file's bytes (a Path), in hexadecimal.

    A Config's `data_set` is left out: it says which data, not how, and a run names its corpus anyway.
    """
    if isinstance(value, Path):
        with open(value, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    if dataclasses.is_dataclass(value):
        value = {name: part for name, part in dataclasses.asdict(value).items() if name != "data_set"}
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
