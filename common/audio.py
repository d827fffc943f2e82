"""Reading and writing recordings, with errors that name the file and say what to do."""

import re
import sys
from pathlib import Path

import numpy as np
import soundfile

from common.errors import AudioError

BLOCK = 1 << 16  # frames a read
LONGEST_SECONDS = 4 * 3600  # a longer recording is refused before it is read
MOST_DECODED = 8 << 30  # bytes as float32, all channels: what a small file may unfold to, whatever is kept of it
MOST_KEPT = 3 << 30  # bytes as float32 that are held in memory: one channel, or all where all are asked for


def load(path: Path | str, sample_rate: int, mono: bool = True, duration: float | None = None,
         allow_short: bool = False) -> np.ndarray:
    """Read a recording as float32 in [-1, 1] at `sample_rate`.

    Args:
        duration: read only the first `duration` seconds.
        allow_short: use a file that holds fewer frames than its header declares as far as it goes, with a note.

    Returns: (samples,) if `mono` (channels averaged), else (channels, samples).

    Raises:
        AudioError: missing, unreadable, empty, not audio, truncated, too long, or with samples that are not finite.
    """
    samples, native, declared, _ = read(path, duration, mono)
    if len(samples) < declared:
        found = f"{path}: truncated, {len(samples)} of {declared} declared frames could be read"
        if not allow_short:
            raise AudioError(f"{found}; get the file again")
        print(f"note: {found}", file=sys.stderr)
    samples = samples if mono else samples.T
    if native != sample_rate:
        import soxr  # librosa's default resampler (soxr_hq), without librosa's import time

        samples = soxr.resample(samples.T, native, sample_rate, quality="HQ").T
    return np.ascontiguousarray(samples, np.float32)


def read(path: Path | str, duration: float | None = None,
         mono: bool = False) -> tuple[np.ndarray, int, int, str]:
    """Decode a recording as it is: (frames, channels) float32, its rate, the frames declared, the format.

    With `mono` (frames,): channels are averaged block by block, so that many of them take no more memory than one.
    `declared` is capped by `duration`; where it exceeds the frames read, the file is truncated or damaged.

    Raises:
        AudioError: as `load`, except that a truncated file is returned as far as it can be decoded.
    """
    path = Path(path)
    _refuse_what_is_not_audio(path)
    try:
        with soundfile.SoundFile(path) as file:
            promised = max(file.frames, _promised_frames(path))
            declared = promised if duration is None else min(promised, round(duration * file.samplerate))
            frames = min(file.frames, declared)
            _refuse_what_is_too_long(path, frames, file, mono)
            samples = np.empty(frames if mono else (frames, file.channels), np.float32)
            count = 0
            while count < frames:
                try:
                    block = file.read(min(BLOCK, frames - count), dtype="float32", always_2d=True)
                except soundfile.LibsndfileError:
                    break  # a damaged frame: what came before it stands
                if not len(block):
                    break
                samples[count:count + len(block)] = block.mean(axis=1) if mono else block
                count += len(block)
            rate, kind = file.samplerate, file.format
        if kind == "MP3" and count < declared and _whole_mpeg(path):
            declared = count  # without a count in the file libsndfile takes its size, pictures in tags included
    except soundfile.LibsndfileError as error:
        words = error.error_string.strip().rstrip(".")
        words = "" if "does not exist" in words else f" ({words})"  # said of any text called .mp3; the file is there
        raise AudioError(f"{path}: not a readable recording{words}; convert it to WAV or FLAC, or remove it") from None
    if not count:
        raise AudioError(f"{path}: no audio in it; get the file again or remove it")
    samples = samples[:count]
    if not np.isfinite(samples).all():
        raise AudioError(f"{path}: {int((~np.isfinite(samples)).sum())} samples are not finite numbers; "
                         "export the file again")
    return samples, rate, declared, kind


def _refuse_what_is_too_long(path: Path, frames: int, file: soundfile.SoundFile, mono: bool):
    """By what the header says, before anything is decoded."""
    if file.frames == 2**63 - 1:  # libsndfile's word for it; it cannot find the end of such a file
        raise AudioError(f"{path}: its header does not say how long it is (written to a pipe?); decode it to "
                         "WAV, or encode it anew")
    hours = frames / file.samplerate / 3600
    if hours * 3600 > LONGEST_SECONDS:
        raise AudioError(f"{path}: {hours:.1f} hours long, the limit is {LONGEST_SECONDS // 3600}; "
                         "cut it into movements or tracks")
    decoded = frames * file.channels * 4
    if decoded > MOST_DECODED or (frames * 4 if mono else decoded) > MOST_KEPT:
        raise AudioError(f"{path}: {hours:.1f} hours of {file.channels} channels at {file.samplerate} Hz are "
                         f"{decoded / 2**30:.0f} GiB when decoded, the limit is {MOST_DECODED >> 30} "
                         f"({MOST_KEPT >> 30} in memory); cut it into movements or tracks, or lower its rate")


