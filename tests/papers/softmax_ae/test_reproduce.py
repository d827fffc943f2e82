"""The whole way: corpus to page, twice; other sound; the twin with shuffled labels; bad input; the tool."""

import csv
import dataclasses
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from common import claims, record, reproduce, training
from common.findings import NotTestable
from papers.softmax_ae import config as settings, data as segments, embed, preprocess, train
from tests.papers.conftest import without_graphs

ROOT = Path(__file__).resolve().parents[3]
RATE = 22050
SMOKE_RUN = "test_reproduce.test_every_claim_has_a_value_or_a_reason_in_every_mode"  # test_contract asks


def tracks(directory, classes=("bell", "drum"), count=4, seconds=3.0, seed=0):
    """Class folders of short recordings that differ in pitch and noise."""
    rng = np.random.default_rng(seed)
    for k, name in enumerate(classes):
        (directory / name).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            t = np.arange(int(seconds * RATE)) / RATE
            wave = 0.3 * np.sin(2 * np.pi * (60 + 80 * k + 3 * i) * t) + 0.02 * rng.normal(size=len(t))
            soundfile.write(directory / name / f"{name} {i}.wav", wave.astype("f4"), RATE)
    return directory


def run(tmp_path, *words, data=None):
    return reproduce.main([*arguments(tmp_path, data), *words])


def arguments(tmp_path, data):
    places = ["--stores", str(tmp_path / "stores"), "--runs", str(tmp_path / "runs")]
    return ["softmax_ae", "--preset", "smoke", *places, *(("--data", str(data)) if data else ())]


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """All three modes on recordings of our own."""
    tmp_path = tmp_path_factory.mktemp("other")
    data = tracks(tmp_path / "my sounds")
    with without_graphs():
        assert run(tmp_path, data=data) == 0
    return tmp_path, data


def results(tmp_path, follow):
    found = sorted(tmp_path.glob(f"runs/softmax_ae/*-smoke-{follow}/seed-*/results.json"))
    return [json.loads(path.read_text()) for path in found]


@pytest.mark.slow
def test_every_claim_has_a_value_or_a_reason_in_every_mode(other):
    tmp_path, _ = other
    known = claims.read_claims(ROOT / "papers" / "softmax_ae" / "claims.csv")
    for follow in ("code", "paper", "sound"):
        (found,) = results(tmp_path, follow)
        assert set(found["results"]) == {claim.id for claim in known}
        for claim, entry in found["results"].items():
            assert "value" in entry or entry["not_testable"], claim


@pytest.mark.slow
def test_on_other_classes_what_names_no_genre_is_asked_and_what_does_is_not(other):
    tmp_path, _ = other
    (found,) = results(tmp_path, "sound")
    assert found["corpus"]["evidence"] == "other" and "my" in found["corpus"]["label"]
    assert found["complete"] and found["facts"]["genres"] == "other"
    for claim in ("R4", "R7a", "R7f", "R8a", "R9", "B-T2-M-F1"):
        assert "other classes" in found["results"][claim]["not_testable"]
    for claim in ("R3a", "R3b", "R5", "R6", "R10a", "R12a", "R12c", "R14a", "R15b", "R16a", "R16b", "R16c", "B-F4a"):
        assert np.isfinite(found["results"][claim]["value"]), claim
    assert found["results"]["R16a"]["groups"]["of"] == "tracks"
    assert any("softmax_ae" in str(page) for page in (tmp_path / "runs").rglob("*.html"))


@pytest.mark.slow
def test_a_second_call_does_nothing_and_needs_no_tensorflow(other):
    tmp_path, data = other
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("runs/softmax_ae/**/*.jsonl")}
    code = ("import sys; from common import reproduce; "
            f"code = reproduce.main({arguments(tmp_path, data)!r}); "
            "assert 'tensorflow' not in sys.modules; sys.exit(code)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0 and done.stdout.count("up to date") == 3, done.stderr
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.glob("runs/softmax_ae/**/*.jsonl")}


@pytest.mark.slow
def test_same_seed_twice_gives_the_same_metrics_and_weights(other, tmp_path, eagerly):
    first, data = other
    assert run(tmp_path, "--follow", "paper", data=data) == 0
    where = "runs/softmax_ae/*-smoke-paper/seed-0/models/*/metrics.jsonl"
    again = {p.parent.name: p.read_text() for p in tmp_path.glob(where)}
    assert again == {p.parent.name: p.read_text() for p in first.glob(where)} and len(again) == 7
    assert results(tmp_path, "paper")[0]["results"] == results(first, "paper")[0]["results"]


