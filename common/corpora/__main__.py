"""`python -m common.corpora check DIR`."""

import argparse
import sys
from pathlib import Path

from common.errors import DataError


def main(arguments: list[str] | None = None) -> int:
    """0 when everything is there, 1 when files are missing or damaged, 2 for a wrong call."""
    parser = argparse.ArgumentParser(prog="python -m common.corpora", description="Look at a data set.")
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser(
        "check",
        help="say what is in a folder and what is missing, damaged or there twice",
        description="Recognises the data set by its layout, counts its files against what was published, opens every "
        "file, and ends with the command to run next.",
    )
    check.add_argument("directory", type=Path, help="the folder of a data set, or a folder that holds several")
    check.add_argument("--quick", action="store_true", help="do not open the files, only list and count them")
    options = parser.parse_args(arguments)
    try:
        from common.corpora import check as checking

        return checking.report(options.directory, quick=options.quick)
    except DataError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
