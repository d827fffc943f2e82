"""Invented papers and run directories, built in a temporary folder: nothing here is a result of anything."""

import functools
import json
import math
import struct
import tempfile
import wave
from pathlib import Path

import numpy as np

from common import checkpoints, claims, closure, config, files, plots, provenance, record
from common.report import collect

SETTINGS = '''
from dataclasses import dataclass

from common.config import Divergence

PAPER = "{name}"
TITLE = "{title}"
CITATION = "A. Author, B. Author, somewhere, 2018"
PROGRAM = "{program}"


@dataclass(frozen=True)
class Config:
    keep: float = 0.9
    gamma: float = 0.9
    output: str = "relu"
    epochs: int = 200


DIVERGENCES = (
    Divergence("keep", paper=0.9, code=0.8, sound=0.9, paper_source="sec. 3", code_source="author/repo@00b1802 a.py",
               sound_reason="the paper's own", decides=("T1-test",)),
    Divergence("output", paper="relu", code="relu", sound="linear", paper_source="silent", inferred=True,
               sound_reason="audio is signed", decides=("R15", "R-unknown")),
    Divergence("epochs", paper=200, code=400, sound=200, paper_source="sec. 3"),
)
PRESETS = {{"smoke": {{"epochs": 1}}, "demo": {{"epochs": 10}}, "full": {{}}}}
'''
CLAIMS = """id,where,kind,claim,reported,unit,needs,rule
T1-train,Table 1,number,"Deep Softmax Autoencoder, accuracy on the training set",0.949,share,corpus=gtzan,within 0.02
T1-test,Table 1,number,"Deep Softmax Autoencoder, accuracy on the test set | all four genres",0.653,share,,within 0.03
F3,Figure 3,finding,accuracy curves over epochs (the figure is lost),,,,
R5,sec. 5.2,finding,Logits separate the genres more than the 64 numbers of the bottleneck do,,difference,,interval > 0
R15,sec. 4.3,finding,Reconstruction forces information to be kept,,R squared,,interval > 0
R16,sec. 6,finding,Genre beats chance from the raw waveform,,difference,corpus=gtzan;preset=full;seeds>=3,interval > 0
P-count,sec. 3,fact,The network has 424232 parameters,424232,parameters,,within 0
E2,program,fact,A_very_long_identifier_without_a_space_that_a_narrow_screen_must_break,,max abs,follow=code,abs <= 1e-7
"""


def make_papers(directory):
    """Two invented papers, one with a program and one without; returns the papers folder."""
    for name, title, program in (("softmax_ae", "Latent Feature Extraction for Musical Genres from Raw Audio",
                                  "the authors' program"), ("other_paper", "Another Paper <That> Nobody Ran", "")):
        paper = directory / "papers" / name
        paper.mkdir(parents=True)
        (paper / "config.py").write_text(SETTINGS.format(name=name, title=title, program=program), encoding="utf-8")
        (paper / "claims.csv").write_text(CLAIMS, encoding="utf-8")
        (paper / "README.md").write_text("# Paper\n\n<!-- results -->\n<!-- /results -->\n\nBetween.\n\n"
                                         "<!-- divergences -->\n<!-- /divergences -->\n\nAfter.\n", encoding="utf-8")
    return directory / "papers"


