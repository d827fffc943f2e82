"""Give a recording another class: `python -m papers.lord_transfer.transfer clip.wav --to violin`.

Any length, stereo or mono, any rate. Writes `<name>-to-<class>.wav` and pictures of the spectrogram before and after,
and says what the classifier hears in both.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro

from common import audio, command, process, record, scripts
from common.record import Run
from common.store import Store, safe_name
from papers.lord_transfer import config as settings, joining, preprocess


@dataclass(frozen=True)
class Options:
    """Options of the tool.

    Attributes:
        files: recordings, whatever libsndfile opens.
        to: the class to give them, as the run's classes are called (violin, piano, Rock, ...).
        run: a run's directory; without it the newest complete sound run that knows the class.
        runs: where runs are looked for.
        output: folder for the results.
    """

    files: tyro.conf.Positional[tuple[Path, ...]]
    to: str
    run: Path | None = None
    runs: Path = Path("runs")
    output: Path = Path(".")


def find_run(options: Options) -> Any:
    """(run, store, sentence, label) of the run to use; `label` is the class as the run spells it.

    Raises:
        FileNotFoundError: no complete run, or none that knows the class; the message says what there is.
    """
    found = [options.run] if options.run else record.of_use(settings, options.runs)
    if not found:
        record.for_tool(settings, None, options.runs)  # raises, with the command that makes a run
    known = set()
    for directory in found:
        run, store, sentence = record.for_tool(settings, directory, options.runs)
        labels = {row["label"].lower(): row["label"] for row in store.index}
        if options.to.lower() in labels:
            return run, store, sentence, labels[options.to.lower()]
        known |= set(labels.values())
    raise FileNotFoundError(f"--to {options.to}: no such class; there are {', '.join(sorted(known))}")


class Transfer:
    """A trained run's networks, ready to give recordings the class `label`."""

    def __init__(self, run: Run, store: Store, label: str) -> None:
        from papers.lord_transfer import listener, trained as using

        pair = next(pair for pair in settings.pairs(run.config) if not pair or label in pair.split("-"))
        self.using, self.trained, self.listen = using, using.load(run.config, store, run, "lord", pair), listener.listen
        self.config, self.target = self.trained.config, self.trained.labels.index(label)
        self.code = using.class_codes(self.trained)[self.target]

    def images(self, samples: np.ndarray) -> tuple:
        """(before, after, reference): the recording's image (bands, frames) and the image with the other class."""
        config = self.config
        image, reference = preprocess.spectrogram(samples, config)
        frames, step = image.shape[1], min(config.stitch_step, config.frames)
        length = max(config.frames, config.frames + -(-(frames - config.frames) // step) * step)
        padded = np.pad(image, ((0, 0), (0, length - frames)))
        windows = joining.cut(padded, config.frames, step)[..., None]
        codes = self.using.encode(self.trained, windows)
        made = self.using.generate(self.trained, codes, np.repeat(self.code[None], len(codes), 0))
        return image, joining.columns(made[..., 0], step)[:, :frames], reference

    def hears(self, image: np.ndarray) -> Any:
        """What the classifier hears, mean over windows: ((class, share), ...), the likeliest first."""
        width = self.config.frames
        image = np.pad(image, ((0, 0), (0, max(0, width - image.shape[1]))))
        shares = self.listen(self.trained.classifier, joining.cut(image, width, width)[..., None])[0].mean(0)
        return sorted(zip(self.trained.labels, shares.tolist(), strict=True), key=lambda pair: -pair[1])


def transfer(files: Any, to: str, run: Run, store: Store, output: Any) -> list[str]:
    """Write the results of every file; returns one line for each file that could not be used."""
    from common import plots
    from papers.lord_transfer import sound

    worker, problems = Transfer(run, store, to), []
    config = worker.config
    for path in files:
        try:
            samples = audio.load(path, config.sample_rate)
            before, after, reference = worker.images(samples)
        except audio.AudioError as error:
            problems.append(str(error))
            continue
        except ValueError as error:
            problems.append(f"{path}: {error}; nothing to transfer")
            continue
        name = output / safe_name(f"{Path(path).stem}-to-{to}")
        audio.write(name.with_name(name.name + ".wav"), sound.to_audio(after, reference, config)[:len(samples)],
                    config.sample_rate)
        seconds = before.shape[1] * config.hop / config.sample_rate
        for what, image in (("before", before), ("after", after)):
            plots.image(name.with_name(f"{name.name}-{what}.png"), image, x_label="seconds", y_label="mel band",
                        extent=(0, seconds, 0, config.bands), limits=(0, 1))
            heard = ", ".join(f"{label} {share:.0%}" for label, share in worker.hears(image)[:3])
            print(f"{path}: {what}: the classifier hears {heard}")
        print(f"{path}: written {name}.wav and its pictures")
    return problems


def main() -> int:
    """The tool; exit code 0, 1 if a file could not be used, 2 if nothing could be done."""
    options = command.parse(Options, __doc__)
    with process.one_line_errors():
        if not options.files:
            raise FileNotFoundError("no recording named; give one or more files")
        run, store, sentence, label = find_run(options)
        print(sentence, file=sys.stderr)
        process.quiet_tensorflow()
        options.output.mkdir(parents=True, exist_ok=True)
        problems = transfer(options.files, label, run, store, options.output)
    return scripts.told(problems, len(options.files))


if __name__ == "__main__":
    sys.exit(main())
