"""What files are evidence of is in them: noise with the right names, empty files, parts of a demo."""

import dataclasses
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from common import corpora, store
from common.corpora import __main__ as command, contents, evidence, fma, known
from tests.common.corpora import test_fma, test_lakh

RECIPE = {"name": "plain", "version": 1}


def noise(path, seed, seconds=0.05):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.random.default_rng(seed).uniform(-0.5, 0.5, int(22050 * seconds)), 22050)


def md5(path):
    return hashlib.md5(path.read_bytes()).hexdigest()


def prepared(corpus, tmp_path, unusable=(), by_rule=()):
    """store.json of a store of `corpus`, in which some items could not be used or were left out by a rule."""
    def build(writer):
        for item in corpus.items:
            if item.id in (*unusable, *by_rule):
                writer.reject(item.path, "cannot be decoded", by_rule=item.id in by_rule)
            else:
                writer.row(item=item.id, group=item.group, label=item.label, path=item.path)

    return store.prepare(corpus, RECIPE, tmp_path / "stores", build).parameters["corpus"]


def checked(capfd, place):
    code = command.main(["check", str(place)])
    return code, capfd.readouterr().out.splitlines()[0]


@pytest.fixture
def small_gtzan(tmp_path, monkeypatch):
    """GTZAN of eight tracks, with checksums of what is there."""
    root = tmp_path / "gtzan" / "genres_original"
    paths = [root / genre / f"{genre}.{k:05d}.wav" for genre in ("jazz", "rock") for k in range(4)]
    for seed, path in enumerate(paths):
        noise(path, seed)
    tables = {"published": ({"data_set": "gtzan", "label": "jazz", "files": 4},
                            {"data_set": "gtzan", "label": "rock", "files": 4}),
              "gtzan_md5": tuple({"file": path.name, "md5": md5(path)} for path in paths),
              "gtzan_duplicates": (), "gtzan_known_bad": ()}
    monkeypatch.setattr(known, "table", lambda name: tables[name])
    for function in (known.checksums, known.counts):
        function.cache_clear()
    yield root
    for function in (known.checksums, known.counts):
        function.cache_clear()


def test_equal_contents_are_published_and_one_other_byte_is_not(small_gtzan, tmp_path, capfd):
    found = prepared(corpora.find(tmp_path / "gtzan", "gtzan"), tmp_path)
    assert (found["name"], found["label"], found["evidence"]) == ("gtzan", "gtzan", "published")
    assert found["items"] == found["published_items"] == 8
    code, line = checked(capfd, tmp_path / "gtzan")
    assert code == 0 and line.endswith(
        "evidence `published`: 8 of 8 published files, each with the published contents, complete")

    victim = small_gtzan / "rock" / "rock.00002.wav"
    whole = bytearray(victim.read_bytes())
    whole[-1] ^= 1
    victim.write_bytes(whole)
    found = prepared(corpora.find(tmp_path / "gtzan", "gtzan"), tmp_path)
    assert (found["name"], found["evidence"]) == ("named-gtzan", "other")
    assert found["label"].startswith("named-gtzan") and found["facts"]["other_contents"] == 1
    said = ("8 files have GTZAN's names, 1 have other contents than published (first: rock/rock.00002.wav); treated as "
            "other data: checksums are known of the .wav version only")
    assert found["items"] == found["published_items"] == 8
    assert found["said"].startswith(said)
    code, line = checked(capfd, tmp_path / "gtzan")
    assert code == 1 and said in line  # check says what the store says


def test_a_missing_file_leaves_the_name_and_takes_the_level(small_gtzan, tmp_path):
    (small_gtzan / "rock" / "rock.00003.wav").unlink()
    found = prepared(corpora.find(tmp_path / "gtzan", "gtzan"), tmp_path)
    assert (found["name"], found["evidence"], found["items"], found["published_items"]) == ("gtzan", "other", 7, 8)


