"""Every number and finding of the paper as measured on a run: Tables 1 to 7, Figures 4 to 11, claims.csv.

`python -m papers.symphony2vec.evaluate --follow sound` measures a trained run and writes its results.json.
"""

import math

from papers.symphony2vec import config as settings, preprocess

if __name__ == "__main__":  # options first: --help answers without TensorFlow
    from common import scripts

    OPTIONS = scripts.evaluation_options(settings, __doc__)

import numpy as np

from common import claims, probes, record, training
from papers.symphony2vec import facts, figures, latent, losses, measures, train
from papers.symphony2vec.features import REPRESENTATIONS

LETTER = {"c": "chroma", "m": "mfcc", "s": "mel"}
SUPERVISED, EMBEDDINGS = ("ff", "cnn"), ("ae", "cae", "vae")
CLAIMS = record.ROOT / "papers" / settings.PAPER / "claims.csv"


class Results:
    """Claim id -> value or reason; a value whose models are missing becomes their reason."""

    def __init__(self, found):
        self.found, self.entries = found, {}

    def put(self, claim, models, value, like=None, **more):
        """Value of `value()` where all `models` are there; `like`: the model whose count and baselines go with it."""
        models = (models,) if isinstance(models, str) else tuple(models)
        absent = [self.found.missing[name] for name in models if name in self.found.missing]
        if absent:
            self.refuse(claim, "; ".join(dict.fromkeys(absent)))
            return
        number = value() if callable(value) else value
        if number is None or not math.isfinite(number):
            self.refuse(claim, "the value is not a finite number")
            return
        entry = {"value": float(number)} | more
        if like:
            count, unit = self.found.counts[like]
            entry |= {"n": count, "of": unit, "baselines": self.found.baselines[like]}
        self.entries[claim] = entry

    def refuse(self, claim, reason):
        """Say why a claim has no value."""
        self.entries[claim] = {"not_testable": reason}


def evaluate(config, store, run, partial=False):
    """Measure every model of a run; writes results.json, media.json, figures and audio.

    Raises TrainingError where a model is not trained to its end and `partial` is not set.
    """
    chosen = settings.trained_models(run.follow, run.preset)
    found = measures.measure(config, store, run, chosen, partial)
    results = Results(found)
    table_1(results)
    tables_3_to_7(results)
    program_numbers(results)
    figures_5_to_9(results)
    propositions(results)
    latent_space(results)  # last: it moves the generator's moving averages
    facts.facts(results)
    remaining(results, run)
    notes = {"split": config.split, "clips": {"train": len(found.selection.train), "test": len(found.selection.test)},
             "permutation_p": {"ali-128": measures.permutation_p(found, "ali-128")} if "ali-128" in found.codes else {},
             "left out": sorted(set(found.missing) - set(settings.PROGRAM_ONLY))}  # fmt: skip
    complete = all((outcome := training.outcome(run.model_directory(name))) and (outcome.complete or outcome.diverged)
                   for name in chosen)  # fmt: skip
    step = sum(outcome.step for name in chosen if (outcome := training.outcome(run.model_directory(name))))
    media = figures.media(found, results.entries)
    run.write_results(store, results.entries, media, notes, step, complete)


def table_1(results):
    """Section 3.1 and Table 1: sizes and shares of the sets."""
    selection = results.found.selection
    for name, rows in (("train", selection.train), ("test", selection.test)):
        results.put(f"C-split-{name}", (), len(rows))
        for composer in ("beethoven", "brahms", "haydn", "sibelius", "tchaikovsky"):
            number = [i for i, label in enumerate(selection.names) if composer in label.lower()]
            if number:
                share = float(np.mean(selection.labels[rows] == number[0]))
                results.put(f"C-T1-{name}-{composer}", (), share, n=len(rows), of="clips")
            else:
                results.refuse(f"C-T1-{name}-{composer}", f"no {composer.title()} in this corpus")


