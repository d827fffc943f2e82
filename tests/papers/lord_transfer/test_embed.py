"""The tool `embed` with an encoder whose answers are known: which pair, which windows, what cannot be used."""

import dataclasses
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import soundfile
from keras import ops

from common import audio, embedding, training
from common.training import Learner
from papers.lord_transfer import embed, preprocess, train
from papers.lord_transfer.config import Config

CONFIG = dataclasses.replace(Config(), data_set="fma_medium", sample_rate=8000, fft_size=512, hop=250, bands=16,
                             frames=16)


@pytest.fixture
def asked(monkeypatch):
    """Names of the models that are loaded; the code of a window is its mean level, and twice that."""
    names, run = [], SimpleNamespace(config=CONFIG, directory="run", model_directory=lambda name: name)
    image = keras.Input((16, 16, 1))
    level = ops.mean(image, axis=(1, 2))
    network = keras.Model(image, ops.concatenate([level, 2 * level], axis=-1))
    monkeypatch.setattr(embed.scripts, "open_tool", lambda *_: (run, None))
    monkeypatch.setattr(training, "load", lambda model, config, store, name: names.append((name, config.pair))
                        or Learner({"content_encoder": network}, {}))
    return SimpleNamespace(names=names, run=run)


def test_codes_are_those_of_windows_side_by_side(asked, tmp_path):
    random = np.random.default_rng(0)
    samples = random.standard_normal(2 * 8000) * np.repeat([0.3, 0.01], 8000)
    for name, sound in (("a", samples), ("short", samples[:3000]), ("silent", 0 * samples)):
        soundfile.write(tmp_path / f"{name}.wav", sound, 8000)
    files = [tmp_path / f"{name}.wav" for name in ("a", "short", "silent", "gone")]
    rows, problems = embedding.rows(files, embed.encoder(embed.Options(files)))
    assert [(path.stem, clip, seconds) for path, clip, seconds, _ in rows] == [("a", k, 0.5 * k) for k in range(4)]
    image, _ = preprocess.spectrogram(audio.load(files[0], 8000), CONFIG)  # 65 frames are four windows
    for k, (*_, code) in enumerate(rows):
        level = image[:, 16 * k:16 * k + 16].mean()
        np.testing.assert_allclose(code, [level, 2 * level], rtol=1e-5)
    assert [line.split(".wav")[1] for line in problems] == [
        ": 13 frames long, a window of 0.50 s takes 16", ": silent", ": no such file"]
    assert asked.names == [("lord-instrumental-pop", "Instrumental-Pop")]


def test_a_pair_is_chosen_by_its_name(asked):
    embed.encoder(embed.Options((), pair="Rock-Folk"))
    assert asked.names == [("lord-rock-folk", "Rock-Folk")] and embed.MODEL == train.job_name("lord", "")
    with pytest.raises(ValueError, match="--pair Rock-Tuba: run has Instrumental-Pop, Classical-Pop, Rock-Folk"):
        embed.encoder(embed.Options((), pair="Rock-Tuba"))
    asked.run.config = dataclasses.replace(CONFIG, data_set="medley_solos_db")
    embed.encoder(embed.Options(()))
    assert asked.names[-1] == ("lord", "")
    with pytest.raises(ValueError, match="run has instruments, no pair"):
        embed.encoder(embed.Options((), pair="Rock-Folk"))


def test_a_model_that_reads_phases_is_refused(asked):
    asked.run.config = dataclasses.replace(CONFIG, phase="angle")
    with pytest.raises(ValueError, match="its model reads phases too"):
        embed.encoder(embed.Options(()))
