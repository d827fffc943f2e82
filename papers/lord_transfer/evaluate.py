"""Claims, figures and sound of a run: the only producer of a published number.

`python -m papers.lord_transfer.evaluate --follow sound` measures a trained run. The paper prints no numeric
result; what it judged by ear is put to an independent classifier and to measures of pitch content (measure.py).
"""

import json
from pathlib import Path

from papers.lord_transfer import config as settings, preprocess

if __name__ == "__main__":  # options first: --help answers without TensorFlow
    from common import scripts

    OPTIONS = scripts.evaluation_options(settings, __doc__)

import numpy as np

from common import claims, training
from papers.lord_transfer import clusters, measure, sound, stitching, train
from papers.lord_transfer.config import Config
from papers.lord_transfer.media import figures_and_sound

TREBLE = ("clarinet", "female singer", "flute", "trumpet", "violin")  # sources that can gain a left hand


def evaluate(config: Config, store, run, partial=False):
    """Measure every model of a run and write results.json and media.json.

    `partial`: use the last checkpoints of a training that has not ended. Raises TrainingError when a model of the run
    is not trained, or not to its end without `partial`.
    """
    outcomes = _outcomes(config, run, partial)
    results = facts_of_the_method(config) | counts(config, store)
    measured = {}
    for pair in train.pairs(config):
        print(f"evaluating {pair or config.data_set}", flush=True)
        measured[pair] = measure_model(config, store, run, "lord", pair, full=True)
    if config.data_set == "fma_medium":
        results |= genre_results(measured) | stitching_results(next(iter(measured.values())))
    else:
        results |= instrument_results(config, measured[""], run)
    if config.data_set == "folder":
        results |= stitching_results(measured[""])
    comparisons = {name: measure_model(config, store, run, name, train.pairs(config)[0])
                   for name in ablation_names(config)}
    results |= comparison_results(config, run, next(iter(measured.values())), comparisons)
    results |= without_ears(measured, results)
    results |= not_measured(config, results)
    state = train.perceptual_state(config)
    notes = {"perceptual": train.perceptual_words(config), "loss": " + ".join(train.loss_terms(config)),
             "split": next(iter(measured.values()))["trained"].test.how}
    if config.data_set == "medley_solos_db":  # what the long recordings are compared with (I6, I7)
        notes |= medley_for_others(measured[""])
    facts = {"data_set": config.data_set, "perceptual": state}
    if "under three recordings" in notes["split"]:
        facts["groups_per_class"] = 1  # clips of one recording on several sides: no verdicts
    media = figures_and_sound(config, run, measured, comparisons, notes)
    run.write_results(store, results, media, notes, step=sum(o.step for o in outcomes.values()),
                      complete=all(o.complete for o in outcomes.values()), facts=facts)


def _outcomes(config, run, partial):
    """{job: Outcome} of a run's training; raises TrainingError for what evaluation cannot do without."""
    found = {}
    for name in train.jobs(config):
        outcome = training.outcome(run.model_directory(name))
        if outcome is None or not (partial or outcome.complete or outcome.diverged):
            raise training.TrainingError(f"{run.model_directory(name)}: not trained to its end; first: "
                                         "python -m papers.lord_transfer.train with the same options")
        found[name] = outcome
    return found


def measure_model(config, store, run, name, pair, full=False):
    """Everything measured on one model: {"trained", "heard", "errors", …}; melody and sound only when `full`."""
    trained = measure.load(config, store, run, name, pair)
    images = trained.test_images()
    transfers = measure.all_transfers(trained, images)
    found = {"trained": trained, "images": images, "transfers": transfers, "pair": pair,
             "heard": measure.heard(trained, images, transfers),
             "errors": measure.identity_errors(trained, images, transfers),
             "leak": measure.leak(trained, images), "flux": measure.flux_ratio(trained, images, transfers),
             "distance": measure.feature_distance(trained, images, transfers),
             "history": training.history(run.model_directory(train.job_name(name, pair)))}
    if trained.config.phase != "none":
        found["phase"] = measure.phase_measures(trained, images, transfers)
    if full:
        references = store.array("reference")
        found["references"] = np.array([references[row] for row in trained.test.rows])
        found["melody"] = measure.melody(trained, images, transfers, config.pitch_clips)
        found["variety"] = measure.variety(trained, images, transfers)
        found["inversion"] = inversion_errors(trained, images, found["references"])
        if config.data_set != "medley_solos_db" and config.phase == "none":
            if tracks := held_out_tracks(trained, references):
                found["stitching"] = measure.stitching_measures(trained, tracks)
    return found


