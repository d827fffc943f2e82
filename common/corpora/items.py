"""What a reader hands on: items with labels, groups and splits, and the corpus that holds them."""

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from common.corpora import contents


@dataclass(frozen=True)
class Item:
    """One file of a corpus.

    `id` is unique in the corpus and safe as a file name. `group` is the track, song or work that must not fall on
    both sides of a split (duplicates share a group). `split` is the data set's own split, None where it has none.
    `checksum` is the one its publisher gives for this very file (MD5 or SHA-1), "" where none is known.
    """

    id: str
    path: Path
    label: str
    group: str
    artist: str | None = None
    split: str | None = None
    facts: dict = field(default_factory=dict)
    checksum: str = ""


@dataclass(frozen=True)
class Corpus:
    """A data set as found on disk.

    A reader sees names alone: its `evidence` is "other" (real data), or "demo" where a demo's marker lies beside, and
    `complete` says that every published name is there. What the contents make of it, "published" included, is said by
    `common.corpora.evidence.settled`, with a sentence in `said`. `rejected` lists (path, reason) of files that were
    left out, `missing` the names of files that the data set should hold and that are not there, `tables` the files
    beside the items whose contents count.
    """

    name: str
    root: Path
    evidence: str
    items: list[Item]
    rejected: list[tuple[Path, str]] = field(default_factory=list)
    facts: dict = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    complete: bool = False
    tables: tuple[Path, ...] = ()
    said: str = ""

    @cached_property
    def contents(self) -> dict[Path, contents.Content]:
        """What is in each file of the items and tables, by path; all of it is read, once."""
        files = {path: "" for path in self.tables} | {item.path: item.checksum for item in self.items}
        return contents.of(files, self.root)

    @cached_property
    def fingerprint(self) -> str:
        """Changes with any file's bytes or place in the corpus and with any label, group or split; 12 digits.

        It knows neither times nor where the corpus lies: a copy on another machine has the same.
        """
        digest = hashlib.sha256()
        for path in self.tables:
            digest.update(repr((path.name, self.contents[path].sha256)).encode())
        for item in self.items:
            place = item.path.relative_to(self.root).as_posix() if item.path.is_relative_to(self.root) else item.path
            row = (item.id, str(place), item.label, item.group, item.artist, item.split, sorted(item.facts.items()))
            digest.update(repr((row, self.contents[item.path].sha256)).encode())
        return digest.hexdigest()[:12]

    @property
    def labels(self) -> list[str]:
        """The labels that occur, in alphabetical order."""
        return sorted({item.label for item in self.items})

    @property
    def groups_per_class(self) -> int:
        """The smallest number of groups any label has; with 1, no split can separate label and group."""
        groups: dict[str, set] = {}
        for item in self.items:
            groups.setdefault(item.label, set()).add(item.group)
        return min((len(names) for names in groups.values()), default=0)

    def counts(self) -> dict[str, int]:
        """Items per label, in alphabetical order."""
        return dict(sorted(Counter(item.label for item in self.items).items()))


def safe_id(text: str) -> str:
    """`text` as a file-name-safe id; where characters had to go, a short hash keeps it unique."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", text).strip("._-")[:80] or "item"
    if plain == text:
        return plain
    return f"{plain}-{hashlib.sha256(text.encode('utf-8', 'surrogateescape')).hexdigest()[:8]}"


def joined_groups(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Names tied together by `pairs`, each mapped to the alphabetically first name of its component."""
    parent: dict[str, str] = {}

    def root(name):
        parent.setdefault(name, name)
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for first, second in pairs:
        a, b = sorted((root(first), root(second)))
        parent[b] = a
    return {name: root(name) for name in sorted(parent)}
