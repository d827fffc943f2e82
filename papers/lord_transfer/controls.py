"""Answers to a transfer that need no trained network: what a number must exceed before it says anything.

Images are (n, bands, frames, channels) in [0, 1], of which the amplitude channel counts; answers are
(targets, n, bands, frames, 1), for every clip and every class that it is to be given.
"""

import numpy as np

PICTURES = ("mean picture", "median picture")  # what is best in MSE and in MAE for who does not look at the source
BLIND = (*PICTURES, "one real clip")  # ignore the source altogether
SOURCE = ("untransferred", "static filter", "random frames")  # take sound from the source
STEADY = "long-term spectrum"  # the clip's own spectrum and the target's, constant in time: not a note in it


def answers(images: np.ndarray, shown: np.ndarray, shown_classes: np.ndarray, count: int, seed: int = 0) -> dict:
    """{name: answer} of every control.

    Args:
        images: the clips to be transferred.
        shown, shown_classes: training clips and their class numbers, of `count` classes.
        seed: of the random order of frames.
    """
    source, shown = images[..., :1], shown[..., :1]
    of_class = [shown[shown_classes == number] for number in range(count)]
    means = np.stack([found.mean(axis=0) for found in of_class])
    middle = medians(shown, shown_classes, count)
    fixed = np.stack([found[nearest(found, median)] for found, median in zip(of_class, middle, strict=True)])
    spectra = means.mean(axis=2, keepdims=True)  # (count, bands, 1, 1)
    own = source.mean(axis=2, keepdims=True)  # (n, bands, 1, 1)
    # an order for each clip: one for all would keep what clips of one tempo share
    random = np.random.default_rng(seed)
    moved = np.stack([clip[:, random.permutation(clip.shape[1])] for clip in source])
    filtered = np.clip(source[None] + spectra[:, None] - own[None], 0, 1)
    steady = np.broadcast_to((spectra[:, None] + own[None]) / 2, filtered.shape)
    found = {"mean picture": means, "median picture": middle, "one real clip": fixed}
    found = {name: np.broadcast_to(pictures[:, None], filtered.shape) for name, pictures in found.items()}
    return found | {"untransferred": np.broadcast_to(source[None], filtered.shape), "static filter": filtered,
                    "random frames": np.broadcast_to(moved[None], filtered.shape), STEADY: steady}


def medians(shown: np.ndarray, shown_classes: np.ndarray, count: int) -> np.ndarray:
    """(count, bands, frames, 1): median training image of each class, the best picture in mean absolute error."""
    return np.stack([np.median(shown[shown_classes == number][..., :1], axis=0) for number in range(count)])


def nearest(images: np.ndarray, picture: np.ndarray) -> int:
    """The number of the image with the least absolute difference from a picture: the same clip whatever the source."""
    return int(np.abs(images - picture).mean(axis=(1, 2, 3)).argmin())
