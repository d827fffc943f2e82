"""Section 4.3, figures 2 and 4: interpolations between songs, and what the paper says about them."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import spearmanr

from papers.musae import metrics, train

ALPHAS = np.linspace(0, 1, 11)  # section 4.3 gives no grid


@dataclass
class Paths:
    """Interpolations between pairs of held-out windows: mean Hamming distances along ALPHAS and the decoded tokens."""

    first: np.ndarray  # distance to x1, (alphas,)
    second: np.ndarray  # distance to x2
    data: np.ndarray  # the data-space baseline's distance to x1
    apart: float  # H(x1, x2)
    rising: float  # share of pairs with Spearman's rho of 0.9 or more
    jump: float  # largest step as a share of the way, mean over pairs that move
    at_start: float  # 1 - accuracy of the windows x1, same draws of z
    tokens: np.ndarray  # (alphas, pairs, T, 4)
    ends: tuple  # rows of x1 and x2 among the measured windows


def interpolations(measured, config, seed):
    """Decode z = (1 - alpha) z1 + alpha z2 for pairs of windows of different songs where there are any.

    Equation 19 prints alpha z1 + (1 - alpha) z2, which makes alpha = 0 the second song; text and figure start at the
    first.
    """
    rng = np.random.default_rng([seed, 2])
    n = len(measured.rows)
    song = measured.windows.song[measured.rows]
    one = rng.choice(n, min(config.interpolations, n), replace=False)
    two = np.array(
        [rng.choice(others) if len(others := np.flatnonzero(song != song[k])) else rng.integers(n) for k in one]
    )
    x1, x2 = measured.tokens[one], measured.tokens[two]
    tokens = np.stack([train.decode_tokens(measured.learner, (1 - a) * measured.codes[one] + a * measured.codes[two])
                       for a in ALPHAS])  # fmt: skip
    to_first = np.stack([metrics.hamming(t, x1) for t in tokens])
    mixed = [np.where(rng.random(x1.shape) < a, x2, x1) for a in ALPHAS]
    with np.errstate(invalid="ignore"):
        rho = np.array([spearmanr(ALPHAS, curve).statistic if np.ptp(curve) > 0 else 0.0 for curve in to_first.T])
    steps = np.stack([metrics.hamming(a, b) for a, b in zip(tokens[1:], tokens[:-1], strict=True)])
    way = metrics.hamming(tokens[0], tokens[-1])
    moves = way > 0
    return Paths(
        first=to_first.mean(axis=1),
        second=np.array([metrics.hamming(t, x2).mean() for t in tokens]),
        data=np.array([metrics.hamming(t, x1).mean() for t in mixed]),
        apart=float(metrics.hamming(x1, x2).mean()),
        rising=float((rho >= 0.9).mean()),
        jump=float((steps.max(axis=0)[moves] / way[moves]).mean()) if moves.any() else float("nan"),
        at_start=float(1 - (measured.answers[one] == x1).mean()),
        tokens=tokens,
        ends=(one, two),
    )


def interpolation_claims(paths):
    """Statements of section 4.3."""
    found = {}
    for name, path in paths.items():
        rho = spearmanr(ALPHAS, path.first).statistic if np.ptp(path.first) > 0 else 0.0
        found[f"F4a-{name}"] = {"value": float(rho), "n": path.tokens.shape[1], "of": "interpolations",
                                "baselines": {"data": 1.0, "pairs_rising": path.rising}}  # fmt: skip
    excess = {name: float(np.abs(path.first - ALPHAS * path.apart).mean()) for name, path in paths.items()}
    start = {name: float(path.first[0]) for name, path in paths.items()}
    two, gaussian, flower = "2bar-gaussian", "16bar-gaussian", "16bar-flower"
    if two in paths:
        path = paths[two]
        curve = np.interp([0.25, 0.75], ALPHAS, path.first)
        found["F4b-sharper"] = {
            "value": float(curve[1] - curve[0] - 0.5 * (path.first[-1] - path.first[0])),
            # fmt: skip
            "n": path.tokens.shape[1],
            "of": "interpolations",
            "baselines": {"data": 0.0},
        }
        mirror = np.abs(path.second - path.first[::-1])
        found["F4e"] = {"value": float(mirror.max()), "n": path.tokens.shape[1], "of": "interpolations"}
        if np.isfinite(path.jump):
            found["F2"] = {"value": path.jump, "n": path.tokens.shape[1], "of": "interpolations",
                           "baselines": {"even_steps": 0.1, "one_jump": 1.0}}  # fmt: skip
        else:
            found["F2"] = {"not_testable": "all windows decode to the same tokens"}
    if two in paths and flower in paths:
        found["F4c-flower"] = {"value": start[flower] - start[two], "baselines": start}
    if len(paths) == 3:
        found["F4b"] = {"value": min(excess[gaussian], excess[flower]) - excess[two], "baselines": excess}
        found["F4c"] = {"value": start[gaussian] - start[two], "baselines": start}
        found["F4d"] = {"value": start[gaussian] - start[flower], "baselines": start}
    if paths:
        gaps = {name: abs(path.first[0] - path.at_start) for name, path in paths.items()}
        found["Q7"] = {"value": float(max(gaps.values())), "n": len(paths), "of": "models"}
    return found
