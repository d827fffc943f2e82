"""Encodings and genre of any recording, as CSV: one row per 0.9-second segment.

`python -m papers.softmax_ae.embed song.mp3 other.wav > encodings.csv`. The columns are file, segment, seconds (where it
begins), genre, a probability per class, a logit per class, and z0 to z63, the bottleneck.
"""

import csv
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import tyro

from common import audio, cells, command, process, scripts
from papers.softmax_ae import config as settings, preprocess

READS, MODEL = "recordings", "deep_softmax"


@dataclass(frozen=True)
class Options:
    """Options of the tool.

    Attributes:
        files: recordings, whatever libsndfile opens.
        run: a run's directory; without it the newest complete sound run.
        runs: where runs are looked for.
        output: file to write; without it standard output.
    """

    files: tyro.conf.Positional[tuple[Path, ...]]
    run: Path | None = None
    runs: Path = Path("runs")
    output: Path | None = None


def embed(files: Any, run: Any, output: Any) -> list[str]:
    """Write the CSV; returns one line for each file that could not be used.

    Raises:
        TrainingError: the run has no trained model.
        FileNotFoundError: the run was not evaluated.
    """
    import tensorflow as tf

    from common import training
    from papers.softmax_ae import train

    config = run.config
    path = run.directory / "inputs.json"
    if not path.exists():
        raise FileNotFoundError(f"{path}: not there; evaluate the run: python -m papers.softmax_ae.evaluate")
    inputs = json.loads(path.read_text())
    trained_on = SimpleNamespace(parameters={"facts": {"classes": inputs["classes"]}})  # the run, without its store
    model, _ = train.jobs(config)["deep_softmax"]
    learner = training.load(model, config, trained_on, run.model_directory("deep_softmax"), run.seed)
    writer = csv.writer(output)
    names = inputs["classes"]
    writer.writerow(["file", "segment", "seconds", "genre", *(f"p_{n}" for n in names), *(f"logit_{n}" for n in names),
                     *(f"z{i}" for i in range(config.bottleneck))])
    problems = []
    for path in files:
        try:
            samples = audio.load(path, config.sample_rate, allow_short=True)
        except audio.AudioError as error:
            problems.append(str(error))
            continue
        # any length: every whole segment, not only the first twenty that training uses
        pooled = preprocess.pool(samples, config.pool)
        length = config.segment_samples // config.pool
        x = pooled[:len(pooled) // length * length].reshape(-1, length).astype(np.float32)
        if not len(x):
            problems.append(f"{path}: {len(samples) / config.sample_rate:.2f} s long, a segment takes "
                            f"{config.segment_samples / config.sample_rate:.2f} s")
            continue
        x = (x - inputs["mean"]) / inputs["deviation"]
        z = learner.networks["encoder"](tf.constant(x)).numpy()
        logits = train.predict(learner, x)
        shares = tf.nn.softmax(logits).numpy()
        for j in range(len(x)):
            writer.writerow(cells.row([path, j, f"{j * config.segment_samples / config.sample_rate:.3f}",
                                       names[logits[j].argmax()], *(f"{v:.4f}" for v in shares[j]),
                                       *(f"{v:.5f}" for v in logits[j]), *(f"{v:.5f}" for v in z[j])]))
    return problems


def main() -> int:
    """The tool; exit code 0, 1 if a file could not be used, 2 if nothing could be done."""
    options = command.parse(Options, __doc__)
    with process.one_line_errors():
        if not options.files:
            raise FileNotFoundError("no recording named; give one or more files")
        run, _ = scripts.open_tool(settings, options.run, options.runs, needs_store=False)
        if options.output:
            with open(options.output, "w", newline="", encoding="utf-8") as output:
                problems = embed(options.files, run, output)
        else:
            problems = embed(options.files, run, sys.stdout)
    return scripts.told(problems, len(options.files))


if __name__ == "__main__":
    sys.exit(main())
