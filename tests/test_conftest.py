"""What the end of a test run says of tests that could not run: the same from one process and from several."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
QUICK = """import pytest

@pytest.mark.needs_data("gtzan")
def test_data(): assert 0

@pytest.mark.needs_data("gtzan")
@pytest.mark.needs_data("lmd_matched")
def test_both(): assert 0

@pytest.mark.needs_browser
def test_page(): assert 0

def test_early(tmp_path): (tmp_path.parent.parent / "first").open("a").write("quick ")
"""
SLOW = """import pytest

@pytest.mark.slow
def test_late(tmp_path): (tmp_path.parent.parent / "first").open("a").write("slow ")
"""


@pytest.mark.slow
@pytest.mark.parametrize(("processes", "order"), [((), {"quick slow "}), (("-n", "1"), {"slow quick "}),
                                                  (("-n", "2"), {"slow quick ", "quick slow "})])
def test_what_could_not_run_is_counted_once_and_slow_files_go_first(tmp_path, processes, order):
    (tmp_path / "test_a.py").write_text(QUICK)
    (tmp_path / "test_b.py").write_text(SLOW)
    environment = {name: value for name, value in os.environ.items()
                   if name != "ENCORE_DATA" and not name.startswith("PYTEST")}
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", "-c",
               str(ROOT / "pyproject.toml"), "--rootdir", str(tmp_path), f"--basetemp={tmp_path / 'made'}", *processes,
               *(("--dist", "loadfile", "--no-loadscope-reorder") if processes else ()), str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120,
                          env=environment | {"PYTHONPATH": str(ROOT), "PATH": ""})
    assert "2 passed, 3 skipped" in done.stdout, done.stdout + done.stderr
    for line in ("1 tests look at pages in a browser; next: apt-get install chromium",
                 "2 tests need gtzan: make check-data DATA=<folder with gtzan>",
                 "1 tests need lmd_matched: make check-data DATA=<folder with lmd_matched>"):
        assert done.stdout.count(line) == 1, done.stdout
    (written,) = tmp_path.rglob("first")
    assert written.read_text() in order
