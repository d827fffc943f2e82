"""The tools and the ends of a run, on features made up and networks whose answers are known."""

import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from common import audio, embedding, training
from common.errors import TrainingError
from papers.symphony2vec import (
    config as settings,
    data,
    embed,
    embeddings,
    evaluate,
    features,
    figures,
    hooks,
    inference,
    interpolate,
    judging,
    latent,
    measures,
    measuring,
    preprocess,
    sound,
    train,
)
from tests.papers.symphony2vec import made_up
from tests.papers.symphony2vec.toy import small, small_store

STORE = small_store()
CLIPS = {seen: STORE.arrays[seen][:3] for seen in settings.REPRESENTATIONS}


class Level(keras.Model):
    """Codes of an image: its mean level, twice that, and so on; as many as `size`."""

    def __init__(self, size):
        super().__init__()
        self.size = size

    def call(self, x, training=False):
        level = keras.ops.mean(x, axis=tuple(range(1, len(x.shape))))
        return level[:, None] * np.arange(1, self.size + 1, dtype="float32")


class Row(keras.Model):
    """Images (32, 32, 1) that hold the first value of a code."""

    def call(self, z, training=False):
        return z[:, :1, None, None] + keras.ops.zeros((1, 32, 32, 1))


@pytest.fixture
def run(monkeypatch):
    def load(entry, config, store, directory, seed):
        size = 2 * settings.MODELS[directory].latent_size if directory.startswith("ali") else 2 * config.code_size
        return training.Learner({"encoder": Level(size), "generator": Row()}, {})

    monkeypatch.setattr(training, "load", load)
    monkeypatch.setattr(preprocess, "recording_features", recording)
    return SimpleNamespace(config=small("sound"), seed=0, follow="sound", preset="full", model_directory=lambda n: n)


def recording(path, config):
    """Three clips of the toy store; the second recording is 20 dB softer than the first."""
    if path.name == "bad.mp3":
        raise ValueError("nothing but silence")
    if path.name == "gone.mp3":
        raise audio.AudioError("gone.mp3: no such file")
    softer = {"mel": CLIPS["mel"] - (20.0 if path.name == "b.mp3" else 0.0)}
    return CLIPS | softer


def images(run, name):
    return data.Images(run.config, STORE, data.select(run.config, STORE), name)


def test_embeddings_are_the_codes_of_every_clip_with_its_place(run):
    encode = embed.encoder("ali-128", run, STORE)
    files = [Path("a.mp3"), Path("bad.mp3"), Path("gone.mp3"), Path("b.mp3")]
    rows, problems = embedding.rows(files, partial(embed.codes, encode, run.config))
    assert problems == ["bad.mp3: nothing but silence", "gone.mp3: no such file"]
    assert [(str(path), clip, seconds) for path, clip, seconds, _ in rows] == [
        ("a.mp3", 0, 0.0), ("a.mp3", 1, 2.0), ("a.mp3", 2, 4.0), ("b.mp3", 0, 0.0), ("b.mp3", 1, 2.0),
        ("b.mp3", 2, 4.0)]  # fmt: skip
    codes = np.array([code for *_, code in rows])
    level = (1 + CLIPS["mel"][:, :32, 32:64] / 80).mean(axis=(1, 2))  # `sound` scales the crop to [0, 1]
    assert codes.shape == (6, 128)
    np.testing.assert_allclose(codes[:3, 0], level, rtol=1e-4)
    np.testing.assert_allclose(codes[3:, 1], 2 * (level - 0.25), rtol=1e-4)


@pytest.mark.parametrize("name, seen", [("vae", "mel"), ("vae-mfcc", "mfcc"), ("ae-chroma", "chroma")])
def test_autoencoders_embed_what_they_were_trained_on(name, seen, run):
    codes = embed.encoder(name, run, STORE)(CLIPS)
    scaled = images(run, seen).scale(CLIPS[seen])
    assert codes.shape == (3, 4 if name.startswith("vae") else 8)  # the means of the VAE
    np.testing.assert_allclose(codes[:, 0], scaled.mean(axis=(1, 2)), rtol=1e-3, atol=1e-6)


def test_principal_components_are_those_of_the_training_clips(run):
    codes = embed.encoder("pca-mel", run, STORE)(CLIPS)
    selection = data.select(run.config, STORE)
    fitted = embeddings.fit_pca(images(run, "mel"), selection.train, run.config, 0)
    flat = images(run, "mel")[np.arange(3)].reshape(3, -1)
    np.testing.assert_allclose(codes, (flat - fitted.mean_) @ fitted.components_.T, atol=1e-2)
    assert codes.shape == (3, 4)


