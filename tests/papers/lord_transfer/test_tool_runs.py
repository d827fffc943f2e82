"""Which run the tool `transfer` takes."""

import json
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from papers.lord_transfer import transfer
from papers.lord_transfer.config import Config


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Runs as `evaluate` leaves them, the newest last; each knows the classes of its corpus."""
    classes = {"medley": ("violin", "piano"), "fma": ("Rock", "Folk")}

    def made(*named):
        for age, (name, preset, null, complete) in enumerate(named):
            path = tmp_path / "lord_transfer" / name / "seed-0" / "results.json"
            path.parent.mkdir(parents=True)
            path.write_text(json.dumps({"complete": complete, "follow": "sound", "preset": preset,
                                        "corpus": {"facts": {"null": null}}}))
            os.utime(path, (1e9 + age,) * 2)

    def for_tool(settings, directory, *_):
        if directory is None:
            raise FileNotFoundError("no complete run; make one with: make reproduce-lord_transfer FOLLOW=sound")
        labels = next(found for key, found in classes.items() if key in str(directory))
        return directory.parent.name, SimpleNamespace(index=[{"label": label} for label in labels]), "Model."

    monkeypatch.setattr(transfer.record, "for_tool", for_tool)
    return made


def test_the_tool_takes_the_newest_complete_run_that_knows_the_class_and_never_the_shuffled_twin(runs, tmp_path):
    runs(("medley-full", "full", False, True), ("fma-full", "full", False, True),
         ("medley-smoke", "smoke", False, True), ("null-medley-full", "full", True, True),
         ("medley-partial", "full", False, False))
    options = transfer.Options((), "Violin", runs=tmp_path)
    assert transfer.find_run(options) == ("medley-full", transfer.find_run(options)[1], "Model.", "violin")
    with pytest.raises(FileNotFoundError, match="--to tuba: no such class; there are Folk, Rock, piano, violin"):
        transfer.find_run(transfer.Options((), "tuba", runs=tmp_path))


def test_the_shuffled_twin_alone_is_no_run(runs, tmp_path):
    runs(("null-medley-full", "full", True, True))
    with pytest.raises(FileNotFoundError, match="make reproduce-lord_transfer FOLLOW=sound"):
        transfer.find_run(transfer.Options((), "violin", runs=tmp_path))
    asked = transfer.Options((), "violin", run=tmp_path / "lord_transfer" / "null-medley-full" / "seed-0")
    assert transfer.find_run(asked)[0] == "null-medley-full"


def test_a_folder_is_gone_through_and_its_own_folders_are_kept(tmp_path):
    inside, alone = tmp_path / "mine", tmp_path / "one.flac"
    for name in ("b.wav", "deep/a.mp3", "notes.txt"):
        (inside / name).parent.mkdir(parents=True, exist_ok=True)
        (inside / name).touch()
    (tmp_path / "empty").mkdir()
    found, problems = transfer.recordings((alone, inside, tmp_path / "empty"))
    assert found == [(alone, Path()), (inside / "b.wav", Path()), (inside / "deep/a.mp3", Path("deep"))]
    assert problems == [f"{tmp_path / 'empty'}: no recording in this folder"]


def test_a_result_is_as_loud_as_its_recording_unless_it_would_clip():
    made, quiet = np.array([0.1, -0.1], np.float32), np.array([0.02, -0.02, 0.02])
    np.testing.assert_allclose(transfer.as_loud(made, quiet), [0.02, -0.02], rtol=1e-5)
    np.testing.assert_allclose(transfer.as_loud(np.array([0.5, 0.0], np.float32), np.array([0.9, 0.9])), [0.999, 0])
    assert not transfer.as_loud(np.zeros(3, np.float32), quiet).any()


def test_pictures_of_a_transfer_are_as_long_as_its_sound_and_on_one_scale(tmp_path, monkeypatch):
    from common import plots
    from papers.lord_transfer import sound

    config = Config(sample_rate=1000, hop=250, bands=4)
    image, drawn = np.zeros((4, 8), np.float32), []
    worker = SimpleNamespace(config=config, images=lambda samples: (image, image, 1.0),
                             hears=lambda shown: [("a", 1.0)])
    monkeypatch.setattr(transfer, "Transfer", lambda *words: worker)
    monkeypatch.setattr(transfer.audio, "load", lambda *words: np.ones(2000, np.float32))
    monkeypatch.setattr(sound, "to_audio", lambda *words: np.full(2100, 0.5, np.float32))
    monkeypatch.setattr(plots, "image", lambda path, shown, **how: drawn.append((path.name, how)))
    assert transfer.transfer([(Path("one.wav"), Path("below"))], "a", None, None, tmp_path) == []
    assert [name for name, _ in drawn] == ["one-to-a-before.png", "one-to-a-after.png"]
    assert all(how["extent"] == (0, 2.0, 0, 4) and how["limits"] == (0, 1) for _, how in drawn)
    assert (tmp_path / "below" / "one-to-a.wav").is_file()
