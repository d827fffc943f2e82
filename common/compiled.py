"""librosa's functions that numba compiles, compiled and kept by one process at a time.

Numba keeps what it compiles on disk, and for a `guvectorize` function in two files. Where two processes compile at
once, the files of one may not fit those of the other, and from then on every process that calls the function dies of a
segmentation fault (numba/numba#10128). `make` has them compiled when it builds .venv, and each process of several looks
again before it evaluates: on a cluster, machines of another kind compile their own.
"""

import functools
import importlib
import importlib.util
import os
import tempfile
from pathlib import Path

from common import locks

# Those that have such functions.
MODULES = ("librosa.core.audio", "librosa.core.pitch", "librosa.util.utils", "librosa.beat")


@functools.cache
def compile_librosa() -> None:
    """Import the modules, which compiles what is not yet kept, while no other process does."""
    found = importlib.util.find_spec("librosa")
    place = Path(found.origin).parent / "__pycache__"
    if not os.access(place if place.is_dir() else place.parent, os.W_OK):  # numba then keeps it for the user
        place = Path(tempfile.gettempdir()) / f"encore-{os.getuid()}"
    with locks.held(place / "encore.lock", "librosa's compiled functions", wait=True):
        for name in MODULES:
            importlib.import_module(name)
