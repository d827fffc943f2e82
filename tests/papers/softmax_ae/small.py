"""Small data and runs of training, made in memory: tones that tell the classes, a store without files."""

import numpy as np

from common import config as configuration
from papers.softmax_ae import config as settings, data as segments, train

VALUES = 40  # a segment


class Store:
    """What training asks of a store."""

    fingerprint, content_sha256 = "small", "small"

    def __init__(self, x, rows, classes):
        self.x, self.index = np.asarray(x, "f4"), rows
        self.parameters = {"facts": {"classes": list(classes), "short_tracks": []}, "content_sha256": "small"}

    def array(self, name):
        return self.x


def store(x, y, tracks, classes=("a", "b")):
    rows = [{"label": classes[code], "group": track, "path": track} for code, track in zip(y, tracks, strict=True)]
    return Store(x, rows, classes)


def tones(tracks=8, segments_a_track=4, seed=0, classes=2, noise=0.1):
    """Segments whose sign pattern tells the class, in tracks; (x, y, names)."""
    random = np.random.default_rng(seed)
    count = classes * tracks * segments_a_track
    y = np.repeat(np.arange(classes), tracks * segments_a_track)
    names = [f"track {i // segments_a_track:02d}" for i in range(count)]
    patterns = np.sign(np.sin(np.outer(np.arange(1, classes + 1), np.arange(VALUES) + 0.5)))
    return (0.3 * patterns[y] + noise * random.normal(size=(count, VALUES))).astype("f4"), y, names


def config(follow="paper", **changes):
    sizes = {"segment_samples": VALUES, "pool": 1, "batch_size": 16, "epochs": 2, "autoencoder_epochs": 2}
    return configuration.resolve(settings, follow, "smoke", sizes | changes)


def trained(name, config, held, steps=None, seed=0):
    """The weights of a model after its training, without files; the learner and the last losses."""
    import keras
    import tensorflow as tf

    from common.noise import Step, step_scope

    segments.load_data.cache_clear()
    model, changed = train.jobs(config)[name] if name in train.jobs(config) else (train.MODELS[name], config)
    keras.utils.set_random_seed(seed)
    learner = model.build(changed, held)
    (stage,) = model.stages(changed, held, seed)
    feed = stage.batches

    def run(batch, positions, index, rows):
        step = Step(seed, stage.name, index, rows, positions, feed.batch_size)
        with step_scope(step):
            return stage.train_step(learner, batch, step)

    count = steps or stage.steps
    run = tf.function(run) if count > 20 else run  # one graph a batch size; a few steps are faster as they are
    for index in range(count):
        rows = feed.indices(index)
        batch = {key: tf.convert_to_tensor(value) for key, value in feed.read(rows).items()}
        losses = run(batch, tf.range(len(rows), dtype=tf.int64), tf.constant(index, tf.int64),
                     tf.constant(float(len(rows))))
    return learner, {key: float(value) for key, value in losses.items()}


def weights(learner):
    return [w for network in learner.networks.values() for w in network.get_weights()]


def replaced(held, rows, value=np.nan):
    """The same store with segments `rows` replaced."""
    x = held.x.copy()
    x[rows] = value
    return Store(x, held.index, held.parameters["facts"]["classes"])


def relabelled(held, rows):
    """The same store with the labels of `rows` moved on to the next class."""
    classes = held.parameters["facts"]["classes"]
    changed = [dict(row) for row in held.index]
    for i in rows:
        changed[i]["label"] = classes[(classes.index(changed[i]["label"]) + 1) % len(classes)]
    return Store(held.x, changed, classes)
