"""Resume, replicas, stages, and what the program's own corpus gives."""

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from common import probes, training
from common.config import resolve
from papers.symphony2vec import (
    config as settings,
    data,
    evaluate,
    train,
)
from tests.papers.symphony2vec.toy import Store

REPLICAS = {"ff-*": "test_train.test_two_replicas_match_one",
            "perceptron-*": "test_train.test_two_replicas_match_one",
            "cnn-*": "test_train.test_two_replicas_match_one",
            "encoder-*": "test_train.test_two_replicas_match_one",
            "ae-*": "test_train.test_two_replicas_match_one",
            "cae-*": "test_train.test_two_replicas_match_one",
            "vae-*": "test_train.test_two_replicas_match_one",
            "ali-*": "test_train.test_two_replicas_match_one"}  # test_contract asks

ROOT = Path(__file__).resolve().parents[3]
TOY = Store()


def smoke(follow="code", **overrides):
    return resolve(settings, follow, "smoke", {"batch_size": 8, "ali_batch_sizes": (8,)} | overrides)


def trained(name, config, directory, store=TOY, seed=0):
    training.train(name, train.MODELS[name], config, store, directory, seed, checkpoint_seconds=0.0)
    return training.load(train.MODELS[name], config, store, directory)


@pytest.mark.slow
def test_ali_killed_and_resumed_ends_as_if_never_stopped(tmp_path, monkeypatch, eagerly):
    # Gate, instance noise, dropout and the new pixel bias of each part are all in it.
    config = smoke(ali_gate=1.3863, ali_epochs=2, ali_log_every=3, ali_learning_rate=1e-3)
    trained("ali-40", config, tmp_path / "whole")
    indices, count = training.Batches.indices, [0]

    def dies(batches, step):
        count[0] += 1
        if count[0] == 9:
            raise KeyboardInterrupt  # before the step's weights are kept
        return indices(batches, step)

    monkeypatch.setattr(training.Batches, "indices", dies)
    with pytest.raises(KeyboardInterrupt):
        trained("ali-40", config, tmp_path / "stopped")
    monkeypatch.setattr(training.Batches, "indices", indices)
    before = training.outcome(tmp_path / "stopped").step
    trained("ali-40", config, tmp_path / "stopped")
    assert 0 < before < training.outcome(tmp_path / "whole").step
    newest = [sorted((tmp_path / which / "checkpoints").glob("*.npz"))[-1] for which in ("whole", "stopped")]
    with np.load(newest[0]) as a, np.load(newest[1]) as b:
        assert a.files == b.files
        for name in a.files:
            if name != "state":
                np.testing.assert_array_equal(a[name], b[name], err_msg=name)
    assert training.history(tmp_path / "whole") == training.history(tmp_path / "stopped")
    opened = [line["metrics/gate_open"] for line in training.history(tmp_path / "whole")]
    assert min(opened) < 1.0, "the gate never closed, so this test would not see it"


