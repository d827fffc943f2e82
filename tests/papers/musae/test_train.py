"""Training: resume equals an uninterrupted run, two replicas equal one, each phase moves its own networks."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from common import checkpoints, training
from common.noise import Step
from papers.musae import train
from tests.papers.musae.toy import ToyStore, settings

REPLICAS = {"16bar-flower": "test_train.test_two_replicas_equal_one",
            "*-gaussian": "test_train.test_two_replicas_equal_one_with_other_steps"}  # test_contract asks


def run_toy(directory, *words, killed=False):
    command = [sys.executable, "-m", "tests.papers.musae.toy", str(directory), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == (-9 if killed else 0), done.stderr[-2000:]


def weights(directory):
    with np.load(checkpoints.files(directory / "checkpoints")[-1], allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files if name != "state"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An uninterrupted run on one device."""
    directory = tmp_path_factory.mktemp("whole")
    run_toy(directory)
    return directory


def assert_equal_weights(one, two, tolerance):
    one, two = weights(one), weights(two)
    assert one.keys() == two.keys()
    flat = [np.concatenate([np.ravel(v) for n, v in w.items() if n.startswith("network/")]) for w in (one, two)]
    assert np.linalg.norm(flat[0] - flat[1]) / np.linalg.norm(flat[0]) <= tolerance


@pytest.mark.slow
def test_killed_run_goes_on_and_ends_the_same(whole, tmp_path):
    run_toy(tmp_path, "--kill", "6", killed=True)  # batches are read ahead of their steps
    assert training.outcome(tmp_path).complete is False
    run_toy(tmp_path)
    assert_equal_weights(whole, tmp_path, 0.0)
    assert training.history(whole) == training.history(tmp_path)


@pytest.mark.slow
def test_two_replicas_equal_one(whole, tmp_path):
    run_toy(tmp_path, "--replicas", "2")
    assert_equal_weights(whole, tmp_path, 1e-5)
    for a, b in zip(training.history(whole), training.history(tmp_path), strict=True):
        assert a["losses/total"] == pytest.approx(b["losses/total"], rel=1e-4)


@pytest.mark.very_slow
@pytest.mark.parametrize(
    "words", [("--sgd",), ("--follow", "code"), ("--follow", "code", "--gaussian"), ("--music-vae", "--sgd")], ids=str
)
def test_two_replicas_equal_one_with_other_steps(tmp_path, words):
    run_toy(tmp_path / "1", *words)
    run_toy(tmp_path / "2", "--replicas", "2", *words)
    assert_equal_weights(tmp_path / "1", tmp_path / "2", 1e-5)


def one_step(follow, flower=True, **changes):
    """Displacement of every network in one update at beta > 0: {name: [arrays]}, and the losses."""
    import dataclasses

    config = dataclasses.replace(settings(follow), **changes)
    keras.utils.set_random_seed(0)
    store, model = ToyStore(), train._model(2, flower)
    learner = model.build(config, store)
    stage = model.stages(config, store, 0)[0]
    before = {name: [w.numpy() for w in n.trainable_variables] for name, n in learner.networks.items()}
    batch = {name: tf.constant(value) for name, value in stage.batches.read(np.arange(10)).items()}
    step = Step(0, "train", tf.constant(7, tf.int64), tf.constant(10.0), tf.range(10), 10)
    values = stage.train_step(learner, batch, step)
    moved = {name: [w.numpy() - b for w, b in zip(n.trainable_variables, before[name], strict=True)]
             for name, n in learner.networks.items()}  # fmt: skip
    return {name: float(np.median([np.abs(d).max() for d in ds])) for name, ds in moved.items()}, values


def test_both_phases_move_their_networks_at_the_same_rate():
    moved, values = one_step("paper")
    assert all(0.009 < displacement < 0.0101 for displacement in moved.values())
    assert float(values["losses/beta"]) == pytest.approx(0.7)
    assert float(values["losses/reconstruction"]) == pytest.approx(4 * np.log(130), rel=0.05)


def test_program_moves_the_encoder_three_times_as_far():  # dossier section 5.1
    moved, _ = one_step("code")
    assert moved["encoder"] / moved["decoder"] == pytest.approx(3, rel=0.1)
    assert moved["critic"] / moved["decoder"] == pytest.approx(2, rel=0.1)


@pytest.mark.slow
def test_program_gaussian_model_has_a_style_branch():
    moved, values = one_step("code", flower=False)
    assert set(moved) == {"encoder", "decoder", "critic", "style_critic"} and "losses/style" in values
    assert moved["encoder"] / moved["critic"] == pytest.approx(3, rel=0.1)


@pytest.mark.slow
def test_reconstruction_phase_leaves_the_critic_alone_and_the_other_way_round():  # dossier A20
    frozen = {"encoder": 0.0, "decoder": 0.0, "critic": 0.0}
    real = train.adam

    def only(names):
        def adam(config, variables, times=1):
            critics = any(v.path.startswith(("fc_", "validity")) for v in variables)
            optimizer = keras.optimizers.SGD(0.1 if critics == names else 0.0)
            optimizer.build(variables)
            return optimizer

        return adam

    for critics in (True, False):
        train.adam = only(critics)
        try:
            moved, _ = one_step("paper")
        finally:
            train.adam = real
        assert (
            (moved["critic"] > 0) == critics and (moved["encoder"] > 0) != critics and (moved["decoder"] > 0) != critics
        )
    assert set(moved) == set(frozen)


def test_stages_refuse_too_few_songs():
    import dataclasses

    store = ToyStore(songs=1)
    store.arrays["artist"] = np.zeros(1, np.int32)
    config = dataclasses.replace(settings("paper"), split="artist")
    with pytest.raises(training.TrainingError, match="too few"):
        train._model(2, False).stages(config, store, 0)


def test_sixteen_bars_may_have_a_batch_size_of_their_own():
    import dataclasses

    config = dataclasses.replace(settings("paper"), batch_size_16bar=3)
    sizes = [train._model(bars, False).stages(config, ToyStore(), 0)[-1].batches.batch_size for bars in (2, 16)]
    assert sizes == [10, 3]


def test_a_run_trains_its_models_and_their_ablations():
    import dataclasses

    config = dataclasses.replace(settings("paper"), ablations=True)
    assert set(train.jobs(config)) == {*train.MODELS, *train.ABLATIONS}
    alone = dataclasses.replace(config, models=("2bar-gaussian",))
    assert [name for name in train.jobs(alone) if "@" not in name] == ["2bar-gaussian"]
    assert {name.partition("@")[0] for name in train.jobs(alone)} == {"2bar-gaussian"}
