"""Rows of embeddings: which files give them, and how they are written."""

import csv
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tyro

from common import embedding
from common.errors import AudioError, MidiError


@dataclass(frozen=True)
class Options:
    files: tyro.conf.Positional[tuple[Path, ...]]
    output: Path | None = None


def encode(path):
    """Two clips: the length of the file's name, and its number."""
    if path.stem == "bad":
        raise ValueError("nothing but silence")
    if path.stem in ("gone", "score"):
        raise {"gone": AudioError, "score": MidiError}[path.stem](f"{path}: cannot be read")
    return [(0.0, np.array([len(path.name), 1.5])), (10.0, np.array([-2.0, 1e6]))]


def test_a_file_gives_a_row_a_clip_or_one_line(tmp_path):
    files = [Path(name) for name in ("a.mp3", "bad.mp3", "gone.mp3", "score.mid", "bb.mp3")]
    rows, problems = embedding.rows(files, encode)
    assert problems == ["bad.mp3: nothing but silence", "gone.mp3: cannot be read", "score.mid: cannot be read"]
    assert [(str(path), clip, seconds, code[0]) for path, clip, seconds, code in rows] == [
        ("a.mp3", 0, 0.0, 5), ("a.mp3", 1, 10.0, -2), ("bb.mp3", 0, 0.0, 6), ("bb.mp3", 1, 10.0, -2)]


def test_embeddings_are_written_as_asked(tmp_path, capsys):
    rows = [(Path("a.mp3"), 0, 0.0, np.array([1.5, -2.0])), (Path("a.mp3"), 1, 10.0, np.array([0.25, 1e6]))]
    embedding.write(rows, tmp_path / "codes.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "codes.npy"), np.float32([[1.5, -2.0], [0.25, 1e6]]))
    embedding.write(rows, tmp_path / "codes.csv")
    with open(tmp_path / "codes.csv", newline="") as file:
        found = list(csv.reader(file))
    assert found == [["file", "clip", "seconds", "z0", "z1"], ["a.mp3", "0", "0", "1.5", "-2"],
                     ["a.mp3", "1", "10", "0.25", "1e+06"]]
    embedding.write(rows, None)
    assert list(csv.reader(capsys.readouterr().out.splitlines())) == found
    embedding.write([], None)
    assert capsys.readouterr().out.strip() == "file,clip,seconds"
    with pytest.raises(ValueError, match="end the name in .csv or .npy"):
        embedding.write(rows, tmp_path / "codes.txt")
    embedding.write([(Path("=cmd.mp3"), 0, 0.0, np.zeros(1))], None)
    assert capsys.readouterr().out.splitlines()[1] == "'=cmd.mp3,0,0,0"


def test_the_tool_ends_with_what_it_could_do(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["embed"])
    out = tmp_path / "z.csv"

    def code(*files):
        return embedding.tool(Options, "Codes.", lambda options: encode, [*files, "--output", str(out)])

    assert (code("a.mp3"), code("a.mp3", "bad.mp3"), code("bad.mp3")) == (0, 1, 2)
    assert capsys.readouterr().err == "error: bad.mp3: nothing but silence\n" * 2
    for name, why in (("codes.txt", "end the name in .csv or .npy"), ("none/codes.csv", "there is no folder")):
        worked = []
        with pytest.raises(SystemExit) as end:  # before the work
            embedding.tool(Options, "Codes.", lambda options, w=worked: w.append,
                           ["a.mp3", "--output", f"{tmp_path}/{name}"])
        assert end.value.code == 2 and why in capsys.readouterr().err and worked == []
    with pytest.raises(SystemExit) as end:
        code()
    assert end.value.code == 2 and capsys.readouterr().err == "error: no file named; give one or more\n"
