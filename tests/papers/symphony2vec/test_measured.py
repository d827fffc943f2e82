"""What is measured on networks, and the pure measures: on what, with which statistics, against which controls."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from scipy.optimize import minimize

from common import findings, loop, training
from papers.symphony2vec import (
    config as settings,
    data,
    embeddings,
    evaluate,
    figures,
    hooks,
    judging,
    latent,
    losses,
    measures,
    measuring,
    preconditions,
    splits,
    train,
)
from papers.symphony2vec.findings import FINDINGS
from papers.symphony2vec.measured import Measured
from tests.papers.symphony2vec import made_up
from tests.papers.symphony2vec.toy import small, small_store

STORE = small_store()


def trained_of(follow, store=STORE, **changes):
    config = small(follow, **changes)
    selection = data.select(config, store)
    images = {seen: data.Images(config, store, selection, seen) for seen in (*settings.REPRESENTATIONS, "crop")}
    return judging.Trained(config, store, SimpleNamespace(seed=0, follow=follow), selection, images)


def empty(trained):
    selection = trained.selection
    return Measured(trained.config, selection.names, selection.labels, selection.train, selection.test)


def test_the_regression_is_fitted_on_the_training_clips_and_judged_on_the_others():
    trained = trained_of("paper")
    found, labels = empty(trained), trained.selection.labels
    rows, test = trained.selection.train, trained.selection.test
    one_hot = 10.0 * np.eye(3)
    # Test codes say the next class: fitted on them the regression would be right, fitted on the training codes it is
    # wrong throughout.
    judging.regress(trained, found, "pca-mel", one_hot[labels[rows]], one_hot[(labels[test] + 1) % 3], rows, test)
    assert (found.judged["pca-mel"].accuracy, found.judged["pca-mel"].train_accuracy) == (0.0, 100.0)
    judging.regress(trained, found, "pca-mel", one_hot[labels[rows]], one_hot[labels[test]], rows, test)
    assert found.judged["pca-mel"].accuracy == 100.0
    assert found.judged["pca-mel"].works.tolist() == trained.selection.works[test].tolist()
    assert found.judged["pca-mel"].train_baselines == judging.baselines(trained, labels, rows, rows)
    assert found.judged["pca-mel"].baselines == judging.baselines(trained, labels, rows, test)
    assert found.judged["pca-mel"].train_baselines != found.judged["pca-mel"].baselines
    judging.regress(trained, found, "pca-mfcc", np.full((len(rows), 2), np.nan), np.ones((len(test), 2)), rows, test)
    assert "not finite" in found.missing["pca-mfcc"]


def test_the_regressions_strength_is_one():
    # Twenty of one class at -1 and twelve of the other at 1: a hundred times the penalty answers one class throughout.
    codes, labels = np.repeat([[-1.0], [1.0]], [20, 12], axis=0) * 0.2, np.repeat([0, 1], [20, 12])
    predicted, _ = measures.classify(codes, labels, codes)
    assert predicted.tolist() == labels.tolist()
    # The optimum written out: half the squared slope and the sum of the losses.
    sign = np.where(labels == 1, 1.0, -1.0)
    slope, constant = minimize(lambda w: 0.5 * w[0] ** 2 + np.log1p(np.exp(-sign * (w[0] * codes[:, 0] + w[1]))).sum(),
                               (0.0, 0.0)).x  # fmt: skip
    edge = np.linspace(-0.2, 0.2, 4001)[:, None]
    _, at = measures.classify(codes, labels, edge)
    assert edge[at.argmax(), 0] == pytest.approx(-constant / slope, abs=1e-3)


def test_a_regression_of_several_fits_is_stopped_where_one_of_them_is():
    for taken, stopped in (([3, 10], True), ([3, 9], False), ([10], True)):
        fitted = SimpleNamespace(n_iter_=np.array(taken), max_iter=10)
        assert measures.stopped(fitted) == stopped


def test_a_regression_that_is_stopped_before_its_optimum_is_named():
    codes = np.random.default_rng(0).normal(size=(25, 3))
    for iterations, names in ((2, ["pca-mel"]), (1000, [])):
        trained = trained_of("paper", regression_iterations=iterations)
        found, rows, test = empty(trained), trained.selection.train, trained.selection.test
        judging.regress(trained, found, "pca-mel", codes, codes[: len(test)], rows, test)
        assert found.stopped == names == evaluate.notes(trained.config, found, 0)["regressions stopped early"]


def test_the_majority_is_that_of_the_training_clips_on_the_test_clips():
    """And chance where that is higher: with whole works held out, who is common in training is rare in the test set."""
    trained = trained_of("paper")
    labels = np.zeros(36, int)
    labels[trained.selection.test] = 1
    labels[trained.selection.test[0]] = 0
    trained.selection = dataclasses.replace(trained.selection, labels=labels)
    rows = np.append(trained.selection.train, trained.selection.test[1])
    rare = labels.copy()
    rare[trained.selection.test[0]] = 1
    chance = judging.judged(trained, rare, np.zeros(11, int), rows, trained.selection.test)
    assert (chance.baselines["majority"], chance.accuracy) == (50.0, 0.0)  # of two composers
    rare[trained.selection.test[3:]] = 0
    most = judging.judged(trained, rare, np.zeros(11, int), rows, trained.selection.test)
    assert most.baselines["majority"] == most.accuracy == pytest.approx(800 / 11)
    labels[trained.selection.train[:4]] = np.arange(2, 6)
    one = judging.judged(trained, labels, np.zeros(11, int), rows, trained.selection.test)
    # Commonest in training is class 0, of the eleven test clips one is: not the test's own commonest, 10 of 11, but one
    # composer of six is named rightly at random more often.
    assert one.baselines["majority"] == pytest.approx(100 / 6) and one.accuracy == pytest.approx(100 / 11)


def test_who_names_composers_at_random_is_not_above_the_trivial_answer():
    """Over many deals of composers to works, as by-work splits deal with them; nor has it learnt."""
    trained, random, above, learnt = trained_of("sound"), np.random.default_rng(0), [], 0
    works, (train, test) = trained.selection.works, (trained.selection.train, trained.selection.test)
    for deal in range(60):
        labels = splits.deal_composers(trained.selection.labels, works, [deal, 19])
        if len(np.unique(labels[train])) < 2:
            continue
        found = empty(trained)
        guesses = random.choice(np.unique(labels[train]), len(test))
        found.judged["cnn-mel"] = one = judging.judged(trained, labels, guesses, train, test)
        above.append(one.accuracy - one.baselines["majority"])
        learnt += found.learnt()["cnn-mel"]["learnt"]
    assert np.mean(above) < 2.0 and learnt <= 0.1 * len(above)


def test_loudness_counts_by_its_deviation_over_a_clip():
    """Clips that deviate by 1 and by 3 meet at 2; by their variances, 1 and 9, they would meet at 2.2."""
    deviation = np.r_[np.tile([1.0, 3.0], 10), 1.9, 2.1]
    level, labels = deviation[:, None] * np.tile([-1.0, 1.0], 4), np.r_[np.tile([0, 1], 10), 0, 1]
    assert measures.loudness_baseline(level, labels, np.arange(20), np.array([20, 21])) == 1.0


def test_loudness_is_read_off_the_first_coefficient_alone():
    labels = np.tile([0, 1], 20)
    level = np.repeat(labels[:, None] * 5.0, 7, axis=1)
    assert measures.loudness_baseline(level, labels, np.arange(20), np.arange(20, 40)) == 1.0
    trained = trained_of("paper")
    other = small_store()
    other.arrays["mfcc"][:, 1:] = 0.0
    rows, test = trained.selection.train, trained.selection.test
    values = [judging.baselines(dataclasses.replace(trained, store=store), trained.selection.labels, rows, test)
              for store in (STORE, other)]  # fmt: skip
    assert values[0] == values[1]


def test_ali_is_judged_on_the_first_part_and_the_others_on_the_last():
    trained = trained_of("code")
    stages = trained.selection.stages
    for name, part in (("ali-128", 0), ("vae-mel", 2), ("ff-32", 2), ("cnn-mel", 2)):
        assert [rows.tolist() for rows in trained.rows(name)] == [rows.tolist() for rows in stages[part]]
    assert trained.rows("pca-mel")[1].tolist() == trained.selection.test.tolist()


class Halves(keras.Model):
    """An encoder whose means are 1 and log deviations 2; with batch statistics, those minus the batch's mean level."""

    def call(self, x, training=False):
        level = keras.ops.mean(x, axis=(1, 2, 3))
        level = level - keras.ops.mean(level) if training else 0.0 * level
        return keras.ops.concatenate([1.0 + level[:, None], 2.0 + level[:, None]], axis=1)


