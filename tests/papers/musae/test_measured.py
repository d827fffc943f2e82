"""What is measured, and on what: with networks replaced by arithmetic, so that every array is known beforehand."""

import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pytest

from papers.musae import data, edit, inference, measured as measuring, measures, prior, rewrite, sample, tool, train
from papers.musae.tokens import HOLD, SILENT
from tests.papers.musae.toy import ToyStore, settings


class Arithmetic:
    """A learner whose code is the first tokens of the four tracks, and whose answer is the code in every step."""

    def __init__(self, name="trained", steps=4):
        self.name, self.steps, self.seen = name, steps, []


@pytest.fixture(autouse=True)
def arithmetic(monkeypatch):
    def encode(learner, tokens, rng=None):
        learner.seen.append(np.array(tokens))
        mean = np.asarray(tokens)[:, 0].astype(np.float32)
        return mean if rng is None else mean + rng.normal(size=mean.shape)

    def decode_tokens(learner, z):
        answer = np.rint(z[:, :4]) if learner.name == "trained" else np.full((len(z), 4), 99)
        return np.repeat(np.clip(answer, 0, HOLD)[:, None].astype(np.int32), learner.steps, axis=1)

    monkeypatch.setattr(inference, "encode", encode)
    monkeypatch.setattr(inference, "decode_tokens", decode_tokens)
    monkeypatch.setattr(inference, "answers", lambda learner, z, steps: decode_tokens(learner, z))


def test_music_vae_is_measured_by_its_own_answers(reconstructed, monkeypatch):
    """The truth before each step is a baseline beside them."""
    monkeypatch.setattr(inference, "forced", lambda learner, codes, tokens: np.where(tokens == HOLD, HOLD, 1))
    found, *_ = reconstructed(name="2bar-musicvae-flat")
    plain, *_ = reconstructed()
    assert "teacher_forced" not in plain.scores
    np.testing.assert_array_equal(found.answers, plain.answers)
    np.testing.assert_array_equal(found.scores["model"], plain.scores["model"])
    np.testing.assert_allclose(found.scores["teacher_forced"][:, :4], (found.tokens == HOLD).mean(axis=1))


def test_interpolations_go_from_the_first_song_to_the_second():
    tokens = np.repeat([10, 20], 3)[:, None, None] + np.zeros((6, 4, 4), int)  # two songs of three windows
    windows = SimpleNamespace(song=np.repeat([0, 1], 3))
    model = SimpleNamespace(rows=np.arange(6), windows=windows, tokens=tokens, codes=tokens[:, 0].astype(float),
                            learner=Arithmetic(), artists=np.repeat([5, 6], 3))  # fmt: skip
    found = measuring.interpolations(model, SimpleNamespace(interpolations=6), 0)
    one, two = found.ends
    assert (windows.song[one] != windows.song[two]).all() and (found.artists == model.artists[one]).all()
    start, end = tokens[one][:, 0, 0], tokens[two][:, 0, 0]
    for k, alpha in enumerate(measuring.ALPHAS):
        np.testing.assert_array_equal(found.tokens[k, :, 0, 0], np.rint((1 - alpha) * start + alpha * end))
    assert found.first[0].max() == 0 and found.first[1:].min() == 1 and found.second[-1].max() == 0
    assert found.apart.tolist() == [1] * 6 and found.way.tolist() == [1] * 6 and found.steps.shape == (10, 6)
    np.testing.assert_allclose(found.data.mean(axis=1), measuring.ALPHAS, atol=0.2)  # 96 coins an alpha
    assert found.data[0].max() == 0 and found.data[-1].min() == 1 and found.data[5].mean() not in (0, 1)
    assert found.follows["pitch"].tolist() == pytest.approx([1] * 6) and found.data_follows["pitch"].min() > 0.8
    assert np.isnan(found.follows["notes"]).all()  # both songs have as many
    ignored = measuring.interpolations(model, SimpleNamespace(interpolations=6), 0, Arithmetic("untrained"))
    assert ignored.follows["pitch"].tolist() == [0] * 6 and (ignored.tokens == 99).all()


