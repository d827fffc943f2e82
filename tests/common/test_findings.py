"""Findings: values by group are those one can work out by hand; a reason is an entry of its own."""

import pytest

from common.findings import NotTestable, by_group, collect, where_learnt


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


def test_a_claim_keeps_its_value_but_is_not_judged_unless_all_its_models_learnt():
    one = {"what": "held-out accuracy", "value": 0.25, "baseline": 0.3}
    learnt = {"good": one | {"learnt": True}, "bad": one | {"learnt": False}}
    results = {"A": {"value": 1.0, "n": 2}, "B": {"not_testable": "one genre only"}, "C": {"value": 2.0}}
    models = {"A": ("good", "bad"), "B": ("bad",), "D": ("bad",)}
    reason = "the model did not learn: bad, held-out accuracy, 0.25 against 0.3"
    assert where_learnt(results, models, learnt) == results | {"A": {"value": 1.0, "n": 2, "not_testable": reason}}
    assert where_learnt(results, {"C": ("good",)}, learnt) == results
    assert where_learnt(results, {"C": ("good", "other")}, learnt)["C"]["not_testable"] == (
        "whether other learnt is not known")
