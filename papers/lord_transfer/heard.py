"""Who a clip sounds like: what both ears say of real clips and of transfers, and whether these follow their source.

Arrays in, numbers out; no TensorFlow.
"""

from dataclasses import dataclass

import numpy as np


@dataclass
class Heard:
    """What the classifier hears. Matrices are (source class, class heard or target), rows as shares."""

    labels: tuple
    classes: np.ndarray  # (n,) class number of each clip
    groups: np.ndarray  # (n,) recording of each clip
    real: np.ndarray  # (n, classes) probabilities for the real clips
    transfers: np.ndarray  # (targets, n, classes) probabilities for every clip given to every class

    @property
    def clips(self) -> int:
        """How many held-out clips were heard."""
        return len(self.classes)

    @property
    def others(self) -> np.ndarray:
        """(targets, n): whether a target is another class than the clip's own."""
        return np.arange(len(self.labels))[:, None] != self.classes

    @property
    def hits(self) -> np.ndarray:
        """(targets, n): whether a clip given to a class is heard as that class."""
        return self.transfers.argmax(axis=2) == np.arange(len(self.labels))[:, None]

    @property
    def own(self) -> np.ndarray:
        """(n,) what is heard where a clip is rebuilt with its own class."""
        return self.transfers.argmax(axis=2)[self.classes, np.arange(self.clips)]

    @property
    def real_shares(self) -> np.ndarray:
        """(classes, classes): real clips of a class, heard as each."""
        return shares(self.real.argmax(axis=1), self.classes, len(self.labels))

    @property
    def identity_shares(self) -> np.ndarray:
        """(classes, classes): clips rebuilt with their own class, heard as each."""
        return shares(self.own, self.classes, len(self.labels))

    @property
    def target_shares(self) -> np.ndarray:
        """[a, b]: share of clips of a, transferred to b, that are heard as b."""
        return np.stack([self.hits[:, self.classes == a].mean(axis=1) for a in range(len(self.labels))])

    @property
    def chance(self) -> float:
        """One over the number of classes."""
        return 1 / len(self.labels)

    @property
    def accuracy(self) -> float:
        """Mean over classes of the share of real clips heard rightly: the ceiling of everything below."""
        return float(np.diag(self.real_shares).mean())

    @property
    def deaf(self) -> str:
        """Why nothing can be said with this classifier, or an empty string: real clips must be heard above chance.

        By two standard errors of guessing once a recording, since the clips of one are heard alike; a classifier at
        chance would call any transfer a failure.
        """
        recordings = len(np.unique(self.groups))
        least = self.chance + 2 * np.sqrt(self.chance * (1 - self.chance) / recordings)
        if self.accuracy > least:
            return ""
        return (f"the classifier hears {self.accuracy:.0%} of {self.clips} real clips of {recordings} recordings "
                f"rightly, chance is {self.chance:.0%}: too few recordings to tell it from guessing")

    @property
    def rebuilt(self) -> float:
        """Mean over classes of the share of identity outputs heard as their class."""
        return float(np.diag(self.identity_shares).mean())

    @property
    def transferred(self) -> float:
        """Mean over all pairs of different classes of the share heard as the target."""
        return off_diagonal_mean(self.target_shares)

    @property
    def untransferred(self) -> float:
        """The same for clips that were not transferred: real clips of a heard as b, mean over pairs."""
        return off_diagonal_mean(self.real_shares)

    @property
    def false_identity(self) -> float:
        """The same for identity outputs."""
        return off_diagonal_mean(self.identity_shares)


@dataclass
class Judged:
    """An answer to every (target, clip), from the network or from a control: (targets, n) each."""

    hits: np.ndarray  # heard as the target
    second: np.ndarray  # heard as the target by the second ear
    rhythm: np.ndarray  # share of rivals of the source's class whose level over time it agrees with less
    notes: np.ndarray  # the same for chroma over time
    excess: np.ndarray  # chroma agreement over time with its source minus the mean with those rivals
    by_note: np.ndarray | None = None  # as `notes`, by the notes of the score; None where what is played is not known
    kept: np.ndarray | None = None  # its source's notes in it, in time, minus the mean of those rivals' notes

    @property
    def ahead(self) -> np.ndarray:
        """How far it is ahead of rivals: in rhythm and in notes, 1 of all, 0 where it ignores its source."""
        return self.rhythm + (self.notes if self.by_note is None else self.by_note) - 1

    @property
    def joint(self) -> np.ndarray:
        """Heard as the target *and* following its source: a hit counts by how far it is ahead of rivals.

        1: heard, and nearer to its source than to every rival; 0: not heard, or no nearer than to any other.
        """
        return self.hits * self.ahead

    @property
    def joint_second(self) -> np.ndarray:
        """The same, heard by the second ear."""
        return self.second * self.ahead


def shares(answers: np.ndarray, classes: np.ndarray, count: int) -> np.ndarray:
    """(count, count): of the clips of each class, the share answered as each."""
    return np.stack([np.bincount(answers[classes == a], minlength=count) / np.sum(classes == a)
                     for a in range(count)])


def off_diagonal_mean(matrix: np.ndarray) -> float:
    """Mean of a square matrix without its diagonal."""
    return float(matrix[~np.eye(len(matrix), dtype=bool)].mean())
