"""The networks at the paper's sizes: `python -m common.shapes lord_transfer` prints them into shapes.txt."""

from collections.abc import Iterator

import keras

from papers.lord_transfer import listener, model, variants

CLASSES = 8  # Medley-solos-DB's instruments
IMAGES = 1000  # a row each: how many there are is the corpus's


def networks() -> Iterator[tuple[str, str, keras.Model]]:
    """(definition that builds it, which of its sizes, the network)."""
    yield "model.content_encoder", "", model.content_encoder()
    yield "model.class_embedding", f"{CLASSES} classes", model.class_embedding(CLASSES)
    yield "model.class_modulation", "", model.class_modulation()
    yield "model.generator", "", model.generator()
    yield "variants.content_embedding", f"{IMAGES:,} images", variants.content_embedding(IMAGES)
    yield "variants.class_encoder", "", variants.class_encoder()
    yield "listener.classifier", f"{CLASSES} classes", listener.classifier(classes=CLASSES)