def held_out_tracks(trained, references):
    """Up to `stitched_tracks` held-out tracks of two windows or more: [(image, reference, class)]."""
    rows, first = np.unique(trained.test.rows, return_index=True)
    found = []
    for row, position in sorted(zip(rows, first, strict=True), key=lambda pair: pair[1]):
        image = trained.reader.image(row)[:trained.config.bands]
        if image.shape[1] >= 2 * trained.config.frames:
            found.append((image, references[row], trained.test.classes[position]))
    keep = np.linspace(0, len(found) - 1, min(trained.config.stitched_tracks, len(found))).round().astype(int)
    return [found[i] for i in keep]


def inversion_errors(trained, images, references, most=8):
    """Mean error in dB of real clips sent to sound and back, by both inversions."""
    import dataclasses

    picked = np.linspace(0, len(images) - 1, min(most, len(images))).round().astype(int)
    return {name: float(np.mean([sound.inversion_error(images[i, ..., 0], references[i], dataclasses.replace(
        trained.config, inversion=name)) for i in picked])) for name in ("pinv", "nonnegative")} | {"n": len(picked)}


# ---- facts and numbers ---------------------------------------------------------------------------------------------

def facts_of_the_method(config: Config):
    """Statements that hold, or not, on any data."""
    frames = 1 + 30 * config.sample_rate // 512  # hop 512: the only one for which 128 frames are ~3 s and a Medley clip
    inner = sum(start <= 200 < start + 128 for start in stitching.window_starts(1280, 128, 1))
    negative = float((sound.pseudo_inverse(config.sample_rate, config.fft_size, 128) < 0).mean())
    found = {"E1-frames": {"value": frames}, "E3-seconds": {"value": 128 * 512 / config.sample_rate},
             "E18-unique": {"value": int(inner)}, "E20-negative": {"value": negative},
             "S-mask": {"value": 1 - float(stitching.half_bell(32)[-1])},
             "E4-rate": {"value": float(np.log10(first_step_ratio(config)))}}
    if config.content_decay:
        found["E5-decay"] = {"value": float(train.decay_weight(config, 64) / train.decay_weight(config, 1))}
    if stop := train.stopper(config):
        lines = [{"losses/total": 0.9 / (1 + epoch)} for epoch in range(1000)]
        found["E6-stop"] = {"value": next(n for n in range(1, 1001) if stop(lines[:n]))}
    return found


def first_step_ratio(config: Config):
    """How far a table's first step goes, in steps of the other weights, when both have the same gradient."""
    import tensorflow as tf

    moved = []
    for rate in (1.0, config.table_rate):
        variable = tf.Variable([0.0])
        train.adam(config, rate, tf.constant(1.0)).apply([tf.constant([1.0])], [variable])
        moved.append(abs(float(variable[0])))
    return moved[1] / moved[0]


def counts(config: Config, store):
    """The paper's numbers about its data, counted in the store or the corpus."""
    corpus = store.parameters["corpus"]
    if config.data_set == "medley_solos_db":
        trained_on = train.training_windows(config, store)
        violin = [trained_on.labels.index(name) for name in trained_on.labels if name == "violin"]
        return {"n-clips": {"value": corpus["items"], "of": "clips"},
                "n-instruments": {"value": len({row["label"] for row in store.index}), "of": "classes"},
                "n-violin": {"value": int(np.isin(trained_on.classes, violin).sum()), "of": "clips"}}
    if config.data_set == "folder":
        hours = {}
        for row in store.index:
            hours[row["label"]] = hours.get(row["label"], 0) + row["frames"] * config.hop / config.sample_rate / 3600
        return {"n-hours": {"value": sum(hours.values())}, "n-hours-class": {"value": min(hours.values())}}
    return {"n-genres": {"value": len(store.parameters["facts"]["labels"]), "of": "genres"}}


