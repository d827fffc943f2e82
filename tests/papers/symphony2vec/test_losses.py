"""Losses on fixed inputs (dossier 8.4)."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from papers.symphony2vec import learners, losses, model


def test_double_softmax_is_bounded():
    big = 1000.0 * tf.eye(5)[:1]
    loss = losses.double_softmax_cross_entropy
    assert float(loss(big, [0])[0]) == pytest.approx(0.9048324, abs=1e-6)
    assert float(loss(big, [1])[0]) == pytest.approx(1.9048324, abs=1e-6)
    assert float(loss(tf.zeros((1, 5)), [0])[0]) == pytest.approx(1.6094379, abs=1e-6)


def test_hidden_state_as_logits_is_bounded():
    logits = tf.constant([[1.0, -1, -1, -1, -1], [-1, 1, 1, 1, 1]])
    assert losses.cross_entropy(logits, [0, 0]).numpy() == pytest.approx([0.4326530, 3.4195685], abs=1e-6)
    assert float(tf.nn.softmax(logits)[0, 0]) == pytest.approx(0.6487856, abs=1e-6)


def test_likelihoods_of_the_vae_at_known_logits():
    for likelihood in (losses.bernoulli_likelihood, losses.library_binary_cross_entropy):
        half = likelihood(tf.constant([[3.0, -2.0, 0.4]]), tf.zeros((1, 3)))
        assert float(half[0]) == pytest.approx(3 * np.log(2), rel=1e-6)
        # p = 0.9 with a target of 2: -2 ln 0.9 + ln 0.1
        nine = tf.constant([[np.log(9.0).astype("float32")]])
        assert float(likelihood(tf.constant([[2.0]]), nine)[0]) == pytest.approx(-2.0918640, abs=1e-5)
    for n, printed in ((5172, 114_718.6), (5603, 124_278.5), (27584, 611_832.7)):
        zeros = tf.zeros((1, n))
        assert 32 * float(losses.library_binary_cross_entropy(zeros, zeros)[0]) == pytest.approx(printed, rel=1e-5)


def test_the_exact_likelihood_pulls_for_ever_and_the_librarys_does_not():
    x, logit = tf.constant([[-1.5]]), tf.constant([[-40.0]])
    pulls = ((losses.bernoulli_likelihood, -60.0, 1.5), (losses.library_binary_cross_entropy, -60.0, 0.0))
    for likelihood, value, pull in pulls:
        with tf.GradientTape() as tape:
            tape.watch(logit)
            loss = likelihood(x, logit)
        assert float(loss[0]) == pytest.approx(value)
        assert float(tape.gradient(loss, logit)[0, 0]) == pytest.approx(pull, abs=1e-4)


def test_kl_divergence():
    ones, zeros = tf.ones((1, 40)), tf.zeros((1, 40))
    assert float(losses.kl_divergence(ones, zeros)[0]) == pytest.approx(20.0)
    assert float(losses.kl_divergence(zeros, ones)[0]) == pytest.approx(14.3656366, abs=1e-5)
    assert float(losses.kl_divergence(zeros, zeros)[0]) == 0.0


def test_samples_of_vae_and_ali_read_the_deviation_differently():
    mean, log, noise = tf.zeros((1, 1)), tf.fill((1, 1), np.log(2.0).astype("float32")), tf.ones((1, 1))
    assert float(losses.ali_sample(mean, log, noise)[0, 0]) == pytest.approx(2.0, rel=1e-6)
    assert float(losses.vae_sample(mean, log, noise)[0, 0]) == pytest.approx(2**0.5, rel=1e-6)


def test_contractive_penalty_is_the_squared_norm_of_the_jacobian():
    keras.utils.set_random_seed(3)
    encoder = model.encoder((3, 4), (8, 7, 6, 5), code_size=4)
    x = tf.random.stateless_normal((6, 3, 4), seed=(1, 2))
    with tf.GradientTape() as tape:
        tape.watch(x)
        code = encoder(x)
    jacobian = tape.batch_jacobian(code, x)
    expected = tf.reduce_sum(tf.square(jacobian), axis=(1, 2, 3))
    assert losses.contractive_penalty(encoder, x).numpy() == pytest.approx(expected.numpy(), rel=1e-5)


def test_contractive_penalty_moves_the_weights_and_the_programs_does_not():
    keras.utils.set_random_seed(3)
    encoder = model.encoder((3, 4), (8, 7), code_size=4)
    x = tf.random.stateless_normal((6, 3, 4), seed=(1, 2))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(losses.contractive_penalty(encoder, x))
    assert max(float(tf.reduce_max(tf.abs(g))) for g in tape.gradient(loss, encoder.trainable_variables[:1])) > 0
    with tf.GradientTape() as tape:
        loss = losses.program_penalty(encoder, x)
    assert float(loss) > 0
    assert tape.gradient(loss, encoder.trainable_variables) == [None] * len(encoder.trainable_variables)


def test_the_programs_penalty_of_an_all_ones_encoder():
    inputs = keras.layers.Input((10,))
    dense = keras.layers.Dense(40, kernel_initializer="ones")
    encoder = keras.Model(inputs, dense(inputs))
    penalty = losses.program_penalty(encoder, tf.zeros((32, 10)))
    assert float(penalty) == pytest.approx(113.1371, abs=1e-3)
    assert 1e-4 * float(penalty) == pytest.approx(0.01131371, abs=1e-6)


def test_weight_decay_is_coupled():
    w = tf.Variable([1.0, -2.0])
    with tf.GradientTape() as tape:
        loss = losses.weight_decay([w], 1e-5)
    assert tape.gradient(loss, w).numpy() == pytest.approx([1e-5, -2e-5])


def test_adam_is_the_published_one():
    # Dossier 8.4: the first step on w = 1 with a gradient of 1e-5 moves 0.999001 of the rate; Keras' own moves 0.969.
    w = tf.Variable([1.0])
    optimizer = learners.adam(1e-3, [w])
    optimizer.apply([tf.constant([1e-5])], [w])
    assert (1.0 - float(w[0])) / 1e-3 == pytest.approx(0.999001, abs=1e-4)
    # Two steps by hand: gradients 1 and 3, rate 0.5, beta .5 and .999, epsilon 1e-8.
    w = tf.Variable([0.0])
    optimizer = learners.adam(0.5, [w], beta_1=0.5)
    for gradient in (1.0, 3.0):
        optimizer.apply([tf.constant([gradient])], [w])
    first, second = 1.0, ((0.5 * 0.5 + 0.5 * 3) / 0.75) / np.sqrt((0.999 * 0.001 + 0.001 * 9) / (1 - 0.999**2))
    assert float(w[0]) == pytest.approx(-0.5 * (first + second), rel=1e-4)


def test_ali_losses():
    d, g = losses.ali_losses(tf.zeros(1), tf.zeros(1))
    assert [float(d[0]), float(g[0])] == pytest.approx([1.3862944] * 2, abs=1e-6)
    p = np.float32(0.8262261)
    logit = np.log(p / (1 - p))
    d, g = losses.ali_losses(tf.constant([logit]), tf.constant([-logit]))
    assert float(g[0]) == pytest.approx(3.5, abs=1e-5)
    assert float(d[0]) == pytest.approx(0.3817737, abs=1e-6)


def test_gate_equilibrium():
    assert losses.gate_equilibrium(3.5) == pytest.approx((0.8262261, 0.1737739, 0.3817737), abs=1e-7)


def test_instance_noise_falls_linearly():
    assert [losses.instance_noise_deviation(e) for e in (0, 25, 49)] == pytest.approx([0.1, 0.05, 0.002])


def test_log_odds_in_single_precision():
    out = losses.log_odds(tf.constant([-1.0, 0.25, 0.5, 2.0])).numpy()
    assert out == pytest.approx([-16.118095, -1.0986123, 0.0, 15.942385], abs=1e-4)


def with_gradient(loss, target, logits):
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = loss(tf.fill(logits.shape, target), logits)
    return value, tape.gradient(value, logits)[:, 0]


def test_the_librarys_rule_is_the_same_in_a_compiled_step():
    # Compiled, 1 / y is approximate and never 1, where the library's p is; the pull to targets above 1 then never ends.
    logits = tf.constant(np.float32([-100, -28, -10, 0, 10, 17, 20, 100])[:, None])
    for target in (-1.5, 0.5, 1.7):
        plain = with_gradient(losses.library_binary_cross_entropy, target, logits)
        compiled = tf.function(with_gradient)(losses.library_binary_cross_entropy, target, logits)
        for one, two in zip(plain, compiled, strict=True):
            np.testing.assert_allclose(two, one, rtol=2e-3, atol=1e-6)
        assert compiled[1].numpy()[-3:].tolist() == [0.0, 0.0, 0.0]


def floored(x, logit):
    """The same likelihood with each log floored at -100, by the chain rule of the library in use."""
    probability = tf.sigmoid(logit)
    logs = [tf.where(p > 0.0, tf.maximum(tf.math.log(tf.where(p > 0.0, p, 1.0)), -100.0), -100.0)
            for p in (probability, 1.0 - probability)]  # fmt: skip
    return -tf.reduce_sum(x * logs[0] + (1.0 - x) * logs[1], axis=1)


@pytest.mark.parametrize("loss, target, finite", [
    (losses.library_binary_cross_entropy, 8.0, True), (losses.library_binary_cross_entropy, -2.4, True),
    (floored, 2.4, True), (floored, 8.0, False)])  # fmt: skip
def test_the_librarys_gradient_is_finite_at_every_logit_and_a_floored_logs_is_not(loss, target, finite):
    # Just above the smallest p, at a logit near -87, x / p leaves single precision for x above 5, as only MFCCs are.
    logits = tf.constant(np.float32(np.r_[np.linspace(-87.4, -86.6, 400), np.linspace(-120, 120, 241)])[:, None])
    assert all(np.isfinite(one).all() for one in with_gradient(loss, target, logits)) == finite