def tables_3_to_7(results):
    """Test accuracies of Tables 3, 4, 5 and 7, and the two controls of section 4."""
    accuracy, train_accuracy = results.found.accuracy, results.found.train_accuracy
    for letter, representation in LETTER.items():
        for kind in ("ff", "cnn", "lstm"):
            name = f"{kind}-{representation}"
            results.put(f"C-T3-{kind.upper()}-{letter}", name, lambda name=name: accuracy[name], name)
        for kind in (*EMBEDDINGS, "pca"):
            name = f"{kind}-{representation}"
            results.put(f"C-T4-{kind.upper()}-{letter}", name, lambda name=name: accuracy[name], name)
            results.put(f"N-LRtrain-{kind.upper()}-{letter}", name, lambda name=name: train_accuracy[name])
    for size in train.LATENT_SIZES:
        name = f"ali-{size}"
        results.put(f"C-T7-{size}-train", name, lambda name=name: train_accuracy[name])
        results.put(f"C-T7-{size}-test", name, lambda name=name: accuracy[name], name)
    results.put("C-FF32", "ff-32", lambda: accuracy["ff-32"], "ff-32")
    results.put("C-E32", "encoder-32", lambda: accuracy["encoder-32"], "encoder-32")


def _lines(found, name, stage=None):
    """Log lines of a model; of a stage by the start of its name, the first stage for None."""
    lines = found.history[name]
    return [line for line in lines if line["stage"].startswith(stage or "part-1")]


def _end(found, name, key, stage=None, share=0.2):
    """Mean of a logged value over the last `share` of a stage's lines."""
    lines = _lines(found, name, stage)
    if not lines:
        return None
    last = lines[-max(1, round(share * len(lines))) :]
    return float(np.mean([line[key] for line in last]))


def program_numbers(results):
    """Numbers that only the program prints: losses, parts of the mel training, principal components."""
    found, config = results.found, results.found.config
    for letter, name in (("c", "perceptron-chroma"), ("m", "perceptron-mfcc")):
        results.put(f"N-perc-{letter}", name, lambda name=name: found.accuracy[name], name)
    subsets = len(found.selection.stages) > 1
    for kind in ("ff", "cnn", "lstm"):
        for part, stage in (("s12", "part-1"), ("s34", "part-2")):
            claim = f"N-{kind.upper()}-{part}"
            if subsets:
                results.put(claim, f"{kind}-mel",
                            lambda k=kind, s=stage: 100 * _lines(found, f"{k}-mel", s)[-1]["metrics/test_accuracy"])
            else:
                results.refuse(claim, "the mel data are not trained on in parts in this mode")
        for letter, representation in LETTER.items():
            name = f"{kind}-{representation}"
            for claim, key in (("train", "losses/cross_entropy"), ("test", "losses/test_cross_entropy")):
                results.put(f"N-{kind.upper()}-loss-{claim}-{letter}", name,
                            lambda n=name, k=key: found.history[n][-1][k])  # fmt: skip
    for letter, representation, stage in (("c", "chroma", "part-1"), ("m", "mfcc", "part-1"), ("s12", "mel", "part-1"),
                                          ("s34", "mel", "part-2"), ("s5", "mel", "part-3")):  # fmt: skip
        name, at = f"ae-{representation}", {"first": 0, "last": -1}
        for word, place in at.items():
            if representation == "mel" and not subsets:
                results.refuse(f"N-AE-loss-{word}-{letter}", "the mel data are not trained on in parts in this mode")
            else:
                results.put(f"N-AE-loss-{word}-{letter}", name,
                            lambda n=name, s=stage, p=place: _lines(found, n, s)[p]["losses/reconstruction"])
    for letter, representation in LETTER.items():
        name = f"cae-{representation}"
        results.put(f"N-CAE-loss-{letter}", name, lambda n=name: _cae_loss(found, n))
        name = f"vae-{representation}"
        results.put(f"N-VAE-first-{letter}", name, lambda r=representation: facts.first_vae_loss(found, r))
        results.put(f"N-VAE-test-{letter}", name, lambda r=representation: facts.vae_test_loss(found, r))
    results.put("N-VAE-explosion", "vae-mel", lambda: 32 * sum(
        found.history["vae-mel"][0][key] for key in ("losses/reconstruction", "losses/divergence")))  # fmt: skip
    for letter in ("c", "m"):
        for number, share in enumerate(facts.explained_variance(found, LETTER[letter]), 1):
            results.put(f"N-PCA2-{letter}-{number}", (), share)
    for number in (1, 2):
        results.refuse(f"N-PCA2-s-{number}", "the program took 128 mel bands in decibels here; the store holds 64")
    for size in train.LATENT_SIZES:
        name = f"ali-{size}"
        results.put(f"N-ALI-dmean-{size}", name, lambda n=name: _end(found, n, "losses/discriminator", share=1.0))
        for part in (1, 3):
            for word, key in (("d", "losses/discriminator"), ("g", "losses/generator"), ("real", "metrics/d_real"),
                              ("generated", "metrics/d_generated")):  # fmt: skip
                claim = f"N-ALI-end-{size}-{part}-{word}"
                if part == 3 and not subsets:
                    results.refuse(claim, "there is one part in this mode")
                else:
                    results.put(claim, name, lambda n=name, k=key, p=part: _lines(found, n, f"part-{p}")[-1][k])
        reached = lambda n=name: next((line["epoch"] for line in _lines(found, n)  # noqa: E731
                                       if line["losses/generator"] >= 3.5), None)  # fmt: skip
        _put_or(results, f"N-ALI-gate-{size}", name, reached, "the generator's loss does not reach 3.5 in part 1")
    for letter in ("d", "g"):
        results.refuse(f"N-ALI-2-{letter}", f"printed for one batch of two clips; the log holds means of "
                       f"{config.ali_log_every} steps")  # fmt: skip


