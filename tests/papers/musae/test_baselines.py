"""What stands beside a claim's value, by hand in the made-up world of test_findings; and controls are untrained."""

import dataclasses
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from common.findings import NotTestable
from papers.musae import data, facts, findings, latent, measured as measuring, measures, train
from papers.musae.measured import ALPHAS
from tests.papers.musae.test_findings import SLOPE, path, world
from tests.papers.musae.toy import ToyStore, settings

FLOORS = {"all_hold": 0.0, "step_majority": 0.0}
TWO, GAUSSIAN, FLOWER = findings.TWO, findings.GAUSSIAN, findings.FLOWER
QUOTED = {"V1-T1": 0.917, "V1-T2": 0.951, "V1-T3": 0.641, "V1-T4": 0.651, "V1-T5": 0.66, "V1-T8": 0.651,
          "V2-T3": 0.895, "V2-T4": 0.782, "V2-T5": 0.76, "V2-T8": 0.812}  # fmt: skip
RATIOS = {"model": 1 - np.cos(np.pi / 8), "untrained": 1.0}
NULLS = {"floor": 0.05, "zeros": 0.3, "point": 0.5, "twice_the_deviation": 0.4, "untrained_encoder": 0.6, "codes": 0.1}
# Accuracy of Music VAE's answers in the made-up world, by row of Table 1; dbg is the mean of three tracks.
MUSIC_VAE = {"2bar-musicvae-flat": {"T1": 0.8, "T2": 0.7},
             "16bar-musicvae-flat": {"T3": 0.4, "T4": 0.5, "T5": 0.3, "T8": 0.4},
             "16bar-musicvae-hierarchical": {"T3": 0.7, "T4": 0.7, "T5": 0.4, "T8": 0.6}}  # fmt: skip
