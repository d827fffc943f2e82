"""Give a recording another class: `python -m papers.lord_transfer.transfer clip.wav --to violin`.

Any length, stereo or mono, any rate. Writes `<name>-to-<class>.wav`, as loud as the recording, and pictures of the
spectrogram before and after, and says what the classifier hears in both. Of a folder, every recording in it is given
the class, and the results lie in the same folders below `--output`.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro

from common import audio, command, process, record, scripts
from common.corpora.listing import AUDIO, files_under
from common.progress import progress
from common.record import Run
from common.store import Store, safe_name
from papers.lord_transfer import config as settings, joining, preprocess

AT_ONCE = 256  # windows between two signs of progress


@dataclass(frozen=True)
class Options:
    """Options of the tool.

    Attributes:
        files: recordings, whatever libsndfile opens, or folders of them.
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


def recordings(files: Any) -> tuple[list, list[str]]:
    """([(recording, folder below the output)], one line for each that may not be read): folders are gone through."""
    found: list = []
    problems = []
    for path in files:
        if not path.is_dir():
            found.append((path, Path()))
            continue
        inside, refused = files_under(path, AUDIO)
        found += [(one, one.parent.relative_to(path)) for one in inside]
        problems += [f"{one}: {reason}" for one, reason in refused]
        problems += [] if inside else [f"{path}: no recording in this folder"]
    return found, problems


def as_loud(samples: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Samples at the root mean square of `wanted`, or as near to it as the peak allows."""
    level, asked = (float(np.sqrt(np.mean(np.square(one, dtype=np.float64)))) for one in (samples, wanted))
    gain = asked / level if level > 0 else 1.0
    return samples * np.float32(min(gain, 0.999 / max(float(np.abs(samples).max()), 1e-9)))


def place_for(name: Path, taken: set[Path]) -> Path:
    """`name`, or `name-2`, `name-3`, … where a result of this call has it: a.wav and a.mp3 do not overwrite each other.
    """
    number, free = 1, name
    while free in taken:
        number += 1
        free = name.with_name(f"{name.name}-{number}")
    taken.add(free)
    return free


class Transfer:
    """A trained run's networks, ready to give recordings the class `label`.

    Raises FileNotFoundError for a run whose images hold phases too, which a recording's picture here does not.
    """

    def __init__(self, run: Run, store: Store, label: str) -> None:
        from papers.lord_transfer import listener, trained as using

        if run.config.phase != "none":
            raise FileNotFoundError(f"{run.directory}: its model makes phases too; choose a --run without")
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
        starts = range(0, len(windows), AT_ONCE)
        if len(starts) > 1:
            starts = progress(starts, "windows", f"x {AT_ONCE}")  # type: ignore[assignment]
        made = []
        for start in starts:
            codes = self.using.encode(self.trained, windows[start:start + AT_ONCE])
            made.append(self.using.generate(self.trained, codes, np.repeat(self.code[None], len(codes), 0)))
        return image, joining.columns(np.concatenate(made)[..., 0], step)[:, :frames], reference

    def hears(self, image: np.ndarray) -> Any:
        """What the classifier hears, mean over windows: ((class, share), ...), the likeliest first."""
        width = self.config.frames
        image = np.pad(image, ((0, 0), (0, max(0, width - image.shape[1]))))
        shares = self.listen(self.trained.classifier, joining.cut(image, width, width)[..., None])[0].mean(0)
        return sorted(zip(self.trained.labels, shares.tolist(), strict=True), key=lambda pair: -pair[1])


def transfer(found: list, to: str, run: Run, store: Store, output: Any) -> list[str]:
    """Write the results of every (recording, folder below `output`); returns a line for each that cannot be used."""
    from common import plots
    from papers.lord_transfer import sound

    worker, problems = Transfer(run, store, to), []
    config = worker.config
    taken: set[Path] = set()
    for path, below in found:
        try:
            samples = audio.load(path, config.sample_rate)
            before, after, reference = worker.images(samples)
        except audio.AudioError as error:
            problems.append(str(error))
            continue
        except ValueError as error:
            problems.append(f"{path}: {error}; nothing to transfer")
            continue
        name = place_for(output / below / safe_name(f"{Path(path).stem}-to-{to}"), taken)
        name.parent.mkdir(parents=True, exist_ok=True)
        made = as_loud(sound.to_audio(after, reference, config)[:len(samples)], samples)
        audio.write(name.with_name(name.name + ".wav"), made, config.sample_rate)
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
        found, refused = recordings(options.files)
        problems = transfer(found, label, run, store, options.output)
    return scripts.told(refused + problems, len(refused) + len(found))


if __name__ == "__main__":
    sys.exit(main())
