"""The sections of the page: tables of what was measured, with the figures and sounds that belong to them."""

from collections.abc import Iterable

import numpy as np

from common import probes
from common.record import Run
from common.store import Store
from common.training import Learner
from papers.fma_interpolation import (
    classifiers,
    figures,
    findings_genres as genres,
    findings_paths as paths,
    inference,
    measures,
    sound,
    splits,
    train,
)
from papers.fma_interpolation.config import Config
from papers.fma_interpolation.measured import Classical, Hunt, Measured

MEASURES = {"squared error": measures.squared_error, "similarity": measures.similarity,
            "correlation": measures.correlation, "error, dB": measures.decibel_error,
            "variance over time kept": measures.time_variance_ratio}
HUNT_SAYS = (
    "The report says that cross-entropy fails because values exceed 1. The images lie in [0, 1]. Every committed "
    "revision has the sign of the cross-entropy right, and the log kept in 4cc88e5 is positive and falls; "
    "one (e261498) has logits and labels exchanged, which has no lower bound. The log kept in 01a6466 begins at minus "
    "327,680 ln 2: it comes from code with the sign flipped that was never committed.")
EFFECTS = {"interpolate": "Q10-order", "end_points": "U1-steps"}  # divergences that need no training of their own
SHOWN = ("validation/accuracy", "validation/squared_error", "metrics/squared_error")  # the first that a model has


def sections(config: Config, store: Store, run: Run, m: Measured, learners: dict[str, Learner],
             histories: dict[str, list[dict]]) -> list[dict]:
    """All sections, in the order of the page."""
    found = []
    if learners:
        if m.paths:
            found += [path_section(run, store, m, config), structure_section(run, store, m, learners)]
        found += [generation_section(run, learners), losses_section(config, m)]
    if m.classical:
        found += [leak_section(config, store, run, m), reports_section(config, m)]
    if m.networks:
        found.append(networks_section(config, run, m))
    if m.hunt:
        found.append(hunt_section(run, m.hunt))
    return [*found, drawings_section(store, run, m.drawn), effects_section(config, m, histories)]


# ---------------------------------------------------------------- autoencoders

def path_section(run: Run, store: Store, m: Measured, config: Config) -> dict:
    """From A to B, to be heard."""
    return {"title": "From A to B", "text": "Baseline autoencoder, codes blended by "
            f"{config.interpolate}. Outer tiles are the originals through the inversion only, so that "
            "what the autoencoder loses can be told from what the inversion loses.", "items": [],
            "grid": sound.path_grid(run, store, m.paths)}


def structure_section(run: Run, store: Store, m: Measured, learners: dict[str, Learner]) -> dict:
    """The four autoencoders beside the mean image, and one pair through each."""
    columns = {says: paths.each(m, measure) for says, measure in MEASURES.items()}
    rows = [[name, *(f"{values[name].mean():.4f}" for values in columns.values())]
            for name in ("mean image", *m.reconstructions.outputs)]
    return {"title": "The four autoencoders", "text": "One pair through each of them.", "items": [
        {"kind": "table", "claims": ["Q1-error", "Q8", "Q9"], "caption": "Reconstruction of held-out images",
         "columns": ["", *columns], "rows": rows}],
        "grid": sound.structure_grid(run, store, learners, m.paths.pairs[0])}


def generation_section(run: Run, learners: dict[str, Learner]) -> dict:
    """Unconditioned excerpts."""
    return {"title": "Unconditioned generation", "text": "Codes drawn from N(0, 1).", "items": [],
            "grid": sound.generated_grid(run, learners["baseline"])}


def losses_section(config: Config, m: Measured) -> dict:
    """What storage, inversion and autoencoder each lose."""
    i = m.inversion
    rounded = np.abs(m.reconstructions.images.astype(np.float16) - m.reconstructions.images).mean()
    errors = [["rounding to half pixels, where `storage` is half", f"{config.dynamic_range * rounded:.4f}"],
              ["inversion of an original image", f"{i.errors[config.bands].mean():.2f}"],
              ["autoencoder (baseline), no sound", f"{i.reconstruction.mean():.2f}"],
              ["autoencoder, then inversion", f"{i.heard.mean():.2f}"],
              ["mean image, then inversion", f"{i.mean_heard.mean():.2f}"]]
    timing = [[str(bands), f"{i.seconds[bands]:.2f}", f"{i.errors[bands].mean():.2f}"] for bands in i.seconds]
    return {"title": "What is lost where", "text": "Mean absolute difference of images in decibels.", "items": [
        {"kind": "table", "columns": ["step", "error, dB"], "rows": errors,
         "caption": "Storage, inversion, autoencoder", "claims": ["U2-inversion", "Q14"]},
        {"kind": "table", "rows": timing,
         "columns": ["mel bands", "seconds of librosa for one of sound", f"error in {config.bands} bands, dB"],
         "caption": "The trade-off of the inversion", "claims": ["Q11-time", "Q11-error"]}]}


