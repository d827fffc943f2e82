"""Each paper's `embed` tool on all pieces, as a user would call it: one vector a piece, the mean over its clips."""

import ast
import csv
import json
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common import cells, record, standing
from common.report.collect import Paper

FEWEST = 0.5  # share of the pieces that an embedding must give a vector for


@dataclass(frozen=True)
class Embedding:
    """What a paper's tool made of the pieces, or why it made nothing.

    Attributes:
        paper, title, reads, model: whose it is, "recordings" or "scores", the model that embeds.
        run: the run's directory, "" without one.
        says: what is to be known of the run: {"evidence", "corpus", "preset", "learnt" (True, False or None: not
            said), "learning" (what was measured), "doubt" (why its results do not stand, or ""), "commit", "seal"}.
        vectors: {path: (size,)}.
        problems: lines of the tool on files that it could not use.
        missing: why there are no vectors, with the next step; "" where there are.
    """

    paper: str
    title: str
    reads: str = ""
    model: str = ""
    run: str = ""
    says: dict | None = None
    vectors: dict | None = None
    problems: tuple[str, ...] = ()
    missing: str = ""

    @property
    def size(self) -> int:
        """Numbers of a vector."""
        return len(next(iter(self.vectors.values())))


def constants(path: Path) -> dict:
    """READS and MODEL of an embed.py, read without running it; {} where there is none of them."""
    found = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body if path.exists() else ():
        names = [one.id for target in getattr(node, "targets", ()) for one in ast.walk(target)
                 if isinstance(one, ast.Name)]
        if set(names) & {"READS", "MODEL"}:
            value = ast.literal_eval(node.value)  # type: ignore[attr-defined]
            found |= dict(zip(names, value if isinstance(value, tuple) else (value,), strict=True))
    return found


def of_paper(paper: Paper, runs: Path, files: dict[str, list[Path]]) -> Embedding:
    """The embedding of a paper's newest complete sound run, the one that its tools take unasked.

    Args:
        files: {"recordings", "scores"}: paths.
    """
    known = constants(paper.directory / "embed.py")
    if known.get("READS") not in files or "MODEL" not in known:
        return Embedding(paper.name, paper.title, missing="no embed.py that says READS and MODEL")
    named = {"paper": paper.name, "title": paper.title, "reads": known["READS"], "model": known["MODEL"]}
    directory = next(iter(record.of_use(paper.settings, runs)), None)
    if directory is None:
        return Embedding(**named, missing=f"no complete run; next: make reproduce-{paper.name} FOLLOW=sound")
    says = standing_of(json.loads((directory / "results.json").read_text(encoding="utf-8")), known["MODEL"])
    vectors, problems, missing = called(paper.name, directory, files[known["READS"]])
    return Embedding(**named, run=str(directory), says=says, vectors=vectors, problems=tuple(problems), missing=missing)


def standing_of(results: dict, model: str) -> dict:
    """What results.json says of the data, of whether `model` learnt, and whether it stands (`Embedding.says`)."""
    known = results.get("learnt") or {}
    named = [name for name in known if name == model or name.startswith(f"{model}-")]  # of a genre pair: lord-rock-folk
    one = known[named[0]] if named else {}
    learning = f"{one['what']}: {one['value']:.3g}, baseline {one['baseline']:.3g}" if one else ""
    corpus = results["corpus"]
    return {"evidence": corpus["evidence"], "corpus": corpus.get("label") or corpus["name"],
            "preset": results["preset"], "learnt": one.get("learnt"), "learning": learning,
            "doubt": standing.alone(results), "commit": results["commit"], "seal": results.get("seal")}


def called(paper: str, directory: Path, files: list[Path]) -> tuple[dict | None, list[str], str]:
    """(vectors, problems, why there are none) of a call of the paper's tool in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "codes.csv"
        words = [sys.executable, "-m", f"papers.{paper}.embed", *map(str, files), "--run", str(directory), "--output",
                 str(output)]
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        errors = [line.removeprefix("error: ") for line in done.stderr.splitlines() if line.startswith("error: ")]
        if done.returncode not in (0, 1) or not output.exists():
            last = (errors or done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            return None, [], f"its tool ended with {done.returncode}: {last}"
        try:
            vectors = means(output)
        except (ValueError, KeyError) as error:
            return None, errors, f"its tool's table cannot be read: {error}"
    if any(not np.isfinite(vector).all() for vector in vectors.values()):
        return None, errors, "its codes are not finite numbers"
    if len(vectors) < FEWEST * len(files):
        return None, errors, (f"vectors for {len(vectors)} of {len(files)} pieces only"
                              + "".join(f" (first: {line})" for line in errors[:1]))
    return vectors, errors, ""


def means(path: Path) -> dict[Path, np.ndarray]:
    """{file: mean over its rows of z0, z1, …} of an embed tool's CSV.

    Raises ValueError for a table without a file or without codes, and for cells that are no numbers.
    """
    with open(path, newline="", encoding="utf-8") as file:
        table = csv.DictReader(file)
        columns = [name for name in table.fieldnames or () if re.fullmatch(r"z\d+", name)]
        if "file" not in (table.fieldnames or ()) or not columns:
            raise ValueError("columns file and z0, z1, … are needed")
        rows: dict[Path, list] = {}
        for row in table:
            rows.setdefault(Path(cells.plain(row["file"])), []).append([float(row[name]) for name in columns])
    return {name: np.mean(codes, axis=0) for name, codes in rows.items()}

