"""Steps, schedules, optimizers, resume and replicas (dossier section 8: T11, T26-T28, T31)."""

import dataclasses
import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from common import config as configuration, loop, training
from common.findings import NotTestable
from papers.lord_transfer import (
    comparisons,
    config as settings,
    evaluate,
    facts,
    losses,
    networks,
    train,
    trained as using,
    vgg,
)
from papers.lord_transfer.config import loss_terms, perceptual_state
from papers.lord_transfer.data import Reader, windows
from papers.lord_transfer.measures import Heard
from tests.papers.lord_transfer import toy


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return toy.make_store(tmp_path_factory.mktemp("toy"))


def test_cosine_by_epoch_with_its_lag():
    rate = networks.EpochCosine(3e-4, 1e-5, 1000, tf.constant(7.0))
    for epoch, wanted in ((0, 3e-4), (1, 3e-4), (251, 2.57530e-4), (501, 1.55e-4), (751, 5.24695e-5),
                          (999, 1.000286e-5)):
        for step in (7 * epoch, 7 * epoch + 6):
            assert float(rate(step)) == pytest.approx(wanted, rel=1e-5), epoch


def test_table_rate_takes_effect():
    for follow, ratio in (("paper", 10), ("sound", 10), ("code", 1)):
        config = configuration.resolve(settings, follow, "full")
        assert facts.first_step_ratio(config) == pytest.approx(ratio, rel=1e-4)


def test_one_step_changes_all_four_networks_and_nothing_else_is_trainable(store):
    config = dataclasses.replace(toy.CONFIG, epochs=1)
    learner = networks.build(config, store)
    before = {name: [v.numpy() for v in network.trainable_variables] for name, network in learner.networks.items()}
    assert set(before) == {"content_encoder", "class_embedding", "class_modulation", "generator"}
    stage = train.stages(config, store, 0)[0]
    run = loop.compiled(tf.distribute.get_strategy(), learner, stage, 0)
    stage.start(learner)
    found = run(0)
    for name, network in learner.networks.items():
        assert any(np.any(a != b.numpy()) for a, b in zip(before[name], network.trainable_variables, strict=True)), name
    covered = sum(len(o.variables) for o in learner.optimizers.values())
    # two moments a variable, and of each optimizer its count of updates
    assert covered == 2 * sum(len(values) for values in before.values()) + len(learner.optimizers)
    assert float(found["losses/total"]) == pytest.approx(float(found["losses/mae"]))


def test_noise_is_standard_and_only_in_training():
    from common.noise import Step

    config = dataclasses.replace(toy.CONFIG, content_dim=1000)
    step = Step(0, "joint", tf.constant(3, tf.int64), tf.constant(100.0), tf.range(100, dtype=tf.int64), 100)
    drawn = train.content_noise(config, step, tf.zeros((100, 1000))).numpy()
    assert abs(drawn.std() - 1) < 0.02 and abs(drawn.mean()) < 0.02


def test_content_decay_counts_the_batch_only_in_code():
    code, sound = (configuration.resolve(settings, follow, "full") for follow in ("code", "sound"))
    assert train.decay_weight(code, 64) == pytest.approx(0.064)
    assert train.decay_weight(sound, 64) == train.decay_weight(sound, 8) > 0


def test_early_stopping_of_the_program_ends_after_101_epochs():
    stop = train.stopper(configuration.resolve(settings, "code", "full"))
    lines = [{"losses/total": 0.5 / (1 + i)} for i in range(200)]
    assert [stop(lines[:n]) for n in (100, 101)] == [False, True]
    falling = [{"losses/total": 1000.0 - 2 * i} for i in range(200)]
    assert not any(stop(falling[:n]) for n in range(1, 200))
    assert train.stopper(configuration.resolve(settings, "paper", "full")) is None


def test_perceptual_is_off_without_weights_and_says_so():
    config = configuration.resolve(settings, "paper", "full")
    assert perceptual_state(config) == "off" and loss_terms(config) == ["mse", "mae"]
    assert losses.perceptual_words(config).startswith("off")
    code = configuration.resolve(settings, "code", "full")
    assert loss_terms(code) == ["mse", "mae"]  # the stand-in for a loss that is perceptual alone
    random = dataclasses.replace(config, perceptual="random")
    assert perceptual_state(random) == "random" and loss_terms(random)[0] == "perceptual"


