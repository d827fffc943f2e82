"""MusAE's networks and training steps against the authors' program (Andrea-V/MusAE), weight for weight.

`musae.*`: forward passes at the program's sizes; `musae_steps.*`: losses, gradients and updates at small ones, of the
program's joint graph and of the paper's two phases by formula. ENCORE_GOLDEN names a folder with other data of the
same form; sizes are read from it.
"""

import dataclasses
import json
import os
import re
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from common.noise import Step
from papers.musae import config, losses, model, train, variants

GOLDEN = Path(os.environ.get("ENCORE_GOLDEN") or Path(__file__).parent)


@pytest.fixture(autouse=True)
def quick_weights(monkeypatch):
    """Zeros instead of orthogonal matrices, which take seconds at these sizes; every weight is set anyway."""
    for initializer in (keras.initializers.Orthogonal, keras.initializers.GlorotUniform):
        monkeypatch.setattr(initializer, "__call__", lambda self, shape, dtype=None: keras.ops.zeros(shape))


def sine(k, i):
    return np.sin(0.7 * i + 1.3 * k)


def fill(network, rows, wave, order=None):
    """Set a network's weights from rows (number, name, shape, kind); `order`: the row of each of our variables."""
    variables = network.weights
    assert len(rows) == len(variables)
    for place, variable in enumerate(variables):
        k, _, shape, kind = rows[order[place] if order else place]
        s = wave(k, np.arange(np.prod(shape)))
        variable.assign(eval(kind, {"sqrt": np.sqrt, "s": s}).reshape(shape).astype(np.float32))


def decoder_order(decoder, depth):
    """The program's row of each variable of our decoder: it lists layer by layer, ours goes as it is built."""
    order = []
    for path in (variable.path for variable in decoder.weights):
        part = {"kernel": 0, "recurrent_kernel": 1, "bias": 2}[path.split("/")[-1]]
        lstm = re.search(r"(drums|bass|guitar|strings)_(\d+)/", path)
        logits = re.search(r"(drums|bass|guitar|strings)_logits/", path)
        if lstm:
            order.append(2 + 12 * int(lstm[2]) + 3 * model.TRACKS.index(lstm[1]) + part)
        elif logits:
            order.append(2 + 12 * depth + 2 * model.TRACKS.index(logits[1]) + (part > 0))
        else:
            order.append(int(part > 0))
    return order


def relative(found, expected):
    return np.linalg.norm(np.asarray(found) - expected) / np.linalg.norm(expected)


@pytest.fixture(scope="module")
def golden():
    return np.load(GOLDEN / "musae.npz"), json.loads((GOLDEN / "musae.weights.json").read_text())


def golden_tokens():
    b, t, k = np.ogrid[:2, :32, :4]
    return (7 * b + 11 * t + 13 * k + 3) % 130


def golden_latent():
    return np.sin(0.01 * np.arange(1024) + 0.5).reshape(2, 512).astype(np.float32)


def test_encoder_equals_the_program(golden):
    arrays, weights = golden
    encoder = model.encoder(32, low=-1.0)
    fill(encoder, weights["encoder"], sine)
    mu, log_variance = encoder(losses.one_hot(tf.constant(golden_tokens())))
    assert relative(mu, arrays["encoder_mu"]) < 1e-4
    assert relative(log_variance, arrays["encoder_log_var"]) < 1e-4


def test_decoder_equals_the_program(golden):
    arrays, weights = golden
    decoder = model.decoder(32, 512, start=variants.decoder_start)
    fill(decoder, weights["decoder"], sine, decoder_order(decoder, 3))
    probabilities = tf.nn.softmax(decoder(golden_latent()), axis=2)
    assert relative(probabilities, arrays["decoder"]) < 1e-4


def test_critics_equal_the_program(golden):
    arrays, weights = golden
    plain, conditional = model.critic(512), model.critic(512, genres=32)
    fill(plain, weights["gaussian_discriminator"], sine)
    fill(conditional, weights["mixture_discriminator"], sine)
    label = np.eye(32, dtype=np.float32)[[3, 17]]
    assert relative(plain(golden_latent()), arrays["gaussian_discriminator"]) < 1e-4
    assert relative(conditional([golden_latent(), label]), arrays["mixture_discriminator"]) < 1e-4


# Training steps