def hunt_section(run: Run, hunt: Hunt) -> dict:
    """One image, five losses."""
    rows = []
    for loss, lines in hunt.histories.items():
        total, error = ([line[field] for line in lines] for field in ("losses/total", "metrics/squared_error"))
        diverged = f"diverged at step {hunt.diverged[loss]}" if loss in hunt.diverged else ""
        rows.append([figures.OVERFIT_SAYS[loss], f"{total[0]:.5g}", f"{total[-1]:.5g}", f"{error[0]:.4g}",
                     f"{error[-1]:.4g}", str(len(lines)), diverged])
    columns = ["loss", "first", "last", "squared error first", "last", "updates", ""]
    table = {"kind": "table", "rows": rows, "claims": ["Q2-mse", "Q2-bce", "Q2-swapped"], "columns": columns,
             "caption": "One image, the same network and number of updates"}
    return {"title": "The loss hunt", "text": HUNT_SAYS, "items": [table, figures.hunt(run, hunt)],
            "grid": sound.hunt_grid(run, hunt)}


# ---------------------------------------------------------------- genre classifiers

def reports_section(config: Config, m: Measured) -> dict:
    """The seven printed reports."""
    return {"title": "Genre classifiers, the reports", "text": "Each at the best value of its grid, as in the "
            f"report; the value is picked on the {config.select_on} part.",
            "items": [_report_table(config, m, name) for name in genres.reports(m)]}


def _report_table(config, m, name):
    report, (best, _, _) = genres.report_of(m, name), genres.chosen(m, name)
    rows = [[genre, *(f"{v:.2f}" for v in values), str(int(count))] for genre, values, count in
            zip(m.classical.names, report["classes"], report["support"], strict=True)]
    total = str(int(report["support"].sum()))
    rows += [["accuracy", "", "", f"{report['accuracy']:.2f}", total]]
    rows += [[f"{average} avg", *(f"{v:.2f}" for v in report[average]), total] for average in ("macro", "weighted")]
    setting = f", grid value {best:g}" if len(classifiers.GRIDS[name]) > 1 else ""
    return {"kind": "table", "rows": rows, "columns": ["", "precision", "recall", "F1", "support"],
            "caption": f"{classifiers.NAMES[name]}{setting}, {genres.protocol_of(config, name)} split",
            "claims": [f"C-{name}-accuracy"]}


def networks_section(config: Config, run: Run, m: Measured) -> dict:
    """The three tables of epochs."""
    n, items = m.networks, []
    majority = probes.majority_rate(n.trained_on, n.validated_on)
    for key, name in genres.NETWORKS.items():
        rows = [[str(k + 1), f"{line['metrics/accuracy']:.4f}", f"{line['validation/accuracy']:.4f}"]
                for k, line in enumerate(n.histories.get(name, ()))]
        if rows:
            items.append({"kind": "table", "columns": ["epoch", "training accuracy", "validation accuracy"],
                          "rows": rows, "caption": f"{name}; majority class {majority:.4f}",
                          "claims": [f"Q4-{key.lower()}"]})
    if n.histories:
        items.append(figures.networks(run, n, majority))
    if n.found:
        shown = {name: float(np.mean(codes == n.truth)) for name, codes in n.found.items()}
        shown |= genres.baselines_of(n.trained_on, n.truth)
        part = "the official test part, which the report does not use" if config.deep_protocol == "official" else \
            "the validation part"
        items.append({"kind": "table", "columns": ["network", "accuracy"], "claims": ["Q6-cnn2-cnn1"],
                      "rows": [[name, f"{value:.3f}"] for name, value in shown.items()],
                      "caption": f"After the last epoch, on {len(n.truth)} images of {part}"})
    return {"title": "Deep genre classifiers", "text": f"Split: {config.deep_protocol}.", "items": items}


def leak_section(config: Config, store: Store, run: Run, m: Measured) -> dict:
    """Every classifier under every split."""
    c, chance = m.classical, ""
    names = [name for name in classifiers.GRIDS if name not in ("GMM0", "GMM1", "GMMC")]
    accuracy = {(p, name): genres.accuracy(m, name, p) for p in splits.CLASSICAL for name in classifiers.GRIDS}
    rows, columns = leak_rows(m, names, accuracy), ["accuracy", *figures.SPLIT_SAYS.values()]
    if c.shuffled:
        rows = {name: [*cells, *_shuffled_cells(c.shuffled, name)] for name, cells in rows.items()}
        columns += ["S3, labels shuffled, value picked on validation", "the same, value picked on test"]
        artists = len(np.unique(c.artists[c.splits["official"]["test"]]))
        chance = (f" The last two columns are {config.shuffles} refits with the labels of the artists shuffled, mean "
                  "and range: what S3 gives where there is nothing to learn. One accuracy can stray that far because "
                  f"the test part has {artists} artists. Picking the value of the grid on the test part, as the report "
                  f"did, lifts the mean by itself; chance is {1 / c.classes:.3f}.")
    words = ("On synthetic data this shows that the measurement can see a leak, not that the report had one. "
             if store.parameters["corpus"]["evidence"] == "demo" else "")
    return {"title": "The leak", "text": words + "S1 divides chunks at random, so that chunks of one track lie on both "
            "sides: the report's SVM. S2 cuts the list of chunks once: the report's other classifiers. S3 is the data "
            "set's own split by artist. Networks: accuracy after the last epoch, under S3 on the test part." + chance,
            "items": [
                {"kind": "table", "columns": columns, "rows": [[name, *cells] for name, cells in rows.items()],
                 "caption": "Every classifier under every split", "claims": ["Q5-S1", "Q5-S2", "Q5-S3"]},
                folded_table(c), figures.leak(run, accuracy, names, 1 / c.classes)]}


