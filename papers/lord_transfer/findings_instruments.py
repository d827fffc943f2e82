"""Instrument transfer (sec. 2.4.3): claim id -> function of what a run measured."""

import numpy as np

from common.findings import NotTestable, by_group
from papers.lord_transfer import findings_comparisons, findings_melody, findings_piano
from papers.lord_transfer.controls import PICTURES
from papers.lord_transfer.exceeding import (
    EVERY,
    NO_NETWORK,
    UNTRAINED,
    exceeds,
    judged_excess,
    listened,
    mean_of,
    per_clip,
    standard_ranks,
    to_own_class,
    worst_direction,
)
from papers.lord_transfer.measures import Evaluation, Measured

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
    """I1: transfers heard as the target, as the share solved of what chance leaves, minus the genre run's.

    Of the genre run count the pairs whose model learnt; to beat another is no finding.
    """
    heard, genre = listened(run.first), run.others.get("fma_medium", {"results": {}, "learnt": {}})
    learnt = {name for name, stated in genre["learnt"].items() if stated["learnt"]}
    pairs = [solved(entry["baselines"]["transferred"], entry["baselines"]["chance"])
             for key, entry in genre["results"].items()
             if key in GENRE_TRANSFERS and "value" in entry and key.replace("G1-transfer", "lord") in learnt]
    if not pairs:
        raise NotTestable("needs the genre run of the same preset, mode, seed and kind of data (data set fma_medium), "
                          "with a model that learnt and a classifier that can tell its genres apart")
    mine, theirs = solved(heard.transferred, heard.chance), float(np.mean(pairs))
    return {"value": mine - theirs, "n": heard.clips, "of": "clips",
            "baselines": {"instrument": mine, "genre": theirs}}


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
        "I-identity": identity, "I-error": identity_error, "I1": against_genre} | findings_melody.BOTH
MEDLEY = BOTH | findings_piano.PIANO | findings_melody.MEDLEY | {
    "I5-rare": rare_classes, "I5-violin": violin_below_the_line} | findings_comparisons.INSTRUMENTS
LONG_RECORDINGS = BOTH | {"I6": better_identity, "I7": both_directions, "I7-better": better_transfer} | (
    findings_melody.LONG_RECORDINGS | findings_comparisons.INSTRUMENTS | findings_comparisons.LONG_RECORDINGS)
