"""Which loss reaches which network, asked of the steps themselves; what each divergence does, and which way."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from common import probes, training
from common.noise import step_scope
from papers.symphony2vec import config as settings, data, learners, losses, train
from tests.papers.symphony2vec.toy import small, small_store
from tests.parity.symphony2vec_golden import GivenStep

STORE = small_store()
ROWS = 6


class Watched(GivenStep):
    """A step that keeps what each optimizer was given, by its name."""

    def __init__(self, learner, draws=1.0, keep=1.0):
        super().__init__(ROWS)
        self.names = {id(optimizer): name for name, optimizer in learner.optimizers.items()}
        self.amount, self.kept, self.asked, self.given = draws, keep, [], {}

    def normal(self, name, shape=(), mean=0.0, stddev=1.0):
        self.asked.append(name)
        draw = np.random.default_rng(len(name)).normal(size=(ROWS, *shape))
        return tf.constant(np.float32(self.amount * draw)) * stddev + mean

    def uniform(self, name, shape=(), low=0.0, high=1.0):
        return tf.fill((ROWS, *shape), self.kept)

    def apply(self, optimizer, gradients, variables, **options):
        self.given[self.names[id(optimizer)]] = {
            id(v): 0.0 if g is None else float(tf.norm(g)) for g, v in zip(gradients, variables, strict=True)}
        super().apply(optimizer, gradients, variables, **options)


def learner_of(name, follow="paper", **changes):
    keras.utils.set_random_seed(1)
    config = small(follow, **changes)
    return train.MODELS[name].build(config, STORE), config


def taken(name, follow="paper", batch=None, step=None, **changes):
    """One step of a model; (logged values, {optimizer: {network: largest gradient norm}}, learner)."""
    learner, config = learner_of(name, follow, **changes)
    watched = step or Watched(learner)
    made = train.MODELS[name].stages(config, STORE, 0)[0]
    batch = batch or made.batches.read(np.arange(ROWS))
    with step_scope(watched):
        values = made.train_step(learner, {key: tf.constant(x) for key, x in batch.items()}, watched)
    reached = {}
    for optimizer, norms in watched.given.items():
        for part, network in learner.networks.items():
            mine = [norms[id(v)] for v in network.trainable_variables if id(v) in norms]
            if mine:
                reached.setdefault(optimizer, {})[part] = max(mine)
    return {key: float(value) for key, value in values.items()}, reached, learner, watched


@pytest.mark.parametrize("name, optimizer, parts", [
    ("ff-chroma", "classifier", {"classifier"}), ("cnn-mel", "classifier", {"classifier"}),
    ("lstm-mfcc", "classifier", {"classifier"}), ("encoder-32", "classifier", {"classifier"}),
    ("ae-chroma", "autoencoder", {"encoder", "decoder"}), ("cae-chroma", "autoencoder", {"encoder", "decoder"}),
    ("vae-mel", "vae", {"encoder", "decoder"}),
])  # fmt: skip
def test_gradients_reach_every_variable_of_their_networks(name, optimizer, parts):
    _, reached, learner, watched = taken(name)
    assert set(reached) == {optimizer} and set(reached[optimizer]) == parts
    silent = [v.path for part in parts for v in learner.networks[part].trainable_variables
              if watched.given[optimizer][id(v)] == 0.0]  # fmt: skip
    assert not silent


@pytest.mark.parametrize("update", ["simultaneous", "in_turn"])
def test_each_side_of_the_game_gets_its_own_loss_and_no_other(update):
    _, reached, learner, watched = taken("ali-40", discriminator_normalization=True, ali_update=update)
    assert {optimizer: set(parts) for optimizer, parts in reached.items()} == {
        name: {name} for name in ("discriminator", "encoder", "generator")}  # fmt: skip
    assert min(value for parts in reached.values() for value in parts.values()) > 0
    # z of the encoder and the image of the generator both go through D: nothing of either is cut off.
    for part in ("encoder", "generator"):
        kernels = [v for v in learner.networks[part].trainable_variables if v.name == "kernel"]
        assert all(watched.given[part][id(v)] > 0 for v in kernels)


@pytest.mark.slow
def test_an_error_of_reconstruction_is_one_of_g_of_e_and_moves_encoder_and_generator_alone():  # ali_reconstruction
    (_, _, _, without), (_, _, _, with_it) = (taken("ali-40", ali_reconstruction=weight) for weight in (0.0, 50.0))
    learner, config = learner_of("ali-40")
    x = train.MODELS["ali-40"].stages(config, STORE, 0)[0].batches.read(np.arange(ROWS))["x"]
    encoder, generator, discriminator = (learner.networks[part].trainable_variables
                                         for part in ("encoder", "generator", "discriminator"))  # fmt: skip
    with tf.GradientTape() as tape:
        mean = learner.networks["encoder"](x, training=True)[:, :40]
        rebuilt = learner.networks["generator"](mean, training=True)
        error = 50.0 * tf.reduce_mean(tf.square(x - rebuilt))
    by_hand = tape.gradient(error, encoder + generator)
    added = [b - a for a, b in zip(without.gradients.values(), with_it.gradients.values(), strict=True)]
    assert len(added) == len(discriminator) + len(by_hand)
    for found in added[: len(discriminator)]:  # the discriminator steps first
        np.testing.assert_allclose(found, 0.0, atol=1e-7)
    for found, wanted in zip(added[len(discriminator) :], by_hand, strict=True):
        assert np.linalg.norm(found - wanted) < 1e-2 * np.linalg.norm(wanted) + 1e-5
    assert max(np.linalg.norm(wanted) for wanted in by_hand) > 1e-2


def test_the_encoder_may_learn_faster_and_its_ablations_change_one_setting_each():  # ali_encoder_factor
    learner, config = learner_of("ali-40", ali_encoder_factor=5.0)
    rates = {name: float(optimizer.learning_rate.numpy()) for name, optimizer in learner.optimizers.items()}
    assert rates == {"encoder": pytest.approx(5e-5), "generator": pytest.approx(1e-5),
                     "discriminator": pytest.approx(1e-5)}  # fmt: skip
    changed = {}
    for name in (*settings.ABLATED, *settings.CONTROL, *settings.GATED):
        own = settings.MODELS[name].settings(config)
        changed[name] = {key: value for key, value in vars(own).items() if value != getattr(config, key)}
    assert changed == {
        "ali-128-longer": {"ali_epochs": 4}, "ali-128-wider": {"ali_width": 4},
        "ali-128-faster": {"ali_learning_rate": pytest.approx(3e-5)}, "ali-128-encoder": {"ali_encoder_factor": 25.0},
        "ali-128-reconstruction": {"ali_reconstruction": 1.0},
        "ali-128-gate-2.5": {"ali_gate": 2.5, "mel_training": "first_subset"},
        "ali-128-gate-4.5": {"ali_gate": 4.5, "mel_training": "first_subset"}}  # fmt: skip
    assert not set(settings.ABLATED) & set(train.jobs(config))
    assert set(settings.ABLATED) < set(train.jobs(small("sound", ablations=True)))


def test_other_thresholds_are_trained_on_the_first_part_alone():
    config = settings.MODELS["ali-128-gate-2.5"].settings(small("code"))
    one, all_ = (train.MODELS[name].stages(config if "gate" in name else small("code"), STORE, 0)
                 for name in ("ali-128-gate-2.5", "ali-128"))  # fmt: skip
    assert (len(one), len(all_)) == (1, 3) and one[0].steps == all_[0].steps
    np.testing.assert_array_equal(one[0].batches.indices(0), all_[0].batches.indices(0))
    assert one[0].train_step.keywords["config"].ali_gate == 2.5 != all_[0].train_step.keywords["config"].ali_gate


def test_the_divergence_of_the_vae_reaches_the_encoder_alone(monkeypatch):
    monkeypatch.setitem(losses.VAE_LIKELIHOOD, "bernoulli", lambda x, out: 0.0 * tf.reduce_sum(out, axis=(1, 2)))
    _, reached, _, _ = taken("vae-chroma", step=None)
    assert reached["vae"]["encoder"] > 0 and reached["vae"]["decoder"] == 0.0


def test_the_likelihood_of_the_vae_reaches_both_and_is_summed_over_the_batch():
    values, reached, learner, _ = taken("vae-chroma", vae_likelihood="gaussian")
    assert min(reached["vae"].values()) > 0
    # By hand: a Gaussian of deviation 1, from the same draws, and the sum's gradient on the last bias.
    made = train.MODELS["vae-chroma"].stages(small("paper", vae_likelihood="gaussian"), STORE, 0)[0]
    x = made.batches.read(np.arange(ROWS))["x"]
    fresh, _ = learner_of("vae-chroma", vae_likelihood="gaussian")
    mean, log_variance = np.split(fresh.networks["encoder"](x).numpy(), 2, axis=1)
    noise = np.float32(np.random.default_rng(len("latent")).normal(size=mean.shape))
    rebuilt = fresh.networks["decoder"](mean + noise * np.exp(0.5 * log_variance)).numpy()
    error = np.square(x - rebuilt).reshape(ROWS, -1).sum(axis=1) / 2 + x[0].size / 2 * np.log(2 * np.pi)
    kl = 0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance).sum(axis=1)
    assert values["losses/reconstruction"] == pytest.approx(error.mean(), rel=1e-5)
    assert values["losses/divergence"] == pytest.approx(kl.mean(), rel=1e-4)
    assert reached["vae"]["decoder"] >= np.linalg.norm((rebuilt - x).sum(axis=0)) * 0.999  # of the output's bias


@pytest.mark.parametrize("penalty, moves", [("jacobian", True), ("no_gradient", False)])
def test_the_contractive_penalty_reaches_the_encoder_or_nothing(penalty, moves):
    with_it = taken("cae-chroma", contractive_penalty=penalty, contractive_factor=10.0)[3].gradients
    without = taken("ae-chroma")[3].gradients
    pairs = zip(with_it.values(), without.values(), strict=True)
    differ = [not np.allclose(a, b, rtol=1e-4, atol=1e-8) for a, b in pairs]
    encoder = len(learner_of("ae-chroma")[0].networks["encoder"].trainable_variables)
    assert any(differ[:encoder]) == moves and not any(differ[encoder:])


def linear(x, *kernels, activation=None, bias=False):
    """Dense layers one after the other, with these kernels; `activation` of all but the last, biases 0 if any."""
    for number, kernel in enumerate(kernels, 1):
        units = np.shape(kernel)[1]
        layer = keras.layers.Dense(units, activation if number < len(kernels) else None, use_bias=bias)
        x = layer(x)
        layer.set_weights([np.array(kernel), *([np.zeros(units)] if bias else [])])
    return x


def descending(**variables):
    """An optimizer a name that takes the gradient from the weights as it is."""
    found = {name: keras.optimizers.SGD(1.0) for name in variables}
    for name, optimizer in found.items():
        optimizer.build(variables[name])
    return found


@pytest.mark.parametrize("decay", [0.0, 0.5])
def test_a_step_of_a_classifier_in_numbers(decay):
    x = keras.layers.Input((3,))
    network = keras.Model(x, linear(x, np.eye(3)))
    learner = training.Learner({"classifier": network}, descending(classifier=network.trainable_variables))
    # Probabilities of 1/2, 1/4 and 1/4 four times; three clips are of the first class, one of the second.
    batch = {"x": tf.constant(np.log([[2.0, 1.0, 1.0]] * 4), tf.float32), "label": tf.constant([0, 0, 1, 0])}
    values = train.classifier_step(learner, batch, GivenStep(4), loss=losses.cross_entropy, decay=decay)
    assert float(values["losses/cross_entropy"]) == pytest.approx(1.25 * np.log(2.0))
    assert float(values["metrics/accuracy"]) == 0.75
    # The input is ln 2 in its first place alone: so is the gradient, (2 - 3, 1 - 1, 1 - 0) / 4 of it; then the decay.
    wanted = (1.0 - decay) * np.eye(3) - np.log(2.0) / 4 * np.array([[-1, 0, 1], [0, 0, 0], [0, 0, 0]])
    np.testing.assert_allclose(network.trainable_variables[0].numpy(), wanted, atol=1e-6)


@pytest.mark.parametrize("penalty, decay, logged, code", [
    ("none", 0.0, {}, 2.0), ("none", 0.2, {}, 1.6), ("jacobian", 0.0, {"losses/contraction": 4.0}, 1.6),
    ("no_gradient", 0.0, {"losses/printed_penalty": 0.2}, 2.0)])  # fmt: skip
def test_a_step_of_an_autoencoder_in_numbers(penalty, decay, logged, code):
    """The code is twice the first of two values, rebuilt are that value and a zero."""
    x, z = keras.layers.Input((2,)), keras.layers.Input((1,))
    encoder = keras.Model(x, linear(x, [[1.0], [0.0]], [[2.0]], activation="relu", bias=True))
    decoder = keras.Model(z, linear(z, [[0.5, 0.0]]))
    variables = encoder.trainable_variables + decoder.trainable_variables
    learner = training.Learner({"encoder": encoder, "decoder": decoder}, descending(autoencoder=variables))
    batch = {"x": tf.constant([[1.0, 1.0], [3.0, 0.0]])}
    values = train.autoencoder_step(learner, batch, GivenStep(2), penalty=penalty, factor=0.1, decay=decay)
    # One of four values is missed by one. The code moves by 2 x 1 in each clip, by nothing else: 2 ** 2, root of 2 + 2.
    wanted = {"losses/reconstruction": 0.25} | logged
    assert {key: float(value) for key, value in values.items()} == pytest.approx(wanted)
    assert variables[2].numpy() == pytest.approx(code)  # less .1 of the slope of its square, or .2 of itself
    # The missed value pulls with 2 / 4 of the code there, which is 2.
    np.testing.assert_allclose(variables[4].numpy(), [[0.5 * (1.0 - decay), 1.0]], atol=1e-6)


class InTraining(keras.layers.Layer):
    """Leaves values as they are in training, and else adds one."""

    def call(self, x, training=False):
        return x if training else x + 1.0


def plain_game(generator=1.0):
    """ALI of single values: z is x, G(z) is z, and D's logit the image minus its latent, so always 0 without noise."""
    x, z = keras.layers.Input((1,)), keras.layers.Input((1,))
    logit = keras.layers.Reshape(())(linear(keras.layers.Concatenate()([x, z]), [[1.0], [-1.0]]))
    networks = {"encoder": keras.Model(x, InTraining()(linear(x, [[1.0, 0.0]]))),
                "generator": keras.Model(z, InTraining()(linear(z, [[generator]]))),
                "discriminator": keras.Model([x, z], InTraining()(logit))}  # fmt: skip
    optimizers = descending(**{name: network.trainable_variables for name, network in networks.items()})
    return training.Learner(networks, optimizers)


