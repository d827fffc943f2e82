"""A paper with several data sets is run on each; which one is no setting."""

import dataclasses
from types import SimpleNamespace

from common import files, reproduce


@dataclasses.dataclass(frozen=True)
class Config:
    data_set: str = "gtzan"
    size: int = 1


SEVERAL = SimpleNamespace(Config=Config, DATA_SETS=("fma_medium", "gtzan", "folder"))


def test_every_data_set_with_a_demo_is_run():
    assert reproduce.data_sets(SEVERAL, None) == ["fma_medium", "gtzan"]


def test_with_data_only_what_is_there(tmp_path):
    for genre in ("rock", "folk"):
        (tmp_path / genre).mkdir()
        (tmp_path / genre / "a.wav").write_bytes(b"x")
    assert reproduce.data_sets(SEVERAL, tmp_path) == ["folder"]
    assert reproduce.data_sets(SEVERAL, tmp_path / "nothing") == ["fma_medium"]


def test_a_paper_with_one_data_set_finds_its_own():
    @dataclasses.dataclass(frozen=True)
    class Plain:
        size: int = 1

    assert reproduce.data_sets(SimpleNamespace(Config=Plain, DATA_SETS=("gtzan",)), None) == [None]


def test_the_data_set_is_no_setting():
    assert files.sha256(Config()) == files.sha256(Config(data_set="fma_medium"))
    assert files.sha256(Config()) != files.sha256(Config(size=2))
