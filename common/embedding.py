"""What the papers' `embed` tools share: files in, one row a clip out: file, clip, seconds (where it begins), z0, z1, …

A paper's `embed.py` says what it reads (`READS`: "recordings" or "scores") and which of its models embeds unasked
(`MODEL`, as results.json calls it under "learnt"); `common.across` looks there.
"""

import csv
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from common import cells, command, process, scripts
from common.errors import AudioError, MidiError


def rows(files: Iterable[Path], encode: Callable) -> tuple[list, list[str]]:
    """Codes of files: ([(file, clip, seconds, code)], problems), a line for each file that could not be used.

    Args:
        encode: path -> [(seconds, code)], a code (size,) for each clip; AudioError, MidiError or ValueError where none.
    """
    found, problems = [], []
    for path in files:
        try:
            found += [(path, number, *clip) for number, clip in enumerate(encode(path))]
        except (AudioError, MidiError) as error:
            problems.append(str(error))
        except ValueError as error:
            problems.append(f"{path}: {error}")
    return found, problems


def check(output: Path | None) -> None:
    """Refuse what `write` cannot write, before the work. Raises ValueError, FileNotFoundError."""
    if output and output.suffix not in (".csv", ".npy"):
        raise ValueError(f"{output}: end the name in .csv or .npy")
    if output and not output.parent.is_dir():
        raise FileNotFoundError(f"{output}: there is no folder {output.parent}; make it first")


def write(found: list, output: Path | None) -> None:
    """Write rows to a .npy (codes alone, float32) or .csv file, or as CSV to standard output where `output` is None.

    Raises ValueError for any other ending.
    """
    check(output)
    if output and output.suffix == ".npy":
        np.save(output, np.array([code for *_, code in found], np.float32))
        return
    stream = open(output, "w", newline="", encoding="utf-8") if output else sys.stdout
    try:
        writer = csv.writer(stream)
        writer.writerow(["file", "clip", "seconds", *(f"z{i}" for i in range(len(found[0][-1]) if found else 0))])
        for path, clip, seconds, code in found:
            writer.writerow(cells.row([path, clip, f"{seconds:g}", *(f"{value:.6g}" for value in code)]))
    finally:
        if output:
            stream.close()


def tool(kind: type, description: str, encoder: Callable[[Any], Callable], arguments: list[str] | None = None) -> int:
    """An `embed` tool: exit code 0, 1 if a file could not be used, 2 if nothing could be done.

    Args:
        kind: its options, with `files` and `output`.
        encoder: options -> `encode` of `rows`; opens the run.
    """
    options = command.parse(kind, description, arguments)
    with process.one_line_errors(ValueError):
        if not options.files:
            raise FileNotFoundError("no file named; give one or more")
        check(options.output)
        found, problems = rows(options.files, encoder(options))
        write(found, options.output)
    return scripts.told(problems, len(options.files))
