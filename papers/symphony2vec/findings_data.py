"""Section 3.1: the split, what clips of one work on both sides of it are worth, and Figure 4: DATA."""

from functools import partial

import numpy as np

from common.findings import NotTestable, by_group
from papers.symphony2vec import measures
from papers.symphony2vec.config import MODELS, REPRESENTATIONS, TABLES
from papers.symphony2vec.findings_accuracies import above_majority
from papers.symphony2vec.measured import Measured


def _row(name):
    one = MODELS[name]
    end = one.latent_size if one.kind == "ali" else 32 if one.representation == "crop" else one.representation
    return f"{one.kind.upper()}-{end}"


ROWS = {name: _row(name) for name in TABLES}  # {model: what claims call its row of Tables 3, 4 and 7}


# The leak: clips of one work on both sides of the split


def _with_clips(measured, name):
    if measured.clips_split is None:
        raise NotTestable("the split of this mode is by clips already")
    measured.need(name, f"{name}-clips")
    return measured.judged[name], measured.judged[f"{name}-clips"]


def worth_of_shared_works(measured: Measured, name: str) -> dict:
    """Test accuracy with any clips on either side minus that with whole works; as many clips, but other ones."""
    whole, clips = _with_clips(measured, name)
    entry = measures.difference_by_group(100.0 * clips.right, clips.works, 100.0 * whole.right, whole.works)
    beside = {"by clips": clips.accuracy, "by work": whole.accuracy}
    beside |= {f"{key} by {side}": one.baselines[key] for key in ("majority", "loudness")
               for side, one in (("clips", clips), ("work", whole))}  # fmt: skip
    return entry | {"groups": {"of": "works"} | entry["groups"], "n": len(clips.right), "of": whole.unit,
                    "baselines": beside}  # fmt: skip


def composers_dealt(measured: Measured, name: str) -> dict:
    """Test accuracy above the majority where composers were dealt at random to whole works."""
    if measured.clips_split is None:
        raise NotTestable("the split of this mode is by clips already")
    dealt = f"{name}-dealt"
    measured.need(*(key for key in (name, dealt) if key in MODELS))
    if dealt not in measured.judged:
        raise NotTestable("no dealing of composers leaves two of them in training")
    return above_majority(measured, dealt)


def change_of_shares(measured: Measured, part: str) -> float:
    """Largest difference of a composer's share in training or test between any clips and whole works (Table 1)."""
    if measured.clips_split is None:
        raise NotTestable("the split of this mode is by clips already")
    place = ("train", "test").index(part)
    count = len(measured.names)
    shares = [np.bincount(measured.labels[rows], minlength=count) / len(rows)
              for rows in ((measured.train, measured.test)[place], measured.clips_split[place])]  # fmt: skip
    return np.abs(shares[0] - shares[1]).max()


# Figure 4


def component_silhouette(measured: Measured, representation: str) -> dict:
    """Silhouette of the composers among all clips in two principal components of a representation, by work."""
    points, composers, works = measured.components[representation]
    return by_group(measures.silhouettes(points, composers), works, "works")


def _leak():
    found = {}
    for name, row in ROWS.items():
        found[f"L-{row}"] = partial(worth_of_shared_works, name=name)
        found[f"L-dealt-clips-{row}"] = partial(composers_dealt, name=f"{name}-clips")
        found[f"L-dealt-works-{row}"] = partial(composers_dealt, name=name)
    return found


DATA = {
    "C-F4": partial(component_silhouette, representation="mel"),
    **{f"C-F4-{seen}": partial(component_silhouette, representation=seen) for seen in REPRESENTATIONS
       if seen != "mel"},
    **{f"L-T1-{part}": partial(change_of_shares, part=part) for part in ("train", "test")},
    **_leak(),
}
