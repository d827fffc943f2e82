"""The networks at the paper's sizes: `python -m common.shapes fma_interpolation` prints them into shapes.txt."""

from collections.abc import Iterator

import keras

from papers.fma_interpolation import model, variants
from papers.fma_interpolation.config import Config


def networks() -> Iterator[tuple[str, str, keras.Model]]:
    """(definition that builds it, which of its sizes, the network)."""
    config = Config()
    yield "model.baseline_encoder", "", model.baseline_encoder()
    yield "model.baseline_decoder", "", model.baseline_decoder()
    yield "variants.bottleneck_encoder", "", variants.bottleneck_encoder()
    yield "model.conv2d_encoder", "Conv2D", model.conv2d_encoder()
    yield "model.conv2d_decoder", "Conv2D", model.conv2d_decoder()
    inception = {"latent": config.inception_latent, "repeats": config.inception_repeats, "inception": True}
    yield "model.conv2d_encoder", "Conv2D inception", model.conv2d_encoder(**inception)  # type: ignore[arg-type]
    yield "model.conv2d_decoder", "Conv2D inception", model.conv2d_decoder(**inception)  # type: ignore[arg-type]
    yield "model.conv1d_encoder", "", model.conv1d_encoder()
    yield "model.conv1d_decoder", "", model.conv1d_decoder()
    yield "model.cnn_1", "", model.cnn_1()
    yield "model.cnn_2", "", model.cnn_2()
    yield "model.rnn", "", model.rnn()
    yield "variants.rnn_over_time", "", variants.rnn_over_time()
