"""Readers for the five data sets, and demo corpora in the same layouts.

    corpus = corpora.find(data, "gtzan", preset="demo")
    for item in corpus.items: item.path, item.label, item.group, item.split

`python -m common.corpora check DIR` says what is in a folder; `python -m common.corpora demo NAME DIR` writes a demo.
"""

from common.corpora.finding import NAMES, find, recognise
from common.corpora.items import Corpus, DataError, Item

__all__ = ["NAMES", "Corpus", "DataError", "Item", "find", "recognise"]
