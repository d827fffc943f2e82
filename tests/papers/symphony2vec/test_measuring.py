"""What is measured on a run's autoencoders and on ALI's latent space, on networks of one layer."""

import keras
import numpy as np
import pytest

from common import probes, training
from papers.symphony2vec import features, latent, measuring
from tests.papers.symphony2vec.test_measured import empty, trained_of


def constant(inputs, values):
    """A network whose output is always `values`, whatever its input of shape `inputs`."""
    x = keras.layers.Input(inputs)
    layer = keras.layers.Dense(np.size(values), kernel_initializer="zeros")
    found = keras.Model(x, keras.layers.Reshape(np.shape(values))(layer(keras.layers.Flatten()(x))))
    layer.bias.assign(np.ravel(values))
    return found


def autoencoder(trained, seen, code, image):
    """An encoder that says `code` and a decoder that draws `image`, of every clip."""
    shape, size = trained.images[seen].shape, trained.config.code_size
    return training.Learner({"encoder": constant(shape, code), "decoder": constant((size,), image)}, {})


def test_autoencoders_are_measured_on_the_test_clips():
    trained = trained_of("paper")
    images, (rows, test) = trained.images["mel"], (trained.selection.train, trained.selection.test)
    drawn = np.random.default_rng(0).normal(size=images.shape).astype("float32")
    trained.learners["cae-mel"] = autoencoder(trained, "mel", np.zeros(4), drawn)
    trained.learners["ae-mfcc"] = autoencoder(trained, "mfcc", np.zeros(4), np.zeros((13, 87)))
    found = empty(trained)
    measuring._autoencoders(trained, found)
    assert set(found.errors) == {"cae-mel", "ae-mfcc"} and set(found.rebuilt) == {"cae-mel"}
    np.testing.assert_allclose(found.rebuilt["cae-mel"], [images.decibels(drawn)] * len(test), rtol=1e-5)
    clips = np.float64(images[test])
    np.testing.assert_allclose(found.errors["cae-mel"].own, np.square(clips - drawn).mean(axis=(1, 2)), rtol=1e-4)
    mean = images[rows].mean(axis=0)
    np.testing.assert_allclose(found.errors["cae-mel"].mean, np.square(clips - mean).mean(axis=(1, 2)), rtol=1e-4)
    assert found.weight_difference is None and not found.vae_losses


@pytest.mark.parametrize("part, apart", [("encoder", 0.25), ("decoder", -0.5)])
def test_the_weights_of_the_two_autoencoders_differ_by_their_largest_difference(part, apart):
    trained = trained_of("code")
    for name in ("ae-chroma", "cae-chroma"):
        trained.learners[name] = autoencoder(trained, "chroma", np.ones(4), np.zeros((12, 87)))
    bias = trained.learners["cae-chroma"].networks[part].trainable_variables[-1]
    bias.assign(bias + np.r_[apart, apart / 2, np.zeros(bias.shape[0] - 2)].astype("float32"))
    found = empty(trained)
    measuring._autoencoders(trained, found)
    assert found.weight_difference == abs(apart)


@pytest.mark.parametrize("follow", ["code", "paper"])
def test_the_vae_is_measured_before_and_after_training_and_at_the_programs_best(follow, monkeypatch):
    trained = trained_of(follow)
    code = np.array([7.0, 0, 0, 0, -1.0, 3.0, 2.0, -9.0])  # four means, four log variances
    trained.learners["vae-mfcc"] = autoencoder(trained, "mfcc", code, np.zeros((13, 87)))
    for name, value in (("first_vae_loss", 1.0), ("vae_test_loss", 2.0), ("best_vae_loss", 3.0)):
        monkeypatch.setattr(measuring, name, lambda trained, model, value=value: (model, value))
    found = empty(trained)
    measuring._autoencoders(trained, found)
    assert found.vae_losses == {"mfcc": (("vae-mfcc", 1.0), ("vae-mfcc", 2.0))}
    assert found.vae_best == ({"mfcc": ("vae-mfcc", 3.0)} if follow == "code" else {})
    assert found.log_variances["mfcc"].tolist() == [3.0] * len(trained.rows("vae-mfcc")[1])
    clips = trained.images["mfcc"][trained.rows("vae-mfcc")[1]]
    error = np.square(clips - 0.5).mean(axis=(1, 2))  # a probability, of the logit 0
    np.testing.assert_allclose(found.errors["vae-mfcc"].own, error, rtol=1e-4)


