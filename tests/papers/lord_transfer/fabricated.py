"""A run's measurements made up by hand: three classes, four clips each of two recordings, values one can work out."""

import dataclasses

import numpy as np

from papers.lord_transfer.config import Config
from papers.lord_transfer.exceeding import EVERY
from papers.lord_transfer.heard import Heard, Judged
from papers.lord_transfer.measures import Evaluation, Measured

LABELS = ("flute", "piano", "violin")
CLASSES = np.repeat([0, 1, 2], 4)
GROUPS = np.array([f"{LABELS[c]}-{k % 4 // 2}" for k, c in enumerate(CLASSES)])
CONFIG = dataclasses.replace(Config(), data_set="medley_solos_db", genre_pairs="Rock-Folk")
STRONG, WEAK, NOTHING = (1.0, 1.0, 1.0, 0.9, 0.6), (0.5, 0.5, 0.5, 0.5, 0.1), (0.0, 0.0, 0.5, 0.5, 0.0)


def judged(values, classes=CLASSES, count=3):
    """Judged with the same values (hit, second, rhythm, notes, excess) everywhere; 0.5 hits every other clip."""
    hit, second, rhythm, notes, excess = values
    every = np.ones((count, len(classes)))
    some = np.tile(np.arange(len(classes)) % 2 == 0, (count, 1))
    hits, seconds = (every > 0 if share == 1 else some if share == 0.5 else every < 0 for share in (hit, second))
    return Judged(hits, seconds, rhythm * every, notes * every, excess * every, kept=excess * every)


def answers(numbers, count=3):
    """Probabilities (..., count) that are all on the given class numbers."""
    return np.eye(count)[np.asarray(numbers)]


def heard(hits=True, own=True, right=True, labels=LABELS, classes=CLASSES, groups=GROUPS):
    """Heard with every transfer heard as its target (or as its source), every rebuilt clip as its own class (or not).

    `right`: real clips are heard rightly, all of them or none.
    """
    count, next_class = len(labels), (classes + 1) % len(labels)
    found = np.stack([np.full(len(classes), target) if hits else np.where(classes == target, target, classes)
                      for target in range(count)])
    found[classes, np.arange(len(classes))] = classes if own else next_class
    return Heard(labels, classes, groups, answers(classes if right else next_class, count), answers(found, count))


def line(step, value):
    """A line of metrics.jsonl of the joint stage."""
    return {"stage": "joint", "step": step, "losses/mse": value, "losses/total": 99.0}


def model(**changes):
    """One model's measurements: strong transfers, a weak median picture, nothing else."""
    one = np.ones(len(CLASSES))
    found = {name: judged(NOTHING) for name in EVERY} | {
        "transfers": judged(STRONG), "median picture": judged(WEAK)}
    values = dict(config=CONFIG, pair="", images=np.zeros((12, 4, 4, 1)), transfers=np.zeros((3, 12, 4, 4, 1)),
                  heard=heard(), errors=0.1 * one, training_error=0.05, mean_errors=0.2 * one, median_errors=0.15 * one,
                  probe={"noisy": one > 0, "clean": one > 0, "untrained": np.arange(12) % 2 == 0}, flux=1.0,
                  distances=one, history=[line(10, 0.5)], trained_classes=CLASSES, how="made up", judged=found,
                  ears={"second": 1.0}, variety=1.0, onsets=np.arange(12))
    return Measured(**(values | changes))


def run(first=None, pair="", comparisons=None, others=None, config=CONFIG):
    """An Evaluation around one model."""
    return Evaluation(config, {pair: first or model()}, comparisons or {}, others or {})


def swapped(name="median picture"):
    """The model whose control `name` answers what its network did, and the other way round."""
    found = model()
    found.judged["transfers"], found.judged[name] = found.judged[name], found.judged["transfers"]
    return found
