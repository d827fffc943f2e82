"""Measured runs made up by hand: every segment three times, as training, development and test part.

Encodings are given for the test part; the others repeat them where nothing else is given.
"""

import numpy as np

from papers.softmax_ae import config as settings
from papers.softmax_ae.data import Data
from papers.softmax_ae.measures import Encodings, Measured, View

PARTS = ("train", "dev", "test")
RUN = {"config": settings.Config(), "histories": {}, "others": None, "built": {}}


def view(y, tracks=None, heard=True, classes=settings.GENRES, no_test=False, parts=None, **encodings):
    """A View; `x="…"` and the fields of Encodings: an array of the test part, or {part: array}."""
    y = np.asarray(y)
    names = np.asarray(tracks if tracks is not None else [f"track {i}" for i in range(len(y))])
    count = len(y)
    rows = {part: np.arange(i * count, (i + 1) * count) for i, part in enumerate(PARTS)}
    if no_test:
        rows |= {"dev": np.concatenate([rows["dev"], rows["test"]]), "test": np.zeros(0, int)}
    of = {part: names if heard else np.array([f"{name} {part}" for name in names]) for part in PARTS}
    flat = np.zeros((count, 2))
    whole = {name: _whole(encodings.get(name, flat)) for name in Encodings.__dataclass_fields__}
    data = Data(whole["raw"], np.tile(y, 3), np.concatenate([of[part] for part in PARTS]), parts or rows, "", classes)
    return View(data, Encodings(**whole))


def _whole(given):
    by_part = given if isinstance(given, dict) else dict.fromkeys(PARTS, given)
    test = by_part["test"]
    return np.concatenate([np.asarray(by_part.get(part, test), float) for part in PARTS])


def logits(predicted, classes=4):
    """Logits that name the given classes."""
    return np.eye(classes)[np.asarray(predicted)]


def naming(y, right):
    """Logits of a classifier that names the first `right` of y rightly and the others one class further."""
    y = np.asarray(y)
    return logits(np.where(np.arange(len(y)) < right, y, (y + 1) % 4))


def measured(own, unheard=None, alone=None, **run):
    """A Measured of views; `alone` logits as in `view`."""
    config = run.pop("config", {})
    return Measured(own=own, unheard=unheard or own,
                    alone=own.encodings.logits if alone is None else _whole(alone),
                    **(RUN | {"config": settings.Config(**config)} | run))