def test_what_the_preprocessing_cannot_use_takes_the_level_and_is_named(small_gtzan, tmp_path):
    def made(place, **words):
        return prepared(corpora.find(tmp_path / "gtzan", "gtzan"), tmp_path / place, **words)

    assert made("a", by_rule=("jazz.00001", "rock.00001"))["evidence"] == "published"  # the paper's own rules
    found = made("b", unusable=("jazz.00001", "rock.00001"))
    assert (found["name"], found["evidence"]) == ("gtzan", "other") and found["label"] != "gtzan"
    assert found["said"] == ("8 of 8 published files, each with the published contents, complete, but 2 could not be "
                             "used (first: jazz/jazz.00001.wav: cannot be decoded)")
    (small_gtzan / "README.wav").write_bytes(b"x")  # left out by the reader: no published file
    assert made("c")["evidence"] == "published"


def test_check_opens_files_before_it_says_what_they_are_evidence_of(small_gtzan, tmp_path, capfd, monkeypatch):
    """Published files that cannot be decoded: here one whose published contents are none."""
    path = small_gtzan / "rock" / "rock.00002.wav"
    path.write_bytes(b"RIFF" + bytes(100))
    with monkeypatch.context() as patch:
        patch.setattr(known, "checksums", lambda _: {one.name: md5(one) for one in small_gtzan.rglob("*.wav")})
        code, line = checked(capfd, tmp_path / "gtzan")
    assert code == 1 and "evidence `other`: 8 of 8 published files" in line
    assert "but 1 could not be used (first: rock/rock.00002.wav: not a readable recording" in line


def test_files_whose_checksum_nobody_knows_do_not_carry_the_name(small_gtzan, tmp_path):
    track = small_gtzan / "rock" / "rock.00003.wav"
    soundfile.write(track.with_suffix(".au"), soundfile.read(track)[0], 22050)
    track.unlink()
    found = prepared(corpora.find(tmp_path / "gtzan", "gtzan"), tmp_path)
    assert (found["name"], found["evidence"]) == ("named-gtzan", "other")
    assert "of 1 no checksum is known (first: rock/rock.00003.au)" in found["said"]


def test_the_checksums_are_those_of_every_published_file():
    assert len(known.checksums("gtzan")) == 1000 and len(known.checksums("medley_solos_db")) == 21571
    for name, label in (("gtzan", 0), ("medley_solos_db", None)):
        sums = known.checksums(name)
        assert all(len(value) == 32 for value in sums.values()) and len(sums) == evidence.published(name)
        if label == 0:
            assert {file.rsplit(".", 1)[0] for file in sums} == set(corpora.finding.gtzan.expected_tracks())


def test_white_noise_named_as_gtzan(tmp_path, capfd):
    for k, name in enumerate(known.checksums("gtzan")):
        path = tmp_path / "noise" / "genres_original" / name.split(".")[0] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if k % 5:
            path.write_bytes(b"")  # as in the first attempt: 800 empty ones
        else:
            noise(path, k)
    corpus = corpora.find(tmp_path / "noise", "gtzan")
    assert corpus.complete and corpus.evidence == "other"
    found = prepared(corpus, tmp_path)
    assert (found["name"], found["evidence"]) == ("named-gtzan", "other")
    assert "999 files have GTZAN's names, 999 have other contents than published" in found["said"]
    code, line = checked(capfd, tmp_path / "noise")
    assert code == 1 and "evidence `other`: 999 files have GTZAN's names" in line


def test_no_orchestral_corpus_is_published(tmp_path, capfd):
    for composer, count in known.counts("orchestral").items():
        for number in range(count):
            path = tmp_path / "o" / composer / f"Work {number}.mp3"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")
    corpus = corpora.find(tmp_path / "o", "orchestral")
    assert len(corpus.items) == 151
    assert evidence.settled(corpus).evidence == "other"
    code, line = checked(capfd, tmp_path / "o")
    assert code == 1 and "evidence `other`: the paper's recordings are sold, not published" in line


@pytest.fixture
def fma_tree(tmp_path, monkeypatch):
    """An FMA medium of five clips, of 30 s but for those known to be short or empty; their list; sizes as published."""
    from common.demo.sound import write_mp3

    test_fma.write_tracks(tmp_path / "fma_metadata" / "tracks.csv")
    folder = tmp_path / "fma_medium"

    def clip(track, seconds):
        path = folder / f"{track:06d}"[:3] / f"{track:06d}.mp3"
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(track).uniform(-0.5, 0.5, int(8000 * seconds)).astype(np.float32)
        write_mp3(path, noise, 8000)

    def listed():
        (folder / "checksums").write_text("".join(
            f"{hashlib.sha1(path.read_bytes()).hexdigest()}  {path.relative_to(folder)}\n"
            for path in sorted(folder.rglob("*.mp3"))))

    for track, seconds in ((2, 30), (5, 29.98), (140, 30.02), (98565, 1.6), (99134, 0.1)):
        clip(track, seconds)
    listed()
    known.counts.cache_clear()
    monkeypatch.setattr(known, "counts", lambda _: {"Hip-Hop": 2, "Folk": 1, "Rock": 2})
    size = sum(path.stat().st_size for path in folder.rglob("*.mp3")) / (1 << 30)
    monkeypatch.setitem(evidence.FMA, "fma_medium", dataclasses.replace(fma.MEDIUM, GIB=size))
    return clip, listed


