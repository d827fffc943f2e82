"""The whole way on long recordings of our own: corpus to page, the transfer tool, bad input."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from common import claims, reproduce
from papers.lord_transfer import transfer
from tests.papers.conftest import without_graphs
from tests.papers.lord_transfer.test_preprocess import tone

SMOKE_RUN = "test_reproduce.test_every_claim_has_a_value_or_a_reason"  # test_contract asks

ROOT = Path(__file__).resolve().parents[3]


def recordings(root, count=4):
    """Two classes of recordings of three notes with rests between them."""
    for kind, pitch in (("low", 110.0), ("high", 880.0)):
        (root / kind).mkdir(parents=True)
        for number in range(count):
            notes = [tone(150_000, pitch=pitch * 2 ** ((number + step) / 12)) for step in (0, 4, 7)]
            soundfile.write(root / kind / f"{number}.wav", np.concatenate([np.r_[n, np.zeros(9000)] for n in notes]),
                            22_050)
    return root


@pytest.fixture(scope="module")
def reproduced(tmp_path_factory):
    tmp_path = tmp_path_factory.mktemp("whole")
    data = recordings(tmp_path / "two instruments")
    words = ["lord_transfer", "--preset", "smoke", "--data", str(data), "--stores", str(tmp_path / "stores"),
             "--runs", str(tmp_path / "runs"), "--follow", "sound", "code"]
    with without_graphs():
        assert reproduce.main(words) == 0
    return tmp_path, data, words


@pytest.mark.slow
def test_every_claim_has_a_value_or_a_reason(reproduced):
    tmp_path, _, _ = reproduced
    known = {claim.id for claim in claims.read_claims(ROOT / "papers" / "lord_transfer" / "claims.csv")}
    for follow in ("sound", "code"):
        (path,) = tmp_path.glob(f"runs/lord_transfer/*-smoke-{follow}/seed-0/results.json")
        found = json.loads(path.read_text())
        assert set(found["results"]) == known and found["complete"]
        assert found["facts"]["data_set"] == "folder"
        assert found["facts"]["perceptual"] == {"sound": "multiscale", "code": "off"}[follow]  # no weights of VGG here
        assert found["corpus"]["evidence"] == "other"
        for claim in ("I-error", "I4-source", "I8-melody", "S1", "S3", "S4", "A-leak", "n-hours"):
            assert np.isfinite(found["results"][claim]["value"]), claim
    assert found["results"]["E4-rate"]["value"] == pytest.approx(0, abs=1e-3)
    assert found["results"]["E6-stop"]["value"] == 101
    assert found["results"]["E5-decay"]["value"] == pytest.approx(64)


@pytest.mark.slow
def test_the_page_has_a_grid_to_hear(reproduced):
    tmp_path, _, _ = reproduced
    (path,) = tmp_path.glob("runs/lord_transfer/*-smoke-sound/seed-0/media.json")
    sections = json.loads(path.read_text())
    grid = next(section["grid"] for section in sections if "grid" in section)
    assert grid["columns"] == ["source", "high", "low"] and len(grid["cells"]) == len(grid["rows"]) == 2
    for cell in sum(grid["cells"], []):
        samples, rate = soundfile.read(path.parent / cell["audio"])
        assert rate == 22_050 and len(samples) > rate and (path.parent / cell["image"]).is_file()
    assert "Perceptual loss: none; a multi-scale spectral loss of ours" in sections[0]["text"]
    pages = "".join(page.read_text() for page in (tmp_path / "runs").glob("**/*.html"))
    assert "Hear the transfers" in pages


@pytest.mark.slow
def test_a_second_call_does_nothing(reproduced, capsys):
    _, _, words = reproduced
    assert reproduce.main(words) == 0
    assert capsys.readouterr().out.count("up to date") == 2


@pytest.mark.slow
def test_transfer_takes_any_length_rate_and_channels(reproduced, tmp_path, monkeypatch, capsys):
    whole, _, _ = reproduced
    clip = tmp_path / "my: clip.wav"
    soundfile.write(clip, np.stack([tone(300_000, 48_000)] * 2, axis=1), 48_000)
    short = tmp_path / "short.flac"
    soundfile.write(short, tone(9_000, 44_100), 44_100)
    (tmp_path / "bad.wav").write_text("no recording")
    monkeypatch.setattr("sys.argv", ["transfer", str(clip), str(short), str(tmp_path / "bad.wav"), "--to", "LOW",
                                     "--runs", str(whole / "runs"), "--output", str(tmp_path / "new" / "out")])
    assert transfer.main() == 1
    printed = capsys.readouterr()
    assert printed.out.count("the classifier hears") == 4 and "bad.wav" in printed.err
    made = sorted((tmp_path / "new" / "out").iterdir())
    assert sum(path.suffix == ".wav" for path in made) == 2 and sum(path.suffix == ".png" for path in made) == 4
    lengths = sorted(soundfile.info(path).duration for path in made if path.suffix == ".wav")
    assert lengths[0] == pytest.approx(9_000 / 44_100, abs=0.1) and lengths[1] == pytest.approx(6.25, abs=0.1)


@pytest.mark.slow
def test_transfer_says_what_there_is(reproduced, monkeypatch, capsys, tmp_path):
    whole, _, _ = reproduced
    for words, wanted in ((["x.wav", "--to", "tuba", "--runs", str(whole / "runs")], "there are high, low"),
                          (["x.wav", "--to", "low", "--runs", str(tmp_path)], "make reproduce-lord_transfer")):
        monkeypatch.setattr("sys.argv", ["transfer", *words])
        with pytest.raises(SystemExit) as caught:
            transfer.main()
        assert caught.value.code == 2 and wanted in capsys.readouterr().err


@pytest.mark.very_slow
def test_on_the_shuffled_twin_no_instrument_is_heard(tmp_path):
    """With labels that mean nothing the classifier is at chance, or no target is heard beyond it."""
    words = ["lord_transfer", "--preset", "smoke", "--null", "--follow", "sound", "--stores", str(tmp_path / "stores"),
             "--runs", str(tmp_path / "runs"), "--seeds", "0", "1", "2"]
    assert reproduce.main(words) == 0
    found = [json.loads(path.read_text())["results"]["I-target"]
             for path in tmp_path.glob("runs/lord_transfer/*medley*-smoke-sound/seed-*/results.json")]
    assert len(found) == 3
    heard = [one["value"] for one in found if "value" in one]
    assert all("the classifier hears" in one["not_testable"] for one in found if "value" not in one)
    assert len(heard) < 3 or claims.t_interval(heard)[0] <= 0
