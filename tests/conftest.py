"""Which tests run, and what is said about those that need a published corpus or a browser."""

import ctypes
import gc
import os
import sys
from collections import Counter

import pytest

from tests.common import browser

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # equal bits are promised at equal thread counts; small networks lose by a second
_needing: Counter = Counter()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Count the tests that need data or a browser; without it they never run, and are never counted as passed."""
    for item in items:
        if item.get_closest_marker("needs_browser") and not browser.PROGRAM:
            item.add_marker(pytest.mark.skip(reason="no Chromium here"))
        for mark in item.iter_markers("needs_data"):
            _needing[mark.args[0]] += 1
            if not os.environ.get("ENCORE_DATA"):
                item.add_marker(pytest.mark.skip(reason=f"needs {mark.args[0]}: make check-data DATA=…"))
    if hasattr(config, "workerinput"):  # one of several processes; long files first, so that all end together
        slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
        items.sort(key=lambda item: -slow[item.path])


def pytest_collection_finish():
    """What was imported stays: the collector need not look at it after every file."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish(session):
    """A process of several tells the first, which collects nothing itself, what it counted."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["needing"] = dict(_needing)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error):
    """Every process has counted the same tests."""
    _needing.update(Counter(getattr(node, "workeroutput", {}).get("needing", {})) - _needing)


def pytest_terminal_summary(terminalreporter):
    """The last lines of `make test`: how many were not run, and what they need."""
    unseen = [one for one in terminalreporter.getreports("skipped") if "no Chromium here" in str(one.longrepr)]
    if unseen:
        terminalreporter.section("not run: there is no Chromium")
        terminalreporter.line(f"{len(unseen)} tests look at pages in a browser; next: apt-get install chromium")
    if _needing and not os.environ.get("ENCORE_DATA"):
        terminalreporter.section("not run: they need published data sets")
        for name, count in sorted(_needing.items()):
            terminalreporter.line(f"{count} tests need {name}: make check-data DATA=<folder with {name}>")


@pytest.fixture(scope="module", autouse=True)
def _freed():
    """What the tests of a file built goes with them: a process that runs hundreds of files would keep gigabytes."""
    yield
    if "keras" in sys.modules:
        sys.modules["keras"].backend.clear_session()  # collects garbage
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)


@pytest.fixture
def published():
    """Path of a published data set for tests marked needs_data; skips where it is not under ENCORE_DATA."""
    from pathlib import Path

    from common import corpora

    def locate(name: str) -> Path:
        try:
            corpus = corpora.find(Path(os.environ["ENCORE_DATA"]), name)
        except corpora.DataError as error:
            pytest.skip(str(error))
        return Path(corpus.root)

    return locate