DRAWS = {"prior": np.float32([1, 3]), "posterior": np.float32([0, 0]), "real": np.float32([2, 2]),
         "generated": np.float32([-4, -4])}  # fmt: skip


@pytest.mark.parametrize("gate, opened", [(0.0, True), (1.38, False), (1.39, True)])
def test_a_step_of_ali_in_numbers(gate, opened):
    learner, config = plain_game(), small("paper", ali_gate=gate)
    values = train.ali_step(learner, {"x": tf.constant([[1.0], [2.0]])}, GivenStep(2, draws=DRAWS), config, 10)
    # Both losses are 2 ln 2 and all their slopes a half. x and z are 1 and 2 on the data's side, 1 and 3 on the other:
    # D's weights get (1 + 3 - 1 - 2) / 4 each, E's of the mean 3 / 4, that of the log deviation 0 and G's 4 / 4.
    assert {key: float(value) for key, value in values.items()} == pytest.approx({
        "losses/discriminator": 2 * np.log(2.0), "losses/generator": 2 * np.log(2.0), "metrics/d_real": 0.5,
        "metrics/d_generated": 0.5, "metrics/gate_open": float(opened),
        "metrics/gradient_discriminator": 0.25 * 2**0.5, "metrics/gradient_generator": 1.25})  # fmt: skip
    weights = {name: network.trainable_variables[0].numpy().ravel() for name, network in learner.networks.items()}
    np.testing.assert_allclose(weights["discriminator"], [0.75, -1.25] if opened else [1.0, -1.0], atol=1e-6)
    np.testing.assert_allclose(weights["encoder"], [1.75, 0.0], atol=1e-6)
    np.testing.assert_allclose(weights["generator"], [2.0], atol=1e-6)


