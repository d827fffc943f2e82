"""`python -m common.report`: write the pages; `publish RUN…`: keep results; `readme`: make the README tables anew."""

import argparse
import sys
from pathlib import Path

from common.report import collect, pages, published


def main(arguments=None):
    """Parse options and do it; 0 if all went through, 1 where something was refused or could not be read."""
    parser = argparse.ArgumentParser(prog="python -m common.report", description="Static pages of all runs, and the "
                                     "results that are kept with the papers.")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="run directories; the pages go here too")
    parser.add_argument("--papers", type=Path, default=collect.ROOT / "papers", help=argparse.SUPPRESS)
    commands = parser.add_subparsers(dest="command")
    publish = commands.add_parser("publish", help="copy result files to papers/<paper>/results/ and make the README "
                                  "tables anew; partial, dirty and changed-rule runs are refused")
    publish.add_argument("run", nargs="+", type=Path, help="runs/<paper>/<corpus>-<preset>-<mode>[/seed-N]")
    readme = commands.add_parser("readme", help="make the tables in the papers' READMEs anew")
    readme.add_argument("--check", action="store_true", help="write nothing, exit 1 where a table is out of date")
    options = parser.parse_args(arguments)

    problems = []
    if options.command == "publish":
        written, problems = published.publish(options.run, options.papers)
        for path in written:
            print(f"published {path}")
    if options.command in ("publish", "readme"):
        check = options.command == "readme" and options.check
        different, more = published.write_readmes(options.papers, check)
        problems += more
        for path in different:
            print(f"{path}: {'out of date; next: python -m common.report readme' if check else 'tables made anew'}")
        if check and different:
            problems.append("README tables are out of date")
    else:
        written, problems = pages.write(options.runs, options.papers)
        print(f"Report: {written[0]} ({len(written) - 1} page{'' if len(written) == 2 else 's'} of papers)")
    for problem in problems:
        print(problem, file=sys.stderr)
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