def _put_or(results, claim, model, value, reason):
    if model not in results.found.missing and value() is None:
        results.refuse(claim, reason)
    else:
        results.put(claim, model, value)


def _cae_loss(found, name):
    line = found.history[name][-1]
    penalty = line.get("losses/printed_penalty", found.config.contractive_factor * line.get("losses/contraction", 0.0))
    return line["losses/reconstruction"] + penalty


def figures_5_to_9(results):
    """What the drawn values of Figures 5, 6, 8 and 9 can be."""
    found, config = results.found, results.found.config
    mel, crop = found.images["mel"], found.images["crop"]
    if config.autoencoder_output == "tanh":
        results.put("C-F5-low", (), mel.decibels(-1.0))
        results.put("C-F5-high", (), mel.decibels(1.0))
    else:
        for end in ("low", "high"):
            results.refuse(f"C-F5-{end}", "the output is linear in this mode: it has no limits")
    if config.vae_likelihood == "bernoulli":
        results.put("C-F6-low", (), mel.decibels(0.0))
        results.put("C-F6-high", (), mel.decibels(1.0))
        results.put("C-F6-binary", "vae-mel", lambda: facts.share_near_the_ends(found))
    else:
        for end in ("low", "high", "binary"):
            results.refuse(f"C-F6-{end}", "the output is linear in this mode: it has no limits")
    results.put("C-F9-low", (), crop.decibels(0.0))
    results.put("C-F9-high", (), crop.decibels(1.0))
    for word, key in (("d", "losses/discriminator"), ("g", "losses/generator")):
        results.put(f"C-F8-start-{word}", "ali-128", lambda k=key: _lines(found, "ali-128")[0][k])
        results.put(f"C-F8-end-{word}", "ali-128", lambda k=key: _end(found, "ali-128", k, share=0.1))
    _put_or(results, "C-F8-ramp", "ali-128", lambda: next(
        (line["step"] for line in _lines(found, "ali-128") if line["losses/generator"] >= 3.5), None),
        "the generator's loss does not reach 3.5")  # fmt: skip
    results.put("C-F4", (), lambda: facts.component_silhouette(found))