def test_loss_terms_are_weighted_on_one_scale(store):
    random = np.random.default_rng(0)
    one, two = (tf.constant(random.random((3, 32, 32, 1)).astype("float32")) for _ in range(2))
    config = dataclasses.replace(toy.CONFIG, loss="perceptual+mse+mae", perceptual="random", loss_scale=255.0)
    found = losses.reconstruction(config)(one, two)
    np.testing.assert_allclose(found["mse"], 255 * losses.mean_squared_error(one, two), rtol=1e-6)
    np.testing.assert_allclose(found["perceptual"],
                               255 * losses.perceptual_error(vgg.random_first_layer(), one, two), rtol=1e-6)
    angle = losses.reconstruction(dataclasses.replace(toy.CONFIG, phase="angle"))
    pair = [tf.concat([image, image], -1) for image in (one, two)]
    assert set(angle(*pair)) == {"mae", "cyclic"}


@pytest.mark.parametrize("changes", [{}, {"content": "embedding", "second_epochs": 1},
                                     {"class_code": "encoder", "subclasses": 2, "perceptual": "random"}])
def test_stopped_and_resumed_equals_uninterrupted(store, tmp_path, changes):
    config = dataclasses.replace(toy.CONFIG, epochs=2, **changes)

    def run(directory, stages):
        model = training.Model(networks.build, stages)
        return training.train("lord", model, config, store, directory, 5, checkpoint_seconds=0)

    def broken(config, store, seed):
        made = train.stages(config, store, seed)
        reads = []

        def read(positions):
            reads.append(1)
            if len(reads) > 4:
                raise RuntimeError("power cut")
            return made[0].batches.read(positions)

        return [dataclasses.replace(made[0], batches=dataclasses.replace(made[0].batches, read=read)), *made[1:]]

    run(tmp_path / "whole", train.stages)
    with pytest.raises(RuntimeError, match="power cut"):
        run(tmp_path / "cut", broken)
    run(tmp_path / "cut", train.stages)
    wanted, got = (np.load(sorted((tmp_path / name / "checkpoints").glob("*.npz"))[-1]) for name in ("whole", "cut"))
    assert set(wanted.files) == set(got.files)
    for name in wanted.files:
        np.testing.assert_array_equal(wanted[name], got[name], err_msg=name)
    lines = [(tmp_path / name / "metrics.jsonl").read_text() for name in ("whole", "cut")]
    assert lines[0] == lines[1]


REPLICAS = """
import dataclasses, sys
import tensorflow as tf
count, path = int(sys.argv[1]), sys.argv[2]
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0],
                                           [tf.config.LogicalDeviceConfiguration()] * count)
import keras
from pathlib import Path
from common import training
from papers.lord_transfer import networks, train
from tests.papers.lord_transfer import toy
store = toy.make_store(Path(path) / "data", 70)
strategy = (tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(count)]) if count > 1
            else tf.distribute.get_strategy())
adam = networks.adam
for optimizer, content in (("sgd", "encoder"), ("adam", "embedding")):
    networks.adam = adam if optimizer == "adam" else lambda config, rate, steps: keras.optimizers.SGD(0.1 * rate)
    config = dataclasses.replace(toy.CONFIG, epochs=3, batch_size=10, content=content, second_epochs=1,
                                 content_decay=1e-3, content_decay_reduction="sum", table_rate=10.0)
    directory = Path(path) / f"{optimizer}-{content}-{count}"
    training.train("lord", train.MODELS["lord"], config, store, directory, 0, strategy)
"""


@pytest.mark.slow
def test_two_replicas_match_one(tmp_path):
    """Same global batch, last batches smaller; noise, the decay's sum over the batch, both stages, Adam and SGD."""
    for count in (1, 2):
        subprocess.run([sys.executable, "-c", REPLICAS, str(count), str(tmp_path)], check=True, capture_output=True,
                       env=os.environ | {"PYTHONPATH": "."})
    for case in ("sgd-encoder", "adam-embedding"):
        one, two = (np.load(sorted((tmp_path / f"{case}-{count}" / "checkpoints").glob("*.npz"))[-1])
                    for count in (1, 2))
        for name in (name for name in one.files if name.startswith("network/")):
            assert np.linalg.norm(two[name] - one[name]) <= 1e-5 * np.linalg.norm(one[name]) + 1e-7, (case, name)


@pytest.mark.slow
def test_toy_transfer_gives_and_takes_the_stripes(store, tmp_path):
    training.train("lord", train.MODELS["lord"], toy.CONFIG, store, tmp_path, 0)
    learner = training.load(train.MODELS["lord"], toy.CONFIG, store, tmp_path)
    found, reader = windows(toy.CONFIG, store), Reader(toy.CONFIG, store)
    test = found.take(found.of("test"))
    trained = using.Trained(toy.CONFIG, learner, None, reader, found.take(found.of("train")), None, test)
    transfers = using.all_transfers(trained, trained.test_images())
    plain, striped = (test.classes == number for number in range(2))
    identity = toy.stripe_contrast(transfers[1][striped])
    assert identity > 0.04
    assert toy.stripe_contrast(transfers[1][plain]) == pytest.approx(identity, rel=0.2)
    assert abs(toy.stripe_contrast(transfers[0][striped])) < 0.01
    assert abs(toy.stripe_contrast(transfers[0][plain])) < 0.01
    history = training.history(tmp_path)
    assert history[-1]["losses/total"] < 0.6 * history[0]["losses/total"]


