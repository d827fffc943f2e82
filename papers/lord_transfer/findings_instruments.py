"""Instrument transfer (sec. 2.4.3): claim id -> function of what a run measured."""

import numpy as np

from common.findings import NotTestable, by_group
from papers.lord_transfer import comparisons, melody
from papers.lord_transfer.config import Config
from papers.lord_transfer.controls import PICTURES
from papers.lord_transfer.exceeding import (
    EVERY,
    NO_NETWORK,
    UNTRAINED,
    WITHOUT_NOTES,
    best_of,
    exceeds,
    judged_excess,
    listened,
    mean_of,
    per_clip,
    to_own_class,
)
from papers.lord_transfer.measures import Evaluation, Measured

TREBLE = ("clarinet", "female singer", "flute", "trumpet", "violin")  # sources that can gain a left hand
GENRE_TRANSFERS = ("G1-transfer-instrumental-pop", "G1-transfer-classical-pop", "G1-transfer-rock-folk")


# ---- is it the target, and is it the source ----------------------------------------------------------------------

def target(run: Evaluation) -> dict:
    """I-target: transfers heard as the target above the best answer that is neither a network's nor a recording."""
    model, heard = run.first, listened(run.first)
    return judged_excess(model, "hits", NO_NETWORK, heard.chance, accuracy=heard.accuracy, variety=model.variety,
                         **heard_without_content(model, "hits"))


def target_second(run: Evaluation) -> dict:
    """I-second: the same by an ear of another kind."""
    model, heard = run.first, listened(run.first)
    return judged_excess(model, "second", NO_NETWORK, heard.chance, accuracy=model.ears["second"],
                         **heard_without_content(model, "second"))


def heard_without_content(model: Measured, what: str) -> dict[str, float]:
    """What says how well the class alone can be heard: a real clip of it, and the generator on an untrained code."""
    return {name.replace(" ", "_"): mean_of(model, what, name) for name in ("one real clip", UNTRAINED)}


def joint(run: Evaluation) -> dict:
    """I-joint: heard as the target and ahead of rivals in rhythm and notes, above every control."""
    listened(run.first)
    return judged_excess(run.first, "joint", EVERY, 0.0)


def joint_second(run: Evaluation) -> dict:
    """I-joint-second: the same, heard by the second ear; it should agree with the first in sign."""
    listened(run.first)
    return judged_excess(run.first, "joint_second", EVERY, 0.0)


def identity(run: Evaluation) -> dict:
    """I-identity: identity outputs heard as their instrument, above the best picture of the class so heard."""
    model, heard = run.first, listened(run.first)
    own = {name: to_own_class(model.judged[name].hits, heard) for name in ("transfers", *PICTURES, UNTRAINED)}
    return exceeds(own.pop("transfers"), {"chance": heard.chance} | own, heard.groups, accuracy=heard.accuracy)


def identity_error(run: Evaluation) -> dict:
    """I-error: identity error over that of the class's mean training picture."""
    model = run.first
    return by_group(model.errors / model.mean_errors.mean(), model.groups, "recordings", {"class_mean": 1.0})


def solved(share: float, chance: float) -> float:
    """How much of what chance leaves open is solved: 0 at chance and below, 1 when all are heard."""
    return max(0.0, (share - chance) / (1 - chance))


def against_genre(run: Evaluation) -> dict:
    """I1: transfers heard as the target, as the share solved of what chance leaves, minus the genre run's."""
    heard, genre = listened(run.first), run.others.get("fma_medium")
    pairs = [solved(entry["baselines"]["transferred"], entry["baselines"]["chance"])
             for key, entry in (genre["results"] if genre else {}).items()
             if key in GENRE_TRANSFERS and "value" in entry]
    if not pairs:
        raise NotTestable("needs the genre run of the same preset, mode, seed and kind of data (data set fma_medium), "
                          "with a classifier that can tell its genres apart")
    mine, theirs = solved(heard.transferred, heard.chance), float(np.mean(pairs))
    return {"value": mine - theirs, "n": heard.clips, "of": "clips",
            "baselines": {"instrument": mine, "genre": theirs}}


# ---- piano against the others ------------------------------------------------------------------------------------

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


