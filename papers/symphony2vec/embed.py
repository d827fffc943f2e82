"""Embeddings of any recording by a trained model: one row per 10-second clip, as CSV or .npy.

`python -m papers.symphony2vec.embed symphony.mp3 --model ali-128 > codes.csv`. The columns are file, clip, seconds
(where it begins) and z0, z1, ...; with `--output codes.npy` an array (clips, size), in the order of the files.
"""

import csv
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np

from common import audio, record, scripts
from common.config import one_line_errors, quiet_tensorflow
from papers.symphony2vec import config as settings, preprocess


@dataclass(frozen=True)
class Options:
    """Options of the tool.

    Attributes:
        files: recordings, whatever libsndfile opens.
        model: ali-256, ali-128, ali-40, or ae, cae, vae, pca of a representation: vae-mel, vae-chroma, vae-mfcc, ...;
            without a representation the mel-spectrogram.
        run: a run's directory; without it the newest complete sound run.
        runs: where runs are looked for.
        output: .csv or .npy file to write; without it CSV to standard output.
    """

    files: tuple[Path, ...]
    model: str = "ali-128"
    run: Path | None = None
    runs: Path = Path("runs")
    output: Path | None = None


def encoder(name, run, store):
    """A function from stored-scale features of clips {representation: (clips, bands, frames)} to codes (clips, size).

    Raises TrainingError where the run has no such model, ValueError for a name that is no embedding.
    """
    from common import training
    from papers.symphony2vec import data, embeddings, features, train

    config = run.config
    kind, _, what = name.partition("-")
    name = name if what else f"{name}-mel"
    representation = "crop" if kind == "ali" else what or "mel"
    known = sorted(n for n in train.MODELS if n.split("-")[0] in ("ali", "ae", "cae", "vae"))
    if name not in (*known, *(f"pca-{r}" for r in features.REPRESENTATIONS)):
        raise ValueError(f"--model {name}: choose one of {', '.join(known)}, pca-chroma, pca-mfcc, pca-mel")
    selection = data.select(config, store)
    images = data.Images(config, store, selection, representation)

    def scaled(found):
        raw = found["mel" if representation == "crop" else representation]
        return images.scale(features.crop(raw) if representation == "crop" else raw)

    if kind == "pca":
        fitted = embeddings.fit_pca(images, selection.train, config, run.seed)
        return lambda found: fitted.transform(scaled(found).reshape(len(found["mel"]), -1))
    learner = training.load(train.MODELS[name], config, store, run.model_directory(name), run.seed)

    def codes(found):
        clips = scaled(found)
        if kind == "ali":
            return embeddings.ali_codes(learner.networks["encoder"], clips, np.arange(len(clips)), config)
        return embeddings.autoencoder_codes(kind, learner, clips, np.arange(len(clips)), config)

    return codes


def embed(files, encode, config):
    """Codes of files: ([(file, clip, seconds, code)], problems), a line for each file that could not be used."""
    rows, problems = [], []
    for path in files:
        try:
            found = preprocess.recording_features(path, config)
        except audio.AudioError as error:
            problems.append(str(error))
        except ValueError as error:
            problems.append(f"{path}: {error}")
        else:
            rows += [(path, k, k * config.clip_seconds, code) for k, code in enumerate(encode(found))]
    return rows, problems


def write(rows, output):
    """Write rows to a .npy or .csv file, or as CSV to standard output where `output` is None."""
    if output and output.suffix == ".npy":
        np.save(output, np.array([code for *_, code in rows], np.float32))
        return
    if output and output.suffix != ".csv":
        raise ValueError(f"{output}: end the name in .csv or .npy")
    stream = open(output, "w", newline="", encoding="utf-8") if output else sys.stdout
    try:
        writer = csv.writer(stream)
        writer.writerow(["file", "clip", "seconds", *(f"z{i}" for i in range(len(rows[0][-1]) if rows else 0))])
        for path, clip, seconds, code in rows:
            writer.writerow([path, clip, f"{seconds:g}", *(f"{value:.6g}" for value in code)])
    finally:
        if output:
            stream.close()


def main():
    """The tool; exit code 0, 1 if a file could not be used, 2 if nothing could be done."""
    import tyro

    options = tyro.cli(Annotated[Options, tyro.conf.arg(name="")], description=__doc__.split("\n\n")[0],
                       prog="python -m papers.symphony2vec.embed", config=(tyro.conf.PositionalRequiredArgs,))
    with one_line_errors(*scripts.EXPECTED, ValueError):
        if not options.files:
            raise FileNotFoundError("no recording named; give one or more files")
        run, store, sentence = record.for_tool(settings, options.run, options.runs)
        print(sentence, file=sys.stderr)
        quiet_tensorflow()
        from common.training import TrainingError

        with one_line_errors(TrainingError):
            rows, problems = embed(options.files, encoder(options.model, run, store), run.config)
        write(rows, options.output)
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    return 0 if not problems else 2 if len(problems) == len(options.files) else 1


if __name__ == "__main__":
    sys.exit(main())
