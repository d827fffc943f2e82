"""Each divergence changes a network, a loss, a number of steps, an index or a result, in the direction it says."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from common import noise
from papers.fma_interpolation import (
    classifiers,
    config as settings,
    data,
    findings_genres as genres,
    inference,
    preprocess,
    train,
)
from papers.fma_interpolation.measured import Measured
from tests.papers.fma_interpolation.made import Made, configured
from tests.papers.fma_interpolation.test_findings import HALF, WRONG, best_at, classical, fits

CHECKS = {}


def check(field):
    return lambda function: CHECKS.setdefault(field, function)


def differing(field):
    """Two small configurations that differ in one field: (value of the paper, the other value)."""
    divergence = next(d for d in settings.DIVERGENCES if d.field == field)
    other = next(v for v in (divergence.code, divergence.sound) if v != divergence.paper)
    base = configured("paper")
    return (dataclasses.replace(base, **{field: divergence.paper}), dataclasses.replace(base, **{field: other}))


def one_step(name, config):
    """The losses of the first step of a model, and its learner."""
    store = Made()
    keras.utils.set_random_seed(0)
    learner, stage = train.MODELS[name].build(config, store), train.MODELS[name].stages(config, store, 0)[0]
    batch = {key: tf.constant(value) for key, value in stage.batches.read(np.arange(stage.batches.batch_size)).items()}
    rows = len(batch["image"])
    step = noise.Step(0, "train", tf.constant(0, tf.int64), tf.constant(rows, tf.float32), tf.range(rows), rows)
    with noise.step_scope(step):
        return {key: float(value) for key, value in stage.train_step(learner, batch, step).items()}, learner


def rate(name, config):
    return float(train.MODELS[name].build(config, Made()).optimizers["adam"].learning_rate.numpy())


@check("storage")
def storage(paper, other):
    assert (paper.storage, other.storage) == ("float32", "half") and "storage" in preprocess.RECIPE
    assert preprocess._bytes_needed(_corpus(), paper) > 2 * preprocess._bytes_needed(_corpus(), other)


def _corpus():
    from types import SimpleNamespace

    return SimpleNamespace(items=[SimpleNamespace(path="not there")] * 10)  # 30 s each, as FMA's


@check("resampler")
def resampler(paper, other, tmp_path):
    import soundfile

    tone = np.sin(np.arange(44100) * 2 * np.pi * 15_900 / 44100)  # at the edge of what 32,768 Hz hold
    soundfile.write(tmp_path / "tone.wav", 0.5 * tone, 44100)
    high, low = (preprocess.load_clip(tmp_path / "tone.wav", config) for config in (paper, other))
    assert np.abs(high - low)[4096:-4096].max() > 1e-3 and "resampler" in preprocess.RECIPE


@check("divergence")
def divergence(paper, other):
    first, second = (one_step("autoencoder-baseline", config)[0] for config in (paper, other))
    assert first["losses/reconstruction"] == pytest.approx(second["losses/reconstruction"])
    assert first["losses/divergence"] >= 0 and first["losses/divergence"] != second["losses/divergence"]


@check("conv2d_latent")
def conv2d_latent(paper, other):
    sizes = [train.MODELS["autoencoder-conv2d"].build(config, Made()).networks["decoder"].input_shape[-1]
             for config in (paper, other)]
    assert sizes == [4096, 256]


@check("overfit_network")
def overfit_network(paper, other):
    layers = [[layer.output.shape[-1] for layer in
               train.MODELS["overfit-swapped"].build(config, Made()).networks["encoder"].layers] for config in
              (paper, other)]
    assert 16 not in layers[0] and 16 in layers[1]


@check("cross_entropy_rate")
def cross_entropy_rate(paper, other):
    builders = {train.MODELS[f"overfit-{loss}"].build for loss in train.OVERFIT[1:]}
    assert builders == {train.learners.build_overfit_cross_entropy}
    assert [rate("overfit-swapped", config) for config in (paper, other)] == pytest.approx([1e-4, 1e-3])
    assert rate("overfit-squared_error", paper) == pytest.approx(1e-3)


@check("conv1d_rate")
def conv1d_rate(paper, other):
    assert [rate("autoencoder-conv1d", config) for config in (paper, other)] == pytest.approx([1e-5, 1e-4])


@check("conv1d_epochs")
def conv1d_epochs(paper, other):
    steps = [train.MODELS["autoencoder-conv1d"].stages(config, Made(), 0)[0].steps for config in (paper, other)]
    assert steps[0] / steps[1] == 50 / 13


@check("second_draw")
def second_draw(paper, other):
    sampled = [dataclasses.replace(config, divergence="sampled") for config in (paper, other)]
    kinds = {name: kind.second_draw for name, kind in train.AUTOENCODERS.items()}
    assert kinds == {"baseline": False, "conv2d": False, "inception": False, "conv1d": True}
    for name, changes in (("overfit-squared_error", True), ("autoencoder-baseline", False)):
        first, second = (one_step(name, config)[0] for config in sampled)
        assert first["losses/reconstruction"] == pytest.approx(second["losses/reconstruction"])
        assert (first["losses/divergence"] != second["losses/divergence"]) == changes


@check("reduce_rate")
def reduce_rate(paper, other):
    for config, reduced in ((paper, False), (other, True)):
        entry = train.MODELS["autoencoder-conv1d"]
        learner, stage = entry.build(config, Made()), entry.stages(config, Made(), 0)[0]
        before = float(learner.optimizers["adam"].learning_rate.numpy())
        waits = []
        for _ in range(3):  # the first validation is the best; the third is the second without gain
            stage.validate(learner)
            waits.append(float(learner.optimizers["adam"].learning_rate.numpy()) / before)
        assert waits == pytest.approx([1, 1, 0.1 if reduced else 1])


@check("validation_code")
def validation_code(paper, other):
    found = []
    for config in (paper, other):
        _, learner = one_step("autoencoder-baseline", config)
        stage = train.MODELS["autoencoder-baseline"].stages(config, Made(), 0)[0]
        found.append([stage.validate(learner)["validation/reconstruction"] for _ in range(2)])
        assert found[-1][0] == found[-1][1]  # the draw is a function of seed and step
    assert found[0][0] != found[1][0]


@check("interpolate")
def interpolate(paper, other):
    ends = [(np.full((1, 2), k, np.float32), np.zeros((1, 2), np.float32)) for k in (1.0, 3.0)]
    draws = np.ones((1, 3, 2), np.float32)
    codes = {how: inference.path_codes(*ends, inference.fractions(3), how, draws)[0, :, 0] for how in inference.WAYS}
    np.testing.assert_allclose(codes[paper.interpolate], [1, 2, 3])
    np.testing.assert_allclose(codes[other.interpolate], [2, 3, 4])
    assert other.interpolate == "parameters"
    wide = [(mean, np.full((1, 2), np.log(4.0 * k * k), np.float32)) for (mean, _), k in zip(ends, (1, 2), strict=True)]
    middle = {how: inference.path_codes(*wide, inference.fractions(3), how, draws)[0, 1, 0] for how in inference.WAYS}
    # deviations 2 and 4: drawn ends are 3 and 7, their middle 5; the middle of the log-variances has sqrt(8)
    assert middle == pytest.approx({"mean": 2, "parameters": 2 + np.sqrt(8), "sample": 5}, rel=1e-5)


@check("end_points")
def end_points(paper, other):
    from papers.fma_interpolation.measures import with_ends

    path = np.zeros((1, 3, 2, 2))
    shown = with_ends(path, np.ones((1, 2, 2)), np.full((1, 2, 2), 2.0))
    assert shown[0, :, 0, 0].tolist() == [1, 0, 2] and not path.any()
    assert (paper.end_points, other.end_points) == ("decoded", "original")


def _protocols(field, names):
    paper, other = differing(field)
    found = {"contiguous": best_at(2, WRONG), "leaky": best_at(2, HALF), "official": best_at(2, HALF)}
    shown = dataclasses.replace(classical(best_at(2, WRONG)), fits=found)
    for name in names:
        assert genres.report_of(Measured(paper, classical=shown), name)["accuracy"] == 0
        assert genres.report_of(Measured(other, classical=shown), name)["accuracy"] > 0.5
    return paper, other, shown


@check("classical_protocol")
def classical_protocol(*_):
    *_, other, shown = _protocols("classical_protocol", ("DT", "LR", "KNN", "GNB"))
    assert genres.report_of(Measured(other, classical=shown), "SVM")["accuracy"] == 0


@check("svm_protocol")
def svm_protocol(*_):
    *_, other, shown = _protocols("svm_protocol", ("SVM",))
    assert genres.report_of(Measured(other, classical=shown), "LR")["accuracy"] == 0


@check("deep_protocol")
def deep_protocol(paper, other):
    store = Made()
    rows = [data.parts(config, store, 0, 0) for config in (paper, other)]
    assert [len(split["test"]) for split in rows] == [0, 4]
    assert rows[0]["train"].tolist() == list(range(12)) and rows[1]["train"].tolist() == list(range(8))


@check("select_on")
def select_on(paper, other):
    labels = np.array([0, 1, 0, 1, 0, 1])
    split = {"validation": np.array([2, 3]), "test": np.array([4, 5])}
    good, bad = np.array([0, 1]), np.array([1, 0])
    fitted = classifiers.Fitted((1, 2), [good, bad], [bad, good])
    assert classifiers.pick(fitted, split, labels, paper.select_on)[0] == 1
    assert classifiers.pick(fitted, split, labels, other.select_on)[0] == 0


@check("mixture_scoring")
def mixture_scoring(paper, other):
    shown = classical(best_at(0, WRONG) | fits({"GMMC": [HALF]}))
    assert genres.report_of(Measured(paper, classical=shown), "GMM0")["accuracy"] == 0
    assert genres.report_of(Measured(other, classical=shown), "GMM0")["accuracy"] == pytest.approx(11 / 18)


@check("rnn_axis")
def rnn_axis(paper, other):
    changed = [dataclasses.replace(config, frames=48) for config in (paper, other)]
    steps = [next(layer.output.shape[1] for layer in train.MODELS["rnn"].build(config, Made())
                  .networks["classifier"].layers if layer.name.startswith("lstm")) for config in changed]
    assert steps == [32, 48]


def test_every_divergence_is_checked():
    assert set(CHECKS) == {d.field for d in settings.DIVERGENCES}


@pytest.mark.slow
@pytest.mark.parametrize("field", sorted(CHECKS))
def test_a_divergence_changes_what_it_says(field, tmp_path):
    arguments = differing(field)
    CHECKS[field](*arguments, tmp_path) if field == "resampler" else CHECKS[field](*arguments)


def test_the_baseline_is_trained_by_the_loss_that_its_settings_name():
    logits, squares = (one_step("autoencoder-baseline", dataclasses.replace(configured("paper"), baseline_loss=loss))[0]
                       for loss in ("cross_entropy", "squared_error"))
    assert logits["losses/reconstruction"] > 0.6 * 32 * 32 > squares["losses/reconstruction"]
    assert train.loss_of("conv2d", configured("paper")) == "squared_error"
    assert logits["metrics/squared_error"] == pytest.approx(  # of the sigmoid, near 1/2 before anything is learnt
        np.square(Made().pixels[:4] - 0.5).mean(), rel=0.1)
