"""The page that sets every paper's embedding side by side: runs/across.json, as `common.across` wrote it."""

import json
from pathlib import Path

from common import provenance
from common.errors import DataError
from common.report import text

RESULT, PAGE, COMMAND = "across.json", "across.html", "python -m common.across"
QUESTIONS = {  # what is asked: heading, unit of what is found
    "class": ("Class", "accuracy"), "loudness": ("Loudness", "R²"), "tempo": ("Tempo", "R²"),
    "register": ("Register", "R²")}
KINDS = {"recordings": "mel", "scores": "rolls"}  # what principal components are of
LOWEST = -0.5  # of an R² that is drawn; its number is written as it is


def read(runs: Path) -> dict | None:
    """What was found, None where nothing was asked yet.

    Raises:
        DataError: the file is damaged, or was changed after it was written.
    """
    path = Path(runs) / RESULT
    if not path.exists():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        whole = found["seal"] == provenance.seal(found)
    except (OSError, ValueError, KeyError, TypeError):
        whole = False
    if not whole:
        raise DataError(f"{path}: not as it was written; next: {COMMAND}")
    return found


def page(found: dict) -> dict:
    """Everything that the template shows: the result itself, "figures" of bars and "rows" of a table."""
    corpus = found["corpus"]
    return {"found": found, "corpus": corpus, "command": COMMAND, "questions": QUESTIONS, "kinds": KINDS,
            "figures": [figure(found, question) for question in QUESTIONS],
            "rows": [row(one, corpus["synthetic"]) for one in found["embeddings"]],
            "interval": found["chance"]["class"]["low"] is not None,
            "says": {question: says(found["chance"][question]) for question in QUESTIONS},
            "loud": {question: says(found["loudness"][question]) for question in QUESTIONS}}


def row(one: dict, synthetic: bool) -> dict:
    """An embedding as a row of the table: notes on its run, and its answers beside those of PCA, in words.

    Args:
        one: an entry of "embeddings".
        synthetic: whether the pieces are, which the page says once.
    """
    notes, known, problems = [one["missing"]] if one["missing"] else [], one["says"] or {}, one["problems"]
    if known:
        learnt = {True: "has learnt", False: "has not learnt", None: "whether it learnt is not said"}[known["learnt"]]
        notes.append(learnt + (f" ({known['learning']})" if known["learning"] else ""))
    if known.get("evidence") == "demo" and not synthetic:
        notes.append("trained on synthetic music")
    if known and sealed(Path(one["run"])) != known["seal"]:
        notes.append(f"the run has changed since or is gone; next: {COMMAND}")
    if known.get("doubt"):
        notes.append(f"its results do not stand: {known['doubt']}")
    if problems:
        notes.append(f"{text.plural(len(problems), 'file')} not used, such as {problems[0]}")
    cells = {question: (*parts(one["answers"][question]), says(one["pca"]["answers"][question]))
             for question in QUESTIONS} if "answers" in one else {}
    return one | {"notes": notes, "cells": cells, "trained": known.get("corpus", ""),
                  "unlearnt": known.get("learnt") is False}


def sealed(run: Path) -> str | None:
    """The seal of a run's results as they are now, None without."""
    try:
        return json.loads((run / "results.json").read_text(encoding="utf-8")).get("seal")
    except (OSError, ValueError):
        return None


def parts(answer: dict) -> tuple[str, str]:
    """An answer's value and its interval in brackets, "" where there is none; why there is no value, in its place."""
    if "why" in answer:
        return answer["why"], ""
    value, *ends = (text.number(round(one, 2) + 0.0, 2) for one in (answer["value"], answer["low"], answer["high"])
                    if one is not None)  # + 0.0: no minus before a zero
    return value, f"[{', '.join(ends)}]" if ends else ""


def says(answer: dict) -> str:
    """`0.52 [0.40, 0.64]`: an answer in one line."""
    return " ".join(filter(None, parts(answer)))


def figure(found: dict, question: str) -> dict:
    """One question as bars, places in %: {"question", "zero", "bars": [{"name", "beside", "says", "left", …}]}."""
    every = [("chance", True, found["chance"]), ("loudness alone", True, found["loudness"])]
    for one in found["embeddings"]:
        if "answers" in one:
            unlearnt = ", not learnt" if one["says"]["learnt"] is False else ""
            every += [(one["paper"] + unlearnt, False, one["answers"]),
                      (f"PCA of {KINDS[one['reads']]}, {one['pca']['size']}", True, one["pca"]["answers"])]
    answers = [(name, beside, answer[question]) for name, beside, answer in every if "why" not in answer[question]]
    low = min([0.0, *(max(LOWEST, answer["value"]) for *_, answer in answers)])

    def place(value):
        return round(100 * (min(max(value, low), 1.0) - low) / (1.0 - low), 2)

    bars = []
    for name, beside, answer in answers:
        left, right = sorted((place(0.0), place(answer["value"])))
        ends = (place(answer["low"]), place(answer["high"])) if answer["low"] is not None else None
        bars.append({"name": name, "beside": beside, "says": says(answer), "left": left,
                     "width": round(right - left, 2), "low": ends and ends[0],
                     "span": ends and round(ends[1] - ends[0], 2)})
    return {"question": question, "zero": place(0.0), "bars": bars}
