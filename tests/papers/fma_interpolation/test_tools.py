"""The tools with networks whose answers are known: an autoencoder that loses nothing, a classifier by brightness."""

import csv
import io
import signal
import sys
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import soundfile
from keras import layers, ops

from common import audio, embedding
from common.training import Learner
from papers.fma_interpolation import classify, embed, interpolate, measures, preprocess, reconstruct, sound


@pytest.fixture
def run(tiny):
    return SimpleNamespace(config=tiny, seed=0, model_directory=lambda name: name)


@pytest.fixture
def lossless(tiny, monkeypatch):
    """The autoencoder of every tool: codes are pixels, and their log-variances log 4."""
    image, code = keras.Input((tiny.bands, tiny.frames, 1)), keras.Input((tiny.bands * tiny.frames,))
    flat = layers.Flatten()(image)
    learner = Learner({"encoder": keras.Model(image, [flat, ops.zeros_like(flat) + np.log(4.0)]),
                       "decoder": keras.Model(code, layers.Reshape((tiny.bands, tiny.frames, 1))(code))}, {})
    monkeypatch.setattr(interpolate, "load_autoencoder", lambda run, store, name: (learner, "squared_error"))


@pytest.fixture
def two(corpus):
    return tuple(item.path for item in corpus.items[:2])


def test_what_loses_nothing_is_0_decibels_away(run, lossless, two, tmp_path, capsys):
    bad = tmp_path / "text.mp3"
    bad.write_text("no recording")
    (tmp_path / "out").mkdir()
    options = reconstruct.Options((*two, bad), generate=2, at=1.0, output=tmp_path / "out")
    problems = reconstruct.reconstruct(options, run, None)
    assert len(problems) == 1 and "text.mp3" in problems[0]
    lines = capsys.readouterr().out.splitlines()
    assert [line.endswith(": 0.0 dB from the original, structural similarity 1.00") for line in lines] == [1, 1, 0]
    names = {path.name for path in (tmp_path / "out").iterdir()}
    stems = [f"{k:02d}-{path.stem}-{what}" for k, path in enumerate(two) for what in ("original", "reconstruction")]
    assert names == {f"{stem}.{kind}" for stem in (*stems, "generated-00", "generated-01") for kind in ("wav", "png")}
    original, again = (soundfile.read(tmp_path / "out" / f"{stem}.wav")[0] for stem in stems[:2])
    np.testing.assert_array_equal(original, again)
    assert len(original) == 256 * 63 and np.abs(original).max() == pytest.approx(0.9, abs=1e-3)
    new = tmp_path / "new" / "folder"
    assert reconstruct.reconstruct(reconstruct.Options(generate=1, output=new), run, None) == []
    assert {path.name for path in new.iterdir()} == {"generated-00.wav", "generated-00.png"}


def test_the_path_begins_at_a_ends_at_b_and_says_how_far_it_is_from_both(run, lossless, two, tmp_path, capsys):
    options = interpolate.Options(two, steps=3, at=1.0, output=tmp_path)
    interpolate.interpolate(options, run, None)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    table = {line[0]: [float(v) for v in line[1:]] for line in lines if len(line) == 5 and line[0][0] in "a0b"}
    assert list(table) == ["a", "01-1.00a", "02-0.50a", "03-0.00a", "b"]
    assert table["a"] == table["01-1.00a"] and table["b"] == table["03-0.00a"]
    assert table["a"][0] == table["a"][1] < table["a"][2] and table["b"][0] == table["b"][2] < table["b"][1]
    first, second = (sound.excerpt(path, run.config, 1.0) for path in two)
    apart = measures.decibel_error(first[None], second[None])[0]
    assert table["a"][2] == pytest.approx(apart, abs=table["a"][0] + 0.01)
    assert table["a"][3] == pytest.approx(80 * first.mean(), abs=table["a"][0] + 0.01)
    drawn = tmp_path / "new" / "drawn"
    interpolate.interpolate(interpolate.Options(two, steps=3, sample=True, at=1.0, output=drawn), run, None)
    with open(tmp_path / "01-1.00a.png", "rb") as file, open(drawn / "01-1.00a.png", "rb") as other:
        assert file.read() != other.read()