class OfTwo(GivenStep):
    """A step of one of two replicas whose values are the same; keeps what the optimizers are given."""

    def __init__(self, rows, draws):
        super().__init__(rows, draws=draws)
        self.given = []

    def reduce(self, value):
        return tf.nest.map_structure(lambda one: 2.0 * one, value)

    def apply(self, optimizer, gradients, variables, when=None, reduced=False):
        self.given.append((reduced, [gradient.numpy().ravel().tolist() for gradient in gradients]))


def test_gradients_of_ali_are_summed_over_replicas_once_and_logged_as_one_of_them(monkeypatch):
    monkeypatch.setattr(tf.distribute, "get_replica_context", lambda: SimpleNamespace(num_replicas_in_sync=2))
    learner, config, step = plain_game(), small("paper", ali_gate=2.7), OfTwo(2, DRAWS)
    values = train.ali_step(learner, {"x": tf.constant([[1.0], [2.0]])}, step, config, 10)
    # Twice those of a step alone, of D, E and G; 4 ln 2 of both replicas' loss is 2.77, and the gate is closed.
    assert step.given == [(True, [pytest.approx([0.5, 0.5])]), (True, [pytest.approx([-1.5, 0.0])]),
                          (True, [pytest.approx([-2.0])])]  # fmt: skip
    assert float(values["metrics/gate_open"]) == 0.0
    # What is logged is summed over the replicas afterwards.
    assert float(values["metrics/gradient_discriminator"]) == pytest.approx(0.25 * 2**0.5)
    assert float(values["metrics/gradient_generator"]) == pytest.approx(1.25)


