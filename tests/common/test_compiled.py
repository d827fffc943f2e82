"""Compiled functions: one process at a time makes what numba keeps of them."""

import importlib
from pathlib import Path

import pytest

from common import compiled, locks
from common.errors import BusyError


@pytest.fixture(autouse=True)
def anew():
    compiled.compile_librosa.cache_clear()
    yield
    compiled.compile_librosa.cache_clear()


def test_no_other_process_compiles_meanwhile(monkeypatch):
    import librosa

    lock, found = Path(librosa.__file__).parent / "__pycache__" / "encore.lock", []

    def imported(name):
        with pytest.raises(BusyError), locks.held(lock, "it"):
            pass
        found.append(name)

    monkeypatch.setattr(importlib, "import_module", imported)
    compiled.compile_librosa()
    compiled.compile_librosa()
    assert tuple(found) == compiled.MODULES  # once in a process
    with locks.held(lock, "it"):
        pass


def test_every_module_of_librosa_that_has_such_functions_is_named():
    import librosa

    package = Path(librosa.__file__).parent
    having = {path for path in package.rglob("*.py") if "guvectorize(" in path.read_text()}
    assert having == {package.parent / (name.replace(".", "/") + ".py") for name in compiled.MODULES}


def test_where_the_packages_cannot_be_written_the_lock_is_the_users(monkeypatch, tmp_path):
    monkeypatch.setattr(compiled.os, "access", lambda path, how: False)
    monkeypatch.setattr(compiled.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(importlib, "import_module", lambda name: None)
    compiled.compile_librosa()
    assert [path.name for path in tmp_path.glob("encore-*/*")] == ["encore.lock"]
