"""The paper's tables with a run's values; beside every accuracy what loudness alone and the commonest composer give."""

from typing import Any

import numpy as np

from papers.symphony2vec.config import LATENT_SIZES
from papers.symphony2vec.leak import NAMES
from papers.symphony2vec.printed import LETTERS

BASELINES = {"loudness": "loudness alone", "majority": "commonest composer or chance"}
ORDER = "several baselines: of the models' test clips, in the models' order"


def cell(results: dict, claim: str) -> str:
    """A claim's value, or a dash."""
    entry = results.get(claim, {})
    return f"{entry['value']:.2f}" if "value" in entry else "–"


def beside(results: dict, claims: list[str]) -> list[str]:
    """Both baselines of some claims, one after the other where models are judged on other clips, or dashes."""
    found = [results[claim]["baselines"] for claim in claims if "value" in results.get(claim, {})]
    return [" / ".join(dict.fromkeys(f"{one[key]:.2f}" for one in found)) or "–" for key in BASELINES]


def shares(measured: Any) -> dict:
    """Table 1; its caption says how many test clips are named by the commonest composer and by loudness alone."""
    rows = [[word, *(f"{np.mean(measured.labels[part] == i):.3f}" for i in range(len(measured.names)))]
            for word, part in (("training", measured.train), ("test", measured.test))]  # fmt: skip
    caption = "Table 1: composers' shares"
    if "pca-chroma" in measured.judged:
        levels = measured.judged["pca-chroma"].baselines
        caption += "; right of the test clips, in percent: " + ", ".join(
            f"{word} {levels[key]:.2f}" for key, word in BASELINES.items())  # fmt: skip
    return {"kind": "table", "caption": caption, "columns": ["", *measured.names], "rows": rows}


def by_representation(results: dict, table: str, kinds: tuple[str, ...], caption: str) -> dict:
    """Table 3 or 4: representations by models, and the baselines."""
    rows, claims = [], []
    for letter, seen in LETTERS.items():
        row = [f"C-T{table}-{kind}-{letter}" for kind in kinds]
        rows.append([NAMES[seen], *(cell(results, claim) for claim in row), *beside(results, row)])
        claims += row
    return {"kind": "table", "caption": f"{caption} ({ORDER})", "columns": ["", *kinds, *BASELINES.values()],
            "rows": rows, "claims": claims}  # fmt: skip


def of_ali(results: dict) -> dict:
    """Table 7: training and test accuracy by latent size, and the baselines of the same clips."""
    rows, claims = [], []
    for part in ("train", "test"):
        row = [f"C-T7-{size}-{part}" for size in LATENT_SIZES]
        rows.append([part, *(cell(results, claim) for claim in row), *beside(results, row)])
        claims += row
    return {"kind": "table", "caption": f"Table 7: accuracy from ALI's codes in percent ({ORDER})", "rows": rows,
            "columns": ["", *(f"LD = {size}" for size in LATENT_SIZES), *BASELINES.values()],
            "claims": claims}  # fmt: skip


def on_the_crop(results: dict) -> dict:
    """The two accuracies of Table 7's caption, and the baselines."""
    rows = [[word, cell(results, claim), *beside(results, [claim])]
            for word, claim in (("feed-forward", "C-FF32"), ("ALI's encoder as a classifier", "C-E32"))]  # fmt: skip
    return {"kind": "table", "caption": "Table 7's caption: test accuracy in percent of networks on the same crop",
            "columns": ["", "test", *BASELINES.values()], "rows": rows, "claims": ["C-FF32", "C-E32"]}  # fmt: skip


def tables(measured: Any, results: dict) -> list[dict]:
    """Tables 1, 3, 4 (printed again as 5) and 7."""
    return [shares(measured),
            by_representation(results, "3", ("FF", "CNN", "LSTM"), "Table 3: test accuracy in percent"),
            by_representation(results, "4", ("AE", "CAE", "VAE", "PCA"), "Tables 4 and 5: test accuracy in percent"),
            of_ali(results), on_the_crop(results)]  # fmt: skip
