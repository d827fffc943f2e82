"""What is played against each other: levels, pictures of sound, and which grids a page plays."""

import base64
import io

import numpy as np
import pytest
import soundfile
from PIL import Image

from common.report import listening, media

RATE = 8000


def tone(frequency, amplitude=0.5, seconds=0.5):
    return amplitude * np.sin(2 * np.pi * frequency * np.arange(int(RATE * seconds)) / RATE)


def test_the_level_of_a_sine_is_three_decibels_below_its_peak():
    assert listening.level(tone(440, 1.0)) == pytest.approx(-3.01, abs=0.01)
    assert listening.level(tone(440, 0.1)) == pytest.approx(-23.01, abs=0.01)
    assert listening.level(np.zeros(9)) == listening.level(np.zeros(0)) == -np.inf


def test_all_are_brought_to_the_quietest_that_is_no_silence():
    assert listening.gains([-10.0, -16.0, -13.0]) == [-6.0, 0.0, -3.0]
    assert listening.gains([-10.0, -60.0, -np.inf]) == [0.0, 0.0, 0.0]  # near silence does not take the others away
    assert listening.gains([-np.inf, -np.inf]) == [0.0, 0.0] and listening.gains([]) == []


def shown(samples):
    found = base64.b64decode(listening.picture(samples, RATE).partition("base64,")[2])
    image = Image.open(io.BytesIO(found))
    return np.asarray(image)  # places in the palette: the louder, the higher


def test_a_picture_has_time_to_the_right_and_pitch_upwards():
    low, high = shown(tone(200)), shown(tone(3000))
    assert low.shape == (listening.HEIGHT, listening.WIDTH)
    rows = [int(np.argmax(image.mean(axis=1))) for image in (low, high)]
    assert rows[1] < rows[0] and rows[0] == pytest.approx(
        listening.HEIGHT * (1 - np.log(200 / 60) / np.log(4000 / 60)), abs=3)
    late = shown(np.concatenate([np.zeros(RATE // 2), tone(1000)]))
    assert late[:, :100].mean() < 0.2 * late[:, 140:].mean()
    assert shown(np.zeros(RATE)).max() == 0 and shown(np.zeros(3)).shape == low.shape


def test_a_grid_gets_what_its_player_needs_and_a_broken_sound_nothing(tmp_path):
    for name, samples in (("loud", tone(440)), ("soft", tone(440, 0.25))):
        soundfile.write(tmp_path / f"{name}.wav", samples, RATE)
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    cells = [{"audio": f"x/{name}.wav"} for name in ("loud", "soft", "broken")] + [None, {"audio": ""}]
    files = {f"x/{name}.wav": tmp_path / f"{name}.wav" for name in ("loud", "soft", "broken")}
    found = listening.prepare({"rows": [("a", cells)], "folded": False}, files)
    assert found["playable"] == 3 and "gain" not in cells[2]
    assert cells[0]["gain"] == pytest.approx(-6.02, abs=0.01) and cells[1]["gain"] == 0
    assert cells[0]["seconds"] == 0.5 and cells[0]["picture"].startswith("data:image/png;base64,")
    listening.prepare({"rows": [("a", cells)], "folded": True}, files)
    assert cells[0]["picture"] == ""


class Told:
    hear, baseline = "Hear the transfers", "Without a network"


def test_what_is_heard_first_has_one_row_and_the_baselines_of_the_same_run_and_name():
    def grid(follow, columns, rows):
        return {"follow": follow, "seed": 0, "folded": False, "columns": columns,
                "rows": [(name, [{"audio": f"{follow}-{name}-{column}"} for column in columns]) for name in rows]}

    transfers = {"title": "Hear the transfers rock", "grids": [
        grid("paper", ["source", "flute", "piano"], ["violin", "trumpet"]), grid("sound", ["source"], ["violin"])]}
    others = {"title": "Without a network rock", "grids": [grid("paper", ["piano", "flute"], ["mean"])]}
    wrong = {"title": "Without a network folk", "grids": [grid("paper", ["piano"], ["not this"])]}
    heard = media.to_hear([wrong, transfers, others], Told)
    paper, sound = heard["grids"]
    assert heard["section"] is transfers and [name for name, _ in paper["rows"]] == ["violin", "mean"]
    assert paper["rows"][1][1] == [None, {"audio": "paper-mean-flute"}, {"audio": "paper-mean-piano"}]
    assert [name for name, _ in sound["rows"]] == ["violin"] and len(transfers["grids"][0]["rows"]) == 2
    assert media.to_hear([others], Told) is None and media.to_hear([transfers], None) is None
