"""What a stage of training has beside its steps: its batches, what it does as it begins and at its log lines."""

from collections.abc import Callable

import numpy as np

from common import probes
from common.training import Batches, Learner, shuffled
from papers.symphony2vec import inference, losses, measures
from papers.symphony2vec.data import Part

WATCHED = 64  # images generated at every log line, to see a collapse


def batches(number: int, part: Part, read: Callable, batch_size: int, seed: int,
            examples: int = 1) -> Batches:
    """Shuffled batches of part `number` of the training data; `examples`: how many each clip gives."""
    size = examples * len(part.train)
    return Batches(size, batch_size, read, shuffled(size, 10 * seed + number))


def test_scores(part: Part, chunked: bool, twice: bool, learner: Learner) -> dict[str, float]:
    """Cross entropy and accuracy on the test clips of a part, as the program prints them after each epoch."""
    network = learner.networks["classifier"]
    if chunked:
        logits, truth = inference.chunk_outputs(network, part.images, part.labels, part.test, part.steps)
    else:
        logits, truth = inference.outputs(network, part.images, part.test), part.labels[part.test]
    scores = measures.softmax(logits) if twice else logits
    return {"losses/test_cross_entropy": np.mean(measures.cross_entropies(scores, truth)),
            "metrics/test_accuracy": np.mean(logits.argmax(axis=1) == truth)}  # fmt: skip


def order_after(order: Callable[[int], np.ndarray], epochs: int, epoch: int) -> np.ndarray:
    """The order of an epoch that comes after so many others."""
    return order(epoch + epochs)


def set_rate(rate: float, learner: Learner) -> None:
    """Set the VAE's learning rate, as a stage begins."""
    learner.optimizers["vae"].learning_rate.assign(rate)


def start_pixel_bias(mean_image: np.ndarray, learner: Learner) -> None:
    """Set the generator's pixel bias to the log odds of a mean image, as a stage begins."""
    learner.networks["generator"].get_layer("pixel_bias").bias.assign(losses.log_odds(mean_image))


def watch(latents: np.ndarray, of_data: float, learner: Learner) -> dict[str, float]:
    """Spread of the generated images over that of the data: 0 is a collapse."""
    generated = learner.networks["generator"](latents, training=False)
    return {"metrics/spread_of_generated": probes.mean_distance(generated) / max(of_data, 1e-12)}
