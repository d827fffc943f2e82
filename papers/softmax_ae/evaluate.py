"""Tables 1 and 2, the figures, and a value or a reason for every claim and proposition.

`python -m papers.softmax_ae.evaluate --follow sound --seed 0` writes results.json, media.json, figures/ and audio/.
"""

from functools import partial

from papers.softmax_ae import config as settings, preprocess

if __name__ == "__main__":  # options first: --help answers without TensorFlow
    from common import scripts

    OPTIONS = scripts.evaluation_options(settings, __doc__)


from common import probes, record, training
from common.findings import collect, where_learnt
from common.store import Store
from papers.softmax_ae import figures, measures, train
from papers.softmax_ae.data import Data, load_data
from papers.softmax_ae.facts import FACTS
from papers.softmax_ae.findings import FINDINGS, MUST_HAVE_LEARNT
from papers.softmax_ae.measures import Encodings, Measured, Other, View, gamma_of_losses


def evaluate(config: settings.Config, store: Store, run: record.Run, partial: bool = False) -> None:
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
    learnt = measures.learnt(measured)
    results = where_learnt(collect(FINDINGS | FACTS, measured), MUST_HAVE_LEARNT, learnt)
    genres = set(measured.own.data.classes) == set(settings.GENRES)
    stated = {"genres": "gtzan" if genres else "other", "ablations": bool(config.ablations)}
    if measured.own.data.note and not measured.own.data.by_track:
        stated["groups_per_class"] = 1  # type: ignore[assignment]
    run.write_results(store, results, figures.sections(run, measured), notes(config, store, measured),
                      sum(found.step for found in outcomes.values() if found), not unfinished, stated, learnt)
    record.write_json(run.directory / "inputs.json", {"classes": list(measured.own.data.classes), "mean":
                      measured.own.data.mean, "deviation": measured.own.data.deviation})  # all that `embed` needs


def notes(config: settings.Config, store: Store, measured: Measured) -> dict:
    """What the page says about the data: how they were split, which tracks are short."""
    found = {"split": measured.own.data.note} if measured.own.data.note else {}
    short = store.parameters["facts"]["short_tracks"]
    if short:
        more = f" and {len(short) - 3} more" if len(short) > 3 else ""
        found["short tracks"] = f"{len(short)} below {config.used_samples:,} samples: {', '.join(short[:3])}{more}"
    return found


def measure(config: settings.Config, store: Store, run: record.Run) -> Measured:
    """Everything that the findings are made of."""
    jobs = train.jobs(config)
    learners = {name: learner(config, store, run, name) for name in train.HEADLINE}
    own = view(learners, load_data(config, store, run.seed))
    unheard = own
    if train.UNHEARD["deep_softmax"] in jobs:
        twins = {name: learner(config, store, run, twin) for name, twin in train.UNHEARD.items()}
        unheard = view(twins, load_data(jobs[train.UNHEARD["deep_softmax"]][1], store, run.seed))
    alone = train.predict(learner(config, store, run, settings.ALONE), own.data.x)
    histories = {name: training.history(run.model_directory(name)) for name in train.HEADLINE}
    others = {name: other(config, store, run, name) for name in jobs
              if name in train.ABLATIONS or name == settings.LONGER} if config.ablations else None
    return Measured(config, own, unheard, alone, histories, others, built(learners, store, histories))


def learner(config: settings.Config, store: Store, run: record.Run, name: str) -> training.Learner:
    """A trained model of the run."""
    model, changed = train.jobs(config)[name]
    return training.load(model, changed, store, run.model_directory(name), run.seed)


def view(learners: dict[str, training.Learner], data: Data) -> View:
    """The segments and all encodings of them."""
    vanilla, hybrid = learners["autoencoder"], learners["deep_softmax"]
    return View(data, Encodings(
        raw=data.x, vanilla=train.in_batches(vanilla.networks["encoder"], data.x),
        bottleneck=train.in_batches(hybrid.networks["encoder"], data.x),
        vanilla_x_hat=train.in_batches(partial(train.reconstruct, vanilla), data.x),
        x_hat=train.in_batches(partial(train.reconstruct, hybrid), data.x),
        logits=train.predict(hybrid, data.x), two_layer=train.predict(learners["two_layer"], data.x)))


def other(config: settings.Config, store: Store, run: record.Run, name: str) -> Other:
    """An ablation in numbers; NaN where it was not trained (a partial run)."""
    if not training.outcome(run.model_directory(name)):
        return Other()
    trained, changed = learner(config, store, run, name), train.jobs(config)[name][1]
    data = load_data(changed, store, run.seed)
    found = {}
    if {"plain", "classifier"} & trained.networks.keys():
        found = {part: train.accuracy(trained, data, rows)
                 for part, rows in (("train", data.parts["train"]), ("held", data.held))}
    if {"decoder", "autoencoder"} & trained.networks.keys():
        x = data.x[data.held]
        found["explained"] = probes.r_squared(x, train.in_batches(partial(train.reconstruct, trained), x))
    return Other(**found)


def built(learners: dict[str, training.Learner], store: Store, histories: dict[str, list[dict]]) -> dict:
    """Sizes and rates read off the built networks, the store and the logged losses, not off the settings."""
    hybrid, plain = learners["deep_softmax"].networks, learners["two_layer"].networks["plain"]
    values = hybrid["encoder"].input_shape[1]
    return {"gamma": gamma_of_losses(histories["deep_softmax"]),
            "keep": 1 - hybrid["encoder"].get_layer("encoder_dropout").rate,
            "pool": store.parameters["recipe"]["segment_samples"] // values, "hidden": plain.get_layer("hidden").units,
            "bottleneck": hybrid["encoder"].output_shape[1], "logits": hybrid["classifier"].output_shape[1],
            "decoder_output": hybrid["decoder"].layers[-1].activation.__name__}


if __name__ == "__main__":
    scripts.run_evaluation(OPTIONS, settings, preprocess, evaluate)