# ---- findings ------------------------------------------------------------------------------------------------------

def entry(value, n=None, of="clips", **baselines):
    """A result; NaN becomes "not testable"."""
    if value is None or not np.isfinite(value):
        return {"not_testable": "not defined on this data (nothing to compare)"}
    return {"value": float(value), "n": n, "of": of, "baselines": {k: float(v) for k, v in baselines.items()}}


def genre_results(measured):
    """Genre transfer, sec. 2.3.5 and 3: every pair, and their means."""
    found = {}
    for pair, m in measured.items():
        heard, name = m["heard"], pair.lower()
        base = {"chance": heard.chance, "classifier on real clips": heard.accuracy}
        found[f"G1-identity-{name}"] = entry(heard.rebuilt / max(heard.accuracy, 1e-9), heard.clips,
                                             identity=heard.rebuilt, **base)
        found[f"G1-transfer-{name}"] = entry(heard.transferred - heard.false_identity, heard.clips,
                                             transferred=heard.transferred, identity=heard.false_identity, **base)
    first = next(iter(measured.values()))
    found["G2"] = entry(np.mean([m["errors"]["held_out"] / m["errors"]["class_mean"] for m in measured.values()]),
                        sum(m["heard"].clips for m in measured.values()), class_mean=1.0)
    found["A-leak"] = leak_result(first)
    found["R-inversion"] = inversion_result(first)
    return found


def leak_result(m):
    """A-leak: how well a linear probe reads the class from the content code."""
    accuracy, chance = m["leak"]
    return entry(accuracy - chance, m["heard"].clips, probe=accuracy, chance=chance)


def inversion_result(m):
    """R-inversion: what the pseudo-inverse costs."""
    found = m["inversion"]
    return entry(found["pinv"] - found["nonnegative"], found["n"], pinv=found["pinv"],
                 nonnegative=found["nonnegative"])


def instrument_results(config, m, run):
    """Instrument transfer, sec. 2.4.3."""
    heard, melody, labels = m["heard"], m["melody"], m["trained"].labels
    base = {"chance": heard.chance, "untransferred": heard.untransferred, "classifier on real clips": heard.accuracy}
    target = heard.transferred - max(heard.chance, heard.untransferred)
    found = {"I-target": entry(target, heard.clips, transferred=heard.transferred, identity=heard.false_identity,
                               variety=m["variety"], **base),
             "I-identity": entry(heard.rebuilt / max(heard.accuracy, 1e-9), heard.clips, identity=heard.rebuilt,
                                 **base),
             "A-leak": leak_result(m), "R-inversion": inversion_result(m)}
    genre = sibling(run, "fma_medium")
    above = heard.transferred - heard.chance
    pairs = [e["baselines"]["transferred"] - e["baselines"]["chance"] for key, e in (genre or {}).items()
             if key.startswith("G1-transfer") and "value" in e]
    found["I1"] = entry(above - np.mean(pairs), heard.clips, instrument=above, genre=np.mean(pairs)) if pairs else {
        "not_testable": "needs the genre run of the same preset, mode and seed (data set fma_medium)"}
    chroma = entry(melody["chroma"] - melody["chroma_shuffled"], melody["clips"], transferred=melody["chroma"],
                   shuffled=melody["chroma_shuffled"], identity=melody["chroma_identity"])
    simple = entry(melody["simple"], melody["clips"])
    found["I4-source"] = entry(melody["ahead"], melody["clips"], chance=0.5)
    if config.data_set == "folder":
        return found | folder_results(m, run, chroma, simple)
    found |= {"I4-melody": chroma, "I4-simple": simple,
              "I4-pitch": entry(melody["pitch"] - melody["pitch_shuffled"], melody["pitch_clips"],
                                transferred=melody["pitch"], shuffled=melody["pitch_shuffled"])}
    return found | piano_results(config, m) | class_size_results(m, labels)