@pytest.fixture
def reconstructed(monkeypatch):
    """A reconstruction of the toy store; returns it and the learner."""

    def make(name="2bar-gaussian", **changes):
        learner, store = Arithmetic(steps=32), ToyStore(songs=10, bars=18)
        lines = [{"stage": "lead-in", "losses/beta": 0.0}, {"stage": "train", "losses/beta": 0.3}]
        monkeypatch.setattr(measuring.training, "load", lambda *_: learner)
        monkeypatch.setattr(measuring.training, "history", lambda *_: lines)
        config = dataclasses.replace(settings("sound"), windows=40, latent=4, **changes)
        run = SimpleNamespace(seed=3, model_directory=lambda name: name)
        entry = SimpleNamespace(build=lambda *_: Arithmetic("untrained"))
        found = measuring.reconstruction(name, entry, config, store, run, np.arange(4))
        return found, learner, config, store

    return make


def test_a_model_is_measured_on_held_out_windows_with_sampled_codes(reconstructed):
    found, learner, config, store = reconstructed()
    windows = data.windows(store, 2)
    rows, held = data.split(config, windows)
    assert set(found.rows) <= set(held) and len(found.rows) == min(40, len(held)) and (found.train_rows == rows).all()
    np.testing.assert_array_equal(found.tokens, windows.cut(found.rows))
    np.testing.assert_array_equal(learner.seen[0], found.tokens)
    assert 0.3 < np.abs(found.codes - found.tokens[:, 0]).mean() < 2  # not the mean code
    np.testing.assert_array_equal(found.majority, measures.step_majority(windows.cut(rows)))
    answers = {"model": found.answers, "all_hold": np.full_like(found.tokens, HOLD), "step_majority": found.majority,
               "mean_code": np.repeat(found.tokens[:, :1], 32, axis=1)}  # fmt: skip
    for guess, answer in answers.items():
        right = (found.tokens == answer).mean(axis=1)
        np.testing.assert_allclose(found.scores[guess][:, :4], right)
        np.testing.assert_allclose(found.scores[guess][:, 4], right.mean(axis=1))
        np.testing.assert_allclose(found.scores[guess][:, 5], right[:, :3].mean(axis=1))
    assert [line["stage"] for line in found.lines] == ["train"]
    assert set(found.artists) == set(windows.artist[windows.song[found.rows]])


def test_a_frozen_transposition_is_part_of_what_is_measured(reconstructed):
    plain, *_ = reconstructed()
    frozen, *_ = reconstructed(transposition="frozen")
    shift = frozen.windows.shift[frozen.rows]
    struck = plain.tokens[:, :, 1] < SILENT
    moved = (frozen.tokens - plain.tokens)[:, :, 1]
    np.testing.assert_array_equal(moved[struck], np.repeat(shift[:, None], 32, axis=1)[struck])
    assert (frozen.tokens[:, :, 0] == plain.tokens[:, :, 0]).all() and np.abs(shift).max() > 0


def test_accuracy_where_the_target_is_no_hold():
    tokens, answers = np.full((1, 4, 4), HOLD), np.full((1, 4, 4), HOLD)
    tokens[0, 0], tokens[0, 1, 0] = 60, 61  # two strokes of drums, one of the others
    answers[0, 0, :2] = 60
    found = measures.non_hold_accuracy(tokens, answers)
    assert found == {"drums": 0.5, "bass": 1.0, "guitar": 0.0, "strings": 0.0, "dbgs": 0.375, "dbg": 0.5}