@pytest.mark.slow
def test_embed_writes_a_row_for_each_segment(other, tmp_path, monkeypatch, capsys):
    home, data = other
    out = tmp_path / "z.csv"
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"nothing")
    good = next(data.rglob("*.wav"))
    words = [str(good), str(broken), "--runs", str(home / "runs"), "--output", str(out)]
    expected = encoded(home, good)[0]
    shutil.move(home / "stores", home / "gone")  # a model goes without the data it was trained on
    monkeypatch.setattr(sys, "argv", ["embed", *words])
    assert embed.main() == 1
    rows = list(csv.DictReader(out.open()))
    assert len(rows) == 3 and len([c for c in rows[0] if c.startswith("z")]) == 64
    assert rows[0]["genre"] in ("bell", "drum")
    assert float(rows[0]["p_bell"]) + float(rows[0]["p_drum"]) == pytest.approx(1, abs=1e-3)
    np.testing.assert_allclose([float(rows[0][f"z{i}"]) for i in range(64)], expected, atol=1e-4)
    shutil.move(home / "gone", home / "stores")
    said = capsys.readouterr().err
    assert "trained on folder" in said and "broken.wav" in said
    monkeypatch.setattr(sys, "argv", ["embed", str(good), "--runs", str(tmp_path / "none")])
    with pytest.raises(SystemExit) as end:
        embed.main()
    assert end.value.code == 2 and "make reproduce-softmax_ae" in capsys.readouterr().err


def encoded(home, path):
    """The bottleneck of a recording by the newest sound run, from its standardised segments."""
    run, store, _ = record.for_tool(settings, None, home / "runs")
    data = segments.load_data(run.config, store, run.seed)
    x = (preprocess.segments(soundfile.read(path)[0], run.config) - data.mean) / data.deviation
    learner = training.load(train.MODELS["deep_softmax"], run.config, store, run.model_directory("deep_softmax"), 0)
    return learner.networks["encoder"](x.astype("f4")).numpy()


def refused(capsys, tmp_path, data):
    code = run(tmp_path, "--follow", "paper", data=data)
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert code == 1 and len(lines) == 1 and len(lines[0]) < 600, lines
    return lines[0]


