"""`check` recognises each data set, reports what was planted in it and nothing else, and says what to run next."""

import importlib
import os
import re
import resource
import shutil
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from common.corpora import Corpus, Item, __main__, check, tables
from common.errors import DataError


def run(capfd, *arguments) -> tuple[int, str]:
    code = __main__.main([str(argument) for argument in arguments])
    return code, capfd.readouterr().out


def findings(text: str) -> dict[str, list[str]]:
    """Heading -> lines of the lists that `check` prints."""
    found, heading = {}, None
    for line in text.splitlines():
        if match := re.fullmatch(r"  (\D+) \((\d+)\):", line):
            heading = match[1]
            found[heading] = []
        elif heading and line.startswith("    "):
            found[heading].append(line.strip())
        else:
            heading = None
    return found


def copied(source: Path, tmp_path: Path) -> Path:
    shutil.copytree(source, tmp_path / "copy")
    return tmp_path / "copy"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "papers"),
    [
        ("gtzan", ["softmax_ae"]),
        ("fma", ["fma_interpolation", "lord_transfer"]),
        ("medley_solos_db", ["lord_transfer", "softmax_ae"]),
        ("lmd_matched", ["musae"]),
        ("orchestral", ["symphony2vec"]),
    ],
)
def test_a_demo_is_recognised_and_has_only_its_own_faults(demos, capfd, family, papers):
    code, text = run(capfd, "check", demos(family))
    assert "evidence `demo`: a demo corpus written by Encore (seed 0)" in text.splitlines()[0]
    assert [re.search(r"reproduce-(\w+)", line)[1] for line in text.splitlines() if line.startswith("Next")] == papers
    found = findings(text)
    if family == "lmd_matched":  # one of the 24 songs is no MIDI file on purpose
        assert code == 1
        assert set(found) == {"unreadable"}
        assert [line.split(": ")[1] for line in found["unreadable"]] == ["not a MIDI file (no MThd header)"]
    else:
        assert (code, found) == (0, {})


def test_faults_planted_in_gtzan(demos, capfd, tmp_path):
    root = copied(demos("gtzan"), tmp_path)
    jazz = root / "genres" / "jazz"
    os.truncate(jazz / "jazz.00001.wav", 500_000)
    (jazz / "jazz.00002.wav").write_text("this is no sound")
    (jazz / "jazz.00003.wav").write_bytes(b"")
    shutil.copy(root / "genres" / "pop" / "pop.00001.wav", root / "genres" / "pop" / "pop.00007.wav")
    shutil.copy(jazz / "jazz.00000.wav", jazz / "jazz.00054.wav")
    (jazz / "cover.wav").write_bytes(b"x")
    code, text = run(capfd, "check", root)
    found = findings(text)
    assert code == 1
    assert [line.split(":")[0] for line in found.pop("unreadable")] == ["jazz/jazz.00002.wav", "jazz/jazz.00003.wav"]
    (short,) = found.pop("shorter than declared, used as far as they go")
    assert short.startswith("jazz/jazz.00001.wav: 249,9")
    assert short.endswith("of 661,500 declared frames")
    assert found.pop("the same file under several names") == ["pop/pop.00001.wav, pop/pop.00007.wav"]
    left_out = found.pop("left out")
    assert [line.split(":")[0] for line in left_out] == ["jazz/cover.wav", "jazz/jazz.00054.wav"]
    assert found == {}


