"""Numbers, durations and names as people write them."""

import math
import re
from typing import Any

from markupsafe import Markup, escape


def number(value: float | None, decimals: int | None = None) -> str:
    """A number for people: three digits, thousands apart, powers of ten where it is very small or large."""
    if value is None or not math.isfinite(value):
        return "not a number" if value is None or math.isnan(value) else "∞" if value > 0 else "−∞"
    if abs(value) < 1e-12:  # of rounding: the difference of two equal means
        value = 0.0
    if decimals is not None:
        text = f"{value:,.{decimals}f}"
    elif value == int(value) and abs(value) < 1e9:
        text = f"{value:,.0f}"
    elif abs(value) < 1e-3 or abs(value) >= 1e9:
        mantissa, _, exponent = f"{value:.1e}".partition("e")
        superscript = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        text = f"{mantissa} × 10{superscript}"
    else:
        text = f"{value:,.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"
    return text.replace("-", "−")


def words(name: str) -> str:
    """`step_majority` as people write it."""
    return str(name).replace("_", " ")


def table_value(value: Any) -> Any:
    """A table's cell: numbers for people, a dash where there is none."""
    if value is None or value == "nan" or (isinstance(value, float) and math.isnan(value)):
        return "–"
    return number(value) if type(value) in (int, float) else str(value)


def note(value: Any) -> str:
    """A run's note: lists and tables in words, numbers for people."""
    if isinstance(value, dict):
        return ", ".join(f"{words(key)} {note(one)}" for key, one in value.items()) or "none"
    if isinstance(value, (list, tuple)):
        return ", ".join(note(one) for one in value) or "none"
    return number(value) if type(value) in (int, float) else str(value)


def setting(value: Any) -> Any:
    """A setting's value; floats without the digits that binary adds."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def breakable(text: str) -> Any:
    """A name that may break after its underscores and slashes."""
    return Markup(re.sub("([_/])", r"\1<wbr>", str(escape(text))))


def duration(hours: float) -> str:
    """Hours for people: seconds or minutes where they are few."""
    amount, unit = next(((hours * size, unit) for size, unit in ((1, "hour"), (60, "minute")) if hours * size >= 1),
                        (hours * 3600, "second"))
    text = f"{amount:,.1f}".removesuffix(".0") if amount < 10 else f"{amount:,.0f}"
    return f"{text} {unit}{'' if text == '1' else 's'}"


def plural(count: int, noun: str) -> str:
    """`1 seed`, `3 seeds`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def some(names: list[str], most: int = 4) -> str:
    """`a.py, b.py`; of more than `most` the first ones: `a.py, b.py, c.py and 5 others`."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most - 1])} and {len(names) - most + 1} others"