@pytest.mark.parametrize("follow, width, mixes", [("code", 2, True), ("paper", 1, False), ("sound", 1, False)])
def test_codes_of_ali(follow, width, mixes):
    config = small(follow)
    images = np.random.default_rng(0).normal(size=(40, 32, 32, 1)).astype("float32")
    codes = embeddings.ali_codes(Halves(), images, np.arange(40), config)
    assert codes.shape == (40, width)
    if not mixes:
        assert np.all(codes == 1.0)
        return
    # In batches of 16, each by its own mean; the order of the clips stays although batches are drawn.
    level = images.mean(axis=(1, 2, 3))
    by_hand = np.concatenate([level[i : i + 16] - level[i : i + 16].mean() for i in range(0, 40, 16)])
    np.testing.assert_allclose(codes, np.stack([1 + by_hand, 2 + by_hand], axis=1), atol=1e-5)
    shuffled = embeddings.ali_codes(Halves(), images, np.arange(40), config, shuffle=0)
    order = np.random.default_rng([0, 17]).permutation(40)
    np.testing.assert_allclose(shuffled[order[:16], 0], 1 + level[order[:16]] - level[order[:16]].mean(), atol=1e-5)


@pytest.mark.parametrize("follow, width", [("code", 8), ("paper", 4)])
def test_codes_of_the_vae(follow, width):
    trained = trained_of(follow)
    learner = train.MODELS["vae-chroma"].build(trained.config, STORE)
    codes = embeddings.autoencoder_codes("vae", learner, trained.images["chroma"], np.arange(5), trained.config)
    both = learner.networks["encoder"](trained.images["chroma"][np.arange(5)]).numpy()
    np.testing.assert_allclose(codes, both[:, :width], atol=1e-5)


