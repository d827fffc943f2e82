"""What README.md says of modes and of runs with one setting changed is what the published files hold."""

import json
from pathlib import Path

import pytest

RESULTS = Path(__file__).parents[3] / "papers" / "lord_transfer" / "results"


def published(follow="sound", **overrides):
    """{seed: results} of the published runs of a mode on the demo's instruments with these settings changed."""
    found = [json.loads(path.read_text()) for path in RESULTS.glob(f"demo-medley_solos_db-demo-{follow}-*.json")]
    return {run["seed"]: run["results"] for run in found if run["overrides"] == overrides}


def own(results, claim):
    """A claim's own value, before the best control is taken from it."""
    return results[claim]["baselines"]["own"]


MEASURES = {"error": lambda results: results["I-error"]["value"], "leak": lambda results: own(results, "A-leak"),
            "target": lambda results: own(results, "I-target"), "notes": lambda results: own(results, "I4-notes"),
            "joint": lambda results: own(results, "I-joint")}


@pytest.mark.parametrize("overrides, seeds, less, more", [
    ({"filtered": 0.0}, 3, ("error", "target", "notes"), ("leak",)),
    ({"centre": False}, 3, ("target", "notes", "leak"), ("error",)),
    ({"epochs": 80}, 3, ("error",), ("target", "notes", "joint")),
])
def test_each_seed_of_a_changed_setting_differs_as_the_readme_says(overrides, seeds, less, more):
    base, changed = published(), published(**overrides)
    assert len(changed) >= seeds and set(changed) <= set(base)
    for seed, results in changed.items():
        for name in less:
            assert MEASURES[name](results) < MEASURES[name](base[seed]), (seed, name)
        for name in more:
            assert MEASURES[name](results) > MEASURES[name](base[seed]), (seed, name)
        assert own(results, "I-joint") < results["I-joint"]["baselines"]["static filter"]


@pytest.mark.parametrize("overrides, helps", [({"centre": True}, True), ({"noise": 0.1}, False),
                                              ({"transpose": 3}, False)])
def test_alone_away_from_paper_a_step_of_sound_helps_or_not_as_the_readme_says(overrides, helps):
    base, changed = published("paper"), published("paper", **overrides)
    assert set(base) == set(changed) == {0, 1, 2}
    error, joint = (sum(changed[seed][claim]["value"] - base[seed][claim]["value"] for seed in base)
                    for claim in ("I-error", "I-joint"))
    assert (error < 0 < joint) if helps else (joint < 0 < error)


@pytest.mark.parametrize("follow", ["code", "paper"])
def test_in_code_and_paper_transfers_are_heard_as_the_target_more_and_follow_less(follow):
    sound, other = published(), published(follow)
    assert set(sound) == set(other) == {0, 1, 2}
    for seed, results in other.items():
        assert own(results, "I-target") > own(sound[seed], "I-target")
        for claim in ("I4-source", "I4-notes"):
            assert own(results, claim) < own(sound[seed], claim)
