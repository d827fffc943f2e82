"""Chunk arithmetic, images, storage; bad clips, interruptions."""

import dataclasses

import numpy as np
import pytest
import soundfile

from common import audio, inversion
from common.config import resolve
from common.store import read_exr
from papers.fma_interpolation import config as settings, preprocess

PAPER = resolve(settings, "paper", "full")


@pytest.mark.parametrize(("samples", "frames", "images"), [
    (983_040, 3841, 6), (982_273, 3838, 5), (982_784, 3840, 6), (982_783, 3839, 5),
    (163_584, 640, 1), (163_583, 639, 0)])
def test_chunk_arithmetic(samples, frames, images):
    assert preprocess.frame_count(samples) == frames
    assert preprocess.image_count(samples) == images


def test_640_frames_invert_to_163584_samples():
    samples = inversion.mel_to_audio(np.ones((512, 640), np.float32), 32768, 4096, 256, iterations=1, updates=1)
    assert samples.shape == (163_584,)


def test_a_window_of_256_leaves_293_bands_empty():
    def empty(n_fft):
        return int(np.sum(np.diff(inversion.mel_bank(32768, n_fft, 512).indptr) == 0))

    assert inversion.mel_bank(32768, 4096, 512).shape == (512, 2049)
    assert empty(4096) == 0
    inversion.mel_bank.cache_clear()  # librosa warns when a bank is made, not when it is reused
    with pytest.warns(UserWarning, match="Empty filters"):
        assert empty(256) == 293


def test_normalised_image_and_its_inverse(tiny):
    rng = np.random.default_rng(0)
    image, peak = preprocess.normalised_spectrogram(rng.standard_normal(40_000).astype(np.float32) * 0.1, tiny)
    assert image.dtype == np.float32 and image.shape == (32, 157)
    assert image.min() >= 0 and image.max() == 1.0 and peak > 0
    assert preprocess.image_to_power(np.float32(1)) == pytest.approx(32768)
    assert preprocess.image_to_power(np.float32(0)) == pytest.approx(3.2768e-4, rel=1e-4)
    again = inversion.power_to_db(preprocess.image_to_power(image, reference=peak) / peak) / 80 + 1
    np.testing.assert_allclose(again, image, atol=1e-5)


def test_an_image_is_librosas_decibels_of_the_reflected_clip(tiny):
    import librosa

    clip = np.random.default_rng(1).standard_normal(30_000).astype(np.float32) * np.linspace(0, 1, 30_000)
    image, peak = preprocess.normalised_spectrogram(clip.astype(np.float32), tiny)
    mel = librosa.feature.melspectrogram(y=clip, sr=8192, n_fft=1024, hop_length=256, n_mels=32, pad_mode="reflect")
    assert peak == pytest.approx(mel.max(), rel=1e-4)
    np.testing.assert_allclose(image, librosa.power_to_db(mel, ref=mel.max(), top_db=80) / 80 + 1, atol=1e-4)


def test_cut_drops_the_remainder_and_keeps_all_when_there_is_none():
    whole = np.arange(2 * 11).reshape(2, 11)
    np.testing.assert_array_equal(preprocess.cut(whole, 5)[1], whole[:, 5:10])
    assert preprocess.cut(whole[:, :10], 5).shape == (2, 2, 5)
    assert preprocess.cut(np.zeros((2, 1281))).shape == (2, 2, 640)


def test_statistics_are_mean_deviation_median_in_blocks():
    images = np.random.default_rng(0).random((3, 512, 7)).astype(np.float32)
    table = preprocess.statistics(images)
    assert table.shape == (3, 1536)
    np.testing.assert_allclose(table[1, :512], images[1].mean(axis=1), rtol=1e-5)
    np.testing.assert_allclose(table[1, 512:1024], images[1].std(axis=1), rtol=1e-4)
    np.testing.assert_allclose(table[1, 1024:], np.median(images[1], axis=1), rtol=1e-5)


def test_store_holds_every_image_and_its_statistics(store, tiny):
    assert len(store.index) == 32 * 2  # 5 s at 8,192 Hz are 161 frames, two images of 64
    made = dict(store.parameters["recipe"])
    assert made.pop("version") and made == {
        "name": "log-mel-32x64", "sample_rate": 8192, "n_fft": 1024, "hop_length": 256, "bands": 32, "frames": 64,
        "dynamic_range": 80.0, "storage": "float32", "resampler": "soxr_hq"}
    assert store.array("statistics").shape == (64, 96)
    image = store.image(store.index[5])
    assert image.shape == (32, 64) and image.dtype == np.float32
    np.testing.assert_allclose(preprocess.statistics(image[None])[0], store.array("statistics")[5], rtol=1e-6)
    items = [row["item"] for row in store.index]
    assert all(a[:-1] == b[:-1] and (a[-1], b[-1]) == ("0", "1") for a, b in zip(items[::2], items[1::2], strict=True))
    assert items != sorted(items)  # a contiguous cut must not divide genres, which demo tracks are numbered by
    assert {row["split"] for row in store.index} == {"training", "validation", "test"}
    np.testing.assert_array_equal(store.images([5, 63]), [image, store.image(store.index[63])])
    assert list(store.array("artists")[:4]) == [0, 0, 1, 1] and (store.array("peaks") > 0).all()