def worst_direction(run: Evaluation, directions: list[tuple[int, int]]) -> dict:
    """The least of (source, target) directions, of the mean joint measure above that of the best control."""
    heard, found = listened(run.first), []
    for source, number in directions:
        mine = heard.classes == source
        own = {name: run.first.judged[name].joint[number, mine] for name in ("transfers", *EVERY)}
        reached = own.pop("transfers").mean()
        found.append(reached - max(0.0, np.mean(own[best_of(own)])))
    return {"value": float(min(found)), "n": heard.clips, "of": "clips",
            "baselines": {"mean_direction": float(np.mean(found))}}


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


# ---- melody ------------------------------------------------------------------------------------------------------

def ceilings(model: Measured, what: str) -> dict[str, float]:
    """What the source itself gets, untouched and through a static filter."""
    return {name.replace(" ", "_"): mean_of(model, what, name) for name in ("untransferred", "static filter")}


def melody_kept(run: Evaluation) -> dict:
    """I4 and I8: chroma agreement over time with the source above that with rivals of its class, above the controls."""
    return judged_excess(run.first, "excess", WITHOUT_NOTES, 0.0, **ceilings(run.first, "excess"))


def notes_ahead(run: Evaluation) -> dict:
    """I4: share of rivals of its class that a transfer agrees with less in chroma over time than with its source."""
    return judged_excess(run.first, "notes", WITHOUT_NOTES, 0.5, **ceilings(run.first, "notes"))


def rhythm_ahead(run: Evaluation) -> dict:
    """I4: the same for level over time."""
    return judged_excess(run.first, "rhythm", WITHOUT_NOTES, 0.5, **ceilings(run.first, "rhythm"))


def note_by_note(run: Evaluation) -> dict:
    """I4-notes: its source's notes in a transfer, in time, above its rivals' notes in it, above the controls."""
    if run.first.judged["transfers"].kept is None:
        raise NotTestable("what is played in each clip is known of the demo corpus alone")
    return judged_excess(run.first, "kept", WITHOUT_NOTES, 0.0, **ceilings(run.first, "kept"))


def pitch(run: Evaluation) -> dict:
    """I4: pitch-contour agreement with the source above that with another clip of its class."""
    found, groups = run.first.pitch, run.first.groups
    sung = ~(np.isnan(found["own"]) | np.isnan(found["rival"]))
    if not sung.any():
        raise NotTestable("no voiced frame in the clips compared, or no class with two of them")
    own, rival = found["own"][sung], found["rival"][sung]
    return by_group(own - rival, groups[found["picked"]][sung], "recordings",
                    {"transferred": own.mean(), "rival": rival.mean()})


def standard_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks with mean 0 and variance 1 (0 for equal values): the mean of a product of two is Spearman's correlation."""
    from scipy.stats import rankdata

    ranks = rankdata(values)
    return (ranks - ranks.mean()) / max(ranks.std(), 1e-12)


def simple_melodies(run: Evaluation) -> dict:
    """I4 and I8: rank correlation of what of the notes is kept with the number of onsets, over recordings."""
    model = run.first
    kept = per_clip(model.judged["transfers"].excess, model.heard)
    if not np.isfinite(kept).all() or not np.ptp(kept) or not np.ptp(model.onsets):
        raise NotTestable("all clips agree equally or have equally many onsets, or a class has one clip")
    onsets = standard_ranks(model.onsets)
    shuffled = standard_ranks(per_clip(model.judged["random frames"].excess, model.heard))
    return by_group(standard_ranks(kept) * onsets, model.groups, "recordings",
                    {"random_frames": float(np.mean(shuffled * onsets))})


def less_than_identity(run: Evaluation) -> dict:
    """I8: notes kept by identity outputs minus those kept by transfers."""
    judged, heard = run.first.judged["transfers"], run.first.heard
    difference = to_own_class(judged.excess, heard) - per_clip(judged.excess, heard)
    kept = np.isfinite(difference)
    return by_group(difference[kept], heard.groups[kept], "recordings")


# ---- how large the classes are -----------------------------------------------------------------------------------

