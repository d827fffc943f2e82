"""`python -m common.demo NAME DIR` writes a demo corpus: composed and rendered here, nothing is downloaded."""

import argparse
import sys
from pathlib import Path

from common.errors import DataError


def main(arguments: list[str] | None = None) -> int:
    """0 when it is written, 2 for a wrong call."""
    parser = argparse.ArgumentParser(
        prog="python -m common.demo",
        description="Write a synthetic corpus in the layout of a data set: composed and rendered here, nothing is "
        "downloaded; the same seed gives the same files.",
    )
    parser.add_argument("name", help="gtzan, fma, medley_solos_db, lmd_matched, orchestral, or all")
    parser.add_argument("directory", type=Path, help="a new or empty folder")
    parser.add_argument("--preset", choices=("smoke", "demo"), default="demo", help="size (default: demo)")
    parser.add_argument("--seed", type=int, default=0, help="another seed composes other pieces (default: 0)")
    parser.add_argument(
        "--null", action="store_true", help="the twin with shuffled labels: there is nothing to learn in it"
    )
    options = parser.parse_args(arguments)
    try:
        from common.demo import making

        if options.name == "all":
            for name in making.WRITERS:
                making.write(name, options.directory / name, options.preset, options.null, options.seed)
        else:
            name = making.family(options.name)
            making.write(name, options.directory, options.preset, options.null, options.seed)
        print(f"Next: python -m common.corpora check {options.directory}")
        return 0
    except DataError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
