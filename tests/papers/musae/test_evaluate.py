"""Measures by hand; then a whole run on made-up songs: every claim answered, the page's files there, the tools."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pretty_midi
import pypianoroll
import pytest

from common import claims, midi, record
from common.config import resolve
from common.corpora import Corpus, Item
from papers.musae import config as settings, edit, interpolate, measures, preprocess, reconstruct, sample, tool
from papers.musae.tokens import HOLD, SILENT
from tests.papers.conftest import without_graphs
from tests.papers.musae.test_preprocess import song

SMOKE_RUN = "test_evaluate.test_every_claim_has_a_value_or_a_reason"  # test_contract asks


def test_hamming_counts_tokens():  # dossier A26: the bit distance is this times 2 / 130
    a, b = np.zeros((2, 4, 4), int), np.zeros((2, 4, 4), int)
    b[0, 0] = 7
    assert measures.hamming(a, b).tolist() == [0.25, 0.0]
    bits = np.mean(np.eye(130)[a] != np.eye(130)[b], axis=(1, 2, 3))
    np.testing.assert_allclose(bits, measures.hamming(a, b) / 65)


def test_low_level_metrics_by_hand():
    tokens = np.full((1, 8, 4), HOLD)
    tokens[0, 0] = SILENT
    tokens[0, :, 1] = [40, 129, 129, 128, 43, 129, 52, 129]
    names, values = measures.low_level(tokens)
    found = dict(zip(names, values[0], strict=True))
    expected = {"notes": 3, "held steps": 4, "steps at rest": 1, "note length": 7 / 3, "interval": 6, "lowest pitch":
    40,
                "mean pitch": 45, "highest pitch": 52, "pitches": 3, "pitch classes": 2}  # fmt: skip
    for name, value in expected.items():
        assert found[f"bass: {name}"] == pytest.approx(value), name
    assert found["guitar: notes"] == 0 and np.isnan(found["guitar: note length"]) and "drums: interval" not in found


def test_relative_changes_sum_to_zero_and_smoothness():  # dossier A28
    rng = np.random.default_rng(0)
    petal = np.repeat(np.arange(16), 10)
    smooth = 5 + np.cos(2 * np.pi * petal / 16)
    values = np.stack([smooth, rng.normal(9, 1, 16)[petal], np.full(160, 3.0)], axis=1)
    changes = measures.relative_changes(values, petal, 16)
    np.testing.assert_allclose(changes.sum(axis=0), 0, atol=1e-12)
    ratio = measures.von_neumann(changes)
    assert ratio[0] == pytest.approx(1 - np.cos(2 * np.pi / 16)) and 0.4 < ratio[1] < 1.6 and np.isnan(ratio[2])
    assert measures.smooth_share(changes[:, :1]) == 1.0


def test_windows_of_a_pair_carry_one_tag_and_not_the_other():  # dossier A29
    tags = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 1], [0, 0, 1], [1, 0, 1]], np.uint8)
    assert [pool.tolist() for pool in measures.exclusive(tags, 0, 1)] == [[0, 4], [2]]


def test_overlap_of_distributions():
    rng = np.random.default_rng(0)
    a = rng.normal(size=(500, 2))
    assert measures.distribution_overlap(a, a) == 1 and measures.distribution_overlap(a, a + 10) < 0.01


SIZES = {"latent": 6, "encoder_units": 4, "decoder_units": 5, "critic_units": 8, "depth": 1, "genres": 4, "petals": 4,
         "batch_size": 16, "updates_2bar": 2, "updates_16bar": 1, "log_every": 1, "beta_every": 2, "windows": 24,
         "interpolations": 6, "petal_samples": 3, "pair_windows": 8, "max_songs": 0}  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A tiny sound run on eight songs, evaluated."""
    from papers.musae import evaluate, train

    folder = tmp_path_factory.mktemp("musae")
    items = []
    for k in range(12):
        path = song(folder / f"song-{k}.mid", bars=20, seed=k)
        terms = ["rock"] if k % 3 == 0 else ["pop"] if k % 3 == 1 else ["punk"]
        items.append(Item(f"song-{k}", path, "", f"song-{k}", artist=f"artist {k}", facts={"terms": terms}))
    corpus = Corpus("folder", folder, "other", items)
    config = resolve(settings, "sound", "smoke", SIZES)
    store = preprocess.preprocess(config, None, "smoke", folder / "stores", corpus=corpus)
    run = record.open_run(settings, config, store, "sound", "smoke", 0, {}, folder / "runs")
    run.write_config(store)
    with without_graphs():
        train.train(config, store, run)
    evaluate.evaluate(config, store, run)
    return run, folder