def settled_fma(tmp_path):
    found = evidence.settled(corpora.find(tmp_path, "fma_medium"))
    return found.name, found.evidence, found.said


def test_fma_of_the_published_sizes_and_lengths(fma_tree, tmp_path):
    assert settled_fma(tmp_path)[:2] == ("fma_medium", "published")
    corpus = corpora.find(tmp_path, "fma_medium")
    assert prepared(corpus, tmp_path / "a", unusable=("098565",))["evidence"] == "published"  # known to be short
    assert prepared(corpus, tmp_path / "b", unusable=("000140",))["evidence"] == "other"


def test_fma_of_another_length_or_size_is_not_published_whatever_its_list_says(fma_tree, tmp_path, monkeypatch):
    clip, listed = fma_tree
    clip(140, 27)
    listed()
    name, level, said = settled_fma(tmp_path)
    assert (name, level) == ("named-fma_medium", "other")
    assert said.startswith("4 files have FMA medium's names, but 000140.mp3 is of 27.0 s instead of 30")
    (tmp_path / "fma_medium" / "000" / "000140.mp3").write_bytes(b"x" * 60000)  # no recording at all
    listed()
    assert "000140.mp3 is of 0.0 s instead of 30" in settled_fma(tmp_path)[2]
    clip(140, 30)
    listed()
    assert settled_fma(tmp_path)[1] == "published"
    monkeypatch.setitem(evidence.FMA, "fma_medium", fma.MEDIUM)
    assert "but 0.00 GiB instead of 22" in settled_fma(tmp_path)[2] and settled_fma(tmp_path)[1] == "other"


def test_fma_is_compared_with_the_list_in_its_archive(fma_tree, tmp_path, monkeypatch):
    folder = tmp_path / "fma_medium"
    sums = (folder / "checksums").read_text()
    (folder / "checksums").unlink()
    assert settled_fma(tmp_path)[:2] == ("named-fma_medium", "other")
    (folder / "checksums").write_text(sums)
    with monkeypatch.context() as patch:
        patch.setattr(known, "counts", lambda _: {"Hip-Hop": 2, "Folk": 1, "Rock": 24_997})
        assert settled_fma(tmp_path)[:2] == ("fma_medium", "other")  # four of 25,000
    before = corpora.find(tmp_path, "fma_medium").fingerprint
    (tmp_path / "fma_metadata" / "genres.csv").write_text("genre_id,title\n")  # a table that papers read
    assert corpora.find(tmp_path, "fma_medium").fingerprint != before
    (folder / "000" / "000005.mp3").write_bytes(b"y")
    found = evidence.settled(corpora.find(tmp_path, "fma_medium"))
    assert (found.name, found.evidence, found.facts["other_contents"]) == ("named-fma_medium", "other", 1)


def test_lakh_files_are_what_their_names_say(tmp_path, monkeypatch):
    name = hashlib.md5(b"x").hexdigest()
    test_lakh.write_tree(tmp_path, {test_lakh.TRACKS[0]: ([name], "one"), test_lakh.TRACKS[1]: ([name], "two")})
    assert evidence.settled(corpora.find(tmp_path, "lmd_matched")).evidence == "other"  # one of 45,129
    monkeypatch.setattr(known, "counts", lambda _: {"": 1})
    assert evidence.settled(corpora.find(tmp_path, "lmd_matched")).evidence == "published"
    next(tmp_path.rglob("*.mid")).write_bytes(b"z")
    assert evidence.settled(corpora.find(tmp_path, "lmd_matched")).name == "named-lmd_matched"


# Demo corpora, copied in parts