@pytest.fixture(scope="module")
def of_ali():
    """(what was trained, what is measured on the latent space of ALI-128 and of the VAE)."""
    trained = trained_of("sound", latent_samples=20, directions=3)
    z, size = keras.layers.Input((128,)), 32 * 32
    drawn = keras.layers.Reshape((32, 32, 1))(keras.layers.Dense(size, use_bias=False, kernel_initializer="ones")(z))
    encoder = constant((32, 32, 1), np.r_[np.full(128, 0.01), np.full(128, 9.0)])
    networks = {"encoder": encoder, "generator": keras.Model(z, keras.layers.Activation("sigmoid")(drawn))}
    trained.learners["ali-128"] = training.Learner(networks, {})
    image = np.random.default_rng(1).normal(size=(64, 87)).astype("float32")
    trained.learners["vae-mel"] = autoencoder(trained, "mel", np.zeros(8), image)
    found = empty(trained)
    measuring._latent_space(trained, found)
    return trained, found, image


def test_data_of_the_latent_space_are_crops(of_ali):
    trained, found, _ = of_ali
    crop, (rows, test) = trained.images["crop"], (trained.selection.train, trained.selection.test)
    np.testing.assert_array_equal(found.crops, crop[rows])
    np.testing.assert_allclose(found.samples["data"], trained.store.arrays["mel"][test][:, :32, 32:64], atol=1e-4)
    first = crop[np.sort(rows)[:20]]  # as many as there are images from random latents
    assert found.spread_of_data == pytest.approx(probes.mean_distance(first))
    np.testing.assert_allclose(found.deviation_of_data, first.std(axis=0), atol=1e-6)


def test_images_of_ali_are_from_random_latents_along_the_path_and_from_codes(of_ali):
    trained, found, _ = of_ali
    crop, test = trained.images["crop"], trained.selection.test
    assert set(found.generated) == set(found.paths) == {"ali-128"} and len(found.generated["ali-128"]) == 20
    in_decibels = 80.0 * (found.generated["ali-128"][: len(test), ..., 0] - 1.0)
    np.testing.assert_allclose(found.samples["ali-128"], in_decibels, rtol=1e-5)
    t = np.linspace(0, 1, 16)
    np.testing.assert_allclose(found.paths["ali-128"][:, 3, 5, 0], 1 / (1 + np.exp(-128 * t)), rtol=1e-5)
    rebuilt = 1 / (1 + np.exp(-1.28))  # of the means, which add up to 1.28, whatever the clip
    np.testing.assert_allclose(found.rebuilt["ali-128"], np.full((len(test), 32, 32), 80 * (rebuilt - 1)), rtol=1e-5)
    own = np.square(crop[test] - rebuilt).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(found.errors["ali-128"].own, own, rtol=1e-4)
    np.testing.assert_allclose(found.errors["ali-128"].other, own, rtol=1e-4)
    assert np.abs(found.slopes).tolist() == pytest.approx([1.0] * 3)  # brighter or darker all the way
    assert found.scale_blindness == latent.scale_blindness(trained.learners["ali-128"], 128) > 1


def test_samples_of_the_vae_are_as_many_as_test_clips_and_cropped(of_ali):
    trained, found, image = of_ali
    decibels = features.crop(trained.images["mel"].decibels(image)[None])[..., 0]
    np.testing.assert_allclose(found.samples["vae-mel"], np.repeat(decibels, len(trained.selection.test), axis=0),
                               rtol=1e-4)


def test_no_more_samples_of_the_vae_than_latents_are_asked_for():
    trained = trained_of("sound", latent_samples=5)
    trained.learners["vae-mel"] = autoencoder(trained, "mel", np.zeros(8), np.zeros((64, 87)))
    found = empty(trained)
    measuring._latent_space(trained, found)
    assert set(found.samples) == {"data", "vae-mel"}
    assert len(found.samples["vae-mel"]) == 5 < len(found.samples["data"]) == len(trained.selection.test)