@pytest.mark.slow
def test_two_replicas_match_one(tmp_path):
    output = tmp_path / "weights.npz"
    subprocess.run([sys.executable, "-m", "tests.papers.symphony2vec.toy", str(output)], cwd=ROOT, check=True,
                   env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"})  # fmt: skip
    saved = dict(np.load(output))
    one, two = ({name[2:]: values for name, values in saved.items() if name[0] == replicas} for replicas in "12")
    assert set(one) == set(two) and len(one) == 2 + 3 + 3 + 4 + 1
    for name, values in one.items():
        error = np.linalg.norm(values - two[name]) / np.linalg.norm(values)  # of how far the weights moved
        assert error < 1e-3, (name, error)
    assert 0 < one["gate"] < 1, "the gate never moved, so this test would not see it"


@pytest.mark.slow
def test_autoencoder_and_contractive_autoencoder_of_the_program_end_equal(tmp_path, eagerly):
    config = smoke("code", autoencoder_epochs=2)
    plain, contractive = (trained(f"{kind}-chroma", config, tmp_path / kind) for kind in ("ae", "cae"))
    for network in ("encoder", "decoder"):
        for a, b in zip(plain.networks[network].weights, contractive.networks[network].weights, strict=True):
            np.testing.assert_array_equal(a.numpy(), b.numpy())
    true = trained("cae-chroma", smoke("paper", autoencoder_epochs=2, weight_decay=1e-5, contractive_factor=1.0),
                   tmp_path / "true")  # fmt: skip
    first = plain.networks["encoder"].weights[0].numpy()
    assert np.abs(first - true.networks["encoder"].weights[0].numpy()).max() > 1e-6


def test_steps_per_epoch_are_the_programs():
    for count, batch, steps in ((5366, 32, 168), (2147, 32, 68), (2146, 32, 68), (1073, 32, 34), (2147, 64, 34),
                                (2146, 16, 135), (1073, 32, 34)):  # fmt: skip
        assert training.Batches(count, batch, None, None).steps_per_epoch == steps
    assert 50 * (34 + 135 + 34) == 10_150
    assert (2147 % 64, 2146 % 16, 1073 % 32) == (35, 2, 17)


def test_who_may_diverge_and_who_trains_on_one_device():
    """A likelihood without a lower bound and a game may; the program's LSTM mixes the examples of a batch."""
    for name, model in train.MODELS.items():
        assert model.may_diverge == name.startswith(("vae", "ali")) and model.single_replica == name.startswith("lstm")


@pytest.mark.parametrize("follow, ablations", [("code", False), ("sound", True)])
def test_all_models_of_a_mode_are_trained_with_their_own_settings(follow, ablations, monkeypatch):
    asked = []
    monkeypatch.setattr(training, "train_all", lambda jobs, *rest: asked.append((jobs, rest)))
    run, config = SimpleNamespace(follow=follow, preset="full"), smoke(follow, ablations=ablations)
    train.train(config, TOY, run, "cnn-mel")
    (jobs, rest), = asked
    assert rest == (TOY, run, "cnn-mel") and ("ali-128-longer" in jobs) == ablations
    assert ("cnn-mel-clips" in jobs) == (follow == "sound") and ("perceptron-mfcc" in jobs) == (follow == "code")
    assert not any(name.startswith("pca") for name in jobs)  # fitted when it is measured
    for name, (model, own) in jobs.items():
        assert model is train.MODELS[name] and own == settings.MODELS[name].settings(config)


def test_no_mode_word_in_model_or_train():
    for name in ("model.py", "learners.py", "train.py"):
        text = (ROOT / "papers" / "symphony2vec" / name).read_text()
        assert not re.search(r"[\"'](code|paper|sound|follow)[\"']", text)


def test_decided_claims_exist():
    known = {claim.id for claim in evaluate.claims.read_claims(evaluate.CLAIMS)}
    assert {claim for one in settings.DIVERGENCES for claim in one.decides} <= known


def test_spread_is_the_mean_pairwise_distance():
    x = np.random.default_rng(0).normal(size=(7, 3, 2))
    pairs = [np.abs(x[i] - x[j]).mean() for i in range(7) for j in range(i)]
    assert probes.mean_distance(x) == pytest.approx(np.mean(pairs))


@pytest.mark.needs_data("orchestral")
def test_published_corpus_gives_the_programs_clips(published, tmp_path):
    from papers.symphony2vec import preprocess

    config = resolve(settings, "code", "full")
    store = preprocess.preprocess(config, published("orchestral"), "full", tmp_path)
    selection = data.select(config, store)
    kept = np.union1d(selection.train, selection.test)
    assert np.bincount(selection.labels[kept]).tolist() == [1748, 908, 1925, 1386, 1698]
    assert selection.groups > 1
    chroma = data.Images(config, store, selection, "chroma")
    assert (chroma.mean, chroma.deviation) == (pytest.approx(0.28064, abs=0.01), pytest.approx(0.29424, abs=0.01))
