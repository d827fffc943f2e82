"""What is left of the melody (sec. 2.4.3): claim id -> function of what a run measured."""

import numpy as np

from common.findings import NotTestable, by_group
from papers.lord_transfer.exceeding import (
    WITHOUT_NOTES,
    judged_excess,
    mean_of,
    per_clip,
    standard_ranks,
    to_own_class,
)
from papers.lord_transfer.measures import Evaluation, Measured


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


BOTH = {"I4-source": notes_ahead, "I4-rhythm": rhythm_ahead}
MEDLEY = {"I4-melody": melody_kept, "I4-notes": note_by_note, "I4-pitch": pitch, "I4-simple": simple_melodies}
LONG_RECORDINGS = {"I8-melody": melody_kept, "I8-moderate": less_than_identity, "I8-simple": simple_melodies}