@pytest.mark.parametrize("weight, encoder, generator", [(0.0, 1.75, 2.0), (0.1, 0.75, 1.5)])
def test_an_error_of_reconstruction_in_numbers(weight, encoder, generator):
    learner, config = plain_game(2.0), small("paper", ali_reconstruction=weight)
    draws = DRAWS | {"prior": np.zeros(2, "float32")}  # of which the game says nothing to the generator
    values = train.ali_step(learner, {"x": tf.constant([[1.0], [2.0]])}, GivenStep(2, draws=draws), config, 10)
    weights = [learner.networks[name].trainable_variables[0].numpy() for name in ("encoder", "generator")]
    # Rebuilt is 2 x: of (x - G(E(x))) ** 2 the slope is the mean of 4 x ** 2, 10, for E, and of 2 x ** 2, 5, for G.
    assert (weights[0][0, 0], weights[1][0, 0]) == pytest.approx((encoder, generator))
    assert float(values["losses/generator"]) == pytest.approx(2 * np.log(2.0))  # the game's alone


@pytest.mark.parametrize("index, deviation", [(0, 0.1), (255, 0.05), (259, 0.05), (495, 0.002)])
def test_instance_noise_falls_from_epoch_to_epoch(index, deviation):
    config = small("paper", instance_noise=0.1, ali_epochs=50)
    values = train.ali_step(plain_game(), {"x": tf.constant([[1.0], [2.0]])}, GivenStep(2, index, DRAWS), config, 10)
    # Each logit is the noise on its image: twice the deviation on the data, minus four times on the generated ones.
    real, generated = 1 / (1 + np.exp(-2 * deviation)), 1 / (1 + np.exp(4 * deviation))
    assert float(values["metrics/d_real"]) == pytest.approx(real, abs=1e-6)
    assert float(values["metrics/d_generated"]) == pytest.approx(generated, abs=1e-6)
    assert float(values["losses/discriminator"]) == pytest.approx(-np.log(real) - np.log(1 - generated), abs=1e-6)
    assert float(values["losses/generator"]) == pytest.approx(-np.log(generated) - np.log(1 - real), abs=1e-6)


