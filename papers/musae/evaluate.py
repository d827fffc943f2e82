"""Table 1, figures 2 to 5, and a value or a reason for every claim and proposition.

`python -m papers.musae.evaluate --follow sound --seed 0` writes results.json, media.json, figures/, audio/ and midi
files.
"""

from papers.musae import config as settings, preprocess

if __name__ == "__main__":  # options first: --help answers without TensorFlow
    from common import scripts

    OPTIONS = scripts.evaluation_options(settings, __doc__)

from dataclasses import dataclass, field

import numpy as np

from common import claims, training
from papers.musae import data, facts, latent, paths, train
from papers.musae.model import TRACKS

ROWS = {"T3": "drums", "T4": "bass", "T5": "guitar", "T6": "strings", "T7": "dbgs", "T8": "dbg"}


@dataclass
class Measured:
    """One trained model and what it makes of the same held-out windows that all its numbers are taken on."""

    name: str
    learner: object
    windows: data.Windows
    train_rows: np.ndarray
    held_rows: np.ndarray  # all held-out windows
    rows: np.ndarray  # those measured
    tokens: np.ndarray  # (n, T, 4)
    codes: np.ndarray  # (n, latent), sampled as in training
    answers: np.ndarray  # (n, T, 4) likeliest tokens
    accuracy: dict = field(default_factory=dict)  # by track, and the averages dbgs and dbg
    at_mean: dict = field(default_factory=dict)  # the same with the mean code
    baselines: dict = field(default_factory=dict)  # {baseline: {track: accuracy}}

    @property
    def songs(self):
        """Songs among the measured windows."""
        return len(np.unique(self.windows.song[self.rows]))


def averages(by_track):
    """Accuracies (4,) as a dict with the averages of Table 1."""
    found = {name: float(value) for name, value in zip(TRACKS, by_track, strict=True)}
    return found | {"dbgs": float(np.mean(by_track)), "dbg": float(np.mean(by_track[:3]))}


def measure(name, entry, config, store, run):
    """Load a model and reconstruct its held-out windows."""
    learner = training.load(entry, config, store, run.model_directory(name), run.seed)
    windows = data.windows(store, train.BARS[name.split("@")[0]])
    train_rows, held_rows = data.split(config, windows)
    rows = data.sample(held_rows, config.windows, 1)
    tokens = data.as_trained(config, windows, rows)
    codes = train.encode(learner, tokens, np.random.default_rng([run.seed, 1]))
    answers = train.decode_tokens(learner, codes)
    found = Measured(name, learner, windows, train_rows, held_rows, rows, tokens, codes, answers)
    right = answers == tokens
    found.accuracy = averages(right.mean(axis=(0, 1)))
    found.at_mean = averages((train.decode_tokens(learner, train.encode(learner, tokens)) == tokens).mean(axis=(0, 1)))
    majority = data.step_majority(data.as_trained(config, windows, data.sample(train_rows, 4 * config.windows, 2)))
    struck = tokens != data.HOLD
    found.baselines = {
        "all_hold": averages(data.all_hold_accuracy(tokens)),
        "step_majority": averages((tokens == majority).mean(axis=(0, 1))),
        "on_non_hold_targets": averages((right & struck).sum(axis=(0, 1)) / np.maximum(struck.sum(axis=(0, 1)), 1)),
        "with_mean_code": found.at_mean,
    }
    return found


def evaluate(config, store, run, partial=False):
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
    usable = [name for name, found in outcomes.items() if found]
    models = {name: measure(name, *jobs[name], store, run) for name in usable}
    results = reconstruction(models)
    ways = {name: paths.interpolations(m, config, run.seed) for name, m in models.items() if name in train.MODELS}
    results |= paths.interpolation_claims(ways)
    flower = latent.petals(models, config, store, run) if "16bar-flower" in models else None
    results |= latent.latent_claims(models, flower, config, store, run)
    pairs = latent.genre_pairs(models, config, store, run)
    results |= pairs.results
    results |= facts.data_claims(config, store, run)
    results |= facts.facts(models, config)
    claimed = [claim.id for claim in claims.read_claims(preprocess.Path(__file__).parent / "claims.csv")]
    missing = ", ".join(name for name in train.MODELS if name not in models)
    for claim in claimed:
        reason = f"{missing} is not trained here" if missing and "musicvae" not in claim else "reported only"
        results.setdefault(claim, {"not_testable": reason})
    from papers.musae import page

    sections = page.sections(models, ways, flower, pairs, results, config, store, run)
    notes = {"songs": {name: m.songs for name, m in models.items()}}
    if config.ablations:
        notes["effects"] = {name: m.accuracy for name, m in models.items() if "@" in name}
    run.write_results(store, results, sections, notes, sum(found.step for found in outcomes.values() if found),
                      not unfinished)  # fmt: skip


# Section 4.2, Table 1


def _entry(value, measured, key=None):
    entry = {"value": float(value), "n": len(measured.rows), "of": "windows"}
    if key:
        entry["baselines"] = {name: found[key] for name, found in measured.baselines.items()}
    return entry


def reconstruction(models):
    """Table 1 and what section 4.2 says about it."""
    found, printed = {}, {c.id: c.reported for c in claims.read_claims(preprocess.Path(__file__).parent / "claims.csv")}
    two, gaussian, flower = (models.get(n) for n in ("2bar-gaussian", "16bar-gaussian", "16bar-flower"))
    if two:
        found["T1-gaussian"] = _entry(two.accuracy["drums"], two, "drums")
        found["T2-gaussian"] = _entry(two.accuracy["guitar"], two, "guitar")
        found["Q4"] = _entry(min(two.accuracy["drums"], two.accuracy["guitar"]), two, "guitar")
    for model, name in ((gaussian, "gaussian"), (flower, "flower")):
        if model:
            found |= {f"{t}-{name}": _entry(model.accuracy[key], model, key) for t, key in ROWS.items()}
    for claim in printed:
        if claim.startswith(("V1-", "V2-")):
            ours, theirs = ("gaussian", "flat") if claim.startswith("V1") else ("flower", "hierarchical")
            row = claim[3:]
            if f"{row}-{ours}" in found:
                quoted = printed[f"{row}-musicvae-{theirs}"]
                found[claim] = {"value": found[f"{row}-{ours}"]["value"] - quoted, "baselines": {"quoted": quoted}}
    if two and gaussian:
        found["Q4-16bar"] = _entry(two.accuracy["drums"] - gaussian.accuracy["drums"], gaussian)
    if gaussian and flower:
        gain = {key: flower.accuracy[key] - gaussian.accuracy[key] for key in (*TRACKS, "dbgs", "dbg")}
        found |= {f"Q1-{key}": _entry(value, flower) for key, value in gain.items()}
        steps = [gain[a] - gain[b] for a, b in zip(TRACKS, TRACKS[1:], strict=False)]
        found["Q2"] = _entry(min(steps), flower)
        margins = [
            min(m.accuracy[t] for t in TRACKS if t != "guitar") - m.accuracy["guitar"] for m in (gaussian, flower)
        ]
        found["Q3"] = _entry(min(margins), flower)
        found["Q3"]["baselines"] = {
            "all_hold": min(flower.baselines["all_hold"][t] for t in TRACKS if t != "guitar")
            - flower.baselines["all_hold"]["guitar"]
        }
    return found


if __name__ == "__main__":
    scripts.run_evaluation(OPTIONS, settings, preprocess, evaluate)
