"""What the page says of a run: tables, which tokens are played, what the figures are drawn from; nothing is drawn."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from common import plots
from papers.musae import figures, findings, inference, latent, page, sound
from papers.musae.measured import ALPHAS
from tests.papers.musae.test_findings import world

TWO, GAUSSIAN, FLOWER = findings.TWO, findings.GAUSSIAN, findings.FLOWER


@pytest.fixture
def run(monkeypatch, tmp_path):
    """A run that keeps what would be drawn or played, by the file's name."""
    seen = SimpleNamespace(directory=tmp_path, seed=0, series={}, points={}, heat=[], heard={}, codes=[],
                           figure=lambda name: Path(name), relative=lambda path: Path(path).name)  # fmt: skip

    def write(tokens, config, path, title):
        seen.heard[path.name] = np.asarray(tokens)
        return [path.with_suffix(kind) for kind in (".mid", ".wav", ".png")]

    def keep(where, path, *values):
        where[Path(path).name] = values
        return path

    monkeypatch.setattr(sound, "write", write)
    monkeypatch.setattr(plots, "curves", lambda path, series, *_, **__: keep(seen.series, path, series))
    monkeypatch.setattr(plots, "scatter", lambda path, *values, **_: keep(seen.points, path, *values[:2]))
    monkeypatch.setattr(figures, "heat_map", lambda path, changes, names: seen.heat.append((changes, names)) or path)
    monkeypatch.setattr(figures, "t_sne", lambda path, codes, labels, names: (path, 7))
    monkeypatch.setattr(inference, "decode_tokens",
                        lambda learner, z: seen.codes.append(z) or np.full((len(z), 20, 4), 60))
    return seen


@pytest.fixture
def measured():
    """The world of test_findings with something to see and hear in it."""
    found = world(False)
    for number, (path, model) in enumerate(zip(found.paths.values(), found.models.values(), strict=False)):
        path.tokens = np.arange(11)[:, None, None, None] + np.zeros((11, 12, 20, 4), int)
        path.ends, path.data = (np.arange(12), np.arange(12) + 12), ALPHAS[:, None] * np.ones(12)
        model.tokens[0], model.tokens[12] = 100 + number, 110 + number
    found.petals.petal = np.repeat(np.arange(4), 2)
    found.petals.tokens = found.petals.petal[:, None, None] + np.zeros((8, 20, 4), int)
    found.petals.changes["model"][3, 1] = np.nan
    for place, pair in enumerate(found.pairs.values()):
        pair.codes, pair.genre = np.random.default_rng(place).normal(size=(6, 3)), np.array([0, 0, 0, 1, 1, 1])
    return dataclasses.replace(found, names=list("abcd"))



def test_table_1_has_each_model_beside_its_baselines(measured):
    (table,) = (section := page.table_1(measured))["items"]
    rows = {tuple(row[:2]): row[2:] for row in table["rows"]}
    assert len(rows) == 6 * 14
    assert rows[FLOWER, "drums"] == ["0.800", "0.000", "0.000", "0.800", "0.800", "–"]
    assert rows[GAUSSIAN, "dbgs"] == ["0.550", "0.000", "0.000", "0.550", "0.550", "–"]
    assert rows["16bar-musicvae-flat", "bass"] == ["0.500", "0.000", "0.000", "0.500", "0.500", "1.000"]
    assert rows[TWO, "bass"][0] == "0.800" and rows["16bar-flower@beta-0", "strings"][0] == "0.600"
    assert "16bar-flower: 24 held-out windows of 12 songs" in section["text"]


def test_windows_that_are_played_are_the_first_middle_and_last(measured, run):
    """Every model's answer to the same window side by side, and what needs no model; none of the controls."""
    section = page.reconstructions(measured, run, 16)
    models = [GAUSSIAN, FLOWER, "16bar-musicvae-flat", "16bar-musicvae-hierarchical"]
    assert section["grid"]["columns"] == ["original", *models, "commonest tokens", "all hold"]
    captions = [cell["caption"] for cell in section["grid"]["cells"][1]]
    assert captions[0] == "80 notes" and captions[2] == "80 notes, 71% of tokens right"
    assert captions[-2:] == ["80 notes, 0% of tokens right", "0 notes, 0% of tokens right"]
    assert section["grid"]["rows"] == ["window 1", "window 2", "window 3"]
    assert run.heard["16bar-1-original"].max() == 101 and run.heard["16bar-3-original"].max() == 60
    np.testing.assert_array_equal(run.heard[f"16bar-1-{FLOWER}"], measured.models[FLOWER].answers[0])
    assert (run.heard["16bar-2-commonest-tokens"] == 62).all() and (run.heard["16bar-2-all-hold"] == 129).all()
    assert [item["kind"] for item in section["items"]] == ["midi", "midi"]
    two = page.reconstructions(measured, run, 2)
    assert two["title"] == "Originals and reconstructions" and section["title"] == "Sixteen bars side by side"
    assert two["grid"]["columns"][1:3] == [TWO, "2bar-musicvae-flat"]
    assert page._notes(np.full((2, 4), 129)) == "0 notes" and page._notes(np.array([[60, 129, 128, 129]])) == "1 note"


