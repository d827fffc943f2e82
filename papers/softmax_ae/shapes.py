"""The networks at the paper's sizes: `python -m common.shapes softmax_ae` prints them into shapes.txt."""

from collections.abc import Iterator

import keras

from papers.softmax_ae import model, variants


def networks() -> Iterator[tuple[str, str, keras.Model]]:
    """(definition that builds it, which of its sizes, the network)."""
    yield "model.two_layer", "", model.two_layer()
    yield "model.encoder", "", model.encoder()
    yield "model.decoder", "", model.decoder()
    yield "model.classifier", "", model.classifier()
    yield "variants.shallow_autoencoder", "", variants.shallow_autoencoder()
    yield "variants.single_hidden_autoencoder", "", variants.single_hidden_autoencoder()
    for depth in (2, 3, 4):
        yield "variants.plain_classifier", f"{depth} hidden layers", variants.plain_classifier(depth=depth)
