"""The faults themselves: each changes the program in the place it says, and nothing that is only text."""

import random

from tests import mutations

SOURCE = '''"""A docstring with a < b and 3."""
import numpy as np

LIMIT = 0.5


def split(rows, share, loud=False):
    """Text: rows[0] == 1."""
    if len(rows) < 2:
        raise ValueError(f"{len(rows) + 1} rows")
    parts = {"train": rows[:-1]}
    parts["test"] = np.mean(rows) * -share
    parts["small"] = share + 1e-9
    rows.sort()
    return parts if loud and share > LIMIT else None
'''


def test_each_kind_of_fault_is_found_where_it_stands_and_compiles():
    found = {(m.line, m.what, m.text) for m in mutations.find("x.py", SOURCE)}
    assert found == {
        (4, "number", "1.0"), (7, "truth value", "True"),
        (9, "condition", "not (len(rows) < 2)"), (9, "comparison", ">="), (9, "number", "3"),
        (11, "word", "'test'"), (11, "sign", "(1)"), (11, "number", "2"),
        (12, "word", "'train'"), (12, "function", "sum"), (12, "operator", "/"), (12, "sign", "(share)"),
        (13, "operator", "-"), (14, "statement left out", "pass"),
        (15, "condition", "not (loud and share > LIMIT)"), (15, "and, or", "or"), (15, "comparison", "<="),
    }


def test_a_fault_changes_one_place_only():
    for mutation in random.Random(0).sample(mutations.find("x.py", SOURCE), 8):
        changed = mutation.apply(SOURCE)
        assert changed != SOURCE
        assert (changed[:mutation.start], changed[mutation.start + len(mutation.text):]) == (
            SOURCE[:mutation.start], SOURCE[mutation.end:])