def test_jobs_are_the_papers_comparisons():
    genre = configuration.resolve(settings, "paper", "demo", {"data_set": "fma_medium"})
    assert set(train.jobs(genre)) == {"lord-rock-folk", "classifier-rock-folk"}
    found = train.jobs(dataclasses.replace(genre, ablations=True))
    assert {"overlap_25-rock-folk", "phase_angle-rock-folk", "filters_x2-rock-folk"} <= set(found)
    assert "loss_perceptual-rock-folk" not in found and "subclasses-rock-folk" not in found  # they need weights
    assert "loss_mse_mae-rock-folk" not in found  # without weights it is the run's own model
    instruments = configuration.resolve(settings, "paper", "demo", {"ablations": True})
    assert set(train.jobs(instruments)) == {"lord", "classifier", "class_encoder", "quarter"}


def test_every_divergence_changes_a_model_a_loss_or_an_index(store):
    """Each divergence alone, from `paper`, is seen by the function that it steers."""
    paper = configuration.resolve(settings, "paper", "full")
    code = {d.field: d.code for d in settings.DIVERGENCES}
    changed = {field: dataclasses.replace(paper, **{field: value}) for field, value in code.items()}
    small = dataclasses.replace(toy.CONFIG, content=code["content"])
    assert "content_embedding" in networks.build(small, store).networks
    clip = windows(dataclasses.replace(toy.CONFIG, split="clip"), store)
    assert not np.array_equal(clip.roles, windows(toy.CONFIG, store).roles)
    assert train.decay_weight(changed["content_decay"], 64) != train.decay_weight(paper, 64)
    decayed = dataclasses.replace(paper, content_decay=1e-3)
    assert train.decay_weight(dataclasses.replace(decayed, content_decay_reduction="sum"), 64) == 0.064
    assert facts.first_step_ratio(changed["table_rate"]) == pytest.approx(1, rel=1e-4)
    assert train.stopper(changed["early_stop_delta"])
    with_bank = {f: dataclasses.replace(toy.CONFIG, perceptual="random", loss=paper.loss, **{f: code[f]})
                 for f in ("loss", "loss_scale", "perceptual_size") if f != "loss"}
    image = tf.constant(np.random.default_rng(0).random((2, 2, 128, 128, 1)).astype("float32"))
    base = losses.reconstruction(dataclasses.replace(toy.CONFIG, perceptual="random", loss=paper.loss))(*image)
    for field, config in with_bank.items():
        assert not np.allclose(losses.reconstruction(config)(*image)["perceptual"], base["perceptual"]), field
    assert loss_terms(dataclasses.replace(changed["loss"], perceptual="random")) == ["perceptual"]
    stored = np.random.default_rng(1).random((1, 32, 32)).astype("float32")
    from papers.lord_transfer.data import channels

    bytes_ = channels(stored, dataclasses.replace(toy.CONFIG, quantise=True)) * 255
    np.testing.assert_allclose(bytes_, np.round(bytes_), atol=1e-4)
    assert not np.allclose(channels(stored, toy.CONFIG) * 255, bytes_, atol=1e-3)
    assert code["perceptual_layers"] == "five" and len(vgg.FIVE_LAYERS) == 5


def test_evaluate_refuses_what_is_not_trained(store, tmp_path):
    run = SimpleNamespace(model_directory=lambda name: tmp_path / name)
    with pytest.raises(training.TrainingError, match="not trained to its end"):
        evaluate.evaluate(dataclasses.replace(toy.CONFIG, data_set="folder"), store, run)


def test_a_classifier_at_chance_is_not_believed():
    def heard(accuracy, clips=40):
        classes = np.arange(clips) % 2
        right = np.arange(clips) // 2 < accuracy * clips / 2
        answers = np.eye(2)[np.where(right, classes, 1 - classes)]
        return Heard(("a", "b"), classes, classes, answers, np.stack([answers, answers]))

    assert "chance is 50%" in heard(0.6).deaf and not heard(0.7).deaf and not heard(0.6, 400).deaf
    with pytest.raises(NotTestable, match="too few recordings"):
        comparisons.listened(SimpleNamespace(heard=heard(0.5)))
    assert comparisons.listened(SimpleNamespace(heard=heard(0.9))).accuracy == 0.9
