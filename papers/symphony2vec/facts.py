"""What is true on any data: facts about the program's formulas and the paper's printed numbers."""

import librosa
import numpy as np
import tensorflow as tf

from common.findings import NotTestable
from papers.symphony2vec import learners, losses, model, splits, variants
from papers.symphony2vec.measured import Measured

PRINTED_SIZES, PROGRAM_CLIPS = (5366, 3842), 7665  # section 3.1; the program's clips
PROGRAM_CLASSES = (1748, 908, 1925, 1386, 1698)  # the program's clips of each composer


def clips_too_many(measured: Measured) -> float:
    """Printed training and test clips beyond the clips that exist."""
    return sum(PRINTED_SIZES) - PROGRAM_CLIPS


def tchaikovsky_share(measured: Measured) -> float:
    """Share of the fifth composer among the program's own draws."""
    drawn, _ = splits.with_replacement(PROGRAM_CLIPS, PRINTED_SIZES[0])
    return np.mean(np.repeat(np.arange(5), PROGRAM_CLASSES)[drawn] == 4)


def lowest_double_softmax(measured: Measured) -> tf.Tensor:
    """The program's classification loss of a certain, right answer."""
    return losses.double_softmax_cross_entropy(1000.0 * tf.eye(5)[:1], [0])[0]


def lowest_hidden_state(measured: Measured) -> tf.Tensor:
    """Cross entropy of the best hidden state as logits: 1 for the right class, -1 for the others."""
    return losses.cross_entropy(2.0 * tf.eye(5)[:1] - 1.0, [0])[0]


def own_share(measured: Measured, batch: int = 32, bands: int = 12, steps: int = 36) -> float:
    """Mean share of a reinterpreted sequence that comes from its own example of the batch."""
    source = np.broadcast_to(np.arange(batch, dtype=np.float32)[:, None, None], (batch, bands, steps))
    mixed = np.asarray(variants.ReinterpretedSteps()(source))
    return np.mean(mixed == np.arange(batch)[:, None, None])


def penalty_gradient(measured: Measured) -> float:
    """Largest gradient of the program's contractive penalty on any weight of a small encoder."""
    encoder = model.encoder((3, 4), (8, 7), code_size=4)
    x = tf.random.stateless_normal((6, 3, 4), seed=(1, 2))
    with tf.GradientTape() as tape:
        penalty = losses.program_penalty(encoder, x)
    gradients = [g for g in tape.gradient(penalty, encoder.trainable_variables) if g is not None]
    return max((float(tf.reduce_max(tf.abs(g))) for g in gradients), default=0.0)


def crop_share(measured: Measured) -> float:
    """Share of the mel-spectrogram's values that ALI sees."""
    return 32 * 32 / np.prod(learners.image_shape(measured.config, "mel"))


def crop_top(measured: Measured) -> float:
    """Upper edge in Hz of the highest mel band of the crop."""
    config = measured.config
    return librosa.mel_frequencies(config.mel_bands + 2, fmin=0, fmax=config.mel_top_hz)[33]


def equal_weights(measured: Measured) -> float:
    """Largest difference of the final weights of the chromagram's AE and CAE."""
    measured.need("ae-chroma", "cae-chroma")
    return measured.weight_difference


def mean_test_code(measured: Measured) -> float:
    """Largest mean of a test code of PCA: 0 where PCA is fitted on the test clips."""
    if measured.config.pca_fit != "each_set":
        raise NotTestable("PCA is fitted on the training clips in this mode")
    measured.need("pca-chroma")
    return np.abs(measured.codes["pca-chroma"].mean(axis=0)).max()


FACTS = {
    "E-split": clips_too_many,
    "E-T1": tchaikovsky_share,
    "E-softmax": lowest_double_softmax,
    "E-hidden": lowest_hidden_state,
    "E-mixed": own_share,
    "E-penalty": penalty_gradient,
    "E-pca": mean_test_code,
    "E-crop": crop_share,
    "E-axis": crop_top,
    "Q9-same": equal_weights,
}
