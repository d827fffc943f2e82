"""Settings and claims: every divergence is a real setting, every rule is readable, no mode word in model or
training.
"""

import dataclasses
import re
from pathlib import Path

import pytest

from common import claims
from common.config import FOLLOW, resolve
from papers.musae import config

PAPER = Path(config.__file__).parent


def test_defaults_are_the_papers():
    paper = resolve(config, "paper", "full")
    assert dataclasses.asdict(paper) == dataclasses.asdict(config.Config())


@pytest.mark.parametrize("divergence", config.DIVERGENCES, ids=lambda d: d.field)
def test_divergences_are_settings_and_say_where_they_come_from(divergence):
    assert hasattr(config.Config(), divergence.field)
    assert divergence.paper == getattr(config.Config(), divergence.field)
    assert len({repr(getattr(divergence, mode)) for mode in FOLLOW}) > 1
    assert divergence.paper_source and divergence.sound_reason
    known = {claim.id for claim in claims.read_claims(PAPER / "claims.csv")}
    assert set(divergence.decides) <= known


def test_claims_hold_every_printed_number():
    rows = {claim.id: claim for claim in claims.read_claims(PAPER / "claims.csv")}
    printed = {
        "T3-gaussian": 0.773,
        "T3-flower": 0.911,
        "T6-flower": 0.825,
        "T1-gaussian": 0.999,
        "T8-musicvae-flat": 0.651,
    }
    assert {name: rows[name].reported for name in printed} == printed
    table = [claim for claim in rows.values() if re.match(r"T\d-", claim.id)]
    assert len(table) == 24
    ours = [claim for claim in table if "musicvae" not in claim.id]
    assert len(ours) == 14 and all(claim.rule for claim in ours)


@pytest.mark.parametrize("name", ["model.py", "train.py"])
def test_no_mode_word_in_model_and_training(name):
    text = (PAPER / name).read_text()
    assert not re.search(r"""["'](code|paper|sound)["']|follow\s*==""", text)


def test_the_demo_compares_with_the_gaussian_at_16_bars_in_one_mode():
    models = {mode: resolve(config, mode, "demo").models for mode in FOLLOW}
    assert "16bar-gaussian" in models["sound"] and all("16bar-flower" in names for names in models.values())
    assert "16bar-gaussian" not in models["code"] + models["paper"]
    assert all(len(resolve(config, mode, preset).models) == 3 for mode in FOLLOW for preset in ("smoke", "full"))
