"""Which network learns from which term, and what each divergence changes in the real step, build, split or reader."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from common import config as configuration
from papers.lord_transfer import config as settings, data, facts, losses, networks, preprocess, sound, train, vgg
from tests.papers.lord_transfer.small import (
    SMALL,
    KeepingStep,
    learner_of,
    make_store,
    one_step,
    touched,
)
from tests.papers.lord_transfer.test_preprocess import tone

ENCODER = {"content_encoder", "class_embedding", "class_modulation", "generator"}
LATENT = {"content_embedding", "class_embedding", "class_modulation", "generator"}
SECOND = {"content_encoder", "class_encoder", "class_modulation", "generator"}
FULL = {"content_encoder", "class_encoder", "class_modulation", "generator"}
BOTH_ENCODERS = {"content_encoder", "class_encoder"}


@pytest.fixture(scope="module")
def held(tmp_path_factory):
    return make_store(tmp_path_factory.mktemp("small"))


# model, settings, stage -> who gets a gradient from the image's error alone, and from the other term alone
GRADIENTS = [
    ({}, 0, ENCODER, {"content_decay": 1.0}, {"content_encoder"}),
    ({"content": "embedding"}, 0, LATENT, {"content_decay": 1.0}, {"content_embedding"}),
    ({"class_code": "encoder"}, 0, FULL, {"content_decay": 1.0}, {"content_encoder"}),
    ({"content": "embedding"}, 1, SECOND, {"second_code_weight": 1.0}, BOTH_ENCODERS),
]


@pytest.mark.parametrize(("model", "place", "by_image", "other", "by_other"), GRADIENTS)
def test_who_learns_from_which_term(held, model, place, by_image, other, by_other):
    config = dataclasses.replace(SMALL, **model, content_decay=0.0, second_code_weight=0.0)
    learner, stages = learner_of(config, held)
    _, step = one_step(learner, stages[place])
    assert touched(learner, step) == by_image
    alone = dataclasses.replace(config, loss_scale=0.0, **other)
    _, step = one_step(learner, train.MODELS["lord"].stages(alone, held, 0)[place])
    assert touched(learner, step) == by_other


def test_the_classifier_learns_alone(held):
    learner, stages = learner_of(SMALL, held, "classifier")
    found, step = one_step(learner, stages[0])
    assert touched(learner, step) == {"classifier"} and np.isfinite(found["losses/classifier"])


def test_both_code_errors_reach_their_own_encoder(held):
    """Only the class code is wrong: its encoder learns, the other does not, and the other way round."""
    config = dataclasses.replace(SMALL, content="embedding", loss_scale=0.0)
    for table, encoder in (("content_embedding", "content_encoder"), ("class_embedding", "class_encoder")):
        learner, stages = learner_of(config, held)
        other = BOTH_ENCODERS - {encoder}
        for name in other:  # an encoder that already says 0, and a table of 0: no error left
            for variable in learner.networks[name].trainable_variables[-2:]:
                variable.assign(tf.zeros_like(variable))
        for name in {"content_embedding", "class_embedding"} - {table}:
            learner.networks[name].set_weights([np.zeros_like(w) for w in learner.networks[name].get_weights()])
        _, step = one_step(learner, stages[1])
        assert touched(learner, step) == {encoder}


def test_one_step_is_the_sum_of_its_terms_with_noise_and_decay(held):
    """By NumPy: the image's errors of the generator's output on the code plus its noise, and the code's norm."""
    config = dataclasses.replace(SMALL, content_decay=0.5, content_decay_reduction="sum", noise=3.0, loss_scale=7.0)
    learner, stages = learner_of(config, held)
    batch = stages[0].batches.read(stages[0].batches.indices(0))
    code = learner.networks["content_encoder"](batch["image"]).numpy()
    parameters = learner.networks["class_modulation"](learner.networks["class_embedding"](batch["class"]))
    drawn = KeepingStep(0, stages[0].name, 0, 4, 4).normal("content", (config.content_dim,)).numpy()
    assert abs(drawn.std() - 1) < 0.5
    made = learner.networks["generator"]([tf.constant(code + 3.0 * drawn), parameters]).numpy()
    difference = made - batch["image"]
    norm = np.square(code).sum(axis=1).mean()
    wanted = 7.0 * (np.square(difference).mean() + np.abs(difference).mean()) + 0.5 * 4 * norm
    found, _ = one_step(learner, stages[0])
    assert found["losses/total"] == pytest.approx(wanted, rel=1e-5)
    assert found["losses/content_norm"] == pytest.approx(norm, rel=1e-5)


