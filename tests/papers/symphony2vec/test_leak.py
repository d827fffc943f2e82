"""Clips of one work on both sides of the split: twins that differ in it alone, dealt composers, table, intervals."""

from types import SimpleNamespace

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest

from common import intervals, plots, training
from papers.symphony2vec import config as settings, data, judging, leak, measures, train
from papers.symphony2vec.findings import FINDINGS
from tests.papers.symphony2vec import made_up
from tests.papers.symphony2vec.test_measured import empty, trained_of
from tests.papers.symphony2vec.toy import small, small_store

STORE = small_store(works=6)


def held_out(follow, seed, **changes):
    return data.select(small(follow, **changes), STORE, seed).test.tolist()


def test_each_seed_holds_out_other_works_in_sound_alone():  # split_drawn
    other = {follow: held_out(follow, 0) != held_out(follow, 1) for follow in ("code", "paper", "sound")}
    assert other == {"code": False, "paper": False, "sound": True}
    assert held_out("sound", 1) == held_out("sound", 0, split_seed=18) == held_out("sound", 1)
    parts = [data.parts(small("sound"), STORE, "mel", seed)[0].test.tolist() for seed in (0, 1)]
    assert parts == [held_out("sound", 0), held_out("sound", 1)]
    stages = [train.MODELS[name].stages(small("sound"), STORE, 1)[0] for name in ("cnn-mel", "ae-mel", "ali-40")]
    trained = np.setdiff1d(np.arange(len(STORE.index)), held_out("sound", 1))
    for stage in stages:
        found = stage.batches.read(np.arange(len(trained)))["x"]
        seen = "crop" if found.shape[1] == 32 else "mel"
        config = small("sound")
        images = data.Images(config, STORE, data.select(config, STORE, 1), seen)
        np.testing.assert_array_equal(found, images[trained])


def test_every_row_of_the_tables_has_its_twins():
    changes = {"clips": {"split": "clips_as_by_work"}, "dealt": {"composers": "dealt"},
               "clips-dealt": {"split": "clips_as_by_work", "composers": "dealt"}}  # fmt: skip
    for name in settings.TABLES:
        for word, change in changes.items():
            twin = settings.MODELS.get(f"{name}-{word}")
            if word != "clips" and settings.MODELS[name].kind not in settings.SUPERVISED:
                assert twin is None  # its training sees no composer: the regression on the codes alone is made anew
                continue
            assert dict(twin.changes) == change and twin.own_split
            assert twin.name.startswith(twin.of) and twin.representation == settings.MODELS[name].representation
    trained = settings.trained_models(SimpleNamespace(follow="sound", preset="full"))
    assert set(settings.LEAK) < set(trained) and set(settings.DEMO_LEAK) < set(settings.LEAK)
    for follow in ("code", "paper"):
        assert not set(settings.LEAK) & set(settings.trained_models(SimpleNamespace(follow=follow, preset="full")))


def test_a_dealt_twin_trains_on_the_same_clips_under_other_names():
    config = small("sound")
    own, dealt = (train.MODELS[name].stages(settings.MODELS[name].settings(config), STORE, 0)[0].batches
                  for name in ("cnn-mel", "cnn-mel-dealt"))  # fmt: skip
    one, two = own.read(np.arange(own.size)), dealt.read(np.arange(dealt.size))
    np.testing.assert_array_equal(one["x"], two["x"])
    assert (one["label"] != two["label"]).any()
    works = data.select(config, STORE).works[data.select(config, STORE).train]
    assert all(len(set(two["label"][works == work])) == 1 for work in works)


def test_codes_that_name_the_work_name_dealt_composers_only_where_works_are_on_both_sides():
    trained = trained_of("sound", small_store(works=6))
    _, work = np.unique(trained.selection.works, return_inverse=True)
    codes, accuracy = 10.0 * np.eye(work.max() + 1)[work], {}
    for name in ("pca-mel", "pca-mel-clips"):
        found, (rows, test) = empty(trained), trained.rows(name)
        judging.regress(trained, found, name, codes[rows], codes[test], rows, test)
        accuracy[name] = found.judged[f"{name}-dealt"]
        assert set(accuracy[name].baselines) == {"majority", "loudness"}
    assert accuracy["pca-mel-clips"].accuracy > 90 > 60 > accuracy["pca-mel"].accuracy
    untrained = empty(trained)
    judging.regress(trained, untrained, "untrained", codes[rows], codes[test], rows, test)
    assert "untrained-dealt" not in untrained.judged  # no row of a table


