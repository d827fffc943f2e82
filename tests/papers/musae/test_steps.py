"""What each step trains, in which direction, and what every divergence changes, asked of the steps themselves."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from common.config import resolve
from common.noise import Step
from papers.musae import config as configuration, data, losses, model, prior, train, variants
from tests.papers.musae.toy import ToyStore, settings

ROWS = 8


class Seen(Step):
    """A step that keeps the gradients it reduces, as they are before clipping."""

    def __init__(self, index=7, seed=0):
        super().__init__(seed, "train", tf.constant(index, tf.int64), tf.constant(float(ROWS)), tf.range(ROWS), ROWS)
        self.gradients = []

    def reduce(self, value):
        self.gradients.append([np.asarray(gradient) for gradient in value])
        return super().reduce(value)


def setting(follow="paper", **changes):
    return dataclasses.replace(settings(follow), **({"clip_norm": 0.0, "clip_value": 0.0} | changes))


def learner_of(config, flower=True, steps=6):
    keras.utils.set_random_seed(1)
    return train.with_optimizers(train.networks(steps, flower, config), flower, config)


def draws_of(config, flower=True, beta=1.0, steps=6):
    rng = np.random.default_rng(0)
    batch = {"tokens": rng.integers(0, 130, (ROWS, steps, 4)).astype(np.int32), "shift": np.zeros(ROWS, np.int32),
             "tags": np.eye(config.genres, dtype=np.float32)[rng.integers(0, config.genres, ROWS)]}  # fmt: skip
    batch = {name: tf.constant(value) for name, value in batch.items()}
    placement = np.arange(config.genres) if flower else None
    return train.draw(batch, Seen(), config, placement)._replace(beta=tf.constant(beta))


def update(config, flower=True, beta=1.0, learner=None):
    """(learner, its weights before, losses, gradients) of one update."""
    learner = learner or learner_of(config, flower)
    before = {name: [np.asarray(w) for w in network.weights] for name, network in learner.networks.items()}
    step = Seen()
    table = variants.style_step if train.has_style(flower, config) else train.ADVERSARIAL[config.adversarial]
    found = table(learner, draws_of(config, flower, beta), step, config)
    return learner, before, {name: float(value) for name, value in found.items()}, step.gradients


def reached(gradients):
    return [bool(np.abs(gradient).max() > 0) for gradient in gradients]


def count(learner, name):
    return len(learner.networks[name].trainable_variables)


# Gradients: network x loss term


@pytest.mark.slow
@pytest.mark.parametrize("flower", [True, False])
def test_two_phases_reach_their_own_networks_only(flower):
    config = setting()
    learner, _, _, (critic, free) = update(config, flower, beta=0.0)
    assert len(critic) == count(learner, "critic")
    assert len(free) == count(learner, "encoder") + count(learner, "decoder")
    # At beta 0 the critic of eq. 3 rests; reconstruction reaches all of encoder and decoder.
    assert not any(reached(critic)) and all(reached(free))
    learner, _, _, (critic, pulled) = update(config, flower, beta=1.0)
    split = count(learner, "encoder")
    assert sum(reached(critic)) == len(critic) - 1  # the last bias cancels between both terms
    assert all(not np.allclose(a, b) for a, b in zip(free[:split], pulled[:split], strict=True))
    for a, b in zip(free[split:], pulled[split:], strict=True):  # the decoder feels no adversarial term
        np.testing.assert_allclose(a, b, atol=1e-7)


def test_a_critic_that_is_not_scaled_learns_from_the_first_update():
    _, before, _, (critic, _) = update(setting(critic_scaled=False), beta=0.0)
    assert any(reached(critic))


@pytest.mark.slow
def test_the_encoder_goes_where_the_updated_critic_scores_higher():
    """beta times the gradient of -D(z): against it the score rises, and it grows with beta."""
    config = setting(learning_rate=0.0)
    learner, _, _, (_, free) = update(config, beta=0.0)
    found = {beta: update(config, beta=beta, learner=learner)[3][1] for beta in (0.5, 1.0)}
    encoder, draws = learner.networks["encoder"], draws_of(config)
    variables = encoder.trainable_variables
    pull = [found[1.0][k] - free[k] for k in range(len(variables))]
    for k in range(len(variables)):
        np.testing.assert_allclose(2 * (found[0.5][k] - free[k]), pull[k], atol=1e-6)

    def score():
        mu, log_variance = encoder(losses.one_hot(draws.tokens))
        z = mu + tf.exp(log_variance / 2.0) * draws.noise
        return float(tf.reduce_mean(losses.score(learner.networks["critic"], z, draws.label)))

    before = score()
    for variable, gradient in zip(variables, pull, strict=True):
        variable.assign(variable - 0.05 * gradient / np.sqrt(sum(np.square(g).sum() for g in pull)))
    assert score() > before + 1e-4


@pytest.mark.slow
def test_joint_terms_that_hold_the_code_cancel():  # dossier E2, A21: with and without the other terms
    """The encoder's gradient at beta 1 is that at beta 0 once the penalty is off; the critic keeps -D(z_p) alone."""
    config = setting("code", gradient_penalty=0.0)
    learner, _, _, (free,) = update(config, beta=0.0)
    _, _, _, (joint,) = update(config, beta=1.0)
    ends = np.cumsum([count(learner, name) for name in variants.TIMES])
    parts = dict(zip(variants.TIMES, zip([0, *ends[:-1]], ends, strict=True), strict=True))
    for name in ("encoder", "decoder"):
        for a, b in zip(free[slice(*parts[name])], joint[slice(*parts[name])], strict=True):
            np.testing.assert_allclose(a, b, atol=1e-7)
    assert any(reached(joint[slice(*parts["critic"])])) and not any(reached(free[slice(*parts["critic"])]))
    _, _, _, (penalised,) = update(setting("code"), beta=1.0)
    begin, end = parts["encoder"]
    assert any(not np.allclose(a, b, atol=1e-7) for a, b in zip(free[begin:end], penalised[begin:end], strict=True))


