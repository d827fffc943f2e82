"""Facts, true on any data, and the paper's numbers about its own data: claim id -> entry."""

import numpy as np
import tensorflow as tf

from common.store import Store
from papers.lord_transfer import joining, networks, sound, train
from papers.lord_transfer.config import Config
from papers.lord_transfer.data import training_windows


def of_the_method(config: Config) -> dict:
    """Statements that hold, or not, on any data."""
    frames = 1 + 30 * config.sample_rate // 512  # hop 512: the only one for which 128 frames are ~3 s and a Medley clip
    inner = sum(start <= 200 < start + 128 for start in joining.window_starts(1280, 128, 1))
    negative = float((sound.pseudo_inverse(config.sample_rate, config.fft_size, 128) < 0).mean())
    found = {"E1-frames": {"value": frames}, "E3-seconds": {"value": 128 * 512 / config.sample_rate},
             "E18-unique": {"value": int(inner)}, "E20-negative": {"value": negative},
             "S-mask": {"value": 1 - float(joining.half_bell(32)[-1])},
             "E4-rate": {"value": float(np.log10(first_step_ratio(config)))}}
    if config.content_decay:
        found["E5-decay"] = {"value": float(train.decay_weight(config, 64) / train.decay_weight(config, 1))}
    if stop := train.stopper(config):
        lines = [{"losses/total": 0.9 / (1 + epoch)} for epoch in range(1000)]
        found["E6-stop"] = {"value": next(n for n in range(1, 1001) if stop(lines[:n]))}
    return found


def first_step_ratio(config: Config) -> float:
    """How far a table's first step goes, in steps of the other weights, when both have the same gradient."""
    moved = {}
    for name, optimizer in networks.joint_optimizers(config, tf.constant(1.0)).items():
        variable = tf.Variable([0.0])
        optimizer.apply([tf.constant([1.0])], [variable])
        moved[name] = abs(float(variable[0]))
    return moved["tables"] / moved["networks"]


def counts(config: Config, store: Store) -> dict:
    """The paper's numbers about its data, counted in the store or the corpus."""
    corpus = store.parameters["corpus"]
    if config.data_set == "medley_solos_db":
        trained_on = training_windows(config, store)
        violin = [trained_on.labels.index(name) for name in trained_on.labels if name == "violin"]
        return {"n-clips": {"value": corpus["items"], "of": "clips"},
                "n-instruments": {"value": len({row["label"] for row in store.index}), "of": "classes"},
                "n-violin": {"value": int(np.isin(trained_on.classes, violin).sum()), "of": "clips"}}
    if config.data_set == "folder":
        hours = {}
        for row in store.index:
            hours[row["label"]] = hours.get(row["label"], 0) + row["frames"] * config.hop / config.sample_rate / 3600
        return {"n-hours": {"value": sum(hours.values())}, "n-hours-class": {"value": min(hours.values())}}
    return {"n-genres": {"value": len(store.parameters["facts"]["labels"]), "of": "genres"}}