@pytest.mark.slow
def test_the_untrained_encoder_is_untrained_and_has_the_statistics_of_its_data():
    trained = trained_of("paper")
    keras.utils.set_random_seed(0)
    fresh = train.MODELS["ali-40"].build(trained.config, STORE).networks["encoder"]
    before = [w.numpy() for w in fresh.trainable_variables]
    spread = embeddings.ali_codes(fresh, trained.images["crop"], np.arange(36), trained.config).std()
    embeddings.warm(fresh, trained.images["crop"], trained.selection.train, batches=25)
    for a, b in zip(before, fresh.trainable_variables, strict=True):
        np.testing.assert_array_equal(a, b.numpy())
    warmed = embeddings.ali_codes(fresh, trained.images["crop"], np.arange(36), trained.config).std()
    assert warmed > 20 * spread  # with moving statistics at their start its codes are all but constant


def test_pieces_are_judged_each_by_its_own_clip():
    trained = trained_of("paper")
    rows, test = trained.selection.train, trained.selection.test
    pieces = np.tile(test, 2)
    right = np.r_[np.ones(len(test), bool), np.zeros(len(test), bool)]
    predicted = np.where(right, trained.selection.labels[pieces], -1)
    one = judging.judged(trained, trained.selection.labels, predicted, rows, pieces, "pieces")
    assert one.accuracy == 50.0 and one.unit == "pieces" and len(one.works) == len(pieces)


def test_errors_of_reconstructions_are_against_the_own_clip_another_and_the_training_mean():
    trained = trained_of("paper")
    crop = trained.images["crop"]
    rows, test = trained.rows("ali-128")
    one = measuring.errors(trained, crop, crop[test], rows, test)
    assert one.own.max() == 0.0 < one.other.min()
    clips = np.float64(crop[test])
    np.testing.assert_allclose(one.mean, np.square(clips - crop[rows].mean(axis=0)).mean(axis=(1, 2, 3)), rtol=1e-5)
    turned = np.roll(clips, len(test) // 2, axis=0)
    np.testing.assert_allclose(one.other, np.square(clips - turned).mean(axis=(1, 2, 3)), rtol=1e-5)


def test_a_reconstruction_of_ali_comes_from_the_means():
    encoder, z = Halves(), []
    generator = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(4, use_bias=False),
                                  keras.layers.Reshape((2, 2, 1))])  # fmt: skip
    learner = training.Learner({"encoder": encoder, "generator": generator}, {})
    made = latent.reconstruct(learner, np.zeros((3, 32, 32, 1), "float32"), np.arange(3), small("paper"))
    np.testing.assert_allclose(made[0].ravel(), generator(np.ones((1, 1))).numpy().ravel())
    assert not z