def test_program_gaussian_step_by_its_formula():
    """Cross-entropies, both critics' terms and the infomax term on features laid out track by track, added by hand."""
    config = setting("code", beta_every=3, beta_after=0, beta_step=0.25, beta_max=1.0)
    learner = learner_of(config, flower=False)
    for track in model.TRACKS:  # decided answers, so that their order in the encoder's input counts
        kernel = learner.networks["decoder"].get_layer(f"{track}_logits").kernel
        kernel.assign(200 * kernel)
    copy = learner_of(config, flower=False)
    for name, network in copy.networks.items():
        network.set_weights(learner.networks[name].get_weights())
    _, _, found, (gradients,) = update(config, flower=False, learner=learner)
    draws, step, beta = draws_of(config, flower=False), Seen(), 0.25  # at update 7, an interval of 3 after the flower's
    coins = tf.cast(step.uniform("style", (variants.STYLE,)) < 0.5, tf.float32)
    weight = step.uniform("style weight")
    mu, log_variance, s = copy.networks["encoder"](losses.one_hot(draws.tokens))
    z = mu + tf.exp(0.5 * log_variance) * draws.noise
    entropy = losses.reconstruction(draws.tokens, copy.networks["decoder"](tf.concat([s, z], 1)))

    def pair(network, real, fake, w):  # D(fake) and its opposite cancel: -D(real) and the penalty are left
        penalty = losses.gradient_penalty(network, real, fake, w)
        return -tf.reduce_mean(network(real)) + 10.0 * tf.reduce_mean(penalty)

    adversarial = pair(copy.networks["critic"], draws.prior, z, draws.weight)
    adversarial += pair(copy.networks["style_critic"], coins, s, weight)
    probabilities = tf.nn.softmax(copy.networks["decoder"](tf.concat([coins, draws.prior], 1)), axis=2).numpy()
    track_major = probabilities.transpose(0, 1, 3, 2).reshape(ROWS, -1, 4 * 130)
    rolls = (track_major.reshape(ROWS, -1, 130, 4) + 1.0) / 2.0  # the first layer sees probabilities
    again = copy.networks["encoder"](rolls)[2].numpy()
    infomax = -np.mean(coins * np.log(again) + (1 - coins) * np.log(1 - again))
    total = float(tf.reduce_mean(tf.reduce_sum(entropy, 1)) + beta * adversarial) + infomax
    assert found["losses/total"] == pytest.approx(total, rel=1e-5)
    assert found["losses/style"] == pytest.approx(infomax, rel=1e-4) and found["losses/beta"] == pytest.approx(beta)
    ends = np.cumsum([count(learner, name) for name in variants.STYLE_TIMES])
    for begin, end in zip([0, *ends[:-1]], ends, strict=True):
        assert any(reached(gradients[begin:end]))


# Divergences: paper and program, through the real build, step and split


