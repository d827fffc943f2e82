"""The networks at the paper's sizes: `python -m common.shapes symphony2vec` prints them into shapes.txt."""

from collections.abc import Iterator

import keras

from papers.symphony2vec import model, variants
from papers.symphony2vec.config import LATENT_SIZES, REPRESENTATIONS, Config
from papers.symphony2vec.learners import image_shape


def networks() -> Iterator[tuple[str, str, keras.Model]]:
    """(definition that builds it, which of its sizes, the network)."""
    config = Config()
    for name in REPRESENTATIONS:
        shape = image_shape(config, name)
        yield "model.feed_forward", name, model.feed_forward(shape)
        yield "model.cnn", name, model.cnn(shape, model.TABLE_2[name])
        yield "model.lstm", name, model.lstm((shape[0], config.lstm_steps))
        yield "model.encoder", name, model.encoder(shape)
        yield "model.decoder", name, model.decoder(shape)
        yield "variants.PROGRAM_TABLE_2", name, model.cnn(shape, variants.PROGRAM_TABLE_2[name])
    for size in LATENT_SIZES:
        yield "model.ali_encoder", f"{size} dimensions", model.ali_encoder(size)
        yield "model.ali_generator", f"{size} dimensions", model.ali_generator(size)
        yield "model.ali_discriminator", f"{size} dimensions", model.ali_discriminator(size)
    yield "model.encoder_classifier", "", model.encoder_classifier()
