"""The prior distributions of section 3.3: an isotropic Gaussian and the "flower" of Gaussians on a circle.

A petal's covariance (eq. 18) has the variance a_1 along its radius and a_2 in every other direction, so a draw needs no
N_z x N_z matrix: mean + radial sqrt(a_1) e + tangential sqrt(a_2) e' + sqrt(a_2) in the other dimensions.
"""

from typing import Any

import numpy as np

RADIAL_VARIANCE = 0.1  # a_1, section 3.3
OTHER_VARIANCE = 0.001  # a_2


def angles(petals: int) -> np.ndarray:
    """Angle of each petal in radians, (petals,): 2 pi i / n (eq. 14)."""
    return 2.0 * np.pi * np.arange(petals) / petals


def petal_mean(petals: int, latent: int) -> Any:
    """Means (petals, latent) on the unit circle of the first two dimensions (eq. 14)."""
    mean = np.zeros((petals, latent))
    mean[:, 0], mean[:, 1] = np.cos(angles(petals)), np.sin(angles(petals))
    return mean


def petal_covariance(petal: int, petals: int, latent: int, radial: float = RADIAL_VARIANCE,
                     other: float = OTHER_VARIANCE) -> Any:
    """Covariance (latent, latent) of one petal as printed: M S M^-1 with v transposed inside M (eq. 15 to 18).

    Used by tests and by those who want to see it; sampling does not need it.
    """
    angle = 2.0 * np.pi * petal / petals
    v = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])  # eq. 15
    rotation = np.eye(latent)
    rotation[:2, :2] = v.T  # eq. 16: without the transpose the long axis would not point outwards
    scale = np.diag([radial] + [other] * (latent - 1))  # eq. 17
    return rotation @ scale @ np.linalg.inv(rotation)


def flower(noise: Any, petal: Any, petals: int, radial: float = RADIAL_VARIANCE, other: float = OTHER_VARIANCE) -> Any:
    """Turn standard normal noise (n, latent) into draws of the petals (n,) (eq. 14 to 18). Tensors or arrays.

    noise[:, 0] becomes the radial and noise[:, 1] the tangential coordinate.
    """
    from keras import ops

    angle = ops.take(ops.convert_to_tensor(angles(petals), "float32"), petal)
    cos, sin = ops.cos(angle), ops.sin(angle)
    along, across = 1.0 + radial**0.5 * noise[:, 0], other**0.5 * noise[:, 1]
    plane = ops.stack([cos * along - sin * across, sin * along + cos * across], axis=1)
    return ops.concatenate([plane, other**0.5 * noise[:, 2:]], axis=1)


def towards(z: np.ndarray, petal: int | np.ndarray, petals: int, amount: float) -> np.ndarray:
    """Codes (n, latent) moved to the centre of a petal in the plane of the circle: not at all at 0, there at 1."""
    moved = np.array(z)
    moved[:, :2] += amount * (petal_mean(petals, 2)[petal] - moved[:, :2])
    return moved


def nearest_petal(z: np.ndarray, petals: int) -> np.ndarray:
    """Petal (n,) whose angle is nearest to that of z's first two dimensions (n, latent)."""
    angle = np.arctan2(z[:, 1], z[:, 0])
    return np.round(angle * petals / (2.0 * np.pi)).astype(np.int64) % petals
