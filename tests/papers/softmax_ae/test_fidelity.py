"""Section 9 of the dossier, item by item. Items that need GTZAN itself are marked and never counted as passed."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from common import config as configuration, corpora, training
from papers.softmax_ae import (
    config as settings,
    data as segments,
    facts,
    losses,
    model,
    preprocess,
    train,
    variants,
)
from tests.papers.softmax_ae import small

CONFIG = settings.Config()


def fake_store(tracks=100, segments=20, classes=settings.GENRES, groups=None):
    """A store's index for `tracks` tracks a class, without files."""
    rows = [{"item": f"{name}.{t:05d}-{j:02d}", "path": f"{name}.{t:05d}", "label": name,
             "group": (groups or {}).get(f"{name}.{t:05d}", f"{name}.{t:05d}")}
            for name in classes for t in range(tracks) for j in range(segments)]
    held = type("FakeStore", (), {})()
    held.index, held.parameters = rows, {"facts": {"classes": list(classes)}}
    return held


# 1

def test_item_1_pipeline_on_a_ramp():
    ramp = np.arange(661_500, dtype=np.float64)
    assert len(preprocess.pool(ramp[:600_000], 40)) == 15_000
    out = preprocess.segments(ramp, CONFIG)
    assert out.shape == (20, 500) and out.dtype == np.float32
    assert out[0, 0] == np.mean(np.arange(40))
    assert out[-1, -1] == np.float32(np.mean(np.arange(399_960, 400_000)))
    changed = ramp.copy()
    changed[400_000:] = -1
    np.testing.assert_array_equal(preprocess.segments(changed, CONFIG), out)


@pytest.mark.parametrize("samples, expected", [(399_999, 19), (400_000, 20), (20_000, 1), (19_999, 0), (65_536, 3)])
def test_item_1_short_files_give_whole_segments_only(samples, expected):
    assert preprocess.segments(np.ones(samples), CONFIG).shape == (expected, 500)


# 2

@pytest.mark.parametrize("rule, sizes", [("P1", (6000, 1000, 1000)), ("P2", (6000, 2000, 0)),
                                         ("T1", (6000, 1000, 1000))])
def test_item_2_split_sizes(rule, sizes):
    parts, note = segments.split(fake_store(), rule, seed=3)
    assert tuple(len(parts[p]) for p in ("train", "dev", "test")) == sizes and not note
    assert len(np.unique(np.concatenate(list(parts.values())))) == 8000


def test_item_2_track_split_shares_no_track_and_no_duplicate_pair():
    groups = {f"{g}.{b:05d}": f"{g}.{a:05d}" for g, a, b in
              [("jazz", 33, 51), ("jazz", 34, 53), ("metal", 40, 61), ("metal", 40, 62), ("pop", 15, 22)]}
    for seed in range(5):
        held = fake_store(groups=groups)
        parts, _ = segments.split(held, "T1", seed)
        where = {held.index[i]["group"]: part for part, rows in parts.items() for i in rows}
        for part, rows in parts.items():
            assert {where[held.index[i]["group"]] for i in rows} == {part}
    a, b = (segments.split(fake_store(), "T1", seed)[0]["test"] for seed in (0, 1))
    assert not np.array_equal(a, b)


