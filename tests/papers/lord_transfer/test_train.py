"""Steps, schedules, optimizers, resume and replicas (dossier section 8: T11, T26-T28, T31)."""

import dataclasses
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from common import config as configuration, training
from papers.lord_transfer import (
    config as settings,
    evaluate,
    losses,
    networks,
    train,
    trained as using,
    vgg,
)
from papers.lord_transfer.config import loss_terms, perceptual_state
from papers.lord_transfer.data import Reader, windows
from tests.common import replicas
from tests.papers.lord_transfer import toy

REPLICAS = {"lord": "test_train.test_two_replicas_match_one",  # test_contract asks
            "classifier": "test_train.test_two_replicas_match_one"}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return toy.make_store(tmp_path_factory.mktemp("toy"))


def test_noise_is_standard_and_only_in_training():
    from common.noise import Step

    config = dataclasses.replace(toy.CONFIG, content_dim=1000)
    step = Step(0, "joint", tf.constant(3, tf.int64), tf.constant(100.0), tf.range(100, dtype=tf.int64), 100)
    drawn = train.content_noise(config, step, tf.zeros((100, 1000))).numpy()
    assert abs(drawn.std() - 1) < 0.02 and abs(drawn.mean()) < 0.02


def test_early_stopping_of_the_program_ends_after_101_epochs():
    stop = train.stopper(configuration.resolve(settings, "code", "full"))
    lines = [{"losses/total": 0.5 / (1 + i)} for i in range(200)]
    assert [stop(lines[:n]) for n in (100, 101)] == [False, True]
    falling = [{"losses/total": 1000.0 - 2 * i} for i in range(200)]
    assert not any(stop(falling[:n]) for n in range(1, 200))
    assert train.stopper(configuration.resolve(settings, "paper", "full")) is None


def second_rates(losses, **changes):
    """[(rate after the epoch, whether the stage ends)] of the second stage's rules, fed with its epochs' losses."""
    plateau = train.Plateau(dataclasses.replace(configuration.resolve(settings, "code", "full"), **changes))
    adam = keras.optimizers.Adam(plateau.config.second_learning_rate)
    assert plateau.validate(training.Learner({}, {"second": adam})) == {"second/rate": pytest.approx(1e-4)}
    lines, found = [], []
    for loss in losses:
        lines.append({"losses/total": loss})
        ended = plateau.stop(lines)
        found.append((float(adam.learning_rate) / 1e-4, ended))
    return found


def test_the_second_stage_halves_its_rate_on_a_plateau_and_ends_as_the_program_does():
    flat = second_rates([5.0] * 41)
    assert [number for number, (rate, _) in enumerate(flat) if rate < 0.75] == list(range(20, 41))
    assert [rate for rate, _ in flat[19:21]] == pytest.approx([1, 0.5]) and flat[40][0] == pytest.approx(0.25)
    assert [ended for _, ended in flat] == [False] * 40 + [True]
    one = second_rates([5.0] * 20 + [4.5] + [3.9] * 20)  # 4.5 is no gain of 1 on 5, 3.9 is, and is waited on anew
    assert one[20][0] == pytest.approx(0.5) and one[40][0] == pytest.approx(0.5) and not one[40][1]
    falling = second_rates([100 - 1.5 * i for i in range(60)])
    assert {round(rate, 6) for rate, _ in falling} == {1.0} and not any(ended for _, ended in falling)
    assert second_rates([5.0] * 4, second_plateau_patience=2, second_early_stop_patience=3)[2:] == [
        (pytest.approx(0.5), False), (pytest.approx(0.5), True)]


def test_only_the_program_has_rules_for_the_second_stage(store):
    for delta, ruled in ((1.0, True), (0.0, False)):
        config = dataclasses.replace(toy.CONFIG, content="embedding", early_stop_delta=delta)
        second = train.stages(config, store, 0)[1]
        assert (second.stop is not None, second.validate is not None) == (ruled, ruled)