def piano_results(config, m):
    """I2 and I3: transfers to piano against the others."""
    heard, trained = m["heard"], m["trained"]
    labels = trained.labels
    if "piano" not in labels:
        return {key: {"not_testable": "no piano among the classes"} for key in ("I2", "I2-worst", "I2-bass", "I3")}
    piano = labels.index("piano")
    others = [a for a in range(len(labels)) if a != piano]
    to_piano = heard.target[others, piano]
    rest = np.mean([heard.target[a, b] for a in range(len(labels)) for b in others if a != b])
    treble = np.flatnonzero([labels[c] in TREBLE for c in trained.test.classes])
    bass = [sound.bass_share(m["transfers"][piano][i, ..., 0], config)
            - sound.bass_share(m["images"][i, ..., 0], config) for i in treble]
    real = {"chance": heard.chance, "untransferred": heard.real[others, piano].mean()}
    return {"I2": entry(to_piano.mean(), heard.clips, **real), "I2-worst": entry(to_piano.min(), heard.clips, **real),
            "I2-bass": entry(np.mean(bass) if bass else np.nan, len(treble)),
            "I3": entry(to_piano.mean() - rest, heard.clips, to_piano=to_piano.mean(), to_others=rest)}


def class_size_results(m, labels):
    """I5: clips per class against how well the class is reached."""
    from scipy.stats import spearmanr

    heard = m["heard"]
    sizes = np.bincount(m["trained"].trained_on.classes, minlength=len(labels))
    reached = np.array([heard.target[np.arange(len(labels)) != b, b].mean() for b in range(len(labels))])
    if not np.ptp(sizes) or not np.ptp(reached) or len(labels) < 4:
        return {key: {"not_testable": "all classes have the same number of clips, or too few classes differ"}
                for key in ("I5-rare", "I5-violin")}
    slope, constant = np.polyfit(np.log(sizes), reached, 1)
    found = {"I5-rare": entry(spearmanr(sizes, reached).statistic, len(labels), "classes")}
    if "violin" in labels:
        violin = labels.index("violin")
        found["I5-violin"] = entry(reached[violin] - (slope * np.log(sizes[violin]) + constant), len(labels), "classes")
    else:
        found["I5-violin"] = {"not_testable": "no violin among the classes"}
    return found


def folder_results(m, run, chroma, simple):
    """I6 to I8: the long recordings of two instruments, against Medley-solos-DB."""
    heard, melody, errors = m["heard"], m["melody"], m["errors"]
    both = [heard.target[a, b] for a in range(len(heard.labels)) for b in range(len(heard.labels)) if a != b]
    found = {"I7": entry(min(both), heard.clips, chance=heard.chance, untransferred=heard.untransferred),
             "I8-melody": chroma, "I8-simple": simple,
             "I8-moderate": entry(melody["chroma_identity"] - melody["chroma"], melody["clips"])}
    medley = sibling(run, "medley_solos_db", "notes") or {}
    if "piano_violin" in medley:
        found["I6"] = entry(medley["identity_error"] - errors["held_out"], heard.clips, medley=medley["identity_error"])
        found["I7-better"] = entry(np.mean(both) - medley["piano_violin"], heard.clips, medley=medley["piano_violin"])
    else:
        reason = {"not_testable": "needs the Medley-solos-DB run of the same preset, mode and seed"}
        found |= {"I6": reason, "I7-better": reason}
    return found


def medley_for_others(m):
    """What the run on long recordings compares itself with: identity error, piano to violin and back."""
    labels, found = m["trained"].labels, {"identity_error": m["errors"]["held_out"]}
    if {"piano", "violin"} <= set(labels):
        piano, violin = labels.index("piano"), labels.index("violin")
        found["piano_violin"] = float((m["heard"].target[piano, violin] + m["heard"].target[violin, piano]) / 2)
    return found


