"""Sizes of section 4.1, the cost of the flower, and what is true on any data: splits, cancelling terms, the prior."""

import json

import numpy as np
import tensorflow as tf

from common import claims
from papers.musae import losses, preprocess, prior, variants


def data_claims(config, store, run):
    """Sizes of section 4.1, and the cost of the flower."""
    stated = store.parameters["facts"]
    counts = stated["counts"]
    found = {
        "G2-songs": {"value": counts["files"] - counts.get("further paths of a MIDI file already read", 0)},
        "G2-2bar": {"value": counts["2-bar windows kept"]},
        "G2-16bar": {"value": counts["16-bar windows kept"]},
        "G3": {"not_testable": "no data in the paper; see the spread over the seeds"},
        "E21": {"value": counts["notes without an onset on the grid"] / max(1, counts["notes"]), "n": counts["notes"],
                "of": "notes"},
    }  # fmt: skip
    if counts["distinct genre tags"]:
        found["G1"] = {"value": counts["distinct genre tags"]}
        found["G1-share"] = {"value": stated["tag_share"]}
    else:
        found["G1"] = found["G1-share"] = {"not_testable": "this corpus carries no genre tags"}
    rates = {}
    for name in ("16bar-gaussian", "16bar-flower"):
        path = run.model_directory(name) / "timing.jsonl"
        lines = [json.loads(line) for line in path.read_text().splitlines()][1:] if path.exists() else []
        if lines:  # the first line holds the time to compile
            rates[name] = sum(line["seconds"] for line in lines) / sum(line["steps"] for line in lines)
    if len(rates) == 2:
        found["G4"] = {"value": rates["16bar-flower"] / rates["16bar-gaussian"], "baselines": rates}
    elif {"16bar-gaussian", "16bar-flower"} <= set(config.models):
        found["G4"] = {"not_testable": "too few updates to time"}
    return found


def facts(models, config):
    """What is true on any data: splits, cancelling terms, the prior, the printed averages."""
    found = {}
    name = next(iter(models))
    m = models[name]
    held, trained = m.held_rows, m.train_rows
    found["E1"] = {"value": float(np.isin(held, trained).mean()), "n": len(held), "of": "windows"}
    songs = np.isin(m.windows.song[held], m.windows.song[trained])
    found["E1-song"] = {"value": float(songs.mean()), "n": len(held), "of": "windows"}
    if "16bar-flower" in models:
        found |= adversarial_gradients(models["16bar-flower"], config)
    printed = {c.id: c.reported for c in claims.read_claims(preprocess.Path(__file__).parent / "claims.csv")}
    gaps = []
    for column in ("gaussian", "flower", "musicvae-flat", "musicvae-hierarchical"):
        for average, parts in (("T7", "T3 T4 T5 T6"), ("T8", "T3 T4 T5")):
            cells = [printed.get(f"{row}-{column}") for row in parts.split()]
            if printed.get(f"{average}-{column}") is not None and None not in cells:
                gaps.append(abs(printed[f"{average}-{column}"] - np.mean(cells)))
    found["E3-table"] = {"value": float(max(gaps)), "n": len(gaps), "of": "averages"}
    mean = prior.petal_mean(config.petals, 4)
    along = [
        abs(u @ prior.petal_covariance(i, config.petals, 4) @ u - prior.RADIAL_VARIANCE) for i, u in enumerate(mean)
    ]
    found["P17-radius"] = {"value": float(max(along)), "n": config.petals, "of": "petals"}
    found["P17-neighbours"] = {"value": float(np.linalg.norm(mean[1] - mean[0]))}
    rng = np.random.default_rng(0)
    petal = rng.integers(0, config.petals, 100_000)
    z = np.asarray(prior.flower(rng.normal(size=(len(petal), 2)).astype(np.float32), petal, config.petals))
    found["P17-recovery"] = {"value": float((prior.nearest_petal(z, config.petals) == petal).mean()), "n": len(petal),
                             "of": "draws"}  # fmt: skip
    return found


def adversarial_gradients(measured, config):
    """E2: what the encoder gets from the program's two terms together, and from the paper's term."""
    encoder, critic = measured.learner.networks["encoder"], measured.learner.networks["critic"]
    x = losses.one_hot(tf.constant(measured.tokens[:4]))
    rng = np.random.default_rng(0)
    noise, z_prior = (tf.constant(rng.normal(size=(len(x), config.latent)), tf.float32) for _ in range(2))
    label = (tf.one_hot(rng.integers(0, config.genres, len(x)), config.genres),)

    def gradients(loss_of):
        with tf.GradientTape() as tape:
            mu, log_variance = encoder(x)
            loss = tf.reduce_mean(loss_of(mu + tf.exp(log_variance / 2.0) * noise))
        found = tape.gradient(loss, encoder.trainable_variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return [float(np.abs(g.numpy()).max()) for g in found]

    weight = tf.ones(len(x))
    joint = gradients(lambda z: tf.add_n(variants.joint_adversarial(critic, z_prior, z, weight, 0.0, label)))
    pulled = gradients(lambda z: -losses.score(critic, z, label))
    return {
        "E2": {
            "value": max(joint),
            "n": len(joint),
            "of": "weight tensors",
            "baselines": {"one term alone": max(pulled)},
        },
        "E2-two-phases": {"value": float(np.mean([g == 0 for g in pulled])), "n": len(pulled), "of": "weight tensors"},
    }
