"""fma_interpolation's training steps against the authors' notebooks: losses, gradients, updates, paths of codes.

`ENCORE_GOLDEN` names a folder with files of the same form (other weights and data); by default the copy here.
"""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from common import noise
from common.config import resolve
from common.training import Learner
from papers.fma_interpolation import config as settings, data, inference, learners, losses, model, train, variants

HERE = Path(os.environ.get("ENCORE_GOLDEN", Path(__file__).parent))
FREE = ("bias", "gamma")  # a bias followed by a gamma is undone by the normalisation: its gradient is rounding

# case -> (loss, divergence, network); the rate is that of the file
CASES = {
    "baseline_584ade5": ("cross_entropy", "sampled", "baseline"),
    "bottleneck_4cc88e5": ("cross_entropy", "analytic", "bottleneck"),
    "bottleneck_01a6466": ("cross_entropy", "analytic", "bottleneck"),
    "bottleneck_e261498": ("swapped", "sampled", "bottleneck"),
    "bottleneck_6b96f49": ("squared_error", "sampled", "bottleneck"),
    "conv1d_3c5c932": ("squared_error", "sampled", "conv1d"),
    "conv2d_1b0ba3d": ("squared_error", "sampled", "conv2d"),
}
SMALL = [case for case in CASES if case != "conv2d_1b0ba3d"]
TWO_DRAWS = ("bottleneck_e261498", "bottleneck_6b96f49", "conv1d_3c5c932")


@pytest.fixture(scope="module")
def golden():
    return (np.load(HERE / "fma_interpolation_steps.npz"),
            json.loads((HERE / "fma_interpolation_steps.weights.json").read_text()))


class GoldenStep(noise.Step):
    """A step whose draws are given by name; it keeps the gradients that it applies."""

    def __init__(self, draws):
        rows = len(next(iter(draws.values())))
        super().__init__(0, "train", tf.constant(0, tf.int64), tf.constant(rows, tf.float32), tf.range(rows), rows)
        self.draws = draws

    def normal(self, name, shape=(), mean=0.0, stddev=1.0):
        return tf.constant(self.draws[name])

    def apply(self, optimizer, gradients, variables, **options):
        self.gradients = [np.asarray(g) for g in gradients]
        super().apply(optimizer, gradients, variables, **options)


def networks(kind, bands, frames, latent, rows):
    sizes = (bands, frames, latent)
    if kind == "baseline":
        return model.baseline_encoder(*sizes), model.baseline_decoder(*sizes)
    if kind == "bottleneck":
        return variants.bottleneck_encoder(*sizes), model.baseline_decoder(*sizes)
    if kind == "conv1d":
        widths = [row[2][-1] for row in rows if row[1] == "kernel"]
        filters, inception, dense = widths[:4], widths[4:22:6], widths[22]
        transposed = [row[2][2] for row in rows if len(row[2]) == 4][:-1]
        return model.conv1d_encoder(*sizes, filters, inception, dense), model.conv1d_decoder(*sizes, transposed)
    return model.conv2d_encoder(*sizes), model.conv2d_decoder(*sizes)


def match(learner, rows):
    """[(variable, row number)]: the next row of the same name and shape, a bias or beta beside its kernel or gamma."""
    free, pairs, last = list(range(len(rows))), [], None
    for name in ("encoder", "decoder"):
        for variable in learner.networks[name].variables:
            shape, kind = tuple(variable.shape), variable.path.split("/")[-1]
            shapes = (shape, (1, *shape)) if len(shape) == 3 else (shape,)  # transposed: a side of 1
            if kind in ("bias", "beta"):
                last = last + 1
            else:
                last = next(i for i in free if rows[i][1] == kind and tuple(rows[i][2]) in shapes)
            assert rows[last][1] == kind and tuple(rows[last][2]) in shapes
            free.remove(last)
            pairs.append((variable, last))
    assert not free
    return pairs


def fill(pairs, rows, seed):
    for variable, place in pairs:
        k, _, shape, formula, _ = rows[place]
        u = np.random.RandomState(1000 * seed + k).uniform(-1, 1, shape)
        value = eval(formula, {"sqrt": np.sqrt, "u": u})
        variable.assign(value.reshape(variable.shape).astype(np.float32))