def stitching_results(m):
    """S1 to S4: joining windows of held-out tracks, rebuilt with their own class."""
    if "stitching" not in m:
        return {key: {"not_testable": "no held-out track is two windows long"}
                for key in ("S1", "S2-smooth", "S2-quality", "S3", "S4")}
    s = m["stitching"]
    n = s["tracks"]
    one, every = s["distance"][1], s["distance"][max(s["distance"])]
    rough, best = s["inconsistency"][1], s["inconsistency"][max(s["inconsistency"])]
    kept = {f"columns {k}": v for k, v in s["distance"].items()}
    return {"S1": entry(s["seam"]["concatenation"], n, "tracks", no_seam=1.0),
            "S2-smooth": entry(s["seam"]["concatenation"] - s["seam"]["cross-fade"], n, "tracks", **s["seam"]),
            "S2-quality": entry(s["blend"] - 1, n, "tracks"), "S3": entry(one - every, n, "tracks", **kept),
            "S4": entry(rough - best, n, "tracks", **{f"columns {k}": v for k, v in s["inconsistency"].items()})}


def ablation_names(config: Config):
    """The comparisons that a run has trained."""
    table = train.GENRE_ABLATIONS if config.data_set == "fma_medium" else train.INSTRUMENT_ABLATIONS
    jobs = train.jobs(config)
    return [name for name in table if train.job_name(name, train.pairs(config)[0]) in jobs]


def reconstruction_loss(m, updates=None):
    """A model's training loss without content decay at its end, or at the last line within `updates`."""
    lines = [line for line in m["history"] if line["stage"] == "joint" and line["step"] <= (updates or np.inf)]
    if not lines:
        return np.nan
    return sum(v for k, v in lines[-1].items() if k.startswith("losses/") and k.split("/")[1] in (
        "mse", "mae", "perceptual", "cyclic"))


def gap(m):
    """Held-out minus training identity error, noise off: overfitting."""
    return m["errors"]["held_out"] - m["errors"]["training"]


def comparison_results(config, run, base, others):
    """The comparisons of sec. 2.3 (genre) or of sec. 1.2.2.2 and 2.4.3 (instruments), where they were trained."""
    found, clips = {}, base["heard"].clips
    loss, error = reconstruction_loss(base), base["errors"]["held_out"]

    if {"overlap_25", "overlap_50"} <= set(others):
        quarter, half = others["overlap_25"], others["overlap_50"]
        same = min(line["step"] for m in (base, quarter, half) for line in m["history"][-1:])
        losses = {"none": loss, "quarter": reconstruction_loss(quarter), "half": reconstruction_loss(half)}
        found |= {"D1-loss": entry(loss - (losses["quarter"] + losses["half"]) / 2, clips, **losses),
                  "D2-loss": entry(loss - losses["quarter"], clips, **losses),
                  "D3-loss": entry(losses["quarter"] - losses["half"], clips, **losses),
                  "D2-updates": entry(reconstruction_loss(base, same) - reconstruction_loss(quarter, same), clips),
                  "D3-updates": entry(reconstruction_loss(quarter, same) - reconstruction_loss(half, same), clips),
                  "D2-gap": entry(gap(quarter) - gap(base), clips), "D3-gap": entry(gap(half) - gap(quarter), clips)}
    if "phase_angle" in others:
        angle = others["phase_angle"]["phase"]
        found["P1"] = entry(angle["error"] / (np.pi**2 / 3), clips, random=1.0)
        found["P3-angle"] = entry(angle["leak"], clips)
        if "phase_cosine_sine" in others:
            found["P2"] = entry(angle["error"] - others["phase_cosine_sine"]["phase"]["error"], clips)
            found["P3-cosine"] = entry(others["phase_cosine_sine"]["phase"]["leak"], clips)
    if "subclasses" in others:
        m = others["subclasses"]
        smallest = clusters.sizes(m["trained"].trained_on)[-1]
        found["C1-identity"] = entry(1 - m["errors"]["held_out"] / error, clips, smallest_subclass=smallest)
        found["C1-target"] = entry(m["heard"].transferred - base["heard"].transferred, clips)
    larger = [others[name]["errors"]["held_out"] for name in ("codes_x4", "codes_x8") if name in others]
    if larger:
        found["N1"] = entry(min(larger) - error, clips, base=error)
    for key, name in (("N2", "units_x2"), ("N4", "filters_x2")):
        if name in others:
            found[key] = entry(1 - reconstruction_loss(others[name]) / loss, clips, base=loss)
    if "kernels" in others:
        found["N3"] = entry(others["kernels"]["errors"]["held_out"] - error, clips, base=error)
    found |= loss_results(config, base, others)
    if "quarter" in others:
        gained = base["heard"].transferred - others["quarter"]["heard"].transferred
        found["G3" if config.data_set == "fma_medium" else "I9"] = entry(gained, clips)
        if config.data_set == "medley_solos_db":
            del found["I9"]
    if "class_encoder" in others:
        full, semi = others["class_encoder"]["leak"][0], base["leak"][0]
        found["A1"] = entry(full - semi, clips, full=full, semi=semi)
    return found