class Level(keras.Model):
    """Images (2, 2, 1) of a code's sum; in training mode minus the batch's mean."""

    def call(self, z, training=False):
        total = keras.ops.sum(z, axis=1)
        total = total - keras.ops.mean(total) if training else total
        return total[:, None, None, None] + keras.ops.zeros((1, 2, 2, 1))


def test_statistics_of_a_reconstruction_are_of_64_clips_in_the_encoder_and_of_all_in_the_generator():
    images = np.random.default_rng(0).normal(size=(80, 4, 4, 1)).astype("float32")
    learner, rows = training.Learner({"encoder": Halves(), "generator": Level()}, {}), np.arange(79, 9, -1)
    level = images.mean(axis=(1, 2, 3))[rows]
    codes = 1.0 + np.r_[level[:64] - level[:64].mean(), level[64:] - level[64:].mean()]
    z = np.random.default_rng(1).normal(size=(70, 3)).astype("float32")
    by_hand = {"code": codes - codes.mean(), "paper": np.ones(70)}  # of the encoder's two values the first
    for follow, wanted in by_hand.items():
        made, total = latent.generate(learner, z, small(follow)), z.sum(axis=1)
        np.testing.assert_allclose(made[:, 0, 1, 0], total - total.mean() * (follow == "code"), atol=1e-5)
        found = latent.reconstruct(learner, images, rows, small(follow))
        assert found.shape == (70, 2, 2, 1)
        np.testing.assert_allclose(found[:, 1, 0, 0], wanted, atol=1e-5)


def test_blindness_to_scale_is_the_largest_change_of_the_logits_over_their_deviation():
    z = keras.layers.Input((2,))
    summed = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")(z)
    generator = keras.Model(z, keras.layers.Activation("sigmoid")(summed))
    # On the path the sum is 2 t and 20 t, 18 apart at its end. Sixteen t's deviate by the root of 255 / 12, over 15.
    by_hand = 18 / (2 * np.sqrt(255 / 12) / 15)
    assert latent.scale_blindness(training.Learner({"generator": generator}, {}), 2) == pytest.approx(by_hand, rel=1e-5)
    normal = keras.layers.BatchNormalization()
    generator = keras.Model(z, keras.layers.Activation("sigmoid")(normal(summed)))
    found = latent.scale_blindness(training.Learner({"generator": generator}, {}), 2)
    assert found < 0.01 and (normal.moving_mean.numpy(), normal.moving_variance.numpy()) == (0.0, 1.0)


def test_an_untrained_encoder_is_warmed_by_sixty_batches_of_64_training_clips():
    seen = []

    def encoder(x, training):
        seen.append((training, x[:, 0].tolist()))

    embeddings.warm(encoder, np.arange(90.0)[:, None], np.array([3, 5, 80]))
    assert len(seen) == 60 and all(training for training, _ in seen)
    assert {len(rows) for _, rows in seen} == {64} and {row for _, rows in seen for row in rows} == {3.0, 5.0, 80.0}
    assert seen[0] != seen[1]


def test_principal_components_are_as_many_as_clips_and_cells_allow():
    images = np.random.default_rng(0).normal(size=(12, 2, 3))
    for follow, rows, count in (("paper", 3, 3), ("paper", 12, 4), ("sound", 12, 4)):  # a code has four values
        assert embeddings.fit_pca(images, np.arange(rows), small(follow)).n_components_ == count
    assert embeddings.fit_pca(images[:, :1, :2], np.arange(12), small("paper")).n_components_ == 2
    parts = [(np.arange(5), np.arange(5, 8)), (np.arange(8, 10), np.arange(10, 12))]
    widths = {follow: {codes.shape for pair in embeddings.pca_codes(images, parts, small(follow)) for codes in pair}
              for follow in ("code", "paper")}  # fmt: skip
    # One fit of all seven training clips, or one a set, the smallest of which has two clips.
    assert widths == {"code": {(5, 2), (3, 2), (2, 2)}, "paper": {(5, 4), (3, 4), (2, 4)}}