def propositions(results):
    """The dossier's propositions that compare accuracies and losses."""
    found, accuracy = results.found, results.found.accuracy

    def difference(claim, first, *others, best=max):
        results.put(claim, (first, *others), lambda: accuracy[first] - best(accuracy[name] for name in others), first)

    for kind in EMBEDDINGS:
        difference(f"Q1-{kind.upper()}", "ali-128", f"{kind}-mel")
    difference("Q2-FF32", "ali-128", "ff-32")
    difference("Q2-E32", "ali-128", "encoder-32")
    results.put("Q3", "ali-128", lambda: accuracy["ali-128"] - found.baselines["ali-128"]["majority"], "ali-128")
    difference("Q4-256", "ali-256", "ali-128")
    difference("Q4-128", "ali-128", "ali-40")
    results.put("Q4-random", "ali-128", lambda: accuracy["ali-128"] - measures.untrained_ali(found), "ali-128")
    for representation in REPRESENTATIONS:
        name = f"lstm-{representation}"
        over = lambda n=name: accuracy[n] - found.baselines[n]["majority"]  # noqa: E731
        results.put(f"Q5-{representation}", name, over, name)
        results.put(f"Q5-learns-{representation}", name, over, name)
        results.put(f"Q5-code-{representation}", name, over, name)
        results.put(f"Q5-entropy-{representation}", name, lambda r=representation: facts.entropy_gap(found, r))
        ff, cnn = f"ff-{representation}", f"cnn-{representation}"
        results.put(f"Q6-{representation}", (ff, cnn),
                    lambda a=ff, b=cnn: mcnemar(found.right[a], found.right[b]), cnn)  # fmt: skip
        for kind in EMBEDDINGS:
            difference(f"Q7-{kind.upper()}-{representation}", f"{kind}-{representation}", f"pca-{representation}")
        embeddings = [f"{kind}-{representation}" for kind in (*EMBEDDINGS, "pca")]
        supervised = [f"{kind}-{representation}" for kind in SUPERVISED]
        results.put(f"Q8-{representation}", embeddings + supervised, lambda e=embeddings, s=supervised: max(
            accuracy[name] for name in e) - max(accuracy[name] for name in s), supervised[0])  # fmt: skip
        winner = "cae" if representation == "chroma" else "vae"
        difference(f"Q9-{representation}", f"{winner}-{representation}",
                   *(name for name in embeddings if not name.startswith(f"{winner}-")))  # fmt: skip

    def lead(kind):
        return accuracy[f"{kind}-mel"] - max(accuracy[f"{kind}-chroma"], accuracy[f"{kind}-mfcc"])

    results.put("Q10-cnn", [f"cnn-{r}" for r in REPRESENTATIONS], lambda: lead("cnn"), "cnn-mel")
    kinds = (*SUPERVISED, *EMBEDDINGS, "pca")
    results.put("Q10-mean", [f"{kind}-{r}" for kind in kinds for r in REPRESENTATIONS],
                lambda: float(np.mean([lead(kind) for kind in kinds])))  # fmt: skip
    threshold = found.config.ali_gate
    plateau = lambda: _end(found, "ali-128", "losses/discriminator") - 2 * math.log(2)  # noqa: E731
    if threshold:
        never = f"the generator's loss does not reach the gate's {threshold:g} in part 1"
        closed = "ali-128" in found.missing or min(line["metrics/gate_open"] for line in _lines(found, "ali-128")) < 1
        for claim, value in (("Q11-discriminator", plateau),
                             ("Q11-predicted", lambda: _end(found, "ali-128", "metrics/d_generated")
                              - losses.gate_equilibrium(threshold)[1])):  # fmt: skip
            _put_or(results, claim, "ali-128", value if closed else lambda: None, never)
        results.refuse("Q11-open", "the gate is on in this mode")
    else:
        results.put("Q11-discriminator", "ali-128", plateau)
        results.refuse("Q11-predicted", "there is no gate in this mode")
        results.put("Q11-open", "ali-128", lambda: _end(found, "ali-128", "losses/discriminator"))
    names = [f"ali-{size}" for size in train.LATENT_SIZES]
    results.put("Q12", names, lambda: float(np.ptp([_end(found, n, "losses/discriminator") for n in names])))
    results.put("Q18", "cnn-mel", lambda: max(
        value for name, value in accuracy.items() if not name.startswith("perceptron")) - 70.0)  # fmt: skip
    results.refuse("Q17", "neither the 64 x 64 network nor its numbers are published")
    results.refuse("C-rel", "a figure from the literature on other data, not from this paper's models")
    results.put("N-UMAP", "ali-128", lambda: facts.code_silhouette(found, "ali-128"))