def results_of(papers, follow="paper", seed=0, preset="demo", evidence="demo", values=None, **more):
    """One results.json as a dict, its hashes those of today."""
    settings = collect.load_settings(papers / "softmax_ae")
    shift = {"code": -0.05, "paper": 0.0, "sound": 0.03}[follow] + 0.004 * seed
    results = {"T1-train": {"value": 0.86 + shift, "n": 6000, "of": "segments", "baselines": {"majority_class": 0.25}},
               "T1-test": {"value": 0.63 + shift, "n": 1000, "of": "segments",
                           "baselines": {"majority_class": 0.25, "loudness_only": 0.41 + shift}},
               "R5": {"value": 0.11 + shift}, "R15": {"value": -0.1 + 0.2 * (seed - 1)},
               "P-count": {"value": 424232}, "F3": {"not_testable": "the figure is lost"}}
    results |= {"E2": {"value": 3.1e-9, "baselines": {}}} if follow == "code" else {}
    label = ("demo-" if evidence == "demo" else "") + "gtzan"
    corpus = {"name": "gtzan", "label": label, "evidence": evidence, "fingerprint": "9f2c01", "items": 400}
    run = {"paper": "softmax_ae", "corpus": corpus,
           "preset": preset, "follow": follow, "overrides": {}, "seed": seed, "complete": True, "step": 2400,
           "commit": "ab12cd3", "dirty": False, "claims_sha256": claims.sha256(papers / "softmax_ae" / "claims.csv"),
           "settings_sha256": files.sha256(config.resolve(settings, follow, preset)),
           "machine": "A Processor, 2 cores", "hours": 0.41, "facts": {"groups_per_class": 100}, "notes": {},
           "rejected": 2, "results": results}
    if values is not None:
        run["results"] = {key: {"value": value} for key, value in values.items()}
    return run | more


def make_run(runs, papers, follow="paper", seed=0, preset="demo", media=True, stands=None, **more):
    """One run directory with results, and with `media` figures and sounds; returns its path.

    `stands` changes what it stands on: {"training" | "evaluation" | "state" (of each checkpoint) | "whole": {…}}.
    """
    results = results_of(papers, follow, seed, preset, **more)
    paper = collect.load_settings(papers / "softmax_ae")
    directory = runs / "softmax_ae" / record.of(results, runs, paper, None).name / f"seed-{seed}"
    directory.mkdir(parents=True)
    store = directory.parents[2] / "store"
    store.mkdir(exist_ok=True)
    (store / "rejected.csv").write_text("path,reason\ngenres/jazz/jazz.00054.wav,not audio\n"
                                        "genres/pop/a & b <c>.wav,\"truncated, 12 of 30 seconds\"\n", encoding="utf-8")
    (directory / "config.json").write_text(json.dumps({"store": str(store)} | {key: results[key] for key in (
        "paper", "corpus", "follow", "preset", "seed", "overrides", "settings_sha256")}))
    for place, name in enumerate(("dsae", "two-layer")):
        make_metrics(directory / "models" / name, follow, seed + 5 * place)
        make_checkpoint(directory / "models" / name / "checkpoints", results, papers.parent, stands)
    write_results(directory, results, stands)
    if media:
        (directory / "media.json").write_text(json.dumps(make_media(directory, follow)), encoding="utf-8")
    return directory


def stands_on(**more):
    """An invented record of what a training or an evaluation stands on."""
    return {"code_sha256": "c0de", "modules": {}, "store_sha256": "da7a", "commit": "ab12cd3", "dirty": False,
            "uncommitted": [], "packages": {"keras": "3"}, "python": "3.11"} | more


def make_checkpoint(directory, results, root, stands=None):
    """One checkpoint whose weights are those of its seed and mode, and of nothing else."""
    stands = stands or {}
    random = np.random.default_rng([results["seed"], len(results["follow"]), len(directory.parent.name)])
    state = {"total": 2400, "complete": True, "settings": {"seed": results["seed"]},
             "provenance": stands_on(code=closure.training(results["paper"], root), **stands.get("training", {}))
             | stands.get("state", {})}
    del state["provenance"]["modules"]
    directory.mkdir(parents=True)
    checkpoints.write(directory / "step-000002400.npz", state, {"network/main/000": random.random(3)})


