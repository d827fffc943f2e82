"""One number."""

from papers.toy import config as settings, preprocess

if __name__ == "__main__":
    from common import scripts

    OPTIONS = scripts.evaluation_options(settings, __doc__)

import numpy as np
from papers.toy import train

from common import training


def error(network, store):
    """Mean squared error."""
    return float(np.mean((network(np.asarray(store.array("x"))).numpy()[:, 0] - store.array("y")) ** 2))


def evaluate(config, store, run, partial=False):
    """Write results.json."""
    directory = run.model_directory("line")
    learner = training.load(train.MODELS["line"], config, store, directory, run.seed)
    value = error(learner.networks["line"], store)
    run.write_results(store, {"R1": {"value": value, "n": 24, "of": "pairs"}, "F1": {"value": 3}},
                      step=training.outcome(directory).step)


if __name__ == "__main__":
    scripts.run_evaluation(OPTIONS, settings, preprocess, evaluate)
