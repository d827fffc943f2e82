"""Readers for the five data sets.

    corpus = corpora.find(data, "gtzan")
    for item in corpus.items: item.path, item.label, item.group, item.split

`python -m common.corpora check DIR` says what is in a folder; `common.demo` writes demo corpora in the same layouts.
"""

from common.corpora.finding import NAMES, find, read, recognise
from common.corpora.items import Corpus, Item
from common.errors import DataError

__all__ = ["NAMES", "Corpus", "DataError", "Item", "find", "read", "recognise"]
