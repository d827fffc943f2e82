"""The whole way in every mode: recordings to page, twice; the tools."""

import csv
import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from common import claims, reproduce
from papers.symphony2vec import config as settings, embed, evaluate, interpolate

SMOKE_RUN = "test_reproduce.test_every_claim_has_a_value_or_a_reason_in_every_mode"  # test_contract asks

RATE = 22050


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Two composers with three short works each, through all three modes."""
    root = tmp_path_factory.mktemp("way")
    random = np.random.default_rng(0)
    for number, composer in enumerate(("Brahms", "Haydn")):
        (root / "music" / composer).mkdir(parents=True)
        for work in range(3):
            t = np.arange(62 * RATE) / RATE
            wave = sum(np.sin(2 * np.pi * (110 + 70 * number + 5 * work) * k * t) / k for k in (1, 2, 3))
            wave = 0.1 * wave * (1 + 0.5 * np.sin((1 + number) * t)) + 0.005 * random.normal(size=len(t))
            soundfile.write(root / "music" / composer / f"Symphony No. {work + 1} - I. a.flac", wave, RATE)
    assert run(root) == 0
    return root


def run(root, *words):
    return reproduce.main(["symphony2vec", "--preset", "smoke", "--data", str(root / "music"), "--stores",
                           str(root / "stores"), "--runs", str(root / "runs"), *words])  # fmt: skip


@pytest.mark.very_slow
def test_every_claim_has_a_value_or_a_reason_in_every_mode(place, capsys):
    known = {claim.id for claim in claims.read_claims(evaluate.CLAIMS)}
    for follow in ("code", "paper", "sound"):
        directory = place / "runs" / "symphony2vec" / f"orchestral-music-smoke-{follow}" / "seed-0"
        results = json.loads((directory / "results.json").read_text())
        assert set(results["results"]) == known and results["complete"]
        assert all("value" in entry or entry["not_testable"] for entry in results["results"].values())
        trained = {path.name for path in (directory / "models").iterdir()}
        assert trained == set(settings.trained_models(SimpleNamespace(follow=follow, preset="smoke")))
        for section in json.loads((directory / "media.json").read_text()):
            assert all((directory / item["file"]).is_file() for item in section["items"] if item["kind"] != "table")
    assert run(place) == 0
    assert capsys.readouterr().out.count("up to date") == 3


@pytest.mark.very_slow
def test_the_tools(place, monkeypatch, capsys):
    music = sorted((place / "music" / "Brahms").iterdir())
    for name, size in (("ali-128", 128), ("vae", 40), ("cae-chroma", 40), ("pca-mfcc", None)):
        output = place / f"{name}.csv"
        monkeypatch.setattr(sys, "argv", ["embed", str(music[0]), str(place / "no.wav"), "--model", name, "--runs",
                                          str(place / "runs"), "--output", str(output)])  # fmt: skip
        assert embed.main() == 1  # the second file is not there
        assert "no.wav" in capsys.readouterr().err
        with open(output, newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
        assert len(rows) == 1 + 6 and rows[0][:4] == ["file", "clip", "seconds", "z0"]
        assert size is None or len(rows[0]) == 3 + size
        assert np.isfinite(np.array([row[3:] for row in rows[1:]], float)).all()
    monkeypatch.setattr(sys, "argv", ["interpolate", "--runs", str(place / "runs"), "--output", str(place / "path"),
                                      "--between", str(music[0]), str(music[1])])  # fmt: skip
    assert interpolate.main() == 0
    samples, rate = soundfile.read(place / "path.wav")
    assert rate == RATE and abs(samples).max() > 0.1 and (place / "path.png").is_file()
