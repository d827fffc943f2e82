"""No group on both sides; classes of one group are cut in time with a gap."""

import numpy as np

from common.corpora.splits import by_group, in_time

SHARES = {"train": 0.7, "test": 0.3}


def test_groups_stay_whole_and_every_row_is_used_once():
    rng = np.random.default_rng(0)
    labels, groups = [], []
    for group in range(60):
        for _ in range(int(rng.integers(1, 9))):
            labels.append("abc"[group % 3])
            groups.append(f"g{group}")
    parts = by_group(groups, labels, SHARES, seed=3)
    assert sorted(np.concatenate(list(parts.values()))) == list(range(len(groups)))
    sides = [{groups[row] for row in rows} for rows in parts.values()]
    assert not sides[0] & sides[1]
    for label in "abc":
        held = {group for group in sides[0] if labels[groups.index(group)] == label}
        assert len(held) == 14  # 70 % of 20
    assert not np.array_equal(parts["train"], by_group(groups, labels, SHARES, seed=4)["train"])


def test_few_groups_still_reach_every_part():
    shares = {"train": 0.8, "validation": 0.1, "test": 0.1}
    parts = by_group(["a", "b", "c"], ["x"] * 3, shares)
    assert [len(rows) for rows in parts.values()] == [1, 1, 1]


def test_in_time_leaves_a_gap_in_every_group():
    groups = ["a"] * 10 + ["b"] * 20
    parts = in_time(groups, SHARES, gap=1)
    assert parts["train"].tolist() == [*range(7), *range(10, 24)]
    assert parts["test"].tolist() == [8, 9, *range(25, 30)]
