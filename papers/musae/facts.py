"""Sizes of section 4.1, the cost of the flower, and what is true on any data: `FACTS`, claim id -> function of a
`measured.Measured`.
"""

from functools import partial

import numpy as np
import tensorflow as tf

from common.findings import NotTestable
from papers.musae import losses, prior, variants
from papers.musae.findings import FLOWER, GAUSSIAN, PRINTED


def count(measured, name):
    """A count of the store."""
    return {"value": measured.stated["counts"][name]}


def songs(measured):
    """G2-songs: files of the collection, each counted once."""
    counts = measured.stated["counts"]
    return {"value": counts["files"] - counts.get("further paths of a MIDI file already read", 0)}


def tags(measured):
    """G1: distinct genre tags."""
    if not measured.stated["counts"]["distinct genre tags"]:
        raise NotTestable("this corpus carries no genre tags")
    return {"value": measured.stated["counts"]["distinct genre tags"]}


def tag_share(measured):
    """G1-share: share of the commonest tags among all."""
    tags(measured)
    return {"value": measured.stated["tag_share"]}


def lost_notes(measured):
    """E21: notes without an onset of their own on the grid."""
    counts = measured.stated["counts"]
    return {"value": counts["notes without an onset on the grid"] / max(1, counts["notes"]), "n": counts["notes"],
            "of": "notes"}  # fmt: skip


def no_data(measured):
    """G3: the paper shows none."""
    raise NotTestable("no data in the paper; see the spread over the seeds")


def cost(measured):
    """G4: seconds per update, flower over Gaussian."""
    measured.model(GAUSSIAN), measured.model(FLOWER)
    rates = {name: measured.seconds[name] for name in (GAUSSIAN, FLOWER) if name in measured.seconds}
    if len(rates) < 2:
        raise NotTestable("too few updates to time")
    return {"value": rates[FLOWER] / rates[GAUSSIAN], "baselines": rates}


def _first(measured):
    return next(iter(measured.models.values()))


def trained_windows(measured):
    """E1: share of held-out windows that are training windows too."""
    model = _first(measured)
    return {"value": float(np.isin(model.held_rows, model.train_rows).mean()), "n": len(model.held_rows),
            "of": "windows"}  # fmt: skip


def trained_songs(measured):
    """E1-song: share of held-out windows whose song is trained on."""
    model = _first(measured)
    song = model.windows.song
    return {"value": float(np.isin(song[model.held_rows], song[model.train_rows]).mean()), "n": len(model.held_rows),
            "of": "windows"}  # fmt: skip


def printed_averages(measured):
    """E3-table: largest difference of a printed average from the mean of the printed cells."""
    gaps = []
    for column in ("gaussian", "flower", "musicvae-flat", "musicvae-hierarchical"):
        for average, parts in (("T7", ("T3", "T4", "T5", "T6")), ("T8", ("T3", "T4", "T5"))):
            cells = [PRINTED.get(f"{row}-{column}") for row in parts]
            if PRINTED.get(f"{average}-{column}") is not None and None not in cells:
                gaps.append(abs(PRINTED[f"{average}-{column}"] - np.mean(cells)))
    return {"value": float(max(gaps)), "n": len(gaps), "of": "averages"}


def radial_variance(measured):
    """P17-radius: largest deviation of a petal's variance along its radius from 0.1."""
    petals = measured.config.petals
    mean = prior.petal_mean(petals, 4)
    along = [abs(u @ prior.petal_covariance(i, petals, 4) @ u - prior.RADIAL_VARIANCE) for i, u in enumerate(mean)]
    return {"value": float(max(along)), "n": petals, "of": "petals"}


def neighbours(measured):
    """P17-neighbours: distance of two neighbouring means."""
    mean = prior.petal_mean(measured.config.petals, 4)
    return {"value": float(np.linalg.norm(mean[1] - mean[0]))}


def recovery(measured):
    """P17-recovery: share of draws whose petal their angle tells."""
    petals, rng = measured.config.petals, np.random.default_rng(0)
    petal = rng.integers(0, petals, 100_000)
    z = np.asarray(prior.flower(rng.normal(size=(len(petal), 2)).astype(np.float32), petal, petals))
    return {"value": float((prior.nearest_petal(z, petals) == petal).mean()), "n": len(petal), "of": "draws"}


def adversarial_gradients(measured):
    """Largest gradient of each weight of the flower's encoder: of the program's two terms together, and of the term
    that is the encoder's own in the two phases.
    """
    model, config = measured.model(FLOWER), measured.config
    encoder, critic = model.learner.networks["encoder"], model.learner.networks["critic"]
    x = losses.one_hot(tf.constant(model.tokens[:4]))
    rng = np.random.default_rng(0)
    noise, z_prior = (tf.constant(rng.normal(size=(len(x), config.latent)), tf.float32) for _ in range(2))
    label = (tf.one_hot(rng.integers(0, config.genres, len(x)), config.genres),)
    with tf.GradientTape(persistent=True) as tape:
        mu, log_variance = encoder(x)
        z = mu + tf.exp(log_variance / 2.0) * noise
        both = tf.add_n(variants.joint_adversarial(critic, z_prior, z, tf.ones(len(x)), 0.0, label))
        joint, own = tf.reduce_mean(both), tf.reduce_mean(-losses.score(critic, z, label))
    return [_largest(tape, loss, encoder.trainable_variables) for loss in (joint, own)]


def _largest(tape, loss, variables):
    found = tape.gradient(loss, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return [float(np.abs(g.numpy()).max()) for g in found]


def cancelled(measured):
    """E2: the gradient of the sum of the two terms."""
    joint, own = adversarial_gradients(measured)
    return {"value": max(joint), "n": len(joint), "of": "weight tensors", "baselines": {"one term alone": max(own)}}


def without_pull(measured):
    """E2-two-phases: weight tensors that the encoder's own term leaves without gradient."""
    _, own = adversarial_gradients(measured)
    return {"value": float(np.mean([g == 0 for g in own])), "n": len(own), "of": "weight tensors"}


FACTS = {
    "G2-songs": songs,
    "G2-2bar": partial(count, name="2-bar windows kept"),
    "G2-16bar": partial(count, name="16-bar windows kept"),
    "G1": tags,
    "G1-share": tag_share,
    "G3": no_data,
    "G4": cost,
    "E21": lost_notes,
    "E1": trained_windows,
    "E1-song": trained_songs,
    "E2": cancelled,
    "E2-two-phases": without_pull,
    "E3-table": printed_averages,
    "P17-radius": radial_variance,
    "P17-neighbours": neighbours,
    "P17-recovery": recovery,
}
