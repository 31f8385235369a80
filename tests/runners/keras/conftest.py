"""TensorFlow takes its number of threads before it computes anything, so every test here opens it first."""

import pytest


@pytest.fixture(autouse=True)
def backend():
    """The CPU with one thread."""
    from runners.keras.backend import open_backend

    return open_backend("cpu", 1)