def test_edits_are_heard_beside_what_they_change(measured, run):
    """The code of each window at the petals of the three commonest genres, placed as training placed them."""
    placed = dataclasses.replace(measured, placement=np.array([2, 0, 1, 3]))
    section = page.edits(placed, run)
    assert section["grid"]["columns"] == ["original", "reconstruction", "towards a", "towards b", "towards c"]
    np.testing.assert_allclose([z[0, :2] for z in run.codes[:3]], [[-1, 0], [1, 0], [0, 1]], atol=1e-9)
    captions = [cell["caption"] for cell in section["grid"]["cells"][0]]
    assert captions[1] == "80 notes" and captions[2] == "80 notes, 29% of tokens change"
    np.testing.assert_array_equal(run.heard["edit-1-original"], measured.models[FLOWER].tokens[0])


def test_the_sweep_is_a_table_where_it_was_trained(measured):
    (section,) = page.sweep(measured)
    rows = {row[0]: row[1:] for row in section["items"][0]["rows"]}
    assert rows["as it is"] == ["0.950", "0.100"] and rows["beta tenfold"] == ["0.600", "0.200"]
    assert list(rows) == ["as it is", "beta 0", "beta tenfold", "latent quarter", "latent sixteenth", "other start"]
    assert page.sweep(dataclasses.replace(measured, models={TWO: measured.models[TWO]})) == []


def test_an_interpolation_is_played_from_song_to_song(measured, run):
    path = measured.paths[TWO]
    others = np.where(np.arange(path.tokens.shape[1])[:, None, None], path.tokens + 50, path.tokens)  # of later pairs
    paths = measured.paths | {TWO: dataclasses.replace(path, tokens=others)}
    section = page.interpolation(dataclasses.replace(measured, paths=paths), run)
    played = {name: set(tokens.ravel().tolist()) for name, tokens in run.heard.items()}
    assert played == {f"interpolation-{k:02d}": {k} for k in (0, 2, 5, 8, 10)} | {
        "interpolation-song-1": {100}, "interpolation-song-2": {110}}  # fmt: skip
    assert section["grid"]["columns"] == ["song 1", "0.0", "0.2", "0.5", "0.8", "1.0", "song 2"]
    captions = [cell["caption"] for cell in section["grid"]["cells"][0]]
    assert captions[0] == "original of song 1" and captions[-1] == "original of song 2"
    assert captions[3] == "alpha 0.5, 80 notes"
    (series,) = run.series["figure_4_hamming"]
    assert set(series) == {TWO, GAUSSIAN, FLOWER, "interpolating the data"}
    np.testing.assert_allclose(series[GAUSSIAN][1], 0.4 + 0.2 * ALPHAS)
    np.testing.assert_allclose(series["interpolating the data"][1], ALPHAS)
    assert "12 interpolations" in section["items"][0]["caption"]


def test_reconstructions_are_of_songs_from_the_first_to_the_last():
    model = SimpleNamespace(rows=np.array([40, 20, 0, 30, 10]), windows=SimpleNamespace(song=np.arange(50)))
    chosen = page._chosen(model)
    assert len(chosen) == page.SHOWN and (chosen[0], chosen[-1]) == (2, 0)  # songs 0 and 40


@pytest.mark.parametrize("style", [False, True])
def test_samples_are_first_draws_with_coins_where_the_decoder_takes_them(measured, run, style):
    config = dataclasses.replace(measured.config, style_branch=style)
    section = page.samples(dataclasses.replace(measured, config=config), run)
    (codes,) = run.codes
    assert codes.shape == (5, 4 + 32 * style) and codes.dtype == np.float32
    coins, normal = codes[:, : 32 * style], codes[:, 32 * style :]
    assert set(coins.ravel().tolist()) <= {0.0, 1.0} and 0.3 < np.abs(normal).mean() < 1.4
    assert set(run.heard) == {f"sample-{number}" for number in range(1, 6)}
    assert section["grid"]["columns"][-1] == "sample 5" and len(section["grid"]["cells"][0]) == 5
    if style:
        assert 0.3 < coins.mean() < 0.7


