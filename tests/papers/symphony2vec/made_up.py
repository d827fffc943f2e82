"""Measured arrays made up so that every claim's value can be worked out by hand, and their reversal.

`said` gives arrays on which the paper's findings are so, `reversed_` those on which they are not: noise, constants,
answers turned round.
"""

import numpy as np

from common.config import resolve
from papers.symphony2vec import config as settings
from papers.symphony2vec.measured import Errors, Judged, Measured

# Right answers of 40, by model: chroma, MFCC, mel. The others: the crop's models, ALI, the encoder before training.
RIGHT = {"ff": (16, 26, 30), "cnn": (15, 25, 31), "lstm": (10, 9, 8), "ae": (12, 14, 17), "cae": (14, 13, 18),
         "vae": (13, 16, 20), "pca": (11, 12, 15), "perceptron": (19, 27, None)}  # fmt: skip
OTHERS = {"ff-32": 24, "encoder-32": 28, "ali-256": 14, "ali-128": 13, "ali-40": 11, "untrained": 6}
WORKS = np.tile(["a", "b", "c", "d"], 10)
LABELS = np.tile(np.arange(5), 16)  # of 80 clips; the last 40 test
COMPOSERS = ["Beethoven", "Brahms", "Haydn", "Sibelius", "Tchaikovsky"]
SEEN = ("chroma", "mfcc", "mel")
PATH = np.linspace(0, 1, 16)[:, None, None, None]


def more(name):
    """Right answers of a row of the tables with any clips beyond those with whole works; differ from row to row."""
    return 3 + settings.TABLES.index(name) % 5


def counts():
    """{model: right answers of 40}; of a row's twins as well, with any clips and with composers dealt."""
    found = dict(OTHERS)
    for kind, right in RIGHT.items():
        found |= {f"{kind}-{seen}": count for seen, count in zip(SEEN, right, strict=True) if count is not None}
    for place, name in enumerate(settings.TABLES):
        found |= {f"{name}-clips": found[name] + more(name), f"{name}-dealt": 5 + place % 5,
                  f"{name}-clips-dealt": 12 + place % 6}  # fmt: skip
    return found


def judged(count):
    right = np.arange(40) < count
    baselines, of_training = {"majority": 25.0, "loudness": 30.0}, {"majority": 35.0, "loudness": 45.0}
    return Judged(right, np.arange(40, 80), WORKS, baselines, train_accuracy=count + 0.5, train_baselines=of_training,
                  predicted=np.where(right, LABELS[40:], -1), truth=LABELS[40:])  # fmt: skip


def classifier_lines(entropy, gain=0.01):
    """Three parts of two epochs: the part and the epoch can be read off every value; `gain` of the second epoch."""
    return [{"stage": f"part-{part}", "step": epoch, "epoch": epoch, "losses/cross_entropy": entropy,
             "losses/test_cross_entropy": entropy + part + epoch / 10,
             "metrics/test_accuracy": (10 * part + 2) / 100 - gain * (2 - epoch)}
            for part in (1, 2, 3) for epoch in (1, 2)]  # fmt: skip


def autoencoder_lines(penalty):
    return [{"stage": f"part-{part}", "losses/reconstruction": part + epoch / 10, "losses/divergence": 2.0, **penalty}
            for part in (1, 2, 3) for epoch in (1, 2)]  # fmt: skip


def ali_lines(discriminator, generator, generated, gate):
    """Three parts of ten lines: eight at 2 ln 2, then two where the game ends; the last is .03 higher, D(G) .015."""
    lines = []
    for part in (1, 2, 3):
        for place in range(10):
            over, last = place >= 8 or part > 1, 0.03 if (part, place) == (3, 9) else 0.0
            lines.append({"stage": f"part-{part}", "step": 10 * (place + 1), "epoch": 5 * (place + 1),
                          "losses/discriminator": (discriminator if over else 1.386) + last,
                          "losses/generator": (generator if over else 1.4) + last,
                          "metrics/d_real": 0.8 + last, "metrics/d_generated": generated + last / 2,
                          "metrics/gate_open": gate if over else 1.0, "metrics/gradient_discriminator": 1.0,
                          "metrics/gradient_generator": 2.0, "metrics/spread_of_generated": 0.5})  # fmt: skip
    return lines


def _right(so):
    return {name: judged(count if so else 40 - count) for name, count in counts().items()}