def reached_by_size(run: Evaluation) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(clips trained on, mean share heard as it, the same for the median picture) of each class."""
    heard = listened(run.first)
    count = len(heard.labels)
    sizes = np.bincount(run.first.trained_classes, minlength=count)
    reached, blind = ([hits[b, heard.classes != b].mean() for b in range(count)]
                      for hits in (heard.hits, run.first.judged["median picture"].hits))
    if not np.ptp(sizes) or not np.ptp(reached) or count < 4:
        raise NotTestable("all classes have the same number of clips, or too few classes differ")
    return sizes, np.array(reached), np.array(blind)


def rare_classes(run: Evaluation) -> dict:
    """I5: rank correlation of clips per class and share heard as it."""
    sizes, reached, blind = reached_by_size(run)
    by_size = standard_ranks(sizes)
    found = {"median picture": float(np.mean(by_size * standard_ranks(blind)))} if np.ptp(blind) else {}
    return {"value": float(np.mean(by_size * standard_ranks(reached))), "n": len(sizes), "of": "classes",
            "baselines": found}


def violin_below_the_line(run: Evaluation) -> dict:
    """I5: violin's share minus that of the line of share on log clips."""
    sizes, reached, _ = reached_by_size(run)
    if "violin" not in run.first.labels:
        raise NotTestable("no violin among the classes")
    violin = run.first.labels.index("violin")
    slope, constant = np.polyfit(np.log(sizes), reached, 1)
    return {"value": float(reached[violin] - (slope * np.log(sizes[violin]) + constant)), "n": len(sizes),
            "of": "classes"}


# ---- long recordings of two instruments --------------------------------------------------------------------------

def medley(run: Evaluation, what: str) -> float:
    """A note of the Medley-solos-DB run that these recordings are compared with."""
    other = run.others.get("medley_solos_db")
    if not other or what not in other["notes"]:
        raise NotTestable("needs the Medley-solos-DB run of the same preset, mode, seed and kind of data")
    return other["notes"][what]


def better_identity(run: Evaluation) -> dict:
    """I6: identity error over the class mean's, Medley-solos-DB minus the long recordings."""
    theirs, model = medley(run, "identity_error"), run.first
    return by_group(theirs - model.errors / model.mean_errors.mean(), model.groups, "recordings", {"medley": theirs})


def both_directions(run: Evaluation) -> dict:
    """I7: the worse direction, heard as the target and following its source, above every control."""
    count = len(run.first.labels)
    return worst_direction(run, [(a, b) for a in range(count) for b in range(count) if a != b])


def better_transfer(run: Evaluation) -> dict:
    """I7: joint measure minus that of Medley-solos-DB between the same two."""
    theirs, heard = medley(run, "piano_violin"), listened(run.first)
    own = per_clip(run.first.judged["transfers"].joint, heard)
    kept = np.isfinite(own)
    return by_group(own[kept] - theirs, heard.groups[kept], "recordings", {"medley": theirs})


def for_others(model: Measured) -> dict:
    """What a run on long recordings compares itself with: relative identity error, joint measure piano and violin."""
    found = {"identity_error": float(model.errors.mean() / model.mean_errors.mean())}
    if {"piano", "violin"} <= set(model.labels) and not model.heard.deaf:
        one, two = model.labels.index("piano"), model.labels.index("violin")
        joint_values, classes = model.judged["transfers"].joint, model.classes
        found["piano_violin"] = float((joint_values[two, classes == one].mean()
                                       + joint_values[one, classes == two].mean()) / 2)
    return found


BOTH = {"I-target": target, "I-second": target_second, "I-joint": joint, "I-joint-second": joint_second,
        "I-identity": identity, "I-error": identity_error, "I1": against_genre, "I4-source": notes_ahead,
        "I4-rhythm": rhythm_ahead}
MEDLEY = BOTH | {"I2": to_piano, "I2-worst": worst_to_piano, "I2-bass": left_hand, "I3": piano_and_others,
                 "I4-melody": melody_kept, "I4-notes": note_by_note, "I4-pitch": pitch, "I4-simple": simple_melodies,
                 "I5-rare": rare_classes, "I5-violin": violin_below_the_line} | comparisons.INSTRUMENTS
LONG_RECORDINGS = BOTH | {"I6": better_identity, "I7": both_directions, "I7-better": better_transfer,
                          "I8-melody": melody_kept, "I8-moderate": less_than_identity,
                          "I8-simple": simple_melodies} | comparisons.INSTRUMENTS | comparisons.LONG_RECORDINGS
