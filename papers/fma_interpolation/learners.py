"""What is trained: networks of a Config with their optimizers, one function an entry of `train.MODELS`."""

import keras
import numpy as np
import tensorflow as tf

from common.store import Store
from common.training import Learner
from papers.fma_interpolation import model, variants
from papers.fma_interpolation.config import Config

OVERFIT_ENCODER = {"baseline": model.baseline_encoder, "bottleneck": variants.bottleneck_encoder}
OVERFIT_LATENT = {"baseline": "latent", "bottleneck": "overfit_latent"}
RNN = {"bands": model.rnn, "time": variants.rnn_over_time}


def _adam(rate, *networks):
    optimizer = keras.optimizers.Adam(rate)
    optimizer.build([v for network in networks for v in network.trainable_variables])
    return {"adam": optimizer}


def _autoencoder(encoder, decoder, rate):
    variables = {"best": tf.Variable(np.inf, trainable=False), "wait": tf.Variable(0, trainable=False)}
    return Learner({"encoder": encoder, "decoder": decoder}, _adam(rate, encoder, decoder), variables)


def build_baseline(config: Config, store: Store) -> Learner:
    """The baseline of Experiments 1."""
    sizes = (config.bands, config.frames, config.latent)
    return _autoencoder(model.baseline_encoder(*sizes), model.baseline_decoder(*sizes), config.baseline_rate)


def build_conv2d(config: Config, store: Store) -> Learner:
    """Conv2D (program, 1b0ba3d)."""
    options = (config.bands, config.frames, config.conv2d_latent, config.conv2d_filters, config.conv2d_pools,
               config.conv2d_repeats, False)
    return _autoencoder(model.conv2d_encoder(*options), model.conv2d_decoder(*options), config.conv2d_rate)


def build_inception(config: Config, store: Store) -> Learner:
    """Conv2D with inception units (program, 1b0ba3d with its switch on)."""
    options = (config.bands, config.frames, config.inception_latent, config.conv2d_filters, config.conv2d_pools,
               config.inception_repeats, True)
    return _autoencoder(model.conv2d_encoder(*options), model.conv2d_decoder(*options), config.conv2d_rate)


def build_conv1d(config: Config, store: Store) -> Learner:
    """Conv1D (program, 3c5c932)."""
    sizes, filters = (config.bands, config.frames, config.conv1d_latent), config.conv1d_filters
    return _autoencoder(model.conv1d_encoder(*sizes, filters), model.conv1d_decoder(*sizes, filters[:0:-1]),
                        config.conv1d_rate)


def _overfit(rate, config):
    sizes = (config.bands, config.frames, getattr(config, OVERFIT_LATENT[config.overfit_network]))
    encoder = OVERFIT_ENCODER[config.overfit_network](*sizes)
    return _autoencoder(encoder, model.baseline_decoder(*sizes), rate)


def build_overfit(config: Config, store: Store) -> Learner:
    """The network of the one-sample experiment, for squared error (program, 6b96f49)."""
    return _overfit(config.overfit_rate, config)


def build_overfit_cross_entropy(config: Config, store: Store) -> Learner:
    """The same for the cross-entropies, which the program trained at another rate (4cc88e5, 01a6466, e261498)."""
    return _overfit(config.cross_entropy_rate, config)


def build_overfit_conv2d(config: Config, store: Store) -> Learner:
    """The Conv2D network that one sample was shown to (program, `cvae_2d_1sample_4` of c114915: four units a block)."""
    options = (config.bands, config.frames, config.conv2d_latent, config.conv2d_filters, config.conv2d_pools,
               config.overfit_repeats, False)
    return _autoencoder(model.conv2d_encoder(*options), model.conv2d_decoder(*options), config.conv2d_rate)


def _classifier(network, config):
    return Learner({"classifier": network}, _adam(config.classifier_rate, network))


def _genres(store):
    return len({row["label"] for row in store.index})


def build_cnn_1(config: Config, store: Store) -> Learner:
    """CNN_1."""
    return _classifier(model.cnn_1(config.bands, config.frames, config.cnn_1_filters, config.cnn_1_dense,
                                   _genres(store)), config)


def build_cnn_2(config: Config, store: Store) -> Learner:
    """CNN_2."""
    return _classifier(model.cnn_2(config.bands, config.frames, config.cnn_2_time_stride, _genres(store)), config)


def build_rnn(config: Config, store: Store) -> Learner:
    """The RNN, over bands as printed or over time."""
    return _classifier(RNN[config.rnn_axis](config.bands, config.frames, config.rnn_units, _genres(store)), config)
