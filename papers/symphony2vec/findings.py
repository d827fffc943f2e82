"""Every claim of the paper as a function of what was measured: FINDINGS, claim id -> function.

The findings stand by section of the paper in findings_data.py (3.1), findings_accuracies.py (3.2, 3.3, Table 7),
findings_game.py (Figure 8) and findings_images.py (the other figures), the printed numbers in printed.py, what is true
on any data in facts.py.

A function takes a measured.Measured and returns a number or an entry, or raises NotTestable with the reason.
"""

from functools import partial

from papers.symphony2vec.facts import FACTS
from papers.symphony2vec.findings_accuracies import ACCURACIES
from papers.symphony2vec.findings_data import DATA
from papers.symphony2vec.findings_game import GAME
from papers.symphony2vec.findings_images import IMAGES
from papers.symphony2vec.printed import PRINTED, unanswered

UNANSWERED = {"Q17": partial(unanswered, reason="neither the 64 x 64 network nor its numbers are published")}
FINDINGS = PRINTED | DATA | ACCURACIES | GAME | IMAGES | FACTS | UNANSWERED
