"""Music VAE (Roberts et al. 2018): what its decoders may hear, its loss by hand, and answers step by step."""

import dataclasses
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from common.noise import Step, step_scope
from papers.musae import data, inference, losses, train, variants
from papers.musae.tokens import ALPHABET
from tests.papers.musae.toy import ToyStore, settings

UNITS, LATENT, STEPS, BAR = 5, 6, 8, 4


@pytest.fixture(autouse=True)
def short_bars(monkeypatch):
    monkeypatch.setattr(data, "STEPS_PER_BAR", BAR)


def networks(hierarchical, depth=1, seed=0):
    """Random weights large enough that every token counts."""
    keras.utils.set_random_seed(seed)
    found = variants.music_vae(UNITS, LATENT, depth, hierarchical)
    for network in found.values():
        network.set_weights([3 * w for w in network.get_weights()])
    return found


def codes_and_tokens(rows=3):
    rng = np.random.default_rng(0)
    return (tf.constant(rng.normal(size=(rows, LATENT)), tf.float32),
            rng.integers(0, ALPHABET, (rows, STEPS, 4)).astype(np.int32))  # fmt: skip


def lstm(inputs, units):
    return 4 * units * (inputs + units + 1)


def test_parameters_by_hand():
    u, v = UNITS, 2 * UNITS
    embedded = 4 * 131 * LATENT
    flat = embedded + lstm(5 * LATENT, v) + lstm(v, v) + 4 * (v + 1) * ALPHABET + (LATENT + 1) * 4 * v
    tracks = embedded + 4 * (lstm(2 * LATENT, u) + lstm(u, u) + (u + 1) * ALPHABET) + (LATENT + 1) * 16 * u
    conductor = lstm(1, u) + lstm(u, u) + 2 * (LATENT + 1) * 2 * u + (u + 1) * LATENT
    for hierarchical, expected in ((False, flat), (True, tracks + conductor)):
        assert sum(network.count_params() for network in networks(hierarchical, depth=2).values()) == expected


@pytest.mark.parametrize("hierarchical", [False, True])
def test_a_step_hears_what_came_before_and_nothing_else(hierarchical):
    """Flat: all tracks of all steps before; hierarchical: its own track, of its own bar."""
    parts, (z, tokens) = networks(hierarchical), codes_and_tokens()
    plain = variants.music_vae_logits(parts, z, tf.constant(tokens)).numpy()
    assert plain.shape == (3, STEPS, ALPHABET, 4)
    at, track = 1, 1
    other = tokens.copy()
    other[:, at, track] = (other[:, at, track] + 7) % ALPHABET
    changed = np.abs(variants.music_vae_logits(parts, z, tf.constant(other)).numpy() - plain).max(axis=(0, 2)) > 0
    assert not changed[: at + 1].any() and changed[at + 1, track]
    if hierarchical:
        assert not changed[:, [0, 2, 3]].any() and not changed[BAR:].any()
    else:
        assert changed[at + 1].all() and changed[BAR:].any()
    moved = np.abs(variants.music_vae_logits(parts, z + 1, tf.constant(tokens)).numpy() - plain).max(axis=(0, 2))
    assert (moved > 0).all()  # and the code, at every step


def test_each_bar_is_played_from_a_code_of_its_own():
    parts, (z, tokens) = networks(True), codes_and_tokens()
    codes, steps = variants.bar_codes(parts, z, STEPS)
    assert codes.shape == (6, LATENT) and steps == BAR
    tokens[:, BAR:] = tokens[:, :BAR]
    logits = variants.music_vae_logits(parts, z, tf.constant(tokens)).numpy()
    assert np.abs(logits[:, BAR:] - logits[:, :BAR]).max() > 1e-3  # equal bars, other codes
    alone, _ = parts["player"]([codes[:1], tf.fill((1, 1, 4), variants.NOTHING), parts["start"](codes[:1])])
    np.testing.assert_allclose(alone[0, 0], logits[0, 0], atol=1e-5)
    assert variants.bar_codes(networks(False), z, STEPS)[1] == STEPS