def test_what_a_bernoullis_logits_look_like():
    logits = np.zeros((1, 2, 2), "float32")
    for follow, value in (("code", 0.5), ("paper", 0.5), ("sound", 0.0)):
        assert measuring.seen(small(follow), "vae-mel", logits).max() == value
        assert measuring.seen(small(follow), "ae-mel", logits).max() == 0.0


def test_the_best_images_of_the_programs_likelihood_have_logits_of_at_most_28():
    x = np.float32([-1.5, 0.0, 0.25, 1.0, 3.0])
    np.testing.assert_allclose(measuring.best_logits(x), [-28, -28, -np.log(3), 28, 28], rtol=1e-6)
    trained = trained_of("code")
    trained.rows = lambda name: (np.array([0]), np.array([1, 2]))

    trained.images["mfcc"] = np.stack([9.0 * x, x, 0.0 * x])[..., None]  # the third clip loses nothing
    # By hand: 1.5 times the pull's end below 0, the entropy of a quarter, and twice the library's log of 0 above 1.
    quarter = -(0.25 * np.log(0.25) + 0.75 * np.log(0.75))
    by_hand = 32 * (-1.5 * 28 + quarter + 2 * np.log(1e-12))
    assert measuring.best_vae_loss(trained, "vae-mfcc") == pytest.approx(by_hand / 2, rel=1e-5)
    worse = losses.library_binary_cross_entropy(x[None, :, None], 0.9 * measuring.best_logits(x)[None, :, None])
    assert 32 * float(worse[0]) > by_hand


def test_scores_of_the_test_clips_stand_in_the_log():
    images = np.zeros((8, 5), "float32")
    images[4:] = 20.0 * np.eye(5)[[0, 1, 2, 3]]  # certain of the test clips' classes
    labels = np.array([4, 4, 4, 4, 0, 1, 2, 0])
    part = data.Part(images, labels, np.arange(4), np.arange(4, 8), 36)
    network = keras.Sequential([keras.layers.Input((5,)), keras.layers.Identity()])
    learner = training.Learner({"classifier": network}, {})
    once = hooks.test_scores(part, False, False, learner)
    assert once["metrics/test_accuracy"] == 0.75 and once["losses/test_cross_entropy"] == pytest.approx(5.0, abs=1e-3)
    twice = hooks.test_scores(part, False, True, learner)
    assert twice["losses/test_cross_entropy"] == pytest.approx((3 * 0.904832 + 1.904832) / 4, abs=1e-4)


def test_batches_hold_each_clips_own_label():
    config = small("paper")
    for part in data.parts(config, STORE, "mel"):
        indices = np.array([5, 0, 17])
        batch = part.read_labelled(indices)
        np.testing.assert_array_equal(batch["x"], part.images[part.train[indices]])
        assert batch["label"].tolist() == [int(STORE.index[row]["label"][-1]) for row in part.train[indices]]
        pieces = part.read_pieces(np.array([0, len(part.train) + 3]))  # the first clip's first, the fourth's second
        assert pieces["label"].tolist() == part.labels[part.train[[0, 3]]].tolist()
        np.testing.assert_array_equal(pieces["x"][1], part.images[part.train[[3]]][0][:, 36:72])


def test_clips_and_splits_of_the_modes():
    code, paper, sound = (data.select(small(follow), STORE) for follow in ("code", "paper", "sound"))
    offsets = np.array([row["offset"] for row in STORE.index])
    assert offsets[np.r_[code.train, code.test]].max() == 2 * 220500 < offsets.max()  # the last clip is dropped
    assert len(np.unique(code.train)) < len(code.train) == 19 and len(code.stages) == 3
    assert sorted([*paper.train, *paper.test]) == list(range(36)) and len(paper.train) == 25
    assert not set(sound.works[sound.train]) & set(sound.works[sound.test])


def test_scales_of_the_crop():
    rows = np.arange(36)
    for follow, unit in (("code", False), ("paper", False), ("sound", True)):
        trained = trained_of(follow)
        crop = trained.images["crop"]
        assert (crop[rows].min() >= 0 and crop[rows].max() <= 1) == unit
        np.testing.assert_allclose(crop.decibels(crop[rows])[..., 0], STORE.arrays["mel"][:, :32, 32:64], atol=1e-3)


