"""The networks at the paper's sizes: `python -m common.shapes musae` prints them into shapes.txt."""

from collections.abc import Iterator

import keras

from papers.musae import model, variants
from papers.musae.config import Config

LENGTHS = {bars: bars * 16 for bars in (2, 16)}  # steps


def networks() -> Iterator[tuple[str, str, keras.Model]]:
    """(definition that builds it, which of its sizes, the network)."""
    paper = Config()
    genres, sizes = paper.genres, (paper.decoder_units, paper.latent, paper.depth)
    for bars, steps in LENGTHS.items():
        yield "model.encoder", f"{bars} bars", model.encoder(steps)
        yield "model.decoder", f"{bars} bars", model.decoder(steps)
    yield "model.critic", "without labels", model.critic()
    yield "model.critic", f"{genres} genres", model.critic(genres=genres)
    yield "variants.style_encoder", "16 bars", variants.style_encoder(LENGTHS[16])
    yield "variants.decoder_start", "a decoder of 2 bars", model.decoder(LENGTHS[2], start=variants.decoder_start)
    for kind, hierarchical in (("flat", False), ("hierarchical", True)):
        for name, network in variants.music_vae(*sizes, hierarchical).items():
            yield "variants.music_vae", f"{kind}, {name}", network