def test_a_classifier_of_dealt_composers_is_judged_by_them():
    trained = trained_of("sound")
    model, own = settings.MODELS["cnn-mel-dealt"], trained.selection.labels
    dealt = trained.selection_of(model.name).labels
    assert not np.array_equal(own, dealt)
    rows, test = trained.rows(model.name)
    assert rows.tolist() == trained.rows("cnn-mel")[0].tolist()  # the very split of the composers themselves
    answers = keras.Sequential([keras.layers.Input((64, 87)), keras.layers.Flatten(), keras.layers.Dense(3)])
    answers.layers[-1].set_weights([np.zeros((64 * 87, 3)), 9.0 * np.eye(3)[dealt[test[0]]]])
    trained.learners[model.name] = training.Learner({"classifier": answers}, {})
    found = empty(trained)
    judging.judge_model(trained, found, model)
    assert found.judged[model.name].accuracy == pytest.approx(100 * np.mean(dealt[test] == dealt[test[0]]))


def test_the_difference_of_means_over_other_items_of_shared_groups():
    one = measures.difference_by_group([1.0, 1.0, 0.0], ["a", "a", "b"], [0.0, 1.0, 1.0], ["a", "b", "b"])
    assert one["value"] == pytest.approx(0) and one["groups"]["names"] == ["a", "b"]
    # 2 (1/3 + 1/3) / 3 of a's in the first mean, 2 (2/3) / 3 in the second.
    assert one["groups"]["values"] == pytest.approx([8 / 9, -8 / 9]) and one["groups"]["weights"] == [1, 1]
    back = measures.difference_by_group([0.0, 1.0, 1.0], ["a", "b", "b"], [1.0, 1.0, 0.0], ["a", "a", "b"])
    assert back["groups"]["values"] == pytest.approx([-8 / 9, 8 / 9])
    # As far as a bootstrap over groups varies.
    random = np.random.default_rng(0)
    groups, shift = np.repeat(np.arange(40), 6), np.repeat(random.normal(size=40), 6)
    first = shift + random.normal(size=240)
    held = groups < 20
    second = shift[held] + random.normal(size=120)
    entry = measures.difference_by_group(first, groups.astype(str), second, groups[held].astype(str))
    low, high = intervals.of_groups([entry["groups"]])
    draws = []
    for _ in range(500):
        many = random.multinomial(40, np.full(40, 1 / 40))
        draws.append(np.average(first, weights=many[groups]) - np.average(second, weights=many[groups[held]]))
    assert (high - low) / 2 == pytest.approx(1.96 * np.std(draws), rel=0.3)


def test_the_table_of_the_leak_holds_both_splits_and_the_baselines():
    measured = made_up.measured()
    measured.judged["cnn-mel-clips"].baselines |= {"loudness": 32.5}
    made = leak.table(measured, leak.rows(measured))
    assert len(made["rows"]) == len(settings.TABLES) == 26 and len(made["columns"]) == len(made["rows"][0])
    row = next(row for row in made["rows"] if row[0] == "CNN, mel-spectrogram")
    dealt = [f"{measured.judged[f'cnn-mel{word}'].accuracy:.1f}" for word in ("-dealt", "-clips-dealt")]
    assert row == [row[0], "77.5", "85.0", *dealt, "7.5", "–", "25.0", "30.0", "32.5"]  # no interval of four works
    del measured.judged["cnn-mel-dealt"]
    row = next(row for row in leak.table(measured, leak.rows(measured))["rows"] if row[0] == "CNN, mel-spectrogram")
    assert row[3] == "–"
    shares = leak.shares(made_up.measured(False))["rows"]
    assert [row[1] for row in shares] == ["0.200", "0.500", "0.200", "0.500"]


def test_an_interval_of_enough_works_stands_in_the_table(monkeypatch):
    monkeypatch.setattr(leak.intervals, "of_groups", lambda groups: (1.26, 9.84))
    measured = made_up.measured()
    assert leak.table(measured, ["cnn-mel"])["rows"][0][6] == "1.3 to 9.8"
    del measured.judged["ff-mel-clips"], measured.judged["vae-mel"]
    assert set(settings.TABLES) - set(leak.rows(measured)) == {"ff-mel", "vae-mel"}  # judged under both splits or not


