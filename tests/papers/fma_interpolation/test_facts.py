"""What is counted and measured of a store, by hand: sizes on disk, errors of OpenEXR, clips, genres."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from common.config import resolve
from papers.fma_interpolation import config as settings, facts, preprocess

CONFIG = dataclasses.replace(resolve(settings, "sound", "smoke"), bands=1, frames=2)
NOISE = 1e-4 * np.sin(1.0)  # what facts.storage adds to the second of two pixels; the first gets sin 0


def kept(directory, pixels, count):
    """A store of equal images of one row of two pixels; the file of the k-th has 100 (k + 1) bytes. Two excerpts."""
    for k in range(count):
        (directory / f"{k}.exr").write_bytes(bytes(100 * (k + 1)))
    excerpts = np.array([[0.5, 1.0, 1.5, 2.0], [0.5, 0.5, 0.5, 0.5]])
    return SimpleNamespace(directory=directory, index=[{"path": f"{k}.exr"} for k in range(count)],
                           image=lambda row: np.array([pixels], np.float32), array={"excerpts": excerpts}.get)


@pytest.fixture(autouse=True)
def excerpts_are_their_spectrograms(monkeypatch):
    monkeypatch.setattr(preprocess, "unclipped", lambda samples, config: (samples, 9.0))


def test_bytes_are_over_those_of_uncompressed_pixels_of_images_from_the_whole_store(tmp_path):
    found = facts.storage(kept(tmp_path, [0.75, 0.75], 5), CONFIG, rows=2)
    assert found["Q12-small"] == {"value": (100 + 300) / (2 * 2 * 4), "n": 2, "of": "images",
                                  "baselines": {"uncompressed": 1.0}}  # every second image, of these the first two
    assert found["E9"] == {"value": 0.25, "n": 2, "of": "excerpts"}  # half of one excerpt lies above 1, none of another
    found = facts.storage(kept(tmp_path, [0.75, 0.75], 3), CONFIG)
    assert found["Q12-small"]["value"] == 600 / (3 * 2 * 4) and found["Q12"]["n"] == 3
    assert facts.storage(kept(tmp_path, [0.75, 0.75], 40), CONFIG)["Q12-half"]["n"] == 16


def test_half_pixels_are_off_by_what_lies_between_two_half_numbers(tmp_path):
    """Half numbers are 2^-12 apart above 1/4 and 2^-10 above 1; the disturbance is less than half of both."""
    for storage, pixel, error, half_error in (("float32", 0.25, 0, NOISE), ("half", 0.25, NOISE, NOISE),
                                              ("float32", 1.0, 0, 0), ("half", 1.0, NOISE, 0)):  # half is cut to [0, 1]
        found = facts.storage(kept(tmp_path, [pixel, pixel], 2), dataclasses.replace(CONFIG, storage=storage))
        assert found["Q12"]["value"] == pytest.approx(error, rel=2e-3), (storage, pixel)
        assert found["Q12-half"]["value"] == pytest.approx(half_error, rel=2e-3), (storage, pixel)


def test_counts_of_clips_images_and_genres():
    index = [{"label": label, "group": group} for label, group in zip("aaab", "1123", strict=True)]
    totals = {"Old-Time / Historic": 7, "Easy Listening": 3, "Rock": 15}
    store = SimpleNamespace(index=index, rejected=[{"path": "bad.mp3"}], parameters={"facts": {"genre_counts": totals}})
    found = facts.data(store, CONFIG)
    assert [found[key]["value"] for key in ("N-CLIPS", "N-REMOVED", "N-CHUNKS")] == [3 + 1, 1, 4]
    assert found["Q13"] == {"value": 0.5, "n": 4, "of": "images"}  # three and one, two on average
    assert {key: found[f"N-ALL-{key}"].get("value") for key in ("Old-Time", "Easy-Listening", "Rock", "Pop")} == {
        "Old-Time": 7, "Easy-Listening": 3, "Rock": 15, "Pop": None}
    assert "not there" in found["N-ALL-Pop"]["not_testable"] and "is unknown" in found["N-BALANCED-Pop"]["not_testable"]
    store.parameters = {"facts": {}}
    assert all("not_testable" in entry for key, entry in facts.data(store, CONFIG).items() if key.startswith("N-ALL-"))