@pytest.mark.parametrize("name", ["cnn-mel", "lstm", "alo-128"])
def test_what_gives_no_codes_is_refused_with_what_does(name, run):
    with pytest.raises(ValueError, match=f"^--model {name}: choose one of ") as caught:
        embed.encoder(name, run, STORE)
    known = {f"{kind}-{seen}" for kind in ("ae", "cae", "vae", "pca") for seen in settings.REPRESENTATIONS}
    named = str(caught.value).removeprefix(f"--model {name}: choose one of ").split(", ")
    assert named == sorted(known | {"ali-256", "ali-128", "ali-40"})  # no twins, which are measured alone


def test_the_path_leads_from_the_first_recording_to_the_second(run):
    options = interpolate.Options(points=5, between=(Path("a.mp3"), Path("b.mp3")))
    shown, t = interpolate.interpolate(options, run, STORE)
    level = float((1 + CLIPS["mel"][0, :32, 32:64] / 80).mean())
    np.testing.assert_allclose(t, [0, 0.25, 0.5, 0.75, 1])
    assert shown.shape == (5, 32, 32)  # the second is a quarter of the scale softer: 20 dB
    np.testing.assert_allclose(shown[:, 3, 7], 80 * (level - 1) - 20 * t, atol=1e-3)
    plain, t = interpolate.interpolate(interpolate.Options(points=3), run, STORE)
    np.testing.assert_allclose(plain[:, 0, 0], [-80, -40, 0], atol=1e-4)  # from the origin to all ones
    _, t = interpolate.interpolate(interpolate.Options(points=2), run, STORE)
    assert t.tolist() == [0.0, 1.0]
    for wrong, words in ((interpolate.Options(model="vae-mel"), "choose ali-256"),
                         (interpolate.Options(points=1), "two points or more")):
        with pytest.raises(ValueError, match=words):
            interpolate.interpolate(wrong, run, STORE)


def test_the_path_is_drawn_in_two_rows_and_heard_one_image_after_the_other(run, tmp_path, monkeypatch, capsys):
    drawn, heard = {}, {}
    monkeypatch.setattr(sys, "argv", ["interpolate", "--output", str(tmp_path / "a.path")])
    monkeypatch.setattr(interpolate.scripts, "open_tool", lambda *inputs: (run, STORE))
    monkeypatch.setattr(figures, "strip", lambda path, pictures, titles, rows: drawn.update(
        pictures=pictures, titles=titles, rows=rows))
    monkeypatch.setattr(sound, "from_decibels", lambda config, decibels: decibels)
    monkeypatch.setattr(audio, "write", lambda path, samples, rate: heard.update(path=path, samples=samples, rate=rate))
    assert interpolate.main() == 0
    assert len(drawn["pictures"]) == 16 and drawn["rows"] == 2 and drawn["titles"][:2] == ["0.00", "0.07"]
    assert heard["path"] == tmp_path / "a.path.wav" and heard["rate"] == 22050
    assert heard["samples"].shape == (32, 16 * 32) and "a.path.wav" in capsys.readouterr().out
    np.testing.assert_allclose(heard["samples"][5, ::32], np.linspace(-80, 0, 16), atol=1e-4)  # in the path's order


# A run's end


def outcomes(**found):
    return lambda directory: found.get(directory.replace("-", "_"), training.Outcome(5, True))


@pytest.mark.parametrize("of_ali, complete, step", [
    (training.Outcome(7, True), True, 12), (training.Outcome(7, False, {"stage": "part-1", "step": 3}), True, 12),
    (training.Outcome(7, False), False, 12), (None, False, 5)])
def test_a_run_is_complete_when_every_model_has_ended(of_ali, complete, step, run, monkeypatch):
    written, loaded = {}, []
    run.write_results = lambda store, results, media, notes, step, complete, learnt: written.update(
        results=results, notes=notes, step=step, complete=complete, learnt=learnt)
    monkeypatch.setattr(settings, "trained_models", lambda run: ["cnn-mel", "ali-128"])
    monkeypatch.setattr(training, "outcome", outcomes(ali_128=of_ali))
    monkeypatch.setattr(measuring, "load", lambda config, store, run, partial: loaded.append(partial))
    found = made_up.measured()
    found.missing["vae-mel"] = found.missing["perceptron-mfcc"] = "left out"
    monkeypatch.setattr(measuring, "measure", lambda trained: found)
    monkeypatch.setattr(figures, "media", lambda *arguments: [])
    evaluate.evaluate(run.config, STORE, run)
    assert loaded == [False]  # without `partial` every model must have ended
    assert (written["complete"], written["step"]) == (complete, step)
    assert written["results"]["Q3"]["value"] == pytest.approx(7.5) and written["learnt"]["ali-128"]["learnt"]
    assert written["notes"]["left out"] == ["vae-mel"] and written["notes"]["clips"] == {"train": 30, "test": 40}
    assert written["notes"]["split"] == "by_work"
    assert written["notes"]["permutation_p"]["ali-128"] == pytest.approx(measures.permutation_p(
        found.judged["ali-128"].predicted, found.judged["ali-128"].truth, 0))