def test_float32_images_are_exact_and_half_ones_are_not(store, tiny, corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(preprocess, "find_corpus", lambda *a, **k: dataclasses.replace(corpus, items=corpus.items[:3]))
    half = preprocess.preprocess(dataclasses.replace(tiny, storage="half"), None, "smoke", tmp_path)
    assert half.array("images").dtype == np.float16 and store.array("images").dtype == np.float32
    np.testing.assert_array_equal(half.images([0])[0], half.image(half.index[0]))
    same = next(row for row in store.index if row["item"] == half.index[0]["item"])
    difference = np.abs(half.image(half.index[0]) - store.image(same)).max()
    assert 0 < difference <= 2.5e-4
    samples = preprocess.load_clip(corpus.items[0].path, tiny)
    whole, _ = preprocess.normalised_spectrogram(samples, tiny)
    second = next(row for row in store.index if row["item"] == f"{corpus.items[0].id}-1")
    np.testing.assert_array_equal(store.image(second), whole[:, 64:128])


def test_the_pixels_of_a_clip_are_stored_as_the_setting_says(tiny, corpus, tmp_path):
    """In this process: a preprocessing cuts its clips in others."""
    item = corpus.items[0]
    whole, peak = preprocess.normalised_spectrogram(preprocess.load_clip(item.path, tiny), tiny)
    for storage, stored in (("float32", whole), ("half", whole.astype(np.float16))):
        config, work = dataclasses.replace(tiny, storage=storage), tmp_path / storage
        (work / "images").mkdir(parents=True)
        for _ in range(2):  # the second call finds the work done
            assert preprocess._clip(str(item.path), item.id, "g", config, work, {}) == {"images": 2, "peak": peak}
        for k in (0, 1):
            np.testing.assert_array_equal(read_exr(work / "images" / "g" / f"{item.id}-{k}.exr"),
                                          stored[:, 64 * k:64 * (k + 1)])
    assert np.abs(whole - whole.astype(np.float16)).max() > 0
    soundfile.write(tmp_path / "one.wav", soundfile.read(item.path)[0][:63 * 256], 8192)
    assert preprocess._clip(str(tmp_path / "one.wav"), "one", "g", tiny, tmp_path, {})["images"] == 1  # 64 frames
    soundfile.write(tmp_path / "none.wav", soundfile.read(item.path)[0][:63 * 256 - 1], 8192)
    assert preprocess._clip(str(tmp_path / "none.wav"), "none", "g", tiny, tmp_path, {}) == {
        "reason": "too short for one image: 63 frames of 64"}


def test_bad_clips_are_listed_and_the_others_go_on(tiny, corpus, tmp_path, monkeypatch):
    folder = tmp_path / "clips"
    folder.mkdir()
    good = corpus.items[0]
    soundfile.write(folder / "short.wav", np.full(9000, 0.1), 8192)
    soundfile.write(folder / "silent.wav", np.zeros(40_000), 8192)
    (folder / "text.mp3").write_text("this is no recording")
    (folder / "empty.mp3").touch()
    soundfile.write(folder / "truncated.flac", np.tile(soundfile.read(good.path)[0], 4), 8192)
    whole = (folder / "truncated.flac").read_bytes()
    (folder / "truncated.flac").write_bytes(whole[: len(whole) * 3 // 4])
    names = ("short.wav", "silent.wav", "text.mp3", "empty.mp3", "truncated.flac")
    bad = [dataclasses.replace(good, id=name, path=folder / name, group=name) for name in names]
    mixed = dataclasses.replace(corpus, items=[*corpus.items[:3], *bad])
    monkeypatch.setattr(preprocess, "find_corpus", lambda *a, **k: mixed)
    store = preprocess.preprocess(tiny, None, "smoke", tmp_path / "stores")
    reasons = {row["path"].rsplit("/", 1)[1]: row["reason"] for row in store.rejected}
    assert set(reasons) == set(names) and len(store.index) == 6
    assert "too short for one image: 36 frames of 64" in reasons["short.wav"]
    assert "silent" in reasons["silent.wav"] and "truncated" in reasons["truncated.flac"]


def test_a_recording_that_would_fill_the_memory_is_refused_in_one_line(tiny, tmp_path):
    soundfile.write(tmp_path / "long.flac", np.zeros(1200 * 1000 + 1, np.int16), 1000)
    with pytest.raises(audio.AudioError, match=r"long.flac: longer than 20 minutes; cut it"):
        preprocess.load_clip(tmp_path / "long.flac", tiny)


def test_known_broken_clips_of_fma_are_on_the_readers_list():
    from common.corpora import known

    bad = {row["track"] for row in known.table("fma_known_bad")}
    assert bad >= {"098565", "098567", "098569", "099134", "108925", "133297"}


def test_interrupted_preprocessing_goes_on(tiny, corpus, store, tmp_path, monkeypatch):
    few = dataclasses.replace(corpus, items=corpus.items[:6])
    monkeypatch.setattr(preprocess, "find_corpus", lambda *a, **k: few)
    calls, build = [], preprocess._build
    monkeypatch.setattr(preprocess, "_cores", lambda: 1)
    original = preprocess.load_clip

    def counting(path, config):
        calls.append(path)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return original(path, config)

    monkeypatch.setattr(preprocess, "load_clip", counting)
    with pytest.raises(KeyboardInterrupt):
        preprocess.preprocess(tiny, None, "smoke", tmp_path)
    resumed = preprocess.preprocess(tiny, None, "smoke", tmp_path)
    # 3 clips were not done again; four are read once more for the excerpts kept as sound
    assert build is preprocess._build and len(calls) == 7 + 4 and len(resumed.index) == 12
    place = {row["item"]: k for k, row in enumerate(store.index)}
    same = [place[row["item"]] for row in resumed.index]
    np.testing.assert_array_equal(resumed.array("statistics"), store.array("statistics")[same])
    assert resumed.array("excerpts").shape == (4, 63 * 256)  # 64 frames
    assert {path.suffix for path in tmp_path.glob("*/.*")} == {".lock"}  # no working folder stays behind


def test_disk_needed_for_fma_small_is_112_gigabytes_and_45_as_half(corpus):
    unknown = dataclasses.replace(corpus.items[0], path="not read yet")  # taken for 30 s, six images
    many = dataclasses.replace(corpus, items=[unknown] * 7220)
    assert preprocess._bytes_needed(many, PAPER) == pytest.approx(112e9, rel=0.02)
    assert preprocess._bytes_needed(many, dataclasses.replace(PAPER, storage="half")) == pytest.approx(45e9, rel=0.02)
    one_each = 32 * 512 * 640 * 4 * 198 // 100  # 32 clips of 5 s
    assert preprocess._bytes_needed(corpus, PAPER) == one_each


def test_fma_medium_and_large_are_read_whole_where_their_own_folder_is_given(tmp_path):
    """In the folder that holds them FMA small, the report's corpus, is found; class folders are own music."""
    from tests.common.corpora.test_fma import write_clips, write_tracks

    write_tracks(tmp_path / "fma_metadata" / "tracks.csv")
    write_clips(tmp_path, "fma_large", [2, 5, 140, 98565, 155066])

    def found(data):
        corpus = preprocess.find_corpus(data, "full")
        return corpus.name, [item.id for item in corpus.items]

    assert found(tmp_path) == ("fma_small", ["000002", "000005", "098565"])
    assert found(tmp_path / "fma_large") == ("fma_large", ["000002", "000005", "000140", "098565"])
    large = preprocess.find_corpus(tmp_path / "fma_large", "full")
    assert ("155066.mp3", "has no root genre in tracks.csv") in [(p.name, why) for p, why in large.rejected]
    (tmp_path / "fma_large").rename(tmp_path / "fma_medium")
    assert found(tmp_path / "fma_medium") == ("fma_medium", ["000002", "000005", "000140", "098565"])
    assert found(tmp_path)[0] == "fma_small"


@pytest.mark.needs_data("fma_small")
@pytest.mark.parametrize(("resampler", "squares", "softplus"), [
    ("soxr_hq", 68_926, 306_927), ("soxr_lq", 68_284, 305_821)])
def test_first_image_of_track_2_gives_the_losses_that_the_program_logged_first(published, resampler, squares, softplus):
    config = dataclasses.replace(PAPER, resampler=resampler)
    samples = preprocess.load_clip(published("fma_small") / "000" / "000002.mp3", config)
    image = preprocess.cut(preprocess.normalised_spectrogram(samples, config)[0])[0].astype(np.float64)
    losses = np.square(image).sum(), np.log1p(np.exp(image)).sum()  # an output of zeros: squared error, swapped
    assert losses == (pytest.approx(squares, rel=1e-3), pytest.approx(softplus, rel=1e-3))
    assert losses == (pytest.approx(68_048, rel=0.015), pytest.approx(305_960, rel=0.004))  # 6b96f49, e261498


@pytest.mark.needs_data("fma_small")
def test_fma_small_gives_43320_images(published):
    import joblib

    from common import corpora

    corpus = corpora.find(published("fma_small"), "fma_small", "full")

    def images(path):
        try:
            return preprocess.image_count(len(preprocess.load_clip(path, PAPER)))
        except audio.AudioError:
            return 0

    counts = joblib.Parallel(-1)(joblib.delayed(images)(item.path) for item in corpus.items)
    assert sum(counts) == pytest.approx(43_320, rel=0.005)  # decoders differ by a few samples; 6 images need 29.992 s
