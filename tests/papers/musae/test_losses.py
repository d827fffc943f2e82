"""Losses, schedules, prior and draws against closed forms."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from papers.musae import config, data, losses, measures, prior, train

PAPER = config.Config()
PROGRAM = SimpleNamespace(beta_step=0.1, beta_every=5_000, beta_after=2, beta_max=0.2)


@pytest.mark.parametrize("step, value", [(0, 0), (9_999, 0), (10_000, 0.1), (100_000, 1), (1_000_000, 1)])
def test_beta_of_the_paper(step, value):  # dossier A22
    assert losses.beta(PAPER, tf.constant(step, tf.int64)).numpy() == pytest.approx(value)


@pytest.mark.parametrize("step, value", [(0, 0), (5_001, 0), (5_002, 0.1), (10_001, 0.1), (10_002, 0.2), (10**6, 0.2)])
def test_beta_of_the_program(step, value):  # dossier section 5
    assert losses.beta(PROGRAM, tf.constant(step, tf.int64)).numpy() == pytest.approx(value)


@pytest.mark.parametrize("step, rate", [(0, 1e-4), (10_000, 5e-5), (100_000, 9.0909e-6)])
def test_learning_rate(step, rate):  # dossier A23
    optimizer = train.adam(PAPER, [keras.Variable(np.zeros(1))])
    optimizer.iterations.assign(step)
    assert float(optimizer.learning_rate) == pytest.approx(rate, rel=1e-4)


def test_clipping_first_the_global_norm_then_each_entry():  # dossier A24
    gradients = [tf.constant([6.0, 0.0]), tf.constant([8.0])]  # norm 10
    clipped = losses.clip(gradients, 1.0, 0.7)
    np.testing.assert_allclose(np.concatenate([g.numpy() for g in clipped]), [0.6, 0.0, 0.7], atol=1e-6)
    small = losses.clip([tf.constant([0.3, -0.4])], 1.0, 0.5)[0]
    np.testing.assert_allclose(small, [0.3, -0.4], atol=1e-7)
    for gradient, free in zip(gradients, losses.clip(gradients, 0.0, 0.0), strict=True):  # the paper clips nothing
        np.testing.assert_allclose(free, gradient)
    counted = losses.clip([tf.constant([0.6]), tf.constant([0.0])], 1.0, 0.55, [4.0, 1.0])  # norm 1.2 with duplicates
    np.testing.assert_allclose(counted[0], [0.5], atol=1e-6)


def test_gradient_penalty():  # dossier A19
    rng = np.random.default_rng(0)
    w = rng.normal(size=(6, 1)).astype(np.float32)
    linear = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1, use_bias=False)])
    linear.set_weights([w / np.linalg.norm(w)])
    a, b = (tf.constant(rng.normal(size=(5, 6)), tf.float32) for _ in range(2))
    weight = tf.constant(rng.random(5), tf.float32)
    np.testing.assert_allclose(losses.gradient_penalty(linear, a, b, weight), np.zeros(5), atol=1e-9)
    linear.set_weights([0 * w])
    np.testing.assert_allclose(losses.gradient_penalty(linear, a, b, weight), np.ones(5), atol=1e-5)
    seen = []
    losses.gradient_penalty(lambda z: seen.append(z) or linear(z), a, b, weight)
    share = (seen[0].numpy() - b.numpy()) / (a.numpy() - b.numpy())
    np.testing.assert_allclose(share, np.repeat(weight.numpy()[:, None], 6, axis=1), atol=1e-3)


def test_critic_loss_is_fake_minus_real_plus_penalty():
    linear = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False)])
    linear.set_weights([np.array([[3.0], [4.0]], np.float32)])  # gradient norm 5: penalty 16
    real, fake = tf.constant([[1.0, 0.0]]), tf.constant([[0.0, 2.0]])
    assert losses.critic_loss(linear, real, fake, tf.constant([0.3]), 10.0).numpy() == pytest.approx(
        [-3 + 8 + 160], rel=1e-5
    )


def test_reconstruction_and_accuracy_by_hand():
    tokens = tf.constant([[[0, 1, 2, 3], [0, 1, 2, 4]]])
    logits = np.zeros((1, 2, 130, 4), np.float32)
    logits[0, :, [0, 1, 2, 3], [0, 1, 2, 3]] = 20.0
    entropy = losses.reconstruction(tokens, logits).numpy()[0]
    right = np.log(1 + 129 * np.exp(-20.0))
    np.testing.assert_allclose(entropy, [right, right, right, (right + right + 20) / 2], atol=1e-4)
    np.testing.assert_array_equal(losses.accuracy(tokens, logits), [[1, 1, 1, 0.5]])


def test_transposition_leaves_drums_and_marks_alone():  # dossier A11
    tokens = np.array([[[36, 40, 2, 126], [129, 128, 129, 129]]], np.int32)
    for shift, expected in ((6, [36, 46, 8, 128]), (-5, [36, 35, 128, 121])):
        wanted = [expected, [129, 128, 129, 129]]
        assert losses.transpose(tf.constant(tokens), tf.constant([shift])).numpy()[0].tolist() == wanted
        assert data.moved(tokens, [shift])[0].tolist() == wanted  # what is drawn at preprocessing
    both = np.concatenate([tokens, tokens])
    assert data.moved(both, [0, 1])[:, 0].tolist() == [[36, 40, 2, 126], [36, 41, 3, 127]]


def test_prior_closed_forms():  # dossier A17
    means = prior.petal_mean(32, 512)
    np.testing.assert_allclose(np.linalg.norm(means, axis=1), 1, atol=1e-12)
    assert np.linalg.norm(means[1] - means[0]) == pytest.approx(0.196034, abs=1e-6)
    for i in (0, 5, 31):
        covariance = prior.petal_covariance(i, 32, 512)
        u = means[i]
        assert np.abs(covariance - covariance.T).max() < 1e-12 and u @ covariance @ u == pytest.approx(0.1)
        np.testing.assert_allclose(np.linalg.eigvalsh(covariance), [0.001] * 511 + [0.1], atol=1e-12)
        np.testing.assert_allclose(covariance, prior.petal_covariance((i + 16) % 32, 32, 512), atol=1e-12)
        assert np.trace(covariance) == pytest.approx(0.611)
    block = prior.petal_covariance(5, 32, 512)[:2, :2]
    np.testing.assert_allclose(block, [[0.0315572, 0.0457320], [0.0457320, 0.0694428]], atol=1e-7)
    mixture = np.mean([prior.petal_covariance(i, 32, 512) for i in range(32)], axis=0) + means.T @ means / 32
    np.testing.assert_allclose(mixture[:2, :2], 0.5505 * np.eye(2), atol=1e-9)


def test_flower_draws():  # dossier A18
    rng = np.random.default_rng(0)
    petal = rng.integers(0, 32, 100_000)
    z = prior.flower(rng.normal(size=(100_000, 6)).astype(np.float32), petal, 32).numpy().astype(float)
    angle = 2 * np.pi * petal / 32
    along = z[:, 0] * np.cos(angle) + z[:, 1] * np.sin(angle)
    across = -z[:, 0] * np.sin(angle) + z[:, 1] * np.cos(angle)
    assert along.mean() == pytest.approx(1, abs=0.004) and along.std() == pytest.approx(0.3162, abs=0.003)
    assert across.std() == pytest.approx(0.03162, abs=0.0003) and z[:, 2:].std() == pytest.approx(0.03162, abs=0.0003)
    assert (prior.nearest_petal(z, 32) == petal).mean() == pytest.approx(0.974, abs=0.005)


def test_genre_draw():  # dossier A25
    rng = np.random.default_rng(1)
    tags = np.zeros((10_000, 5), np.float32)
    tags[:, [0, 2]] = 1
    tags[:100] = 0
    label, rank = losses.draw_genre(tf.constant(tags), tf.constant(rng.random(tags.shape), tf.float32))
    assert set(np.unique(rank[100:])) == {0, 2} and (rank.numpy()[100:] == 0).mean() == pytest.approx(0.5, abs=0.02)
    assert (
        (rank.numpy()[:100] == -1).all()
        and (label.numpy()[:100] == 0).all()
        and (label.numpy()[100:].sum(1) == 1).all()
    )
    _, other = losses.draw_genre(tf.constant(tags), tf.constant(rng.random(tags.shape), tf.float32))
    assert (rank.numpy() != other.numpy()).any()


def test_petals_of_genres_and_of_songs_without_any():
    placement, anywhere = np.array([2, 0, 1]), tf.constant([1, 1, 2])
    rank = tf.constant([0, 2, -1])
    assert losses.petal_of(rank, placement, 3, anywhere).numpy().tolist() == [2, 1, 2]
    assert losses.petal_of(rank, placement, 4, anywhere).numpy().tolist() == [2, 1, 3]  # the program's extra petal


def test_sliced_wasserstein_of_a_shift():
    rng = np.random.default_rng(0)
    a = rng.normal(size=(4000, 2))
    assert measures.sliced_wasserstein(a, a) == 0
    # A shift by d moves a projection by |d cos|, 2 / pi on average over the circle's directions.
    assert measures.sliced_wasserstein(a, a + [3.0, 0.0], directions=2000) == pytest.approx(3 * 2 / np.pi, rel=0.05)
