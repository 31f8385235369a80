"""What the Keras tests share: a context of a row, and small windows."""

import numpy as np

from runners.contract import Context
from runners.keras.backend import open_backend


def make_context(model, settings, data, profile="smoke", checkpoints=None, progress=lambda phase, done, total: None):
    """A context on the CPU with one thread and the seed 0."""
    return Context(open_backend("cpu", 1), model, "cpu", profile, settings, 0, data, progress, checkpoints)


def small_windows():
    """Forty windows of four values, and their targets."""
    random = np.random.RandomState(0)
    return random.rand(40, 4), random.rand(40)