@pytest.mark.slow
def test_a_second_stage_that_is_cut_after_its_rate_was_halved_goes_on_as_one_that_was_not(store, tmp_path):
    config = dataclasses.replace(toy.CONFIG, epochs=1, content="embedding", second_epochs=6, early_stop_delta=1e9,
                                 second_plateau_patience=2, second_early_stop_patience=5)

    def stages(cut):
        def made(config, store, seed):
            first, second = train.stages(config, store, seed)
            reads = []

            def read(positions):
                reads.append(1)
                if cut and len(reads) > cut:
                    raise RuntimeError("power cut")
                return second.batches.read(positions)

            return [first, dataclasses.replace(second, batches=dataclasses.replace(second.batches, read=read))]

        return made

    def run(directory, cut=0):
        return training.train("lord", training.Model(networks.build, stages(cut)), config, store, directory, 5,
                              checkpoint_seconds=0)

    per_epoch = train.stages(config, store, 5)[1].batches.steps_per_epoch
    run(tmp_path / "whole")
    with pytest.raises(RuntimeError, match="power cut"):
        run(tmp_path / "cut", 4 * per_epoch + 1)
    run(tmp_path / "cut")
    lines = [training.history(tmp_path / name) for name in ("whole", "cut")]
    assert lines[0] == lines[1]
    rates = [line["second/rate"] for line in lines[0] if line["stage"] == "encoders"]
    assert rates == pytest.approx([1e-4, 1e-4, 1e-4, 5e-5, 5e-5, 2.5e-5]) and len(rates) == 6
    wanted, got = (np.load(sorted((tmp_path / name / "checkpoints").glob("*.npz"))[-1]) for name in ("whole", "cut"))
    for name in wanted.files:
        np.testing.assert_array_equal(wanted[name], got[name], err_msg=name)


def test_perceptual_is_off_without_weights_and_says_so():
    config = configuration.resolve(settings, "paper", "full")
    assert perceptual_state(config) == "off" and loss_terms(config) == ["mse", "mae"]
    assert losses.perceptual_words(config).startswith("off")
    code = configuration.resolve(settings, "code", "full")
    assert loss_terms(code) == ["mse", "mae"]  # the stand-in for a loss that is perceptual alone
    random = dataclasses.replace(config, perceptual="random")
    assert perceptual_state(random) == "random" and loss_terms(random)[0] == "perceptual"
    sound = configuration.resolve(settings, "sound", "full")
    assert perceptual_state(sound) == "multiscale" and loss_terms(sound) == ["multiscale", "mse", "mae"]
    assert "stands in" in losses.perceptual_words(sound)
    given = dataclasses.replace(sound, vgg_weights="weights")
    assert perceptual_state(given) == "imagenet" and loss_terms(given) == ["perceptual", "mse", "mae"]


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


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{}, {"content": "embedding", "second_epochs": 1},
                                     {"class_code": "encoder", "subclasses": 2, "perceptual": "random"}])
def test_stopped_and_resumed_equals_uninterrupted(store, tmp_path, changes, eagerly):
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


@pytest.mark.slow
def test_two_replicas_match_one(tmp_path):
    """Same global batch, last batches smaller; noise, the decay's sum over the batch, both stages; the listener.

    With SGD, whose moves are the gradients, every variable is equal to rounding: Adam divides each gradient by its own
    size, so that one counted twice would not be noticed.
    """
    found = replicas.differences("tests.papers.lord_transfer.test_train", tmp_path)
    assert found.keys() == {"encoder", "embedding", "classifier"}
    assert max(found.values()) < 1e-5, found
    for case in ("encoder", "embedding"):
        one, two = (np.load(sorted((tmp_path / f"{case}-{count}" / "checkpoints").glob("*.npz"))[-1])
                    for count in (1, 2))
        for name in (name for name in one.files if name.startswith("network/")):  # small ones, which the whole hides
            gap = np.linalg.norm(two[name] - one[name])
            assert gap <= 1e-5 * np.linalg.norm(one[name]) + 1e-7, (case, name)


