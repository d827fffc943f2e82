"""`python -m common.corpora check DIR`: what is in a folder; `get NAME DIR`: download a data set."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, subcommand

from common import command, process


@dataclass(frozen=True)
class Check:
    """Recognise a data set by its layout, count its files against what was published, open every file.

    Ends with the command to run next.

    Attributes:
        directory: the folder of a data set, or a folder that holds several.
        quick: do not open the files, only list and count them.
    """

    directory: Positional[Path]
    quick: bool = False


@dataclass(frozen=True)
class Get:
    """Download a data set, compare its checksum, unpack and check it. Size and licence are shown and confirmed first.

    A broken download goes on where it stopped with the same command.

    Attributes:
        name: medley_solos_db, fma_small, fma_medium, fma_large, fma_metadata or lakh; GTZAN and orchestral music are
            got by hand.
        directory: where to unpack it.
        yes: do not ask.
    """

    name: Positional[str]
    directory: Positional[Path]
    yes: bool = False


@dataclass(frozen=True)
class Options:
    """Options of the call.

    Attributes:
        command: what to do.
    """

    command: Annotated[Check, subcommand("check")] | Annotated[Get, subcommand("get")]


def main(arguments: list[str] | None = None) -> int:
    """0 when everything is there, 1 when files are missing or damaged, 2 for a wrong call or a failed download."""
    asked = command.parse(Options, "Look at a data set, or download one.", arguments).command
    with process.one_line_errors():
        from common.corpora import check, download

        if isinstance(asked, Get):
            download.get(asked.name, asked.directory, asked.yes)
            if asked.name == "fma_metadata":
                return 0
        return check.report(asked.directory, quick=isinstance(asked, Get) or asked.quick)


if __name__ == "__main__":
    sys.exit(main())