# ---- divergences -------------------------------------------------------------------------------------------------

VALUES = {d.field: (d.paper, d.code, d.sound) for d in settings.DIVERGENCES}


def with_code(field, **changes):
    return dataclasses.replace(SMALL, **{field: VALUES[field][1]}, **changes)


def with_paper(field, **changes):
    return dataclasses.replace(SMALL, **{field: VALUES[field][0]}, **changes)


def losses_of(config, held):
    learner, stages = learner_of(config, held)
    return one_step(learner, stages[0])[0]


def check_content(held, monkeypatch):
    code, paper = (networks.build(config, held) for config in (with_code("content"), with_paper("content")))
    assert set(code.networks) - set(paper.networks) == {"content_embedding", "class_encoder"}
    rows = len(data.training_windows(SMALL, held))
    assert code.networks["content_embedding"].get_weights()[0].shape == (rows, SMALL.content_dim)


def check_split(held, monkeypatch):
    def subsets(config):
        found = data.windows(config, held)
        return {held.index[row]["split"] for row in found.rows[found.of("train")]}

    assert subsets(with_paper("split")) == {"test"}
    assert subsets(with_code("split")) == {"training", "validation", "test"}
    assert subsets(dataclasses.replace(SMALL, split=VALUES["split"][2])) == {"training"}


def check_noise(held, monkeypatch):
    paper, code, better = VALUES["noise"]
    drawn = []
    for value in (paper, better):
        step = KeepingStep(0, "joint", 0, 4, 4)
        drawn.append(train.content_noise(dataclasses.replace(SMALL, noise=value), step, tf.zeros((4, 4))).numpy())
    assert paper == code > better > 0
    np.testing.assert_allclose(drawn[1] / drawn[0], better / paper, rtol=1e-5)
    assert losses_of(with_paper("noise"), held) != losses_of(dataclasses.replace(SMALL, noise=better), held)


def check_content_decay(held, monkeypatch):
    paper, code = (losses_of(make("content_decay", loss_scale=0.0), held) for make in (with_paper, with_code))
    assert paper["losses/total"] == 0
    assert code["losses/total"] == pytest.approx(1e-3 * code["losses/content_norm"], rel=1e-5)


def check_content_decay_reduction(held, monkeypatch):
    paper, code = (losses_of(make("content_decay_reduction", content_decay=1.0, loss_scale=0.0), held)["losses/total"]
                   for make in (with_paper, with_code))
    assert code == pytest.approx(SMALL.batch_size * paper, rel=1e-5) and paper > 0


def check_table_rate(held, monkeypatch):
    for make, ratio in ((with_paper, 10), (with_code, 1)):
        learner, _ = learner_of(make("table_rate"), held)
        rates = {name: float(one.learning_rate) for name, one in learner.optimizers.items()}
        assert rates["tables"] == pytest.approx(ratio * rates["networks"])
        assert facts.first_step_ratio(make("table_rate")) == pytest.approx(ratio, rel=1e-4)


def check_epochs(held, monkeypatch):
    per_epoch = len(data.training_windows(SMALL, held)) // 4 + 1
    for make, epochs in ((with_paper, 200), (with_code, 1000)):
        assert train.stages(make("epochs"), held, 0)[0].steps == epochs * per_epoch


def check_early_stop_delta(held, monkeypatch):
    assert train.stages(with_paper("early_stop_delta"), held, 0)[0].stop is None
    stop = train.stages(with_code("early_stop_delta", early_stop_patience=3), held, 0)[0].stop
    lines = [{"losses/total": value} for value in (9.0, 8.5, 8.4, 8.1)]
    assert stop(lines) and not stop(lines[:3]) and not stop([*lines[:3], {"losses/total": 7.5}])


