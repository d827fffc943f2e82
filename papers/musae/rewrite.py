"""A user's own MIDI file with some of its bars rewritten in place: what the model does not hear stays as it is.

The model hears one part of each class: of drums, bass and guitars the one with most notes, of the strings, which it
hears as one line, the one that is lowest most often. Only these are rewritten, only in the bars that were edited.
pretty_midi keeps the other parts, the other bars, tempo, metre and key changes, programs, controllers, pitch bends and
lyrics.
"""

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from common import audio, midi
from common.demo import synthesis
from papers.musae import figures, preprocess, sound, tool
from papers.musae.config import Config
from papers.musae.data import STEPS_PER_BAR
from papers.musae.tokens import base_tokens, token_notes

VELOCITY = 80  # of bars in which the part had no note


def save(song: tool.Song, answers: dict[int, np.ndarray], config: Config, path: Path, title: str) -> list[Path]:
    """Write the rewritten file (.mid), its sound (.wav), and the four tracks that are heard as rolls (.png, .npz)."""
    score, tokens, steps = rewritten(song, answers, config), song.tokens.copy(), song.bars * STEPS_PER_BAR
    for number, answer in answers.items():
        tokens[number * steps : (number + 1) * steps] = answer
    written = [path.with_name(path.name + ending) for ending in (".mid", ".wav", ".png", ".npz")]
    path.parent.mkdir(parents=True, exist_ok=True)
    write(score, written[0])
    audio.write(written[1], synthesis.render(score, sound.SAMPLE_RATE), sound.SAMPLE_RATE)
    rolls = sound.to_multitrack(tokens, song.tempo)
    figures.score(rolls, written[2], title)
    rolls.save(str(written[3]))
    return written


def rewritten(song: tool.Song, answers: dict[int, np.ndarray], config: Config) -> Any:
    """pretty_midi of the song's file, in which `answers`, {number of the window: tokens (steps, 4)}, are played."""
    import pretty_midi

    score, source = _opened(song.path), midi.read(song.path)
    if not len(source.metres):
        raise midi.MidiError(f"{song.path}: no time signature; set 4/4 at the start, which says where bars begin")
    end, steps = score.get_end_time(), song.bars * STEPS_PER_BAR
    times = step_times(song.path, config, len(song.tokens))
    parts = [score.instruments[number] for number in heard(source, config)]
    for number in sorted(answers):
        for part, tokens in zip(parts, answers[number].T, strict=True):
            notes = token_notes(tokens, part.is_drum and config.quantiser == "pypianoroll")
            _replace(part, notes, number * steps, steps, times)
    if score.get_end_time() < end:
        score.text_events.append(pretty_midi.Text("end", end))  # keeps trailing rests when the file is read again
    return score


def write(score: Any, path: Path) -> None:
    """As pretty_midi writes a score, but with whole tempos, which it cuts off, and without the 4/4 that it adds at 0
    where the file's own metre comes later.
    """
    import mido

    score.write(str(path))
    file = mido.MidiFile(path)
    first = file.tracks[0]
    for event, tempo in zip([e for e in first if e.type == "set_tempo"], score.get_tempo_changes()[1], strict=True):
        event.tempo = round(6e7 / tempo)
    if min(metre.time for metre in score.time_signature_changes) > 0:
        first.remove(next(event for event in first if event.type == "time_signature"))
    file.save(path)


def _opened(path):
    import pretty_midi

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of tempo and metre events that count nowhere
        try:
            return pretty_midi.PrettyMIDI(str(path))
        except Exception as error:  # noqa: B902 pretty_midi raises whatever its parser met
            raise midi.MidiError(f"{path}: pretty_midi cannot read it ({type(error).__name__}: {error})") from None


def heard(source: midi.Song, config: Config) -> list[int]:
    """Numbers of the four instruments that are heard as drums, bass, guitar and strings, as `tool.read` chooses."""
    lines = midi.complete_grid(source) if config.quantiser == "complete" else midi.pypianoroll_grid(source)
    of = {name: [] for name in preprocess.CLASSES}
    for number, line in enumerate(lines):
        if (line.base < midi.SILENT).any():
            of[preprocess.track_class(line.program, line.is_drum)].append(number)

    def notes(number):
        return int((base_tokens(lines[number].base, lines[number].onset) < midi.SILENT).sum())

    lowest, _ = preprocess.merge([lines[number] for number in of["strings"]])

    def steps_lowest(number):
        return int(((lines[number].base == lowest) & (lowest < midi.SILENT)).sum())

    return [max(of[name], key=steps_lowest if name == "strings" else notes) for name in preprocess.CLASSES]


def step_times(path: Path, config: Config, steps: int) -> np.ndarray:
    """When each step of the run's grid begins and the last one ends, in seconds, (steps + 1,); none before 0."""
    source = midi.read(path)
    if config.quantiser == "complete":
        bar = 4 * source.resolution
        first = int(source.metres[0, 0]) % bar if len(source.metres) else 0
        if any((instrument.start < first).any() for instrument in source.instruments):
            first -= bar
        ticks = first + np.arange(steps + 1) * source.resolution / 4
        return source.seconds(np.maximum(ticks, 0))
    start = source.seconds(source.metres[0, 0]) if len(source.metres) else _opened(path).estimate_beat_start()
    beats = midi.beats(source, start)
    beats = np.append(beats, 2 * beats[-1] - beats[-2])
    return np.interp(np.arange(steps + 1) / 4, np.arange(len(beats)), beats)


def _replace(part, notes, first, steps, times):
    """Play `notes`, rows (step, step after the last, pitch), in `steps` steps from `first` on, and nothing else there.

    A note that sounds into the window ends where it begins; one that sounds beyond goes on behind it, unless a drum.
    """
    import pretty_midi

    last, numbers = first + steps, np.arange(len(times))
    bounds = np.array([[note.start, note.end] for note in part.notes]).reshape(-1, 2)
    begins, ends = np.floor(np.interp(bounds, times, numbers, -1, len(times)) + 0.5).T
    kept, velocities = [], []
    for note, begin, end in zip(part.notes, begins, ends, strict=True):
        if begin < first:
            kept.append(pretty_midi.Note(note.velocity, note.pitch, note.start, min(note.end, times[first])))
        elif begin < last:
            velocities.append(note.velocity)
        else:
            kept.append(note)
        if begin < last < end and not part.is_drum:
            kept.append(pretty_midi.Note(note.velocity, note.pitch, times[last], note.end))
    velocity = int(np.median(velocities)) if velocities else VELOCITY
    for begin, end, pitch in notes.tolist():
        kept.append(pretty_midi.Note(velocity, pitch, times[first + begin], times[first + end]))
    part.notes = [note for note in kept if note.end > note.start]
