"""Claims, figures and sound of a run: the only producer of a published number.

`python -m papers.lord_transfer.evaluate --follow sound` measures a trained run. The paper prints no numeric result;
what it judged by ear is put to an independent classifier (listener.py) and to measures of pitch content (melody.py).
"""

import json
from pathlib import Path

from papers.lord_transfer import config as settings, preprocess

if __name__ == "__main__":  # options first: --help answers without TensorFlow
    from common import scripts

    OPTIONS = scripts.evaluation_options(settings, __doc__)

from common import claims, training
from common.findings import collect
from common.loop import Outcome
from common.record import Run
from common.store import Store
from papers.lord_transfer import comparisons, facts, findings_instruments, losses, train
from papers.lord_transfer.config import Config, loss_terms, pairs, perceptual_state
from papers.lord_transfer.figures import figures_and_sound
from papers.lord_transfer.findings import FINDINGS
from papers.lord_transfer.measures import Evaluation, Measured
from papers.lord_transfer.measuring import measure


def evaluate(config: Config, store: Store, run: Run, partial: bool = False) -> None:
    """Measure every model of a run and write results.json and media.json.

    `partial`: use the last checkpoints of a training that has not ended. Raises TrainingError when a model of the run
    is not trained, or not to its end without `partial`.
    """
    outcomes = trained_outcomes(config, run, partial)
    models = {}
    for pair in pairs(config):
        print(f"evaluating {pair or config.data_set}", flush=True)
        models[pair] = measure(config, store, run, "lord", pair)
    found = Evaluation(config, models, {
        name: measure(config, store, run, name, pairs(config)[0], full=False)
        for name in (comparisons.configs(models[pairs(config)[0]].config) if config.ablations else ())})
    found.others = siblings(run, store.parameters["corpus"]["evidence"])
    results = facts.of_the_method(config) | facts.counts(config, store)
    results |= collect(FINDINGS[config.data_set], found)  # type: ignore[arg-type]
    results |= asked_elsewhere(config, results)
    known = learnt(models)
    results = asked_of_the_first(results, known, train.job_name("lord", pairs(config)[0]))
    notes = {"perceptual": losses.perceptual_words(config), "loss": " + ".join(loss_terms(config)),
             "split": found.first.how, "ears": {pair or config.data_set: model.ears for pair, model in models.items()}}
    if config.data_set == "medley_solos_db":  # what the long recordings are compared with (I6, I7)
        notes |= findings_instruments.for_others(found.first)
    stated = {"data_set": config.data_set, "perceptual": perceptual_state(config)}
    if "under three recordings" in notes["split"]:
        stated["groups_per_class"] = 1  # type: ignore[assignment]  # clips of one recording on several sides: no verdicts
    run.write_results(store, results, figures_and_sound(run, found, notes), notes,
                      step=sum(o.step for o in outcomes.values()),
                      complete=all(o.complete for o in outcomes.values()), facts=stated, learnt=known)


def learnt(models: dict[str, Measured]) -> dict:
    """Whether each pair's networks learnt: on held-out clips, against the best picture of the class and chance."""
    found = {}
    for pair, model in models.items():
        error, blind = model.errors.mean(), min(model.mean_errors.mean(), model.median_errors.mean())
        found[train.job_name("lord", pair)] = {
            "what": "held-out identity error against the class's mean or median picture", "value": float(error),
            "baseline": float(blind), "learnt": bool(error < blind)}
        found[train.job_name("classifier", pair)] = {
            "what": "held-out accuracy, two standard errors of guessing once a recording above chance",
            "value": model.heard.accuracy, "baseline": model.heard.chance, "learnt": not model.heard.deaf}
    return found


def trained_outcomes(config: Config, run: Run, partial: bool) -> dict[str, Outcome]:
    """{job: Outcome} of a run's training; raises TrainingError for what evaluation cannot do without."""
    found = {}
    for name in train.jobs(config):
        outcome = training.outcome(run.model_directory(name))
        if outcome is None or not (partial or outcome.complete or outcome.diverged):
            raise training.TrainingError(f"{run.model_directory(name)}: not trained to its end; first: "
                                         "python -m papers.lord_transfer.train with the same options")
        found[name] = outcome
    return found


def asked_elsewhere(config: Config, results: dict) -> dict[str, dict]:
    """A reason for every claim without a value: a question about another data set, or of another mode."""
    found = {}
    for claim in claims.read_claims(Path(__file__).with_name("claims.csv")):
        asked = next((value for key, _, value in claim.needs if key == "data_set"), config.data_set)
        if claim.id not in results:
            elsewhere = config.data_set not in asked.split("|")
            reason = f"a question about {asked.replace('|', ' or ')}" if elsewhere else "this mode has none"
            found[claim.id] = {"not_testable": reason}
    return found


def asked_of_the_first(results: dict[str, dict], known: dict[str, dict], first: str) -> dict[str, dict]:
    """The same results; where the `first` pair's model has not learnt, what is measured on it alone is not judged.

    It keeps its value. Such a claim names the models of all pairs in claims.csv, of which it asks that any has learnt;
    a claim about one pair names its own.
    """
    check = known[first]
    if check["learnt"]:
        return results
    reason = f"the model did not learn: {first}, {check['what']}, {check['value']:.3g} against {check['baseline']:.3g}"
    asked = {claim.id for claim in claims.read_claims(Path(__file__).with_name("claims.csv"))
             for key, _, models in claim.needs if key == "learnt" and "|" in models}
    return {claim: entry | {"not_testable": reason} if claim in asked and "value" in entry else entry
            for claim, entry in results.items()}


def siblings(run: Run, evidence: str) -> dict[str, dict]:
    """{data set: results.json} of the complete runs of the same preset, mode and seed beside this one.

    Synthetic results never stand beside real ones: where one is a demo, the other must be.
    """
    found = {}
    for path in sorted(run.directory.parent.parent.glob(f"*/{run.directory.name}/results.json")):
        other = json.loads(path.read_text())
        same = all(other[key] == getattr(run, key) for key in ("preset", "follow", "seed", "overrides"))
        if same and other["complete"] and (other["corpus"]["evidence"] == "demo") == (evidence == "demo"):
            found.setdefault(other["facts"].get("data_set"), other)
    return found


if __name__ == "__main__":
    scripts.run_evaluation(OPTIONS, settings, preprocess, evaluate)
