"""Compiled functions: one process at a time makes what numba keeps of them."""

import importlib
import threading
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


def test_who_comes_second_waits_for_the_first(monkeypatch, tmp_path):
    monkeypatch.setattr(compiled.os, "access", lambda path, how: False)
    monkeypatch.setattr(compiled.tempfile, "gettempdir", lambda: str(tmp_path))
    free, order = threading.Event(), []
    monkeypatch.setattr(importlib, "import_module", lambda name: order.append(free.is_set()))
    with locks.held(tmp_path / f"encore-{compiled.os.getuid()}" / "encore.lock", "it"):
        second = threading.Thread(target=compiled.compile_librosa)
        second.start()
        second.join(0.3)
        assert second.is_alive() and not order
        free.set()
    second.join(10)
    assert order == [True] * len(compiled.MODULES)
