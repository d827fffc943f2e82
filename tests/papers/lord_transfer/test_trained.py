"""What is made of a trained model, with networks that only pass on what they get: codes, tracks, the transfer tool."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

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
    """Seams of the concatenation at every window, of the cross-fade where only the next window is left."""
    image = np.random.default_rng(0).random((2, 70))
    found = joining.ways(image, 16, lambda windows: windows)
    assert found["concatenation"][1].tolist() == [16, 32, 48]
    assert found["cross-fade"][1].tolist() == [16, 28, 40, 52]
    assert set(found) == {"concatenation", "cross-fade", "columns 1", "columns 4", "columns 16"}
    for name, (joined, _) in found.items():
        np.testing.assert_allclose(joined, image[:, :joined.shape[1]], atol=1e-12, err_msg=name)
    widths = {name: joined.shape[1] for name, (joined, _) in found.items()}
    assert widths == {"concatenation": 64, "cross-fade": 64, "columns 1": 70, "columns 4": 68, "columns 16": 64}
    assert joining.column_counts(128) == [1, 4, 16, 64, 128] and joining.column_counts(32) == [1, 4, 16, 32]
