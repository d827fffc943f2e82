"""`python -m common.corpora check DIR`."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from common import command, process


@dataclass(frozen=True)
class Options:
    """Options of the call.

    Attributes:
        command: say what is in a folder and what is missing, damaged or there twice.
        directory: the folder of a data set, or a folder that holds several.
        quick: do not open the files, only list and count them.
    """

    command: tyro.conf.Positional[Literal["check"]]
    directory: tyro.conf.Positional[Path]
    quick: bool = False


def main(arguments: list[str] | None = None) -> int:
    """0 when everything is there, 1 when files are missing or damaged, 2 for a wrong call."""
    options = command.parse(Options, "Recognise a data set by its layout, count its files against what was published, "
                            "open every file, and end with the command to run next.", arguments)
    with process.one_line_errors():
        from common.corpora import check

        return check.report(options.directory, quick=options.quick)


if __name__ == "__main__":
    sys.exit(main())
