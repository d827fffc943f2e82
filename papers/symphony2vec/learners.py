"""Networks and optimizers that the settings ask for: one builder per kind of model.

Each takes (description, config, store) and returns a training.Learner.
"""

from typing import Any

import keras

from common import training
from common.store import Store
from papers.symphony2vec import model, variants
from papers.symphony2vec.config import REPRESENTATIONS, Config, Description

# What each divergence that is another structure selects.
CNN_TABLE = {"table_2": model.TABLE_2, "program": variants.PROGRAM_TABLE_2}
LSTM = {
    ("time_steps", "dense"): model.lstm,
    ("time_steps", "hidden_state"): variants.lstm_hidden_state,
    ("reinterpreted", "dense"): variants.lstm_reinterpreted,
    ("reinterpreted", "hidden_state"): variants.lstm_program,
}
LSTM_OPTIMIZER = {  # learning rate and weight decay
    "one": dict.fromkeys(REPRESENTATIONS, (1e-3, 0.0)),
    "per_representation": {"chroma": (1e-3, 0.0), "mfcc": (1e-4, 1e-5), "mel": (1e-4, 1e-5)},
}
DISCRIMINATOR = {"simultaneous": model.ali_discriminator, "in_turn": variants.ali_discriminator_late}


def image_shape(config: Config, representation: str) -> tuple[int, ...]:
    """(bands, frames) of one example of a representation, (32, 32, 1) of the crop."""
    if representation == "crop":
        return (32, 32, 1)
    bands = {"chroma": 12, "mfcc": config.mfcc_coefficients, "mel": config.mel_bands}[representation]
    return (bands, 1 + round(config.clip_seconds * config.sample_rate) // config.hop)


class Adam(keras.optimizers.Adam):
    """Adam as published and as in the authors' library: epsilon stands beside the deviation after bias correction.

    Keras adds it before, so that in the first steps it counts up to 30 times as much.
    """

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """One variable's update; Keras' own with an epsilon that undoes the correction."""
        step = keras.ops.cast(self.iterations + 1, variable.dtype)
        published = self.epsilon  # type: ignore[has-type]
        self.epsilon = published * keras.ops.sqrt(1.0 - keras.ops.power(self.beta_2, step))
        super().update_step(gradient, variable, learning_rate)
        self.epsilon = published


def adam(learning_rate: float, variables: list, beta_1: float = 0.9) -> keras.optimizers.Optimizer:
    """Adam with the epsilon of the authors' library, built for its variables."""
    optimizer = Adam(learning_rate, beta_1=beta_1, beta_2=0.999, epsilon=1e-8)
    optimizer.build(variables)
    return optimizer


def classifier_network(description: Description, config: Config, classes: int) -> keras.Model:
    """The untrained classifier: feed-forward, perceptron, CNN, LSTM, or ALI's encoder with a dense layer."""
    shape = image_shape(config, description.representation)
    if description.kind == "ff":
        return model.feed_forward(shape, config.feed_forward_units, classes)
    if description.kind == "perceptron":
        return model.feed_forward(shape, (1024,), classes)
    if description.kind == "cnn":
        return model.cnn(shape, CNN_TABLE[config.cnn_pooling][description.representation], classes=classes)  # type: ignore[index]
    if description.kind == "lstm":
        build = LSTM[config.lstm_input, config.lstm_scores]
        return build((shape[0], config.lstm_steps), config.lstm_units, classes)
    return model.encoder_classifier(description.latent_size, config.ali_width, classes=classes,
                                    deviation=config.ali_deviation)  # fmt: skip


def rate_and_decay(description: Description, config: Config) -> tuple[float, float]:
    """Learning rate and weight decay of a classifier."""
    if description.kind == "lstm":
        return LSTM_OPTIMIZER[config.lstm_optimizer][description.representation]
    feed_forward = description.kind in ("ff", "perceptron")
    return config.feed_forward_learning_rate if feed_forward else config.cnn_learning_rate, config.weight_decay


def classifier(description: Description, config: Config, store: Store) -> training.Learner:
    """A classifier and its Adam (section 3.2)."""
    network = classifier_network(description, config, len(store.parameters["groups_per_class"]))
    rate, _ = rate_and_decay(description, config)
    return training.Learner({"classifier": network}, {"classifier": adam(rate, network.trainable_variables)})


def softmax_twice(description: Description, config: Config) -> bool:
    """Whether the loss takes the softmax of a softmax; the program's LSTM has no softmax of its own."""
    return config.classifier_loss == "double_softmax" and description.kind != "lstm"


def autoencoder(description: Description, config: Config, store: Store) -> training.Learner:
    """Encoder and decoder of AE and CAE (section 3.3)."""
    shape = image_shape(config, description.representation)
    encoder = model.encoder(shape, config.autoencoder_units, config.code_size)
    decoder = model.decoder(shape, config.autoencoder_units[::-1], config.code_size, config.autoencoder_output)
    variables = encoder.trainable_variables + decoder.trainable_variables
    optimizer = adam(config.autoencoder_learning_rate, variables)
    return training.Learner({"encoder": encoder, "decoder": decoder}, {"autoencoder": optimizer})


def vae(description: Description, config: Config, store: Store) -> training.Learner:
    """Encoder (means and log variances) and decoder (logits, or values) of the VAE (section 3.3)."""
    shape = image_shape(config, description.representation)
    encoder = model.encoder(shape, config.autoencoder_units, 2 * config.code_size)
    decoder = model.decoder(shape, config.autoencoder_units[::-1], config.code_size, "linear")
    variables = encoder.trainable_variables + decoder.trainable_variables
    optimizer = adam(config.vae_learning_rate, variables)
    return training.Learner({"encoder": encoder, "decoder": decoder}, {"vae": optimizer})


def ali(description: Description, config: Config, store: Store) -> training.Learner:
    """Encoder, generator and discriminator of ALI (section 3.4, Table 6).

    Paper and program have one Adam for the first two; it moves each weight by itself, as two of equal rate do.
    """
    size, shared = description.latent_size, {"width": config.ali_width, "deviation": config.ali_deviation}
    encoder, generator = model.ali_encoder(size, **shared), model.ali_generator(size, **shared)  # type: ignore[arg-type]
    build = DISCRIMINATOR[config.ali_update]
    discriminator = build(size, normalize=config.discriminator_normalization, **shared)  # type: ignore[operator]
    rate, beta_1 = config.ali_learning_rate, config.ali_beta_1
    optimizers = {
        "encoder": adam(rate * config.ali_encoder_factor, encoder.trainable_variables, beta_1),
        "generator": adam(rate, generator.trainable_variables, beta_1),
        "discriminator": adam(rate, discriminator.trainable_variables, beta_1),
    }
    networks = {"encoder": encoder, "generator": generator, "discriminator": discriminator}
    return training.Learner(networks, optimizers)


BUILD = {"ff": classifier, "perceptron": classifier, "cnn": classifier, "lstm": classifier, "encoder": classifier,
         "ae": autoencoder, "cae": autoencoder, "vae": vae, "ali": ali}  # fmt: skip
