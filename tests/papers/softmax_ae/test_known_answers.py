"""Every claim from measured runs made up by hand: its value and sign, its rule met, and the reverse's not.

CASES: claim id -> (a run in which the claim is true, its value, a run in which it is not, its value); a value that no
hand works out is None, and only the rule is asked.
"""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from common import claims, findings as common_findings
from common.findings import NotTestable
from papers.softmax_ae import accuracies, config as settings, facts, measures, transitions
from papers.softmax_ae.facts import FACTS
from papers.softmax_ae.findings import FINDINGS
from papers.softmax_ae.measures import Other
from tests.papers.softmax_ae.fabricated import PARTS, logits, measured, naming, view

ROWS = {claim.id: claim for claim in claims.read_claims(
    Path(__file__).resolve().parents[3] / "papers" / "softmax_ae" / "claims.csv")}
Y = np.tile([0, 1, 2, 3], 5)  # classical, jazz, metal, pop
NAMES = [f"track {i // 2}" for i in range(20)]
APART = np.eye(4)[Y] * 10  # every class at a place of its own: silhouette 1
NOWHERE = np.zeros((20, 4))  # silhouette 0


def accuracy(network, part="test", right=0):
    """A run whose network ("two_layer" or "logits") names `right` of 20 segments of a part rightly, elsewhere none."""
    given = {each: naming(Y, right if each == part else 0) for each in PARTS}
    return measured(view(Y, **{network: given}))


def table_2(matrix):
    """A run whose DSAE confuses as the matrix (rows true) says."""
    y = np.repeat(np.arange(4), np.sum(matrix, axis=1))
    predicted = np.concatenate([np.repeat(np.arange(4), row) for row in matrix])
    return measured(view(y, logits=logits(predicted)))


PAPERS = [[77, 17, 3, 3], [13, 63, 17, 7], [5, 19, 55, 21], [4, 8, 28, 60]]  # as near Table 2 as a hundred a class get
OTHERWISE = [[50, 30, 10, 10], [40, 20, 30, 10], [15, 25, 60, 0], [10, 5, 5, 80]]


def swapped(matrix, one, other):
    """The matrix with two classes exchanged."""
    order = np.arange(4)
    order[[one, other]] = order[[other, one]]
    return np.asarray(matrix)[order][:, order]


def gaps(name, ours, theirs):
    """A run whose DSAE has the gap `ours`/20 and whose ablation has the gap `theirs`."""
    own = view(Y, logits={"train": naming(Y, 20), "test": naming(Y, 20 - ours)})
    other = {name: Other(0.9, 0.9 - theirs), "pool_10": Other(0.9, 0.9)}
    return measured(own, others=other)


def depths(one, four):
    """A run whose two-layer network has the gap `one`/20 and whose deepest plain one has the gap `four`."""
    own = view(Y, two_layer={"train": naming(Y, 20), "test": naming(Y, 20 - one)})
    return measured(own, others={f"plain_{depth}": Other(0.9, 0.9 - four) for depth in (2, 3, 4)})


def both(hybrid, plain, part="test"):
    """A run in which both classifiers name so many of 20 rightly in a part, all elsewhere."""
    return measured(view(Y, tracks=NAMES, logits={each: naming(Y, hybrid if each == part else 20) for each in PARTS},
                         two_layer={each: naming(Y, plain if each == part else 20) for each in PARTS}))


def twins(hybrid, alone):
    """A run whose DSAE, and whose twin without reconstruction, name so many of 20 held-out segments rightly."""
    return measured(view(Y, tracks=NAMES, logits={"train": naming(Y, 20), "test": naming(Y, hybrid)}),
                    alone={"train": naming(Y, 20), "test": naming(Y, alone)})


def unheard(hybrid, loud=False, own=20, plain=20):
    """A run whose DSAE names so many of 20 segments of unheard tracks rightly; `loud`: loudness tells the classes."""
    x = np.ones((20, 4)) * (10.0 ** Y[:, None] if loud else 1.0)
    far = view(Y, heard=False, raw=x, logits={"train": naming(Y, 20), "test": naming(Y, hybrid)},
               two_layer={"train": naming(Y, 20), "test": naming(Y, plain)})
    return measured(view(Y, raw=x, logits={"train": naming(Y, 20), "test": naming(Y, own)}), far)


