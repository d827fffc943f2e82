"""Controls and ears worked out by hand: pictures and filters of small clips, weights, losses and cepstra."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from common.noise import Step
from papers.lord_transfer import clusters, controls, data, listener
from tests.papers.lord_transfer.small import SMALL, learner_of, make_store


@pytest.fixture(scope="module")
def held(tmp_path_factory):
    return make_store(tmp_path_factory.mktemp("small"))


def test_controls_by_hand():
    """Clips of one band and two frames; spectra of the classes 0.3 and 0.775, of the two sources 0.3 and 0.5."""
    images = np.array([[0.1, 0.5], [0.9, 0.1]])[:, None, :, None]
    shown = np.array([[0.0, 0.2], [0.3, 0.2], [0.9, 0.2], [0.5, 0.8], [0.7, 0.9], [0.75, 1.0]])[:, None, :, None]
    found = controls.answers(images, shown, np.array([0, 0, 0, 1, 1, 1]), 2)
    expected = {  # [class][source]
        "mean picture": [[[0.4, 0.2]] * 2, [[0.65, 0.9]] * 2],
        "median picture": [[[0.3, 0.2]] * 2, [[0.7, 0.9]] * 2],
        "one real clip": [[[0.3, 0.2]] * 2, [[0.7, 0.9]] * 2],  # the clip next to the median
        "untransferred": [[[0.1, 0.5], [0.9, 0.1]]] * 2,
        "static filter": [[[0.1, 0.5], [0.7, 0.0]], [[0.575, 0.975], [1.0, 0.375]]],  # what leaves [0, 1] is cut
        controls.STEADY: [[[0.3, 0.3], [0.4, 0.4]], [[0.5375, 0.5375], [0.6375, 0.6375]]],
    }
    for name, answer in expected.items():
        np.testing.assert_allclose(found[name][:, :, 0, :, 0], answer, atol=1e-12, err_msg=name)


def test_classes_weigh_equally_for_the_ear(held, monkeypatch):
    """A class with fewer clips weighs as much as the others, and the weights are 1 on average."""
    found = data.windows(SMALL, held)
    ear = found.of("ear")
    fewer = found.take(np.setdiff1d(np.arange(len(found)), ear[found.classes[ear] == 0][1:]))
    monkeypatch.setattr(listener, "windows", lambda config, store: fewer)
    (stage,) = listener.stages(SMALL, held, 0)
    batch = stage.batches.read(np.arange(len(fewer.of("ear"))))
    clips = np.bincount(batch["class"])
    assert clips[0] == 1 < clips[1] == clips[2]
    np.testing.assert_allclose(np.bincount(batch["class"], weights=batch["weight"]), clips.sum() / 3, rtol=1e-6)
    assert stage.batches.batch_size == SMALL.batch_size
    assert stage.steps == SMALL.classifier_epochs * stage.batches.steps_per_epoch == stage.log_every


class Given(Step):
    """A step with given draws: the level added, whether the image is blurred, no grain."""

    def __init__(self, level, blurred):
        super().__init__(0, "given", tf.constant(0, tf.int64), tf.constant(4.0), tf.range(4), 4)
        self.draws = {"level": level, "blur": 0.6 if blurred else 0.4}

    def uniform(self, name, shape=(), low=0.0, high=1.0):
        assert low <= self.draws[name] <= high
        return tf.fill((4, *shape), self.draws[name])

    def normal(self, name, shape=(), mean=0.0, stddev=1.0):
        return tf.zeros((4, *shape))


@pytest.mark.parametrize(("level", "blurred"), [(0.0, False), (0.1, False), (0.0, True)])
def test_the_ears_loss_by_hand(held, level, blurred):
    """Weighted cross-entropy of the image with its level moved, or averaged over three by three, and cut at 1."""
    learner, _ = learner_of(SMALL, held, "classifier")
    image = np.random.default_rng(0).random((4, 16, 16, 1)).astype("float32")
    batch = {"image": tf.constant(image), "class": tf.constant([0, 1, 2, 1]),
             "weight": tf.constant([1.0, 0.5, 2.0, 0.0])}
    heard = np.clip(image + level, 0, 1)
    if blurred:
        padded, ones = (np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))) for x in (image, np.ones_like(image)))
        total, count = (sum(x[:, i:i + 16, j:j + 16] for i in range(3) for j in range(3)) for x in (padded, ones))
        heard = total / count
    logits = learner.networks["classifier"](heard).numpy().astype(float)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    right = shares[np.arange(4), [0, 1, 2, 1]]
    found = listener.train_step(learner, batch, Given(level, blurred))
    assert float(found["losses/classifier"]) == pytest.approx(np.mean([1, 0.5, 2, 0] * -np.log(right)), rel=1e-4)
    assert float(found["metrics/accuracy"]) == np.mean(logits.argmax(axis=1) == [0, 1, 2, 1])


def test_cepstra_by_hand():
    """Flat frames of 0.2 and 0.6 over 32 bands: all in the first coefficient; one loud band is its own centroid."""
    images = np.zeros((2, 32, 2, 1))
    images[0, :, 0], images[0, :, 1] = 0.2, 0.6
    images[1, 3, 0], images[1, 5, 1] = 1.0, 1.0
    found = listener.cepstra(images)
    mean, deviation = found[:, :21], found[:, 21:]
    np.testing.assert_allclose(mean[0], [0.4 * np.sqrt(32), *[0] * 19, 15.5], atol=1e-9)
    np.testing.assert_allclose(deviation[0], [0.2 * np.sqrt(32), *[0] * 20], atol=1e-9)
    assert mean[1, 20] == 4 and deviation[1, 20] == 1
    assert mean[1, 0] == pytest.approx(1 / np.sqrt(32))


def test_what_is_heard_are_shares_of_the_amplitude(held):
    """In batches too: more clips than one batch, and channels that are no amplitude change nothing."""
    learner, _ = learner_of(SMALL, held, "classifier")
    ear = listener.ear(learner)
    images = np.random.default_rng(0).random((listener.BATCH + 6, 16, 16, 2)).astype("float32")
    shares, features = listener.listen(ear, images)
    logits = learner.networks["classifier"](images[..., :1]).numpy()
    np.testing.assert_allclose(shares, tf.nn.softmax(logits), atol=1e-6)
    kernel, bias = learner.networks["classifier"].layers[-1].get_weights()
    np.testing.assert_allclose(features @ kernel + bias, logits, atol=1e-4)


def test_features_of_sub_classes_are_means_over_time_in_sixteen_bands():
    """A network that gives back its input: pairs of 32 bands, in VGG's scale, for more images than one batch."""
    images = np.random.default_rng(0).random((40, 32, 5, 1)).astype("float32")
    found = clusters.features(lambda x: x, images)
    by_band = 255 * images[..., 0].mean(axis=2).reshape(40, 16, 2).mean(axis=2)
    wanted = by_band[:, :, None] - [103.939, 116.779, 123.68]
    np.testing.assert_allclose(found, wanted.reshape(40, -1), rtol=1e-4, atol=1e-3)


