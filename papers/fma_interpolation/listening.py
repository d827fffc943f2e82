"""Reconstruction, interpolation, generation and inversion: their measures, and the pictures and sounds of the page.

The survey of the report has six questions and no answers; the U claims are objective stand-ins for them.
"""

import time

import keras
import numpy as np

from common import audio, inversion
from papers.fma_interpolation import measures, preprocess, train
from papers.fma_interpolation.interpolate import blend, decode, encode, fractions, heard_image, picture

HELD_OUT = 64  # held-out images that reconstructions are measured on


def held_out(config, store, seed, count=HELD_OUT):
    """Rows of held-out images: the test part, or the validation part where a mode has no test; at most `count`."""
    parts = train.parts(config, store, 0, seed)
    rows = parts["test"] if len(parts["test"]) else parts["validation"]
    chosen = np.random.default_rng(seed).permutation(len(rows))[:count]
    return rows[np.sort(chosen)]


def images_of(store, rows):
    """Stored images, (n, bands, frames)."""
    return np.stack([store.image(store.index[i]) for i in rows])


def mean_image(config, store, seed, count=256):
    """Mean of (at most `count`) training images: the trivial reconstruction."""
    rows = train.parts(config, store, count, seed)["train"]
    total = np.zeros((config.bands, config.frames))
    for row in rows:
        total += store.image(store.index[row])
    return (total / len(rows)).astype(np.float32)


# ---------------------------------------------------------------- reconstruction

def reconstruction(config, store, learners, seed):
    """Measures of every autoencoder on held-out images: {name: {measure: value}}, "mean image" among them."""
    rows = held_out(config, store, seed)
    images = images_of(store, rows)
    mean = np.broadcast_to(mean_image(config, store, seed), images.shape)
    results = {"mean image": _compare(images, mean)}
    outputs = {}
    for name, learner in learners.items():
        outputs[name] = decode(learner, encode(learner, images), train.loss_of(name, config))
        results[name] = _compare(images, outputs[name])
    return rows, images, outputs, results


def _compare(images, others):
    return {"squared_error": float(measures.squared_error(images, others).mean()),
            "similarity": float(measures.similarity(images, others).mean()),
            "correlation": float(measures.correlation(images, others).mean()),
            "decibel_error": float(measures.decibel_error(images, others).mean()),
            "time_variance": float((measures.time_variance(others) / np.maximum(measures.time_variance(images), 1e-9))
                                   .mean())}


def reconstruction_claims(found, rows, images, outputs, store):
    """Results of Q1, Q8, Q9, U1-flux and U2 from `reconstruction`."""
    base, mean = found["baseline"], found["mean image"]
    n = {"n": len(rows), "of": "held-out images"}

    def against_mean(measure):
        return {"value": base[measure] - mean[measure], **n,
                "baselines": {"autoencoder": base[measure], "mean_image": mean[measure]}}

    results = {
        "Q1-error": {"value": base["squared_error"] / mean["squared_error"], **n, "baselines": {"mean_image": 1.0}},
        "Q1-ssim": {"value": base["similarity"], **n, "baselines": {"mean_image": mean["similarity"]}},
        "Q8": {"value": found["conv2d"]["squared_error"] - found["conv1d"]["squared_error"], **n,
               "baselines": {"conv2d": found["conv2d"]["squared_error"], "conv1d": found["conv1d"]["squared_error"],
                             "mean_image": mean["squared_error"]}},
        "Q9": {"value": found["conv1d"]["time_variance"], **n,
               "baselines": {name: found[name]["time_variance"] for name in ("baseline", "conv2d", "mean image")}},
        "U2-ncc": against_mean("correlation"), "U2-ssim": against_mean("similarity"),
        "U2-decibel": against_mean("decibel_error"),
    }
    place = {(store.index[row]["group"], store.index[row]["offset"]): k for k, row in enumerate(rows)}
    joined = [(k, place[group, offset + 1]) for (group, offset), k in place.items() if (group, offset + 1) in place]
    if joined:
        first, second = np.array(joined).T
        was = measures.join_flux(images[first], images[second]).mean()
        now = measures.join_flux(outputs["baseline"][first], outputs["baseline"][second]).mean()
        results["U1-flux"] = {"value": float(now / max(was, 1e-9)), "n": len(joined), "of": "joins"}
    else:
        results["U1-flux"] = {"not_testable": "no two neighbouring excerpts among the held-out ones"}
    return results


