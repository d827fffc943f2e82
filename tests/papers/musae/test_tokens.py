"""Tokens from and to the grid, and the way through a MIDI file and back."""

import numpy as np
import pytest

from common import midi
from papers.musae.tokens import ALPHABET, HOLD, SILENT, base_tokens, to_pretty_midi, token_base


def test_token_rules():  # dossier A1 to A5
    assert (SILENT, HOLD, ALPHABET) == (128, 129, 130)
    bass = [40] * 7 + [128] + [40] * 4 + [43] * 4
    assert base_tokens(np.array(bass)).tolist() == [40] + [129] * 6 + [128, 40, 129, 129, 129, 43, 129, 129, 129]
    drums = [36, 128, 128, 128, 38, 128, 128, 128, 36, 36, 36] + [128] * 5
    expected = [36, 128, 129, 129, 38, 128, 129, 129, 36, 129, 129, 128, 129, 129, 129, 129]
    assert base_tokens(np.array(drums)).tolist() == expected
    assert base_tokens(np.full(16, 128)).tolist() == [128] + [129] * 15
    assert token_base(np.array([129, 129, 60, 129, 128, 129])).tolist() == [128, 128, 60, 60, 128, 128]


def random_base(rng, steps=64):
    lengths = rng.integers(1, 9, steps)
    return np.repeat(rng.integers(30, 129, steps), lengths)[:steps]


def test_tokens_to_base_to_tokens_is_the_identity():
    rng = np.random.default_rng(0)
    for _ in range(50):
        token = base_tokens(random_base(rng))
        np.testing.assert_array_equal(base_tokens(token_base(token)), token)


@pytest.mark.parametrize("tempo", [120.0, 97.3, 140.0, 60.0])
@pytest.mark.parametrize("complete", [False, True])
def test_tokens_to_midi_to_tokens_is_the_identity(complete, tempo, tmp_path):
    rng = np.random.default_rng(1)
    for _ in range(10):
        base = np.stack([random_base(rng, 256) for _ in range(4)], axis=1)
        base[0] = np.minimum(base[0], 127)  # a bar that begins with a rest has no note to begin the file
        token = base_tokens(base.T).T
        if complete:
            drum = base[:, 0]
            token[:, 0] = np.where((drum < 128), drum, token[:, 0])  # drum hits last one step and begin anew
            again = rng.random(token.shape) < 0.1
            token[(token == HOLD) & again & (base < 128)] = base[(token == HOLD) & again & (base < 128)]
        song = to_pretty_midi(token, (0, 33, 29, 48), {0}, tempo=tempo, drum_hold_repeats=not complete)
        path = tmp_path / "song.mid"
        song.write(str(path))
        read = midi.read(path)
        lines = midi.complete_grid(read) if complete else midi.pypianoroll_grid(read)
        assert [line.program for line in lines] == [0, 33, 29, 48] and [line.is_drum for line in lines] == [
            True,
            *[False] * 3,
        ]
        for track, line in enumerate(lines):
            found = base_tokens(line.base, line.onset)
            np.testing.assert_array_equal(found[:256], token[:, track])
