"""Networks by their defaults, what a run trains and with what, and what evaluation reads off a trained run."""

import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pytest

from common import training
from papers.softmax_ae import config as settings, evaluate, losses, model, shapes, train, variants
from papers.softmax_ae.tables import print_networks
from tests.papers.softmax_ae import small
from tests.papers.softmax_ae.fabricated import measured, view


def test_printed_sizes_are_those_of_the_networks(capsys):
    model.main()
    said = capsys.readouterr().out
    assert "DIFFERS" not in said and said.count("printed: ") == len(model.PRINTED) == 6
    for line in ("64,644   printed: 64,644", "210,560   printed: 210,560", "210,996   printed: 210,996",
                 "2,676   printed: 2,676", "289,844   printed: 289,844", "64,564   printed: 64,564",
                 "= 421,556 (program: 421,556)", "= 424,232 (program: 424,232)"):
        assert line in said
    row = next(line for line in said.splitlines() if line.startswith("encoder_2"))
    assert row.split() == ["encoder_2", "(batch,", "192)", "49,344"]
    print_networks([model.classifier()], {"classifier": 2_677})
    assert "printed: 2,677  DIFFERS" in capsys.readouterr().out


def test_the_sizes_that_are_listed_are_those_of_the_paper_and_three_deeper_networks():
    sizes = {(definition.split(".")[1], which): network.count_params()
             for definition, which, network in shapes.networks()}
    assert sizes[("two_layer", "")] == 500 * 128 + 128 + 128 * 4 + 4
    deeper = {which: count - sizes[("two_layer", "")] for (name, which), count in sizes.items()
              if name == "plain_classifier"}
    assert deeper == {f"{depth} hidden layers": (depth - 1) * (128 * 128 + 128) for depth in (2, 3, 4)}


def test_a_tenth_is_dropped_and_a_deeper_classifier_of_depth_one_is_the_two_layer_network():
    assert model.encoder().get_layer("encoder_dropout").rate == pytest.approx(0.1)
    assert model.decoder().get_layer("decoder_dropout").rate == pytest.approx(0.1)
    assert variants.plain_classifier().count_params() == model.two_layer().count_params() == 64_644


def test_equation_3_weighs_the_reconstruction_once():
    assert losses.combined(3.0, 2.0, 0.9) == pytest.approx(0.9 * 3 + 0.1 * 2)


def test_the_wide_elu_is_straight_above_zero_and_bends_four_below():
    found = np.asarray(variants.wide_elu(np.array([5.0, -0.04, -4.0, -400.0], "f4")))
    np.testing.assert_allclose(found, [5, -0.0398, 4 * (np.exp(-1) - 1), -4], atol=1e-4)


@pytest.fixture(scope="module")
def store():
    held = small.store(*small.tones(tracks=4, segments_a_track=2))
    held.parameters["recipe"] = {"segment_samples": small.VALUES}
    return held


@pytest.mark.parametrize("name, depth", [("two_layer", 1), ("plain_2", 2), ("plain_3", 3), ("plain_4", 4)])
def test_a_plain_classifier_is_as_deep_as_its_name(name, depth, store):
    learner = train.MODELS[name].build(small.config(), store)
    layers = [layer for layer in learner.networks["plain"].layers if layer.weights]
    assert [layer.activation.__name__ for layer in layers] == ["tanh"] * depth + ["linear"]
    assert learner.optimizers["main"].built  # its moments are there to be saved before the first step


@pytest.mark.parametrize("name", train.ACTIVATIONS)
def test_every_activation_makes_an_encoder_and_a_decoder(name, store):
    networks = train.MODELS["deep_softmax"].build(small.config(activation=name), store).networks
    for part in ("encoder", "decoder"):
        of = [networks[part].get_layer(f"{part}_{i}").activation.__name__ for i in (1, 2, 3)]
        assert of == {"elu": ["elu"] * 3, "wide_elu": ["wide_elu"] * 3}.get(name, {
            "encoder": ["sigmoid", "tanh", "relu"], "decoder": ["sigmoid", "sigmoid", "relu"]}[part])


def test_an_ablation_is_the_mode_but_for_what_it_is_called():
    paper = small.config(ablations=True)
    jobs = train.jobs(paper)
    for name, changed in (("autoencoder_linear", {"decoder_output": "linear"}), ("deep_softmax_scaled", {
            "standardise": True}), ("deep_softmax_linear_scaled", {"decoder_output": "linear", "standardise": True}),
            ("pool_10", {"pool": 10}), ("keep_1.0", {"keep_probability": 1.0}), ("plain_4", {}), ("shallow", {})):
        which = next((base for base in ("deep_softmax", "autoencoder") if name.startswith(base)), name if not changed
                     else "deep_softmax")
        assert jobs[name] == (train.MODELS[which], dataclasses.replace(paper, **changed)), name
    assert "pool_1" not in jobs  # the small corpus is not pooled: that is its own setting
    pools = {jobs[name][1].pool for name in jobs if name.startswith("pool_")}
    assert pools | {settings.Config().pool} | {1} == set(settings.POOL_ABLATION)
    assert {"pool_1", "pool_10"} < set(train.jobs(dataclasses.replace(paper, pool=40)))
    sound = train.jobs(small.config("sound", ablations=True))
    assert not {"autoencoder_linear", "deep_softmax_scaled", "deep_softmax_linear_scaled"} & set(sound)
    assert set(train.jobs(small.config())) == {*train.HEADLINE, settings.ALONE, *train.UNHEARD.values()}


