"""Fixtures of all papers' tests."""

import pytest


@pytest.fixture
def eagerly():
    """Without graphs: for a few updates of a tiny network, compiling its step takes most of the time."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)
