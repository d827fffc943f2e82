"""Cells that would run in a spreadsheet are made text, and given back as they were."""

import csv
import io

import pytest

from common import cells

RUNS = ["=cmd|' /C calc'!A0", "+1+cmd", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "'=already"]


@pytest.mark.parametrize("text", [*RUNS, "rock", "", "'quoted'", "it's", "a=b", "''=x", "-5", "-inf"])
def test_what_is_written_is_read_back(text):
    stream = io.StringIO()
    csv.writer(stream).writerow(cells.row([text, "end"]))
    stream.seek(0)
    (read, _), = csv.reader(stream)
    assert cells.plain(read) == text


@pytest.mark.parametrize("text", RUNS)
def test_no_cell_begins_with_what_runs(text):
    assert cells.escaped(text).startswith("'")


def test_numbers_and_plain_text_stay(tmp_path):
    assert cells.row([-0.5, "-1.25e-3", 7, "a -b", None]) == [-0.5, "-1.25e-3", 7, "a -b", None]
