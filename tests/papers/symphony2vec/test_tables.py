"""The page's tables: a run's values, and loudness alone beside every accuracy."""

import pytest

from common.findings import collect
from papers.symphony2vec import tables
from papers.symphony2vec.findings import FINDINGS
from tests.papers.symphony2vec import made_up


@pytest.fixture
def measured():
    found = made_up.measured()
    found.judged["pca-mel"].baselines |= {"loudness": 44.0}  # judged on other clips than the rest of its row
    return found


def made(measured):
    return {item["caption"].split(":")[0]: item for item in tables.tables(measured, collect(FINDINGS, measured))}


def test_every_table_of_accuracies_has_loudness_alone_and_the_commonest_composer_beside_them(measured):
    found = made(measured)
    assert list(found) == ["Table 1", "Table 3", "Tables 4 and 5", "Table 7", "Table 7's caption"]
    for name in list(found)[1:]:
        assert found[name]["columns"][-2:] == ["loudness alone", "commonest composer or chance"]
        assert all(len(row) == len(found[name]["columns"]) for row in found[name]["rows"])
    # Right answers of 40: FF 26, CNN 25, LSTM 9 on the MFCC.
    assert found["Table 3"]["rows"][1] == ["MFCC", "65.00", "62.50", "22.50", "30.00", "25.00"]
    assert found["Tables 4 and 5"]["rows"][2] == ["mel-spectrogram", "42.50", "45.00", "50.00", "37.50",
                                                  "30.00 / 44.00", "25.00"]  # fmt: skip
    train, test = found["Table 7"]["rows"]
    assert train == ["train", "14.50", "13.50", "11.50", "45.00", "35.00"]  # of the training clips
    assert test == ["test", "35.00", "32.50", "27.50", "30.00", "25.00"]
    assert found["Table 7's caption"]["rows"] == [["feed-forward", "60.00", "30.00", "25.00"],
                                                  ["ALI's encoder as a classifier", "70.00", "30.00", "25.00"]]
    assert [found[name]["columns"][1:-2] for name in ("Table 7", "Table 7's caption")] == [
        ["LD = 256", "LD = 128", "LD = 40"], ["test"]]  # fmt: skip
    assert {claim for item in found.values() for claim in item.get("claims", ())} <= set(FINDINGS)


def test_table_1_says_what_loudness_alone_names(measured):
    table = made(measured)["Table 1"]
    assert table["rows"] == [["training", *["0.200"] * 5], ["test", *["0.200"] * 5]]
    item = tables.shares(measured)
    assert item["caption"].endswith("in percent: loudness alone 30.00, commonest composer or chance 25.00")
    del measured.judged["pca-chroma"]
    assert tables.shares(measured)["caption"] == "Table 1: composers' shares"


def test_a_model_that_is_not_there_leaves_a_dash_and_no_baseline(measured):
    measured.missing |= {f"{kind}-mel": "left out" for kind in ("ff", "cnn", "lstm")}
    found = made(measured)
    assert found["Table 3"]["rows"][2] == ["mel-spectrogram", *["–"] * 5]
    measured.missing["pca-mel"] = "left out"
    assert made(measured)["Tables 4 and 5"]["rows"][2][4:] == ["–", "30.00", "25.00"]
