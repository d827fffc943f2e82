"""Recordings good and bad; broken files are made as bytes here."""

import io
import os
import struct

import numpy as np
import pytest
import soundfile

from common import audio

RATE = 22050


def tone(seconds=1.0, rate=RATE, channels=1):
    wave = 0.5 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * rate)) / rate).astype("f4")
    return np.repeat(wave[:, None], channels, axis=1) if channels > 1 else wave


def encoded(kind, samples=None, subtype=None, rate=RATE):
    out = io.BytesIO()
    soundfile.write(out, tone(3.0) if samples is None else samples, rate, format=kind, subtype=subtype)
    return out.getvalue()


@pytest.mark.parametrize("kind, suffix", [("WAV", "wav"), ("AU", "au"), ("FLAC", "flac"), ("OGG", "ogg"),
                                          ("MP3", "mp3")])
def test_formats_load_at_the_rate_asked_for(tmp_path, kind, suffix):
    path = tmp_path / f"naïve 'name'.{suffix}"
    path.write_bytes(encoded(kind, tone(1.0, 44100, 2), rate=44100))
    samples = audio.load(path, RATE)
    assert samples.dtype == np.float32 and abs(len(samples) - RATE) < 1200
    spectrum = np.abs(np.fft.rfft(samples[:RATE // 2]))
    assert spectrum.argmax() * 2 == pytest.approx(440, abs=4)
    assert audio.load(path, RATE, mono=False).shape[0] == 2
    assert len(audio.load(path, 44100, duration=0.5)) == 22050


@pytest.mark.parametrize("kind, suffix", [("WAV", "wav"), ("OGG", "ogg"), ("MP3", "mp3"), ("AU", "au")])
def test_truncated_files_are_told_with_their_frames(tmp_path, kind, suffix, capsys):
    whole = encoded(kind, np.random.default_rng(0).uniform(-0.5, 0.5, 8 * RATE).astype("f4"))
    path = tmp_path / f"cut.{suffix}"
    path.write_bytes(whole[:len(whole) // 2])
    with pytest.raises(audio.AudioError, match=rf"cut\.{suffix}: truncated, \d+ of \d+ declared"):
        audio.load(path, RATE)


@pytest.mark.parametrize("rate", [44100, 22050, 11025])
def test_mp3_without_a_frame_count_is_whole_if_its_frames_are(tmp_path, rate):
    out = io.BytesIO()
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 3 * rate)
    soundfile.write(out, noise, rate, format="MP3", bitrate_mode="CONSTANT", compression_level=0.5)
    data = out.getvalue()
    first = audio._mpeg_frame_bytes(data[:4])
    assert b"Xing" in data[:first] or b"Info" in data[:first]
    frames, tag = data[first:], b"ID3\x04\x00\x00\x00\x03\x00\x00" + bytes(3 << 14)  # a tag of 48 kB, as of a picture
    path = tmp_path / "tagged.mp3"
    path.write_bytes(tag + bytes(7) + frames + b"TAG" + bytes(125))  # seven bytes of padding after the tag
    assert len(audio.load(path, rate)) == pytest.approx(3 * rate, abs=3000)
    path.write_bytes(tag + frames[:-first // 2])  # the last frame is cut
    with pytest.raises(audio.AudioError, match=r"tagged.mp3: truncated, \d+ of \d+"):
        audio.load(path, rate)


def test_truncated_wav_is_usable_on_request_with_a_note(tmp_path, capsys):
    path = tmp_path / "cut.wav"
    path.write_bytes(encoded("WAV")[:40_000])
    assert 0 < len(audio.load(path, RATE, allow_short=True)) < 3 * RATE
    assert "truncated" in capsys.readouterr().err


@pytest.mark.parametrize("name, content, message", [
    ("text.au", b"this is a shopping list, not music\n" * 40, "lacks the .snd header"),
    ("empty.au", b"", "empty file"),
    ("empty.wav", b"", "empty file"),
    ("noise.wav", bytes(range(256)) * 20, "not a readable recording"),
    ("page.mp3", b"<html>not found</html>" * 40, "not a readable recording|no audio"),
    ("text.mp3", b"not audio at all", "not a readable recording; convert"),
    ("header.wav", encoded("WAV", np.zeros(0, "f4")), "no audio in it"),
])
def test_what_is_not_audio_is_refused_in_one_line(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(audio.AudioError, match=message) as caught:
        audio.load(path, RATE)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_missing_folder_nan_and_permission(tmp_path):
    with pytest.raises(audio.AudioError, match="no such file"):
        audio.load(tmp_path / "nowhere.wav", RATE)
    with pytest.raises(audio.AudioError, match="a folder"):
        audio.load(tmp_path, RATE)
    path = tmp_path / "nan.wav"
    path.write_bytes(encoded("WAV", np.where(np.arange(1000) % 100 == 0, np.nan, 0.1).astype("f4"), "FLOAT"))
    with pytest.raises(audio.AudioError, match="10 samples are not finite"):
        audio.load(path, RATE)
    if os.geteuid() != 0:
        path.chmod(0)
        with pytest.raises(audio.AudioError, match="no permission"):
            audio.load(path, RATE)


def test_no_permission_is_told(tmp_path, monkeypatch):
    path = tmp_path / "locked.wav"
    path.write_bytes(encoded("WAV"))

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(audio.AudioError, match="no permission"):
        audio.load(path, RATE)


def test_a_header_that_promises_days_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "endless.au"
    with open(path, "wb") as file:
        file.write(b".snd" + struct.pack(">IIIII", 24, 0x7FFFFF00, 2, 8000, 1))
        file.truncate(0x7FFFFF18)  # sparse
    with pytest.raises(audio.AudioError, match="hours long, the limit is"):
        audio.load(path, RATE)


def test_a_flac_that_does_not_say_how_long_it_is_and_samples_without_a_header_are_refused(tmp_path):
    claiming(tmp_path / "piped.flac", 0, 1, RATE)
    with pytest.raises(audio.AudioError, match="does not say how long"):
        audio.load(tmp_path / "piped.flac", RATE)
    (tmp_path / "a.raw").write_bytes(bytes(1000))
    with pytest.raises(audio.AudioError, match="neither rate nor format"):
        audio.load(tmp_path / "a.raw", RATE)


def claiming(path, frames, channels, rate):
    """A FLAC of a second of silence whose header claims `frames`."""
    soundfile.write(path, np.zeros((rate, channels), np.float32), rate, format="FLAC", subtype="PCM_16")
    data = bytearray(path.read_bytes())
    at = data.index(b"fLaC") + 8 + 13  # STREAMINFO: the low four bits here, then four bytes, count the frames
    data[at] = data[at] & 0xF0 | frames >> 32
    data[at + 1:at + 5] = (frames & 0xFFFFFFFF).to_bytes(4, "big")
    path.write_bytes(data)


@pytest.mark.parametrize("mono", [True, False])
def test_a_small_file_that_unfolds_beyond_the_memory_is_refused_before_it_is_decoded(tmp_path, monkeypatch, mono):
    path = tmp_path / "bomb.flac"
    claiming(path, 192_000 * 3600, 8, 192_000)
    assert path.stat().st_size < 100_000 and soundfile.info(path).frames == 192_000 * 3600
    monkeypatch.setattr(soundfile.SoundFile, "read", lambda *_, **__: pytest.fail("decoded"))
    with pytest.raises(audio.AudioError) as caught:
        audio.load(path, RATE, mono=mono)
    said = str(caught.value)
    assert said.startswith(f"{path}: 1.0 hours of 8 channels at 192000 Hz are 21 GiB when decoded, the limit is 8")
    assert "\n" not in said


def test_three_hours_of_stereo_are_within_the_limits(tmp_path):
    path = tmp_path / "concert.flac"
    claiming(path, 44_100 * 3 * 3600, 2, 44_100)
    with pytest.raises(audio.AudioError, match="truncated|no audio"):  # there is a second of it
        audio.load(path, RATE)


def test_many_channels_take_no_more_memory_than_one(tmp_path):
    import tracemalloc

    path = tmp_path / "eight.wav"
    wave = np.random.default_rng(0).uniform(-0.5, 0.5, (60 * RATE, 8)).astype("f4")
    soundfile.write(path, wave, RATE, subtype="FLOAT")
    expected = wave.mean(axis=1)
    tracemalloc.start()
    samples = audio.load(path, RATE)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(samples, expected)
    assert peak < samples.nbytes + 10 * (audio.BLOCK * 8 * 4)  # all eight at once take 42 MB


def test_write_never_clips_and_refuses_nan(tmp_path):
    audio.write(tmp_path / "loud.wav", 3 * tone(), RATE)
    samples = audio.load(tmp_path / "loud.wav", RATE)
    assert np.abs(samples).max() == pytest.approx(1.0, abs=1e-3)
    np.testing.assert_allclose(samples, tone() / np.abs(tone()).max(), atol=1e-3)
    with pytest.raises(ValueError, match="not finite"):
        audio.write(tmp_path / "nan.wav", np.array([0.1, np.nan]), RATE)


# ---------------------------------------------------------------- what headers promise, by hand


def mpeg(version, layer, bitrate, rate, padding=0):
    """The four bytes that begin an MPEG audio frame; version 3 is MPEG 1, 2 MPEG 2, 0 MPEG 2.5; layer 1 is III."""
    return bytes((255, 0xE0 | version << 3 | layer << 1 | 1, bitrate << 4 | rate << 2 | padding << 1, 0))


def test_frames_of_mpeg_layer_three_are_as_long_as_the_standard_says():
    # a frame is 144 (MPEG 1) or 72 (2, 2.5) times the bit rate over the sample rate: here 3, or 9, bytes a kbit/s
    of_1 = [96, 120, 144, 168, 192, 240, 288, 336, 384, 480, 576, 672, 768, 960]
    of_2 = [24, 48, 72, 96, 120, 144, 168, 192, 240, 288, 336, 384, 432, 480]
    assert [audio._mpeg_frame_bytes(mpeg(3, 1, i, 1)) for i in range(1, 15)] == of_1  # 48 kHz
    assert [audio._mpeg_frame_bytes(mpeg(2, 1, i, 1)) for i in range(1, 15)] == of_2  # 24 kHz
    assert [audio._mpeg_frame_bytes(mpeg(0, 1, i, 1)) for i in range(1, 15)] == [2 * one for one in of_2]  # 12 kHz
    for head, length in ((mpeg(3, 1, 9, 0), 417), (mpeg(3, 1, 9, 0, 1), 418), (mpeg(3, 1, 9, 2), 576),
                         (mpeg(3, 1, 14, 0), 1044),
                         (mpeg(2, 1, 8, 0), 208), (mpeg(2, 1, 8, 2), 288), (mpeg(0, 1, 8, 2), 576)):
        assert audio._mpeg_frame_bytes(head) == length
    for head in (mpeg(3, 2, 9, 0), mpeg(3, 1, 0, 0), mpeg(3, 1, 15, 0), mpeg(3, 1, 9, 3), mpeg(3, 1, 9, 0)[:3],
                 b"\xfe" + mpeg(3, 1, 9, 0)[1:], b"\xff\x1b\x90\x00", b""):
        assert audio._mpeg_frame_bytes(head) == 0


def riff(kind, width, data_bytes, before=b""):
    """The head of a WAV file whose data chunk says it is so long; `before` stands between its two chunks."""
    form = struct.pack("<HHIIHH", kind, 1, RATE, RATE * width, width, 8 * width)
    return (b"RIFF" + bytes(4) + b"WAVE" + b"fmt " + struct.pack("<I", len(form)) + form + before
            + b"data" + struct.pack("<I", data_bytes))


def au(kind, channels, data_bytes):
    return b".snd" + struct.pack(">IIIII", 24, data_bytes, kind, RATE, channels)


@pytest.mark.parametrize(("content", "frames"), [
    (riff(1, 2, 1000), 500), (riff(3, 4, 1000), 250), (riff(0xFFFE, 6, 999), 166), (riff(2, 2, 1000), 0),
    (riff(1, 2, 0xFFFFFFFF), 0), (riff(1, 2, 0xFFFFFF00), 0), (riff(1, 2, 0xFFFFFEFE), 0x7FFFFF7F),
    (riff(1, 2, 1000, b"LIST" + struct.pack("<I", 6) + b"artist"), 500),
    (riff(1, 2, 1000, b"LIST" + struct.pack("<I", 5) + b"title\0"), 500),  # an odd chunk is followed by a zero
    (riff(1, 2, 1000).replace(b"fmt \x10", b"fmt \x12").replace(b"data", b"\0\0data"), 500),  # fmt of 18 bytes
    (riff(1, 2, 1000).replace(b"WAVE", b"AVI "), 0), (riff(1, 2, 1000)[:-2], 0),
    (riff(1, 2, 4).replace(b"fmt ", b"FMT "), 0), (b"RIFF", 0), (b"", 0),
    (au(1, 1, 1000), 1000), (au(2, 2, 1000), 500), (au(3, 2, 1000), 250), (au(4, 1, 999), 333), (au(5, 1, 1000), 250),
    (au(6, 2, 1000), 125), (au(7, 1, 1000), 125), (au(27, 1, 1000), 1000), (au(23, 1, 1000), 0),
    (au(3, 1, 0xFFFFFFFF), 0), (au(3, 1, 1000)[:20], 0),
])
def test_frames_that_a_header_promises(tmp_path, content, frames):
    path = tmp_path / "x"
    path.write_bytes(content)
    assert audio._promised_frames(path) == frames


def test_a_whole_ogg_promises_nothing_and_a_cut_one_more_than_there_is(tmp_path):
    whole = encoded("OGG")
    path = tmp_path / "x.ogg"
    path.write_bytes(whole)
    assert audio._promised_frames(path) == 0
    path.write_bytes(whole[:-1])
    assert audio._promised_frames(path) == soundfile.info(path).frames + 1
    last = whole.rfind(b"OggS")
    path.write_bytes(whole[:last])  # ends with a whole page that is not the last
    assert audio._promised_frames(path) == soundfile.info(path).frames + 1


@pytest.mark.parametrize(("rate", "channels", "mono", "refused"), [
    (96_000, 4, True, True),  # 10.7 GiB decoded, 2.7 in memory
    (44_100, 6, False, True), (44_100, 6, True, False),  # 7.1 GiB decoded, 1.2 in memory as mono
    (44_100, 2, False, False),  # 2.4 GiB
])
def test_what_is_decoded_and_what_is_kept_have_a_limit_each(tmp_path, rate, channels, mono, refused):
    path = tmp_path / "x.flac"
    claiming(path, 2 * 3600 * rate, channels, rate)
    with pytest.raises(audio.AudioError, match="when decoded, the limit is 8" if refused else "truncated|no audio"):
        audio.load(path, RATE, mono=mono)


def test_four_hours_are_the_longest(tmp_path):
    for seconds, said in ((4 * 3600, "truncated|no audio"), (4 * 3600 + 1, "4.0 hours long, the limit is 4")):
        claiming(tmp_path / "x.flac", seconds * 8000, 1, 8000)
        with pytest.raises(audio.AudioError, match=said):
            audio.load(tmp_path / "x.flac", 8000)


def test_quiet_samples_are_written_as_they_are(tmp_path):
    quiet = np.stack([0.5 * tone(0.1), -0.25 * tone(0.1)])
    audio.write(tmp_path / "new folder" / "x.wav", quiet, RATE)
    np.testing.assert_allclose(audio.load(tmp_path / "new folder" / "x.wav", RATE, mono=False), quiet, atol=2 / 2**16)
    np.testing.assert_allclose(audio.load(tmp_path / "new folder" / "x.wav", RATE), quiet.mean(axis=0), atol=2 / 2**16)
