"""Settings: precedence, what a flag covers, divergences that say where they come from."""

import dataclasses
import errno
import importlib
import itertools
import json
import os
import time
import typing
from pathlib import Path
from types import ModuleType

import pytest

from common import config, files, record, scripts
from papers.softmax_ae import config as settings

ROOT = Path(__file__).resolve().parents[2]
PAPERS = sorted(path.parent.name for path in ROOT.glob("papers/*/evaluate.py"))


def test_precedence_paper_follow_preset_flag():
    assert config.resolve(settings).split == "P1" and config.resolve(settings).keep_probability == 0.9
    assert config.resolve(settings, "code").split == "P2"
    assert [config.resolve(settings, "code", preset).batch_size for preset in ("smoke", "demo")] == [64, 512]
    assert config.resolve(settings, "code", "demo", {"batch_size": 7, "split": "T2"}).batch_size == 7
    less = ModuleType("settings")
    vars(less).update(vars(settings), PRESETS_BY_MODE={("demo", "code"): {"epochs": 3}})
    assert [config.resolve(less, mode, "demo").epochs for mode in ("code", "paper")] == [3, 200]
    assert config.resolve(less, "code", "demo", {"epochs": 4}).epochs == 4
    for wrong in ({"follow": "text"}, {"preset": "tiny"}):
        with pytest.raises(ValueError, match="choose one of"):
            config.resolve(settings, **wrong)


def test_what_a_flag_covers_is_recorded():
    typed = ["--follow", "code", "--keep-probability", "0.5"]
    options, resolved, overrides, _ = scripts.parse(settings, "x", None, typed)
    assert options.follow == "code" and resolved.keep_probability == 0.5 and overrides == {"keep_probability": 0.5}
    covered = config.covered(settings, "code", "demo", overrides)
    assert covered == {"keep_probability": "flag: 0.5 instead of 0.8"}


@pytest.mark.parametrize("paper", PAPERS)
def test_every_divergence_names_a_field_a_source_and_differs(paper):
    import importlib

    module = importlib.import_module(f"papers.{paper}.config")
    fields = {f.name for f in dataclasses.fields(module.Config)}
    defaults = module.Config()
    for divergence in module.DIVERGENCES:
        assert divergence.field in fields and divergence.paper_source and divergence.sound_reason
        assert getattr(defaults, divergence.field) == divergence.paper, divergence.field
        assert not divergence.paper == divergence.code == divergence.sound, divergence.field
        known = {line.split(",")[0] for line in (ROOT / "papers" / paper / "claims.csv").read_text().splitlines()}
        assert set(divergence.decides) <= known, divergence.field


def test_tools_say_what_to_run_when_there_is_no_run(tmp_path):
    with pytest.raises(FileNotFoundError, match="make reproduce-softmax_ae FOLLOW=sound"):
        record.for_tool(settings, None, tmp_path)


def finished(runs, name, preset="demo", follow="sound", null=False, complete=True, hours_ago=0):
    """A run's results.json, as `evaluate` leaves it, written so many hours ago."""
    path = runs / settings.PAPER / name / "seed-0" / "results.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"complete": complete, "follow": follow, "preset": preset,
                                "corpus": {"facts": {"null": null}}}))
    os.utime(path, (time.time() - 3600 * hours_ago,) * 2)
    return path.parent


def test_tools_take_the_newest_complete_sound_run_that_can_be_of_use(tmp_path):
    assert record.of_use(settings, tmp_path) == []
    small = finished(tmp_path, "demo-gtzan-smoke-sound", "smoke")
    assert record.of_use(settings, tmp_path) == [small]  # better than none
    older = finished(tmp_path, "gtzan-full-sound", "full", hours_ago=2)
    assert record.of_use(settings, tmp_path) == [older, small]
    newer = finished(tmp_path, "gtzan-demo-sound", hours_ago=1)
    for name, less in {"null": {"null": True}, "unfinished": {"complete": False}, "paper": {"follow": "paper"}}.items():
        finished(tmp_path, name, **less)
    (small / "results.json").touch()
    assert record.of_use(settings, tmp_path) == [newer, older, small]