def check_loss(held, monkeypatch):
    for make, wanted in ((with_paper, {"perceptual", "mse", "mae"}), (with_code, {"perceptual"})):
        config = dataclasses.replace(make("loss"), perceptual="random")
        assert {name.split("/")[1] for name in losses_of(config, held)} - {"total", "content_norm"} == wanted


def check_loss_scale(held, monkeypatch):
    paper, code = losses_of(with_paper("loss_scale"), held), losses_of(with_code("loss_scale"), held)
    assert code["losses/mae"] == pytest.approx(255 * paper["losses/mae"], rel=1e-5)
    assert code["losses/mse"] == pytest.approx(255 * paper["losses/mse"], rel=1e-5)


def check_perceptual_layers(held, monkeypatch):
    asked = []

    def read(path, layers):
        asked.append((path, layers))
        return vgg.random_first_layer(), "made up"

    monkeypatch.setattr(vgg, "read", read)
    for make in (with_paper, with_code):
        losses._features.cache_clear()
        losses.reconstruction(make("perceptual_layers", vgg_weights="w.npz", loss="perceptual"))
    losses._features.cache_clear()
    assert asked == [("w.npz", "first"), ("w.npz", "five")]


def check_perceptual_size(held, monkeypatch):
    seen = []
    bank = vgg.random_first_layer()

    def features(image):
        seen.append(tuple(image.shape[1:3]))
        return bank(image)

    monkeypatch.setattr(losses, "_features", lambda state, weights, layers: features)
    for make in (with_paper, with_code):
        losses_of(make("perceptual_size", perceptual="random", loss="perceptual"), held)
    assert seen == [(16, 16), (16, 16), (64, 64), (64, 64)]


def check_perceptual(held, monkeypatch):
    wanted = [{"mse", "mae"}, {"mse", "mae"}, {"multiscale", "mse", "mae"}]
    for value, terms in zip(VALUES["perceptual"], wanted, strict=True):
        config = dataclasses.replace(SMALL, loss="perceptual+mse+mae", perceptual=value)
        assert {name.split("/")[1] for name in losses_of(config, held)} - {"total", "content_norm"} == terms


def check_centre(held, monkeypatch):
    """What every training image shares and how much they vary no longer reach the encoder: by hand."""
    paper, better = (learner_of(make, held)[0].networks["content_encoder"] for make in (
        with_paper("centre"), dataclasses.replace(SMALL, centre=VALUES["centre"][2])))
    found = data.training_windows(SMALL, held)
    images = data.Reader(SMALL, held).read(found, range(len(found)))
    mean = images.mean(axis=(0, 2))[None, :, None]
    assert mean.shape == (1, SMALL.bands, 1, 1)
    np.testing.assert_allclose(better(images), paper((images - mean) / (images - mean).std()), rtol=1e-3, atol=1e-5)
    full = learner_of(dataclasses.replace(SMALL, centre=True, class_code="encoder"), held)[0].networks["class_encoder"]
    assert not np.allclose(full(images), full(images + 1.0))
    assert full.name == "class_encoder" and full.count_params() == better.count_params()


def check_shift(held, monkeypatch):
    """The image that is encoded is the one that is asked for: begun elsewhere by step and row, and nothing else."""
    asked = []
    monkeypatch.setattr(train.losses, "reconstruction", watched_loss(asked))
    for value in VALUES["shift"]:
        encoded = []
        learner, stages = learner_of(dataclasses.replace(SMALL, shift=value), held)
        network = learner.networks["content_encoder"]
        learner.networks["content_encoder"] = Watched(network, encoded)
        one_step(learner, stages[0])
        batch = stages[0].batches.read(stages[0].batches.indices(0))["image"]
        np.testing.assert_array_equal(encoded[0], asked[-1])
        assert np.array_equal(asked[-1], batch) == (not value)
        np.testing.assert_array_equal(np.sort(asked[-1], axis=2), np.sort(batch, axis=2))


def check_transpose(held, monkeypatch):
    """A draw of zero semitones leaves an image as it was, another moves it, for the encoder and for the loss."""
    values = [dataclasses.replace(SMALL, transpose=value) for value in VALUES["transpose"]]
    assert losses_of(values[0], held) == losses_of(values[1], held) != losses_of(values[2], held)