def full(mode):
    """A mode's settings at full size, but for the networks' where they cost time."""
    return resolve(configuration, mode, "full")


def split_leak(config):
    windows = data.windows(ToyStore(songs=12), 2)
    rows, held = data.split(config, windows)
    return float(np.isin(held, rows).mean()), float(np.isin(windows.song[held], windows.song[rows]).mean())


def untagged_petal(config):
    batch = {"tokens": tf.zeros((ROWS, 6, 4), tf.int32), "shift": tf.zeros(ROWS, tf.int32),
             "tags": tf.zeros((ROWS, config.genres))}  # fmt: skip
    small = dataclasses.replace(config, latent=4, other_variance=1e-9, radial_variance=1e-9)
    z = train.draw(batch, Seen(), small, np.arange(config.genres)).prior
    return len(set(prior.nearest_petal(np.asarray(z), config.petals).tolist()))


def petals_of_ranks(config):
    """Petal of the store's first genre in the flower's stage."""
    small = dataclasses.replace(settings("paper"), placement=config.placement, conditional_critic=True)
    stage = train.MODELS["16bar-flower"].stages(small, ToyStore(), 0)[-1]
    return np.asarray(stage.train_step.args[2]).tolist()


def shifts(config):
    rng = np.random.default_rng(0)
    batch = {"tokens": tf.constant(rng.integers(40, 60, (ROWS, 6, 4)), tf.int32), "tags": tf.zeros((ROWS, 4)),
             "shift": tf.fill([ROWS], 2)}  # fmt: skip
    small = dataclasses.replace(config, latent=4)
    moved = [train.draw(batch, Seen(seed=seed), small, None).tokens - batch["tokens"] for seed in (0, 1)]
    assert not np.any([np.asarray(found)[:, :, 0] for found in moved])  # drums stay
    return [sorted(set(np.asarray(found)[:, :, 1:].ravel().tolist())) for found in moved]


def layer_counts(config):
    small = dataclasses.replace(settings("paper"), decoder_start=config.decoder_start)
    return sum("start" in w.path for w in train.networks(4, True, small)["decoder"].weights)


def lowest_input(config):
    network = train.networks(4, True, dataclasses.replace(settings("paper"), input_low=config.input_low))["encoder"]
    first = keras.Model(network.inputs, network.get_layer("bidirectional_rec_0").input)
    return float(np.min(first(losses.one_hot(np.zeros((1, 4, 4), int)))))


def first_moves(config):
    """Median over the weights of the first update's largest entry, in rates: encoder, critic, decoder."""
    small = setting("paper", adversarial=config.adversarial, learning_rate=1e-3, decay=0.0, conditional_critic=True)
    learner, before, _, _ = update(small)
    found = []
    for name in ("encoder", "critic", "decoder"):
        pairs = zip(learner.networks[name].weights, before[name], strict=True)
        found.append(round(float(np.median([np.abs(np.asarray(w) - b).max() for w, b in pairs])) / 1e-3))
    return found


def labels(config):
    """Inputs of the flower's critic, and labels that its update gets."""
    small = setting(conditional_critic=config.conditional_critic)
    return len(train.networks(4, True, small)["critic"].inputs), len(draws_of(small).label)


def has_style_critic(config):
    return "style_critic" in train.networks(4, False, setting(style_branch=config.style_branch))


def stage_of(config, name="16bar-gaussian"):
    small = {"updates_lead_in": 0, "latent": 4, "genres": 4, "style_branch": False}
    return train.MODELS[name].stages(dataclasses.replace(config, **small), ToyStore(), 0)[-1]


def rate_after(config, updates):
    optimizer = train.adam(config, [keras.Variable(np.zeros(1))])
    optimizer.iterations.assign(updates)
    return float(optimizer.learning_rate)


def clipped(config, size):
    gradients = [tf.fill([4], size / 4.0), tf.constant([size])]
    found = losses.clip(gradients, config.clip_norm, config.clip_value)
    return float(tf.linalg.global_norm(found)), float(max(tf.reduce_max(g) for g in found))


def resting_critic(config):
    small = setting("paper", critic_scaled=config.critic_scaled)
    _, _, _, (critic, _) = update(small, beta=0.0)
    return any(reached(critic))


def beta_at(config, updates):
    return round(float(losses.beta(config, tf.constant(updates, tf.int64))), 6)