def test_samples_spread_and_slopes():
    falling = np.linspace(1, 0, 16)[:, None, None, None] * np.ones((16, 4, 4, 1))
    assert (measures.level_slope(falling), measures.level_slope(falling[::-1])) == pytest.approx((-1.0, 1.0))
    assert measures.level_slope(np.ones((16, 4, 4, 1))) == 0.0
    assert measures.level_slope(falling[[15, 0]]) == pytest.approx(1.0)  # of two images
    random = np.random.default_rng(0)
    real = random.normal(size=(200, 2))
    assert measures.two_sample_accuracy(real + 50, real) == 1.0
    assert measures.two_sample_accuracy(random.normal(size=(200, 2)), real) == pytest.approx(0.5, abs=0.12)
    path = latent.path(128)
    assert path.shape == (16, 128) and path[3, 0] == pytest.approx(0.2) and (path[-1] == 1).all()
    a, b = np.array([1, 1, 1, 1, 0, 0], bool), np.array([1, 0, 0, 0, 0, 1], bool)
    alone = np.arange(6)
    assert (measures.mcnemar(a, b, alone), measures.mcnemar(a, a, alone)) == (1.0, 0.0)
    assert measures.mcnemar(a, b, [0, 0, 0, 0, 0, 1]) == pytest.approx(2 / np.sqrt(10))  # leads of 3 and -1
    assert measures.mcnemar(~a, ~b, alone) == 1.0
    values = np.array([1.0, 1.0, 0.0, 0.0])
    assert measures.clustered_error(values, [0, 1, 2, 3]) == pytest.approx(np.std(values, ddof=1) / 2)
    assert measures.clustered_error(values, [0, 0, 1, 1]) == pytest.approx(0.5)  # two groups of means 1 and 0
    assert measures.clustered_error(values, [0] * 4) == np.inf
    assert measures.permutation_p(np.arange(9) % 3, np.arange(9) % 3) < 0.02
    assert measures.permutation_p(np.zeros(9, int), np.arange(9) % 3) == 1.0


def test_p_is_the_share_of_two_hundred_permutations_and_the_answers_themselves():
    predicted = np.arange(60) % 3
    assert measures.permutation_p(predicted, predicted) == 1 / 201  # no permutation of sixty labels is all right
    assert measures.permutation_p(np.zeros(60, int), predicted) == 1.0  # every one is as often right
    assert measures.permutation_p(predicted, (predicted + 1) % 3) == 1.0  # never right


def test_a_nearest_neighbour_is_another_image_of_as_many_of_each_kind():
    def column(*values):
        return np.array(values, float)[:, None]

    assert measures.two_sample_accuracy(column(0, 10), column(1, 100)) == 0.0  # nearest are 1, 1, 0 and 10
    assert measures.two_sample_accuracy(column(0, 10, 99), column(1, 100)) == 0.0  # a third has no counterpart
    assert measures.two_sample_accuracy(column(0, 3, 50), column(1, 50.5, 60)) == pytest.approx(1 / 6)  # 60's is 50.5
    assert measures.two_sample_accuracy(column(0, 0), column(5, 5)) == 1.0  # two of the same: the other one
    assert measures.two_sample_accuracy(column(0, 100), column(0, 101)) == 0.0  # and never an image itself


@pytest.mark.parametrize("shuffled", [False, True])
def test_a_plain_corpus_is_learnt_and_with_shuffled_labels_it_is_not(shuffled, tmp_path):
    store = small_store(works=6, clips=5, seed=3)
    store.arrays["mel"] -= store.arrays["mel"].mean()
    if shuffled:
        labels = np.random.default_rng(4).permutation([row["label"] for row in store.index])
        for row, label in zip(store.index, labels, strict=True):
            row["label"] = str(label)
            row["group"] = f"{label}/{row['group']}"
    config = small("sound", classifier_epochs=25, feed_forward_units=(16,), feed_forward_learning_rate=1e-2,
                   split="without_replacement")  # fmt: skip
    training.train("ff-mel", train.MODELS["ff-mel"], config, store, tmp_path, 0, checkpoint_seconds=1e9)
    trained = trained_of("sound", store, **{key: getattr(config, key) for key in ("split", "feed_forward_units")})
    trained.learners["ff-mel"] = training.load(train.MODELS["ff-mel"], config, store, tmp_path)
    found = empty(trained)
    judging.judge_model(trained, found, settings.MODELS["ff-mel"])
    judging.judge_pca(trained, found, settings.MODELS["pca-mel"])
    for name in ("ff-mel", "pca-mel"):
        accuracy = found.judged[name].accuracy
        assert accuracy < 60 if shuffled else accuracy > 90, (name, accuracy)
    assert loop.history(tmp_path)[-1]["losses/cross_entropy"] < 0.5  # both can be learnt by heart