BASELINES = {
    **{f"T{k}-{model}": FLOORS for k in range(3, 9) for model in ("gaussian", "flower")},
    "T1-gaussian": FLOORS, "T2-gaussian": FLOORS, "Q4": FLOORS, "Q3": FLOORS, "Q4-16bar": {"step_majority": 0.0},
    **{name: {"quoted": value} for name, value in QUOTED.items()},
    **{f"{cell}-musicvae-{kind}": FLOORS | {"teacher_forced": 1.0} for kind, _, _, _, cell in findings.QUOTED},
    **{f"M{1 + (kind == findings.HIERARCHICAL)}-{cell}": {"music_vae": MUSIC_VAE[rival][cell],
                                                          "music_vae_teacher_forced": 1.0}
       for kind, _, rival, _, cell in findings.QUOTED},
    "S-beta": {"beta_0": 0.9, "as_it_is": 0.95, "beta_tenfold": 0.6},
    "S-beta-prior": {"beta_0": 0.5, "beta_tenfold": 0.2},
    "S-latent": {"as_it_is": 0.95, "latent_quarter": 0.8, "latent_sixteenth": 0.5},
    # The untrained decoder's answers stay where they are (rho 0), or jump.
    **{f"F4a-{name}": {"data": 1.0, "code_ignored": 0.0, "pairs_rising": 1.0} for name in (GAUSSIAN, FLOWER)},
    f"F4a-{TWO}": {"data": 1.0, "code_ignored": 0.0, "pairs_rising": 1.0, "untrained": 0.0},
    "F4b": {TWO: 0.05, GAUSSIAN: 0.2, FLOWER: 0.15}, "F4b-sharper": {"data": 0.0},
    "F4c": {GAUSSIAN: 0.4, TWO: 0.1, "step_majority": 0.0}, "F4c-flower": {FLOWER: 0.3, TWO: 0.1, "step_majority": 0.0},
    "F4d": {GAUSSIAN: 0.4, FLOWER: 0.3}, "F4e": {"data": 0.0, "rise": 0.5},
    **{name: {"even_steps": 0.1, "one_jump": 1.0, "pairs_that_move": 1.0, "untrained": 1.0}
       for name in ("F2", "F2-metrics")},
    "F2-gradual": {"model": 0.1, "untrained": 1.0}, "F2-metrics-gradual": {"model": 0.1, "untrained": 1.0},
    **{f"F2-{metric}": {"code_ignored": 0.0, "untrained": -1.0, "data": 0.5}
       for metric in ("pitch", "notes", "length")},
    "F3": {"share_smooth": 1.0, "unordered": 1.0} | RATIOS, "Q8": RATIOS,
    "Q11": {"model": 1.0, "untrained": 0.0, "step_majority": 0.0, "exchanged_bars": 1.0},
    # Twelve songs, sixteen tags of four genres: a third of the windows at any one petal.
    "Q9": {"hits": 1.0, "constant": 1 / 3, "permuted": 1 / 3, "uniform": 16 / 12 / 4}, "Q9-centre": {"unrelated": 0.0},
    "Q9-wasserstein": NULLS, "Q9-gaussian": NULLS,
    "F5a": {"model": 0.6, "untrained": 0.6, "tokens": 0.7, "exchanged_genres": 0.5},
    "F5b": {"model": 0.9, "untrained": 0.6, "tokens": 0.7, "exchanged_genres": 0.5},
    "F5b-compact": {"model": 0.5, "untrained": 1.0, "tokens": 1.1, "exchanged_genres": 1.05},
    "Q10": {"model": 0.3, "untrained": 0.0, "tokens": 0.0, "no_genre": 0.0}, "G4": {GAUSSIAN: 0.2, FLOWER: 0.2},
}  # fmt: skip
ITEMS = {"F3": (2, "metrics"), "Q8": (2, "metrics"), "Q9-centre": (12, "songs"), "Q10": (20, "resamples"),
         "Q11": (24, "samples"), "F5b-compact": (4, "windows"), "E1": (2, "windows"), "E1-song": (2, "windows"),
         "E21": (4, "notes"), "E3-table": (6, "averages"), "F4b-sharper": (12, "interpolations"),
         "F4e": (12, "interpolations"), **{name: (24, "windows") for name in ("Q2", "Q3", "Q4-16bar", "Q9-gaussian")},
         **{f"F4a-{name}": (12, "interpolations") for name in (TWO, GAUSSIAN, FLOWER)}}  # fmt: skip
ALL = findings.FINDINGS | facts.FACTS


@pytest.fixture(scope="module")
def as_the_paper():
    return world(False)


@pytest.mark.parametrize("claim", [claim for claim in ALL if claim != "G3"])
def test_what_stands_beside_a_value(claim, as_the_paper):
    found = ALL[claim](as_the_paper)
    assert found.get("baselines", {}) == pytest.approx(BASELINES.get(claim, {}), abs=1e-9)
    if claim in ITEMS:
        assert (found["n"], found["of"]) == ITEMS[claim]
    elif "groups" in found:
        assert sum(found["groups"]["weights"]) == found["n"] == (12 if claim.startswith("F") else 24)


def test_a_mirror_that_is_bent_is_measured_in_shares_of_the_rise(as_the_paper):
    """0.05 off in one place, of a rise of 0.5; and the other curve read the right way round."""
    curve = 0.1 + 0.5 * SLOPE**2
    bent = curve[::-1].copy()
    bent[3] += 0.05
    found = findings.mirror(dataclasses.replace(as_the_paper, paths={TWO: path(curve, bent)}))
    assert found["value"] == pytest.approx(0.1) and found["baselines"]["rise"] == pytest.approx(0.5)