@pytest.fixture
def called(monkeypatch, run):
    """A tool's main with these words on its command line; a run is there, and SIGPIPE is as before afterwards."""
    def call(tool, *words):
        monkeypatch.setattr(sys, "argv", ["tool", *map(str, words)])
        return tool.main()

    before = signal.getsignal(signal.SIGPIPE)
    monkeypatch.setattr(interpolate.scripts, "open_tool", lambda *words: (run, None))
    yield call
    signal.signal(signal.SIGPIPE, before)


def test_an_autoencoder_that_is_not_there_is_said_before_it_is_loaded(run, monkeypatch):
    monkeypatch.setattr("common.training.outcome", lambda directory: directory == "autoencoder-conv1d")
    monkeypatch.setattr("common.training.load", lambda entry, config, store, directory, seed: (directory, seed))
    with pytest.raises(FileNotFoundError, match="--model cnn_2: choose one of baseline, conv2d, inception, conv1d"):
        interpolate.load_autoencoder(run, None, "cnn_2")
    with pytest.raises(FileNotFoundError, match="autoencoder-baseline: not trained in this run"):
        interpolate.load_autoencoder(run, None, "baseline")
    assert interpolate.load_autoencoder(run, None, "conv1d") == (("autoencoder-conv1d", 0), "squared_error")


def test_a_path_needs_two_recordings_and_two_points(called, two, monkeypatch, capsys):
    done = []
    monkeypatch.setattr(interpolate, "interpolate", lambda options, run, store: done.append(options))
    for words in (two[:1], (*two, two[0]), (*two, "--steps", 1)):
        with pytest.raises(SystemExit) as end:
            called(interpolate, *words)
        assert end.value.code == 2 and "name two recordings and at least two steps" in capsys.readouterr().err
    called(interpolate, *two)
    called(interpolate, *two, "--steps", 2)
    assert [(one.files, one.steps, one.at, one.sample) for one in done] == [(two, 5, 10, False), (two, 2, 10, False)]


@pytest.mark.parametrize(("words", "problems", "code"), [
    ((1,), 1, 2), ((2,), 1, 1), ((2,), 0, 0), ((1, "--generate", 1), 1, 1), ((3, "--generate", 1), 2, 1),
    ((0, "--generate", 1), 0, 0)])
def test_the_exit_code_says_whether_all_a_part_or_nothing_was_done(called, two, monkeypatch, words, problems, code):
    (files, *more) = words
    def reconstructed(options, run, store):
        assert (options.at, options.generate) == (10, 1 if more else 0)
        return ["bad"] * problems

    monkeypatch.setattr(reconstruct, "reconstruct", reconstructed)
    monkeypatch.setattr(classify, "classify", lambda options, run, store, output: ["bad"] * problems)
    assert called(reconstruct, *two[:1] * files, *more) == code
    if not more:
        assert called(classify, *two[:1] * files) == code


@pytest.mark.parametrize(("tool", "says"), [(reconstruct, "nothing to do"), (classify, "no recording named")])
def test_a_tool_without_a_task_says_so(called, tool, says, capsys):
    with pytest.raises(SystemExit) as end:
        called(tool)
    assert end.value.code == 2 and says in capsys.readouterr().err