def test_petals_compare_with_an_untrained_decoder():
    config = SimpleNamespace(petals=3, petal_samples=2, latent=4, radial_variance=0.1, other_variance=0.001,
                             style_branch=False)  # fmt: skip
    music = np.full((5, 16, 4), 60)
    flower = SimpleNamespace(learner=Arithmetic(steps=16), majority=np.full((16, 4), 70), tokens=music)
    found = measuring.petals({"16bar-flower": flower}, Arithmetic("untrained", 16), config, 0)
    pitch = found.names.index("bass: mean pitch")
    assert found.values["untrained"][:, pitch].tolist() == [99] * 6
    assert found.values["step_majority"][:, pitch].tolist() == [70] * 6
    assert set(found.values["exchanged_bars"][:, pitch]) == {60} and found.values["model"].shape[0] == 6
    assert found.values["model"][:, pitch].max() <= 2 and found.petal.tolist() == [0, 0, 1, 1, 2, 2]


def test_pairs_are_training_windows_of_one_tag_and_not_the_other(monkeypatch):
    monkeypatch.setattr(measuring, "RESAMPLES", 1)
    song = np.arange(40) // 2
    tags = np.zeros((20, 3), np.uint8)
    tags[:8, 0] = tags[6:14, 1] = 1  # songs 6 and 7 carry both
    tokens = song[:, None, None] + np.zeros((40, 4, 4), int)  # a window's tokens are its song's number
    windows = SimpleNamespace(tags=tags, song=song, cut=lambda rows: tokens[rows], artist=song)
    learner, untrained = Arithmetic(), Arithmetic("untrained")
    model = SimpleNamespace(windows=windows, learner=learner, train_rows=np.flatnonzero(song != 0),
                            held_rows=np.flatnonzero(song == 0))  # fmt: skip
    run = measuring.Measured(None, 0, ["rock", "punk", "jazz"], None, {}, {"16bar-flower": model})
    config = SimpleNamespace(pair_windows=10, genres=3, transposition="training")
    found = measuring.genre_pairs(run, untrained, config)
    assert found["F5a"] == "pop: not among the 3 commonest tags"
    pair = found["F5b"]
    of_song = learner.seen[0][:, 0, 0]
    assert set(of_song[pair.genre == 0]) == set(range(1, 6)) and set(of_song[pair.genre == 1]) == set(range(8, 14))
    assert len(untrained.seen) == 2 and set(pair.accuracy) == {"model", "untrained", "tokens"}
    few = measuring.genre_pairs(run, untrained, SimpleNamespace(pair_windows=11, genres=3, transposition="training"))
    assert few["F5b"] == "under 11 training windows tagged rock and not punk"


@pytest.mark.parametrize("rule, expected", [("related", [3, 0, 1, 2]), ("frequency", [0, 1, 2, 3])])
def test_genres_lie_where_training_put_them(rule, expected):
    store, config = ToyStore(), dataclasses.replace(settings("paper"), placement=rule)
    store.parameters = {"facts": {}}
    assert measuring.measure({}, config, store, SimpleNamespace(seed=0)).placement.tolist() == expected


def test_an_update_is_timed_in_the_training_stage_without_its_first_line(tmp_path):
    lines = [("lead-in", 100, 1), ("train", 50, 1), ("train", 6, 3), ("train", 2, 1)]
    text = [json.dumps(dict(zip(("stage", "seconds", "steps"), line, strict=True))) for line in lines]
    (tmp_path / "timing.jsonl").write_text("\n".join(text))
    run = SimpleNamespace(model_directory=lambda name: tmp_path)
    assert measuring.seconds_per_update("a", run) == {"a": 2.0}


# Tools


@pytest.fixture
def opened(monkeypatch, tmp_path):
    """A run whose flower is arithmetic; returns what the tools decode and write."""
    store, seen = ToyStore(), SimpleNamespace(codes=[], saved=[])
    config = dataclasses.replace(settings("paper"), petals=4, genres=4, latent=4)
    monkeypatch.setattr(tool, "open_run", lambda *_: (SimpleNamespace(config=config), store))
    monkeypatch.setattr(tool, "learner", lambda *_: Arithmetic(steps=256))
    monkeypatch.setattr(tool, "save", lambda tokens, *_: seen.saved.append(tokens))

    def decode(learner, z):
        seen.codes.append(np.array(z))
        return np.zeros((len(z), 256, 4), np.int32)

    monkeypatch.setattr(inference, "decode_tokens", decode)
    return seen


