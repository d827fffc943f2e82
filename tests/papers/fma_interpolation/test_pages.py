"""Tables of the page from made-up measurements, cell by cell."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from common.config import resolve
from papers.fma_interpolation import classifiers, config as settings, pages, train
from papers.fma_interpolation.measured import Measured
from tests.papers.fma_interpolation.test_findings import (
    BAD,
    GOOD,
    HALF,
    LINE,
    PAPER,
    TRUTH,
    again,
    best_at,
    classical,
    fits,
    history,
    hunt,
    inverted,
    networks,
    paths,
    right,
)

DEMO = SimpleNamespace(parameters={"corpus": {"evidence": "demo"}}, index=[{"label": "b"}, {"label": "a"}])


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch):
    for name in ("hunt", "networks", "leak"):
        monkeypatch.setattr(pages.figures, name, lambda *arguments: {"kind": "figure"})
    monkeypatch.setattr(pages.figures, "drawings", lambda *arguments: [])
    for name in ("path_grid", "structure_grid", "generated_grid", "hunt_grid"):
        monkeypatch.setattr(pages.sound, name, lambda *arguments: {})


def test_a_report_shows_every_genre_and_three_averages():
    rows = pages._report_table(PAPER, GOOD, "KNN")["rows"]
    assert rows[0] == [settings.GENRES[0], "0.22", "1.00", "0.36", "2"]
    assert rows[7] == [settings.GENRES[7], "1.00", "0.75", "0.86", "4"]
    assert rows[8:] == [["accuracy", "", "", "0.61", "18"], ["macro avg", "0.90", "0.59", "0.65", "18"],
                        ["weighted avg", "0.91", "0.61", "0.68", "18"]]
    assert "grid value 20" in pages._report_table(PAPER, GOOD, "KNN")["caption"]
    assert "grid value" not in pages._report_table(PAPER, BAD, "GNB")["caption"]


def test_the_table_of_the_leak_has_every_classifier_under_every_split():
    nothing = fits({name: [right(0)] * len(grid) for name, grid in classifiers.GRIDS.items()})
    moved = fits({"GMM0": [(TRUTH + 3) % 8], "GMM1": [TRUTH]})  # components under other numbers
    c = classical(nothing | moved, leaky=best_at(2, HALF) | fits({"GMM0": [HALF]}))
    folded = classifiers.Folded(np.arange(10), {(name, unit): np.arange(10) < count for name in classifiers.PRINTED_BEST
                                                for unit, count in (("chunk", 9), ("track", 4), ("artist", 2))})
    shuffled = {name: np.array([[0.1, 0.3], [0.2, 0.5]]) for name in classifiers.SHUFFLED}
    c = dataclasses.replace(c, folded=folded, shuffled=shuffled, shared={"leaky": 0.5, "contiguous": 0, "official": 0})
    n = dataclasses.replace(networks(), leak={"rnn": {"official": 0.25, "leaky": 0.5}})
    section = pages.leak_section(PAPER, DEMO, None, Measured(PAPER, classical=c, networks=n))
    rows = {row[0]: row[1:] for row in section["items"][0]["rows"]}
    assert rows["SVM"] == ["0.611", "0.000", "0.000", "0.150 (0.10 to 0.20)", "0.400 (0.30 to 0.50)"]
    assert rows["mixture, as component numbers"] == ["0.611", "0.000", "0.000", "", ""]
    assert rows["mixture, matched"] == ["0.611", "1.000", "1.000", "", ""]
    assert rows["mixture, means given, matched"][1] == "1.000" == rows["mixture, means given, as component numbers"][1]
    assert rows["one Gaussian per genre"][0] == "0.611" and rows["rnn"][:3] == ["0.500", "not trained", "0.250"]
    assert rows["majority class of training"][0] == "0.111"
    assert rows["commonest class of the tested part"][0] == "0.222"
    assert rows["test chunks whose track is in training"][:3] == ["50%", "0%", "0%"]
    assert rows["test chunks"][:3] == ["18", "18", "18"]
    assert "has 9 artists" in section["text"] and "chance is 0.125" in section["text"]  # 18 chunks, two of each
    assert "synthetic" in section["text"]
    assert section["items"][1]["rows"][0][1:] == ["0.900", "0.400", "0.200"] and len(section["items"][1]["rows"]) == 5
    plain = dataclasses.replace(c, shuffled=None)
    real = SimpleNamespace(parameters={"corpus": {"evidence": "published"}})
    section = pages.leak_section(PAPER, real, None, Measured(PAPER, classical=plain))
    assert "synthetic" not in section["text"] and "artists shuffled" not in section["text"]
    assert {len(row) for row in section["items"][0]["rows"]} == {4}


def test_the_networks_epochs_and_what_they_find_at_last():
    shown = networks({"rnn": [0, 1, 2, 0]}, cnn_2=history(3))
    section = pages.networks_section(PAPER, None, Measured(PAPER, networks=shown))
    epochs, _, last = section["items"]
    assert epochs["rows"] == [["1", "0.1100", "0.2010"], ["2", "0.1200", "0.2020"], ["3", "0.1300", "0.2030"]]
    assert epochs["caption"].startswith("cnn_2") and "majority class 0.2500" in epochs["caption"]
    assert last["rows"] == [["rnn", "0.750"], ["majority", "0.250"], ["majority_of_test", "0.250"]]
    assert last["caption"].endswith("on 4 images of the validation part")
    sound = resolve(settings, "sound", "full")
    section = pages.networks_section(sound, None, Measured(sound, networks=shown))
    assert "official test part" in section["items"][-1]["caption"]
    assert pages.networks_section(PAPER, None, Measured(PAPER, networks=networks()))["items"] == []


def test_the_hunt_shows_first_and_last_of_every_loss():
    m = hunt("swapped", 100, -4, 0.2, 0.05).hunt
    m = dataclasses.replace(m, diverged={"swapped": 7})
    rows = pages.hunt_section(None, m)["items"][0]["rows"]
    assert [row[1:] for row in rows] == [["100", "-4", "0.2", "0.05", "6", "diverged at step 7"]]


def test_what_is_lost_where():
    m = dataclasses.replace(inverted(2.0, 1.0), reconstructions=again().reconstructions)  # pixels of 0.3 and 0.7
    tables = pages.losses_section(PAPER, m)["items"]
    rows = {row[0]: row[1] for row in tables[0]["rows"]}
    halved = 80 * (0.70019531 - 0.7 + 0.30004883 - 0.3) / 2  # the nearest half numbers
    assert rows["rounding to half pixels, where `storage` is half"] == f"{halved:.4f}" == "0.0098"
    assert rows["inversion of an original image"] == "1.00"
    assert rows["autoencoder (baseline), no sound"] == "4.00" and rows["autoencoder, then inversion"] == "5.00"
    assert rows["mean image, then inversion"] == "7.00"
    assert tables[1]["rows"] == [["128", "1.00", "2.00"], ["512", "3.00", "1.00"]]


def test_the_four_autoencoders_beside_the_mean_image():
    m = dataclasses.replace(paths(LINE), reconstructions=again(baseline=0.1).reconstructions)
    table = pages.structure_section(None, None, m, {})["items"][0]
    rows = {row[0]: row[1:] for row in table["rows"]}
    assert list(rows) == ["mean image", "baseline", "conv2d", "inception", "conv1d"]
    assert (rows["mean image"][0], rows["mean image"][2:]) == ("0.0400", ["0.0000", "16.0000", "0.0000"])
    assert (rows["baseline"][0], rows["baseline"][2:]) == ("0.0100", ["1.0000", "8.0000", "0.2500"])


def every_way():
    """Paths of which blended means go straight, and the other ways backwards."""
    ways = {how: LINE if how == "mean" else LINE[:, ::-1] for how in ("mean", "parameters", "sample")}
    m = paths(LINE)
    return dataclasses.replace(m, paths=dataclasses.replace(m.paths, embedded=m.paths.embedded | ways))


def test_effects_stand_beside_the_mode_they_start_from():
    config = dataclasses.replace(PAPER, ablations=True)
    histories = {"rnn": [{"validation/accuracy": 0.3}, {"validation/accuracy": 0.2}],
                 "rnn-rnn_axis-time": [{"validation/accuracy": 0.4}, {"validation/accuracy": 0.7}],
                 "autoencoder-conv2d": [{"validation/squared_error": 0.5, "metrics/squared_error": 9.0},
                                        {"validation/squared_error": 0.25, "metrics/squared_error": 8.0}],
                 "overfit-swapped": [{"metrics/squared_error": 9.0}, {"metrics/squared_error": 8.0}]}
    rows = pages.effects_section(config, every_way(), histories)["items"][0]["rows"]
    assert rows[:3] == [["interpolate", "mean (this mode)", "Q10-order", "-1.000"],
                        ["interpolate", "parameters", "Q10-order", "1.000"],
                        ["interpolate", "sample", "Q10-order", "1.000"]]
    assert [row[:3] for row in rows[3:5]] == [["end_points", "decoded (this mode)", "U1-steps"],
                                              ["end_points", "original", "U1-steps"]]
    assert ["rnn_axis", "bands (this mode)", "rnn, accuracy", "0.3"] in rows
    assert ["rnn_axis", "time", "rnn, accuracy", "0.7"] in rows
    assert ["conv2d_latent", "4096 (this mode)", "autoencoder-conv2d, squared_error", "0.25"] in rows
    assert ["cross_entropy_rate", "0.0001 (this mode)", "overfit-swapped, squared_error", "8"] in rows
    assert len(rows) == 3 + 2 + 4 + 1  # swapped is in two ablations


def test_a_page_has_the_sections_that_were_measured():
    def titles(m, learners):
        return [one["title"] for one in pages.sections(PAPER, DEMO, None, m, learners, {})]

    last = ["The data set drawn", "Effects of divergences"]
    assert titles(Measured(PAPER), {}) == last
    m = dataclasses.replace(every_way(), inversion=inverted(1, 1).inversion, hunt=hunt("swapped", 1, 1).hunt,
                            networks=networks(rnn=history(1)))
    first = ["From A to B", "The four autoencoders", "Unconditioned generation", "What is lost where"]
    after = ["Deep genre classifiers", "The loss hunt", *last]
    assert titles(m, {"baseline": None}) == first + after and titles(m, {}) == after
    assert titles(dataclasses.replace(m, paths=None), {"baseline": None}) == first[2:] + after


def test_the_ablations_of_a_mode_are_the_other_values_of_its_settings():
    found = train.others(dataclasses.replace(PAPER, ablations=True))
    assert {one.job for one in found} == {
        "autoencoder-conv2d-conv2d_latent-256", "overfit-squared_error-overfit_network-bottleneck",
        "overfit-swapped-overfit_network-bottleneck", "overfit-cross_entropy-cross_entropy_rate-0.001",
        "overfit-swapped-cross_entropy_rate-0.001", "autoencoder-conv1d-conv1d_rate-0.0001",
        "cnn_1-deep_protocol-official", "cnn_2-deep_protocol-official", "rnn-rnn_axis-time"}
    jobs = train.jobs(dataclasses.replace(PAPER, ablations=True))
    assert list(jobs)[:len(train.MODELS)] == list(train.MODELS)
    entry, config = jobs["rnn-rnn_axis-time"]
    assert entry is train.MODELS["rnn"] and config.rnn_axis == "time" and jobs["rnn"][1].rnn_axis == "bands"
    assert train.others(dataclasses.replace(PAPER, ablations=False)) == []
