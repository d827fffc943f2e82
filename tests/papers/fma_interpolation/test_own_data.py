"""Any size of own data: one clear line, or a whole run."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from common import record
from common.config import resolve
from common.errors import DataError, StoreError
from papers.fma_interpolation import classifiers, config as settings, data, measured, preprocess, projections, train
from tests.papers.conftest import without_graphs
from tests.papers.fma_interpolation.conftest import TINY, clip

ROOT = Path(__file__).resolve().parents[3]


def folder(root, recordings, classes=2, seconds=5.0):
    for k in range(recordings):
        path = root / f"class {k % classes}" / f"piece {k}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, clip(k % classes, k, seconds), 8192)
    return root


def made(tiny, tmp_path, **how):
    return preprocess.preprocess(tiny, folder(tmp_path / "music", **how), "smoke", tmp_path / "stores")


@pytest.mark.parametrize("recordings", [3, 6, 9, 16, 24])
def test_no_part_is_empty(recordings, tiny):
    from types import SimpleNamespace

    items = [SimpleNamespace(artist=None, group=f"{k}", split=None) for k in range(recordings) for _ in range(2)]
    parts = preprocess.splits_of(items, "music")
    assert set(parts) == set(preprocess.SHARES) and parts[::2] == parts[1::2]  # both images of a track
    assert parts.count("training") >= recordings * 2 // 3


def test_of_forty_tracks_four_validate_and_four_test():
    from types import SimpleNamespace

    parts = preprocess.splits_of([SimpleNamespace(artist=None, group=f"{k}", split=None) for k in range(40)], "music")
    assert [parts.count(part) for part in ("training", "validation", "test")] == [32, 4, 4]


def test_artists_stay_together_where_there_are_enough_of_them_and_tracks_where_not(capsys):
    from types import SimpleNamespace

    def items(artists):
        return [SimpleNamespace(artist=f"{k % artists}", group=f"{k}", split=None) for k in range(12)]

    many = preprocess.splits_of(items(4), "music")
    assert all(len({many[k] for k in range(12) if k % 4 == artist}) == 1 for artist in range(4))
    assert set(preprocess.splits_of(items(1), "music")) == set(preprocess.SHARES)
    assert "fewer than 3 artists" in capsys.readouterr().err


def test_a_split_with_an_empty_part_is_divided_anew(capsys):
    from types import SimpleNamespace

    items = [SimpleNamespace(artist=f"{k}", group=f"{k}", split="training" if k else "test") for k in range(9)]
    assert set(preprocess.splits_of(items, "music")) == set(preprocess.SHARES)
    assert "has an empty part" in capsys.readouterr().err
    items[1].split = "validation"
    assert preprocess.splits_of(items, "music") == [item.split for item in items]


def test_too_few_and_too_short_are_one_line_each(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(preprocess, "load_clip", lambda *a: pytest.fail("work had begun"))
    with pytest.raises(DataError, match="2 recordings; training, validation and test need one each"):
        made(tiny, tmp_path, recordings=2)
    monkeypatch.undo()
    with pytest.raises(StoreError, match="nothing usable in it .* too short for one image: 33 frames of 64") as error:
        made(tiny, tmp_path / "short", recordings=9, seconds=1.0)
    assert "\n" not in str(error.value)


def test_nine_recordings_of_one_class_are_measured(tiny, tmp_path):
    store = made(tiny, tmp_path, recordings=9, classes=1)
    assert measured.classical(tiny, store, 0) is None
    config = dataclasses.replace(tiny, drawn_tracks=0)
    parts = data.parts(dataclasses.replace(config, deep_protocol="official"), store, 0, 0)
    assert all(len(rows) for rows in parts.values())
    assert data.choose_pairs(config, store, data.held_out(config, store, 0), 0)


def test_nine_recordings_of_two_classes_fit_every_classifier(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(classifiers, "_parallel", lambda jobs: (f(*a, **k) for f, a, k in jobs))
    store = made(tiny, tmp_path, recordings=9)
    found = measured.classical(tiny, store, 0)
    assert all(len(one) for fits in found.fits.values() for fitted in fits.values() for one in fitted.test)


@pytest.mark.slow
def test_two_processes_make_one_store(tmp_path):
    music, command = folder(tmp_path / "music", 4), [
        sys.executable, "-m", "papers.fma_interpolation.preprocess", "--preset", "smoke", "--data",
        str(tmp_path / "music"), "--stores", str(tmp_path / "stores"), "--frames", "16"]
    assert music.is_dir()
    running = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
               for _ in range(2)]
    done = [process.communicate() for process in running]
    assert [process.returncode for process in running] == [0, 0], done
    assert len({out.splitlines()[-1] for out, _ in done}) == 1
    assert not list((tmp_path / "stores").rglob(".work-*/")) and not list((tmp_path / "stores").rglob("*.partial"))


def test_clips_of_three_seconds_are_one_line_at_the_papers_size(tmp_path):
    """An image lasts five seconds there; where it is shorter they are used."""
    config = dataclasses.replace(resolve(settings, "sound", "full"), resampler="soxr_qq")
    with pytest.raises(StoreError, match="nothing usable in it .9 rejected.* 385 frames of 640") as error:
        preprocess.preprocess(config, folder(tmp_path / "music", 9, seconds=3.0), "full", tmp_path / "stores")
    assert "\n" not in str(error.value) and not list((tmp_path / "stores").rglob("*.exr"))


CORPORA = {"nine recordings of one class": dict(recordings=9, classes=1),
           "sixteen recordings of one artist": dict(recordings=16, classes=2),
           "clips of three seconds": dict(recordings=9, classes=2, seconds=3.0)}


@pytest.mark.slow
@pytest.mark.parametrize("which", CORPORA)
def test_small_corpora_make_a_whole_run(which, tiny, tmp_path, monkeypatch):
    """In `sound`, which needs all three parts of a split; the networks that cost time are stood in for."""
    from papers.fma_interpolation import evaluate

    find = preprocess.find_corpus

    def by_one_artist(*args):
        corpus = find(*args)
        return dataclasses.replace(corpus, items=[dataclasses.replace(item, artist="one") for item in corpus.items])

    monkeypatch.setattr(preprocess, "find_corpus", by_one_artist if "one artist" in which else find)
    monkeypatch.setattr(projections, "project", lambda method, x, *_: (np.asarray(x)[:, :2], 0.1))
    for name in ("autoencoder-conv2d", "autoencoder-inception", "autoencoder-conv1d"):
        monkeypatch.setitem(train.MODELS, name, train.MODELS["autoencoder-baseline"])
    monkeypatch.setitem(train.MODELS, "overfit-conv2d", train.MODELS["overfit-squared_error"])
    monkeypatch.setitem(train.MODELS, "rnn", train.MODELS["cnn_2"])
    monkeypatch.setattr(classifiers, "_parallel", lambda jobs: (f(*a, **k) for f, a, k in jobs))
    config = dataclasses.replace(resolve(settings, "sound", "smoke", TINY), points=3, audible_pairs=1, overfit_steps=2)
    store = made(config, tmp_path, **CORPORA[which])
    run = record.open_run(settings, config, store, "sound", "smoke", 0, runs=tmp_path / "runs")
    run.write_config(store)
    with without_graphs():
        train.train(config, store, run)
    evaluate.evaluate(config, store, run)
    results = json.loads((run.directory / "results.json").read_text())["results"]
    assert all("value" in results[claim] for claim in ("Q1-error", "U2-ssim", "Q2-mse"))
    if "sixteen" not in which:
        assert results["U4-pair"] == {"not_testable": "fewer than two held-out tracks"}  # a tenth of nine is one
    if "one class" in which:
        assert results["C-SVM-accuracy"] == {"not_testable": "the corpus has one class only"}
    else:
        assert all("value" in results[claim] for claim in ("C-SVM-accuracy", "X-BEST", "Q5-leak"))
    if "one artist" in which:
        assert all("value" in results[claim] for claim in ("Q10-order", "U4-pair", "U6-mass"))
        assert results["Q5-leak"]["groups"]["of"] == "artists" and results["Q5-artists"]["value"] is not None
    assert all("value" in entry or "not_testable" in entry for entry in results.values())  # both: not judged, but shown
