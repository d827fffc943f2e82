"""Compiled steps as in a process of this paper's own."""

import pytest
import tensorflow as tf


@pytest.fixture(autouse=True)
def optimizers_of_graphs():
    """fma_interpolation's trainings switch TensorFlow's arithmetic optimizer off, for all of a process.

    Without it 1 - p + 1e-12 is folded to (1 + 1e-12) - p, which is 0 where p is 1.
    """
    before = tf.config.optimizer.get_experimental_options()
    tf.config.optimizer.set_experimental_options({"arithmetic_optimization": True})
    yield
    if "arithmetic_optimization" in before:
        tf.config.optimizer.set_experimental_options({"arithmetic_optimization": before["arithmetic_optimization"]})