def test_shares_are_those_of_each_set():
    measured = made_up.measured()
    sets = [np.flatnonzero(made_up.LABELS == label) for label in range(4)]
    measured.train, measured.test, measured.clips_split = sets[0], sets[1], (sets[2], np.r_[sets[3], sets[2]])
    assert leak.shares(measured)["rows"] == [
        ["training, whole works", "1.000", "0.000", "0.000", "0.000", "0.000"],
        ["training, any clips", "0.000", "0.000", "1.000", "0.000", "0.000"],
        ["test, whole works", "0.000", "1.000", "0.000", "0.000", "0.000"],
        ["test, any clips", "0.000", "0.000", "0.500", "0.500", "0.000"]]  # fmt: skip


@pytest.fixture
def drawn(monkeypatch):
    """Drawings that were saved, which stay open until the test ends."""
    kept = []
    monkeypatch.setattr(plots, "save", lambda drawing, path: kept.append(drawing) or path)
    yield kept
    for drawing in kept:
        plt.close(drawing)


def test_the_picture_joins_a_rows_two_splits_and_draws_dealt_composers_as_rings(drawn, tmp_path):
    measured = made_up.measured()
    measured.judged["ff-mel"].baselines = {"majority": 45.0, "loudness": 50.0}  # CNN's: 25 and 30
    leak.picture(tmp_path / "leak.png", measured, ["ff-mel", "cnn-mel"])
    axes = drawn[0].axes[0]
    joined, *dots = axes.collections
    # Right answers of 40: FF 30 and with any clips 37, CNN 31 and 34; dealt 9, 14 and 5, 15. The first row is on top.
    assert [one.tolist() for one in joined.get_segments()] == [[[75, 1], [92.5, 1]], [[77.5, 0], [85, 0]]]
    assert {one.get_label(): one.get_offsets().tolist() for one in dots} == {
        "whole works": [[75, 1], [77.5, 0]], "any clips": [[92.5, 1], [85, 0]],
        "whole works, dealt": [[22.5, 1], [12.5, 0]], "any clips, dealt": [[35, 1], [37.5, 0]]}
    colors = [tuple(one.get_edgecolors()[0]) for one in dots]
    assert colors[:2] == colors[2:] and colors[0] != colors[1]  # a colour is a split
    assert [len(one.get_facecolors()) for one in dots] == [1, 1, 0, 0]
    assert {line.get_label(): line.get_xdata()[0] for line in axes.lines} == {
        "commonest composer or chance": 35.0, "loudness alone": 40.0}
    assert axes.get_yticks().tolist() == [1, 0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["feed-forward, mel-spectrogram",
                                                                      "CNN, mel-spectrogram"]
    assert [len(legend.get_texts()) for legend in drawn[0].legends] == [6]
    low, high = axes.get_ylim()
    assert low < 0 and high > 1  # no row is cut off


def test_the_section_is_there_where_both_splits_were_judged(drawn, tmp_path):
    run = SimpleNamespace(figure=lambda name: tmp_path / name, relative=str)
    trained, measured = SimpleNamespace(run=run), made_up.measured()
    made = leak.section(trained, measured)
    assert [item["kind"] for item in made["items"]] == ["figure", "table", "table"] and made["text"]
    claims = made["items"][0]["claims"]
    assert len(claims) == 3 * 26 and set(claims) < set(FINDINGS)
    assert {"L-CNN-mel", "L-dealt-clips-CNN-mel", "L-dealt-works-CNN-mel"} < set(claims)
    measured.judged = {"cnn-mel": measured.judged["cnn-mel"]}
    assert leak.section(trained, measured)["items"] == []
    measured = made_up.measured()
    measured.clips_split = None
    assert leak.section(trained, measured)["items"] == []
    assert len(drawn) == 1


def test_rows_are_called_by_their_model_and_what_it_sees():
    names = {name: leak.title(name) for name in ("ali-40", "ali-128-clips", "ff-32", "encoder-32", "pca-mfcc")}
    assert names == {"ali-40": "ALI-40", "ali-128-clips": "ALI-128", "ff-32": "feed-forward, crop",
                     "encoder-32": "ALI's encoder, classifier, crop", "pca-mfcc": "PCA, MFCC"}  # fmt: skip