def test_pairs_that_stay_where_they_are_count_for_no_step(as_the_paper):
    """Of twelve pairs three do not move: steps are those of the nine, as shares of their own way.

    Of an untrained decoder's pairs one more does not move: the two are compared over eight.
    """
    still = path(0.1 + 0.5 * ALPHAS, 0.6 - 0.5 * ALPHAS)
    still.way[:3], still.steps[:, :3], still.jumps[:3] = 0.0, 0.0, np.nan
    still.steps[2, 3:] = 0.12
    still.jumps[3:, 1] = np.nan
    still.jumps[3:, 2] = 0.4
    null = path(0.1 + 0.5 * ALPHAS, 0.6 - 0.5 * ALPHAS)
    null.way[11], null.steps[:, 11], null.jumps[11], null.jumps[:4] = 0.0, 0.0, np.nan, 0.9
    null.steps[7] = 0.3
    one = dataclasses.replace(as_the_paper, paths={TWO: still, "untrained": null})
    found, metrics = (findings.largest_step(one, metrics) for metrics in (False, True))
    assert found["value"] == pytest.approx(0.12 / 0.6) and found["n"] == metrics["n"] == 9
    assert found["baselines"]["pairs_that_move"] == metrics["baselines"]["pairs_that_move"] == 0.75
    assert metrics["value"] == pytest.approx((0.1 + 0.4) / 2)
    assert metrics["baselines"]["untrained"] == pytest.approx((4 * 0.9 + 7 * 0.1) / 11)
    found, metrics = (findings.more_gradual(one, metrics) for metrics in (False, True))
    assert found["value"] == pytest.approx(0.12 / 0.6 - 0.3 / 0.6) and found["n"] == metrics["n"] == 8
    assert metrics["value"] == pytest.approx((0.1 + 0.4) / 2 - (0.9 + 7 * 0.1) / 8)
    null.way[:], null.jumps[:] = 0.0, np.nan
    for metrics in (False, True):
        with pytest.raises(NotTestable, match="in an untrained decoder"):
            findings.more_gradual(one, metrics)
        assert "untrained" not in findings.largest_step(one, metrics)["baselines"]
    pairs = still.first.copy()
    pairs[:, :6] = pairs[::-1, :6]  # half of the pairs fall, the mean of all is flat
    pairs[:, 6:] += 0.01 * ALPHAS[:, None]
    still.first = pairs
    found = findings.rising(one, TWO)
    assert found["value"] == 1.0 and found["baselines"]["pairs_rising"] == 0.5


def test_smoothness_asks_for_the_order_alone():
    """The ratio of a curve is that of the curve moved or stretched; a metric that stays where it is has none."""
    curve = np.random.default_rng(0).normal(size=(12, 3))
    ratio = measures.von_neumann(curve)
    np.testing.assert_allclose(measures.von_neumann(5 + 3 * curve), ratio)
    steps = [np.square(curve[(k + 1) % 12] - curve[k]) for k in range(12)]
    np.testing.assert_allclose(ratio, np.sum(steps, axis=0) / (2 * 12 * curve.var(axis=0)))
    assert np.isnan(measures.von_neumann(np.ones((12, 1)))).all()
    assert np.isnan(measures.smooth_share(np.ones((12, 1))))


def test_smooth_metrics_are_counted():
    """Of four metrics round a circle of 24 petals two are smooth, one alternates and one stays where it is."""
    turn = 2 * np.pi * np.arange(24) / 24
    curves = np.column_stack([np.cos(turn), np.sin(turn + 1), np.cos(12 * turn), np.ones(24)])
    assert measures.smooth_share(curves, shuffles=300) == pytest.approx(2 / 3)
    assert measures.smooth_share(curves[:, 2:3], shuffles=300) == 0


def test_a_curve_that_is_flat_has_no_rank_correlation():
    rising = np.array([0.1, 0.2, 0.4, 0.5])
    assert measures.rank_correlation(rising, rising**3) == pytest.approx(1)
    assert measures.rank_correlation(rising, -rising) == pytest.approx(-1)
    assert measures.rank_correlation(rising, 0 * rising) == measures.rank_correlation(0 * rising, rising) == 0


def test_largest_shares_of_steps():
    curves = np.array([[0.0, 5.0, 1.0], [1.0, 5.0, 1.5], [4.0, 5.0, 1.0]])
    np.testing.assert_array_equal(measures.largest_share(curves), [0.75, np.nan, 0.5])