def test_models_that_are_left_out_diverged_or_unfinished_are_missing_with_their_reason(run, monkeypatch):
    chosen = ["cnn-mel", "ali-128", "vae-mel", "ff-mel"]
    found = outcomes(ali_128=training.Outcome(3, False, {"stage": "part-2", "step": 4}), vae_mel=None,
                     ff_mel=training.Outcome(3, False))  # fmt: skip
    monkeypatch.setattr(training, "outcome", found)
    monkeypatch.setattr(training, "history", lambda directory: [directory])
    monkeypatch.setattr(settings, "trained_models", lambda run: chosen)
    trained = measuring.load(run.config, STORE, run, partial=True)
    assert set(trained.learners) == {"cnn-mel", "ff-mel"} and trained.history["ff-mel"] == ["ff-mel"]
    assert trained.missing["ali-128"] == "ali-128 diverged in part-2 at step 4"
    assert trained.missing["vae-mel"] == "vae-mel is not trained yet"
    assert trained.missing["ae-mel"] == "ae-mel is not trained in this mode by preset full"
    assert set(trained.missing) | set(trained.learners) == set(train.MODELS)
    assert trained.missing["ali-128-longer"] == "not trained: add --ablations"
    for name in ("vae-mel", "ff-mel"):
        monkeypatch.setattr(settings, "trained_models", lambda run, name=name: ["cnn-mel", name])
        with pytest.raises(TrainingError, match=f"{name}: not trained to its end"):
            measuring.load(run.config, STORE, run)


def test_what_is_measured_without_any_network(run):
    for follow in ("code", "sound"):
        config = small(follow)
        selection = data.select(config, STORE)
        seen = {name: data.Images(config, STORE, selection, name) for name in (*settings.REPRESENTATIONS, "crop")}
        trained = measuring.Trained(config, STORE, SimpleNamespace(seed=0, follow=follow), selection, seen)
        found = measuring.measure(trained)
        parts = len(selection.stages)
        assert found.parts == parts == (3 if follow == "code" else 1)
        beside = [judging.baselines(trained, selection.labels, *rows) for rows in selection.stages]
        assert found.part_baselines == beside
        for name, stage in (("cnn-mel", -1), ("ali-128", 0), ("vae-mel", -1)):
            assert found.trained_on[name].tolist() == selection.labels[selection.stages[stage][0]].tolist()
        assert found.trained_on["ff-chroma"].tolist() == selection.labels[selection.train].tolist()
        assert ("pca-mel-clips" in found.judged) == (follow == "sound") == ("pca-mel-dealt" in found.judged)
        assert set(found.judged) >= {"pca-mel", "pca-mfcc", "pca-chroma"}
        twins = {name for name, model in settings.MODELS.items() if model.kind == "pca" and model.own_split}
        reason = "the split of this mode is by clips already"
        assert found.missing == (dict.fromkeys(twins, reason) if follow == "code" else {})
        if follow == "code":
            assert found.clips_split is None
        else:  # as many clips on either side, but works on both
            assert [len(rows) for rows in found.clips_split] == [len(selection.train), len(selection.test)]
            assert set(selection.works[found.clips_split[0]]) & set(selection.works[found.clips_split[1]])
        rows = np.union1d(selection.train, selection.test)
        flat = seen["mel"][rows].reshape(len(rows), -1)
        spread = np.linalg.svd(flat - flat.mean(axis=0), compute_uv=False) ** 2
        assert found.explained["mel"] == pytest.approx(spread[:2] / spread.sum(), rel=1e-2)
        assert set(found.components) == set(settings.REPRESENTATIONS)
        for name, (points, labels, works) in found.components.items():
            flat = seen[name][rows].reshape(len(rows), -1)
            spread = np.linalg.svd(flat - flat.mean(axis=0), compute_uv=False)
            assert np.linalg.norm(points, axis=0) == pytest.approx(spread[:2], rel=1e-2)  # of this representation
            assert labels.tolist() == selection.labels[rows].tolist()
            assert works.tolist() == selection.works[rows].tolist()
        trains = np.unique(selection.train)[: trained.config.latent_samples]
        crops = np.stack([seen["crop"][trains][:, i, j, 0] for i, j in ((0, 0), (31, 5))])
        assert found.deviation_of_data.shape == (32, 32, 1)
        assert found.deviation_of_data[[0, 31], [0, 5], 0] == pytest.approx(crops.std(axis=1))
        assert found.samples["data"].min() >= -80.1 and found.samples["data"].max() <= 0.1
        mean, deviation = seen["mel"].mean, seen["mel"].deviation
        assert found.limits == pytest.approx((mean, mean + deviation))