def _promised_frames(path: Path) -> int:
    """Frames that a WAV, AU or OGG file's own header promises; 0 where it says nothing.

    libsndfile lowers what it declares to what is there, so that a cut file would look whole.
    """
    size = path.stat().st_size
    with open(path, "rb") as file:
        head = file.read(24)
        if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
            file.seek(12)
            width = 0
            while len(chunk := file.read(8)) == 8:
                name, length = chunk[:4], int.from_bytes(chunk[4:], "little")
                if name == b"fmt ":
                    body = file.read(16)
                    kind = int.from_bytes(body[:2], "little")
                    width = int.from_bytes(body[12:14], "little") if kind in (1, 3, 0xFFFE) else 0
                    file.seek(length - 16 + length % 2, 1)
                elif name == b"data":  # 0 and 2^32 - 1 are written by programs that stream
                    return length // width if width and length < 0xFFFFFF00 else 0
                else:
                    file.seek(length + length % 2, 1)
        elif head[:4] == b".snd" and len(head) == 24:
            length, kind, _, channels = (int.from_bytes(head[i:i + 4], "big") for i in (8, 12, 16, 20))
            width = {1: 1, 2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 8, 27: 1}.get(kind, 0) * channels
            return length // width if width and length < 0xFFFFFF00 else 0
        elif head[:4] == b"OggS":  # the last page of a whole stream says so; its sample count then equals libsndfile's
            file.seek(max(0, size - (1 << 17)))
            tail = file.read()
            page = tail[max(0, tail.rfind(b"OggS")):]
            whole = len(page) > 27 and len(page) >= 27 + page[26] + sum(page[27:27 + page[26]])
            if not (whole and page[5] & 4):
                with soundfile.SoundFile(path) as opened:
                    return opened.frames + 1  # at least: how much is missing cannot be known
    return 0


def _whole_mpeg(path: Path) -> bool:
    """Whether an MP3 that does not say how many frames it has consists of whole frames from its first to its last.

    False too for a file that does say it (Xing, Info or VBRI in its first frame): then that number counts.
    """
    data = path.read_bytes()
    start = 10 + sum((data[6 + k] & 127) << 7 * (3 - k) for k in range(4)) if data[:3] == b"ID3" else 0
    while start < len(data) and data[start] == 0:  # padding after the tag
        start += 1
    if not (first := _mpeg_frame_bytes(data[start:start + 4])) or re.search(
            b"Xing|Info|VBRI", data[start:start + min(first, 200)]):
        return False
    while start < len(data) and data[start:start + 3] != b"TAG" and data[start:start + 8] != b"APETAGEX":
        length = _mpeg_frame_bytes(data[start:start + 4])
        if not length or start + length > len(data):
            return False
        start += length
    return True


def _mpeg_frame_bytes(head: bytes) -> int:
    """Length of the MPEG layer III frame that these four bytes begin, 0 if they begin none (ISO 11172-3, 13818-3)."""
    if len(head) < 4 or head[0] != 255 or head[1] & 0xE6 != 0xE2 or head[2] >> 4 in (0, 15) or head[2] & 12 == 12:
        return 0
    version, rate = head[1] >> 3 & 3, (44100, 48000, 32000)[head[2] >> 2 & 3]  # version 3: MPEG 1, 2: 2, 0: 2.5
    rates = ((32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320) if version == 3 else
             (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160))
    if version != 3:
        rate //= 2 if version == 2 else 4
    return (144000 if version == 3 else 72000) * rates[(head[2] >> 4) - 1] // rate + (head[2] >> 1 & 1)


def _refuse_what_is_not_audio(path: Path):
    """Errors of the file system, files without a header, and .au without the .snd magic, which is read as raw noise."""
    try:
        with open(path, "rb") as file:
            head = file.read(64)
    except FileNotFoundError:
        raise AudioError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise AudioError(f"{path}: a folder, not a recording") from None
    except PermissionError:
        raise AudioError(f"{path}: no permission to read it (chmod +r)") from None
    if not head:
        raise AudioError(f"{path}: empty file; get it again or remove it")
    if path.suffix.lower() == ".raw":
        raise AudioError(f"{path}: raw samples, with neither rate nor format; convert it to WAV or FLAC")
    if path.suffix.lower() in (".au", ".snd") and head[:4] not in (b".snd", b"dns."):
        raise AudioError(f"{path}: not an AU file, it lacks the .snd header; get the file again or remove it")


def write(path: Path | str, samples: np.ndarray, sample_rate: int) -> None:
    """Write mono (samples,) or (channels, samples) audio as 16-bit WAV; anything beyond +-1 is scaled, never clipped.

    Raises:
        ValueError: if samples are not finite.
    """
    samples = np.asarray(samples, np.float32)
    if not np.isfinite(samples).all():
        raise ValueError(f"{path}: samples are not finite")
    peak = np.abs(samples).max(initial=0.0)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, (samples / peak if peak > 1.0 else samples).T, sample_rate, subtype="PCM_16")