def test_the_genre_is_the_mean_over_the_images_of_a_recording(run, two, tmp_path, monkeypatch):
    image = keras.Input((32, 64, 1))
    level = ops.mean(image, axis=(1, 2))
    learner = Learner({"classifier": keras.Model(image, ops.concatenate([level, 1 - level], axis=-1))}, {})
    monkeypatch.setattr("common.training.outcome", lambda directory: directory)
    monkeypatch.setattr("common.training.load", lambda *arguments: learner)
    short, silent, lines = tmp_path / "short.wav", tmp_path / "silent.wav", io.StringIO()
    soundfile.write(short, np.full(500, 0.1), 8192)
    soundfile.write(silent, np.zeros(40_000), 8192)
    store = SimpleNamespace(index=[{"label": "b"}, {"label": "a"}])
    problems = classify.classify(classify.Options((*two, short, silent)), run, store, lines)
    assert [str(path) in said for path, said in zip((short, silent), problems, strict=True)] == [True, True]
    rows = list(csv.DictReader(lines.getvalue().splitlines()))
    assert list(rows[0]) == ["file", "images", "genre", "a", "b"]
    for row, path in zip(rows, two, strict=True):
        whole, _ = preprocess.normalised_spectrogram(preprocess.load_clip(path, run.config), run.config)
        share = whole[:, :128].mean()  # 161 frames are two images
        assert (row["file"], row["images"], row["genre"]) == (str(path), "2", "a" if share > 0.5 else "b")
        assert [float(row["a"]), float(row["b"])] == pytest.approx([share, 1 - share], abs=1e-4)
    with pytest.raises(FileNotFoundError, match="choose one of cnn_1, cnn_2, rnn"):
        classify.classify(classify.Options(two, model="none"), run, store, lines)


def test_embeddings_are_the_codes_of_all_images_with_their_place(run, lossless, two, tmp_path, monkeypatch):
    monkeypatch.setattr(embed.scripts, "open_tool", lambda *_: (run, None))
    soundfile.write(tmp_path / "short.wav", np.full(8192, 0.1), 8192)
    soundfile.write(tmp_path / "silent.wav", np.zeros(40_000), 8192)
    encode = embed.encoder(embed.Options(two))
    rows, problems = embedding.rows((*two, tmp_path / "short.wav", tmp_path / "silent.wav"), encode)
    assert [(path, clip, seconds) for path, clip, seconds, _ in rows] == [(path, k, 2.0 * k) for path in two
                                                                          for k in (0, 1)]
    for k, path in enumerate(two):  # 161 frames are two images
        whole, _ = preprocess.normalised_spectrogram(preprocess.load_clip(path, run.config), run.config)
        for clip in (0, 1):
            np.testing.assert_array_equal(rows[2 * k + clip][3], whole[:, 64 * clip:64 * clip + 64].ravel())
    assert problems[0].endswith("short.wav: 33 frames long, an image takes 64") and "silent.wav: silent" in problems[1]


def test_an_excerpt_begins_at_its_second_and_ends_inside(corpus, tiny):
    path = corpus.items[0].path
    whole, _ = preprocess.normalised_spectrogram(preprocess.load_clip(path, tiny), tiny)
    for at, start in ((0.0, 0), (1.0, 32), (2.5, 80), (1e6, whole.shape[1] - 64)):  # 32 frames a second
        np.testing.assert_array_equal(sound.excerpt(path, tiny, at), whole[:, start:start + 64])


def test_a_short_or_silent_recording_has_no_excerpt(tiny, tmp_path):
    soundfile.write(tmp_path / "short.wav", np.full(8192, 0.1), 8192)
    soundfile.write(tmp_path / "silent.wav", np.zeros(40_000), 8192)
    with pytest.raises(audio.AudioError, match="1.0 s long, an excerpt takes 2 s"):
        sound.excerpt(tmp_path / "short.wav", tiny, 0.0)
    with pytest.raises(audio.AudioError, match="silent"):
        sound.excerpt(tmp_path / "silent.wav", tiny, 0.0)


def test_sounds_of_images_are_equally_loud_at_their_peak(tiny):
    image = preprocess.normalised_spectrogram(np.sin(np.arange(256 * 63) * 0.3).astype(np.float32), tiny)[0]
    for level in (1.0, 0.5):
        samples = preprocess.image_to_audio(level * image, tiny)
        assert np.abs(samples).max() == pytest.approx(0.9, rel=1e-5) and len(samples) == 256 * 63
    for beyond, within in ((2 * image, np.minimum(2 * image, 1)), (image - 0.5, np.maximum(image - 0.5, 0))):
        np.testing.assert_array_equal(*(preprocess.image_to_audio(one, tiny) for one in (beyond, within)))