def test_overlap_over_metrics_that_some_windows_do_not_have():
    """By hand: two of four values apart is a distance of a half; a metric that nobody has agrees."""
    nothing = np.full(4, np.nan)
    a = np.column_stack([[1, 2, 3, 4], [1, 2, np.nan, np.nan], nothing, nothing])
    b = np.column_stack([[3, 4, 5, 6], [1, 2, np.nan, np.nan], nothing, [1, 1, 1, 1]])
    assert measures.distribution_overlap(a, b) == pytest.approx((0.5 + 1 + 1 + 0) / 4)


@pytest.mark.parametrize("follow", ["code", "sound"])
def test_controls_are_the_flower_untrained(follow, monkeypatch):
    """The same structure and the run's seed: those of the flower, not of the program's Gaussian, which has a style."""
    monkeypatch.setattr(data, "STEPS_PER_BAR", 1)
    seen = []
    monkeypatch.setattr(measuring, "reconstruction", lambda *_: SimpleNamespace(learner="trained"))
    monkeypatch.setattr(measuring, "interpolations", lambda model, config, seed: seed)
    monkeypatch.setattr(measuring, "seconds_per_update", lambda name, run: {name: 1.0})
    monkeypatch.setattr(measuring, "petals", lambda models, untrained, config, seed: seen.append(untrained))
    monkeypatch.setattr(measuring, "genre_pairs", lambda found, untrained, config: seen.append(untrained) or {})
    config, store = settings(follow), ToyStore()
    store.parameters = {"facts": {}}
    jobs = {name: (None, config) for name in ("16bar-flower", "16bar-flower@beta-0")}
    found = measuring.measure(jobs, config, store, SimpleNamespace(seed=5))
    assert set(found.models) == set(jobs) == set(found.seconds) and found.paths == {"16bar-flower": 5}
    untrained, same = seen
    flower = train.networks(16, True, config)
    assert untrained is same and set(untrained.networks) - {"short_decoder"} == set(flower)
    for name, network in flower.items():
        assert [w.shape for w in untrained.networks[name].weights] == [w.shape for w in network.weights], name
    measuring.measure(jobs, config, store, SimpleNamespace(seed=5))
    for one, two in zip(untrained.networks["decoder"].weights, seen[-1].networks["decoder"].weights, strict=True):
        np.testing.assert_array_equal(one, two)
    jobs.pop("16bar-flower")
    assert measuring.measure(jobs, config, store, SimpleNamespace(seed=5)).petals is None and len(seen) == 4


@pytest.mark.slow
@pytest.mark.parametrize("name", [TWO, FLOWER])
def test_an_untrained_encoder_draws_no_codes_to_the_prior(name, monkeypatch):
    """Its samples lie near one Gaussian already: nearer than zeros, a point and the prior with twice its deviation."""
    config, store = dataclasses.replace(settings("sound"), windows=64), ToyStore(songs=16, bars=18)

    def load(entry, config, store, directory, seed):
        keras.utils.set_random_seed(seed)
        return entry.build(config, store)

    monkeypatch.setattr(measuring.training, "load", load)
    monkeypatch.setattr(measuring.training, "history", lambda *_: [{"stage": "train", "losses/beta": 0.3}])
    run = SimpleNamespace(seed=3, model_directory=lambda name: name)
    model = measuring.reconstruction(name, train.MODELS[name], config, store, run, np.arange(4))
    found = latent.prior_distance(measuring.Measured(config, 3, [], None, {}, {name: model}), name)
    others = min(found["baselines"][null] for null in ("zeros", "point", "twice_the_deviation"))
    assert found["value"] <= 0 and found["baselines"]["untrained_encoder"] == found["baselines"]["codes"]
    assert (others > found["baselines"]["codes"]) == (name == TWO)  # the flower has another shape
