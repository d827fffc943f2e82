"""Instrument transfer (sec. 2.4.3): claim id -> function of what a run measured."""

import numpy as np

from common.findings import NotTestable, by_group
from papers.lord_transfer import comparisons, melody
from papers.lord_transfer.comparisons import hit_rates, listened

TREBLE = ("clarinet", "female singer", "flute", "trumpet", "violin")  # sources that can gain a left hand


def references(heard):
    """What a share heard as the target is read against."""
    return {"chance": heard.chance, "untransferred": heard.untransferred,
            "classifier on real clips": heard.accuracy}


def target(run):
    """I-target: transfers heard as the target minus the larger of chance and the untransferred clips so heard."""
    heard = listened(run.first)
    return by_group(hit_rates(heard) - max(heard.chance, heard.untransferred), heard.groups, "recordings", {
        "transferred": heard.transferred, "identity": heard.false_identity, "variety": run.first.variety,
        **references(heard)})


def identity(run):
    """I-identity: identity outputs heard as their instrument over the classifier's accuracy on real clips."""
    heard = listened(run.first)
    return {"value": heard.rebuilt / max(heard.accuracy, 1e-9), "n": heard.clips, "of": "clips",
            "baselines": {"identity": heard.rebuilt, **references(heard)}}


def against_genre(run):
    """I1: transfers heard as the target above chance, minus those of the genre run."""
    heard, genre = listened(run.first), run.others.get("fma_medium")
    pairs = [entry["baselines"]["transferred"] - entry["baselines"]["chance"]
             for key, entry in (genre["results"] if genre else {}).items()
             if key in GENRE_TRANSFERS and "value" in entry]
    if not pairs:
        raise NotTestable("needs the genre run of the same preset, mode and seed (data set fma_medium)")
    above = heard.transferred - heard.chance
    return {"value": float(above - np.mean(pairs)), "n": heard.clips, "of": "clips",
            "baselines": {"instrument": above, "genre": float(np.mean(pairs))}}


GENRE_TRANSFERS = ("G1-transfer-instrumental-pop", "G1-transfer-classical-pop", "G1-transfer-rock-folk")


# ---- piano against the others ------------------------------------------------------------------------------------

def piano(run):
    """The class number of piano."""
    if "piano" not in run.first.labels:
        raise NotTestable("no piano among the classes")
    return run.first.labels.index("piano")


def to_piano(run):
    """I2: mean share heard as piano."""
    number, heard = piano(run), listened(run.first)
    sources = heard.classes != number
    real = heard.real_shares[np.arange(len(heard.labels)) != number, number].mean()
    return by_group(heard.hits[number, sources], heard.groups[sources], "recordings",
                    {"chance": heard.chance, "untransferred": real})


def worst_to_piano(run):
    """I2: share of the worst source."""
    number, heard = piano(run), listened(run.first)
    others = np.arange(len(heard.labels)) != number
    return {"value": float(heard.target_shares[others, number].min()), "n": heard.clips, "of": "clips",
            "baselines": {"chance": heard.chance, "untransferred": heard.real_shares[others, number].mean()}}


def left_hand(run):
    """I2: energy below 250 Hz, transferred to piano minus source, of the instruments that have none."""
    number, model = piano(run), run.first
    picked = np.flatnonzero([model.labels[c] in TREBLE for c in model.classes])
    gained = [melody.bass_share(model.transfers[number][i, ..., 0], run.config)
              - melody.bass_share(model.images[i, ..., 0], run.config) for i in picked]
    return by_group(gained, model.groups[picked], "recordings")


def piano_and_others(run):
    """I3: mean share of transfers to piano minus that of transfers to the others."""
    number, heard = piano(run), listened(run.first)
    shares, count = heard.target_shares, len(heard.labels)
    others = [a for a in range(count) if a != number]
    first = shares[others, number].mean()
    rest = np.mean([shares[a, b] for a in range(count) for b in others if a != b])
    return {"value": float(first - rest), "n": heard.clips, "of": "clips",
            "baselines": {"to_piano": first, "to_others": rest}}


# ---- melody ------------------------------------------------------------------------------------------------------

def chroma(run):
    """I4 and I8: chroma agreement of input and transfer above that of shuffled pairs."""
    found = run.first.chroma
    return by_group(found["own"] - found["shuffled"], run.first.groups, "recordings", {
        "transferred": found["own"].mean(), "shuffled": found["shuffled"].mean(),
        "identity": found["identity"].mean()})


def ahead_of_rivals(run):
    """I4: share of the other clips of its class with which a transfer agrees less than with its source."""
    ahead = run.first.chroma["ahead"]
    compared = ~np.isnan(ahead).all(axis=0)
    return by_group(np.nanmean(ahead[:, compared], axis=0), run.first.groups[compared], "recordings",
                    {"chance": 0.5})