@pytest.mark.parametrize("hierarchical", [False, True])
def test_answers_are_those_of_a_model_that_hears_its_own(hierarchical):
    """Given its own answers before each step it gives them again; given others, not."""
    learner, (z, tokens) = SimpleNamespace(networks=networks(hierarchical)), codes_and_tokens(5)
    answers = inference.answers(learner, z, STEPS)
    assert answers.shape == (5, STEPS, 4) and len(np.unique(answers)) > 3
    np.testing.assert_array_equal(inference.forced(learner, z, answers), answers)
    assert (inference.forced(learner, z, tokens) != answers).any()


def test_the_divergence_by_hand():
    mu, log_variance = np.array([[0, 0], [1, 2]], np.float32), np.array([[0, 0], [0, np.log(4)]], np.float32)
    np.testing.assert_allclose(variants.divergence(mu, log_variance), [0, 0.5 * (1 + 4 + 4 - np.log(4) - 1)], rtol=1e-6)


def one_step(kind, bars, index=7, nats=None, **changes):
    """Losses of one update on the toy store, and which networks it moved; nats: a divergence made up."""
    config = dataclasses.replace(settings("sound"), music_vae_rate=1e-2, batch_size_16bar=10, **changes)
    keras.utils.set_random_seed(0)
    store = ToyStore()
    model = train._music_vae(bars, kind == "hierarchical")
    learner, stage = model.build(config, store), model.stages(config, store, 0)[-1]
    before = {name: network.get_weights() for name, network in learner.networks.items()}
    batch = {name: tf.constant(value) for name, value in stage.batches.read(np.arange(10)).items()}
    step = Step(0, "train", tf.constant(index, tf.int64), tf.constant(10.0), tf.range(10), 10)
    with pytest.MonkeyPatch.context() as patch, step_scope(step):
        if nats is not None:
            patch.setattr(variants, "divergence", lambda mu, _: 0 * mu[:, 0] + nats)
        values = {name: float(value) for name, value in stage.train_step(learner, batch, step).items()}
    moved = {name: max(np.abs(a - b).max() for a, b in zip(network.get_weights(), before[name], strict=True))
             for name, network in learner.networks.items()}  # fmt: skip
    return values, moved


@pytest.mark.slow
@pytest.mark.parametrize("kind, bars", [("flat", 2), ("flat", 16), ("hierarchical", 16)])
def test_the_loss_is_the_entropy_and_what_the_divergence_takes_beyond_its_bits(kind, bars, monkeypatch):
    monkeypatch.setattr(data, "STEPS_PER_BAR", 2)
    weight = 0.2 * (1 - 0.99999**7) if bars == 2 else 0.2
    free = {2: 48, 16: 256}[bars] * np.log(2)
    for nats in (0.5 * free, 3 * free) if kind == "flat" else (3 * free,):
        values, moved = one_step(kind, bars, nats=nats)
        beyond = max(nats - free, 0) / (bars * 2)
        assert values["losses/beta"] == pytest.approx(weight, rel=1e-2)
        assert values["losses/total"] - values["losses/reconstruction"] == pytest.approx(weight * beyond, abs=1e-4)
        assert values["losses/reconstruction"] == pytest.approx(4 * np.log(ALPHABET), rel=0.1)
        assert set(moved) == {"encoder", "start", "player"} | ({"conductor"} if kind == "hierarchical" else set())
        assert all(0 < one < 0.011 for one in moved.values())  # Adam's first move is its rate


def test_noise_reaches_the_code_and_gradients_are_clipped_as_musae_s(monkeypatch):
    seen = {}
    monkeypatch.setattr(variants, "music_vae_logits", lambda networks, z, tokens, real=variants.music_vae_logits:
                        seen.setdefault("z", z) is None or real(networks, z, tokens))  # fmt: skip
    monkeypatch.setattr(losses, "clip", lambda g, norm, value, real=losses.clip:
                        seen.setdefault("clip", (norm, value)) and real(g, norm, value))  # fmt: skip
    one_step("flat", 2)
    assert seen["clip"] == (1.0, 0.5) and 0.3 < np.abs(seen["z"]).mean() < 3


