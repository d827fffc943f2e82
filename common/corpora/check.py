"""What is in a folder: counted against what was published, every file opened, and what to run next."""

from collections import Counter
from pathlib import Path

from common.corpora import finding
from common.corpora.items import Corpus, DataError

SHOWN = 12  # files listed by name under one heading


def report(directory: Path, quick: bool = False) -> int:
    """Print the state of every data set at `directory`; 0 when all is well, 1 when something is missing or damaged.

    Raises:
        DataError: nothing there has the layout of a data set.
    """
    if not directory.is_dir():
        raise DataError(f"{directory}: {'not a folder' if directory.exists() else 'no such folder'}.")
    found = finding.recognise(directory)
    if not found:
        layouts = "; ".join(f"{reader.TITLE}: {reader.NEEDS}" for reader in finding.READERS.values())
        raise DataError(f"{directory}: no data set recognised. Known layouts are {layouts}.")
    return max(_report_one(finding.read(name, root), finding.READERS[name]) for name, root in found)


def _report_one(corpus: Corpus, reader) -> int:
    print(f"{reader.TITLE} at {corpus.root}: {len(corpus.items)} files, evidence {corpus.evidence}")
    for label, count in corpus.counts().items():
        print(f"  {label}: {count}")
    splits = Counter(item.split for item in corpus.items if item.split)
    if splits:
        print("  splits: " + ", ".join(f"{name} {count}" for name, count in sorted(splits.items())))
    for path, reason in corpus.rejected[:SHOWN]:
        print(f"  left out: {path.relative_to(corpus.root)}: {reason}")
    return 1 if corpus.rejected else 0