# Evaluation

@pytest.mark.parametrize("follow, keep, output", [("code", 0.8, "relu"), ("paper", 0.9, "relu"),
                                                  ("sound", 0.9, "linear")])
def test_sizes_are_read_off_the_built_networks(follow, keep, output, store):
    config = small.config(follow, bottleneck=7, hidden=11)
    learners = {name: train.MODELS[name].build(config, store) for name in train.HEADLINE}
    lines = [{"losses/reconstruction": r, "losses/classification": c, "losses/total": 0.7 * r + 0.3 * c}
             for r, c in ((1.0, 1.4), (0.5, 1.3), (0.4, 0.2))]
    assert evaluate.built(learners, store, {"deep_softmax": lines}) == pytest.approx(
        {"gamma": 0.7, "keep": keep, "pool": 1, "hidden": 11, "bottleneck": 7, "logits": 2, "decoder_output": output})


@pytest.mark.parametrize("short, said", [
    ("", None), ("a b c", "3 below 400,000 samples: a, b, c"),
    ("a b c d", "4 below 400,000 samples: a, b, c and 1 more")])
def test_short_recordings_and_the_way_of_splitting_are_told(short, said):
    held = SimpleNamespace(parameters={"facts": {"short_tracks": short.split()}})
    run = measured(view([0, 1]))
    assert evaluate.notes(settings.Config(), held, run) == ({"short tracks": said} if said else {})
    noted = dataclasses.replace(run.own, data=dataclasses.replace(run.own.data, note="split in time"))
    found = evaluate.notes(settings.Config(), held, dataclasses.replace(run, own=noted))
    assert found == {"split": "split in time"} | ({"short tracks": said} if said else {})


def test_what_an_ablation_is_measured_by(store, monkeypatch, tmp_path):
    config = small.config("sound", ablations=True)
    run = SimpleNamespace(seed=0, model_directory=lambda name: tmp_path / name)
    learners = {name: train.MODELS[name].build(config, store) for name in ("plain_2", "shallow", "deep_softmax")}
    jobs = {name: (train.MODELS[name], config) for name in learners}
    monkeypatch.setattr(train, "jobs", lambda config: jobs)
    monkeypatch.setattr(evaluate, "learner", lambda config, store, run, name: learners[name])
    monkeypatch.setattr(training, "outcome", lambda directory: None)
    assert all(np.isnan(getattr(evaluate.other(config, store, run, "plain_2"), part))
               for part in ("train", "held", "explained"))  # not trained yet
    monkeypatch.setattr(training, "outcome", lambda directory: object())
    data = evaluate.load_data(config, store, 0)
    found = {name: evaluate.other(config, store, run, name) for name in learners}
    for name in ("plain_2", "deep_softmax"):
        assert found[name].train == train.accuracy(learners[name], data, data.parts["train"])
        assert found[name].held == train.accuracy(learners[name], data, data.parts["test"])
    assert np.isnan(found["plain_2"].explained) and np.isnan(found["shallow"].train)
    for name in ("shallow", "deep_softmax"):
        x = data.x[data.parts["test"]]
        x_hat = train.reconstruct(learners[name], x).numpy()
        assert found[name].explained == pytest.approx(1 - np.square(x - x_hat).sum() / np.square(x).sum(), rel=1e-4)


def test_a_run_that_is_not_trained_to_its_end_is_not_evaluated_unless_asked(store, monkeypatch, tmp_path):
    run = SimpleNamespace(seed=0, directory=tmp_path, model_directory=lambda name: tmp_path / name)
    monkeypatch.setattr(training, "outcome", lambda directory: None)
    with pytest.raises(training.TrainingError, match="two_layer, .* not trained to the end"):
        evaluate.evaluate(small.config(), store, run)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("note, heard, stated", [("", False, None), ("in time", True, 1), ("otherwise", False, None)])
def test_a_class_that_could_not_be_kept_whole_is_stated(note, heard, stated, store, monkeypatch, tmp_path):
    """Verdicts are closed by it: the rule is that of `common.claims`."""
    own = view([0, 1], heard=heard, classes=("a", "b"))
    made = measured(dataclasses.replace(own, data=dataclasses.replace(own.data, note=note)))
    written = []
    run = SimpleNamespace(seed=0, directory=tmp_path, model_directory=lambda name: tmp_path / name,
                          write_results=lambda *words: written.append(words))
    monkeypatch.setattr(training, "outcome", lambda directory: SimpleNamespace(complete=True, step=5))
    monkeypatch.setattr(evaluate, "measure", lambda *words: made)
    monkeypatch.setattr(evaluate.figures, "sections", lambda *words: [])
    monkeypatch.setattr(evaluate, "FINDINGS", {})
    monkeypatch.setattr(evaluate, "FACTS", {})
    evaluate.evaluate(small.config(), store, run)
    (_, _, _, _, steps, complete, facts, learnt), = written
    assert facts.get("groups_per_class") == stated and facts["genres"] == "other" and facts["ablations"] is False
    assert complete is True and steps == 5 * len(train.jobs(small.config())) and "deep_softmax" in learnt
    assert json.loads((tmp_path / "inputs.json").read_text()) == {"classes": ["a", "b"], "mean": 0, "deviation": 1}