@pytest.mark.slow
def test_faults_planted_in_fma(demos, capfd, tmp_path):
    root = copied(demos("fma"), tmp_path)
    clips = sorted((root / "fma_medium").rglob("*.mp3"))
    clips[0].unlink()
    clips[1].write_bytes(b"\0" * 20_000)
    os.truncate(clips[2], clips[2].stat().st_size // 2)
    (root / "fma_medium" / "000").mkdir(exist_ok=True)
    (root / "fma_medium" / "000" / "000001.mp3").write_bytes(b"x")
    code, text = run(capfd, "check", root)
    found = findings(text)
    assert code == 1
    assert found.pop("missing") == [clips[0].relative_to(root / "fma_medium").as_posix()]
    assert [line.split(":")[0] for line in found.pop("unreadable")] == [f"{clips[1].parent.name}/{clips[1].name}"]
    assert [line.split("/")[1][:10] for line in found.pop("shorter than declared, used as far as they go")] == [
        clips[2].name
    ]
    assert found.pop("left out") == ["000/000001.mp3: is not in tracks.csv as a track of fma_medium"] or not found
    assert found == {}


@pytest.mark.slow
def test_faults_planted_in_the_others(demos, capfd, tmp_path):
    medley = copied(demos("medley_solos_db"), tmp_path / "m")
    first, second, *_ = sorted(medley.glob("*.wav"))
    first.rename(medley / first.name.replace("test-0", "test-3"))
    second.unlink()
    _, text = run(capfd, "check", medley)
    found = findings(text)
    assert len(found["missing"]) == 2
    assert found["left out"][0].endswith("has it as test, instrument 0")

    lakh = copied(demos("lmd_matched"), tmp_path / "l")
    readable = [path for path in sorted(lakh.rglob("*.mid")) if not check.opened(path)[0]]
    readable[0].write_bytes(readable[0].read_bytes() + b"\0")
    assert "MD5" in check.opened(readable[0])[0]
    assert len(findings(run(capfd, "check", lakh)[1])["unreadable"]) == 2

    orchestral = copied(demos("orchestral"), tmp_path / "o")
    movement = sorted((orchestral / "Haydn").iterdir())[0]
    movement.write_bytes(movement.read_bytes()[:300])
    assert findings(run(capfd, "check", orchestral)[1]).keys() == {"unreadable"}


@pytest.mark.slow
def test_real_files(real, capfd):
    code, text = run(capfd, "check", real("cc_audio"))
    short = findings(text)["shorter than declared, used as far as they go"]
    assert code == 0
    assert [line.split(":")[0] for line in short] == ["kevin_macleod/Krampus Workshop.mp3"]
    for folder in ("medley_solos_db", "midi/freedoom", "midi/openmsx", "orchestral"):
        code, text = run(capfd, "check", real(folder))
        assert (code, findings(text)) == (0, {})


def test_a_name_is_shown_as_it_is_unless_it_would_write_on_the_screen(tmp_path):
    assert check._shown(tmp_path / "a" / "naïve 曲.wav", tmp_path) == "a/naïve 曲.wav"
    assert check._shown(tmp_path / "a\n\x1b[2J.wav", tmp_path) == "a\\n\\x1b[2J.wav"
    assert check._shown(tmp_path / "x", tmp_path / "elsewhere") == (tmp_path / "x").as_posix()


def test_quick_does_not_open_files(capfd, tmp_path):
    (tmp_path / "genres" / "jazz").mkdir(parents=True)
    (tmp_path / "genres" / "jazz" / "jazz.00001.au").write_text("no sound")
    code, text = run(capfd, "check", tmp_path, "--quick")
    assert "unreadable" not in findings(text)
    assert "unreadable" in findings(run(capfd, "check", tmp_path)[1])
    assert code == 1  # 999 tracks are missing
    assert len(findings(text)["missing"]) == check.SHOWN + 1
    assert "and 986 more" in text


def test_class_folders_are_for_every_paper_on_recordings_and_each_reads_them(capfd, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        soundfile.write(tmp_path / name / "x.wav", np.zeros(100), 8000)
    text = run(capfd, "check", tmp_path)[1]
    named = [re.search(r"reproduce-(\w+)", line)[1] for line in text.splitlines() if line.startswith("Next")]
    assert named == ["fma_interpolation", "lord_transfer", "softmax_ae", "symphony2vec"]
    for paper in set(named) - {"lord_transfer"}:  # which asks for its data set by name
        corpus = importlib.import_module(f"papers.{paper}.preprocess").find_corpus(tmp_path, "demo", False)
        assert corpus.counts() == {"a": 1, "b": 1}


def test_a_folder_without_data_says_which_layouts_there_are(capfd, tmp_path):
    for folder, said in ((tmp_path, "genres/<genre>"), (tmp_path / "nothing", "no such folder")):
        with pytest.raises(SystemExit) as end:
            __main__.main(["check", str(folder)])
        assert end.value.code == 2
        assert said in capfd.readouterr().err


def test_help_explains_without_tensorflow():
    code = "import sys; from common.corpora import __main__ as m\ntry: m.main(['check', '--help'])\n"
    code += "except SystemExit: print('tensorflow' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "Recognise a data set" in answer
    assert answer.strip().endswith("False")


def _wav_claiming(frames: int) -> bytes:
    form = struct.pack("<IHHIIHH", 16, 1, 1, 22050, 44100, 2, 16)
    head = b"RIFF" + struct.pack("<I", 2 * frames + 36) + b"WAVEfmt " + form + b"data" + struct.pack("<I", 2 * frames)
    return head + b"\1\0" * 3000


def _midi(track: bytes, resolution: int = 480, length: int | None = None) -> bytes:
    size = len(track) if length is None else length
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, resolution) + b"MTrk" + struct.pack(">I", size) + track


END = b"\x00\xff\x2f\x00"
NOTE = b"\x00\x90\x3c\x40\x60\x80\x3c\x40"
BEYOND = {
    "ticks.mid": _midi(b"\xff\xff\xff\x7f\x90\x3c\x40" * 8 + END),
    "tempo.mid": _midi(b"\x00\xff\x51\x03\x00\x00\x00" + NOTE + END),
    "resolution.mid": _midi(NOTE + END, resolution=0),
    "frames.mid": _midi(NOTE + END, resolution=0xE728),
    "length.mid": _midi(NOTE + END, length=0x7FFFFFFF),
    "large.mid": _midi(NOTE * 3_000_000 + END),
    "cut.mid": _midi(NOTE + END)[:-6],
    "bytes.mid": _midi(b"\x00\x90\xbc\x40" + END),
    "text.mid": b"MThd but not really",
    "empty.mid": b"",
}


@pytest.mark.parametrize("name", BEYOND)
def test_midi_beyond_the_limits_is_refused_in_seconds_and_without_filling_memory(tmp_path, name):
    (tmp_path / name).write_bytes(BEYOND[name])
    check.opened(tmp_path / "warm.mid")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    reason, _ = check.opened(tmp_path / name)
    assert reason
    assert str(tmp_path) not in reason
    assert time.process_time() - start < 20  # the first call compiles the parser
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 600_000  # kB


def test_audio_beyond_the_limits(tmp_path):
    path = tmp_path / "claims.wav"
    path.write_bytes(_wav_claiming(2**30))
    start = time.process_time()
    damage, short = check.opened(path)
    assert (damage, short) == ("", "3,000 of 1,073,741,824 declared frames") or "hours" in damage
    hours = tmp_path / "hours.au"
    with open(hours, "wb") as file:  # five hours of 8-bit samples at 8 kHz, a file of holes
        file.write(b".snd" + struct.pack(">IIIII", 24, 5 * 3600 * 8000, 1, 8000, 1))
        file.truncate(24 + 5 * 3600 * 8000)
    assert "5.0 hours" in check.opened(hours)[0]
    nan = tmp_path / "nan.wav"
    soundfile.write(nan, np.array([0.0, np.nan] * 500), 22050, subtype="FLOAT")
    assert "not finite" in check.opened(nan)[0]
    silent = tmp_path / "silent.wav"
    soundfile.write(silent, np.zeros(500), 22050)
    assert check.opened(silent) == ("", "")
    assert time.process_time() - start < 10


def test_tables_beyond_the_limits(tmp_path, monkeypatch):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "1,2\n" * 50)
    monkeypatch.setattr(tables, "MAX_ROWS", 20)
    with pytest.raises(DataError, match="more than 20 rows"):
        list(tables.rows(path))
    monkeypatch.setattr(tables, "MAX_BYTES", 100)
    with pytest.raises(DataError, match="204 bytes, at most 100"):
        list(tables.rows(path))
    with pytest.raises(DataError, match="cannot be read"):
        list(tables.rows(tmp_path / "none.csv"))


