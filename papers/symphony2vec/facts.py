"""Single measurements behind the claims: facts about the program's formulas, and properties of codes and images."""

import librosa
import numpy as np
import tensorflow as tf
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_score

from papers.symphony2vec import inference, latent, losses, measures, model, train, variants

PRINTED_SIZES, PROGRAM_CLIPS = (5366, 3842), 7665  # section 3.1; the program's clips
PROGRAM_CLASSES = (1748, 908, 1925, 1386, 1698)  # the program's clips of each composer


def facts(results):
    """Facts that hold on any data: put into `results` (evaluate.Results)."""
    found, config = results.found, results.found.config
    results.put("E-split", (), sum(PRINTED_SIZES) - PROGRAM_CLIPS)
    results.put("E-T1", (), tchaikovsky_share())
    certain = 1000.0 * tf.eye(5)[:1]
    results.put("E-softmax", (), float(losses.double_softmax_cross_entropy(certain, [0])[0]))
    results.put("E-hidden", (), float(losses.cross_entropy(2.0 * tf.eye(5)[:1] - 1.0, [0])[0]))
    results.put("E-mixed", (), own_share())
    results.put("E-penalty", (), penalty_gradient())
    results.put("E-crop", (), 32 * 32 / (config.mel_bands * train.image_shape(config, "mel")[1]))
    edges = librosa.mel_frequencies(config.mel_bands + 2, fmin=0, fmax=config.mel_top_hz)
    results.put("E-axis", (), edges[33])
    results.put("Q9-same", ("ae-chroma", "cae-chroma"), lambda: weight_difference(found, "ae-chroma", "cae-chroma"))
    if config.pca_fit == "each_set":
        results.put("E-pca", (), lambda: float(np.abs(found.codes["pca-chroma"][1].mean(axis=0)).max()))
    else:
        results.refuse("E-pca", "PCA is fitted on the training clips in this mode")
    crops = found.images["crop"][found.selection.train]
    if config.crop_scale == "unit":
        results.refuse("E-range", "the data are scaled to the sigmoid's range in this mode")
    else:
        results.put("E-range", (), np.mean((crops <= 0.0) | (crops >= 1.0)))


def tchaikovsky_share():
    """Share of the fifth composer among the program's own draws."""
    from papers.symphony2vec import splits

    drawn, _ = splits.with_replacement(PROGRAM_CLIPS, PRINTED_SIZES[0])
    return float(np.mean(np.repeat(np.arange(5), PROGRAM_CLASSES)[drawn] == 4))


def own_share(batch=32, bands=12, steps=36):
    """Mean share of a reinterpreted sequence that comes from its own example of the batch."""
    source = np.broadcast_to(np.arange(batch, dtype=np.float32)[:, None, None], (batch, bands, steps))
    mixed = np.asarray(variants.ReinterpretedSteps()(source))
    return float(np.mean(mixed == np.arange(batch)[:, None, None]))


def penalty_gradient():
    """Largest gradient of the program's contractive penalty on any weight of a small encoder."""
    encoder = model.encoder((3, 4), (8, 7), code_size=4)
    x = tf.random.stateless_normal((6, 3, 4), seed=(1, 2))
    with tf.GradientTape() as tape:
        penalty = losses.program_penalty(encoder, x)
    gradients = [g for g in tape.gradient(penalty, encoder.trainable_variables) if g is not None]
    return max((float(tf.reduce_max(tf.abs(g))) for g in gradients), default=0.0)


def weight_difference(found, first, second):
    """Largest difference of the final weights of two models of one structure."""
    pairs = [zip(found.learners[first].networks[part].weights, found.learners[second].networks[part].weights,
                 strict=True) for part in ("encoder", "decoder")]  # fmt: skip
    return max(float(np.abs(np.asarray(a) - np.asarray(b)).max()) for pair in pairs for a, b in pair)


def entropy_gap(found, representation):
    """Training cross entropy of the LSTM's last epoch minus the entropy of the composers it was trained on."""
    rows, _ = found.set_of(f"lstm-{representation}")
    share = np.bincount(found.selection.labels[rows]) / len(rows)
    share = share[share > 0]
    return found.history[f"lstm-{representation}"][-1]["losses/cross_entropy"] + float(np.sum(share * np.log(share)))