def test_the_gates_balance():
    assert losses.gate_equilibrium(3.5) == pytest.approx((0.8262261, 0.1737739, 0.3817737), abs=1e-7)


class PageRun:
    """What figures need of a run: a place for files."""

    def __init__(self, directory, follow):
        self.directory, self.follow, self.seed = directory, follow, 0

    def figure(self, name):
        return self.directory / f"{name}.png"

    def audio(self, name):
        return self.directory / f"{name}.wav"

    def relative(self, path):
        return str(path)


@pytest.mark.slow
@pytest.mark.parametrize("follow", ["code", "sound"])
def test_every_model_is_measured_and_drawn_and_every_claim_answered(follow, tmp_path):
    trained = trained_of(follow, latent_samples=8, directions=2, code_size=4)
    trained.run = PageRun(tmp_path, follow)
    names = settings.trained_models(SimpleNamespace(follow=follow, preset="full"))
    twins = {"cnn-mel-clips", "cnn-mel-dealt", "cnn-mel-clips-dealt", "vae-mel-clips", "ali-128-clips",
             "ali-128-reconstruction", "ali-128-gate-2.5"}  # of each kind one
    names = [name for name in names if not settings.MODELS[name].of or name in twins]
    for name in train.MODELS:
        if name in names:
            trained.learners[name] = train.MODELS[name].build(settings.MODELS[name].settings(trained.config), STORE)
            trained.history[name] = made_up.measured().history.get(name, made_up.classifier_lines(1.0))
        else:
            trained.missing[name] = "not trained"
    found = measuring.measure(trained)
    results = evaluate.asked(evaluate.finite(findings.collect(FINDINGS, found)), follow)
    answered = {claim for claim, entry in results.items() if "value" in entry}
    reasons = {claim: entry["not_testable"] for claim, entry in results.items() if "value" not in entry}
    assert set(results) == set(FINDINGS) and all(reasons.values())
    assert {"C-T4-PCA-s", "Q3", "Q1-VAE", "Q16", "I-own-128", "I-mean-AE-mel", "C-F9-low"} <= answered
    assert ("I-own-128-reconstruction" in answered) == (follow == "sound")
    leak = {"L-CNN-mel", "L-PCA-chroma", "L-VAE-mel", "L-dealt-clips-PCA-mfcc", "L-dealt-works-CNN-mel", "L-T1-test"}
    assert (leak <= answered) == bool(leak & answered) == (follow == "sound")
    assert {"ali-128", "vae-mel", "cnn-mel", "ali-128-regression", "pca-mel-regression"} <= set(found.learnt())
    assert set(found.vae_best) == (set(settings.REPRESENTATIONS) if follow == "code" else set())
    asked = {one for claim, groups in preconditions.PRECONDITIONS.items() if claim in answered
             for group in groups for one in group}  # fmt: skip
    assert asked and asked <= set(found.learnt()), asked - set(found.learnt())
    sections = figures.media(trained, found, results)
    assert {"Inference", "Reconstructions", "Composer classification"} <= {section["title"] for section in sections}
    assert (sections[0]["title"] == "Works on both sides") == (follow == "sound")
    known = set(FINDINGS)
    for item in [item for section in sections for item in section["items"]]:
        assert set(item.get("claims", [])) <= known
        assert item["kind"] == "table" or Path(item["file"]).is_file()
    for section in sections:  # what was rebuilt stands beside its original and beside the mean of all
        for row in section.get("grid", {"cells": []})["cells"]:
            assert [Path(tmp_path / cell["audio"]).is_file() for cell in row] == [True] * 3
    assert set(evaluate.notes(trained.config, found, 0)["permutation_p"]) == {"ali-128"}