def votes(right):
    """Four unheard tracks of five segments each; the first `right` of them are named rightly three times of five."""
    y = np.repeat([0, 1, 2, 3], 5)
    good = np.tile([True, True, True, False, False], 4) & (np.repeat(np.arange(4), 5) < right)
    far = view(y, tracks=np.repeat(list("abcd"), 5), heard=False, logits=logits(np.where(good, y, (y + 1) % 4)))
    return measured(view(y), far)


def separating(**given):
    """A run with encodings of 20 segments; what is not given lies nowhere."""
    return measured(view(Y, tracks=NAMES, **{name: NOWHERE for name in measures.ENCODINGS[:-1]} | given))


def told_apart(**given):
    """The same with a DSAE that names every segment rightly."""
    return separating(**{"logits": naming(Y, 20)} | given)


def hybrid_and_plain(hybrid, plain):
    return separating(logits=hybrid, two_layer=plain)


def centroids(*places):
    """A run with class means at these places of a line and a variance of 1 in every class."""
    x = np.array([[places[y] + (1 if i % 8 < 4 else -1), 0] for i, y in enumerate(np.tile([0, 1, 2, 3], 8))])
    return measured(view(np.tile([0, 1, 2, 3], 8), bottleneck=x))


def spread(encoding, *deviations):
    """A run with classes of these deviations in an encoding ("both": bottleneck and logits)."""
    y = np.tile([0, 1, 2, 3], 4)
    x = np.array([[deviations[k] * (1 if i % 8 < 4 else -1), 0] for i, k in enumerate(y)])
    return measured(view(y, **{name: x for name in (("bottleneck", "logits") if encoding == "both" else (encoding,))}))


def overlapping(encoding, guest):
    """A run in which the one class `guest` has a segment in the middle of every other's 21."""
    hosts = [code for code in range(4) if code != guest]
    y = np.concatenate([np.repeat(hosts, 21), np.repeat(guest, 3)])
    x = np.concatenate([np.repeat(np.arange(3) * 100.0, 21), np.arange(3) * 100.0 + 0.001])
    return measured(view(y, **{encoding: np.stack([x, 0 * x], axis=1)}))