def replicated():
    """For `tests.common.replicas`, in a process of its own: SGD in the place of Adam but for the listener."""
    import tempfile
    from pathlib import Path

    store = toy.make_store(Path(tempfile.mkdtemp()), 70)
    config = dataclasses.replace(toy.CONFIG, epochs=2, batch_size=10, second_epochs=1, second_code_weight=1.0,
                                 content_decay=1e-3, content_decay_reduction="sum", table_rate=10.0)

    def build(config, store):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(networks, "adam", lambda config, rate, steps: keras.optimizers.SGD(0.1 * rate))
            patch.setattr(keras.optimizers, "Adam", lambda *rate, **words: keras.optimizers.SGD(0.01))  # second stage
            return networks.build(config, store)

    lord = training.Model(build, train.stages)
    return {content: (lord, dataclasses.replace(config, content=content), store) for content in (
        "encoder", "embedding")} | {
        "classifier": (train.MODELS["classifier"], dataclasses.replace(toy.CONFIG, batch_size=10), store)}


def toy_transfers(store, directory):
    """(classes, transfers) of the toy's held-out clips after training, and the history."""
    training.train("lord", train.MODELS["lord"], toy.CONFIG, store, directory, 0)
    learner = training.load(train.MODELS["lord"], toy.CONFIG, store, directory)
    found, reader = windows(toy.CONFIG, store), Reader(toy.CONFIG, store)
    test = found.take(found.of("test"))
    trained = using.Trained(toy.CONFIG, learner, None, reader, found.take(found.of("train")), None, test)
    return test.classes, using.all_transfers(trained, trained.test_images()), training.history(directory)


@pytest.mark.slow
def test_toy_transfer_gives_and_takes_the_stripes_and_its_twin_does_neither(store, tmp_path):
    classes, transfers, history = toy_transfers(store, tmp_path / "toy")
    identity = toy.stripe_contrast(transfers[1][classes == 1])
    assert identity > 0.04
    assert toy.stripe_contrast(transfers[1][classes == 0]) == pytest.approx(identity, rel=0.2)
    striped = np.stack([[toy.stripe_contrast(clip[None]) > identity / 2 for clip in found] for found in transfers])
    assert striped[1].mean() > 0.9 and striped[0].mean() < 0.1
    assert history[-1]["losses/total"] < 0.6 * history[0]["losses/total"]
    _, twins, _ = toy_transfers(toy.make_store(tmp_path / "shuffled", shuffled=True), tmp_path / "twin")
    contrast = [toy.stripe_contrast(found) for found in twins]
    assert abs(contrast[1] - contrast[0]) < 0.2 * identity  # the class says nothing of stripes, so it gives none


def test_jobs_are_the_papers_comparisons():
    genre = configuration.resolve(settings, "paper", "demo", {"data_set": "fma_medium"})
    assert set(train.jobs(genre)) == {"lord-rock-folk", "classifier-rock-folk"}
    found = train.jobs(dataclasses.replace(genre, ablations=True))
    assert {"overlap_25-rock-folk", "phase_angle-rock-folk", "filters_x2-rock-folk"} <= set(found)
    assert "loss_perceptual-rock-folk" not in found and "subclasses-rock-folk" not in found  # they need weights
    assert "loss_mse_mae-rock-folk" not in found  # without weights it is the run's own model
    instruments = configuration.resolve(settings, "paper", "demo", {"ablations": True})
    assert set(train.jobs(instruments)) == {"lord", "classifier", "class_encoder", "quarter"}


def test_evaluate_refuses_what_is_not_trained(store, tmp_path):
    run = SimpleNamespace(model_directory=lambda name: tmp_path / name)
    with pytest.raises(training.TrainingError, match="not trained to its end"):
        evaluate.evaluate(dataclasses.replace(toy.CONFIG, data_set="folder"), store, run)