def test_a_demo_copied_class_by_class_stays_a_demo(demos, tmp_path, capfd):
    mine = tmp_path / "mine"
    for genre in ("jazz", "pop"):
        shutil.copytree(demos("gtzan") / "genres" / genre, mine / f"my {genre}")
    for name in ("gtzan", "folder"):
        found = evidence.settled(corpora.find(mine if name == "folder" else _renamed(mine, tmp_path), name))
        assert (found.evidence, found.facts["demo_seed"], found.facts["null"]) == ("demo", 0, False)
        assert found.said == "a demo corpus written by Encore (seed 0): every file carries its mark"
    stored = prepared(corpora.find(mine, "folder"), tmp_path)
    assert stored["evidence"] == "demo" and stored["label"] == "demo-folder-mine"
    code, line = checked(capfd, mine)
    assert code == 0 and "evidence `demo`: a demo corpus written by Encore" in line


def _renamed(mine, tmp_path):
    root = tmp_path / "as gtzan" / "genres"
    for folder in mine.iterdir():
        genre = folder.name.removeprefix("my ")
        shutil.copytree(folder, root / genre)
    return root.parent


def test_one_marked_file_among_others_and_under_another_name(demos, tmp_path):
    for number in range(3):
        noise(tmp_path / "mine" / "a" / f"{number}.wav", number)
    assert evidence.settled(corpora.find(tmp_path / "mine", "folder")).evidence == "other"
    track = sorted((demos("gtzan") / "genres" / "pop").iterdir())[0]
    shutil.copyfile(track, tmp_path / "mine" / "a" / "holiday.wav")
    found = evidence.settled(corpora.find(tmp_path / "mine", "folder"))
    assert found.evidence == "demo" and "1 of 4 files carry its mark" in found.said


@pytest.mark.slow
@pytest.mark.parametrize(("family", "pattern"), [("medley_solos_db", "*.wav"), ("fma", "*.mp3"),
                                                 ("orchestral", "*.mp3"), ("lmd_matched", "*.mid")])
def test_every_file_of_every_demo_carries_its_mark(demos, tmp_path, family, pattern):
    paths = list(demos(family).rglob(pattern))
    found = contents.of({path: "" for path in paths}, demos(family))
    cut = [path for path in paths if found[path].mark is None]
    assert paths and not cut
    assert {content.mark for content in found.values()} == {(family, 0, False)}


def test_a_twin_is_told_from_its_demo(tmp_path):
    from common.demo import sound

    path = tmp_path / "mine" / "a" / "b.wav"
    noise(path, 0)
    noise(path.with_name("c.wav"), 0)
    sound.write_wav(path, np.zeros(100, np.float32), 22050, contents.mark("gtzan", 7, True))
    assert contents.of({path: ""}, tmp_path)[path].mark == ("gtzan", 7, True)
    found = evidence.settled(corpora.find(tmp_path / "mine", "folder"))
    assert found.facts["null"] is True and found.facts["demo_seed"] == 7 and "shuffled labels" in found.said
    assert store.label(found) == "null-folder-mine"


def test_a_mark_changes_no_sample_and_no_note(tmp_path):
    from common import midi
    from common.demo import lakh, sound

    samples = np.random.default_rng(0).uniform(-0.5, 0.5, 44100).astype(np.float32)
    text = contents.mark("gtzan", 0, False)
    for write, kind in ((sound.write_wav, "wav"), (sound.write_mp3, "mp3")):
        for name, mark in (("plain", ""), ("marked", text)):
            write(tmp_path / f"{name}.{kind}", samples, 44100, mark)
        plain, marked = (tmp_path / f"{name}.{kind}" for name in ("plain", "marked"))
        assert np.array_equal(soundfile.read(plain)[0], soundfile.read(marked)[0])
        assert text.encode() in marked.read_bytes() and text.encode() not in plain.read_bytes()
    for fault in ("", "no signature"):
        for name, mark in (("plain", ""), ("marked", text)):
            (tmp_path / f"{name}.mid").write_bytes(lakh.song("rock", fault, [0, 4, 0], mark))
        plain, marked = (midi.read(tmp_path / f"{name}.mid") for name in ("plain", "marked"))
        assert text.encode() in (tmp_path / "marked.mid").read_bytes()
        assert plain.end_tick == marked.end_tick and np.array_equal(plain.tempos, marked.tempos)
        assert np.array_equal(plain.metres, marked.metres) and len(plain.instruments) == len(marked.instruments)
        for one, two in zip(plain.instruments, marked.instruments, strict=True):
            assert (one.program, one.is_drum) == (two.program, two.is_drum)
            assert all(np.array_equal(getattr(one, key), getattr(two, key))
                       for key in ("start", "end", "pitch", "velocity"))