def pitch(run):
    """I4: pitch-contour agreement above that of shuffled pairs."""
    found, groups = run.first.pitch, run.first.groups
    sung = ~(np.isnan(found["own"]) | np.isnan(found["shuffled"]))
    return by_group((found["own"] - found["shuffled"])[sung], groups[found["picked"]][sung], "recordings", {
        "transferred": found["own"][sung].mean() if sung.any() else np.nan,
        "shuffled": found["shuffled"][sung].mean() if sung.any() else np.nan})


def simple_melodies(run):
    """I4 and I8: rank correlation of chroma agreement and onsets."""
    from scipy.stats import spearmanr

    own, onsets = run.first.chroma["own"], run.first.onsets
    if not np.ptp(own) or not np.ptp(onsets):
        raise NotTestable("all clips agree equally, or have equally many onsets")
    return {"value": float(spearmanr(own, onsets).statistic), "n": len(own), "of": "clips"}


def less_than_identity(run):
    """I8: chroma agreement of identity outputs minus that of transfers."""
    found = run.first.chroma
    return by_group(found["identity"] - found["own"], run.first.groups, "recordings")


# ---- how large the classes are -----------------------------------------------------------------------------------

def reached_by_size(run):
    """(clips trained on, mean share heard as it) of each class."""
    heard = listened(run.first)
    count = len(heard.labels)
    sizes = np.bincount(run.first.trained_classes, minlength=count)
    shares = heard.target_shares
    reached = np.array([shares[np.arange(count) != b, b].mean() for b in range(count)])
    if not np.ptp(sizes) or not np.ptp(reached) or count < 4:
        raise NotTestable("all classes have the same number of clips, or too few classes differ")
    return sizes, reached


def rare_classes(run):
    """I5: rank correlation of clips per class and share heard as it."""
    from scipy.stats import spearmanr

    sizes, reached = reached_by_size(run)
    return {"value": float(spearmanr(sizes, reached).statistic), "n": len(sizes), "of": "classes"}


def violin_below_the_line(run):
    """I5: violin's share minus that of the line of share on log clips."""
    sizes, reached = reached_by_size(run)
    if "violin" not in run.first.labels:
        raise NotTestable("no violin among the classes")
    violin = run.first.labels.index("violin")
    slope, constant = np.polyfit(np.log(sizes), reached, 1)
    return {"value": float(reached[violin] - (slope * np.log(sizes[violin]) + constant)), "n": len(sizes),
            "of": "classes"}


# ---- long recordings of two instruments --------------------------------------------------------------------------

def medley(run):
    """The notes of the Medley-solos-DB run that these recordings are compared with."""
    other = run.others.get("medley_solos_db")
    if not other or "piano_violin" not in other["notes"]:
        raise NotTestable("needs the Medley-solos-DB run of the same preset, mode and seed")
    return other["notes"]


def better_identity(run):
    """I6: identity error of Medley-solos-DB minus that of the long recordings."""
    theirs = medley(run)["identity_error"]
    return by_group(theirs - run.first.errors, run.first.groups, "recordings", {"medley": theirs})


def both_directions(run):
    """I7: the smaller of the two shares heard as the target."""
    heard = listened(run.first)
    shares = heard.target_shares
    return {"value": float(shares[~np.eye(len(shares), dtype=bool)].min()), "n": heard.clips, "of": "clips",
            "baselines": {"chance": heard.chance, "untransferred": heard.untransferred}}


def better_transfer(run):
    """I7: share heard as the target minus that of Medley-solos-DB between the same two."""
    theirs = medley(run)["piano_violin"]
    return by_group(hit_rates(listened(run.first)) - theirs, run.first.groups, "recordings", {"medley": theirs})


def for_others(model):
    """What a run on long recordings compares itself with: identity error, piano to violin and back."""
    found, labels = {"identity_error": comparisons.held_out_error(model)}, model.labels
    if {"piano", "violin"} <= set(labels) and not model.heard.deaf:
        one, two = labels.index("piano"), labels.index("violin")
        shares = model.heard.target_shares
        found["piano_violin"] = float((shares[one, two] + shares[two, one]) / 2)
    return found


BOTH = {"I-target": target, "I-identity": identity, "I1": against_genre, "I4-source": ahead_of_rivals}
MEDLEY = BOTH | {"I2": to_piano, "I2-worst": worst_to_piano, "I2-bass": left_hand, "I3": piano_and_others,
                 "I4-melody": chroma, "I4-pitch": pitch, "I4-simple": simple_melodies, "I5-rare": rare_classes,
                 "I5-violin": violin_below_the_line} | comparisons.INSTRUMENTS
LONG_RECORDINGS = BOTH | {"I6": better_identity, "I7": both_directions, "I7-better": better_transfer,
                          "I8-melody": chroma, "I8-moderate": less_than_identity, "I8-simple": simple_melodies,
                          } | comparisons.INSTRUMENTS | comparisons.LONG_RECORDINGS