def test_an_intact_fma_large_is_well_although_tracks_without_a_genre_are_left_out(tmp_path, capsys):
    place = tmp_path / "fma data"
    (place / "fma_large" / "000").mkdir(parents=True)
    (place / "fma_metadata").mkdir()
    rows = [["", "track", "track", "artist", "set", "set"], ["", "genre_top", "title", "id", "subset", "split"],
            ["track_id"] + [""] * 5]
    for track, genre, subset in ((2, "Rock", "small"), (5, "Jazz", "medium"), (6, "", "large")):
        (place / "fma_large" / "000" / f"{track:06d}.mp3").write_bytes(b"x")
        rows.append([str(track), genre, "a", str(track), subset, "training"])
    (place / "fma_metadata" / "tracks.csv").write_text("\n".join(",".join(row) for row in rows) + "\n")
    assert check.report(place, quick=True) == 0
    said = capsys.readouterr().out
    assert "has no root genre in tracks.csv" in said and f"DATA='{place}'" in said
    (place / "fma_large" / "000" / "odd.mp3").write_bytes(b"x")
    assert check.report(place, quick=True) == 1


@pytest.mark.parametrize(("groups", "told"), [([["a"], ["b", "c"]], True), ([["a", "d"], ["b", "c"]], False)])
def test_a_class_of_a_single_group_is_told(groups, told, capsys):
    items = [Item(f"{label}-{name}", Path(name), str(label), name) for label, names in enumerate(groups)
             for name in names for _ in range(2)]
    check._print_counts("folder", Corpus("folder", Path("."), "other", items))
    assert ("a class has a single group" in capsys.readouterr().out) == told
