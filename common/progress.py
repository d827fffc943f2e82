"""Progress of anything that takes more than a few seconds: done, total, rate, time left."""

import sys
from collections.abc import Iterable

from tqdm import tqdm


def progress(iterable: Iterable, description: str, unit: str, total: int | None = None) -> Iterable:
    """Iterate with a bar on stderr; in a log file a line every 15 seconds instead."""
    return tqdm(iterable, desc=description, unit=unit, total=total, dynamic_ncols=True,
                mininterval=0.3 if sys.stderr.isatty() else 15)
