"""Tables 1 and 2, the figures, and a value or a reason for every claim and proposition.

`python -m papers.softmax_ae.evaluate --follow sound --seed 0` writes results.json, media.json, figures/ and audio/.
"""

from functools import partial

from papers.softmax_ae import config as settings, preprocess

if __name__ == "__main__":  # options first: --help answers without TensorFlow
    from common import scripts

    OPTIONS = scripts.evaluation_options(settings, __doc__)

from common import training
from common.findings import collect
from papers.softmax_ae import figures, train
from papers.softmax_ae.data import load_data
from papers.softmax_ae.facts import FACTS
from papers.softmax_ae.findings import FINDINGS
from papers.softmax_ae.measures import Encodings, Measured

GAPS = ("two_layer", "plain_2", "plain_3", "plain_4", "deep_softmax", "gamma_0.0", "pool_1", "pool_10", "keep_0.8",
        "keep_0.9", "keep_1.0")


def evaluate(config, store, run, partial: bool = False) -> None:
    """Measure a run and write results.json, media.json, figures and audio.

    Raises:
        TrainingError: a model is not trained to its end and `partial` is not set.
    """
    jobs = train.jobs(config)
    outcomes = {name: training.outcome(run.model_directory(name)) for name in jobs}
    unfinished = [name for name, found in outcomes.items() if not (found and found.complete)]
    if unfinished and not partial:
        raise training.TrainingError(f"{run.directory}: {', '.join(unfinished)} not trained to the end; the same train "
                                     "command goes on, or use --partial")
    measured = measure(config, store, run)
    results = collect(FINDINGS | FACTS, measured)
    genres = set(measured.data.classes) == set(settings.GENRES)
    stated = {"genres": "gtzan" if genres else "other", "ablations": bool(config.ablations)}
    if measured.data.note:
        stated["groups_per_class"] = 1
    run.write_results(store, results, figures.sections(run, measured), notes(config, store, measured),
                      sum(found.step for found in outcomes.values() if found), not unfinished, stated)


def notes(config, store, measured) -> dict:
    """What the page says about the data: how they were split, which tracks are short."""
    found = {"split": measured.data.note} if measured.data.note else {}
    short = store.parameters["facts"]["short_tracks"]
    if short:
        more = f" and {len(short) - 3} more" if len(short) > 3 else ""
        found["short tracks"] = f"{len(short)} below {config.used_samples:,} samples: {', '.join(short[:3])}{more}"
    return found


def measure(config, store, run) -> Measured:
    """Everything that the findings are made of."""
    data = load_data(config, store, run.seed)
    learners = {name: learner(config, store, run, name) for name in train.HEADLINE}
    histories = {name: training.history(run.model_directory(name)) for name in ("two_layer", "deep_softmax")}
    gaps = {name: gap(config, store, run, name) for name in GAPS} if config.ablations else None
    return Measured(config, run.follow == "code", data, encode(learners, data.x), histories, gaps)


def learner(config, store, run, name: str):
    """A trained model of the run."""
    model, changed = train.jobs(config)[name]
    return training.load(model, changed, store, run.model_directory(name), run.seed)


def encode(learners, x) -> Encodings:
    """All encodings of x (n, 500)."""
    vanilla, hybrid = learners["autoencoder"], learners["deep_softmax"]
    return Encodings(
        raw=x, vanilla=train.in_batches(vanilla.networks["encoder"], x),
        bottleneck=train.in_batches(hybrid.networks["encoder"], x),
        vanilla_x_hat=train.in_batches(partial(train.reconstruct, vanilla), x),
        x_hat=train.in_batches(partial(train.reconstruct, hybrid), x),
        logits=train.predict(hybrid, x), two_layer=train.predict(learners["two_layer"], x))


def gap(config, store, run, name: str) -> float:
    """Train-test gap of a setting; NaN where it was not trained."""
    name = name if name in train.jobs(config) else "deep_softmax"  # the mode's own setting is trained under that name
    if not training.outcome(run.model_directory(name)):
        return float("nan")
    trained, changed = learner(config, store, run, name), train.jobs(config)[name][1]
    other = load_data(changed, store, run.seed)
    held = load_data(config, store, run.seed).held
    return train.accuracy(trained, other, other.parts["train"]) - train.accuracy(trained, other, held)


if __name__ == "__main__":
    scripts.run_evaluation(OPTIONS, settings, preprocess, evaluate)
