"""labels.csv names the findings that depend on labels: those whose value moves when made-up labels are shuffled.

Made-up measurements hold some numbers already worked out, in which labels can no longer be shuffled; BEYOND names the
findings that stand on these alone.
"""

import dataclasses
import importlib

import numpy as np
import pytest

from common.findings import collect
from common.report import collect as report, error_rates

PAPERS = {paper.name: paper for paper in report.papers(report.ROOT / "papers")}
BEYOND = {
    # What a linear probe named, errors of the class's mean picture, agreement with other clips of the class.
    "lord_transfer": {"A-leak", "A1", "G2", "I-error", "I4-melody", "I4-notes", "I4-pitch", "I4-rhythm", "I4-simple",
                      "I4-source", "I6", "I8-melody", "I8-simple"},
    # Accuracy and spread of two genres; the control was trained on other songs' tags.
    "musae": {"F5a", "F5b", "F5b-compact", "Q10", "C1-shuffled-tags"},
    # Accuracies in the log of a training, and which chunks were recognised in folds.
    "fma_interpolation": {"Q3-cnn1-train", "Q3-cnn1-validation", "Q3-cnn2-train", "Q3-cnn2-validation", "Q3-rnn-gap",
                          "Q4-cnn1", "Q4-cnn2", "Q4-rnn", "Q5-artists", "Q5-leak"},
    "softmax_ae": set(),
    # Here the labels of test clips alone are shuffled, and accuracies in the log of a training are none of them.
    "symphony2vec": {"L-T1-train", "Q5-longer-chroma", "Q5-longer-mfcc", "Q5-longer-mel"},
}


def softmax_ae(tests):
    def view(one, random):
        count = len(one.data.y) // 3
        order = np.concatenate([part * count + random.permutation(count) for part in range(3)])
        return dataclasses.replace(one, data=dataclasses.replace(one.data, y=one.data.y[order]))

    def shuffled(run, random):
        return dataclasses.replace(run, own=view(run.own, random), unheard=view(run.unheard, random))

    made = {claim: [case[0], case[2]] for claim, case in tests.CASES.items()}
    return tests.FINDINGS, made, shuffled


def symphony2vec(tests):
    def shuffled(run, random):
        order = random.permutation(len(run.test))
        judged = {}
        for name, one in run.judged.items():
            truth = one.truth[order]
            judged[name] = dataclasses.replace(one, truth=truth, right=one.predicted == truth)
        labels = run.labels.copy()
        labels[run.test] = labels[run.test][order]
        components = {seen: (points, random.permutation(drawn), works)
                      for seen, (points, drawn, works) in run.components.items()}
        return dataclasses.replace(run, judged=judged, labels=labels, components=components)

    made = [tests.made_up.measured(so) for so in (True, False)]
    return tests.FINDINGS, {claim: made for claim in tests.FINDINGS}, shuffled


def musae(tests):
    def shuffled(run, random):
        tags = random.permutation(tests.tags())
        models = {name: dataclasses.replace(model, windows=dataclasses.replace(model.windows, tags=tags))
                  for name, model in run.models.items()}
        return dataclasses.replace(run, models=models)

    made = [tests.world(turned) for turned in (False, True)]
    return tests.findings.FINDINGS, {claim: made for claim in tests.findings.FINDINGS}, shuffled


def lord_transfer(tests):
    def model(one, random):
        order = random.permutation(len(one.heard.classes))
        return dataclasses.replace(one, heard=dataclasses.replace(one.heard, classes=one.heard.classes[order]))

    def shuffled(run, random):
        return dataclasses.replace(run, models={name: model(one, random) for name, one in run.models.items()},
                                   comparisons={name: model(one, random) for name, one in run.comparisons.items()})

    return tests.TABLE, {claim: [case[0], case[2]] for claim, case in tests.CASES.items()}, shuffled


def fma_interpolation(tests):
    def shuffled(run, random):
        found = {}
        if run.classical:
            found["classical"] = dataclasses.replace(run.classical, labels=random.permutation(run.classical.labels))
        if run.networks:
            found["networks"] = dataclasses.replace(run.networks, truth=random.permutation(run.networks.truth))
        if run.paths:
            genres = random.permutation(run.paths.genres.ravel()).reshape(-1, 2)
            found["paths"] = dataclasses.replace(run.paths, genres=genres)
        if run.drawn:
            found["drawn"] = {name: dataclasses.replace(one, labels=random.permutation(one.labels))
                              for name, one in run.drawn.items()}
        return dataclasses.replace(run, **found)

    made = {claim: [run for run, _ in pairs] for claim, pairs in tests.KNOWN.items()} | tests.SIGN_ONLY
    return tests.findings.FINDINGS, made, shuffled


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", PAPERS)
def test_what_moves_with_labels_is_what_the_list_names(name, monkeypatch):
    module = "test_known_answers" if name == "softmax_ae" else "test_findings"
    tests = importlib.import_module(f"tests.papers.{name}.{module}")
    if hasattr(tests, "bass"):
        monkeypatch.setattr(tests.melody, "bass_share", tests.bass)
    table, made, shuffled = globals()[name](tests)
    findings = [claim.id for claim in PAPERS[name].claims if claim.kind == "finding" and claim.id in made]
    moved = set()
    for claim in findings:
        for run in made[claim]:
            before = collect({claim: table[claim]}, run)
            for seed in range(3):
                after = collect({claim: table[claim]}, shuffled(run, np.random.default_rng(seed)))
                if plain(before[claim]) != plain(after[claim]):
                    moved.add(claim)
    listed = set(error_rates.labels(PAPERS[name]))
    assert moved - listed == set(), "they move with labels: add them to labels.csv"
    assert listed - moved == BEYOND[name]


def plain(entry):
    """Value, or reason."""
    return entry.get("value", entry.get("not_testable"))