@pytest.mark.slow
def test_bad_folders_are_refused_in_one_line(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert "empty" in refused(capsys, tmp_path, tmp_path / "empty")
    with pytest.raises(SystemExit) as end:
        run(tmp_path, "--follow", "paper", data=tmp_path / "nowhere")
    assert end.value.code == 2 and "no such file or folder" in capsys.readouterr().err
    assert "only one class (bell)" in refused(capsys, tmp_path, tracks(tmp_path / "one", classes=("bell",)))
    (tmp_path / "file").write_text("x")
    assert "not a folder" in refused(capsys, tmp_path, tmp_path / "file")
    (tmp_path / "text" / "notes").mkdir(parents=True)
    (tmp_path / "text" / "notes" / "a.txt").write_text("x")
    assert "data/README.md" in refused(capsys, tmp_path, tmp_path / "text")
    bad = tmp_path / "bad"
    for name in ("a", "b"):
        (bad / name).mkdir(parents=True)
        (bad / name / "x.wav").write_bytes(b"")
    assert "nothing usable" in refused(capsys, tmp_path, bad)


def test_the_splits_effect_is_that_of_whole_tracks_and_lists_of_other_tracks_are_left_out(tmp_path):
    measured = reproduce.effects(settings)
    assert {"split": "T1"} in measured and {"split": "T2"} in measured and {"split": "P2"} not in measured
    assert {"reconstruction": "mean"} in measured and {"points": "held_out"} in measured
    config = dataclasses.replace(settings.Config(), split="T2")
    with pytest.raises(NotTestable, match="GTZAN's own tracks"):
        preprocess.preprocess(config, tracks(tmp_path / "real", count=1), "smoke", tmp_path / "stores")
    assert not (tmp_path / "stores").exists()


def test_medley_solos_db_is_read_with_its_songs(tmp_path):
    rows = ["subset,instrument,instrument_id,song_id,uuid4"]
    for k, name in enumerate(("clarinet", "flute")):
        for i in range(4):
            key = f"00000000-0000-0000-0000-0000000000{k}{i}"
            rows.append(f"training,{name},{3 * k},{10 * k + i // 2},{key}")
            (tmp_path / f"Medley-solos-DB_training-{3 * k}_{key}.wav").write_bytes(b"")
    (tmp_path / "Medley-solos-DB_metadata.csv").write_text("\n".join(rows))
    corpus = preprocess.find_corpus(tmp_path, "smoke", False)
    assert corpus.name == "medley_solos_db" and corpus.labels == ["clarinet", "flute"]
    assert len(corpus.items) == 8 and corpus.groups_per_class == 2


def test_shuffled_labels_are_for_the_demo_only(tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        run(tmp_path, "--null", "--follow", "paper", data=tracks(tmp_path / "real"))
    assert end.value.code == 2 and "leave out --data" in capsys.readouterr().err
    assert not (tmp_path / "stores").exists()


@pytest.mark.slow
def test_in_a_batch_the_others_go_through_and_rejected_csv_says_why(tmp_path, capsys, eagerly):
    data = tracks(tmp_path / "mixed")
    whole = (data / "bell" / "bell 0.wav").read_bytes()
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 8 * RATE).astype("f4")
    planted = {"cut.wav": whole[:60_000], "text.au": b"just words" * 50, "empty.au": b"", "page.mp3": b"<html>" * 99}
    for name, content in planted.items():
        (data / "bell" / name).write_bytes(content)
    for name, samples, kind in (("silent.wav", np.zeros(3 * RATE), "WAV"), ("half.wav", noise[:RATE // 2], "WAV"),
                                ("ogg.ogg", noise, "OGG"), ("mp3.mp3", noise, "MP3")):
        soundfile.write(data / "drum" / name, samples, RATE, format=kind)
    soundfile.write(data / "drum" / "nan.wav", np.where(np.arange(RATE * 2) < 9, np.nan, 0.1), RATE, subtype="FLOAT")
    for name in ("ogg.ogg", "mp3.mp3"):
        path = data / "drum" / name
        path.write_bytes(path.read_bytes()[:-path.stat().st_size // 3])
    assert run(tmp_path, "--follow", "paper", data=data) == 0
    (store,) = (tmp_path / "stores").glob("*/pooled-*")
    reasons = {Path(row["path"]).name: row["reason"] for row in csv.DictReader((store / "rejected.csv").open())}
    expected = {"cut.wav": "truncated", "text.au": ".snd header", "empty.au": "empty",
                "page.mp3": "not a readable|no audio",
                "silent.wav": "silent", "half.wav": "0.50 s long", "ogg.ogg": "truncated", "mp3.mp3": "truncated",
                "nan.wav": "9 samples are not finite"}
    assert reasons.keys() == expected.keys()
    for name, words in expected.items():
        assert any(word in reasons[name] for word in words.split("|")), (name, reasons[name])
    assert len(list(csv.DictReader((store / "index.csv").open()))) == 8 * 3
    assert results(tmp_path, "paper")[0]["rejected"] == len(expected)


@pytest.mark.very_slow
def test_on_the_shuffled_twin_no_label_dependent_effect_is_seen(tmp_path):
    """Three seeds of the sound mode: nothing that needs true labels may come out as seen."""
    assert run(tmp_path, "--null", "--follow", "sound", "--seeds", "0", "1", "2", "--preset", "demo") == 0
    known = claims.read_claims(ROOT / "papers" / "softmax_ae" / "claims.csv")
    runs = [json.loads(p.read_text()) for p in sorted(tmp_path.glob("runs/softmax_ae/null-*/seed-*/results.json"))]
    judged = claims.judge(known, runs, claims.sha256(ROOT / "papers" / "softmax_ae" / "claims.csv"))
    for claim in ("R3a", "R3b", "R10a", "R16a", "R16b", "R16c", "B-F4a"):
        assert judged[claim].word in ("not seen", "undecided", "not testable"), (claim, judged[claim])  # nothing learnt
    assert all(abs(r["results"]["R16a"]["value"]) < 0.12 for r in runs)


@pytest.mark.slow
def test_make_without_a_venv(tmp_path):
    """Help and clean need nothing installed; a wrong Python is refused with a sentence."""
    for name in ("Makefile", "requirements.txt", "constraints.txt"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    bare = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    help_text = subprocess.run(["make"], cwd=tmp_path, env=bare, capture_output=True, text=True)
    assert help_text.returncode == 0 and "make reproduce" in help_text.stdout
    assert subprocess.run(["make", "clean"], cwd=tmp_path, env=bare, capture_output=True).returncode == 0
    fake = tmp_path / "python9"
    fake.write_text("#!/bin/sh\nif [ \"$1\" = --version ]; then echo Python 3.9.1; else exit 1; fi\n")
    fake.chmod(0o755)
    wrong = subprocess.run(["make", "test", f"PYTHON={fake}"], cwd=tmp_path, env=bare, capture_output=True, text=True)
    assert wrong.returncode != 0 and "Encore needs Python 3.11" in wrong.stdout + wrong.stderr
    assert not (tmp_path / ".venv").exists()