def test_music_vae_is_trained_where_it_is_measured_and_beside_its_counterpart():
    sound, paper, code = (settings(follow) for follow in ("sound", "paper", "code"))
    assert set(train.jobs(sound)) == {*train.MODELS, *train.MUSIC_VAE}
    assert set(train.MUSIC_VAE) & {*train.jobs(paper), *train.jobs(code)} == set()
    alone = dataclasses.replace(sound, models=("16bar-flower",))
    assert list(train.jobs(alone)) == ["16bar-flower", "16bar-musicvae-hierarchical"]
    assert all(config == sound for _, config in train.jobs(sound).values())


def test_its_lead_in_plays_two_bars_without_a_divergence(monkeypatch):
    config, store, seen = dataclasses.replace(settings("sound"), updates_lead_in=1), ToyStore(), []
    monkeypatch.setattr(variants, "music_vae_step", lambda learner, draws, step, config:
                        seen.append((draws.tokens.shape[1], config.kl_weight)))  # fmt: skip
    model = train._music_vae(16, True)
    for stage in model.stages(config, store, 0):
        batch = {name: tf.constant(value) for name, value in stage.batches.read(np.arange(4)).items()}
        stage.train_step(model.build(config, store), batch, Step(0, "x", tf.constant(0, tf.int64), 4.0, tf.range(4), 4))
    assert seen == [(2 * BAR, 0.0), (16 * BAR, 0.2)]


def test_another_start_has_other_weights_and_another_order():
    own = settings("sound")
    other = train.changed(own, {"restart": 1}, {})
    weights, orders = [], []
    for config in (own, other, other):
        keras.utils.set_random_seed(3)
        weights.append(train.build(2, False, config, ToyStore()).networks["encoder"].get_weights()[0])
        orders.append(train.MODELS["2bar-gaussian"].stages(config, ToyStore(), 3)[0].batches.indices(0).tolist())
    assert np.abs(weights[0] - weights[1]).max() > 0.1 and (weights[1] == weights[2]).all()
    assert orders[0] != orders[1] == orders[2]
    keras.utils.set_random_seed(4)
    fourth = train.build(2, False, other, ToyStore()).networks["encoder"].get_weights()[0]
    assert np.abs(fourth - weights[1]).max() > 0.1  # the run's seed still counts


def test_a_sweep_multiplies_its_setting():
    config = dataclasses.replace(settings("sound"), ablations=True, latent=32)
    found = {name.partition("@")[2]: changed for name, (_, changed) in train.jobs(config).items() if "@" in name}
    assert [found[f"latent-{part}"].latent for part in ("quarter", "sixteenth")] == [8, 2]
    assert found["beta-tenfold"].beta_max == 10 * config.beta_max and found["beta-tenfold"].beta_step == 1.0
    assert train.changed(dataclasses.replace(config, latent=4), {}, {"latent": 0.0625}).latent == 1


@pytest.mark.slow
def test_it_learns_from_its_code(monkeypatch):
    """Two bars of one pitch a song: its own answers are right on songs of known pitches, with others' codes not."""
    monkeypatch.setattr(data, "STEPS_PER_BAR", 2)
    monkeypatch.setattr(variants, "FREE_BITS", {2: 48.0})
    rng, rows = np.random.default_rng(0), 32
    tokens = np.repeat(40 + 3 * rng.integers(0, 6, (256, 1, 1)), 4, axis=2).repeat(4, axis=1).astype(np.int32)
    tokens[:, 1:] = 129
    config = dataclasses.replace(settings("sound"), music_vae_rate=3e-2, latent=4, encoder_units=12, decoder_units=12,
                                 transposition="frozen")  # fmt: skip
    keras.utils.set_random_seed(0)
    learner = train._music_vae(2, False).build(config, None)

    @tf.function
    def update(batch, index):
        step = Step(0, "train", index, tf.constant(float(rows)), tf.range(rows), rows)
        train.one_update(variants.music_vae_step, config, None, learner, batch, step)

    for index in range(300):
        picked = rng.integers(0, 200, rows)
        batch = {"tokens": tf.constant(tokens[picked]), "shift": tf.zeros(rows, tf.int32), "tags": tf.zeros((rows, 4))}
        update(batch, tf.constant(index, tf.int64))
    held = tokens[200:]
    codes = inference.encode(learner, held)
    assert (inference.answers(learner, codes, 4) == held).mean() > 0.9
    assert (inference.answers(learner, codes[::-1], 4)[:, 0] == held[:, 0]).mean() < 0.5
