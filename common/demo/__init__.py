"""The built-in music: a composer, a synthesizer, and demo corpora in the layouts of the published data sets.

    corpus = demo.find(data, "gtzan", preset="demo")    # `data`, or the demo corpus where it is None

`python -m common.demo NAME DIR` writes one. Nothing else in `common` imports this room.
"""

from common.demo.making import DEMOS, find, make, write

__all__ = ["DEMOS", "find", "make", "write"]