def loss_results(config, base, others):
    """L2 to L5: which loss sounds best; the run's own model stands in for the combination that it was trained with."""
    by_terms = {"+".join(train.loss_terms(m["trained"].config)): m for m in (*others.values(), base)
                if m is base or m["trained"].config.loss != config.loss}
    both, found = by_terms.get("mse+mae"), {}
    clips = base["heard"].clips
    if both and {"mse", "mae"} <= set(by_terms):
        found["L2"] = entry(abs(by_terms["mae"]["flux"] - 1) - abs(both["flux"] - 1), clips,
                            mae=by_terms["mae"]["flux"], both=both["flux"], mse=by_terms["mse"]["flux"])
        alone = {name: by_terms[name]["distance"] for name in ("mse", "mae")}
        found["L3"] = entry(min(alone.values()) - both["distance"], clips, both=both["distance"], **alone)
        if "perceptual" in by_terms:
            worst = max(*alone.values(), both["distance"])
            found["L4"] = entry(by_terms["perceptual"]["distance"] - worst, clips, **alone)
        if "perceptual+mse+mae" in by_terms:
            found["L5"] = entry(both["distance"] - by_terms["perceptual+mse+mae"]["distance"], clips)
    return found


HEARD = ("I-target", "I-identity", "I1", "I2", "I2-worst", "I3", "I5-rare", "I5-violin", "I7", "I7-better", "I9",
         "C1-target", "G3")  # with G1-…: what rests on the classifier


def without_ears(measured, results):
    """A reason in place of every result that rests on a classifier which cannot tell real clips apart."""
    found = {}
    for pair, m in measured.items():
        keys = [f"G1-{what}-{pair.lower()}" for what in ("identity", "transfer")] if pair else []
        if m["heard"].deaf:
            found |= {key: {"not_testable": m["heard"].deaf} for key in (*HEARD, *keys) if key in results}
    return found


def not_measured(config: Config, results):
    """A reason for every claim without a value: another data set, comparisons not trained, no VGG16 weights."""
    found = {}
    for claim in claims.read_claims(Path(__file__).with_name("claims.csv")):
        asked = next((value for key, _, value in claim.needs if key == "data_set"), config.data_set)
        if claim.id in results:
            continue
        if config.data_set not in asked.split("|"):
            reason = f"a question about {asked.replace('|', ' or ')}"
        elif claim.id.startswith("G1-"):
            reason = f"this run's pairs are {config.genre_pairs}"
        elif claim.id in ("E5-decay", "E6-stop"):
            reason = "this mode has none"
        elif claim.id in ("C1-identity", "C1-target", "L4", "L5"):
            reason = "perceptual loss off: needs VGG16 weights (--vgg-weights FILE) and --ablations"
        else:
            reason = "not trained: add --ablations"
        found[claim.id] = {"not_testable": reason}
    return found


def sibling(run, data_set, what="results"):
    """The results (or notes) of the same preset, mode and seed on another data set; None without such a run."""
    pattern = f"*-{run.preset}-{run.follow}*/{run.directory.name}/results.json"
    for path in sorted(run.directory.parent.parent.glob(pattern)):
        other = json.loads(path.read_text())
        same = other["preset"] == run.preset and other["overrides"] == run.overrides
        if same and other["complete"] and other["facts"].get("data_set") == data_set:
            return other[what]
    return None


if __name__ == "__main__":
    scripts.run_evaluation(OPTIONS, settings, preprocess, evaluate)
