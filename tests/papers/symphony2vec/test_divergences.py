"""Each of these divergences changes what it says it changes: the loss, rates, codes, axes, scales, statistics."""

import numpy as np
import pytest
import tensorflow as tf

from papers.symphony2vec import config as settings, data, embeddings, learners, model, train
from tests.papers.symphony2vec.toy import small, small_store

MODES = ("code", "paper", "sound")


def each(value):
    """{mode: value of a mode's small settings}."""
    return {follow: value(small(follow)) for follow in MODES}


def test_the_program_takes_the_softmax_of_a_softmax():  # classifier_loss
    step = {follow: train.classifier_train_step(settings.MODELS["ff-mel"], small(follow)) for follow in MODES}
    logits, labels = tf.constant([[20.0, 0, 0, 0, 0]]), tf.constant([0])
    costs = {follow: float(one.keywords["loss"](logits, labels)[0]) for follow, one in step.items()}
    assert costs["paper"] == costs["sound"] == pytest.approx(0, abs=1e-6)
    assert costs["code"] == pytest.approx(0.905, abs=1e-3)


def test_the_programs_lstms_have_rates_of_their_own():  # lstm_optimizer
    rates = {follow: learners.rate_and_decay(settings.MODELS["lstm-mel"], small(follow)) for follow in MODES}
    assert rates == {"code": (1e-4, 1e-5), "paper": (1e-3, 0.0), "sound": (1e-3, 0.0)}


def test_the_programs_vae_goes_on_at_a_tenth_of_the_rate():  # vae_schedule
    names = {}
    for follow in MODES:
        config = small(follow, vae_epochs=7, mel_training="whole")
        stages = train.vae_stages(settings.MODELS["vae-mel"], config, small_store(), 0)
        names[follow] = [(one.name, one.steps // one.batches.steps_per_epoch) for one in stages]
    assert names["paper"] == names["sound"] == [("part-1", 7)]
    assert names["code"] == [("part-1-fast", 5), ("part-1-slow", 2)]


def test_the_programs_codes_hold_variances_too():  # vae_code, ali_code
    store, images = small_store(), np.random.default_rng(0).normal(size=(20, 32, 32, 1)).astype("f4")
    config = small("paper")
    learner = learners.vae(settings.MODELS["vae-chroma"], config, store)
    chroma = store.array("chroma")
    sizes = each(lambda one: embeddings.autoencoder_codes("vae", learner, chroma, np.arange(5), one).shape[1])
    assert sizes == {"code": 8, "paper": 4, "sound": 4}
    encoder = model.ali_encoder(6, width=2)
    sizes = each(lambda one: embeddings.ali_codes(encoder, images, np.arange(20), one).shape[1])
    assert sizes == {"code": 12, "paper": 6, "sound": 6}


def test_the_programs_codes_of_ali_depend_on_the_batch():  # ali_statistics
    images = np.random.default_rng(0).normal(size=(16, 32, 32, 1)).astype("f4")
    encoder, changes = model.ali_encoder(6, width=2), {}
    for follow in MODES:
        one = small(follow)
        alone, among = (embeddings.ali_codes(encoder, images, rows, one)[0, :6] for rows in ([0, 1], np.arange(16)))
        changes[follow] = not np.allclose(alone, among, atol=1e-5)
    assert changes == {"code": True, "paper": False, "sound": False}


def test_the_program_fits_other_axes_to_what_is_tested():  # pca_fit
    images, parts = np.random.default_rng(0).normal(size=(30, 3, 5)), [(np.arange(20), np.arange(20, 30))]
    found = each(lambda one: embeddings.pca_codes(images, parts, one)[0])
    axes = embeddings.fit_pca(images, np.arange(20), small("paper"))
    shared = embeddings.pca_transform(axes, images, np.arange(20, 30))
    for follow in MODES:
        np.testing.assert_array_equal(found[follow][0], found["paper"][0])
        assert np.allclose(found[follow][1], shared) == (follow != "code")


def test_only_sound_scales_the_crop_to_the_range_of_a_sigmoid():  # crop_scale
    store = small_store()
    span = {}
    for follow in MODES:
        config = small(follow)
        crop = data.Images(config, store, data.select(config, store), "crop")[np.arange(len(store.index))]
        span[follow] = 0 <= crop.min() and crop.max() <= 1
    assert span == {"code": False, "paper": False, "sound": True}