def check_filtered(held, monkeypatch):
    """The encoder is given another spectrum, the loss asks for the clip's own."""
    asked = []
    monkeypatch.setattr(train.losses, "reconstruction", watched_loss(asked))
    for value in VALUES["filtered"]:
        encoded = []
        learner, stages = learner_of(dataclasses.replace(SMALL, filtered=value), held)
        learner.networks["content_encoder"] = Watched(learner.networks["content_encoder"], encoded)
        one_step(learner, stages[0])
        np.testing.assert_array_equal(asked[-1], stages[0].batches.read(stages[0].batches.indices(0))["image"])
        moved = encoded[0] - asked[-1]
        assert (np.abs(moved).max() > 0.05) == bool(value)
        if value:  # one gain a band: whatever is not clipped moves alike over time
            inside = (encoded[0] > 0) & (encoded[0] < 1)
            spread = [np.ptp(row[kept]) for row, kept in zip(moved.reshape(-1, SMALL.frames), inside.reshape(
                -1, SMALL.frames), strict=True) if kept.any()]
            assert max(spread) < 1e-5


def check_quantise(held, monkeypatch):
    for make, rounded in ((with_paper, False), (with_code, True)):
        stage = train.stages(make("quantise"), held, 0)[0]
        values = stage.batches.read(stage.batches.indices(0))["image"] * 255
        assert np.allclose(values, np.round(values), atol=1e-3) == rounded


def watched_loss(kept):
    """The loss factory of mean absolute error that keeps the images it is asked for."""
    def made(config):
        def compute(image, generated):
            kept.append(np.array(image))
            return {"mae": losses.mean_absolute_error(image, generated)}
        return compute
    return made


class Watched:
    """A network that keeps what it is given."""

    def __init__(self, network, kept):
        self.network, self.kept = network, kept

    def __call__(self, image, training=False):
        self.kept.append(np.array(image))
        return self.network(image, training=training)

    @property
    def trainable_variables(self):
        return self.network.trainable_variables


def check_inversion(held, monkeypatch):
    config = dataclasses.replace(SMALL, bands=128, frames=128)
    clip = preprocess.spectrogram(tone(), config)
    changed = [dataclasses.replace(config, inversion=value) for value in VALUES["inversion"]]
    paper, code, better = (sound.log_spectral_distance(sound.to_audio(*clip, one), *clip, one) for one in changed)
    assert paper == code > better


CHECKS = {d.field: globals()[f"check_{d.field}"] for d in settings.DIVERGENCES}


@pytest.mark.slow
@pytest.mark.parametrize("field", CHECKS)
def test_each_divergence_does_what_it_says(held, monkeypatch, field):
    CHECKS[field](held, monkeypatch)


def test_the_programs_resize_decimates():
    ramp = tf.reshape(tf.range(16, dtype=tf.float32), (1, 4, 4, 1))
    np.testing.assert_array_equal(losses.decimated(ramp, 2)[0, ..., 0], [[0, 2], [8, 10]])
    noise = np.random.default_rng(0).random((2, 32, 32, 1)).astype("float32")
    assert np.var(losses.decimated(noise, 16)) > 0.9 * np.var(noise)  # averaging would leave a quarter


def test_resolved_modes_are_the_table():
    for follow, place in (("paper", 0), ("code", 1), ("sound", 2)):
        config = configuration.resolve(settings, follow, "full")
        assert all(getattr(config, field) == values[place] for field, values in VALUES.items())


def test_validation_is_measured_on_clips_to_choose_by(held):
    learner, stages = learner_of(SMALL, held)
    found = data.windows(SMALL, held)
    shown = found.take(found.of("choose"))
    images = data.Reader(SMALL, held).read(shown, range(len(shown)))
    network = learner.networks
    made = network["generator"]([network["content_encoder"](images),
                                 network["class_modulation"](network["class_embedding"](shown.classes))]).numpy()
    got = stages[0].validate(learner)
    assert got["choose/error"] == pytest.approx(np.abs(made - images).mean(), rel=1e-5)
    blind = np.abs(data.mean_images(SMALL, held)[shown.classes] - images).mean()
    assert got["choose/of_class_mean"] == pytest.approx(got["choose/error"] / blind, rel=1e-5)
    assert train.stages(dataclasses.replace(SMALL, content="embedding"), held, 0)[0].validate is None