def test_stages_of_classifiers_and_autoencoders_have_their_epochs_and_the_lstms_clips_two_pieces():
    changes = {"classifier_epochs": 2, "lstm_epochs": 3, "autoencoder_epochs": 5, "batch_size": 4}
    found = {name: train.MODELS[name].stages(small("code", **changes), STORE, 0)
             for name in ("cnn-mel", "lstm-mel", "ae-mel", "cnn-chroma", "lstm-chroma")}  # fmt: skip
    assert {name: [stage.batches.size for stage in stages] for name, stages in found.items()} == {
        "cnn-mel": [8, 8, 3], "lstm-mel": [16, 16, 6], "ae-mel": [8, 8, 3], "cnn-chroma": [19], "lstm-chroma": [38]}
    assert {name: [stage.steps for stage in stages] for name, stages in found.items()} == {
        "cnn-mel": [4, 4, 2], "lstm-mel": [12, 12, 6], "ae-mel": [10, 10, 5], "cnn-chroma": [10], "lstm-chroma": [30]}
    assert [stage.log_every for stage in found["lstm-mel"]] == [4, 4, 2]  # a line an epoch
    assert [stage.name for stage in found["lstm-mel"]] == ["part-1", "part-2", "part-3"]
    for name, chunked, twice in (("cnn-mel", False, True), ("lstm-mel", True, False)):
        for stage, (rows, test) in zip(found[name], data.select(small("code"), STORE).stages, strict=True):
            part, *how = stage.validate.args
            assert (part.train.tolist(), part.test.tolist(), how) == (rows.tolist(), test.tolist(), [chunked, twice])
    ali = train.MODELS["ali-40"].stages(small("code", ali_batch_sizes=(4,), ali_epochs=7), STORE, 0)
    assert [(stage.batches.batch_size, stage.steps, stage.log_every) for stage in ali] == [(4, 14, 10), (4, 14, 10),
                                                                                          (4, 7, 10)]  # fmt: skip