def write_results(directory, results, stands=None):
    """results.json with its provenance and its seal."""
    stands = stands or {}
    results["provenance"] = {"training": provenance.training_of(directory), "rules_changed": [],
                             "evaluation": stands_on(**stands.get("evaluation", {}))} | stands.get("whole", {})
    results |= {"store_sha256": "da7a"}
    results = provenance.plain(results)
    (directory / "results.json").write_text(json.dumps(results | {"seal": provenance.seal(results)}), encoding="utf-8")


@functools.cache
def pictures():
    """Four figures as {file name: PNG}, drawn once."""
    random = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        drawn = [plots.curves(folder / "accuracy", {"train": random.random(20).cumsum(), "test": np.arange(20)},
                              "epoch", "accuracy"),
                 plots.confusion_matrix(folder / "confusion", random.integers(0, 90, (4, 4)),
                                        ["classical", "jazz", "metal", "pop"]),
                 plots.mel(folder / "mel", random.random((64, 90)), 22050, 512),
                 plots.piano_roll(folder / "roll", {"drums": np.eye(128, 64)}, steps_per_beat=4)]
        return {path.name: path.read_bytes() for path in drawn}


def make_media(directory, follow):
    """Figures, sounds, a MIDI file, a table and a grid below a run directory; returns the sections."""
    for number in range(2):
        make_tone(directory / "audio" / f"tone {number}.wav", 220 * (number + 1))
    (directory / "audio" / "song.mid").write_bytes(b"MThd" + struct.pack(">IHHH", 6, 0, 0, 96))
    for name, picture in pictures().items():
        (directory / "figures").mkdir(exist_ok=True)
        (directory / "figures" / name).write_bytes(picture)
    cell = {"audio": "audio/tone 0.wav", "image": "figures/mel.png", "caption": "half way"}
    return [
        {"title": "Accuracy and confusion", "text": "Rows are true genres.", "items": [
            {"kind": "figure", "file": "figures/accuracy.png", "caption": "Accuracy over epochs.",
             "alt": "Two rising lines: training above test", "claims": ["F3", "T1-test"]},
            {"kind": "figure", "file": "figures/confusion.png", "caption": "Confusion matrix.", "alt": "Four by four"},
            {"kind": "table", "caption": f"Scores by genre, {follow}.",
             "columns": ["genre", "precision", "recall", "F1"],
             "rows": [["classical", 0.783, 0.775, 0.779], ["jazz", 0.606, 0.627, None], ["a & b", 1, 0, 1e-9]]}]},
        {"title": "Reconstructions to hear", "text": f"What {follow} does.", "items": [
            {"kind": "audio", "file": "audio/tone 0.wav", "caption": "Original", "image": "figures/mel.png",
             "alt": "Mel spectrogram of the original"},
            {"kind": "audio", "file": "audio/tone 1.wav", "caption": "Reconstruction"},
            {"kind": "midi", "file": "audio/song.mid", "caption": "A song.", "image": "figures/roll.png", "alt": "Roll",
             "audio": "audio/tone 1.wav"}]},
        {"title": "Interpolations", "text": "", "items": [], "grid": {
            "rows": ["violin to flute", "violin to an instrument with a long name"],
            "columns": ["0", "0.25", "0.5", "0.75", "1"],
            "cells": [[cell] * 5, [cell, None, {"audio": "audio/tone 1.wav"}, {"image": "figures/mel.png"}, cell]]}}]


def make_tone(path, frequency):
    """A quarter second of sine as 16-bit WAV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = [round(8000 * math.sin(2 * math.pi * frequency * n / 8000)) for n in range(2000)]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))


def make_metrics(directory, follow, seed, stages=("one", "two")):
    """metrics.jsonl of two stages, each counting from its start."""
    directory.mkdir(parents=True)
    random = np.random.default_rng([seed, len(follow)])
    lines = [{"stage": stage, "step": step, "epoch": step / 12,
              "losses/total": float(np.exp(-step / 60) + random.random() / 9),
              "metrics/accuracy": float(1 - np.exp(-step / 80))} for stage in stages for step in range(10, 310, 10)]
    (directory / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
