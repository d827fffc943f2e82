"""Damaged and inflated MIDI files through the whole reader: what the slowest takes, and by how much memory grows.

python -m tests.papers.musae.mutated DIRECTORY COUNT prints {"readable", "seconds", "megabytes", "slowest"} as JSON.
"""

import json
import random
import resource
import struct
import sys
import time
from pathlib import Path

from papers.musae import preprocess
from tests.papers.musae.test_preprocess import song

RULES = (("complete", "one"), ("pypianoroll", "one"), ("pypianoroll", "any_4_4"))


def chunks(data):
    """A file's tracks, without their headers."""
    found, at = [], 14
    while at + 8 <= len(data):
        size = struct.unpack(">I", data[at + 4 : at + 8])[0]
        found.append(data[at + 8 : at + 8 + size])
        at += 8 + size
    return found


def joined(tracks, resolution):
    """A file of these tracks."""
    head = b"MThd" + struct.pack(">IHHH", 6, 1, min(len(tracks), 65535), resolution)
    return head + b"".join(b"MTrk" + struct.pack(">I", len(track)) + track for track in tracks)


def flip(draw, tracks, resolution):
    """A few bytes changed."""
    for _ in range(draw.randint(1, 3)):
        track = draw.randrange(len(tracks))
        bytes_ = bytearray(tracks[track])
        bytes_[draw.randrange(len(bytes_))] = draw.randrange(256)
        tracks[track] = bytes(bytes_)
    return tracks, resolution


def late(draw, tracks, resolution):
    """A track that sounds, or says something, much later."""
    ticks = draw.choice([100_000, 1_000_000, 5_000_000])
    number = bytes([0x80 | ticks >> 21 & 127, 0x80 | ticks >> 14 & 127, 0x80 | ticks >> 7 & 127, ticks & 127])
    after = draw.choice([b"\x99\x24\x40\x60\x89\x24\x00", b"\x91\x28\x40\x60\x81\x28\x00", b"\xff\x01\x01x"])
    return [*tracks, number + after + b"\x00\xff\x2f\x00"], resolution


def many(draw, tracks, resolution):
    """One track many times, each with a program of its own."""
    copies, track = draw.choice([3, 20, 60, 400, 1020]), draw.choice(tracks)
    channel, kind = draw.choice([0, 1, 9]), draw.choice([range(128), range(32, 40), range(32)])
    return tracks + [bytes([0, 0xC0 | channel, kind[k % len(kind)]]) + track for k in range(copies)], resolution


def slow_clock(draw, tracks, resolution):
    """Fewer or more ticks to a quarter note: more or fewer steps."""
    return tracks, draw.choice([1, 2, 3, 24, 30_000])


def shifted(draw, tracks, resolution):
    """A piece of a track left out, or said twice."""
    track = draw.randrange(len(tracks))
    at, size = draw.randrange(len(tracks[track])), draw.randint(1, 200)
    part = tracks[track]
    tracks[track] = part[:at] + (part[at : at + size] * 2 if draw.random() < 0.5 else b"") + part[at + size :]
    return tracks, resolution


def main(directory, count):
    """Warm up on whole songs, then measure."""
    draw = random.Random(0)
    whole = [song(directory / f"song-{k}.mid", bars=24, seed=k, drums=1 + k % 3) for k in range(4)]
    for rule in RULES:
        assert "reason" not in preprocess.process(whole[0], *rule, 16)
    before, worst, readable, name = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, 0.0, 0, ""
    for number in range(count):
        data = draw.choice(whole).read_bytes()
        made = chunks(data), 96
        kinds = draw.choices((flip, late, many, slow_clock, shifted), k=draw.randint(1, 3))
        for kind in kinds:
            made = kind(draw, *made)
        path = directory / "mutated.mid"
        path.write_bytes(joined(*made))
        for rule in RULES:
            begin = time.process_time()
            found = preprocess.process(path, *rule, 16)
            seconds = time.process_time() - begin
            readable += "reason" not in found
            if seconds > worst:
                worst, name = seconds, f"{number} {' '.join(kind.__name__ for kind in kinds)} {rule}"
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(json.dumps({"readable": readable, "seconds": worst, "megabytes": grown, "slowest": name}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