def test_orders_differ_from_part_to_part_and_from_seed_to_seed():
    made = [stage.batches for seed in (0, 1, 2) for stage in train.MODELS["cnn-mel"].stages(small("code"), STORE, seed)]
    orders = {tuple(batches.order(0)[:8]) for batches in made if batches.size == 8}
    assert len(orders) == 6 and all(sorted(batches.order(1)) == list(range(batches.size)) for batches in made)


def test_the_generator_is_watched_on_sixty_four_latents_beside_as_many_crops():
    store = small_store(clips=12)
    for number, stage in enumerate(train.MODELS["ali-40"].stages(small("paper"), store, 0)):
        latents, of_data = stage.validate.args
        assert latents.shape == (64, 40) and latents.std() == pytest.approx(1.0, abs=0.05)
        part = data.parts(small("paper"), store, "crop")[number]
        crops = part.images[np.sort(part.train)[:64]]
        assert len(part.train) > 64 and of_data == pytest.approx(probes.mean_distance(crops))


def step_of(name, config, batch, draws=1.0, keep=1.0):
    """Logged values of one step of a model in given settings."""
    keras.utils.set_random_seed(1)
    learner = train.MODELS[name].build(config, STORE)
    watched = Watched(learner, draws, keep)
    made = train.MODELS[name].stages(config, STORE, 0)[0]
    with step_scope(watched):
        values = made.train_step(learner, {key: tf.constant(x) for key, x in batch.items()}, watched)
    return {key: float(value) for key, value in values.items()}, learner, watched


CROPS = {"x": np.random.default_rng(0).uniform(0, 1, (ROWS, 32, 32, 1)).astype("float32")}