def explained_variance(found, representation):
    """Shares of variance of the first two principal components over all clips."""
    rows = np.union1d(found.selection.train, found.selection.test)
    flat = found.images[representation][rows].reshape(len(rows), -1)
    return PCA(2, random_state=0).fit(flat).explained_variance_ratio_.tolist()


def components(found):
    """(points (clips, 2), composers) of Figure 4: two principal components of all mel-spectrograms."""
    rows = np.union1d(found.selection.train, found.selection.test)
    flat = found.images["mel"][rows].reshape(len(rows), -1)
    return PCA(2, random_state=0).fit_transform(flat), found.selection.labels[rows]


def component_silhouette(found):
    """Silhouette of the composers in Figure 4: 1 separate, 0 mixed."""
    return float(silhouette_score(*components(found)))


def code_silhouette(found, name):
    """Silhouette of the composers among a model's test codes, by cosine distance."""
    _, test = found.set_of(name)
    return float(silhouette_score(found.codes[name][1], found.selection.labels[test], metric="cosine"))


def share_near_the_ends(found):
    """Share of cells of the VAE's mel reconstructions within 0.05 of 0 or 1."""
    image = reconstruct(found, "vae-mel", found.set_of("vae-mel")[1][:64])
    return float(np.mean((image < 0.05) | (image > 0.95)))


def reconstruct(found, name, rows):
    """What an autoencoder gives back for store rows (rows, bands, frames); the VAE from its means."""
    kind, _, representation = name.partition("-")
    networks, images = found.learners[name].networks, found.images[representation]
    codes = inference.outputs(networks["encoder"], images, rows)[:, : found.config.code_size]
    return inference.decoded(networks["decoder"], codes)


def first_vae_loss(found, representation):
    """Summed loss of the first batch of 32 before any training, from the means."""
    import keras

    name = f"vae-{representation}"
    keras.utils.set_random_seed(found.run.seed)
    networks = train.MODELS[name].build(found.config, found.store).networks
    return 32.0 * _vae_loss(found, networks, representation, found.set_of(name)[0][:32])


def vae_test_loss(found, representation):
    """Test loss per 32 clips, from the means, as the program prints it."""
    name = f"vae-{representation}"
    return 32.0 * _vae_loss(found, found.learners[name].networks, representation, found.set_of(name)[1])


def _vae_loss(found, networks, representation, rows):
    images, likelihood = found.images[representation], train.VAE_LIKELIHOOD[found.config.vae_likelihood]
    codes = inference.outputs(networks["encoder"], images, rows)
    mean, log_variance = np.split(codes, 2, axis=1)
    values = []
    for i in range(0, len(rows), 64):
        part = slice(i, i + 64)
        rebuilt = tf.constant(inference.decoded(networks["decoder"], mean[part]))
        reconstruction = likelihood(tf.constant(images[rows[part]]), rebuilt)
        values.append(reconstruction + losses.kl_divergence(mean[part], log_variance[part]))
    return float(np.mean(np.concatenate(values)))


def excess(images):
    """How far images leave (0, 1)."""
    return float(max(0.0, -images.min(), images.max() - 1.0))


def realism_difference(found):
    """Two-sample accuracy of ALI's images minus the VAE's, in percentage points; both as crops in decibels."""
    crop, mel = found.images["crop"], found.images["mel"]
    _, test = found.set_of("ali-128")
    real = crop.decibels(crop[test])[..., 0]
    ali = crop.decibels(measures.generated(found, "ali-128")[: len(real)])[..., 0]
    z = np.random.default_rng([found.run.seed, 16]).normal(size=(len(ali), found.config.code_size))
    decoded = inference.decoded(found.learners["vae-mel"].networks["decoder"], z)
    vae = mel.decibels(decoded[:, :32, 32:64])
    return 100.0 * (latent.two_sample_accuracy(ali, real) - latent.two_sample_accuracy(vae, real))
