"""Everything asked of every embedding, as the dict that runs/across.json holds and the page shows."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from common import closure, provenance
from common.across import corpus as pieces, embeddings, probing
from common.across.corpus import Pairs
from common.across.embeddings import Embedding
from common.report.collect import Paper

MODULES = tuple(f"common.across.{name}" for name in ("corpus", "embeddings", "probing", "measuring"))


def measure(pairs: Pairs, papers: list[Paper], runs: Path, say: Callable[[str], None] = print) -> dict:
    """Embed all pieces by every paper's newest run and ask the same questions of all.

    Args:
        say: is given a line when a paper has been embedded.

    Raises:
        DataError: the pieces have one class, a class one group, or no piece is in all embeddings.
    """
    probing.folds(pairs.labels, pairs.groups)  # what cannot be divided is refused before anything is embedded
    files, found = {"recordings": pairs.recordings, "scores": pairs.scores}, []
    for paper in papers:
        one = embeddings.of_paper(paper, runs, files)
        say(f"{paper.name}: {one.missing or f'{one.run}, {len(one.vectors)} pieces, {one.size} numbers each'}")
        found.append(one)
    used = in_all(pairs, [one for one in found if not one.missing])
    divided = probing.folds(pairs.labels[used], pairs.groups[used])
    return {"corpus": described(pairs, used), "folds": len(divided), **asked(pairs, used, divided, found),
            "provenance": state()}


def in_all(pairs: Pairs, found: list[Embedding]) -> np.ndarray:
    """Rows of the pieces that every embedding has a vector for: all are asked about the same."""
    paths = {"recordings": pairs.recordings, "scores": pairs.scores}
    return np.array([row for row in range(len(pairs.labels))
                     if all(paths[one.reads][row] in one.vectors for one in found)], int)


def asked(pairs: Pairs, used: np.ndarray, divided: list, found: list[Embedding]) -> dict:
    """{"chance", "loudness": answers without a network, "embeddings": [each with its answers and those of PCA]}."""
    labels, groups = pairs.labels[used], pairs.groups[used]
    targets = {name: values[used] for name, values in pairs.targets.items()}

    def answers(features):
        return probing.ask(features, labels, targets, groups, divided)

    loudness = targets["loudness"][:, None]
    rows, axes = [], principal(pairs, used, divided, found)
    for one in found:
        row = {name: getattr(one, name) for name in ("paper", "title", "reads", "model", "run", "says", "missing")}
        row["problems"] = list(one.problems)
        if not one.missing:
            paths = pairs.recordings if one.reads == "recordings" else pairs.scores
            vectors = np.stack([one.vectors[paths[piece]] for piece in used])
            reduced = [fold[:, :one.size] for fold in axes[one.reads]]
            row |= {"size": one.size, "answers": answers([vectors] * len(divided)),
                    "pca": {"size": min(fold.shape[1] for fold in reduced), "answers": answers(reduced)}}
        rows.append(row)
    return {"chance": answers(None), "loudness": answers([loudness] * len(divided)), "embeddings": rows}


def principal(pairs: Pairs, used: np.ndarray, divided: list, found: list[Embedding]) -> dict:
    """{"recordings", "scores"}: for each fold principal components of plain features, as many as the largest
    embedding of that kind has numbers; without an embedding of a kind it is left out."""
    sizes = {kind: max((one.size for one in found if not one.missing and one.reads == kind), default=0)
             for kind in ("recordings", "scores")}
    return {kind: probing.components(pieces.plain(pairs, used, kind), divided, size)
            for kind, size in sizes.items() if size}


def described(pairs: Pairs, used: np.ndarray) -> dict:
    """What the corpus is, in values that JSON holds."""
    known = pairs.corpus
    labels, counts = np.unique(pairs.labels[used], return_counts=True)
    return {"root": str(known.root), "said": known.said, "synthetic": pieces.synthetic(pairs),
            "shuffled": bool(known.facts.get("null")), "fingerprint": known.fingerprint, "found": len(pairs.labels),
            "pieces": len(used), "groups": len(np.unique(pairs.groups[used])),
            "classes": dict(zip(labels.tolist(), counts.tolist(), strict=True)),
            "ranges": {name: [float(values[used].min()), float(values[used].max())]
                       for name, values in pairs.targets.items()},
            "left_out": [[str(path), reason] for path, reason in pairs.left_out]}


def state() -> dict:
    """Commit, packages and a hash of the code that embeds and asks."""
    code = closure.reach(provenance.ROOT, tuple((module, None) for module in MODULES))
    files = {closure.file_of(provenance.ROOT, module) for module in code}
    return provenance.committed(files) | {"code_sha256": closure.sha256(code)} | provenance.environment()
