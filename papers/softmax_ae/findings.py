"""Every claim of the paper that a run answers: id -> function of what was measured (`measures.Measured`)."""

from functools import partial

from papers.softmax_ae import accuracies, encodings
from papers.softmax_ae.config import ALONE

PARTS = {"tr": "train", "dev": "dev", "te": "test"}
TABLE_2 = {"C": "classical", "J": "jazz", "M": "metal", "P": "pop"}

FINDINGS = {
    **{f"B-T1-{row}-{short}": partial(accuracies.table_1, row, part)
       for row in accuracies.TABLE_1 for short, part in PARTS.items()},
    "B-T1-DS-tr-long": accuracies.longer_training,
    "B-ABS1-tr": partial(accuracies.table_1, "DS", "train"),
    "B-ABS1-te": partial(accuracies.table_1, "DS", "test"),
    **{f"B-T2-{letter}-{short}": partial(accuracies.table_2, genre, score)
       for letter, genre in TABLE_2.items() for short, score in accuracies.SCORES.items()},
    **{f"B-LOG-{row}-{short}": partial(accuracies.like_the_logs, row, part)
       for row in accuracies.TABLE_1 for short, part in (("tr", "train"), ("dev", "dev"))},
    "B-F4a": accuracies.on_the_diagonal,
    "R1": encodings.raw_plane,
    "R2": encodings.vanilla_separates,
    "R3a": partial(encodings.silhouette_difference, "bottleneck", "vanilla"),
    "R3b": encodings.neighbours_separate,
    "R3c": encodings.smooth,
    "R3d": encodings.smoother_logits,
    "R4": encodings.jazz_and_classical_closest,
    "R5": partial(encodings.silhouette_difference, "logits", "bottleneck"),
    "R6": partial(encodings.silhouette_difference, "logits", "two_layer"),
    "R7a": partial(encodings.pop_is_spread, "raw"),
    "R7b": partial(encodings.pop_is_spread, "bottleneck"),
    "R7c": partial(encodings.pop_is_spread, "logits"),
    "R7d": partial(encodings.pop_overlaps, "bottleneck"),
    "R7e": partial(encodings.pop_overlaps, "logits"),
    "R7f": accuracies.pop_is_worst,
    "R7g": encodings.classical_is_clustered,
    "R8a": accuracies.metal_and_pop,
    "R8b": accuracies.classical_and_jazz,
    "R9": accuracies.classical_leads,
    "R10a": partial(accuracies.hybrid_beats_plain, "own"),
    "R10b": accuracies.hybrid_fits_better,
    "R10c": partial(accuracies.hybrid_beats_plain, "unheard"),
    "R11": accuracies.deeper_overfits,
    "R12a": accuracies.hybrid_overfits_less,
    "R12b": accuracies.reconstruction_overfits_less,
    "R12c": accuracies.reconstruction_helps,
    "R13a": partial(accuracies.regularises, "pool_1"),
    "R13b": partial(accuracies.regularises, "keep_1.0"),
    "R14a": encodings.bottleneck_is_finer,
    "R15a": encodings.reconstructs,
    "R15b": encodings.reconstructs_like_components,
    "R16a": accuracies.genre_beats_chance,
    "R16b": accuracies.genre_beats_loudness,
    "R16c": accuracies.votes_beat_chance,
    "R17": accuracies.the_leak,
    "R18a": partial(encodings.as_drawn, "bottleneck"),
    "R18b": partial(encodings.as_drawn, "logits"),
    "R18c": partial(encodings.picture_holds, "bottleneck"),
    "R18d": partial(encodings.picture_holds, "logits"),
}

# What each of these models must have learnt before the claim says anything (`common.findings.where_learnt`): a network
# that learnt nothing overfits nothing, and names what is commonest.
MUST_HAVE_LEARNT = {
    "B-F4a": ("deep_softmax",),
    "R12a": ("deep_softmax", "two_layer"),
    "R12b": ("deep_softmax", ALONE),
    "R16b": ("deep_softmax", "deep_softmax_unheard"),
    "R16c": ("deep_softmax",),
}