def test_the_circle_shows_metrics_that_every_petal_has(measured, run):
    section = page.circle(measured, run)
    ((changes, names),) = run.heat
    assert names == ["a"] and changes.shape == (1, 16)
    np.testing.assert_allclose(changes[0], np.cos(2 * np.pi * np.arange(16) / 16))
    assert {name: set(tokens.ravel().tolist()) for name, tokens in run.heard.items()} == {
        f"sample-petal-{petal:02d}": {petal} for petal in range(4)}  # fmt: skip
    assert section["grid"]["columns"] == [f"Gaussian {petal}" for petal in range(4)]
    measured.petals.changes["model"][:] = np.nan
    assert [item["kind"] for item in page.circle(measured, run)["items"]] == ["midi"]


def test_the_latent_space_has_distances_and_hits_beside_their_nulls(measured, run):
    items = page.latent_space(measured, {"Q9": latent.petal_hits(measured)}, run)["items"]
    files = [item["file"] for item in items if item["kind"] == "figure"]
    assert files == ["figure_5_rock_punk", "t_sne_rock_punk"] * 2 + ["codes_on_the_flower"]
    distances, hits = (item for item in items if item["kind"] == "table")
    assert distances["rows"][2] == [FLOWER, "0.100", "0.050", "0.300", "0.500", "0.400", "0.600"]
    assert len(distances["rows"]) == 14
    assert distances["columns"][1:3] == ["codes", "another draw of the prior"]
    assert hits["rows"] == [["codes", "100.0%"], ["one petal for all, the best", "33.3%"],
                            ["the codes of other songs", "33.3%"], ["any petal", "33.3%"]]  # fmt: skip
    points, labels = run.points["codes_on_the_flower"]
    np.testing.assert_array_equal(points, measured.models[FLOWER].codes[:, :2])
    first = [min(song % 4, (song + 1) % 4) if song >= 8 else song % 4 for song in range(12)]
    assert labels.tolist() == [list("abcd")[first[song]] for song in range(12) for _ in range(2)]
    points, labels = run.points["figure_5_rock_punk"]
    assert labels.tolist() == ["rock"] * 3 + ["punk"] * 3 and points.shape == (6, 2)
    without = dataclasses.replace(measured, models={TWO: measured.models[TWO]}, pairs={"F5a": "pop: too few"})
    items = page.latent_space(without, {"Q9": {"not_testable": "no flower"}}, run)["items"]
    assert [item["kind"] for item in items] == ["table"]


def test_songs_without_a_tag_are_named_so_and_rare_tags_left_out(measured, run):
    """Twelve songs, eight tags: the six commonest are shown, 'no tag' among them."""
    model = measured.models[FLOWER]
    tags = np.eye(12, 7, dtype=np.uint8)[[0, 0, 0, 1, 1, 2, 2, 3, 4, 5, 11, 11]]  # the last two songs have none
    model.windows = dataclasses.replace(model.windows, tags=tags)
    page._plane(dataclasses.replace(measured, names=list("abcdefg")), run)
    _, labels = run.points["codes_on_the_flower"]
    names, counts = np.unique(labels, return_counts=True)
    assert dict(zip(names, counts, strict=True)) == {"a": 6, "b": 4, "c": 4, "no tag": 4, "d": 2, "e": 2}


def test_curves_are_those_of_the_log(measured, run):
    lines = [{"step": step, "losses/reconstruction": 9.0 - step, "validation/cross_entropy": 8.0} for step in (1, 2, 3)]
    measured.models[TWO].lines = lines
    section = page.curves(measured, run)
    assert [item["file"] for item in section["items"]] == ["curves_2bar-gaussian"]  # the others have one line each
    (series,) = run.series["curves_2bar-gaussian"]
    assert series == {"training": ([1, 2, 3], [8.0, 7.0, 6.0]), "held out": ([1, 2, 3], [8.0, 8.0, 8.0])}


def test_a_page_shows_what_was_trained(measured, run):
    results = {"Q9": {"not_testable": "no flower"}}
    titles = [section["title"] for section in page.sections(measured, results, run)]
    assert titles == ["Table 1", "Beta, latent factors and another start", "Originals and reconstructions",
                      "Sixteen bars side by side", "Interpolations", "Samples", "Round the flower", "Genre edits",
                      "The latent space", "Training"]  # fmt: skip
    flower = dataclasses.replace(measured, paths={FLOWER: measured.paths[FLOWER]})
    assert [s["title"] for s in page.sections(flower, results, run)][4:5] == ["Round the flower"]
    two = dataclasses.replace(measured, petals=None)
    assert "Round the flower" not in [s["title"] for s in page.sections(two, results, run)]
