"""From tokens to things to hear and see: MIDI files with sensible programs, rendered sound, piano-roll pictures."""

from pathlib import Path

import numpy as np

from common import audio, midi, plots
from common.demo import synthesis
from papers.musae.model import TRACKS

PROGRAMS = (0, 33, 29, 48)  # drum kit, electric bass, electric guitar, strings: what the authors exported
SAMPLE_RATE = 22_050


def to_midi(tokens, config, tempo=120.0):
    """pretty_midi of tokens (T, 4) as this run's grid means them."""
    repeats = config.quantiser == "pypianoroll"  # there a held drum is the same drum hit again
    return midi.to_pretty_midi(tokens, PROGRAMS, {0}, TRACKS, tempo, drum_hold_repeats=repeats)


def write(tokens, config, path, title, tempo=120.0):
    """Write `path` (.mid), and beside it the sound (.wav) and the piano roll (.png); returns the three paths."""
    path = Path(path).with_suffix(".mid")
    path.parent.mkdir(parents=True, exist_ok=True)
    song = to_midi(tokens, config, tempo)
    song.write(str(path))
    sound = path.with_suffix(".wav")
    if any(instrument.notes for instrument in song.instruments):
        samples = synthesis.render(song, SAMPLE_RATE)
    else:
        samples = np.zeros(int(SAMPLE_RATE * len(tokens) * 15.0 / tempo), np.float32)
    audio.write(sound, samples, SAMPLE_RATE)
    return path, sound, draw(tokens, path.with_suffix(".png"), title)


def draw(tokens, path, title):
    """Piano roll of tokens (T, 4) as a PNG, a colour per track."""
    rolls = {}
    for track, name in enumerate(TRACKS):
        base = midi.token_base(tokens[:, track])
        roll = np.zeros((128, len(base)), np.uint8)
        sounding = np.flatnonzero(base < midi.SILENT)
        roll[base[sounding], sounding] = 1
        rolls[name] = roll
    if not any(roll.any() for roll in rolls.values()):
        rolls["drums"][60, 0] = 0
    return plots.piano_roll(path, rolls, title, steps_per_beat=4)


def notes(tokens):
    """Notes of all tracks in tokens (T, 4)."""
    return int((np.asarray(tokens) < midi.SILENT).sum())
