"""Scores have form and stay within their style; styles differ and overlap."""

import numpy as np
import pytest

from common.demo import composer, patterns, players, styles
from common.demo.pieces import SCALES

ALL = {
    **styles.FMA_MEDIUM,
    **styles.GTZAN,
    "blues": styles.BLUES,
    "country": styles.COUNTRY,
    "soul": styles.SOUL,
    **players.COMPOSERS,
}


@pytest.mark.parametrize("name", ALL)
def test_a_piece_of_every_style_is_whole(name):
    for seed in range(3):
        score = composer.compose(ALL[name], np.random.default_rng(seed), 20)
        assert 20 <= score.get_end_time() < 20 + 2 * 4 * 60 / 48
        assert {"melody", "chords", "bass"} <= {part.name for part in score.instruments}
        for part in score.instruments:
            assert part.notes
            assert all(
                0 <= note.start < note.end and 0 < note.velocity < 128 and 0 <= note.pitch < 128 for note in part.notes
            )


def test_melody_stays_in_its_scale_and_register():
    style = styles.POP
    for seed in range(5):
        rng = np.random.default_rng(seed)
        plan = composer.plan(style, np.random.default_rng(seed), 30)
        score = composer.compose(style, rng, 30, only=("melody",))
        pitches = {note.pitch for part in score.instruments for note in part.notes}
        assert all((pitch - plan.tonic) % 12 in SCALES[plan.mode] for pitch in pitches)
        assert style.register[0] - 2 <= min(pitches) <= max(pitches) <= style.register[1] + 2


def test_sections_return():
    """A piece repeats itself: its bars of bass hold fewer different patterns than bars."""
    score = composer.compose(styles.ELECTRONIC, np.random.default_rng(1), 60)
    bass = next(part for part in score.instruments if part.name == "bass")
    bar = 4 * 60 / score.get_tempo_changes()[1][0]
    bars = {}
    for note in bass.notes:
        bars.setdefault(int((note.start + 0.02) // bar), []).append(note.pitch)
    assert len({tuple(pitches) for pitches in bars.values()}) < len(bars) / 3


def test_a_soloist_plays_one_note_at_a_time():
    for instrument in players.SOLOISTS:
        rng = np.random.default_rng(3)
        score = composer.compose(players.soloist(instrument, rng), rng, 15, only=("melody",))
        (part,) = score.instruments
        overlap = [max(0.0, a.end - b.start) for a, b in zip(part.notes, part.notes[1:], strict=False)]
        assert max(overlap) < 0.15


def test_styles_differ_in_tempo_and_overlap():
    def tempos(style):
        return np.array([composer.plan(style, np.random.default_rng(seed), 10).tempo for seed in range(200)])

    metal, classical = tempos(styles.METAL), tempos(styles.CLASSICAL)
    assert metal.mean() > classical.mean() + 30
    assert np.percentile(classical, 95) > np.percentile(metal, 5)


def test_now_and_then_a_piece_borrows_from_another_style():
    drawn = [composer.draw_style(styles.GTZAN, "metal", np.random.default_rng(seed)) for seed in range(200)]
    borrowed = np.mean([style != styles.METAL for style in drawn])
    assert 0.4 < borrowed < 0.85
    assert all(style.borrow == styles.METAL.borrow for style in drawn)


def test_every_pattern_has_sixteen_steps():
    for grid in (*patterns.DRUMS.values(), patterns.FILL):
        assert all(len(steps) == 16 and set(steps) <= set("xo.") for steps in grid.values())
