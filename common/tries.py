"""How often a paper was evaluated: a line in `runs/<paper>/tries.jsonl` for every evaluation, never taken back.

Whoever tries many settings and shows one has more than the 5 % that an interval promises. The count stands in
results.json, in the report and in what is published.
"""

import json
import os
from pathlib import Path

FILE = "tries.jsonl"
KEPT = ("preset", "follow", "seed", "complete", "commit", "settings_sha256", "claims_sha256")


def add(directory: Path, results: dict, commit_time: str = "") -> dict:
    """Append one evaluation to `directory/tries.jsonl` and count.

    Args:
        directory: runs/<paper>. results: what results.json will say. commit_time: of the commit it was evaluated at.

    Returns: {"settings": under how many different ones, "evaluations": how often} this mode was evaluated on this
        corpus, this time included.
    """
    corpus = results["corpus"]
    line = {"corpus": corpus["name"], "fingerprint": corpus.get("fingerprint"), "commit_time": commit_time}
    line |= {key: results.get(key) for key in KEPT}
    path = Path(directory) / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a", encoding="utf-8") as file:  # one short write at the end: whole, whoever else writes
        file.write(json.dumps(line) + "\n")
        file.flush()
        os.fsync(file.fileno())
    same = [one for one in read(path) if all(one.get(key) == line[key] for key in ("corpus", "fingerprint", "follow"))]
    return {"settings": len({one.get("settings_sha256") for one in same}), "evaluations": len(same)}


def read(path: Path) -> list[dict]:
    """All evaluations noted in a file; a line that a crash cut off is passed over."""
    found = []
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return found
    for line in lines:
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return [one for one in found if isinstance(one, dict)]