def test_samples_come_from_their_genres_petal(opened, tmp_path):
    placement = ToyStore().arrays["placement"]
    for rank in range(4):
        sample.sample(sample.Options(genre=f"genre {rank}", count=6, output=tmp_path))
        assert set(prior.nearest_petal(opened.codes[-1], 4)) == {placement[rank]}
    sample.sample(sample.Options(count=40, output=tmp_path))
    assert set(prior.nearest_petal(opened.codes[-1], 4)) == {0, 1, 2, 3} and len(opened.saved) == 64


def test_edits_move_towards_their_genre(opened, tmp_path, monkeypatch):
    start = np.array([[0.3, -2.0, 5.0, 6.0], [-1.0, 0.5, 7.0, 8.0]], np.float32)
    monkeypatch.setattr(inference, "encode", lambda *_: start.copy())
    song = SimpleNamespace(path=tmp_path / "a.mid", tokens=np.zeros((512, 4), np.int32), tempo=120.0, bars=16,
                           windows=lambda: (np.zeros((2, 256, 4), np.int32), [0, 1]))  # fmt: skip
    monkeypatch.setattr(tool, "read", lambda *_: song)
    monkeypatch.setattr(tool, "report", lambda *_: None)
    monkeypatch.setattr(rewrite, "save", lambda *_: [])  # there is no file to write into
    petal = ToyStore().arrays["placement"][2]
    target = prior.petal_mean(4, 2)[petal]
    for amount in (0.0, 0.5, 1.0):
        edit.edit(edit.Options(tmp_path / "a.mid", "genre 2", amount=amount, output=tmp_path))
        after = opened.codes[-1]
        np.testing.assert_allclose(after[:, :2], (1 - amount) * start[:, :2] + amount * target, atol=1e-6)
        np.testing.assert_array_equal(after[:, 2:], start[:, 2:])


def test_controls_are_the_flower_with_one_setting_changed():
    config = dataclasses.replace(settings("sound"), ablations=True, models=tuple(train.MODELS))
    changed = {name: {f.name for f in dataclasses.fields(config) if getattr(config, f.name) != getattr(other, f.name)}
               for name, (_, other) in train.jobs(config).items()}  # fmt: skip
    controls = {"beta-0": {"beta_max"}, "one-petal": {"petals"}, "shuffled-tags": {"shuffled_tags"}}
    sweep = {"beta-0": {"beta_max"}, "beta-tenfold": {"beta_step", "beta_max"}, "latent-quarter": {"latent"},
             "latent-sixteenth": {"latent"}, "other-start": {"restart"}}  # fmt: skip
    expected = {f"16bar-flower@{k}": v for k, v in controls.items()}
    expected |= {f"2bar-gaussian@{k}": v for k, v in sweep.items()}
    assert changed == dict.fromkeys((*train.MODELS, *train.MUSIC_VAE), set()) | expected
    store = ToyStore(songs=20)
    plain, shuffled = (data.windows(store, 2, one).tags for one in (False, True))
    np.testing.assert_array_equal(plain, store.arrays["tags"])
    assert not np.array_equal(plain, shuffled) and sorted(map(bytes, plain)) == sorted(map(bytes, shuffled))


def test_the_spread_of_a_genre_is_about_its_own_centre():
    codes = np.array([[0.0, 0, 5], [2, 0, 5], [10, 0, 5], [16, 0, 5]])  # 1 and 3 away from 1 and 13
    genre = np.array([0, 0, 1, 1])
    assert measures.spread_ratio(codes, genre) == pytest.approx(3) == 1 / measures.spread_ratio(codes, 1 - genre)
