"""Steps, resume, replicas, and that every divergence changes what is built, computed or selected."""

import dataclasses
import os
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from common import loop, probes, training
from common.config import resolve
from papers.symphony2vec import (
    config as settings,
    data,
    embeddings,
    evaluate,
    features,
    latent,
    learners,
    measures,
    splits,
    train,
)
from tests.papers.symphony2vec.toy import Store

ROOT = Path(__file__).resolve().parents[3]
TOY = Store()


def smoke(follow="code", **overrides):
    return resolve(settings, follow, "smoke", {"batch_size": 8, "ali_batch_sizes": (8,)} | overrides)


def trained(name, config, directory, store=TOY, seed=0):
    training.train(name, train.MODELS[name], config, store, directory, seed, checkpoint_seconds=0.0)
    return training.load(train.MODELS[name], config, store, directory)


@pytest.mark.slow
def test_ali_killed_and_resumed_ends_as_if_never_stopped(tmp_path, monkeypatch):
    # Gate, instance noise, dropout and the second part's new pixel bias are all in it.
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
    saved = []
    for replicas in (1, 2):
        output = tmp_path / f"{replicas}.npz"
        command = [sys.executable, "-m", "tests.papers.symphony2vec.toy", str(replicas), str(output)]
        subprocess.run(command, cwd=ROOT, check=True, env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"})
        saved.append(dict(np.load(output)))
    assert set(saved[0]) == set(saved[1])
    for name, one in saved[0].items():
        error = np.linalg.norm(one - saved[1][name]) / np.linalg.norm(one)
        assert error < 1e-5, (name, error)
    assert 0 < saved[0]["gate"] < 1, "the gate never moved, so this test would not see it"


def test_autoencoder_and_contractive_autoencoder_of_the_program_end_equal(tmp_path):
    config = smoke("code", autoencoder_epochs=2)
    plain, contractive = (trained(f"{kind}-chroma", config, tmp_path / kind) for kind in ("ae", "cae"))
    for network in ("encoder", "decoder"):
        for a, b in zip(plain.networks[network].weights, contractive.networks[network].weights, strict=True):
            np.testing.assert_array_equal(a.numpy(), b.numpy())
    true = trained("cae-chroma", smoke("paper", autoencoder_epochs=2, weight_decay=1e-5, contractive_factor=1.0),
                   tmp_path / "true")  # fmt: skip
    first = plain.networks["encoder"].weights[0].numpy()
    assert np.abs(first - true.networks["encoder"].weights[0].numpy()).max() > 1e-6


def test_closed_gate_leaves_the_discriminator_as_it_is(tmp_path):
    config = smoke(ali_gate=0.5, mel_training="whole")  # the loss starts at 1.39
    learner = trained("ali-40", config, tmp_path)
    keras.utils.set_random_seed(0)
    fresh = train.MODELS["ali-40"].build(config, TOY)
    for a, b in zip(learner.networks["discriminator"].trainable_variables,
                    fresh.networks["discriminator"].trainable_variables, strict=True):  # fmt: skip
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    with np.load(sorted((tmp_path / "checkpoints").glob("*.npz"))[-1]) as saved:
        assert int(saved["optimizer/discriminator/000"]) == 0 < int(saved["optimizer/generator/000"])  # updates made
    moved = zip(learner.networks["generator"].trainable_variables, fresh.networks["generator"].trainable_variables,
                strict=True)  # fmt: skip
    assert any(np.abs(a.numpy() - b.numpy()).max() > 0 for a, b in moved)


def test_pixel_bias_starts_at_the_log_odds_of_the_first_batch():
    config = smoke("code")
    stage = train.MODELS["ali-40"].stages(config, TOY, 0)[0]
    learner = train.MODELS["ali-40"].build(config, TOY)
    stage.start(learner)
    bias = learner.networks["generator"].get_layer("pixel_bias").bias.numpy()
    first = stage.batches.read(stage.batches.indices(0))["x"]
    inside = np.clip(first.mean(axis=0), 1e-7, 1 - 1e-7)
    assert bias == pytest.approx(np.log(inside / (1 - inside)), rel=1e-4, abs=1e-3)
    assert np.isclose(bias.min(), -16.118095, atol=1e-3)  # z-scored data: half the pixels start saturated


def test_vae_rate_falls_after_five_epochs_and_stays():
    config = smoke("code", vae_epochs=7)
    stages = train.MODELS["vae-mel"].stages(config, TOY, 0)
    per_epoch = stages[0].batches.steps_per_epoch
    assert [stage.name for stage in stages] == ["part-1-fast", "part-1-slow", "part-2", "part-3"]
    assert [stage.steps for stage in stages[:2]] == [5 * per_epoch, 2 * per_epoch]
    learner = train.MODELS["vae-mel"].build(config, TOY)
    stages[1].start(learner)
    assert float(learner.optimizers["vae"].learning_rate.numpy()) == pytest.approx(1e-4)


def test_chunks_are_read_as_they_are_cut():
    config = smoke("paper")
    stage = train.MODELS["lstm-mel"].stages(config, TOY, 0)[0]
    selection = data.select(config, TOY)
    images = data.Images(config, TOY, selection, "mel")
    x, y = features.chunks(images[selection.train], selection.labels[selection.train], 36)
    assert stage.batches.size == len(x)
    some = np.array([0, 5, len(x) - 1, len(selection.train)])
    batch = stage.batches.read(some)
    np.testing.assert_array_equal(batch["x"], x[some])
    assert batch["label"].tolist() == y[some].tolist()


def test_steps_per_epoch_are_the_programs():
    for count, batch, steps in ((5366, 32, 168), (2147, 32, 68), (2146, 32, 68), (1073, 32, 34), (2147, 64, 34),
                                (2146, 16, 135), (1073, 32, 34)):  # fmt: skip
        assert training.Batches(count, batch, None, None).steps_per_epoch == steps
    assert 50 * (34 + 135 + 34) == 10_150
    assert (2147 % 64, 2146 % 16, 1073 % 32) == (35, 2, 17)


def test_selection_by_mode():
    code = data.select(smoke("code"), TOY)
    assert len(code.stages) == 3 and len(code.labels) == 36
    kept = set(code.train) | set(code.test)
    assert all(TOY.index[i]["offset"] < 3 * 220500 for i in kept)  # the last clip of each recording is dropped
    sound = data.select(smoke("sound"), TOY)
    assert not set(sound.works[sound.train]) & set(sound.works[sound.test])
    assert len(sound.train) + len(sound.test) == 36 and len(sound.stages) == 1
    paper = data.select(smoke("paper"), TOY)
    assert sorted([*paper.train, *paper.test]) == list(range(36))


def test_scale_of_the_images():
    config = smoke("code")
    selection = data.select(config, TOY)
    mel = data.Images(config, TOY, selection, "mel")
    both = np.concatenate([selection.train, selection.test])
    assert mel[np.unique(both)].mean() == pytest.approx(0, abs=1e-3)
    assert mel[np.unique(both)].std() == pytest.approx(1, abs=1e-3)
    assert mel.decibels(mel[both[:1]]) == pytest.approx(TOY.arrays["mel"][both[:1]], abs=1e-3)
    crop = data.Images(smoke("sound"), TOY, selection, "crop")
    assert crop.shape == (32, 32, 1) and 0 <= crop[both].min() and crop[both].max() <= 1


# For each divergence something that must differ between its values: a count, a selection, a loss, a stage.
def _classifier(kind, representation):
    def structure(config):
        network = learners.classifier_network(settings.MODELS[f"{kind}-{representation}"], config, 5)
        return [w.shape for w in network.weights] + [layer.__class__.__name__ for layer in network.layers]

    return structure


def _ali_stage(config):
    return train.MODELS["ali-40"].stages(config, TOY, 0)


def _step(name, config):
    """Loss names and first trainable sums after one step."""
    stage = train.MODELS[name].stages(config, TOY, 0)[0]
    keras.utils.set_random_seed(0)
    learner = train.MODELS[name].build(config, TOY)
    loop.compiled(training.tf.distribute.get_strategy(), learner, dataclasses.replace(stage), 0)(0)
    return [float(np.abs(v.numpy()).sum()) for n in learner.networks.values() for v in n.trainable_variables]


def _codes(config):
    images = data.Images(config, TOY, data.select(config, TOY), "crop")
    keras.utils.set_random_seed(0)
    encoder = train.MODELS["ali-40"].build(config, TOY).networks["encoder"]
    return embeddings.ali_codes(encoder, images, np.arange(8), config).tolist()


def _vae_code(config):
    learner = train.MODELS["vae-chroma"].build(config, TOY)
    images = data.Images(config, TOY, data.select(config, TOY), "chroma")
    return embeddings.autoencoder_codes("vae", learner, images, np.arange(4), config).shape


def _pca(config):
    selection = data.select(config, TOY)
    images = data.Images(config, TOY, selection, "chroma")
    return embeddings.pca_codes(images, [(selection.train, selection.test)], config)[0][1].tolist()


DIFFERS = {
    "last_clip": lambda c: sorted({*data.select(c, TOY).train, *data.select(c, TOY).test}),
    "split": lambda c: data.select(c, TOY).test.tolist(),
    "normalise_over": lambda c: data.Images(c, TOY, data.select(c, TOY), "mel").mean,
    "mel_training": lambda c: [len(a) for a, _ in data.select(c, TOY).parts("mel")],
    "feed_forward_units": _classifier("ff", "chroma"),
    "classifier_loss": lambda c: _step("cnn-chroma", c),
    "weight_decay": lambda c: _step("cnn-chroma", c),
    "cnn_pooling": _classifier("cnn", "mel"),
    "lstm_optimizer": lambda c: learners.rate_and_decay(settings.MODELS["lstm-mel"], c),
    "lstm_input": _classifier("lstm", "mel"),
    "lstm_scores": _classifier("lstm", "mel"),
    "autoencoder_output": lambda c: train.MODELS["ae-chroma"].build(c, TOY).networks["decoder"].layers[-2].activation,
    "contractive_penalty": lambda c: _step("cae-chroma", c),
    "vae_schedule": lambda c: len(train.MODELS["vae-chroma"].stages(dataclasses.replace(c, vae_epochs=7), TOY, 0)),
    "vae_likelihood": lambda c: _step("vae-chroma", c),
    "vae_code": _vae_code,
    "pca_fit": _pca,
    "ali_beta_1": lambda c: float(train.MODELS["ali-40"].build(c, TOY).optimizers["generator"].beta_1),
    "ali_batch_sizes": lambda c: [stage.batches.batch_size for stage in
                                  _ali_stage(dataclasses.replace(c, mel_training="subsets"))],
    "discriminator_normalization": lambda c: len(
        train.MODELS["ali-40"].build(c, TOY).networks["discriminator"].weights
    ),
    "ali_gate": lambda c: _step("ali-40", dataclasses.replace(c, ali_gate=min(c.ali_gate, 1.0))),
    "instance_noise": lambda c: _step("ali-40", dataclasses.replace(c, discriminator_normalization=False)),
    "pixel_bias": lambda c: _ali_stage(c)[0].start is None,
    "crop_scale": lambda c: data.Images(c, TOY, data.select(c, TOY), "crop")[np.arange(2)].tolist(),
    "ali_code": _codes,
    "ali_statistics": _codes,
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("divergence", settings.DIVERGENCES, ids=lambda one: one.field)
def test_each_divergence_changes_something(divergence):
    base = resolve(settings, "paper", "smoke", {"batch_size": 8})
    measure = DIFFERS[divergence.field]
    values = {repr(value): value for value in (divergence.paper, divergence.code, divergence.sound)}.values()
    seen = [repr(measure(dataclasses.replace(base, **{divergence.field: value}))) for value in values]
    assert len(set(seen)) == len(seen) > 1


def test_no_mode_word_in_model_or_train():
    for name in ("model.py", "learners.py", "train.py"):
        text = (ROOT / "papers" / "symphony2vec" / name).read_text()
        assert not re.search(r"[\"'](code|paper|sound|follow)[\"']", text)


def test_decided_claims_exist():
    known = {claim.id for claim in evaluate.claims.read_claims(evaluate.CLAIMS)}
    assert {claim for one in settings.DIVERGENCES for claim in one.decides} <= known


def test_mcnemar():
    a, b = np.array([1, 1, 1, 1, 0, 0], bool), np.array([1, 0, 0, 0, 0, 1], bool)
    assert measures.mcnemar(a, b) == pytest.approx(2 / 2)
    assert measures.mcnemar(a, a) == 0.0


def test_spread_is_the_mean_pairwise_distance():
    x = np.random.default_rng(0).normal(size=(7, 3, 2))
    pairs = [np.abs(x[i] - x[j]).mean() for i in range(7) for j in range(i)]
    assert probes.mean_distance(x) == pytest.approx(np.mean(pairs))


def test_path_and_slope():
    path = latent.path(128)
    assert path.shape == (16, 128) and path[3, 0] == pytest.approx(0.2) and (path[-1] == 1).all()
    falling = np.linspace(1, 0, 16)[:, None, None, None] * np.ones((16, 4, 4, 1))
    assert measures.level_slope(falling) == pytest.approx(-1.0)
    assert measures.level_slope(np.ones((16, 4, 4, 1))) == 0.0


def test_two_sample_accuracy_tells_apart_or_not():
    random = np.random.default_rng(0)
    real = random.normal(size=(200, 2))
    assert measures.two_sample_accuracy(real + 50, real) == 1.0
    assert measures.two_sample_accuracy(random.normal(size=(200, 2)), real) == pytest.approx(0.5, abs=0.12)


def test_pca_fitted_on_each_set_has_no_common_axes():
    config = smoke("code")
    selection = data.select(config, TOY)
    images = data.Images(config, TOY, selection, "mfcc")
    parts = [(selection.train, selection.test)]
    (_, own), (_, shared) = (embeddings.pca_codes(images, parts, dataclasses.replace(config, pca_fit=how))[0]
                             for how in ("each_set", "train"))  # fmt: skip
    assert np.abs(own.mean(axis=0)).max() < 1e-3 < np.abs(shared.mean(axis=0)).max()


@pytest.mark.needs_data("orchestral")
def test_published_corpus_gives_the_programs_clips(published, tmp_path):
    from papers.symphony2vec import preprocess

    config = resolve(settings, "code", "full")
    store = preprocess.preprocess(config, published("orchestral"), "full", tmp_path)
    selection = data.select(config, store)
    kept = np.union1d(selection.train, selection.test)
    assert np.bincount(selection.labels[kept]).tolist() == [1748, 908, 1925, 1386, 1698]
    assert splits.groups_per_class(selection.labels, selection.works) > 1
    chroma = data.Images(config, store, selection, "chroma")
    assert (chroma.mean, chroma.deviation) == (pytest.approx(0.28064, abs=0.01), pytest.approx(0.29424, abs=0.01))
