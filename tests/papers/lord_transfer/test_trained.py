"""What is made of a trained model, with networks that only pass on what they get: codes, tracks, the transfer tool."""

import contextlib
import dataclasses
import io
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from common import audio
from papers.lord_transfer import data, joining, preprocess, trained as using, transfer
from papers.lord_transfer.transfer import Transfer
from tests.papers.lord_transfer.small import SMALL
from tests.papers.lord_transfer.test_preprocess import tone


def windows_of(rows, classes, labels=("a", "b", "c")):
    rows = np.asarray(rows)
    return data.Windows(rows, 0 * rows, np.asarray(classes), np.full(len(rows), "test"), labels, "made up")


def model(networks=None, config=SMALL, trained_on=None, test=None, reader=None):
    return using.Trained(config, SimpleNamespace(networks=networks or {}), None, reader, trained_on, None, test)


def test_without_a_table_a_class_code_is_the_mean_of_its_training_clips():
    values = np.array([0.1, 0.3, 0.5, 0.9, 0.7, 0.8])
    images = np.ones((6, 4, 4, 1)) * values[:, None, None, None]
    found = windows_of(range(6), [0, 1, 2, 0, 1, 0])
    networks = {"class_encoder": lambda rows, training: tf.reduce_mean(tf.constant(rows), axis=[1, 2])}
    reader = SimpleNamespace(read=lambda found, positions: images[positions])
    codes = using.class_codes(model(networks, trained_on=found, reader=reader))
    np.testing.assert_allclose(codes, [[0.6], [0.5], [0.5]])


def test_a_class_code_is_its_row_or_the_mean_of_the_sub_classes_that_occur():
    table = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0], [9.0, 10.0], [11.0, 12.0]])
    networks = {"class_embedding": SimpleNamespace(get_weights=lambda: [table])}
    plain = model({"class_embedding": SimpleNamespace(get_weights=lambda: [table[:3]])},
                  trained_on=windows_of(range(3), [0, 1, 2]))
    np.testing.assert_array_equal(using.class_codes(plain), table[:3])
    config = dataclasses.replace(SMALL, subclasses=2)
    twos = model(networks, config, windows_of(range(5), [0, 1, 2, 4, 5]))  # the second sub-class of b has no clip
    np.testing.assert_allclose(using.class_codes(twos), [[2, 3], [5, 6], [10, 11]])


def test_tracks_to_be_joined_are_two_windows_long():
    frames = {5: 40, 2: 32, 7: 31, 9: 64, 4: 33}
    reader = SimpleNamespace(image=lambda row: np.full((3 * SMALL.bands, frames[row]), row))
    test = windows_of([5, 5, 2, 7, 9, 4], [1, 1, 0, 2, 2, 0])
    for most, rows in ((10, [5, 2, 9, 4]), (2, [5, 4]), (3, [5, 9, 4])):  # evenly spaced, both ends too
        config = dataclasses.replace(SMALL, stitched_tracks=most)
        found = using.held_out_tracks(model(config=config, test=test, reader=reader))
        assert [row for _, row, _ in found] == rows
        assert [label for _, _, label in found] == [{5: 1, 2: 0, 9: 2, 4: 0}[row] for row in rows]
        assert all(image.shape == (SMALL.bands, frames[row]) for image, row, _ in found)


@pytest.fixture
def worker():
    return tool()


def tool():
    """The tool on a model that gives every window back and hears how loud an image is."""
    made = Transfer.__new__(Transfer)
    made.using = SimpleNamespace(encode=lambda trained, windows: windows,
                                 generate=lambda trained, codes, classes: codes * classes[:, :1, None, None])
    made.trained = SimpleNamespace(labels=("quiet", "loud"), classifier=None)
    made.listen = lambda ear, images: (np.stack([1 - images.mean((1, 2, 3)), images.mean((1, 2, 3))], axis=1),)
    made.config, made.target, made.code = dataclasses.replace(SMALL, hop=1024, stitch_step=4), 1, np.ones(4)
    return made


