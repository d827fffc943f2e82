"""What the paper judged by ear, as numbers: who a clip sounds like, what is left of the melody, how well it is rebuilt.

Everything is measured on windows of the role "test", with noise off. TensorFlow networks in, NumPy out.
"""

import dataclasses
from dataclasses import dataclass

import keras
import numpy as np

from common import probes, training
from papers.lord_transfer import sound, stitching, train
from papers.lord_transfer.config import Config
from papers.lord_transfer.windows import Reader, Windows, windows

BATCH = 64


@dataclass
class Trained:
    """A trained model, the classifier (logits and features) and the windows it is measured on."""

    config: Config
    learner: object
    classifier: keras.Model
    reader: Reader
    trained_on: Windows
    ear: Windows
    test: Windows

    @property
    def labels(self):
        """The names of the classes."""
        return self.test.labels

    def test_images(self):
        """Held-out images (n, bands, frames, channels)."""
        return self.reader.read(self.test, np.arange(len(self.test)))


def spread(found: Windows, most):
    """At most `most` windows, evenly over the classes and over each class's recordings."""
    kept, classes = [], np.unique(found.classes)
    for number in classes:
        mine = np.flatnonzero(found.classes == number)
        count = min(len(mine), max(1, most // len(classes)))
        kept.extend(mine[np.linspace(0, len(mine) - 1, count).round().astype(int)])
    return found.take(np.array(kept))


def in_batches(network, *inputs):
    """Output (or tuple of outputs) of a network for arrays of n rows, BATCH at a time, as arrays."""
    parts = []
    for start in range(0, len(inputs[0]), BATCH):
        rows = [values[start:start + BATCH] for values in inputs]
        parts.append(network(rows if len(rows) > 1 else rows[0], training=False))
    if isinstance(parts[0], list):
        return tuple(np.concatenate([part[i].numpy() for part in parts]) for i in range(len(parts[0])))
    return np.concatenate([part.numpy() for part in parts])


# ---- the model ---------------------------------------------------------------------------------------------------

def encode(trained: Trained, images):
    """Content codes (n, content_dim) without noise."""
    return in_batches(trained.learner.networks["content_encoder"], images)


def class_codes(trained: Trained):
    """One class code (classes, class_dim) per class: its row of the table, the mean of its sub-classes' rows, or,
    without a table, the mean of its training images' codes."""
    networks, found = trained.learner.networks, trained.trained_on
    count = len(found.labels)
    if "class_embedding" not in networks:
        codes = in_batches(networks["class_encoder"], trained.reader.read(found, np.arange(len(found))))
        return np.stack([codes[found.classes == number].mean(axis=0) for number in range(count)])
    table = networks["class_embedding"].get_weights()[0]
    per_class = max(1, trained.config.subclasses)
    used = np.isin(np.arange(len(table)), found.classes)
    return np.stack([table[number * per_class:(number + 1) * per_class][used[number * per_class:(number + 1)
                                                                             * per_class]].mean(axis=0)
                     for number in range(count)])


def generate(trained: Trained, codes, codes_of_class):
    """Images (n, bands, frames, channels) of content codes (n, content_dim) and class codes (n, class_dim)."""
    parameters = in_batches(trained.learner.networks["class_modulation"], codes_of_class)
    return in_batches(trained.learner.networks["generator"], codes, parameters)


def all_transfers(trained: Trained, images):
    """(targets, n, bands, frames, channels): every image given to every class."""
    codes = encode(trained, images)
    return np.stack([generate(trained, codes, np.repeat(code[None], len(codes), 0)) for code in class_codes(trained)])


def listen(classifier, images):
    """(probabilities (n, classes), features (n, values)) of what the classifier hears in the amplitude channel."""
    logits, features = in_batches(classifier, images[..., :1])
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True), features


# ---- who it sounds like ------------------------------------------------------------------------------------------

@dataclass
class Heard:
    """What the classifier hears. Matrices are (source class, class heard or target), rows as shares."""

    labels: tuple
    clips: int
    real: np.ndarray  # real clips: share heard as each class
    identity: np.ndarray  # rebuilt with their own class: share heard as each class
    target: np.ndarray  # [a, b]: share of clips of a, transferred to b, that are heard as b
    probabilities: np.ndarray  # (targets, n, classes)

    @property
    def chance(self):
        """One over the number of classes."""
        return 1 / len(self.labels)

    @property
    def accuracy(self):
        """Mean over classes of the share of real clips heard rightly: the ceiling of everything below."""
        return float(np.diag(self.real).mean())

    @property
    def deaf(self):
        """Why nothing can be said with this classifier, or an empty string: real clips must be heard above chance.

        By two standard errors of guessing; a classifier at chance would call any transfer a failure.
        """
        least = self.chance + 2 * np.sqrt(self.chance * (1 - self.chance) / self.clips)
        if self.accuracy > least:
            return ""
        return (f"the classifier hears {self.accuracy:.0%} of {self.clips} real clips rightly, chance is "
                f"{self.chance:.0%}: too few recordings to learn the classes from")

    @property
    def rebuilt(self):
        """Mean over classes of the share of identity outputs heard as their class."""
        return float(np.diag(self.identity).mean())

    @property
    def transferred(self):
        """Mean over all pairs of different classes of the share heard as the target."""
        return off_diagonal_mean(self.target)

    @property
    def untransferred(self):
        """The same for clips that were not transferred: real clips of a heard as b, mean over pairs."""
        return off_diagonal_mean(self.real)

    @property
    def false_identity(self):
        """The same for identity outputs."""
        return off_diagonal_mean(self.identity)


def off_diagonal_mean(matrix):
    """Mean of a square matrix without its diagonal."""
    return float(matrix[~np.eye(len(matrix), dtype=bool)].mean())


def heard(trained: Trained, images, transfers):
    """What the classifier hears in real, rebuilt and transferred clips."""
    classes, count = trained.test.classes, len(trained.labels)

    def shares(found):
        return np.stack([np.bincount(found[classes == a], minlength=count) / np.sum(classes == a)
                         for a in range(count)])

    real = listen(trained.classifier, images)[0].argmax(axis=1)
    probabilities = np.stack([listen(trained.classifier, transferred)[0] for transferred in transfers])
    found = probabilities.argmax(axis=2)  # (targets, n)
    own = found[classes, np.arange(len(classes))]
    target = np.stack([shares(found[b])[:, b] for b in range(count)], axis=1)
    return Heard(trained.labels, len(classes), shares(real), shares(own), target, probabilities)


# ---- what is left of the content ---------------------------------------------------------------------------------

def melody(trained: Trained, images, transfers, pitch_clips):
    """Chroma and pitch agreement of sources with their transfers, each against other sources.

    Returns {"chroma", "chroma_shuffled", "chroma_identity", "ahead" (share of the other sources of its class that
    agree less with a transfer than its own does; 0.5 where transfers do not follow their source), "simple" (rank
    correlation with onsets, NaN if constant), "pitch", "pitch_shuffled", "clips", "pitch_clips"}.
    """
    from scipy.stats import spearmanr

    config, classes, count = trained.config, trained.test.classes, len(trained.labels)
    sources, every = chromas(images, config), np.arange(len(images))
    # [target, source, transfer]: every source with every transfer
    agreement = np.stack([sound.chroma_agreements(sources, chromas(found, config)) for found in transfers])
    with_own = agreement[:, every, every]  # (targets, n)
    different = np.arange(count)[:, None] != classes  # transfers to another class
    own = np.array([with_own[different[:, i], i].mean() for i in every])
    identity = with_own[classes, every]
    shuffled = agreement[:, (every + len(images) // 2) % len(images), every][different]
    rivals = (classes[:, None] == classes) & (every[:, None] != every)  # [source, transfer]
    behind = ((agreement < with_own[:, None]) & rivals).sum(axis=1) / np.maximum(1, rivals.sum(axis=0))
    compared = different & rivals.any(axis=0)
    counts = [sound.onsets(image[..., 0], config) for image in images]
    simple = spearmanr(own, counts).statistic if np.ptp(counts) and np.ptp(own) else float("nan")
    picked = np.linspace(0, len(images) - 1, min(pitch_clips, len(images))).round().astype(int)
    contours, pitch, pitch_shuffled = [], [], []
    for i in picked:
        target = (classes[i] + 1) % count
        pair = [sound.to_audio(image[..., 0], 1.0, config) for image in (images[i], transfers[target][i])]
        contours.append([sound.pitch(samples, config) for samples in pair])
    for i, (source, transferred) in enumerate(contours):
        pitch.append(sound.pitch_agreement(source, transferred))
        pitch_shuffled.append(sound.pitch_agreement(contours[(i + 1) % len(contours)][0], transferred))
    return {"chroma": np.mean(own), "chroma_shuffled": np.mean(shuffled), "chroma_identity": np.mean(identity),
            "ahead": nan_mean(behind[compared]), "simple": simple, "pitch": nan_mean(pitch),
            "pitch_shuffled": nan_mean(pitch_shuffled), "clips": len(images), "pitch_clips": len(picked)}


def chromas(images, config: Config):
    """Chroma (n, 12, frames) of images (n, bands, frames, channels)."""
    return np.stack([sound.chroma(image[..., 0], config) for image in images])


def variety(trained: Trained, images, transfers):
    """How different the transfers to one class are, over how different its real clips are: 0 for a class mean."""
    real = [probes.mean_distance(images[trained.test.classes == b, ..., 0]) for b in range(len(transfers))]
    return float(np.mean([probes.mean_distance(found[..., 0]) for found in transfers]) / np.mean(real))


def nan_mean(values):
    """Mean without NaN; NaN when nothing is left."""
    values = np.asarray(values, float)
    return float(values[~np.isnan(values)].mean()) if (~np.isnan(values)).any() else float("nan")


def identity_errors(trained: Trained, images, transfers):
    """Mean absolute error of held-out and of training clips rebuilt, and of the class's mean training image."""
    classes, shown = trained.test.classes, spread(trained.trained_on, len(images))
    rebuilt = transfers[classes, np.arange(len(classes))]
    train_images = trained.reader.read(shown, np.arange(len(shown)))
    per_class = max(1, trained.config.subclasses)
    parents = shown.classes // per_class
    codes = class_codes(trained)
    train_rebuilt = generate(trained, encode(trained, train_images), codes[parents])
    means = np.stack([train_images[parents == number].mean(axis=0) for number in range(len(trained.labels))])
    return {"held_out": float(np.abs(rebuilt - images)[..., 0].mean()),
            "training": float(np.abs(train_rebuilt - train_images)[..., 0].mean()),
            "class_mean": float(np.abs(means[classes] - images)[..., 0].mean())}


def leak(trained: Trained, images):
    """(balanced accuracy of a linear probe for the class on content codes, chance); learned on "ear", asked on "test".
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    shown = spread(trained.ear, 20 * len(images))
    codes = encode(trained, trained.reader.read(shown, np.arange(len(shown))))
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500, class_weight="balanced"))
    probe.fit(codes, shown.classes)
    found = probe.predict(encode(trained, images))
    return float(balanced_accuracy_score(trained.test.classes, found)), 1 / len(trained.labels)


def feature_distance(trained: Trained, images, transfers):
    """Distance of rebuilt clips from the real ones in the classifier's features, in units of the real ones' spread."""
    rebuilt = transfers[trained.test.classes, np.arange(len(images))]
    real, made = (listen(trained.classifier, found)[1] for found in (images, rebuilt))
    scale = real.std(axis=0) + 1e-6
    return float(np.mean(np.linalg.norm((made - real) / scale, axis=1)) / np.sqrt(real.shape[1]))


def flux_ratio(trained: Trained, images, transfers):
    """Change from frame to frame of rebuilt clips over that of the real ones."""
    rebuilt = transfers[trained.test.classes, np.arange(len(images))]
    return stitching.flux(rebuilt[..., 0]) / stitching.flux(images[..., 0])


def phase_measures(trained: Trained, images, transfers):
    """Held-out squared angle error (radians) and how far amplitude shows in the generated phase channels.

    "leak" is the |correlation| of a phase channel with the amplitude channel, generated minus true.
    """
    rebuilt = transfers[trained.test.classes, np.arange(len(images))]

    def angle(found):
        if trained.config.phase == "angle":
            return 2 * np.pi * found[..., 1]
        return np.arctan2(2 * found[..., 2] - 1, 2 * found[..., 1] - 1)

    def correlation(found):
        return np.mean([abs(np.corrcoef(found[..., 0].ravel(), found[..., c].ravel())[0, 1])
                        for c in range(1, found.shape[-1])])

    difference = np.abs(angle(images) - angle(rebuilt)) % (2 * np.pi)
    error = np.mean(np.minimum(difference, 2 * np.pi - difference) ** 2)
    return {"error": float(error), "leak": float(correlation(rebuilt) - correlation(images))}


# ---- joining windows (sec. 2.3.4 and 2.4.2) ----------------------------------------------------------------------

def rebuild(trained: Trained, windows_of_track, label):
    """Windows (n, bands, frames) of one track rebuilt with their own class."""
    images = windows_of_track[..., None]
    codes = encode(trained, images)
    code = class_codes(trained)[label]
    return generate(trained, codes, np.repeat(code[None], len(codes), 0))[..., 0]


def stitched(trained: Trained, image, label):
    """Every way of joining one held-out track (bands, frames): {name: (image, seams)} cut to the same length."""
    width = trained.config.frames
    hop = 3 * width // 4
    blend = rebuild(trained, stitching.cut(image, width, hop), label)
    found = {"concatenation": (stitching.concatenate(rebuild(trained, stitching.cut(image, width, width), label)),
                               np.arange(width, image.shape[1] - width + 1, width)),
             "cross-fade": (stitching.cross_fade(blend, hop), np.arange(1, len(blend)) * hop + (width - hop))}
    step = 1
    while step <= width:
        found[f"columns-{step}"] = (stitching.columns(rebuild(trained, stitching.cut(image, width, step), label), step),
                                    np.array([], int))
        step *= 4
    found[f"columns-{width}"] = (found["concatenation"][0], found["concatenation"][1])
    return found


def stitching_measures(trained: Trained, tracks):
    """Means over held-out tracks [(image, reference, class)]: seams, blended error, and sound by columns kept.

    Returns {"seam": {method: ratio}, "blend": error inside overlaps over outside, "distance": {columns: dB},
    "inconsistency": {columns: ratio}, "tracks"}.
    """
    rows = []
    config = trained.config
    for image, reference, label in tracks:
        found = stitched(trained, image, label)
        hop = 3 * config.frames // 4
        blended = found["cross-fade"][0]
        inside = np.zeros(blended.shape[1], dtype=bool)
        for start in range(hop, blended.shape[1] - config.frames + hop, hop):
            inside[start:start + config.frames - hop] = True
        error = np.abs(blended - image[:, :blended.shape[1]]).mean(axis=0)
        columns = {int(name.split("-")[1]): joined for name, (joined, _) in found.items() if name.startswith("columns")}
        length = min(joined.shape[1] for joined in columns.values())
        rows.append({
            "seam": {name: stitching.seam_ratio(*found[name]) for name in ("concatenation", "cross-fade")},
            "blend": error[inside].mean() / error[~inside].mean(),
            "distance": {k: sound.log_spectral_distance(sound.to_audio(joined[:, :length], reference, config),
                                                        image[:, :length], reference, config)
                         for k, joined in columns.items()},
            "inconsistency": {k: sound.inconsistency(joined[:, :length], reference, config)
                              for k, joined in columns.items()}})
    return {name: ({key: nan_mean([row[name][key] for row in rows]) for key in rows[0][name]}
                   if isinstance(rows[0][name], dict) else nan_mean([row[name] for row in rows]))
            for name in rows[0]} | {"tracks": len(rows)}


def load(config: Config, store, run, name, pair=""):
    """A trained model of a run with what is needed to measure it. Raises TrainingError when it is not trained yet.

    Every comparison is measured with the run's classifier and on the same held-out windows as the run's model.
    """
    jobs = train.jobs(config)

    def load_one(name):
        built, changed = jobs[train.job_name(name, pair)]
        return training.load(built, changed, store, run.model_directory(train.job_name(name, pair)))

    changed, learner = jobs[train.job_name(name, pair)][1], load_one(name)
    classifier = load_one("classifier").networks["classifier"]
    ear = keras.Model(classifier.input, [classifier.output, classifier.layers[-1].input])
    everything = windows(dataclasses.replace(changed, overlap=0.0), store)
    return Trained(changed, learner, ear, Reader(changed, store), train.training_windows(changed, store),
                   everything.take(everything.of("ear")),
                   spread(everything.take(everything.of("test")), config.evaluation_clips))