def mcnemar(first, second):
    """|z| of McNemar's test on paired right answers: 0 where both are right and wrong on the same clips."""
    only_first, only_second = np.sum(first & ~second), np.sum(second & ~first)
    total = only_first + only_second
    return float(abs(only_first - only_second) / math.sqrt(total)) if total else 0.0


def latent_space(results):
    """Figures 9 to 11: spread, brightness along the path, and whether the path's length means anything."""
    found, config = results.found, results.found.config
    of_data = probes.mean_distance(found.images["crop"][np.unique(found.selection.train)[: config.latent_samples]])
    spreads, panels, path_images = {}, {}, {}
    for size in train.LATENT_SIZES:
        name = f"ali-{size}"
        if name in found.learners:
            spreads[name] = probes.mean_distance(measures.generated(found, name))
            path_images[name] = latent.generate(found.learners[name], latent.path(size), config)
            panels[name] = latent.panel_scale(path_images[name])
        for percent in (0, 20, 40, 60, 80, 100):
            at = round(percent / 100 * (latent.POINTS - 1))
            results.put(f"N-interp-{size}-{percent:03d}", name, lambda n=name, i=at: panels[n][i].mean())
            if percent in (20, 40, 100):
                results.put(f"N-change-{size}-{percent:03d}", name,
                            lambda n=name, i=at: np.abs(panels[n][i] - panels[n][0]).mean())  # fmt: skip
    results.put("Q13-256", ("ali-256", "ali-128"), lambda: spreads["ali-256"] / max(spreads["ali-128"], 1e-12))
    results.put("Q13-data", "ali-256", lambda: spreads["ali-256"] / max(of_data, 1e-12))
    results.put("Q14-128", "ali-128", lambda: latent.level_slope(path_images["ali-128"]))
    results.put("Q14-directions", "ali-128", lambda: float(np.median(latent.direction_slopes(
        found.learners["ali-128"], config, 128, config.directions, found.run.seed))))  # fmt: skip
    results.put("Q16", ("ali-128", "vae-mel"), lambda: facts.realism_difference(found))
    results.put("E-generator", "ali-128", lambda: facts.excess(measures.generated(found, "ali-128")))
    results.put("Q15", "ali-128", lambda: latent.scale_blindness(found.learners["ali-128"], 128))


def remaining(results, run):
    """Claims asked of other modes only, or that nothing above has filled."""
    for claim in claims.read_claims(CLAIMS):
        follow = [value for key, _, value in claim.needs if key == "follow"]
        if follow and run.follow not in follow[0].split("|"):
            if claim.kind == "fact" or claim.id not in results.entries:
                results.refuse(claim.id, f"asked of {follow[0].replace('|', ' and ')} only")
        elif claim.id not in results.entries:
            raise KeyError(f"{claim.id} has neither value nor reason")


if __name__ == "__main__":
    scripts.run_evaluation(OPTIONS, settings, preprocess, evaluate)
