"""How well composers are named: by classifiers, by a regression on codes, under both splits, with dealt composers."""

from dataclasses import dataclass, field, replace

import keras
import numpy as np

from common import probes
from common.record import Run
from common.store import Store
from papers.symphony2vec import config as settings, data, embeddings, inference, measures, splits
from papers.symphony2vec.measured import Judged, Measured
from papers.symphony2vec.train import MODELS

DEALS = 5  # of composers to works, for models whose training sees none


@dataclass
class Trained:
    """The networks of a run with its data, for measuring and drawing.

    selection, images: the run's split and, by representation, what its models see.
    """

    config: settings.Config
    store: Store
    run: Run
    selection: data.Selection
    images: dict
    learners: dict = field(default_factory=dict)
    history: dict = field(default_factory=dict)
    missing: dict = field(default_factory=dict)

    def rows(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """(train rows, test rows) on which a model is judged."""
        model, selection = settings.MODELS[name], self.selection_of(name)
        if model.kind == "pca":
            return selection.train, selection.test
        if model.kind == "ali":  # the program reads its regression off the first part
            return selection.stages[0]
        return selection.evaluation(model.representation)

    def selection_of(self, name: str) -> data.Selection:
        """The split that a model is trained on, with its composers: the run's, or its own."""
        model = settings.MODELS[name]
        if not model.own_split:
            return self.selection
        return data.select(model.settings(self.config), self.store, self.run.seed)

    def images_of(self, name: str) -> data.Images:
        """What a model sees: scaled by the run's split, or by its own."""
        model = settings.MODELS[name]
        if not model.own_split:
            return self.images[model.representation]
        config = model.settings(self.config)
        return data.Images(config, self.store, self.selection_of(name), model.representation)


def judge_model(trained: Trained, measured: Measured, model: settings.Description) -> None:
    """Judge a trained model: a classifier by its answers, any other by a regression on its codes."""
    networks, config = trained.learners[model.name].networks, model.settings(trained.config)
    images, (rows, test) = trained.images_of(model.name), trained.rows(model.name)
    if "classifier" in networks:
        judge_classifier(trained, measured, model, images, rows, test)
        return
    if model.kind == "ali":
        codes = [embeddings.ali_codes(networks["encoder"], images, rows, config, trained.run.seed),
                 embeddings.ali_codes(networks["encoder"], images, test, config)]  # fmt: skip
        if model.name == "ali-128":
            judge_untrained(trained, measured, model, rows, test)
    else:
        learner = trained.learners[model.name]
        codes = [embeddings.autoencoder_codes(model.kind, learner, images, part, config) for part in (rows, test)]
    regress(trained, measured, model.name, *codes, rows, test)  # type: ignore[call-arg]


def judge_classifier(trained: Trained, measured: Measured, model: settings.Description, images: data.Images,
                     rows: np.ndarray, test: np.ndarray) -> None:
    """Judge a classifier: the LSTM piece by piece, the others clip by clip."""
    network, labels = trained.learners[model.name].networks["classifier"], trained.selection_of(model.name).labels
    if model.kind == "lstm":
        logits, _ = inference.chunk_outputs(network, images, labels, test, trained.config.lstm_steps)
        pieces = np.tile(test, len(logits) // len(test))
        measured.judged[model.name] = judged(trained, labels, logits.argmax(axis=1), rows, pieces, "pieces")
    else:
        logits = inference.outputs(network, images, test)
        measured.judged[model.name] = judged(trained, labels, logits.argmax(axis=1), rows, test)


def judged(trained: Trained, labels: np.ndarray, predicted: np.ndarray, rows: np.ndarray, items: np.ndarray,
           unit: str = "clips") -> Judged:
    """What predictions of items (store rows, some of them repeated) are worth, beside the baselines of their clips."""
    return Judged(predicted == labels[items], items, trained.selection.works[items],
                  baselines(trained, labels, rows, items[: len(np.unique(items))]), unit, predicted=predicted,
                  truth=labels[items])  # fmt: skip


def baselines(trained: Trained, labels: np.ndarray, rows: np.ndarray, test: np.ndarray) -> dict[str, float]:
    """In percent: a trivial answer and a regression on loudness alone.

    The trivial answer is the composer commonest in training, or any composer at random where that is right more often:
    where whole works are held out, whoever fills the training part is rare in the other.
    """
    level = trained.store.array("mfcc")[:, 0, :]
    trivial = max(probes.majority_rate(labels[rows], labels[test]), 1.0 / len(np.unique(labels[rows])))
    return {"majority": 100.0 * trivial,
            "loudness": 100.0 * measures.loudness_baseline(level, labels, rows, test)}  # fmt: skip


def regress(trained: Trained, measured: Measured, name: str, train_codes: np.ndarray, test_codes: np.ndarray,
            rows: np.ndarray, test: np.ndarray) -> None:
    """Judge a logistic regression on codes, and where the split is by work (or its twin) with composers dealt.

    Codes that are not finite make the model missing.
    """
    if not (np.isfinite(train_codes).all() and np.isfinite(test_codes).all()):
        measured.missing[name] = f"{name} gives codes that are not finite numbers"
        return
    labels, iterations = trained.selection.labels, trained.config.regression_iterations
    fitted = measures.regression(train_codes, labels[rows], iterations)
    on_train, on_test = fitted.predict(train_codes), fitted.predict(test_codes)
    if measures.stopped(fitted):
        measured.stopped.append(name)
    measured.codes[name] = test_codes
    measured.judged[name] = replace(judged(trained, labels, on_test, rows, test),
                                    train_accuracy=100.0 * float(np.mean(on_train == labels[rows])),
                                    train_baselines=baselines(trained, labels, rows, rows))  # fmt: skip
    if trained.config.split == "by_work" and (name in settings.TABLES or name.endswith("-clips")):
        judge_dealt(trained, measured, name, train_codes, test_codes, rows, test)


def judge_dealt(trained: Trained, measured: Measured, name: str, train_codes: np.ndarray, test_codes: np.ndarray,
                rows: np.ndarray, test: np.ndarray) -> None:
    """The same regression with composers dealt at random to whole works: what it then reads is the work."""
    works, found = trained.selection.works, []
    for deal in range(DEALS):
        labels = splits.deal_composers(trained.selection.labels, works, [trained.run.seed, 19, deal])
        if len(np.unique(labels[rows])) < 2:
            continue
        _, predicted = measures.classify(train_codes, labels[rows], test_codes, trained.config.regression_iterations)
        found.append((predicted == labels[test], baselines(trained, labels, rows, test)))
    if found:
        mean = {key: float(np.mean([one[key] for _, one in found])) for key in found[0][1]}
        measured.judged[f"{name}-dealt"] = Judged(np.mean([right for right, _ in found], axis=0), test, works[test],
                                                  mean)  # fmt: skip


def judge_untrained(trained: Trained, measured: Measured, model: settings.Description, rows: np.ndarray,
                    test: np.ndarray) -> None:
    """ALI's encoder before any training, its statistics brought to the data, judged like the trained one (Q4)."""
    keras.utils.set_random_seed(trained.run.seed)
    encoder = MODELS[model.name].build(trained.config, trained.store).networks["encoder"]
    embeddings.warm(encoder, trained.images["crop"], rows)
    codes = [embeddings.ali_codes(encoder, trained.images["crop"], rows, trained.config, trained.run.seed),
             embeddings.ali_codes(encoder, trained.images["crop"], test, trained.config)]  # fmt: skip
    regress(trained, measured, "untrained", *codes, rows, test)  # type: ignore[call-arg]


def judge_pca(trained: Trained, measured: Measured, model: settings.Description) -> None:
    """Judge a regression on PCA, which is fitted here."""
    parts = trained.selection_of(model.name).parts(model.representation)
    pairs = embeddings.pca_codes(trained.images_of(model.name), parts, trained.config, trained.run.seed)
    width = min(codes.shape[1] for pair in pairs for codes in pair)
    codes = [np.concatenate([pair[side][:, :width] for pair in pairs]) for side in (0, 1)]
    # In the order of the parts, which is a reordering of the whole sets.
    rows, test = (np.concatenate([part[side] for part in parts]) for side in (0, 1))
    regress(trained, measured, model.name, *codes, rows, test)  # type: ignore[call-arg]
