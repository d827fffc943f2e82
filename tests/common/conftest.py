"""Demo corpora made once, and real recordings where there are any."""

import fcntl
import os
from pathlib import Path

import pytest

from common import demo

FAMILIES = ("gtzan", "fma", "medley_solos_db", "lmd_matched", "orchestral")


@pytest.fixture(scope="session")
def demos(tmp_path_factory):
    """family, null -> folder of the smoke-sized demo corpus, seed 0; one for all processes of a call: only read it."""
    own = tmp_path_factory.getbasetemp()
    place = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "demos"
    place.mkdir(exist_ok=True)

    def made(family: str, null: bool = False, seed: int = 0) -> Path:
        root = place / f"{family}{'-null' if null else ''}-{seed}"
        with open(f"{root}.lock", "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if not root.with_suffix(".complete").exists():
                demo.write(family, root, "smoke", null, seed)
                root.with_suffix(".complete").touch()
        return root

    return made


@pytest.fixture(scope="session")
def real():
    """Folder below the real recordings (ENCORE_REALDATA, or shared/realdata beside the checkout); skips without it."""

    def folder(name: str) -> Path:
        parents = Path(__file__).resolve().parents[2:5]
        places = [Path(os.environ.get("ENCORE_REALDATA", "-")), *(parent / "shared" / "realdata" for parent in parents)]
        found = next((place / name for place in places if (place / name).is_dir()), None)
        return found or pytest.skip("needs the real recordings: set ENCORE_REALDATA")

    return folder
