"""Fixtures of all papers' tests."""

from contextlib import contextmanager

import pytest


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
