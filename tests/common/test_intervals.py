"""Intervals over groups and seeds: against formulas one can do by hand, and by coverage."""

import re

import numpy as np
import pytest
from scipy import stats

from benchmarks import coverage
from common import intervals


def entry(values, names=None, weights=None):
    names = names or [f"g{k}" for k in range(len(values))]
    return {"names": names, "values": list(values), "weights": list(weights or [1] * len(values))}


def test_the_error_of_groups_is_that_of_a_mean():
    values = np.random.default_rng(0).normal(size=40)
    assert intervals.variances(*intervals.table([entry(values)])) == (pytest.approx(stats.sem(values) ** 2), 0.0)


def test_variances_are_those_of_a_two_way_analysis():
    """Four seeds on the same 30 groups: mean squares by hand; other groups in each seed: the seeds' means alone."""
    values = np.random.default_rng(6).normal(size=(4, 30)) + np.array([[0.0], [0.4], [-0.5], [0.2]]) + np.arange(30) / 9
    rest = values - values.mean(axis=0) - values.mean(axis=1, keepdims=True) + values.mean()
    of_groups, of_both = 4 * values.mean(axis=0).var(ddof=1), (rest**2).sum() / (3 * 29)
    of_seeds = 30 * values.mean(axis=1).var(ddof=1)
    found = intervals.variances(*intervals.table([entry(row) for row in values]))
    assert found == pytest.approx((of_groups / (4 * 30), (of_seeds - of_both) / (4 * 30)))
    apart = [entry(row, [f"{seed}-{k}" for k in range(30)]) for seed, row in enumerate(values)]
    found = intervals.variances(*intervals.table(apart))
    assert found == pytest.approx((0.0, values.mean(axis=1).var(ddof=1) / 4), abs=1e-9)
    low, high = intervals.of_groups(apart)
    assert (low, high) == pytest.approx(stats.t.interval(0.95, 3, values.mean(), stats.sem(values.mean(axis=1))))


def test_groups_met_by_some_seeds_are_between_those_of_all_and_those_of_one():
    """Three seeds, each with twenty of thirty groups: half of what they meet they have in common."""
    values = np.random.default_rng(8).normal(size=(3, 30)) + np.array([[0.0], [0.9], [-0.7]])
    met = [[k for k in range(30) if k % 3 != seed] for seed in range(3)]
    found = intervals.variances(*intervals.table([entry(values[seed, met[seed]], [f"g{k}" for k in met[seed]])
                                                  for seed in range(3)]))
    weights = np.array([[1.0 if k in met[seed] else 0.0 for k in range(30)] for seed in range(3)])
    means = (values * weights).sum(axis=1) / 20
    influence = weights * (values - means[:, None]) / 20
    of_groups = 30 / 29 * (influence.mean(axis=0) ** 2).sum()
    explained = 30 / 29 * ((influence - influence.mean(axis=0)) ** 2).sum() / 2 / 3
    in_common = (60 - 30) / 60 * 3 / 2
    assert in_common == 0.75
    assert found == pytest.approx((of_groups - 0.25 * explained, means.var(ddof=1) / 3 - 0.75 * explained))


def test_the_two_halves_are_added_in_quadrature():
    values = np.random.default_rng(9).normal(size=2500)  # so many that groups are Student's too
    entries = [entry(values + mean) for mean in (0.0, 0.03, 0.1)]
    of_groups, of_seeds = intervals.variances(*intervals.table(entries))
    low, high = intervals.of_groups(entries)
    half = np.hypot(stats.t.ppf(0.975, 2499) * of_groups**0.5, stats.t.ppf(0.975, 2) * of_seeds**0.5)
    assert high - low == pytest.approx(2 * half, rel=1e-3) and of_seeds > of_groups > 0


def test_students_interval_and_the_mean_of_equal_values():
    assert intervals.t_interval([1.0, 2.0, 3.0]) == pytest.approx((2 - 4.302653 / 3**0.5, 2 + 4.302653 / 3**0.5))
    assert intervals.t_interval([1.0, 2.0]) == (None, None)
    assert intervals.mean([0.1] * 3) == 0.1 and intervals.mean([1.0, 2.0, 6.0]) == 3.0  # sum([0.1] * 3) / 3 is not 0.1


def test_normal_groups_give_about_students_interval():
    values = np.random.default_rng(1).normal(2.0, 1.0, size=60)
    low, high = intervals.of_groups([entry(values)])
    expected = stats.t.interval(0.95, 59, values.mean(), stats.sem(values))
    assert (low, high) == pytest.approx(expected, abs=0.05)


