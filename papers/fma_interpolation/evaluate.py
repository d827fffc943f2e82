"""Every table and figure of the report, its claims and the propositions: a value or the reason why there is none.

`python -m papers.fma_interpolation.evaluate --follow sound --seed 0` writes results.json, media.json, figures/, audio/.
"""

from papers.fma_interpolation import config as settings, preprocess

if __name__ == "__main__":  # options first: --help answers without TensorFlow
    from common import scripts

    OPTIONS = scripts.evaluation_options(settings, __doc__)

from common import training
from common.findings import collect, where_learnt
from common.record import Run
from common.store import Store
from papers.fma_interpolation import classifiers, facts, findings_genres, findings_paths, measured, pages, train
from papers.fma_interpolation.findings import FINDINGS, MUST_HAVE_LEARNT


def estimate(config: settings.Config, store: Store) -> str:
    """What an evaluation takes beside trainings, in a sentence: the classical fits, by far the longest of it."""
    seconds = classifiers.estimate(config, store)
    fits = ", ".join(f"{classifiers.NAMES[name]} {value / 3600:.2f}" for name, value in seconds.items())
    return f"classical fits: {sum(seconds.values()) / 3600:.2f} h on one core, divided among the cores ({fits})"


def evaluate(config: settings.Config, store: Store, run: Run, partial: bool = False) -> None:
    """Measure a run and write results.json, media.json, figures and audio.

    Raises TrainingError where a model is not trained to its end and `partial` is not set.
    """
    jobs = train.jobs(config)
    outcomes = {name: training.outcome(run.model_directory(name)) for name in jobs}
    unfinished = [name for name, o in outcomes.items() if not (o and (o.complete or o.diverged))]
    if unfinished and not partial:
        raise training.TrainingError(f"{run.directory}: {', '.join(unfinished)} not trained to the end; the same train "
                                     "command goes on, or use --partial")
    histories = {name: training.history(run.model_directory(name)) for name in jobs}
    found, learners = measured.measure(config, store, run, histories, outcomes)
    results = facts.everything() | facts.storage(store, config) | facts.data(store, config)
    learnt = findings_paths.learnt(found) | findings_genres.learnt(found)
    results |= where_learnt(collect(FINDINGS, found), MUST_HAVE_LEARNT, learnt)
    sections = pages.sections(config, store, run, found, learners, histories)
    step = sum(o.step for o in outcomes.values() if o)
    run.write_results(store, results, sections, {}, step, not unfinished, learnt=learnt)


if __name__ == "__main__":
    scripts.run_evaluation(OPTIONS, settings, preprocess, evaluate)