@pytest.mark.slow
@pytest.mark.parametrize("gate, opens", [(0.0, True), (1.2, False), (5.0, True)])
def test_the_gate_leaves_the_discriminator_as_it_is_or_not(gate, opens):
    config = small("paper", ali_gate=gate, ali_learning_rate=1e-2)  # the generator's loss starts near 1.39
    values, learner, _ = step_of("ali-40", config, CROPS)
    keras.utils.set_random_seed(1)
    fresh = train.MODELS["ali-40"].build(config, STORE)
    moved = {part: max(float(np.abs(a - b).max()) for a, b in zip(
        network.trainable_variables, fresh.networks[part].trainable_variables, strict=True))
        for part, network in learner.networks.items()}  # fmt: skip
    assert values["metrics/gate_open"] == float(opens) and (moved["discriminator"] > 0) == opens
    assert moved["encoder"] > 0 and moved["generator"] > 0
    assert int(learner.optimizers["discriminator"].iterations) == int(opens)


@pytest.mark.slow
def test_instance_noise_is_added_to_both_images_and_falls():
    still = step_of("ali-40", small("paper", instance_noise=0.0), CROPS)
    assert not {"real", "generated"} & set(still[2].asked)
    noisy = step_of("ali-40", small("paper", instance_noise=5.0), CROPS)
    assert {"real", "generated"} <= set(noisy[2].asked)
    for key in ("metrics/d_real", "metrics/d_generated"):
        assert noisy[0][key] != still[0][key]
    assert losses.instance_noise_deviation(25) == pytest.approx(0.05)


def test_adams_beta_of_ali():
    for beta in (0.5, 0.9):
        learner, _ = learner_of("ali-40", ali_beta_1=beta)
        assert {optimizer.beta_1 for optimizer in learner.optimizers.values()} == {beta}


def test_dropout_is_by_channel_and_only_in_the_discriminator():
    learner, _ = learner_of("ali-40")
    network = learner.networks["discriminator"]
    outputs = [operation.output for operation in network.operations if type(operation).__name__ == "Multiply"]
    probe = keras.Model(network.inputs, outputs[:5])
    step = Watched(learner)
    step.uniform = lambda name, shape=(), low=0.0, high=1.0: tf.cast(
        tf.tile(tf.range(shape[-1])[None, None, None] % 2 == 0, (ROWS, 1, 1, 1)), tf.float32)
    with step_scope(step):
        maps = probe([tf.constant(CROPS["x"]), tf.ones((ROWS, 40))], training=True)
    for found in maps:
        assert np.abs(found[..., 1::2]).max() == 0.0 < np.abs(found[..., 0::2]).max()


# What each divergence does, and which way


def test_a_softmax_of_a_softmax_cannot_be_certain():
    certain = 1000.0 * tf.eye(5)[:1]
    for follow, name, value in (("code", "cnn-mel", 0.9048), ("paper", "cnn-mel", 0.0), ("code", "lstm-mel", 0.0)):
        step = train.classifier_train_step(settings.MODELS[name], small(follow))
        assert float(step.keywords["loss"](certain, [0])[0]) == pytest.approx(value, abs=1e-4)


def test_weight_decay_of_the_modes():
    decays = {follow: train.classifier_train_step(settings.MODELS["cnn-mel"], small(follow)).keywords["decay"]
              for follow in ("paper", "code", "sound")}  # fmt: skip
    assert decays == {"paper": 1e-4, "code": 1e-5, "sound": 1e-5}
    with_it, without = (taken("ff-chroma", weight_decay=decay) for decay in (0.5, 0.0))
    start, _ = learner_of("ff-chroma", weight_decay=0.5)
    for a, b, w in zip(with_it[3].gradients.values(), without[3].gradients.values(),
                       start.networks["classifier"].trainable_variables, strict=True):  # fmt: skip
        np.testing.assert_allclose(a - b, 0.5 * w.numpy(), atol=1e-5)


def network(name, follow="paper", part="classifier", **changes):
    return learner_of(name, follow, **changes)[0].networks[part]


