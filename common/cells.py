"""Text in CSV cells that a spreadsheet would take for a formula, made harmless.

A file or class called `=cmd|...` would run where the table is opened. An apostrophe in front makes it text, as
spreadsheets have it (OWASP, CSV injection); numbers stay as they are.
"""

import re
from collections.abc import Iterable
from typing import Any

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_ESCAPED = re.compile(r"'+[=+\-@\t\r]")


def row(values: Iterable) -> list:
    """Values of one row for `csv.writer`, text that would run escaped."""
    return [escaped(value) for value in values]


def escaped(value: Any) -> Any:
    """A value as it may stand in a cell; `plain` gives text back."""
    text = str(value)
    if not _FORMULA.match(text) or _is_number(text):
        return value
    return f"'{text}"


def plain(text: str) -> str:
    """The text that `escaped` was given."""
    return text[1:] if _ESCAPED.match(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