def test_an_error_of_the_system_without_a_file_gets_one(tmp_path):
    for number, given, named in ((errno.ENOSPC, None, "results.json"), (errno.EIO, "other.npy", "other.npy")):
        with pytest.raises(OSError) as error, files.whole(tmp_path / "results.json"):
            raise OSError(number, "Words", given) if given else OSError(number, "Words")
        assert error.value.errno == number and Path(error.value.filename).name == named
    assert not list(tmp_path.iterdir())


def test_a_file_is_whole_or_as_it_was(tmp_path):
    path = tmp_path / "x.json"
    with files.whole(path) as temporary:
        temporary.write_text("first")
    with pytest.raises(OSError, match="full"), files.whole(path) as temporary:
        temporary.write_text("sec")
        raise OSError("disk full")
    assert path.read_text() == "first" and list(tmp_path.iterdir()) == [path]


# ---------------------------------------------------------------- what a setting may be

FREE = {"lord_transfer": {"genre_pairs", "pair", "vgg_weights"}}  # text of any value: names of genres, a file


def choices(paper):
    """{field: values} of the settings that have a closed set of them."""
    hints = typing.get_type_hints(importlib.import_module(f"papers.{paper}.config").Config)
    return {name: typing.get_args(hint) for name, hint in hints.items() if typing.get_origin(hint) is typing.Literal}


@pytest.mark.parametrize("paper", PAPERS)
def test_a_setting_that_is_text_has_a_closed_set_of_values(paper):
    settings = importlib.import_module(f"papers.{paper}.config")
    hints = typing.get_type_hints(settings.Config)
    assert {name for name, hint in hints.items() if hint is str} == FREE.get(paper, set())
    allowed = choices(paper)
    asked = [(one.field, value) for one in settings.DIVERGENCES
             for value in (one.paper, one.code, one.sound, *one.effects)]
    asked += [(name, getattr(config.resolve(settings, follow, preset), name)) for name in allowed
              for follow in config.FOLLOW for preset in config.PRESETS]
    assert [pair for pair in asked if pair[0] in allowed and pair[1] not in allowed[pair[0]]] == []


@pytest.mark.parametrize("paper", PAPERS)
def test_a_wrong_value_of_a_setting_is_one_line_with_the_choices(paper, capsys):
    settings = importlib.import_module(f"papers.{paper}.config")
    for name, values in choices(paper).items():
        with pytest.raises(SystemExit) as end:
            scripts.parse(settings, "x", None, [f"--{name.replace('_', '-')}", "neither"])
        said = capsys.readouterr().err
        assert end.value.code == 2 and said.startswith("error: ") and said.count("\n") == 1
        assert all(f"'{value}'" in said for value in values), said


def test_the_choices_are_those_that_the_code_knows():
    """The tables that settings are looked up in, and the values that the code compares with."""
    from papers.fma_interpolation import inference, learners, losses
    from papers.symphony2vec import learners as networks, losses as symphony_losses

    fma, symphony = choices("fma_interpolation"), choices("symphony2vec")
    for allowed, name, known in (
            (fma, "baseline_loss", losses.RECONSTRUCTION), (fma, "divergence", losses.DIVERGENCE),
            (fma, "interpolate", inference.WAYS), (fma, "overfit_network", learners.OVERFIT_ENCODER),
            (fma, "rnn_axis", learners.RNN), (symphony, "cnn_pooling", networks.CNN_TABLE),
            (symphony, "lstm_optimizer", networks.LSTM_OPTIMIZER), (symphony, "ali_update", networks.DISCRIMINATOR),
            (symphony, "classifier_loss", symphony_losses.CLASSIFIER_LOSS),
            (symphony, "vae_likelihood", symphony_losses.VAE_LIKELIHOOD)):
        assert set(allowed[name]) == set(known), name
    assert set(networks.LSTM) == set(itertools.product(symphony["lstm_input"], symphony["lstm_scores"]))