def test_item_2_a_class_with_one_track_is_split_in_time_with_a_gap():
    parts, note = segments.split(fake_store(tracks=1), "T1", seed=0)
    assert "split in time" in note
    for code in range(4):
        mine = {p: [i for i in r if i // 20 == code] for p, r in parts.items()}
        assert max(mine["train"]) + 1 < min(mine["dev"]) and max(mine["dev"]) + 1 < min(mine["test"])


@pytest.mark.parametrize("seed", range(3))
def test_recordings_of_many_clips_are_dealt_out_whole_where_none_fits(seed):
    groups = {f"{name}.{t:05d}": f"{name} {t // 4}" for name in settings.GENRES for t in range(12)}
    held = fake_store(tracks=12, groups=groups)
    parts, note = segments.split(held, "T1", seed)
    of = {part: {held.index[i]["group"] for i in rows} for part, rows in parts.items()}
    assert not note and {part: len(names) for part, names in of.items()} == {"train": 4, "dev": 4, "test": 4}
    assert set.union(*of.values()) == set(groups.values())
    assert all({name.split()[0] for name in names} == set(settings.GENRES) for names in of.values())


def test_a_split_that_leaves_nothing_to_judge_is_refused():
    with pytest.raises(corpora.DataError, match="nothing is left for dev and test"):
        segments.split(fake_store(tracks=1, segments=4), "T1", seed=0)


def test_clips_of_one_recording_are_one_recording():
    held = small.store(*small.tones(tracks=4, segments_a_track=4))
    for row in held.index:
        row["path"], row["group"] = row["path"] + " clip", "song of " + row["path"]
    data = segments.load_data(small.config("sound"), held, 0)
    assert set(data.tracks) == {row["group"] for row in held.index}


def test_item_2_filtered_split_has_the_published_sizes():
    held = fake_store()
    parts, _ = segments.split(held, "T2", seed=0)
    counts = {p: tuple(len({held.index[i]["path"] for i in r if held.index[i]["label"] == g}) for g in settings.GENRES)
              for p, r in parts.items()}
    assert counts == {"train": (48, 43, 44, 41), "dev": (20, 17, 20, 13), "test": (31, 27, 27, 30)}


@pytest.mark.needs_data("gtzan")
def test_item_2_published_corpus_gives_8000_examples(published, tmp_path):
    held = preprocess.preprocess(CONFIG, published("gtzan"), "full", tmp_path)
    counts = {name: sum(r["label"] == name for r in held.index) for name in settings.GENRES}
    assert sum(counts.values()) in (8000, 7980) and set(counts.values()) <= {2000, 1980}


# 3, 4

def test_item_3_parameters():
    encoder, decoder, classifier = model.encoder(), model.decoder(), model.classifier()
    assert model.two_layer().count_params() == 64_644
    assert (encoder.count_params(), decoder.count_params(), classifier.count_params()) == (210_560, 210_996, 2_676)
    assert encoder.count_params() + decoder.count_params() == 421_556
    assert encoder.count_params() + decoder.count_params() + classifier.count_params() == 424_232
    rows = [layer.count_params() for network in (encoder, decoder, classifier) for layer in network.layers
            if layer.count_params()]
    assert rows == [128_256, 49_344, 24_704, 8_256, 8_320, 24_768, 49_408, 128_500, 2_080, 528, 68]
    assert variants.shallow_autoencoder().count_params() == 289_844
    assert variants.shallow_autoencoder(bottleneck=128).count_params() == 322_676
    assert variants.single_hidden_autoencoder().count_params() == 64_564


def test_item_4_shapes_and_signs():
    x = np.random.default_rng(0).normal(size=(7, 500)).astype("f4")
    z = model.encoder()(x).numpy()
    logits = model.classifier()(z).numpy()
    x_hat = model.decoder()(z).numpy()
    assert z.shape == (7, 64) and (z >= 0).all()
    assert logits.shape == (7, 4) and not np.allclose(np.exp(logits).sum(axis=1), 1)
    assert x_hat.shape == (7, 500) and (x_hat >= 0).all()
    assert (model.decoder(output="linear")(z).numpy() < 0).any()


# 5, 6

def test_item_5_cross_entropy_of_zero_weights_is_ln_4():
    loss = losses.cross_entropy(np.array([0, 1, 2, 3]), np.zeros((4, 4), "f4")).numpy()
    np.testing.assert_allclose(loss, np.log(4), rtol=1e-6)


@pytest.mark.needs_data("gtzan")
def test_item_5_loss_milestones_of_the_logs(published, tmp_path):
    config = configuration.resolve(settings, "code", "full", {"epochs": 20})
    held = preprocess.preprocess(dataclasses.replace(config, ablations=False), published("gtzan"), "full", tmp_path)
    one = dataclasses.replace(config, epochs=1)
    training.train("two_layer", train.MODELS["two_layer"], one, held, tmp_path / "2", 0)
    assert training.history(tmp_path / "2")[0]["losses/total"] == pytest.approx(1.398, abs=0.03)
    training.train("deep_softmax", train.MODELS["deep_softmax"], config, held, tmp_path / "d", 0)
    losses = [line["losses/total"] for line in training.history(tmp_path / "d")]
    assert 0.170 <= losses[0] <= 0.196
    assert losses[9] == pytest.approx(0.1501, abs=0.0008)


def test_item_6_the_sum_is_500_times_the_mean():
    x = np.random.default_rng(0).normal(size=(8, 500)).astype("f4")
    np.testing.assert_allclose(losses.reconstruction_sum(x, 0 * x), np.square(x).sum(axis=1), rtol=1e-5)
    np.testing.assert_allclose(losses.reconstruction_mean(x, 0 * x), np.square(x).mean(axis=1), rtol=1e-5)


# 7, 8

def test_item_7_steps_per_epoch():
    batches = training.Batches(6000, CONFIG.batch_size, None, training.fixed(6000, 0))
    assert batches.steps_per_epoch == 12 and 200 * batches.steps_per_epoch == 2400
    assert [len(batches.indices(i)) for i in range(12)] == [512] * 11 + [368]
    assert np.array_equal(batches.indices(0), batches.indices(12))  # the program's batches are the same in every epoch


@pytest.mark.parametrize("examples, size, batches", [(6000, 512, 12), (5985, 512, 12), (5632, 469, 13),
                                                     (1440, 120, 12), (8000, 512, 16), (25, 2, 13), (7, 1, 7)])
def test_fewer_examples_make_smaller_batches_and_no_fewer_updates(examples, size, batches):
    data = SimpleNamespace(x=np.zeros((examples, 1)), y=np.zeros(examples))
    feed = train.batches(data, np.arange(examples), CONFIG, 0)
    assert (feed.batch_size, feed.steps_per_epoch) == (size, batches)


def test_item_8_dropout_at_two_places_only():
    networks = [model.encoder(), model.decoder(), model.classifier(), model.two_layer()]
    places = [layer.name for n in networks for layer in n.layers if isinstance(layer, training.Dropout)]
    assert places == ["encoder_dropout", "decoder_dropout"]
    assert not [layer for n in networks for layer in n.layers if isinstance(layer, keras.layers.Dropout)]


# 9

@pytest.mark.needs_data("gtzan")
@pytest.mark.parametrize("follow, bands", [
    ("code", {"two_layer": ((0.52, 0.02), (0.38, 0.03)), "deep_softmax": ((0.85, 0.03), (0.61, 0.04))}),
    ("paper", {"deep_softmax": (None, (0.65, 0.04))})])
def test_item_9_accuracy_bands(published, tmp_path, follow, bands):
    config = configuration.resolve(settings, follow, "full", {"ablations": False})
    held = preprocess.preprocess(config, published("gtzan"), "full", tmp_path)
    for name, (in_epoch, held_out) in bands.items():
        training.train(name, train.MODELS[name], config, held, tmp_path / name, 0)
        last = training.history(tmp_path / name)[-1]
        if in_epoch:
            assert last["metrics/train_accuracy_in_epoch"] == pytest.approx(in_epoch[0], abs=in_epoch[1])
        assert last["metrics/dev_accuracy"] == pytest.approx(held_out[0], abs=held_out[1])


# 10, 12

def test_item_10_table_2_by_integers():
    assert np.mean([row[1] for row in facts.PRINTED.values()]) == pytest.approx(0.641, abs=1e-9)
    for precision, recall, f1 in facts.PRINTED.values():
        assert 2 * precision * recall / (precision + recall) == pytest.approx(f1, abs=0.0006)
    found = facts.feasible(1000)
    assert sorted(found) == [624, 627, 629, 630, 631, 645, 646, 648, 650, 652, 654, 656, 657, 662]
    assert facts.margins(1000, 653) == 0
    assert sorted(facts.feasible(1000, 205, 295)) == [645, 646]
    plausible = facts.feasible(2000, 420, 579)
    assert plausible[1282] == 112 and 1306 not in plausible


def test_item_12_duplicate_list():
    path = Path(corpora.__file__).parent / "known" / "gtzan_duplicates.csv"
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    assert {g: sum(line.startswith(g) for line in lines) for g in ("jazz", "metal", "pop")} == {
        "jazz": 13, "metal": 8, "pop": 9}


# The frame's demands on a paper

def test_no_mode_word_in_model_or_train():
    import inspect

    for module in (model, train):
        for word in ("follow", '"sound"', '"code"', "preset"):
            source = inspect.getsource(module).replace("--follow code", "")
            assert word not in source, f"{module.__name__} speaks of {word}"