@pytest.mark.slow
def test_every_claim_has_a_value_or_a_reason(trained):
    run, _ = trained
    results = json.loads((run.directory / "results.json").read_text())
    table = claims.read_claims(Path(settings.__file__).parent / "claims.csv")
    assert set(results["results"]) == {claim.id for claim in table} and results["complete"]
    value = {name: entry.get("value") for name, entry in results["results"].items()}
    assert value["E1"] == 0 and value["E1-song"] == 0 and value["E3-table"] <= 0.0005
    assert value["T7-flower"] == pytest.approx(np.mean([value[f"T{k}-flower"] for k in (3, 4, 5, 6)]))
    assert 0 <= value["T1-musicvae-flat"] <= 1 and 0 <= value["T8-musicvae-hierarchical"] <= 1
    assert value["M1-T1"] == pytest.approx(value["T1-gaussian"] - value["T1-musicvae-flat"])
    assert results["results"]["G3"] == {"not_testable": "2bar-gaussian@other-start is not trained here"}


@pytest.mark.slow
def test_the_page_has_its_files(trained):
    run, _ = trained
    sections = json.loads((run.directory / "media.json").read_text())
    training = next(section["items"] for section in sections if section["title"] == "Training")
    assert {Path(item["file"]).stem for item in training} == {  # of two updates; one is no curve
        "curves_2bar-gaussian", "curves_2bar-musicvae-flat"}
    files = []
    for section in sections:
        files += [item[key] for item in section["items"] for key in ("file", "image", "audio") if key in item]
        for row in section.get("grid", {}).get("cells", []):
            files += [cell[key] for cell in row for key in ("audio", "image") if key in cell]
    assert len(files) > 30 and all((run.directory / name).stat().st_size > 0 for name in files)
    for path in (run.directory / "midi").glob("*.mid"):
        midi.read(path)


@pytest.mark.slow
def test_tools_write_music_that_can_be_read_again(trained, capsys):
    run, folder = trained
    out = folder / "out"
    first, second = folder / "song-0.mid", folder / "song-1.mid"
    reconstruct.reconstruct(reconstruct.Options(first, run=run.directory, output=out))
    interpolate.interpolate(interpolate.Options(first, second, steps=3, run=run.directory, output=out))
    sample.sample(sample.Options(genre="rock", count=2, run=run.directory, output=out))
    edit.edit(edit.Options(first, "pop", run=run.directory, output=out))
    written = sorted(path.name for path in out.glob("*.mid"))
    assert written == ["sample-rock-1.mid", "sample-rock-2.mid", "song-0-reconstruction.mid", "song-0-to-song-1.mid",
                       "song-0-toward-pop.mid"]  # fmt: skip
    for path in out.glob("*.mid"):
        assert midi.read(path).instruments is not None
        assert path.with_suffix(".wav").exists() and path.with_suffix(".png").exists()
        rolls = pypianoroll.load(path.with_suffix(".npz"))
        assert [track.name for track in rolls.tracks] == ["drums", "bass", "guitar", "strings"]
        sounding = {track.name: np.flatnonzero(track.pianoroll.any(axis=0)).tolist() for track in rolls.tracks}
        notes = {i.name: sorted({n.pitch for n in i.notes}) for i in pretty_midi.PrettyMIDI(str(path)).instruments}
        if path.name != "song-0-toward-pop.mid":  # the user's own file, whose parts have their own names
            assert sounding == notes
    before, after = (pretty_midi.PrettyMIDI(str(path)) for path in (first, out / "song-0-toward-pop.mid"))
    for one, two in zip(before.instruments, after.instruments, strict=True):
        kept, found = ([(n.start, n.pitch) for n in i.notes if n.start >= 16 * 2.0] for i in (one, two))
        assert kept == found and len(kept) == 16 and one.program == two.program  # bars 17 to 20, at 120 a minute
    assert "trained on" in capsys.readouterr().err
    with pytest.raises(midi.MidiError, match="this run knows .*rock"):
        sample.sample(sample.Options(genre="polka", run=run.directory, output=out))


