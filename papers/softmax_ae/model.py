"""The networks, layer by layer (section 4; sizes of Figure 2, which is lost, from softmaxautoencoder.py).

`python -m papers.softmax_ae.model` prints every network as a table.
"""

if __name__ == "__main__":
    from common.process import quiet_tensorflow

    quiet_tensorflow()

import keras
from keras import layers

from common.training import Dropout


def two_layer(inputs: int = 500, hidden: int = 128, classes: int = 4) -> keras.Model:
    """Section 4.1: one hidden layer, tanh; x (batch, 500) -> logits (batch, 4). tfsoftmax.py."""
    x = keras.Input((inputs,), name="x")
    h = layers.Dense(hidden, activation="tanh", name="hidden")(x)
    return keras.Model(x, layers.Dense(classes, name="logits")(h), name="two_layer")


ENCODER_ACTIVATIONS = ("sigmoid", "tanh", "relu")  # softmaxautoencoder.py; the paper names none
DECODER_ACTIVATIONS = ("sigmoid", "sigmoid", "relu")


def encoder(inputs: int = 500, bottleneck: int = 64, keep_probability: float = 0.9,
            activations: tuple = ENCODER_ACTIVATIONS, output: str = "relu") -> keras.Model:
    """Section 4.2, f: x (batch, 500) -> z (batch, 64). Dropout after the second layer only.

    Args:
        activations: of the three hidden layers.
        output: activation of the bottleneck; with the program's "relu" z is never negative.
    """
    first, second, third = activations
    x = keras.Input((inputs,), name="x")
    h = layers.Dense(256, activation=first, name="encoder_1")(x)
    h = layers.Dense(192, activation=second, name="encoder_2")(h)
    h = Dropout(1 - keep_probability, name="encoder_dropout")(h)
    h = layers.Dense(128, activation=third, name="encoder_3")(h)
    return keras.Model(x, layers.Dense(bottleneck, activation=output, name="z")(h), name="encoder")


def decoder(outputs: int = 500, bottleneck: int = 64, keep_probability: float = 0.9,
            activations: tuple = DECODER_ACTIVATIONS, output: str = "relu") -> keras.Model:
    """Section 4.2, g: z (batch, 64) -> x_hat (batch, 500). Dropout after the second layer only.

    Args:
        activations: of the three hidden layers.
        output: activation of the last layer; the program's "relu" cannot produce a negative sample.
    """
    first, second, third = activations
    z = keras.Input((bottleneck,), name="z")
    h = layers.Dense(128, activation=first, name="decoder_1")(z)
    h = layers.Dense(192, activation=second, name="decoder_2")(h)
    h = Dropout(1 - keep_probability, name="decoder_dropout")(h)
    h = layers.Dense(256, activation=third, name="decoder_3")(h)
    return keras.Model(z, layers.Dense(outputs, activation=output, name="x_hat")(h), name="decoder")


def classifier(bottleneck: int = 64, classes: int = 4) -> keras.Model:
    """Section 4.3: z (batch, 64) -> logits (batch, 4); no dropout."""
    z = keras.Input((bottleneck,), name="z")
    h = layers.Dense(32, activation="tanh", name="classifier_1")(z)
    h = layers.Dense(16, activation="tanh", name="classifier_2")(h)
    return keras.Model(z, layers.Dense(classes, name="logits")(h), name="classifier")


PRINTED = {"two_layer": 64_644, "encoder": 210_560, "decoder": 210_996, "classifier": 2_676,
           "shallow_autoencoder": 289_844, "single_hidden_autoencoder": 64_564}


def main() -> None:
    """Print every network: layer, shape, parameters; beside the totals those read from the authors' checkpoints."""
    from papers.softmax_ae import variants
    from papers.softmax_ae.tables import print_networks

    networks = [two_layer(), encoder(), decoder(), classifier(), variants.shallow_autoencoder(),
                variants.single_hidden_autoencoder()]
    print_networks(networks, PRINTED)
    print(f"vanilla autoencoder: encoder + decoder = {networks[1].count_params() + networks[2].count_params():,} "
          "(program: 421,556)")
    print(f"Deep Softmax Autoencoder: encoder + decoder + classifier = "
          f"{sum(n.count_params() for n in networks[1:4]):,} (program: 424,232)")


if __name__ == "__main__":
    main()