@pytest.fixture(scope="module")
def steps():
    arrays = np.load(GOLDEN / "musae_steps.npz")
    return {name: arrays[name] for name in arrays.files}, json.loads((GOLDEN / "musae_steps.weights.json").read_text())


def wave(arrays):
    """The formula of weights and noise; its additive constant is read off the noise stored with them."""

    def angle(k, i):
        return 0.7 * i + 1.3 * k + 2.9 * ((i * i) % 97)

    noise = arrays["noise"].ravel().astype(float)
    at = angle(101, np.arange(len(noise)))
    (cosine, sin), *_ = np.linalg.lstsq(np.column_stack([np.sin(at), np.cos(at)]), noise, rcond=None)
    shift = np.arctan2(sin, cosine)
    np.testing.assert_allclose(np.sin(at + shift), noise, atol=1e-6)
    return lambda k, i: np.sin(angle(k, i) + shift)


class Seen(Step):
    """A step that keeps the gradients it reduces, as they are before clipping."""

    def __init__(self, index, rows):
        super().__init__(0, "train", tf.constant(index, tf.int64), tf.constant(float(rows)), tf.range(rows), rows)
        self.gradients = []

    def reduce(self, value):
        self.gradients.append([np.asarray(gradient) for gradient in value])
        return super().reduce(value)


class Golden:
    """Our learner with the golden weights and draws, and our variables in the program's order."""

    def __init__(self, steps, group, adversarial, beta, **changes):
        self.arrays, weights = steps
        rows, arrays = weights[group], self.arrays
        units = {name: rows[name][0][2][-1] for name in rows}
        flower = rows["z_critic"][0][2][0] > arrays["noise"].shape[1]
        self.config = dataclasses.replace(
            config.Config(), adversarial=adversarial, decoder_start="shared_tanh", input_low=-1.0, clip_norm=1.0,
            clip_value=0.5, conditional_critic=flower,
            latent=arrays["noise"].shape[1], encoder_units=units["encoder"] // 4, decoder_units=units["decoder"],
            critic_units=units["z_critic"], genres=arrays["label"].shape[1], **changes)  # fmt: skip
        networks = train.networks(arrays["tokens"].shape[1], flower, self.config)
        self.learner = train.with_optimizers(networks, flower, self.config)
        order = {"encoder": None, "decoder": decoder_order(networks["decoder"], self.config.depth), "critic": None}
        for name, place in order.items():
            fill(networks[name], rows[{"critic": "z_critic"}.get(name, name)], wave(arrays), place)
        self.order = {name: np.argsort(place) if place else slice(None) for name, place in order.items()}
        self.draws = train.Draws(
            tf.constant(arrays["tokens"]), tf.constant(arrays["noise"]), tf.constant(arrays["prior_sample"]),
            tf.constant(arrays["mixture_weight"][:, 0]), (tf.constant(arrays["label"]),) if flower else (),
            tf.constant(beta, tf.float32))  # fmt: skip
        self.before = self.values()

    def values(self):
        """{network: its variables as arrays, in the program's order}."""
        return {name: self.sorted(name, [np.asarray(v) for v in self.learner.networks[name].weights])
                for name in self.order}  # fmt: skip

    def sorted(self, name, found):
        place = self.order[name]
        return found if isinstance(place, slice) else [found[k] for k in place]

    def update(self, index):
        step = Seen(index, len(self.arrays["tokens"]))
        found = train.ADVERSARIAL[self.config.adversarial](self.learner, self.draws, step, self.config)
        return {name: float(value) for name, value in found.items()}, step.gradients

    def moves(self, *names):
        after = self.values()
        return [b - a for name in names for a, b in zip(self.before[name], after[name], strict=True)]

    def split(self, gradients, *names):
        """Gradients of several networks in a row as a list a network, each in the program's order."""
        ends = np.cumsum([len(self.before[name]) for name in names])
        return [self.sorted(name, gradients[end - len(self.before[name]) : end])
                for name, end in zip(names, ends, strict=True)]  # fmt: skip


def first8(arrays):
    found = np.full((len(arrays), 8), np.nan)
    for row, array in zip(found, arrays, strict=True):
        row[: min(8, array.size)] = array.ravel()[:8]
    return found