def test_sub_classes_follow_what_is_to_be_seen():
    """Dark and bright clips of each class become its two sub-classes, numbered within the class."""
    order, bright = np.arange(12), np.arange(12) % 2
    found = data.Windows(order, 0 * order, np.repeat([0, 1], 6), np.full(12, "train"), ("a", "b"), "")

    def read(found, positions):
        noise = np.random.default_rng(0).random((len(positions), 32, 8, 1))
        return (0.05 * noise + 0.9 * bright[positions][:, None, None, None]).astype("float32")

    config = dataclasses.replace(SMALL, subclasses=2, perceptual="random")
    classes = clusters.subclasses(config, found, SimpleNamespace(read=read)).classes
    for number in (0, 1):
        mine = found.classes == number
        assert set(classes[mine]) == {2 * number, 2 * number + 1}
        assert len(set(classes[mine & (bright == 1)])) == len(set(classes[mine & (bright == 0)])) == 1


def test_the_ear_has_four_blocks_on_whole_images_and_names_eight_instruments():
    network = listener.classifier()
    assert network.input_shape == (None, 128, 128, 1) and network.output_shape == (None, 8)
    convolutions = (9 + 1) * 16 + (9 * 16 + 1) * 32 + (9 * 32 + 1) * 64 + (9 * 64 + 1) * 64
    assert network.count_params() == convolutions + (8 * 64 + 1) * 8  # eight bands of the last block, mean over time


def test_the_ears_grain_is_small(monkeypatch):
    """A level and an image far from 0 and 1, so that nothing is cut."""
    seen, rows, weight = [], 64, tf.Variable([[1.0, 2.0]])

    def ear(image, training):
        seen.append(image.numpy())
        return tf.reduce_mean(image, axis=(1, 2)) @ weight

    ear.trainable_variables = [weight]
    monkeypatch.setattr(Step, "apply", lambda *words: None)
    batch = {"image": tf.fill((rows, 32, 32, 1), 0.5), "class": tf.zeros(rows, tf.int32), "weight": tf.ones(rows)}
    drawn = Step(0, "given", tf.constant(0, tf.int64), tf.constant(float(rows)), tf.range(rows), rows)
    listener.train_step(SimpleNamespace(networks={"classifier": ear}, optimizers={"classifier": None}), batch, drawn)
    level = seen[0].mean(axis=(1, 2, 3))
    assert 0.4 < level.min() < 0.42 and 0.58 < level.max() < 0.6
    assert (seen[0] - level[:, None, None, None]).std() == pytest.approx(0.02, rel=0.02)