def test_many_groups_take_students_t_and_agree_with_the_bootstrap(monkeypatch):
    values = np.random.default_rng(2).normal(size=1500)
    resampled = intervals.of_groups([entry(values)])
    monkeypatch.setattr(intervals, "MOST_GROUPS", 1000)
    assert intervals.of_groups([entry(values)]) == pytest.approx(resampled, abs=0.006)


def test_skewed_values_have_the_longer_side_where_the_rare_ones_are():
    values = np.random.default_rng(3).exponential(size=15)
    low, high = intervals.of_groups([entry(values)])
    assert high - values.mean() > 1.2 * (values.mean() - low)


def test_an_item_counts_once_however_it_is_grouped():
    values = np.random.default_rng(4).normal(size=20)
    low, high = intervals.of_groups([entry(values, weights=[1] * 10 + [9] * 10)])
    center = np.average(values, weights=[1] * 10 + [9] * 10)
    assert low < center < high
    alone = intervals.of_groups([entry(values[10:])])
    assert high - low == pytest.approx(alone[1] - alone[0], rel=0.35)  # ten heavy groups carry it


def test_groups_that_all_seeds_share_are_not_counted_three_times():
    values = np.random.default_rng(5).normal(size=30)
    one, three = intervals.of_groups([entry(values)]), intervals.of_groups([entry(values)] * 3)
    assert three == pytest.approx(one, abs=1e-6)
    apart = [entry(np.random.default_rng([5, seed]).normal(size=30), [f"{seed}-{k}" for k in range(30)])
             for seed in range(10)]
    low, high = intervals.of_groups(apart)
    assert high - low < 0.5 * (one[1] - one[0])  # other groups in each seed: there are ten times as many


def test_seeds_beyond_their_groups_are_students_t():
    values = np.zeros(12) + np.linspace(-1e-6, 1e-6, 12)
    means = (0.1, 0.2, 0.6)
    low, high = intervals.of_groups([entry(values + mean) for mean in means])
    assert (low, high) == pytest.approx(stats.t.interval(0.95, 2, np.mean(means), stats.sem(means)), rel=0.02)


def test_equal_values_have_no_width_and_seeds_still_count():
    assert intervals.of_groups([entry([1.0] * 9)]) == (1.0, 1.0)
    low, high = intervals.of_groups([entry([value] * 9) for value in (0.1, 0.2, 0.6)])
    assert low < 0 < 0.6 < high


def test_draws_of_equal_groups_do_not_blow_the_interval_up():
    """Nearly all groups equal: many draws have no error but that of rounding, and say nothing of the width."""
    for rare in (-0.3, 0.3):
        low, high = intervals.of_groups([entry([0.1] * 14 + [0.1 + rare], weights=[3, 4] * 7 + [3])])
        assert -1.0 < low <= 0.1 + rare / 15 + 0.01 and 0.1 + rare / 15 - 0.01 <= high < 1.0


def test_too_few_groups():
    assert intervals.of_groups([entry([1.0, 2.0] * 3 + [1.5])]) == (None, None)


def test_the_same_results_have_the_same_interval():
    entries = [entry(np.random.default_rng(seed).normal(size=11)) for seed in range(3)]
    assert intervals.of_groups(entries) == intervals.of_groups([dict(one) for one in entries])


@pytest.mark.parametrize(("seeds", "groups", "skewed"), [(1, 8, False), (3, 20, False), (3, 20, True), (10, 8, False)])
def test_coverage(seeds, groups, skewed):
    """300 draws: the standard error of a share of 0.95 is 0.0126."""
    assert 0.91 <= coverage.coverage(seeds, groups, skewed, True, 300) <= 0.985


def test_the_docs_hold_the_table_of_every_cell_and_all_are_within_two_of_95():
    found = coverage.MARKS.search(coverage.DOCS.read_text())[0]
    shares = [float(share) for share in re.findall(r"([\d.]+)%", found)]
    assert len(shares) == len(coverage.cells()) == 30
    assert 93 <= min(shares) and max(shares) <= 97


def test_the_docs_table_is_what_the_benchmark_finds():
    """Two cells again, as many draws as the table has; a draw that falls on the limit may fall beyond it elsewhere."""
    found = coverage.MARKS.search(coverage.DOCS.read_text())[0].splitlines()
    for line, cell in ((5, (3, 8, False, True)), (10, (3, 8, True, False))):
        assert float(found[line].split("|")[4].strip(" %")) == pytest.approx(
            100 * coverage.coverage(*cell, 1000), abs=0.3), found[line]