def test_effects_are_noted_of_the_ablations_where_they_were_asked_for(tmp_path, monkeypatch):
    from papers.musae import evaluate

    names, written = ("2bar-gaussian", "2bar-gaussian@beta-0"), []
    models = {name: SimpleNamespace(songs=3, name=name) for name in names}
    monkeypatch.setattr(evaluate.training, "outcome", lambda directory: SimpleNamespace(complete=True, step=7))
    monkeypatch.setattr(evaluate.train, "jobs", lambda config: dict.fromkeys(names))
    monkeypatch.setattr(evaluate.measured, "measure", lambda *_: SimpleNamespace(models=models))
    monkeypatch.setattr(evaluate.findings, "learnt", lambda found: {})
    monkeypatch.setattr(evaluate.findings, "row", lambda model: f"row of {model.name}")
    monkeypatch.setattr(evaluate.page, "sections", lambda *_: [])
    monkeypatch.setattr(evaluate, "collect", lambda *_: {})
    monkeypatch.setattr(evaluate.preconditions, "asked", lambda results, learnt: results)
    run = SimpleNamespace(directory=tmp_path, model_directory=lambda name: tmp_path / name,
                          write_results=lambda *given, **_: written.append(given[3:]))
    for ablations in (False, True):
        evaluate.evaluate(SimpleNamespace(ablations=ablations), None, run)
    songs = {"songs": dict.fromkeys(names, 3)}
    assert written == [(songs, 14, True), (songs | {"effects": {names[1]: f"row of {names[1]}"}}, 14, True)]


def test_a_file_that_does_not_fit_says_why_and_what_to_do(tmp_path, capsys):
    config = resolve(settings, "sound", "smoke")
    with pytest.raises(midi.MidiError, match="no bass.*bass program"):
        tool.read(song(tmp_path / "a.mid", programs=(25, 48)), config, 2)
    with pytest.raises(midi.MidiError, match="bars long.*make it longer"):
        tool.read(song(tmp_path / "short.mid", bars=3), config, 16)
    holes = tool.read(song(tmp_path / "holes.mid", gap=40), config, 2)
    tool.report(holes)
    assert "bars 3 to 4 left out" in (said := capsys.readouterr().err) and "strings silent" in said
    assert holes.windows()[1] == [k for k in range(10) if k != 1] and list(holes.faults) == [1]
    with pytest.raises(midi.MidiError, match="no 2 bars in which all four tracks play"):
        strict = resolve(settings, "sound", "smoke", {"silence_limit": 15})
        tool.report(tool.read(song(tmp_path / "empty.mid", bars=4, gap=48), strict, 2))


@pytest.mark.parametrize(
    "module, words, expected",
    [
        (reconstruct, "a.mid", {"file": Path("a.mid")}),
        (interpolate, "a.mid b.mid --steps 9", {"first": Path("a.mid"), "second": Path("b.mid"), "steps": 9}),
        (sample, "--genre rock -n 8", {"genre": "rock", "count": 8}),
        (edit, "a.mid --toward jazz --amount 0.5", {"file": Path("a.mid"), "toward": "jazz", "amount": 0.5}),
    ],
)
def test_tools_take_the_documented_commands(module, words, expected, monkeypatch):
    seen = []
    monkeypatch.setattr("sys.argv", ["tool", *words.split()])
    tool.run_tool(module.Options, module.__doc__, seen.append)
    assert {name: getattr(seen[0], name) for name in expected} == expected


def test_no_run_says_which_command_makes_one(tmp_path):
    with pytest.raises(FileNotFoundError, match="make reproduce-musae"):
        record.for_tool(settings, None, tmp_path)