def probe(value):
    flat = np.asarray(value, np.float64).ravel()
    if flat.size <= 32:
        return np.concatenate([flat, np.full(32 - flat.size, np.nan)])
    return np.concatenate([flat[:16], flat[[j * flat.size // 16 for j in range(16)]]])


def image(seed, which, shape):
    """An image of the golden page's formula, (batch, height, width, 1)."""
    b, r, c = np.ogrid[:shape[0], :shape[1], :shape[2]]
    wave = 0.5 + 0.3 * np.sin(0.05 * (b + 1) * r + 0.11 * c + 0.7 * seed)
    noisy = wave + 0.2 * np.random.RandomState(1000 * seed + which).uniform(-1, 1, shape)
    return np.clip(noisy, 0, 1)[..., None].astype(np.float32)


def seed_of(arrays):
    """The seed that the file was made with: the one whose formula gives its x_small."""
    small = arrays["x_small"]
    return next(s for s in range(1, 100) if np.allclose(image(s, 900, small.shape[:3]), small, atol=1e-6))


def prepared(case, golden):
    """(learner with the golden weights, rows, pairs, images, noise of three steps)."""
    arrays, weights = golden
    rows, kind, seed = weights[case], CASES[case][2], seed_of(golden[0])
    x, eps = arrays["x_small"], arrays["eps"]
    if kind == "conv2d":
        width = 32 * arrays[f"{case}/train_output_every8"].shape[2] // 4
        x = image(seed, 903, (len(x), 256, width))
        assert x.sum() == pytest.approx(float(arrays[f"{case}/x_sum"]), rel=1e-5)
    elif len(arrays[f"{case}/mean"]) == 1:
        x, eps = image(seed, 900, (1, *x.shape[1:3])), eps[:, :1]
    made = networks(kind, *x.shape[1:3], eps.shape[-1], rows)
    learner = Learner(dict(zip(("encoder", "decoder"), made, strict=True)),
                      learners._adam(float(arrays[f"{case}/learning_rate"]), *made))
    assert learner.optimizers["adam"].epsilon == pytest.approx(float(arrays[f"{case}/adam_epsilon"]))
    pairs = match(learner, rows)
    fill(pairs, rows, seed)
    return learner, rows, pairs, x, eps


def step_of(case, second=False):
    loss, divergence, _ = CASES[case]

    def run(learner, x, draws):
        step = GoldenStep(draws)
        with noise.step_scope(step):
            return train.autoencoder_step(loss, divergence, second, learner, {"image": tf.constant(x)}, step), step

    return run


def close(found, expected, tolerance, absolute=1e-12):
    found, expected = np.nan_to_num(np.asarray(found, np.float64)), np.nan_to_num(np.asarray(expected, np.float64))
    assert np.linalg.norm(found - expected) <= max(tolerance * np.linalg.norm(expected), absolute), (found, expected)


def kept_rows(rows):
    trainable = [k for k, row in enumerate(rows) if row[4]]
    return [k for k, after in zip(trainable, [*trainable[1:], None], strict=True)
            if after is None or (rows[k][1], rows[after][1]) != FREE]


@pytest.mark.parametrize("case", SMALL)
def test_steps_equal_the_programs(case, golden):
    arrays, _ = golden
    learner, rows, pairs, x, eps = prepared(case, golden)
    at = {place: k for k, place in enumerate(arrays[f"{case}/trainable_index"])}
    before = {place: variable.numpy() for variable, place in pairs}
    for place, value in before.items():
        close(probe(value), arrays[f"{case}/before"][place], 1e-6)
    mean, log_variance = (x.numpy() for x in learner.networks["encoder"](x))
    close(mean, arrays[f"{case}/mean"], 1e-5), close(log_variance, arrays[f"{case}/logvar"], 1e-5)
    run, order = step_of(case), [place for network in ("encoder", "decoder") for v in
                                 learner.networks[network].trainable_variables for w, place in pairs if w is v]
    for k in range(4):
        found, step = run(learner, x, {"code": eps[k % 3]})
        for term, key in (("total", "total"), ("reconstruction", "reconstruction"), ("kl", "divergence")):
            # a sampled divergence is a small difference of two sums
            close(found[f"losses/{key}"], arrays[f"{case}/loss_{term}"][k], 5e-5 if term == "kl" else 1e-5, 1e-5)
        if k == 0:
            for place, gradient in zip(order, step.gradients, strict=True):
                close(probe(gradient), arrays[f"{case}/gradient"][at[place]], 2e-5)
                assert np.linalg.norm(gradient) == pytest.approx(arrays[f"{case}/gradient_norm"][at[place]], rel=1e-5)
        if k in (0, 2):
            changes = [(probe(v.numpy()) - probe(before[p]), arrays[f"{case}/after{k + 1}"][p]
                        - arrays[f"{case}/before"][p]) for v, p in pairs]
            close(*(np.concatenate([np.nan_to_num(c[i]) for c in changes]) for i in (0, 1)), 1e-3)


@pytest.mark.parametrize("case", TWO_DRAWS)
def test_the_second_draw_is_the_programs(case, golden):
    arrays, _ = golden
    learner, rows, pairs, x, eps = prepared(case, golden)
    decoded, judged = arrays[f"{case}/two_draws_decoded_kl"]
    found, step = step_of(case, second=True)(learner, x, {"code": eps[int(decoded)], "second code": eps[int(judged)]})
    close(found["losses/total"], arrays[f"{case}/two_draws_loss_total"], 1e-5)
    norms = {p: np.linalg.norm(g) for p, g in zip([place for network in ("encoder", "decoder") for v in
             learner.networks[network].trainable_variables for w, place in pairs if w is v], step.gradients,
             strict=True)}
    close([norms[p] for p in arrays[f"{case}/trainable_index"]], arrays[f"{case}/two_draws_gradient_norm"], 1e-5)


@pytest.mark.parametrize("case", ["baseline_584ade5", "bottleneck_6b96f49", "conv1d_3c5c932"])
@pytest.mark.parametrize("kept", ["reconstruction", "kl"])
def test_each_term_reaches_the_networks_it_should(case, kept, golden, monkeypatch):
    """Gradient table: reconstruction reaches both networks, the divergence the encoder only."""
    arrays, _ = golden
    learner, rows, pairs, x, eps = prepared(case, golden)
    loss, divergence, _ = CASES[case]
    if kept == "kl":
        monkeypatch.setitem(losses.RECONSTRUCTION, loss, lambda image, output: 0.0 * output[:, 0, 0, 0])
    else:
        monkeypatch.setitem(losses.DIVERGENCE, divergence, lambda mean, log_variance, code: 0.0 * code[:, 0])
    _, step = step_of(case)(learner, x, {"code": eps[0]})
    order = [place for network in ("encoder", "decoder") for v in learner.networks[network].trainable_variables
             for w, place in pairs if w is v]
    expected = arrays[f"{case}/gradient_norm_{kept}"]
    at = {place: k for k, place in enumerate(arrays[f"{case}/trainable_index"])}
    for place, gradient in zip(order, step.gradients, strict=True):
        assert np.linalg.norm(gradient) == pytest.approx(expected[at[place]], rel=2e-5, abs=1e-6)
    decoder = len(learner.networks["decoder"].trainable_variables)
    reached = [np.any(g != 0) for g in step.gradients]
    assert any(reached[:-decoder]) and any(reached[-decoder:]) == (kept == "reconstruction")


@pytest.mark.slow
def test_conv2d_steps_equal_the_programs(golden):
    """Badly conditioned in float32: twice the differences measured against float64, no single updates.

    Later steps run apart with the processor. From float64 the program's file is 2.6e-3 in the norms of three updates
    and 3e-2 in the fourth divergence; float32 on a processor with 16-bit units 1.8e-3 and 1e-3.
    """
    case, (arrays, _) = "conv2d_1b0ba3d", golden
    learner, rows, pairs, x, eps = prepared(case, golden)
    before = {place: variable.numpy() for variable, place in pairs}
    for place, value in before.items():
        close(probe(value), arrays[f"{case}/before"][place], 1e-6)
    mean, log_variance = (v.numpy() for v in learner.networks["encoder"](x))
    close(mean, arrays[f"{case}/inference_mean"], 2e-5)
    output = learner.networks["decoder"](inference.draw(mean, log_variance, eps[0])).numpy()
    close(output[:, ::8, ::8, 0], arrays[f"{case}/inference_output_every8"], 2e-5)
    valid = train.validate_autoencoder("squared_error", lambda i: {"image": tf.constant(x[i])}, len(x), "sampled", 0,
                                       None, learner)
    expected = arrays[f"{case}/validation_reconstruction_kl"]
    assert valid["validation/reconstruction"] == pytest.approx(expected[0], rel=0.05)  # another draw of the code
    run, trainable = step_of(case), {v.path: p for v, p in pairs}
    at, kept = {place: k for k, place in enumerate(arrays[f"{case}/trainable_index"])}, set(kept_rows(rows))
    assert len(arrays[f"{case}/trainable_index"]) - len(kept) == 22
    for k in range(4):
        found, step = run(learner, x, {"code": eps[k % 3]})
        close(found["losses/total"], arrays[f"{case}/loss_total"][k], 4e-6 if k == 0 else 2e-3)
        close(found["losses/reconstruction"], arrays[f"{case}/loss_reconstruction"][k], 4e-6 if k == 0 else 2e-3)
        close(found["losses/divergence"], arrays[f"{case}/loss_kl"][k], (2e-5, 2e-2, 2e-2, 5e-2)[k])
        if k == 0:
            variables = [v for n in ("encoder", "decoder") for v in learner.networks[n].trainable_variables]
            for variable, gradient in zip(variables, step.gradients, strict=True):
                place = trainable[variable.path]
                if place in kept:
                    assert np.linalg.norm(gradient) == pytest.approx(
                        float(arrays[f"{case}/gradient_norm"][at[place]]), rel=1e-2)
                    close(probe(gradient), arrays[f"{case}/gradient"][at[place]], 4e-2)
        if k == 2:
            change = {p: np.linalg.norm(v.numpy() - before[p]) for v, p in pairs if p in kept}
            close(list(change.values()), arrays[f"{case}/after3_change_norm"][list(change)], 6e-3)


# ---------------------------------------------------------------- interpolation

def test_the_nine_panels_blend_means_and_log_variances(golden):
    arrays, weights = golden
    case = "interpolation_584ade5"
    seed, rows, eps = seed_of(arrays), weights["baseline_584ade5"], arrays[f"{case}/eps"]
    sizes = (*arrays[f"{case}/a"].shape[1:3], eps.shape[-1])
    learner = Learner({"encoder": model.baseline_encoder(*sizes), "decoder": model.baseline_decoder(*sizes)}, {})
    fill(match(learner, rows), rows, seed)
    ends = [inference.posteriors(learner, arrays[f"{case}/{end}"][..., 0]) for end in "ab"]
    for end, (mean, log_variance) in zip("ab", ends, strict=True):
        close(mean, arrays[f"{case}/{end}_mean"], 1e-5), close(log_variance, arrays[f"{case}/{end}_logvar"], 1e-5)
    shares = inference.fractions(len(eps))  # ours counts A, the program's fractions count B
    codes = inference.path_codes(*ends, shares, "parameters", eps[None])
    close(codes[0], arrays[f"{case}/points"], 1e-5)
    close(inference.path_codes(*ends, shares, "mean", None)[0], arrays[f"{case}/means"], 1e-5)
    images = inference.decode(learner, codes[0], "cross_entropy")
    close(images, arrays[f"{case}/images"][..., 0], 1e-5)


def test_the_last_cell_blends_drawn_codes(golden):
    arrays, _ = golden
    case = "interpolation_c114915"
    ends = [(arrays[f"{case}/{end}_mean"], arrays[f"{case}/{end}_logvar"]) for end in "ab"]
    noise_of = arrays[f"{case}/eps"].transpose(1, 0, 2)
    codes = inference.path_codes(*ends, inference.fractions(5), "sample", noise_of)[0]
    close(codes[0], arrays[f"{case}/a_latent"][0], 1e-5), close(codes[-1], arrays[f"{case}/b_latent"][0], 1e-5)
    close(codes[2], (arrays[f"{case}/a_latent"][0] + arrays[f"{case}/b_latent"][0]) / 2, 1e-5)


def test_the_rates_of_code_are_the_files(golden):
    arrays, _ = golden
    code = resolve(settings, "code", "full")
    rates = {case: float(arrays[f"{case}/learning_rate"]) for case in CASES}
    assert rates["baseline_584ade5"] == pytest.approx(code.baseline_rate)
    assert rates["bottleneck_6b96f49"] == pytest.approx(code.overfit_rate)
    for case in ("bottleneck_4cc88e5", "bottleneck_01a6466", "bottleneck_e261498"):
        assert rates[case] == pytest.approx(code.cross_entropy_rate)
    assert rates["conv1d_3c5c932"] == pytest.approx(code.conv1d_rate)
    assert rates["conv2d_1b0ba3d"] == pytest.approx(code.conv2d_rate)
    assert data.BATCH and code.second_draw and code.validation_code == "sample" and code.interpolate == "parameters"
