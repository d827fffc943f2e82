"""`python -m common.demo NAME DIR` writes a demo corpus: composed and rendered here, nothing is downloaded."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from common import command, process

NEXT = {"paired": "across --corpus"}  # what reads it


@dataclass(frozen=True)
class Options:
    """Options of the call.

    Attributes:
        name: gtzan, fma, medley_solos_db, lmd_matched, orchestral, paired, or all.
        directory: a new or empty folder.
        preset: its size.
        seed: another seed composes other pieces.
        null: the twin with shuffled labels: there is nothing to learn in it.
    """

    name: tyro.conf.Positional[str]
    directory: tyro.conf.Positional[Path]
    preset: Literal["smoke", "demo"] = "demo"
    seed: int = 0
    null: bool = False


def main(arguments: list[str] | None = None) -> int:
    """0 when it is written, 2 for a wrong call."""
    options = command.parse(Options, "Write a synthetic corpus in the layout of a data set: composed and rendered "
                            "here, nothing is downloaded; the same seed gives the same files.", arguments)
    with process.one_line_errors():
        from common.demo import making

        if options.name == "all":
            for name in making.WRITERS:
                making.write(name, options.directory / name, options.preset, options.null, options.seed)
        else:
            name = making.family(options.name)
            making.write(name, options.directory, options.preset, options.null, options.seed)
        print(f"Next: python -m common.{NEXT.get(options.name, 'corpora check')} {options.directory}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
