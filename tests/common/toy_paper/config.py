"""Settings of the toy paper."""

from dataclasses import dataclass

from common.config import Divergence

PAPER = "toy"
TITLE = "A line through noise"
CITATION = "Nobody, nowhere"
PROGRAM = "the program"


@dataclass(frozen=True)
class Config:
    """Two sizes and a rate."""

    epochs: int = 4
    batch_size: int = 8
    rate: float = 0.1


DIVERGENCES = (Divergence("rate", paper=0.1, code=0.2, sound=0.1, paper_source="sec. 1", decides=("R1",)),)
PRESETS = {"smoke": {"epochs": 2}, "demo": {"epochs": 3}, "full": {}}