# Parts of measuring


def test_a_first_loss_is_that_of_one_batch_of_32(run, monkeypatch):
    trained = SimpleNamespace(run=run, config=run.config, store=STORE, rows=lambda name: (np.arange(40), np.arange(3)))
    asked, seeds = [], []
    monkeypatch.setattr(keras.utils, "set_random_seed", seeds.append)
    monkeypatch.setattr(measuring, "_vae_loss", lambda trained, networks, name, rows: asked.append(len(rows)) or 2.0)
    trained.learners = {"vae-mel": training.Learner({}, {})}
    assert measuring.first_vae_loss(trained, "vae-mel") == 64.0 == measuring.vae_test_loss(trained, "vae-mel")
    assert asked == [32, 3] and seeds == [run.seed]  # the untrained networks are those that training began with


class Straight(keras.Model):
    """The mean level of an image as mean, 0 as log variance."""

    def call(self, x, training=False):
        level = keras.ops.mean(x, axis=(1, 2))[:, None]
        return keras.ops.concatenate([level, 0.0 * level], axis=1)


class Blank(keras.Model):
    """Images (2, 3) of a code's value."""

    def call(self, z, training=False):
        return z[:, :, None] * keras.ops.ones((1, 2, 3))


def test_the_loss_of_the_vae_is_a_mean_over_all_its_clips():
    images, rows = np.zeros((80, 2, 3), "float32"), np.arange(79, 9, -1)  # seventy clips, from the last one back
    images[rows] = (np.arange(70) / 10.0)[:, None, None]
    images[rows, 0, 0] += 1.0
    networks = {"encoder": Straight(), "decoder": Blank()}
    trained = SimpleNamespace(config=small("sound"), images={"mel": images})
    # Rebuilt is the mean level, l + 1/6: the squared error is 25/36 + 5/36; the divergence half the squared level.
    level = np.arange(70) / 10 + 1 / 6
    by_hand = 0.5 * (30 / 36 + 6 * np.log(2 * np.pi)) + 0.5 * np.mean(level**2)
    assert measuring._vae_loss(trained, networks, "vae-mel", rows) == pytest.approx(by_hand, rel=1e-5)


class Among(keras.Model):
    """Of every row the mean of its batch; in training mode twice that."""

    def call(self, x, training=False):
        mean = keras.ops.mean(x) * (2.0 if training else 1.0)
        return mean + 0.0 * x[:, 0, :1]


def test_outputs_come_batch_by_batch_in_the_order_that_was_asked():
    images = np.arange(6.0, dtype="float32")[:, None, None] * np.ones((1, 1, 72), "float32")
    rows = np.array([5, 0, 1, 2, 4])
    found = inference.outputs(Among(), images, rows, 2)
    assert found[:, 0].tolist() == [2.5, 2.5, 1.5, 1.5, 4.0]
    assert inference.outputs(Among(), images, rows, 2, training=True)[:, 0].tolist() == [5.0, 5.0, 3.0, 3.0, 8.0]
    codes = np.arange(5.0)[:, None, None]
    assert inference.decoded(Among(), codes, 4)[:, 0].tolist() == [1.5] * 4 + [4.0]
    assert inference.decoded(Among(), codes, 4, training=True)[:, 0].tolist() == [3.0] * 4 + [8.0]


def test_pieces_of_the_lstm_come_in_the_programs_batches_of_32():
    images = np.ones((21, 1, 87), "float32")
    images[1:, :, 36:] = 2.0  # of the second piece; that of the first clip, which is not asked for, is 1
    logits, labels = inference.chunk_outputs(Among(), images, np.arange(21), np.arange(20, 0, -1), 36)
    # Twenty first pieces of 1, then twenty second ones of 2: the first batch holds twelve of these.
    assert logits[:, 0].tolist() == [(20 + 2 * 12) / 32] * 32 + [2.0] * 8
    assert labels.tolist() == [*range(20, 0, -1)] * 2


