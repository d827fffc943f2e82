"""What a stage of training does beside its steps: as it begins, and at its log lines."""

import numpy as np

from common import probes
from papers.symphony2vec import inference, losses, measures

WATCHED = 64  # images generated at every log line, to see a collapse


def test_scores(part, chunked, twice, learner):
    """Cross entropy and accuracy on the test clips of a part, as the program prints them after each epoch."""
    network = learner.networks["classifier"]
    if chunked:
        logits, truth = inference.chunk_outputs(network, part.images, part.labels, part.test, part.steps)
    else:
        logits, truth = inference.outputs(network, part.images, part.test), part.labels[part.test]
    scores = measures.softmax(logits) if twice else logits
    return {"losses/test_cross_entropy": np.mean(measures.cross_entropies(scores, truth)),
            "metrics/test_accuracy": np.mean(logits.argmax(axis=1) == truth)}  # fmt: skip


def order_after(order, epochs, epoch):
    """The order of an epoch that comes after so many others."""
    return order(epoch + epochs)


def set_rate(rate, learner):
    """Set the VAE's learning rate, as a stage begins."""
    learner.optimizers["vae"].learning_rate.assign(rate)


def start_pixel_bias(mean_image, learner):
    """Set the generator's pixel bias to the log odds of a mean image, as a stage begins."""
    learner.networks["generator"].get_layer("pixel_bias").bias.assign(losses.log_odds(mean_image))


def watch(latents, of_data, learner):
    """Spread of the generated images over that of the data: 0 is a collapse."""
    generated = learner.networks["generator"](latents, training=False)
    return {"metrics/spread_of_generated": probes.mean_distance(generated) / max(of_data, 1e-12)}
