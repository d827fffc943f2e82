"""Orchestral recordings by composer: `<composer>/<recording>`, one file per movement or single-movement piece.

The corpus of the paper (Berlin Philharmonic, Karajan: 151 files of five composers) is not published; its counts are in
`known/published.csv`. Which recordings belong to one work is read from the file names, or from a `works.csv` with the
columns file (`<composer>/<recording>`) and work.
"""

import os
import re
from pathlib import Path

from common.corpora import folder, tables
from common.corpora.items import Corpus, Item
from common.corpora.listing import subfolders

NAME = "orchestral"
TITLE = "Orchestral recordings"
NEEDS = "<composer>/<recording>.mp3 (or other audio), with composers' names such as Haydn or Brahms, or a works.csv"
WORKS = "works.csv"
COMPOSERS = (
    "bach", "bartok", "beethoven", "berlioz", "bizet", "brahms", "bruckner", "debussy", "dvorak", "dvořák", "elgar",
    "grieg", "handel", "haydn", "holst", "liszt", "mahler", "mendelssohn", "mozart", "mussorgsky", "nielsen",
    "prokofiev", "rachmaninoff", "ravel", "rimsky", "rossini", "saint-saens", "schubert", "schumann", "shostakovich",
    "sibelius", "smetana", "strauss", "stravinsky", "tchaikovsky", "vivaldi", "wagner",
)  # fmt: skip
MOVEMENT = re.compile(
    r"[\s_,:;.-]+(?:(?:[Mm]vt|[Mm]ovement|[Ss]atz)\.?\s*\d+|(?:VIII|VII|VI|IV|IX|III|II|V|I|X)(?=[.:\s_-]|$)|\d+(?=\.\s)).*$"
)


def locate(place: Path) -> Path | None:
    """`place` where it holds audio in folders named after composers, or in class folders with a works.csv."""
    if not folder.locate(place):
        return None
    names = [below.name.lower() for below in subfolders(place)]
    known_names = sum(any(composer in name for composer in COMPOSERS) for name in names)
    return place if known_names >= 2 or os.path.isfile(place / WORKS) else None


def work_of(file_name: str) -> str:
    """The work a recording belongs to: its name without the number in front and the movement behind.

    "03 Symphony No. 5 in C minor, Op. 67_ III. Allegro" is of "Symphony No. 5 in C minor, Op. 67".
    """
    name = re.sub(r"^\s*\d{1,3}(?:-\d{1,3})?[\s._-]+", "", file_name)
    work = re.split(MOVEMENT, name.replace("No. ", "No.").replace("Op. ", "Op."), maxsplit=1)[0]
    return work.replace("No.", "No. ").replace("Op.", "Op. ").strip(" _-,:;.") or name


def read(root: Path) -> Corpus:
    """All recordings; label = composer, group = work. Never complete: nothing says which recordings they should be."""
    works = {}
    if os.path.isfile(root / WORKS):
        works = {row["file"]: row["work"] for row in tables.records(root / WORKS, ("file", "work"))}
    corpus = folder.read(root)
    items = []
    for item in corpus.items:
        name = item.path.relative_to(root).as_posix()
        work = works.get(name) or work_of(item.path.stem)
        items.append(Item(item.id, item.path, item.label, f"{item.label}/{work}", None, None, {"work": work}))
    return Corpus(NAME, root, "other", items, corpus.rejected)
