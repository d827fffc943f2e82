"""Write demo corpora: composed, rendered, in the layouts in which the data sets are published.

`find` is what a paper reads its data with; `make` is what it uses without data; `write` makes one at a given place. A
corpus is written under a temporary name and then renamed, so that a folder is complete or absent. The same seed gives
the same corpus. The null twin has the same sound and shuffled labels: every class of it holds equal shares of every
true class. Every file carries a mark (`contents.mark`), so that a copy of some of them is known for what it is.
"""

import contextlib
import importlib
import json
import os
import shutil
from pathlib import Path
from types import ModuleType

from common import locks
from common.corpora import Corpus, contents, finding
from common.errors import DataError

# Of the generators: a corpus of another version is written anew. Raise a number when its files change.
VERSIONS = {"gtzan": 4, "fma": 4, "medley_solos_db": 6, "lmd_matched": 4, "orchestral": 3, "paired": 1}
SHUFFLE_VERSION = 2
DEMOS = Path("data") / "demo"
WRITERS = {  # data set -> the module that writes it; loaded when needed
    "gtzan": "gtzan",
    "fma": "fma",
    "medley_solos_db": "medley_solos_db",
    "lmd_matched": "lakh",
    "orchestral": "orchestral",
    "paired": "paired",
}


def find(data: Path | None, name: str, preset: str = "demo", null: bool = False) -> Corpus:
    """The corpus `name`, read from `data`, or its demo corpus where `data` is None.

    Args:
        data: the data set's folder, or a folder that holds several data sets; None for the demo corpus, which is
            written below `data/demo/` when it is not there yet.
        name: one of `corpora.NAMES`.
        preset: "smoke", "demo" or "full": the size of the demo corpus ("full" takes that of "demo").
        null: the demo corpus's twin with shuffled labels.

    Raises:
        DataError: nothing at `data` has the layout of `name`, no file in it can be used, or `null` is asked of it.
    """
    if data is not None and null:
        raise DataError(f"{data}: only demo corpora have a twin with shuffled labels. Leave out either of the two.")
    if data is None and name in finding.NAMES:
        return finding.read(name, make(name, preset, DEMOS, null))
    return finding.find(data, name)


def make(name: str, preset: str, place: Path = DEMOS, null: bool = False, seed: int = 0) -> Path:
    """The demo corpus that data set `name` is read from, below `place`; written where it is not there yet."""
    size = "smoke" if preset == "smoke" else "demo"
    root = place / f"{family(name)}-{size}-{seed}{'-null' if null else ''}"
    wanted = version(family(name), null)
    if _written(root) != wanted:
        with locks.held(place / f".{root.name}.lock", f"demo corpus {root}", wait=True):  # one writes, others wait
            if _written(root) != wanted:
                shutil.rmtree(root, ignore_errors=True)
                write(family(name), root, size, null, seed)
    return _data_root(name, root)


def _written(root: Path) -> int | str | None:
    """The version of the generator that wrote the corpus at `root`; None where there is none."""
    marker = root / finding.MARKER
    return json.loads(marker.read_text(encoding="utf-8")).get("version") if marker.is_file() else None


def writer(family_name: str) -> ModuleType:
    """The module that writes a demo corpus: its `write(root, preset, null, seed)` returns the files to make."""
    return importlib.import_module(f"common.demo.{WRITERS[family_name]}")


def family(name: str) -> str:
    """The demo corpus behind a data set: both FMA subsets are read from one."""
    return "fma" if name in ("fma_small", "fma_medium") else "gtzan" if name == "folder" else name


def version(family_name: str, null: bool) -> int | str:
    """What the marker of a corpus says about the generator that wrote it."""
    return f"{VERSIONS[family_name]}, shuffled {SHUFFLE_VERSION}" if null else VERSIONS[family_name]


def _data_root(name: str, root: Path) -> Path:
    return finding.locate(name, root / "genres" if name == "folder" else root)


def write(name: str, root: Path, preset: str = "demo", null: bool = False, seed: int = 0) -> None:
    """Write demo corpus `name` to the new folder `root`.

    Raises:
        DataError: there is no such demo, or `root` exists and holds something.
    """
    if name not in WRITERS:
        raise DataError(f"no demo corpus is called {name!r}; there are {', '.join(WRITERS)}.")
    if root.is_file() or (root.is_dir() and any(root.iterdir())):
        raise DataError(f"{root} is not empty. Give a new folder for the demo corpus.")
    temporary = root.with_name(f"{root.name}.{os.getpid()}.part")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        temporary.mkdir(parents=True)
        from common.demo import jobs

        made = writer(name).write(temporary, preset, null, seed)
        mark = contents.mark(name, seed, null)
        jobs.run(made, f"demo {name}, {preset}{', null twin' if null else ''}", mark)
        marker = {"demo": name, "preset": preset, "seed": seed, "null": null, "version": version(name, null)}
        (temporary / finding.MARKER).write_text(json.dumps(marker, indent=1) + "\n", encoding="utf-8")
        with contextlib.suppress(OSError):  # not empty: another process was faster, and wrote the same
            root.rmdir()
        if not root.exists():
            temporary.rename(root)
    except OSError as error:
        raise DataError(f"{error.filename or root}: {error.strerror}. The demo corpus needs about 200 MB.") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
