"""What is true on any data: the printed tables against themselves, and the parameters of the networks."""

import csv
import tempfile
import warnings
from pathlib import Path

import keras
import numpy as np

from common import inversion
from common.store import Store, read_exr, write_exr
from papers.fma_interpolation import losses, model, preprocess, tables, variants
from papers.fma_interpolation.config import Config

CLAIMS = Path(__file__).with_name("claims.csv")
SUMMARIES = {  # claim prefix -> (network, printed layer names in order)
    "ENC": (model.baseline_encoder, ("conv2d", "conv2d_1", "conv2d_2", "conv2d_3", "dense")),
    "DEC": (model.baseline_decoder, ("dense_1", "conv2d_transpose", "conv2d_transpose_1", "conv2d_transpose_2",
                                     "conv2d_transpose_3", "conv2d_transpose_4")),
    "CNN1": (model.cnn_1, ("conv2d_18", "conv2d_19", "conv2d_20", "dense_18", "dense_19", "dense_20")),
    "CNN2": (model.cnn_2, ("conv2d_38", "conv2d_39", "conv2d_40", "dense_28")),
    "RNN": (model.rnn, ("lstm_2", "lstm_3", "time_distributed_4", "time_distributed_5", "time_distributed_6",
                        "time_distributed_7", "dense_9")),
    "CONV2D-ENC": (model.conv2d_encoder, ()), "CONV2D-DEC": (model.conv2d_decoder, ()),
}
REPORTS = ("DT", "LR", "SVM", "KNN", "GNB", "GMM0", "GMM1")


def everything() -> dict[str, dict]:
    """{claim id: result} of all facts that need no data."""
    return summaries() | printed_reports() | recipe() | feature_widths()


def summaries() -> dict[str, dict]:
    """Parameters of the networks at the paper's sizes; their variables are declared, not filled."""
    found = {}
    with keras.StatelessScope(initialize_variables=False):
        for prefix, (build, names) in SUMMARIES.items():
            network = build()  # type: ignore[operator]
            found[f"S-{prefix}"] = network.count_params()
            layers = [layer.count_params() for layer in network.layers if layer.count_params()]
            found |= {f"S-{prefix}-{name}": count for name, count in zip(names, layers, strict=bool(names))}
        found["S-BOTTLENECK"] = (variants.bottleneck_encoder().count_params()
                                 + model.baseline_decoder(latent=256).count_params())
    outside = found["S-CNN1"] - found["S-CNN1-dense_18"]
    return {key: {"value": value} for key, value in found.items()} | {"E16": {"value": outside / found["S-CNN1"]}}


def printed() -> dict[str, float]:
    """{claim id: printed number} of claims.csv."""
    with open(CLAIMS, newline="", encoding="utf-8") as file:
        return {row["id"]: float(row["reported"]) for row in csv.DictReader(file) if row["reported"]}


def printed_reports() -> dict[str, dict]:
    """Whether a printed report agrees with itself: supports with their sum, accuracy with recalls and supports."""
    stated, found = printed(), {}
    for name in REPORTS:
        support = np.array([stated[f"C-{name}-{c}-support"] for c in range(8)])
        found[f"F-{name}-support"] = {"value": support.sum()}
        if support.sum() == 2080:  # class 1 printed as 481 for 401
            support[1] = 401
        recall = np.array([stated[f"C-{name}-{c}-recall"] for c in range(8)])
        accuracy = (recall * support).sum() / support.sum()
        found[f"F-{name}-accuracy"] = {"value": abs(accuracy - stated[f"C-{name}-accuracy"]), "n": int(support.sum()),
                                       "of": "chunks", "baselines": {"majority": support.max() / support.sum()}}
    return found


def recipe() -> dict[str, dict]:
    """The printed window and hop are swapped; cross-entropy at zero logits."""
    def empty(n_fft):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return int(np.sum(np.diff(inversion.mel_bank(32768, n_fft, 512).indptr) == 0))

    zero = np.zeros((1, 512, 640, 1), np.float32)
    return {"E1-printed": {"value": 640 * 4096 / 32768}, "E1-swapped": {"value": 640 * 256 / 32768},
            "E1-empty": {"value": empty(256)}, "E1-empty-swapped": {"value": empty(4096)},
            "L-FLIPPED-zero": {"value": float(losses.cross_entropy(zero, zero)[0])}}


def feature_widths() -> dict[str, dict]:
    """Columns of the features of fma_metadata: seven statistics of each coefficient."""
    return {f"E3-{name}": {"value": tables.STATISTICS * count} for name, count in tables.COEFFICIENTS.items()}


def storage(store: Store, config: Config, rows: int = 16) -> dict[str, dict]:
    """Errors of OpenEXR on stored images, as this store keeps them and as half; bytes over bytes of the pixels."""
    chosen = store.index[:: max(1, len(store.index) // rows)][:rows]
    worst, halved, written = 0.0, 0.0, 0
    with tempfile.TemporaryDirectory() as folder:
        for row in chosen:
            image = store.image(row)
            noisy = image + np.float32(1e-4) * np.sin(np.arange(image.size, dtype=np.float32)).reshape(image.shape)
            path = Path(folder) / "image.exr"
            write_exr(path, noisy, {}, half=config.storage == "half")
            worst = max(worst, float(np.abs(read_exr(path) - noisy).max()))
            write_exr(path, np.clip(noisy, 0, 1), {}, half=True)
            halved = max(halved, float(np.abs(read_exr(path) - np.clip(noisy, 0, 1)).max()))
            written += (store.directory / row["path"]).stat().st_size
    pixels = len(chosen) * config.bands * config.frames * 4
    excerpts = np.asarray(store.array("excerpts"))
    above = [float((preprocess.unclipped(samples, config)[0] > 1 + 1e-6).mean()) for samples in excerpts]
    images = {"n": len(chosen), "of": "images"}
    return {"Q12": {"value": worst, **images}, "Q12-half": {"value": halved, **images},
            "Q12-small": {"value": written / pixels, **images, "baselines": {"uncompressed": 1.0}},
            "E9": {"value": float(np.mean(above)), "n": len(excerpts), "of": "excerpts"}}


def data(store: Store, config: Config) -> dict:
    """Counts of clips, images and genres."""
    labels = [row["label"] for row in store.index]
    counts = {name: labels.count(name) for name in sorted(set(labels))}
    mean = len(labels) / len(counts)
    clips = len({row["group"] for row in store.index})
    found = {"N-CLIPS": {"value": clips + len(store.rejected)}, "N-REMOVED": {"value": len(store.rejected)},
             "N-CHUNKS": {"value": len(labels)},
             "Q13": {"value": max(abs(n - mean) / mean for n in counts.values()), "n": len(labels), "of": "images"}}
    early = {"not_testable": "the figure of an earlier release; the release of 2017 has 106,574 tracks in 161 genres"}
    found |= {"N-SONGS": early, "N-GENRES": early}
    totals = store.parameters["facts"].get("genre_counts") or {}
    for key in printed():
        if key.startswith("N-ALL-"):
            title = {"Old-Time": "Old-Time / Historic", "Easy-Listening": "Easy Listening"}.get(key[6:], key[6:])
            found[key] = ({"value": totals[title]} if title in totals else
                          {"not_testable": "fma_metadata/genres.csv with track counts is not there"})
        if key.startswith("N-BALANCED-"):
            found[key] = {"not_testable": "what the figure counts is unknown: neither tracks (1,000 each) nor chunks"}
    return found
