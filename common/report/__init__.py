"""The report: static pages made from the run directories, published result files, and the tables of the READMEs.

`collect` reads papers and runs, `pages` turns them into runs/index.html and one page per paper, corpus and preset,
`reading` puts each paper's code beside what it says of the paper, `curves` draws what metrics.jsonl holds, `published`
copies result files and writes README tables. Verdicts come from common.claims alone.
"""

from pathlib import Path


def write_report(runs_directory: Path | str = "runs", papers_directory: Path | None = None) -> Path:
    """Write all pages; returns the path of the overview. What could not be read stands on the pages."""
    from common.report import collect, pages

    return pages.write(runs_directory, papers_directory or collect.ROOT / "papers")[0][0]
