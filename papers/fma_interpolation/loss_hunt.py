"""The loss hunt at the paper's size: five losses on one image, 500 updates each, beside what the program printed.

`python -m papers.fma_interpolation.loss_hunt RUN` reads the five trainings of a run of preset full in `code` (the demo
corpus will do: its first image, 512 bands by 640 frames), writes results/loss_hunt.csv and from it loss_hunt.md. A
training takes minutes on one core: `python -m papers.fma_interpolation.train --preset full --follow code --model
overfit-swapped`, and so for the others. One image and one seed: shape and order of curves, no finding.
"""

import csv
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro

from common import closure, command, plots, process, provenance
from common.checkpoints import files, read_state
from common.errors import EncoreError
from common.report import text as report
from papers.fma_interpolation.figures import OVERFIT_SAYS

RESULTS = Path(__file__).parent / "results"
EVERY = 10  # updates between two rows of the table
FIELDS = {"total": "losses/total", "divergence": "losses/divergence", "squared_error": "metrics/squared_error"}
COLUMNS = ("loss", "update", *FIELDS, "code", "commit")
# What the program's notebooks print: first and last total, on an image of FMA.
PRINTED = {
    "squared_error": "68,048 to 684 … 1,680 (6b96f49)",
    "cross_entropy": "205,866 to 191,217 over one epoch of all images, latent 32 (4cc88e5)",
    "flipped": "−227,140, falling, NaN before epoch 398 (log kept in 01a6466)",
    "swapped": "305,960 to about −1.0 × 10¹² (e261498)",
    "decibels": "not tried; the report's wording",
}


@dataclass(frozen=True)
class Options:
    """Options of the tool.

    Attributes:
        run: directory of the run, as its training names it; without it loss_hunt.md is made anew of the table.
    """

    run: tyro.conf.Positional[Path | None] = None


def read(run: Path) -> list[dict]:
    """Rows of the table, every tenth update of each loss.

    Raises:
        FileNotFoundError: naming the command of a training that is missing.
        EncoreError: where the run is not of preset full in `code` on the demo corpus, with no setting typed, or a
            training has not ended.
    """
    try:
        config = json.loads((run / "config.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FileNotFoundError(f"{run}: no run; a training of preset full in `code` makes one and names it") from None
    of = (config.get("preset"), config.get("follow"), config.get("corpus", {}).get("label"), config.get("overrides"))
    if of != ("full", "code", "demo-fma_small", {}):  # what the text says
        raise EncoreError(f"{run}: a run of {of}, not of preset full in `code` on the demo corpus, no setting typed")
    rows = []
    for loss in PRINTED:
        directory = run / "models" / f"overfit-{loss}"
        saved = files(directory / "checkpoints")
        again = f"python -m papers.fma_interpolation.train --preset full --follow code --model overfit-{loss}"
        if not saved:
            raise FileNotFoundError(f"{directory}: not trained; next: {again}")
        state = read_state(saved[-1])
        if not state["complete"] and not (directory / "diverged.json").exists():
            raise EncoreError(f"{directory}: not trained to its end; next: {again}")
        lines = [json.loads(line) for line in (directory / "metrics.jsonl").read_text().splitlines()]
        kept = [*lines[::EVERY], *(lines[-1:] if (len(lines) - 1) % EVERY else [])]
        made = {"code": state["provenance"]["code_sha256"], "commit": state["provenance"]["commit"]}
        rows += [{"loss": loss, "update": line["step"]} | {name: f"{line[field]:.6g}" for name, field in FIELDS.items()}
                 | made for line in kept]
    return rows


def curves(rows: list[dict]) -> dict[str, np.ndarray]:
    """{loss: (updates, 3) with update, total and squared error}, of the rows of the CSV."""
    return {loss: np.array([[float(row[name]) for name in ("update", "total", "squared_error")]
                            for row in rows if row["loss"] == loss]) for loss in PRINTED}


def text(rows: list[dict]) -> str:
    """loss_hunt.md."""
    lines = ["# The loss hunt at the paper's size", "",
             "One image of the synthetic demo corpus (512 bands, 640 frames), the program's bottleneck network, the "
             "program's rates, one seed: the shape and the order of five curves beside the program's prints, which are "
             "of an image of FMA. No finding is judged on this.", "",
             "| loss | the program printed, first to last | first | lowest (every tenth) | last | updates | "
             "squared error per pixel, first | last |", "|---|---|---|---|---|---|---|---|"]
    for loss, found in curves(rows).items():
        update, total, error = found.T
        numbers = (total[0], total.min(), total[-1], update[-1], error[0], error[-1])
        lines.append(f"| {OVERFIT_SAYS[loss]} | {PRINTED[loss]} | {' | '.join(map(report.number, numbers))} |")
    code = closure.sha256(closure.training("fma_interpolation", provenance.ROOT))
    earlier = "" if all(row["code"] == code for row in rows) else " Made by earlier code."
    return "\n".join([*lines, "", f"Every tenth update: loss_hunt.csv, commit {rows[0]['commit'][:7]}.{earlier} Again: "
                      "`python -m papers.fma_interpolation.loss_hunt RUN`.", "",
                      "![Five curves of loss and of squared error](loss_hunt.png)", ""])


@plots.styled
def draw(rows: list[dict], path: Path) -> Path:
    """Total loss, its sign kept and its size on a logarithmic axis, and the squared error of the output."""
    figure, axes = plots.figure((11.5, 3.6), columns=2)
    for (loss, found), colour, line in zip(curves(rows).items(), plots.PALETTE, plots.LINES + ("-",), strict=False):
        update, total, error = found.T
        axes[0].plot(update, total, line, color=colour)
        axes[1].plot(update, np.maximum(error, 1e-9), line, color=colour, label=OVERFIT_SAYS[loss])
    axes[0].set_yscale("symlog", linthresh=100)
    axes[0].set(title="Loss", xlabel="update", ylabel="sum over the image")
    axes[1].set(yscale="log", title="Squared error of the output", xlabel="update", ylabel="per pixel")
    axes[1].legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return plots.save(figure, path)


def published() -> list[dict]:
    """The rows of loss_hunt.csv."""
    with open(RESULTS / "loss_hunt.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write(rows: list[dict], directory: Path = RESULTS) -> None:
    """loss_hunt.csv, .md and .png."""
    with open(directory / "loss_hunt.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    (directory / "loss_hunt.md").write_text(text(rows), encoding="utf-8")
    draw(rows, directory / "loss_hunt.png")


if __name__ == "__main__":
    options = command.parse(Options, __doc__ or "")
    with process.one_line_errors():
        write(read(options.run) if options.run else published())
        print(f"{RESULTS / 'loss_hunt.md'}: written")