def tracks_near(finer, coarser):
    """A run in which nearest neighbours are of the same track in one encoding and never in another."""
    tracks = np.repeat(np.arange(10), 2)
    near = np.stack([tracks * 10.0, 0 * tracks], axis=1)
    far = np.stack([np.tile([0.0, 500.0], 10) + tracks // 2 + 0.01 * tracks, 0 * tracks], axis=1)
    return measured(view(Y, tracks=[f"t{i}" for i in tracks], **{finer: near, coarser: far}))


WAVES = np.random.default_rng(0).normal(size=(20, 6))


def kept(share):
    """A run whose DSAE reconstructs `share` of every held-out wave, and of what it was trained on the opposite."""
    x_hat = {"train": -WAVES, "dev": -WAVES, "test": share * WAVES}
    return measured(view(Y, raw=WAVES, x_hat=x_hat, vanilla_x_hat=0 * WAVES))


def line_of_classes(kind, names=("bottleneck",)):
    """A run with 40 segments a class: "even" overlap their neighbours, "noise" says nothing, "leap" has gaps."""
    random = np.random.default_rng(1)
    y = np.repeat(np.arange(4), 40)
    centres = {"even": 2.0, "noise": 0.0, "leap": 1000.0}[kind] * np.eye(4)[y]
    x = centres + random.normal(size=(160, 4))
    return measured(view(y, **{name: x for name in names}, **({"two_layer": random.normal(size=(160, 4))}
                                                              if "logits" in names else {})))


def noise_as_logits():
    good = line_of_classes("even", ("logits",)).own.encodings
    return measured(view(np.repeat(np.arange(4), 40), two_layer=good.logits[:160], logits=good.two_layer[:160]))


def of_logs(row, part, off):
    """A run whose accuracy over the epochs is `off` beside the authors'."""
    name = "metrics/train_accuracy_in_epoch" if part == "train" else "metrics/dev_accuracy"
    theirs = facts.logged(row, part)
    lines = [{"epoch": float(epoch), name: value + off * (epoch == 50)} for epoch, value in theirs.items()]
    return measured(view(Y), histories={accuracies.TABLE_1[row][0]: lines})


def sized(train, dev, test):
    """A run with parts of these sizes, a quarter of each class."""
    count = train + dev + test
    rows = np.split(np.arange(count), [train, train + dev])
    made = measured(view(Y))
    data = dataclasses.replace(made.own.data, y=np.arange(count) % 4, x=np.zeros((count, 1)),
                               tracks=np.array(["t"] * count), parts=dict(zip(PARTS, rows, strict=True)))
    return measured(measures.View(data, made.own.encodings))


def has(**built):
    return measured(view(Y), built=built)


def heard(share):
    """A run in which `share` of the held-out segments are of tracks that are trained on."""
    tracks = np.array([f"track {i}" for i in range(20)])
    made = view(Y, tracks=tracks)
    names = made.data.tracks.copy()
    names[made.data.parts["test"][int(20 * share):]] = "another"
    return measured(measures.View(dataclasses.replace(made.data, tracks=names), made.encodings))


CASES = {
    "B-T1-2L-tr": (accuracy("two_layer", "train", 10), 0.5, accuracy("two_layer", "train", 20), 1.0),
    "B-T1-2L-dev": (accuracy("two_layer", "dev", 8), 0.4, accuracy("two_layer", "dev", 20), 1.0),
    "B-T1-2L-te": (accuracy("two_layer", "test", 7), 0.35, accuracy("two_layer", "test", 20), 1.0),
    "B-T1-DS-tr": (accuracy("logits", "train", 19), 0.95, accuracy("logits", "train", 15), 0.75),
    "B-T1-DS-dev": (accuracy("logits", "dev", 13), 0.65, accuracy("logits", "dev", 20), 1.0),
    "B-T1-DS-te": (accuracy("logits", "test", 13), 0.65, accuracy("logits", "test", 5), 0.25),
    "B-T1-DS-tr-long": (measured(view(Y), others={settings.LONGER: Other(train=0.95)}), 0.95,
                        measured(view(Y), others={settings.LONGER: Other(train=0.85)}), 0.85),
    "B-ABS1-tr": (accuracy("logits", "train", 20), 1.0, accuracy("logits", "train", 18), 0.9),
    "B-ABS1-te": (accuracy("logits", "test", 14), 0.7, accuracy("logits", "test", 12), 0.6),
    **{f"B-T2-{letter}-{score}": (table_2(PAPERS), value, table_2(np.ones((4, 4), int)), 0.25)
       for letter, score, value in (
        ("C", "P", 77 / 99), ("C", "R", 0.77), ("C", "F1", 154 / 199), ("J", "P", 63 / 107), ("J", "R", 0.63),
        ("J", "F1", 126 / 207), ("M", "P", 55 / 103), ("M", "R", 0.55), ("M", "F1", 110 / 203), ("P", "P", 60 / 91),
        ("P", "R", 0.6), ("P", "F1", 120 / 191))},
    **{f"B-LOG-{row}-{short}": (of_logs(row, part, -0.02), 0.02, of_logs(row, part, 0.2), 0.2)
       for row in ("2L", "DS") for short, part in (("tr", "train"), ("dev", "dev"))},
    "B-F4a": (accuracy("logits", "test", 13), 0.15, accuracy("logits", "test", 5), -0.25),
    "R1": (told_apart(), 0.0, told_apart(raw=APART), 1.0),
    "R2": (told_apart(), 0.0, told_apart(vanilla=APART), 1.0),
    "R3a": (separating(bottleneck=APART), 1.0, separating(vanilla=APART), -1.0),
    "R3b": (separating(bottleneck=APART, vanilla=NOWHERE), 0.75, separating(vanilla=APART), -0.75),
    "R3c": (line_of_classes("even"), None, line_of_classes("noise"), None),
    "R3d": (line_of_classes("even", ("logits",)), None, noise_as_logits(), None),
    "R4": (centroids(0, 1, 10, 20), 1 - 9, centroids(0, 20, 10, 1), 20 - 1),
    "R5": (separating(logits=APART), 1.0, separating(bottleneck=APART), -1.0),
    "R6": (hybrid_and_plain(APART, NOWHERE), 1.0, hybrid_and_plain(NOWHERE, APART), -1.0),
    **{f"R7{letter}": (spread(name, 1, 1, 1, 2), np.log(4), spread(name, 1, 1, 2, 1), -np.log(4))
       for letter, name in (("a", "raw"), ("b", "bottleneck"), ("c", "logits"))},
    "R7d": (overlapping("bottleneck", 3), 1.0, overlapping("bottleneck", 2), -1.0),
    "R7e": (overlapping("logits", 3), 1.0, overlapping("logits", 2), -1.0),
    "R7f": (table_2(swapped(PAPERS, 2, 3)), 110 / 203 - 126 / 207,
            table_2(PAPERS), 120 / 191 - 110 / 203),
    "R7g": (spread("both", 1, 2, 2, 2), -np.log(4), spread("both", 2, 1, 2, 2), np.log(4)),
    "R8a": (table_2(PAPERS), (21 + 28 - 17 - 19) / 400, table_2(swapped(PAPERS, 1, 3)), (17 + 19 - 21 - 28) / 400),
    "R8b": (table_2(OTHERWISE), (30 + 40 - 30 - 25) / 400, table_2(PAPERS), (17 + 13 - 17 - 19) / 400),
    "R9": (table_2(PAPERS), 77 / 99 - 60 / 91, table_2(swapped(PAPERS, 0, 3)), None),
    "R10a": (both(15, 5), 0.5, both(5, 15), -0.5),
    "R10b": (both(15, 5, "train"), 0.5, both(5, 15, "train"), -0.5),
    "R10c": (unheard(15, plain=5), 0.5, unheard(5, plain=15), -0.5),
    "R11": (depths(2, 0.5), 0.4, depths(10, 0.1), -0.4),
    "R12a": (both(15, 5), -0.5, both(5, 15), 0.5),
    "R12b": (twins(15, 5), -0.5, twins(5, 15), 0.5),
    "R12c": (twins(15, 5), 0.5, twins(5, 15), -0.5),
    "R13a": (gaps("pool_1", 2, 0.5), -0.4, gaps("pool_1", 10, 0.1), 0.4),
    "R13b": (gaps("keep_1.0", 2, 0.5), -0.4, gaps("keep_1.0", 10, 0.1), 0.4),
    "R14a": (tracks_near("bottleneck", "logits"), 1.0, tracks_near("logits", "bottleneck"), -1.0),
    "R15a": (kept(0.5), 0.75, kept(0.0), 0.0),
    "R15b": (kept(1.0), 0.0, kept(0.0), -1.0),
    "R16a": (unheard(15), 0.5, unheard(5), 0.0),
    "R16b": (unheard(15), 0.5, unheard(5, loud=True), -0.75),
    "R16c": (votes(3), 0.5, votes(0), -0.25),
    "R17": (unheard(5, own=15), 0.5, unheard(15, own=5), -0.5),
    "R18a": (separating(bottleneck=APART), None, separating(), 0.0),
    "R18b": (separating(logits=APART), None, separating(), 0.0),
    "R18c": (separating(bottleneck={"train": APART, "test": NOWHERE}), 1.0,
             separating(bottleneck={"train": NOWHERE, "test": APART}), -1.0),
    "R18d": (separating(logits={"train": APART, "test": NOWHERE}), 1.0,
             separating(logits={"train": NOWHERE, "test": APART}), -1.0),
    "B-HP-gamma": (has(gamma=0.9), 0.9, has(gamma=1 / 1.1), 1 / 1.1),
    "B-HP-keep": (has(keep=0.9), 0.9, has(keep=0.1), 0.1),
    "B-HP-pool": (has(pool=40), 40, has(pool=10), 10),
    "B-HP-hidden": (has(hidden=128), 128, has(hidden=64), 64),
    "B-HP-bottleneck": (has(bottleneck=64), 64, has(bottleneck=32), 32),
    "B-HP-logits": (has(logits=4), 4, has(logits=10), 10),
    "B-DATA-n": (sized(6000, 1000, 1000), 8000, sized(600, 100, 100), 800),
    "B-DATA-genre": (sized(6000, 1000, 1000), 2000, sized(600, 100, 100), 200),
    "B-DATA-train": (sized(6000, 1000, 1000), 6000, sized(1000, 6000, 1000), 1000),
    "B-DATA-dev": (sized(6000, 1000, 1000), 1000, sized(6000, 2000, 0), 2000),
    "B-DATA-test": (sized(6000, 1000, 1000), 1000, sized(1000, 1000, 6000), 6000),
    "L1": (heard(0.0), 0.0, heard(0.25), 0.25),
    "L2": (measured(view(Y, raw=WAVES), built={"decoder_output": "linear"}), 0.0,
           measured(view(Y, raw=np.tile([3.0, -1.0], (20, 1))), built={"decoder_output": "relu"}), 0.1),
}
PRINTED = {"E3", "E11a", "E11b", "E12a", "E12b", "E20"}  # arithmetic on what was printed and logged: tested below


def value(claim, run):
    return common_findings.collect({claim: (FINDINGS | FACTS)[claim]}, run)[claim]["value"]


def met(claim, found):
    """Whether the claim's rule holds for a value without spread."""
    row = ROWS[claim]
    distance = abs(found - row.reported) if row.rule == "within" else abs(found)
    return {"within": distance <= (row.threshold or 0) + 1e-9, "abs <=": distance <= (row.threshold or 0) + 1e-12,
            "at least": found >= (row.threshold or 0),
            "interval >": found > (row.threshold or 0), "interval <": found < (row.threshold or 0)}[row.rule]


def test_every_claim_has_a_known_answer():
    assert set(CASES) | PRINTED == set(ROWS) == set(FINDINGS | FACTS)
    assert not set(CASES) & PRINTED


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("claim", CASES)
def test_a_true_run_meets_the_rule_and_its_reverse_does_not(claim):
    true, expected, reverse, other = CASES[claim]
    found, against = value(claim, true), value(claim, reverse)
    assert expected is None or found == pytest.approx(expected, abs=1e-6)
    assert other is None or against == pytest.approx(other, abs=1e-6)
    assert met(claim, found) and not met(claim, against), (found, against)


def controls():
    """{claim: its values on a run in which it is true, and on one in which it is not}."""
    return {claim: [value(claim, true), value(claim, reverse)] for claim, (true, _, reverse, _) in CASES.items()}


def test_printed_facts_and_their_reverse(monkeypatch):
    run = measured(view(Y))
    assert {claim: value(claim, run) for claim in PRINTED} == {
        "E3": 0.0, "E11a": 0.0, "E11b": pytest.approx(0, abs=1e-9), "E12a": 0.0, "E12b": 0.0, "E20": 0.0}
    assert facts.from_2000_examples(run)["baselines"]["right of 2,000"] == pytest.approx(762)
    assert facts.margins(1000, 645) > 0
    turned = {name: facts.PRINTED[other] for name, other in zip(facts.PRINTED, ("metal", "pop", "classical", "jazz"),
                                                               strict=True)}
    monkeypatch.setattr(facts, "PRINTED", turned)
    assert (value("E12a", run), value("E12b", run)) == (3.0, 2.0)
    monkeypatch.setattr(facts, "PRINTED", {name: (0.7, 0.7, 0.7) for name in turned})
    assert value("E11b", run) == pytest.approx(0.059)
    better = tuple(line | {"train": 0.95, "dev": 0.5} for line in facts.program_logs())
    monkeypatch.setattr(facts, "program_logs", lambda: better)
    assert (value("E20", run), value("E3", run)) == (53.0, pytest.approx(0.119))


@pytest.mark.parametrize("row, model", [("2L", "two_layer"), ("DS", "deep_softmax")])
def test_the_logs_of_a_part_are_compared_with_that_part(row, model):
    lines = [{"epoch": float(epoch), "metrics/train_accuracy_in_epoch": accuracies.logged(row, "train")[epoch] + 0.125,
              "metrics/dev_accuracy": accuracies.logged(row, "dev")[epoch] - 0.25}
             for epoch in accuracies.CHECKED_EPOCHS]
    run = measured(view(Y), histories={model: lines})
    assert (value(f"B-LOG-{row}-tr", run), value(f"B-LOG-{row}-dev", run)) == (
        pytest.approx(0.125), pytest.approx(0.25))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_cannot_be_asked_says_why():
    other_classes = measured(view(Y, classes=tuple("abcd")))
    for claim in ("R4", "R7a", "R7d", "R7f", "R7g", "R8a", "R8b", "R9", "B-T2-M-F1"):
        with pytest.raises(NotTestable, match="other classes"):
            FINDINGS[claim](other_classes)
    nothing = measured(view(Y, tracks=NAMES, logits=naming(Y, 5)))
    for claim in ("R1", "R2"):  # that noise does not separate proves nothing
        with pytest.raises(NotTestable, match="tells these classes apart"):
            FINDINGS[claim](nothing)
    with pytest.raises(NotTestable, match="no test set"):
        FINDINGS["B-T1-DS-te"](measured(view(Y, no_test=True)))
    for claim in ("R11", "R13a", "R13b", "B-T1-DS-tr-long"):
        with pytest.raises(NotTestable, match="ABLATIONS=1"):
            FINDINGS[claim](nothing)
    with pytest.raises(NotTestable, match="keeps tracks whole"):
        FINDINGS["R17"](measured(view(Y, heard=False)))
    for claim in ("R16a", "R16b", "R16c"):
        with pytest.raises(NotTestable, match="too few tracks"):
            FINDINGS[claim](measured(view(Y)))
    with pytest.raises(NotTestable, match="fewer epochs"):
        FINDINGS["B-LOG-DS-tr"](measured(view(Y), histories={"deep_softmax": [{"epoch": 1.0}]}))


def test_held_out_is_the_test_part_and_training_accuracy_is_as_the_mode_counts_it():
    run = accuracy("logits", "test", 13)
    assert run.own.accuracy("logits", "held") == 0.65 and run.own.gap("logits") == -0.65
    assert view(Y, no_test=True).data.held.tolist() == list(range(20, 60))
    lines = [{"metrics/train_accuracy_in_epoch": 0.5}, {"metrics/train_accuracy_in_epoch": 0.7}]
    for counted, expected in (("in_epoch", 0.7), ("afterwards", 0.95)):
        run = measured(view(Y, logits=naming(Y, 19)), config={"train_accuracy": counted},
                       histories={"deep_softmax": lines})
        assert value("B-T1-DS-tr", run) == expected


def test_means_are_by_track_and_paired():
    entry = FINDINGS["R10a"](both(15, 5))
    assert entry["groups"]["of"] == "tracks" and len(entry["groups"]["names"]) == 10
    assert entry["groups"]["values"][:2] == [0.0, 0.0] or len(set(entry["groups"]["values"])) > 1
    assert np.average(entry["groups"]["values"], weights=entry["groups"]["weights"]) == pytest.approx(entry["value"])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_controls_and_baselines_are_what_they_are_called():
    uneven = view(np.repeat([0, 1, 2, 3], [8, 4, 4, 4]))
    assert uneven.majority(uneven.data.held) == 0.4
    run = view(Y, raw=np.ones((20, 4)) * 10.0 ** Y[:, None])
    assert run.loudness_right.all() and run.spectrum_right.mean() < 0.5
    scaled = measures.View(dataclasses.replace(run.data, x=(run.data.x - 7) / 3, mean=7, deviation=3), run.encodings)
    assert scaled.loudness_right.all()  # the scaling is undone: amplitudes tell, standardised values might not
    time = np.arange(64)
    tones = np.stack([np.sin(2 * np.pi * (5 + 6 * k) * time / 64 + i) for i, k in enumerate(np.tile([0, 1, 2, 3], 5))])
    tone = view(Y, raw=tones)
    assert tone.spectrum_right.all() and tone.loudness_right.mean() < 0.6
    fewer = view(Y, raw=WAVES)
    assert fewer.yardsticks["zero"] == 0 and fewer.yardsticks["PCA-64"] == pytest.approx(1)
    positive = np.square(np.maximum(WAVES, 0)).sum() / np.square(WAVES).sum()
    assert fewer.yardsticks["half-wave"] == pytest.approx(positive)
    trained = view(Y, raw={"train": WAVES, "test": 2 * WAVES + 5})
    np.testing.assert_allclose(trained.pca.mean_, WAVES.mean(axis=0))  # fitted on the training part alone


def test_the_yardstick_has_as_many_components_as_the_bottleneck_has_numbers():
    raw = np.random.default_rng(0).normal(size=(80, 70))
    run = view(np.tile(Y, 4), raw=raw)
    mean = raw.mean(axis=0)
    kept = mean ** 2 * 80  # a mean costs no component
    power = np.square(np.linalg.svd(raw - mean, compute_uv=False))
    expected = (kept.sum() + power[:64].sum()) / np.square(raw).sum()
    assert run.yardsticks["PCA-64"] == pytest.approx(expected, abs=1e-6) and run.components.shape == (240, 64)


def test_neighbours_come_from_the_training_part_and_no_segment_names_itself():
    y = np.tile([0, 1], 10)
    x = np.stack([np.arange(20) // 2 * 10.0 + y, 0 * y], axis=1)
    run = view(y, raw={"train": x, "test": APART[:, :2]}, classes=("a", "b"))
    assert not run.neighbours_right("raw", "train").all()
    apart = view(Y, raw=APART)
    assert apart.neighbours_right("raw", "train").all() and apart.neighbours_right("raw").all()


def test_transition_is_one_for_an_even_change_and_zero_for_noise_a_leap_and_constants():
    random = np.random.default_rng(0)
    place = random.uniform(0, 1, 4000)
    y = (random.uniform(size=4000) < place).astype(int)  # the share of class 1 grows along the line
    # the means lie at 1/3 and 2/3 of the line, where the share is 1/3 and 2/3: s(t) - 1/2 is a third of t - 1/2
    even = transitions.transition(place[:, None], y, 0, 1, neighbours=200)
    assert even == pytest.approx(1 - (2 / 3) ** 2, abs=0.08)
    gaussian = random.normal(size=(400, 4)) + 2 * np.repeat([0, 1], 200)[:, None] * np.eye(4)[0]
    assert transitions.transition(gaussian, np.repeat([0, 1], 200), 0, 1) > 0.7
    labels = random.integers(0, 2, 400)
    assert abs(transitions.transition(random.normal(size=(400, 4)), labels, 0, 1)) < 0.2
    leap = np.repeat([0.0, 100.0], 200)[:, None] + random.normal(size=(400, 1))
    assert abs(transitions.transition(leap, np.repeat([0, 1], 200), 0, 1)) < 0.01
    assert transitions.transition(np.ones((40, 3)), np.repeat([0, 1], 20), 0, 1) == 0.0
    # twenty at one end and twenty at the other: twenty neighbours are of one class, an odd one more would not be
    points = np.repeat([0.0, 1.0], 20)
    assert transitions.transition(points[:, None], points, 0, 1) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("points, name, share", [("all", "logits", 1 / 3), ("program", "logits", 0.0),
                                                 ("program", "two_layer", 1 / 3), ("held_out", "logits", 0.0)])
def test_figures_draw_what_the_mode_says(points, name, share):
    run = view(Y)
    for axes in ("drawn", "train"):
        fit, drawn = measures.drawn_rows(settings.Config(points=points, axes=axes), run.data, name)
        assert np.isin(drawn, run.data.parts["train"]).mean() == pytest.approx(share)
        assert fit.tolist() == (run.data.parts["train"] if axes == "train" else drawn).tolist()


def test_what_learnt_is_what_beats_the_trivial_predictor():
    run = measured(view(Y, raw=WAVES, x_hat=WAVES / 2, vanilla_x_hat=0 * WAVES, logits=naming(Y, 10),
                        two_layer=naming(Y, 8)), alone=naming(Y, 20))
    found = measures.learnt(run)
    assert {name: one["value"] for name, one in found.items()} == pytest.approx(
        {"two_layer": 0.4, settings.ALONE: 1.0, "deep_softmax": 0.5, "deep_softmax_unheard": 0.5, "autoencoder": 0.0,
         "reconstruction": 0.75})
    assert {name for name, one in found.items() if one["learnt"]} == {
        settings.ALONE, "deep_softmax", "deep_softmax_unheard", "reconstruction"}
    assert {one["baseline"] for one in found.values()} == {0.25, 0.0}  # 0.4 is within two standard errors of 0.25
    needed = [value.split("|") for row in ROWS.values() for key, _, value in row.needs if key == "learnt"]
    assert set(sum(needed, [])) <= set(found)


def test_gamma_is_read_off_the_losses():
    lines = [{"losses/reconstruction": r, "losses/classification": c, "losses/total": 2 * (0.9 * r + 0.1 * c)}
             for r, c in ((1.0, 1.4), (0.5, 1.3), (0.4, 0.2))]
    assert measures.gamma_of_losses(lines) == pytest.approx(0.9)


def test_encodings_of_a_part_and_pairs_of_confusions():
    pairs = measures.confused_pairs(np.array([[5, 1], [2, 2]]))
    assert pairs == {(1, 0): pytest.approx(0.3)}
    assert measures.share_of_tracks(np.array([1, 1, 0, 1, 0, 0]), np.repeat(["a", "b"], 3)) == 0.5
