"""The networks of MusAE (section 3.2), layer by layer as the paper describes them.

    x (T, 130, 4) in {0, 1}  --encoder-->  mu, log_variance (512)  --sample-->  z  --decoder-->  logits (T, 130, 4)
                                                                                 z (, y)  --critic-->  score

Sizes default to the paper's: 1024 hidden units, a latent space of 512 and one critic score.
"""

from collections.abc import Callable

import keras
from keras import layers, ops

from papers.musae.recurrence import SideBySide
from papers.musae.tokens import ALPHABET

TRACKS = ("drums", "bass", "guitar", "strings")  # eq. 13


def bidirectional_stack(x: keras.KerasTensor, units: int, depth: int, merge: str = "concat",
                        name: str = "rec") -> keras.KerasTensor:
    """`depth` bidirectional LSTMs of `units` per direction; the last returns one vector (eq. 7)."""
    for k in range(depth):
        lstm = layers.LSTM(units, return_sequences=k < depth - 1, name=f"{name}_{k}")
        x = layers.Bidirectional(lstm, merge_mode=merge, name=f"bidirectional_{name}_{k}")(x)
    return x


def encoder(steps: int | None, units: int = 512, latent: int = 512, depth: int = 3, merge: str = "concat",
            bias: bool = True, low: float = 0.0) -> keras.Model:
    """x (batch, steps, 130, 4) -> mu, log variance, each (batch, latent). Equations 7 to 10. steps None: any number.

    units is per direction: 512 and 512 joined are the paper's N_h = 1024, which is what makes W_mu of shape N_h x N_z.
    The paper prints sigma = exp(2 sigma_pre); the head here is the log variance, sigma = exp(head / 2), the same
    functions. merge="sum" with units=1024 is the other reading of N_h; bias=False is equations 8 and 9 to the letter.
    """
    x = keras.Input((steps, ALPHABET, len(TRACKS)), name="x")
    h = layers.Rescaling(1.0 - low, low)(layers.Reshape((-1, ALPHABET * len(TRACKS)))(x))
    h = bidirectional_stack(h, units, depth, merge)
    mu = layers.Dense(latent, use_bias=bias, name="mu")(h)  # eq. 8
    log_variance = layers.Dense(latent, use_bias=bias, name="sigma")(h)  # eq. 9
    return keras.Model(x, [mu, log_variance], name="encoder")


def decoder_start(z: keras.KerasTensor, units: int, bias: bool = True) -> list[keras.KerasTensor]:
    """One linear start per track: h_0 = W_track z (eq. 11). Returns four tensors (batch, units)."""
    return [layers.Dense(units, use_bias=bias, name=f"start_{track}")(z) for track in TRACKS]


def decoder(steps: int, units: int = 1024, latent: int = 512, depth: int = 3,
            start: Callable = decoder_start) -> keras.Model:
    """z (batch, latent) -> logits (batch, steps, 130, 4); softmax over axis 2 gives eq. 12's probabilities.

    z is the constant input of every step and nothing else is: the decoder is not autoregressive (section 3.2.2). The
    paper leaves open which layers start at h_0 and what the cell state is; the start serves as h_0 and c_0 of all
    three layers, as in the authors' program.
    """
    z = keras.Input((latent,), name="z")
    starts = start(z, units)
    h = [layers.RepeatVector(steps, name="repeat")(z)] * len(TRACKS)
    for k in range(depth):
        names = [f"{track}_{k}" for track in TRACKS]
        h = SideBySide(units, names, constant=k == 0, name=f"lstm_{k}")(h, starts)
    tracks = [layers.Dense(ALPHABET, name=f"{track}_logits")(x) for track, x in zip(TRACKS, h, strict=True)]
    return keras.Model(z, ops.stack(tracks, axis=-1), name="decoder")  # eq. 13


def of_length(decoder: keras.Model, steps: int) -> keras.Model:
    """The same decoder, weights shared, that writes another number of steps."""

    def copied(layer):
        return layers.RepeatVector(steps) if layer.name == "repeat" else layer

    return keras.models.clone_model(decoder, clone_function=copied)


def critic(units: int = 1024, latent: int = 512, genres: int = 0) -> keras.Model:
    """z (batch, latent) [and genre (batch, genres)] -> score (batch, 1). Section 3.2.3: two tanh layers, one linear.

    With genres > 0 the critic is conditional, as in the authors' program; the paper's text has no label. Without it the
    tags only set the proportions of a batch, and no genre can be led to its petal.
    """
    z = keras.Input((latent,), name="z")
    inputs, h = [z], z
    if genres:
        inputs.append(keras.Input((genres,), name="genre"))
        h = layers.Concatenate()(inputs)
    h = layers.Dense(units, activation="tanh", name="fc_0")(h)
    h = layers.Dense(units, activation="tanh", name="fc_1")(h)
    return keras.Model(inputs, layers.Dense(1, name="validity")(h), name="critic")
