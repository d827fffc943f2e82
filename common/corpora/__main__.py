"""`python -m common.corpora check DIR` and `python -m common.corpora demo NAME DIR`."""

import argparse
import sys
from pathlib import Path

from common.corpora.items import DataError


def main(arguments: list[str] | None = None) -> int:
    """0 when everything is there, 1 when files are missing or damaged, 2 for a wrong call."""
    parser = argparse.ArgumentParser(
        prog="python -m common.corpora", description="Look at a data set, or write a demo one."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser(
        "check",
        help="say what is in a folder and what is missing, damaged or there twice",
        description="Recognises the data set by its layout, counts its files against what was published, opens every "
        "file, and ends with the command to run next.",
    )
    check.add_argument("directory", type=Path, help="the folder of a data set, or a folder that holds several")
    check.add_argument("--quick", action="store_true", help="do not open the files, only list and count them")
    demo = commands.add_parser(
        "demo",
        help="write a synthetic corpus in the layout of a data set",
        description="Composes and renders music. Nothing is downloaded; the same seed gives the same files.",
    )
    demo.add_argument("name", help="gtzan, fma, medley_solos_db, lmd_matched, orchestral, or all")
    demo.add_argument("directory", type=Path, help="a new or empty folder")
    demo.add_argument("--preset", choices=("smoke", "demo"), default="demo", help="size (default: demo)")
    demo.add_argument("--seed", type=int, default=0, help="another seed composes other pieces (default: 0)")
    demo.add_argument(
        "--null", action="store_true", help="the twin with shuffled labels: there is nothing to learn in it"
    )
    options = parser.parse_args(arguments)
    try:
        if options.command == "check":
            from common.corpora import check as checking

            return checking.report(options.directory, quick=options.quick)
        from common.corpora import demo as writing

        if options.name == "all":
            for name in writing.WRITERS:
                writing.write(name, options.directory / name, options.preset, options.null, options.seed)
        else:
            name = writing.family(options.name)
            writing.write(name, options.directory, options.preset, options.null, options.seed)
        print(f"Next: python -m common.corpora check {options.directory}")
        return 0
    except DataError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
