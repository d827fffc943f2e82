"""Fixtures of all papers' tests."""

from contextlib import contextmanager

import pytest

from common import plots


@contextmanager
def without_graphs():
    """For a few updates of a tiny network, compiling its step takes most of the time."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)


@pytest.fixture
def eagerly():
    """The test runs without graphs."""
    with without_graphs():
        yield


@pytest.fixture(scope="module", autouse=True)
def plain_pictures():
    """Pictures of few pixels, laid out as they come: how they look is for tests/common/test_plots.py."""
    plain = {"savefig.dpi": 50, "figure.constrained_layout.use": False}
    kept = {name: plots.STYLE[name] for name in plain}
    plots.STYLE.update(plain)
    yield
    plots.STYLE.update(kept)