def test_structures_of_the_modes():
    def units(one):
        return [layer.units for layer in one.layers if isinstance(layer, keras.layers.Dense)]

    full = {"feed_forward_units": settings.Config.feed_forward_units}
    assert units(network("ff-chroma", **full)) == [1024, 512, 256, 64, 3]
    program = (1024, 512, 256, 128, 64)
    assert units(network("ff-chroma", "code", feed_forward_units=program)) == [*program, 3]
    pools = [[tuple(layer.pool_size) for layer in network("cnn-mel", cnn_pooling=how).layers
              if isinstance(layer, keras.layers.MaxPooling2D)] for how in ("table_2", "program")]
    assert pools == [[(1, 2), (1, 2), (2, 2)], [(1, 2), (2, 2)]]
    normal = [sum(isinstance(layer, keras.layers.BatchNormalization) for layer in
                  network("ali-40", part="discriminator", discriminator_normalization=on).layers)
              for on in (True, False)]  # fmt: skip
    assert normal == [4, 0]
    assert [learners.rate_and_decay(settings.MODELS[f"lstm-{seen}"], small(follow)) for follow in ("paper", "code")
            for seen in ("chroma", "mel")] == [(1e-3, 0.0), (1e-3, 0.0), (1e-3, 0.0), (1e-4, 1e-5)]


@pytest.mark.parametrize("how, mixes", [("time_steps", False), ("reinterpreted", True)])
def test_the_reinterpreted_batch_mixes_its_clips(how, mixes):
    classifier = network("lstm-chroma", lstm_input=how)
    x = np.random.default_rng(0).normal(size=(4, 12, 36)).astype("float32")
    other = x.copy()
    other[1:] += 1.0
    first = [classifier(batch).numpy()[0] for batch in (x, other)]
    assert np.allclose(*first, atol=1e-6) != mixes


@pytest.mark.parametrize("how, bounded", [("dense", False), ("hidden_state", True)])
def test_a_hidden_state_cannot_be_a_confident_score(how, bounded):
    classifier = network("lstm-chroma", lstm_scores=how)
    for variable in classifier.trainable_variables:
        variable.assign(100.0 * tf.ones_like(variable))
    assert (np.abs(classifier(np.ones((2, 12, 36), "float32"))).max() <= 1.0) == bounded


@pytest.mark.parametrize("how, bounded", [("tanh", True), ("linear", False)])
def test_tanh_bounds_a_reconstruction(how, bounded):
    decoder = network("ae-chroma", part="decoder", autoencoder_output=how)
    assert (np.abs(decoder(1e6 * np.ones((1, 4), "float32"))).max() <= 1.0) == bounded


def test_rates_and_stages_of_the_vae():
    paper = train.MODELS["vae-mel"].stages(small("paper", vae_epochs=7), STORE, 0)
    code = train.MODELS["vae-mel"].stages(small("code", vae_epochs=7, batch_size=4), STORE, 0)
    per_epoch = code[0].batches.steps_per_epoch
    assert [stage.name for stage in paper] == ["part-1"] and paper[0].start is None
    assert [stage.name for stage in code] == ["part-1-fast", "part-1-slow", "part-2", "part-3"]
    assert [stage.steps for stage in code[:2]] == [5 * per_epoch, 2 * per_epoch]
    learner, config = learner_of("vae-mel", "code")
    code[1].start(learner)
    assert float(learner.optimizers["vae"].learning_rate.numpy()) == pytest.approx(config.vae_learning_rate / 10)
    # The slow part goes on with the sixth epoch's order.
    np.testing.assert_array_equal(code[1].batches.order(0), code[0].batches.order(5))


def test_batch_sizes_and_parts_of_ali():
    code = train.MODELS["ali-40"].stages(small("code", ali_batch_sizes=(6, 2, 3)), STORE, 0)
    assert [stage.batches.batch_size for stage in code] == [6, 2, 3]
    assert [stage.batches.size for stage in code] == [8, 8, 3]  # of 19 draws: fifths of 4, 4, 4, 4 and 3
    paper = train.MODELS["ali-40"].stages(small("paper"), STORE, 0)
    assert len(paper) == 1 and paper[0].start is None  # the pixel bias starts at 0
    learner, _ = learner_of("ali-40", "code")
    code[0].start(learner)
    first = code[0].batches.read(code[0].batches.indices(0))["x"].mean(axis=0)
    inside = np.clip(first, 1e-7, 1 - 1e-7)
    bias = learner.networks["generator"].get_layer("pixel_bias").bias.numpy()
    assert bias == pytest.approx(np.log(inside / (1 - inside)), rel=1e-4, abs=1e-3)
