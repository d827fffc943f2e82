"""`python -m common.report`: write the pages; `publish RUN…`: keep results; `readme`: make texts anew; `screenshot`."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import subcommand

from common import command, process
from common.errors import DataError
from common.report import collect, pages, published, readme, screenshot, verify


@dataclass(frozen=True)
class Pages:
    """Write index.html and a page for each paper: what is done without a command."""


@dataclass(frozen=True)
class Publish:
    """Copy result files to papers/<paper>/results/ and make the README tables anew.

    Refused is what does not stand: partial, edited or copied runs, uncommitted code, changed rules.

    Attributes:
        run: runs/<paper>/<corpus>-<preset>-<mode>[/seed-N], one or several.
        verify: evaluate them again from their checkpoints first; publish nothing where a value is not the same.
    """

    run: tyro.conf.Positional[tuple[Path, ...]]
    verify: bool = False


@dataclass(frozen=True)
class Readme:
    """Make the texts anew that stand on published results: tables of READMEs, each paper's sentence.

    Attributes:
        check: write nothing, exit 1 where a table is out of date.
    """

    check: bool = False


@dataclass(frozen=True)
class Screenshot:
    """Take a picture of a page's top, by a headless Chromium.

    Attributes:
        page: an HTML file below the runs.
        output: where the PNG goes.
        width: pixels.
        height: pixels.
    """

    page: tyro.conf.Positional[Path]
    output: Path = Path("docs/page.png")
    width: int = 1180
    height: int = 1700


@dataclass(frozen=True)
class Options:
    """Options of the report.

    Attributes:
        command: what to do.
        runs: run directories; the pages go here too.
        papers: the papers' directories, with claims.csv, README.md and results/.
    """

    command: (Annotated[Pages, subcommand("pages")] | Annotated[Publish, subcommand("publish")]
              | Annotated[Readme, subcommand("readme")]
              | Annotated[Screenshot, subcommand("screenshot")]) = Pages()
    runs: Path = Path("runs")
    papers: Path = collect.ROOT / "papers"


def main(arguments: list[str] | None = None) -> int:
    """Parse options and do it; 0 if all went through, 1 where something was refused or could not be read."""
    options = command.parse(Options, "Static pages of all runs, and the results that are kept with the papers.",
                            arguments)
    with process.one_line_errors():
        problems = _do(options)
    for problem in problems:
        print(problem, file=sys.stderr)
    return int(bool(problems))


def _do(options) -> list[str]:
    """What was refused or could not be read, one line each."""
    if isinstance(options.command, Pages):
        written, problems = pages.write(options.runs, options.papers)
        print(f"Report: {written[0]} ({len(written) - 1} page{'' if len(written) == 2 else 's'} of papers)")
        return problems
    if isinstance(options.command, Screenshot):
        taken = options.command
        print(f"Picture: {screenshot.take(taken.page, taken.output, taken.width, taken.height)}")
        return []
    problems, check = [], isinstance(options.command, Readme) and options.command.check
    if isinstance(options.command, Publish):
        if not options.command.run:
            raise DataError("publish: name one or more runs, runs/<paper>/<corpus>-<preset>-<mode>")
        written, problems = [], _verified(options) if options.command.verify else []
        if not problems:
            written, problems = published.publish(options.command.run, options.papers)
        for path in written:
            print(f"published {path}")
    different, more = readme.write_readmes(options.papers, check)
    for path in different:
        print(f"{path}: {'out of date; next: python -m common.report readme' if check else 'tables made anew'}")
    return problems + more + (["README tables are out of date"] if check and different else [])


def _verified(options) -> list[str]:
    """What a second evaluation makes otherwise, one line each."""
    problems = []
    for directory, count, different in verify.verify(options.command.run):
        print(f"{directory}: {count - len({line.split(':')[0] for line in different})} of {count} values are the same")
        problems += [f"{directory}: {line}" for line in different]
    return problems


if __name__ == "__main__":
    sys.exit(main())
