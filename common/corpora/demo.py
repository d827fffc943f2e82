"""Demo corpora: composed, rendered and written in the layouts in which the data sets are published.

`make` is what `corpora.find` uses; `write` makes one at a given place. A corpus is written under a temporary name and
then renamed, so that a folder is complete or absent. The same seed gives the same corpus. The null twin has the same
sound and shuffled labels: every class of it holds equal shares of every true class.
"""

import contextlib
import json
import os
import shutil
from pathlib import Path

from common.corpora import demo_fma, demo_gtzan, demo_lakh, demo_medley_solos_db, demo_orchestral, finding, jobs
from common.corpora.items import DataError

# Of the generators: a corpus of another version is written anew. Raise a number when its files change.
VERSIONS = {"gtzan": 2, "fma": 2, "medley_solos_db": 3, "lmd_matched": 3, "orchestral": 2}
SHUFFLE_VERSION = 2
WRITERS = {
    "gtzan": demo_gtzan,
    "fma": demo_fma,
    "medley_solos_db": demo_medley_solos_db,
    "lmd_matched": demo_lakh,
    "orchestral": demo_orchestral,
}


def make(name: str, preset: str, place: Path, null: bool = False, seed: int = 0) -> Path:
    """The demo corpus that data set `name` is read from, below `place`; written where it is not there yet."""
    size = "smoke" if preset == "smoke" else "demo"
    root = place / f"{family(name)}-{size}-{seed}{'-null' if null else ''}"
    marker = root / finding.MARKER
    if marker.is_file() and json.loads(marker.read_text(encoding="utf-8")).get("version") == version(
        family(name), null
    ):
        return _data_root(name, root)
    if root.exists():
        shutil.rmtree(root)
    write(family(name), root, size, null, seed)
    return _data_root(name, root)


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
        made = WRITERS[name].write(temporary, preset, null, seed)
        jobs.run(made, f"demo {name}, {preset}{', null twin' if null else ''}")
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
