"""From a folder to a corpus: the reader whose layout fits."""

import json
import os
from dataclasses import replace
from pathlib import Path

from common.corpora import evidence, fma, folder, gtzan, lakh, medley_solos_db, orchestral
from common.corpora.items import Corpus
from common.corpora.listing import not_followed, subfolders
from common.errors import DataError

READERS = {reader.NAME: reader
           for reader in (gtzan, fma.SMALL, fma.MEDIUM, fma.LARGE, medley_solos_db, lakh, orchestral, folder)}
NAMES = tuple(READERS)
MARKER = "encore-demo.json"  # lies in every demo corpus, so that it is never taken for real data


def find(data: Path | str, name: str) -> Corpus:
    """The corpus `name`, read from `data`: the data set's folder, or a folder that holds several data sets.

    Raises:
        DataError: no data set has that `name`, nothing at `data` has its layout, or no file in it can be used.
    """
    if name not in READERS:
        raise DataError(f"no data set is called {name!r}; there are {', '.join(NAMES)}.")
    data = Path(data)
    if not os.path.isdir(data):
        raise DataError(
            f"{data}: {'not a folder' if data.exists() else 'no such folder'}. Give the folder of a data set."
        )
    refuse_locked(data)
    root = locate(name, data)
    if root is None:
        reader = READERS[name]
        raise DataError(
            f"{data}: no {reader.TITLE} in it.{not_followed(data)} Expected {reader.NEEDS}; see data/README.md. "
            "Without DATA= the demo corpus is used."
        )
    return read(name, root)


def refuse_locked(data: Path) -> None:
    """Raises DataError where the folder `data` may not be listed or entered."""
    if not os.access(data, os.R_OK | os.X_OK):
        raise DataError(f"{data}: no permission to read this folder (chmod u+rx).")


def locate(name: str, data: Path) -> Path | None:
    """The root of data set `name` at `data` or in a folder directly below it."""
    candidates = [data] if name == folder.NAME else [data, *subfolders(data)]
    return next((root for candidate in candidates if (root := READERS[name].locate(candidate))), None)


def recognise(data: Path) -> list[tuple[str, Path]]:
    """(name, root) of every data set at `data`; any other folder of class folders only where there is none."""
    found = [(name, root) for name in NAMES if name != folder.NAME and (root := locate(name, data))]
    if fma.MEDIUM.NAME in dict(found):  # small is a part of medium: one folder is reported once
        found = [(name, root) for name, root in found if name != fma.SMALL.NAME or root != dict(found)[fma.MEDIUM.NAME]]
    return found or [(folder.NAME, root) for root in [locate(folder.NAME, data)] if root]


def read(name: str, root: Path) -> Corpus:
    """The corpus at `root`, marked as demo where it was written by the demo.

    Raises:
        DataError: no file in it can be used.
    """
    corpus = READERS[name].read(root)
    if not corpus.items:
        why = "".join(f" {path}: {reason}." for path, reason in corpus.rejected[:1]) or not_followed(root)
        raise DataError(f"{root}: no usable file of {READERS[name].TITLE} in it.{why} Expected {READERS[name].NEEDS}.")
    facts = {**corpus.facts, "groups_per_class": corpus.groups_per_class}
    marker = marker_of(root)
    if marker is None:
        return replace(corpus, facts=facts)
    facts |= {"null": marker["null"], "demo_seed": marker["seed"]}
    return replace(corpus, evidence="demo", facts=facts, said=evidence.demo(marker["seed"], marker["null"]))


def marker_of(root: Path) -> dict | None:
    """What the demo wrote about itself at `root` or in one of the three folders above it; None for real data."""
    resolved = root.resolve()
    for place in (resolved, *resolved.parents[:3]):
        if os.path.isfile(place / MARKER):
            return json.loads((place / MARKER).read_text(encoding="utf-8"))
    return None