# ---------------------------------------------------------------- interpolation

def choose_pairs(config, store, rows, seed):
    """Rows (A, B) of different tracks and, with more than one genre, of different genres; drawn, not picked."""
    random, index = np.random.default_rng([seed, 5]), store.index
    several = len({index[i]["label"] for i in rows}) > 1
    pairs = []
    for a in random.permutation(rows):
        fits = [b for b in rows if index[b]["group"] != index[a]["group"]
                and (not several or index[b]["label"] != index[a]["label"])]
        if fits and len(pairs) < config.pairs:
            pairs.append((int(a), int(random.choice(fits))))
    return pairs


def interpolation_claims(config, store, learner, judge, pairs, seed):
    """Results of Q10 and U1, U4, U5, U6 for the baseline; `judge` is {"embed", "classify"}: images to (n, d).

    Returns (results, effects): effects measure the divergences `interpolate` and `end_points` one at a time.
    """
    loss = train.loss_of("baseline", config)
    shares = fractions(config.points)
    first, second = (images_of(store, [pair[k] for pair in pairs]) for k in (0, 1))
    paths = {}
    for how in ("mean", "sample"):
        seeds = (None, None) if how == "mean" else (seed + 1, seed + 2)
        codes = blend(encode(learner, first, seeds[0]), encode(learner, second, seeds[1]), shares)
        flat = decode(learner, codes.reshape(-1, codes.shape[-1]), loss)
        paths[how] = flat.reshape(len(pairs), config.points, config.bands, config.frames)
    chosen = paths[config.interpolate].copy()
    original = chosen.copy()
    original[:, 0], original[:, -1] = first, second
    path = original if config.end_points == "original" else chosen

    def embedded(images):
        return judge["embed"](images.reshape(-1, config.bands, config.frames)).reshape(len(pairs), -1, judge["size"])

    def order(images):
        return measures.path_orders(shares, measures.distances(embedded(images), embedded(first)[:, 0]))

    points, to_first, to_second = embedded(path), embedded(first)[:, 0], embedded(second)[:, 0]
    middle, third = points[:, config.points // 2], np.roll(embedded(first)[:, 0], 1, axis=0)
    near = np.stack([np.linalg.norm(middle - end, axis=1) for end in (to_first, to_second)])
    far = np.stack([np.linalg.norm(third - end, axis=1) for end in (to_first, to_second)])
    orders_a = order(path)
    orders_b = measures.path_orders(shares, measures.distances(points, to_second))
    mixed = shares[None, :, None, None] * first[:, None] + (1 - shares[None, :, None, None]) * second[:, None]
    n = {"n": len(pairs), "of": "pairs"}
    steps = {name: float(measures.largest_step(images.reshape(len(pairs), config.points, -1)).mean())
             for name, images in (("decoded", chosen), ("original", original))}
    results = {
        "Q10-order": {"value": float(orders_a.mean()), **n, "baselines": {"mix_of_pixels": float(order(mixed).mean())}},
        "Q10-middle": {"value": float(np.mean((near < far).all(axis=0))), **n, "baselines": {"chance": 1 / 3}},
        "U1-steps": {"value": steps[config.end_points], **n, "baselines": {"even": 1.0} | steps},
        "U4-order": {"value": float(np.mean((orders_a < -0.9) & (orders_b > 0.9))), **n},
        "U4-middle": {"value": float(near.mean() / max(far.mean(), 1e-9)), **n},
    }
    results |= _feature_claims(config, path, first, second, shares, n)
    results |= _genre_claims(config, store, judge, path, pairs, n)
    effects = {"interpolate": {how: float(order(images).mean()) for how, images in paths.items()}, "end_points": steps}
    return results, effects, shares, path


def _feature_claims(config, path, first, second, shares, n):
    def features(images):
        power = preprocess.image_to_power(images.reshape(-1, config.bands, config.frames), config.dynamic_range)
        return measures.sound_features(power, config.sample_rate, config.hop_length)

    on_path, of_first, of_second = features(path), features(first), features(second)
    return {f"U5-{name}": {"value": measures.mixed_feature_correlation(
        values.reshape(*path.shape[:2], -1), of_first[name], of_second[name], shares), **n}
        for name, values in on_path.items()}


def _genre_claims(config, store, judge, path, pairs, n):
    labels = train.labels_of(store)
    if judge["classes"] < 2:
        reason = {"not_testable": "one class only"}
        return {"U6-mass": reason, "U6-ends": reason}
    probability = judge["classify"](path.reshape(-1, config.bands, config.frames)).reshape(*path.shape[:2], -1)
    codes = np.array([[labels[a], labels[b]] for a, b in pairs])

    def mass(codes):
        return float(np.mean([probability[k][:, sorted(set(two))].sum(axis=1).mean() for k, two in enumerate(codes)]))

    ends = probability[:, [0, -1]].argmax(axis=-1)
    majority = np.bincount(codes.ravel()).max() / codes.size
    return {"U6-mass": {"value": mass(codes) - mass(np.roll(codes, 1, axis=0)), **n,
                        "baselines": {"own_genres": mass(codes), "other_genres": mass(np.roll(codes, 1, axis=0))}},
            "U6-ends": {"value": float((ends == codes).mean() - majority), "n": 2 * n["n"], "of": "ends",
                        "baselines": {"majority": float(majority)}}}


def judges(learners, classes):
    """The fixed classifiers that judge: 64 values of CNN_1's last hidden layer, genre probabilities of CNN_2."""
    network = learners["cnn_1"].networks["classifier"]
    hidden = keras.Model(network.input, network.layers[-2].output)

    def through(network):
        compiled = train.compiled(network)
        return lambda images: np.concatenate(
            [np.asarray(compiled(images[i:i + 16, ..., None].astype(np.float32))) for i in range(0, len(images), 16)])

    return {"embed": through(hidden), "size": 64, "classify": through(learners["cnn_2"].networks["classifier"]),
            "classes": classes}


def generate(config, learner, seed, count=None):
    """Unconditioned excerpts: codes from N(0, 1), decoded by the baseline."""
    codes = np.random.default_rng([seed, 7]).standard_normal((count or config.generated, config.latent), np.float32)
    return decode(learner, codes, train.loss_of("baseline", config))


def generation_claim(config, learner, judge, images, seed):
    """U3: Frechet distance of generated to held-out images over that of noise with the held-out mean and deviation."""
    made = generate(config, learner, seed, len(images))
    noise = np.clip(np.random.default_rng(seed).normal(images.mean(), images.std(), images.shape), 0, 1)
    held = judge["embed"](images)
    ours, theirs = (measures.frechet_distance(judge["embed"](x), held) for x in (made, noise))
    return {"U3": {"value": ours / max(theirs, 1e-9), "n": len(images), "of": "images",
                   "baselines": {"generated": ours, "noise": theirs}}}


# ---------------------------------------------------------------- inversion

def inversion_claims(config, store, outputs, images, seed):
    """Q11, Q14, T-GL and U2-inversion, and a table of errors: storage, inversion, autoencoder, both together."""
    excerpts = np.asarray(store.array("excerpts"))
    stft = (config.sample_rate, config.n_fft, config.hop_length)
    target = [preprocess.normalised_spectrogram(samples, config)[0] for samples in excerpts]
    seconds, errors = {}, {}
    for bands in sorted({config.bands // 4, config.bands // 2, config.bands}):
        began = time.perf_counter()
        sounds = [inversion.mel_to_audio(inversion.mel_power(samples, *stft, bands, pad_mode="reflect"), *stft,
                                         iterations=config.inversion_iterations, seed=seed) for samples in excerpts]
        seconds[bands] = (time.perf_counter() - began) / len(excerpts)
        heard = [_as_image(sound, image, samples, config)
                 for sound, image, samples in zip(sounds, target, excerpts, strict=True)]
        errors[bands] = float(measures.decibel_error(np.stack(target), np.stack(heard)).mean())
    waveform = [measures.correlation(a[None, :len(b)], b[None])[0] for a, b in zip(excerpts, sounds, strict=True)]
    few = slice(0, min(4, len(images)))
    inverted = [heard_image(preprocess.image_to_audio(image, config), image, config) for image in outputs[few]]
    both = float(measures.decibel_error(images[few], np.stack(inverted)).mean())
    model = float(measures.decibel_error(images[few], outputs[few]).mean())
    n = {"n": len(excerpts), "of": "excerpts"}
    low, high = min(errors), max(errors)
    results = {
        "Q11-time": {"value": seconds[high] / seconds[low], **n},
        "Q11-error": {"value": errors[low] - errors[high], **n,
                      "baselines": {f"{bands}_bands": value for bands, value in errors.items()}},
        "Q14": {"value": float(np.mean(waveform)), **n},
        "U2-inversion": {"value": abs(both - model) / max(model, 1e-9), "n": few.stop, "of": "images",
                         "baselines": {"autoencoder_dB": model, "autoencoder_and_inversion_dB": both}},
        "T-GL": {"value": _librosa_time(excerpts[0]), "n": 1, "of": "excerpts"},
    }
    table = [["storage, OpenEXR " + config.storage, "0.00" if config.storage == "float32" else "up to 0.02"],
             ["inversion of an original image", f"{errors[config.bands]:.2f}"],
             ["autoencoder (baseline), no sound", f"{model:.2f}"], ["autoencoder, then inversion", f"{both:.2f}"]]
    timing = [[str(bands), f"{seconds[bands]:.2f}", f"{errors[bands]:.2f}"] for bands in seconds]
    return results, table, timing


def _as_image(sound, image, samples, config):
    """The image of an inverted sound, at the reference of the original clip."""
    power, original = (inversion.mel_power(x, config.sample_rate, config.n_fft, config.hop_length, config.bands,
                                           pad_mode="reflect") for x in (sound, samples))
    frames = min(power.shape[1], image.shape[1])
    heard = inversion.power_to_db(power / original.max()) / config.dynamic_range + 1
    padded = image.copy()
    padded[:, :frames] = np.clip(heard, 0, 1)[:, :frames]
    return padded


def _librosa_time(samples, sample_rate=32768, seconds=0.5):
    """Seconds that librosa's own inversion takes for a second of sound, at the report's parameters."""
    import librosa

    samples = np.resize(samples, int(sample_rate * seconds))
    mel = inversion.mel_power(samples, sample_rate, 4096, 256, 512)
    began = time.perf_counter()
    librosa.feature.inverse.mel_to_audio(mel, sr=sample_rate, n_fft=4096, hop_length=256)
    return (time.perf_counter() - began) / seconds


# ---------------------------------------------------------------- the page

def tile(run, name, image, caption, sound=True):
    """One tile of a grid: picture, sound, caption."""
    config = run.config
    cell = {"caption": caption, "image": run.relative(picture(run.figure(name), image))}
    if sound:
        audio.write(run.audio(name), preprocess.image_to_audio(image, config), config.sample_rate)
        cell["audio"] = run.relative(run.audio(name))
    return cell


def path_grid(run, store, pairs, shares, path):
    """A, every point, B for the audible pairs of the baseline."""
    rows, cells = [], []
    for k, (a, b) in enumerate(pairs[: run.config.audible_pairs]):
        first, second = store.index[a], store.index[b]
        rows.append(f"{first['label']} to {second['label']}")
        line = [tile(run, f"path{k}-a", store.image(first), f"A: {first['item']}, original")]
        line += [tile(run, f"path{k}-{j:02d}", path[k, j], f"{share:.3g} of A") for j, share in enumerate(shares)]
        cells.append([*line, tile(run, f"path{k}-b", store.image(second), f"B: {second['item']}, original")])
    return {"rows": rows, "columns": ["A", *(f"{share:.3g} A" for share in shares), "B"], "cells": cells}


def structure_grid(run, store, learners, pair):
    """One pair through every autoencoder: A, the middle, B decoded."""
    images, cells = images_of(store, pair), []
    for name, learner in learners.items():
        codes = encode(learner, images)
        three = decode(learner, blend(codes[:1], codes[1:], fractions(3))[0], train.loss_of(name, run.config))
        cells.append([tile(run, f"{name}-{where}", image, f"{name}, {where}")
                      for where, image in zip(("a", "middle", "b"), three, strict=True)])
    return {"rows": list(learners), "columns": ["A decoded", "half and half", "B decoded"], "cells": cells}


def generated_grid(run, learner):
    """Unconditioned excerpts."""
    made = generate(run.config, learner, run.seed)
    return {"rows": ["from the prior"], "columns": [str(k + 1) for k in range(len(made))],
            "cells": [[tile(run, f"generated-{k}", image, f"excerpt {k + 1}") for k, image in enumerate(made)]]}