# field -> (what is looked at, its value in `paper`, in `code`, in `sound`)
DIVERGENCES = {
    "adversarial": (first_moves, [1, 1, 1], [3, 2, 1], [1, 1, 1]),
    "conditional_critic": (labels, (1, 0), (2, 1), (2, 1)),
    "critic_scaled": (resting_critic, False, False, True),
    "split": (split_leak, (0.0, 1.0), (1.0, 1.0), (0.0, 0.0)),
    "decoder_start": (layer_counts, 8, 2, 8),
    "input_low": (lowest_input, 0.0, -1.0, 0.0),
    "placement": (petals_of_ranks, [3, 0, 1, 2], [0, 1, 2, 3], [3, 0, 1, 2]),
    "petals": (lambda c: (untagged_petal(c) == 1, c.petals), (False, 32), (True, 33), (False, 32)),
    "style_branch": (has_style_critic, False, True, False),
    "decoder_units": (lambda c: c.decoder_units, 1024, 512, 1024),
    "critic_units": (lambda c: c.critic_units, 1024, 512, 1024),
    "learning_rate": (lambda c: round(rate_after(c, 0), 9), 1e-4, 1e-5, 1e-4),
    "decay": (lambda c: round(rate_after(c, 10_000) / rate_after(c, 0), 4), 0.5, 1.0, 0.5),
    "clip_norm": (lambda c: clipped(c, 1.2)[0] <= 1.0, False, True, True),
    "clip_value": (lambda c: clipped(c, 100.0)[1] <= 0.5, False, True, True),
    "updates_16bar": (lambda c: stage_of(c).steps, 120_000, 500_000, 120_000),
    "batch_size": (lambda c: stage_of(c).batches.batch_size, 256, 16, 256),
    "beta_every": (lambda c: beta_at(c, 5_002), 0.0, 0.1, 0.0),
    "beta_after": (lambda c: beta_at(c, c.beta_every), 0.1, 0.0, 0.1),
    "beta_max": (lambda c: beta_at(c, 10**6), 1.0, 0.2, 1.0),
    "music_vae": (lambda c: any("musicvae" in name for name in train.jobs(c)), False, False, True),
    "transposition": (lambda c: shifts(c) == [[2], [2]], False, True, False),
}  # fmt: skip
IN_PREPROCESSING = {"quantiser", "time_signature", "silence_limit", "deduplicate"}  # test_preprocess has them


@pytest.mark.slow
@pytest.mark.parametrize("field", DIVERGENCES)
def test_divergence_changes_what_it_says(field):
    look, *expected = DIVERGENCES[field]
    assert [look(full(mode)) for mode in ("paper", "code", "sound")] == expected


def test_every_divergence_is_looked_at():
    assert set(DIVERGENCES) | IN_PREPROCESSING == {one.field for one in configuration.DIVERGENCES}


def test_sizes_of_networks_follow_their_settings():
    small = setting(decoder_units=7, critic_units=9, encoder_units=3, latent=5, depth=2)
    networks = train.networks(4, True, small)
    assert networks["decoder"].get_layer("lstm_1").units == 7 and networks["critic"].get_layer("fc_0").units == 9
    assert networks["encoder"].get_layer("mu").units == 5


def test_the_lead_in_reads_short_windows_and_pulls_nothing():
    small = dataclasses.replace(settings("sound"), updates_lead_in=2, batch_size=ROWS, batch_size_16bar=4)
    lead_in, main = train.MODELS["16bar-flower"].stages(small, ToyStore(), 0)
    assert (lead_in.name, lead_in.steps, main.name) == ("lead-in", 2, "train")
    batch = lead_in.batches.read(lead_in.batches.indices(0))
    assert batch["tokens"].shape == (ROWS, 32, 4) and main.batches.read(np.arange(4))["tokens"].shape == (4, 256, 4)
    learner = train.MODELS["16bar-flower"].build(small, ToyStore())
    before = learner.networks["decoder"].get_weights()
    found = lead_in.train_step(learner, {name: tf.constant(value) for name, value in batch.items()}, Seen(10**6))
    assert float(found["losses/beta"]) == 0
    after = learner.networks["decoder"].get_weights()  # the same weights as the short decoder's
    assert all(not np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    z = np.ones((1, small.latent), np.float32)
    np.testing.assert_allclose(learner.networks["decoder"](z)[:, :32], learner.networks["short_decoder"](z), atol=1e-6)
    assert [stage.name for stage in train.MODELS["2bar-gaussian"].stages(small, ToyStore(), 0)] == ["train"]
