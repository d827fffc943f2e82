"""`python -m common.across`: every paper's embedding of one corpus under the same probes, and the page of it."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from common import command, process, provenance, record, report
from common.errors import DataError
from common.report import across, collect


@dataclass(frozen=True)
class Options:
    """Options of the call.

    Attributes:
        corpus: a folder with <class>/<work> - <part>.mp3 (or other audio) and a .mid of the same name beside each;
            without it a demo corpus is composed and rendered.
        preset: the size of that demo corpus.
        runs: where runs are looked for; across.json and the pages go here too.
        papers: the papers' directories.
    """

    corpus: Path | None = None
    preset: Literal["smoke", "demo"] = "demo"
    runs: Path = Path("runs")
    papers: Path = collect.ROOT / "papers"


def main(arguments: list[str] | None = None) -> int:
    """Measure, write across.json and the pages; 0 when it is done, 2 where nothing could be."""
    options = command.parse(Options, "Every paper's embedding of one corpus under the same probes: class, loudness, "
                            "tempo, register, beside chance, loudness alone and principal components.", arguments)
    with process.one_line_errors(), process.stopping():
        from common.across import corpus, measuring

        pairs = corpus.read(options.corpus or demo(options.preset))
        found = provenance.plain(measuring.measure(pairs, collect.papers(options.papers), options.runs))
        options.runs.mkdir(parents=True, exist_ok=True)
        record.write_json(options.runs / across.RESULT, found | {"seal": provenance.seal(found)})
        report.write_report(options.runs, options.papers)
        print(f"Page: {options.runs / across.PAGE}")
    return 0


def demo(preset: str) -> Path:
    """The folder of the demo pairs; written by a process of its own where it is not there yet."""
    root = Path("data") / "demo" / f"paired-{preset}-0"
    if not root.exists():
        words = [sys.executable, "-m", "common.demo", "paired", str(root), "--preset", preset]
        if subprocess.run(words, stdout=subprocess.DEVNULL).returncode:
            raise DataError(f"{root}: could not be written; next: python -m common.demo paired {root}")
    return root


if __name__ == "__main__":
    sys.exit(main())
