"""Transfer to piano against the other instruments (sec. 2.4.3): claim id -> function of what a run measured."""

import numpy as np

from common.findings import NotTestable, by_group
from papers.lord_transfer import melody
from papers.lord_transfer.config import Config
from papers.lord_transfer.controls import PICTURES
from papers.lord_transfer.exceeding import EVERY, exceeds, listened, worst_direction
from papers.lord_transfer.measures import Evaluation

TREBLE = ("clarinet", "female singer", "flute", "trumpet", "violin")  # sources that can gain a left hand


def piano(run: Evaluation) -> int:
    """The class number of piano."""
    if "piano" not in run.first.labels:
        raise NotTestable("no piano among the classes")
    return run.first.labels.index("piano")


def to_piano(run: Evaluation) -> dict:
    """I2: heard as piano and following its source, above every control."""
    number, heard = piano(run), listened(run.first)
    sources = heard.classes != number
    own = {name: run.first.judged[name].joint[number, sources] for name in ("transfers", *EVERY)}
    return exceeds(own.pop("transfers"), {"chance": 0.0} | own, heard.groups[sources],
                   heard_as_piano=heard.hits[number, sources].mean())


def worst_to_piano(run: Evaluation) -> dict:
    """I2: the worst source."""
    number = piano(run)
    return worst_direction(run, [(a, number) for a in range(len(run.first.labels)) if a != number])


def bass(images: np.ndarray, config: Config) -> np.ndarray:
    """(n,) energy below 250 Hz over all, in dB, of images (n, bands, frames, channels)."""
    return np.array([melody.bass_share(image[..., 0], config) for image in images])


def left_hand(run: Evaluation) -> dict:
    """I2: energy below 250 Hz gained by transfers to piano, above what any output of the network gains.

    Asked of the instruments that have no left hand, against their identity outputs, their transfers to each other and
    the pictures of piano, which have its spectrum and no hand at all.
    NotTestable where real piano clips have no more bass than they: then there is no left hand to add.
    """
    number, model = piano(run), run.first
    treble = [place for place, label in enumerate(model.labels) if label in TREBLE]
    if len(treble) < 2:
        raise NotTestable(f"fewer than two of {', '.join(TREBLE)}")
    picked = np.flatnonzero(np.isin(model.classes, treble))
    source = bass(model.images[picked], run.config)
    real = bass(model.images[model.classes == number], run.config).mean() - source.mean()
    if real <= 0:
        raise NotTestable(f"real piano clips have {-real:.1f} dB less energy below 250 Hz than the sources: there is "
                          "no left hand to add")
    gained = np.stack([bass(model.transfers[place][picked], run.config) - source for place in (number, *treble)])
    own = model.classes[picked]
    rebuilt = gained[1 + np.searchsorted(treble, own), np.arange(len(picked))]
    elsewhere = (gained[1:].sum(axis=0) - rebuilt) / (len(treble) - 1)
    pictures = {name: bass(model.pictures[name][[number]], run.config) - source for name in PICTURES}
    return exceeds(gained[0], {"rebuilt": rebuilt, "to other classes": elsewhere} | pictures, model.groups[picked],
                   real_piano_clips=real)


def piano_and_others(run: Evaluation) -> dict:
    """I3: joint measure of transfers to piano minus that of transfers to the other instruments, by clip."""
    number, heard = piano(run), listened(run.first)
    sources = np.flatnonzero(heard.classes != number)
    values, rest = run.first.judged["transfers"].joint[:, sources], heard.others[:, sources].copy()
    rest[number] = False
    others = np.where(rest, values, 0).sum(axis=0) / rest.sum(axis=0)
    kept = np.isfinite(values[number] - others)
    return by_group((values[number] - others)[kept], heard.groups[sources][kept], "recordings", {
        "to_piano": values[number][kept].mean(), "to_others": others[kept].mean()})


PIANO = {"I2": to_piano, "I2-worst": worst_to_piano, "I2-bass": left_hand, "I3": piano_and_others}