def assert_gradients(found, arrays, name):
    norms = arrays[f"{name}grad_norm"]
    np.testing.assert_allclose([np.linalg.norm(g) for g in found], norms, rtol=2e-4, atol=1e-6 * norms.max())
    expected, got = arrays[f"{name}grad_first8"], first8(found)
    gap = np.nan_to_num(np.abs(got - expected))  # NaN where a variable has fewer than eight entries
    assert (gap <= 2e-4 * norms[:, None] + 1e-7 * norms.max()).all()


def assert_moves(found, arrays, name, rate):
    np.testing.assert_allclose([np.linalg.norm(m) for m in found], arrays[f"{name}_norm"], rtol=2e-3)
    # Adam turns a gradient near its epsilon into any move up to the rate, so a few entries may differ by more.
    gap = np.abs(first8(found) - arrays[f"{name}_first8"])
    assert np.nanquantile(gap, 0.98) < 5e-3 * rate + 2e-8


@pytest.mark.parametrize("beta", [0, 0.2, 1])
def test_joint_loss_and_its_gradients_equal_the_program(steps, beta):
    ours = Golden(steps, "mixture", "joint", beta)
    arrays, prefix = ours.arrays, f"mixture.beta{beta}."
    found, (gradients,) = ours.update(0)
    total, *entropies, real, fake, penalty, generator = arrays[prefix + "losses"].tolist()
    assert found["losses/total"] == pytest.approx(total, rel=1e-5)
    assert found["losses/reconstruction"] == pytest.approx(sum(entropies), rel=1e-5)
    assert found["losses/critic"] == pytest.approx(real + fake + 10 * penalty, rel=1e-5)
    assert found["losses/adversarial"] == pytest.approx(generator, rel=1e-5)
    own = dict(zip(variants.TIMES, ours.split(gradients, *variants.TIMES), strict=True))
    in_order = own["encoder"] + own["decoder"] + own["critic"]
    assert_gradients(in_order, arrays, prefix)
    times = np.repeat([3, 1, 2], [len(ours.before[n]) for n in ("encoder", "decoder", "critic")])
    np.testing.assert_array_equal(times, arrays["mixture.times_in_optimizer_list"])
    norm = np.sqrt(sum(n * np.square(g).sum() for n, g in zip(times, in_order, strict=True)))
    assert norm == pytest.approx(float(arrays[prefix + "global_norm_with_duplicates"]), rel=1e-4)


@pytest.mark.parametrize("rate", ["1e-05", "0.001"])
def test_joint_updates_equal_the_program(steps, rate):
    ours = Golden(steps, "mixture", "joint", 0.2, learning_rate=float(rate), decay=0.0)
    arrays, prefix = ours.arrays, f"mixture.beta0.2.lr{rate}."
    for number in (1, 2, 3):
        found, _ = ours.update(number - 1)
        before = float(arrays[prefix + "losses_before_steps"][number - 1, 0])
        assert found["losses/total"] == pytest.approx(before, rel=2e-5)
        if number in (1, 3):
            assert_moves(ours.moves("encoder", "decoder", "critic"), arrays, f"{prefix}move{number}", float(rate))


@pytest.mark.parametrize("prior", ["paper_mixture", "paper_gaussian"])
def test_two_phases_equal_the_paper_by_formula(steps, prior):
    group = prior if prior in steps[1] else "mixture"
    ours = Golden(steps, group, "two_phases", 1.0)
    arrays = ours.arrays
    for number in (1, 2, 3):
        found, (critic, autoencoder) = ours.update(number - 1)
        total, *entropies, generator = arrays[f"{prior}.autoencoder_losses"][number - 1]
        assert found["losses/total"] == pytest.approx(float(total), rel=2e-5)
        assert found["losses/reconstruction"] == pytest.approx(float(sum(entropies)), rel=2e-5)
        assert found["losses/adversarial"] == pytest.approx(float(generator), rel=1e-4)
        assert found["losses/critic"] == pytest.approx(float(arrays[f"{prior}.critic_losses"][number - 1, 0]), rel=2e-5)
        if number == 1:
            assert_gradients(critic, arrays, f"{prior}.critic_")
            assert_gradients(sum(ours.split(autoencoder, "encoder", "decoder"), []), arrays, f"{prior}.autoencoder_")
        if number in (1, 3):
            assert_moves(ours.moves("critic"), arrays, f"{prior}.critic_move{number}", 1e-4)
            assert_moves(ours.moves("encoder", "decoder"), arrays, f"{prior}.autoencoder_move{number}", 1e-4)
