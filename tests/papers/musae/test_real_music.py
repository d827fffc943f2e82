"""A real run: the 2-bar model on real songs leaves the all-hold floor, and its interpolations are music by measurement.

Needs ENCORE_MIDI, a folder of MIDI files; prints what it measured (pytest -s).
"""

import os
from pathlib import Path

import numpy as np
import pytest

from common import midi, splits
from common.config import resolve
from papers.musae import config as settings, data, measures, preprocess
from papers.musae.tokens import HOLD, token_base

SIZES = {"latent": 64, "encoder_units": 64, "decoder_units": 128, "critic_units": 128, "batch_size": 64,
         "updates_2bar": 3000, "beta_every": 2000, "log_every": 125, "decay": 5e-4}  # fmt: skip


def accuracies(learner, tokens):
    from papers.musae import inference

    answers = inference.decode_tokens(learner, inference.encode(learner, tokens, np.random.default_rng(0)))
    return (answers == tokens).mean(axis=(0, 1))


@pytest.mark.very_slow
def test_two_bars_of_real_songs_are_learnt(tmp_path):
    folder = os.environ.get("ENCORE_MIDI")
    if not folder:
        pytest.skip("set ENCORE_MIDI to a folder of MIDI files")
    from common import training
    from papers.musae import inference, sound, train

    directory = Path(os.environ.get("ENCORE_REAL_RUN") or tmp_path / "model")  # a training that was interrupted goes on
    config = resolve(settings, "sound", "demo", SIZES)
    store = preprocess.preprocess(config, Path(folder), "demo", tmp_path / "stores")
    model = train.MODELS["2bar-gaussian"]
    training.train("2bar-gaussian", model, config, store, directory, 0)
    learner = training.load(model, config, store, directory)
    windows = data.windows(store, 2)
    trained, held = data.split(config, windows)
    shown = [windows.cut(splits.sample(rows, 1024, np.random.default_rng(0))) for rows in (trained, held)]
    found = [accuracies(learner, tokens).mean() for tokens in shown]
    floor = [(tokens == HOLD).mean() for tokens in shown]
    print(f"training windows {found[0]:.3f} (all hold {floor[0]:.3f}); held-out songs {found[1]:.3f} ({floor[1]:.3f})")
    assert found[0] - floor[0] >= 0.5 * (1 - floor[0])

    songs = windows.song[trained]
    ends = [trained[np.flatnonzero(songs == song)[0]] for song in np.unique(songs)[:2]]
    x = windows.cut(np.array(ends))
    z = inference.encode(learner, x)
    steps = inference.decode_tokens(
        learner, (1 - np.linspace(0, 1, 9)[:, None]) * z[0] + np.linspace(0, 1, 9)[:, None] * z[1]
    )
    distance = [measures.hamming(steps, np.repeat(end[None], 9, axis=0)) for end in x]
    path, sound, _ = sound.write(np.concatenate(steps), config, tmp_path / "interpolation", "interpolation")
    read = midi.read(path)
    pitches = np.concatenate([i.pitch for i in read.instruments if not i.is_drum])
    lengths = np.concatenate([i.end - i.start for i in read.instruments]) / (read.resolution / 4)
    silent = (token_base(np.concatenate(steps).T) == midi.SILENT).all(axis=0).mean()
    print(f"interpolation: {len(lengths)} notes, pitches {pitches.min()} to {pitches.max()}, longest note "
          f"{lengths.max():.1f} steps, all tracks silent {silent:.1%} of the time, distance to the first "
          f"{np.round(distance[0], 2).tolist()}, to the second {np.round(distance[1], 2).tolist()}")  # fmt: skip
    assert len(lengths) >= 9 * 4 and 12 <= pitches.min() and pitches.max() <= 108
    assert lengths.max() <= 9 * 32 and (lengths > 0).all() and silent < 0.5  # no note is stuck beyond the piece
    assert distance[0][0] < distance[0][-1] and distance[1][-1] < distance[1][0]
    assert sound.stat().st_size > 1000
