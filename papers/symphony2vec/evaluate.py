"""Every number and finding of the paper as measured on a run: Tables 1 to 7, Figures 4 to 11, claims.csv.

`python -m papers.symphony2vec.evaluate --follow sound` measures a trained run and writes its results.json.
"""

import math

from papers.symphony2vec import config as settings, preprocess

if __name__ == "__main__":  # options first: --help answers without TensorFlow
    from common import scripts

    OPTIONS = scripts.evaluation_options(settings, __doc__)

from common import claims, record, training
from common.findings import collect
from common.store import Store
from papers.symphony2vec import figures, measures, measuring, preconditions, train
from papers.symphony2vec.findings import FINDINGS
from papers.symphony2vec.measured import Measured

CLAIMS = record.ROOT / "papers" / settings.PAPER / "claims.csv"


def evaluate(config: settings.Config, store: Store, run: record.Run, partial: bool = False) -> None:
    """Measure every model of a run; writes results.json, media.json, figures and audio.

    Raises TrainingError where a model is not trained to its end and `partial` is not set.
    """
    trained = measuring.load(config, store, run, partial)
    measured = measuring.measure(trained)
    learnt = measured.learnt()
    results = preconditions.asked(asked(finite(collect(FINDINGS, measured)), run.follow), learnt)
    outcomes = [training.outcome(run.model_directory(name)) for name in train.chosen(config, run)]
    complete = all(outcome and (outcome.complete or outcome.diverged) for outcome in outcomes)
    step = sum(outcome.step for outcome in outcomes if outcome)
    media = figures.media(trained, measured, results)
    run.write_results(store, results, media, notes(config, measured, run.seed), step, complete,
                      learnt=learnt)  # fmt: skip


def finite(results: dict[str, dict]) -> dict[str, dict]:
    """The same results; a value that is not a finite number becomes a reason."""
    broken = {"not_testable": "the value is not a finite number"}
    return {claim: entry if math.isfinite(entry.get("value", 0.0)) else broken for claim, entry in results.items()}


def asked(results: dict[str, dict], follow: str) -> dict[str, dict]:
    """The same results; a fact that is asked of other modes only gets that as its reason."""
    found = dict(results)
    for claim in claims.read_claims(CLAIMS):
        modes = [value for key, _, value in claim.needs if key == "follow"]
        if claim.kind == "fact" and modes and follow not in modes[0].split("|"):
            found[claim.id] = {"not_testable": f"asked of {modes[0].replace('|', ' and ')} only"}
    return found


def notes(config: settings.Config, measured: Measured, seed: int) -> dict:
    """What results.json says beside the claims."""
    permutation = {}
    if "ali-128" in measured.judged:
        one = measured.judged["ali-128"]
        permutation["ali-128"] = measures.permutation_p(one.predicted, one.truth, seed)
    left_out = sorted(set(measured.missing) - set(settings.PROGRAM_ONLY))
    return {"split": config.split, "clips": {"train": len(measured.train), "test": len(measured.test)},
            "permutation_p": permutation, "regressions stopped early": sorted(measured.stopped),
            "left out": left_out}  # fmt: skip


if __name__ == "__main__":
    scripts.run_evaluation(OPTIONS, settings, preprocess, evaluate)