def _history(so, gate):
    size, entropy = {"ali-256": 0.02, "ali-40": 0.01}, np.log(5.0) + (0.001 if so else -0.5)
    found = {}
    for name in (*counts(), *settings.GATED, *settings.CONTROL, *settings.ABLATED):
        kind, more = name.split("-")[0], size.get(name, 0.0)
        if kind in ("ff", "cnn", "lstm", "perceptron", "encoder"):
            found[name] = classifier_lines(entropy, 0.01 if so or kind != "lstm" else 0.11)
        elif kind in ("ae", "vae"):
            found[name] = autoencoder_lines({})
        elif kind == "cae":
            found[name] = autoencoder_lines({"losses/printed_penalty": 0.25} if so else {"losses/contraction": 3000.0})
        elif kind == "ali":
            end = (0.4 if gate else 0.1) + more if so else 1.2 - 10 * more
            threshold = float(name.rpartition("-")[2]) if name in settings.GATED else 3.5
            generated = np.exp(-threshold / 2) - np.exp(-1.75) + 0.17 if so else 0.4
            found[name] = ali_lines(end, 3.6 if so else 2.0, generated, 0.25 if so else 0.75)
    return found


def _images(so, random):
    """Samples and paths: spread out or all the same; falling or rising brightness; like the data or far from them."""
    data = random.uniform(-60, -20, (40, 32, 32))
    various = random.uniform(0, 1, (20, 32, 32, 1))
    same = np.full((20, 32, 32, 1), 0.5)
    bright = np.arange(32)[None, :, None, None] < 8 + np.arange(16)[:, None, None, None]  # 8 rows of 32, then one more
    falling = 0.7 - 0.6 * PATH + 0.1 * bright + np.zeros((16, 32, 32, 1))
    real, far = data + random.normal(0, 1, data.shape), np.full(data.shape, 50.0) + 0.01 * np.arange(40)[:, None, None]
    generated = {"ali-256": same if so else various, "ali-128": various if so else same, "ali-40": various}
    paths = dict.fromkeys(("ali-256", "ali-128", "ali-40"), falling if so else falling[::-1])
    close, away = (real, far) if so else (far, real)
    samples = {"data": data, "ali-128": close, "ali-256": close, "ali-40": close, "vae-mel": away}
    return generated, paths, samples


def _errors(so):
    """An error of 1 for the mean image; half of it for the clip's own reconstruction, 3/4 for another clip's."""
    own, other = (0.5, 0.75) if so else (1.25, 1.0)
    return {one.name: Errors(np.full(40, own), np.full(40, other), np.ones(40), WORKS)
            for one in settings.MODELS.values() if one.kind in ("ae", "cae", "vae", "ali")}  # fmt: skip


def _clips_split(so):
    """Five composers in equal shares, or two alone."""
    return [rows[LABELS[rows] < (5 if so else 2)] for rows in (np.arange(40), np.arange(40, 80))]


def measured(so=True, gate=3.5, follow="code"):
    """Measured arrays on which the findings are so, or not so."""
    random = np.random.default_rng(0)
    generated, paths, samples = _images(so, random)
    names = counts()
    points = random.normal(size=(80, 2)) if so else 10.0 * np.eye(5)[LABELS][:, :2] + np.arange(5)[LABELS][:, None] * 20
    codes = np.abs(random.normal(size=(40, 3))) if so else np.eye(5)[LABELS[40:]]
    rebuilt = np.where(np.arange(32) < 24, -39.0, -31.0) if so else np.linspace(-37, -25, 32)
    return Measured(
        resolve(settings, follow, "full", {"ali_gate": gate}), COMPOSERS, LABELS, np.arange(30 if so else 40),
        np.arange(40, 80), 3, [{"majority": 20.0 + part, "loudness": 27.0 + part} for part in (1, 2, 3)],
        _clips_split(so), _right(so), {name: LABELS[:40] for name in names}, _history(so, gate),
        {},
        {"ali-128": codes, "pca-chroma": np.array([[1.0, -2.0], [-1.0, 2.0]]) + (0.0 if so else 3.0)},
        generated, paths, samples, np.full(5, -0.8 if so else 0.9), 1e-5 if so else 0.5, 0.25, _errors(so),
        (-39.0, -23.0), np.array([-1.0, 0.5, 2.0, 0.4] if so else [0.1, 0.2, 0.3, 1.5]),
        dict.fromkeys(SEEN, (points, LABELS, np.tile(WORKS, 2))),
        {seen: [0.1 * place + 0.01, 0.1 * place + 0.02] for place, seen in enumerate(SEEN)},
        {seen: (100.0 + place, -200.0 - place) for place, seen in enumerate(SEEN)},
        {seen: -300.0 - place for place, seen in enumerate(SEEN)},
        {seen: np.array([0.1, 9.0 + place if so else 0.5]) for place, seen in enumerate(SEEN)},
        {"cae-mel": np.array([-56.0, -20.0]), "vae-mel": rebuilt}, 0.0 if so else 0.3,
        deviation_of_data=np.where(np.arange(32) < 8, 0.0, 0.4)[:, None] * np.ones((32, 1, 1)))  # fmt: skip