@pytest.mark.parametrize("samples", [5_000, 16 * 1024, 30_000, 40_000])
def test_the_tool_gives_back_a_recording_of_any_length(worker, samples):
    """Shorter than a window, one window, and lengths that no number of steps gives."""
    before, after, reference = worker.images(tone(samples))
    assert before.shape == after.shape == (SMALL.bands, 1 + samples // 1024)
    np.testing.assert_array_equal(after, before)
    assert reference == preprocess.spectrogram(tone(samples), worker.config)[1]
    worker.code = np.zeros(4)
    assert not worker.images(tone(samples))[1].any()


def test_the_tool_hears_the_mean_over_windows_and_names_the_likeliest_first(worker):
    image = np.concatenate([np.full((16, 16), 0.9), np.full((16, 16), 0.7), np.zeros((16, 5))], axis=1)
    (first, share), (second, rest) = worker.hears(image)  # what is left over fills no window
    assert (first, second) == ("loud", "quiet") and share == pytest.approx(0.8) and rest == pytest.approx(0.2)
    assert worker.hears(np.full((16, 8), 0.5))[0] == ("quiet", pytest.approx(0.75))  # the other half is silence


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What the tool makes of a folder of recordings of several lengths, rates and levels: (in, out, problems, printed).
    """
    inside, out = (tmp_path_factory.mktemp("whole") / name for name in ("mine", "out"))
    (inside / "deep").mkdir(parents=True)
    for name, samples, rate, level in (("long.wav", 60_000, 22_050, 0.1), ("deep/a.wav", 9_000, 44_100, 0.2),
                                       ("deep/a.flac", 20_000, 22_050, 0.3), ("silent.wav", 30_000, 22_050, 0.0)):
        soundfile.write(inside / name, level * tone(samples, rate), rate)
    (inside / "bad.wav").write_text("no recording")
    worker = tool()
    worker.config = dataclasses.replace(worker.config, griffin_lim_iterations=4)
    worker.code = 0.9 * np.ones(4)  # the same picture with less in it: not as loud before its level is set
    found, refused = transfer.recordings((inside,))
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()) as printed:
        patch.setattr(transfer, "Transfer", lambda run, store, to: worker)
        problems = transfer.transfer(found, "loud", None, None, out)
    return inside, out, refused + problems, printed.getvalue().splitlines()


def test_of_a_folder_every_recording_that_can_be_read_has_its_results_in_the_same_folder(results):
    inside, out, problems, printed = results
    names = ("deep/a-to-loud", "deep/a-to-loud-2", "long-to-loud")
    assert {path.relative_to(out).as_posix() for path in out.rglob("*.*")} == {
        name + ending for name in names for ending in (".wav", "-before.png", "-after.png")}
    assert [problem.split(":")[0] for problem in problems] == [str(inside / name) for name in ("bad.wav", "silent.wav")]
    assert problems[1].endswith("silent; nothing to transfer")
    assert [line for line in printed if "written" in line] == [
        f"{inside / source}: written {out / name}.wav and its pictures"
        for source, name in zip(("deep/a.flac", "deep/a.wav", "long.wav"), names, strict=True)]


def test_a_result_is_as_long_and_as_loud_as_its_recording(results):
    inside, out, _, _ = results
    for name, source in (("deep/a-to-loud", "deep/a.flac"), ("deep/a-to-loud-2", "deep/a.wav"),
                         ("long-to-loud", "long.wav")):
        samples, made = audio.load(inside / source, 22_050), audio.load(out / f"{name}.wav", 22_050)
        assert 0 <= len(samples) - len(made) < 1024
        assert np.sqrt(np.mean(made**2)) == pytest.approx(np.sqrt(np.mean(samples**2)), rel=1e-2), name


def test_the_classifiers_opinion_of_both_is_printed(results, worker):
    inside, _, _, printed = results
    worker.code = 0.9 * np.ones(4)
    before, after, _ = worker.images(audio.load(inside / "long.wav", 22_050))
    np.testing.assert_allclose(after, 0.9 * before, rtol=1e-6)
    for what, image in (("before", before), ("after", after)):
        (first, share), (second, rest) = worker.hears(image)
        line = f"{inside / 'long.wav'}: {what}: the classifier hears {first} {share:.0%}, {second} {rest:.0%}"
        assert line in printed
    assert sum("the classifier hears" in line for line in printed) == 6


def test_a_long_recording_shows_its_progress_and_is_the_same_in_parts(worker, monkeypatch):
    signs = []
    monkeypatch.setattr(transfer, "progress", lambda starts, *words: signs.append(list(starts)) or starts)
    samples = tone(60_000)  # 59 frames: 12 windows of 16, four apart
    before, whole, _ = worker.images(samples)
    assert not signs
    monkeypatch.setattr(transfer, "AT_ONCE", 5)
    np.testing.assert_array_equal(worker.images(samples)[1], whole)
    assert signs == [[0, 5, 10]] and whole.shape == before.shape


def test_a_model_that_makes_phases_is_refused(tmp_path):
    run = SimpleNamespace(config=dataclasses.replace(SMALL, phase="angle"), directory=tmp_path)
    with pytest.raises(FileNotFoundError, match="makes phases too; choose a --run without"):
        Transfer(run, None, "piano")


def test_the_tool_writes_into_a_folder_that_is_there_and_into_one_that_is_not(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(transfer, "find_run", lambda options: ("a run", "a store", "trained on", "loud"))
    monkeypatch.setattr(transfer, "transfer", lambda *words: asked.append(words) or [])
    for output in (tmp_path, tmp_path / "new" / "out"):
        monkeypatch.setattr("sys.argv", ["transfer", "a.wav", "b.wav", "--to", "LOUD", "--output", str(output)])
        assert transfer.main() == 0 and output.is_dir()
        assert [(str(file), str(below)) for file, below in asked[-1][0]] == [("a.wav", "."), ("b.wav", ".")]
        assert asked[-1][1:] == ("loud", "a run", "a store", output)


def test_windows_are_joined_where_they_were_cut():
    """Seams of the concatenation at every window, of the cross-fade in the middle of every overlap."""
    image = np.random.default_rng(0).random((2, 70))
    found = joining.ways(image, 16, lambda windows: windows)
    assert found["concatenation"][1].tolist() == [16, 32, 48]
    assert found["cross-fade"][1].tolist() == [14, 26, 38, 50]
    assert set(found) == {"concatenation", "cross-fade", "columns 1", "columns 4", "columns 16"}
    for name, (joined, _) in found.items():
        np.testing.assert_allclose(joined, image[:, :joined.shape[1]], atol=1e-12, err_msg=name)
    widths = {name: joined.shape[1] for name, (joined, _) in found.items()}
    assert widths == {"concatenation": 64, "cross-fade": 64, "columns 1": 70, "columns 4": 68, "columns 16": 64}
    assert joining.column_counts(128) == [1, 4, 16, 64, 128] and joining.column_counts(32) == [1, 4, 16, 32]
