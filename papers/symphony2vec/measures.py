"""What is measured on each trained model, once; the claims are read from it."""

from dataclasses import dataclass, field

import numpy as np

from common import training
from papers.symphony2vec import data, embeddings, inference, latent, train
from papers.symphony2vec.features import REPRESENTATIONS


@dataclass
class Measured:
    """Everything of a run that claims and figures need, by model name.

    accuracy: {model: percent on test}; train_accuracy; right: {model: bool per test clip}; rows: {model: test clips};
    baselines: {representation: {majority, loudness}} in percent; missing: {model: why it is not there}.
    """

    config: object
    store: object
    run: object
    selection: data.Selection
    images: dict
    learners: dict = field(default_factory=dict)
    history: dict = field(default_factory=dict)
    missing: dict = field(default_factory=dict)
    accuracy: dict = field(default_factory=dict)
    train_accuracy: dict = field(default_factory=dict)
    right: dict = field(default_factory=dict)
    counts: dict = field(default_factory=dict)
    baselines: dict = field(default_factory=dict)
    codes: dict = field(default_factory=dict)

    def set_of(self, model):
        """(train rows, test rows) on which a model is judged."""
        if model.startswith("pca"):
            return self.selection.train, self.selection.test
        if model.startswith("ali"):  # the program reads its regression off the first part
            return self.selection.stages[0]
        return self.selection.evaluation("crop" if model.endswith("-32") else model.split("-")[1])


def measure(config, store, run, chosen, partial=False):
    """Load the chosen models and measure them. Raises TrainingError where one is not trained to its end."""
    selection = data.select(config, store)
    images = {name: data.Images(config, store, selection, name) for name in (*REPRESENTATIONS, "crop")}
    found = Measured(config, store, run, selection, images)
    for name in train.MODELS:
        directory = run.model_directory(name)
        outcome = training.outcome(directory)
        if name not in chosen:
            found.missing[name] = f"{name} is not trained in this mode by preset {run.preset}"
        elif outcome is None or not (outcome.complete or outcome.diverged or partial):
            if not partial:
                raise training.TrainingError(f"{directory}: not trained to its end; first: "
                                             "python -m papers.symphony2vec.train with the same options")
            found.missing[name] = f"{name} is not trained yet"
        elif outcome.diverged:
            where = outcome.diverged
            found.missing[name] = f"{name} diverged in {where['stage']} at step {where['step']}"
        else:
            found.learners[name] = training.load(train.MODELS[name], config, store, directory, run.seed)
            found.history[name] = training.history(directory)
    for name, learner in found.learners.items():
        _measure_one(found, name, learner)
    for representation in REPRESENTATIONS:
        _measure_pca(found, representation)
    return found


def _measure_one(found, name, learner):
    config, labels = found.config, found.selection.labels
    kind, _, what = name.partition("-")
    rows, test = found.set_of(name)
    representation = "crop" if what == "32" or kind == "ali" else what
    images = found.images[representation]
    if kind == "lstm":
        logits, truth = inference.chunk_outputs(learner.networks["classifier"], images, labels, test, config.lstm_steps)
        found.counts[name] = (len(truth), "pieces")
        _judge(found, name, logits.argmax(axis=1) == truth)
    elif kind in ("ff", "perceptron", "cnn", "encoder"):
        logits = inference.outputs(learner.networks["classifier"], images, test)
        found.counts[name] = (len(test), "clips")
        _judge(found, name, logits.argmax(axis=1) == labels[test])
    else:
        if kind == "ali":
            encoder = learner.networks["encoder"]
            codes = [embeddings.ali_codes(encoder, images, rows, config, batch) for rows, batch in
                     ((rows, 64), (test, 16 if config.ali_statistics == "batch" else 64))]  # fmt: skip
        else:
            codes = [embeddings.autoencoder_codes(kind, learner, images, rows, config) for rows in (rows, test)]
        regress(found, name, *codes, rows, test)


def regress(found, name, train_codes, test_codes, rows, test):
    """Logistic regression on codes; stores accuracies and codes under `name`."""
    if not (np.isfinite(train_codes).all() and np.isfinite(test_codes).all()):
        found.missing[name] = f"{name} gives codes that are not finite numbers"
        return
    labels = found.selection.labels
    on_train, on_test = embeddings.classify(train_codes, labels[rows], test_codes, found.config.regression_iterations)
    found.train_accuracy[name] = 100.0 * float(np.mean(on_train == labels[rows]))
    found.counts[name] = (len(test), "clips")
    found.codes[name] = (train_codes, test_codes)
    _judge(found, name, on_test == labels[test])


def _judge(found, name, right):
    found.right[name] = right
    found.accuracy[name] = 100.0 * float(np.mean(right))
    rows, test = found.set_of(name)
    labels = found.selection.labels
    found.baselines[name] = {
        "majority": 100.0 * embeddings.majority_baseline(labels, test),
        "loudness": 100.0 * embeddings.loudness_baseline(found.store, labels, rows, test),
    }


def _measure_pca(found, representation):
    parts = found.selection.parts(representation)
    pairs = embeddings.pca_codes(found.images[representation], parts, found.config, found.run.seed)
    width = min(codes.shape[1] for pair in pairs for codes in pair)
    codes = [np.concatenate([pair[side][:, :width] for pair in pairs]) for side in (0, 1)]
    # In the order of the parts, which is a reordering of the whole sets.
    rows, test = (np.concatenate([part[side] for part in parts]) for side in (0, 1))
    regress(found, f"pca-{representation}", *codes, rows, test)


def untrained_ali(found, latent_size=128):
    """Test accuracy in percent of the codes of an untrained encoder."""
    import keras

    keras.utils.set_random_seed(found.run.seed)
    name = f"ali-{latent_size}"
    encoder = train.MODELS[name].build(found.config, found.store).networks["encoder"]
    rows, test = found.set_of(name)
    codes = [embeddings.ali_codes(encoder, found.images["crop"], part, found.config) for part in (rows, test)]
    labels = found.selection.labels
    _, predicted = embeddings.classify(codes[0], labels[rows], codes[1], found.config.regression_iterations)
    return 100.0 * float(np.mean(predicted == labels[test]))


def permutation_p(found, name, count=200):
    """Share of label permutations on which the test accuracy of a model is at least the measured one."""
    rows, test = found.set_of(name)
    labels = found.selection.labels
    _, predicted = embeddings.classify(found.codes[name][0], labels[rows], found.codes[name][1],
                                       found.config.regression_iterations)  # fmt: skip
    random = np.random.default_rng([found.run.seed, 3])
    wins = [np.mean(predicted == random.permutation(labels[test])) >= np.mean(predicted == labels[test])
            for _ in range(count)]  # fmt: skip
    return (1 + sum(wins)) / (1 + count)


def generated(found, name):
    """Images of `latent_samples` prior draws (count, 32, 32, 1), the same draws for every call."""
    size = int(name.split("-")[1])
    z = np.random.default_rng([found.run.seed, 13]).normal(size=(found.config.latent_samples, size))
    return latent.generate(found.learners[name], z, found.config)
