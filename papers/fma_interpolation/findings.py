"""Every finding and measured number: claim id -> function of what was measured (`measured.Measured`).

Claims of tables have one row each, C-<classifier>-<genre>-<what> and the like; FINDINGS is filled from those tables at
the end of this module.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from common import probes
from common.findings import NotTestable, by_group
from papers.fma_interpolation import (
    classifiers,
    facts,
    findings_genres as genres,
    findings_paths as paths,
    measures,
    preprocess,
    tables,
)
from papers.fma_interpolation.measured import Measured

TRAINED = ("losses/reconstruction", "losses/divergence")
VALIDATED = ("validation/reconstruction", "validation/divergence")
REPORT_WHAT = ("precision", "recall", "f1")
LOGGED_EPOCHS = (1, 2, 3, 5, 8, 10, 11, 13)  # of the Conv2D autoencoder
RNN_FIELDS = {"train": "losses/cross_entropy", "validation": "validation/cross_entropy"}
CONV2D_FIELDS = {"train": "losses/reconstruction", "validation": "validation/reconstruction",
                 "divergence": "validation/divergence"}


# ---------------------------------------------------------------- the loss hunt

def _hunt(m, loss):
    lines = m.hunt.histories.get(loss) if m.hunt else None
    if not lines:
        raise NotTestable("not trained")
    return lines, {"n": len(lines), "of": "updates"}


def overfit_share(m: Measured) -> dict:
    """Q2-mse."""
    lines, n = _hunt(m, "squared_error")
    return {"value": 1 - lines[-1]["losses/reconstruction"] / lines[0]["losses/reconstruction"], **n}


def error_share(m: Measured) -> dict:
    """Q2-bce."""
    lines, n = _hunt(m, "cross_entropy")
    return {"value": 1 - lines[-1]["metrics/squared_error"] / lines[0]["metrics/squared_error"], **n}


def loss_ratio(m: Measured, loss: str) -> dict:
    """Q2-swapped: last loss over the first."""
    lines, n = _hunt(m, loss)
    return {"value": lines[-1]["losses/total"] / lines[0]["losses/total"], **n}


def loss_ratio_to_magnitude(m: Measured, loss: str) -> dict:
    """Q2-decibels: last loss over the magnitude of the first, which may be negative."""
    lines, n = _hunt(m, loss)
    return {"value": lines[-1]["losses/total"] / abs(lines[0]["losses/total"]), **n}


def error_ratio(m: Measured, loss: str) -> dict:
    """Q2-…-error: squared error, last over first."""
    lines, n = _hunt(m, loss)
    return {"value": lines[-1]["metrics/squared_error"] / max(lines[0]["metrics/squared_error"], 1e-12), **n}


def logged_first(m: Measured, loss: str) -> dict:
    """L-…-first."""
    lines, n = _hunt(m, loss)
    return {"value": lines[0]["losses/total"], **n}


def logged_last(m: Measured, loss: str, count: int) -> dict:
    """L-…-last: mean of the last `count` losses."""
    lines, n = _hunt(m, loss)
    return {"value": float(np.mean([line["losses/total"] for line in lines[-count:]])), **n}


def _powers(m):
    if m.hunt is None or m.hunt.conv2d is None:
        raise NotTestable("not trained")
    return [preprocess.image_to_power(x, m.config.dynamic_range) for x in (m.hunt.image, m.hunt.conv2d)]


def power_correlation(m: Measured) -> dict:
    """R-1-ncc: of the Conv2D network that one sample was shown to."""
    return {"value": float(measures.correlation(*_powers(m))[0]), "n": 1, "of": "images"}


def power_similarity(m: Measured) -> dict:
    """R-1-ssim: structural similarity with a peak of 1, as the program calls it, of powers up to 32,768."""
    was, now = _powers(m)
    flat = np.full_like(was, was.mean())
    return {"value": float(measures.similarity(was, now, peak=1.0)[0]), "n": 1, "of": "images",
            "baselines": {"flat_image": float(measures.similarity(was, flat, peak=1.0)[0])}}


def not_repeated(m: Measured) -> dict:
    """R-20-…, R-100-…: the program keeps scores of models whose samples and updates it does not keep."""
    raise NotTestable("which samples and how many updates is not in the program's history")


def logged_baseline(m: Measured, place: int, field: tuple[str, ...]) -> dict:
    """L-BCE-…: a loss of the baseline under the cross-entropy of its logits."""
    if not m.baseline:
        raise NotTestable("not trained")
    if m.config.baseline_loss != "cross_entropy":
        raise NotTestable("the baseline is not trained by cross-entropy here")
    return {"value": sum(m.baseline[place][name] for name in field)}


def logged_epoch(m: Measured, epoch: int, field: str) -> dict:
    """L-CONV2D-…."""
    if m.conv2d is None:
        raise NotTestable("not trained")
    if epoch > len(m.conv2d):
        raise NotTestable(f"this preset trains {len(m.conv2d)} epochs")
    return {"value": m.conv2d[epoch - 1][field]}


# ---------------------------------------------------------------- inversion

def _inversion(m):
    if m.inversion is None:
        raise NotTestable("not all of the autoencoders, CNN_1 and CNN_2 are trained")
    return m.inversion


def inversion_time(m: Measured) -> dict:
    """Q11-time: of librosa, which the report used."""
    i = _inversion(m)
    return {"value": i.seconds[max(i.seconds)] / i.seconds[min(i.seconds)], "n": 1, "of": "excerpts",
            "baselines": {f"{bands}_bands": value for bands, value in i.seconds.items()}}


def inversion_error(m: Measured) -> dict:
    """Q11-error."""
    i = _inversion(m)
    return by_group(i.errors[min(i.errors)] - i.errors[max(i.errors)], np.arange(len(i.errors[max(i.errors)])),
                    "excerpts", {f"{bands}_bands": float(values.mean()) for bands, values in i.errors.items()})


def waveform_correlation(m: Measured) -> dict:
    """Q14."""
    i = _inversion(m)
    return by_group(i.waveform, np.arange(len(i.waveform)), "excerpts")


def heard_against_mean_image(m: Measured) -> dict:
    """U2-inversion: dB error of what is heard of a reconstruction, minus that of what is heard of the mean image."""
    i = _inversion(m)
    return by_group(i.heard - i.mean_heard, i.artists, "artists", {
        "autoencoder": float(i.reconstruction.mean()), "autoencoder_and_inversion": float(i.heard.mean()),
        "mean_image_and_inversion": float(i.mean_heard.mean())})


def librosa_time(m: Measured) -> dict:
    """T-GL."""
    return {"value": _inversion(m).librosa, "n": 1, "of": "excerpts"}


# ---------------------------------------------------------------- drawings

def _drawing(m, name):
    if name not in (m.drawn or {}):
        raise NotTestable("fma_metadata has no features.csv or echonest.csv for these tracks")
    return m.drawn[name], {"n": len(m.drawn[name].features), "of": "tracks"}


def drawing_time(m: Measured, method: str, name: str) -> dict:
    """T-VIS-…."""
    drawing, n = _drawing(m, name)
    return {"value": drawing.seconds[method], **n}


def _neighbour_accuracy(points, labels):
    half = np.arange(len(points)) % 2 == 0
    return probes.neighbour_accuracy(points[half], labels[half], points[~half], labels[~half])


def pca_against_tsne(m: Measured, scaled: bool, measure: Callable[[np.ndarray, np.ndarray], float]) -> dict:
    """Q7-…: PCA minus t-SNE of the eight features, scaled or as they are."""
    drawing, n = _drawing(m, "audio")
    planes = drawing.points if scaled else drawing.unscaled
    scores = {method: measure(planes[method], drawing.labels) for method in ("pca", "tsne")}
    return {"value": scores["pca"] - scores["tsne"], **n, "baselines": scores}


def first_axis_is_tempo(m: Measured) -> dict:
    """Q7-tempo."""
    drawing, n = _drawing(m, "audio")
    found = np.corrcoef(drawing.unscaled["pca"][:, 0], drawing.features[:, tables.TEMPO])[0, 1]
    return {"value": float(abs(found)), **n}


# ---------------------------------------------------------------- the table of claims

FINDINGS = {
    "X-BEST": genres.svm_is_best,
    "Q1-error": paths.error_over_mean_image, "Q1-ssim": paths.similarity,
    "Q1-conv2d": partial(paths.against_mean_image, measure=measures.squared_error, name="conv2d"),
    "Q1-inception": partial(paths.against_mean_image, measure=measures.squared_error, name="inception"),
    "Q1-conv1d": partial(paths.against_mean_image, measure=measures.squared_error, name="conv1d"),
    "Q2-mse": overfit_share, "Q2-bce": error_share, "Q2-swapped": partial(loss_ratio, loss="swapped"),
    "Q2-swapped-error": partial(error_ratio, loss="swapped"), "Q2-flipped-error": partial(error_ratio, loss="flipped"),
    "Q2-decibels": partial(loss_ratio_to_magnitude, loss="decibels"),
    "L-OVERFIT-first": partial(logged_first, loss="squared_error"),
    "L-OVERFIT-last": partial(logged_last, loss="squared_error", count=5),
    "L-SWAPPED-first": partial(logged_first, loss="swapped"),
    "L-SWAPPED-last": partial(logged_last, loss="swapped", count=1),
    "L-BCE-first": partial(logged_baseline, place=0, field=TRAINED),
    "L-BCE-last": partial(logged_baseline, place=-1, field=TRAINED),
    "L-BCE-validation": partial(logged_baseline, place=-1, field=VALIDATED),
    "R-1-ncc": power_correlation, "R-1-ssim": power_similarity, "R-20-ncc": not_repeated, "R-20-ssim": not_repeated,
    "R-100-ncc": not_repeated, "R-100-ssim": not_repeated,
    "Q3-cnn1-train": partial(genres.last_training_accuracy, name="cnn_1"),
    "Q3-cnn1-validation": partial(genres.last_validation_accuracy, name="cnn_1"),
    "Q3-cnn2-train": partial(genres.last_training_accuracy, name="cnn_2"),
    "Q3-cnn2-validation": partial(genres.last_validation_accuracy, name="cnn_2"), "Q3-rnn-gap": genres.rnn_gap,
    "Q4-cnn1": partial(genres.best_epoch, name="cnn_1", minus=0),
    "Q4-cnn2": partial(genres.best_epoch, name="cnn_2", minus=5.5),
    "Q4-rnn": partial(genres.best_epoch, name="rnn", minus=4.5),
    "Q5-S1": partial(genres.svm_leads, protocol="leaky", others=genres.OTHERS),
    "Q5-S2": partial(genres.svm_leads, protocol="contiguous"),
    "Q5-S3": partial(genres.svm_leads, protocol="official"),
    "Q5-leak": partial(genres.held_out_units, one="chunk", two="track"),
    "Q5-artists": partial(genres.held_out_units, one="track", two="artist"),
    "Q6-cnn2-cnn1": partial(genres.better_network, one="cnn_2", two="cnn_1"),
    "Q6-rnn-cnn1": partial(genres.better_network, one="rnn", two="cnn_1"),
    "Q6-rnn-cnn2": partial(genres.better_network, one="rnn", two="cnn_2"),
    "Q7-neighbours": partial(pca_against_tsne, scaled=False, measure=_neighbour_accuracy),
    "Q7-silhouette": partial(pca_against_tsne, scaled=False, measure=probes.silhouette),
    "Q7-neighbours-scaled": partial(pca_against_tsne, scaled=True, measure=_neighbour_accuracy),
    "Q7-silhouette-scaled": partial(pca_against_tsne, scaled=True, measure=probes.silhouette),
    "Q7-tempo": first_axis_is_tempo,
    "Q8": partial(paths.structures, one="conv2d", two="conv1d"),
    "Q8-inception": partial(paths.structures, one="inception", two="conv2d"), "Q9": paths.time_variance_kept,
    "Q10-order": partial(paths.against, measure=paths.orders, control="unrelated pair"),
    "Q10-middle": partial(paths.against, measure=paths.middle_is_nearer, control="mean image"),
    "Q12-noise": paths.rounding_over_noise,
    "Q11-time": inversion_time, "Q11-error": inversion_error, "Q14": waveform_correlation,
    "U1-flux": partial(paths.flux_at_joins, at_most=1.0), "U1-flux-kept": partial(paths.flux_at_joins, at_least=-1.0),
    "U1-steps": paths.largest_step, "U1-reach": paths.reach, "U2-own": paths.own_original,
    "U2-ncc": partial(paths.against_mean_image, measure=measures.correlation),
    "U2-ssim": partial(paths.against_mean_image, measure=measures.similarity),
    "U2-decibel": partial(paths.against_mean_image, measure=measures.decibel_error),
    "U2-inversion": heard_against_mean_image,
    "U3": paths.generated_against_trivial, "U4-fade": paths.bend,
    "U4-order": partial(paths.against, measure=paths.both_orders, control="unrelated pair"),
    "U4-middle": partial(paths.against, measure=paths.middle_distance, control="mean image"),
    "U4-pair": partial(paths.against, measure=paths.middle_distance, control="unrelated pair"),
    "U5-rms": partial(paths.mixed_feature, feature="rms"),
    "U5-centroid": partial(paths.mixed_feature, feature="centroid"),
    "U5-chroma": partial(paths.mixed_feature, feature="chroma"),
    "U5-tempo": partial(paths.mixed_feature, feature="tempo"),
    "U6-mass": paths.own_genres, "U6-ends": paths.genre_at_ends, "T-GL": librosa_time,
}
# What each of these networks must have learnt before the claim says anything (`common.findings.where_learnt`): one that
# learnt nothing is best in its first epoch, and is neither better nor worse than another.
MUST_HAVE_LEARNT = {
    "Q4-cnn1": ("cnn_1",), "Q4-cnn2": ("cnn_2",), "Q4-rnn": ("rnn",), "Q6-cnn2-cnn1": ("cnn_2", "cnn_1"),
    "Q6-rnn-cnn1": ("rnn", "cnn_1"), "Q6-rnn-cnn2": ("rnn", "cnn_2"),
}
for _name in facts.REPORTS:
    _grid = classifiers.GRIDS[_name]
    FINDINGS |= {f"C-{_name}-accuracy": partial(genres.report_accuracy, name=_name),
                 f"C-{_name}-support": partial(genres.report_support, name=_name)}
    FINDINGS |= {f"C-{_name}-{average}-{what}": partial(genres.report_average, name=_name, average=average, what=k)
                 for average in ("macro", "weighted") for k, what in enumerate(REPORT_WHAT)}
    FINDINGS |= {f"C-{_name}-{genre}-{what}": partial(genres.report_genre, name=_name, genre=genre, what=k)
                 for genre in range(genres.CLASSES) for k, what in enumerate(REPORT_WHAT)}
    FINDINGS |= {f"C-{_name}-{genre}-support": partial(genres.report_genre_support, name=_name, genre=genre)
                 for genre in range(genres.CLASSES)}
    if len(_grid) > 1:
        FINDINGS[f"C-{_name}-best"] = partial(genres.report_best, name=_name)
        FINDINGS |= {f"G-{_name}-{value:g}": partial(genres.grid_accuracy, name=_name, place=k)
                     for k, value in enumerate(_grid)}
for _value in (150, 200):  # the program ran these two on the other split
    FINDINGS[f"G-SVM-{_value}"] = partial(genres.grid_accuracy, name="SVM", protocol="contiguous",
                                          place=classifiers.GRIDS["SVM"].index(_value))
for _key, _epochs in (("CNN1", 5), ("CNN2", 10), ("RNN", 10)):
    _name = genres.NETWORKS[_key]
    FINDINGS |= {f"D-{_key}-{epoch}-{part}": partial(genres.epoch_value, name=_name, epoch=epoch, field=field)
                 for epoch in range(1, _epochs + 1)
                 for part, field in (("train", "metrics/accuracy"), ("validation", "validation/accuracy"))}
FINDINGS |= {f"L-RNN-{epoch}-{part}": partial(genres.loss_value, name="rnn", epoch=epoch, field=field)
             for epoch in range(1, 11) for part, field in RNN_FIELDS.items()}
FINDINGS |= {f"L-CONV2D-{epoch}-{part}": partial(logged_epoch, epoch=epoch, field=field)
             for epoch in LOGGED_EPOCHS for part, field in CONV2D_FIELDS.items()}
FINDINGS |= {f"T-VIS-{method}-{name}": partial(drawing_time, method=method, name=name)
             for name in tables.SETS for method in ("pca", "umap")}
