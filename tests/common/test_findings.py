"""Findings: values by group are those one can work out by hand; a reason is an entry of its own."""

import pytest

from common.findings import NotTestable, by_group, collect


def test_by_group_gives_the_mean_over_items_and_the_mean_of_each_group():
    entry = by_group([1.0, 3.0, 8.0], ["b", "b", "a"], "songs", {"chance": 0.5})
    assert entry == {"value": 4.0, "n": 3, "baselines": {"chance": 0.5},
                     "groups": {"of": "songs", "names": ["a", "b"], "values": [8.0, 2.0], "weights": [1, 2]}}


def test_without_items_nothing_can_be_tested():
    with pytest.raises(NotTestable):
        by_group([], [], "songs")


def test_collect_keeps_order_numbers_entries_and_reasons():
    def unanswered(measured):
        raise NotTestable("one genre only")

    found = collect({"B": lambda m: m * 2, "A": unanswered, "C": lambda m: {"value": m, "n": 3}}, 1.5)
    assert list(found.items()) == [("B", {"value": 3.0}), ("A", {"not_testable": "one genre only"}),
                                   ("C", {"value": 1.5, "n": 3})]