def folded_table(c: Classical) -> dict:
    """The leak by itself: the same chunks, the same sizes, and only what is held out together differs."""
    units = ("chunk", "track", "artist")
    rows = [[classifiers.NAMES[name], *(f"{c.folded.correct[name, unit].mean():.3f}" for unit in units)]
            for name in classifiers.PRINTED_BEST]
    return {"kind": "table", "columns": ["accuracy", *(f"{unit}s held out" for unit in units)], "rows": rows,
            "caption": f"{len(c.folded.rows)} chunks, each tested once by a fit on two thirds of the others, at the "
                       "printed grid values", "claims": ["Q5-leak", "Q5-artists"]}


def leak_rows(m: Measured, names: Iterable[str], accuracy: dict[tuple[str, str], float]) -> dict[str, list[str]]:
    """{row of the leak's table: one cell a split}."""
    c, protocols = m.classical, list(splits.CLASSICAL)
    rows = {classifiers.NAMES[name]: [f"{accuracy[p, name]:.3f}" for p in protocols] for name in names}
    for name in ("GMM0", "GMM1"):
        matched = []
        for protocol in protocols:
            truth, component = c.labels[c.splits[protocol]["test"]], c.fits[protocol][name].test[0]
            matched.append(f"{np.mean(classifiers.matched(component, truth, c.classes) == truth):.3f}")
        rows[f"{classifiers.NAMES[name]}, as component numbers"] = [f"{accuracy[p, name]:.3f}" for p in protocols]
        rows[f"{classifiers.NAMES[name]}, matched"] = matched
    rows[classifiers.NAMES["GMMC"]] = [f"{accuracy[p, 'GMMC']:.3f}" for p in protocols]
    for name, found in (m.networks.leak if m.networks else {}).items():
        rows[name] = [f"{found[p]:.3f}" if p in found else "not trained" for p in protocols]
    parts = [c.splits[p] for p in protocols]
    trivial = [genres.baselines_of(c.labels[part["train"]], c.labels[part["test"]]) for part in parts]
    rows["majority class of training"] = [f"{found['majority']:.3f}" for found in trivial]
    rows["commonest class of the tested part"] = [f"{found['majority_of_test']:.3f}" for found in trivial]
    rows["test chunks whose track is in training"] = [f"{c.shared[p]:.0%}" for p in protocols]
    rows["test chunks"] = [str(len(s["test"])) for s in parts]
    return rows


def _shuffled_cells(shuffled, says):
    for name, values in shuffled.items():
        if classifiers.NAMES[name] == says:
            return [f"{column.mean():.3f} ({column.min():.2f} to {column.max():.2f})" for column in values.T]
    return "", ""


# ---------------------------------------------------------------- drawings and effects

def drawings_section(store: Store, run: Run, drawn: dict | None) -> dict:
    """The data set drawn."""
    names = sorted({row["label"] for row in store.index})
    return {"title": "The data set drawn", "text": "Colours are genres.", "items": figures.drawings(run, drawn, names)}


def effects_section(config: Config, m: Measured, histories: dict[str, list[dict]]) -> dict:
    """Effect of the divergences that decide a claim, one at a time from this mode; trained ones need --ablations."""
    rows = []
    if m.paths:
        found = {"interpolate": {how: float(paths.orders(m.paths, how).mean()) for how in inference.WAYS},
                 "end_points": {ends: float(values.mean()) for ends, values in paths.steps(m.paths).items()}}
        rows = [[field, _marked(value, value == getattr(config, field)), EFFECTS[field], f"{effect:.3f}"]
                for field, values in found.items() for value, effect in values.items()]
    for other in train.others(config):
        for job, value in ((other.model, getattr(config, other.field)), (other.job, other.value)):
            if histories.get(job):
                rows.append([other.field, _marked(value, job == other.model), *_shown(other.model, histories[job])])
    return {"title": "Effects of divergences", "text": "One at a time from this mode's settings; the splits of the "
            "classical classifiers stand in the table of the leak. Those that need a training of their own are run "
            "with --ablations (part of preset full).", "items": [
                {"kind": "table", "columns": ["divergence", "value", "measure", "result"], "rows": rows,
                 "caption": "Effects measured in this run", "claims": []}]}


def _marked(value, mine):
    return f"{value} (this mode)" if mine else f"{value}"


def _shown(model, lines):
    field = next(name for name in SHOWN if name in lines[-1])
    last = max(line[field] for line in lines) if field == "validation/accuracy" else lines[-1][field]
    return f"{model}, {field.split('/')[1]}", f"{last:.4g}"