def test_panels_are_drawn_from_their_own_darkest_to_their_own_brightest():
    panels = np.zeros((3, 32, 32))
    panels[0, 0, :2], panels[1] = (-3.0, 1.0), 5.0
    panels[2] = np.linspace(-8, -4, 1024).reshape(32, 32)
    found = measures.panel_scale(panels)
    assert found[0, 0, :3].tolist() == [0.0, 1.0, 0.75] and not found[1].any()
    np.testing.assert_allclose(found[2].ravel(), np.linspace(0, 1, 1024))


def test_directions_are_walked_from_the_origin_to_the_length_of_a_typical_latent(run, monkeypatch):
    slopes = latent.direction_slopes(training.Learner({"generator": Row()}, {}), run.config, 128, 6)
    first = np.random.default_rng([0, 14]).normal(size=(6, 128))[:, 0]
    assert slopes.tolist() == np.sign(first).tolist()  # the level is the first coordinate, t times its direction
    made = []
    monkeypatch.setattr(latent, "generate", lambda learner, z, config: made.append(z) or np.zeros((16, 2, 2, 1)))
    latent.direction_slopes(None, run.config, 100, 2)
    assert len(made) == 2
    for z in made:
        np.testing.assert_allclose(np.linalg.norm(z, axis=1), np.linspace(0, 10, 16), atol=1e-9)


def test_samples_are_as_many_as_asked_and_the_same_every_time(run):
    config = small("sound", latent_samples=2000)
    learner = training.Learner({"generator": Row()}, {})
    found = latent.samples(learner, 8, config)
    np.testing.assert_array_equal(found, latent.samples(learner, 8, config))
    assert found.shape == (2000, 32, 32, 1)
    assert found[:, 0, 0, 0].mean() == pytest.approx(0, abs=0.1)
    assert found[:, 0, 0, 0].std() == pytest.approx(1, abs=0.1)


class Spread(keras.Model):
    """Images of a latent's first value; in training mode those of nothing."""

    def call(self, z, training=False):
        return 0.0 * z if training else z


def test_the_watch_sees_what_the_generator_makes_after_training():
    learner = training.Learner({"generator": Spread()}, {})
    latents = np.float32([[0.0], [3.0]])
    assert hooks.watch(latents, 1.5, learner)["metrics/spread_of_generated"] == pytest.approx(2.0)


def test_shares_and_excess_of_values():
    values = np.array([-0.5, 0.0, 0.04, 0.06, 0.94, 0.96, 1.0, 1.25])
    assert measures.share_near_the_ends(values) == 6 / 8 and measures.share_beyond(values) == 4 / 8
    assert measures.excess(values) == 0.5 and measures.excess(values[1:]) == 0.25 and measures.excess(values[1:5]) == 0


def test_entropy_and_softmax_of_known_shares():
    assert measures.entropy(np.array([0, 0, 3, 3])) == pytest.approx(np.log(2))
    found = measures.softmax(np.log([[1.0, 3.0], [2.0, 2.0]]))
    np.testing.assert_allclose(found, [[0.25, 0.75], [0.5, 0.5]])
    np.testing.assert_allclose(measures.cross_entropies(np.log([[1.0, 3.0], [2e9, 2e9]]), [1, 0]),
                               [-np.log(0.75), np.log(2)])
    far = np.array([[0.0, 1000.0]])  # beyond what exp can take
    assert measures.softmax(far).tolist() == [[0.0, 1.0]]
    assert [measures.cross_entropies(far, [label])[0] for label in (0, 1)] == [1000.0, 0.0]


# Preprocessing


def test_the_disk_is_asked_for_sixty_clips_a_recording(monkeypatch):
    asked = {}
    monkeypatch.setattr(preprocess, "find_corpus", lambda *arguments: "corpus")
    monkeypatch.setattr(preprocess.store, "prepare",
                        lambda corpus, recipe, stores, build, each: asked.update(each=each))
    preprocess.preprocess(settings.Config(), None, "smoke", Path("stores"))
    assert asked["each"] == 60 * 4 * 431 * (12 + 13 + 64)


def test_a_clip_is_ten_seconds_at_22050_hertz():
    assert features.clips(np.zeros(441_000)).shape == (2, 220_500)
    assert features.clips(np.zeros(440_999)).shape == (1, 220_500)
