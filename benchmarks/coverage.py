"""How often the intervals of `common.intervals` contain the truth: a simulation, and its table for the module's docs.

    python -m benchmarks.coverage            1,000 draws a cell (250 where seeds meet 1,000 groups), some minutes
    python -m benchmarks.coverage --write    and the table goes into common/intervals.py
"""

import argparse
import re
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed

from common import intervals

SEEDS, GROUPS, SKEWED = (1, 3, 10), (8, 20, 100), (False, True)
MOST = 500  # groups of all seeds together; with more a cell takes a quarter of the draws
OF_SEEDS = 0.3  # standard deviation of a seed's effect; of a group's, and of group and seed together, 1
DOCS = Path(intervals.__file__)
MARKS = re.compile(r"(<!-- coverage -->\n).*?(<!-- /coverage -->)", re.DOTALL)


def simulated(random: np.random.Generator, seeds: int, groups: int, skewed: bool, shared: bool) -> list[dict]:
    """One experiment whose true mean is 0: for each seed the values of its groups, its own or those of all."""
    def draw(*shape):
        return random.exponential(size=shape) - 1 if skewed else random.normal(size=shape)

    values = OF_SEEDS * random.normal(size=(seeds, 1)) * (seeds > 1) + draw(1 if shared else seeds, groups) + draw(
        seeds, groups)
    return [{"names": [f"{0 if shared else seed}-{k}" for k in range(groups)], "values": values[seed],
             "weights": np.ones(groups)} for seed in range(seeds)]


def coverage(seeds: int, groups: int, skewed: bool, shared: bool, draws: int) -> float:
    """The share of experiments whose interval holds the true mean."""
    random = np.random.default_rng([seeds, groups, skewed, shared])
    draws, held = draws // 4 if not shared and seeds * groups > MOST else draws, 0
    for _ in range(draws):
        low, high = intervals.of_groups(simulated(random, seeds, groups, skewed, shared))
        held += low <= 0 <= high
    return held / draws


def cells() -> list[tuple]:
    """(seeds, groups, skewed, shared) of every cell; a single seed has no groups to share."""
    return [(seeds, groups, skewed, shared) for shared in (True, False) for seeds in SEEDS for skewed in SKEWED
            for groups in GROUPS if shared or seeds > 1]


def table(found: dict) -> str:
    """The cells as a Markdown table."""
    lines = ["| seeds | values | test groups | " + " | ".join(f"{groups} groups" for groups in GROUPS) + " |",
             "|---|---|---|" + "---|" * len(GROUPS)]
    for seeds, skewed, shared in dict.fromkeys((seeds, skewed, shared) for seeds, _, skewed, shared in found):
        shares = " | ".join(f"{found[seeds, groups, skewed, shared]:.1%}" for groups in GROUPS)
        lines.append(f"| {seeds} | {'exponential' if skewed else 'normal'} | "
                     f"{'the same for all seeds' if shared else 'others for each seed'} | {shares} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table; with --write also into the docs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--write", action="store_true", help="put the table into common/intervals.py")
    options = parser.parse_args()
    shares = Parallel(n_jobs=-1)(delayed(coverage)(*cell, options.draws) for cell in cells())
    made = table(dict(zip(cells(), shares, strict=True)))
    print(made)
    if options.write:
        text = DOCS.read_text(encoding="utf-8")
        DOCS.write_text(MARKS.sub(lambda match: f"{match[1]}{made}\n{match[2]}", text, count=1), encoding="utf-8")


if __name__ == "__main__":
    main()
