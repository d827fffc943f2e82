"""Table 1, figures 2 to 5, and a value or a reason for every claim and proposition.

`python -m papers.musae.evaluate --follow sound --seed 0` writes results.json, media.json, figures/, audio/ and midi
files.
"""

from papers.musae import config as settings, preprocess

if __name__ == "__main__":  # options first: --help answers without TensorFlow
    from common import scripts

    OPTIONS = scripts.evaluation_options(settings, __doc__)

from common import training
from common.findings import collect
from common.record import Run
from common.store import Store
from papers.musae import facts, findings, measured, page, preconditions, train


def evaluate(config: settings.Config, store: Store, run: Run, partial: bool = False) -> None:
    """Measure a run and write results.json, media.json, figures, sounds and MIDI files.

    Raises TrainingError where a model is not trained to its end and `partial` is not set.
    """
    jobs = train.jobs(config)
    outcomes = {name: training.outcome(run.model_directory(name)) for name in jobs}
    unfinished = [name for name, found in outcomes.items() if not (found and found.complete)]
    if unfinished and not partial:
        raise training.TrainingError(
            f"{run.directory}: {', '.join(unfinished)} not trained to the end; the same train command goes on, "
            "or use --partial"
        )
    trained = {name: jobs[name] for name, found in outcomes.items() if found}
    found = measured.measure(trained, config, store, run)
    learnt = findings.learnt(found)
    results = preconditions.asked(collect(findings.FINDINGS | facts.FACTS, found), learnt)
    notes = {"songs": {name: model.songs for name, model in found.models.items()}}
    if config.ablations:
        notes["effects"] = {
            name: findings.row(model) for name, model in found.models.items() if name in train.ABLATIONS
        }
    steps = sum(outcome.step for outcome in outcomes.values() if outcome)
    sections = page.sections(found, results, run)
    run.write_results(store, results, sections, notes, steps, not unfinished, learnt=learnt)


if __name__ == "__main__":
    scripts.run_evaluation(OPTIONS, settings, preprocess, evaluate)