# Fingerprints

@pytest.fixture
def two_files(tmp_path):
    for name in ("one/a/x.wav", "one/b/y.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"abc")
    return tmp_path / "one"


def fingerprint(place):
    return corpora.find(place, "folder").fingerprint


def test_the_fingerprint_is_of_content_and_place_in_the_corpus(two_files, tmp_path, monkeypatch):
    first = fingerprint(two_files)
    shutil.copytree(two_files, tmp_path / "elsewhere" / "one")  # new times, another path: another machine
    assert fingerprint(tmp_path / "elsewhere" / "one") == first
    monkeypatch.chdir(tmp_path)
    assert fingerprint(Path("one")) == fingerprint(Path("./elsewhere/one")) == first
    os.utime(two_files / "a" / "x.wav", (1, 1))
    assert fingerprint(two_files) == first
    (two_files / "a").rename(two_files / "c")
    assert fingerprint(two_files) != first


def test_a_path_however_given_has_one_store(two_files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = {store.prepare(corpora.find(place, "folder"), RECIPE, tmp_path / "s",
                           lambda writer: writer.row(item="a", label="a", path="a")).directory
             for place in (Path("one"), Path("./one"), tmp_path / "one")}
    assert len(found) == 1


@pytest.mark.parametrize("remembered", [False, True])
def test_other_content_of_the_same_size_and_time_is_seen(two_files, tmp_path, monkeypatch, remembered):
    monkeypatch.setattr(contents, "MEMORY", tmp_path / "memory")
    if remembered:
        monkeypatch.setattr(contents, "WORTH_KEEPING", -1)
        time.sleep(2.1)  # only what has been still for two seconds is remembered
    victim = two_files / "a" / "x.wav"
    first, before = fingerprint(two_files), os.stat(victim)
    assert fingerprint(two_files) == first and (tmp_path / "memory").exists() == remembered
    victim.write_bytes(b"abd")
    os.utime(victim, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = os.stat(victim)
    assert (after.st_size, after.st_mtime_ns, after.st_ino) == (before.st_size, before.st_mtime_ns, before.st_ino)
    assert fingerprint(two_files) != first


def test_what_is_remembered_is_not_read_again(two_files, tmp_path, monkeypatch):
    monkeypatch.setattr(contents, "MEMORY", tmp_path / "memory")
    monkeypatch.setattr(contents, "WORTH_KEEPING", -1)
    fresh = fingerprint(two_files)
    assert json.loads(next((tmp_path / "memory").iterdir()).read_text()) == {}  # changed a moment ago: not trusted
    time.sleep(2.1)
    assert fingerprint(two_files) == fresh
    monkeypatch.setattr(contents, "_read", lambda *_: pytest.fail("read again"))
    assert fingerprint(two_files) == fresh


def test_a_mark_across_two_blocks_is_found(tmp_path, monkeypatch):
    text = contents.mark("gtzan", 0, False).encode()
    for before in (contents.BLOCK - 60, contents.BLOCK - 1, 0, 3 * contents.BLOCK - 10):
        (tmp_path / "a").write_bytes(b"\0" * before + text + b"\0" * 1000)
        assert contents.of({tmp_path / "a": ""}, tmp_path)[tmp_path / "a"].mark == ("gtzan", 0, False)


# Folders that cannot be read, and links

LOCKED = """
import os
from pathlib import Path
from common import corpora
from common.corpora import check
os.setgroups([]); os.setgid(65534); os.setuid(65534)
for name in corpora.NAMES:
    try:
        corpora.find(Path({place!r}), name)
    except corpora.DataError as error:
        print(name, error)
try:
    print("check", check.report(Path({place!r})))
except corpora.DataError as error:
    print("check:", error)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("locked", ["", "a"])
def test_a_locked_folder_is_one_line(locked):
    with tempfile.TemporaryDirectory() as place:  # below /tmp: others may not enter the folder of tmp_path
        os.chmod(place, 0o755)
        for name in ("a/x.wav", "b/y.wav"):
            noise(Path(place) / name, 0)
        os.chmod(Path(place) / locked, 0)
        code = LOCKED.format(place=place)
        answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
        os.chmod(Path(place) / locked, 0o755)
    assert "Traceback" not in answer.stderr, answer.stderr
    if locked:
        assert f"{locked}: folder cannot be read (Permission denied)" in answer.stdout
        assert "b: 1" in answer.stdout and "check 1" in answer.stdout
    else:
        assert answer.stdout.count("no permission to read this folder") == len(corpora.NAMES) + 1


@pytest.fixture
def unreadable(monkeypatch):
    """Make files and folders whose names begin with "locked" unreadable, whoever runs this."""
    import builtins

    def refusing(function):
        def asked(path, *words, **more):
            if isinstance(path, str | os.PathLike) and os.path.basename(os.fspath(path)).startswith("locked"):
                raise PermissionError(13, "Permission denied", str(path))
            return function(path, *words, **more)
        return asked

    monkeypatch.setattr(builtins, "open", refusing(open))
    monkeypatch.setattr(os, "scandir", refusing(os.scandir))
    monkeypatch.setattr(io, "open", refusing(io.open))


LOCKED_TREE = ("a/1", "a/2", "b/1", "b/2", "b/locked", "locked folder/1")


def listed_and_checked(root, name, capfd):
    """One dangling link, one locked file, one locked folder among five files: each is left out or unreadable."""
    ending = next(path.suffix for path in (root / "a").iterdir())
    (root / "a" / f"gone{ending}").symlink_to(root.parent / "nowhere")
    corpus = corpora.find(root, name)
    left_out = {path.name: reason for path, reason in corpus.rejected}
    assert left_out == {"locked folder": "folder cannot be read (Permission denied)",
                        f"gone{ending}": "link leads out of the folder"} and len(corpus.items) == 5
    assert command.main(["check", str(root)]) == 1
    said = capfd.readouterr().out
    assert "5 files, evidence `other`" in said and f"b/locked{ending}: " in said and "left out (2)" in said


def test_one_locked_recording_folder_or_dangling_link_is_one_reject_and_the_rest_goes_on(tmp_path, capfd, unreadable):
    from common import config
    from papers.softmax_ae import config as settings, preprocess

    for number, name in enumerate(LOCKED_TREE):
        noise(tmp_path / "mine" / f"{name}.wav", min(number, 4), 2)  # all of one size
    listed_and_checked(tmp_path / "mine", "folder", capfd)
    made = preprocess.preprocess(config.resolve(settings, "paper", "smoke"), tmp_path / "mine", "smoke", tmp_path / "s")
    reasons = {Path(row["path"]).name: row["reason"] for row in made.rejected}
    assert len(reasons) == 3 and reasons["locked.wav"] == "no permission to read it (chmod +r)"
    assert len({row["group"] for row in made.index}) == 4


def test_one_locked_song_is_one_reject_and_the_rest_goes_on(tmp_path, capfd, unreadable):
    from papers.musae import preprocess
    from tests.papers.musae.test_preprocess import song

    root = tmp_path / "mine"
    for number, name in enumerate(LOCKED_TREE):
        (root / f"{name}.mid").parent.mkdir(parents=True, exist_ok=True)
        song(tmp_path / "song.mid", seed=number).rename(root / f"{name}.mid")
    listed_and_checked(root, "lmd_matched", capfd)
    result = preprocess.process(root / "b" / "locked.mid", "complete", "one", 16)
    assert result == {"reason": "Permission denied", "by_rule": False}


def test_links_to_class_folders_are_named(tmp_path, capfd):
    for name in ("rock", "jazz"):
        noise(tmp_path / "real" / name / "a.wav", 0)
        (tmp_path / "mine").mkdir(exist_ok=True)
        (tmp_path / "mine" / name).symlink_to(tmp_path / "real" / name)
    with pytest.raises(corpora.DataError, match="jazz, rock: links to folders are not followed; put the folders"):
        corpora.find(tmp_path / "mine", "folder")
    with pytest.raises(SystemExit) as stop:
        command.main(["check", str(tmp_path / "mine")])
    assert stop.value.code == 2
    assert "jazz, rock: links to folders are not followed" in capfd.readouterr().err
